//! Fees of banks inside entries, and money that comes back without a mark.

use crate::support::*;
use dunlin_app::{bank, ledger::Change, payment as payments};
use dunlin_domain::{Date, Refusal, contract::bank::*};
use dunlin_store::native::NativeDb;
use serde_json::json;

fn book(db: &NativeDb) {
    customer(db, "C1", "Müller GmbH", Some(KNOWN));
    customer(db, "C2", "Keller AG", None);
    for (name, of, minor) in [
        ("RE-1001", "C1", 100_000),
        ("RE-1002", "C1", 15_000),
        ("RE-2001", "C2", 20_000),
        ("RE-2002", "C2", 30_000),
    ] {
        invoice(db, name, of, "2026-10-01", minor);
    }
}

/// A statement of one entry, with more inside its transaction and inside the entry itself.
fn with(name: &str, line: Line, of_part: &str, of_entry: &str) -> String {
    let text = camt(name, &[line]);
    let text = text.replace("<TxDtls>", &format!("<TxDtls>{of_part}"));
    text.replace("<NtryDtls>", &format!("{of_entry}<NtryDtls>"))
}

fn counts(db: &NativeDb, name: &str, text: &str) -> MatchCounts {
    take_in(db, name, text).unwrap().bank.unwrap().matches
}

const INSTRUCTED: &str = "<AmtDtls><InstdAmt><Amt Ccy=\"EUR\">1000.00</Amt></InstdAmt></AmtDtls>";
const CHARGED: &str = "<Chrgs><Rcrd><Amt Ccy=\"EUR\">5.00</Amt></Rcrd></Chrgs>";

#[test]
fn a_fee_inside_a_credit_is_deducted_from_what_it_pays() {
    for (of_part, of_entry) in [
        (format!("{INSTRUCTED}{CHARGED}"), String::new()),
        (INSTRUCTED.into(), CHARGED.into()),
        (INSTRUCTED.into(), String::new()),
        (String::new(), format!("{INSTRUCTED}{CHARGED}")),
    ] {
        let (_folder, db) = db();
        book(&db);
        let line = pays(99_500, "RE-1001", "Müller GmbH", KNOWN);
        assert_eq!(counts(&db, "S1", &with("S1", line, &of_part, &of_entry)).automatic, 1);
        assert_eq!(open(&db, "RE-1001"), 0, "{of_part}");
        let of = matches(&db, None).remove(0);
        assert_eq!((of.minor, of.instructed_minor), (99_500, Some(100_000)));
        let paid = payments::get(&db, &of.payment_id.unwrap(), Date::LAST, i64::MAX).unwrap();
        assert_eq!((paid.amount.minor, paid.unallocated.minor), (99_500, 0));
        let fee = json!([{"invoice_id": "RE-1001", "minor": 500, "reason": "bank-charge"}]);
        assert_eq!(serde_json::to_value(paid.deductions).unwrap(), fee);
        holds(&db);
    }
}

#[test]
fn a_credit_with_a_fee_that_waits_is_confirmed_with_it() {
    let (_folder, db) = db();
    book(&db);
    let line = pays(99_500, "1001", "Somebody", STRANGE);
    let text = with("S1", line, INSTRUCTED, CHARGED);
    assert_eq!(counts(&db, "S1", &text).review, 1);
    let of = matches(&db, None).remove(0);
    bank::confirm(&db, &of.id, &from(json!({"candidate": 1})), &author()).unwrap();
    assert_eq!(open(&db, "RE-1001"), 0);
    holds(&db);
}

