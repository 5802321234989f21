//! References that are printed on documents, and those that issuers build around their numbers.

use crate::support::*;
use dunlin_app::{event_source, inbound_event, invoice as documents, ledger::Change};
use dunlin_domain::{Date, Refusal, bank::reference::build_qr, contract::bank::*};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::json;

fn add(db: &NativeDb, name: &str, of: &str, reference: Option<&str>) -> Result<Change, Fault> {
    let new = from(json!({
        "id": name, "customer_id": of, "issued_on": "2026-09-01", "due_on": "2026-10-01",
        "amount": {"minor": 10_000, "currency": "EUR"}, "reference": reference,
    }));
    documents::add(db, &new, id("made"), &author()).map(|(_, change)| change)
}

#[test]
fn a_printed_reference_names_its_document() {
    let qr = build_qr("94001700004711000000998877").unwrap();
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    for (name, printed) in [
        ("A-1", "RF18 5390 0754 7034"),
        ("A-2", "+++090/9337/55493+++"),
        ("A-3", qr.as_str()),
        ("A-4", "KID 7788990"),
    ] {
        assert_eq!(add(&db, name, "C1", Some(printed)).unwrap(), Change::Made);
    }
    let read = |name: &str| documents::get(&db, &id(name), Date::LAST, i64::MAX).unwrap().reference;
    assert_eq!(read("A-1").as_deref(), Some("RF18539007547034"));
    let by = |reference: &str| Line {
        reference: reference.into(),
        ..pays(10_000, "", "Somebody", STRANGE)
    };
    let in_text = pays(10_000, "Zahlung RF18539007547034", "Somebody", STRANGE);
    let found = take(&db, "S1", &[in_text, by("090933755493"), by(&qr), by("7788990")]);
    assert_eq!((found.automatic, found.review), (3, 1));
    let named = matches(&db, Some(MatchState::Automatic));
    assert!(
        named
            .iter()
            .all(|of| { of.candidates[0].reasons.contains(&MatchReason::StructuredReference) })
    );
    for name in ["A-1", "A-2", "A-3"] {
        assert_eq!(open(&db, name), 0, "{name}");
    }
    assert_eq!(open(&db, "A-4"), 10_000);
    holds(&db);
}

#[test]
fn a_reference_that_an_event_brings_names_its_document() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    let secret = "a-long-secret";
    let fields: Vec<_> = ["id", "customer_id", "issued_on", "amount", "currency", "reference"]
        .iter()
        .map(|field| json!({"field": field, "column": format!("/data/{field}")}))
        .collect();
    let own = json!({"id": "/id", "kind": "/type", "amounts": "decimal", "rules": [
        {"kind": "invoice.created", "makes": "invoice", "fields": fields}]});
    for (name, mapping, printed) in [
        ("A-1", json!({"preset": "standard"}), "RF18539007547034"),
        ("A-2", json!({"mapping": own}), "+++090/9337/55493+++"),
    ] {
        let mut new =
            json!({"signature": {"kind": "hmac", "header": "x-signature"}, "secret": secret});
        new.as_object_mut().unwrap().extend(mapping.as_object().unwrap().clone());
        event_source::put(&db, &id("shop"), &from(new), &author()).unwrap();
        let source = inbound_event::source(&db, &id("shop")).unwrap();
        let body = json!({"id": name, "type": "invoice.created", "data": {"id": name, "customer_id": "C1",
            "issued_on": "2026-09-01", "amount": "100.00", "currency": "EUR", "reference": printed}});
        let made = inbound_event::receive(&db, &source, None, &body.to_string(), &author());
        assert_eq!(made.unwrap().0.made.as_deref(), Some(name));
        let line = Line { reference: printed.into(), ..pays(10_000, "", "Somebody", STRANGE) };
        assert_eq!(take(&db, name, &[line]).automatic, 1, "{:?}", matches(&db, None));
        assert_eq!(open(&db, name), 0);
    }
    holds(&db);
}

#[test]
fn a_document_without_a_reference_is_given_one_and_keeps_it() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    assert_eq!(add(&db, "A-1", "C1", None).unwrap(), Change::Made);
    // The numbers of documents were looked at before.
    take(&db, "S0", &[pays(1, "?", "Somebody", STRANGE)]);
    assert_eq!(add(&db, "A-1", "C1", Some("RF18539007547034")).unwrap(), Change::Replaced);
    for again in [None, Some("rf18 5390 0754 7034")] {
        assert_eq!(add(&db, "A-1", "C1", again).unwrap(), Change::AlreadySo);
    }
    assert_eq!(code(add(&db, "A-1", "C1", Some("RF45G72UUR"))), Refusal::DifferentContent);
    assert_eq!(code(add(&db, "A-9", "C1", Some("RF19539007547034"))), Refusal::MalformedField);
    let line =
        Line { reference: "RF18539007547034".into(), ..pays(10_000, "", "Somebody", STRANGE) };
    assert_eq!(take(&db, "S1", &[line]).automatic, 1);
    holds(&db);
}

#[test]
fn the_end_of_a_qr_reference_may_be_the_number_of_an_open_document() {
    // What stands before the number, the number at the end; whether it is booked.
    for (before, number, booked) in [
        ("94001700004711", "000020260102", true),
        ("940017", "20260102", true),
        ("94001700004711", "000020260103", false),
        ("94001700004711", "000000000102", false),
    ] {
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", None);
        customer(&db, "C2", "Keller AG", None);
        invoice(&db, "20260102", "C1", "2026-10-01", 10_000);
        invoice(&db, "00102", "C2", "2026-10-01", 10_000);
        let line = Line {
            reference: build_qr(&format!("{before}{number}")).unwrap(),
            ..pays(10_000, "", "Müller GmbH", STRANGE)
        };
        let found = take(&db, "S1", std::slice::from_ref(&line));
        assert_eq!(found.automatic, u64::from(booked), "{before} {number}");
        // Once it is paid, the end says nothing.
        let again = Line { bank: "B-2".into(), ..line };
        assert_eq!(take(&db, "S2", &[again]).automatic, 0);
        holds(&db);
    }
}

#[test]
fn a_reference_that_a_document_is_given_later_is_looked_for_though_no_other_looks_like_it() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    add(&db, "A-1", "C1", None).unwrap();
    // The numbers that were there are looked at with the first statement.
    take(&db, "S1", &[pays(77, "nothing", "Somebody", STRANGE)]);
    add(&db, "A-1", "C1", Some("RF18539007547034")).unwrap();
    let text = pays(10_000, "Ref 539007547034", "Müller GmbH", STRANGE);
    let found = take(&db, "S2", &[text]);
    assert_eq!((found.automatic, open(&db, "A-1")), (1, 0), "{:?}", matches(&db, None));
    holds(&db);
}
