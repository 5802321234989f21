//! The books and the audit chain on a real SQLite file: what is planted is found, and an erasure breaks nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod noted;
mod replayed;
mod retention;

use dunlin_app::{
    audit::{self, Author, Note},
    customer, erase,
    ledger::Change,
    verify,
};
use dunlin_domain::{Id, contract::types::NewCustomer};
use dunlin_store::{Db, native::NativeDb, verification::prove, write};

fn author(salt: &str) -> Author {
    Author { who: "admin".into(), at: "2024-03-31T12:00:00Z".parse().unwrap(), salt: salt.into() }
}

fn run(db: &NativeDb, statements: &str) {
    db.connection().execute_batch(statements).unwrap_or_else(|e| panic!("{e}: {statements}"));
}

/// A book with one of everything that the rules are about, which holds, and five entries of the chain.
fn book() -> (tempfile::TempDir, NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    run(
        &db,
        "INSERT INTO customer (key, id, name, email, tags)
         VALUES (1, 'C1', 'Ann Example', 'ann@example.org', '[\"vip\"]'), (2, 'C2', 'Bob Example', NULL, NULL);
         INSERT INTO invoice (key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed,
             open_minor, parent_key, entry_key)
         VALUES
             (1, 'I1', 1, 'invoice', '2024-01-10', '2024-02-10', 1000, 'EUR', 0, 0, NULL, 2),
             (2, 'I2', 1, 'invoice', '2024-01-20', '2024-02-20', 500, 'EUR', 0, 250, NULL, 2),
             (3, 'I3', 1, 'invoice', '2024-01-20', '2024-02-20', 700, 'USD', 0, 700, NULL, 2),
             (4, 'I4', 2, 'invoice', '2024-01-10', '2024-01-10', 0, 'EUR', 0, 0, NULL, 2),
             (5, 'I4/1', 2, 'invoice', '2024-01-10', '2024-02-10', 300, 'EUR', 0, 200, 4, 2),
             (6, 'I4/2', 2, 'invoice', '2024-01-10', '2024-03-10', 300, 'EUR', 0, 300, 4, 2),
             (7, 'N1', 1, 'credit-note', '2024-02-01', '2024-02-01', 200, 'EUR', 0, 50, NULL, 2);
         INSERT INTO payment (key, id, customer_key, received_on, amount_minor, currency, unallocated_minor,
             designation, converted_minor, entry_key)
         VALUES
             (1, 'P1', 1, '2024-02-01', 1000, 'EUR', 100, '[[1,600],[2,400]]', 50, 3),
             (2, 'P2', 1, '2024-02-02', 400, 'USD', 400, NULL, 0, 3),
             (3, 'P3', 2, '2024-02-03', 100, 'EUR', 0, NULL, 0, 3);
         INSERT INTO reversal (id, customer_key, payment_key, reversed_on, kind, minor)
         VALUES ('R1', 1, 1, '2024-02-05', 'refund', 100);
         INSERT INTO adjustment (key, id, customer_key, invoice_key, booked_on, minor, difference)
         VALUES (1, 'write-off/W1', 1, 1, '2024-03-01', 90, 'write-off');
         INSERT INTO write_off (id, invoice_key, booked_on, minor, reason, state, asked_by)
         VALUES ('W1', 1, '2024-03-01', 90, 'gone', 'booked', 'admin');
         INSERT INTO allocation (key, customer_key, invoice_key, payment_key, credit_key, adjustment_key,
             difference_key, difference, allocated_on, amount_minor, recorded_at)
         VALUES
             (1, 1, 1, 1, NULL, NULL, NULL, NULL, '2024-02-01', 750, '2024-02-01T00:00:00Z'),
             (2, 1, NULL, 1, NULL, NULL, NULL, NULL, '2024-02-05', 100, '2024-02-05T00:00:00Z'),
             (3, 1, 1, NULL, 7, NULL, NULL, NULL, '2024-02-01', 150, '2024-02-01T00:00:00Z'),
             (4, 1, 1, NULL, NULL, 1, NULL, NULL, '2024-03-01', 90, '2024-03-01T00:00:00Z'),
             (5, 1, 1, NULL, NULL, NULL, 1, 'agreed', '2024-02-01', 10, '2024-02-01T00:00:00Z'),
             (6, 2, 5, 3, NULL, NULL, NULL, NULL, '2024-02-03', 100, '2024-02-03T00:00:00Z'),
             (7, 1, 2, 2, NULL, NULL, NULL, NULL, '2024-01-01', 5, '2024-01-01T00:00:00Z'),
             (8, 1, 2, 2, NULL, NULL, NULL, NULL, '2024-01-01', -5, '2024-01-02T00:00:00Z'),
             (9, 1, 2, NULL, NULL, NULL, 1, 'agreed', '2024-02-01', 250, '2024-02-01T00:00:00Z');
         INSERT INTO notice (id, customer_key, currency, level, day, language, subject, body, total_minor, because,
             state, attempts, next_attempt_at, created_at)
         VALUES ('M1', 1, 'EUR', 'first', '2024-03-01', 'en', 'Reminder', 'Dear Ann', 250, 'x', 'queued', 0,
             '2024-03-01T00:00:00Z', '2024-03-01T00:00:00Z')",
    );
    write(&db, |db| {
        let made = Note::made("customer", "C1", &())?.with_personal(&["Ann Example"], 1)?;
        audit::note(db, &author("a"), &made)?;
        audit::note(db, &author("b"), &Note::made("import", "F1", &7)?)?;
        audit::note(db, &author("c"), &Note::made("import", "F2", &3)?)?;
        let other = Note::made("customer", "C2", &())?.with_personal(&["Bob Example"], 2)?;
        audit::note(db, &author("d"), &other)?;
        audit::note(db, &author("e"), &Note::made("profile", "policy", &1)?)
    })
    .unwrap();
    (folder, db)
}

