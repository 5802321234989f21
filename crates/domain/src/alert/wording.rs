//! What an alert says, from the words of its rule and its evidence.

use super::rule;
use crate::decimal::Times as _;
use crate::{
    Currency, Decimal,
    contract::{
        types::Language,
        warn::{Evidence, NewAlertRule, Wording},
    },
};

/// What may stand in braces.
pub(super) const PLACEHOLDERS: [&str; 6] =
    ["value", "value%", "bound", "bound%", "before", "currency"];

/// Why the alert was raised.
pub fn text(
    rule: &NewAlertRule,
    evidence: &Evidence,
    currency: Option<Currency>,
    language: Language,
) -> String {
    filled(&rule.text, evidence, currency, language)
}

/// What to do about it.
pub fn advice(
    rule: &NewAlertRule,
    evidence: &Evidence,
    currency: Option<Currency>,
    language: Language,
) -> String {
    filled(&rule.advice, evidence, currency, language)
}

fn filled(
    words: &Wording,
    evidence: &Evidence,
    currency: Option<Currency>,
    language: Language,
) -> String {
    let words = match language {
        Language::En => &words.en,
        Language::ZhCn => &words.zh_cn,
    };
    let before = evidence.terms.iter().flatten().find_map(|seen| seen.before.clone());
    let mut said = String::with_capacity(words.len());
    let mut rest = words.as_str();
    while let Some((plain, name, tail)) = rule::placeholder(rest) {
        said.push_str(plain);
        said.push_str(&match name {
            "value" => evidence.value.clone(),
            "value%" => in_percent(&evidence.value),
            "bound" => evidence.threshold.clone(),
            "bound%" => in_percent(&evidence.threshold),
            "before" => before.clone().unwrap_or_default(),
            "currency" => currency.map(|currency| currency.to_string()).unwrap_or_default(),
            other => other.to_string(),
        });
        rest = tail;
    }
    said.push_str(rest);
    said
}

/// `0.9051` is `90.51`. What is no number is shown as it is.
fn in_percent(share: &str) -> String {
    let percent = share.parse().ok().and_then(|share: Decimal| share.times(Decimal::ONE_HUNDRED));
    percent.map_or_else(|| share.to_string(), |percent| percent.normalize().to_string())
}
