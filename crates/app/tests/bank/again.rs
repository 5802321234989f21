//! The same entry in two statements, statements that do not join, and matches whose payment was a mistake.

use crate::support::*;
use dunlin_app::{bank, ledger::Change, payment as payments};
use dunlin_domain::{
    Date, Id, Refusal,
    contract::{bank::*, ledger::ReversalUndoing},
};
use dunlin_store::native::NativeDb;
use serde_json::json;

fn book(db: &NativeDb) {
    customer(db, "C1", "Müller GmbH", Some(KNOWN));
    for name in ["INV-1001", "INV-1002", "INV-1003"] {
        invoice(db, name, "C1", "2026-10-01", 10_000);
    }
}

fn paid(bank: &str, end_to_end: &str, text: &str) -> Line {
    Line {
        bank: bank.into(), end_to_end: end_to_end.into(), ..pays(10_000, text, "Müller", KNOWN)
    }
}

const MT940: &str = "\
:20:STARTUMS
:25:DE89370400440532013000
:28C:00211/001
:60F:C261030EUR0,00
:61:2610311031C100,00NTRFNONREF//B-1
:86:166?00GUTSCHRIFT?20EREF+E1?21SVWZ+INV-1001?31DE02120300000000202051?32MUELLER
:61:2610311031C100,00NTRFNONREF
:86:166?00GUTSCHRIFT?20SVWZ+INV 1002?31DE02120300000000202051?32MUELLER
:62F:C261031EUR200,00
-
";

#[test]
fn an_entry_in_two_statements_is_booked_once() {
    let (_folder, db) = db();
    book(&db);
    // One of the day, one of the end of the day under another name, and the same account in the other format.
    let early = [paid("B-1", "E1", "INV-1001")];
    assert_eq!(take(&db, "S1", &early).automatic, 1);
    let late = [paid("B-1", "E1", "INV-1001"), paid("B-2", "", "INV-1002")];
    let again = take_in(&db, "S2", &camt("S2", &late)).unwrap().bank.unwrap();
    assert_eq!((again.matches.automatic, again.matches.already_booked), (1, 1));
    let named = again.already_booked.unwrap();
    let of_first = &matches(&db, None)[0];
    assert_eq!((named.len(), &named[0].repeats), (1, &of_first.id));
    assert_eq!(bank::get(&db, &named[0].id).unwrap().repeats.as_ref(), Some(&of_first.id));
    let other = take_in_as(&db, "S3", MT940, BankFormat::Mt940).unwrap().bank.unwrap();
    assert_eq!((other.matches.automatic, other.matches.already_booked), (0, 2));
    assert_eq!(
        (open(&db, "INV-1001"), open(&db, "INV-1002"), open(&db, "INV-1003")),
        (0, 0, 10_000)
    );
    assert_eq!(matches(&db, Some(MatchState::AlreadyBooked)).len(), 3);
    holds(&db);
}

#[test]
fn two_statements_of_one_file_are_compared_too_and_two_entries_of_one_statement_are_two() {
    let (_folder, db) = db();
    book(&db);
    let twice = [paid("", "", "danke"), paid("", "", "danke")];
    let first = camt("S1", &twice);
    let second = camt("S2", &[twice.as_slice(), &[paid("", "", "danke")]].concat());
    let stmt = &second[second.find("<Stmt>").unwrap()..second.find("</BkTo").unwrap()];
    let both = first.replace("</Stmt>", &format!("</Stmt>{stmt}"));
    let found = take_in(&db, "both", &both).unwrap().bank.unwrap();
    // Which of three invoices of one amount they pay somebody has to say.
    assert_eq!((found.matches.already_booked, found.matches.review), (2, 3));
    let waiting = matches(&db, Some(MatchState::Review));
    assert!(waiting.iter().all(|of| of.repeats.is_none()), "{waiting:?}");
    holds(&db);
}

