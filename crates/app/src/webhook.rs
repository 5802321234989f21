//! Webhooks: events are taken up from the feed, sent outside of any transaction, and what became of them is settled.
//!
//! An event is on its way from the moment it is taken up until the receiver has taken it. Of each customer only the
//! oldest that is on its way is sent; behind a dead letter the customer's later events wait for somebody to decide.

use crate::{
    audit::{Author, Note, note},
    event,
    ledger::{Change, missing},
    remind::BACKOFF_SECONDS,
};
use dunlin_domain::{
    Id, Instant, Refusal, Refused,
    contract::events::{DeadLetter, NewWebhook, Redelivery, Webhook},
    event::{Place, check_kinds, is_wanted},
};
use dunlin_store::{
    Db, Fault,
    webhook::{self as table, Claimed, PutOff, Stored},
    write,
};

/// How long the secret before the last change signs too: a day to change it at the receiver.
const OVERLAP_SECONDS: i64 = 24 * 3600;

/// How long whoever claimed an event may take to settle it before it is claimed again.
const CLAIM_SECONDS: i64 = 120;

/// Events sent at a time, each of another customer.
const BATCH: u32 = 50;

/// Events that may be on their way to one webhook before no more are taken up.
const ON_THEIR_WAY: i64 = 1_000;

/// The most dead letters that a request names.
const MAX_NAMED: usize = 1_000;

/// Stores a webhook under its name. A new one begins at the end of the feed unless it says where.
pub fn put<D: Db>(
    db: &D,
    name: &Id,
    new: &NewWebhook,
    author: &Author,
) -> Result<(Webhook, Change), Fault> {
    let kinds = new.kinds.clone().unwrap_or_default();
    check_kinds(&kinds)?;
    let begin: Option<Place> = match &new.after {
        Some(text) => Some(text.parse().map_err(|refused: Refused| refused.at("after"))?),
        None => None,
    };
    write(db, |db| {
        let before = table::get(db, name)?;
        let stored = before.as_ref().map(|before| before.secret.clone());
        let secret = new.secret.clone().or_else(|| stored.clone()).ok_or_else(|| {
            Refused::new(Refusal::MissingField, "a new webhook needs a secret").at("secret")
        })?;
        if let Some(begin) = begin {
            event::has_come(db, begin)?;
        }
        let position = match (&before, begin) {
            (Some(before), None) => before.webhook.position.clone(),
            // To begin elsewhere each time the same is put would send everything again each time.
            (Some(before), Some(begin)) if before.webhook.position != begin.to_string() => {
                let detail = "a webhook that is there keeps its place; remove it, and put it again to begin elsewhere";
                return Err(Refused::new(Refusal::WrongState, detail).at("after").into());
            }
            (_, Some(begin)) => begin.to_string(),
            (None, None) => event::end(db)?.to_string(),
        };
        let webhook = Webhook {
            name: name.clone(),
            url: new.url.clone(),
            kinds: kinds.clone(),
            paused: new.paused == Some(true),
            paused_because: None,
            position,
            waiting: before.as_ref().map_or(0, |before| before.webhook.waiting),
            dead: before.as_ref().map_or(0, |before| before.webhook.dead),
        };
        let rotated = stored.as_ref().is_some_and(|stored| *stored != secret);
        if before.as_ref().is_some_and(|before| before.webhook == webhook) && !rotated {
            return Ok((webhook, Change::AlreadySo));
        }
        let action = if before.is_some() { "replace" } else { "create" };
        let said = |of: &Webhook| serde_json::json!({"url": of.url, "kinds": of.kinds, "paused": of.paused});
        let was = before.as_ref().map(|before| said(&before.webhook));
        let change =
            Note::changed(action, "webhook", name.as_str(), was.as_ref(), Some(&said(&webhook)))?;
        note(db, author, &change)?;
        let until = rotated.then(|| author.at.plus_seconds(OVERLAP_SECONDS));
        let kept = before.as_ref();
        let after = Stored {
            key: 0,
            webhook: webhook.clone(),
            secret,
            previous_secret: if rotated {
                stored
            } else {
                kept.and_then(|kept| kept.previous_secret.clone())
            },
            previous_until: until.or_else(|| kept.and_then(|kept| kept.previous_until)),
        };
        table::put(db, &after)?;
        Ok((webhook, if before.is_some() { Change::Replaced } else { Change::Made }))
    })
}

