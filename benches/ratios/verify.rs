//! The verification of a book of which four fifths are paid, beside one scan of each of the tables it reads.

use crate::clock::{self, Took};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_store::{Db, native::NativeDb};
use std::path::Path;

/// Ten scans.
const BAR: Bar = Bar::AtMost(10.0);

const RUNS: u32 = 3;

/// One of five invoices is open; each of the others was paid by a payment of its own. A customer has fifty, spread over
/// the whole of the time.
const BOOK: &str = "
    INSERT INTO customer (key, id, name)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 / 50)
    SELECT i, 'C' || i, 'Customer ' || i FROM n;
    INSERT INTO invoice
        (key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    SELECT
        i, 'I' || i, 1 + i * 7919 % (?1 / 50), 'invoice', date('2023-01-01', (i * 700 / ?1) || ' days'),
        date('2023-01-31', (i * 700 / ?1) || ' days'), 1000 + i % 997, 'EUR', 0,
        CASE WHEN i % 5 = 0 THEN 1000 + i % 997 ELSE 0 END
    FROM n;
    INSERT INTO payment (key, id, customer_key, received_on, amount_minor, currency, unallocated_minor)
    SELECT key, 'P' || key, customer_key, due_on, amount_minor, 'EUR', 0 FROM invoice WHERE open_minor = 0;
    INSERT INTO allocation (customer_key, invoice_key, payment_key, allocated_on, amount_minor, recorded_at)
    SELECT customer_key, key, key, due_on, amount_minor, '2025-01-01T00:00:00Z' FROM invoice
    WHERE open_minor = 0 ORDER BY customer_key";

const SCANS: [&str; 3] = [
    "SELECT count(*), sum(amount_minor), sum(open_minor) FROM invoice NOT INDEXED",
    "SELECT count(*), sum(amount_minor), sum(unallocated_minor) FROM payment NOT INDEXED",
    "SELECT count(*), sum(amount_minor), sum(invoice_key) FROM allocation NOT INDEXED",
];

pub fn measure(root: &Path, invoices: u64, table: &mut Table) -> Result<()> {
    eprintln!("verify {invoices}");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("default.db");
    let db = NativeDb::open(&file).map_err(|fault| anyhow!("{fault:?}"))?;
    db.connection().execute_batch(&BOOK.replace("?1", &invoices.to_string()))?;
    let server = Server::start(&root.join("spin.toml"), folder.path())?;
    let mut client = server.client()?;
    let (mut took, mut floor): (Option<Took>, Option<Took>) = (None, None);
    for _ in 0..RUNS {
        let (answer, one) =
            clock::time(server.process(), || client.get("/v1/ingest/verification"))?;
        let found: serde_json::Value = serde_json::from_slice(&answer)?;
        ensure!(found["ok"] == true, "{found}");
        took = Some(took.map_or(one, |best| best.min(one)));
        let scan = || SCANS.iter().try_for_each(|sql| db.execute(sql, &[]).map(drop));
        let (_, one) =
            clock::time(std::process::id(), || scan().map_err(|error| anyhow!("{error:?}")))?;
        floor = Some(floor.map_or(one, |best| best.min(one)));
    }
    let (Some(took), Some(floor)) = (took, floor) else {
        return Err(anyhow!("nothing was measured"));
    };
    let name = format!("verify {invoices}");
    let seconds = |took: Took| format!("{:.3} s", took.seconds);
    let ratio = took.seconds / floor.seconds;
    table.add(&name, seconds(took), seconds(floor), ratio, Some(BAR)).cpu(took.cpu / floor.cpu);
    table.memory(&name, server.peak_memory()?);
    server.stop()
}
