//! The schema: how its files are read, that any way of coming to it ends in the same place, and that nothing is left
//! where it was not reached.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use dunlin_domain::{Refusal, contract::SPELLINGS};
use dunlin_store::{
    Db, DbError, Fault, Param, Row,
    migrate::{self, MIGRATIONS},
    native::NativeDb,
};
use rusqlite::{Connection, types::ValueRef};
use std::{
    cell::Cell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Barrier,
};

#[track_caller]
fn check_split(text: &str, expected: &[&str]) {
    let found: Vec<&str> = migrate::statements(text).into_iter().map(str::trim).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_file_is_split_at_semicolons_that_end_a_statement() {
    check_split("", &[]);
    check_split(" \n ;; \n ; ", &[]);
    check_split("SELECT 1", &["SELECT 1"]);
    check_split("SELECT 1;", &["SELECT 1"]);
    check_split("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]);
    check_split("SELECT ';'; SELECT 'it''s; so';", &["SELECT ';'", "SELECT 'it''s; so'"]);
    check_split("SELECT '--'; SELECT 2 - -1;", &["SELECT '--'", "SELECT 2 - -1"]);
    check_split("-- a; b's\nSELECT 1; -- c; d\n", &["-- a; b's\nSELECT 1"]);
    check_split(
        "CREATE TABLE t (a, -- one; it's\n b);\r\n-- end;",
        &["CREATE TABLE t (a, -- one; it's\n b)"],
    );
    for (begin, end) in [("BEGIN\n ", ";\nEND"), ("BEGIN ", ";END")] {
        let trigger = format!(
            "-- c\nCREATE TRIGGER a AFTER INSERT ON t {begin}DELETE FROM b; DELETE FROM trend{end}"
        );
        check_split(&format!("{trigger}; SELECT 1;"), &[&trigger, "SELECT 1"]);
    }
    check_split("SELECT '多;语' ; SELECT 'ok'", &["SELECT '多;语'", "SELECT 'ok'"]);
}

/// What the splitter does not know, no migration uses.
#[test]
fn migrations_use_what_the_splitter_knows() {
    let begins = [
        "CREATE TABLE ",
        "CREATE INDEX ",
        "CREATE UNIQUE INDEX ",
        "CREATE TRIGGER ",
        "INSERT INTO ",
        "ALTER TABLE ",
        "DROP INDEX ",
        "DROP TABLE ",
        "DROP TRIGGER ",
        "DELETE FROM ",
        "UPDATE ",
    ];
    for (number, name, text) in MIGRATIONS {
        let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
        let code = code.join("\n");
        for unknown in ["/*", "\"", "`", "["] {
            assert!(!code.contains(unknown), "migration {number} {name} has {unknown}");
        }
        for statement in migrate::statements(&code) {
            assert!(begins.iter().any(|begin| statement.trim().starts_with(begin)), "{statement}");
        }
    }
}

#[test]
fn migrations_are_numbered_from_one_without_a_gap() {
    let numbers: Vec<i64> = MIGRATIONS.iter().map(|(number, _, _)| *number).collect();
    assert_eq!(numbers, (1..=newest()).collect::<Vec<_>>());
    let mut files: Vec<String> = fs::read_dir(schema_folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "schema.sql")
        .collect();
    files.sort();
    let file = |(number, name, _): &(i64, &str, &str)| format!("{number:04}_{name}.sql");
    let named: Vec<String> = MIGRATIONS.iter().map(file).collect();
    assert_eq!(files, named, "a file that is not run, or one that is not there");
}

#[test]
fn an_enum_in_angle_brackets_stands_for_its_spellings() {
    let expanded = migrate::expand("a IN (<language>) OR b IN (<language>)").unwrap();
    assert_eq!(expanded, "a IN ('en', 'zh-CN') OR b IN ('en', 'zh-CN')");
    assert_eq!(migrate::expand("a < b AND (c > d)").unwrap(), "a < b AND (c > d)");
    for wrong in ["a IN (<no-such-enum>)", "a IN (<language", "a IN (<>)"] {
        assert!(matches!(migrate::expand(wrong), Err(Fault::Db(_))), "{wrong}");
    }
}

fn schema_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema")
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap()
}

/// Every table and index as it was created, in order.
fn schema(db: &Connection) -> String {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid";
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|sql| format!("\n{};\n", sql.unwrap())).collect()
}

