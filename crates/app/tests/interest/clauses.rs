//! Which clause governs, and by which rates.

use super::*;

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

#[test]
fn a_segment_names_the_instalment_that_bears() {
    let (_folder, db) = world(json!({"rate": "0.365"}));
    add(&db, &in_halves("2024-03-31", "2024-04-10"));
    add(&db, &bill("I2", "C1", "2024-03-31", 1_000_000));
    let named = |name: &str| -> Vec<Option<String>> {
        of(&db, name, "2024-04-20").explained.into_iter().map(|of| of.invoice_id).collect()
    };
    let [first, second] = ["I1#1", "I1#2"].map(|name| Some(name.to_string()));
    assert_eq!(named("I1"), [first.clone(), second]);
    assert_eq!(named("I1#1"), [first]);
    assert_eq!(named("I2"), [None]);
}

#[test]
fn a_fixed_sum_is_charged_once_for_all_instalments() {
    let (_folder, db) = world(json!({"preset": "de-bgb-288"}));
    let new = in_halves("2024-03-31", "2024-04-30");
    add(&db, &new);
    // 12.62 percent: 30 days of the first half; then 61 days of it and 31 of the second.
    assert_eq!(sums(&db, "I1", "2024-04-30"), [5_186, 4_000, 0, 0, 9_186]);
    // 105.4548 and 53.5918: the cent is what both have left out.
    assert_eq!(sums(&db, "I1", "2024-05-31"), [15_905, 4_000, 0, 0, 19_905]);
    // An instalment says what it bears itself; what is claimed and given up stands with the whole.
    assert_eq!(claim(&db, "N1", "2024-05-31"), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-05-31"), [15_905, 4_000, 19_905, 0, 0]);
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
    let found = interest::of_invoice(&db, &id("I1"), day("2024-01-01"), KNOWN).map_err(refused);
    assert_eq!(found, Err((Refusal::UnknownPreset, "preset".into())));
    assert_eq!(sweep(&db, day("2024-01-01")), 1);
    // A note and a waiver have nothing to take.
    assert_eq!(claim(&db, "N1", "2024-01-01"), Err(more_than_open("invoice_id")));
    assert_eq!(waive(&db, "W1", None), Err(more_than_open("minor")));
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
fn a_document_says_that_the_preset_did_not_hold_yet() {
    let (_folder, db) = world(json!({"preset": "prc-sale-2019"}));
    let old = |name: &str, due: &str| {
        add(&db, &NewInvoice { issued_on: day("2019-01-01"), ..bill(name, "C1", due, 100_000) });
    };
    old("I1", "2019-08-18");
    old("I2", "2019-08-19");
    let new = in_halves("2019-08-18", "2019-08-19");
    let new = NewInvoice { id: Some(id("I3")), issued_on: day("2019-01-01"), ..new };
    add(&db, &new);
    let fee = NewInvoice { kind: "fee".parse().ok(), ..bill("F1", "C1", "2024-03-31", 500) };
    add(&db, &fee);
    let early = Some("prc-sale-2019 holds from 2019-08-20, not on 2019-08-19");
    for (name, bears, missing) in [
        ("I1", false, early),
        ("I2", true, None),
        ("I3", true, None),
        ("I3#1", false, early),
        ("I3#2", true, None),
        ("F1", false, None),
    ] {
        let read = invoice::get(&db, &id(name), day("2024-04-01"), KNOWN).unwrap();
        assert_eq!(read.interest.is_some_and(|of| of.accrued.minor > 0), bears, "{name}");
        assert_eq!(read.interest_missing.as_deref(), missing, "{name}");
    }
}

/// What a contract says that a document came under later is not read of a moment before.
#[test]
fn what_was_agreed_is_read_as_it_was_known() {
    let lpr = json!({"table": "lpr-1y", "fixing": "at-signing"});
    for clause in [
        json!({ "reference": lpr }),
        json!({ "rate": "0.02", "floor_rate": lpr }),
        json!({ "rate": "0.5", "cap_rate": lpr }),
    ] {
        let (_folder, db) = world(clause.clone());
        let agree = |name: &str, signed: &str| {
            let new = json!({"customer_id": "C1", "effective_on": "2020-05-01",
                "signed_on": signed});
            let new = serde_json::from_value(new).unwrap();
            dunlin_app::contract::put(&db, &id(name), &new, &author()).unwrap();
        };
        agree("K1", "2020-05-01");
        agree("K2", "2022-09-01");
        let issued_on = day("2024-12-01");
        add(&db, &NewInvoice { issued_on, ..bill("I1", "C1", "2024-12-31", 100_000_000) });
        let mut moments = vec![(last_entry(&db), 254_795, None)];
        for (contract, accrued) in [("K1", 316_438), ("K2", 300_000)] {
            let new = InvoiceCorrection { contract_id: Some(id(contract)), ..correction() };
            assert_eq!(invoice::correct(&db, &id("I1"), &new, &author()), Ok(Change::Replaced));
            moments.push((last_entry(&db), accrued, Some(id(contract))));
            // A version that comes later is none of the document's.
            agree(contract, "2020-03-01");
        }
        moments.push((KNOWN, 300_000, Some(id("K2"))));
        for (known, accrued, contract) in moments {
            let read = invoice::get(&db, &id("I1"), day("2025-01-30"), known).unwrap();
            let found = read.interest.map(|of| of.accrued.minor);
            assert_eq!((found, read.contract_id), (Some(accrued), contract.clone()), "{clause}");
            let when = dunlin_store::When { day: day("2025-01-30"), known };
            let page = invoice::page(&db, &id("C1"), &(String::new(), 0), 10, when).unwrap();
            let listed: Vec<_> = page.into_iter().map(|(of, _)| of.contract_id).collect();
            assert_eq!(listed, [contract], "{clause}");
        }
    }
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

#[test]
fn what_is_due_on_the_last_day_there_is_bears_nothing_and_reads() {
    let clauses = [
        json!({"rate": "0.12"}),
        json!({"rate": "0.12", "grace_days": 5}),
        json!({"rate": "0.12", "grace_days": 5, "grace_charged_later": true}),
        json!({"rate": "0.12", "cap_share": "0.2"}),
        json!({"rate": "0.02", "compounding": {"months": 12, "day": 20}}),
        json!({"preset": "prc-sale-2019"}),
        json!({"preset": "eu-2011-7"}),
    ];
    for clause in clauses {
        let (_folder, db) = world(clause.clone());
        for (name, due) in [("I0", "2199-12-25"), ("I2", "2199-12-30"), ("I3", "2199-12-31")] {
            add(&db, &bill(name, "C1", due, 1_000_000));
        }
        // One such instalment hides nothing of the other.
        add(&db, &NewInvoice { id: Some(id("I1")), ..in_halves("2024-03-31", "2199-12-31") });
        for on in ["2024-06-30", "2199-12-31"] {
            for name in ["I0", "I1", "I2", "I3", "I1#1", "I1#2"] {
                let found = invoice::get(&db, &id(name), day(on), KNOWN);
                let found = found.unwrap_or_else(|fault| panic!("{clause} {name}: {fault:?}"));
                let late = found.days_past_due > 0;
                let is_last = ["I3", "I1#2"].contains(&name);
                assert!(!(late && is_last), "{clause} {name} on {on}");
                let accrued = found.interest.map_or(0, |of| of.accrued.minor);
                assert!(!(accrued > 0 && is_last), "{clause} {name} on {on}");
            }
        }
        sweep(&db, day("2024-06-30"));
    }
    let (_folder, db) = world(json!({"rate": "0.12"}));
    add(&db, &NewInvoice { id: Some(id("I1")), ..in_halves("2024-03-31", "2199-12-31") });
    assert!(of(&db, "I1", "2024-06-30").accrued.minor > 0, "the first bears as before");
    add(&db, &bill("I2", "C1", "2199-12-30", 1_000_000));
    assert_eq!(of(&db, "I2", "2199-12-31").accrued.minor, 329, "one day");
}
