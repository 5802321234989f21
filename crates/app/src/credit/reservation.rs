//! Reservations: an amount is kept free in the transaction that finds it free.

use super::{Now, check::judged, hold};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, ROW, amount_in_range, known_customer, missing, unless_differing},
};
use dunlin_domain::{
    Date, Id, Instant, Refusal, Refused,
    contract::{
        credit::{CheckResult, NewCheck, NewReservation, Order, Reservation, ReservationState},
        types::Language,
    },
    credit::{
        check::{self, is_held},
        reservation::{Ask, Step, end, state, step},
    },
};
use dunlin_store::{Db, End, Fault, credit, write, write_if};

/// What came of asking to keep an amount free.
#[derive(Clone, Debug)]
pub enum Reserved {
    /// It is kept.
    Kept(Reservation, Change),
    /// It is not: the check says why.
    Held(Box<CheckResult>),
}

/// Keeps an amount free, when a check of it passes.
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
    write_if(db, |db| {
        if let Some(id) = &new.id
            && let Some(before) = stored(db, id, author.at)?
        {
            same(new, &before)?;
            return Ok((Reserved::Kept(before, Change::AlreadySo), End::RollBack));
        }
        let expires_at = expires_at.clone()?;
        let question = NewCheck {
            customer: new.customer.clone(),
            amount: new.amount,
            purpose: None,
            order_id: Some(new.order_id.clone().unwrap_or_else(|| id.clone())),
            terms_days: None,
        };
        let (basis, judged) = judged(db, &question, author.at)?;
        let inputs = &basis.inputs;
        let own = |piece: &&dunlin_domain::credit::exposure::Piece| {
            piece.member == inputs.position.key && piece.order == question.order_id
        };
        if inputs.position.pieces.iter().any(|piece| own(&piece)) {
            let detail = "the order is in the exposure already: reserved, or recorded";
            return Err(Refused::new(Refusal::WrongState, detail).at("order_id").into());
        }
        // An order that was named waits, or goes on, as after a check.
        let hold_id = match &new.order_id {
            Some(_) => hold::settle(db, &basis, &judged, made, author)?,
            None => None,
        };
        if is_held(judged.verdict) {
            let told = check::answer(inputs, &judged, language.unwrap_or(basis.language))?;
            let end = if hold_id.is_some() { End::Commit } else { End::RollBack };
            return Ok((Reserved::Held(Box::new(CheckResult { hold_id, ..told })), end));
        }
        let kept = Reservation {
            id: id.clone(),
            customer: new.customer.clone(),
            amount: new.amount,
            order_id: new.order_id.clone(),
            made_at: author.at,
            expires_at,
            state: ReservationState::Held,
        };
        let entry = note(db, author, &Note::made("credit_reservation", id.as_str(), &kept)?)?;
        credit::insert_reservation(db, &kept, inputs.position.key, entry)?;
        Ok((Reserved::Kept(kept, Change::Made), End::Commit))
    })
}

fn same(new: &NewReservation, before: &Reservation) -> Result<(), Fault> {
    let differs = [
        ("customer", before.customer != new.customer),
        ("amount", before.amount != new.amount),
        ("order_id", before.order_id != new.order_id),
        ("expires_at", new.expires_at.is_some_and(|at| at != before.expires_at)),
    ];
    let differs = differs.into_iter().filter(|(_, differs)| *differs);
    unless_differing(differs.map(|(field, _)| (ROW, field.into())).collect())
}

fn stored<D: Db>(db: &D, id: &Id, at: Instant) -> Result<Option<Reservation>, Fault> {
    let told = |stored: Reservation| Reservation {
        state: state(stored.state, stored.expires_at, at),
        ..stored
    };
    Ok(credit::reservation(db, id)?.map(told))
}

/// The reservation at a moment.
pub fn get<D: Db>(db: &D, id: &Id, at: Instant) -> Result<Reservation, Fault> {
    stored(db, id, at)?.ok_or_else(|| missing("reservation"))
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

/// What was reserved is undelivered from now on, unless the order was recorded already.
fn become_order<D: Db>(db: &D, of: &Reservation, author: &Author, entry: i64) -> Result<(), Fault> {
    let id = of.order_id.as_ref().unwrap_or(&of.id);
    match credit::order_then(db, id, Date::LAST)? {
        Some(order) if order.customer == of.customer => Ok(()),
        Some(_) => {
            let detail = "an order of this id is recorded for another customer";
            Err(Refused::new(Refusal::WrongState, detail).at("order_id").into())
        }
        None => {
            let order = Order {
                id: id.clone(),
                customer: of.customer.clone(),
                amount: of.amount,
                delivered_minor: 0,
                invoiced_minor: 0,
                cancelled_minor: 0,
                on: Now::new(db, author.at)?.today,
                undelivered_minor: of.amount.minor,
                unbilled_minor: 0,
            };
            credit::put_order(db, &order, known_customer(db, &of.customer)?, entry)
        }
    }
}
