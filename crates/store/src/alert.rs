//! Tables `alert`, `alert_action`, `alert_waiting`, `fact_sample` and `alert_progress`: warnings about customers, what
//! is done about them, and what rules remember.

use crate::{Db, Fault, Param, arrears::Range, event, facts};
use dunlin_domain::{
    Currency, Date, Id, Instant,
    alert::{Ending, Escalated, Finding, Key, Live, Sample, Values},
    contract::{
        types::Grade,
        warn::{
            AlertAction, AlertActionKind, AlertBasis, AlertEnding, AlertKind, AlertState,
            EndingReason, Evidence, Severity, WatchedEvent,
        },
    },
};

/// The part of a grade, the part before, and how many parts there are.
pub type Notches = (Option<u32>, Option<u32>, Option<u32>);

/// Who is looked at: customer, id, grade, grade before, its parts, facts, 1 for who was judged before.
pub type Position = (i64, Id, Option<Grade>, Option<Grade>, Notches, Option<Values>, u8);

/// An alert as stored, as it stood on a day.
#[derive(Debug)]
pub struct Found {
    pub key: i64,
    pub id: Id,
    pub customer_id: Id,
    pub rule: String,
    pub version: u32,
    pub kind: AlertKind,
    pub state: AlertState,
    pub severity: Severity,
    pub owner: Option<String>,
    pub opened_on: Date,
    pub closed_on: Option<Date>,
    pub closed_by: Option<String>,
    pub closed_because: Option<String>,
    pub snoozed_until: Option<Date>,
    pub currency: Option<Currency>,
    pub evidence: Evidence,
    pub also: Vec<Also>,
}

/// An alert that stands behind another one.
#[derive(Debug)]
pub struct Also {
    pub id: Id,
    pub rule: String,
    pub version: u32,
    pub severity: Severity,
    pub currency: Option<Currency>,
    pub evidence: Evidence,
}

/// What waits, and since when: customer, rule and currency, day.
pub type Waiting = (i64, (Key, Date));

/// Where a page of alerts ended: day and key.
pub type Before = (String, i64);

/// What is asked of the list.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    pub state: Option<AlertState>,
    pub customer: Option<&'a Id>,
    pub severity: Option<Severity>,
    pub owner: Option<&'a str>,
    pub rule: Option<&'a str>,
    pub kind: Option<AlertKind>,
    pub day: Date,
}

impl Filter<'_> {
    /// Everything as it stood on the day.
    pub fn on(day: Date) -> Self {
        let (state, customer, severity) = (None, None, None);
        Self { state, customer, severity, owner: None, rule: None, kind: None, day }
    }
}

/// What somebody does about an alert.
#[derive(Debug)]
pub struct Action<'a> {
    pub alert: i64,
    pub day: Date,
    pub at: Instant,
    pub who: &'a str,
    pub action: AlertActionKind,
    pub reason: Option<&'a str>,
    pub until: Option<Date>,
    pub owner: Option<&'a str>,
    pub entry: i64,
}

/// The customers of the range who owe, were scored on the day, or have an alert; or everybody, without facts.
pub fn positions<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    everybody: bool,
) -> Result<Vec<Position>, Fault> {
    let day = day.to_string();
    let params =
        [range.after.into(), range.upto.into(), (&day).into(), i64::from(everybody).into()];
    db.json(sql!("alert/positions.sql"), &params)
}

/// The alerts of the range whose reason is not gone: customer, key, alert.
pub fn of_range<D: Db>(db: &D, range: Range) -> Result<Vec<(i64, i64, Live)>, Fault> {
    type Behind = (Option<String>, Option<String>);
    type Row =
        (i64, String, String, Evidence, Date, Severity, i64, (i64, i64), Option<Date>, i64, Behind);
    let rows: Vec<Row> =
        db.json(sql!("alert/of_range.sql"), &[range.after.into(), range.upto.into()])?;
    let live = |row: Row| {
        let (customer, rule, code, evidence, opened_on, severity, closed, flags, until, key, by) =
            row;
        let behind = by.0.zip(by.1).map(|(rule, code)| Ok::<_, Fault>((rule, currency(&code)?)));
        let live = Live {
            key: (rule, currency(&code)?),
            evidence,
            opened_on,
            severity,
            closed: closed != 0,
            assigned: flags.0 != 0,
            snoozed_until: until,
            escalated: flags.1 != 0,
            behind: behind.transpose()?,
        };
        Ok((customer, key, live))
    };
    rows.into_iter().map(live).collect()
}

