//! Alerts as they are read, and what somebody does about them: puts them off, closes them, gives them to somebody.

use crate::{
    alert_rule,
    audit::{Author, Note, note},
    ledger::{self, Change, missing},
};
use dunlin_domain::{
    Date, Id, Refusal, Refused, alert,
    contract::{
        types::Language,
        warn::{
            Alert, AlertActionKind, AlertAssign, AlertClose, AlertDetail, AlertRule, AlertSnooze,
            AlertState, AlsoTold,
        },
    },
    text,
};
use dunlin_store::{Db, Fault, alert as table, customer, organisation, write};
use serde_json::json;
use std::collections::HashMap;

/// Alerts, newest first, with their texts in a language.
pub fn alerts<D: Db>(
    db: &D,
    before: &table::Before,
    limit: u32,
    filter: table::Filter<'_>,
    language: Option<Language>,
) -> Result<Vec<(Alert, table::Before)>, Fault> {
    let language = language.map_or_else(|| organisation::get(db).map(|of| of.language), Ok)?;
    let mut rules = Rules::new();
    let mut told = Vec::new();
    for (of, before) in table::page(db, before, limit, filter)? {
        told.push((shown(db, of, &mut rules, language)?, before));
    }
    Ok(told)
}

/// Versions of rules that were read.
type Rules = HashMap<(String, u32), Option<AlertRule>>;

fn rule<'a, D: Db>(
    db: &D,
    rules: &'a mut Rules,
    name: &str,
    version: u32,
) -> Result<Option<&'a AlertRule>, Fault> {
    let named = (name.to_string(), version);
    if !rules.contains_key(&named) {
        let read = alert_rule::version(db, name, version)?;
        rules.insert(named.clone(), read);
    }
    Ok(rules.get(&named).and_then(Option::as_ref))
}

fn shown<D: Db>(
    db: &D,
    of: table::Found,
    rules: &mut Rules,
    language: Language,
) -> Result<Alert, Fault> {
    let mut also = Vec::with_capacity(of.also.len());
    for other in of.also {
        let rule = rule(db, rules, &other.rule, other.version)?;
        let text =
            |rule: &AlertRule| alert::text(&rule.rule, &other.evidence, other.currency, language);
        let text = rule.map(text).unwrap_or_default();
        also.push(AlsoTold { id: other.id, rule: other.rule, severity: other.severity, text });
    }
    let rule = rule(db, rules, &of.rule, of.version)?;
    let words = |words: fn(_, _, _, _) -> String| {
        rule.map(|rule| words(&rule.rule, &of.evidence, of.currency, language)).unwrap_or_default()
    };
    Ok(Alert {
        text: words(alert::text),
        advice: words(alert::advice),
        id: of.id,
        customer_id: of.customer_id,
        kind: of.kind,
        rule: of.rule,
        state: of.state,
        severity: of.severity,
        owner: of.owner,
        opened_on: of.opened_on,
        closed_on: of.closed_on,
        closed_by: of.closed_by,
        closed_because: of.closed_because,
        snoozed_until: of.snoozed_until,
        currency: of.currency,
        evidence: of.evidence,
        also: Some(also).filter(|also| !also.is_empty()),
    })
}

/// An alert as it stands on a day.
fn found<D: Db>(db: &D, id: &Id, day: Date) -> Result<table::Found, Fault> {
    let (opened_on, key) = table::place(db, id)?.ok_or_else(|| missing("alert"))?;
    let day = day.max(opened_on.parse()?);
    let after = (opened_on, key.saturating_add(1));
    let page = table::page(db, &after, 1, table::Filter::on(day))?;
    page.into_iter().next().map(|(of, _)| of).ok_or_else(|| missing("alert"))
}

