//! Somebody new: what may be granted before there is any history.
//!
//! The rule `onboarding@1` is a rule of thumb and no score. A business carries 5 % of its revenue of a year, and at most
//! 10 % of its own funds where they are known; half of it when it is younger than two years, or nobody knows how old it
//! is; half again when a supplier says that it does not pay as agreed; nothing when it owes more than it owns, or when
//! neither revenue nor own funds are known. What somebody else bears comes on top. Who has an insolvency or an
//! enforcement on record pays in advance.

use crate::{
    Money, Refusal, Refused,
    contract::{
        credit::{
            Application, OnboardingNote, OnboardingReason, OnboardingResult, TermsAdvice, Verdict,
        },
        types::Language,
    },
    money::MAX_MINOR,
};

/// The rule and its version.
pub const RULE: &str = "onboarding@1";

/// A twentieth of a year's revenue: what two and a half weeks of its sales bring in.
const OF_REVENUE: i64 = 20;
/// A tenth of the own funds.
const OF_EQUITY: i64 = 10;
/// Younger businesses fail more often than older ones.
const SETTLED_YEARS: u32 = 2;

/// Judges an application.
pub fn judge(of: &Application, language: Language) -> Result<OnboardingResult, Refused> {
    check(of)?;
    let mut reasons: Vec<OnboardingReason> = Vec::new();
    let part = |whole: Option<i64>, of: i64| whole.and_then(|whole| whole.max(0).checked_div(of));
    let by_revenue = part(of.revenue_minor, OF_REVENUE);
    let by_equity = part(of.equity_minor, OF_EQUITY);
    let mut capacity = by_revenue.into_iter().chain(by_equity).min();
    if of.equity_minor.is_some_and(|equity| equity < 0) {
        reasons.push(OnboardingReason::OverIndebted);
    } else if capacity.is_none() {
        reasons.push(OnboardingReason::NoAccounts);
    }
    let halve = |capacity: Option<i64>| capacity.map(|minor| minor.div_euclid(2));
    if of.years_in_business.is_none_or(|years| years < SETTLED_YEARS) {
        reasons.push(OnboardingReason::YoungBusiness);
        capacity = halve(capacity);
    }
    if of.bad_references.is_some_and(|bad| bad > 0) {
        reasons.push(OnboardingReason::BadReferences);
        capacity = halve(capacity);
    }
    let borne = of.guarantee_minor.unwrap_or(0);
    let alone = capacity.unwrap_or(0);
    let mut granted = alone.saturating_add(borne).min(of.amount.minor);
    if of.insolvency == Some(true) {
        reasons = vec![OnboardingReason::Insolvency];
        granted = 0;
    }
    let verdict = match granted {
        all if all == of.amount.minor => Verdict::Pass,
        0 => Verdict::Hold,
        _ => Verdict::Warn,
    };
    // What only passes because somebody else bears it says so.
    if alone >= of.amount.minor && verdict == Verdict::Pass {
        reasons.clear();
    } else if reasons.is_empty() {
        reasons.push(OnboardingReason::AboveCapacity);
    }
    let advice = match verdict {
        Verdict::Pass => Vec::new(),
        Verdict::Warn => {
            vec![TermsAdvice::ShorterTerms, TermsAdvice::Deposit, TermsAdvice::Guarantee]
        }
        Verdict::Hold | Verdict::ForcedHold => vec![TermsAdvice::Prepay],
    };
    let note = |reason| OnboardingNote { reason, detail: words(reason, language).into() };
    Ok(OnboardingResult {
        id: None,
        customer: of.customer.clone(),
        at: None,
        verdict,
        limit: Money { minor: granted, ..of.amount },
        reasons: reasons.into_iter().map(note).collect(),
        advice,
        rule: RULE.into(),
    })
}

fn check(of: &Application) -> Result<(), Refused> {
    for (field, minor, least) in [
        ("amount", Some(of.amount.minor), 1),
        ("revenue_minor", of.revenue_minor, 0),
        ("equity_minor", of.equity_minor, i64::MIN),
        ("guarantee_minor", of.guarantee_minor, 0),
    ] {
        let Some(minor) = minor else { continue };
        if minor < least {
            let detail = format!("it is at least {least}");
            return Err(Refused::new(Refusal::AmountNotPositive, detail).at(field));
        }
        if minor > MAX_MINOR {
            let code = Refusal::AmountTooLarge;
            return Err(Refused::new(code, code.about()).at(field));
        }
    }
    Ok(())
}

