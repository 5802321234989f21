//! What is stored of allocations beside what a replay of the documents gives.

use crate::{
    common::{db, id, on, read},
    noted::written,
    run,
};
use dunlin_app::{customer, dispute, invoice, payment, verify, write_off};
use dunlin_domain::contract::ledger::ReplayPage;
use dunlin_store::native::NativeDb;
use serde_json::{Value, json};

/// Two customers with invoices, instalments, payments, a credit note, a write-off and a dispute.
fn book() -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    let (by, made) = (&on("2024-12-31"), || id("made"));
    for name in ["C1", "C2"] {
        customer::add(&db, &read(json!({"id": name, "name": name})), made(), by).unwrap();
    }
    let eur = |minor: i64| json!({"minor": minor, "currency": "EUR"});
    let bill = |new: Value| invoice::add(&db, &read(new), made(), by).unwrap();
    let pay = |new: Value| payment::add(&db, &read(new), made(), by).unwrap();
    bill(
        json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-10", "due_on": "2024-02-10",
        "amount": eur(100)}),
    );
    bill(
        json!({"id": "I2", "customer_id": "C1", "issued_on": "2024-01-10", "due_on": "2024-02-20",
        "amount": eur(50)}),
    );
    pay(json!({"id": "P1", "customer_id": "C1", "received_on": "2024-02-01", "amount": eur(120)}));
    pay(json!({"id": "P2", "customer_id": "C1", "received_on": "2024-02-01",
        "amount": {"minor": 40, "currency": "USD"}}));
    bill(json!({"id": "N1", "kind": "credit-note", "customer_id": "C1", "issued_on": "2024-02-05",
        "relates_to": "I2", "amount": eur(10)}));
    let lost =
        json!({"id": "W1", "invoice_id": "I2", "minor": 5, "on": "2024-03-01", "reason": "gone"});
    write_off::add(&db, &read(lost), made(), by).unwrap();
    bill(json!({"id": "I4", "customer_id": "C2", "issued_on": "2024-01-10", "amount": eur(60),
        "instalments": [{"due_on": "2024-02-10", "minor": 30}, {"due_on": "2024-03-10", "minor": 30}]}));
    bill(
        json!({"id": "I5", "customer_id": "C2", "issued_on": "2024-01-10", "due_on": "2024-02-10",
        "amount": {"minor": 7, "currency": "USD"}}),
    );
    pay(json!({"id": "P3", "customer_id": "C2", "received_on": "2024-02-03", "amount": eur(10)}));
    let about =
        json!({"id": "D1", "invoice_id": "I4", "minor": 40, "on": "2024-02-04", "reason": "price"});
    dispute::open(&db, &read(about), made(), by).unwrap();
    (folder, db)
}

fn replayed(db: &NativeDb) -> ReplayPage {
    let (page, next) = verify::replayed(db, 0, 500).unwrap();
    assert_eq!((page.ok, next), (page.broken == 0, None));
    page
}

#[test]
fn a_book_that_flows_wrote_is_as_its_replay_gives_it() {
    let (_folder, db) = book();
    let page = replayed(&db);
    assert_eq!((page.ok, page.customers, page.checked, page.items), (true, 2, 10, vec![]));
    let (_folder, db) = written();
    let page = replayed(&db);
    assert_eq!((page.ok, page.items), (true, vec![]));
}

