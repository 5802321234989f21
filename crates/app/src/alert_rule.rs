//! Rules of warnings: those that ship, and versions in their place or beside them.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, missing},
};
use dunlin_domain::{
    alert::{check, shipped, shipped_version},
    contract::warn::{AlertRule, NewAlertRule},
};
use dunlin_store::{Db, Fault, alert_rule as table, write};

/// The rules in force by name: what was written, and what ships of the rest.
pub fn in_force<D: Db>(db: &D) -> Result<Vec<AlertRule>, Fault> {
    let written = table::latest(db)?;
    let mut rules: Vec<AlertRule> = shipped();
    rules.retain(|of| !written.iter().any(|other| other.name == of.name));
    rules.extend(written);
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(rules)
}

/// The rule in force under a name.
pub(crate) fn latest<D: Db>(db: &D, name: &str) -> Result<Option<AlertRule>, Fault> {
    let written = table::get(db, name, None)?;
    Ok(written.or_else(|| shipped().into_iter().find(|of| of.name == name)))
}

/// A version of a rule, in force or not.
pub(crate) fn version<D: Db>(db: &D, name: &str, version: u32) -> Result<Option<AlertRule>, Fault> {
    let written = table::get(db, name, Some(version))?;
    Ok(written.or_else(|| shipped_version(name, version)))
}

/// The rule in force under a name, which must be there.
pub fn get<D: Db>(db: &D, name: &str) -> Result<AlertRule, Fault> {
    latest(db, name)?.ok_or_else(|| missing("rule"))
}

/// The rule under a name, in force or in a version of it, which must be there.
pub fn get_version<D: Db>(db: &D, name: &str, wanted: Option<u32>) -> Result<AlertRule, Fault> {
    let Some(wanted) = wanted else { return get(db, name) };
    version(db, name, wanted)?.ok_or_else(|| missing("version of the rule"))
}

/// Writes a rule: a new version, unless it reads as the one in force.
pub fn put<D: Db>(
    db: &D,
    name: &str,
    new: &NewAlertRule,
    author: &Author,
) -> Result<(AlertRule, Change), Fault> {
    check(name, new)?;
    write(db, |db| {
        let before = latest(db, name)?;
        if let Some(same) = before.as_ref().filter(|before| before.rule == *new) {
            return Ok((same.clone(), Change::AlreadySo));
        }
        let version = before.as_ref().map_or(0, |before| before.version).saturating_add(1);
        let after =
            AlertRule { name: name.to_string(), version, shipped: false, rule: new.clone() };
        let (action, change) = match before {
            None => ("create", Change::Made),
            Some(_) => ("replace", Change::Replaced),
        };
        let what = Note::changed(action, "alert_rule", name, before.as_ref(), Some(&after))?;
        let entry = note(db, author, &what)?;
        table::insert(db, &after, entry)?;
        Ok((after, change))
    })
}

/// Puts a rule out of use. Its alerts close when their customers are judged next.
pub fn disable<D: Db>(db: &D, name: &str, author: &Author) -> Result<(AlertRule, Change), Fault> {
    let rule = get(db, name)?.rule;
    put(db, name, &NewAlertRule { disabled: Some(true), ..rule }, author)
}
