//! Late interest over a real SQLite file: what a document bears, notes and waivers, rates, and what the sweep keeps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod claimable;
mod clauses;
#[path = "../common/mod.rs"]
mod common;
mod instalments;
mod lines;
mod notes;
mod surroundings;

use common::{day, id};
use dunlin_app::{
    audit::Author,
    dispute, interest, invoice,
    ledger::Change,
    payment,
    remind::Handed,
    sweep::{Step, Tick},
};

use dunlin_domain::{
    Date, DayCount, Id, Instant, Money, Refusal,
    contract::{
        ledger::{
            DisputeOutcome, DisputeReason, DisputeResolution, InvoiceCorrection, NewDispute,
            NewInterestNote, NewWaiver, RateRow,
        },
        report::AgeingBasis,
        types::{Instalment, Interest, InvoiceKind, NewInvoice, NewPayment},
    },
    interest::Watermark,
};

use dunlin_store::{
    Db, Fault,
    accrual::{self, Line},
    arrears::Range,
    native::NativeDb,
};

use proptest::prelude::*;

use serde_json::json;

const ALL: Range = Range { after: 0, upto: i64::MAX };

const KNOWN: i64 = i64::MAX;

fn world(policy: serde_json::Value) -> (tempfile::TempDir, NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    db.execute("PRAGMA synchronous = OFF", &[]).unwrap();
    for name in ["C1", "C2", "C3"] {
        let sql = "INSERT INTO customer (id, name) VALUES (?1, ?1)";
        db.execute(sql, &[name.into()]).unwrap();
    }
    set_policy(&db, policy);
    (folder, db)
}

