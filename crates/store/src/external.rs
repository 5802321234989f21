//! Table `external_fact`: what others say of customers, each reading from the day on which it was known.

use crate::{Db, Fault, Param};
use dunlin_domain::{Date, Id, contract::external::ExternalKind};
use serde::{Serialize, de::DeserializeOwned};

/// A place in a list: the day of a record and its name.
pub type Before = (String, String);

/// Before which everything is.
pub fn last() -> Before {
    (Date::LAST.to_string(), char::MAX.to_string())
}

/// The customers of these ids: id, key, and the id of the one that it was merged into.
pub fn owners<D: Db>(db: &D, ids: &[&Id]) -> Result<Vec<(Id, i64, Option<Id>)>, Fault> {
    let ids = crate::array(ids)?;
    db.json(
        "SELECT json_group_array(json_array(c.id, c.key, m.id))
         FROM json_each(?1) AS j
         CROSS JOIN customer AS c ON c.id = j.value
         LEFT JOIN customer AS m ON m.key = c.merged_key",
        &[(&ids).into()],
    )
}

/// All readings of these names of these customers: customer, name, known on, record. After a merge the record is that of
/// the customer who stayed.
pub fn readings<D: Db, T: DeserializeOwned>(
    db: &D,
    kind: ExternalKind,
    names: &[(i64, &str)],
) -> Result<Vec<(i64, String, Date, T)>, Fault> {
    let names = crate::array(names)?;
    db.json(
        "SELECT
             json_group_array(
                 json_array(f.customer_key, f.name, f.known_on, json_set(f.document, '$.customer_id', c.id))
             )
         FROM json_each(?1) AS j
         CROSS JOIN external_fact AS f
             ON f.customer_key = j.value ->> 0 AND f.kind = ?2 AND f.name = j.value ->> 1
         CROSS JOIN customer AS c ON c.key = f.customer_key",
        &[(&names).into(), kind.name().into()],
    )
}

/// Adds readings that are new: customer, name, day, known on, record.
pub fn insert_all<D: Db, T: Serialize>(
    db: &D,
    kind: ExternalKind,
    rows: &[(i64, String, Date, Date, T)],
    entry: i64,
) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(
        "INSERT INTO external_fact (customer_key, kind, name, happened_on, known_on, document, entry_key)
         SELECT value ->> 0, ?2, value ->> 1, value ->> 2, value ->> 3, value -> 4, ?3 FROM json_each(?1)",
        &[(&rows).into(), kind.name().into(), entry.into()],
    )?;
    Ok(())
}

/// The customer's records of the kind as they were known on the day, the latest first.
pub fn page<D: Db, T: DeserializeOwned>(
    db: &D,
    customer: i64,
    kind: ExternalKind,
    day: Date,
    before: &Before,
    limit: u32,
) -> Result<Vec<(Before, T)>, Fault> {
    select(db, customer, kind, day, None, before, limit)
}

/// The customer's record of this name as it was known on the day.
pub fn get<D: Db, T: DeserializeOwned>(
    db: &D,
    customer: i64,
    kind: ExternalKind,
    name: &str,
    day: Date,
) -> Result<Option<T>, Fault> {
    let found = select(db, customer, kind, day, Some(name), &last(), 1)?.pop();
    Ok(found.map(|(_, record)| record))
}

fn select<D: Db, T: DeserializeOwned>(
    db: &D,
    customer: i64,
    kind: ExternalKind,
    day: Date,
    only: Option<&str>,
    before: &Before,
    limit: u32,
) -> Result<Vec<(Before, T)>, Fault> {
    let day = day.to_string();
    let params: [Param<'_>; 7] = [
        customer.into(),
        kind.name().into(),
        (&day).into(),
        only.into(),
        (&before.0).into(),
        (&before.1).into(),
        i64::from(limit).into(),
    ];
    let found: Vec<(String, String, T)> = db.json(sql!("external/page.sql"), &params)?;
    Ok(found.into_iter().map(|(on, name, record)| ((on, name), record)).collect())
}
