//! Table `policy`: versions of the one document that says how the ledger is kept.

use crate::{Db, Fault};
use dunlin_domain::{
    Date,
    contract::ledger::{AllocationOrder, OrderKey, Policy},
    order, policy,
};

/// The policy in force.
pub fn current<D: Db>(db: &D) -> Result<Policy, Fault> {
    known(db, i64::MAX)
}

/// The policy as it was known when this was the last entry of the audit chain.
pub fn known<D: Db>(db: &D, entry: i64) -> Result<Policy, Fault> {
    let row = db.first(
        "SELECT document FROM policy WHERE coalesce(entry_key, 0) <= ?1 ORDER BY key DESC LIMIT 1",
        &[entry.into()],
    )?;
    row.map_or_else(|| Ok(policy::unwritten()), |row| row.json(0))
}

/// Adds a version.
pub fn insert<D: Db>(db: &D, new: &Policy, entry: i64) -> Result<(), Fault> {
    let document = crate::array(new)?;
    db.execute(
        "INSERT INTO policy (document, entry_key) VALUES (?1, ?2)",
        &[(&document).into(), entry.into()],
    )?;
    Ok(())
}

/// The keys of the customers whose allocations another order of documents due from this day on may change: whoever has
/// such, and anything to allocate.
pub fn allocating<D: Db>(db: &D, due_from: Date) -> Result<Vec<i64>, Fault> {
    let due_from = due_from.to_string();
    db.json(
        "SELECT json_group_array(customer_key) FROM (
             SELECT customer_key FROM payment UNION SELECT customer_key FROM invoice WHERE kind = 'credit-note'
             INTERSECT SELECT customer_key FROM invoice WHERE due_on >= ?1
             ORDER BY customer_key)",
        &[(&due_from).into()],
    )
}

/// The orders that any version of the policy had, as the last one that had them says them.
pub fn orders<D: Db>(db: &D) -> Result<Vec<AllocationOrder>, Fault> {
    db.json(sql!("policy/orders.sql"), &[])
}

/// Whether an order that asks this of debts is in use: by the policy, a contract or a payment.
pub fn asks<D: Db>(db: &D, policy: &Policy, key: OrderKey) -> Result<bool, Fault> {
    let orders = orders(db)?;
    let names = order::asking(&orders, key);
    let by_policy = policy.order.as_ref().is_some_and(|order| names.contains(&order.as_str()));
    Ok(by_policy || user_of(db, &names, None)?.is_some())
}

/// Of these orders the first that a contract or payment ever named, and which one does; with a day only a contract of which
/// a version in force then or later does.
pub fn user_of<D: Db>(
    db: &D,
    orders: &[&str],
    day: Option<Date>,
) -> Result<Option<(String, String)>, Fault> {
    let (orders, day) = (crate::array(orders)?, day.map(|day| day.to_string()));
    let row = db.first(sql!("policy/user_of.sql"), &[(&orders).into(), day.as_ref().into()])?;
    row.map(|row| row.json(0)).transpose()
}
