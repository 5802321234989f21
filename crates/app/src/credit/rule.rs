//! Rules: what a check looks at.

use super::{Now, order::of_customer};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, known_customer, missing},
};
use dunlin_domain::{
    Id, Instant, Refusal, Refused,
    contract::credit::{NewRule, Rule, RuleLevel},
    credit::rule::{Known, check, check_name, ended, shipped, standing},
    zone,
};
use dunlin_store::{
    Db, Fault, audit, credit,
    customer::{self, Place},
    write,
};
use serde_json::json;

/// Sets a rule, in place of the one of its name.
pub fn put<D: Db>(
    db: &D,
    name: &Id,
    new: &NewRule,
    author: &Author,
) -> Result<(Rule, Change), Fault> {
    check(new)?;
    check_name(name, new)?;
    write(db, |db| {
        check_group(db, new)?;
        let key = |id: &Option<Id>| id.as_ref().map(|id| known_customer(db, id)).transpose();
        let whose =
            (key(&new.customer).map_err(of_customer)?, key(&new.group).map_err(of_customer)?);
        set(db, name, new, whose, author)
    })
}

/// Takes a rule back: yesterday was its last day, as it stood then. One that was new today never counted.
pub fn end<D: Db>(db: &D, name: &Id, author: &Author) -> Result<(Rule, Change), Fault> {
    write(db, |db| {
        let Now { today, zone, .. } = Now::new(db, author.at)?;
        let before = get(db, name)?;
        if before.version == 0 {
            let detail = "it ships with Dunlin: an exclusion of its kind takes it out";
            return Err(Refused::new(Refusal::WrongState, detail).at("name").into());
        }
        if before.rule.to.is_some_and(|to| to < today) {
            return Ok((before, Change::AlreadySo));
        }
        let until = audit::last_by(db, &zone::end_of(today.plus_days(-1)?, &zone)?.to_string())?;
        let ended = ended(before.rule, credit::rule_by(db, name, until)?, today)?;
        // Also of somebody who was merged into another since.
        let whose = |id: Option<Id>| -> Result<(Option<Id>, Option<i64>), Fault> {
            let Some(id) = id else { return Ok((None, None)) };
            Ok(match customer::place(db, &id)? {
                Some(Place { merged: Some((key, into)), .. }) => (Some(into), Some(key)),
                place => (Some(id), place.map(|place| place.key)),
            })
        };
        let ((customer, key), (group, head)) = (whose(ended.customer)?, whose(ended.group)?);
        let ended = NewRule { customer, group, ..ended };
        set(db, name, &ended, (key, head), author)
    })
}

/// Keeps a rule in place of the one of its name.
fn set<D: Db>(
    db: &D,
    name: &Id,
    new: &NewRule,
    whose: (Option<i64>, Option<i64>),
    author: &Author,
) -> Result<(Rule, Change), Fault> {
    let before = credit::rules(db, "", 1, Some(name))?.pop();
    let version = before.as_ref().map_or(0, |before| before.version).saturating_add(1);
    if let Some(before) = before.as_ref().filter(|before| before.rule == *new) {
        return Ok((before.clone(), Change::AlreadySo));
    }
    let action = if before.is_some() { "replace" } else { "create" };
    let was = before.as_ref().map(|before| &before.rule);
    let what = noted((action, name), was, new, whose.0.or(whose.1))?;
    let entry = note(db, author, &what)?;
    credit::put_rule(db, (name, version), new, whose, entry)?;
    let rule = Rule { name: name.clone(), version, rule: new.clone() };
    Ok((rule, if before.is_some() { Change::Replaced } else { Change::Made }))
}

/// A rule as its entry tells of it. Why there is one for a customer is free text about it, and kept apart.
fn noted<'a>(
    (action, name): (&'a str, &'a Id),
    before: Option<&NewRule>,
    after: &NewRule,
    whose: Option<i64>,
) -> Result<Note<'a>, Fault> {
    let is_about = |rule: &NewRule| rule.customer.is_some() || rule.group.is_some();
    let public = |rule: &NewRule| {
        let reason = rule.reason.clone().filter(|_| !is_about(rule));
        NewRule { reason, ..rule.clone() }
    };
    let (was, now) = (before.map(public), public(after));
    let what = Note::changed(action, "credit_rule", name.as_str(), was.as_ref(), Some(&now))?;
    let Some(customer) = whose else { return Ok(what) };
    // What was about somebody else stands in the entry that put it, and goes with that one.
    let of = |rule: &NewRule| (rule.customer.clone(), rule.group.clone());
    let before = before.filter(|before| of(before) == of(after));
    let reason = |rule: &NewRule| json!({"reason": rule.reason});
    match before.and_then(|before| before.reason.as_ref()).is_some() || after.reason.is_some() {
        false => Ok(what),
        true => what.with_personal(
            &json!({"before": before.map(reason), "after": reason(after)}),
            customer,
        ),
    }
}

/// The rule of this name, one that ships included.
pub fn get<D: Db>(db: &D, name: &Id) -> Result<Rule, Fault> {
    let found = credit::rules(db, "", 1, Some(name))?.pop();
    let ships = || shipped().iter().find(|known| known.name == *name).cloned().map(told);
    let found = found.or_else(ships);
    found.ok_or_else(|| missing("rule"))
}

/// Rules after a name. Those that ship and stand today come before all others.
pub fn list<D: Db>(
    db: &D,
    after: Option<&Id>,
    limit: u32,
    at: Instant,
) -> Result<Vec<Rule>, Fault> {
    let stored = credit::rules(db, after.map_or("", Id::as_str), limit, None)?;
    let mut rules = Vec::new();
    if after.is_none() {
        let all = credit::rules(db, "", u32::MAX, None)?.into_iter();
        let for_all = all.filter(|of| of.rule.customer.is_none() && of.rule.group.is_none());
        let known: Vec<Known> = for_all.map(known).collect();
        rules.extend(standing(&known, Now::new(db, at)?.today).into_iter().cloned().map(told));
    }
    rules.extend(stored);
    Ok(rules)
}

/// What is for a group names its head.
fn check_group<D: Db>(db: &D, new: &NewRule) -> Result<(), Fault> {
    let Some(group) = &new.group else { return Ok(()) };
    let place = customer::place(db, group)?;
    if place.is_some_and(|place| place.parent_key.is_some()) {
        let detail = "a rule for a group names its head: this is a member";
        return Err(Refused::new(Refusal::MalformedField, detail).at("group").into());
    }
    Ok(())
}

fn told(known: Known) -> Rule {
    Rule { name: known.name, version: known.version, rule: known.rule }
}

fn known(of: Rule) -> Known {
    Known { name: of.name, version: of.version, level: RuleLevel::All, rule: of.rule }
}
