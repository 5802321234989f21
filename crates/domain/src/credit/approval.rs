//! What needs a second key: a raise that reaches a threshold.
//!
//! A limit raises where on any day from today on more may be owed with it than without it: by its amount, by lasting
//! longer, or by ending a lower one sooner. A cut counts at once. A threshold in the limit's own currency is held against
//! it as it is; where there is none, the others are compared at the dated rate, and without a rate the limit waits.
//!
//! The credit limit of a customer's record is written by whoever sends the record: of it counts what stays below the
//! thresholds.

use super::{
    limit::{self, Entry, Limits},
    rates::Rates,
};
use crate::arrange::set;
use crate::{
    Currency, Date, Id, Money, Refused,
    contract::credit::{ApprovalThreshold, EffectiveLimit, LimitKind, LimitLine, NewLimit},
};
use std::collections::BTreeSet;

/// What limits a customer has before another is set.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What counts of the ledger, of the customer and of its head.
    pub ledger: &'a [Entry],
    /// The credit limit of its record, as far as it counts.
    pub record: Option<Money>,
    /// That of its head's. Absent: in no group.
    pub head: Option<Option<Money>>,
}

impl Standing<'_> {
    fn on(&self, day: Date, ledger: &[Entry]) -> Limits {
        limit::on(day, ledger, self.record, self.head)
    }

    /// The ledger with others that would count from now on.
    fn with(&self, others: &[Entry]) -> Vec<Entry> {
        self.ledger.iter().chain(others).cloned().collect()
    }
}

/// A limit that was filled in, as it would stand in the ledger.
pub fn entry(id: &Id, new: &NewLimit, today: Date) -> Entry {
    Entry {
        kind: new.kind.unwrap_or(LimitKind::Individual),
        minor: new.minor.unwrap_or(0),
        currency: new.currency,
        unlimited: u8::from(new.unlimited == Some(true)),
        mandatory: u8::from(new.mandatory == Some(true)),
        from: new.from.unwrap_or(today),
        to: new.to,
        id: id.clone(),
        counts: i64::MAX,
    }
}

/// Whether a limit waits for a second key.
pub fn waits(
    thresholds: &[ApprovalThreshold],
    standing: Standing<'_>,
    new: &Entry,
    today: Date,
    rates: &Rates,
) -> bool {
    let kind = new.kind;
    // A group limit bounds its head's group, which may get its members later.
    let head = match kind {
        LimitKind::Group => Some(standing.head.unwrap_or(standing.record)),
        LimitKind::Individual | LimitKind::Temporary => standing.head,
    };
    let standing = Standing { head, ..standing };
    let with = standing.with(std::slice::from_ref(new));
    limit::days(&with, today).into_iter().any(|day| {
        let (before, limits) = (standing.on(day, standing.ledger), standing.on(day, &with));
        // While what has ended holds everything, nothing may be owed.
        let owed =
            |of: &Limits| reach(of, kind).filter(|_| kind == LimitKind::Group || !of.own_expired);
        let Some(after) = owed(&limits) else { return false };
        let before = owed(&before);
        is_above(&after, before.as_ref(), rates) && reaches(thresholds, &after, rates)
    })
}

/// Whether others let more be owed on any day from today on, whatever the thresholds.
pub fn raises(standing: Standing<'_>, others: &[Entry], today: Date, rates: &Rates) -> bool {
    let with = standing.with(others);
    let owed = |limits: &Limits| match limit::effective(limits, rates) {
        Ok((found, _)) => found,
        Err(_) => reach(limits, LimitKind::Individual),
    };
    limit::days(&with, today).into_iter().any(|day| {
        let (before, after) = (standing.on(day, standing.ledger), standing.on(day, &with));
        let Some(most) = owed(&after).filter(|_| !after.own_expired) else { return false };
        match owed(&before).filter(|_| !before.own_expired) {
            // Who has no limit is bound by nothing.
            None if !before.own_expired => false,
            least => is_above(&most, least.as_ref(), rates),
        }
    })
}

