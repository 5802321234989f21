//! Money that went back by a debit of a statement, and comes again by whoever sent it.

use crate::support::*;
use dunlin_app::{
    bank, event_source,
    inbound_event::{self, Said},
    ledger::Change,
    payment as payments,
};
use dunlin_domain::{
    Date, Id, Refusal,
    contract::{bank::*, events::InboundState, ledger::ReversalUndoing},
};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::json;

/// A credit of 740.00 that is known as `P1` too, of which a debit took so much back; the debit and what it was booked on.
fn book(db: &NativeDb, back: i64) -> (Id, Id) {
    customer(db, "C1", "Müller GmbH", Some(KNOWN));
    invoice(db, "INV-1001", "C1", "2026-10-01", 74_000);
    let credit = Line { end_to_end: "E-9".into(), ..pays(74_000, "INV-1001", "Müller", KNOWN) };
    assert_eq!(take(db, "S1", std::slice::from_ref(&credit)).automatic, 1);
    let booked = matches(db, None).remove(0).payment_id.unwrap();
    let new = from(json!({
        "id": "P1", "customer_id": "C1", "received_on": "2026-10-31", "same_as": booked,
        "amount": {"minor": 74_000, "currency": "EUR"},
    }));
    payments::add(db, &new, id("made"), &author()).unwrap();
    take(db, "S2", &[Line { minor: -back, ..credit }]);
    let of = matches(db, Some(MatchState::Review)).remove(0).id;
    bank::confirm(db, &of, &from(json!({"candidate": 1})), &author()).unwrap();
    (of, booked)
}

fn returned(db: &NativeDb, of: &Id) -> i64 {
    payments::get(db, of, Date::LAST, i64::MAX).unwrap().returned_minor
}

