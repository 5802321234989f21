//! Policy, pauses, disputes, defaults and classes on a real SQLite file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, db, id, on, read};
use dunlin_app::{
    customer, default_record, delinquency, dispute, invoice, ledger::Change, pause, payment,
    policy, sweep, verify, write_off,
};
use dunlin_domain::{
    Refusal,
    contract::{
        ledger::*,
        types::{Difference, NewInvoice},
    },
};
use dunlin_store::{Db, Fault, When, native::NativeDb};
use proptest::prelude::*;
use serde_json::{Value, json};

fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

fn customer(db: &NativeDb, name: &str) {
    let new = read(json!({"id": name, "name": name}));
    customer::add(db, &new, id("made"), &on("2024-01-01")).unwrap();
}

fn bill(db: &NativeDb, name: &str, of: &str, issued: &str, due: &str, minor: i64) {
    let new: NewInvoice = read(json!({
        "id": name, "customer_id": of, "issued_on": issued, "due_on": due, "amount": eur(minor),
    }));
    invoice::add(db, &new, id("made"), &on(issued)).unwrap();
}

fn pay(db: &NativeDb, name: &str, of: &str, received: &str, minor: i64) {
    let new = read(json!({
        "id": name, "customer_id": of, "received_on": received, "amount": eur(minor),
    }));
    payment::add(db, &new, id("made"), &on(received)).unwrap();
}

/// Sweeps the business date to its end, in slices of one customer, and hands nothing over.
fn sweep(db: &NativeDb, date: &str) {
    let now = on(date).at;
    let mut tick =
        sweep::Tick::begin(db, Some(day(date)), id("tick"), now).unwrap().in_slices_of(1);
    loop {
        match tick.step(db, now).unwrap() {
            sweep::Step::More => {}
            sweep::Step::Deliver => tick.delivered(db, Default::default(), true, now).unwrap(),
            sweep::Step::Done => break,
        }
    }
    tick.end(db).unwrap();
}

fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Refusal, String) {
    match result {
        Err(Fault::Refused(refused)) => (refused.code, refused.field.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

fn spans(db: &NativeDb, name: &str, as_of: &str) -> Vec<String> {
    let history = delinquency::buckets(db, &id(name), day(as_of)).unwrap();
    history
        .spans
        .iter()
        .map(|span| {
            let to = span.to.map_or("…".to_string(), |to| to.to_string());
            format!("{}..{to} {} {}", span.from, span.bucket, span.delinquent_days)
        })
        .collect()
}

#[test]
fn a_pause_is_recorded_once_and_ended_once() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2023-09-01", "2023-10-01", 250);
    let new: NewPause =
        read(json!({"id": "P", "invoice_id": "I", "from": "2023-10-15", "to": "2023-10-30"}));
    let author = on("2023-11-01");
    let add = |new: &NewPause| pause::add(&db, new, id("made"), &author);
    assert_eq!(add(&new).unwrap(), (id("P"), Change::Made));
    assert_eq!(add(&new).unwrap(), (id("P"), Change::AlreadySo));
    for (other, code, field) in [
        (
            json!({"id": "P", "invoice_id": "I", "from": "2023-10-16", "to": "2023-10-30"}),
            Refusal::DifferentContent,
            "from",
        ),
        (
            json!({"id": "P", "customer_id": "C", "from": "2023-10-15", "to": "2023-10-30"}),
            Refusal::DifferentContent,
            "customer_id",
        ),
        (json!({"from": "2023-10-15"}), Refusal::MissingField, "customer_id"),
        (
            json!({"from": "2023-10-15", "customer_id": "C", "invoice_id": "I"}),
            Refusal::MalformedField,
            "invoice_id",
        ),
        (
            json!({"from": "2023-10-15", "customer_id": "X"}),
            Refusal::UnknownCustomer,
            "customer_id",
        ),
        (json!({"from": "2023-10-15", "invoice_id": "X"}), Refusal::UnknownInvoice, "invoice_id"),
        (
            json!({"from": "2023-10-15", "to": "2023-10-14", "invoice_id": "I"}),
            Refusal::MalformedField,
            "to",
        ),
    ] {
        assert_eq!(refused(add(&read(other.clone()))), (code, field.to_string()), "{other}");
    }
    let resume =
        |on: Option<&str>| pause::resume(&db, &id("P"), &read(json!({ "on": on })), &author);
    assert_eq!(refused(resume(Some("2023-10-14"))).0, Refusal::WrongState);
    assert_eq!(refused(resume(None)).0, Refusal::WrongState, "it ended by itself before today");
    assert_eq!(resume(Some("2023-10-25")).unwrap(), Change::Replaced);
    assert_eq!(resume(Some("2023-10-25")).unwrap(), Change::AlreadySo);
    assert_eq!(resume(None).unwrap(), Change::AlreadySo);
    assert_eq!(refused(resume(Some("2023-10-26"))).0, Refusal::WrongState);
    assert_eq!(pause::page(&db, "", 10, Some(&id("C")), When::ALL).unwrap().len(), 1);
    let nobody = pause::resume(&db, &id("X"), &read(json!({})), &author);
    assert_eq!(refused(nobody).0, Refusal::NotFound);
    // The worked case with grace 3: paused from the 15th, resumed on the 25th.
    policy::put(&db, &read(json!({"grace_days": 3})), &author).unwrap();
    assert_eq!(
        spans(&db, "I", "2023-11-30"),
        [
            "2023-09-01..2023-10-04 current 0",
            "2023-10-05..2023-11-13 1-30 1",
            "2023-11-14..… 31-60 31"
        ]
    );
}

#[test]
fn what_was_not_known_yet_is_as_if_it_had_not_happened() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2023-09-01", "2023-10-01", 250);
    let author = on("2023-11-01");
    let known = |entry: Option<i64>| {
        let key = dunlin_store::customer::key(&db, &id("C")).unwrap().unwrap();
        let pauses = dunlin_store::pause::of_customers(&db, &[key], entry).unwrap();
        pauses.get(&key).map(|of| of.iter().map(|(_, p)| (p.from, p.to)).collect::<Vec<_>>())
    };
    let before = dunlin_store::audit::head(&db).unwrap().map_or(0, |(key, _)| key);
    let new = read(json!({"id": "P", "customer_id": "C", "from": "2023-10-15"}));
    pause::add(&db, &new, id("made"), &author).unwrap();
    let begun = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    let resume = |text: serde_json::Value| pause::resume(&db, &id("P"), &read(text), &author);
    assert_eq!(refused(resume(json!({"on": "2023-11-02"}))).0, Refusal::DateInFuture);
    resume(json!({"on": "2023-10-20"})).unwrap();
    let (from, to) = (day("2023-10-15"), Some(day("2023-10-20")));
    assert_eq!(known(None), Some(vec![(from, to)]));
    assert_eq!(known(Some(begun)), Some(vec![(from, None)]));
    assert_eq!(known(Some(before)), None);
    // A wrong end is named, and gets another day or none. What was said before stays known.
    let wrong = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    for (other, code, field) in [
        (json!({"undo": true}), Refusal::MissingField, "replaces"),
        (
            json!({"undo": true, "replaces": "2023-10-20", "on": "2023-10-25"}),
            Refusal::MalformedField,
            "on",
        ),
        (json!({"replaces": "2023-10-19", "on": "2023-10-25"}), Refusal::WrongState, "replaces"),
        (json!({"replaces": "2023-10-20", "on": "2023-11-02"}), Refusal::DateInFuture, "on"),
        (json!({"replaces": "2023-10-20", "on": "2023-10-14"}), Refusal::WrongState, "on"),
    ] {
        assert_eq!(refused(resume(other.clone())), (code, field.to_string()), "{other}");
    }
    let other = json!({"replaces": "2023-10-20", "on": "2023-10-25"});
    assert_eq!(resume(other.clone()).unwrap(), Change::Replaced);
    assert_eq!(resume(other).unwrap(), Change::AlreadySo);
    assert_eq!(known(None), Some(vec![(from, Some(day("2023-10-25")))]));
    assert_eq!(known(Some(wrong)), Some(vec![(from, to)]));
    let undone = json!({"replaces": "2023-10-25", "undo": true});
    assert_eq!(resume(undone.clone()).unwrap(), Change::Replaced);
    assert_eq!(resume(undone).unwrap(), Change::AlreadySo);
    assert_eq!(known(None), Some(vec![(from, None)]));
    assert_eq!(known(Some(begun)), Some(vec![(from, None)]));
    assert_eq!(known(Some(wrong)), Some(vec![(from, to)]));
    let then = pause::page(&db, "", 10, None, When { day: Date::LAST, known: wrong }).unwrap();
    assert_eq!(then[0].resumed_on, to);
    resume(json!({"on": "2023-10-20"})).unwrap();
    assert_eq!(known(None), Some(vec![(from, to)]));
    let new = read(
        json!({"id": "D", "invoice_id": "I", "reason": "price", "minor": 50, "on": "2023-10-02"}),
    );
    dispute::open(&db, &new, id("made"), &author).unwrap();
    let opened = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    let upheld = read(json!({"outcome": "upheld", "on": "2023-10-09"}));
    dispute::resolve(&db, &id("D"), &upheld, &author).unwrap();
    let contested = |entry: Option<i64>| {
        let found = dunlin_store::dispute::of_invoices(&db, &[1], entry).unwrap();
        found.iter().map(|of| (of.minor, of.resolved_on, of.upheld_minor)).collect::<Vec<_>>()
    };
    assert_eq!(contested(None), [(50, Some(day("2023-10-09")), Some(50))]);
    assert_eq!(contested(Some(opened)), [(50, None, None)]);
    assert_eq!(contested(Some(begun)), []);
}

fn row(db: &NativeDb, sql: &str) -> Vec<i64> {
    let row = db.first(sql, &[]).unwrap().unwrap();
    (0..row.0.len()).map(|at| row.int(at).unwrap()).collect()
}

fn flags(db: &NativeDb, name: &str) -> Vec<i64> {
    row(db, &format!("SELECT disputed, disputed_minor FROM invoice WHERE id = '{name}'"))
}

#[test]
fn at_most_what_is_open_and_not_contested_is_disputed() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    pay(&db, "P", "C", "2024-01-15", 300);
    let author = on("2024-03-01");
    let open = |value: Value| dispute::open(&db, &read(value), id("made"), &author);
    for (new, code, field) in [
        (json!({"invoice_id": "X", "reason": "price"}), Refusal::UnknownInvoice, "invoice_id"),
        (
            json!({"invoice_id": "I", "reason": "price", "minor": 701}),
            Refusal::MoreThanOpen,
            "minor",
        ),
        (
            json!({"invoice_id": "I", "reason": "price", "minor": 0}),
            Refusal::AmountNotPositive,
            "minor",
        ),
        (
            json!({"invoice_id": "I", "reason": "price", "on": "2023-12-31"}),
            Refusal::MoreThanOpen,
            "minor",
        ),
        (
            json!({"invoice_id": "I", "reason": "price", "on": "2024-03-02"}),
            Refusal::DateInFuture,
            "on",
        ),
        (
            json!({"id": "whole/I", "invoice_id": "I", "reason": "price"}),
            Refusal::MalformedId,
            "id",
        ),
    ] {
        assert_eq!(refused(open(new.clone())), (code, field.to_string()), "{new}");
    }
    let first =
        json!({"id": "D1", "invoice_id": "I", "reason": "price", "minor": 500, "on": "2024-01-20"});
    assert_eq!(open(first.clone()).unwrap(), (id("D1"), Change::Made));
    assert_eq!(open(first).unwrap(), (id("D1"), Change::AlreadySo));
    let other = json!({"id": "D1", "invoice_id": "I", "reason": "quality", "minor": 500});
    assert_eq!(refused(open(other)), (Refusal::DifferentContent, "reason".to_string()));
    let more = json!({"invoice_id": "I", "reason": "price", "minor": 201});
    assert_eq!(refused(open(more)).0, Refusal::MoreThanOpen);
    open(json!({"id": "D2", "invoice_id": "I", "reason": "quantity"})).unwrap();
    assert_eq!(dispute::get(&db, &id("D2")).unwrap().amount.minor, 200);
    assert_eq!(flags(&db, "I"), [1, 700]);
    let rest = json!({"invoice_id": "I", "reason": "price"});
    assert_eq!(refused(open(rest)).0, Refusal::MoreThanOpen);
    let page = |state| dispute::page(&db, "", 10, Some(&id("C")), state, When::ALL).unwrap().len();
    assert_eq!((page(None), page(Some(DisputeState::Open))), (2, 2));
}