/// Refuses others with which what counts could not be told for want of a rate, on any day from today on on which it can be
/// told without them, and today where it is `asked`.
pub fn comparable(
    standing: Standing<'_>,
    (others, asked): (&[Entry], bool),
    today: Date,
    rates: &Rates,
) -> Result<(), Refused> {
    let with = standing.with(others);
    for day in limit::days(&with, today) {
        let found = limit::effective(&standing.on(day, &with), rates);
        let could = || limit::effective(&standing.on(day, standing.ledger), rates).is_ok();
        match found {
            Err(refused) if asked && day == today || could() => return Err(refused.at("currency")),
            _ => {}
        }
    }
    Ok(())
}

/// What may be owed by limits of this kind, the group's where it stands in for the customer's own.
fn reach(limits: &Limits, kind: LimitKind) -> Option<EffectiveLimit> {
    let group = limits.group.as_ref();
    let own = limits
        .individual
        .as_ref()
        .filter(|own| own.unlimited || own.minor > 0 || own.mandatory || group.is_none());
    let line = if kind == LimitKind::Group { group } else { own.or(group) };
    line.map(|line: &LimitLine| EffectiveLimit {
        minor: Some(line.minor).filter(|_| !line.unlimited),
        currency: line.currency,
        unlimited: line.unlimited,
    })
}

/// Whether a limit lets more be owed than another. Nothing is granted where there is none.
fn is_above(one: &EffectiveLimit, other: Option<&EffectiveLimit>, rates: &Rates) -> bool {
    match (one.minor, other) {
        (_, Some(other)) if other.unlimited => false,
        (None, _) => true,
        (Some(minor), None) => minor > 0,
        (Some(minor), Some(other)) => {
            let most = rates.down(other.minor.unwrap_or(0), other.currency, one.currency);
            most.map_or(true, |most| minor > most)
        }
    }
}

/// Whether a limit is at a threshold or above it.
fn reaches(thresholds: &[ApprovalThreshold], of: &EffectiveLimit, rates: &Rates) -> bool {
    let Some(minor) = of.minor else { return !thresholds.is_empty() };
    compared(thresholds, of.currency).any(|threshold| {
        let minor = rates.up(minor, of.currency, threshold.currency);
        minor.map_or(true, |minor| minor >= threshold.minor)
    })
}

/// The thresholds that an amount in a currency is held against.
fn compared(
    thresholds: &[ApprovalThreshold],
    currency: Currency,
) -> impl Iterator<Item = &ApprovalThreshold> {
    let has_own = thresholds.iter().any(|of| of.currency == currency);
    thresholds.iter().filter(move |of| !has_own || of.currency == currency)
}

/// What counts of the credit limit of a record: at most one unit less than what needs a second key, and nothing where
/// that cannot be told for want of a rate.
pub fn of_record(thresholds: &[ApprovalThreshold], record: Money, rates: &Rates) -> Money {
    let below = compared(thresholds, record.currency).map(|of| {
        let most = rates.down(of.minor, of.currency, record.currency);
        most.map_or(0, |most| most.saturating_sub(1).max(0))
    });
    Money { minor: below.fold(record.minor, i64::min), ..record }
}

