//! Table `retention`: versions of the one document that says how long personal fields are kept, and who is due by it.

use crate::{Db, Fault, Param, arrears::Range, erasure::ERASED};
use dunlin_domain::{Date, Id, Instant, contract::ledger::RetentionPolicy};

/// A customer whose personal fields are to go: key, id, and the moment of what was recorded of it last.
pub type Due = (i64, Id, Instant);

/// The newest version up to a number, and its number. `None` before the first.
pub fn version<D: Db>(db: &D, upto: u32) -> Result<Option<(RetentionPolicy, u32)>, Fault> {
    let row = db.first(
        "SELECT document, key FROM retention WHERE key <= ?1 ORDER BY key DESC LIMIT 1",
        &[i64::from(upto).into()],
    )?;
    row.map(|row| Ok((row.json(0)?, u32::try_from(row.int(1)?).unwrap_or(u32::MAX)))).transpose()
}

/// Adds a version.
pub fn insert<D: Db>(db: &D, new: &RetentionPolicy, entry: i64) -> Result<(), Fault> {
    let document = crate::array(new)?;
    db.execute(
        "INSERT INTO retention (document, entry_key) VALUES (?1, ?2)",
        &[(&document).into(), entry.into()],
    )?;
    Ok(())
}

/// The closed customers of the range of whom nothing is open and nothing was recorded after the day.
pub fn due<D: Db>(db: &D, range: Range, limit: u32, upto: Date) -> Result<Vec<Due>, Fault> {
    let upto = upto.to_string();
    let params: [Param<'_>; 5] = [
        range.after.into(),
        range.upto.into(),
        i64::from(limit).into(),
        (&upto).into(),
        ERASED.into(),
    ];
    db.json(sql!("retention/due.sql"), &params)
}