#[test]
fn what_is_perhaps_the_same_waits_and_can_be_confirmed() {
    let (_folder, db) = db();
    book(&db);
    assert_eq!(take(&db, "S1", &[paid("B-1", "", "INV-1001")]).automatic, 1);
    // The bank's reference and the text are absent: the payer, the day and the amount are the same.
    let counts = take(&db, "S2", &[paid("", "", "")]);
    assert_eq!((counts.automatic, counts.review), (0, 1));
    let waiting = &matches(&db, Some(MatchState::Review))[0];
    assert_eq!(waiting.repeats, Some(matches(&db, None)[0].id.clone()));
    assert!(waiting.candidates[0].reasons.contains(&MatchReason::PerhapsRepeated), "{waiting:?}");
    bank::confirm(&db, &waiting.id, &from(json!({"candidate": 1})), &author()).unwrap();
    assert_eq!(open(&db, "INV-1002"), 0);
    holds(&db);
}

#[test]
fn a_gap_between_statements_is_named_until_it_is_filled() {
    let (_folder, db) = db();
    book(&db);
    let on = |name: &str, opening: i64, day: &str, minor: i64| {
        let text = camt_from(name, opening, &[pays(minor, name, "Somebody", STRANGE)]);
        let text = text.replace("2026-10-31", day);
        take_in(&db, name, &text).unwrap().bank.unwrap().gaps
    };
    assert_eq!(on("S1", 0, "2026-10-01", 100), None);
    let gaps = on("S3", 350, "2026-10-03", 50).unwrap();
    assert_eq!((gaps.len(), gaps[0].gap.missing_minor), (1, Some(250)));
    let of = |name: &str| {
        let found = bank::statements(&db, 0, 100).unwrap();
        found.into_iter().map(|(_, of)| of).find(|of| of.statement_id == name).unwrap()
    };
    assert_eq!(of("S3").gap.as_ref(), Some(&gaps[0].gap));
    assert_eq!(gaps[0].gap.after, of("S1").id);
    assert_eq!(on("S2", 100, "2026-10-02", 250), None);
    assert!(bank::statements(&db, 0, 100).unwrap().iter().all(|(_, of)| of.gap.is_none()));
}

#[test]
fn a_payment_that_was_a_mistake_sends_its_match_back_and_forgets_the_account() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    customer(&db, "C2", "Keller GmbH", None);
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    invoice(&db, "INV-2001", "C2", "2026-10-01", 10_000);
    take(&db, "S1", &[pays(10_000, "", "Holding X", STRANGE)]);
    let id = matches(&db, Some(MatchState::Review))[0].id.clone();
    let of = |customer: &str| from(json!({"customer_id": customer, "teach": true}));
    bank::confirm(&db, &id, &of("C1"), &author()).unwrap();
    let taught = bank::payer_accounts(&db, 0, 10).unwrap();
    assert_eq!((taught.len(), &taught[0].1.id), (1, &id));
    assert_eq!(taught[0].1.account, "******************6199");

    let reversal = |kind: &str| from(json!({"kind": kind}));
    let payment = format!("bank-{id}").parse().unwrap();
    let mistake = reversal("mistake");
    let back =
        |name: &str| payments::reverse(&db, &payment, &mistake, name.parse().unwrap(), &author());
    assert_eq!(back("R1").unwrap(), Change::Made);
    let again = bank::get(&db, &id).unwrap();
    assert_eq!(
        (again.state, again.customer_id, again.payment_id),
        (MatchState::Review, None, None)
    );
    assert!(bank::payer_accounts(&db, 0, 10).unwrap().is_empty());
    assert_eq!(back("R1").unwrap(), Change::AlreadySo);
    let chain = dunlin_app::audit::entries(&db, 0, 100).unwrap();
    assert!(chain.iter().any(|entry| entry.action == "reopen" && entry.id == id.as_str()));

    // It is somebody else's: another payment, and the account is that customer's from now on.
    bank::confirm(&db, &id, &of("C2"), &author()).unwrap();
    assert_eq!(bank::confirm(&db, &id, &of("C2"), &author()).unwrap(), Change::AlreadySo);
    let now = bank::get(&db, &id).unwrap();
    assert_eq!(now.payment_id, Some(format!("bank-{id}-2").parse().unwrap()));
    assert_eq!((open(&db, "INV-1001"), open(&db, "INV-2001")), (10_000, 0));
    assert_eq!(bank::payer_accounts(&db, 0, 10).unwrap()[0].1.customer_id.as_str(), "C2");

    // Money that goes back is no mistake: what the entry was stays known.
    let second = now.payment_id.unwrap();
    payments::reverse(&db, &second, &reversal("returned"), "R2".parse().unwrap(), &author())
        .unwrap();
    assert_eq!(bank::get(&db, &id).unwrap().state, MatchState::Confirmed);
    assert_eq!(bank::payer_accounts(&db, 0, 10).unwrap().len(), 1);
    bank::forget_payer_account(&db, &id, &author()).unwrap();
    assert!(bank::payer_accounts(&db, 0, 10).unwrap().is_empty());
    assert_eq!(code(bank::forget_payer_account(&db, &id, &author())), Refusal::NotFound);
    // Whoever the entry was booked for, what is personal in it is erased with the customer.
    dunlin_app::erase::customer(&db, &"C2".parse().unwrap(), &author()).unwrap();
    assert_eq!(bank::get(&db, &id).unwrap().payer_name, None);
    holds(&db);
}

