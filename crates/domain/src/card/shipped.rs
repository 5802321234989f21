//! The card that ships with Dunlin, and works from the first day.
//!
//! Lateness as a habit weighs most, then what is overdue now; use of the limit and trend round it off.
//!
//! | indicator | weight | full at | half at | nothing at |
//! |---|---|---|---|---|
//! | payment index | 35 | 30 days early | 30 days beyond terms | 180 days beyond terms |
//! | share late | 15 | 0 % | 50 % | 100 % |
//! | worst lateness | 15 | 0 days | 40 days | 120 days |
//! | overdue share | 20 | 0 % | 50 % | 100 % |
//! | utilisation | 10 | 50 % and less | 90 % | 120 % |
//! | trend | 5 | no later than before | 15 days later | 30 days later |

use super::{NOTCHES, REASON_FROM_POINTS, SCORE_DECIMALS};
use crate::{
    Decimal,
    contract::{
        score::{Anchor, CardDocument, Direction, FactName, GradeBound, IndicatorRule, Wording},
        types::Grade,
    },
};

/// Its name. A card of this name that a client publishes begins with the version after [`SHIPPED_VERSION`].
pub const SHIPPED: &str = "card";

/// Its version; any change of a table here makes a new one.
pub const SHIPPED_VERSION: u32 = 1;

/// With fewer items than this in 12 months a card says that its file is thin. Three is the least that can show a
/// habit, not a chance.
const THIN_BELOW: u32 = 3;

/// A point of a line: the fact in hundredths, and percent.
type Point = (i64, u32);

/// Name, weight, percent without blame, fact, and the points of its line.
type Row = (&'static str, u32, u32, FactName, &'static [Point]);

/// Days beyond terms are straight between these. 30 days early is a month ahead of terms, more cannot be asked for; 180
/// days late is half a year, where the slope from 30 days on reaches zero by itself. Paying on the day is no reproach.
const PAYMENT_INDEX: &[Point] = &[
    (-3_000, 100),
    (0, 80),
    (1_500, 70),
    (2_200, 60),
    (3_000, 50),
    (6_000, 40),
    (9_000, 30),
    (12_000, 20),
    (15_000, 10),
    (18_000, 0),
];

const ROWS: [Row; 6] = [
    ("payment-index", 35, 80, FactName::DaysBeyondTerms12m, PAYMENT_INDEX),
    ("share-late", 15, 100, FactName::ShareLate0Amount, &[(0, 100), (100, 0)]),
    (
        "worst-lateness",
        15,
        100,
        FactName::WorstDaysLate12m,
        &[(0, 100), (3_000, 60), (6_000, 30), (12_000, 0)],
    ),
    ("overdue-share", 20, 100, FactName::OverdueShare, &[(0, 100), (100, 0)]),
    ("utilisation", 10, 100, FactName::Utilisation, &[(50, 100), (90, 50), (120, 0)]),
    ("trend", 5, 100, FactName::DaysBeyondTerms3m, &[(0, 100), (3_000, 0)]),
];

/// The reason of each row: its code, in English, in Chinese.
const REASONS: [(&str, &str, &str); 6] = [
    (
        "pays-beyond-terms",
        "Paid {days} beyond terms on average over 12 months, weighted by amount.",
        "近 12 个月按金额加权平均超过账期 {days}付款。",
    ),
    (
        "often-late",
        "{percent} % of what fell due in 12 months was paid late or is overdue, by amount.",
        "近 12 个月到期金额中有 {percent}% 逾期支付或仍逾期未付。",
    ),
    ("once-very-late", "The worst delay in 12 months is {days}.", "近 12 个月最长逾期 {days}。"),
    (
        "overdue-now",
        "{percent} % of what is unpaid now is past due.",
        "目前未付款项中有 {percent}% 已逾期。",
    ),
    ("limit-used", "{percent} % of the credit limit is used.", "信用额度已使用 {percent}%。"),
    (
        "getting-worse",
        "Paid {days} later in the last 3 months than in the 9 months before.",
        "近 3 个月比之前 9 个月平均多拖延 {days}付款。",
    ),
];

/// The least score of each grade, best first, and the months between reviews.
///
/// | grade | score from | who stands there |
/// |---|---|---|
/// | A | 85 | pays on the day or before (on the day gives 93) |
/// | B | 65 | late now and then, by days |
/// | C | 45 | late as a habit, by weeks (everything 15 days late gives about 60) |
/// | D | 25 | owes long past due (everything 60 days late gives about 38) |
/// | E | 0 | does not pay (everything 120 days late gives about 14) |
const GRADES: [(Grade, u32, u32); 5] =
    [(Grade::A, 85, 12), (Grade::B, 65, 6), (Grade::C, 45, 3), (Grade::D, 25, 2), (Grade::E, 0, 1)];

/// The document.
pub fn shipped() -> CardDocument {
    let bound = |(grade, least, review_months): (Grade, u32, u32)| GradeBound {
        grade,
        at_least: Decimal::from(least),
        review_months,
    };
    CardDocument {
        segment: None,
        indicators: ROWS.iter().zip(REASONS).map(|(row, reason)| rule(*row, reason)).collect(),
        thin_below: THIN_BELOW,
        reason_from: Some(Decimal::from(REASON_FROM_POINTS)),
        grades: GRADES.into_iter().map(bound).collect(),
        notches: Some(NOTCHES),
        decimals: Some(SCORE_DECIMALS),
    }
}

fn rule(row: Row, (reason, en, zh_cn): (&str, &str, &str)) -> IndicatorRule {
    let (name, weight, blameless, fact, points) = row;
    let anchor = |(at, percent): &Point| Anchor {
        at: Decimal::new(*at, 2).normalize(),
        share: Decimal::new(i64::from(*percent), 2).normalize(),
    };
    // The trend is the growth of days beyond terms, what is within terms counting as 0: paying on the day after years
    // of paying early is not getting worse.
    let trend = fact == FactName::DaysBeyondTerms3m;
    IndicatorRule {
        name: name.into(),
        fact,
        less: trend.then_some(FactName::DaysBeyondTerms9mBefore),
        floor: trend.then_some(Decimal::ZERO),
        weight,
        direction: Direction::LowerIsBetter,
        anchors: Some(points.iter().map(anchor).collect()),
        bands: None,
        blameless: Some(Decimal::new(blameless.into(), 2).normalize()),
        reason: reason.into(),
        text: Wording { en: en.into(), zh_cn: zh_cn.into() },
    }
}
