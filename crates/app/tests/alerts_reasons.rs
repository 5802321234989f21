//! Why alerts open, stay and close, where it is easily got wrong: debts that hide behind others, what is not new, a book
//! that moves, who was never invoiced, what nobody would be reminded of, and another card.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, db, id, on as author, read as from};
use dunlin_app::{
    alert::{self, Wish},
    alert_rule, backtest, card, customer as customers, default_record, dispute, event, external,
    invoice as documents, payment as payments, sweep, warn, write_off,
};
use dunlin_domain::{
    Instant,
    contract::{
        external::PublicRecord,
        types::Language,
        warn::{Alert, AlertState, Backtest},
    },
    event::Place,
};
use dunlin_store::{alert as table, native::NativeDb};
use serde_json::{Value, json};

fn noon(on: &str) -> Instant {
    format!("{on}T12:00:00Z").parse().unwrap()
}

/// A book in which no lateness moves a grade that is told of.
fn quiet() -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    for name in ["grade-fell", "grade-slipped", "grade-worse"] {
        alert_rule::disable(&db, name, &author("2024-06-01")).unwrap();
    }
    (folder, db)
}

fn customer(db: &NativeDb, name: &str) {
    let new = json!({"id": name, "name": format!("{name} Ltd"), "currency": "EUR"});
    customers::put(db, &id(name), &from(new), &author("2024-06-01")).unwrap();
}

fn bill(db: &NativeDb, name: &str, of: &str, (issued, due): (&str, &str), minor: i64) {
    let amount = json!({"minor": minor, "currency": "EUR"});
    let new = json!({"id": name, "customer_id": of, "issued_on": issued, "due_on": due, "amount": amount});
    documents::add(db, &from(new), id("x"), &author(issued.max("2024-06-30"))).unwrap();
}

fn pay(db: &NativeDb, name: &str, of: &str, on: &str, (bill, minor): (&str, i64)) {
    let amount = json!({"minor": minor, "currency": "EUR"});
    let new = json!({"id": name, "customer_id": of, "received_on": on, "amount": amount, "invoice_id": bill});
    payments::add(db, &from(new), id("x"), &author(on.max("2024-06-30"))).unwrap();
}

