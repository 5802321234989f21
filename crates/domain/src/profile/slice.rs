//! Checked rows on their way to the store, as JSON arrays that SQL reads by position.

use crate::contract::ingest::RowError;
use crate::{Currency, Date, Money, Refusal};
use chrono::Datelike;
use serde::Serialize;

/// The most row errors that are kept for one file; more are counted. A tenth of the largest file that is sensible.
pub const MAX_ERRORS: usize = 100_000;

/// How many currencies are remembered while reading: a file has few, and finding one in the list of ISO 4217 costs
/// more than reading the rest of its row.
const REMEMBERED: usize = 8;

/// What some rows of a file gave. The buffers are used again for the next rows; the errors and counts are those of
/// the whole file so far.
///
/// Each row array begins with the number of its source row. Dates are `YYYY-MM-DD`, what is absent is null:
/// - customers: `[row, id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency]`,
///   with `status, segment, industry` after that where the file says any of them, and then `parent_id, contacts` as a
///   list of contacts, and how a customer who is there is compared: 1 not
///   at all, 2 by what the row says, 3 the same, and changed
/// - invoices: `[row, id, customer_id, kind, issued_on, due_on, amount_minor, currency, disputed 0 or 1]`, with
///   [`Terms`](super::Terms) as an object after that where the row says any of them
/// - payments: `[row, id, customer_id, received_on, amount_minor, currency, invoice_id]`, with
///   [`Said`](super::Said) as an object after that where the row says any of it
#[derive(Debug, Default)]
pub struct Slice {
    /// The last day that money of the file may have. Absent: any.
    pub latest: Option<Date>,
    /// Customers of this slice.
    pub customers: Rows,
    /// Invoices of this slice.
    pub invoices: Rows,
    /// Payments of this slice.
    pub payments: Rows,
    /// The first errors of the file, in row order.
    pub errors: Vec<RowError>,
    /// How many more errors there were.
    pub more_errors: u64,
    /// Records read in the whole file, good and bad. A row too broken to say what it holds counts as one.
    pub received: u64,
    /// Records of the whole file that were refused here.
    pub refused: u64,
    pub(super) scratch: String,
    pub(super) currencies: Currencies,
}

impl Slice {
    /// Records in the slice that have not been taken.
    pub fn records(&self) -> u64 {
        let counts =
            [&self.customers, &self.invoices, &self.payments].map(|rows| u64::from(rows.count));
        counts.iter().sum()
    }

    /// Bytes of JSON in the slice that have not been taken.
    pub fn bytes(&self) -> usize {
        [&self.customers, &self.invoices, &self.payments].iter().map(|rows| rows.json.len()).sum()
    }

    /// Whether any row of the file was refused.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty() || self.more_errors > 0
    }

    /// Notes an error; beyond [`MAX_ERRORS`] it is only counted.
    pub fn error(
        &mut self,
        row: u64,
        field: Option<&str>,
        code: Refusal,
        detail: impl Into<String>,
    ) {
        note(&mut self.errors, &mut self.more_errors, row, field, code, detail);
    }

    /// Notes a row that is too broken to become records, as one record refused.
    pub fn refuse_row(
        &mut self,
        row: u64,
        field: Option<&str>,
        code: Refusal,
        detail: impl Into<String>,
    ) {
        self.error(row, field, code, detail);
        self.count_refused_row();
    }

    /// Counts one record refused, whose errors were noted one by one.
    pub fn count_refused_row(&mut self) {
        self.received = self.received.saturating_add(1);
        self.refused = self.refused.saturating_add(1);
    }
}

/// Keeps an error while there is room. Separate from [`Slice::error`] for where the slice is borrowed in parts.
pub(super) fn note(
    kept: &mut Vec<RowError>,
    more: &mut u64,
    row: u64,
    field: Option<&str>,
    code: Refusal,
    detail: impl Into<String>,
) {
    if kept.len() < MAX_ERRORS {
        kept.push(RowError { row, field: field.map(str::to_string), code, detail: detail.into() });
    } else {
        *more = more.saturating_add(1);
    }
}

/// The records of one kind: a JSON array of arrays under construction.
#[derive(Debug, Default)]
pub struct Rows {
    json: String,
    /// How many records it holds.
    pub count: u32,
}

/// Where a row began, to go back to when it turns out bad.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    length: usize,
    count: u32,
}

impl Rows {
    /// Takes the records out as a complete JSON array, `[]` when there are none.
    pub fn take(&mut self) -> String {
        self.count = 0;
        let mut json = std::mem::take(&mut self.json);
        json.push_str(if json.is_empty() { "[]" } else { "]" });
        json
    }

