//! Personal fields of closed customers go when their retention is over, and nobody else's.

use crate::{
    broken,
    common::{day, db, id, on, read},
    run,
};
use dunlin_app::{
    audit, credit, customer, default_record, dispute, invoice,
    ledger::Change,
    payment, retention,
    sweep::{Step, Tick},
    verify, write_off,
};
use dunlin_domain::{Date, Refusal, contract::sweep::Progress};
use dunlin_store::{Db, Fault, native::NativeDb};
use serde_json::{Value, json};

fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

fn record(name: &str, status: &str) -> Value {
    json!({"name": format!("{name} Ltd"), "email": format!("{name}@example.org"), "status": status})
}

fn save(db: &NativeDb, name: &str, fields: Value, at: &str) {
    customer::put(db, &id(name), &read(fields), &on(at)).unwrap();
}

/// A customer that traded, paid and was closed at the end of January.
fn closed(db: &NativeDb, name: &str) {
    save(db, name, record(name, "active"), "2024-01-01");
    bill(db, name, 100, "2024-01-02");
    pay(db, name, 100, "2024-01-03");
    save(db, name, record(name, "closed"), "2024-01-31");
}

fn bill(db: &NativeDb, of: &str, minor: i64, at: &str) {
    let new = json!({"id": format!("I-{of}-{at}"), "customer_id": of, "issued_on": "2024-01-02",
        "due_on": "2024-01-20", "amount": eur(minor)});
    invoice::add(db, &read(new), id("made"), &on(at)).unwrap();
}

fn pay(db: &NativeDb, of: &str, minor: i64, at: &str) {
    let new = json!({"id": format!("P-{of}-{at}"), "customer_id": of, "received_on": "2024-01-03", "amount": eur(minor)});
    payment::add(db, &read(new), id("made"), &on(at)).unwrap();
}

/// Everybody who is due after six months, page by page.
fn due(db: &NativeDb, on: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let (found, next) = retention::due(db, after, 2, day(on), Some(6)).unwrap();
        all.extend(found.items.into_iter().map(|of| of.customer_id.to_string()));
        let Some(next) = next else { return all };
        after = next;
    }
}

fn keep(db: &NativeDb, months: Option<u32>, at: &str) -> Change {
    retention::put(db, &read(json!({"months": months})), &on(at)).unwrap()
}

/// Sweeps a day at its noon in slices of so many, and begins anew after so many steps.
fn sweep(db: &NativeDb, date: &str, slice: u32, cut: usize) -> Progress {
    let (on, at): (Date, _) = (day(date), on(date).at);
    for number in 0.. {
        let owner = id(&format!("tick-{number}"));
        let mut tick = Tick::begin(db, Some(on), owner, at).unwrap().in_slices_of(slice);
        for _ in 0..cut {
            match tick.step(db, at).unwrap() {
                Step::More => {}
                Step::Deliver => tick.delivered(db, Default::default(), true, at).unwrap(),
                Step::Done => break,
            }
        }
        let progress = tick.end(db).unwrap();
        if progress.done {
            return progress;
        }
    }
    unreachable!()
}

fn names(db: &NativeDb) -> Vec<String> {
    db.json("SELECT json_group_array(name ORDER BY key) FROM customer", &[]).unwrap()
}

#[test]
fn the_retention_is_over_so_many_months_after_the_last_that_was_recorded() {
    let (_folder, db) = db();
    closed(&db, "C");
    for (on, is_due) in
        [("2024-01-31", false), ("2024-07-30", false), ("2024-07-31", true), ("2025-01-01", true)]
    {
        assert_eq!(due(&db, on), vec!["C"; usize::from(is_due)], "{on}");
    }
    let (found, next) = retention::due(&db, 0, 500, day("2024-07-31"), Some(6)).unwrap();
    let last = found.items[0].last_recorded_at.to_string();
    assert_eq!((last.as_str(), found.months, next), ("2024-01-31T12:00:00Z", Some(6), None));
}

