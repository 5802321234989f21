//! What is told of one document or payment beside what it is: by what rule it was set against what, when it was
//! recorded, what was corrected of it, and by which rate a part of it was changed.

use crate::{Db, Fault};
use dunlin_domain::{Date, Decimal, Id, Instant};

/// A payment: its id and key, the documents that the payer named and how much for each, its own order, and that of its contract on its
/// day.
pub type Paid = (Id, i64, Vec<(Id, Option<i64>)>, Option<Id>, Option<Id>);

/// A correction of one field: of which document or instalment, which field, before, after, when and why.
pub type Corrected = (String, String, Option<String>, Option<String>, Option<Instant>, String);

/// A row of a table of rates: table, rate, valid from, source, confirmed.
pub type Row = (Id, Decimal, Date, String, i64);

/// What these payments say of their allocation, as known with an audit entry.
pub fn payments<D: Db>(db: &D, ids: &[&Id], known: i64) -> Result<Vec<Paid>, Fault> {
    let ids = crate::array(ids)?;
    db.json(sql!("told/payments.sql"), &[(&ids).into(), known.into()])
}

/// What these credit notes are about, as known with an audit entry.
pub fn credit_notes<D: Db>(
    db: &D,
    ids: &[&Id],
    known: i64,
) -> Result<Vec<(Id, Option<Id>)>, Fault> {
    let ids = crate::array(ids)?;
    db.json(sql!("told/credit_notes.sql"), &[(&ids).into(), known.into()])
}

/// When a document was recorded. `None` where no entry of the chain says so.
pub fn document_recorded<D: Db>(db: &D, key: i64) -> Result<Option<Instant>, Fault> {
    moment(
        db,
        "SELECT a.at FROM invoice AS i CROSS JOIN audit AS a ON a.key = i.entry_key WHERE i.key = ?1",
        key,
    )
}

/// When a payment was recorded. `None` where no entry of the chain says so.
pub fn payment_recorded<D: Db>(db: &D, key: i64) -> Result<Option<Instant>, Fault> {
    moment(
        db,
        "SELECT a.at FROM payment AS p CROSS JOIN audit AS a ON a.key = p.entry_key WHERE p.key = ?1",
        key,
    )
}

fn moment<D: Db>(db: &D, sql: &str, key: i64) -> Result<Option<Instant>, Fault> {
    let row = db.first(sql, &[key.into()])?;
    row.map(|row| Ok(row.text(0)?.parse()?)).transpose()
}

/// What was corrected of a document and its instalments, or else of a payment, as known with an audit entry.
pub fn corrections<D: Db>(
    db: &D,
    document: Option<i64>,
    payment: Option<i64>,
    known: i64,
) -> Result<Vec<Corrected>, Fault> {
    db.json(sql!("told/corrections.sql"), &[document.into(), payment.into(), known.into()])
}

/// The row of a table of exchange rates by which a part of a payment was changed.
pub fn conversion<D: Db>(db: &D, payment: i64) -> Result<Option<Row>, Fault> {
    let row = db.first(sql!("told/conversion.sql"), &[payment.into()])?;
    row.map(|row| row.json(0)).transpose()
}