fn user_version(db: &Connection) -> i64 {
    db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn the_checked_in_schema_is_the_sum_of_the_migrations() {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    let text = format!(
        "-- The sum of all migrations, to read. Written by the test `migrations` of dunlin-store \
         with UPDATE=1.\n{}",
        schema(db.connection())
    );
    let file = schema_folder().join("schema.sql");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "{} is stale: run again with UPDATE=1", file.display());
    let again = Connection::open_in_memory().unwrap();
    again.execute_batch(&text).unwrap();
    assert_eq!(schema(&again), schema(db.connection()));
}

#[test]
fn a_database_is_brought_up_to_date_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let first = NativeDb::open(&path).unwrap();
    let before = (schema(first.connection()), user_version(first.connection()));
    assert_eq!(before.1, newest());
    first.execute("UPDATE organisation SET name = 'Kept' WHERE one = 1", &[]).unwrap();
    migrate::prepare(&first).unwrap();
    let second = NativeDb::open(&path).unwrap();
    assert_eq!((schema(second.connection()), user_version(second.connection())), before);
    assert_eq!(dunlin_store::organisation::get(&second).unwrap().name, "Kept");
}

#[test]
fn eight_instances_may_start_at_once() {
    for _ in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let gate = Barrier::new(8);
        let opened: Vec<Result<(), Fault>> = std::thread::scope(|scope| {
            let start = || {
                gate.wait();
                let db = NativeDb::open(&path)?;
                assert_eq!(db.int("SELECT count(*) FROM organisation", &[])?, 1);
                Ok(())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(opened, vec![Ok(()); 8]);
        assert_eq!(user_version(&Connection::open(&path).unwrap()), newest());
    }
}

/// Another build wrote it: this one says so and leaves every byte alone, the way of its journal included.
#[test]
fn a_newer_database_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("CREATE TABLE invoice (other); PRAGMA user_version = 1000;").unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    match NativeDb::open(&path).map(drop).unwrap_err() {
        Fault::Refused(refused) => {
            assert_eq!(refused.code, Refusal::DatabaseNewer);
            assert!(refused.detail.contains("1000"), "{}", refused.detail);
        }
        other => panic!("{other:?}"),
    }
    assert!(fs::read(&path).unwrap() == before, "the file was touched");
    let entries = fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["test.db"], "something was left beside it");
}

/// An alert of the time before rules were documents is one of the rule of the same name. The facts of a score had another
/// form, and are worked out anew.
#[test]
fn alerts_and_scores_of_an_older_database_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let old = of_version(&path, 7);
    old.execute_batch(
        "INSERT INTO customer (key, id, name) VALUES (5, 'C', 'C');
         INSERT INTO alert (id, customer_key, kind, currency, state, opened_on, closed_on, evidence) VALUES
             ('A1', 5, 'limit-near', 'EUR', 'open', '2024-01-01', NULL, '{}'),
             ('A2', 5, 'first-overdue', '', 'closed', '2024-01-01', '2024-01-05', '{}');
         INSERT INTO score (customer_key, as_of, score, score_order, grade, model, facts) VALUES
             (5, '2024-01-05', '81.5', 815, 'A', 'card@1', '{\"customer_id\":\"C\",\"as_of\":\"2024-01-05\"}');",
    )
    .unwrap();
    drop(old);
    let db = NativeDb::open(&path).unwrap();
    let sql = "SELECT json_group_array(json_array(id, rule, version, kind, currency, severity, closed_on, ended_on))
               FROM alert";
    let found: serde_json::Value = db.json(sql, &[]).unwrap();
    let expected = serde_json::json!([
        ["A1", "limit-near", 1, "limit-near", "EUR", "warning", null, null],
        ["A2", "first-overdue", 1, "first-overdue", "", "info", "2024-01-05", "2024-01-05"],
    ]);
    assert_eq!(found, expected);
    let sql =
        "SELECT json_array(s.grade, s.facts, o.customer_key, (SELECT count(*) FROM score_change))
               FROM score AS s LEFT JOIN score_outdated AS o USING (customer_key)";
    let found: serde_json::Value = db.json(sql, &[]).unwrap();
    assert_eq!(found, serde_json::json!(["A", "{}", 5, 0]));
}

/// A database as it was with so many migrations.
fn of_version(path: &Path, version: i64) -> Connection {
    let old = Connection::open(path).unwrap();
    for (_, _, text) in MIGRATIONS.iter().filter(|(number, _, _)| *number <= version) {
        for statement in migrate::statements(&migrate::expand(text).unwrap()) {
            old.execute_batch(statement).unwrap();
        }
    }
    old.execute_batch(&format!("PRAGMA user_version = {version}")).unwrap();
    old
}

