//! Table `profile`: how the columns of a source become records.

use crate::{Db, Fault};
use dunlin_domain::{Id, contract::ingest::Profile};

/// The profile of this name.
pub fn get<D: Db>(db: &D, name: &Id) -> Result<Option<Profile>, Fault> {
    let row = db.first("SELECT document FROM profile WHERE name = ?1", &[name.as_str().into()])?;
    row.map(|row| row.json(0)).transpose()
}

/// Stores the profile under its name, in place of what was there.
pub fn put<D: Db>(db: &D, profile: &Profile) -> Result<(), Fault> {
    let document = serde_json::to_string(profile).map_err(|e| Fault::Db(e.to_string()))?;
    db.execute(
        "INSERT INTO profile (name, document) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET document = excluded.document",
        &[profile.name.as_str().into(), (&document).into()],
    )?;
    Ok(())
}

/// Profiles after a name, in the order of names.
pub fn page<D: Db>(db: &D, after: &str, limit: u32) -> Result<Vec<Profile>, Fault> {
    let rows = db.execute(
        "SELECT document FROM profile WHERE name > ?1 ORDER BY name LIMIT ?2",
        &[after.into(), i64::from(limit).into()],
    )?;
    rows.iter().map(|row| row.json(0)).collect()
}
