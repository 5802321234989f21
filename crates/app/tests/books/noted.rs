//! Rows that say another thing than the audit chain does, planted in a book that the flows wrote.

use crate::common::{id, read};
use crate::{Broken, broken, run};
use dunlin_app::{
    audit::Author,
    contract, credit_refund, customer, default_record, dispute, erase, guarantee,
    import::{self, Begun, Options, Order, Reading, Rows, Slice},
    interest, invoice, pause, payment, policy, sweep, write_off,
};
use dunlin_domain::{
    Instant,
    contract::ingest::{ImportKind, OnError},
};
use dunlin_store::{Db, native::NativeDb};
use serde_json::{Value, json};

fn now() -> Instant {
    "2024-12-31T12:00:00Z".parse().unwrap()
}

fn author(who: &str) -> Author {
    Author { who: who.into(), at: now(), salt: "salt".into() }
}

fn file(db: &NativeDb, name: &str, kind: ImportKind, slice: &Slice) {
    let order = Order {
        id: id(name),
        kind,
        profile: id("generic"),
        on_error: OnError::Reject,
        create_customers: false,
    };
    let Begun::Work(work) = import::begin(db, &order, &Options::default(), now()).unwrap() else {
        panic!("{name} was there")
    };
    let (rows, reading) =
        (Rows { staged: 0, last: slice }, Reading { received: 3, ..Reading::default() });
    let done = import::apply(db, &order, work.run, rows, &reading, &author("admin")).unwrap();
    assert_eq!((done.accepted, done.rejected), (3, 0), "{done:?}");
}

