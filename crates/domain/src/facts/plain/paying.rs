//! How somebody paid.

use super::{History, Item, Part, Source, Weight, mean, months, rounded, share_of, weighed};
use crate::{
    Date, Decimal,
    contract::score::{FactName, Facts},
    facts::LATE_BEYOND,
};
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// Items with any part in the window after the one day and up to the other: those that fell due in it, or before it and had
/// their last money in it. What is unpaid and overdue, given up or not, counts with its age in every window that ends on
/// the day, however long it has been due, and in no other.
fn due<'a, 'b>(items: &'a [Item<'b>], (after, upto): (Date, Date), day: Date) -> Vec<&'a Item<'b>> {
    let within = |item: &&Item<'_>| item.place(day) > after && item.place(day) <= upto;
    items.iter().filter(within).filter(|item| !item.parts.is_empty()).collect()
}

/// The parts of each item that are in the window after the one day and up to the other, with what `value` says of them,
/// and whether any is.
fn parts(
    items: &[Item<'_>],
    (after, upto): (Date, Date),
    value: impl Fn(i64) -> i64,
) -> Vec<(bool, Vec<Weight>)> {
    let within = |place: Date| place > after && place <= upto;
    let of_item = |item: &Item<'_>| {
        let parts = item.parts.iter().filter(|part| within(item.place_of(part)));
        let weight = |part: &Part| (item.of.currency, part.minor, value(item.days(part)));
        let parts: Vec<Weight> = parts.map(weight).collect();
        (!parts.is_empty(), parts)
    };
    items.iter().map(of_item).collect()
}

pub(super) fn terms(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    for (name, after, upto) in [
        (FactName::DaysBeyondTerms3m, months(day, 3), day),
        (FactName::DaysBeyondTerms6m, months(day, 6), day),
        (FactName::DaysBeyondTerms12m, months(day, 12), day),
        (FactName::DaysBeyondTerms24m, months(day, 24), day),
        (FactName::DaysBeyondTerms9mBefore, months(day, 12), months(day, 3)),
    ] {
        facts.set(name, weighed(&parts(items, (after, upto), |days| days)));
    }
    let shown = |name| facts.get(name).map(rounded);
    let recent = shown(FactName::DaysBeyondTerms3m);
    let trend = recent.zip(shown(FactName::DaysBeyondTerms9mBefore));
    facts.set(FactName::TrendRecentAgainstBefore, trend.map(|(recent, before)| recent - before));
}

pub(super) fn lateness(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    let year = due(items, (months(day, 12), day), day);
    let two_years = due(items, (months(day, 24), day), day);
    facts.set(FactName::Items12m, Some(year.len().into()));
    let names = [
        (FactName::ShareLate0Count, FactName::ShareLate0Amount),
        (FactName::ShareLate10Count, FactName::ShareLate10Amount),
        (FactName::ShareLate30Count, FactName::ShareLate30Amount),
        (FactName::ShareLate60Count, FactName::ShareLate60Amount),
        (FactName::ShareLate90Count, FactName::ShareLate90Amount),
    ];
    for (beyond, (count, amount)) in LATE_BEYOND.into_iter().zip(names) {
        let late: Vec<bool> = year.iter().map(|item| item.late() > Some(beyond)).collect();
        facts.set(count, share_of(&late));
        facts.set(
            amount,
            weighed(&parts(items, (months(day, 12), day), |days| i64::from(days > beyond))),
        );
    }
    let worst = |items: &[&Item<'_>]| items.iter().filter_map(|item| item.late()).max();
    for (name, items) in
        [(FactName::WorstDaysLate12m, &year), (FactName::WorstDaysLate24m, &two_years)]
    {
        facts.set(name, worst(items).map(|days| days.max(0).into()));
    }
    let behind = |item: &&&Item<'_>| item.late() > Some(0) && item.late() == worst(&two_years);
    let on = |item: &&Item<'_>| if item.unpaid > 0 { Some(day) } else { item.last_on() };
    let since = two_years.iter().filter(behind).filter_map(on).max();
    let fits = |since: Date| (0..3_000u32).take_while(|of| months(day, *of) >= since).last();
    facts.set(FactName::MonthsSinceWorst, since.and_then(fits).map(Decimal::from));
}

pub(super) fn money(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    let year = months(day, 12);
    let received = |value: &dyn Fn(&Item<'_>, &Part) -> i64| {
        let of_item = |item: &Item<'_>| {
            let within = item.paid().filter(|part| part.on > year);
            let weight = |part: &Part| (item.of.currency, part.minor, value(item, part));
            (true, within.map(weight).collect())
        };
        weighed(&items.iter().map(of_item).collect::<Vec<_>>())
    };
    let since_issue = |item: &Item<'_>, part: &Part| part.on.days_since(item.of.issued_on);
    facts.set(FactName::DaysToPay12m, received(&since_issue));
    let early = |item: &Item<'_>, part: &Part| i64::from(part.on < item.of.due_on);
    facts.set(FactName::EarlyShare12m, received(&early));
    let mut settled: Vec<(Date, Date, i64)> = Vec::new();
    for item in items.iter().filter(|item| item.unpaid == 0) {
        if let Some(on) = item.last_on().filter(|on| *on > months(day, 24)) {
            settled.push((on, item.of.due_on, on.days_since(item.of.due_on)));
        }
    }
    settled.sort();
    let last: Vec<Decimal> = settled.iter().rev().take(3).map(|of| of.2.into()).collect();
    facts.set(FactName::LastPaymentDaysLate, last.first().copied());
    facts.set(FactName::LastThreeDaysLate, mean(&last).filter(|_| last.len() == 3));
    let overdue = items.iter().filter(|item| item.unpaid > 0 && item.of.due_on < day);
    let mut overdue: Vec<i64> = overdue.map(|item| day.days_since(item.of.due_on)).collect();
    overdue.sort_unstable();
    let latest = overdue.into_iter().map(Decimal::from).chain(last);
    let latest: Vec<Decimal> = latest.take(3).collect();
    facts.set(FactName::LatestThreeDaysLate, mean(&latest).filter(|_| latest.len() == 3));
}

