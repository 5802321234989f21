mod anew;
mod grades;
mod owing;
mod random;
mod rules;
mod together;

use super::*;
use crate::{
    Refusal,
    contract::{
        types::Language,
        warn::{RuleTerm, TermKind},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn rule(of: Value) -> AlertRule {
    let mut document = json!({
        "severity": "warning", "text": {"en": "t", "zh_cn": "t"}, "advice": {"en": "a", "zh_cn": "a"},
    });
    document.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    let rule: NewAlertRule = serde_json::from_value(document).unwrap();
    check("rule", &rule).unwrap();
    AlertRule { name: "rule".into(), version: 1, shipped: false, rule }
}

fn the_four() -> Vec<AlertRule> {
    let names = ["first-overdue", "grade-worse", "limit-near", "concentration"];
    let of = |name: &&str| shipped_version(name, 1).unwrap();
    names.iter().map(of).collect()
}

fn owed(currency: &str, outstanding_minor: i64, overdue_minor: i64) -> Owed {
    let currency = currency.parse().unwrap();
    Owed { currency, outstanding_minor, overdue_minor, book_minor: 0, book_customers: 0 }
}

fn somewhere() -> Position {
    Position::on(day("2024-06-30"))
}

/// `rule currency value > bound` of each finding.
fn shown(found: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| {
        let (rule, currency) = &finding.key;
        let currency = currency.map_or("-".to_string(), |currency| currency.to_string());
        let Evidence { value, threshold, .. } = &finding.evidence;
        format!("{rule} {currency} {value} > {threshold}")
    };
    found.iter().map(line).collect()
}

fn opened(finding: &Finding, on: Date) -> Live {
    Live {
        key: finding.key.clone(),
        evidence: finding.evidence.clone(),
        opened_on: on,
        severity: finding.severity,
        closed: false,
        assigned: false,
        snoozed_until: None,
        escalated: false,
        behind: finding.behind.clone(),
    }
}

/// What is there after a step.
fn after(step: &Transition, day: Date, live: &mut Vec<Live>, waiting: &mut Vec<(Key, Date)>) {
    live.retain(|alert| !step.ends(&alert.key));
    live.extend(step.to_open.iter().map(|finding| opened(finding, day)));
    for raised in &step.to_escalate {
        let alert = live.iter_mut().find(|alert| alert.key == raised.key).unwrap();
        (alert.escalated, alert.severity) = (true, raised.severity);
    }
    for (key, evidence) in &step.to_note {
        live.iter_mut().find(|alert| alert.key == *key).unwrap().evidence = evidence.clone();
    }
    for key in &step.to_take_up {
        live.iter_mut().find(|alert| alert.key == *key).unwrap().behind = None;
    }
    for (key, ahead) in &step.to_cover {
        live.iter_mut().find(|alert| alert.key == *key).unwrap().behind = Some(ahead.clone());
    }
    waiting.retain(|(key, _)| !step.to_forget.contains(key));
    waiting.extend(step.to_wait.iter().cloned());
}

/// Walks the days of a table, each line `state | what happens`, keeping what is there.
fn walk(rules: &[AlertRule], table: &str, mut position: impl FnMut(&str) -> Position) {
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (state, expected) = line.split_once('|').unwrap();
        let position = position(state.trim());
        let step = judge(rules, &position, &live, &waiting);
        let opens = shown(&step.to_open).into_iter().map(|opened| format!("open {opened}"));
        let ends = step.to_end.iter().map(|of| format!("close {}", of.key.0));
        let rises = step.to_escalate.iter().map(|of| format!("raise to {}", of.severity));
        let got: Vec<String> = opens.chain(ends).chain(rises).collect();
        assert_eq!(got.join("; "), expected.trim(), "{line}");
        after(&step, position.day, &mut live, &mut waiting);
        let again = judge(rules, &position, &live, &waiting);
        assert_eq!(again, Transition::default(), "again: {line}");
    }
}

fn found(position: &Position) -> Vec<String> {
    shown(&judge(&the_four(), position, &[], &[]).to_open)
}

/// A position with one fact, `-` for not known.
fn with(fact: FactName, value: &str) -> Position {
    let facts = value.parse().ok().map(|value| (fact, value)).into_iter().collect();
    Position { facts, ..somewhere() }
}

#[test]
fn between_its_bounds_an_alert_stays_as_it_is() {
    let rule = rule(json!({"terms": [
        {"kind": "above", "fact": "irregularity", "bound": "20", "closing_bound": "10"},
    ]}));
    walk(
        &[rule],
        "
        20 |
        21 | open rule - 21 > 20
        15 |
        11 |
        25 |
        10 | close rule
        15 |
        21 | open rule - 21 > 20
        -  | close rule",
        |value| with(FactName::Irregularity, value),
    );
}

#[test]
fn terms_go_together_as_the_rule_says() {
    let terms = json!([
        {"kind": "above", "fact": "irregularity", "bound": "20"},
        {"kind": "below", "fact": "items-12m", "bound": "3"},
    ]);
    for (how, irregularity, items, opens) in [
        ("all", 21, 2, true),
        ("all", 21, 3, false),
        ("all", 20, 2, false),
        ("any", 20, 2, true),
        ("any", 21, 3, true),
        ("any", 20, 3, false),
    ] {
        let facts = [(FactName::Irregularity, irregularity), (FactName::Items12m, items)];
        let facts = facts.into_iter().map(|(name, value)| (name, Decimal::from(value))).collect();
        let rules = [rule(json!({"terms": terms, "term_match": how}))];
        let step = judge(&rules, &Position { facts, ..somewhere() }, &[], &[]);
        assert_eq!(!step.to_open.is_empty(), opens, "{how} {irregularity} {items}");
    }
}

#[test]
fn a_rule_may_wait_for_days_in_a_row() {
    let rule = rule(json!({"holds_days": 2, "terms": [
        {"kind": "above", "fact": "irregularity", "bound": "20"},
    ]}));
    walk(
        &[rule],
        "
        2024-06-01 21 |
        2024-06-02 21 |
        2024-06-03 20 |
        2024-06-04 21 |
        2024-06-05 21 |
        2024-06-06 21 | open rule - 21 > 20
        2024-06-07 20 | close rule",
        |words| {
            let (on, value) = words.split_once(' ').unwrap();
            Position { day: day(on), ..with(FactName::Irregularity, value) }
        },
    );
}

#[test]
fn an_event_counts_for_so_many_days() {
    let rule = rule(json!({"terms": [{"kind": "event", "event": "payment-returned", "days": 3}]}));
    walk(
        &[rule],
        "
        2024-06-10 | open rule - 2024-06-10 > 2024-06-08
        2024-06-12 |
        2024-06-13 | close rule",
        |on| {
            let events = [(WatchedEvent::PaymentReturned, day("2024-06-10"))].into();
            Position { events, ..Position::on(day(on)) }
        },
    );
}

/// A customer whose days late were those values every 28 days, and are the last one now.
fn history(values: &[i64]) -> Position {
    let fact = FactName::DaysBeyondTerms3m;
    let (now, former) = values.split_last().unwrap();
    let mut position = with(fact, &now.to_string());
    let ago = |at: usize| i64::try_from(former.len() - at).unwrap() * -SAMPLE_DAYS;
    let sample = |(at, value): (usize, &i64)| Sample {
        day: position.day.plus_days(ago(at)).unwrap(),
        values: [(fact, Decimal::from(*value))].into(),
    };
    position.samples = former.iter().enumerate().map(sample).collect();
    position
}

#[test]
fn a_fact_is_compared_with_the_customers_own_past() {
    // kind, bound and what else; the values every 28 days, the last one now; what is found.
    let table = r#"
        rise    10 "days": 28                  | 5 5 16       | 16 > 10 before 5
        rise    10 "days": 28                  | 5 5 15       |
        rise    10 "days": 56                  | 5 30 16      | 16 > 10 before 5
        rise    10 "days": 57                  | 5 30 16      |
        fall    10 "days": 28                  | 30 19        | 19 > 10 before 30
        trend   4 "least": 3                   | 0 5 10 15    | 5.3571 > 4 before -
        trend   4 "least": 5                   | 0 5 10 15    |
        trend   4 "least": 3                   | 15 10 5 0    |
        trend   4 "least": 3                   | 7 7 7 7      |
        anomaly 3 "least": 4                   | 2 4 2 4 8    | 8 > 3 before 3
        anomaly 3 "least": 4                   | 2 4 2 4 7    |
        anomaly 3 "least": 4                   | 2 4 2 100 12 | 12 > 3 before 3
        anomaly 3 "least": 4, "spread": "5"    | 3 3 3 3 18   |
        anomaly 3 "least": 4, "spread": "5"    | 3 3 3 3 19   | 19 > 3 before 3
        anomaly 3 "least": 5                   | 3 3 3 3 19   |"#;
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let mut words = parts[0].splitn(3, ' ').map(str::trim).collect::<Vec<_>>();
        words.retain(|word| !word.is_empty());
        let words: Vec<&str> = parts[0].split_whitespace().collect();
        let more = words[2..].join(" ");
        let term = format!(
            r#"{{"kind": "{}", "fact": "days-beyond-terms-3m", "bound": "{}", {more}}}"#,
            words[0], words[1]
        );
        let term: Value = serde_json::from_str(&term).unwrap();
        let values: Vec<i64> =
            parts[1].split_whitespace().map(|value| value.parse().unwrap()).collect();
        let found = judge(&[rule(json!({"terms": [term]}))], &history(&values), &[], &[]).to_open;
        let told = |finding: &Finding| {
            let Evidence { value, threshold, terms, .. } = &finding.evidence;
            let before = terms.iter().flatten().find_map(|seen| seen.before.clone());
            format!("{value} > {threshold} before {}", before.unwrap_or("-".into()))
        };
        assert_eq!(found.iter().map(told).collect::<String>(), parts[2], "{line}");
    }
}

