//! Bank statements over a real SQLite file: what is booked, what waits, what was there before, and how often the rule is
//! right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod again;
mod back;
mod elsewhere;
mod fees;
mod given_up;
mod lists;
mod month;
mod references;
mod support;
mod taught;
mod told;

use dunlin_app::{bank, erase, ledger::Change, payment as payments};
use dunlin_domain::{Date, Refusal, contract::bank::*};
use serde_json::json;
use support::*;

#[test]
fn a_candidate_is_of_the_customer_that_its_own_was_merged_into() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    customer(&db, "C2", "Keller AG", None);
    invoice(&db, "INV-100001", "C1", "2026-10-01", 10_000);
    let found = take(&db, "S1", &[pays(9_000, "INV-100001", "Somebody", STRANGE)]);
    assert_eq!(found.review, 1);
    dunlin_app::customer::merge(&db, &id("C1"), &id("C2"), &author()).unwrap();
    let listed = matches(&db, Some(MatchState::Review));
    let of = &listed[0];
    assert_eq!(of.candidates[0].customer_id.as_str(), "C2");
    assert_eq!(bank::get(&db, &of.id).unwrap().candidates, of.candidates);
    bank::confirm(&db, &of.id, &from(json!({"candidate": 1})), &author()).unwrap();
    assert_eq!(open(&db, "INV-100001"), 1_000);
    holds(&db);
}

#[test]
fn what_is_certain_is_booked_and_the_rest_waits() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller Maschinenbau GmbH", Some(KNOWN));
    customer(&db, "C2", "First Street Bakery Ltd", None);
    for (name, of, minor) in [
        ("INV-1001", "C1", 10_000),
        ("INV-1002", "C1", 20_000),
        ("INV-2001", "C2", 30_000),
        ("INV-2002", "C2", 5_000),
    ] {
        invoice(&db, name, of, "2026-10-01", minor);
    }
    let counts = take(
        &db,
        "S1",
        &[
            pays(10_000, "Rechnung INV-1001", "Mueller Maschinenbau", STRANGE),
            pays(20_000, "danke", "M.", KNOWN),
            pays(30_000, "", "Somebody", STRANGE),
            pays(3_000, "inv 2002", "FIRST STREET BAKERY", STRANGE),
            pays(777, "anzahlung", "M.", KNOWN),
            pays(-99, "Kontoführung", "", ""),
        ],
    );
    assert_eq!((counts.automatic, counts.review, counts.unmatched), (4, 1, 1));
    assert_eq!(open(&db, "INV-1001"), 0);
    assert_eq!(open(&db, "INV-1002"), 0);
    assert_eq!(open(&db, "INV-2001"), 30_000);
    assert_eq!(open(&db, "INV-2002"), 2_000);
    let waiting = matches(&db, Some(MatchState::Review));
    assert_eq!(waiting[0].payer_name.as_deref(), Some("Somebody"));
    assert!(waiting[0].candidates.is_empty());
    let booked = &matches(&db, Some(MatchState::Automatic))[0];
    assert_eq!(booked.customer_id, Some(id("C1")));
    assert_eq!(booked.candidates[0].score.to_string(), "1.00");
    let why = [MatchReason::InvoiceNumber, MatchReason::AmountExact, MatchReason::PayerNameSimilar];
    assert_eq!(booked.candidates[0].reasons[..2], why[..2]);
    holds(&db);
}

#[test]
fn a_statement_again_changes_nothing_and_another_of_its_name_is_refused() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller", Some(KNOWN));
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    let lines = [pays(10_000, "INV-1001", "Müller", KNOWN)];
    take(&db, "S1", &lines);
    let entries = dunlin_app::audit::entries(&db, 0, 100).unwrap().len();
    let again = take_in(&db, "second", &camt("S1", &lines)).unwrap();
    assert_eq!((again.accepted, again.unchanged), (0, 1));
    assert_eq!(again.bank.unwrap().statements_unchanged.len(), 1);
    assert_eq!(dunlin_app::audit::entries(&db, 0, 100).unwrap().len(), entries);
    let other = [pays(10_001, "INV-1001", "Müller", KNOWN)];
    assert_eq!(code(take_in(&db, "third", &camt("S1", &other))), Refusal::DifferentContent);
    let twice = camt("S2", &lines);
    let stmt = &twice[twice.find("<Stmt>").unwrap()..twice.find("</BkTo").unwrap()];
    let both = twice.replace(stmt, &format!("{stmt}{stmt}"));
    assert_eq!(take_in(&db, "fourth", &both).unwrap().accepted, 1);
    holds(&db);
}