/// The last day of each event of the range: none before the first day.
pub fn events<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    first: Date,
) -> Result<Vec<(i64, WatchedEvent, Date)>, Fault> {
    let before = first.plus_days(-1).unwrap_or(first).to_string();
    let day = day.to_string();
    let params = [range.after.into(), range.upto.into(), (&day).into(), (&before).into()];
    db.json(sql!("alert/events.sql"), &params)
}

/// The first defaults of the range up to a day; of who was in default before the first day, that day.
pub fn defaults<D: Db>(
    db: &D,
    range: Range,
    from: Date,
    to: Date,
) -> Result<Vec<(i64, Date)>, Fault> {
    let (from, to) = (from.to_string(), to.to_string());
    let tolerances = facts::tolerances()?;
    let [after, upto]: [Param<'_>; 2] = [range.after.into(), range.upto.into()];
    let params = [after, upto, (&from).into(), (&to).into(), (&tolerances).into()];
    db.json(sql!("alert/defaults.sql"), &params)
}

/// What was known of the customers of the range on former days.
pub fn samples<D: Db>(db: &D, range: Range) -> Result<Vec<(i64, Vec<Sample>)>, Fault> {
    db.json(sql!("alert/samples.sql"), &[range.after.into(), range.upto.into()])
}

/// Keeps samples in place of those before.
pub fn put_samples<D: Db>(db: &D, samples: &[(i64, Vec<Sample>)]) -> Result<(), Fault> {
    if samples.is_empty() {
        return Ok(());
    }
    let rows = samples.iter().map(|(customer, of)| Ok((*customer, crate::array(of)?)));
    let rows = crate::array(&rows.collect::<Result<Vec<_>, Fault>>()?)?;
    db.execute(sql!("alert/put_samples.sql"), &[(&rows).into()])?;
    Ok(())
}

/// What waits in the range, and since when.
pub fn waiting<D: Db>(db: &D, range: Range) -> Result<Vec<Waiting>, Fault> {
    let rows: Vec<(i64, String, String, Date)> =
        db.json(sql!("alert/waiting.sql"), &[range.after.into(), range.upto.into()])?;
    let waits = |(customer, rule, code, since): (i64, String, String, Date)| -> Result<_, Fault> {
        Ok((customer, ((rule, currency(&code)?), since)))
    };
    rows.into_iter().map(waits).collect()
}

/// Remembers since when terms hold.
pub fn wait_all<D: Db>(db: &D, waiting: &[Waiting]) -> Result<(), Fault> {
    if waiting.is_empty() {
        return Ok(());
    }
    let rows =
        waiting.iter().map(|(customer, ((rule, of), since))| (customer, rule, code(*of), since));
    let rows = crate::array(&rows.collect::<Vec<_>>())?;
    db.execute(sql!("alert/wait_all.sql"), &[(&rows).into()])?;
    Ok(())
}

/// Remembers it no more.
pub fn forget_all<D: Db>(db: &D, keys: &[(i64, Key)]) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    db.execute(sql!("alert/forget_all.sql"), &[(&keyed(keys)?).into()])?;
    Ok(())
}