/// A book with one of everything that has an entry of its own, written by the flows.
pub fn written() -> (tempfile::TempDir, NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    let (admin, made) = (&author("admin"), || id("made"));
    for name in ["C1", "C2"] {
        customer::add(&db, &read(json!({"id": name, "name": name})), made(), admin).unwrap();
    }
    let eur = |minor: i64| json!({"minor": minor, "currency": "EUR"});
    let set = json!({"late_interest": {"rate": "0.365"}, "write_off_approval": [eur(500)]});
    policy::put(&db, &read(set), admin).unwrap();
    let usd =
        json!([{"valid_from": "2024-01-01", "rate": "0.5", "source": "ours", "confirmed": true}]);
    interest::put_rates(&db, &id("fx-usd-eur"), &read::<Vec<_>>(usd), admin).unwrap();
    let agreed = json!({"customer_id": "C1", "effective_on": "2024-01-01"});
    contract::put(&db, &id("K1"), &read(agreed), admin).unwrap();
    let secured = json!({"customer_id": "C1", "kind": "pledge", "party": "Ann", "amount": eur(70), "valid_from": "2024-01-01"});
    guarantee::put(&db, &id("G1"), &read(secured), admin).unwrap();

    let bill = |name: &str, minor: i64| {
        json!([2, name, "C1", "invoice", "2024-01-01", "2024-02-01", minor, "EUR", 0])
    };
    let bills = json!([bill("F1", 1_000), bill("F2", 2_000), bill("F3", 3_000)]).to_string();
    file(&db, "BILLS", ImportKind::Invoices, &Slice { invoices: bills, ..Slice::default() });
    let money = |name: &str, minor: i64| json!([2, name, "C1", "2024-03-01", minor, "EUR", null]);
    let money = json!([money("M1", 100), money("M2", 200), money("M3", 300)]).to_string();
    file(&db, "MONEY", ImportKind::Payments, &Slice { payments: money, ..Slice::default() });

    let add = |new: Value| invoice::add(&db, &read(new), made(), admin).unwrap();
    add(json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-10", "amount": eur(900),
        "instalments": [{"due_on": "2024-02-10", "minor": 400}, {"due_on": "2024-03-10", "minor": 500}]}));
    add(
        json!({"id": "I2", "customer_id": "C2", "issued_on": "2024-01-10", "due_on": "2024-01-20", "amount": eur(700)}),
    );
    add(
        json!({"id": "I3", "customer_id": "C2", "issued_on": "2024-01-10", "amount": {"minor": 80, "currency": "USD"}}),
    );
    let pay = |new: Value| payment::add(&db, &read(new), made(), admin).unwrap();
    pay(json!({"id": "P1", "customer_id": "C2", "received_on": "2024-05-01", "amount": eur(300),
        "designation": [{"invoice_id": "I3", "minor": 40}]}));
    pay(json!({"id": "P2", "customer_id": "C1", "received_on": "2024-05-02", "amount": eur(50)}));

    let back =
        |of: &str, new: Value| payment::reverse(&db, &id(of), &read(new), made(), admin).unwrap();
    back("P2", json!({"id": "R1", "kind": "refund", "minor": 20, "on": "2024-05-10"}));
    back("P1", json!({"id": "R2", "kind": "chargeback", "on": "2024-05-11"}));
    let typed = |new: Value| read(new);
    let correction = json!({"minor": 1_100, "issued_on": "2024-01-02", "reason": "typed wrongly"});
    invoice::correct(&db, &id("F1"), &typed(correction), admin).unwrap();
    let correction = json!({"minor": 450, "reason": "typed wrongly"});
    invoice::correct(&db, &id("I1#1"), &read(correction), admin).unwrap();
    let correction = json!({"minor": 150, "received_on": "2024-03-02", "reason": "typed wrongly"});
    payment::correct(&db, &id("M1"), &read(correction), admin).unwrap();

    let give_up = |new: Value| write_off::add(&db, &read(new), made(), admin).unwrap();
    give_up(
        json!({"id": "W1", "invoice_id": "F2", "minor": 40, "on": "2024-06-01", "reason": "gone"}),
    );
    give_up(
        json!({"id": "W2", "invoice_id": "F2", "minor": 60, "on": "2024-06-01", "reason": "gone"}),
    );
    give_up(
        json!({"id": "W3", "invoice_id": "F3", "minor": 600, "on": "2024-06-01", "reason": "gone"}),
    );
    let again = json!({"on": "2024-07-01", "reason": "by mistake"});
    write_off::reverse(&db, &id("W2"), &read(again), admin).unwrap();
    write_off::decide(&db, &id("W3"), read(json!("booked")), &author("second")).unwrap();
    let contest = |new: Value| dispute::open(&db, &read(new), made(), admin).unwrap();
    contest(
        json!({"id": "D1", "invoice_id": "F3", "minor": 30, "on": "2024-06-02", "reason": "price"}),
    );
    contest(
        json!({"id": "D2", "invoice_id": "F3", "minor": 10, "on": "2024-06-02", "reason": "price"}),
    );
    add(json!({"id": "B5", "customer_id": "C1", "issued_on": "2024-05-10", "amount": eur(80),
        "instalments": [{"due_on": "2024-11-10", "minor": 30}, {"due_on": "2024-12-10", "minor": 50}]}));
    contest(
        json!({"id": "D3", "invoice_id": "B5", "minor": 50, "on": "2024-06-02", "reason": "price"}),
    );
    let upheld = json!({"outcome": "upheld", "on": "2024-06-05"});
    dispute::resolve(&db, &id("D3"), &read(upheld.clone()), admin).unwrap();
    dispute::resolve(&db, &id("D1"), &read(upheld), admin).unwrap();
    add(json!({"id": "B6", "customer_id": "C1", "issued_on": "2024-05-10", "amount": eur(80),
        "instalments": [{"due_on": "2024-11-10", "minor": 30}, {"due_on": "2024-12-10", "minor": 50}]}));
    contest(
        json!({"id": "D4", "invoice_id": "B6", "minor": 50, "on": "2024-06-02", "reason": "price"}),
    );
    for decision in [
        json!({"outcome": "upheld", "on": "2024-06-06"}),
        json!({"outcome": "rejected", "on": "2024-06-07", "replaces": "2024-06-06"}),
        json!({"undo": true, "replaces": "2024-06-07"}),
    ] {
        dispute::resolve(&db, &id("D4"), &read(decision), admin).unwrap();
    }
    back("P2", json!({"id": "R3", "kind": "chargeback", "minor": 5, "on": "2024-05-20"}));
    payment::undo(&db, &id("R3"), &read(json!({"reason": "of another"})), admin).unwrap();
    let today = "2024-12-31".parse().unwrap();
    let waived = json!({"id": "V1", "invoice_id": "I2", "on": "2024-03-01", "minor": 3, "reason": "goodwill"});
    interest::add_waiver(&db, &read(waived), made(), today, admin).unwrap();
    let claimed = json!({"id": "N1", "invoice_id": "I2", "through": "2024-03-01"});
    interest::add_note(&db, &read(claimed), made(), today, admin).unwrap();
    let paused = json!({"id": "S1", "customer_id": "C2", "from": "2024-04-01", "to": "2024-04-05"});
    pause::add(&db, &read(paused), made(), admin).unwrap();
    customer::merge(&db, &id("C2"), &id("C1"), admin).unwrap();
    agreed_and_replaced(&db);
    (folder, db)
}

