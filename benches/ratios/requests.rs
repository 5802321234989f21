//! Small requests: how many a second, and what the first one of a fresh instance takes.

use crate::clock::{self, Took};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin::build::{Output, build};
use dunlin::manifest::Manifest;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const CONNECTIONS: usize = 8;
pub const WARM_UP: Duration = Duration::from_millis(500);
pub const WINDOW: Duration = Duration::from_secs(3);

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
pub const POINT: &str = "/v1/ingest/organisation";
const CUSTOMER: &str = "/v1/ingest/customers/C0000001";

pub fn measure(root: &Path, table: &mut Table) -> Result<()> {
    eprintln!("requests");
    let folder = tempfile::tempdir()?;
    let probe = Server::start(&probe(root, &folder)?, &folder.path().join("probe"))?;
    let (hello, _) = a_second(&probe, at(HELLO))?;
    probe.stop()?;

    let server = Server::start(&root.join("spin.toml"), &folder.path().join("served"))?;
    let mut client = server.client()?;
    let customer = "id,name,country,currency\nC0000001,Acme,CN,CNY\n";
    client.send("POST", "/v1/ingest/imports?kind=customers", "text/csv", customer.as_bytes())?;
    let (point, _) = a_second(&server, at(POINT))?;
    let (read, _) = a_second(&server, at(CUSTOMER))?;
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

/// The same path each time.
pub fn at(path: &str) -> impl Fn(u64) -> String + Sync {
    move |_| path.to_string()
}

/// Requests that are answered in a second when so many connections keep asking.
pub fn a_second(server: &Server, path: impl Fn(u64) -> String + Sync) -> Result<(f64, f64)> {
    let next = AtomicU64::new(0);
    let worker = || -> Result<u32> {
        let mut client = server.client()?;
        let (mut count, began) = (0, Instant::now());
        while began.elapsed() < WARM_UP + WINDOW {
            let path = path(next.fetch_add(1, Ordering::Relaxed));
            ensure!(!client.get(&path)?.is_empty(), "{path} answers nothing");
            if began.elapsed() >= WARM_UP {
                count += 1;
            }
        }
        Ok(count)
    };
    let (counts, took) = at_once(server, CONNECTIONS, worker)?;
    let asked = next.load(Ordering::Relaxed) as f64;
    Ok((f64::from(counts.iter().sum::<u32>()) / WINDOW.as_secs_f64(), took.cpu / asked))
}

/// What each of so many clients gives, all at work at once, and what that took the runtime.
pub fn at_once<T: Send>(
    server: &Server,
    clients: usize,
    worker: impl Fn() -> Result<T> + Sync,
) -> Result<(Vec<T>, Took)> {
    let all = || {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..clients).map(|_| scope.spawn(&worker)).collect();
            workers
                .into_iter()
                .map(|of| of.join().map_err(|_| anyhow!("a client panicked"))?)
                .collect::<Result<Vec<_>>>()
        })
    };
    clock::time(server.process(), all)
}