#[test]
fn a_dispute_is_decided_once_and_what_was_upheld_is_booked() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    let author = on("2024-03-01");
    for name in ["D1", "D2"] {
        let new = json!({"id": name, "invoice_id": "I", "reason": "price", "minor": 400, "on": "2024-02-10"});
        dispute::open(&db, &read(new), id("made"), &author).unwrap();
    }
    let resolve =
        |name: &str, value: Value| dispute::resolve(&db, &id(name), &read(value), &author);
    let early = json!({"outcome": "rejected", "on": "2024-02-09"});
    assert_eq!(refused(resolve("D1", early)), (Refusal::WrongState, "on".to_string()));
    let late = json!({"outcome": "rejected", "on": "2024-03-02"});
    assert_eq!(refused(resolve("D1", late)), (Refusal::DateInFuture, "on".to_string()));
    let partly = json!({"outcome": "partly-upheld", "upheld_minor": 150, "on": "2024-02-20"});
    assert_eq!(resolve("D1", partly.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve("D1", partly).unwrap(), Change::AlreadySo);
    let other = json!({"outcome": "partly-upheld", "upheld_minor": 151});
    assert_eq!(refused(resolve("D1", other)).0, Refusal::WrongState);
    assert_eq!(flags(&db, "I"), [1, 400]);
    resolve("D2", json!({"outcome": "withdrawn"})).unwrap();
    assert_eq!(flags(&db, "I"), [0, 0]);
    let found = dispute::get(&db, &id("D1")).unwrap();
    assert_eq!((found.state, found.upheld_minor), (DisputeState::Resolved, Some(150)));
    let booked = row(&db, "SELECT count(*), sum(minor), sum(id = 'dispute/D1') FROM adjustment");
    assert_eq!(booked, [1, 150, 1]);
    assert_eq!(refused(resolve("X", json!({"outcome": "upheld"}))).0, Refusal::NotFound);
}

