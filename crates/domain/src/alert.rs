//! Warnings about a customer: which conditions hold, and which alerts open and close because of them.
//!
//! An alert is opened once and closes by itself. [`holding`] says what holds now, [`transition`] compares it with what
//! is open; the same position twice changes nothing. Two kinds look back at the sweep before when they are raised and
//! at their own evidence afterwards, so that nothing but the alert has to be stored:
//!
//! | kind | raised when | open as long as |
//! |---|---|---|
//! | `first-overdue` | something is past due, and nothing was at the sweep before | something is past due |
//! | `grade-worse` | the grade is worse than at the sweep before | the grade is worse than the one it fell from |
//! | `limit-near` | more than 90 % of the limit is used | the same |
//! | `concentration` | the customer owes more than 20 % of the book in a currency | the same |
//!
//! A bound itself is not beyond it. A limit of zero is passed by the first unit owed; no limit is never passed.

use crate::{
    Currency, Decimal, Money, card,
    contract::{
        score::{AlertKind, Evidence},
        types::{Grade, Language},
    },
    grade,
};
use rust_decimal::RoundingStrategy;

/// The rule behind `first-overdue`.
pub const FIRST_OVERDUE: &str = "first-overdue@1";
/// The rule behind `grade-worse`.
pub const GRADE_WORSE: &str = "grade-worse@1";
/// The rule behind `limit-near`.
pub const LIMIT_NEAR: &str = "limit-near@1";
/// The rule behind `concentration`.
pub const CONCENTRATION: &str = "concentration@1";

/// The share of the limit, in percent, above which it is near its end.
pub const LIMIT_NEAR_PERCENT: u32 = 90;

/// The share of a currency's book, in percent, above which one customer is a concentration.
pub const CONCENTRATION_PERCENT: u32 = 20;

/// A book in which fewer customers owe is concentrated by its nature: with four, one always has a quarter.
pub const CONCENTRATION_LEAST_OWING: u32 = 5;

/// Where one customer stands now, and where it stood at the sweep before the business date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Whether anything was past due at the sweep before. False for a customer that was never swept.
    pub overdue_before: bool,
    /// The grade at the sweep before. `None`: there was none.
    pub grade_before: Option<Grade>,
    /// The grade now. `None`: nothing is known.
    pub grade_now: Option<Grade>,
    /// The credit limit. Zero is no credit; `None` is no limit set.
    pub limit: Option<Money>,
    /// What it owes, one entry a currency.
    pub owed: Vec<Owed>,
}

/// What one customer owes in one currency, and the whole book beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The currency of all amounts here.
    pub currency: Currency,
    /// What is open.
    pub outstanding_minor: i64,
    /// The part that is past due.
    pub overdue_minor: i64,
    /// What all customers owe.
    pub book_minor: i64,
    /// How many customers owe something.
    pub book_customers: u32,
}

/// A condition that holds, or an open alert as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it warns of.
    pub kind: AlertKind,
    /// The currency it concerns, where it concerns one.
    pub currency: Option<Currency>,
    /// The rule, what was seen and the bound it passed.
    pub evidence: Evidence,
}

/// What tells one alert of a customer from another: at most one is open for each.
pub type Key = (AlertKind, Option<Currency>);

impl Finding {
    /// Its key.
    pub fn key(&self) -> Key {
        (self.kind, self.currency)
    }
}

/// What is to be done about a customer's alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// To be opened, with this evidence.
    pub to_open: Vec<Finding>,
    /// To be closed.
    pub to_close: Vec<Key>,
}

/// The conditions that hold, by kind and currency. What is open already keeps its evidence.
pub fn holding(position: &Position, open: &[Finding]) -> Vec<Finding> {
    let latched = |kind| open.iter().find(|alert: &&Finding| alert.kind == kind);
    let mut found: Vec<Finding> = Vec::new();
    found.extend(first_overdue(position, latched(AlertKind::FirstOverdue)));
    found.extend(grade_worse(position, latched(AlertKind::GradeWorse)));
    found.extend(position.limit.and_then(|limit| limit_near(position, limit)));
    found.extend(position.owed.iter().filter_map(concentration));
    found.sort_by_key(Finding::key);
    found.dedup_by_key(|finding| finding.key());
    found
}

/// What opens and what closes: the difference between what is open and what holds.
pub fn transition(open: &[Finding], holding: &[Finding]) -> Transition {
    let among = |key: Key, list: &[Finding]| list.iter().any(|finding| finding.key() == key);
    let opens = holding.iter().filter(|finding| !among(finding.key(), open));
    let closes = open.iter().map(Finding::key).filter(|key| !among(*key, holding));
    Transition { to_open: opens.cloned().collect(), to_close: closes.collect() }
}

