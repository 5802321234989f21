//! One term of a rule: what it sees, and whether that is beyond its bound.

use super::{Position, Sample, history};
use crate::decimal::Times as _;
use crate::{
    Currency, Date, Decimal, Money, card,
    contract::{
        score::FactName,
        types::Grade,
        warn::{Evidence, RuleTerm, TermKind, TermSeen},
    },
    decimal, grade,
};
use rust_decimal::RoundingStrategy;
use std::{fmt, str::FromStr};

/// How far back a fact is compared where the term does not say.
const COMPARED_DAYS: u32 = 90;
/// How far back a line goes where the term does not say.
const TREND_DAYS: u32 = 365;
/// For how long an event counts where the term does not say.
const EVENT_DAYS: u32 = 30;
/// With fewer values a line says nothing, where the term does not say otherwise.
const TREND_LEAST: u32 = 4;
/// With fewer samples nothing is usual, where the term does not say otherwise.
const ANOMALY_LEAST: u32 = 6;
/// A book in which fewer customers owe is concentrated by its nature: with four, one always has a quarter.
const CONCENTRATION_LEAST_OWING: u32 = 5;
/// An order that is larger by this than the one that was told of is another one.
const HALF_MORE: Decimal = Decimal::from_parts(15, 0, 0, false, 1);

/// A bound as it counts now: the closing bound where an alert is there.
fn bound(term: &RuleTerm, open: bool) -> Option<Decimal> {
    if open { closing(term) } else { term.bound }
}

fn closing(term: &RuleTerm) -> Option<Decimal> {
    term.closing_bound.or(term.bound)
}

/// What the term saw, when it holds. `at` is its place in the rule; `open` is the evidence of the alert that is there.
pub(super) fn seen(
    term: &RuleTerm,
    at: usize,
    position: &Position,
    currency: Option<Currency>,
    open: Option<&Evidence>,
) -> Option<TermSeen> {
    let is_open = open.is_some();
    let number = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
    let name = match (term.fact, term.event) {
        (Some(fact), _) => fact.name(),
        (None, Some(event)) => event.name(),
        (None, None) => term.kind.name(),
    };
    let told = |value: String, bound: String, closes_at: String, before: Option<String>| TermSeen {
        term: number,
        name: name.into(),
        value,
        bound,
        closes_at,
        before,
        before_on: None,
        distance: None,
        last: None,
    };
    let numbers = |value: Decimal, before: Option<Decimal>| {
        let bound = shown(bound(term, is_open)?);
        Some(told(shown(value), bound, shown(closing(term)?), before.map(shown)))
    };
    let now = term.fact.and_then(|fact| position.facts.get(&fact).copied());
    match term.kind {
        TermKind::Above => {
            let value = now.filter(|now| Some(*now) > bound(term, is_open))?;
            numbers(value, None)
        }
        TermKind::Below => {
            let value = now.filter(|now| bound(term, is_open).is_some_and(|bound| *now < bound))?;
            numbers(value, None)
        }
        TermKind::Rise | TermKind::Fall => {
            let now = now?;
            let (on, before) = before(term, position)?;
            let up = term.kind == TermKind::Rise;
            let moved = if up { now.saturating_sub(before) } else { before.saturating_sub(now) };
            let told = || Some(TermSeen { before_on: Some(on), ..numbers(now, Some(before))? });
            (Some(moved) > bound(term, is_open)).then(told)?
        }
        TermKind::Trend => {
            let least = term.least.unwrap_or(TREND_LEAST);
            let slope = history::slope(&points(term, position, TREND_DAYS)?, position.day, least)?;
            (Some(slope) > bound(term, is_open)).then(|| numbers(slope, None))?
        }
        TermKind::Anomaly => {
            let values: Vec<Decimal> =
                samples(position).filter_map(|of| of.values.get(&term.fact?).copied()).collect();
            let least = term.least.unwrap_or(ANOMALY_LEAST);
            let spread = term.spread.unwrap_or(Decimal::ONE);
            let (median, distance) = history::anomaly(values, now?, least, spread)?;
            let told = || {
                let distance = Some(decimal::round(distance, 4).normalize());
                Some(TermSeen { distance, ..numbers(now?, Some(median))? })
            };
            (Some(distance) > bound(term, is_open)).then(told)?
        }
        TermKind::Event => {
            let on = *position.events.get(&term.event?)?;
            let days = i64::from(term.days.unwrap_or(EVENT_DAYS));
            let first = position.day.plus_days(1i64.saturating_sub(days)).unwrap_or(Date::FIRST);
            let closes = on.plus_days(days).unwrap_or(Date::LAST);
            (first <= on).then(|| told(on.to_string(), first.to_string(), closes.to_string(), None))
        }
        TermKind::NewlyOverdue => {
            let amounts = overdue(position).filter(|_| is_open || !position.overdue_before)?;
            Some(told(amounts, "0".into(), "0".into(), None))
        }
        TermKind::GradeWorse => {
            let from = fell_from(term, number, position, open)?;
            let now = position.grade_now?.to_string();
            Some(told(now, from.to_string(), from.to_string(), None))
        }
        TermKind::NotchWorse => {
            let (now, from) = slipped_from(term, number, position, open)?;
            Some(told(now.to_string(), from.to_string(), from.to_string(), None))
        }
        TermKind::LimitUsed => {
            let limit = position.limit.filter(|limit| Some(limit.currency) == currency)?;
            let bound = bound(term, is_open)?;
            // What is owed in the limit's own currency uses as much at least, also where a rate is missing for the rest.
            let own = position.owed.iter().find(|owed| owed.currency == limit.currency);
            let own = own.and_then(|owed| beyond(owed.outstanding_minor, limit.minor, bound));
            let all = position.facts.get(&FactName::Utilisation).copied();
            numbers(own.max(all.filter(|used| *used > bound))?, None)
        }
        TermKind::BookShare => {
            let owed = position.owed.iter().find(|owed| Some(owed.currency) == currency)?;
            if owed.book_customers < term.least.unwrap_or(CONCENTRATION_LEAST_OWING) {
                return None;
            }
            let share = beyond(owed.outstanding_minor, owed.book_minor, bound(term, is_open)?)?;
            numbers(share, None)
        }
    }
}