#[test]
fn a_dispute_that_was_decided_wrongly_is_decided_anew_or_opened_again() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    let author = on("2024-03-01");
    let new =
        json!({"id": "D", "invoice_id": "I", "reason": "price", "minor": 400, "on": "2024-02-10"});
    dispute::open(&db, &read(new), id("made"), &author).unwrap();
    let resolve = |value: Value| dispute::resolve(&db, &id("D"), &read(value), &author);
    let open = |on: &str| invoice::get(&db, &id("I"), day(on), i64::MAX).unwrap().open.minor;
    let last = || db.int("SELECT max(key) FROM audit", &[]).unwrap();
    let early = json!({"outcome": "rejected", "replaces": "2024-02-20"});
    assert_eq!(refused(resolve(early)), (Refusal::WrongState, "replaces".to_string()));
    resolve(json!({"outcome": "upheld", "on": "2024-02-20"})).unwrap();
    let first = last();
    assert_eq!((open("2024-02-19"), open("2024-02-20"), open("2024-02-25")), (1000, 600, 600));

    let anew = json!({"outcome": "partly-upheld", "upheld_minor": 150, "on": "2024-02-25", "replaces": "2024-02-20"});
    assert_eq!(
        refused(resolve(json!({"outcome": "rejected", "replaces": "2024-02-19"}))).1,
        "replaces"
    );
    assert_eq!(resolve(anew.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(anew).unwrap(), Change::AlreadySo);
    assert_eq!((open("2024-02-20"), open("2024-02-25")), (1000, 850));
    let known = |known: i64| {
        let when = When { day: day("2024-03-01"), known };
        dispute::then(&db, &id("D"), when).unwrap().upheld_minor
    };
    let second = last();
    assert_eq!((known(first), known(second)), (Some(400), Some(150)));

    let undo = json!({"undo": true, "replaces": "2024-02-25"});
    assert_eq!(resolve(undo.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(undo).unwrap(), Change::AlreadySo);
    assert_eq!((open("2024-02-25"), flags(&db, "I")), (1000, vec![1, 400]));
    let found = dispute::get(&db, &id("D")).unwrap();
    assert_eq!((found.state, found.outcome, found.resolved_on), (DisputeState::Open, None, None));
    assert_eq!((known(first), known(second), known(last())), (Some(400), Some(150), None));
    let before = invoice::get(&db, &id("I"), day("2024-03-01"), first).unwrap();
    assert_eq!((before.open.minor, before.disputed_minor), (600, 0));

    resolve(json!({"outcome": "upheld", "on": "2024-02-28"})).unwrap();
    assert_eq!((open("2024-02-27"), open("2024-02-28")), (1000, 600));
    let broken = verify::books(&db).unwrap();
    assert!(broken.ok, "{broken:?}");
}

#[test]
fn a_default_that_was_closed_by_mistake_is_opened_again() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-01-10", 500);
    let author = on("2024-03-01");
    let rule = json!({"default_rule": {"days": 10}});
    policy::put(&db, &read(rule), &author).unwrap();
    sweep(&db, "2024-03-01");
    let found = default_record::page(&db, "", 9, None, None, When::ALL).unwrap().pop().unwrap();
    let closing = read(json!({"state": "withdrawn", "on": "2024-03-01"}));
    default_record::close(&db, &found.id, &closing, &author).unwrap();
    let known = db.int("SELECT max(key) FROM audit", &[]).unwrap();
    let reopen = |id: &Id, replaces: &str| {
        let new = read(json!({"replaces": replaces, "reason": "of another"}));
        default_record::reopen(&db, id, &new, &author)
    };
    assert_eq!(refused(reopen(&found.id, "2024-02-29")).1, "replaces");
    assert_eq!(reopen(&found.id, "2024-03-01").unwrap(), Change::Replaced);
    assert_eq!(reopen(&found.id, "2024-03-01").unwrap(), Change::AlreadySo);
    assert_eq!(defaults(&db, None), ["C 2024-03-01 500 open - -"]);
    let then =
        default_record::then(&db, &found.id, When { day: day("2024-03-01"), known }).unwrap();
    assert_eq!(then.state, DefaultState::Withdrawn);
    // The rule goes on with it, and cures it when it holds no more.
    sweep(&db, "2024-03-02");
    assert_eq!(defaults(&db, None).len(), 1);
    pay(&db, "P", "C", "2024-03-02", 500);
    sweep(&db, "2024-03-03");
    assert_eq!(defaults(&db, None), ["C 2024-03-01 500 cured 2024-03-03 P"]);
    // What the rule found since stands alone.
    bill(&db, "J", "C", "2024-01-01", "2024-01-10", 70);
    sweep(&db, "2024-03-04");
    assert_eq!(refused(reopen(&found.id, "2024-03-03")), (Refusal::WrongState, "id".to_string()));
    let broken = verify::books(&db).unwrap();
    assert!(broken.ok, "{broken:?}");
}

