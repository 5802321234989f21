//! `/v1/score/tiers`: how customers are sorted.

use dunlin_app::tier;
use dunlin_domain::contract::{keys::Scope, score::TierDocument};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/tiers", "get_tiers")
            .about("Gives the tiers in force. Before the first there is no rule.")
            .scope(Scope::ScoreRead)
            .answers::<TierDocument>()
            .run(get),
        Route::put("/v1/score/tiers", "put_tiers")
            .about("Replaces the tiers. The next sweep sorts by them.")
            .scope(Scope::ScoreWrite)
            .takes::<TierDocument>()
            .answers::<TierDocument>()
            .run(put),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&tier::get(call.db()?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let change = tier::put(call.db()?, &call.body()?, &call.author())?;
    Ok(Answer::json(&tier::get(call.db()?)?)?.outcome(change))
}
