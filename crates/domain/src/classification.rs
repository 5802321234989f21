//! The class of a debtor by days overdue, and when it may become better.
//!
//! The days overdue of the oldest open item give a class at once when it is worse than the one before. A better class
//! comes only after all arrears are cleared and the debtor has performed for so many months: until then the worst class
//! since the last such time holds. What was late within these months is judged together with what came before it. Giving
//! up a debt clears nothing: the class that it had by then holds until it is recovered.

use crate::arrange::arrange;
use crate::{
    Date, Id, Refusal, Refused,
    contract::ledger::{Classification, RiskClass},
    delinquency::Part,
    text::counted,
};
use std::collections::BTreeSet;

/// The preset of the five classes of Chinese banks (2023 rules). The bounds 90, 270 and 360 are not confirmed against
/// the official text.
pub const PRC_FIVE_CLASS: &str = "prc-five-class";

/// The most classes a policy has.
const MAX_CLASSES: usize = 20;

/// The most months of performance a policy asks for.
const MAX_MONTHS: u32 = 120;

/// Classes from the best to the worst, and how long a debtor performs before it gets a better one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The first from 0 days on.
    pub classes: Vec<RiskClass>,
    /// Months after all arrears were cleared.
    pub performance_months: u32,
}

/// The scale that a policy asks for.
pub fn scale(policy: &Classification) -> Result<Scale, Refused> {
    let months = policy.performance_months;
    let (classes, usual) = match (&policy.preset, &policy.classes) {
        (Some(preset), None) => (preset_classes(preset)?, 6),
        (None, Some(classes)) => (classes.clone(), 0),
        _ => {
            let detail = "either a preset or classes of your own are named";
            return Err(Refused::new(Refusal::InvalidPolicy, detail).at("classification"));
        }
    };
    Ok(Scale { classes, performance_months: months.unwrap_or(usual) })
}

fn preset_classes(preset: &Id) -> Result<Vec<RiskClass>, Refused> {
    if preset.as_str() != PRC_FIVE_CLASS {
        let detail = format!("the one preset of classes is {PRC_FIVE_CLASS}");
        return Err(Refused::new(Refusal::UnknownPreset, detail).at("classification.preset"));
    }
    let classes = [
        ("normal", 0),
        ("special-mention", 1),
        ("substandard", 91),
        ("doubtful", 271),
        ("loss", 361),
    ];
    Ok(classes.map(|(name, from_days)| RiskClass { name: name.into(), from_days }).to_vec())
}

/// Checks the classification of a policy, naming the field at fault.
pub fn check(policy: &Classification) -> Result<(), Refused> {
    let scale = scale(policy)?;
    let invalid = |detail: &str, field: &str| {
        Err(Refused::new(Refusal::InvalidPolicy, detail).at(&format!("classification.{field}")))
    };
    if scale.performance_months > MAX_MONTHS {
        return invalid("at most 120 months", "performance_months");
    }
    if scale.classes.is_empty() || scale.classes.len() > MAX_CLASSES {
        return invalid("there are 1 to 20 classes", "classes");
    }
    let mut names = BTreeSet::new();
    let mut before = None;
    for (at, class) in scale.classes.iter().enumerate() {
        let field = |part: &str| format!("classes[{at}].{part}");
        crate::text::check(&class.name, 1, 50, &format!("classification.{}", field("name")))?;
        if !names.insert(&class.name) {
            return invalid("two classes have one name", &field("name"));
        }
        let rises = before.map_or(class.from_days == 0, |before| class.from_days > before);
        if !rises {
            return invalid(
                "the first begins with 0 and each later than the one before",
                &field("from_days"),
            );
        }
        before = Some(class.from_days);
    }
    Ok(())
}

/// The place of the class that the days alone give, the best being 0.
pub fn class_of(days_past_due: u32, classes: &[RiskClass]) -> usize {
    classes.iter().filter(|class| class.from_days <= days_past_due).count().saturating_sub(1)
}

