//! `/v1/ingest/guarantees`: what secures a customer's debt.

use dunlin_app::guarantee;
use dunlin_domain::{
    Id,
    contract::{
        keys::Scope,
        ledger::{Guarantee, GuaranteePage, NewGuarantee},
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, KNOWN_AT, Problem, Query, Route, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose guarantees. Absent: everybody's.");
const IN_FORCE: Query =
    Query::date("as_of", "Only what is in force on this day. Absent: whatever was recorded.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/guarantees", "list_guarantees")
            .about("Lists guarantees by id.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, IN_FORCE, KNOWN_AT])
            .pages()
            .answers::<GuaranteePage>()
            .run(list),
        Route::get("/v1/ingest/guarantees/{id}", "get_guarantee")
            .about("Gives a guarantee; with a day only one that is in force on it.")
            .scope(Scope::IngestRead)
            .query(&[IN_FORCE, KNOWN_AT])
            .answers::<Guarantee>()
            .run(get),
        Route::put("/v1/ingest/guarantees/{id}", "put_guarantee")
            .about("Replaces a guarantee, or records it when it is new.")
            .scope(Scope::IngestWrite)
            .takes::<NewGuarantee>()
            .answers::<Guarantee>()
            .run(put),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let (customer, day) = (call.query::<Id>(&CUSTOMER)?, call.query(&IN_FORCE)?);
    let found = guarantee::list(
        call.db()?,
        customer.as_ref(),
        day,
        &after,
        limit.saturating_add(1),
        call.known()?,
    )?;
    let (items, next) = page::cut(found, limit, |guarantee| guarantee.id.clone())?;
    Answer::json(&GuaranteePage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&guarantee::then(call.db()?, &call.id()?, call.query(&IN_FORCE)?, call.known()?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<NewGuarantee>()?);
    let (stored, change) = guarantee::put(call.db()?, &id, &new, &call.author())?;
    Ok(Answer::json(&stored)?.outcome(change))
}
