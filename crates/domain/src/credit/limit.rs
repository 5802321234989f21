//! Which limit counts.
//!
//! | individual | group | with | effective |
//! |---|---|---|---|
//! | 10,000 | 15,000 | | 10,000 |
//! | 20,000 | 15,000 | | 15,000 |
//! | 0 | 15,000 | mandatory | 0 |
//! | 0 | 15,000 | unlimited | unlimited |
//! | 0 | 15,000 | neither | 15,000 |
//! | 0 | none | | 0: no credit |
//!
//! Of a kind the limit that began last holds, among those whose days include the day; the same kind from the same day
//! written again takes the place of the one before, also after its end. The credit limit of the customer's record is the
//! individual limit, and of a head the group's, as long as no dated one of the kind has begun.

use super::rates::Rates;
use crate::{
    Currency, Date, Id, Money, Refusal, Refused,
    contract::credit::{EffectiveLimit, LimitKind, LimitLine, NewLimit},
    money::MAX_MINOR,
    text,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most characters of a reason.
pub const MAX_REASON: usize = 500;

/// A limit of the ledger that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub kind: LimitKind,
    pub minor: i64,
    pub currency: Currency,
    pub unlimited: u8,
    pub mandatory: u8,
    pub from: Date,
    pub to: Option<Date>,
    pub id: Id,
    /// The entry of the audit chain from which it counts: later ones take the place of earlier ones.
    pub counts: i64,
}

/// The limits of a customer on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub individual: Option<LimitLine>,
    pub group: Option<LimitLine>,
    /// Whether the customer's own ended and nothing took its place.
    pub own_expired: bool,
    /// Whether the group's did, and binds the customer.
    pub group_expired: bool,
}

impl Limits {
    /// Whether a limit of either kind ended and nothing took its place.
    pub fn expired(&self) -> bool {
        self.own_expired || self.group_expired
    }
}

/// Which of the limits decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// There is none.
    None,
    /// The customer's own is unlimited.
    Unlimited,
    /// The customer's own.
    Individual,
    /// The group's, which is lower or stands in for one of zero.
    Group,
}

/// Checks a limit that a client wrote and fills in what it left out.
pub fn settled(new: &NewLimit, today: Date) -> Result<NewLimit, Refused> {
    let at = |code: Refusal, field: &str, detail: &str| Err(Refused::new(code, detail).at(field));
    let unlimited = new.unlimited.unwrap_or(false);
    let minor = match new.minor {
        None if !unlimited => {
            return at(Refusal::MissingField, "minor", "an amount, or `unlimited`, must be there");
        }
        minor => minor.unwrap_or(0),
    };
    if minor < 0 {
        return at(Refusal::AmountNotPositive, "minor", "a limit is zero or more");
    }
    if minor > MAX_MINOR {
        return at(Refusal::AmountTooLarge, "minor", Refusal::AmountTooLarge.about());
    }
    let (kind, from) = (new.kind.unwrap_or(LimitKind::Individual), new.from.unwrap_or(today));
    if kind == LimitKind::Temporary && new.to.is_none() {
        return at(Refusal::MissingField, "to", "a temporary limit has a last day");
    }
    if new.to.is_some_and(|to| to < from) {
        return at(Refusal::MalformedField, "to", "a limit does not end before it begins");
    }
    text::check_optional(new.reason.as_deref(), MAX_REASON, "reason")?;
    Ok(NewLimit {
        minor: Some(minor),
        kind: Some(kind),
        from: Some(from),
        unlimited: Some(unlimited),
        mandatory: Some(new.mandatory.unwrap_or(false)),
        ..new.clone()
    })
}