#[test]
fn whoever_is_not_closed_or_has_something_open_is_kept() {
    let made = || id("made");
    let by = on("2024-01-31");
    type Plant<'a> = &'a dyn Fn(&NativeDb);
    let cases: [(&str, Plant<'_>); 11] = [
        ("not closed", &|db| save(db, "C", record("C", "suspended"), "2024-01-31")),
        ("open", &|db| bill(db, "C", 1, "2024-01-31")),
        ("money left", &|db| pay(db, "C", 1, "2024-01-31")),
        ("a credit note left", &|db| {
            let new = json!({"id": "N", "kind": "credit-note", "customer_id": "C", "issued_on": "2024-01-04",
                "amount": eur(1)});
            invoice::add(db, &read(new), made(), &by).unwrap();
        }),
        ("contested", &|db| {
            bill(db, "C", 5, "2024-01-04");
            let new =
                json!({"id": "D", "invoice_id": "I-C-2024-01-04", "minor": 5, "reason": "price"});
            dispute::open(db, &read(new), made(), &by).unwrap();
            run(db, "UPDATE invoice SET open_minor = 0");
        }),
        ("in default", &|db| {
            let new = json!({"id": "V", "customer_id": "C", "kind": "refused", "reason": "gone", "found_on": "2024-01-05"});
            default_record::add(db, &read(new), made(), &by).unwrap();
        }),
        ("a write-off that waits", &|db| {
            let policy = json!({"write_off_approval": [eur(1)]});
            dunlin_app::policy::put(db, &read(policy), &by).unwrap();
            bill(db, "C", 5, "2024-01-04");
            let new =
                json!({"id": "W", "invoice_id": "I-C-2024-01-04", "minor": 5, "reason": "gone"});
            write_off::add(db, &read(new), made(), &by).unwrap();
            run(db, "UPDATE invoice SET open_minor = 0");
        }),
        ("an order on its way", &|db| {
            let order = json!({"customer": "C", "amount": eur(7)});
            credit::order::put(db, &id("O"), &read(order), &by).unwrap();
        }),
        ("a member that trades", &|db| {
            let mut member = record("M", "active");
            member["parent_id"] = json!("C");
            save(db, "M", member, "2024-01-31");
        }),
        ("merged", &|db| {
            save(db, "M", record("M", "active"), "2024-01-01");
            customer::merge(db, &id("C"), &id("M"), &by).unwrap();
        }),
        ("no moment is known", &|db| {
            run(
                db,
                "DELETE FROM customer_change; UPDATE customer SET entry_key = NULL;
                UPDATE invoice SET entry_key = NULL; UPDATE payment SET entry_key = NULL;
                UPDATE allocation SET entry_key = NULL; DELETE FROM customer_former",
            );
        }),
    ];
    for (name, plant) in cases {
        let (_folder, db) = db();
        closed(&db, "C");
        assert_eq!(due(&db, "2024-07-31"), ["C"], "{name}");
        plant(&db);
        assert_eq!(due(&db, "2025-12-31"), Vec::<String>::new(), "{name}");
    }
}

/// Whatever is recorded begins the months anew: each of these is recorded in March.
#[test]
fn what_is_recorded_later_is_waited_for() {
    let made = || id("made");
    let by = on("2024-03-15");
    type Plant<'a> = &'a dyn Fn(&NativeDb);
    let cases: [(&str, Plant<'_>); 12] = [
        ("its record", &|db| {
            let mut new = record("C", "closed");
            new["phone"] = json!("+49 1");
            save(db, "C", new, "2024-03-15");
        }),
        ("a document that is paid", &|db| {
            bill(db, "C", 5, "2024-03-15");
            pay(db, "C", 5, "2024-03-15");
        }),
        ("a payment that went back and came again", &|db| {
            let back = json!({"id": "R", "kind": "mistake"});
            let name = id("P-C-2024-01-03");
            payment::reverse(db, &name, &read(back), made(), &by).unwrap();
            pay(db, "C", 100, "2024-03-15");
        }),
        ("a correction", &|db| {
            let fields = json!({"due_on": "2024-01-21", "reason": "typed wrongly"});
            invoice::correct(db, &id("I-C-2024-01-02"), &read(fields), &by).unwrap();
        }),
        ("a default that is over", &|db| {
            let new = json!({"id": "V", "customer_id": "C", "kind": "refused", "reason": "gone", "found_on": "2024-01-05"});
            default_record::add(db, &read(new), made(), &on("2024-01-31")).unwrap();
            let over = json!({"on": "2024-03-15", "state": "withdrawn", "reason": "a mistake"});
            default_record::close(db, &id("V"), &read(over), &by).unwrap();
        }),
        ("a pause", &|db| {
            let new = json!({"id": "S", "customer_id": "C", "from": "2024-03-15"});
            dunlin_app::pause::add(db, &read(new), made(), &by).unwrap();
        }),
        ("a contract", &|db| {
            let new = json!({"customer_id": "C", "effective_on": "2024-01-01"});
            dunlin_app::contract::put(db, &id("K"), &read(new), &by).unwrap();
        }),
        ("a guarantee", &|db| {
            let new = json!({"customer_id": "C", "kind": "pledge", "party": "Ann", "amount": eur(70), "valid_from": "2024-01-01"});
            dunlin_app::guarantee::put(db, &id("G"), &read(new), &by).unwrap();
        }),
        ("an entry of the watch list", &|db| {
            dunlin_app::watch::put(db, &id("C"), &read(json!({"reason": "rumours"})), &by).unwrap();
        }),
        ("a hold", &|db| {
            let new = json!({"customer": "C", "reason": "rumours"});
            credit::hold::place(db, &read(new), &id("H"), &by).unwrap();
        }),
        ("a limit", &|db| {
            let new = json!({"minor": 5, "currency": "EUR", "reason": "small"});
            credit::limit::put(db, &id("C"), &read(new), &id("L"), &by).unwrap();
        }),
        ("an order that was cancelled", &|db| {
            let order = |cancelled: i64| json!({"customer": "C", "amount": eur(7), "cancelled_minor": cancelled});
            credit::order::put(db, &id("O"), &read(order(7)), &by).unwrap();
        }),
    ];
    for (name, plant) in cases {
        let (_folder, db) = db();
        closed(&db, "C");
        plant(&db);
        assert_eq!(due(&db, "2024-09-14"), Vec::<String>::new(), "{name}");
        assert_eq!(due(&db, "2024-09-15"), ["C"], "{name}");
    }
}

#[test]
fn the_sweep_erases_who_is_due_notes_the_rule_and_then_nobody() {
    let (_folder, db) = db();
    for name in ["A", "B", "C", "D", "E"] {
        closed(&db, name);
    }
    save(&db, "B", record("B", "active"), "2024-02-01");
    // Without a retention nothing goes.
    assert_eq!(sweep(&db, "2024-07-31", 2, 1_000).counts.erased, 0);
    assert_eq!(keep(&db, Some(7), "2024-08-01"), Change::Replaced);
    assert_eq!(keep(&db, Some(6), "2024-08-01"), Change::Replaced);
    assert_eq!(keep(&db, Some(6), "2024-08-01"), Change::AlreadySo);
    let (listed, _) = retention::due(&db, 0, 500, day("2024-08-01"), None).unwrap();
    assert_eq!((listed.items.len(), listed.months), (4, Some(6)));
    let swept = sweep(&db, "2024-08-01", 2, 1_000);
    assert_eq!(swept.counts.erased, 4);
    assert_eq!(names(&db), ["erased", "B Ltd", "erased", "erased", "erased"]);
    assert_eq!(broken(&db), []);
    assert!(verify::replayed(&db, 0, 500).unwrap().0.ok);
    let entries = audit::entries_of(&db, 0, 10, Some("customer"), Some("C")).unwrap();
    let last = entries.last().unwrap();
    assert_eq!((last.action.as_str(), last.who.as_str()), ("erase", "sweep"));
    let said: Value = serde_json::from_str(&last.change).unwrap();
    assert_eq!(said["after"]["rule"], "retention@2");
    assert!(entries.iter().all(|entry| entry.personal.is_none()));
    // Nobody is due any more, today or later.
    assert_eq!(due(&db, "2030-01-01"), Vec::<String>::new());
    let noted = db.int("SELECT max(key) FROM audit", &[]).unwrap();
    assert_eq!(sweep(&db, "2024-08-02", 2, 1_000).counts.erased, 0);
    assert_eq!(db.int("SELECT max(key) FROM audit", &[]).unwrap(), noted);
    // What is recorded again is kept as long again.
    save(&db, "C", record("C", "closed"), "2024-08-03");
    assert_eq!(due(&db, "2025-02-02"), Vec::<String>::new());
    assert_eq!(due(&db, "2025-02-03"), ["C"]);
    // Switched off, nothing goes.
    assert_eq!(keep(&db, None, "2024-08-04"), Change::Replaced);
    assert_eq!(sweep(&db, "2025-03-01", 2, 1_000).counts.erased, 0);
    assert_eq!(retention::due(&db, 0, 500, day("2025-03-01"), None).unwrap().0.items, []);
}

#[test]
fn a_sweep_that_is_cut_between_any_two_slices_erases_the_same() {
    let ends: Vec<_> = [1, 2, 3, 1_000]
        .into_iter()
        .map(|cut| {
            let (_folder, db) = db();
            for name in ["A", "B", "C", "D", "E"] {
                closed(&db, name);
            }
            keep(&db, Some(6), "2024-02-01");
            let swept = sweep(&db, "2024-07-31", 1, cut);
            let noted: Vec<(String, String)> = db
                .json("SELECT json_group_array(json_array(id, change) ORDER BY key) FROM audit WHERE action = 'erase'", &[])
                .unwrap();
            (swept.counts, names(&db), noted)
        })
        .collect();
    assert_eq!(ends[0].0.erased, 5);
    assert!(ends.windows(2).all(|two| two[0] == two[1]), "{ends:?}");
}

#[test]
fn versions_are_kept_and_wrong_ones_refused() {
    let (_folder, db) = db();
    let none = retention::get(&db, None).unwrap();
    assert_eq!((none.version, none.months), (None, None));
    keep(&db, Some(6), "2024-01-01");
    keep(&db, Some(24), "2024-01-02");
    for (asked, version, months) in [(None, 2, 24), (Some(1), 1, 6), (Some(2), 2, 24)] {
        let found = retention::get(&db, asked).unwrap();
        assert_eq!((found.version, found.months), (Some(version), Some(months)));
    }
    let refused = |result: Result<_, Fault>| match result {
        Err(Fault::Refused(of)) => of.code,
        _ => panic!("was not refused"),
    };
    let missing = retention::get(&db, Some(3)).map(drop);
    assert_eq!(refused(missing), Refusal::NotFound);
    let wrong = retention::put(&db, &read(json!({"months": 0})), &on("2024-01-03")).map(drop);
    assert_eq!(refused(wrong), Refusal::InvalidPolicy);
}

#[test]
fn the_list_of_who_is_due_has_pages() {
    let (_folder, db) = db();
    for name in ["A", "B", "C"] {
        closed(&db, name);
    }
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let (page, next) = retention::due(&db, after, 2, day("2024-07-31"), Some(6)).unwrap();
        found.push(page.items.len());
        let Some(next) = next else { break };
        after = next;
    }
    assert_eq!(found, [2, 1]);
    // A slice with nobody in it does not end the list.
    run(
        &db,
        "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 102000)
        INSERT INTO customer (id, name) SELECT printf('Z%06d', v), 'Z' FROM n",
    );
    closed(&db, "LAST");
    let (first, next) = retention::due(&db, 0, 500, day("2024-07-31"), Some(6)).unwrap();
    assert_eq!(first.items.len(), 3);
    let (second, next) =
        retention::due(&db, next.unwrap(), 500, day("2024-07-31"), Some(6)).unwrap();
    assert_eq!((second.items[0].customer_id.as_str(), next), ("LAST", None));
}
