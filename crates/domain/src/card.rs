//! The untrained card: a score from facts of behaviour by weighted indicators, without a model to learn.
//!
//! Each indicator maps one fact on a share of its weight by straight lines between [`Anchor`]s. A fact that is not
//! known leaves its weight out, and what is known is scaled to 100: unknown is neither good nor bad. Points are
//! rounded to two decimals and the score to one, half away from zero, so that the points shown account for the score:
//! `score = 100 × Σ points / Σ max points of the known`. A fact that gets worse never raises the score.
//!
//! | indicator | weight | full at | half at | nothing at |
//! |---|---|---|---|---|
//! | payment index | 35 | 30 days early | 30 days beyond terms | 180 days beyond terms |
//! | share late | 15 | 0 % | 50 % | 100 % |
//! | worst lateness | 15 | 0 days | 40 days | 120 days |
//! | overdue share | 20 | 0 % | 50 % | 100 % |
//! | utilisation | 10 | 50 % and less | 90 % | 120 % |
//! | trend | 5 | no later than before | 15 days later | 30 days later |

use crate::{
    Decimal,
    contract::{
        score::{FactName, Facts, Indicator, IndicatorName, Reason, ReasonCode, ScoreCard},
        scorer::{Error, Scorer},
        types::{Grade, Language},
    },
    decimal::{fixed, ratio, round},
    grade, reason,
};

/// The name and version of this rule; any change of a table here makes a new version.
pub const MODEL: &str = "card@1";

/// The most facts in one batch: about 2 MB of them, well below what a component may hold.
pub const MAX_BATCH: usize = 5_000;

/// With fewer items than this in 12 months a card says that its file is thin. Three is the least that can show a
/// habit, not a chance.
pub const FULL_FILE_ITEMS: u32 = 3;

/// A reason is given when it took at least this many points out of 100 from what a blameless customer has: less is
/// not worth a sentence.
pub const REASON_FROM_POINTS: u32 = 2;

/// The most that a utilisation can be, so that a limit of zero has a finite one.
pub const MAX_UTILISATION: u32 = 10;

/// Decimals of a fact that count. Facts come from SQL with four.
const FACT_DECIMALS: u32 = 4;

/// A point of the line from a fact to the share of the weight: the fact in units of `10^-scale`, and percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor(pub i64, pub u32);

/// How one indicator turns a fact into points.
#[derive(Clone, Copy, Debug)]
pub struct Weight {
    /// Which one.
    pub name: IndicatorName,
    /// The most it gives. All weights sum to 100.
    pub max_points: u32,
    /// The decimals of the facts in `anchors`: 0 for days, 2 for shares.
    pub scale: u32,
    /// Ascending in the fact, falling in percent; beyond the ends the line is flat.
    pub anchors: &'static [Anchor],
    /// The percent that a customer without blame has: paying on the day is no reproach, though paying early is better.
    pub blameless: u32,
    /// What the loss is called.
    pub reason: ReasonCode,
}

/// The card. Lateness as a habit weighs most, then what is overdue now; use of the limit and trend round it off.
pub const WEIGHTS: [Weight; 6] = [
    Weight {
        name: IndicatorName::PaymentIndex,
        max_points: 35,
        scale: 0,
        anchors: &PAYMENT_INDEX,
        blameless: 80,
        reason: ReasonCode::PaysBeyondTerms,
    },
    Weight {
        name: IndicatorName::ShareLate,
        max_points: 15,
        scale: 2,
        anchors: &[Anchor(0, 100), Anchor(100, 0)],
        blameless: 100,
        reason: ReasonCode::OftenLate,
    },
    Weight {
        name: IndicatorName::WorstLateness,
        max_points: 15,
        scale: 0,
        anchors: &[Anchor(0, 100), Anchor(30, 60), Anchor(60, 30), Anchor(120, 0)],
        blameless: 100,
        reason: ReasonCode::OnceVeryLate,
    },
    Weight {
        name: IndicatorName::OverdueShare,
        max_points: 20,
        scale: 2,
        anchors: &[Anchor(0, 100), Anchor(100, 0)],
        blameless: 100,
        reason: ReasonCode::OverdueNow,
    },
    Weight {
        name: IndicatorName::Utilisation,
        max_points: 10,
        scale: 2,
        anchors: &[Anchor(50, 100), Anchor(90, 50), Anchor(120, 0)],
        blameless: 100,
        reason: ReasonCode::LimitUsed,
    },
    Weight {
        name: IndicatorName::Trend,
        max_points: 5,
        scale: 0,
        anchors: &[Anchor(0, 100), Anchor(30, 0)],
        blameless: 100,
        reason: ReasonCode::GettingWorse,
    },
];