/// A time without a break in which something was overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overdue {
    /// The first day on which something was overdue.
    pub from: Date,
    /// The first day on which nothing was. `None`: something still is.
    pub cleared_on: Option<Date>,
    /// The most days overdue of any item in it.
    pub worst_days: u32,
}

/// The times in which any of the parts was overdue, oldest first, up to the day.
pub fn overdue_times(parts: &[Part], day: Date) -> Vec<Overdue> {
    let mut times: Vec<Overdue> = parts.iter().flat_map(|part| times_of(part, day)).collect();
    arrange(&mut times, Ord::cmp);
    let mut joined: Vec<Overdue> = Vec::new();
    for time in times {
        match joined.last_mut() {
            Some(last) if last.cleared_on.is_none_or(|cleared| time.from <= cleared) => {
                let both = last.cleared_on.zip(time.cleared_on);
                last.cleared_on = both.map(|(one, other)| one.max(other));
                last.worst_days = last.worst_days.max(time.worst_days);
            }
            _ => joined.push(time),
        }
    }
    joined
}

/// What was late when it was given up is overdue until it is recovered, and no worse than it was by then.
fn times_of(part: &Part, day: Date) -> Vec<Overdue> {
    let Ok(late_from) = part.due_on.plus_days(1) else { return Vec::new() };
    let known: Vec<_> = part.open.iter().filter(|(from, _)| *from <= day).collect();
    let ends = known.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]);
    let (mut times, mut late) = (Vec::new(), None);
    for ((since, minor), cleared_on) in known.iter().zip(ends) {
        let from = late_from.max(*since);
        let last = cleared_on.map_or(Ok(day), |cleared| cleared.plus_days(-1)).unwrap_or(*since);
        if from > last {
            continue;
        }
        if *minor > 0 {
            late = Some(last);
        } else if !part.is_given_up(*since) {
            continue;
        }
        let worst_days = late.map(|late| late.days_past_due(part.due_on));
        times.extend(worst_days.map(|worst_days| Overdue { from, cleared_on, worst_days }));
    }
    times
}

/// The class of a debtor and why it is not better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classed {
    /// The class.
    pub class: String,
    /// The days overdue of the oldest open item.
    pub days_past_due: u32,
    /// The class that the days alone give, and since when nothing was overdue.
    pub because: String,
}

