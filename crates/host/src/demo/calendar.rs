//! Dates as an office keeps them. Public holidays are left out: they are data of the application,
//! not of the demo company.

use chrono::{Datelike, Days, NaiveDate, TimeDelta, Weekday};

/// A weekend has two days, so two steps always leave it.
const WEEKEND_DAYS: u64 = 2;

/// The date so many days later (or earlier); stays where the calendar of chrono ends.
pub(super) fn add_days(date: NaiveDate, days: i64) -> NaiveDate {
    TimeDelta::try_days(days).and_then(|delta| date.checked_add_signed(delta)).unwrap_or(date)
}

pub(super) fn days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    to.signed_duration_since(from).num_days()
}

pub(super) fn is_weekday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

pub(super) fn weekday_on_or_after(date: NaiveDate) -> NaiveDate {
    let step = |days| date.checked_add_days(Days::new(days));
    (0..=WEEKEND_DAYS).filter_map(step).find(|day| is_weekday(*day)).unwrap_or(date)
}

pub(super) fn weekday_on_or_before(date: NaiveDate) -> NaiveDate {
    let step = |days| date.checked_sub_days(Days::new(days));
    (0..=WEEKEND_DAYS).filter_map(step).find(|day| is_weekday(*day)).unwrap_or(date)
}

/// The next Friday, or the same day when it is one: the day of a weekly payment run.
pub(super) fn friday_on_or_after(date: NaiveDate) -> NaiveDate {
    let ahead = 4 - i64::from(date.weekday().num_days_from_monday());
    add_days(date, if ahead < 0 { ahead + 7 } else { ahead })
}

/// The weekdays of every calendar month that touches the period, month by month.
pub(super) fn working_months(from: NaiveDate, to: NaiveDate) -> Vec<Vec<NaiveDate>> {
    let mut months: Vec<Vec<NaiveDate>> = Vec::new();
    let mut month = from.with_day(1);
    while let Some(first) = month.filter(|first| *first <= to) {
        let same = |day: &NaiveDate| (day.year(), day.month()) == (first.year(), first.month());
        months.push(first.iter_days().take_while(same).filter(|day| is_weekday(*day)).collect());
        month = first.checked_add_months(chrono::Months::new(1));
    }
    months
}

/// Whether the date falls in the three months that begin with month `first` (1 to 12).
pub(super) fn in_quarter_from(date: NaiveDate, first: u32) -> bool {
    (date.month() + 12 - first.clamp(1, 12)) % 12 < 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn weekends_roll_to_the_nearest_weekday_asked_for() {
        for (date, before, after, friday) in [
            ("2026-11-20", "2026-11-20", "2026-11-20", "2026-11-20"),
            ("2026-11-21", "2026-11-20", "2026-11-23", "2026-11-27"),
            ("2026-11-22", "2026-11-20", "2026-11-23", "2026-11-27"),
            ("2026-11-23", "2026-11-23", "2026-11-23", "2026-11-27"),
        ] {
            assert_eq!(weekday_on_or_before(day(date)), day(before));
            assert_eq!(weekday_on_or_after(day(date)), day(after));
            assert_eq!(friday_on_or_after(day(date)), day(friday));
        }
    }

    #[test]
    fn a_quarter_may_cross_the_year() {
        for (date, inside) in [("2025-11-30", true), ("2026-01-01", true), ("2026-02-01", false)] {
            assert_eq!(in_quarter_from(day(date), 11), inside, "{date}");
        }
    }

    #[test]
    fn months_hold_their_weekdays_only() {
        let months = working_months(day("2024-01-31"), day("2024-03-01"));
        assert_eq!(months.iter().map(Vec::len).collect::<Vec<_>>(), [23, 21, 21]);
        assert_eq!(months[1].last(), Some(&day("2024-02-29")));
    }
}
