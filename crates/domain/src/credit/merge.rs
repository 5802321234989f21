//! The limits that a merge writes, so that nobody is bound by less after it than before, on no day: whoever stays, the heads
//! of both groups, and their other members.
//!
//! A group that goes along takes its limit along, for the days on which the other head has none. Where somebody could owe
//! more after that than before, since its group is gone or has another limit, what bounded it becomes a limit of its own.

use super::limit::{Bounds, Entry, Most, Part, in_force};
use super::rates::Rates;
use crate::{
    Date, Id, Money, Refused,
    contract::credit::{LimitKind, NewLimit},
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Somebody of a group that a merge touches.
#[derive(Clone, Debug, Deserialize)]
pub struct Party {
    pub key: i64,
    /// The head of its group.
    pub parent: Option<i64>,
    /// What counts of the limit of its record.
    pub record: Option<Money>,
    pub ledger: Vec<Entry>,
}

/// What was written counts after all that was there; of two from one day the latter takes the place of the former.
const WRITTEN: i64 = i64::MAX - 1;

/// The limits that a merge writes, each with whose it is. `all` are heads and members of both groups; keys are those of whom
/// goes, whom stays and the head of its group or itself afterwards.
pub fn rows(
    all: &[Party],
    (gone, stays, head): (i64, i64, i64),
    today: Date,
    rates: &Rates,
) -> Result<Vec<(i64, NewLimit)>, Refused> {
    let mut after: Vec<Party> = all.iter().filter(|of| of.key != gone).cloned().collect();
    for of in after.iter_mut().filter(|of| of.parent == Some(gone)) {
        of.parent = Some(head).filter(|head| *head != of.key);
    }
    let mut rows = Vec::new();
    let mut take = |key: i64, bounds: &Bounds, is_group: bool| {
        let written = bounds.ledger.iter().filter(|of| of.counts >= WRITTEN);
        let written = written.filter(|of| (of.kind == LimitKind::Group) == is_group);
        rows.extend(written.map(|of| (key, as_new(of))));
    };
    // A group's limit goes along with its head, also one that was set ahead of the members.
    let (was_group, is_group) = (is_head(all, gone), is_head(&after, head));
    let head_of = |key: i64| all.iter().find(|of| of.key == key).and_then(|of| of.parent);
    if head_of(gone).is_none() && (was_group || !is_group) {
        let old = of_group(all, gone, was_group);
        let own = of_group(all, head, is_head(all, head));
        // What bounded nobody does not stand in its way.
        let stood = is_head(all, head) || !is_group;
        let mut now = of_group(&after, head, is_group);
        let days = days(&[&old, &now], today);
        keep(&mut now, Part::Group, &days, rates, &|day| {
            let limits = own.on(day);
            match stood && (limits.group.is_some() || limits.group_expired) {
                true => own.most(day, Part::Group, rates),
                false => old.most(day, Part::Group, rates),
            }
        })?;
        take(head, &now, true);
        for of in after.iter_mut().filter(|of| of.key == head) {
            of.ledger =
                now.ledger.iter().chain(of.ledger.iter().filter(not_of_group)).cloned().collect();
        }
    }
    let old = bounds(all, gone);
    let leaves = head_of(gone).is_some_and(|head| head != head_of(stays).unwrap_or(stays));
    for key in after.iter().map(|of| of.key) {
        let (was, mut now) = (bounds(all, key), bounds(&after, key));
        if key != stays {
            if was != now {
                let days = days(&[&was, &now], today);
                keep(&mut now, Part::Whole, &days, rates, &|day| {
                    was.most(day, Part::Whole, rates)
                })?;
            }
            take(key, &now, false);
            continue;
        }
        let (days, unchanged) = (days(&[&was, &now, &old], today), was == now);
        // Its own, or where it has none what the one that goes had of its own.
        let own = |day: Date| {
            let (limits, gone) = (was.on(day), old.on(day));
            if limits.individual.is_some() || limits.own_expired {
                return was.most(day, Part::Own, rates);
            }
            // Zero gives way to the limit of a group.
            let gives_way = gone.individual.as_ref().is_some_and(|line| {
                !line.unlimited && line.minor == 0 && !line.mandatory && gone.group.is_some()
            });
            match (leaves, gives_way) {
                (true, _) => old.most(day, Part::Whole, rates),
                (false, true) => Ok(None),
                (false, false) => old.most(day, Part::Own, rates),
            }
        };
        keep(&mut now, Part::Own, &days, rates, &own)?;
        keep(&mut now, Part::Whole, &days, rates, &|day| {
            let limits = was.on(day);
            if limits.individual.is_some() || limits.own_expired {
                return if unchanged { Ok(None) } else { was.most(day, Part::Whole, rates) };
            }
            let whole = match was.most(day, Part::Whole, rates)? {
                Some(_) if unchanged => return Ok(None),
                None => old.most(day, Part::Whole, rates)?,
                whole => whole,
            };
            least(whole, own(day)?, rates)
        })?;
        take(key, &now, false);
    }
    Ok(rows)
}

/// Writes limits wherever more may be owed than is wanted. Where a limit that was written is in force it follows what is
/// wanted; where nothing is, it goes on.
fn keep(
    now: &mut Bounds,
    part: Part,
    days: &BTreeSet<Date>,
    rates: &Rates,
    wanted: &dyn Fn(Date) -> Result<Option<Most>, Refused>,
) -> Result<(), Refused> {
    let counts = if part == Part::Whole { i64::MAX } else { WRITTEN };
    for day in days.iter().copied() {
        let Some(want) = wanted(day)? else { continue };
        let looser = |now: &Bounds| match now.most(day, part, rates) {
            Ok(None) => true,
            Ok(Some(most)) => {
                let minor = rates.down(most.minor, most.currency, want.currency);
                minor.map_or(true, |minor| minor > want.minor)
            }
            Err(_) => true,
        };
        let standing = in_force(&now.ledger, LimitKind::Temporary, day);
        let standing = standing.filter(|_| part != Part::Group);
        let (kind, to) = match (part, standing) {
            (Part::Group, _) => (LimitKind::Group, None),
            (_, Some(of)) => (LimitKind::Temporary, of.to),
            (_, None) => (LimitKind::Individual, None),
        };
        let last = in_force(&now.ledger, kind, day).filter(|of| of.counts == counts);
        let differs = last.is_some_and(|of| {
            of.minor != want.minor || of.minor > 0 && of.currency != want.currency
        });
        // The group's stood in for a temporary limit that ended.
        let ended = want.ended.is_none() && now.on(day).own_expired && part != Part::Group;
        if !(looser(now) || differs || ended) {
            continue;
        }
        let mut row = Entry {
            kind,
            minor: want.minor,
            currency: want.currency,
            unlimited: 0,
            // No credit is none of a group's either.
            mandatory: u8::from(want.minor == 0 && part != Part::Group),
            from: day,
            to,
            id: Id::known("new"),
            counts,
        };
        if let Some((minor, on)) = want.ended {
            // What has ended holds, as it did.
            let before = day.plus_days(-1).unwrap_or(day);
            let open = now.ledger.iter_mut().rev();
            let mut open = open.filter(|of| of.counts == counts && of.kind == kind);
            if let Some(last) = open.next().filter(|of| of.to.is_none() && of.minor > 0) {
                last.to = Some(before);
                if !looser(now) {
                    continue;
                }
            }
            let has_begun = now.ledger.iter().any(|of| of.kind == kind && of.from <= day);
            if !has_begun && days.first().is_some_and(|today| on < *today) {
                row = Entry { minor, mandatory: 0, from: on, to: Some(on), ..row };
            }
        }
        now.ledger.retain(|of| of.counts < WRITTEN || (of.kind, of.from) != (row.kind, row.from));
        now.ledger.push(row);
    }
    Ok(())
}

/// The lower one of two.
fn least(one: Option<Most>, other: Option<Most>, rates: &Rates) -> Result<Option<Most>, Refused> {
    let (Some(one), Some(other)) = (one, other) else { return Ok(one.or(other)) };
    let minor = rates.down(other.minor, other.currency, one.currency)?;
    Ok(Some(if minor < one.minor { other } else { one }))
}

/// The days from today on on which any of the limits begins or has ended.
fn days(all: &[&Bounds], today: Date) -> BTreeSet<Date> {
    let ledger = || all.iter().flat_map(|of| &of.ledger);
    let begins = ledger().map(|of| of.from);
    let ends = ledger().filter_map(|of| of.to?.plus_days(1).ok());
    begins.chain(ends).chain([today]).filter(|day| *day >= today).collect()
}

fn is_head(all: &[Party], key: i64) -> bool {
    all.iter().any(|of| of.parent == Some(key))
}

/// What bounds a customer under its head.
fn bounds(all: &[Party], key: i64) -> Bounds {
    let find = |key: i64| all.iter().find(|of| of.key == key);
    let Some(own) = find(key) else { return Bounds::default() };
    let key = own.parent.unwrap_or(key);
    let head = find(key).unwrap_or(own);
    let of_group = head.ledger.iter().filter(|of| of.kind == LimitKind::Group);
    Bounds {
        ledger: own.ledger.iter().filter(not_of_group).chain(of_group).cloned().collect(),
        record: own.record,
        head: is_head(all, key).then_some(head.record),
    }
}

/// What bounds the group of a head: its record where there is one.
fn of_group(all: &[Party], key: i64, is_group: bool) -> Bounds {
    let head = all.iter().find(|of| of.key == key);
    let ledger = head.into_iter().flat_map(|of| &of.ledger);
    Bounds {
        ledger: ledger.filter(|of| of.kind == LimitKind::Group).cloned().collect(),
        record: None,
        head: Some(head.and_then(|of| of.record).filter(|_| is_group)),
    }
}

fn not_of_group(entry: &&Entry) -> bool {
    entry.kind != LimitKind::Group
}

fn as_new(entry: &Entry) -> NewLimit {
    NewLimit {
        minor: Some(entry.minor),
        currency: entry.currency,
        from: Some(entry.from),
        to: entry.to,
        kind: Some(entry.kind),
        unlimited: Some(false),
        mandatory: Some(entry.mandatory != 0),
        reason: None,
    }
}
