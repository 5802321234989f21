//! Holds: orders that wait, and how they get on.

use super::{
    Basis, Now,
    check::{self, judged_beyond},
    policy, ready,
};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, ROW, known_customer, missing, unless_differing},
    score::made_id,
};
use dunlin_domain::{
    Id, Instant, Money, Refusal, Refused,
    contract::{
        credit::{
            CheckPurpose, Hold, HoldRelease, HoldRun, HoldState, NewCheck, NewHold, Order,
            Reservation, ReservationState, RuleKind, Verdict,
        },
        types::Language,
    },
    credit::{
        check::{Inputs, Judged, Reason, added, is_held, is_over, is_waiting},
        limit::MAX_REASON,
        reservation::{self, LONGEST_SECONDS},
        words,
    },
    text,
};
use dunlin_store::{
    Db, Fault,
    credit::{self, Waiting, WantedHolds},
    organisation, write,
};
use serde_json::{Value, json};

/// How long a release counts where nothing is said.
const RELEASED_SECONDS: i64 = 7 * 24 * 3600;

/// Whether a check has a hold to open, to change or to end.
pub(super) fn concerns(basis: &Basis, judged: &Judged) -> bool {
    basis.inputs.question.order_id.is_some() && (basis.waits || is_held(judged.verdict))
}

/// Opens a hold on an order that has to wait, or ends the one that stands when nothing holds all that it waits for any
/// more. Runs inside the transaction of the check, which is `made` and asks for more of the order than a part of it.
pub(super) fn settle<D: Db>(
    db: &D,
    basis: &Basis,
    judged: &Judged,
    (made, base_minor): (&Id, i64),
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
    let found = called_for(inputs, judged, order, made, author);
    match (standing, is_held(judged.verdict)) {
        (None, false) => Ok(None),
        (Some(standing), false) => {
            if !is_all_of(&standing, question, base_minor) {
                return Ok(Some(standing.id));
            }
            clear(db, &standing, None, author)?;
            Ok(None)
        }
        // Nothing but itself holds the order any more: it keeps what it says.
        (Some(standing), true) if judged.found.is_none() => Ok(Some(standing.id)),
        (Some(standing), true) => {
            let (hold, seen) = found;
            let verdict = standing.verdict.max(hold.verdict);
            change(db, &standing, (Hold { verdict, ..hold }, seen), base_minor, author)?;
            Ok(Some(standing.id))
        }
        // Only a hold that was placed by hand stands in its way: there is nothing to add.
        (None, true) if judged.found.is_none() => Ok(None),
        (None, true) => {
            let (hold, seen) = found;
            open(db, (&hold, base_minor, &seen), customer, author)?;
            Ok(Some(hold.id))
        }
    }
}

/// The hold that a judgement calls for, with what was seen.
fn called_for<'j>(
    inputs: &Inputs,
    judged: &'j Judged,
    order: &Id,
    made: &Id,
    author: &Author,
) -> (Hold, Vec<&'j Reason>) {
    // That it stands is no reason of its own.
    let seen = judged.reasons.iter().filter(|of| of.kind != RuleKind::PlacedHold);
    let seen: Vec<&Reason> = seen.filter(|of| is_held(of.verdict)).collect();
    let mut rules: Vec<Id> = seen.iter().map(|of| of.rule.clone()).collect();
    rules.dedup();
    let question = &inputs.question;
    let hold = Hold {
        order_id: Some(order.clone()),
        amount: Some(question.amount),
        purpose: question.purpose,
        terms_days: question.terms_days,
        // What somebody placed ends by itself, and forces no other.
        verdict: judged.found.unwrap_or(judged.verdict),
        rules,
        ..new(made, &inputs.position.id, author)
    };
    (hold, seen)
}

/// Has a hold that stands say what it waits for now, and why: a release waives what it says, and what is gone is not seen
/// by who releases it.
fn change<D: Db>(
    db: &D,
    standing: &Waiting,
    (hold, seen): (Hold, Vec<&Reason>),
    base_minor: i64,
    author: &Author,
) -> Result<(), Fault> {
    let hold = Hold { id: standing.id.clone(), ..hold };
    let asked = (hold.amount, hold.purpose, hold.terms_days, base_minor);
    let before =
        (Some(standing.amount), standing.purpose, standing.terms_days, standing.base_minor);
    if asked != before || hold.verdict != standing.verdict || hold.rules != standing.rules {
        let was = told(standing, HoldState::Held, None);
        let id = hold.id.as_str();
        let what = Note::changed("change", "credit_hold", id, Some(&was), Some(&hold))?;
        let entry = note(db, author, &what)?;
        return credit::change_hold(db, (&hold, base_minor, &seen), author.at, entry);
    }
    // The same rules by other amounts: the reasons are the same, in words of today.
    credit::tell_hold(db, &hold.id, &seen)
}

