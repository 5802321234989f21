//! `/v1/score/customers`: scores and grades.

use crate::LANGUAGE;
use dunlin_app::{remind, score};
use dunlin_domain::contract::{
    keys::Scope,
    score::{Facts, ScoreCard, ScorePage},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/customers/{id}", "get_score")
            .about("Gives a customer's score on the day with its grade, its reasons, every indicator and every fact.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF, LANGUAGE])
            .answers::<ScoreCard>()
            .run(get),
        Route::get("/v1/score/customers/{id}/facts", "get_facts")
            .about("Gives what is known of a customer's behaviour on the day: every fact by name.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF])
            .answers::<Facts>()
            .run(facts),
        Route::get("/v1/score/customers", "list_scores")
            .about("Lists the scores of the last sweep, lowest first.")
            .scope(Scope::ScoreRead)
            .pages()
            .answers::<ScorePage>()
            .run(list),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let language = call
        .query(&LANGUAGE)?
        .map_or_else(|| remind::language(call.db()?).map_err(Problem::from), Ok)?;
    Answer::json(&score::card(call.db()?, &call.id()?, call.day()?, language)?)
}

fn facts<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&score::facts(call.db()?, &call.id()?, call.day()?)?)
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or((-1, 0)));
    let found = score::lines(call.db()?, after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(_, place)| *place)?;
    Answer::json(&ScorePage { items: items.into_iter().map(|(line, _)| line).collect(), next })
}