/// A customer of which everything was said twice, and documents with all that they can name.
fn agreed_and_replaced(db: &NativeDb) {
    let (admin, made) = (&author("admin"), || id("made"));
    let eur = |minor: i64| json!({"minor": minor, "currency": "EUR"});
    customer::add(db, &read(json!({"id": "C3", "name": "Old"})), made(), admin).unwrap();
    let anew = json!({"name": "New", "parent_id": "C1", "status": "on-hold", "credit_limit": eur(900),
        "email": "ann@example.org", "bank_accounts": [{"account": "DE0012"}], "tags": ["one", "two"]});
    customer::put(db, &id("C3"), &read(anew), admin).unwrap();
    let terms = |days: i64| {
        json!({"customer_id": "C3", "effective_on": "2024-01-01", "terms": {"net_days": days},
            "late_interest": {"rate": "0.05"}, "order": "newest-due-first"})
    };
    contract::put(db, &id("K3"), &read(terms(10)), admin).unwrap();
    let secured = |minor: i64| {
        json!({"customer_id": "C3", "contract_id": "K3", "kind": "insurance", "party": "Insurer", "amount": eur(minor),
            "share": "0.9", "valid_from": "2024-01-01", "valid_to": "2024-12-31"})
    };
    guarantee::put(db, &id("G3"), &read(secured(100)), admin).unwrap();
    guarantee::put(db, &id("G3"), &read(secured(200)), admin).unwrap();
    let add = |new: Value| invoice::add(db, &read(new), made(), admin).unwrap();
    add(
        json!({"id": "B1", "customer_id": "C3", "contract_id": "K3", "issued_on": "2024-02-01", "amount": eur(500)}),
    );
    contract::put(db, &id("K3"), &read(terms(30)), admin).unwrap();
    add(
        json!({"id": "B2", "customer_id": "C3", "contract_id": "K3", "issued_on": "2024-02-01", "amount": eur(600),
        "disputed": true}),
    );
    add(
        json!({"id": "B3", "customer_id": "C3", "kind": "fee", "penalty": true, "relates_to": "B1",
        "issued_on": "2024-02-20", "amount": eur(40)}),
    );
    add(
        json!({"id": "B4", "customer_id": "C3", "kind": "credit-note", "issued_on": "2024-02-20", "amount": eur(5_000)}),
    );
    let paid_out = read(json!({"id": "T1", "on": "2024-03-01", "minor": 90}));
    credit_refund::add(db, &id("B4"), &paid_out, made(), admin).unwrap();
    let paid_out = read(json!({"id": "T2", "on": "2024-03-01", "minor": 80}));
    credit_refund::add(db, &id("B4"), &paid_out, made(), admin).unwrap();
    let back = read(json!({"on": "2024-03-02", "reason": "bounced"}));
    credit_refund::reverse(db, &id("T2"), &back, admin).unwrap();
    let pay = |new: Value| payment::add(db, &read(new), made(), admin).unwrap();
    pay(
        json!({"id": "P3", "customer_id": "C3", "received_on": "2024-05-01", "amount": eur(300), "contract_id": "K3",
        "order": "principal-first", "designation": [{"invoice_id": "B1", "minor": 40}, {"invoice_id": "B2", "minor": 9}],
        "deductions": [{"invoice_id": "B1", "minor": 7, "reason": "withholding"}], "settles": ["B2"]}),
    );
    pay(
        json!({"id": "P4", "customer_id": "C3", "received_on": "2024-05-02", "amount": eur(30), "invoice_id": "B3"}),
    );
    // What a payment settles or holds back was said of what it names: another one is corrected.
    pay(
        json!({"id": "P5", "customer_id": "C3", "received_on": "2024-05-02", "amount": eur(45), "contract_id": "K3",
        "designation": [{"invoice_id": "B1", "minor": 40}]}),
    );
    let named =
        read(json!({"designation": [{"invoice_id": "B1", "minor": 41}], "reason": "misread"}));
    payment::correct(db, &id("P5"), &named, admin).unwrap();
    let pauses = json!({"id": "S3", "invoice_id": "B2", "from": "2024-04-01"});
    pause::add(db, &read(pauses), made(), admin).unwrap();
    pause::resume(db, &id("S3"), &read(json!({"on": "2024-04-09"})), admin).unwrap();
    let failed = |name: &str| {
        json!({"id": name, "customer_id": "C3", "contract_id": "K3", "invoice_id": "B1", "amount": eur(500),
            "found_on": "2024-02-10", "kind": "refused", "reason": "will not pay",
            "evidence": [{"name": "letter", "uri": "file:1"}]})
    };
    default_record::add(db, &read(failed("X1")), made(), admin).unwrap();
    default_record::add(db, &read(failed("X2")), made(), admin).unwrap();
    let over = json!({"state": "cured", "on": "2024-07-01", "payment_id": "P3"});
    default_record::close(db, &id("X2"), &read(over.clone()), admin).unwrap();
    default_record::add(db, &read(failed("X3")), made(), admin).unwrap();
    default_record::close(db, &id("X3"), &read(over), admin).unwrap();
    let again = json!({"replaces": "2024-07-01", "reason": "of another"});
    default_record::reopen(db, &id("X3"), &read(again), admin).unwrap();
    from_a_file(db);
    judged(db);
}

/// Customers of a file, of whom one is replaced, one merged into another and one erased.
fn from_a_file(db: &NativeDb) {
    let row = |line: i64, name: &str, segment: &str| {
        json!([
            line,
            name,
            "Name",
            "DE",
            "EUR",
            "en",
            "Europe/Berlin",
            "a@example.org",
            null,
            500,
            "EUR",
            null,
            segment
        ])
    };
    let rows = json!([row(2, "F7", "mid"), row(3, "F8", "mid"), row(4, "F9", "small")]).to_string();
    file(db, "PEOPLE", ImportKind::Customers, &Slice { customers: rows, ..Slice::default() });
    let admin = &author("admin");
    let anew = json!({"name": "New", "country": "FR", "segment": "large"});
    customer::put(db, &id("F7"), &read(anew), admin).unwrap();
    customer::merge(db, &id("F8"), &id("F7"), admin).unwrap();
    erase::customer(db, &id("F9"), admin).unwrap();
}

