//! What a plug, a lock and a careless sender can do to the shipped binary, and that nothing of it shows afterwards.
//!
//! A dump of the whole database is compared with that of a run that nobody disturbed. The receiver that fails, and the
//! database that stays locked for good, are journeys.

// The comparison of databases that the properties of the flows use too.
#[path = "../../crates/app/tests/properties/dump.rs"]
#[allow(dead_code)]
mod dump;

use dunlin_store::{Db, Row, native::NativeDb};
use dunlin_tests::{Answer, Frozen, Process, Request};
use rusqlite::Connection;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Rows of the file that is cut.
const ROWS: u32 = 20_000;

/// How often each work is cut.
const CUTS: u32 = 10;

/// The notes of imports, which tell of cut ones too.
const NOTES: [&str; 3] = ["import", "import_slice", "import_error"];

/// Random numbers that are the same in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, usize::try_from(self.below(at as u64 + 1)).unwrap());
        }
    }
}

/// The application on this data. It is frozen once, so that no start waits for a build.
fn up(data: &Path) -> Process {
    up_with(data, &[])
}

fn up_with(data: &Path, variables: &[(&str, &str)]) -> Process {
    static APP: OnceLock<Frozen> = OnceLock::new();
    Process::up_frozen_with(APP.get_or_init(Frozen::new), data, variables)
}

fn database(data: &Path) -> PathBuf {
    data.join("default.db")
}

/// The database after its last writer is gone, as one file.
fn settled(data: &Path) -> NativeDb {
    let db = NativeDb::open(&database(data)).unwrap();
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
    db
}

fn ledger(data: &Path) -> Vec<String> {
    let db = settled(data);
    dump::assert_sound(&db);
    dump::by_ids(&db, &NOTES)
}

/// A data directory that begins with the database of another.
fn copy_of(data: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(database(data), database(copy.path())).unwrap();
    copy
}

fn customers(count: u32) -> String {
    let rows = (0..count).map(|n| format!("C{n},Customer {n}\n"));
    format!("id,name\n{}", rows.collect::<String>())
}

fn invoice(n: u32, customers: u32) -> String {
    let (month, day) = (1 + n % 6, 1 + n % 28);
    format!(
        "I{n},C{},2024-{month:02}-{day:02},2024-{:02}-{day:02},{}.50,EUR\n",
        n % customers,
        month + 1,
        10 + n % 90
    )
}

fn invoices(count: u32, customers: u32) -> String {
    let rows = (0..count).map(|n| invoice(n, customers));
    format!("id,customer_id,issued_on,due_on,amount,currency\n{}", rows.collect::<String>())
}

fn payment(n: u32, customers: u32) -> String {
    let named = if n.is_multiple_of(3) { format!("I{n}") } else { String::new() };
    format!(
        "P{n},C{},2024-{:02}-{:02},{}.25,EUR,{named}\n",
        n % customers,
        2 + n % 7,
        1 + n % 28,
        8 + n % 95
    )
}

fn payments(count: u32, customers: u32) -> String {
    let rows = (0..count).map(|n| payment(n, customers));
    format!("id,customer_id,received_on,amount,currency,invoice_id\n{}", rows.collect::<String>())
}

/// Sends a request that nobody waits for, kills the process after so long, and gives the answer if one came.
fn killed(process: Process, request: Request, after: Duration) -> Option<Answer> {
    let sent = thread::spawn(move || {
        let mut socket = request.begin();
        Answer::try_read(&mut socket)
    });
    thread::sleep(after);
    process.kill();
    sent.join().ok().flatten()
}