#[test]
fn money_that_an_automatic_match_misplaced_comes_back_to_the_list() {
    let (_folder, db) = db();
    book(&db);
    assert_eq!(take(&db, "S1", &[paid("B-1", "", "INV-1001")]).automatic, 1);
    let of = matches(&db, None).remove(0);
    let mistake = from(json!({"kind": "mistake"}));
    let payment = of.payment_id.unwrap();
    payments::reverse(&db, &payment, &mistake, "R1".parse().unwrap(), &author()).unwrap();
    assert_eq!(matches(&db, Some(MatchState::Review)).len(), 1);
    bank::confirm(&db, &of.id, &from(json!({"candidate": 1})), &author()).unwrap();
    assert_eq!(open(&db, "INV-1001"), 0);
    let first = payments::get(&db, &payment, Date::LAST, i64::MAX).unwrap();
    assert_eq!(first.unallocated.minor, 0);
    holds(&db);
}

#[test]
fn what_names_something_unknown_is_not_booked_by_its_amount() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    invoice(&db, "INV-100001", "C1", "2026-10-01", 10_000);
    let reference =
        |text: &str| Line { reference: text.into(), ..pays(10_000, "", "Müller", KNOWN) };
    let lines = [
        pays(10_000, "INV-100009", "Müller", KNOWN),
        pays(10_000, "RF19539007547034", "Müller", KNOWN),
        reference("RF19539007547034"),
        reference("210000000003139471430009018"),
        reference("4711471147"),
    ];
    let counts = take(&db, "S1", &lines);
    assert_eq!((counts.automatic, counts.review), (0, 5), "{:?}", matches(&db, None));
    for of in matches(&db, None) {
        assert!(of.candidates[0].reasons.contains(&MatchReason::ReferenceUnknown), "{of:?}");
    }
    assert_eq!(take(&db, "S2", &[pays(10_000, "Kd 100234 danke", "Müller", KNOWN)]).automatic, 1);
}

#[test]
fn a_name_that_two_customers_share_tells_nothing_of_them_and_money_for_two_is_two_payments() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    customer(&db, "C2", "Müller AG", None);
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    invoice(&db, "INV-2001", "C2", "2026-10-01", 20_000);
    let counts = take(
        &db,
        "S1",
        &[
            pays(10_000, "danke", "Müller", STRANGE),
            pays(10_000, "INV-1001", "Müller", STRANGE),
            pays(30_000, "INV-1001 INV-2001", "Müller", STRANGE),
        ],
    );
    assert_eq!((counts.automatic, counts.review), (1, 2));
    let waiting = matches(&db, Some(MatchState::Review));
    assert!(waiting[0].candidates[0].reasons.contains(&MatchReason::PayerNameShared));
    let both = json!([{"invoice_id": "INV-1001", "minor": 10_000}, {"invoice_id": "INV-2001", "minor": 20_000}]);
    let said = from(json!({"customer_id": "C2", "designation": both}));
    let refused = bank::confirm(&db, &waiting[1].id, &said, &author());
    assert!(format!("{refused:?}").contains("a payment for each of them"), "{refused:?}");
    assert_eq!(code(refused), Refusal::InvoiceOfAnotherCustomer);
}