/// Both steps at once.
pub fn judge(position: &Position, open: &[Finding]) -> Transition {
    transition(open, &holding(position, open))
}

fn finding(
    kind: AlertKind,
    currency: Option<Currency>,
    rule: &str,
    value: String,
    threshold: String,
) -> Finding {
    Finding { kind, currency, evidence: Evidence { rule: rule.to_string(), value, threshold } }
}

fn first_overdue(position: &Position, open: Option<&Finding>) -> Option<Finding> {
    let overdue = position.owed.iter().filter(|owed| owed.overdue_minor > 0);
    let amounts: Vec<String> = overdue
        .map(|owed| {
            let amount = Money::new(owed.overdue_minor, owed.currency).to_decimal();
            format!("{} {amount}", owed.currency)
        })
        .collect();
    if amounts.is_empty() {
        return None;
    }
    let fresh =
        || finding(AlertKind::FirstOverdue, None, FIRST_OVERDUE, amounts.join(", "), "0".into());
    open.cloned().or_else(|| (!position.overdue_before).then(fresh))
}

fn grade_worse(position: &Position, open: Option<&Finding>) -> Option<Finding> {
    let now = position.grade_now?;
    let holds = |from: &Grade| grade::is_worse(now, *from);
    if let Some(open) = open {
        let fell_from = open.evidence.threshold.parse().ok();
        return fell_from
            .into_iter()
            .chain(position.grade_before)
            .any(|from| holds(&from))
            .then(|| open.clone());
    }
    let from = position.grade_before.filter(holds)?;
    Some(finding(AlertKind::GradeWorse, None, GRADE_WORSE, now.to_string(), from.to_string()))
}

fn limit_near(position: &Position, limit: Money) -> Option<Finding> {
    let owed = position.owed.iter().find(|owed| owed.currency == limit.currency)?;
    let used = beyond(owed.outstanding_minor, limit.minor, LIMIT_NEAR_PERCENT)?;
    let bound = percent(LIMIT_NEAR_PERCENT).to_string();
    Some(finding(AlertKind::LimitNear, Some(limit.currency), LIMIT_NEAR, used, bound))
}

fn concentration(owed: &Owed) -> Option<Finding> {
    if owed.book_customers < CONCENTRATION_LEAST_OWING {
        return None;
    }
    let held = beyond(owed.outstanding_minor, owed.book_minor, CONCENTRATION_PERCENT)?;
    let bound = percent(CONCENTRATION_PERCENT).to_string();
    Some(finding(AlertKind::Concentration, Some(owed.currency), CONCENTRATION, held, bound))
}

fn percent(percent: u32) -> Decimal {
    Decimal::new(i64::from(percent), 2).normalize()
}

/// The share of `part` in `whole` when it is strictly beyond a bound in percent. Compared exactly; shown at four
/// decimals rounded up, so that what passed the bound is seen to, and at most [`card::MAX_UTILISATION`].
fn beyond(part_minor: i64, whole_minor: i64, bound_percent: u32) -> Option<String> {
    let (part, whole) = (Decimal::from(part_minor), Decimal::from(whole_minor.max(0)));
    let bound = whole.checked_mul(percent(bound_percent))?;
    if part <= bound {
        return None;
    }
    let most = Decimal::from(card::MAX_UTILISATION);
    let share = part.checked_div(whole).map_or(most, |share| share.min(most));
    let shown = share.round_dp_with_strategy(4, RoundingStrategy::AwayFromZero);
    Some(shown.normalize().to_string())
}

/// Why the alert was raised and what to do, from its kind and stored evidence.
pub fn text(finding: &Finding, language: Language) -> String {
    let Evidence { value, threshold, .. } = &finding.evidence;
    let currency = finding.currency.map(|currency| currency.to_string()).unwrap_or_default();
    match (finding.kind, language) {
        (AlertKind::FirstOverdue, Language::En) => format!(
            "Newly past due: {value}. Nothing was past due before. Ask the customer now whether the invoice is in \
             order and when it will be paid."
        ),
        (AlertKind::FirstOverdue, Language::ZhCn) => {
            format!(
                "新出现逾期：{value}，此前没有逾期款项。请立即联系客户，确认账单是否无误以及何时付款。"
            )
        }
        (AlertKind::GradeWorse, Language::En) => format!(
            "The grade fell from {threshold} to {value}. See the reasons of the score, and review limit and terms \
             before taking new orders."
        ),
        (AlertKind::GradeWorse, Language::ZhCn) => {
            format!(
                "信用等级由 {threshold} 降至 {value}。请查看评分原因，并在接受新订单前复核额度与账期。"
            )
        }
        (AlertKind::LimitNear, language) => limit_text(value, &currency, threshold, language),
        (AlertKind::Concentration, Language::En) => format!(
            "Owes {} % of everything outstanding in {currency}; the bound is {} %. Consider insurance, a guarantee \
             or a lower limit.",
            in_percent(value),
            in_percent(threshold)
        ),
        (AlertKind::Concentration, Language::ZhCn) => format!(
            "该客户占全部 {currency} 未收款的 {}%，警戒线为 {}%。请考虑投保、担保或降低额度。",
            in_percent(value),
            in_percent(threshold)
        ),
    }
}

