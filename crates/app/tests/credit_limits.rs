//! Who decides how much: second keys, rules that ship, cuts that alerts propose, and what is said to make an order pass,
//! followed through the real flows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, db, id, read};
use dunlin_app::{
    alert_rule,
    audit::Author,
    contract,
    credit::{check, hold, limit, policy, rule},
    customer as customers, dispute, guarantee, interest, invoice as documents,
    ledger::Change,
    payment as payments, sweep,
};
use dunlin_domain::{
    Instant, Refusal,
    contract::{credit::*, types::Language},
};
use dunlin_store::{Fault, native::NativeDb};
use proptest::prelude::*;
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
    customer(&db, "C", json!({"credit_limit": eur(10)}));
    customer(&db, "D", json!({}));
    thresholds(&db, json!([eur(1_000)]));
    set_limit(&db, "D", "L1", json!({"minor": 5_000}));
    customers::merge(&db, &id("D"), &id("C"), &author()).unwrap();
    let code = refused(decide(&db, "L1", LimitState::Approved, "other")).0;
    // The merge turned it down.
    assert_eq!(code, Refusal::WrongState);
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

fn swept(db: &NativeDb, on: &str) {
    let mut tick = sweep::Tick::begin(db, Some(day(on)), id("owner"), noon()).unwrap();
    loop {
        match tick.step(db, noon()).unwrap() {
            sweep::Step::More => {}
            sweep::Step::Deliver => {
                tick.delivered(db, dunlin_app::remind::Handed::default(), true, noon()).unwrap();
            }
            sweep::Step::Done => break,
        }
    }
    tick.end(db).unwrap();
}

#[test]
fn a_grave_alert_proposes_a_cut_of_what_is_in_force_whatever_it_is() {
    let (_folder, db) = db();
    let texts = json!({"en": "Late.", "zh_cn": "逾期。"});
    let late = json!({"severity": "critical", "text": texts, "advice": texts,
        "terms": [{"kind": "above", "fact": "overdue-share", "bound": "0.5"}]});
    alert_rule::put(&db, "half-late", &read(late), &author()).unwrap();
    rate(&db, "fx-usd-eur", "0.9");
    customer(&db, "H", json!({"credit_limit": eur(1_000)}));
    customer(&db, "Group", json!({"parent_id": "H"}));
    for name in ["Same", "Raise", "Dollars", "Season", "Free", "Ahead"] {
        customer(&db, name, json!({}));
    }
    for name in ["Same", "Raise", "Dollars", "Season", "Free", "Group", "Ahead"] {
        let more = json!({"due_on": "2024-06-10", "amount": eur(200)});
        invoice(&db, &format!("I-{name}"), name, more);
    }
    for name in ["Same", "Raise", "Season", "Ahead"] {
        set_limit(&db, name, &format!("L-{name}"), json!({"minor": 1_000, "from": "2024-01-01"}));
    }
    set_limit(
        &db,
        "Dollars",
        "L-D",
        json!({"minor": 1_000, "currency": "USD", "from": "2024-01-01"}),
    );
    set_limit(&db, "Free", "L-F", json!({"unlimited": true, "from": "2024-01-01"}));
    let advent =
        json!({"kind": "temporary", "minor": 90_000, "from": "2024-06-01", "to": "2024-08-30"});
    set_limit(&db, "Season", "L-T", advent);
    for (made, more) in [
        ("L-A1", json!({"minor": 80_000, "from": "2024-07-20"})),
        ("L-A2", json!({"minor": 70_000, "from": "2024-07-20"})),
        ("L-A3", json!({"minor": 300, "from": "2024-08-20"})),
        ("L-A4", json!({"minor": 900, "from": "2024-09-20", "to": "2024-09-30"})),
        (
            "L-A5",
            json!({"kind": "temporary", "minor": 200, "from": "2024-07-20", "to": "2024-07-21"}),
        ),
    ] {
        set_limit(&db, "Ahead", made, more);
    }
    // The policy grants everybody the limit that is there already.
    let line = |grade: &str| json!({"grade": grade, "turnover_share": "10", "cap_minor": 1_000});
    let lines = ["A", "B", "C", "D", "E"].map(line);
    let new = json!({"currency": "EUR", "lines": lines,
        "second_key_from": [eur(5_000)]});
    policy::publish(&db, &read(new), &author()).unwrap();
    set_limit(&db, "Raise", "L-R", json!({"minor": 200_000}));
    swept(&db, "2024-06-30");
    let run = |when: &str| {
        let author = Author { at: when.parse().unwrap(), ..author() };
        hold::run(&db, &author).unwrap().limits_proposed
    };
    assert_eq!((run(NOON), run(NOON)), (7, 0));
    let cut = |name: &str| {
        let pending = standing(&db, name).pending;
        let cut = pending.into_iter().find(|of| of.source == LimitSource::Alert).unwrap();
        (format!("{} {}", cut.minor, cut.currency), cut.id)
    };
    for (name, wanted) in [
        ("Same", "500 EUR"),
        ("Raise", "500 EUR"),
        ("Dollars", "500 USD"),
        ("Season", "500 EUR"),
        ("Free", "1000 EUR"),
        ("Group", "500 EUR"),
        ("Ahead", "500 EUR"),
    ] {
        let (found, made) = cut(name);
        assert_eq!(found, wanted, "{name}");
        decide(&db, made.as_str(), LimitState::Approved, "other").unwrap();
    }
    for (name, wanted) in [
        ("Same", "500 EUR"),
        ("Raise", "500 EUR, 1 waits"),
        ("Dollars", "500 USD"),
        ("Season", "500 EUR"),
        ("Free", "1000 EUR"),
        ("Group", "500 EUR"),
    ] {
        assert_eq!(counts(&db, name), wanted, "{name}");
    }
    for (day, wanted) in [
        ("2024-07-19", 500),
        ("2024-07-20", 200),
        ("2024-07-22", 500),
        ("2024-08-20", 300),
        ("2024-09-20", 500),
        ("2024-10-01", 300),
    ] {
        let day: dunlin_domain::Date = day.parse().unwrap();
        let found = limit::standing(&db, &id("Ahead"), Some(day), Some(Language::En), noon());
        assert_eq!(found.unwrap().effective.unwrap().minor, Some(wanted), "{day}");
    }
    // The next day the same alerts cut nothing further.
    assert_eq!(run("2024-07-01T12:00:00Z"), 0);
}

