//! Who decides how much: second keys, rules that ship, cuts that alerts propose, and what is said to make an order pass,
//! followed through the real flows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{db, id, read};
use dunlin_app::{
    audit::Author,
    credit::{check, limit, policy, rule},
    customer as customers, interest, invoice as documents,
    ledger::Change,
};
use dunlin_domain::{
    Instant, Refusal,
    contract::{credit::*, types::Language},
};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::{Value, json};

const NOON: &str = "2024-06-30T12:00:00Z";

fn noon() -> Instant {
    NOON.parse().unwrap()
}

fn by(who: &str) -> Author {
    Author { who: who.into(), at: noon(), salt: "salt".into() }
}

fn author() -> Author {
    by("tester")
}

fn money(minor: i64, currency: &str) -> Value {
    json!({"minor": minor, "currency": currency})
}

fn eur(minor: i64) -> Value {
    money(minor, "EUR")
}

fn with(mut record: Value, more: Value) -> Value {
    for (field, value) in more.as_object().unwrap() {
        record[field] = value.clone();
    }
    record
}

fn customer(db: &NativeDb, name: &str, more: Value) {
    let record = with(json!({"name": name}), more);
    customers::put(db, &id(name), &read(record), &author()).unwrap();
}

fn invoice(db: &NativeDb, name: &str, of: &str, more: Value) {
    let new =
        json!({"id": name, "customer_id": of, "issued_on": "2024-05-01", "due_on": "2024-07-31"});
    documents::add(db, &read(with(new, more)), id("made"), &author()).unwrap();
}

fn rate(db: &NativeDb, table: &str, value: &str) {
    let row =
        json!({"valid_from": "2024-01-01", "rate": value, "source": "bank", "confirmed": true});
    interest::put_rates(db, &id(table), &read::<Vec<_>>(json!([row])), &author()).unwrap();
}

fn try_limit(db: &NativeDb, of: &str, made: &str, more: Value) -> Result<Change, Fault> {
    let new = with(json!({"currency": "EUR"}), more);
    limit::put(db, &id(of), &read(new), &id(made), &author())
}

fn set_limit(db: &NativeDb, of: &str, made: &str, more: Value) -> Change {
    try_limit(db, of, made, more).unwrap()
}

fn standing(db: &NativeDb, of: &str) -> LimitStanding {
    limit::standing(db, &id(of), None, Some(Language::En), noon()).unwrap()
}

/// What counts, with its currency, and how many wait: `9000 EUR, 1 waits`.
fn counts(db: &NativeDb, of: &str) -> String {
    let found = standing(db, of);
    let counts = match found.effective {
        None => "none".to_string(),
        Some(limit) => {
            let minor = limit.minor.map_or("unlimited".into(), |minor| minor.to_string());
            format!("{minor} {}", limit.currency)
        }
    };
    match found.pending.len() {
        0 => counts,
        waiting => format!("{counts}, {waiting} waits"),
    }
}

fn decide(db: &NativeDb, name: &str, state: LimitState, who: &str) -> Result<Limit, Fault> {
    limit::decide(db, &id(name), state, &by(who)).map(|(limit, _)| limit)
}

fn ask(db: &NativeDb, of: &str, minor: i64) -> CheckResult {
    let question = read(json!({"customer": of, "amount": eur(minor)}));
    check::simulate(db, &question, None, Some(Language::En), noon()).unwrap()
}

fn put_rule(db: &NativeDb, name: &str, new: Value) -> Result<(Rule, Change), Fault> {
    rule::put(db, &id(name), &read(new), &author())
}

fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Refusal, Option<String>) {
    match result.unwrap_err() {
        Fault::Refused(refused) => (refused.code, refused.field),
        fault => panic!("{fault:?}"),
    }
}

fn thresholds(db: &NativeDb, of: Value) {
    let new = json!({"currency": "EUR", "lines": [], "second_key_from": of});
    policy::publish(db, &read(new), &author()).unwrap();
}

#[test]
fn a_cut_counts_at_once_and_orders_are_held_meanwhile() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    set_limit(&db, "C", "L1", json!({"minor": 9_000, "from": "2024-01-01"}));
    thresholds(&db, json!([eur(1_000)]));
    invoice(&db, "I1", "C", json!({"amount": eur(3_000)}));
    assert_eq!(ask(&db, "C", 4_000).verdict, Verdict::Pass);
    set_limit(&db, "C", "L2", json!({"minor": 1_500, "reason": "cut now"}));
    assert_eq!(counts(&db, "C"), "1500 EUR");
    assert_eq!(ask(&db, "C", 4_000).verdict, Verdict::Hold);
    // Back to where it was is a raise.
    set_limit(&db, "C", "L3", json!({"minor": 9_000, "from": "2024-06-30"}));
    assert_eq!(counts(&db, "C"), "1500 EUR, 1 waits");
    // So is the cut that ends sooner.
    set_limit(&db, "C", "L4", json!({"minor": 1_500, "to": "2024-07-31"}));
    assert_eq!(counts(&db, "C"), "1500 EUR, 2 waits");
    // Who asked takes back but does not approve.
    assert_eq!(
        refused(decide(&db, "L3", LimitState::Approved, "tester")).0,
        Refusal::SecondKeyNeeded
    );
    let back = decide(&db, "L3", LimitState::Refused, "tester").unwrap();
    assert_eq!((back.state, back.decided_by.as_deref()), (LimitState::Refused, Some("tester")));
    decide(&db, "L4", LimitState::Approved, "other").unwrap();
    assert_eq!(counts(&db, "C"), "1500 EUR");
}

