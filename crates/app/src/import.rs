//! A file comes in: its rows are checked and staged while it is read, and applied in one transaction when it is whole.

use crate::{
    audit::{self, Author, Note, Sum},
    replay,
};
use dunlin_domain::{
    Id, Instant, Refusal,
    contract::ingest::{ImportKind, ImportResult, ImportState, OnError, RowError},
};
use dunlin_store::{Db, End, Fault, customer, import, invoice, payment, write, write_if};
use std::collections::BTreeMap;

pub use dunlin_store::import::Slice;

/// The most errors that an answer lists; the rest are counted.
pub const MAX_ERRORS: usize = 1_000;

/// Imports that began so long ago and have no end are taken for dead.
pub(crate) const ABANDONED_AFTER_SECONDS: i64 = 24 * 3600;

/// From so many records on, the connection is given more room.
const LARGE: u64 = 100_000;

/// What the client asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// Names the import.
    pub id: Id,
    /// The kind of record in the file.
    pub kind: ImportKind,
    /// The profile it is read with.
    pub profile: Id,
    /// What to do when a row is bad.
    pub on_error: OnError,
    /// Whether customers that rows name are made when they are not there.
    pub create_customers: bool,
}

/// What reading the file gave, beside its good rows.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Records and bad rows together.
    pub received: u64,
    /// What was wrong with bad rows: the first errors, and how many more there were.
    pub errors: Vec<RowError>,
    pub more_errors: u64,
    /// Bad rows. A row may have several errors.
    pub bad: u64,
}

/// Where the good rows are.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// In memory: a small file is not staged.
    Here(&'a Slice),
    /// In this many staged slices.
    Staged(i64),
}

/// Notes that a file is being read and gives the key to stage its slices under.
pub fn start<D: Db>(db: &D, order: &Order, at: Instant) -> Result<i64, Fault> {
    write(db, |db| {
        import::forget_abandoned(db, at.plus_seconds(-ABANDONED_AFTER_SECONDS))?;
        import::start(db, &order.id, order.kind, &order.profile, at)
    })
}

/// Keeps a slice of checked rows until the file is whole.
pub fn stage<D: Db>(db: &D, key: i64, number: i64, slice: &Slice) -> Result<(), Fault> {
    write(db, |db| import::stage(db, key, number, slice))
}

/// Gives up a file that could not be read to its end: nothing of it stays but the note.
pub fn abandon<D: Db>(db: &D, order: &Order, key: i64, at: Instant) -> Result<(), Fault> {
    let result = Tally::default().result(order, true, 0);
    write(db, |db| import::finish(db, key, &result, at))
}

/// Applies a file that was read to its end. With `reject` one bad row means that nothing is stored.
pub fn apply<D: Db>(
    db: &D,
    order: &Order,
    key: i64,
    rows: Rows<'_>,
    reading: &Reading,
    author: &Author,
) -> Result<ImportResult, Fault> {
    let at = author.at;
    let large = reading.received >= LARGE;
    if large {
        import::roomy(db, true)?;
    }
    let result = write_if(db, |db| apply_once(db, order, key, rows, reading, author));
    if large {
        import::roomy(db, false)?;
    }
    let result = result?;
    if result.state == ImportState::Rejected {
        write(db, |db| import::finish(db, key, &result, at))?;
    }
    Ok(result)
}

fn apply_once<D: Db>(
    db: &D,
    order: &Order,
    key: i64,
    rows: Rows<'_>,
    reading: &Reading,
    author: &Author,
) -> Result<(ImportResult, End), Fault> {
    let mut tally =
        Tally { refused: reading.bad, more_errors: reading.more_errors, ..Tally::default() };
    tally.errors.extend(reading.errors.iter().cloned());
    let reject = order.on_error == OnError::Reject;
    let mut entry = None;
    if !(reject && reading.bad > 0) {
        let (last_invoice, last_payment) = (invoice::last_key(db)?, payment::last_key(db)?);
        // What the file brought is known when its rows are through; they name the entry before.
        let begun = Note::made("import", order.id.as_str(), &order.kind)?;
        let noted = audit::note(db, author, &begun)?;
        entry = Some(noted);
        for kind in [ImportKind::Customers, ImportKind::Invoices, ImportKind::Payments] {
            apply_kind(db, order, key, rows, kind, noted, &mut tally)?;
        }
        if !(reject && tally.refused > 0) {
            replay::after(db, last_invoice, last_payment, author.at, Some(noted))?;
        }
    }
    if reject && tally.refused > 0 {
        return Ok((tally.result(order, true, reading.received), End::RollBack));
    }
    let rows = std::mem::take(&mut tally.rows).hex();
    let result = tally.result(order, false, reading.received);
    match entry {
        Some(entry) if result.accepted == 0 => audit::forget(db, entry)?,
        Some(entry) => {
            let brought = brought(order, &result, &rows);
            let whole = Note::made("import", order.id.as_str(), &brought)?;
            audit::complete(db, author, entry, &whole)?;
        }
        None => {}
    }
    import::finish(db, key, &result, author.at)?;
    Ok((result, End::Commit))
}

