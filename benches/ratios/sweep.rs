//! All stages of a business date over HTTP, beside the same flows natively on a copy of the same file.

use crate::clock::{self, Took};
use crate::data::{Data, TODAY, copy};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_app::remind::Handed;
use dunlin_app::sweep::{Step, Tick};
use dunlin_domain::Instant;
use dunlin_store::native::NativeDb;
use std::path::Path;

/// DESIGN: the flows natively, half as much again.
const BAR: Bar = Bar::AtMost(1.5);

/// DESIGN: linear. What a row costs in a book a hundred times as large; a tree that is deeper by a level is linear.
const GROWTH: Bar = Bar::AtMost(1.5);

/// Gives the seconds that the sweep took over HTTP, and leaves the swept book in `data`.
pub fn measure(root: &Path, data: &Data, table: &mut Table) -> Result<Took> {
    let name = data.name();
    let (before, native) = (data.file("before.db"), data.file("native.db"));
    copy(&data.database(), &before)?;
    let runs = data.runs();
    eprintln!("sweep {name}: natively");
    let mut floor: Option<Took> = None;
    for _ in 0..runs {
        fresh(&before, &native)?;
        let took = natively(&native)?;
        floor = Some(floor.map_or(took, |best| best.min(took)));
    }
    eprintln!("sweep {name}: over HTTP");
    let mut best: Option<(Took, f64)> = None;
    for _ in 0..runs {
        fresh(&before, &data.database())?;
        let server = Server::start(&root.join("spin.toml"), &data.served())?;
        let mut client = server.client()?;
        // An instance that is up, as one is on any day but the first; nothing was swept yet, which is refused.
        client.get("/v1/sweep").err();
        let path = format!("/v1/sweep?as_of={TODAY}");
        let (progress, took) = clock::time(server.process(), || {
            loop {
                let progress = client.post(&path)?;
                if progress["done"] == true {
                    return Ok(progress);
                }
            }
        })?;
        ensure!(progress["counts"]["notices"] != 0, "nobody was reminded: {progress}");
        if best.is_none_or(|(best, _)| took.seconds < best.seconds) {
            best = Some((took, server.peak_memory()?));
        }
        drop(client);
        server.stop()?;
    }
    let (Some((took, memory)), Some(floor)) = (best, floor) else {
        return Err(anyhow!("nothing was measured"));
    };
    let seconds = |took: Took| format!("{:.3} s", took.seconds);
    let ratio = took.seconds / floor.seconds;
    table
        .add(&format!("sweep {name}"), seconds(took), seconds(floor), ratio, Some(BAR))
        .cpu(took.cpu / floor.cpu);
    table.memory(&format!("sweep {name}"), memory);
    Ok(took)
}

/// How the cost of a row grows from the smallest book to the largest.
pub fn growth(costs: &[(u64, Took)], table: &mut Table) {
    let (Some((small, first)), Some((large, last))) = (costs.first(), costs.last()) else { return };
    if small == large {
        return;
    }
    let micros = |rows: u64, took: &Took| took.seconds * 1e6 / rows as f64;
    let (first_cpu, last_cpu) = (first.cpu / *small as f64, last.cpu / *large as f64);
    let (first, last) = (micros(*small, first), micros(*large, last));
    let figure = |micros: f64| format!("{micros:.1} µs/row");
    let work = format!("sweep: a row of {large} beside one of {small}");
    table
        .add(&work, figure(last), figure(first), last / first, Some(GROWTH))
        .cpu(last_cpu / first_cpu);
}

fn fresh(from: &Path, to: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", to.display()));
    }
    std::fs::copy(from, to)?;
    Ok(())
}

fn natively(file: &Path) -> Result<Took> {
    let fault = |fault: dunlin_store::Fault| anyhow!("{fault:?}");
    let db = NativeDb::open(file).map_err(fault)?;
    let now = || -> Result<Instant> { Ok(Instant::from_unix(seconds_now())?) };
    let ((), took) = clock::time(std::process::id(), || {
        let mut tick =
            Tick::begin(&db, Some(TODAY.parse()?), "bench".parse()?, now()?).map_err(fault)?;
        loop {
            match tick.step(&db, now()?).map_err(fault)? {
                Step::More => {}
                Step::Deliver => {
                    tick.delivered(&db, Handed::default(), true, now()?).map_err(fault)?
                }
                Step::Done => break,
            }
        }
        tick.end(&db).map_err(fault)?;
        Ok(())
    })?;
    Ok(took)
}

fn seconds_now() -> i64 {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(0)
}
