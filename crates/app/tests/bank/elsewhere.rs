//! Money that came another way than by a statement, and entries of days that have not come.

use crate::support::*;
use dunlin_app::{bank, payment as payments};
use dunlin_domain::{Refusal, contract::bank::*};
use dunlin_store::native::NativeDb;
use serde_json::json;

fn payment(db: &NativeDb, name: &str, of: &str, on: &str, minor: i64) {
    let new = from(json!({
        "id": name, "customer_id": of, "received_on": on,
        "amount": {"minor": minor, "currency": "EUR"},
    }));
    payments::add(db, &new, id("made"), &author()).unwrap();
}

fn book(db: &NativeDb) {
    customer(db, "C1", "Müller GmbH", Some(KNOWN));
    customer(db, "C2", "Keller AG", None);
    for name in ["INV-1001", "INV-1002"] {
        invoice(db, name, "C1", "2026-10-01", 10_000);
    }
    invoice(db, "INV-2001", "C2", "2026-10-01", 30_000);
}

#[test]
fn money_that_came_by_a_file_is_not_booked_again() {
    for (day, minor, automatic) in [
        ("2026-10-26", 10_000, 0),
        ("2026-11-01", 10_000, 0),
        ("2026-10-25", 10_000, 1),
        ("2026-10-31", 9_999, 1),
    ] {
        let (_folder, db) = db();
        book(&db);
        payment(&db, "stripe-1", "C1", day, minor);
        let counts = take(&db, "S1", &[pays(10_000, "INV-1002", "Müller GmbH", KNOWN)]);
        assert_eq!(counts.automatic, automatic, "{minor} on {day}");
        if automatic == 0 {
            let best = matches(&db, None).remove(0).candidates.remove(0);
            assert!(best.reasons.contains(&MatchReason::PerhapsBooked), "{best:?}");
            assert_eq!(best.payment_id, Some(id("stripe-1")));
        }
        holds(&db);
    }
}

#[test]
fn what_is_of_another_or_went_back_or_is_of_a_statement_says_nothing() {
    let (_folder, db) = db();
    book(&db);
    payment(&db, "other", "C2", "2026-10-31", 10_000);
    payment(&db, "back", "C1", "2026-10-31", 10_000);
    let back = from(json!({"kind": "mistake"}));
    payments::reverse(&db, &id("back"), &back, id("R1"), &author()).unwrap();
    let of = |text: &str| pays(10_000, text, "Müller GmbH", KNOWN);
    assert_eq!(take(&db, "S1", &[of("INV-1001")]).automatic, 1);
    assert_eq!(take(&db, "S2", &[of("INV-1002")]).automatic, 1);
    holds(&db);
}

#[test]
fn a_payment_that_an_entry_names_by_its_id_is_shown() {
    let (_folder, db) = db();
    book(&db);
    payment(&db, "pi_3Abc", "C2", "2026-07-01", 500);
    let end_to_end = Line { end_to_end: "pi_3Abc".into(), ..pays(480, "", "PAYSERVICE", STRANGE) };
    let in_text = pays(10_000, "INV-1001 (pi_3Abc)", "Müller GmbH", KNOWN);
    let counts = take(&db, "S1", &[end_to_end, in_text]);
    assert_eq!((counts.automatic, counts.review), (0, 2));
    let waiting = matches(&db, Some(MatchState::Review));
    for (of, customer) in waiting.iter().zip(["C2", "C1"]) {
        let best = &of.candidates[0];
        assert_eq!((&best.customer_id, &best.payment_id), (&id(customer), &Some(id("pi_3Abc"))));
        assert!(best.reasons.contains(&MatchReason::PerhapsBooked), "{best:?}");
    }
    // Somebody says that it is another one.
    bank::confirm(&db, &waiting[1].id, &from(json!({"candidate": 1})), &author()).unwrap();
    assert_eq!(open(&db, "INV-1001"), 0);
    holds(&db);
}

#[test]
fn what_is_booked_on_a_day_that_has_not_come_waits_until_it_has() {
    let (_folder, db) = db();
    book(&db);
    let credit =
        Line { end_to_end: "E1".into(), ..pays(10_000, "INV-1001", "Müller GmbH", KNOWN) };
    let on = |name: &str, line: &Line, day: &str| {
        let text = camt(name, std::slice::from_ref(line)).replace("2026-10-31", day);
        take_in(&db, name, &text).unwrap().bank.unwrap().matches
    };
    assert_eq!(on("S1", &credit, "2099-10-31").automatic, 0);
    let of = matches(&db, None).remove(0);
    assert!(of.candidates[0].reasons.contains(&MatchReason::LaterDay), "{of:?}");
    let refused = bank::confirm(&db, &of.id, &from(json!({"candidate": 1})), &author());
    assert_eq!(code(refused), Refusal::DateInFuture);
    // Today is no later day; what takes it back later is not booked either.
    assert_eq!(on("S2", &credit, "2026-11-02").automatic, 1);
    let back = Line { minor: -10_000, returned: true, ..credit };
    assert_eq!(on("S3", &back, "2099-10-31").automatic, 0);
    assert_eq!(open(&db, "INV-1001"), 0);
    holds(&db);
}
