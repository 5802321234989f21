//! `/v1/score/limits`: what a customer may owe, what it stands for, and how that went.

use crate::{LANGUAGE, asked};
use dunlin_app::credit::{check, limit};
use dunlin_domain::{
    Id,
    contract::{
        credit::{
            CreditExposure, Limit, LimitDecision, LimitOutcomes, LimitPage, LimitStanding,
            LimitState, NewLimit, Utilisation,
        },
        keys::Scope,
    },
};
use dunlin_store::{Db, credit_limit};
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, page};

const FROM: Query = Query::date("from", "The first day. Absent: 30 points before `to`.");
const TO: Query = Query::date("to", "The last day. Absent: today.");
const EVERY: Query = Query::whole("every", 1, 366, "Days from one point to the next. Absent: 1.");
const STATE: Query = Query::one_of("state", LimitState::NAMES, "Only limits in this state.");
const CUSTOMER: Query = Query::id("customer", "Only this customer's. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::put("/v1/score/limits/{customer}", "put_limit")
            .about("Sets a limit for the days from one to another. From the threshold of the limit policy on it waits for a second key.")
            .scope(Scope::ScoreAdmin)
            .query(&[LANGUAGE])
            .takes::<NewLimit>()
            .answers::<LimitStanding>()
            .run(put),
        Route::get("/v1/score/limits/{customer}", "get_limit")
            .about("Gives the limits of a customer on the day, which of them counts, and why.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF, KNOWN_AT, LANGUAGE])
            .answers::<LimitStanding>()
            .run(get),
        Route::get("/v1/score/limits/{customer}/exposure", "get_credit_exposure")
            .about("Gives what a customer stands for at the end of the day: every component with its documents.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<CreditExposure>()
            .run(exposure),
        Route::get("/v1/score/limits/{customer}/utilisation", "get_utilisation")
            .about("Gives how much of the limit was used at the end of each of some days.")
            .scope(Scope::ScoreRead)
            .query(&[FROM, TO, EVERY])
            .answers::<Utilisation>()
            .run(utilisation),
        Route::get("/v1/score/limit-changes", "list_limit_changes")
            .about("Lists limits as they were asked for, newest first: who asked, why, and what became of them.")
            .scope(Scope::ScoreRead)
            .query(&[CUSTOMER, STATE])
            .pages()
            .answers::<LimitPage>()
            .run(list),
        Route::post("/v1/score/limit-changes/approve", "approve_limits")
            .about("Approves limits that wait, and says of each what came of it.")
            .scope(Scope::ScoreAdmin)
            .takes::<LimitDecision>()
            .answers::<LimitOutcomes>()
            .run(|call| decide_all(call, LimitState::Approved)),
        Route::post("/v1/score/limit-changes/refuse", "refuse_limits")
            .about("Turns limits down that wait, and says of each what came of it.")
            .scope(Scope::ScoreAdmin)
            .takes::<LimitDecision>()
            .answers::<LimitOutcomes>()
            .run(|call| decide_all(call, LimitState::Refused)),
        Route::post("/v1/score/limit-changes/{id}/approve", "approve_limit")
            .about("Approves a limit that waits.")
            .scope(Scope::ScoreAdmin)
            .answers::<Limit>()
            .run(|call| decide(call, LimitState::Approved)),
        Route::post("/v1/score/limit-changes/{id}/refuse", "refuse_limit")
            .about("Turns a limit down that waits.")
            .scope(Scope::ScoreAdmin)
            .answers::<Limit>()
            .run(|call| decide(call, LimitState::Refused)),
    ]
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (new, id): (NewLimit, Id) = (call.body()?, call.path("customer")?);
    let change = limit::put(call.db()?, &id, &new, &call.new_id()?, &call.author())?;
    let stands = limit::standing(call.db()?, &id, None, call.query(&LANGUAGE)?, call.now())?;
    Ok(Answer::json(&stands)?.outcome(change))
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, asked) = (call.path("customer")?, asked(call)?);
    Answer::json(&limit::standing(call.db()?, &id, asked, call.query(&LANGUAGE)?, call.now())?)
}

fn exposure<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, asked) = (call.path("customer")?, asked(call)?);
    Answer::json(&check::exposure(call.db()?, &id, asked, call.now())?)
}

fn utilisation<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, days) = (call.path("customer")?, (call.query(&FROM)?, call.query(&TO)?));
    let every = call.whole(&EVERY)?.unwrap_or(1);
    Answer::json(&check::utilisation(call.db()?, &id, days, every, call.now())?)
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (customer, state): (Option<Id>, _) = (call.query(&CUSTOMER)?, call.query(&STATE)?);
    let (limit, before) = (call.limit()?, call.cursor()?.unwrap_or(i64::MAX));
    let (db, most) = (call.db()?, limit.saturating_add(1));
    let found = credit_limit::list(db, before, most, customer.as_ref(), state, None)?;
    let (items, next) = page::cut(found, limit, |(key, _)| *key)?;
    Answer::json(&LimitPage { items: items.into_iter().map(|(_, limit)| limit).collect(), next })
}

fn decide<D: Db>(call: &mut Call<'_, D>, state: LimitState) -> Result<Answer, Problem> {
    let (limit, change) = limit::decide(call.db()?, &call.id()?, state, &call.author())?;
    Ok(Answer::json(&limit)?.outcome(change))
}

fn decide_all<D: Db>(call: &mut Call<'_, D>, state: LimitState) -> Result<Answer, Problem> {
    let LimitDecision { ids } = call.body()?;
    Answer::json(&limit::decide_all(call.db()?, &ids, state, &call.author())?)
}
