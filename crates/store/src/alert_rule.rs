//! Table `alert_rule`: versions of rules, the last of each name in force.

use crate::{Db, Fault};
use dunlin_domain::contract::warn::{AlertRule, NewAlertRule};

type Row = (String, u32, NewAlertRule);

fn rule((name, version, rule): Row) -> AlertRule {
    AlertRule { name, version, shipped: false, rule }
}

/// The last version of every rule that was written, by name.
pub fn latest<D: Db>(db: &D) -> Result<Vec<AlertRule>, Fault> {
    let rows: Vec<Row> = db.json(
        "SELECT json_group_array(json_array(name, version, json(document)))
         FROM (
             SELECT * FROM alert_rule AS r
             WHERE version = (SELECT max(l.version) FROM alert_rule AS l WHERE l.name = r.name)
             ORDER BY name
         )",
        &[],
    )?;
    Ok(rows.into_iter().map(rule).collect())
}

/// One version of a rule that was written; the last where none is named.
pub fn get<D: Db>(db: &D, name: &str, version: Option<u32>) -> Result<Option<AlertRule>, Fault> {
    let row = db.first(
        "SELECT version, document FROM alert_rule WHERE name = ?1 AND version = coalesce(?2, version)
         ORDER BY version DESC LIMIT 1",
        &[name.into(), version.map(i64::from).into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let version = u32::try_from(row.int(0)?).unwrap_or(u32::MAX);
    Ok(Some(rule((name.to_string(), version, row.json(1)?))))
}

/// Adds a version.
pub fn insert<D: Db>(db: &D, rule: &AlertRule, entry: i64) -> Result<(), Fault> {
    let document = crate::array(&rule.rule)?;
    db.execute(
        "INSERT INTO alert_rule (name, version, document, entry_key) VALUES (?1, ?2, ?3, ?4)",
        &[
            rule.name.as_str().into(),
            i64::from(rule.version).into(),
            (&document).into(),
            entry.into(),
        ],
    )?;
    Ok(())
}
