//! What is claimed and given up of interest.

use super::*;

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
fn invoices_of_which_too_much_was_claimed_are_listed_until_it_is_taken_back() {
    let (_folder, db) = world(json!({"rate": "0.10"}));
    for (name, of) in [("I1", "C1"), ("I2", "C1"), ("I3", "C2"), ("I4", "C1")] {
        add(&db, &bill(name, of, "2024-01-01", 10_000_000));
    }
    // All that I1 bears by then is given up, of the others it is claimed.
    give_up(&db, "W1", "2024-02-05", 95_890).unwrap();
    for (name, of, customer) in [("N2", "I2", "C1"), ("N3", "I3", "C2"), ("N4", "I4", "C1")] {
        let note = about(name, "interest-note", of, "2024-02-05", 95_890);
        add(&db, &NewInvoice { customer_id: id(customer), ..note });
    }
    let before = dunlin_store::audit::head(&db).unwrap().unwrap().0;
    for (name, of, customer) in [("P1", "I1", "C1"), ("P2", "I2", "C1"), ("P3", "I3", "C2")] {
        pay(&db, name, customer, "2024-01-21", 10_000_000, Some(of));
    }
    let list = |after: &str, limit: u32, of: Option<&str>, on: &str, known: i64| {
        let when = dunlin_store::When { day: day(on), known };
        let of = of.map(id);
        let (found, next) = interest::excess(&db, after, limit, of.as_ref(), when).unwrap();
        let line = |of: dunlin_domain::contract::ledger::InterestExcess| {
            let notes: Vec<String> = of.notes.iter().map(ToString::to_string).collect();
            let sums = [of.accrued.minor, of.noted_minor, of.waived_minor, of.excess_minor];
            (format!("{} {} {notes:?}", of.invoice_id, of.customer_id), sums)
        };
        (found.into_iter().map(line).collect::<Vec<_>>(), next)
    };
    let (claimed, given_up) = ([54_795, 95_890, 0, 41_095], [54_795, 0, 95_890, 41_095]);
    let first = ("I1 C1 []".to_string(), given_up);
    let second = ("I2 C1 [\"N2\"]".to_string(), claimed);
    let third = ("I3 C2 [\"N3\"]".to_string(), claimed);
    let (on, all) = ("2024-02-05", [first.clone(), second.clone(), third.clone()].to_vec());
    assert_eq!(list("", 10, None, on, KNOWN), (all.clone(), None));
    assert_eq!(list("", 2, None, on, KNOWN), (all[..2].to_vec(), Some(id("I2"))));
    assert_eq!(list("I2", 2, None, on, KNOWN), (vec![third.clone()], None));
    assert_eq!(list("", 10, Some("C2"), on, KNOWN), (vec![third.clone()], None));
    assert_eq!(list("", 10, None, "2024-02-04", KNOWN), (vec![], None), "nothing was claimed yet");
    assert_eq!(list("", 10, None, on, before), (vec![], None), "nothing was known to be paid");
    // A waiver below zero and a credit note about the note take it back.
    give_up(&db, "W2", on, -41_095).unwrap();
    add(&db, &about("G2", "credit-note", "N2", on, 41_095));
    assert_eq!(list("", 10, None, on, KNOWN), (vec![third.clone()], None));
    // A page looks at so many and may have none though others follow.
    for sql in [
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200)
         INSERT INTO invoice (id, customer_key, kind, issued_on, due_on, amount_minor, open_minor, currency, disputed)
         SELECT printf('A%03d', n), 3, 'invoice', '2024-01-01', '2024-01-01', 1000000, 1000000, 'EUR', 0 FROM n",
        "INSERT INTO interest_entry (id, customer_key, invoice_key, booked_on, minor)
         SELECT 'waiver/' || id, customer_key, key, '2024-02-05', -1 FROM invoice WHERE customer_key = 3",
    ] {
        db.execute(sql, &[]).unwrap();
    }
    assert_eq!(list("", 10, None, on, KNOWN), (vec![], Some(id("A200"))));
    assert_eq!(list("A200", 10, None, on, KNOWN), (vec![third], None));
}

#[test]
fn a_note_that_claims_nothing_any_more_is_not_listed_as_one_to_take_back() {
    let (_folder, db) = world(json!({"rate": "0.10"}));
    add(&db, &bill("I1", "C1", "2024-01-01", 10_000_000));
    assert_eq!(claim(&db, "N1", "2024-01-06"), Ok(Change::Made));
    assert_eq!(claim(&db, "N2", "2024-02-05"), Ok(Change::Made));
    pay(&db, "P1", "C1", "2024-01-21", 10_000_000, Some("I1"));
    let listed = |on: &str| {
        let when = dunlin_store::When { day: day(on), known: KNOWN };
        let found = interest::excess(&db, "", 10, None, when).unwrap().0.remove(0);
        (found.excess_minor, found.notes)
    };
    assert_eq!(listed("2024-02-05"), (41_095, vec![id("N1"), id("N2")]));
    add(&db, &about("G1", "credit-note", "N1", "2024-02-06", 13_698));
    assert_eq!(listed("2024-02-06"), (27_397, vec![id("N1"), id("N2")]));
    add(&db, &about("G2", "credit-note", "N1", "2024-02-07", 1));
    assert_eq!(listed("2024-02-07"), (27_396, vec![id("N2")]));
    assert_eq!(listed("2024-02-06").1, [id("N1"), id("N2")]);
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
    assert!(dunlin_store::ageing::by_day(&db, on.into(), basis).is_ok());
}
