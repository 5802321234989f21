//! All that a rule looks at, as it is kept with what came of it, and the decision taken again from that.

use super::{Key, Live, Owed, Position, Sample, Transition, Values, judge, rule, term};
use crate::{
    Currency, Date, Money,
    contract::{
        score::{Fact, FactName},
        warn::{AlertBasis, AlertRule, EventDay, FactSample, OwedInBook, RuleTerm, TermKind},
    },
};

/// What the rule looks at of where a customer stands.
pub(super) fn basis(
    of: &AlertRule,
    position: &Position,
    currency: Option<Currency>,
    since: Option<Date>,
) -> AlertBasis {
    let terms = &of.rule.terms;
    let any = |kinds: &[TermKind]| terms.iter().any(|term| kinds.contains(&term.kind));
    let facts = |values: &Values| {
        let looks_at = |of: &RuleTerm, name: FactName| match of.kind {
            TermKind::LimitUsed => name == FactName::Utilisation,
            _ => of.fact == Some(name),
        };
        let wanted = values.iter().filter(|(name, _)| terms.iter().any(|of| looks_at(of, **name)));
        wanted.map(|(name, value)| Fact { name: *name, value: *value }).collect::<Vec<_>>()
    };
    let looks_back = rule::looks_back(&of.rule);
    let samples = term::samples(position).filter(|_| looks_back);
    let samples = samples.map(|of| FactSample { day: of.day, facts: facts(&of.values) });
    let events = position
        .events
        .iter()
        .filter(|(event, _)| terms.iter().any(|of| of.event == Some(**event)));
    let newly = any(&[TermKind::NewlyOverdue]);
    let graded = any(&[TermKind::GradeWorse, TermKind::NotchWorse]);
    let owed = position.owed.iter().filter(|of| newly || Some(of.currency) == currency);
    AlertBasis {
        rule: format!("{}@{}", of.name, of.version),
        day: position.day,
        facts: facts(&position.facts),
        samples: samples.collect(),
        events: events.map(|(event, day)| EventDay { event: *event, day: *day }).collect(),
        overdue_before: newly.then_some(position.overdue_before),
        grade_before: position.grade_before.filter(|_| graded),
        grade_now: position.grade_now.filter(|_| graded),
        notch_before: position.notch_before.filter(|_| graded),
        notch_now: position.notch_now.filter(|_| graded),
        notches: position.notches.filter(|_| graded),
        limit: position.limit.filter(|_| any(&[TermKind::LimitUsed])),
        owed: owed.map(in_book).collect(),
        since,
        former: None,
    }
}

fn in_book(of: &Owed) -> OwedInBook {
    OwedInBook {
        outstanding: Money::new(of.outstanding_minor, of.currency),
        overdue_minor: of.overdue_minor,
        book_minor: of.book_minor,
        book_customers: of.book_customers,
    }
}

/// Where the customer stood, as far as the rule looked.
fn position(basis: &AlertBasis) -> Position {
    let values = |facts: &[Fact]| facts.iter().map(|fact| (fact.name, fact.value)).collect();
    let sample = |of: &FactSample| Sample { day: of.day, values: values(&of.facts) };
    let owed = |of: &OwedInBook| Owed {
        currency: of.outstanding.currency,
        outstanding_minor: of.outstanding.minor,
        overdue_minor: of.overdue_minor,
        book_minor: of.book_minor,
        book_customers: of.book_customers,
    };
    Position {
        day: basis.day,
        facts: values(&basis.facts),
        samples: basis.samples.iter().map(sample).collect(),
        events: basis.events.iter().map(|of| (of.event, of.day)).collect(),
        overdue_before: basis.overdue_before.unwrap_or(false),
        grade_before: basis.grade_before,
        grade_now: basis.grade_now,
        notch_before: basis.notch_before,
        notch_now: basis.notch_now,
        notches: basis.notches,
        limit: basis.limit,
        owed: basis.owed.iter().map(owed).collect(),
    }
}

/// Judges again by what was kept: the rule in the version that decided, and the alert that was there, if one was.
pub fn again(of: &AlertRule, key: &Key, basis: &AlertBasis, there: Option<&Live>) -> Transition {
    let told = basis.former.as_ref().map(|former| Live {
        key: key.clone(),
        evidence: former.evidence.clone(),
        opened_on: basis.day,
        severity: former.severity,
        closed: false,
        assigned: false,
        snoozed_until: None,
        escalated: false,
        behind: None,
    });
    let live: Vec<Live> = there.cloned().or(told).into_iter().collect();
    let waiting: Vec<(Key, Date)> = basis.since.map(|on| (key.clone(), on)).into_iter().collect();
    judge(std::slice::from_ref(of), &position(basis), &live, &waiting)
}