/// Once a reversal was cut into what fell on each part of a payment in several currencies.
#[test]
fn reversals_of_an_older_database_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let old = of_version(&path, 27);
    old.execute_batch(
        "INSERT INTO customer (key, id, name) VALUES (5, 'C', 'C');
         INSERT INTO payment (key, id, customer_key, received_on, amount_minor, currency, unallocated_minor,
             converted_from_key, converted_minor, cost_minor) VALUES
             (1, 'P', 5, '2024-01-01', 200, 'USD', 0, NULL, 120, NULL),
             (2, 'P/EUR', 5, '2024-01-01', 96, 'EUR', 0, 1, 0, 120),
             (3, 'Q', 5, '2024-01-01', 90, 'USD', 0, NULL, 70, NULL),
             (4, 'Q/EUR', 5, '2024-01-01', 40, 'EUR', 0, 3, 0, NULL),
             (5, 'Q/GBP', 5, '2024-01-01', 10, 'GBP', 0, 3, 0, NULL),
             (6, 'S', 5, '2024-01-01', 30, 'USD', 0, NULL, 0, NULL);
         INSERT INTO reversal (id, customer_key, payment_key, reversed_on, kind, minor, entry_key, undone_entry_key,
             cost_minor) VALUES
             ('R1', 5, 1, '2024-02-01', 'refund', 60, 7, NULL, NULL),
             ('R2', 5, 1, '2024-02-02', 'refund', 20, 8, NULL, NULL),
             ('R2/EUR', 5, 2, '2024-02-02', 'refund', 8, 8, NULL, 10),
             ('R3/EUR', 5, 2, '2024-02-03', 'returned', 88, 9, 11, 110),
             ('R4', 5, 3, '2024-02-04', 'mistake', 20, 10, NULL, NULL),
             ('R4/EUR', 5, 4, '2024-02-04', 'mistake', 40, 10, NULL, NULL),
             ('R4/GBP', 5, 5, '2024-02-04', 'mistake', 10, 10, NULL, NULL),
             ('R5', 5, 6, '2024-02-05', 'refund', 30, NULL, NULL, NULL);",
    )
    .unwrap();
    drop(old);
    let db = NativeDb::open(&path).unwrap();
    let sql =
        "SELECT json_group_array(json_array(id, payment_key, reversed_on, kind, minor, entry_key,
                   undone_entry_key)) FROM (SELECT * FROM reversal ORDER BY id)";
    let found: serde_json::Value = db.json(sql, &[]).unwrap();
    let expected = serde_json::json!([
        ["R1", 1, "2024-02-01", "refund", 60, 7, null],
        ["R2", 1, "2024-02-02", "refund", 30, 8, null],
        ["R3", 1, "2024-02-03", "returned", 110, 9, 11],
        ["R4", 3, "2024-02-04", "mistake", 90, 10, null],
        ["R5", 6, "2024-02-05", "refund", 30, null, null],
    ]);
    assert_eq!(found, expected);
}

/// Interest by months of 30 days was once counted between any two days, and instalments were rounded each by itself.
#[test]
fn interest_kept_by_older_rules_is_looked_at_again_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let old = of_version(&path, 32);
    old.execute_batch(
        "INSERT INTO customer (key, id, name) VALUES (1, 'A', 'A'), (2, 'B', 'B'), (3, 'C', 'C'), (4, 'D', 'D'),
             (5, 'E', 'E'), (6, 'F', 'F');
         INSERT INTO invoice (key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, open_minor,
             disputed, parent_key)
             SELECT key, id, key, 'invoice', '2024-01-01', '2024-01-31', 100, 'EUR', 100, 0, NULL FROM customer
             UNION ALL
             SELECT 7, 'F#1', 6, 'invoice', '2024-01-01', '2024-01-31', 100, 'EUR', 100, 0, 6;
         INSERT INTO accrual
             SELECT column1, column2, column3, 0, 1, 0, 0, 1, '2025-01-01', 0, '2024-02-01'
             FROM (VALUES (1, 1, 0), (2, 2, 1), (3, 3, 2), (4, 4, 3), (5, 5, 4), (6, 7, 0));
         INSERT INTO accrual_look (customer_key) VALUES (3);",
    )
    .unwrap();
    drop(old);
    let db = NativeDb::open(&path).unwrap();
    let sql = "SELECT json_group_array(customer_key) FROM (SELECT customer_key FROM accrual_look ORDER BY 1)";
    assert_eq!(db.json::<Vec<i64>>(sql, &[]).unwrap(), [3, 4, 5, 6]);
}

