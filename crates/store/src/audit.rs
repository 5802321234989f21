//! Table `audit`: who did what, each entry with the hash of the one before.

use crate::{Db, Fault};
use dunlin_domain::Instant;
use serde::Deserialize;

/// An entry. Its hash is worked out by who adds it, and by who looks whether it is still the same.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    pub key: i64,
    pub at: String,
    pub who: String,
    pub action: String,
    pub noun: String,
    pub id: String,
    pub change: String,
    pub personal: Option<String>,
    pub salt: Option<String>,
    pub personal_hash: Option<String>,
    pub previous: String,
    pub hash: String,
}

/// Key, moment and hash of the last entry. `None` when there is none yet.
pub fn head<D: Db>(db: &D) -> Result<Option<(i64, Instant, String)>, Fault> {
    let row = db.first("SELECT key, at, hash FROM audit ORDER BY key DESC LIMIT 1", &[])?;
    row.map(|row| Ok((row.int(0)?, row.parse(1)?, row.text(2)?.to_string()))).transpose()
}

/// At most so many entries after a key, in their order.
pub fn page<D: Db>(db: &D, after: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
    db.json(sql!("audit/page.sql"), &[after.into(), i64::from(limit).into()])
}

/// The same of one kind of thing, or of one thing.
pub fn page_of<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    noun: Option<&str>,
    id: Option<&str>,
) -> Result<Vec<Entry>, Fault> {
    let limit = i64::from(limit);
    db.json(sql!("audit/page_of.sql"), &[after.into(), limit.into(), noun.into(), id.into()])
}

/// Adds an entry, with whose personal fields it has.
pub fn insert<D: Db>(db: &D, entry: &Entry, customer: Option<i64>) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO audit
             (key, at, who, action, noun, id, change, personal, salt, personal_hash, customer_key, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &[
            entry.key.into(),
            (&entry.at).into(),
            (&entry.who).into(),
            (&entry.action).into(),
            (&entry.noun).into(),
            (&entry.id).into(),
            (&entry.change).into(),
            entry.personal.as_ref().into(),
            entry.salt.as_ref().into(),
            entry.personal_hash.as_ref().into(),
            customer.into(),
            (&entry.previous).into(),
            (&entry.hash).into(),
        ],
    )?;
    Ok(())
}

/// The same of several entries, in their order.
pub fn insert_all<D: Db>(db: &D, entries: &[(Entry, Option<i64>)]) -> Result<(), Fault> {
    let rows = entries.iter().map(|(of, customer)| {
        let Entry { key, at, who, action, noun, id, change, personal, .. } = of;
        let Entry { salt, personal_hash, previous, hash, .. } = of;
        let personal = (personal, salt, personal_hash, customer);
        (key, at, who, action, noun, id, change, personal, previous, hash)
    });
    let rows = crate::array(&rows.collect::<Vec<_>>())?;
    db.execute(sql!("audit/insert_all.sql"), &[(&rows).into()])?;
    Ok(())
}

/// Takes an entry back that no row names. Only for the transaction that added it.
pub fn forget<D: Db>(db: &D, key: i64) -> Result<(), Fault> {
    db.execute("DELETE FROM audit WHERE key = ?1", &[key.into()])?;
    Ok(())
}

/// The last entry that was made by this moment: what was recorded with a later one was not known then.
pub fn last_by<D: Db>(db: &D, at: &str) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM audit WHERE at <= ?1", &[at.into()])
}
