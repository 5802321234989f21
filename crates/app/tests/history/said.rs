//! What payers say of their money, and what is put right of it.

use crate::{
    events::{Event, KINDS, ORDERS, Side, side},
    permutations::{sent, state},
    world::{World, cases},
};
use dunlin_app::verify;
use proptest::{collection::vec, prelude::*};

#[derive(Clone, Debug)]
pub enum Said {
    /// A payment names one document without an amount, or some with amounts, or none, in place of all that it named.
    Named { payment: usize, named: Vec<(usize, i64)>, whole: bool },
    /// A payment is for a contract that says in which order it serves.
    Agreed { on: i64, minor: i64, named: Option<(usize, i64)>, side: Side },
    /// The contract says another order from a day on, or none.
    Version { from: i64, order: &'static str, duplicate: bool },
    /// On the day of a write-off or an upheld dispute, or some days after it, an instalment or all of the document is written
    /// off, some of it or what is open, under an id before or after the others.
    Beside { adjustment: usize, later: i64, part: usize, minor: Option<i64>, before: bool },
    /// On that day a dispute of it is upheld that began some days before.
    Right { adjustment: usize, later: i64, part: usize, minor: i64, after: i64, before: bool },
}

fn named() -> impl Strategy<Value = Said> {
    (0usize..6, vec((0usize..6, 1i64..200), 0..3), any::<bool>())
        .prop_map(|(payment, named, whole)| Said::Named { payment, named, whole })
}

fn agreed() -> impl Strategy<Value = Said> {
    let named = proptest::option::of((0usize..6, 1i64..200));
    let agreed = (0i64..40, 1i64..400, named, side());
    let version = (0i64..40, 0usize..8, proptest::bool::weighted(0.15));
    prop_oneof![
        agreed.prop_map(|(on, minor, named, side)| Said::Agreed { on, minor, named, side }),
        version.prop_map(|(from, order, duplicate)| {
            let order = ORDERS.get(order).copied().unwrap_or_default();
            Said::Version { from, order, duplicate }
        }),
    ]
}

/// Decisions on the day of others, or a few days later.
fn decided() -> impl Strategy<Value = Said> {
    let minor = proptest::option::of(1i64..200);
    let later = || prop_oneof![2 => Just(0i64), 1 => 1i64..5];
    prop_oneof![
        3 => (0usize..4, later(), 0usize..3, minor, any::<bool>()).prop_map(
            |(adjustment, later, part, minor, before)| Said::Beside { adjustment, later, part, minor, before }
        ),
        2 => (0usize..4, later(), 0usize..3, 1i64..200, 0i64..4, any::<bool>()).prop_map(
            |(adjustment, later, part, minor, after, before)| {
                Said::Right { adjustment, later, part, minor, after, before }
            }
        ),
    ]
}

pub fn said() -> impl Strategy<Value = Said> {
    prop_oneof![3 => named(), 6 => agreed(), 5 => decided()]
}

fn invoice() -> impl Strategy<Value = Event> {
    (0i64..20, 0i64..20, 2i64..400, any::<bool>(), any::<bool>()).prop_map(
        |(on, net, minor, parts, discount)| {
            let (kind, side) = ("invoice", Side::default());
            Event::Invoice { kind, on, net, minor, parts, about: 0, discount, side }
        },
    )
}

fn payment() -> impl Strategy<Value = Event> {
    (0i64..40, 1i64..400, vec((0usize..6, 1i64..200), 0..3)).prop_map(|(on, minor, named)| {
        let (order, settles, deductions) = ("", None, Vec::new());
        Event::Payment { on, minor, named, order, settles, deductions, side: Side::default() }
    })
}

fn reverse() -> impl Strategy<Value = Event> {
    (0usize..6, 0i64..20, 1i64..400, 0usize..4).prop_map(|(payment, after, minor, kind)| {
        Event::Reverse { payment, after, minor, kind: KINDS[kind] }
    })
}

/// What payers say and agree, and little else.
fn of_payers() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => invoice(),
        4 => payment(),
        1 => reverse(),
        1 => (0usize..6, 0i64..40, 1i64..400)
            .prop_map(|(payment, on, minor)| Event::CorrectPayment { payment, on, minor }),
        5 => named().prop_map(Event::Said),
        5 => agreed().prop_map(Event::Said),
        1 => (0usize..6).prop_map(|order| Event::Policy { order: ORDERS[order] }),
    ]
}

/// What is decided of few documents, and money for them.
fn of_decisions() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => invoice(),
        2 => payment(),
        1 => reverse(),
        2 => (0usize..6, 0i64..20, 1i64..200)
            .prop_map(|(invoice, after, minor)| Event::WriteOff { invoice, after, minor }),
        1 => (0usize..3, 0i64..6).prop_map(|(write_off, after)| Event::TakeBack { write_off, after }),
        3 => (0usize..4, -1i64..9).prop_map(|(adjustment, after)| Event::Move { adjustment, after }),
        9 => decided().prop_map(Event::Said),
    ]
}

/// Money for a contract, less than is owed, and versions of it.
fn of_contracts() -> impl Strategy<Value = Event> {
    let side = Side::default();
    prop_oneof![
        (10i64..40, 1i64..60).prop_map(move |(on, minor)| {
            Event::Said(Said::Agreed { on, minor, named: None, side })
        }),
        (0i64..40, 0usize..8).prop_map(|(from, order)| {
            let order = ORDERS.get(order).copied().unwrap_or_default();
            Event::Said(Said::Version { from, order, duplicate: false })
        }),
    ]
}

/// The clerk agrees on every day and at some moments, and with him ledgers that are told the same in other orders.
fn holds(events: &[Event], orders: &[Vec<u32>], until: usize) {
    let mut world = World::new();
    for (number, event) in events.iter().enumerate() {
        world.tell(number, event);
    }
    for on in [12, 25, 41, 70] {
        world.check(on, usize::MAX);
        world.check(on, until);
    }
    assert!(verify::books(&world.db).unwrap().ok);
    let expected = state(&world.db);
    for order in orders {
        if let Some(other) = sent(&world.deeds, order) {
            assert_eq!(state(&other.db), expected);
            assert!(verify::books(&other.db).unwrap().ok);
        }
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn what_payers_say_and_agree_holds_in_any_order_of_arrival(
        first in invoice(),
        events in vec(of_payers(), 4..16),
        orders in vec(vec(any::<u32>(), 40), 2),
        until in 0usize..16,
    ) {
        holds(&[vec![first], events].concat(), &orders, until);
    }

    #[test]
    fn what_contracts_say_holds_in_any_order_of_arrival(
        debts in vec(invoice(), 2..4),
        events in vec(of_contracts(), 3..9),
        orders in vec(vec(any::<u32>(), 40), 2),
        until in 0usize..12,
    ) {
        holds(&[debts, events].concat(), &orders, until);
    }

    #[test]
    fn what_is_decided_on_one_day_holds_in_any_order_of_arrival(
        first in invoice(),
        events in vec(of_decisions(), 6..16),
        orders in vec(vec(any::<u32>(), 40), 2),
        until in 0usize..16,
    ) {
        let write_off = Event::WriteOff { invoice: 0, after: 20, minor: 5 };
        holds(&[vec![first, write_off], events].concat(), &orders, until);
    }
}
