//! Two writers on one customer at once: it ends as if one had come after the other.

use crate::{
    events::event,
    permutations::state,
    world::{Deed, World, author, cases, day, eur, open},
};
use dunlin_app::verify;
use dunlin_store::{Fault, native::NativeDb};
use proptest::{collection::vec, test_runner::TestRunner};
use serde_json::{Value, json};
use std::{sync::Barrier, thread};

/// How often each pair meets.
const TIMES: usize = 4;

/// What both were told, and what the ledger holds then.
type Outcome = ([String; 2], Vec<String>);

fn invoice(name: &str, on: i64, minor: i64) -> Deed {
    Deed::Invoice(json!({"id": name, "customer_id": "C", "issued_on": day(on),
        "due_on": day(on + 10), "amount": eur(minor)}))
}

fn payment(name: &str, on: i64, minor: i64, about: Option<&str>) -> Deed {
    Deed::Payment(json!({"id": name, "customer_id": "C", "received_on": day(on),
        "amount": eur(minor), "invoice_id": about}))
}

fn write_off(name: &str, of: &str, on: i64, minor: Option<i64>) -> Deed {
    let mut new = json!({"id": name, "invoice_id": of, "on": day(on), "reason": "gone"});
    if let Some(minor) = minor {
        new["minor"] = json!(minor);
    }
    Deed::WriteOff(new)
}

fn about(deed: fn(String, Value) -> Deed, of: &str, new: Value) -> Deed {
    deed(of.to_string(), new)
}

/// A customer who owes, with money that was used and money that is free.
fn begun() -> Vec<Deed> {
    vec![
        invoice("A", 0, 1_000),
        invoice("B", 5, 500),
        payment("P", 6, 700, None),
        invoice("Z", 7, 250),
        payment("Q", 8, 300, Some("B")),
        write_off("W", "Z", 20, Some(100)),
        Deed::Invoice(json!({"id": "X", "customer_id": "D", "issued_on": day(3), "due_on": day(4),
            "amount": eur(90)})),
    ]
}

/// A ledger that was told all of this.
fn after(deeds: &[Deed]) -> World {
    let mut world = World::new();
    for deed in deeds {
        world.step += 1;
        deed.send(&world.db, &author(world.step)).unwrap();
    }
    world
}

fn told(deed: &Deed, db: &NativeDb) -> String {
    match deed.send(db, &author(500)) {
        Ok(change) => format!("{change:?}"),
        Err(Fault::Refused(refused)) => refused.code.to_string(),
        Err(fault) => panic!("{fault:?}"),
    }
}

fn ended(world: &World) -> Vec<String> {
    let verification = verify::books(&world.db).unwrap();
    assert!(verification.ok, "{verification:?}");
    state(&world.db)
}

fn one_after_the_other(begun: &[Deed], pair: &[Deed; 2], first: usize) -> Outcome {
    let world = after(begun);
    let mut answers = [String::new(), String::new()];
    for at in [first, 1 - first] {
        answers[at] = told(&pair[at], &world.db);
    }
    (answers, ended(&world))
}

fn at_once(begun: &[Deed], pair: &[Deed; 2]) -> Outcome {
    let world = after(begun);
    let ready = Barrier::new(2);
    let answers = thread::scope(|scope| {
        let writers = [0, 1].map(|at| {
            let (db, ready, deed) = (open(&world.path()), &ready, &pair[at]);
            scope.spawn(move || {
                ready.wait();
                told(deed, &db)
            })
        });
        writers.map(|writer| writer.join().unwrap())
    });
    (answers, ended(&world))
}

fn check(begun: &[Deed], pair: &[Deed; 2], times: usize) {
    let serial = [0, 1].map(|first| one_after_the_other(begun, pair, first));
    for _ in 0..times {
        let outcome = at_once(begun, pair);
        assert!(serial.contains(&outcome), "{pair:?}\n{outcome:#?}\n{serial:#?}");
    }
}

#[test]
fn two_writers_at_once_end_as_one_after_the_other() {
    let refund = json!({"id": "R", "kind": "refund", "on": day(30)});
    let correction = json!({"minor": 800, "due_on": day(9), "reason": "typed wrongly"});
    let dispute = json!({"id": "D", "invoice_id": "A", "on": day(15), "minor": 300,
        "reason": "price"});
    let pairs = [
        [payment("N", 9, 400, None), payment("M", 4, 900, None)],
        [payment("N", 9, 400, Some("A")), about(Deed::Reverse, "P", refund.clone())],
        // Both take all that is there: one of them is refused.
        [write_off("V", "A", 25, None), payment("N", 24, 300, Some("A"))],
        [write_off("V", "A", 25, Some(200)), write_off("U", "A", 25, Some(200))],
        [
            about(Deed::Reverse, "P", refund),
            about(Deed::Reverse, "P", json!({"id": "S", "kind": "mistake"})),
        ],
        [about(Deed::CorrectInvoice, "A", correction.clone()), Deed::Dispute(dispute)],
        [about(Deed::CorrectInvoice, "A", correction), write_off("V", "A", 25, None)],
        [
            about(Deed::TakeBack, "W", json!({"on": day(22), "reason": "by mistake"})),
            payment("N", 21, 150, Some("Z")),
        ],
        [Deed::Merge, payment("N", 9, 90, Some("A"))],
        [
            Deed::Merge,
            Deed::Payment(
                json!({"id": "N", "customer_id": "D", "received_on": day(9), "amount": eur(40)}),
            ),
        ],
        // The same twice.
        [payment("N", 9, 400, None), payment("N", 9, 400, None)],
    ];
    let begun = begun();
    for pair in &pairs {
        check(&begun, pair, TIMES);
    }
}

/// The last two of any changes that a ledger took.
#[test]
fn any_two_changes_at_once_end_as_one_after_the_other() {
    let done = TestRunner::new(cases(8)).run(&vec(event(), 4..16), |events| {
        let mut world = World::new();
        for (number, event) in events.iter().enumerate() {
            world.tell(number, event);
        }
        if let [begun @ .., one, other] = world.deeds.as_slice() {
            check(begun, &[one.clone(), other.clone()], 2);
        }
        Ok(())
    });
    done.unwrap_or_else(|failed| panic!("{failed}"));
}
