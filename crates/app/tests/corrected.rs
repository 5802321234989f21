//! Documents that are corrected past what was decided about them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, db, id, on, read};
use dunlin_app::{
    audit, contract, credit_refund, customer, dispute, import, invoice, ledger::Change, payment,
    verify, write_off,
};
use dunlin_domain::{
    Date, Refusal,
    contract::{
        ingest::{ImportKind, OnError},
        ledger::*,
        types::{Invoice, ServedBy},
    },
};
use dunlin_store::{
    Db, Fault, When,
    correction::{self, Fields},
    native::NativeDb,
    write,
};
use serde_json::{Value, json};

const TODAY: &str = "2024-12-31";

fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

/// A ledger with the customer `C` and a document `I` of it, with what else is said of it.
fn ledger(more: Value) -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    customer::add(&db, &read(json!({"id": "C", "name": "C"})), id("made"), &on(TODAY)).unwrap();
    bill(&db, "I", more);
    (folder, db)
}

fn bill(db: &NativeDb, name: &str, more: Value) {
    let mut new = json!({"id": name, "customer_id": "C", "issued_on": "2024-01-01",
        "due_on": "2024-06-30", "amount": eur(10_000)});
    for (field, value) in more.as_object().unwrap() {
        new[field] = value.clone();
        if value.is_null() {
            new.as_object_mut().unwrap().remove(field);
        }
    }
    invoice::add(db, &read(new), id("made"), &on(TODAY)).unwrap();
}

fn try_correct(db: &NativeDb, name: &str, mut what: Value) -> Result<Change, Fault> {
    what["reason"] = json!("typed wrongly");
    invoice::correct(db, &id(name), &read(what), &on(TODAY))
}

fn correct(db: &NativeDb, name: &str, what: Value) {
    assert_eq!(try_correct(db, name, what).unwrap(), Change::Replaced);
}

fn at(db: &NativeDb, name: &str, on: &str) -> Invoice {
    invoice::get(db, &id(name), day(on), i64::MAX).unwrap()
}

fn as_of(on: &str) -> When {
    When { day: day(on), ..When::ALL }
}

#[test]
fn what_was_given_up_stays_so_where_the_document_moves_past_it() {
    let give_up = |db: &NativeDb| {
        let new = json!({"id": "W", "invoice_id": "I", "on": "2024-02-01", "reason": "gone"});
        write_off::add(db, &read(new), id("made"), &on(TODAY)).unwrap();
    };
    let stands = |db: &NativeDb, from: &str| {
        let found = write_off::get(db, &id("W")).unwrap();
        assert_eq!((found.on, found.standing_minor), (day(from), 10_000));
        let found = at(db, "I", from);
        assert_eq!((found.open.minor, found.written_off_minor), (0, 10_000));
        assert_eq!(found.allocations[0].allocated_on, day(from));
        assert!(verify::books(db).unwrap().ok);
    };
    let (_folder, db) = ledger(json!({}));
    give_up(&db);
    let known = invoice::known_at(&db, None).unwrap();
    assert_eq!(known, i64::MAX);
    for (issued, from) in [
        ("2024-01-31", "2024-02-01"),
        ("2024-02-01", "2024-02-01"),
        ("2024-02-02", "2024-02-02"),
        ("2024-03-01", "2024-03-01"),
    ] {
        correct(&db, "I", json!({"issued_on": issued}));
        stands(&db, from);
        // The same again is the same.
        give_up(&db);
    }
    let before = write_off::then(&db, &id("W"), as_of("2024-02-29"));
    assert!(before.is_err(), "it does not count before its document is there");
    assert!(write_off::page(&db, "", 9, None, as_of("2024-02-29")).unwrap().is_empty());
    assert_eq!(write_off::page(&db, "", 9, None, as_of("2024-03-01")).unwrap().len(), 1);
    correct(&db, "I", json!({"issued_on": "2024-01-01"}));
    stands(&db, "2024-02-01");
    // Taken back by a day before the document is there, it never was.
    let back = json!({"on": "2024-02-10", "reason": "by mistake"});
    write_off::reverse(&db, &id("W"), &read(back), &on(TODAY)).unwrap();
    correct(&db, "I", json!({"issued_on": "2024-03-01"}));
    let found = write_off::get(&db, &id("W")).unwrap();
    let days = (found.on, found.reversed_on, found.standing_minor);
    assert_eq!(days, (day("2024-03-01"), Some(day("2024-03-01")), 0));
    assert_eq!(at(&db, "I", "2024-03-01").open.minor, 10_000);
    assert!(verify::books(&db).unwrap().ok);
}