#[test]
fn what_was_taken_back_does_not_come_again_by_repeating_it() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-01-10", 500);
    let author = on("2024-03-01");
    let new = json!({"id": "D", "invoice_id": "I", "on": "2024-02-01", "reason": "price"});
    dispute::open(&db, &read(new), id("made"), &author).unwrap();
    let new = json!({"id": "F", "customer_id": "C", "found_on": "2024-02-01", "kind": "refused",
        "reason": "late"});
    default_record::add(&db, &read(new), id("made"), &author).unwrap();
    let resolve = |new: serde_json::Value| dispute::resolve(&db, &id("D"), &read(new), &author);
    let close = |new: serde_json::Value| default_record::close(&db, &id("F"), &read(new), &author);
    let reopen =
        |new: serde_json::Value| default_record::reopen(&db, &id("F"), &read(new), &author);

    let first = json!({"outcome": "upheld", "on": "2024-02-10"});
    let undo = json!({"undo": true, "replaces": "2024-02-10"});
    assert_eq!(resolve(first.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(first.clone()).unwrap(), Change::AlreadySo);
    assert_eq!(resolve(undo.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(undo.clone()).unwrap(), Change::AlreadySo);
    let other = json!({"undo": true, "replaces": "2024-02-10", "detail": "of another"});
    assert_eq!(refused(resolve(other)), (Refusal::DifferentContent, "detail".into()));
    for again in [first.clone(), json!({"outcome": "upheld"})] {
        assert_eq!(refused(resolve(again)).0, Refusal::WrongState);
    }
    // Another word or another day is another decision, and what undid the first does not undo it.
    let second = json!({"outcome": "upheld", "on": "2024-02-10", "detail": "after all"});
    assert_eq!(resolve(second).unwrap(), Change::Replaced);
    assert_eq!(refused(resolve(undo)).0, Refusal::WrongState);
    assert_eq!(refused(resolve(first)).0, Refusal::WrongState);

    let first = json!({"state": "cured", "on": "2024-02-10", "reason": "paid"});
    let undo = json!({"replaces": "2024-02-10", "reason": "of another"});
    assert_eq!(close(first.clone()).unwrap(), Change::Replaced);
    assert_eq!(close(first.clone()).unwrap(), Change::AlreadySo);
    let other = json!({"state": "cured", "on": "2024-02-10", "reason": "promised"});
    assert_eq!(refused(close(other.clone())), (Refusal::DifferentContent, "reason".into()));
    assert_eq!(reopen(undo.clone()).unwrap(), Change::Replaced);
    assert_eq!(reopen(undo.clone()).unwrap(), Change::AlreadySo);
    let why = json!({"replaces": "2024-02-10", "reason": "by mistake"});
    assert_eq!(refused(reopen(why)), (Refusal::DifferentContent, "reason".into()));
    assert_eq!(refused(close(first.clone())).0, Refusal::WrongState);
    assert_eq!(close(other).unwrap(), Change::Replaced);
    assert_eq!(refused(reopen(undo)), (Refusal::WrongState, "replaces".into()));
    let broken = verify::books(&db).unwrap();
    assert!(broken.ok, "{broken:?}");
}

#[test]
fn what_is_recorded_as_contested_is_contested_as_a_whole() {
    let (_folder, db) = db();
    customer(&db, "C");
    let long = "x".repeat(64);
    let invoices = [("I1", true), ("I2", false), (long.as_str(), true)];
    for (name, disputed) in invoices {
        let new = read(json!({
            "id": name, "customer_id": "C", "issued_on": "2024-01-01", "amount": eur(100), "disputed": disputed,
        }));
        let add = || invoice::add(&db, &new, id("made"), &on("2024-01-01")).unwrap().1;
        assert_eq!((add(), add()), (Change::Made, Change::AlreadySo));
    }
    let found = dispute::page(&db, "", 10, None, None, When::ALL).unwrap();
    let ids: Vec<(&str, &str)> =
        found.iter().map(|of| (of.id.as_str(), of.invoice_id.as_str())).collect();
    let key = format!("whole/{:058}", 3);
    assert_eq!(ids, [(key.as_str(), long.as_str()), ("whole/I1", "I1")]);
    assert_eq!((flags(&db, "I1"), flags(&db, "I2")), (vec![1, 100], vec![0, 0]));
    let resolution = read(json!({"outcome": "rejected"}));
    dispute::resolve(&db, &id("whole/I1"), &resolution, &on("2024-01-05")).unwrap();
    assert_eq!(flags(&db, "I1"), [0, 0]);
}

#[test]
fn a_document_with_instalments_is_contested_from_the_first_of_them_on() {
    let (_folder, db) = db();
    customer(&db, "C");
    let author = on("2024-06-01");
    let part = |due: &str, minor: i64| json!({"due_on": due, "minor": minor});
    let invoice = |name: &str, disputed: bool| {
        let parts =
            json!([part("2024-02-01", 300), part("2024-03-01", 500), part("2024-04-01", 200)]);
        let new = json!({"id": name, "customer_id": "C", "issued_on": "2024-01-01", "amount": eur(1000),
            "instalments": parts, "disputed": disputed});
        invoice::add(&db, &read(new), id("made"), &author).unwrap();
    };
    invoice("I", false);
    invoice("Y", true);
    let contest = |new: Value| dispute::open(&db, &read(new), id("made"), &author);
    let resolve = |name: &str, end: Value| dispute::resolve(&db, &id(name), &read(end), &author);
    let held = |name: &str| -> Vec<i64> {
        (1..4).map(|part| flags(&db, &format!("{name}#{part}"))[1]).collect()
    };
    let parts = |name: &str| -> Vec<(String, i64, Option<i64>)> {
        let found = dispute::get(&db, &id(name)).unwrap().parts.unwrap();
        found.into_iter().map(|of| (of.invoice_id, of.minor, of.upheld_minor)).collect()
    };
    let of = |part: &str, minor, upheld| (part.to_string(), minor, upheld);
    // What is paid is nobody's to contest.
    pay(&db, "P", "C", "2024-01-15", 100);
    contest(json!({"id": "D0", "invoice_id": "I#2", "reason": "price", "minor": 450})).unwrap();
    contest(
        json!({"id": "D1", "invoice_id": "I", "reason": "price", "minor": 240, "on": "2024-05-01"}),
    )
    .unwrap();
    assert_eq!((held("I"), flags(&db, "I")), (vec![200, 490, 0], vec![1, 0]));
    assert_eq!(parts("D1"), [of("I#1", 200, None), of("I#2", 40, None)]);
    let then = |day: &str| invoice::get(&db, &id("I"), day.parse().unwrap(), i64::MAX).unwrap();
    assert_eq!((then("2024-05-01").disputed_minor, then("2024-06-01").disputed_minor), (240, 690));
    assert!(!then("2024-04-30").disputed);
    // The same again, more than is left, and names that are taken.
    let again = json!({"id": "D1", "invoice_id": "I", "reason": "price", "minor": 240});
    assert_eq!(contest(again).unwrap().1, Change::AlreadySo);
    let more = json!({"invoice_id": "I", "reason": "price", "minor": 211});
    assert_eq!(refused(contest(more)).0, Refusal::MoreThanOpen);
    contest(json!({"id": "D2#3", "invoice_id": "I#3", "reason": "price", "minor": 1})).unwrap();
    let taken = json!({"id": "D2", "invoice_id": "I", "reason": "price"});
    assert_eq!(refused(contest(taken)), (Refusal::DifferentContent, "id".to_string()));
    // A part is not resolved by itself.
    assert_eq!(dispute::get(&db, &id("D1#2")).unwrap().part_of, Some(id("D1")));
    assert_eq!(refused(resolve("D1#2", json!({"outcome": "rejected"}))).0, Refusal::WrongState);
    // The debtor was right about the first, and about a little of the second.
    resolve("D1", json!({"outcome": "partly-upheld", "upheld_minor": 210, "on": "2024-05-10"}))
        .unwrap();
    assert_eq!(parts("D1"), [of("I#1", 200, Some(200)), of("I#2", 40, Some(10))]);
    let open = |of: &dunlin_domain::contract::types::Invoice| -> Vec<i64> {
        of.instalments.iter().flatten().map(|part| part.open_minor).collect()
    };
    assert_eq!(open(&then("2024-05-09")), [200, 500, 200]);
    assert_eq!(open(&then("2024-05-10")), [0, 490, 200]);
    assert_eq!(held("I"), [0, 450, 1]);
    let listed = dispute::page(&db, "", 10, None, None, When::ALL).unwrap();
    let ids: Vec<&str> = listed.iter().map(|of| of.id.as_str()).collect();
    assert_eq!(ids, ["D0", "D1", "D2#3", "whole/Y"]);
    // One that was recorded as contested is one dispute too.
    assert_eq!(listed[3].amount.minor, 1000);
    assert_eq!(
        parts("whole/Y"),
        [of("Y#1", 300, None), of("Y#2", 500, None), of("Y#3", 200, None)]
    );
    assert_eq!(held("Y"), [300, 500, 200]);
    resolve("whole/Y", json!({"outcome": "rejected"})).unwrap();
    assert_eq!((held("Y"), flags(&db, "Y")), (vec![0, 0, 0], vec![0, 0]));
    let books = dunlin_app::verify::books(&db).unwrap();
    assert!(books.ok, "{books:?}");
}

fn defaults(db: &NativeDb, of: Option<&str>) -> Vec<String> {
    default_record::page(db, "", 50, of.map(id).as_ref(), None, When::ALL)
        .unwrap()
        .iter()
        .map(|found| {
            let closed = found.closed_on.map_or("-".to_string(), |on| on.to_string());
            let cured_by = found.cured_by.as_ref().map_or("-", Id::as_str);
            let amount = found.amount.map_or(0, |amount| amount.minor);
            format!(
                "{} {} {amount} {} {closed} {cured_by}",
                found.customer_id, found.found_on, found.state
            )
        })
        .collect()
}

#[test]
fn the_rule_opens_a_default_once_and_cures_it() {
    let (_folder, db) = db();
    for name in ["C", "Small"] {
        customer(&db, name);
    }
    bill(&db, "I1", "C", "2024-01-01", "2024-01-31", 700);
    bill(&db, "I2", "C", "2024-01-01", "2024-02-20", 300);
    bill(&db, "S1", "Small", "2024-01-01", "2024-01-01", 999);
    let rule = json!({"days": 30, "at_least": [eur(1000)]});
    policy::put(&db, &read(json!({"grace_days": 5, "default_rule": rule})), &on("2024-01-01"))
        .unwrap();
    sweep(&db, "2024-03-05");
    assert_eq!(defaults(&db, None), [""; 0], "29 delinquent days");
    sweep(&db, "2024-03-06");
    let open = ["C 2024-03-06 1000 open - -"];
    assert_eq!(defaults(&db, None), open);
    let found = default_record::page(&db, "", 1, None, None, When::ALL).unwrap().remove(0);
    assert_eq!(
        (found.by_rule, found.invoice_id, found.kind),
        (true, Some(id("I1")), DefaultKind::LatePayment)
    );
    sweep(&db, "2024-03-06");
    sweep(&db, "2024-03-07");
    assert_eq!(defaults(&db, None), open, "the same again");
    pay(&db, "P1", "C", "2024-03-08", 700);
    sweep(&db, "2024-03-09");
    assert_eq!(defaults(&db, None), ["C 2024-03-06 1000 cured 2024-03-09 P1"]);
    // Late again: a default of its own.
    bill(&db, "I3", "C", "2024-03-01", "2024-03-20", 900);
    sweep(&db, "2024-04-30");
    let all = defaults(&db, Some("C"));
    assert_eq!(all.len(), 2);
    assert!(all.contains(&"C 2024-04-30 1200 open - -".to_string()), "{all:?}");
}

fn give_up(db: &NativeDb, name: &str, of: &str, when: &str, minor: Option<i64>) {
    let new = json!({"id": name, "invoice_id": of, "on": when, "minor": minor, "reason": "gone"});
    write_off::add(db, &read(new), id("made"), &on(when)).unwrap();
}

#[test]
fn giving_up_a_debt_cures_no_default() {
    let (_folder, db) = db();
    let rule = json!({"days": 30, "at_least": [eur(500)]});
    policy::put(&db, &read(json!({"default_rule": rule})), &on("2024-01-01")).unwrap();
    let all = ["Gone", "Part", "Recovered", "Reversed", "Closed", "Credited", "Late"];
    for name in all {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 1000);
    }
    // Given up before it was late for long enough: nothing is opened over it.
    give_up(&db, "W-Late", "I-Late", "2024-02-20", None);
    sweep(&db, "2024-03-01");
    let state = |name: &str| {
        let found = defaults(&db, Some(name));
        found.iter().map(|of| of.split(' ').nth(3).unwrap().to_string()).collect::<Vec<_>>()
    };
    for name in &all[..6] {
        assert_eq!(state(name), ["open"], "{name}");
    }
    assert_eq!(state("Late"), [""; 0]);
    for (name, minor) in
        [("Gone", 1000), ("Part", 600), ("Recovered", 1000), ("Reversed", 1000), ("Closed", 1000)]
    {
        give_up(&db, &format!("W-{name}"), &format!("I-{name}"), "2024-03-02", Some(minor));
    }
    let credit = json!({"id": "N", "customer_id": "Credited", "kind": "credit-note",
        "issued_on": "2024-03-02", "amount": eur(1000)});
    invoice::add(&db, &read(credit), id("made"), &on("2024-03-02")).unwrap();
    // What is not given up is paid, and only half is left of the whole.
    pay(&db, "P-Part", "Part", "2024-03-02", 400);
    sweep(&db, "2024-03-02");
    for name in &all[..5] {
        assert_eq!(state(name), ["open"], "{name} is given up");
    }
    assert_eq!(state("Credited"), ["cured"]);
    assert_eq!(state("Late"), [""; 0]);
    let named = |name: &str, of: &str, when: &str, minor: i64| {
        let new = json!({"id": name, "customer_id": of, "received_on": when, "amount": eur(minor),
            "invoice_id": format!("I-{of}")});
        payment::add(&db, &read(new), id("made"), &on(when)).unwrap();
    };
    // 600 less 100 is what the rule says; 600 less 101 is not.
    named("P1", "Part", "2024-03-03", 100);
    named("P2", "Recovered", "2024-03-03", 501);
    let back = read(json!({"on": "2024-03-03", "reason": "by mistake"}));
    write_off::reverse(&db, &id("W-Reversed"), &back, &on("2024-03-03")).unwrap();
    let closed = default_record::page(&db, "", 9, Some(&id("Closed")), None, When::ALL).unwrap();
    let closing = read(json!({"state": "cured", "on": "2024-03-03", "reason": "we let go"}));
    default_record::close(&db, &closed[0].id, &closing, &on("2024-03-03")).unwrap();
    for date in ["2024-03-03", "2024-03-04"] {
        sweep(&db, date);
        for (name, wanted) in [
            ("Gone", "open"),
            ("Part", "open"),
            ("Recovered", "cured"),
            ("Reversed", "open"),
            ("Closed", "cured"),
        ] {
            assert_eq!(state(name), [wanted], "{name} on {date}");
        }
    }
    named("P3", "Part", "2024-03-05", 1);
    pay(&db, "P4", "Reversed", "2024-03-05", 1000);
    sweep(&db, "2024-03-05");
    assert_eq!((state("Part"), state("Reversed")), (vec!["cured".into()], vec!["cured".into()]));
    assert_eq!(state("Gone"), ["open"]);
}

