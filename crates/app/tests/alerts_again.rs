//! Every alert that was stored is judged again from its record: why it opened, and why it ended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, id, read as from};
use dunlin_app::{
    alert, alert_rule, audit::Author, customer as customers, dispute, invoice as documents,
    payment as payments, sweep, warn,
};
use dunlin_domain::{
    Date, Instant,
    alert::{Key, Live, again},
    contract::{
        types::Language,
        warn::{AlertDetail, AlertState, EndingReason},
    },
};
use dunlin_store::{alert as table, native::NativeDb};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn author(on: Date) -> Author {
    Author { who: "clerk".into(), at: noon(on), salt: "salt".into() }
}

fn noon(on: Date) -> Instant {
    format!("{on}T12:00:00Z").parse().unwrap()
}

fn customer(db: &NativeDb, name: &str, on: Date, more: Value) {
    let mut new = json!({"id": name, "name": format!("{name} Ltd"), "currency": "EUR"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    customers::put(db, &id(name), &from(new), &author(on)).unwrap();
}

fn swept(db: &NativeDb, on: Date) {
    let mut tick = sweep::Tick::begin(db, Some(on), id("t"), noon(on)).unwrap();
    loop {
        match tick.step(db, noon(on)).unwrap() {
            sweep::Step::More => {}
            sweep::Step::Deliver => tick.delivered(db, Default::default(), true, noon(on)).unwrap(),
            sweep::Step::Done => break,
        }
    }
    tick.end(db).unwrap();
}

fn details(db: &NativeDb, on: Date) -> Vec<AlertDetail> {
    let before = ("9999".to_string(), i64::MAX);
    let filter = table::Filter::on(on);
    let page = alert::alerts(db, &before, 1_000, filter, Some(Language::En)).unwrap();
    let detail = |id: &_| alert::detail(db, id, on, Some(Language::En)).unwrap();
    page.iter().map(|(alert, _)| detail(&alert.id)).collect()
}

/// A year and a half of a small book. Each customer buys every ten days; in the second year each goes another way.
fn story(db: &NativeDb) -> Date {
    let start = day("2023-01-01");
    let on = |number: i64| start.plus_days(number).unwrap();
    for name in ["A", "B", "C", "D", "E", "F"] {
        customer(db, name, start, json!({}));
    }
    let limit = json!({"credit_limit": {"minor": 90_000, "currency": "EUR"}});
    customer(db, "B", start, limit);
    for name in ["every-fall", "every-trend", "every-rise"] {
        let kind = name.trim_start_matches("every-");
        let fact = if kind == "fall" { "items-12m" } else { "days-beyond-terms-3m" };
        let terms = json!([{"kind": kind, "fact": fact, "bound": "1", "days": 84}]);
        let words = json!({"en": "{value}", "zh_cn": "{value}"});
        let new = json!({"severity": "info", "terms": terms, "text": words, "advice": words});
        alert_rule::put(db, name, &from(new), &author(start)).unwrap();
    }
    for number in 0..560 {
        let today = on(number);
        for (place, name) in ["A", "B", "C", "D", "E", "F"].into_iter().enumerate() {
            let turn = number - i64::try_from(place).unwrap();
            let of = |turn: i64| format!("I-{name}-{turn}");
            let more = if turn == 400 { 8 } else { 1 };
            if turn >= 0 && turn % 10 == 0 && !(name == "F" && (200..500).contains(&turn)) {
                let due = today.plus_days(20).unwrap();
                let amount = json!({"minor": 20_000 * more, "currency": "EUR"});
                let new = json!({"id": of(turn), "customer_id": name, "issued_on": today, "due_on": due, "amount": amount});
                documents::add(db, &from(new), id("x"), &author(today)).unwrap();
            }
            // How many days after its issue each pays.
            let late = |turn: i64| match (name, turn) {
                ("A", 300..) => 20 + (turn - 300) / 4,
                ("C", 360..) => 1_000,
                ("D", 250..350) => 75,
                ("E", _) => 15 + turn % 50,
                _ => 20,
            };
            for issued in (0..=turn).filter(|of| of % 10 == 0 && of + late(*of) == turn) {
                if name == "F" && (200..500).contains(&issued) {
                    continue;
                }
                let big = if issued == 400 { 8 } else { 1 };
                let amount = json!({"minor": 20_000 * big, "currency": "EUR"});
                let payment = format!("P-{name}-{issued}");
                let new = json!({"id": payment, "customer_id": name, "received_on": today, "amount": amount, "invoice_id": of(issued)});
                payments::add(db, &from(new), id("x"), &author(today)).unwrap();
                if name == "E" && issued == 330 {
                    let new = from(json!({"kind": "chargeback", "on": today}));
                    payments::reverse(db, &id(&payment), &new, id("R-1"), &author(today)).unwrap();
                }
            }
        }
        if number == 380 {
            let accounts = json!({"bank_accounts": [{"account": "DE1234"}]});
            customer(db, "D", today, accounts);
            let new = json!({"invoice_id": "I-C-360", "reason": "quality", "on": today});
            dispute::open(db, &from(new), id("D1"), &author(today)).unwrap();
        }
        if number == 500 {
            alert_rule::disable(db, "every-rise", &author(today)).unwrap();
        }
        if number >= 150 && number % 3 == 0 {
            swept(db, today);
        } else if number >= 150 {
            warn::run(db, noon(today)).unwrap();
        }
    }
    on(559)
}

#[test]
fn every_stored_alert_is_judged_again_from_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    let last = story(&db);
    let version = |named: &str| {
        let (name, version) = named.split_once('@').unwrap();
        alert_rule::get_version(&db, name, version.parse().ok()).unwrap()
    };
    let (mut taken_up, mut seen) = (0, BTreeMap::<String, (u32, u32)>::new());
    for AlertDetail { alert, basis, ending, .. } in details(&db, last) {
        let basis = basis.unwrap();
        assert_eq!(&basis.rule, &alert.evidence.rule);
        assert!(
            basis.day <= alert.opened_on,
            "one that was taken up has the day of its first record"
        );
        let key: Key = (alert.rule.clone(), alert.currency);
        let step = again(&version(&basis.rule), &key, &basis, None);
        let [opened] = &step.to_open[..] else { panic!("{alert:?} {basis:?}") };
        assert_eq!(
            (&opened.key, &opened.evidence, opened.kind),
            (&key, &alert.evidence, alert.kind)
        );
        let counts = seen.entry(alert.rule.clone()).or_default();
        counts.0 += 1;
        assert_eq!(
            ending.is_some(),
            alert.state == AlertState::Closed,
            "nobody closed any by hand"
        );
        let Some(ending) = ending else { continue };
        if ending.why == EndingReason::TakenUp {
            taken_up += 1;
            continue;
        }
        counts.1 += 1;
        assert_eq!(Some(ending.day), alert.closed_on);
        let Some(basis) = ending.basis else {
            assert_eq!(ending.why, EndingReason::OutOfUse);
            assert_eq!(alert.rule, "every-rise");
            continue;
        };
        let there = Live {
            key: key.clone(),
            evidence: alert.evidence,
            opened_on: alert.opened_on,
            severity: alert.severity,
            closed: false,
            assigned: false,
            snoozed_until: None,
            escalated: false,
            behind: None,
        };
        let step = again(&version(&basis.rule), &key, &basis, Some(&there));
        let [ended] = &step.to_end[..] else { panic!("{there:?} {basis:?}") };
        assert_eq!((&ended.key, ended.why), (&key, ending.why));
    }
    assert!(taken_up > 0, "{seen:?}");
    // Enough of every kind of term was there, opened and ended.
    for (rule, opened, ended) in [
        ("every-fall", 1, 0),
        ("every-rise", 2, 1),
        ("every-trend", 2, 1),
        ("first-overdue", 2, 2),
        ("grade-worse", 2, 1),
        ("limit-exceeded", 1, 1),
        ("overdue-long", 1, 1),
        ("payment-returned", 1, 1),
        ("unlike-before", 1, 1),
        ("concentration", 1, 1),
    ] {
        let found = seen.get(rule).copied().unwrap_or_default();
        assert!(found.0 >= opened && found.1 >= ended, "{rule} {found:?} of {seen:?}");
    }
}
