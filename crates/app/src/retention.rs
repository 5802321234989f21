//! How long personal fields of closed customers are kept: one document with versions, and who is due by it. The sweep
//! takes away what is due.

use crate::{
    audit::{Author, Note, note},
    erase,
    ledger::{Change, missing},
};
use dunlin_domain::{
    Date,
    contract::ledger::{Retention, RetentionDue, RetentionDuePage, RetentionPolicy},
    retention,
};
use dunlin_store::{Db, Fault, arrears::Range, retention as table, write};

/// Customers that are looked at by one statement.
const SLICE: u32 = 2_000;

/// Slices that are looked at for one page of the list.
const SLICES: u32 = 50;

/// The retention in force, or a version of it.
pub fn get<D: Db>(db: &D, version: Option<u32>) -> Result<Retention, Fault> {
    let found = table::version(db, version.unwrap_or(u32::MAX))?;
    let found = match version {
        Some(wanted) => {
            let found = found.filter(|(_, version)| *version == wanted);
            Some(found.ok_or_else(|| missing("version of the retention"))?)
        }
        None => found,
    };
    let (policy, version) = match found {
        Some((policy, version)) => (policy, Some(version)),
        None => (retention::unwritten(), None),
    };
    Ok(Retention { version, months: policy.months })
}

/// Adds a version.
pub fn put<D: Db>(db: &D, new: &RetentionPolicy, author: &Author) -> Result<Change, Fault> {
    retention::check(new)?;
    write(db, |db| {
        let before = table::version(db, u32::MAX)?;
        let before = before.map_or_else(retention::unwritten, |(policy, _)| policy);
        if before == *new {
            return Ok(Change::AlreadySo);
        }
        let change = Note::changed("replace", "retention", "retention", Some(&before), Some(new))?;
        table::insert(db, new, note(db, author, &change)?)?;
        Ok(Change::Replaced)
    })
}

/// Who would be erased on a day, after a key: by so many months, or by those in force. Gives where to go on, too.
pub fn due<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    on: Date,
    months: Option<u32>,
) -> Result<(RetentionDuePage, Option<i64>), Fault> {
    let months = match months {
        Some(months) => Some(months),
        None => get(db, None)?.months,
    };
    let page = |items| RetentionDuePage { as_of: on, months, items, next: None };
    let Some(upto) = months.and_then(|months| retention::last_day(months, on)) else {
        return Ok((page(Vec::new()), None));
    };
    let due = |(_, customer_id, last_recorded_at)| RetentionDue { customer_id, last_recorded_at };
    let (mut found, mut after, mut left) = (Vec::new(), after, limit);
    for _ in 0..SLICES {
        let Some(range) = Range::next(db, after, SLICE)? else { return Ok((page(found), None)) };
        let slice = table::due(db, range, left, upto)?;
        left = left.saturating_sub(u32::try_from(slice.len()).unwrap_or(u32::MAX));
        after =
            slice.last().map_or(range.upto, |(key, ..)| if left == 0 { *key } else { range.upto });
        found.extend(slice.into_iter().map(due));
        if left == 0 {
            break;
        }
    }
    Ok((page(found), Some(after)))
}

/// What a slice of the sweep came to.
pub(crate) struct Slice {
    /// How many customers lost their personal fields.
    pub erased: u64,
    /// How far it came.
    pub upto: i64,
}

/// A slice of the sweep, inside its transaction: takes away what is personal about at most so many customers of the range
/// that are due on the day. `None` where nothing is to be erased at all.
pub(crate) fn erase<D: Db>(
    db: &D,
    range: Range,
    limit: u32,
    on: Date,
    author: &Author,
) -> Result<Option<Slice>, Fault> {
    let Some((RetentionPolicy { months: Some(months) }, version)) = table::version(db, u32::MAX)?
    else {
        return Ok(None);
    };
    let Some(last) = retention::last_day(months, on) else { return Ok(None) };
    let rule = format!("{}@{version}", retention::RULE);
    let due = table::due(db, range, limit, last)?;
    let is_full = due.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let mut slice = Slice { erased: 0, upto: range.upto };
    if let Some((key, ..)) = due.last().filter(|_| is_full) {
        slice.upto = *key;
    }
    for (key, id, _) in &due {
        let (_, change) = erase::away(db, *key, id, Some(&rule), author)?;
        slice.erased = slice.erased.saturating_add(u64::from(change == Change::Replaced));
    }
    Ok(Some(slice))
}
