//! What a check says until something changes, worked out before anybody asks.
//!
//! A check of who stands alone, with nothing found of it, says the same for every amount up to some: that is kept in a row,
//! and dropped by whatever writes what it rests on. A question that it does not answer is looked at as all were.

use super::{Now, capped, nothing, zone_read_last};
use crate::{audit::Author, ledger::json};
use dunlin_domain::{
    Id, Instant, Money,
    contract::credit::{CheckResult, EffectiveLimit, ExposurePart, NewCheck},
    credit::{
        approval,
        check::{
            self, Inputs, Position,
            ready::{Ready, is_plain, may_be_ready, told},
        },
        exposure::condensed,
        rates::Rates,
    },
    zone,
};
use dunlin_store::{
    Db, Fault, credit,
    credit_ready::{self, AllToKeep, LookedAt, Plain},
    write, write_alone,
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

/// A question as what is ready may answer it, as long as the organisation's time zone is the one that was read last.
fn plain<'a>(question: &'a NewCheck, at: Instant, zone: &'a str) -> Option<Plain<'a>> {
    if !is_plain(question) || check::check(question).is_err() {
        return None;
    }
    let NewCheck { customer, amount, order_id, .. } = question;
    let today = zone::day_in(at, zone).ok()?;
    Some(Plain { customer, amount: *amount, order: order_id.as_ref(), today: (today, zone), at })
}

/// The answers to questions by what is ready. Nothing: it must be looked at.
pub(super) fn answers<D: Db>(
    db: &D,
    asked: &[(&NewCheck, Instant)],
) -> Result<Vec<Option<Told>>, Fault> {
    let zone = zone_read_last(db)?;
    let mut told = vec![None; asked.len()];
    let mut questions = Vec::new();
    for ((question, at), told) in asked.iter().zip(&mut told) {
        if let Some(plain) = plain(question, *at, &zone) {
            questions.push((plain, question, told));
        }
    }
    if questions.is_empty() {
        return Ok(told);
    }
    let plain: Vec<Plain<'_>> = questions.iter().map(|(plain, ..)| *plain).collect();
    for ((plain, question, told), found) in
        questions.into_iter().zip(credit_ready::find(db, &plain)?)
    {
        *told = found.map(|found| of(question, plain.at, found));
    }
    Ok(told)
}

fn of(question: &NewCheck, at: Instant, found: credit_ready::Ready) -> Told {
    let result = told(question, at, found.total_minor, found.limit);
    Told { result, exposure: Some(found.exposure) }
}

/// A check that is kept where it passes by what is ready.
#[derive(Clone, Copy, Debug)]
pub struct ToKeep<'a> {
    pub question: &'a NewCheck,
    /// The id that was made for it.
    pub id: &'a Id,
    pub at: Instant,
}

/// The same as [`answers`], and keeps the checks.
pub(super) fn keep<D: Db>(db: &D, asked: &[ToKeep<'_>]) -> Result<Vec<Option<Told>>, Fault> {
    let zone = zone_read_last(db)?;
    let all: Vec<_> = asked.iter().map(|of| (*of, None)).collect();
    let mut kept = match to_keep(&all, &zone)? {
        Some(all) => write_alone(db, |db| credit_ready::keep(db, &all, true))?,
        None => BTreeMap::new(),
    };
    let told = |to: &ToKeep<'_>| {
        let told = of(to.question, to.at, kept.remove(to.id)?.1?);
        let result = CheckResult { id: Some(to.id.clone()), ..told.result };
        Some(Told { result, ..told })
    };
    Ok(asked.iter().map(told).collect())
}

/// Checks that are kept where they pass by what is ready, some for reservations that must be new, as a statement takes them.
pub(super) fn to_keep<'a>(
    asked: &[(ToKeep<'a>, Option<&'a Id>)],
    zone: &'a str,
) -> Result<Option<AllToKeep<'a>>, Fault> {
    let mut rows = Vec::new();
    for (ToKeep { question, id, at }, reservation) in asked {
        let Some(of) = plain(question, *at, zone) else { continue };
        let (at, day, question) = (json(&of.at)?, json(&of.today.0)?, json(question)?);
        let question = format!(r#""at":{at},"day":{day},"question":{question}"#);
        rows.push(credit_ready::ToKeep { of, id, question, reservation: *reservation });
    }
    AllToKeep::of(rows)
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
    let keys = credit_ready::unready(db, (now.today, now.at), RUN)?;
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
    credit_ready::put(db, &looked_at, &told, day)
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
