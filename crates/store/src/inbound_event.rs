//! Tables `inbound_event` and `customer_event`: what sources sent, and what of it is kept about customers.

use crate::{Db, Fault, Param};
use dunlin_domain::{
    Date, Id, Instant, Money, Refusal,
    contract::events::{EventAction, InboundState},
};

/// An event as stored.
#[derive(Clone, Debug)]
pub struct Item {
    pub key: i64,
    pub id: Id,
    pub kind: String,
    pub received_at: Instant,
    pub state: InboundState,
    pub makes: Option<EventAction>,
    pub customer_id: Option<Id>,
    pub made: Option<String>,
    pub code: Option<Refusal>,
    pub detail: Option<String>,
    pub body: Option<String>,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried again by itself.
    pub next_try_at: Option<Instant>,
}

/// An event to store.
#[derive(Clone, Debug)]
pub struct New<'a> {
    pub source: i64,
    pub id: &'a Id,
    pub kind: &'a str,
    pub body: &'a str,
    pub hash: &'a str,
    pub at: Instant,
}

/// What became of an event.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    pub state: InboundState,
    pub makes: Option<EventAction>,
    pub customer: Option<i64>,
    pub made: Option<&'a str>,
    pub code: Option<Refusal>,
    pub detail: Option<&'a str>,
    /// How often it was tried, this time included.
    pub tries: u32,
    /// When it was tried.
    pub at: Instant,
    /// When it is tried again by itself; `None` for not.
    pub next_try_at: Option<Instant>,
    /// What it names and was not there.
    pub waits_for: Option<Awaited<'a>>,
}

