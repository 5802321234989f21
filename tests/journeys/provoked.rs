//! What takes more than a request: locks, broken databases, bodies that stop.

use dunlin_domain::Refusal;
use dunlin_tests::{Answer, App, Setup, eventually, json};
use rusqlite::Connection;
use std::io::Write;
use std::net::Shutdown;
use std::time::Instant;

/// The codes that are provoked here, and by what.
pub const PROVOKED: &[(Refusal, fn())] = &[
    (Refusal::BodyIncomplete, a_body_that_breaks_off_stores_nothing),
    (Refusal::DatabaseBusy, a_locked_database_is_busy_and_works_again_when_it_is_free),
    (Refusal::DatabaseNewer, a_newer_database_is_left_alone),
    (
        Refusal::IdempotencyRunning,
        a_key_whose_request_is_still_running_is_refused_and_free_when_it_broke_off,
    ),
    (Refusal::ImportRunning, an_import_that_breaks_off_goes_on_where_it_was),
    (Refusal::Internal, a_fault_of_ours_is_logged_and_not_told),
    (Refusal::SweepRunning, a_tick_that_holds_the_lease_keeps_others_out),
];

/// Longer than what the runtime takes in before it asks a component.
const TOO_MUCH_AT_ONCE: usize = 20_000;

fn other_connection(app: &App) -> Connection {
    Connection::open(app.database()).unwrap()
}

#[test]
fn a_body_that_breaks_off_stores_nothing() {
    let app = App::start();
    for (path, media, body) in [
        ("/v1/ingest/imports?kind=customers", "text/csv", "id,name\nC1,x\n"),
        ("/v1/ingest/imports?kind=customers&on_error=skip", "text/csv", "id,name\nC1,x\n"),
        ("/v1/ingest/imports?kind=bank-statement&format=camt053", "application/xml", "<Document>"),
        ("/v1/ingest/statements?format=camt053", "application/xml", "<Document>"),
        ("/v1/ingest/customers", "application/json", "{\"id\": \"C1\", \"name\": \"x\"}"),
    ] {
        let request = app.request("POST", path).body(media, body).header("content-length", "1000");
        let mut socket = request.begin();
        socket.shutdown(Shutdown::Write).unwrap();
        // The sender may be gone for good; one that still listens is told.
        if let Some(answer) = Answer::try_read(&mut socket) {
            answer.refused("body-incomplete");
            assert_eq!(answer.status, 400);
        }
        assert_eq!(app.get("/v1/ingest/customers").ok()["items"], json!([]), "{path}");
    }
    assert!(app.log().contains("\"code\":\"body-incomplete\""), "{:#?}", app.log().lines());
}

/// Takes half a minute, which is how long a client may be silent.
#[test]
fn a_body_that_stalls_is_given_up_and_others_are_served_meanwhile() {
    let app = App::start();
    let request = app.request("POST", "/v1/ingest/imports?kind=customers");
    let request = request.body("text/csv", "id,name\nC1,x\n");
    let request = request.header("content-length", TOO_MUCH_AT_ONCE.to_string());
    let started = Instant::now();
    let mut socket = request.begin();
    assert_eq!(
        app.post_json("/v1/ingest/customers", &json!({"id": "C2", "name": "y"})).status,
        201
    );
    let answer = Answer::read(&mut socket);
    answer.refused("body-incomplete");
    assert!((25..60).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    let customers = app.get("/v1/ingest/customers").ok();
    assert_eq!(customers["items"].as_array().unwrap().len(), 1, "{customers}");
}

#[test]
fn a_locked_database_is_busy_and_works_again_when_it_is_free() {
    let app = App::start();
    app.import("customers", "id,name\nC1,x\n");
    let other = other_connection(&app);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Who reads is not kept waiting.
    assert_eq!(app.get("/v1/ingest/customers/C1").status, 200);
    let answer = app.post_json("/v1/ingest/customers", &json!({"id": "C2", "name": "y"}));
    answer.refused("database-busy");
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
    // So it is for those who wait together.
    std::thread::scope(|scope| {
        let reserve = || {
            let new = json!({"customer": "C1", "amount": {"minor": 1, "currency": "EUR"}});
            app.post_json("/v1/score/reservations", &new).refused("database-busy");
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(reserve)).collect();
        all.into_iter().for_each(|one| one.join().unwrap());
    });
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        app.post_json("/v1/ingest/customers", &json!({"id": "C2", "name": "y"})).status,
        201
    );
}