#[test]
fn a_confirmed_match_teaches_the_account_and_both_decisions_can_be_repeated() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    for (name, minor) in [("INV-1001", 10_000), ("INV-1002", 20_000), ("INV-1003", 30_000)] {
        invoice(&db, name, "C1", "2026-10-01", minor);
    }
    take(&db, "S1", &[pays(10_000, "", "Holding X", STRANGE), pays(5, "?", "Y", "DE00")]);
    let waiting = matches(&db, Some(MatchState::Review));
    let (first, second) = (waiting[0].id.clone(), waiting[1].id.clone());
    let to = |minor| -> Confirmation {
        from(
            json!({"customer_id": "C1", "teach": true, "designation": [{"invoice_id": "INV-1001", "minor": minor}]}),
        )
    };
    assert_eq!(bank::confirm(&db, &first, &to(10_000), &author()).unwrap(), Change::Replaced);
    assert_eq!(bank::confirm(&db, &first, &to(10_000), &author()).unwrap(), Change::AlreadySo);
    assert_eq!(code(bank::confirm(&db, &first, &to(9_000), &author())), Refusal::DifferentContent);
    assert_eq!(open(&db, "INV-1001"), 0);
    let rejection = Rejection { reason: None };
    assert_eq!(code(bank::reject(&db, &first, &rejection, &author())), Refusal::WrongState);
    assert_eq!(bank::reject(&db, &second, &rejection, &author()).unwrap(), Change::Replaced);
    assert_eq!(bank::reject(&db, &second, &rejection, &author()).unwrap(), Change::AlreadySo);
    // What was learned is used: the account says who pays.
    let counts = take(&db, "S2", &[pays(20_000, "", "Holding X", STRANGE)]);
    assert_eq!(counts.automatic, 1);
    assert_eq!(open(&db, "INV-1002"), 0);
    // What was rejected can be confirmed by hand.
    let on_account: Confirmation = from(json!({"customer_id": "C1"}));
    bank::confirm(&db, &second, &on_account, &author()).unwrap();
    assert_eq!(open(&db, "INV-1003"), 29_995);
    assert_eq!(
        code(bank::confirm(&db, &second, &from(json!({})), &author())),
        Refusal::MissingField
    );
    let none: Confirmation = from(json!({"candidate": 3}));
    assert_eq!(code(bank::confirm(&db, &second, &none, &author())), Refusal::MalformedField);
    holds(&db);
}

#[test]
fn a_returned_payment_reverses_the_one_it_names() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    let credit = Line { end_to_end: "E7".into(), ..pays(10_000, "INV-1001", "Müller", KNOWN) };
    let back = Line { minor: -10_000, returned: true, ..credit.clone() };
    let unknown = Line { end_to_end: "E8".into(), ..back.clone() };
    let counts = take(&db, "S1", &[credit, unknown, back]);
    assert_eq!((counts.automatic, counts.review), (2, 1));
    assert_eq!(open(&db, "INV-1001"), 10_000);
    let waiting = matches(&db, Some(MatchState::Review));
    let paid: Vec<BankMatch> = matches(&db, Some(MatchState::Automatic));
    assert_eq!(paid[0].payment_id, paid[1].payment_id);
    let confirmation = from(json!({"payment_id": paid[0].payment_id}));
    let refused = bank::confirm(&db, &waiting[0].id, &confirmation, &author());
    assert_eq!(code(refused), Refusal::MoreThanOpen);
    holds(&db);
    let _ = payments::get(&db, paid[0].payment_id.as_ref().unwrap(), Date::LAST, i64::MAX).unwrap();
}

#[test]
fn what_goes_back_elsewhere_or_to_another_waits_for_somebody() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    let credit = Line { end_to_end: "E7".into(), ..pays(10_000, "INV-1001", "Müller", KNOWN) };
    assert_eq!(take(&db, "S1", std::slice::from_ref(&credit)).automatic, 1);
    let back = Line { minor: -10_000, returned: true, ..credit };
    let to_another = Line { account: STRANGE.into(), ..back.clone() };
    assert_eq!(take(&db, "S2", &[to_another]).review, 1);
    let ours = camt("S3", &[back]);
    let elsewhere = ours.replace("DE89370400440532013000", "FR7630006000011234567890189");
    let files = [elsewhere.clone(), ours.replace("EUR", "USD"), elsewhere.replace("EUR", "USD")];
    for (number, file) in files.iter().enumerate() {
        let file = file.replace(">S3<", &format!(">S3-{number}<"));
        let counts = take_in(&db, &format!("F{number}"), &file).unwrap().bank.unwrap().matches;
        assert_eq!((counts.automatic, counts.review), (0, 1), "file {number}");
    }
    assert_eq!(open(&db, "INV-1001"), 0);
    assert_eq!(take_in(&db, "own", &ours).unwrap().bank.unwrap().matches.automatic, 1);
    assert_eq!(open(&db, "INV-1001"), 10_000);
    holds(&db);
}

#[test]
fn a_year_in_a_date_is_no_number_of_a_document() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    invoice(&db, "2024", "C1", "2026-10-01", 10_000);
    let counts = take(&db, "S1", &[pays(1_234, "Zahlung vom 12.03.2024", "Müller", STRANGE)]);
    assert_eq!((counts.automatic, counts.review), (0, 1));
    assert_eq!(open(&db, "2024"), 10_000);
    holds(&db);
}

