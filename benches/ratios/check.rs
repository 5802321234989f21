//! Checks and reservations in a second beside one point query of the same runtime, and a limit policy tried on the
//! whole book beside the statements it runs.

use crate::bare::{self, Noting};
use crate::clock::{self, Took};
use crate::requests::{CONNECTIONS, POINT, WARM_UP, WINDOW, at_once};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_app::credit::policy;
use dunlin_store::native::NativeDb;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const CHECKS: Bar = Bar::AtLeast(0.6);
const RESERVATIONS: Bar = Bar::AtLeast(0.4);
/// p99 over p50.
const SPREAD: Bar = Bar::AtMost(10.0);
const SIMULATION: Bar = Bar::AtMost(1.5);

/// As many as reserve at once.
const MANY: usize = 64;

const RUNS: u32 = 3;

/// Ten open invoices a customer, spread over the whole of the time; one of ten customers has a dated limit, one a
/// guarantee.
pub const BOOK: &str = "
    INSERT INTO customer (key, id, name, limit_minor, limit_currency)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 / 10)
    SELECT i, 'C' || i, 'Customer ' || i, 9000000000000, 'EUR' FROM n;
    INSERT INTO invoice
        (key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    SELECT
        i, 'I' || i, 1 + i * 7919 % (?1 / 10), 'invoice', date('now', '-' || (i * 300 / ?1) || ' days'),
        date('now', (30 - i * 300 / ?1) || ' days'), 1000 + i % 997, 'EUR', 0, 1000 + i % 997
    FROM n;
    INSERT INTO guarantee (id, customer_key, kind, party, amount_minor, currency, share, valid_from)
    SELECT 'G' || key, key, 'insurance', 'Insurer', 5000, 'EUR', '0.9', '2020-01-01' FROM customer WHERE key % 10 = 0;
    INSERT INTO credit_limit
        (id, customer_key, kind, minor, currency, from_on, unlimited, mandatory, state, source, asked_by, counts_key,
        entry_key)
    SELECT 'L' || key, key, 'individual', 9000000000000, 'EUR', '2020-01-01', 0, 0, 'approved', 'key', 'bench', 1, 1
    FROM customer WHERE key % 10 = 1";

const POLICY: &str = r#"{"currency":"EUR","lines":[{"turnover_share":"0.2","guarantee_share":"0.5","cap_minor":90000000}],"step_minor":100}"#;

pub fn measure(root: &Path, invoices: u64, table: &mut Table) -> Result<()> {
    eprintln!("check {invoices}");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("default.db");
    let db = NativeDb::open(&file).map_err(|fault| anyhow!("{fault:?}"))?;
    db.connection().execute_batch(&BOOK.replace("?1", &invoices.to_string()))?;
    let server = Server::start(&root.join("spin.toml"), folder.path())?;
    for clients in [CONNECTIONS, MANY] {
        asked(&server, invoices, clients, table)?;
    }
    simulation(&server, &db, invoices, table)?;
    server.stop()
}

/// Checks and reservations of so many clients beside as many who ask for one row.
fn asked(server: &Server, invoices: u64, clients: usize, table: &mut Table) -> Result<()> {
    // As on any day after its first minutes.
    let mut client = server.client()?;
    while client.post("/v1/score/holds/run")?["readied"] != 0 {}
    let customers = invoices / 10;
    // No order is asked about twice.
    let from = clients as u64 * 1_000_000_000;
    let question = |n: u64| {
        let (customer, n) = (1 + n * 7919 % customers, from + n);
        format!(
            r#"{{"customer":"C{customer}","amount":{{"minor":100,"currency":"EUR"}},"order_id":"O{n}"}}"#
        )
    };
    let reservation = |n: u64| {
        let (customer, n) = (1 + n * 7919 % customers, from + n);
        format!(
            r#"{{"id":"R{n}","customer":"C{customer}","amount":{{"minor":1,"currency":"EUR"}}}}"#
        )
    };
    let (point, _, point_cpu) = a_second(server, clients, "GET", POINT, |_| String::new())?;
    let figure = |rate: f64| format!("{rate:.0} req/s");
    for (name, path, body, bar) in [
        (
            "simulated check",
            "/v1/score/checks?simulate=true",
            &question as &(dyn Fn(u64) -> String + Sync),
            CHECKS,
        ),
        ("check", "/v1/score/checks", &question, CHECKS),
        ("reservation", "/v1/score/reservations", &reservation, RESERVATIONS),
    ] {
        let (rate, times, cpu) = a_second(server, clients, "POST", path, body)?;
        let of = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        let (p50, p99) = (of(0.5), of(0.99));
        let named = format!("{name}, {clients} connections, {invoices} invoices");
        let row = table.add(&named, figure(rate), figure(point), rate / point, Some(bar));
        row.cpu(point_cpu / cpu);
        let ms = |seconds: f64| format!("{:.2} ms", seconds * 1e3);
        table.add(
            &format!("{name}, {clients} connections: p99 beside p50"),
            ms(p99),
            ms(p50),
            p99 / p50,
            Some(SPREAD),
        );
    }
    Ok(())
}

fn simulation(server: &Server, db: &NativeDb, invoices: u64, table: &mut Table) -> Result<()> {
    let mut client = server.client()?;
    let noting = Noting::new(db);
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = dunlin_domain::Instant::from_unix(since.try_into()?)?;
    policy::simulate(&noting, &serde_json::from_str(POLICY)?, None, now)
        .map_err(|fault| anyhow!("{fault:?}"))?;
    let statements = noting.ran();
    let (mut took, mut floor): (Option<Took>, Option<Took>) = (None, None);
    for _ in 0..RUNS {
        let path = "/v1/score/limit-policy/simulate";
        let call = || client.send("POST", path, "application/json", POLICY.as_bytes());
        let (answer, one) = clock::time(server.process(), call)?;
        let found: serde_json::Value = serde_json::from_slice(&answer)?;
        ensure!(found["customers"] == invoices / 10, "{found}");
        took = Some(took.map_or(one, |best| best.min(one)));
        let (_, one) = clock::time(std::process::id(), || {
            statements.iter().try_for_each(|one| bare::run(db, one)).map_err(|e| anyhow!("{e:?}"))
        })?;
        floor = Some(floor.map_or(one, |best| best.min(one)));
    }
    let (Some(took), Some(floor)) = (took, floor) else {
        return Err(anyhow!("nothing was measured"));
    };
    let seconds = |took: Took| format!("{:.3} s", took.seconds);
    let name = format!("limit policy on {} customers", invoices / 10);
    let ratio = took.seconds / floor.seconds;
    let row = table.add(&name, seconds(took), seconds(floor), ratio, Some(SIMULATION));
    row.cpu(took.cpu / floor.cpu);
    Ok(())
}

/// Requests that are answered in a second when so many connections keep asking, how long each took, in order, and the
/// processor time of the runtime for one.
fn a_second(
    server: &Server,
    clients: usize,
    method: &str,
    path: &str,
    body: impl Fn(u64) -> String + Sync,
) -> Result<(f64, Vec<f64>, f64)> {
    let next = AtomicU64::new(0);
    let worker = || -> Result<Vec<f64>> {
        let mut client = server.client()?;
        let (mut times, began) = (Vec::new(), Instant::now());
        while began.elapsed() < WARM_UP + WINDOW {
            let sent = body(next.fetch_add(1, Ordering::Relaxed));
            let asked = Instant::now();
            match method {
                "GET" => client.get(path)?,
                _ => client.send(method, path, "application/json", sent.as_bytes())?,
            };
            if began.elapsed() >= WARM_UP {
                times.push(asked.elapsed().as_secs_f64());
            }
        }
        Ok(times)
    };
    let (times, took) = at_once(server, clients, worker)?;
    let mut times = times.concat();
    times.sort_by(f64::total_cmp);
    ensure!(!times.is_empty(), "{path} answers nothing");
    let asked = next.load(Ordering::Relaxed) as f64;
    Ok((times.len() as f64 / WINDOW.as_secs_f64(), times, took.cpu / asked))
}
