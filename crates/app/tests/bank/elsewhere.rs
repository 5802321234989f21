//! Money that came another way than by a statement, and entries of days that have not come.

use crate::support::*;
use dunlin_app::{
    bank, event_source,
    inbound_event::{self, Said},
    ledger::Change,
    payment as payments,
};
use dunlin_domain::{
    Date, Refusal,
    contract::{bank::*, events::InboundEvent},
};
use dunlin_store::{Fault, native::NativeDb};
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
    // The day is the entry's, which whoever confirms knows by that name.
    assert_eq!(at(refused), (Refusal::DateInFuture, Some("booked_on".into())));
    // Today is no later day; what takes it back later is not booked either.
    assert_eq!(on("S2", &credit, "2026-11-02").automatic, 1);
    let back = Line { minor: -10_000, returned: true, ..credit };
    assert_eq!(on("S3", &back, "2099-10-31").automatic, 0);
    assert_eq!(open(&db, "INV-1001"), 0);
    let of = matches(&db, None).remove(2);
    let refused = bank::confirm(&db, &of.id, &from(json!({"candidate": 1})), &author());
    assert_eq!(at(refused), (Refusal::DateInFuture, Some("booked_on".into())));
    holds(&db);
}

/// The code of a refusal, and its field.
fn at<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Refusal, Option<String>) {
    match result {
        Err(Fault::Refused(refused)) => (refused.code, refused.field),
        other => panic!("{other:?}"),
    }
}

/// A payment as a client writes it, with what it says beside itself.
fn said(
    db: &NativeDb,
    name: &str,
    (of, on, minor): (&str, &str, i64),
    more: serde_json::Value,
) -> Result<Change, Fault> {
    let mut new = json!({
        "id": name, "customer_id": of, "received_on": on,
        "amount": {"minor": minor, "currency": "EUR"},
    });
    let more = more.as_object().unwrap().clone();
    new.as_object_mut().unwrap().extend(more);
    payments::add(db, &from(new), id("made"), &author()).map(|(_, change)| change)
}

#[test]
fn what_a_statement_brought_is_not_booked_again_by_another_way() {
    let (_folder, db) = db();
    book(&db);
    let credit = pays(10_000, "INV-1002", "Müller GmbH", KNOWN);
    let credit = Line { end_to_end: "E2E-1".into(), bank: "B-77".into(), ..credit };
    assert_eq!(take(&db, "S1", &[credit]).automatic, 1);
    let booked = matches(&db, None).remove(0).payment_id.unwrap();
    let nothing = json!({});
    // Customer, day, amount, name; whether it may be what is booked.
    for (number, (of, on, minor, name, perhaps)) in [
        ("C1", "2026-10-26", 10_000, "-", true),
        ("C1", "2026-11-01", 10_000, "-", true),
        ("C1", "2026-10-25", 10_000, "-", false),
        ("C1", "2026-10-31", 9_999, "-", false),
        ("C2", "2026-10-31", 10_000, "-", false),
        ("C2", "2026-05-01", 77, "E2E-1", true),
        ("C1", "2026-10-30", 77, "B-77", true),
    ]
    .into_iter()
    .enumerate()
    {
        let name = if name == "-" { format!("PAY-{number}") } else { name.to_string() };
        let done = said(&db, &name, (of, on, minor), nothing.clone());
        if perhaps {
            let Err(Fault::Refused(refused)) = done else { panic!("{name} is taken in") };
            assert_eq!(refused.code, Refusal::PerhapsBooked, "{name}");
            assert!(refused.detail.starts_with(booked.as_str()), "{refused:?}");
            let none = payments::get(&db, &id(&name), Date::LAST, i64::MAX);
            assert_eq!(code(none), Refusal::NotFound);
        } else {
            assert_eq!(done.unwrap(), Change::Made, "{name}");
        }
    }
    holds(&db);
}

#[test]
fn somebody_says_whether_it_is_what_a_statement_brought() {
    let (_folder, db) = db();
    book(&db);
    let credit = pays(10_000, "INV-1002", "Müller GmbH", KNOWN);
    assert_eq!(take(&db, "S1", &[credit]).automatic, 1);
    let of = matches(&db, None).remove(0);
    let booked = of.payment_id.clone().unwrap();
    let money = ("C1", "2026-11-01", 10_000);
    // It is that one: nothing is booked, the name is kept.
    let that = json!({"same_as": booked});
    assert_eq!(said(&db, "PAY-1", money, that.clone()).unwrap(), Change::Made);
    assert_eq!(open(&db, "INV-1001"), 10_000);
    for again in [that.clone(), json!({}), json!({"another": true})] {
        assert_eq!(said(&db, "PAY-1", money, again).unwrap(), Change::AlreadySo);
    }
    let other = ("C1", "2026-11-01", 9_000);
    assert_eq!(code(said(&db, "PAY-1", other, json!({}))), Refusal::DifferentContent);
    assert_eq!(code(said(&db, "PAY-1", other, that.clone())), Refusal::DifferentContent);
    let read = payments::get(&db, &id("PAY-1"), Date::LAST, i64::MAX).unwrap();
    assert_eq!((read.id, read.also), (booked.clone(), Some(vec![id("PAY-1")])));
    // What has a name for all of it is no other one, and has room for none.
    assert_eq!(code(said(&db, "PAY-2", money, that)), Refusal::DifferentContent);
    for (more, refusal) in [
        (json!({"same_as": "nobody"}), Refusal::UnknownPayment),
        (json!({"same_as": booked, "another": true}), Refusal::MalformedField),
    ] {
        assert_eq!(code(said(&db, "PAY-2", money, more)), refusal);
    }
    let of_another = ("C2", "2026-11-01", 10_000);
    let that = json!({"same_as": booked});
    assert_eq!(code(said(&db, "PAY-2", of_another, that)), Refusal::DifferentContent);
    assert_eq!(said(&db, "PAY-2", money, json!({})).unwrap(), Change::Made);
    // Money goes back by any name; what is booked anew after a mistake keeps them.
    let back = from(json!({"kind": "mistake"}));
    payments::reverse(&db, &id("PAY-1"), &back, id("R1"), &author()).unwrap();
    let confirm = |new| bank::confirm(&db, &of.id, &from(new), &author());
    assert_eq!(code(confirm(json!({"customer_id": "C1"}))), Refusal::PerhapsBooked);
    confirm(json!({"customer_id": "C1", "another": true})).unwrap();
    let read = payments::get(&db, &id("PAY-1"), Date::LAST, i64::MAX).unwrap();
    assert_eq!(read.id.as_str(), format!("{booked}-2"));
    assert_eq!(said(&db, "PAY-1", money, json!({})).unwrap(), Change::AlreadySo);
    holds(&db);
}

