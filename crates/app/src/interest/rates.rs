//! Tables of rates.

use crate::{
    audit::{Author, Note, note},
    ledger::Change,
    replay,
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    contract::ledger::{OrderKey, RateRow, RateTable},
    preset::CONTRACT_RATE,
    rate,
};
use dunlin_store::{Db, Fault, When, accrual, policy, rate as rates, score, write};

/// The table of rates of this name.
pub fn rate_table<D: Db>(db: &D, name: &Id, when: impl Into<When>) -> Result<RateTable, Fault> {
    let when = when.into();
    let missing = || Fault::refused(Refusal::NotFound, "no table of rates has this name");
    let mut table = rates::tables(db, when.known)?.table(name).ok_or_else(missing)?;
    table.rows.retain(|row| row.valid_from <= when.day);
    Ok(table)
}

/// The names of all tables of rates.
pub fn rate_names<D: Db>(db: &D, known: i64) -> Result<Vec<Id>, Fault> {
    Ok(rates::tables(db, known)?.names())
}

/// Adds rows to a table of rates. A row of a day that has one takes its place; what is there already is left alone. Where
/// an order asks which debt bears most, everybody is replayed of whom one may bear otherwise: it does not matter when a
/// rate was recorded.
pub fn put_rates<D: Db>(
    db: &D,
    name: &Id,
    rows: &[RateRow],
    author: &Author,
) -> Result<Change, Fault> {
    if name.as_str() == CONTRACT_RATE {
        let detail = format!("{CONTRACT_RATE} is the contract's own rate, not a table");
        return Err(Refused::new(Refusal::MalformedField, detail).at("name").into());
    }
    rate::check_table(name, rows)?;
    write(db, |db| {
        let there = rates::tables(db, i64::MAX)?.table(name);
        let known = there.as_ref().map(|table| table.rows.as_slice()).unwrap_or_default();
        let new: Vec<&RateRow> = rows.iter().filter(|row| !known.contains(row)).collect();
        if new.is_empty() {
            return Ok(Change::AlreadySo);
        }
        let entry = note(db, author, &Note::made("rate", name.as_str(), &new)?)?;
        rates::insert_all(db, name, &new, entry)?;
        accrual::mark_all(db)?;
        if name.as_str().starts_with(rate::EXCHANGE) {
            // Which part of a limit counts, and what is owed in another currency, go by these.
            score::outdate_all(db)?;
        } else if let Some(first) = new.iter().map(|row| row.valid_from).min() {
            let policy = policy::current(db)?;
            if policy::asks(db, &policy, OrderKey::HeaviestBurden)? {
                // What is due the day before is late on the first day of the rate.
                let due_from = first.plus_days(-1).unwrap_or(Date::FIRST);
                let weighed = policy::allocating(db, due_from)?;
                replay::customers(db, &weighed, author.at, Some(entry))?;
            }
        }
        Ok(if there.is_some() { Change::Replaced } else { Change::Made })
    })
}
