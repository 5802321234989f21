//! The query plan of every statement, one snapshot a noun. A plan that changes is a red diff; `UPDATE=1` renews them.
//!
//! The plans are those of an empty database that was never analysed. That is what runs: nothing in the application
//! runs ANALYZE, so that the plan depends on the schema and the statement alone, today and with a million rows.

use rusqlite::Connection;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Tables that grow with the customers. A full pass over one of them must be in [`FULL_PASSES`].
const BIG: [&str; 21] = [
    "alert",
    "allocation",
    "arrears",
    "bank_entry",
    "credit_check",
    "credit_hold",
    "credit_limit",
    "credit_order",
    "credit_reservation",
    "customer",
    "delivery",
    "invoice",
    "match_key",
    "notice",
    "notice_item",
    "payment",
    "reminded",
    "review",
    "score",
    "score_change",
    "score_outdated",
];

/// Statements that go through the whole of a big table or index, and why they may.
const FULL_PASSES: &[(&str, &str, &str)] = &[
    (
        "SELECT json_group_array(DISTINCT customer_key) FROM alert WHERE ended_on IS NULL AND kind = 'group-default'",
        "alert",
        "the few warnings of a default in the group: an index of these alone",
    ),
    (
        "credit/unready.sql",
        "customer",
        "once a minute: for each customer a row of a few bytes that says whether what is ready still holds",
    ),
    (
        "ageing/by_day.sql",
        "invoice",
        "a report on the whole book: the index of what is open, in its order",
    ),
    ("ageing/by_issue_day.sql", "invoice", "a report on the whole book: the index of what is open"),
    (
        "ageing/unallocated.sql",
        "payment",
        "a report on the whole book: the index of what is not allocated",
    ),
    (
        "invoice/sales_by_month.sql",
        "invoice",
        "a report on the whole book; an index by issue would cost every import",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM score)",
        "score",
        "once an import: whether anybody was judged, which the first row answers",
    ),
    (
        "DELETE FROM reminded WHERE invoice_key IN ( SELECT i.key FROM allocation AS a NOT INDEXED CROSS JOIN invoice AS i ON i.key = a.invoice_key WHERE a.key > ?1 AND i.open_minor = 0 AND EXISTS (SELECT 1 FROM reminded))",
        "reminded",
        "once an import of payments: whether anybody was reminded, which the first row answers",
    ),
    ("score/migration.sql", "invoice", MIGRATED),
    ("score/migration.sql", "score_change", MIGRATED),
    ("arrears/book.sql", "arrears", "once a tick: one row a customer and currency"),
    (
        "arrears/book_then.sql",
        "invoice",
        "once a judgement of a back-test of shares of the book: the index of what is open",
    ),
    (
        "INSERT INTO score_outdated (customer_key) SELECT customer_key FROM score WHERE true ON CONFLICT DO UPDATE SET facts = NULL WHERE facts IS NOT NULL",
        "score",
        "once a policy that changes what needs a second key",
    ),
    (
        "SELECT count(DISTINCT customer_key) FROM arrears WHERE overdue_minor > 0",
        "arrears",
        "once a business date",
    ),
    (
        "SELECT count(*) FROM alert WHERE closed_on IS NULL",
        "alert",
        "once a business date: the index of what is open",
    ),
    ("watch/page.sql", "alert", "the index of what is open and grave, which the list is made of"),
    (
        "bank/found.sql",
        "customer",
        "once a slice of a bank statement: the index of who has an account in its record",
    ),
    ("bank/insert_statements.sql", "bank_entry", MENDED),
    ("customer/insert_all.sql", "bank_entry", MENDED),
    ("customer/insert_all.sql", "credit_check", MENDED),
    ("customer/insert_members.sql", "bank_entry", MENDED),
    ("customer/insert_members.sql", "credit_check", MENDED),
    ("customer/insert_named.sql", "bank_entry", MENDED),
    ("customer/insert_named.sql", "credit_check", MENDED),
    ("customer/save.sql", "bank_entry", MENDED),
    ("customer/save.sql", "credit_check", MENDED),
    ("payment/insert_all.sql", "bank_entry", MENDED),
    ("invoice/insert_all.sql", "allocation", MENDED),
    ("invoice/insert_all.sql", "notice_item", MENDED),
    ("invoice/insert_all.sql", "payment", MENDED),
    ("invoice/insert_plain.sql", "allocation", MENDED),
    ("invoice/insert_plain.sql", "notice_item", MENDED),
    ("invoice/insert_plain.sql", "payment", MENDED),
    ("payment/insert_all.sql", "allocation", MENDED),
    ("SELECT (SELECT count(*) FROM invoice) + (SELECT count(*) FROM payment)", "invoice", VERIFIED),
    ("SELECT (SELECT count(*) FROM invoice) + (SELECT count(*) FROM payment)", "payment", VERIFIED),
    ("SELECT count(*) FROM allocation", "allocation", VERIFIED),
    ("SELECT count(*) FROM customer", "customer", VERIFIED),
    ("SELECT count(*) FROM invoice", "invoice", VERIFIED),
    ("SELECT count(*) FROM payment", "payment", VERIFIED),
    (
        "policy/user_of.sql",
        "payment",
        "once a policy that changes or drops an order, or a file of rates: whether a payment names it",
    ),
    ("verification/ageing.sql", "invoice", VERIFIED),
    ("verification/allocations.sql", "allocation", VERIFIED),
    ("verification/allocations_hold.sql", "allocation", VERIFIED),
    ("verification/allocations_hold.sql", "customer", VERIFIED),
    ("verification/amounts.sql", "invoice", VERIFIED),
    ("verification/amounts.sql", "payment", VERIFIED),
    ("verification/designations.sql", "payment", VERIFIED),
    ("verification/documents_noted.sql", "payment", VERIFIED),
    ("verification/fields_counted.sql", "customer", VERIFIED),
    ("verification/invoices.sql", "allocation", VERIFIED),
    ("verification/invoices.sql", "invoice", VERIFIED),
    ("verification/invoices_hold.sql", "allocation", VERIFIED),
    ("verification/invoices_hold.sql", "invoice", VERIFIED),
    ("verification/payments.sql", "allocation", VERIFIED),
    ("verification/payments.sql", "payment", VERIFIED),
    ("verification/payments_hold.sql", "allocation", VERIFIED),
    ("verification/payments_hold.sql", "payment", VERIFIED),
    ("verification/recorded.sql", "invoice", VERIFIED),
    ("verification/recorded.sql", "payment", VERIFIED),
    ("verification/returns.sql", "allocation", VERIFIED),
    (
        "SELECT json_group_array(customer_key) FROM ( SELECT customer_key FROM payment UNION SELECT customer_key FROM invoice WHERE kind = 'credit-note' INTERSECT SELECT customer_key FROM invoice WHERE due_on >= ?1 ORDER BY customer_key)",
        "invoice",
        "when a policy with another order or clause is written, or a rate that an order weighs: whoever may be allocated anew",
    ),
    (
        "SELECT json_group_array(customer_key) FROM ( SELECT customer_key FROM payment UNION SELECT customer_key FROM invoice WHERE kind = 'credit-note' INTERSECT SELECT customer_key FROM invoice WHERE due_on >= ?1 ORDER BY customer_key)",
        "payment",
        "when a policy with another order or clause is written, or a rate that an order weighs: whoever may be allocated anew",
    ),
];