#[test]
fn another_one_is_booked_beside_it_and_what_was_rejected_frees_its_names() {
    let (_folder, db) = db();
    book(&db);
    let credit = pays(10_000, "INV-1002", "Müller GmbH", KNOWN);
    assert_eq!(take(&db, "S1", &[credit]).automatic, 1);
    let of = matches(&db, None).remove(0);
    let money = ("C1", "2026-11-01", 10_000);
    assert_eq!(said(&db, "PAY-1", money, json!({"another": true})).unwrap(), Change::Made);
    assert_eq!(said(&db, "PAY-1", money, json!({})).unwrap(), Change::AlreadySo);
    assert_eq!(open(&db, "INV-1001"), 0);
    let same = json!({"same_as": of.payment_id});
    assert_eq!(said(&db, "PAY-2", money, same).unwrap(), Change::Made);
    let back = from(json!({"kind": "mistake"}));
    payments::reverse(&db, &id("PAY-2"), &back, id("R1"), &author()).unwrap();
    assert_eq!(said(&db, "PAY-2", money, json!({})).unwrap(), Change::AlreadySo);
    bank::reject(&db, &of.id, &Rejection { reason: None }, &author()).unwrap();
    assert_eq!(said(&db, "PAY-2", money, json!({})).unwrap(), Change::Made);
    holds(&db);
}

#[test]
fn what_is_left_of_a_payment_that_is_named_in_part_is_held_against_what_comes() {
    let (_folder, db) = db();
    book(&db);
    assert_eq!(take(&db, "S1", &[pays(10_000, "INV-1002", "Müller GmbH", KNOWN)]).automatic, 1);
    let booked = matches(&db, None).remove(0).payment_id.unwrap();
    let day = |minor| ("C1", "2026-11-01", minor);
    assert_eq!(said(&db, "PAY-1", day(4_000), json!({"same_as": booked})).unwrap(), Change::Made);
    // Minor units, and whether it may be what is left: 6,000 of 10,000.
    for (minor, perhaps) in [(5_999, false), (6_000, true), (6_001, false), (10_000, false)] {
        let done = said(&db, &format!("P-{minor}"), day(minor), json!({}));
        match perhaps {
            true => assert_eq!(code(done), Refusal::PerhapsBooked, "{minor}"),
            false => assert_eq!(done.unwrap(), Change::Made, "{minor}"),
        }
    }
    assert_eq!(said(&db, "PAY-2", day(6_000), json!({"same_as": booked})).unwrap(), Change::Made);
    assert_eq!(said(&db, "PAY-3", day(6_000), json!({})).unwrap(), Change::Made);
    holds(&db);
}

#[test]
fn what_names_a_document_that_an_entry_of_several_paid_may_be_a_part_of_it() {
    let (_folder, db) = db();
    book(&db);
    invoice(&db, "INV-1003", "C1", "2026-10-01", 5_000);
    let credit = pays(15_000, "INV-1001 INV-1003", "Müller GmbH", KNOWN);
    assert_eq!(take(&db, "S1", &[credit]).automatic, 1);
    let booked = matches(&db, None).remove(0).payment_id.unwrap();
    // Minor units, the document, the day, whether it may be a part.
    for (number, (minor, names, on, perhaps)) in [
        (10_000, "INV-1001", "2026-11-01", true),
        (5_000, "INV-1003", "2026-10-26", true),
        (10_000, "INV-1002", "2026-11-01", false),
        (9_999, "INV-1001", "2026-11-01", true),
        (10_001, "INV-1001", "2026-11-01", false),
        (10_000, "INV-1001", "2026-09-29", false),
    ]
    .into_iter()
    .enumerate()
    {
        let done =
            said(&db, &format!("P{number}"), ("C1", on, minor), json!({"invoice_id": names}));
        assert_eq!(done.is_err(), perhaps, "{minor} for {names} on {on}");
    }
    for (name, minor, names) in [("P0", 10_000, "INV-1001"), ("P1", 5_000, "INV-1003")] {
        let money = ("C1", "2026-11-01", minor);
        let row = json!({"invoice_id": names});
        assert_eq!(code(said(&db, name, money, row.clone())), Refusal::PerhapsBooked, "{name}");
        let that = json!({"invoice_id": names, "same_as": booked});
        assert_eq!(said(&db, name, money, that).unwrap(), Change::Made, "{name}");
        assert_eq!(said(&db, name, money, row).unwrap(), Change::AlreadySo, "{name}");
    }
    holds(&db);
}

