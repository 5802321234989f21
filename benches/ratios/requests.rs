//! Small requests: how many a second, and what the first one of a fresh instance takes.

use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin::build::{Output, build};
use dunlin::manifest::Manifest;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const CONNECTIONS: usize = 8;
const WARM_UP: Duration = Duration::from_millis(500);
const WINDOW: Duration = Duration::from_secs(3);

/// DESIGN: at most five warm requests.
const FIRST: Bar = Bar::AtMost(5.0);

/// Longer than the runtime keeps an instance that has nothing to do.
const IDLE: Duration = Duration::from_millis(1_600);
/// Shorter than that. A machine that has rested answers slowly by itself, so that both kinds come after a rest.
const PAUSE: Duration = Duration::from_millis(600);
const FIRSTS: usize = 9;

/// A component that does nothing but answer.
const HELLO: &str = "/probe/hello";
/// One read of one row behind the whole edge: key, route, query, log line.
const POINT: &str = "/v1/ingest/organisation";
const CUSTOMER: &str = "/v1/ingest/customers/C0000001";

/// A card of the swept day: the point query, and the facts of the sweep made into reasons again.
const SCORE: &str = "/v1/score/customers/C0000001";
const SCORE_BAR: Bar = Bar::AtLeast(0.5);

pub fn measure(root: &Path, table: &mut Table) -> Result<()> {
    eprintln!("requests");
    let folder = tempfile::tempdir()?;
    let probe = Server::start(&probe(root, &folder)?, &folder.path().join("probe"))?;
    let hello = a_second(&probe, HELLO)?;
    probe.stop()?;

    let server = Server::start(&root.join("spin.toml"), &folder.path().join("served"))?;
    let mut client = server.client()?;
    let customer = "id,name,country,currency\nC0000001,Acme,CN,CNY\n";
    client.send("POST", "/v1/ingest/imports?kind=customers", "text/csv", customer.as_bytes())?;
    let invoice = "id,customer_id,kind,issued_on,due_on,amount,currency\nI1,C0000001,invoice,2025-01-01,2025-01-31,1,CNY\n";
    client.send("POST", "/v1/ingest/imports?kind=invoices", "text/csv", invoice.as_bytes())?;
    let (point, read) = (a_second(&server, POINT)?, a_second(&server, CUSTOMER)?);
    let figure = |rate: f64| format!("{rate:.0} req/s");
    table.add("hello: the runtime itself", figure(hello), String::new(), 1.0, None);
    table.add("one point query, beside hello", figure(point), figure(hello), point / hello, None);
    table.add(
        "one customer with balances, beside it",
        figure(read),
        figure(point),
        read / point,
        None,
    );
    while client.post("/v1/sweep")?["done"] != true {}
    let score = a_second(&server, SCORE)?;
    table.add(
        "one score with reasons, beside one point query",
        figure(score),
        figure(point),
        score / point,
        Some(SCORE_BAR),
    );
    first(&server, table)?;
    server.stop()
}

fn first(server: &Server, table: &mut Table) -> Result<()> {
    let mut client = server.client()?;
    let mut one = || -> Result<f64> {
        let began = Instant::now();
        client.get(POINT)?;
        Ok(began.elapsed().as_secs_f64())
    };
    let (mut firsts, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..FIRSTS {
        std::thread::sleep(IDLE);
        firsts.push(one()?);
        std::thread::sleep(PAUSE);
        warm.push(one()?);
    }
    let (first, warm) = (median(&mut firsts), median(&mut warm));
    let figure = |seconds: f64| format!("{:.2} ms", seconds * 1e3);
    table.add(
        "first request of a fresh instance",
        figure(first),
        figure(warm),
        first / warm,
        Some(FIRST),
    );
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn probe(root: &Path, folder: &TempDir) -> Result<std::path::PathBuf> {
    let file = root.join("target/wasm32-wasip2/component/dunlin_probe.wasm");
    let path = folder.path().join("probe.toml");
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"probe\"\n[variables]\nadmin_key = {{ default = \"\" }}\n\
         [[trigger.http]]\nroute = \"/probe/...\"\ncomponent = \"probe\"\n\
         [component.probe]\nsource = {file:?}\nsqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n"
    );
    std::fs::write(&path, text)?;
    build(&[&Manifest::load(&path)?], Output::Show)?;
    Ok(path)
}

/// Requests that are answered in a second when so many connections keep asking.
fn a_second(server: &Server, path: &str) -> Result<f64> {
    let worker = || -> Result<u32> {
        let mut client = server.client()?;
        let (mut count, began) = (0, Instant::now());
        while began.elapsed() < WARM_UP + WINDOW {
            ensure!(!client.get(path)?.is_empty(), "{path} answers nothing");
            if began.elapsed() >= WARM_UP {
                count += 1;
            }
        }
        Ok(count)
    };
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .map(|of| of.join().map_err(|_| anyhow!("a client panicked"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    Ok(f64::from(counts.iter().sum::<u32>()) / WINDOW.as_secs_f64())
}
