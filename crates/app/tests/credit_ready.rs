//! What a check says until something changes: for whom it is ready, up to which amount, and what drops it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/credit.rs"]
mod shop;

use common::{db, id, read};
use dunlin_app::{
    credit::{
        check, hold, order, policy as limit_policy, ready, reservation, reservation::Reserved, rule,
    },
    customer as customers, default_record, dispute, guarantee, invoice as documents, ledger,
    policy,
};
use dunlin_domain::{
    contract::{credit::*, types::Language},
    credit::reservation::Ask,
};
use dunlin_store::{Db, native::NativeDb};
use serde_json::{Value, json};
use shop::*;
use std::collections::BTreeSet;

const EN: Option<Language> = Some(Language::En);

fn run(db: &NativeDb, when: &str) -> u64 {
    ready::run(db, &by("schedule", at(when))).unwrap()
}

/// Whether a question is answered by what is ready. If so, a look says the same.
fn is_ready(db: &NativeDb, asked: Value, when: &str) -> bool {
    let asked: NewCheck = read(asked);
    let ask = || check::simulate_told(db, &asked, None, EN, at(when));
    // The time zone that was read last may be that of another database.
    ask().unwrap();
    let told = ask().unwrap();
    let is_ready = told.exposure.is_some();
    db.execute("SAVEPOINT looks", &[]).unwrap();
    db.execute("DELETE FROM credit_ready", &[]).unwrap();
    assert_eq!(told.whole().unwrap(), ask().unwrap().whole().unwrap());
    db.execute("ROLLBACK TO looks", &[]).unwrap();
    db.execute("RELEASE looks", &[]).unwrap();
    is_ready
}

fn asks(minor: i64) -> Value {
    json!({"customer": "C", "amount": eur(minor), "order_id": "O"})
}

/// A customer with a limit of 1000 that owes 100.
fn owing() -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(1000)}));
    invoice(&db, "I", "C", "2024-07-31", 100);
    (folder, db)
}

#[test]
fn a_check_is_ready_up_to_the_amount_at_which_a_rule_finds_something() {
    let (_folder, db) = owing();
    assert!(!is_ready(&db, asks(1), NOON));
    assert_eq!((run(&db, NOON), run(&db, NOON)), (1, 0));
    // Above 900 the limit is nearly used.
    for (minor, wanted) in [(0, true), (1, true), (800, true), (801, false), (5000, false)] {
        assert_eq!(is_ready(&db, asks(minor), NOON), wanted, "{minor}");
    }
    let most = read(json!({"kind": "order-amount", "amount": eur(300)}));
    rule::put(&db, &id("large"), &most, &author()).unwrap();
    run(&db, NOON);
    for (minor, wanted) in [(300, true), (301, false)] {
        assert_eq!(is_ready(&db, asks(minor), NOON), wanted, "{minor}");
    }
}

#[test]
fn the_first_question_of_an_instance_is_answered_by_what_is_ready() {
    let (_folder, db) = owing();
    run(&db, NOON);
    let first = move || check::simulate_told(&db, &read(asks(10)), None, EN, at(NOON)).unwrap();
    assert!(std::thread::spawn(first).join().unwrap().exposure.is_some());
}

#[test]
fn a_rule_about_grades_leaves_nothing_ready_while_it_counts() {
    let (_folder, db) = owing();
    let drop = |more: Value| {
        let mut new = json!({"kind": "score-drop"});
        for (field, value) in more.as_object().unwrap() {
            new[field] = value.clone();
        }
        rule::put(&db, &id("drop"), &read(new), &author()).unwrap();
        run(&db, NOON);
        is_ready(&db, asks(1), NOON)
    };
    assert!(!drop(json!({})));
    rule::end(&db, &id("drop"), &author()).unwrap();
    run(&db, NOON);
    assert!(is_ready(&db, asks(1), NOON));
    assert!(drop(json!({"from": "2024-07-01"})));
    assert!(!drop(json!({"from": "2024-06-30"})));
    assert!(drop(json!({"purposes": ["delivery"]})));
    assert!(drop(json!({"exclude": true})));
}

