//! `/v1/score/reservations`: amounts that are kept free.

use crate::LANGUAGE;
use dunlin_app::{
    audit::Author,
    credit::reservation::{self, Reserved, Wish},
    ledger::Change,
};
use dunlin_domain::{
    Id, Refusal,
    contract::{
        credit::{NewReservation, Reservation, ReservationPage, ReservationState},
        keys::Scope,
    },
    credit::reservation::Ask,
};
use dunlin_store::Db;
use dunlin_web::{
    Answer, Call, Problem, Query, Route, Running,
    gather::{Gathered, together},
    page,
};
use std::rc::Rc;

const CUSTOMER: Query = Query::id("customer", "Only this customer's. Absent: everybody's.");
const STATE: Query = Query::one_of(
    "state",
    ReservationState::NAMES,
    "Only reservations that are in this state now.",
);
const ORDER: Query = Query::id(
    "order_id",
    "Only of this order. A reservation that names none is of the order of its own id.",
);

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/score/reservations", "create_reservation")
            .about("Keeps an amount of the limit free until it is committed, released or runs out.")
            .scope(Scope::ScoreWrite)
            .query(&[LANGUAGE])
            .takes::<NewReservation>()
            .answers::<Reservation>()
            .status(201)
            .run_async(|call| Box::pin(create(call)) as Running<'_>),
        Route::get("/v1/score/reservations", "list_reservations")
            .about("Lists reservations as they stand now, newest first.")
            .scope(Scope::ScoreRead)
            .query(&[CUSTOMER, STATE, ORDER])
            .pages()
            .answers::<ReservationPage>()
            .run(list),
        Route::get("/v1/score/reservations/{id}", "get_reservation")
            .about("Gives a reservation as it stands now.")
            .scope(Scope::ScoreRead)
            .answers::<Reservation>()
            .run(get),
        Route::post("/v1/score/reservations/{id}/commit", "commit_reservation")
            .about("Makes a reservation an order: its amount counts as undelivered from now on.")
            .scope(Scope::ScoreWrite)
            .answers::<Reservation>()
            .run(|call| ask(call, Ask::Commit)),
        Route::post("/v1/score/reservations/{id}/release", "release_reservation")
            .about("Gives a reservation up: its amount is free again.")
            .scope(Scope::ScoreWrite)
            .answers::<Reservation>()
            .run(|call| ask(call, Ask::Release)),
    ]
}

/// What is asked for, the id that was made for it, and by whom.
type Asked = (Rc<NewReservation>, Id, Author);

thread_local! {
    static ASKED: Gathered<Asked, Reservation> = const { Gathered::new() };
}

async fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (new, language): (NewReservation, _) = (call.body()?, call.query(&LANGUAGE)?);
    let (db, new, made, author) = (call.db()?, Rc::new(new), call.new_id()?, call.author());
    let all = |all: &[&Asked]| {
        let wishes = all.iter().map(|(new, made, author)| Wish { new, made, author });
        reservation::add_ready(db, &wishes.collect::<Vec<_>>())
    };
    let asked = (new.clone(), made.clone(), author.clone());
    let reserved = match together(&ASKED, call.env().lull(), asked, all).await {
        Some(kept) => Reserved::Kept(kept, Change::Made),
        None => {
            let db = call.db_after_others()?;
            reservation::add_alone(db, &Wish { new: &new, made: &made, author: &author }, language)?
        }
    };
    match reserved {
        Reserved::Kept(kept, change) => Ok(Answer::json(&kept)?.outcome(change)),
        Reserved::Held(told) => {
            Err(Problem::new(Refusal::CreditHeld, Refusal::CreditHeld.about()).beside(&told))
        }
    }
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (customer, order): (Option<Id>, Option<Id>) = (call.query(&CUSTOMER)?, call.query(&ORDER)?);
    let which = (customer.as_ref(), call.query(&STATE)?, order.as_ref());
    let (limit, before) = (call.limit()?, call.cursor()?.unwrap_or(i64::MAX));
    let page = (before, limit.saturating_add(1));
    let found = reservation::list(call.db()?, page, which, call.now())?;
    let (items, next) = page::cut(found, limit, |(key, _)| *key)?;
    let items = items.into_iter().map(|(_, reservation)| reservation).collect();
    Answer::json(&ReservationPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&reservation::get(call.db()?, &call.id()?, call.now())?)
}

fn ask<D: Db>(call: &mut Call<'_, D>, ask: Ask) -> Result<Answer, Problem> {
    let (kept, change) = reservation::ask(call.db()?, &call.id()?, ask, &call.author())?;
    Ok(Answer::json(&kept)?.outcome(change))
}