fn contest(db: &NativeDb, name: &str, bill: &str, on: &str) {
    let new = json!({"invoice_id": bill, "reason": "quality", "on": on});
    dispute::open(db, &from(new), id(name), &author(on)).unwrap();
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

fn judged(db: &NativeDb, on: &str) {
    while !warn::run(db, noon(on)).unwrap().done {}
}

fn alerts(db: &NativeDb, on: &str) -> Vec<Alert> {
    let before = ("9999".to_string(), i64::MAX);
    let filter = table::Filter::on(day(on));
    let page = alert::alerts(db, &before, 100, filter, Some(Language::En)).unwrap();
    page.into_iter().map(|(alert, _)| alert).collect()
}

/// The rules of the customer's alerts that are open or stand behind another one, sorted.
fn rules(db: &NativeDb, name: &str, on: &str) -> Vec<String> {
    let own = alerts(db, on).into_iter();
    let own = own.filter(|of| of.customer_id.as_str() == name && of.state != AlertState::Closed);
    let mut rules: Vec<String> = own.map(|of| of.rule).collect();
    rules.sort();
    rules
}

fn has(db: &NativeDb, name: &str, rule: &str, on: &str) -> bool {
    rules(db, name, on).iter().any(|of| of == rule)
}

#[test]
fn what_is_overdue_for_long_is_told_of_until_it_is_paid_however_much_is_bought() {
    let (_folder, db) = db();
    customer(&db, "C1");
    bill(&db, "old", "C1", ("2024-03-01", "2024-03-22"), 100_000);
    swept(&db, "2024-06-30");
    let both = ["overdue-long", "overdue-very-long"];
    let there = |on: &str| both.map(|rule| has(&db, "C1", rule, on));
    assert_eq!(there("2024-06-30"), [true, true]);
    bill(&db, "new", "C1", ("2024-07-01", "2024-12-31"), 310_000);
    judged(&db, "2024-07-01");
    assert_eq!(there("2024-07-01"), [true, true], "a quarter and less is still there");
    bill(&db, "newer", "C1", ("2024-07-01", "2024-12-31"), 9_000_000);
    swept(&db, "2024-07-01");
    assert_eq!(there("2024-07-01"), [true, true]);
    pay(&db, "P1", "C1", "2024-07-02", ("old", 100_000));
    judged(&db, "2024-07-02");
    assert_eq!(there("2024-07-02"), [false, false]);

    // A tenth of what is owed is not beyond a tenth.
    for (name, rest, expected) in [("TENTH", 90_000, false), ("MORE", 89_900, true)] {
        customer(&db, name);
        let bills = [
            (format!("old-{name}"), "2024-03-31", 10_000),
            (format!("new-{name}"), "2024-12-31", rest),
        ];
        for (bill_id, due, minor) in bills {
            bill(&db, &bill_id, name, ("2024-03-01", due), minor);
        }
        swept(&db, if expected { "2024-07-04" } else { "2024-07-03" });
        assert_eq!(has(&db, name, "overdue-very-long", "2024-07-04"), expected, "{name}");
    }
}

#[test]
fn an_old_debt_is_not_new_because_a_part_of_it_was_paid() {
    let (_folder, db) = quiet();
    customer(&db, "C1");
    bill(&db, "I1", "C1", ("2024-06-01", "2024-06-20"), 10_000);
    swept(&db, "2024-06-30");
    pay(&db, "P1", "C1", "2024-06-30", ("I1", 4_000));
    judged(&db, "2024-06-30");
    assert_eq!(rules(&db, "C1", "2024-06-30"), [""; 0]);
    // One that was taken in later, with an old debt.
    customer(&db, "C2");
    bill(&db, "I2", "C2", ("2024-06-01", "2024-06-20"), 10_000);
    swept(&db, "2024-07-01");
    pay(&db, "P2", "C2", "2024-07-01", ("I2", 4_000));
    judged(&db, "2024-07-01");
    assert_eq!(rules(&db, "C2", "2024-07-01"), [""; 0]);
    swept(&db, "2024-07-02");
    assert_eq!((rules(&db, "C1", "2024-07-02"), rules(&db, "C2", "2024-07-02")), (vec![], vec![]));
}

#[test]
fn what_a_customer_owes_now_is_a_part_of_the_book_it_is_held_against() {
    let (_folder, db) = db();
    for number in 1..=5 {
        let name = format!("C{number}");
        customer(&db, &name);
        bill(&db, &format!("I{number}"), &name, ("2024-06-01", "2024-12-31"), 10_000);
    }
    swept(&db, "2024-06-30");
    assert_eq!(alerts(&db, "2024-06-30"), []);
    bill(&db, "I6", "C1", ("2024-07-01", "2024-12-31"), 30_000);
    pay(&db, "P2", "C2", "2024-07-01", ("I2", 5_000));
    judged(&db, "2024-07-01");
    let [alert] = &alerts(&db, "2024-07-01")[..] else { panic!() };
    // 40,000 of 75,000: what both owe now is in the book.
    assert_eq!((alert.rule.as_str(), alert.evidence.value.as_str()), ("concentration", "0.5334"));
    swept(&db, "2024-07-01");
    assert!(has(&db, "C1", "concentration", "2024-07-01"), "the sweep finds the same");
    pay(&db, "P3", "C3", "2024-07-02", ("I3", 10_000));
    pay(&db, "P1", "C1", "2024-07-02", ("I6", 1));
    judged(&db, "2024-07-02");
    assert!(!has(&db, "C1", "concentration", "2024-07-02"), "four owe by now");
}

fn insolvent(db: &NativeDb, name: &str, of: &str) {
    let entry: PublicRecord = from(json!({"id": name, "customer_id": of, "kind": "insolvency",
        "date": "2024-06-20", "source": "court"}));
    external::put(db, &entry, &author("2024-06-30")).unwrap();
}

fn in_default(db: &NativeDb, name: &str, of: &str) {
    let new = json!({"customer_id": of, "kind": "legal-action", "found_on": "2024-06-29", "reason": "sued"});
    default_record::add(db, &from(new), id(name), &author("2024-06-30")).unwrap();
}

#[test]
fn whoever_is_known_of_is_warned_of_without_an_invoice() {
    let (_folder, db) = db();
    for name in ["SWEPT", "NOTHING", "LATER"] {
        customer(&db, name);
    }
    insolvent(&db, "L1", "SWEPT");
    in_default(&db, "F1", "SWEPT");
    swept(&db, "2024-06-30");
    let both = ["in-default", "public-record"];
    assert_eq!(rules(&db, "SWEPT", "2024-06-30"), both);
    insolvent(&db, "L2", "LATER");
    in_default(&db, "F2", "LATER");
    judged(&db, "2024-06-30");
    assert_eq!(rules(&db, "LATER", "2024-06-30"), both, "without a sweep");
    assert_eq!(rules(&db, "SWEPT", "2024-06-30"), both);
    swept(&db, "2024-07-01");
    for (name, expected) in [("SWEPT", &both[..]), ("LATER", &both[..]), ("NOTHING", &[])] {
        assert_eq!(rules(&db, name, "2024-07-01"), expected, "the sweep finds the same: {name}");
    }
    let closed = from(json!({"on": "2024-07-02", "state": "withdrawn", "reason": "paid"}));
    default_record::close(&db, &id("F1"), &closed, &author("2024-07-02")).unwrap();
    judged(&db, "2024-07-02");
    swept(&db, "2024-07-02");
    assert_eq!(rules(&db, "SWEPT", "2024-07-02"), ["public-record"]);
}

#[test]
fn what_nobody_would_be_reminded_of_is_not_newly_overdue() {
    // By a sweep and between sweeps.
    for by_sweep in [true, false] {
        let (_folder, db) = quiet();
        for name in ["CONTESTED", "REST", "ENOUGH"] {
            customer(&db, name);
            bill(&db, &format!("I-{name}"), name, ("2024-06-01", "2024-07-05"), 10_000);
        }
        let look = |on: &str| {
            if by_sweep {
                swept(&db, on);
            } else {
                judged(&db, on);
            }
        };
        swept(&db, "2024-07-05");
        contest(&db, "D1", "I-CONTESTED", "2024-07-06");
        pay(&db, "P1", "REST", "2024-07-06", ("I-REST", 9_901));
        pay(&db, "P2", "ENOUGH", "2024-07-06", ("I-ENOUGH", 9_900));
        look("2024-07-06");
        assert_eq!(rules(&db, "CONTESTED", "2024-07-06"), ["dispute-opened"], "{by_sweep}");
        assert_eq!(rules(&db, "REST", "2024-07-06"), [""; 0], "{by_sweep}: below the tolerance");
        assert!(has(&db, "ENOUGH", "first-overdue", "2024-07-06"), "{by_sweep}");
        swept(&db, "2024-07-06");

        // The rest does not keep what is overdue next from being new.
        bill(&db, "I2", "REST", ("2024-07-01", "2024-07-06"), 20_000);
        look("2024-07-07");
        let found = alerts(&db, "2024-07-07");
        let found = found.iter().find(|of| of.customer_id.as_str() == "REST").unwrap();
        assert_eq!(
            (found.rule.as_str(), found.evidence.value.as_str()),
            ("first-overdue", "EUR 200.00")
        );
        // What is contested later closes it.
        contest(&db, "D2", "I2", "2024-07-07");
        look("2024-07-08");
        assert_eq!(rules(&db, "REST", "2024-07-08"), ["dispute-opened"], "{by_sweep}");

        // What is contested no more is newly overdue, and the dispute is no event any longer.
        let rejected = from(json!({"outcome": "rejected", "on": "2024-07-08"}));
        dispute::resolve(&db, &id("D2"), &rejected, &author("2024-07-08")).unwrap();
        look(if by_sweep { "2024-07-09" } else { "2024-07-08" });
        swept(&db, "2024-07-10");
        assert_eq!(rules(&db, "REST", "2024-07-10"), ["first-overdue"], "{by_sweep}");
        assert_eq!(rules(&db, "CONTESTED", "2024-07-10"), ["dispute-opened"], "{by_sweep}");
    }
}

#[test]
fn another_card_lets_no_grade_fall() {
    let (_folder, db) = db();
    customer(&db, "C1");
    for (name, due) in [("1", "2024-04-20"), ("2", "2024-05-20"), ("3", "2024-06-20")] {
        bill(&db, &format!("I{name}"), "C1", ("2024-04-01", due), 10_000);
        pay(&db, &format!("P{name}"), "C1", due, (&format!("I{name}"), 10_000));
    }
    swept(&db, "2024-06-30");
    // The same scores, and nobody gets a better grade than the worst.
    let mut stricter = serde_json::to_value(dunlin_domain::card::shipped()).unwrap();
    for (at, least) in ["99.9", "99.8", "99.7", "99.6", "0"].into_iter().enumerate() {
        stricter["grades"][at]["at_least"] = json!(least);
    }
    let name = id("stricter");
    card::put(&db, &name, &from(stricter), &author("2024-06-30")).unwrap();
    card::publish(&db, &name, &from(json!({})), &author("2024-06-30")).unwrap();
    let graded = |on: &str| {
        let of_grades = |rule: &String| rule.starts_with("grade-");
        rules(&db, "C1", on).into_iter().filter(of_grades).collect::<Vec<_>>()
    };
    bill(&db, "I4", "C1", ("2024-06-30", "2024-12-31"), 10_000);
    judged(&db, "2024-06-30");
    assert_eq!(graded("2024-06-30"), [""; 0], "between sweeps");
    swept(&db, "2024-07-01");
    assert_eq!(graded("2024-07-01"), [""; 0]);
    swept(&db, "2024-07-02");
    assert_eq!(graded("2024-07-02"), [""; 0]);
    let kinds = event::feed(&db, Place::FIRST, 100, &["grade.changed".into()], None).unwrap();
    assert_eq!(kinds.items.len(), 1, "that the grade is another is told");
}

#[test]
fn a_file_of_what_others_say_is_judged_like_a_record() {
    let (_folder, db) = db();
    for name in ["C1", "C2", "C3"] {
        customer(&db, name);
    }
    swept(&db, "2024-06-30");
    let row = |number: u64, of: &str| -> (u64, PublicRecord) {
        let entry = json!({"id": format!("L{number}"), "customer_id": of, "kind": "insolvency",
            "date": "2024-06-20", "source": "court"});
        (number, from(entry))
    };
    let rows = [row(1, "C1"), row(2, "C2"), row(3, "C1"), row(4, "C9")];
    let taken = external::take_in(&db, &id("F"), &rows, &author("2024-06-30")).unwrap();
    assert_eq!((taken.accepted, taken.errors.len()), (3, 1));
    judged(&db, "2024-06-30");
    for (name, expected) in [("C1", true), ("C2", true), ("C3", false)] {
        assert_eq!(has(&db, name, "public-record", "2024-06-30"), expected, "{name}");
    }
    let told = |db: &NativeDb| -> Vec<_> {
        let kinds = ["external-fact.*".to_string()];
        let told = event::feed(db, Place::FIRST, 100, &kinds, None).unwrap().items.into_iter();
        told.map(|of| (of.kind, of.customer_id.map(|of| of.to_string()))).collect()
    };
    let of = |name: Option<&str>| ("external-fact.imported".to_string(), name.map(str::to_string));
    assert_eq!(told(&db), [of(None), of(Some("C1")), of(Some("C2"))]);
    external::take_in(&db, &id("F2"), &rows, &author("2024-06-30")).unwrap();
    assert_eq!(told(&db).len(), 3, "what brings nothing is not told");
}

#[test]
fn a_snooze_that_ends_is_told_once_by_the_sweep() {
    let (_folder, db) = quiet();
    for name in ["C1", "PAID"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, ("2024-06-01", "2024-06-29"), 10_000);
    }
    swept(&db, "2024-06-30");
    for of in alerts(&db, "2024-06-30") {
        let snooze = Wish::Snooze(from(json!({"until": "2024-07-03", "reason": "they promised"})));
        alert::act(&db, &of.id, &snooze, &author("2024-06-30")).unwrap();
    }
    let resumed = |db: &NativeDb| -> Vec<String> {
        let kinds = ["alert.resumed".to_string()];
        let told = event::feed(db, Place::FIRST, 100, &kinds, None).unwrap().items;
        let line = |of: dunlin_domain::contract::events::Event| {
            let known = alerts(db, "2024-06-30")
                .into_iter()
                .any(|alert| Some(alert.id.as_str()) == of.subject.as_deref());
            format!("{} {} {known}", of.customer_id.unwrap(), of.data.rule.unwrap())
        };
        told.into_iter().map(line).collect()
    };
    swept(&db, "2024-07-01");
    pay(&db, "P1", "PAID", "2024-07-02", ("I-PAID", 10_000));
    // The sweep of the day itself was left out.
    for on in ["2024-07-02", "2024-07-04", "2024-07-05"] {
        assert_eq!(resumed(&db).len(), usize::from(on > "2024-07-04"), "{on}");
        pay(&db, &format!("P-{on}"), "C1", on, ("I-C1", 1));
        judged(&db, on);
        swept(&db, on);
    }
    assert_eq!(resumed(&db), ["C1 first-overdue true"]);
}

