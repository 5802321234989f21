//! Facts, scores and their writing: the stage of a sweep natively, slice by slice, beside the bare statements of the
//! same slices; and the facts of one customer beside one cached point query.

use crate::clock::{self, Took};
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_app::{score, sweep::Tick};
use dunlin_domain::{Date, Id, Instant, contract::types::Language, stage::Stage};
use dunlin_store::{Db, Param, arrears::Range, native::NativeDb, sweep, write};

/// The bare statements, half as much again.
const BAR: Bar = Bar::AtMost(1.5);

/// Customers in a slice, as the sweep has it.
const SLICE: u32 = 2_000;

const INVOICES_FOR_EACH: u64 = 10;

const DAY: &str = "2025-06-30";

/// Customers who are asked about one by one.
const ASKED: i64 = 500;

/// The statements of a slice with what each takes behind the range: days by the names of `days`.
const STATEMENTS: [(&str, &[&str]); 9] = [
    (
        include_str!("../../crates/store/sql/facts/paying.sql"),
        &["day", "12", "-3", "-6", "-12", "-24"],
    ),
    (include_str!("../../crates/store/sql/facts/owing.sql"), &["day"]),
    (include_str!("../../crates/store/sql/facts/buying.sql"), &["day", "12", "30", "30-12"]),
    (include_str!("../../crates/store/sql/facts/group.sql"), &["day"]),
    (include_str!("../../crates/store/sql/facts/known.sql"), &["day", "12", "30", "90"]),
    (include_str!("../../crates/store/sql/facts/limits.sql"), &["day"]),
    // Behind who has a limit.
    (PEAK, &["day", "12+1"]),
    (include_str!("../../crates/store/sql/facts/standing.sql"), &["day", "12", "90"]),
    (include_str!("../../crates/store/sql/facts/external.sql"), &["day", "12"]),
];

const PEAK: &str = include_str!("../../crates/store/sql/facts/peak.sql");

pub fn measure(invoices: u64, name: &str, runs: u64, table: &mut Table) -> Result<()> {
    eprintln!("facts {name}");
    let folder = tempfile::tempdir()?;
    let db = NativeDb::open(&folder.path().join("facts.db")).map_err(fault)?;
    fill(&db, invoices)?;
    let customers = stage(&db)?;
    let written = rows(&db)?;
    let (mut took, mut floor): (Option<Took>, Option<Took>) = (None, None);
    // By turns, so that whatever else the machine does meets both alike.
    for _ in 0..runs.max(3) {
        let (count, one) = clock::time(std::process::id(), || stage(&db))?;
        ensure!(count == customers && count > 0, "{count} of {customers} are scored");
        took = Some(took.map_or(one, |best| best.min(one)));
        let (_, one) = clock::time(std::process::id(), || bare(&db, &written))?;
        floor = Some(floor.map_or(one, |best| best.min(one)));
    }
    let (Some(took), Some(floor)) = (took, floor) else {
        return Err(anyhow!("nothing was measured"));
    };
    let seconds = |took: Took| format!("{:.3} s", took.seconds);
    let ratio = took.seconds / floor.seconds;
    table
        .add(
            &format!("facts and scores {name}, natively"),
            seconds(took),
            seconds(floor),
            ratio,
            Some(BAR),
        )
        .cpu(took.cpu / floor.cpu);
    one_by_one(&db, name, table)
}

/// The score with its reasons of some customers, beside a point query of a prepared statement for each.
fn one_by_one(db: &NativeDb, name: &str, table: &mut Table) -> Result<()> {
    let day: Date = DAY.parse()?;
    let ids: Vec<Id> =
        (1..=ASKED).map(|key| format!("C{key}").parse()).collect::<Result<_, _>>()?;
    let (_, took) = clock::time(std::process::id(), || {
        ids.iter()
            .try_for_each(|id| score::card(db, id, day, Language::En).map(drop).map_err(fault))
    })?;
    let (_, floor) = clock::time(std::process::id(), || {
        let mut query =
            db.connection().prepare_cached("SELECT facts FROM score WHERE customer_key = ?1")?;
        (1..=ASKED).try_for_each(|key| query.query_row([key], |_| Ok(())))?;
        Ok(())
    })?;
    let each = |took: Took| {
        format!("{:.0} us", took.seconds * 1e6 / f64::from(u16::try_from(ASKED).unwrap_or(1)))
    };
    table.add(
        &format!("one score {name}, natively"),
        each(took),
        each(floor),
        took.seconds / floor.seconds,
        None,
    );
    Ok(())
}

/// The stage `score` of the business date as a tick runs it, and how many customers have a score of it.
fn stage(db: &NativeDb) -> Result<i64> {
    let (day, now): (Date, Instant) = (DAY.parse()?, "2025-12-31T12:00:00Z".parse()?);
    write(db, |db| {
        let mut state = sweep::open(db, day, now)?;
        (state.stage, state.cursor, state.done) = (Stage::Score, 0, false);
        sweep::advance(db, &state, now)
    })
    .map_err(fault)?;
    let mut tick = Tick::begin(db, Some(day), "bench".parse()?, now).map_err(fault)?;
    loop {
        tick.step(db, now).map_err(fault)?;
        let stage = write(db, |db| Ok(sweep::open(db, day, now)?.stage)).map_err(fault)?;
        if stage != Stage::Score {
            break;
        }
    }
    tick.end(db).map_err(fault)?;
    db.int("SELECT count(*) FROM score WHERE as_of = ?1", &[DAY.into()]).map_err(fault)
}

