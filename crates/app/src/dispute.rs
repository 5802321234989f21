//! Debts that the debtor contests: opened for an amount, decided once.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, day_or_today},
    pause::differing,
    replay,
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    contract::{
        ledger::{Dispute, DisputeResolution, DisputeState, NewDispute},
        types::InvoiceKind,
    },
    dispute::{check, upheld},
};
use dunlin_store::{Db, Fault, When, dispute, write};

/// Opens a dispute of at most what is open and not contested on its day. What it freezes is replayed.
pub fn open<D: Db>(
    db: &D,
    new: &NewDispute,
    made: Id,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    check(new)?;
    if new.id.as_ref().is_some_and(|id| id.as_str().starts_with(dispute::WHOLE)) {
        let detail = format!("ids that begin with {} are given by Dunlin", dispute::WHOLE);
        return Err(Refused::new(Refusal::MalformedId, detail).at("id").into());
    }
    let id = new.id.clone().unwrap_or(made);
    write(db, |db| {
        if let Some(stored) = dispute::get(db, &id)? {
            unless_other(&stored, new)?;
            return Ok((id.clone(), Change::AlreadySo));
        }
        let on = day_or_today(db, new.on, author)?;
        let (target, minor) = contestable(db, new, on)?;
        let filled =
            NewDispute { id: Some(id.clone()), on: Some(on), minor: Some(minor), ..new.clone() };
        let entry = note(db, author, &Note::made("dispute", id.as_str(), &filled)?)?;
        let row = dispute::New {
            id: &id,
            customer_key: target.customer_key,
            invoice_key: target.key,
            on,
            minor,
            reason: new.reason,
            detail: new.detail.as_deref(),
            evidence: new.evidence.as_deref(),
            entry,
        };
        dispute::insert(db, &row)?;
        replay::customers(db, &[target.customer_key], author.at, Some(entry))?;
        Ok((id.clone(), Change::Made))
    })
}

/// The document and how much of it is contested: what was asked for, or all that can be.
fn contestable<D: Db>(db: &D, new: &NewDispute, on: Date) -> Result<(dispute::Target, i64), Fault> {
    let refused = |code: Refusal, detail: &str, field: &str| {
        Err(Fault::from(Refused::new(code, detail).at(field)))
    };
    let Some(target) = dispute::target(db, &new.invoice_id, on)? else {
        return refused(Refusal::UnknownInvoice, Refusal::UnknownInvoice.about(), "invoice_id");
    };
    if target.kind == InvoiceKind::CreditNote {
        return refused(Refusal::NotPayable, "a credit note claims nothing", "invoice_id");
    }
    let left = target.open_minor.saturating_sub(target.contested_minor).max(0);
    let minor = new.minor.unwrap_or(left);
    if minor > left || minor == 0 {
        let detail = format!("{left} was open and not contested on {on}");
        return refused(Refusal::MoreThanOpen, &detail, "minor");
    }
    Ok((target, minor))
}

/// What a repetition leaves out was decided the first time.
fn unless_other(stored: &Dispute, new: &NewDispute) -> Result<(), Refused> {
    differing(&[
        ("invoice_id", stored.invoice_id != new.invoice_id),
        ("on", new.on.is_some_and(|on| on != stored.on)),
        ("minor", new.minor.is_some_and(|minor| minor != stored.amount.minor)),
        ("reason", stored.reason != new.reason),
        ("detail", stored.detail != new.detail),
        ("evidence", stored.evidence != new.evidence),
    ])
}

/// Decides a dispute. What was upheld is taken off the document on that day; interest and allocations are replayed.
pub fn resolve<D: Db>(
    db: &D,
    id: &Id,
    resolution: &DisputeResolution,
    author: &Author,
) -> Result<Change, Fault> {
    write(db, |db| {
        let stored = get(db, id)?;
        let upheld_minor = upheld(resolution, stored.amount.minor)?;
        if let (Some(outcome), Some(on)) = (stored.outcome, stored.resolved_on) {
            return if same(&stored, resolution, upheld_minor) {
                Ok(Change::AlreadySo)
            } else {
                let detail = format!("the dispute was resolved on {on} as {outcome}");
                Err(Fault::refused(Refusal::WrongState, detail))
            };
        }
        let on = day_or_today(db, resolution.on, author)?;
        if on < stored.on {
            let detail = format!("the dispute began on {}", stored.on);
            return Err(Refused::new(Refusal::WrongState, detail).at("on").into());
        }
        let after = Dispute {
            state: DisputeState::Resolved,
            outcome: Some(resolution.outcome),
            resolved_on: Some(on),
            upheld_minor,
            resolution: resolution.detail.clone(),
            ..stored.clone()
        };
        let change = Note::changed("resolve", "dispute", id.as_str(), Some(&stored), Some(&after))?;
        let entry = note(db, author, &change)?;
        let end = dispute::End {
            on,
            outcome: resolution.outcome,
            upheld_minor,
            detail: resolution.detail.as_deref(),
            entry,
        };
        dispute::resolve(db, id, &end)?;
        let (customer_key, _) = dispute::keys(db, id)?;
        replay::customers(db, &[customer_key], author.at, Some(entry))?;
        Ok(Change::Replaced)
    })
}

fn same(stored: &Dispute, asked: &DisputeResolution, upheld_minor: Option<i64>) -> bool {
    stored.outcome == Some(asked.outcome)
        && stored.upheld_minor == upheld_minor
        && asked.on.is_none_or(|on| stored.resolved_on == Some(on))
        && stored.resolution == asked.detail
}

/// The dispute of this id with all that is recorded of it.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Dispute, Fault> {
    then(db, id, When::ALL)
}

/// The dispute of this id as it stood on a day and was known then.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<Dispute, Fault> {
    dispute::then(db, id, when)?
        .ok_or_else(|| Fault::refused(Refusal::NotFound, "no dispute has this id"))
}

/// Disputes after an id: everybody's or one customer's, in any state or in one, as they stood on a day and were
/// known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    state: Option<DisputeState>,
    when: When,
) -> Result<Vec<Dispute>, Fault> {
    dispute::page(db, after, limit, customer, state, when)
}