/// The pairs of currencies that are compared.
pub fn pairs(
    thresholds: &[ApprovalThreshold],
    limits: impl Iterator<Item = Currency>,
) -> BTreeSet<(Currency, Currency)> {
    let all = set(limits.chain(thresholds.iter().map(|of| of.currency)));
    let with = |from: &Currency| all.iter().map(|to| (*from, *to)).collect::<Vec<_>>();
    set(all.iter().flat_map(with).filter(|(from, to)| from != to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn thresholds(of: &[(i64, &str)]) -> Vec<ApprovalThreshold> {
        let one = |(minor, code): &(i64, &str)| ApprovalThreshold {
            minor: *minor,
            currency: currency(code),
        };
        of.iter().map(one).collect()
    }

    /// `individual 900 EUR 2024-01-01..`, with `unlimited` or `mandatory` after the kind.
    fn row(text: &str, counts: i64) -> Entry {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (from, to) = words.last().unwrap().split_once("..").unwrap();
        Entry {
            kind: words[0].parse().unwrap(),
            minor: words[1].parse().unwrap(),
            currency: currency(words[2]),
            unlimited: u8::from(words.contains(&"unlimited")),
            mandatory: u8::from(words.contains(&"mandatory")),
            from: from.parse().unwrap(),
            to: (!to.is_empty()).then(|| to.parse().unwrap()),
            id: Id::known("L"),
            counts,
        }
    }

    fn rates() -> Rates {
        let mut rates = Rates::default();
        rates.put(currency("USD"), currency("EUR"), "0.9".parse().unwrap());
        rates.put(currency("EUR"), currency("USD"), "1.1".parse().unwrap());
        rates
    }

    #[track_caller]
    fn check(standing: &[&str], record: Option<i64>, head: Option<i64>, new: &str, wanted: bool) {
        let ledger: Vec<Entry> =
            standing.iter().zip(1i64..).map(|(text, counts)| row(text, counts)).collect();
        let eur = |minor| Money::new(minor, currency("EUR"));
        let standing = Standing {
            ledger: &ledger,
            record: record.map(eur),
            head: head.map(|minor| Some(eur(minor))),
        };
        let today = "2024-06-30".parse().unwrap();
        let of = row(new, i64::MAX);
        let found = waits(&thresholds(&[(1_000, "EUR")]), standing, &of, today, &rates());
        assert_eq!(found, wanted, "{new} where {ledger:?} stands");
    }

    #[test]
    fn a_raise_waits_from_the_threshold_on_and_a_cut_counts_at_once() {
        let high = "individual 9000 EUR 2024-01-01..";
        for (standing, new, wanted) in [
            (vec![], "individual 999 EUR 2024-06-30..", false),
            (vec![], "individual 1000 EUR 2024-06-30..", true),
            (vec![], "individual 0 EUR unlimited 2024-06-30..", true),
            (vec![high], "individual 1500 EUR 2024-06-30..", false),
            (vec![high], "individual 9000 EUR 2024-06-30..", false),
            (vec![high], "individual 9001 EUR 2024-06-30..", true),
            (vec![high], "temporary 5000 EUR 2024-06-30..2024-07-31", false),
            (vec![high], "temporary 9001 EUR 2024-06-30..2024-07-31", true),
            // It lasts longer than the one in force.
            (
                vec!["individual 9000 EUR 2024-01-01..2024-07-31"],
                "individual 9000 EUR 2024-06-30..",
                true,
            ),
            (
                vec!["individual 9000 EUR 2024-01-01..2024-07-31"],
                "individual 1500 EUR 2024-06-30..2024-07-31",
                false,
            ),
            (
                vec!["individual 9000 EUR 2024-01-01..2024-07-31"],
                "individual 1500 EUR 2024-06-30..2024-08-01",
                true,
            ),
            // Ending a lower one sooner lets the higher one before it hold again.
            (
                vec![high, "individual 100 EUR 2024-06-01.."],
                "individual 100 EUR 2024-06-01..2024-07-31",
                true,
            ),
            (
                vec![high, "temporary 100 EUR 2024-06-01..2024-12-31"],
                "temporary 100 EUR 2024-06-01..2024-06-29",
                true,
            ),
            // What is over binds nothing any more.
            (vec![], "individual 9000 EUR 2024-01-01..2024-06-29", false),
            (
                vec!["individual 0 EUR unlimited 2024-01-01.."],
                "individual 9000 EUR 2024-06-30..",
                false,
            ),
            (
                vec!["individual 0 EUR unlimited 2024-01-01.."],
                "individual 0 EUR unlimited 2024-06-30..",
                false,
            ),
            (vec!["group 9000 EUR 2024-01-01.."], "group 2000 EUR 2024-06-30..", false),
            (vec!["group 9000 EUR 2024-01-01.."], "group 9001 EUR 2024-06-30..", true),
        ] {
            check(&standing, None, None, new, wanted);
        }
    }

    #[test]
    fn a_zero_that_does_not_count_gives_the_limit_of_the_group() {
        let own = ["individual 100 EUR 2024-01-01.."];
        check(&own, None, Some(5_000), "individual 0 EUR 2024-06-30..", true);
        check(&own, None, Some(999), "individual 0 EUR 2024-06-30..", false);
        check(&own, None, Some(5_000), "individual 0 EUR mandatory 2024-06-30..", false);
        check(&own, None, None, "individual 0 EUR 2024-06-30..", false);
    }

    #[test]
    fn while_what_ended_holds_everything_nothing_may_be_owed() {
        let ended = "individual 100 EUR 2024-01-01..2024-06-29";
        for (group, new, wanted) in [
            (5_000, "individual 999 EUR 2024-06-30..", false),
            (5_000, "individual 1000 EUR 2024-06-30..", true),
            (5_000, "individual 0 EUR 2024-06-30..", true),
            (1_000, "individual 0 EUR 2024-06-30..", true),
            (999, "individual 0 EUR 2024-06-30..", false),
            (5_000, "individual 0 EUR mandatory 2024-06-30..", false),
            (5_000, "individual 0 EUR unlimited 2024-06-30..", true),
            (5_000, "temporary 1000 EUR 2024-06-30..2024-06-30", true),
            (5_000, "individual 1000 EUR 2024-07-10..", true),
            (5_000, "individual 200 EUR 2024-01-01..2024-06-28", false),
            (5_000, "individual 1000 EUR 2024-01-01..2024-06-29", false),
            (5_000, "individual 1000 EUR 2024-01-01..2024-06-30", true),
        ] {
            check(&[ended], None, Some(group), new, wanted);
        }
        // Who ends its own limit, or shortens it, may owe nothing afterwards, whatever its group may.
        let own = "individual 100 EUR 2024-01-01..";
        for (new, wanted) in [
            ("individual 100 EUR 2024-01-01..2024-06-29", false),
            ("individual 100 EUR 2024-01-01..2024-07-10", false),
            ("individual 1000 EUR 2024-01-01..2024-07-10", true),
            ("individual 0 EUR 2024-01-01..", true),
        ] {
            check(&[own], None, Some(5_000), new, wanted);
        }
        check(
            &[ended, "group 0 EUR unlimited 2024-01-01.."],
            None,
            Some(0),
            "individual 0 EUR 2024-06-30..",
            true,
        );
    }

    #[test]
    fn a_threshold_is_compared_at_the_dated_rate_and_without_one_the_limit_waits() {
        check(&[], None, None, "individual 1111 USD 2024-06-30..", true);
        check(&[], None, None, "individual 1110 USD 2024-06-30..", false);
        check(&[], None, None, "individual 1 JPY 2024-06-30..", true);
        check(&[], None, None, "individual 0 JPY mandatory 2024-06-30..", false);
        // A cut in another currency counts at once where a rate says that it is one.
        let high = ["individual 9000 EUR 2024-01-01.."];
        check(&high, None, None, "individual 9000 USD 2024-06-30..", false);
        check(&high, None, None, "individual 9901 USD 2024-06-30..", true);
        check(&high, None, None, "individual 9000 JPY 2024-06-30..", true);
    }

    #[test]
    fn of_the_limit_of_a_record_counts_what_needs_no_second_key() {
        for (of, record, code, wanted) in [
            (vec![], 9_000, "EUR", 9_000),
            (vec![(1_000, "EUR")], 999, "EUR", 999),
            (vec![(1_000, "EUR")], 1_000, "EUR", 999),
            (vec![(0, "EUR")], 1_000, "EUR", 0),
            (vec![(1_000, "EUR")], 9_000, "USD", 1_099),
            (vec![(1_000, "EUR")], 9_000, "JPY", 0),
            (vec![(1_000, "EUR"), (5_000, "USD")], 9_000, "USD", 4_999),
            (vec![(1_000, "EUR"), (500, "EUR")], 9_000, "EUR", 499),
        ] {
            let record = Money::new(record, currency(code));
            let found = of_record(&thresholds(&of), record, &rates());
            assert_eq!((found.minor, found.currency), (wanted, record.currency), "{of:?}");
        }
    }
}