#[test]
fn a_batch_less_the_fee_is_cut_and_the_fee_goes_out_on_its_own() {
    let (_folder, db) = db();
    book(&db);
    let part = |minor: i64, text: &str, name: &str| {
        format!(
            "<TxDtls><Refs><EndToEndId>E{minor}</EndToEndId></Refs><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
             <RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>",
            amount(minor)
        )
    };
    let text = camt("S1", &[pays(64_700, "", "", "")]);
    let (from, to) = (text.find("<NtryDtls>").unwrap(), text.find("</NtryDtls>").unwrap());
    let parts = [
        part(15_000, "RE-1002", "Müller GmbH"),
        part(20_000, "RE-2001", "Keller AG"),
        part(30_000, "RE-2002", "Keller AG"),
    ];
    let fee = "<Chrgs><Rcrd><Amt Ccy=\"EUR\">3.00</Amt></Rcrd></Chrgs>";
    let cut = format!("{}{fee}<NtryDtls>{}{}", &text[..from], parts.concat(), &text[to..]);
    let found = take_in(&db, "S1", &cut).unwrap().bank.unwrap();
    assert_eq!((found.matches.automatic, found.matches.unmatched), (3, 1));
    assert_eq!(bank::statement(&db, &found.statements[0]).unwrap().entries, 4);
    let out = matches(&db, Some(MatchState::Unmatched)).remove(0);
    assert_eq!((out.minor, out.payment_id), (-300, None));
    assert_eq!((open(&db, "RE-1002"), open(&db, "RE-2001"), open(&db, "RE-2002")), (0, 0, 0));
    // Without the fee it stays one entry.
    let (_folder, db) = self::db();
    book(&db);
    assert_eq!(counts(&db, "S1", &cut.replace(fee, "")).review, 1);
    holds(&db);
}

#[test]
fn money_that_comes_back_is_known_by_the_codes_of_the_bank() {
    let domain = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>";
    let own = "<BkTxCd><Prtry><Cd>NRTI+109+00931</Cd></Prtry></BkTxCd>";
    for (of_part, of_entry) in [(domain, ""), ("", domain), (own, ""), ("", own)] {
        let (_folder, db) = db();
        book(&db);
        let credit =
            Line { end_to_end: "DD-7".into(), ..pays(15_000, "RE-1002", "Müller", KNOWN) };
        assert_eq!(take(&db, "S1", std::slice::from_ref(&credit)).automatic, 1);
        let back = Line { minor: -15_000, ..credit };
        assert_eq!(counts(&db, "S2", &with("S2", back, of_part, of_entry)).automatic, 1);
        assert_eq!(open(&db, "RE-1002"), 15_000);
        holds(&db);
    }
}

#[test]
fn what_goes_out_with_the_reference_of_a_credit_is_somebodys_to_look_at() {
    let (_folder, db) = db();
    book(&db);
    let credit = Line { end_to_end: "DD-7".into(), ..pays(15_000, "RE-1002", "Müller", KNOWN) };
    assert_eq!(take(&db, "S1", std::slice::from_ref(&credit)).automatic, 1);
    let paid = matches(&db, None).remove(0).payment_id;
    // Nothing marks it, and the bank's fee is in the sum without a word.
    let found = take(&db, "S2", &[Line { minor: -15_350, ..credit.clone() }]);
    assert_eq!((found.automatic, found.review, found.unmatched), (0, 1, 0));
    let of = matches(&db, Some(MatchState::Review)).remove(0);
    assert_eq!((of.candidates.len(), &of.candidates[0].payment_id), (1, &paid));
    let all = bank::confirm(&db, &of.id, &from(json!({"candidate": 1})), &author());
    assert_eq!(code(all), Refusal::MoreThanOpen);
    let more =
        bank::confirm(&db, &of.id, &from(json!({"payment_id": paid, "minor": 15_351})), &author());
    assert_eq!(code(more), Refusal::MoreThanOpen);
    let some = from(json!({"candidate": 1, "minor": 15_000}));
    bank::confirm(&db, &of.id, &some, &author()).unwrap();
    assert_eq!(open(&db, "RE-1002"), 15_000);
    // All of it is back: the next one with the reference has no candidate.
    let again = Line { minor: -15_000, bank: "B-2".into(), ..credit };
    assert_eq!(take(&db, "S3", &[again]).unmatched, 1);
    holds(&db);
}

