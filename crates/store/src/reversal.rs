//! Table `reversal`: money that went back.

use crate::{Db, Fault};
use dunlin_domain::arrange::set;
use dunlin_domain::{
    Currency, Date, Id,
    allocation::Converted,
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
    /// The other name of the payment by which it was asked for.
    pub payment_name: Option<&'a str>,
}

type Found = (i64, Id, Date, ReversalKind, i64, Option<String>, Option<String>);
type ConvertedRow = (i64, i64, i64, Vec<(i64, Currency, i64, Option<i64>)>);

/// Where a reversal of a payment falls that was partly changed into other currencies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fall {
    /// How much of it is of what was changed.
    pub changed: i64,
    pub parts: Vec<OfPart>,
}

/// What of a reversal falls on a part of the payment.
#[derive(Clone, Debug)]
pub(crate) struct OfPart {
    pub payment_key: i64,
    pub currency: Currency,
    pub minor: i64,
    /// What that cost of the payment. `None` where it was not noted.
    pub cost_minor: Option<i64>,
}

/// Notes that money went back.
pub fn insert<D: Db>(db: &D, new: &New<'_>, entry: i64) -> Result<(), Fault> {
    let on = new.on.to_string();
    db.execute(
        "INSERT INTO reversal (id, customer_key, payment_key, reversed_on, kind, minor, reason, entry_key, payment_name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            new.id.into(),
            new.customer_key.into(),
            new.payment_key.into(),
            (&on).into(),
            new.kind.name().into(),
            new.minor.into(),
            new.reason.into(),
            entry.into(),
            new.payment_name.into(),
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
    let found: Vec<Found> = db.json(
        "SELECT json_group_array(
             json_array(payment_key, id, reversed_on, kind, minor, reason, undone_reason))
         FROM reversal WHERE id = ?1",
        &[id.as_str().into()],
    )?;
    Ok(found.into_iter().next().map(reversal))
}

/// Notes that this reversal counts as if it had never been.
pub fn undo<D: Db>(db: &D, id: &Id, reason: &str, entry: i64) -> Result<(), Fault> {
    db.execute(
        "UPDATE reversal SET undone_reason = ?2, undone_entry_key = ?3 WHERE id = ?1",
        &[id.as_str().into(), reason.into(), entry.into()],
    )?;
    Ok(())
}

/// What so much that goes back of a payment on a day may be already: the reversal that a debit of a bank statement was
/// booked as. With an id whether it may be that one. What the bank kept of the payment may be in it.
pub fn booked<D: Db>(
    db: &D,
    payment: i64,
    minor: i64,
    on: Date,
    only: Option<&Id>,
    fee: i64,
) -> Result<Option<Id>, Fault> {
    let (on, only) = (on.to_string(), only.map(Id::as_str));
    let none = i64::from(false);
    let params = [payment.into(), minor.into(), (&on).into(), only.into(), fee.into(), none.into()];
    let row = db.first(sql!("reversal/booked.sql"), &params)?;
    row.map(|row| row.parse(0)).transpose()
}

/// The debit of a bank statement that what is new of a total of refunds may be, have within it, or be a part of.
pub fn booked_within<D: Db>(
    db: &D,
    payment: i64,
    more: i64,
    on: Date,
) -> Result<Option<Id>, Fault> {
    let (on, only, fee, total) = (on.to_string(), None::<&str>, 0i64, i64::from(true));
    let params = [payment.into(), more.into(), (&on).into(), only.into(), fee.into(), total.into()];
    let row = db.first(sql!("reversal/booked.sql"), &params)?;
    row.map(|row| row.parse(0)).transpose()
}

/// Whether a reversal was said to be a debit of a bank statement which is not booked on its payment any more.
pub fn lapsed<D: Db>(db: &D, id: &Id) -> Result<bool, Fault> {
    Ok(db.int(sql!("reversal/lapsed.sql"), &[id.as_str().into()])? == 1)
}

/// Takes out what was said of a reversal that never counted, for what is said of it now.
pub fn forget<D: Db>(db: &D, id: &Id) -> Result<(), Fault> {
    let sql = "DELETE FROM reversal WHERE id = ?1 AND undone_entry_key = entry_key";
    db.execute(sql, &[id.as_str().into()])?;
    Ok(())
}

