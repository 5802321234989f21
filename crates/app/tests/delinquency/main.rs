//! Policy, pauses, disputes, defaults and classes on a real SQLite file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod defaults;
mod disputes;
mod groups;
mod pauses;
mod withdrawn;

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
    let before = dunlin_store::audit::head(&db).unwrap().map_or(0, |(key, ..)| key);
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

fn give_up(db: &NativeDb, name: &str, of: &str, when: &str, minor: Option<i64>) {
    let new = json!({"id": name, "invoice_id": of, "on": when, "minor": minor, "reason": "gone"});
    write_off::add(db, &read(new), id("made"), &on(when)).unwrap();
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

fn rule(db: &NativeDb, cross: bool) {
    let new = json!({"default_rule": {"days": 30, "cross_default": cross}});
    policy::put(db, &read(new), &on("2024-01-01")).unwrap();
}

fn books_hold(db: &NativeDb) {
    let books = verify::books(db).unwrap();
    assert!(books.ok, "{books:?}");
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

fn open_on(db: &NativeDb, name: &str, on: &str) -> i64 {
    invoice::get(db, &id(name), day(on), i64::MAX).unwrap().open.minor
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

fn at(days: i64) -> String {
    day("2024-01-01").plus_days(days).unwrap().to_string()
}