#[test]
fn money_that_came_and_went_back_had_come_all_the_same() {
    // How it went back and how much, whether what comes another way may be it.
    for (kind, minor, perhaps) in [
        ("returned", 10_000, true),
        ("refund", 3_000, true),
        ("mistake", 3_000, true),
        ("mistake", 10_000, false),
    ] {
        let back = json!({"kind": kind, "minor": minor});
        let (_folder, db) = db();
        book(&db);
        let credit = pays(10_000, "INV-1002", "Müller GmbH", KNOWN);
        assert_eq!(take(&db, "S1", std::slice::from_ref(&credit)).automatic, 1);
        let booked = matches(&db, None).remove(0).payment_id.unwrap();
        payments::reverse(&db, &booked, &from(back.clone()), id("R1"), &author()).unwrap();
        let done = said(&db, "PAY-1", ("C1", "2026-11-01", 10_000), json!({}));
        assert_eq!(done.is_err(), perhaps, "bank first: {back}");
        holds(&db);

        let (_folder, db) = self::db();
        book(&db);
        payment(&db, "PAY-1", "C1", "2026-10-31", 10_000);
        payments::reverse(&db, &id("PAY-1"), &from(back.clone()), id("R1"), &author()).unwrap();
        let counts = take(&db, "S1", &[credit]);
        assert_eq!(counts.review, u64::from(perhaps), "bank last: {back}");
        holds(&db);
    }
}

#[test]
fn under_another_name_goes_back_what_is_known_under_it() {
    let (_folder, db) = db();
    book(&db);
    assert_eq!(take(&db, "S1", &[pays(10_000, "INV-1002", "Müller GmbH", KNOWN)]).automatic, 1);
    let booked = matches(&db, None).remove(0).payment_id.unwrap();
    for (name, minor) in [("PAY-1", 4_000), ("PAY-2", 5_000)] {
        let money = ("C1", "2026-11-01", minor);
        assert_eq!(said(&db, name, money, json!({"same_as": booked})).unwrap(), Change::Made);
    }
    // By which name, how much, what it is called; what it comes to, or how much may go back at most.
    let back = |name: &str, minor: Option<i64>, called: &str| {
        let new = from(json!({"kind": "refund", "minor": minor, "id": called, "on": "2026-11-02"}));
        payments::reverse(&db, &id(name), &new, id("made"), &author())
    };
    let returned = || payments::get(&db, &booked, Date::LAST, i64::MAX).unwrap().returned_minor;
    for (name, minor, called, wanted) in [
        ("PAY-1", Some(4_001), "R1", Err("at most 4000")),
        ("PAY-1", Some(1_000), "R1", Ok(1_000)),
        ("PAY-1", None, "R2", Ok(4_000)),
        ("PAY-1", None, "R2", Ok(4_000)),
        ("PAY-1", None, "R3", Err("at most 0")),
        ("PAY-1", Some(1), "R3", Err("at most 0")),
        (booked.as_str(), Some(6_001), "R4", Err("at most 6000")),
        (booked.as_str(), Some(3_000), "R4", Ok(7_000)),
        ("PAY-2", Some(3_001), "R5", Err("at most 3000")),
        ("PAY-2", None, "R5", Ok(10_000)),
    ] {
        match (back(name, minor, called), wanted) {
            (Ok(_), Ok(minor)) => assert_eq!(returned(), minor, "{called}"),
            (Err(Fault::Refused(refused)), Err(wanted)) => {
                assert!(refused.detail.starts_with(wanted), "{called}: {refused:?}");
            }
            (done, _) => panic!("{called} by {name}: {done:?}"),
        }
        holds(&db);
    }
    // What is taken back of it may go back again, and a part is not put right as if it were the whole.
    let undoing = from(json!({"reason": "the wrong one"}));
    payments::undo(&db, &id("R1"), &undoing, &author()).unwrap();
    assert!(back("PAY-1", None, "R6").is_ok());
    assert_eq!(returned(), 10_000);
    let correction = from(json!({"minor": 20_000, "reason": "typed"}));
    let refused = payments::correct(&db, &id("PAY-1"), &correction, &author());
    assert_eq!(code(refused), Refusal::WrongState);
    holds(&db);
}

#[test]
fn a_name_is_free_when_the_money_turns_out_to_be_another_customers() {
    // What is said of it then, and whether it is booked as a payment of its own.
    for (more, own) in [(json!({"another": true}), true), (json!({"same_as": "OWN"}), false)] {
        let (_folder, db) = db();
        book(&db);
        assert_eq!(take(&db, "S1", &[pays(10_000, "INV-1002", "Müller GmbH", KNOWN)]).automatic, 1);
        let of = matches(&db, None).remove(0);
        let money = ("C1", "2026-11-01", 10_000);
        let that = json!({"same_as": of.payment_id});
        assert_eq!(said(&db, "PAY-1", money, that).unwrap(), Change::Made);
        let back = from(json!({"kind": "mistake"}));
        payments::reverse(&db, &id("PAY-1"), &back, id("R1"), &author()).unwrap();
        bank::confirm(&db, &of.id, &from(json!({"customer_id": "C2"})), &author()).unwrap();
        let anew = bank::get(&db, &of.id).unwrap().payment_id.unwrap();
        // Whoever said it is asked again, and nothing is booked twice meanwhile.
        assert_eq!(code(said(&db, "PAY-1", money, json!({}))), Refusal::PerhapsBooked);
        let theirs = ("C2", "2026-11-01", 10_000);
        assert_eq!(said(&db, "PAY-1", theirs, json!({})).unwrap(), Change::AlreadySo);
        payment(&db, "OWN", "C1", "2026-09-01", 10_000);
        assert_eq!(said(&db, "PAY-1", money, more.clone()).unwrap(), Change::Made);
        let names = payments::get(&db, &anew, Date::LAST, i64::MAX).unwrap().also;
        assert_eq!(names, None, "{more}");
        let read = payments::get(&db, &id("PAY-1"), Date::LAST, i64::MAX).unwrap();
        assert_eq!(
            (read.id.as_str(), read.customer_id),
            (if own { "PAY-1" } else { "OWN" }, id("C1"))
        );
        for again in [json!({}), more] {
            assert_eq!(said(&db, "PAY-1", money, again).unwrap(), Change::AlreadySo);
        }
        assert_eq!(said(&db, "PAY-9", money, json!({})).unwrap(), Change::Made);
        holds(&db);
    }
}

