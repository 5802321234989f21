//! SWIFT MT940 customer statements, line by line.
//!
//! A message is `:20:`, `:21:` maybe, `:25:`, `:28C:`, `:60F:` or `:60M:`, lines `:61:` each with an `:86:` maybe,
//! `:62F:` or `:62M:`, and `:64:`, `:65:` and `:86:` maybe; `-` or the next `:20:` ends it. A statement that does not
//! fit into one message goes on in the next one with the same number: each page is checked, a `:60M:` must be what the
//! `:62M:` before it was, and together they are one statement. A page without the others is refused. `:86:` is read in the German form (three digits and `?20` …), in the form of codes
//! between slashes (`/ORDP/`, `/REMI/`), or as plain text.

use super::{
    Entry, MAX_TEXT, Piece, Statement, Sum, account, charge, in_range, join, malformed, own,
    present, too_large,
};
use crate::{
    Currency, Date, Refusal, Refused,
    money::{NumberForm, parse_amount},
};

/// Fields that banks add and that say nothing of entries.
const ALSO: [&str; 7] = ["21", "13", "13D", "34F", "90C", "90D", "NS"];

/// The words of the form with slashes.
const WORDS: [&str; 30] = [
    "ORDP", "BENM", "REMI", "EREF", "NAME", "IBAN", "BIC", "CNTP", "TRTP", "CSID", "MARF", "SVCL",
    "ORD", "INIT", "PREF", "KREF", "RTRN", "PURP", "ULTD", "ULTB", "ULTC", "ADDR", "ID", "ISDT",
    "TRCD", "BO", "BI", "NRTX", "OCMT", "CHGS",
];

/// The parts of a German text.
const PARTS: [&str; 12] = [
    "EREF+", "KREF+", "MREF+", "CRED+", "DEBT+", "SVWZ+", "ABWA+", "ABWE+", "IBAN+", "BIC+",
    "OAMT+", "COAM+",
];

/// The length of a line of a German text: one that is full goes on in the next.
const FULL_LINE: usize = 27;

/// Reads a file.
#[derive(Debug, Default)]
pub struct Reader {
    /// A line whose end has not come.
    line: Vec<u8>,
    lines: u64,
    begun: bool,
    tag: Option<String>,
    value: String,
    /// The line that the field begins in.
    field_line: u64,
    stage: Stage,
    open: Open,
    entry: Option<Entry>,
    /// The pages of a statement that goes on, and what the last one closed with.
    continued: Option<(Open, i64)>,
    entries: u64,
    statements: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Between messages.
    #[default]
    Outside,
    Reference,
    Account,
    Number,
    /// The opening balance was read; lines follow.
    Lines,
    /// The closing balance was read.
    Closed,
}

#[derive(Debug, Default)]
struct Open {
    reference: String,
    account: String,
    own: String,
    number: String,
    /// The pages before this one.
    before: Option<Box<Open>>,
    opened_on: Option<Date>,
    currency: Option<Currency>,
    opening: i64,
    sum: Sum,
}