#[test]
fn of_a_return_with_the_banks_fee_what_was_instructed_goes_back() {
    let camt_fee = "<AmtDtls><InstdAmt><Amt Ccy=\"EUR\">150.00</Amt></InstdAmt></AmtDtls>\
        <Chrgs><Rcrd><Amt Ccy=\"EUR\">3.50</Amt></Rcrd></Chrgs>";
    let mt940 = |more: &str, text: &str| {
        format!(
            ":20:BACK\n:25:DE89370400440532013000\n:28C:00212/001\n:60F:C261031EUR150,00\n\
             :61:2610311031D153,50NRTIDD-7{more}\n:86:{text}\n:62F:D261031EUR3,50\n-\n"
        )
    };
    let credit = Line { end_to_end: "DD-7".into(), ..pays(15_000, "RE-1002", "Müller", KNOWN) };
    let back = Line { minor: -15_350, returned: true, ..credit.clone() };
    let files = [
        (with("S2", back, camt_fee, ""), BankFormat::Camt053),
        (mt940("\n/OCMT/EUR150,00/CHGS/EUR3,50/", "Rueckgabe"), BankFormat::Mt940),
        (
            mt940("", "/EREF/DD-7/RTRN/MD06/OCMT/EUR150,00/CHGS/EUR3,50/REMI/Rueckgabe"),
            BankFormat::Mt940,
        ),
        (
            mt940(
                "",
                "109?00RUECKLASTSCHRIFT?20EREF+DD-7?21OAMT+150,00?22COAM+3,50?23SVWZ+Rueckgabe",
            ),
            BankFormat::Mt940,
        ),
    ];
    for (text, format) in files {
        let (_folder, db) = db();
        book(&db);
        assert_eq!(take(&db, "S1", std::slice::from_ref(&credit)).automatic, 1);
        let found = take_in_as(&db, "S2", &text, format).unwrap().bank.unwrap();
        assert_eq!(found.matches.automatic, 1, "{text}");
        assert_eq!(open(&db, "RE-1002"), 15_000);
        let of = matches(&db, None).pop().unwrap();
        assert_eq!((of.minor, of.instructed_minor), (-15_350, Some(-15_000)), "{text}");
        holds(&db);
    }
}

#[test]
fn who_really_pays_is_read() {
    let ultimate = "<RltdPties><UltmtDbtr><Pty><Nm>Keller AG</Nm></Pty></UltmtDbtr></RltdPties>";
    let mt940 = ":20:U\n:25:DE89370400440532013000\n:28C:00211/001\n:60F:C261031EUR0,00\n\
        :61:2610311031C200,00NTRFNONREF\n\
        :86:166?20SVWZ+Zahlung?21ABWA+Keller AG?31DE75512108001245126199?32KONZERNKASSE\n\
        :62F:C261031EUR200,00\n-\n";
    let line = pays(20_000, "Zahlung", "Konzernkasse", STRANGE);
    for (text, format) in [
        (with("S1", line, ultimate, ""), BankFormat::Camt053),
        (mt940.to_string(), BankFormat::Mt940),
    ] {
        let (_folder, db) = db();
        book(&db);
        let found = take_in_as(&db, "S1", &text, format).unwrap().bank.unwrap();
        assert_eq!(found.matches.automatic, 1, "{text}");
        let of = matches(&db, None).remove(0);
        assert_eq!(of.ultimate_payer.as_deref(), Some("Keller AG"));
        assert_eq!(of.payer_name.unwrap().to_lowercase(), "konzernkasse");
        assert_eq!(open(&db, "RE-2001"), 0);
        // The account of a group's treasury is not learned by itself.
        assert!(bank::payer_accounts(&db, 0, 10).unwrap().is_empty());
        holds(&db);
    }
}

