//! A file of invoices says what the single write says: contracts, instalments, penalties, and what a document is about.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{id, read as from};
use dunlin_app::{
    audit::Author,
    contract, customer,
    import::{self, Begun, Checkpoint, Options, Order, Reading, Rows, Slice},
    invoice,
};
use dunlin_domain::{
    Instant,
    contract::{
        ingest::{ImportKind, ImportResult, OnError, Profile},
        types::NewInvoice,
    },
    profile::{self, Plan},
};
use dunlin_store::native::NativeDb;
use serde_json::{Value, json};

fn now() -> Instant {
    "2024-12-31T12:00:00Z".parse().unwrap()
}

fn author() -> Author {
    Author { who: "tester".into(), at: now(), salt: "salt".into() }
}

/// Two customers, each with a contract: one gives days, the other instalments.
fn agreed() -> (tempfile::TempDir, NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    for name in ["C1", "C2"] {
        let new = from(json!({"id": name, "name": name}));
        customer::add(&db, &new, id("made"), &author()).unwrap();
    }
    agree(&db, "K1", "C1", json!({"net_days": 30}));
    let parts = json!([{"share": "0.5", "days": 10}, {"share": "0.5", "days": 40}]);
    agree(&db, "K2", "C2", json!({"instalments": parts}));
    (folder, db)
}

fn agree(db: &NativeDb, name: &str, of: &str, terms: Value) {
    let new = from(json!({"customer_id": of, "effective_on": "2024-01-01", "terms": terms}));
    contract::put(db, &id(name), &new, &author()).unwrap();
}

const HEADER: &str = "id,customer_id,kind,issued_on,due_on,amount,currency,relates_to,penalty,contract_id,instalments";

/// Imports rows of the profile `generic`, so many in a slice.
fn bring(db: &NativeDb, name: &str, rows: &str, per_slice: usize) -> ImportResult {
    let header: Vec<&str> = HEADER.split(',').collect();
    let plan =
        Plan::new(&Profile::generic(), ImportKind::Invoices, &header, None, |_| true).unwrap();
    let order = Order {
        id: id(name),
        kind: ImportKind::Invoices,
        profile: id("generic"),
        on_error: OnError::Skip,
        create_customers: false,
    };
    let Begun::Work(work) = import::begin(db, &order, &Options::default(), now()).unwrap() else {
        panic!("{name} was there")
    };
    let lines: Vec<(u64, &str)> = (2..).zip(rows.trim().lines()).collect();
    let mut read = profile::Slice::default();
    for (slices, lines) in (1..).zip(lines.chunks(per_slice)) {
        for (row, line) in lines {
            let fields: Vec<&str> = line.trim().split(',').collect();
            plan.row(*row, fields.as_slice(), &mut read);
        }
        let invoices = read.invoices.take();
        let none = || "[]".to_string();
        let slice = Slice { customers: none(), invoices, payments: none() };
        let checkpoint = Checkpoint { slices, ..Checkpoint::default() };
        import::stage(db, work.run, &slice, &checkpoint, &[], now()).unwrap();
    }
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    let reading = Reading { received: read.received, ..Reading::default() };
    let staged = i64::try_from(lines.chunks(per_slice).len()).unwrap();
    let last = Slice::default();
    import::apply(db, &order, work.run, Rows { staged, last: &last }, &reading, &author()).unwrap()
}

fn shown(db: &NativeDb, name: &str) -> Value {
    let shown = invoice::get(db, &id(name), "2024-12-31".parse().unwrap(), i64::MAX).unwrap();
    serde_json::to_value(shown).unwrap()
}

const FILE: &str = "
    F1,C1,fee,2024-03-01,,40.00,EUR,I1,yes,,
    N2,C1,credit-note,2024-03-01,,5.00,EUR,I2,,,
    I1,C1,,2024-01-31,,100.00,EUR,,,K1,
    I2,C1,,2024-02-01,,50.00,EUR,,,,2024-03-01:20.00;2024-04-01:30.00
    I3,C2,,2024-02-01,,80.01,EUR,,,K2,
    I4,C2,,2024-02-01,2024-02-05,10.00,EUR,,,K2,
    I5,C2,,2024-02-01,2024-02-05,10.00,EUR,,,,";

