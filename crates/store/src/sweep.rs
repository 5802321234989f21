//! Tables `sweep`, `sweep_lease` and `snapshot`: how far each business date has come.

use crate::{Db, Fault};
use dunlin_domain::{
    Date, Instant,
    contract::{report::Snapshot, sweep::Counts, types::Refusal},
    stage::{self, Stage},
};

/// Where the sweep of a business date stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub day: Date,
    pub stage: Stage,
    pub cursor: i64,
    pub done: bool,
    pub counts: Counts,
}

/// A sweep whose interest was worked out to the end, and what was there when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    pub day: Date,
    /// The last invoice.
    pub invoices_upto: i64,
}

/// Takes the lease unless another holds one that has not run out.
pub fn take_lease<D: Db>(db: &D, owner: &str, now: Instant, until: Instant) -> Result<bool, Fault> {
    let (now, until) = (now.to_string(), until.to_string());
    let row = db.first(
        "INSERT INTO sweep_lease (one, owner, until_at) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, until_at = excluded.until_at
         WHERE until_at <= ?3 OR owner = excluded.owner
         RETURNING owner",
        &[owner.into(), (&until).into(), (&now).into()],
    )?;
    Ok(row.is_some())
}

/// Whether the lease is still this owner's.
pub fn holds_lease<D: Db>(db: &D, owner: &str) -> Result<bool, Fault> {
    let row =
        db.first("SELECT 1 FROM sweep_lease WHERE one = 1 AND owner = ?1", &[owner.into()])?;
    Ok(row.is_some())
}

/// Gives the lease back.
pub fn release<D: Db>(db: &D, owner: &str) -> Result<(), Fault> {
    db.execute("DELETE FROM sweep_lease WHERE one = 1 AND owner = ?1", &[owner.into()])?;
    Ok(())
}

/// The sweep of the date, begun if it was not. Refused is a date before one that was begun, unless it is done: to go on
/// with it would put the older day's state in place of the newer.
pub fn open<D: Db>(db: &D, day: Date, at: Instant) -> Result<State, Fault> {
    let known = get(db, day)?;
    let newest = latest(db)?.map(|state| state.day);
    match (known, newest) {
        (Some(state), _) if state.done => return Ok(state),
        (_, Some(newest)) if newest > day => {
            let detail = format!("{newest} was begun already; a sweep does not go back to {day}");
            return Err(Fault::refused(Refusal::DateAlreadySwept, detail));
        }
        (Some(state), _) => return Ok(state),
        (None, _) => {}
    }
    let state =
        State { day, stage: stage::FIRST, cursor: 0, done: false, counts: Counts::default() };
    let (day, at, counts) = (day.to_string(), at.to_string(), crate::array(&state.counts)?);
    db.execute(
        "INSERT INTO sweep (business_date, stage, cursor, done, counts, started_at, invoices_upto, policy_key)
         VALUES (?1, ?2, 0, 0, ?3, ?4,
             (SELECT coalesce(max(key), 0) FROM invoice), (SELECT coalesce(max(key), 0) FROM policy))",
        &[(&day).into(), state.stage.name().into(), (&counts).into(), (&at).into()],
    )?;
    Ok(state)
}

/// The sweep of the date, if it was begun.
pub fn get<D: Db>(db: &D, day: Date) -> Result<Option<State>, Fault> {
    let text = day.to_string();
    let sql = "SELECT stage, cursor, done, counts FROM sweep WHERE business_date = ?1";
    let row = db.first(sql, &[(&text).into()])?;
    row.map(|row| {
        Ok(State {
            day,
            stage: row.parse(0)?,
            cursor: row.int(1)?,
            done: row.int(2)? != 0,
            counts: row.json(3)?,
        })
    })
    .transpose()
}

