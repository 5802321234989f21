//! ISO 20022 bank-to-customer statements, `camt.053.001.02` to `.13`.
//!
//! Read are booked entries with their transactions, the booked balances (opening or previous closing, closing; on
//! pages in between the interim ones) and the account. An entry with several transactions becomes as many entries when
//! their amounts sum to its own, else it stays one. Entries that are pending or for information are counted and left
//! out. The many elements besides these are allowed and not looked at.

use super::{
    Entry, MAX_BATCH, Piece, Statement, Sum, account, charge, join, malformed, own, present,
    xml::{self, Listener, Place},
};
use crate::{
    Currency, Date, Refusal, Refused,
    money::{NumberForm, parse_amount},
};

/// The name space of the message without its version.
const MESSAGE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";

/// The versions that were published.
const VERSIONS: std::ops::RangeInclusive<u8> = 2..=13;

/// Where a message, a statement, its balances, its entries and their transactions stand.
const DOCUMENT: Place = Place::of("Document");
const STATEMENT: Place = DOCUMENT.then("/BkToCstmrStmt/Stmt");
const BALANCE: Place = STATEMENT.then("/Bal");
const ENTRY: Place = STATEMENT.then("/Ntry");
const PART: Place = ENTRY.then("/NtryDtls/TxDtls");

/// Whether a place is one of these, by their paths below another.
macro_rules! is {
    ($place:expr, $around:ident, $($path:literal)|+) => {
        $($place == const { $around.then($path) })||+
    };
}

/// Reads a file.
#[derive(Debug, Default)]
pub struct Reader {
    xml: xml::Reader,
    message: Message,
}

impl Reader {
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Piece>) -> Result<(), Refused> {
        let read = self.xml.feed(bytes, &mut self.message);
        out.append(&mut self.message.out);
        read
    }

    pub(super) fn finish(&self) -> Result<(), Refused> {
        self.xml.finish()?;
        if self.message.statements == 0 {
            return Err(malformed("the file has no statement"));
        }
        Ok(())
    }

    pub(super) fn entry(&self) -> u64 {
        self.message.entries
    }
}

#[derive(Debug, Default)]
struct Message {
    out: Vec<Piece>,
    /// The root is that of a message of this kind, and names its version.
    rooted: bool,
    named: bool,
    statements: u64,
    entries: u64,
    open: Open,
    entry: Booking,
    part: Part,
    parts: Vec<Part>,
    balance: Balance,
    /// The currency of the amount that has just begun. One that is not known matters only where the amount does.
    currency: Option<Result<Currency, Refused>>,
}

/// A statement that is being read.
#[derive(Debug, Default)]
struct Open {
    id: Option<String>,
    page: Option<String>,
    last_page: bool,
    sequence: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
    account: Option<String>,
    own: Option<String>,
    currency: Option<Currency>,
    opening: Option<Balance>,
    /// The closing balance of the day before, which a statement may have beside its opening one.
    previous: Option<Balance>,
    closing: Option<Balance>,
    /// The interim balances of a page: the first and the last one.
    interim: Option<(Balance, Balance)>,
    sum: Sum,
    pending: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Balance {
    kind: Option<Kind>,
    minor: Option<i64>,
    credit: Option<bool>,
    on: Option<Date>,
}

/// The balances that count what is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Opening,
    Previous,
    Closing,
    Interim,
}

impl Balance {
    fn signed(&self) -> Result<i64, Refused> {
        let missing = |what: &str| {
            Refused::new(Refusal::MissingField, format!("a balance has no {what}")).at("Bal")
        };
        let minor = self.minor.ok_or_else(|| missing("amount"))?;
        let credit = self.credit.ok_or_else(|| missing("CdtDbtInd"))?;
        Ok(if credit { minor } else { minor.saturating_neg() })
    }
}

/// An entry that is being read.
#[derive(Debug, Default)]
struct Booking {
    minor: Option<i64>,
    credit: Option<bool>,
    reversal: bool,
    status: Option<bool>,
    booked_on: Option<Date>,
    value_on: Option<Date>,
    bank_reference: Option<String>,
    information: String,
    amounts: Amounts,
}

