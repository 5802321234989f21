//! What a contract must satisfy, and when an invoice under it is due.
//!
//! An invoice of the day `d` is due `net_days` after `d`, or after the end of the month of `d` with `end_of_month`;
//! with `day_of_month` on the next such day on or after that. With instalments each part has its share of the amount
//! and its own days after `d`. Shares are cut to whole smallest units by the largest remainder (Hamilton): every part
//! has its share rounded down, and the units that are left go one each to the largest rests, the earlier part first.
//! A part that would be zero is left out.

use crate::decimal::Times as _;
use crate::{
    Date, Decimal, Refusal, Refused, attachment,
    contract::ledger::{LateInterest, Milestone, NewContract, PaymentTerms, TermPart},
    profile::value::{MAX_NAME, words},
};
use chrono::{Datelike, Months};
use rust_decimal::prelude::ToPrimitive;
use std::cmp::Reverse;

/// The most days that any term may run: ten years.
pub const MAX_DAYS: u32 = 3650;
/// The most parts of one invoice.
pub const MAX_PARTS: usize = 100;
/// The most milestones of one contract.
pub const MAX_MILESTONES: usize = 50;
/// The most decimals of a share: with the largest amount the product still is exact.
pub const MAX_SHARE_DECIMALS: u32 = 10;

/// When an invoice is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last day on which payment is in time; with instalments that of the last one.
    pub due_on: Date,
    /// Parts with due dates of their own, in rising order, which sum to the amount. Empty: due at once as a whole.
    pub instalments: Vec<(Date, i64)>,
}

/// Checks a contract that a client wrote, naming the first field at fault.
pub fn check(new: &NewContract) -> Result<(), Refused> {
    if let Some(title) = &new.title {
        words(title, MAX_NAME).map_err(|refused| refused.at("title"))?;
    }
    if new.ends_on.is_some_and(|ends_on| ends_on < new.effective_on) {
        return Err(malformed("ends_on", "a contract does not end before it is in force"));
    }
    if let Some(terms) = &new.terms {
        check_terms(terms)?;
    }
    if let Some(late) = &new.late_interest {
        clause(late)?;
    }
    attachment::check("attachments", new.attachments.as_deref())?;
    check_milestones(new.milestones.as_deref().unwrap_or_default())
}

/// The clause for late interest: its bounds are those of the interest it gives.
fn clause(late: &LateInterest) -> Result<(), Refused> {
    crate::interest::check(late).map_err(|refused| refused.within("late_interest"))
}

fn check_milestones(milestones: &[Milestone]) -> Result<(), Refused> {
    if milestones.len() > MAX_MILESTONES {
        let detail = format!("a contract has at most {MAX_MILESTONES} milestones");
        return Err(Refused::new(Refusal::TextTooLong, detail).at("milestones"));
    }
    for (index, milestone) in milestones.iter().enumerate() {
        let at = format!("milestones[{index}].name");
        words(&milestone.name, MAX_NAME).map_err(|refused| refused.at(&at))?;
    }
    Ok(())
}

fn check_terms(terms: &PaymentTerms) -> Result<(), Refused> {
    at_most_days("terms.net_days", terms.net_days)?;
    if terms.day_of_month.is_some_and(|day| !(1..=31).contains(&day)) {
        return Err(malformed("terms.day_of_month", "a day of a month is 1 to 31"));
    }
    if let Some(parts) = &terms.instalments {
        let whole = terms.net_days.is_some()
            || terms.end_of_month.is_some()
            || terms.day_of_month.is_some();
        if whole {
            let detail = "instalments stand in the place of the due date of the whole";
            return Err(malformed("terms.instalments", detail));
        }
        check_parts(parts)?;
    }
    at_most_days("terms.discount_days", terms.discount_days)?;
    match (terms.discount_share, terms.discount_days) {
        (None, None) => Ok(()),
        (Some(share), Some(_)) => {
            check_share("terms.discount_share", share)?;
            if share >= Decimal::ONE {
                return Err(malformed("terms.discount_share", "a discount is less than the whole"));
            }
            Ok(())
        }
        (Some(_), None) => Err(missing("terms.discount_days")),
        (None, Some(_)) => Err(missing("terms.discount_share")),
    }
}

fn check_parts(parts: &[TermPart]) -> Result<(), Refused> {
    if !(2..=MAX_PARTS).contains(&parts.len()) {
        let detail = format!("an invoice has 2 to {MAX_PARTS} instalments");
        return Err(malformed("terms.instalments", &detail));
    }
    let mut sum = Decimal::ZERO;
    let mut last: Option<u32> = None;
    for (index, part) in parts.iter().enumerate() {
        let at = |name: &str| format!("terms.instalments[{index}].{name}");
        check_share(&at("share"), part.share)?;
        at_most_days(&at("days"), Some(part.days))?;
        if last.is_some_and(|last| last >= part.days) {
            return Err(malformed(&at("days"), "each instalment is due after the one before"));
        }
        last = Some(part.days);
        sum = sum.saturating_add(part.share);
    }
    if sum != Decimal::ONE {
        let detail = format!("the shares sum to {} and not to 1", sum.normalize());
        return Err(Refused::new(Refusal::PartsExceedAmount, detail).at("terms.instalments"));
    }
    Ok(())
}

