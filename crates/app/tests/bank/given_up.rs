//! Money for documents that were written off.

use crate::support::*;
use dunlin_app::{bank, payment as payments, write_off};
use dunlin_domain::{Refusal, contract::bank::*};
use dunlin_store::native::NativeDb;
use serde_json::json;

/// Two open documents, and one of 1,000.00 of which so much was written off and so much was paid.
fn book(db: &NativeDb, off: i64, paid: i64) {
    customer(db, "C1", "Müller GmbH", Some(KNOWN));
    invoice(db, "INV-1101", "C1", "2026-10-01", 100_000);
    invoice(db, "INV-1102", "C1", "2026-10-02", 30_000);
    invoice(db, "INV-1103", "C1", "2026-10-03", 10_000);
    if paid > 0 {
        let new = from(json!({
            "id": "P0", "customer_id": "C1", "received_on": "2026-09-02", "invoice_id": "INV-1101",
            "amount": {"minor": paid, "currency": "EUR"},
        }));
        payments::add(db, &new, id("made"), &author()).unwrap();
    }
    let new = from(json!({
        "id": "W1", "invoice_id": "INV-1101", "on": "2026-10-10", "minor": off, "reason": "insolvent",
    }));
    write_off::add(db, &new, id("made"), &author()).unwrap();
}

fn standing(db: &NativeDb) -> i64 {
    write_off::get(db, &id("W1")).unwrap().standing_minor
}

#[test]
fn money_that_names_what_was_written_off_recovers_it() {
    use MatchReason as R;
    // What was written off, what was paid before, what comes; whether it is booked, with which reasons, and what is open
    // and stands then, of the document and in all.
    type Case = (i64, i64, i64, bool, &'static [R], (i64, i64));
    let cases: &[Case] = &[
        (100_000, 0, 100_000, true, &[R::AmountExact, R::WrittenOff], (0, 0)),
        (100_000, 0, 99_999, true, &[R::PartPayment, R::WrittenOff], (0, 1)),
        (100_000, 0, 100_001, false, &[R::OverPayment, R::WrittenOff], (0, 0)),
        // Of 300.00 that were not paid 100.00 were written off.
        (10_000, 70_000, 20_000, true, &[R::AmountExact], (0, 10_000)),
        (10_000, 70_000, 19_999, true, &[R::PartPayment], (1, 10_000)),
        (10_000, 70_000, 20_001, true, &[R::PartPayment, R::WrittenOff], (0, 9_999)),
        (10_000, 70_000, 30_000, true, &[R::AmountExact, R::WrittenOff], (0, 0)),
        (10_000, 70_000, 30_001, false, &[R::OverPayment, R::WrittenOff], (0, 0)),
    ];
    for (off, paid, minor, booked, reasons, then) in cases {
        let told = format!("{minor} of {off}");
        let (_folder, db) = db();
        book(&db, *off, *paid);
        let line = pays(*minor, "INV-1101", "Müller GmbH", STRANGE);
        assert_eq!(take(&db, "S1", &[line]).automatic, u64::from(*booked), "{told}");
        let of = matches(&db, None).remove(0);
        let found = &of.candidates[0].reasons;
        assert_eq!(&found[1..found.len() - 1], *reasons, "{told}");
        if !booked {
            bank::confirm(&db, &of.id, &from(json!({"candidate": 1})), &author()).unwrap();
        }
        assert_eq!((open(&db, "INV-1101"), standing(&db)), *then, "{told}");
        holds(&db);
    }
}

#[test]
fn what_was_written_off_is_recovered_once_and_by_what_somebody_says() {
    let (_folder, db) = db();
    book(&db, 100_000, 0);
    // Three of one file that each pay all of it: the first one does.
    let line =
        |bank: &str| Line { bank: bank.into(), ..pays(100_000, "INV-1101", "Müller", STRANGE) };
    let counts = take(&db, "S1", &[line("B1"), line("B2")]);
    assert_eq!((counts.automatic, counts.review), (1, 1));
    let second = matches(&db, Some(MatchState::Review)).remove(0);
    assert!(second.candidates[0].reasons.contains(&MatchReason::AlreadyPaid), "{second:?}");
    let to =
        json!({"customer_id": "C1", "designation": [{"invoice_id": "INV-1101", "minor": 100_000}]});
    let refused = bank::confirm(&db, &second.id, &from(to.clone()), &author());
    assert_eq!(code(refused), Refusal::MoreThanOpen);
    assert_eq!((open(&db, "INV-1102"), standing(&db)), (30_000, 0));
    holds(&db);
    // Said by somebody, of money that names nothing.
    let (_folder, db) = self::db();
    book(&db, 100_000, 0);
    take(&db, "S1", &[pays(100_000, "", "Somebody", STRANGE)]);
    let of = matches(&db, None).remove(0);
    bank::confirm(&db, &of.id, &from(to), &author()).unwrap();
    assert_eq!((open(&db, "INV-1102"), standing(&db)), (30_000, 0));
    holds(&db);
}

#[test]
fn instalments_that_were_written_off_are_recovered_with_their_document() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    let new = from(json!({
        "id": "INV-1101", "customer_id": "C1", "issued_on": "2026-09-01",
        "amount": {"minor": 100_000, "currency": "EUR"},
        "instalments": [{"due_on": "2026-10-01", "minor": 40_000}, {"due_on": "2026-11-01", "minor": 60_000}],
    }));
    dunlin_app::invoice::add(&db, &new, id("made"), &author()).unwrap();
    let new =
        from(json!({"id": "W1", "invoice_id": "INV-1101#1", "on": "2026-10-10", "reason": "x"}));
    write_off::add(&db, &new, id("made"), &author()).unwrap();
    assert_eq!((open(&db, "INV-1101"), standing(&db)), (60_000, 40_000));
    assert_eq!(take(&db, "S1", &[pays(100_000, "INV-1101", "Müller", STRANGE)]).automatic, 1);
    assert_eq!((open(&db, "INV-1101"), standing(&db)), (0, 0));
    holds(&db);
}

