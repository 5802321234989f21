//! Warnings about a customer: what rules find, and which alerts open, wait, rise and close because of it.
//!
//! A rule is a document of the contract, a list of terms. [`judge`] compares what its terms find on a day with the
//! alerts that are there, and gives the difference; the same position twice changes nothing.
//!
//! | the terms | no alert | an alert | one that was closed by hand |
//! |---|---|---|---|
//! | hold | opens, when they have held for as long as the rule says | stays, and may rise | stays closed |
//! | hold, by what happened since it was told | | closes, and another opens | another opens |
//! | do not hold | | closes | may open anew from now on |
//!
//! Of alerts whose rules have the same dedupe key the gravest is open and the others stand behind it, each judged as if it
//! stood alone.
//!
//! While an alert is there its terms are held against their closing bounds, so that nothing flaps between the two. Three
//! kinds of terms look back at the sweep before when they first hold and at the evidence of their alert afterwards:
//! `newly-overdue`, and `grade-worse` with `notch-worse`. A rule that is gone or out of use finds nothing.

mod basis;
mod dedupe;
mod history;
mod rule;
mod shipped;
mod term;
mod wording;

pub use basis::again;
pub use history::{SAMPLE_DAYS, SAMPLES, add_sample};
pub use rule::{check, facts_needed, looks_back, of_the_book, snooze_days};
pub use shipped::{shipped, shipped_version};
pub use wording::{advice, text};

use crate::{
    Currency, Date, Decimal, Money,
    contract::{
        score::FactName,
        types::Grade,
        warn::{
            AlertBasis, AlertKind, AlertRule, EndingReason, Evidence, FormerAlert, NewAlertRule,
            RuleTerm, Severity, TermMatch, TermSeen, WatchedEvent,
        },
    },
};
use std::collections::BTreeMap;

/// Facts by name: what is not known is not there.
pub type Values = BTreeMap<FactName, Decimal>;

/// What was known of a customer on a former day.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sample {
    /// The day.
    pub day: Date,
    /// Only facts that rules compare with the past.
    pub values: Values,
}

/// Where one customer stands on a day, and where it stood at the sweep before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The day.
    pub day: Date,
    /// What is known of its behaviour.
    pub facts: Values,
    /// The same of former days, oldest first.
    pub samples: Vec<Sample>,
    /// The last day of each event.
    pub events: BTreeMap<WatchedEvent, Date>,
    /// Whether anything was past due at the sweep before that somebody would be reminded of. False for a customer that was
    /// never swept.
    pub overdue_before: bool,
    /// The grade at the sweep before. `None`: there was none, or another card judged.
    pub grade_before: Option<Grade>,
    /// The grade now. `None`: nothing is known.
    pub grade_now: Option<Grade>,
    /// The part of the grade at the sweep before, and now, and how many parts a grade has. What was before is not there
    /// where another card judged.
    pub notch_before: Option<u32>,
    pub notch_now: Option<u32>,
    pub notches: Option<u32>,
    /// The credit limit. Zero is no credit; `None` is no limit set.
    pub limit: Option<Money>,
    /// What it owes, one entry a currency.
    pub owed: Vec<Owed>,
}

impl Position {
    /// A customer of whom nothing is known.
    pub fn on(day: Date) -> Self {
        Self {
            day,
            facts: Values::new(),
            samples: Vec::new(),
            events: BTreeMap::new(),
            overdue_before: false,
            grade_before: None,
            grade_now: None,
            notch_before: None,
            notch_now: None,
            notches: None,
            limit: None,
            owed: Vec::new(),
        }
    }
}

/// What one customer owes in one currency, and the whole book beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The currency of all amounts here.
    pub currency: Currency,
    /// What is open.
    pub outstanding_minor: i64,
    /// The part that is past due and somebody would be reminded of: not what is contested, and not a rest below the
    /// tolerance.
    pub overdue_minor: i64,
    /// What all customers owe.
    pub book_minor: i64,
    /// How many customers owe something.
    pub book_customers: u32,
}

/// What tells one alert of a customer from another: the name of its rule, and the currency where the rule has one. At
/// most one is there for each.
pub type Key = (String, Option<Currency>);

/// An alert that opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule, and the currency.
    pub key: Key,
    /// The version of the rule.
    pub version: u32,
    /// What it warns of.
    pub kind: AlertKind,
    /// How grave it is.
    pub severity: Severity,
    /// Whose it is.
    pub owner: Option<String>,
    /// What was seen and what it passed.
    pub evidence: Evidence,
    /// All that the rule looked at.
    pub basis: AlertBasis,
    /// The alert that tells of it, so that it is not open.
    pub behind: Option<Key>,
}

