//! What rows change of records that are there: a customer's record by a list of customers, and a document that its source
//! has cancelled. It is done before the rest of the file, each with an entry of its own in the audit chain.

use super::{Rows, Tally, is_empty, staged};
use crate::{
    audit::Author,
    customer as customers, invoice as documents,
    ledger::{Change, today},
};
use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::{
        ingest::ImportKind,
        types::{Contact, CustomerStatus, Language, NewCustomer},
    },
};
use dunlin_store::{Db, Fault, customer, invoice};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The most customers that one file changes, and the most documents that it makes void: each is a flow of its own. What
/// is over is refused, and the next file goes on.
const MOST: u64 = 1_000;

/// How a row of customers ends that changes who is there.
const UPDATES: &str = ",3]";
const UPDATE: i64 = 3;

/// What a row of documents says that makes one void.
const VOIDS: &str = "\"voids\":true";

/// A row as [`dunlin_domain::profile::Slice`] has it.
#[derive(Deserialize)]
struct Row(
    u64,
    Id,
    String,
    Option<String>,
    Option<Currency>,
    Option<Language>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<Currency>,
    #[serde(default)] Option<CustomerStatus>,
    #[serde(default)] Option<String>,
    #[serde(default)] Option<String>,
    #[serde(default)] Option<Id>,
    #[serde(default)] Option<Vec<Contact>>,
    #[serde(default)] Option<i64>,
);

/// Changes what the rows of all slices change.
pub(super) fn change<D: Db>(
    db: &D,
    key: i64,
    rows: Rows<'_>,
    author: &Author,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let of = |kind: ImportKind| -> Result<Vec<String>, Fault> {
        let last = match kind {
            ImportKind::Customers => &rows.last.customers,
            _ => &rows.last.invoices,
        };
        let telling = if kind == ImportKind::Customers { UPDATES } else { VOIDS };
        let mut found = Vec::new();
        for number in 0..rows.staged {
            let text = staged(db, key, number, kind)?;
            if text.contains(telling) {
                found.push(text);
            }
        }
        if !is_empty(last) && last.contains(telling) {
            found.push(last.clone());
        }
        Ok(found)
    };
    let mut changed = 0;
    for slice in of(ImportKind::Customers)? {
        changed = update(db, &slice, changed, author, tally)?;
    }
    let (day, mut voided) = (today(db, author.at)?, 0);
    for slice in of(ImportKind::Invoices)? {
        voided = void(db, &slice, day, voided, author, tally)?;
    }
    Ok(())
}

/// Has customers who are there read as their rows say.
/// Gives how many were changed by the file so far.
fn update<D: Db>(
    db: &D,
    slice: &str,
    mut changed_now: u64,
    author: &Author,
    tally: &mut Tally,
) -> Result<u64, Fault> {
    let differing: BTreeSet<u64> =
        customer::differing(db, slice)?.into_iter().map(|(row, _)| row).collect();
    if differing.is_empty() {
        return Ok(changed_now);
    }
    let rows: Vec<Row> = serde_json::from_str(slice)
        .map_err(|error| Fault::Db(format!("staged rows of customers: {error}")))?;
    for row in rows.into_iter().filter(|row| row.16 == Some(UPDATE) && differing.contains(&row.0)) {
        let number = row.0;
        if changed_now >= MOST {
            let detail = over("customers");
            tally.not_changed.push((number, None, detail));
            continue;
        }
        let Some((_, stored)) = customer::record(db, &row.1)? else { continue };
        if row.14.is_some() && row.14 != stored.parent_id {
            let detail =
                "the customer is in another group, which no list changes; nothing was changed";
            let field = Some("parent_id");
            tally.not_changed.push((number, field, detail.into()));
            continue;
        }
        let done = customers::writable(&stored).map_err(Fault::from).and_then(|before| {
            let (id, new) = changed(before, row);
            customers::replace(db, &id, &new, None, author)
        });
        match done {
            Ok(Change::AlreadySo) => {}
            Ok(_) => {
                changed_now = changed_now.saturating_add(1);
                tally.changed = tally.changed.saturating_add(1);
            }
            // A customer who was merged: the row is named when it is applied.
            Err(Fault::Refused(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(changed_now)
}

/// Why a row that would change one record more is refused.
fn over(what: &str) -> String {
    format!(
        "a file changes at most {MOST} {what}, which it has done: send it again, with `on_error=skip` or in parts"
    )
}

/// The customer as the row says it, and where the row says nothing as it was. The group stays.
fn changed(before: NewCustomer, row: Row) -> (Id, NewCustomer) {
    let Row(_, id, name, country, currency, language, time_zone, email, phone, limit, of, ..) = row;
    let (status, segment, industry, contacts) = (row.11, row.12, row.13, row.15);
    let limit = limit.zip(of).map(|(minor, currency)| Money { minor, currency });
    let after = NewCustomer {
        name,
        country: country.or(before.country),
        currency: currency.or(before.currency),
        language: language.or(before.language),
        time_zone: time_zone.or(before.time_zone),
        email: email.or(before.email),
        phone: phone.or(before.phone),
        credit_limit: limit.or(before.credit_limit),
        status: status.or(before.status),
        segment: segment.or(before.segment),
        industry: industry.or(before.industry),
        contacts: contacts.or(before.contacts),
        ..before
    };
    (id, after)
}

/// Has documents that their source has cancelled be void from the day on, as far as they are what the rows say. Gives how
/// many were made void by the file so far.
fn void<D: Db>(
    db: &D,
    slice: &str,
    day: Date,
    mut voided: u64,
    author: &Author,
    tally: &mut Tally,
) -> Result<u64, Fault> {
    for (row, differs, id) in invoice::voidable(db, slice)? {
        if !differs.is_empty() {
            let detail = format!(
                "{id} is cancelled there, and has another {differs} here: it was not made void"
            );
            tally.not_void.push((row, None, detail));
            continue;
        }
        if voided >= MOST {
            tally.not_void.push((row, None, over("documents")));
            continue;
        }
        match documents::make_void(db, &id, day, author) {
            Ok(_) => {
                voided = voided.saturating_add(1);
                tally.changed = tally.changed.saturating_add(1);
            }
            // A credit note claims nothing that could be void: it stays named.
            Err(Fault::Refused(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(voided)
}