/// The payment index of 0 to 100 by amount-weighted days beyond terms. 30 days early is a month ahead of terms, more
/// cannot be asked for; 180 days late is half a year, where the slope from 30 days on reaches zero by itself.
pub const PAYMENT_INDEX: [Anchor; 10] = [
    Anchor(-30, 100),
    Anchor(0, 80),
    Anchor(15, 70),
    Anchor(22, 60),
    Anchor(30, 50),
    Anchor(60, 40),
    Anchor(90, 30),
    Anchor(120, 20),
    Anchor(150, 10),
    Anchor(180, 0),
];

/// The card as a plug-in of the contract.
#[derive(Clone, Copy, Debug, Default)]
pub struct Card;

impl Scorer for Card {
    fn score_batch(&self, batch: &[Facts], language: Language) -> Result<Vec<ScoreCard>, Error> {
        if batch.len() > MAX_BATCH {
            return Err(Error::BatchTooLarge);
        }
        Ok(batch.iter().map(|facts| card(facts, language)).collect())
    }
}

/// The score and grade alone, without texts: what a sweep stores. `None` while nothing has fallen due: what is owed in
/// time, and how much of a limit it uses, say nothing of how somebody pays.
pub fn score(facts: &Facts) -> Option<(Decimal, Grade)> {
    let overdue = facts.get(FactName::OverdueShare).is_some_and(|share| share > Decimal::ZERO);
    if facts.get(FactName::DaysBeyondTerms12m).is_none() && !overdue {
        return None;
    }
    let score = total(&WEIGHTS.map(|weight| points(&weight, facts)))?;
    Some((score, grade::of(score)))
}

/// The whole card of one customer.
pub fn card(facts: &Facts, language: Language) -> ScoreCard {
    let score = score(facts);
    ScoreCard {
        customer_id: facts.customer_id.clone(),
        as_of: facts.as_of,
        score: score.map(|(score, _)| score),
        grade: score.map(|(_, grade)| grade),
        model: MODEL.to_string(),
        reasons: reasons(facts, language),
        indicators: WEIGHTS.iter().map(|weight| indicator(weight, facts)).collect(),
        facts: facts.clone(),
    }
}

/// The payment index of 0 to 100, at two decimals.
pub fn payment_index(days_beyond_terms: Decimal) -> Decimal {
    fixed(line(&PAYMENT_INDEX, 0, days_beyond_terms), 2)
}

/// What is outstanding over the limit, at four decimals and [`MAX_UTILISATION`] at most; with a limit of zero nothing
/// when nothing is owed and the most there is when something is.
pub fn utilisation(outstanding_minor: i64, limit_minor: i64) -> Decimal {
    let most = Decimal::from(MAX_UTILISATION);
    if outstanding_minor <= 0 {
        return Decimal::ZERO;
    }
    crate::decimal::share(outstanding_minor, limit_minor.max(0))
        .map_or(most, |share| share.min(most))
}

/// The fact that an indicator looks at. The trend is the growth of days beyond terms, what is within terms counting
/// as 0: paying on the day after years of paying early is not getting worse.
pub fn value(name: IndicatorName, facts: &Facts) -> Option<Decimal> {
    let value = match name {
        IndicatorName::PaymentIndex => facts.get(FactName::DaysBeyondTerms12m)?,
        IndicatorName::ShareLate => facts.get(FactName::ShareLate0Amount)?,
        IndicatorName::WorstLateness => facts.get(FactName::WorstDaysLate12m)?,
        IndicatorName::OverdueShare => facts.get(FactName::OverdueShare)?,
        IndicatorName::Utilisation => facts.get(FactName::Utilisation)?,
        IndicatorName::Trend => {
            let late = |days: Decimal| days.max(Decimal::ZERO);
            let before = late(facts.get(FactName::DaysBeyondTerms9mBefore)?);
            late(facts.get(FactName::DaysBeyondTerms3m)?).checked_sub(before)?
        }
    };
    Some(round(value, FACT_DECIMALS))
}

