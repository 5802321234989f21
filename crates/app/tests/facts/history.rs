//! What is recorded, read row by row for the plain definitions.

use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::{
        ledger::CustomerPart,
        types::{InvoiceKind, ReversalKind},
    },
    facts::plain::{Contested, Document, History, Ledger, Row, Source},
};
use dunlin_store::{Db, native::NativeDb};
use serde::de::DeserializeOwned;

/// The rows of a SELECT of one JSON column.
fn rows<T: DeserializeOwned>(db: &NativeDb, sql: &str) -> Vec<T> {
    let rows = db.execute(sql, &[]).unwrap_or_else(|e| panic!("{e:?}: {sql}"));
    rows.iter().map(|row| row.json(0).unwrap()).collect()
}

type DocumentRow = (i64, String, Option<i64>, InvoiceKind, Currency, Date, Date, i64);

fn ledger(db: &NativeDb, customer: i64) -> Ledger {
    let documents = rows::<DocumentRow>(
        db,
        &format!(
            "SELECT json_array(key, id, parent_key, kind, currency, issued_on, due_on, amount_minor)
             FROM invoice WHERE customer_key = {customer}"
        ),
    );
    let documents =
        documents.into_iter().map(|(key, id, whole, kind, currency, issued_on, due_on, minor)| {
            Document { key, id, whole, kind, currency, issued_on, due_on, minor }
        });
    let recorded = rows::<(i64, Option<i64>, Option<String>, Date, i64)>(
        db,
        &format!(
            "SELECT json_array(invoice_key, payment_key, difference, allocated_on, amount_minor)
             FROM allocation WHERE customer_key = {customer} AND invoice_key IS NOT NULL"
        ),
    );
    let row =
        |(claim, payment, difference, on, minor): (i64, Option<i64>, Option<String>, _, _)| {
            let discount = difference.as_deref() == Some("early-payment-discount");
            let other = if discount { Source::Discount } else { Source::Other };
            Row { claim, from: payment.map_or(other, Source::Payment), on, minor }
        };
    Ledger { documents: documents.collect(), rows: recorded.into_iter().map(row).collect() }
}

/// The histories of all customers, by key.
pub fn all(db: &NativeDb) -> Vec<History> {
    type Customer = (i64, Id, Option<i64>, Option<Currency>, Option<i64>);
    let customers: Vec<Customer> = rows(
        db,
        "SELECT json_array(key, id, limit_minor, limit_currency, parent_key) FROM customer ORDER BY key",
    );
    let head = |of: &Customer| of.4.unwrap_or(of.0);
    let history = |of: &Customer| {
        let key = of.0;
        let group = customers.iter().filter(|other| head(other) == head(of) && other.0 != key);
        let others: Vec<Ledger> = group.map(|other| ledger(db, other.0)).collect();
        let disputes = rows(
            db,
            &format!(
                "SELECT json_array(invoice_key, opened_on, resolved_on, minor) FROM dispute
                 WHERE customer_key = {key}"
            ),
        );
        let contested = |(document, on, until, minor)| Contested { document, on, until, minor };
        History {
            customer: of.1.clone(),
            limit: of.2.zip(of.3).map(|(minor, currency)| Money { minor, currency }),
            own: ledger(db, key),
            others: (!others.is_empty()).then_some(others),
            disputes: disputes.into_iter().map(contested).collect(),
            changes: rows::<(CustomerPart, Date)>(
                db,
                &format!(
                    "SELECT json_array(part, changed_on) FROM customer_change WHERE customer_key = {key}"
                ),
            ),
            reversals: rows::<(i64, ReversalKind, Date)>(
                db,
                &format!(
                    "SELECT json_array(payment_key, kind, reversed_on) FROM reversal
                     WHERE customer_key = {key}"
                ),
            ),
            designating: rows(
                db,
                &format!(
                    "SELECT json(key) FROM payment
                     WHERE customer_key = {key} AND designation IS NOT NULL"
                ),
            )
            .into_iter()
            .collect(),
        }
    };
    customers.iter().map(history).collect()
}
