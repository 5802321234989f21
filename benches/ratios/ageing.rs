//! The ageing of the whole book over HTTP, beside its statements alone.

use crate::clock::{self, Took};
use crate::data::{Data, TODAY};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_domain::{Date, contract::report::AgeingBasis};
use dunlin_store::native::NativeDb;
use std::path::Path;

/// DESIGN: the bare statement, and three tenths.
const BAR: Bar = Bar::AtMost(1.3);

const RUNS: u32 = 7;

pub fn measure(root: &Path, data: &Data, table: &mut Table) -> Result<()> {
    let name = data.name();
    eprintln!("ageing {name}");
    let server = Server::start(&root.join("spin.toml"), &data.served())?;
    let mut client = server.client()?;
    let path = format!("/v1/report/ageing?as_of={TODAY}");
    let report: serde_json::Value = serde_json::from_slice(&client.get(&path)?)?;
    ensure!(report["totals"].as_array().is_some_and(|totals| !totals.is_empty()), "{report}");
    let db = NativeDb::open(&data.database()).map_err(|fault| anyhow!("{fault:?}"))?;
    let day: Date = TODAY.parse()?;
    // The statements as the store sends them; what they answer is thrown away.
    let bare = || {
        let by_day = dunlin_store::ageing::by_day(&db, day.into(), AgeingBasis::Due);
        by_day
            .and_then(|_| dunlin_store::ageing::unallocated(&db, day.into()))
            .map_err(|fault| anyhow!("{fault:?}"))
    };
    bare()?;
    let (mut took, mut floor): (Option<Took>, Option<Took>) = (None, None);
    // By turns, so that whatever else the machine does meets both alike.
    for _ in 0..RUNS {
        let (_, one) = clock::time(server.process(), || client.get(&path))?;
        took = Some(took.map_or(one, |best| best.min(one)));
        let (_, one) = clock::time(std::process::id(), bare)?;
        floor = Some(floor.map_or(one, |best| best.min(one)));
    }
    let (Some(took), Some(floor)) = (took, floor) else {
        return Err(anyhow!("nothing was measured"));
    };
    let millis = |took: Took| format!("{:.1} ms", took.seconds * 1e3);
    table.add(
        &format!("ageing {name}"),
        millis(took),
        millis(floor),
        took.seconds / floor.seconds,
        Some(BAR),
    );
    let memory = server.peak_memory()?;
    table.memory(&format!("ageing {name}"), memory);
    server.stop()
}