#[test]
fn a_write_off_that_waited_is_approved_for_the_day_of_its_document() {
    let (_folder, db) = ledger(json!({}));
    let rule = json!({"write_off_approval": [eur(1)]});
    dunlin_app::policy::put(&db, &read(rule), &on(TODAY)).unwrap();
    let new = json!({"id": "W", "invoice_id": "I", "on": "2024-02-01", "reason": "gone"});
    write_off::add(&db, &read(new), id("made"), &on(TODAY)).unwrap();
    correct(&db, "I", json!({"issued_on": "2024-03-01"}));
    let other = dunlin_app::audit::Author { who: "second".into(), ..on(TODAY) };
    let (done, _) = write_off::decide(&db, &id("W"), WriteOffState::Booked, &other).unwrap();
    assert_eq!((done.on, done.standing_minor), (day("2024-03-01"), 10_000));
}

#[test]
fn what_was_upheld_stays_so_where_the_document_moves_past_it() {
    let parts =
        json!([{"due_on": "2024-04-30", "minor": 3_000}, {"due_on": "2024-06-30", "minor": 7_000}]);
    for more in [json!({}), json!({"instalments": parts, "due_on": null})] {
        let (_folder, db) = ledger(more);
        let new = json!({"id": "D", "invoice_id": "I", "on": "2024-01-20", "minor": 5_000,
            "reason": "price"});
        dispute::open(&db, &read(new), id("made"), &on(TODAY)).unwrap();
        let outcome =
            json!({"outcome": "partly-upheld", "upheld_minor": 4_000, "on": "2024-02-01"});
        dispute::resolve(&db, &id("D"), &read(outcome), &on(TODAY)).unwrap();
        for (issued, from) in [
            ("2024-01-31", "2024-02-01"),
            ("2024-02-01", "2024-02-01"),
            ("2024-02-02", "2024-02-02"),
            ("2024-03-01", "2024-03-01"),
        ] {
            correct(&db, "I", json!({"issued_on": issued}));
            let found = at(&db, "I", from);
            let off: i64 = found.allocations.iter().map(|part| part.amount.minor).sum();
            assert_eq!((found.open.minor, off), (6_000, 4_000), "issued on {issued}");
            let found = dispute::get(&db, &id("D")).unwrap();
            assert_eq!(found.resolved_on, Some(day(from)));
            let began = day(issued).max(day("2024-01-20"));
            assert_eq!(found.on, began);
            assert!(dispute::then(&db, &id("D"), as_of(&day_before(began))).is_err());
            assert!(verify::books(&db).unwrap().ok);
        }
        // The decision is replaced by the day that is read, or by the one that was said.
        for (replaces, upheld) in [("2024-03-01", 3_000), ("2024-02-01", 2_000)] {
            let outcome = json!({"outcome": "partly-upheld", "upheld_minor": upheld,
                "on": "2024-02-01", "replaces": replaces});
            dispute::resolve(&db, &id("D"), &read(outcome), &on(TODAY)).unwrap();
            assert_eq!(at(&db, "I", "2024-03-01").open.minor, 10_000 - upheld);
        }
    }
}

fn day_before(on: Date) -> String {
    on.plus_days(-1).unwrap().to_string()
}

