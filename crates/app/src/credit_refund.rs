//! Refunds of credit notes: what nothing was set against is paid out to the customer, or stands again.

use crate::{
    audit::{self, Author, Note},
    invoice::open_on,
    ledger::{Change, ROW, day_or_today, missing, unless_differing},
    payment::MAX_REASON,
    replay,
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    contract::{
        ledger::{CreditRefundReversal, NewCreditRefund},
        types::{CreditRefund, InvoiceKind},
    },
    text,
};
use dunlin_store::{
    Db, Fault, When,
    credit_refund::{self as table, New},
    invoice, write,
};

/// Pays out what is left of a credit note, from a day on.
pub fn add<D: Db>(
    db: &D,
    note: &Id,
    new: &NewCreditRefund,
    made: Id,
    author: &Author,
) -> Result<Change, Fault> {
    let id = new.id.clone().unwrap_or(made);
    new.reason.as_deref().map_or(Ok(()), |reason| text::check(reason, 1, MAX_REASON, "reason"))?;
    if new.minor.is_some_and(|minor| minor < 1) {
        let detail = "what is paid out is at least 1";
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("minor").into());
    }
    write(db, |db| {
        let (_, key, customer, kind, _, issued_on) =
            invoice::find(db, note.as_str())?.ok_or_else(|| missing("credit note"))?;
        if kind != InvoiceKind::CreditNote {
            let detail = "only a credit note is paid out; money that came in is reversed";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        if let Some(there) = table::get(db, &id)? {
            return same(&there, key, new);
        }
        let on = day_or_today(db, new.on, author)?;
        if on < issued_on {
            let detail = format!("the credit note is of {issued_on}");
            return Err(Refused::new(Refusal::DateOutOfRange, detail).at("on").into());
        }
        let minor = left(db, key, on, new.minor)?;
        let refund = CreditRefund {
            id: id.clone(),
            on,
            minor,
            reason: new.reason.clone(),
            reversed_on: None,
        };
        let change = serde_json::json!({ "credit_note_id": note, "refund": refund });
        let what = Note::made("credit_refund", id.as_str(), &change)?;
        let entry = audit::note(db, author, &what)?;
        let reason = new.reason.as_deref();
        let row =
            New { id: &id, customer_key: customer, credit_key: key, on, minor, reason, entry };
        table::insert(db, &row)?;
        replay::customers(db, &[customer], author.at, Some(entry))?;
        Ok(Change::Made)
    })
}

/// How much is paid out: what was asked, or all that nothing was set against on the day and since. Another refund may
/// have stood for a time in between.
fn left<D: Db>(db: &D, key: i64, on: Date, asked: Option<i64>) -> Result<i64, Fault> {
    let refunds = table::of_credits(db, &[key], When::ALL)?.remove(&key).unwrap_or_default();
    let mut most = open_on(db, key, on)?.min(open_on(db, key, Date::LAST)?);
    for later in refunds.iter().filter(|refund| refund.on > on) {
        most = most.min(open_on(db, key, later.on)?);
    }
    let minor = asked.unwrap_or(most);
    if minor > most || minor == 0 {
        let detail = format!("{most} of it was not used on {on} and since");
        return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
    }
    Ok(minor)
}

/// Whether a refund that is there already is the one asked for. What a repetition leaves out was decided the first time.
fn same(there: &table::Stored, credit: i64, new: &NewCreditRefund) -> Result<Change, Fault> {
    let refund = &there.refund;
    unless_any(&[
        ("id", there.credit_key != credit),
        ("on", new.on.is_some_and(|on| on != refund.on)),
        ("minor", new.minor.is_some_and(|minor| minor != refund.minor)),
        ("reason", new.reason != refund.reason),
    ])
}

fn unless_any(differs: &[(&str, bool)]) -> Result<Change, Fault> {
    let differs = differs.iter().filter(|(_, differs)| *differs);
    unless_differing(differs.map(|(field, _)| (ROW, (*field).into())).collect())?;
    Ok(Change::AlreadySo)
}

/// The money came back or never went: from a day on the credit stands again. Gives the credit note's id.
pub fn reverse<D: Db>(
    db: &D,
    id: &Id,
    new: &CreditRefundReversal,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let there = table::get(db, id)?.ok_or_else(|| missing("refund"))?;
        let credit = invoice::items(db, &[there.credit_key], i64::MAX)?.pop();
        let credit = credit.ok_or_else(|| missing("credit note"))?;
        if let Some(reversed_on) = there.refund.reversed_on {
            let change = unless_any(&[
                ("on", new.on.is_some_and(|on| on != reversed_on)),
                ("reason", there.reversal_reason.as_ref() != Some(&new.reason)),
            ])?;
            return Ok((credit.id, change));
        }
        let on = day_or_today(db, new.on, author)?;
        if on < there.refund.on {
            let detail = format!("the refund is of {}", there.refund.on);
            return Err(Refused::new(Refusal::DateOutOfRange, detail).at("on").into());
        }
        let what = Note::changed(
            "reverse",
            "credit_refund",
            id.as_str(),
            Some(&there.refund),
            Some(&(on, &new.reason)),
        )?;
        let entry = audit::note(db, author, &what)?;
        table::reverse(db, id, on, &new.reason, entry)?;
        replay::customers(db, &[credit.customer_key], author.at, Some(entry))?;
        Ok((credit.id, Change::Replaced))
    })
}