/// What an integrator does with a credit that waits: one that came another way is rejected, any other one is the customer's.
fn decide(db: &NativeDb, of: &BankMatch) {
    let best = of.candidates.first();
    if best.is_some_and(|best| best.reasons.contains(&MatchReason::PerhapsBooked)) {
        bank::reject(db, &of.id, &Rejection { reason: None }, &author()).unwrap();
    } else {
        bank::confirm(db, &of.id, &from(json!({"customer_id": "C1"})), &author()).unwrap();
    }
}

#[test]
fn in_whatever_order_it_arrives_the_money_came_once_and_went_back_once() {
    let steps = ["bank", "paid", "void", "refund"];
    let orders = (0..256usize).map(|of| [of % 4, of / 4 % 4, of / 16 % 4, of / 64]);
    for order in orders.filter(|order| (0..4).all(|step| order.contains(&step))) {
        let (_folder, db) = db();
        book(&db);
        let refund = || {
            let back = from(json!({"kind": "refund", "on": "2026-11-02"}));
            payments::reverse(&db, &id("P-1"), &back, id("R1"), &author())
        };
        for step in order.map(|step| steps[step]) {
            let told = format!("{:?}: {step}", order.map(|step| steps[step]));
            match step {
                "bank" => {
                    take(&db, "S1", &[pays(10_000, "INV-1002", "Müller GmbH", KNOWN)]);
                    matches(&db, Some(MatchState::Review)).iter().for_each(|of| decide(&db, of));
                }
                "paid" => {
                    let money = ("C1", "2026-11-01", 10_000);
                    if let Err(Fault::Refused(refused)) = said(&db, "P-1", money, json!({})) {
                        assert_eq!(refused.code, Refusal::PerhapsBooked, "{told}");
                        let that = refused.detail.split(',').next().unwrap();
                        let that = json!({"same_as": that});
                        assert_eq!(said(&db, "P-1", money, that).unwrap(), Change::Made, "{told}");
                    }
                }
                "void" => {
                    let on = "2026-11-02".parse().unwrap();
                    dunlin_app::invoice::void(&db, &id("INV-1002"), on, &author()).unwrap();
                }
                // What names a payment that is not there yet waits for it.
                _ => drop(refund()),
            }
            holds(&db);
        }
        drop(refund());
        let told = format!("{:?}", order.map(|step| steps[step]));
        let when = (Date::LAST, i64::MAX);
        let paid = payments::page(&db, &id("C1"), &(String::new(), 0), 9, when).unwrap();
        let paid: Vec<(i64, i64, i64)> = paid
            .iter()
            .map(|(of, _)| (of.amount.minor, of.returned_minor, of.unallocated.minor))
            .collect();
        assert_eq!(paid, [(10_000, 10_000, 0)], "{told}");
        assert_eq!((open(&db, "INV-1001"), open(&db, "INV-1002")), (10_000, 0), "{told}");
        holds(&db);
    }
}

#[test]
fn what_the_order_of_debts_put_on_documents_is_held_against_what_names_them() {
    // What came on account, by whom it is booked, and rows with their document; whether they may be of it. 60.00, 40.00 and
    // an instalment of 15.00 of 30.00 are due one after the other.
    for (came, confirmed, minor, names, perhaps) in [
        (10_000, true, 6_000, "INV-4101", true),
        (10_000, true, 4_000, "INV-4102", true),
        (10_000, true, 5_999, "INV-4101", true),
        (10_000, true, 6_001, "INV-4101", false),
        (10_000, true, 1_500, "INV-4103", false),
        (9_999, false, 6_000, "INV-4101", true),
        (9_999, false, 3_999, "INV-4102", true),
        (9_999, false, 3_998, "INV-4102", true),
        (9_999, false, 4_000, "INV-4102", false),
        (11_500, false, 1_500, "INV-4103", true),
        (11_500, false, 1_500, "INV-4103#1", true),
        (11_500, false, 1_499, "INV-4103", false),
        (13_000, false, 1_500, "INV-4103", true),
        (13_000, false, 1_500, "INV-4103#2", true),
        (13_000, false, 3_000, "INV-4103", true),
    ] {
        for returned in [false, true] {
            let told = format!("{minor} for {names} of {came}, {returned}");
            let (_folder, db) = db();
            let account = Some(KNOWN).filter(|_| !confirmed);
            customer(&db, "C1", "Müller GmbH", account);
            invoice(&db, "INV-4101", "C1", "2026-10-01", 6_000);
            invoice(&db, "INV-4102", "C1", "2026-10-02", 4_000);
            let new = json!({
                "id": "INV-4103", "customer_id": "C1", "issued_on": "2026-09-01",
                "amount": {"minor": 3_000, "currency": "EUR"},
                "instalments": [{"due_on": "2026-10-03", "minor": 1_500}, {"due_on": "2026-12-01", "minor": 1_500}],
            });
            dunlin_app::invoice::add(&db, &from(new), id("made"), &author()).unwrap();
            take(&db, "S1", &[pays(came, "", "Somebody", KNOWN)]);
            let of = matches(&db, None).remove(0);
            if of.state == MatchState::Review {
                let to = from(json!({"customer_id": "C1"}));
                bank::confirm(&db, &of.id, &to, &author()).unwrap();
            }
            let booked = bank::get(&db, &of.id).unwrap().payment_id.unwrap();
            let there = open(&db, names) < minor;
            if returned {
                // It had come all the same.
                let back = from(json!({"kind": "returned", "on": "2026-11-02"}));
                payments::reverse(&db, &booked, &back, id("R1"), &author()).unwrap();
            }
            let row = json!({"invoice_id": names});
            let done = said(&db, "P1", ("C1", "2026-11-01", minor), row);
            let whole = [6_000, 4_000, 3_999, 3_000, 1_500].contains(&minor);
            // What is less than a document had is asked while that is not open.
            let perhaps = perhaps && (whole || there && !returned);
            match perhaps {
                true => assert_eq!(code(done), Refusal::PerhapsBooked, "{told}"),
                false => assert_eq!(done.unwrap(), Change::Made, "{told}"),
            }
            holds(&db);
        }
    }
}

