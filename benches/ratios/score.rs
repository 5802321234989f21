//! A customer's score with its reasons over HTTP, beside one cached point query: of who was swept and nothing was
//! recorded of since, of who something was, and as of a day before.

use crate::check::BOOK;
use crate::requests::{POINT, a_second, at};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow};
use dunlin_store::native::NativeDb;
use std::path::Path;

const BAR: Bar = Bar::AtLeast(0.5);

/// Customers to whom something happens after the sweep.
const TOUCHED: u64 = 200;

/// What is measured is measured so often, by turns; the best counts.
const TURNS: u32 = 3;

pub fn measure(root: &Path, invoices: u64, table: &mut Table) -> Result<()> {
    eprintln!("score {invoices}");
    let folder = tempfile::tempdir()?;
    let db = NativeDb::open(&folder.path().join("default.db")).map_err(|e| anyhow!("{e:?}"))?;
    db.connection().execute_batch(&BOOK.replace("?1", &invoices.to_string()))?;
    drop(db);
    let server = Server::start(&root.join("spin.toml"), folder.path())?;
    let mut client = server.client()?;
    while client.post("/v1/sweep")?["done"] != true {}
    let rows = (1..=TOUCHED).map(|n| format!("N{n},C{n},invoice,2025-01-01,2025-01-31,1,EUR\n"));
    let file = format!(
        "id,customer_id,kind,issued_on,due_on,amount,currency\n{}",
        rows.collect::<String>()
    );
    client.send("POST", "/v1/ingest/imports?kind=invoices", "text/csv", file.as_bytes())?;
    let customers = invoices / 10;
    let swept = move |n: u64| {
        let customer = 1 + TOUCHED + n * 7919 % (customers - TOUCHED);
        format!("/v1/score/customers/C{customer}")
    };
    let touched = |n: u64| format!("/v1/score/customers/C{}", 1 + n % TOUCHED);
    let before = move |n: u64| format!("{}?as_of=2026-01-01", swept(n));
    let asked = [
        ("one score with reasons", &swept as &(dyn Fn(u64) -> String + Sync), Some(BAR)),
        ("the same after something was recorded", &touched, None),
        ("the same as of a day before", &before, None),
    ];
    let better = |one: (f64, f64), other: (f64, f64)| (one.0.max(other.0), one.1.min(other.1));
    let (mut point, mut rates) = ((0f64, f64::INFINITY), [(0f64, f64::INFINITY); 3]);
    for _ in 0..TURNS {
        point = better(point, a_second(&server, at(POINT))?);
        for ((_, path, _), best) in asked.iter().zip(&mut rates) {
            *best = better(*best, a_second(&server, path)?);
        }
    }
    let figure = |rate: f64| format!("{rate:.0} req/s");
    for ((name, _, bar), (rate, cpu)) in asked.into_iter().zip(rates) {
        let name = format!("{name}, {invoices} invoices");
        table.add(&name, figure(rate), figure(point.0), rate / point.0, bar).cpu(point.1 / cpu);
    }
    server.stop()
}