/// A connection as the host gives it, on which one statement fails.
struct Failing {
    db: Connection,
    left: Cell<u32>,
    hit: Cell<bool>,
}

impl Db for Failing {
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        assert!(params.is_empty(), "migrations have no parameters");
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None if self.hit.get() => {}
            None => {
                self.hit.set(true);
                return Err(DbError::Failed("injected".into()));
            }
        }
        run(&self.db, sql).map_err(|e| DbError::from_message(e.to_string()))
    }
}

fn run(db: &Connection, sql: &str) -> rusqlite::Result<Vec<Row>> {
    let mut statement = db.prepare(sql)?;
    let columns = statement.column_count();
    let value = |of: ValueRef<'_>| match of {
        ValueRef::Integer(value) => dunlin_store::Value::Int(value),
        ValueRef::Text(value) => {
            dunlin_store::Value::Text(String::from_utf8_lossy(value).into_owned())
        }
        _ => dunlin_store::Value::Null,
    };
    let row = |row: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|column| Ok(value(row.get_ref(column)?)));
        values.collect::<rusqlite::Result<_>>().map(Row)
    };
    statement.query_map([], row)?.collect()
}

#[test]
fn a_migration_that_fails_midway_leaves_nothing() {
    for statement in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let db = Connection::open(&path).unwrap();
        let db = Failing { db, left: Cell::new(statement), hit: Cell::new(false) };
        let outcome = migrate::prepare(&db);
        if !db.hit.get() {
            assert_eq!(outcome, Ok(()));
            assert!(statement > 30, "statements were left out: {statement}");
            break;
        }
        assert_eq!(outcome, Err(Fault::Db("injected".into())), "statement {statement}");
        let left = (schema(&db.db), user_version(&db.db));
        assert_eq!(left, (String::new(), 0), "statement {statement}");
        drop(db);
        let db = NativeDb::open(&path).unwrap();
        assert_eq!(db.int("SELECT count(*) FROM organisation", &[]).unwrap(), 1);
    }
}

/// Each column that holds an enum of the contract.
const ENUMS: &[(&str, &str, &str)] = &[
    ("organisation", "language", "language"),
    ("bank_entry", "state", "match-state"),
    ("bank_statement", "format", "bank-format"),
    ("customer", "language", "language"),
    ("customer", "status", "customer-status"),
    ("customer_change", "part", "customer-part"),
    ("customer_event", "kind", "event-action"),
    ("external_fact", "kind", "external-kind"),
    ("inbound_event", "makes", "event-action"),
    ("inbound_event", "state", "inbound-state"),
    ("guarantee", "kind", "guarantee-kind"),
    ("invoice", "kind", "invoice-kind"),
    ("reversal", "kind", "reversal-kind"),
    ("adjustment", "difference", "difference"),
    ("allocation", "difference", "difference"),
    ("write_off", "state", "write-off-state"),
    ("dispute", "reason", "dispute-reason"),
    ("dispute", "outcome", "dispute-outcome"),
    ("dispute_former", "outcome", "dispute-outcome"),
    ("default_record", "kind", "default-kind"),
    ("default_record", "state", "default-state"),
    ("default_former", "state", "default-state"),
    ("import", "kind", "import-kind"),
    ("import", "state", "import-state"),
    ("sweep", "stage", "stage"),
    ("score", "grade", "grade"),
    ("score", "grade_before", "grade"),
    ("score_change", "grade", "grade"),
    ("alert", "kind", "alert-kind"),
    ("alert", "opened_severity", "severity"),
    ("alert", "severity", "severity"),
    ("alert_action", "action", "alert-action-kind"),
    ("alert_action", "severity", "severity"),
    ("reminded", "level", "notice-level"),
    ("notice", "level", "notice-level"),
    ("notice", "language", "language"),
    ("notice", "state", "notice-state"),
    ("credit_check", "verdict", "verdict"),
    ("application", "verdict", "verdict"),
    ("credit_hold", "purpose", "check-purpose"),
    ("credit_hold", "state", "hold-state"),
    ("credit_hold", "verdict", "verdict"),
    ("credit_hold_former", "purpose", "check-purpose"),
    ("credit_hold_former", "verdict", "verdict"),
    ("credit_limit", "kind", "limit-kind"),
    ("credit_limit", "source", "limit-source"),
    ("credit_limit", "state", "limit-state"),
    ("credit_reservation", "purpose", "check-purpose"),
    ("credit_reservation", "state", "reservation-state"),
];

