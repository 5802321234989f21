//! Warnings over a real SQLite file: between sweeps, by hand, by rules of one's own, and on past days.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, id, read as from};
use dunlin_app::{
    alert::{self, Wish},
    alert_rule,
    audit::{self, Author},
    backtest, contract, credit, customer as customers, default_record, dispute, erase, event,
    guarantee, interest, invoice as documents,
    ledger::Change,
    payment as payments, sweep, warn, watch,
};
use dunlin_domain::{
    Instant, Refusal,
    contract::{
        types::Language,
        warn::{Alert, AlertState, Backtest, NewAlertRule, NewWatch, Severity},
    },
    event::Place,
};
use dunlin_store::{Db, Fault, alert as table, native::NativeDb, watch::FIRST};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn db() -> (tempfile::TempDir, NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    // Every lateness here would move a grade; the test that wants them has them.
    for name in ["grade-fell", "grade-slipped", "grade-worse"] {
        alert_rule::disable(&db, name, &author("2024-06-29")).unwrap();
    }
    (folder, db)
}

fn noon(on: &str) -> Instant {
    format!("{on}T12:00:00Z").parse().unwrap()
}

fn author(on: &str) -> Author {
    Author { who: "clerk".into(), at: noon(on), salt: "salt".into() }
}

fn customer(db: &NativeDb, name: &str, more: Value) {
    let mut new = json!({"id": name, "name": format!("{name} Ltd"), "currency": "EUR"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    customers::put(db, &id(name), &from(new), &author("2024-06-30")).unwrap();
}

fn bill(db: &NativeDb, name: &str, of: &str, issued: &str, due: &str) {
    let amount = json!({"minor": 10_000, "currency": "EUR"});
    let new = json!({"id": name, "customer_id": of, "issued_on": issued, "due_on": due, "amount": amount});
    documents::add(db, &from(new), id("x"), &author("2024-06-30")).unwrap();
}

fn pay(db: &NativeDb, name: &str, of: &str, on: &str, bill: &str) {
    let amount = json!({"minor": 10_000, "currency": "EUR"});
    let new = json!({"id": name, "customer_id": of, "received_on": on, "amount": amount, "invoice_id": bill});
    payments::add(db, &from(new), id("x"), &author(on.max("2024-06-30"))).unwrap();
}

fn swept(db: &NativeDb, on: &str) {
    let mut tick = sweep::Tick::begin(db, Some(day(on)), id("t"), noon(on)).unwrap();
    loop {
        match tick.step(db, noon(on)).unwrap() {
            sweep::Step::More => {}
            sweep::Step::Deliver => tick.delivered(db, Default::default(), true, noon(on)).unwrap(),
            sweep::Step::Done => break,
        }
    }
    tick.end(db).unwrap();
}

fn alerts(db: &NativeDb, on: &str) -> Vec<Alert> {
    let before = ("9999".to_string(), i64::MAX);
    let filter = table::Filter::on(day(on));
    let page = alert::alerts(db, &before, 100, filter, Some(Language::En)).unwrap();
    page.into_iter().map(|(alert, _)| alert).collect()
}

/// `customer rule state` of each alert of the day, sorted.
fn told(db: &NativeDb, on: &str) -> Vec<String> {
    let line = |of: Alert| format!("{} {} {}", of.customer_id, of.rule, of.state);
    let mut lines: Vec<String> = alerts(db, on).into_iter().map(line).collect();
    lines.sort();
    lines
}

fn code(fault: Fault) -> (Refusal, String) {
    match fault {
        Fault::Refused(refused) => (refused.code, refused.field.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

fn bounce(db: &NativeDb, payment: &str, on: &str) {
    let new = from(json!({"kind": "chargeback", "on": on}));
    payments::reverse(db, &id(payment), &new, id(&format!("R-{payment}")), &author(on)).unwrap();
}

#[test]
fn what_happens_between_sweeps_is_judged_without_one() {
    let (_folder, db) = db();
    for name in ["C1", "C2"] {
        customer(&db, name, json!({}));
        bill(&db, &format!("I-{name}"), name, "2024-06-01", "2024-06-20");
        pay(&db, &format!("P-{name}"), name, "2024-06-10", &format!("I-{name}"));
    }
    let run = |at: &str| {
        let judged = warn::run(&db, at.parse().unwrap()).unwrap();
        (judged.customers, judged.opened, judged.closed, judged.done)
    };
    assert_eq!(run("2024-06-30T08:00:00Z"), (0, 0, 0, true), "no sweep yet");
    swept(&db, "2024-06-30");
    assert_eq!(run("2024-06-30T13:00:00Z"), (2, 0, 0, true));
    assert_eq!(run("2024-06-30T13:01:00Z"), (0, 0, 0, true), "nothing happened since");

    bounce(&db, "P-C1", "2024-07-01");
    // The invoice is past due again, and nothing was at the sweep.
    assert_eq!(run("2024-07-01T13:00:00Z"), (1, 2, 0, true));
    let open = ["C1 first-overdue open", "C1 payment-returned open"];
    assert_eq!(told(&db, "2024-07-01"), open);
    assert_eq!(
        run("2024-07-01T13:01:00Z"),
        (0, 0, 0, true),
        "what was raised is no reason to look again"
    );
    swept(&db, "2024-07-01");
    assert_eq!(told(&db, "2024-07-01"), open, "the sweep finds the same");

    let changed = json!({"bank_accounts": [{"account": "DE1234"}]});
    customer(&db, "C2", changed);
    let new = json!({"invoice_id": "I-C1", "reason": "quality", "on": "2024-07-02"});
    dispute::open(&db, &from(new), id("D1"), &author("2024-07-02")).unwrap();
    // The record of C2 was changed on the day that its author says. Of what is contested nobody is reminded.
    assert_eq!(run("2024-07-02T13:00:00Z"), (2, 2, 1, true));
    assert_eq!(
        told(&db, "2024-07-02"),
        [
            "C1 dispute-opened open",
            "C1 first-overdue closed",
            "C1 payment-returned open",
            "C2 bank-changed open"
        ]
    );
    assert_eq!(run("2024-07-09T13:00:00Z"), (0, 0, 0, true), "the sweep is behind");
    swept(&db, "2024-08-15");
    assert_eq!(
        told(&db, "2024-08-15"),
        [
            "C1 dispute-opened closed",
            "C1 first-overdue closed",
            "C1 payment-returned closed",
            "C2 bank-changed closed"
        ]
    );
}

/// Runs what is judged between sweeps, and gives what is open of the rule of grades.
fn grades_open(db: &NativeDb, on: &str) -> Vec<String> {
    warn::run(db, noon(on)).unwrap();
    let told =
        |of: &Alert| format!("{} {} < {}", of.rule, of.evidence.value, of.evidence.threshold);
    let open = alerts(db, on).into_iter().filter(|of| of.state == AlertState::Open);
    open.filter(|of| of.rule == "grade-worse").map(|of| told(&of)).collect()
}

#[test]
fn a_grade_that_falls_between_sweeps_is_warned_of_without_one() {
    let (_folder, db) = db();
    let shipped = dunlin_domain::alert::shipped().into_iter().find(|of| of.name == "grade-worse");
    let alone = NewAlertRule { dedupe_key: None, ..shipped.unwrap().rule };
    alert_rule::put(&db, "grade-worse", &alone, &author("2024-06-29")).unwrap();
    customer(&db, "C1", json!({}));
    for (name, due) in [("1", "2024-04-20"), ("2", "2024-05-20"), ("3", "2024-06-20")] {
        bill(&db, &format!("I{name}"), "C1", "2024-04-01", due);
        pay(&db, &format!("P{name}"), "C1", due, &format!("I{name}"));
    }
    swept(&db, "2024-06-30");
    assert_eq!(grades_open(&db, "2024-06-30"), [""; 0]);
    bounce(&db, "P1", "2024-07-01");
    assert_eq!(grades_open(&db, "2024-07-01"), ["grade-worse D < A"]);
    let again = warn::run(&db, noon("2024-07-01")).unwrap();
    assert_eq!((again.customers, again.opened), (0, 0), "once for the same");
    swept(&db, "2024-07-01");
    assert_eq!(grades_open(&db, "2024-07-01"), ["grade-worse D < A"], "the sweep finds the same");
}

/// An old debt is not new because nobody looked; one that nobody is reminded of is no debt that was past due before.
#[test]
fn what_is_contested_or_a_rest_was_not_past_due_before_the_first_sweep() {
    for (old_minor, contested, opens) in [
        (10_000, 0, false),
        (10_000, 9_900, false),
        (10_000, 9_901, true),
        (10_000, 10_000, true),
        (100, 0, false),
        (99, 0, true),
        (0, 0, true),
    ] {
        let (_folder, db) = db();
        customer(&db, "C1", json!({}));
        if old_minor > 0 {
            let new = json!({"id": "old", "customer_id": "C1", "issued_on": "2024-02-01", "due_on": "2024-03-01",
                "amount": {"minor": old_minor, "currency": "EUR"}});
            documents::add(&db, &from(new), id("x"), &author("2024-06-30")).unwrap();
        }
        if contested > 0 {
            let new = json!({"invoice_id": "old", "minor": contested, "reason": "price", "on": "2024-06-01"});
            dispute::open(&db, &from(new), id("D1"), &author("2024-06-30")).unwrap();
        }
        bill(&db, "new", "C1", "2024-06-01", "2024-06-29");
        swept(&db, "2024-06-30");
        let found = alerts(&db, "2024-06-30").iter().any(|of| of.rule == "first-overdue");
        assert_eq!(found, opens, "{old_minor} of which {contested} are contested");
    }
}

/// What is otherwise about the alerts than the day before: `rule state severity`.
fn moved(db: &NativeDb, on: &str, before: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut news = Vec::new();
    for of in alerts(db, on) {
        let now = format!("{} {} {}", of.rule, of.state, of.severity);
        if before.insert(of.id.to_string(), now.clone()).as_ref() != Some(&now) {
            news.push(now);
        }
    }
    news.sort();
    news
}

/// Who paid on the day for a year and then pays one bill no more.
#[test]
fn one_unpaid_invoice_is_told_of_louder_from_month_to_month() {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    customer(&db, "C1", json!({}));
    for month in 1..=5 {
        let (name, due) = (format!("I{month}"), format!("2024-{month:02}-28"));
        bill(&db, &name, "C1", &format!("2024-{month:02}-01"), &due);
        pay(&db, &format!("P{month}"), "C1", &due, &name);
    }
    bill(&db, "I6", "C1", "2024-06-01", "2024-06-30");
    let (mut before, mut told) = (BTreeMap::new(), Vec::new());
    let (mut watched_from, mut also) = (None, None);
    for number in -1..=180 {
        let on = day("2024-06-30").plus_days(number).unwrap().to_string();
        swept(&db, &on);
        for news in moved(&db, &on, &mut before) {
            told.push(format!("{number} {news}"));
        }
        // Of everything that is said of this one thing, one alert is open, and tells of the rest.
        if number == 32 {
            let is_open = |of: &Alert| of.state == AlertState::Open;
            let open = alerts(&db, &on).into_iter().find(is_open).unwrap();
            let rest = open.also.unwrap_or_default().into_iter();
            let rest = rest.map(|of| format!("{} {}", of.rule, of.severity)).collect::<Vec<_>>();
            also = Some((open.rule, rest));
        }
        let watched = !watch::page(&db, day(&on), FIRST, 10).unwrap().is_empty();
        watched_from = watched_from.or(watched.then_some(number));
        assert_eq!(watched, watched_from.is_some(), "{on}");
    }
    let expected = "
        1 first-overdue open info
        1 grade-slipped behind info
        1 grade-worse behind info
        7 grade-worse behind info
        7 grade-worse closed info
        28 first-overdue behind info
        28 grade-slipped behind info
        28 grade-slipped closed info
        28 late-after-prompt open serious
        28 trend-worse behind warning
        31 overdue-long behind warning
        58 late-after-prompt open critical
        68 irregular behind info
        80 grade-slipped behind info
        80 grade-slipped closed info
        80 grade-worse behind info
        80 grade-worse closed info
        91 overdue-very-long behind critical";
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|of| !of.is_empty()).collect();
    assert_eq!(told, expected);
    assert_eq!(watched_from, Some(28));
    let (rule, rest) = also.unwrap();
    assert_eq!(rule, "late-after-prompt");
    let (warning, info) =
        (["trend-worse", "overdue-long"], ["first-overdue", "grade-worse", "grade-slipped"]);
    let mut expected: Vec<String> = warning.map(|of| format!("{of} warning")).to_vec();
    expected.extend(info.map(|of| format!("{of} info")));
    let sorted = |mut of: Vec<String>| {
        of.sort();
        of
    };
    assert_eq!(sorted(rest), sorted(expected));
    let behind = |of: &Alert| of.state == AlertState::Behind;
    let behind = alerts(&db, "2024-08-01").into_iter().find(behind).unwrap();
    let close = Wish::Close(from(json!({"reason": "No."})));
    let refused = alert::act(&db, &behind.id, &close, &author("2024-08-01"));
    assert_eq!(code(refused.unwrap_err()).0, Refusal::WrongState);
}

#[test]
fn what_was_past_due_before_anybody_looked_is_not_new() {
    let (_folder, db) = db();
    for (name, due) in [("old", "2024-06-10"), ("new", "2024-06-29")] {
        customer(&db, name, json!({}));
        bill(&db, &format!("I-{name}"), name, "2024-06-01", due);
    }
    swept(&db, "2024-06-30");
    assert_eq!(told(&db, "2024-06-30"), ["new first-overdue open"]);
    // Later ones are no other, be they judged between sweeps or by one.
    for (name, due) in [("older", "2024-06-10"), ("newer", "2024-06-30")] {
        customer(&db, name, json!({}));
        bill(&db, &format!("I-{name}"), name, "2024-06-01", due);
    }
    warn::run(&db, noon("2024-07-01")).unwrap();
    assert_eq!(told(&db, "2024-07-01"), ["new first-overdue open"]);
    swept(&db, "2024-07-01");
    assert_eq!(told(&db, "2024-07-01"), ["new first-overdue open", "newer first-overdue open"]);
}

#[test]
fn cover_that_lapsed_is_warned_of_until_it_is_renewed() {
    let (_folder, db) = db();
    customer(&db, "C1", json!({}));
    bill(&db, "I1", "C1", "2024-06-01", "2024-12-31");
    let secure = |name: &str, kind: &str, from_on: &str, to: &str| {
        let new = json!({"customer_id": "C1", "kind": kind, "party": "P", "valid_from": from_on,
            "valid_to": to, "amount": {"minor": 5_000, "currency": "EUR"}});
        guarantee::put(&db, &id(name), &from(new), &author("2024-06-30")).unwrap();
    };
    secure("G1", "guarantor", "2024-01-01", "2024-07-02");
    secure("S1", "insurance", "2024-01-01", "2024-07-03");
    let new = json!({"customer_id": "C1", "effective_on": "2024-01-01", "ends_on": "2024-07-03"});
    contract::put(&db, &id("K1"), &from(new), &author("2024-06-30")).unwrap();
    let open = |on: &str| {
        swept(&db, on);
        let open = alerts(&db, on).into_iter().filter(|of| of.state == AlertState::Open);
        let mut rules: Vec<String> = open.map(|of| of.rule).collect();
        rules.sort();
        rules.join(" ")
    };
    assert_eq!(open("2024-07-02"), "contract-ending guarantee-ending insurance-ending");
    assert_eq!(open("2024-07-03"), "contract-ending guarantee-lapsed insurance-ending");
    assert_eq!(open("2024-07-04"), "contract-lapsed guarantee-lapsed insurance-lapsed");
    secure("S2", "insurance", "2024-07-04", "2025-07-03");
    assert_eq!(open("2024-07-05"), "contract-lapsed guarantee-lapsed");
}

#[test]
fn a_limit_is_near_by_the_one_that_holds_on_the_day() {
    let (_folder, db) = db();
    customer(&db, "C1", json!({"credit_limit": {"minor": 100_000, "currency": "EUR"}}));
    bill(&db, "I1", "C1", "2024-06-01", "2024-12-31");
    let limit = |name: &str, more: Value| {
        let mut new = json!({"currency": "EUR"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = id(name);
        credit::limit::put(&db, &id("C1"), &from(new), &made, &author("2024-07-01")).unwrap();
    };
    swept(&db, "2024-06-30");
    assert_eq!(told(&db, "2024-06-30"), [""; 0]);
    limit("L1", json!({"minor": 10_500}));
    warn::run(&db, noon("2024-07-01")).unwrap();
    assert_eq!(told(&db, "2024-07-01"), ["C1 limit-near open"], "between sweeps");
    limit(
        "L2",
        json!({"minor": 50_000, "kind": "temporary", "from": "2024-07-02", "to": "2024-07-02"}),
    );
    for (on, state) in [("2024-07-02", "closed"), ("2024-07-03", "open")] {
        swept(&db, on);
        let newest = &alerts(&db, on)[0];
        assert_eq!((newest.rule.as_str(), newest.state.name()), ("limit-near", state), "{on}");
    }
    limit("L3", json!({"unlimited": true, "from": "2024-07-04"}));
    swept(&db, "2024-07-04");
    assert!(alerts(&db, "2024-07-04").iter().all(|of| of.state == AlertState::Closed));
}

#[test]
fn a_limit_is_used_by_what_is_owed_in_another_currency_too() {
    let (_folder, db) = db();
    customer(&db, "C1", json!({"credit_limit": {"minor": 100_000, "currency": "EUR"}}));
    let new = json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-06-01", "due_on": "2024-12-31",
        "amount": {"minor": 190_000, "currency": "USD"}});
    documents::add(&db, &from(new), id("made"), &author("2024-06-01")).unwrap();
    swept(&db, "2024-06-30");
    assert_eq!(told(&db, "2024-06-30"), [""; 0], "without a rate nobody knows");
    let rate = |from_day: &str, rate: &str| {
        let row =
            json!({"valid_from": from_day, "rate": rate, "source": "bank", "confirmed": true});
        let rows = [from(row)];
        interest::put_rates(&db, &id("fx-usd-eur"), &rows, &author("2024-07-01")).unwrap();
    };
    rate("2024-07-01", "0.5");
    swept(&db, "2024-07-01");
    let found = &alerts(&db, "2024-07-01")[0];
    assert_eq!((found.rule.as_str(), found.state), ("limit-near", AlertState::Open));
    assert_eq!(found.evidence.value, "0.95");
    assert_eq!(found.currency, Some("EUR".parse().unwrap()));
    rate("2024-07-02", "0.4");
    swept(&db, "2024-07-02");
    assert_eq!(alerts(&db, "2024-07-02")[0].state, AlertState::Closed);
}

#[test]
fn the_alerts_of_a_duplicate_end_without_a_sweep() {
    let (_folder, db) = db();
    for name in ["C1", "C2"] {
        customer(&db, name, json!({}));
        bill(&db, &format!("I-{name}"), name, "2024-06-01", "2024-06-29");
    }
    swept(&db, "2024-06-30");
    assert_eq!(told(&db, "2024-06-30"), ["C1 first-overdue open", "C2 first-overdue open"]);
    let watched = from(json!({"reason": "a rumour"}));
    watch::put(&db, &id("C2"), &watched, &author("2024-06-30")).unwrap();
    customers::merge(&db, &id("C2"), &id("C1"), &author("2024-06-30")).unwrap();
    warn::run(&db, noon("2024-06-30")).unwrap();
    assert_eq!(told(&db, "2024-06-30"), ["C1 first-overdue open", "C2 first-overdue closed"]);
    let watched = from(json!({"reason": "why"}));
    let refused = watch::put(&db, &id("C2"), &watched, &author("2024-06-30")).unwrap_err();
    assert_eq!(code(refused), (Refusal::CustomerMerged, "id".into()));
    // The wish to watch it is one about who stays.
    let list = watch::page(&db, day("2024-06-30"), FIRST, 10).unwrap().into_iter();
    let list: Vec<_> = list.map(|(of, _)| (of.customer_id.to_string(), of.reason)).collect();
    assert_eq!(list, [("C1".to_string(), Some("a rumour".to_string()))]);
}

#[test]
fn a_default_in_the_group_warns_of_the_others() {
    let (_folder, db) = db();
    customer(&db, "H", json!({}));
    for (name, head) in
        [("M1", json!({"parent_id": "H"})), ("M2", json!({"parent_id": "H"})), ("X", json!({}))]
    {
        customer(&db, name, head);
        bill(&db, &format!("I-{name}"), name, "2024-06-01", "2024-08-20");
    }
    bill(&db, "I-H", "H", "2024-06-01", "2024-08-20");
    let new = json!({"customer_id": "M1", "kind": "refused", "found_on": "2024-06-29", "reason": "says no"});
    swept(&db, "2024-06-30");
    assert_eq!(told(&db, "2024-06-30"), [""; 0]);
    default_record::add(&db, &from(new), id("F1"), &author("2024-06-30")).unwrap();
    let all = ["H group-default open", "M1 in-default open", "M2 group-default open"];
    assert_eq!(
        warn::run(&db, noon("2024-06-30")).unwrap().customers,
        4,
        "X is new since the sweep"
    );
    assert_eq!(told(&db, "2024-06-30"), all, "without a sweep");
    swept(&db, "2024-07-01");
    assert_eq!(told(&db, "2024-07-01"), all, "the sweep finds the same");
    let list = watch::page(&db, day("2024-06-30"), FIRST, 10).unwrap();
    let list: Vec<_> = list.iter().map(|(of, _)| (of.customer_id.as_str(), of.severity)).collect();
    let (critical, serious) = (Some(Severity::Critical), Some(Severity::Serious));
    assert_eq!(list, [("M1", critical), ("H", serious), ("M2", serious)]);
}

#[test]
fn a_default_in_the_group_is_told_of_no_more_when_it_left_the_group() {
    for leaves in ["put", "merged", "merged-head", "swept"] {
        let (_folder, db) = db();
        let members = [("M1", json!({"parent_id": "H"})), ("M2", json!({"parent_id": "H"}))];
        for (name, more) in [("H", json!({})), ("X", json!({}))].into_iter().chain(members) {
            customer(&db, name, more);
            bill(&db, &format!("I-{name}"), name, "2024-06-01", "2024-08-20");
        }
        let who = if leaves == "merged-head" { "H" } else { "M1" };
        let new = json!({"customer_id": who, "kind": "refused", "found_on": "2024-06-29", "reason": "says no"});
        swept(&db, "2024-06-30");
        default_record::add(&db, &from(new), id("F1"), &author("2024-06-30")).unwrap();
        warn::run(&db, noon("2024-06-30")).unwrap();
        let open = |on: &str| {
            let open = told(&db, on).into_iter();
            open.filter(|of| of.ends_with("group-default open")).count()
        };
        assert_eq!(open("2024-06-30"), 2, "{leaves}");
        match leaves {
            "put" | "swept" => customer(&db, "M1", json!({})),
            _ => {
                customers::merge(&db, &id(who), &id("X"), &author("2024-06-30")).unwrap();
            }
        }
        let on = if leaves == "swept" { "2024-07-01" } else { "2024-06-30" };
        match leaves {
            "swept" => swept(&db, on),
            _ => {
                warn::run(&db, noon(on)).unwrap();
            }
        }
        // The members of a head that was merged are in the group of who stays, and its default with them.
        let left = if leaves == "merged-head" { 2 } else { 0 };
        assert_eq!(open(on), left, "{leaves}");
    }
}

#[test]
fn whoever_joins_a_group_or_leaves_it_changes_what_is_told_of_the_others_within_the_minute() {
    let (_folder, db) = db();
    let groups = [("M1", "G"), ("M2", "H"), ("M3", "H"), ("N1", "G")];
    let members = groups.map(|(name, head)| (name, json!({"parent_id": head})));
    let heads = ["G", "H", "X"].map(|name| (name, json!({})));
    for (name, more) in heads.into_iter().chain(members) {
        customer(&db, name, more);
        bill(&db, &format!("I-{name}"), name, "2024-06-01", "2024-08-20");
    }
    let new = json!({"customer_id": "X", "kind": "refused", "found_on": "2024-06-29", "reason": "says no"});
    default_record::add(&db, &from(new), id("F1"), &author("2024-06-30")).unwrap();
    swept(&db, "2024-06-30");
    let told_of = || {
        let open = told(&db, "2024-06-30").into_iter();
        let others = open.filter_map(|of| of.strip_suffix(" group-default open").map(String::from));
        others.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told_of(), "");
    for (head, others) in [
        (json!({"parent_id": "H"}), "H M2 M3"),
        (json!({"parent_id": "G"}), "G M1 N1"),
        (json!({}), ""),
    ] {
        customer(&db, "X", head);
        warn::run(&db, noon("2024-06-30")).unwrap();
        assert_eq!(told_of(), others);
    }
    // Two moves before the minute is over, and a change that is none.
    customer(&db, "X", json!({"parent_id": "H"}));
    customer(&db, "X", json!({"parent_id": "G"}));
    warn::run(&db, noon("2024-06-30")).unwrap();
    assert_eq!(told_of(), "G M1 N1");
    customer(&db, "M2", json!({"parent_id": "H", "tags": ["renamed"]}));
    assert_eq!(warn::run(&db, noon("2024-06-30")).unwrap().customers, 1);
}

#[test]
fn what_happens_again_is_told_anew_also_after_somebody_closed_the_first() {
    let (_folder, db) = db();
    customer(&db, "C1", json!({}));
    for number in 1..=3 {
        let name = format!("I{number}");
        bill(&db, &name, "C1", "2024-06-01", "2024-08-20");
        pay(&db, &format!("P{number}"), "C1", "2024-06-10", &name);
    }
    swept(&db, "2024-06-30");
    let of = |rule: &str, on: &str| {
        let mut of: Vec<Alert> = alerts(&db, on).into_iter().filter(|of| of.rule == rule).collect();
        of.sort_by_key(|of| of.opened_on);
        of
    };
    let shown = |rule: &str, on: &str| {
        let line = |of: Alert| format!("{} {} {}", of.opened_on, of.evidence.value, of.state);
        of(rule, on).into_iter().map(line).collect::<Vec<_>>()
    };
    let close = |rule: &str, on: &str| {
        let wish = Wish::Close(from(json!({"reason": "known"})));
        let open = of(rule, on).pop().unwrap();
        alert::act(&db, &open.id, &wish, &author(on)).unwrap();
    };
    let looked = |on: &str| {
        swept(&db, on);
        warn::run(&db, noon(on)).unwrap();
    };

    bounce(&db, "P1", "2024-07-01");
    looked("2024-07-01");
    close("payment-returned", "2024-07-01");
    bounce(&db, "P2", "2024-07-02");
    looked("2024-07-02");
    let first = "2024-07-01 2024-07-01 closed";
    assert_eq!(shown("payment-returned", "2024-07-02"), [first, "2024-07-02 2024-07-02 open"]);
    let second = &of("payment-returned", "2024-07-02")[0];
    let detail = alert::detail(&db, &second.id, day("2024-07-02"), None).unwrap();
    assert_eq!(detail.alert.closed_because.as_deref(), Some("known"));
    assert_eq!(detail.ending.unwrap().why.name(), "told-anew");
    looked("2024-07-03");
    bounce(&db, "P3", "2024-07-04");
    looked("2024-07-04");
    assert_eq!(
        shown("payment-returned", "2024-07-04"),
        [first, "2024-07-02 2024-07-02 closed", "2024-07-04 2024-07-04 open"],
        "one that is open, too"
    );

    let fails = |name: &str, on: &str| {
        let new =
            json!({"customer_id": "C1", "kind": "refused", "found_on": on, "reason": "says no"});
        default_record::add(&db, &from(new), id(name), &author(on)).unwrap();
        looked(on);
    };
    fails("F1", "2024-07-05");
    fails("F2", "2024-07-06");
    close("in-default", "2024-07-06");
    let cured = from(json!({"state": "cured", "on": "2024-07-07", "reason": "paid"}));
    default_record::close(&db, &id("F1"), &cured, &author("2024-07-07")).unwrap();
    looked("2024-07-07");
    let former = ["2024-07-05 1 closed", "2024-07-06 2 closed"];
    assert_eq!(shown("in-default", "2024-07-07"), former);
    fails("F3", "2024-07-08");
    assert_eq!(shown("in-default", "2024-07-08")[..2], former);
    assert_eq!(shown("in-default", "2024-07-08")[2..], ["2024-07-08 2 open"], "two again");
}

fn overdue_customer(db: &NativeDb) -> Alert {
    customer(db, "C1", json!({}));
    bill(db, "I1", "C1", "2024-06-01", "2024-06-29");
    swept(db, "2024-06-30");
    alerts(db, "2024-06-30").into_iter().find(|of| of.rule == "first-overdue").unwrap()
}

#[test]
fn why_somebody_watched_or_closed_is_forgotten_with_the_customer() {
    let (_folder, db) = db();
    let alert = overdue_customer(&db);
    let snooze = Wish::Snooze(from(json!({"until": "2024-07-05", "reason": "Ann is ill"})));
    let close = Wish::Close(from(json!({"reason": "Ann has died"})));
    for wish in [snooze, close] {
        alert::act(&db, &alert.id, &wish, &author("2024-06-30")).unwrap();
    }
    let watched: NewWatch = from(json!({"reason": "Ann said so"}));
    watch::put(&db, &id("C1"), &watched, &author("2024-06-30")).unwrap();
    let entries = || audit::entries(&db, 0, 100).unwrap();
    let told = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("Ann"));
    assert!(entries().iter().all(|of| !of.change.contains("Ann")));
    assert_eq!(entries().iter().filter(|of| told(&of.personal)).count(), 3);

    let erased = || erase::customer(&db, &id("C1"), &author("2024-07-01")).unwrap().1;
    assert_eq!(erased(), Change::Replaced);
    assert!(entries().iter().all(|of| !told(&of.personal)));
    let detail = alert::detail(&db, &alert.id, day("2024-07-01"), None).unwrap();
    assert_eq!(detail.alert.closed_because.as_deref(), Some("erased"));
    let reasons = detail.actions.iter().map(|of| of.reason.as_deref());
    assert_eq!(reasons.collect::<Vec<_>>(), [Some("erased"), Some("erased")]);
    let (listed, _) = watch::page(&db, day("2024-07-01"), FIRST, 10).unwrap().remove(0);
    assert_eq!(listed.reason.as_deref(), Some("erased"));
    assert_eq!(erased(), Change::AlreadySo);
}

#[test]
fn an_alert_is_snoozed_given_away_and_closed() {
    let (_folder, db) = db();
    let alert = overdue_customer(&db);
    let act = |wish: Value, kind: &str, on: &str| {
        let wish = match kind {
            "snooze" => Wish::Snooze(from(wish)),
            "close" => Wish::Close(from(wish)),
            _ => Wish::Assign(from(wish)),
        };
        alert::act(&db, &alert.id, &wish, &author(on)).map_err(code)
    };
    let wrong = |field: &str| Err((Refusal::MalformedField, field.to_string()));
    let until = |on: &str| json!({"until": on, "reason": "they promised"});
    assert_eq!(act(until("2024-06-30"), "snooze", "2024-06-30"), wrong("until"));
    assert_eq!(act(until("2024-09-29"), "snooze", "2024-06-30"), wrong("until"), "91 days");
    assert_eq!(act(until("2024-07-05"), "snooze", "2024-06-30"), Ok(Change::Replaced));
    assert_eq!(act(until("2024-07-05"), "snooze", "2024-06-30"), Ok(Change::AlreadySo));
    assert_eq!(act(json!({"owner": "Ann"}), "assign", "2024-07-01"), Ok(Change::Replaced));
    assert_eq!(act(json!({"owner": "Ann"}), "assign", "2024-07-01"), Ok(Change::AlreadySo));
    let state = |on: &str| {
        let alert = alerts(&db, on).remove(0);
        (alert.state, alert.snoozed_until.map(|on| on.to_string()))
    };
    assert_eq!(state("2024-07-04"), (AlertState::Snoozed, Some("2024-07-05".into())));
    assert_eq!(state("2024-07-05"), (AlertState::Open, None));

    let reason = json!({"reason": "known"});
    assert_eq!(act(reason.clone(), "close", "2024-07-06"), Ok(Change::Replaced));
    assert_eq!(act(reason, "close", "2024-07-06"), Ok(Change::AlreadySo));
    assert_eq!(
        act(json!({"owner": "Bo"}), "assign", "2024-07-06").unwrap_err().0,
        Refusal::WrongState
    );
    let detail = alert::detail(&db, &alert.id, day("2024-07-06"), None).unwrap();
    assert_eq!(detail.alert.closed_because.as_deref(), Some("known"));
    assert_eq!(detail.alert.closed_by.as_deref(), Some("clerk"));
    let trail: Vec<&str> = detail.actions.iter().map(|of| of.action.name()).collect();
    assert_eq!(trail, ["snooze", "assign", "close"]);
    assert_eq!(
        state("2024-07-03"),
        (AlertState::Snoozed, Some("2024-07-05".into())),
        "the past stays"
    );

    swept(&db, "2024-07-07");
    assert_eq!(told(&db, "2024-07-07"), ["C1 first-overdue closed"], "it does not come back");
    pay(&db, "P1", "C1", "2024-07-08", "I1");
    swept(&db, "2024-07-08");
    bounce(&db, "P1", "2024-07-09");
    swept(&db, "2024-07-09");
    assert_eq!(
        told(&db, "2024-07-09"),
        ["C1 first-overdue closed", "C1 first-overdue open", "C1 payment-returned open"],
        "now that the reason had gone it does"
    );
    let kinds: Vec<String> = event::feed(&db, Place::FIRST, 1_000, &["alert.*".into()], None)
        .unwrap()
        .items
        .into_iter()
        .map(|of| format!("{} {}", of.kind, of.customer_id.unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            "alert.opened C1",
            "alert.snoozed C1",
            "alert.assigned C1",
            "alert.closed C1",
            "alert.opened C1",
            "alert.opened C1"
        ]
    );
}

#[test]
fn an_alert_that_opens_again_on_its_day_is_neither_snoozed_nor_given_away() {
    let (_folder, db) = db();
    let alert = overdue_customer(&db);
    let on = "2024-06-30";
    let act = |wish: Wish| alert::act(&db, &alert.id, &wish, &author(on)).unwrap();
    act(Wish::Snooze(from(json!({"until": "2024-07-05", "reason": "they promised"}))));
    act(Wish::Assign(from(json!({"owner": "Ann"}))));
    let judged = || {
        warn::run(&db, noon(on)).unwrap();
        let found = alerts(&db, on).into_iter().find(|of| of.id == alert.id).unwrap();
        (found.state, found.owner)
    };
    assert_eq!(judged(), (AlertState::Snoozed, Some("Ann".into())));
    pay(&db, "P1", "C1", on, "I1");
    assert_eq!(judged().0, AlertState::Closed);
    bounce(&db, "P1", on);
    assert_eq!(judged(), (AlertState::Open, alert.owner.clone()));
}

fn rule(of: Value) -> NewAlertRule {
    let mut rule = json!({
        "severity": "info", "text": {"en": "{value}", "zh_cn": "{value}"}, "advice": {"en": "a", "zh_cn": "a"},
    });
    rule.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    from(rule)
}

#[test]
fn a_rule_of_ones_own_has_versions_and_can_be_put_out_of_use() {
    let (_folder, db) = db();
    let put = |name: &str, new: &NewAlertRule| {
        let (rule, change) = alert_rule::put(&db, name, new, &author("2024-06-29")).unwrap();
        (rule.version, rule.shipped, change)
    };
    let any = json!({"terms": [{"kind": "above", "fact": "overdue-share", "bound": "0.5"}],
        "escalation": {"after_days": 5, "severity": "serious", "owner": "Head"}});
    let own = rule(any);
    assert_eq!(put("half-late", &own), (1, false, Change::Made));
    assert_eq!(put("half-late", &own), (1, false, Change::AlreadySo));
    let shipped = alert_rule::get(&db, "first-overdue").unwrap();
    assert_eq!((shipped.version, shipped.shipped), (3, true));
    assert_eq!(put("first-overdue", &shipped.rule), (3, true, Change::AlreadySo));
    assert_eq!(alert_rule::get(&db, "no-such").map_err(code).unwrap_err().0, Refusal::NotFound);

    let alert = overdue_customer(&db);
    assert_eq!(told(&db, "2024-06-30"), ["C1 first-overdue open", "C1 half-late open"]);
    swept(&db, "2024-07-04");
    assert_eq!(alerts(&db, "2024-07-04").iter().filter(|of| of.owner.is_some()).count(), 0);
    swept(&db, "2024-07-05");
    let raised: Vec<Alert> = alerts(&db, "2024-07-05");
    let raised = raised.iter().find(|of| of.rule == "half-late").unwrap();
    assert_eq!((raised.severity, raised.owner.as_deref()), (Severity::Serious, Some("Head")));
    let trail = alert::detail(&db, &raised.id, day("2024-07-05"), None).unwrap().actions;
    assert_eq!((trail.len(), trail[0].who.as_str()), (1, "sweep"));
    // As of the day before nothing had been done.
    let before = alert::detail(&db, &raised.id, day("2024-07-04"), None).unwrap();
    assert_eq!(before.actions, []);
    assert_eq!((before.alert.severity, before.alert.owner), (own.severity, None));
    let grave = |on: &str, of: Severity| {
        let filter = table::Filter { severity: Some(of), ..table::Filter::on(day(on)) };
        let page = alert::alerts(&db, &("9999".into(), i64::MAX), 9, filter, None).unwrap();
        page.iter().any(|(found, _)| found.id == raised.id)
    };
    assert!(grave("2024-07-05", Severity::Serious) && !grave("2024-07-04", Severity::Serious));
    assert!(grave("2024-07-04", own.severity) && !grave("2024-07-05", own.severity));

    let louder = NewAlertRule { severity: Severity::Serious, escalation: None, ..shipped.rule };
    assert_eq!(put("first-overdue", &louder), (4, false, Change::Replaced));
    let (_, change) = alert_rule::disable(&db, "half-late", &author("2024-07-05")).unwrap();
    assert_eq!(change, Change::Replaced);
    swept(&db, "2024-07-06");
    assert_eq!(told(&db, "2024-07-06"), ["C1 first-overdue open", "C1 half-late closed"]);
    let open = alerts(&db, "2024-07-06").into_iter().find(|of| of.rule == "first-overdue").unwrap();
    assert_eq!((open.id, open.evidence.rule.as_str()), (alert.id, "first-overdue@3"));
    assert_eq!(alert_rule::in_force(&db).unwrap().iter().filter(|of| !of.shipped).count(), 5);
}

#[test]
fn who_is_watched_by_wish_stays_until_it_ends() {
    let (_folder, db) = db();
    customer(&db, "C1", json!({}));
    bill(&db, "I1", "C1", "2024-06-01", "2024-08-20");
    swept(&db, "2024-06-30");
    let list = |on: &str| -> Vec<(String, Option<String>)> {
        let page = watch::page(&db, day(on), FIRST, 10).unwrap().into_iter();
        page.map(|(of, _)| (of.customer_id.to_string(), of.reason)).collect()
    };
    let wish = |reason: &str, until: Option<&str>| NewWatch {
        reason: reason.into(),
        until: until.map(day),
    };
    let put =
        |wish: &NewWatch| watch::put(&db, &id("C1"), wish, &author("2024-06-30")).map_err(code);
    assert_eq!(list("2024-06-30"), []);
    let past = put(&wish("a rumour", Some("2024-06-30")));
    assert_eq!(past, Err((Refusal::MalformedField, "until".into())));
    assert_eq!(put(&wish("a rumour", Some("2024-07-03"))), Ok(Change::Made));
    assert_eq!(put(&wish("a rumour", Some("2024-07-03"))), Ok(Change::AlreadySo));
    assert_eq!(list("2024-07-02"), [("C1".into(), Some("a rumour".into()))]);
    assert_eq!(list("2024-07-03"), []);
    assert_eq!(put(&wish("a scandal", None)), Ok(Change::Replaced));
    assert_eq!(list("2024-07-03"), [("C1".into(), Some("a scandal".into()))]);
    let owed = &watch::page(&db, day("2024-07-03"), FIRST, 10).unwrap()[0].0.outstanding;
    assert_eq!(owed[0].minor, 10_000);
    let end = || watch::end(&db, &id("C1"), &author("2024-07-01")).unwrap().1;
    assert_eq!([end(), end()], [Change::Replaced, Change::AlreadySo]);
    assert_eq!(list("2024-07-01"), []);
}

/// Twelve months of invoices due on the 20th of each month of 2023: paid so many days after, or never.
fn payer(db: &NativeDb, name: &str, late: impl Fn(u32) -> Option<i64>) {
    customer(db, name, json!({}));
    for month in 1..=12u32 {
        let (issued, due) = (format!("2023-{month:02}-01"), format!("2023-{month:02}-20"));
        let bill_id = format!("{name}-{month}");
        bill(db, &bill_id, name, &issued, &due);
        if let Some(late) = late(month) {
            let on = day(&due).plus_days(late).unwrap().to_string();
            pay(db, &format!("P-{bill_id}"), name, &on, &bill_id);
        }
    }
}

/// A book that is taken in with its past is compared with that past by the first sweep, and once.
#[test]
fn what_was_taken_in_with_its_past_is_compared_with_it_from_the_first_sweep() {
    let (_folder, db) = db();
    payer(&db, "CHANGED", |month| Some(if month > 9 { 30 } else { 0 }));
    payer(&db, "ALWAYS", |_| Some(30));
    swept(&db, "2024-01-20");
    let unlike = || -> Vec<(String, usize)> {
        let found = alerts(&db, "2024-01-20").into_iter().filter(|of| of.rule == "unlike-before");
        let samples = |of: &Alert| {
            let detail = alert::detail(&db, &of.id, day("2024-01-20"), None).unwrap();
            detail.basis.unwrap().samples.len()
        };
        found.map(|of| (of.customer_id.to_string(), samples(&of))).collect()
    };
    let found = unlike();
    assert!(matches!(&found[..], [(name, 9..)] if name == "CHANGED"), "{found:?}");
    let kept = |db: &NativeDb| {
        let sql = "SELECT sum(json_array_length(samples)) FROM fact_sample";
        db.int(sql, &[]).unwrap()
    };
    let before = kept(&db);
    swept(&db, "2024-01-21");
    assert_eq!(kept(&db), before, "nothing is taken twice");
}

fn tried(db: &NativeDb, name: &str, new: Value) -> Result<Backtest, (Refusal, String)> {
    let today = day("2024-12-31");
    backtest::run(db, name, &from(new), 0, today).map(|(found, _)| found).map_err(code)
}

#[test]
fn a_rule_is_tried_on_past_days() {
    let (_folder, db) = db();
    payer(&db, "GOOD", |_| Some(0));
    // Was late once, by three weeks.
    payer(&db, "ONCE", |month| Some(if month == 6 { 21 } else { 0 }));
    // Is late in autumn and stops paying: the item due on 20 October is 91 days past due on 19 January.
    payer(&db, "BAD", |month| match month {
        1..=7 => Some(0),
        8..=9 => Some(25),
        _ => None,
    });
    // Failed before the first day.
    payer(&db, "OLD", |_| None);
    let own = rule(json!({"terms": [{"kind": "above", "fact": "overdue-share", "bound": "0.9"}]}));
    let asked = json!({"from": "2023-05-01", "to": "2024-04-30", "step_days": 1, "rule": own, "customers": 10});
    let found = tried(
        &db,
        "mine",
        json!({"from": "2023-05-01", "to": "2023-08-08", "step_days": 1, "rule": own}),
    )
    .unwrap();
    // The item due on 20 January is 91 days past due on 21 April.
    assert_eq!((found.customers, found.good, found.defaults), (3, 2, 0));
    assert_eq!((found.alerts, found.true_alarms, found.false_alarms), (1, 0, 1));
    assert_eq!(found.false_per_hundred_years.unwrap().to_string(), "182.5");

    let year = json!({"from": "2023-05-01", "to": "2024-04-24", "step_days": 7, "rule": own, "customers": 10});
    let found = tried(&db, "mine", year.clone()).unwrap();
    assert_eq!((found.rule.as_str(), found.customers, found.good), ("mine@0", 3, 2));
    assert_eq!((found.defaults, found.warned), (1, 1));
    // Judged by the week from a Monday on: first late on 21 August, five months before the default of 19 January.
    assert_eq!(found.days_before, [151]);
    assert_eq!(found.mean_days_before.unwrap().to_string(), "151");
    assert_eq!(found.recall.unwrap().to_string(), "1");
    assert_eq!(found.alerts, found.true_alarms + found.false_alarms + found.undecided);
    assert_eq!(tried(&db, "mine", year).unwrap(), found, "the same question has the same answer");

    // Shipped rules that look at facts, at former values, at events and at grades can all be tried.
    for name in
        ["late-after-prompt", "unlike-before", "payment-returned", "trend-slope", "first-overdue"]
    {
        let found = tried(&db, name, json!({"from": "2023-05-01", "to": "2024-04-24"})).unwrap();
        assert_eq!((found.customers, found.defaults), (3, 1), "{name}");
        assert_eq!(
            found.alerts,
            found.true_alarms + found.false_alarms + found.undecided,
            "{name}"
        );
    }
    let warned =
        tried(&db, "late-after-prompt", json!({"from": "2023-05-01", "to": "2024-04-24"})).unwrap();
    assert_eq!((warned.warned, warned.recall.unwrap().to_string().as_str()), (1, "1"));
    assert!(warned.days_before[0] >= 30, "{warned:?}");

    // The book came in later: as it was known then there was nothing.
    let then = json!({"from": "2023-05-01", "to": "2024-04-24", "as_known": true});
    let then = tried(&db, "late-after-prompt", then).unwrap();
    assert_eq!((then.alerts, then.as_known, warned.as_known), (0, true, false));
    // What everybody owed is worked out for each day.
    let share = rule(json!({"terms": [{"kind": "book-share", "bound": "0.05", "least": 1}]}));
    let share = json!({"from": "2023-05-01", "to": "2024-04-24", "step_days": 28, "rule": share});
    let found = tried(&db, "mine", share).unwrap();
    assert!(found.alerts > 0 && found.warned == 1, "{found:?}");

    let before = db.int("SELECT count(*) FROM alert", &[]).unwrap();
    assert_eq!(before, 0, "nothing is kept");
    let wrong = |change: Value| {
        let mut new = asked.clone();
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        tried(&db, "mine", new).unwrap_err()
    };
    let malformed = |field: &str| (Refusal::MalformedField, field.to_string());
    assert_eq!(wrong(json!({})), malformed("step_days"), "366 judgements are too many");
    assert_eq!(wrong(json!({"step_days": 91})), malformed("step_days"));
    assert_eq!(wrong(json!({"customers": 501})), malformed("customers"));
    assert_eq!(wrong(json!({"to": "2023-04-30"})), malformed("to"));
    assert_eq!(wrong(json!({"to": "2025-01-01"})), (Refusal::DateInFuture, "to".into()));
    let share = rule(json!({"terms": [{"kind": "book-share", "bound": "0.2"}]}));
    assert_eq!(wrong(json!({"rule": share, "step_days": 7})), malformed("step_days"), "53 books");
    assert_eq!(
        tried(&db, "no-such", json!({"from": "2023-05-01", "to": "2023-06-01"})).unwrap_err().0,
        Refusal::NotFound
    );
}

/// Page by page the customers are the whole.
#[test]
fn a_back_test_goes_on_where_it_ended() {
    let (_folder, db) = db();
    for name in ["A", "B", "C"] {
        payer(&db, name, |month| Some(if month == 6 { 21 } else { 0 }));
    }
    let asked =
        |customers: u32| json!({"from": "2023-05-01", "to": "2023-12-31", "customers": customers});
    let (whole, end) =
        backtest::run(&db, "first-overdue", &from(asked(10)), 0, day("2024-12-31")).unwrap();
    assert_eq!(end, None);
    let (mut after, mut alerts, mut pages) = (0, 0, 0);
    loop {
        let new = from(asked(2));
        let (found, next) =
            backtest::run(&db, "first-overdue", &new, after, day("2024-12-31")).unwrap();
        (alerts, pages) = (alerts + found.alerts, pages + 1);
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!((alerts, pages), (whole.alerts, 2));
    assert!(whole.alerts >= 3, "{whole:?}");
}
