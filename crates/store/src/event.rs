//! Table `event`: the one order of what happened. A row says where in the ledger to read what it led to.

use crate::{Db, Fault, invoice, payment};
use dunlin_domain::{
    Currency, Date, Id, Instant,
    contract::{
        events::EventData,
        types::{Difference, InvoiceKind},
    },
};

/// Up to which keys documents, payments and allocations were recorded when something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub invoices: i64,
    pub payments: i64,
    pub allocations: i64,
}

/// A row of the order, with what the audit chain and the ledger know of it.
#[derive(Clone, Debug)]
pub struct Header {
    pub key: i64,
    pub entry: Option<i64>,
    pub at: Instant,
    /// What it is called, where it is no entry of the audit chain.
    pub kind: Option<String>,
    /// The entry's noun and action.
    pub change: Option<(String, String)>,
    pub subject: Option<String>,
    pub customer_key: Option<i64>,
    pub customer_id: Option<Id>,
    pub data: Option<EventData>,
    /// Whether it is of a write-off that was booked with it.
    pub booked: bool,
    pub marks: Marks,
    /// After which customer, and up to which, it made customers.
    pub customers: (i64, i64),
}

/// Rows by the change that led to them: change, after this key, up to this one.
pub type Span = (i64, i64, i64);

/// Allocations by their change: change, after, up to, and the first and last of all that it recorded.
pub type Stretch = (i64, i64, i64, i64, i64);

/// A customer by the change that made it: change, key, id, and of the one that stayed after a merge, else of itself, key
/// and id.
pub type Customer = (i64, i64, Id, i64, Id);

/// A document as it read when it was recorded: change, key, id, kind, customer, its id, issued, due, amount, currency,
/// entry.
pub type Document = (i64, i64, Id, InvoiceKind, i64, Id, Date, Date, i64, Currency, Option<i64>);

/// A payment the same way: change, key, id, customer, its id, received, amount, currency, entry.
pub type Paid = (i64, i64, Id, i64, Id, Date, i64, Currency, Option<i64>);

/// An allocation: change, key, customer, its id, document, payment, credit note, difference, day, amount, currency,
/// entry, and of the document what is open after the change, how much the change moved, and whether this is its last.
pub type Allocated = (
    i64,
    i64,
    i64,
    Id,
    Option<Id>,
    Option<Id>,
    Option<Id>,
    Option<Difference>,
    Date,
    i64,
    Option<Currency>,
    Option<i64>,
    (Option<i64>, i64, i64),
);

/// Notes changes of the audit chain, in their order, before they record anything.
pub fn changed<D: Db>(db: &D, entries: &[i64], makes_customers: bool) -> Result<(), Fault> {
    let entries = crate::array(entries)?;
    let params = [(&entries).into(), i64::from(makes_customers).into()];
    db.execute(sql!("event/insert_change.sql"), &params)?;
    Ok(())
}

/// Says of the last row, which noted this entry, that it made the customers since, where it may make any.
pub fn completed<D: Db>(db: &D, entry: i64) -> Result<(), Fault> {
    db.execute(
        "UPDATE event SET customers_upto = (SELECT coalesce(max(key), 0) FROM customer)
         WHERE key = (SELECT max(key) FROM event) AND entry_key = ?1 AND customers_after IS NOT NULL",
        &[entry.into()],
    )?;
    Ok(())
}

/// Says more of the last row, which noted this entry, than its entry tells everybody.
pub fn said<D: Db>(db: &D, entry: i64, data: &EventData) -> Result<(), Fault> {
    let data =
        serde_json::to_string(data).map_err(|e| Fault::Db(format!("an event as JSON: {e}")))?;
    db.execute(
        "UPDATE event SET data = ?2 WHERE key = (SELECT max(key) FROM event) AND entry_key = ?1",
        &[entry.into(), (&data).into()],
    )?;
    Ok(())
}

/// Takes the last row back, which noted this entry. Only for the transaction that added it.
pub fn forget<D: Db>(db: &D, entry: i64) -> Result<(), Fault> {
    db.execute(
        "DELETE FROM event WHERE key = (SELECT max(key) FROM event) AND entry_key = ?1",
        &[entry.into()],
    )?;
    Ok(())
}

/// Adds what is in no audit entry: kind, customer, subject, data.
pub fn add_all<D: Db>(
    db: &D,
    rows: &[(&str, i64, Id, EventData)],
    at: Instant,
) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let row = |(kind, customer, subject, data): &(&str, i64, Id, EventData)| {
        Ok((kind.to_string(), *customer, subject.clone(), crate::array(data)?))
    };
    let rows = rows.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
    let (rows, at) = (crate::array(&rows)?, at.to_string());
    db.execute(sql!("event/insert_all.sql"), &[(&rows).into(), (&at).into()])?;
    Ok(())
}