fn back(
    db: &NativeDb,
    called: &str,
    minor: Option<i64>,
    more: serde_json::Value,
) -> Result<Change, Fault> {
    let mut new = json!({"id": called, "kind": "refund", "minor": minor, "on": "2026-11-02"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    payments::reverse(db, &id("P1"), &from(new), id("made"), &author())
}

#[test]
fn what_a_debit_took_back_does_not_go_back_again_by_another_way() {
    // How much the debit took and how much comes by another way, on which day, whether it may be the same.
    for (debited, minor, on, perhaps) in [
        (4_000, Some(4_000), "2026-10-31", true),
        (4_000, Some(4_000), "2026-11-02", true),
        (4_000, Some(3_999), "2026-11-02", false),
        (4_000, Some(4_001), "2026-11-02", false),
        (4_000, None, "2026-11-02", false),
        (74_000, None, "2026-11-02", true),
        (74_000, Some(74_000), "2026-11-02", true),
    ] {
        let told = format!("{minor:?} on {on} after {debited}");
        let (_folder, db) = db();
        let (_, booked) = book(&db, debited);
        let done = back(&db, "R1", minor, json!({"on": on}));
        match perhaps {
            true => assert_eq!(code(done), Refusal::PerhapsBooked, "{told}"),
            false => assert_eq!(done.unwrap(), Change::Made, "{told}"),
        }
        let gone = if perhaps { 0 } else { minor.unwrap_or(70_000) };
        assert_eq!(returned(&db, &booked), debited + gone, "{told}");
        holds(&db);
    }
}

#[test]
fn somebody_says_whether_what_goes_back_is_what_a_debit_took() {
    let (_folder, db) = db();
    let (debit, booked) = book(&db, 4_000);
    let that = |of: &str| json!({"same_as": of});
    let called = format!("bank-{debit}");
    for (minor, more) in
        [(4_001, that(&called)), (4_000, that("nothing")), (4_000, that(booked.as_str()))]
    {
        assert_eq!(code(back(&db, "R1", Some(minor), more)), Refusal::DifferentContent, "{minor}");
    }
    for more in
        [json!({"same_as": called, "another": true}), json!({"same_as": called, "kind": "mistake"})]
    {
        let wrong = json!({"on": null});
        let mut more = more;
        more.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(code(back(&db, "R1", Some(4_000), more)), Refusal::MalformedField);
    }
    // It is: nothing goes back, and what is sent again is known.
    assert_eq!(back(&db, "R1", Some(4_000), that(&called)).unwrap(), Change::Made);
    for more in [json!({}), that(&called)] {
        assert_eq!(back(&db, "R1", Some(4_000), more).unwrap(), Change::AlreadySo);
    }
    assert_eq!(code(back(&db, "R1", Some(3_000), json!({}))), Refusal::DifferentContent);
    assert_eq!((returned(&db, &booked), open(&db, "INV-1001")), (4_000, 4_000));
    let read = payments::get(&db, &booked, Date::LAST, i64::MAX).unwrap().reversals.unwrap();
    let kept = read.iter().find(|of| of.id == id("R1")).unwrap();
    assert_eq!(kept.undone.as_deref(), Some(called.as_str()));
    // It is said of all that the debit took: what comes next is another one, and so is what somebody calls that.
    assert_eq!(back(&db, "R2", Some(4_000), json!({})).unwrap(), Change::Made);
    assert_eq!(returned(&db, &booked), 8_000);
    holds(&db);
    let (_folder, db) = self::db();
    let (debit, booked) = book(&db, 4_000);
    assert_eq!(back(&db, "R1", Some(4_000), json!({"another": true})).unwrap(), Change::Made);
    assert_eq!(returned(&db, &booked), 8_000);
    // What was taken back is held against nothing.
    let undoing: ReversalUndoing = from(json!({"reason": "of another"}));
    payments::undo(&db, &id(&format!("bank-{debit}")), &undoing, &author()).unwrap();
    assert_eq!(back(&db, "R2", Some(4_000), json!({})).unwrap(), Change::Made);
    holds(&db);
}

#[test]
fn a_refund_of_an_event_is_said_to_be_what_a_debit_took_and_counts_to_the_total() {
    let (_folder, db) = db();
    let (debit, booked) = book(&db, 4_000);
    let fields: Vec<_> = ["id", "payment_id", "on", "total", "currency"]
        .iter()
        .map(|field| json!({"field": field, "column": format!("/{field}")}))
        .collect();
    let mapping = json!({"id": "/event", "kind": "/type", "amounts": "minor", "rules": [
        {"kind": "refunded", "makes": "refund", "fields": fields}]});
    let new = json!({"signature": {"kind": "hmac", "header": "x-signature"}, "secret": "a-long-secret",
        "mapping": mapping});
    event_source::put(&db, &id("shop"), &from(new), &author()).unwrap();
    let source = inbound_event::source(&db, &id("shop")).unwrap();
    let receive = |name: &str, total: i64| {
        let body = json!({"event": name, "type": "refunded", "id": name, "payment_id": "P1",
            "on": "2026-11-02", "total": total, "currency": "EUR"});
        inbound_event::receive(&db, &source, None, &body.to_string(), &author()).unwrap().0
    };
    let first = receive("e1", 4_000);
    assert_eq!((first.state, first.code), (InboundState::Refused, Some(Refusal::PerhapsBooked)));
    let said = Said { another: false, same_as: Some(id(&format!("bank-{debit}"))) };
    let (first, _) = inbound_event::retry(&db, &source, &id("e1"), &said, &author()).unwrap();
    assert_eq!(first.state, InboundState::Applied, "{first:?}");
    assert_eq!(returned(&db, &booked), 4_000);
    // The same total again, then more of it.
    for (name, total, gone) in [("e2", 4_000, 4_000), ("e3", 6_000, 6_000)] {
        assert_eq!(receive(name, total).state, InboundState::Applied);
        assert_eq!(returned(&db, &booked), gone, "{name}");
    }
    holds(&db);
}

#[test]
fn the_candidate_of_a_debit_is_the_payment_that_its_credit_is_now() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    customer(&db, "C2", "Keller AG", None);
    let credit = Line { end_to_end: "E-9".into(), ..pays(74_000, "", "Somebody", STRANGE) };
    take(&db, "S1", std::slice::from_ref(&credit));
    let of = matches(&db, None).remove(0).id;
    bank::confirm(&db, &of, &from(json!({"customer_id": "C1"})), &author()).unwrap();
    take(&db, "S2", &[Line { minor: -4_000, ..credit }]);
    let booked = bank::get(&db, &of).unwrap().payment_id.unwrap();
    let mistake = from(json!({"kind": "mistake"}));
    payments::reverse(&db, &booked, &mistake, id("M1"), &author()).unwrap();
    bank::confirm(&db, &of, &from(json!({"customer_id": "C2"})), &author()).unwrap();
    let anew = bank::get(&db, &of).unwrap().payment_id.unwrap();
    let debit = matches(&db, Some(MatchState::Review)).remove(0);
    let best = &debit.candidates[0];
    assert_eq!((best.payment_id.as_ref(), &best.customer_id), (Some(&anew), &id("C2")));
    bank::confirm(&db, &debit.id, &from(json!({"candidate": 1})), &author()).unwrap();
    assert_eq!((returned(&db, &anew), returned(&db, &booked)), (4_000, 74_000));
    holds(&db);
}
