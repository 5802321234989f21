//! The flows on a real SQLite file: from documents to a sweep.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, db, id, read as from};
use dunlin_app::{
    alert,
    audit::{self, Author},
    credit_refund, customer as customers,
    import::{self, Begun, Options, Order, Reading, Rows, Slice},
    interest, invoice as documents,
    ledger::{self, Change},
    payment as payments, report, score, statement, sweep, verify,
};
use dunlin_domain::{
    Instant, Money, Refusal,
    contract::ingest::{ImportKind, ImportState, OnError},
    contract::ledger::InvoiceCorrection,
    contract::report::*,
    contract::types::*,
    contract::warn::AlertKind,
};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::json;
use std::collections::BTreeSet;

fn now() -> Instant {
    "2024-12-31T12:00:00Z".parse().unwrap()
}

fn author() -> Author {
    Author { who: "tester".into(), at: now(), salt: "salt".into() }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn customer(db: &NativeDb, name: &str) {
    let new: NewCustomer = from(json!({
        "id": name, "name": format!("{name} Ltd"), "currency": "EUR", "credit_limit": eur(100_000),
    }));
    customers::add(db, &new, id("made"), &author()).unwrap();
}

fn invoice(name: &str, of: &str, issued: &str, due: &str, minor: i64) -> NewInvoice {
    from(json!({
        "id": name, "customer_id": of, "issued_on": issued, "due_on": due, "amount": eur(minor),
    }))
}

fn payment(name: &str, of: &str, on: &str, minor: i64, named: Option<&str>) -> NewPayment {
    from(json!({
        "id": name, "customer_id": of, "received_on": on, "amount": eur(minor), "invoice_id": named,
    }))
}

fn open(db: &NativeDb, name: &str, on: &str) -> i64 {
    documents::get(db, &id(name), day(on), i64::MAX).unwrap().open.minor
}

#[test]
fn a_payment_meets_the_oldest_due_and_any_day_can_be_asked_for() {
    let (_folder, db) = db();
    customer(&db, "C1");
    for new in [
        invoice("I1", "C1", "2024-01-01", "2024-03-01", 10_000),
        invoice("I2", "C1", "2024-01-05", "2024-02-01", 20_000),
    ] {
        assert_eq!(documents::add(&db, &new, id("x"), &author()).unwrap().1, Change::Made);
        assert_eq!(documents::add(&db, &new, id("x"), &author()).unwrap().1, Change::AlreadySo);
    }
    let pay = payment("P1", "C1", "2024-02-10", 25_000, None);
    assert_eq!(payments::add(&db, &pay, id("x"), &author()).unwrap().1, Change::Made);
    assert_eq!((open(&db, "I1", "2024-02-10"), open(&db, "I2", "2024-02-10")), (5_000, 0));
    assert_eq!((open(&db, "I1", "2024-02-09"), open(&db, "I2", "2024-02-09")), (10_000, 20_000));
    // A backdated payment replays what came after it.
    let back = payment("P0", "C1", "2024-01-10", 15_000, None);
    payments::add(&db, &back, id("x"), &author()).unwrap();
    assert_eq!((open(&db, "I1", "2024-01-10"), open(&db, "I2", "2024-01-10")), (10_000, 5_000));
    assert_eq!((open(&db, "I1", "2024-02-10"), open(&db, "I2", "2024-02-10")), (0, 0));
    let found = ledger::customer(&db, &id("C1"), day("2024-02-10")).unwrap();
    assert_eq!(found.balances.len(), 1);
    let balance = &found.balances[0];
    assert_eq!(
        (balance.outstanding_minor, balance.overdue_minor, balance.unapplied_minor),
        (0, 0, 10_000)
    );
    let then = payments::get(&db, &id("P1"), day("2024-02-10"), i64::MAX).unwrap();
    let used: i64 = then.allocations.iter().map(|part| part.amount.minor).sum();
    assert_eq!(used + then.unallocated.minor, then.amount.minor);
}

#[test]
fn other_content_under_the_same_id_is_refused_and_names_the_field() {
    let (_folder, db) = db();
    customer(&db, "C1");
    customer(&db, "C2");
    let new = invoice("I1", "C1", "2024-01-01", "2024-03-01", 10_000);
    documents::add(&db, &new, id("x"), &author()).unwrap();
    for (field, other) in [
        ("customer_id", NewInvoice { customer_id: id("C2"), ..new.clone() }),
        ("amount", NewInvoice { amount: eur(1), ..new.clone() }),
        ("due_on", NewInvoice { due_on: Some(day("2024-03-02")), ..new.clone() }),
        ("disputed", NewInvoice { disputed: Some(true), ..new.clone() }),
    ] {
        let Err(Fault::Refused(refused)) = documents::add(&db, &other, id("x"), &author()) else {
            panic!("{field}")
        };
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (Refusal::DifferentContent, Some(field))
        );
    }
    for (code, pay) in [
        (Refusal::UnknownInvoice, payment("P", "C1", "2024-01-02", 1, Some("I9"))),
        (Refusal::InvoiceOfAnotherCustomer, payment("P", "C2", "2024-01-02", 1, Some("I1"))),
        (Refusal::UnknownCustomer, payment("P", "C9", "2024-01-02", 1, None)),
        (Refusal::AmountNotPositive, payment("P", "C1", "2024-01-02", 0, None)),
    ] {
        let Err(Fault::Refused(refused)) = payments::add(&db, &pay, id("x"), &author()) else {
            panic!("{code}")
        };
        assert_eq!(refused.code, code);
    }
}

