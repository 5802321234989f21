//! Rows of invoices that say more than their amount: their contracts and what they are about are looked up for a slice
//! at once, and the rows become those of single documents.

use crate::{
    invoice::terms::{Made, Ready, insert_parts, unnameable},
    ledger::json,
};
use dunlin_domain::{
    Currency, Date, Id, Money, Refusal, Refused,
    contract::{
        ingest::RowError,
        types::{InvoiceKind, NewInvoice},
    },
    profile::Terms,
};
use dunlin_store::{Db, Fault, invoice};
use serde::Deserialize;

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

    /// Whether it says nothing but that the document is void at its source.
    fn is_void(&self) -> bool {
        self.9.as_ref().is_some_and(|terms| terms.void)
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
            reference: terms.reference,
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
    let (void, rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(Row::is_void);
    let void = if about_others { Vec::new() } else { void };
    let rows = rows.into_iter().filter(|row| row.is_about_another() == about_others);
    let documents: Vec<(u64, Id, NewInvoice)> = rows.map(Row::document).collect();
    let beside = invoice::beside(db, documents.iter().map(|(_, id, new)| (id, new)))?;
    let total = u64::try_from(documents.len() + void.len()).unwrap_or(u64::MAX);

    let mut errors = Vec::new();
    if !void.is_empty() {
        let ids: Vec<&str> = void.iter().map(|row| row.1.as_str()).collect();
        let open = invoice::open_among(db, &ids)?;
        for (row, _) in void.iter().zip(open).filter(|(_, open)| *open != 0) {
            let code = Refusal::CancelledThere;
            let (field, detail) = (Some("id".into()), code.about().into());
            errors.push(RowError { row: row.0, field, code, detail });
        }
    }
    let mut refuse = |row: u64, refused: Refused| {
        let Refused { code, detail, field, .. } = refused;
        errors.push(RowError { row, field, code, detail });
    };
    let mut made: Vec<Made> = Vec::with_capacity(documents.len());
    for ((row, id, new), beside) in documents.into_iter().zip(&beside) {
        // Whose customer is not there has nothing to be looked up: the row is refused for that.
        let ready = match beside.0 {
            Some(customer) => Ready::of(&id, &new, customer, beside),
            None => Ok(Ready::plain(new.issued_on)),
        };
        match ready {
            Ok(ready) => made.push((row, id, new, ready)),
            Err(refused) => refuse(row, refused),
        }
    }
    // In the order of the rows.
    let unnameable = unnameable(db, &made)?;
    made.retain(|of| unnameable.binary_search_by_key(&of.0, |(row, _)| *row).is_err());
    unnameable.into_iter().for_each(|(row, refused)| refuse(row, refused));

    let rows: Vec<_> = made.iter().map(|(row, id, new, ready)| ready.row(*row, id, new)).collect();
    let rows = json(&rows)?;
    let added = invoice::insert_all(db, &rows, Some(entry))?;
    if made.iter().any(|of| of.3.is_stored && of.3.reference.is_some()) {
        invoice::adopt_references(db, &rows)?;
    }
    insert_parts(db, &made, entry)?;
    let differing = made.iter().filter(|of| of.3.parts_differ).map(|of| of.0).collect();
    Ok(Inserted { rows, added, total, errors, differing, later })
}