/// A record that an event waits for.
#[derive(Clone, Copy, Debug)]
pub enum Awaited<'a> {
    Customer(&'a Id),
    Invoice(&'a Id),
    Payment(&'a Id),
    Contract(&'a Id),
}

impl<'a> Awaited<'a> {
    fn named(self) -> (&'static str, &'a str) {
        match self {
            Self::Customer(id) => ("customer", id.as_str()),
            Self::Invoice(id) => ("invoice", id.as_str()),
            Self::Payment(id) => ("payment", id.as_str()),
            Self::Contract(id) => ("contract", id.as_str()),
        }
    }

    /// Whether it is there.
    pub fn is_there<D: Db>(self, db: &D) -> Result<bool, Fault> {
        let sql = match self {
            Self::Customer(_) => "SELECT 1 FROM customer WHERE id = ?1",
            Self::Invoice(_) => "SELECT 1 FROM invoice WHERE id = ?1",
            Self::Payment(_) => {
                "SELECT 1 FROM payment WHERE id = ?1 UNION ALL SELECT 1 FROM payment_name WHERE id = ?1"
            }
            Self::Contract(_) => "SELECT 1 FROM contract WHERE id = ?1",
        };
        Ok(db.first(sql, &[self.named().1.into()])?.is_some())
    }
}

/// Something to know about a customer.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub customer: i64,
    pub on: Date,
    pub kind: EventAction,
    pub subject: Option<&'a str>,
    pub amount: Option<Money>,
    pub reason: Option<&'a str>,
    pub entry: i64,
}

/// The key and hash of an event that is there already.
pub fn find<D: Db>(db: &D, source: i64, id: &Id) -> Result<Option<(i64, String)>, Fault> {
    let sql = "SELECT key, body_hash FROM inbound_event WHERE source_key = ?1 AND id = ?2";
    let row = db.first(sql, &[source.into(), id.as_str().into()])?;
    row.map(|row| Ok((row.int(0)?, row.text(1)?.to_string()))).transpose()
}

/// Stores an event with what became of it, and gives its key.
pub fn insert<D: Db>(db: &D, new: &New<'_>, result: &Outcome<'_>) -> Result<i64, Fault> {
    let at = new.at.to_string();
    let again = result.next_try_at.map(|at| at.to_string());
    let (noun, waits_for) = result.waits_for.map(Awaited::named).unzip();
    db.int(
        "INSERT INTO inbound_event
             (source_key, id, kind, body, body_hash, received_at, state, makes, customer_key, made, code, detail,
              tries, tried_at, next_try_at, awaits, awaits_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?6, ?14, ?15, ?16) RETURNING key",
        &[
            new.source.into(),
            new.id.as_str().into(),
            new.kind.into(),
            new.body.into(),
            new.hash.into(),
            (&at).into(),
            result.state.name().into(),
            result.makes.map(EventAction::name).into(),
            result.customer.into(),
            result.made.into(),
            result.code.map(Refusal::name).into(),
            result.detail.into(),
            i64::from(result.tries).into(),
            again.as_deref().into(),
            noun.into(),
            waits_for.into(),
        ],
    )
}

/// Says what became of an event that was tried again.
pub fn update<D: Db>(db: &D, key: i64, result: &Outcome<'_>) -> Result<(), Fault> {
    let (at, again) = (result.at.to_string(), result.next_try_at.map(|at| at.to_string()));
    let (noun, waits_for) = result.waits_for.map(Awaited::named).unzip();
    db.execute(
        "UPDATE inbound_event
         SET state = ?2, makes = ?3, customer_key = ?4, made = ?5, code = ?6, detail = ?7, tries = ?8, tried_at = ?9,
             next_try_at = ?10, awaits = ?11, awaits_id = ?12
         WHERE key = ?1",
        &[
            key.into(),
            result.state.name().into(),
            result.makes.map(EventAction::name).into(),
            result.customer.into(),
            result.made.into(),
            result.code.map(Refusal::name).into(),
            result.detail.into(),
            i64::from(result.tries).into(),
            (&at).into(),
            again.as_deref().into(),
            noun.into(),
            waits_for.into(),
        ],
    )?;
    Ok(())
}

/// Events to try: their sources and ids.
pub type ToTry = Vec<(Id, Id)>;

/// Events that are due to be tried again: what they wait for is there, or their time has come.
pub fn due<D: Db>(db: &D, now: Instant, limit: i64) -> Result<ToTry, Fault> {
    let now = now.to_string();
    db.json(sql!("inbound_event/due.sql"), &[(&now).into(), limit.into()])
}

/// Events that wait for a record, the oldest first.
pub fn awaiting<D: Db>(db: &D, record: Awaited<'_>, limit: i64) -> Result<ToTry, Fault> {
    let (noun, id) = record.named();
    db.json(sql!("inbound_event/awaiting.sql"), &[noun.into(), id.into(), limit.into()])
}

/// Refused events of a source that were not tried again since a moment, the longest untried first.
pub fn refused<D: Db>(db: &D, source: i64, since: Instant, limit: i64) -> Result<ToTry, Fault> {
    let since = since.to_string();
    let params: [Param<'_>; 3] = [source.into(), (&since).into(), limit.into()];
    db.json(sql!("inbound_event/refused.sql"), &params)
}

/// Takes an event off the list of those that are tried again by themselves.
pub fn give_up<D: Db>(db: &D, source: i64, id: &Id, at: Instant) -> Result<(), Fault> {
    let at = at.to_string();
    db.execute(
        "UPDATE inbound_event
         SET next_try_at = NULL, awaits = NULL, awaits_id = NULL, tried_at = ?3, tries = max(tries, 1) + 1
         WHERE source_key = ?1 AND id = ?2",
        &[source.into(), id.as_str().into(), (&at).into()],
    )?;
    Ok(())
}

/// Keeps something to know about a customer.
pub fn insert_about<D: Db>(db: &D, inbound: i64, about: &About<'_>) -> Result<(), Fault> {
    let (on, currency) =
        (about.on.to_string(), about.amount.map(|amount| amount.currency.to_string()));
    db.execute(
        "INSERT INTO customer_event
             (customer_key, happened_on, kind, subject, minor, currency, reason, inbound_key, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            about.customer.into(),
            (&on).into(),
            about.kind.name().into(),
            about.subject.into(),
            about.amount.map(|amount| amount.minor).into(),
            currency.as_ref().into(),
            about.reason.into(),
            inbound.into(),
            about.entry.into(),
        ],
    )?;
    Ok(())
}

/// A source's events in the order they came.
pub fn page<D: Db>(
    db: &D,
    source: i64,
    after: i64,
    limit: u32,
    state: Option<InboundState>,
) -> Result<Vec<Item>, Fault> {
    select(db, source, after, limit, state, None)
}

/// One event with its body.
pub fn get<D: Db>(db: &D, source: i64, id: &Id) -> Result<Option<Item>, Fault> {
    Ok(select(db, source, 0, 1, None, Some(id))?.pop())
}

fn select<D: Db>(
    db: &D,
    source: i64,
    after: i64,
    limit: u32,
    state: Option<InboundState>,
    only: Option<&Id>,
) -> Result<Vec<Item>, Fault> {
    type Row = (
        (i64, Id, String, Instant, InboundState, Option<EventAction>),
        (Option<Id>, Option<String>, Option<Refusal>, Option<String>, Option<String>),
        (u32, Option<Instant>),
    );
    let params: [Param<'_>; 6] = [
        source.into(),
        after.into(),
        i64::from(limit).into(),
        state.map(InboundState::name).into(),
        only.map(Id::as_str).into(),
        i64::from(only.is_some()).into(),
    ];
    let rows: Vec<Row> = db.json(sql!("inbound_event/page.sql"), &params)?;
    let item = |(head, rest, (tries, next_try_at)): Row| Item {
        key: head.0,
        id: head.1,
        kind: head.2,
        received_at: head.3,
        state: head.4,
        makes: head.5,
        customer_id: rest.0,
        made: rest.1,
        code: rest.2,
        detail: rest.3,
        body: rest.4,
        tries,
        next_try_at,
    };
    Ok(rows.into_iter().map(item).collect())
}

/// Takes the bodies out of events that came before a moment, at most so many at once.
pub fn forget_bodies<D: Db>(db: &D, before: Instant, limit: i64) -> Result<(), Fault> {
    let before = before.to_string();
    db.execute(
        "UPDATE inbound_event SET body = NULL, awaits = NULL, awaits_id = NULL WHERE key IN (
             SELECT key FROM inbound_event WHERE body IS NOT NULL AND received_at < ?1
             ORDER BY received_at LIMIT ?2)",
        &[(&before).into(), limit.into()],
    )?;
    Ok(())
}
