//! Lists of a month of the demo company, and its readings for days in the past.

use chrono::NaiveDate;
use dunlin::demo::{Options, generate};
use dunlin_tests::{App, Value};

fn month() -> App {
    let today = NaiveDate::from_ymd_opt(2024, 3, 31).unwrap();
    let company = generate(&Options { customers: 20, months: 12, ..Options::new(7, today) });
    let app = App::start();
    app.import("customers", company.customers_csv);
    app.import("invoices", company.invoices_csv);
    app.import("payments", company.payments_csv);
    for day in ["2024-03-25", "2024-03-28", "2024-03-31"] {
        app.sweep(day);
    }
    app
}

/// The list under another name than `items`.
fn customers_of(mut page: Value) -> Value {
    page["items"] = page["customers"].take();
    page
}

#[test]
fn pages_of_two_are_one_big_page() {
    let app = month();
    for (path, least) in [
        ("/v1/ingest/customers?as_of=2024-03-31", 20),
        ("/v1/ingest/invoices?customer_id=C0001&as_of=2024-03-31", 3),
        ("/v1/ingest/payments?customer_id=C0001&as_of=2024-03-31", 3),
        ("/v1/score/customers", 15),
        ("/v1/score/alerts?as_of=2024-03-31", 3),
        ("/v1/score/alerts?as_of=2024-03-31&state=open", 3),
        ("/v1/remind/notices", 3),
        ("/v1/report/overdue?as_of=2024-03-31", 5),
        ("/v1/report/snapshots", 3),
    ] {
        let whole = app.all(path, 500);
        assert!(whole.len() >= least, "{path}: only {} entries", whole.len());
        assert_eq!(app.all(path, 2), whole, "{path}");
    }
}

#[test]
fn pages_of_customers_in_the_ageing_are_one_big_page() {
    let app = month();
    let path = "/v1/report/ageing?as_of=2024-03-31&by=customer";
    let whole = customers_of(app.get(&format!("{path}&limit=500")).ok());
    let whole = whole["items"].as_array().unwrap();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = customers_of(app.get(&format!("{path}&limit=2{cursor}")).ok());
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, *whole);
    // Largest total first, as the contract has it, is for a page; all customers together are the totals.
    let ageing = app.get(path).ok();
    for line in ageing["totals"].as_array().unwrap() {
        let of = found.iter().filter(|of| of["currency"] == line["currency"]);
        let sum: i64 = of.map(|of| of["total_minor"].as_i64().unwrap()).sum();
        assert_eq!(sum, line["total_minor"], "{line}");
    }
}

#[test]
fn the_buckets_sum_to_the_total_on_every_day() {
    let app = month();
    for day in ["2023-06-30", "2023-12-31", "2024-02-28", "2024-03-31", "2024-12-31"] {
        for basis in ["due", "issued"] {
            let ageing = app
                .get(&format!("/v1/report/ageing?as_of={day}&basis={basis}&edges=10,20,45,100"))
                .ok();
            for line in ageing["totals"].as_array().unwrap() {
                let buckets = line["buckets_minor"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|minor| minor.as_i64().unwrap());
                let sum = buckets.sum::<i64>() + line["not_due_minor"].as_i64().unwrap();
                assert_eq!(sum, line["total_minor"], "{day} by {basis}: {line}");
            }
        }
    }
}

#[test]
fn a_score_for_the_day_of_the_sweep_is_the_score_of_the_sweep() {
    let app = month();
    for line in app.all("/v1/score/customers", 500) {
        let id = line["customer_id"].as_str().unwrap();
        let card = app.get(&format!("/v1/score/customers/{id}?as_of=2024-03-31")).ok();
        assert_eq!((&card["score"], &card["grade"]), (&line["score"], &line["grade"]), "{card}");
    }
}

#[test]
fn a_restart_loses_nothing_and_changes_nothing() {
    let app = month();
    let paths = [
        "/v1/report/ageing?as_of=2024-03-31&by=customer",
        "/v1/score/customers",
        "/v1/remind/notices?limit=500",
        "/v1/sweep",
        "/v1/ingest/organisation",
    ];
    let before: Vec<Value> = paths.iter().map(|path| app.get(path).ok()).collect();
    let app = app.restart();
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(app.get(path).ok(), before, "{path}");
    }
}