#[test]
fn a_part_of_what_paid_a_document_whole_is_asked_about_while_the_document_is_not_open() {
    // What an entry paid of 100.00, what names the document, whether it may be of it.
    for (came, minor, perhaps) in [
        (10_000, 4_000, true),
        (10_000, 1, true),
        (10_000, 10_001, false),
        (6_000, 4_000, false),
        (6_000, 4_001, true),
        (6_000, 6_000, true),
        (6_000, 6_001, false),
    ] {
        let (_folder, db) = db();
        book(&db);
        take(&db, "S1", &[pays(came, "INV-1002", "Müller GmbH", KNOWN)]);
        let row = json!({"invoice_id": "INV-1002"});
        let done = said(&db, "P1", ("C1", "2026-11-01", minor), row);
        assert_eq!(done.is_err(), perhaps, "{minor} of {came}");
        holds(&db);
    }
}

#[test]
fn what_names_a_document_that_an_entry_paid_whole_is_asked_about_for_a_month() {
    // What an entry of 2026-10-31 paid of 100.00, what names the document on which day, whether it may be that.
    for (came, minor, day, perhaps) in [
        (10_000, 10_000, "2026-10-26", true),
        (10_000, 10_000, "2026-10-25", true),
        (10_000, 10_000, "2026-09-30", true),
        (10_000, 10_000, "2026-09-29", false),
        (10_000, 4_000, "2026-09-30", true),
        // Half of it again may be the other half.
        (5_000, 5_000, "2026-10-26", true),
        (5_000, 5_000, "2026-10-25", false),
    ] {
        let (_folder, db) = db();
        book(&db);
        take(&db, "S1", &[pays(came, "INV-1002", "Müller GmbH", KNOWN)]);
        let row = json!({"invoice_id": "INV-1002"});
        let done = said(&db, "P1", ("C1", day, minor), row);
        assert_eq!(done.is_err(), perhaps, "{minor} of {came} on {day}");
        holds(&db);
    }
    // The bank's own reference for an id.
    for (day, perhaps) in [("2026-09-30", true), ("2026-09-29", false)] {
        let (_folder, db) = db();
        book(&db);
        let line = Line { bank: "SVC-1".into(), ..pays(4_000, "INV-1002", "Müller GmbH", KNOWN) };
        take(&db, "S1", &[line]);
        let done = said(&db, "SVC-1", ("C1", day, 3_000), json!({}));
        assert_eq!(done.is_err(), perhaps, "{day}");
    }
}

#[test]
fn what_an_entry_paid_in_another_currency_is_held_against_what_comes_in_that() {
    let rates =
        json!([{"valid_from": "2026-01-01", "rate": "1.1", "source": "ours", "confirmed": true}]);
    // Minor units, currency, what it names; whether it may be the money: 100.00 euros paid 110.00 dollars.
    for (minor, currency, names, perhaps) in [
        (11_000, "USD", None, true),
        (11_000, "USD", Some("INV-5001"), true),
        (10_999, "USD", None, false),
        (10_000, "EUR", None, true),
        (11_000, "EUR", None, false),
    ] {
        let told = format!("{minor} {currency} for {names:?}");
        let (_folder, db) = db();
        let (name, rates) = (id("fx-eur-usd"), from::<Vec<_>>(rates.clone()));
        dunlin_app::interest::put_rates(&db, &name, &rates, &author()).unwrap();
        book(&db);
        invoice_in(&db, "INV-5001", "C1", "2026-10-01", 11_000, "USD");
        take(&db, "S1", &[pays(10_000, "", "Somebody", STRANGE)]);
        let of = matches(&db, None).remove(0).id;
        let to = json!({"customer_id": "C1", "designation": [{"invoice_id": "INV-5001", "minor": 11_000}]});
        bank::confirm(&db, &of, &from(to), &author()).unwrap();
        let add = |more: serde_json::Value| {
            let mut new = json!({
                "id": "P1", "customer_id": "C1", "received_on": "2026-11-01", "invoice_id": names,
                "amount": {"minor": minor, "currency": currency},
            });
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            payments::add(&db, &from(new), id("made"), &author()).map(|(_, change)| change)
        };
        match (add(json!({})), perhaps) {
            (Err(Fault::Refused(refused)), true) => {
                assert_eq!(refused.code, Refusal::PerhapsBooked, "{told}");
                let booked = refused.detail.split(',').next().unwrap();
                assert_eq!(add(json!({"same_as": booked})).unwrap(), Change::Made, "{told}");
                assert_eq!(add(json!({})).unwrap(), Change::AlreadySo, "{told}");
            }
            (done, false) => assert_eq!(done.unwrap(), Change::Made, "{told}"),
            (done, true) => panic!("{told}: {done:?}"),
        }
        holds(&db);
    }
}