impl Reader {
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Piece>) -> Result<(), Refused> {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|b| *b == b'\n') {
            let (piece, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            self.bounded(piece.len())?;
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(piece);
            self.lines = self.lines.saturating_add(1);
            self.line(&line, out)?;
            rest = after.get(1..).unwrap_or_default();
        }
        self.bounded(rest.len())?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    fn bounded(&self, more: usize) -> Result<(), Refused> {
        if self.line.len().saturating_add(more) <= MAX_TEXT {
            return Ok(());
        }
        let detail =
            format!("line {} is longer than {MAX_TEXT} bytes", self.lines.saturating_add(1));
        Err(Refused::new(Refusal::TextTooLong, detail))
    }

    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) -> Result<(), Refused> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.lines = self.lines.saturating_add(1);
        }
        self.line(&line, out)?;
        self.field(out)?;
        if !self.begun {
            return Err(Refused::new(Refusal::EmptyBody, "the file is empty"));
        }
        if !matches!(self.stage, Stage::Outside | Stage::Closed) {
            return Err(malformed("the file ends before the closing balance"));
        }
        if self.continued.is_some() {
            return Err(incomplete("the file ends before the last page of the statement"));
        }
        if self.statements == 0 {
            return Err(malformed("the file has no statement"));
        }
        Ok(())
    }

    pub(super) fn entry(&self) -> u64 {
        self.entries
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<Piece>) -> Result<(), Refused> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line =
            if self.begun { line } else { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) };
        let text = std::str::from_utf8(line).map_err(|_| {
            let detail = format!("line {} is not UTF-8", self.lines);
            Refused::new(Refusal::WrongEncoding, detail)
        })?;
        if text.chars().any(|c| c.is_control() && c != '\t' && c != '\u{1}' && c != '\u{3}') {
            let detail = format!("line {} has a control character", self.lines);
            return Err(Refused::new(Refusal::MalformedText, detail));
        }
        let text = text.trim_matches(['\u{1}', '\u{3}']);
        if text.trim().is_empty() {
            return Ok(());
        }
        self.begun = true;
        // The envelope: blocks in braces before the text and after it.
        if text.starts_with('{') {
            return Ok(());
        }
        if text == "-" || text.starts_with("-}") {
            self.field(out)?;
            return self.leave();
        }
        match tag(text) {
            Some((tag, value)) => {
                self.field(out)?;
                self.field_line = self.lines;
                self.tag = Some(tag.to_string());
                self.value = value.to_string();
            }
            None if self.tag.is_some() => {
                if self.value.len().saturating_add(text.len()) > MAX_TEXT {
                    let detail =
                        format!("a field in line {} is longer than {MAX_TEXT} bytes", self.lines);
                    return Err(Refused::new(Refusal::TextTooLong, detail));
                }
                self.value.push('\n');
                self.value.push_str(text);
            }
            None => return Err(self.fault("the line belongs to no field")),
        }
        Ok(())
    }

    fn fault(&self, detail: &str) -> Refused {
        malformed(format!("line {}: {detail}", self.lines))
    }

    /// The message is over.
    fn leave(&mut self) -> Result<(), Refused> {
        if !matches!(self.stage, Stage::Outside | Stage::Closed) {
            return Err(self.fault("the message ends before the closing balance"));
        }
        self.stage = Stage::Outside;
        Ok(())
    }

    /// A field is whole, which shows when the next line has come: what is wrong is in the line that it began in.
    fn field(&mut self, out: &mut Vec<Piece>) -> Result<(), Refused> {
        let Some(tag) = self.tag.take() else { return Ok(()) };
        let value = std::mem::take(&mut self.value);
        let line = self.field_line;
        self.read(&tag, &value, out).map_err(|refused| Refused {
            detail: format!("line {line}: {}", refused.detail),
            ..refused
        })
    }

    fn read(&mut self, tag: &str, value: &str, out: &mut Vec<Piece>) -> Result<(), Refused> {
        if tag != "86" {
            out.extend(self.entry.take().map(Piece::Entry));
        }
        match (tag, self.stage) {
            ("20", Stage::Outside | Stage::Closed) => {
                self.open = Open { reference: value.trim().to_string(), ..Open::default() };
                self.stage = Stage::Reference;
            }
            ("25" | "25P", Stage::Reference) => {
                let first = value.lines().next().unwrap_or_default();
                self.open.account =
                    account(first).ok_or_else(|| malformed(":25: names no account"))?;
                self.open.own = own::own(first).unwrap_or_default();
                self.stage = Stage::Account;
            }
            ("28C" | "28", Stage::Account) => {
                self.open.number = value.trim().to_string();
                self.stage = Stage::Number;
            }
            ("60F" | "60M", Stage::Number) => self.opening(value, tag == "60M")?,
            ("61", Stage::Lines) => self.transaction(value)?,
            ("86", Stage::Lines) => {
                let mut entry =
                    self.entry.take().ok_or_else(|| malformed(":86: follows no :61:"))?;
                describe(value, self.open.currency, &mut entry)?;
                out.push(Piece::Entry(entry));
            }
            ("62F" | "62M", Stage::Lines) => {
                let statement = self.closing(value, tag == "62M")?;
                out.extend(statement.map(Piece::Statement));
            }
            ("64" | "65" | "86", Stage::Closed) => {}
            (
                other,
                Stage::Reference | Stage::Account | Stage::Number | Stage::Lines | Stage::Closed,
            ) if ALSO.contains(&other) => {}
            (other, _) => {
                return Err(malformed(format!(":{other}: is not known or not in its place")));
            }
        }
        Ok(())
    }

    fn opening(&mut self, value: &str, intermediate: bool) -> Result<(), Refused> {
        let (on, currency, minor) = balance(value)?;
        match (self.continued.take(), intermediate) {
            (None, false) => {}
            (Some((before, closed)), true)
                if before.account == self.open.account && before.number() == self.open.number() =>
            {
                if closed != minor {
                    let detail = "the statement goes on with another balance than it stopped at";
                    return Err(Refused::new(Refusal::BalanceMismatch, detail).at("60M"));
                }
                self.open.before = Some(Box::new(before));
            }
            (None, true) => return Err(incomplete("the page before this one is not in the file")),
            (Some(_), _) => return Err(incomplete("the statement before has no last page")),
        }
        self.open.opened_on = Some(on);
        self.open.currency = Some(currency);
        self.open.opening = minor;
        self.stage = Stage::Lines;
        Ok(())
    }

    fn transaction(&mut self, value: &str) -> Result<(), Refused> {
        // Before anything of it is read: where it is refused, the entry is this one.
        self.entries = self.entries.saturating_add(1);
        let fault = || malformed(":61: is not written as SWIFT has it");
        let currency = self.open.currency.ok_or_else(fault)?;
        let mut lines = value.lines();
        let line = lines.next().unwrap_or_default();
        let (day, rest) = line.split_at_checked(6).ok_or_else(fault)?;
        let value_on = short_date(day)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (booked, rest) = match digits {
            0 => (None, rest),
            4 => rest.split_at_checked(4).map(|(day, rest)| (Some(day), rest)).ok_or_else(fault)?,
            _ => return Err(fault()),
        };
        let booked_on = booked.map_or(Ok(value_on), |day| near(value_on, day))?;
        let marks =
            [("RC", false, true), ("RD", true, true), ("C", true, false), ("D", false, false)];
        let mark = marks.iter().find(|(mark, _, _)| rest.starts_with(mark)).ok_or_else(fault)?;
        let rest = rest.get(mark.0.len()..).unwrap_or_default();
        // The third letter of the currency may stand before the amount.
        let rest = rest.strip_prefix(|c: char| c.is_ascii_uppercase()).unwrap_or(rest);
        let length = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b',').count();
        let (number, rest) = rest.split_at_checked(length).ok_or_else(fault)?;
        let minor = amount(number, currency)?;
        let (kind, rest) = rest.split_at_checked(4).ok_or_else(fault)?;
        if !kind.starts_with(['N', 'F', 'S']) {
            return Err(fault());
        }
        let (customer, bank) =
            rest.split_once("//").map_or((rest, None), |(customer, bank)| (customer, Some(bank)));
        let credit = mark.1;
        let signed = if credit { minor } else { minor.saturating_neg() };
        self.open.sum.add(signed)?;
        self.entry = Some(Entry {
            booked_on: Some(booked_on),
            value_on: Some(value_on),
            minor: signed,
            reversal: mark.2 || kind == "NRTI",
            end_to_end: present(customer),
            bank_reference: bank.and_then(present),
            ..Entry::default()
        });
        if let (Some(entry), Some(more)) = (&mut self.entry, lines.next().and_then(present)) {
            with_fee(entry, currency, [slashed(&more, "/OCMT/"), slashed(&more, "/CHGS/")]);
            entry.remittance = more;
        }
        Ok(())
    }

    /// The closing balance of a page; of the last one the statement.
    fn closing(&mut self, value: &str, intermediate: bool) -> Result<Option<Statement>, Refused> {
        let (on, currency, minor) = balance(value)?;
        let mut open = std::mem::take(&mut self.open);
        if open.currency != Some(currency) {
            let detail = format!("the closing balance is in {currency}, the opening one is not");
            return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("62F"));
        }
        open.sum.check(open.opening, minor, currency)?;
        self.stage = Stage::Closed;
        if let Some(before) = open.before.take() {
            let page = std::mem::replace(&mut open, *before);
            if page.currency != open.currency {
                let detail = "the statement goes on in another currency";
                return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("60M"));
            }
            open.sum.add(page.sum.minor)?;
            // The sum of a page is no entry.
            let entries = open.sum.entries.saturating_sub(1);
            open.sum.entries = entries.saturating_add(page.sum.entries);
        }
        if intermediate {
            self.continued = Some((open, minor));
            return Ok(None);
        }
        self.statements = self.statements.saturating_add(1);
        Ok(Some(Statement {
            id: format!("{}/{}/{on}", open.reference, open.number),
            account: open.account,
            own: open.own,
            sequence: present(&open.number),
            from: open.opened_on,
            to: on,
            currency,
            opening_minor: open.opening,
            closing_minor: minor,
            entries: open.sum.entries,
            pending: 0,
        }))
    }
}

