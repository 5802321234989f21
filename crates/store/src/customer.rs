//! Table `customer`: who owes.

use crate::{Db, Fault, Param, arrears::Range};
use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::types::{Balance, Customer, Language},
};
use std::collections::HashMap;

/// A row of `page.sql`.
type Found = (
    Id,
    String,
    Option<String>,
    Option<Currency>,
    Option<Language>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<Currency>,
    i64,
);

/// Adds the rows whose id is new and says how many were.
pub fn insert_all<D: Db>(db: &D, rows: &str) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(include_str!("../sql/customer/insert_all.sql"), &[rows.into()])?;
    Ok(crate::added(before, last_key(db)?))
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

/// Replaces what is stored under the row's id, and says whether anything changed.
pub fn replace<D: Db>(db: &D, row: &str) -> Result<bool, Fault> {
    Ok(db.first(include_str!("../sql/customer/replace.sql"), &[row.into()])?.is_some())
}

/// The key behind an id.
pub fn key<D: Db>(db: &D, id: &Id) -> Result<Option<i64>, Fault> {
    let row = db.first("SELECT key FROM customer WHERE id = ?1", &[id.as_str().into()])?;
    row.map(|row| row.int(0)).transpose()
}

/// The customer with its balances on the day.
pub fn get<D: Db>(db: &D, id: &Id, day: Date) -> Result<Option<Customer>, Fault> {
    Ok(select(db, "", 1, Some(id), day)?.pop())
}

/// Customers after an id, in the order of ids, with their balances on the day.
pub fn page<D: Db>(db: &D, after: &str, limit: u32, day: Date) -> Result<Vec<Customer>, Fault> {
    select(db, after, limit, None, day)
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    only: Option<&Id>,
    day: Date,
) -> Result<Vec<Customer>, Fault> {
    let only = only.map(Id::as_str);
    let params: [Param<'_>; 3] = [after.into(), i64::from(limit).into(), only.into()];
    let found: Vec<Found> = db.json(include_str!("../sql/customer/page.sql"), &params)?;
    let keys: Vec<i64> = found.iter().map(|row| row.10).collect();
    let mut balances = balances(db, &keys, day)?;
    Ok(found
        .into_iter()
        .map(
            |(
                id,
                name,
                country,
                currency,
                language,
                time_zone,
                email,
                phone,
                limit,
                limit_currency,
                key,
            )| Customer {
                id,
                name,
                country,
                currency,
                language,
                time_zone,
                email,
                phone,
                credit_limit: limit
                    .zip(limit_currency)
                    .map(|(minor, currency)| Money { minor, currency }),
                balances: balances.remove(&key).unwrap_or_default(),
            },
        )
        .collect())
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
