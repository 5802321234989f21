//! The demo company over HTTP: whether the score finds those who were made to fail. How early the grade does is held by
//! the test `warnings`.

use chrono::NaiveDate;
use dunlin::demo::{Options, Truth, auc, generate};
use dunlin_tests::{App, Value};
use std::collections::BTreeMap;

/// The least of all pairs of a failing and a sound customer that the score must put in the right order.
const LEAST_AUC: f64 = 0.8;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 3, 31).unwrap()
}

fn find_the_failing(seed: u64) {
    let today = today();
    let company = generate(&Options::new(seed, today));
    let app = App::start();
    for (kind, csv, rows) in [
        ("customers", &company.customers_csv, company.summary.customers),
        (
            "invoices",
            &company.invoices_csv,
            company.summary.invoices + company.summary.credit_notes,
        ),
        ("payments", &company.payments_csv, company.summary.payments),
    ] {
        let result = app.import(kind, csv.as_str());
        assert_eq!(result["accepted"], rows, "{kind} of seed {seed}: {result}");
        assert_eq!(
            app.import(kind, csv.as_str())["unchanged"],
            rows,
            "{kind} of seed {seed} again"
        );
    }
    let swept = app.sweep("2024-03-31");
    assert!(swept["counts"]["scored"].as_u64() >= Some(1), "{swept}");

    let lines = app.all("/v1/score/customers", 7);
    let score = |line: &Value| {
        Some((line["customer_id"].as_str()?.to_owned(), line["score"].as_str()?.parse().ok()?))
    };
    let scores: BTreeMap<String, f64> = lines.iter().filter_map(score).collect();
    // A low score is a high risk.
    let labelled =
        Truth::parse(&company.truth_json).unwrap().label(|id| scores.get(id).map(|score| -score));
    let auc = auc(&labelled).unwrap();
    println!(
        "seed {seed}: {} customers scored, {} of them fail: AUC {auc:.3}",
        labelled.len(),
        company.summary.bad_customers
    );
    assert!(auc >= LEAST_AUC, "seed {seed}: AUC {auc:.3}");

    // The books agree: what the generator says is owed is what the ageing says.
    let ageing = app.get("/v1/report/ageing?as_of=2024-03-31").ok();
    for (currency, balance) in &company.summary.balances {
        let line = ageing["totals"]
            .as_array()
            .unwrap()
            .iter()
            .find(|line| line["currency"] == *currency)
            .unwrap();
        let owed =
            line["total_minor"].as_i64().unwrap() - line["unapplied_minor"].as_i64().unwrap();
        assert_eq!(owed, *balance, "seed {seed}, {currency}: {line}");
    }
    let notices = app.all("/v1/remind/notices", 500);
    assert!(
        notices.iter().any(|notice| notice["level"] == "first"),
        "seed {seed}: nobody is reminded"
    );
}

#[test]
fn the_score_finds_the_customers_that_were_made_to_fail() {
    for seed in [1, 2, 3] {
        find_the_failing(seed);
    }
}
