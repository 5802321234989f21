//! The reasons of a card in words.

use crate::{
    Decimal,
    card::{items, value},
    contract::{
        score::{Facts, IndicatorName, ReasonCode},
        types::Language,
    },
    decimal::round,
};

/// A reason in words, with the number behind it.
pub fn text(code: ReasonCode, facts: &Facts, language: Language) -> String {
    let of = |name| value(name, facts).unwrap_or_default();
    let days = |name| round(of(name), 1).normalize();
    let percent = |name| {
        let hundred = of(name).checked_mul(Decimal::ONE_HUNDRED).unwrap_or_default();
        round(hundred, 1).normalize()
    };
    let seen = match code {
        ReasonCode::PaysBeyondTerms => days(IndicatorName::PaymentIndex),
        ReasonCode::OftenLate => percent(IndicatorName::ShareLate),
        ReasonCode::OnceVeryLate => days(IndicatorName::WorstLateness),
        ReasonCode::OverdueNow => percent(IndicatorName::OverdueShare),
        ReasonCode::LimitUsed => percent(IndicatorName::Utilisation),
        ReasonCode::GettingWorse => days(IndicatorName::Trend),
        ReasonCode::ThinFile => items(facts),
    };
    match language {
        Language::En => english(code, seen),
        Language::ZhCn => chinese(code, seen),
    }
}

fn english(code: ReasonCode, seen: Decimal) -> String {
    let days = if seen == Decimal::ONE { "day" } else { "days" };
    match code {
        ReasonCode::PaysBeyondTerms => {
            format!(
                "Paid {seen} {days} beyond terms on average over 12 months, weighted by amount."
            )
        }
        ReasonCode::OftenLate => {
            format!(
                "{seen} % of what fell due in 12 months was paid late or is overdue, by amount."
            )
        }
        ReasonCode::OnceVeryLate => format!("The worst delay in 12 months is {seen} {days}."),
        ReasonCode::OverdueNow => format!("{seen} % of what is owed now is past due."),
        ReasonCode::LimitUsed => format!("{seen} % of the credit limit is used."),
        ReasonCode::GettingWorse => {
            format!("Paid {seen} {days} later in the last 3 months than in the 9 months before.")
        }
        ReasonCode::ThinFile => {
            let items = if seen == Decimal::ONE { "invoice" } else { "invoices" };
            format!("Only {seen} {items} in 12 months: too few for a firm judgement.")
        }
    }
}

fn chinese(code: ReasonCode, seen: Decimal) -> String {
    match code {
        ReasonCode::PaysBeyondTerms => {
            format!("近 12 个月按金额加权平均超过账期 {seen} 天付款。")
        }
        ReasonCode::OftenLate => format!("近 12 个月到期金额中有 {seen}% 逾期支付或仍逾期未付。"),
        ReasonCode::OnceVeryLate => format!("近 12 个月最长逾期 {seen} 天。"),
        ReasonCode::OverdueNow => format!("目前欠款中有 {seen}% 已逾期。"),
        ReasonCode::LimitUsed => format!("信用额度已使用 {seen}%。"),
        ReasonCode::GettingWorse => format!("近 3 个月比之前 9 个月平均多拖延 {seen} 天付款。"),
        ReasonCode::ThinFile => format!("近 12 个月仅有 {seen} 张账单，不足以作出可靠判断。"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::score::FactName;

    /// Half the year's amounts late, a third of the limit over, and so on; `items` of them.
    fn facts(days: Decimal, items: u32) -> Facts {
        let mut facts = Facts::none(&"C-1".parse().unwrap(), "2024-03-31".parse().unwrap());
        facts.set(FactName::Items12m, Some(items.into()));
        facts.set(FactName::DaysBeyondTerms12m, Some(days));
        for (name, value) in [
            (FactName::DaysBeyondTerms3m, "40"),
            (FactName::DaysBeyondTerms9mBefore, "1"),
            (FactName::ShareLate0Amount, "0.425"),
            (FactName::WorstDaysLate12m, "45"),
            (FactName::OverdueShare, "0.6"),
            (FactName::Utilisation, "1.0555"),
        ] {
            facts.set(name, Some(value.parse().unwrap()));
        }
        facts
    }

    #[test]
    fn every_reason_is_told_in_plain_words_with_its_number() {
        let facts = facts("12.34".parse().unwrap(), 2);
        let table = "
            pays-beyond-terms | Paid 12.3 days beyond terms on average over 12 months, weighted by amount.
            pays-beyond-terms | 近 12 个月按金额加权平均超过账期 12.3 天付款。
            often-late        | 42.5 % of what fell due in 12 months was paid late or is overdue, by amount.
            often-late        | 近 12 个月到期金额中有 42.5% 逾期支付或仍逾期未付。
            once-very-late    | The worst delay in 12 months is 45 days.
            once-very-late    | 近 12 个月最长逾期 45 天。
            overdue-now       | 60 % of what is owed now is past due.
            overdue-now       | 目前欠款中有 60% 已逾期。
            limit-used        | 105.6 % of the credit limit is used.
            limit-used        | 信用额度已使用 105.6%。
            getting-worse     | Paid 39 days later in the last 3 months than in the 9 months before.
            getting-worse     | 近 3 个月比之前 9 个月平均多拖延 39 天付款。
            thin-file         | Only 2 invoices in 12 months: too few for a firm judgement.
            thin-file         | 近 12 个月仅有 2 张账单，不足以作出可靠判断。";
        let lines: Vec<&str> = table.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(lines.len(), ReasonCode::ALL.len() * Language::ALL.len());
        for (at, line) in lines.iter().enumerate() {
            let (code, expected) = line.split_once('|').unwrap();
            let language = if at % 2 == 0 { Language::En } else { Language::ZhCn };
            assert_eq!(text(code.trim().parse().unwrap(), &facts, language), expected.trim());
        }
    }

    #[test]
    fn one_is_not_many() {
        let facts = facts(Decimal::ONE, 1);
        let text = |code| text(code, &facts, Language::En);
        assert!(text(ReasonCode::PaysBeyondTerms).starts_with("Paid 1 day beyond"));
        assert!(text(ReasonCode::ThinFile).starts_with("Only 1 invoice in"));
    }
}
