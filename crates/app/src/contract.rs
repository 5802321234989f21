//! Contracts: a new content is a new version, and the version in force on a day is what governs it.

use crate::{
    audit::{Author, Note, note},
    import::MAX_LISTED,
    ledger::{Change, known_customer, missing},
    replay,
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    contract::{
        ingest::RowError,
        ledger::{Contract, ContractImportResult, NewContract},
    },
    contract_terms::check,
    order,
};
use dunlin_store::{
    Db, End, Fault, When,
    contract::{self, Filter},
    customer, policy, score, write, write_if,
};

/// Records a contract, or a new version of it when its content is not that of the newest one. Gives the newest version.
pub fn put<D: Db>(
    db: &D,
    id: &Id,
    new: &NewContract,
    author: &Author,
) -> Result<(Contract, Change), Fault> {
    write(db, |db| record(db, id, new, author))
}

/// The same inside a transaction that does more.
fn record<D: Db>(
    db: &D,
    id: &Id,
    new: &NewContract,
    author: &Author,
) -> Result<(Contract, Change), Fault> {
    check(new)?;
    let newest = contract::newest(db, id)?;
    let before = newest.as_ref().map(|newest| newest.number).unwrap_or(0);
    let change = match &newest {
        None => {
            let customer_key = known_customer(db, &new.customer_id)?;
            known_order(db, new)?;
            let contract_key = contract::insert(db, id, customer_key)?;
            add_version(db, id, contract_key, 1, None, new, author)?;
            score::outdate(db, &[customer_key])?;
            Change::Made
        }
        Some(newest) => {
            of_the_same_customer(db, &new.customer_id, newest.customer_key)?;
            // A duplicate's contract names the duplicate until its next version.
            let customer_id = newest.document.customer_id.clone();
            if newest.document == (NewContract { customer_id, ..new.clone() }) {
                Change::AlreadySo
            } else {
                known_order(db, new)?;
                let (number, was) = (newest.number.saturating_add(1), Some(&newest.document));
                let (key, customer) = (newest.contract_key, newest.customer_key);
                let entry = add_version(db, id, key, number, was, new, author)?;
                score::outdate(db, &[customer])?;
                // What payments are for is served in the order that holds on their days, whenever it was recorded.
                if contract::serves(db, key, customer, new.effective_on)? {
                    replay::customers(db, &[customer], author.at, Some(entry))?;
                }
                Change::Replaced
            }
        }
    };
    let after = if change == Change::AlreadySo { before.saturating_sub(1) } else { before };
    let stored = contract::versions(db, id, after, 1, When::ALL)?.pop();
    Ok((stored.ok_or_else(|| missing("contract"))?, change))
}

/// Takes in the versions of a file in one transaction, in the order of their rows. A version that is there already, also
/// before the newest one, is left alone, so that a file can be sent again. With `reject` one row at fault means that
/// nothing is stored. `bad` are rows that could not be read.
pub fn take_in<D: Db>(
    db: &D,
    rows: &[(u64, Id, NewContract)],
    bad: &[RowError],
    reject: bool,
    author: &Author,
) -> Result<ContractImportResult, Fault> {
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let received = count(rows.len()).saturating_add(count(bad.len()));
    write_if(db, |db| {
        let (mut accepted, mut unchanged, mut errors) = (0u64, 0u64, bad.to_vec());
        for (row, id, new) in rows {
            if contract::has_version(db, id, new)? {
                unchanged = unchanged.saturating_add(1);
                continue;
            }
            // A contract that is refused has written nothing yet.
            match record(db, id, new, author) {
                Ok((_, Change::AlreadySo)) => unchanged = unchanged.saturating_add(1),
                Ok(_) => accepted = accepted.saturating_add(1),
                Err(Fault::Refused(Refused { code, detail, field })) => {
                    errors.push(RowError { row: *row, field, code, detail });
                }
                Err(fault) => return Err(fault),
            }
        }
        let rejected = reject && !errors.is_empty();
        let mut result = ContractImportResult {
            received,
            accepted: if rejected { 0 } else { accepted },
            unchanged: if rejected { 0 } else { unchanged },
            rejected: if rejected { received } else { count(errors.len()) },
            errors,
        };
        result.errors.sort_by_key(|error| error.row);
        result.errors.truncate(MAX_LISTED);
        Ok((result, if rejected { End::RollBack } else { End::Commit }))
    })
}

/// An order that the contract names is there.
fn known_order<D: Db>(db: &D, new: &NewContract) -> Result<(), Fault> {
    if let Some(order) = &new.order {
        order::named(order, policy::current(db)?.orders.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn add_version<D: Db>(
    db: &D,
    id: &Id,
    contract_key: i64,
    number: u32,
    before: Option<&NewContract>,
    new: &NewContract,
    author: &Author,
) -> Result<i64, Fault> {
    let action = if before.is_none() { "create" } else { "add-version" };
    let entry =
        note(db, author, &Note::changed(action, "contract", id.as_str(), before, Some(new))?)?;
    contract::insert_version(db, contract_key, number, new, author.at, entry)?;
    Ok(entry)
}

/// A contract stays with its customer, also under the id of a duplicate that was merged into it.
fn of_the_same_customer<D: Db>(db: &D, id: &Id, key: i64) -> Result<(), Fault> {
    let place = customer::place(db, id)?;
    let named = place.map(|place| place.merged.map_or(place.key, |(into, _)| into));
    if named == Some(key) {
        return Ok(());
    }
    let detail = "a contract stays with its customer; nothing was changed";
    Err(Refused::new(Refusal::DifferentContent, detail).at("customer_id").into())
}

/// The version in force on the day, as known then.
pub fn get<D: Db>(db: &D, id: &Id, when: impl Into<When>) -> Result<Contract, Fault> {
    let found = contract::in_force(db, id, when)?;
    found.map(|version| version.contract).ok_or_else(|| {
        Fault::refused(Refusal::NotFound, "no contract of this id is in force on the day")
    })
}

/// The versions after a number that begin by the day and were known then. A contract of which nothing was known is none.
pub fn versions<D: Db>(
    db: &D,
    id: &Id,
    after: u32,
    limit: u32,
    when: When,
) -> Result<Vec<Contract>, Fault> {
    let first = When { day: Date::LAST, ..when };
    if contract::versions(db, id, 0, 1, first)?.is_empty() {
        return Err(missing("contract"));
    }
    contract::versions(db, id, after, limit, when)
}

/// What is asked of a list of contracts.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this customer.
    pub customer_id: Option<Id>,
    /// Only what ends before this day.
    pub ending_before: Option<Date>,
    /// Only what has a milestone on this day or later.
    pub milestone_from: Option<Date>,
    /// Only what has a milestone on this day or earlier.
    pub milestone_to: Option<Date>,
}

/// Contracts after an id, in the version in force on the day.
pub fn list<D: Db>(
    db: &D,
    wanted: &Wanted,
    after: &str,
    limit: u32,
    when: impl Into<When>,
) -> Result<Vec<Contract>, Fault> {
    let customer_key = match &wanted.customer_id {
        None => None,
        Some(id) => match customer::key(db, id)? {
            None => return Ok(Vec::new()),
            key => key,
        },
    };
    let filter = Filter {
        customer_key,
        ending_before: wanted.ending_before,
        milestone_from: wanted.milestone_from,
        milestone_to: wanted.milestone_to,
    };
    contract::page(db, &filter, after, limit, when.into())
}