/// Opens alerts: id, customer, finding.
pub fn open_all<D: Db>(db: &D, alerts: &[(Id, i64, Finding)], day: Date) -> Result<(), Fault> {
    if alerts.is_empty() {
        return Ok(());
    }
    let row = |(id, customer, of): &(Id, i64, Finding)| {
        let (rule, currency) = &of.key;
        let named = (id.clone(), *customer, rule.clone(), of.version, of.kind, code(*currency));
        let (evidence, basis) = (crate::array(&of.evidence)?, crate::array(&of.basis)?);
        let by = of.behind.as_ref().map(|(rule, _)| rule.clone());
        let by_code = of.behind.as_ref().map(|(_, currency)| code(*currency));
        let (a, b, c, d, e, f) = named;
        Ok((a, b, c, d, e, f, of.severity, of.owner.clone(), (evidence, basis, by, by_code)))
    };
    let rows = alerts.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
    let (rows, day) = (crate::array(&rows)?, day.to_string());
    db.execute(sql!("alert/open_all.sql"), &[(&rows).into(), (&day).into()])?;
    Ok(())
}

/// The customers with an alert of a default in their group that has not ended.
pub fn of_group_defaults<D: Db>(db: &D) -> Result<Vec<i64>, Fault> {
    db.json(
        "SELECT json_group_array(DISTINCT customer_key) FROM alert
         WHERE ended_on IS NULL AND kind = 'group-default'",
        &[],
    )
}

/// Ends alerts whose reason is gone, and says so of those that were open in the order of events.
pub fn end_all<D: Db>(
    db: &D,
    alerts: &[(i64, Ending)],
    day: Date,
    at: Instant,
) -> Result<(), Fault> {
    if alerts.is_empty() {
        return Ok(());
    }
    let row = |(customer, of): &(i64, Ending)| {
        let (rule, currency) = &of.key;
        let ending = AlertEnding { day, why: of.why, basis: of.basis.clone() };
        Ok((*customer, rule.clone(), code(*currency), crate::array(&ending)?))
    };
    let rows = alerts.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
    let (rows, day) = (crate::array(&rows)?, day.to_string());
    event::add_ended_alerts(db, &rows, &at.to_string())?;
    db.execute(sql!("alert/end_all.sql"), &[(&rows).into(), (&day).into()])?;
    Ok(())
}

/// Has alerts stand behind others, or behind another than before, and says of those that were open that they closed.
pub fn cover_all<D: Db>(
    db: &D,
    alerts: &[(i64, (Key, Key))],
    day: Date,
    at: Instant,
) -> Result<(), Fault> {
    if alerts.is_empty() {
        return Ok(());
    }
    let rows = alerts
        .iter()
        .map(|(customer, ((rule, of), (by, by_of)))| (customer, rule, code(*of), by, code(*by_of)));
    let (rows, day) = (crate::array(&rows.collect::<Vec<_>>())?, day.to_string());
    event::add_ended_alerts(db, &rows, &at.to_string())?;
    db.execute(sql!("alert/cover_all.sql"), &[(&rows).into(), (&day).into()])?;
    Ok(())
}

/// Takes up alerts that stood behind others, each by its key and under its id from now on, and says that they opened.
pub fn take_up_all<D: Db>(
    db: &D,
    alerts: &[(i64, Id)],
    day: Date,
    at: Instant,
) -> Result<(), Fault> {
    if alerts.is_empty() {
        return Ok(());
    }
    let ending = AlertEnding { day, why: EndingReason::TakenUp, basis: None };
    let (rows, ending) = (crate::array(alerts)?, crate::array(&ending)?);
    let day = day.to_string();
    let params = [(&rows).into(), (&day).into(), (&ending).into()];
    db.execute(sql!("alert/leave_all.sql"), &params)?;
    db.execute(sql!("alert/take_up_all.sql"), &[(&rows).into(), (&day).into()])?;
    event::add_taken_up_alerts(db, &rows, &at.to_string())
}

/// Raises alerts that nobody took care of, and says so in their trail and in the order of events.
pub fn escalate_all<D: Db>(
    db: &D,
    alerts: &[(i64, Escalated)],
    day: Date,
    at: Instant,
) -> Result<(), Fault> {
    if alerts.is_empty() {
        return Ok(());
    }
    let rows = alerts.iter().map(|(customer, of)| {
        let (rule, currency) = &of.key;
        (customer, rule, code(*currency), of.severity, &of.owner)
    });
    let rows = crate::array(&rows.collect::<Vec<_>>())?;
    let (day, at) = (day.to_string(), at.to_string());
    event::add_escalated_alerts(db, &rows, &at)?;
    let params = [(&rows).into(), (&day).into(), (&at).into()];
    db.execute(sql!("alert/insert_escalations.sql"), &params)?;
    db.execute(sql!("alert/escalate_all.sql"), &[(&rows).into()])?;
    Ok(())
}

