//! Moments in UTC.

use crate::{
    Refusal, Refused,
    date::{self, number},
    spelling,
};
use chrono::{DateTime, NaiveDate, NaiveTime, Timelike as _, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A moment in UTC, to the second: what comes in with a fraction loses it. Not a calendar day: which day it is depends on a zone.
///
/// ```
/// use dunlin_domain::Instant;
/// let at: Instant = "2024-03-31T16:00:00+08:00".parse().unwrap();
/// assert_eq!(at.to_string(), "2024-03-31T08:00:00Z");
/// assert_eq!("2024-03-31T08:00:00.999Z".parse(), Ok(at));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// The moment so many seconds after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Result<Self, Refused> {
        let refused = || Refused::new(Refusal::DateOutOfRange, "the moment is out of range");
        DateTime::from_timestamp(seconds, 0).map(Self).ok_or_else(refused)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.timestamp()
    }

    /// The moment so many seconds later; the latest there is when that is out of range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_unix(self.unix().saturating_add(seconds)).unwrap_or(self)
    }

    /// The chrono value, for zones.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl FromStr for Instant {
    type Err = Refused;
    fn from_str(text: &str) -> Result<Self, Refused> {
        let refused =
            || Refused::new(Refusal::MalformedDate, "a moment is written as 2024-03-31T08:00:00Z");
        seconds(text.as_bytes()).ok_or_else(refused).and_then(Self::from_unix)
    }
}

/// The seconds since 1970 of a moment as RFC 3339 §5.6 writes it. As that section allows, the letters may be small, a
/// space may stand for the `T`, and second 60 is read as 59.
fn seconds(text: &[u8]) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let (year, month, day) = date::numbers(day)?;
    let day = NaiveDate::from_ymd_opt(year, month, day)?;
    let (time, rest) = rest.split_at_checked(9)?;
    let [b'T' | b't' | b' ', h0, h1, b':', m0, m1, b':', s0, s1] = *time else { return None };
    let second = number(&[s0, s1]).map(|second| if second == 60 { 59 } else { second })?;
    let time = NaiveTime::from_hms_opt(number(&[h0, h1])?, number(&[m0, m1])?, second)?;
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let end = fraction.iter().position(|letter| !letter.is_ascii_digit())?;
            fraction.get(end..).filter(|_| end > 0)?
        }
        None => rest,
    };
    day.and_time(time).and_utc().timestamp().checked_sub(ahead(rest)?)
}

/// The seconds that `Z` or `+08:00` is ahead of UTC. A minus may be the sign of typesetters.
fn ahead(offset: &[u8]) -> Option<i64> {
    if let b"Z" | b"z" = offset {
        return Some(0);
    }
    let minus = offset.strip_prefix(b"-").or_else(|| offset.strip_prefix("−".as_bytes()));
    let [h0, h1, b':', m0, m1] = *minus.or_else(|| offset.strip_prefix(b"+"))? else {
        return None;
    };
    let time = NaiveTime::from_hms_opt(number(&[h0, h1])?, number(&[m0, m1])?, 0)?;
    let seconds = i64::from(time.num_seconds_from_midnight());
    if minus.is_some() { seconds.checked_neg() } else { Some(seconds) }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, time) = (date::spelled(self.0.date_naive()), self.0.time());
        write!(f, "{day}T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second())
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        spelling::parsed(deserializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time", "description": "RFC 3339, UTC."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    #[test]
    fn a_moment_is_read_as_rfc_3339_writes_it_and_no_other_way() {
        for (text, seconds) in [
            ("2024-03-31T08:00:00Z", 0),
            ("2024-03-31t08:00:00z", 0),
            ("2024-03-31 08:00:00Z", 0),
            ("2024-03-31T08:00:00.1Z", 0),
            ("2024-03-31T08:00:00.9999999999999Z", 0),
            ("2024-03-31T16:00:00+08:00", 0),
            ("2024-03-31T16:00:00.5+08:00", 0),
            ("2024-03-31T04:30:00-03:30", 0),
            ("2024-03-31T04:30:00−03:30", 0),
            ("2024-03-31T08:00:00-00:00", 0),
            ("2024-03-31T07:59:60Z", -1),
            ("2024-03-31T08:00:00-23:59", 86_340),
        ] {
            let read = text.parse::<Instant>().map(Instant::unix);
            assert_eq!(read, Ok(1_711_872_000 + seconds), "{text}");
        }
        for text in [
            "",
            "2024-03-31",
            "2024-03-31T08:00:00",
            "2024-03-31T08:00Z",
            "2024-03-31T08:00:0Z",
            "2024-03-31T8:00:00Z",
            "2024-3-31T08:00:00Z",
            "2024-02-30T08:00:00Z",
            "2024-03-31T24:00:00Z",
            "2024-03-31T08:60:00Z",
            "2024-03-31T08:00:61Z",
            "2024-03-31T08:00:00.Z",
            "2024-03-31T08:00:00,5Z",
            "2024-03-31T08:00:00.5",
            "2024-03-31_08:00:00Z",
            "2024-03-31T08:00:00+0800",
            "2024-03-31T08:00:00+08",
            "2024-03-31T08:00:00+08:0",
            "2024-03-31T08:00:00+08:60",
            "2024-03-31T08:00:00+24:00",
            "2024-03-31T08:00:00 +08:00",
            "2024-03-31T08:00:00+08:00Z",
            "2024-03-31T08:00:00UTC",
            "2024-03-31T08:00:00Z ",
            " 2024-03-31T08:00:00Z",
            "+2024-03-31T08:00:00Z",
            "２０２４-03-31T08:00:00Z",
        ] {
            let code = text.parse::<Instant>().map_err(|refused| refused.code);
            assert_eq!(code, Err(Refusal::MalformedDate), "{text}");
            assert!(DateTime::parse_from_rfc3339(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_chrono_reads(
            text in "[0-9]{3,4}-[01][0-9]-[0-3][0-9][Tt _][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?([Zz]|[-+−][0-2][0-9]:?[0-6][0-9])?",
        ) {
            let read = text.parse::<Instant>().ok().map(Instant::unix);
            prop_assert_eq!(read, DateTime::parse_from_rfc3339(&text).ok().map(|at| at.timestamp()));
        }

        #[test]
        fn a_moment_is_written_as_chrono_writes_it(seconds in -8_334_601_228_800i64..8_210_266_876_799) {
            let at = Instant::from_unix(seconds).unwrap();
            prop_assert_eq!(at.to_string(), at.utc().to_rfc3339_opts(SecondsFormat::Secs, true));
        }
    }
}
