//! Tables `import`, `import_slice` and `import_error`: files that came in, and their checked rows until they are applied.

use crate::{Db, Fault, Param};
use dunlin_domain::{
    Id, Instant,
    contract::ingest::{ImportKind, ImportResult, ImportState, RowError},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Errors in one row of `import_error`: some hundred kilobytes of JSON.
const ERRORS_PER_PART: usize = 2_000;

/// Checked rows of one slice, as JSON arrays in the shapes of the nouns' `insert_all.sql`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    pub customers: String,
    pub invoices: String,
    pub payments: String,
}

/// How a file is read: the query of its request by name, and what else decides how its rows are taken.
pub type Options = BTreeMap<String, String>;

/// How far the staged slices reach into the file, and what was found in it so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// How many slices are staged.
    pub slices: i64,
    /// How many bytes of the file they cover.
    pub bytes: u64,
    /// How many rows of the file, the header included.
    pub rows: u64,
    /// The SHA-256 of those bytes, in hex.
    pub hash: String,
    /// Records, good and bad.
    pub received: u64,
    /// Bad records.
    pub refused: u64,
    /// How many errors are kept.
    pub errors: usize,
    /// How many more there were.
    pub more_errors: u64,
}

/// The right to work on an import: another request that takes it over ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub key: i64,
    pub number: i64,
}

/// An import as it was found.
#[derive(Clone, Debug)]
pub struct Found {
    pub run: Run,
    pub state: ImportState,
    pub options: Options,
    pub lease_until: Option<Instant>,
    pub checkpoint: Checkpoint,
    pub result: Option<ImportResult>,
    pub file_hash: Option<String>,
}

/// The import of this id.
pub fn find<D: Db>(db: &D, id: &Id) -> Result<Option<Found>, Fault> {
    let row = db.first(
        "SELECT key, run, state, coalesce(options, '{}'), lease_until, checkpoint, result, file_hash FROM import
         WHERE id = ?1",
        &[id.as_str().into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Found {
        run: Run { key: row.int(0)?, number: row.int(1)? },
        state: row.parse(2)?,
        options: row.json(3)?,
        lease_until: row.text_or_null(4)?.map(str::parse).transpose()?,
        checkpoint: row.text_or_null(5)?.map(|_| row.json(5)).transpose()?.unwrap_or_default(),
        result: row.text_or_null(6)?.map(|_| row.json(6)).transpose()?,
        file_hash: row.text_or_null(7)?.map(str::to_string),
    }))
}

/// Notes that a file is being read, new or in the place of one that was rejected.
pub fn start<D: Db>(
    db: &D,
    id: &Id,
    (kind, profile, options): (ImportKind, &Id, &Options),
    at: Instant,
    lease_until: Instant,
) -> Result<Run, Fault> {
    let (options, at, until) = (crate::array(options)?, at.to_string(), lease_until.to_string());
    let row = db.first(
        "INSERT INTO import (id, kind, profile, options, state, run, lease_until, started_at)
         VALUES (?1, ?2, ?3, ?4, 'staging', 1, ?5, ?6)
         ON CONFLICT (id) DO UPDATE
         SET kind = excluded.kind, profile = excluded.profile, options = excluded.options, state = 'staging',
             run = run + 1, lease_until = excluded.lease_until, started_at = excluded.started_at, checkpoint = NULL,
             result = NULL, finished_at = NULL, file_hash = NULL
         RETURNING key, run",
        &[
            id.as_str().into(),
            kind.name().into(),
            profile.as_str().into(),
            (&options).into(),
            (&until).into(),
            (&at).into(),
        ],
    )?;
    let row = row.ok_or_else(|| Fault::Db("an import got no key".into()))?;
    let run = Run { key: row.int(0)?, number: row.int(1)? };
    if run.number > 1 {
        db.execute("DELETE FROM import_error WHERE import_key = ?1", &[run.key.into()])?;
    }
    Ok(run)
}

/// Takes an import over, so that whoever worked on it before can no more.
pub fn take_over<D: Db>(db: &D, before: Run, lease_until: Instant) -> Result<Run, Fault> {
    let until = lease_until.to_string();
    db.execute(
        "UPDATE import SET run = run + 1, lease_until = ?2 WHERE key = ?1",
        &[before.key.into(), (&until).into()],
    )?;
    Ok(Run { number: before.number.saturating_add(1), ..before })
}

/// Extends the lease, or ends it when the moment is now. Says whether the import is still this run's.
pub fn hold<D: Db>(db: &D, run: Run, lease_until: Instant) -> Result<bool, Fault> {
    let until = lease_until.to_string();
    let row = db.first(
        "UPDATE import SET lease_until = ?3 WHERE key = ?1 AND run = ?2 AND state = 'staging' RETURNING key",
        &[run.key.into(), run.number.into(), (&until).into()],
    )?;
    Ok(row.is_some())
}