#[test]
fn an_import_takes_all_or_nothing_and_twice_is_once() {
    let (_folder, db) = db();
    let order = |name: &str, on_error| Order {
        id: id(name),
        kind: ImportKind::Invoices,
        profile: id("generic"),
        on_error,
        create_customers: true,
    };
    let good = r#"[[2,"I1","C1","invoice","2024-01-01","2024-02-01",100,"EUR",0],[3,"I2","C2","invoice","2024-01-01","2024-02-01",200,"EUR",0]]"#;
    let slice = Slice { invoices: good.into(), ..Slice::default() };
    let reading = Reading { received: 2, ..Reading::default() };
    let run = |name: &str, slice: &Slice, on_error| {
        let order = order(name, on_error);
        let Begun::Work(work) = import::begin(&db, &order, &Options::default(), now()).unwrap()
        else {
            panic!("{} was there", order.id)
        };
        let rows = Rows { staged: 0, last: slice };
        import::apply(&db, &order, work.run, rows, &reading, &author()).unwrap()
    };
    let first = run("M1", &slice, OnError::Reject);
    assert_eq!((first.accepted, first.unchanged, first.rejected), (2, 0, 0), "{first:?}");
    let again = run("M2", &slice, OnError::Reject);
    assert_eq!((again.accepted, again.unchanged, again.rejected), (0, 2, 0));
    let bad = Slice {
        invoices: good.replace("\"I2\"", "\"I3\"").replace(",100,", ",101,"),
        ..Slice::default()
    };
    let refused = run("M3", &bad, OnError::Reject);
    assert_eq!((refused.state, refused.accepted, refused.rejected), (ImportState::Rejected, 0, 2));
    assert_eq!((refused.errors[0].row, refused.errors[0].code), (2, Refusal::DifferentContent));
    assert_eq!(refused.errors[0].field.as_deref(), Some("amount"));
    assert!(
        documents::get(&db, &id("I3"), day("2024-02-01"), i64::MAX).is_err(),
        "nothing was stored"
    );
    let skipped = run("M4", &bad, OnError::Skip);
    assert_eq!((skipped.accepted, skipped.unchanged, skipped.rejected), (1, 0, 1));
    assert_eq!(import::get(&db, &id("M4")).unwrap(), skipped);
}

