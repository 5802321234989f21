//! `/v1/ingest/disputes`: debts that the debtor contests.

use dunlin_app::dispute;
use dunlin_domain::contract::{
    keys::Scope,
    ledger::{Dispute, DisputePage, DisputeResolution, DisputeState, NewDispute},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, KNOWN_AT, Problem, Query, Route, STOOD_ON, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose disputes. Absent: everybody's.");
const STATE: Query = Query::one_of("state", DisputeState::NAMES, "Absent: in any state.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/disputes", "create_dispute")
            .about("Freezes an amount that the debtor contests: it is not reminded and bears no interest until it is decided.")
            .scope(Scope::IngestWrite)
            .takes::<NewDispute>()
            .answers::<Dispute>()
            .status(201)
            .run(create),
        Route::get("/v1/ingest/disputes", "list_disputes")
            .about("Lists disputes by id.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, STATE, STOOD_ON, KNOWN_AT])
            .pages()
            .answers::<DisputePage>()
            .run(list),
        Route::get("/v1/ingest/disputes/{id}", "get_dispute")
            .about("Gives a dispute and how it ended.")
            .scope(Scope::IngestRead)
            .query(&[STOOD_ON, KNOWN_AT])
            .answers::<Dispute>()
            .run(get),
        Route::post("/v1/ingest/disputes/{id}/resolve", "resolve_dispute")
            .about("Decides a dispute, or replaces or undoes its decision. What was upheld is taken off the document, the rest goes on as if never contested.")
            .scope(Scope::IngestWrite)
            .takes::<DisputeResolution>()
            .answers::<Dispute>()
            .run(resolve),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewDispute = call.body()?;
    let (id, change) = dispute::open(call.db()?, &new, call.new_id()?, &call.author())?;
    Ok(Answer::json(&dispute::get(call.db()?, &id)?)?.outcome(change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let (customer, state) = (call.query(&CUSTOMER)?, call.query(&STATE)?);
    let more = limit.saturating_add(1);
    let found = dispute::page(call.db()?, &after, more, customer.as_ref(), state, call.stood()?)?;
    let (items, next) = page::cut(found, limit, |dispute| dispute.id.clone())?;
    Answer::json(&DisputePage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&dispute::then(call.db()?, &call.id()?, call.stood()?)?)
}

fn resolve<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let id = call.id()?;
    let change = dispute::resolve(call.db()?, &id, &call.body()?, &call.author())?;
    Ok(Answer::json(&dispute::get(call.db()?, &id)?)?.outcome(change))
}