fn limit_text(value: &str, currency: &str, threshold: &str, language: Language) -> String {
    let share = value.parse().unwrap_or(Decimal::ZERO);
    let (used, bound) = (in_percent(value), in_percent(threshold));
    match language {
        Language::En if share >= Decimal::from(card::MAX_UTILISATION) => format!(
            "Owes {currency} with a limit of zero, or ten times its limit and more. Take no new orders on credit."
        ),
        Language::ZhCn if share >= Decimal::from(card::MAX_UTILISATION) => {
            format!("{currency} 额度为零却有欠款，或欠款已达额度十倍以上。请勿再赊销。")
        }
        Language::En if share > Decimal::ONE => format!(
            "The limit in {currency} is exceeded: {used} % of it is used. Hold new orders, or ask for payment or a \
             higher limit."
        ),
        Language::ZhCn if share > Decimal::ONE => {
            format!("{currency} 信用额度已超限，使用 {used}%。请暂停新订单，或催收、调整额度。")
        }
        Language::En => format!(
            "{used} % of the limit in {currency} is used; the bound is {bound} %. Ask for payment, or review the \
             limit before the next order."
        ),
        Language::ZhCn => {
            format!(
                "{currency} 信用额度已使用 {used}%，警戒线为 {bound}%。请催收，或在下一订单前复核额度。"
            )
        }
    }
}