#[test]
fn a_sweep_ages_scores_warns_reminds_and_twice_is_once() {
    let (_folder, db) = db();
    for name in ["C1", "C2"] {
        customer(&db, name);
    }
    for n in 0..12 {
        let issued = day("2024-01-01").plus_days(n * 20).unwrap();
        let due = issued.plus_days(14).unwrap();
        let new = NewInvoice {
            issued_on: issued,
            due_on: Some(due),
            ..invoice("x", "C1", "2024-01-01", "2024-01-01", 8_000)
        };
        documents::add(
            &db,
            &NewInvoice { id: Some(id(&format!("A{n}"))), ..new.clone() },
            id("x"),
            &author(),
        )
        .unwrap();
        let other = NewInvoice { id: Some(id(&format!("B{n}"))), customer_id: id("C2"), ..new };
        documents::add(&db, &other, id("x"), &author()).unwrap();
        let paid = due.plus_days(-2).unwrap().to_string();
        payments::add(
            &db,
            &payment(&format!("P{n}"), "C2", &paid, 8_000, None),
            id("x"),
            &author(),
        )
        .unwrap();
    }
    let run = |on: &str| {
        let mut tick = sweep::Tick::begin(&db, Some(day(on)), id("me"), now()).unwrap();
        loop {
            match tick.step(&db, now()).unwrap() {
                sweep::Step::More => {}
                sweep::Step::Deliver => {
                    tick.delivered(&db, Default::default(), true, now()).unwrap()
                }
                sweep::Step::Done => return tick.end(&db).unwrap(),
            }
        }
    };
    let first = run("2024-08-22");
    assert!(first.done);
    assert_eq!(
        (first.counts.aged, first.counts.scored, first.counts.notices),
        (1, 2, 1),
        "{first:?}"
    );
    assert_eq!(run("2024-08-22"), first);
    let card = |name: &str| score::card(&db, &id(name), day("2024-08-22"), Language::ZhCn).unwrap();
    let (bad, good) = (card("C1"), card("C2"));
    assert!(bad.score < good.score, "{bad:?} {good:?}");
    assert_eq!(good.grade, Some(Grade::A));
    let filter = dunlin_store::alert::Filter::on(day("2024-08-22"));
    let before = ("9999".to_string(), i64::MAX);
    let alerts = alert::alerts(&db, &before, 10, filter, None).unwrap();
    let kinds: Vec<AlertKind> = alerts.iter().map(|(alert, _)| alert.kind).collect();
    // What was past due before the first sweep is old and no first of its kind.
    let worse = AlertKind::PayingWorse;
    assert_eq!(kinds, [worse, worse, AlertKind::LimitNear, worse]);
    let notices =
        dunlin_app::remind::notices(&db, &dunlin_store::notice::last(), 10, Default::default())
            .unwrap();
    assert_eq!(notices[0].0.items.len(), 12, "{notices:?}");
    let question = report::Question {
        as_of: day("2024-08-22"),
        known: i64::MAX,
        aged_as_of: day("2024-08-22"),
        basis: AgeingBasis::Due,
        edges: Default::default(),
    };
    let ageing = report::ageing(&db, question).unwrap();
    assert_eq!(ageing.totals[0].total_minor, 96_000);
    assert_eq!(report::snapshots(&db, "9999", 5).unwrap()[0].totals, ageing.totals);
    let refused = sweep::Tick::begin(&db, Some(day("2024-08-21")), id("me"), now()).unwrap_err();
    assert!(
        matches!(refused, Fault::Refused(refused) if refused.code == Refusal::DateAlreadySwept)
    );
    let dso = report::dso(&db, day("2024-08-31"), 3, DsoMethod::Simple).unwrap();
    assert_eq!((dso.from, dso.period_days), (day("2024-06-01"), 92));
}

#[test]
fn a_business_date_that_was_given_up_costs_no_alert_and_is_not_gone_back_to() {
    let (_folder, db) = db();
    customer(&db, "C1");
    documents::add(
        &db,
        &invoice("I1", "C1", "2024-01-01", "2024-01-10", 10_000),
        id("x"),
        &author(),
    )
    .unwrap();
    let finish = |mut tick: sweep::Tick, most: usize| {
        for _ in 0..most {
            match tick.step(&db, now()).unwrap() {
                sweep::Step::More => {}
                sweep::Step::Deliver => {
                    tick.delivered(&db, Default::default(), true, now()).unwrap()
                }
                sweep::Step::Done => break,
            }
        }
        tick.end(&db).unwrap()
    };
    let begin = |on: &str| sweep::Tick::begin(&db, Some(day(on)), id("me"), now());
    // Nothing accrues; then one slice of each of two stages and their ends, and no rule to judge by: the alerts of this day are never judged.
    let cut = finish(begin("2024-01-11").unwrap(), 6);
    assert!(!cut.done && cut.counts.aged == 1 && cut.counts.scored == 1, "{cut:?}");
    let next = finish(begin("2024-01-12").unwrap(), 100);
    assert!(next.done);
    assert_eq!(next.counts.alerts_opened, 1, "{next:?}");
    let refused = begin("2024-01-11").unwrap_err();
    assert!(
        matches!(refused, Fault::Refused(refused) if refused.code == Refusal::DateAlreadySwept)
    );
}