#[test]
fn money_goes_back_no_earlier_than_it_came() {
    let (_folder, db) = ledger(json!({}));
    let new =
        json!({"id": "P", "customer_id": "C", "received_on": "2024-02-01", "amount": eur(10_000)});
    payment::add(&db, &read(new), id("made"), &on(TODAY)).unwrap();
    let back = json!({"id": "B", "kind": "chargeback", "on": "2024-02-10", "minor": 4_000});
    payment::reverse(&db, &id("P"), &read(back), id("made"), &on(TODAY)).unwrap();
    let none = json!({"id": "M", "kind": "mistake", "minor": 1_000});
    payment::reverse(&db, &id("P"), &read(none), id("made"), &on(TODAY)).unwrap();
    for (received, wanted) in [
        ("2024-02-09", "2024-02-10"),
        ("2024-02-10", "2024-02-10"),
        ("2024-02-11", "2024-02-11"),
        ("2024-03-01", "2024-03-01"),
        ("2024-01-15", "2024-02-10"),
    ] {
        let new = json!({"received_on": received, "reason": "typed wrongly"});
        payment::correct(&db, &id("P"), &read(new), &on(TODAY)).unwrap();
        let found = payment::get(&db, &id("P"), day(TODAY), i64::MAX).unwrap();
        let days: Vec<Date> = found.reversals.unwrap().iter().map(|back| back.on).collect();
        assert_eq!(days, [day(received), day(wanted)], "received on {received}");
        assert_eq!(at(&db, "I", wanted).open.minor, 5_000);
        let before = payment::get(&db, &id("P"), day(received), i64::MAX).unwrap();
        let count = if received == wanted { 2 } else { 1 };
        assert_eq!(before.reversals.unwrap().len(), count, "on {received}");
    }
}

