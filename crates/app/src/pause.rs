//! Pauses of the count of delinquent days: begun once, ended once, and put right where the end was wrong.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, day_or_today},
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
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

/// Ends a pause before its planned end, or one that has none; or puts right the day on which it was ended.
pub fn resume<D: Db>(db: &D, id: &Id, resume: &Resume, author: &Author) -> Result<Change, Fault> {
    check_resume(resume)?;
    write(db, |db| {
        let stored = get(db, id)?;
        let undo = resume.undo == Some(true);
        let on = match (resume.on, stored.resumed_on) {
            // What is to be put right was put right.
            (on, resumed) if resume.replaces.is_some() && resume.replaces != resumed => {
                return match (undo, resumed) {
                    (true, None) => Ok(Change::AlreadySo),
                    (false, Some(resumed)) if on == Some(resumed) => Ok(Change::AlreadySo),
                    _ => Err(wrong_state("replaces", ended(resumed))),
                };
            }
            (_, Some(_)) if undo => None,
            (on, Some(_)) if resume.replaces.is_some() => Some(day_or_today(db, on, author)?),
            (None, Some(_)) => return Ok(Change::AlreadySo),
            (Some(on), Some(resumed)) if on == resumed => return Ok(Change::AlreadySo),
            (Some(_), resumed @ Some(_)) => return Err(wrong_state("on", ended(resumed))),
            (on, None) => Some(day_or_today(db, on, author)?),
        };
        if on.is_some_and(|on| on < stored.from) {
            return Err(wrong_state("on", format!("the pause begins on {}", stored.from)));
        }
        if let Some(to) = stored.to.filter(|to| on.is_some_and(|on| *to < on)) {
            return Err(wrong_state("on", format!("the pause ends by itself on {to}")));
        }
        let after = Pause { resumed_on: on, ..stored.clone() };
        let change = Note::changed("resume", "pause", id.as_str(), Some(&stored), Some(&after))?;
        let entry = note(db, author, &change)?;
        pause::resume(db, id, on, entry)?;
        arrears::look_again(db, &[pause::customer_key(db, id)?])?;
        Ok(Change::Replaced)
    })
}

fn ended(resumed: Option<Date>) -> String {
    match resumed {
        Some(on) => format!("the pause was ended on {on}"),
        None => "the pause was not ended".into(),
    }
}

/// What says that a resumption was wrong says which, and either the right day or that there is none.
fn check_resume(resume: &Resume) -> Result<(), Refused> {
    if resume.undo != Some(true) {
        return Ok(());
    }
    if resume.replaces.is_none() {
        let detail = "say with `replaces` which resumption is undone";
        return Err(Refused::new(Refusal::MissingField, detail).at("replaces"));
    }
    if resume.on.is_some() {
        let detail = "a resumption is undone or gets another day, not both";
        return Err(Refused::new(Refusal::MalformedField, detail).at("on"));
    }
    Ok(())
}

fn wrong_state(field: &str, detail: String) -> Fault {
    Refused::new(Refusal::WrongState, detail).at(field).into()
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