/// Alerts that stood behind another one and are open by now.
pub fn add_taken_up_alerts<D: Db>(db: &D, rows: &str, at: &str) -> Result<(), Fault> {
    db.execute(sql!("event/insert_taken_up_alerts.sql"), &[rows.into(), at.into()])?;
    Ok(())
}

/// Adds that alerts are about to be ended: customer, rule, currency as JSON.
pub fn add_ended_alerts<D: Db>(db: &D, rows: &str, at: &str) -> Result<(), Fault> {
    let params = [rows.into(), at.into()];
    db.execute(sql!("event/insert_ended_alerts.sql"), &params)?;
    Ok(())
}

/// Adds that alerts are about to rise: customer, rule, currency, severity, owner as JSON.
pub fn add_escalated_alerts<D: Db>(db: &D, rows: &str, at: &str) -> Result<(), Fault> {
    let params = [rows.into(), at.into()];
    db.execute(sql!("event/insert_escalated_alerts.sql"), &params)?;
    Ok(())
}

/// Adds what became of notices: key and kind of event.
pub fn add_settled_notices<D: Db>(
    db: &D,
    settled: &[(i64, &str)],
    at: Instant,
) -> Result<(), Fault> {
    if settled.is_empty() {
        return Ok(());
    }
    let (rows, at) = (crate::array(settled)?, at.to_string());
    let params = [(&rows).into(), (&at).into()];
    db.execute(sql!("event/insert_settled_notices.sql"), &params)?;
    Ok(())
}

/// Rows of the order from a key on.
pub fn headers<D: Db>(db: &D, from: i64, limit: i64) -> Result<Vec<Header>, Fault> {
    type Row = (
        (i64, Option<i64>, Instant, Option<String>, Option<String>, Option<String>),
        (Option<String>, Option<i64>, Option<Id>, Option<EventData>, i64),
        (i64, i64, i64, (i64, i64)),
    );
    let rows: Vec<Row> = db.json(sql!("event/headers.sql"), &[from.into(), limit.into()])?;
    let header = |(head, what, marks): Row| Header {
        key: head.0,
        entry: head.1,
        at: head.2,
        kind: head.3,
        change: head.4.zip(head.5),
        subject: what.0,
        customer_key: what.1,
        customer_id: what.2,
        data: what.3,
        booked: what.4 != 0,
        marks: Marks { invoices: marks.0, payments: marks.1, allocations: marks.2 },
        customers: marks.3,
    };
    let mut headers: Vec<Header> = rows.into_iter().map(header).collect();
    headers.sort_by_key(|header| header.key);
    Ok(headers)
}

/// Up to which keys everything is recorded now.
pub fn marks<D: Db>(db: &D) -> Result<Marks, Fault> {
    Ok(Marks {
        invoices: invoice::last_key(db)?,
        payments: payment::last_key(db)?,
        allocations: db.int("SELECT coalesce(max(key), 0) FROM allocation", &[])?,
    })
}

/// The last row of the order, 0 when nothing has happened.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM event", &[])
}

/// Customers by the change that made them.
pub fn customers<D: Db>(db: &D, spans: &[Span]) -> Result<Vec<Customer>, Fault> {
    read(db, sql!("event/customers.sql"), spans)
}

/// Documents by the change that recorded them.
pub fn invoices<D: Db>(db: &D, spans: &[Span]) -> Result<Vec<Document>, Fault> {
    read(db, sql!("event/invoices.sql"), spans)
}

/// Payments by the change that recorded them.
pub fn payments<D: Db>(db: &D, spans: &[Span]) -> Result<Vec<Paid>, Fault> {
    read(db, sql!("event/payments.sql"), spans)
}

/// Allocations by the change that recorded them.
pub fn allocations<D: Db>(db: &D, stretches: &[Stretch]) -> Result<Vec<Allocated>, Fault> {
    read(db, sql!("event/allocations.sql"), stretches)
}

fn read<D: Db, S: serde::Serialize, T: serde::de::DeserializeOwned>(
    db: &D,
    sql: &str,
    spans: &[S],
) -> Result<Vec<T>, Fault> {
    if spans.is_empty() {
        return Ok(Vec::new());
    }
    let spans = crate::array(spans)?;
    db.json(sql, &[(&spans).into()])
}