/// The samples of former days: one of the day itself says nothing of the past.
pub(super) fn samples(position: &Position) -> impl DoubleEndedIterator<Item = &Sample> {
    position.samples.iter().filter(|sample| sample.day < position.day)
}

/// The latest sample that is old enough: its day, and the value.
fn before(term: &RuleTerm, position: &Position) -> Option<(Date, Decimal)> {
    let days = i64::from(term.days.unwrap_or(COMPARED_DAYS));
    let old = |sample: &&Sample| position.day.days_since(sample.day) >= days;
    let sample = samples(position).rev().find(old)?;
    Some((sample.day, *sample.values.get(&term.fact?)?))
}

/// The values of a fact by day, the one of the day itself last.
fn points(term: &RuleTerm, position: &Position, days: u32) -> Option<Vec<(Date, Decimal)>> {
    let fact = term.fact?;
    let now = *position.facts.get(&fact)?;
    let days = i64::from(term.days.unwrap_or(days));
    let young = |sample: &&Sample| position.day.days_since(sample.day) <= days;
    let former = samples(position).filter(young);
    let points = former.filter_map(|of| of.values.get(&fact).map(|value| (of.day, *value)));
    Some(points.chain([(position.day, now)]).collect())
}

/// What is past due, as amounts. `None`: nothing is.
fn overdue(position: &Position) -> Option<String> {
    let overdue = position.owed.iter().filter(|owed| owed.overdue_minor > 0);
    let amounts: Vec<String> = overdue
        .map(|owed| {
            let amount = Money::new(owed.overdue_minor, owed.currency).to_decimal();
            format!("{} {amount}", owed.currency)
        })
        .collect();
    (!amounts.is_empty()).then(|| amounts.join(", "))
}

