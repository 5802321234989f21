//! A day more of late interest for overdue documents: the flow of the stage natively, slice by slice, beside the bare
//! statement over the whole table in one transaction.

use crate::clock::{self, Took};
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_app::interest;
use dunlin_domain::{Date, Instant, contract::sweep::Stage};
use dunlin_store::{Db, accrual, arrears::Range, native::NativeDb, sweep, write};

/// The bare statement, half as much again.
const BAR: Bar = Bar::AtMost(1.5);

/// Customers in a slice, as the sweep has it.
const SLICE: u32 = 2_000;

const INVOICES_FOR_EACH: u64 = 10;

const FIRST_DAY: &str = "2025-06-30";

const ALL: Range = Range { after: 0, upto: i64::MAX };

pub fn measure(invoices: u64, name: &str, runs: u64, table: &mut Table) -> Result<()> {
    eprintln!("accrue {name}");
    let folder = tempfile::tempdir()?;
    let db = NativeDb::open(&folder.path().join("accrue.db")).map_err(fault)?;
    fill(&db, invoices)?;
    let mut day: Date = FIRST_DAY.parse()?;
    let worked_out = stage(&db, day)?;
    ensure!(worked_out == invoices, "{worked_out} of {invoices} bear interest");
    let (mut took, mut floor): (Option<Took>, Option<Took>) = (None, None);
    // By turns, so that whatever else the machine does meets both alike.
    for _ in 0..runs.max(3) {
        day = day.plus_days(1)?;
        let (count, one) = clock::time(std::process::id(), || stage(&db, day))?;
        ensure!(count == invoices, "{count} of {invoices} stand at {day}");
        took = Some(took.map_or(one, |best| best.min(one)));
        day = day.plus_days(1)?;
        let (_, one) = clock::time(std::process::id(), || {
            write(&db, |db| accrual::move_on(db, ALL, day)).map_err(fault)
        })?;
        floor = Some(floor.map_or(one, |best| best.min(one)));
    }
    let (Some(took), Some(floor)) = (took, floor) else {
        return Err(anyhow!("nothing was measured"));
    };
    let seconds = |took: Took| format!("{:.3} s", took.seconds);
    let ratio = took.seconds / floor.seconds;
    table
        .add(&format!("accrue {name}, natively"), seconds(took), seconds(floor), ratio, Some(BAR))
        .cpu(took.cpu / floor.cpu);
    Ok(())
}

/// The stage of a business date, and how many documents stand at it.
fn stage(db: &NativeDb, day: Date) -> Result<u64> {
    let now: Instant = "2025-12-31T12:00:00Z".parse()?;
    let mut state = write(db, |db| sweep::open(db, day, now)).map_err(fault)?;
    let mut accrued = 0;
    while let Some(range) = Range::next(db, state.cursor, SLICE).map_err(fault)? {
        state.cursor = range.upto;
        accrued += write(db, |db| {
            let accrued = interest::accrue(db, range, day)?;
            sweep::advance(db, &state, now)?;
            Ok(accrued)
        })
        .map_err(fault)?;
    }
    state.stage = Stage::Age;
    write(db, |db| sweep::advance(db, &state, now)).map_err(fault)?;
    Ok(accrued)
}

/// A policy with a clause, and documents that are overdue by one to ninety days.
fn fill(db: &NativeDb, invoices: u64) -> Result<()> {
    let invoices = i64::try_from(invoices)?;
    let customers = invoices / i64::try_from(INVOICES_FOR_EACH)?;
    write(db, |db| {
        db.execute(
            r#"INSERT INTO policy (document) VALUES ('{"late_interest":{"rate":"0.1825"}}')"#,
            &[],
        )?;
        db.execute(
            "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ?1)
             INSERT INTO customer (key, id, name) SELECT v, 'C' || v, 'Customer ' || v FROM n",
            &[customers.into()],
        )?;
        db.execute(
            "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ?1)
             INSERT INTO invoice
                 (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
             SELECT 'I' || v, v % ?2 + 1, 'invoice', '2025-01-01', date(?3, '-' || (1 + v % 90) || ' days'),
                 100000 + v * 7919 % 9000000, 'EUR', 0, 100000 + v * 7919 % 9000000
             FROM n",
            &[invoices.into(), customers.into(), FIRST_DAY.into()],
        )?;
        Ok(())
    })
    .map_err(fault)
}

fn fault(fault: dunlin_store::Fault) -> anyhow::Error {
    anyhow!("{fault:?}")
}
