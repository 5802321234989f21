//! Other names of payments: the same money comes by a statement of the bank and by the list of an ERP or the event of a
//! platform. What may be booked already is refused until somebody says whether it is.

use crate::{
    audit::{self, Author, Note},
    ledger::json,
};
use dunlin_domain::{Currency, Date, Id, Refusal, Refused};
use dunlin_store::{Db, Fault, payment};
use std::collections::{BTreeMap, BTreeSet};

/// A payment that is said to be one that is there: row, id, the payment's, customer, day, amount, currency.
pub(crate) type Said<'a> = (u64, &'a Id, &'a Id, &'a Id, Date, i64, Currency);

/// What rows of new payments are by what is there already.
#[derive(Default)]
pub(crate) struct Otherwise {
    /// Rows that are there under another name.
    pub named: Vec<u64>,
    /// Rows that are refused.
    pub refused: Vec<(u64, Refused)>,
}

/// Looks which of these rows are known under another name, or may be what an entry of a statement was booked as. Rows are
/// those of `payment/insert_all.sql`. One statement, and none where no statement of a bank ever came.
pub(crate) fn known_otherwise<D: Db>(db: &D, rows: &str) -> Result<Otherwise, Fault> {
    let mut found = Otherwise::default();
    if !payment::known_otherwise_at_all(db)? {
        return Ok(found);
    }
    for (row, why, of) in payment::known_otherwise(db, rows)? {
        match why.as_str() {
            "named" => found.named.push(row),
            "perhaps" => found.refused.push((row, perhaps(&of))),
            field => {
                let detail = format!(
                    "the id is another name of {of}, with another {field}; nothing was changed"
                );
                found
                    .refused
                    .push((row, Refused::new(Refusal::DifferentContent, detail).at(field)));
            }
        }
    }
    Ok(found)
}

pub(crate) fn perhaps(of: &Id) -> Refused {
    let detail = format!(
        "{of}, which a statement of the bank brought, may be this money; say `same_as` with its id, or `another`"
    );
    Refused::new(Refusal::PerhapsBooked, detail).at("id")
}

/// Has the other names of a payment be those of the one that took its place, or of none: each is told.
pub(crate) fn give<D: Db>(
    db: &D,
    before: &Id,
    now: Option<i64>,
    author: &Author,
) -> Result<(), Fault> {
    for (name, now, said) in payment::names_of(db, before, now)? {
        let note = match now {
            Some(_) => Note::made("payment-name", name.as_str(), &said)?,
            None => {
                Note::changed("remove", "payment-name", name.as_str(), Some(&said), None::<&()>)?
            }
        };
        let entry = audit::note(db, author, &note)?;
        payment::rename(db, &name, now, entry)?;
    }
    Ok(())
}

/// What is to be named, by what is there, and then names it: the entry of the audit chain is made in between.
pub(crate) struct Naming<'a> {
    rows: Vec<(&'a Id, i64, Date, i64)>,
    pub refused: Vec<(u64, Refused)>,
}

impl<'a> Naming<'a> {
    /// Looks at payments that are said to be ones that are there.
    pub(crate) fn of<D: Db>(db: &D, said: &[Said<'a>]) -> Result<Self, Fault> {
        let mut naming = Self { rows: Vec::new(), refused: Vec::new() };
        let (mut taken, mut seen) = (BTreeMap::<i64, i64>::new(), BTreeSet::new());
        for (of, found) in said.iter().zip(payment::nameable(db, &json(&said)?)?) {
            let (row, id, same_as, _, received_on, minor, _) = *of;
            let (key, customer, currency, left, is_payment, before) = found;
            let refused = |code: Refusal, field: &str, detail: String| {
                (row, Refused::new(code, detail).at(field))
            };
            let Some(key) = key else {
                let detail = format!("no payment has the id {same_as}");
                naming.refused.push(refused(Refusal::UnknownPayment, "same_as", detail));
                continue;
            };
            let taken = taken.entry(key).or_default();
            let left = left.unwrap_or(0).saturating_sub(*taken);
            let wrong = if before == Some(1) {
                continue;
            } else if is_payment == 1 || before == Some(0) || !seen.insert(id) {
                Some(("id", "the id is stored with other content".to_string()))
            } else if customer != 1 {
                Some(("customer_id", format!("{same_as} is another customer's")))
            } else if currency != 1 {
                Some(("currency", format!("{same_as} is in another currency")))
            } else if minor > left {
                Some(("amount", format!("{left} of {same_as} have no other name yet")))
            } else {
                None
            };
            match wrong {
                Some((field, detail)) => {
                    naming.refused.push(refused(Refusal::DifferentContent, field, detail));
                }
                None => {
                    *taken = taken.saturating_add(minor);
                    naming.rows.push((id, key, received_on, minor));
                }
            }
        }
        Ok(naming)
    }

    /// Keeps the names, and says how many are new.
    pub(crate) fn keep<D: Db>(&self, db: &D, entry: i64) -> Result<u64, Fault> {
        if !self.rows.is_empty() {
            payment::name(db, &self.rows, entry)?;
        }
        Ok(u64::try_from(self.rows.len()).unwrap_or(u64::MAX))
    }

    /// Whether nothing is new.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
