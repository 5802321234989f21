//! The card, held to tables and to what holds for all facts.
#![allow(clippy::arithmetic_side_effects)]

use super::*;
use proptest::prelude::*;

fn card(facts: &Facts) -> ScoreCard {
    Card::default().card(facts, Language::En)
}

/// The facts that the tables name, in their order.
const NAMES: [FactName; 8] = [
    FactName::DaysBeyondTerms12m,
    FactName::DaysBeyondTerms3m,
    FactName::DaysBeyondTerms9mBefore,
    FactName::ShareLate0Amount,
    FactName::WorstDaysLate12m,
    FactName::OverdueShare,
    FactName::Utilisation,
    FactName::Items12m,
];

fn facts_of(values: &[(FactName, Option<Decimal>)]) -> Facts {
    let mut facts = Facts::none(&"C-1".parse().unwrap(), "2024-03-31".parse().unwrap());
    for (name, value) in values {
        facts.set(*name, *value);
    }
    facts
}

fn none() -> Facts {
    facts_of(&[(FactName::Items12m, Some(12.into()))])
}

/// Facts from `dbt recent before late worst overdue used items`, `-` where not known.
fn facts(line: &str) -> Facts {
    let known = |word: &str| (word != "-").then(|| word.parse::<Decimal>().unwrap());
    let values: Vec<_> = NAMES.into_iter().zip(line.split_whitespace().map(known)).collect();
    assert_eq!(values.len(), NAMES.len(), "{line}");
    facts_of(&values)
}

/// Each line: facts, `|`, score, grade, reasons as `code:points`.
fn check(table: &str) {
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (given, expected) = line.split_once('|').unwrap();
        let card = card(&facts(given));
        let shown = |value: Option<String>| value.unwrap_or("-".to_string());
        let mut got = vec![
            shown(card.score.map(|score| score.to_string())),
            shown(card.grade.map(|grade| grade.to_string())),
        ];
        got.extend(card.reasons.iter().map(|reason| match reason.points {
            Some(points) => format!("{}:{points}", reason.code),
            None => reason.code.to_string(),
        }));
        assert_eq!(got, expected.split_whitespace().collect::<Vec<_>>(), "{line}");
    }
}

#[test]
fn what_would_raise_the_score_most_comes_first_and_what_costs_nothing_not_at_all() {
    let of = |values: &[(FactName, &str)]| {
        let mut facts = Facts::none(&"C".parse().unwrap(), "2024-06-30".parse().unwrap());
        for (name, value) in values {
            facts.set(*name, value.parse().ok());
        }
        let card = card(&facts);
        let line = |of: &Improvement| format!("{} {} {}", of.name, of.score, of.grade);
        (card.score, card.improvements.iter().map(line).collect::<Vec<_>>())
    };
    let prompt = [(FactName::DaysBeyondTerms12m, "0"), (FactName::OverdueShare, "0")];
    assert_eq!(of(&prompt).1, Vec::<String>::new());
    let late = [
        (FactName::DaysBeyondTerms12m, "30"),
        (FactName::OverdueShare, "0.5"),
        (FactName::Utilisation, "0.9"),
        (FactName::WorstDaysLate12m, "5"),
    ];
    let (score, better) = of(&late);
    assert_eq!(score.unwrap().to_string(), "58.1");
    assert_eq!(better, ["payment-index 71.3 B", "overdue-share 70.6 B", "utilisation 64.4 C"]);
}

#[test]
fn the_payment_index_is_a_line_between_its_anchors() {
    let table = "
        -400 100    -31 100    -30 100    -29 99.33   -1 80.67
        0 80        1 79.33    14 70.67   15 70       16 68.57
        21 61.43    22 60      23 58.75   29 51.25    30 50
        31 49.67    59 40.33   60 40      61 39.67    89 30.33
        90 30       91 29.67   119 20.33  120 20      121 19.67
        179 0.33    180 0      181 0      99999 0     0.5 79.67";
    let words: Vec<&str> = table.split_whitespace().collect();
    for pair in words.chunks(2) {
        let rule = &shipped().indicators[0];
        let share = line(rule.anchors.as_deref().unwrap(), pair[0].parse().unwrap());
        let index = round(share * Decimal::ONE_HUNDRED, 2).normalize();
        assert_eq!(index.to_string(), pair[1], "{} days", pair[0]);
    }
}

