//! What an alert says, from the words of its rule and its evidence.
//!
//! Evidence keeps every decimal; sentences are read by people. Days and counts are whole there, percent and other
//! numbers short, amounts written as in letters. A number that would read like the bound it passed keeps the decimals
//! that tell them apart.

use super::rule;
use crate::decimal::{Times as _, round};
use crate::{
    Currency, Decimal,
    contract::{
        score::FactName,
        types::Language,
        warn::{Evidence, NewAlertRule, TermKind, Wording},
    },
    message,
    money::{NumberForm, parse_amount},
};

/// What may stand in braces.
pub(super) const PLACEHOLDERS: [&str; 6] =
    ["value", "value%", "bound", "bound%", "before", "currency"];

/// The most decimals of evidence.
const MOST_DECIMALS: u32 = 4;

/// Why the alert was raised.
pub fn text(
    rule: &NewAlertRule,
    evidence: &Evidence,
    currency: Option<Currency>,
    language: Language,
) -> String {
    filled(rule, &rule.text, evidence, currency, language)
}

/// What to do about it.
pub fn advice(
    rule: &NewAlertRule,
    evidence: &Evidence,
    currency: Option<Currency>,
    language: Language,
) -> String {
    filled(rule, &rule.advice, evidence, currency, language)
}

fn filled(
    rule: &NewAlertRule,
    words: &Wording,
    evidence: &Evidence,
    currency: Option<Currency>,
    language: Language,
) -> String {
    let words = match language {
        Language::En => &words.en,
        Language::ZhCn => &words.zh_cn,
    };
    let unit = unit(rule, evidence);
    let (value, bound) = (&evidence.value, &evidence.threshold);
    let before = evidence.terms.iter().flatten().find_map(|seen| seen.before.as_ref());
    let mut said = String::with_capacity(words.len());
    let mut rest = words.as_str();
    while let Some((plain, name, tail)) = rule::placeholder(rest) {
        said.push_str(plain);
        let told = match name {
            "value" => shown(value, bound, unit, language),
            "value%" => percent(value, bound),
            "bound" => shown(bound, "", unit, language),
            "bound%" => percent(bound, ""),
            "before" => match before {
                Some(of) => shown(of, "", unit, language),
                None if language == Language::En => "unknown".into(),
                None => "不详".into(),
            },
            "currency" => currency.map(|currency| currency.to_string()).unwrap_or_default(),
            other => other.to_string(),
        };
        rest = if unit == Unit::Whole && !name.ends_with('%') {
            said_of_days(&mut said, &told, tail, language)
        } else {
            said.push_str(&told);
            tail
        };
    }
    said.push_str(rest);
    said
}

/// What a sentence says of days below zero in place of what it says of days.
const BELOW_ZERO: [(&str, &str); 3] =
    [("later", "earlier"), ("late", "early"), ("beyond terms", "before terms")];

/// The same in Chinese, where it stands before the number.
const BELOW_ZERO_ZH: [(&str, &str); 2] = [("晚 ", "早 "), ("晚付 ", "早付 ")];

/// What it says of none: the words before the number, those behind it, and both.
const TODAY: [(&str, &str, &str); 3] = [
    ("in ", " days", "today"),
    ("for ", " more days", "for the last time today"),
    ("还有 ", " 天", "今天"),
];

/// Says a number of days or a count: late below zero is early, one is not many, and none from now is today. Gives what is
/// left of the words behind it.
fn said_of_days<'a>(
    said: &mut String,
    number: &str,
    words: &'a str,
    language: Language,
) -> &'a str {
    if number == "0" {
        let found = TODAY.iter().find_map(|(before, behind, today)| {
            let after = word(words, behind)?;
            Some((said.strip_suffix(before)?.len(), after, today))
        });
        if let Some((length, after, today)) = found {
            said.truncate(length);
            said.push_str(today);
            return after;
        }
    }
    let days = word(words, " days");
    if let Some(number) = number.strip_prefix('-') {
        let early = BELOW_ZERO.iter().find_map(|(late, early)| {
            let after = word(days?.strip_prefix(' ')?, late)?;
            Some((after, early))
        });
        if let Some((after, early)) = early {
            let days = if number == "1" { "day" } else { "days" };
            said.push_str(&[number, " ", days, " ", early].concat());
            return after;
        }
        let late = BELOW_ZERO_ZH.iter().find_map(|(late, early)| {
            words.strip_prefix(" 天")?;
            Some((said.strip_suffix(late)?.len(), early))
        });
        if let Some((length, early)) = late {
            said.truncate(length);
            said.push_str(early);
            said.push_str(number);
            return words;
        }
    }
    said.push_str(number);
    if language == Language::En && matches!(number, "1" | "-1") {
        for many in [" days", " more days"] {
            if let (Some(after), Some(one)) = (word(words, many), many.strip_suffix('s')) {
                said.push_str(one);
                return after;
            }
        }
    }
    words
}