#[test]
fn every_planted_difference_is_named_with_what_is_stored_and_what_the_replay_gives() {
    let part = |name: &str, of: Value| {
        let mut all = json!({"customer_id": name, "currency": "EUR", "what": "allocation"});
        all.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
        all
    };
    // The plant, whether the rules that SQL proves see it too, and the differences.
    for (plant, is_seen, wanted) in [
        // The day of an allocation.
        (
            "UPDATE allocation SET allocated_on = '2024-02-07' WHERE amount_minor = 20",
            false,
            json!([
                part("C1", json!({"invoice_id": "I2", "payment_id": "P1", "on": "2024-02-01", "stored_minor": 0,
                    "replayed_minor": 20})),
                part("C1", json!({"invoice_id": "I2", "payment_id": "P1", "on": "2024-02-07", "stored_minor": 20,
                    "replayed_minor": 0})),
            ]),
        ),
        // The debt that was served, with what is open of both.
        (
            "UPDATE allocation SET invoice_key = (SELECT key FROM invoice WHERE id = 'I4#2')
             WHERE invoice_key = (SELECT key FROM invoice WHERE id = 'I4#1');
             UPDATE invoice SET open_minor = 30 WHERE id = 'I4#1'; UPDATE invoice SET open_minor = 20 WHERE id = 'I4#2'",
            false,
            json!([
                part("C2", json!({"invoice_id": "I4#1", "payment_id": "P3", "on": "2024-02-03", "stored_minor": 0,
                    "replayed_minor": 10})),
                part("C2", json!({"invoice_id": "I4#2", "payment_id": "P3", "on": "2024-02-03", "stored_minor": 10,
                    "replayed_minor": 0})),
                part("C2", json!({"what": "open", "invoice_id": "I4#1", "stored_minor": 30, "replayed_minor": 20})),
                part("C2", json!({"what": "open", "invoice_id": "I4#2", "stored_minor": 20, "replayed_minor": 30})),
            ]),
        ),
        // How much of a payment was used, with all that follows from it.
        (
            "UPDATE allocation SET amount_minor = 15 WHERE amount_minor = 20;
             UPDATE invoice SET open_minor = 20 WHERE id = 'I2'; UPDATE payment SET unallocated_minor = 5 WHERE id = 'P1'",
            false,
            json!([
                part("C1", json!({"invoice_id": "I2", "payment_id": "P1", "on": "2024-02-01", "stored_minor": 15,
                    "replayed_minor": 20})),
                part("C1", json!({"what": "open", "invoice_id": "I2", "stored_minor": 20, "replayed_minor": 15})),
                part("C1", json!({"what": "unallocated", "payment_id": "P1", "stored_minor": 5,
                    "replayed_minor": 0})),
            ]),
        ),
        // A part of a credit note and one of a write-off.
        (
            "UPDATE allocation SET allocated_on = '2024-02-06' WHERE amount_minor = 10 AND credit_key IS NOT NULL",
            false,
            json!([
                part("C1", json!({"invoice_id": "I2", "credit_note_id": "N1", "on": "2024-02-05", "stored_minor": 0,
                    "replayed_minor": 10})),
                part("C1", json!({"invoice_id": "I2", "credit_note_id": "N1", "on": "2024-02-06", "stored_minor": 10,
                    "replayed_minor": 0})),
            ]),
        ),
        (
            "UPDATE allocation SET amount_minor = 4 WHERE adjustment_key IS NOT NULL;
             UPDATE invoice SET open_minor = 16 WHERE id = 'I2'",
            false,
            json!([
                part("C1", json!({"invoice_id": "I2", "adjustment_id": "W1", "on": "2024-03-01", "stored_minor": 4,
                    "replayed_minor": 5})),
                part("C1", json!({"what": "open", "invoice_id": "I2", "stored_minor": 16, "replayed_minor": 15})),
            ]),
        ),
        // What is open and not allocated alone.
        (
            "UPDATE invoice SET open_minor = 1 WHERE id IN ('I1', 'N1')",
            true,
            json!([
                part("C1", json!({"what": "open", "invoice_id": "I1", "stored_minor": 1, "replayed_minor": 0})),
                part("C1", json!({"what": "open", "credit_note_id": "N1", "stored_minor": 1, "replayed_minor": 0})),
            ]),
        ),
        (
            "UPDATE payment SET unallocated_minor = 39 WHERE id = 'P2'",
            true,
            json!([part("C1", json!({"what": "unallocated", "currency": "USD", "payment_id": "P2",
                "stored_minor": 39, "replayed_minor": 40}))]),
        ),
        // What of a dispute is of which instalment.
        (
            "UPDATE dispute SET minor = 15
             WHERE whole_key IS NOT NULL AND invoice_key = (SELECT key FROM invoice WHERE id = 'I4#1')",
            true,
            json!([part("C2", json!({"what": "contested", "invoice_id": "I4#1", "dispute_id": "D1",
                "stored_minor": 15, "replayed_minor": 20}))]),
        ),
        // More than anybody may have.
        (
            "UPDATE invoice SET amount_minor = 900000000000000001 WHERE id = 'I5'",
            true,
            json!([part("C2", json!({"what": "total", "currency": "USD", "stored_minor": 900_000_000_000_000_001i64,
                "replayed_minor": 900_000_000_000_000_000i64}))]),
        ),
    ] {
        let (_folder, db) = book();
        run(&db, plant);
        assert_eq!(!verify::books(&db).unwrap().ok, is_seen, "{plant}");
        let found = serde_json::to_value(replayed(&db).items).unwrap();
        assert_eq!(found, wanted, "{plant}");
    }
}

