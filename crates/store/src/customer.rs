//! Tables `customer` and `customer_change`: who owes, and what changed of them.

use crate::{Db, Fault, Param, When, arrears::Range};
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
/// to the one that goes, and what was seen of it, stays with it: alerts, notices, changes, the audit chain. So do
/// its checks. Its limits and rules go along where the one that stays has none.
const MOVE_OWNED: &[&str] = &[
    "UPDATE invoice SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE payment SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE allocation SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE reversal SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE credit_refund SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE adjustment SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE dispute SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE pause SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE contract SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE guarantee SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE guarantee_former SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE default_record SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE customer_event SET customer_key = ?2 WHERE customer_key = ?1",
    // Of the same thing known on the same day the word of the one that stays counts.
    "UPDATE OR IGNORE external_fact SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE credit_order SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE credit_reservation SET customer_key = ?2 WHERE customer_key = ?1",
    "UPDATE OR IGNORE credit_hold SET customer_key = ?2 WHERE customer_key = ?1",
    // What is on its way stays before what happens to the one that stays.
    "UPDATE webhook_event SET customer_key = ?2
     WHERE webhook_key IN (SELECT key FROM webhook) AND customer_key = ?1",
];

/// Tables that the next sweep writes anew.
const DROP_DERIVED: &[&str] = &[
    "DELETE FROM arrears WHERE customer_key = ?1",
    "DELETE FROM score WHERE customer_key = ?1",
    "DELETE FROM score_outdated WHERE customer_key = ?1",
    "DELETE FROM review WHERE customer_key = ?1",
    "DELETE FROM accrual WHERE customer_key = ?1",
    "DELETE FROM alert_waiting WHERE customer_key = ?1",
    "DELETE FROM fact_sample WHERE customer_key = ?1",
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
pub fn insert_all<D: Db>(db: &D, rows: &str, entry: Option<i64>) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(sql!("customer/insert_all.sql"), &[rows.into(), entry.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// Adds the rows whose id is new and whose head is there, and says how many were.
pub fn insert_members<D: Db>(db: &D, rows: &str, entry: Option<i64>) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(sql!("customer/insert_members.sql"), &[rows.into(), entry.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// The rows whose head is not there, or is no head, and why.
pub fn misplaced<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, Refusal)>, Fault> {
    db.json(sql!("customer/misplaced.sql"), &[rows.into()])
}

/// Makes the customers that invoices or payments name and that are not there, and says how many.
pub fn insert_named<D: Db>(db: &D, rows: &str, entry: Option<i64>) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(sql!("customer/insert_named.sql"), &[rows.into(), entry.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// The rows whose id is stored with other content, and the field that differs.
pub fn differing<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String)>, Fault> {
    db.json(sql!("customer/differing.sql"), &[rows.into()])
}

/// The rows of invoices or payments that name a customer who is not there.
pub fn unknown<D: Db>(db: &D, rows: &str) -> Result<Vec<u64>, Fault> {
    db.json(sql!("customer/unknown.sql"), &[rows.into()])
}

/// Of these ids those of customers that were merged, each with that of the customer that stayed.
pub fn merged_into<D: Db>(db: &D, ids: &[&str]) -> Result<Vec<(Id, Id)>, Fault> {
    let ids = crate::array(ids)?;
    let sql = "SELECT json_group_array(json_array(gone.id, stayed.id))
         FROM json_each(?1) AS named
         CROSS JOIN customer AS gone ON gone.id = named.value
         CROSS JOIN customer AS stayed ON stayed.key = gone.merged_key";
    db.json(sql, &[(&ids).into()])
}

/// The new rows of invoices, or else of payments, that name a customer who was merged into another.
pub fn merged<D: Db>(db: &D, rows: &str, invoices: bool) -> Result<Vec<u64>, Fault> {
    let invoices = i64::from(invoices);
    db.json(sql!("customer/merged.sql"), &[rows.into(), invoices.into()])
}

/// Writes the whole record, new or in the place of the one before, and gives its key. The record has its id.
pub fn save<D: Db>(db: &D, record: &NewCustomer, parent: Option<i64>) -> Result<i64, Fault> {
    let record = crate::array(record)?;
    db.int(sql!("customer/save.sql"), &[(&record).into(), parent.into()])
}

/// The key behind an id, and where the customer stands among the others.
pub fn place<D: Db>(db: &D, id: &Id) -> Result<Option<Place>, Fault> {
    let row = db.first(sql!("customer/place.sql"), &[id.as_str().into()])?;
    let Some(row) = row else { return Ok(None) };
    let (key, parent_key, is_parent, merged_key, merged_id): (i64, _, i64, Option<i64>, _) =
        row.json(0)?;
    let merged = merged_key.zip(merged_id);
    Ok(Some(Place { key, parent_key, is_parent: is_parent != 0, merged }))
}

/// The ids of these keys.
pub fn ids<D: Db>(db: &D, keys: &[i64]) -> Result<Vec<(i64, Id)>, Fault> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let keys = crate::array(keys)?;
    db.json(
        "SELECT json_group_array(json_array(c.key, c.id)) FROM json_each(?1) AS j
         CROSS JOIN customer AS c ON c.key = j.value",
        &[(&keys).into()],
    )
}

/// The keys of a group by the records of the day: the head and its members.
pub fn group<D: Db>(db: &D, head: i64, when: When) -> Result<Vec<i64>, Fault> {
    let day = when.day.to_string();
    db.json(sql!("customer/group.sql"), &[head.into(), (&day).into(), when.known.into()])
}

/// The keys of the groups of these customers, and of the duplicates that were merged into them.
pub fn around<D: Db>(db: &D, customers: &[i64]) -> Result<Vec<i64>, Fault> {
    let customers = crate::array(customers)?;
    db.json(sql!("customer/around.sql"), &[(&customers).into()])
}

/// The keys of everybody around those of these customers who joined a group, or left one.
pub fn regrouped<D: Db>(db: &D, customers: &[i64]) -> Result<Vec<i64>, Fault> {
    let customers = crate::array(customers)?;
    db.json(sql!("customer/regrouped.sql"), &[(&customers).into()])
}

/// The keys of a customer and of the duplicates that were merged into it.
pub fn with_duplicates<D: Db>(db: &D, key: i64) -> Result<Vec<i64>, Fault> {
    db.json(
        "SELECT json_group_array(key) FROM customer WHERE key = ?1 OR merged_key = ?1",
        &[key.into()],
    )
}

/// The key behind an id.
pub fn key<D: Db>(db: &D, id: &Id) -> Result<Option<i64>, Fault> {
    let row = db.first("SELECT key FROM customer WHERE id = ?1", &[id.as_str().into()])?;
    row.map(|row| row.int(0)).transpose()
}

/// The key behind an id that was known with an audit entry. Cheaper than the record, also in the size of a component.
pub fn known_key<D: Db>(db: &D, id: &Id, known: i64) -> Result<Option<i64>, Fault> {
    let sql = "SELECT key FROM customer WHERE id = ?1 AND coalesce(entry_key, 0) <= ?2";
    let row = db.first(sql, &[id.as_str().into(), known.into()])?;
    row.map(|row| row.int(0)).transpose()
}

/// The customer without balances, and its key.
pub fn record<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, Customer)>, Fault> {
    then(db, id, When::ALL)
}

/// The customer as its record read on the day, without balances, and its key.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<Option<(i64, Customer)>, Fault> {
    Ok(select(db, "", 1, Some(id), when)?.pop())
}

/// The customer with its balances on the day.
pub fn get<D: Db>(db: &D, id: &Id, when: When) -> Result<Option<Customer>, Fault> {
    Ok(with_balances(db, select(db, "", 1, Some(id), when)?, when)?.pop())
}

/// Customers after an id, in the order of ids, with their balances on the day.
pub fn page<D: Db>(db: &D, after: &str, limit: u32, when: When) -> Result<Vec<Customer>, Fault> {
    with_balances(db, select(db, after, limit, None, when)?, when)
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    only: Option<&Id>,
    when: When,
) -> Result<Vec<(i64, Customer)>, Fault> {
    let only = only.map(Id::as_str);
    let params: [Param<'_>; 4] =
        [after.into(), i64::from(limit).into(), only.into(), when.known.into()];
    let mut found: Vec<(i64, Customer)> = db.json(sql!("customer/page.sql"), &params)?;
    let keys: Vec<i64> = found.iter().map(|(key, _)| *key).collect();
    let mut formers = formers(db, &keys, when)?;
    for (key, customer) in &mut found {
        if let Some(former) = formers.remove(key) {
            restore(customer, former);
        }
    }
    Ok(found)
}

/// The records of these customers that were replaced after the day, or when it was not known.
pub(crate) fn formers<D: Db>(
    db: &D,
    keys: &[i64],
    when: When,
) -> Result<HashMap<i64, NewCustomer>, Fault> {
    let (keys, day) = (crate::array(keys)?, when.day.to_string());
    let found: Vec<(i64, NewCustomer)> =
        db.json(sql!("customer/formers.sql"), &[(&keys).into(), (&day).into(), when.known.into()])?;
    Ok(found.into_iter().collect())
}

/// What the records of the range said that were replaced after the day or unknown then.
pub fn formers_of_range<D: Db>(
    db: &D,
    range: Range,
    when: When,
) -> Result<HashMap<i64, NewCustomer>, Fault> {
    let day = when.day.to_string();
    let params = [range.after.into(), range.upto.into(), (&day).into(), when.known.into()];
    let found: Vec<(i64, NewCustomer)> = db.json(sql!("customer/formers_of_range.sql"), &params)?;
    Ok(found.into_iter().collect())
}

/// Puts back what a record said before it was replaced.
fn restore(customer: &mut Customer, former: NewCustomer) {
    customer.name = former.name;
    customer.country = former.country;
    customer.currency = former.currency;
    customer.language = former.language;
    customer.time_zone = former.time_zone;
    customer.email = former.email;
    customer.phone = former.phone;
    customer.credit_limit = former.credit_limit;
    customer.parent_id = former.parent_id;
    customer.status = former.status.unwrap_or(customer.status);
    customer.segment = former.segment;
    customer.industry = former.industry;
    customer.tags = former.tags;
    customer.contacts = former.contacts;
    customer.representatives = former.representatives;
    customer.bank_accounts = former.bank_accounts;
}

/// Notes which entry recorded a new customer, and for one that was replaced how it read before and until which day.
/// From that day on the new record is read, whatever was recorded of later days before.
pub fn keep_former<D: Db>(
    db: &D,
    customer: i64,
    before: Option<&NewCustomer>,
    day: Date,
    entry: i64,
) -> Result<(), Fault> {
    let Some(before) = before else {
        db.execute(
            "UPDATE customer SET entry_key = ?2 WHERE key = ?1",
            &[customer.into(), entry.into()],
        )?;
        return Ok(());
    };
    let (document, day) = (crate::array(before)?, day.to_string());
    db.execute(
        "INSERT INTO customer_former (customer_key, parent_key, document, until_on, replaced_on, entry_key)
         SELECT ?1, (SELECT key FROM customer WHERE id = ?2 ->> '$.parent_id'), ?2, ?3, ?3, ?4",
        &[customer.into(), (&document).into(), (&day).into(), entry.into()],
    )?;
    // What is known late replaces what was recorded before of the days since.
    db.execute(
        "UPDATE customer_former SET until_on = ?2 WHERE customer_key = ?1 AND until_on > ?2",
        &[customer.into(), (&day).into()],
    )?;
    Ok(())
}

fn with_balances<D: Db>(
    db: &D,
    found: Vec<(i64, Customer)>,
    when: When,
) -> Result<Vec<Customer>, Fault> {
    let keys: Vec<i64> = found.iter().map(|(key, _)| *key).collect();
    let mut balances = balances(db, &keys, when)?;
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
        sql!("customer/insert_changes.sql"),
        &[(&rows).into(), customer.into(), (&day).into(), (&at).into()],
    )?;
    Ok(())
}

/// What changed of a customer's record up to the day and was recorded by a moment, by day and then as it was recorded.
pub fn changes<D: Db>(
    db: &D,
    id: &Id,
    (after_day, after): &(String, i64),
    limit: u32,
    day: Date,
    known_at: Option<Instant>,
) -> Result<Vec<CustomerChange>, Fault> {
    let (day, known_at) = (day.to_string(), known_at.map(|at| at.to_string()));
    db.json(
        sql!("customer/changes.sql"),
        &[
            id.as_str().into(),
            after_day.into(),
            i64::from(limit).into(),
            (&day).into(),
            known_at.as_ref().into(),
            (*after).into(),
        ],
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
        sql!("customer/merge_defaults_former.sql"),
        &[from.into(), to.into(), entry.into()],
    )?;
    db.execute(
        sql!("customer/merge_defaults.sql"),
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
    db.execute(sql!("customer/merge_arrears.sql"), &pair)?;
    db.execute("UPDATE OR IGNORE arrears SET customer_key = ?2 WHERE customer_key = ?1", &pair)?;
    for sql in DROP_DERIVED {
        db.execute(sql, &[from.into()])?;
    }
    db.execute(
        "UPDATE customer SET parent_key = CASE WHEN key <> ?2 THEN ?2 END WHERE parent_key = ?1",
        &[from.into(), head.into()],
    )?;
    db.execute(
        "UPDATE customer
         SET merged_key = ?2, status = 'closed', parent_key = NULL, merged_on = coalesce(merged_on, ?3)
         WHERE key = ?1 OR merged_key = ?1",
        &[from.into(), to.into(), (&day).into()],
    )?;
    db.execute(sql!("customer/merge_rests.sql"), &[to.into(), entry.into()])?;
    Ok(())
}

/// What each of these customers owes on the day, by key.
pub fn balances<D: Db>(
    db: &D,
    keys: &[i64],
    when: impl Into<When>,
) -> Result<HashMap<i64, Vec<Balance>>, Fault> {
    let when = when.into();
    let (keys, day) = (crate::array(keys)?, when.day.to_string());
    let params: [Param<'_>; 3] = [(&keys).into(), (&day).into(), when.known.into()];
    let [now @ .., _] = &params;
    let found: Vec<(i64, Currency, i64, i64, i64)> = match when.knows_all() {
        true => db.json(sql!("customer/balances.sql"), now)?,
        false => db.json(sql!("customer/balances_known.sql"), &params)?,
    };
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

/// The key of the customer that was added last.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM customer", &[])
}
