//! `/v1/ingest/policy`: how the ledger is kept.

use dunlin_app::policy;
use dunlin_domain::contract::{keys::Scope, ledger::Policy};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, KNOWN_AT, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/policy", "get_policy")
            .about("Gives the policy in force. What is absent holds as the contract says.")
            .scope(Scope::IngestRead)
            .query(&[KNOWN_AT])
            .answers::<Policy>()
            .run(get),
        Route::put("/v1/ingest/policy", "put_policy")
            .about("Adds a version of the policy. One that allocates otherwise replays everybody who has paid.")
            .scope(Scope::Admin)
            .takes::<Policy>()
            .answers::<Policy>()
            .run(put),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&policy::known(call.db()?, call.known()?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let change = policy::put(call.db()?, &call.body()?, &call.author())?;
    Ok(Answer::json(&policy::get(call.db()?)?)?.outcome(change))
}
