//! What others say of customers: readings by the day on which they were known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{id, read};
use dunlin_app::{audit::Author, customer, external, ledger::Change, verify};
use dunlin_domain::{
    Date, Refusal,
    contract::external::{ExternalScore, PublicRecord},
};
use dunlin_store::{Db, Fault, external::last, native::NativeDb};
use serde_json::json;
use std::path::Path;

fn author() -> Author {
    Author { who: "clerk".into(), at: "2024-12-31T12:00:00Z".parse().unwrap(), salt: "salt".into() }
}

/// A database with the customers `C` and `D`.
fn open() -> NativeDb {
    let db = NativeDb::open(Path::new(":memory:")).unwrap();
    for name in ["C", "D"] {
        customer::put(&db, &id(name), &read(json!({"id": name, "name": name})), &author()).unwrap();
    }
    db
}

fn score(customer: &str, known_on: Option<&str>, score: &str) -> ExternalScore {
    read(
        json!({"customer_id": customer, "source": "agency", "date": "2024-03-31", "known_on": known_on,
        "score": score, "scale_from": "0", "scale_to": "10"}),
    )
}

/// What became of it: the outcome and the day on which it was known, or the refusal and its field.
fn told(db: &NativeDb, new: &ExternalScore) -> String {
    match external::put(db, new, &author()) {
        Ok((stored, change)) => format!("{change:?} {}", stored.known_on.unwrap()),
        Err(Fault::Refused(refused)) => {
            format!("{} {}", refused.code, refused.field.unwrap_or_default())
        }
        Err(fault) => panic!("{fault:?}"),
    }
}

fn rows(db: &NativeDb) -> (i64, i64) {
    let count = |table| db.int(&format!("SELECT count(*) FROM {table}"), &[]).unwrap();
    (count("external_fact"), count("audit"))
}

#[test]
fn a_reading_is_recorded_once_and_corrected_from_a_later_day() {
    let db = open();
    let before = rows(&db);
    for (known_on, given, outcome) in [
        (Some("2024-04-02"), "5", "Made 2024-04-02"),
        (Some("2024-04-02"), "5", "AlreadySo 2024-04-02"),
        (None, "5", "AlreadySo 2024-04-02"),
        (Some("2024-04-02"), "6", "different-content normalised"),
        (Some("2024-05-02"), "6", "Replaced 2024-05-02"),
        (Some("2024-04-02"), "5", "AlreadySo 2024-04-02"),
        (None, "7", "Replaced 2024-12-31"),
        (None, "8", "different-content normalised"),
        (Some("2024-03-30"), "5", "malformed-field known_on"),
        (Some("2025-01-01"), "5", "date-in-future known_on"),
    ] {
        assert_eq!(told(&db, &score("C", known_on, given)), outcome, "{known_on:?} {given}");
    }
    assert_eq!(rows(&db), (before.0 + 3, before.1 + 3), "a row and an entry for each change");
    for (day, known) in [
        ("2024-04-01", None),
        ("2024-04-02", Some("5")),
        ("2024-05-01", Some("5")),
        ("2024-05-02", Some("6")),
        ("2024-12-31", Some("7")),
    ] {
        let day: Date = day.parse().unwrap();
        let found: Result<ExternalScore, Fault> =
            external::get(&db, &id("C"), "2024-03-31/agency", day);
        assert_eq!(found.ok().map(|of| of.score.to_string()).as_deref(), known, "{day}");
    }
    assert_eq!(told(&db, &score("X", None, "5")), "unknown-customer customer_id");
    verify::books(&db).unwrap();
}

#[test]
fn a_slice_of_a_file_takes_what_is_good_and_names_the_rest() {
    let db = open();
    let rows: Vec<(u64, ExternalScore)> = vec![
        (1, score("C", Some("2024-04-02"), "5")),
        (2, score("D", Some("2024-04-02"), "11")),
        (3, score("C", Some("2024-04-02"), "5")),
        (4, score("C", Some("2024-04-02"), "6")),
        (5, score("X", Some("2024-04-02"), "5")),
        (6, score("D", Some("2024-04-02"), "9")),
    ];
    for (accepted, unchanged) in [(2, 1), (0, 3)] {
        let taken = external::take_in(&db, &id("F"), &rows, &author()).unwrap();
        assert_eq!((taken.accepted, taken.unchanged), (accepted, unchanged));
        let errors: Vec<(u64, Refusal)> = taken.errors.iter().map(|of| (of.row, of.code)).collect();
        let expected = [
            (2, Refusal::MalformedField),
            (4, Refusal::DifferentContent),
            (5, Refusal::UnknownCustomer),
        ];
        assert_eq!(errors, expected);
    }
}

#[test]
fn readings_go_with_a_merge_and_the_one_that_stays_is_right() {
    let db = open();
    for (customer, given) in [("C", "5"), ("D", "6")] {
        assert_eq!(told(&db, &score(customer, Some("2024-04-02"), given)), "Made 2024-04-02");
    }
    let entry: PublicRecord = read(json!({"id": "L1", "customer_id": "D", "kind": "lawsuit",
        "date": "2024-05-01", "source": "court"}));
    external::put(&db, &entry, &author()).unwrap();
    customer::merge(&db, &id("D"), &id("C"), &author()).unwrap();
    let day: Date = "2024-12-31".parse().unwrap();
    let scores: Vec<(_, ExternalScore)> = external::list(&db, &id("C"), day, &last(), 9).unwrap();
    assert_eq!(scores.iter().map(|(_, of)| of.score.to_string()).collect::<Vec<_>>(), ["5"]);
    let entries: Vec<(_, PublicRecord)> = external::list(&db, &id("C"), day, &last(), 9).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(told(&db, &score("D", None, "5")), "customer-merged customer_id");
    assert_eq!(
        external::put(&db, &PublicRecord { customer_id: Some(id("C")), ..entry }, &author())
            .unwrap()
            .1,
        Change::AlreadySo
    );
}