/// What is said of amounts beside the one that was booked, in the currency of the account.
#[derive(Debug, Default)]
struct Amounts {
    instructed: Option<i64>,
    transaction: Option<i64>,
    /// The fees one by one, and their sum where the bank gives it.
    charges: Option<i64>,
    all_charges: Option<i64>,
}

impl Amounts {
    fn fee(&self) -> Option<i64> {
        self.all_charges.or(self.charges)
    }
}

/// A transaction of an entry.
#[derive(Debug, Default)]
struct Part {
    minor: Option<i64>,
    credit: Option<bool>,
    returned: bool,
    references: Vec<String>,
    end_to_end: Option<String>,
    bank_reference: Option<String>,
    remittance: String,
    /// What the bank says where the payer says nothing.
    information: String,
    amounts: Amounts,
    debtor: Other,
    creditor: Other,
    ultimate_debtor: Option<String>,
    ultimate_creditor: Option<String>,
}

#[derive(Debug, Default)]
struct Other {
    name: Option<String>,
    account: Option<String>,
}

impl Listener for Message {
    fn open(&mut self, place: Place) -> Result<(), Refused> {
        match place {
            DOCUMENT => self.rooted = true,
            _ if !self.rooted => return Err(malformed("the file is no camt.053 document")),
            _ if !self.named => {
                return Err(malformed(format!("the document does not name {MESSAGE}02 or later")));
            }
            STATEMENT => self.open = Open { last_page: true, ..Open::default() },
            BALANCE => self.balance = Balance::default(),
            ENTRY => {
                (self.entry, self.parts) = (Booking::default(), Vec::new());
                self.entries = self.entries.saturating_add(1);
            }
            PART => self.part = Part::default(),
            _ => {}
        }
        self.currency = None;
        Ok(())
    }