/// Everybody's grade on two days, and what is owed.
const MIGRATED: &str =
    "a report on the whole book: every judgement that was kept, and what was open then";

/// The books are verified as a whole.
const VERIFIED: &str = "a check of the whole of the books, on demand";

/// The last lines of the plans of INSERT.
const MENDED: &str = "never run: SQLite would look for rows that a new parent mends, had the statement broken a foreign key before";

/// A statement: the file it stands in, and for those inside Rust files its first words; its text.
type Statement = (String, String);

fn store() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/store").canonicalize().unwrap()
}

/// Every file below a folder with this ending, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|of| of == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All statements by noun: the files of `sql/<noun>/`, and the one-liners inside `src/<noun>.rs`.
fn statements() -> BTreeMap<String, Vec<Statement>> {
    let mut by_noun: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
    let sql = store().join("sql");
    for file in files(&sql, "sql") {
        let name = file.strip_prefix(&sql).unwrap().to_str().unwrap().to_string();
        let noun = name.split('/').next().unwrap().to_string();
        by_noun.entry(noun).or_default().push((name, fs::read_to_string(&file).unwrap()));
    }
    for file in files(&store().join("src"), "rs") {
        let noun = file.file_stem().unwrap().to_str().unwrap().to_string();
        for text in strings(&fs::read_to_string(&file).unwrap()) {
            let first = text.split_whitespace().next().unwrap_or_default();
            if ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&first) {
                let words: Vec<&str> = text.split_whitespace().collect();
                by_noun.entry(noun.clone()).or_default().push((words.join(" "), text));
            }
        }
    }
    by_noun
}