#[test]
fn giving_up_a_debt_betters_no_class() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2023-01-01", "2023-01-31", 1000);
    let new = read(json!({"classification": {"preset": "prc-five-class"}}));
    policy::put(&db, &new, &on("2024-05-01")).unwrap();
    give_up(&db, "W", "I", "2024-05-31", None);
    let class = |on: &str| {
        let found = delinquency::class(&db, &id("C"), day(on)).unwrap();
        (found.class.unwrap(), found.days_past_due)
    };
    assert_eq!(class("2024-05-30"), ("loss".into(), 485));
    assert_eq!(class("2024-05-31"), ("loss".into(), 0));
    assert_eq!(class("2024-12-01"), ("loss".into(), 0));
    let because = delinquency::class(&db, &id("C"), day("2024-12-01")).unwrap().because;
    assert!(because.contains("what was given up is not recovered"), "{because}");
    let new = json!({"id": "P", "customer_id": "C", "received_on": "2024-12-10",
        "amount": eur(1000), "invoice_id": "I"});
    payment::add(&db, &read(new), id("made"), &on("2024-12-10")).unwrap();
    assert_eq!(class("2025-06-09"), ("loss".into(), 0));
    assert_eq!(class("2025-06-10"), ("normal".into(), 0));
}

#[test]
fn what_is_paused_contested_or_withdrawn_is_no_default() {
    let (_folder, db) = db();
    for name in ["Paused", "Contested", "Withdrawn"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-01", 100);
    }
    let author = on("2024-01-15");
    policy::put(&db, &read(json!({"default_rule": {"days": 30}})), &author).unwrap();
    let paused = json!({"customer_id": "Paused", "from": "2024-01-10", "to": "2024-01-20"});
    pause::add(&db, &read(paused), id("pause"), &author).unwrap();
    let contested = json!({"id": "D", "invoice_id": "I-Contested", "reason": "quality"});
    dispute::open(&db, &read(contested), id("made"), &author).unwrap();
    sweep(&db, "2024-02-05");
    assert_eq!(defaults(&db, None), ["Withdrawn 2024-02-05 100 open - -"]);
    let found = default_record::page(&db, "", 1, None, None, When::ALL).unwrap().remove(0);
    let closing = read(json!({"state": "withdrawn"}));
    default_record::close(&db, &found.id, &closing, &on("2024-02-06")).unwrap();
    sweep(&db, "2024-02-09");
    assert_eq!(defaults(&db, None), ["Withdrawn 2024-02-05 100 withdrawn 2024-02-06 -"]);
    sweep(&db, "2024-02-10");
    let mut all = defaults(&db, None);
    all.sort();
    assert_eq!(
        all,
        ["Paused 2024-02-10 100 open - -", "Withdrawn 2024-02-05 100 withdrawn 2024-02-06 -"]
    );
    let rejected = read(json!({"outcome": "rejected"}));
    dispute::resolve(&db, &id("D"), &rejected, &on("2024-02-10")).unwrap();
    sweep(&db, "2024-02-11");
    assert_eq!(defaults(&db, Some("Contested")), ["Contested 2024-02-11 100 open - -"]);
}

#[test]
fn one_member_of_a_group_takes_the_others_along() {
    let (_folder, db) = db();
    for name in ["Branch", "Head", "Sister", "Alone"] {
        customer(&db, name);
    }
    db.execute(
        "UPDATE customer SET parent_key = (SELECT key FROM customer WHERE id = 'Head')
         WHERE id IN ('Branch', 'Sister')",
        &[],
    )
    .unwrap();
    bill(&db, "H", "Head", "2024-01-01", "2024-12-31", 50);
    bill(&db, "S", "Sister", "2024-01-01", "2024-01-01", 100);
    bill(&db, "A", "Alone", "2024-01-01", "2024-12-31", 70);
    policy::put(
        &db,
        &read(json!({"default_rule": {"days": 30, "cross_default": true}})),
        &on("2024-01-15"),
    )
    .unwrap();
    sweep(&db, "2024-01-31");
    let sorted = || {
        let mut all = defaults(&db, None);
        all.sort();
        all
    };
    assert_eq!(sorted(), ["Head 2024-01-31 50 open - -", "Sister 2024-01-31 100 open - -"]);
    bill(&db, "B", "Branch", "2024-01-30", "2024-12-31", 30);
    sweep(&db, "2024-02-01");
    assert_eq!(sorted().len(), 3, "who owes later comes later");
    pay(&db, "P", "Sister", "2024-02-02", 100);
    sweep(&db, "2024-02-02");
    assert_eq!(
        sorted(),
        [
            "Branch 2024-02-01 30 cured 2024-02-02 -",
            "Head 2024-01-31 50 cured 2024-02-02 -",
            "Sister 2024-01-31 100 cured 2024-02-02 P"
        ]
    );
}

/// The state of each of a customer's defaults, by the day on which it was found.
fn states(db: &NativeDb, of: &str) -> Vec<String> {
    let mut all = defaults(db, Some(of));
    all.sort();
    all.iter().map(|found| found.split(' ').nth(3).unwrap().to_string()).collect()
}

fn close_open(db: &NativeDb, of: &str, how: &str, when: &str) {
    let state = Some(DefaultState::Open);
    let open = default_record::page(db, "", 9, Some(&id(of)), state, When::ALL).unwrap();
    let closing = read(json!({"state": how, "on": when}));
    default_record::close(db, &open[0].id, &closing, &on(when)).unwrap();
}

fn charge_back(db: &NativeDb, name: &str, when: &str) {
    let new = read(json!({"kind": "chargeback", "on": when, "reason": "no money"}));
    payment::reverse(db, &id(name), &new, id(&format!("R-{name}")), &on(when)).unwrap();
}

fn join(db: &NativeDb, name: &str, head: Option<&str>, when: &str) {
    let new = read(json!({"name": name, "parent_id": head}));
    customer::put(db, &id(name), &new, &on(when)).unwrap();
}

fn rule(db: &NativeDb, cross: bool) {
    let new = json!({"default_rule": {"days": 30, "cross_default": cross}});
    policy::put(db, &read(new), &on("2024-01-01")).unwrap();
}

fn books_hold(db: &NativeDb) {
    let books = verify::books(db).unwrap();
    assert!(books.ok, "{books:?}");
}

#[test]
fn what_a_merge_withdraws_silences_nothing() {
    let (_folder, db) = db();
    rule(&db, false);
    for name in ["X", "Y", "Z", "Control"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 100);
    }
    sweep(&db, "2024-03-01");
    // Merged, and merged again.
    customer::merge(&db, &id("Y"), &id("X"), &on("2024-03-02")).unwrap();
    customer::merge(&db, &id("X"), &id("Z"), &on("2024-03-02")).unwrap();
    pay(&db, "P", "Z", "2024-03-03", 300);
    pay(&db, "P-Control", "Control", "2024-03-03", 100);
    sweep(&db, "2024-03-03");
    assert_eq!(states(&db, "Z"), ["cured", "withdrawn", "withdrawn"]);
    charge_back(&db, "P", "2024-03-04");
    charge_back(&db, "P-Control", "2024-03-04");
    sweep(&db, "2024-03-04");
    assert_eq!(states(&db, "Control"), ["cured", "open"]);
    assert_eq!(states(&db, "Z"), ["cured", "withdrawn", "withdrawn", "open"]);
    books_hold(&db);
}

