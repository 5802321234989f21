//! Accounts of those who pay for many, and candidates that have gone stale.

use crate::support::*;
use dunlin_app::bank;
use dunlin_domain::{Refusal, contract::bank::*};
use dunlin_store::native::NativeDb;
use serde_json::json;

fn book(db: &NativeDb) {
    for (of, name, minor) in [("C1", "Müller GmbH", 10_000), ("C2", "Keller AG", 20_000)] {
        customer(db, of, name, None);
        invoice(db, &format!("INV-{of}"), of, "2026-10-01", minor);
    }
}

/// Takes one credit in and confirms it for a customer.
fn confirmed(db: &NativeDb, name: &str, payer: &str, of: &str, teach: Option<bool>) {
    assert_eq!(take(db, name, &[pays(5_00, "", payer, STRANGE)]).review, 1, "{name}");
    let found = matches(db, Some(MatchState::Review)).pop().unwrap();
    let said = from(json!({"customer_id": of, "teach": teach}));
    bank::confirm(db, &found.id, &said, &author()).unwrap();
}

#[test]
fn one_payment_of_a_service_does_not_make_its_account_a_customers() {
    // The payer's name, what is said of teaching, whether the account is known, and whether money without a number is
    // booked on account.
    for (payer, teach, known, booked) in [
        ("PAYSERVICE EUROPE SA", None, false, false),
        ("PAYSERVICE EUROPE SA", Some(true), true, false),
        ("Mueller", None, true, true),
        ("Mueller", Some(false), false, false),
        ("", None, true, false),
    ] {
        let (_folder, db) = db();
        book(&db);
        confirmed(&db, "S1", payer, "C1", teach);
        let taught = bank::payer_accounts(&db, 0, 10).unwrap();
        assert_eq!(!taught.is_empty(), known, "{payer} {teach:?}");
        let counts = take(&db, "S2", &[pays(777, "danke", payer, STRANGE)]);
        assert_eq!(counts.automatic == 1, booked, "{payer} {teach:?}");
        holds(&db);
    }
}

#[test]
fn an_account_that_was_confirmed_for_two_customers_is_nobodys() {
    let (_folder, db) = db();
    book(&db);
    confirmed(&db, "S1", "Mueller", "C1", None);
    assert_eq!(take(&db, "S2", &[pays(777, "", "Mueller", STRANGE)]).automatic, 1);
    // It is another's too, whatever its name says and whoever is asked.
    assert_eq!(take(&db, "S3", &[pays(20_000, "INV-C2", "Holding X", STRANGE)]).automatic, 0);
    let waiting = matches(&db, Some(MatchState::Review)).remove(0);
    let parts = json!([{"invoice_id": "INV-C2", "minor": 20_000}]);
    let said = from(json!({"customer_id": "C2", "designation": parts, "teach": false}));
    bank::confirm(&db, &waiting.id, &said, &author()).unwrap();
    let counts = take(&db, "S4", &[pays(778, "", "Mueller", STRANGE), pays(9, "", "X", STRANGE)]);
    assert_eq!((counts.automatic, counts.review), (0, 2));
    for of in matches(&db, Some(MatchState::Review)) {
        let reasons = of.candidates.iter().flat_map(|candidate| &candidate.reasons);
        assert!(!reasons.into_iter().any(|reason| *reason == MatchReason::PayerAccount), "{of:?}");
    }
    // Forgotten for one of them it is the other's again.
    bank::forget_payer_account(&db, &waiting.id, &author()).unwrap();
    assert_eq!(take(&db, "S5", &[pays(779, "", "Mueller", STRANGE)]).automatic, 1);
    holds(&db);
}

#[test]
fn a_candidate_whose_document_was_paid_in_the_meantime_is_refused() {
    let (_folder, db) = db();
    book(&db);
    let lines = [pays(10_000, "", "Mueller Nord", STRANGE), pays(10_000, "", "Mueller Süd", KNOWN)];
    assert_eq!(take(&db, "S1", &lines).review, 2);
    let to: Confirmation = from(json!({
        "customer_id": "C1", "designation": [{"invoice_id": "INV-C1", "minor": 10_000}],
    }));
    let waiting = matches(&db, None);
    bank::confirm(&db, &waiting[0].id, &to, &author()).unwrap();
    assert!(bank::confirm(&db, &waiting[0].id, &to, &author()).is_ok(), "again");
    invoice(&db, "INV-1002", "C1", "2026-10-02", 10_000);
    assert_eq!(code(bank::confirm(&db, &waiting[1].id, &to, &author())), Refusal::MoreThanOpen);
    assert_eq!(open(&db, "INV-1002"), 10_000);
    // Its open part, and the rest on account: said so, it is booked.
    bank::confirm(&db, &waiting[1].id, &from(json!({"customer_id": "C1"})), &author()).unwrap();
    assert_eq!(open(&db, "INV-1002"), 0);
    holds(&db);
}
