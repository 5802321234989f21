//! Orders of debts: how the order of a ledger is set, where the law's order and the standard one differ, and what each
//! costs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{db, id, on, read};
use dunlin_app::{
    contract, customer, guarantee,
    import::{self, Begun, Checkpoint, Options, Order, Reading, Rows, Slice},
    invoice,
    ledger::Change,
    payment, policy, verify,
};
use dunlin_domain::{
    Date,
    contract::ingest::{ImportKind, OnError},
    order::{DEFAULT, PRC},
};
use dunlin_store::{Db, native::NativeDb};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TODAY: &str = "2026-06-30";

fn set(db: &NativeDb, policy: Value) {
    policy::put(db, &read(policy), &on(TODAY)).unwrap();
}

fn add(db: &NativeDb, name: &str, days: [&str; 2], minor: i64, more: Value) {
    let mut new = json!({"id": name, "customer_id": "C", "issued_on": days[0], "due_on": days[1],
        "amount": {"minor": minor, "currency": "CNY"}});
    for (field, value) in more.as_object().unwrap() {
        new[field] = value.clone();
    }
    invoice::add(db, &read(new), id("made"), &on(TODAY)).unwrap();
}

fn pay(db: &NativeDb, name: &str, of: &str, minor: i64) {
    let new = json!({"id": name, "customer_id": of, "received_on": "2026-06-01",
        "amount": {"minor": minor, "currency": "CNY"}});
    payment::add(db, &read(new), id("made"), &on(TODAY)).unwrap();
}

/// What is open of these, in hundreds.
fn open(db: &NativeDb, names: &[&str]) -> Vec<i64> {
    let of = |name: &&str| invoice::get(db, &id(name), TODAY.parse::<Date>().unwrap(), i64::MAX);
    names.iter().map(|name| of(name).unwrap().open.minor / 100).collect()
}

/// A customer whose debts the two orders tell apart: of one due day, of a heavier rate, of one debt, and secured.
fn different(order: Option<&str>) -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    let clause = |rate: &str| json!({ "rate": rate });
    if let Some(order) = order {
        set(&db, json!({"order": order}));
    }
    let new = read(json!({"id": "C", "name": "C"}));
    customer::add(&db, &new, id("made"), &on(TODAY)).unwrap();
    for (name, rate) in [("light", "0.05"), ("heavy", "0.15"), ("safe", "0.15")] {
        let new = read(json!({"customer_id": "C", "effective_on": "2026-01-01",
            "late_interest": clause(rate)}));
        contract::put(&db, &id(name), &new, &on(TODAY)).unwrap();
    }
    let pledge = json!({"customer_id": "C", "contract_id": "safe", "kind": "pledge", "party": "A house",
        "amount": {"minor": 100, "currency": "CNY"}, "valid_from": "2026-01-01"});
    guarantee::put(&db, &id("G"), &read(pledge), &on(TODAY)).unwrap();
    (folder, db)
}

#[test]
fn the_order_of_a_ledger_is_set_in_one_call_before_or_after_the_first_payment() {
    for first in [true, false] {
        let (_folder, db) = different(first.then_some(PRC));
        for name in ["A", "B"] {
            add(&db, name, ["2026-03-01", "2026-03-31"], 10_000, json!({}));
        }
        pay(&db, "P", "C", 10_000);
        if !first {
            assert_eq!(open(&db, &["A", "B"]), [0, 100]);
            set(&db, json!({"order": PRC}));
        }
        assert_eq!(open(&db, &["A", "B"]), [50, 50], "{first}");
    }
}

