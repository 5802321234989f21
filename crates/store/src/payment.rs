//! Table `payment`: money received.

use crate::{Db, Fault, Param, correction, invoice::After};
use dunlin_domain::arrange::{arrange, mapped};
use dunlin_domain::{
    Currency, Date, Id, Refusal, Refused,
    contract::types::{Deduction, Designation, Difference},
    money::portion,
};
use std::{borrow::Cow, collections::BTreeMap};

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
    /// Of a part that was changed from another currency: what it cost in that. `None` also where that was not noted.
    pub cost_minor: Option<i64>,
}

type ItemRow = (
    (i64, Id, Id, Date, i64, Currency, Option<Id>, i64),
    (Vec<Designation>, Option<Id>, Option<Id>, Vec<Deduction>, Vec<Id>, Option<Id>, Option<i64>),
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
    pub designation: Cow<'a, [(i64, i64)]>,
    /// The document from which the bank's fee is deducted, and the fee.
    pub deduction: Option<(i64, i64)>,
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
            (!of.designation.is_empty()).then(|| crate::array(&of.designation)).transpose()?;
        let deducted = of.deduction.map(|(document, minor)| {
            format!("[[{document},{minor},\"{}\"]]", Difference::BankCharge.name())
        });
        names.push((named, of.currency.to_string(), deducted));
    }
    let mut values: Vec<Param<'_>> = Vec::with_capacity(payments.len().saturating_mul(10));
    for ((of, (named, currency, deducted)), key) in
        payments.iter().zip(&names).zip(after.saturating_add(1)..)
    {
        let day = of.received_on.and_then(|day| days.get(&day));
        let sum = of.designation.iter().fold(0i64, |sum, (_, minor)| sum.saturating_add(*minor));
        let whole = sum == of.minor;
        values.extend::<[Param<'_>; 10]>([
            key.into(),
            of.id.as_str().into(),
            of.customer.into(),
            day.map(String::as_str).into(),
            of.minor.into(),
            currency.into(),
            if whole { 0 } else { of.minor }.into(),
            named.as_deref().into(),
            deducted.as_deref().into(),
            entry.into(),
        ]);
    }
    let one = "INSERT INTO payment
        (key, id, customer_key, received_on, amount_minor, currency, unallocated_minor, designation, deductions,
         entry_key)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
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

/// Whether payments may be known under another name, or be what an entry of a statement was booked as.
pub fn known_otherwise_at_all<D: Db>(db: &D) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM bank_statement) OR EXISTS (SELECT 1 FROM payment_name)";
    Ok(db.int(sql, &[])? == 1)
}

/// The rows that are known under another name, or may be what an entry of a statement was booked as: row, why, payment.
pub fn known_otherwise<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String, Id)>, Fault> {
    db.json(sql!("payment/known_otherwise.sql"), &[rows.into()])
}

/// The rows without those of these numbers.
pub fn without<D: Db>(db: &D, rows: &str, left_out: &[u64]) -> Result<String, Fault> {
    let left_out = crate::array(left_out)?;
    let row = db.first(
        "SELECT json_group_array(json(j.value)) FROM json_each(?1) AS j
         WHERE j.value ->> 0 NOT IN (SELECT value FROM json_each(?2))",
        &[rows.into(), (&left_out).into()],
    )?;
    Ok(row.ok_or_else(|| Fault::Db("no rows are left".into()))?.text(0)?.to_string())
}

/// What a payment that is to have another name comes to: its key, whether customer and currency fit, how much of it has
/// no other name, whether a payment has the id, and whether the id is a name already, and the same.
pub type Nameable = (Option<i64>, i64, i64, Option<i64>, i64, Option<i64>);

/// What the payments of these rows come to, in their order. Rows as in `nameable.sql`.
pub fn nameable<D: Db>(db: &D, rows: &str) -> Result<Vec<Nameable>, Fault> {
    db.json(sql!("payment/nameable.sql"), &[rows.into()])
}

/// Gives payments other names: rows of name, payment's key, day and amount.
pub fn name<D: Db>(db: &D, rows: &impl serde::Serialize, entry: i64) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    keep_former(db, &rows, entry)?;
    db.execute(
        "INSERT INTO payment_name (id, payment_key, received_on, amount_minor, entry_key)
         SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, ?2 FROM json_each(?1) AS j WHERE true
         ON CONFLICT (id) DO UPDATE SET payment_key = excluded.payment_key, received_on = excluded.received_on,
             amount_minor = excluded.amount_minor, entry_key = excluded.entry_key",
        &[(&rows).into(), entry.into()],
    )?;
    Ok(())
}

