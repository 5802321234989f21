//! Moments in UTC.

use crate::{Refusal, Refused, spelling};
use chrono::{DateTime, SecondsFormat, Utc};
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
            |_| Refused::new(Refusal::MalformedDate, "a moment is written as 2024-03-31T08:00:00Z");
        let parsed = DateTime::parse_from_rfc3339(text).map_err(refused)?;
        Self::from_unix(parsed.timestamp())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
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