    fn attribute(&mut self, place: Place, name: &str, value: &str) -> Result<(), Refused> {
        if name == "Ccy" {
            self.currency = Some(value.parse::<Currency>().map_err(|r| r.at("Ccy")));
        } else if place == DOCUMENT && (name == "xmlns" || name.starts_with("xmlns:")) {
            match value.strip_prefix(MESSAGE) {
                Some(version) => {
                    let known =
                        version.len() == 2 && version.parse().is_ok_and(|v| VERSIONS.contains(&v));
                    if !known {
                        let shown: String = version.chars().take(10).collect();
                        return Err(malformed(format!("camt.053.001.{shown} is not known")));
                    }
                    self.named = true;
                }
                None if value.contains(":iso:20022:tech:xsd:") => {
                    let shown: String = value.chars().take(80).collect();
                    return Err(malformed(format!("the document is {shown}, not a camt.053")));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn close(&mut self, place: Place, text: &str) -> Result<(), Refused> {
        // Where a path leads from is not asked: what is most is looked for first.
        self.of_part(place, text)
    }
}

impl Message {
    fn of_statement(&mut self, place: Place, text: &str) -> Result<(), Refused> {
        let open = &mut self.open;
        match place {
            STATEMENT => return self.end(),
            _ if is!(place, STATEMENT, "/Id") => once(&mut open.id, present(text), "Id")?,
            _ if is!(place, STATEMENT, "/StmtPgntn/PgNb") => open.page = present(text),
            _ if is!(place, STATEMENT, "/StmtPgntn/LastPgInd") => open.last_page = flag(text)?,
            _ if is!(place, STATEMENT, "/ElctrncSeqNb") => open.sequence = present(text),
            _ if is!(place, STATEMENT, "/LglSeqNb") && open.sequence.is_none() => {
                open.sequence = present(text)
            }
            _ if is!(place, STATEMENT, "/FrToDt/FrDtTm") => open.from = Some(day(text)?),
            _ if is!(place, STATEMENT, "/FrToDt/ToDtTm") => open.to = Some(day(text)?),
            _ if is!(place, STATEMENT, "/Acct/Id/IBAN" | "/Acct/Id/Othr/Id") => {
                once(&mut open.account, account(text), "Acct")?;
                open.own = own::own(text);
            }
            _ if is!(place, STATEMENT, "/Acct/Ccy") => {
                let currency = text.trim().parse::<Currency>().map_err(|r| r.at("Ccy"))?;
                once(&mut open.currency, Some(currency), "Ccy")?;
            }
            _ => {}
        }
        Ok(())
    }

    fn of_balance(&mut self, place: Place, text: &str) -> Result<(), Refused> {
        match place {
            _ if is!(place, BALANCE, "/Tp/CdOrPrtry/Cd") => {
                self.balance.kind = match text.trim() {
                    "OPBD" => Some(Kind::Opening),
                    "PRCD" => Some(Kind::Previous),
                    "CLBD" => Some(Kind::Closing),
                    "ITBD" => Some(Kind::Interim),
                    _ => None,
                };
            }
            _ if is!(place, BALANCE, "/Amt") => {
                let minor = self.amount(text)?;
                once(&mut self.balance.minor, Some(minor), "Amt")?;
            }
            _ if is!(place, BALANCE, "/CdtDbtInd") => {
                once(&mut self.balance.credit, Some(credit(text)?), "CdtDbtInd")?
            }
            _ if is!(place, BALANCE, "/Dt/Dt" | "/Dt/DtTm") => self.balance.on = Some(day(text)?),
            BALANCE => {
                let (balance, open) = (self.balance, &mut self.open);
                match balance.kind {
                    Some(Kind::Opening) => once(&mut open.opening, Some(balance), "OPBD")?,
                    Some(Kind::Previous) => once(&mut open.previous, Some(balance), "PRCD")?,
                    Some(Kind::Closing) => once(&mut open.closing, Some(balance), "CLBD")?,
                    Some(Kind::Interim) => {
                        let first = open.interim.map_or(balance, |(first, _)| first);
                        open.interim = Some((first, balance));
                    }
                    None => {}
                }
            }
            _ => return self.of_statement(place, text),
        }
        Ok(())
    }

    fn of_entry(&mut self, place: Place, text: &str) -> Result<(), Refused> {
        match place {
            ENTRY => return self.book(),
            _ if is!(place, ENTRY, "/Amt") => {
                let minor = self.amount(text)?;
                once(&mut self.entry.minor, Some(minor), "Amt")?;
            }
            _ if is!(place, ENTRY, "/CdtDbtInd") => {
                once(&mut self.entry.credit, Some(credit(text)?), "CdtDbtInd")?
            }
            _ if is!(place, ENTRY, "/RvslInd") => self.entry.reversal |= flag(text)?,
            // The status is a text in the first versions and a code in the later ones.
            _ if (is!(place, ENTRY, "/Sts" | "/Sts/Cd")) && !text.trim().is_empty() => {
                let booked = match text.trim() {
                    "BOOK" => true,
                    "PDNG" | "INFO" | "FUTR" => false,
                    _ => {
                        let detail = "the status of an entry is BOOK, PDNG, INFO or FUTR";
                        return Err(malformed(detail).at("Sts"));
                    }
                };
                once(&mut self.entry.status, Some(booked), "Sts")?;
            }
            _ if is!(place, ENTRY, "/BookgDt/Dt" | "/BookgDt/DtTm") => {
                self.entry.booked_on = Some(day(text)?)
            }
            _ if is!(place, ENTRY, "/ValDt/Dt" | "/ValDt/DtTm") => {
                self.entry.value_on = Some(day(text)?)
            }
            _ if is!(place, ENTRY, "/BkTxCd/Domn/Fmly/SubFmlyCd") => {
                self.entry.reversal |= charge::is_return(text)
            }
            _ if is!(place, ENTRY, "/BkTxCd/Prtry/Cd") => {
                self.entry.reversal |= charge::is_own_return(text)
            }
            _ if is!(place, ENTRY, "/AmtDtls/InstdAmt/Amt") => {
                self.entry.amounts.instructed = self.of_account(text)?
            }
            _ if is!(place, ENTRY, "/AmtDtls/TxAmt/Amt") => {
                self.entry.amounts.transaction = self.of_account(text)?
            }
            _ if is!(place, ENTRY, "/Chrgs/Amt" | "/Chrgs/Rcrd/Amt") => {
                let charge = self.of_account(text)?;
                add(&mut self.entry.amounts.charges, charge);
            }
            _ if is!(place, ENTRY, "/Chrgs/TtlChrgsAndTaxAmt") => {
                self.entry.amounts.all_charges = self.of_account(text)?
            }
            _ if is!(place, ENTRY, "/AcctSvcrRef") => self.entry.bank_reference = present(text),
            _ if is!(place, ENTRY, "/AddtlNtryInf") => {
                join(&mut self.entry.information, text, " ")?
            }
            _ => return self.of_balance(place, text),
        }
        Ok(())
    }

    fn of_part(&mut self, place: Place, text: &str) -> Result<(), Refused> {
        match place {
            PART => {
                if self.parts.len() >= MAX_BATCH {
                    let detail = format!("an entry has more than {MAX_BATCH} transactions");
                    return Err(Refused::new(Refusal::TextTooLong, detail));
                }
                self.parts.push(std::mem::take(&mut self.part));
            }
            // In the first versions the amount of the transaction stands one deeper. One in another currency is what
            // was instructed, not what was booked.
            _ if is!(place, PART, "/Amt" | "/AmtDtls/TxAmt/Amt") => {
                let minor = self.of_account(text)?;
                if is!(place, PART, "/AmtDtls/TxAmt/Amt") {
                    self.part.amounts.transaction = minor;
                }
                self.part.minor = self.part.minor.or(minor);
            }
            _ if is!(place, PART, "/CdtDbtInd") => self.part.credit = Some(credit(text)?),
            _ if is!(place, PART, "/RtrInf" | "/RtrInf/Rsn/Cd" | "/RtrInf/Rsn/Prtry") => {
                self.part.returned = true
            }
            _ if is!(place, PART, "/BkTxCd/Domn/Fmly/SubFmlyCd") => {
                self.part.returned |= charge::is_return(text)
            }
            _ if is!(place, PART, "/BkTxCd/Prtry/Cd") => {
                self.part.returned |= charge::is_own_return(text)
            }
            _ if is!(place, PART, "/AmtDtls/InstdAmt/Amt") => {
                self.part.amounts.instructed = self.of_account(text)?
            }
            _ if is!(place, PART, "/Chrgs/Amt" | "/Chrgs/Rcrd/Amt") => {
                let charge = self.of_account(text)?;
                add(&mut self.part.amounts.charges, charge);
            }
            _ if is!(place, PART, "/Chrgs/TtlChrgsAndTaxAmt") => {
                self.part.amounts.all_charges = self.of_account(text)?
            }
            _ if is!(place, PART, "/AddtlTxInf") => join(&mut self.part.information, text, " ")?,
            _ if is!(place, PART, "/RltdPties/UltmtDbtr/Nm" | "/RltdPties/UltmtDbtr/Pty/Nm") => {
                self.part.ultimate_debtor = present(text);
            }
            _ if is!(place, PART, "/RltdPties/UltmtCdtr/Nm" | "/RltdPties/UltmtCdtr/Pty/Nm") => {
                self.part.ultimate_creditor = present(text);
            }
            _ if is!(place, PART, "/Refs/EndToEndId") => self.part.end_to_end = present(text),
            _ if is!(place, PART, "/Refs/AcctSvcrRef") => self.part.bank_reference = present(text),
            _ if is!(place, PART, "/RmtInf/Ustrd" | "/RmtInf/Strd/AddtlRmtInf") => {
                join(&mut self.part.remittance, text, " ")?;
            }
            _ if is!(place, PART, "/RmtInf/Strd/CdtrRefInf/Ref" | "/RmtInf/Strd/RfrdDocInf/Nb") => {
                if self.part.references.len() < super::words::MOST_NAMED {
                    self.part.references.extend(present(text));
                } else {
                    join(&mut self.part.remittance, text, " ")?;
                }
            }
            _ if is!(place, PART, "/RltdPties/Dbtr/Nm" | "/RltdPties/Dbtr/Pty/Nm") => {
                self.part.debtor.name = present(text);
            }
            _ if is!(place, PART, "/RltdPties/Cdtr/Nm" | "/RltdPties/Cdtr/Pty/Nm") => {
                self.part.creditor.name = present(text);
            }
            _ if is!(
                place,
                PART,
                "/RltdPties/DbtrAcct/Id/IBAN" | "/RltdPties/DbtrAcct/Id/Othr/Id"
            ) =>
            {
                self.part.debtor.account = account(text);
            }
            _ if is!(
                place,
                PART,
                "/RltdPties/CdtrAcct/Id/IBAN" | "/RltdPties/CdtrAcct/Id/Othr/Id"
            ) =>
            {
                self.part.creditor.account = account(text);
            }
            _ => return self.of_entry(place, text),
        }
        Ok(())
    }

    /// An amount if it is in the currency of the account.
    fn of_account(&mut self, text: &str) -> Result<Option<i64>, Refused> {
        let currency = self.currency.as_ref().and_then(|currency| currency.as_ref().ok().copied());
        if currency.is_none() || currency != self.open.currency {
            return Ok(None);
        }
        self.amount(text).map(Some)
    }

    /// An amount in the currency of the account.
    fn amount(&mut self, text: &str) -> Result<i64, Refused> {
        let missing = || Refused::new(Refusal::MissingField, "an amount has no Ccy").at("Amt");
        let currency = self.currency.clone().ok_or_else(missing)??;
        let of_account = *self.open.currency.get_or_insert(currency);
        if currency != of_account {
            let detail = format!("an amount in {currency} on an account in {of_account}");
            return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("Amt"));
        }
        let minor =
            parse_amount(text.trim(), currency, NumberForm::PLAIN).map_err(|r| r.at("Amt"))?;
        if minor < 0 {
            let detail = "an amount has no sign: CdtDbtInd says which way it goes";
            return Err(Refused::new(Refusal::AmountNotPositive, detail).at("Amt"));
        }
        Ok(minor)
    }

    /// An entry is whole.
    fn book(&mut self) -> Result<(), Refused> {
        let (entry, mut parts) = (std::mem::take(&mut self.entry), std::mem::take(&mut self.parts));
        let missing = |what: &str| {
            Refused::new(Refusal::MissingField, format!("an entry has no {what}")).at(what)
        };
        if !entry.status.ok_or_else(|| missing("Sts"))? {
            self.open.pending = self.open.pending.saturating_add(1);
            return Ok(());
        }
        let minor = entry.minor.ok_or_else(|| missing("Amt"))?;
        let is_credit = entry.credit.ok_or_else(|| missing("CdtDbtInd"))?;
        let signed = |minor: i64, credit: bool| if credit { minor } else { minor.saturating_neg() };
        let booked_on = entry.booked_on.or(entry.value_on).ok_or_else(|| missing("BookgDt"))?;
        let total = signed(minor, is_credit);
        self.open.sum.add(total)?;
        let of_parts = parts.iter().try_fold(0i64, |sum, part| {
            sum.checked_add(signed(part.minor?, part.credit.unwrap_or(is_credit)))
        });
        // A batch less the bank's fee: the fee goes out on its own.
        let fee = entry.amounts.fee().or_else(|| {
            let fees = parts.iter().filter_map(|part| part.amounts.fee());
            Some(fees.fold(0i64, i64::saturating_add))
        });
        let net =
            parts.len() > 1 && fee.is_some_and(|fee| fee > 0 && of_parts == total.checked_add(fee));
        let split = net || parts.len() > 1 && of_parts == Some(total);
        if net {
            parts.push(Part {
                minor: fee,
                credit: Some(false),
                information: entry.information.clone(),
                ..Part::default()
            });
        }
        if split {
            let more = u64::try_from(parts.len()).unwrap_or(u64::MAX).saturating_sub(1);
            self.open.sum.entries = self.open.sum.entries.saturating_add(more);
        } else if parts.len() > 1 {
            parts = vec![together(parts)?];
        }
        if parts.is_empty() {
            parts.push(Part::default());
        }
        for part in parts {
            let credit = if split { part.credit.unwrap_or(is_credit) } else { is_credit };
            let booked = if split { part.minor.unwrap_or(0) } else { minor };
            let (mut said, mut fee) = (vec![part.amounts.instructed], part.amounts.fee());
            if !split {
                let of = &entry.amounts;
                said.extend([of.instructed, part.amounts.transaction, part.minor, of.transaction]);
                fee = fee.or(of.fee());
            }
            let instructed = charge::instructed(booked, credit, &said, fee);
            let ultimate = if credit { part.ultimate_debtor } else { part.ultimate_creditor };
            let (other, or) =
                if credit { (part.debtor, part.creditor) } else { (part.creditor, part.debtor) };
            // Of money that came back the other side is who had paid it.
            let or = if credit { Other::default() } else { or };
            let texts = [part.remittance, part.information, entry.information.clone()];
            let remittance = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
            self.out.push(Piece::Entry(Entry {
                booked_on: Some(booked_on),
                value_on: entry.value_on,
                minor: signed(booked, credit),
                instructed_minor: instructed.map(|minor| signed(minor, credit)),
                ultimate,
                reversal: entry.reversal || part.returned,
                references: part.references,
                end_to_end: part.end_to_end,
                bank_reference: part.bank_reference.or_else(|| entry.bank_reference.clone()),
                remittance,
                name: other.name.or(or.name),
                account: other.account.or(or.account),
            }));
        }
        Ok(())
    }

    /// A statement is whole.
    fn end(&mut self) -> Result<(), Refused> {
        let open = std::mem::take(&mut self.open);
        let missing = |what: &str, field: &str| {
            Refused::new(Refusal::MissingField, format!("the statement has no {what}")).at(field)
        };
        if let (Some(opening), Some(previous)) = (open.opening, open.previous)
            && opening.signed()? != previous.signed()?
        {
            let detail = "the opening balance is not what the day before closed with";
            return Err(Refused::new(Refusal::BalanceMismatch, detail).at("Bal"));
        }
        let opening = open.opening.or(open.previous).or(open.interim.map(|(first, _)| first));
        let closing = open.closing.or(open.interim.map(|(_, last)| last));
        let opening = opening.ok_or_else(|| missing("opening balance (OPBD or PRCD)", "Bal"))?;
        let closing = closing.ok_or_else(|| missing("closing balance (CLBD)", "Bal"))?;
        let currency = open.currency.ok_or_else(|| missing("currency", "Ccy"))?;
        let id = open.id.ok_or_else(|| missing("id", "Id"))?;
        let statement = Statement {
            own: open.own.unwrap_or_default(),
            account: open.account.ok_or_else(|| missing("account", "Acct"))?,
            id: match open.page {
                Some(page) if page.trim_start_matches('0') != "1" || !open.last_page => {
                    format!("{id}#{page}")
                }
                _ => id,
            },
            sequence: open.sequence,
            from: open.from,
            to: open.to.or(closing.on).ok_or_else(|| missing("closing day", "Bal"))?,
            currency,
            opening_minor: opening.signed()?,
            closing_minor: closing.signed()?,
            entries: open.sum.entries,
            pending: open.pending,
        };
        open.sum.check(statement.opening_minor, statement.closing_minor, currency)?;
        self.statements = self.statements.saturating_add(1);
        self.out.push(Piece::Statement(statement));
        Ok(())
    }
}

/// The transactions of an entry whose amounts do not sum to it: what they say, as one.
fn together(parts: Vec<Part>) -> Result<Part, Refused> {
    let mut whole = Part::default();
    for part in parts {
        whole.returned |= part.returned;
        for reference in part.references {
            join(&mut whole.remittance, &reference, " ")?;
        }
        join(&mut whole.remittance, &part.remittance, " ")?;
        join(&mut whole.information, &part.information, " ")?;
    }
    Ok(whole)
}

/// Adds to a sum what is there of it.
fn add(sum: &mut Option<i64>, minor: Option<i64>) {
    if let Some(minor) = minor {
        *sum = Some(sum.unwrap_or(0).saturating_add(minor));
    }
}

/// Takes what a statement, balance or entry has once at most: a second one would stand for the first unseen.
fn once<T>(slot: &mut Option<T>, value: Option<T>, name: &str) -> Result<(), Refused> {
    if slot.is_some() {
        return Err(malformed(format!("{name} stands twice where it may stand once")).at(name));
    }
    *slot = value;
    Ok(())
}

fn credit(text: &str) -> Result<bool, Refused> {
    match text.trim() {
        "CRDT" => Ok(true),
        "DBIT" => Ok(false),
        _ => Err(malformed("CdtDbtInd is CRDT or DBIT").at("CdtDbtInd")),
    }
}

fn flag(text: &str) -> Result<bool, Refused> {
    match text.trim() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(malformed("a flag is true or false")),
    }
}

/// A date, or the day of a moment as the bank writes it.
fn day(text: &str) -> Result<Date, Refused> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10).unwrap_or((text, ""));
    if !rest.is_empty() && !rest.starts_with(['T', 'Z', '+', '-']) {
        return Err(Refused::new(Refusal::MalformedDate, "a date is YYYY-MM-DD"));
    }
    day.parse()
}