/// The limits in force on the day: from the ledger of the customer and its head, and from their records.
pub fn on(
    day: Date,
    ledger: &[Entry],
    record: Option<Money>,
    head: Option<Option<Money>>,
) -> Limits {
    let temporary = in_force(ledger, LimitKind::Temporary, day);
    let of = lasting(day, ledger, record, head);
    // What stood before a temporary limit is there again, the group's too.
    let ended = of.individual.is_none() && of.group.is_none();
    let ended = ended && of_kind(ledger, LimitKind::Temporary, day, None).1;
    let own_expired = temporary.is_none() && (of.own_expired || ended);
    let individual = temporary.map(line).or(of.individual);
    let group_expired = of.group_expired && !individual.as_ref().is_some_and(|own| own.unlimited);
    Limits { individual, group: of.group, own_expired, group_expired }
}

/// The same without temporary ones.
pub fn lasting(
    day: Date,
    ledger: &[Entry],
    record: Option<Money>,
    head: Option<Option<Money>>,
) -> Limits {
    let (individual, own_expired) = of_kind(ledger, LimitKind::Individual, day, record);
    // A group limit of one who is in no group bounds nothing.
    let group = head.map(|record| of_kind(ledger, LimitKind::Group, day, record));
    let (group, group_expired) = group.unwrap_or_default();
    Limits { individual, group, own_expired, group_expired }
}

/// The limit of a kind on the day, and whether it ended.
fn of_kind(
    ledger: &[Entry],
    kind: LimitKind,
    day: Date,
    record: Option<Money>,
) -> (Option<LimitLine>, bool) {
    if let Some(found) = in_force(ledger, kind, day) {
        return (Some(line(found)), false);
    }
    if ledger.iter().any(|entry| entry.kind == kind && entry.from <= day) {
        return (None, true);
    }
    let recorded = record.map(|money| LimitLine {
        kind,
        minor: money.minor,
        currency: money.currency,
        unlimited: false,
        mandatory: false,
        from: None,
        to: None,
        id: None,
    });
    (recorded, false)
}

pub(super) fn in_force(ledger: &[Entry], kind: LimitKind, day: Date) -> Option<&Entry> {
    let mut standing: BTreeMap<Date, &Entry> = BTreeMap::new();
    for entry in ledger.iter().filter(|entry| entry.kind == kind && entry.from <= day) {
        let place = standing.entry(entry.from).or_insert(entry);
        if entry.counts >= place.counts {
            *place = entry;
        }
    }
    let mut standing = standing.into_values().rev();
    standing.find(|entry| entry.to.is_none_or(|to| to >= day))
}

/// Days on which what counts may change, and the first of those that are looked at.
pub(super) fn days(ledger: &[Entry], from: Date) -> BTreeSet<Date> {
    let begins = ledger.iter().map(|entry| entry.from);
    let ends = ledger.iter().filter_map(|entry| entry.to?.plus_days(1).ok());
    begins.chain(ends).chain([from]).filter(|day| *day >= from).collect()
}

/// The one of a kind from a day that counts: of those the last that was approved.
pub fn counting(ledger: &[Entry], kind: LimitKind, from: Date) -> Option<&Entry> {
    let alike = ledger.iter().filter(|entry| entry.kind == kind && entry.from == from);
    alike.max_by_key(|entry| entry.counts)
}

/// Limits of one kind that count on any day from a day on, each with the first day on which it does.
pub fn first_days(ledger: &[Entry], from: Date) -> Vec<(&Entry, Date)> {
    let mut found: Vec<(&Entry, Date)> = Vec::new();
    for day in days(ledger, from) {
        let Some(entry) = ledger.first().and_then(|of| in_force(ledger, of.kind, day)) else {
            continue;
        };
        if !found.iter().any(|(known, _)| known.id == entry.id) {
            found.push((entry, day));
        }
    }
    found
}

/// What bounds a customer of its own, and what bounds its group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// With the group's of the head.
    pub ledger: Vec<Entry>,
    pub record: Option<Money>,
    /// That of its head's. Absent: in no group.
    pub head: Option<Option<Money>>,
}

/// Where a bound is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Own,
    Group,
    /// What counts of both.
    Whole,
}

/// The most that may be owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    pub minor: i64,
    pub currency: Currency,
    /// Of a limit that ended: its amount and its last day. It lets nothing be owed.
    pub ended: Option<(i64, Date)>,
}