/// Two statements of savings banks, of one day, without any reference of the bank.
const CHAINED: [&str; 2] = [
    "\
:20:N1
:25:DE89370400440532013000
:28C:00210/001
:60F:C261031EUR1000,00
:61:2610311031C500,00NTRFNONREF
:86:166?00GUTSCHRIFT?20SVWZ+Rate Mietvertrag?31DE02120300000000202051?32STADTWERKE
:62F:C261031EUR1500,00
-
",
    "\
:20:N2
:25:DE89370400440532013000
:28C:00211/001
:60F:C261031EUR1500,00
:61:2610311031C500,00NTRFNONREF
:86:166?00GUTSCHRIFT?20SVWZ+Rate Mietvertrag?31DE02120300000000202051?32STADTWERKE
:62F:C261031EUR2000,00
-
",
];

#[test]
fn equal_entries_of_statements_that_follow_each_other_are_two() {
    for order in [[0, 1], [1, 0]] {
        let (_folder, db) = db();
        customer(&db, "C1", "Stadtwerke", Some(KNOWN));
        for at in order {
            let text = CHAINED[at];
            let name = format!("N{at}");
            let found = take_in_as(&db, &name, text, BankFormat::Mt940).unwrap().bank.unwrap();
            assert_eq!((found.matches.automatic, found.gaps), (1, None), "{order:?}");
        }
        // The day again, as one statement: both are known.
        let day = CHAINED[0].replace(":20:N1", ":20:DAY").replace("00210", "00300");
        let again = day.replace("EUR1500,00\n-", "EUR1500,00\n");
        let entry = &again[again.find(":61:").unwrap()..again.find(":62F:").unwrap()];
        let both = again.replace(entry, &entry.repeat(2)).replace("1500,00", "2000,00");
        let found = take_in_as(&db, "DAY", &both, BankFormat::Mt940).unwrap().bank.unwrap();
        assert_eq!(found.matches.already_booked, 2);
        holds(&db);
    }
}

#[test]
fn an_account_of_ours_is_one_however_a_statement_spells_it() {
    let camt = camt("S1", &[paid("2611160000017", "", "INV-1001")]);
    let mt940 = MT940.replace("//B-1", "//2611160000017").replace("?20EREF+E1?21", "?20");
    for (iban, spelled) in [
        ("DE86100100100006820199", "10010010/0006820199"),
        ("DE86100100100006820199", "10010010/6820199"),
        ("NL50RABO0123456789", "NL50RABO0123456789 EUR"),
        ("NL50RABO0123456789", "0123456789"),
    ] {
        let camt = camt.replace("DE89370400440532013000", iban);
        let mt940 = mt940.replace("DE89370400440532013000", spelled);
        for first in [BankFormat::Camt053, BankFormat::Mt940] {
            let (_folder, db) = db();
            book(&db);
            let of = |format| if format == first { "first" } else { "second" };
            let as_camt = || take_in(&db, of(BankFormat::Camt053), &camt).unwrap().bank.unwrap();
            let as_mt940 = || {
                let name = of(BankFormat::Mt940);
                take_in_as(&db, name, &mt940, BankFormat::Mt940).unwrap().bank.unwrap()
            };
            let (one, other) = match first {
                BankFormat::Camt053 => (as_camt(), as_mt940()),
                BankFormat::Mt940 => (as_mt940(), as_camt()),
            };
            let automatic = one.matches.automatic + other.matches.automatic;
            assert_eq!((automatic, other.matches.already_booked), (2, 1), "{spelled} {first:?}");
            assert_eq!((one.gaps, other.gaps.map(|gaps| gaps.len())), (None, None));
            assert_eq!(open(&db, "INV-1003"), 10_000);
            holds(&db);
        }
    }
}

