//! Rows of payments: those that may be booked already, by an entry of a bank statement, are refused until they say
//! whether they are.

use super::terms::are_said;
use crate::{
    ledger::json,
    payment::names::{Naming, Said, known_otherwise},
};
use dunlin_domain::{Currency, Date, Id, Refusal, Refused, contract::ingest::RowError, profile};
use dunlin_store::{Db, Fault, import, payment};
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeSet};

/// A row as [`dunlin_domain::profile::Slice`] has it.
#[derive(Deserialize)]
struct Row(u64, Id, Id, Date, i64, Currency, Option<Id>, #[serde(default)] Option<profile::Said>);

/// What became of the rows of a slice.
pub(super) struct Inserted<'a> {
    /// The rows that were to be inserted, in the shape of `payment/insert_all.sql`.
    pub rows: Cow<'a, str>,
    /// How many are new.
    pub added: u64,
    /// All of them, bad ones included.
    pub total: u64,
    /// Those that could not be.
    pub errors: Vec<RowError>,
    /// Whether some of the rows that were to be inserted were not.
    pub left_out: bool,
}

/// Inserts the rows of a slice, and names the payments that rows say they are.
pub(super) fn insert<'a, D: Db>(db: &D, rows: &'a str, entry: i64) -> Result<Inserted<'a>, Fault> {
    let total = import::count(db, rows)?;
    let said: Vec<Row> = if are_said(rows) {
        serde_json::from_str(rows)
            .map_err(|error| Fault::Db(format!("staged rows of payments: {error}")))?
    } else {
        Vec::new()
    };
    let (mut left_out, mut another) = (Vec::new(), BTreeSet::new());
    let mut names: Vec<Said<'_>> = Vec::new();
    for Row(row, id, customer, on, minor, currency, _, said) in &said {
        match said {
            Some(profile::Said { same_as: Some(same_as), .. }) => {
                names.push((*row, id, same_as, customer, *on, *minor, *currency));
                left_out.push(*row);
            }
            Some(profile::Said { another: true, .. }) => {
                another.insert(*row);
            }
            _ => {}
        }
    }
    let mut errors = Vec::new();
    let mut refuse = |row: u64, refused: Refused| {
        let Refused { code, detail, field } = refused;
        errors.push(RowError { row, field, code, detail });
    };
    let mut added = 0;
    if !names.is_empty() {
        let naming = Naming::of(db, &names)?;
        added = naming.keep(db, entry)?;
        naming.refused.into_iter().for_each(|(row, refused)| refuse(row, refused));
    }
    let otherwise = known_otherwise(db, rows)?;
    let said_so: BTreeSet<u64> = left_out.iter().copied().collect();
    for (row, refused) in otherwise.refused {
        let may = refused.code == Refusal::PerhapsBooked && another.contains(&row);
        if !said_so.contains(&row) && !may {
            left_out.push(row);
            refuse(row, refused);
        }
    }
    left_out.extend(otherwise.named.into_iter().filter(|row| !said_so.contains(row)));
    let mut rows = plain(rows, &said)?;
    if !left_out.is_empty() {
        rows = payment::without(db, &rows, &left_out)?.into();
    }
    let new = payment::insert_all(db, &rows, Some(entry))?;
    if !another.is_empty() {
        payment::unname(db, &rows, entry)?;
    }
    let wanted = total.saturating_sub(u64::try_from(left_out.len()).unwrap_or(u64::MAX));
    Ok(Inserted { rows, added: added.saturating_add(new), total, errors, left_out: new < wanted })
}

/// The rows without what they say beside the payment.
fn plain<'a>(rows: &'a str, said: &[Row]) -> Result<Cow<'a, str>, Fault> {
    if said.is_empty() {
        return Ok(rows.into());
    }
    let plain = said.iter().map(|Row(row, id, customer, on, minor, currency, invoice, _)| {
        (row, id, customer, on, minor, currency, invoice)
    });
    Ok(json(&plain.collect::<Vec<_>>())?.into())
}