#[test]
fn what_the_bank_says_of_a_transaction_is_its_text_where_the_payer_says_nothing() {
    let (_folder, db) = db();
    book(&db);
    let line = pays(15_000, "", "Müller GmbH", STRANGE);
    let text = with("S1", line, "<AddtlTxInf>Rechnung RE-1002</AddtlTxInf>", "");
    assert_eq!(counts(&db, "S1", &text).automatic, 1);
    assert_eq!(matches(&db, None)[0].remittance.as_deref(), Some("Rechnung RE-1002"));
    assert_eq!(open(&db, "RE-1002"), 0);
    holds(&db);
}

#[test]
fn money_less_the_banks_fee_is_known_again_with_the_fee_and_without_it() {
    let add = |db: &NativeDb, name: &str, minor: i64, more: serde_json::Value| {
        let mut new = json!({
            "id": name, "customer_id": "C1", "received_on": "2026-11-01",
            "amount": {"minor": minor, "currency": "EUR"},
        });
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payments::add(db, &from(new), id("made"), &author()).map(|(_, change)| change)
    };
    let statement = || {
        let line = pays(99_500, "RE-1001", "Müller GmbH", KNOWN);
        with("S1", line, INSTRUCTED, CHARGED)
    };
    // Minor units, and whether it may be the money: 995.00 came of 1,000.00.
    for (minor, perhaps) in [
        (99_499, false),
        (99_500, true),
        (99_501, false),
        (99_999, false),
        (100_000, true),
        (100_001, false),
    ] {
        let (_folder, db) = db();
        book(&db);
        assert_eq!(counts(&db, "S1", &statement()).automatic, 1);
        let booked = matches(&db, None).remove(0).payment_id;
        let done = add(&db, "P1", minor, json!({}));
        match perhaps {
            true => assert_eq!(code(done), Refusal::PerhapsBooked, "{minor}"),
            false => assert_eq!(done.unwrap(), Change::Made, "{minor}"),
        }
        if perhaps {
            assert_eq!(add(&db, "P1", minor, json!({"same_as": booked})).unwrap(), Change::Made);
            assert_eq!(add(&db, "P1", minor, json!({})).unwrap(), Change::AlreadySo);
            // It has another name for all of it.
            assert_eq!(add(&db, "P2", minor, json!({})).unwrap(), Change::Made, "{minor}");
        }
        // The other order.
        let (_folder, db) = self::db();
        book(&db);
        add(&db, "P1", minor, json!({})).unwrap();
        counts(&db, "S1", &statement());
        let best = matches(&db, None).remove(0).candidates.remove(0);
        assert_eq!(best.reasons.contains(&MatchReason::PerhapsBooked), perhaps, "{minor}");
        holds(&db);
    }
    // In parts: what is left is less by what has a name, and one cent too much is refused.
    let (_folder, db) = db();
    book(&db);
    assert_eq!(counts(&db, "S1", &statement()).automatic, 1);
    let booked = matches(&db, None).remove(0).payment_id;
    let that = || json!({"same_as": booked});
    assert_eq!(code(add(&db, "P1", 100_001, that())), Refusal::DifferentContent);
    assert_eq!(add(&db, "P1", 40_000, that()).unwrap(), Change::Made);
    for minor in [59_500, 60_000] {
        assert_eq!(code(add(&db, "P2", minor, json!({}))), Refusal::PerhapsBooked, "{minor}");
    }
    assert_eq!(add(&db, "P2", 60_000, that()).unwrap(), Change::Made);
    holds(&db);
}