/// Keeps names that are to be changed as they were: rows whose first member is the name.
fn keep_former<D: Db>(db: &D, rows: &str, entry: i64) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO payment_name_former (id, payment_key, entry_key, until_entry_key)
         SELECT n.id, n.payment_key, n.entry_key, ?2
         FROM json_each(?1) AS j CROSS JOIN payment_name AS n ON n.id = j.value ->> 0
         WHERE true ON CONFLICT DO NOTHING",
        &[rows.into(), entry.into()],
    )?;
    Ok(())
}

/// What is a payment of its own is no name of another one any more: rows as in `payment/insert_all.sql`.
pub fn unname<D: Db>(db: &D, rows: &str, entry: i64) -> Result<(), Fault> {
    let names: Vec<(Id,)> = db.json(
        "SELECT json_group_array(json_array(n.id))
         FROM json_each(?1) AS j
         CROSS JOIN payment_name AS n ON n.id = j.value ->> 1
         CROSS JOIN payment AS p ON p.id = n.id",
        &[rows.into()],
    )?;
    for (name,) in names {
        rename(db, &name, None, entry)?;
    }
    Ok(())
}

/// The other names of a payment, as they were known with an audit entry.
pub fn names<D: Db>(db: &D, key: i64, known: i64) -> Result<Vec<Id>, Fault> {
    db.json(
        "SELECT json_group_array(id) FROM (
             SELECT id FROM payment_name WHERE payment_key = ?1 AND coalesce(entry_key, 0) <= ?2
             UNION
             SELECT id FROM payment_name_former
             WHERE payment_key = ?1 AND coalesce(entry_key, 0) <= ?2 AND until_entry_key > ?2
             ORDER BY id
         )",
        &[key.into(), known.into()],
    )
}

/// The other names of a payment and its parts: each with the payment that takes the place of its one, where one does, and
/// what is said of it then.
pub fn names_of<D: Db>(
    db: &D,
    id: &Id,
    now: Option<i64>,
) -> Result<Vec<(Id, Option<i64>, serde_json::Value)>, Fault> {
    db.json(sql!("payment/names_of.sql"), &[id.as_str().into(), now.into()])
}

/// Has a name be another payment's, or nobody's.
pub fn rename<D: Db>(db: &D, name: &Id, now: Option<i64>, entry: i64) -> Result<(), Fault> {
    keep_former(db, &crate::array(&[(name,)])?, entry)?;
    let name = name.as_str();
    match now {
        Some(now) => db.execute(
            "UPDATE payment_name SET payment_key = ?2, entry_key = ?3 WHERE id = ?1",
            &[name.into(), now.into(), entry.into()],
        )?,
        None => db.execute("DELETE FROM payment_name WHERE id = ?1", &[name.into()])?,
    };
    Ok(())
}

/// What is known of a payment under another name of it: of a part in another currency what that cost of the payment.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub minor: i64,
    /// How much of it did not go back under this name.
    pub left: i64,
    /// What the bank kept of the payment: its source may know it as before that.
    pub fee: i64,
}

/// How much is known of a payment under another name of it.
pub fn share<D: Db>(db: &D, name: &Id) -> Result<Option<Share>, Fault> {
    let row = db.first(sql!("payment/share.sql"), &[name.as_str().into()])?;
    let Some(row) = row else { return Ok(None) };
    let fee = key(db, name)?.map_or(Ok(0), |(key, _)| crate::bank::fee(db, key))?;
    let minor = portion(row.int(3)?, row.int(0)?, row.int(2)?);
    Ok(Some(Share { minor, left: minor.saturating_sub(row.int(1)?), fee }))
}

/// The key behind an id or another name, and the customer's.
pub fn key<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, i64)>, Fault> {
    let sql = "SELECT key, customer_key FROM payment
        WHERE key = coalesce(
            (SELECT key FROM payment WHERE id = ?1), (SELECT payment_key FROM payment_name WHERE id = ?1)
        )";
    let row = db.first(sql, &[id.as_str().into()])?;
    row.map(|row| Ok((row.int(0)?, row.int(1)?))).transpose()
}

/// The amount of the payment of this key.
pub fn amount<D: Db>(db: &D, key: i64) -> Result<i64, Fault> {
    db.int("SELECT amount_minor FROM payment WHERE key = ?1", &[key.into()])
}