#[test]
fn a_cut_that_is_approved_raises_nothing_and_leaves_nothing_higher() {
    let (_folder, db) = db();
    let texts = json!({"en": "Late.", "zh_cn": "逾期。"});
    let late = json!({"severity": "critical", "text": texts, "advice": texts,
        "terms": [{"kind": "above", "fact": "overdue-share", "bound": "0.5"}]});
    alert_rule::put(&db, "half-late", &read(late), &author()).unwrap();
    rate(&db, "fx-usd-eur", "0.9");
    rate(&db, "fx-eur-usd", "1.11");
    let line = |grade: &str| json!({"grade": grade, "turnover_share": "10", "cap_minor": 900_000});
    let lines = ["A", "B", "C", "D", "E"].map(line);
    policy::publish(&db, &read(json!({"currency": "EUR", "lines": lines})), &author()).unwrap();
    let season = |minor: i64, from: &str, to: &str| json!({"kind": "temporary", "minor": minor, "from": from, "to": to});
    let always = json!({"minor": 1_000, "from": "2024-01-01"});
    let books = [
        // What is lower in another currency stays, what is higher comes down.
        (
            "Other",
            vec![
                always.clone(),
                with(season(100, "2024-06-01", "2024-07-05"), json!({"currency": "USD"})),
                json!({"minor": 10, "currency": "USD", "from": "2024-07-20"}),
                json!({"minor": 600, "currency": "USD", "from": "2024-08-20"}),
            ],
        ),
        (
            "Nested",
            vec![
                always.clone(),
                season(3_000, "2024-06-01", "2024-08-09"),
                season(2_000, "2024-06-20", "2024-07-02"),
            ],
        ),
        ("Season", vec![season(1_000, "2024-06-01", "2024-07-30")]),
        (
            "Ends",
            vec![
                json!({"minor": 8_000, "from": "2024-01-01"}),
                json!({"minor": 1_000, "from": "2024-06-01", "to": "2024-07-10"}),
            ],
        ),
        (
            "Zero",
            vec![
                json!({"minor": 0, "from": "2024-01-01"}),
                season(1_000, "2024-06-01", "2024-07-30"),
            ],
        ),
    ];
    for (name, limits) in &books {
        customer(&db, name, json!({}));
        invoice(
            &db,
            &format!("I-{name}"),
            name,
            json!({"due_on": "2024-06-10", "amount": eur(200)}),
        );
        for (number, limit) in limits.iter().enumerate() {
            set_limit(&db, name, &format!("L-{name}-{number}"), limit.clone());
        }
    }
    swept(&db, "2024-06-30");
    hold::run(&db, &author()).unwrap();
    for (name, _) in &books {
        let pending = standing(&db, name).pending;
        let cut = pending.into_iter().find(|of| of.source == LimitSource::Alert).unwrap();
        decide(&db, cut.id.as_str(), LimitState::Approved, "other").unwrap();
    }
    for (name, on, wanted) in [
        ("Other", "2024-06-30", "100 USD"),
        ("Other", "2024-07-06", "500 EUR"),
        ("Other", "2024-07-20", "10 USD"),
        ("Other", "2024-08-20", "500 EUR"),
        ("Nested", "2024-07-02", "500 EUR"),
        ("Nested", "2024-07-03", "500 EUR"),
        ("Nested", "2024-08-10", "500 EUR"),
        ("Season", "2024-07-30", "500 EUR"),
        ("Season", "2024-07-31", "expired"),
        ("Ends", "2024-07-10", "500 EUR"),
        ("Ends", "2024-07-11", "500 EUR"),
        ("Zero", "2024-07-30", "500 EUR"),
        ("Zero", "2024-07-31", "0 EUR"),
    ] {
        let found = limit::standing(&db, &id(name), Some(day(on)), Some(Language::En), noon());
        let found = found.unwrap();
        let told = found.effective.map(|of| format!("{} {}", of.minor.unwrap(), of.currency));
        let told = if found.expired { Some("expired".into()) } else { told };
        assert_eq!(told.as_deref(), Some(wanted), "{name} {on}");
    }
}

/// A book at random: what a customer owes, what secures it, and what bounds it.
#[derive(Clone, Debug)]
struct Book {
    /// Of the customer's own: unlimited when absent, temporary when so.
    own: Option<(i64, bool)>,
    /// Of its group, and what the head and another member owe.
    group: Option<(i64, i64, i64)>,
    /// Amount, days from the fifth of June to its due date, how much is contested, whether it is under the contract.
    invoices: Vec<(i64, i64, i64, bool)>,
    /// Of all debts or of the contract's: how much, which percentage.
    guarantees: Vec<(bool, i64, i64)>,
    /// What may be overdue, or no item at all.
    late: Option<Option<i64>>,
    asked: i64,
    /// The order in which money is set off, where it is not the oldest due first.
    order: Option<&'static str>,
}

const ORDERS: [&str; 3] = ["newest-due-first", "prc-civil-code-560-561", "interest-first"];

fn book() -> impl Strategy<Value = Book> {
    let invoice = (1i64..80, 0i64..60, 0i64..100, prop::bool::ANY);
    let invoice = invoice.prop_map(|(minor, due, contested, under)| {
        (minor * 100, due, (contested - 60).max(0).min(minor) * 100, under)
    });
    let guarantee = (prop::bool::ANY, 1i64..80, 1i64..=4);
    (
        prop::option::weighted(0.9, (0i64..120, prop::bool::weighted(0.2))),
        prop::option::weighted(0.4, (0i64..150, 0i64..100, 0i64..60)),
        prop::collection::vec(invoice, 0..5),
        prop::collection::vec(guarantee, 0..3),
        prop::option::weighted(0.3, prop::option::of(0i64..50)),
        1i64..100,
        prop::option::weighted(0.3, prop::sample::select(&ORDERS[..])),
    )
        .prop_map(|(own, group, invoices, guarantees, late, asked, order)| Book {
            order,
            own: own.map(|(minor, temporary)| (minor * 100, temporary)),
            group: group.map(|(minor, head, other)| (minor * 100, head * 100, other * 100)),
            invoices,
            guarantees: guarantees
                .into_iter()
                .map(|(all, minor, share)| (all, minor * 100, share * 25))
                .collect(),
            late: late.map(|most| most.map(|most| most * 100)),
            asked: asked * 100,
        })
}

impl Book {
    fn written(&self) -> (tempfile::TempDir, NativeDb) {
        let (folder, db) = db();
        customer(&db, "H", json!({}));
        match self.group {
            None => customer(&db, "C", json!({})),
            Some((limit, head, other)) => {
                customer(&db, "C", json!({"parent_id": "H"}));
                set_limit(
                    &db,
                    "H",
                    "LH",
                    json!({"kind": "group", "minor": limit, "from": "2024-01-01"}),
                );
                customer(&db, "M", json!({"parent_id": "H"}));
                for (name, of, owed) in [("IH", "H", head), ("IM", "M", other)] {
                    if owed > 0 {
                        invoice(&db, name, of, json!({"amount": eur(owed)}));
                    }
                }
            }
        }
        let own = match self.own {
            None => json!({"unlimited": true, "from": "2024-01-01"}),
            Some((minor, false)) => {
                json!({"minor": minor, "mandatory": true, "from": "2024-01-01"})
            }
            Some((minor, true)) => json!({"kind": "temporary", "minor": minor, "mandatory": true,
                "from": "2024-01-01", "to": "2024-12-31"}),
        };
        set_limit(&db, "C", "LC", own);
        let new = json!({"customer_id": "C", "effective_on": "2024-01-01"});
        contract::put(&db, &id("K"), &read(new), &author()).unwrap();
        for (at, (minor, due, contested, under)) in self.invoices.iter().enumerate() {
            let name = format!("I{at}");
            let due = day("2024-06-05").plus_days(*due).unwrap().to_string();
            let more = json!({"due_on": due, "amount": eur(*minor)});
            let of = if *under { json!({"contract_id": "K"}) } else { json!({}) };
            invoice(&db, &name, "C", with(more, of));
            if *contested > 0 {
                let new = json!({"id": format!("D{at}"), "invoice_id": name, "reason": "price",
                    "minor": contested, "on": "2024-06-01"});
                dispute::open(&db, &read(new), id("made"), &author()).unwrap();
            }
        }
        for (at, (all, minor, percent)) in self.guarantees.iter().enumerate() {
            let of = if *all { json!({}) } else { json!({"contract_id": "K"}) };
            let share = format!("0.{percent:02}").replace("0.100", "1");
            secure(
                &db,
                &format!("G{at}"),
                with(json!({"amount": eur(*minor), "share": share}), of),
            );
        }
        if let Some(order) = self.order {
            dunlin_app::policy::put(&db, &read(json!({"order": order})), &author()).unwrap();
        }
        match self.late {
            None => {}
            Some(None) => {
                put_rule(&db, "late", json!({"kind": "days-overdue"})).unwrap();
            }
            Some(Some(most)) => {
                put_rule(&db, "late", json!({"kind": "overdue-amount", "amount": eur(most)}))
                    .unwrap();
            }
        }
        (folder, db)
    }

