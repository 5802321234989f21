//! How late something is once grace and pauses are taken off, and which bucket that is.
//!
//! `delinquent days = days past due − grace − paused days`, never below zero. Of a pause counts what lies between the
//! due date and the day asked for, from its first day to the day on which days count again, and a day on which several
//! pauses hold counts once. Delinquent days therefore never fall while a debt is open, and each bucket has one first
//! day.

use crate::arrange::arrange;
use crate::{Date, Refusal, Refused, contract::ledger::Bucket};
use std::collections::BTreeSet;

/// A time in which delinquent days do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pause {
    /// The day it begins.
    pub from: Date,
    /// The day on which days count again. `None`: it goes on.
    pub to: Option<Date>,
}

impl Pause {
    /// A pause as planned and as ended: the earlier of the two days ends it.
    pub fn new(from: Date, planned: Option<Date>, resumed: Option<Date>) -> Self {
        let to = match (planned, resumed) {
            (Some(planned), Some(resumed)) => Some(planned.min(resumed)),
            (planned, resumed) => planned.or(resumed),
        };
        Self { from, to }
    }
}

/// The days between the due date and the day on which any of the pauses held, in any order.
pub fn paused_days(pauses: &[Pause], due_on: Date, day: Date) -> u32 {
    let mut times: Vec<(Date, Date)> = pauses
        .iter()
        .map(|pause| (pause.from.max(due_on), pause.to.map_or(day, |to| to.min(day))))
        .filter(|(from, to)| from < to)
        .collect();
    arrange(&mut times, Ord::cmp);
    let mut counted_to = due_on;
    let mut days = 0i64;
    for (from, to) in times {
        days = days.saturating_add(to.days_since(from.max(counted_to)).max(0));
        counted_to = counted_to.max(to);
    }
    u32::try_from(days).unwrap_or(0)
}

/// Days past due less grace and paused days, never below zero.
pub fn delinquent_days(due_on: Date, day: Date, grace: u32, pauses: &[Pause]) -> u32 {
    let past_due = day.days_past_due(due_on);
    past_due.saturating_sub(grace).saturating_sub(paused_days(pauses, due_on, day))
}

/// The first day up to `through` with at least so many delinquent days. `None` when none has come.
pub fn first_day_with(
    days: u32,
    due_on: Date,
    grace: u32,
    pauses: &[Pause],
    through: Date,
) -> Option<Date> {
    let reached = |day: Date| delinquent_days(due_on, day, grace, pauses) >= days;
    if !reached(through) {
        return None;
    }
    // Delinquent days never fall, so that the first such day is found by halving.
    let (mut before, mut at) = (0i64, i64::from(through.days_past_due(due_on)));
    let mut first = through;
    while before < at {
        let middle = before.saturating_add(at).wrapping_div(2);
        match due_on.plus_days(middle) {
            Ok(day) if reached(day) => (at, first) = (middle, day),
            _ => before = middle.saturating_add(1),
        }
    }
    Some(first)
}

/// The most buckets a policy has.
pub const MAX_BUCKETS: usize = 50;

/// What stands for a bucket while nothing is open.
pub const NOTHING_OPEN: &str = "none";

/// The buckets of a policy that names none: current, 1–30, 31–60, 61–90, 91 and more.
pub fn default_buckets() -> Vec<Bucket> {
    [
        ("current", 0, Some(0)),
        ("1-30", 1, Some(30)),
        ("31-60", 31, Some(60)),
        ("61-90", 61, Some(90)),
        ("91+", 91, None),
    ]
    .map(|(name, from, to)| Bucket { name: name.to_string(), from, to })
    .to_vec()
}

