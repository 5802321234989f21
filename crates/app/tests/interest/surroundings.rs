//! Caps, fees, unpaid interest, and what documents are about.

use super::*;

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
        outcome: Some(DisputeOutcome::Upheld),
        upheld_minor: None,
        detail: None,
        replaces: None,
        undo: None,
    };
    dispute::resolve(db, &id(name), &resolution, &author()).unwrap();
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
fn what_stays_unpaid_of_instalments_is_what_all_bear_together_less_what_was_paid() {
    let clause =
        json!({"rate": "0.36", "day_count": "act-360", "compounding": {"months": 1, "day": 20}});
    let (_folder, db) = world(clause);
    let part = |on: &str, minor: i64| Instalment { due_on: day(on), minor };
    let parts = [part("2024-03-30", 400), part("2024-03-31", 420), part("2024-04-01", 400)];
    add(
        &db,
        &NewInvoice {
            due_on: None,
            instalments: Some(parts.to_vec()),
            ..bill("I1", "C1", "2024-04-01", 1_220)
        },
    );
    add(&db, &about("N1", "interest-note", "I1", "2024-04-20", 24));
    pay(&db, "P1", "C1", "2024-04-20", 17, Some("N1"));
    // 8.4, 8.4 and 7.6 by the end of the period: 8, 9 and 7 of 24, of which 17 are paid. Each by itself would be 8.
    let explained = of(&db, "I1", "2024-04-21").explained;
    let unpaid: Vec<(&str, Option<i64>)> = explained
        .iter()
        .filter(|of| of.from == day("2024-04-21"))
        .map(|of| (of.invoice_id.as_ref().unwrap().as_str(), of.unpaid_interest_minor))
        .collect();
    assert_eq!(unpaid, [("I1#3", Some(7))]);
    for on in ["2024-04-20", "2024-04-21", "2024-05-20", "2024-05-21", "2024-07-01"] {
        sweep(&db, day(on));
        let kept: i64 = lines(&db).iter().map(|line| line.2).sum();
        assert_eq!(kept, of(&db, "I1", on).accrued.minor, "{on}");
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