    /// Whether the order is held after something was done.
    fn held(&self, done: impl FnOnce(&NativeDb)) -> bool {
        let (_folder, db) = self.written();
        done(&db);
        ask(&db, "C", self.asked).verdict >= Verdict::Hold
    }
}

fn secure(db: &NativeDb, name: &str, more: Value) {
    let new = json!({"customer_id": "C", "kind": "guarantor", "party": "Bank", "valid_from": "2024-01-01"});
    guarantee::put(db, &id(name), &read(with(new, more)), &author()).unwrap();
}

fn pay(db: &NativeDb, name: &str, more: Value) {
    let new = json!({"id": name, "customer_id": "C", "received_on": "2024-06-30"});
    payments::add(db, &read(with(new, more)), id("made"), &author()).unwrap();
}

/// Sets the limits that were named, less something.
fn raise(db: &NativeDb, limits: [(&Option<NeededLimit>, i64); 2]) {
    for (at, (limit, less)) in limits.into_iter().enumerate() {
        let Some(limit) = limit else { continue };
        let new = json!({"kind": limit.kind, "minor": limit.minor - less, "currency": limit.currency,
            "mandatory": true, "from": "2024-01-01", "to": (limit.kind == LimitKind::Temporary).then_some("2024-12-31")});
        let new = limit::put(db, &limit.customer, &read(new), &id(&format!("N{at}")), &author());
        new.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]

    /// Who does what is said to make an order pass gets it, and who does one less does not.
    #[test]
    fn what_is_said_to_make_it_pass_is_followed_and_it_passes(book in book()) {
        let (_folder, db) = book.written();
        let told = ask(&db, "C", book.asked);
        let Some(way) = told.would_pass_if else { return Ok(()) };
        let amount = |minor: i64| json!({"amount": eur(minor)});
        if let Some(most) = way.amount {
            let of = |asked: i64| Book { asked, ..book.clone() }.held(|_| ());
            prop_assert!(!of(most.minor) && of(most.minor + 1), "order {most:?}");
        }
        if let Some(least) = way.prepayment {
            let paid = |minor: i64| {
                book.held(|db| if minor > 0 { pay(db, "P", amount(minor)) })
            };
            prop_assert!(!paid(least.minor), "prepay {least:?}");
            // Under another order less may be enough by what it happens to go to.
            prop_assert!(book.order.is_some() || paid(least.minor - 1), "prepay {least:?}");
        }
        if let Some(least) = way.guarantee {
            let brought = |minor: i64| {
                book.held(|db| if minor > 0 { secure(db, "GN", amount(minor)) })
            };
            prop_assert!(!brought(least.minor) && brought(least.minor - 1), "guarantee {least:?}");
        }
        let set = |own: i64, group: i64| {
            book.held(|db| raise(db, [(&way.limit, own), (&way.group_limit, group)]))
        };
        if way.limit.is_some() || way.group_limit.is_some() {
            prop_assert!(!set(0, 0), "limits {:?} {:?}", way.limit, way.group_limit);
            prop_assert!(way.limit.is_none() || set(1, 0), "less of {:?}", way.limit);
            prop_assert!(way.group_limit.is_none() || set(0, 1), "less of {:?}", way.group_limit);
        }
        let settled = |left_out: Option<&Contribution>| {
            book.held(|db| {
                for of in way.invoices.iter().filter(|of| Some(*of) != left_out) {
                    let named = json!({"invoice_id": of.id});
                    pay(db, &format!("P-{}", of.id), with(amount(of.minor), named));
                }
            })
        };
        if !way.invoices.is_empty() {
            prop_assert!(!settled(None), "invoices {:?}", way.invoices);
            for of in &way.invoices {
                prop_assert!(settled(Some(of)), "{:?} without {:?}", way.invoices, of.id);
            }
        }
        // The others of its group pay, the last of them so much less.
        let brought = |less: i64| {
            book.held(|db| {
                let last = way.members.len() - 1;
                for (at, of) in way.members.iter().enumerate() {
                    let minor = of.minor - if at == last { less } else { 0 };
                    if minor > 0 {
                        let of = json!({"customer_id": of.customer, "amount": eur(minor)});
                        pay(db, &format!("P{at}"), of);
                    }
                }
            })
        };
        if !way.members.is_empty() {
            prop_assert!(way.invoices.is_empty() && !brought(0) && brought(1), "{:?}", way.members);
        }
    }
}

#[test]
fn what_a_group_stands_for_is_told_member_by_member() {
    let (_folder, db) = db();
    customer(&db, "H", json!({"credit_limit": eur(10_000)}));
    customer(&db, "C", json!({"parent_id": "H"}));
    customer(&db, "Idle", json!({"parent_id": "H"}));
    invoice(&db, "IH", "H", json!({"amount": eur(5_000)}));
    invoice(&db, "IC", "C", json!({"amount": eur(1_000)}));
    secure(&db, "G", json!({"amount": eur(90_000), "share": "0.3"}));
    let exposure = check::exposure(&db, &id("C"), None, noon()).unwrap();
    assert_eq!((exposure.total_minor, exposure.group_minor), (700, Some(5_700)));
    let secured = &exposure.parts.last().unwrap().documents[0];
    assert_eq!((secured.id.as_str(), secured.minor), ("G", -300));
    let members: Vec<(&str, i64)> =
        exposure.members.iter().map(|of| (of.customer.as_str(), of.total_minor)).collect();
    assert_eq!(members, [("H", 5_000)]);
    let open = &exposure.members[0].parts[0];
    assert_eq!(
        (open.component, open.minor, open.left_off),
        (ExposureComponent::OpenInvoices, 5_000, 1)
    );
    let alone = check::exposure(&db, &id("Idle"), None, noon()).unwrap();
    assert_eq!(alone.members.len(), 2);
}

#[test]
fn a_simulation_names_whose_limits_fall_most() {
    let (_folder, db) = db();
    for (name, limit) in [("A", 400), ("B", 900), ("D", 100)] {
        customer(&db, name, json!({"credit_limit": eur(limit)}));
        invoice(&db, &format!("I{name}"), name, json!({"amount": eur(300)}));
    }
    customer(&db, "C", json!({}));
    secure(&db, "G", json!({"amount": eur(1_001), "share": "0.5"}));
    let line = json!({"turnover_share": "1", "guarantee_share": "1", "cap_minor": 1_000});
    let new: LimitPolicy = read(json!({"currency": "EUR", "lines": [line]}));
    let found = policy::simulate(&db, &new, None, noon()).unwrap();
    let falls: Vec<_> = found
        .falls
        .iter()
        .map(|of| (of.customer.as_str(), of.now_minor, of.proposed_minor, of.outstanding_minor))
        .collect();
    assert_eq!(falls, [("B", Some(900), 300, 300), ("A", Some(400), 300, 300)]);
    // The guarantee counts with its share: 300 three times and 500.
    assert_eq!((found.proposed_minor, found.raised, found.first), (1_400, 1, 1));
}