impl Bounds {
    pub fn on(&self, day: Date) -> Limits {
        on(day, &self.ledger, self.record, self.head)
    }

    /// The most that may be owed on the day. Absent: any amount.
    pub fn most(&self, day: Date, part: Part, rates: &Rates) -> Result<Option<Most>, Refused> {
        let limits = self.on(day);
        let (line, has_ended) = match part {
            Part::Own => (limits.individual, limits.own_expired),
            Part::Group => (limits.group, limits.group_expired),
            Part::Whole if !limits.expired() => {
                let (found, _) = effective(&limits, rates)?;
                let most = found.and_then(|of| Some((of.minor?, of.currency)));
                return Ok(most.map(|(minor, currency)| Most { minor, currency, ended: None }));
            }
            Part::Whole => (None, true),
        };
        if !has_ended {
            let line = line.filter(|line| !line.unlimited);
            let most = |of: LimitLine| Most { minor: of.minor, currency: of.currency, ended: None };
            return Ok(line.map(most));
        }
        let ended = self.ledger.iter().filter_map(|of| Some((of.to.filter(|to| *to < day)?, of)));
        let ended = ended.filter(|(_, of)| match part {
            Part::Own => of.kind != LimitKind::Group,
            Part::Group => of.kind == LimitKind::Group,
            Part::Whole => true,
        });
        let last = ended.max_by_key(|(to, of)| (*to, of.from));
        Ok(last.map(|(to, of)| Most {
            minor: 0,
            currency: of.currency,
            ended: Some((of.minor, to)),
        }))
    }
}

fn line(entry: &Entry) -> LimitLine {
    LimitLine {
        kind: entry.kind,
        minor: entry.minor,
        currency: entry.currency,
        unlimited: entry.unlimited != 0,
        mandatory: entry.mandatory != 0,
        from: Some(entry.from),
        to: entry.to,
        id: Some(entry.id.clone()),
    }
}

