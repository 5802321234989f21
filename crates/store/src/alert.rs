//! Table `alert`: warnings about customers.

use crate::{Db, Fault, Param, arrears::Range, event};
use dunlin_domain::{
    Currency, Date, Id, Instant,
    alert::{Finding, Key},
    contract::{
        score::{AlertKind, AlertState, Evidence},
        types::Grade,
    },
};

/// Who is looked at: customer, id, limit, limit's currency, grade, grade before.
pub type Position = (i64, Id, Option<i64>, Option<Currency>, Option<Grade>, Option<Grade>);

/// An alert as stored, with its customer's name.
#[derive(Debug)]
pub struct Found {
    pub id: Id,
    pub customer_id: Id,
    pub name: String,
    pub state: AlertState,
    pub opened_on: Date,
    pub closed_on: Option<Date>,
    pub finding: Finding,
}

/// Where a page of alerts ended: day and key.
pub type Before = (String, i64);

/// What is asked of the list.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    pub state: Option<AlertState>,
    pub customer: Option<&'a Id>,
    pub day: Date,
}

/// The customers of the range who owe, were scored on the day, or have an open alert.
pub fn positions<D: Db>(db: &D, range: Range, day: Date) -> Result<Vec<Position>, Fault> {
    let day = day.to_string();
    db.json(
        include_str!("../sql/alert/positions.sql"),
        &[range.after.into(), range.upto.into(), (&day).into()],
    )
}

/// The open alerts of the range.
pub fn open_of_range<D: Db>(db: &D, range: Range) -> Result<Vec<(i64, Finding)>, Fault> {
    type Row = (i64, AlertKind, String, Evidence);
    let rows: Vec<Row> = db.json(
        include_str!("../sql/alert/open_of_range.sql"),
        &[range.after.into(), range.upto.into()],
    )?;
    let finding = |(customer, kind, code, evidence): Row| {
        Ok((customer, Finding { kind, currency: currency(&code)?, evidence }))
    };
    rows.into_iter().map(finding).collect()
}

/// Opens alerts: id, customer, finding.
pub fn open_all<D: Db>(db: &D, alerts: &[(Id, i64, Finding)], day: Date) -> Result<(), Fault> {
    let row = |(id, customer, finding): &(Id, i64, Finding)| {
        let evidence = crate::array(&finding.evidence)?;
        Ok((id.clone(), *customer, finding.kind, code(finding.currency), evidence))
    };
    let rows = alerts.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
    let (rows, day) = (crate::array(&rows)?, day.to_string());
    db.execute(include_str!("../sql/alert/open_all.sql"), &[(&rows).into(), (&day).into()])?;
    Ok(())
}

/// Closes alerts, and says so in the order of events.
pub fn close_all<D: Db>(
    db: &D,
    alerts: &[(i64, Key)],
    day: Date,
    at: Instant,
) -> Result<(), Fault> {
    if alerts.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = alerts
        .iter()
        .map(|(customer, (kind, currency))| (customer, kind, code(*currency)))
        .collect();
    let (rows, day) = (crate::array(&rows)?, day.to_string());
    event::add_closed_alerts(db, &rows, &at.to_string())?;
    db.execute(include_str!("../sql/alert/close_all.sql"), &[(&rows).into(), (&day).into()])?;
    Ok(())
}

/// Alerts, newest first.
pub fn page<D: Db>(
    db: &D,
    before: &Before,
    limit: u32,
    filter: Filter<'_>,
) -> Result<Vec<(Found, Before)>, Fault> {
    type Row = (Date, i64, Id, Id, String, AlertKind, AlertState, Option<Date>, String, Evidence);
    let day = filter.day.to_string();
    let params: [Param<'_>; 6] = [
        (&before.0).into(),
        before.1.into(),
        i64::from(limit).into(),
        filter.state.map(AlertState::name).into(),
        filter.customer.map(Id::as_str).into(),
        (&day).into(),
    ];
    let rows: Vec<Row> = db.json(include_str!("../sql/alert/page.sql"), &params)?;
    let found =
        |(opened_on, key, id, customer_id, name, kind, state, closed_on, code, evidence): Row| {
            let finding = Finding { kind, currency: currency(&code)?, evidence };
            Ok((
                Found { id, customer_id, name, state, opened_on, closed_on, finding },
                (opened_on.to_string(), key),
            ))
        };
    rows.into_iter().map(found).collect()
}

/// How many are open.
pub fn count_open<D: Db>(db: &D) -> Result<u32, Fault> {
    let count = db.int("SELECT count(*) FROM alert WHERE state = 'open'", &[])?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The column is part of a unique index, in which nulls would all differ: no currency is the empty text.
fn code(currency: Option<Currency>) -> String {
    currency.map_or(String::new(), |currency| currency.to_string())
}

fn currency(code: &str) -> Result<Option<Currency>, Fault> {
    let parsed = (!code.is_empty()).then(|| code.parse()).transpose();
    parsed.map_err(|refused: dunlin_domain::Refused| Fault::Db(format!("stored value: {refused}")))
}

/// The customers whose grade was found to be worse from a day on, and still is.
pub fn worsened_since<D: Db>(db: &D, day: Date) -> Result<Vec<i64>, Fault> {
    let day = day.to_string();
    db.json(
        "SELECT json_group_array(customer_key) FROM alert
         WHERE opened_on >= ?1 AND kind = 'grade-worse' AND state = 'open'",
        &[(&day).into()],
    )
}