/// Takes a webhook away with everything on its way to it.
pub fn remove<D: Db>(db: &D, name: &Id, author: &Author) -> Result<Webhook, Fault> {
    write(db, |db| {
        let stored = table::get(db, name)?.ok_or_else(|| missing("webhook"))?;
        let said = serde_json::json!({"url": stored.webhook.url});
        let change =
            Note::changed("remove", "webhook", name.as_str(), Some(&said), None::<&Webhook>)?;
        note(db, author, &change)?;
        table::remove(db, stored.key)?;
        Ok(stored.webhook)
    })
}

/// The webhook of this name.
pub fn get<D: Db>(db: &D, name: &Id) -> Result<Webhook, Fault> {
    Ok(stored(db, name)?.webhook)
}

fn stored<D: Db>(db: &D, name: &Id) -> Result<Stored, Fault> {
    table::get(db, name)?.ok_or_else(|| missing("webhook"))
}

/// Webhooks after a name.
pub fn page<D: Db>(db: &D, after: &str, limit: u32) -> Result<Vec<Webhook>, Fault> {
    Ok(table::page(db, after, limit)?.into_iter().map(|of| of.webhook).collect())
}

/// Dead letters, oldest first, each with its place.
pub fn dead_letters<D: Db>(
    db: &D,
    name: &Id,
    after: i64,
    limit: u32,
) -> Result<Vec<(DeadLetter, i64)>, Fault> {
    let found = table::dead_letters(db, stored(db, name)?.key, after, limit)?;
    let letter = |(key, event, attempts, tried_at, error, waiting): table::Dead| {
        (DeadLetter { event, attempts, tried_at, error, waiting }, key)
    };
    Ok(found.into_iter().map(letter).collect())
}

/// Has dead letters tried again from the beginning, or gives them up, and says how many there were.
pub fn redeliver<D: Db>(
    db: &D,
    name: &Id,
    asked: &Redelivery,
    author: &Author,
) -> Result<u64, Fault> {
    let events = match (&asked.events, asked.all) {
        (Some(events), None | Some(false)) if events.len() <= MAX_NAMED => Some(events.as_slice()),
        (None, Some(true)) => None,
        _ => {
            let detail = format!("either `all`, or at most {MAX_NAMED} `events`");
            return Err(Refused::new(Refusal::MalformedField, detail).at("events").into());
        }
    };
    write(db, |db| {
        let key = stored(db, name)?.key;
        let count = match asked.discard {
            Some(true) => table::discard(db, key, events)?,
            _ => table::redeliver(db, key, events, author.at)?,
        };
        if count > 0 {
            let action = if asked.discard == Some(true) { "discard" } else { "redeliver" };
            let what =
                Note::changed(action, "webhook", name.as_str(), None::<&Redelivery>, Some(asked))?;
            note(db, author, &what)?;
        }
        Ok(count)
    })
}

/// Takes up what has happened for every webhook that has room, a stretch of the feed each, and says whether any moved.
pub fn take_up<D: Db>(db: &D, now: Instant) -> Result<bool, Fault> {
    let mut moved = false;
    for of in table::page(db, "", u32::MAX)?.into_iter().filter(|of| !of.webhook.paused) {
        let from: Place = of.webhook.position.parse()?;
        if table::on_their_way(db, of.key)? >= ON_THEIR_WAY {
            continue;
        }
        let stretch = event::after(db, from)?;
        if stretch.reached == from {
            continue;
        }
        let wanted = |placed: &event::Placed| is_wanted(&placed.event.kind, &of.webhook.kinds);
        let row = |placed: event::Placed| {
            let body = serde_json::to_string(&placed.event)
                .map_err(|e| Fault::Db(format!("an event as JSON: {e}")))?;
            Ok((placed.event.id, placed.customer_key.unwrap_or(0), body))
        };
        let rows = stretch.events.into_iter().filter(wanted).map(row);
        let rows = rows.collect::<Result<Vec<_>, Fault>>()?;
        let places = (of.webhook.position.as_str(), stretch.reached.to_string());
        moved |= write(db, |db| table::take_up(db, of.key, (places.0, &places.1), &rows, now))?;
    }
    Ok(moved)
}

