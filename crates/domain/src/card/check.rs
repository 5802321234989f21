//! What a card must satisfy before it may judge anybody.

use super::{THIN_FILE, runs_on};
use crate::{
    Decimal, Refusal, Refused,
    contract::{
        score::{Anchor, CardDocument, IndicatorRule},
        types::Grade,
    },
};
use std::collections::BTreeSet;

/// The most indicators: more than there are independent things to look at.
const MAX_INDICATORS: usize = 40;

/// The most points of a scale.
const MAX_ANCHORS: usize = 50;

/// The most that one indicator weighs.
const MAX_WEIGHT: u32 = 1_000;

/// The most items that a thin file may lack.
const MAX_THIN: u32 = 100;

/// The most months between two reviews: ten years.
const MAX_REVIEW_MONTHS: u32 = 120;

/// The most parts of a grade.
const MAX_NOTCHES: u32 = 3;

/// The most decimals of a score.
const MAX_DECIMALS: u32 = 1;

/// The longest name, in characters.
const MAX_NAME: usize = 40;

/// The longest reason in words, in characters.
const MAX_TEXT: usize = 500;

/// What a reason may have filled in.
const PLACEHOLDERS: [&str; 3] = ["value", "percent", "days"];

/// The longest segment, as in a customer's record.
const MAX_SEGMENT: usize = 200;

/// No fact comes near, and no arithmetic on it overflows.
const MAX_VALUE: u32 = 1_000_000_000;

/// Checks a card that a client wrote, naming the first field at fault.
pub fn check(card: &CardDocument) -> Result<(), Refused> {
    if let Some(segment) = &card.segment {
        between(segment.chars().count(), 1, MAX_SEGMENT, "segment")?;
    }
    between(card.indicators.len(), 1, MAX_INDICATORS, "indicators")?;
    let mut names = BTreeSet::new();
    for (at, rule) in card.indicators.iter().enumerate() {
        let within = |refused: Refused| refused.within(&format!("indicators[{at}]"));
        indicator(rule).map_err(within)?;
        if !names.insert(&rule.name) {
            return Err(within(invalid("two indicators have one name", "name")));
        }
    }
    between(card.thin_below, 0, MAX_THIN, "thin_below")?;
    if let Some(points) = card.reason_from {
        between(points, Decimal::ZERO, Decimal::ONE_HUNDRED, "reason_from")?;
    }
    grades(card)?;
    between(card.notches.unwrap_or(1), 1, MAX_NOTCHES, "notches")?;
    between(card.decimals.unwrap_or(0), 0, MAX_DECIMALS, "decimals")
}

fn indicator(rule: &IndicatorRule) -> Result<(), Refused> {
    slug(&rule.name, "name")?;
    if rule.less == Some(rule.fact) {
        return Err(invalid("a fact less itself is always nothing", "less"));
    }
    if let Some(floor) = rule.floor {
        value(floor, "floor")?;
    }
    between(rule.weight, 1, MAX_WEIGHT, "weight")?;
    match (&rule.anchors, &rule.bands) {
        (Some(anchors), None) => scale(rule, anchors, "anchors")?,
        (None, Some(bands)) => scale(rule, bands, "bands")?,
        _ => return Err(invalid("an indicator has either anchors or bands", "anchors")),
    }
    if let Some(share) = rule.blameless {
        between(share, Decimal::ZERO, Decimal::ONE, "blameless")?;
    }
    slug(&rule.reason, "reason")?;
    if rule.reason == THIN_FILE {
        return Err(invalid("this reason is given by the card itself", "reason"));
    }
    for (words, field) in [(&rule.text.en, "text.en"), (&rule.text.zh_cn, "text.zh_cn")] {
        between(words.chars().count(), 1, MAX_TEXT, field)?;
        let mut named = words.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        if named.any(|name| !PLACEHOLDERS.contains(&name)) {
            let known = PLACEHOLDERS.join(", ");
            return Err(invalid(format!("what stands in braces is one of {known}"), field));
        }
    }
    Ok(())
}

