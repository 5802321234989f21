//! Tables for spreadsheets: RFC 4180, and no cell that a spreadsheet would run.

use std::fmt::{Display, Write as _};

/// A table being written, its header first.
#[derive(Clone, Debug)]
pub struct Csv {
    out: String,
    started: bool,
    rows: u64,
}

impl Csv {
    /// A table with these columns.
    pub fn new(columns: &[&str]) -> Self {
        let mut csv = Self { out: String::new(), started: false, rows: 0 };
        for column in columns {
            csv.text(column);
        }
        csv.end_header();
        csv
    }

    fn end_header(&mut self) {
        self.out.push_str("\r\n");
        self.started = false;
    }

    fn comma(&mut self) {
        if self.started {
            self.out.push(',');
        }
        self.started = true;
    }

    /// A cell of text that came from outside. Where a spreadsheet would take it for a formula, an apostrophe goes
    /// before it, which spreadsheets do not show.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.comma();
        let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let guard = if formula { "'" } else { "" };
        if value.contains([',', '"', '\r', '\n']) || value.starts_with(' ') || value.ends_with(' ')
        {
            // Writing to a string cannot fail.
            let _ = write!(self.out, "\"{guard}{}\"", value.replace('"', "\"\""));
        } else {
            let _ = write!(self.out, "{guard}{value}");
        }
        self
    }

    /// A cell of a number, a date or a code of ours, as it is displayed. Never for text from outside.
    pub fn plain(&mut self, value: impl Display) -> &mut Self {
        self.comma();
        let _ = write!(self.out, "{value}");
        self
    }

    /// An empty cell.
    pub fn empty(&mut self) -> &mut Self {
        self.comma();
        self
    }

    /// Ends the row.
    pub fn end(&mut self) {
        self.end_header();
        self.rows = self.rows.saturating_add(1);
    }

    /// How many rows were ended, the header not counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The whole table.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}