impl Open {
    /// The number of the statement, without that of the page.
    fn number(&self) -> &str {
        self.number.split('/').next().unwrap_or_default()
    }
}

fn incomplete(detail: &str) -> Refused {
    Refused::new(Refusal::IncompleteStatement, detail)
}

/// The tag and value of a line such as `:28C:1/1`.
fn tag(line: &str) -> Option<(&str, &str)> {
    let (tag, value) = line.strip_prefix(':')?.split_once(':')?;
    let fits = (2..=3).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    (fits && (tag == "NS" || tag.starts_with(|c: char| c.is_ascii_digit()))).then_some((tag, value))
}

/// `1!a6!n3!a15d`: credit or debit, day, currency, amount.
fn balance(value: &str) -> Result<(Date, Currency, i64), Refused> {
    let fault = || malformed("a balance is not written as SWIFT has it");
    let value = value.trim_end();
    let (mark, rest) = value.split_at_checked(1).ok_or_else(fault)?;
    let (day, rest) = rest.split_at_checked(6).ok_or_else(fault)?;
    let (currency, number) = rest.split_at_checked(3).ok_or_else(fault)?;
    let currency: Currency = currency.parse()?;
    let minor = amount(number, currency)?;
    match mark {
        "C" => Ok((short_date(day)?, currency, minor)),
        "D" => Ok((short_date(day)?, currency, minor.saturating_neg())),
        _ => Err(fault()),
    }
}