#[test]
fn samples_are_kept_every_four_weeks_for_a_year() {
    let wanted = [FactName::Irregularity].into();
    let facts: Values =
        [(FactName::Irregularity, Decimal::ONE), (FactName::Items12m, Decimal::TEN)].into();
    let mut samples: Vec<Sample> = Vec::new();
    let mut kept = Vec::new();
    for number in 0..500 {
        let on = day("2023-01-01").plus_days(number).unwrap();
        if let Some(more) = add_sample(&samples, on, &facts, &wanted) {
            samples = more;
            kept.push(number);
        }
        assert_eq!(add_sample(&samples, on, &facts, &wanted), None, "the same day again");
    }
    assert_eq!(kept[..3], [0, 28, 56]);
    assert_eq!((kept.len(), samples.len()), (18, SAMPLES));
    assert!(samples.iter().all(|sample| sample.values.len() == 1), "only what rules compare");
    assert_eq!(add_sample(&[], day("2023-01-01"), &facts, &[FactName::Utilisation].into()), None);
}

#[test]
fn what_nobody_takes_care_of_is_raised_once() {
    let rule = rule(json!({
        "terms": [{"kind": "above", "fact": "irregularity", "bound": "20"}],
        "escalation": {"after_days": 7, "severity": "critical", "owner": "head of credit"},
    }));
    walk(
        std::slice::from_ref(&rule),
        "
        2024-06-01 | open rule - 21 > 20
        2024-06-07 |
        2024-06-08 | raise to critical
        2024-06-09 |",
        |on| Position { day: day(on), ..with(FactName::Irregularity, "21") },
    );
    let position = Position { day: day("2024-06-20"), ..with(FactName::Irregularity, "21") };
    let finding = judge(std::slice::from_ref(&rule), &position, &[], &[]).to_open.remove(0);
    let open = opened(&finding, day("2024-06-01"));
    let cases = [
        (open.clone(), 1),
        (Live { assigned: true, ..open.clone() }, 0),
        (Live { closed: true, ..open.clone() }, 0),
        (Live { snoozed_until: Some(day("2024-06-21")), ..open.clone() }, 0),
        (Live { snoozed_until: Some(day("2024-06-20")), ..open.clone() }, 1),
        (Live { escalated: true, ..open.clone() }, 0),
    ];
    for (alert, raised) in cases {
        let step = judge(std::slice::from_ref(&rule), &position, std::slice::from_ref(&alert), &[]);
        assert_eq!(step.to_escalate.len(), raised, "{alert:?}");
    }
}

