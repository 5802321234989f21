//! The ledger against a slow and obvious clerk: random events in any order of arrival, asked for any day and for any
//! moment of knowledge.
//!
//! The clerk keeps nothing but the list of events. To answer he takes those that had come by the moment, walks through
//! the days up to the one asked for, and on each looks through everything there is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod claimable;
mod clerk;
mod events;
mod one_day;
mod permutations;
mod said;
mod statements;
mod world;
mod writers;

use dunlin_app::{invoice, payment, policy, verify};
use events::{Event, ORDERS, Side, event};
use permutations::state;
use proptest::prelude::*;
use serde_json::json;
use world::{World, author, cases, day, eur, id, moment, read};

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn every_day_and_every_moment_is_as_the_clerk_finds_it(
        events in proptest::collection::vec(event(), 1..28),
        questions in proptest::collection::vec((0i64..70, 0usize..30), 4),
    ) {
        let mut world = World::new();
        for (number, event) in events.iter().enumerate() {
            world.tell(number, event);
        }
        world.check(70, usize::MAX);
        for (on, until) in questions {
            world.check(on, usize::MAX);
            world.check(on, until);
            world.check_claimable(on, usize::MAX);
            world.check_claimable(on, until);
        }
        let verification = verify::books(&world.db).unwrap();
        let broken: Vec<_> = verification.checks.iter().filter(|check| check.broken > 0).collect();
        prop_assert!(verification.ok, "{broken:?}");
        let replayed = verify::replayed(&world.db, 0, 500).unwrap().0;
        prop_assert!(replayed.ok, "{:?}", replayed.items);
    }
}

/// How many events a long history has.
fn long() -> usize {
    std::env::var("DUNLIN_HISTORY_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn a_long_history_is_as_the_clerk_finds_it(
        events in proptest::collection::vec(event(), long()),
        questions in proptest::collection::vec((0i64..70, 0usize..300), 3),
    ) {
        let mut world = World::new();
        for (number, event) in events.iter().enumerate() {
            world.tell(number, event);
        }
        world.check(70, usize::MAX);
        for (on, until) in questions {
            world.check(on, until);
            world.check_claimable(on, until);
        }
        world.check_claimable(70, usize::MAX);
        prop_assert!(verify::books(&world.db).unwrap().ok);
        prop_assert!(verify::replayed(&world.db, 0, 500).unwrap().0.ok);
    }
}

/// What was written off, recovered by money that went back, and is taken back from a day on, in whatever order it came.
#[test]
fn a_write_off_stands_until_it_is_taken_back_in_any_order_of_arrival() {
    let invoice = Event::Invoice {
        kind: "invoice",
        on: 0,
        net: 3,
        minor: 100,
        parts: false,
        about: 0,
        discount: false,
        side: Side::default(),
    };
    let write_off = Event::WriteOff { invoice: 0, after: 5, minor: 60 };
    let (named, order) = (vec![(0, 90)], ORDERS[0]);
    let payment = Event::Payment {
        on: 20,
        minor: 90,
        named,
        order,
        settles: None,
        deductions: vec![],
        side: Side::default(),
    };
    let back = Event::Reverse { payment: 0, after: 5, minor: 70, kind: "chargeback" };
    // On its own day, before the recovery, on its day, before, on and after the day on which the money goes back.
    for after in [0, 5, 10, 12, 15, 20] {
        let take_back = Event::TakeBack { write_off: 0, after };
        let events = [&invoice, &write_off, &payment, &back, &take_back];
        let orders = [[0, 1, 2, 3, 4], [0, 2, 3, 1, 4], [0, 1, 4, 2, 3], [0, 2, 1, 4, 3]];
        let worlds = orders.map(|order| {
            let mut world = World::new();
            for (step, number) in order.into_iter().enumerate() {
                world.tell(number, events[number]);
                assert_eq!(world.log.len(), step + 1, "{number} was refused");
            }
            for on in [9, 10, 14, 15, 19, 20, 22, 24, 25, 29, 30] {
                world.check(on, usize::MAX);
            }
            assert!(verify::books(&world.db).unwrap().ok);
            state(&world.db)
        });
        assert!(worlds.iter().all(|state| *state == worlds[0]), "{after}: {worlds:#?}");
        // Whenever it ends, the debt less the money that stayed is open then.
        assert!(worlds[0].contains(&"open I0 80".to_string()), "{after}: {:#?}", worlds[0]);
    }
}

