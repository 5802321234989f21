//! Table `event_source`: who sends events, and how they are told from anybody else.

use crate::{Db, Fault, Row};
use dunlin_domain::{Id, Instant, contract::events::NewSource};

/// A source as stored. Its document has no secret.
#[derive(Clone, Debug)]
pub struct Stored {
    pub key: i64,
    pub name: Id,
    pub document: NewSource,
    pub secret: Option<String>,
    pub previous_secret: Option<String>,
    pub previous_until: Option<Instant>,
}

/// The source of this name.
pub fn get<D: Db>(db: &D, name: &Id) -> Result<Option<Stored>, Fault> {
    let sql = "SELECT key, name, document, secret, previous_secret, previous_until
               FROM event_source WHERE name = ?1";
    db.first(sql, &[name.as_str().into()])?.as_ref().map(stored).transpose()
}

/// Sources after a name.
pub fn page<D: Db>(db: &D, after: &str, limit: u32) -> Result<Vec<Stored>, Fault> {
    let sql = "SELECT key, name, document, secret, previous_secret, previous_until
               FROM event_source WHERE name > ?1 ORDER BY name LIMIT ?2";
    db.execute(sql, &[after.into(), i64::from(limit).into()])?.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<Stored, Fault> {
    Ok(Stored {
        key: row.int(0)?,
        name: row.parse(1)?,
        document: row.json(2)?,
        secret: row.text_or_null(3)?.map(str::to_string),
        previous_secret: row.text_or_null(4)?.map(str::to_string),
        previous_until: row.text_or_null(5)?.map(str::parse).transpose()?,
    })
}

/// Stores a source under its name, in place of what was there.
pub fn put<D: Db>(db: &D, source: &Stored) -> Result<(), Fault> {
    let (document, until) =
        (crate::array(&source.document)?, source.previous_until.map(|at| at.to_string()));
    db.execute(
        "INSERT INTO event_source (name, document, secret, previous_secret, previous_until)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET
             document = excluded.document, secret = excluded.secret,
             previous_secret = excluded.previous_secret, previous_until = excluded.previous_until",
        &[
            source.name.as_str().into(),
            (&document).into(),
            source.secret.as_ref().into(),
            source.previous_secret.as_ref().into(),
            until.as_ref().into(),
        ],
    )?;
    Ok(())
}
