//! Table `tiers`: versions of the one document that sorts customers.

use crate::{Db, Fault};
use dunlin_domain::{contract::score::TierDocument, tier};

/// The tiers in force and their version, `None` before the first.
pub fn current<D: Db>(db: &D) -> Result<(TierDocument, Option<u32>), Fault> {
    Ok(version(db, u32::MAX)?.map_or((tier::none(), None), |(of, version)| (of, Some(version))))
}

/// The last version up to a number.
pub fn version<D: Db>(db: &D, upto: u32) -> Result<Option<(TierDocument, u32)>, Fault> {
    let row = db.first(
        "SELECT document, key FROM tiers WHERE key <= ?1 ORDER BY key DESC LIMIT 1",
        &[i64::from(upto).into()],
    )?;
    row.map(|row| Ok((row.json(0)?, u32::try_from(row.int(1)?).unwrap_or(u32::MAX)))).transpose()
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
