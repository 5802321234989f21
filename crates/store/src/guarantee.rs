//! Table `guarantee`: what secures a customer's debt.

use crate::{Db, Fault, Param};
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
) -> Result<(), Fault> {
    let text = crate::array(new)?;
    db.execute(
        include_str!("../sql/guarantee/save.sql"),
        &[(&text).into(), id.as_str().into(), customer.into(), contract.into()],
    )?;
    Ok(())
}

/// The guarantee.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<Guarantee>, Fault> {
    Ok(select(db, Some(id), None, None, "", 1)?.pop())
}

/// A customer's guarantees after an id, or those of all; with a day only those in force on it.
pub fn page<D: Db>(
    db: &D,
    customer: Option<i64>,
    day: Option<Date>,
    after: &str,
    limit: u32,
) -> Result<Vec<Guarantee>, Fault> {
    select(db, None, customer, day, after, limit)
}

fn select<D: Db>(
    db: &D,
    only: Option<&Id>,
    customer: Option<i64>,
    day: Option<Date>,
    after: &str,
    limit: u32,
) -> Result<Vec<Guarantee>, Fault> {
    let day = day.map(|day| day.to_string());
    let params: [Param<'_>; 5] = [
        after.into(),
        i64::from(limit).into(),
        customer.into(),
        day.as_deref().into(),
        only.map(Id::as_str).into(),
    ];
    db.json(include_str!("../sql/guarantee/page.sql"), &params)
}

/// What secures the debts of these customers on the day, by customer and currency.
pub fn in_force<D: Db>(
    db: &D,
    customers: &[i64],
    day: Date,
) -> Result<Vec<(i64, Currency, Cover)>, Fault> {
    type Found = (i64, Currency, Option<i64>, i64, Decimal);
    let (keys, day) = (crate::array(customers)?, day.to_string());
    let found: Vec<Found> =
        db.json(include_str!("../sql/guarantee/in_force.sql"), &[(&keys).into(), (&day).into()])?;
    let cover = |(customer, currency, contract, amount_minor, share): Found| {
        (customer, currency, Cover { contract, amount_minor, share })
    };
    Ok(found.into_iter().map(cover).collect())
}