#[test]
fn payments_of_a_list_that_sum_to_an_entry_are_held_against_it() {
    // What a list has, on which days, what comes then and what it names; whether it waits.
    type Case = (&'static [(i64, &'static str)], i64, &'static str, bool);
    let cases: &[Case] = &[
        (&[(6_000, "2026-10-31"), (4_000, "2026-10-30")], 10_000, "", true),
        (&[(6_000, "2026-10-31"), (4_000, "2026-10-26")], 10_000, "", true),
        (&[(6_000, "2026-10-31"), (4_000, "2026-10-25")], 10_000, "", false),
        (&[(6_000, "2026-10-31"), (3_999, "2026-10-31")], 10_000, "", false),
        (&[(6_000, "2026-10-31"), (4_000, "2026-10-31"), (77, "2026-10-31")], 10_000, "", true),
        (&[(5_000, "2026-10-31"), (5_000, "2026-10-31"), (5_000, "2026-10-31")], 10_000, "", true),
        // What names a document that is open is for that.
        (&[(6_000, "2026-10-31"), (4_000, "2026-10-31")], 30_000, "INV-9001", false),
        (&[(10_000, "2026-10-31")], 20_000, "", false),
    ];
    for (list, came, text, waits) in cases {
        let told = format!("{came} after {list:?}");
        let (_folder, db) = db();
        book(&db);
        invoice(&db, "INV-9001", "C1", "2026-12-01", 30_000);
        for (number, (minor, on)) in list.iter().enumerate() {
            payment(&db, &format!("P{number}"), "C1", on, *minor);
        }
        let line = pays(*came, text, "Müller GmbH", KNOWN);
        assert_eq!(take(&db, "S1", &[line]).automatic, u64::from(!waits), "{told}");
        let best = matches(&db, None).remove(0).candidates.remove(0);
        let perhaps = best.reasons.contains(&MatchReason::PerhapsBooked);
        assert_eq!((perhaps, best.payment_id.is_some()), (*waits, *waits), "{told}");
        holds(&db);
    }
}

#[test]
fn a_payment_that_comes_to_life_or_is_corrected_is_held_against_what_statements_brought() {
    let undoing =
        |another: Option<bool>| from(json!({"reason": "it had come", "another": another}));
    let correction = |day: &str, minor: i64, another: Option<bool>| {
        from(
            json!({"received_on": day, "minor": minor, "reason": "typed wrongly", "another": another}),
        )
    };
    let mistake = || from(json!({"kind": "mistake", "id": "M1"}));
    let bank = |db: &NativeDb| take(db, "S1", &[pays(10_000, "INV-1001", "Müller GmbH", KNOWN)]);
    // The mistake is taken back after the statement booked the money, or before.
    for (first, perhaps) in [(false, true), (true, false)] {
        let (_folder, db) = db();
        book(&db);
        payment(&db, "P1", "C1", "2026-10-30", 10_000);
        payments::reverse(&db, &id("P1"), &mistake(), id("made"), &author()).unwrap();
        if !first {
            assert_eq!(bank(&db).automatic, 1);
        }
        let undo = |another| payments::undo(&db, &id("M1"), &undoing(another), &author());
        match perhaps {
            true => assert_eq!(code(undo(None)), Refusal::PerhapsBooked),
            false => assert_eq!(undo(None).unwrap().1, Change::Replaced),
        }
        if perhaps {
            assert_eq!(undo(Some(true)).unwrap().1, Change::Replaced);
        } else {
            assert_eq!(bank(&db).automatic, 0);
        }
        assert_eq!(undo(None).unwrap().1, Change::AlreadySo);
        holds(&db);
    }
    // The day and amount before and after, and whether it may be the 100.00 of 31 October then.
    for (before, after, perhaps) in [
        (("2026-10-30", 9_000), ("2026-10-30", 10_000), true),
        (("2026-10-30", 9_000), ("2026-10-30", 10_001), false),
        (("2026-10-25", 10_000), ("2026-10-26", 10_000), true),
        (("2026-10-24", 10_000), ("2026-10-25", 10_000), false),
        (("2026-10-30", 10_000), ("2026-10-31", 10_000), false),
    ] {
        let told = format!("{before:?} {after:?}");
        let (_folder, db) = db();
        book(&db);
        assert_eq!(bank(&db).automatic, 1, "{told}");
        said(&db, "P1", ("C1", before.0, before.1), json!({"another": true})).unwrap();
        let correct = |another| {
            let new = correction(after.0, after.1, another);
            payments::correct(&db, &id("P1"), &new, &author())
        };
        match perhaps {
            true => assert_eq!(code(correct(None)), Refusal::PerhapsBooked, "{told}"),
            false => assert_eq!(correct(None).unwrap(), Change::Replaced, "{told}"),
        }
        if perhaps {
            assert_eq!(correct(Some(true)).unwrap(), Change::Replaced, "{told}");
        }
        assert_eq!(correct(None).unwrap(), Change::AlreadySo, "{told}");
        // What a statement brought is corrected as before.
        let booked = matches(&db, None).remove(0).payment_id.unwrap();
        let new = correction("2026-10-30", 10_000, None);
        assert_eq!(payments::correct(&db, &booked, &new, &author()).unwrap(), Change::Replaced);
        holds(&db);
    }
}