/// What the stage wrote, slice by slice.
fn rows(db: &NativeDb) -> Result<Vec<(Range, String)>> {
    let mut rows = Vec::new();
    let mut after = 0;
    while let Some(range) = Range::next(db, after, SLICE).map_err(fault)? {
        // As `upsert_all` takes them.
        let sql = "SELECT json_group_array(json_array(customer_key, score, score_order, grade, notch, tier, model, facts, notches))
                   FROM score WHERE customer_key > ?1 AND customer_key <= ?2";
        let found = db
            .first(sql, &[range.after.into(), range.upto.into()])
            .map_err(|e| anyhow!("{e:?}"))?;
        let found = found.ok_or_else(|| anyhow!("no rows"))?;
        rows.push((range, found.text(0).map_err(fault)?.to_string()));
        after = range.upto;
    }
    Ok(rows)
}

/// The statements and nothing else.
fn bare(db: &NativeDb, written: &[(Range, String)]) -> Result<()> {
    let day: Date = DAY.parse()?;
    let days = |name: &str| -> Result<Result<String, i64>> {
        let months = |day: Date, of: u32| day.minus_months(of);
        Ok(match name {
            "day" => Ok(day.to_string()),
            "12" => Ok(months(day, 12)?.to_string()),
            "12+1" => Ok(months(day, 12)?.plus_days(1)?.to_string()),
            "30" => Ok(day.plus_days(-30)?.to_string()),
            "30-12" => Ok(months(day.plus_days(-30)?, 12)?.to_string()),
            "90" => Ok(day.plus_days(-90)?.to_string()),
            before => Err(months(day, before.trim_start_matches('-').parse()?)?.days_since(day)),
        })
    };
    for (range, rows) in written {
        write(db, |db| {
            for (sql, names) in STATEMENTS {
                let values: Vec<Result<String, i64>> =
                    names.iter().filter_map(|name| days(name).ok()).collect();
                let limited = if sql == PEAK { limited(db, *range)? } else { String::new() };
                let mut params: Vec<Param<'_>> = if sql == PEAK {
                    vec![(&limited).into()]
                } else {
                    vec![range.after.into(), range.upto.into()]
                };
                params.extend(values.iter().map(|value| match value {
                    Ok(day) => Param::from(day),
                    Err(days) => Param::from(*days),
                }));
                db.execute(sql, &params)?;
            }
            let sql = include_str!("../../crates/store/sql/score/upsert_all.sql");
            db.execute(sql, &[rows.into(), DAY.into(), None::<&str>.into()])?;
            Ok(())
        })
        .map_err(fault)?;
    }
    Ok(())
}

/// Who has a limit, and its currency.
fn limited(db: &NativeDb, range: Range) -> Result<String, dunlin_store::Fault> {
    let limits = dunlin_app::facts::limits(db, range, DAY.parse::<Date>()?)?;
    let of = limits.iter().map(|(key, limit)| format!("[{key},\"{}\"]", limit.currency));
    Ok(format!("[{}]", of.collect::<Vec<_>>().join(",")))
}

/// Two years of invoices, most of them paid about their due date; some customers have a limit.
fn fill(db: &NativeDb, invoices: u64) -> Result<()> {
    let invoices = i64::try_from(invoices)?;
    let customers = invoices / i64::try_from(INVOICES_FOR_EACH)?;
    write(db, |db| {
        db.execute(
            "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ?1)
             INSERT INTO customer (key, id, name, limit_minor, limit_currency)
             SELECT v, 'C' || v, 'Customer ' || v, iif(v % 3, 5000000, NULL), iif(v % 3, 'EUR', NULL) FROM n",
            &[customers.into()],
        )?;
        db.execute(
            "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ?1)
             INSERT INTO invoice
                 (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
             SELECT 'I' || v, v % ?2 + 1, 'invoice', date(?3, '-' || (30 + v * 7919 % 700) || ' days'),
                 date(?3, '-' || (v * 7919 % 700) || ' days'), 100000 + v * 7919 % 900000, iif(v % 10, 'EUR', 'USD'), 0,
                 iif(v % 6, 0, 100000 + v * 7919 % 900000)
             FROM n",
            &[invoices.into(), customers.into(), DAY.into()],
        )?;
        db.execute(
            "INSERT INTO payment (key, id, customer_key, received_on, amount_minor, currency, unallocated_minor)
             SELECT key, 'P' || key, customer_key, min(date(due_on, (key % 40 - 15) || ' days'), ?1), amount_minor,
                 currency, 0
             FROM invoice WHERE open_minor = 0",
            &[DAY.into()],
        )?;
        db.execute(
            "INSERT INTO allocation
                 (customer_key, invoice_key, payment_key, allocated_on, amount_minor, recorded_at)
             SELECT customer_key, key, key, received_on, amount_minor, '2025-06-30T00:00:00Z' FROM payment",
            &[],
        )?;
        Ok(())
    })
    .map_err(fault)
}

fn fault(fault: dunlin_store::Fault) -> anyhow::Error {
    anyhow!("{fault:?}")
}
