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

#[test]
fn first_overdue_opens_once_and_closes_when_nothing_is_past_due() {
    let mut before = 0;
    walk(
        &the_four(),
        "
        0   |
        100 | open first-overdue - CNY 1.00 > 0
        100 |
        900 |
        0   | close first-overdue
        0   |
        50  | open first-overdue - CNY 0.50 > 0
        0   | close first-overdue",
        |overdue| {
            let overdue = overdue.parse().unwrap();
            let position = Position {
                overdue_before: before > 0,
                owed: vec![owed("CNY", 1_000, overdue)],
                ..somewhere()
            };
            before = overdue;
            position
        },
    );
}

fn found(position: &Position) -> Vec<String> {
    shown(&judge(&the_four(), position, &[], &[]).to_open)
}

#[test]
fn a_debt_that_was_overdue_before_the_first_alert_is_not_first() {
    let owed = vec![owed("CNY", 100, 100)];
    let position = Position { overdue_before: true, owed, ..somewhere() };
    assert_eq!(found(&position), Vec::<String>::new());
}

#[test]
fn first_overdue_is_one_alert_over_all_currencies() {
    let owed = vec![owed("CNY", 500, 100), owed("JPY", 9, 9), owed("USD", 500, 0)];
    let position = Position { owed, ..somewhere() };
    assert_eq!(found(&position), ["first-overdue - CNY 1.00, JPY 9 > 0"]);
}

#[test]
fn a_worse_grade_stays_open_until_the_grade_it_fell_from_is_back() {
    let mut before = None;
    walk(
        &the_four(),
        "
        - |
        B |
        B |
        A |
        C | open grade-worse - C > A
        C |
        B |
        D | open grade-worse - D > A; close grade-worse
        A | close grade-worse
        B | open grade-worse - B > A
        - | close grade-worse
        E |
        D |
        E | open grade-worse - E > D
        C | close grade-worse",
        |grade| {
            let now = grade.parse().ok();
            let position = Position { grade_before: before, grade_now: now, ..somewhere() };
            before = now;
            position
        },
    );
}

#[test]
fn a_limit_is_near_beyond_ninety_percent_and_not_at_it() {
    // outstanding, limit, what is found
    let table = "
        0      0      -
        1      0      limit-near CNY 10 > 0.9
        8999   10000  -
        9000   10000  -
        9001   10000  limit-near CNY 0.9001 > 0.9
        900001 1000000 limit-near CNY 0.9001 > 0.9
        10000  10000  limit-near CNY 1 > 0.9
        12500  10000  limit-near CNY 1.25 > 0.9
        999999 10     limit-near CNY 10 > 0.9
        5000   -      -";
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let cny: Currency = "CNY".parse().unwrap();
        let limit = words[1].parse().ok().map(|minor| Money::new(minor, cny));
        let other = owed("USD", 1_000_000_000, 0);
        let owed = vec![owed("CNY", words[0].parse().unwrap(), 0), other];
        let found = found(&Position { limit, owed, ..somewhere() });
        let expected = words[2..].join(" ");
        assert_eq!(found.join("; "), expected.trim_start_matches('-'), "{line}");
    }
}

#[test]
fn a_limit_is_used_by_what_is_owed_in_every_currency_and_without_a_rate_by_its_own() {
    // owed in the currency of the limit, the fact `utilisation`, what is found
    let table = "
        -      0.9    -
        -      0.9001 limit-near CNY 0.9001 > 0.9
        8999   0.9    -
        8999   0.9001 limit-near CNY 0.9001 > 0.9
        9001   0.9001 limit-near CNY 0.9001 > 0.9
        9001   1.25   limit-near CNY 1.25 > 0.9
        9000   -      -
        9001   -      limit-near CNY 0.9001 > 0.9
        900001 0.9    limit-near CNY 10 > 0.9";
    let limit = Some(Money::new(10_000, "CNY".parse().unwrap()));
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut position = Position { limit, owed: vec![owed("USD", 9, 0)], ..somewhere() };
        position.owed.extend(words[0].parse().ok().map(|minor| owed("CNY", minor, 0)));
        let used = words[1].parse::<Decimal>().ok();
        position.facts.extend(used.map(|used| (FactName::Utilisation, used)));
        let step = judge(&the_four(), &position, &[], &[]);
        let expected = words[2..].join(" ");
        let found = shown(&step.to_open).join("; ");
        assert_eq!(found, expected.trim_start_matches('-'), "{line}");
        for finding in &step.to_open {
            let rule = shipped_version("limit-near", 1).unwrap();
            let later = again(&rule, &finding.key, &finding.basis, None);
            assert_eq!(later.to_open, std::slice::from_ref(finding), "from what was kept: {line}");
        }
    }
}

