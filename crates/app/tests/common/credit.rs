//! What tests of credit begin with: customers, documents, limits, and what is asked.

// Each test program uses a part of it.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::common::{day, id, read};
use dunlin_app::{
    audit::Author,
    credit::{Asked, check, limit, reservation, reservation::Reserved},
    customer as customers, invoice as documents,
    ledger::Change,
    payment as payments,
};
use dunlin_domain::{
    Instant, Refusal,
    contract::{credit::*, types::Language},
};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

pub const NOON: &str = "2024-06-30T12:00:00Z";

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub fn by(who: &str, when: Instant) -> Author {
    Author { who: who.into(), at: when, salt: "salt".into() }
}

pub fn author() -> Author {
    by("tester", at(NOON))
}

pub fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

pub fn customer(db: &NativeDb, name: &str, more: Value) {
    let mut record = json!({"name": name});
    for (field, value) in more.as_object().unwrap() {
        record[field] = value.clone();
    }
    customers::put(db, &id(name), &read(record), &author()).unwrap();
}

pub fn invoice(db: &NativeDb, name: &str, of: &str, due: &str, minor: i64) {
    let new = json!({"id": name, "customer_id": of, "issued_on": "2024-05-01", "due_on": due, "amount": eur(minor)});
    documents::add(db, &read(new), id("made"), &author()).unwrap();
}

pub fn pay(db: &NativeDb, name: &str, of: &str, on: &str, minor: i64) {
    let new = json!({"id": name, "customer_id": of, "received_on": on, "amount": eur(minor)});
    payments::add(db, &read(new), id("made"), &author()).unwrap();
}

pub fn set_limit(db: &NativeDb, of: &str, made: &str, more: Value) -> Change {
    let mut new = json!({"currency": "EUR"});
    for (field, value) in more.as_object().unwrap() {
        new[field] = value.clone();
    }
    limit::put(db, &id(of), &read(new), &id(made), &author()).unwrap()
}

pub fn effective(db: &NativeDb, of: &str, on: &str) -> String {
    let found = limit::standing(db, &id(of), Some(day(on)), Some(Language::En), at(NOON)).unwrap();
    let text = match found.effective {
        None => "none".to_string(),
        Some(limit) => limit.minor.map_or("unlimited".into(), |minor| minor.to_string()),
    };
    if found.expired { format!("{text} expired") } else { text }
}

pub fn question(of: &str, minor: i64, order: Option<&str>) -> NewCheck {
    read(json!({"customer": of, "amount": eur(minor), "order_id": order}))
}

/// The verdict and the rules that failed.
pub fn told(result: &CheckResult) -> String {
    let names: Vec<&str> = result.reasons.iter().map(|of| of.rule.as_str()).collect();
    format!("{} {}", result.verdict, names.join(" ")).trim().to_string()
}

pub fn simulated(db: &NativeDb, of: &str, minor: i64) -> String {
    told(
        &check::simulate(db, &question(of, minor, None), None, Some(Language::En), at(NOON))
            .unwrap(),
    )
}

pub fn reserve(
    db: &NativeDb,
    name: &str,
    of: &str,
    minor: i64,
    when: Instant,
    seconds: i64,
) -> Result<Reserved, Fault> {
    let expires = when.plus_seconds(seconds);
    let new = json!({"id": name, "customer": of, "amount": eur(minor), "expires_at": expires});
    static MADE: AtomicU64 = AtomicU64::new(0);
    let made = id(&format!("K-{}", MADE.fetch_add(1, Ordering::Relaxed)));
    reservation::add(db, &read(new), &made, Some(Language::En), &by("tester", when))
}

pub fn total(db: &NativeDb, of: &str, on: &str) -> i64 {
    check::exposure(db, &id(of), Some(day(on)), at(NOON)).unwrap().total_minor
}

pub fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Refusal, Option<String>) {
    match result.unwrap_err() {
        Fault::Refused(refused) => (refused.code, refused.field),
        other => panic!("{other:?}"),
    }
}

/// What the exposure of a customer is made of, as of a day with what was known at a moment.
pub fn parts(db: &NativeDb, of: &str, asked: Asked, when: Instant) -> String {
    let found = check::exposure(db, &id(of), asked, when).unwrap();
    let text = |of: &ExposurePart| {
        let documents: Vec<String> =
            of.documents.iter().map(|of| format!("{} {}", of.id, of.minor)).collect();
        format!("{} {} [{}]", of.component, of.minor, documents.join(", "))
    };
    let parts = found.parts.iter().filter(|of| of.minor != 0 || !of.documents.is_empty());
    let parts: Vec<String> = parts.map(text).collect();
    format!("{} of {:?}: {}", found.total_minor, found.group_minor, parts.join("; "))
}
