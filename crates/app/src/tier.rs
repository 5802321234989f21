//! Tiers: one document with versions. The next sweep sorts by the newest.

use crate::{
    audit::{Author, Note, note},
    ledger::Change,
};
use dunlin_domain::{contract::score::TierDocument, tier};
use dunlin_store::{Db, Fault, tier as table, write};

/// The tiers in force.
pub fn get<D: Db>(db: &D) -> Result<TierDocument, Fault> {
    table::current(db)
}

/// Adds a version.
pub fn put<D: Db>(db: &D, new: &TierDocument, author: &Author) -> Result<Change, Fault> {
    tier::check(new)?;
    write(db, |db| {
        let before = table::current(db)?;
        if before == *new {
            return Ok(Change::AlreadySo);
        }
        let change = Note::changed("replace", "tiers", "tiers", Some(&before), Some(new))?;
        table::insert(db, new, note(db, author, &change)?)?;
        Ok(Change::Replaced)
    })
}
