//! Where clauses for late interest stand: in versions of contracts, else in the policy.

use crate::{Db, Fault};
use dunlin_domain::arrange::mapped;
use dunlin_domain::{Date, Id, contract::ledger::LateInterest};
use std::collections::BTreeMap;

/// A contract's clause, and where it stands: the contract's id and the number of its version.
pub type OfContract = (LateInterest, String, u32);

/// Whether any contract has a clause.
pub fn any_of_contracts<D: Db>(db: &D) -> Result<bool, Fault> {
    let row = db.first(
        "SELECT 1 FROM contract_version WHERE document ->> 'late_interest' IS NOT NULL LIMIT 1",
        &[],
    )?;
    Ok(row.is_some())
}

/// Of these versions of contracts the contract's id and the day on which it was signed.
pub fn agreed<D: Db>(db: &D, versions: &[i64]) -> Result<BTreeMap<i64, (Id, Option<Date>)>, Fault> {
    let keys = crate::array(versions)?;
    let found: Vec<(i64, (Id, Option<Date>))> = db.json(
        "SELECT json_group_array(json_array(v.key, json_array(c.id, v.signed_on)))
         FROM json_each(?1) AS j
         CROSS JOIN contract_version AS v ON v.key = j.value
         CROSS JOIN contract AS c ON c.key = v.contract_key",
        &[(&keys).into()],
    )?;
    Ok(mapped(found))
}

/// The clauses of these versions of contracts; those that have none are left out.
pub fn of_versions<D: Db>(db: &D, versions: &[i64]) -> Result<BTreeMap<i64, OfContract>, Fault> {
    let keys = crate::array(versions)?;
    let found: Vec<(i64, Option<LateInterest>, String, u32)> = db.json(
        "SELECT json_group_array(json_array(v.key, json(v.document -> 'late_interest'), c.id, v.version))
         FROM json_each(?1) AS j
         CROSS JOIN contract_version AS v ON v.key = j.value
         CROSS JOIN contract AS c ON c.key = v.contract_key",
        &[(&keys).into()],
    )?;
    let clause = |(key, clause, id, version): (i64, Option<LateInterest>, String, u32)| {
        clause.map(|clause| (key, (clause, id, version)))
    };
    Ok(mapped(found.into_iter().filter_map(clause)))
}