#[test]
fn each_indicator_follows_its_anchors() {
    let table = "
        share-late      0 15     0.01 14.85   0.5 7.5     0.99 0.15   1 0      1.5 0
        worst-lateness  0 15     1 14.8       29 9.2      30 9        31 8.85  59 4.65
        worst-lateness  60 4.5   61 4.43      119 0.08    120 0       121 0    9999 0
        overdue-share   0 20     0.01 19.8    0.5 10      1 0         1.1 0    0.25 15
        utilisation     0 10     0.49 10      0.5 10      0.51 9.88   0.9 5    0.91 4.83
        utilisation     1 3.33   1.19 0.17    1.2 0       1.21 0      10 0     -1 10
        trend           -9 5     0 5          1 4.83      29 0.17     30 0     31 0";
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words[1..].chunks(2) {
            let value: Decimal = pair[0].parse().unwrap();
            let mut facts = none();
            let shipped = shipped();
            let rule = shipped.indicators.iter().find(|rule| rule.name == words[0]).unwrap();
            let before = if rule.less.is_some() { Decimal::TEN } else { Decimal::ZERO };
            facts.set(FactName::DaysBeyondTerms9mBefore, Some(before));
            facts.set(rule.fact, Some(before + value));
            let card = card(&facts);
            let shown = card.indicators.iter().find(|shown| shown.name == words[0]).unwrap();
            let points = shown.points.unwrap().normalize().to_string();
            assert_eq!(points, pair[1], "{line} at {value}");
        }
    }
}

#[test]
fn the_weights_of_the_shipped_card_sum_to_one_hundred() {
    assert_eq!(shipped().indicators.iter().map(|rule| rule.weight).sum::<u32>(), 100);
}

#[test]
fn a_band_holds_from_its_bound_up_to_the_next() {
    let bands: Vec<Anchor> = [("0", "1"), ("10", "0.5"), ("30", "0")]
        .map(|(at, share)| Anchor { at: at.parse().unwrap(), share: share.parse().unwrap() })
        .into();
    for (value, share) in [
        ("-5", "1"),
        ("0", "1"),
        ("9.99", "1"),
        ("10", "0.5"),
        ("29", "0.5"),
        ("30", "0"),
        ("99", "0"),
    ] {
        assert_eq!(step(&bands, value.parse().unwrap()).to_string(), share, "{value}");
    }
    let mut card = Card::default();
    card.document.indicators.truncate(1);
    card.document.indicators[0].anchors = None;
    card.document.indicators[0].bands = Some(bands);
    let score = |days: &str| card.judge(&facts(&format!("{days} - - - - - - 9"))).unwrap().score;
    assert_eq!((score("5").to_string(), score("12").to_string()), ("100.0".into(), "50.0".into()));
}

#[test]
fn what_moved_is_told_with_what_was_seen_and_given() {
    let (was, now) = (facts("0 - - 0 0 0.5 - 9"), facts("30 - - 0 0 - 1.2 9"));
    let card = Card::default();
    let moved = card.moved(&now, Some((&card, &was)), Language::En);
    let told: Vec<String> = moved
        .iter()
        .map(|of| {
            let shown = |value: Option<Decimal>| value.map_or("-".into(), |of| of.to_string());
            let before = format!("{} {}", shown(of.value_before), shown(of.points_before));
            format!("{} {before} > {} {}", of.name, shown(of.value), shown(of.points))
        })
        .collect();
    assert_eq!(
        told,
        [
            "payment-index 0 28.00 > 30 17.50",
            "overdue-share 0.5 10.00 > - -",
            "utilisation - - > 1.2 0.00",
        ]
    );
    let texts: Vec<&str> = moved.iter().map(|of| of.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Paid 30 days beyond terms on average over 12 months, weighted by amount. Before: Paid 0 days beyond terms \
             on average over 12 months, weighted by amount. It gives 17.5 points instead of 28.",
            "Not known any more. Before: 50 % of what is unpaid now is past due. It gave 10 points; now its weight is left out.",
            "120 % of the credit limit is used. Before: Not known. It gives 0 points; before, its weight was left out.",
        ]
    );
    let texts: Vec<String> = card
        .moved(&now, Some((&card, &was)), Language::ZhCn)
        .into_iter()
        .map(|of| of.text)
        .collect();
    assert_eq!(
        texts,
        [
            "近 12 个月按金额加权平均超过账期 30 天付款。此前：近 12 个月按金额加权平均超过账期 0 天付款。得分由 28 变为 17.5。",
            "目前没有数据。此前：目前未付款项中有 50% 已逾期。此前得 10 分，现该项权重不计入。",
            "信用额度已使用 120%。此前：没有数据。现得 0 分，此前该项权重不计入。",
        ]
    );
    assert_eq!(card.moved(&now, Some((&card, &now)), Language::En), []);
    let mut other = Card::default();
    other.document.indicators[3].name = "arrears".into();
    let names: Vec<String> = other
        .moved(&was, Some((&card, &was)), Language::En)
        .into_iter()
        .map(|of| of.name)
        .collect();
    assert_eq!(names, ["arrears", "overdue-share"], "another card has other indicators");
    // What a card does not have is not unknown.
    for (language, told) in [
        (
            Language::En,
            [
                "50 % of what is unpaid now is past due. Before: The card did not have this. It gives 10 points; before, its \
                 weight was left out.",
                "The card does not have this any more. Before: 50 % of what is unpaid now is past due. It gave 10 points; now \
                 its weight is left out.",
            ],
        ),
        (
            Language::ZhCn,
            [
                "目前未付款项中有 50% 已逾期。此前：评分卡原无此项。现得 10 分，此前该项权重不计入。",
                "评分卡不再包含此项。此前：目前未付款项中有 50% 已逾期。此前得 10 分，现该项权重不计入。",
            ],
        ),
    ] {
        let moved = other.moved(&was, Some((&card, &was)), language).into_iter();
        assert_eq!(moved.map(|of| of.text).collect::<Vec<_>>(), told);
    }
    let first = card.moved(&was, None, Language::En).remove(0).text;
    assert!(first.contains("Before: Not known."), "{first}");
}

