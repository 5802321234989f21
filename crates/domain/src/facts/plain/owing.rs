//! What is owed, of what it is a part, and of which limit.

use super::{Dated, Document, History, Item, Ledger, contested, currencies, exact, mean, months};
use crate::{
    Currency, Date, Decimal, Money,
    contract::score::{FactName, Facts, GroupOwed},
};
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeSet;

pub(super) fn owed(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let share = |least: &dyn Fn(Currency) -> i64, part: &dyn Fn(&Document) -> i64| {
        let of = |currency| {
            let claims = own.claims(day).filter(|of| of.currency == currency);
            let late: i64 = claims.map(part).sum();
            let unpaid = own.all(currency, day, Ledger::unpaid).0;
            // Who has nothing unpaid in it is not late in it.
            (unpaid > 0).then(|| exact(late * 20, (unpaid * 20).max(least(currency)))).flatten()
        };
        mean(&currencies(own).into_iter().filter_map(of).collect::<Vec<_>>())
    };
    // What of the parts of items is in 12 months, of which a twentieth is the least that what is late is held against.
    let due = |currency: Currency| {
        let within = |item: &Item<'_>| {
            let parts = item.parts.iter().map(|part| (item.place_of(part), part.minor));
            parts
                .filter(|(on, _)| *on > months(day, 12) && *on <= day)
                .map(|(_, minor)| minor)
                .sum::<i64>()
        };
        let items = own.items(day).filter(|of| of.currency == currency);
        items.map(|of| within(&own.item(of, &history.disputes, day))).sum()
    };
    // Who has nothing unpaid has nothing overdue.
    let asked = own.items(day).next().map(|_| Decimal::ZERO);
    for (name, least, most) in [
        (FactName::OverdueShare, 1, i64::MAX),
        (FactName::OverdueShare130, 1, 30),
        (FactName::OverdueShare3160, 31, 60),
        (FactName::OverdueShare6190, 61, 90),
        (FactName::OverdueShareOver90, 91, i64::MAX),
        (FactName::OverdueShareOver30, 31, i64::MAX),
    ] {
        let late = |of: &Document| match (least..=most).contains(&day.days_since(of.due_on)) {
            true => own.chased(of, &history.disputes, day),
            false => 0,
        };
        facts.set(name, share(&due, &late).or(asked));
    }
    let contested = |of: &Document| own.unpaid(of, day).min(contested(of, &history.disputes, day));
    facts.set(FactName::OpenDisputeShare, share(&|_| 0, &contested).or(asked));
}

/// The temporary limit of the day, else the other of the day, else the record's where no other had begun by then.
fn limit_in_force(history: &History, day: Date) -> Option<Money> {
    let begun = || history.dated.iter().filter(|of| of.from <= day);
    let of_the_day = |temporary: bool| {
        let rewritten = |of: &&Dated| {
            begun().any(|other| {
                (other.temporary, other.from) == (of.temporary, of.from) && other.number > of.number
            })
        };
        let standing = begun().filter(|of| of.temporary == temporary).filter(|of| !rewritten(of));
        standing.filter(|of| of.to.is_none_or(|to| day <= to)).max_by_key(|of| of.from)
    };
    match of_the_day(true).or_else(|| of_the_day(false)) {
        Some(of) => of.limit,
        None => {
            let former = history.former_limits.iter().find(|of| of.0 > day).map(|of| of.1);
            former.unwrap_or(history.limit).filter(|_| begun().all(|of| of.temporary))
        }
    }
}

pub(super) fn limit(facts: &mut Facts, history: &History, day: Date) {
    let Some(limit) = limit_in_force(history, day) else { return };
    let own = &history.own;
    let first = months(day, 12).plus_days(1).unwrap_or(day);
    let mut days: BTreeSet<Date> = own.documents.iter().map(|of| of.issued_on).collect();
    days.extend(own.rows.iter().map(|row| row.on));
    days.insert(first);
    let within = days.range(first..=day);
    // All of it in the limit's currency, each currency rounded up; nothing is known where a rate is missing.
    let owed = |of: Date| -> Option<i64> {
        let each = currencies(own).into_iter().map(|currency| {
            let minor = own.owed(currency, of).0;
            match currency == limit.currency || minor == 0 {
                true => Some(minor),
                false => in_currency(minor, currency, limit.currency, history, day),
            }
        });
        each.sum()
    };
    let levels: Option<Vec<i64>> = within.map(|of| owed(*of)).collect();
    let peak = levels.map(|of| of.into_iter().max().unwrap_or_default());
    for (name, owed) in [(FactName::Utilisation, owed(day)), (FactName::UtilisationPeak12m, peak)] {
        let Some(owed) = owed else { continue };
        let used = match (owed, limit.minor) {
            (..=0, _) => Some(Decimal::ZERO),
            (_, 0) => Some(Decimal::TEN),
            (owed, limit) => exact(owed, limit),
        };
        facts.set(name, used.map(|used| used.min(Decimal::TEN)));
    }
}

/// An amount by the rate of the day between two currencies, else by that of the opposite pair, rounded up.
fn in_currency(
    minor: i64,
    from: Currency,
    to: Currency,
    history: &History,
    day: Date,
) -> Option<i64> {
    let rate = |from: Currency, to: Currency| {
        let of = history.rates.iter().filter(|of| of.0 == from && of.1 == to && of.2 <= day);
        of.max_by_key(|of| of.2).map(|of| of.3)
    };
    let opposite = || rate(to, from).map(|rate| Decimal::ONE / rate);
    let rate = rate(from, to).or_else(opposite)?;
    let units = Decimal::from(minor) / Decimal::from(10i64.pow(from.exponent()));
    (units * rate * Decimal::from(10i64.pow(to.exponent()))).ceil().to_i64()
}

pub(super) fn group(facts: &mut Facts, history: &History, day: Date) {
    let Some(others) = &history.others else { return };
    let own = &history.own;
    let members = || others.iter().chain([own]);
    let (mut shares, mut overdue) = (Vec::new(), Vec::new());
    for currency in members().flat_map(currencies).collect::<BTreeSet<_>>() {
        let all: i64 = members().map(|of| of.owed(currency, day).0).sum();
        let past_due = members().map(|of| of.owed(currency, day).1).sum();
        shares.extend(exact(own.owed(currency, day).0, all));
        let unpaid = members().map(|of| of.all(currency, day, Ledger::unpaid));
        let (unpaid, late) = unpaid.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        overdue.extend(exact(late, unpaid));
        if all > 0 {
            let owed = GroupOwed { currency, outstanding_minor: all, overdue_minor: past_due };
            facts.group.get_or_insert_default().push(owed);
        }
    }
    facts.set(FactName::GroupOutstandingShare, mean(&shares));
    let asked = || members().any(|of| of.items(day).next().is_some());
    let settled = || asked().then_some(Decimal::ZERO);
    facts.set(FactName::GroupOverdueShare, mean(&overdue).or_else(settled));
}