/// The payments of a file meet the invoices of a book, and at some moment the plug is pulled: the ledger is as it was
/// or as it should be, and the same file again makes it whole.
#[test]
fn an_import_that_is_killed_stores_all_or_nothing_and_can_be_sent_again() {
    let begun = tempfile::tempdir().unwrap();
    let process = up(begun.path());
    process.import("customers", customers(500));
    process.import("invoices", invoices(ROWS, 500));
    process.kill();
    let before = ledger(begun.path());

    let uncut = copy_of(begun.path());
    let file = payments(ROWS, 500);
    let process = up(uncut.path());
    let started = Instant::now();
    process.import("payments", file.clone());
    let whole = started.elapsed();
    process.kill();
    let after = ledger(uncut.path());
    assert_ne!(before, after);

    let (mut random, mut cut) = (Seeded(2_024), 0);
    for number in 0..CUTS {
        let copy = copy_of(begun.path());
        let process = up(copy.path());
        let request = process
            .request("POST", "/v1/ingest/imports?kind=payments")
            .body("text/csv", file.clone());
        // One after the other through the work, each at a random moment of its part.
        let part = u64::try_from(whole.as_micros()).unwrap() / u64::from(CUTS);
        let moment = Duration::from_micros(part * u64::from(number) + random.below(part));
        let answer = killed(process, request, moment);
        let found = ledger(copy.path());
        if answer.as_ref().is_some_and(|answer| answer.status == 200) || found == after {
            dump::assert_same(&after, &found, "an answer was given, so it is there");
        } else {
            dump::assert_same(&before, &found, &format!("killed after {moment:?}"));
            cut += 1;
        }
        let process = up(copy.path());
        let again = process.import("payments", file.clone());
        assert_eq!(again["rejected"], 0);
        process.kill();
        dump::assert_same(&after, &ledger(copy.path()), &format!("sent again after {moment:?}"));
    }
    assert!(cut > 2, "only {cut} of {CUTS} were cut before they were done");
}

/// Statements with a payment for each of so many invoices: more than a slice.
fn statement(count: u32) -> String {
    let balance = |code: &str, minor: u32| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{minor}.00</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-08-30</Dt></Dt></Bal>"
        )
    };
    let amount = |n: u32| 10 + n % 90;
    let total: u32 = (0..count).map(amount).sum::<u32>() + count / 2;
    let entry = |n: u32| {
        format!(
            "<Ntry><Amt Ccy=\"EUR\">{}.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2024-08-30</Dt></BookgDt><AcctSvcrRef>B{n}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties>\
             <Dbtr><Pty><Nm>Customer {}</Nm></Pty></Dbtr></RltdPties><RmtInf><Strd><CdtrRefInf><Ref>I{n:04}</Ref>\
             </CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>",
            amount(n),
            n % 500
        )
    };
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>S1</Id><Acct><Id>\
         <IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}{}</Stmt></BkToCstmrStmt></Document>",
        balance("OPBD", 0),
        balance("CLBD", total),
        (0..count).map(entry).collect::<String>()
    )
}

/// How often a file of statements is cut.
const STATEMENT_CUTS: u32 = 25;

/// Entries of that file.
const ENTRIES: u32 = 6_000;

/// A file of bank statements is cut at moments over its whole length: all of it is in the books or nothing, and sent
/// again it ends where an uncut one does, with every entry booked once.
#[test]
fn a_file_of_statements_that_is_killed_is_in_the_books_whole_or_not_at_all() {
    let begun = tempfile::tempdir().unwrap();
    let process = up(begun.path());
    process.import("customers", customers(500));
    process.import("invoices", invoices(ENTRIES, 500));
    process.kill();
    let before = ledger(begun.path());

    let file = statement(ENTRIES);
    let send = |process: &Process| {
        let path = "/v1/ingest/imports?kind=bank-statement&format=camt053";
        process.request("POST", path).body("application/xml", file.clone())
    };
    let uncut = copy_of(begun.path());
    let process = up(uncut.path());
    let started = Instant::now();
    let result = send(&process).send().ok();
    let whole = started.elapsed();
    process.kill();
    assert!(result["bank"]["matches"]["automatic"].as_u64() > Some(1_000), "{result}");
    let after = ledger(uncut.path());

    let (mut random, mut cut) = (Seeded(53), 0);
    for number in 0..STATEMENT_CUTS {
        let copy = copy_of(begun.path());
        let process = up(copy.path());
        let part = u64::try_from(whole.as_micros()).unwrap() / u64::from(STATEMENT_CUTS);
        let moment = Duration::from_micros(part * u64::from(number) + random.below(part));
        let request = send(&process);
        let answer = killed(process, request, moment);
        let found = ledger(copy.path());
        if answer.as_ref().is_some_and(|answer| answer.status == 200) || found == after {
            dump::assert_same(&after, &found, "an answer was given, so it is there");
        } else {
            dump::assert_same(&before, &found, &format!("killed after {moment:?}"));
            cut += 1;
        }
        let process = up(copy.path());
        let again = send(&process).send().ok();
        assert_eq!(again["received"], result["received"]);
        process.kill();
        dump::assert_same(&after, &ledger(copy.path()), &format!("sent again after {moment:?}"));
    }
    assert!(cut > 5, "only {cut} of {STATEMENT_CUTS} were cut before they were done");
}