#[test]
fn a_cut_to_nothing_by_a_review_does_not_give_the_limit_of_the_group() {
    let (_folder, db) = db();
    customer(&db, "H", json!({"credit_limit": eur(90_000)}));
    customer(&db, "C", json!({"parent_id": "H"}));
    customer(&db, "Free", json!({"parent_id": "H"}));
    set_limit(&db, "C", "L1", json!({"minor": 12_000, "from": "2024-01-01"}));
    for of in ["C", "Free"] {
        invoice(&db, &format!("I-{of}"), of, json!({"due_on": "2024-07-31", "amount": eur(900)}));
    }
    // 900 of turnover is less than a step.
    let new = json!({"currency": "EUR", "step_minor": 1_000, "second_key_from": [eur(50_000)],
        "lines": [{"turnover_share": "1", "cap_minor": 90_000}]});
    policy::publish(&db, &read(new), &author()).unwrap();
    assert_eq!(policy::review(&db, 0, &author()).unwrap().proposed, 3);
    let waiting = |of: &str| standing(&db, of).pending.remove(0);
    assert_eq!((waiting("C").minor, waiting("C").mandatory), (0, true));
    // Who has none of its own is not cut off from the group's.
    assert_eq!((waiting("Free").minor, waiting("Free").mandatory), (0, false));
    // A cut, which the key that asked for it may approve.
    decide(&db, waiting("C").id.as_str(), LimitState::Approved, "tester").unwrap();
    assert_eq!(counts(&db, "C"), "0 EUR");
    assert_eq!(ask(&db, "C", 1).verdict, Verdict::Hold);
}

#[test]
fn who_had_only_a_temporary_limit_is_held_when_it_has_ended() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    let new =
        json!({"kind": "temporary", "minor": 5_000, "from": "2024-06-01", "to": "2024-06-30"});
    set_limit(&db, "C", "L1", new);
    let on = |when: &str| {
        let question = read(json!({"customer": "C", "amount": eur(5_000)}));
        check::simulate(&db, &question, None, Some(Language::En), when.parse().unwrap()).unwrap()
    };
    assert_eq!(on(NOON).verdict, Verdict::Warn);
    let after = on("2024-07-01T12:00:00Z");
    assert_eq!(after.verdict, Verdict::Hold);
    assert_eq!(after.reasons[0].rule, id("limit-expired"));
}

#[test]
fn money_in_advance_that_was_asked_for_is_enough_under_every_order() {
    for order in ORDERS {
        let (_folder, db) = db();
        dunlin_app::policy::put(&db, &read(json!({"order": order})), &author()).unwrap();
        customer(&db, "C", json!({"credit_limit": eur(90_000)}));
        let new = json!({"customer_id": "C", "effective_on": "2024-01-01", "secured": true});
        contract::put(&db, &id("K"), &read(new), &author()).unwrap();
        let old = json!({"due_on": "2024-05-10", "amount": eur(10_000), "contract_id": "K"});
        invoice(&db, "Old", "C", old);
        invoice(&db, "New", "C", json!({"due_on": "2024-06-25", "amount": eur(10_000)}));
        put_rule(&db, "late", json!({"kind": "days-overdue", "more_than": "30"})).unwrap();
        let held = ask(&db, "C", 100);
        let way = held.would_pass_if.unwrap();
        assert_eq!(way.invoices[0].id, id("Old"), "{order}");
        let amount = way.prepayment.unwrap();
        pay(&db, "P", json!({"amount": amount}));
        assert_eq!(ask(&db, "C", 100).verdict, Verdict::Pass, "{order} {amount:?}");
    }
}

#[test]
fn who_stays_in_a_merge_is_bound_by_what_bound_the_one_that_goes() {
    let (_folder, db) = db();
    thresholds(&db, json!([eur(50_000)]));
    for (name, more) in [
        ("Head", json!({})),
        ("Member", json!({"parent_id": "Head"})),
        ("Bare", json!({})),
        ("Dated", json!({})),
        ("Recorded", json!({"credit_limit": eur(70_000)})),
        ("Free", json!({})),
        ("Full", json!({"credit_limit": eur(500)})),
        ("A", json!({})),
        ("B", json!({})),
        ("C", json!({})),
    ] {
        customer(&db, name, more);
    }
    set_limit(&db, "Head", "L1", json!({"kind": "group", "minor": 10_000, "from": "2024-01-01"}));
    set_limit(&db, "Dated", "L2", json!({"minor": 10_000, "from": "2024-01-01"}));
    set_limit(&db, "Dated", "L3", json!({"minor": 9_000, "from": "2024-07-10"}));
    set_limit(&db, "Dated", "L4", json!({"minor": 8_000, "from": "2024-07-10"}));
    set_limit(&db, "Free", "L5", json!({"unlimited": true, "from": "2024-01-01"}));
    decide(&db, "L5", LimitState::Approved, "other").unwrap();
    let late = |more: Value| with(json!({"kind": "order-amount", "amount": eur(40)}), more);
    put_rule(&db, "of-group", late(json!({"group": "Head"}))).unwrap();
    let statuses = json!({"kind": "worsened-terms", "customer": "Dated"});
    put_rule(&db, "of-dated", statuses).unwrap();
    put_rule(&db, "none", json!({"kind": "limit-used", "customer": "Dated", "exclude": true}))
        .unwrap();
    let merge = |from: &str, into: &str| {
        customers::merge(&db, &id(from), &id(into), &author()).unwrap();
    };
    assert_eq!(ask(&db, "Member", 50_000).verdict, Verdict::Hold);
    merge("Head", "Bare");
    let held = ask(&db, "Member", 50_000);
    let rules: Vec<&str> = held.reasons.iter().map(|of| of.rule.as_str()).collect();
    assert_eq!(rules[..3], ["of-group", "limit-used", "limit-used"]);
    assert_eq!(held.reasons[0].level, RuleLevel::Group);
    assert_eq!(counts(&db, "Member"), "10000 EUR");
    // Of one by one: dated ones with all that is to come, and the record's as far as it counts.
    merge("Dated", "A");
    merge("Recorded", "B");
    merge("Free", "C");
    assert_eq!(counts(&db, "A"), "10000 EUR");
    let on = |of: &str, day: &str| {
        let day: dunlin_domain::Date = day.parse().unwrap();
        let found = limit::standing(&db, &id(of), Some(day), Some(Language::En), noon()).unwrap();
        found.effective.and_then(|limit| limit.minor)
    };
    assert_eq!(on("A", "2024-07-10"), Some(8_000));
    assert_eq!(counts(&db, "B"), "49999 EUR");
    assert_eq!(counts(&db, "C"), "none");
    let level = rule::get(&db, &id("of-dated")).unwrap();
    assert_eq!((level.rule.customer, level.version), (Some(id("A")), 2));
    // A rule that takes a limit out stays behind.
    assert_eq!(rule::get(&db, &id("none")).unwrap().rule.customer, Some(id("Dated")));
    assert_eq!(ask(&db, "A", 10_001).verdict, Verdict::Hold);
    // Who has a limit keeps its own.
    merge("A", "Full");
    assert_eq!(counts(&db, "Full"), "500 EUR");
}

