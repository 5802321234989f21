//! Statements of bank accounts come in: their entries are matched, and what is certain is booked, in one transaction.
//! What is not waits for somebody who confirms or rejects it.

mod anew;
mod book;
mod decision;
mod gaps;
mod repeated;
mod taught;
mod world;

pub use anew::match_anew;
pub use decision::{confirm, get, matches, reject};
pub(crate) use decision::{reopen, reopen_debit, unless_of_entry, unless_put_back};
pub use taught::{forget_payer_account, payer_accounts};

use crate::{
    audit::{Author, Sum},
    import::ABANDONED_AFTER_SECONDS,
    ledger::missing,
};
use dunlin_domain::{
    Date, Id, Instant, Refusal,
    bank::{Piece, Statement},
    contract::{
        bank::{BankFormat, BankStatement},
        ingest::{ImportResult, ImportState, RowError},
    },
};
use dunlin_store::{Db, Fault, bank, import, write};

/// Entries in a slice: large slices look up a customer of many entries once, and this many with what they may pay are
/// some twenty megabytes.
const SLICE: u64 = 4_000;

/// The most statements of one file: they are in memory together. A year of daily statements of fifty accounts.
const MAX_STATEMENTS: usize = 20_000;

/// From so many entries on, the connection is given more room.
const LARGE: u64 = 50_000;

/// Entries and statements on their way from a reader to the database.
#[derive(Debug, Default)]
pub struct Intake {
    statements: Vec<(Statement, String)>,
    /// The first and the last day of the entries of each statement, and of the one that is being read.
    spans: Vec<Option<(Date, Date)>>,
    span: Option<(Date, Date)>,
    digest: Sum,
    slice: String,
    in_slice: u64,
    entries: u64,
}

impl Intake {
    /// Takes what was read. When a slice is full it is given, to be staged.
    pub fn take(&mut self, piece: &Piece) -> Result<Option<String>, Fault> {
        match piece {
            Piece::Entry(entry) => {
                self.slice.push(if self.slice.is_empty() { '[' } else { ',' });
                self.slice.push_str(&format!("[{},", self.statements.len()));
                let text = crate::ledger::json(entry)?;
                self.digest.add(&text);
                self.slice.push_str(&text);
                self.slice.push(']');
                self.entries = self.entries.saturating_add(1);
                for day in [entry.booked_on, entry.value_on].into_iter().flatten() {
                    let (first, last) = self.span.unwrap_or((day, day));
                    self.span = Some((first.min(day), last.max(day)));
                }
                self.in_slice = self.in_slice.saturating_add(1);
            }
            Piece::Statement(statement) => {
                if self.statements.len() >= MAX_STATEMENTS {
                    let detail = format!("a file has at most {MAX_STATEMENTS} statements");
                    return Err(Fault::refused(Refusal::BodyTooLarge, detail));
                }
                self.digest.add(&crate::ledger::json(statement)?);
                let digest = std::mem::take(&mut self.digest).hex();
                self.statements.push((statement.clone(), digest));
                self.spans.push(self.span.take());
            }
        }
        Ok((self.in_slice >= SLICE).then(|| self.rest()))
    }

    /// The entries that are not staged yet.
    pub fn rest(&mut self) -> String {
        self.in_slice = 0;
        let mut slice = std::mem::take(&mut self.slice);
        slice.push_str(if slice.is_empty() { "[]" } else { "]" });
        slice
    }
}

/// Notes that a file is being read and gives the key to stage its slices under.
pub fn start<D: Db>(db: &D, id: &Id, author: &Author) -> Result<i64, Fault> {
    write(db, |db| {
        bank::forget_abandoned(db, author.at.plus_seconds(-ABANDONED_AFTER_SECONDS))?;
        bank::start(db, id, author.at)
    })
}

/// Keeps a slice of entries until the file is whole.
pub fn stage<D: Db>(db: &D, key: i64, number: i64, entries: &str) -> Result<(), Fault> {
    write(db, |db| bank::stage(db, key, number, entries))
}

/// Gives up a file that could not be read to its end by a fault that is none of its own: nothing of it stays.
pub fn abandon<D: Db>(db: &D, key: i64) -> Result<(), Fault> {
    write(db, |db| bank::forget(db, key))
}

/// Notes that a file was refused, and why: nothing else of it stays.
pub fn refuse<D: Db>(
    db: &D,
    (id, key): (&Id, i64),
    why: RowError,
    at: Instant,
) -> Result<ImportResult, Fault> {
    let result = ImportResult {
        import_id: id.clone(),
        state: ImportState::Rejected,
        received: 0,
        accepted: 0,
        unchanged: 0,
        rejected: 0,
        errors: vec![why],
        more_errors: 0,
        staged_bytes: None,
        staged_rows: None,
        bank: None,
    };
    write(db, |db| bank::finish(db, key, &result, at))?;
    Ok(result)
}

/// What became of a file.
pub fn imported<D: Db>(db: &D, id: &Id) -> Result<Option<ImportResult>, Fault> {
    bank::imported(db, id)
}

/// A file that was read to its end.
#[derive(Debug)]
pub struct File {
    pub id: Id,
    pub key: i64,
    pub format: BankFormat,
    pub intake: Intake,
    /// Slices that were staged; the entries after them are in memory.
    pub staged: i64,
    pub last: String,
}

/// Takes a file in: new statements with their entries, and payments for what is certain.
pub fn apply<D: Db>(db: &D, file: &File, author: &Author) -> Result<ImportResult, Fault> {
    let large = file.intake.entries >= LARGE;
    if large {
        import::roomy(db, true)?;
    }
    let result = write(db, |db| book::apply(db, file, author));
    if large {
        import::roomy(db, false)?;
    }
    result
}

/// Statements after a key.
pub fn statements<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, BankStatement)>, Fault> {
    bank::statements(db, after, limit, None)
}

/// A statement.
pub fn statement<D: Db>(db: &D, id: &Id) -> Result<BankStatement, Fault> {
    let found = bank::statements(db, 0, 1, Some(id))?.pop();
    found.map(|(_, statement)| statement).ok_or_else(|| missing("statement"))
}
