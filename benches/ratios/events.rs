//! Signed events that become payments: how many a second, with the signature checked in the component.

use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(5);
const CUSTOMERS: u64 = 1_000;
const SECRET: &str = "a-secret-of-the-benches";

/// DESIGN: events a second on two cores.
const BAR: Bar = Bar::AtLeast(1_000.0);

pub fn measure(root: &Path, table: &mut Table) -> Result<()> {
    eprintln!("events");
    let folder = tempfile::tempdir()?;
    let server = Server::start(&root.join("spin.toml"), &folder.path().join("served"))?;
    let mut client = server.client()?;
    let rows: String = (0..CUSTOMERS).map(|n| format!("C{n},Customer {n}\n")).collect();
    let customers = format!("id,name\n{rows}");
    client.send("POST", "/v1/ingest/imports?kind=customers", "text/csv", customers.as_bytes())?;
    let source = format!(
        "{{\"signature\":{{\"kind\":\"hmac\",\"header\":\"x-signature\"}},\"secret\":\"{SECRET}\",\"preset\":\"standard\"}}"
    );
    client.send("PUT", "/v1/ingest/sources/shop", "application/json", source.as_bytes())?;
    let rate = a_second(&server)?;
    table.add(
        "signed events applied, 64 connections",
        format!("{rate:.0} events/s"),
        String::new(),
        rate,
        Some(BAR),
    );
    server.stop()
}

fn a_second(server: &Server) -> Result<f64> {
    let next = AtomicU64::new(0);
    let worker = || -> Result<u32> {
        let mut client = server.client()?;
        let (mut count, began) = (0, Instant::now());
        while began.elapsed() < WARM_UP + WINDOW {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let body = format!(
                "{{\"id\":\"E{n}\",\"type\":\"payment.succeeded\",\"data\":{{\"id\":\"P{n}\",\"customer_id\":\"C{}\",\
                 \"received_on\":\"2025-01-31\",\"amount\":\"12.50\",\"currency\":\"EUR\"}}}}",
                n % CUSTOMERS
            );
            client.deliver("/v1/ingest/events/shop", &signature(&body)?, body.as_bytes())?;
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

fn signature(body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).map_err(|e| anyhow!("{e}"))?;
    mac.update(body.as_bytes());
    Ok(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}
