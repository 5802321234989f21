//! Alerts whose reason happens again: another happening is another reason, also of what somebody closed.

use super::*;

/// Walks the states of a table, `state | what closes and opens`; `by-hand` closes what is open.
fn told(of: &AlertRule, table: &str, mut position: impl FnMut(&str) -> Position) {
    let rules = std::slice::from_ref(of);
    for by_hand in [false, true] {
        let (mut live, mut waiting) = (Vec::new(), Vec::new());
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let (state, expected) = line.split_once('|').unwrap();
            let position = position(state.trim());
            let step = judge(rules, &position, &live, &waiting);
            let ends = step.to_end.iter().map(|of| format!("close {}", of.why));
            let opens = step.to_open.iter().map(|of| format!("open {}", of.evidence.value));
            let found: Vec<String> = ends.chain(opens).collect();
            assert_eq!(found.join(" "), expected.trim(), "{line}, closed by hand: {by_hand}");
            for of in &step.to_open {
                let there = live.iter().find(|alert: &&Live| alert.key == of.key);
                let again = again(&rules[0], &of.key, &of.basis, there);
                assert_eq!(again.to_open.len(), 1, "{line}");
            }
            after(&step, position.day, &mut live, &mut waiting);
            assert_eq!(judge(rules, &position, &live, &waiting), Transition::default(), "{line}");
            live.iter_mut().for_each(|alert| alert.closed = by_hand);
        }
    }
}

#[test]
fn an_event_that_happens_again_later_is_told_anew() {
    let of = rule(json!({"terms": [{"kind": "event", "event": "bank-changed", "days": 30}]}));
    told(
        &of,
        "
        -          |
        2024-06-10 | open 2024-06-10
        2024-06-10 |
        2024-06-11 | close told-anew open 2024-06-11
        2024-06-10 |
        2024-06-11 |
        2024-06-30 | close told-anew open 2024-06-30
        2024-05-31 | close reason-gone",
        |on| Position {
            events: on.parse().ok().map(|on| (WatchedEvent::BankChanged, on)).into_iter().collect(),
            ..somewhere()
        },
    );
}

#[test]
fn a_count_of_happenings_is_told_anew_when_it_grows_also_after_it_was_less() {
    let of = |fact| rule(json!({"terms": [{"kind": "above", "fact": fact, "bound": "0"}]}));
    let table = "
        0 |
        1 | open 1
        1 |
        2 | close told-anew open 2
        3 | close told-anew open 3
        1 |
        2 | close told-anew open 2
        1 |
        0 | close reason-gone
        1 | open 1";
    for fact in ["defaults-open", "public-record-events-12m", "returned-payments-12m"] {
        let of = of(fact);
        told(&of, table, |value| with(of.rule.terms[0].fact.unwrap(), value));
    }
    // How much of something there is, is one reason however it moves.
    let of = of("days-beyond-terms-12m");
    let table = "
        1 | open 1
        9 |
        0 | close reason-gone";
    told(&of, table, |value| with(FactName::DaysBeyondTerms12m, value));
}

#[test]
fn the_next_end_and_the_next_lapse_are_told_anew() {
    let ends =
        rule(json!({"terms": [{"kind": "below", "fact": "days-to-contract-end", "bound": "31"}]}));
    told(
        &ends,
        "
        31 |
        30 | open 30
        29 |
        2  |
        28 | close told-anew open 28
        28 |
        0  |
        30 | close told-anew open 30
        31 | close reason-gone",
        |value| with(FactName::DaysToContractEnd, value),
    );
    let lapsed = rule(
        json!({"terms": [{"kind": "above", "fact": "days-since-contract-lapsed", "bound": "0"}]}),
    );
    told(
        &lapsed,
        "
        0  |
        1  | open 1
        2  |
        31 |
        1  | close told-anew open 1
        9  |
        -  | close reason-gone",
        |value| with(FactName::DaysSinceContractLapsed, value),
    );
}

#[test]
fn an_order_larger_by_half_than_the_large_one_is_told_anew() {
    let of = shipped().into_iter().find(|of| of.name == "sudden-demand").unwrap();
    told(
        &of,
        "
        3.5   | open 3.5
        3.4   |
        5.24  |
        5.25  | close told-anew open 5.25
        3.5   |
        90    | close told-anew open 90
        1     | close reason-gone",
        |value| with(FactName::OrderSizeSpike, value),
    );
}

#[test]
fn a_term_that_comes_to_those_that_held_is_told_anew_where_it_is_a_happening() {
    let of = rule(json!({"term_match": "any", "terms": [
        {"kind": "above", "fact": "items-12m", "bound": "0"},
        {"kind": "event", "event": "payment-returned"},
        {"kind": "above", "fact": "defaults-open", "bound": "0"},
        {"kind": "above", "fact": "irregularity", "bound": "0"},
    ]}));
    told(
        &of,
        "
        i   | open 1
        iv  |
        ie  | close told-anew open 1
        iev |
        i   |
        id  | close told-anew open 1
        ide | close told-anew open 1
        -   | close reason-gone",
        |state| {
            let facts = [
                ('i', FactName::Items12m),
                ('d', FactName::DefaultsOpen),
                ('v', FactName::Irregularity),
            ];
            let there = facts.into_iter().filter(|(letter, _)| state.contains(*letter));
            let event =
                state.contains('e').then(|| (WatchedEvent::PaymentReturned, day("2024-06-20")));
            Position {
                facts: there.map(|(_, of)| (of, Decimal::ONE)).collect(),
                events: event.into_iter().collect(),
                ..somewhere()
            }
        },
    );
}