#[test]
fn a_question_about_more_than_an_amount_is_looked_at() {
    let (_folder, db) = owing();
    let put = read(json!({"customer": "C", "amount": eur(50), "invoiced_minor": 50}));
    order::put(&db, &id("done"), &put, &author()).unwrap();
    let kept = reserve(&db, "R", "C", 20, at(NOON), 60).unwrap();
    assert!(matches!(kept, Reserved::Kept(..)));
    run(&db, NOON);
    let with = |field: &str, value: Value| {
        let mut asked = asks(10);
        asked[field] = value;
        asked
    };
    for (asked, wanted) in [
        (with("purpose", json!("order")), true),
        (with("order_id", Value::Null), true),
        (with("purpose", json!("delivery")), false),
        (with("terms_days", json!(30)), false),
        (with("order_id", json!("done")), false),
        (with("order_id", json!("R")), false),
    ] {
        assert_eq!(is_ready(&db, asked.clone(), NOON), wanted, "{asked}");
    }
    let dollars = with("amount", json!({"minor": 1, "currency": "USD"}));
    assert!(check::simulate(&db, &read(dollars), None, EN, at(NOON)).is_err());
}

#[test]
fn what_is_ready_ends_with_a_reservation_and_with_the_day() {
    let (_folder, db) = owing();
    reserve(&db, "R", "C", 700, at(NOON), 60).unwrap();
    run(&db, NOON);
    // 700 are kept free for a minute.
    for (minor, when, wanted) in [
        (100, "2024-06-30T12:00:59Z", true),
        (101, "2024-06-30T12:00:59Z", false),
        (100, "2024-06-30T12:01:00Z", false),
    ] {
        assert_eq!(is_ready(&db, asks(minor), when), wanted, "{minor} {when}");
    }
    assert_eq!(run(&db, "2024-06-30T12:01:00Z"), 1);
    for (minor, when, wanted) in [
        (800, "2024-06-30T12:01:00Z", true),
        (800, "2024-06-30T23:59:59Z", true),
        (800, "2024-07-01T00:00:00Z", false),
    ] {
        assert_eq!(is_ready(&db, asks(minor), when), wanted, "{minor} {when}");
    }
    assert_eq!(run(&db, "2024-07-01T00:00:00Z"), 1);
    assert!(is_ready(&db, asks(800), "2024-07-01T00:00:00Z"));
    // What was ready before a reservation holds again after it.
    reserve(&db, "R2", "C", 700, at("2024-07-01T00:00:00Z"), 60).unwrap();
    for (when, wanted) in [
        ("2024-07-01T00:00:00Z", false),
        ("2024-07-01T00:00:59Z", false),
        ("2024-07-01T00:01:00Z", true),
    ] {
        assert_eq!(is_ready(&db, asks(10), when), wanted, "{when}");
    }
    assert_eq!(run(&db, "2024-07-01T00:01:00Z"), 0);
    reserve(&db, "R3", "C", 700, at("2024-07-01T00:01:00Z"), 60).unwrap();
    assert_eq!(run(&db, "2024-07-01T00:01:00Z"), 1);
    assert!(is_ready(&db, asks(100), "2024-07-01T00:01:00Z"));
}

#[test]
fn a_reservation_that_ends_drops_what_was_ready_before_it() {
    for ask in [Ask::Commit, Ask::Release] {
        let (_folder, db) = owing();
        run(&db, NOON);
        reserve(&db, "R", "C", 700, at(NOON), 60).unwrap();
        reservation::ask(&db, &id("R"), ask, &author()).unwrap();
        assert!(!is_ready(&db, asks(10), NOON));
        assert_eq!(run(&db, NOON), 1);
        assert_eq!(is_ready(&db, asks(800), NOON), matches!(ask, Ask::Release));
    }
}

#[test]
fn nothing_is_ready_of_whom_something_is_found_or_who_does_not_stand_alone() {
    let (_folder, db) = db();
    for name in ["late", "head", "insured", "held", "stopped", "unbound", "free"] {
        let more = match name {
            "unbound" => json!({}),
            "stopped" => json!({"credit_limit": eur(1000), "status": "on-hold"}),
            _ => json!({"credit_limit": eur(1000)}),
        };
        customer(&db, name, more);
    }
    customer(&db, "member", json!({"parent_id": "head", "credit_limit": eur(1000)}));
    let late = read(json!({"kind": "days-overdue", "verdict": "warn"}));
    rule::put(&db, &id("overdue"), &late, &author()).unwrap();
    invoice(&db, "I", "late", "2024-06-29", 100);
    let new = json!({"customer_id": "insured", "kind": "insurance", "party": "Insurer", "amount": eur(5),
        "valid_from": "2024-01-01"});
    guarantee::put(&db, &id("G"), &read(new), &author()).unwrap();
    let new = read(json!({"customer": "held", "reason": "a look at the papers"}));
    hold::place(&db, &new, &id("H"), &author()).unwrap();
    assert_eq!(run(&db, NOON), 8);
    let ready: Vec<&str> =
        ["late", "head", "member", "insured", "held", "stopped", "unbound", "free"]
            .into_iter()
            .filter(|name| is_ready(&db, json!({"customer": name, "amount": eur(1)}), NOON))
            .collect();
    assert_eq!(ready, ["free"]);
    // They were looked at, and are again when something changes.
    assert_eq!(run(&db, NOON), 0);
}