/// The last business date before this one whose alerts were judged to the end.
pub fn warned_before<D: Db>(db: &D, day: Date) -> Result<Option<Date>, Fault> {
    let day = day.to_string();
    let judged: Vec<Stage> =
        Stage::ALL.iter().copied().filter(|stage| *stage > Stage::Warn).collect();
    let judged = crate::array(&judged)?;
    let row = db.first(
        "SELECT max(business_date) FROM sweep
         WHERE business_date < ?1 AND (done = 1 OR stage IN (SELECT value FROM json_each(?2)))",
        &[(&day).into(), (&judged).into()],
    )?;
    match row {
        Some(row) if row.text_or_null(0)?.is_some() => row.parse(0).map(Some),
        _ => Ok(None),
    }
}

/// The last business date before this one whose interest was worked out to the end, under the same policy.
pub fn accrued_before<D: Db>(db: &D, day: Date) -> Result<Option<Before>, Fault> {
    let text = day.to_string();
    let row = db.first(
        "SELECT before.business_date, before.invoices_upto
         FROM sweep AS before
         CROSS JOIN sweep AS now ON now.business_date = ?1 AND now.policy_key = before.policy_key
         WHERE before.business_date = (
             SELECT max(business_date) FROM sweep WHERE business_date < ?1 AND (done = 1 OR stage <> ?2)
         )",
        &[(&text).into(), Stage::Accrue.name().into()],
    )?;
    row.map(|row| Ok(Before { day: row.parse(0)?, invoices_upto: row.int(1)? })).transpose()
}

/// The newest business date that was begun.
pub fn latest<D: Db>(db: &D) -> Result<Option<State>, Fault> {
    let row =
        db.first("SELECT business_date FROM sweep ORDER BY business_date DESC LIMIT 1", &[])?;
    match row {
        Some(row) => get(db, row.parse(0)?),
        None => Ok(None),
    }
}

/// Notes how far the sweep has come.
pub fn advance<D: Db>(db: &D, state: &State, at: Instant) -> Result<(), Fault> {
    let (day, counts, at) = (state.day.to_string(), crate::array(&state.counts)?, at.to_string());
    let finished_at = state.done.then_some(at.as_str());
    db.execute(
        "UPDATE sweep SET stage = ?2, cursor = ?3, done = ?4, counts = ?5, finished_at = ?6 WHERE business_date = ?1",
        &[
            (&day).into(),
            state.stage.name().into(),
            state.cursor.into(),
            i64::from(state.done).into(),
            (&counts).into(),
            finished_at.into(),
        ],
    )?;
    Ok(())
}

/// Keeps the totals of a day.
pub fn put_snapshot<D: Db>(db: &D, snapshot: &Snapshot) -> Result<(), Fault> {
    let (day, totals) = (snapshot.day.to_string(), crate::array(&snapshot.totals)?);
    db.execute(
        "INSERT INTO snapshot (day, totals, customers_overdue, alerts_open, notices) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (day) DO UPDATE SET totals = excluded.totals, customers_overdue = excluded.customers_overdue,
             alerts_open = excluded.alerts_open, notices = excluded.notices",
        &[
            (&day).into(),
            (&totals).into(),
            i64::from(snapshot.customers_overdue).into(),
            i64::from(snapshot.alerts_open).into(),
            i64::from(snapshot.notices).into(),
        ],
    )?;
    Ok(())
}

/// Snapshots before a day, newest first.
pub fn snapshots<D: Db>(db: &D, before: &str, limit: u32) -> Result<Vec<Snapshot>, Fault> {
    let rows = db.execute(
        "SELECT day, totals, customers_overdue, alerts_open, notices FROM snapshot WHERE day < ?1
         ORDER BY day DESC LIMIT ?2",
        &[before.into(), i64::from(limit).into()],
    )?;
    let count = |value: i64| u32::try_from(value).unwrap_or(0);
    rows.iter()
        .map(|row| {
            Ok(Snapshot {
                day: row.parse(0)?,
                totals: row.json(1)?,
                customers_overdue: count(row.int(2)?),
                alerts_open: count(row.int(3)?),
                notices: count(row.int(4)?),
            })
        })
        .collect()
}
