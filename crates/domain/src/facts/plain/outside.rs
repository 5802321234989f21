//! What others say.

use super::{History, days_before, months};
use crate::{
    Date, Decimal, altman,
    contract::{
        events::EventAction,
        external::{AltmanModel, ExternalScore, PublicRecordKind, ScaleDirection},
        score::{FactName, Facts},
    },
    external::External,
};

/// The last reading of each name that was known by the day, in the order in which they were recorded.
fn readings<T: External>(recorded: &[T], day: Date) -> Vec<&T> {
    let known = |of: &&T| of.known_on().is_some_and(|on| on <= day);
    let later = |of: &T, other: &T| of.name() == other.name() && of.known_on() < other.known_on();
    let known: Vec<&T> = recorded.iter().filter(known).collect();
    known.iter().copied().filter(|of| !known.iter().any(|other| later(of, other))).collect()
}

pub(super) fn outside(facts: &mut Facts, history: &History, day: Date) {
    let (year, quarter) = (months(day, 12), days_before(day, 90));
    let count = |kind, after: Date| {
        history.mishaps.iter().filter(|of| of.0 == kind && of.1 > after && of.1 <= day).count()
    };
    let mut told = history.told.iter().chain(history.mishaps.iter().map(|of| &of.1));
    let told = told.any(|on| *on <= day);
    for (name, count) in [
        (FactName::PaymentFailures90d, count(EventAction::PaymentFailed, quarter)),
        (FactName::MandateCancellations12m, count(EventAction::MandateCancelled, year)),
    ] {
        facts.set(name, told.then(|| count.into()));
    }
    let statements = readings(&history.statements, day);
    let newest = statements.into_iter().max_by_key(|of| of.period_end);
    let figures = newest.map(altman::figures).unwrap_or_default();
    for figure in figures {
        let name = match figure.model {
            AltmanModel::Z => FactName::AltmanZ,
            AltmanModel::ZPrivate => FactName::AltmanZPrivate,
            AltmanModel::ZEmerging => FactName::AltmanZEmerging,
        };
        facts.set(name, Some(figure.value));
    }
    let since = |on: Option<Date>| on.map(|on| day.days_since(on).into());
    facts.set(FactName::DaysSinceFinancials, since(newest.and_then(|of| of.period_end)));
    let newest = readings(&history.scores, day).into_iter().max_by_key(|of| of.date);
    let normal = |of: &ExternalScore| {
        let part =
            (of.score - of.scale_from) / (of.scale_to - of.scale_from) * Decimal::ONE_HUNDRED;
        let lower = of.direction == Some(ScaleDirection::LowerIsBetter);
        if lower { Decimal::ONE_HUNDRED - part } else { part }
    };
    facts.set(FactName::ExternalScore, newest.map(normal));
    facts.set(FactName::DaysSinceExternalScore, since(newest.and_then(|of| of.date)));
    let entries = readings(&history.entries, day);
    let counts = entries.iter().filter(|of| {
        of.kind != PublicRecordKind::NoneFound && of.withdrawn != Some(true) && of.date > year
    });
    let counts = counts.count();
    facts.set(FactName::PublicRecordEvents12m, (!entries.is_empty()).then(|| counts.into()));
}