#[test]
fn customers_stand_where_their_habits_put_them() {
    // dbt recent before late worst overdue used invoices
    check(
        "
        -30 -30 -30 0    0   0    0.2  40 | 100.0 A
        0   0   0   0    0   0    0.3  40 | 93.0  A
        2   2   2   0.2  10  0    0.3  40 | 87.5  A  often-late:3.0 once-very-late:2.0
        6   6   6   0.5  20  0.1  0.3  40 | 78.1  B  often-late:7.5 once-very-late:4.0 overdue-now:2.0
        15  15  15  1    15  0.5  0.3  40 | 61.5  C  often-late:15.0 pays-beyond-terms:10.5 overdue-now:10.0 once-very-late:3.0
        60  60  60  1    75  0.6  0.7  40 | 37.9  D  pays-beyond-terms:21.0 often-late:15.0 overdue-now:12.0 once-very-late:11.6 limit-used:2.5
        120 120 120 1    200 0.9  1.2  40 | 14.0  E  pays-beyond-terms:28.0 overdue-now:18.0 often-late:15.0 once-very-late:15.0 limit-used:10.0
        20  40  5   0.6  50  0.3  0.6  40 | 56.8  C  pays-beyond-terms:13.0 often-late:9.0 once-very-late:9.0 overdue-now:6.0 getting-worse:5.0",
    );
}

#[test]
fn what_is_not_known_leaves_its_weight_out() {
    check(
        "
        -   -   -   -    -   -    -    0  | -     -  thin-file
        -   -   -   -    -   -    -    40 | -     -
        0   -   -   -    -   -    -    40 | 80.0  B
        -   -   -   -    -   0    -    40 | -     -
        -   9   -   -    -   0    0.1  40 | -     -
        -   -   -   -    -   -    1    40 | -     -
        -   -   -   -    -   0.5  -    40 | 50.0  C  overdue-now:50.0
        -   -   -   -    -   1    1    40 | 11.1  E  overdue-now:66.7 limit-used:22.2",
    );
}

#[test]
fn a_thin_file_is_said_and_never_costs_a_point() {
    check(
        "
        0   -   -   0    0   0    -    2  | 91.8  A  thin-file
        0   -   -   0    0   0    -    3  | 91.8  A
        30  -   -   1    30  1    -    1  | 31.2  D  overdue-now:23.5 pays-beyond-terms:20.6 often-late:17.6 once-very-late:7.1 thin-file",
    );
}

#[test]
fn paying_early_before_and_on_the_day_now_is_not_getting_worse() {
    let card = card(&facts("0 0 -40 0 0 0 0 40"));
    assert_eq!(card.reasons, []);
}

#[test]
fn a_limit_of_zero_is_used_up_by_the_first_unit_owed() {
    for (owed, limit, used) in [
        (0, 0, "0"),
        (1, 0, "10"),
        (0, 100, "0"),
        (50, 100, "0.5"),
        (1, 3, "0.3333"),
        (100, 100, "1"),
        (999, 100, "9.99"),
        (5000, 100, "10"),
        (i64::MAX, 1, "10"),
        (-5, 0, "0"),
    ] {
        assert_eq!(utilisation(owed, limit).normalize().to_string(), used, "{owed}/{limit}");
    }
}

