//! The reasons of a card in words.

use crate::decimal::Times as _;
use crate::{
    Decimal,
    contract::{
        score::Wording,
        types::{Grade, Language},
    },
    decimal::round,
};

/// What a sentence says of days below zero, in the words of the card that ships.
const BELOW_ZERO: [(&str, &str); 4] = [
    ("{days} later", "{days} earlier"),
    ("{days} beyond terms", "{days} before terms"),
    ("多拖延 {days}", "提早 {days}"),
    ("超过账期 {days}", "早于账期 {days}"),
];

/// A reason in words, with the number behind it in the places that the sentence has for it. Days below zero are earlier
/// where the sentence says later.
pub fn text(wording: &Wording, seen: Decimal, language: Language) -> String {
    let value = round(seen, 1).normalize();
    let sentence = match language {
        Language::En => &wording.en,
        Language::ZhCn => &wording.zh_cn,
    };
    let below = BELOW_ZERO.iter().find(|of| value < Decimal::ZERO && sentence.contains(of.0));
    let sentence = below.map(|of| sentence.replace(of.0, of.1)).unwrap_or_else(|| sentence.clone());
    let value = if below.is_some() { value.abs() } else { value };
    let hundred = seen.times(Decimal::ONE_HUNDRED).unwrap_or(seen);
    let percent = round(hundred, 1).normalize();
    let days = match language {
        Language::En if value == Decimal::ONE => "1 day".to_string(),
        Language::En => format!("{value} days"),
        Language::ZhCn => format!("{value} 天"),
    };
    sentence
        .replace("{days}", &days)
        .replace("{percent}", &percent.to_string())
        .replace("{value}", &value.to_string())
}

/// What the score would be without what an indicator costs.
pub fn improvement(score: Decimal, grade: Grade, language: Language) -> String {
    match language {
        Language::En => {
            format!("Without what this costs the score would be {score}, grade {grade}.")
        }
        Language::ZhCn => format!("若此项不扣分，评分将为 {score}，等级 {grade}。"),
    }
}

/// What an indicator sees and saw before, each in the words of its card, and the points that it gives and gave. What is
/// not known gives no points and costs none, and no more does what a card does not have: `None`, and before it only
/// where there `is_new`.
pub fn moved(
    now: Option<(&Wording, Option<Decimal>)>,
    before: Option<(&Wording, Option<Decimal>)>,
    is_new: bool,
    points: [Option<Decimal>; 2],
    language: Language,
) -> String {
    let told = |of: Option<(&Wording, Option<Decimal>)>, nothing: &str| {
        let told = of.and_then(|(wording, seen)| Some(text(wording, seen?, language)));
        told.unwrap_or_else(|| nothing.to_string())
    };
    let gone = now.is_none();
    let points = points.map(|of| of.map(|of| round(of, 1).normalize()));
    let one = |points: Decimal| if points == Decimal::ONE { "point" } else { "points" };
    match language {
        Language::En => {
            let unknown =
                if gone { "The card does not have this any more." } else { "Not known any more." };
            let unknown_before = if is_new { "The card did not have this." } else { "Not known." };
            let (now, before) = (told(now, unknown), told(before, unknown_before));
            let gives = match points {
                [Some(now), Some(before)] => {
                    format!("It gives {now} {} instead of {before}.", one(now))
                }
                [Some(now), None] => {
                    format!("It gives {now} {}; before, its weight was left out.", one(now))
                }
                [None, Some(before)] => {
                    format!("It gave {before} {}; now its weight is left out.", one(before))
                }
                [None, None] => "Its weight is left out.".to_string(),
            };
            format!("{now} Before: {before} {gives}")
        }
        Language::ZhCn => {
            let unknown =
                if gone { "评分卡不再包含此项。" } else { "目前没有数据。" };
            let unknown_before =
                if is_new { "评分卡原无此项。" } else { "没有数据。" };
            let (now, before) = (told(now, unknown), told(before, unknown_before));
            let gives = match points {
                [Some(now), Some(before)] => format!("得分由 {before} 变为 {now}。"),
                [Some(now), None] => format!("现得 {now} 分，此前该项权重不计入。"),
                [None, Some(before)] => format!("此前得 {before} 分，现该项权重不计入。"),
                [None, None] => "该项权重不计入。".to_string(),
            };
            format!("{now}此前：{before}{gives}")
        }
    }
}

