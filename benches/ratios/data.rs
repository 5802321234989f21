//! What is measured on: a folder that is gone afterwards, customers, and ten open invoices for each.

use anyhow::Result;
use chrono::{Days, NaiveDate};
use dunlin::demo::bulk::Bulk;
use std::path::PathBuf;
use tempfile::TempDir;

/// The business date. Fixed, so that every run ages and reminds the same.
pub const TODAY: &str = "2025-06-30";

const SEED: u64 = 7;
const INVOICES_FOR_EACH: u64 = 10;

pub struct Data {
    pub invoices: u64,
    bulk: Bulk,
    folder: TempDir,
}

/// An invoice as a row of the table.
pub struct Row {
    pub id: String,
    pub customer: u64,
    pub issued_on: String,
    pub due_on: String,
    pub amount_minor: i64,
    pub currency: &'static str,
}

impl Data {
    pub fn new(invoices: u64) -> Result<Data> {
        let today: NaiveDate = TODAY.parse()?;
        let customers = invoices / INVOICES_FOR_EACH;
        let bulk = Bulk { seed: SEED, customers, invoices, today };
        Ok(Data { invoices, bulk, folder: tempfile::tempdir()? })
    }

    /// `10k`, `100k`, `1m`: for the table.
    pub fn name(&self) -> String {
        match self.invoices {
            n if n >= 1_000_000 => format!("{}m", n / 1_000_000),
            n => format!("{}k", n / 1_000),
        }
    }

    /// How often to measure: what is quick is measured again, and the best counts.
    pub fn runs(&self) -> u64 {
        (500_000 / self.invoices).clamp(1, 3)
    }

    /// The runtime's data directory.
    pub fn served(&self) -> PathBuf {
        self.folder.path().join("served")
    }

    /// The runtime's database.
    pub fn database(&self) -> PathBuf {
        self.served().join("default.db")
    }

    /// A file for the native side.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn customers_csv(&self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        self.bulk.write_customers(&mut text)?;
        Ok(text)
    }

    pub fn invoices_csv(&self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        self.bulk.write_invoices(&mut text)?;
        Ok(text)
    }

    /// The same invoices as rows.
    pub fn rows(&self) -> Vec<Row> {
        let before =
            |days: u64| self.bulk.today.checked_sub_days(Days::new(days)).unwrap_or_default();
        let row = |of: dunlin::demo::bulk::Invoice| {
            let issued_on = before(of.age_days);
            Row {
                id: format!("I{:08}", of.number),
                customer: of.customer,
                issued_on: issued_on.to_string(),
                due_on: (issued_on + Days::new(of.net_days)).to_string(),
                amount_minor: i64::try_from(of.amount_minor).unwrap_or(i64::MAX),
                currency: of.currency,
            }
        };
        self.bulk.invoices().map(row).collect()
    }
}

/// A copy of a database that nobody has open.
pub fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let connection = rusqlite::Connection::open(from)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(connection);
    std::fs::copy(from, to)?;
    Ok(())
}
