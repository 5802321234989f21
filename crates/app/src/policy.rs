//! How the ledger is kept: one document with versions.

use crate::{
    audit::{Author, Note, note},
    ledger::Change,
    replay,
};
use dunlin_domain::{
    Date, Refusal, Refused,
    contract::ledger::{OrderKey, Policy},
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
        unless_used(db, &before, new)?;
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

/// An order that payments or contracts name stays as it is: without it, or with another meaning under its name, what they
/// said would be served otherwise. Another order takes another name.
fn unless_used<D: Db>(db: &D, before: &Policy, new: &Policy) -> Result<(), Fault> {
    let kept = new.orders.as_deref().unwrap_or_default();
    let gone = before.orders.iter().flatten().filter(|order| !kept.contains(order));
    let gone: Vec<&str> = gone.map(|order| order.name.as_str()).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let Some((order, by)) = table::user_of(db, &gone)? else { return Ok(()) };
    let detail = format!("the order {order} is named by {by}: add another under another name");
    Err(Refused::new(Refusal::WrongState, detail).at("orders").into())
}
