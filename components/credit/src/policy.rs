//! `/v1/score/limit-policy`: how limits are proposed.

use dunlin_app::credit::policy;
use dunlin_domain::contract::{
    credit::{LimitPolicy, LimitReview, LimitSimulation, PublishedPolicy},
    keys::Scope,
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, CURSOR, Call, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::put("/v1/score/limit-policy", "put_limit_policy")
            .about("Publishes how limits are proposed. It changes no limit by itself.")
            .scope(Scope::ScoreAdmin)
            .takes::<LimitPolicy>()
            .answers::<PublishedPolicy>()
            .run(put),
        Route::get("/v1/score/limit-policy", "get_limit_policy")
            .about("Gives the limit policy in force.")
            .scope(Scope::ScoreRead)
            .answers::<PublishedPolicy>()
            .run(|call| Answer::json(&policy::get(call.db()?)?)),
        Route::post("/v1/score/limit-policy/simulate", "simulate_limit_policy")
            .about("Says how the limits of the whole book would change under a policy, and changes nothing.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF])
            .takes::<LimitPolicy>()
            .answers::<LimitSimulation>()
            .run(simulate),
        Route::post("/v1/score/limit-policy/review", "review_limits")
            .about("Proposes limits for a slice of the book by the policy in force. They wait for a key.")
            .scope(Scope::ScoreAdmin)
            .query(&[CURSOR])
            .answers::<LimitReview>()
            .run(review),
    ]
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: LimitPolicy = call.body()?;
    let (published, change) = policy::publish(call.db()?, &new, &call.author())?;
    Ok(Answer::json(&published)?.outcome(change))
}

fn simulate<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: LimitPolicy = call.body()?;
    Answer::json(&policy::simulate(call.db()?, &new, call.as_of()?, call.now())?)
}

fn review<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let after: Option<i64> = call.cursor()?;
    let done = policy::review(call.db()?, after.unwrap_or(0), &call.author())?;
    let next = done.next.as_deref().and_then(|key| key.parse::<i64>().ok());
    let next = next.map(|key| dunlin_web::page::encode(&key)).transpose()?;
    Answer::json(&LimitReview { next, ..done })
}
