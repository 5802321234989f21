//! Customers, the organisation and profiles: the single writes and the reads.

use crate::audit::{Author, Note, note};
use dunlin_domain::{
    Date, Id, Instant, Money, Refusal, Refused,
    contract::{
        ingest::{Organisation, Profile},
        types::Customer,
    },
    money::MAX_MINOR,
    zone,
};
use dunlin_store::{Db, Fault, When, customer, organisation, profile, write};
use serde::Serialize;

/// Whether a write changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Made,
    /// It was there, and was replaced.
    Replaced,
    /// It was there with the same content: nothing changed.
    AlreadySo,
}

/// The row number of a single write, which its errors leave out.
pub(crate) const ROW: u64 = 1;

pub(crate) fn amount_in_range(amount: &Money, least: i64) -> Result<(), Refused> {
    if amount.minor < least {
        return Err(Refused::new(
            Refusal::AmountNotPositive,
            format!("the amount is at least {least}"),
        )
        .at("amount"));
    }
    if amount.minor > MAX_MINOR {
        return Err(Refused::new(
            Refusal::AmountTooLarge,
            format!("the amount is at most {MAX_MINOR}"),
        )
        .at("amount"));
    }
    Ok(())
}

/// The key of a customer that something is recorded for: one that is there and was not merged into another.
pub(crate) fn known_customer<D: Db>(db: &D, id: &Id) -> Result<i64, Fault> {
    customer_of(db, id, || Ok(false))
}

/// The same for a document that may be there: it is repeated with the customer that it came with, merged since or not.
pub(crate) fn customer_of<D: Db>(
    db: &D,
    id: &Id,
    is_stored: impl FnOnce() -> Result<bool, Fault>,
) -> Result<i64, Fault> {
    let place = customer::place(db, id)?.ok_or_else(|| {
        Refused::new(Refusal::UnknownCustomer, "no customer has this id").at("customer_id")
    })?;
    match &place.merged {
        Some((into, _)) if is_stored()? => Ok(*into),
        Some((_, into)) => Err(crate::customer::merged(into).at("customer_id").into()),
        None => Ok(place.key),
    }
}

pub(crate) fn unless_differing(differing: Vec<(u64, String)>) -> Result<(), Fault> {
    match differing.into_iter().next() {
        None => Ok(()),
        Some((_, field)) => {
            let detail = format!("the id is stored with another {field}; nothing was changed");
            Err(Refused::new(Refusal::DifferentContent, detail).at(&field).into())
        }
    }
}

pub(crate) fn json<T: Serialize>(row: &T) -> Result<String, Fault> {
    serde_json::to_string(row).map_err(|e| Fault::Db(e.to_string()))
}

pub(crate) fn one<T: Serialize>(row: T) -> Result<String, Fault> {
    json(&[row])
}

/// The customer as its record read on the day, with its balances, as known then.
pub fn customer<D: Db>(db: &D, id: &Id, when: impl Into<When>) -> Result<Customer, Fault> {
    customer::get(db, id, when.into())?.ok_or_else(|| missing("customer"))
}

/// Customers after an id.
pub fn customers<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    when: impl Into<When>,
) -> Result<Vec<Customer>, Fault> {
    customer::page(db, after, limit, when.into())
}

pub(crate) fn missing(noun: &str) -> Fault {
    Fault::refused(Refusal::NotFound, format!("no {noun} has this id"))
}

/// The organisation.
pub fn organisation<D: Db>(db: &D) -> Result<Organisation, Fault> {
    organisation::get(db)
}

/// Replaces the organisation.
pub fn put_organisation<D: Db>(
    db: &D,
    new: &Organisation,
    author: &Author,
) -> Result<Change, Fault> {
    dunlin_domain::organisation::check(new)?;
    write(db, |db| {
        let before = organisation::get(db)?;
        if before == *new {
            return Ok(Change::AlreadySo);
        }
        let noun = "organisation";
        note(db, author, &Note::changed("replace", noun, noun, Some(&before), Some(new))?)?;
        organisation::put(db, new)?;
        Ok(Change::Replaced)
    })
}

/// The business date at this moment: the calendar day in the organisation's zone.
pub fn today<D: Db>(db: &D, now: Instant) -> Result<Date, Fault> {
    Ok(zone::day_in(now, &organisation::get(db)?.time_zone)?)
}

/// Refuses a day that has not come.
pub(crate) fn not_in_future(day: Date, today: Date, field: &str) -> Result<(), Refused> {
    if day > today {
        let detail = format!("{day} has not come yet: it is {today}");
        return Err(Refused::new(Refusal::DateInFuture, detail).at(field));
    }
    Ok(())
}

/// The day that was asked for, which must have come, or today.
pub(crate) fn day_or_today<D: Db>(
    db: &D,
    on: Option<Date>,
    author: &Author,
) -> Result<Date, Fault> {
    let today = today(db, author.at)?;
    let on = on.unwrap_or(today);
    not_in_future(on, today, "on")?;
    Ok(on)
}

/// The profile of this name; `generic` is built in for each kind and not stored.
pub fn profile<D: Db>(db: &D, name: &Id) -> Result<Profile, Fault> {
    profile::get(db, name)?.ok_or_else(|| missing("profile"))
}

/// Stores a profile.
pub fn put_profile<D: Db>(db: &D, new: &Profile, author: &Author) -> Result<Change, Fault> {
    write(db, |db| {
        let before = profile::get(db, &new.name)?;
        if before.as_ref() == Some(new) {
            return Ok(Change::AlreadySo);
        }
        let action = if before.is_some() { "replace" } else { "create" };
        let name = new.name.as_str();
        note(db, author, &Note::changed(action, "profile", name, before.as_ref(), Some(new))?)?;
        profile::put(db, new)?;
        Ok(if before.is_some() { Change::Replaced } else { Change::Made })
    })
}

/// Profiles after a name.
pub fn profiles<D: Db>(db: &D, after: &str, limit: u32) -> Result<Vec<Profile>, Fault> {
    profile::page(db, after, limit)
}