/// The rules that are broken, with what breaks them.
fn broken(db: &NativeDb) -> Vec<(String, Vec<String>)> {
    let found = verify::books(db).unwrap();
    let broken = found.checks.into_iter().filter(|check| check.broken > 0);
    let broken: Vec<_> = broken.map(|check| (check.name, check.examples)).collect();
    assert_eq!(found.ok, broken.is_empty());
    broken
}

#[test]
fn a_right_book_holds_and_says_how_much_was_looked_at() {
    let (_folder, db) = book();
    assert_eq!(broken(&db), []);
    let found = verify::books(&db).unwrap();
    let checked: Vec<(&str, u64)> =
        found.checks.iter().map(|check| (check.name.as_str(), check.checked)).collect();
    assert_eq!(
        checked,
        [
            ("payments-conserved", 3),
            ("reversals-recorded", 1),
            ("invoices-conserved", 7),
            ("amounts-in-range", 10),
            ("instalments-whole", 1),
            ("allocations-joined", 9),
            ("designations-fit", 3),
            ("adjustments-fit", 1),
            ("ageing-sums", 2),
            ("documents-recorded", 10),
            ("documents-noted", 10),
            ("corrections-noted", 0),
            ("decisions-noted", 2),
            ("fields-noted", 4),
            ("adjustments-decided", 1),
            ("audit-chain", 5),
        ]
    );
    let head = audit::entries(&db, 4, 1).unwrap().remove(0).hash;
    assert_eq!((found.audit_entries, found.audit_head), (5, Some(head)));
}

#[test]
fn a_right_book_needs_no_search() {
    let (_folder, db) = book();
    let empty_folder = tempfile::tempdir().unwrap();
    let empty = NativeDb::open(&empty_folder.path().join("test.db")).unwrap();
    let all = prove(&empty).unwrap();
    assert_eq!(prove(&db).unwrap(), all);
    run(&db, "UPDATE payment SET unallocated_minor = 99 WHERE id = 'P1'");
    assert_ne!(prove(&db).unwrap(), all);
}

#[test]
fn an_empty_book_holds() {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    assert_eq!(broken(&db), []);
    assert_eq!(verify::books(&db).unwrap().audit_head, None);
}