fn words(reason: OnboardingReason, language: Language) -> &'static str {
    use OnboardingReason as R;
    match (reason, language) {
        (R::Insolvency, Language::En) => "An insolvency or an enforcement is on record.",
        (R::Insolvency, Language::ZhCn) => "有破产或强制执行记录。",
        (R::OverIndebted, Language::En) => "The business owes more than it owns.",
        (R::OverIndebted, Language::ZhCn) => "企业资不抵债。",
        (R::NoAccounts, Language::En) => "Neither revenue nor own funds are known.",
        (R::NoAccounts, Language::ZhCn) => "营业收入与净资产均未知。",
        (R::YoungBusiness, Language::En) => {
            "The business is younger than two years, or its age is not known."
        }
        (R::YoungBusiness, Language::ZhCn) => "企业成立不足两年，或成立时间未知。",
        (R::BadReferences, Language::En) => "A supplier says that it does not pay as agreed.",
        (R::BadReferences, Language::ZhCn) => "有供应商反映其未按约付款。",
        (R::AboveCapacity, Language::En) => "More is asked for than the business can carry.",
        (R::AboveCapacity, Language::ZhCn) => "所申请额度超出企业承受能力。",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(text: &str) -> OnboardingResult {
        let text = format!(r#"{{"amount": {{"minor": 1000, "currency": "EUR"}} {text}}}"#);
        judge(&serde_json::from_str(&text).unwrap(), Language::En).unwrap()
    }

    #[test]
    fn an_applicant_gets_what_the_business_carries_and_somebody_else_bears() {
        for (text, wanted) in [
            (r#", "revenue_minor": 20000, "years_in_business": 2"#, "pass 1000"),
            (r#", "revenue_minor": 19980, "years_in_business": 2"#, "warn 999 above-capacity"),
            (r#", "revenue_minor": 20000, "years_in_business": 1"#, "warn 500 young-business"),
            (r#", "revenue_minor": 20000"#, "warn 500 young-business"),
            (r#", "revenue_minor": 90000, "years_in_business": 1"#, "pass 1000"),
            (
                r#", "revenue_minor": 20000, "years_in_business": 1, "bad_references": 2"#,
                "warn 250 young-business bad-references",
            ),
            (
                r#", "revenue_minor": 20000, "equity_minor": 6000, "years_in_business": 9"#,
                "warn 600 above-capacity",
            ),
            (
                r#", "revenue_minor": 20000, "equity_minor": -1, "years_in_business": 9"#,
                "hold 0 over-indebted",
            ),
            (r#", "years_in_business": 9"#, "hold 0 no-accounts"),
            (r#", "years_in_business": 9, "guarantee_minor": 400"#, "warn 400 no-accounts"),
            // Borne by somebody else, it passes, and is told why the business alone would not.
            (r#", "guarantee_minor": 1000"#, "pass 1000 no-accounts young-business"),
            (
                r#", "revenue_minor": 20000, "equity_minor": -1, "years_in_business": 9, "guarantee_minor": 1000"#,
                "pass 1000 over-indebted",
            ),
            (
                r#", "revenue_minor": 19980, "years_in_business": 9, "guarantee_minor": 1"#,
                "pass 1000 above-capacity",
            ),
            (
                r#", "revenue_minor": 90000, "guarantee_minor": 900, "insolvency": true"#,
                "hold 0 insolvency",
            ),
        ] {
            let found = judged(text);
            let reasons = found.reasons.iter().map(|note| note.reason.name());
            let reasons: Vec<&str> = reasons.collect();
            let told = format!("{} {} {}", found.verdict, found.limit.minor, reasons.join(" "));
            assert_eq!(told.trim(), wanted, "{text}");
        }
    }

    #[test]
    fn amounts_are_checked_field_by_field() {
        for (text, wanted) in [
            (r#""amount": {"minor": 0, "currency": "EUR"}"#, "amount"),
            (r#""amount": {"minor": 1, "currency": "EUR"}, "revenue_minor": -1"#, "revenue_minor"),
            (
                r#""amount": {"minor": 1, "currency": "EUR"}, "guarantee_minor": 9000000000000001"#,
                "guarantee_minor",
            ),
        ] {
            let of: Application = serde_json::from_str(&format!("{{{text}}}")).unwrap();
            let refused = judge(&of, Language::En).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn every_reason_has_words_in_both_languages() {
        for reason in OnboardingReason::ALL {
            assert!(words(*reason, Language::En).ends_with('.'));
            assert!(words(*reason, Language::ZhCn).ends_with('。'));
        }
    }

    proptest! {
        #[test]
        fn more_is_never_granted_than_is_asked_for_and_more_revenue_never_gives_less(
            amount in 1i64..10_000, revenue in 0i64..500_000, more in 0i64..500_000, years in 0u32..5,
        ) {
            let of = |revenue_minor: i64| Application {
                customer: None,
                amount: Money::new(amount, "EUR".parse().unwrap()),
                revenue_minor: Some(revenue_minor), equity_minor: None, years_in_business: Some(years),
                bad_references: None, guarantee_minor: None, insolvency: None,
            };
            let granted = |of: &Application| judge(of, Language::En).unwrap().limit.minor;
            let (less, better) = (granted(&of(revenue)), granted(&of(revenue + more)));
            prop_assert!(less <= better && better <= amount);
        }
    }
}
