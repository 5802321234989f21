//! Checks and reservations in a second beside one point query of the same runtime, and a limit policy tried on the
//! whole book beside the statements it runs.

use crate::bare::{self, Noting};
use crate::clock::{self, Took};
use crate::requests::{CONNECTIONS, POINT, WARM_UP, at_once};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_app::credit::policy;
use dunlin_store::native::NativeDb;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const CHECKS: Bar = Bar::AtLeast(0.6);
const RESERVATIONS: Bar = Bar::AtLeast(0.4);
/// p99 over p50.
const SPREAD: Bar = Bar::AtMost(10.0);
const SIMULATION: Bar = Bar::AtMost(1.5);

/// As many as reserve at once.
const MANY: usize = 64;

const RUNS: u32 = 3;

/// How often all kinds are asked, one after the other, and how long each time. The machine is faster in one second than in
/// the next, so that each is held beside the floor of its own round, and the round in the middle counts. Checks are quicker
/// than reservations and begin at the same customer, so that nobody is checked who was reserved for in a round before.
const ROUNDS: usize = 7;
const A_WHILE: Duration = Duration::from_secs(1);

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
    let figure = |rate: f64| format!("{rate:.0} req/s");
    let nothing = |_| String::new();
    let point = Kind::new("GET", POINT, &nothing);
    let kinds = [
        ("simulated check", CHECKS, Kind::new("POST", "/v1/score/checks?simulate=true", &question)),
        ("check", CHECKS, Kind::new("POST", "/v1/score/checks", &question)),
        ("reservation", RESERVATIONS, Kind::new("POST", "/v1/score/reservations", &reservation)),
    ];
    let (mut floors, mut found) = (Vec::new(), [const { Vec::new() }; 3]);
    for _ in 0..ROUNDS {
        floors.push(point.a_while(server, clients)?);
        for ((.., kind), found) in kinds.iter().zip(&mut found) {
            found.push(kind.a_while(server, clients)?);
        }
    }
    for ((name, bar, _), found) in kinds.iter().zip(found) {
        let mut times = found.iter().flat_map(|one| one.times.iter().copied()).collect::<Vec<_>>();
        let mut rounds: Vec<_> = found.iter().zip(&floors).collect();
        rounds
            .sort_by(|(a, of_a), (b, of_b)| (a.rate / of_a.rate).total_cmp(&(b.rate / of_b.rate)));
        let (one, floor) = rounds[ROUNDS / 2];
        let named = format!("{name}, {clients} connections, {invoices} invoices");
        let ratio = one.rate / floor.rate;
        let row = table.add(&named, figure(one.rate), figure(floor.rate), ratio, Some(*bar));
        row.cpu(floor.cpu / one.cpu);
        times.sort_by(f64::total_cmp);
        let of = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        let (p50, p99) = (of(0.5), of(0.99));
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

/// What is asked again and again, each time of another customer.
struct Kind<'a> {
    method: &'static str,
    path: &'static str,
    body: &'a (dyn Fn(u64) -> String + Sync),
    next: AtomicU64,
}

/// What came of asking for a while.
struct Asked {
    /// Answers in a second.
    rate: f64,
    /// How long each took.
    times: Vec<f64>,
    /// The processor time of the runtime for one.
    cpu: f64,
}

impl<'a> Kind<'a> {
    fn new(
        method: &'static str,
        path: &'static str,
        body: &'a (dyn Fn(u64) -> String + Sync),
    ) -> Kind<'a> {
        Kind { method, path, body, next: AtomicU64::new(0) }
    }

    /// Has so many connections ask.
    fn a_while(&self, server: &Server, clients: usize) -> Result<Asked> {
        let before = self.next.load(Ordering::Relaxed);
        let worker = || -> Result<Vec<f64>> {
            let mut client = server.client()?;
            let (mut times, began) = (Vec::new(), Instant::now());
            while began.elapsed() < WARM_UP + A_WHILE {
                let sent = (self.body)(self.next.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                match self.method {
                    "GET" => client.get(self.path)?,
                    _ => {
                        client.send(self.method, self.path, "application/json", sent.as_bytes())?
                    }
                };
                if began.elapsed() >= WARM_UP {
                    times.push(asked.elapsed().as_secs_f64());
                }
            }
            Ok(times)
        };
        let (times, took) = at_once(server, clients, worker)?;
        let times = times.concat();
        ensure!(!times.is_empty(), "{} answers nothing", self.path);
        let asked = (self.next.load(Ordering::Relaxed) - before) as f64;
        let rate = times.len() as f64 / A_WHILE.as_secs_f64();
        Ok(Asked { rate, times, cpu: took.cpu / asked })
    }
}