#[test]
fn the_standard_order_and_that_of_the_law_differ_in_these() {
    let march = ["2026-03-01", "2026-03-31"];
    let april = ["2026-03-01", "2026-04-30"];
    let july = ["2026-03-01", "2026-07-31"];
    let of = |contract: &str| json!({ "contract_id": contract });
    let about = |kind: &str| json!({"kind": kind, "relates_to": "A"});
    type Document<'a> = (&'a str, [&'a str; 2], Value);
    type Case<'a> = (&'a str, Vec<Document<'a>>, [i64; 2], [i64; 2]);
    let cases: [Case<'_>; 5] = [
        // One after the other, by the id; in proportion.
        ("equal", vec![("A", march, json!({})), ("B", march, json!({}))], [0, 100], [50, 50]),
        // What is due later bears more.
        ("burden", vec![("A", march, of("light")), ("B", april, of("heavy"))], [0, 100], [100, 0]),
        ("security", vec![("A", march, of("safe")), ("B", april, of("heavy"))], [0, 100], [100, 0]),
        // Not yet due: both serve what is.
        ("due", vec![("A", march, json!({})), ("B", july, json!({}))], [0, 100], [0, 100]),
        // A fee of April about an invoice of March: its own due day, or that of the debt.
        ("fee", vec![("A", march, json!({})), ("B", april, about("fee"))], [0, 100], [100, 0]),
    ];
    for (what, documents, standard, lawful) in cases {
        for (order, wanted) in [(None, standard), (Some(DEFAULT), standard), (Some(PRC), lawful)] {
            let (_folder, db) = different(order);
            for (name, days, more) in &documents {
                add(&db, name, *days, 10_000, more.clone());
            }
            pay(&db, "P", "C", 10_000);
            assert_eq!(open(&db, &["A", "B"]), wanted, "{what} under {order:?}");
        }
    }
}

#[test]
fn an_agreed_order_decides_once_no_designation_is_recorded() {
    let (_folder, db) = different(None);
    let agreed = read(
        json!({"customer_id": "C", "effective_on": "2026-01-01", "order": "newest-due-first"}),
    );
    contract::put(&db, &id("K"), &agreed, &on(TODAY)).unwrap();
    for (name, due) in [("A", "2026-03-31"), ("B", "2026-04-30")] {
        add(&db, name, ["2026-03-01", due], 10_000, json!({"contract_id": "K"}));
    }
    let new = json!({"id": "P", "customer_id": "C", "received_on": "2026-06-01", "contract_id": "K",
        "invoice_id": "A", "amount": {"minor": 10_000, "currency": "CNY"}});
    payment::add(&db, &read(new), id("made"), &on(TODAY)).unwrap();
    assert_eq!(open(&db, &["A", "B"]), [0, 100]);
    let taken_back = read(json!({"designation": [], "reason": "The contract has an order."}));
    let before = db.int("SELECT max(key) FROM audit", &[]).unwrap();
    for change in [Change::Replaced, Change::AlreadySo] {
        assert_eq!(payment::correct(&db, &id("P"), &taken_back, &on(TODAY)), Ok(change));
        assert_eq!(open(&db, &["A", "B"]), [100, 0]);
    }
    let of_b = read(json!({"reason": "He said so.",
        "designation": [{"invoice_id": "A", "minor": 3_000}, {"invoice_id": "B", "minor": 7_000}]}));
    payment::correct(&db, &id("P"), &of_b, &on(TODAY)).unwrap();
    assert_eq!(open(&db, &["A", "B"]), [70, 30]);
    let named = |known: i64| {
        let of = payment::get(&db, &id("P"), TODAY.parse().unwrap(), known).unwrap();
        (of.invoice_id.map(|of| of.to_string()), of.designation.map_or(0, |parts| parts.len()))
    };
    assert_eq!([named(before), named(i64::MAX)], [(Some("A".to_string()), 0), (None, 2)]);
    assert!(verify::books(&db).unwrap().ok);
}

/// Customers of the file, and invoices of each.
const CUSTOMERS: usize = 20_000;
const INVOICES: usize = 5;

/// Open documents of the customer whose payments come one by one, and how many come.
const OPEN: usize = 1_000;
const PAYMENTS: usize = 20;

/// Takes in rows as a file of slices.
fn take_in(db: &NativeDb, name: &str, slices: Vec<Slice>, rows: usize) -> Duration {
    let order = Order {
        id: id(name),
        kind: ImportKind::Invoices,
        profile: id("generic"),
        on_error: OnError::Reject,
        create_customers: true,
    };
    let author = on(TODAY);
    let begun = import::begin(db, &order, &Options::default(), author.at).unwrap();
    let Begun::Work(work) = begun else { panic!("{name} was applied before") };
    let count = i64::try_from(slices.len()).unwrap();
    for (slice, slices) in slices.iter().zip(1..) {
        let checkpoint = Checkpoint { slices, ..Checkpoint::default() };
        import::stage(db, work.run, slice, &checkpoint, &[], author.at).unwrap();
    }
    let reading = Reading { received: rows as u64, ..Reading::default() };
    let last = Slice::default();
    let from = Instant::now();
    let rows = Rows { staged: count, last: &last };
    let result = import::apply(db, &order, work.run, rows, &reading, &author).unwrap();
    assert_eq!(result.rejected, 0, "{:?}", result.errors);
    from.elapsed()
}

fn slices(rows: Vec<Value>, payments: bool) -> Vec<Slice> {
    let slice = |rows: &[Value]| {
        let (rows, none) = (json!(rows).to_string(), "[]".to_string());
        let (invoices, payments) =
            if payments { (none.clone(), rows) } else { (rows, none.clone()) };
        Slice { customers: none, invoices, payments }
    };
    rows.chunks(5_000).map(slice).collect()
}

/// Invoices of as many customers, each with so many due days a week apart.
fn billed(policy: Value, customers: usize, invoices: usize) -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    set(&db, policy);
    let start: Date = "2023-01-01".parse().unwrap();
    let row = |at: usize| {
        let (customer, number) = (at / invoices, at % invoices);
        let issued = start.plus_days(i64::try_from(number).unwrap()).unwrap();
        let due = issued.plus_days(30).unwrap();
        json!([
            at + 2,
            format!("I{customer}-{number}"),
            format!("C{customer}"),
            "invoice",
            issued,
            due,
            10_000,
            "CNY",
            0
        ])
    };
    let rows = customers * invoices;
    take_in(&db, "invoices", slices((0..rows).map(row).collect(), false), rows);
    (folder, db)
}

