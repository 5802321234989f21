//! Table `tiers`: versions of the one document that sorts customers.

use crate::{Db, Fault};
use dunlin_domain::{contract::score::TierDocument, tier};

/// The tiers in force.
pub fn current<D: Db>(db: &D) -> Result<TierDocument, Fault> {
    let row = db.first("SELECT document FROM tiers ORDER BY key DESC LIMIT 1", &[])?;
    row.map_or_else(|| Ok(tier::none()), |row| row.json(0))
}

/// Adds a version.
pub fn insert<D: Db>(db: &D, new: &TierDocument, entry: i64) -> Result<(), Fault> {
    let document = crate::array(new)?;
    db.execute(
        "INSERT INTO tiers (document, entry_key) VALUES (?1, ?2)",
        &[(&document).into(), entry.into()],
    )?;
    Ok(())
}
