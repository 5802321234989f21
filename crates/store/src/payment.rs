//! Table `payment`: money received.

use crate::{Db, Fault, Param, allocation, invoice::After};
use dunlin_domain::{Currency, Date, Id, Money, Refusal, contract::types::Payment};

/// A row of `page.sql`.
type Found = (i64, Id, Id, Date, i64, Currency, Option<Id>, i64);

/// Adds the rows whose id is new and whose names are right, and says how many were.
pub fn insert_all<D: Db>(db: &D, rows: &str) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(include_str!("../sql/payment/insert_all.sql"), &[rows.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// The rows whose id is stored with other content, and the field that differs.
pub fn differing<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String)>, Fault> {
    db.json(include_str!("../sql/payment/differing.sql"), &[rows.into()])
}

/// The rows that name an invoice which they cannot pay, and why.
pub fn misnamed<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, Refusal)>, Fault> {
    db.json(include_str!("../sql/payment/misnamed.sql"), &[rows.into()])
}

/// The key of the payment that was added last. Keys only grow: nothing is deleted.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM payment", &[])
}

/// The payment as it stood on the day. `None` when it is not there or was received later.
pub fn get<D: Db>(db: &D, id: &Id, day: Date) -> Result<Option<Payment>, Fault> {
    Ok(select(db, &(String::new(), 0), 1, day, None, Some(id))?.pop().map(|(payment, _)| payment))
}

/// The customer's payments in the order of their days, as they stood on the day.
pub fn page<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    day: Date,
) -> Result<Vec<(Payment, After)>, Fault> {
    select(db, after, limit, day, Some(customer), None)
}

fn select<D: Db>(
    db: &D,
    after: &After,
    limit: u32,
    day: Date,
    customer: Option<&Id>,
    only: Option<&Id>,
) -> Result<Vec<(Payment, After)>, Fault> {
    let text = day.to_string();
    let (customer, only) = (customer.map(Id::as_str), only.map(Id::as_str));
    let params: [Param<'_>; 6] = [
        (&after.0).into(),
        after.1.into(),
        i64::from(limit).into(),
        (&text).into(),
        customer.into(),
        only.into(),
    ];
    let found: Vec<Found> = db.json(include_str!("../sql/payment/page.sql"), &params)?;
    let customers: Vec<&Id> = found.iter().map(|row| &row.2).collect();
    let allocations = allocation::of_customers(db, &customers, day)?;
    Ok(found
        .into_iter()
        .map(|(key, id, customer_id, received_on, amount, currency, invoice_id, unallocated)| {
            let of_this = allocations.iter().filter(|part| part.payment_key == Some(key));
            let payment = Payment {
                id,
                customer_id,
                received_on,
                amount: Money { minor: amount, currency },
                invoice_id,
                unallocated: Money { minor: unallocated, currency },
                allocations: of_this.map(|part| part.allocation.clone()).collect(),
            };
            (payment, (received_on.to_string(), key))
        })
        .collect())
}
