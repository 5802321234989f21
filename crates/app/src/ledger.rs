//! One customer, invoice or payment at a time: the single writes and the reads of the ledger.

use crate::replay;
use dunlin_domain::{
    Date, Id, Instant, Money, Refusal, Refused,
    contract::{
        ingest::{Organisation, Profile},
        types::{Customer, Invoice, InvoiceKind, NewCustomer, NewInvoice, NewPayment, Payment},
    },
    money::MAX_MINOR,
    zone,
};
use dunlin_store::{
    Db, Fault, customer, invoice, invoice::After, organisation, payment, profile, write,
};
use serde::Serialize;

/// Whether a write changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Made,
    /// It was there, and was replaced.
    Replaced,
    /// It was there with the same content: nothing changed.
    AlreadySo,
}

/// The row number of a single write, which its errors leave out.
const ROW: u64 = 1;

/// Records a customer. The same again is fine; the same id with other content is refused.
pub fn add_customer<D: Db>(db: &D, new: &NewCustomer, made: Id) -> Result<(Id, Change), Fault> {
    let (id, rows) = customer_row(new, made)?;
    let rows = one(rows)?;
    write(db, |db| {
        if customer::insert_all(db, &rows)? == 1 {
            return Ok((id.clone(), Change::Made));
        }
        unless_differing(customer::differing(db, &rows)?)?;
        Ok((id.clone(), Change::AlreadySo))
    })
}

/// Replaces a customer, or makes it when it is not there.
pub fn put_customer<D: Db>(db: &D, id: &Id, new: &NewCustomer) -> Result<Change, Fault> {
    if new.id.as_ref().is_some_and(|other| other != id) {
        return Err(Refused::new(
            Refusal::MalformedField,
            "the id in the body is not the id in the URL",
        )
        .at("id")
        .into());
    }
    let (_, row) = customer_row(&NewCustomer { id: Some(id.clone()), ..new.clone() }, id.clone())?;
    let text = json(&row)?;
    let rows = one(row)?;
    write(db, |db| {
        if customer::insert_all(db, &rows)? == 1 {
            return Ok(Change::Made);
        }
        Ok(if customer::replace(db, &text)? { Change::Replaced } else { Change::AlreadySo })
    })
}

/// Records an invoice, credit note, interest note or fee, and lets waiting payments meet it.
pub fn add_invoice<D: Db>(
    db: &D,
    new: &NewInvoice,
    made: Id,
    at: Instant,
) -> Result<(Id, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    let due_on = new.due_on.unwrap_or(new.issued_on);
    if due_on < new.issued_on {
        return Err(Refused::new(Refusal::DueBeforeIssued, Refusal::DueBeforeIssued.about())
            .at("due_on")
            .into());
    }
    amount_in_range(&new.amount, 0)?;
    let kind = new.kind.unwrap_or(InvoiceKind::Invoice);
    let disputed = i64::from(new.disputed.unwrap_or(false));
    let (minor, currency) = (new.amount.minor, new.amount.currency);
    let rows =
        one((ROW, &id, &new.customer_id, kind, new.issued_on, due_on, minor, currency, disputed))?;
    write(db, |db| {
        known_customer(db, &new.customer_id)?;
        let (last_invoice, last_payment) = (invoice::last_key(db)?, payment::last_key(db)?);
        if invoice::insert_all(db, &rows)? == 1 {
            replay::after(db, last_invoice, last_payment, at)?;
            return Ok((id.clone(), Change::Made));
        }
        unless_differing(invoice::differing(db, &rows)?)?;
        Ok((id.clone(), Change::AlreadySo))
    })
}

/// Records a payment and sets it against what is open.
pub fn add_payment<D: Db>(
    db: &D,
    new: &NewPayment,
    made: Id,
    at: Instant,
) -> Result<(Id, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    amount_in_range(&new.amount, 1)?;
    let (minor, currency) = (new.amount.minor, new.amount.currency);
    let rows =
        one((ROW, &id, &new.customer_id, new.received_on, minor, currency, &new.invoice_id))?;
    write(db, |db| {
        known_customer(db, &new.customer_id)?;
        let (last_invoice, last_payment) = (invoice::last_key(db)?, payment::last_key(db)?);
        if payment::insert_all(db, &rows)? == 1 {
            replay::after(db, last_invoice, last_payment, at)?;
            return Ok((id.clone(), Change::Made));
        }
        if let Some((_, code)) = payment::misnamed(db, &rows)?.pop() {
            return Err(Refused::new(code, code.about()).at("invoice_id").into());
        }
        unless_differing(payment::differing(db, &rows)?)?;
        Ok((id.clone(), Change::AlreadySo))
    })
}

