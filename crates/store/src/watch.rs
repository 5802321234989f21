//! Table `watch`: customers that somebody wants watched.

use crate::{Db, Fault};
use dunlin_domain::{
    Date, Id, Money,
    contract::warn::{NewWatch, Severity, Watched},
};

/// Where a page of the watch list ended: gravity, amount, customer.
pub type After = (i64, i64, i64);

/// Before the first.
pub const FIRST: After = (i64::MAX, i64::MAX, 0);

/// The last wish about a customer: its key, what it says, and when it was ended.
pub fn last<D: Db>(db: &D, customer: i64) -> Result<Option<(i64, NewWatch, Option<Date>)>, Fault> {
    let row = db.first(
        "SELECT key, reason, until_on, ended_on FROM watch WHERE customer_key = ?1 ORDER BY key DESC LIMIT 1",
        &[customer.into()],
    )?;
    row.map(|row| {
        let day =
            |column| row.text_or_null(column)?.map(str::parse).transpose().map_err(Fault::from);
        Ok((row.int(0)?, NewWatch { reason: row.text(1)?.to_string(), until: day(2)? }, day(3)?))
    })
    .transpose()
}

/// Ends the wish that stands.
pub fn end<D: Db>(db: &D, key: i64, day: Date, entry: i64) -> Result<(), Fault> {
    let day = day.to_string();
    db.execute(
        "UPDATE watch SET ended_on = ?2, ended_entry_key = ?3 WHERE key = ?1",
        &[key.into(), (&day).into(), entry.into()],
    )?;
    Ok(())
}

/// Adds a wish where none stands.
pub fn insert<D: Db>(
    db: &D,
    customer: i64,
    watch: &NewWatch,
    day: Date,
    entry: i64,
) -> Result<(), Fault> {
    let (day, until) = (day.to_string(), watch.until.map(|until| until.to_string()));
    db.execute(
        "INSERT INTO watch (customer_key, reason, from_on, until_on, entry_key) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            customer.into(),
            (&watch.reason).into(),
            (&day).into(),
            until.as_ref().into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// Who is watched today, the gravest first.
pub fn page<D: Db>(
    db: &D,
    day: Date,
    after: After,
    limit: u32,
) -> Result<Vec<(Watched, After)>, Fault> {
    type Row = (After, Id, Option<Severity>, u32, Option<String>, Option<Date>, Vec<Money>);
    let day = day.to_string();
    let params =
        [(&day).into(), after.0.into(), after.1.into(), after.2.into(), i64::from(limit).into()];
    let rows: Vec<Row> = db.json(sql!("watch/page.sql"), &params)?;
    let watched = |(place, customer_id, severity, alerts, reason, until, outstanding): Row| {
        (Watched { customer_id, severity, alerts, reason, until, outstanding }, place)
    };
    Ok(rows.into_iter().map(watched).collect())
}