/// Whether a question that passes asks for all that a hold waits for.
fn is_all_of(hold: &Waiting, question: &NewCheck, base_minor: i64) -> bool {
    let of = |purpose: Option<CheckPurpose>| purpose.unwrap_or(CheckPurpose::Order);
    let asked = question.amount.minor.saturating_add(base_minor);
    let as_long = |most: u32| question.terms_days.is_some_and(|days| days >= most);
    question.amount.currency == hold.amount.currency
        && asked >= hold.amount.minor.saturating_add(hold.base_minor)
        && of(question.purpose) == of(hold.purpose)
        && hold.terms_days.is_none_or(as_long)
}

fn new(id: &Id, customer: &Id, author: &Author) -> Hold {
    Hold {
        id: id.clone(),
        customer: customer.clone(),
        order_id: None,
        amount: None,
        purpose: None,
        terms_days: None,
        verdict: Verdict::ForcedHold,
        rules: Vec::new(),
        reasons: Vec::new(),
        reason: None,
        opened_at: author.at,
        state: HoldState::Held,
        closed_at: None,
        released_by: None,
        release_reason: None,
        released_until: None,
    }
}

/// A hold as its entries and events tell of it, with the reservation that keeps its amount free, if any.
fn told(of: &Waiting, state: HoldState, reservation: Option<&Id>) -> Value {
    json!({"state": state, "order_id": of.order, "amount": of.amount, "verdict": of.verdict,
        "rules": of.rules, "reservation_id": reservation})
}

fn open<D: Db>(
    db: &D,
    (hold, base_minor, seen): (&Hold, i64, &[&Reason]),
    customer: i64,
    author: &Author,
) -> Result<(), Fault> {
    let public = Hold { reason: None, ..hold.clone() };
    let mut what = Note::made("credit_hold", hold.id.as_str(), &public)?;
    if let Some(reason) = &hold.reason {
        what = what.with_personal(&json!({"reason": reason}), customer)?;
    }
    let entry = note(db, author, &what)?;
    credit::insert_hold(db, (hold, base_minor, seen), customer, entry)
}

/// Ends a hold whose reasons are gone, with the reservation that keeps its amount free, if any.
pub(super) fn clear<D: Db>(
    db: &D,
    hold: &Waiting,
    reservation: Option<&Id>,
    author: &Author,
) -> Result<(), Fault> {
    let after = told(hold, HoldState::Cleared, reservation);
    let state = HoldState::Held;
    let id = hold.id.as_str();
    let what = Note::changed("clear", "credit_hold", id, Some(&state), Some(&after))?;
    let entry = note(db, author, &what)?;
    credit::clear_hold(db, &hold.id, author.at, entry)
}

/// Ends the hold of an order of which nothing waits any more. A forced one stands.
pub(super) fn clear_of_order<D: Db>(
    db: &D,
    customer: i64,
    order: &Order,
    author: &Author,
) -> Result<(), Fault> {
    let done = order.invoiced_minor.max(order.delivered_minor);
    let done = done.saturating_add(order.cancelled_minor);
    let is_all = |hold: &Waiting| {
        let most = done.saturating_sub(hold.base_minor);
        order.amount.currency == hold.amount.currency && most >= hold.amount.minor
    };
    match credit::hold_of_order(db, customer, &order.id)? {
        Some(hold) if hold.verdict == Verdict::Hold && is_all(&hold) => {
            clear(db, &hold, None, author)
        }
        _ => Ok(()),
    }
}

/// Places a hold by hand: a forced one.
pub fn place<D: Db>(db: &D, new_hold: &NewHold, made: &Id, author: &Author) -> Result<Hold, Fault> {
    text::check(&new_hold.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let now = Now::new(db, author.at)?;
        let customer = super::position(db, &new_hold.customer, &now, (None, false))?;
        let hold = Hold {
            order_id: new_hold.order_id.clone(),
            reason: Some(new_hold.reason.clone()),
            ..new(made, &customer.id, author)
        };
        open(db, (&hold, 0, &[]), customer.key, author)?;
        Ok(hold)
    })
}