/// How often an import that goes on is cut, how often at the most before it may come to its end, and how many of the
/// cuts must fall where nothing is left to be staged: while the rows are applied.
const RESUMED_CUTS: u32 = 50;
const CUTS_A_ROUND: u32 = 5;
const CUT_WHILE_APPLYING: u32 = 8;

/// Rows of a slice of that import.
const SLICE: u64 = 500;

/// How far an import has come: the rows that are staged, and whether it is applied.
fn come_so_far(data: &Path) -> (u64, bool) {
    let db = Connection::open(database(data)).unwrap();
    // Nobody works on it any more: as if the minute had passed after which that is known.
    db.execute(
        "UPDATE import SET lease_until = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE state = 'staging'",
        [],
    )
    .unwrap();
    let found = db.query_row(
        "SELECT coalesce(checkpoint ->> 'rows', 0), state = 'applied' FROM import WHERE id = 'CUT'",
        [],
        |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)),
    );
    found.map_or((0, false), |(rows, applied)| (u64::try_from(rows).unwrap(), applied))
}

/// One import with a name, cut at random moments over its whole length and sent again until it is applied: it goes on
/// where it was, and ends where one that was never cut does. One that is cut while it applies has applied nothing.
#[test]
fn an_import_that_is_cut_again_and_again_goes_on_and_ends_where_an_uncut_one_does() {
    let slices = [("import_slice", SLICE.to_string())];
    let slices = slices.each_ref().map(|(name, value)| (*name, value.as_str()));
    let path = "/v1/ingest/imports?kind=payments&id=CUT";
    let begun = tempfile::tempdir().unwrap();
    let process = up(begun.path());
    process.import("customers", customers(500));
    process.import("invoices", invoices(ROWS, 500));
    process.kill();
    let before = ledger(begun.path());

    let file = payments(ROWS, 500);
    let uncut = copy_of(begun.path());
    let process = up_with(uncut.path(), &slices);
    let send = |process: &Process| process.request("POST", path).body("text/csv", file.clone());
    let started = Instant::now();
    let expected = send(&process).send().ok();
    let whole = u64::try_from(started.elapsed().as_micros()).unwrap();
    process.kill();
    let after = ledger(uncut.path());

    let seed = 5_000;
    println!("seed {seed}");
    let (mut random, mut tries) = (Seeded(seed), 0);
    let (mut cuts, mut went_on, mut applying) = (0, 0, 0);
    while cuts < RESUMED_CUTS {
        let copy = copy_of(begun.path());
        let mut staged = 0;
        for number in 0..=CUTS_A_ROUND {
            let process = up_with(copy.path(), &slices);
            if number == CUTS_A_ROUND {
                let result = send(&process).send().ok();
                assert_eq!(result["accepted"], expected["accepted"]);
                process.kill();
                break;
            }
            // One after the other through the work. What goes on has less of it left, and only its end is new.
            let part = whole / u64::from(RESUMED_CUTS);
            let moment = part * (tries % u64::from(RESUMED_CUTS)) + random.below(part);
            tries += 1;
            let request = send(&process);
            killed(process, request, Duration::from_micros(moment));
            let (rows, applied) = come_so_far(copy.path());
            if applied {
                break;
            }
            cuts += 1;
            assert!(rows >= staged, "{rows} rows after {staged}, cut {cuts}");
            went_on += u32::from(staged > 0);
            // The last slice is not staged.
            if rows + SLICE >= u64::from(ROWS) {
                applying += 1;
                dump::assert_same(
                    &before,
                    &ledger(copy.path()),
                    &format!("cut {cuts}, while applying"),
                );
            }
            staged = rows;
        }
        dump::assert_same(&after, &ledger(copy.path()), &format!("after {cuts} cuts"));
    }
    println!("{cuts} cuts, {went_on} went on, {applying} while applying");
    assert!(went_on > 2, "only {went_on} of {cuts} found anything to go on from");
    assert!(applying >= CUT_WHILE_APPLYING, "only {applying} of {cuts} fell while it applied");
}

