//! Credit: limits, what counts towards them, checks, reservations and holds.
//!
//! A check reads everything in one statement, so that what it judges is of one moment. A reservation reads and writes in
//! one transaction: whoever reserves waits for the one before, and sees its amount.

pub mod check;
pub mod hold;
pub mod limit;
pub(crate) mod merge;
pub mod order;
pub mod policy;
pub mod ready;
pub mod reservation;
pub mod rule;

use crate::{
    invoice::known_at,
    ledger::{json, missing},
};
use dunlin_domain::{
    Currency, Date, Id, Instant, Money, Refusal, Refused,
    contract::{credit::NewCheck, types::Language},
    credit::{
        approval,
        check::{Head, Inputs, Position, pairs},
        exposure::{condensed, is_listed},
        rates::Rates,
    },
    zone,
};
use dunlin_store::{
    Db, Fault, When,
    credit::{self, About},
    customer, exchange, organisation,
};
use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    /// The organisation's time zone as it was read last. A guess that saves a statement: the next one says what holds.
    static ZONE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// That zone, read where nobody has yet.
fn zone_read_last<D: Db>(db: &D) -> Result<String, Fault> {
    let last = ZONE.with_borrow(Clone::clone);
    if !last.is_empty() {
        return Ok(last);
    }
    let zone = organisation::get(db)?.time_zone;
    ZONE.set(zone.clone());
    Ok(zone)
}

/// The moment of a call, its day, and the organisation's zone.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    pub at: Instant,
    pub today: Date,
    /// The organisation's language.
    pub language: Language,
    zone: String,
}

impl Now {
    pub fn new<D: Db>(db: &D, at: Instant) -> Result<Self, Fault> {
        let organisation = organisation::get(db)?;
        let (zone, language) = (organisation.time_zone, organisation.language);
        Ok(Self { at, today: zone::day_in(at, &zone)?, language, zone })
    }
}

/// Where a customer stands at this very moment, in one statement, with the moment as the organisation counts days.
/// Nothing where [`position_then`] has to look.
fn standing<D: Db>(
    db: &D,
    id: &Id,
    at: Instant,
    about: About<'_>,
) -> Result<Option<(Now, credit::Found)>, Fault> {
    let mut today = zone::day_in(at, &zone_read_last(db)?)?;
    loop {
        let found = credit::position(db, id, (today, at), about)?;
        let Some(found) = found else { return Ok(None) };
        let day = zone::day_in(at, &found.time_zone)?;
        ZONE.set(found.time_zone.clone());
        if day == today {
            let (language, zone) = (found.language, found.time_zone.clone());
            return Ok(Some((Now { at, today, language, zone }, found)));
        }
        today = day;
    }
}

/// Where a customer stands now. It must be there and not merged into another.
fn position<D: Db>(db: &D, id: &Id, now: &Now, about: About<'_>) -> Result<Position, Fault> {
    let then = Then::new(db, Asked::default(), now)?;
    match position_then(db, id, &then, about) {
        Err(Fault::Refused(_)) => Err(unknown_customer()),
        found => unless_merged(found?),
    }
}

fn unless_merged(found: Position) -> Result<Position, Fault> {
    match &found.merged {
        Some(into) => Err(crate::customer::merged(into).at("customer").into()),
        None => Ok(found),
    }
}

fn unknown_customer() -> Fault {
    Refused::new(Refusal::UnknownCustomer, "no customer has this id").at("customer").into()
}

/// The day and the moment of knowledge that a client asks for: where it says nothing, today and all that is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub day: Option<Date>,
    pub known_at: Option<Instant>,
}

impl Asked {
    /// Whether it asks for nothing but now.
    pub fn is_now(&self) -> bool {
        self.day.is_none() && self.known_at.is_none()
    }
}

impl From<Option<Date>> for Asked {
    fn from(day: Option<Date>) -> Self {
        Self { day, known_at: None }
    }
}

/// A moment that is answered for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Then {
    when: When,
    /// Until when what was reserved is looked at.
    moment: Instant,
    /// Whether it is this very moment, with all that is known.
    is_now: bool,
}

