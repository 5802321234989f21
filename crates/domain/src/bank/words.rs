//! Numbers of documents, as they are written and as payers write them.
//!
//! A number is compared in capitals, by its ASCII letters and digits alone, without zeros that begin a row of digits
//! after a letter or at the start: `re 2026/0012` is `RE20260012`, `INV-0012` is `INV12`. What a payer wrote is cut
//! into rows of letters and of digits, and neighbours are put together again, so that spaces and marks inside a
//! number do not matter.
//!
//! A payer who writes `2026-10-12` or `10/2026` means a day or a month. What is read so names a document only where it
//! is the document's number to the letter, with its marks: [`Clues::dated`].

use super::{Entry, name::Name, reference};
use std::borrow::Cow;

/// The most documents that one entry names: a text of 140 characters has room for about twenty.
pub const MOST_NAMED: usize = 50;

/// The fewest characters of a number that is looked for in a text: shorter ones are found in every date.
const FEWEST: usize = 4;

/// The most characters of a number that is looked for.
const MOST: usize = 40;

/// From so many digits on, a part of a number is worth something.
pub const TELLING_DIGITS: usize = 5;

/// The most numbers that are looked for in one text.
const MOST_TRIED: usize = 64;

/// Rows of letters and digits that one number has: `RE-2026-10-0012-A` has five.
const MOST_ROWS: usize = 6;

/// Letters before or in a number: longer rows are words.
const MOST_LETTERS: usize = 6;

/// The number as it is compared. Empty when it has no letters and digits.
pub fn number(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(char::is_ascii_alphanumeric) {
        push(&mut out, c.to_ascii_uppercase());
    }
    out
}

/// A text with full-width letters, digits, marks and spaces, as banks and payers in East Asia write them, in their plain forms.
fn plain(text: &str) -> Cow<'_, str> {
    // The first bytes of these characters in UTF-8.
    if !text.bytes().any(|b| matches!(b, 0xE3 | 0xEF)) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| match c {
        '\u{3000}' => ' ',
        '！'..='～' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
        c => c,
    };
    Cow::Owned(text.chars().map(plain).collect())
}

/// How a number looks: its letters, and `0` for each digit.
pub fn mask(number: &str) -> String {
    number.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// Whether one number is the other but for one digit, or for two neighbours that changed places.
pub(super) fn nearly(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let digit = |of: &[u8], at: usize| of.get(at).is_some_and(u8::is_ascii_digit);
    let differing = |at: &usize| one.get(*at) != other.get(*at);
    let mut wrong = (0..one.len()).filter(differing);
    let found = (wrong.next(), wrong.next(), wrong.next());
    if one.len() != other.len() || found.0.is_none_or(|at| !digit(one, at) || !digit(other, at)) {
        return false;
    }
    match found {
        (Some(_), None, _) => true,
        (Some(at), Some(next), None) => {
            next == at.saturating_add(1)
                && one.get(at) == other.get(next)
                && one.get(next) == other.get(at)
        }
        _ => false,
    }
}

/// What is asked about the mask of a number, which is not kept.
pub fn masked<T>(number: &str, ask: impl FnOnce(&str) -> T) -> T {
    let mut short = [0u8; MOST];
    let Some(place) = short.get_mut(..number.len()).filter(|_| number.is_ascii()) else {
        return ask(&mask(number));
    };
    for (to, from) in place.iter_mut().zip(number.bytes()) {
        *to = if from.is_ascii_digit() { b'0' } else { from };
    }
    ask(std::str::from_utf8(place).unwrap_or_default())
}

/// Adds a character to a number; a zero that begins a row of digits is left out.
fn push(out: &mut String, c: char) {
    let in_row = out.as_bytes().last().is_some_and(u8::is_ascii_digit);
    if c != '0' || in_row {
        out.push(c);
    }
}

/// What a document is found by: its whole number, and the parts of it that payers write instead.
pub fn of_document(id: &str) -> (String, Vec<String>) {
    let whole = number(id);
    let rows: Vec<&str> =
        id.split(|c: char| !c.is_ascii_digit()).filter(|row| !row.is_empty()).collect();
    let mut parts = vec![number(&rows.concat())];
    parts.extend(rows.last().map(|row| number(row)));
    parts.dedup();
    parts.retain(|part| part.len() >= FEWEST && *part != whole);
    (whole, parts)
}

/// What an entry may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clues {
    /// Numbers out of references with check digits or in fields of their own.
    pub structured: Vec<String>,
    /// Numbers that may stand in the text.
    pub numbers: Vec<String>,
    /// Numbers that read as a date, each with what is written: only a document that is called so is meant.
    pub dated: Vec<(String, String)>,
    /// What QR references end with, the longest first: issuers put their bank's number and the customer's before the
    /// document's.
    pub endings: Vec<String>,
    /// Something is written like a reference with check digits, and they are wrong.
    pub wrong: bool,
    /// The payer's name.
    pub name: Option<Name>,
    /// The name of the one for whom it pays.
    pub ultimate: Option<Name>,
}