#[test]
fn under_an_account_that_nobody_can_tell_it_waits() {
    let (_folder, db) = db();
    book(&db);
    let one = camt("S1", &[paid("B-9", "", "INV-1001")]);
    assert_eq!(take_in(&db, "S1", &one).unwrap().bank.unwrap().matches.automatic, 1);
    let other = one.replace("DE89370400440532013000", "KONTO7").replace(">S1<", ">S2<");
    let found = take_in(&db, "S2", &other).unwrap().bank.unwrap().matches;
    assert_eq!((found.automatic, found.review), (0, 1));
    let waits = matches(&db, Some(MatchState::Review)).remove(0);
    assert!(waits.candidates[0].reasons.contains(&MatchReason::PerhapsRepeated), "{waits:?}");
    holds(&db);
}

#[test]
fn a_mistake_of_what_is_left_is_refused_until_what_went_back_is_taken_back() {
    // How something went back before, whether the rest may be a mistake.
    for (kind, may) in [
        (None, true),
        (Some("mistake"), true),
        (Some("debit"), false),
        (Some("chargeback"), false),
        (Some("refund"), false),
    ] {
        let (_folder, db) = db();
        book(&db);
        customer(&db, "C9", "Recht GmbH", None);
        invoice(&db, "INV-9001", "C9", "2026-10-31", 74_000);
        let credit = Line { end_to_end: "E-9".into(), ..pays(74_000, "", "Somebody", STRANGE) };
        assert_eq!(take(&db, "S1", std::slice::from_ref(&credit)).automatic, 0);
        let of = matches(&db, None).remove(0).id;
        bank::confirm(&db, &of, &from(json!({"customer_id": "C1"})), &author()).unwrap();
        let booked = bank::get(&db, &of).unwrap().payment_id.unwrap();
        let back = |payment: &Id, kind: &str, called: &str, minor: Option<i64>| {
            let new = from(json!({"kind": kind, "minor": minor}));
            payments::reverse(&db, payment, &new, id(called), &author())
        };
        let mut debit = None;
        match kind {
            Some("debit") => {
                take(&db, "S2", &[Line { minor: -4_000, ..credit }]);
                let of = matches(&db, Some(MatchState::Review)).remove(0).id;
                bank::confirm(&db, &of, &from(json!({"candidate": 1})), &author()).unwrap();
                debit = Some(of);
            }
            Some(kind) => drop(back(&booked, kind, "B1", Some(4_000)).unwrap()),
            None => {}
        }
        let called = debit.as_ref().map_or("B1".into(), |of| format!("bank-{of}"));
        if !may {
            assert_eq!(code(back(&booked, "mistake", "M1", None)), Refusal::WrongState, "{kind:?}");
            // One cent less is no mistake of all, and is taken back again.
            back(&booked, "mistake", "M2", Some(69_999)).unwrap();
            assert_eq!(code(back(&booked, "mistake", "M3", Some(1))), Refusal::WrongState);
            let undoing: ReversalUndoing = from(json!({"reason": "not of this one"}));
            payments::undo(&db, &id("M2"), &undoing, &author()).unwrap();
            payments::undo(&db, &id(&called), &undoing, &author()).unwrap();
        }
        back(&booked, "mistake", "M1", None).unwrap();
        bank::confirm(&db, &of, &from(json!({"customer_id": "C9"})), &author()).unwrap();
        if let Some(debit) = debit {
            let anew = bank::get(&db, &of).unwrap().payment_id;
            bank::confirm(&db, &debit, &from(json!({"payment_id": anew})), &author()).unwrap();
        }
        // What came is there once.
        let when = (Date::LAST, i64::MAX);
        let all = ["C1", "C9"].map(|of| payments::page(&db, &id(of), &(String::new(), 0), 9, when));
        let left = all.into_iter().flat_map(Result::unwrap);
        let left: i64 = left.map(|(of, _)| of.amount.minor - of.returned_minor).sum();
        let debited = if kind == Some("debit") { 4_000 } else { 0 };
        assert_eq!(left, 74_000 - debited, "{kind:?}");
        holds(&db);
    }
}