fn customer_row(new: &NewCustomer, made: Id) -> Result<(Id, impl Serialize + use<>), Fault> {
    let id = new.id.clone().unwrap_or(made);
    dunlin_domain::customer::check(new)?;
    let limit = new.credit_limit;
    let row = (
        ROW,
        id.clone(),
        new.name.clone(),
        new.country.clone(),
        new.currency,
        new.language,
        new.time_zone.clone(),
        new.email.clone(),
        new.phone.clone(),
        limit.map(|limit| limit.minor),
        limit.map(|limit| limit.currency),
    );
    Ok((id, row))
}

fn amount_in_range(amount: &Money, least: i64) -> Result<(), Refused> {
    if amount.minor < least {
        return Err(Refused::new(
            Refusal::AmountNotPositive,
            format!("the amount is at least {least}"),
        )
        .at("amount"));
    }
    if amount.minor > MAX_MINOR {
        return Err(Refused::new(
            Refusal::AmountTooLarge,
            format!("the amount is at most {MAX_MINOR}"),
        )
        .at("amount"));
    }
    Ok(())
}

fn known_customer<D: Db>(db: &D, id: &Id) -> Result<(), Fault> {
    let refused =
        || Refused::new(Refusal::UnknownCustomer, "no customer has this id").at("customer_id");
    customer::key(db, id)?.map(drop).ok_or_else(|| refused().into())
}

fn unless_differing(differing: Vec<(u64, String)>) -> Result<(), Fault> {
    match differing.into_iter().next() {
        None => Ok(()),
        Some((_, field)) => {
            let detail = format!("the id is stored with another {field}; nothing was changed");
            Err(Refused::new(Refusal::DifferentContent, detail).at(&field).into())
        }
    }
}

fn json<T: Serialize>(row: &T) -> Result<String, Fault> {
    serde_json::to_string(row).map_err(|e| Fault::Db(e.to_string()))
}

fn one<T: Serialize>(row: T) -> Result<String, Fault> {
    json(&[row])
}

/// The customer with its balances on the day.
pub fn customer<D: Db>(db: &D, id: &Id, day: Date) -> Result<Customer, Fault> {
    customer::get(db, id, day)?.ok_or_else(|| missing("customer"))
}

/// Customers after an id.
pub fn customers<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    day: Date,
) -> Result<Vec<Customer>, Fault> {
    customer::page(db, after, limit, day)
}

/// The invoice as it stood on the day.
pub fn invoice<D: Db>(db: &D, id: &Id, day: Date) -> Result<Invoice, Fault> {
    invoice::get(db, id, day)?.ok_or_else(|| missing("invoice of that day or before"))
}

/// A customer's invoices by due date, as they stood on the day.
pub fn invoices<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    day: Date,
) -> Result<Vec<(Invoice, After)>, Fault> {
    invoice::page(db, customer, after, limit, day)
}

/// The payment as it stood on the day.
pub fn payment<D: Db>(db: &D, id: &Id, day: Date) -> Result<Payment, Fault> {
    payment::get(db, id, day)?.ok_or_else(|| missing("payment of that day or before"))
}

/// A customer's payments by day, as they stood on the day.
pub fn payments<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    day: Date,
) -> Result<Vec<(Payment, After)>, Fault> {
    payment::page(db, customer, after, limit, day)
}

fn missing(noun: &str) -> Fault {
    Fault::refused(Refusal::NotFound, format!("no {noun} has this id"))
}

/// The organisation.
pub fn organisation<D: Db>(db: &D) -> Result<Organisation, Fault> {
    organisation::get(db)
}

/// Replaces the organisation.
pub fn put_organisation<D: Db>(db: &D, new: &Organisation) -> Result<Change, Fault> {
    dunlin_domain::organisation::check(new)?;
    write(db, |db| {
        if organisation::get(db)? == *new {
            return Ok(Change::AlreadySo);
        }
        organisation::put(db, new)?;
        Ok(Change::Replaced)
    })
}

/// The business date at this moment: the calendar day in the organisation's zone.
pub fn today<D: Db>(db: &D, now: Instant) -> Result<Date, Fault> {
    Ok(zone::day_in(now, &organisation::get(db)?.time_zone)?)
}

/// The profile of this name; `generic` is built in for each kind and not stored.
pub fn profile<D: Db>(db: &D, name: &Id) -> Result<Profile, Fault> {
    profile::get(db, name)?.ok_or_else(|| missing("profile"))
}

/// Stores a profile.
pub fn put_profile<D: Db>(db: &D, new: &Profile) -> Result<Change, Fault> {
    write(db, |db| {
        let before = profile::get(db, &new.name)?;
        if before.as_ref() == Some(new) {
            return Ok(Change::AlreadySo);
        }
        profile::put(db, new)?;
        Ok(if before.is_some() { Change::Replaced } else { Change::Made })
    })
}

/// Profiles after a name.
pub fn profiles<D: Db>(db: &D, after: &str, limit: u32) -> Result<Vec<Profile>, Fault> {
    profile::page(db, after, limit)
}