#[test]
fn a_page_as_of_a_past_day_holds_what_was_issued_by_then_and_loses_nothing() {
    let (_folder, db) = db();
    customer(&db, "C1");
    for (name, issued, due) in [
        ("I1", "2024-03-01", "2024-03-02"),
        ("I2", "2024-01-01", "2024-03-03"),
        ("I3", "2024-01-02", "2024-03-04"),
    ] {
        documents::add(&db, &invoice(name, "C1", issued, due, 100), id("x"), &author()).unwrap();
    }
    let start = (String::new(), 0);
    let page = |limit| documents::page(&db, &id("C1"), &start, limit, day("2024-02-01")).unwrap();
    let names = |limit| {
        page(limit).into_iter().map(|(invoice, _)| invoice.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(1), ["I2"]);
    assert_eq!(names(9), ["I2", "I3"]);
}

#[test]
fn what_is_held_back_is_at_most_what_the_invoice_claims() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let bill = invoice("I1", "C1", "2024-01-01", "2024-01-31", 1_000);
    documents::add(&db, &bill, id("x"), &author()).unwrap();
    for (minor, refusal) in [(1_001, Some(Refusal::PartsExceedAmount)), (1_000, None)] {
        let new: NewPayment = from(json!({
            "id": "P1", "customer_id": "C1", "received_on": "2024-01-02", "amount": eur(1),
            "deductions": [{"invoice_id": "I1", "minor": minor, "reason": "agreed"}],
        }));
        let refused = match payments::add(&db, &new, id("x"), &author()) {
            Err(Fault::Refused(refused)) => Some(refused.code),
            other => other.map(|_| None).unwrap(),
        };
        assert_eq!(refused, refusal, "{minor}");
    }
}