/// `0.9051` is `90.51`. Evidence that is no number is shown as it is.
fn in_percent(share: &str) -> String {
    let percent =
        share.parse().ok().and_then(|share: Decimal| share.checked_mul(Decimal::ONE_HUNDRED));
    percent.map_or_else(|| share.to_string(), |percent| percent.normalize().to_string())
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owed(currency: &str, outstanding_minor: i64, overdue_minor: i64) -> Owed {
        let currency = currency.parse().unwrap();
        Owed { currency, outstanding_minor, overdue_minor, book_minor: 0, book_customers: 0 }
    }

    /// `kind currency value threshold` of each finding.
    fn shown(found: &[Finding]) -> Vec<String> {
        let line = |finding: &Finding| {
            let currency =
                finding.currency.map_or("-".to_string(), |currency| currency.to_string());
            let Evidence { value, threshold, .. } = &finding.evidence;
            format!("{} {currency} {value} > {threshold}", finding.kind)
        };
        found.iter().map(line).collect()
    }

    /// Walks the days of a table, each line `state | alerts opened and closed`, keeping what is open.
    fn walk(table: &str, mut position: impl FnMut(&str) -> Position) {
        let mut open: Vec<Finding> = Vec::new();
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let (state, expected) = line.split_once('|').unwrap();
            let position = position(state.trim());
            let step = judge(&position, &open);
            let opened = shown(&step.to_open).into_iter().map(|opened| format!("open {opened}"));
            let closed = step.to_close.iter().map(|(kind, _)| format!("close {kind}"));
            let got: Vec<String> = opened.chain(closed).collect();
            assert_eq!(got.join("; "), expected.trim(), "{line}");
            open.retain(|alert| !step.to_close.contains(&alert.key()));
            open.extend(step.to_open);
            assert_eq!(judge(&position, &open), Transition::default(), "again: {line}");
        }
    }

    #[test]
    fn first_overdue_opens_once_and_closes_when_nothing_is_past_due() {
        let mut before = 0;
        walk(
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
                    ..Position::default()
                };
                before = overdue;
                position
            },
        );
    }

    #[test]
    fn a_debt_that_was_overdue_before_the_first_alert_is_not_first() {
        let position = Position {
            overdue_before: true,
            owed: vec![owed("CNY", 100, 100)],
            ..Position::default()
        };
        assert_eq!(holding(&position, &[]), []);
    }

    #[test]
    fn first_overdue_is_one_alert_over_all_currencies() {
        let owed = vec![owed("CNY", 500, 100), owed("JPY", 9, 9), owed("USD", 500, 0)];
        let position = Position { owed, ..Position::default() };
        assert_eq!(shown(&holding(&position, &[])), ["first-overdue - CNY 1.00, JPY 9 > 0"]);
    }

    #[test]
    fn a_worse_grade_stays_open_until_the_grade_it_fell_from_is_back() {
        let mut before = None;
        walk(
            "
            - |
            B |
            B |
            A |
            C | open grade-worse - C > A
            C |
            B |
            D |
            A | close grade-worse
            B | open grade-worse - B > A
            - | close grade-worse
            E |
            D |
            E | open grade-worse - E > D
            C | close grade-worse",
            |grade| {
                let now = grade.parse().ok();
                let position =
                    Position { grade_before: before, grade_now: now, ..Position::default() };
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
            let found = holding(&Position { limit, owed, ..Position::default() }, &[]);
            let expected = words[2..].join(" ");
            assert_eq!(shown(&found).join("; "), expected.trim_start_matches('-'), "{line}");
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
            let found = holding(&Position { owed, ..Position::default() }, &[]);
            let expected = words[3..].join(" ");
            assert_eq!(shown(&found).join("; "), expected.trim_start_matches('-'), "{line}");
        }
    }

    #[test]
    fn each_alert_says_why_and_what_to_do_in_both_languages() {
        let told = |kind: &str, value: &str, threshold: &str, language| {
            let evidence =
                Evidence { rule: "r@1".into(), value: value.into(), threshold: threshold.into() };
            let currency = "CNY".parse().ok();
            text(&Finding { kind: kind.parse().unwrap(), currency, evidence }, language)
        };
        let table = "
            first-overdue | CNY 1.00 | 0 | Newly past due: CNY 1.00. Nothing was past due before. Ask the customer now whether the invoice is in order and when it will be paid.
            grade-worse | D | B | The grade fell from B to D. See the reasons of the score, and review limit and terms before taking new orders.
            limit-near | 0.9051 | 0.9 | 90.51 % of the limit in CNY is used; the bound is 90 %. Ask for payment, or review the limit before the next order.
            limit-near | 1.25 | 0.9 | The limit in CNY is exceeded: 125 % of it is used. Hold new orders, or ask for payment or a higher limit.
            limit-near | 10 | 0.9 | Owes CNY with a limit of zero, or ten times its limit and more. Take no new orders on credit.
            concentration | 0.35 | 0.2 | Owes 35 % of everything outstanding in CNY; the bound is 20 %. Consider insurance, a guarantee or a lower limit.
            first-overdue | CNY 1.00 | 0 | 新出现逾期：CNY 1.00，此前没有逾期款项。请立即联系客户，确认账单是否无误以及何时付款。
            grade-worse | D | B | 信用等级由 B 降至 D。请查看评分原因，并在接受新订单前复核额度与账期。
            limit-near | 0.9051 | 0.9 | CNY 信用额度已使用 90.51%，警戒线为 90%。请催收，或在下一订单前复核额度。
            limit-near | 1.25 | 0.9 | CNY 信用额度已超限，使用 125%。请暂停新订单，或催收、调整额度。
            limit-near | 10 | 0.9 | CNY 额度为零却有欠款，或欠款已达额度十倍以上。请勿再赊销。
            concentration | 0.35 | 0.2 | 该客户占全部 CNY 未收款的 35%，警戒线为 20%。请考虑投保、担保或降低额度。";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split('|').map(str::trim).collect();
            let language = if words[3].is_ascii() { Language::En } else { Language::ZhCn };
            assert_eq!(told(words[0], words[1], words[2], language), words[3]);
        }
    }

    prop_compose! {
        fn any_position()(
            overdue_before in any::<bool>(),
            before in 0usize..6, now in 0usize..6,
            limit in proptest::option::of(0i64..1_000),
            amounts in proptest::collection::vec((0i64..1_000, 0i64..3, 0i64..2_000, 0u32..8), 0..3),
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
            Position {
                overdue_before,
                grade_before: grade(before),
                grade_now: grade(now),
                limit: limit.map(|minor| Money::new(minor, "CNY".parse().unwrap())),
                owed: owed.collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn the_same_position_twice_changes_nothing(days in proptest::collection::vec(any_position(), 1..12)) {
            let mut open: Vec<Finding> = Vec::new();
            for position in &days {
                let step = judge(position, &open);
                prop_assert!(step.to_close.iter().all(|key| open.iter().any(|alert| alert.key() == *key)));
                open.retain(|alert| !step.to_close.contains(&alert.key()));
                open.extend(step.to_open);
                let mut keys: Vec<Key> = open.iter().map(Finding::key).collect();
                keys.sort();
                keys.dedup();
                prop_assert_eq!(keys.len(), open.len(), "at most one open alert for each key");
                prop_assert_eq!(judge(position, &open), Transition::default());
            }
        }

        #[test]
        fn a_closed_alert_stays_closed_on_the_same_position(day in any_position(), open in any_position()) {
            let open = holding(&open, &[]);
            let step = judge(&day, &open);
            let left: Vec<Finding> =
                open.into_iter().filter(|alert| !step.to_close.contains(&alert.key())).chain(step.to_open).collect();
            prop_assert_eq!(judge(&day, &left), Transition::default());
        }
    }
}
