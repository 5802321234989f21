//! Tiers: one document with versions. The next sweep sorts by the newest.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, missing},
};
use dunlin_domain::{
    contract::score::{TierDocument, Tiers},
    tier,
};
use dunlin_store::{Db, Fault, tier as table, write};

/// The tiers in force, or a version of them.
pub fn get<D: Db>(db: &D, version: Option<u32>) -> Result<Tiers, Fault> {
    let (found, version) = match version {
        None => table::current(db)?,
        Some(wanted) => {
            let found = table::version(db, wanted)?.filter(|(_, version)| *version == wanted);
            let (found, version) = found.ok_or_else(|| missing("version of the tiers"))?;
            (found, Some(version))
        }
    };
    Ok(Tiers { version, rules: found.rules, otherwise: found.otherwise })
}

/// Adds a version.
pub fn put<D: Db>(db: &D, new: &TierDocument, author: &Author) -> Result<Change, Fault> {
    tier::check(new)?;
    write(db, |db| {
        let (before, _) = table::current(db)?;
        if before == *new {
            return Ok(Change::AlreadySo);
        }
        let change = Note::changed("replace", "tiers", "tiers", Some(&before), Some(new))?;
        table::insert(db, new, note(db, author, &change)?)?;
        Ok(Change::Replaced)
    })
}