#[test]
fn a_standing_credit_is_paid_out_and_can_stand_again() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let add = |new: &NewInvoice| documents::add(&db, new, id("x"), &author()).unwrap();
    add(&invoice("I1", "C1", "2024-01-01", "2024-01-31", 100));
    let credit = json!({"id": "G1", "kind": "credit-note", "customer_id": "C1",
        "issued_on": "2024-01-10", "amount": eur(300)});
    add(&from(credit));
    let before = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    let refund = |note: &str, new: serde_json::Value| {
        let made = credit_refund::add(&db, &id(note), &from(new), id("made"), &author());
        made.map_err(refused)
    };
    let stands = |on: &str| {
        let found = ledger::customer(&db, &id("C1"), day(on)).unwrap();
        let sums = found.balances.first();
        let sums = sums.map_or((0, 0), |sums| (sums.outstanding_minor, sums.unapplied_minor));
        let lines = statement::of(&db, &id("C1"), day(on), None, i64::MAX).unwrap().entries;
        let balance = lines.last().map_or(0, |line| line.balance_minor);
        assert_eq!(balance, sums.0 - sums.1, "the ledger on {on}");
        assert_eq!(verify::books(&db).unwrap().checks.iter().map(|of| of.broken).sum::<u64>(), 0);
        (sums, open(&db, "G1", on))
    };
    assert_eq!(stands("2024-02-01"), ((0, 200), 200));
    let on = "2024-02-01";
    for (note, new, code, field) in [
        ("I1", json!({}), Refusal::WrongState, ""),
        ("G9", json!({}), Refusal::NotFound, ""),
        ("G1", json!({"minor": 0}), Refusal::AmountNotPositive, "minor"),
        ("G1", json!({"minor": 201, "on": on}), Refusal::MoreThanOpen, "minor"),
        ("G1", json!({"on": "2024-01-09"}), Refusal::DateOutOfRange, "on"),
        ("G1", json!({"on": "2025-01-01"}), Refusal::DateInFuture, "on"),
    ] {
        assert_eq!(refund(note, new.clone()), Err((code, field.to_string())), "{note} {new}");
    }
    assert_eq!(refund("G1", json!({"id": "R1", "on": on})), Ok(Change::Made));
    assert_eq!(refund("G1", json!({"id": "R1", "on": on, "minor": 200})), Ok(Change::AlreadySo));
    let other = refund("G1", json!({"id": "R1", "on": on, "minor": 199}));
    assert_eq!(other, Err((Refusal::DifferentContent, "minor".into())));
    let more = refund("G1", json!({"id": "R2", "on": on}));
    assert_eq!(more, Err((Refusal::MoreThanOpen, "minor".into())));
    assert_eq!((stands("2024-01-31"), stands(on)), (((0, 200), 200), ((0, 0), 0)));
    let read = |on: &str, known: i64| {
        let note = documents::get(&db, &id("G1"), day(on), known).unwrap();
        let refunds = note.refunds.unwrap_or_default();
        (note.open.minor, refunds.iter().map(|of| (of.minor, of.reversed_on)).collect::<Vec<_>>())
    };
    assert_eq!((read(on, i64::MAX), read(on, before)), ((0, vec![(200, None)]), (200, vec![])));
    let less: InvoiceCorrection = from(json!({"minor": 299, "reason": "too much"}));
    let less = documents::correct(&db, &id("G1"), &less, &author());
    assert_eq!(less.map_err(refused), Ok(Change::Replaced), "it pays less of the invoice");
    let less: InvoiceCorrection = from(json!({"minor": 199, "reason": "too much"}));
    let less = documents::correct(&db, &id("G1"), &less, &author());
    assert_eq!(less.map_err(refused), Err((Refusal::MoreThanOpen, "minor".into())));
    let again: InvoiceCorrection = from(json!({"minor": 300, "reason": "it was right"}));
    documents::correct(&db, &id("G1"), &again, &author()).unwrap();
    let paid_out = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    // What comes meanwhile stays open, until the money comes back.
    add(&invoice("I2", "C1", "2024-03-01", "2024-03-31", 150));
    assert_eq!(stands("2024-03-31"), ((150, 0), 0));
    let back = |on: &str| {
        let new = from(json!({"on": on, "reason": "no such account"}));
        credit_refund::reverse(&db, &id("R1"), &new, &author()).map_err(refused)
    };
    assert_eq!(back("2024-01-31"), Err((Refusal::DateOutOfRange, "on".into())));
    assert_eq!(back("2024-04-01"), Ok((id("G1"), Change::Replaced)));
    assert_eq!(back("2024-04-01"), Ok((id("G1"), Change::AlreadySo)));
    assert_eq!(back("2024-04-02"), Err((Refusal::DifferentContent, "on".into())));
    assert_eq!((stands("2024-03-31"), stands("2024-04-01")), (((150, 0), 0), ((0, 50), 50)));
    // While the first one stood nothing was left for another, and the note was not less.
    let too_much = json!({"id": "R2", "on": "2024-01-20", "minor": 50});
    assert_eq!(refund("G1", too_much), Err((Refusal::MoreThanOpen, "minor".into())));
    let less: InvoiceCorrection = from(json!({"minor": 199, "reason": "too much"}));
    let less = documents::correct(&db, &id("G1"), &less, &author());
    assert_eq!(less.map_err(refused), Err((Refusal::MoreThanOpen, "minor".into())));
    let reversed = (50, vec![(200, Some(day("2024-04-01")))]);
    assert_eq!(
        (read("2024-04-01", i64::MAX), read("2024-04-01", paid_out).1),
        (reversed, vec![(200, None)])
    );
    // What is recorded otherwise is found.
    dunlin_store::Db::execute(
        &db,
        "UPDATE credit_refund SET reversed_on = NULL, reversed_entry_key = NULL",
        &[],
    )
    .unwrap();
    let found = verify::books(&db).unwrap();
    let broken = found.checks.iter().filter(|check| check.broken > 0);
    let broken: Vec<_> =
        broken.map(|check| (check.name.as_str(), check.examples.clone())).collect();
    let of = |name: &str| vec![name.to_string()];
    assert_eq!(
        broken,
        [("reversals-recorded", of("G1")), ("fields-noted", of("credit_refund R1"))]
    );
}

#[test]
fn what_was_known_then_is_told_in_the_order_of_then() {
    let (_folder, db) = db();
    customer(&db, "C1");
    for (name, due) in [("I1", "2024-03-01"), ("I2", "2024-02-01")] {
        let new = invoice(name, "C1", "2024-01-01", due, 100);
        documents::add(&db, &new, id("x"), &author()).unwrap();
    }
    let pay = payment("P1", "C1", "2024-01-10", 200, None);
    payments::add(&db, &pay, id("x"), &author()).unwrap();
    let before = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    let new: InvoiceCorrection = from(json!({"due_on": "2024-04-01", "reason": "agreed later"}));
    documents::correct(&db, &id("I2"), &new, &author()).unwrap();
    let order = |known: i64| {
        let when = dunlin_store::When { day: day("2024-12-31"), known };
        let listed = documents::page(&db, &id("C1"), &(String::new(), 0), 10, when).unwrap();
        let listed: Vec<String> = listed.iter().map(|(of, _)| of.id.to_string()).collect();
        let paid = payments::get(&db, &id("P1"), when.day, known).unwrap().allocations;
        let paid: Vec<String> = paid.into_iter().map(|part| part.invoice_id).collect();
        (listed, paid)
    };
    for (known, expected) in [(before, ["I2", "I1"]), (i64::MAX, ["I1", "I2"])] {
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(order(known), (expected.clone(), expected), "{known}");
    }
}