#[test]
fn what_is_personal_is_erased_from_entries_too() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    take(
        &db,
        "S1",
        &[pays(10_000, "INV-1001 Müller", "Müller", STRANGE), pays(7, "", "Else", STRANGE)],
    );
    let waiting = matches(&db, Some(MatchState::Review));
    bank::confirm(&db, &waiting[0].id, &from(json!({"customer_id": "C1"})), &author()).unwrap();
    erase::customer(&db, &id("C1"), &author()).unwrap();
    for of in matches(&db, None) {
        assert!(of.payer_name.is_none() && of.payer_account.is_none(), "{of:?}");
        assert!(of.remittance.as_deref().is_none_or(|text| text == "erased"), "{of:?}");
    }
    let counts = take(&db, "S2", &[pays(7, "", "Müller", STRANGE)]);
    assert_eq!(counts.review, 1, "neither the account nor the name is known any more");
    holds(&db);
}

#[test]
fn what_waits_with_the_erased_customer_alone_among_its_candidates_is_erased_too() {
    let (_folder, db) = db();
    for (of, called) in [("C1", "Müller GmbH"), ("C2", "Keller AG"), ("C11", "Weber KG")] {
        customer(&db, of, called, None);
        invoice(&db, &format!("INV-7700{of}"), of, "2026-10-01", 10_000);
    }
    let paid = |text: &str| pays(4_000, text, "Somebody Else", STRANGE);
    let both = paid("INV-7700C1 INV-7700C2");
    let texts = ["INV-7700C1", "INV-7700C2", "INV-7700C11", "nothing", "INV-7700C1"].map(paid);
    let counts = take(&db, "S1", &[&texts[..], &[both]].concat());
    assert_eq!(counts.review, 6);
    let all: Vec<_> = matches(&db, None).into_iter().map(|of| of.id).collect();
    // Whoever rejects a match says that it is none of its candidates.
    bank::reject(&db, &all[4], &from(json!({})), &author()).unwrap();
    assert!(matches(&db, None)[5].candidates.len() > 1);
    erase::customer(&db, &id("C1"), &author()).unwrap();
    let kept: Vec<_> = matches(&db, None).iter().map(|of| of.payer_name.is_some()).collect();
    assert_eq!(kept, [false, true, true, true, true, true]);
    let of = matches(&db, None).remove(0);
    assert_eq!((of.payer_account, of.remittance.as_deref()), (None, Some("erased")));
    assert_eq!(erase::customer(&db, &id("C1"), &author()).unwrap().1, Change::AlreadySo);
    holds(&db);
}

#[test]
fn an_entry_that_is_booked_as_another_one_is_erased_with_it() {
    let (_folder, db) = db();
    for (of, called) in [("C1", "Müller GmbH"), ("C2", "Keller AG")] {
        customer(&db, of, called, None);
        invoice(&db, &format!("INV-7700{of}"), of, "2026-10-01", 4_000);
    }
    let entries =
        ["INV-7700C1", "INV-7700C2"].map(|text| pays(4_000, text, "Somebody Else", STRANGE));
    for statement in ["S1", "S2"] {
        take(&db, statement, &entries);
    }
    let states = || matches(&db, None).into_iter().map(|of| (of.state, of.payer_name.is_some()));
    let (booked, again) = (MatchState::Automatic, MatchState::AlreadyBooked);
    assert_eq!(
        states().collect::<Vec<_>>(),
        [(booked, true), (booked, true), (again, true), (again, true)]
    );
    erase::customer(&db, &id("C1"), &author()).unwrap();
    assert_eq!(
        states().collect::<Vec<_>>(),
        [(booked, false), (booked, true), (again, false), (again, true)]
    );
    holds(&db);
}

#[test]
fn a_name_of_a_merged_duplicate_is_a_name_of_the_customer_that_stayed() {
    // Who pays, what speaks for or against it, whether it is booked.
    for (payer, reason, booked) in [
        ("Novum Export GmbH", MatchReason::PayerName, true),
        ("Fokus Lampen KG", MatchReason::PayerName, true),
        ("Somebody", MatchReason::PayerNameDiffers, false),
    ] {
        let (_folder, db) = db();
        customer(&db, "DV1", "Novum Export GmbH", None);
        customer(&db, "DV2", "Fokus Lampen KG", None);
        invoice(&db, "INV-100001", "DV2", "2026-10-01", 12_345);
        dunlin_app::customer::merge(&db, &id("DV1"), &id("DV2"), &author()).unwrap();
        let line = pays(12_345, "100001", payer, STRANGE);
        assert_eq!(take(&db, "S1", &[line]).automatic, u64::from(booked), "{payer}");
        let of = matches(&db, None).remove(0);
        let best = &of.candidates[0];
        assert!(best.reasons.contains(&reason), "{payer}: {best:?}");
        // What is confirmed of it teaches the account.
        if booked {
            let line = pays(99, "", payer, "GB33BUKB20201555555555");
            take(&db, "S2", &[line]);
            for of in matches(&db, Some(MatchState::Review)) {
                bank::confirm(&db, &of.id, &from(json!({"customer_id": "DV2"})), &author())
                    .unwrap();
            }
            assert_eq!(bank::payer_accounts(&db, 0, 9).unwrap().len(), 1, "{payer}");
        }
        holds(&db);
    }
}