#[test]
fn limits_go_along_in_a_merge_for_the_days_on_which_who_stays_has_none() {
    let (_folder, db) = db();
    rate(&db, "fx-usd-eur", "0.9");
    rate(&db, "fx-eur-usd", "1.11");
    let always = |minor: i64| json!({"minor": minor, "from": "2024-01-01"});
    let group = |minor: i64| with(always(minor), json!({"kind": "group"}));
    let free = |from: &str, to: &str| json!({"unlimited": true, "from": from, "to": to});
    // Name, parent, limits.
    for (name, parent, limits) in [
        ("OfGroup-Head", "", vec![group(10_000)]),
        ("OfGroup-Goes", "OfGroup-Head", vec![always(0)]),
        ("OfGroup-Stays", "", vec![]),
        ("Least-Head", "", vec![group(10_000)]),
        ("Least-Goes", "Least-Head", vec![always(50_000)]),
        ("Least-Stays", "", vec![]),
        ("Same-Head", "", vec![group(10_000)]),
        ("Same-Goes", "Same-Head", vec![always(0)]),
        ("Same-Stays", "Same-Head", vec![]),
        ("Ahead-Goes", "", vec![always(1_000)]),
        ("Ahead-Stays", "", vec![json!({"minor": 5_000, "from": "2024-07-10"})]),
        ("Later-Goes", "", vec![always(1_000), json!({"unlimited": true, "from": "2024-07-10"})]),
        ("Later-Stays", "", vec![]),
        (
            "Until-Goes",
            "",
            vec![
                always(1_000),
                with(free("2024-06-01", "2024-07-03"), json!({"kind": "temporary"})),
            ],
        ),
        ("Until-Stays", "", vec![]),
        (
            "Over-Goes",
            "",
            vec![free("2024-06-01", "2024-06-29"), json!({"minor": 1_000, "from": "2024-06-30"})],
        ),
        ("Over-Stays", "", vec![]),
        ("Zero-Goes", "", vec![always(0)]),
        ("Zero-Head", "", vec![group(90_000)]),
        ("Zero-Stays", "Zero-Head", vec![]),
        ("Ended-Goes", "", vec![with(always(1_000), json!({"to": "2024-06-20"}))]),
        ("Ended-Stays", "", vec![]),
        ("Record-Goes", "", vec![group(10_000)]),
        ("Record-Member", "Record-Goes", vec![]),
        ("Record-Stays", "", vec![]),
    ] {
        let mut record = json!({});
        if !parent.is_empty() {
            record = json!({"parent_id": parent});
        }
        if name == "Record-Stays" {
            record = json!({"credit_limit": eur(500)});
        }
        customer(&db, name, record);
        for (number, limit) in limits.into_iter().enumerate() {
            set_limit(&db, name, &format!("L-{name}-{number}"), limit);
        }
    }
    for (case, wanted) in [
        ("OfGroup", vec![("2024-06-30", "10000"), ("2024-09-01", "10000")]),
        ("Least", vec![("2024-06-30", "10000")]),
        ("Same", vec![("2024-06-30", "10000")]),
        ("Ahead", vec![("2024-06-30", "1000"), ("2024-07-09", "1000"), ("2024-07-10", "5000")]),
        ("Later", vec![("2024-06-30", "1000"), ("2024-07-10", "1000")]),
        ("Until", vec![("2024-07-03", "none"), ("2024-07-04", "1000")]),
        ("Over", vec![("2024-06-29", "none"), ("2024-06-30", "1000")]),
        ("Zero", vec![("2024-06-30", "0")]),
        ("Ended", vec![("2024-06-30", "none expired")]),
        ("Record", vec![("2024-06-30", "500")]),
    ] {
        let stays = id(&format!("{case}-Stays"));
        customers::merge(&db, &id(&format!("{case}-Goes")), &stays, &author()).unwrap();
        for (on, wanted) in wanted {
            assert_eq!(told(&db, stays.as_str(), on), wanted, "{case} {on}");
        }
    }
}

/// What counts on a day: `1000`, `none expired`.
fn told(db: &NativeDb, of: &str, on: &str) -> String {
    let found = limit::standing(db, &id(of), Some(day(on)), Some(Language::En), noon()).unwrap();
    let told = match found.effective {
        None => "none".to_string(),
        Some(of) => of.minor.map_or("unlimited".into(), |minor| minor.to_string()),
    };
    if found.expired { format!("{told} expired") } else { told }
}

#[test]
fn who_was_bound_by_a_group_stays_bound_when_a_merge_dissolves_it() {
    let (_folder, db) = db();
    let always = |minor: i64| json!({"minor": minor, "from": "2024-01-01"});
    let group = |minor: i64| with(always(minor), json!({"kind": "group"}));
    // In every case a head with a group limit, its only member, and somebody beside them.
    let none = Vec::<Value>::new;
    for (case, head, member, merged, bound) in [
        ("Up", vec![group(1_000)], none(), ("M", "H"), vec![("H", "1000")]),
        ("Down", vec![group(1_000)], none(), ("H", "M"), vec![("M", "1000")]),
        ("UpOwn", vec![group(1_000)], vec![always(2_000)], ("M", "H"), vec![("H", "1000")]),
        ("DownOwn", vec![group(1_000), always(3_000)], none(), ("H", "M"), vec![("M", "1000")]),
        ("Less", vec![group(1_000), always(300)], none(), ("M", "H"), vec![("H", "300")]),
        ("Out", vec![group(1_000)], none(), ("M", "X"), vec![("H", "1000"), ("X", "1000")]),
        (
            "OutOwn",
            vec![group(1_000), always(3_000)],
            vec![always(200)],
            ("M", "X"),
            vec![("H", "1000"), ("X", "200")],
        ),
        // Nobody was bound by the group.
        ("Free", none(), vec![always(700)], ("M", "X"), vec![("H", "none"), ("X", "700")]),
        ("Unlimited", none(), none(), ("H", "M"), vec![("M", "none")]),
    ] {
        let name = |of: &str| format!("{case}-{of}");
        for (of, limits) in [("H", head), ("M", member), ("X", none())] {
            let parent = (of == "M").then(|| name("H"));
            customer(&db, &name(of), json!({"parent_id": parent}));
            for (number, limit) in limits.into_iter().enumerate() {
                set_limit(&db, &name(of), &format!("L-{case}-{of}-{number}"), limit);
            }
        }
        customers::merge(&db, &id(&name(merged.0)), &id(&name(merged.1)), &author()).unwrap();
        for (of, wanted) in bound {
            for on in ["2024-06-30", "2025-06-30"] {
                assert_eq!(told(&db, &name(of), on), wanted, "{case} {of} {on}");
            }
        }
    }
    assert_eq!(ask(&db, "Out-H", 1_001).verdict, Verdict::Hold);
    assert_eq!(ask(&db, "Out-H", 1_000).verdict, Verdict::Warn);
    // In the currency of one's own limit, and never without a rate.
    customer(&db, "Dollars-H", json!({}));
    customer(&db, "Dollars-M", json!({"parent_id": "Dollars-H"}));
    set_limit(&db, "Dollars-H", "L-D1", with(group(1_000), json!({"currency": "USD"})));
    // A record says what it says, also where it cannot be compared.
    customer(&db, "Dollars-H", json!({"credit_limit": eur(5_000)}));
    let merge = || customers::merge(&db, &id("Dollars-M"), &id("Out-X"), &author());
    assert_eq!(refused(merge()).0, Refusal::RateMissing);
    rate(&db, "fx-usd-eur", "0.9");
    merge().unwrap();
    assert_eq!(counts(&db, "Dollars-H"), "900 EUR");
    // That of the head's record alike.
    customer(&db, "H", json!({"credit_limit": eur(1_000)}));
    customer(&db, "M", json!({"parent_id": "H"}));
    customers::merge(&db, &id("H"), &id("M"), &author()).unwrap();
    assert_eq!(counts(&db, "M"), "1000 EUR");
    // What bounds a bystander is in the ledger, with the entry of the merge.
    let ledger = dunlin_store::credit_limit::list(&db, i64::MAX, 9, Some(&id("Out-H")), None, None);
    let ledger = ledger.unwrap();
    let of = |(_, of): &(i64, Limit)| (of.kind, of.minor, of.from, of.asked_by.clone());
    let merged = (LimitKind::Individual, 1_000, day("2024-06-30"), "tester".to_string());
    assert_eq!((ledger.len(), of(&ledger[0])), (2, merged));
}

