//! Table `reversal`: money that went back.

use crate::{Db, Fault};
use dunlin_domain::{
    Date, Id,
    contract::types::{Reversal, ReversalKind},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A reversal of a payment.
#[derive(Clone, Debug)]
pub struct New<'a> {
    pub id: &'a str,
    pub customer_key: i64,
    pub payment_key: i64,
    pub on: Date,
    pub kind: ReversalKind,
    pub minor: i64,
    pub reason: Option<&'a str>,
}

/// Notes that money went back.
pub fn insert<D: Db>(db: &D, new: &New<'_>, entry: i64) -> Result<(), Fault> {
    let on = new.on.to_string();
    db.execute(
        "INSERT INTO reversal (id, customer_key, payment_key, reversed_on, kind, minor, reason, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            new.id.into(),
            new.customer_key.into(),
            new.payment_key.into(),
            (&on).into(),
            new.kind.name().into(),
            new.minor.into(),
            new.reason.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// Notes that money of several payments went back: rows as in `insert_all.sql`.
pub fn insert_all<D: Db>(db: &D, rows: &impl Serialize, entry: i64) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(sql!("reversal/insert_all.sql"), &[(&rows).into(), entry.into()])?;
    Ok(())
}

/// The reversal of this id and its payment.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, Reversal)>, Fault> {
    let found: Vec<(i64, Id, Date, ReversalKind, i64, Option<String>)> = db.json(
        "SELECT json_group_array(json_array(payment_key, id, reversed_on, kind, minor, reason))
         FROM reversal WHERE id = ?1",
        &[id.as_str().into()],
    )?;
    Ok(found.into_iter().next().map(reversal))
}

/// The reversals of these payments, oldest first, as known with an audit entry.
pub fn of_payments<D: Db>(
    db: &D,
    keys: &[i64],
    known: i64,
) -> Result<BTreeMap<i64, Vec<Reversal>>, Fault> {
    let keys = crate::array(keys)?;
    let found: Vec<(i64, Id, Date, ReversalKind, i64, Option<String>)> = db.json(
        "SELECT json_group_array(json_array(payment_key, id, reversed_on, kind, minor, reason)) FROM (
             SELECT r.* FROM json_each(?1) AS j CROSS JOIN reversal AS r ON r.payment_key = j.value
             WHERE r.entry_key IS NULL OR r.entry_key <= ?2 ORDER BY r.reversed_on, r.id)",
        &[(&keys).into(), known.into()],
    )?;
    let mut of: BTreeMap<i64, Vec<Reversal>> = BTreeMap::new();
    for (payment, reversal) in found.into_iter().map(reversal) {
        of.entry(payment).or_default().push(reversal);
    }
    Ok(of)
}

fn reversal(row: (i64, Id, Date, ReversalKind, i64, Option<String>)) -> (i64, Reversal) {
    let (payment, id, on, kind, minor, reason) = row;
    (payment, Reversal { id, on, kind, minor, reason })
}
