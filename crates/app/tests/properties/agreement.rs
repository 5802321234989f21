//! What is owed is asked in four ways: by the sweep, for a customer, by customer for a report, and by day for the book.
//! All four give the same sums on any day.

use crate::world::{cases, day, docs, filled};
use dunlin_domain::{
    Currency, Date, Id,
    contract::{report::AgeingBasis, types::InvoiceKind},
};
use dunlin_store::{
    Fault, ageing,
    arrears::{self, Range},
    customer,
    native::NativeDb,
    write,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Customer and currency: outstanding, overdue, unapplied.
type Owed = BTreeMap<(i64, Currency), (i64, i64, i64)>;

const ALL: Range = Range { after: 0, upto: i64::MAX };

/// As the sweep writes it, in two ranges.
fn by_sweep(db: &NativeDb, on: Date, cut: i64) -> Owed {
    let ranges = [Range { after: 0, upto: cut }, Range { after: cut, upto: i64::MAX }];
    write(db, |db| ranges.iter().try_for_each(|range| arrears::age(db, *range, on).map(drop)))
        .unwrap();
    let rows = arrears::of_range(db, ALL, on).unwrap();
    rows.into_iter()
        .map(|(key, currency, owed, overdue, unapplied, ..)| {
            ((key, currency), (owed, overdue, unapplied))
        })
        .collect()
}

/// As a customer's page shows it.
fn by_page(db: &NativeDb, on: Date) -> Owed {
    let found = customer::balances(db, &[1, 2, 3, 4], on).unwrap();
    let of = |(key, balances): (i64, Vec<dunlin_domain::contract::types::Balance>)| {
        balances.into_iter().map(move |of| {
            ((key, of.currency), (of.outstanding_minor, of.overdue_minor, of.unapplied_minor))
        })
    };
    found.into_iter().flat_map(of).collect()
}

/// Outstanding and overdue, as the ageing by customer has it.
fn by_customer(db: &NativeDb, keys: &BTreeMap<Id, i64>, on: Date) -> Owed {
    let mut owed = Owed::new();
    for (id, currency, due_on, minor) in
        ageing::by_customer(db, ALL, on.into(), AgeingBasis::Due).unwrap()
    {
        let sums = owed.entry((keys[&id], currency)).or_default();
        sums.0 += minor;
        sums.1 += if due_on < on { minor } else { 0 };
    }
    owed
}

/// The book by currency.
fn by_day(db: &NativeDb, on: Date) -> BTreeMap<Currency, (i64, i64, i64)> {
    let mut book: BTreeMap<Currency, (i64, i64, i64)> = BTreeMap::new();
    for (due_on, currency, kind, minor) in ageing::by_day(db, on.into(), AgeingBasis::Due).unwrap()
    {
        let sums = book.entry(currency).or_default();
        if kind == InvoiceKind::CreditNote {
            sums.2 += minor;
            continue;
        }
        sums.0 += minor;
        sums.1 += if due_on < on { minor } else { 0 };
    }
    for (currency, minor) in ageing::unallocated(db, on.into()).unwrap() {
        book.entry(currency).or_default().2 += minor;
    }
    book.retain(|_, sums| *sums != (0, 0, 0));
    book
}

fn summed(owed: &Owed) -> BTreeMap<Currency, (i64, i64, i64)> {
    let mut book: BTreeMap<Currency, (i64, i64, i64)> = BTreeMap::new();
    for ((_, currency), of) in owed {
        let sums = book.entry(*currency).or_default();
        *sums = (sums.0 + of.0, sums.1 + of.1, sums.2 + of.2);
    }
    book
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn four_ways_to_ask_give_one_answer(
        docs in docs(40),
        days in proptest::collection::vec((0i64..560, 0i64..5), 8),
        at_once in 1usize..10,
    ) {
        let world = filled(&docs, at_once);
        let db = &world.db;
        let limits = customer::limits(db, ALL).unwrap();
        let keys: BTreeMap<Id, i64> = limits.into_iter().map(|(key, id, _)| (id, key)).collect();
        // The days go back and forth: what a sweep wrote before must not show.
        for (on, cut) in days {
            let on = day(on);
            let owed = by_page(db, on);
            prop_assert_eq!(&by_sweep(db, on, cut), &owed, "the sweep on {}", on);
            let mut without_unapplied = owed.clone();
            without_unapplied.values_mut().for_each(|of| of.2 = 0);
            without_unapplied.retain(|_, of| of.0 != 0);
            prop_assert_eq!(by_customer(db, &keys, on), without_unapplied, "by customer on {}", on);
            prop_assert_eq!(by_day(db, on), summed(&owed), "by day on {}", on);
            let mut book = BTreeMap::new();
            for (currency, minor, owing) in arrears::book(db).unwrap() {
                book.insert(currency, (minor, owing));
            }
            let mut expected = BTreeMap::new();
            for ((_, currency), of) in owed.iter().filter(|(_, of)| of.0 > 0) {
                let sums: &mut (i64, u32) = expected.entry(*currency).or_default();
                *sums = (sums.0 + of.0, sums.1 + 1);
            }
            prop_assert_eq!(book, expected, "the book of the sweep on {}", on);
        }
    }
}

/// A range that ends where another begins has no customer twice and none missing.
#[test]
fn ranges_are_a_partition() -> Result<(), Fault> {
    let world = filled(&[], 1);
    let (mut after, mut seen) = (0, Vec::new());
    while let Some(range) = Range::next(&world.db, after, 3)? {
        seen.extend(customer::limits(&world.db, range)?.into_iter().map(|(key, _, _)| key));
        after = range.upto;
    }
    assert_eq!(seen, [1, 2, 3, 4]);
    Ok(())
}