#[test]
fn a_newer_database_is_left_alone() {
    let app = App::start();
    app.import("customers", "id,name\nC1,x\n");
    let version: i64 =
        other_connection(&app).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    other_connection(&app).execute_batch("PRAGMA user_version = 9999").unwrap();
    let app = app.restart();
    let answer = app.get("/v1/ingest/customers/C1");
    answer.refused("database-newer");
    assert_eq!(answer.status, 503);
    assert_eq!(app.get("/healthz").json()["status"], "database-newer");
    app.post("/v1/sweep?as_of=2024-03-31").refused("database-newer");
    let connection = other_connection(&app);
    let now: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(now, 9999);
    connection.execute_batch(&format!("PRAGMA user_version = {version}")).unwrap();
    assert_eq!(app.get("/v1/ingest/customers/C1").ok()["name"], "x");
}

#[test]
fn a_key_whose_request_is_still_running_is_refused_and_free_when_it_broke_off() {
    let app = App::start();
    let request = |body: &str| {
        let request = app.request("POST", "/v1/ingest/imports?kind=customers");
        request.body("text/csv", body).header("idempotency-key", "one")
    };
    let rest = format!("C1,x34567890{}", "\n".repeat(TOO_MUCH_AT_ONCE));
    let whole = format!("id,name\n{rest}");
    let length = whole.len().to_string();
    let mut running = request("id,name\n").header("content-length", length).begin();
    let other = other_connection(&app);
    eventually("the request took its key", || {
        let taken =
            other.query_row("SELECT count(*) FROM idempotency", [], |row| row.get::<_, i64>(0));
        // Before the first request there is no such table.
        taken.is_ok_and(|count| count == 1)
    });
    let refused = request("id,name\nC1,y\n").send();
    refused.refused("idempotency-running");
    assert_eq!((refused.status, refused.header("retry-after")), (409, Some("2")));
    running.write_all(rest.as_bytes()).unwrap();
    assert_eq!(Answer::read(&mut running).ok()["accepted"], 1);
    let again = request(&whole).send();
    assert_eq!(
        (again.ok()["accepted"].as_u64(), again.header("idempotency-replayed")),
        (Some(1), Some("true"))
    );

    // A request that breaks off gives its key back.
    let two = |body: &str| {
        let request = app.request("POST", "/v1/ingest/imports?kind=customers");
        request.body("text/csv", body).header("idempotency-key", "two")
    };
    let length = TOO_MUCH_AT_ONCE.to_string();
    let broken = two("id,name\nC2,x").header("content-length", length).begin();
    broken.shutdown(Shutdown::Both).unwrap();
    drop(broken);
    eventually("the key of the request that broke off is free", || {
        let answer = two("id,name\nC2,whole\n").send();
        if answer.status != 200 {
            answer.refused("idempotency-running");
        }
        answer.status == 200
    });
    assert_eq!(app.get("/v1/ingest/customers/C2").ok()["name"], "whole");
}

#[test]
fn an_import_that_breaks_off_goes_on_where_it_was() {
    let app = Setup::new().variable("import_slice", "2").start();
    let path = "/v1/ingest/imports?kind=customers&id=file&on_error=skip";
    let send = |body: &str| app.request("POST", path).body("text/csv", body);
    let [first, second] = ["id,name\nC1,a\nC2,\nC3,c\nC4,d\n", "C5,e\nC6,f\nC7,\n"];
    let whole = format!("{first}{second}{}", "\n".repeat(TOO_MUCH_AT_ONCE));
    let length = whole.len().to_string();
    let running = send(first).header("content-length", length.clone()).begin();
    let status = || app.get("/v1/ingest/imports/file");
    // The third good row fills no slice.
    eventually("two slices are staged", || {
        let found = status();
        found.status == 200 && found.json()["staged_rows"] == 4
    });
    let found = status().ok();
    assert_eq!(
        (&found["state"], &found["received"], &found["rejected"], &found["staged_bytes"]),
        (&json!("staging"), &json!(3), &json!(1), &json!("id,name\nC1,a\nC2,\nC3,c\n".len()))
    );
    assert_eq!(found["errors"][0]["code"], "missing-field");
    let refused = send(&whole).send();
    refused.refused("import-running");
    assert_eq!((refused.status, refused.header("retry-after")), (409, Some("20")));
    running.shutdown(Shutdown::Both).unwrap();
    drop(running);
    eventually("the import is free", || {
        let answer = send("id,name\nC1,other\n").send();
        if answer.status == 409 && answer.json()["code"] == "import-running" {
            return false;
        }
        answer.refused("different-content");
        true
    });
    for other in
        [whole.replace("C2,", "C2,b"), whole.replace("name", "country"), "PK\u{3}\u{4}".into()]
    {
        send(&other).send().refused("different-content");
        assert_eq!(status().ok()["staged_rows"], 4, "nothing is lost");
    }
    let options =
        app.request("POST", &path.replace("skip", "reject")).body("text/csv", whole.clone());
    options.send().refused("different-content");
    let done = send(&whole).send().ok();
    assert_eq!(
        (&done["received"], &done["accepted"], &done["rejected"]),
        (&json!(7), &json!(5), &json!(2)),
        "{done}"
    );
    let rows: Vec<_> = done["errors"].as_array().unwrap().iter().map(|e| &e["row"]).collect();
    assert_eq!(rows, [3, 8]);
}

