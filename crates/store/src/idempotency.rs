//! The first answer to every request that carried an Idempotency-Key.

use crate::{Db, Fault, Param, Row, Value};
use dunlin_domain::Instant;

/// How many old rows one new row takes with it. More than one, so that what piled up goes away; few, so that no
/// request pays for it.
pub const PURGED_AT_ONCE: i64 = 20;

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Absent while a stream is still being read.
    pub request_hash: Option<Vec<u8>>,
    /// Present while it runs.
    pub running_until: Option<Instant>,
    /// Present once it was answered.
    pub answer: Option<Remembered>,
    pub created_at: Instant,
}

/// An answer that is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub status: u16,
    pub media_type: String,
    pub body: String,
}

/// What is kept for a caller's token.
pub fn find<D: Db>(db: &D, caller: &str, token: &str) -> Result<Option<Kept>, Fault> {
    let sql = "SELECT request_hash, running_until, created_at, status, media_type, body FROM idempotency \
               WHERE caller = ?1 AND token = ?2";
    db.first(sql, &[caller.into(), token.into()])?.map(|row| kept(&row)).transpose()
}

/// Notes that a request runs, in place of whatever was kept for its token.
pub fn start<D: Db>(
    db: &D,
    (caller, token): (&str, &str),
    request_hash: Option<&[u8]>,
    now: Instant,
    running_until: Instant,
) -> Result<(), Fault> {
    let sql = "INSERT OR REPLACE INTO idempotency (caller, token, request_hash, running_until, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let (until, now) = (running_until.to_string(), now.to_string());
    let hash = request_hash.map_or(Param::Null, Param::Blob);
    db.execute(sql, &[caller.into(), token.into(), hash, (&until).into(), (&now).into()])?;
    Ok(())
}

/// Keeps the answer of the run that was started with this `running_until`; a run that was taken over keeps nothing.
pub fn finish<D: Db>(
    db: &D,
    (caller, token): (&str, &str),
    running_until: Instant,
    request_hash: &[u8],
    answer: &Remembered,
) -> Result<(), Fault> {
    let sql = "UPDATE idempotency SET request_hash = ?4, running_until = NULL, status = ?5, media_type = ?6, body = ?7 \
               WHERE caller = ?1 AND token = ?2 AND running_until = ?3";
    let until = running_until.to_string();
    let params = [
        caller.into(),
        token.into(),
        Param::from(&until),
        Param::Blob(request_hash),
        i64::from(answer.status).into(),
        (&answer.media_type).into(),
        (&answer.body).into(),
    ];
    db.execute(sql, &params)?;
    Ok(())
}

/// Forgets the run that was started with this `running_until`, so that the token can be used again.
pub fn forget<D: Db>(
    db: &D,
    (caller, token): (&str, &str),
    running_until: Instant,
) -> Result<(), Fault> {
    let sql = "DELETE FROM idempotency WHERE caller = ?1 AND token = ?2 AND running_until = ?3";
    db.execute(sql, &[caller.into(), token.into(), (&running_until.to_string()).into()])?;
    Ok(())
}

/// Deletes some of the rows made before the moment, oldest first.
pub fn purge<D: Db>(db: &D, before: Instant) -> Result<(), Fault> {
    let sql = "DELETE FROM idempotency WHERE (caller, token) IN (SELECT caller, token FROM idempotency \
               WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";
    db.execute(sql, &[(&before.to_string()).into(), PURGED_AT_ONCE.into()])?;
    Ok(())
}

fn kept(row: &Row) -> Result<Kept, Fault> {
    let request_hash = match row.0.first() {
        Some(Value::Blob(hash)) => Some(hash.clone()),
        _ => None,
    };
    let running_until = row.text_or_null(1)?.map(|_| row.parse(1)).transpose()?;
    let answer = match row.text_or_null(4)? {
        None => None,
        Some(media_type) => Some(Remembered {
            status: u16::try_from(row.int(3)?)
                .map_err(|_| Fault::Db("a kept status is out of range".into()))?,
            media_type: media_type.to_string(),
            body: row.text(5)?.to_string(),
        }),
    };
    Ok(Kept { request_hash, running_until, answer, created_at: row.parse(2)? })
}
