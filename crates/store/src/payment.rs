//! Table `payment`: money received.

use crate::{Db, Fault, Param, correction, invoice::After};
use dunlin_domain::{
    Currency, Date, Id, Refusal, Refused,
    contract::types::{Deduction, Designation},
};
use std::collections::BTreeMap;

/// A payment as it is stored.
#[derive(Clone, Debug)]
pub struct Item {
    pub key: i64,
    pub id: Id,
    pub customer_id: Id,
    pub received_on: Date,
    pub amount_minor: i64,
    pub currency: Currency,
    pub invoice_id: Option<Id>,
    pub converted_minor: i64,
    pub designation: Vec<Designation>,
    pub order: Option<Id>,
    pub contract_id: Option<Id>,
    pub deductions: Vec<Deduction>,
    pub settles: Vec<Id>,
    pub converted_from: Option<Id>,
}

type ItemRow = (
    (i64, Id, Id, Date, i64, Currency, Option<Id>, i64),
    (Vec<Designation>, Option<Id>, Option<Id>, Vec<Deduction>, Vec<Id>, Option<Id>),
);

/// Adds the rows whose id is new and whose names are right, and says how many were.
pub fn insert_all<D: Db>(db: &D, rows: &str, entry: Option<i64>) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(sql!("payment/insert_all.sql"), &[rows.into(), entry.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// A payment that an entry of a bank statement was booked as.
#[derive(Debug)]
pub struct Booked<'a> {
    pub id: String,
    pub customer: i64,
    pub received_on: Option<Date>,
    pub minor: i64,
    pub currency: Currency,
    /// Keys of documents, and how much each is to have.
    pub designation: &'a [(i64, i64)],
}

/// Adds payments out of bank statements under the keys after this one; gives how many. What names documents for
/// all of it is taken to be used up by them: [`allocation::append`](crate::allocation::append) sets it against them, and
/// [`free`] is for the customers of whom it does not.
pub fn insert_booked<D: Db>(
    db: &D,
    after: i64,
    payments: &[Booked<'_>],
    entry: i64,
) -> Result<u64, Fault> {
    let (mut days, mut names) = (BTreeMap::new(), Vec::with_capacity(payments.len()));
    for of in payments {
        if let Some(day) = of.received_on {
            days.entry(day).or_insert_with(|| day.to_string());
        }
        let named =
            (!of.designation.is_empty()).then(|| crate::array(of.designation)).transpose()?;
        names.push((named, of.currency.to_string()));
    }
    let mut values: Vec<Param<'_>> = Vec::with_capacity(payments.len().saturating_mul(9));
    for ((of, (named, currency)), key) in payments.iter().zip(&names).zip(after.saturating_add(1)..)
    {
        let day = of.received_on.and_then(|day| days.get(&day));
        let sum = of.designation.iter().fold(0i64, |sum, (_, minor)| sum.saturating_add(*minor));
        let whole = sum == of.minor;
        values.extend::<[Param<'_>; 9]>([
            key.into(),
            of.id.as_str().into(),
            of.customer.into(),
            day.map(String::as_str).into(),
            of.minor.into(),
            currency.into(),
            if whole { 0 } else { of.minor }.into(),
            named.as_deref().into(),
            entry.into(),
        ]);
    }
    let one = "INSERT INTO payment
        (key, id, customer_key, received_on, amount_minor, currency, unallocated_minor, designation, entry_key)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
    crate::insert_values(db, one, &values)?;
    let added = db.int("SELECT count(*) FROM payment WHERE key > ?1", &[after.into()])?;
    Ok(u64::try_from(added).unwrap_or(0))
}

/// Has the payments after a key that these customers made be used by nothing, so that a replay uses them.
pub fn free<D: Db>(db: &D, customers: &[i64], after: i64) -> Result<(), Fault> {
    let customers = crate::array(customers)?;
    db.execute(sql!("payment/free.sql"), &[(&customers).into(), after.into()])?;
    Ok(())
}

/// The rows whose id is stored with other content, and the field that differs.
pub fn differing<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String)>, Fault> {
    db.json(sql!("payment/differing.sql"), &[rows.into()])
}

/// The rows that name an invoice which they cannot pay, and why.
pub fn misnamed<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, Refusal)>, Fault> {
    db.json(sql!("payment/misnamed.sql"), &[rows.into()])
}

/// The key of the payment that was added last. Keys only grow: nothing is deleted.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM payment", &[])
}

/// The key behind an id, and the customer's.
pub fn key<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, i64)>, Fault> {
    let sql = "SELECT key, customer_key FROM payment WHERE id = ?1";
    let row = db.first(sql, &[id.as_str().into()])?;
    row.map(|row| Ok((row.int(0)?, row.int(1)?))).transpose()
}

/// The key of a customer's contract that a payment names.
pub fn contract<D: Db>(db: &D, id: &Id, customer: i64) -> Result<i64, Fault> {
    let sql = "SELECT key FROM contract WHERE id = ?1 AND customer_key = ?2";
    let row = db.first(sql, &[id.as_str().into(), customer.into()])?;
    let refused =
        || Refused::new(Refusal::UnknownContract, "the customer has no contract of this id");
    row.ok_or_else(|| Fault::from(refused().at("contract_id")))?.int(0)
}

