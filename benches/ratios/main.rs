//! One table: what the shipped components take over HTTP beside what the same work takes natively, in the same run on
//! the same machine. Ratios travel between machines, figures do not.
//!
//! `cargo bench -p dunlin-benches` measures 100,000 invoices; `-- --size all` takes the sizes in turn and adds how the
//! cost of a row grows; `-- --only sweep` measures one thing.

mod accrue;
mod ageing;
mod bank;
mod bare;
mod check;
mod client;
mod clock;
mod data;
mod events;
mod facts;
mod import;
mod ranking;
mod replay;
mod requests;
mod score;
mod server;
mod sweep;
mod table;
mod verify;
mod wasm;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use data::Data;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::Table;

#[derive(Parser)]
#[command(about = "Prints ratios against the native floor.")]
struct Options {
    /// Open invoices: for imports, sweeps and reports
    #[arg(long, value_enum, default_value = "100k")]
    size: Size,
    /// Measure this alone
    #[arg(long, value_enum)]
    only: Option<Work>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Passed by cargo; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
    /// Serve this manifest instead: the process that is measured
    #[arg(long, hide = true, requires = "data")]
    serve: Option<PathBuf>,
    #[arg(long, hide = true)]
    data: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Size {
    #[value(name = "10k")]
    TenThousand,
    #[value(name = "100k")]
    HundredThousand,
    #[value(name = "1m")]
    Million,
    All,
}

impl Size {
    fn invoices(self) -> &'static [u64] {
        match self {
            Size::TenThousand => &[10_000],
            Size::HundredThousand => &[100_000],
            Size::Million => &[1_000_000],
            Size::All => &[10_000, 100_000, 1_000_000],
        }
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Work {
    Import,
    /// A file of bank statements, matched and booked
    Bank,
    Sweep,
    /// A day more of late interest
    Accrue,
    /// Facts and scores of every customer, and of one
    Facts,
    Ageing,
    /// A backdated payment for a customer with many events
    Replay,
    /// The rules over the whole of the books
    Verify,
    /// Signed events that become payments
    Events,
    /// Requests a second, and the first request of a fresh instance
    Requests,
    /// Checks and reservations, and a limit policy on the whole book
    Check,
    /// A customer's score with its reasons, over HTTP
    Score,
    /// How well the card ranks who pays late, on a public ledger
    Ranking,
    /// Sizes of the components
    Wasm,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match (&options.serve, &options.data) {
        (Some(manifest), Some(data)) => server::serve(manifest, data),
        _ => run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let wants = |work: Work| options.only.is_none_or(|only| only == work);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the package stands in no workspace")?;
    // What is measured natively alone needs no components.
    if !matches!(options.only, Some(Work::Accrue | Work::Facts | Work::Ranking)) {
        eprintln!("building what is stale");
        dunlin::build_components(root)?;
    }
    let mut table = Table::default();
    if wants(Work::Wasm) {
        wasm::measure(root, &mut table)?;
    }
    if wants(Work::Requests) {
        requests::measure(root, &mut table)?;
    }
    if wants(Work::Events) {
        events::measure(root, &mut table)?;
    }
    if wants(Work::Replay) {
        replay::measure(root, &mut table)?;
    }
    if wants(Work::Verify) {
        for invoices in options.size.invoices() {
            verify::measure(root, *invoices, &mut table)?;
        }
    }
    if wants(Work::Check) {
        for invoices in options.size.invoices() {
            check::measure(root, *invoices, &mut table)?;
        }
    }
    if wants(Work::Score) {
        score::measure(root, 10_000, &mut table)?;
    }
    if wants(Work::Bank) {
        for entries in options.size.invoices() {
            bank::measure(root, *entries, &mut table)?;
        }
    }
    if wants(Work::Import) || wants(Work::Sweep) || wants(Work::Ageing) {
        let mut costs = Vec::new();
        for invoices in options.size.invoices() {
            let data = Data::new(*invoices)?;
            import::measure(root, &data, &mut table)?;
            if wants(Work::Sweep) || wants(Work::Ageing) {
                costs.push((*invoices, sweep::measure(root, &data, &mut table)?));
            }
            if wants(Work::Ageing) {
                ageing::measure(root, &data, &mut table)?;
            }
        }
        if wants(Work::Sweep) {
            sweep::growth(&costs, &mut table);
        }
    }
    if wants(Work::Accrue) {
        for invoices in options.size.invoices() {
            let data = Data::new(*invoices)?;
            accrue::measure(*invoices, &data.name(), data.runs(), &mut table)?;
        }
    }
    if wants(Work::Facts) {
        for invoices in options.size.invoices() {
            let data = Data::new(*invoices)?;
            facts::measure(*invoices, &data.name(), data.runs(), &mut table)?;
        }
    }
    if wants(Work::Ranking) {
        ranking::measure(root, options.only == Some(Work::Ranking), &mut table)?;
    }
    println!("{}", if options.json { table.as_json() } else { table.as_text() });
    Ok(())
}