#[test]
fn a_file_makes_what_single_writes_make() {
    let (_one, single) = agreed();
    for new in [
        json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-31", "contract_id": "K1", "minor": 10000}),
        json!({"id": "I2", "customer_id": "C1", "issued_on": "2024-02-01", "minor": 5000, "instalments": [
            {"due_on": "2024-03-01", "minor": 2000}, {"due_on": "2024-04-01", "minor": 3000}]}),
        json!({"id": "I3", "customer_id": "C2", "issued_on": "2024-02-01", "contract_id": "K2", "minor": 8001}),
        json!({"id": "I4", "customer_id": "C2", "issued_on": "2024-02-01", "due_on": "2024-02-05",
            "contract_id": "K2", "minor": 1000}),
        json!({"id": "I5", "customer_id": "C2", "issued_on": "2024-02-01", "due_on": "2024-02-05", "minor": 1000}),
        json!({"id": "F1", "customer_id": "C1", "kind": "fee", "issued_on": "2024-03-01", "relates_to": "I1",
            "penalty": true, "minor": 4000}),
        json!({"id": "N2", "customer_id": "C1", "kind": "credit-note", "issued_on": "2024-03-01", "relates_to": "I2",
            "minor": 500}),
    ] {
        let mut new = new;
        let minor = new.as_object_mut().unwrap().remove("minor").unwrap();
        new["amount"] = json!({"minor": minor, "currency": "EUR"});
        let new: NewInvoice = from(new);
        invoice::add(&single, &new, id("made"), &author()).unwrap();
    }
    // The documents that others are about stand behind them, also in a later slice.
    for per_slice in [2, 100] {
        let (_two, db) = agreed();
        let first = bring(&db, "M1", FILE, per_slice);
        assert_eq!((first.accepted, first.unchanged, first.rejected), (7, 0, 0), "{first:?}");
        for name in ["I1", "I2", "I3", "I4", "I5", "F1", "N2"] {
            assert_eq!(shown(&db, name), shown(&single, name), "{name}");
        }
        // What was recorded keeps what it inherited, whatever was agreed since.
        agree(&db, "K1", "C1", json!({"net_days": 60}));
        let again = bring(&db, "M2", FILE, per_slice);
        assert_eq!((again.accepted, again.unchanged, again.rejected), (0, 7, 0), "{again:?}");
    }
    assert_eq!(shown(&single, "I1")["due_on"], "2024-03-01");
    assert_eq!(shown(&single, "I3")["instalments"].as_array().unwrap().len(), 2);
}

#[test]
fn a_row_that_cannot_be_is_named_and_the_others_come_in() {
    let (_folder, db) = agreed();
    assert_eq!(bring(&db, "M1", FILE, 100).rejected, 0);
    let rows = "
        A1,C1,,2024-01-31,,1.00,EUR,,,K9,
        A2,C1,,2024-01-31,,1.00,EUR,,,K2,
        A3,C1,fee,2024-03-01,,1.00,EUR,I9,,,
        A4,C1,fee,2024-03-01,,1.00,EUR,I3,,,
        A5,C1,,2024-03-01,,1.00,EUR,I1,,,
        A6,C1,,2024-03-01,,1.00,EUR,,yes,,
        A7,C1,,2024-03-01,,3.00,EUR,,,,2024-04-01:1.00;2024-05-01:1.00
        A8,C1,,2024-03-01,,2.00,EUR,,,,2024-05-01:1.00;2024-04-01:1.00
        A9,C9,,2024-03-01,,2.00,EUR,,,K1,
        B1,C1,,2024-03-01,,2.00,EUR,,,,2024-04-01:1.00;2024-05-01:1.00
        B1#2,C1,,2024-03-01,,2.00,EUR,,,,
        B2,C1,,2024-03-01,,2.00,EUR,,,,2024-04-01:1.00;2024-05-01:1.00
        B2,C1,,2024-03-01,,2.00,EUR,,,,2024-04-01:0.50;2024-05-01:1.50
        B2,C1,,2024-03-01,,2.00,EUR,,,,2024-04-01:1.00;2024-05-01:1.00
        I2,C1,,2024-02-01,,50.00,EUR,,,,2024-03-01:10.00;2024-04-01:40.00
        I1,C1,,2024-01-31,,100.00,EUR,,,,
        F1,C1,fee,2024-03-01,,40.00,EUR,I1,,,";
    let result = bring(&db, "M2", rows, 100);
    let said = result
        .errors
        .iter()
        .map(|e| format!("{} {} {}", e.row, e.field.as_deref().unwrap_or("-"), e.code));
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "2 contract_id unknown-contract",
            "3 contract_id unknown-contract",
            "4 relates_to unknown-invoice",
            "5 relates_to invoice-of-another-customer",
            "6 relates_to malformed-field",
            "7 penalty malformed-field",
            "8 instalments parts-exceed-amount",
            "9 instalments due-before-issued",
            "10 customer_id unknown-customer",
            "11 id different-content",
            "14 instalments different-content",
            "16 instalments different-content",
            "17 due_on different-content",
            "18 penalty different-content",
        ]
    );
    // B1#2, and B2 once.
    assert_eq!((result.accepted, result.unchanged, result.rejected), (2, 1, 14));
    assert_eq!(shown(&db, "B2")["instalments"].as_array().unwrap().len(), 2);
}