/// Defaults that the rule opens: for an item of its own, and with the group.
fn judged(db: &NativeDb) {
    let rule = json!({"late_interest": {"rate": "0.365"}, "write_off_approval": [{"minor": 500, "currency": "EUR"}],
        "default_rule": {"days": 1, "cross_default": true}});
    policy::put(db, &read(rule), &author("admin")).unwrap();
    let day = Some("2024-12-31".parse().unwrap());
    let mut tick = sweep::Tick::begin(db, day, id("tick"), now()).unwrap();
    while let sweep::Step::More = tick.step(db, now()).unwrap() {}
}

/// The default that the rule opens for what C1 owes in dollars: its id is made of the three.
const OF_THE_RULE: &str = "default D-8959f23eb97aa3f5539a77e2bba4d102";

/// What is planted in one field of a row, and what of which rule finds it.
const FIELDS: [(&str, &str, &str); 98] = [
    // Customers of a file.
    ("UPDATE customer SET country = 'FR' WHERE id = 'F9'", "documents-noted", "file PEOPLE"),
    ("UPDATE customer SET currency = 'USD' WHERE id = 'F8'", "documents-noted", "file PEOPLE"),
    ("UPDATE customer SET time_zone = NULL WHERE id = 'F9'", "documents-noted", "file PEOPLE"),
    ("UPDATE customer SET limit_minor = 501 WHERE id = 'F9'", "documents-noted", "file PEOPLE"),
    ("UPDATE customer SET segment = 'mid' WHERE id = 'F9'", "documents-noted", "file PEOPLE"),
    ("UPDATE customer SET id = 'F6' WHERE id = 'F9'", "documents-noted", "file PEOPLE"),
    ("DELETE FROM customer WHERE id = 'F9'", "documents-noted", "file PEOPLE"),
    (
        "INSERT INTO customer (id, name, entry_key) SELECT 'F6', 'x', entry_key FROM customer WHERE id = 'F9'",
        "documents-noted",
        "customer F6",
    ),
    (
        "UPDATE customer_former SET document = json_set(document, '$.segment', 'x')
             WHERE customer_key = (SELECT key FROM customer WHERE id = 'F7')",
        "documents-noted",
        "file PEOPLE",
    ),
    // What the rule opened.
    (
        "UPDATE default_record SET amount_minor = 1 WHERE by_rule = 1 AND currency = 'USD'",
        "fields-noted",
        OF_THE_RULE,
    ),
    (
        "UPDATE default_record SET reason = 'x' WHERE by_rule = 1 AND currency = 'USD'",
        "fields-noted",
        OF_THE_RULE,
    ),
    (
        "UPDATE default_record SET kind = 'refused' WHERE by_rule = 1 AND currency = 'USD'",
        "fields-noted",
        OF_THE_RULE,
    ),
    (
        "UPDATE default_record SET invoice_key = 1 WHERE by_rule = 1 AND currency = 'USD'",
        "fields-noted",
        OF_THE_RULE,
    ),
    (
        "UPDATE default_record SET customer_key = 3 WHERE by_rule = 1 AND currency = 'USD'",
        "fields-noted",
        OF_THE_RULE,
    ),
    (
        "DELETE FROM default_record WHERE by_rule = 1 AND currency = 'USD'",
        "fields-noted",
        OF_THE_RULE,
    ),
    // What was put right.
    (
        "UPDATE dispute_former SET resolution = 'x' WHERE outcome = 'upheld'",
        "fields-noted",
        "dispute D4",
    ),
    (
        "UPDATE dispute_former SET until_entry_key = 1 WHERE outcome = 'upheld'",
        "fields-noted",
        "dispute D4",
    ),
    (
        "UPDATE dispute_former SET resolved_on = '2024-06-01' WHERE outcome = 'upheld'",
        "fields-noted",
        "dispute D4",
    ),
    ("DELETE FROM dispute_former WHERE outcome = 'upheld'", "decisions-noted", "dispute D4"),
    (
        "UPDATE dispute_former SET upheld_minor = 29
             WHERE outcome = 'upheld' AND dispute_key = (SELECT key FROM dispute WHERE id = 'D4#1')",
        "fields-noted",
        "dispute D4",
    ),
    ("UPDATE default_former SET closed_on = '2024-07-02'", "fields-noted", "default X3"),
    ("UPDATE default_former SET cured_by_key = NULL", "fields-noted", "default X3"),
    ("DELETE FROM default_former", "fields-noted", "default X3"),
    ("UPDATE reversal SET undone_reason = 'x' WHERE id = 'R3'", "fields-noted", "reversal R3"),
    ("UPDATE reversal SET undone_reason = NULL WHERE id = 'R3'", "fields-noted", "reversal R3"),
    ("UPDATE invoice SET due_on = '2024-01-21' WHERE id = 'I2'", "documents-noted", "invoice I2"),
    ("UPDATE invoice SET due_on = '2024-02-12' WHERE id = 'B1'", "documents-noted", "invoice B1"),
    ("UPDATE invoice SET due_on = '2024-03-11' WHERE id = 'I1#2'", "documents-noted", "invoice I1"),
    ("UPDATE invoice SET kind = 'fee' WHERE id = 'I2'", "documents-noted", "invoice I2"),
    ("UPDATE invoice SET penalty = 0 WHERE id = 'B3'", "documents-noted", "invoice B3"),
    ("UPDATE invoice SET relates_key = NULL WHERE id = 'B3'", "documents-noted", "invoice B3"),
    (
        "UPDATE invoice SET relates_key = (SELECT key FROM invoice WHERE id = 'B2') WHERE id = 'B3'",
        "documents-noted",
        "invoice B3",
    ),
    ("UPDATE invoice SET version_key = NULL WHERE id = 'B1'", "documents-noted", "invoice B1"),
    (
        "UPDATE invoice SET version_key = version_key + 1 WHERE id = 'B1'",
        "documents-noted",
        "invoice B1",
    ),
    ("DELETE FROM dispute WHERE id = 'whole/B2'", "documents-noted", "invoice B2"),
    (
        "UPDATE dispute SET opened_on = '2024-02-02' WHERE id = 'whole/B2'",
        "documents-noted",
        "invoice B2",
    ),
    ("UPDATE payment SET designation = '[[9,40]]' WHERE id = 'P5'", "corrections-noted", "P5"),
    (
        "UPDATE payment SET designation = '[[9,40]]' WHERE id = 'P4'",
        "documents-noted",
        "payment P4",
    ),
    ("UPDATE payment SET deductions = NULL WHERE id = 'P3'", "documents-noted", "payment P3"),
    ("UPDATE payment SET settles = NULL WHERE id = 'P3'", "documents-noted", "payment P3"),
    ("UPDATE payment SET allocation_order = NULL WHERE id = 'P3'", "documents-noted", "payment P3"),
    ("UPDATE payment SET contract_key = NULL WHERE id = 'P3'", "documents-noted", "payment P3"),
    ("UPDATE payment SET invoice_key = NULL WHERE id = 'P4'", "documents-noted", "payment P4"),
    (
        "UPDATE payment SET amount_minor = 41 WHERE id = 'P1/USD'",
        "documents-noted",
        "payment P1/USD",
    ),
    // Of a file as a whole.
    ("UPDATE invoice SET due_on = '2024-02-02' WHERE id = 'F2'", "documents-noted", "file BILLS"),
    ("UPDATE invoice SET kind = 'fee' WHERE id = 'F2'", "documents-noted", "file BILLS"),
    ("UPDATE payment SET currency = 'USD' WHERE id = 'M2'", "documents-noted", "file MONEY"),
    ("UPDATE invoice SET version_key = 1 WHERE id = 'F2'", "documents-noted", "file BILLS"),
    (
        "UPDATE payment SET received_on = '2024-03-03' WHERE id = 'M2'",
        "documents-noted",
        "file MONEY",
    ),
    ("UPDATE payment SET invoice_key = 1 WHERE id = 'M2'", "documents-noted", "file MONEY"),
    // Of the parts of a dispute.
    ("UPDATE dispute SET minor = 29 WHERE id = 'D3#1'", "fields-noted", "dispute D3"),
    ("UPDATE dispute SET upheld_minor = 19 WHERE id = 'D3#2'", "fields-noted", "dispute D3"),
    ("UPDATE dispute SET reason = 'quality' WHERE id = 'D3#2'", "fields-noted", "dispute D3"),
    // What was agreed.
    (
        "UPDATE contract_version SET document = json_set(document, '$.terms.net_days', 11) WHERE version = 2",
        "fields-noted",
        "contract K3",
    ),
    (
        "UPDATE contract_version SET document = json_set(document, '$.late_interest.rate', '0.5') WHERE version = 2",
        "fields-noted",
        "contract K3",
    ),
    (
        "UPDATE contract_version SET document = json_remove(document, '$.late_interest') WHERE version = 2",
        "fields-noted",
        "contract K3",
    ),
    (
        "UPDATE contract_version SET effective_on = '2024-01-02' WHERE version = 2",
        "fields-noted",
        "contract K3",
    ),
    (
        "UPDATE contract_version SET allocation_order = NULL WHERE version = 2",
        "fields-noted",
        "contract K3",
    ),
    ("UPDATE contract_version SET secured = 1 WHERE version = 2", "fields-noted", "contract K3"),
    ("DELETE FROM contract_version WHERE version = 2", "fields-noted", "contract K3"),
    ("UPDATE rate SET rate = '0.6'", "fields-noted", "rate fx-usd-eur"),
    ("UPDATE rate SET valid_from = '2024-01-02'", "fields-noted", "rate fx-usd-eur"),
    ("UPDATE rate SET confirmed = 0", "fields-noted", "rate fx-usd-eur"),
    ("DELETE FROM rate", "fields-noted", "rate fx-usd-eur"),
    ("UPDATE policy SET document = '{}'", "fields-noted", "policy"),
    (
        "UPDATE policy SET document = json_set(document, '$.grace_days', 5)",
        "fields-noted",
        "policy",
    ),
    ("DELETE FROM policy", "fields-noted", "policy policy"),
    ("UPDATE guarantee SET share = '1' WHERE id = 'G3'", "fields-noted", "guarantee G3"),
    ("UPDATE guarantee SET valid_to = NULL WHERE id = 'G3'", "fields-noted", "guarantee G3"),
    ("UPDATE guarantee SET party = 'Nobody' WHERE id = 'G3'", "fields-noted", "guarantee G3"),
    ("UPDATE guarantee SET customer_key = 1 WHERE id = 'G3'", "fields-noted", "guarantee G3"),
    (
        "UPDATE guarantee_former SET document = json_set(document, '$.amount.minor', 101)",
        "fields-noted",
        "guarantee G3",
    ),
    ("DELETE FROM guarantee WHERE id = 'G1'", "fields-noted", "guarantee G1"),
    // What was decided.
    ("UPDATE pause SET from_on = '2024-04-02' WHERE id = 'S1'", "fields-noted", "pause S1"),
    ("UPDATE pause SET to_on = NULL WHERE id = 'S1'", "fields-noted", "pause S1"),
    ("UPDATE pause SET resumed_on = '2024-04-10' WHERE id = 'S3'", "fields-noted", "pause S3"),
    ("UPDATE pause SET invoice_key = 1 WHERE id = 'S3'", "fields-noted", "pause S3"),
    ("DELETE FROM pause WHERE id = 'S1'", "fields-noted", "pause S1"),
    ("UPDATE dispute SET opened_on = '2024-06-03' WHERE id = 'D2'", "fields-noted", "dispute D2"),
    ("UPDATE dispute SET resolved_on = '2024-06-06' WHERE id = 'D1'", "fields-noted", "dispute D1"),
    (
        "UPDATE dispute SET outcome = 'rejected', resolved_on = '2024-06-06' WHERE id = 'D2'",
        "fields-noted",
        "dispute D2",
    ),
    (
        "UPDATE reversal SET reversed_on = '2024-05-12' WHERE id = 'R1'",
        "fields-noted",
        "reversal R1",
    ),
    ("UPDATE reversal SET kind = 'mistake' WHERE id = 'R1'", "fields-noted", "reversal R1"),
    ("UPDATE write_off SET asked_by = 'nobody' WHERE id = 'W3'", "fields-noted", "write-off W3"),
    ("UPDATE write_off SET decided_by = 'admin' WHERE id = 'W3'", "fields-noted", "write-off W3"),
    ("UPDATE write_off SET reversed_by = 'nobody' WHERE id = 'W2'", "fields-noted", "write-off W2"),
    ("UPDATE write_off SET state = 'refused' WHERE id = 'W1'", "fields-noted", "write-off W1"),
    (
        "UPDATE interest_entry SET booked_on = '2024-03-02' WHERE id = 'waiver/V1'",
        "fields-noted",
        "interest waiver/V1",
    ),
    (
        "UPDATE credit_refund SET refunded_on = '2024-03-03' WHERE id = 'T1'",
        "fields-noted",
        "refund T1",
    ),
    (
        "UPDATE credit_refund SET reversed_on = '2024-03-05' WHERE id = 'T2'",
        "fields-noted",
        "refund T2",
    ),
    (
        "UPDATE default_record SET found_on = '2024-02-11' WHERE id = 'X1'",
        "fields-noted",
        "default X1",
    ),
    ("UPDATE default_record SET state = 'withdrawn' WHERE id = 'X2'", "fields-noted", "default X2"),
    ("DELETE FROM default_record", "fields-noted", "default_record X1"),
    // Customers.
    ("UPDATE customer SET limit_minor = 901 WHERE id = 'C3'", "fields-noted", "customer C3"),
    ("UPDATE customer SET bank_accounts = NULL WHERE id = 'C3'", "fields-noted", "customer C3"),
    ("UPDATE customer SET parent_key = NULL WHERE id = 'C3'", "fields-noted", "customer C3"),
    (
        "UPDATE customer SET limit_minor = 1, limit_currency = 'EUR' WHERE id = 'C1'",
        "fields-noted",
        "customer C1",
    ),
    ("DELETE FROM customer_change", "fields-noted", "customer C3"),
];

