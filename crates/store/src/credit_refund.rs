//! Table `credit_refund`: what was paid out of credit notes that stood.

use crate::{Db, Fault, When};
use dunlin_domain::{Date, Id, contract::types::CreditRefund};
use std::collections::BTreeMap;

/// A refund to note.
#[derive(Clone, Debug)]
pub struct New<'a> {
    pub id: &'a Id,
    pub customer_key: i64,
    pub credit_key: i64,
    pub on: Date,
    pub minor: i64,
    pub reason: Option<&'a str>,
    pub entry: i64,
}

/// A refund with all that is recorded of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub credit_key: i64,
    pub refund: CreditRefund,
    pub reversal_reason: Option<String>,
}

/// Notes that a credit was paid out.
pub fn insert<D: Db>(db: &D, new: &New<'_>) -> Result<(), Fault> {
    let on = new.on.to_string();
    db.execute(
        "INSERT INTO credit_refund (id, customer_key, credit_key, refunded_on, minor, reason, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.as_str().into(),
            new.customer_key.into(),
            new.credit_key.into(),
            (&on).into(),
            new.minor.into(),
            new.reason.into(),
            new.entry.into(),
        ],
    )?;
    Ok(())
}

/// Notes from which day on the credit stands again.
pub fn reverse<D: Db>(db: &D, id: &Id, on: Date, reason: &str, entry: i64) -> Result<(), Fault> {
    let on = on.to_string();
    db.execute(
        "UPDATE credit_refund SET reversed_on = ?2, reversal_reason = ?3, reversed_entry_key = ?4 WHERE id = ?1",
        &[id.as_str().into(), (&on).into(), reason.into(), entry.into()],
    )?;
    Ok(())
}

/// The refund of this id.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<Stored>, Fault> {
    type Found = (i64, Id, Date, i64, Option<String>, Option<Date>, Option<String>);
    let found: Vec<Found> = db.json(
        "SELECT json_group_array(
             json_array(credit_key, id, refunded_on, minor, reason, reversed_on, reversal_reason))
         FROM credit_refund WHERE id = ?1",
        &[id.as_str().into()],
    )?;
    let stored =
        |(credit_key, id, on, minor, reason, reversed_on, reversal_reason): Found| Stored {
            credit_key,
            refund: CreditRefund { id, on, minor, reason, reversed_on },
            reversal_reason,
        };
    Ok(found.into_iter().next().map(stored))
}

/// What was paid out of these credit notes, oldest first, as it stood on a day and was known then.
pub fn of_credits<D: Db>(
    db: &D,
    keys: &[i64],
    when: When,
) -> Result<BTreeMap<i64, Vec<CreditRefund>>, Fault> {
    type Found = (i64, Id, Date, i64, Option<String>, Option<Date>);
    let (keys, day) = (crate::array(keys)?, when.day.to_string());
    let found: Vec<Found> = db.json(
        "SELECT json_group_array(json_array(credit_key, id, refunded_on, minor, reason, reversed_on)) FROM (
             SELECT r.credit_key, r.id, r.refunded_on, r.minor, r.reason,
                 iif(r.reversed_on <= ?2 AND r.reversed_entry_key <= ?3, r.reversed_on, NULL) AS reversed_on
             FROM json_each(?1) AS j CROSS JOIN credit_refund AS r ON r.credit_key = j.value
             WHERE r.refunded_on <= ?2 AND r.entry_key <= ?3 ORDER BY r.refunded_on, r.id)",
        &[(&keys).into(), (&day).into(), when.known.into()],
    )?;
    let mut of: BTreeMap<i64, Vec<CreditRefund>> = BTreeMap::new();
    for (credit, id, on, minor, reason, reversed_on) in found {
        of.entry(credit).or_default().push(CreditRefund { id, on, minor, reason, reversed_on });
    }
    Ok(of)
}
