//! Table `guarantee`: what secures a customer's debt.

use crate::{Db, Fault, Param, When};
use dunlin_domain::{
    Currency, Date, Decimal, Id,
    contract::ledger::{Guarantee, NewGuarantee},
    guarantee::Cover,
};

/// Writes the whole guarantee, new or in the place of the one before. Its share is said.
pub fn save<D: Db>(
    db: &D,
    id: &Id,
    new: &NewGuarantee,
    customer: i64,
    contract: Option<i64>,
    entry: i64,
) -> Result<(), Fault> {
    let text = crate::array(new)?;
    db.execute(
        sql!("guarantee/save.sql"),
        &[(&text).into(), id.as_str().into(), customer.into(), contract.into(), entry.into()],
    )?;
    Ok(())
}

/// Keeps how a guarantee reads that is about to be replaced, with the entry that replaces it.
pub fn keep_former<D: Db>(db: &D, before: &Guarantee, entry: i64) -> Result<(), Fault> {
    let document = crate::array(before)?;
    db.execute(
        "INSERT INTO guarantee_former (guarantee_key, customer_key, contract_key, document, entry_key)
         SELECT key, customer_key, contract_key, ?2, ?3 FROM guarantee WHERE id = ?1",
        &[before.id.as_str().into(), (&document).into(), entry.into()],
    )?;
    Ok(())
}

/// The guarantee.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<Guarantee>, Fault> {
    then(db, id, None, i64::MAX)
}

/// The guarantee as it was known with an audit entry; with a day only if it is in force on it.
pub fn then<D: Db>(
    db: &D,
    id: &Id,
    day: Option<Date>,
    known: i64,
) -> Result<Option<Guarantee>, Fault> {
    Ok(select(db, Some(id), None, day, "", 1, known)?.pop())
}

/// A customer's guarantees after an id, or those of all; with a day only those in force on it, as known with an audit
/// entry.
pub fn page<D: Db>(
    db: &D,
    customer: Option<i64>,
    day: Option<Date>,
    after: &str,
    limit: u32,
    known: i64,
) -> Result<Vec<Guarantee>, Fault> {
    select(db, None, customer, day, after, limit, known)
}

fn select<D: Db>(
    db: &D,
    only: Option<&Id>,
    customer: Option<i64>,
    day: Option<Date>,
    after: &str,
    limit: u32,
    known: i64,
) -> Result<Vec<Guarantee>, Fault> {
    let day = day.map(|day| day.to_string());
    let params: [Param<'_>; 6] = [
        after.into(),
        i64::from(limit).into(),
        customer.into(),
        day.as_deref().into(),
        only.map(Id::as_str).into(),
        known.into(),
    ];
    db.json(sql!("guarantee/page.sql"), &params)
}

/// What secures a customer's debts in a currency on a day. One that is not in force any more has its first and last
/// day: what fell due between them can still be claimed.
pub type Securing = (i64, Currency, Cover, Option<(Date, Date)>);

/// Documents of these customers with the first and last day on which something secures them and not all of the customer's
/// debts alike: what is bound to their contract, and what ended for the others.
pub fn by_claim<D: Db>(db: &D, customers: &str) -> Result<Vec<(i64, Date, Date)>, Fault> {
    let last = Date::LAST.to_string();
    db.json(sql!("guarantee/by_claim.sql"), &[customers.into(), (&last).into()])
}

/// What secures the debts of these customers on the day.
pub fn in_force<D: Db>(db: &D, customers: &[i64], when: When) -> Result<Vec<Securing>, Fault> {
    type Found = (i64, Currency, Option<i64>, i64, Decimal, Option<(Date, Date)>);
    let (keys, day) = (crate::array(customers)?, when.day.to_string());
    let found: Vec<Found> = db.json(
        sql!("guarantee/in_force.sql"),
        &[(&keys).into(), (&day).into(), when.known.into()],
    )?;
    let cover = |(customer, currency, contract, amount_minor, share, days): Found| {
        (customer, currency, Cover { contract, amount_minor, share }, days)
    };
    Ok(found.into_iter().map(cover).collect())
}