/// The grade that the grade fell from, while it is worse than that.
fn fell_from(
    term: &RuleTerm,
    number: u32,
    position: &Position,
    open: Option<&Evidence>,
) -> Option<Grade> {
    let now = position.grade_now?;
    let Some(open) = open else {
        let from = position.grade_before?;
        let least = term.bound.unwrap_or(Decimal::ONE);
        return (Decimal::from(place(now).saturating_sub(place(from))) >= least).then_some(from);
    };
    let from = passed(open, number).parse().ok();
    from.into_iter().chain(position.grade_before).find(|from| grade::is_worse(now, *from))
}

/// A grade and its part, as in `B2`. The order is from the best to the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Part(Grade, u32);

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.0, self.1)
    }
}

impl FromStr for Part {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (grade, notch) = text.split_at_checked(1).ok_or(())?;
        Ok(Self(grade.parse().map_err(|_| ())?, notch.parse().map_err(|_| ())?))
    }
}

fn part(grade: Option<Grade>, notch: Option<u32>) -> Option<Part> {
    Some(Part(grade?, notch?))
}

/// The part of the grade now, and the one that it fell from, while it is worse than that.
fn slipped_from(
    term: &RuleTerm,
    number: u32,
    position: &Position,
    open: Option<&Evidence>,
) -> Option<(Part, Part)> {
    let now = part(position.grade_now, position.notch_now)?;
    let before = part(position.grade_before, position.notch_before);
    let Some(open) = open else {
        let from = before?;
        let fell = slipped(from, now, position.notches?);
        let least = term.bound.unwrap_or(Decimal::ONE);
        return (fell > 0 && Decimal::from(fell) >= least).then_some((now, from));
    };
    let from = passed(open, number).parse().ok();
    let from = from.into_iter().chain(before).find(|from| now > *from)?;
    Some((now, from))
}

/// Which way a fact moves when something happens again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Up,
    Down,
}

/// Of a fact that counts happenings, or the days to the next or since the last of them, the way in which it moves only when
/// there is another one.
fn moves(term: &RuleTerm) -> Option<Again> {
    match (term.kind, term.fact?) {
        (
            TermKind::Above,
            FactName::BankChanges90d
            | FactName::BrokenPromises12m
            | FactName::BrokenPromisesOpen
            | FactName::ContactChanges90d
            | FactName::DefaultsOpen
            | FactName::GroupDefaultsOpen
            | FactName::PublicRecordEvents12m
            | FactName::RepresentativeChanges90d
            | FactName::ReturnedPayments12m,
        )
        | (
            TermKind::Below,
            FactName::DaysToContractEnd
            | FactName::DaysToGuaranteeEnd
            | FactName::DaysToInsuranceEnd
            | FactName::DaysToMilestone,
        ) => Some(Again::Up),
        (
            TermKind::Above,
            FactName::DaysSinceContractLapsed
            | FactName::DaysSinceGuaranteeLapsed
            | FactName::DaysSinceInsuranceLapsed,
        ) => Some(Again::Down),
        _ => None,
    }
}

/// What a fact was when it was last looked at, and what it is.
fn pair(told: &TermSeen, now: &TermSeen) -> Option<(Decimal, Decimal)> {
    told.last.or_else(|| told.value.parse().ok()).zip(now.value.parse().ok())
}