/// Releases a hold by hand. What it names then stops no check of its order for at most its amount, until the release
/// expires. One that was placed by hand ends, and that is all.
pub fn release<D: Db>(
    db: &D,
    id: &Id,
    new: &HoldRelease,
    author: &Author,
) -> Result<(Hold, Change), Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let before = get(db, id)?;
        match before.state {
            HoldState::Released => {
                same(new, &before)?;
                return Ok((before, Change::AlreadySo));
            }
            HoldState::Cleared => {
                let detail = "the hold cleared by itself: there is nothing to release";
                return Err(Fault::refused(Refusal::WrongState, detail));
            }
            HoldState::Held => {}
        }
        let until = new.until.unwrap_or_else(|| author.at.plus_seconds(RELEASED_SECONDS));
        if until <= author.at || until > author.at.plus_seconds(LONGEST_SECONDS) {
            let detail = "a release ends after now and within 366 days";
            return Err(Refused::new(Refusal::DateOutOfRange, detail).at("until").into());
        }
        let until = before.amount.is_some().then_some(until);
        let after = json!({"state": HoldState::Released, "order_id": before.order_id, "amount": before.amount,
            "verdict": before.verdict, "rules": before.rules, "until": until});
        let what = Note::changed(
            "release",
            "credit_hold",
            id.as_str(),
            Some(&before.state),
            Some(&after),
        )?;
        let customer = known_customer(db, &before.customer)?;
        let what = what.with_personal(&json!({"reason": new.reason}), customer)?;
        let entry = note(db, author, &what)?;
        credit::release_hold(db, id, (author.at, until), (&author.who, &new.reason), entry)?;
        Ok((get(db, id)?, Change::Replaced))
    })
}

/// What was released is not released otherwise by saying it again.
fn same(new: &HoldRelease, before: &Hold) -> Result<(), Fault> {
    let until = before.released_until.filter(|_| before.amount.is_some());
    let differs = [
        ("reason", before.release_reason.as_deref() != Some(new.reason.as_str())),
        ("until", until.is_some() && new.until.is_some_and(|at| Some(at) != until)),
    ];
    let differs = differs.into_iter().filter(|(_, differs)| *differs);
    unless_differing(differs.map(|(field, _)| (ROW, field.into())).collect())
}

/// The hold, in the organisation's language.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Hold, Fault> {
    told_in(db, id, None)
}

/// The hold, in a language.
pub fn told_in<D: Db>(db: &D, id: &Id, language: Option<Language>) -> Result<Hold, Fault> {
    let wanted = WantedHolds { only: Some(id), ..WantedHolds::default() };
    let mut found = list(db, (0, 1), &wanted, language)?;
    found.pop().map(|(_, hold)| hold).ok_or_else(|| missing("hold"))
}

/// So many holds before a key, newest first.
pub fn list<D: Db>(
    db: &D,
    page: (i64, u32),
    wanted: &WantedHolds<'_>,
    language: Option<Language>,
) -> Result<Vec<(i64, Hold)>, Fault> {
    let language = language.map_or_else(|| organisation::get(db).map(|of| of.language), Ok)?;
    let found = credit::holds(db, page, wanted)?;
    let told = |(key, hold, seen): (i64, Hold, Vec<Reason>)| {
        let reasons = seen.iter().map(|of| words::reason(of, language)).collect();
        (key, Hold { reasons, ..hold })
    };
    Ok(found.into_iter().map(told).collect())
}

/// Holds that are judged in one transaction, so that others get their turn.
const SLICE: u32 = 100;

/// Judges all holds of orders again, the oldest first, ends those whose reasons are gone and that are not forced, has the
/// others say what holds them now, looks at orders whose release ran out, proposes a lower limit for whoever's grade worsened and another for whoever's review came due, and makes
/// answers ready. Run every minute, or as often as orders should go on by themselves. A hold that cannot be judged, for want of a rate,
/// stands.
pub fn run<D: Db>(db: &D, author: &Author) -> Result<HoldRun, Fault> {
    let (mut judged, mut cleared) = (0u64, 0u64);
    let mut after = Some(0);
    while let Some(from) = after {
        let (looked_at, gone, next) = write(db, |db| review(db, from, author))?;
        judged = judged.saturating_add(looked_at);
        cleared = cleared.saturating_add(gone);
        after = next;
    }
    let mut reopened = 0u64;
    let mut after = Some(0);
    while let Some(from) = after {
        let found;
        (found, after) = write(db, |db| follow(db, from, author))?;
        reopened = reopened.saturating_add(found);
    }
    check::file(db)?;
    Ok(HoldRun {
        judged,
        cleared,
        reopened,
        limits_proposed: policy::cut_after_alerts(db, author)?,
        reviews_proposed: policy::due(db, author)?,
        readied: ready::run(db, author)?,
    })
}

