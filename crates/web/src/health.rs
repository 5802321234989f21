//! `/healthz` and `/openapi.json`: what anybody may ask.

use crate::{Answer, Call, Problem, Route, auth};
use dunlin_domain::contract::ingest::Health;
use dunlin_store::Db;

/// The functions that need no key, for the component that serves them.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/healthz", "get_health")
            .about("Whether the service can work: its settings are there and its database answers.")
            .open()
            .answers::<Health>()
            .run(health),
    ]
}

/// The function that describes all functions, for the component that serves it.
pub fn document<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/openapi.json", "get_openapi")
            .about("This document.")
            .open()
            .answers::<serde_json::Value>()
            .run(openapi),
    ]
}

/// 503 names what is missing in `status`, so that a probe and a person read the same thing.
fn health<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let missing = auth::admin_key(call.env).err().or_else(|| asks(call).err());
    let status = missing.as_ref().map_or("ok", |problem| problem.code().name()).to_string();
    let answer = Answer::json(&Health { status, version: env!("CARGO_PKG_VERSION").to_string() })?;
    Ok(missing.map_or(answer.clone(), |problem| answer.status(problem.status())))
}

/// Opening brings the schema up to date, so that a database that opens is one that works.
fn asks<D: Db>(call: &Call<'_, D>) -> Result<(), Problem> {
    Ok(call.db()?.ping()?)
}

fn openapi<D: Db>(_: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Ok(Answer::of("application/json", include_str!(concat!(env!("OUT_DIR"), "/openapi.json"))))
}
