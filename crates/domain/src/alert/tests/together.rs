//! Alerts that stand for each other.

use super::*;

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
fn what_was_closed_by_hand_keeps_behind_it_what_stood_there_and_nothing_that_begins_later() {
    let rules = [
        one_of("a", "warning", "items-12m", "k"),
        one_of("b", "warning", "irregularity", "k"),
        one_of("c", "serious", "trend-slope", "k"),
        one_of("d", "info", "days-to-pay-12m", "k"),
    ];
    let facts = |names: &str| {
        let of = |of: &&AlertRule| names.contains(&of.name);
        let facts =
            rules.iter().filter(of).map(|of| (of.rule.terms[0].fact.unwrap(), Decimal::ONE));
        Position { facts: facts.collect(), ..somewhere() }
    };
    // `a` is open with `d` behind it, and somebody closes it. Of each step: what is open, closed, and behind which.
    let table = "
        ad   | -a d<a
        abd  | -a b d<a
        abd  | -a b d<a
        ad   | -a d<a
        abcd | -a b<c c d<a
        abd  | -a b d<a
        a    | -a
        ad   | -a d
        d    | d";
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    after(&judge(&rules, &facts("ad"), &[], &[]), somewhere().day, &mut live, &mut waiting);
    live.iter_mut().filter(|of| of.key.0 == "a").for_each(|of| of.closed = true);
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (there, expected) = line.split_once('|').unwrap();
        let step = judge(&rules, &facts(there), &live, &waiting);
        after(&step, somewhere().day, &mut live, &mut waiting);
        let shown = |of: &Live| match &of.behind {
            Some(ahead) => format!("{}<{}", of.key.0, ahead.0),
            None if of.closed => format!("-{}", of.key.0),
            None => of.key.0.clone(),
        };
        let mut found: Vec<String> = live.iter().map(shown).collect();
        found.sort();
        assert_eq!(found.join(" "), expected.trim(), "{line}");
        assert_eq!(judge(&rules, &facts(there), &live, &waiting), Transition::default(), "{line}");
    }
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