#[test]
fn who_is_insured_is_ready_once_the_insurance_bears_no_more() {
    // Of 100 that are owed 90 are borne, or as much as the insurance has.
    for (amount, to, wanted) in [
        (5, "2024-12-31", true),
        (90, "2024-12-31", true),
        (91, "2024-12-31", false),
        (5000, "2024-12-31", false),
        (5000, "2024-06-29", true),
    ] {
        let (_folder, db) = owing();
        let new = json!({"customer_id": "C", "kind": "insurance", "party": "Insurer", "amount": eur(amount),
            "share": "0.9", "valid_from": "2024-01-01", "valid_to": to});
        guarantee::put(&db, &id("G"), &read(new), &author()).unwrap();
        run(&db, NOON);
        assert_eq!(is_ready(&db, asks(10), NOON), wanted, "{amount} to {to}");
        assert_eq!(is_ready(&db, asks(800), NOON), wanted, "{amount} to {to}");
    }
}

#[test]
fn a_check_that_was_ready_is_kept_and_told_again() {
    let (_folder, db) = owing();
    run(&db, NOON);
    assert!(is_ready(&db, asks(10), NOON));
    let told = check::ask_told(&db, &read(asks(10)), &id("K"), EN, &author()).unwrap();
    assert!(told.exposure.is_some());
    let told = told.whole().unwrap();
    invoice(&db, "I2", "C", "2024-07-31", 700);
    assert_eq!(check::get(&db, &id("K"), EN).unwrap(), told);
    assert_eq!((told.id, told.total_minor, told.after_minor), (Some(id("K")), 100, 110));
}

/// Each is written by the flow that writes it.
#[test]
fn whatever_a_check_rests_on_drops_what_is_ready() {
    type Change = fn(&NativeDb);
    let changes: [(&str, Change); 20] = [
        ("an invoice", |db| invoice(db, "I2", "C", "2024-07-31", 10)),
        ("a payment", |db| pay(db, "P", "C", "2024-06-30", 10)),
        ("a credit note dated ahead", |db| {
            let new = json!({"id": "N", "customer_id": "C", "kind": "credit-note", "issued_on": "2024-07-02",
                "due_on": "2024-07-02", "amount": eur(10), "relates_to": "I"});
            documents::add(db, &read(new), id("made"), &author()).map(drop).unwrap();
        }),
        ("a dispute", |db| {
            let new = read(json!({"invoice_id": "I", "reason": "price", "on": "2024-06-30"}));
            dispute::open(db, &new, id("D"), &author()).unwrap();
        }),
        ("a limit", |db| {
            set_limit(db, "C", "L", json!({"minor": 900}));
        }),
        ("the status", |db| {
            customer(db, "C", json!({"credit_limit": eur(1000), "status": "closed"}))
        }),
        ("the limit of the record", |db| customer(db, "C", json!({"credit_limit": eur(500)}))),
        ("a member", |db| customer(db, "M", json!({"parent_id": "C"}))),
        ("a head", |db| {
            customer(db, "C", json!({"credit_limit": eur(1000), "parent_id": "T"}));
        }),
        ("a merge", |db| {
            invoice(db, "IT", "T", "2024-07-31", 10);
            ready::run(db, &author()).unwrap();
            customers::merge(db, &id("T"), &id("C"), &author()).map(drop).unwrap();
        }),
        ("a rule for all", |db| {
            let new = read(json!({"kind": "order-amount", "amount": eur(1)}));
            rule::put(db, &id("large"), &new, &author()).map(drop).unwrap();
        }),
        ("a rule that ends", |db| {
            let new = read(json!({"kind": "order-amount", "amount": eur(700)}));
            rule::put(db, &id("large"), &new, &author()).map(drop).unwrap();
            ready::run(db, &author()).unwrap();
            rule::end(db, &id("large"), &author()).map(drop).unwrap();
        }),
        ("a limit policy", |db| {
            let new = json!({"currency": "EUR", "lines": [{"turnover_share": "0.2", "cap_minor": 5000}],
                "second_key_from": [{"minor": 50, "currency": "EUR"}]});
            limit_policy::publish(db, &read(new), &author()).map(drop).unwrap();
        }),
        ("the policy of the ledger", |db| {
            let mut new = policy::get(db).unwrap();
            new.grace_days = new.grace_days.map_or(Some(3), |days| Some(days + 1));
            policy::put(db, &new, &author()).map(drop).unwrap();
        }),
        ("the time zone", |db| {
            let new = json!({"name": "Us", "time_zone": "Asia/Shanghai", "language": "en"});
            ledger::put_organisation(db, &read(new), &author()).map(drop).unwrap();
        }),
        ("a guarantee", |db| {
            let new = json!({"customer_id": "C", "kind": "insurance", "party": "Insurer", "amount": eur(5),
                "valid_from": "2024-01-01"});
            guarantee::put(db, &id("G"), &read(new), &author()).map(drop).unwrap();
        }),
        ("a default", |db| {
            let new = json!({"customer_id": "C", "kind": "legal-action", "found_on": "2024-06-30", "reason": "filed"});
            default_record::add(db, &read(new), id("DR"), &author()).map(drop).unwrap();
        }),
        ("an order", |db| {
            let new = read(json!({"customer": "C", "amount": eur(50)}));
            order::put(db, &id("O2"), &new, &author()).map(drop).unwrap();
        }),
        ("a reservation", |db| drop(reserve(db, "R", "C", 50, at(NOON), 60).unwrap())),
        ("a hold", |db| {
            let new = read(json!({"customer": "C", "reason": "a look at the papers"}));
            hold::place(db, &new, &id("H"), &author()).map(drop).unwrap();
        }),
    ];
    for (name, change) in changes {
        let (_folder, db) = owing();
        customer(&db, "T", json!({}));
        run(&db, NOON);
        assert!(is_ready(&db, asks(10), NOON), "{name}");
        change(&db);
        assert!(!is_ready(&db, asks(10), NOON), "{name}");
        run(&db, NOON);
        is_ready(&db, asks(10), NOON);
    }
}