#[test]
fn what_names_documents_with_amounts_is_held_against_what_they_had() {
    // The documents that are named with amounts; whether they may be of the 100.00 that paid 60.00 and 40.00.
    for (parts, perhaps) in [
        (json!([["INV-5001", 6_000]]), true),
        (json!([["INV-5001", 6_000], ["INV-5002", 3_000]]), true),
        (json!([["INV-5001", 5_999]]), true),
        (json!([["INV-5001", 6_001]]), false),
        (json!([["INV-5003", 6_000]]), false),
    ] {
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", Some(KNOWN));
        for (name, minor) in [("INV-5001", 6_000), ("INV-5002", 4_000), ("INV-5003", 90_000)] {
            invoice(&db, name, "C1", "2026-10-01", minor);
        }
        let credit = pays(10_000, "INV-5001 INV-5002", "Müller GmbH", KNOWN);
        assert_eq!(take(&db, "S1", &[credit]).automatic, 1);
        let of = |part: &serde_json::Value| json!({"invoice_id": part[0], "minor": part[1]});
        let designation: Vec<_> = parts.as_array().unwrap().iter().map(of).collect();
        let minor = parts.as_array().unwrap().iter().filter_map(|part| part[1].as_i64()).sum();
        let money = ("C1", "2026-11-01", minor);
        let done = said(&db, "P1", money, json!({"designation": designation}));
        match perhaps {
            true => assert_eq!(code(done), Refusal::PerhapsBooked, "{parts}"),
            false => assert_eq!(done.unwrap(), Change::Made, "{parts}"),
        }
        // A payment of what is far from it, and corrected to that.
        let on = ("C1", "2026-11-01", minor + 500);
        said(&db, "P2", on, json!({"invoice_id": "INV-5003"})).unwrap();
        let correct = |another: Option<bool>| {
            let new = json!({"designation": designation, "minor": minor, "reason": "typed wrongly",
                "another": another});
            payments::correct(&db, &id("P2"), &from(new), &author())
        };
        match perhaps {
            true => assert_eq!(code(correct(None)), Refusal::PerhapsBooked, "{parts}"),
            false => assert_eq!(correct(None).unwrap(), Change::Replaced, "{parts}"),
        }
        if perhaps {
            assert_eq!(correct(Some(true)).unwrap(), Change::Replaced, "{parts}");
        }
        holds(&db);
    }
}

#[test]
fn a_row_that_was_a_part_of_its_document_is_asked_about_when_it_is_corrected_to_the_entry() {
    for entry in [10_000, 9_000] {
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", Some(KNOWN));
        invoice(&db, "INV-5001", "C1", "2026-10-01", 10_000);
        let names = json!({"invoice_id": "INV-5001"});
        said(&db, "P1", ("C1", "2026-10-30", 1_000), names).unwrap();
        let counts = take(&db, "S1", &[pays(entry, "INV-5001", "Müller GmbH", KNOWN)]);
        if counts.automatic == 0 {
            let of = matches(&db, None).remove(0).id;
            bank::confirm(&db, &of, &from(json!({"candidate": 1})), &author()).unwrap();
        }
        let correct = |another: Option<bool>| {
            let new = json!({"minor": entry, "reason": "typed wrongly", "another": another});
            payments::correct(&db, &id("P1"), &from(new), &author())
        };
        assert_eq!(code(correct(None)), Refusal::PerhapsBooked, "{entry}");
        assert_eq!(correct(Some(true)).unwrap(), Change::Replaced, "{entry}");
        holds(&db);
    }
}

#[test]
fn a_credit_that_waits_is_held_against_what_came_since() {
    // What came since, by which id and how far away; how it is confirmed; whether it may be that.
    for (minor, name, on, confirmed, perhaps) in [
        (9_000, "P1", "2026-10-26", json!({"candidate": 1}), true),
        (9_000, "P1", "2026-10-31", json!({"customer_id": "C1"}), true),
        (9_000, "P1", "2026-10-25", json!({"candidate": 1}), false),
        (8_999, "P1", "2026-10-31", json!({"candidate": 1}), false),
        (77, "E2E-1", "2026-05-01", json!({"candidate": 1}), true),
        (77, "B-77", "2026-05-01", json!({"candidate": 1}), true),
    ] {
        let told = format!("{minor} {name} {on} {confirmed}");
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", None);
        invoice(&db, "INV-5001", "C1", "2026-10-01", 10_000);
        let credit = pays(9_000, "", "Müller GmbH", STRANGE);
        let credit = Line { end_to_end: "E2E-1".into(), bank: "B-77".into(), ..credit };
        assert_eq!(take(&db, "S1", &[credit]).review, 1);
        let of = matches(&db, None).remove(0).id;
        said(&db, name, ("C1", on, minor), json!({})).unwrap();
        let confirm = |another: Option<bool>| {
            let mut new = confirmed.clone();
            new["another"] = json!(another);
            bank::confirm(&db, &of, &from(new), &author())
        };
        if perhaps {
            let Err(Fault::Refused(refused)) = confirm(None) else { panic!("{told}: booked") };
            assert_eq!(refused.code, Refusal::PerhapsBooked, "{told}");
            assert!(refused.detail.starts_with(name), "{refused:?}");
        }
        let another = perhaps.then_some(true);
        assert_eq!(confirm(another).unwrap(), Change::Replaced, "{told}");
        assert_eq!(confirm(None).unwrap(), Change::AlreadySo, "{told}");
        holds(&db);
    }
}