fn refused(fault: Fault) -> (Refusal, String) {
    match fault {
        Fault::Refused(refused) => (refused.code, refused.field.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

/// A payment in dollars for invoices in euros and dollars: what is held back and settled is of the part in euros, and a
/// part of the payment goes back at the price at which it was changed.
#[test]
fn what_is_paid_in_another_currency_is_held_back_settled_and_returned_in_that_of_the_debt() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let rate =
        json!([{"valid_from": "2024-01-01", "rate": "1.25", "source": "ours", "confirmed": true}]);
    interest::put_rates(&db, &id("fx-eur-usd"), &from::<Vec<_>>(rate), &author()).unwrap();
    for (name, minor, currency) in
        [("E1", 10_000, "EUR"), ("E2", 5_000, "EUR"), ("U1", 9_000, "USD")]
    {
        let new = from(
            json!({"id": name, "customer_id": "C1", "issued_on": "2024-01-01", "due_on": "2024-02-01",
            "amount": {"minor": minor, "currency": currency}}),
        );
        documents::add(&db, &new, id("x"), &author()).unwrap();
    }
    let new = |of: &str| {
        json!({"id": "P1", "customer_id": "C1", "received_on": "2024-02-10",
            "amount": {"minor": 20_000, "currency": "USD"},
            "designation": [{"invoice_id": "E1", "minor": 9_600}, {"invoice_id": "U1", "minor": 8_000}],
            "deductions": [{"invoice_id": of, "minor": 300, "reason": "withholding"}], "settles": ["E1"]})
    };
    let add = |new: serde_json::Value| payments::add(&db, &from(new), id("x"), &author());
    let refused = |done: Result<(_, Change), Fault>| match done {
        Err(Fault::Refused(refused)) => (refused.code, refused.field.unwrap()),
        other => panic!("{other:?}"),
    };
    // Nothing of the payment is changed into the currency of this one.
    let nothing = json!({"id": "P0", "customer_id": "C1", "received_on": "2024-02-10",
        "amount": {"minor": 100, "currency": "USD"}, "settles": ["E2"]});
    assert_eq!(refused(add(nothing)), (Refusal::CurrencyMismatch, "settles".to_string()));
    assert_eq!(add(new("E1")).unwrap().1, Change::Made);
    assert_eq!(add(new("E1")).unwrap().1, Change::AlreadySo);
    assert_eq!(refused(add(new("E2"))), (Refusal::DifferentContent, "deductions".to_string()));
    let read = |name: &str| payments::get(&db, &id(name), day("2024-12-31"), i64::MAX).unwrap();
    let (whole, part) = (read("P1"), read("P1/EUR"));
    let named = |of: &Payment| -> Vec<(String, i64)> {
        let named = of.designation.iter().flatten();
        named.map(|of| (of.invoice_id.to_string(), of.minor)).collect()
    };
    assert_eq!(named(&whole), [("U1".to_string(), 8_000), ("E1".to_string(), 9_600)]);
    assert_eq!((whole.deductions.unwrap().len(), whole.settles.unwrap()), (1, vec![id("E1")]));
    let to = whole.converted_to.unwrap();
    assert_eq!(
        (to[0].payment_id.as_str(), to[0].minor, to[0].cost_minor),
        ("P1/EUR", 9_600, Some(12_000))
    );
    let mut of: Vec<_> =
        part.allocations.iter().map(|of| (of.difference, of.amount.minor)).collect();
    let (held, agreed) = (Some(Difference::Withholding), Some(Difference::FullSettlement));
    of.sort_by_key(|(_, minor)| *minor);
    assert_eq!(of, [(agreed, 100), (held, 300), (None, 9_600)]);
    assert_eq!((open(&db, "E1", "2024-12-31"), open(&db, "U1", "2024-12-31")), (0, 1_000));

    // First what stayed in dollars, then at the price of the day: 1.25 dollars a euro.
    let back = |name: &str, minor: Option<i64>| {
        let back = json!({"id": name, "kind": "chargeback", "on": "2024-03-01", "minor": minor});
        payments::reverse(&db, &id("P1"), &from(back), id("x"), &author())
    };
    assert_eq!(back("R1", Some(7_000)).unwrap(), Change::Made);
    assert_eq!((read("P1").returned_minor, read("P1/EUR").returned_minor), (7_000, 0));
    assert_eq!(back("R2", Some(2_001)).unwrap(), Change::Made);
    assert_eq!(back("R2", Some(2_001)).unwrap(), Change::AlreadySo);
    assert_eq!((read("P1").returned_minor, read("P1/EUR").returned_minor), (8_000, 801));
    assert_eq!((open(&db, "E1", "2024-03-01"), open(&db, "E1", "2024-02-29")), (901, 0));
    let first = &read("P1/EUR").reversals.unwrap()[0];
    assert_eq!((first.id.as_str(), first.minor, first.cost_minor), ("R2/EUR", 801, Some(1_001)));
    assert_eq!(back("R3", Some(1)).map(drop).map_err(|_| ()), Ok(()), "0.8 is rounded to one");
    let code = |done: Result<Change, Fault>| match done {
        Err(Fault::Refused(refused)) => refused.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(back("R4", Some(10_999))), Refusal::MoreThanOpen);
    assert_eq!(back("R4", None).unwrap(), Change::Made);
    assert_eq!((read("P1").returned_minor, read("P1/EUR").returned_minor), (8_000, 9_600));
    assert_eq!(open(&db, "E1", "2024-12-31"), 10_000);
    assert_eq!(code(back("R5", None)), Refusal::MoreThanOpen);
    let books = verify::books(&db).unwrap();
    assert!(books.ok, "{books:?}");
}

/// What a payment in two currencies is after these reversals came in this order, one of them to be taken back.
fn given_back(order: &[(&str, serde_json::Value)]) -> Vec<(i64, i64, i64, i64)> {
    let (_folder, db) = db();
    customer(&db, "C1");
    let rate =
        json!([{"valid_from": "2024-01-01", "rate": "1.25", "source": "ours", "confirmed": true}]);
    interest::put_rates(&db, &id("fx-eur-usd"), &from::<Vec<_>>(rate), &author()).unwrap();
    for (name, minor, currency) in [("E1", 9_600, "EUR"), ("U1", 8_000, "USD")] {
        let new = from(
            json!({"id": name, "customer_id": "C1", "issued_on": "2024-01-01", "due_on": "2024-02-01",
            "amount": {"minor": minor, "currency": currency}}),
        );
        documents::add(&db, &new, id("x"), &author()).unwrap();
    }
    let new = json!({"id": "P1", "customer_id": "C1", "received_on": "2024-02-10",
        "amount": {"minor": 20_000, "currency": "USD"},
        "designation": [{"invoice_id": "E1", "minor": 9_600}, {"invoice_id": "U1", "minor": 8_000}]});
    payments::add(&db, &from(new), id("x"), &author()).unwrap();
    for (name, new) in order {
        let done = payments::reverse(&db, &id("P1"), &from(new.clone()), id(name), &author());
        assert_eq!(done.unwrap(), Change::Made);
    }
    if order.iter().any(|(name, _)| *name == "R9") {
        let undo =
            |of: &str| payments::undo(&db, &id(of), &from(json!({"reason": "of P2"})), &author());
        let code = |of: &str| match undo(of) {
            Err(Fault::Refused(refused)) => refused.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code("R9/EUR"), Refusal::WrongState, "it is what of R9 fell on a part");
        assert_eq!((code("R9/GBP"), code("R8/EUR")), (Refusal::NotFound, Refusal::NotFound));
        assert_eq!(undo("R9").unwrap(), (id("P1"), Change::Replaced));
        let told = audit::entries_of(&db, 0, 100, Some("payment"), Some("P1")).unwrap();
        let told = told.iter().find(|of| of.action == "reinstate").unwrap();
        let change: serde_json::Value = serde_json::from_str(&told.change).unwrap();
        assert_eq!(change["after"]["minor"], 9_000, "all of it, in the payment's currency");
    }
    let books = verify::books(&db).unwrap();
    assert!(books.ok, "{books:?}");
    let days = ["2024-02-10", "2024-03-01", "2024-03-10", "2024-12-31"];
    let standing = days.map(|on| {
        let read = payments::get(&db, &id("P1"), day(on), i64::MAX).unwrap();
        let to = read.converted_to.unwrap()[0].returned_minor;
        (open(&db, "E1", on), open(&db, "U1", on), read.returned_minor, to)
    });
    let read = payments::get(&db, &id("P1"), day("2024-12-31"), i64::MAX).unwrap();
    let back = read.reversals.unwrap().into_iter().filter(|back| back.undone.is_none());
    let changed = |of: Reversal| of.converted_minor.unwrap_or(0);
    let own: i64 = back.map(|of| of.minor - changed(of)).sum();
    assert_eq!(own, read.returned_minor);
    let part = payments::get(&db, &id("P1/EUR"), day("2024-12-31"), i64::MAX).unwrap();
    let of_part: i64 = part.reversals.unwrap().iter().map(|back| back.minor).sum();
    assert_eq!(of_part, standing[3].3);
    standing.to_vec()
}

#[test]
fn what_goes_back_falls_where_it_does_in_any_order_and_one_taken_back_leaves_no_trace() {
    let mistake = ("M", json!({"kind": "mistake", "minor": 2_000}));
    let first = ("R1", json!({"kind": "returned", "minor": 5_000, "on": "2024-03-01"}));
    let second = ("R2", json!({"kind": "chargeback", "minor": 3_000, "on": "2024-03-10"}));
    let wrong = ("R9", json!({"kind": "chargeback", "minor": 9_000, "on": "2024-02-10"}));
    // 8_000 stayed in dollars: the mistake and the first of March take 7_000 of them.
    let expected = [(0, 2_000, 2_000, 0), (0, 7_000, 7_000, 0), (1_600, 8_000, 8_000, 1_600)];
    let expected = [&expected[..], &expected[2..]].concat();
    let [m, a, b, w] = [mistake, first, second, wrong];
    for order in [
        vec![&m, &a, &b],
        vec![&b, &a, &m],
        vec![&a, &m, &b],
        vec![&b, &m, &a],
        vec![&w, &a, &b, &m],
        vec![&a, &w, &b, &m],
        vec![&b, &m, &a, &w],
    ] {
        let order: Vec<_> = order.into_iter().cloned().collect();
        let names: Vec<&str> = order.iter().map(|of| of.0).collect();
        assert_eq!(given_back(&order), expected, "{names:?}");
    }
}

/// What a payment settles it pays first, whether or not it names it besides.
#[test]
fn money_goes_to_what_it_settles_before_what_it_does_not_name() {
    for (more, served) in [
        (json!({}), [("I2", 90), ("I2", 10)].as_slice()),
        (json!({"invoice_id": "I2"}), &[("I2", 90), ("I2", 10)]),
        (json!({"invoice_id": "I3"}), &[("I3", 50), ("I2", 40), ("I2", 60)]),
        (
            json!({"designation": [{"invoice_id": "I2", "minor": 30}]}),
            &[("I2", 30), ("I2", 70), ("I1", 60)],
        ),
    ] {
        let (_folder, db) = db();
        customer(&db, "C1");
        for (name, minor) in [("I1", 100), ("I2", 100), ("I3", 50)] {
            let new = invoice(name, "C1", "2024-01-01", "2024-02-01", minor);
            documents::add(&db, &new, id("x"), &author()).unwrap();
        }
        let mut new = json!({"id": "P1", "customer_id": "C1", "received_on": "2024-01-10",
            "amount": {"minor": 90, "currency": "EUR"}, "settles": ["I2"]});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payments::add(&db, &from(new), id("x"), &author()).unwrap();
        let read = payments::get(&db, &id("P1"), day("2024-12-31"), i64::MAX).unwrap();
        let parts = read.allocations.iter();
        let parts: BTreeSet<(&str, i64)> =
            parts.map(|of| (of.invoice_id.as_str(), of.amount.minor)).collect();
        let served = served.iter().copied().collect();
        assert_eq!((parts, read.unallocated.minor), (served, 0), "{more}");
        let named = read.allocations.iter().filter(|of| of.difference.is_none());
        for of in named.filter(|of| of.invoice_id == "I2") {
            assert_eq!(of.rule.as_ref().unwrap().served_by, ServedBy::Designation, "{more}");
        }
    }
}
