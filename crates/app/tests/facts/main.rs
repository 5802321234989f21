//! The facts that SQL sums over the ledger, against what each of them means.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod examples;
mod flows;
mod history;
mod random;

use dunlin_domain::{
    Date,
    contract::score::{Fact, FactName, Facts},
    facts::{is_whole, plain},
};
use dunlin_store::{Db, arrears::Range, customer, native::NativeDb};
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;

/// So many cases, or as many as `PROPTEST_CASES` says.
fn runner(usual: u32) -> TestRunner {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    TestRunner::new(Config {
        cases: wanted.unwrap_or(usual),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    })
}

/// The facts of the customers of the range, as a sweep has them.
fn summed(db: &NativeDb, range: Range, day: Date) -> Vec<Facts> {
    let mut found = dunlin_app::facts::of_range(db, range, day).unwrap();
    let customers = customer::limits(db, range).unwrap().into_iter();
    let facts = |(key, id, _)| {
        let sums = found.take(key).unwrap_or_default();
        found.facts((key, &id), &sums)
    };
    customers.map(facts).collect()
}

/// Where SQL and meaning differ on the day, in words. One of the customers is asked about alone, too. The facts that were
/// known, and no zero, are noted.
fn difference(
    db: &NativeDb,
    histories: &[plain::History],
    day: Date,
    seen: &mut BTreeSet<FactName>,
) -> Option<String> {
    let regrouped = db.int("SELECT count(*) FROM customer_former", &[]).unwrap() > 0;
    let anew = if regrouped { history::all(db, day) } else { Vec::new() };
    let histories = if regrouped { &anew } else { histories };
    let all = summed(db, Range { after: 0, upto: i64::MAX }, day);
    assert_eq!(all.len(), histories.len());
    let some = day.days_since(Date::FIRST).unsigned_abs() % histories.len() as u64;
    for ((history, summed_up), at) in histories.iter().zip(&all).zip(0..) {
        let meant = plain::facts(history, day);
        let broken = |of: &&Fact| is_whole(of.name) && !of.value.fract().is_zero();
        assert_eq!(meant.values.iter().find(broken), None, "a fraction of what is counted");
        seen.extend(meant.values.iter().filter(|of| !of.value.is_zero()).map(|of| of.name));
        let alone = Range { after: at, upto: at + 1 };
        let alone = (some == at.unsigned_abs()).then(|| summed(db, alone, day));
        let mut sums = std::iter::once(summed_up).chain(alone.iter().flatten());
        if let Some(other) = sums.find(|of| **of != meant) {
            let (meant, other) = (lines(&meant), lines(other));
            let only = |of: &BTreeSet<String>, other: &BTreeSet<String>| {
                of.difference(other).cloned().collect::<Vec<_>>().join(", ")
            };
            let (meant, other) = (only(&meant, &other), only(&other, &meant));
            return Some(format!("{} on {day}: meant {meant}; summed {other}", history.customer));
        }
    }
    None
}

fn lines(facts: &Facts) -> BTreeSet<String> {
    facts.values.iter().map(|fact| format!("{} {}", fact.name, fact.value)).collect()
}

/// Every fact was known and no zero now and then, or the ledgers tell nothing about it.
fn every_fact(seen: &BTreeSet<FactName>) {
    let unseen = FactName::ALL.iter().filter(|name| !seen.contains(name));
    assert_eq!(unseen.collect::<Vec<_>>(), Vec::<&FactName>::new());
}