#[test]
fn a_concentration_is_beyond_a_fifth_of_a_book_of_five() {
    // outstanding, book, customers owing, what is found
    let table = "
        200  1000 5  -
        201  1000 5  concentration CNY 0.201 > 0.2
        201  1000 4  -
        1000 1000 1  -
        1000 1000 5  concentration CNY 1 > 0.2
        0    0    5  -
        0    1000 9  -";
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let owed = vec![Owed {
            book_minor: words[1].parse().unwrap(),
            book_customers: words[2].parse().unwrap(),
            ..owed("CNY", words[0].parse().unwrap(), 0)
        }];
        let found = found(&Position { owed, ..somewhere() });
        let expected = words[3..].join(" ");
        assert_eq!(found.join("; "), expected.trim_start_matches('-'), "{line}");
    }
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

#[test]
fn a_rule_names_the_field_that_is_wrong() {
    let good = json!({
        "severity": "serious", "terms": [{"kind": "above", "fact": "irregularity", "bound": "20"}],
        "text": {"en": "{value}", "zh_cn": "{value%}"}, "advice": {"en": "a", "zh_cn": "a"},
    });
    let terms = |term: Value| json!({"terms": [term]});
    let above = good["terms"][0].clone();
    let cases = [
        (json!({}), None),
        (json!({"owner": ""}), Some((Refusal::MissingField, "owner"))),
        (json!({"dedupe_key": "paying"}), None),
        (json!({"dedupe_key": ""}), Some((Refusal::MalformedField, "dedupe_key"))),
        (json!({"dedupe_key": "Paying late"}), Some((Refusal::MalformedField, "dedupe_key"))),
        (json!({"terms": []}), Some((Refusal::MissingField, "terms"))),
        (
            terms(json!({"kind": "above", "bound": "1"})),
            Some((Refusal::MissingField, "terms[0].fact")),
        ),
        (
            terms(json!({"kind": "above", "fact": "irregularity"})),
            Some((Refusal::MissingField, "terms[0].bound")),
        ),
        (
            terms(json!({"kind": "newly-overdue", "bound": "1"})),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (terms(json!({"kind": "event"})), Some((Refusal::MissingField, "terms[0].event"))),
        (
            terms(json!({"kind": "event", "event": "dispute-opened", "days": 0})),
            Some((Refusal::MalformedField, "terms[0].days")),
        ),
        (
            terms(
                json!({"kind": "above", "fact": "irregularity", "bound": "1", "closing_bound": "2"}),
            ),
            Some((Refusal::MalformedField, "terms[0].closing_bound")),
        ),
        (
            terms(
                json!({"kind": "below", "fact": "irregularity", "bound": "1", "closing_bound": "2"}),
            ),
            None,
        ),
        (
            terms(json!({"kind": "anomaly", "fact": "irregularity", "bound": "3", "spread": "0"})),
            Some((Refusal::MalformedField, "terms[0].spread")),
        ),
        (
            terms(json!({"kind": "limit-used", "bound": "-1"})),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"terms": [{"kind": "limit-used", "bound": "1"}, {"kind": "book-share", "bound": "1"}]}),
            Some((Refusal::MalformedField, "terms")),
        ),
        (json!({"holds_days": 366}), Some((Refusal::MalformedField, "holds_days"))),
        (
            json!({"holds_days": 1, "terms": [above.clone(), {"kind": "newly-overdue"}]}),
            Some((Refusal::MalformedField, "holds_days")),
        ),
        (
            json!({"holds_days": 1, "term_match": "any", "terms": [above, {"kind": "grade-worse"}]}),
            None,
        ),
        (
            json!({"terms": [{"kind": "grade-worse", "bound": "0"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"terms": [{"kind": "grade-worse", "bound": "5"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"terms": [{"kind": "notch-worse", "bound": "1.5"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (json!({"terms": [{"kind": "notch-worse", "bound": "14"}]}), None),
        (
            json!({"terms": [{"kind": "limit-used", "bound": "1", "closing_bound": "-0.1"}]}),
            Some((Refusal::MalformedField, "terms[0].closing_bound")),
        ),
        (
            json!({"terms": [{"kind": "anomaly", "fact": "irregularity", "bound": "-1"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"escalation": {"after_days": 0}}),
            Some((Refusal::MalformedField, "escalation.after_days")),
        ),
        (
            json!({"escalation": {"after_days": 1, "severity": "info"}}),
            Some((Refusal::MalformedField, "escalation.severity")),
        ),
        (
            json!({"text": {"en": "{name}", "zh_cn": "a"}}),
            Some((Refusal::MalformedField, "text.en")),
        ),
        (
            json!({"advice": {"en": "a", "zh_cn": ""}}),
            Some((Refusal::MissingField, "advice.zh_cn")),
        ),
    ];
    for (change, expected) in cases {
        let mut document = good.clone();
        document.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let rule: NewAlertRule = serde_json::from_value(document).unwrap();
        let refused = check("rule", &rule).err();
        let found = refused.as_ref().map(|of| (of.code, of.field.as_deref().unwrap_or_default()));
        assert_eq!(found, expected, "{change}");
    }
    let rule: NewAlertRule = serde_json::from_value(good).unwrap();
    for name in ["", "Rule", "a b", &"a".repeat(65)] {
        assert_eq!(check(name, &rule).unwrap_err().code, Refusal::MalformedId, "{name}");
    }
}

#[test]
fn every_shipped_rule_is_one_that_could_be_sent() {
    let text = include_str!("shipped.json");
    let all: Vec<AlertRule> = serde_json::from_str(text).unwrap();
    for of in &all {
        check(&of.name, &of.rule).unwrap();
        assert!(of.shipped && of.rule.kind.is_some(), "{}", of.name);
        assert_eq!(shipped_version(&of.name, of.version).as_ref(), Some(of));
        for words in [&of.rule.text, &of.rule.advice] {
            assert!(!words.zh_cn.is_ascii() && words.en.is_ascii(), "{}", of.name);
        }
    }
    let in_force = shipped();
    assert!(in_force.windows(2).all(|pair| pair[0].name < pair[1].name));
    for kind in AlertKind::ALL {
        let none_yet = *kind == AlertKind::Other;
        let found = in_force.iter().any(|of| of.rule.kind == Some(*kind));
        assert_eq!(found, !none_yet, "{kind}");
    }
}

#[test]
fn one_day_is_not_many_in_whatever_rule_says_so() {
    let said = |of: &AlertRule, value: &str, language| {
        let before = TermSeen {
            term: 1,
            name: "of".into(),
            value: value.into(),
            bound: "9".into(),
            closes_at: "9".into(),
            before: Some("5".into()),
            before_on: None,
            distance: None,
        };
        let evidence = Evidence {
            rule: "r@1".into(),
            value: value.into(),
            threshold: "9".into(),
            terms: Some(vec![before]),
        };
        text(&of.rule, &evidence, None, language)
    };
    let mut seen = 0;
    for of in shipped() {
        let words = of.rule.text.en.replace("{before}", "5");
        if !words.contains("{value} days") && !words.contains("{value} more days") {
            continue;
        }
        seen += 1;
        for value in ["0", "2", "11", "21"] {
            assert_eq!(said(&of, value, Language::En), words.replace("{value}", value));
        }
        let one = words
            .replace("{value}", "1")
            .replace("1 days", "1 day")
            .replace("more days", "more day");
        for value in ["1", "1.4", "0.6"] {
            assert_eq!(said(&of, value, Language::En), one, "{}", of.name);
        }
        let chinese = of.rule.text.zh_cn.replace("{before}", "5").replace("{value}", "1");
        assert_eq!(said(&of, "1", Language::ZhCn), chinese);
    }
    assert!(seen > 5, "{seen}");
    let own = |words: &str| {
        let terms = json!([{"kind": "above", "fact": "items-12m", "bound": "0"}]);
        said(
            &rule(json!({"terms": terms, "text": {"en": words, "zh_cn": "无"}})),
            "1",
            Language::En,
        )
    };
    assert_eq!(own("{value} days."), "1 day.");
    assert_eq!(own("{value} daystars, {value} items"), "1 daystars, 1 items");
    assert_eq!(own("{value}1 days"), "11 days");
}

#[test]
fn each_alert_says_why_and_what_to_do_in_both_languages() {
    let told = |name: &str, value: &str, threshold: &str, language| {
        let evidence = Evidence {
            rule: "r@1".into(),
            value: value.into(),
            threshold: threshold.into(),
            terms: None,
        };
        let rule = shipped().into_iter().find(|of| of.name == name).unwrap().rule;
        let currency = "CNY".parse().ok();
        let text = text(&rule, &evidence, currency, language);
        format!("{text} / {}", advice(&rule, &evidence, currency, language))
    };
    let table = "
        first-overdue | CNY 1250.00, EUR 3.05 | 0 | Newly past due: CNY 1,250.00, EUR 3.05. Nothing was past due before. / Ask the customer now whether the invoice is in order and when it will be paid.
        grade-worse | D | B | The grade fell from B to D. / See the reasons of the score, and review limit and terms before taking new orders.
        grade-slipped | B2 | A3 | The grade slipped from A3 to B2. / See the reasons of the score: what moved stands in its history.
        trend-worse | 12.1414 | 12 | Pays 12 days later in the last 3 months than in the 9 before. / Agree on a date for what is overdue, and review the terms.
        trend-worse | 12.1414 | 12 | 近 3 个月付款比之前 9 个月平均晚 12 天。 / 请就逾期款项约定付款日，并复核账期。
        sudden-demand | 3.2658 | 3 | The largest invoice of the last 30 days is 3.27 times the usual one. / Ask what the order is for, and check the limit before delivering more.
        accounts-in-distress | 1.2283 | 1.23 | By its latest accounts it is in distress: Altman's Z' is 1.228, the bound is 1.23. / Ask for newer accounts or for security.
        contact-changed | 2024-03-01 | 2024-02-01 | The contacts changed on 2024-03-01. / Confirm the new contact by a way that was known before.
        overdue-long | 0.666666 | 0.25 | 66.7 % of what it owes is more than 30 days past due and not contested. / Escalate the reminders and hold new orders. What is contested waits for its answer.
        limit-near | 0.9001 | 0.9 | 90.01 % of the limit in CNY is used; the bound is 90 %. / Ask for payment, or review the limit before the next order.
        limit-near | 0.9051 | 0.9 | 90.5 % of the limit in CNY is used; the bound is 90 %. / Ask for payment, or review the limit before the next order.
        first-overdue | CNY 1250.00, EUR 3.05 | 0 | 新出现逾期：人民币 1,250.00 元、3.05 欧元，此前没有逾期款项。 / 请立即联系客户，确认账单是否无误以及何时付款。
        limit-exceeded | 1.25 | 1 | CNY 信用额度已超限，使用 125%。额度为零时按十倍计。 / 请暂停新订单，或催收、调整额度。";
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split('|').map(str::trim).collect();
        let language = if words[3].is_ascii() { Language::En } else { Language::ZhCn };
        assert_eq!(told(words[0], words[1], words[2], language), words[3]);
    }
}

#[test]
fn parts_of_grades_are_counted_over_letters_and_a_fall_lasts_until_it_is_made_good() {
    // `before now, parts` of one sweep after another.
    let table = "
        B1 B2 3 | -
        A3 B2 3 | open B2 > A3
        B2 B3 3 |
        B3 A3 3 | close
        A1 B1 1 | -
        A1 C1 1 | open C1 > A1
        C1 A2 3 | 
        -  A1 3 | close
        -  E3 3 | -";
    let rules = [rule(json!({"terms": [{"kind": "notch-worse", "bound": "2"}]}))];
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (script, expected) = line.split_once('|').unwrap();
        let words: Vec<&str> = script.split_whitespace().collect();
        let part = |word: &str| {
            (
                word.get(..1).and_then(|of| of.parse().ok()),
                word.get(1..).and_then(|of| of.parse().ok()),
            )
        };
        let ((grade_before, notch_before), (grade_now, notch_now)) =
            (part(words[0]), part(words[1]));
        let notches = words[2].parse().ok();
        let position =
            Position { grade_before, notch_before, grade_now, notch_now, notches, ..somewhere() };
        let step = judge(&rules, &position, &live, &waiting);
        let opened = shown(&step.to_open).into_iter().map(|of| of.replace("rule -", "open"));
        let found: Vec<String> =
            opened.chain(step.to_end.iter().map(|_| "close".to_string())).collect();
        let expected = expected.trim().trim_matches('-');
        assert_eq!(found.join(" "), expected, "{line}");
        after(&step, position.day, &mut live, &mut waiting);
    }
}

#[test]
fn what_is_overdue_for_long_opens_beyond_its_share_and_closes_when_nothing_is() {
    // The share that is more than 30 days past due, and the one of more than 90.
    let table = "
        0.25   0.1  | -
        0.2501 0.1  | open overdue-long
        0.02   0.11 | open overdue-very-long
        0.0001 0.01 |
        0      0.01 | close overdue-long
        0      0    | close overdue-very-long
        0.25   0.1  | -";
    let names = ["overdue-long", "overdue-very-long"];
    let rules: Vec<AlertRule> =
        shipped().into_iter().filter(|of| names.contains(&of.name.as_str())).collect();
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (shares, expected) = line.split_once('|').unwrap();
        let mut shares = shares.split_whitespace().map(|of| of.parse().unwrap());
        let facts = [FactName::OverdueShareOver30, FactName::OverdueShareOver90];
        let facts = facts.into_iter().map(|name| (name, shares.next().unwrap())).collect();
        let step = judge(&rules, &Position { facts, ..somewhere() }, &live, &waiting);
        let opens = step.to_open.iter().map(|of| format!("open {}", of.key.0));
        let ends = step.to_end.iter().map(|of| format!("close {}", of.key.0));
        let found: Vec<String> = opens.chain(ends).collect();
        assert_eq!(found.join(" "), expected.trim().trim_matches('-'), "{line}");
        after(&step, somewhere().day, &mut live, &mut waiting);
    }
}

#[test]
fn a_grade_that_fell_is_told_anew_when_it_falls_again_and_not_when_another_card_judges() {
    // `before now` of one sweep after another; where another card judges there is nothing before.
    let table = "
        A1 C1 | open C open C1
        -  E3 |
        E3 E3 |
        E2 E3 | close open E3
        D3 E3 | close open E
        E3 B1 |
        B1 C1 |
        C1 E1 |
        E1 A1 | close close";
    let rules = ["grade-worse", "notch-worse"].map(|kind| {
        let of = rule(json!({"terms": [{"kind": kind, "bound": "1"}]}));
        AlertRule { name: kind.into(), ..of }
    });
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (script, expected) = line.split_once('|').unwrap();
        let part = |word: &str| {
            (
                word.get(..1).and_then(|of| of.parse().ok()),
                word.get(1..).and_then(|of| of.parse().ok()),
            )
        };
        let parts: Vec<_> = script.split_whitespace().map(part).collect();
        let [(grade_before, notch_before), (grade_now, notch_now)] = parts[..] else { panic!() };
        let notches = Some(3);
        let position =
            Position { grade_before, notch_before, grade_now, notch_now, notches, ..somewhere() };
        let step = judge(&rules, &position, &live, &waiting);
        let ends = step.to_end.iter().map(|_| "close".to_string());
        let opens = step.to_open.iter().map(|of| format!("open {}", of.evidence.value));
        let found: Vec<String> = ends.chain(opens).collect();
        assert_eq!(found.join(" "), expected.trim(), "{line}");
        after(&step, position.day, &mut live, &mut waiting);
    }
}

/// A rule about one fact that is above zero, with a dedupe key unless it is `-`.
fn one_of(name: &str, severity: &str, fact: &str, key: &str) -> AlertRule {
    let mut of = rule(json!({
        "severity": severity, "terms": [{"kind": "above", "fact": fact, "bound": "0"}],
    }));
    of.rule.dedupe_key = Some(key.to_string()).filter(|key| key != "-");
    AlertRule { name: name.into(), ..of }
}

#[test]
fn of_alerts_with_the_same_key_the_gravest_is_open_and_the_others_stand_behind_it() {
    let rules = [
        one_of("a", "info", "items-12m", "k"),
        one_of("b", "warning", "irregularity", "k"),
        one_of("c", "serious", "trend-slope", "k"),
        one_of("d", "warning", "days-beyond-terms-3m", "k"),
        one_of("e", "info", "days-to-pay-12m", "-"),
    ];
    // Which of the facts are above zero; what is open and what stands behind it.
    let table = "
        a    | a
        ab   | b<a
        ab   | b<a
        abd  | b<a b<d
        abcd | c<a c<b c<d
        abc  | c<a c<b
        ab   | b<a
        a    | a
        ae   | a e
        ade  | d<a e
        abd  | d<a d<b
        bc   | c<b
        -    |";
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (there, expected) = line.split_once('|').unwrap();
        let facts = rules.iter().map(|of| {
            (of.rule.terms[0].fact.unwrap(), Decimal::from(u8::from(there.contains(&of.name))))
        });
        let position = Position { facts: facts.collect(), ..somewhere() };
        let step = judge(&rules, &position, &live, &waiting);
        after(&step, position.day, &mut live, &mut waiting);
        let alone = |key: &Key| !live.iter().any(|of| of.behind.as_ref() == Some(key));
        let mut found: Vec<String> = live
            .iter()
            .filter_map(|of| match &of.behind {
                Some(ahead) => Some(format!("{}<{}", ahead.0, of.key.0)),
                None => alone(&of.key).then(|| of.key.0.clone()),
            })
            .collect();
        found.sort();
        assert_eq!(found.join(" "), expected.trim(), "{line}");
        assert_eq!(judge(&rules, &position, &live, &waiting), Transition::default(), "{line}");
    }
}

#[test]
fn what_was_closed_by_hand_keeps_what_is_no_graver_behind_it() {
    let rules = [
        one_of("a", "warning", "items-12m", "k"),
        one_of("b", "warning", "irregularity", "k"),
        one_of("c", "serious", "trend-slope", "k"),
    ];
    let facts = |names: &str| {
        let of = |of: &&AlertRule| names.contains(&of.name);
        let facts =
            rules.iter().filter(of).map(|of| (of.rule.terms[0].fact.unwrap(), Decimal::ONE));
        Position { facts: facts.collect(), ..somewhere() }
    };
    let finding = judge(&rules, &facts("a"), &[], &[]).to_open.remove(0);
    let closed = Live { closed: true, ..opened(&finding, somewhere().day) };
    let live = std::slice::from_ref(&closed);
    let behind = |names: &str| {
        let step = judge(&rules, &facts(names), live, &[]);
        step.to_open.iter().map(|of| (of.key.0.clone(), of.behind.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(behind("ab"), [("b".to_string(), true)]);
    assert_eq!(behind("abc"), [("b".to_string(), true), ("c".to_string(), false)]);
    assert_eq!(behind("b"), [("b".to_string(), false)], "its reason is gone");
}

#[test]
fn alerts_of_two_currencies_stand_apart_and_one_without_stands_with_any() {
    let key = |code: Option<&str>| ("r".to_string(), code.map(|code| code.parse().unwrap()));
    let [eur, usd, none] = [key(Some("EUR")), key(Some("USD")), key(None)];
    for (one, other, expected) in
        [(&eur, &usd, false), (&eur, &eur, true), (&none, &usd, true), (&usd, &none, true)]
    {
        assert_eq!(dedupe::together(one, other), expected, "{one:?} {other:?}");
    }
}

prop_compose! {
    fn any_position()(
        ahead in 0i64..9,
        overdue_before in any::<bool>(),
        before in 0usize..6, now in 0usize..6,
        notches in (0u32..4, 1u32..4),
        limit in proptest::option::of(0i64..1_000),
        amounts in proptest::collection::vec((0i64..1_000, 0i64..3, 0i64..2_000, 0u32..8), 0..3),
        values in proptest::collection::vec(proptest::option::of(-5i64..15), 3),
        former in proptest::collection::vec(-5i64..15, 0..8),
        happened in proptest::collection::vec(proptest::option::of(0i64..60), 3),
    ) -> Position {
        let grade = |at: usize| Grade::ALL.get(at).copied();
        let currencies = ["CNY", "EUR", "JPY"];
        let owed = amounts.iter().zip(currencies).map(|((open, third, others, owing), code)| Owed {
            currency: code.parse().unwrap(),
            outstanding_minor: *open,
            overdue_minor: open * third / 3,
            book_minor: open + others,
            book_customers: *owing,
        });
        let facts = [FactName::DaysBeyondTerms3m, FactName::Irregularity, FactName::TrendSlope];
        let facts = facts.into_iter().zip(values);
        let events = [WatchedEvent::PaymentReturned, WatchedEvent::BankChanged, WatchedEvent::DisputeOpened];
        let at = day("2024-01-01").plus_days(ahead).unwrap();
        Position {
            day: at,
            facts: facts.filter_map(|(name, value)| Some((name, Decimal::from(value?)))).collect(),
            samples: history(&former.iter().copied().chain([0]).collect::<Vec<_>>()).samples,
            events: events.into_iter().zip(happened)
                .filter_map(|(event, ago)| Some((event, at.plus_days(-ago?).unwrap()))).collect(),
            overdue_before,
            grade_before: grade(before),
            grade_now: grade(now),
            notch_before: (notches.0 > 0).then_some(notches.0),
            notch_now: Some(notches.1),
            notches: Some(3),
            limit: limit.map(|minor| Money::new(minor, "CNY".parse().unwrap())),
            owed: owed.collect(),
        }
    }
}

/// One rule of each kind of term, beside those that ship.
fn all_kinds() -> Vec<AlertRule> {
    let fact = "days-beyond-terms-3m";
    let terms = json!([
        {"kind": "above", "fact": fact, "bound": "5", "closing_bound": "1"},
        {"kind": "below", "fact": fact, "bound": "1", "closing_bound": "5"},
        {"kind": "rise", "fact": fact, "bound": "4", "closing_bound": "2"},
        {"kind": "fall", "fact": fact, "bound": "4", "closing_bound": "2"},
        {"kind": "trend", "fact": fact, "bound": "1", "closing_bound": "0", "least": 3},
        {"kind": "anomaly", "fact": fact, "bound": "2", "closing_bound": "1", "least": 3},
        {"kind": "event", "event": "bank-changed"},
        {"kind": "newly-overdue"},
        {"kind": "grade-worse", "bound": "2"},
        {"kind": "notch-worse", "bound": "2"},
        {"kind": "limit-used", "bound": "0.8", "closing_bound": "0.5"},
        {"kind": "book-share", "bound": "0.5", "closing_bound": "0.3", "least": 2},
    ]);
    // What changed since the sweep before cannot be waited for.
    let waits = |at: usize| if (7..10).contains(&at) { 0 } else { at % 3 };
    let single = terms.as_array().unwrap().iter().enumerate().map(|(at, term)| AlertRule {
        name: format!("kind-{at}"),
        ..rule(json!({"terms": [term], "holds_days": waits(at), "escalation": {"after_days": 2, "severity": "critical"}}))
    });
    let pairs = ["all", "any"].map(|how| AlertRule {
        name: format!("pair-{how}"),
        ..rule(json!({"terms": [terms[0], terms[6], terms[10]], "term_match": how}))
    });
    single.chain(pairs).chain(shipped()).collect()
}

proptest! {
    #[test]
    fn the_same_position_twice_changes_nothing(days in proptest::collection::vec(any_position(), 1..12)) {
        let rules = all_kinds();
        let (mut live, mut waiting) = (Vec::new(), Vec::new());
        for position in &days {
            let step = judge(&rules, position, &live, &waiting);
            prop_assert!(step.to_end.iter().all(|of| live.iter().any(|alert: &Live| alert.key == of.key)));
            after(&step, position.day, &mut live, &mut waiting);
            let mut keys: Vec<&Key> = live.iter().map(|alert| &alert.key).collect();
            keys.sort();
            keys.dedup();
            prop_assert_eq!(keys.len(), live.len(), "at most one alert for each key");
            for of in live.iter().filter_map(|of| Some((of, of.behind.as_ref()?))) {
                let ahead = live.iter().find(|other| other.key == *of.1).unwrap();
                prop_assert!(ahead.behind.is_none() && ahead.severity >= of.0.severity);
            }
            prop_assert_eq!(judge(&rules, position, &live, &waiting), Transition::default());
        }
    }

    /// Whatever the value does between the two bounds, the alert stays what it was.
    #[test]
    fn nothing_flaps_between_the_bounds(open in any::<bool>(), values in proptest::collection::vec(11i64..=20, 1..20)) {
        let rules = [rule(json!({"terms": [
            {"kind": "above", "fact": "irregularity", "bound": "20", "closing_bound": "10"},
        ]}))];
        let start = with(FactName::Irregularity, if open { "21" } else { "10" });
        let (mut live, mut waiting) = (Vec::new(), Vec::new());
        after(&judge(&rules, &start, &[], &[]), start.day, &mut live, &mut waiting);
        prop_assert_eq!(live.len(), usize::from(open));
        for value in values {
            let position = with(FactName::Irregularity, &value.to_string());
            prop_assert_eq!(judge(&rules, &position, &live, &waiting), Transition::default());
        }
    }

    /// What was kept with an alert that opened or ended is enough to come to it again, and nothing of it is missing or
    /// beside the point: the second decision keeps the same.
    #[test]
    fn what_was_kept_gives_the_same_decision(days in proptest::collection::vec(any_position(), 1..12)) {
        let rules = all_kinds();
        let named = |key: &Key| rules.iter().find(|of| of.name == key.0).unwrap();
        let (mut live, mut waiting) = (Vec::new(), Vec::new());
        for position in &days {
            let step = judge(&rules, position, &live, &waiting);
            for finding in &step.to_open {
                let once_more = again(named(&finding.key), &finding.key, &finding.basis, None);
                let alone = Finding { behind: None, ..finding.clone() };
                prop_assert_eq!(&once_more.to_open, &[alone]);
            }
            for ending in &step.to_end {
                let there = live.iter().find(|alert: &&Live| alert.key == ending.key);
                let basis = ending.basis.as_ref().unwrap();
                let once_more = again(named(&ending.key), &ending.key, basis, there);
                prop_assert_eq!(&once_more.to_end, std::slice::from_ref(ending));
            }
            after(&step, position.day, &mut live, &mut waiting);
        }
    }

    /// What the terms of an alert saw was beyond the bound that the evidence names.
    #[test]
    fn evidence_is_beyond_its_bound(position in any_position()) {
        let rules = all_kinds();
        for finding in judge(&rules, &position, &[], &[]).to_open {
            let of = rules.iter().find(|of| of.name == finding.key.0).unwrap();
            for seen in finding.evidence.terms.iter().flatten() {
                let term: &RuleTerm = &of.rule.terms[seen.term as usize - 1];
                let number = |text: &str| text.parse::<Decimal>().unwrap();
                let (bound, before) = (|| number(&seen.bound), || number(seen.before.as_ref().unwrap()));
                let beyond = match term.kind {
                    TermKind::Above | TermKind::Trend | TermKind::LimitUsed | TermKind::BookShare => {
                        number(&seen.value) > bound()
                    }
                    TermKind::Below => number(&seen.value) < bound(),
                    TermKind::Rise => number(&seen.value) - before() > bound(),
                    TermKind::Fall => before() - number(&seen.value) > bound(),
                    TermKind::Anomaly => seen.distance.unwrap() > bound(),
                    TermKind::Event => day(&seen.value) >= day(&seen.bound),
                    TermKind::GradeWorse | TermKind::NotchWorse => seen.value > seen.bound,
                    TermKind::NewlyOverdue => seen.bound == "0",
                };
                prop_assert!(beyond, "{:?}", seen);
                let compared = matches!(term.kind, TermKind::Rise | TermKind::Fall);
                prop_assert_eq!(seen.before_on.is_some(), compared);
            }
        }
    }
}