/// An event to send: where to, and the secrets that sign it.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub claimed: Claimed,
    pub url: String,
    pub secrets: Vec<String>,
}

/// Takes the next events to send, of the webhooks in turn but for those that are left out. Nobody else gets them
/// meanwhile.
pub fn claim<D: Db>(db: &D, now: Instant, left_out: &[i64]) -> Result<Vec<Parcel>, Fault> {
    if !table::any_due(db, now)? {
        return Ok(Vec::new());
    }
    let until = now.plus_seconds(CLAIM_SECONDS);
    let claimed = write(db, |db| table::claim(db, now, BATCH, until, left_out))?;
    let webhooks = table::page(db, "", u32::MAX)?;
    let parcel = |claimed: Claimed| {
        let of = webhooks.iter().find(|of| of.key == claimed.webhook)?;
        let previous = of.previous_until.filter(|until| now < *until);
        let previous = previous.and_then(|_| of.previous_secret.clone());
        let secrets = std::iter::once(of.secret.clone()).chain(previous).collect();
        Some(Parcel { claimed, url: of.webhook.url.clone(), secrets })
    };
    // One whose webhook was taken away meanwhile went with it.
    Ok(claimed.into_iter().filter_map(parcel).collect())
}

/// Whether another run sends events at this moment: what becomes of them is not known, and what waits behind them is not
/// sent. Of a run that died it is so until its events may be claimed again.
pub fn under_way<D: Db>(db: &D, now: Instant) -> Result<bool, Fault> {
    table::under_way(db, now, now.plus_seconds(CLAIM_SECONDS))
}

/// What a receiver did with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    Taken,
    /// Not now, in words.
    Later(String),
    /// It did not answer in time, in words: whoever waits for it again makes all others wait.
    Silent(String),
    /// It wants no more of anything: 410 Gone.
    Gone,
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub sent: u32,
    pub retried: u32,
    pub dead: u32,
}

/// Stores what became of a batch: one answer for each parcel, in the same order.
pub fn settle<D: Db>(
    db: &D,
    parcels: &[Parcel],
    answers: &[Answered],
    now: Instant,
) -> Result<Sent, Fault> {
    let (mut taken, mut put_off, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut sent = Sent::default();
    for (parcel, answer) in parcels.iter().zip(answers) {
        let claimed = &parcel.claimed;
        match answer {
            Answered::Taken => {
                sent.sent = sent.sent.saturating_add(1);
                taken.push(claimed.key);
            }
            Answered::Gone => {
                sent.retried = sent.retried.saturating_add(1);
                gone.push(claimed.webhook);
                put_off.push((claimed.key, now, 0, "the receiver answered 410 Gone".into()));
            }
            Answered::Later(why) | Answered::Silent(why) => {
                let row = later(claimed, why, now);
                let count = if row.2 == 0 { &mut sent.retried } else { &mut sent.dead };
                *count = count.saturating_add(1);
                put_off.push(row);
            }
        }
    }
    gone.dedup();
    write(db, |db| {
        table::taken(db, &taken)?;
        if !put_off.is_empty() {
            table::put_off(db, &put_off)?;
        }
        for webhook in &gone {
            table::pause(db, *webhook, "the receiver answered 410 Gone")?;
        }
        Ok(())
    })?;
    Ok(sent)
}

/// The next try of an event, or that there is none. The waits are those of notices.
fn later(claimed: &Claimed, why: &str, now: Instant) -> PutOff {
    let tried = usize::try_from(claimed.attempts).unwrap_or(usize::MAX).saturating_sub(1);
    let why = why.chars().take(200).collect();
    match BACKOFF_SECONDS.get(tried) {
        Some(wait) => (claimed.key, now.plus_seconds(*wait), 0, why),
        None => (claimed.key, now, 1, why),
    }
}