/// The class on the day, from the times in which something was overdue and the days overdue of the oldest open item.
pub fn class_on(scale: &Scale, times: &[Overdue], days_past_due: u32, day: Date) -> Classed {
    // The worst since the debtor last performed for long enough, as it stood before each time.
    let performed = |since: Date, until: Date| {
        until.minus_months(scale.performance_months).is_ok_and(|from| from >= since)
    };
    let mut worst = 0;
    let mut cleared: Option<Date> = None;
    for time in times {
        if cleared.is_some_and(|since| performed(since, time.from)) {
            worst = 0;
        }
        worst = worst.max(class_of(time.worst_days, &scale.classes));
        cleared = time.cleared_on;
    }
    if cleared.is_some_and(|since| performed(since, day)) {
        worst = 0;
    }
    let by_days = class_of(days_past_due, &scale.classes);
    let name = |at: usize| scale.classes.get(at).map_or("", |class| class.name.as_str());
    let class = name(worst.max(by_days));
    let since = match (times.last(), cleared) {
        (None, _) => "nothing was ever overdue".to_string(),
        (_, None) if days_past_due == 0 => "what was given up is not recovered".to_string(),
        (_, None) => "something is overdue".to_string(),
        (_, Some(since)) => format!("nothing overdue since {since}"),
    };
    let held = if worst > by_days {
        let months = counted(scale.performance_months.into(), "month");
        format!("; {class} holds until {months} after all is cleared")
    } else {
        String::new()
    };
    let because =
        format!("{} by {}, {since}{held}", name(by_days), counted(days_past_due.into(), "day"));
    Classed { class: class.to_string(), days_past_due, because }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn five() -> Scale {
        let policy = Classification {
            preset: Some(PRC_FIVE_CLASS.parse().unwrap()),
            classes: None,
            performance_months: None,
        };
        check(&policy).unwrap();
        scale(&policy).unwrap()
    }

    #[test]
    fn the_five_classes_begin_with_days_1_91_271_and_361() {
        let scale = five();
        for (days, class) in [
            (0, "normal"),
            (1, "special-mention"),
            (90, "special-mention"),
            (91, "substandard"),
            (270, "substandard"),
            (271, "doubtful"),
            (360, "doubtful"),
            (361, "loss"),
            (5000, "loss"),
        ] {
            assert_eq!(scale.classes[class_of(days, &scale.classes)].name, class, "{days}");
        }
    }

    fn part(due: &str, open: &[(&str, i64)]) -> Part {
        let open = open.iter().map(|(from, minor)| (date(from), *minor)).collect();
        Part { due_on: date(due), open, given_up: Vec::new(), pauses: Vec::new() }
    }

    #[test]
    fn one_day_and_one_month_are_not_many() {
        for (days, months, class, told) in [
            (0, 0, "normal", "normal by 0 days"),
            (1, 1, "special-mention", "special-mention by 1 day"),
            (2, 2, "special-mention", "special-mention by 2 days"),
        ] {
            let scale = Scale { performance_months: months, ..five() };
            let found = class_on(&scale, &[], days, date("2024-06-30"));
            assert_eq!(
                (found.class.as_str(), found.because.split(',').next()),
                (class, Some(told))
            );
        }
        let parts = [part("2024-01-10", &[("2024-01-01", 5), ("2024-05-20", 0)])];
        for (months, told) in [(1, "until 1 month after"), (2, "until 2 months after")] {
            let (scale, day) = (Scale { performance_months: months, ..five() }, date("2024-05-21"));
            let found = class_on(&scale, &overdue_times(&parts, day), 0, day);
            assert!(found.because.contains(told), "{}", found.because);
        }
    }

    fn check_class(parts: &[Part], table: &str) {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (day, class) = line.split_once(' ').unwrap();
            let day = date(day);
            let late = parts.iter().filter(|part| part.is_open(day));
            let days = late.map(|part| day.days_past_due(part.due_on)).max().unwrap_or(0);
            let got = class_on(&five(), &overdue_times(parts, day), days, day);
            assert_eq!(got.class, class, "{day}: {}", got.because);
        }
    }

    #[test]
    fn a_worse_class_comes_at_once_and_a_better_one_after_six_months() {
        check_class(
            &[part("2024-01-10", &[("2024-01-01", 5), ("2024-04-20", 0)])],
            "2024-01-10 normal
             2024-01-11 special-mention
             2024-04-09 special-mention
             2024-04-10 substandard
             2024-04-19 substandard
             2024-04-20 substandard
             2024-10-19 substandard
             2024-10-20 normal",
        );
    }

    #[test]
    fn all_arrears_are_cleared_before_the_months_begin() {
        check_class(
            &[
                part("2024-01-10", &[("2024-01-01", 5), ("2024-04-20", 0)]),
                part("2024-04-15", &[("2024-04-01", 5), ("2024-05-10", 0)]),
            ],
            "2024-04-20 substandard
             2024-10-20 substandard
             2024-11-09 substandard
             2024-11-10 normal",
        );
    }

    #[test]
    fn being_late_again_within_the_months_begins_them_anew() {
        let late_again = |due: &str| {
            [
                part("2024-01-10", &[("2024-01-01", 5), ("2024-04-20", 0)]),
                part(due, &[("2024-05-01", 5), ("2025-01-01", 0)]),
            ]
        };
        // Overdue from 2024-10-20: the six months had passed.
        check_class(
            &late_again("2024-10-19"),
            "2024-10-20 special-mention
             2025-06-30 special-mention
             2025-07-01 normal",
        );
        // Overdue from 2024-10-19: they had not.
        check_class(
            &late_again("2024-10-18"),
            "2024-10-20 substandard
             2025-06-30 substandard
             2025-07-01 normal",
        );
    }

    #[test]
    fn a_chargeback_is_late_from_the_due_date() {
        check_class(
            &[part("2024-01-10", &[("2024-01-01", 5), ("2024-01-10", 0), ("2024-05-01", 5)])],
            "2024-04-30 normal
             2024-05-01 substandard",
        );
    }

    #[test]
    fn what_is_given_up_keeps_its_class_until_it_is_recovered() {
        let given = |due: &str, open: &[(&str, i64)], given: &[(&str, i64)]| Part {
            given_up: given.iter().map(|(from, minor)| (date(from), *minor)).collect(),
            ..part(due, open)
        };
        let off = [("2024-01-01", 5), ("2024-04-20", 0)];
        check_class(
            &[given("2024-01-10", &off, &[("2024-04-20", 5)])],
            "2024-04-19 substandard
             2024-04-20 substandard
             2024-10-20 substandard
             2026-10-20 substandard",
        );
        // Recovered: the months begin.
        let again = [("2024-01-01", 5), ("2024-04-20", 0), ("2024-06-01", 0)];
        check_class(
            &[given("2024-01-10", &again, &[("2024-04-20", 5), ("2024-06-01", 0)])],
            "2024-11-30 substandard
             2024-12-01 normal",
        );
        // Recovered in part, and the rest not.
        check_class(
            &[given("2024-01-10", &again, &[("2024-04-20", 5), ("2024-06-01", 1)])],
            "2024-05-31 substandard
             2024-12-01 substandard",
        );
        // What was not late by then says nothing.
        for (on, class) in
            [("2024-01-10", "normal"), ("2024-01-11", "normal"), ("2024-01-12", "special-mention")]
        {
            check_class(
                &[given("2024-01-10", &[("2024-01-01", 5), (on, 0)], &[(on, 5)])],
                &format!("2024-12-31 {class}"),
            );
        }
        // It holds together with what comes later.
        check_class(
            &[
                given("2024-01-10", &off, &[("2024-04-20", 5)]),
                part("2025-04-15", &[("2025-04-01", 5), ("2025-05-10", 0)]),
            ],
            "2025-04-16 substandard
             2026-01-01 substandard",
        );
    }

    #[test]
    fn a_classification_is_named_by_the_field_at_fault() {
        let class = |name: &str, from_days| RiskClass { name: name.into(), from_days };
        let own = |classes| Classification {
            preset: None,
            classes: Some(classes),
            performance_months: None,
        };
        assert_eq!(scale(&own(vec![class("good", 0)])).unwrap().performance_months, 0);
        let both = Classification {
            preset: Some(PRC_FIVE_CLASS.parse().unwrap()),
            ..own(vec![class("good", 0)])
        };
        let unknown = Classification {
            preset: Some("basel".parse().unwrap()),
            classes: None,
            performance_months: None,
        };
        for (policy, code, field) in [
            (both, Refusal::InvalidPolicy, ""),
            (unknown, Refusal::UnknownPreset, ".preset"),
            (own(vec![]), Refusal::InvalidPolicy, ".classes"),
            (own(vec![class("good", 1)]), Refusal::InvalidPolicy, ".classes[0].from_days"),
            (
                own(vec![class("good", 0), class("bad", 0)]),
                Refusal::InvalidPolicy,
                ".classes[1].from_days",
            ),
            (
                own(vec![class("good", 0), class("good", 5)]),
                Refusal::InvalidPolicy,
                ".classes[1].name",
            ),
            (own(vec![class("", 0)]), Refusal::MissingField, ".classes[0].name"),
            (
                Classification { performance_months: Some(121), ..own(vec![class("good", 0)]) },
                Refusal::InvalidPolicy,
                ".performance_months",
            ),
        ] {
            let refused = check(&policy).unwrap_err();
            assert_eq!(
                (refused.code, refused.field),
                (code, Some(format!("classification{field}")))
            );
        }
    }
}
