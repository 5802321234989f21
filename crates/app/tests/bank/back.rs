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
    contract::{
        bank::*,
        events::{InboundEvent, InboundState},
        ledger::ReversalUndoing,
    },
};
use dunlin_store::{Fault, event_source::Stored, native::NativeDb};
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

/// A shop that says how much was refunded of a payment altogether.
fn shop(db: &NativeDb) -> Stored {
    let fields: Vec<_> = ["id", "payment_id", "on", "total", "currency"]
        .iter()
        .map(|field| json!({"field": field, "column": format!("/{field}")}))
        .collect();
    let mapping = json!({"id": "/event", "kind": "/type", "amounts": "minor", "rules": [
        {"kind": "refunded", "makes": "refund", "fields": fields}]});
    let new = json!({"signature": {"kind": "hmac", "header": "x-signature"}, "secret": "a-long-secret",
        "mapping": mapping});
    event_source::put(db, &id("shop"), &from(new), &author()).unwrap();
    inbound_event::source(db, &id("shop")).unwrap()
}

fn refunded(
    db: &NativeDb,
    source: &Stored,
    name: &str,
    (payment, total): (&str, i64),
) -> InboundEvent {
    let body = json!({"event": name, "type": "refunded", "id": name, "payment_id": payment,
        "on": "2026-11-02", "total": total, "currency": "EUR"});
    inbound_event::receive(db, source, None, &body.to_string(), &author()).unwrap().0
}

#[test]
fn a_refund_of_an_event_is_said_to_be_what_a_debit_took_and_counts_to_the_total() {
    let (_folder, db) = db();
    let (debit, booked) = book(&db, 4_000);
    let source = shop(&db);
    let receive = |name: &str, total: i64| refunded(&db, &source, name, ("P1", total));
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

/// A credit of 100.00 with other names for so much of it.
fn named(db: &NativeDb, names: &[(&str, i64)]) -> Id {
    customer(db, "C1", "Müller GmbH", Some(KNOWN));
    invoice(db, "INV-1001", "C1", "2026-10-01", 10_000);
    let credit = Line { end_to_end: "E-9".into(), ..pays(10_000, "INV-1001", "Müller", KNOWN) };
    assert_eq!(take(db, "S1", &[credit]).automatic, 1);
    let booked = matches(db, None).remove(0).payment_id.unwrap();
    for (name, minor) in names {
        also(db, name, &booked, *minor);
    }
    booked
}

/// Gives a payment another name for so much of it.
fn also(db: &NativeDb, name: &str, booked: &Id, minor: i64) {
    let new = from(json!({
        "id": name, "customer_id": "C1", "received_on": "2026-10-31", "same_as": booked,
        "amount": {"minor": minor, "currency": "EUR"},
    }));
    payments::add(db, &new, id("made"), &author()).unwrap();
}

#[test]
fn what_was_refunded_under_its_own_id_counts_to_the_total_under_a_name() {
    // Names and how much of 100.00 each says, what went back under the payment's own id, what X says then altogether, how
    // much is back.
    type Case = (&'static [(&'static str, i64)], i64, i64, i64);
    let cases: &[Case] = &[
        (&[("X", 10_000)], 2_500, 2_500, 2_500),
        (&[("X", 10_000)], 2_500, 2_499, 2_500),
        (&[("X", 10_000)], 2_500, 2_501, 2_501),
        (&[("X", 10_000)], 10_000, 10_000, 10_000),
        (&[("X", 6_000), ("Y", 4_000)], 2_500, 2_500, 2_500),
        // It may be of the 40.00 that have no name.
        (&[("X", 6_000)], 2_500, 2_500, 5_000),
        (&[("X", 6_000)], 4_001, 1_000, 5_000),
    ];
    for (names, own, total, gone) in cases {
        for by_debit in [false, true] {
            let told = format!("{total} after {own} of {names:?}, {by_debit}");
            let (_folder, db) = db();
            let booked = named(&db, names);
            let mut more = json!({});
            if by_debit {
                let out = Line { minor: -*own, end_to_end: "E-9".into(), ..Line::default() };
                take(&db, "S2", &[out]);
                let of = matches(&db, Some(MatchState::Review)).remove(0).id;
                bank::confirm(&db, &of, &from(json!({"candidate": 1})), &author()).unwrap();
                more = json!({"same_as": format!("bank-{of}")});
            }
            let mut new = json!({"id": "R1", "kind": "refund", "minor": own, "on": "2026-11-01"});
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            payments::reverse(&db, &booked, &from(new), id("made"), &author()).unwrap();
            let source = shop(&db);
            let event = refunded(&db, &source, "e1", ("X", *total));
            assert_eq!(event.state, InboundState::Applied, "{told}");
            assert_eq!(returned(&db, &booked), *gone, "{told}");
            holds(&db);
        }
    }
}