/// A share is above 0 and at most 1.
pub(crate) fn check_share(field: &str, share: Decimal) -> Result<(), Refused> {
    if share <= Decimal::ZERO || share > Decimal::ONE {
        return Err(malformed(field, "a share is above 0 and at most 1"));
    }
    if share.normalize().scale() > MAX_SHARE_DECIMALS {
        let detail = format!("a share has at most {MAX_SHARE_DECIMALS} decimals");
        return Err(malformed(field, &detail));
    }
    Ok(())
}

fn at_most_days(field: &str, days: Option<u32>) -> Result<(), Refused> {
    if days.is_some_and(|days| days > MAX_DAYS) {
        return Err(malformed(field, &format!("at most {MAX_DAYS} days")));
    }
    Ok(())
}

fn malformed(field: &str, detail: &str) -> Refused {
    Refused::new(Refusal::MalformedField, detail).at(field)
}

fn missing(field: &str) -> Refused {
    let detail = "a discount has a share and days: one without the other says nothing";
    Refused::new(Refusal::MissingField, detail).at(field)
}

/// When an invoice of this day and amount is due. The terms were checked when they were recorded.
pub fn due(terms: &PaymentTerms, issued_on: Date, amount_minor: i64) -> Result<Due, Refused> {
    let Some(parts) = &terms.instalments else {
        return Ok(Due { due_on: whole(terms, issued_on)?, instalments: Vec::new() });
    };
    let mut instalments = Vec::with_capacity(parts.len());
    for (part, minor) in parts.iter().zip(split(parts, amount_minor)?) {
        if minor > 0 {
            instalments.push((issued_on.plus_days(part.days.into())?, minor));
        }
    }
    let due_on = instalments.last().map_or(issued_on, |(due_on, _)| *due_on);
    // One part is the whole.
    if instalments.len() == 1 {
        instalments.clear();
    }
    Ok(Due { due_on, instalments })
}

fn whole(terms: &PaymentTerms, issued_on: Date) -> Result<Date, Refused> {
    let from = if terms.end_of_month == Some(true) { month_end(issued_on)? } else { issued_on };
    let earliest = from.plus_days(terms.net_days.unwrap_or(0).into())?;
    let Some(day) = terms.day_of_month else { return Ok(earliest) };
    let this_month = day_of_month(earliest, day)?;
    if this_month >= earliest {
        return Ok(this_month);
    }
    day_of_month(month_end(earliest)?.plus_days(1)?, day)
}

/// The last day of the month.
fn month_end(date: Date) -> Result<Date, Refused> {
    let out = || Refused::new(Refusal::DateOutOfRange, "the day is out of range");
    let next = date.month_start().naive().checked_add_months(Months::new(1)).ok_or_else(out)?;
    Date::new(next.pred_opt().ok_or_else(out)?)
}

/// The day with this number in the month of the date, or the last day of a month that has none.
fn day_of_month(date: Date, day: u32) -> Result<Date, Refused> {
    let end = month_end(date)?;
    let naive = date.naive();
    Date::from_ymd(naive.year(), naive.month(), day.min(end.naive().day()))
}

