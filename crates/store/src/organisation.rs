//! Table `organisation`: who owns the receivables.

use crate::{Db, Fault};
use dunlin_domain::contract::ingest::Organisation;

/// The one organisation of this database.
pub fn get<D: Db>(db: &D) -> Result<Organisation, Fault> {
    let row = db.first("SELECT name, time_zone, language FROM organisation WHERE one = 1", &[])?;
    let row = row.ok_or_else(|| Fault::Db("the organisation's row is gone".into()))?;
    Ok(Organisation {
        name: row.text(0)?.to_string(),
        time_zone: row.text(1)?.to_string(),
        language: row.parse(2)?,
    })
}

/// Replaces what is stored.
pub fn put<D: Db>(db: &D, organisation: &Organisation) -> Result<(), Fault> {
    db.execute(
        "UPDATE organisation SET name = ?1, time_zone = ?2, language = ?3 WHERE one = 1",
        &[
            (&organisation.name).into(),
            (&organisation.time_zone).into(),
            organisation.language.name().into(),
        ],
    )?;
    Ok(())
}
