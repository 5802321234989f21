//! Tables `webhook` and `webhook_event`: who is told what happens, and what is on its way to them.

use crate::{Db, Fault};
use dunlin_domain::{
    Id, Instant,
    contract::events::{Event, Webhook},
};

/// A webhook as stored, with its secrets.
#[derive(Clone, Debug)]
pub struct Stored {
    pub key: i64,
    pub webhook: Webhook,
    pub secret: String,
    pub previous_secret: Option<String>,
    pub previous_until: Option<Instant>,
}

/// An event taken for sending: its key, whose webhook it goes to, and how often it was tried, this time included.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub key: i64,
    pub webhook: i64,
    pub event_id: String,
    pub attempts: u32,
    pub body: String,
}

/// An event that was not taken: key, next try, whether it is dead, why.
pub type PutOff = (i64, Instant, i64, String);

/// A dead letter: key, event, attempts, last try, why, how many wait behind it.
pub type Dead = (i64, Event, u32, Option<Instant>, Option<String>, u64);

/// Webhooks after a name.
pub fn page<D: Db>(db: &D, after: &str, limit: u32) -> Result<Vec<Stored>, Fault> {
    select(db, after, limit, None)
}

/// The webhook of this name.
pub fn get<D: Db>(db: &D, name: &Id) -> Result<Option<Stored>, Fault> {
    Ok(select(db, "", 1, Some(name))?.pop())
}

fn select<D: Db>(db: &D, after: &str, limit: u32, only: Option<&Id>) -> Result<Vec<Stored>, Fault> {
    type Row = (
        (i64, Id, String, Vec<String>, i64, Option<String>, String),
        (String, Option<String>, Option<Instant>),
        u64,
        u64,
    );
    let params = [after.into(), i64::from(limit).into(), only.map(Id::as_str).into()];
    let rows: Vec<Row> = db.json(sql!("webhook/page.sql"), &params)?;
    let stored = |(head, secrets, waiting, dead): Row| {
        let (key, name, url, kinds, paused, paused_because, position) = head;
        let (secret, previous_secret, previous_until) = secrets;
        let paused = paused != 0;
        let webhook = Webhook { name, url, kinds, paused, paused_because, position, waiting, dead };
        Stored { key, webhook, secret, previous_secret, previous_until }
    };
    Ok(rows.into_iter().map(stored).collect())
}

/// Stores a webhook under its name. One that is there keeps its position.
pub fn put<D: Db>(db: &D, of: &Stored) -> Result<(), Fault> {
    let kinds = crate::array(&of.webhook.kinds)?;
    let until = of.previous_until.map(|at| at.to_string());
    db.execute(
        "INSERT INTO webhook
             (name, url, kinds, secret, previous_secret, previous_until, paused, paused_because, position)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (name) DO UPDATE SET
             url = excluded.url, kinds = excluded.kinds, secret = excluded.secret,
             previous_secret = excluded.previous_secret, previous_until = excluded.previous_until,
             paused = excluded.paused, paused_because = excluded.paused_because",
        &[
            of.webhook.name.as_str().into(),
            (&of.webhook.url).into(),
            (&kinds).into(),
            (&of.secret).into(),
            of.previous_secret.as_ref().into(),
            until.as_ref().into(),
            i64::from(of.webhook.paused).into(),
            of.webhook.paused_because.as_ref().into(),
            (&of.webhook.position).into(),
        ],
    )?;
    Ok(())
}

/// Takes a webhook away with everything on its way to it.
pub fn remove<D: Db>(db: &D, key: i64) -> Result<(), Fault> {
    db.execute("DELETE FROM webhook_event WHERE webhook_key = ?1", &[key.into()])?;
    db.execute("DELETE FROM webhook WHERE key = ?1", &[key.into()])?;
    Ok(())
}

/// How many events could be sent one after the other without waiting for somebody to look at a dead letter.
pub fn on_their_way<D: Db>(db: &D, key: i64) -> Result<i64, Fault> {
    db.int(sql!("webhook/room.sql"), &[key.into()])
}

/// Moves a webhook on in the feed and takes the events up for sending: id, customer, event as JSON. Says whether it
/// did: somebody else may have moved it meanwhile.
pub fn take_up<D: Db>(
    db: &D,
    key: i64,
    (from, to): (&str, &str),
    events: &[(String, i64, String)],
    at: Instant,
) -> Result<bool, Fault> {
    let moved = db.first(
        "UPDATE webhook SET position = ?3 WHERE key = ?1 AND position = ?2 RETURNING key",
        &[key.into(), from.into(), to.into()],
    )?;
    if moved.is_some() && !events.is_empty() {
        let (rows, at) = (crate::array(events)?, at.to_string());
        db.execute(
            "INSERT INTO webhook_event
                 (webhook_key, event_id, customer_key, body, dead, attempts, next_attempt_at)
             SELECT ?1, value ->> 0, value ->> 1, value ->> 2, 0, 0, ?3 FROM json_each(?2)
             WHERE true ORDER BY key ON CONFLICT DO NOTHING",
            &[key.into(), (&rows).into(), (&at).into()],
        )?;
    }
    Ok(moved.is_some())
}

