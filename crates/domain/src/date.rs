//! Calendar days.

use crate::{Refusal, Refused, spelling};
use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A day of the Gregorian calendar from 1900-01-01 to 2199-12-31, without zone or time.
///
/// The range is that of documents somebody may still be paid for: a day outside it is a typing error or a
/// placeholder for "never", and both must be seen before they are stored.
///
/// ```
/// use dunlin_domain::Date;
/// let due: Date = "2024-02-29".parse().unwrap();
/// assert_eq!(due.plus_days(1).unwrap().to_string(), "2024-03-01");
/// assert!("2023-02-29".parse::<Date>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2199;

impl Date {
    /// The first day there is.
    pub const FIRST: Self = Self(match NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1) {
        Some(day) => day,
        None => NaiveDate::MIN,
    });

    /// The last day there is.
    pub const LAST: Self = Self(match NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31) {
        Some(day) => day,
        None => NaiveDate::MAX,
    });

    /// The day with this number in this month of this year.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Result<Self, Refused> {
        let real = NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| {
            Refused::new(
                Refusal::MalformedDate,
                format!("{year:04}-{month:02}-{day:02} is not a day of the calendar"),
            )
        })?;
        Self::new(real)
    }

    /// The day of a chrono date, if it is in range.
    pub fn new(day: NaiveDate) -> Result<Self, Refused> {
        if day.year() < FIRST_YEAR || day.year() > LAST_YEAR {
            let day = spelled(day);
            let detail = format!("{day} is not between {FIRST_YEAR}-01-01 and {LAST_YEAR}-12-31");
            return Err(Refused::new(Refusal::DateOutOfRange, detail));
        }
        Ok(Self(day))
    }

    /// A day that this crate itself spells; a day that is none becomes 1970. The caller's test looks at it.
    pub(crate) fn known(year: i32, month: u32, day: u32) -> Self {
        Self(NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default())
    }

    /// The chrono date.
    pub fn naive(self) -> NaiveDate {
        self.0
    }

    /// The day so many days later, or earlier when negative.
    pub fn plus_days(self, days: i64) -> Result<Self, Refused> {
        let step = Days::new(days.unsigned_abs());
        let moved =
            if days < 0 { self.0.checked_sub_days(step) } else { self.0.checked_add_days(step) };
        moved
            .ok_or_else(|| Refused::new(Refusal::DateOutOfRange, "the day is out of range"))
            .and_then(Self::new)
    }

    /// The same day so many months earlier, or the last day of that month when it has no such day.
    pub fn minus_months(self, months: u32) -> Result<Self, Refused> {
        let moved = self.0.checked_sub_months(Months::new(months));
        moved
            .ok_or_else(|| Refused::new(Refusal::DateOutOfRange, "the day is out of range"))
            .and_then(Self::new)
    }

    /// The same day so many months later, or the last day of that month when it has no such day.
    pub fn plus_months(self, months: u32) -> Result<Self, Refused> {
        let moved = self.0.checked_add_months(Months::new(months));
        moved
            .ok_or_else(|| Refused::new(Refusal::DateOutOfRange, "the day is out of range"))
            .and_then(Self::new)
    }

    /// The ten letters of `YYYY-MM-DD`. Days are written by the ten thousand: without the machinery of formatting.
    fn letters(self) -> [u8; 10] {
        let year = self.0.year().unsigned_abs();
        let (month, day) = (self.0.month(), self.0.day());
        let of_year = [digit(year, 1_000), digit(year, 100), digit(year, 10), digit(year, 1)];
        let [y0, y1, y2, y3] = of_year;
        let [m0, m1, d0, d1] = [digit(month, 10), digit(month, 1), digit(day, 10), digit(day, 1)];
        [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1]
    }

    /// The first day of the month.
    pub fn month_start(self) -> Self {
        Self(self.0.with_day(1).unwrap_or(self.0))
    }

    /// Days from `earlier` to this day; negative when `earlier` is later.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }

    /// Days past due on this day for something due on `due`: the due date itself gives 0.
    pub fn days_past_due(self, due: Self) -> u32 {
        u32::try_from(self.days_since(due)).unwrap_or(0)
    }
}

