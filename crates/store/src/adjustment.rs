//! Table `adjustment`: what takes something off a document without money.

use crate::{Db, Fault};
use dunlin_domain::{Date, contract::types::Difference};

/// A write-off that counts, or a dispute that was upheld.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// `write-off/<id>` or `dispute/<id>`.
    pub id: &'a str,
    pub customer_key: i64,
    pub invoice_key: i64,
    pub on: Date,
    pub minor: i64,
    pub difference: Difference,
    pub entry: i64,
}

/// Takes something off a document from a day on: the replay sets it against what is open then.
pub fn insert<D: Db>(db: &D, new: &New<'_>) -> Result<(), Fault> {
    let on = new.on.to_string();
    db.execute(
        "INSERT INTO adjustment (id, customer_key, invoice_key, booked_on, minor, difference, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.into(),
            new.customer_key.into(),
            new.invoice_key.into(),
            (&on).into(),
            new.minor.into(),
            new.difference.name().into(),
            new.entry.into(),
        ],
    )?;
    Ok(())
}