#[test]
fn what_was_booked_by_mistake_is_not_corrected() {
    // What it was corrected to before the mistake, how often its entry was confirmed since, what it is to be corrected to.
    for (before, confirmed, minor) in [
        (None, 0, 80_000),
        (None, 1, 80_000),
        (None, 1, 74_000),
        (Some(50_000), 1, 74_000),
        (None, 1, 1),
    ] {
        let told = format!("{before:?} {confirmed} {minor}");
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", None);
        customer(&db, "C2", "Keller GmbH", None);
        take(&db, "S1", &[pays(74_000, "", "Somebody", STRANGE)]);
        let of = matches(&db, None).remove(0).id;
        bank::confirm(&db, &of, &from(json!({"customer_id": "C1"})), &author()).unwrap();
        let booked = bank::get(&db, &of).unwrap().payment_id.unwrap();
        let correct = |payment: &Id, minor: i64| {
            let new = from(json!({"minor": minor, "reason": "typed wrongly"}));
            payments::correct(&db, payment, &new, &author())
        };
        if let Some(minor) = before {
            assert_eq!(correct(&booked, minor).unwrap(), Change::Replaced, "{told}");
        }
        let mistake = from(json!({"kind": "mistake"}));
        payments::reverse(&db, &booked, &mistake, id("M1"), &author()).unwrap();
        if confirmed > 0 {
            bank::confirm(&db, &of, &from(json!({"customer_id": "C2"})), &author()).unwrap();
        }
        assert_eq!(code(correct(&booked, minor)), Refusal::WrongState, "{told}");
        let left = payments::get(&db, &booked, Date::LAST, i64::MAX).unwrap();
        assert_eq!(left.unallocated.minor, 0, "{told}");
        if confirmed > 0 {
            // What took its place is corrected like any other.
            let now = bank::get(&db, &of).unwrap().payment_id.unwrap();
            assert_eq!(correct(&now, 73_000).unwrap(), Change::Replaced, "{told}");
        }
        holds(&db);
    }
}

#[test]
fn what_of_a_credit_its_payment_does_not_stand_for_any_more_is_found() {
    // Of 740.00, what happens to the payment, how much is booked nowhere, and in which state the match is.
    let (automatic, review) = (MatchState::Automatic, MatchState::Review);
    for (steps, unbooked, state) in [
        (vec![], None, automatic),
        (vec![("mistake", 4_000)], Some(4_000), automatic),
        (vec![("mistake", 4_000), ("undo", 0)], None, automatic),
        (vec![("refund", 4_000)], None, automatic),
        (vec![("refund", 70_000), ("mistake", 3_999)], Some(3_999), automatic),
        (vec![("correct", 73_999)], Some(1), automatic),
        (vec![("correct", 73_000), ("mistake", 4_000)], Some(5_000), automatic),
        (vec![("correct", 80_000)], None, automatic),
        (vec![("correct", 80_000), ("mistake", 6_000)], None, automatic),
        (vec![("mistake", 4_000), ("mistake", 70_000)], None, review),
    ] {
        let (_folder, db) = db();
        book(&db);
        invoice(&db, "INV-1009", "C1", "2026-10-31", 74_000);
        let credit =
            Line { end_to_end: "E-9".into(), ..pays(74_000, "INV-1009", "Müller", KNOWN) };
        let other = pays(10_000, "INV-1001", "Müller GmbH", KNOWN);
        assert_eq!(take(&db, "S1", &[credit, other]).automatic, 2);
        let of = matches(&db, None).remove(0);
        let booked = of.payment_id.unwrap();
        for (number, (what, minor)) in steps.iter().enumerate() {
            let called = id(&format!("R{number}"));
            let done = match *what {
                "undo" => {
                    let why = from(json!({"reason": "it was"}));
                    payments::undo(&db, &id("R0"), &why, &author()).map(|done| done.1)
                }
                "correct" => {
                    let new =
                        from(json!({"minor": minor, "designation": [], "reason": "typed wrongly"}));
                    payments::correct(&db, &booked, &new, &author())
                }
                kind => {
                    let new = from(json!({"kind": kind, "minor": minor}));
                    payments::reverse(&db, &booked, &new, called, &author())
                }
            };
            assert!(done.is_ok(), "{steps:?}: {done:?}");
        }
        let now = bank::get(&db, &of.id).unwrap();
        assert_eq!((now.unbooked_minor, now.state), (unbooked, state), "{steps:?}");
        for (state, wanted) in [(None, true), (Some(automatic), true), (Some(review), false)] {
            let listed = matches_of(&db, (state, true));
            let listed: Vec<_> = listed.iter().map(|of| (&of.id, of.unbooked_minor)).collect();
            let expected = if wanted && unbooked.is_some() { 1 } else { 0 };
            assert_eq!(listed, vec![(&of.id, unbooked); expected], "{steps:?} {state:?}");
        }
        // All are listed with it, and the other one has none.
        let all: Vec<_> = matches(&db, None).iter().map(|of| of.unbooked_minor).collect();
        assert_eq!(all, [unbooked, None], "{steps:?}");
        holds(&db);
    }
}

