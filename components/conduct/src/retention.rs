//! `/v1/ingest/retention`: how long what is personal about closed customers is kept.

use dunlin_app::retention;
use dunlin_domain::contract::{
    keys::Scope,
    ledger::{Retention, RetentionDuePage, RetentionPolicy},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Problem, Query, Route, page};

const VERSION: Query =
    Query::whole("version", 1, 1_000_000, "The version. Absent: the one in force.");

const MONTHS: Query = Query::whole(
    "months",
    1,
    600,
    "By so many months in place of those in force, to try them. Absent: by those in force.",
);

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/retention", "get_retention")
            .about("Gives the retention in force. Before the first nothing is erased by itself.")
            .scope(Scope::Admin)
            .query(&[VERSION])
            .answers::<Retention>()
            .run(get),
        Route::put("/v1/ingest/retention", "put_retention")
            .about("Adds a version of the retention. The next sweep erases by it.")
            .scope(Scope::Admin)
            .takes::<RetentionPolicy>()
            .answers::<Retention>()
            .run(put),
        Route::get("/v1/ingest/retention/due", "list_retention_due")
            .about("Lists closed customers that a sweep of the day would erase. Erases nobody.")
            .scope(Scope::Admin)
            .query(&[AS_OF, MONTHS])
            .pages()
            .answers::<RetentionDuePage>()
            .run(due),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&retention::get(call.db()?, call.whole(&VERSION)?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let change = retention::put(call.db()?, &call.body()?, &call.author())?;
    Ok(Answer::json(&retention::get(call.db()?, None)?)?.outcome(change))
}

fn due<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let (as_of, months) = (call.day()?, call.whole(&MONTHS)?);
    let (due, next) = retention::due(call.db()?, after, limit, as_of, months)?;
    let next = next.map(|last| page::encode(&last)).transpose()?;
    Answer::json(&RetentionDuePage { next, ..due })
}
