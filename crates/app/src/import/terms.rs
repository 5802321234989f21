//! Rows of invoices that say more than their amount: their contracts and what they are about are looked up for a slice
//! at once, and the rows become those of single documents.

use crate::{
    invoice::terms::{Beside, Made, Ready, insert_parts, name_is_taken, part_ids, taken},
    ledger::json,
};
use dunlin_domain::{
    Currency, Date, Id, Money, Refused,
    contract::{
        ingest::RowError,
        types::{InvoiceKind, NewInvoice},
    },
    profile::Terms,
};
use dunlin_store::{Db, Fault, customer, invoice};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A row as [`dunlin_domain::profile::Slice`] has it.
#[derive(Deserialize)]
struct Row(
    u64,
    Id,
    Id,
    InvoiceKind,
    Date,
    Date,
    i64,
    Currency,
    i64,
    #[serde(default)] Option<Terms>,
);

impl Row {
    fn is_about_another(&self) -> bool {
        self.9.as_ref().is_some_and(|terms| terms.relates_to.is_some())
    }

    fn document(self) -> (u64, Id, NewInvoice) {
        let Self(row, id, customer_id, kind, issued_on, due_on, minor, currency, disputed, terms) =
            self;
        let terms = terms.unwrap_or(Terms { is_due: true, ..Terms::default() });
        let new = NewInvoice {
            id: Some(id.clone()),
            customer_id,
            kind: Some(kind),
            issued_on,
            due_on: terms.is_due.then_some(due_on),
            amount: Money { minor, currency },
            disputed: Some(disputed != 0),
            contract_id: terms.contract_id,
            relates_to: terms.relates_to,
            instalments: terms.instalments,
            penalty: Some(terms.penalty),
        };
        (row, id, new)
    }
}

/// Whether any row of the slice says more. Within a text a quotation mark has a backslash before it, so that at most
/// the beginning of a text is taken for a row that does.
pub(super) fn are_said(rows: &str) -> bool {
    rows.contains(",{\"")
}

/// What became of the rows of a slice.
pub(super) struct Inserted {
    /// The rows that could be inserted, in the shape of `invoice/insert_all.sql`.
    pub rows: String,
    /// How many were.
    pub added: u64,
    /// All of them, bad ones included.
    pub total: u64,
    /// Those that could not be.
    pub errors: Vec<RowError>,
    /// Those whose instalments are stored otherwise.
    pub differing: Vec<u64>,
    /// Whether rows are left that are about other documents.
    pub later: bool,
}

/// Inserts the rows that stand alone, or those about other documents, which may stand in a later slice.
pub(super) fn insert<D: Db>(
    db: &D,
    rows: &str,
    about_others: bool,
    entry: i64,
) -> Result<Inserted, Fault> {
    let rows: Vec<Row> = serde_json::from_str(rows)
        .map_err(|error| Fault::Db(format!("staged rows of invoices: {error}")))?;
    let later = !about_others && rows.iter().any(Row::is_about_another);
    let rows = rows.into_iter().filter(|row| row.is_about_another() == about_others);
    let documents: Vec<(u64, Id, NewInvoice)> = rows.map(Row::document).collect();
    let beside: Vec<(&Id, &NewInvoice)> = documents.iter().map(|(_, id, new)| (id, new)).collect();
    let beside = Beside::of(db, &beside)?;
    let owners: BTreeSet<&str> =
        documents.iter().map(|(_, _, new)| new.customer_id.as_str()).collect();
    let customers = customer::keys(db, &owners.into_iter().collect::<Vec<_>>())?;
    let total = u64::try_from(documents.len()).unwrap_or(u64::MAX);

    let mut errors = Vec::new();
    let mut refuse = |row: u64, refused: Refused| {
        let Refused { code, detail, field, .. } = refused;
        errors.push(RowError { row, field, code, detail });
    };
    let mut made: Vec<Made> = Vec::with_capacity(documents.len());
    for (row, id, new) in documents {
        // No customer has the key 0: who is not there has no contracts and no documents, and is named as unknown.
        let customer = customers.get(&new.customer_id).copied();
        match (Ready::of(&id, &new, customer.unwrap_or(0), &beside), customer) {
            (Ok(ready), _) => made.push((row, id, new, ready)),
            (Err(_), None) => {
                let plain = NewInvoice {
                    contract_id: None,
                    relates_to: None,
                    instalments: None,
                    penalty: None,
                    due_on: None,
                    ..new
                };
                match Ready::of(&id, &plain, 0, &beside) {
                    Ok(ready) => made.push((row, id, plain, ready)),
                    Err(refused) => refuse(row, refused),
                }
            }
            (Err(refused), Some(_)) => refuse(row, refused),
        }
    }
    for (row, refused) in unnameable(db, &made)? {
        refuse(row, refused);
    }
    let bad: BTreeSet<u64> = errors.iter().map(|error| error.row).collect();
    made.retain(|of| !bad.contains(&of.0));

    let rows: Vec<_> = made.iter().map(|(row, id, new, ready)| ready.row(*row, id, new)).collect();
    let rows = json(&rows)?;
    let added = invoice::insert_all(db, &rows, Some(entry))?;
    let new: Vec<&Made> = made.iter().filter(|of| !of.3.is_stored).collect();
    insert_parts(db, &new, entry)?;
    let differing = made.iter().filter(|of| of.3.parts_differ).map(|of| of.0).collect();
    Ok(Inserted { rows, added, total, errors, differing, later })
}

/// The rows whose instalments cannot have their names, or that stand twice with other instalments.
fn unnameable<D: Db>(db: &D, made: &[Made]) -> Result<Vec<(u64, Refused)>, Fault> {
    let ids: BTreeSet<&Id> = made.iter().map(|of| &of.1).collect();
    let mut first: BTreeMap<&Id, &Ready> = BTreeMap::new();
    let (mut bad, mut parts) = (Vec::new(), Vec::new());
    for (row, id, _, ready) in made.iter().filter(|of| !of.3.is_stored) {
        if *first.entry(id).or_insert(ready).instalments != ready.instalments {
            let detail = "the id stands in the file with other instalments";
            let code = dunlin_domain::Refusal::DifferentContent;
            bad.push((*row, Refused::new(code, detail).at("instalments")));
        }
        for part in part_ids(id, ready)? {
            parts.push((*row, part));
        }
    }
    let names: Vec<Id> = parts.iter().map(|(_, part)| part.clone()).collect();
    let taken = taken(db, &names)?;
    let clashes = parts.iter().filter(|(_, part)| taken.contains(part) || ids.contains(part));
    bad.extend(clashes.map(|(row, part)| (*row, name_is_taken(part))));
    Ok(bad)
}