/// What follows these words, where they end there.
fn word<'a>(words: &'a str, of: &str) -> Option<&'a str> {
    words
        .strip_prefix(of)
        .filter(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Days and counts: whole.
    Whole,
    /// 1 is all: with its sign.
    Share,
    /// Units of a currency: whole, with marks between thousands.
    Units,
    /// Anything else: at two decimals.
    Plain,
    /// Amounts with their currencies.
    Amounts,
    /// No number: a day or a grade.
    Text,
}

/// What the first term that held saw.
fn unit(rule: &NewAlertRule, evidence: &Evidence) -> Unit {
    let number = evidence.terms.iter().flatten().next().map_or(1, |seen| seen.term);
    let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let Some(term) = rule.terms.get(at) else { return Unit::Text };
    match (term.kind, term.fact) {
        (TermKind::NewlyOverdue, _) => Unit::Amounts,
        (TermKind::LimitUsed | TermKind::BookShare, _) => Unit::Share,
        (_, Some(fact)) => unit_of(fact),
        (_, None) => Unit::Text,
    }
}

fn unit_of(fact: FactName) -> Unit {
    use FactName as F;
    match fact {
        F::ShareLate0Count
        | F::ShareLate10Count
        | F::ShareLate30Count
        | F::ShareLate60Count
        | F::ShareLate90Count
        | F::ShareLate0Amount
        | F::ShareLate10Amount
        | F::ShareLate30Amount
        | F::ShareLate60Amount
        | F::ShareLate90Amount
        | F::Utilisation
        | F::UtilisationPeak12m
        | F::OverdueShare
        | F::OverdueShare130
        | F::OverdueShare3160
        | F::OverdueShare6190
        | F::OverdueShareOver90
        | F::OverdueShareOver30
        | F::DisputeRate12m
        | F::OpenDisputeShare
        | F::EarlyShare12m
        | F::GroupOutstandingShare
        | F::GroupOverdueShare
        | F::InsuredShare => Unit::Share,
        F::Turnover12m => Unit::Units,
        F::OrderSizeSpike
        | F::AltmanZ
        | F::AltmanZPrivate
        | F::AltmanZEmerging
        | F::ExternalScore => Unit::Plain,
        _ => Unit::Whole,
    }
}

/// A number of the evidence as people write it. What is no number is shown as it is.
fn shown(text: &str, passed: &str, unit: Unit, language: Language) -> String {
    match unit {
        Unit::Text => text.to_string(),
        Unit::Amounts => amounts(text, language),
        Unit::Share => {
            let sign = if language == Language::En { " %" } else { "%" };
            format!("{}{sign}", percent(text, passed))
        }
        Unit::Plain => number(text, passed, 2, Decimal::ONE),
        Unit::Whole => number(text, "", 0, Decimal::ONE),
        Unit::Units => message::grouped(&number(text, "", 0, Decimal::ONE)),
    }
}

/// `0.9051` is `90.5`.
fn percent(share: &str, passed: &str) -> String {
    number(share, passed, 1, Decimal::ONE_HUNDRED)
}

/// The number times a factor, at so many decimals, or at as many as tell it from the bound that it passed.
fn number(text: &str, passed: &str, decimals: u32, factor: Decimal) -> String {
    let read = |text: &str| text.parse::<Decimal>().ok().and_then(|of| of.times(factor));
    let Some(exact) = read(text) else { return text.to_string() };
    let bound = read(passed).filter(|bound| *bound != exact);
    let mut rounded = (decimals..=MOST_DECIMALS).map(|places| round(exact, places));
    rounded.find(|of| Some(*of) != bound).unwrap_or(exact).normalize().to_string()
}

/// `CNY 1250.00, EUR 3.00` as in letters.
fn amounts(text: &str, language: Language) -> String {
    let one = |of: &str| {
        let (code, number) = of.split_once(' ')?;
        let currency: Currency = code.parse().ok()?;
        let minor = parse_amount(number, currency, NumberForm::PLAIN).ok()?;
        Some(message::amount(minor, currency, language))
    };
    let each = text.split(", ").map(|of| one(of).unwrap_or_else(|| of.to_string()));
    let between = if language == Language::En { ", " } else { "、" };
    each.collect::<Vec<_>>().join(between)
}
