//! Facts, scores and their writing: the stage of a sweep natively, slice by slice, beside the bare statements of the
//! same slices; and the facts of one customer beside one cached point query.

use crate::bare::{self, Noting, Ran};
use crate::clock::{self, Took};
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_app::{score, sweep::Tick};
use dunlin_domain::{Date, Id, Instant, contract::types::Language, stage::Stage};
use dunlin_store::{Db, Value, arrears::Range, native::NativeDb, sweep, write};

/// The bare statements, half as much again.
const BAR: Bar = Bar::AtMost(1.5);

/// Customers in a slice, as the sweep has it.
const SLICE: u32 = 2_000;

const INVOICES_FOR_EACH: u64 = 10;

const DAY: &str = "2025-06-30";

/// Customers who are asked about one by one.
const ASKED: i64 = 500;

pub fn measure(invoices: u64, name: &str, runs: u64, table: &mut Table) -> Result<()> {
    eprintln!("facts {name}");
    let folder = tempfile::tempdir()?;
    let db = NativeDb::open(&folder.path().join("facts.db")).map_err(fault)?;
    fill(&db, invoices)?;
    let customers = stage(&db)?;
    let statements = statements(&db, &rows(&db)?)?;
    let (mut took, mut floor): (Option<Took>, Option<Took>) = (None, None);
    // By turns, so that whatever else the machine does meets both alike.
    for _ in 0..runs.max(3) {
        let (count, one) = clock::time(std::process::id(), || stage(&db))?;
        ensure!(count == customers && count > 0, "{count} of {customers} are scored");
        took = Some(took.map_or(one, |best| best.min(one)));
        let (_, one) = clock::time(std::process::id(), || bare(&db, &statements))?;
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

/// The statements by which the facts of each slice are read, and the one that writes what the stage wrote.
fn statements(db: &NativeDb, written: &[(Range, String)]) -> Result<Vec<Vec<Ran>>> {
    let slice = |(range, rows): &(Range, String)| -> Result<Vec<Ran>> {
        let noting = Noting::new(db);
        dunlin_app::facts::of_range(&noting, *range, DAY.parse::<Date>()?).map_err(fault)?;
        let sql = include_str!("../../crates/store/sql/score/upsert_all.sql");
        let params = vec![Value::Text(rows.clone()), Value::Text(DAY.into()), Value::Null];
        let mut ran = noting.ran();
        ran.push((sql.to_owned(), params));
        Ok(ran)
    };
    written.iter().map(slice).collect()
}

/// The statements and nothing else.
fn bare(db: &NativeDb, slices: &[Vec<Ran>]) -> Result<()> {
    for ran in slices {
        write(db, |db| ran.iter().try_for_each(|one| Ok(bare::run(db, one)?))).map_err(fault)?;
    }
    Ok(())
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