#[test]
fn what_was_said_to_be_a_debit_is_asked_again_when_that_is_anothers() {
    // Where the debit is booked then, how often; the total that a shop says then, whether it is asked, and what is back.
    for (again, total, asked, gone) in [
        ("B", 4_000, false, 4_000),
        ("B", 6_000, false, 6_000),
        ("A", 4_000, false, 4_000),
        ("A", 6_000, false, 6_000),
        ("", 4_000, false, 4_000),
    ] {
        for sent_again in [false, true] {
            let told = format!("{total} after {again}, {sent_again}");
            let (_folder, db) = db();
            let (debit, booked) = book(&db, 4_000);
            let other = json!({
                "id": "B", "customer_id": "C1", "received_on": "2026-10-01",
                "amount": {"minor": 30_000, "currency": "EUR"},
            });
            payments::add(&db, &from(other), id("made"), &author()).unwrap();
            let that = json!({"same_as": format!("bank-{debit}")});
            back(&db, "RF", Some(4_000), that).unwrap();
            let undoing: ReversalUndoing = from(json!({"reason": "of another"}));
            payments::undo(&db, &id(&format!("bank-{debit}")), &undoing, &author()).unwrap();
            assert_eq!(returned(&db, &booked), 0, "{told}");
            let to = if again == "A" { booked.as_str() } else { "B" };
            if !again.is_empty() {
                let to = from(json!({"payment_id": to, "minor": 4_000}));
                bank::confirm(&db, &debit, &to, &author()).unwrap();
            }
            if sent_again {
                // It is what goes back of the payment now, unless the debit is the payment's again.
                let wanted = if again == "A" { Change::AlreadySo } else { Change::Made };
                assert_eq!(back(&db, "RF", Some(4_000), json!({})).unwrap(), wanted, "{told}");
                let known = back(&db, "RF", Some(4_000), json!({})).unwrap();
                assert_eq!(known, Change::AlreadySo, "{told}");
            }
            let source = shop(&db);
            let event = refunded(&db, &source, "e1", ("P1", total));
            assert_eq!(event.state == InboundState::Refused, asked, "{told}");
            assert_eq!(returned(&db, &booked), gone, "{told}");
            holds(&db);
        }
    }
}