#[test]
fn of_equal_entries_the_one_that_paid_the_named_document_is_told() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    let names = ["INV-5001", "INV-5002", "INV-5003"];
    names.iter().for_each(|name| invoice(&db, name, "C1", "2026-10-01", 5_000));
    let credits = names.map(|name| pays(5_000, name, "Müller GmbH", KNOWN));
    assert_eq!(take(&db, "S1", &credits).automatic, 3);
    for (name, of) in names.iter().zip(matches(&db, None)) {
        for on in ["2026-10-31", "2026-11-01"] {
            let done = said(&db, "P1", ("C1", on, 5_000), json!({"invoice_id": name}));
            let Err(Fault::Refused(refused)) = done else { panic!("{name} is taken in") };
            let booked = of.payment_id.clone().unwrap();
            assert!(refused.detail.starts_with(&format!("{booked},")), "{name}: {refused:?}");
        }
    }
}

#[test]
fn an_event_says_itself_that_it_is_what_a_statement_brought_or_another() {
    // What the event says, what is said when it is tried again, its refusal, and what is open of the other invoice then.
    let code = |of: &InboundEvent| of.code;
    for (event, again, refused, open_then) in [
        (json!({}), None, Some(Refusal::PerhapsBooked), 10_000),
        (json!({"another": false}), None, Some(Refusal::PerhapsBooked), 10_000),
        (json!({"same_as": "booked"}), None, None, 10_000),
        (json!({"another": true}), None, None, 0),
        (json!({"another": "perhaps"}), None, Some(Refusal::MalformedField), 10_000),
        (
            json!({"same_as": "booked", "another": true}),
            None,
            Some(Refusal::MalformedField),
            10_000,
        ),
        (json!({"same_as": "nobody"}), None, Some(Refusal::UnknownPayment), 10_000),
        (json!({"same_as": "nobody"}), Some((None, false)), Some(Refusal::UnknownPayment), 10_000),
        (json!({"same_as": "nobody"}), Some((Some("booked"), false)), None, 10_000),
        (json!({"same_as": "nobody"}), Some((None, true)), None, 0),
    ] {
        let told = format!("{event} {again:?}");
        let (_folder, db) = db();
        book(&db);
        let credit = pays(10_000, "INV-1002", "Müller GmbH", KNOWN);
        assert_eq!(take(&db, "S1", &[credit]).automatic, 1);
        let booked = matches(&db, None).remove(0).payment_id.unwrap();
        let new = json!({"signature": {"kind": "hmac", "header": "x-signature"},
            "secret": "a-long-secret", "preset": "standard"});
        event_source::put(&db, &id("shop"), &from(new), &author()).unwrap();
        let source = inbound_event::source(&db, &id("shop")).unwrap();
        let mut data = json!({"id": "X", "customer_id": "C1", "received_on": "2026-10-30",
            "amount": "100.00", "currency": "EUR"});
        data.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        let body = json!({"id": "e1", "type": "payment.succeeded", "data": data});
        let body = body.to_string().replace("\"booked\"", &format!("\"{booked}\""));
        let (mut is, _) = inbound_event::receive(&db, &source, None, &body, &author()).unwrap();
        if let Some((same_as, another)) = again {
            assert_eq!(code(&is), Some(Refusal::UnknownPayment), "{told}");
            let same_as = same_as.map(|_| booked.clone());
            let said = Said { another, same_as };
            is = inbound_event::retry(&db, &source, &id("e1"), &said, &author()).unwrap().0;
        }
        assert_eq!(code(&is), refused, "{told}");
        let made = refused.is_none().then(|| "X".to_string());
        assert_eq!((is.made, open(&db, "INV-1001")), (made, open_then), "{told}");
        let also = payments::get(&db, &booked, Date::LAST, i64::MAX).unwrap().also;
        let named = refused.is_none() && open_then > 0;
        assert_eq!(also, named.then(|| vec![id("X")]), "{told}");
        holds(&db);
    }
}

#[test]
fn what_is_left_of_a_credit_of_which_some_was_a_mistake_is_held_against_other_ways() {
    // How much of 100.00 was a mistake, what comes by another way, whether it may be the money.
    for (mistake, minor, perhaps) in [
        (4_000, 6_000, true),
        (4_000, 10_000, true),
        (4_000, 4_000, false),
        (4_000, 5_999, false),
        (0, 6_000, false),
    ] {
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", None);
        take(&db, "S1", &[pays(10_000, "", "Somebody", STRANGE)]);
        let of = matches(&db, None).remove(0).id;
        bank::confirm(&db, &of, &from(json!({"customer_id": "C1"})), &author()).unwrap();
        let booked = bank::get(&db, &of).unwrap().payment_id.unwrap();
        if mistake > 0 {
            let back = from(json!({"kind": "mistake", "minor": mistake}));
            payments::reverse(&db, &booked, &back, id("M1"), &author()).unwrap();
        }
        let done = said(&db, "P1", ("C1", "2026-11-01", minor), json!({}));
        match perhaps {
            true => assert_eq!(code(done), Refusal::PerhapsBooked, "{minor} after {mistake}"),
            false => assert_eq!(done.unwrap(), Change::Made, "{minor} after {mistake}"),
        }
        holds(&db);
    }
}
