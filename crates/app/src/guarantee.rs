//! Guarantees and credit insurance: what secures a customer's debt.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, known_customer, missing},
    replay,
};
use dunlin_domain::{
    Date, Decimal, Id, Refusal, Refused,
    contract::ledger::{Guarantee, NewGuarantee, OrderKey},
    guarantee::check,
};
use dunlin_store::{Db, Fault, contract, customer, guarantee, policy, score, write};
use serde_json::json;

/// Records a guarantee, or replaces it.
pub fn put<D: Db>(
    db: &D,
    id: &Id,
    new: &NewGuarantee,
    author: &Author,
) -> Result<(Guarantee, Change), Fault> {
    check(new)?;
    let new = NewGuarantee { share: Some(new.share.unwrap_or(Decimal::ONE)), ..new.clone() };
    write(db, |db| {
        let customer_key = known_customer(db, &new.customer_id)?;
        let contract_key = contract_of(db, customer_key, new.contract_id.as_ref())?;
        let before = guarantee::get(db, id)?;
        let was = before.as_ref().map(as_written);
        let change = match &was {
            None => Change::Made,
            Some(was) if *was == new => Change::AlreadySo,
            Some(_) => Change::Replaced,
        };
        if change != Change::AlreadySo {
            let entry = record(db, id, was.as_ref(), &new, customer_key, author)?;
            if let Some(before) = &before {
                guarantee::keep_former(db, before, entry)?;
                // It may have secured another's debt.
                score::outdate(db, customer::key(db, &before.customer_id)?.as_slice())?;
            }
            guarantee::save(db, id, &new, customer_key, contract_key, entry)?;
            score::outdate(db, &[customer_key])?;
            let former = before.map(|before| customer::key(db, &before.customer_id)).transpose()?;
            let former = former.flatten().filter(|former| *former != customer_key);
            let secured: Vec<i64> = former.into_iter().chain([customer_key]).collect();
            serve_anew(db, &secured, author, entry)?;
        }
        let stored = guarantee::get(db, id)?.ok_or_else(|| missing("guarantee"))?;
        Ok((stored, change))
    })
}

/// Where an order asks which debt is least secured, these are replayed: it does not matter when a guarantee was recorded.
fn serve_anew<D: Db>(db: &D, customers: &[i64], author: &Author, entry: i64) -> Result<(), Fault> {
    match policy::asks(db, &policy::current(db)?, OrderKey::LeastSecured)? {
        true => replay::customers(db, customers, author.at, Some(entry)),
        false => Ok(()),
    }
}

/// Who gives a guarantee may be a person, and is kept apart.
fn record<D: Db>(
    db: &D,
    id: &Id,
    before: Option<&NewGuarantee>,
    after: &NewGuarantee,
    customer_key: i64,
    author: &Author,
) -> Result<i64, Fault> {
    let impersonal = |new: &NewGuarantee| {
        let mut text = json!(new);
        if let Some(fields) = text.as_object_mut() {
            fields.remove("party");
        }
        text
    };
    let (was, is) = (before.map(impersonal), impersonal(after));
    let action = if before.is_none() { "create" } else { "replace" };
    let entry = Note::changed(action, "guarantee", id.as_str(), was.as_ref(), Some(&is))?;
    let party = json!({"before": before.map(|new| &new.party), "after": after.party});
    note(db, author, &entry.with_personal(&json!({"party": party}), customer_key)?)
}

fn contract_of<D: Db>(db: &D, customer: i64, id: Option<&Id>) -> Result<Option<i64>, Fault> {
    let Some(id) = id else { return Ok(None) };
    match contract::key(db, id)? {
        Some((key, of)) if of == customer => Ok(Some(key)),
        _ => {
            let detail = "the customer has no contract of this id";
            Err(Refused::new(Refusal::UnknownContract, detail).at("contract_id").into())
        }
    }
}

fn as_written(stored: &Guarantee) -> NewGuarantee {
    NewGuarantee {
        customer_id: stored.customer_id.clone(),
        contract_id: stored.contract_id.clone(),
        kind: stored.kind,
        party: stored.party.clone(),
        amount: stored.amount,
        share: Some(stored.share),
        valid_from: stored.valid_from,
        valid_to: stored.valid_to,
        claim_by: stored.claim_by,
    }
}

/// The guarantee.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Guarantee, Fault> {
    then(db, id, None, i64::MAX)
}

/// The guarantee as it was known with an audit entry; with a day only if it is in force on it.
pub fn then<D: Db>(db: &D, id: &Id, day: Option<Date>, known: i64) -> Result<Guarantee, Fault> {
    guarantee::then(db, id, day, known)?.ok_or_else(|| missing("guarantee"))
}

/// Guarantees after an id: of a customer or of all, with a day only those in force on it, as known with an audit entry.
pub fn list<D: Db>(
    db: &D,
    customer_id: Option<&Id>,
    day: Option<Date>,
    after: &str,
    limit: u32,
    known: i64,
) -> Result<Vec<Guarantee>, Fault> {
    let customer_key = match customer_id {
        None => None,
        Some(id) => match customer::key(db, id)? {
            None => return Ok(Vec::new()),
            key => key,
        },
    };
    guarantee::page(db, customer_key, day, after, limit, known)
}
