//! Table `pause`: times in which delinquent days do not count.

use crate::{Db, Fault, Param, When, arrears::Range};
use dunlin_domain::{Date, Id, contract::ledger, delinquency::Pause};
use std::collections::{BTreeMap, HashMap};

/// The pauses of one customer: of one document or instalment by its key, or of all.
pub type Pauses = Vec<(Option<i64>, Pause)>;

/// A pause to add. The customer is the document's where one is named.
#[derive(Debug)]
pub struct New<'a> {
    pub id: &'a Id,
    pub customer_key: i64,
    pub invoice_key: Option<i64>,
    pub from: Date,
    pub to: Option<Date>,
    pub reason: Option<&'a str>,
    pub entry: i64,
}

/// Adds a pause whose id is new.
pub fn insert<D: Db>(db: &D, new: &New<'_>) -> Result<(), Fault> {
    let (from, to) = (new.from.to_string(), new.to.map(|to| to.to_string()));
    db.execute(
        "INSERT INTO pause (id, customer_key, invoice_key, from_on, to_on, reason, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.as_str().into(),
            new.customer_key.into(),
            new.invoice_key.into(),
            (&from).into(),
            to.as_ref().into(),
            new.reason.into(),
            new.entry.into(),
        ],
    )?;
    Ok(())
}

/// Ends a pause on a day, or says that it was not ended. What was said before is kept beside it.
pub fn resume<D: Db>(db: &D, id: &Id, on: Option<Date>, entry: i64) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO pause_former (pause_key, resumed_on, entry_key)
         SELECT key, resumed_on, resumed_entry_key FROM pause WHERE id = ?1 AND resumed_entry_key IS NOT NULL",
        &[id.as_str().into()],
    )?;
    let on = on.map(|on| on.to_string());
    db.execute(
        "UPDATE pause SET resumed_on = ?2, resumed_entry_key = ?3 WHERE id = ?1",
        &[id.as_str().into(), on.as_ref().into(), entry.into()],
    )?;
    Ok(())
}

/// The pause of this id.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<ledger::Pause>, Fault> {
    Ok(select(db, "", 1, None, Some(id), When::ALL)?.pop())
}

/// The customer whose pause this is.
pub fn customer_key<D: Db>(db: &D, id: &Id) -> Result<i64, Fault> {
    db.int("SELECT customer_key FROM pause WHERE id = ?1", &[id.as_str().into()])
}

/// Pauses after an id, everybody's or one customer's, as they stood on a day and were known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    when: When,
) -> Result<Vec<ledger::Pause>, Fault> {
    select(db, after, limit, customer, None, when)
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    only: Option<&Id>,
    when: When,
) -> Result<Vec<ledger::Pause>, Fault> {
    type Found = (Id, Option<Id>, Option<Id>, Date, Option<Date>, Option<Date>, Option<String>);
    let day = when.day.to_string();
    let params: [Param<'_>; 6] = [
        after.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        only.map(Id::as_str).into(),
        (&day).into(),
        when.known.into(),
    ];
    let found: Vec<Found> = db.json(sql!("pause/page.sql"), &params)?;
    let pause = |(id, customer_id, invoice_id, from, to, resumed_on, reason): Found| {
        ledger::Pause { id, customer_id, invoice_id, from, to, resumed_on, reason }
    };
    Ok(found.into_iter().map(pause).collect())
}

/// The pauses of each of these customers. With `known`, as they were known when that was the last entry of the audit
/// chain.
pub fn of_customers<D: Db>(
    db: &D,
    keys: &[i64],
    known: Option<i64>,
) -> Result<BTreeMap<i64, Pauses>, Fault> {
    type Found = (i64, Option<i64>, Date, Option<Date>, Option<Date>);
    let keys = crate::array(keys)?;
    let found: Vec<Found> =
        db.json(sql!("pause/of_customers.sql"), &[(&keys).into(), known.into()])?;
    let mut by_customer: BTreeMap<i64, Pauses> = BTreeMap::new();
    for (customer, invoice, from, to, resumed) in found {
        by_customer.entry(customer).or_default().push((invoice, Pause::new(from, to, resumed)));
    }
    Ok(by_customer)
}

/// Those of a customer's pauses that hold for a document or instalment.
pub fn of_document(pauses: Option<&Pauses>, key: i64) -> Vec<Pause> {
    let holds = |of: &Option<i64>| of.is_none_or(|of| of == key);
    pauses.into_iter().flatten().filter(|(of, _)| holds(of)).map(|(_, pause)| *pause).collect()
}

/// The customers of the range with a pause in force on the day that has an end, and the first such end.
pub fn ends<D: Db>(db: &D, range: Range, day: Date) -> Result<HashMap<i64, Date>, Fault> {
    let day = day.to_string();
    let found: Vec<(i64, Date)> =
        db.json(sql!("pause/ends.sql"), &[range.after.into(), range.upto.into(), (&day).into()])?;
    Ok(found.into_iter().collect())
}
