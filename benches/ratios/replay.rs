//! A backdated payment for one customer with ten thousand events: every payment after it moves on by one unit.

use crate::clock::{self, Took};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// Milliseconds.
const BAR: Bar = Bar::AtMost(100.0);

/// Half of the events are invoices, half are payments.
const PAIRS: i64 = 5_000;

const RUNS: i64 = 3;

pub fn measure(root: &Path, table: &mut Table) -> Result<()> {
    eprintln!("replay");
    let folder = tempfile::tempdir()?;
    let server = Server::start(&root.join("spin.toml"), folder.path())?;
    let mut client = server.client()?;
    let customer = json!({"id": "C1", "name": "C1"}).to_string();
    client.send("POST", "/v1/ingest/customers", "application/json", customer.as_bytes())?;
    let start = chrono::NaiveDate::from_ymd_opt(2010, 1, 1).ok_or_else(|| anyhow!("no day"))?;
    let mut invoices = String::from("id,customer_id,issued_on,due_on,amount,currency\n");
    let mut payments = String::from("id,customer_id,received_on,amount,currency\n");
    for number in 0..PAIRS {
        let day = start + chrono::Duration::days(number);
        writeln!(invoices, "I{number},C1,{day},{},100.00,EUR", day + chrono::Duration::days(30))?;
        writeln!(payments, "P{number},C1,{},100.00,EUR", day + chrono::Duration::days(35))?;
    }
    for (kind, text) in [("invoices", invoices), ("payments", payments)] {
        client.send(
            "POST",
            &format!("/v1/ingest/imports?kind={kind}"),
            "text/csv",
            text.as_bytes(),
        )?;
    }
    let (mut took, mut same): (Option<Took>, Option<Took>) = (None, None);
    for run in 0..RUNS {
        // All that follows moves: as many rows are taken back and written anew as there are allocations.
        let payment = |name: &str, on: &str, minor: i64| {
            json!({"id": format!("{name}{run}"), "customer_id": "C1", "received_on": on,
                "amount": {"minor": minor, "currency": "EUR"}})
            .to_string()
        };
        let mut send = |body: String| {
            clock::time(server.process(), || {
                client.send("POST", "/v1/ingest/payments", "application/json", body.as_bytes())
            })
        };
        let (_, one) = send(payment("late", "2010-01-02", 1))?;
        took = Some(took.map_or(one, |best| best.min(one)));
        let (_, one) = send(payment("last", "2024-01-02", 1))?;
        same = Some(same.map_or(one, |best| best.min(one)));
    }
    let (Some(took), Some(same)) = (took, same) else {
        return Err(anyhow!("nothing was measured"));
    };
    let millis = |took: Took| took.seconds * 1_000.0;
    for (name, took) in
        [("replay 10k events, nothing moves", same), ("replay 10k events, all move", took)]
    {
        table.add(name, format!("{:.0} ms", millis(took)), String::new(), millis(took), Some(BAR));
    }
    server.stop()
}
