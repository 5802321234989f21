//! `/v1/score/reviews`: whom to look at, and that somebody did.

use dunlin_app::review;
use dunlin_domain::{
    Date,
    contract::{
        keys::Scope,
        score::{Review, ReviewPage, Reviewed},
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route, page};

const DUE_BY: Query =
    Query::date("due_by", "Reviews due by this day. Absent: today in the organisation's zone.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/reviews", "list_reviews")
            .about("Lists the customers to be looked at by a person, the earliest first.")
            .scope(Scope::ScoreRead)
            .query(&[DUE_BY])
            .pages()
            .answers::<ReviewPage>()
            .run(list),
        Route::post("/v1/score/customers/{id}/reviewed", "add_review")
            .about("Records that somebody looked at the customer; the next review is counted from there.")
            .scope(Scope::ScoreWrite)
            .takes::<Review>()
            .answers::<Reviewed>()
            .status(201)
            .run(add),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let by: Date = match call.query(&DUE_BY)? {
        Some(day) => day,
        None => dunlin_app::ledger::today(call.db()?, call.now())?,
    };
    let found = review::page(call.db()?, &after, limit.saturating_add(1), by)?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&ReviewPage { items: items.into_iter().map(|(task, _)| task).collect(), next })
}

fn add<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (reviewed, change) = review::add(call.db()?, &call.id()?, &call.body()?, &call.author())?;
    Ok(Answer::json(&reviewed)?.outcome(change))
}