/// Four customers with a limit of 1000 of which 900 are free of rules, ready but for the last.
fn four() -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    for who in ["A", "B", "C", "D"] {
        customer(&db, who, json!({"credit_limit": eur(1000)}));
    }
    run(&db, NOON);
    customer(&db, "D", json!({"credit_limit": eur(1000), "status": "closed"}));
    let asked = json!({"customer": "A", "amount": eur(1)});
    check::simulate(&db, &read(asked), None, EN, at(NOON)).unwrap();
    (folder, db)
}

#[test]
fn several_checks_at_once_say_what_each_says_alone() {
    let asked = [("A", 1), ("D", 1), ("B", 901), ("nobody", 1), ("A", 900), ("B", -1), ("C", 5)];
    let question = |(who, minor): (&str, i64)| -> NewCheck {
        read(json!({"customer": who, "amount": eur(minor), "order_id": "O"}))
    };
    let questions: Vec<NewCheck> = asked.into_iter().map(question).collect();
    let ids: Vec<_> = (0..asked.len()).map(|number| id(&format!("K{number}"))).collect();
    let ((_one, together), (_other, alone)) = (four(), four());
    let simulated: Vec<_> = questions.iter().map(|question| (question, at(NOON))).collect();
    let simulated = check::simulate_ready(&together, &simulated).unwrap();
    let kept: Vec<_> = questions
        .iter()
        .zip(&ids)
        .map(|(question, id)| check::ToKeep { question, id, at: at(NOON) })
        .collect();
    let kept = check::ask_ready(&together, &kept).unwrap();
    let passed: Vec<bool> = kept.iter().map(Option::is_some).collect();
    assert_eq!(passed, [true, false, false, false, true, false, true]);
    assert_eq!(simulated.iter().map(Option::is_some).collect::<Vec<_>>(), passed);
    for (((question, id), kept), simulated) in questions.iter().zip(&ids).zip(kept).zip(simulated) {
        let (Some(kept), Some(simulated)) = (kept, simulated) else {
            assert!(check::get(&together, id, EN).is_err());
            continue;
        };
        let (kept, simulated) = (kept.whole().unwrap(), simulated.whole().unwrap());
        assert_eq!(CheckResult { id: Some(id.clone()), ..simulated }, kept);
        assert_eq!(check::get(&together, id, EN).unwrap(), kept);
        assert_eq!(check::ask(&alone, question, id, EN, &by("admin", at(NOON))).unwrap(), kept);
    }
    assert!(check::ask_ready(&together, &[]).unwrap().is_empty());
    assert!(check::simulate_ready(&together, &[]).unwrap().is_empty());
}

