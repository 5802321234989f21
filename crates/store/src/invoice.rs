//! Table `invoice`: what was claimed, and for a credit note what was taken off.

use crate::{Db, Fault, Param, allocation};
use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::types::{Invoice, InvoiceKind},
};

/// A row of `page.sql` and `get.sql`.
type Found = (i64, Id, Id, InvoiceKind, Date, Date, i64, Currency, i64, i64);

/// Where a page of invoices ended.
pub type After = (String, i64);

/// Adds the rows whose id is new and whose customer is there, and says how many were.
pub fn insert_all<D: Db>(db: &D, rows: &str) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(include_str!("../sql/invoice/insert_all.sql"), &[rows.into()])?;
    Ok(crate::added(before, last_key(db)?))
}

/// The rows whose id is stored with other content, and the field that differs.
pub fn differing<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String)>, Fault> {
    db.json(include_str!("../sql/invoice/differing.sql"), &[rows.into()])
}

/// The key of the invoice that was added last. Keys only grow: nothing is deleted.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM invoice", &[])
}

/// The invoice as it stood on the day. `None` when it is not there or was issued later.
pub fn get<D: Db>(db: &D, id: &Id, day: Date) -> Result<Option<Invoice>, Fault> {
    let text = day.to_string();
    let found: Vec<Found> =
        db.json(include_str!("../sql/invoice/get.sql"), &[id.as_str().into(), (&text).into()])?;
    Ok(complete(db, found, day)?.pop().map(|(invoice, _)| invoice))
}

/// The customer's invoices in the order of their due dates, as they stood on the day, and where each page would go on.
pub fn page<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    day: Date,
) -> Result<Vec<(Invoice, After)>, Fault> {
    let text = day.to_string();
    let params: [Param<'_>; 5] = [
        (&after.0).into(),
        after.1.into(),
        i64::from(limit).into(),
        (&text).into(),
        customer.as_str().into(),
    ];
    let found: Vec<Found> = db.json(include_str!("../sql/invoice/page.sql"), &params)?;
    complete(db, found, day)
}

fn complete<D: Db>(db: &D, found: Vec<Found>, day: Date) -> Result<Vec<(Invoice, After)>, Fault> {
    let customers: Vec<&Id> = found.iter().map(|row| &row.2).collect();
    let allocations = allocation::of_customers(db, &customers, day)?;
    Ok(found
        .into_iter()
        .map(|(key, id, customer_id, kind, issued_on, due_on, amount, currency, disputed, open)| {
            let of_this = allocations
                .iter()
                .filter(|part| part.invoice_key == key || part.credit_key == Some(key));
            let invoice = Invoice {
                id,
                customer_id,
                kind,
                issued_on,
                due_on,
                amount: Money { minor: amount, currency },
                disputed: disputed != 0,
                open: Money { minor: open, currency },
                days_past_due: if open > 0 && kind != InvoiceKind::CreditNote {
                    day.days_past_due(due_on)
                } else {
                    0
                },
                allocations: of_this.map(|part| part.allocation.clone()).collect(),
            };
            (invoice, (due_on.to_string(), key))
        })
        .collect())
}
