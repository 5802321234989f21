//! What was open of a customer's documents day by day, as delinquent days are told from.

use crate::{Db, Fault, When, pause};
use dunlin_domain::{Date, Id, contract::types::InvoiceKind, delinquency::Part};

/// The document or instalment of this id: its key, customer, kind and day.
pub fn document<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, i64, InvoiceKind, Date)>, Fault> {
    let row = db.first(
        "SELECT key, customer_key, kind, issued_on FROM invoice WHERE id = ?1",
        &[id.as_str().into()],
    )?;
    row.map(|row| Ok((row.int(0)?, row.int(1)?, row.parse(2)?, row.parse(3)?))).transpose()
}

/// The claims of a customer that were there on the day and known then, or one document and its instalments.
pub fn parts<D: Db>(
    db: &D,
    customer: i64,
    document: Option<i64>,
    when: When,
) -> Result<Vec<Part>, Fault> {
    type Found = (i64, Date, Date, i64, Vec<(Date, i64, i64)>);
    let text = when.day.to_string();
    let found: Vec<Found> = db.json(
        sql!("delinquency/parts.sql"),
        &[customer.into(), document.into(), (&text).into(), when.known.into()],
    )?;
    let pauses = pause::of_customers(db, &[customer], Some(when.known))?;
    let part = |(key, issued_on, due_on, amount, allocated): Found| {
        let (mut left, mut given) = (amount, 0i64);
        let (mut open, mut given_up) = (vec![(issued_on, amount)], Vec::new());
        for (on, minor, given_minor) in allocated {
            left = left.saturating_sub(minor);
            open.push((on, left));
            given = given.saturating_add(given_minor);
            given_up.push((on, given));
        }
        Part { due_on, open, given_up, pauses: pause::of_document(pauses.get(&customer), key) }
    };
    Ok(found.into_iter().map(part).collect())
}
