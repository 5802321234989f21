//! Interest that is claimed by a note, or given up.

use super::of_document;
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, ROW, amount_in_range, not_in_future, one},
    replay,
};
use dunlin_domain::{
    Date, Id, Money, Refusal, Refused,
    contract::{
        ledger::{NewInterestNote, NewWaiver, Waiver},
        types::InvoiceKind,
    },
};
use dunlin_store::{
    Db, Fault,
    interest_entry::{self, Document, Entry},
    invoice, write,
};
use std::collections::BTreeMap;

/// The longest reason of a waiver.
const MAX_REASON: usize = 500;

/// Claims interest that has accrued: a document of its own about the invoice.
pub fn add_note<D: Db>(
    db: &D,
    new: &NewInterestNote,
    made: Id,
    today: Date,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    write(db, |db| {
        let document = known_document(db, &new.invoice_id)?;
        if same_note(db, &id, new)? {
            return Ok((id.clone(), Change::AlreadySo));
        }
        let through = new.through.unwrap_or(today);
        not_in_future(through, today, "through")?;
        let due_on = new.due_on.unwrap_or(through);
        if due_on < through {
            let due_before = Refusal::DueBeforeIssued;
            return Err(Refused::new(due_before, due_before.about()).at("due_on").into());
        }
        let minor = claimable(db, &document, through)?.filter(|minor| *minor > 0);
        let minor = minor.ok_or_else(|| {
            let detail = format!("no interest may be claimed up to {through}");
            Refused::new(Refusal::MoreThanOpen, detail).at("invoice_id")
        })?;
        let kind = InvoiceKind::InterestNote;
        let currency = document.currency;
        amount_in_range(&Money::new(minor, currency), 1)
            .map_err(|refused| Refused { field: Some("through".into()), ..refused })?;
        let none = None::<i64>;
        let row = one((
            ROW,
            &id,
            &document.customer_id,
            kind,
            through,
            due_on,
            minor,
            currency,
            0,
            none,
            document.key,
            none,
        ))?;
        let change = serde_json::json!({
            "customer_id": document.customer_id, "kind": kind, "issued_on": through, "due_on": due_on,
            "amount": Money::new(minor, currency), "relates_to": new.invoice_id,
        });
        let entry = note(db, author, &Note::made("invoice", id.as_str(), &change)?)?;
        invoice::insert_all(db, &row, Some(entry))?;
        let note_key = invoice::last_key(db)?;
        interest_entry::insert(
            db,
            &Entry {
                id: &format!("note/{}", id.as_str()),
                customer_key: document.customer_key,
                invoice_key: document.key,
                note_key: Some(note_key),
                booked_on: through,
                minor,
                reason: None,
                entry_key: entry,
            },
        )?;
        replay::customers(db, &[document.customer_key], author.at, Some(entry))?;
        Ok((id.clone(), Change::Made))
    })
}

/// Whether the note is there already. Refused when the id stands for something else.
fn same_note<D: Db>(db: &D, id: &Id, new: &NewInterestNote) -> Result<bool, Fault> {
    let Some(there) = interest_entry::noted(db, id)? else { return Ok(false) };
    let differs = [
        (there.kind != InvoiceKind::InterestNote, "kind"),
        (there.about.as_ref() != Some(&new.invoice_id), "invoice_id"),
        (new.through.is_some_and(|day| day != there.issued_on), "through"),
        (new.due_on.is_some_and(|day| day != there.due_on), "due_on"),
    ];
    unless_different(&differs)?;
    Ok(true)
}

fn unless_different(differs: &[(bool, &str)]) -> Result<(), Refused> {
    match differs.iter().find(|(differs, _)| *differs) {
        None => Ok(()),
        Some((_, field)) => {
            let detail = format!("the id is stored with another {field}; nothing was changed");
            Err(Refused::new(Refusal::DifferentContent, detail).at(field))
        }
    }
}