/// How many items the judgement rests on.
pub fn items(facts: &Facts) -> Decimal {
    facts.get(FactName::Items12m).unwrap_or_default()
}

fn points(weight: &Weight, facts: &Facts) -> Option<(Decimal, Decimal)> {
    let percent = line(weight.anchors, weight.scale, value(weight.name, facts)?);
    let max = Decimal::from(weight.max_points);
    let points = percent.checked_mul(max)?.checked_div(Decimal::ONE_HUNDRED)?;
    Some((fixed(points, 2), max))
}

fn indicator(weight: &Weight, facts: &Facts) -> Indicator {
    Indicator {
        name: weight.name,
        value: value(weight.name, facts).map(|value| value.normalize()),
        points: points(weight, facts).map(|(points, _)| points),
        max_points: Decimal::from(weight.max_points),
    }
}

/// The points over the most there were, out of 100.
fn total(known: &[Option<(Decimal, Decimal)>]) -> Option<Decimal> {
    let sum = |of: fn(&(Decimal, Decimal)) -> Decimal| {
        known.iter().flatten().map(of).try_fold(Decimal::ZERO, |sum, next| sum.checked_add(next))
    };
    out_of_100(sum(|(points, _)| *points)?, sum(|(_, max)| *max)?)
}

/// So many points of `most`, out of 100, at one decimal. `None` when there were none to have.
fn out_of_100(points: Decimal, most: Decimal) -> Option<Decimal> {
    ratio(points.checked_mul(Decimal::ONE_HUNDRED)?, most, 1).map(|points| fixed(points, 1))
}

/// The straight line between anchors, in percent; flat beyond the ends.
fn line(anchors: &[Anchor], scale: u32, value: Decimal) -> Decimal {
    let at = |anchor: &Anchor| (Decimal::new(anchor.0, scale), Decimal::from(anchor.1));
    let above = anchors.partition_point(|anchor| at(anchor).0 < value);
    let right = anchors.get(above).or(anchors.last()).map(at);
    let left = above.checked_sub(1).and_then(|below| anchors.get(below)).map(at).or(right);
    let (Some((x0, y0)), Some((x1, y1))) = (left, right) else { return Decimal::ZERO };
    let between = || {
        let run = value.checked_sub(x0)?.checked_mul(y1.checked_sub(y0)?)?;
        y0.checked_add(run.checked_div(x1.checked_sub(x0)?)?)
    };
    if x0 == x1 { y1 } else { between().unwrap_or(y1) }
}