/// A rule that is broken, with what it names.
type Broken = (&'static str, &'static [&'static str]);

/// What is planted, and every rule that finds it.
const FAULTS: [(&str, &[Broken]); 39] = [
    (
        "UPDATE payment SET unallocated_minor = 101 WHERE id = 'P1'",
        &[("payments-conserved", &["P1"])],
    ),
    (
        // Nothing of it was allocated.
        "UPDATE payment SET unallocated_minor = 399 WHERE id = 'P2'",
        &[("payments-conserved", &["P2"])],
    ),
    ("UPDATE payment SET converted_minor = 49 WHERE id = 'P1'", &[("payments-conserved", &["P1"])]),
    ("UPDATE reversal SET minor = 99", &[("reversals-recorded", &["P1"])]),
    ("DELETE FROM reversal", &[("reversals-recorded", &["P1"])]),
    (
        "UPDATE invoice SET open_minor = 1 WHERE id = 'I1'",
        &[("invoices-conserved", &["I1"]), ("ageing-sums", &["C1"])],
    ),
    (
        // Nothing was set against it.
        "UPDATE invoice SET open_minor = 699 WHERE id = 'I3'",
        &[("invoices-conserved", &["I3"]), ("ageing-sums", &["C1"])],
    ),
    ("UPDATE invoice SET open_minor = 51 WHERE id = 'N1'", &[("invoices-conserved", &["N1"])]),
    (
        // Wrong twice over, and right in sum.
        "UPDATE invoice SET open_minor = open_minor + CASE id WHEN 'I1' THEN 7 ELSE -7 END WHERE id IN ('I1', 'I2')",
        &[("invoices-conserved", &["I1", "I2"])],
    ),
    (
        "UPDATE invoice SET disputed_minor = 501 WHERE id = 'I2'",
        &[("amounts-in-range", &["invoice I2"])],
    ),
    (
        "UPDATE payment SET unallocated_minor = -1, converted_minor = 151 WHERE id = 'P1'",
        &[("amounts-in-range", &["payment P1"])],
    ),
    (
        "UPDATE invoice SET amount_minor = 600, open_minor = 600 WHERE id = 'I4'",
        &[("instalments-whole", &["I4"])],
    ),
    (
        "UPDATE invoice SET issued_on = '2024-01-09' WHERE id = 'I4/2'",
        &[("instalments-whole", &["I4"])],
    ),
    (
        "UPDATE allocation SET customer_key = 2 WHERE key = 1",
        &[("allocations-joined", &["I1"]), ("ageing-sums", &["C1", "C2"])],
    ),
    ("UPDATE payment SET currency = 'USD' WHERE id = 'P3'", &[("allocations-joined", &["I4/1"])]),
    (
        "UPDATE allocation SET allocated_on = '2024-01-31' WHERE key = 3",
        &[("allocations-joined", &["I1"])],
    ),
    (
        "UPDATE invoice SET kind = 'fee' WHERE id = 'N1'",
        &[("allocations-joined", &["I1"]), ("ageing-sums", &["C1"])],
    ),
    (
        "UPDATE payment SET designation = '[[1,600],[2,401]]' WHERE id = 'P1'",
        &[("designations-fit", &["P1"])],
    ),
    (
        "UPDATE adjustment SET minor = 89",
        &[("adjustments-fit", &["write-off/W1"]), ("adjustments-decided", &["write-off/W1"])],
    ),
    (
        "UPDATE invoice SET entry_key = 6 WHERE id = 'I3'",
        &[("documents-recorded", &["invoice I3"])],
    ),
    (
        "UPDATE allocation SET amount_minor = 760 WHERE key = 1",
        &[
            ("payments-conserved", &["P1"]),
            ("invoices-conserved", &["I1"]),
            ("ageing-sums", &["C1"]),
        ],
    ),
    (
        "UPDATE payment SET customer_key = 1 WHERE id = 'P3'",
        &[("allocations-joined", &["I4/1"])],
    ),
    (
        "UPDATE payment SET received_on = '2024-02-02' WHERE id = 'P1'",
        &[("allocations-joined", &["I1", "I1", "I2"])],
    ),
    (
        "UPDATE payment SET received_on = '2024-02-04' WHERE id = 'P3'",
        &[("allocations-joined", &["I4/1"])],
    ),
    (
        "UPDATE invoice SET issued_on = '2024-02-02' WHERE id = 'I1'",
        &[("allocations-joined", &["I1", "I1", "I1"])],
    ),
    (
        "UPDATE invoice SET issued_on = '2024-02-02', due_on = '2024-02-02' WHERE id = 'N1'",
        &[("allocations-joined", &["I1"])],
    ),
    (
        "UPDATE adjustment SET booked_on = '2024-03-02'",
        &[("allocations-joined", &["I1"]), ("adjustments-decided", &["write-off/W1"])],
    ),
    (
        "UPDATE adjustment SET invoice_key = 2",
        &[("allocations-joined", &["I1"]), ("adjustments-decided", &["write-off/W1"])],
    ),
    (
        "UPDATE invoice SET currency = 'USD' WHERE id = 'I4/1'",
        &[("instalments-whole", &["I4"]), ("allocations-joined", &["I4/1"])],
    ),
    (
        "UPDATE payment SET entry_key = 6 WHERE id <> 'P3'",
        &[("documents-recorded", &["payment P1", "payment P2"])],
    ),
    (
        "UPDATE invoice SET entry_key = 6 WHERE id IN ('I1', 'N1')",
        &[("documents-recorded", &["invoice I1", "invoice N1"])],
    ),
    (
        "UPDATE invoice SET disputed_minor = 1001 WHERE id = 'I1'",
        &[("amounts-in-range", &["invoice I1"])],
    ),
    (
        "UPDATE invoice SET amount_minor = -5, open_minor = -5 WHERE id = 'I3'",
        &[("amounts-in-range", &["invoice I3"])],
    ),
    (
        "UPDATE payment SET amount_minor = -5, unallocated_minor = -5 WHERE id = 'P2'",
        &[("amounts-in-range", &["payment P2"])],
    ),
    (
        "UPDATE payment SET designation = '[[3,401]]' WHERE id = 'P2'",
        &[("designations-fit", &["P2"])],
    ),
    (
        // A credit note is paid.
        "UPDATE allocation SET invoice_key = 7 WHERE key = 9",
        &[
            ("invoices-conserved", &["I2", "N1"]),
            ("allocations-joined", &["N1"]),
        ],
    ),
    (
        // Taken back on another day than it was made.
        "UPDATE allocation SET allocated_on = '2024-01-02' WHERE key = 8",
        &[("allocations-joined", &["I2", "I2"])],
    ),
    (
        // Another customer's, and nothing in sum.
        "INSERT INTO allocation (customer_key, invoice_key, payment_key, allocated_on, amount_minor, recorded_at)
         VALUES (2, 2, 2, '2024-02-03', 5, '2024-02-03T00:00:00Z'), (2, 2, 2, '2024-02-04', -5, '2024-02-04T00:00:00Z')",
        &[("allocations-joined", &["I2", "I2"])],
    ),
    (
        "PRAGMA foreign_keys = OFF; DELETE FROM invoice WHERE id = 'I4/1'",
        &[("ageing-sums", &["C2"])],
    ),
];

#[test]
fn every_planted_fault_is_found_and_named() {
    for (statement, expected) in FAULTS {
        let (_folder, db) = book();
        run(&db, &format!("PRAGMA ignore_check_constraints = ON; {statement}"));
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(name, ids)| (name.to_string(), ids.iter().map(|id| id.to_string()).collect()))
            .collect();
        assert_eq!(broken(&db), expected, "{statement}");
    }
}

#[test]
fn ten_examples_are_named_and_all_are_counted() {
    let (_folder, db) = book();
    for number in 10..25 {
        run(
            &db,
            &format!(
                "INSERT INTO payment (id, customer_key, received_on, amount_minor, currency, unallocated_minor)
                 VALUES ('X{number}', 2, '2024-03-01', 5, 'EUR', 4)"
            ),
        );
    }
    let found = verify::books(&db).unwrap();
    let names: Vec<String> = (10..20).map(|number| format!("X{number}")).collect();
    assert_eq!((found.checks[0].broken, &found.checks[0].examples), (15, &names));
}

/// The same, but for documents whose entry is about something else now.
fn altered(db: &NativeDb) -> Vec<(String, Vec<String>)> {
    let mut broken = broken(db);
    broken.retain(|(rule, _)| rule != "documents-noted");
    broken
}

#[test]
fn every_way_to_alter_the_chain_is_found() {
    let fields = ["at", "who", "action", "noun", "id", "change", "previous", "hash"];
    for field in fields {
        let (_folder, db) = book();
        run(&db, &format!("UPDATE audit SET {field} = {field} || 'x' WHERE key = 3"));
        let named: &[&str] = if field == "hash" { &["3", "4"] } else { &["3"] };
        let named = named.iter().map(|key| key.to_string()).collect();
        assert_eq!(altered(&db), [("audit-chain".to_string(), named)], "{field}");
    }
    for (statement, named) in [
        ("UPDATE audit SET personal = '[\"Eve\"]' WHERE key = 4", &["4"][..]),
        ("UPDATE audit SET salt = 'other' WHERE key = 4", &["4"]),
        ("UPDATE audit SET personal_hash = NULL WHERE key = 4", &["4"]),
        ("UPDATE audit SET salt = NULL WHERE key = 4", &["4"]),
        ("DELETE FROM audit WHERE key = 3", &["4"]),
        ("DELETE FROM audit WHERE key = 1", &["2"]),
        // Swapped.
        (
            "UPDATE audit SET key = 99 WHERE key = 3; UPDATE audit SET key = 3 WHERE key = 4;
             UPDATE audit SET key = 4 WHERE key = 99",
            &["3", "4", "5"],
        ),
    ] {
        let (_folder, db) = book();
        run(&db, statement);
        let named = named.iter().map(|key| key.to_string()).collect();
        assert_eq!(altered(&db), [("audit-chain".to_string(), named)], "{statement}");
    }
}

#[test]
fn a_chain_that_lost_its_end_is_found_by_what_it_recorded() {
    let (_folder, db) = book();
    run(&db, "DELETE FROM audit WHERE key >= 3");
    let named = ["payment P1", "payment P2", "payment P3"].map(str::to_string).to_vec();
    assert_eq!(broken(&db), [("documents-recorded".to_string(), named)]);
}

#[test]
fn an_erasure_leaves_amounts_and_a_chain_that_holds() {
    let (_folder, db) = book();
    let id: Id = "C1".parse().unwrap();
    let before = audit::entries(&db, 0, 10).unwrap();
    let (erased, change) = erase::customer(&db, &id, &author("z")).unwrap();
    assert_eq!((erased.audit_entries, erased.notices, change), (1, 1, Change::Replaced));
    assert_eq!(broken(&db), []);

    let text = |sql: &str| db.first(sql, &[]).unwrap().unwrap().text(0).unwrap().to_string();
    let customers = "SELECT group_concat(json_array(name, email, tags), ' ') FROM customer";
    assert_eq!(text(customers), r#"["erased",null,null] ["Bob Example",null,null]"#);
    let notices =
        "SELECT json_array(subject, body, total_minor, state, next_attempt_at) FROM notice";
    assert_eq!(text(notices), r#"["erased","erased",250,"failed",null]"#);

    let after = audit::entries(&db, 0, 10).unwrap();
    assert_eq!((after[0].personal.as_ref(), &after[0].hash), (None, &before[0].hash));
    assert_eq!(after[0].personal_hash, before[0].personal_hash);
    assert_eq!(after[3].personal.as_deref(), Some(r#"["Bob Example"]"#));
    let last = after.last().unwrap();
    assert_eq!((last.key, last.action.as_str(), last.id.as_str()), (6, "erase", "C1"));

    let (again, change) = erase::customer(&db, &id, &author("y")).unwrap();
    assert_eq!((again.audit_entries, again.notices, change), (0, 0, Change::AlreadySo));
    assert_eq!(audit::entries(&db, 0, 10).unwrap().len(), 6, "a repetition is not noted");
}

#[test]
fn what_was_erased_is_not_in_the_file_any_more() {
    let (folder, db) = book();
    let read = |secret: &str| -> NewCustomer {
        serde_json::from_value(serde_json::json!({
            "id": "C9", "name": format!("name {secret}"), "email": format!("{secret}@example.org"),
            "tags": [format!("tag {secret}")],
            "contacts": [{"name": format!("contact {secret}"), "channel": "letter", "address": format!("{secret} street")}],
            "bank_accounts": [{"account": "DE0012", "holder": format!("holder {secret}")}],
        }))
        .unwrap()
    };
    let id: Id = "C9".parse().unwrap();
    customer::add(&db, &read("first4711"), id.clone(), &author("f")).unwrap();
    customer::put(&db, &id, &read("second4711"), &author("s")).unwrap();
    let found = |secret: &str| {
        let bytes = ["test.db", "test.db-wal"].map(|name| std::fs::read(folder.path().join(name)));
        let mut bytes = bytes.into_iter().flatten();
        bytes.any(|bytes| bytes.windows(secret.len()).any(|part| part == secret.as_bytes()))
    };
    assert!(found("first4711") && found("second4711"));
    erase::customer(&db, &id, &author("e")).unwrap();
    assert!(!found("4711"));
    assert_eq!(broken(&db), []);
}