/// The string literals of a Rust file. Comments and characters are told apart well enough for the store's own code.
fn strings(source: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), source);
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let tail = &rest[at..];
        if tail.starts_with("//") {
            rest = tail.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        if !tail.starts_with('"') {
            // A character literal may hold a quote.
            let quoted = tail.starts_with("'\"'") || tail.starts_with("'\\''");
            rest = &tail[if quoted { tail[1..].find('\'').unwrap() + 2 } else { 1 }..];
            continue;
        }
        let (mut text, mut chars) = (String::new(), tail.char_indices().skip(1).peekable());
        rest = "";
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    rest = &tail[at + 1..];
                    break;
                }
                '\\' => match chars.next().map(|(_, c)| c) {
                    // The end of a line and the blanks before the next one are not part of the text.
                    Some('\n') => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                    Some('n') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => {}
                },
                other => text.push(other),
            }
        }
        found.push(text);
    }
    found
}

/// The plan as a tree.
fn plan(db: &Connection, text: &str) -> Vec<String> {
    let mut explain =
        db.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap_or_else(|e| panic!("{e}: {text}"));
    for number in 1..=explain.parameter_count() {
        explain.raw_bind_parameter(number, rusqlite::types::Null).unwrap();
    }
    let mut depth: BTreeMap<i64, usize> = BTreeMap::from([(0, 0)]);
    let mut rows = explain.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let (id, parent, detail): (i64, i64, String) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(3).unwrap());
        let level = depth[&parent];
        depth.insert(id, level + 1);
        lines.push(format!("{}{detail}", "  ".repeat(level)));
    }
    lines
}

/// The big tables that a plan goes through from end to end.
fn full_passes(text: &str, plan: &[String]) -> Vec<&'static str> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let alias = |of: &str| {
        words.windows(3).find(|three| three[1] == "AS" && three[2] == of).map(|three| three[0])
    };
    let mut found = BTreeSet::new();
    for line in plan {
        let Some(scanned) = line.trim().strip_prefix("SCAN ") else { continue };
        let name = scanned.split(' ').next().unwrap();
        let tables = BIG.iter().filter(|table| **table == name || alias(name) == Some(**table));
        found.extend(tables.copied());
    }
    found.into_iter().collect()
}

/// A database with the schema and nothing in it.
fn database() -> (tempfile::TempDir, dunlin_store::native::NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = dunlin_store::native::NativeDb::open(&folder.path().join("empty.db")).unwrap();
    (folder, db)
}

fn snapshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/snapshots")
}

#[test]
fn every_plan_is_the_one_that_was_looked_at() {
    let (_folder, db) = database();
    let update = std::env::var_os("UPDATE").is_some();
    let (mut changed, mut expected) = (Vec::new(), BTreeSet::new());
    for (noun, statements) in statements() {
        let mut page =
            format!("The plans of `{noun}`. Written by the test `plans` with UPDATE=1.\n");
        for (name, text) in statements {
            writeln!(page, "\n{name}").unwrap();
            for line in plan(db.connection(), &text) {
                writeln!(page, "    {line}").unwrap();
            }
        }
        let file = snapshots().join(format!("{noun}.txt"));
        if update {
            fs::write(&file, &page).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        let differing = found.lines().zip(page.lines()).find(|(one, other)| one != other);
        if found != page {
            changed.push(format!("{}: {differing:?}", file.display()));
        }
        expected.insert(file);
    }
    assert!(changed.is_empty(), "look at the change, then run again with UPDATE=1: {changed:#?}");
    let found: BTreeSet<PathBuf> = files(&snapshots(), "txt").into_iter().collect();
    let unused: Vec<&PathBuf> = found.difference(&expected).collect();
    assert!(unused.is_empty(), "nothing makes these snapshots any more: {unused:?}");
}

#[test]
fn a_full_pass_over_a_big_table_has_a_reason() {
    let (_folder, db) = database();
    let mut wanted: BTreeSet<(String, &str)> = BTreeSet::new();
    for (name, text) in statements().into_values().flatten() {
        let passes = full_passes(&text, &plan(db.connection(), &text));
        wanted.extend(passes.into_iter().map(|table| (name.clone(), table)));
    }
    let allowed: BTreeSet<(String, &str)> =
        FULL_PASSES.iter().map(|(name, table, _)| ((*name).to_string(), *table)).collect();
    let new: Vec<_> = wanted.difference(&allowed).collect();
    assert!(new.is_empty(), "these go through a whole table: {new:#?}");
    let gone: Vec<_> = allowed.difference(&wanted).collect();
    assert!(gone.is_empty(), "these no longer do: {gone:#?}");
}

#[test]
fn the_reader_of_rust_files_finds_every_statement() {
    let source = "// \"SELECT 0\"\nlet a = \"SELECT 1 \\\n    FROM t\"; f('\"', \"x\\\"y\");\nlet b: &'a str = \"two\nlines\";";
    assert_eq!(strings(source), ["SELECT 1 FROM t", "x\"y", "two\nlines"]);
    let all = statements();
    assert!(all.values().flatten().count() > 90, "{}", all.values().flatten().count());
}
