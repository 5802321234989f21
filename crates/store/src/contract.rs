//! Tables `contract` and `contract_version`: what was agreed, from which day on.

use crate::{Db, Fault, Param, When};
use dunlin_domain::{
    Currency, Date, Id, Instant,
    contract::ledger::{Contract, NewContract},
};
use std::collections::{BTreeMap, BTreeSet};

/// A row of `page.sql` and `versions.sql`.
type Found = (i64, i64, i64, Contract);

/// A version of a contract with its keys.
#[derive(Clone, Debug)]
pub struct Version {
    /// Of the version: what an invoice that inherits it names.
    pub key: i64,
    pub contract_key: i64,
    /// Whose.
    pub customer_key: i64,
    /// What it says.
    pub contract: Contract,
}

/// The version of a contract that was recorded last.
#[derive(Clone, Debug)]
pub struct Newest {
    pub contract_key: i64,
    pub customer_key: i64,
    /// Counted from 1.
    pub number: u32,
    /// As the client wrote it. Its customer may have been merged into another since.
    pub document: NewContract,
}

/// Which contracts a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this customer.
    pub customer_key: Option<i64>,
    /// Only what ends before this day.
    pub ending_before: Option<Date>,
    /// Only what has a milestone on this day or later.
    pub milestone_from: Option<Date>,
    /// Only what has a milestone on this day or earlier.
    pub milestone_to: Option<Date>,
}

/// Adds a contract without versions and gives its key.
pub fn insert<D: Db>(db: &D, id: &Id, customer: i64) -> Result<i64, Fault> {
    db.int(
        "INSERT INTO contract (id, customer_key) VALUES (?1, ?2)
         ON CONFLICT (id) DO UPDATE SET customer_key = excluded.customer_key
         RETURNING key",
        &[id.as_str().into(), customer.into()],
    )
}

/// Adds a version to a contract.
pub fn insert_version<D: Db>(
    db: &D,
    contract: i64,
    number: u32,
    document: &NewContract,
    at: Instant,
    entry: i64,
) -> Result<(), Fault> {
    let (document, at) = (crate::array(document)?, at.to_string());
    db.execute(
        sql!("contract/insert_version.sql"),
        &[
            contract.into(),
            i64::from(number).into(),
            (&document).into(),
            (&at).into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// Whether the contract says or said in which order money is served, and payments name it and no order of their own that
/// came on the day or later.
pub fn serves<D: Db>(db: &D, contract: i64, customer: i64, from: Date) -> Result<bool, Fault> {
    let from = from.to_string();
    let sql = "SELECT EXISTS (
                   SELECT 1 FROM contract_version WHERE contract_key = ?1 AND allocation_order IS NOT NULL
               ) AND EXISTS (
                   SELECT 1 FROM payment
                   WHERE customer_key = ?2 AND contract_key = ?1 AND received_on >= ?3 AND allocation_order IS NULL
               )";
    Ok(db.int(sql, &[contract.into(), customer.into(), (&from).into()])? == 1)
}

/// The key behind an id and the customer it is of.
pub fn key<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, i64)>, Fault> {
    let sql = "SELECT key, customer_key FROM contract WHERE id = ?1";
    let row = db.first(sql, &[id.as_str().into()])?;
    row.map(|row| Ok((row.int(0)?, row.int(1)?))).transpose()
}

/// The keys of contracts by their ids.
pub fn keys<D: Db>(db: &D, ids: &BTreeSet<&Id>) -> Result<BTreeMap<Id, i64>, Fault> {
    let ids = crate::array(ids)?;
    let sql = "SELECT json_group_object(c.id, c.key)
               FROM json_each(?1) AS j CROSS JOIN contract AS c ON c.id = j.value";
    db.json(sql, &[(&ids).into()])
}

/// Whether the contract has a version of this content, whichever it is.
pub fn has_version<D: Db>(db: &D, id: &Id, document: &NewContract) -> Result<bool, Fault> {
    let document = crate::array(document)?;
    let sql =
        "SELECT 1 FROM contract AS c CROSS JOIN contract_version AS v ON v.contract_key = c.key
         WHERE c.id = ?1 AND v.document = ?2 LIMIT 1";
    Ok(db.first(sql, &[id.as_str().into(), (&document).into()])?.is_some())
}

/// The version that was recorded last.
pub fn newest<D: Db>(db: &D, id: &Id) -> Result<Option<Newest>, Fault> {
    let row = db.first(sql!("contract/newest.sql"), &[id.as_str().into()])?;
    let Some(row) = row else { return Ok(None) };
    let (contract_key, customer_key, number, document) = row.json(0)?;
    Ok(Some(Newest { contract_key, customer_key, number, document }))
}

/// The version in force on the day: the one with the latest first day up to it, of two with the same the one recorded
/// last, of those that were known. `None` when none has begun, or when the one in force has ended.
pub fn in_force<D: Db>(db: &D, id: &Id, when: impl Into<When>) -> Result<Option<Version>, Fault> {
    let found = select(db, &Filter::default(), Some(id), "", 1, when.into())?.pop();
    Ok(found.map(|(key, contract_key, customer_key, contract)| Version {
        key,
        contract_key,
        customer_key,
        contract,
    }))
}

/// Contracts after an id in the version in force on the day.
pub fn page<D: Db>(
    db: &D,
    filter: &Filter,
    after: &str,
    limit: u32,
    when: When,
) -> Result<Vec<Contract>, Fault> {
    let found = select(db, filter, None, after, limit, when)?;
    Ok(found.into_iter().map(|(_, _, _, contract)| contract).collect())
}

fn select<D: Db>(
    db: &D,
    filter: &Filter,
    only: Option<&Id>,
    after: &str,
    limit: u32,
    when: When,
) -> Result<Vec<Found>, Fault> {
    let text = |day: Option<Date>| day.map(|day| day.to_string());
    let (day, ending) = (when.day.to_string(), text(filter.ending_before));
    let (from, to) = (text(filter.milestone_from), text(filter.milestone_to));
    let params: [Param<'_>; 9] = [
        (&day).into(),
        after.into(),
        i64::from(limit).into(),
        filter.customer_key.into(),
        ending.as_deref().into(),
        from.as_deref().into(),
        to.as_deref().into(),
        only.map(Id::as_str).into(),
        when.known.into(),
    ];
    db.json(sql!("contract/page.sql"), &params)
}

/// The versions of a contract after a number that begin by the day and were known, in the order in which they were
/// recorded.
pub fn versions<D: Db>(
    db: &D,
    id: &Id,
    after: u32,
    limit: u32,
    when: When,
) -> Result<Vec<Contract>, Fault> {
    let day = when.day.to_string();
    let found: Vec<Found> = db.json(
        sql!("contract/versions.sql"),
        &[
            id.as_str().into(),
            i64::from(after).into(),
            i64::from(limit).into(),
            (&day).into(),
            when.known.into(),
        ],
    )?;
    Ok(found.into_iter().map(|(_, _, _, contract)| contract).collect())
}

/// What was open on the day under each contract of these customers: customer, currency, contract, outstanding.
pub fn outstanding<D: Db>(
    db: &D,
    customers: &[i64],
    when: When,
) -> Result<Vec<(i64, Currency, i64, i64)>, Fault> {
    let (keys, day) = (crate::array(customers)?, when.day.to_string());
    if when.knows_all() {
        let sql = sql!("contract/outstanding.sql");
        return db.json(sql, &[(&keys).into(), (&day).into()]);
    }
    let sql = sql!("contract/outstanding_known.sql");
    db.json(sql, &[(&keys).into(), (&day).into(), when.known.into()])
}
