//! Credit: limits, what counts towards them, checks, reservations and holds.
//!
//! A check reads everything in one statement, so that what it judges is of one moment. A reservation reads and writes in
//! one transaction: whoever reserves waits for the one before, and sees its amount.

pub mod check;
pub mod hold;
pub mod limit;
pub mod order;
pub mod policy;
pub mod reservation;
pub mod rule;

use crate::ledger::missing;
use dunlin_domain::{
    Date, Id, Instant, Money, Refusal, Refused,
    contract::{credit::NewCheck, types::Language},
    credit::{
        check::{Head, Inputs, Position, pairs},
        exposure::condensed,
        rates::Rates,
    },
    zone,
};
use dunlin_store::{Db, Fault, When, credit, customer, exchange, organisation};

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

/// Where a customer stands now. It must be there and not merged into another.
fn position<D: Db>(db: &D, id: &Id, now: &Now, with_terms: bool) -> Result<Position, Fault> {
    let found = credit::position(db, id, (now.today, now.at), None, with_terms)?;
    let found = found.ok_or_else(|| {
        Refused::new(Refusal::UnknownCustomer, "no customer has this id").at("customer")
    })?;
    match &found.merged {
        Some(into) => Err(crate::customer::merged(into).at("customer").into()),
        None => Ok(found),
    }
}

/// Where a customer stood at the end of a day: its record, its group and its limits are those of the day.
fn position_then<D: Db>(db: &D, id: &Id, day: Date, now: &Now) -> Result<Position, Fault> {
    if day == now.today {
        let found = credit::position(db, id, (day, now.at), None, false)?;
        return found.ok_or_else(|| missing("customer"));
    }
    let when = When { day, known: i64::MAX };
    let (key, record) = customer::then(db, id, when)?.ok_or_else(|| missing("customer"))?;
    let parent = match &record.parent_id {
        Some(parent) => customer::then(db, parent, when)?,
        None => None,
    };
    let head = parent.as_ref().map_or((key, &record), |(key, record)| (*key, record));
    let members = customer::group(db, head.0, when)?;
    let moment = (day, zone::end_of(day, &now.zone)?);
    let found = credit::position(db, id, moment, Some(&members), false)?;
    let found = found.ok_or_else(|| missing("customer"))?;
    let in_group = members.len() > 1;
    let head =
        in_group.then(|| Head { key: head.0, id: head.1.id.clone(), limit: head.1.credit_limit });
    Ok(Position {
        status: record.status,
        currency: record.currency,
        limit: record.credit_limit,
        head,
        ..found
    })
}

/// The rates that a judgement may need. One that is missing is refused when it is needed.
fn rates<D: Db>(
    db: &D,
    position: &Position,
    asked: Option<Money>,
    day: Date,
) -> Result<Rates, Fault> {
    let mut rates = Rates::default();
    for (from, to) in pairs(position, asked, day) {
        match exchange::on(db, from, to, day) {
            Ok(rate) => rates.put(from, to, rate),
            Err(Fault::Refused(refused)) if refused.code == Refusal::RateMissing => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(rates)
}

/// All that a judgement of a question rests on now.
fn inputs<D: Db>(db: &D, question: &NewCheck, now: &Now) -> Result<Inputs, Fault> {
    let with_terms = question.terms_days.is_some();
    let mut position = position(db, &question.customer, now, with_terms)?;
    position.pieces = condensed(position.pieces, question.order_id.as_ref());
    let rates = rates(db, &position, Some(question.amount), now.today)?;
    let question = question.clone();
    Ok(Inputs { at: now.at, day: now.today, question, position, rates })
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
