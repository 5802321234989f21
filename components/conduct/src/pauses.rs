//! `/v1/ingest/pauses`: times in which delinquent days do not count.

use dunlin_app::pause;
use dunlin_domain::contract::{
    keys::Scope,
    ledger::{NewPause, Pause, PausePage, Resume},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, KNOWN_AT, Problem, Query, Route, STOOD_ON, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose pauses. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/pauses", "create_pause")
            .about("Stops the count of delinquent days of a customer or of one document. Nothing paused is reminded.")
            .scope(Scope::IngestWrite)
            .takes::<NewPause>()
            .answers::<Pause>()
            .status(201)
            .run(create),
        Route::get("/v1/ingest/pauses", "list_pauses")
            .about("Lists pauses by id, those of documents among them.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, STOOD_ON, KNOWN_AT])
            .pages()
            .answers::<PausePage>()
            .run(list),
        Route::post("/v1/ingest/pauses/{id}/resume", "resume_pause")
            .about("Ends a pause before its planned end, or one that has none.")
            .scope(Scope::IngestWrite)
            .takes::<Resume>()
            .answers::<Pause>()
            .run(resume),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewPause = call.body()?;
    let (id, change) = pause::add(call.db()?, &new, call.new_id()?, &call.author())?;
    Ok(Answer::json(&pause::get(call.db()?, &id)?)?.outcome(change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let customer = call.query(&CUSTOMER)?;
    let found =
        pause::page(call.db()?, &after, limit.saturating_add(1), customer.as_ref(), call.stood()?)?;
    let (items, next) = page::cut(found, limit, |pause| pause.id.clone())?;
    Answer::json(&PausePage { items, next })
}

fn resume<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let id = call.id()?;
    let change = pause::resume(call.db()?, &id, &call.body()?, &call.author())?;
    Ok(Answer::json(&pause::get(call.db()?, &id)?)?.outcome(change))
}