/// An alert that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The rule, and the currency.
    pub key: Key,
    /// Why it ends.
    pub why: EndingReason,
    /// All that the rule looked at. `None`: it is out of use.
    pub basis: Option<AlertBasis>,
}

/// An alert that is there: open, or closed by hand while its reason goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The rule, and the currency.
    pub key: Key,
    /// What was seen when it opened.
    pub evidence: Evidence,
    /// When it opened.
    pub opened_on: Date,
    /// How grave it is now.
    pub severity: Severity,
    /// Somebody closed it.
    pub closed: bool,
    /// Somebody was given it.
    pub assigned: bool,
    /// The day on which it is heard of again.
    pub snoozed_until: Option<Date>,
    /// Its rule raised it already.
    pub escalated: bool,
    /// The alert that tells of it, so that it is not open.
    pub behind: Option<Key>,
}

/// An alert that nobody took care of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalated {
    /// The rule, and the currency.
    pub key: Key,
    /// How grave it is from now on.
    pub severity: Severity,
    /// Whose it is from now on. `None`: as before.
    pub owner: Option<String>,
}

/// What is to be done about a customer's alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// To be opened.
    pub to_open: Vec<Finding>,
    /// To be ended: their reason is gone.
    pub to_end: Vec<Ending>,
    /// To be raised.
    pub to_escalate: Vec<Escalated>,
    /// To be remembered: what they count moved since they were last looked at.
    pub to_note: Vec<(Key, Evidence)>,
    /// To stand behind another one, which tells of them: first the one, then the other.
    pub to_cover: Vec<(Key, Key)>,
    /// To be taken up: they stood behind another one and are open from now on.
    pub to_take_up: Vec<Key>,
    /// To be remembered: their terms hold since the day, and not for long enough yet.
    pub to_wait: Vec<(Key, Date)>,
    /// To be remembered no more.
    pub to_forget: Vec<Key>,
}

impl Transition {
    /// Whether the alert ends.
    pub fn ends(&self, key: &Key) -> bool {
        self.to_end.iter().any(|ending| ending.key == *key)
    }
}

/// What opens, rises, waits and ends, given what is there and what waits since when.
pub fn judge(
    rules: &[AlertRule],
    position: &Position,
    live: &[Live],
    waiting: &[(Key, Date)],
) -> Transition {
    let mut step = Transition::default();
    let mut looked_at: Vec<Key> = Vec::new();
    for of in rules.iter().filter(|of| of.rule.disabled != Some(true)) {
        for currency in rule::currencies(&of.rule, position) {
            let key = (of.name.clone(), currency);
            let there = live.iter().find(|alert| alert.key == key);
            let since = waiting.iter().find(|(waits, _)| *waits == key).map(|(_, since)| *since);
            let seen = seen(&of.rule, position, currency, there.map(|alert| &alert.evidence));
            looked_at.push(key.clone());
            let basis = || basis::basis(of, position, currency, since);
            let ending = |why| Ending { key: key.clone(), why, basis: Some(basis()) };
            match (there, seen) {
                (Some(alert), Some(seen)) if is_anew(&of.rule, position, alert, &seen) => {
                    step.to_end.push(ending(EndingReason::ToldAnew));
                    let basis = AlertBasis { former: Some(former(alert)), ..basis() };
                    let new = finding(of, key.clone(), seen, basis);
                    let severity = new.severity.max(alert.severity);
                    step.to_open.push(Finding { severity, ..new });
                }
                (Some(alert), Some(seen)) => {
                    step.to_escalate.extend(escalated(&of.rule, position.day, alert));
                    step.to_note.extend(moved(&of.rule, alert, &seen).map(|of| (key.clone(), of)));
                }
                (Some(_), None) => step.to_end.push(ending(EndingReason::ReasonGone)),
                (None, Some(seen)) if held(&of.rule, position.day, since) => {
                    step.to_open.push(finding(of, key.clone(), seen, basis()));
                }
                (None, Some(_)) => {
                    if since.is_none() {
                        step.to_wait.push((key, position.day));
                    }
                    continue;
                }
                (None, None) => {}
            }
            if since.is_some() {
                step.to_forget.push(key);
            }
        }
    }
    let gone = |key: &Key| !looked_at.contains(key);
    for alert in live.iter().filter(|alert| gone(&alert.key)) {
        step.to_end.push(without(rules, position, &alert.key));
    }
    step.to_forget.extend(waiting.iter().map(|(key, _)| key).filter(|key| gone(key)).cloned());
    dedupe::arrange(rules, live, &mut step);
    step
}

