//! Calendars: which level of reminder stands how many days after the due date.

use crate::{Currency, Date, contract::remind::NoticeLevel};

/// One level of a policy and the days after the due date from which it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The level.
    pub level: NoticeLevel,
    /// Days after the due date; negative before it. Up to 0 it is a courtesy, above it a reminder.
    pub days: i64,
}

/// A calendar of levels: a document with a name and a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Name and version, as in `calendar@1`.
    pub rule: &'static str,
    /// The levels, ascending in level and in days.
    pub steps: &'static [Step],
    /// The least days from one notice to the next for one customer and currency. Two: a notice every second day is
    /// sent every second day, and no level of [`CALENDAR`] is closer to the next.
    pub minimum_interval_days: i64,
}

/// The default calendar: 3 days before, on the day, 3 and 7 days after.
pub const CALENDAR: Policy = Policy {
    rule: "calendar@1",
    steps: &[
        Step { level: NoticeLevel::Upcoming, days: -3 },
        Step { level: NoticeLevel::Due, days: 0 },
        Step { level: NoticeLevel::First, days: 3 },
        Step { level: NoticeLevel::Second, days: 7 },
    ],
    minimum_interval_days: 2,
};

/// An item below this is not worth a letter: 1.00 of a currency with decimals, 100 of one without (JPY, KRW), whose
/// unit is worth about a hundredth.
pub fn tolerance_minor(currency: Currency) -> i64 {
    10i64.saturating_pow(currency.exponent().max(2))
}

/// The first day on which a new item can lead to a notice, for `next_action_on`.
pub fn first_action_on(policy: &Policy, due_on: Date) -> Date {
    let first = policy.steps.first().map_or(0, |step| step.days);
    due_on.plus_days(first).unwrap_or(due_on)
}

/// How many steps are behind an item that had this level.
pub(crate) fn steps_up_to(policy: &Policy, level: Option<NoticeLevel>) -> usize {
    level.map_or(0, |level| policy.steps.iter().filter(|step| step.level <= level).count())
}

/// How many steps are behind an item when a notice names it so many days after its due date: one more at most, but
/// courtesies whose day has passed are passed over.
pub(crate) fn climb(policy: &Policy, done: usize, days: i64) -> usize {
    let come = policy.steps.iter().filter(|step| step.days <= days).count();
    let courtesies = policy.steps.iter().filter(|step| step.days <= 0).count();
    done.max(come.min(done.max(courtesies).saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_ascends_and_leaves_the_interval_between_its_levels() {
        for pair in CALENDAR.steps.windows(2) {
            assert!(pair[0].level < pair[1].level);
            assert!(pair[1].days.saturating_sub(pair[0].days) >= CALENDAR.minimum_interval_days);
        }
        assert!(CALENDAR.steps.iter().map(|step| &step.level).eq(NoticeLevel::ALL));
    }

    #[test]
    fn the_first_day_to_act_is_that_of_the_first_level() {
        let first = |due: &str| first_action_on(&CALENDAR, due.parse().unwrap()).to_string();
        assert_eq!(first("2024-03-02"), "2024-02-28");
        assert_eq!(first("1900-01-02"), "1900-01-02");
    }

    #[test]
    fn the_tolerance_is_about_one_unit_of_money() {
        for (code, minor) in [("CNY", 100), ("USD", 100), ("JPY", 100), ("KWD", 1000)] {
            assert_eq!(tolerance_minor(code.parse().unwrap()), minor, "{code}");
        }
    }
}
