//! What a rule has to be: [`check`] names the first field that is wrong.

use super::{Position, wording::PLACEHOLDERS};
use crate::{
    Currency, Decimal, Refusal, Refused,
    contract::{
        score::FactName,
        warn::{AlertRule, NewAlertRule, RuleTerm, TermKind, TermMatch, Wording},
    },
    text,
};
use std::collections::BTreeSet;

/// The most terms of a rule: with more nobody can say why it warns.
const MAX_TERMS: usize = 10;

/// The longest name of a rule.
const RULE_NAME: usize = 64;

/// For how long an alert may be snoozed where its rule says nothing.
const SNOOZE_DAYS: u32 = 90;

/// The longest stretch of days that a rule waits, or an escalation takes.
const MAX_DAYS: u32 = 365;

/// The furthest that a term looks back.
const MAX_BACK: u32 = 730;

/// The most values or customers that a term may want.
const MAX_LEAST: u32 = 1_000;

/// The most grades that a grade can fall by, and the most parts: from A1 to E3.
const MOST_GRADES: u32 = 4;
const MOST_PARTS: u32 = 14;

/// The longest sentence of a rule.
const MAX_WORDS: usize = 500;

/// For how many days alerts of the rule may be snoozed.
pub fn snooze_days(rule: &NewAlertRule) -> u32 {
    rule.snooze_days.unwrap_or(SNOOZE_DAYS)
}

/// Whether a term of the rule compares with samples.
pub fn looks_back(rule: &NewAlertRule) -> bool {
    rule.terms.iter().any(|term| of_the_past(term.kind))
}

/// Whether a term of the rule needs what all customers owe.
pub fn of_the_book(rule: &NewAlertRule) -> bool {
    rule.terms.iter().any(|term| term.kind == TermKind::BookShare)
}

/// The facts that the rules compare with samples.
pub fn facts_needed(rules: &[AlertRule]) -> BTreeSet<FactName> {
    let in_use = rules.iter().filter(|of| of.rule.disabled != Some(true));
    let terms = in_use.flat_map(|of| &of.rule.terms).filter(|term| of_the_past(term.kind));
    terms.filter_map(|term| term.fact).collect()
}

fn of_the_past(kind: TermKind) -> bool {
    matches!(kind, TermKind::Rise | TermKind::Fall | TermKind::Trend | TermKind::Anomaly)
}

/// The currencies for which the rule is judged: those of its one term that has any.
pub(super) fn currencies(rule: &NewAlertRule, position: &Position) -> Vec<Option<Currency>> {
    let kind = |kind| rule.terms.iter().any(|term| term.kind == kind);
    if kind(TermKind::LimitUsed) {
        return position.limit.iter().map(|limit| Some(limit.currency)).collect();
    }
    if kind(TermKind::BookShare) {
        let found: BTreeSet<Currency> = position.owed.iter().map(|owed| owed.currency).collect();
        return found.into_iter().map(Some).collect();
    }
    vec![None]
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= RULE_NAME && text.bytes().all(letter)
}

/// Checks a rule under its name, in the order of its fields.
pub fn check(name: &str, rule: &NewAlertRule) -> Result<(), Refused> {
    if !is_name(name) {
        let detail = "the name of a rule is 1 to 64 small letters, digits and hyphens";
        return Err(Refused::new(Refusal::MalformedId, detail).at("name"));
    }
    text::check_optional(rule.owner.as_deref(), 100, "owner")?;
    if rule.dedupe_key.as_deref().is_some_and(|key| !is_name(key)) {
        return malformed("dedupe_key", "it is 1 to 64 small letters, digits and hyphens");
    }
    if rule.terms.is_empty() {
        let detail = "a rule has at least one term";
        return Err(Refused::new(Refusal::MissingField, detail).at("terms"));
    }
    if rule.terms.len() > MAX_TERMS {
        return malformed("terms", &format!("a rule has at most {MAX_TERMS} terms"));
    }
    for (at, term) in rule.terms.iter().enumerate() {
        check_term(term, &format!("terms[{at}]"))?;
    }
    let of_currency =
        |term: &&RuleTerm| matches!(term.kind, TermKind::LimitUsed | TermKind::BookShare);
    if rule.terms.iter().filter(of_currency).count() > 1 {
        return malformed("terms", "one term at most is `limit-used` or `book-share`");
    }
    within(rule.holds_days, 0, MAX_DAYS, "holds_days")?;
    let never_waits = match rule.term_match.unwrap_or(TermMatch::All) {
        TermMatch::All => rule.terms.iter().any(holds_once),
        TermMatch::Any => rule.terms.iter().all(holds_once),
    };
    if never_waits && rule.holds_days.is_some_and(|days| days > 0) {
        let detail = "a change since the sweep before is there on one day and cannot be waited for";
        return malformed("holds_days", detail);
    }
    within(rule.snooze_days, 0, MAX_DAYS, "snooze_days")?;
    if let Some(escalation) = &rule.escalation {
        within(Some(escalation.after_days), 1, MAX_DAYS, "escalation.after_days")?;
        if escalation.severity.is_none() && escalation.owner.is_none() {
            return malformed("escalation", "it changes `severity` or `owner`");
        }
        if escalation.severity.is_some_and(|severity| severity < rule.severity) {
            return malformed("escalation.severity", "it is not less grave than the rule");
        }
        text::check_optional(escalation.owner.as_deref(), 100, "escalation.owner")?;
    }
    check_words(&rule.text, "text")?;
    check_words(&rule.advice, "advice")
}

/// Whether the term finds something on the day on which it happens alone, unless an alert is there.
fn holds_once(term: &RuleTerm) -> bool {
    matches!(term.kind, TermKind::NewlyOverdue | TermKind::GradeWorse | TermKind::NotchWorse)
}