pub(super) fn habits(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    let mut points: Vec<(Decimal, Decimal)> = Vec::new();
    for item in due(items, (months(day, 12), day), day) {
        let on = item.of.due_on.days_since(Date::FIRST).into();
        points.extend(item.late().map(|late| (on, Decimal::from(late))));
    }
    let (x, y): (Vec<Decimal>, Vec<Decimal>) = points.iter().copied().unzip();
    let (Some(mean_x), Some(mean_y)) = (mean(&x), mean(&y)) else { return };
    let along: Decimal = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let across: Decimal = x.iter().map(|x| (x - mean_x) * (x - mean_x)).sum();
    if points.len() >= 4 && x.iter().min() < x.iter().max() {
        facts.set(FactName::TrendSlope, (along * Decimal::from(30)).checked_div(across));
    }
    let squares: Vec<Decimal> = y.iter().map(|y| (y - mean_y) * (y - mean_y)).collect();
    let deviation = mean(&squares).and_then(|of| of.to_f64()).map(f64::sqrt);
    let deviation = deviation.and_then(Decimal::from_f64);
    facts.set(FactName::Irregularity, deviation.filter(|_| points.len() >= 3));
}

pub(super) fn short_pays(facts: &mut Facts, history: &History, items: &[Item<'_>], day: Date) {
    let own = &history.own;
    let (mut first_paid, mut short, mut unauthorised) = (0, 0, 0);
    for item in items.iter().filter(|item| item.of.whole.is_none()) {
        let first = item.paid().map(|part| part.on).min();
        let Some(first) = first.filter(|first| *first > months(day, 12)) else { continue };
        first_paid += 1;
        let added = own.added(item.of.key, day);
        let paying = |payment: &i64| {
            added.get(payment).and_then(|days| days.get(&first)).is_some_and(|minor| *minor > 0)
        };
        let rest = own.unpaid(item.of, first);
        if rest <= 0 || history.designating.iter().any(paying) {
            continue;
        }
        short += 1;
        let discounts = own.rows.iter().filter(|row| {
            row.claim == item.of.key && row.from == Source::Discount && row.on <= first
        });
        let earned: i64 = discounts.map(|row| row.minor).sum();
        unauthorised += u32::from(earned <= 0 && rest * 20 <= item.of.minor);
    }
    if first_paid > 0 {
        facts.set(FactName::ShortPays12m, Some(short.into()));
        facts.set(FactName::UnauthorisedDiscounts12m, Some(unauthorised.into()));
    }
}
