//! Holds: orders that wait, and how they get on.

use super::{Basis, Now, check::judged, policy};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, missing},
};
use dunlin_domain::{
    Id, Money, Refusal, Refused,
    contract::credit::{
        Hold, HoldRelease, HoldRun, HoldState, NewCheck, NewHold, RuleKind, Verdict,
    },
    credit::{
        check::{Judged, is_held},
        limit::MAX_REASON,
        reservation::LONGEST_SECONDS,
    },
    text,
};
use dunlin_store::{Db, Fault, credit, write};
use serde_json::json;

/// How long a release counts where nothing is said.
const RELEASED_SECONDS: i64 = 7 * 24 * 3600;

/// Whether a check has a hold to open, to change or to end.
pub(super) fn concerns(basis: &Basis, judged: &Judged) -> bool {
    basis.inputs.question.order_id.is_some() && (basis.waits || is_held(judged.verdict))
}

/// Opens a hold on an order that has to wait, or ends the one that stands when nothing holds the order any more. Runs
/// inside the transaction of the check.
pub(super) fn settle<D: Db>(
    db: &D,
    basis: &Basis,
    judged: &Judged,
    made: &Id,
    author: &Author,
) -> Result<Option<Id>, Fault> {
    if !concerns(basis, judged) {
        return Ok(None);
    }
    let inputs = &basis.inputs;
    let (question, customer) = (&inputs.question, inputs.position.key);
    let Some(order) = &question.order_id else { return Ok(None) };
    let standing = match basis.waits {
        true => credit::hold_of_order(db, customer, order)?,
        false => None,
    };
    // That it stands is no reason of its own.
    let reasons = judged.reasons.iter().filter(|of| of.kind != RuleKind::PlacedHold);
    let reasons = reasons.filter(|of| is_held(of.verdict));
    let mut rules: Vec<&Id> = reasons.map(|of| &of.rule).collect();
    rules.dedup();
    match (standing, is_held(judged.verdict)) {
        (None, false) => Ok(None),
        (Some((id, ..)), false) => {
            clear(db, &id, author)?;
            Ok(None)
        }
        (Some((id, verdict, amount, before)), true) => {
            let worst = verdict.max(judged.verdict);
            let same = worst == verdict && before.iter().eq(rules.iter().copied());
            if !same || amount.minor != question.amount.minor {
                let change = json!({"verdict": worst, "rules": rules});
                let what = Note::changed(
                    "change",
                    "credit_hold",
                    id.as_str(),
                    None::<&Verdict>,
                    Some(&change),
                );
                note(db, author, &what?)?;
                credit::change_hold(db, &id, worst, question.amount.minor, &rules)?;
            }
            Ok(Some(id))
        }
        // Only a hold that was placed by hand stands in its way: there is nothing to add.
        (None, true) if rules.is_empty() => Ok(None),
        (None, true) => {
            let hold = Hold {
                order_id: Some(order.clone()),
                amount: Some(question.amount),
                purpose: question.purpose,
                verdict: judged.verdict,
                rules: rules.into_iter().cloned().collect(),
                ..new(made, &inputs.position.id, author)
            };
            open(db, &hold, customer, author)?;
            Ok(Some(hold.id))
        }
    }
}

fn new(id: &Id, customer: &Id, author: &Author) -> Hold {
    Hold {
        id: id.clone(),
        customer: customer.clone(),
        order_id: None,
        amount: None,
        purpose: None,
        verdict: Verdict::ForcedHold,
        rules: Vec::new(),
        reason: None,
        opened_at: author.at,
        state: HoldState::Held,
        closed_at: None,
        released_by: None,
        release_reason: None,
        released_until: None,
    }
}

fn open<D: Db>(db: &D, hold: &Hold, customer: i64, author: &Author) -> Result<(), Fault> {
    let entry = note(db, author, &Note::made("credit_hold", hold.id.as_str(), hold)?)?;
    credit::insert_hold(db, hold, customer, entry)
}

fn clear<D: Db>(db: &D, id: &Id, author: &Author) -> Result<(), Fault> {
    let state = HoldState::Held;
    let what = Note::changed(
        "clear",
        "credit_hold",
        id.as_str(),
        Some(&state),
        Some(&HoldState::Cleared),
    )?;
    let entry = note(db, author, &what)?;
    credit::clear_hold(db, id, author.at, entry)
}

