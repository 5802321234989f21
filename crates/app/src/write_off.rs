//! Write-offs: debts given up, with a second key for large ones.

use crate::{
    audit::{self, Author, Note},
    invoice::open_on,
    ledger::{Change, ROW, day_or_today, known_customer, missing, unless_differing},
    payment::MAX_REASON,
    replay,
};
use dunlin_domain::{
    Currency, Date, Id, Refusal, Refused,
    contract::{
        ledger::{NewWriteOff, Policy, WriteOff, WriteOffReversal, WriteOffState},
        types::{Difference, InvoiceKind},
    },
    text,
};
use dunlin_store::{Db, Fault, When, adjustment, invoice, policy, write, write_off};
use serde_json::json;

/// Asks for a write-off. It counts at once, unless the policy wants a second key for so much.
pub fn add<D: Db>(
    db: &D,
    new: &NewWriteOff,
    made: Id,
    author: &Author,
) -> Result<(WriteOff, Change), Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    if new.minor.is_some_and(|minor| minor < 1) {
        let detail = "a write-off is at least 1";
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("minor").into());
    }
    let id = new.id.clone().unwrap_or(made);
    write(db, |db| {
        if let Some(before) = write_off::get(db, &id)? {
            let differs = [
                ("invoice_id", before.invoice_id != new.invoice_id),
                ("on", new.on.is_some_and(|on| on != before.on)),
                ("minor", new.minor.is_some_and(|minor| minor != before.amount.minor)),
                ("reason", before.reason != new.reason),
            ];
            let differs = differs.into_iter().filter(|(_, differs)| *differs);
            unless_differing(differs.map(|(field, _)| (ROW, field.into())).collect())?;
            return Ok((get(db, &before.id)?, Change::AlreadySo));
        }
        let refused =
            |code: Refusal| Fault::from(Refused::new(code, code.about()).at("invoice_id"));
        let named = invoice::find(db, new.invoice_id.as_str())?;
        let (_, key, customer, kind, currency, issued_on) =
            named.ok_or_else(|| refused(Refusal::UnknownInvoice))?;
        if kind == InvoiceKind::CreditNote {
            return Err(refused(Refusal::NotPayable));
        }
        let on = day_or_today(db, new.on, author)?;
        if on < issued_on {
            let detail = format!("the document is of {issued_on}");
            return Err(Refused::new(Refusal::DateOutOfRange, detail).at("on").into());
        }
        let open = open_on(db, key, on)?;
        let minor = new.minor.unwrap_or(open);
        if minor > open || open == 0 {
            let detail = format!("{open} is open on {on}");
            return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
        }
        // Together with what was asked before: a large one is not cut into small ones to get by without a second key.
        let together = write_off::asked(db, key)?.saturating_add(minor);
        let waits = needs_second_key(&policy::current(db)?, together, currency);
        let state = if waits { WriteOffState::Pending } else { WriteOffState::Booked };
        // The state too: from now on only a second key takes it out of waiting.
        let made = json!({
            "id": id, "invoice_id": new.invoice_id, "on": on, "minor": minor, "reason": new.reason, "state": state,
        });
        let entry = audit::note(db, author, &Note::made("write_off", id.as_str(), &made)?)?;
        let (reason, asked_by) = (new.reason.as_str(), author.who.as_str());
        write_off::insert(
            db,
            &write_off::New {
                id: &id,
                invoice_key: key,
                on,
                minor,
                reason,
                state,
                asked_by,
                entry,
            },
        )?;
        if !waits {
            adjust(db, &id, (key, customer), on, minor, entry)?;
            replay::customers(db, &[customer], author.at, Some(entry))?;
        }
        Ok((get(db, &id)?, Change::Made))
    })
}

/// Takes a write-off off its document, given with its customer.
fn adjust<D: Db>(
    db: &D,
    id: &Id,
    (invoice_key, customer_key): (i64, i64),
    on: Date,
    minor: i64,
    entry: i64,
) -> Result<(), Fault> {
    let name = name(id);
    let difference = Difference::WriteOff;
    adjustment::insert(
        db,
        &adjustment::New { id: &name, customer_key, invoice_key, on, minor, difference, entry },
    )
}

/// What the adjustment of a write-off is called.
fn name(id: &Id) -> String {
    format!("write-off/{id}")
}