#[test]
fn a_withdrawal_is_about_what_was_late_then_and_no_other_arrears() {
    let (_folder, db) = db();
    rule(&db, false);
    for name in ["C", "Other"] {
        customer(&db, name);
    }
    bill(&db, "I1", "C", "2024-01-01", "2024-01-31", 10);
    bill(&db, "I-Other", "Other", "2024-01-01", "2024-01-31", 70);
    sweep(&db, "2024-03-01");
    close_open(&db, "C", "withdrawn", "2024-03-02");
    sweep(&db, "2024-03-03");
    assert_eq!(states(&db, "C"), ["withdrawn"]);
    bill(&db, "I2", "C", "2024-02-20", "2024-03-01", 9_000);
    sweep(&db, "2024-03-30");
    assert_eq!(states(&db, "C"), ["withdrawn"], "29 days");
    sweep(&db, "2024-03-31");
    assert_eq!(
        defaults(&db, Some("C")).iter().max().unwrap(),
        "C 2024-03-31 9000 open - -",
        "what was taken back is in no amount"
    );
    // It is over when what it is about is paid.
    let new = read(json!({"id": "P2", "customer_id": "C", "received_on": "2024-04-01",
        "amount": eur(9_000), "invoice_id": "I2"}));
    payment::add(&db, &new, id("made"), &on("2024-04-01")).unwrap();
    sweep(&db, "2024-04-01");
    assert_eq!(states(&db, "C"), ["withdrawn", "cured"]);
    // Of a merge the arrears of the other are not taken back.
    customer::merge(&db, &id("C"), &id("Other"), &on("2024-04-02")).unwrap();
    sweep(&db, "2024-04-02");
    assert_eq!(states(&db, "Other"), ["withdrawn", "open", "cured"]);
    let new = read(json!({"id": "P3", "customer_id": "Other", "received_on": "2024-04-03",
        "amount": eur(70), "invoice_id": "I-Other"}));
    payment::add(&db, &new, id("made"), &on("2024-04-03")).unwrap();
    sweep(&db, "2024-04-03");
    assert_eq!(states(&db, "Other"), ["withdrawn", "cured", "cured"]);
    charge_back(&db, "P3", "2024-04-04");
    sweep(&db, "2024-04-04");
    assert_eq!(states(&db, "Other"), ["withdrawn", "cured", "cured", "open"]);
    books_hold(&db);
}

#[test]
fn a_debt_that_was_withdrawn_paid_and_charged_back_is_a_default_anew() {
    let (_folder, db) = db();
    rule(&db, false);
    for name in ["Paid", "Part", "GivenUp", "Reopened"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 100);
    }
    sweep(&db, "2024-03-01");
    for name in ["Paid", "Part", "GivenUp", "Reopened"] {
        close_open(&db, name, "withdrawn", "2024-03-02");
    }
    pay(&db, "P-Paid", "Paid", "2024-03-03", 100);
    pay(&db, "P-Part", "Part", "2024-03-03", 99);
    give_up(&db, "W", "I-GivenUp", "2024-03-03", None);
    let found = default_record::page(&db, "", 9, Some(&id("Reopened")), None, When::ALL).unwrap();
    let again = read(json!({"replaces": "2024-03-02", "reason": "It was right."}));
    default_record::reopen(&db, &found[0].id, &again, &on("2024-03-03")).unwrap();
    sweep(&db, "2024-03-04");
    charge_back(&db, "P-Paid", "2024-03-05");
    charge_back(&db, "P-Part", "2024-03-05");
    let back = read(json!({"on": "2024-03-05", "reason": "by mistake"}));
    write_off::reverse(&db, &id("W"), &back, &on("2024-03-05")).unwrap();
    for date in ["2024-03-05", "2024-03-06"] {
        sweep(&db, date);
        assert_eq!(states(&db, "Paid"), ["withdrawn", "open"]);
        assert_eq!(states(&db, "Part"), ["withdrawn"], "the same arrears all along");
        assert_eq!(states(&db, "GivenUp"), ["withdrawn"], "giving up pays nothing");
        assert_eq!(states(&db, "Reopened"), ["open"]);
    }
    books_hold(&db);
}

/// A group of a head in default by itself and of members that are so with it.
fn group(db: &NativeDb, members: &[&str]) {
    rule(db, true);
    customer(db, "H");
    bill(db, "I-H", "H", "2024-01-01", "2024-01-31", 100);
    for name in members {
        customer(db, name);
        join(db, name, Some("H"), "2024-01-01");
        bill(db, &format!("I-{name}"), name, "2024-01-01", "2024-12-31", 50);
    }
    sweep(db, "2024-03-01");
    assert_eq!(states(db, "H"), ["open"]);
    members.iter().for_each(|name| assert_eq!(states(db, name), ["open"]));
}

#[test]
fn a_cross_default_goes_with_the_default_that_it_rests_on() {
    let (_folder, db) = db();
    group(&db, &["M"]);
    close_open(&db, "H", "withdrawn", "2024-03-02");
    customer(&db, "N");
    join(&db, "N", Some("H"), "2024-03-02");
    bill(&db, "I-N", "N", "2024-01-01", "2024-12-31", 50);
    for date in ["2024-03-02", "2024-03-03"] {
        sweep(&db, date);
        assert_eq!(states(&db, "H"), ["withdrawn"]);
        assert_eq!(defaults(&db, Some("M")), ["M 2024-03-01 50 withdrawn 2024-03-02 -"]);
        assert_eq!(states(&db, "N"), [""; 0], "nothing opens on it");
    }
    books_hold(&db);
    let told = |action: &str| {
        let sql = format!(
            "SELECT change FROM audit WHERE noun = 'default_record' AND action = '{action}'
             ORDER BY key DESC LIMIT 1"
        );
        let row = db.first(&sql, &[]).unwrap().unwrap();
        serde_json::from_str::<Value>(row.text(0).unwrap()).unwrap()["after"].clone()
    };
    let judged = told("judge");
    assert_eq!(judged["cured"], json!([]));
    let of = |name: &str| {
        default_record::page(&db, "", 9, Some(&id(name)), None, When::ALL).unwrap().remove(0).id
    };
    assert_eq!(judged["withdrawn"], json!([of("M")]));
    assert_eq!(judged["withdrawn_with"], json!([of("H")]));
    // Paid and charged back, the head is in default anew, and all with it.
    pay(&db, "P", "H", "2024-03-04", 100);
    sweep(&db, "2024-03-04");
    charge_back(&db, "P", "2024-03-05");
    sweep(&db, "2024-03-05");
    for (name, wanted) in [("H", 2), ("M", 2), ("N", 1)] {
        assert_eq!(states(&db, name).len(), wanted, "{name}");
        assert_eq!(states(&db, name).last().unwrap(), "open", "{name}");
    }
    // What it rests on is cured by its money; by whose money the others are is not theirs to say.
    pay(&db, "Q", "H", "2024-03-06", 100);
    sweep(&db, "2024-03-06");
    assert_eq!(defaults(&db, Some("N")), ["N 2024-03-05 50 cured 2024-03-06 -"]);
    books_hold(&db);
}

#[test]
fn a_cross_default_that_was_withdrawn_opens_on_no_default_that_was_there_then() {
    let (_folder, db) = db();
    group(&db, &["M", "N"]);
    close_open(&db, "M", "withdrawn", "2024-03-02");
    bill(&db, "I-N2", "N", "2024-01-01", "2024-02-02", 50);
    sweep(&db, "2024-03-02");
    assert_eq!(
        (states(&db, "M"), states(&db, "N")),
        (vec!["withdrawn".into()], vec!["open".into()])
    );
    // The member is in default by itself too; what rested on the head goes with the head's, and what holds is said.
    sweep(&db, "2024-03-03");
    close_open(&db, "H", "withdrawn", "2024-03-04");
    sweep(&db, "2024-03-04");
    assert_eq!(states(&db, "N"), ["withdrawn", "open"]);
    let all = default_record::page(&db, "", 9, Some(&id("N")), None, When::ALL).unwrap();
    let own = all.iter().find(|of| of.state == DefaultState::Open).unwrap();
    assert_eq!(own.invoice_id, Some(id("I-N2")));
    for name in ["H", "M"] {
        assert_eq!(
            states(&db, name),
            ["withdrawn", "open"],
            "{name} with N, whose default is another"
        );
    }
    books_hold(&db);
}