/// What the audit chain keeps of a file: how it was read, what became of it, and the hash of its rows.
fn brought(order: &Order, result: &ImportResult, rows: &str) -> serde_json::Value {
    serde_json::json!({
        "kind": order.kind,
        "profile": order.profile,
        "on_error": order.on_error,
        "received": result.received,
        "accepted": result.accepted,
        "unchanged": result.unchanged,
        "rejected": result.rejected,
        "rows": rows,
    })
}

fn apply_kind<D: Db>(
    db: &D,
    order: &Order,
    key: i64,
    rows: Rows<'_>,
    kind: ImportKind,
    entry: i64,
    tally: &mut Tally,
) -> Result<(), Fault> {
    match rows {
        Rows::Here(slice) => {
            let text = match kind {
                ImportKind::Customers => &slice.customers,
                ImportKind::Invoices => &slice.invoices,
                ImportKind::Payments => &slice.payments,
            };
            apply_rows(db, order, kind, text, entry, tally)
        }
        Rows::Staged(slices) => {
            for number in 0..slices {
                let text = import::rows(db, key, number, kind)?;
                let text =
                    text.ok_or_else(|| Fault::Db(format!("slice {number} of an import is gone")))?;
                apply_rows(db, order, kind, &text, entry, tally)?;
            }
            Ok(())
        }
    }
}

/// An empty JSON array: no rows of this kind in this slice.
const NONE: &str = "[]";

fn apply_rows<D: Db>(
    db: &D,
    order: &Order,
    kind: ImportKind,
    rows: &str,
    entry: i64,
    tally: &mut Tally,
) -> Result<(), Fault> {
    if rows.is_empty() || rows == NONE {
        return Ok(());
    }
    tally.rows.add(kind.name());
    tally.rows.add(rows);
    if order.create_customers && kind != ImportKind::Customers {
        customer::insert_named(db, rows)?;
    }
    let (added, total) = match kind {
        ImportKind::Customers => (customer::insert_all(db, rows)?, import::count(db, rows)?),
        ImportKind::Invoices => {
            (invoice::insert_all(db, rows, Some(entry))?, import::count(db, rows)?)
        }
        ImportKind::Payments => {
            (payment::insert_all(db, rows, Some(entry))?, import::count(db, rows)?)
        }
    };
    tally.added += added;
    if added == total {
        return Ok(());
    }
    let refused = refusals(db, kind, rows)?;
    let count = u64::try_from(refused.len()).unwrap_or(u64::MAX);
    tally.refused += count;
    tally.unchanged += total.saturating_sub(added).saturating_sub(count);
    tally.errors.extend(refused);
    let over = tally.errors.len().saturating_sub(MAX_ERRORS);
    tally.more_errors = tally.more_errors.saturating_add(u64::try_from(over).unwrap_or(0));
    tally.errors.truncate(MAX_ERRORS);
    Ok(())
}

/// Why rows that were not added are not simply there already: one error for each row.
fn refusals<D: Db>(db: &D, kind: ImportKind, rows: &str) -> Result<Vec<RowError>, Fault> {
    let mut by_row: BTreeMap<u64, RowError> = BTreeMap::new();
    let mut refuse = |row: u64, field: &str, code: Refusal, detail: String| {
        by_row.entry(row).or_insert(RowError { row, field: Some(field.to_string()), code, detail });
    };
    if kind != ImportKind::Customers {
        for row in customer::unknown(db, rows)? {
            let detail =
                "no customer has this id; send customers first, or add create_missing=customers";
            refuse(row, "customer_id", Refusal::UnknownCustomer, detail.into());
        }
        for row in customer::merged(db, rows, kind == ImportKind::Invoices)? {
            let code = Refusal::CustomerMerged;
            refuse(row, "customer_id", code, code.about().to_string());
        }
    }
    if kind == ImportKind::Payments {
        for (row, code) in payment::misnamed(db, rows)? {
            refuse(row, "invoice_id", code, code.about().to_string());
        }
    }
    let differing = match kind {
        ImportKind::Customers => customer::differing(db, rows)?,
        ImportKind::Invoices => invoice::differing(db, rows)?,
        ImportKind::Payments => payment::differing(db, rows)?,
    };
    for (row, field) in differing {
        let detail = format!("the id is stored with another {field}; nothing was changed");
        refuse(row, &field, Refusal::DifferentContent, detail);
    }
    Ok(by_row.into_values().collect())
}

#[derive(Default)]
struct Tally {
    added: u64,
    unchanged: u64,
    refused: u64,
    errors: Vec<RowError>,
    more_errors: u64,
    /// Of every slice the kind and the rows as they were offered to the books.
    rows: Sum,
}

impl Tally {
    fn result(mut self, order: &Order, rejected: bool, received: u64) -> ImportResult {
        self.errors.sort_by_key(|error| error.row);
        ImportResult {
            import_id: order.id.clone(),
            state: if rejected { ImportState::Rejected } else { ImportState::Applied },
            received,
            accepted: if rejected { 0 } else { self.added },
            unchanged: if rejected { 0 } else { self.unchanged },
            rejected: if rejected { received } else { self.refused },
            errors: self.errors,
            more_errors: self.more_errors,
            bank: None,
        }
    }
}

/// What became of an import.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<ImportResult, Fault> {
    import::get(db, id)?.ok_or_else(|| Fault::refused(Refusal::NotFound, "no import has this id"))
}