#[test]
fn a_credit_note_moves_to_another_day_by_that_day_alone() {
    let (_folder, db) = ledger(json!({}));
    bill(&db, "N", json!({"kind": "credit-note", "due_on": null, "amount": eur(500)}));
    bill(&db, "T", json!({"kind": "credit-note", "due_on": "2024-02-10", "amount": eur(500)}));
    for on in ["2024-02-01", "2024-02-20", "2023-12-20"] {
        correct(&db, "N", json!({"issued_on": on}));
        let found = at(&db, "N", TODAY);
        assert_eq!((found.issued_on, found.due_on), (day(on), day(on)));
        assert!(verify::books(&db).unwrap().ok);
    }
    // A due date that was said stays, and so does that of an invoice.
    correct(&db, "T", json!({"issued_on": "2024-02-10"}));
    assert_eq!(at(&db, "T", TODAY).due_on, day("2024-02-10"));
    bill(&db, "O", json!({"due_on": "2024-01-01"}));
    for name in ["O", "I"] {
        match try_correct(&db, name, json!({"issued_on": "2024-07-01"})) {
            Err(Fault::Refused(refused)) => assert_eq!(refused.code, Refusal::DueBeforeIssued),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// What a payment names as an answer has it: the invoice, and others with amounts.
fn names(db: &NativeDb, known: i64) -> (Option<String>, Vec<(String, i64)>) {
    let of = payment::get(db, &id("P"), day(TODAY), known).unwrap();
    let parts = of.designation.unwrap_or_default();
    let parts = parts.into_iter().map(|part| (part.invoice_id.to_string(), part.minor));
    (of.invoice_id.map(|id| id.to_string()), parts.collect())
}

#[test]
fn what_a_payment_names_is_corrected_from_one_invoice_to_parts_of_several_to_none_and_back() {
    let whole = |name: &str| (Some(name.to_string()), Vec::new());
    let parts = |of: &[(&str, i64)]| {
        (None, of.iter().map(|(name, minor)| (name.to_string(), *minor)).collect::<Vec<_>>())
    };
    let part =
        |name: &str, minor: i64| json!({"designation": [{"invoice_id": name, "minor": minor}]});
    let steps = [
        (part("I", 1_000), parts(&[("I", 1_000)])),
        (json!({"invoice_id": "J"}), whole("J")),
        (json!({"invoice_id": "I", "minor": 500}), whole("I")),
        (json!({"minor": 6_000}), whole("I")),
        (json!({"invoice_id": null}), parts(&[])),
        (json!({"invoice_id": "J"}), whole("J")),
        (json!({"designation": []}), parts(&[])),
        (part("J", 6_000), parts(&[("J", 6_000)])),
        (json!({"received_on": "2024-01-16"}), parts(&[("J", 6_000)])),
        (json!({"invoice_id": "J", "received_on": "2024-01-15"}), whole("J")),
        (part("J", 10), parts(&[("J", 10)])),
        (json!({"invoice_id": null, "designation": []}), parts(&[])),
    ];
    for from_file in [false, true] {
        let (_folder, db) = ledger(json!({}));
        bill(&db, "J", json!({}));
        let new = json!({"id": "P", "customer_id": "C", "received_on": "2024-01-15",
            "amount": eur(6_000), "invoice_id": "J"});
        match from_file {
            false => drop(payment::add(&db, &read(new), id("made"), &on(TODAY)).unwrap()),
            true => file_of_payments(&db, &json!([[2, "P", "C", "2024-01-15", 6_000, "EUR", "J"]])),
        }
        let before = dunlin_store::audit::head(&db).unwrap().unwrap().0;
        let mut known = vec![(before, whole("J"))];
        for (what, wanted) in &steps {
            let mut what = what.clone();
            what["reason"] = json!("misread");
            let done = payment::correct(&db, &id("P"), &read(what.clone()), &on(TODAY)).unwrap();
            assert_eq!(done, Change::Replaced, "{what}");
            let again = payment::correct(&db, &id("P"), &read(what.clone()), &on(TODAY)).unwrap();
            assert_eq!(again, Change::AlreadySo, "{what}");
            let books = verify::books(&db).unwrap();
            let broken = books.checks.iter().filter(|check| check.broken > 0).collect::<Vec<_>>();
            assert!(books.ok, "{what}: {broken:?}");
            known.push((dunlin_store::audit::head(&db).unwrap().unwrap().0, wanted.clone()));
            for (entry, wanted) in &known {
                assert_eq!(names(&db, *entry), *wanted, "{what}");
            }
            assert_eq!(names(&db, i64::MAX), *wanted, "{what}");
        }
        let told = payment::get(&db, &id("P"), day(TODAY), i64::MAX).unwrap().corrections.unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|of| (of.field.as_str(), of.before.as_deref(), of.after.as_deref()))
            .take(2)
            .collect();
        let named = r#"[{"invoice_id":"I","minor":1000}]"#;
        assert_eq!(
            told,
            [("designation", Some("[]"), Some(named)), ("invoice_id", Some("J"), None)]
        );
        let first = payment::get(&db, &id("P"), day(TODAY), before).unwrap().allocations;
        let by = first[0].rule.as_ref().unwrap().served_by;
        assert_eq!((first[0].invoice_id.as_str(), by), ("J", ServedBy::Designation));
    }
}

/// A file of payments that is applied.
/// As corrections to parts of several were recorded once: the one invoice that was named is dropped, and nothing says so.
fn drop_name(db: &NativeDb, name: &str, designation: &str) {
    let author = on(TODAY);
    write(db, |db| {
        let key = db.int("SELECT key FROM payment WHERE id = ?1", &[name.into()])?;
        let fields = |designation: &str| Fields {
            designation: Some(designation.into()),
            ..Fields::default()
        };
        let (was, is) = (fields("[]"), fields(designation));
        let after = (&is, "misread");
        let note = audit::Note::changed("correct", "payment", name, Some(&was), Some(&after))?;
        let entry = audit::note(db, &author, &note)?;
        correction::insert(db, None, Some(key), &was, &is, "misread", entry)?;
        let received = day("2024-02-10");
        dunlin_store::payment::correct(db, key, received, 7_000, None, designation)?;
        Ok(())
    })
    .unwrap();
}

/// The one invoice that a payment named and that was dropped without a word is no fault of the books; another one is.
#[test]
fn a_name_that_a_correction_dropped_without_saying_so_is_known_by_the_verification() {
    let (_folder, db) = ledger(json!({}));
    bill(&db, "J", json!({}));
    let new = json!({"id": "P", "customer_id": "C", "received_on": "2024-02-10",
        "amount": eur(7_000), "invoice_id": "I"});
    payment::add(&db, &read(new), id("made"), &on(TODAY)).unwrap();
    let noted = || {
        let checks = verify::books(&db).unwrap().checks;
        let of = |name: &str| checks.iter().find(|of| of.name == name).unwrap().broken;
        (of("documents-noted"), of("corrections-noted"))
    };
    let key = db.int("SELECT key FROM invoice WHERE id = 'J'", &[]).unwrap();
    drop_name(&db, "P", &format!("[[{key},7000]]"));
    assert_eq!(noted(), (0, 0));
    // What is put right since says what it was.
    for what in [json!({"invoice_id": "I"}), json!({"designation": []}), json!({"invoice_id": "J"})]
    {
        let mut what = what;
        what["reason"] = json!("misread");
        payment::correct(&db, &id("P"), &read(what), &on(TODAY)).unwrap();
        assert_eq!(noted(), (0, 0));
    }
    // Nobody said that it names another one.
    let plant = |sql: &str| db.connection().execute_batch(sql).unwrap();
    plant("UPDATE payment SET invoice_key = (SELECT key FROM invoice WHERE id = 'I')");
    assert_eq!(noted(), (0, 1));
    plant("UPDATE payment SET invoice_key = NULL; DELETE FROM correction");
    assert!(noted().0 > 0, "it was dropped by nothing");
}

/// What was settled or held back was said of what the payment named: it is recorded anew with other names.
#[test]
fn what_a_payment_that_settles_or_holds_back_names_is_not_corrected() {
    for said in [
        json!({"settles": ["I"]}),
        json!({"deductions": [{"invoice_id": "I", "minor": 3_000, "reason": "agreed"}]}),
    ] {
        let (_folder, db) = ledger(json!({}));
        bill(&db, "J", json!({}));
        let mut new = json!({"id": "P", "customer_id": "C", "received_on": "2024-02-10",
            "amount": eur(7_000), "invoice_id": "I"});
        for (field, value) in said.as_object().unwrap() {
            new[field] = value.clone();
        }
        payment::add(&db, &read(new.clone()), id("made"), &on(TODAY)).unwrap();
        let put_right = |mut what: Value| {
            what["reason"] = json!("misread");
            payment::correct(&db, &id("P"), &read(what), &on(TODAY))
        };
        let stays = || {
            let open = ["I", "J"].map(|name| at(&db, name, TODAY).open.minor);
            assert_eq!(open, [0, 10_000], "{said}");
        };
        stays();
        for what in [
            json!({"invoice_id": "J"}),
            json!({"invoice_id": null}),
            json!({"designation": [{"invoice_id": "I", "minor": 7_000}]}),
            json!({"designation": []}),
            json!({"invoice_id": "J", "received_on": "2024-02-11"}),
        ] {
            let Err(Fault::Refused(refused)) = put_right(what.clone()) else { panic!("{what}") };
            assert_eq!(refused.code, Refusal::WrongState, "{said} {what}");
            stays();
        }
        // What it names already is no change, and its day is its own.
        assert_eq!(put_right(json!({"invoice_id": "I"})).unwrap(), Change::AlreadySo);
        let moved = json!({"invoice_id": "I", "received_on": "2024-02-11"});
        assert_eq!(put_right(moved).unwrap(), Change::Replaced);
        stays();
        // The way out.
        let mistake = read(json!({"id": "R", "kind": "mistake"}));
        payment::reverse(&db, &id("P"), &mistake, id("made"), &on(TODAY)).unwrap();
        (new["id"], new["invoice_id"]) = (json!("P2"), json!("J"));
        new.as_object_mut().unwrap().retain(|field, _| said.get(field).is_none());
        payment::add(&db, &read(new), id("made"), &on(TODAY)).unwrap();
        let open = ["I", "J"].map(|name| at(&db, name, TODAY).open.minor);
        assert_eq!(open, [10_000, 3_000], "{said}");
        assert!(verify::books(&db).unwrap().ok);
    }
}

/// A correction to more than nothing came of would bring the difference alone.
#[test]
fn a_payment_of_which_nothing_had_come_is_not_corrected_until_that_is_taken_back() {
    // What went back, and whether the payment may be corrected to 150.00, with what is on account then.
    for (back, left) in [
        (vec![("mistake", 10_000)], None),
        (vec![("mistake", 4_000), ("mistake", 6_000)], None),
        (vec![("chargeback", 4_000), ("mistake", 6_000)], None),
        (vec![("mistake", 9_999)], Some(5_001)),
        (vec![("chargeback", 10_000)], Some(5_000)),
        (vec![], Some(15_000)),
    ] {
        let (_folder, db) = ledger(json!({"issued_on": "2025-05-01", "due_on": "2025-05-31"}));
        let new = json!({"id": "P", "customer_id": "C", "received_on": "2024-02-10", "amount": eur(10_000)});
        payment::add(&db, &read(new), id("made"), &on(TODAY)).unwrap();
        for (number, (kind, minor)) in back.iter().enumerate() {
            let new = read(json!({"id": format!("R{number}"), "kind": kind, "minor": minor}));
            payment::reverse(&db, &id("P"), &new, id("made"), &on(TODAY)).unwrap();
        }
        let put_right = |what: Value| payment::correct(&db, &id("P"), &read(what), &on(TODAY));
        let free = || {
            let of = payment::get(&db, &id("P"), day(TODAY), i64::MAX).unwrap();
            of.unallocated.minor
        };
        let more = json!({"minor": 15_000, "reason": "typed wrongly"});
        let Some(left) = left else {
            for what in [
                more.clone(),
                json!({"received_on": "2024-02-11", "reason": "misread"}),
                json!({"invoice_id": "I", "reason": "misread"}),
            ] {
                match put_right(what) {
                    Err(Fault::Refused(refused)) => {
                        assert_eq!(refused.code, Refusal::WrongState, "{back:?}");
                    }
                    other => panic!("{back:?}: {other:?}"),
                }
            }
            let same = json!({"minor": 10_000, "reason": "typed wrongly"});
            assert_eq!(put_right(same).unwrap(), Change::AlreadySo, "{back:?}");
            assert_eq!(free(), 0, "{back:?}");
            // It had come after all.
            for number in 0..back.len() {
                let none = read(json!({"reason": "it came"}));
                payment::undo(&db, &id(&format!("R{number}")), &none, &on(TODAY)).unwrap();
            }
            assert_eq!(put_right(more).unwrap(), Change::Replaced, "{back:?}");
            assert_eq!(free(), 15_000, "{back:?}");
            continue;
        };
        assert_eq!(put_right(more).unwrap(), Change::Replaced, "{back:?}");
        assert_eq!(free(), left, "{back:?}");
        assert!(verify::books(&db).unwrap().ok);
    }
}

fn file_of_payments(db: &NativeDb, rows: &Value) {
    let (payments, at) = (rows.to_string(), on(TODAY));
    let order = import::Order {
        id: id("F"),
        kind: ImportKind::Payments,
        profile: id("generic"),
        on_error: OnError::Reject,
        create_customers: false,
    };
    let begun = import::begin(db, &order, &import::Options::default(), at.at).unwrap();
    let import::Begun::Work(work) = begun else { panic!("it was there") };
    let slice = import::Slice { payments, ..import::Slice::default() };
    let rows = import::Rows { staged: 0, last: &slice };
    let reading = import::Reading { received: 1, ..import::Reading::default() };
    let done = import::apply(db, &order, work.run, rows, &reading, &at).unwrap();
    assert_eq!((done.accepted, done.rejected), (1, 0), "{done:?}");
}

#[test]
fn a_payment_is_corrected_to_name_nothing_that_it_could_not_have_named() {
    let (_folder, db) = ledger(json!({}));
    bill(&db, "N", json!({"kind": "credit-note", "due_on": null}));
    bill(&db, "U", json!({"amount": {"minor": 5, "currency": "USD"}}));
    customer::add(&db, &read(json!({"id": "D", "name": "D"})), id("made"), &on(TODAY)).unwrap();
    bill(&db, "O", json!({"customer_id": "D"}));
    let new =
        json!({"id": "P", "customer_id": "C", "received_on": "2024-01-15", "amount": eur(6_000)});
    payment::add(&db, &read(new), id("made"), &on(TODAY)).unwrap();
    for (name, code) in [
        ("X", Refusal::UnknownInvoice),
        ("O", Refusal::InvoiceOfAnotherCustomer),
        ("N", Refusal::NotPayable),
        ("U", Refusal::CurrencyMismatch),
    ] {
        let what = read(json!({"invoice_id": name, "reason": "misread"}));
        match payment::correct(&db, &id("P"), &what, &on(TODAY)) {
            Err(Fault::Refused(refused)) => {
                assert_eq!((refused.code, refused.field.as_deref()), (code, Some("invoice_id")));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    let both = json!({"invoice_id": "I", "designation": [{"invoice_id": "I", "minor": 1}],
        "reason": "misread"});
    assert!(payment::correct(&db, &id("P"), &read(both), &on(TODAY)).is_err());
    assert_eq!(names(&db, i64::MAX), (None, Vec::new()));
}

#[test]
fn a_credit_note_is_paid_out_no_earlier_than_it_is_there() {
    let (_folder, db) = ledger(json!({"kind": "credit-note", "due_on": null}));
    let refund = json!({"id": "R", "on": "2024-02-01", "minor": 4_000});
    credit_refund::add(&db, &id("I"), &read(refund), id("made"), &on(TODAY)).unwrap();
    let back = json!({"on": "2024-02-20", "reason": "returned"});
    credit_refund::reverse(&db, &id("R"), &read(back), &on(TODAY)).unwrap();
    for (issued, went, again) in [
        ("2024-01-31", "2024-02-01", "2024-02-20"),
        ("2024-02-02", "2024-02-02", "2024-02-20"),
        ("2024-02-21", "2024-02-21", "2024-02-21"),
    ] {
        correct(&db, "I", json!({"issued_on": issued, "due_on": issued}));
        let refunds = at(&db, "I", TODAY).refunds.unwrap();
        let days = (refunds[0].on, refunds[0].reversed_on);
        assert_eq!(days, (day(went), Some(day(again))), "issued on {issued}");
        let open = if went == again { 10_000 } else { 6_000 };
        assert_eq!(at(&db, "I", went).open.minor, open);
    }
}

#[test]
fn an_invoice_is_due_with_the_last_of_its_instalments() {
    let parts = json!([{"due_on": "2024-01-31", "minor": 3_000}, {"due_on": "2024-02-29", "minor": 3_000},
        {"due_on": "2024-03-31", "minor": 4_000}]);
    let (_folder, db) = ledger(json!({"instalments": parts, "due_on": null}));
    let refused = |name: &str, due: &str| match try_correct(&db, name, json!({"due_on": due})) {
        Err(Fault::Refused(refused)) => {
            assert_eq!(
                (refused.code, refused.field.as_deref()),
                (Refusal::DueBeforeIssued, Some("due_on")),
                "{name} {due}"
            );
        }
        other => panic!("{name} {due}: {other:?}"),
    };
    // Of the first, one between and the last: one day too far, and the furthest.
    for (name, due, taken) in [
        ("I#1", "2023-12-31", false),
        ("I#1", "2024-03-01", false),
        ("I#1", "2024-02-29", true),
        ("I#1", "2024-01-31", true),
        ("I#2", "2024-01-30", false),
        ("I#2", "2024-04-01", false),
        ("I#2", "2024-01-31", true),
        ("I#2", "2024-03-31", true),
        ("I#3", "2024-03-30", false),
        ("I#3", "2024-04-05", true),
    ] {
        match taken {
            true => correct(&db, name, json!({"due_on": due})),
            false => refused(name, due),
        }
    }
    let found = at(&db, "I", TODAY);
    let corrected = found.corrections.unwrap();
    assert_eq!(found.due_on, day("2024-04-05"));
    assert!(corrected.iter().any(|of| of.id == "I" && of.field == "due_on"), "{corrected:?}");
    correct(&db, "I#3", json!({"due_on": "2024-03-31"}));
    assert_eq!(at(&db, "I", TODAY).due_on, day("2024-03-31"));
    assert!(verify::books(&db).unwrap().ok);
}

#[test]
fn what_is_contested_as_a_whole_follows_the_corrected_amount() {
    let (_folder, db) = ledger(json!({"disputed": true}));
    let parts =
        json!([{"due_on": "2024-04-30", "minor": 3_000}, {"due_on": "2024-06-30", "minor": 7_000}]);
    bill(&db, "J", json!({"disputed": true, "instalments": parts, "due_on": null}));
    let contested = |name: &str| {
        let of = dispute::get(&db, &id(&format!("whole/{name}"))).unwrap();
        let parts = of.parts.unwrap_or_default().iter().map(|part| part.minor).sum::<i64>();
        (of.amount.minor, parts, at(&db, name, TODAY).disputed_minor)
    };
    for (first, whole) in [(15_000, 22_000), (8_000, 15_000), (0, 7_000), (9_000, 16_000)] {
        correct(&db, "I", json!({"minor": first}));
        correct(&db, "J#1", json!({"minor": first}));
        assert_eq!(contested("I"), (first, 0, first));
        assert_eq!(contested("J"), (whole, whole, whole));
        assert!(verify::books(&db).unwrap().ok);
    }
    let entries: Vec<i64> = (1..=99).collect();
    let known = |minor: i64| {
        let then = |entry: &&i64| {
            let of = invoice::get(&db, &id("I"), day(TODAY), **entry);
            of.is_ok_and(|of| (of.amount.minor, of.disputed_minor) == (minor, minor))
        };
        entries.iter().filter(then).count()
    };
    for minor in [10_000, 15_000, 8_000, 9_000] {
        assert!(known(minor) > 0, "{minor} was contested of {minor} then");
    }
    // What was decided stays as it was decided.
    let resolution = json!({"outcome": "upheld", "on": "2024-02-01"});
    dispute::resolve(&db, &id("whole/I"), &read(resolution), &on(TODAY)).unwrap();
    correct(&db, "I", json!({"minor": 12_000}));
    assert_eq!((contested("I").0, at(&db, "I", TODAY).open.minor), (9_000, 3_000));
    assert!(verify::books(&db).unwrap().ok);
}

#[test]
fn a_document_of_another_day_is_under_the_version_of_that_day() {
    let (_folder, db) = db();
    customer::add(&db, &read(json!({"id": "C", "name": "C"})), id("made"), &on(TODAY)).unwrap();
    for (from, rate) in [("2024-01-01", "0.10"), ("2024-02-01", "0.20")] {
        let new =
            json!({"customer_id": "C", "effective_on": from, "late_interest": {"rate": rate}});
        contract::put(&db, &id("K"), &read(new), &on(TODAY)).unwrap();
    }
    bill(&db, "I", json!({"issued_on": "2024-02-01", "contract_id": "K"}));
    let clause = || at(&db, "I", TODAY).interest.unwrap().clause;
    for (issued, version) in [
        ("2024-01-31", "K version 1"),
        ("2024-01-01", "K version 1"),
        ("2024-02-01", "K version 2"),
        ("2024-02-02", "K version 2"),
    ] {
        assert!(try_correct(&db, "I", json!({"issued_on": issued})).is_ok());
        assert_eq!(clause(), version, "issued on {issued}");
        assert!(verify::books(&db).unwrap().ok);
    }
    let Err(Fault::Refused(refused)) = try_correct(&db, "I", json!({"issued_on": "2023-12-31"}))
    else {
        panic!("no version is in force")
    };
    let at_field = (refused.code, refused.field.as_deref());
    assert_eq!(at_field, (Refusal::UnknownContract, Some("issued_on")));
}