/// What was written off and upheld of an invoice that turns out to be of a later day, in whatever order it came.
#[test]
fn what_was_decided_moves_with_its_document_in_any_order_of_arrival() {
    for (parts, on) in [(false, 6), (false, 7), (false, 9), (false, 11), (false, 20), (true, 0)] {
        let (kind, side) = ("invoice", Side::default());
        let invoice = Event::Invoice {
            kind,
            on: 0,
            net: 40,
            minor: 100,
            parts,
            about: 0,
            discount: false,
            side,
        };
        let write_off = Event::WriteOff { invoice: 0, after: 5, minor: 40 };
        let dispute = Event::Dispute { invoice: 0, on: 3, minor: 30 };
        let resolve = Event::Resolve { dispute: 0, after: 4, upheld: 20 };
        let move_on = Event::CorrectInvoice { invoice: 0, on, net: 30, minor: 100 };
        let payment = Event::Payment {
            on: 8,
            minor: 10,
            named: vec![],
            order: ORDERS[0],
            settles: None,
            deductions: vec![],
            side,
        };
        let events = [&invoice, &write_off, &dispute, &resolve, &move_on, &payment];
        let orders =
            [[0, 1, 2, 3, 4, 5], [0, 2, 1, 4, 3, 5], [5, 0, 2, 3, 1, 4], [0, 2, 5, 1, 4, 3]];
        let worlds = orders.map(|order| {
            let mut world = World::new();
            for (step, number) in order.into_iter().enumerate() {
                world.tell(number, events[number]);
                assert_eq!(world.log.len(), step + 1, "{number} was refused");
            }
            for on in [3, 6, 7, 8, 9, 10, 11, 12, 19, 20, 21, 70] {
                world.check(on, usize::MAX);
            }
            assert!(verify::books(&world.db).unwrap().ok);
            state(&world.db)
        });
        assert!(worlds.iter().all(|state| *state == worlds[0]), "{on}: {worlds:#?}");
    }
}

/// Two debts of the days 3 and 4, the first one under a contract; 10 come on a day under the law's order. Late or not, the
/// guarantee decides which of them is served.
#[test]
fn what_a_guarantee_secures_is_served_after_what_none_does() {
    let side = Side::default();
    let invoice = |on: i64, discount: bool| Event::Invoice {
        kind: "invoice",
        on,
        net: 3,
        minor: 100,
        parts: false,
        about: 0,
        discount,
        side,
    };
    let (of_contract, of_other, of_all) = (0, 2, 3);
    for (contract, days, on, first) in [
        (of_contract, (7, None, None), 6, "I1"),
        (of_contract, (7, None, None), 7, "I2"),
        (of_contract, (7, Some(2), None), 9, "I2"),
        (of_contract, (7, Some(2), None), 10, "I1"),
        // It fell due before it was in force, and while it was.
        (of_contract, (7, Some(2), Some(3)), 10, "I1"),
        (of_contract, (3, Some(5), Some(3)), 11, "I2"),
        (of_contract, (3, Some(5), Some(3)), 12, "I1"),
        (of_contract, (3, Some(9), Some(-2)), 10, "I2"),
        (of_contract, (3, Some(9), Some(-2)), 11, "I1"),
        (of_other, (0, None, None), 7, "I1"),
        // What is bound to no contract secures both alike, until it has ended.
        (of_all, (0, Some(20), None), 7, "I1"),
        (of_all, (0, Some(3), Some(9)), 10, "I2"),
        (of_all, (0, Some(3), Some(9)), 13, "I1"),
        (of_all, (0, Some(4), Some(9)), 10, "I1"),
    ] {
        let (from, length, claim) = days;
        let guarantee = Event::Guarantee { which: 0, contract, from, days: length, claim, side };
        let payment = Event::Payment {
            on,
            minor: 10,
            named: vec![],
            order: "",
            settles: None,
            deductions: vec![],
            side,
        };
        let policy = Event::Policy { order: ORDERS[4] };
        let events = [&policy, &invoice(0, true), &invoice(1, false), &payment, &guarantee];
        for order in [[0, 1, 2, 3, 4], [0, 4, 1, 2, 3], [1, 2, 3, 4, 0]] {
            let mut world = World::new();
            for number in order {
                world.tell(number, events[number]);
            }
            world.check(50, usize::MAX);
            let open = invoice::get(&world.db, &id(first), day(50), i64::MAX).unwrap().open;
            assert_eq!(open.minor, 90, "{contract} {days:?} on {on} {order:?}");
        }
    }
}

#[test]
fn a_policy_is_a_document_like_any_other() {
    // The clerk's orders are presets: the policy that names one by default changes what unnamed payments serve.
    let mut world = World::new();
    for (number, on) in [(0, 0), (1, 5)] {
        world.tell(
            number,
            &Event::Invoice {
                kind: "invoice",
                on,
                net: 3,
                minor: 100,
                parts: false,
                about: 0,
                discount: false,
                side: Side::default(),
            },
        );
    }
    let new =
        read(json!({"id": "P", "customer_id": "C", "received_on": day(10), "amount": eur(100)}));
    payment::add(&world.db, &new, id("made"), &author(3)).unwrap();
    let open =
        |name: &str| invoice::get(&world.db, &id(name), day(20), i64::MAX).unwrap().open.minor;
    assert_eq!((open("I0"), open("I1")), (0, 100));
    policy::put(&world.db, &read(json!({"order": "newest-due-first"})), &author(4)).unwrap();
    assert_eq!((open("I0"), open("I1")), (100, 0));
    let before = invoice::known_at(&world.db, Some(moment(3))).unwrap();
    assert_eq!(invoice::get(&world.db, &id("I0"), day(20), before).unwrap().open.minor, 0);
}
