//! Pauses of the count of delinquent days: begun once, ended once.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, today},
};
use dunlin_domain::{
    Id, Refusal, Refused,
    contract::ledger::{NewPause, Pause, Resume},
    text,
};
use dunlin_store::{Db, Fault, When, arrears, customer, delinquency, pause, write};

/// Records a pause of a customer or of one document.
pub fn add<D: Db>(
    db: &D,
    new: &NewPause,
    made: Id,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    text::check_optional(new.reason.as_deref(), 500, "reason")?;
    if new.to.is_some_and(|to| to < new.from) {
        let detail = "a pause does not end before it begins";
        return Err(Refused::new(Refusal::MalformedField, detail).at("to").into());
    }
    let id = new.id.clone().unwrap_or(made);
    let new = NewPause { id: Some(id.clone()), ..new.clone() };
    write(db, |db| {
        let (customer_key, invoice_key) = whose(db, &new)?;
        if let Some(stored) = pause::get(db, &id)? {
            unless_other(&stored, &new)?;
            return Ok((id.clone(), Change::AlreadySo));
        }
        let entry = note(db, author, &Note::made("pause", id.as_str(), &new)?)?;
        let row = pause::New {
            id: &id,
            customer_key,
            invoice_key,
            from: new.from,
            to: new.to,
            reason: new.reason.as_deref(),
            entry,
        };
        pause::insert(db, &row)?;
        arrears::look_again(db, &[customer_key])?;
        Ok((id.clone(), Change::Made))
    })
}

/// The customer of a pause, and the document if it is for one alone.
fn whose<D: Db>(db: &D, new: &NewPause) -> Result<(i64, Option<i64>), Fault> {
    let refused =
        |code: Refusal, field: &str| Fault::from(Refused::new(code, code.about()).at(field));
    match (&new.customer_id, &new.invoice_id) {
        (Some(id), None) => {
            let key = customer::key(db, id)?;
            Ok((key.ok_or_else(|| refused(Refusal::UnknownCustomer, "customer_id"))?, None))
        }
        (None, Some(id)) => {
            let found = delinquency::document(db, id)?;
            let (key, customer, ..) =
                found.ok_or_else(|| refused(Refusal::UnknownInvoice, "invoice_id"))?;
            Ok((customer, Some(key)))
        }
        (None, None) => Err(refused(Refusal::MissingField, "customer_id")),
        (Some(_), Some(_)) => {
            let detail = "a pause is for a customer or for a document, not for both";
            Err(Refused::new(Refusal::MalformedField, detail).at("invoice_id").into())
        }
    }
}

fn unless_other(stored: &Pause, new: &NewPause) -> Result<(), Refused> {
    let other = [
        ("customer_id", stored.customer_id != new.customer_id),
        ("invoice_id", stored.invoice_id != new.invoice_id),
        ("from", stored.from != new.from),
        ("to", stored.to != new.to),
        ("reason", stored.reason != new.reason),
    ];
    differing(&other)
}

/// Refuses the same id with other content, naming the first field that differs.
pub(crate) fn differing(fields: &[(&str, bool)]) -> Result<(), Refused> {
    match fields.iter().find(|(_, differs)| *differs) {
        None => Ok(()),
        Some((field, _)) => {
            let detail = format!("the id is stored with another {field}; nothing was changed");
            Err(Refused::new(Refusal::DifferentContent, detail).at(field))
        }
    }
}

/// Ends a pause before its planned end, or one that has none.
pub fn resume<D: Db>(db: &D, id: &Id, resume: &Resume, author: &Author) -> Result<Change, Fault> {
    write(db, |db| {
        let stored = get(db, id)?;
        let on = match (resume.on, stored.resumed_on) {
            (None, Some(_)) => return Ok(Change::AlreadySo),
            (Some(on), Some(resumed)) if on == resumed => return Ok(Change::AlreadySo),
            (Some(_), Some(resumed)) => {
                return Err(wrong_state(format!("the pause was ended on {resumed}")));
            }
            (on, None) => on.map_or_else(|| today(db, author.at), Ok)?,
        };
        if on < stored.from {
            return Err(wrong_state(format!("the pause begins on {}", stored.from)));
        }
        if let Some(to) = stored.to.filter(|to| *to < on) {
            return Err(wrong_state(format!("the pause ends by itself on {to}")));
        }
        let after = Pause { resumed_on: Some(on), ..stored.clone() };
        let change = Note::changed("resume", "pause", id.as_str(), Some(&stored), Some(&after))?;
        let entry = note(db, author, &change)?;
        pause::resume(db, id, on, entry)?;
        arrears::look_again(db, &[pause::customer_key(db, id)?])?;
        Ok(Change::Replaced)
    })
}

fn wrong_state(detail: String) -> Fault {
    Refused::new(Refusal::WrongState, detail).at("on").into()
}

/// The pause of this id.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Pause, Fault> {
    pause::get(db, id)?.ok_or_else(|| Fault::refused(Refusal::NotFound, "no pause has this id"))
}

/// Pauses after an id, everybody's or one customer's, as they stood on a day and were known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    when: When,
) -> Result<Vec<Pause>, Fault> {
    pause::page(db, after, limit, customer, when)
}
