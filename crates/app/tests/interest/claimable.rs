//! The list of late interest that can be claimed.

use super::*;
use dunlin_store::When;

fn list(db: &NativeDb, of: Option<&str>, on: &str) -> interest::Claimable {
    let of = of.map(id);
    interest::claimable(db, 0, 500, of.as_ref(), day(on).into()).unwrap()
}

/// Ids with accrued, fixed, noted, waived, claimable.
fn rows(found: &interest::Claimable) -> Vec<(String, [i64; 5])> {
    let row = |of: &dunlin_domain::contract::report::ClaimableInterest| {
        let amounts =
            [of.accrued_minor, of.fixed_minor, of.noted_minor, of.waived_minor, of.claimable_minor];
        (of.invoice_id.to_string(), amounts)
    };
    found.items.iter().map(row).collect()
}

#[test]
fn what_can_be_claimed_is_listed_by_document_and_summed_by_currency() {
    // 1,000 a day on a million, and 40.00 once.
    let (_folder, db) =
        world(json!({"rate": "0.365", "fixed_sums": [{"minor": 40}], "fixed_currency": "EUR"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    add(&db, &bill("I2", "C2", "2024-03-31", 1_000_000));
    // Paid on the last day, a day later, and not due yet.
    add(&db, &bill("I3", "C2", "2024-03-31", 5_000));
    pay(&db, "P3", "C2", "2024-03-31", 5_000, Some("I3"));
    add(&db, &bill("I4", "C2", "2024-03-31", 2_000_000));
    pay(&db, "P4", "C2", "2024-04-01", 2_000_000, Some("I4"));
    add(&db, &bill("I5", "C2", "2024-04-10", 1_000_000));
    let halves = serde_json::from_value(json!([
        {"due_on": "2024-04-05", "minor": 500_000}, {"due_on": "2024-05-31", "minor": 500_000}]));
    let parts = bill("I6", "C3", "2024-05-31", 1_000_000);
    add(&db, &NewInvoice { instalments: halves.unwrap(), ..parts });
    let dollars = Money::new(1_000_000, "USD".parse().unwrap());
    add(&db, &NewInvoice { amount: dollars, ..bill("I7", "C3", "2024-03-31", 1) });
    claim(&db, "N1", "2024-04-04").unwrap();
    for (on, wanted) in [
        ("2024-03-31", vec![]),
        (
            "2024-04-01",
            vec![
                ("I1", [1_000, 40, 0, 0, 1_040]),
                ("I2", [1_000, 40, 0, 0, 1_040]),
                ("I4", [2_000, 40, 0, 0, 2_040]),
                ("I7", [1_000, 0, 0, 0, 1_000]),
            ],
        ),
        // The note claims all of it on its day.
        (
            "2024-04-04",
            vec![
                ("I2", [4_000, 40, 0, 0, 4_040]),
                ("I4", [2_000, 40, 0, 0, 2_040]),
                ("I7", [4_000, 0, 0, 0, 4_000]),
            ],
        ),
        (
            "2024-04-10",
            vec![
                ("I1", [10_000, 40, 4_040, 0, 6_000]),
                ("I2", [10_000, 40, 0, 0, 10_040]),
                ("I4", [2_000, 40, 0, 0, 2_040]),
                ("I6", [2_500, 40, 0, 0, 2_540]),
                ("I7", [10_000, 0, 0, 0, 10_000]),
            ],
        ),
    ] {
        let found = list(&db, None, on);
        let wanted: Vec<(String, [i64; 5])> =
            wanted.into_iter().map(|(name, of)| (name.to_string(), of)).collect();
        assert_eq!(rows(&found), wanted, "{on}");
        for (name, amounts) in wanted {
            assert_eq!(sums(&db, &name, on), amounts, "{name} alone on {on}");
        }
    }
    let totals = list(&db, None, "2024-04-10").totals;
    let line = |of: &dunlin_domain::contract::report::ClaimableInterestTotal| {
        (
            of.currency.to_string(),
            of.invoices,
            of.accrued_minor,
            of.fixed_minor,
            of.noted_minor,
            of.claimable_minor,
        )
    };
    assert_eq!(
        totals.iter().map(line).collect::<Vec<_>>(),
        [("EUR".into(), 4, 24_500, 160, 4_040, 20_620), ("USD".into(), 1, 10_000, 0, 0, 10_000)]
    );
    // Of one customer.
    let of_one = list(&db, Some("C3"), "2024-04-10");
    assert_eq!(rows(&of_one).iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["I6", "I7"]);
    assert_eq!(rows(&list(&db, Some("C9"), "2024-04-10")), []);
    // What was given up is taken off, and all of it leaves nothing to list.
    waive(&db, "W1", Some(1_000)).unwrap();
    assert_eq!(rows(&list(&db, Some("C1"), "2024-05-31"))[0].1[3], 1_000);
    waive(&db, "W2", None).unwrap();
    assert_eq!(rows(&list(&db, Some("C1"), "2024-05-31")), []);
}

#[test]
fn what_cannot_be_told_says_what_is_missing_and_is_in_no_sum() {
    let reference = json!({"table": "house", "fixing": "floating"});
    let (_folder, db) = world(json!({"reference": reference}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    let found = list(&db, None, "2024-04-10");
    assert_eq!(rows(&found), [("I1".to_string(), [0; 5])]);
    let said = found.items[0].missing.clone().unwrap();
    assert!(said.contains("house"), "{said}");
    let alone = invoice::get(&db, &id("I1"), day("2024-04-10"), KNOWN).unwrap();
    assert_eq!((alone.interest_missing, found.totals.len()), (Some(said), 0));
    // A preset that did not hold yet lets nothing be claimed.
    let (_folder, db) = world(json!({"preset": "prc-sme-2020"}));
    add(
        &db,
        &NewInvoice { issued_on: day("2019-01-01"), ..bill("I1", "C1", "2019-03-31", 1_000_000) },
    );
    assert_eq!(rows(&list(&db, None, "2024-04-10")), []);
}

#[test]
fn without_a_clause_nothing_is_listed_and_a_contract_s_counts_without_the_policy_s() {
    let (_folder, db) = world(json!({"rate": "0.365"}));
    add(&db, &bill("I1", "C1", "2024-03-31", 1_000_000));
    db.execute("INSERT INTO policy (document) VALUES ('{}')", &[]).unwrap();
    assert_eq!(rows(&list(&db, None, "2024-04-10")), []);
    let agreed = json!({"customer_id": "C1", "effective_on": "2024-01-01", "late_interest": {"rate": "0.73"}});
    dunlin_app::contract::put(&db, &id("K1"), &serde_json::from_value(agreed).unwrap(), &author())
        .unwrap();
    add(
        &db,
        &NewInvoice { contract_id: Some(id("K1")), ..bill("I2", "C1", "2024-03-31", 1_000_000) },
    );
    let found = list(&db, None, "2024-04-01");
    assert_eq!(rows(&found), [("I2".to_string(), [2_000, 0, 0, 0, 2_000])]);
    assert_eq!(found.items[0].clause.as_deref(), Some("K1 version 1"));
}

#[test]
fn a_page_ends_at_its_limit_or_after_two_thousand_documents_and_goes_on() {
    let (_folder, db) = world(json!({"rate": "0.365", "grace_days": 30}));
    // Within the grace nothing is borne, and each has to be looked at.
    for from in [0, 2_100] {
        let sql = "WITH RECURSIVE n (v) AS (SELECT ?1 + 1 UNION ALL SELECT v + 1 FROM n WHERE v < ?1 + 2100)
            INSERT INTO invoice (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
            SELECT printf('B%05d', v), 1, 'invoice', '2024-01-01', '2024-03-31', 1000000, 'EUR', 0, 1000000 FROM n";
        db.execute(sql, &[from.into()]).unwrap();
    }
    for name in ["Z1", "Z2", "Z3"] {
        add(&db, &bill(name, "C2", "2024-01-31", 1_000_000));
    }
    let when: When = day("2024-04-10").into();
    let (mut found, mut pages, mut after) = (Vec::new(), Vec::new(), 0);
    loop {
        let page = interest::claimable(&db, after, 2, None, when).unwrap();
        pages.push(page.items.len());
        found.extend(rows(&page).into_iter().map(|row| row.0));
        let Some(next) = page.next else { break };
        after = next;
    }
    assert_eq!((found, pages), (vec!["Z1".into(), "Z2".into(), "Z3".into()], vec![0, 0, 2, 1]));
}