/// Digits with one comma, which stands even where nothing follows.
fn amount(text: &str, currency: Currency) -> Result<i64, Refused> {
    if !text.contains(',') || text.len() > 15 {
        return Err(Refused::new(
            Refusal::MalformedAmount,
            "an amount has a comma and at most 15 characters",
        ));
    }
    let plain = text.strip_suffix(',').unwrap_or(text);
    let minor = parse_amount(plain, currency, NumberForm { decimal: ',', thousands: None })?;
    if in_range(minor) { Ok(minor) } else { Err(too_large()) }
}

/// `YYMMDD`: 80 to 99 are of the last century.
fn short_date(text: &str) -> Result<Date, Refused> {
    let fault = || Refused::new(Refusal::MalformedDate, "a day is written YYMMDD");
    let number: u32 = Some(text)
        .filter(|text| text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(fault)?;
    let parts = [(10_000u32, 100u32), (100, 100), (1, 100)];
    let [year, month, day] = parts
        .map(|(by, of)| number.checked_div(by).and_then(|n| n.checked_rem(of)).unwrap_or_default());
    let century = if year < 80 { 2000 } else { 1900 };
    let year = i32::try_from(year.saturating_add(century)).map_err(|_| fault())?;
    Date::from_ymd(year, month, day)
}

/// A day without its year: the one that is nearest to another day.
fn near(to: Date, text: &str) -> Result<Date, Refused> {
    let whole = to.to_string();
    let year: i32 = whole.get(..4).and_then(|year| year.parse().ok()).unwrap_or(2000);
    let (month, day) = text.split_at_checked(2).unwrap_or((text, ""));
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let years = [year, year.saturating_sub(1), year.saturating_add(1)];
    let days =
        years.iter().filter_map(|year| Date::from_ymd(*year, number(month), number(day)).ok());
    days.min_by_key(|day| day.days_since(to).saturating_abs())
        .ok_or_else(|| Refused::new(Refusal::MalformedDate, "a booking day is written MMDD"))
}

/// Reads what `:86:` says of an entry.
fn describe(value: &str, currency: Option<Currency>, entry: &mut Entry) -> Result<(), Refused> {
    let (code, rest) = value.split_at_checked(3).unwrap_or((value, ""));
    if code.bytes().all(|b| b.is_ascii_digit()) && rest.trim_start().starts_with('?') {
        return german(code, &rest.replace('\n', ""), currency, entry);
    }
    if let Some(currency) = currency {
        let line = value.replace('\n', "");
        with_fee(entry, currency, [slashed(&line, "/OCMT/"), slashed(&line, "/CHGS/")]);
    }
    let first = value.trim_start().strip_prefix('/').and_then(|rest| rest.split('/').next());
    if first.is_some_and(|word| WORDS.contains(&word)) {
        return slashes(&value.replace('\n', ""), entry);
    }
    join(&mut entry.remittance, &value.replace('\n', " "), " ")
}

/// `?20` to `?29` and `?60` to `?63` are the text, `?31` the account, `?32` and `?33` the name.
fn german(
    code: &str,
    rest: &str,
    currency: Option<Currency>,
    entry: &mut Entry,
) -> Result<(), Refused> {
    let (mut text, mut name, mut full) = (String::new(), String::new(), true);
    for field in rest.trim_start().split('?').skip(1) {
        let Some((number, value)) = field.split_at_checked(2) else { continue };
        match number {
            "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" | "60" | "61"
            | "62" | "63" => {
                let begins = PARTS.iter().any(|part| value.starts_with(part));
                join(&mut text, value, if full && !begins { "" } else { " " })?;
                full = value.chars().count() >= FULL_LINE && !value.ends_with(' ');
            }
            "31" => entry.account = account(value),
            "32" | "33" => name.push_str(value),
            _ => {}
        }
    }
    entry.name = present(&name).or(entry.name.take());
    entry.reversal |= charge::RETURNED.contains(&code);
    let mut starts: Vec<(usize, &str)> =
        PARTS.iter().filter_map(|part| text.find(part).map(|at| (at, *part))).collect();
    starts.sort_unstable();
    let head = starts.first().map_or(text.len(), |(at, _)| *at);
    join(&mut entry.remittance, text.get(..head).unwrap_or_default(), " ")?;
    let mut amounts = [None, None];
    for (index, (at, part)) in starts.iter().enumerate() {
        let end = starts.get(index.saturating_add(1)).map_or(text.len(), |(at, _)| *at);
        let value = text.get(at.saturating_add(part.len())..end).unwrap_or_default();
        match *part {
            "EREF+" => entry.end_to_end = present(value).or(entry.end_to_end.take()),
            "SVWZ+" => join(&mut entry.remittance, value, " ")?,
            "ABWA+" => entry.ultimate = present(value),
            "OAMT+" => amounts[0] = Some(value),
            "COAM+" => amounts[1] = Some(value),
            "IBAN+" if entry.account.is_none() => entry.account = account(value),
            _ => {}
        }
    }
    if let Some(currency) = currency {
        with_fee(entry, currency, amounts);
    }
    Ok(())
}

/// The value of a word between slashes, such as `/OCMT/EUR150,00/`.
fn slashed<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.split_once(word)?.1.split('/').next()
}

