//! A file that a stranger made, read with a profile.

use dunlin::demo::auc;
use dunlin_tests::{App, Value, json, sample};
use std::collections::HashMap;

const PROFILE: &str = include_str!("documents/ibm_profile.json");

/// The least of all pairs of a late and a prompt invoice that the payment index of the day of issue puts in order.
const LEAST_AUC: f64 = 0.85;

/// The days of the rows, written as M/D/YYYY.
fn day(text: &str) -> String {
    let parts: Vec<u32> = text.split('/').map(|part| part.parse().unwrap()).collect();
    format!("{:04}-{:02}-{:02}", parts[2], parts[0], parts[1])
}

/// Ranks each invoice by the payment index that its customer had on the day of issue, and asks whether it was paid late.
/// Who had no history then had paid nothing late: it counts as one who pays on the day, and is told apart as well.
fn rank_by_payment_index(app: &App, file: &str) {
    let mut known: HashMap<(String, String), Option<f64>> = HashMap::new();
    let (mut all, mut judged) = (Vec::new(), Vec::new());
    for row in file.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = row.trim().split(',').collect();
        let (customer, issued) = (fields[1].to_string(), day(fields[4]));
        let late = day(fields[8]) > day(fields[5]);
        let index = known.entry((customer, issued)).or_insert_with_key(|(customer, issued)| {
            let card = app.get(&format!("/v1/score/customers/{customer}?as_of={issued}")).ok();
            let indicators = card["indicators"].as_array().unwrap();
            let index = indicators.iter().find(|of| of["name"] == "payment-index").unwrap();
            Some(index["points"].as_str()?.parse::<f64>().unwrap() / 0.35)
        });
        all.push((-index.unwrap_or(80.0), late));
        judged.extend(index.map(|index| (-index, late)));
    }
    let (of_all, of_judged) = (auc(&all).unwrap(), auc(&judged).unwrap());
    println!(
        "payment index on the day of issue against late payment: AUC {of_all:.4} of {} invoices, {of_judged:.4} of {} \
         with a history",
        all.len(),
        judged.len()
    );
    assert!(of_all >= LEAST_AUC && of_judged >= LEAST_AUC, "{of_all:.4} {of_judged:.4}");
}

#[test]
fn two_years_of_a_real_ledger_come_out_to_the_cent() {
    let Some(file) = sample("two_years_of_a_real_ledger_come_out_to_the_cent") else { return };
    let text = String::from_utf8(file.clone()).unwrap();
    let rows = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64 - 1;
    let app = App::start();
    let profile: Value = serde_json::from_str(PROFILE).unwrap();
    app.put_json("/v1/ingest/profiles/ibm-accounts-receivable", &profile).ok();

    let query = "kind=invoices&profile=ibm-accounts-receivable&create_missing=customers";
    let result = app.import_with(query, file.clone()).ok();
    assert_eq!(
        (&result["received"], &result["accepted"]),
        (&json!(2 * rows), &json!(2 * rows)),
        "{result}"
    );
    assert_eq!(app.all("/v1/ingest/customers", 500).len(), 100);
    let again = app.import_with(query, file).ok();
    assert_eq!((&again["accepted"], &again["unchanged"]), (&json!(0), &json!(2 * rows)), "{again}");

    let ageing = app.get("/v1/report/ageing?as_of=2012-12-31&basis=due&edges=30,60,90").ok();
    let totals = &ageing["totals"][0];
    assert_eq!(ageing["totals"].as_array().unwrap().len(), 1, "{ageing}");
    assert_eq!(totals["currency"], "USD");
    assert_eq!(totals["not_due_minor"], 493_632, "{ageing}");
    assert_eq!(totals["buckets_minor"], json!([78_874, 0, 0, 0]), "{ageing}");
    assert_eq!(totals["total_minor"], 572_506, "{ageing}");

    // Every invoice was settled in the end.
    let later = app.get("/v1/report/ageing?as_of=2014-12-31").ok();
    assert_eq!(later["totals"], json!([]), "{later}");
    let first = app.get("/v1/ingest/invoices/0000611365?as_of=2013-01-14").ok();
    assert_eq!(
        (&first["open"]["minor"], &first["disputed"]),
        (&json!(5594), &json!(false)),
        "{first}"
    );
    let contested = app.get("/v1/ingest/invoices/0007900770?as_of=2013-03-03").ok();
    assert_eq!(
        (&contested["open"]["minor"], &contested["disputed"]),
        (&json!(0), &json!(true)),
        "{contested}"
    );

    rank_by_payment_index(&app, text.trim_start_matches('\u{feff}'));
}