#[test]
fn money_less_the_banks_fee_recovers_what_was_instructed() {
    // What was written off and what was paid before, of 1,000.00; what came of what was instructed; what is open and stands
    // then, and when all of it went back.
    for (off, paid, came, instructed, then, gone) in [
        (100_000, 0, 99_200, 100_000, (0, 0), (0, 100_000)),
        (100_000, 0, 49_200, 50_000, (0, 50_000), (0, 100_000)),
        (10_000, 70_000, 29_200, 30_000, (0, 0), (20_000, 10_000)),
        (10_000, 70_000, 19_200, 20_000, (0, 10_000), (20_000, 10_000)),
        (10_000, 70_000, 19_700, 20_500, (0, 9_500), (20_000, 10_000)),
    ] {
        let told = format!("{came} of {instructed} after {off}");
        let (_folder, db) = db();
        book(&db, off, paid);
        let line = pays(came, "INV-1101", "Müller GmbH", STRANGE);
        let fees = format!(
            "<TxDtls><AmtDtls><InstdAmt><Amt Ccy=\"EUR\">{}</Amt></InstdAmt></AmtDtls>\
             <Chrgs><Rcrd><Amt Ccy=\"EUR\">8.00</Amt></Rcrd></Chrgs>",
            amount(instructed)
        );
        let text = camt("S1", &[line]).replace("<TxDtls>", &fees);
        assert_eq!(take_in(&db, "S1", &text).unwrap().bank.unwrap().matches.automatic, 1, "{told}");
        assert_eq!((open(&db, "INV-1101"), standing(&db)), then, "{told}");
        holds(&db);
        let booked = matches(&db, None).remove(0).payment_id.unwrap();
        let half = from(json!({"kind": "returned", "minor": came - 1, "on": "2026-11-02"}));
        payments::reverse(&db, &booked, &half, id("R1"), &author()).unwrap();
        holds(&db);
        let rest = from(json!({"kind": "returned", "on": "2026-11-02"}));
        payments::reverse(&db, &booked, &rest, id("R2"), &author()).unwrap();
        assert_eq!((open(&db, "INV-1101"), standing(&db)), gone, "{told}");
        holds(&db);
    }
}

#[test]
fn money_for_a_void_document_waits_and_is_not_said_to_have_been_paid() {
    use MatchReason as R;
    // What was paid of 100.00 before it was void, whether that was taken back, what else is named; the reasons.
    let paid_too = |name: &str| format!("INV-1103 {name}");
    let cases: [(i64, bool, String, &[R]); 5] = [
        (0, false, "INV-1103".into(), &[R::DocumentVoid]),
        (10_000, false, "INV-1103".into(), &[R::DocumentVoid]),
        (0, true, "INV-1103".into(), &[R::AmountExact]),
        (10_000, true, "INV-1103".into(), &[R::AlreadyPaid]),
        (0, false, paid_too("INV-1104"), &[R::AlreadyPaid, R::DocumentVoid]),
    ];
    for (paid, again, text, reasons) in cases {
        let told = format!("{text} after {paid}, {again}");
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", Some(KNOWN));
        invoice(&db, "INV-1102", "C1", "2026-10-02", 30_000);
        invoice(&db, "INV-1103", "C1", "2026-10-03", 10_000);
        invoice(&db, "INV-1104", "C1", "2026-10-04", 5_000);
        for (name, names, minor) in [("P1", "INV-1103", paid), ("P2", "INV-1104", 5_000)] {
            let new = json!({
                "id": name, "customer_id": "C1", "received_on": "2026-09-02", "invoice_id": names,
                "amount": {"minor": minor, "currency": "EUR"},
            });
            if minor > 0 {
                payments::add(&db, &from(new), id("made"), &author()).unwrap();
            }
        }
        let day = "2026-10-05".parse().unwrap();
        dunlin_app::invoice::void(&db, &id("INV-1103"), day, &author()).unwrap();
        if again {
            let new = from(json!({"voided": false, "reason": "by mistake"}));
            dunlin_app::invoice::correct(&db, &id("INV-1103"), &new, &author()).unwrap();
        }
        let line = pays(10_000, &text, "Müller GmbH", KNOWN);
        let booked = u64::from(reasons == [R::AmountExact]);
        assert_eq!(take(&db, "S1", &[line]).automatic, booked, "{told}");
        let of = matches(&db, None).remove(0);
        let found = &of.candidates[0].reasons;
        assert_eq!(&found[1..found.len() - 1], reasons, "{told}");
        holds(&db);
    }
}
