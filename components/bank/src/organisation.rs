//! `/v1/ingest/organisation`: who owns the receivables, and in which zone its day ends.

use dunlin_app::ledger;
use dunlin_domain::contract::{ingest::Organisation, keys::Scope};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/organisation", "get_organisation")
            .about("Gives the organisation's name, zone and language.")
            .scope(Scope::IngestRead)
            .answers::<Organisation>()
            .run(get),
        Route::put("/v1/ingest/organisation", "put_organisation")
            .about("Replaces the organisation's name, zone and language.")
            .scope(Scope::Admin)
            .takes::<Organisation>()
            .answers::<Organisation>()
            .run(put),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&ledger::organisation(call.db()?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: Organisation = call.body()?;
    let change = ledger::put_organisation(call.db()?, &new, &call.author())?;
    Ok(Answer::json(&new)?.outcome(change))
}