fn needs_second_key(policy: &Policy, minor: i64, currency: Currency) -> bool {
    let thresholds = policy.write_off_approval.as_deref().unwrap_or_default();
    thresholds.iter().any(|threshold| threshold.currency == currency && minor >= threshold.minor)
}

/// Approves a write-off that waits, or turns it down. Never by the key that asked for it.
pub fn decide<D: Db>(
    db: &D,
    id: &Id,
    state: WriteOffState,
    author: &Author,
) -> Result<(WriteOff, Change), Fault> {
    write(db, |db| {
        let before = said(db, id)?;
        if before.state == state && before.decided_by.is_some() {
            return Ok((get(db, &before.id)?, Change::AlreadySo));
        }
        if before.state != WriteOffState::Pending {
            let detail = format!("the write-off is {}", before.state);
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        if before.asked_by == author.who {
            return Err(Fault::refused(Refusal::SecondKeyNeeded, Refusal::SecondKeyNeeded.about()));
        }
        let named =
            invoice::find(db, before.invoice_id.as_str())?.ok_or_else(|| missing("invoice"))?;
        if state == WriteOffState::Booked {
            // It waited, and money may have come in the meantime, or the document may have another day.
            let on = before.on.max(named.5);
            let open = open_on(db, named.1, on)?;
            if before.amount.minor > open {
                let detail = format!("{open} is open on {on}");
                return Err(Fault::refused(Refusal::MoreThanOpen, detail));
            }
        }
        let what =
            Note::changed("decide", "write_off", id.as_str(), Some(&before.state), Some(&state))?;
        let entry = audit::note(db, author, &what)?;
        write_off::decide(db, id, state, &author.who, entry)?;
        if state == WriteOffState::Booked {
            adjust(db, id, (named.1, named.2), before.on, before.amount.minor, entry)?;
            replay::customers(db, &[named.2], author.at, Some(entry))?;
        }
        Ok((get(db, id)?, Change::Replaced))
    })
}

/// Takes back a write-off that was booked by mistake: from a day on, what stands of it is owed again.
pub fn reverse<D: Db>(
    db: &D,
    id: &Id,
    new: &WriteOffReversal,
    author: &Author,
) -> Result<(WriteOff, Change), Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let before = said(db, id)?;
        if before.state == WriteOffState::Reversed {
            let differs = [
                ("on", new.on.is_some() && new.on != before.reversed_on),
                ("reason", before.reversal_reason.as_ref() != Some(&new.reason)),
            ];
            let differs = differs.into_iter().filter(|(_, differs)| *differs);
            unless_differing(differs.map(|(field, _)| (ROW, field.into())).collect())?;
            return Ok((get(db, &before.id)?, Change::AlreadySo));
        }
        if before.state != WriteOffState::Booked {
            let detail = format!("the write-off is {}", before.state);
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let on = day_or_today(db, new.on, author)?;
        if on < before.on {
            let detail = format!("the write-off counts from {}", before.on);
            return Err(Refused::new(Refusal::DateOutOfRange, detail).at("on").into());
        }
        let made = WriteOffReversal { on: Some(on), ..new.clone() };
        let what =
            Note::changed("reverse", "write_off", id.as_str(), Some(&before.state), Some(&made))?;
        let entry = audit::note(db, author, &what)?;
        write_off::reverse(db, id, on, &author.who, &new.reason, entry)?;
        adjustment::end(db, &name(id), on)?;
        let customer = known_customer(db, &before.customer_id)?;
        replay::customers(db, &[customer], author.at, Some(entry))?;
        Ok((get(db, id)?, Change::Replaced))
    })
}

/// The write-off of this id as it was said.
fn said<D: Db>(db: &D, id: &Id) -> Result<WriteOff, Fault> {
    write_off::get(db, id)?.ok_or_else(|| missing("write-off"))
}

/// The write-off of this id with all that is recorded of it.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<WriteOff, Fault> {
    then(db, id, When::ALL)
}

/// The write-off of this id as it stood on a day and was known then.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<WriteOff, Fault> {
    write_off::then(db, id, when)?.ok_or_else(|| missing("write-off"))
}

/// Write-offs after an id, of one customer when given, as they stood on a day and were known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    when: When,
) -> Result<Vec<WriteOff>, Fault> {
    write_off::page(db, after, limit, customer, when)
}
