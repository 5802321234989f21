//! Table `rate`: rows that clients stored for tables of rates. Rows are only added; the newest of a day counts.

use crate::{Db, Fault};
use dunlin_domain::{Date, Decimal, Id, contract::ledger::RateRow, rate::Tables};

/// A stored row: table, valid from, rate, source, confirmed.
type Found = (String, Date, Decimal, String, i64);

/// All tables as they were known with an audit entry: those that ship, with what was stored.
pub fn tables<D: Db>(db: &D, known: i64) -> Result<Tables, Fault> {
    let mut tables = Tables::shipped();
    let found: Vec<Found> = db.json(
        "SELECT json_group_array(json_array(name, valid_from, rate, source, confirmed) ORDER BY key) FROM rate
         WHERE entry_key IS NULL OR entry_key <= ?1",
        &[known.into()],
    )?;
    for (name, valid_from, rate, source, confirmed) in found {
        tables.put(&name, RateRow { valid_from, rate, source, confirmed: confirmed != 0 });
    }
    Ok(tables)
}

/// Adds rows to a table.
pub fn insert_all<D: Db>(db: &D, name: &Id, rows: &[&RateRow], entry: i64) -> Result<(), Fault> {
    let row = |row: &&RateRow| {
        (row.valid_from, row.rate.normalize(), row.source.clone(), i64::from(row.confirmed))
    };
    let rows = crate::array(&rows.iter().map(row).collect::<Vec<_>>())?;
    db.execute(
        "INSERT INTO rate (name, valid_from, rate, source, confirmed, entry_key)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?3 FROM json_each(?2)",
        &[name.as_str().into(), (&rows).into(), entry.into()],
    )?;
    Ok(())
}
