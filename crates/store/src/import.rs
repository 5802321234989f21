//! Tables `import` and `import_slice`: files that came in, and their checked rows until they are applied.

use crate::{Db, Fault};
use dunlin_domain::{
    Id, Instant,
    contract::ingest::{ImportKind, ImportResult, ImportState},
};

/// Checked rows of one slice, as JSON arrays in the shapes of the nouns' `insert_all.sql`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    pub customers: String,
    pub invoices: String,
    pub payments: String,
}

/// Notes that a file is being read, and gives the key of the note.
pub fn start<D: Db>(
    db: &D,
    id: &Id,
    kind: ImportKind,
    profile: &Id,
    at: Instant,
) -> Result<i64, Fault> {
    let at = at.to_string();
    let row = db.first(
        "INSERT INTO import (id, kind, profile, state, started_at) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING key",
        &[
            id.as_str().into(),
            kind.name().into(),
            profile.as_str().into(),
            ImportState::Staging.name().into(),
            (&at).into(),
        ],
    )?;
    row.ok_or_else(|| Fault::Db("an import got no key".into()))?.int(0)
}

/// Keeps a slice until the file is whole.
pub fn stage<D: Db>(db: &D, import: i64, number: i64, slice: &Slice) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO import_slice (import_key, slice, customers, invoices, payments) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            import.into(),
            number.into(),
            (&slice.customers).into(),
            (&slice.invoices).into(),
            (&slice.payments).into(),
        ],
    )?;
    Ok(())
}

/// The staged rows of one kind in one slice. `None` past the last slice.
pub fn rows<D: Db>(
    db: &D,
    import: i64,
    number: i64,
    kind: ImportKind,
) -> Result<Option<String>, Fault> {
    let sql = match kind {
        ImportKind::Customers => {
            "SELECT customers FROM import_slice WHERE import_key = ?1 AND slice = ?2"
        }
        ImportKind::Invoices => {
            "SELECT invoices FROM import_slice WHERE import_key = ?1 AND slice = ?2"
        }
        ImportKind::Payments => {
            "SELECT payments FROM import_slice WHERE import_key = ?1 AND slice = ?2"
        }
    };
    let row = db.first(sql, &[import.into(), number.into()])?;
    row.map(|row| row.text(0).map(str::to_string)).transpose()
}

/// How many rows a JSON array has.
pub fn count<D: Db>(db: &D, rows: &str) -> Result<u64, Fault> {
    let count = db.int("SELECT json_array_length(?1)", &[rows.into()])?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Gives the connection room for the indexes of a large import, or takes it back.
pub fn roomy<D: Db>(db: &D, roomy: bool) -> Result<(), Fault> {
    // 96 MiB holds the index pages that a million invoices touch; 32 MiB is what every connection starts with.
    let kib = if roomy { "PRAGMA cache_size = -98304" } else { "PRAGMA cache_size = -32768" };
    db.execute(kib, &[])?;
    Ok(())
}

/// Notes the result and drops the slices.
pub fn finish<D: Db>(db: &D, import: i64, result: &ImportResult, at: Instant) -> Result<(), Fault> {
    let (document, at) =
        (serde_json::to_string(result).map_err(|e| Fault::Db(e.to_string()))?, at.to_string());
    db.execute("DELETE FROM import_slice WHERE import_key = ?1", &[import.into()])?;
    db.execute(
        "UPDATE import SET state = ?2, result = ?3, finished_at = ?4 WHERE key = ?1",
        &[import.into(), result.state.name().into(), (&document).into(), (&at).into()],
    )?;
    Ok(())
}

/// Drops the slices of imports that began before this moment and never came to an end: their senders are gone.
pub fn forget_abandoned<D: Db>(db: &D, before: Instant) -> Result<(), Fault> {
    let before = before.to_string();
    db.execute(
        "DELETE FROM import_slice WHERE import_key IN (SELECT key FROM import WHERE state = ?1 AND started_at < ?2)",
        &[ImportState::Staging.name().into(), (&before).into()],
    )?;
    Ok(())
}

/// What became of an import. While it runs, or after it was cut, the counts are zero.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<ImportResult>, Fault> {
    let row = db.first("SELECT state, result FROM import WHERE id = ?1", &[id.as_str().into()])?;
    let Some(row) = row else { return Ok(None) };
    if row.text_or_null(1)?.is_some() {
        return row.json(1).map(Some);
    }
    let state = row.parse(0)?;
    Ok(Some(ImportResult {
        import_id: id.clone(),
        state,
        received: 0,
        accepted: 0,
        unchanged: 0,
        rejected: 0,
        errors: Vec::new(),
        more_errors: 0,
        bank: None,
    }))
}