impl Then {
    fn new<D: Db>(db: &D, asked: Asked, now: &Now) -> Result<Self, Fault> {
        let day = asked.day.unwrap_or(now.today);
        let end = if day == now.today { now.at } else { zone::end_of(day, &now.zone)? };
        Ok(Self {
            when: When { day, known: known_at(db, asked.known_at)? },
            moment: asked.known_at.map_or(end, |known| known.min(end)),
            is_now: day == now.today && asked.known_at.is_none(),
        })
    }
}

/// Where a customer stood at the end of a day, as known then: its record, its group and its limits are those of the day.
fn position_then<D: Db>(db: &D, id: &Id, then: &Then, about: About<'_>) -> Result<Position, Fault> {
    if then.is_now
        && let Some(found) = credit::position(db, id, (then.when.day, then.moment), about)?
    {
        return capped(db, found.position, then.when);
    }
    let (key, record) = customer::then(db, id, then.when)?.ok_or_else(|| missing("customer"))?;
    let parent = match &record.parent_id {
        Some(parent) => customer::then(db, parent, then.when)?,
        None => None,
    };
    let head = parent.as_ref().map_or((key, &record), |(key, record)| (*key, record));
    let members = customer::group(db, head.0, then.when)?;
    let in_group = members.len() > 1;
    // Now, all count that were made: a request may have come a moment before one that was served first.
    let reserved = Some(then.moment).filter(|_| !then.is_now);
    let moment = (then.when, then.moment, reserved);
    let found = credit::position_then(db, key, moment, (head.0, &members), about)?;
    let head =
        in_group.then(|| Head { key: head.0, id: head.1.id.clone(), limit: head.1.credit_limit });
    let found = Position {
        status: record.status,
        merged: record.merged_into,
        currency: record.currency,
        limit: record.credit_limit,
        head,
        ..found
    };
    capped(db, found, then.when)
}

/// The position with as much of the limits of records as counts without a second key.
fn capped<D: Db>(db: &D, mut of: Position, when: When) -> Result<Position, Fault> {
    let Some(thresholds) = of.second_key_from.take() else { return Ok(of) };
    let head = of.head.as_mut().and_then(|head| head.limit.as_mut());
    let records: Vec<&mut Money> = of.limit.as_mut().into_iter().chain(head).collect();
    let currencies = records.iter().map(|record| record.currency);
    let rates = rates_of(db, approval::pairs(&thresholds, currencies), when)?;
    let mut capped = false;
    for record in records {
        let counts = approval::of_record(&thresholds, *record, &rates);
        capped |= counts != *record;
        *record = counts;
    }
    Ok(Position { capped, second_key_from: Some(thresholds), ..of })
}

/// The rates that a judgement may need. One that is missing is refused when it is needed.
fn rates<D: Db>(
    db: &D,
    position: &Position,
    asked: Option<Money>,
    when: When,
) -> Result<Rates, Fault> {
    rates_of(db, pairs(position, asked, when.day), when)
}

/// The rates between pairs of currencies. One that is missing is refused when it is needed.
pub(crate) fn rates_of<D: Db>(
    db: &D,
    pairs: BTreeSet<(Currency, Currency)>,
    when: When,
) -> Result<Rates, Fault> {
    let mut rates = Rates::default();
    for (from, to) in pairs {
        if let Some(rate) = exchange::known(db, from, to, when)? {
            rates.put(from, to, rate);
        }
    }
    Ok(rates)
}

/// What is looked for besides where the customer stands.
fn about(question: &NewCheck) -> About<'_> {
    (question.order_id.as_ref(), question.terms_days.is_some())
}

/// All that a judgement of a question rests on now, and what belongs to it.
struct Basis {
    inputs: Inputs,
    /// The position as it was read, where that is what the judgement rests on.
    text: Option<String>,
    /// Whether a check holds the order.
    waits: bool,
    language: Language,
}