/// Whether anything waits for a try that is due.
pub fn any_due<D: Db>(db: &D, now: Instant) -> Result<bool, Fault> {
    let now = now.to_string();
    let sql =
        "SELECT EXISTS (SELECT 1 FROM webhook_event WHERE dead = 0 AND next_attempt_at <= ?1)";
    Ok(db.int(sql, &[(&now).into()])? != 0)
}

/// Whether somebody who took events for sending has not settled them yet: `until` is the last moment at which what is
/// taken now may be taken again.
pub fn under_way<D: Db>(db: &D, now: Instant, until: Instant) -> Result<bool, Fault> {
    let (now, until) = (now.to_string(), until.to_string());
    let sql = "SELECT EXISTS (
         SELECT 1 FROM webhook_event
         WHERE dead = 0 AND next_attempt_at > ?1 AND next_attempt_at <= ?2 AND tried_at IS NOT NULL AND error IS NULL
     )";
    Ok(db.int(sql, &[(&now).into(), (&until).into()])? != 0)
}

/// Takes events for sending: what is due, of each customer only the oldest that waits, and of the webhooks that are not
/// left out in turn. Nobody else gets them until `retry_at`, when whoever took them is taken for dead.
pub fn claim<D: Db>(
    db: &D,
    now: Instant,
    limit: u32,
    retry_at: Instant,
    left_out: &[i64],
) -> Result<Vec<Claimed>, Fault> {
    let (now, retry_at) = (now.to_string(), retry_at.to_string());
    let left_out = crate::array(left_out)?;
    let params = [(&now).into(), i64::from(limit).into(), (&retry_at).into(), (&left_out).into()];
    let rows = db.execute(sql!("webhook/claim.sql"), &params)?;
    let claimed = rows.iter().map(|row| {
        Ok(Claimed {
            key: row.int(0)?,
            webhook: row.int(1)?,
            event_id: row.text(2)?.to_string(),
            attempts: u32::try_from(row.int(3)?).unwrap_or(u32::MAX),
            body: row.text(4)?.to_string(),
        })
    });
    claimed.collect()
}

/// Takes away what receivers have taken.
pub fn taken<D: Db>(db: &D, keys: &[i64]) -> Result<(), Fault> {
    let keys = crate::array(keys)?;
    db.execute(
        "DELETE FROM webhook_event WHERE key IN (SELECT value FROM json_each(?1))",
        &[(&keys).into()],
    )?;
    Ok(())
}

/// Says when events that were not taken are tried again, or that they are not.
pub fn put_off<D: Db>(db: &D, events: &[PutOff]) -> Result<(), Fault> {
    let rows = crate::array(events)?;
    db.execute(sql!("webhook/put_off.sql"), &[(&rows).into()])?;
    Ok(())
}

/// Pauses a webhook, and says why.
pub fn pause<D: Db>(db: &D, key: i64, because: &str) -> Result<(), Fault> {
    let sql = "UPDATE webhook SET paused = 1, paused_because = ?2 WHERE key = ?1";
    db.execute(sql, &[key.into(), because.into()])?;
    Ok(())
}

/// Dead letters, oldest first.
pub fn dead_letters<D: Db>(db: &D, key: i64, after: i64, limit: u32) -> Result<Vec<Dead>, Fault> {
    let params = [key.into(), after.into(), i64::from(limit).into()];
    db.json(sql!("webhook/dead_letters.sql"), &params)
}

/// Puts dead letters back to be tried from the beginning, all or those of these events, and says how many.
pub fn redeliver<D: Db>(
    db: &D,
    key: i64,
    events: Option<&[String]>,
    at: Instant,
) -> Result<u64, Fault> {
    let (events, at) = (events.map(crate::array).transpose()?, at.to_string());
    let rows = db.execute(
        "UPDATE webhook_event SET dead = 0, attempts = 0, next_attempt_at = ?3
         WHERE webhook_key = ?1 AND dead = 1
             AND (?2 IS NULL OR event_id IN (SELECT value FROM json_each(?2))) RETURNING key",
        &[key.into(), events.as_ref().into(), (&at).into()],
    )?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// Gives dead letters up, all or those of these events, and says how many.
pub fn discard<D: Db>(db: &D, key: i64, events: Option<&[String]>) -> Result<u64, Fault> {
    let events = events.map(crate::array).transpose()?;
    let rows = db.execute(
        "DELETE FROM webhook_event WHERE webhook_key = ?1 AND dead = 1
             AND (?2 IS NULL OR event_id IN (SELECT value FROM json_each(?2))) RETURNING key",
        &[key.into(), events.as_ref().into()],
    )?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}