/// Documents of the one customer whose whole book is replayed.
const BOOK: u32 = 6_000;

/// How often each replay is cut.
const REPLAY_CUTS: u32 = 12;

/// Parts of payments that a write took back to set them against other documents.
fn moved(data: &Path) -> i64 {
    settled(data).int("SELECT count(*) FROM allocation WHERE amount_minor < 0", &[]).unwrap()
}

/// Money that comes late or goes back moves what was recorded since. The plug is pulled while it does: the books hold,
/// as they were or as they should be, and the same request again ends where an uncut one does.
#[test]
fn a_replay_that_is_killed_leaves_books_that_hold_and_can_be_asked_for_again() {
    let begun = tempfile::tempdir().unwrap();
    let process = up(begun.path());
    process.import("customers", customers(1));
    process.import("invoices", invoices(BOOK, 1));
    process.import("payments", payments(BOOK / 2, 1));
    process.kill();
    let before = ledger(begun.path());

    let backdated = json!({"id": "LATE", "customer_id": "C0", "received_on": "2024-01-02",
        "amount": {"minor": 12_345, "currency": "EUR"}});
    // One that names no document: all that it paid moves to others.
    let mistake = json!({"id": "R1", "kind": "mistake", "reason": "of another customer"});
    let requests =
        [("/v1/ingest/payments", backdated), ("/v1/ingest/payments/P1/reverse", mistake)];
    let (mut random, mut cut) = (Seeded(560), 0);
    for (path, body) in &requests {
        let uncut = copy_of(begun.path());
        let process = up(uncut.path());
        let started = Instant::now();
        process.post_json(path, body).ok();
        let whole = started.elapsed();
        process.kill();
        let (after, entries) = (ledger(uncut.path()), chain(uncut.path()));
        assert_ne!(before, after);
        assert!(moved(uncut.path()) > i64::from(BOOK) / 4, "{path} moved {}", moved(uncut.path()));

        for number in 0..REPLAY_CUTS {
            let copy = copy_of(begun.path());
            let process = up(copy.path());
            let request = process.request("POST", path).json(body);
            let part = u64::try_from(whole.as_micros()).unwrap() / u64::from(REPLAY_CUTS);
            let moment = Duration::from_micros(part * u64::from(number) + random.below(part));
            let answer = killed(process, request, moment);
            let found = ledger(copy.path());
            let why = format!("{path} killed after {moment:?}");
            if answer.is_some_and(|answer| answer.status < 300) || found == after {
                dump::assert_same(&after, &found, &why);
            } else {
                dump::assert_same(&before, &found, &why);
                cut += 1;
            }
            let process = up(copy.path());
            process.post_json(path, body).ok();
            process.kill();
            dump::assert_same(&after, &ledger(copy.path()), &format!("again: {why}"));
            assert_eq!(chain(copy.path()), entries, "noted once: {why}");
        }
    }
    assert!(cut > 5, "only {cut} of {} were cut before they were done", 2 * REPLAY_CUTS);
}