/// `YYYY-MM-DD`; a year that does not have four digits has a sign before it. Written here, because the formatting of
/// chrono reads a pattern at run time and every component would carry it.
pub(crate) fn spelled(day: NaiveDate) -> String {
    let (year, month, day) = (day.year(), day.month(), day.day());
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

/// The digit at a place of ones, tens, hundreds.
fn digit(number: u32, place: u32) -> u8 {
    let digit = number.checked_div(place).unwrap_or(0).checked_rem(10).unwrap_or(0);
    b'0'.saturating_add(u8::try_from(digit).unwrap_or(0))
}

/// The numbers of `YYYY-MM-DD`.
pub(crate) fn numbers(text: &[u8]) -> Option<(i32, u32, u32)> {
    let [year @ .., b'-', m0, m1, b'-', d0, d1] = text else { return None };
    let year: &[u8; 4] = year.try_into().ok()?;
    let year = i32::try_from(number(year)?).ok()?;
    Some((year, number(&[*m0, *m1])?, number(&[*d0, *d1])?))
}

/// The number that is written in digits alone.
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |sum, digit| {
        let value = digit.is_ascii_digit().then(|| u32::from(digit.wrapping_sub(b'0')))?;
        sum.checked_mul(10)?.checked_add(value)
    })
}

impl FromStr for Date {
    type Err = Refused;
    fn from_str(text: &str) -> Result<Self, Refused> {
        let refused = || {
            let shown: String = text.chars().take(20).collect();
            Refused::new(Refusal::MalformedDate, format!("`{shown}` is not a date as YYYY-MM-DD"))
        };
        let (year, month, day) = numbers(text.as_bytes()).ok_or_else(refused)?;
        Self::from_ymd(year, month, day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.letters()).unwrap_or_default())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.letters()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        spelling::parsed(deserializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date", "description": "YYYY-MM-DD, 1900 to 2199."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_days_in_range_are_dates() {
        let code = |text: &str| text.parse::<Date>().map(|d| d.to_string()).map_err(|r| r.code);
        assert_eq!(code("2024-02-29"), Ok("2024-02-29".into()));
        assert_eq!(code("1900-01-01"), Ok("1900-01-01".into()));
        assert_eq!(code("2199-12-31"), Ok("2199-12-31".into()));
        for out in ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"] {
            assert_eq!(code(out), Err(Refusal::DateOutOfRange), "{out}");
        }
        for bad in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-1-1",
            "24-01-01",
            "2024/01/01",
            "２０２４-01-01",
            "+2024-01-01",
            "02024-01-01",
            "024-01-01",
            " 2024-01-01",
            "2024-01-01 ",
            "2024-01- 1",
            "2024-+1-01",
            "2024-01-01T00:00:00Z",
            "",
        ] {
            assert_eq!(code(bad), Err(Refusal::MalformedDate), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_day_is_spelled_as_chrono_spells_it(number in -96_465_292..95_026_236) {
            let day = NaiveDate::from_epoch_days(number).unwrap();
            proptest::prop_assert_eq!(spelled(day), day.to_string());
        }

        #[test]
        fn a_date_is_spelled_and_sent_as_chrono_spells_it(number in -25_567i32..84_006) {
            let day = NaiveDate::from_epoch_days(number).unwrap();
            let date = Date::new(day).unwrap();
            proptest::prop_assert_eq!(date.to_string(), day.to_string());
            proptest::prop_assert_eq!(serde_json::to_value(date).unwrap(), day.to_string());
        }
    }

    #[test]
    fn due_today_is_not_past_due() {
        let due: Date = "2024-03-31".parse().unwrap();
        for (today, days) in
            [("2024-03-30", 0), ("2024-03-31", 0), ("2024-04-01", 1), ("2024-04-30", 30)]
        {
            assert_eq!(today.parse::<Date>().unwrap().days_past_due(due), days, "{today}");
        }
    }

    #[test]
    fn months_end_where_the_shorter_month_ends() {
        let from =
            |text: &str, n| text.parse::<Date>().unwrap().minus_months(n).unwrap().to_string();
        assert_eq!(from("2024-03-31", 1), "2024-02-29");
        assert_eq!(from("2023-03-31", 1), "2023-02-28");
        assert_eq!(from("2024-01-15", 12), "2023-01-15");
    }
}