#[test]
fn every_field_that_the_chain_tells_otherwise_is_found() {
    let (folder, db) = written();
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
    let bytes = std::fs::read(folder.path().join("test.db")).unwrap();
    let mut wrong = Vec::new();
    for (statement, rule, named) in FIELDS {
        let path = folder.path().join("planted.db");
        std::fs::write(&path, &bytes).unwrap();
        let db = NativeDb::open(&path).unwrap();
        let pragmas = "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
        run(&db, &format!("{pragmas}; {statement}"));
        let found = broken(&db);
        if !found.iter().any(|(name, ids)| name == rule && ids.iter().any(|id| id == named)) {
            wrong.push(format!("{statement}\n  {found:?}\n  {rule}: {named}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is planted, and every rule that finds it.
const FAULTS: [(&str, &[Broken]); 38] = [
    // A file: less, more, another's, other amounts, amounts that changed places.
    (
        "UPDATE invoice SET amount_minor = amount_minor + 1, open_minor = open_minor + 1 WHERE id = 'F2'",
        &[("documents-noted", &["file BILLS"])],
    ),
    (
        "UPDATE payment SET amount_minor = amount_minor + 5, unallocated_minor = unallocated_minor + 5 WHERE id = 'M3'",
        &[("documents-noted", &["file MONEY"])],
    ),
    (
        "UPDATE invoice SET amount_minor = 5000 - amount_minor, open_minor = open_minor + 5000 - 2 * amount_minor
         WHERE id IN ('F2', 'F3')",
        &[("documents-noted", &["file BILLS"])],
    ),
    ("UPDATE invoice SET entry_key = NULL WHERE id = 'F3'", &[("documents-noted", &["file BILLS"])]),
    (
        "UPDATE invoice SET entry_key = (SELECT entry_key FROM payment WHERE id = 'M1') WHERE id = 'I3'",
        &[("documents-noted", &["invoice I3"])],
    ),
    (
        "INSERT INTO invoice (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor, entry_key)
         SELECT 'X', customer_key, kind, issued_on, due_on, 7, currency, 0, 7, entry_key FROM invoice WHERE id = 'I2'",
        &[("documents-noted", &["invoice X"])],
    ),
    (
        "INSERT INTO payment (id, customer_key, received_on, amount_minor, currency, unallocated_minor, entry_key)
         SELECT 'X', customer_key, received_on, 7, currency, 7, entry_key FROM payment WHERE id = 'M1'",
        &[("documents-noted", &["payment X"])],
    ),
    // A single write: its customer, currency, day, amount.
    (
        "UPDATE invoice SET amount_minor = 701, open_minor = open_minor + 1 WHERE id = 'I2'",
        &[("documents-noted", &["invoice I2"])],
    ),
    (
        "UPDATE invoice SET amount_minor = 501, open_minor = open_minor + 1 WHERE id = 'I1#2'",
        &[("documents-noted", &["invoice I1"])],
    ),
    (
        "UPDATE invoice SET issued_on = '2024-01-09' WHERE id = 'I2'",
        &[("documents-noted", &["invoice I2"])],
    ),
    (
        "UPDATE payment SET received_on = '2024-04-30' WHERE id = 'P2'",
        &[("documents-noted", &["payment P2"])],
    ),
    (
        "UPDATE payment SET amount_minor = 51, unallocated_minor = unallocated_minor + 1 WHERE id = 'P2'",
        &[("documents-noted", &["payment P2"])],
    ),
    (
        "UPDATE audit SET id = 'I9' WHERE noun = 'invoice' AND id = 'I2'",
        &[("documents-noted", &["invoice I2", "invoice I9"]), ("audit-chain", &["10"])],
    ),
    // Corrections.
    (
        "UPDATE invoice SET amount_minor = 1101, open_minor = open_minor + 1 WHERE id = 'F1'",
        &[("documents-noted", &["file BILLS"]), ("corrections-noted", &["F1"])],
    ),
    (
        "UPDATE payment SET received_on = '2024-03-01' WHERE id = 'M1'",
        &[("documents-noted", &["file MONEY"]), ("corrections-noted", &["M1"])],
    ),
    (
        // As if it had been right from the beginning.
        "DELETE FROM correction WHERE invoice_key = (SELECT key FROM invoice WHERE id = 'F1')",
        &[("documents-noted", &["file BILLS"]), ("corrections-noted", &["F1"])],
    ),
    (
        "UPDATE correction SET before = json_set(before, '$.amount_minor', 401) WHERE before ->> 'amount_minor' = 400",
        &[("documents-noted", &["invoice I1"]), ("corrections-noted", &["I1#1"])],
    ),
    (
        "UPDATE correction SET entry_key = 1 WHERE before ->> 'amount_minor' = 400",
        &[("corrections-noted", &["I1#1"])],
    ),
    // Decisions.
    (
        "UPDATE reversal SET entry_key = 1 WHERE id = 'R1'",
        &[("decisions-noted", &["payment P2", "reversal R1"])],
    ),
    (
        "UPDATE reversal SET minor = 21 WHERE id = 'R1'",
        &[("reversals-recorded", &["P2"]), ("decisions-noted", &["reversal R1"])],
    ),
    (
        "DELETE FROM reversal WHERE payment_key = (SELECT key FROM payment WHERE id = 'P1')
             OR payment_key = (SELECT key FROM payment WHERE id = 'P1/USD')",
        &[("reversals-recorded", &["P1", "P1/USD"]), ("decisions-noted", &["payment P1"])],
    ),
    (
        "UPDATE write_off SET minor = 41 WHERE id = 'W1'",
        &[
            ("decisions-noted", &["write-off W1"]),
            ("fields-noted", &["write-off W1"]),
            ("adjustments-decided", &["write-off/W1"]),
        ],
    ),
    (
        "UPDATE write_off SET decided_entry_key = 2 WHERE id = 'W3'",
        &[
            ("decisions-noted", &["write-off W3", "write_off W3"]),
            ("fields-noted", &["write-off W3"]),
            ("adjustments-decided", &["write-off/W3"]),
        ],
    ),
    (
        "UPDATE write_off SET reversed_entry_key = NULL WHERE id = 'W2'",
        &[("decisions-noted", &["write_off W2"]), ("fields-noted", &["write-off W2"])],
    ),
    ("UPDATE dispute SET minor = 31 WHERE id = 'D1'", &[("decisions-noted", &["dispute D1"]), ("fields-noted", &["dispute D1"])]),
    (
        "DELETE FROM dispute WHERE id = 'D2'",
        &[("decisions-noted", &["dispute D2"])],
    ),
    (
        "UPDATE interest_entry SET minor = 4 WHERE id = 'waiver/V1'",
        &[("decisions-noted", &["interest waiver/V1"]), ("fields-noted", &["interest waiver/V1"])],
    ),
    (
        "UPDATE interest_entry SET entry_key = 1 WHERE id = 'note/N1'",
        &[("decisions-noted", &["interest note/N1"]), ("fields-noted", &["interest note/N1"])],
    ),
    (
        "UPDATE pause SET entry_key = 1 WHERE id = 'S1'",
        &[("decisions-noted", &["pause S1"]), ("fields-noted", &["pause S1"])],
    ),
    (
        "UPDATE guarantee SET entry_key = 1 WHERE id = 'G1'",
        &[("decisions-noted", &["guarantee G1"]), ("fields-noted", &["guarantee G1"])],
    ),
    (
        "UPDATE contract_version SET entry_key = 1 WHERE key = 1",
        &[("decisions-noted", &["contract K1"]), ("fields-noted", &["contract K1"])],
    ),
    (
        "UPDATE rate SET entry_key = 1 WHERE name = 'fx-usd-eur'",
        &[("decisions-noted", &["rate fx-usd-eur"]), ("fields-noted", &["rate fx-usd-eur"])],
    ),
    (
        "UPDATE policy SET entry_key = 1 WHERE entry_key IS NOT NULL",
        &[("decisions-noted", &["policy"]), ("fields-noted", &["policy", "policy policy"])],
    ),
    // Adjustments without a decision, and decisions without an adjustment.
    (
        "UPDATE write_off SET state = 'refused' WHERE id = 'W1'",
        &[("fields-noted", &["write-off W1"]), ("adjustments-decided", &["write-off/W1"])],
    ),
    (
        "UPDATE dispute SET upheld_minor = NULL WHERE id = 'D1'",
        &[("fields-noted", &["dispute D1"]), ("adjustments-decided", &["dispute/D1"])],
    ),
    (
        "UPDATE adjustment SET id = 'write-off/W9' WHERE id = 'write-off/W1'",
        &[("adjustments-decided", &["write-off/W1", "write-off/W9"])],
    ),
    (
        "UPDATE adjustment SET until_on = NULL WHERE id = 'write-off/W2'",
        &[("adjustments-decided", &["write-off/W2"])],
    ),
    (
        // It was taken back, and still takes something off.
        "DELETE FROM allocation WHERE adjustment_key = (SELECT key FROM adjustment WHERE id = 'write-off/W2')
             AND amount_minor < 0;
         UPDATE invoice SET open_minor = open_minor - 60 WHERE id = 'F2'",
        &[("adjustments-decided", &["write-off/W2"])],
    ),
];

#[test]
fn what_the_flows_write_is_as_they_note_it() {
    let (_folder, db) = written();
    assert_eq!(broken(&db), []);
}

#[test]
fn every_row_that_the_chain_tells_otherwise_is_found_and_named() {
    let (folder, db) = written();
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
    let bytes = std::fs::read(folder.path().join("test.db")).unwrap();
    let mut wrong = Vec::new();
    for (statement, expected) in FAULTS {
        let path = folder.path().join("planted.db");
        std::fs::write(&path, &bytes).unwrap();
        let db = NativeDb::open(&path).unwrap();
        let pragmas = "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
        run(&db, &format!("{pragmas}; {statement}"));
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(name, ids)| (name.to_string(), ids.iter().map(|id| id.to_string()).collect()))
            .collect();
        let found = broken(&db);
        if found != expected {
            wrong.push(format!("{statement}\n  {found:?}\n  {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
