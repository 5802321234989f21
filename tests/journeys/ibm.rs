//! A file that a stranger made, read with a profile.

use dunlin_tests::{App, Value, json, workspace};

const PROFILE: &str = include_str!("documents/ibm_profile.json");

#[test]
fn two_years_of_a_real_ledger_come_out_to_the_cent() {
    let path = workspace().join("../shared/data/ibm_accounts_receivable.csv");
    let Ok(file) = std::fs::read(&path) else {
        println!(
            "skipped: there is no ../shared/data/ibm_accounts_receivable.csv beside the workspace"
        );
        return;
    };
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
}