fn tried(db: &NativeDb, new: Value, today: &str) -> Backtest {
    let mut asked = json!({"step_days": 1, "rule": {"severity": "info",
        "terms": [{"kind": "above", "fact": "overdue-share", "bound": "0.9"}],
        "text": {"en": "t", "zh_cn": "t"}, "advice": {"en": "a", "zh_cn": "a"}}});
    asked.as_object_mut().unwrap().extend(new.as_object().unwrap().clone());
    backtest::run(db, "mine", &from(asked), 0, day(today)).unwrap().0
}

/// One who is late for a day with each of so many bills of 2024, from the first of January on, one every ten days.
fn late_payer(db: &NativeDb, name: &str, bills: i64) {
    customer(db, name);
    for number in 0..bills {
        let due = day("2024-01-10").plus_days(number * 10).unwrap();
        let on = due.plus_days(2).unwrap().to_string();
        let bill_id = format!("{name}-{number}");
        bill(db, &bill_id, name, ("2024-01-01", &due.to_string()), 10_000);
        pay(db, &format!("P-{bill_id}"), name, &on, (&bill_id, 10_000));
    }
}

#[test]
fn false_alarms_are_counted_over_the_days_of_which_they_are_decided() {
    let (_folder, db) = db();
    late_payer(&db, "LATE", 1);
    // Nobody could judge this one: there is no document.
    customer(&db, "NEW");
    // And this one only from 1 March on.
    customer(&db, "SINCE");
    bill(&db, "S1", "SINCE", ("2024-03-01", "2024-12-31"), 10_000);
    let year = json!({"from": "2024-01-01", "to": "2024-05-30", "as_known": false});
    let of = |today: &str| {
        let of = tried(&db, year.clone(), today);
        let rate = of.false_per_hundred_years.map(|of| of.to_string());
        (of.customers, of.good, of.good_days, of.false_alarms_of_good, of.undecided, rate)
    };
    // Everything is decided: 151 days and 91.
    assert_eq!(of("2025-06-30"), (2, 2, 242, 1, 0, Some("150.83".into())));
    // By 28 August what happened up to 1 March is: 61 days and one.
    assert_eq!(of("2024-08-28"), (2, 2, 62, 1, 0, Some("588.71".into())));
    // By 8 July the alert of 11 January is decided, and by 7 July nothing of it is.
    assert_eq!(of("2024-07-09"), (2, 2, 11, 1, 0, Some("3318.18".into())));
    assert_eq!(of("2024-07-08"), (2, 2, 10, 0, 1, Some("0".into())));
    assert_eq!(of("2024-06-28"), (2, 2, 0, 0, 1, None));
}