impl Clues {
    /// The names that may be the customer's.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.name.iter().chain(&self.ultimate)
    }
}

/// What this entry may name. Of the numbers that its text may be read as, those that a document may have.
pub fn clues(entry: &Entry, fits: impl Fn(&str) -> bool) -> Clues {
    let mut structured = Vec::new();
    let mut dated = Vec::new();
    let references: Vec<Cow<'_, str>> = entry.references.iter().map(|text| plain(text)).collect();
    for text in &references {
        structured.extend(reference::creditor(text).map(|body| number(&body)));
        structured.extend(reference::qr(text));
        if is_date(text) {
            dated.push((number(text), text.to_string()));
        } else {
            structured.push(number(text));
        }
    }
    let text = match &entry.end_to_end {
        Some(id) => Cow::Owned([entry.remittance.as_str(), " ; ", id].concat()),
        None => Cow::Borrowed(entry.remittance.as_str()),
    };
    let text = plain(&text);
    let rows = rows(&text);
    structured.extend(creditor_in(&rows));
    structured.extend(qr_in(&rows));
    structured.retain(|text| text.len() >= FEWEST);
    structured.sort_unstable();
    structured.dedup();
    let of_qr = references.iter().filter_map(|text| reference::qr(text)).chain(qr_in(&rows));
    let mut endings: Vec<String> = of_qr.flat_map(|body| endings(&body)).collect();
    endings.retain(|text| fits(text));
    let wrong = references.iter().any(|text| reference::wrong(text)) || wrong_in(&rows);
    let named = |name: &Option<String>| {
        name.as_deref().map(Name::new).filter(|name| !name.key().is_empty())
    };
    let (name, ultimate) = (named(&entry.name), named(&entry.ultimate));
    let (numbers, in_text) = numbers(&text, &rows, fits);
    dated.extend(in_text);
    Clues { structured, numbers, dated, endings, wrong, name, ultimate }
}

/// The ends of a row of digits that may be a number, the longest first. A short one counts where zeros fill its field.
fn endings(body: &str) -> Vec<String> {
    let ends = (1..body.len()).filter_map(|from| body.get(from..));
    let told = |end: &&str| {
        let least = if end.starts_with('0') { FEWEST } else { TELLING_DIGITS };
        end.trim_start_matches('0').len() >= least
    };
    let mut found: Vec<String> = ends.filter(told).map(number).collect();
    found.dedup();
    found
}

/// Letters or digits in a row, where they begin, and whether white space or a mark stands before them.
struct Row<'a> {
    text: &'a str,
    from: usize,
    digits: bool,
    apart: bool,
    /// What stands between them and the row before.
    between: &'a str,
}

impl Row<'_> {
    /// The number that the digits are, where they are at most so many.
    fn count(&self, digits: usize) -> Option<u32> {
        self.text.parse().ok().filter(|_| self.digits && self.text.len() <= digits)
    }

    fn day(&self) -> bool {
        self.count(2).is_some_and(|day| (1..=31).contains(&day))
    }

    fn month(&self) -> bool {
        self.count(2).is_some_and(|month| (1..=12).contains(&month))
    }

    /// A year of four digits.
    fn year(&self) -> bool {
        self.count(4).is_some_and(|year| (1900..2100).contains(&year))
    }

    /// A year of two digits.
    fn short_year(&self) -> bool {
        self.digits && self.text.len() == 2
    }
}

/// Digits that read as a date, a month or a day together.
struct Dated {
    from: usize,
    to: usize,
    /// Marks stand between all of them, so that they are one thing.
    tight: bool,
}