#[test]
fn what_was_closed_by_hand_comes_back_only_after_its_reason_has_gone() {
    let rules =
        [rule(json!({"terms": [{"kind": "above", "fact": "irregularity", "bound": "20"}]}))];
    let bad = with(FactName::Irregularity, "21");
    let finding = judge(&rules, &bad, &[], &[]).to_open.remove(0);
    let closed = Live { closed: true, ..opened(&finding, bad.day) };
    assert_eq!(judge(&rules, &bad, std::slice::from_ref(&closed), &[]), Transition::default());
    let good = judge(&rules, &with(FactName::Irregularity, "20"), &[closed], &[]);
    assert_eq!(good.to_end.len(), 1);
}

#[test]
fn a_rule_out_of_use_closes_what_it_opened() {
    let mut of = rule(json!({"terms": [{"kind": "above", "fact": "irregularity", "bound": "20"}]}));
    let bad = with(FactName::Irregularity, "21");
    let finding = judge(std::slice::from_ref(&of), &bad, &[], &[]).to_open.remove(0);
    let open = opened(&finding, bad.day);
    of.rule.disabled = Some(true);
    for rules in [vec![], vec![of]] {
        let step = judge(&rules, &bad, std::slice::from_ref(&open), &[]);
        let out = Ending { key: open.key.clone(), why: EndingReason::OutOfUse, basis: None };
        assert_eq!(step.to_end, [out]);
        assert_eq!(step.to_open, []);
    }
}