/// Where to go on after a slice.
fn next(found: &[Waiting]) -> Option<i64> {
    let is_full = found.len() == usize::try_from(SLICE).unwrap_or(usize::MAX);
    found.last().map(|hold| hold.key).filter(|_| is_full)
}

/// What a hold waits for, judged now, or why it cannot be.
fn judged_again<D: Db>(
    db: &D,
    hold: &Waiting,
    at: Instant,
) -> Result<Result<(Basis, Judged), Refusal>, Fault> {
    let question = NewCheck {
        customer: hold.customer.clone(),
        amount: hold.amount,
        purpose: hold.purpose,
        order_id: hold.order.clone(),
        terms_days: hold.terms_days,
    };
    match judged_beyond(db, &question, at, hold.base_minor) {
        Ok(found) => Ok(Ok(found)),
        Err(Fault::Refused(refused)) => Ok(Err(refused.code)),
        Err(fault) => Err(fault),
    }
}

/// A slice of the holds after a key: how many were judged and cleared, and where to go on.
fn review<D: Db>(db: &D, after: i64, author: &Author) -> Result<(u64, u64, Option<i64>), Fault> {
    let standing = credit::standing_holds(db, after, SLICE)?;
    let mut cleared = 0u64;
    for hold in &standing {
        let Ok((basis, judged)) = judged_again(db, hold, author.at)? else { continue };
        let is_forced = hold.verdict == Verdict::ForcedHold;
        let is_over = !is_forced && is_over(&basis.inputs)?;
        if is_forced || !is_over && is_held(judged.verdict) {
            // It is forced by a check alone: what is wrong for a minute must not leave holds that nothing ends. Where nothing
            // but itself holds the order any more, a forced one keeps what it says.
            if let Some(order) =
                hold.order.as_ref().filter(|_| !is_forced || judged.found.is_some())
            {
                let (found, seen) = called_for(&basis.inputs, &judged, order, &hold.id, author);
                let found = (Hold { verdict: hold.verdict, ..found }, seen);
                change(db, hold, found, hold.base_minor, author)?;
            }
            continue;
        }
        let kept = if is_over { None } else { keep_free(db, hold, &basis.inputs, author)? };
        clear(db, hold, kept.as_ref(), author)?;
        cleared = cleared.saturating_add(1);
    }
    Ok((u64::try_from(standing.len()).unwrap_or(u64::MAX), cleared, next(&standing)))
}

/// Keeps free what a hold clears for, as long as it takes to go on with the order: the next hold finds it taken.
fn keep_free<D: Db>(
    db: &D,
    hold: &Waiting,
    inputs: &Inputs,
    author: &Author,
) -> Result<Option<Id>, Fault> {
    let minor = added(inputs)?;
    if minor == 0 {
        return Ok(None);
    }
    let kept = Reservation {
        id: made_id("R", &[hold.id.as_str()])?,
        customer: inputs.position.id.clone(),
        amount: Money { minor, ..hold.amount },
        order_id: hold.order.clone(),
        made_at: author.at,
        expires_at: reservation::end(None, author.at)?,
        state: ReservationState::Held,
        purpose: hold.purpose,
        terms_days: hold.terms_days,
        check_id: None,
        verdict: None,
        hold_id: Some(hold.id.clone()),
    };
    let what = Note::made("credit_reservation", kept.id.as_str(), &kept)?;
    let entry = note(db, author, &what)?;
    credit::insert_reservations(db, &[(&kept, inputs.position.key, entry)])?;
    Ok(Some(kept.id))
}

/// A slice of the holds after a key whose release ran out: how many of their orders wait again, because something of them
/// has not left the house and the reasons stand, and where to go on. What cannot be judged for want of a rate is looked at
/// again.
fn follow<D: Db>(db: &D, after: i64, author: &Author) -> Result<(u64, Option<i64>), Fault> {
    let found = credit::run_out_holds(db, (after, author.at), SLICE)?;
    let mut reopened = 0u64;
    for hold in &found {
        let judged = judged_again(db, hold, author.at)?;
        if judged.as_ref().err() == Some(&Refusal::RateMissing) {
            continue;
        }
        credit::follow_hold(db, hold.key, author.at)?;
        let Ok((basis, judged)) = judged else { continue };
        if is_held(judged.verdict) && is_waiting(&basis.inputs) {
            let made = made_id("H", &[hold.id.as_str()])?;
            let stands = settle(db, &basis, &judged, (&made, hold.base_minor), author)?;
            reopened = reopened.saturating_add(u64::from(stands == Some(made)));
        }
    }
    Ok((reopened, next(&found)))
}
