//! Whatever the position is.

use super::*;

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
