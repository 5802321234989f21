//! The demo company over HTTP: whether the score finds those who were made to fail.

use chrono::{Days, NaiveDate};
use dunlin::demo::{Options, Truth, auc, generate};
use dunlin_tests::{App, Value};
use std::collections::BTreeMap;

/// The least of all pairs of a failing and a sound customer that the score must put in the right order.
const LEAST_AUC: f64 = 0.8;

/// The same of the grade so many days before the default.
const LEAST_AUC_BEFORE: f64 = 0.85;

/// How long before its default a customer is looked at.
const DAYS_BEFORE: u64 = 60;

/// A default is recorded when a debt is so many days past due, which begins when the customer stops paying.
const DEFAULT_DAYS: u64 = 90;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 3, 31).unwrap()
}

/// The rank of each customer's grade and its part on its day, the worst first, with whether it fails.
fn ranked(app: &App, truth: &Truth, after_the_last_payment: u64) -> f64 {
    let rank = |id: &str, day: NaiveDate| -> Option<f64> {
        let card = app.get(&format!("/v1/score/customers/{id}?as_of={day}")).ok();
        let letter = card["grade"].as_str()?.bytes().next()?;
        Some(f64::from(letter) * 3.0 + card["notch"].as_f64()?)
    };
    let pairs = truth.customers.iter().filter_map(|one| {
        // Who never defaults is looked at as long before the last day that the books tell of.
        let on = match one.default_on.filter(|_| one.bad) {
            Some(on) => on + Days::new(after_the_last_payment),
            None => today(),
        };
        Some((rank(&one.id, on - Days::new(DAYS_BEFORE))?, one.bad))
    });
    auc(&pairs.collect::<Vec<_>>()).unwrap()
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

    let truth = Truth::parse(&company.truth_json).unwrap();
    let (early, before) = (ranked(&app, &truth, 0), ranked(&app, &truth, DEFAULT_DAYS));
    println!(
        "seed {seed}: grade {DAYS_BEFORE} days before the default, {DEFAULT_DAYS} days past due: AUC {before:.3}; \
         {DAYS_BEFORE} days before the payments stop: AUC {early:.3}"
    );
    assert!(before >= LEAST_AUC_BEFORE, "seed {seed}: AUC {before:.3}");

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
