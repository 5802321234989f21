//! How the days between two dates become a share of a year.
//!
//! A share is exact: so many units of [`DayCount::year`]. Every convention reads both ends of a period on a [`Ruler`],
//! which the first end chooses; the units between them are the difference of two marks. So a day more for a million
//! periods is one number for each ruler, and SQL can take the difference itself.

use crate::{Date, Refusal, Refused, spelling};
use chrono::Datelike as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A day count convention. Its spellings begin with digits, which no WIT name may, so that the contract has a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayCount {
    /// Actual days over 360.
    Act360,
    /// Actual days over 365, leap year or not.
    Act365F,
    /// Actual days over the length of each year, split at 1 January.
    ActActIsda,
    /// Months of 30 days over 360: day 31 becomes 30, the second one only after a first of 30 or 31.
    Bond30360,
    /// Months of 30 days over 360: every day 31 becomes 30.
    Euro30360,
    /// Bond basis with the last day of February as day 30.
    Us30360,
}

impl DayCount {
    /// Every convention with its spelling.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Act360, "act-360"),
        (Self::Act365F, "act-365f"),
        (Self::ActActIsda, "act-act-isda"),
        (Self::Bond30360, "30-360-bond"),
        (Self::Euro30360, "30e-360"),
        (Self::Us30360, "30-360-us"),
    ];

    /// The spelling.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(count, _)| *count == self).map_or("", |(_, name)| name)
    }

    /// The units of a whole year. Of `act-act-isda` a day is 366 units in a common year and 365 in a leap year.
    pub fn year(self) -> i64 {
        match self {
            Self::Act365F => 365,
            Self::ActActIsda => 365 * 366,
            Self::Act360 | Self::Bond30360 | Self::Euro30360 | Self::Us30360 => 360,
        }
    }

    /// The units from one day to another, the first counted and the last not; the same day gives 0.
    pub fn units(self, from: Date, to: Date) -> i64 {
        let (ruler, mark) = self.ruler(from);
        ruler.mark(to).saturating_sub(mark)
    }

    /// The days from one day to another as this convention counts them.
    pub fn days(self, from: Date, to: Date) -> i64 {
        match self {
            Self::ActActIsda => to.days_since(from),
            _ => self.units(from, to),
        }
    }

    /// The ruler of periods that begin on this day, and where they begin on it.
    pub fn ruler(self, from: Date) -> (Ruler, i64) {
        let day = from.naive().day();
        let (ruler, start) = match self {
            Self::Act360 | Self::Act365F => return (Ruler::Days, Ruler::Days.mark(from)),
            Self::ActActIsda => return (Ruler::Years, Ruler::Years.mark(from)),
            Self::Us30360 if is_february_end(from) => (Ruler::ThirtyFebruary, 30),
            Self::Us30360 | Self::Bond30360 if day < 30 => (Ruler::Thirty, day),
            Self::Us30360 | Self::Bond30360 | Self::Euro30360 => (Ruler::ThirtyCapped, day.min(30)),
        };
        (ruler, thirty(from, start))
    }

    /// The ruler of late interest whose first day is this one, and where it begins: months of 30 days count from the
    /// day before, on which payment was in time, as practice does; otherwise every day that bears counts itself.
    pub fn bearing_from(self, first: Date) -> (Ruler, i64) {
        match self {
            Self::ActActIsda => self.ruler(first),
            _ => self.ruler(first.plus_days(-1).unwrap_or(Date::FIRST)),
        }
    }
}

/// What the end of a period is read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ruler {
    /// Actual days.
    Days,
    /// Actual days, each weighed by the length of its year.
    Years,
    /// Months of 30 days; day 31 counts as 31.
    Thirty,
    /// Months of 30 days; day 31 counts as 30.
    ThirtyCapped,
    /// Months of 30 days; day 31 and the last day of February count as 30.
    ThirtyFebruary,
}

impl Ruler {
    /// Every ruler; the place is its number in the database.
    pub const ALL: [Self; 5] =
        [Self::Days, Self::Years, Self::Thirty, Self::ThirtyCapped, Self::ThirtyFebruary];

    /// The number in the database.
    pub fn number(self) -> i64 {
        match self {
            Self::Days => 0,
            Self::Years => 1,
            Self::Thirty => 2,
            Self::ThirtyCapped => 3,
            Self::ThirtyFebruary => 4,
        }
    }

    /// Where a day stands on this ruler.
    pub fn mark(self, day: Date) -> i64 {
        let of_month = day.naive().day();
        match self {
            Self::Days => days_before(day),
            Self::Years => years(day),
            Self::Thirty => thirty(day, of_month),
            Self::ThirtyCapped => thirty(day, of_month.min(30)),
            Self::ThirtyFebruary if is_february_end(day) => thirty(day, 30),
            Self::ThirtyFebruary => thirty(day, of_month.min(30)),
        }
    }

    /// Where late interest stands whose last day is this one, begun by [`DayCount::bearing_from`].
    pub fn through(self, last: Date) -> i64 {
        match self {
            Self::Years => years(last).saturating_add(weight(last)),
            _ => self.mark(last),
        }
    }
}

fn days_before(day: Date) -> i64 {
    i64::from(day.naive().num_days_from_ce())
}