#[test]
fn groups_that_a_merge_joins_bind_all_who_were_in_either() {
    let (_folder, db) = db();
    let always = |minor: i64| json!({"minor": minor, "from": "2024-01-01"});
    let group = |minor: i64| with(always(minor), json!({"kind": "group"}));
    // Limits of the groups, and what each member has of its own.
    for (case, goes, stays, own, wanted) in [
        ("None", Some(7_000), None, None, ["7000", "7000"]),
        // Zero bound its member as long as its group had no limit.
        ("Zero", Some(7_000), None, Some(0), ["7000", "0"]),
        ("Lower", Some(1_000), Some(5_000), None, ["1000", "5000"]),
        ("Higher", Some(9_000), Some(5_000), None, ["5000", "5000"]),
        ("Own", Some(1_000), Some(5_000), Some(2_000), ["1000", "2000"]),
    ] {
        let name = |of: &str| format!("{case}-{of}");
        for (head, member, limit) in [("H", "M", goes), ("G", "N", stays)] {
            customer(&db, &name(head), json!({}));
            customer(&db, &name(member), json!({"parent_id": name(head)}));
            if let Some(limit) = limit {
                set_limit(&db, &name(head), &format!("L-{case}-{head}"), group(limit));
            }
            if let Some(own) = own {
                set_limit(&db, &name(member), &format!("L-{case}-{member}"), always(own));
            }
        }
        customers::merge(&db, &id(&name("H")), &id(&name("G")), &author()).unwrap();
        for (of, wanted) in ["M", "N"].iter().zip(wanted) {
            assert_eq!(told(&db, &name(of), "2024-06-30"), wanted, "{case} {of}");
        }
    }
}

