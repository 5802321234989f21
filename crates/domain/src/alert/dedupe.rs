//! Which of the alerts with the same dedupe key is open: the gravest, and of equals the one that was there first.

use super::{Key, Live, Transition};
use crate::contract::warn::{AlertRule, Severity};
use std::cmp::Reverse;

/// An alert that is there after a step, and how it stood before.
struct Standing {
    key: Key,
    severity: Severity,
    was: Was,
}

/// In the order in which equals go before each other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Was {
    Open,
    Closed,
    Behind(Key),
    Nothing,
}

/// Has the gravest of each dedupe key open and the others behind it.
pub(super) fn arrange(rules: &[AlertRule], live: &[Live], step: &mut Transition) {
    let keyed = |key: &Key| {
        let rule = rules.iter().find(|of| of.name == key.0);
        rule.and_then(|of| of.rule.dedupe_key.clone())
    };
    let mut standing = standing(live, step);
    standing.sort_by(|one, other| {
        (Reverse(one.severity), &one.was, &one.key).cmp(&(
            Reverse(other.severity),
            &other.was,
            &other.key,
        ))
    });
    let mut first: Vec<(String, Key, bool)> = Vec::new();
    for Standing { key, was, .. } in standing {
        let dedupe = keyed(&key);
        let ahead = |of: &dyn Fn(&Key, bool) -> bool| {
            let found = first.iter().find(|(of_key, other, closed)| {
                dedupe.as_ref() == Some(of_key) && together(&key, other) && of(other, *closed)
            });
            found.map(|(_, other, _)| other.clone())
        };
        // What somebody closed keeps those behind it that stood there, and tells of no other.
        let ahead = ahead(&|other, closed| closed && was == Was::Behind(other.clone()))
            .or_else(|| ahead(&|_, closed| !closed));
        let closed = was == Was::Closed;
        match (was, &ahead) {
            (Was::Open, Some(ahead)) => step.to_cover.push((key.clone(), ahead.clone())),
            (Was::Behind(before), Some(ahead)) if before != *ahead => {
                step.to_cover.push((key.clone(), ahead.clone()));
            }
            (Was::Behind(_), None) => step.to_take_up.push(key.clone()),
            (Was::Nothing, Some(ahead)) => cover(step, &key, ahead),
            (Was::Open | Was::Closed | Was::Behind(_) | Was::Nothing, _) => {}
        }
        if let (true, Some(dedupe)) = (closed || ahead.is_none(), dedupe) {
            first.push((dedupe, key, closed));
        }
    }
}

/// What is there after the step: what was and does not end, and what opens.
fn standing(live: &[Live], step: &Transition) -> Vec<Standing> {
    let stays = live.iter().filter(|alert| !step.ends(&alert.key)).map(|alert| {
        let raised = step.to_escalate.iter().find(|of| of.key == alert.key);
        let was = match &alert.behind {
            _ if alert.closed => Was::Closed,
            Some(by) => Was::Behind(by.clone()),
            None => Was::Open,
        };
        let severity = raised.map_or(alert.severity, |of| of.severity);
        Standing { key: alert.key.clone(), severity, was }
    });
    let opens = step.to_open.iter().map(|finding| Standing {
        key: finding.key.clone(),
        severity: finding.severity,
        was: Was::Nothing,
    });
    stays.chain(opens).collect()
}

/// Alerts of two currencies stand apart; one without a currency stands with any.
pub(super) fn together(one: &Key, other: &Key) -> bool {
    one.1 == other.1 || one.1.is_none() || other.1.is_none()
}

fn cover(step: &mut Transition, key: &Key, ahead: &Key) {
    if let Some(finding) = step.to_open.iter_mut().find(|finding| finding.key == *key) {
        finding.behind = Some(ahead.clone());
    }
}