/// Remembers what moved of what alerts count.
pub fn note_all<D: Db>(db: &D, alerts: &[(i64, (Key, Evidence))]) -> Result<(), Fault> {
    if alerts.is_empty() {
        return Ok(());
    }
    let row = |(customer, ((rule, of), evidence)): &(i64, (Key, Evidence))| {
        Ok((*customer, rule.clone(), code(*of), crate::array(evidence)?))
    };
    let rows = alerts.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
    let rows = crate::array(&rows)?;
    db.execute(sql!("alert/note_all.sql"), &[(&rows).into()])?;
    Ok(())
}

fn keyed(keys: &[(i64, Key)]) -> Result<String, Fault> {
    let rows = keys.iter().map(|(customer, (rule, of))| (customer, rule, code(*of)));
    crate::array(&rows.collect::<Vec<_>>())
}

/// Alerts, newest first.
pub fn page<D: Db>(
    db: &D,
    before: &Before,
    limit: u32,
    filter: Filter<'_>,
) -> Result<Vec<(Found, Before)>, Fault> {
    type What = (Id, Id, String, u32, AlertKind, AlertState, Severity, Option<String>);
    type Ended = (Option<Date>, Option<String>, Option<String>, Option<Date>);
    type Behind = (Id, String, u32, Severity, String, Evidence);
    type Row = ((Date, i64), What, Ended, String, Evidence, Vec<Behind>);
    let day = filter.day.to_string();
    let params: [Param<'_>; 10] = [
        (&before.0).into(),
        before.1.into(),
        i64::from(limit).into(),
        filter.state.map(AlertState::name).into(),
        filter.customer.map(Id::as_str).into(),
        (&day).into(),
        filter.severity.map(Severity::name).into(),
        filter.owner.into(),
        filter.rule.into(),
        filter.kind.map(AlertKind::name).into(),
    ];
    let rows: Vec<Row> = db.json(sql!("alert/page.sql"), &params)?;
    let also = |(id, rule, version, severity, code, evidence): Behind| -> Result<_, Fault> {
        Ok(Also { id, rule, version, severity, currency: currency(&code)?, evidence })
    };
    let found = |((opened_on, key), what, ended, code, evidence, behind): Row| {
        let (id, customer_id, rule, version, kind, state, severity, owner) = what;
        let (closed_on, closed_by, closed_because, snoozed_until) = ended;
        let currency = currency(&code)?;
        let found = Found {
            key,
            id,
            customer_id,
            rule,
            version,
            kind,
            state,
            severity,
            owner,
            opened_on,
            closed_on,
            closed_by,
            closed_because,
            snoozed_until,
            currency,
            evidence,
            also: behind.into_iter().map(also).collect::<Result<_, Fault>>()?,
        };
        Ok((found, (opened_on.to_string(), key)))
    };
    rows.into_iter().map(found).collect()
}

/// The day and key of an alert: its page begins before the key after it.
pub fn place<D: Db>(db: &D, id: &Id) -> Result<Option<Before>, Fault> {
    let sql = "SELECT opened_on, key FROM alert WHERE id = ?1";
    let row = db.first(sql, &[id.as_str().into()])?;
    row.map(|row| Ok((row.text(0)?.to_string(), row.int(1)?))).transpose()
}

/// What was done about an alert by a day, oldest first.
pub fn actions<D: Db>(db: &D, alert: i64, day: Date) -> Result<Vec<AlertAction>, Fault> {
    type Row = (
        Date,
        Instant,
        String,
        AlertActionKind,
        Option<String>,
        Option<Date>,
        Option<String>,
        Option<Severity>,
    );
    let day = day.to_string();
    let rows: Vec<Row> = db.json(sql!("alert/actions.sql"), &[alert.into(), (&day).into()])?;
    let action = |(day, at, who, action, reason, until, owner, severity): Row| AlertAction {
        day,
        at,
        who,
        action,
        reason,
        until,
        owner,
        severity,
    };
    Ok(rows.into_iter().map(action).collect())
}