/// The id of the payment of this key, and of the one that it was changed from.
pub fn id<D: Db>(db: &D, key: i64) -> Result<(Id, Option<Id>), Fault> {
    let sql =
        "SELECT p.id, w.id FROM payment AS p LEFT JOIN payment AS w ON w.key = p.converted_from_key
               WHERE p.key = ?1";
    let row = db.first(sql, &[key.into()])?;
    let row = row.ok_or_else(|| Fault::Db("a payment is gone while it is written".into()))?;
    Ok((row.parse(0)?, row.text_or_null(1)?.map(str::parse).transpose()?))
}

/// The key of a customer's contract that a payment names.
pub fn contract<D: Db>(db: &D, id: &Id, customer: i64) -> Result<i64, Fault> {
    let sql = "SELECT key FROM contract WHERE id = ?1 AND customer_key = ?2";
    let row = db.first(sql, &[id.as_str().into(), customer.into()])?;
    let refused =
        || Refused::new(Refusal::UnknownContract, "the customer has no contract of this id");
    row.ok_or_else(|| Fault::from(refused().at("contract_id")))?.int(0)
}

/// The payments in other currencies that are parts of these, each with the payment it is a part of.
pub fn parts<D: Db>(db: &D, keys: &[i64]) -> Result<Vec<(i64, Item)>, Fault> {
    let keys = crate::array(keys)?;
    let of: Vec<(i64, i64)> = db.json(
        "SELECT json_group_array(json_array(p.key, p.converted_from_key))
         FROM json_each(?1) AS j CROSS JOIN payment AS p ON p.converted_from_key = j.value",
        &[(&keys).into()],
    )?;
    let of = mapped(of);
    let parts = by_keys(db, &of.keys().copied().collect::<Vec<_>>(), i64::MAX)?;
    Ok(parts.into_iter().filter_map(|part| Some((*of.get(&part.key)?, part))).collect())
}

fn by_keys<D: Db>(db: &D, keys: &[i64], known: i64) -> Result<Vec<Item>, Fault> {
    let (text, last) = (crate::array(keys)?, Date::LAST.to_string());
    let (none, most) = (Param::Null, i64::try_from(keys.len()).unwrap_or(i64::MAX));
    let params: [Param<'_>; 8] = [
        "".into(),
        0i64.into(),
        most.into(),
        (&last).into(),
        none,
        none,
        known.into(),
        (&text).into(),
    ];
    let rows: Vec<ItemRow> = db.json(sql!("payment/items.sql"), &params)?;
    Ok(rows.into_iter().map(item).collect())
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
    let mut items = by_keys(db, &keys, known)?;
    restore(db, &mut items, known)?;
    arrange(&mut items, |a, b| (a.received_on, a.key).cmp(&(b.received_on, b.key)));
    Ok(items)
}

fn item(row: ItemRow) -> Item {
    let (
        (key, id, customer_id, received_on, amount_minor, currency, invoice_id, converted_minor),
        more,
    ) = row;
    let (designation, order, contract_id, deductions, settles, converted_from, cost_minor) = more;
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
        cost_minor,
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
        if let Some(invoice) = &before.invoice_id {
            item.invoice_id = (!invoice.is_empty()).then(|| invoice.parse()).transpose()?;
        }
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

/// Gives a payment another day, amount and what it names, an invoice by its id and others as they are stored, and says how
/// much too much was taken off what is not allocated so that it stays between zero and the amount until the replay puts it
/// right.
pub fn correct<D: Db>(
    db: &D,
    key: i64,
    received_on: Date,
    amount_minor: i64,
    invoice: Option<&Id>,
    designation: &str,
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
             invoice_key = (SELECT key FROM invoice WHERE id = ?5), designation = nullif(?6, '[]')
         WHERE key = ?1",
        &[
            key.into(),
            (&received_on).into(),
            amount_minor.into(),
            held.into(),
            invoice.map(Id::as_str).into(),
            designation.into(),
        ],
    )?;
    Ok(held.saturating_sub(exact))
}

/// The designation of a payment by keys, as it is stored or would be.
pub fn designation<D: Db>(db: &D, key: i64) -> Result<String, Fault> {
    let sql = "SELECT coalesce(designation, '[]') FROM payment WHERE key = ?1";
    let row = db.first(sql, &[key.into()])?;
    Ok(row.ok_or_else(|| Fault::Db("a payment is gone".into()))?.text(0)?.to_string())
}