/// The limit that counts for the customer, in the currency of its own, and which one decided.
pub fn effective(
    limits: &Limits,
    rates: &Rates,
) -> Result<(Option<EffectiveLimit>, Decided), Refused> {
    let bounded = |minor: i64, currency: Currency| {
        Some(EffectiveLimit { minor: Some(minor), currency, unlimited: false })
    };
    let own = limits.individual.as_ref();
    let group = limits.group.as_ref();
    if let Some(own) = own.filter(|own| own.unlimited) {
        let unlimited = EffectiveLimit { minor: None, currency: own.currency, unlimited: true };
        return Ok((Some(unlimited), Decided::Unlimited));
    }
    // Zero that is not said to count is no limit of one's own where there is a group's.
    let own = own.filter(|own| own.minor > 0 || own.mandatory || group.is_none());
    Ok(match (own, group) {
        (None, None) => (None, Decided::None),
        (Some(own), None) => (bounded(own.minor, own.currency), Decided::Individual),
        (None, Some(group)) if group.unlimited => {
            let unlimited =
                EffectiveLimit { minor: None, currency: group.currency, unlimited: true };
            (Some(unlimited), Decided::Group)
        }
        (None, Some(group)) => (bounded(group.minor, group.currency), Decided::Group),
        (Some(own), Some(group)) if group.unlimited => {
            (bounded(own.minor, own.currency), Decided::Individual)
        }
        (Some(own), Some(group)) => {
            let least = rates.down(group.minor, group.currency, own.currency)?;
            match least < own.minor {
                true => (bounded(least, own.currency), Decided::Group),
                false => (bounded(own.minor, own.currency), Decided::Individual),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn eur() -> Currency {
        "EUR".parse().unwrap()
    }

    /// `individual 0 mandatory 2024-01-01..2024-01-31`, one a line, in the order in which they were written.
    fn ledger(text: &str) -> Vec<Entry> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).zip(1i64..);
        let entry = |(line, counts): (&str, i64)| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (from, to) = words.last().unwrap().split_once("..").unwrap();
            Entry {
                kind: words[0].parse().unwrap(),
                minor: words[1].parse().unwrap(),
                currency: eur(),
                unlimited: u8::from(words.contains(&"unlimited")),
                mandatory: u8::from(words.contains(&"mandatory")),
                from: day(from),
                to: (!to.is_empty()).then(|| day(to)),
                id: format!("L{counts}").parse().unwrap(),
                counts,
            }
        };
        lines.map(entry).collect()
    }

    #[track_caller]
    fn check(text: &str, on_day: &str, wanted: &str) {
        check_with(text, None, Some(None), on_day, wanted);
    }

    #[track_caller]
    fn check_with(
        text: &str,
        record: Option<i64>,
        head: Option<Option<i64>>,
        on_day: &str,
        wanted: &str,
    ) {
        let money = |minor: i64| Money::new(minor, eur());
        let head = head.map(|minor| minor.map(money));
        let limits = on(day(on_day), &ledger(text), record.map(money), head);
        let (found, _) = effective(&limits, &Rates::default()).unwrap();
        let found = match found {
            None => "none".to_string(),
            Some(limit) => limit.minor.map_or("unlimited".into(), |minor| minor.to_string()),
        };
        let found = if limits.expired() { format!("{found} expired") } else { found };
        assert_eq!(found, wanted, "{text} on {on_day}");
    }

    const GROUP: &str = "group 15000 2024-01-01..";

    #[track_caller]
    fn check_pair(individual: &str, wanted: &str) {
        check(&format!("{GROUP}\nindividual {individual} 2024-01-01.."), "2024-06-01", wanted);
    }

    #[test]
    fn individual_10000_of_group_15000_is_10000() {
        check_pair("10000", "10000");
    }

    #[test]
    fn individual_20000_of_group_15000_is_15000() {
        check_pair("20000", "15000");
    }

    #[test]
    fn individual_0_mandatory_of_group_15000_is_0() {
        check_pair("0 mandatory", "0");
    }

    #[test]
    fn individual_0_unlimited_of_group_15000_is_unlimited() {
        check_pair("0 unlimited", "unlimited");
    }

    #[test]
    fn individual_0_with_neither_of_group_15000_is_15000() {
        check_pair("0", "15000");
    }

    #[test]
    fn limit_0_means_no_credit_and_unlimited_is_its_own_flag() {
        check("individual 0 2024-01-01..", "2024-06-01", "0");
        check_with("", Some(0), None, "2024-06-01", "0");
        check_with("", Some(0), Some(Some(0)), "2024-06-01", "0");
        check_with("individual 0 unlimited 2024-01-01..", Some(0), None, "2024-06-01", "unlimited");
        check("group 0 unlimited 2024-01-01..\nindividual 500 2024-01-01..", "2024-06-01", "500");
        check("group 0 unlimited 2024-01-01..", "2024-06-01", "unlimited");
    }

    #[test]
    fn limits_hold_in_their_days() {
        let seasonal = "individual 100 2024-01-01..
            individual 300 2024-06-01..2024-08-31
            temporary 900 2024-07-10..2024-07-12";
        for (on_day, wanted) in [
            ("2023-12-31", "none"),
            ("2024-01-01", "100"),
            ("2024-05-31", "100"),
            ("2024-06-01", "300"),
            ("2024-07-09", "300"),
            ("2024-07-10", "900"),
            ("2024-07-12", "900"),
            ("2024-07-13", "300"),
            ("2024-08-31", "300"),
            ("2024-09-01", "100"),
        ] {
            check(seasonal, on_day, wanted);
        }
    }

    #[test]
    fn the_same_day_written_again_takes_the_place_of_the_one_before() {
        let again = "individual 100 2024-01-01..
            individual 70 2024-01-01..2024-03-31";
        check(again, "2024-03-31", "70");
        check(again, "2024-04-01", "none expired");
        // Written later for an earlier time: what began last still holds.
        check("individual 50 2024-06-01..\nindividual 80 2024-01-01..", "2024-07-01", "50");
    }

    #[test]
    fn the_limit_of_the_record_is_that_of_who_sets_no_dated_one() {
        let dated = "individual 100 2024-06-01..2024-06-30";
        check_with(dated, Some(40), None, "2024-05-31", "40");
        check_with(dated, Some(40), None, "2024-06-01", "100");
        check_with(dated, Some(40), None, "2024-07-01", "none expired");
        // A temporary one leaves it as it was.
        let temporary = "temporary 100 2024-06-01..2024-06-30";
        check_with(temporary, Some(40), None, "2024-07-01", "40");
        // Where nothing stood before it, it has ended; what the group has takes its place.
        check_with(temporary, None, None, "2024-05-31", "none");
        check_with(temporary, None, None, "2024-06-30", "100");
        check_with(temporary, None, None, "2024-07-01", "none expired");
        check_with(temporary, None, Some(None), "2024-07-01", "none expired");
        check_with(temporary, None, Some(Some(30)), "2024-07-01", "30");
        // That of the head's record is the group's.
        check_with("", Some(40), Some(Some(30)), "2024-07-01", "30");
        check_with("group 35 2024-01-01..", Some(40), Some(Some(30)), "2024-07-01", "35");
        // And bounds nobody who is in no group.
        check_with("group 35 2024-01-01..", Some(40), None, "2024-07-01", "40");
    }

    #[test]
    fn who_is_unlimited_is_not_bound_by_a_group_limit_that_ended() {
        let group = "group 100 2024-06-01..2024-06-30";
        for (own, wanted) in [
            ("individual 0 unlimited 2024-01-01..", "unlimited"),
            ("temporary 0 unlimited 2024-01-01..2024-07-01", "unlimited"),
            ("individual 50 2024-01-01..", "50 expired"),
            ("individual 0 unlimited 2024-01-01..2024-06-30", "none expired"),
        ] {
            check(&format!("{group}\n{own}"), "2024-07-01", wanted);
        }
    }

    #[test]
    fn a_foreign_group_limit_is_compared_at_the_dated_rate() {
        let usd = "USD".parse().unwrap();
        let line = |minor, currency| LimitLine {
            kind: LimitKind::Individual,
            minor,
            currency,
            unlimited: false,
            mandatory: false,
            from: None,
            to: None,
            id: None,
        };
        let limits = Limits {
            individual: Some(line(1_000, eur())),
            group: Some(line(1_050, usd)),
            ..Limits::default()
        };
        let mut rates = Rates::default();
        assert_eq!(effective(&limits, &rates).unwrap_err().code, Refusal::RateMissing);
        rates.put(usd, eur(), "0.9".parse().unwrap());
        let (found, decided) = effective(&limits, &rates).unwrap();
        assert_eq!((found.unwrap().minor, decided), (Some(945), Decided::Group));
    }

    #[test]
    fn a_limit_is_checked_field_by_field() {
        for (more, wanted) in [
            (r#""minor": 0"#, ""),
            (r#""unlimited": true"#, ""),
            (r#""mandatory": true"#, "minor missing-field"),
            (r#""minor": -1"#, "minor amount-not-positive"),
            (r#""minor": 9000000000000001"#, "minor amount-too-large"),
            (r#""minor": 1, "kind": "temporary""#, "to missing-field"),
            (r#""minor": 1, "kind": "temporary", "to": "2024-06-01""#, ""),
            (r#""minor": 1, "to": "2024-05-31""#, "to malformed-field"),
            (r#""minor": 1, "from": "2024-04-01", "to": "2024-05-31""#, ""),
            (r#""minor": 1, "reason": " ""#, "reason missing-field"),
        ] {
            let new: NewLimit =
                serde_json::from_str(&format!(r#"{{"currency": "EUR", {more}}}"#)).unwrap();
            let found = match settled(&new, day("2024-06-01")) {
                Ok(_) => String::new(),
                Err(refused) => format!("{} {}", refused.field.unwrap(), refused.code),
            };
            assert_eq!(found, wanted, "{more}");
        }
    }
}