/// What the database says of reservations, their checks, the audit chain and the order of events.
fn written(db: &NativeDb) -> Vec<serde_json::Value> {
    let all = |sql: &str| db.json(sql, &[]).unwrap();
    vec![
        all(
            "SELECT json_group_array(json_array(id, customer_key, minor, entry_key, check_id)) FROM credit_reservation",
        ),
        all(
            "SELECT json_group_array(json_array(id, customer_key, at, verdict, inputs)) FROM credit_check",
        ),
        all(
            "SELECT json_group_array(json_array(key, who, noun, id, change, personal, previous, hash)) FROM audit",
        ),
        all(
            "SELECT json_group_array(json_array(key, entry_key, invoices_upto, customers_after)) FROM event",
        ),
        all("SELECT json_group_array(customer_key) FROM credit_ready"),
    ]
}

#[test]
fn several_reservations_in_one_transaction_write_what_each_writes_alone() {
    let wishes = [
        ("R1", "A", 100),
        ("R2", "D", 1),
        ("R3", "B", 900),
        ("R4", "C", 901),
        ("R5", "A", 1),
        ("R1", "C", 1),
        ("R6", "nobody", 1),
        ("R7", "C", 0),
    ];
    let new = |(name, who, minor): (&str, &str, i64)| -> NewReservation {
        read(json!({"id": name, "customer": who, "amount": eur(minor)}))
    };
    let new: Vec<NewReservation> = wishes.into_iter().map(new).collect();
    let made: Vec<_> = (0..wishes.len()).map(|number| id(&format!("K{number}"))).collect();
    let authors: Vec<_> =
        wishes.iter().map(|(name, ..)| by(&format!("key-{name}"), at(NOON))).collect();
    let wish = |((new, made), author)| reservation::Wish { new, made, author };
    let all: Vec<_> = new.iter().zip(&made).zip(&authors).map(wish).collect();
    let ((_one, together), (_other, alone)) = (four(), four());
    let kept = reservation::add_ready(&together, &all).unwrap();
    // The second of a customer and of an id, and whatever does not pass by what is ready, are asked for alone.
    let passed: Vec<bool> = kept.iter().map(Option::is_some).collect();
    assert_eq!(passed, [true, false, true, false, false, false, false, false]);
    for (number, kept) in kept.into_iter().enumerate().filter_map(|(n, kept)| Some((n, kept?))) {
        let found =
            reservation::add(&alone, &new[number], &made[number], EN, &authors[number]).unwrap();
        let Reserved::Kept(found, ledger::Change::Made) = found else { panic!("{found:?}") };
        assert_eq!(kept, found);
    }
    assert_eq!(written(&together), written(&alone));
    assert_eq!(reservation::get(&together, &id("R1"), at(NOON)).unwrap().check_id, Some(id("K0")));
    assert!(run(&together, NOON) > 0);
    // Asked for again, nothing changes: none of them is new.
    let before = written(&together);
    let again = reservation::add_ready(&together, &all[..1]).unwrap();
    assert_eq!((again, written(&together)), (vec![None], before));
    assert!(matches!(
        reservation::add_alone(&together, &all[0], EN).unwrap(),
        Reserved::Kept(_, ledger::Change::AlreadySo)
    ));
}

/// Names that follow a word that says where rows come from.
fn sources(sql: &str) -> BTreeSet<String> {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let follows = |pair: &[&str]| ["FROM", "JOIN"].contains(&pair[0]).then(|| pair[1].to_string());
    words.windows(2).filter_map(follows).collect()
}

#[test]
fn every_table_that_a_position_is_read_from_drops_it() {
    let (_folder, db) = db();
    let sql = std::fs::read_to_string("../store/sql/credit/position.sql").unwrap();
    let code: Vec<&str> = sql.lines().filter(|line| !line.trim().starts_with("--")).collect();
    let tables = |kind: &str| -> BTreeSet<String> {
        let sql = "SELECT json_group_array(DISTINCT tbl_name) FROM sqlite_schema WHERE type = ?1";
        db.json::<Vec<String>>(sql, &[kind.into()]).unwrap().into_iter().collect()
    };
    let drop = tables("trigger");
    let read: BTreeSet<String> =
        sources(&code.join("\n")).intersection(&tables("table")).cloned().collect();
    let others: Vec<&str> = read.difference(&drop).map(String::as_str).collect();
    // What is of documents and payments drops it where it outdates a judgement, for which tests of the facts vouch; a grade
    // says nothing of a check without a rule about grades, and such a rule leaves nothing ready.
    let documents = ["adjustment", "allocation", "contract_version", "invoice", "payment"];
    assert_eq!(others, [&documents[..], &["score", "score_change"]].concat());
}