/// How much was refunded of a payment, under one of its other names where that is given. What a statement has too counts.
pub fn refunded<D: Db>(db: &D, payment: i64, name: Option<&Id>) -> Result<i64, Fault> {
    let params = [payment.into(), name.map(Id::as_str).into()];
    db.int(sql!("reversal/refunded.sql"), &params)
}

/// Where reversals fall: of each, in the order in which they count, the payment and how much. What is of a payment that was
/// not changed falls nowhere else.
pub(crate) fn falls<D: Db>(db: &D, reversals: &[(i64, i64)]) -> Result<Vec<Fall>, Fault> {
    let mut falls = vec![Fall::default(); reversals.len()];
    let keys = set(reversals.iter().map(|(payment, _)| *payment));
    if keys.is_empty() {
        return Ok(falls);
    }
    let keys = crate::array(&keys)?;
    let found: Vec<ConvertedRow> = db.json(sql!("reversal/converted.sql"), &[(&keys).into()])?;
    let mut changed: BTreeMap<i64, (Converted, Vec<_>, i64)> = BTreeMap::new();
    for (payment, own, minor, parts) in found {
        let of = Converted::new(own, minor, parts.iter().map(|part| (part.2, part.3)));
        changed.insert(payment, (of, parts, 0));
    }
    for ((payment, minor), fall) in reversals.iter().zip(&mut falls) {
        let Some((of, parts, before)) = changed.get_mut(payment) else { continue };
        let after = before.saturating_add(*minor);
        let (minor, shares) = of.fall(*before, after);
        *before = after;
        fall.changed = minor;
        for ((payment_key, currency, _, cost), (minor, gone)) in parts.iter().zip(shares) {
            let (payment_key, currency, cost_minor) = (*payment_key, *currency, cost.map(|_| gone));
            if minor > 0 {
                fall.parts.push(OfPart { payment_key, currency, minor, cost_minor });
            }
        }
    }
    Ok(falls)
}

/// The reversals of these payments that stand, as known with an audit entry.
pub fn of_payments<D: Db>(
    db: &D,
    keys: &[i64],
    known: i64,
) -> Result<BTreeMap<i64, Vec<Reversal>>, Fault> {
    let mut of = told_of_payments(db, keys, known)?;
    of.values_mut().for_each(|back| back.retain(|back| back.undone.is_none()));
    Ok(of)
}

/// The same with those that were taken back: mistakes first, then the oldest, and what of them falls on the payments'
/// parts in other currencies. Has the payments that these are parts of too.
pub fn told_of_payments<D: Db>(
    db: &D,
    keys: &[i64],
    known: i64,
) -> Result<BTreeMap<i64, Vec<Reversal>>, Fault> {
    let keys = crate::array(keys)?;
    let found: Vec<Found> =
        db.json(sql!("reversal/of_payments.sql"), &[(&keys).into(), known.into()])?;
    let found: Vec<(i64, Reversal)> = found.into_iter().map(reversal).collect();
    let standing = found.iter().map(|(payment, back)| match back.undone {
        None => (*payment, back.minor),
        Some(_) => (*payment, 0),
    });
    let falls = falls(db, &standing.collect::<Vec<_>>())?;
    let mut of: BTreeMap<i64, Vec<Reversal>> = BTreeMap::new();
    for ((payment, mut back), Fall { changed, parts }) in found.into_iter().zip(falls) {
        for OfPart { payment_key, currency, minor, cost_minor } in parts {
            let id = format!("{}/{currency}", back.id).parse().unwrap_or_else(|_| back.id.clone());
            let part = Reversal { id, minor, cost_minor, ..back.clone() };
            of.entry(payment_key).or_default().push(part);
        }
        back.converted_minor = Some(changed).filter(|changed| *changed > 0);
        of.entry(payment).or_default().push(back);
    }
    Ok(of)
}

fn reversal(row: Found) -> (i64, Reversal) {
    let (payment, id, on, kind, minor, reason, undone) = row;
    let (converted_minor, cost_minor) = (None, None);
    (payment, Reversal { id, on, kind, minor, reason, converted_minor, cost_minor, undone })
}