    /// Gives the buffer of an earlier [`Rows::take`] back, so that the next slice grows none.
    pub fn reuse(&mut self, mut buffer: String) {
        if self.json.is_empty() && buffer.capacity() > self.json.capacity() {
            buffer.clear();
            self.json = buffer;
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { length: self.json.len(), count: self.count }
    }

    pub(super) fn back_to(&mut self, mark: Mark) {
        self.json.truncate(mark.length);
        self.count = mark.count;
    }

    pub(super) fn open(&mut self, row: u64) {
        self.json.push_str(if self.json.is_empty() { "[[" } else { ",[" });
        self.digits(row);
    }

    pub(super) fn close(&mut self) {
        self.json.push(']');
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn null(&mut self) {
        self.json.push_str(",null");
    }

    pub(super) fn number(&mut self, value: i64) {
        self.json.push_str(if value < 0 { ",-" } else { "," });
        self.digits(value.unsigned_abs());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.json.push_str(",\"");
        let escapes = text
            .bytes()
            .fold(false, |found, byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'));
        if escapes {
            self.escaped(text)
        } else {
            self.json.push_str(text)
        }
        self.json.push('"');
    }

    /// A row of invoices that says nothing of a document but that it is void at its source, and where it is to be void
    /// here whose it is and how much.
    pub(super) fn void(&mut self, row: u64, id: &str, of: Option<(&str, Money)>) {
        self.open(row);
        self.text(id);
        self.text(of.map_or(id, |(customer, _)| customer));
        for text in ["invoice", "2000-01-01", "2000-01-01"] {
            self.plain(text);
        }
        self.number(of.map_or(0, |(_, amount)| amount.minor));
        self.plain(of.as_ref().map_or("EUR", |(_, amount)| amount.currency.as_str()));
        self.number(0);
        let voids = of.is_some();
        self.json(&super::Terms { void: true, voids, ..super::Terms::default() });
        self.close();
    }

    /// A value of the contract as JSON.
    pub(super) fn json<T: Serialize>(&mut self, value: &T) {
        self.json.push(',');
        // What has texts and numbers alone can be written.
        self.json.push_str(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_string()));
    }

    /// A text that is known to need no escapes.
    pub(super) fn plain(&mut self, text: &str) {
        self.json.push_str(",\"");
        self.json.push_str(text);
        self.json.push('"');
    }

    pub(super) fn date(&mut self, date: Date) {
        let day = date.naive();
        let digit = |value: u32, unit: u32| {
            b'0' | u8::try_from(value.checked_div(unit).unwrap_or(0) % 10).unwrap_or(0)
        };
        let (year, month, day) = (day.year().unsigned_abs(), day.month(), day.day());
        let year = [1000, 100, 10, 1].map(|unit| digit(year, unit));
        let ([y0, y1, y2, y3], [m0, m1], [d0, d1]) =
            (year, [10, 1].map(|u| digit(month, u)), [10, 1].map(|u| digit(day, u)));
        let text = [b',', b'"', y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'"'];
        self.json.push_str(std::str::from_utf8(&text).unwrap_or(",null"));
    }

    #[cold]
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '"' => self.json.push_str("\\\""),
                '\\' => self.json.push_str("\\\\"),
                c if c < ' ' => self.json.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => self.json.push(c),
            }
        }
    }

    /// Written out by hand because the formatting machinery takes longer than the rest of the row.
    fn digits(&mut self, value: u64) {
        let mut digits = [b'0'; 20];
        let mut left = value;
        let mut first = digits.len();
        for slot in digits.iter_mut().rev() {
            *slot = b'0' | u8::try_from(left % 10).unwrap_or(0);
            first = first.saturating_sub(1);
            left /= 10;
            if left == 0 {
                break;
            }
        }
        let used = digits.get(first..).and_then(|digits| std::str::from_utf8(digits).ok());
        self.json.push_str(used.unwrap_or("0"));
    }
}

/// The currencies that the file has used so far.
#[derive(Debug, Default)]
pub(super) struct Currencies(Vec<Currency>);

impl Currencies {
    pub(super) fn find(&mut self, text: &str) -> Result<Currency, crate::Refused> {
        if let Some(known) = self.0.iter().find(|known| known.as_str() == text) {
            return Ok(*known);
        }
        let currency: Currency = text.parse()?;
        if self.0.len() < REMEMBERED {
            self.0.push(currency);
        }
        Ok(currency)
    }
}
