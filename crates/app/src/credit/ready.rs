//! What a check says until something changes, worked out before anybody asks.
//!
//! A check of who stands alone, with nothing found of it, says the same for every amount up to some: that is kept in a row,
//! and dropped by whatever writes what it rests on. A question that it does not answer is looked at as all were.

use super::{Now, ZONE, capped, nothing};
use crate::{audit::Author, ledger::json};
use dunlin_domain::{
    Id, Instant, Money,
    contract::credit::{CheckResult, EffectiveLimit, ExposurePart, NewCheck},
    credit::{
        approval,
        check::{
            Inputs, Position,
            ready::{Ready, is_plain, may_be_ready, told},
        },
        exposure::condensed,
        rates::Rates,
    },
    zone,
};
use dunlin_store::{
    Db, Fault,
    credit::{self, LookedAt, Plain},
    write,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How many customers are looked at in a transaction, for which those who reserve wait, and how many in a run.
const SLICE: usize = 250;
const RUN: u32 = 5_000;

/// An answer to a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub result: CheckResult,
    /// The components as JSON, where they were kept ready: the result has none then.
    pub exposure: Option<String>,
}

impl From<CheckResult> for Told {
    fn from(result: CheckResult) -> Self {
        Self { result, exposure: None }
    }
}

impl Told {
    /// The result with its components.
    pub fn whole(self) -> Result<CheckResult, Fault> {
        let Some(text) = &self.exposure else { return Ok(self.result) };
        let exposure = serde_json::from_str(text)
            .map_err(|e| Fault::Db(format!("components that were kept ready: {e}")))?;
        Ok(CheckResult { exposure, ..self.result })
    }
}

/// Asks what is ready, as long as the organisation's time zone is the one that was read last.
fn plainly<T>(
    question: &NewCheck,
    at: Instant,
    ask: impl FnOnce(&Plain<'_>) -> Result<Option<T>, Fault>,
) -> Result<Option<T>, Fault> {
    if !is_plain(question) {
        return Ok(None);
    }
    ZONE.with_borrow(|zone| {
        let Ok(today) = zone::day_in(at, zone) else { return Ok(None) };
        let NewCheck { customer, amount, order_id, .. } = question;
        let (order, today) = (order_id.as_ref(), (today, zone.as_str()));
        ask(&Plain { customer, amount: *amount, order, today, at })
    })
}

/// The answer to a question by what is ready.
pub(super) fn answer<D: Db>(
    db: &D,
    question: &NewCheck,
    at: Instant,
) -> Result<Option<Told>, Fault> {
    let found = plainly(question, at, |of| credit::ready(db, of))?;
    Ok(found.map(|found| of(question, at, found)))
}

fn of(question: &NewCheck, at: Instant, found: credit::Ready) -> Told {
    let result = told(question, at, found.total_minor, found.limit);
    Told { result, exposure: Some(found.exposure) }
}

/// The same, and keeps the check.
pub(super) fn keep<D: Db>(
    db: &D,
    question: &NewCheck,
    made: &Id,
    at: Instant,
) -> Result<Option<Told>, Fault> {
    let found = kept(db, question, made, at, true)?.and_then(|(_, found)| found);
    Ok(found.map(|found| of(question, at, found)))
}

/// Keeps a check that passes by what is ready, and gives the key of its customer, with what was found where it is wanted.
pub(super) fn kept<D: Db>(
    db: &D,
    question: &NewCheck,
    made: &Id,
    at: Instant,
    wanted: bool,
) -> Result<Option<(i64, Option<credit::Ready>)>, Fault> {
    plainly(question, at, |of| {
        let (at, day, question) = (json(&at)?, json(&of.today.0)?, json(question)?);
        let asked = format!(r#""at":{at},"day":{day},"question":{question}"#);
        credit::insert_ready_check(db, made, of, &asked, wanted)
    })
}

/// A check that passed by what was ready, as it was kept.
#[derive(Deserialize)]
struct Record {
    at: Instant,
    question: NewCheck,
    ready: (i64, Option<EffectiveLimit>, Vec<ExposurePart>),
}

/// A check that passed by what was ready, from how it was kept. Absent: it was looked at.
pub(super) fn record(text: &str) -> Option<CheckResult> {
    let Record { at, question, ready } = serde_json::from_str(text).ok()?;
    let (total_minor, limit, exposure) = ready;
    Some(CheckResult { exposure, ..told(&question, at, total_minor, limit) })
}

/// Looks at customers for whom nothing is ready, and says at how many. So many at the most that it does not take long; the
/// next run goes on.
pub fn run<D: Db>(db: &D, author: &Author) -> Result<u64, Fault> {
    let now = Now::new(db, author.at)?;
    let keys = credit::unready(db, (now.today, now.at), RUN)?;
    for slice in keys.chunks(SLICE) {
        write(db, |db| look(db, slice, &now))?;
    }
    Ok(u64::try_from(keys.len()).unwrap_or(u64::MAX))
}

fn look<D: Db>(db: &D, customers: &[i64], now: &Now) -> Result<(), Fault> {
    let day = (now.today, now.at);
    let mut looked_at: BTreeMap<i64, LookedAt> =
        customers.iter().map(|key| (*key, (*key, None, None, None))).collect();
    let mut told = Vec::new();
    for position in credit::positions(db, customers, day)? {
        let key = position.key;
        let Some(ready) = of_position(db, position, now)? else { continue };
        let Ready { currency, room_minor, total_minor, limit, exposure } = ready;
        looked_at.insert(key, (key, Some(currency), Some(room_minor), Some(total_minor)));
        told.push((key, limit.map(|limit| json(&limit)).transpose()?, json(&exposure)?));
    }
    let looked_at: Vec<LookedAt> = looked_at.into_values().collect();
    credit::put_ready(db, &looked_at, &told, day)
}

fn of_position<D: Db>(db: &D, position: Position, now: &Now) -> Result<Option<Ready>, Fault> {
    let limits = position.limit.iter().map(|limit: &Money| limit.currency);
    let thresholds = position.second_key_from.as_deref().unwrap_or_default();
    if !may_be_ready(&position, now.today) || !approval::pairs(thresholds, limits).is_empty() {
        return Ok(None);
    }
    let position = capped(db, position, now.today.into())?;
    let position = Position { pieces: condensed(position.pieces, None), ..position };
    let question = nothing(&position, now.today)?;
    let rates = Rates::default();
    let inputs = Inputs { at: now.at, day: now.today, question, position, rates, base_minor: 0 };
    Ok(Ready::of(&inputs))
}