/// Keeps a slice until the file is whole, with how far it reaches and the errors that came with it. Its number is that
/// of the slices before it.
pub fn stage<D: Db>(
    db: &D,
    run: Run,
    slice: &Slice,
    checkpoint: &Checkpoint,
    errors: &[RowError],
) -> Result<(), Fault> {
    let number = checkpoint.slices.saturating_sub(1);
    db.execute(
        "INSERT INTO import_slice (import_key, slice, customers, invoices, payments) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            run.key.into(),
            number.into(),
            (&slice.customers).into(),
            (&slice.invoices).into(),
            (&slice.payments).into(),
        ],
    )?;
    let checkpoint = crate::array(checkpoint)?;
    db.execute(
        "UPDATE import SET checkpoint = ?2 WHERE key = ?1",
        &[run.key.into(), (&checkpoint).into()],
    )?;
    add_errors(db, run.key, errors)
}

/// Adds errors behind those that are kept.
fn add_errors<D: Db>(db: &D, import: i64, errors: &[RowError]) -> Result<(), Fault> {
    for part in errors.chunks(ERRORS_PER_PART) {
        let part = crate::array(part)?;
        db.execute(
            "INSERT INTO import_error (import_key, part, errors)
             SELECT ?1, coalesce(max(part), 0) + 1, ?2 FROM import_error WHERE import_key = ?1",
            &[import.into(), (&part).into()],
        )?;
    }
    Ok(())
}

/// The errors that are kept beside an import, in the order in which they were kept.
pub fn errors<D: Db>(db: &D, import: i64) -> Result<Vec<RowError>, Fault> {
    let sql = "SELECT errors FROM import_error WHERE import_key = ?1 ORDER BY part";
    let rows = db.execute(sql, &[import.into()])?;
    let parts = rows.iter().map(|row| row.json::<Vec<RowError>>(0));
    Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
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

/// Notes the result and drops the slices. `errors` are all that are kept, where the result does not list them.
pub fn finish<D: Db>(
    db: &D,
    import: i64,
    result: &ImportResult,
    errors: &[RowError],
    file_hash: Option<&str>,
    at: Instant,
) -> Result<(), Fault> {
    let (document, at) = (crate::array(result)?, at.to_string());
    drop_slices(db, import)?;
    db.execute("DELETE FROM import_error WHERE import_key = ?1", &[import.into()])?;
    if errors.len() > result.errors.len() {
        add_errors(db, import, errors)?;
    }
    db.execute(
        "UPDATE import SET state = ?2, result = ?3, finished_at = ?4, file_hash = ?5, lease_until = NULL,
             checkpoint = NULL
         WHERE key = ?1",
        &[
            import.into(),
            result.state.name().into(),
            (&document).into(),
            (&at).into(),
            file_hash.map_or(Param::Null, Param::Text),
        ],
    )?;
    Ok(())
}

/// Drops the slices of an import. Those of documents have nothing personal: their pages need not be overwritten, which
/// would take as long as writing them did.
fn drop_slices<D: Db>(db: &D, import: i64) -> Result<(), Fault> {
    let personal = db.int(
        "SELECT EXISTS (SELECT 1 FROM import_slice WHERE import_key = ?1 AND customers <> '[]')",
        &[import.into()],
    )?;
    let cheap = personal == 0;
    if cheap {
        db.execute("PRAGMA secure_delete = FAST", &[])?;
    }
    let dropped = db.execute("DELETE FROM import_slice WHERE import_key = ?1", &[import.into()]);
    if cheap {
        db.execute("PRAGMA secure_delete = ON", &[])?;
    }
    dropped.map(drop).map_err(Fault::from)
}

/// Ends imports that nobody has worked on since this moment and that never came to an end: their senders are gone.
pub fn forget_abandoned<D: Db>(db: &D, before: Instant, at: Instant) -> Result<(), Fault> {
    let (before, at) = (before.to_string(), at.to_string());
    let found = db.json::<Vec<i64>>(
        "SELECT json_group_array(key) FROM import
         WHERE state = 'staging' AND coalesce(lease_until, started_at) < ?1",
        &[(&before).into()],
    )?;
    if found.is_empty() {
        return Ok(());
    }
    let keys = crate::array(&found)?;
    for sql in [
        "DELETE FROM import_slice WHERE import_key IN (SELECT value FROM json_each(?1))",
        "DELETE FROM import_error WHERE import_key IN (SELECT value FROM json_each(?1))",
    ] {
        db.execute(sql, &[(&keys).into()])?;
    }
    db.execute(
        "UPDATE import
         SET state = 'rejected', finished_at = ?2, lease_until = NULL, checkpoint = NULL,
             result = json_object('import_id', id, 'state', 'rejected', 'received', 0, 'accepted', 0, 'unchanged', 0,
                 'rejected', 0, 'errors', json('[]'), 'more_errors', 0)
         WHERE key IN (SELECT value FROM json_each(?1))",
        &[(&keys).into(), (&at).into()],
    )?;
    Ok(())
}