fn set_policy(db: &NativeDb, late_interest: serde_json::Value) {
    let text = json!({ "late_interest": late_interest }).to_string();
    db.execute("INSERT INTO policy (document) VALUES (?1)", &[(&text).into()]).unwrap();
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn now() -> Instant {
    "2026-06-30T12:00:00Z".parse().unwrap()
}

fn author() -> Author {
    Author { who: "admin".into(), at: now(), salt: "salt".into() }
}

fn bill(name: &str, of: &str, due: &str, minor: i64) -> NewInvoice {
    NewInvoice {
        id: Some(id(name)),
        customer_id: id(of),
        kind: None,
        issued_on: day("2024-01-01"),
        due_on: Some(day(due)),
        amount: eur(minor),
        disputed: None,
        contract_id: None,
        relates_to: None,
        penalty: None,
        instalments: None,
        reference: None,
    }
}

fn add(db: &NativeDb, new: &NewInvoice) {
    invoice::add(db, new, id("made"), &author()).unwrap();
}

fn pay(db: &NativeDb, name: &str, of: &str, on: &str, minor: i64, about: Option<&str>) {
    let new = NewPayment {
        id: Some(id(name)),
        customer_id: id(of),
        received_on: day(on),
        amount: eur(minor),
        invoice_id: about.map(id),
        designation: None,
        order: None,
        contract_id: None,
        deductions: None,
        settles: None,
        same_as: None,
        another: None,
    };
    payment::add(db, &new, id("made"), &author()).unwrap();
}

fn of(db: &NativeDb, name: &str, on: &str) -> Interest {
    interest::of_invoice(db, &id(name), day(on), KNOWN).unwrap().unwrap()
}

/// Accrued, fixed, noted, waived, outstanding.
fn sums(db: &NativeDb, name: &str, on: &str) -> [i64; 5] {
    let of = of(db, name, on);
    [of.accrued.minor, of.fixed_minor, of.noted_minor, of.waived_minor, of.outstanding_minor]
}

fn claim(db: &NativeDb, name: &str, through: &str) -> Result<Change, (Refusal, String)> {
    let new = NewInterestNote {
        id: Some(id(name)),
        invoice_id: id("I1"),
        through: Some(day(through)),
        due_on: None,
    };
    let made = interest::add_note(db, &new, id("made"), day("2026-06-30"), &author());
    made.map(|(_, change)| change).map_err(refused)
}

fn waive(db: &NativeDb, name: &str, minor: Option<i64>) -> Result<Change, (Refusal, String)> {
    let new = NewWaiver {
        id: Some(id(name)),
        invoice_id: id("I1"),
        on: Some(day("2024-05-31")),
        minor,
        reason: "an old customer".into(),
    };
    let made = interest::add_waiver(db, &new, id("made"), day("2026-06-30"), &author());
    made.map(|(_, change)| change).map_err(refused)
}

fn refused(fault: Fault) -> (Refusal, String) {
    match fault {
        Fault::Refused(refused) => (refused.code, refused.field.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

fn more_than_open(field: &str) -> (Refusal, String) {
    (Refusal::MoreThanOpen, field.into())
}

/// Sweeps a day to its end, in slices of two customers.
fn sweep(db: &NativeDb, on: Date) -> u64 {
    let mut tick = Tick::begin(db, Some(on), id("test"), now()).unwrap().in_slices_of(2);
    loop {
        match tick.step(db, now()).unwrap() {
            Step::More => {}
            Step::Deliver => tick.delivered(db, Handed::default(), true, now()).unwrap(),
            Step::Done => return tick.end(db).unwrap().counts.accrued,
        }
    }
}

fn lines(db: &NativeDb) -> Vec<(i64, i64, i64, Date)> {
    accrual::of_range(db, ALL).unwrap()
}

/// An interest note or credit note about a document, by the way of any document.
fn about(name: &str, kind: &str, of: &str, on: &str, minor: i64) -> NewInvoice {
    NewInvoice {
        kind: kind.parse().ok(),
        issued_on: day(on),
        relates_to: Some(id(of)),
        ..bill(name, "C1", on, minor)
    }
}

fn correction() -> InvoiceCorrection {
    InvoiceCorrection {
        issued_on: None,
        due_on: None,
        minor: None,
        relates_to: None,
        penalty: None,
        contract_id: None,
        voided: None,
        reason: "wrong".into(),
    }
}

fn correct(db: &NativeDb, name: &str, minor: i64) {
    let new = InvoiceCorrection { minor: Some(minor), ..correction() };
    assert_eq!(invoice::correct(db, &id(name), &new, &author()), Ok(Change::Replaced));
}

fn in_halves(first: &str, second: &str) -> NewInvoice {
    let parts = [first, second].map(|on| Instalment { due_on: day(on), minor: 500_000 });
    NewInvoice {
        due_on: None,
        instalments: Some(parts.to_vec()),
        ..bill("I1", "C1", second, 1_000_000)
    }
}

fn last_entry(db: &NativeDb) -> i64 {
    db.int("SELECT max(key) FROM audit", &[]).unwrap()
}

/// Puts an invoice under a contract with this clause.
fn under_contract(db: &NativeDb, name: &str, late_interest: serde_json::Value) {
    let (contract, document) =
        (format!("K-{name}"), json!({ "late_interest": late_interest }).to_string());
    db.execute(
        "INSERT INTO contract (id, customer_key)
         SELECT ?1, customer_key FROM invoice WHERE id = ?2",
        &[(&contract).into(), name.into()],
    )
    .unwrap();
    db.execute(
        "INSERT INTO contract_version
             (contract_key, version, effective_on, secured, document, recorded_at)
         SELECT key, 1, '2020-01-01', 0, ?2, '2020-01-01T00:00:00Z' FROM contract WHERE id = ?1",
        &[(&contract).into(), (&document).into()],
    )
    .unwrap();
    db.execute(
        "UPDATE invoice SET version_key = (SELECT max(key) FROM contract_version)
         WHERE id = ?1 OR parent_key = (SELECT key FROM invoice WHERE id = ?1)",
        &[name.into()],
    )
    .unwrap();
}

fn rate(from: &str, rate: &str) -> RateRow {
    RateRow {
        valid_from: day(from),
        rate: rate.parse().unwrap(),
        source: "own".into(),
        confirmed: false,
    }
}
