//! Reservations: an amount is kept free in the transaction that finds it free.

use super::{
    Now,
    check::{answer, judged_on_top},
    hold, ready,
};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, ROW, amount_in_range, known_customer, missing, unless_differing},
};
use dunlin_domain::{
    Date, Id, Instant, Refusal, Refused,
    contract::{
        credit::{
            CheckResult, NewCheck, NewReservation, Order, Reservation, ReservationState, Verdict,
        },
        types::Language,
    },
    credit::{
        check::is_held,
        exposure::Piece,
        order::grown,
        reservation::{Ask, Step, again, end, state, step},
    },
};
use dunlin_store::{Db, Fault, credit, customer, write};

/// What came of asking to keep an amount free.
#[derive(Clone, Debug)]
pub enum Reserved {
    /// It is kept.
    Kept(Reservation, Change),
    /// It is not: the check says why.
    Held(Box<CheckResult>),
}

/// Keeps an amount free, when a check of it passes. The check is kept with it.
pub fn add<D: Db>(
    db: &D,
    new: &NewReservation,
    made: &Id,
    language: Option<Language>,
    author: &Author,
) -> Result<Reserved, Fault> {
    amount_in_range(&new.amount, 1)?;
    let expires_at = end(new.expires_at, author.at);
    let id = new.id.as_ref().unwrap_or(made);
    write(db, |db| {
        if let Some(id) = &new.id
            && let Some(before) = stored(db, id, author.at)?
        {
            same(db, new, &before)?;
            again(before.state)?;
            return Ok(Reserved::Kept(before, Change::AlreadySo));
        }
        let expires_at = expires_at.clone()?;
        let order = new.order_id.as_ref().unwrap_or(id);
        let question = NewCheck {
            customer: new.customer.clone(),
            amount: new.amount,
            purpose: new.purpose,
            order_id: Some(order.clone()),
            terms_days: new.terms_days,
        };
        let (key, verdict, of_hold) = match ready::kept(db, &question, made, author.at, false)? {
            Some((key, _)) => (key, Verdict::Pass, None),
            None => match look(db, new, &question, made, language, author)? {
                Looked::Free(key, verdict, of_hold) => (key, verdict, of_hold),
                Looked::Held(told) => return Ok(Reserved::Held(told)),
            },
        };
        let kept = Reservation {
            id: id.clone(),
            customer: new.customer.clone(),
            amount: new.amount,
            order_id: new.order_id.clone(),
            made_at: author.at,
            expires_at,
            state: ReservationState::Held,
            purpose: new.purpose,
            terms_days: new.terms_days,
            check_id: Some(made.clone()),
            verdict: Some(verdict),
            hold_id: None,
        };
        let entry = note(db, author, &Note::made("credit_reservation", id.as_str(), &kept)?)?;
        if let Some(of_hold) = &of_hold {
            credit::end_reservation(db, of_hold, ReservationState::Released, author.at, entry)?;
        }
        credit::insert_reservation(db, &kept, key, entry)?;
        Ok(Reserved::Kept(kept, Change::Made))
    })
}

/// What a check says of a reservation.
enum Looked {
    /// It may be kept: for whom, by which verdict, and in place of the reservation that a hold cleared for.
    Free(i64, Verdict, Option<Id>),
    Held(Box<CheckResult>),
}

/// Checks a reservation, and keeps the check.
fn look<D: Db>(
    db: &D,
    new: &NewReservation,
    question: &NewCheck,
    made: &Id,
    language: Option<Language>,
    author: &Author,
) -> Result<Looked, Fault> {
    // It is asked for on top of what was invoiced or cancelled of the order.
    let (basis, judged, base_minor) = judged_on_top(db, question, author.at)?;
    let inputs = &basis.inputs;
    let key = inputs.position.key;
    let own = |piece: &&Piece| {
        piece.member == key && piece.order.is_some() && piece.order == question.order_id
    };
    let own: Vec<_> = inputs.position.pieces.iter().filter(own).map(|of| &of.id).collect();
    let of_hold = match &question.order_id {
        Some(order) if !own.is_empty() => credit::reservation_of_hold(db, key, order, author.at)?,
        _ => None,
    };
    if own.iter().any(|id| **id != of_hold) {
        let detail = "the order is in the exposure already: reserved, or recorded";
        return Err(Refused::new(Refusal::WrongState, detail).at("order_id").into());
    }
    // An order that was named waits, or goes on, as after a check.
    let hold_id = match &new.order_id {
        Some(_) => hold::settle(db, &basis, &judged, (made, base_minor), author)?,
        None => None,
    };
    let verdict = judged.verdict;
    let asked = (verdict, hold_id.as_ref());
    credit::insert_check(db, made, key, author.at, asked, &basis.record()?)?;
    if !is_held(verdict) {
        return Ok(Looked::Free(key, verdict, of_hold));
    }
    let told = answer(db, inputs, &judged, language.unwrap_or(basis.language))?;
    let told = CheckResult { id: Some(made.clone()), hold_id, ..told };
    Ok(Looked::Held(Box::new(told)))
}