#[test]
fn what_counts_as_a_default_is_what_somebody_would_chase_and_what_was_given_up() {
    let (_folder, db) = db();
    let due = ("2023-12-01", "2024-01-10");
    let names = [
        "UNPAID",
        "REST",
        "ENOUGH",
        "CONTESTED",
        "REJECTED",
        "WRITTEN",
        "SMALL",
        "MISTAKE",
        "BACK",
    ];
    for name in names {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, due, 10_000);
    }
    let back = author("2024-12-31");
    pay(&db, "P1", "REST", "2024-02-01", ("I-REST", 9_901));
    pay(&db, "P2", "ENOUGH", "2024-02-01", ("I-ENOUGH", 9_900));
    for name in ["CONTESTED", "REJECTED"] {
        let new =
            json!({"invoice_id": format!("I-{name}"), "reason": "quality", "on": "2024-02-01"});
        dispute::open(&db, &from(new), id(&format!("D-{name}")), &back).unwrap();
    }
    let rejected = from(json!({"outcome": "rejected", "on": "2024-05-01"}));
    dispute::resolve(&db, &id("D-REJECTED"), &rejected, &back).unwrap();
    pay(&db, "P3", "SMALL", "2024-02-01", ("I-SMALL", 9_901));
    for name in ["WRITTEN", "SMALL", "MISTAKE"] {
        let new = json!({"id": format!("W-{name}"), "invoice_id": format!("I-{name}"), "on": "2024-02-20", "reason": "gone"});
        write_off::add(&db, &from(new), id("x"), &back).unwrap();
    }
    let reversed = from(json!({"on": "2024-02-25", "reason": "the wrong one"}));
    write_off::reverse(&db, &id("W-MISTAKE"), &reversed, &back).unwrap();
    pay(&db, "P4", "MISTAKE", "2024-02-26", ("I-MISTAKE", 10_000));
    // Paid in time, and taken back after the 91st day.
    pay(&db, "P5", "BACK", "2024-01-10", ("I-BACK", 10_000));
    let new = from(json!({"kind": "chargeback", "on": "2024-05-10"}));
    payments::reverse(&db, &id("P5"), &new, id("R5"), &back).unwrap();

    let in_default = |from: &str, to: &str| {
        let asked = json!({"from": from, "to": to, "step_days": 30, "as_known": false});
        let found = tried(&db, asked, "2024-12-31");
        (found.customers, found.defaults)
    };
    assert_eq!(in_default("2024-01-01", "2024-02-19"), (9, 0));
    assert_eq!(in_default("2024-01-01", "2024-02-20"), (9, 1), "what was written off");
    assert_eq!(in_default("2024-01-01", "2024-04-09"), (9, 1));
    assert_eq!(in_default("2024-01-01", "2024-04-10"), (9, 3), "what is 91 days past due");
    assert_eq!(in_default("2024-01-01", "2024-05-01"), (9, 4), "what is contested no more");
    assert_eq!(in_default("2024-01-01", "2024-05-10"), (9, 5), "what was taken back");
    assert_eq!(in_default("2024-01-01", "2024-12-31"), (9, 5));
}
