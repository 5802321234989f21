//! `/v1/score/holds`: orders that wait.

use crate::LANGUAGE;
use dunlin_app::credit::hold;
use dunlin_domain::{
    Id,
    contract::{
        credit::{Hold, HoldPage, HoldRelease, HoldRun, HoldState, NewHold},
        keys::Scope,
    },
};
use dunlin_store::{Db, credit::WantedHolds};
use dunlin_web::{Answer, Call, Problem, Query, Route, page};

const STATE: Query = Query::one_of("state", HoldState::NAMES, "Only holds in this state.");
const CUSTOMER: Query = Query::id("customer", "Only this customer's. Absent: everybody's.");
const ORDER: Query = Query::id("order_id", "Only of this order.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/score/holds", "create_hold")
            .about("Places a hold by hand on an order, or on all of a customer's. It never clears by itself.")
            .scope(Scope::ScoreWrite)
            .takes::<NewHold>()
            .answers::<Hold>()
            .status(201)
            .run(place),
        Route::get("/v1/score/holds", "list_holds")
            .about("Lists holds, newest first.")
            .scope(Scope::ScoreRead)
            .query(&[CUSTOMER, STATE, ORDER, LANGUAGE])
            .pages()
            .answers::<HoldPage>()
            .run(list),
        Route::post("/v1/score/holds/run", "run_holds")
            .about("Judges holds again and ends those whose reasons are gone, opens others whose release ran out; proposes a lower limit for whoever's grade worsened.")
            .scope(Scope::SweepWrite)
            .answers::<HoldRun>()
            .run(run),
        Route::get("/v1/score/holds/{id}", "get_hold")
            .about("Gives a hold: what waits, why, and how it ended.")
            .scope(Scope::ScoreRead)
            .query(&[LANGUAGE])
            .answers::<Hold>()
            .run(get),
        Route::post("/v1/score/holds/{id}/release", "release_hold")
            .about("Releases a hold by hand: until the release expires the order passes in spite of the rules that the hold names.")
            .scope(Scope::ScoreAdmin)
            .takes::<HoldRelease>()
            .answers::<Hold>()
            .run(release),
    ]
}

fn place<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewHold = call.body()?;
    Answer::created(&hold::place(call.db()?, &new, &call.new_id()?, &call.author())?)
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (customer, order): (Option<Id>, Option<Id>) = (call.query(&CUSTOMER)?, call.query(&ORDER)?);
    let (customer, order, state) = (customer.as_ref(), order.as_ref(), call.query(&STATE)?);
    let wanted = WantedHolds { customer, state, order, only: None };
    let (limit, before) = (call.limit()?, call.cursor()?.unwrap_or(i64::MAX));
    let (page, language) = ((before, limit.saturating_add(1)), call.query(&LANGUAGE)?);
    let found = hold::list(call.db()?, page, &wanted, language)?;
    let (items, next) = page::cut(found, limit, |(key, _)| *key)?;
    Answer::json(&HoldPage { items: items.into_iter().map(|(_, hold)| hold).collect(), next })
}

fn run<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (db, author) = (call.db()?, call.author());
    Answer::json(&hold::run(db, &author)?)
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&hold::told_in(call.db()?, &call.id()?, call.query(&LANGUAGE)?)?)
}

fn release<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: HoldRelease = call.body()?;
    let (hold, change) = hold::release(call.db()?, &call.id()?, &new, &call.author())?;
    Ok(Answer::json(&hold)?.outcome(change))
}
