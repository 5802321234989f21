//! What is recorded, read row by row for the plain definitions.

use dunlin_domain::{
    Currency, Date, Decimal, Id, Money,
    contract::{
        events::EventAction,
        ledger::{CustomerPart, GuaranteeKind},
        types::{InvoiceKind, ReversalKind},
    },
    external::External,
    facts::plain::{Contested, Dated, Document, History, Ledger, Row, Security, Source},
};
use dunlin_store::{Db, native::NativeDb};
use serde::de::DeserializeOwned;

/// The rows of a SELECT of one JSON column.
fn rows<T: DeserializeOwned>(db: &NativeDb, sql: &str) -> Vec<T> {
    let rows = db.execute(sql, &[]).unwrap_or_else(|e| panic!("{e:?}: {sql}"));
    rows.iter().map(|row| row.json(0).unwrap()).collect()
}

type DocumentRow = (i64, Option<i64>, InvoiceKind, Currency, Date, Date, i64, Option<i64>);

type RecordedRow = (i64, Option<i64>, Option<String>, Option<Date>, Date, i64);

fn ledger(db: &NativeDb, customer: i64) -> Ledger {
    let documents = rows::<DocumentRow>(
        db,
        &format!(
            "SELECT json_array(key, parent_key, kind, currency, issued_on, due_on, amount_minor,
                 (SELECT contract_key FROM contract_version AS v WHERE v.key = version_key))
             FROM invoice WHERE customer_key = {customer}"
        ),
    );
    let document = |row: DocumentRow| {
        let (key, whole, kind, currency, issued_on, due_on, minor, contract) = row;
        Document { key, whole, kind, currency, issued_on, due_on, minor, contract }
    };
    let documents = documents.into_iter().map(document);
    let recorded = rows::<RecordedRow>(
        db,
        &format!(
            "SELECT json_array(invoice_key, payment_key,
                 coalesce(iif(credit_key IS NULL, difference, 'credit'),
                     (SELECT w.difference FROM adjustment AS w WHERE w.key = adjustment_key)),
                 (SELECT received_on FROM payment AS p WHERE p.key = difference_key),
                 allocated_on, amount_minor)
             FROM allocation WHERE customer_key = {customer} AND invoice_key IS NOT NULL"
        ),
    );
    let row = |(claim, payment, difference, came, on, minor): RecordedRow| {
        let other = match (difference.as_deref(), came) {
            (Some("early-payment-discount"), _) => Source::Discount,
            (Some("full-settlement"), Some(came)) => Source::Agreed(came),
            (Some("write-off"), _) => Source::WriteOff,
            (Some("credit" | "dispute-upheld" | "voided"), _) => Source::Taken,
            _ => Source::Other,
        };
        Row { claim, from: payment.map_or(other, Source::Payment), on, minor }
    };
    let paid_out = rows::<(i64, Date, i64)>(
        db,
        &format!(
            "SELECT json_array(n.relates_key, a.allocated_on, a.amount_minor)
             FROM allocation AS a JOIN invoice AS n ON n.key = a.credit_key
             WHERE a.customer_key = {customer} AND a.invoice_key IS NULL AND n.relates_key IS NOT NULL"
        ),
    );
    let rows = recorded.into_iter().map(row).collect();
    Ledger { documents: documents.collect(), rows, paid_out }
}

/// What is recorded of a kind from outside, in the order in which it was.
fn external<T: External>(db: &NativeDb, customer: i64) -> Vec<T> {
    let kind = T::KIND;
    rows(
        db,
        &format!(
            "SELECT document FROM external_fact WHERE customer_key = {customer} AND kind = '{kind}' ORDER BY key"
        ),
    )
}

fn securities(db: &NativeDb, customer: i64) -> Vec<Security> {
    type Found =
        (GuaranteeKind, Date, Option<Date>, Option<Date>, Currency, i64, Decimal, Option<i64>);
    let found = rows::<Found>(
        db,
        &format!(
            "SELECT json_array(kind, valid_from, valid_to, claim_by, currency, amount_minor, share, contract_key)
             FROM guarantee WHERE customer_key = {customer}"
        ),
    );
    let security = |(kind, from, to, claim_by, currency, minor, share, contract): Found| Security {
        kind,
        from,
        to,
        claim_by,
        currency,
        minor,
        share,
        contract,
    };
    found.into_iter().map(security).collect()
}