/// An alert with what was done about it.
pub fn detail<D: Db>(
    db: &D,
    id: &Id,
    day: Date,
    language: Option<Language>,
) -> Result<AlertDetail, Fault> {
    let language = language.map_or_else(|| organisation::get(db).map(|of| of.language), Ok)?;
    let of = found(db, id, day)?;
    let actions = table::actions(db, of.key, day.max(of.opened_on))?;
    let (basis, ending) = table::grounds(db, of.key, day.max(of.opened_on))?;
    Ok(AlertDetail { alert: shown(db, of, &mut Rules::new(), language)?, actions, basis, ending })
}

/// What somebody wants done about an alert.
#[derive(Clone, Debug)]
pub enum Wish {
    Snooze(AlertSnooze),
    Close(AlertClose),
    Assign(AlertAssign),
}

/// Does something about an alert that is not closed. The same again changes nothing.
pub fn act<D: Db>(db: &D, id: &Id, wish: &Wish, author: &Author) -> Result<Change, Fault> {
    let (reason, owner, until, action) = match wish {
        Wish::Snooze(of) => (Some(&of.reason), None, Some(of.until), AlertActionKind::Snooze),
        Wish::Close(of) => (Some(&of.reason), None, None, AlertActionKind::Close),
        Wish::Assign(of) => (None, Some(&of.owner), None, AlertActionKind::Assign),
    };
    reason.map_or(Ok(()), |reason| text::check(reason, 1, 500, "reason"))?;
    owner.map_or(Ok(()), |owner| text::check(owner, 1, 100, "owner"))?;
    write(db, |db| {
        let day = ledger::today(db, author.at)?;
        let of = found(db, id, day)?;
        if of.state == AlertState::Closed {
            if action == AlertActionKind::Close && of.closed_because.as_ref() == reason {
                return Ok(Change::AlreadySo);
            }
            return Err(Fault::refused(Refusal::WrongState, "the alert is closed"));
        }
        if of.state == AlertState::Behind {
            let detail = "the alert stands behind a graver one, which is to be acted on";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let last = table::actions(db, of.key, Date::LAST)?
            .into_iter()
            .rev()
            .find(|last| last.action == action);
        let same = match action {
            AlertActionKind::Snooze => {
                last.is_some_and(|last| of.snoozed_until == until && last.reason.as_ref() == reason)
            }
            AlertActionKind::Assign => last.is_some() && of.owner.as_ref() == owner,
            AlertActionKind::Close | AlertActionKind::Escalate => false,
        };
        if same {
            return Ok(Change::AlreadySo);
        }
        if let Some(until) = until {
            may_snooze(db, &of, day, until)?;
        }
        let said = json!({"until": until, "owner": owner});
        let mut what =
            Note::changed(action.name(), "alert", id.as_str(), None::<&()>, Some(&said))?;
        // Why somebody put off or closed a warning is free text about a customer, and kept apart.
        if let Some(reason) = reason {
            let key = customer::key(db, &of.customer_id)?.ok_or_else(|| missing("customer"))?;
            what = what.with_personal(&json!({"reason": reason}), key)?;
        }
        let entry = note(db, author, &what)?;
        table::act(
            db,
            &table::Action {
                alert: of.key,
                day,
                at: author.at,
                who: &author.who,
                action,
                reason: reason.map(String::as_str),
                until,
                owner: owner.map(String::as_str),
                entry,
            },
        )?;
        Ok(Change::Replaced)
    })
}

fn may_snooze<D: Db>(db: &D, of: &table::Found, day: Date, until: Date) -> Result<(), Fault> {
    let refused =
        |detail: String| Err(Refused::new(Refusal::MalformedField, detail).at("until").into());
    if until <= day {
        return refused(format!("it is after today, {day}"));
    }
    let rule = alert_rule::latest(db, &of.rule)?;
    let most = rule.map_or(0, |rule| alert::snooze_days(&rule.rule));
    if until.days_since(day) > i64::from(most) {
        let most = text::counted(most.into(), "day");
        return refused(format!("the rule lets its alerts be snoozed for at most {most}"));
    }
    Ok(())
}