/// What holds the score down: most points first, a thin file last.
fn reasons(facts: &Facts, language: Language) -> Vec<Reason> {
    let known: Vec<_> = WEIGHTS
        .iter()
        .filter_map(|weight| points(weight, facts).map(|(points, max)| (weight, points, max)))
        .collect();
    let all = Decimal::from(known.iter().map(|(weight, _, _)| weight.max_points).sum::<u32>());
    let mut reasons: Vec<Reason> = Vec::new();
    // Without a score there is nothing to hold down.
    let judged = score(facts).is_some();
    for (weight, points, max) in known.into_iter().filter(|_| judged) {
        let blameless = max.checked_mul(Decimal::new(i64::from(weight.blameless), 2));
        let blame = blameless.and_then(|most| out_of_100(most.checked_sub(points)?, all));
        let lost = max.checked_sub(points).and_then(|lost| out_of_100(lost, all));
        if blame.is_some_and(|blame| blame >= Decimal::from(REASON_FROM_POINTS)) {
            let text = reason::text(weight.reason, facts, language);
            reasons.push(Reason { code: weight.reason, text, points: lost });
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.points));
    if items(facts) < Decimal::from(FULL_FILE_ITEMS) {
        let text = reason::text(ReasonCode::ThinFile, facts, language);
        reasons.push(Reason { code: ReasonCode::ThinFile, text, points: None });
    }
    reasons
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            let card = card(&facts(given), Language::En);
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
            let index = payment_index(pair[0].parse().unwrap());
            assert_eq!(index.normalize().to_string(), pair[1], "{} days", pair[0]);
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
            let name: IndicatorName = words[0].parse().unwrap();
            for pair in words[1..].chunks(2) {
                let value: Decimal = pair[0].parse().unwrap();
                let mut facts = none();
                let fact = match name {
                    IndicatorName::ShareLate => FactName::ShareLate0Amount,
                    IndicatorName::WorstLateness => FactName::WorstDaysLate12m,
                    IndicatorName::OverdueShare => FactName::OverdueShare,
                    IndicatorName::Utilisation => FactName::Utilisation,
                    _ => FactName::DaysBeyondTerms3m,
                };
                let before = if name == IndicatorName::Trend { Decimal::TEN } else { value };
                facts.set(FactName::DaysBeyondTerms9mBefore, Some(before));
                facts.set(
                    fact,
                    Some(if name == IndicatorName::Trend { before + value } else { value }),
                );
                let card = card(&facts, Language::En);
                let shown = card.indicators.iter().find(|shown| shown.name == name).unwrap();
                let points = shown.points.unwrap().normalize().to_string();
                assert_eq!(points, pair[1], "{name} at {value}");
            }
        }
    }

    #[test]
    fn weights_sum_to_one_hundred_and_lines_only_fall() {
        assert_eq!(WEIGHTS.iter().map(|weight| weight.max_points).sum::<u32>(), 100);
        assert_eq!(WEIGHTS.map(|weight| weight.name), *IndicatorName::ALL);
        for weight in WEIGHTS {
            let falls = |pair: &[Anchor]| pair[0].0 < pair[1].0 && pair[0].1 > pair[1].1;
            assert!(weight.anchors.windows(2).all(falls), "{}", weight.name);
        }
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
        let card = card(&facts("0 0 -40 0 0 0 0 40"), Language::En);
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
        assert!(matches!(Card.score_batch(&batch, Language::En), Err(Error::BatchTooLarge)));
        let cards = Card.score_batch(&batch[1..], Language::En).unwrap();
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
            let card = card(&facts, Language::En);
            let known = || card.indicators.iter().filter(|shown| shown.points.is_some());
            let points: Decimal = known().filter_map(|shown| shown.points).sum();
            let most: Decimal = known().map(|shown| shown.max_points).sum();
            let sum = (!most.is_zero()).then(|| round(points * Decimal::ONE_HUNDRED / most, 1));
            prop_assert!(card.score.is_none() || card.score == sum);
            prop_assert_eq!(score(&facts), card.score.zip(card.grade));
            prop_assert_eq!(card.score.map(grade::of), card.grade);
            for shown in &card.indicators {
                prop_assert_eq!(shown.points.is_some(), shown.value.is_some());
                prop_assert!(shown.points.is_none_or(|p| p >= Decimal::ZERO && p <= shown.max_points));
            }
        }

        #[test]
        fn reasons_come_most_points_first_and_never_exceed_the_loss(facts in any_facts()) {
            let card = card(&facts, Language::ZhCn);
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
            if let (Some(after), Some(before)) = (score(&after), score(&facts)) {
                prop_assert!(after.0 <= before.0);
            }
        }

        #[test]
        fn no_fact_however_large_breaks_a_card(digits in any::<i128>(), scale in 0u32..28) {
            let value = Decimal::from_i128_with_scale(digits >> 32, scale);
            let values = [value, value, -value, value, Decimal::MAX, value, value, value];
            let facts = facts_of(&NAMES.into_iter().zip(values.map(Some)).collect::<Vec<_>>());
            let score = card(&facts, Language::En).score.unwrap();
            prop_assert!(score >= Decimal::ZERO && score <= Decimal::ONE_HUNDRED);
        }
    }
}