/// Checks that buckets are a partition of the days from 0 on: no gap, no overlap, the last one open.
pub fn check_buckets(buckets: &[Bucket]) -> Result<(), Refused> {
    let refused = |at: usize, field: &str, detail: String| {
        Err(Refused::new(Refusal::NotAPartition, detail).at(&format!("buckets[{at}].{field}")))
    };
    if buckets.is_empty() || buckets.len() > MAX_BUCKETS {
        let detail = format!("there are 1 to {MAX_BUCKETS} buckets");
        return Err(Refused::new(Refusal::NotAPartition, detail).at("buckets"));
    }
    let mut names = BTreeSet::new();
    let mut next = Some(0);
    for (at, bucket) in buckets.iter().enumerate() {
        let field = format!("buckets[{at}].name");
        crate::text::check(&bucket.name, 1, 50, &field)?;
        check_name(&bucket.name, &mut names).map_err(|refused| refused.at(&field))?;
        match next {
            Some(next) if bucket.from < next => {
                let detail = format!("day {} is in two buckets", bucket.from);
                return refused(at, "from", detail);
            }
            Some(next) if bucket.from > next => {
                return refused(at, "from", format!("day {next} is in no bucket"));
            }
            None => return refused(at, "from", "the bucket before has no end".into()),
            Some(_) => {}
        }
        if bucket.to.is_some_and(|to| to < bucket.from) {
            return refused(at, "to", "a bucket does not end before it begins".into());
        }
        next = bucket.to.and_then(|to| to.checked_add(1));
    }
    match next {
        None => Ok(()),
        Some(_) => {
            refused(buckets.len().saturating_sub(1), "to", "the last bucket has no end".into())
        }
    }
}

fn check_name<'a>(name: &'a str, names: &mut BTreeSet<&'a str>) -> Result<(), Refused> {
    if name == NOTHING_OPEN {
        let detail = format!("`{NOTHING_OPEN}` stands for nothing open");
        return Err(Refused::new(Refusal::InvalidPolicy, detail));
    }
    if !names.insert(name) {
        return Err(Refused::new(Refusal::InvalidPolicy, format!("`{name}` stands twice")));
    }
    Ok(())
}

/// The bucket of so many delinquent days. `None` for buckets that are no partition.
pub fn bucket_of(days: u32, buckets: &[Bucket]) -> Option<&str> {
    let holds = |bucket: &&Bucket| bucket.from <= days && bucket.to.is_none_or(|to| days <= to);
    buckets.iter().find(holds).map(|bucket| bucket.name.as_str())
}

/// What is open of a document, or of one of its instalments, from a day on.
pub type OpenFrom = (Date, i64);

/// A document without instalments, or one instalment.
#[derive(Clone, Debug)]
pub struct Part {
    /// The last day on which payment is in time.
    pub due_on: Date,
    /// What was open from each day on which that changed, oldest first.
    pub open: Vec<OpenFrom>,
    /// What of it was given up and not recovered, from each day on which that changed, oldest first.
    pub given_up: Vec<OpenFrom>,
    /// The pauses that hold for it, in any order.
    pub pauses: Vec<Pause>,
}

impl Part {
    /// Whether anything of it was open at the end of the day.
    pub fn is_open(&self, day: Date) -> bool {
        stands(&self.open, day)
    }

    /// Whether any of it was given up by the end of the day and not recovered.
    pub fn is_given_up(&self, day: Date) -> bool {
        stands(&self.given_up, day)
    }
}

fn stands(amounts: &[OpenFrom], day: Date) -> bool {
    let so_far = amounts.iter().take_while(|(from, _)| *from <= day);
    so_far.last().is_some_and(|(_, minor)| *minor > 0)
}

/// The delinquent days of the latest of the parts that are open on the day. `None` when none is.
pub fn latest(parts: &[Part], day: Date, grace: u32) -> Option<u32> {
    let open = parts.iter().filter(|part| part.is_open(day));
    open.map(|part| delinquent_days(part.due_on, day, grace, &part.pauses)).max()
}

/// A stretch of days in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its name, or [`NOTHING_OPEN`].
    pub bucket: String,
    /// The first day.
    pub from: Date,
    /// The delinquent days on it.
    pub delinquent_days: u32,
}