/// What was done to which, in order.
fn chain(data: &Path) -> Vec<[String; 3]> {
    let rows = settled(data).execute("SELECT action, noun, id FROM audit ORDER BY key", &[]);
    let text = |row: &Row, column| row.text(column).unwrap().to_string();
    rows.unwrap().iter().map(|row| [0, 1, 2].map(|column| text(row, column))).collect()
}

/// Ticks of five milliseconds until the day is done; ends when the process is gone.
fn sweep_in_ticks(client: dunlin_tests::Client) {
    let request = client.request("POST", "/v1/sweep?as_of=2024-09-01&budget_ms=5");
    loop {
        let Ok(mut socket) = std::panic::catch_unwind(|| request.begin()) else { return };
        match Answer::try_read(&mut socket) {
            Some(answer) if answer.status == 200 && answer.json()["done"] != true => {}
            _ => return,
        }
    }
}

/// As if the minute had passed after which a dead tick is taken over.
fn let_the_lease_run_out(data: &Path) {
    let db = Connection::open(database(data)).unwrap();
    db.execute("UPDATE sweep_lease SET until_at = '2024-01-01T00:00:00Z'", []).unwrap();
}

#[test]
fn a_sweep_that_is_killed_ends_where_an_uncut_one_does() {
    let begun = tempfile::tempdir().unwrap();
    let process = up(begun.path());
    process.import("customers", customers(6_000));
    process.import("invoices", invoices(ROWS, 6_000));
    process.import("payments", payments(ROWS / 2, 6_000));
    process.sweep("2024-06-30");
    process.kill();
    drop(settled(begun.path()));

    let uncut = copy_of(begun.path());
    let process = up(uncut.path());
    let started = Instant::now();
    sweep_in_ticks(process.clone());
    let whole = started.elapsed();
    assert_eq!(process.get("/v1/sweep").ok()["done"], true);
    process.kill();
    let expected = ledger(uncut.path());

    let (mut random, mut held) = (Seeded(31), 0);
    for number in 0..CUTS {
        let copy = copy_of(begun.path());
        let process = up(copy.path());
        let client = process.clone();
        let ticking = thread::spawn(move || sweep_in_ticks(client));
        let part = u64::try_from(whole.as_micros()).unwrap() / u64::from(CUTS);
        thread::sleep(Duration::from_micros(part * u64::from(number) + random.below(part)));
        process.kill();
        ticking.join().unwrap();
        dump::assert_sound(&settled(copy.path()));

        let process = up(copy.path());
        let resumed = process.post("/v1/sweep?as_of=2024-09-01&budget_ms=5");
        if resumed.status == 409 {
            resumed.refused("sweep-running");
            assert!(resumed.header("retry-after").is_some());
            held += 1;
            let_the_lease_run_out(copy.path());
        }
        assert_eq!(process.sweep("2024-09-01")["done"], true);
        process.kill();
        dump::assert_same(&expected, &ledger(copy.path()), &format!("cut {number}"));
    }
    assert!(held > 0, "no tick was cut in its work");
}

