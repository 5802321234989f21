//! Table `interest_entry`: interest that was claimed by a note, or given up. What a note claims today its document says;
//! the row here is the evidence of what it claimed when it was made.

use crate::{Db, Fault, invoice};
use dunlin_domain::{Currency, Date, Id, contract::types::InvoiceKind, money};
use std::collections::BTreeMap;

/// The document whose interest is asked for.
#[derive(Clone, Debug)]
pub struct Document {
    pub key: i64,
    pub customer_key: i64,
    pub customer_id: Id,
    pub currency: Currency,
    /// Whether it is an instalment: notes, waivers and fixed sums stand with its invoice.
    pub is_part: bool,
    /// The claims that bear: its instalments, else itself; oldest due first. None but an invoice has any.
    pub claims: Vec<i64>,
}

/// A note or waiver to record.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub id: &'a str,
    pub customer_key: i64,
    pub invoice_key: i64,
    pub note_key: Option<i64>,
    pub booked_on: Date,
    pub minor: i64,
    pub reason: Option<&'a str>,
    pub entry_key: i64,
}

/// A waiver as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    pub invoice_id: Id,
    pub on: Date,
    pub minor: i64,
    pub currency: Currency,
    pub reason: String,
}

/// A document that an interest note's id may already stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub key: i64,
    pub kind: InvoiceKind,
    pub about: Option<Id>,
    pub issued_on: Date,
    pub due_on: Date,
}

/// The document with this id.
pub fn document<D: Db>(db: &D, id: &Id) -> Result<Option<Document>, Fault> {
    type Found = (i64, i64, Id, Currency, Option<i64>, Vec<i64>);
    let found: Vec<Found> = db.json(
        "SELECT json_group_array(json_array(i.key, i.customer_key, c.id, i.currency, i.parent_key, json((
             SELECT json_group_array(p.key ORDER BY p.due_on, p.key) FROM invoice AS p
             WHERE i.kind = 'invoice' AND (p.parent_key = i.key OR p.key = i.key)
         ))))
         FROM invoice AS i CROSS JOIN customer AS c ON c.key = i.customer_key
         WHERE i.id = ?1",
        &[id.as_str().into()],
    )?;
    let document = |(key, customer_key, customer_id, currency, parent, claims): Found| Document {
        key,
        customer_key,
        customer_id,
        currency,
        is_part: parent.is_some(),
        claims,
    };
    Ok(found.into_iter().next().map(document))
}

/// What documents of a kind claim about each of these documents up to a day, as known with an audit entry: interest notes
/// or fees, however they came, as they then read, each less the credit notes about it and never below nothing.
pub fn about<D: Db>(
    db: &D,
    claims: &[i64],
    kind: InvoiceKind,
    day: Date,
    known: i64,
) -> Result<BTreeMap<i64, i64>, Fault> {
    let keys = crate::array(claims)?;
    let found: Vec<(i64, i64, Vec<i64>)> = db.json(
        "SELECT json_group_array(json_array(j.value, n.key, json((
             SELECT json_group_array(c.key) FROM invoice AS c
             WHERE c.relates_key = n.key AND c.kind = 'credit-note'
         ))))
         FROM json_each(?1) AS j
         CROSS JOIN invoice AS n ON n.relates_key = j.value AND n.kind = ?2",
        &[(&keys).into(), kind.name().into()],
    )?;
    if found.is_empty() {
        return Ok(BTreeMap::new());
    }
    let documents: Vec<i64> = found
        .iter()
        .flat_map(|(_, note, credits)| std::iter::once(note).chain(credits))
        .copied()
        .collect();
    let amounts: BTreeMap<i64, i64> = invoice::items(db, &documents, known)?
        .into_iter()
        .filter(|item| item.issued_on <= day)
        .map(|item| (item.key, item.amount_minor))
        .collect();
    let amount = |key: &i64| amounts.get(key).copied().unwrap_or(0);
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for (claim, note, credits) in &found {
        let credited = |left: i64, credit: &i64| left.saturating_sub(amount(credit));
        let left = credits.iter().fold(amount(note), credited).max(0);
        let sum = sums.entry(*claim).or_default();
        *sum = money::sum([*sum, left])?;
    }
    Ok(sums)
}

/// What was given up of a document's interest up to a day, as known with an audit entry.
pub fn waived_minor<D: Db>(db: &D, invoice: i64, day: Date, known: i64) -> Result<i64, Fault> {
    let day = day.to_string();
    db.int(
        "SELECT coalesce(sum(minor), 0) FROM interest_entry
         WHERE invoice_key = ?1 AND note_key IS NULL AND booked_on <= ?2
             AND (entry_key IS NULL OR entry_key <= ?3)",
        &[invoice.into(), (&day).into(), known.into()],
    )
}

/// Records a note or waiver.
pub fn insert<D: Db>(db: &D, entry: &Entry<'_>) -> Result<(), Fault> {
    let booked_on = entry.booked_on.to_string();
    db.execute(
        "INSERT INTO interest_entry
             (id, customer_key, invoice_key, note_key, booked_on, minor, reason, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            entry.id.into(),
            entry.customer_key.into(),
            entry.invoice_key.into(),
            entry.note_key.into(),
            (&booked_on).into(),
            entry.minor.into(),
            entry.reason.into(),
            entry.entry_key.into(),
        ],
    )?;
    Ok(())
}

/// The document that has the id of an interest note.
pub fn noted<D: Db>(db: &D, id: &Id) -> Result<Option<Noted>, Fault> {
    let row = db.first(
        "SELECT n.key, n.kind, about.id, n.issued_on, n.due_on FROM invoice AS n
         LEFT JOIN invoice AS about ON about.key = n.relates_key WHERE n.id = ?1",
        &[id.as_str().into()],
    )?;
    row.map(|row| {
        Ok(Noted {
            key: row.int(0)?,
            kind: row.parse(1)?,
            about: row.text_or_null(2)?.map(|_| row.parse(2)).transpose()?,
            issued_on: row.parse(3)?,
            due_on: row.parse(4)?,
        })
    })
    .transpose()
}

/// The waiver with this id, with `waiver/` before it.
pub fn waiver<D: Db>(db: &D, id: &str) -> Result<Option<Waived>, Fault> {
    let row = db.first(
        "SELECT i.id, e.booked_on, e.minor, i.currency, coalesce(e.reason, '') FROM interest_entry AS e
         CROSS JOIN invoice AS i ON i.key = e.invoice_key WHERE e.id = ?1",
        &[id.into()],
    )?;
    row.map(|row| {
        Ok(Waived {
            invoice_id: row.parse(0)?,
            on: row.parse(1)?,
            minor: row.int(2)?,
            currency: row.parse(3)?,
            reason: row.text(4)?.to_string(),
        })
    })
    .transpose()
}
