//! Reservations: an amount is kept free in the transaction that finds it free.

use super::{
    Now,
    check::{ToKeep, answer, judged_on_top},
    hold, ready, zone_read_last,
};
use crate::{
    audit::{Author, Note, note, note_all},
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
use dunlin_store::{Db, End, Fault, credit, credit_ready, customer, write, write_if};
use std::collections::BTreeSet;

/// What came of asking to keep an amount free.
#[derive(Clone, Debug)]
pub enum Reserved {
    /// It is kept.
    Kept(Reservation, Change),
    /// It is not: the check says why.
    Held(Box<CheckResult>),
}

/// A reservation that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub new: &'a NewReservation,
    /// The id that was made for its check, and for itself where it names none.
    pub made: &'a Id,
    pub author: &'a Author,
}

impl Wish<'_> {
    fn id(&self) -> &Id {
        self.new.id.as_ref().unwrap_or(self.made)
    }

    fn question(&self) -> NewCheck {
        let NewReservation { customer, amount, purpose, order_id, terms_days, .. } = self.new;
        NewCheck {
            customer: customer.clone(),
            amount: *amount,
            purpose: *purpose,
            order_id: Some(order_id.as_ref().unwrap_or(self.id()).clone()),
            terms_days: *terms_days,
        }
    }

    fn kept(&self, verdict: Verdict) -> Result<Reservation, Refused> {
        let new = self.new;
        Ok(Reservation {
            id: self.id().clone(),
            customer: new.customer.clone(),
            amount: new.amount,
            order_id: new.order_id.clone(),
            made_at: self.author.at,
            expires_at: end(new.expires_at, self.author.at)?,
            state: ReservationState::Held,
            purpose: new.purpose,
            terms_days: new.terms_days,
            check_id: Some(self.made.clone()),
            verdict: Some(verdict),
            hold_id: None,
        })
    }
}

/// Keeps an amount free, when a check of it passes. The check is kept with it.
pub fn add<D: Db>(
    db: &D,
    new: &NewReservation,
    made: &Id,
    language: Option<Language>,
    author: &Author,
) -> Result<Reserved, Fault> {
    let wish = Wish { new, made, author };
    match add_ready(db, &[wish])?.pop().flatten() {
        Some(kept) => Ok(Reserved::Kept(kept, Change::Made)),
        None => add_alone(db, &wish, language),
    }
}

/// Keeps several amounts free in one transaction, of new reservations whose checks pass by what is ready, at most one of a
/// customer. Nothing: it is to be asked for alone.
pub fn add_ready<D: Db>(db: &D, wishes: &[Wish<'_>]) -> Result<Vec<Option<Reservation>>, Fault> {
    let (mut customers, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let mut asked = Vec::new();
    for wish in wishes {
        let may_be_kept = amount_in_range(&wish.new.amount, 1).is_ok()
            && end(wish.new.expires_at, wish.author.at).is_ok();
        if may_be_kept && customers.insert(&wish.new.customer) && ids.insert(wish.id()) {
            asked.push((wish, wish.question()));
        }
    }
    // All that can be done before anybody has to wait for it.
    let zone = zone_read_last(db)?;
    let to_keep = asked.iter().map(|(wish, question)| {
        (ToKeep { question, id: wish.made, at: wish.author.at }, Some(wish.id()))
    });
    let Some(to_keep) = ready::to_keep(&to_keep.collect::<Vec<_>>(), &zone)? else {
        return Ok(vec![None; wishes.len()]);
    };
    let noted = asked.iter().map(|(wish, _)| {
        let new = wish.kept(Verdict::Pass)?;
        let change = Note::made("credit_reservation", wish.id().as_str(), &new)?;
        Ok((wish.made, new, (wish.author, change)))
    });
    let noted = noted.collect::<Result<Vec<_>, Fault>>()?;
    let passed = write_if(db, |db| {
        let passed = credit_ready::keep(db, &to_keep, false)?;
        let kept =
            noted.iter().filter_map(|(made, new, note)| Some((passed.get(made)?.0, new, note)));
        let kept: Vec<_> = kept.collect();
        if kept.is_empty() {
            return Ok((passed, End::RollBack));
        }
        let entries = note_all(db, kept.iter().map(|(.., note)| *note))?;
        let rows = kept.iter().zip(entries).map(|((key, new, _), entry)| (*new, *key, entry));
        credit::insert_reservations(db, &rows.collect::<Vec<_>>())?;
        Ok((passed, End::Commit))
    })?;
    // They are in the order in which they were asked for.
    let mut kept = noted.into_iter().filter(|(made, ..)| passed.contains_key(made)).peekable();
    let made =
        |wish: &Wish<'_>| kept.next_if(|(made, ..)| *made == wish.made).map(|(_, new, _)| new);
    Ok(wishes.iter().map(made).collect())
}

/// Asks for one that is not ready.
pub fn add_alone<D: Db>(
    db: &D,
    wish: &Wish<'_>,
    language: Option<Language>,
) -> Result<Reserved, Fault> {
    let Wish { new, made, author } = *wish;
    amount_in_range(&new.amount, 1)?;
    let kept = wish.kept(Verdict::Pass);
    let question = wish.question();
    write(db, |db| {
        if let Some(id) = &new.id
            && let Some(before) = stored(db, id, author.at)?
        {
            same(db, new, &before)?;
            again(before.state)?;
            return Ok(Reserved::Kept(before, Change::AlreadySo));
        }
        let kept = kept.clone()?;
        let (key, verdict, of_hold) = match look(db, new, &question, made, language, author)? {
            Looked::Free(key, verdict, of_hold) => (key, verdict, of_hold),
            Looked::Held(told) => return Ok(Reserved::Held(told)),
        };
        let kept = Reservation { verdict: Some(verdict), ..kept };
        let entry = note(db, author, &Note::made("credit_reservation", kept.id.as_str(), &kept)?)?;
        if let Some(of_hold) = &of_hold {
            credit::end_reservation(db, of_hold, ReservationState::Released, author.at, entry)?;
        }
        credit::insert_reservations(db, &[(&kept, key, entry)])?;
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
