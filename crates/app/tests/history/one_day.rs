//! What is upheld and given up of a document on one day, under ids in any order, and however it came.

use crate::{
    permutations::state,
    world::{Deed, World, author, day, eur},
};
use dunlin_app::{invoice, verify};
use dunlin_store::native::NativeDb;
use serde_json::json;

/// A document of 10,000 in instalments of 6,000 and 4,000.
fn bill() -> Deed {
    Deed::Invoice(json!({"id": "I", "customer_id": "C", "issued_on": day(0), "amount": eur(10_000),
        "instalments": [{"due_on": day(10), "minor": 6_000}, {"due_on": day(20), "minor": 4_000}]}))
}

fn given_up(name: &str, of: &str, minor: Option<i64>) -> Deed {
    let mut new = json!({"id": name, "invoice_id": of, "on": day(30), "reason": "gone"});
    if let Some(minor) = minor {
        new["minor"] = json!(minor);
    }
    Deed::WriteOff(new)
}

fn contested(name: &str, of: &str, minor: i64) -> Deed {
    Deed::Dispute(json!({"id": name, "invoice_id": of, "on": day(25), "minor": minor,
        "reason": "price"}))
}

fn upheld(name: &str) -> Deed {
    Deed::Resolve(name.into(), json!({"outcome": "upheld", "on": day(30)}))
}

fn open(db: &NativeDb, of: &str) -> i64 {
    invoice::get(db, &of.parse().unwrap(), day(40), i64::MAX).unwrap().open.minor
}

/// The ledger after all of this, with what is left of each instalment.
fn after(deeds: &[Deed]) -> (World, (i64, i64)) {
    let mut world = World::new();
    for deed in deeds {
        world.step += 1;
        deed.send(&world.db, &author(world.step)).unwrap();
    }
    assert!(verify::books(&world.db).unwrap().ok);
    let left = (open(&world.db, "I#1"), open(&world.db, "I#2"));
    (world, left)
}

#[test]
fn what_is_given_up_or_upheld_in_full_on_one_day_leaves_nothing_open_whatever_its_id() {
    for (one, other) in [("a", "z"), ("z", "a")] {
        let cases: [(&str, Vec<Deed>); 6] = [
            ("a part, then all", vec![given_up(one, "I#1", None), given_up(other, "I", None)]),
            (
                "some of all, then the parts",
                vec![given_up(one, "I", Some(7_000)), given_up(other, "I#2", None)],
            ),
            (
                "a part that is upheld, then all",
                vec![contested(one, "I#1", 3_000), upheld(one), given_up(other, "I", None)],
            ),
            (
                "all, then a part that is upheld",
                vec![contested(one, "I#1", 3_000), given_up(other, "I", None), upheld(one)],
            ),
            (
                "some that is upheld, then all",
                vec![contested(one, "I", 7_000), upheld(one), given_up(other, "I", None)],
            ),
            (
                "a part that is upheld and all of the rest",
                vec![
                    contested(one, "I#2", 4_000),
                    contested(other, "I", 6_000),
                    upheld(other),
                    upheld(one),
                ],
            ),
        ];
        for (what, deeds) in cases {
            let deeds = [vec![bill()], deeds].concat();
            assert_eq!(after(&deeds).1, (0, 0), "{what}, {one} and {other}");
        }
    }
}

/// The lines of a state without the ids of decisions.
fn nameless(world: &World, names: [(&str, &str); 2]) -> Vec<String> {
    let mut lines: Vec<String> = state(&world.db)
        .into_iter()
        .map(|line| {
            let word = |word: &str| {
                // Of an instalment it is `<id>#<number>`.
                let (whole, part) = word.split_once('#').unwrap_or((word, ""));
                let name = whole.strip_prefix("dispute/").or(whole.strip_prefix("write-off/"));
                let found = names.iter().find(|(_, id)| *id == name.unwrap_or(whole));
                found.map_or(word.to_string(), |(meant, _)| format!("{meant} {part}"))
            };
            line.split(' ').map(word).collect::<Vec<_>>().join(" ")
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn what_stands_of_two_decisions_of_a_day_depends_on_neither_their_ids_nor_their_arrival() {
    // The first and the second: a dispute that is upheld, or else a write-off; of what, how much.
    let cases: [[(bool, &str, i64); 2]; 5] = [
        [(false, "I#1", 2_000), (false, "I", 4_000)],
        [(true, "I#1", 3_000), (false, "I", 7_000)],
        [(true, "I", 3_000), (false, "I#1", 3_000)],
        [(true, "I", 3_000), (true, "I", 5_000)],
        [(false, "I#2", 1_000), (false, "I#2", 3_000)],
    ];
    for case in cases {
        let deeds = |names: [&str; 2], at: usize| -> Vec<Deed> {
            let (is_dispute, of, minor) = case[at];
            match is_dispute {
                true => vec![contested(names[at], of, minor), upheld(names[at])],
                false => vec![given_up(names[at], of, Some(minor))],
            }
        };
        // Money of the day before that comes last leaves too little for both.
        let money = Deed::Payment(json!({"id": "P", "customer_id": "C", "received_on": day(29),
            "amount": eur(4_500)}));
        let ledger = |names: [&str; 2], order: [usize; 2]| {
            let decided = order.into_iter().flat_map(|at| deeds(names, at));
            let all: Vec<Deed> =
                [bill()].into_iter().chain(decided).chain([money.clone()]).collect();
            nameless(&after(&all).0, [("first", names[0]), ("second", names[1])])
        };
        let expected = ledger(["a", "z"], [0, 1]);
        for (names, order) in [(["a", "z"], [1, 0]), (["z", "a"], [0, 1]), (["z", "a"], [1, 0])] {
            assert_eq!(ledger(names, order), expected, "{case:?} {names:?} {order:?}");
        }
    }
}