impl Basis {
    fn new<D: Db>(db: &D, question: &NewCheck, at: Instant) -> Result<Self, Fault> {
        let order = question.order_id.as_ref();
        let (now, mut position, text, waits) =
            match standing(db, &question.customer, at, about(question))? {
                Some((now, found)) => {
                    let position = unless_merged(found.position)?;
                    let position = capped(db, position, now.today.into())?;
                    let text = Some(found.text).filter(|_| !position.capped);
                    (now, position, text, found.waits)
                }
                None => {
                    let now = Now::new(db, at)?;
                    let position = position(db, &question.customer, &now, about(question))?;
                    let waits = match order {
                        Some(order) => credit::hold_of_order(db, position.key, order)?.is_some(),
                        None => false,
                    };
                    (now, position, None, waits)
                }
            };
        let text = text.filter(|_| is_listed(&position.pieces));
        position.pieces = condensed(position.pieces, order);
        let rates = rates(db, &position, Some(question.amount), now.today.into())?;
        let question = question.clone();
        let inputs = Inputs { at, day: now.today, question, position, rates, base_minor: 0 };
        Ok(Self { inputs, text, waits, language: now.language })
    }

    /// Leaves away a part of what was invoiced or cancelled of the order, and says how much. The rest is not asked for
    /// again, cancelled or not.
    fn without_done(&mut self, part: impl Fn(i64) -> i64) -> i64 {
        let Some(done) = &mut self.inputs.position.done else { return 0 };
        let (all, was) = (done.invoiced.saturating_add(done.cancelled), done.invoiced);
        let away = part(all);
        (done.invoiced, done.cancelled) = (all.saturating_sub(away), 0);
        self.inputs.base_minor = away;
        self.text = self.text.take().filter(|_| was == all && away == 0);
        away
    }

    /// What a judgement rested on as it is kept, which [`kept`] reads: the position as it was read, where it can be.
    fn record(&self) -> Result<String, Fault> {
        let Some(position) = &self.text else { return json(&self.inputs) };
        let Inputs { at, day, question, rates, .. } = &self.inputs;
        let (at, day, question, rates) = (json(at)?, json(day)?, json(question)?, json(rates)?);
        Ok(format!(
            r#"{{"at":{at},"day":{day},"question":{question},"position":{position},"rates":{rates}}}"#
        ))
    }
}

/// What a judgement rested on, from how it was kept.
fn kept(record: &str) -> Result<Inputs, Fault> {
    let inputs: Inputs = serde_json::from_str(record)
        .map_err(|e| Fault::Db(format!("what a check rested on: {e}")))?;
    let mut position = inputs.position.gathered();
    if is_listed(&position.pieces) {
        position.pieces = condensed(position.pieces, inputs.question.order_id.as_ref());
    }
    Ok(Inputs { position, ..inputs })
}

/// All that a judgement of a question would have rested on then.
fn inputs_then<D: Db>(
    db: &D,
    question: &NewCheck,
    asked: Asked,
    now: &Now,
) -> Result<Inputs, Fault> {
    let then = Then::new(db, asked, now)?;
    if then.is_now {
        return Ok(Basis::new(db, question, now.at)?.inputs);
    }
    let found = match position_then(db, &question.customer, &then, about(question)) {
        Err(Fault::Refused(_)) => Err(unknown_customer()),
        found => found,
    };
    let mut position = unless_merged(found?)?;
    position.pieces = condensed(position.pieces, question.order_id.as_ref());
    let rates = rates(db, &position, Some(question.amount), then.when)?;
    let question = question.clone();
    Ok(Inputs { at: then.moment, day: then.when.day, question, position, rates, base_minor: 0 })
}

/// The currency of an exposure of nothing, of somebody who is bound in none.
const NO_CURRENCY: &str = "EUR";

/// A question that asks for nothing, in the currency in which the customer is bound.
fn nothing(position: &Position, day: Date) -> Result<NewCheck, Fault> {
    let limits = dunlin_domain::credit::check::limits(position, day);
    let bound = limits.individual.or(limits.group).map(|line| line.currency);
    let first = position.pieces.first().map(|piece| piece.currency);
    let currency = match bound.or(position.currency).or(first) {
        Some(currency) => currency,
        None => NO_CURRENCY.parse()?,
    };
    Ok(NewCheck {
        customer: position.id.clone(),
        amount: Money::new(0, currency),
        purpose: None,
        order_id: None,
        terms_days: None,
    })
}
