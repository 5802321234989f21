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
        ledger::{Dispute, DisputeOutcome, DisputeResolution, DisputeState, NewDispute},
        types::InvoiceKind,
    },
    dispute::{check, decided},
};
use dunlin_store::{
    Db, Fault, When,
    dispute::{self, Said},
    write,
};

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
        let parts = parts(db, &id, &target)?;
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
            parts: &parts,
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
    let left = target.claims.iter().fold(0i64, |sum, of| sum.saturating_add(of.left_minor));
    let minor = new.minor.unwrap_or(left);
    if minor > left || minor == 0 {
        let detail = format!("{left} was open and not contested on {on}");
        return refused(Refusal::MoreThanOpen, &detail, "minor");
    }
    Ok((target, minor))
}

/// What the part of each instalment of a document that has some is called.
fn parts<D: Db>(db: &D, id: &Id, target: &dispute::Target) -> Result<Vec<(Id, i64)>, Fault> {
    if target.claims.iter().all(|claim| claim.key == target.key) {
        return Ok(Vec::new());
    }
    let mut parts: Vec<(Id, i64)> = Vec::new();
    for claim in &target.claims {
        let number = claim.id.as_str().rsplit_once('#').map_or("", |(_, number)| number);
        parts.push((format!("{id}#{number}").parse()?, claim.key));
    }
    let names: Vec<&Id> = parts.iter().map(|(name, _)| name).collect();
    if let Some(name) = dispute::taken(db, &names)? {
        let detail = format!("a part would be called {name}, which is taken");
        return Err(Refused::new(Refusal::DifferentContent, detail).at("id").into());
    }
    Ok(parts)
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

/// Decides a dispute, or puts right how it was decided. What was upheld is taken off the document on that day; interest
/// and allocations are replayed.
pub fn resolve<D: Db>(
    db: &D,
    id: &Id,
    resolution: &DisputeResolution,
    author: &Author,
) -> Result<Change, Fault> {
    write(db, |db| {
        let stored = dispute::get(db, id)?.ok_or_else(none)?;
        // Its decision goes by the day that was said, or the later one from which it counts.
        let mut resolution = resolution.clone();
        if resolution.replaces.is_some() && resolution.replaces == get(db, id)?.resolved_on {
            resolution.replaces = stored.resolved_on;
        }
        let resolution = &resolution;
        if let Some(whole) = &stored.part_of {
            let detail = format!("this is a part of {whole}: resolve that");
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let decided = decided(resolution, stored.amount.minor)?;
        let (outcome, upheld_minor) =
            decided.map_or((None, None), |(outcome, minor)| (Some(outcome), minor));
        let said = dispute::said(db, id)?;
        let before = said.iter().rev().nth(1).and_then(|before| before.1);
        match outcome {
            Some(_) if same(&stored, resolution, outcome, upheld_minor) => {
                return Ok(Change::AlreadySo);
            }
            None if stored.outcome.is_none() && before == resolution.replaces => {
                differing(&[("detail", stored.resolution != resolution.detail)])?;
                return Ok(Change::AlreadySo);
            }
            _ => {}
        }
        unless_decided(&stored, resolution)?;
        unless_taken_back(&stored, &said, resolution, decided)?;
        let on = outcome.map(|_| day_or_today(db, resolution.on, author)).transpose()?;
        if on.is_some_and(|on| on < stored.on) {
            let detail = format!("the dispute began on {}", stored.on);
            return Err(Refused::new(Refusal::WrongState, detail).at("on").into());
        }
        let after = Dispute {
            state: if on.is_some() { DisputeState::Resolved } else { DisputeState::Open },
            outcome,
            resolved_on: on,
            upheld_minor,
            resolution: resolution.detail.clone(),
            ..stored.clone()
        };
        let action = if on.is_some() { "resolve" } else { "reopen" };
        let change = Note::changed(action, "dispute", id.as_str(), Some(&stored), Some(&after))?;
        let entry = note(db, author, &change)?;
        let detail = resolution.detail.as_deref();
        let end = dispute::End { on, outcome, upheld_minor, detail, entry };
        dispute::resolve(db, id, &end)?;
        let (customer_key, _) = dispute::keys(db, id)?;
        replay::customers(db, &[customer_key], author.at, Some(entry))?;
        Ok(Change::Replaced)
    })
}

/// Whether the dispute is decided as is asked for.
fn same(
    stored: &Dispute,
    asked: &DisputeResolution,
    outcome: Option<DisputeOutcome>,
    upheld_minor: Option<i64>,
) -> bool {
    stored.outcome == outcome
        && stored.upheld_minor == upheld_minor
        && asked.on.is_none_or(|on| stored.resolved_on == Some(on))
        && stored.resolution == asked.detail
}

/// What says the same as something that was taken back is its repetition, and is not done again.
fn unless_taken_back(
    stored: &Dispute,
    said: &[Said],
    asked: &DisputeResolution,
    decided: Option<(DisputeOutcome, Option<i64>)>,
) -> Result<(), Refused> {
    let taken_back = match decided {
        Some(_) if stored.outcome.is_some() => return Ok(()),
        Some((outcome, upheld_minor)) => said.iter().any(|(what, on, minor, detail)| {
            (*what, *minor, detail) == (Some(outcome), upheld_minor, &asked.detail)
                && asked.on.is_none_or(|day| *on == Some(day))
        }),
        None => said.windows(2).any(|pair| match pair {
            [(_, on, ..), (None, _, _, detail)] => (*on, detail) == (asked.replaces, &asked.detail),
            _ => false,
        }),
    };
    if taken_back {
        let detail =
            "that was said before and taken back: say it with another day or another detail";
        return Err(Refused::new(Refusal::WrongState, detail));
    }
    Ok(())
}

/// What was decided is decided otherwise only by who names the day of it.
fn unless_decided(stored: &Dispute, asked: &DisputeResolution) -> Result<(), Refused> {
    match (stored.outcome.zip(stored.resolved_on), asked.replaces) {
        (None, None) => Ok(()),
        (Some((_, on)), Some(replaces)) if on == replaces => Ok(()),
        (Some((outcome, on)), replaces) => {
            let detail = format!("the dispute was resolved on {on} as {outcome}");
            let refused = Refused::new(Refusal::WrongState, detail);
            Err(if replaces.is_some() { refused.at("replaces") } else { refused })
        }
        (None, Some(_)) => {
            Err(Refused::new(Refusal::WrongState, "the dispute is not decided").at("replaces"))
        }
    }
}

/// The dispute of this id with all that is recorded of it.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Dispute, Fault> {
    then(db, id, When::ALL)
}

/// The dispute of this id as it stood on a day and was known then.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<Dispute, Fault> {
    dispute::then(db, id, when)?.ok_or_else(none)
}

fn none() -> Fault {
    Fault::refused(Refusal::NotFound, "no dispute has this id")
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
