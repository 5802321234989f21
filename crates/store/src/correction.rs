//! Table `correction`: what was wrong with a document and how it reads now.

use crate::{Db, Fault};
use dunlin_domain::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fields of a document by column. What is absent was not corrected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    /// The id of the document it is about, empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relates_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<bool>,
    /// The key of the version of its contract, 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_key: Option<i64>,
    /// The id of the invoice that a payment names without an amount, empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// Keys of invoices and how much for each, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designation: Option<String>,
}

/// Notes what was corrected.
pub fn insert<D: Db>(
    db: &D,
    invoice: Option<i64>,
    payment: Option<i64>,
    before: &Fields,
    after: &Fields,
    reason: &str,
    entry: i64,
) -> Result<(), Fault> {
    let (before, after) = (crate::array(before)?, crate::array(after)?);
    db.execute(
        "INSERT INTO correction (invoice_key, payment_key, before, after, reason, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            invoice.into(),
            payment.into(),
            (&before).into(),
            (&after).into(),
            reason.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// What invoices read with an audit entry, as far as it was corrected later.
pub fn of_invoices<D: Db>(
    db: &D,
    keys: &[i64],
    known: i64,
) -> Result<BTreeMap<i64, Fields>, Fault> {
    of(db, keys, &[], known)
}

/// What payments read with an audit entry, as far as it was corrected later.
pub fn of_payments<D: Db>(
    db: &D,
    keys: &[i64],
    known: i64,
) -> Result<BTreeMap<i64, Fields>, Fault> {
    of(db, &[], keys, known)
}

/// The newest first, so that the oldest has the last word on each field.
fn of<D: Db>(
    db: &D,
    invoices: &[i64],
    payments: &[i64],
    known: i64,
) -> Result<BTreeMap<i64, Fields>, Fault> {
    let (invoices, payments) = (crate::array(invoices)?, crate::array(payments)?);
    let rows: Vec<(i64, String)> = db.json(
        "SELECT json_group_array(json_array(document_key, before)) FROM (
             SELECT c.invoice_key AS document_key, c.before, c.key AS place, c.entry_key FROM json_each(?1) AS j
             CROSS JOIN correction AS c ON c.invoice_key = j.value
             UNION ALL
             SELECT c.payment_key, c.before, c.key, c.entry_key FROM json_each(?2) AS j
             CROSS JOIN correction AS c ON c.payment_key = j.value
             ORDER BY place DESC)
         WHERE entry_key > ?3",
        &[(&invoices).into(), (&payments).into(), known.into()],
    )?;
    let mut found: BTreeMap<i64, Fields> = BTreeMap::new();
    for (key, text) in rows {
        let before: Fields = serde_json::from_str(&text)
            .map_err(|e| Fault::Db(format!("stored correction: {e}")))?;
        let fields = found.entry(key).or_default();
        fields.issued_on = before.issued_on.or(fields.issued_on);
        fields.due_on = before.due_on.or(fields.due_on);
        fields.received_on = before.received_on.or(fields.received_on);
        fields.amount_minor = before.amount_minor.or(fields.amount_minor);
        fields.relates_to = before.relates_to.or(fields.relates_to.take());
        fields.penalty = before.penalty.or(fields.penalty);
        fields.version_key = before.version_key.or(fields.version_key);
        fields.invoice_id = before.invoice_id.or(fields.invoice_id.take());
        fields.designation = before.designation.or(fields.designation.take());
    }
    Ok(found)
}