/// Another program writes for a second: who asks meanwhile waits and is served.
#[test]
fn a_lock_that_passes_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let process = up(data.path());
    process.import("customers", customers(3));
    let other = Connection::open(database(data.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let client = process.clone();
    let waiting = thread::spawn(move || {
        let started = Instant::now();
        (client.import("invoices", invoices(30, 3)), started.elapsed())
    });
    thread::sleep(Duration::from_secs(1));
    other.execute_batch("ROLLBACK").unwrap();
    let (result, waited) = waiting.join().unwrap();
    assert_eq!(result["accepted"], 30);
    assert!(waited > Duration::from_millis(900), "{waited:?}");
}

/// The same rows in many files, in any order, some of them twice and several at once: one ledger.
#[test]
fn rows_in_any_order_and_more_than_once_make_one_ledger() {
    let orderly = tempfile::tempdir().unwrap();
    let process = up(orderly.path());
    process.import("customers", customers(40));
    process.import("invoices", invoices(2_000, 40));
    process.import("payments", payments(2_000, 40));
    process.sweep("2024-09-01");
    process.kill();
    let expected = ledger(orderly.path());

    let mut random = Seeded(7);
    let data = tempfile::tempdir().unwrap();
    let process = up(data.path());
    process.import("customers", customers(40));
    let mut all: Vec<u32> = (0..2_000).collect();
    for kind in ["invoices", "payments"] {
        random.shuffle(&mut all);
        let header = if kind == "invoices" {
            "id,customer_id,issued_on,due_on,amount,currency\n"
        } else {
            "id,customer_id,received_on,amount,currency,invoice_id\n"
        };
        let row = |n: &u32| if kind == "invoices" { invoice(*n, 40) } else { payment(*n, 40) };
        let file = |part: &[u32]| format!("{header}{}", part.iter().map(row).collect::<String>());
        let mut files: Vec<String> = all.chunks(170).map(file).collect();
        let twice = files.iter().take(5).cloned().collect::<Vec<_>>();
        files.extend(twice);
        random.shuffle(&mut files);
        for four in files.chunks(4) {
            let send = |file: &String| {
                let (client, file) = (process.clone(), file.clone());
                thread::spawn(move || client.import(kind, file))
            };
            let sent: Vec<_> = four.iter().map(send).collect();
            sent.into_iter().for_each(|one| assert_eq!(one.join().unwrap()["rejected"], 0));
        }
    }
    process.sweep("2024-09-01");
    process.kill();
    dump::assert_same(&expected, &ledger(data.path()), "in another order");
}

/// Two clients write to one customer at the same time, single writes that meet each other: one ledger, as if one had
/// waited for the other.
#[test]
fn two_clients_on_one_customer_make_one_ledger() {
    const EACH: u32 = 20;
    let day = |n: u32| format!("2024-{:02}-{:02}", 1 + n % 6, 1 + n % 28);
    let eur = |minor: u32| json!({"minor": minor, "currency": "EUR"});
    let claims: Vec<_> = (0..EACH)
        .map(|n| {
            let new = json!({"id": format!("I{n}"), "customer_id": "C0", "issued_on": day(n), "amount": eur(500 + n)});
            ("/v1/ingest/invoices".to_string(), new)
        })
        .collect();
    let money: Vec<_> = (0..EACH)
        .flat_map(|n| {
            let new = json!({"id": format!("P{n}"), "customer_id": "C0", "received_on": day(n + 3), "amount": eur(700 - 9 * n)});
            let back = json!({"id": format!("R{n}"), "kind": "chargeback", "minor": 100 + n, "on": "2024-08-01"});
            let reverse = format!("/v1/ingest/payments/P{n}/reverse");
            [("/v1/ingest/payments".to_string(), new), (reverse, back)]
        })
        .collect();
    let send = |client: &dunlin_tests::Client, writes: &[(String, serde_json::Value)]| {
        writes.iter().for_each(|(path, body)| drop(client.post_json(path, body).ok()));
    };
    let run = |at_once: bool| {
        let data = tempfile::tempdir().unwrap();
        let process = up(data.path());
        process.import("customers", customers(1));
        thread::scope(|scope| {
            let one = scope.spawn(|| send(&process, &claims));
            if !at_once {
                one.join().unwrap();
            }
            send(&process, &money);
        });
        process.get("/v1/ingest/verification").ok();
        process.kill();
        ledger(data.path())
    };
    dump::assert_same(&run(false), &run(true), "at once");
}

/// A shop dies between its reservation and its order: the amount is kept for its time, and free after it.
#[test]
fn a_reservation_of_a_shop_that_died_runs_out() {
    let data = tempfile::tempdir().unwrap();
    let process = up(data.path());
    process.import("customers", customers(1));
    let limit = json!({"minor": 100, "currency": "EUR"});
    assert_eq!(process.put_json("/v1/score/limits/C0", &limit).status, 201);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let after = |seconds: i64| {
        dunlin_domain::Instant::from_unix(i64::try_from(now.as_secs()).unwrap() + seconds).unwrap()
    };
    let reserve = |process: &Process, id: &str, minor: u32, seconds: i64| {
        let amount = json!({"minor": minor, "currency": "EUR"});
        let body =
            json!({"id": id, "customer": "C0", "amount": amount, "expires_at": after(seconds)});
        process.post_json("/v1/score/reservations", &body)
    };
    assert_eq!(reserve(&process, "LONG", 60, 36_000).status, 201);
    assert_eq!(reserve(&process, "SHORT", 40, 5).status, 201);
    process.kill();
    let process = up(data.path());
    let state =
        |id: &str| process.get(&format!("/v1/score/reservations/{id}")).ok()["state"].clone();
    reserve(&process, "OTHER", 41, 36_000).refused("credit-held");
    dunlin_tests::eventually("the reservation ran out", || state("SHORT") == "expired");
    assert_eq!(state("LONG"), "held");
    process.post("/v1/score/reservations/SHORT/commit").refused("wrong-state");
    assert_eq!(process.post("/v1/score/reservations/LONG/commit").status, 200);
    assert_eq!(reserve(&process, "AFTER", 40, 36_000).status, 201);
}

/// The plug is pulled while reservations are committed one after the other: each is an order now or as it was, and to
/// commit it again makes it one.
#[test]
fn a_commit_that_is_killed_is_an_order_or_still_a_reservation() {
    const EACH: u32 = 40;
    let data = tempfile::tempdir().unwrap();
    let process = up(data.path());
    process.import("customers", customers(1));
    let limit = json!({"minor": 1_000_000, "currency": "EUR"});
    assert_eq!(process.put_json("/v1/score/limits/C0", &limit).status, 201);
    process.kill();
    let count = |sql: &str| settled(data.path()).int(sql, &[]).unwrap();
    let committed = || count("SELECT count(*) FROM credit_reservation WHERE state = 'committed'");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let end = i64::try_from(now.as_secs()).unwrap() + 36_000;
    let end = dunlin_domain::Instant::from_unix(end).unwrap();
    let (mut random, mut cut, mut before) = (Seeded(64), 0, 0);
    let mut paths = Vec::new();
    for round in 0..CUTS {
        let process = up(data.path());
        let started = Instant::now();
        let asked: Vec<String> = (0..EACH)
            .map(|number| {
                let id = format!("K{round}-{number}");
                let body = json!({"id": id, "customer": "C0", "expires_at": end,
                    "amount": {"minor": 1, "currency": "EUR"}});
                assert_eq!(process.post_json("/v1/score/reservations", &body).status, 201);
                format!("/v1/score/reservations/{id}/commit")
            })
            .collect();
        let whole = u64::try_from(started.elapsed().as_micros()).unwrap();
        let requests: Vec<Request> =
            asked.iter().map(|path| process.request("POST", path)).collect();
        let sent = thread::spawn(move || {
            for request in requests {
                let mut socket = request.begin();
                if Answer::try_read(&mut socket).is_none() {
                    return;
                }
            }
        });
        thread::sleep(Duration::from_micros(random.below(whole)));
        process.kill();
        let _ = sent.join();
        let torn = "SELECT count(*) FROM credit_reservation AS r LEFT JOIN credit_order AS o ON o.id = r.id
            WHERE (r.state = 'committed') <> (o.id IS NOT NULL) OR o.amount_minor <> r.minor";
        assert_eq!(count(torn), 0, "round {round}");
        let done = committed() - before;
        cut += u32::from(done > 0 && done < i64::from(EACH));
        before += done;
        paths.extend(asked);
    }
    assert!(cut > 2, "only {cut} of {CUTS} were cut in the middle");
    let process = up(data.path());
    for path in &paths {
        assert_eq!(process.post(path).status, 200, "{path}");
    }
    let exposure = process.get("/v1/score/limits/C0/exposure").ok();
    assert_eq!(exposure["total_minor"], json!(CUTS * EACH));
    process.kill();
    assert_eq!(committed(), i64::from(CUTS * EACH));
}