fn malformed(field: &str, detail: &str) -> Result<(), Refused> {
    Err(Refused::new(Refusal::MalformedField, detail.to_string()).at(field))
}

fn within(value: Option<u32>, least: u32, most: u32, field: &str) -> Result<(), Refused> {
    if value.is_some_and(|value| !(least..=most).contains(&value)) {
        return malformed(field, &format!("it is {least} to {most}"));
    }
    Ok(())
}

/// What a kind of term takes: a field that it must have, may have, or must not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Must,
    May,
    No,
}

/// Fact, event, bound, closing bound, days, least, spread.
fn takes(kind: TermKind) -> [Takes; 7] {
    use Takes::{May, Must, No};
    match kind {
        TermKind::Above | TermKind::Below => [Must, No, Must, May, No, No, No],
        TermKind::Rise | TermKind::Fall => [Must, No, Must, May, May, No, No],
        TermKind::Trend => [Must, No, Must, May, May, May, No],
        TermKind::Anomaly => [Must, No, Must, May, No, May, May],
        TermKind::Event => [No, Must, No, No, May, No, No],
        TermKind::NewlyOverdue => [No; 7],
        TermKind::GradeWorse | TermKind::NotchWorse => [No, No, May, No, No, No, No],
        TermKind::LimitUsed => [No, No, Must, May, No, No, No],
        TermKind::BookShare => [No, No, Must, May, No, May, No],
    }
}

fn check_term(term: &RuleTerm, at: &str) -> Result<(), Refused> {
    let fields = [
        ("fact", term.fact.is_some()),
        ("event", term.event.is_some()),
        ("bound", term.bound.is_some()),
        ("closing_bound", term.closing_bound.is_some()),
        ("days", term.days.is_some()),
        ("least", term.least.is_some()),
        ("spread", term.spread.is_some()),
    ];
    for ((name, there), takes) in fields.into_iter().zip(takes(term.kind)) {
        let field = format!("{at}.{name}");
        match (takes, there) {
            (Takes::Must, false) => {
                let detail = format!("a term `{}` needs it", term.kind);
                return Err(Refused::new(Refusal::MissingField, detail).at(&field));
            }
            (Takes::No, true) => {
                return malformed(&field, &format!("a term `{}` does not take it", term.kind));
            }
            _ => {}
        }
    }
    let least = if term.kind == TermKind::Trend { 3 } else { 1 };
    within(term.days, 1, MAX_BACK, &format!("{at}.days"))?;
    within(term.least, least, MAX_LEAST, &format!("{at}.least"))?;
    let far = Decimal::from(1_000_000_000u32);
    if term.bound.is_some_and(|bound| bound.abs() > far) {
        return malformed(&format!("{at}.bound"), "a bound is at most 1000000000");
    }
    if term.closing_bound.is_some_and(|bound| bound.abs() > far) {
        return malformed(&format!("{at}.closing_bound"), "a bound is at most 1000000000");
    }
    // Nothing of these is ever below zero: an alert that had to come below it would never close.
    let share = matches!(term.kind, TermKind::LimitUsed | TermKind::BookShare);
    for (name, bound) in [("bound", term.bound), ("closing_bound", term.closing_bound)] {
        let field = format!("{at}.{name}");
        if share && bound.is_some_and(|bound| bound < Decimal::ZERO) {
            return malformed(&field, "a share is not below zero");
        }
        if term.kind == TermKind::Anomaly && bound.is_some_and(|bound| bound < Decimal::ZERO) {
            return malformed(&field, "a distance is not below zero");
        }
    }
    let most = match term.kind {
        TermKind::GradeWorse => MOST_GRADES,
        TermKind::NotchWorse => MOST_PARTS,
        _ => return within_bounds(term, at, far),
    };
    let whole = |bound: Decimal| bound.fract().is_zero() && bound >= Decimal::ONE;
    if term.bound.is_some_and(|bound| !whole(bound) || bound > Decimal::from(most)) {
        return malformed(
            &format!("{at}.bound"),
            &format!("it is a whole number from 1 to {most}"),
        );
    }
    within_bounds(term, at, far)
}

/// The spread, and the place of the closing bound.
fn within_bounds(term: &RuleTerm, at: &str, far: Decimal) -> Result<(), Refused> {
    if term.spread.is_some_and(|spread| spread <= Decimal::ZERO || spread > far) {
        return malformed(&format!("{at}.spread"), "a spread is more than zero");
    }
    let beyond = term.bound.zip(term.closing_bound).is_some_and(|(bound, closing)| {
        if term.kind == TermKind::Below { closing < bound } else { closing > bound }
    });
    if beyond {
        let detail = "an alert that opens at the bound would close at once";
        return malformed(&format!("{at}.closing_bound"), detail);
    }
    Ok(())
}

fn check_words(words: &Wording, field: &str) -> Result<(), Refused> {
    for (language, words) in [("en", &words.en), ("zh_cn", &words.zh_cn)] {
        let field = format!("{field}.{language}");
        text::check(words, 1, MAX_WORDS, &field)?;
        let mut rest = words.as_str();
        while let Some((_, name, tail)) = placeholder(rest) {
            if !PLACEHOLDERS.contains(&name) {
                let known = PLACEHOLDERS.join(", ");
                return malformed(&field, &format!("what stands in braces is one of {known}"));
            }
            rest = tail;
        }
    }
    Ok(())
}

/// The words before the next name in braces, the name, and the words after it.
pub(super) fn placeholder(words: &str) -> Option<(&str, &str, &str)> {
    let (plain, rest) = words.split_once('{')?;
    let (name, tail) = rest.split_once('}')?;
    Some((plain, name, tail))
}