/// The weighed days before this one: every whole year is the same, and the days of its own year weigh what they do.
fn years(day: Date) -> i64 {
    let naive = day.naive();
    let whole = i64::from(naive.year()).saturating_mul(DayCount::ActActIsda.year());
    whole.saturating_add(i64::from(naive.ordinal0()).saturating_mul(weight(day)))
}

/// What a day weighs in a year of 365 × 366 units.
fn weight(day: Date) -> i64 {
    if day.naive().leap_year() { 365 } else { 366 }
}

fn thirty(day: Date, of_month: u32) -> i64 {
    let naive = day.naive();
    let months = i64::from(naive.year()).saturating_mul(12).saturating_add(naive.month().into());
    months.saturating_mul(30).saturating_add(of_month.into())
}

fn is_february_end(day: Date) -> bool {
    let naive = day.naive();
    naive.month() == 2 && naive.day() == if naive.leap_year() { 29 } else { 28 }
}

impl FromStr for DayCount {
    type Err = Refused;
    fn from_str(text: &str) -> Result<Self, Refused> {
        let known = Self::ALL.iter().find(|(_, name)| *name == text).map(|(count, _)| *count);
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
            let detail = format!("a day count is one of {}", names.join(", "));
            Refused::new(Refusal::MalformedField, detail)
        })
    }
}

impl fmt::Display for DayCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for DayCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DayCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        spelling::parsed(deserializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DayCount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DayCount".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
        schemars::json_schema!({"type": "string", "enum": names, "description": "A day count convention."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decimal;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_follow_the_convention() {
        let table = [
            // from, to, actual, bond basis, 30E, US
            ("2006-08-20", "2007-02-20", 184, 180, 180, 180),
            ("2006-08-31", "2007-02-28", 181, 178, 178, 178),
            ("2007-02-28", "2007-08-31", 184, 183, 182, 180),
            ("2008-02-29", "2008-08-31", 184, 182, 181, 180),
            ("2006-02-28", "2006-03-03", 3, 5, 5, 3),
            ("2008-02-28", "2008-03-31", 32, 33, 32, 33),
            // The end of February to that of another year, and the days beside it.
            ("2023-02-28", "2024-02-28", 365, 360, 360, 358),
            ("2023-02-28", "2024-02-29", 366, 361, 361, 360),
            ("2024-02-29", "2025-02-28", 365, 359, 359, 360),
            ("2024-02-28", "2024-02-29", 1, 1, 1, 1),
            ("2024-02-29", "2024-03-01", 1, 2, 2, 1),
            // Day 31 at either end.
            ("2024-01-30", "2024-01-31", 1, 0, 0, 0),
            ("2024-01-29", "2024-01-31", 2, 2, 1, 2),
            ("2024-01-31", "2024-02-01", 1, 1, 1, 1),
            ("2024-05-31", "2024-05-31", 0, 0, 0, 0),
        ];
        for (from, to, actual, bond, euro, us) in table {
            for (count, days) in [
                (DayCount::Act360, actual),
                (DayCount::Act365F, actual),
                (DayCount::ActActIsda, actual),
                (DayCount::Bond30360, bond),
                (DayCount::Euro30360, euro),
                (DayCount::Us30360, us),
            ] {
                assert_eq!(count.days(date(from), date(to)), days, "{from} to {to}, {count}");
            }
        }
    }

    #[test]
    fn a_leap_year_is_a_whole_year_too() {
        for (from, to, share) in [
            ("2003-11-01", "2004-05-01", "0.497724380567"),
            ("1999-07-01", "2000-07-01", "1.001377348604"),
            ("2024-01-01", "2025-01-01", "1"),
            ("2023-01-01", "2024-01-01", "1"),
            ("2023-12-31", "2024-01-01", "0.002739726027"),
            ("2024-01-01", "2024-01-02", "0.002732240437"),
        ] {
            let units = DayCount::ActActIsda.units(date(from), date(to));
            let year = DayCount::ActActIsda.year();
            let found = crate::decimal::ratio(units.into(), year.into(), 12).unwrap();
            assert_eq!(found, share.parse::<Decimal>().unwrap(), "{from} to {to}");
        }
    }

    proptest! {
        #[test]
        fn a_later_end_never_gives_fewer_units(from in 0i64..40_000, days in 0i64..4_000) {
            let from = date("2000-01-01").plus_days(from).unwrap();
            let to = from.plus_days(days).unwrap();
            let next = to.plus_days(1).unwrap();
            for (count, name) in DayCount::ALL {
                prop_assert!(count.units(from, to) <= count.units(from, next), "{}", name);
                prop_assert_eq!(count.units(from, from), 0);
            }
        }

        #[test]
        fn actual_days_add_up(start in 0i64..30_000, first in 0i64..2_000, second in 0i64..2_000) {
            let from = date("2000-01-01").plus_days(start).unwrap();
            let middle = from.plus_days(first).unwrap();
            let to = middle.plus_days(second).unwrap();
            for count in [DayCount::Act360, DayCount::Act365F, DayCount::ActActIsda] {
                prop_assert_eq!(
                    count.units(from, middle) + count.units(middle, to),
                    count.units(from, to)
                );
            }
        }

        #[test]
        fn a_ruler_has_its_number(place in 0usize..5) {
            prop_assert_eq!(Ruler::ALL[place].number(), place as i64);
        }
    }
}
