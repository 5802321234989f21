//! Bank statements: read from the banks' formats in one pass, checked, and matched to what is open.
//!
//! A reader takes bytes as they come and gives what it has read so far: entries first, then the statement they stand
//! in, once its balances have been seen and add up. What it holds in memory is bounded by the limits here, whatever it
//! is sent. Nothing of a file counts before the end of the file has been reached.

pub mod camt;
pub mod charge;
pub mod gap;
pub mod matching;
pub mod mt940;
pub mod name;
pub mod own;
pub mod reference;
pub mod repeated;
pub mod words;
pub mod world;
pub mod xml;

use crate::{
    Currency, Date, Refusal, Refused,
    contract::bank::BankFormat,
    money::{MAX_MINOR, format_minor},
};
use serde::{Deserialize, Serialize};

/// The most bytes of one text, line or tag: the longest text of the formats has 500 characters.
pub const MAX_TEXT: usize = 16 << 10;

/// The most bytes of what a payer wrote, over all lines of an entry: banks give 140 characters a line.
pub const MAX_REMITTANCE: usize = 32 << 10;

/// The most transactions that one batch entry lists: they are in memory together.
pub const MAX_BATCH: usize = 50_000;

/// An entry that the bank booked, or a part of one that was booked as a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The day it was booked.
    pub booked_on: Option<Date>,
    /// The day from which the bank counts interest.
    pub value_on: Option<Date>,
    /// How much; below zero what goes out.
    pub minor: i64,
    /// Whether the bank marks it as taking back an earlier one, or as returned.
    pub reversal: bool,
    /// References in fields of their own.
    pub references: Vec<String>,
    /// What the payer put there to find the payment again.
    pub end_to_end: Option<String>,
    /// The bank's own reference.
    pub bank_reference: Option<String>,
    /// What the payer wrote.
    pub remittance: String,
    /// The other side.
    pub name: Option<String>,
    /// Its account, letters and digits alone.
    pub account: Option<String>,
    /// What was instructed where the bank took a fee out of it or added one, with the sign of `minor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructed_minor: Option<i64>,
    /// For whom the other side paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ultimate: Option<String>,
}

/// A statement whose balances were checked. Its entries came before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The account, letters and digits alone.
    pub account: String,
    /// The same as far as it can be told apart from how it is written: see [`own`]. No part of what a statement says.
    #[serde(skip)]
    pub own: String,
    /// The bank's name for it.
    pub id: String,
    /// Its number, where the bank gives one.
    pub sequence: Option<String>,
    /// The first day, where the bank says.
    pub from: Option<Date>,
    /// The last day.
    pub to: Date,
    /// The currency of the account.
    pub currency: Currency,
    /// The balance before.
    pub opening_minor: i64,
    /// The balance after.
    pub closing_minor: i64,
    /// Entries booked.
    pub entries: u64,
    /// Entries that are not booked yet and were left out.
    pub pending: u64,
}

/// What a reader gives, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// An entry of the statement that follows.
    Entry(Entry),
    /// The statement of the entries since the one before.
    Statement(Statement),
}

/// A reader of one of the formats.
pub enum Reader {
    Camt(Box<camt::Reader>),
    Mt940(Box<mt940::Reader>),
}

impl Reader {
    /// A reader at the beginning of a file.
    pub fn new(format: BankFormat) -> Self {
        match format {
            BankFormat::Camt053 => Self::Camt(Box::default()),
            BankFormat::Mt940 => Self::Mt940(Box::default()),
        }
    }

    /// Takes the next bytes, however they are cut.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Piece>) -> Result<(), Refused> {
        match self {
            Self::Camt(reader) => reader.feed(bytes, out),
            Self::Mt940(reader) => reader.feed(bytes, out),
        }
    }

    /// Says that the file is whole. One that ends in the middle is refused.
    pub fn finish(&mut self, out: &mut Vec<Piece>) -> Result<(), Refused> {
        match self {
            Self::Camt(reader) => reader.finish(),
            Self::Mt940(reader) => reader.finish(out),
        }
    }

    /// How many entries have been begun: where the reader stands when it refuses.
    pub fn entry(&self) -> u64 {
        match self {
            Self::Camt(reader) => reader.entry(),
            Self::Mt940(reader) => reader.entry(),
        }
    }
}

/// A file that breaks its format.
fn malformed(detail: impl Into<String>) -> Refused {
    Refused::new(Refusal::MalformedStatement, detail)
}

/// The sum of a statement so far.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    minor: i64,
    entries: u64,
}

impl Sum {
    fn add(&mut self, minor: i64) -> Result<(), Refused> {
        let sum = self.minor.checked_add(minor).filter(|sum| in_range(*sum));
        self.minor = sum.ok_or_else(too_large)?;
        self.entries = self.entries.saturating_add(1);
        Ok(())
    }

    /// Checks that the balance before and the entries give the balance after.
    fn check(self, opening: i64, closing: i64, currency: Currency) -> Result<(), Refused> {
        let reached = opening.checked_add(self.minor).ok_or_else(too_large)?;
        if reached == closing {
            return Ok(());
        }
        let difference = closing.saturating_sub(reached);
        let shown = |minor: i64| format_minor(minor, currency.exponent());
        let detail = format!(
            "the opening balance {} and {} entries come to {}, the closing balance is {}: {} {currency} too {}",
            shown(opening),
            self.entries,
            shown(reached),
            shown(closing),
            shown(difference.saturating_abs()),
            if difference > 0 { "much" } else { "little" },
        );
        Err(Refused::new(Refusal::BalanceMismatch, detail).at("closing_minor"))
    }
}

/// Whether a sum can still be held with another amount.
fn in_range(minor: i64) -> bool {
    (MAX_MINOR.saturating_neg()..=MAX_MINOR).contains(&minor)
}

fn too_large() -> Refused {
    Refused::new(Refusal::AmountTooLarge, Refusal::AmountTooLarge.about())
}

/// An account as it is compared: letters and digits, in capitals. `None` when nothing is left.
pub fn account(text: &str) -> Option<String> {
    let kept: String =
        text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect();
    (!kept.is_empty()).then_some(kept)
}

/// A text without white space around it; `None` when nothing is left or it is one of the words for nothing.
fn present(text: &str) -> Option<String> {
    let text = text.trim();
    // The last ones say that `:86:` has the reference.
    let nothing = ["", "NONREF", "NOTPROVIDED", "NOT PROVIDED", "EREF", "KREF", "PREF", "MARF"];
    (!nothing.contains(&text)).then(|| text.to_string())
}

/// Adds a line to what the payer wrote.
fn join(remittance: &mut String, line: &str, between: &str) -> Result<(), Refused> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(());
    }
    if !remittance.is_empty() {
        remittance.push_str(between);
    }
    remittance.push_str(line);
    if remittance.len() > MAX_REMITTANCE {
        let detail = format!("what the payer wrote is longer than {MAX_REMITTANCE} bytes");
        return Err(Refused::new(Refusal::TextTooLong, detail).at("remittance"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
