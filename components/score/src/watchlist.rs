//! `/v1/score/watchlist`: customers to keep an eye on.

use dunlin_app::{ledger, watch};
use dunlin_domain::contract::{
    keys::Scope,
    warn::{NewWatch, WatchPage},
};
use dunlin_store::{Db, watch::FIRST};
use dunlin_web::{Answer, Call, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/watchlist", "list_watched")
            .about("Lists the customers with serious or critical warnings, and those that somebody wants watched, the gravest first.")
            .scope(Scope::ScoreRead)
            .pages()
            .answers::<WatchPage>()
            .run(list),
        Route::put("/v1/score/watchlist/{id}", "watch_customer")
            .about("Has a customer watched, or changes why and until when.")
            .scope(Scope::ScoreWrite)
            .takes::<NewWatch>()
            .answers::<NewWatch>()
            .run(put),
        Route::delete("/v1/score/watchlist/{id}", "unwatch_customer")
            .about("Ends that somebody wants a customer watched. Who has grave warnings stays on the list.")
            .scope(Scope::ScoreWrite)
            .answers::<NewWatch>()
            .run(end),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or(FIRST));
    let today = ledger::today(call.db()?, call.now())?;
    let found = watch::page(call.db()?, today, after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(_, place)| *place)?;
    Answer::json(&WatchPage { items: items.into_iter().map(|(of, _)| of).collect(), next })
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewWatch = call.body()?;
    let change = watch::put(call.db()?, &call.id()?, &new, &call.author())?;
    Ok(Answer::json(&new)?.outcome(change))
}

fn end<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (ended, change) = watch::end(call.db()?, &call.id()?, &call.author())?;
    Ok(Answer::json(&ended)?.outcome(change))
}