/// `cargo test --release -p dunlin-app --test orders -- --ignored --nocapture`
#[test]
#[ignore = "it measures"]
fn what_recording_payments_costs_under_each_order() {
    let clause = json!({"reference": {"table": "lpr-1y", "fixing": "at-breach"}});
    for (what, policy) in [
        ("standard", json!({})),
        ("standard, with late interest", json!({"late_interest": clause})),
        ("PRC 560", json!({"order": PRC})),
        ("PRC 560, with late interest", json!({"order": PRC, "late_interest": clause})),
    ] {
        let (_folder, db) = billed(policy.clone(), 1, OPEN);
        let mut took: Vec<Duration> = Vec::new();
        for number in 0..PAYMENTS {
            let from = Instant::now();
            pay(&db, &format!("P{number}"), "C0", 15_000);
            took.push(from.elapsed());
        }
        took.sort();
        println!("{what}: one payment beside {OPEN} open documents {:.1?}", took[PAYMENTS / 2]);
        for (kind, named) in [("naming nothing", false), ("each naming an invoice", true)] {
            let (_folder, db) = billed(policy.clone(), CUSTOMERS, INVOICES);
            let row = |customer: usize| {
                let invoice = named.then(|| format!("I{customer}-0"));
                json!([
                    customer + 2,
                    format!("P{customer}"),
                    format!("C{customer}"),
                    "2026-06-01",
                    10_000,
                    "CNY",
                    invoice
                ])
            };
            let rows = slices((0..CUSTOMERS).map(row).collect(), true);
            let took = take_in(&db, "payments", rows, CUSTOMERS);
            println!("{what}: a file of {CUSTOMERS} payments, {kind} {took:.1?}");
        }
    }
}