/// An allocation that was given to a customer who has neither of its documents is found, and named by them.
#[test]
fn what_joins_documents_of_somebody_else_is_named_by_them() {
    let (_folder, db) = book();
    run(
        &db,
        "UPDATE allocation SET customer_key = (SELECT key FROM customer WHERE id = 'C2') WHERE amount_minor = 20",
    );
    let (first, next) = verify::replayed(&db, 0, 1).unwrap();
    let (second, end) = verify::replayed(&db, next.unwrap(), 1).unwrap();
    assert_eq!((first.ok, second.ok, end), (false, false, None));
    let stray = json!([{"customer_id": "C1", "what": "allocation", "invoice_id": "I2", "payment_id": "P1",
        "on": "2024-02-01", "stored_minor": 20, "replayed_minor": 0}]);
    assert_eq!(serde_json::to_value(second.items).unwrap(), stray);
}

#[test]
fn the_pages_of_a_replay_are_together_the_whole_of_it() {
    let (_folder, db) = book();
    run(&db, "UPDATE allocation SET allocated_on = '2024-02-28'");
    let whole = replayed(&db);
    let (mut items, mut checked, mut after) = (Vec::new(), 0, 0);
    for number in 1.. {
        let (page, next) = verify::replayed(&db, after, 1).unwrap();
        assert_eq!(page.customers, 1);
        items.extend(page.items);
        checked += page.checked;
        let Some(next) = next else {
            assert_eq!(number, 2);
            break;
        };
        after = next;
    }
    assert_eq!((items, checked), (whole.items, whole.checked));
    assert_eq!(verify::replayed(&db, 0, 1).unwrap().0.checked, 5);
}

#[test]
fn a_hundred_differences_are_named_and_all_are_counted() {
    let (_folder, db) = book();
    for number in 0..120 {
        let new = json!({"id": format!("Q{number}"), "customer_id": "C2", "received_on": "2024-02-20",
            "amount": {"minor": 1, "currency": "USD"}});
        payment::add(&db, &read(new), id("made"), &on("2024-12-31")).unwrap();
    }
    for (most, named) in [(99, 99), (100, 100), (101, 100)] {
        let plant = format!(
            "UPDATE payment SET unallocated_minor = id NOT IN (SELECT id FROM planted LIMIT {most})
            WHERE id LIKE 'Q%' AND unallocated_minor = 1"
        );
        run(
            &db,
            "DROP TABLE IF EXISTS planted; CREATE TEMP TABLE planted AS
            SELECT id FROM payment WHERE id LIKE 'Q%' AND unallocated_minor = 1 ORDER BY key",
        );
        run(&db, &plant);
        let page = replayed(&db);
        assert_eq!((page.broken, page.items.len()), (most, named));
        run(&db, "UPDATE payment SET unallocated_minor = 1 WHERE id IN (SELECT id FROM planted)");
    }
}

#[test]
fn a_replay_that_is_looked_at_writes_nothing() {
    let (_folder, db) = book();
    run(&db, "UPDATE allocation SET allocated_on = '2024-02-28'");
    let rows = || -> (i64, i64) {
        let sql = "SELECT (SELECT count(*) FROM allocation), (SELECT max(key) FROM audit)";
        db.connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let (before, first) = (rows(), replayed(&db));
    assert!(!first.ok);
    assert_eq!((rows(), replayed(&db).items), (before, first.items));
}
