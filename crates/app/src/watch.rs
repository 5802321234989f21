//! The watch list: customers with grave alerts, and those that somebody wants watched.

use crate::{
    audit::{Author, Note, note},
    customer::merged,
    ledger::{self, Change, missing},
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    contract::warn::{NewWatch, Watched},
    text,
};
use dunlin_store::{Db, Fault, customer, watch as table, write};
use serde_json::json;

/// Has a customer watched, or changes why or until when.
pub fn put<D: Db>(db: &D, id: &Id, new: &NewWatch, author: &Author) -> Result<Change, Fault> {
    text::check(&new.reason, 1, 500, "reason")?;
    write(db, |db| {
        let found = customer::place(db, id)?.ok_or_else(|| missing("customer"))?;
        if let Some((_, into)) = &found.merged {
            return Err(merged(into).at("id").into());
        }
        let key = found.key;
        let day = ledger::today(db, author.at)?;
        if new.until.is_some_and(|until| until <= day) {
            let detail = format!("it is after today, {day}");
            return Err(Refused::new(Refusal::MalformedField, detail).at("until").into());
        }
        let before = table::last(db, key)?.filter(|(_, _, ended_on)| ended_on.is_none());
        let before = before.map(|(key, watch, _)| (key, watch));
        if before.as_ref().is_some_and(|(_, before)| before == new) {
            return Ok(Change::AlreadySo);
        }
        let (action, change) = match before {
            None => ("create", Change::Made),
            Some(_) => ("replace", Change::Replaced),
        };
        let was = before.as_ref().map(|(_, before)| before);
        let entry = noted(db, (action, id, key), was, new, author)?;
        if let Some((before, _)) = before {
            table::end(db, before, day, entry)?;
        }
        table::insert(db, key, new, day, entry)?;
        Ok(change)
    })
}

/// Ends a wish. Who has grave alerts stays on the list.
pub fn end<D: Db>(db: &D, id: &Id, author: &Author) -> Result<(NewWatch, Change), Fault> {
    write(db, |db| {
        let key = customer::key(db, id)?.ok_or_else(|| missing("customer"))?;
        let (watch, before, ended_on) = table::last(db, key)?.ok_or_else(|| missing("wish"))?;
        let day = ledger::today(db, author.at)?;
        let until = Some(ended_on.unwrap_or(day));
        let after = NewWatch { until, ..before.clone() };
        if ended_on.is_some() {
            return Ok((after, Change::AlreadySo));
        }
        let entry = noted(db, ("end", id, key), Some(&before), &after, author)?;
        table::end(db, watch, day, entry)?;
        Ok((after, Change::Replaced))
    })
}

/// Notes a wish in the audit chain. Why somebody is watched is free text about a customer, and kept apart.
fn noted<D: Db>(
    db: &D,
    (action, id, key): (&str, &Id, i64),
    before: Option<&NewWatch>,
    after: &NewWatch,
    author: &Author,
) -> Result<i64, Fault> {
    let until = |watch: &NewWatch| json!({"until": watch.until});
    let (was, now) = (before.map(until), until(after));
    let what = Note::changed(action, "watch", id.as_str(), was.as_ref(), Some(&now))?;
    let reason = |watch: &NewWatch| json!({"reason": watch.reason});
    let personal = json!({"before": before.map(reason), "after": reason(after)});
    note(db, author, &what.with_personal(&personal, key)?)
}

/// Who is watched on the day, the gravest first.
pub fn page<D: Db>(
    db: &D,
    day: Date,
    after: table::After,
    limit: u32,
) -> Result<Vec<(Watched, table::After)>, Fault> {
    table::page(db, day, after, limit)
}