/// A limit before it is named: kind, amount, first day, for how long, unlimited and mandatory, dollars.
type Drawn = (&'static str, i64, i64, Option<i64>, (bool, bool), bool);

/// Who is there, with parents by place, what their records say, and their limits.
#[derive(Clone, Debug)]
struct Family {
    parents: Vec<Option<usize>>,
    records: Vec<Option<i64>>,
    limits: Vec<(usize, Drawn)>,
    merged: (usize, usize),
}

/// Two heads, four others in one of their groups or in none.
const PEOPLE: [&str; 6] = ["H", "G", "a", "b", "c", "d"];

fn family() -> impl Strategy<Value = Family> {
    let parent = prop::sample::select(&[Some(0), Some(0), Some(1), None][..]);
    let amount = prop::sample::select(&[0i64, 500, 1_000, 4_000, 7_000, 20_000][..]);
    let kind =
        prop::sample::select(&["individual", "individual", "temporary", "group", "group"][..]);
    let from = prop::sample::select(&[-20i64, -5, 0, 3][..]);
    let lasts = prop::option::weighted(0.5, prop::sample::select(&[0i64, 2, 5, 19, 23][..]));
    let flag = || prop::bool::weighted(0.2);
    let limit = (kind, amount.clone(), from, lasts, (flag(), flag()), flag());
    (
        prop::collection::vec(parent, 4),
        prop::collection::vec(prop::option::weighted(0.25, amount), 6),
        prop::collection::vec((0usize..6, limit), 0..9),
        (0usize..6, 1usize..6),
    )
        .prop_map(|(parents, records, limits, (gone, further))| Family {
            parents: [None, None].into_iter().chain(parents).collect(),
            records,
            limits,
            merged: (gone, (gone + further) % 6),
        })
}

impl Family {
    fn write(&self, db: &NativeDb) {
        rate(db, "fx-usd-eur", "0.5");
        rate(db, "fx-eur-usd", "2");
        for (at, name) in PEOPLE.iter().enumerate() {
            let parent = self.parents[at].map(|parent| PEOPLE[parent]);
            let record = self.records[at].map(eur);
            customer(db, name, json!({"parent_id": parent, "credit_limit": record}));
        }
        for (number, (of, drawn)) in self.limits.iter().enumerate() {
            let (kind, minor, from, lasts, (unlimited, mandatory), in_dollars) = *drawn;
            let of = if kind == "group" { self.parents[*of].unwrap_or(*of) } else { *of };
            let lasts = lasts.or((kind == "temporary").then_some(5));
            let from = day("2024-06-30").plus_days(from).unwrap();
            let to = lasts.map(|lasts| from.plus_days(lasts).unwrap());
            let new = json!({"kind": kind, "minor": minor, "from": from, "to": to,
                "currency": if in_dollars { "USD" } else { "EUR" },
                "unlimited": unlimited, "mandatory": mandatory});
            set_limit(db, PEOPLE[of], &format!("L{number}"), new);
        }
    }
}

/// The most that a customer may owe from the day of the merge on, in cents of a dollar, with nothing for any amount.
fn mosts(db: &NativeDb, of: &str) -> Vec<Option<i64>> {
    let most = |after: i64| {
        let on = day("2024-06-30").plus_days(after).unwrap();
        let found = limit::standing(db, &id(of), Some(on), Some(Language::En), noon()).unwrap();
        match found.expired {
            true => Some(0),
            false => found.effective.and_then(|of| {
                let dollars = if of.currency.to_string() == "EUR" { 2 } else { 1 };
                of.minor.map(|minor| minor * dollars)
            }),
        }
    };
    (0..30).map(most).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_lets_nobody_out_of_a_limit_on_any_day(family in family()) {
        let (_folder, db) = db();
        family.write(&db);
        let before: Vec<_> = PEOPLE.iter().map(|of| mosts(&db, of)).collect();
        let (gone, stays) = family.merged;
        let own: Vec<bool> = (0..30).map(|after| {
            let on = day("2024-06-30").plus_days(after).unwrap();
            let of = id(PEOPLE[stays]);
            let found = limit::standing(&db, &of, Some(on), Some(Language::En), noon()).unwrap();
            found.individual.is_some()
        }).collect();
        customers::merge(&db, &id(PEOPLE[gone]), &id(PEOPLE[stays]), &author()).unwrap();
        let above = |one: Option<i64>, other: Option<i64>| {
            other.is_some_and(|other| one.is_none_or(|one| one > other))
        };
        for (at, of) in PEOPLE.iter().enumerate().filter(|(at, _)| *at != gone) {
            for (after, most) in mosts(&db, of).into_iter().enumerate() {
                let was = before[at][after];
                prop_assert!(!above(most, was), "{of} +{after}: {was:?}, then {most:?}");
                // Who stays takes over what bounded the other one where it has no limit of its own.
                if at == stays && was.is_none() && !own[after] {
                    let was = before[gone][after];
                    prop_assert!(!above(most, was), "{of} +{after}: {was:?} of the other one, then {most:?}");
                }
            }
        }
    }
}

#[test]
fn a_first_limit_that_waits_holds_whoever_stays_in_a_merge() {
    let (_folder, db) = db();
    thresholds(&db, json!([eur(1_000)]));
    customer(&db, "Goes", json!({}));
    customer(&db, "Stays", json!({}));
    set_limit(&db, "Goes", "L1", json!({"minor": 5_000}));
    assert_eq!(ask(&db, "Goes", 9_000).verdict, Verdict::Hold);
    assert_eq!(ask(&db, "Stays", 9_000).verdict, Verdict::Warn);
    customers::merge(&db, &id("Goes"), &id("Stays"), &author()).unwrap();
    assert_eq!(ask(&db, "Stays", 9_000).verdict, Verdict::Hold);
    assert_eq!(counts(&db, "Stays"), "none, 1 waits");
    assert_eq!(
        refused(decide(&db, "L1", LimitState::Approved, "tester")).0,
        Refusal::SecondKeyNeeded
    );
    decide(&db, "L1", LimitState::Approved, "other").unwrap();
    assert_eq!(counts(&db, "Stays"), "5000 EUR");
}

#[test]
fn a_rule_of_whom_goes_takes_the_place_of_a_milder_one_for_all() {
    let (_folder, db) = db();
    let amount = |minor: i64, verdict: &str| json!({"kind": "order-amount", "amount": eur(minor), "verdict": verdict});
    put_rule(&db, "all", amount(900_000, "warn")).unwrap();
    let days = |more: &str| json!({"kind": "days-overdue", "more_than": more});
    put_rule(&db, "all-days", days("10")).unwrap();
    let case = |name: &str, rule: Value, goes: bool| {
        let (gone, stays) = (format!("{name}-Goes"), format!("{name}-Stays"));
        customer(&db, &gone, json!({}));
        customer(&db, &stays, json!({}));
        put_rule(&db, name, with(rule, json!({"customer": gone}))).unwrap();
        customers::merge(&db, &id(&gone), &id(&stays), &author()).unwrap();
        let whose = rule::get(&db, &id(name)).unwrap().rule.customer;
        assert_eq!(whose, Some(id(if goes { &stays } else { &gone })), "{name}");
    };
    case("stricter", amount(40_000, "hold"), true);
    case("same", amount(900_000, "warn"), true);
    case("higher", amount(900_001, "hold"), false);
    case("dollars", with(amount(40_000, "hold"), json!({"amount": money(40_000, "USD")})), false);
    case("contracts", with(amount(40_000, "hold"), json!({"purposes": ["contract"]})), false);
    case("sooner", days("9"), true);
    case("later", days("11"), false);
    case("milder", with(days("9"), json!({"verdict": "warn"})), false);
}

#[test]
fn a_merge_leaves_the_rules_of_a_group_with_the_group_and_whoever_joins_first_is_bound() {
    let (_folder, db) = db();
    customer(&db, "H", json!({}));
    let small = json!({"kind": "order-amount", "amount": eur(40), "group": "H"});
    put_rule(&db, "small", small).unwrap();
    let days = json!({"kind": "days-overdue"});
    for (name, joins, wanted) in [("Out", false, Verdict::Warn), ("In", true, Verdict::Hold)] {
        let (member, own) = (format!("{name}-M"), format!("{name}-own"));
        customer(&db, &member, json!({"parent_id": "H"}));
        customer(&db, name, json!({}));
        put_rule(&db, &own, with(days.clone(), json!({"customer": member}))).unwrap();
        assert_eq!(ask(&db, &member, 41).verdict, Verdict::Hold, "{name}");
        if joins {
            customer(&db, name, json!({"parent_id": "H"}));
        }
        customers::merge(&db, &id(&member), &id(name), &author()).unwrap();
        assert_eq!(ask(&db, name, 41).verdict, wanted, "{name}");
        let found = rule::get(&db, &id(&own)).unwrap();
        assert_eq!((found.rule.customer, found.version), (Some(id(name)), 2));
    }
    let stays = rule::get(&db, &id("small")).unwrap();
    assert_eq!((stays.rule.group, stays.version), (Some(id("H")), 1));
}

#[test]
fn a_first_limit_that_waits_holds_whom_it_would_bind_today() {
    let (_folder, db) = db();
    thresholds(&db, json!([eur(1_000)]));
    for (name, more) in [
        ("Head", json!({})),
        ("Member", json!({"parent_id": "Head"})),
        ("Alone", json!({})),
        ("Ahead", json!({})),
        ("Over", json!({})),
        ("Today", json!({})),
    ] {
        customer(&db, name, more);
    }
    // Now, and as of now.
    let seen = |of: &str| {
        let question = read(json!({"customer": of, "amount": eur(500_000)}));
        let now = check::simulate(&db, &question, None, Some(Language::En), noon()).unwrap();
        let asked = dunlin_app::credit::Asked { day: None, known_at: Some(noon()) };
        let then = check::simulate(&db, &question, asked, Some(Language::En), noon()).unwrap();
        assert_eq!(now.verdict, then.verdict, "{of}");
        now.verdict
    };
    for (of, more) in [
        ("Head", json!({"kind": "group"})),
        ("Alone", json!({"kind": "group"})),
        ("Ahead", json!({"kind": "temporary", "from": "2024-07-01", "to": "2024-07-31"})),
        ("Today", json!({"kind": "temporary", "from": "2024-06-01", "to": "2024-06-30"})),
        ("Over", json!({"from": "2024-06-01", "to": "2024-07-30"})),
    ] {
        let new = with(json!({"minor": 9_000}), more);
        assert_eq!(seen(of), Verdict::Warn, "{of}");
        set_limit(&db, of, &format!("L-{of}"), new);
    }
    for (of, wanted) in [
        ("Head", Verdict::Hold),
        ("Member", Verdict::Hold),
        // It would bind nobody.
        ("Alone", Verdict::Warn),
        ("Ahead", Verdict::Warn),
        ("Today", Verdict::Hold),
        ("Over", Verdict::Hold),
    ] {
        assert_eq!(seen(of), wanted, "{of}");
    }
}

#[test]
fn who_asked_for_a_limit_never_approves_it_whatever_the_policy_says_by_then() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    thresholds(&db, json!([eur(50_000)]));
    set_limit(&db, "C", "L1", json!({"minor": 60_000}));
    for of in [json!([eur(900_000)]), Value::Null] {
        thresholds(&db, of);
        let own = decide(&db, "L1", LimitState::Approved, "tester");
        assert_eq!(refused(own).0, Refusal::SecondKeyNeeded);
    }
    decide(&db, "L1", LimitState::Approved, "other").unwrap();
    assert_eq!(counts(&db, "C"), "60000 EUR");
    // What it published loosens nothing for itself, and for others it does.
    let put = |who: &str, made: &str, minor: i64| {
        let new = json!({"currency": "EUR", "minor": minor});
        limit::put(&db, &id("C"), &read(new), &id(made), &by(who)).unwrap();
        limit::get(&db, &id(made)).unwrap().state
    };
    assert_eq!(put("tester", "L2", 70_000), LimitState::Pending);
    assert_eq!(put("third", "L3", 71_000), LimitState::Approved);
    // Until another key publishes.
    let new = json!({"currency": "EUR", "lines": [], "second_key_from": [eur(80_000)]});
    policy::publish(&db, &read(new), &by("other")).unwrap();
    assert_eq!(put("tester", "L4", 72_000), LimitState::Approved);
    assert_eq!(put("tester", "L5", 80_000), LimitState::Pending);
}