/// Places a hold by hand: a forced one.
pub fn place<D: Db>(db: &D, new_hold: &NewHold, made: &Id, author: &Author) -> Result<Hold, Fault> {
    text::check(&new_hold.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let now = Now::new(db, author.at)?;
        let customer = super::position(db, &new_hold.customer, &now, false)?;
        let hold = Hold {
            order_id: new_hold.order_id.clone(),
            reason: Some(new_hold.reason.clone()),
            ..new(made, &customer.id, author)
        };
        open(db, &hold, customer.key, author)?;
        Ok(hold)
    })
}

/// Releases a hold by hand. The order then passes in spite of its reasons until the release expires.
pub fn release<D: Db>(
    db: &D,
    id: &Id,
    new: &HoldRelease,
    author: &Author,
) -> Result<(Hold, Change), Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    let until = new.until.unwrap_or_else(|| author.at.plus_seconds(RELEASED_SECONDS));
    if until <= author.at || until > author.at.plus_seconds(LONGEST_SECONDS) {
        let detail = "a release ends after now and within 366 days";
        return Err(Refused::new(Refusal::DateOutOfRange, detail).at("until").into());
    }
    write(db, |db| {
        let before = get(db, id)?;
        match before.state {
            HoldState::Released => return Ok((before, Change::AlreadySo)),
            HoldState::Cleared => {
                let detail = "the hold cleared by itself: there is nothing to release";
                return Err(Fault::refused(Refusal::WrongState, detail));
            }
            HoldState::Held => {}
        }
        let what =
            Note::changed("release", "credit_hold", id.as_str(), Some(&before.state), Some(new))?;
        let entry = note(db, author, &what)?;
        credit::release_hold(db, id, (author.at, until), (&author.who, &new.reason), entry)?;
        Ok((get(db, id)?, Change::Replaced))
    })
}

/// The hold.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Hold, Fault> {
    let mut found = credit::holds(db, 0, 1, None, None, Some(id))?;
    found.pop().map(|(_, hold)| hold).ok_or_else(|| missing("hold"))
}

/// Holds that are judged in one transaction, so that others get their turn.
const SLICE: u32 = 100;

/// Judges all holds again that may clear, ends those whose reasons are gone, and proposes a lower limit for whoever's
/// grade worsened and another for whoever's review came due. Run every minute, or as often as orders should go on by themselves. A hold that cannot be judged, for
/// want of a rate, stands.
pub fn run<D: Db>(db: &D, author: &Author) -> Result<HoldRun, Fault> {
    let mut done = HoldRun { judged: 0, cleared: 0, limits_proposed: 0, reviews_proposed: 0 };
    let mut after = Some(0);
    while let Some(from) = after {
        let (judged, cleared, next) = write(db, |db| review(db, from, author))?;
        done.judged = done.judged.saturating_add(judged);
        done.cleared = done.cleared.saturating_add(cleared);
        after = next;
    }
    done.limits_proposed = policy::cut(db, author)?;
    done.reviews_proposed = policy::due(db, author)?;
    Ok(done)
}

/// A slice of the holds after a key: how many were judged and cleared, and where to go on.
fn review<D: Db>(db: &D, after: i64, author: &Author) -> Result<(u64, u64, Option<i64>), Fault> {
    let standing = credit::standing_holds(db, after, SLICE)?;
    let (judged_now, last) = (standing.len(), standing.last().map(|(key, ..)| *key));
    let mut cleared = 0u64;
    for (_, id, customer, order_id, minor, currency, purpose) in standing {
        let amount = Money { minor, currency };
        let question = NewCheck { customer, amount, purpose, order_id, terms_days: None };
        match judged(db, &question, author.at) {
            Ok((_, judged)) if !is_held(judged.verdict) => {
                clear(db, &id, author)?;
                cleared = cleared.saturating_add(1);
            }
            Ok(_) | Err(Fault::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    let full = judged_now == usize::try_from(SLICE).unwrap_or(usize::MAX);
    Ok((u64::try_from(judged_now).unwrap_or(u64::MAX), cleared, last.filter(|_| full)))
}