/// That too little is known.
pub fn thin_file(items: Decimal, language: Language) -> String {
    let items = items.normalize();
    match language {
        _ if items.is_zero() => nothing_due(language).to_string(),
        Language::En => {
            let invoices = if items == Decimal::ONE { "invoice" } else { "invoices" };
            format!("Only {items} {invoices} fell due in 12 months: too few for a firm judgement.")
        }
        Language::ZhCn => format!("近 12 个月仅有 {items} 张账单到期，不足以作出可靠判断。"),
    }
}

fn nothing_due(language: Language) -> &'static str {
    match language {
        Language::En => "No invoice fell due in 12 months: too little for a firm judgement.",
        Language::ZhCn => "近 12 个月没有账单到期，不足以作出可靠判断。",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::shipped;

    #[test]
    fn every_reason_is_told_in_plain_words_with_its_number() {
        let seen = ["12.34", "0.425", "45", "0.6", "1.0555", "39"];
        let table = "
            Paid 12.3 days beyond terms on average over 12 months, weighted by amount.
            近 12 个月按金额加权平均超过账期 12.3 天付款。
            42.5 % of what fell due in 12 months was paid late or is overdue, by amount.
            近 12 个月到期金额中有 42.5% 逾期支付或仍逾期未付。
            The worst delay in 12 months is 45 days.
            近 12 个月最长逾期 45 天。
            60 % of what is unpaid now is past due.
            目前未付款项中有 60% 已逾期。
            105.6 % of the credit limit is used.
            信用额度已使用 105.6%。
            Paid 39 days later in the last 3 months than in the 9 months before.
            近 3 个月比之前 9 个月平均多拖延 39 天付款。";
        let mut lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
        for (rule, seen) in shipped().indicators.iter().zip(seen) {
            for language in Language::ALL {
                let text = text(&rule.text, seen.parse().unwrap(), *language);
                assert_eq!(Some(text.as_str()), lines.next());
            }
        }
        assert_eq!(lines.next(), None);
        assert_eq!(
            thin_file(Decimal::TWO, Language::En),
            "Only 2 invoices fell due in 12 months: too few for a firm judgement."
        );
        assert_eq!(
            thin_file(Decimal::TWO, Language::ZhCn),
            "近 12 个月仅有 2 张账单到期，不足以作出可靠判断。"
        );
        let none = thin_file(Decimal::ZERO, Language::En);
        assert_eq!(none, "No invoice fell due in 12 months: too little for a firm judgement.");
    }

    #[test]
    fn days_below_zero_are_earlier() {
        let of = |at: usize, seen: &str, language| {
            text(&shipped().indicators[at].text, seen.parse().unwrap(), language)
        };
        for (at, seen, en, zh) in [
            (
                5,
                "-321.6",
                "Paid 321.6 days earlier in the last 3 months than in the 9 months before.",
                "近 3 个月比之前 9 个月平均提早 321.6 天付款。",
            ),
            (
                5,
                "-1",
                "Paid 1 day earlier in the last 3 months than in the 9 months before.",
                "近 3 个月比之前 9 个月平均提早 1 天付款。",
            ),
            (
                5,
                "-0.04",
                "Paid 0 days later in the last 3 months than in the 9 months before.",
                "近 3 个月比之前 9 个月平均多拖延 0 天付款。",
            ),
            (
                0,
                "-5.25",
                "Paid 5.3 days before terms on average over 12 months, weighted by amount.",
                "近 12 个月按金额加权平均早于账期 5.3 天付款。",
            ),
        ] {
            assert_eq!(of(at, seen, Language::En), en);
            assert_eq!(of(at, seen, Language::ZhCn), zh);
        }
        let own = Wording { en: "{days} late".into(), zh_cn: "迟付{days}".into() };
        assert_eq!(text(&own, "-3".parse().unwrap(), Language::En), "-3 days late");
    }

    #[test]
    fn one_is_not_many() {
        let index = &shipped().indicators[0].text;
        assert!(text(index, Decimal::ONE, Language::En).starts_with("Paid 1 day beyond"));
        assert!(thin_file(Decimal::ONE, Language::En).starts_with("Only 1 invoice fell due in"));
    }

    #[test]
    fn a_number_stands_wherever_the_sentence_wants_it() {
        let wording = Wording { en: "{value}, {value} or {percent} %".into(), zh_cn: "无".into() };
        assert_eq!(text(&wording, "0.25".parse().unwrap(), Language::En), "0.3, 0.3 or 25 %");
        assert_eq!(text(&wording, Decimal::ONE, Language::ZhCn), "无");
    }
}