#[test]
fn a_threshold_holds_in_every_currency() {
    let (_folder, db) = db();
    for name in ["A", "B", "C"] {
        customer(&db, name, json!({}));
    }
    thresholds(&db, json!([eur(1_000)]));
    rate(&db, "fx-usd-eur", "0.9");
    set_limit(&db, "A", "L1", json!({"minor": 1_110, "currency": "USD"}));
    assert_eq!(counts(&db, "A"), "1110 USD");
    set_limit(&db, "B", "L2", json!({"minor": 1_112, "currency": "USD"}));
    assert_eq!(counts(&db, "B"), "none, 1 waits");
    set_limit(&db, "C", "L3", json!({"minor": 1, "currency": "JPY"}));
    assert_eq!(counts(&db, "C"), "none, 1 waits");
}

#[test]
fn of_the_limit_of_a_record_counts_what_needs_no_second_key() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(90_000)}));
    customer(&db, "H", json!({"credit_limit": eur(80_000)}));
    customer(&db, "M", json!({"parent_id": "H"}));
    customer(&db, "Y", json!({"credit_limit": money(5, "JPY")}));
    assert_eq!((counts(&db, "C"), counts(&db, "M")), ("90000 EUR".into(), "80000 EUR".into()));
    thresholds(&db, json!([eur(1_000)]));
    assert_eq!((counts(&db, "C"), counts(&db, "M")), ("999 EUR".into(), "999 EUR".into()));
    assert_eq!(counts(&db, "Y"), "0 JPY");
    assert!(standing(&db, "C").why.contains("second key"));
    assert_eq!(
        (ask(&db, "C", 999).verdict, ask(&db, "C", 1_000).verdict),
        (Verdict::Warn, Verdict::Hold)
    );
    // It is no cover for a raise by one key either.
    set_limit(&db, "C", "L1", json!({"minor": 50_000}));
    assert_eq!(counts(&db, "C"), "999 EUR, 1 waits");
    decide(&db, "L1", LimitState::Approved, "other").unwrap();
    assert_eq!(counts(&db, "C"), "50000 EUR");
}

#[test]
fn nothing_is_approved_for_a_customer_that_was_merged() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    customer(&db, "D", json!({}));
    thresholds(&db, json!([eur(1_000)]));
    set_limit(&db, "D", "L1", json!({"minor": 5_000}));
    customers::merge(&db, &id("D"), &id("C"), &author()).unwrap();
    let code = refused(decide(&db, "L1", LimitState::Approved, "other")).0;
    assert_eq!(code, Refusal::CustomerMerged);
    decide(&db, "L1", LimitState::Refused, "tester").unwrap();
    assert_eq!(refused(try_limit(&db, "D", "L2", json!({"minor": 1}))).0, Refusal::CustomerMerged);
}

#[test]
fn an_early_warning_never_switches_a_limit_off() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let names = || {
        let rules = rule::list(&db, None, 100, noon()).unwrap();
        rules.iter().map(|of| format!("{}@{}", of.name, of.version)).collect::<Vec<_>>().join(" ")
    };
    let shipped = "account-on-hold@0 account-stopped@0 limit-used@0 limit-nearly-used@0 limit-expired@0 limit-missing@0";
    assert_eq!(names(), shipped);
    let early = json!({"kind": "limit-used", "more_than": "0.8", "verdict": "warn"});
    put_rule(&db, "early", early.clone()).unwrap();
    assert_eq!(names(), format!("{shipped} early@1"));
    assert_eq!(
        (ask(&db, "C", 81).verdict, ask(&db, "C", 101).verdict),
        (Verdict::Warn, Verdict::Hold)
    );
    put_rule(&db, "early-C", with(early, json!({"customer": "C"}))).unwrap();
    assert_eq!(
        (ask(&db, "C", 81).verdict, ask(&db, "C", 101).verdict),
        (Verdict::Warn, Verdict::Hold)
    );
    // By its name it is replaced, for all, and for as long as the rule holds.
    let looser = json!({"kind": "limit-used", "more_than": "2"});
    put_rule(&db, "limit-used", looser.clone()).unwrap();
    assert_eq!(
        (ask(&db, "C", 200).verdict, ask(&db, "C", 201).verdict),
        (Verdict::Warn, Verdict::Hold)
    );
    assert!(names().contains("limit-used@1") && !names().contains("limit-used@0"));
    put_rule(&db, "limit-used", with(looser, json!({"to": "2024-06-29"}))).unwrap();
    assert_eq!(ask(&db, "C", 101).verdict, Verdict::Hold);
    assert!(names().contains("limit-used@0"));
}

#[test]
fn a_rule_that_would_never_bind_is_refused() {
    let (_folder, db) = db();
    customer(&db, "H", json!({}));
    customer(&db, "M", json!({"parent_id": "H"}));
    let none = json!({"kind": "order-amount", "amount": eur(0)});
    put_rule(&db, "of-H", with(none.clone(), json!({"group": "H"}))).unwrap();
    let of_member = put_rule(&db, "of-M", with(none.clone(), json!({"group": "M"})));
    assert_eq!(refused(of_member), (Refusal::MalformedField, Some("group".into())));
    let named = put_rule(&db, "limit-used", none);
    assert_eq!(refused(named), (Refusal::MalformedField, Some("kind".into())));
}