#[test]
fn a_corrected_policy_is_reviewed_on_the_same_day() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    set_limit(&db, "C", "L1", json!({"minor": 12_000, "from": "2024-01-01"}));
    invoice(&db, "I1", "C", json!({"due_on": "2024-07-31", "amount": eur(9_000)}));
    let publish = |cap: i64| {
        let line = json!({"turnover_share": "1", "cap_minor": cap});
        let new = json!({"currency": "EUR", "lines": [line]});
        policy::publish(&db, &read(new), &author()).unwrap();
    };
    let review = || policy::review(&db, 0, &author()).unwrap().proposed;
    let refuse = || {
        let waits = standing(&db, "C").pending.remove(0);
        decide(&db, waits.id.as_str(), LimitState::Refused, "other").unwrap();
        waits.minor
    };
    publish(100);
    assert_eq!((review(), review()), (1, 0));
    assert_eq!((refuse(), review()), (100, 0));
    publish(5_000);
    assert_eq!((review(), review()), (1, 0));
    assert_eq!((refuse(), review()), (5_000, 0));
}

/// What came of each: its outcome, or the code for which it was refused.
fn decide_all(db: &NativeDb, ids: &[&str], state: LimitState, who: &str) -> String {
    let ids: Vec<_> = ids.iter().map(|name| id(name)).collect();
    let found = limit::decide_all(db, &ids, state, &by(who)).unwrap().items;
    assert_eq!(found.iter().map(|of| &of.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    let told = |of: LimitOutcome| {
        assert_eq!(of.code.is_some(), of.outcome == DecisionOutcome::Refused);
        assert_eq!(of.code.is_some(), of.detail.is_some());
        of.code.map_or_else(|| of.outcome.to_string(), |code| code.to_string())
    };
    found.into_iter().map(told).collect::<Vec<_>>().join(" ")
}

#[test]
fn of_many_limits_each_is_decided_as_it_is_alone() {
    use LimitState::{Approved, Refused};
    let (_folder, db) = db();
    for name in ["A", "D"] {
        customer(&db, name, json!({}));
    }
    invoice(&db, "I1", "D", json!({"amount": eur(9_000)}));
    invoice(&db, "I2", "A", json!({"amount": eur(90)}));
    let line = json!({"turnover_share": "1", "cap_minor": 9_000});
    let new = json!({"currency": "EUR", "lines": [line], "second_key_from": [eur(1_000)]});
    policy::publish(&db, &read(new), &author()).unwrap();
    // Of a review its own key approves what stays below the threshold.
    assert_eq!(policy::review(&db, 0, &author()).unwrap().proposed, 2);
    let proposed = |of: &str| standing(&db, of).pending[0].id.to_string();
    let (small, large) = (proposed("A"), proposed("D"));
    for name in ["B", "C", "Gone"] {
        customer(&db, name, json!({}));
    }
    for (of, made) in [("A", "LA"), ("B", "LB"), ("C", "LC"), ("Gone", "LG")] {
        set_limit(&db, of, made, json!({"minor": 2_000}));
    }
    limit::put(
        &db,
        &id("B"),
        &read(json!({"currency": "EUR", "minor": 3_000})),
        &id("LO"),
        &by("other"),
    )
    .unwrap();
    customers::merge(&db, &id("Gone"), &id("A"), &author()).unwrap();
    assert_eq!(decide_all(&db, &["LC"], Refused, "tester"), "changed");
    let all = ["LA", "LB", "LO", "LC", "LG", "none", &small, &large, "LO"];
    let wanted = "second-key-needed second-key-needed changed wrong-state second-key-needed not-found changed \
        second-key-needed already-so";
    assert_eq!(decide_all(&db, &all, Approved, "tester"), wanted);
    assert_eq!(counts(&db, "B"), "3000 EUR, 1 waits");
    assert_eq!(counts(&db, "A"), "90 EUR, 2 waits");
    // Another key does the rest, and saying it again changes nothing.
    let wanted =
        "changed changed already-so wrong-state changed not-found already-so changed already-so";
    assert_eq!(decide_all(&db, &all, Approved, "other"), wanted);
    let entries = || dunlin_app::audit::entries(&db, 0, 500).unwrap().len();
    let before = entries();
    let wanted = "already-so already-so already-so wrong-state already-so not-found already-so already-so already-so";
    assert_eq!(decide_all(&db, &all, Approved, "tester"), wanted);
    assert_eq!(decide_all(&db, &["LA", "LC"], Refused, "third"), "wrong-state already-so");
    assert_eq!(decide_all(&db, &[], Refused, "third"), "");
    assert_eq!(entries(), before);
    assert_eq!(counts(&db, "D"), "9000 EUR");
}

#[test]
fn limits_are_decided_in_the_order_that_is_given_and_at_most_a_thousand() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    thresholds(&db, json!([eur(1)]));
    let made: Vec<String> = (0..250).map(|number| format!("L{number}")).collect();
    for (minor, name) in (1_000i64..).zip(&made) {
        set_limit(&db, "C", name, json!({"minor": minor, "from": "2024-06-01"}));
    }
    let mut ids: Vec<&str> = made.iter().map(String::as_str).collect();
    ids.rotate_left(40);
    // Of the same day the one that was approved last holds.
    let wanted = vec!["changed"; 250].join(" ");
    assert_eq!(decide_all(&db, &ids, LimitState::Approved, "other"), wanted);
    assert_eq!(counts(&db, "C"), "1039 EUR");
    let many = vec![id("L1"); 1_001];
    let decided = |of: &[dunlin_domain::Id]| {
        limit::decide_all(&db, of, LimitState::Approved, &by("other")).map(|of| of.items.len())
    };
    assert_eq!(decided(&many[1..]).unwrap(), 1_000);
    assert_eq!(refused(decided(&many)), (Refusal::MalformedField, Some("ids".into())));
}

#[test]
fn a_cut_that_is_approved_among_others_takes_down_what_they_raised() {
    let (_folder, db) = db();
    let texts = json!({"en": "Late.", "zh_cn": "逾期。"});
    let late = json!({"severity": "critical", "text": texts, "advice": texts,
        "terms": [{"kind": "above", "fact": "overdue-share", "bound": "0.5"}]});
    alert_rule::put(&db, "half-late", &read(late), &author()).unwrap();
    for name in ["One", "Two"] {
        customer(&db, name, json!({}));
        invoice(
            &db,
            &format!("I-{name}"),
            name,
            json!({"due_on": "2024-06-10", "amount": eur(200)}),
        );
        set_limit(&db, name, &format!("L-{name}"), json!({"minor": 1_000, "from": "2024-01-01"}));
    }
    let line = |grade: &str| json!({"grade": grade, "turnover_share": "10", "cap_minor": 1_000});
    let lines = ["A", "B", "C", "D", "E"].map(line);
    let new = json!({"currency": "EUR", "lines": lines, "second_key_from": [eur(5_000)]});
    policy::publish(&db, &read(new), &author()).unwrap();
    let season =
        json!({"kind": "temporary", "minor": 90_000, "from": "2024-06-01", "to": "2024-08-30"});
    for (of, made) in [("One", "T-One"), ("Two", "T-Two")] {
        set_limit(&db, of, made, season.clone());
    }
    swept(&db, "2024-06-30");
    assert_eq!(hold::run(&db, &author()).unwrap().limits_proposed, 2);
    let cut = |of: &str| {
        let found = standing(&db, of).pending.into_iter();
        found
            .filter(|of| of.source == LimitSource::Alert)
            .map(|of| of.id.to_string())
            .next()
            .unwrap()
    };
    let (one, two) = (cut("One"), cut("Two"));
    // The season before the cut, and the cut before the season.
    let ids = ["T-One", &one, &two, "T-Two"];
    assert_eq!(
        decide_all(&db, &ids, LimitState::Approved, "other"),
        "changed changed changed changed"
    );
    assert_eq!(
        (counts(&db, "One").as_str(), counts(&db, "Two").as_str()),
        ("500 EUR", "90000 EUR")
    );
}