#[test]
fn a_cross_default_follows_the_group() {
    let (_folder, db) = db();
    group(&db, &["M", "Leaves"]);
    for name in ["G", "New"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 70);
    }
    sweep(&db, "2024-03-02");
    // One leaves, and one is in another group whose head is in default as well.
    join(&db, "Leaves", None, "2024-03-03");
    join(&db, "M", Some("G"), "2024-03-03");
    sweep(&db, "2024-03-03");
    assert_eq!(
        (states(&db, "Leaves"), states(&db, "M")),
        (vec!["cured".into()], vec!["open".into()])
    );
    // What the old head was withdrawn for is nothing to it now.
    close_open(&db, "H", "withdrawn", "2024-03-04");
    sweep(&db, "2024-03-04");
    assert_eq!(states(&db, "M"), ["open"]);
    // The head is merged: what it rested on is withdrawn by that, and the survivor's stays.
    customer::merge(&db, &id("G"), &id("New"), &on("2024-03-05")).unwrap();
    sweep(&db, "2024-03-05");
    assert_eq!(
        (states(&db, "New"), states(&db, "M")),
        (vec!["open".into(), "withdrawn".into()], vec!["open".into()])
    );
    close_open(&db, "New", "withdrawn", "2024-03-06");
    sweep(&db, "2024-03-06");
    assert_eq!(states(&db, "M"), ["withdrawn"]);
    books_hold(&db);
}

/// The head's own default is withdrawn by the merge, and what rested on it rests on the survivor's, swept in between or not.
#[test]
fn a_cross_default_follows_a_head_that_is_merged_into_a_member() {
    for swept in [true, false] {
        let (_folder, db) = db();
        group(&db, &["M", "N"]);
        customer::merge(&db, &id("H"), &id("M"), &on("2024-03-02")).unwrap();
        if swept {
            sweep(&db, "2024-03-02");
        }
        assert_eq!(states(&db, "M"), ["withdrawn", "open"]);
        assert_eq!(states(&db, "N"), ["open"], "{swept}");
        close_open(&db, "M", "withdrawn", "2024-03-03");
        sweep(&db, "2024-03-03");
        assert_eq!(states(&db, "M"), ["withdrawn", "withdrawn"], "{swept}");
        assert_eq!(states(&db, "N"), ["withdrawn"], "{swept}");
        books_hold(&db);
    }
}

#[test]
fn what_cured_a_default_is_money_that_came_to_what_was_overdue() {
    let (_folder, db) = db();
    rule(&db, false);
    let pays = |name: &str, of: &str, when: &str, invoice: Option<&str>, minor: i64| {
        let new = json!({"id": name, "customer_id": of, "received_on": when, "amount": eur(minor),
            "invoice_id": invoice});
        payment::add(&db, &read(new), id("made"), &on("2024-03-02")).unwrap();
    };
    let credit = |of: &str, invoice: &str, issued: &str| {
        let new = json!({"id": format!("N-{of}"), "customer_id": of, "kind": "credit-note",
            "relates_to": invoice, "issued_on": issued, "amount": eur(1000)});
        invoice::add(&db, &read(new), id("made"), &on("2024-03-02")).unwrap();
    };
    for name in ["Credit", "Moved", "Ahead", "Late", "Back"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 1000);
        bill(&db, &format!("J-{name}"), name, "2024-01-02", "2024-03-20", 1000);
    }
    bill(&db, "K-Moved", "Moved", "2024-01-02", "2024-02-29", 400);
    pay(&db, "P-Credit", "Credit", "2024-02-05", 400);
    pay(&db, "P-Moved", "Moved", "2024-02-05", 400);
    sweep(&db, "2024-03-01");
    // The credit is older than the money, which moves on to what is not due, or is due as well.
    credit("Credit", "I-Credit", "2024-02-01");
    credit("Moved", "I-Moved", "2024-02-01");
    // Money for what is not due yet cures nothing either; money that was recorded late does.
    credit("Ahead", "I-Ahead", "2024-03-02");
    pays("P-Ahead", "Ahead", "2024-03-02", Some("J-Ahead"), 300);
    pays("P-Late", "Late", "2024-01-30", None, 1000);
    pays("P-Back", "Back", "2024-03-02", Some("I-Back"), 1000);
    charge_back(&db, "P-Back", "2024-03-02");
    credit("Back", "I-Back", "2024-03-02");
    sweep(&db, "2024-03-02");
    for (name, cured_by) in
        [("Credit", "-"), ("Moved", "-"), ("Ahead", "-"), ("Late", "P-Late"), ("Back", "-")]
    {
        let found = defaults(&db, Some(name)).remove(0);
        assert!(found.ends_with(&format!("cured 2024-03-02 {cured_by}")), "{found}");
    }
}

#[test]
fn a_cross_default_is_cured_by_money_that_leaves_nothing_owed() {
    let (_folder, db) = db();
    group(&db, &["M", "N"]);
    pay(&db, "P-M", "M", "2024-03-02", 50);
    pay(&db, "P-N", "N", "2024-03-02", 20);
    sweep(&db, "2024-03-02");
    assert_eq!(defaults(&db, Some("M")), ["M 2024-03-01 50 cured 2024-03-02 P-M"]);
    pay(&db, "P-H", "H", "2024-03-03", 100);
    sweep(&db, "2024-03-03");
    assert_eq!(defaults(&db, Some("N")), ["N 2024-03-01 50 cured 2024-03-03 -"]);
}

#[test]
fn a_default_is_written_by_hand_and_closed_once() {
    let (_folder, db) = db();
    customer(&db, "C");
    customer(&db, "Other");
    bill(&db, "I", "C", "2024-01-01", "2024-01-31", 700);
    pay(&db, "P", "C", "2024-02-20", 700);
    pay(&db, "Q", "Other", "2024-02-20", 1);
    let author = on("2024-03-01");
    let add = |value: Value| default_record::add(&db, &read(value), id("made"), &author);
    let with = |field: &str, value: Value| {
        let mut new = json!({"id": "D", "customer_id": "C", "kind": "refused", "reason": "Says no.",
            "found_on": "2024-02-01", "invoice_id": "I", "amount": eur(700)});
        new[field] = value;
        new
    };
    assert_eq!(add(with("id", "D".into())).unwrap().1, Change::Made);
    assert_eq!(add(with("id", "D".into())).unwrap().1, Change::AlreadySo);
    for (field, value, code) in [
        ("kind", json!("broken-plan"), Refusal::DifferentContent),
        ("customer_id", json!("Other"), Refusal::DifferentContent),
        ("reason", json!(""), Refusal::MissingField),
        ("amount", eur(0), Refusal::AmountNotPositive),
    ] {
        assert_eq!(refused(add(with(field, value))), (code, field.to_string()));
    }
    for (field, value, code) in [
        ("customer_id", json!("X"), Refusal::UnknownCustomer),
        ("contract_id", json!("X"), Refusal::UnknownContract),
        ("invoice_id", json!("X"), Refusal::UnknownInvoice),
        ("found_on", json!("2024-03-02"), Refusal::DateInFuture),
    ] {
        let mut new = with(field, value);
        new["id"] = json!("new");
        assert_eq!(refused(add(new)), (code, field.to_string()));
    }
    // What is named says in which currency and from when.
    for (field, value, code) in [
        ("amount", json!({"minor": 5, "currency": "JPY"}), Refusal::CurrencyMismatch),
        ("amount", eur(100_000), Refusal::MoreThanOpen),
        ("found_on", json!("2023-12-31"), Refusal::DateOutOfRange),
    ] {
        let mut new = with(field, value);
        new["id"] = json!("new");
        assert_eq!(refused(add(new)), (code, field.to_string()));
    }
    let mut of_another = with("customer_id", json!("Other"));
    of_another["id"] = json!("new");
    assert_eq!(refused(add(of_another)).0, Refusal::InvoiceOfAnotherCustomer);
    let close = |value: Value| default_record::close(&db, &id("D"), &read(value), &author);
    let stranger = json!({"state": "cured", "payment_id": "Q"});
    assert_eq!(refused(close(stranger)), (Refusal::UnknownPayment, "payment_id".to_string()));
    let early = json!({"state": "cured", "on": "2024-01-31"});
    assert_eq!(refused(close(early)), (Refusal::WrongState, "on".to_string()));
    let before = json!({"state": "cured", "on": "2024-02-19", "payment_id": "P"});
    assert_eq!(refused(close(before)), (Refusal::DateOutOfRange, "on".to_string()));
    let cured = json!({"state": "cured", "on": "2024-02-20", "payment_id": "P"});
    assert_eq!(close(cured.clone()).unwrap(), Change::Replaced);
    assert_eq!(close(cured).unwrap(), Change::AlreadySo);
    assert_eq!(refused(close(json!({"state": "withdrawn"}))).0, Refusal::WrongState);
    assert_eq!(defaults(&db, None), ["C 2024-02-01 700 cured 2024-02-20 P"]);
    // Nothing by hand is touched by the rule.
    policy::put(&db, &read(json!({"default_rule": {"days": 1}})), &author).unwrap();
    sweep(&db, "2024-03-01");
    assert_eq!(defaults(&db, None).len(), 1);
}

