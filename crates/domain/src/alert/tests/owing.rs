//! Alerts of what is owed, overdue and near a limit.

use super::*;

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