#[test]
fn a_fault_of_ours_is_logged_and_not_told() {
    let app = App::start();
    app.import("customers", "id,name\nC1,x\n");
    other_connection(&app).execute_batch("ALTER TABLE alert RENAME TO hidden").unwrap();
    let answer = app.request("GET", "/v1/score/alerts").header("x-request-id", "the-fault").send();
    let problem = answer.refused("internal");
    assert_eq!((answer.status, problem["request_id"].as_str()), (500, Some("the-fault")));
    assert!(!answer.text().contains("alert"), "{answer:?}");
    let lines = app.log().lines();
    let line = lines.iter().find(|line| line.contains("the-fault")).unwrap();
    assert!(line.contains("\"level\":\"error\"") && line.contains("no such table"), "{line}");
    // Others are served.
    assert_eq!(app.get("/v1/ingest/customers/C1").status, 200);
    other_connection(&app).execute_batch("ALTER TABLE hidden RENAME TO alert").unwrap();
    assert_eq!(app.get("/v1/score/alerts").status, 200);
}

#[test]
fn a_tick_that_holds_the_lease_keeps_others_out() {
    let app = App::start();
    app.import(
        "invoices&create_missing=customers",
        "id,customer_id,issued_on,amount,currency\nI1,C1,2024-01-10,5.00,USD\n",
    );
    app.post("/v1/sweep?as_of=2024-03-30&budget_ms=1").ok();
    // As if another tick were at work for another minute.
    let other = other_connection(&app);
    let taken = "INSERT INTO sweep_lease (one, owner, until_at) \
                 VALUES (1, 'another', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+60 seconds'))";
    assert_eq!(other.execute(taken, []).unwrap(), 1);
    let answer = app.post("/v1/sweep?as_of=2024-03-30");
    answer.refused("sweep-running");
    assert_eq!((answer.status, answer.header("retry-after")), (409, Some("20")));
    // A tick that died is taken over when its lease is over.
    other.execute("UPDATE sweep_lease SET until_at = '2020-01-01T00:00:00Z'", []).unwrap();
    app.sweep("2024-03-30");
}

#[test]
fn limits_that_are_no_numbers_are_refused() {
    let app = Setup::new().variable("import_limit", "lots").start();
    app.import_with("kind=customers", "id,name\n").refused("not-configured");
}

#[test]
fn logs_hold_no_keys_and_nothing_personal() {
    let app = App::start();
    app.import(
        "customers",
        "id,name,email,phone\nC1,Margaret Atwood,margaret@example.com,+1 555 0100\n",
    );
    app.post_json("/v1/ingest/customers", &json!({"id": "C1", "name": "Someone Else"}))
        .refused("different-content");
    let issued =
        app.post_json("/v1/ingest/keys", &json!({"name": "ERP", "scopes": ["ingest-read"]})).ok();
    let token = issued["key"].as_str().unwrap();
    app.with_key(token).get("/v1/ingest/customers/C1").ok();
    app.request("GET", "/v1/ingest/customers")
        .without_key()
        .header("authorization", "Bearer stolen-secret")
        .send();
    let lines = app.log().lines();
    assert!(lines.len() >= 5 && lines.iter().all(|line| line.starts_with('{')), "{lines:#?}");
    for part in
        ["Margaret", "margaret@", "555 0100", "Someone", "stolen", dunlin_tests::ADMIN_KEY, token]
    {
        assert!(!app.log().contains(part), "{part} is in {lines:#?}");
    }
    // What is found in a log by a key is its public id.
    assert!(app.log().contains(issued["id"].as_str().unwrap()), "{lines:#?}");
}
