//! Table `adjustment`: what takes something off a document without money.

use crate::{Db, Fault};
use dunlin_domain::arrange::mapped;
use dunlin_domain::{Date, Id, contract::types::Difference};
use std::collections::BTreeMap;

/// A write-off that counts, a dispute that was upheld, or a void.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// `write-off/<id>`, `dispute/<id>` or `void/<id of the document>`.
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
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET booked_on = excluded.booked_on, entry_key = excluded.entry_key, until_on = NULL
         WHERE until_on = booked_on AND difference = 'voided'",
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

/// Whether there is one of this id that counts.
pub fn stands<D: Db>(db: &D, id: &str) -> Result<bool, Fault> {
    let sql = "SELECT count(*) FROM adjustment WHERE id = ?1 AND until_on IS NULL";
    Ok(db.int(sql, &[id.into()])? > 0)
}

/// As if it had never been.
pub fn take_back<D: Db>(db: &D, id: &str) -> Result<(), Fault> {
    let sql = "UPDATE adjustment SET until_on = booked_on WHERE id = ?1";
    db.execute(sql, &[id.into()])?;
    Ok(())
}

/// From this day on it takes nothing off any more: the replay opens again what stands of it.
pub fn end<D: Db>(db: &D, id: &str, on: Date) -> Result<(), Fault> {
    let on = on.to_string();
    db.execute("UPDATE adjustment SET until_on = ?2 WHERE id = ?1", &[id.into(), (&on).into()])?;
    Ok(())
}

/// The write-offs of a customer that count no more, and the days from which they do not.
pub fn ended<D: Db>(db: &D, customer: i64) -> Result<BTreeMap<Id, Date>, Fault> {
    let rows: Vec<(Id, Date)> = db.json(
        "SELECT json_group_array(json_array(substr(id, instr(id, '/') + 1), until_on))
         FROM adjustment WHERE customer_key = ?1 AND until_on IS NOT NULL AND difference = 'write-off'",
        &[customer.into()],
    )?;
    Ok(mapped(rows))
}
