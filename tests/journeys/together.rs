//! What happens at the same time.

use dunlin_tests::{Answer, App, Client, eventually, json};
use std::thread;

/// Runs all of these at once and gives their answers in order.
fn at_once(calls: Vec<Box<dyn Fn(Client) -> Answer + Send>>, client: &Client) -> Vec<Answer> {
    let running: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let client = client.clone();
            thread::spawn(move || call(client))
        })
        .collect();
    running.into_iter().map(|one| one.join().unwrap()).collect()
}

fn rows(count: u32) -> String {
    let row = |n: u32| format!("I{n},C{},2024-01-10,2024-02-09,{n}.50,USD\n", n % 50);
    let header = "id,customer_id,issued_on,due_on,amount,currency\n".to_owned();
    header + &(1..=count).map(row).collect::<String>()
}

#[test]
fn two_equal_imports_at_once_store_every_row_once() {
    let app = App::start();
    let count = 5_000;
    let import = move |client: Client| {
        client.import_with("kind=invoices&create_missing=customers", rows(count))
    };
    let answers = at_once(vec![Box::new(import), Box::new(import)], &app);
    let results: Vec<_> = answers.iter().map(Answer::ok).collect();
    let sum =
        |field: &str| results.iter().map(|result| result[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(
        (sum("accepted"), sum("unchanged"), sum("rejected")),
        (5_000, 5_000, 0),
        "{results:?}"
    );
    let total: u64 = (1..=u64::from(count)).map(|n| n * 100 + 50).sum();
    let ageing = app.get("/v1/report/ageing?as_of=2024-02-09").ok();
    assert_eq!(ageing["totals"][0]["total_minor"], total, "{ageing}");
    assert_eq!(app.all("/v1/ingest/customers", 500).len(), 50);
}

#[test]
fn an_import_that_is_sent_twice_at_once_is_applied_once() {
    let app = App::start();
    let import = |client: Client| {
        client.import_with("kind=invoices&create_missing=customers&id=once", rows(5_000))
    };
    let answers = at_once(vec![Box::new(import), Box::new(import)], &app);
    let mut applied = 0;
    for answer in &answers {
        match answer.status {
            200 if answer.header("dunlin-outcome") == Some("already-so") => {}
            200 => applied += 1,
            _ => {
                answer.refused("import-running");
            }
        }
    }
    assert_eq!(applied, 1, "{answers:?}");
    let again = import((*app).clone());
    assert_eq!(
        (again.ok()["accepted"].as_u64(), again.header("dunlin-outcome")),
        (Some(5_000), Some("already-so"))
    );
}

#[test]
fn two_files_of_the_same_customers_at_once_are_both_there() {
    let app = App::start();
    let file = |from: u32| {
        let row = |n: u32| format!("I{n},C{},2024-01-10,2024-02-09,1.00,USD\n", n % 50);
        let header = "id,customer_id,issued_on,due_on,amount,currency\n".to_owned();
        header + &(from..from + 2_000).map(row).collect::<String>()
    };
    let import = move |from: u32| {
        move |client: Client| {
            client.import_with("kind=invoices&create_missing=customers", file(from))
        }
    };
    let answers = at_once(vec![Box::new(import(0)), Box::new(import(2_000))], &app);
    assert!(answers.iter().all(|answer| answer.ok()["accepted"] == 2_000), "{answers:?}");
    let ageing = app.get("/v1/report/ageing?as_of=2024-02-09").ok();
    assert_eq!(ageing["totals"][0]["total_minor"], 400_000, "{ageing}");
}

#[test]
fn imports_of_different_files_with_one_id_in_common_do_not_mix() {
    let app = App::start();
    app.import("customers", "id,name\nC1,x\n");
    let import = |amount: &'static str| {
        move |client: Client| {
            let csv = format!(
                "id,customer_id,issued_on,amount,currency\nI1,C1,2024-01-10,{amount},USD\n"
            );
            client.import_with("kind=invoices", csv)
        }
    };
    let answers = at_once(vec![Box::new(import("1.00")), Box::new(import("2.00"))], &app);
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(good, 1, "{answers:?}");
    let refused =
        answers.iter().find(|answer| answer.status != 200).unwrap().refused("import-rejected");
    assert_eq!(refused["errors"][0]["code"], "different-content");
}

#[test]
fn sixteen_payments_at_once_never_allocate_more_than_the_invoice() {
    let app = App::start();
    app.import("customers", "id,name\nC1,x\n");
    app.import(
        "invoices",
        "id,customer_id,issued_on,amount,currency\nI1,C1,2024-01-10,100.00,USD\n",
    );
    let pay = |n: u32| {
        move |client: Client| {
            let amount = json!({"minor": 1000, "currency": "USD"});
            let body = json!({"id": format!("P{n}"), "customer_id": "C1", "received_on": "2024-02-01", "amount": amount});
            client.post_json("/v1/ingest/payments", &body)
        }
    };
    let calls =
        (1..=16).map(|n| Box::new(pay(n)) as Box<dyn Fn(Client) -> Answer + Send>).collect();
    for answer in at_once(calls, &app) {
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let customer = app.get("/v1/ingest/customers/C1?as_of=2024-02-01").ok();
    let balance = json!([{"currency": "USD", "outstanding_minor": 0, "overdue_minor": 0, "unapplied_minor": 6000}]);
    assert_eq!(customer["balances"], balance);
    let invoice = app.get("/v1/ingest/invoices/I1?as_of=2024-02-01").ok();
    assert_eq!(invoice["allocations"].as_array().unwrap().len(), 10, "{invoice}");
}

#[test]
fn the_same_request_twice_at_once_under_one_idempotency_key_is_made_once() {
    let app = App::start();
    let create = |client: Client| {
        let request =
            client.request("POST", "/v1/ingest/customers").header("idempotency-key", "one");
        request.json(&json!({"name": "First Street Bakery"})).send()
    };
    let answers = at_once(vec![Box::new(create), Box::new(create), Box::new(create)], &app);
    for answer in &answers {
        match answer.status {
            201 => {}
            _ => drop(answer.refused("idempotency-running")),
        }
    }
    assert!(answers.iter().any(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(app.all("/v1/ingest/customers", 100).len(), 1);
}

#[test]
fn two_sweeps_at_once_end_as_one() {
    let one = App::start();
    let two = App::start();
    for app in [&one, &two] {
        app.import("invoices&create_missing=customers", rows(500));
    }
    one.sweep("2024-02-20");
    let sweep = |client: Client| {
        let mut answer = client.post("/v1/sweep?as_of=2024-02-20&budget_ms=1");
        eventually("the sweep ended", || {
            answer = client.post("/v1/sweep?as_of=2024-02-20&budget_ms=1");
            if answer.status != 200 {
                answer.refused("sweep-running");
            }
            answer.json()["done"] == true
        });
        answer
    };
    let answers = at_once(vec![Box::new(sweep), Box::new(sweep)], &two);
    assert_eq!(answers[0].json(), one.get("/v1/sweep").ok());
    for path in [
        "/v1/score/customers",
        "/v1/score/alerts?as_of=2024-02-20",
        "/v1/remind/notices",
        "/v1/report/snapshots",
    ] {
        let timeless = |app: &App| {
            let mut found = app.all(path, 500);
            for one in &mut found {
                // The two sweeps ran at different seconds.
                one.as_object_mut().unwrap().remove("next_attempt_at");
            }
            found
        };
        assert_eq!(timeless(&two), timeless(&one), "{path}");
    }
}

#[test]
fn sixty_four_clients_reserving_at_once_never_exceed_the_limit() {
    let app = App::start();
    app.import("customers", "id,name\nC1,x\n");
    let limit = json!({"minor": 1000, "currency": "USD"});
    assert_eq!(app.put_json("/v1/score/limits/C1", &limit).status, 201);
    // What is left is kept ready before the first of them and while they ask.
    let run = |client: &Client| client.post("/v1/score/holds/run");
    assert_eq!(run(&app).ok()["readied"], 1);
    let reserve = |n: u32| {
        move |client: Client| {
            if n.is_multiple_of(8) {
                eventually("the run", || run(&client).status != 503);
            }
            let amount = json!({"minor": 60 + n % 7, "currency": "USD"});
            let body = json!({"id": format!("R{n}"), "customer": "C1", "amount": amount});
            let mut answer = client.post_json("/v1/score/reservations", &body);
            eventually("the reservation was judged", || {
                if answer.status == 503 {
                    answer = client.post_json("/v1/score/reservations", &body);
                }
                answer.status != 503
            });
            answer
        }
    };
    let calls =
        (1..=64).map(|n| Box::new(reserve(n)) as Box<dyn Fn(Client) -> Answer + Send>).collect();
    let (mut kept, mut least_held) = (0, u64::MAX);
    for answer in at_once(calls, &app) {
        match answer.status {
            200 | 201 => kept += answer.json()["amount"]["minor"].as_u64().unwrap(),
            _ => {
                let held = answer.refused("credit-held");
                least_held = least_held.min(held["amount"]["minor"].as_u64().unwrap());
            }
        }
    }
    assert!(kept <= 1000, "{kept} of 1000 were given");
    // What was left over was too little for whoever was turned away.
    assert!(kept + least_held > 1000, "{kept} were given, and {least_held} turned away");
    let exposure = app.get("/v1/score/limits/C1/exposure").ok();
    assert_eq!(exposure["total_minor"], kept, "{exposure}");
}