/// What the rule looked at when the alert was raised, and how it had ended by a day.
pub fn grounds<D: Db>(
    db: &D,
    alert: i64,
    day: Date,
) -> Result<(Option<AlertBasis>, Option<AlertEnding>), Fault> {
    let day = day.to_string();
    db.json(
        "SELECT json_array(json(basis), CASE WHEN ended_on <= ?2 THEN json(ending) END)
         FROM alert WHERE key = ?1",
        &[alert.into(), (&day).into()],
    )
}

/// Records what somebody does about an alert, and does it.
pub fn act<D: Db>(db: &D, of: &Action<'_>) -> Result<(), Fault> {
    let (day, at) = (of.day.to_string(), of.at.to_string());
    let until = of.until.map(|until| until.to_string());
    let params: [Param<'_>; 9] = [
        of.alert.into(),
        (&day).into(),
        (&at).into(),
        of.who.into(),
        of.action.name().into(),
        of.reason.into(),
        until.as_ref().into(),
        of.owner.into(),
        of.entry.into(),
    ];
    db.execute(sql!("alert/insert_action.sql"), &params)?;
    let closes = of.action == AlertActionKind::Close;
    let params: [Param<'_>; 6] = [
        of.alert.into(),
        closes.then_some(&day).into(),
        closes.then_some(of.who).into(),
        of.reason.filter(|_| closes).into(),
        until.as_ref().into(),
        of.owner.into(),
    ];
    db.execute(sql!("alert/after_action.sql"), &params)?;
    Ok(())
}

/// How many are open.
pub fn count_open<D: Db>(db: &D) -> Result<u32, Fault> {
    let count = db.int("SELECT count(*) FROM alert WHERE closed_on IS NULL", &[])?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Up to where in the order of events customers were judged anew. `None`: nowhere yet.
pub fn position<D: Db>(db: &D) -> Result<Option<String>, Fault> {
    let row = db.first("SELECT position FROM alert_progress WHERE one = 1", &[])?;
    row.map(|row| row.text(0).map(str::to_string)).transpose()
}

/// Notes how far it has come.
pub fn set_position<D: Db>(db: &D, position: &str) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO alert_progress (one, position) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET position = excluded.position",
        &[position.into()],
    )?;
    Ok(())
}

/// The column is part of a unique index, in which nulls would all differ: no currency is the empty text.
fn code(currency: Option<Currency>) -> String {
    currency.map_or(String::new(), |currency| currency.to_string())
}

fn currency(code: &str) -> Result<Option<Currency>, Fault> {
    let parsed = (!code.is_empty()).then(|| code.parse()).transpose();
    parsed.map_err(|refused: dunlin_domain::Refused| Fault::Db(format!("stored value: {refused}")))
}

/// A customer whose alert calls for a lower limit: its key, the day of the newest such alert, and whether it is grave.
pub type Worsened = (i64, Date, u8);

/// The customers with an alert from a day on that is grave, or says that the grade fell, open or behind another one. A
/// grave one goes before.
pub fn worsened_since<D: Db>(db: &D, day: Date) -> Result<Vec<Worsened>, Fault> {
    let day = day.to_string();
    db.json(
        "SELECT json_group_array(json_array(customer_key, coalesce(grave_on, any_on), grave_on IS NOT NULL))
         FROM (
             SELECT
                 customer_key, max(opened_on) AS any_on,
                 max(opened_on) FILTER (WHERE severity IN ('serious', 'critical')) AS grave_on
             FROM alert
             WHERE opened_on >= ?1 AND (closed_on IS NULL OR behind_rule IS NOT NULL AND ended_on IS NULL)
                 AND coalesce(basis ->> 'day', opened_on) >= ?1
                 AND (kind = 'grade-worse' OR severity IN ('serious', 'critical'))
             GROUP BY +customer_key
         )",
        &[(&day).into()],
    )
}
