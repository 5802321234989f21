//! Refused events are tried again: by themselves where the reason may pass, or all those of a source at once.

use super::{Said, source};
use crate::{audit::Author, ledger::Change, remind::BACKOFF_SECONDS};
use dunlin_domain::{
    Id, Instant, Refusal,
    contract::events::{EventAction, InboundEvent, InboundState, RetryRun},
};
use dunlin_store::{
    Db, Fault,
    inbound_event::{self as table, ToTry},
    write,
};

pub use dunlin_store::inbound_event::Awaited;

/// Events looked up at a time.
const BATCH: i64 = 50;

/// Whether the reason may pass by itself: what the event names may still come, and so may its day.
fn may_pass(code: Refusal) -> bool {
    matches!(
        code,
        Refusal::UnknownCustomer
            | Refusal::UnknownInvoice
            | Refusal::UnknownPayment
            | Refusal::UnknownContract
            | Refusal::DateInFuture
    )
}

/// When a refused event is tried again by itself: later and later, and after nine tries no more.
pub(super) fn next(code: Refusal, tries: u32, at: Instant) -> Option<Instant> {
    let tried = usize::try_from(tries.saturating_sub(1)).ok()?;
    let wait = BACKOFF_SECONDS.get(tried).filter(|_| may_pass(code))?;
    Some(at.plus_seconds(*wait))
}

/// Tries the events that wait for a record which a write has just made, in the name of their sources. The write is
/// done, so that no fault here is its own: what is left, and what is more than a request should do, the next run finds.
pub fn made<D: Db>(db: &D, record: Awaited<'_>, change: Change, author: &Author) {
    if change == Change::Made {
        let _ = those_awaiting(db, record, author);
    }
}

/// As [`made`], of a payment: nothing but refunds waits for one.
pub fn paid<D: Db>(db: &D, payment: &Id, change: Change, author: &Author) {
    if change != Change::Made {
        return;
    }
    let refunds = table::awaiting(db, Awaited::Payment(payment), BATCH).unwrap_or_default();
    for (name, id) in refunds.into_iter().rev() {
        let author = Author { who: format!("source/{name}"), ..author.clone() };
        let Ok(source) = source(db, &name) else { continue };
        let said = Said::default();
        let _ = super::retry_by(db, &source, &id, &said, &author, super::apply_refund);
    }
}

/// As [`made`], for what an applied event made.
pub(super) fn follow<D: Db>(db: &D, event: &InboundEvent, author: &Author) {
    let Some(Ok(id)) = event.made.as_ref().map(|made| made.parse::<Id>()) else { return };
    if let Some(record) = record(event.makes, &id) {
        made(db, record, Change::Made, author);
    }
}

fn record(makes: Option<EventAction>, id: &Id) -> Option<Awaited<'_>> {
    match makes {
        Some(EventAction::Payment) => Some(Awaited::Payment(id)),
        Some(EventAction::Invoice) => Some(Awaited::Invoice(id)),
        _ => None,
    }
}

/// Tries what waits for a record, and what waits for what that makes: a refund may wait for a payment that waits for
/// its invoice.
fn those_awaiting<D: Db>(db: &D, record: Awaited<'_>, author: &Author) -> Result<(), Fault> {
    let mut to_try = table::awaiting(db, record, BATCH)?;
    let mut tried: i64 = 0;
    while tried < BATCH
        && let Some((name, id)) = to_try.pop()
    {
        tried = tried.saturating_add(1);
        let author = Author { who: format!("source/{name}"), ..author.clone() };
        let source = source(db, &name)?;
        let Ok((event, _)) = super::retry(db, &source, &id, &Said::default(), &author) else {
            continue;
        };
        let made = event.made.as_ref().and_then(|made| made.parse::<Id>().ok());
        if let Some(record) = made.as_ref().and_then(|id| self::record(event.makes, id)) {
            to_try.extend(table::awaiting(db, record, BATCH)?);
        }
    }
    Ok(())
}

/// Tries the events that are due, as long as `goes_on` says so.
pub fn due<D: Db>(db: &D, author: &Author, goes_on: impl Fn() -> bool) -> Result<RetryRun, Fault> {
    run(db, author, goes_on, || table::due(db, author.at, BATCH))
}

/// Tries all refused events of a source once, as long as `goes_on` says so: the longest untried first.
pub fn all<D: Db>(
    db: &D,
    name: &Id,
    author: &Author,
    goes_on: impl Fn() -> bool,
) -> Result<RetryRun, Fault> {
    let source = source(db, name)?;
    run(db, author, goes_on, || table::refused(db, source.key, author.at, BATCH))
}

fn run<D: Db>(
    db: &D,
    author: &Author,
    goes_on: impl Fn() -> bool,
    found: impl Fn() -> Result<ToTry, Fault>,
) -> Result<RetryRun, Fault> {
    let mut run = RetryRun { done: false, applied: 0, refused: 0 };
    loop {
        let events = found()?;
        if events.is_empty() {
            return Ok(RetryRun { done: true, ..run });
        }
        for (name, id) in events {
            if !goes_on() {
                return Ok(run);
            }
            match one(db, &name, &id, author)? {
                true => run.applied = run.applied.saturating_add(1),
                false => run.refused = run.refused.saturating_add(1),
            }
        }
    }
}

/// Tries an event, and says whether it is applied now. What can be tried no more is taken off the list.
fn one<D: Db>(db: &D, name: &Id, id: &Id, author: &Author) -> Result<bool, Fault> {
    let source = source(db, name)?;
    match super::retry(db, &source, id, &Said::default(), author) {
        Ok((event, _)) => Ok(event.state != InboundState::Refused),
        // Its body is gone, or the source reads events otherwise now.
        Err(Fault::Refused(_)) => {
            write(db, |db| table::give_up(db, source.key, id, author.at))?;
            Ok(false)
        }
        Err(fault) => Err(fault),
    }
}