/// The buckets a document was in, from its first day to the day asked for: each span lasts until the next begins.
/// A document with several parts is in the bucket of the latest one that is open.
pub fn history(parts: &[Part], grace: u32, buckets: &[Bucket], through: Date) -> Vec<Span> {
    // A bucket changes only where what is open does, and where a part reaches the first day of a bucket.
    let mut days: BTreeSet<Date> = BTreeSet::new();
    for part in parts {
        days.extend(part.open.iter().map(|(from, _)| *from).filter(|from| *from <= through));
        days.extend(buckets.iter().filter(|bucket| bucket.from > 0).filter_map(|bucket| {
            first_day_with(bucket.from, part.due_on, grace, &part.pauses, through)
        }));
    }
    let mut spans: Vec<Span> = Vec::new();
    for day in days {
        let delinquent = latest(parts, day, grace);
        let bucket = delinquent.and_then(|days| bucket_of(days, buckets)).unwrap_or(NOTHING_OPEN);
        if spans.last().is_none_or(|before| before.bucket != bucket) {
            let delinquent_days = delinquent.unwrap_or(0);
            spans.push(Span { bucket: bucket.to_string(), from: day, delinquent_days });
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// A pause as `2023-10-06..2023-10-30`, or without an end.
    fn pauses(text: &str) -> Vec<Pause> {
        text.split_whitespace()
            .map(|pause| {
                let (from, to) = pause.split_once("..").unwrap();
                Pause { from: date(from), to: (!to.is_empty()).then(|| date(to)) }
            })
            .collect()
    }

    /// Lines of a day, days past due and delinquent days for something due on 1 October 2023, grace 3.
    fn check(paused: &str, table: &str) {
        let due = date("2023-10-01");
        let paused = pauses(paused);
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let [day, past_due, delinquent] = line.split_whitespace().collect::<Vec<_>>()[..]
            else {
                panic!("{line}")
            };
            let day = date(day);
            let got = (day.days_past_due(due), delinquent_days(due, day, 3, &paused));
            assert_eq!(got, (past_due.parse().unwrap(), delinquent.parse().unwrap()), "{line}");
        }
    }

    #[test]
    fn grace_is_taken_off() {
        check(
            "",
            "2023-09-30  0  0
             2023-10-01  0  0
             2023-10-02  1  0
             2023-10-04  3  0
             2023-10-05  4  1
             2023-10-31 30 27",
        );
    }

    #[test]
    fn a_pause_stops_the_count_until_its_last_day() {
        check(
            "2023-10-06..2023-10-30",
            "2023-10-05  4  1
             2023-10-06  5  2
             2023-10-07  6  2
             2023-10-30 29  2
             2023-10-31 30  3",
        );
    }

    #[test]
    fn a_pause_that_is_resumed_early_ends_there() {
        let pause =
            Pause::new(date("2023-10-15"), Some(date("2023-10-30")), Some(date("2023-10-25")));
        assert_eq!(pause, pauses("2023-10-15..2023-10-25")[0]);
        check(
            "2023-10-15..2023-10-25",
            "2023-10-15 14 11
             2023-10-16 15 11
             2023-10-25 24 11
             2023-10-26 25 12",
        );
        let late =
            Pause::new(date("2023-10-15"), Some(date("2023-10-20")), Some(date("2023-10-25")));
        assert_eq!(late, pauses("2023-10-15..2023-10-20")[0], "the plan ended it before");
        assert_eq!(Pause::new(date("2023-10-15"), None, None), pauses("2023-10-15..")[0]);
    }

    #[test]
    fn days_on_which_several_pauses_hold_count_once() {
        for paused in [
            "2023-10-06..2023-10-20 2023-10-10..2023-10-15",
            "2023-10-10..2023-10-15 2023-10-06..2023-10-20",
            "2023-10-06..2023-10-15 2023-10-10..2023-10-20",
            "2023-10-06..2023-10-10 2023-10-10..2023-10-20",
            "2023-10-06..2023-10-20 2023-10-06..2023-10-20",
        ] {
            check(paused, "2023-10-12 11 2\n2023-10-20 19 2\n2023-10-25 24 7");
        }
        check("2023-10-06..2023-10-08 2023-10-20..2023-10-24", "2023-10-31 30 21");
    }

    #[test]
    fn what_lies_outside_of_due_date_and_day_does_not_count() {
        for (about, paused, delinquent) in [
            ("begins before the due date", "2023-09-01..2023-10-05", 23),
            ("is over before the due date", "2023-09-01..2023-09-20", 27),
            ("ends on the due date", "2023-09-01..2023-10-01", 27),
            ("holds from long before and goes on", "2023-01-01..", 0),
            ("begins on the day itself", "2023-10-31..", 27),
            ("begins later", "2023-11-05..2023-11-10", 27),
            ("ends on the day it began", "2023-10-10..2023-10-10", 27),
            ("outlasts the day", "2023-10-21..2023-12-31", 17),
        ] {
            let due = date("2023-10-01");
            let got = delinquent_days(due, date("2023-10-31"), 3, &pauses(paused));
            assert_eq!(got, delinquent, "{about}");
        }
    }

    #[test]
    fn instalments_are_late_each_by_its_own_date() {
        let due = ["2023-10-01", "2023-10-16", "2023-10-31", "2023-11-15"].map(date);
        let on = |day: &str| due.map(|due| delinquent_days(due, date(day), 3, &[]));
        assert_eq!(on("2023-10-05"), [1, 0, 0, 0]);
        assert_eq!(on("2023-10-20"), [16, 1, 0, 0]);
        assert_eq!(on("2023-11-30"), [57, 42, 27, 12]);
    }

    fn buckets(text: &str) -> Vec<Bucket> {
        text.split_whitespace()
            .zip(["a", "b", "c", "d"])
            .map(|(range, name)| {
                let (from, to) = range.split_once('-').unwrap();
                let (from, to) = (from.parse().unwrap(), to.parse().ok());
                Bucket { name: name.to_string(), from, to }
            })
            .collect()
    }

    #[test]
    fn buckets_are_a_partition() {
        check_buckets(&default_buckets()).unwrap();
        for (text, field) in [
            ("0-", None),
            ("0-0 1-30 31-", None),
            ("0-10 11-11 12-", None),
            ("", Some("buckets")),
            ("1-30 31-", Some("buckets[0].from")),
            ("0-10 12-", Some("buckets[1].from")),
            ("0-10 10-", Some("buckets[1].from")),
            ("0-10 5-20 21-", Some("buckets[1].from")),
            ("0-10 11-20", Some("buckets[1].to")),
            ("0- 1-", Some("buckets[1].from")),
            ("0-10 11-5 6-", Some("buckets[1].to")),
            ("0-4294967295 4294967295-", Some("buckets[1].from")),
        ] {
            let got = check_buckets(&buckets(text)).map_err(|r| (r.code, r.field));
            let wanted = field
                .map_or(Ok(()), |field| Err((Refusal::NotAPartition, Some(field.to_string()))));
            assert_eq!(got, wanted, "{text}");
        }
        for (name, code) in [
            ("", Refusal::MissingField),
            ("a", Refusal::InvalidPolicy),
            ("none", Refusal::InvalidPolicy),
        ] {
            let mut two = buckets("0-0 1-");
            two[1].name = name.to_string();
            let refused = check_buckets(&two).unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), (code, Some("buckets[1].name")));
        }
    }

    #[test]
    fn a_bucket_holds_both_its_ends() {
        let of = |days| bucket_of(days, &default_buckets()).unwrap().to_string();
        for (days, bucket) in
            [(0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (90, "61-90"), (91, "91+")]
        {
            assert_eq!(of(days), bucket, "{days}");
        }
        assert_eq!(of(u32::MAX), "91+");
    }

    fn part(due: &str, open: &[(&str, i64)], paused: &str) -> Part {
        Part {
            due_on: date(due),
            open: open.iter().map(|(from, minor)| (date(from), *minor)).collect(),
            given_up: Vec::new(),
            pauses: pauses(paused),
        }
    }

    fn check_history(parts: &[Part], through: &str, expected: &str) {
        let spans = history(parts, 3, &default_buckets(), date(through));
        let lines: Vec<String> = spans
            .iter()
            .map(|span| format!("{} {} {}", span.from, span.bucket, span.delinquent_days))
            .collect();
        let expected: Vec<&str> = expected.lines().map(str::trim).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_history_names_the_first_day_in_each_bucket() {
        let paid = [("2023-09-01", 250), ("2023-11-20", 0)];
        check_history(
            &[part("2023-10-01", &paid, "")],
            "2023-12-31",
            "2023-09-01 current 0
             2023-10-05 1-30 1
             2023-11-04 31-60 31
             2023-11-20 none 0",
        );
        check_history(&[part("2023-10-01", &paid, "")], "2023-10-04", "2023-09-01 current 0");
        check_history(
            &[part("2023-10-01", &paid, "2023-10-06..2023-10-30")],
            "2023-11-19",
            "2023-09-01 current 0
             2023-10-05 1-30 1",
        );
    }

    #[test]
    fn a_chargeback_goes_back_to_the_days_of_the_due_date() {
        check_history(
            &[part("2023-10-01", &[("2023-09-01", 9), ("2023-10-10", 0), ("2023-12-01", 9)], "")],
            "2023-12-31",
            "2023-09-01 current 0
             2023-10-05 1-30 1
             2023-10-10 none 0
             2023-12-01 31-60 58
             2023-12-04 61-90 61",
        );
    }

    #[test]
    fn a_document_is_as_late_as_its_latest_open_instalment() {
        check_history(
            &[
                part("2023-10-01", &[("2023-09-01", 250), ("2023-10-20", 0)], ""),
                part("2023-10-16", &[("2023-09-01", 250)], ""),
            ],
            "2023-11-30",
            "2023-09-01 current 0
             2023-10-05 1-30 1
             2023-11-19 31-60 31",
        );
    }

    fn a_pause() -> impl Strategy<Value = Pause> {
        (-40i64..120, proptest::option::of(0i64..60)).prop_map(|(from, days)| {
            let from = date("2024-01-01").plus_days(from).unwrap();
            Pause { from, to: days.map(|days| from.plus_days(days).unwrap()) }
        })
    }

    proptest! {
        #[test]
        fn paused_days_are_the_days_of_the_union(
            pauses in proptest::collection::vec(a_pause(), 0..6), through in 0i64..150, seed in any::<usize>()
        ) {
            let due = date("2024-01-01");
            let day = due.plus_days(through).unwrap();
            let held = (0..through)
                .map(|n| due.plus_days(n).unwrap())
                .filter(|d| pauses.iter().any(|p| p.from <= *d && p.to.is_none_or(|to| *d < to)))
                .count();
            prop_assert_eq!(usize::try_from(paused_days(&pauses, due, day)).unwrap(), held);
            let mut turned = pauses.clone();
            turned.rotate_left(seed % pauses.len().max(1));
            turned.reverse();
            prop_assert_eq!(paused_days(&turned, due, day), paused_days(&pauses, due, day));
        }

        #[test]
        fn a_history_says_on_every_day_what_is_so_on_it(
            parts in proptest::collection::vec(
                (0i64..60, proptest::collection::btree_map(0i64..150, 0i64..2, 1..5), proptest::collection::vec(a_pause(), 0..4)),
                1..4,
            ),
            grace in 0u32..10,
            through in 0i64..200,
        ) {
            let start = date("2024-01-01");
            let at = |days: i64| start.plus_days(days).unwrap();
            let parts: Vec<Part> = parts
                .into_iter()
                .map(|(due, open, pauses)| Part {
                    due_on: at(due),
                    open: open.into_iter().map(|(from, minor)| (at(from), minor)).collect(),
                    given_up: Vec::new(),
                    pauses,
                })
                .collect();
            let buckets = default_buckets();
            let spans = history(&parts, grace, &buckets, at(through));
            for pair in spans.windows(2) {
                prop_assert!(pair[0].from < pair[1].from && pair[0].bucket != pair[1].bucket);
            }
            for day in (0..=through).map(at) {
                let so = latest(&parts, day, grace).map_or(NOTHING_OPEN, |days| bucket_of(days, &buckets).unwrap());
                let said = spans.iter().rfind(|span| span.from <= day).map_or(NOTHING_OPEN, |span| &span.bucket);
                prop_assert_eq!(said, so, "{}", day);
            }
        }
    }
}