/// Notes what was instructed, by what is said of it and of the bank's fee. An amount in another currency, or one that is
/// written otherwise, says nothing.
fn with_fee(entry: &mut Entry, currency: Currency, said: [Option<&str>; 2]) {
    let [instructed, fee] = said.map(|text| {
        let text = text?.trim();
        let own = text.strip_prefix(currency.as_str()).unwrap_or(text).trim();
        let with_comma = if own.contains(',') { own.to_string() } else { format!("{own},") };
        amount(&with_comma, currency).ok()
    });
    let booked = entry.minor.saturating_abs();
    let found = charge::instructed(booked, entry.minor > 0, &[instructed], fee);
    if let Some(minor) = found {
        entry.instructed_minor = Some(if entry.minor > 0 { minor } else { minor.saturating_neg() });
    }
}

/// `/WORD/value` one after the other; a value may have slashes itself.
fn slashes(text: &str, entry: &mut Entry) -> Result<(), Refused> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for piece in text.trim_start().split('/').skip(1) {
        match fields.last_mut() {
            _ if WORDS.contains(&piece.trim()) => fields.push((piece.trim(), String::new())),
            Some((_, value)) => {
                value.push_str(piece);
                value.push('/');
            }
            None => {}
        }
    }
    for (word, value) in &fields {
        let value = value.trim_matches('/').trim();
        match *word {
            "NAME" | "ORDP" | "BENM" | "ORD" if !value.is_empty() => entry.name = present(value),
            "IBAN" => entry.account = account(value),
            "EREF" => entry.end_to_end = present(value).or(entry.end_to_end.take()),
            "RTRN" => entry.reversal = true,
            "ULTD" if entry.minor > 0 => {
                let name = value.split("NAME/").nth(1).unwrap_or(value);
                entry.ultimate = present(name.trim_matches('/'));
            }
            // ING: account, bank, name.
            "CNTP" => {
                let mut parts = value.split('/');
                entry.account = parts.next().and_then(account);
                entry.name = parts.nth(1).and_then(present);
            }
            "REMI" => {
                let structured = ["STRD/CUR/", "STRD/ISO/", "STRD/"];
                let of = structured.iter().find_map(|form| value.strip_prefix(form));
                if let Some(reference) = of {
                    entry.references.extend(present(reference.trim_matches('/')));
                } else {
                    join(
                        &mut entry.remittance,
                        value.trim_start_matches("USTD").trim_matches('/'),
                        " ",
                    )?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
