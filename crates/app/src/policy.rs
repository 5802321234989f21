//! How the ledger is kept: one document with versions.

use crate::{
    audit::{Author, Note, note},
    ledger::Change,
    replay,
};
use dunlin_domain::{contract::ledger::Policy, policy};
use dunlin_store::{Db, Fault, policy as table, write};

/// The policy in force.
pub fn get<D: Db>(db: &D) -> Result<Policy, Fault> {
    table::current(db)
}

/// The policy as it was known with an audit entry.
pub fn known<D: Db>(db: &D, entry: i64) -> Result<Policy, Fault> {
    table::known(db, entry)
}

/// Adds a version of the policy. When it decides allocations differently, everybody who has paid is replayed with it:
/// what is allocated follows from the documents and the policy, never from when each arrived.
pub fn put<D: Db>(db: &D, new: &Policy, author: &Author) -> Result<Change, Fault> {
    policy::check(new)?;
    write(db, |db| {
        let before = table::current(db)?;
        if before == *new {
            return Ok(Change::AlreadySo);
        }
        let change = Note::changed("replace", "policy", "policy", Some(&before), Some(new))?;
        let entry = note(db, author, &change)?;
        table::insert(db, new, entry)?;
        if !policy::allocates_alike(&before, new) {
            replay::customers(db, &table::allocating(db)?, author.at, Some(entry))?;
        }
        Ok(Change::Replaced)
    })
}