/// The end of an alert at which no rule looks any more: it is out of use, or what it is about has no such currency.
fn without(rules: &[AlertRule], position: &Position, key: &Key) -> Ending {
    let in_use = |of: &&AlertRule| of.name == key.0 && of.rule.disabled != Some(true);
    let basis = rules.iter().find(in_use).map(|of| basis::basis(of, position, key.1, None));
    let why = if basis.is_some() { EndingReason::ReasonGone } else { EndingReason::OutOfUse };
    Ending { key: key.clone(), why, basis }
}

fn former(alert: &Live) -> FormerAlert {
    FormerAlert { severity: alert.severity, evidence: alert.evidence.clone() }
}

/// What the terms saw, in their order. `None`: they do not hold as the rule wants them to.
fn seen(
    rule: &NewAlertRule,
    position: &Position,
    currency: Option<Currency>,
    open: Option<&Evidence>,
) -> Option<Vec<TermSeen>> {
    let terms = rule.terms.iter().enumerate();
    let held: Vec<TermSeen> =
        terms.filter_map(|(at, of)| term::seen(of, at, position, currency, open)).collect();
    let enough = match rule.term_match.unwrap_or(TermMatch::All) {
        TermMatch::All => held.len() == rule.terms.len(),
        TermMatch::Any => !held.is_empty(),
    };
    (enough && !held.is_empty()).then_some(held)
}

/// The term of a rule that saw something.
fn term_of<'a>(rule: &'a NewAlertRule, seen: &TermSeen) -> Option<&'a RuleTerm> {
    rule.terms.get(usize::try_from(seen.term).unwrap_or(usize::MAX).saturating_sub(1))
}

/// Whether something happened since the alert told of it, so that it is told anew.
fn is_anew(rule: &NewAlertRule, position: &Position, alert: &Live, seen: &[TermSeen]) -> bool {
    let anew = |(term, now)| term::is_anew(term, now, position, &alert.evidence);
    seen.iter().filter_map(|now| Some((term_of(rule, now)?, now))).any(anew)
}

/// What the alert told of, with what its counts are by now. `None`: none moved.
fn moved(rule: &NewAlertRule, alert: &Live, seen: &[TermSeen]) -> Option<Evidence> {
    let mut evidence = alert.evidence.clone();
    let mut any = false;
    for told in evidence.terms.iter_mut().flatten() {
        let now = seen.iter().find(|now| now.term == told.term);
        let moved = now.and_then(|now| term::moved(term_of(rule, now)?, told, now));
        any |= moved.is_some();
        told.last = moved.or(told.last);
    }
    any.then_some(evidence)
}

fn held(rule: &NewAlertRule, day: Date, since: Option<Date>) -> bool {
    let wanted = i64::from(rule.holds_days.unwrap_or(0));
    day.days_since(since.unwrap_or(day)) >= wanted
}

fn finding(of: &AlertRule, key: Key, seen: Vec<TermSeen>, basis: AlertBasis) -> Finding {
    let first = seen.first().map(|first| (first.value.clone(), first.bound.clone()));
    let (value, threshold) = first.unwrap_or_default();
    Finding {
        key,
        version: of.version,
        kind: of.rule.kind.unwrap_or(AlertKind::Other),
        severity: of.rule.severity,
        owner: of.rule.owner.clone(),
        evidence: Evidence {
            rule: format!("{}@{}", of.name, of.version),
            value,
            threshold,
            terms: Some(seen),
        },
        basis,
        behind: None,
    }
}

fn escalated(rule: &NewAlertRule, day: Date, alert: &Live) -> Option<Escalated> {
    let wanted = rule.escalation.as_ref()?;
    let looked_after = alert.closed
        || alert.behind.is_some()
        || alert.assigned
        || alert.escalated
        || alert.snoozed_until.is_some_and(|until| day < until);
    if looked_after || day.days_since(alert.opened_on) < i64::from(wanted.after_days) {
        return None;
    }
    let severity = wanted.severity.unwrap_or(alert.severity).max(alert.severity);
    Some(Escalated { key: alert.key.clone(), severity, owner: wanted.owner.clone() })
}

#[cfg(test)]
mod tests;