#[test]
fn an_entry_of_which_another_statement_has_one_that_was_booked_since_is_asked() {
    // The texts of an entry in as many statements, all of which the bank gives the same reference: which of them is booked
    // first, how that is undone or not, which is confirmed then, and whether it may be the same.
    for (texts, first, undone, then, perhaps) in [
        (vec!["foo", "bar"], 1, None, 0, true),
        (vec!["foo", "foo"], 1, None, 0, true),
        (vec!["foo", "bar"], 1, Some("mistake"), 0, false),
        (vec!["foo", "bar"], 1, Some("returned"), 0, true),
        // Whoever confirms the second sees that it may be the first.
        (vec!["foo", "bar"], 0, None, 1, false),
        (vec!["foo", "bar", "third"], 2, None, 1, true),
        (vec!["foo", "bar", "third"], 1, None, 2, true),
    ] {
        for minor in [5_555, -5_555] {
            let told = format!("{texts:?} {first} {undone:?} {then} {minor}");
            let (_folder, db) = db();
            customer(&db, "C1", "Müller GmbH", None);
            payments::add(
                &db,
                &from(json!({"id": "P", "customer_id": "C1", "received_on": "2026-09-01",
                    "amount": {"minor": 90_000, "currency": "EUR"}})),
                id("P"),
                &author(),
            )
            .unwrap();
            for (number, text) in texts.iter().enumerate() {
                let line = Line { bank: "B-1".into(), ..pays(minor, text, "Müller GmbH", "") };
                let opening = 1_000_000 * i64::try_from(number + 1).unwrap();
                let name = format!("S{number}");
                take_in(&db, &name, &camt_from(&name, opening, &[line])).unwrap();
            }
            let all: Vec<Id> = matches(&db, None).into_iter().map(|of| of.id).collect();
            let confirm = |at: usize, another: bool| {
                let said = match minor > 0 {
                    true => json!({"customer_id": "C1", "another": another}),
                    false => json!({"payment_id": "P", "another": another}),
                };
                bank::confirm(&db, &all[at], &from(said), &author())
            };
            confirm(first, false).unwrap();
            let booked = id(&format!("bank-{}", all[first]));
            match (undone, minor > 0) {
                (Some(kind), true) => {
                    let back = from(json!({"kind": kind}));
                    payments::reverse(&db, &booked, &back, id("R1"), &author()).unwrap();
                }
                (Some("mistake"), false) => {
                    let undoing: ReversalUndoing = from(json!({"reason": "of another"}));
                    payments::undo(&db, &booked, &undoing, &author()).unwrap();
                }
                _ => {}
            }
            if perhaps {
                let refused = confirm(then, false);
                assert!(format!("{refused:?}").contains(all[first].as_str()), "{told} {refused:?}");
                assert_eq!(code(refused), Refusal::PerhapsBooked, "{told}");
            }
            assert_eq!(confirm(then, perhaps).unwrap(), Change::Replaced, "{told}");
            assert_eq!(confirm(then, false).unwrap(), Change::AlreadySo, "{told}");
            holds(&db);
        }
    }
}