fn scale(rule: &IndicatorRule, points: &[Anchor], field: &str) -> Result<(), Refused> {
    between(points.len(), 1, MAX_ANCHORS, field)?;
    let mut before: Option<&Anchor> = None;
    for (at, point) in points.iter().enumerate() {
        let part = |part: &str| format!("{field}[{at}].{part}");
        value(point.at, &part("at"))?;
        between(point.share, Decimal::ZERO, Decimal::ONE, &part("share"))?;
        if let Some(before) = before {
            if point.at <= before.at {
                return Err(invalid("each lies above the one before", &part("at")));
            }
            if !runs_on(rule.direction, before.share, point.share) {
                let detail = format!("the shares run against {}", rule.direction);
                return Err(invalid(detail, &part("share")));
            }
        }
        before = Some(point);
    }
    Ok(())
}

/// The grades cut 0 to 100 into pieces without a gap: all of them, each lower than the one before, the last from 0.
fn grades(card: &CardDocument) -> Result<(), Refused> {
    let partition =
        |detail: &str, field: &str| Err(Refused::new(Refusal::NotAPartition, detail).at(field));
    if card.grades.len() != Grade::ALL.len() {
        return partition("every grade stands once, the best first", "grades");
    }
    let mut before = None;
    for (at, (bound, wanted)) in card.grades.iter().zip(Grade::ALL).enumerate() {
        let field = |part: &str| format!("grades[{at}].{part}");
        if bound.grade != *wanted {
            return partition("every grade stands once, the best first", &field("grade"));
        }
        between(bound.at_least, Decimal::ZERO, Decimal::ONE_HUNDRED, &field("at_least"))?;
        if before.is_some_and(|before| bound.at_least >= before) {
            return partition("each begins below the one before", &field("at_least"));
        }
        between(bound.review_months, 1, MAX_REVIEW_MONTHS, &field("review_months"))?;
        before = Some(bound.at_least);
    }
    match before {
        Some(last) if last.is_zero() => Ok(()),
        _ => partition("the last begins at 0", "grades[4].at_least"),
    }
}

/// Checks a name of cards, indicators, reasons and tiers: 1 to 40 small letters, digits and hyphens.
pub fn slug(text: &str, field: &str) -> Result<(), Refused> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=MAX_NAME).contains(&text.len()) && text.chars().all(fits) {
        return Ok(());
    }
    Err(invalid(format!("1 to {MAX_NAME} small letters, digits and hyphens"), field))
}

fn value(value: Decimal, field: &str) -> Result<(), Refused> {
    between(value.abs(), Decimal::ZERO, Decimal::from(MAX_VALUE), field)
}

pub(crate) fn between<T: PartialOrd + std::fmt::Display>(
    value: T,
    least: T,
    most: T,
    field: &str,
) -> Result<(), Refused> {
    if (&least..=&most).contains(&&value) {
        return Ok(());
    }
    Err(invalid(format!("{value} is not {least} to {most}"), field))
}