fn same<D: Db>(db: &D, new: &NewReservation, before: &Reservation) -> Result<(), Fault> {
    // The customer may have been merged into another since.
    let customer = match before.customer == new.customer {
        true => None,
        false => customer::place(db, &new.customer)?.and_then(|place| place.merged),
    };
    let customer = customer.as_ref().map_or(&new.customer, |(_, into)| into);
    let differs = [
        ("customer", before.customer != *customer),
        ("amount", before.amount != new.amount),
        ("order_id", before.order_id != new.order_id),
        ("purpose", before.purpose != new.purpose),
        ("terms_days", before.terms_days != new.terms_days),
        ("expires_at", new.expires_at.is_some_and(|at| at != before.expires_at)),
    ];
    let differs = differs.into_iter().filter(|(_, differs)| *differs);
    unless_differing(differs.map(|(field, _)| (ROW, field.into())).collect())
}

fn stored<D: Db>(db: &D, id: &Id, at: Instant) -> Result<Option<Reservation>, Fault> {
    Ok(credit::reservation(db, id)?.map(|stored| told(stored, at)))
}

/// As it is at a moment.
fn told(stored: Reservation, at: Instant) -> Reservation {
    Reservation { state: state(stored.state, stored.expires_at, at), ..stored }
}

/// The reservation at a moment.
pub fn get<D: Db>(db: &D, id: &Id, at: Instant) -> Result<Reservation, Fault> {
    stored(db, id, at)?.ok_or_else(|| missing("reservation"))
}

/// So many reservations before a key at a moment, newest first: of a customer, in a state, of an order.
pub fn list<D: Db>(
    db: &D,
    (before, limit): (i64, u32),
    which: (Option<&Id>, Option<ReservationState>, Option<&Id>),
    at: Instant,
) -> Result<Vec<(i64, Reservation)>, Fault> {
    let found = credit::reservations(db, before, limit, which, at)?;
    Ok(found.into_iter().map(|(key, stored)| (key, told(stored, at))).collect())
}

/// Commits or releases. What is committed is an order from now on, of the id that the reservation named or of its own.
pub fn ask<D: Db>(
    db: &D,
    id: &Id,
    ask: Ask,
    author: &Author,
) -> Result<(Reservation, Change), Fault> {
    write(db, |db| {
        let before = get(db, id, author.at)?;
        let next = match step(before.state, ask)? {
            Step::AlreadySo => return Ok((before, Change::AlreadySo)),
            Step::To(next) => next,
        };
        let action = match ask {
            Ask::Commit => "commit",
            Ask::Release => "release",
        };
        let what = Note::changed(
            action,
            "credit_reservation",
            id.as_str(),
            Some(&before.state),
            Some(&next),
        )?;
        let entry = note(db, author, &what)?;
        credit::end_reservation(db, id, next, author.at, entry)?;
        if ask == Ask::Commit {
            become_order(db, &before, author, entry)?;
        }
        Ok((Reservation { state: next, ..before }, Change::Replaced))
    })
}

/// What was reserved is undelivered from now on: an order of its own, or more of the one that is known.
fn become_order<D: Db>(db: &D, of: &Reservation, author: &Author, entry: i64) -> Result<(), Fault> {
    let id = of.order_id.as_ref().unwrap_or(&of.id);
    let today = Now::new(db, author.at)?.today;
    let order = match credit::order_then(db, id, Date::LAST)? {
        Some(order) if order.customer == of.customer => grown(&order, &of.amount, today)?,
        Some(_) => {
            let detail = "an order of this id is recorded for another customer";
            return Err(Refused::new(Refusal::WrongState, detail).at("order_id").into());
        }
        None => Order {
            id: id.clone(),
            customer: of.customer.clone(),
            amount: of.amount,
            delivered_minor: 0,
            invoiced_minor: 0,
            cancelled_minor: 0,
            on: today,
            undelivered_minor: of.amount.minor,
            unbilled_minor: 0,
            version: None,
        },
    };
    credit::put_order(db, &order, known_customer(db, &of.customer)?, entry)
}
