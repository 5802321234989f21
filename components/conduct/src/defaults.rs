//! `/v1/ingest/defaults`: what customers failed at.

use dunlin_app::default_record;
use dunlin_domain::contract::{
    keys::Scope,
    ledger::{
        DefaultClosing, DefaultPage, DefaultRecord, DefaultReopening, DefaultState, NewDefault,
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, KNOWN_AT, Problem, Query, Route, STOOD_ON, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose defaults. Absent: everybody's.");
const STATE: Query = Query::one_of("state", DefaultState::NAMES, "Absent: in any state.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/defaults", "create_default")
            .about("Records that a customer failed at what it owes.")
            .scope(Scope::IngestWrite)
            .takes::<NewDefault>()
            .answers::<DefaultRecord>()
            .status(201)
            .run(create),
        Route::get("/v1/ingest/defaults", "list_defaults")
            .about("Lists defaults by id, those that the rule of the policy recorded among them.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, STATE, STOOD_ON, KNOWN_AT])
            .pages()
            .answers::<DefaultPage>()
            .run(list),
        Route::get("/v1/ingest/defaults/{id}", "get_default")
            .about("Gives a default and what cured it.")
            .scope(Scope::IngestRead)
            .query(&[STOOD_ON, KNOWN_AT])
            .answers::<DefaultRecord>()
            .run(get),
        Route::post("/v1/ingest/defaults/{id}/close", "close_default")
            .about("Closes a default as cured or withdrawn.")
            .scope(Scope::IngestWrite)
            .takes::<DefaultClosing>()
            .answers::<DefaultRecord>()
            .run(close),
        Route::post("/v1/ingest/defaults/{id}/reopen", "reopen_default")
            .about("Opens a default again that was closed by mistake.")
            .scope(Scope::IngestWrite)
            .takes::<DefaultReopening>()
            .answers::<DefaultRecord>()
            .run(reopen),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewDefault = call.body()?;
    let (id, change) = default_record::add(call.db()?, &new, call.new_id()?, &call.author())?;
    Ok(Answer::json(&default_record::get(call.db()?, &id)?)?.outcome(change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let (customer, state) = (call.query(&CUSTOMER)?, call.query(&STATE)?);
    let more = limit.saturating_add(1);
    let found =
        default_record::page(call.db()?, &after, more, customer.as_ref(), state, call.stood()?)?;
    let (items, next) = page::cut(found, limit, |record| record.id.clone())?;
    Answer::json(&DefaultPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&default_record::then(call.db()?, &call.id()?, call.stood()?)?)
}

fn close<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let id = call.id()?;
    let change = default_record::close(call.db()?, &id, &call.body()?, &call.author())?;
    Ok(Answer::json(&default_record::get(call.db()?, &id)?)?.outcome(change))
}

fn reopen<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let id = call.id()?;
    let change = default_record::reopen(call.db()?, &id, &call.body()?, &call.author())?;
    Ok(Answer::json(&default_record::get(call.db()?, &id)?)?.outcome(change))
}