/// Whether what is seen is another reason than the one that the alert told of: an event that happened again later, one
/// happening more, an order larger by half than the large one, or a grade that fell since the judgement before, to one that
/// is worse than the one that was told by as much as the term asks for.
pub(super) fn is_anew(
    term: &RuleTerm,
    now: &TermSeen,
    position: &Position,
    open: &Evidence,
) -> bool {
    let Some(terms) = &open.terms else {
        return fell_further(term, &open.value, now, position);
    };
    let Some(told) = terms.iter().find(|seen| seen.term == now.term) else {
        // What did not hold when the alert told of the others holds now.
        return term.kind == TermKind::Event || moves(term).is_some();
    };
    if let Some(way) = moves(term) {
        return pair(told, now).is_some_and(|(last, now)| match way {
            Again::Up => now > last,
            Again::Down => now < last,
        });
    }
    let told = &told.value;
    match term.kind {
        TermKind::Event => {
            let days = told.parse::<Date>().ok().zip(now.value.parse::<Date>().ok());
            days.is_some_and(|(told, now)| now > told)
        }
        TermKind::Above if term.fact == Some(FactName::OrderSizeSpike) => {
            let sizes = told.parse::<Decimal>().ok().zip(now.value.parse::<Decimal>().ok());
            let larger = |(told, now): (Decimal, Decimal)| Some(now >= told.times(HALF_MORE)?);
            sizes.and_then(larger).unwrap_or(false)
        }
        TermKind::GradeWorse | TermKind::NotchWorse => fell_further(term, told, now, position),
        _ => false,
    }
}

/// What the fact of the term is, where it moved since it was last looked at.
pub(super) fn moved(term: &RuleTerm, told: &TermSeen, now: &TermSeen) -> Option<Decimal> {
    moves(term)?;
    pair(told, now).filter(|(last, now)| last != now).map(|(_, now)| now)
}

fn fell_further(term: &RuleTerm, told: &str, now: &TermSeen, position: &Position) -> bool {
    let fell = match term.kind {
        TermKind::GradeWorse => told
            .parse()
            .ok()
            .zip(now.value.parse().ok())
            .filter(|(_, now)| position.grade_before.is_some_and(|of| grade::is_worse(*now, of)))
            .map(|(told, now): (Grade, Grade)| place(now).saturating_sub(place(told))),
        TermKind::NotchWorse => told
            .parse()
            .ok()
            .zip(now.value.parse().ok())
            .zip(position.notches)
            .filter(|((_, now), _)| {
                part(position.grade_before, position.notch_before).is_some_and(|of| *now > of)
            })
            .map(|((told, now), parts): ((Part, Part), u32)| slipped(told, now, parts)),
        _ => None,
    };
    let least = term.bound.unwrap_or(Decimal::ONE);
    fell.is_some_and(|fell| fell > 0 && Decimal::from(fell) >= least)
}

/// By how many parts the one is worse than the other, of so many in a grade.
fn slipped(from: Part, now: Part, parts: u32) -> i64 {
    let grades = place(now.0).saturating_sub(place(from.0)).saturating_mul(parts.into());
    grades.saturating_add(now.1.into()).saturating_sub(from.1.into())
}

/// The bound that the term had passed when its alert opened.
fn passed(open: &Evidence, number: u32) -> &str {
    let terms = open.terms.as_deref().unwrap_or_default();
    let own = terms.iter().find(|seen| seen.term == number).map(|seen| &seen.bound);
    own.unwrap_or(&open.threshold)
}

fn place(grade: Grade) -> i64 {
    let place = Grade::ALL.iter().position(|of| *of == grade);
    place.and_then(|place| i64::try_from(place).ok()).unwrap_or(0)
}

/// The share of `part` in `whole` when it is strictly beyond a bound. Compared exactly; given at four decimals rounded
/// up, so that what passed the bound is seen to, and at most [`card::MAX_UTILISATION`].
fn beyond(part_minor: i64, whole_minor: i64, bound: Decimal) -> Option<Decimal> {
    let (part, whole) = (Decimal::from(part_minor), Decimal::from(whole_minor.max(0)));
    if part <= whole.times(bound)? {
        return None;
    }
    let most = Decimal::from(card::MAX_UTILISATION);
    let share = part.checked_div(whole).map_or(most, |share| share.min(most));
    Some(share.round_dp_with_strategy(4, RoundingStrategy::AwayFromZero))
}

fn shown(value: Decimal) -> String {
    decimal::round(value, 4).normalize().to_string()
}