/// Gives up interest, or takes back that it was given up.
pub fn add_waiver<D: Db>(
    db: &D,
    new: &NewWaiver,
    made: Id,
    today: Date,
    author: &Author,
) -> Result<(Waiver, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    check_reason(&new.reason)?;
    let row = format!("waiver/{}", id.as_str());
    write(db, |db| {
        let document = known_document(db, &new.invoice_id)?;
        if let Some(there) = interest_entry::waiver(db, &row)? {
            unless_different(&[
                (there.invoice_id != new.invoice_id, "invoice_id"),
                (new.on.is_some_and(|on| on != there.on), "on"),
                (new.minor.is_some_and(|minor| minor != there.minor), "minor"),
                (new.reason != there.reason, "reason"),
            ])?;
            let amount = Money::new(there.minor, there.currency);
            return Ok((waiver(&id, new, there.on, amount), Change::AlreadySo));
        }
        let on = new.on.unwrap_or(today);
        not_in_future(on, today, "on")?;
        let minor = waivable(db, &document, new.minor, on)?;
        let made = waiver(&id, new, on, Money::new(minor, document.currency));
        let entry = note(db, author, &Note::made("interest_entry", &row, &made)?)?;
        interest_entry::insert(
            db,
            &Entry {
                id: &row,
                customer_key: document.customer_key,
                invoice_key: document.key,
                note_key: None,
                booked_on: on,
                minor,
                reason: Some(&new.reason),
                entry_key: entry,
            },
        )?;
        Ok((made, Change::Made))
    })
}

fn waiver(id: &Id, new: &NewWaiver, on: Date, amount: Money) -> Waiver {
    let (invoice_id, reason) = (new.invoice_id.clone(), new.reason.clone());
    Waiver { id: id.clone(), invoice_id, on, amount, reason }
}

/// How much is given up: what was asked, or all that may be claimed. Never more than that, and below zero never more
/// than was given up by the day and by each later one.
fn waivable<D: Db>(
    db: &D,
    document: &Document,
    asked: Option<i64>,
    on: Date,
) -> Result<i64, Fault> {
    if asked == Some(0) {
        let detail = "a waiver is of more than nothing, or takes one back";
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("minor").into());
    }
    let mut open = claimable(db, document, on)?.unwrap_or(0);
    let given_up = waived_from(db, document, on)?;
    let all = given_up.last_key_value().map_or(0, |(_, sum)| *sum);
    // What is taken back later stood until then.
    for (day, _) in given_up.iter().filter(|(_, sum)| **sum > all) {
        let then = of_document(db, document, *day, *day, i64::MAX)?;
        open = open.min(then.map_or(0, |of| of.outstanding_minor));
    }
    let least = given_up.values().min().copied().unwrap_or(0);
    let minor = asked.unwrap_or(open.max(0));
    if minor > open.max(0) || minor == 0 || minor < least.saturating_neg() {
        let detail = format!("{open} may be given up on {on}, and {least} be taken back");
        return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
    }
    amount_in_range(&Money::new(minor.max(1), document.currency), 1)
        .map_err(|refused| Refused { field: Some("minor".into()), ..refused })?;
    Ok(minor)
}

/// What was given up in sum by a day, and by each later day on which it changed.
fn waived_from<D: Db>(db: &D, document: &Document, on: Date) -> Result<BTreeMap<Date, i64>, Fault> {
    let mut by_day: BTreeMap<Date, i64> = [(on, 0)].into();
    for (_, day, minor) in interest_entry::waived(db, &[document.key], i64::MAX)? {
        let sum = by_day.entry(day.max(on)).or_default();
        *sum = sum.saturating_add(minor);
    }
    let mut sum = 0i64;
    for minor in by_day.values_mut() {
        sum = sum.saturating_add(*minor);
        *minor = sum;
    }
    Ok(by_day)
}

/// What may still be claimed up to a day. All notes and waivers count, also later ones: no day is charged twice.
fn claimable<D: Db>(db: &D, document: &Document, day: Date) -> Result<Option<i64>, Fault> {
    match of_document(db, document, day, Date::LAST, i64::MAX) {
        // A preset that does not hold for it lets nothing be claimed.
        Err(Fault::Refused(refused)) if refused.code == Refusal::UnknownPreset => Ok(None),
        found => Ok(found?.map(|of| of.outstanding_minor)),
    }
}

fn known_document<D: Db>(db: &D, id: &Id) -> Result<Document, Fault> {
    let refused =
        || Refused::new(Refusal::UnknownInvoice, "no invoice has this id").at("invoice_id");
    let document = interest_entry::document(db, id)?;
    document.filter(|document| !document.is_part).ok_or_else(|| refused().into())
}

fn check_reason(reason: &str) -> Result<(), Refused> {
    if reason.trim().is_empty() {
        return Err(Refused::new(Refusal::MissingField, "a waiver has a reason").at("reason"));
    }
    if reason.chars().count() > MAX_REASON {
        let detail = format!("a reason has at most {MAX_REASON} characters");
        return Err(Refused::new(Refusal::TextTooLong, detail).at("reason"));
    }
    if reason.chars().any(|c| c.is_control() && c != '\n') {
        let detail = "a reason has no control characters";
        return Err(Refused::new(Refusal::MalformedText, detail).at("reason"));
    }
    Ok(())
}