/// The enums of the contract that no column holds, and why.
const NOT_STORED: &[(&str, &str)] = &[
    ("order-source", "told, not kept"),
    ("served-by", "told, not kept"),
    ("replayed-part", "told, not kept"),
    ("ageing-basis", "asked, not kept"),
    ("alert-state", "told by when it was closed and snoozed"),
    ("term-kind", "inside the JSON of a rule"),
    ("term-match", "inside the JSON of a rule"),
    ("watched-event", "inside the JSON of a rule"),
    ("ending-reason", "inside the JSON of how an alert ended"),
    ("dso-method", "asked, not kept"),
    ("on-error", "asked, not kept"),
    ("date-form", "inside the JSON of a profile"),
    ("amount-form", "inside the JSON of a source"),
    ("signature-kind", "inside the JSON of a source"),
    ("signature-encoding", "inside the JSON of a source"),
    ("scope", "inside the JSON of a key's scopes"),
    ("direction", "inside the JSON of a card"),
    ("card-state", "told by whether there is a version"),
    ("match-reason", "inside the JSON of a match's candidates"),
    ("refusal", "inside the JSON of an import's result"),
    ("channel", "inside the JSON of a customer's contacts"),
    ("rate-fixing", "inside the JSON of a clause"),
    ("order-key", "inside the JSON of a policy"),
    ("component", "inside the JSON of a policy"),
    ("dispute-state", "told by whether there is an outcome"),
    ("amount-form", "inside the JSON of a source's mapping"),
    ("signature-kind", "inside the JSON of a source"),
    ("signature-encoding", "inside the JSON of a source"),
    ("entry-kind", "made anew from the documents"),
    ("fact-name", "inside the JSON of a score's facts"),
    ("scale-direction", "inside the JSON of an external fact"),
    ("public-record-kind", "inside the JSON of an external fact"),
    ("altman-model", "made anew from the statement"),
    ("altman-zone", "made anew from the statement"),
    ("exposure-component", "made anew from the documents"),
    ("rule-kind", "inside the JSON of a rule"),
    ("rule-level", "told by whose the rule is"),
    ("onboarding-reason", "asked, not kept"),
    ("decision-outcome", "told, not kept"),
    ("terms-advice", "made anew from the grade"),
];

/// Table, column and spellings of every CHECK with a list of texts.
fn checks(db: &Connection) -> BTreeSet<(String, String, Vec<String>)> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'table'";
    let mut statement = db.prepare(sql).unwrap();
    let table = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let mut found = BTreeSet::new();
    for (table, sql) in statement.query_map([], table).unwrap().map(Result::unwrap) {
        assert!(sql.contains(") STRICT"), "table {table} is not strict");
        for part in sql.split("CHECK (").skip(1) {
            let Some((column, list)) = part.split_once(" IN ('") else { continue };
            let list = list.split_once("')").unwrap().0;
            // Where most rows have none, the list is only built for those that have one.
            let column = match column.split_once(" IS NULL OR ") {
                Some((first, again)) if first == again => again,
                _ => column,
            };
            if !column.contains(' ') {
                let spellings = list.split("', '").map(str::to_string).collect();
                found.insert((table.clone(), column.to_string(), spellings));
            }
        }
    }
    found
}

#[test]
fn every_stored_enum_has_a_check_with_the_spellings_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    let spellings = |of: &str| {
        let known = SPELLINGS.iter().find(|(name, _)| *name == of);
        let (_, spellings) = known.unwrap_or_else(|| panic!("the contract has no {of}"));
        spellings.iter().map(|spelling| (*spelling).to_string()).collect::<Vec<_>>()
    };
    let check = |(table, column, of): &(&str, &str, &str)| {
        ((*table).to_string(), (*column).to_string(), spellings(of))
    };
    let expected: BTreeSet<_> = ENUMS.iter().map(check).collect();
    assert_eq!(checks(db.connection()), expected);
    let stored = ENUMS.iter().map(|(_, _, of)| *of);
    let placed: BTreeSet<&str> = stored.chain(NOT_STORED.iter().map(|(of, _)| *of)).collect();
    let all: BTreeSet<&str> = SPELLINGS.iter().map(|(of, _)| *of).collect();
    assert_eq!(placed, all, "each enum of the contract is in a column, or has a reason why not");
}
