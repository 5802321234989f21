//! Late interest over a real SQLite file: what a document bears, notes and waivers, rates, and what the sweep keeps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

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

#[test]
fn a_document_says_what_it_bears_and_why() {
    let (_folder, db) = world(json!({"rate": "0.12"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 10_000_000));
    pay(&db, "P1", "C1", "2024-04-30", 4_000_000, None);
    assert_eq!(sums(&db, "I1", "2024-03-31"), [0, 0, 0, 0, 0]);
    assert_eq!(sums(&db, "I1", "2024-05-31"), [159_781, 0, 0, 0, 159_781]);
    let whole = of(&db, "I1", "2024-05-31");
    assert_eq!(whole.clause, "policy");
    assert_eq!(whole.explained.iter().map(|one| one.minor).collect::<Vec<_>>(), [98_630, 61_151]);
    let found = invoice::get(&db, &id("I1"), day("2024-05-31"), KNOWN).unwrap();
    assert_eq!(found.interest, Some(whole));
    // A document that is no invoice bears none.
    let fee = NewInvoice { kind: "fee".parse().ok(), ..bill("F1", "C1", "2024-03-31", 500) };
    add(&db, &fee);
    assert_eq!(interest::of_invoice(&db, &id("F1"), day("2024-05-31"), KNOWN).unwrap(), None);
}

#[test]
fn no_day_is_charged_twice() {
    let (_folder, db) = world(json!({"rate": "0.10"}));
    add(&db, &bill("I1", "C1", "2024-01-01", 10_000_000));
    assert_eq!(claim(&db, "N1", "2024-01-01"), Err(more_than_open("invoice_id")));
    assert_eq!(claim(&db, "N1", "2024-01-06"), Ok(Change::Made));
    assert_eq!(claim(&db, "N1", "2024-01-06"), Ok(Change::AlreadySo));
    let different = (Refusal::DifferentContent, "through".to_string());
    assert_eq!(claim(&db, "N1", "2024-01-07"), Err(different));
    assert_eq!(claim(&db, "N2", "2024-01-06"), Err(more_than_open("invoice_id")));
    // Days before the note's are charged already.
    assert_eq!(claim(&db, "N2", "2024-01-05"), Err(more_than_open("invoice_id")));
    assert_eq!(claim(&db, "N2", "2024-02-05"), Ok(Change::Made));
    let amount = |name: &str| {
        let note = invoice::get(&db, &id(name), day("2024-12-31"), KNOWN).unwrap();
        assert_eq!(note.relates_to, Some(id("I1")));
        note.amount.minor
    };
    assert_eq!((amount("N1"), amount("N2")), (13_699, 82_191));
    assert_eq!(sums(&db, "I1", "2024-02-05"), [95_890, 0, 95_890, 0, 0]);
    assert_eq!(sums(&db, "I1", "2024-01-06"), [13_699, 0, 13_699, 0, 0]);
    // A backdated payment: less was due than was noted, and the next note waits until it is due.
    pay(&db, "P1", "C1", "2024-01-21", 10_000_000, Some("I1"));
    assert_eq!(sums(&db, "I1", "2024-02-05"), [54_795, 0, 95_890, 0, -41_095]);
    assert_eq!(claim(&db, "N3", "2024-03-31"), Err(more_than_open("invoice_id")));
    let taken = (Refusal::DifferentContent, "kind".to_string());
    assert_eq!(claim(&db, "I1", "2024-03-31"), Err(taken));
    let future = (Refusal::DateInFuture, "through".to_string());
    assert_eq!(claim(&db, "N4", "2026-07-01"), Err(future));
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

#[test]
fn a_note_claims_what_it_reads_however_it_came() {
    let (_folder, db) = world(json!({"rate": "0.10"}));
    let last = || dunlin_store::audit::head(&db).unwrap().unwrap().0;
    let noted = |on: &str, known: i64| {
        interest::of_invoice(&db, &id("I1"), day(on), known).unwrap().unwrap().noted_minor
    };
    add(&db, &bill("I1", "C1", "2024-01-01", 36_500_000));
    add(&db, &about("X1", "interest-note", "I1", "2024-01-06", 50_000));
    assert_eq!(sums(&db, "I1", "2024-01-06"), [50_000, 0, 50_000, 0, 0]);
    assert_eq!(sums(&db, "I1", "2024-01-05")[2], 0, "not before its day");
    assert_eq!(claim(&db, "N1", "2024-01-06"), Err(more_than_open("invoice_id")));
    // A note that was corrected claims less; one that is void claims nothing.
    let before = last();
    correct(&db, "X1", 30_000);
    assert_eq!(sums(&db, "I1", "2024-01-06"), [50_000, 0, 30_000, 0, 20_000]);
    correct(&db, "X1", 0);
    assert_eq!(sums(&db, "I1", "2024-01-06"), [50_000, 0, 0, 0, 50_000]);
    assert_eq!(noted("2024-01-06", before), 50_000, "as it was known before");
    assert_eq!(claim(&db, "N1", "2024-01-06"), Ok(Change::Made));
    correct(&db, "N1", 0);
    assert_eq!(claim(&db, "N2", "2024-01-06"), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-01-06"), [50_000, 0, 50_000, 0, 0]);
    // A credit note about a note frees its interest from its own day on, and never more than the note claimed.
    let before = last();
    add(&db, &about("G1", "credit-note", "N2", "2024-01-08", 20_000));
    assert_eq!(noted("2024-01-08", KNOWN), 30_000);
    assert_eq!(noted("2024-01-07", KNOWN), 50_000);
    assert_eq!(noted("2024-01-08", before), 50_000, "as it was known before");
    add(&db, &about("G2", "credit-note", "N2", "2024-01-08", 40_000));
    assert_eq!(noted("2024-01-08", KNOWN), 0);
    assert_eq!(claim(&db, "N3", "2024-01-06"), Ok(Change::Made));
    // A fee about the invoice and a credit note about the invoice itself claim and free nothing.
    add(&db, &about("F1", "fee", "I1", "2024-01-06", 700));
    add(&db, &about("G3", "credit-note", "I1", "2024-01-31", 700));
    assert_eq!(noted("2024-01-31", KNOWN), 50_000);
}

#[test]
fn a_credit_note_about_the_note_gives_back_what_was_claimed_too_much() {
    let (_folder, db) = world(json!({"rate": "0.10"}));
    add(&db, &bill("I1", "C1", "2024-01-01", 10_000_000));
    assert_eq!(claim(&db, "N1", "2024-01-06"), Ok(Change::Made));
    assert_eq!(claim(&db, "N2", "2024-02-05"), Ok(Change::Made));
    pay(&db, "P1", "C1", "2024-01-21", 10_000_000, Some("I1"));
    assert_eq!(sums(&db, "I1", "2024-02-05"), [54_795, 0, 95_890, 0, -41_095]);
    add(&db, &about("G1", "credit-note", "N2", "2024-02-05", 41_095));
    assert_eq!(sums(&db, "I1", "2024-02-05"), [54_795, 0, 54_795, 0, 0]);
    let open = |name: &str| invoice::get(&db, &id(name), day("2024-02-05"), KNOWN).unwrap().open;
    assert_eq!([open("I1"), open("N1"), open("N2")], [eur(0), eur(13_699), eur(82_191 - 41_095)]);
    assert_eq!(claim(&db, "N3", "2024-03-31"), Err(more_than_open("invoice_id")));
}

#[test]
fn a_note_about_an_instalment_counts_with_the_whole() {
    let (_folder, db) = world(json!({"rate": "0.10"}));
    add(&db, &in_halves("2024-03-31", "2024-04-30"));
    add(&db, &about("X1", "interest-note", "I1#1", "2024-04-30", 1_000));
    // 30 days of 500,000 at ten percent.
    assert_eq!(sums(&db, "I1", "2024-04-30"), [4_110, 0, 1_000, 0, 3_110]);
}

#[test]
fn what_is_given_up_can_be_taken_back() {
    let (_folder, db) = world(json!({"rate": "0.12"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 10_000_000));
    assert_eq!(sums(&db, "I1", "2024-05-31")[0], 200_548);
    assert_eq!(waive(&db, "W0", Some(200_549)), Err(more_than_open("minor")));
    assert_eq!(waive(&db, "W0", Some(0)), Err((Refusal::AmountNotPositive, "minor".into())));
    assert_eq!(waive(&db, "W0", Some(-1)), Err(more_than_open("minor")));
    assert_eq!(waive(&db, "W1", Some(548)), Ok(Change::Made));
    assert_eq!(waive(&db, "W1", Some(548)), Ok(Change::AlreadySo));
    let different = (Refusal::DifferentContent, "minor".to_string());
    assert_eq!(waive(&db, "W1", Some(549)), Err(different));
    assert_eq!(sums(&db, "I1", "2024-05-31"), [200_548, 0, 0, 548, 200_000]);
    assert_eq!(sums(&db, "I1", "2024-05-30")[3], 0);
    assert_eq!(waive(&db, "W2", None), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-05-31"), [200_548, 0, 0, 200_548, 0]);
    assert_eq!(waive(&db, "W3", None), Err(more_than_open("minor")));
    assert_eq!(waive(&db, "W3", Some(-200_549)), Err(more_than_open("minor")));
    assert_eq!(waive(&db, "W3", Some(-200_548)), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-05-31"), [200_548, 0, 0, 0, 200_548]);
    // What was given up and then was never due is taken back the same way.
    assert_eq!(waive(&db, "W4", None), Ok(Change::Made));
    pay(&db, "P1", "C1", "2024-03-31", 10_000_000, None);
    assert_eq!(sums(&db, "I1", "2024-05-31"), [0, 0, 0, 200_548, -200_548]);
    assert_eq!(waive(&db, "W5", Some(-200_548)), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-05-31"), [0, 0, 0, 0, 0]);
    let empty =
        NewWaiver { id: None, invoice_id: id("I1"), on: None, minor: None, reason: " ".into() };
    let made = interest::add_waiver(&db, &empty, id("made"), day("2026-06-30"), &author());
    assert_eq!(made.map_err(refused), Err((Refusal::MissingField, "reason".into())));
}

/// An invoice of two equal instalments, due on these days.
/// Gives up, or takes back, so much on a day.
fn give_up(db: &NativeDb, name: &str, on: &str, minor: i64) -> Result<Change, (Refusal, String)> {
    let (invoice_id, reason) = (id("I1"), "an old customer".into());
    let new =
        NewWaiver { id: Some(id(name)), invoice_id, on: Some(day(on)), minor: Some(minor), reason };
    let made = interest::add_waiver(db, &new, id("made"), day("2026-06-30"), &author());
    made.map(|(_, change)| change).map_err(refused)
}

#[test]
fn nothing_is_taken_back_before_it_was_given_up() {
    let (_folder, db) = world(json!({"rate": "0.12", "day_count": "act-365f"}));
    add(&db, &bill("I1", "C1", "2024-01-01", 1_000_000));
    give_up(&db, "W1", "2024-06-01", 1_000).unwrap();
    assert_eq!(give_up(&db, "W2", "2024-02-01", -1_000), Err(more_than_open("minor")));
    give_up(&db, "W2", "2024-06-01", -400).unwrap();
    assert_eq!(give_up(&db, "W3", "2024-07-01", -601), Err(more_than_open("minor")));
    give_up(&db, "W3", "2024-07-01", -600).unwrap();
    // What is taken back later is not there to be taken back in between.
    assert_eq!(give_up(&db, "W4", "2024-06-15", -1), Err(more_than_open("minor")));
    // Nor is anything given up twice that is taken back later.
    let most = of(&db, "I1", "2024-06-15").outstanding_minor;
    assert_eq!(give_up(&db, "W5", "2024-06-15", most + 1), Err(more_than_open("minor")));
    give_up(&db, "W5", "2024-06-15", most).unwrap();
    for on in ["2024-02-15", "2024-06-01", "2024-06-15", "2024-07-01", "2024-08-01"] {
        let of = of(&db, "I1", on);
        assert!((0..=of.accrued.minor).contains(&of.outstanding_minor), "{on}");
    }
}

#[test]
fn what_no_number_holds_is_said_and_stops_nobody() {
    let (_folder, db) = world(json!({"rate": "9", "day_count": "act-365f"}));
    let most = dunlin_domain::money::MAX_MINOR;
    add(&db, &bill("I1", "C1", "2024-01-01", most));
    assert_eq!(claim(&db, "N1", "2026-06-30"), Err((Refusal::AmountTooLarge, "through".into())));
    let wrong = Err((Refusal::AmountTooLarge, "minor".to_string()));
    assert_eq!(give_up(&db, "W1", "2026-06-30", most + 1), wrong);
    let far = invoice::get(&db, &id("I1"), day("2199-12-31"), KNOWN).unwrap();
    assert_eq!((far.open.minor, far.interest.is_some()), (most, false));
    assert!(far.interest_missing.is_some_and(|why| !why.is_empty()));
    // A hundred of the largest, and no more.
    for number in 2..=100 {
        add(&db, &bill(&format!("I{number}"), "C1", "2024-01-01", most));
    }
    let one_more = bill("I101", "C1", "2024-01-01", 1);
    let made = invoice::add(&db, &one_more, id("made"), &author());
    let too_large = Err((Refusal::AmountTooLarge, "amount".to_string()));
    assert_eq!(made.map(drop).map_err(refused), too_large);
    // Of twelve such customers all are swept and told of.
    for number in 4..16 {
        let name = format!("C{number}");
        let sql = "INSERT INTO customer (id, name) VALUES (?1, ?1)";
        db.execute(sql, &[(&name).into()]).unwrap();
        let sql = "INSERT INTO invoice
                 (id, customer_key, kind, issued_on, due_on, amount_minor, open_minor, currency, disputed)
             SELECT c.id || i.id, c.key, i.kind, i.issued_on, i.due_on, i.amount_minor, i.open_minor, i.currency, 0
             FROM customer AS c CROSS JOIN invoice AS i WHERE c.id = ?1 AND i.customer_key = 1";
        db.execute(sql, &[(&name).into()]).unwrap();
    }
    sweep(&db, day("2026-06-30"));
    let owed = dunlin_store::arrears::book(&db).unwrap();
    assert_eq!(owed, [("EUR".parse().unwrap(), i64::MAX, 13)]);
    let known = dunlin_app::ledger::customer(&db, &id("C1"), day("2026-06-30")).unwrap();
    assert_eq!(known.balances[0].outstanding_minor, 100 * most);
    let (basis, on) = (AgeingBasis::Due, day("2026-06-30"));
    assert!(dunlin_store::ageing::by_day(&db, on, basis).is_ok());
}

#[test]
fn exchange_rates_are_above_zero_and_in_lower_case() {
    let (_folder, db) = world(json!({"rate": "0.12", "day_count": "act-365f"}));
    let put = |name: &str, of: &str| {
        let done = interest::put_rates(&db, &id(name), &[rate("2024-01-01", of)], &author());
        done.map(drop).map_err(refused)
    };
    let wrong = |field: &str| Err((Refusal::MalformedField, field.to_string()));
    assert_eq!(put("fx-usd-eur", "0"), wrong("rate"));
    assert_eq!(put("fx-usd-eur", "-0.5"), wrong("rate"));
    assert_eq!(put("fx-GBP-EUR", "1.2"), wrong("name"));
    assert_eq!(put("base", "-0.005"), Ok(()));
    // A yen is worth less than half a hundredth of a euro here.
    assert_eq!(put("fx-usd-eur", "0.001"), Ok(()));
    let mut dollars = bill("U1", "C1", "2024-01-31", 100);
    dollars.amount.currency = "USD".parse().unwrap();
    add(&db, &dollars);
    let money = |name: &str, minor: i64| {
        let new = json!({"id": name, "customer_id": "C1", "received_on": "2024-02-01",
            "amount": {"minor": 100, "currency": "EUR"},
            "designation": [{"invoice_id": "U1", "minor": minor}]});
        let new: NewPayment = serde_json::from_value(new).unwrap();
        payment::add(&db, &new, id("made"), &author()).map(drop).map_err(refused)
    };
    let nothing = Err((Refusal::AmountNotPositive, "designation".to_string()));
    assert_eq!(money("P1", 100), nothing, "a dollar costs a tenth of a cent");
    assert_eq!(put("fx-usd-eur", "0.9"), Ok(()));
    assert_eq!(money("P1", 100), Ok(()));
}

#[test]
fn money_of_a_day_that_has_not_come_is_refused() {
    let (_folder, db) = world(json!({"rate": "0.12", "day_count": "act-365f"}));
    let read = |value: serde_json::Value| serde_json::from_value(value).unwrap();
    let money = |on: &str| {
        let new: NewPayment = read(json!({"id": "P1", "customer_id": "C1", "received_on": on,
            "amount": {"minor": 100, "currency": "EUR"}}));
        payment::add(&db, &new, id("made"), &author()).map(drop).map_err(refused)
    };
    let later = |field: &str| Err((Refusal::DateInFuture, field.to_string()));
    assert_eq!(money("2026-07-01"), later("received_on"));
    assert_eq!(money("2026-06-30"), Ok(()));
    let change = json!({"received_on": "2026-07-01", "reason": "typed wrongly"});
    let change = serde_json::from_value(change).unwrap();
    let done = payment::correct(&db, &id("P1"), &change, &author());
    assert_eq!(done.map(drop).map_err(refused), later("received_on"));
    let back = serde_json::from_value(json!({"kind": "refund", "on": "2026-07-01"})).unwrap();
    let done = payment::reverse(&db, &id("P1"), &back, id("R1"), &author());
    assert_eq!(done.map(drop).map_err(refused), later("on"));
}

fn in_halves(first: &str, second: &str) -> NewInvoice {
    let parts = [first, second].map(|on| Instalment { due_on: day(on), minor: 500_000 });
    NewInvoice {
        due_on: None,
        instalments: Some(parts.to_vec()),
        ..bill("I1", "C1", second, 1_000_000)
    }
}

#[test]
fn a_fixed_sum_is_charged_once_for_all_instalments() {
    let (_folder, db) = world(json!({"preset": "de-bgb-288"}));
    let new = in_halves("2024-03-31", "2024-04-30");
    add(&db, &new);
    // 12.62 percent: 30 days of the first half; then 61 days of it and 31 of the second.
    assert_eq!(sums(&db, "I1", "2024-04-30"), [5_186, 4_000, 0, 0, 9_186]);
    assert_eq!(sums(&db, "I1", "2024-05-31"), [10_545 + 5_359, 4_000, 0, 0, 19_904]);
    // An instalment says what it bears itself; what is claimed and given up stands with the whole.
    assert_eq!(claim(&db, "N1", "2024-05-31"), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-05-31"), [10_545 + 5_359, 4_000, 19_904, 0, 0]);
    assert_eq!(sums(&db, "I1#1", "2024-05-31"), [10_545, 0, 0, 0, 10_545]);
    assert_eq!(sums(&db, "I1#2", "2024-05-31"), [5_359, 0, 0, 0, 5_359]);
    let part = NewInterestNote { id: None, invoice_id: id("I1#1"), through: None, due_on: None };
    let made = interest::add_note(&db, &part, id("made"), day("2026-06-30"), &author());
    assert_eq!(made.map_err(refused), Err((Refusal::UnknownInvoice, "invoice_id".into())));
    // The first in time, the second late.
    let (_folder, db) = world(json!({"preset": "de-bgb-288"}));
    add(&db, &new);
    pay(&db, "P1", "C1", "2024-03-31", 500_000, None);
    assert_eq!(sums(&db, "I1", "2024-05-31"), [5_359, 4_000, 0, 0, 9_359]);
}

#[test]
fn a_preset_that_did_not_hold_yet_governs_nothing() {
    let (_folder, db) = world(json!({"preset": "prc-sale-2019"}));
    let old = NewInvoice { issued_on: day("2019-01-01"), ..bill("I1", "C1", "2019-08-01", 100) };
    add(&db, &old);
    assert_eq!(interest::of_invoice(&db, &id("I1"), day("2024-01-01"), KNOWN).unwrap(), None);
    assert_eq!(sweep(&db, day("2024-01-01")), 1);
}

#[test]
fn an_instalment_due_before_a_preset_held_bears_nothing() {
    let (_folder, db) = world(json!({"preset": "prc-sale-2019", "rate": "0.10"}));
    let new = in_halves("2019-08-01", "2019-09-01");
    add(&db, &NewInvoice { issued_on: day("2019-01-01"), ..new });
    // The second alone: 30 days of 500,000 at ten percent.
    assert_eq!(sums(&db, "I1", "2019-10-01"), [4_110, 0, 0, 0, 4_110]);
    let read = invoice::get(&db, &id("I1"), day("2019-10-01"), KNOWN).unwrap();
    assert_eq!(read.interest.unwrap().accrued, eur(4_110));
}

#[test]
fn a_contracts_clause_goes_before_the_policys() {
    let (_folder, db) = world(json!({"rate": "0.12"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 36_500_000));
    under_contract(&db, "I1", json!({"rate": "0.10", "grace_days": 5}));
    let found = of(&db, "I1", "2024-04-06");
    assert_eq!((found.accrued.minor, found.clause.as_str()), (10_000, "K-I1 version 1"));
    // A clause in the way of a replay and of a page does not stand in it.
    pay(&db, "P1", "C1", "2024-04-06", 500, None);
    let read = invoice::get(&db, &id("I1"), day("2024-04-06"), KNOWN).unwrap();
    assert_eq!((read.open.minor, read.interest), (36_499_500, Some(found)));
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
        "UPDATE invoice SET version_key = (SELECT max(key) FROM contract_version) WHERE id = ?1",
        &[name.into()],
    )
    .unwrap();
}

/// Two exceptions to "the order of arrival does not matter", each with the way out.
#[test]
fn an_invoice_keeps_the_version_of_when_it_came_until_it_is_corrected() {
    let rate = |rate: &str| json!({ "rate": rate, "day_count": "act-365f" });
    let agree = |db: &NativeDb, clause: serde_json::Value| {
        let new = json!({"customer_id": "C1", "effective_on": "2023-01-01",
            "late_interest": clause});
        let new = serde_json::from_value(new).unwrap();
        dunlin_app::contract::put(db, &id("K1"), &new, &author()).unwrap();
    };
    let under = |db: &NativeDb| {
        let new =
            NewInvoice { contract_id: Some(id("K1")), ..bill("I1", "C1", "2024-01-31", 365_000) };
        add(db, &new);
    };
    let accrued = |db: &NativeDb| of(db, "I1", "2024-02-10").accrued.minor;
    // The other way round it would be the same as at the end.
    let (_other_folder, other) = world(rate("0.5"));
    agree(&other, rate("0.1"));
    agree(&other, rate("0.2"));
    under(&other);
    let (_folder, db) = world(rate("0.5"));
    agree(&db, rate("0.1"));
    under(&db);
    agree(&db, rate("0.2"));
    assert_eq!((accrued(&db), accrued(&other)), (1_000, 2_000));
    let before = last_entry(&db);
    let wrong = InvoiceCorrection { contract_id: Some(id("K9")), ..correction() };
    let refusal = invoice::correct(&db, &id("I1"), &wrong, &author()).map_err(refused);
    assert_eq!(refusal, Err((Refusal::UnknownContract, "contract_id".into())));
    let anew = InvoiceCorrection { contract_id: Some(id("K1")), ..correction() };
    for wanted in [Change::Replaced, Change::AlreadySo] {
        assert_eq!(invoice::correct(&db, &id("I1"), &anew, &author()), Ok(wanted));
    }
    assert_eq!(accrued(&db), accrued(&other));
    let then = interest::of_invoice(&db, &id("I1"), day("2024-02-10"), before).unwrap().unwrap();
    assert_eq!(then.accrued.minor, 1_000, "what was known then stays");
    let books = dunlin_app::verify::books(&db).unwrap();
    assert!(books.ok, "{books:?}");
}

#[test]
fn a_payment_keeps_the_price_of_when_it_came_until_it_is_recorded_again() {
    let (_folder, db) = world(json!({"rate": "0.12", "day_count": "act-365f"}));
    let put = |rows: &[RateRow]| {
        interest::put_rates(&db, &id("fx-usd-eur"), rows, &author()).unwrap();
    };
    let mut dollars = bill("U1", "C1", "2024-01-31", 1_000);
    dollars.amount.currency = "USD".parse().unwrap();
    add(&db, &dollars);
    put(&[rate("2024-01-01", "0.5")]);
    let money = |name: &str| {
        let new = json!({"id": name, "customer_id": "C1", "received_on": "2024-02-10",
            "amount": {"minor": 1_000, "currency": "EUR"},
            "designation": [{"invoice_id": "U1", "minor": 1_000}]});
        let new: NewPayment = serde_json::from_value(new).unwrap();
        payment::add(&db, &new, id("made"), &author()).unwrap();
        payment::get(&db, &id(name), day("2024-02-10"), KNOWN).unwrap().converted_minor
    };
    assert_eq!(money("P1"), 500);
    put(&[rate("2024-02-01", "0.8")]);
    assert_eq!(money("P1"), 500, "it was recorded before the rate was");
    let mistake = serde_json::from_value(json!({"kind": "mistake"})).unwrap();
    payment::reverse(&db, &id("P1"), &mistake, id("R1"), &author()).unwrap();
    assert_eq!(money("P2"), 800);
}

fn rate(from: &str, rate: &str) -> RateRow {
    RateRow {
        valid_from: day(from),
        rate: rate.parse().unwrap(),
        source: "own".into(),
        confirmed: false,
    }
}

#[test]
fn rows_of_rates_are_added_and_the_newest_counts() {
    let reference = json!({"table": "house", "fixing": "floating"});
    let (_folder, db) = world(json!({ "reference": reference }));
    let put = |rows: &[RateRow]| interest::put_rates(&db, &id("house"), rows, &author());
    add(&db, &bill("I1", "C1", "2024-03-31", 36_500_000));
    let missing = interest::of_invoice(&db, &id("I1"), day("2024-04-02"), KNOWN);
    assert_eq!(missing.map_err(refused), Err((Refusal::RateMissing, String::new())));
    // A document whose rate is missing does not stop the sweep.
    assert_eq!(sweep(&db, day("2024-04-02")), 1);
    assert_eq!(put(&[rate("2024-01-01", "0.10")]), Ok(Change::Made));
    assert_eq!(put(&[rate("2024-01-01", "0.10")]), Ok(Change::AlreadySo));
    assert_eq!(of(&db, "I1", "2024-04-02").accrued.minor, 20_000);
    let before = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    assert_eq!(
        put(&[rate("2024-01-01", "0.20"), rate("2024-04-02", "0.05")]),
        Ok(Change::Replaced)
    );
    assert_eq!(of(&db, "I1", "2024-04-02").accrued.minor, 25_000);
    let then = interest::of_invoice(&db, &id("I1"), day("2024-04-02"), before).unwrap().unwrap();
    assert_eq!(then.accrued.minor, 20_000, "as it was known before");
    sweep(&db, day("2024-04-03"));
    assert_eq!(lines(&db)[0].2, 30_000, "new rates are seen by the next sweep");
    let names: Vec<String> =
        interest::rate_names(&db, i64::MAX).unwrap().iter().map(|name| name.to_string()).collect();
    assert!(names.contains(&"house".to_string()) && names.contains(&"lpr-1y".to_string()));
    let reserved = interest::put_rates(&db, &id("contract-rate"), &[], &author());
    assert_eq!(reserved.map_err(refused), Err((Refusal::MalformedField, "name".into())));
    let absent = interest::rate_table(&db, &id("none"), Date::LAST);
    assert_eq!(absent.map_err(refused), Err((Refusal::NotFound, String::new())));
}

#[test]
fn the_sweep_keeps_what_it_is_told_about_only() {
    let (_folder, db) = world(json!(null));
    add(&db, &bill("I1", "C1", "2024-03-31", 36_500_000));
    add(&db, &bill("I2", "C2", "2024-04-02", 36_500_000));
    assert_eq!((sweep(&db, day("2024-04-01")), lines(&db)), (0, vec![]), "no clause");
    set_policy(&db, json!({"rate": "0.10"}));
    assert_eq!(sweep(&db, day("2024-04-02")), 1, "a clause that is new is seen");
    assert_eq!(lines(&db), [(1, 1, 20_000, day("2024-04-02"))]);
    assert_eq!(sweep(&db, day("2024-04-03")), 2, "so is what becomes overdue");
    add(&db, &bill("I3", "C3", "2024-02-01", 36_500_000));
    assert_eq!(sweep(&db, day("2024-04-04")), 3, "and what comes in late");
    assert_eq!(lines(&db)[2], (3, 3, 63 * 10_000, day("2024-04-04")));
    pay(&db, "P1", "C3", "2024-02-02", 36_500_000, None);
    sweep(&db, day("2024-04-05"));
    assert_eq!(lines(&db)[2].2, 10_000, "a backdated payment takes back what was kept");
    sweep(&db, day("2024-06-30"));
    assert_eq!(lines(&db)[0].2, 91 * 10_000, "days that were missed are caught up with");
    set_policy(&db, json!(null));
    assert_eq!((sweep(&db, day("2024-07-01")), lines(&db)), (0, vec![]));
}

/// What can happen to a book between two sweeps.
#[test]
fn fees_about_an_invoice_stand_under_its_cap() {
    // 1,000 a day on each invoice, and a cap of 10,000.
    let (_folder, db) = world(json!({"rate": "0.365", "cap_share": "0.01"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    let halves = serde_json::from_value(json!([
        {"due_on": "2024-03-31", "minor": 500_000}, {"due_on": "2024-04-05", "minor": 500_000}]));
    add(
        &db,
        &NewInvoice { instalments: halves.unwrap(), ..bill("I2", "C1", "2024-04-05", 1_000_000) },
    );
    let known = db.int("SELECT max(key) FROM audit", &[]).unwrap();
    let fee = |name: &str, on: &str, minor: i64, about: &str, kind: InvoiceKind| {
        let new = NewInvoice {
            kind: Some(kind),
            issued_on: day(on),
            relates_to: Some(id(about)),
            penalty: (kind == InvoiceKind::Fee && name == "V1").then_some(true),
            ..bill(name, "C1", on, minor)
        };
        add(&db, &new);
    };
    fee("V1", "2024-04-06", 2_500, "I1", InvoiceKind::Fee);
    fee("N1", "2024-04-09", 1_000, "V1", InvoiceKind::CreditNote);
    fee("V2", "2024-04-06", 900, "I2#1", InvoiceKind::Fee);
    fee("V3", "2024-04-06", 100, "I2", InvoiceKind::Fee);
    let charged = |name: &str, on: &str, known: i64| {
        let of = interest::of_invoice(&db, &id(name), day(on), known).unwrap().unwrap();
        (of.accrued.minor, of.capped_minor)
    };
    for (name, on, known, expected) in [
        ("I1", "2024-04-05", KNOWN, (5_000, 0)),
        ("I1", "2024-04-07", KNOWN, (7_000, 0)),
        ("I1", "2024-04-08", KNOWN, (7_500, 500)),
        ("I1", "2024-04-09", KNOWN, (8_500, 500)),
        ("I1", "2024-04-30", KNOWN, (8_500, 21_500)),
        ("I1", "2024-04-30", known, (10_000, 20_000)),
        // Of two halves with one cap, the first may use it alone.
        ("I2", "2024-04-05", KNOWN, (2_500, 0)),
        ("I2", "2024-04-11", KNOWN, (8_500, 0)),
        ("I2", "2024-04-12", KNOWN, (9_000, 500)),
        ("I2", "2024-04-12", known, (9_500, 0)),
    ] {
        assert_eq!(charged(name, on, known), expected, "{name} on {on}");
    }
    interest::accrue(&db, ALL, day("2024-04-30")).unwrap();
    let sql = "SELECT accrued_minor FROM accrual AS a JOIN invoice AS i ON i.key = a.invoice_key WHERE i.id = 'I1'";
    assert_eq!(db.int(sql, &[]).unwrap(), 8_500);
}

/// Contests so much of a document and has the debtor be right.
fn uphold(db: &NativeDb, name: &str, of: &str, on: &str, resolved: &str, minor: i64) {
    let new = NewDispute {
        id: Some(id(name)),
        invoice_id: of.into(),
        on: Some(day(on)),
        minor: Some(minor),
        reason: DisputeReason::Price,
        detail: None,
        evidence: None,
    };
    dispute::open(db, &new, id("made"), &author()).unwrap();
    let resolution = DisputeResolution {
        on: Some(day(resolved)),
        outcome: DisputeOutcome::Upheld,
        upheld_minor: None,
        detail: None,
    };
    dispute::resolve(db, &id(name), &resolution, &author()).unwrap();
}

fn last_entry(db: &NativeDb) -> i64 {
    db.int("SELECT max(key) FROM audit", &[]).unwrap()
}

/// Accrued, capped; the limit, the fees, what is above.
fn under_cap(db: &NativeDb, name: &str, on: &str, known: i64) -> ([i64; 2], [i64; 3]) {
    let of = interest::of_invoice(db, &id(name), day(on), known).unwrap().unwrap();
    let cap = of.cap.unwrap();
    let cap = [cap.limit_minor, cap.fees_minor, cap.above_minor];
    ([of.accrued.minor, of.capped_minor], cap)
}

#[test]
fn all_that_is_charged_for_an_invoice_stands_under_its_cap() {
    // 1,000 a day, and a cap of 10,000.
    let (_folder, db) = world(json!({"rate": "0.365", "cap_share": "0.01"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    let alone = last_entry(&db);
    add(&db, &about("F1", "fee", "I1", "2024-04-02", 4_000));
    add(&db, &about("N1", "interest-note", "I1", "2024-04-03", 2_000));
    let charged = last_entry(&db);
    // A fee about a fee, a fee about a note, interest on a fee and a fee about that: all charges together.
    add(&db, &about("F2", "fee", "F1", "2024-04-04", 1_000));
    add(&db, &about("F3", "fee", "N1", "2024-04-05", 500));
    add(&db, &about("N2", "interest-note", "F1", "2024-04-06", 200));
    add(&db, &about("F4", "fee", "N2", "2024-04-07", 100));
    let together = last_entry(&db);
    add(&db, &about("G1", "credit-note", "F2", "2024-04-12", 700));
    uphold(&db, "D1", "F1", "2024-04-13", "2024-04-15", 3_000);
    let decided = last_entry(&db);
    // What is paid already is displaced by what was right, and counts as taken off all the same.
    uphold(&db, "D2", "F3", "2024-04-16", "2024-04-18", 500);
    pay(&db, "P1", "C1", "2024-04-17", 500, Some("F3"));
    for (on, known, expected) in [
        ("2024-04-01", KNOWN, ([1_000, 0], [10_000, 0, 0])),
        ("2024-04-02", KNOWN, ([2_000, 0], [10_000, 4_000, 0])),
        ("2024-04-07", KNOWN, ([4_200, 2_800], [10_000, 5_800, 0])),
        ("2024-04-11", KNOWN, ([4_200, 6_800], [10_000, 5_800, 0])),
        ("2024-04-12", KNOWN, ([4_900, 7_100], [10_000, 5_100, 0])),
        ("2024-04-14", KNOWN, ([4_900, 9_100], [10_000, 5_100, 0])),
        ("2024-04-15", KNOWN, ([7_900, 7_100], [10_000, 2_100, 0])),
        ("2024-04-18", KNOWN, ([8_400, 9_600], [10_000, 1_600, 0])),
        ("2024-04-18", decided, ([7_900, 10_100], [10_000, 2_100, 0])),
        ("2024-04-18", together, ([4_200, 13_800], [10_000, 5_800, 0])),
        ("2024-04-18", charged, ([6_000, 12_000], [10_000, 4_000, 0])),
        ("2024-04-18", alone, ([10_000, 8_000], [10_000, 0, 0])),
    ] {
        assert_eq!(under_cap(&db, "I1", on, known), expected, "{on} {known}");
    }
    // The notes about the invoice itself claim of its interest and are no charge beside it.
    assert_eq!(sums(&db, "I1", "2024-04-18")[2], 2_000);
    // Fees alone can be above the cap: nothing is left for interest.
    add(&db, &about("F5", "fee", "I1", "2024-04-19", 9_000));
    let above = ([0, 19_000], [10_000, 10_600, 600]);
    assert_eq!(under_cap(&db, "I1", "2024-04-19", KNOWN), above);
    // Without a cap there is none to tell.
    let (_folder, db) = world(json!({"rate": "0.365"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    assert_eq!(of(&db, "I1", "2024-04-19").cap, None);
}

#[test]
fn a_cap_that_follows_a_rate_says_what_it_comes_to() {
    // 1,000 a day, and a cap of 500 a day.
    let cap = json!({"table": "house", "fixing": "floating"});
    let (_folder, db) = world(json!({"rate": "0.365", "cap_rate": cap}));
    interest::put_rates(&db, &id("house"), &[rate("2020-01-01", "0.1825")], &author()).unwrap();
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    add(&db, &about("F1", "fee", "I1", "2024-03-31", 1_200));
    for (on, expected) in [
        ("2024-03-31", ([0, 0], [0, 1_200, 1_200])),
        ("2024-04-01", ([0, 1_000], [500, 1_200, 700])),
        ("2024-04-10", ([3_800, 6_200], [5_000, 1_200, 0])),
    ] {
        assert_eq!(under_cap(&db, "I1", on, KNOWN), expected, "{on}");
    }
}

#[test]
fn the_line_of_an_instalment_stands_under_the_cap_of_its_document() {
    // 500 a day for each half, a cap of 10,000 for both, and a fixed sum that comes first.
    let clause = json!({"rate": "0.365", "cap_share": "0.01", "fixed_currency": "EUR",
        "fixed_sums": [{"minor": 600}]});
    let (_folder, db) = world(clause);
    add(&db, &in_halves("2024-03-31", "2024-04-05"));
    add(&db, &about("F1", "fee", "I1", "2024-04-06", 300));
    add(&db, &about("F2", "fee", "I1#2", "2024-04-06", 100));
    let line = |part: &str| {
        let sql = "SELECT accrued_minor FROM accrual AS a JOIN invoice AS i ON i.key = a.invoice_key WHERE i.id = ?1";
        db.int(sql, &[part.into()]).unwrap()
    };
    for (on, first, second) in [
        ("2024-04-06", 3_000, 500),
        ("2024-04-11", 5_500, 3_000),
        ("2024-04-12", 6_000, 3_000),
        ("2024-04-20", 9_000, 0),
    ] {
        sweep(&db, day(on));
        let read = [sums(&db, "I1#1", on)[0], sums(&db, "I1#2", on)[0]];
        assert_eq!((read, [line("I1#1"), line("I1#2")]), ([first, second], read), "{on}");
        assert_eq!(sums(&db, "I1", on)[..2], [first + second, 600], "{on}");
    }
    assert_eq!(under_cap(&db, "I1#2", "2024-04-20", KNOWN), ([0, 7_500], [10_000, 400, 0]));
    // What one half is paid off in time is the other's.
    pay(&db, "P1", "C1", "2024-03-31", 500_000, Some("I1#1"));
    sweep(&db, day("2024-04-21"));
    assert_eq!([line("I1#1"), line("I1#2")], [0, 8_000]);
}

#[test]
fn unpaid_interest_bears_until_it_is_paid_or_given_up() {
    // 1,000 a day, and periods that end on the 20th.
    let clause = json!({"rate": "0.365", "compounding": {"months": 1, "day": 20}});
    let (_folder, db) = world(clause);
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    let accrued = |on: &str| of(&db, "I1", on).accrued.minor;
    assert_eq!((accrued("2024-04-20"), accrued("2024-04-21")), (20_000, 21_020));
    assert_eq!(of(&db, "I1", "2024-04-21").explained[1].unpaid_interest_minor, Some(20_000));
    assert_eq!(claim(&db, "N1", "2024-04-20"), Ok(Change::Made));
    assert_eq!(accrued("2024-04-30"), 30_000 + 10 * 20, "claimed is not paid");
    pay(&db, "P1", "C1", "2024-04-25", 5_000, Some("N1"));
    assert_eq!(accrued("2024-04-30"), 30_000 + 5 * 20 + 5 * 15);
    let paid = last_entry(&db);
    let waiver = NewWaiver {
        id: Some(id("W1")),
        invoice_id: id("I1"),
        on: Some(day("2024-04-28")),
        minor: Some(5_000),
        reason: "an old customer".into(),
    };
    interest::add_waiver(&db, &waiver, id("made"), day("2026-06-30"), &author()).unwrap();
    assert_eq!(accrued("2024-04-30"), 30_000 + 5 * 20 + 3 * 15 + 2 * 10);
    let then = interest::of_invoice(&db, &id("I1"), day("2024-04-30"), paid).unwrap().unwrap();
    assert_eq!(then.accrued.minor, 30_000 + 5 * 20 + 5 * 15, "as it was known before");
    sweep(&db, day("2024-04-30"));
    assert_eq!(lines(&db)[0].2, accrued("2024-04-30"));
    // A note that is credited claims nothing, and what was paid for it paid no interest. What the credit has left pays
    // 5,000 of the invoice.
    add(&db, &about("G1", "credit-note", "N1", "2024-04-28", 20_000));
    assert_eq!(accrued("2024-04-30"), 30_000 + 5 * 20 + 3 * 15 + 2 * (15 - 5));
}

#[test]
fn what_is_paid_of_the_interest_of_a_document_is_the_oldest_instalments_first() {
    let clause = json!({"rate": "0.365", "compounding": {"months": 1, "day": 20}});
    let (_folder, db) = world(clause);
    add(&db, &in_halves("2024-03-31", "2024-04-10"));
    add(&db, &about("N1", "interest-note", "I1", "2024-04-20", 15_000));
    pay(&db, "P1", "C1", "2024-04-20", 12_000, Some("N1"));
    for (on, parts) in [
        // 500 a day each: 10,000 and 5,000 by the end of the period, of which 3,000 were not paid.
        ("2024-04-20", [10_000, 5_000]),
        ("2024-04-30", [15_000, 10_000 + 10 * 3]),
    ] {
        let read = ["I1#1", "I1#2"].map(|part| of(&db, part, on).accrued.minor);
        assert_eq!((read, of(&db, "I1", on).accrued.minor), (parts, parts[0] + parts[1]), "{on}");
        sweep(&db, day(on));
        assert_eq!(lines(&db).iter().map(|line| line.2).collect::<Vec<_>>(), parts, "{on}");
    }
}

#[test]
fn what_a_fee_is_about_can_be_put_right() {
    let (_folder, db) = world(json!({"rate": "0.365", "cap_share": "0.01"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    add(&db, &bill("I2", "C1", "2024-03-31", 1_000_000));
    add(&db, &bill("I3", "C2", "2024-03-31", 1_000_000));
    add(&db, &about("F1", "fee", "I1", "2024-04-01", 4_000));
    add(&db, &about("F2", "fee", "F1", "2024-04-01", 1_000));
    let before = last_entry(&db);
    let fees = |known: i64| ["I1", "I2"].map(|name| under_cap(&db, name, "2024-04-30", known).1[1]);
    let read = |known: i64| {
        let fee = invoice::get(&db, &id("F1"), day("2024-04-30"), known).unwrap();
        (fee.relates_to.unwrap().to_string(), fee.penalty)
    };
    let to = |name: &str, about: &str| {
        let new = InvoiceCorrection { relates_to: Some(Some(id(about))), ..correction() };
        invoice::correct(&db, &id(name), &new, &author()).map_err(refused)
    };
    let refusal = |code: Refusal| Err((code, "relates_to".to_string()));
    assert_eq!(fees(KNOWN), [5_000, 0]);
    for (name, about, code) in [
        ("F1", "I3", Refusal::InvoiceOfAnotherCustomer),
        ("F1", "I9", Refusal::UnknownInvoice),
        ("F1", "F1", Refusal::MalformedField),
        ("F1", "F2", Refusal::MalformedField),
        ("I1", "I2", Refusal::MalformedField),
    ] {
        assert_eq!(to(name, about), refusal(code), "{name} about {about}");
    }
    assert_eq!(to("F1", "I1"), Ok(Change::AlreadySo));
    assert_eq!(to("F1", "I2"), Ok(Change::Replaced));
    let moved = last_entry(&db);
    assert_eq!((fees(KNOWN), fees(before)), ([0, 5_000], [5_000, 0]));
    let penalty = |name: &str, penalty: bool| {
        let new = InvoiceCorrection { penalty: Some(penalty), ..correction() };
        invoice::correct(&db, &id(name), &new, &author()).map_err(refused)
    };
    assert_eq!(penalty("I1", true), Err((Refusal::MalformedField, "penalty".into())));
    assert_eq!(
        (penalty("I1", false), penalty("F1", true)),
        (Ok(Change::AlreadySo), Ok(Change::Replaced))
    );
    assert_eq!(to("F1", "I1"), Ok(Change::Replaced));
    assert_eq!((fees(KNOWN), fees(moved), fees(before)), ([5_000, 0], [0, 5_000], [5_000, 0]));
    assert_eq!(read(KNOWN), ("I1".into(), Some(true)));
    assert_eq!(read(moved), ("I2".into(), None));
    assert_eq!(read(before), ("I1".into(), None));
    let verified = dunlin_app::verify::books(&db).unwrap();
    assert!(verified.ok, "{verified:#?}");
}

#[test]
fn a_corrected_relation_replays_who_is_paid() {
    let (_folder, db) = world(json!(null));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000));
    add(&db, &bill("I2", "C1", "2024-02-28", 1_000));
    add(&db, &about("G1", "credit-note", "I1", "2024-01-10", 400));
    let before = last_entry(&db);
    let open = |known: i64| {
        ["I1", "I2"]
            .map(|name| invoice::get(&db, &id(name), day("2024-04-30"), known).unwrap().open.minor)
    };
    assert_eq!(open(KNOWN), [600, 1_000]);
    let new = InvoiceCorrection { relates_to: Some(Some(id("I2"))), ..correction() };
    assert_eq!(invoice::correct(&db, &id("G1"), &new, &author()), Ok(Change::Replaced));
    assert_eq!((open(KNOWN), open(before)), ([1_000, 600], [600, 1_000]));
}

#[test]
fn a_relation_that_is_removed_frees_a_credit_note_and_a_fee() {
    let (_folder, db) = world(json!({"rate": "0.365", "cap_share": "0.01"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    add(&db, &bill("I2", "C1", "2024-02-28", 1_000_000));
    add(&db, &about("F1", "fee", "I1", "2024-04-01", 4_000));
    add(&db, &about("G1", "credit-note", "I1", "2024-01-10", 400));
    let before = last_entry(&db);
    let fees = |known: i64| under_cap(&db, "I1", "2024-04-30", known).1[1];
    let read =
        |name: &str, known: i64| invoice::get(&db, &id(name), day("2024-04-30"), known).unwrap();
    let open = |known: i64| ["I1", "I2"].map(|name| read(name, known).open.minor);
    assert_eq!((open(KNOWN), fees(KNOWN)), ([999_600, 1_000_000], 4_000));
    let none = InvoiceCorrection { relates_to: Some(None), ..correction() };
    for name in ["G1", "F1"] {
        let correct = || invoice::correct(&db, &id(name), &none, &author());
        assert_eq!((correct(), correct()), (Ok(Change::Replaced), Ok(Change::AlreadySo)));
        assert_eq!(read(name, KNOWN).relates_to, None);
        assert_eq!(read(name, before).relates_to, Some(id("I1")));
    }
    // Standing alone, the credit goes to what was due first.
    assert_eq!((open(KNOWN), fees(KNOWN)), ([1_000_000, 999_600], 0));
    assert_eq!((open(before), fees(before)), ([999_600, 1_000_000], 4_000));
    let verified = dunlin_app::verify::books(&db).unwrap();
    assert!(verified.ok, "{verified:#?}");
}

#[test]
fn null_is_told_from_absent() {
    let read = |text: &str| serde_json::from_str::<InvoiceCorrection>(text).unwrap().relates_to;
    assert_eq!(read(r#"{"reason": "wrong"}"#), None);
    assert_eq!(read(r#"{"reason": "wrong", "relates_to": null}"#), Some(None));
    assert_eq!(read(r#"{"reason": "wrong", "relates_to": "I1"}"#), Some(Some(id("I1"))));
    let none = InvoiceCorrection { relates_to: Some(None), ..correction() };
    let text = serde_json::to_string(&none).unwrap();
    assert_eq!(serde_json::from_str::<InvoiceCorrection>(&text).unwrap(), none);
}

#[derive(Clone, Debug)]
enum Event {
    Bill { customer: usize, due: i64, minor: i64, clause: Option<usize> },
    Pay { customer: usize, on: i64, minor: i64 },
    Dispute { which: usize, on: i64, minor: i64, decided: Option<(i64, i64)> },
    Rate { from: i64, basis_points: i64 },
    Sweep { days: i64 },
}

const CLAUSES: [&str; 8] = [
    r#"{"rate": "0.12"}"#,
    r#"{"rate": "0.0777", "day_count": "act-act-isda", "grace_days": 4}"#,
    r#"{"rate": "0.09", "day_count": "30e-360", "grace_days": 3, "grace_charged_later": true}"#,
    r#"{"rate": "0.08", "day_count": "30-360-us"}"#,
    r#"{"rate": "0.36", "cap_share": "0.02", "day_count": "30-360-bond"}"#,
    r#"{"reference": {"table": "house", "multiplier": "1.5", "fixing": "floating"}}"#,
    r#"{"preset": "eu-2011-7"}"#,
    r#"{"rate": "0.24", "compounding": {"months": 1, "day": 20}}"#,
];

fn event() -> impl Strategy<Value = Event> {
    let day = 0i64..200;
    prop_oneof![
        3 => (0usize..3, day.clone(), 1i64..900_000, proptest::option::of(0usize..8))
            .prop_map(|(customer, due, minor, clause)| Event::Bill { customer, due, minor, clause }),
        2 => (0usize..3, day.clone(), 1i64..900_000)
            .prop_map(|(customer, on, minor)| Event::Pay { customer, on, minor }),
        1 => (0usize..8, day.clone(), 1i64..400_000, proptest::option::of((0i64..40, 0i64..2)))
            .prop_map(|(which, on, minor, decided)| Event::Dispute { which, on, minor, decided }),
        1 => (day, 1i64..900)
            .prop_map(|(from, basis_points)| Event::Rate { from, basis_points }),
        4 => (1i64..40).prop_map(|days| Event::Sweep { days }),
    ]
}

fn number(day_number: i64) -> Date {
    day("2024-01-15").plus_days(day_number).unwrap()
}

fn happen(db: &NativeDb, event: &Event, place: usize) {
    match event {
        Event::Bill { customer, due, minor, clause } => {
            let name = format!("I{place}");
            let due = number(*due).to_string();
            add(db, &bill(&name, &format!("C{}", customer + 1), &due, *minor));
            if let Some(clause) = clause {
                under_contract(db, &name, serde_json::from_str(CLAUSES[*clause]).unwrap());
            }
        }
        Event::Pay { customer, on, minor } => {
            let (name, of) = (format!("P{place}"), format!("C{}", customer + 1));
            pay(db, &name, &of, &number(*on).to_string(), *minor, None);
        }
        Event::Dispute { which, on, minor, decided } => {
            // As the flow of disputes leaves it: the row, and the customer to look at.
            let on_day = number(*on);
            let resolved = decided.map(|(days, _)| number(on + days).to_string());
            let upheld = decided.map(|(_, share)| minor * share);
            let name = format!("D{place}");
            db.execute(
                "INSERT INTO dispute
                     (id, customer_key, invoice_key, opened_on, minor, reason, outcome, resolved_on, upheld_minor)
                 SELECT ?1, customer_key, key, ?2, ?3, 'price',
                     CASE WHEN ?4 IS NOT NULL THEN 'rejected' END, ?4, ?5
                 FROM invoice WHERE key = ?6",
                &[
                    (&name).into(),
                    (&on_day.to_string()).into(),
                    (*minor).into(),
                    resolved.as_ref().into(),
                    upheld.into(),
                    (*which as i64).into(),
                ],
            )
            .unwrap();
            accrual::mark(db, &[1, 2, 3]).unwrap();
        }
        Event::Rate { from, basis_points } => {
            let mut row = rate(&number(*from).to_string(), "0");
            row.rate = dunlin_domain::Decimal::new(*basis_points, 4);
            interest::put_rates(db, &id("house"), &[row], &author()).unwrap();
        }
        Event::Sweep { .. } => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens between sweeps, each leaves every open overdue document with the interest that its whole
    /// history gives, and no day's is lost or counted twice.
    #[test]
    fn the_line_of_a_document_is_its_interest(
        policy in proptest::option::of(0usize..8),
        events in proptest::collection::vec(event(), 1..30),
    ) {
        let clause = policy.map(|which| serde_json::from_str(CLAUSES[which]).unwrap());
        let (_folder, db) = world(clause.unwrap_or(json!(null)));
        interest::put_rates(&db, &id("house"), &[rate("2023-12-01", "0.05")], &author()).unwrap();
        let mut today = 0;
        for (place, event) in events.iter().enumerate() {
            happen(&db, event, place);
            let Event::Sweep { days } = event else { continue };
            today += days;
            sweep(&db, number(today));
            let kept: std::collections::BTreeMap<i64, i64> =
                lines(&db).into_iter().map(|(_, invoice, minor, _)| (invoice, minor)).collect();
            let open: Vec<(i64, Id, bool)> = db
                .json(
                    "SELECT json_group_array(json_array(key, id, json(iif(open_minor > 0, 'true', 'false'))))
                     FROM invoice WHERE due_on < ?1",
                    &[(&number(today).to_string()).into()],
                )
                .unwrap();
            for (key, name, is_open) in open {
                let found = interest::of_invoice(&db, &name, number(today), KNOWN).unwrap();
                // What was paid before the first sweep that could see it has no line.
                if let (None, false) = (kept.get(&key), is_open) { continue }
                let expected = found.map(|of| of.accrued.minor);
                prop_assert_eq!(kept.get(&key).copied(), expected, "{} on {}", name, number(today));
            }
        }
    }
}

/// Lines as they may be stored: nothing overflows up to the last day for which they hold.
fn watermark() -> impl Strategy<Value = Watermark> {
    let first = (0i64..2_000).prop_map(|days| day("2020-01-01").plus_days(days).unwrap());
    let numbers = (0usize..6, 0i64..=9_000_000_000_000_000, 0u32..9, 0i64..9_000_000_000_000_000);
    (first, numbers, any::<u64>(), 0i64..7_000).prop_map(|(first, numbers, rest, days)| {
        let (count, step, zeros, base_minor) = numbers;
        let count = DayCount::ALL[count].0;
        let (ruler, mark) = count.bearing_from(first).unwrap();
        let denominator = count.year() * 10i64.pow(zeros);
        let until = first.plus_days(days).unwrap();
        let most = (i64::MAX / 2) / (ruler.through(until) - mark).max(1);
        Watermark {
            ruler,
            mark,
            step: 1 + step.min(most - 1),
            base_minor,
            base_rest: i64::try_from(rest % denominator as u64).unwrap(),
            denominator,
            until,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The statement that moves lines on and the rule it repeats give the same number for any line.
    #[test]
    fn sql_and_rust_move_a_line_alike(
        lines in proptest::collection::vec(watermark(), 1..60),
        days in 2_000i64..9_000,
    ) {
        let (_folder, db) = world(json!(null));
        let on = day("2020-01-01").plus_days(days).unwrap();
        let sql = "INSERT INTO invoice (key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
                   SELECT value, 'I' || value, 1, 'invoice', '2020-01-01', '2020-01-01', 1, 'EUR', 0, 1 FROM json_each(?1)";
        let keys: Vec<i64> = (1..).take(lines.len()).collect();
        db.execute(sql, &[(&json!(keys).to_string()).into()]).unwrap();
        let stored: Vec<Line> = lines.iter().zip(&keys).map(|(watermark, key)| Line {
            customer_key: 1,
            invoice_key: *key,
            watermark: *watermark,
            accrued_minor: -1,
            through: day("1999-12-31"),
        }).collect();
        accrual::put_all(&db, &stored).unwrap();
        accrual::move_on(&db, ALL, on).unwrap();
        for ((_, key, minor, through), line) in accrual::of_range(&db, ALL).unwrap().into_iter().zip(&lines) {
            let moved = line.until >= on;
            let expected = if moved { line.at(on).unwrap() } else { -1 };
            prop_assert_eq!((minor, through == on), (expected, moved), "{}: {:?} on {}", key, line, on);
        }
    }
}