pub(crate) fn invalid(detail: impl Into<String>, field: &str) -> Refused {
    Refused::new(Refusal::InvalidCard, detail).at(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::shipped;
    use serde_json::{Value, json};

    #[test]
    fn the_shipped_card_is_good() {
        check(&shipped()).unwrap();
    }

    /// The shipped card with one value put in another's place.
    fn with(pointer: &str, value: Value) -> Result<(), Refused> {
        let mut card = serde_json::to_value(shipped()).unwrap();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let parent = card.pointer_mut(parent).unwrap();
        match last.parse::<usize>() {
            Ok(at) => parent[at] = value,
            Err(_) => parent[last] = value,
        }
        check(&serde_json::from_value(card).unwrap())
    }

    #[test]
    fn a_card_is_refused_by_the_field_at_fault() {
        let anchor = |at: &str, share: &str| json!({"at": at, "share": share});
        let first = "/indicators/0";
        for (pointer, value, code, field) in [
            ("/segment", json!(""), Refusal::InvalidCard, "segment"),
            (
                "/indicators/0/text/zh_cn",
                json!("{day}"),
                Refusal::InvalidCard,
                "indicators[0].text.zh_cn",
            ),
            ("/indicators", json!([]), Refusal::InvalidCard, "indicators"),
            ("/indicators/0/name", json!("Pays late"), Refusal::InvalidCard, "indicators[0].name"),
            (
                "/indicators/1/name",
                json!("payment-index"),
                Refusal::InvalidCard,
                "indicators[1].name",
            ),
            ("/indicators/0/weight", json!(0), Refusal::InvalidCard, "indicators[0].weight"),
            ("/indicators/0/weight", json!(1001), Refusal::InvalidCard, "indicators[0].weight"),
            (
                "/indicators/0/less",
                json!("days-beyond-terms-12m"),
                Refusal::InvalidCard,
                "indicators[0].less",
            ),
            (
                "/indicators/0/floor",
                json!("1000000001"),
                Refusal::InvalidCard,
                "indicators[0].floor",
            ),
            ("/indicators/0/anchors", json!([]), Refusal::InvalidCard, "indicators[0].anchors"),
            ("/indicators/0/anchors", json!(null), Refusal::InvalidCard, "indicators[0].anchors"),
            (
                "/indicators/0/bands",
                json!([anchor("0", "1")]),
                Refusal::InvalidCard,
                "indicators[0].anchors",
            ),
            (
                "/indicators/0/anchors",
                json!([anchor("0", "1"), anchor("0", "0.5")]),
                Refusal::InvalidCard,
                "indicators[0].anchors[1].at",
            ),
            (
                "/indicators/0/anchors",
                json!([anchor("0", "0.5"), anchor("1", "0.6")]),
                Refusal::InvalidCard,
                "indicators[0].anchors[1].share",
            ),
            (
                "/indicators/0/anchors",
                json!([anchor("0", "1.1")]),
                Refusal::InvalidCard,
                "indicators[0].anchors[0].share",
            ),
            (
                "/indicators/0/direction",
                json!("higher-is-better"),
                Refusal::InvalidCard,
                "indicators[0].anchors[1].share",
            ),
            (
                "/indicators/0/blameless",
                json!("1.01"),
                Refusal::InvalidCard,
                "indicators[0].blameless",
            ),
            (
                "/indicators/0/reason",
                json!("thin-file"),
                Refusal::InvalidCard,
                "indicators[0].reason",
            ),
            ("/indicators/0/text/en", json!(""), Refusal::InvalidCard, "indicators[0].text.en"),
            (
                "/indicators/0/text/zh_cn",
                json!("长".repeat(501)),
                Refusal::InvalidCard,
                "indicators[0].text.zh_cn",
            ),
            ("/thin_below", json!(101), Refusal::InvalidCard, "thin_below"),
            ("/reason_from", json!("101"), Refusal::InvalidCard, "reason_from"),
            ("/notches", json!(4), Refusal::InvalidCard, "notches"),
            ("/decimals", json!(2), Refusal::InvalidCard, "decimals"),
            ("/grades", json!([]), Refusal::NotAPartition, "grades"),
            ("/grades/1/grade", json!("A"), Refusal::NotAPartition, "grades[1].grade"),
            ("/grades/1/at_least", json!("85"), Refusal::NotAPartition, "grades[1].at_least"),
            ("/grades/0/at_least", json!("101"), Refusal::InvalidCard, "grades[0].at_least"),
            ("/grades/4/at_least", json!("1"), Refusal::NotAPartition, "grades[4].at_least"),
            ("/grades/2/review_months", json!(0), Refusal::InvalidCard, "grades[2].review_months"),
        ] {
            let refused = with(pointer, value.clone()).unwrap_err();
            let found = (refused.code, refused.field.as_deref());
            assert_eq!(found, (code, Some(field)), "{pointer} {value}: {}", refused.detail);
        }
        with(first, serde_json::to_value(&shipped().indicators[0]).unwrap()).unwrap();
    }

    #[test]
    fn a_scale_may_be_flat_and_may_run_up_where_more_is_better() {
        let up = json!([{"at": "0", "share": "0"}, {"at": "1", "share": "1"}, {"at": "2", "share": "1"}]);
        let mut card = serde_json::to_value(shipped()).unwrap();
        card["indicators"][0]["direction"] = json!("higher-is-better");
        card["indicators"][0]["anchors"] = json!(null);
        card["indicators"][0]["bands"] = up;
        check(&serde_json::from_value(card).unwrap()).unwrap();
    }
}