#[test]
fn what_was_said_to_be_a_debit_uses_up_the_name_that_said_it() {
    let (_folder, db) = db();
    let booked = named(&db, &[("X", 6_000), ("Y", 4_000)]);
    take(&db, "S2", &[Line { minor: -4_000, end_to_end: "E-9".into(), ..Line::default() }]);
    let debit = matches(&db, Some(MatchState::Review)).remove(0).id;
    bank::confirm(&db, &debit, &from(json!({"candidate": 1})), &author()).unwrap();
    let back = |name: &str, called: &str, minor: i64, more: serde_json::Value| {
        let mut new = json!({"id": called, "kind": "refund", "minor": minor, "on": "2026-11-01"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payments::reverse(&db, &id(name), &from(new), id("made"), &author())
    };
    let that = json!({"same_as": format!("bank-{debit}")});
    assert_eq!(back("Y", "R1", 3_000, that).unwrap(), Change::Made);
    assert_eq!(code(back("Y", "R2", 1_001, json!({}))), Refusal::MoreThanOpen);
    assert_eq!(returned(&db, &booked), 4_000);
    let another = json!({"another": true});
    assert_eq!(back("Y", "R2", 1_000, another).unwrap(), Change::Made);
    assert_eq!(code(back("Y", "R3", 1, json!({}))), Refusal::MoreThanOpen);
    assert_eq!(returned(&db, &booked), 5_000);
    // Taken back, it uses up nothing.
    let undoing: ReversalUndoing = from(json!({"reason": "of another"}));
    payments::undo(&db, &id(&format!("bank-{debit}")), &undoing, &author()).unwrap();
    assert_eq!(back("Y", "R3", 3_000, json!({})).unwrap(), Change::Made);
    assert_eq!(returned(&db, &booked), 4_000);
    holds(&db);
}

/// A statement of one credit of 242.00 of which 250.00 were instructed.
fn less_a_fee(db: &NativeDb) -> Id {
    customer(db, "C1", "Müller GmbH", Some(KNOWN));
    invoice(db, "INV-1001", "C1", "2026-10-01", 25_000);
    let credit = Line { end_to_end: "E-9".into(), ..pays(24_200, "INV-1001", "Müller", KNOWN) };
    let fee = "<TxDtls><AmtDtls><InstdAmt><Amt Ccy=\"EUR\">250.00</Amt></InstdAmt></AmtDtls>\
        <Chrgs><Rcrd><Amt Ccy=\"EUR\">8.00</Amt></Rcrd></Chrgs>";
    let text = camt("S1", &[credit]).replace("<TxDtls>", fee);
    assert_eq!(take_in(db, "S1", &text).unwrap().bank.unwrap().matches.automatic, 1);
    matches(db, None).remove(0).payment_id.unwrap()
}

#[test]
fn a_debit_of_what_was_instructed_takes_back_what_came() {
    // What goes out, how much of it somebody says is the payment's, what goes back of 242.00.
    for (out, said, wanted) in [
        (24_200, None, Some(24_200)),
        (24_201, None, Some(24_200)),
        (25_000, None, Some(24_200)),
        (25_000, Some(24_200), Some(24_200)),
        (25_000, Some(25_000), None),
        (25_001, None, None),
        (24_199, None, Some(24_199)),
    ] {
        let told = format!("{out} {said:?}");
        let (_folder, db) = db();
        let booked = less_a_fee(&db);
        take(&db, "S2", &[Line { minor: -out, end_to_end: "E-9".into(), ..Line::default() }]);
        let debit = matches(&db, Some(MatchState::Review)).remove(0).id;
        let to = || from(json!({"candidate": 1, "minor": said}));
        match wanted {
            Some(wanted) => {
                bank::confirm(&db, &debit, &to(), &author()).unwrap();
                let again = bank::confirm(&db, &debit, &to(), &author());
                assert_eq!(again.unwrap(), Change::AlreadySo, "{told}");
                assert_eq!(returned(&db, &booked), wanted, "{told}");
            }
            None => {
                let refused = bank::confirm(&db, &debit, &to(), &author());
                assert_eq!(code(refused), Refusal::MoreThanOpen, "{told}");
            }
        }
        holds(&db);
    }
}

#[test]
fn a_refund_of_what_was_instructed_is_what_a_debit_took_of_what_came() {
    // What a debit took of 242.00, what a shop that knows 250.00 gave back, whether it may be that.
    for (debited, minor, perhaps) in [
        (24_200, 25_000, true),
        (24_200, 24_200, true),
        (24_200, 24_999, false),
        (24_200, 25_001, false),
        (10_000, 10_000, true),
    ] {
        let told = format!("{minor} after {debited}");
        let (_folder, db) = db();
        let booked = less_a_fee(&db);
        also(&db, "X", &booked, 25_000);
        take(&db, "S2", &[Line { minor: -debited, end_to_end: "E-9".into(), ..Line::default() }]);
        let debit = matches(&db, Some(MatchState::Review)).remove(0).id;
        bank::confirm(&db, &debit, &from(json!({"candidate": 1})), &author()).unwrap();
        let back = |more: serde_json::Value| {
            let mut new = json!({"id": "R1", "kind": "refund", "minor": minor, "on": "2026-11-01"});
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            payments::reverse(&db, &id("X"), &from(new), id("made"), &author())
        };
        let wanted = if perhaps { Refusal::PerhapsBooked } else { Refusal::MoreThanOpen };
        assert_eq!(code(back(json!({}))), wanted, "{told}");
        if perhaps {
            let that = json!({"same_as": format!("bank-{debit}")});
            assert_eq!(back(that).unwrap(), Change::Made, "{told}");
            assert_eq!(back(json!({})).unwrap(), Change::AlreadySo, "{told}");
        }
        let source = shop(&db);
        let total = if perhaps { minor } else { debited };
        let event = refunded(&db, &source, "e1", ("X", total));
        assert_eq!(event.state == InboundState::Applied, perhaps, "{told}");
        assert_eq!(returned(&db, &booked), debited, "{told}");
        holds(&db);
    }
}

#[test]
fn a_debit_that_a_refund_came_before_is_shown_as_perhaps_booked() {
    // What went back before, how and when, and the debit; whether its candidate may be that.
    for (kind, minor, on, out, perhaps) in [
        ("refund", 4_000, "2026-10-31", 4_000, true),
        ("chargeback", 4_000, "2026-11-02", 4_000, true),
        ("mistake", 4_000, "2026-10-31", 4_000, false),
        ("refund", 4_000, "2026-10-31", 4_001, false),
        ("refund", 3_999, "2026-10-31", 4_000, false),
    ] {
        for day in ["2026-10-31", "2026-11-02"] {
            let told = format!("{kind} {minor} {on}, {out}");
            let (_folder, db) = db();
            let booked = named(&db, &[]);
            let on = (kind != "mistake").then_some(on);
            let new = from(json!({"id": "R1", "kind": kind, "minor": minor, "on": on}));
            payments::reverse(&db, &booked, &new, id("made"), &author()).unwrap();
            let line =
                Line { minor: -out, end_to_end: "E-9".into(), returned: true, ..Line::default() };
            let text = camt("S2", &[line]).replace("2026-10-31", day);
            assert_eq!(take_in(&db, "S2", &text).unwrap().bank.unwrap().matches.review, 1);
            let of = matches(&db, Some(MatchState::Review)).remove(0);
            let reasons = &of.candidates[0].reasons;
            assert_eq!(reasons.contains(&MatchReason::PerhapsBooked), perhaps, "{told}");
            assert!(reasons.contains(&MatchReason::ReversalOfEntry), "{told}");
            holds(&db);
        }
    }
}

#[test]
fn a_total_that_has_a_debit_within_it_is_asked_about_until_somebody_says_what_that_is() {
    // What the debit took of 100.00 and the totals that the shop says, each with how much of it is the debit.
    type Case = (i64, &'static [(i64, i64)]);
    let cases: &[Case] = &[
        (4_000, &[(4_000, 4_000), (6_000, 0)]),
        (6_000, &[(4_000, 4_000), (6_000, 2_000)]),
        (4_000, &[(6_000, 4_000)]),
    ];
    for (out, totals) in cases {
        for names in [&[][..], &[("X", 10_000)]] {
            let told = format!("{out}: {totals:?} of {names:?}");
            let (_folder, db) = db();
            let booked = named(&db, names);
            let of = if names.is_empty() { booked.as_str() } else { "X" };
            take(&db, "S2", &[Line { minor: -out, end_to_end: "E-9".into(), ..Line::default() }]);
            let debit = matches(&db, Some(MatchState::Review)).remove(0).id;
            bank::confirm(&db, &debit, &from(json!({"candidate": 1})), &author()).unwrap();
            let source = shop(&db);
            for (total, _) in *totals {
                let event = refunded(&db, &source, &format!("e{total}"), (of, *total));
                assert_eq!(event.code, Some(Refusal::PerhapsBooked), "{told}: {total}");
            }
            let that = id(&format!("bank-{debit}"));
            let mut before = 0;
            for (total, is) in *totals {
                let name = id(&format!("e{total}"));
                let whole = *is == total - before;
                if *is > 0 && !whole {
                    // What of it is the debit is said beside the event.
                    let new =
                        from(json!({"id": "R1", "kind": "refund", "minor": is, "on": "2026-11-02",
                        "same_as": that}));
                    payments::reverse(&db, &id(of), &new, id("made"), &author()).unwrap();
                }
                let same_as = whole.then(|| that.clone());
                let said = Said { another: false, same_as };
                let (event, _) =
                    inbound_event::retry(&db, &source, &name, &said, &author()).unwrap();
                assert_eq!(event.state, InboundState::Applied, "{told}: {event:?}");
                before = *total;
            }
            assert_eq!(returned(&db, &booked), 6_000, "{told}");
            holds(&db);
        }
    }
}

#[test]
fn a_debit_that_waits_is_held_against_what_went_back_since() {
    // What went back since and when, how the debit of 40.00 is confirmed, whether it may be that.
    for (kind, minor, on, by_candidate, perhaps) in [
        ("refund", 4_000, "2026-11-02", true, true),
        ("refund", 4_000, "2026-11-02", false, true),
        ("mistake", 4_000, "2026-10-31", true, false),
        ("refund", 3_999, "2026-11-02", true, false),
    ] {
        let told = format!("{kind} {minor} {on} {by_candidate}");
        let (_folder, db) = db();
        let booked = named(&db, &[]);
        let end_to_end = if by_candidate { "E-9" } else { "" };
        let out = Line { minor: -4_000, end_to_end: end_to_end.into(), ..Line::default() };
        take(&db, "S2", &[out]);
        let of = matches(&db, None).remove(1).id;
        let on = (kind != "mistake").then_some(on);
        let new = from(json!({"id": "R1", "kind": kind, "minor": minor, "on": on}));
        payments::reverse(&db, &booked, &new, id("made"), &author()).unwrap();
        let confirm = |another: Option<bool>| {
            let new = match by_candidate {
                true => json!({"candidate": 1, "another": another}),
                false => json!({"payment_id": booked, "another": another}),
            };
            bank::confirm(&db, &of, &from(new), &author())
        };
        if perhaps {
            assert_eq!(code(confirm(None)), Refusal::PerhapsBooked, "{told}");
            assert_eq!(returned(&db, &booked), minor, "{told}");
        }
        assert_eq!(confirm(perhaps.then_some(true)).unwrap(), Change::Replaced, "{told}");
        assert_eq!(confirm(None).unwrap(), Change::AlreadySo, "{told}");
        assert_eq!(returned(&db, &booked), 4_000 + minor, "{told}");
        holds(&db);
    }
}

#[test]
fn what_is_known_as_a_part_in_another_currency_goes_back_of_the_payment_that_was_changed() {
    // 100.00 euros at 1.1. How many dollars its part is and X says, what is sent in order, and what is back in euros then.
    type Step = (&'static str, Option<i64>, Result<i64, Refusal>);
    let more = Err(Refusal::MoreThanOpen);
    let perhaps = Err(Refusal::PerhapsBooked);
    let cases: &[(i64, &[Step])] = &[
        (11_000, &[("refund", Some(5_500), Ok(5_000)), ("refund", None, Ok(10_000))]),
        (11_000, &[("refund", None, Ok(10_000)), ("refund", Some(1), more)]),
        (11_000, &[("refund", Some(11_001), more), ("refund", Some(11_000), Ok(10_000))]),
        (11_000, &[("chargeback", Some(1), Ok(1)), ("refund", Some(10_999), Ok(10_000))]),
        (11_000, &[("mistake", None, Ok(10_000))]),
        // What of it stayed in euros is not X's, though what goes back falls on it first.
        (
            5_500,
            &[("refund", Some(5_501), more), ("refund", None, Ok(5_000)), ("refund", None, more)],
        ),
        (5_500, &[("total", Some(1_100), Ok(1_000)), ("total", Some(5_500), Ok(5_000))]),
        (11_000, &[("total", Some(5_500), Ok(5_000)), ("total", Some(5_500), Ok(5_000))]),
        (11_000, &[("refund", Some(3_300), Ok(3_000)), ("total", Some(3_300), Ok(3_000))]),
        // Dollars that are no whole cents of a euro are no more the second time.
        (
            11_000,
            &[("total", Some(7), Ok(6)), ("total", Some(7), Ok(6)), ("total", Some(8), Ok(7))],
        ),
        // Under the payment's own id, which has nothing that is not X's.
        (11_000, &[("own", Some(2_500), Ok(2_500)), ("total", Some(2_750), Ok(2_500))]),
        (5_500, &[("own", Some(2_500), Ok(2_500)), ("total", Some(2_750), Ok(5_000))]),
        (11_000, &[("debit", Some(5_000), Ok(5_000)), ("refund", Some(5_500), perhaps)]),
        (
            11_000,
            &[
                ("debit", Some(5_000), Ok(5_000)),
                ("same", Some(5_500), Ok(5_000)),
                ("total", Some(5_500), Ok(5_000)),
                ("total", Some(6_600), Ok(6_000)),
            ],
        ),
    ];
    for (dollars, steps) in cases {
        let (_folder, db) = db();
        let rates = json!([{"valid_from": "2026-01-01", "rate": "1.1", "source": "ours", "confirmed": true}]);
        dunlin_app::interest::put_rates(&db, &id("fx-eur-usd"), &from::<Vec<_>>(rates), &author())
            .unwrap();
        customer(&db, "C1", "Müller GmbH", None);
        invoice_in(&db, "INV-5001", "C1", "2026-10-01", *dollars, "USD");
        let credit = Line { end_to_end: "E-9".into(), ..pays(10_000, "", "Somebody", STRANGE) };
        take(&db, "S1", std::slice::from_ref(&credit));
        let of = matches(&db, None).remove(0).id;
        let to = json!({"customer_id": "C1", "designation": [{"invoice_id": "INV-5001", "minor": dollars}]});
        bank::confirm(&db, &of, &from(to), &author()).unwrap();
        let booked = bank::get(&db, &of).unwrap().payment_id.unwrap();
        let named = from(json!({
            "id": "X", "customer_id": "C1", "received_on": "2026-10-31", "same_as": format!("{booked}/USD"),
            "amount": {"minor": dollars, "currency": "USD"},
        }));
        payments::add(&db, &named, id("made"), &author()).unwrap();
        let source = shop(&db);
        let mut debit = None;
        for (number, (what, minor, wanted)) in steps.iter().enumerate() {
            let told = format!("{dollars} {steps:?} {number}");
            let name = id(&format!("R{number}"));
            let back = |of: &str, kind: &str, same_as: Option<&Id>| {
                let on = (kind != "mistake").then_some("2026-11-02");
                let new =
                    json!({"id": name, "kind": kind, "minor": minor, "on": on, "same_as": same_as});
                let done =
                    payments::reverse(&db, &id(of), &from(new.clone()), id("made"), &author());
                if done.is_ok() {
                    let again = payments::reverse(&db, &id(of), &from(new), id("made"), &author());
                    assert_eq!(again.unwrap(), Change::AlreadySo, "{told}");
                }
                done.map(drop)
            };
            let done = match *what {
                "total" => {
                    let body = json!({"event": name, "type": "refunded", "id": name, "payment_id": "X",
                        "on": "2026-11-02", "total": minor, "currency": "USD"});
                    let (event, _) =
                        inbound_event::receive(&db, &source, None, &body.to_string(), &author())
                            .unwrap();
                    assert_eq!(event.state, InboundState::Applied, "{told} {event:?}");
                    Ok(())
                }
                "debit" => {
                    take(&db, "S2", &[Line { minor: -minor.unwrap(), ..credit.clone() }]);
                    let of = matches(&db, Some(MatchState::Review)).remove(0).id;
                    bank::confirm(&db, &of, &from(json!({"candidate": 1})), &author()).unwrap();
                    debit = Some(id(&format!("bank-{of}")));
                    Ok(())
                }
                "own" => back(booked.as_str(), "refund", None),
                "same" => back("X", "refund", debit.as_ref()),
                kind => back("X", kind, None),
            };
            match wanted {
                Err(code) => assert_eq!(self::code(done), *code, "{told}"),
                Ok(_) => assert!(done.is_ok(), "{told} {done:?}"),
            }
            let read = payments::get(&db, &booked, Date::LAST, i64::MAX).unwrap();
            let gone = read.reversals.unwrap_or_default();
            let gone: i64 = gone.iter().filter(|of| of.undone.is_none()).map(|of| of.minor).sum();
            if let Ok(wanted) = wanted {
                assert_eq!(gone, *wanted, "{told}");
            }
            holds(&db);
        }
        if steps[0].0 == "mistake" {
            assert_eq!(bank::get(&db, &of).unwrap().state, MatchState::Review);
        }
    }
}

#[test]
fn a_return_has_the_payment_that_is_called_by_its_reference_for_a_candidate() {
    // The payment's id and other name, its currency, the reference of the debit, whether the bank marks it, and whether it has
    // the candidate.
    for (name, also_as, currency, reference, marked, wanted) in [
        ("pi_shop", None, "EUR", "pi_shop", true, true),
        ("P1", Some("pi_shop"), "EUR", "pi_shop", true, true),
        ("pi_shop", None, "EUR", "pi_shop", false, false),
        ("pi_shop", None, "EUR", "pi_other", true, false),
        ("pi_shop", None, "USD", "pi_shop", true, false),
    ] {
        let told = format!("{name} {also_as:?} {currency} {reference} {marked}");
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", None);
        let add = |called: &str, same_as: Option<&str>| {
            let new = from(json!({"id": called, "customer_id": "C1", "received_on": "2026-10-20",
                "amount": {"minor": 7_400, "currency": currency}, "same_as": same_as}));
            payments::add(&db, &new, id("made"), &author()).unwrap();
        };
        add(name, None);
        also_as.iter().for_each(|of| add(of, Some(name)));
        // The credit of the bank is that payment.
        let credit = Line { end_to_end: reference.into(), ..pays(7_400, "", "Somebody", STRANGE) };
        take(&db, "S1", std::slice::from_ref(&credit));
        let of = matches(&db, None).remove(0).id;
        bank::reject(&db, &of, &from(json!({})), &author()).unwrap();
        let back = Line { minor: -7_400, returned: marked, ..credit };
        assert_eq!(take(&db, "S2", &[back]).automatic, 0, "{told}");
        let debit = matches(&db, None).remove(1);
        let found: Vec<_> = debit.candidates.iter().map(|of| of.payment_id.clone()).collect();
        let expected = if wanted { vec![Some(id(name))] } else { vec![] };
        assert_eq!(found, expected, "{told}");
        if wanted {
            assert_eq!(debit.candidates[0].score.to_string(), "0.50", "{told}");
            bank::confirm(&db, &debit.id, &from(json!({"candidate": 1})), &author()).unwrap();
            assert_eq!(returned(&db, &id(name)), 7_400, "{told}");
        }
        holds(&db);
    }
}
