//! `/v1/remind/deliveries`: handing over what waits.

use dunlin_domain::contract::{keys::Scope, remind::DeliveryResult};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route, Running, webhook};

/// How long one run lasts: below the time that schedulers and edge hosts give a request.
const BUDGET_MILLIS: u64 = 15_000;

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/remind/deliveries", "run_deliveries")
            .about(
                "Hands over notices that are due, for at most 15 seconds. Call again until `done`.",
            )
            .scope(Scope::RemindWrite)
            .answers::<DeliveryResult>()
            .run_async(|call| Box::pin(run(call)) as Running<'_>),
    ]
}

async fn run<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let until = call.env().unix_millis().saturating_add(BUDGET_MILLIS);
    let (handed, done) = webhook::deliver_until(call, until).await?;
    Answer::json(&webhook::result(handed, done))
}
