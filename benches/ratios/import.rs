//! A file of invoices through the component, beside the same rows through a prepared statement, by turns.

use crate::clock::{self, Took};
use crate::data::{Data, Row};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_store::native::NativeDb;
use std::collections::HashMap;
use std::path::Path;

/// DESIGN: at least half the rows a second.
const BAR: Bar = Bar::AtLeast(0.5);

/// Rows in a transaction of the floor in every other round; in the others all of them are in one.
const SLICE: usize = 50_000;

/// What the application gives a large import.
const CACHE_KIB: i64 = 98_304;

/// How often both are measured at least, whatever the size: a machine has slow moments, and a million rows take long
/// enough to meet one.
const ROUNDS: u64 = 3;

/// Leaves the imported book in `data`, for what is measured next. The component and the floor are measured by turns, so
/// that whatever else the machine does meets both alike, and the best of each counts.
pub fn measure(root: &Path, data: &Data, table: &mut Table) -> Result<()> {
    let name = data.name();
    let rows = data.rows();
    let (mut took, mut floor, mut memory): (Option<Took>, Option<Took>, f64) = (None, None, 0.0);
    for round in 0..data.runs().max(ROUNDS) {
        eprintln!("import {name}: over HTTP");
        let (one, peak) = through_the_component(root, data)?;
        took = Some(took.map_or(one, |best| best.min(one)));
        memory = memory.max(peak);
        eprintln!("import {name}: natively");
        // All rows in one transaction, or slice by slice.
        let slice = if round % 2 == 0 { rows.len() } else { SLICE };
        let one = insert(data, &rows, slice)?;
        floor = Some(floor.map_or(one, |best| best.min(one)));
    }
    let (Some(took), Some(floor)) = (took, floor) else {
        return Err(anyhow!("nothing was measured"));
    };
    let a_second = |took: Took| format!("{:.0} rows/s", data.invoices as f64 / took.seconds);
    let ratio = floor.seconds / took.seconds;
    table
        .add(&format!("import {name}"), a_second(took), a_second(floor), ratio, Some(BAR))
        .cpu(floor.cpu / took.cpu);
    table.memory(&format!("import {name}"), memory);
    Ok(())
}

/// Customers first, then the invoices, which are timed. Gives the peak of the memory beside it.
fn through_the_component(root: &Path, data: &Data) -> Result<(Took, f64)> {
    if data.served().exists() {
        std::fs::remove_dir_all(data.served())?;
    }
    let server = Server::start(&root.join("spin.toml"), &data.served())?;
    let mut client = server.client()?;
    let path = |kind: &str| format!("/v1/ingest/imports?kind={kind}");
    client.send("POST", &path("customers"), "text/csv", &data.customers_csv()?)?;
    let file = data.invoices_csv()?;
    let (answer, took) = clock::time(server.process(), || {
        client.send("POST", &path("invoices"), "text/csv", &file)
    })?;
    let answer: serde_json::Value = serde_json::from_slice(&answer)?;
    ensure!(answer["accepted"] == data.invoices, "{answer}");
    let memory = server.peak_memory()?;
    drop(client);
    server.stop()?;
    Ok((took, memory))
}

/// The floor: it knows the customers' keys, checks nothing and answers nobody.
fn insert(data: &Data, rows: &[Row], slice: usize) -> Result<Took> {
    let file = data.file("floor.db");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
    let db = NativeDb::open(&file).map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    let db = db.connection();
    db.execute("ATTACH ?1 AS served", [data.database().display().to_string()])?;
    db.execute("INSERT INTO customer SELECT * FROM served.customer", [])?;
    db.execute("DETACH served", [])?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    let mut keys = HashMap::new();
    let mut found = db.prepare("SELECT key, id FROM customer")?;
    let mut found = found.query([])?;
    while let Some(row) = found.next()? {
        keys.insert(row.get_ref(1)?.as_str()?[1..].parse::<u64>()?, row.get::<_, i64>(0)?);
    }
    let ((), took) = clock::time(std::process::id(), || {
        let mut statement = db.prepare(
            "INSERT INTO invoice (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
             VALUES (?1, ?2, 'invoice', ?3, ?4, ?5, ?6, 0, ?5)",
        )?;
        for rows in rows.chunks(slice) {
            db.execute_batch("BEGIN IMMEDIATE")?;
            for row in rows {
                let key = keys.get(&row.customer);
                statement.execute((
                    &row.id,
                    key,
                    &row.issued_on,
                    &row.due_on,
                    row.amount_minor,
                    row.currency,
                ))?;
            }
            db.execute_batch("COMMIT")?;
        }
        Ok(())
    })?;
    Ok(took)
}
