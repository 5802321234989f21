//! Time zones: which calendar day a moment falls on.

use crate::{Date, Instant, Refusal, Refused};
use chrono_tz::Tz;

/// The zone of this IANA name.
pub fn parse(name: &str) -> Result<Tz, Refused> {
    name.parse().map_err(|_| {
        let shown: String = name.chars().take(40).collect();
        Refused::new(Refusal::UnknownTimeZone, format!("`{shown}` is no IANA time zone"))
    })
}

/// Whether there is a zone of this IANA name.
pub fn is_known(name: &str) -> bool {
    name.parse::<Tz>().is_ok()
}

/// The calendar day of the moment in the zone of this name.
pub fn day_in(at: Instant, zone: &str) -> Result<Date, Refused> {
    Date::new(at.utc().with_timezone(&parse(zone)?).date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_business_date_follows_the_zone_around_midnight() {
        for (at, zone, day) in [
            ("2024-03-31T15:59:59Z", "Asia/Shanghai", "2024-03-31"),
            ("2024-03-31T16:00:00Z", "Asia/Shanghai", "2024-04-01"),
            ("2024-03-31T03:59:59Z", "America/New_York", "2024-03-30"),
            ("2024-03-31T04:00:00Z", "America/New_York", "2024-03-31"),
            ("2024-03-31T23:59:59Z", "UTC", "2024-03-31"),
            ("2024-03-31T21:59:59Z", "Europe/Berlin", "2024-03-31"),
            ("2024-03-31T22:00:00Z", "Europe/Berlin", "2024-04-01"),
        ] {
            let at: Instant = at.parse().unwrap();
            assert_eq!(day_in(at, zone).unwrap().to_string(), day, "{at} in {zone}");
        }
        assert_eq!(parse("Mars/Olympus").unwrap_err().code, Refusal::UnknownTimeZone);
    }
}
