//! How the ledger is kept: one document with versions.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, today},
    replay,
};
use dunlin_domain::{
    Date, Refusal, Refused,
    contract::ledger::{AllocationOrder, OrderKey, Policy},
    policy,
};
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
        unless_used(db, &before, new, author)?;
        let change = Note::changed("replace", "policy", "policy", Some(&before), Some(new))?;
        let entry = note(db, author, &change)?;
        table::insert(db, new, entry)?;
        let is_heavier = before.late_interest != new.late_interest
            && table::asks(db, new, OrderKey::HeaviestBurden)?;
        if is_heavier || !policy::allocates_alike(&before, new) {
            let allocating = table::allocating(db, Date::FIRST)?;
            replay::customers(db, &allocating, author.at, Some(entry))?;
        }
        Ok(Change::Replaced)
    })
}

/// An order that payments or contracts name means what it meant: with another meaning under its name, what they said would be
/// served otherwise. Nobody names one any more that is left out, and what named it is served by it all the same.
fn unless_used<D: Db>(db: &D, before: &Policy, new: &Policy, author: &Author) -> Result<(), Fault> {
    let refused = |found: Option<(String, String)>, way: &str| match found {
        None => Ok(()),
        Some((order, by)) => {
            let detail = format!("the order {order} is named by {by}: {way}");
            Err(Refused::new(Refusal::WrongState, detail).at("orders"))
        }
    };
    let kept = new.orders.as_deref().unwrap_or_default();
    let known = table::orders(db)?;
    let is_other = |of: &&AllocationOrder| kept.iter().any(|o| o.name == of.name && o != *of);
    let other: Vec<&str> = known.iter().filter(is_other).map(|of| of.name.as_str()).collect();
    if !other.is_empty() {
        let found = table::user_of(db, &other, None)?;
        refused(found, "add another under another name")?;
    }
    let is_gone = |of: &&AllocationOrder| kept.iter().all(|o| o.name != of.name);
    let gone = before.orders.iter().flatten().filter(is_gone);
    let gone: Vec<&str> = gone.map(|of| of.name.as_str()).collect();
    if !gone.is_empty() {
        let found = table::user_of(db, &gone, Some(today(db, author.at)?))?;
        refused(found, "put a version of it that names another, in force by now")?;
    }
    Ok(())
}
