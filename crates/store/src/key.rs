//! Keys: who may call what. Only the hash of a secret is kept.

use crate::{Db, Fault, Param, Row, Value};
use dunlin_domain::{
    Id, Instant,
    contract::keys::{Key, Scope},
};

/// A key as it is looked up for every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    pub secret_hash: Vec<u8>,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
}

/// The key of a token, by its public part.
pub fn find_secret<D: Db>(db: &D, id: &str) -> Result<Option<StoredKey>, Fault> {
    let sql = "SELECT secret_hash, scopes, expires_at, revoked_at FROM api_key WHERE id = ?1";
    db.first(sql, &[id.into()])?.map(|row| stored(&row)).transpose()
}

/// A key as it may be shown.
pub fn find<D: Db>(db: &D, id: &Id) -> Result<Option<Key>, Fault> {
    let sql =
        "SELECT id, name, scopes, created_at, expires_at, revoked_at FROM api_key WHERE id = ?1";
    db.first(sql, &[id.as_str().into()])?.map(|row| shown(&row)).transpose()
}

/// Stores a new key.
pub fn insert<D: Db>(db: &D, key: &Key, secret_hash: &[u8]) -> Result<(), Fault> {
    let scopes = serde_json::to_string(&key.scopes)
        .map_err(|e| Fault::Db(format!("scopes have no JSON: {e}")))?;
    let created = key.created_at.to_string();
    let expires = key.expires_at.map(|at| at.to_string());
    let params = [
        Param::from(key.id.as_str()),
        Param::from(&key.name),
        Param::Blob(secret_hash),
        Param::from(&scopes),
        Param::from(&created),
        Param::from(expires.as_deref()),
    ];
    let sql = "INSERT INTO api_key (id, name, secret_hash, scopes, created_at, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.execute(sql, &params)?;
    Ok(())
}

/// Keys in the order of their creation, each with its place in it, after the place given.
pub fn list<D: Db>(db: &D, after: i64, limit: u32) -> Result<Vec<(i64, Key)>, Fault> {
    let sql = "SELECT id, name, scopes, created_at, expires_at, revoked_at, key FROM api_key \
               WHERE key > ?1 ORDER BY key LIMIT ?2";
    let rows = db.execute(sql, &[after.into(), i64::from(limit).into()])?;
    rows.iter().map(|row| Ok((row.int(6)?, shown(row)?))).collect()
}

/// Revokes a key that is not revoked yet.
pub fn revoke<D: Db>(db: &D, id: &Id, at: Instant) -> Result<(), Fault> {
    let sql = "UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    db.execute(sql, &[id.as_str().into(), (&at.to_string()).into()])?;
    Ok(())
}

/// Gives a key another secret.
pub fn set_secret<D: Db>(db: &D, id: &Id, secret_hash: &[u8]) -> Result<(), Fault> {
    let sql = "UPDATE api_key SET secret_hash = ?2 WHERE id = ?1";
    db.execute(sql, &[id.as_str().into(), Param::Blob(secret_hash)])?;
    Ok(())
}

fn stored(row: &Row) -> Result<StoredKey, Fault> {
    let Some(Value::Blob(secret_hash)) = row.0.first() else {
        return Err(Fault::Db("a key has no hash".into()));
    };
    Ok(StoredKey {
        secret_hash: secret_hash.clone(),
        scopes: row.json(1)?,
        expires_at: instant(row, 2)?,
        revoked_at: instant(row, 3)?,
    })
}

fn shown(row: &Row) -> Result<Key, Fault> {
    Ok(Key {
        id: row.parse(0)?,
        name: row.text(1)?.to_string(),
        scopes: row.json(2)?,
        created_at: row.parse(3)?,
        expires_at: instant(row, 4)?,
        revoked_at: instant(row, 5)?,
    })
}

fn instant(row: &Row, column: usize) -> Result<Option<Instant>, Fault> {
    row.text_or_null(column)?.map(|_| row.parse(column)).transpose()
}
