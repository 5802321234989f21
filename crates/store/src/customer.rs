//! Tables `customer` and `customer_change`: who owes, and what changed of them.

use crate::{Db, Fault, Param, arrears::Range};
use dunlin_domain::{
    Currency, Date, Id, Instant, Money, Refusal,
    contract::{
        ledger::CustomerChange,
        types::{Balance, Customer, NewCustomer},
    },
    customer::PartChange,
};
use std::collections::HashMap;

/// Tables whose rows belong to a customer and move with a merge. `interest_entry` moves by its invoices. What was said
/// to the one that goes, and what was seen of it, stays with it: alerts, notices, changes, the audit chain.
const MOVE_OWNED: &[&str] = &[
    "UPDATE invoice SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE payment SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE allocation SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE reversal SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE adjustment SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE dispute SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE pause SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE contract SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE guarantee SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE default_record SET customer_key = ?2 WHERE customer_key = ?1",
];

/// Tables that the next sweep writes anew.
const DROP_DERIVED: &[&str] = &[
    "DELETE FROM arrears WHERE customer_key = ?1",
    "DELETE FROM score WHERE customer_key = ?1",
    "DELETE FROM accrual WHERE customer_key = ?1",
];

/// Where a customer stands among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub key: i64,
    /// The head of its group, when it is a member.
    pub parent_key: Option<i64>,
    /// Whether it is the head of a group.
    pub is_parent: bool,
    /// The customer that it was merged into.
    pub merged: Option<(i64, Id)>,
}