#[test]
fn a_class_becomes_better_after_half_a_year() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-01-10", 500);
    pay(&db, "P", "C", "2024-04-20", 500);
    let class = |on: &str| delinquency::class(&db, &id("C"), day(on)).unwrap();
    assert_eq!(class("2024-04-15").class, None);
    let new = read(json!({"classification": {"preset": "prc-five-class"}}));
    policy::put(&db, &new, &on("2024-05-01")).unwrap();
    for (on, name, days) in [
        ("2024-01-10", "normal", 0),
        ("2024-01-11", "special-mention", 1),
        ("2024-04-10", "substandard", 91),
        ("2024-04-20", "substandard", 0),
        ("2024-10-19", "substandard", 0),
        ("2024-10-20", "normal", 0),
    ] {
        let found = class(on);
        assert_eq!((found.class.as_deref(), found.days_past_due), (Some(name), days), "{on}");
    }
    assert!(class("2024-06-01").because.contains("nothing overdue since 2024-04-20"));
}

#[test]
fn what_is_paused_is_not_reminded_until_it_is_over() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 50_000);
    let pause = json!({"id": "P", "invoice_id": "I", "from": "2024-02-03", "to": "2024-02-10"});
    pause::add(&db, &read(pause), id("made"), &on("2024-02-03")).unwrap();
    let notices = || row(&db, "SELECT count(*) FROM notice")[0];
    for date in ["2024-02-04", "2024-02-07", "2024-02-08", "2024-02-09"] {
        sweep(&db, date);
        assert_eq!(notices(), 0, "{date}");
    }
    sweep(&db, "2024-02-10");
    assert_eq!(notices(), 1);
    // Without an end, it is looked at once it is resumed.
    let pause = json!({"id": "Q", "customer_id": "C", "from": "2024-02-11"});
    pause::add(&db, &read(pause), id("made"), &on("2024-02-11")).unwrap();
    sweep(&db, "2024-02-20");
    assert_eq!(notices(), 1);
    pause::resume(&db, &id("Q"), &read(json!({})), &on("2024-02-21")).unwrap();
    sweep(&db, "2024-02-21");
    assert_eq!(notices(), 2);
}

fn open_on(db: &NativeDb, name: &str, on: &str) -> i64 {
    invoice::get(db, &id(name), day(on), i64::MAX).unwrap().open.minor
}

#[test]
fn what_was_upheld_comes_off_on_its_day_and_the_rest_goes_on() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    let author = on("2024-03-01");
    let new =
        json!({"id": "D", "invoice_id": "I", "reason": "price", "minor": 400, "on": "2024-02-10"});
    dispute::open(&db, &read(new), id("made"), &author).unwrap();
    let end = json!({"outcome": "partly-upheld", "upheld_minor": 150, "on": "2024-02-20"});
    dispute::resolve(&db, &id("D"), &read(end), &author).unwrap();
    assert_eq!((open_on(&db, "I", "2024-02-19"), open_on(&db, "I", "2024-02-20")), (1000, 850));
    let found = invoice::get(&db, &id("I"), day("2024-03-01"), i64::MAX).unwrap();
    let set: Vec<_> = found
        .allocations
        .iter()
        .map(|part| (part.adjustment_id.clone(), part.difference, part.amount.minor))
        .collect();
    assert_eq!(set, [(Some(id("D")), Some(Difference::DisputeUpheld), 150)]);
    pay(&db, "P", "C", "2024-03-01", 900);
    assert_eq!(open_on(&db, "I", "2024-03-01"), 0);
    let paid = payment::get(&db, &id("P"), day("2024-03-01"), i64::MAX).unwrap();
    assert_eq!(paid.unallocated.minor, 50);
}

#[test]
fn another_order_replays_what_was_allocated_before_it() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "Old", "C", "2024-01-01", "2024-02-01", 100);
    bill(&db, "New", "C", "2024-01-01", "2024-03-01", 100);
    pay(&db, "P", "C", "2024-01-15", 100);
    let open = || (open_on(&db, "Old", "2024-01-15"), open_on(&db, "New", "2024-01-15"));
    assert_eq!(open(), (0, 100));
    let put = |new: Value| policy::put(&db, &read(new), &on("2024-04-01"));
    assert_eq!(put(json!({"order": "newest-due-first"})).unwrap(), Change::Replaced);
    assert_eq!(put(json!({"order": "newest-due-first"})).unwrap(), Change::AlreadySo);
    assert_eq!(open(), (100, 0));
    assert_eq!(refused(put(json!({"order": "by-mood"}))), (Refusal::UnknownOrder, "order".into()));
    put(json!({})).unwrap();
    assert_eq!(open(), (0, 100));
}

/// Something that happens to one of three customers: what, to whom, on which day of the year, and how much.
type Event = (u8, usize, i64, i64);

fn at(days: i64) -> String {
    day("2024-01-01").plus_days(days).unwrap().to_string()
}

/// Records the event. What the state of the books does not allow is left out.
fn happen(db: &NativeDb, number: usize, (what, whose, on_day, much): Event) {
    let (of, on_day) = (format!("C{whose}"), at(on_day));
    let name = format!("{number}");
    let author = on("2024-12-31");
    match what {
        0 | 1 => bill(db, &format!("I{name}"), &of, &on_day, &on_day, much),
        2 => pay(db, &format!("P{name}"), &of, &on_day, much),
        3 => {
            let to = day(&on_day).plus_days(much % 60).unwrap();
            let new = json!({"id": name, "customer_id": of, "from": on_day, "to": to});
            pause::add(db, &read(new), id("made"), &author).unwrap();
        }
        _ => {
            let invoice = format!("I{}", number.saturating_sub(1));
            let new = json!({"id": name, "invoice_id": invoice, "on": on_day, "reason": "price"});
            let _ = dispute::open(db, &read(new), id("made"), &author);
        }
    }
}

/// Whether the rule holds on the day, by how each document reads.
fn in_default(db: &NativeDb, of: &str, date: &str, days: u32, at_least: i64) -> bool {
    let all = invoice::page(db, &id(of), &(String::new(), 0), 100, day(date)).unwrap();
    let overdue: Vec<(u32, i64)> = all
        .iter()
        .map(|(found, _)| found)
        .filter(|found| found.due_on < day(date))
        .map(|found| (found.delinquent_days, found.open.minor - found.disputed_minor))
        .filter(|(_, minor)| *minor > 0)
        .collect();
    overdue.iter().map(|(_, minor)| minor).sum::<i64>() >= at_least
        && overdue.iter().any(|(delinquent, _)| *delinquent >= days)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn who_is_in_default_is_who_reads_so(
        events in proptest::collection::vec((0u8..5, 0usize..3, 0i64..90, 1i64..400), 1..14),
        days in 1u32..40,
        at_least in 0i64..300,
        swept in proptest::collection::btree_set(1i64..130, 1..4),
    ) {
        let (_folder, db) = db();
        (0..3).for_each(|of| customer(&db, &format!("C{of}")));
        let rule = json!({"days": days, "at_least": [eur(at_least)]});
        let new = json!({"grace_days": 2, "default_rule": rule});
        policy::put(&db, &read(new), &on("2024-01-01")).unwrap();
        events.iter().enumerate().for_each(|(number, event)| happen(&db, number, *event));
        for date in swept.into_iter().map(at) {
            sweep(&db, &date);
            for of in ["C0", "C1", "C2"] {
                let state = Some(DefaultState::Open);
                let open = default_record::page(&db, "", 9, Some(&id(of)), state, When::ALL).unwrap();
                let so = in_default(&db, of, &date, days, at_least);
                prop_assert_eq!(open.len(), usize::from(so), "{} on {}", of, date);
            }
        }
    }
}