/// The payments in other currencies that are parts of this one.
pub fn parts<D: Db>(db: &D, key: i64) -> Result<Vec<Id>, Fault> {
    db.json(
        "SELECT json_group_array(id) FROM (SELECT id FROM payment WHERE converted_from_key = ?1 ORDER BY key)",
        &[key.into()],
    )
}

/// The payment as it was known with an audit entry. `None` when it is not there or was received after the day.
pub fn get<D: Db>(db: &D, id: &Id, day: Date, known: i64) -> Result<Option<Item>, Fault> {
    Ok(select(db, &(String::new(), 0), 1, day, None, Some(id), known)?.pop())
}

/// The customer's payments in the order of their days, as far as they were received by the day.
pub fn page<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    day: Date,
    known: i64,
) -> Result<Vec<Item>, Fault> {
    select(db, after, limit, day, Some(customer), None, known)
}

fn select<D: Db>(
    db: &D,
    after: &After,
    limit: u32,
    day: Date,
    customer: Option<&Id>,
    only: Option<&Id>,
    known: i64,
) -> Result<Vec<Item>, Fault> {
    let text = day.to_string();
    let (customer, only) = (customer.map(Id::as_str), only.map(Id::as_str));
    let most = i64::from(limit).into();
    let params: [Param<'_>; 8] = [
        (&after.0).into(),
        after.1.into(),
        most,
        (&text).into(),
        customer.into(),
        only.into(),
        known.into(),
        Param::Null,
    ];
    let sql = sql!("payment/items.sql");
    if known == i64::MAX {
        let rows: Vec<ItemRow> = db.json(sql, &params)?;
        return Ok(rows.into_iter().map(item).collect());
    }
    // A payment that was corrected to another day was known under the one before.
    let [then @ .., _] = &params;
    let keys: Vec<i64> = db.json(sql!("payment/page_known.sql"), then)?;
    let (keys, last) = (crate::array(&keys)?, Date::LAST.to_string());
    let none = Param::Null;
    let rows: Vec<ItemRow> = db.json(
        sql,
        &["".into(), 0i64.into(), most, (&last).into(), none, none, known.into(), (&keys).into()],
    )?;
    let mut items: Vec<Item> = rows.into_iter().map(item).collect();
    restore(db, &mut items, known)?;
    items.sort_by_key(|item| (item.received_on, item.key));
    Ok(items)
}

fn item(row: ItemRow) -> Item {
    let (
        (key, id, customer_id, received_on, amount_minor, currency, invoice_id, converted_minor),
        more,
    ) = row;
    let (designation, order, contract_id, deductions, settles, converted_from) = more;
    Item {
        key,
        id,
        customer_id,
        received_on,
        amount_minor,
        currency,
        invoice_id,
        converted_minor,
        designation,
        order,
        contract_id,
        deductions,
        settles,
        converted_from,
    }
}

/// Puts back what was corrected later.
fn restore<D: Db>(db: &D, items: &mut [Item], known: i64) -> Result<(), Fault> {
    let keys: Vec<i64> = items.iter().map(|item| item.key).collect();
    let before = correction::of_payments(db, &keys, known)?;
    for item in items {
        let Some(before) = before.get(&item.key) else { continue };
        item.received_on = before.received_on.unwrap_or(item.received_on);
        item.amount_minor = before.amount_minor.unwrap_or(item.amount_minor);
        if let Some(designation) = &before.designation {
            item.designation = db.json(
                "SELECT json_group_array(json_object('invoice_id', n.id, 'minor', d.value ->> 1))
                 FROM json_each(?1) AS d CROSS JOIN invoice AS n ON n.key = d.value ->> 0",
                &[designation.into()],
            )?;
        }
    }
    Ok(())
}

/// Gives a payment another day, amount or designation, and says how much too much was taken off what is not allocated
/// so that it stays between zero and the amount until the replay puts it right.
pub fn correct<D: Db>(
    db: &D,
    key: i64,
    received_on: Date,
    amount_minor: i64,
    designation: Option<&str>,
) -> Result<i64, Fault> {
    let row = db.first(
        "SELECT amount_minor, unallocated_minor FROM payment WHERE key = ?1",
        &[key.into()],
    )?;
    let row = row.ok_or_else(|| Fault::Db("a corrected payment is gone".into()))?;
    let (before, free) = (row.int(0)?, row.int(1)?);
    let exact = free.saturating_add(amount_minor.saturating_sub(before));
    let held = exact.clamp(0, amount_minor);
    let received_on = received_on.to_string();
    db.execute(
        "UPDATE payment SET received_on = ?2, amount_minor = ?3, unallocated_minor = ?4,
             invoice_key = CASE WHEN ?5 IS NULL THEN invoice_key END, designation = coalesce(?5, designation)
         WHERE key = ?1",
        &[key.into(), (&received_on).into(), amount_minor.into(), held.into(), designation.into()],
    )?;
    Ok(held.saturating_sub(exact))
}

/// The designation of a payment by keys, as it is stored.
pub fn designation<D: Db>(db: &D, key: i64) -> Result<Option<String>, Fault> {
    let row = db.first("SELECT designation FROM payment WHERE key = ?1", &[key.into()])?;
    let row = row.ok_or_else(|| Fault::Db("a payment is gone".into()))?;
    Ok(row.text_or_null(0)?.map(str::to_string))
}