/// Adds the rows whose id is new and that are in no group, and says how many were. [`insert_members`] adds the others.
pub fn insert_all<D: Db>(db: &D, rows: &str) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(include_str!("../sql/customer/insert_all.sql"), &[rows.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// Adds the rows whose id is new and whose head is there, and says how many were.
pub fn insert_members<D: Db>(db: &D, rows: &str) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(include_str!("../sql/customer/insert_members.sql"), &[rows.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// The rows whose head is not there, or is no head, and why.
pub fn misplaced<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, Refusal)>, Fault> {
    db.json(include_str!("../sql/customer/misplaced.sql"), &[rows.into()])
}

/// Makes the customers that invoices or payments name and that are not there, and says how many.
pub fn insert_named<D: Db>(db: &D, rows: &str) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(include_str!("../sql/customer/insert_named.sql"), &[rows.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// The rows whose id is stored with other content, and the field that differs.
pub fn differing<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String)>, Fault> {
    db.json(include_str!("../sql/customer/differing.sql"), &[rows.into()])
}

/// The rows of invoices or payments that name a customer who is not there.
pub fn unknown<D: Db>(db: &D, rows: &str) -> Result<Vec<u64>, Fault> {
    db.json(include_str!("../sql/customer/unknown.sql"), &[rows.into()])
}

/// The new rows of invoices, or else of payments, that name a customer who was merged into another.
pub fn merged<D: Db>(db: &D, rows: &str, invoices: bool) -> Result<Vec<u64>, Fault> {
    let invoices = i64::from(invoices);
    db.json(include_str!("../sql/customer/merged.sql"), &[rows.into(), invoices.into()])
}

/// Writes the whole record, new or in the place of the one before, and gives its key. The record has its id.
pub fn save<D: Db>(db: &D, record: &NewCustomer, parent: Option<i64>) -> Result<i64, Fault> {
    let record = crate::array(record)?;
    db.int(include_str!("../sql/customer/save.sql"), &[(&record).into(), parent.into()])
}

/// The key behind an id, and where the customer stands among the others.
pub fn place<D: Db>(db: &D, id: &Id) -> Result<Option<Place>, Fault> {
    let row = db.first(include_str!("../sql/customer/place.sql"), &[id.as_str().into()])?;
    let Some(row) = row else { return Ok(None) };
    let (key, parent_key, is_parent, merged_key, merged_id): (i64, _, i64, Option<i64>, _) =
        row.json(0)?;
    let merged = merged_key.zip(merged_id);
    Ok(Some(Place { key, parent_key, is_parent: is_parent != 0, merged }))
}

/// The keys of a group: the head and its members.
pub fn group<D: Db>(db: &D, head: i64) -> Result<Vec<i64>, Fault> {
    db.json(
        "SELECT json_group_array(key) FROM
             (SELECT ?1 AS key UNION ALL SELECT key FROM customer WHERE parent_key = ?1)",
        &[head.into()],
    )
}

/// The keys of a customer and of the duplicates that were merged into it.
pub fn with_duplicates<D: Db>(db: &D, key: i64) -> Result<Vec<i64>, Fault> {
    db.json(
        "SELECT json_group_array(key) FROM customer WHERE key = ?1 OR merged_key = ?1",
        &[key.into()],
    )
}

/// The id and limit of a customer.
pub fn limit<D: Db>(db: &D, key: i64) -> Result<(Id, Option<Money>), Fault> {
    let found = limits(db, Range { after: key.saturating_sub(1), upto: key })?.pop();
    let gone = || Fault::Db(format!("customer {key} is not there"));
    found.map(|(_, id, limit)| (id, limit)).ok_or_else(gone)
}

/// The key behind an id.
pub fn key<D: Db>(db: &D, id: &Id) -> Result<Option<i64>, Fault> {
    let row = db.first("SELECT key FROM customer WHERE id = ?1", &[id.as_str().into()])?;
    row.map(|row| row.int(0)).transpose()
}

/// The customer without balances, and its key.
pub fn record<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, Customer)>, Fault> {
    Ok(select(db, "", 1, Some(id))?.pop())
}

/// The customer with its balances on the day.
pub fn get<D: Db>(db: &D, id: &Id, day: Date) -> Result<Option<Customer>, Fault> {
    Ok(with_balances(db, select(db, "", 1, Some(id))?, day)?.pop())
}

/// Customers after an id, in the order of ids, with their balances on the day.
pub fn page<D: Db>(db: &D, after: &str, limit: u32, day: Date) -> Result<Vec<Customer>, Fault> {
    with_balances(db, select(db, after, limit, None)?, day)
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    only: Option<&Id>,
) -> Result<Vec<(i64, Customer)>, Fault> {
    let only = only.map(Id::as_str);
    let params: [Param<'_>; 3] = [after.into(), i64::from(limit).into(), only.into()];
    db.json(include_str!("../sql/customer/page.sql"), &params)
}

fn with_balances<D: Db>(
    db: &D,
    found: Vec<(i64, Customer)>,
    day: Date,
) -> Result<Vec<Customer>, Fault> {
    let keys: Vec<i64> = found.iter().map(|(key, _)| *key).collect();
    let mut balances = balances(db, &keys, day)?;
    let complete = |(key, customer)| {
        let balances = balances.remove(&key).unwrap_or_default();
        Customer { balances, ..customer }
    };
    Ok(found.into_iter().map(complete).collect())
}

/// Notes what changed of a customer's record.
pub fn add_changes<D: Db>(
    db: &D,
    customer: i64,
    day: Date,
    at: Instant,
    changes: &[PartChange],
) -> Result<(), Fault> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> =
        changes.iter().map(|change| (change.part, change.added, change.removed)).collect();
    let (rows, day, at) = (crate::array(&rows)?, day.to_string(), at.to_string());
    db.execute(
        include_str!("../sql/customer/insert_changes.sql"),
        &[(&rows).into(), customer.into(), (&day).into(), (&at).into()],
    )?;
    Ok(())
}

/// What changed of a customer's record, oldest first.
pub fn changes<D: Db>(
    db: &D,
    id: &Id,
    after: i64,
    limit: u32,
) -> Result<Vec<CustomerChange>, Fault> {
    db.json(
        include_str!("../sql/customer/changes.sql"),
        &[id.as_str().into(), after.into(), i64::from(limit).into()],
    )
}

/// Moves all that belongs to one customer to another, closes the one and notes where it went. Customers that were
/// merged into it before, and the members of its group, go along; `head` is the head of the other's group, or itself.
pub fn merge<D: Db>(
    db: &D,
    (from, to, head): (i64, i64, i64),
    day: Date,
    entry: i64,
) -> Result<(), Fault> {
    let pair: [Param<'_>; 2] = [from.into(), to.into()];
    let day = day.to_string();
    db.execute(
        include_str!("../sql/customer/merge_defaults.sql"),
        &[from.into(), to.into(), (&day).into(), entry.into()],
    )?;
    db.execute(
        "UPDATE interest_entry SET customer_key = ?2
         WHERE invoice_key IN (SELECT key FROM invoice WHERE customer_key = ?1)",
        &pair,
    )?;
    for sql in MOVE_OWNED {
        db.execute(sql, &pair)?;
    }
    db.execute(include_str!("../sql/customer/merge_arrears.sql"), &pair)?;
    db.execute("UPDATE OR IGNORE arrears SET customer_key = ?2 WHERE customer_key = ?1", &pair)?;
    for sql in DROP_DERIVED {
        db.execute(sql, &[from.into()])?;
    }
    db.execute(
        "UPDATE customer SET parent_key = CASE WHEN key <> ?2 THEN ?2 END WHERE parent_key = ?1",
        &[from.into(), head.into()],
    )?;
    db.execute(
        "UPDATE customer SET merged_key = ?2, status = 'closed', parent_key = NULL
         WHERE key = ?1 OR merged_key = ?1",
        &pair,
    )?;
    Ok(())
}

/// What each of these customers owes on the day, by key.
pub fn balances<D: Db>(
    db: &D,
    keys: &[i64],
    day: Date,
) -> Result<HashMap<i64, Vec<Balance>>, Fault> {
    let (keys, day) = (crate::array(keys)?, day.to_string());
    let found: Vec<(i64, Currency, i64, i64, i64)> =
        db.json(include_str!("../sql/customer/balances.sql"), &[(&keys).into(), (&day).into()])?;
    let mut by_key: HashMap<i64, Vec<Balance>> = HashMap::new();
    for (key, currency, outstanding_minor, overdue_minor, unapplied_minor) in found {
        by_key.entry(key).or_default().push(Balance {
            currency,
            outstanding_minor,
            overdue_minor,
            unapplied_minor,
        });
    }
    Ok(by_key)
}

/// The customers of the range and their limits.
pub fn limits<D: Db>(db: &D, range: Range) -> Result<Vec<(i64, Id, Option<Money>)>, Fault> {
    type Found = (i64, Id, Option<i64>, Option<Currency>);
    let found: Vec<Found> = db.json(
        "SELECT json_group_array(json_array(key, id, limit_minor, limit_currency)) FROM customer
         WHERE key > ?1 AND key <= ?2",
        &[range.after.into(), range.upto.into()],
    )?;
    let limit = |(key, id, minor, currency): Found| {
        (key, id, minor.zip(currency).map(|(minor, currency)| Money { minor, currency }))
    };
    Ok(found.into_iter().map(limit).collect())
}

fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM customer", &[])
}