#[test]
fn a_batch_keeps_its_order_and_its_bound() {
    let with = |id: usize| Facts { customer_id: format!("C-{id}").parse().unwrap(), ..none() };
    let batch: Vec<Facts> = (0..=MAX_BATCH).map(with).collect();
    assert!(matches!(Card::default().score_batch(&batch, Language::En), Err(Error::BatchTooLarge)));
    let cards = Card::default().score_batch(&batch[1..], Language::En).unwrap();
    assert_eq!(cards.len(), MAX_BATCH);
    assert!(cards.iter().zip(&batch[1..]).all(|(card, facts)| card.facts == *facts));
    assert_eq!(cards[0].model, "card@1");
}

fn decimal(range: std::ops::Range<i64>, scale: u32) -> impl Strategy<Value = Option<Decimal>> {
    proptest::option::of(range.prop_map(move |number| Decimal::new(number, scale)))
}

prop_compose! {
    fn any_facts()(
        days in decimal(-50_000..250_000, 3),
        recent in decimal(-50_000..250_000, 3),
        before in decimal(-50_000..250_000, 3),
        late in decimal(0..10_001, 4),
        worst in decimal(0..400, 0),
        overdue in decimal(0..10_001, 4),
        used in decimal(0..20_000, 4),
        items in 0u32..6,
    ) -> Facts {
        let values = [days, recent, before, late, worst, overdue, used, Some(items.into())];
        facts_of(&NAMES.into_iter().zip(values).collect::<Vec<_>>())
    }
}

proptest! {
    #[test]
    fn every_point_of_the_score_is_accounted_for(facts in any_facts()) {
        let card = card(&facts);
        let known = || card.indicators.iter().filter(|shown| shown.points.is_some());
        let points: Decimal = known().filter_map(|shown| shown.points).sum();
        let most: Decimal = known().map(|shown| shown.max_points).sum();
        let sum = (!most.is_zero()).then(|| round(points * Decimal::ONE_HUNDRED / most, 1));
        prop_assert!(card.score.is_none() || card.score == sum);
        let standing = Card::default().judge(&facts);
        prop_assert_eq!(standing.map(|of| (of.score, of.grade)), card.score.zip(card.grade));
        prop_assert_eq!(standing.map(|of| of.notch), card.notch);
        let points = known().filter_map(|of| Some((of.name.as_str(), of.points?))).collect::<Vec<_>>();
        let shipped = Card::default();
        prop_assert_eq!(shipped.points(&facts), points);
        for shown in &card.indicators {
            prop_assert_eq!(shown.points.is_some(), shown.value.is_some());
            prop_assert!(shown.points.is_none_or(|p| p >= Decimal::ZERO && p <= shown.max_points));
        }
    }

    #[test]
    fn reasons_come_most_points_first_and_never_exceed_the_loss(facts in any_facts()) {
        let card = Card::default().card(&facts, Language::ZhCn);
        let points: Vec<Decimal> = card.reasons.iter().filter_map(|reason| reason.points).collect();
        prop_assert!(points.windows(2).all(|pair| pair[0] >= pair[1]));
        prop_assert!(points.iter().all(|points| *points >= Decimal::from(REASON_FROM_POINTS)));
        let lost = card.score.map_or(Decimal::ZERO, |score| Decimal::ONE_HUNDRED - score);
        prop_assert!(points.iter().sum::<Decimal>() <= lost + Decimal::ONE);
    }

    /// The lateness before is the yardstick of the trend, not a fact that gets worse by itself.
    #[test]
    fn a_worse_fact_never_raises_the_score(facts in any_facts(), worse in 1i64..2_000_000, which in 0usize..6) {
        let (name, scale) = [
            (FactName::DaysBeyondTerms12m, 4), (FactName::DaysBeyondTerms3m, 4),
            (FactName::ShareLate0Amount, 6), (FactName::WorstDaysLate12m, 0),
            (FactName::OverdueShare, 6), (FactName::Utilisation, 6),
        ][which];
        let mut after = facts.clone();
        after.set(name, facts.get(name).map(|value| value + Decimal::new(worse, scale)));
        let judge = |facts| Card::default().judge(facts);
        if let (Some(after), Some(before)) = (judge(&after), judge(&facts)) {
            prop_assert!(after.score <= before.score);
            prop_assert!((after.grade, after.notch) >= (before.grade, before.notch));
        }
    }

    #[test]
    fn no_fact_however_large_breaks_a_card(digits in any::<i128>(), scale in 0u32..28) {
        let value = Decimal::from_i128_with_scale(digits >> 32, scale);
        let values = [value, value, -value, value, Decimal::MAX, value, value, value];
        let facts = facts_of(&NAMES.into_iter().zip(values.map(Some)).collect::<Vec<_>>());
        let score = card(&facts).score.unwrap();
        prop_assert!(score >= Decimal::ZERO && score <= Decimal::ONE_HUNDRED);
    }
}
