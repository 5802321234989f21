//! The `dunlin` command against the application that ships.

use dunlin_tests::{App, Process, Value, dunlin};
use std::process::{Command, Output};

/// The command with the address and the key of a running application.
fn at(client: &dunlin_tests::Client, words: &[&str]) -> Output {
    run(dunlin().args(words).args(["--url", &client.url(), "--key", &client.key]))
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

#[track_caller]
fn json(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[test]
fn the_demo_ends_with_0_after_its_summary_and_shows_the_same_company_again() {
    let folder = tempfile::tempdir().unwrap();
    let demo = |more: &[&str]| {
        let mut command = dunlin();
        command.args([
            "demo",
            "--once",
            "--listen",
            "127.0.0.1:0",
            "--customers",
            "20",
            "--data-dir",
        ]);
        run(command.arg(folder.path()).args(more))
    };
    let first = demo(&[]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let text = String::from_utf8_lossy(&first.stdout).into_owned();
    for part in [
        "customers",
        "invoices",
        "payments",
        "Days sales outstanding",
        "Lowest scores",
        "AUC",
        "Open alerts",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let again = json(&demo(&["--json"]), 0);
    for kind in ["customers", "invoices", "payments"] {
        let counts = &again["imports"][kind];
        assert_eq!(
            (&counts["accepted"], &counts["rejected"]),
            (&0.into(), &0.into()),
            "{kind}: {again}"
        );
        assert_eq!(counts["received"], counts["unchanged"], "{kind}: {again}");
    }
}

#[test]
fn files_are_sent_the_day_is_swept_and_keys_are_made_by_command() {
    let app = App::start();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let customers = file("customers.csv", "id,name\nC1,First Street Bakery\n");
    let sent = json(&at(&app, &["import", &customers, "--kind", "customers", "--json"]), 0);
    assert_eq!(sent["accepted"], 1);
    let invoices = file(
        "invoices.ndjson",
        "{\"id\": \"I1\", \"customer_id\": \"C1\", \"issued_on\": \"2024-01-10\", \"amount\": \"5.00\", \"currency\": \"USD\"}\n",
    );
    let sent = json(&at(&app, &["import", &invoices, "--kind", "invoices", "--json"]), 0);
    assert_eq!(sent["accepted"], 1);

    let day = file(
        "day.sta",
        ":20:S\n:25:DE89370400440532013000\n:28C:1/1\n:60F:C240131USD0,\n:61:240131C5,NTRFNONREF\n:86:thanks\n\
         :62F:C240131USD5,\n-\n",
    );
    let sent = json(&at(&app, &["import", &day, "--kind", "bank-statement", "--json"]), 0);
    assert_eq!(sent["bank"]["matches"]["review"], 1, "{sent}");
    let again = at(&app, &["import", &day, "--kind", "bank-statement"]);
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(text.contains("statements: 0 new, 1 there before"), "{again:?}");
    let refused = at(&app, &["import", &customers, "--kind", "bank-statement"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("neither camt.053"), "{refused:?}");

    let bad = file("bad.csv", "id,name\nC2,Second Street Bakery\nC3,\n");
    let refused = at(&app, &["import", &bad, "--kind", "customers"]);
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        text.contains("missing-field") && text.contains("name") && text.contains('3'),
        "{text}"
    );
    assert_eq!(app.all("/v1/ingest/customers", 10).len(), 1);

    let swept = json(&at(&app, &["sweep", "--as-of", "2024-03-31", "--json"]), 0);
    assert_eq!((&swept["done"], &swept["counts"]["aged"]), (&true.into(), &1.into()), "{swept}");
    let early = at(&app, &["sweep", "--as-of", "2024-03-30"]);
    assert_eq!(early.status.code(), Some(1), "{early:?}");
    assert!(String::from_utf8_lossy(&early.stderr).contains("date-already-swept"), "{early:?}");

    let made = json(
        &at(
            &app,
            &["key", "create", "--name", "ERP", "--scope", "ingest-read,report-read", "--json"],
        ),
        0,
    );
    let token = made["key"].as_str().unwrap();
    assert_eq!(app.with_key(token).get("/v1/ingest/customers/C1").status, 200);
    let id = made["id"].as_str().unwrap();
    json(&at(&app, &["key", "revoke", id, "--json"]), 0);
    app.with_key(token).get("/v1/ingest/customers/C1").refused("key-refused");

    let copy = folder.path().join("copy.db");
    let data = app.data().to_str().unwrap();
    json(&run(dunlin().args(["backup", copy.to_str().unwrap(), "--data-dir", data, "--json"])), 0);
    let copied = tempfile::tempdir().unwrap();
    std::fs::rename(&copy, copied.path().join("default.db")).unwrap();
    let other = dunlin_tests::Setup::new().data(copied.path()).start();
    assert_eq!(other.get("/v1/sweep").ok(), app.get("/v1/sweep").ok());
}

#[test]
fn what_a_killed_process_answered_is_there_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::up(folder.path());
    process.import("customers", "id,name\nC1,First Street Bakery\n");
    process.kill();
    let process = Process::up(folder.path());
    assert_eq!(process.get("/v1/ingest/customers/C1").ok()["name"], "First Street Bakery");
    assert_eq!(process.terminate().code(), Some(0));
}

/// A file is named by what is in it: it is sent once, and goes on where a connection that broke had left it.
#[test]
fn a_file_is_sent_once_and_all_its_errors_are_written_beside_it() {
    let app = dunlin_tests::Setup::new().variable("import_slice", "2").start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.csv");
    std::fs::write(&path, "id,name\nC1,a\nC2,\nC3,c\nC4,d\nC5,\n").unwrap();
    let file = path.to_str().unwrap();
    let words = ["import", file, "--kind", "customers", "--on-error", "skip", "--errors", "--json"];
    let first = json(&at(&app, &words), 1);
    assert_eq!((&first["accepted"], &first["rejected"]), (&3.into(), &2.into()), "{first}");
    let errors = std::fs::read_to_string(folder.path().join("customers.csv.errors.csv")).unwrap();
    let lines: Vec<&str> = errors.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(lines, ["row", "3", "6"], "{errors}");
    // Rows were left out, so that they are tried again.
    let again = json(&at(&app, &words), 1);
    assert_eq!((&again["unchanged"], &again["rejected"]), (&3.into(), &2.into()), "{again}");
    assert_eq!(again["import_id"], format!("{}-2", first["import_id"].as_str().unwrap()));

    std::fs::write(&path, "id,name\nC2,b\nC5,e\n").unwrap();
    let mended = json(&at(&app, &words), 0);
    assert_eq!(mended["accepted"], 2);
    let output = at(&app, &words);
    assert_eq!(json(&output, 0), mended);
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was sent"), "{output:?}");
}
