//! Table `allocation`: which part of which payment or credit note was set against which invoice.

use crate::{Db, Fault};
use dunlin_domain::{
    Currency, Date, Id, Instant, Money,
    allocation::{Allocated, Claim, Credit, Source},
    contract::types::{Allocation, InvoiceKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// One customer's documents in one currency, and what is recorded of their allocation.
#[derive(Debug, Default)]
pub struct Book {
    /// What can be paid.
    pub claims: Vec<Claim>,
    /// What can pay.
    pub credits: Vec<Credit>,
    /// What is recorded, net.
    pub recorded: Vec<Allocated>,
}

/// An allocation with the keys of its documents.
#[derive(Debug)]
pub struct Part {
    pub invoice_key: i64,
    pub payment_key: Option<i64>,
    pub credit_key: Option<i64>,
    pub allocation: Allocation,
}

type DocumentRow = (i64, Currency, i64, Id, InvoiceKind, Date, Date, i64);
type PaymentRow = (i64, Currency, i64, Id, Date, i64, Option<i64>);
type RecordedRow = (i64, i64, Option<i64>, Option<i64>, Date, i64);
type PartRow = (i64, Option<i64>, Option<i64>, Id, Option<Id>, Option<Id>, Date, i64, Currency);

/// The customers whose allocations may change by what was added after these keys.
pub fn affected<D: Db>(db: &D, last_invoice: i64, last_payment: i64) -> Result<Vec<i64>, Fault> {
    db.json(
        include_str!("../sql/allocation/affected.sql"),
        &[last_invoice.into(), last_payment.into()],
    )
}

/// The whole books of these customers, by customer and currency.
pub fn books<D: Db>(db: &D, customers: &[i64]) -> Result<BTreeMap<(i64, Currency), Book>, Fault> {
    let keys = crate::array(customers)?;
    let mut books: BTreeMap<(i64, Currency), Book> = BTreeMap::new();
    let mut currency_of: BTreeMap<i64, Currency> = BTreeMap::new();
    let documents: Vec<DocumentRow> =
        db.json(include_str!("../sql/allocation/documents.sql"), &[(&keys).into()])?;
    for (customer, currency, key, id, kind, issued_on, due_on, amount_minor) in documents {
        let book = books.entry((customer, currency)).or_default();
        currency_of.insert(key, currency);
        if kind == InvoiceKind::CreditNote {
            book.credits.push(Credit {
                source: Source::Credit(key),
                id,
                on: issued_on,
                amount_minor,
                named: None,
            });
        } else {
            book.claims.push(Claim { key, id, issued_on, due_on, amount_minor });
        }
    }
    let payments: Vec<PaymentRow> =
        db.json(include_str!("../sql/allocation/payments.sql"), &[(&keys).into()])?;
    for (customer, currency, key, id, on, amount_minor, named) in payments {
        let book = books.entry((customer, currency)).or_default();
        book.credits.push(Credit { source: Source::Payment(key), id, on, amount_minor, named });
    }
    let recorded: Vec<RecordedRow> =
        db.json(include_str!("../sql/allocation/recorded.sql"), &[(&keys).into()])?;
    for (customer, claim, payment, credit, on, amount_minor) in recorded {
        let source = payment.map(Source::Payment).or(credit.map(Source::Credit));
        let (Some(source), Some(currency)) = (source, currency_of.get(&claim)) else {
            return Err(Fault::Db(format!(
                "an allocation of invoice {claim} has no source or no invoice"
            )));
        };
        let book = books.entry((customer, *currency)).or_default();
        book.recorded.push(Allocated { source, claim, on, amount_minor });
    }
    Ok(books)
}

/// Adds the corrections and brings `open_minor` and `unallocated_minor` into line with them.
pub fn record<D: Db>(db: &D, corrections: &[(i64, Allocated)], at: Instant) -> Result<(), Fault> {
    let mut taken_invoices: BTreeMap<i64, i64> = BTreeMap::new();
    let mut taken_payments: BTreeMap<i64, i64> = BTreeMap::new();
    let mut rows = Vec::with_capacity(corrections.len());
    for (customer, part) in corrections {
        let (payment, credit) = match part.source {
            Source::Payment(key) => (Some(key), None),
            Source::Credit(key) => (None, Some(key)),
        };
        rows.push((customer, part.claim, payment, credit, part.on, part.amount_minor));
        add(&mut taken_invoices, part.claim, part.amount_minor)?;
        match part.source {
            Source::Payment(key) => add(&mut taken_payments, key, part.amount_minor)?,
            Source::Credit(key) => add(&mut taken_invoices, key, part.amount_minor)?,
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let (rows, at) = (crate::array(&rows)?, at.to_string());
    db.execute(include_str!("../sql/allocation/insert_all.sql"), &[(&rows).into(), (&at).into()])?;
    let invoices = crate::array(&changed(taken_invoices))?;
    db.execute(include_str!("../sql/allocation/close_invoices.sql"), &[(&invoices).into()])?;
    let payments = crate::array(&changed(taken_payments))?;
    db.execute(include_str!("../sql/allocation/use_payments.sql"), &[(&payments).into()])?;
    Ok(())
}

fn add(sums: &mut BTreeMap<i64, i64>, key: i64, minor: i64) -> Result<(), Fault> {
    let sum = sums.entry(key).or_default();
    *sum = sum
        .checked_add(minor)
        .ok_or_else(|| Fault::Db("allocations of one document overflow".into()))?;
    Ok(())
}

fn changed(sums: BTreeMap<i64, i64>) -> Vec<(i64, i64)> {
    sums.into_iter().filter(|(_, minor)| *minor != 0).collect()
}

/// Every allocation of these customers up to the day, oldest first.
pub fn of_customers<D: Db>(db: &D, customers: &[&Id], day: Date) -> Result<Vec<Part>, Fault> {
    let ids: BTreeSet<&str> = customers.iter().map(|id| id.as_str()).collect();
    let ids = crate::array(&ids)?;
    let keys: Vec<i64> = db.json(
        "SELECT json_group_array(c.key) FROM json_each(?1) AS j CROSS JOIN customer AS c ON c.id = j.value",
        &[(&ids).into()],
    )?;
    let (keys, day) = (crate::array(&keys)?, day.to_string());
    let rows: Vec<PartRow> = db.json(
        include_str!("../sql/allocation/of_documents.sql"),
        &[(&keys).into(), (&day).into()],
    )?;
    Ok(rows
        .into_iter()
        .map(
            |(
                invoice_key,
                payment_key,
                credit_key,
                invoice_id,
                payment_id,
                credit_note_id,
                on,
                minor,
                currency,
            )| Part {
                invoice_key,
                payment_key,
                credit_key,
                allocation: Allocation {
                    invoice_id,
                    payment_id,
                    credit_note_id,
                    allocated_on: on,
                    amount: Money { minor, currency },
                },
            },
        )
        .collect())
}