/// The amount by shares, in whole smallest units that sum to it.
fn split(parts: &[TermPart], amount_minor: i64) -> Result<Vec<i64>, Refused> {
    let beyond = || Refused::new(Refusal::AmountTooLarge, "the shares of the amount are too large");
    let mut minors = Vec::with_capacity(parts.len());
    let mut rests = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let exact = part.share.times(Decimal::from(amount_minor)).ok_or_else(beyond)?;
        let floor = exact.floor();
        minors.push(floor.to_i64().ok_or_else(beyond)?);
        rests.push((exact.checked_sub(floor).ok_or_else(beyond)?, index));
    }
    let given = crate::money::sum(minors.iter().copied())?;
    let left = usize::try_from(amount_minor.saturating_sub(given)).unwrap_or(0);
    // At most a hundred parts: looking for the largest rest each time is less than sorting them.
    for _ in 0..left {
        let largest = rests.iter().enumerate().max_by_key(|(_, rest)| (rest.0, Reverse(rest.1)));
        let Some((at, (_, index))) = largest else { break };
        if let Some(minor) = minors.get_mut(*index) {
            *minor = minor.saturating_add(1);
        }
        rests.swap_remove(at);
    }
    Ok(minors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn terms(text: &str) -> PaymentTerms {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_due_date_follows_the_terms_at_the_ends_of_months() {
        for (json, issued, due_on) in [
            ("{}", "2024-01-31", "2024-01-31"),
            (r#"{"net_days": 0}"#, "2024-01-31", "2024-01-31"),
            (r#"{"net_days": 30}"#, "2024-01-31", "2024-03-01"),
            (r#"{"net_days": 30}"#, "2023-01-31", "2023-03-02"),
            (r#"{"net_days": 1}"#, "2024-02-28", "2024-02-29"),
            (r#"{"net_days": 1}"#, "2023-02-28", "2023-03-01"),
            (r#"{"end_of_month": true}"#, "2024-02-01", "2024-02-29"),
            (r#"{"end_of_month": true}"#, "2023-02-28", "2023-02-28"),
            (r#"{"end_of_month": true}"#, "2100-02-01", "2100-02-28"),
            (r#"{"end_of_month": false, "net_days": 5}"#, "2024-02-01", "2024-02-06"),
            (r#"{"end_of_month": true, "net_days": 30}"#, "2024-12-05", "2025-01-30"),
            (r#"{"end_of_month": true, "net_days": 30}"#, "2024-01-31", "2024-03-01"),
            (r#"{"day_of_month": 15}"#, "2024-01-15", "2024-01-15"),
            (r#"{"day_of_month": 15}"#, "2024-01-16", "2024-02-15"),
            (r#"{"day_of_month": 31}"#, "2024-02-01", "2024-02-29"),
            (r#"{"day_of_month": 31}"#, "2024-02-29", "2024-02-29"),
            (r#"{"day_of_month": 30}"#, "2023-01-31", "2023-02-28"),
            (r#"{"day_of_month": 31}"#, "2024-04-30", "2024-04-30"),
            (r#"{"day_of_month": 1}"#, "2024-12-02", "2025-01-01"),
            (r#"{"net_days": 30, "day_of_month": 10}"#, "2024-01-12", "2024-03-10"),
            (
                r#"{"end_of_month": true, "net_days": 10, "day_of_month": 10}"#,
                "2024-01-12",
                "2024-02-10",
            ),
            (
                r#"{"end_of_month": true, "net_days": 1, "day_of_month": 31}"#,
                "2024-01-12",
                "2024-02-29",
            ),
        ] {
            let found = due(&terms(json), day(issued), 100).unwrap();
            assert_eq!(found.due_on, day(due_on), "{json} {issued}");
            assert!(found.instalments.is_empty());
        }
        let beyond = due(&terms(r#"{"net_days": 3650}"#), day("2199-01-01"), 100).unwrap_err();
        assert_eq!(beyond.code, Refusal::DateOutOfRange);
        let last = due(&terms(r#"{"end_of_month": true}"#), day("2199-12-05"), 100);
        assert_eq!(last.unwrap().due_on, day("2199-12-31"));
    }

    #[test]
    fn instalments_sum_to_the_amount_and_none_is_zero() {
        let thirds = r#"{"instalments": [{"share": "0.3333", "days": 0},
            {"share": "0.3333", "days": 30}, {"share": "0.3334", "days": 60}]}"#;
        let equal = r#"{"instalments": [{"share": "0.25", "days": 0},
            {"share": "0.25", "days": 1}, {"share": "0.5", "days": 2}]}"#;
        let small = r#"{"instalments": [{"share": "0.001", "days": 0},
            {"share": "0.999", "days": 1}]}"#;
        for (json, amount, wanted) in [
            (thirds, 100, vec![("2024-01-31", 33), ("2024-03-01", 33), ("2024-03-31", 34)]),
            // 0.66, 0.66 and 0.68 of a unit are left: the last part and the first get the two units.
            (thirds, 200, vec![("2024-01-31", 67), ("2024-03-01", 66), ("2024-03-31", 67)]),
            (thirds, 2, vec![("2024-01-31", 1), ("2024-03-31", 1)]),
            (thirds, 0, vec![]),
            (equal, 2, vec![("2024-01-31", 1), ("2024-02-02", 1)]),
            (equal, 3, vec![("2024-01-31", 1), ("2024-02-01", 1), ("2024-02-02", 1)]),
            (equal, 5, vec![("2024-01-31", 1), ("2024-02-01", 1), ("2024-02-02", 3)]),
            (small, 400, vec![]),
            (small, 1000, vec![("2024-01-31", 1), ("2024-02-01", 999)]),
        ] {
            let found = due(&terms(json), day("2024-01-31"), amount).unwrap();
            let wanted: Vec<(Date, i64)> =
                wanted.into_iter().map(|(on, minor)| (day(on), minor)).collect();
            assert_eq!(found.instalments, wanted, "{amount} by {json}");
            let last = wanted.last().map(|(on, _)| *on);
            assert!(last.is_none_or(|last| last == found.due_on));
        }
        // What is one part alone is due as a whole on that part's day.
        let alone = due(&terms(small), day("2024-01-31"), 400).unwrap();
        assert_eq!(alone, Due { due_on: day("2024-02-01"), instalments: vec![] });
    }

    proptest! {
        #[test]
        fn any_shares_cut_any_amount_to_the_unit(
            cuts in prop::collection::btree_set(1u32..10_000, 1..20),
            amount in prop_oneof![0i64..1_000, 0i64..=crate::money::MAX_MINOR],
        ) {
            let ends: Vec<u32> = cuts.into_iter().chain([10_000]).collect();
            let mut from = 0;
            let parts: Vec<TermPart> = ends
                .iter()
                .enumerate()
                .map(|(index, end)| {
                    let share = Decimal::new((end - from).into(), 4);
                    from = *end;
                    TermPart { share, days: u32::try_from(index).unwrap() }
                })
                .collect();
            check_parts(&parts).unwrap();
            let minors = split(&parts, amount).unwrap();
            prop_assert_eq!(minors.iter().sum::<i64>(), amount);
            for (part, minor) in parts.iter().zip(&minors) {
                let exact = part.share * Decimal::from(amount);
                prop_assert!((Decimal::from(*minor) - exact).abs() < Decimal::ONE);
            }
        }
    }

    #[test]
    fn a_contract_is_checked_field_by_field() {
        let parts = |one: &str, other: &str| {
            format!(
                r#""terms": {{"instalments": [{{"share": "{one}", "days": 0}},
                    {{"share": "{other}", "days": 30}}]}}"#
            )
        };
        for (more, wanted) in [
            (r#""title": "Frame 7""#.to_string(), ""),
            (r#""title": " ""#.into(), "title missing-field"),
            (r#""ends_on": "2024-01-01""#.into(), ""),
            (r#""ends_on": "2023-12-31""#.into(), "ends_on malformed-field"),
            (r#""terms": {"net_days": 3650}"#.into(), ""),
            (r#""terms": {"net_days": 3651}"#.into(), "terms.net_days malformed-field"),
            (r#""terms": {"day_of_month": 0}"#.into(), "terms.day_of_month malformed-field"),
            (r#""terms": {"day_of_month": 32}"#.into(), "terms.day_of_month malformed-field"),
            (r#""terms": {"discount_share": "0.02", "discount_days": 10}"#.into(), ""),
            (r#""terms": {"discount_share": "0.02"}"#.into(), "terms.discount_days missing-field"),
            (r#""terms": {"discount_days": 10}"#.into(), "terms.discount_share missing-field"),
            (
                r#""terms": {"discount_share": "1", "discount_days": 10}"#.into(),
                "terms.discount_share malformed-field",
            ),
            (
                r#""terms": {"discount_share": "0", "discount_days": 10}"#.into(),
                "terms.discount_share malformed-field",
            ),
            (parts("0.3", "0.7"), ""),
            (parts("0.3", "0.6"), "terms.instalments parts-exceed-amount"),
            (parts("0.3", "0.8"), "terms.instalments parts-exceed-amount"),
            (parts("0", "1"), "terms.instalments[0].share malformed-field"),
            (parts("0.33333333333", "0.66666666667"), "terms.instalments[0].share malformed-field"),
            (parts("0.3", "0.7").replace("30", "0"), "terms.instalments[1].days malformed-field"),
            (
                parts("0.3", "0.7").replace("{\"inst", "{\"net_days\": 1, \"inst"),
                "terms.instalments malformed-field",
            ),
            (
                r#""terms": {"instalments": [{"share": "1", "days": 0}]}"#.into(),
                "terms.instalments malformed-field",
            ),
            (r#""late_interest": {"rate": "0.12", "grace_days": 5}"#.into(), ""),
            (
                r#""late_interest": {"rate": "0.12", "grace_days": 366}"#.into(),
                "late_interest.grace_days malformed-field",
            ),
            (
                r#""late_interest": {"preset": "none"}"#.into(),
                "late_interest.preset unknown-preset",
            ),
            (
                r#""milestones": [{"name": "", "on": "2024-01-01"}]"#.into(),
                "milestones[0].name missing-field",
            ),
            (
                r#""attachments": [{"name": "x", "uri": "y", "sha256": "z"}]"#.into(),
                "attachments[0].sha256 malformed-field",
            ),
        ] {
            let text = format!(r#"{{"customer_id": "C", "effective_on": "2024-01-01", {more}}}"#);
            let found = match check(&serde_json::from_str(&text).unwrap()) {
                Ok(()) => String::new(),
                Err(refused) => format!("{} {}", refused.field.unwrap(), refused.code),
            };
            assert_eq!(found, wanted, "{more}");
        }
    }
}
