//! `/v1/score/tiers`: how customers are sorted.

use dunlin_app::tier;
use dunlin_domain::contract::{
    keys::Scope,
    score::{TierDocument, Tiers},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route};

const VERSION: Query =
    Query::whole("version", 1, 1_000_000, "The version. Absent: the one in force.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/tiers", "get_tiers")
            .about("Gives the tiers in force. Before the first there is no rule.")
            .scope(Scope::ScoreRead)
            .query(&[VERSION])
            .answers::<Tiers>()
            .run(get),
        Route::put("/v1/score/tiers", "put_tiers")
            .about("Replaces the tiers. The next sweep sorts by them.")
            .scope(Scope::ScoreWrite)
            .takes::<TierDocument>()
            .answers::<Tiers>()
            .run(put),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&tier::get(call.db()?, call.whole(&VERSION)?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let change = tier::put(call.db()?, &call.body()?, &call.author())?;
    Ok(Answer::json(&tier::get(call.db()?, None)?)?.outcome(change))
}