#[test]
fn what_is_known_with_the_banks_fee_goes_back_with_it() {
    let (_folder, db) = db();
    book(&db);
    let line = pays(99_500, "RE-1001", "Müller GmbH", KNOWN);
    assert_eq!(counts(&db, "S1", &with("S1", line, INSTRUCTED, CHARGED)).automatic, 1);
    let booked = matches(&db, None).remove(0).payment_id.unwrap();
    let new = json!({
        "id": "P1", "customer_id": "C1", "received_on": "2026-11-01", "same_as": booked,
        "amount": {"minor": 100_000, "currency": "EUR"},
    });
    payments::add(&db, &from(new), id("made"), &author()).unwrap();
    let back = |name: &str, called: &str, minor: i64| {
        let new = from(json!({"kind": "refund", "id": called, "minor": minor, "on": "2026-11-02"}));
        payments::reverse(&db, &id(name), &new, id("made"), &author())
    };
    let returned = || payments::get(&db, &booked, Date::LAST, i64::MAX).unwrap().returned_minor;
    back("P1", "R1", 40_000).unwrap();
    assert_eq!(code(back("P1", "R2", 60_001)), Refusal::MoreThanOpen);
    assert_eq!(code(back(booked.as_str(), "R2", 60_000)), Refusal::MoreThanOpen);
    assert_eq!(back("P1", "R2", 60_000).unwrap(), Change::Made);
    assert_eq!(returned(), 99_500);
    assert_eq!(back("P1", "R2", 60_000).unwrap(), Change::AlreadySo);
    assert_eq!(code(back("P1", "R3", 500)), Refusal::MoreThanOpen);
    holds(&db);
}

#[test]
fn the_part_of_a_document_is_known_again_with_the_fee_that_it_bears() {
    const OF_100: &str = "<AmtDtls><InstdAmt><Amt Ccy=\"EUR\">100.00</Amt></InstdAmt></AmtDtls>";
    const OF_98: &str = "<AmtDtls><InstdAmt><Amt Ccy=\"EUR\">98.00</Amt></InstdAmt></AmtDtls>";
    const CHARGED: &str = "<Chrgs><Rcrd><Amt Ccy=\"EUR\">8.00</Amt></Rcrd></Chrgs>";
    // What was instructed and came for two documents, minor units that name one of them, whether they may be of it: the
    // fee of 8.00 is deducted from the larger one. Of 98.00 two hundredths were kept as a discount.
    for (instructed, came, minor, names, perhaps) in [
        (OF_100, 9_200, 6_000, "RE-4101", true),
        (OF_100, 9_200, 5_200, "RE-4101", true),
        (OF_100, 9_200, 4_000, "RE-4102", true),
        (OF_100, 9_200, 5_999, "RE-4101", true),
        (OF_100, 9_200, 6_001, "RE-4101", false),
        (OF_100, 9_200, 6_000, "RE-4102", false),
        (OF_98, 9_000, 5_880, "RE-4101", true),
        (OF_98, 9_000, 5_080, "RE-4101", true),
        (OF_98, 9_000, 3_920, "RE-4102", true),
    ] {
        let told = format!("{minor} for {names} of {came}");
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", Some(KNOWN));
        for (name, due, minor) in [
            ("RE-4101", "2026-10-31", 6_000),
            ("RE-4102", "2026-10-31", 4_000),
            ("RE-4103", "2026-12-31", 50_000),
        ] {
            invoice(&db, name, "C1", due, minor);
        }
        let line = pays(came, "RE-4101 RE-4102", "Müller GmbH", KNOWN);
        counts(&db, "S1", &with("S1", line, instructed, CHARGED));
        let of = matches(&db, None).remove(0);
        let whole = if came == 9_200 { (6_000, 4_000) } else { (5_880, 3_920) };
        if of.state == MatchState::Review {
            let to = json!({"customer_id": "C1", "designation": [
                {"invoice_id": "RE-4101", "minor": whole.0}, {"invoice_id": "RE-4102", "minor": whole.1}]});
            bank::confirm(&db, &of.id, &from(to), &author()).unwrap();
        }
        let new = json!({
            "id": "P1", "customer_id": "C1", "received_on": "2026-10-31", "invoice_id": names,
            "amount": {"minor": minor, "currency": "EUR"},
        });
        let done = payments::add(&db, &from(new), id("made"), &author());
        match perhaps {
            true => assert_eq!(code(done), Refusal::PerhapsBooked, "{told}"),
            false => assert_eq!(done.unwrap().1, Change::Made, "{told}"),
        }
        holds(&db);
    }
}