/// Whatever in the rows reads as a date: day, month and year in any order that is written, month and year, and, with a
/// mark between them, day and month.
fn dates(rows: &[Row<'_>]) -> Vec<Dated> {
    let mut found = Vec::new();
    for from in 0..rows.len() {
        for to in [from.saturating_add(2), from.saturating_add(3)] {
            let Some(of) = rows.get(from..to) else { continue };
            // White space alone leaves the parts apart.
            let tight = of.iter().skip(1).all(|row| !row.between.trim().is_empty());
            if is_dated(of, tight) && !goes_on(rows, from, to) {
                found.push(Dated { from, to, tight });
            }
        }
    }
    found
}

fn is_dated(of: &[Row<'_>], tight: bool) -> bool {
    match of {
        [a, b] => {
            let month = a.month() && b.year() || a.year() && b.month();
            let short = a.day() && b.month() || a.month() && (b.day() || b.short_year());
            month || short && tight
        }
        [a, b, c] => {
            let ends = c.year() || c.short_year();
            let begins = a.year() || a.short_year();
            let day = a.day() && b.month() || a.month() && b.day();
            ends && day || begins && b.month() && c.day()
        }
        _ => false,
    }
}

/// Whether more digits stand before or behind, with the same mark: what the first parts of `2026-10-0012` read as is no
/// date.
fn goes_on(rows: &[Row<'_>], from: usize, to: usize) -> bool {
    let mark = rows.get(from.saturating_add(1)).map(|row| row.between);
    let binds = |at: usize| {
        rows.get(at).is_some_and(|row| row.digits && !row.apart && Some(row.between) == mark)
    };
    let before = from.checked_sub(1).and_then(|at| rows.get(at)).is_some_and(|row| row.digits);
    before && binds(from) || binds(to)
}

/// Whether a text is a date and nothing else, with something between its parts.
fn is_date(text: &str) -> bool {
    let rows = rows(text);
    dates(&rows).iter().any(|of| of.from == 0 && of.to == rows.len())
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let (mut apart, mut between) = (true, "");
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let class = |b: u8| (b.is_ascii_digit(), b.is_ascii_alphabetic());
        // Bytes of other letters are neither, the first of them like the last.
        let of = rest.bytes().next().map(class);
        let length = rest.bytes().position(|b| Some(class(b)) != of).unwrap_or(rest.len());
        let (row, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if first.is_ascii_alphanumeric() {
            let (from, digits) = (text.len().saturating_sub(rest.len()), first.is_ascii_digit());
            rows.push(Row { text: row, from, digits, apart, between });
            (apart, between) = (false, "");
        } else {
            // Marks inside a number bind: `2026/12`, `INV-7`, `INV_7`.
            apart = !(row.chars().count() == 1 && row.contains(['-', '/', '.', '_']));
            between = row;
        }
        rest = after;
    }
    rows
}

/// Every number that the rows may be read as; and those that read as a date, with what is written.
fn numbers(
    written: &str,
    rows: &[Row<'_>],
    fits: impl Fn(&str) -> bool,
) -> (Vec<String>, Vec<(String, String)>) {
    let (mut found, mut dated): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    let dates = dates(rows);
    let (mut tried, mut text) = (0usize, String::new());
    for start in 0..rows.len() {
        text.clear();
        let mut gaps = 0u32;
        // The first row of digits and the last.
        let mut digits: Option<(usize, usize)> = None;
        for (at, row) in rows.iter().enumerate().skip(start).take(MOST_ROWS) {
            gaps = gaps.saturating_add(u32::from(at > start && row.apart));
            let word = !row.digits && row.text.len() > MOST_LETTERS;
            // Letters that stand apart after digits begin something else, but for one: `INV 1001 A`.
            let other = digits.is_some() && !row.digits && row.apart && row.text.len() > 1;
            if gaps > 2 || word || other || text.len().saturating_add(row.text.len()) > MOST {
                break;
            }
            row.text.bytes().for_each(|b| push(&mut text, b.to_ascii_uppercase().into()));
            if row.digits {
                digits = Some((digits.map_or(at, |(first, _)| first), at));
            }
            let Some((first, last)) = digits.filter(|_| text.len() >= FEWEST) else { continue };
            tried = tried.saturating_add(1);
            if !fits(&text) {
                continue;
            }
            // A date, a part of one, or one with something beside it that is none of it.
            let of_date = |of: &Dated| {
                let inside = of.from <= first && last < of.to;
                inside || of.tight && first < of.to && of.from <= last
            };
            if first < last && dates.iter().any(of_date) {
                let to = row.from.saturating_add(row.text.len());
                let from = rows.get(start).map_or(to, |row| row.from);
                dated.extend(written.get(from..to).map(|said| (text.clone(), said.to_string())));
            } else {
                found.push(text.clone());
            }
        }
        if tried >= MOST_TRIED {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    (found, dated)
}

/// Creditor references in the text, with or without spaces.
fn creditor_in(rows: &[Row<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for start in 0..rows.len() {
        if !rows.get(start).is_some_and(|row| row.text.eq_ignore_ascii_case("RF")) {
            continue;
        }
        let mut text = String::new();
        let mut best = None;
        for row in rows.iter().skip(start) {
            text.push_str(row.text);
            if text.len() > 25 {
                break;
            }
            best = reference::creditor(&text).or(best);
        }
        found.extend(best.map(|body| number(&body)));
    }
    found
}

/// Whether a creditor or QR reference stands in the text, written as one, of which the check digits are wrong.
fn wrong_in(rows: &[Row<'_>]) -> bool {
    let creditor = |at: usize| {
        let mark = rows.get(at).is_some_and(|row| row.text.eq_ignore_ascii_case("RF"));
        let digits = rows.get(at.saturating_add(1)).filter(|row| row.digits && !row.apart);
        mark && digits.is_some_and(|row| row.text.len() == 2 || row.text.len() >= FEWEST + 2)
    };
    let marks = (0..rows.len()).filter(|at| creditor(*at)).count();
    let like_qr = |row: &&Row<'_>| row.digits && row.text.len() == reference::QR_LENGTH;
    marks > 0 && marks > creditor_in(rows).len()
        || rows.iter().filter(like_qr).any(|row| reference::wrong(row.text))
}

/// QR references in the text, with or without spaces.
fn qr_in(rows: &[Row<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for start in 0..rows.len() {
        let mut text = String::new();
        for row in rows.iter().skip(start).take_while(|row| row.digits) {
            text.push_str(row.text);
            if text.len() >= reference::QR_LENGTH {
                break;
            }
        }
        if text.len() == reference::QR_LENGTH {
            found.extend(reference::qr(&text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_compared_without_marks_case_and_leading_zeros() {
        for (text, wanted) in [
            ("INV-0012", "INV12"),
            ("inv 0012", "INV12"),
            ("RE 2026/0012", "RE20260012"),
            ("re-2026-0012", "RE20260012"),
            ("000123", "123"),
            ("发票-100", "100"),
            ("--", ""),
        ] {
            assert_eq!(number(text), wanted, "{text}");
        }
        assert_eq!(of_document("INV-2026-004711").1, ["2026004711", "4711"]);
        assert_eq!(of_document("4711"), ("4711".into(), vec![]));
    }

    #[test]
    fn a_digit_that_is_wrong_is_near_and_two_are_not() {
        for (one, other, wanted) in [
            ("INV1234", "INV1235", true),
            ("INV1234", "INV1243", true),
            ("INV1234", "INV2134", true),
            ("INV1234", "INV1234", false),
            ("INV1234", "INV1432", false),
            ("INV1234", "INV1255", false),
            ("INV1234", "INW1234", false),
            ("INV1234", "INV12345", false),
            ("", "", false),
        ] {
            assert_eq!(nearly(one, other), wanted, "{one} {other}");
        }
    }

    #[test]
    fn numbers_are_found_as_payers_write_them() {
        for (id, text) in [
            ("INV-1001", "Rechnung INV-1001 vom 12.10.2026"),
            ("INV-1001", "rg.nr. inv 1001"),
            ("INV-1001", "RECHNUNG/INV1001/DANKE"),
            ("INV-1001", "发票INV-1001货款"),
            ("RE-2026-0012", "RE 2026 0012, RE 2026 0013"),
            ("RE-2026-0013", "RE 2026 0012, RE 2026 0013"),
            ("2026/00815", "Betaling factuur 2026-00815"),
            ("100234", "Kd 77 Rg 00100234"),
            ("INV-100234A", "INV 100234 A"),
            ("XS-20262002", "ＸＳ－２０２６２００２"),
            ("XS-20262002", "货款　ｘｓ２０２６　２００２。"),
            ("XS-20262002", "付XS-２０２６２００２号"),
        ] {
            let entry = Entry { remittance: text.into(), ..Entry::default() };
            assert!(clues(&entry, |_| true).numbers.contains(&number(id)), "{id} in {text}");
        }
    }

    #[test]
    fn a_date_names_no_document_but_one_that_is_called_so() {
        for (text, id) in [
            ("Rechnung 20260555 vom 2026-11-01", "20261101"),
            ("Miete 10/2026", "102026"),
            ("Miete 10 2026", "102026"),
            ("Miete 2026/10", "202610"),
            ("Anzahlung 2026-10-10", "20261010"),
            ("Anzahlung 2026-10-10", "1010"),
            ("Anzahlung 2026-10-10", "202610"),
            ("Akontozahlung 10.10.2026", "10102026"),
            ("Akontozahlung 10. 10. 2026", "10102026"),
            ("Re 2026-10-12", "RE20261012"),
            ("Re 15.09.", "RE1509"),
            ("Zahlung vom 01.10.2026", "102026"),
            ("Zahlung vom 01.10.26", "11026"),
            ("Kd 77 01.10.2026", "77110"),
            ("Kd 4711/10.2026", "102026"),
            ("2026年10月12日", "20261012"),
            ("2026年10月货款", "202610"),
            ("２０２６年１０月货款", "202610"),
            ("货款２０２６／１０", "202610"),
            ("MIETE 10/26", "1026"),
            ("paid 10/31/2026", "10312026"),
        ] {
            let entry = Entry { remittance: text.into(), ..Entry::default() };
            let found = clues(&entry, |_| true);
            assert!(!found.numbers.contains(&number(id)), "{id} in {text}");
        }
        for (text, id) in [
            ("Rechnung 20260555 vom 2026-11-01", "20260555"),
            ("Rechnung 20261101", "20261101"),
            ("Rechnung 102026", "102026"),
            ("RE 2026-10-0012", "RE-2026-10-0012"),
            ("2026 10 0012", "2026-10-0012"),
            ("RE 2026-10-12-0007", "RE-2026-10-12-0007"),
            ("2026/0012", "2026-0012"),
            ("2026/1207", "2026/1207"),
            ("Kd 4711/10.2026", "4711"),
            ("100234 01.10.2026", "100234"),
        ] {
            let entry = Entry { remittance: text.into(), ..Entry::default() };
            let found = clues(&entry, |_| true);
            assert!(found.numbers.contains(&number(id)), "{id} in {text}");
        }
        let entry = Entry {
            remittance: "Re-2026-10-12".into(),
            references: vec!["10/2026".into()],
            ..Entry::default()
        };
        let found = clues(&entry, |text| text.starts_with("RE2026101"));
        let dated = |number: &str, written: &str| (number.to_string(), written.to_string());
        assert_eq!(found.dated, [dated("102026", "10/2026"), dated("RE20261012", "Re-2026-10-12")]);
        assert_eq!((found.structured, found.numbers), (vec![], vec![]));
    }

    #[test]
    fn references_are_found_in_a_text() {
        let text = "Zahlung RF18 5390 0754 7034 vielen Dank, 21 00000 00003 13947 14300 09017";
        let entry = Entry { remittance: text.into(), ..Entry::default() };
        let found = clues(&entry, |_| true).structured;
        assert!(found.contains(&"539007547034".into()), "{found:?}");
        assert!(found.contains(&"21000000000313947143000901".into()), "{found:?}");
        let of = |text: &str| {
            let references = vec![text.into()];
            clues(&Entry { references, ..Entry::default() }, |_| true)
        };
        let (right, wrong) =
            ("ＲＦ１８５３９００７５４７０３４", "ＲＦ１９５３９００７５４７０３４");
        assert!(of(right).structured.contains(&"539007547034".into()));
        assert_eq!((of(right).wrong, of(wrong).wrong), (false, true));
        assert!(of("ＸＳ－２０２６２００２").structured.contains(&"XS20262002".into()));
    }

    proptest! {
        #[test]
        fn a_number_is_found_whatever_stands_around_it(before in "[A-Z]{7,12}", id in "[A-Z]{2,4}-[1-9][0-9]{3,8}", after in "[a-z]{7,9}") {
            let remittance = format!("{before} {id}, {after}");
            let entry = Entry { remittance, ..Entry::default() };
            prop_assert!(clues(&entry, |_| true).numbers.contains(&number(&id)));
        }

        #[test]
        fn any_text_is_read_in_bounds(text in "\\PC{0,400}") {
            let entry = Entry { remittance: text, ..Entry::default() };
            prop_assert!(clues(&entry, |_| true).numbers.len() <= MOST_TRIED + MOST_ROWS);
        }
    }
}