fn dated(db: &NativeDb, customer: i64) -> Vec<Dated> {
    type Found = (i64, Date, Option<Date>, i64, i64, Currency, i64);
    let found = rows::<Found>(
        db,
        &format!(
            "SELECT json_array(kind = 'temporary', from_on, to_on, unlimited, minor, currency, counts_key)
             FROM credit_limit
             WHERE customer_key = {customer} AND kind <> 'group' AND state = 'approved'"
        ),
    );
    let limit = |(temporary, from, to, unlimited, minor, currency, number): Found| Dated {
        temporary: temporary == 1,
        from,
        to,
        limit: (unlimited == 0).then_some(Money { minor, currency }),
        number,
    };
    found.into_iter().map(limit).collect()
}

/// The histories of all customers, by key, with the groups of a day.
pub fn all(db: &NativeDb, day: Date) -> Vec<History> {
    type Customer = (i64, Id, Option<i64>, Option<Currency>, Option<i64>);
    let customers: Vec<Customer> = rows(
        db,
        "SELECT json_array(key, id, limit_minor, limit_currency, parent_key) FROM customer ORDER BY key",
    );
    // The head that was named on the day: by the first record that was replaced after it.
    let placed = |mut of: Customer| {
        let key = of.0;
        let former: Vec<(Date, Option<i64>)> = rows(
            db,
            &format!(
                "SELECT json_array(until_on, parent_key) FROM customer_former
                 WHERE customer_key = {key} ORDER BY key"
            ),
        );
        let former = former.into_iter().find(|(until, _)| *until > day);
        of.4 = former.map_or(of.4, |(_, head)| head);
        of
    };
    let customers: Vec<Customer> = customers.into_iter().map(placed).collect();
    let rates: Vec<(Currency, Currency, Date, Decimal)> = rows(
        db,
        "SELECT json_array(upper(substr(name, 4, 3)), upper(substr(name, 8, 3)), valid_from, rate)
         FROM rate WHERE name LIKE 'fx-%' ORDER BY key",
    );
    let head = |of: &Customer| of.4.unwrap_or(of.0);
    let history = |of: &Customer| {
        let key = of.0;
        let group = customers.iter().filter(|other| head(other) == head(of) && other.0 != key);
        let others: Vec<i64> = group.map(|other| other.0).collect();
        let defaults = |key: &i64| {
            let of = format!(
                "SELECT json_array(found_on, closed_on, kind, state) FROM default_record
                 WHERE customer_key = {key}"
            );
            rows(db, &of)
        };
        let defaults_of_others = others.iter().flat_map(defaults).collect();
        let others: Vec<Ledger> = others.iter().map(|other| ledger(db, *other)).collect();
        let disputes = rows(
            db,
            &format!(
                "SELECT json_array(invoice_key, opened_on, resolved_on, minor) FROM dispute
                 WHERE customer_key = {key}
                 AND key NOT IN (SELECT whole_key FROM dispute WHERE whole_key IS NOT NULL)"
            ),
        );
        let contested = |(document, on, until, minor)| Contested { document, on, until, minor };
        History {
            customer: of.1.clone(),
            limit: of.2.zip(of.3).map(|(minor, currency)| Money { minor, currency }),
            former_limits: rows::<(Date, Option<Money>)>(
                db,
                &format!(
                    "SELECT json_array(until_on, document -> '$.credit_limit') FROM customer_former
                     WHERE customer_key = {key} ORDER BY key"
                ),
            ),
            dated: dated(db, key),
            rates: rates.clone(),
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
            defaults: defaults(&key),
            defaults_of_others,
            mishaps: rows::<(EventAction, Date)>(
                db,
                &format!(
                    "SELECT json_array(kind, happened_on) FROM customer_event WHERE customer_key = {key}"
                ),
            ),
            told: rows(
                db,
                &format!(
                    "SELECT json_quote(date(received_at)) FROM inbound_event WHERE customer_key = {key}"
                ),
            ),
            securities: securities(db, key),
            contracts: rows(
                db,
                &format!(
                    "SELECT json_group_array(json_array(effective_on, ends_on, json((
                         SELECT json_group_array(value ->> 'on') FROM json_each(document, '$.milestones')
                     ))) ORDER BY version)
                     FROM contract AS k JOIN contract_version ON contract_key = k.key
                     WHERE customer_key = {key} GROUP BY k.key"
                ),
            ),
            statements: external(db, key),
            scores: external(db, key),
            entries: external(db, key),
        }
    };
    customers.iter().map(history).collect()
}
