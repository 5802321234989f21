//! `/v1/score/customers/{id}/financials`, `external-scores` and `public-records`: what others say of a customer.

use dunlin_app::external;
use dunlin_domain::{
    Date, Id, altman,
    contract::{
        external::{
            ExternalScore, ExternalScorePage, FinancialStatement, Financials, FinancialsPage,
            PublicRecord, PublicRecordPage,
        },
        keys::Scope,
    },
    external::{External, place},
};
use dunlin_store::{Db, external::last};
use dunlin_web::{AS_OF, Answer, Call, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = financials();
    routes.extend(scores());
    routes.extend(records());
    routes
}

fn financials<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/customers/{id}/financials", "list_financials")
            .about("Lists a customer's statements of accounts as they were known on the day, the latest first.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF])
            .pages()
            .answers::<FinancialsPage>()
            .run(list_financials),
        Route::get("/v1/score/customers/{id}/financials/{period_end}", "get_financials")
            .about("Gives a statement of accounts as it was known on the day, with Altman's figures.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF])
            .answers::<Financials>()
            .run(get_financials),
        Route::put("/v1/score/customers/{id}/financials/{period_end}", "put_financials")
            .about("Records a statement of accounts, or corrects it from a later day on.")
            .scope(Scope::ScoreWrite)
            .takes::<FinancialStatement>()
            .answers::<Financials>()
            .run(put_financials),
    ]
}

fn scores<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/customers/{id}/external-scores", "list_external_scores")
            .about("Lists the scores that others gave a customer as they were known on the day, the latest first.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF])
            .pages()
            .answers::<ExternalScorePage>()
            .run(list_scores),
        Route::get(
            "/v1/score/customers/{id}/external-scores/{source}/{date}",
            "get_external_score",
        )
        .about("Gives a score that somebody else gave, as it was known on the day.")
        .scope(Scope::ScoreRead)
        .query(&[AS_OF])
        .answers::<ExternalScore>()
        .run(get_score),
        Route::put(
            "/v1/score/customers/{id}/external-scores/{source}/{date}",
            "put_external_score",
        )
        .about("Records a score that somebody else gave, or corrects it from a later day on.")
        .scope(Scope::ScoreWrite)
        .takes::<ExternalScore>()
        .answers::<ExternalScore>()
        .run(put_score),
    ]
}

fn records<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/customers/{id}/public-records", "list_public_records")
            .about(
                "Lists what public registers say of a customer as it was known on the day, the latest first.",
            )
            .scope(Scope::ScoreRead)
            .query(&[AS_OF])
            .pages()
            .answers::<PublicRecordPage>()
            .run(list_records),
        Route::get("/v1/score/customers/{id}/public-records/{record}", "get_public_record")
            .about("Gives an entry in a public register as it was known on the day.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF])
            .answers::<PublicRecord>()
            .run(get_record),
        Route::put("/v1/score/customers/{id}/public-records/{record}", "put_public_record")
            .about("Records an entry in a public register, or corrects it from a later day on.")
            .scope(Scope::ScoreWrite)
            .takes::<PublicRecord>()
            .answers::<PublicRecord>()
            .run(put_record),
    ]
}

fn with_figures(statement: FinancialStatement) -> Financials {
    let altman = altman::figures(&statement);
    Financials { statement, altman }
}

/// A page of what others say, and the cursor of the next.
fn listed<D: Db, T: External>(call: &Call<'_, D>) -> Result<(Vec<T>, Option<String>), Problem> {
    let (limit, before) = (call.limit()?, call.cursor()?.unwrap_or_else(last));
    let most = limit.saturating_add(1);
    let found = external::list::<_, T>(call.db()?, &call.id()?, call.day()?, &before, most)?;
    let (items, next) = page::cut(found, limit, |(place, _)| place.clone())?;
    Ok((items.into_iter().map(|(_, record)| record).collect(), next))
}

fn list_financials<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (items, next) = listed(call)?;
    Answer::json(&FinancialsPage { items: items.into_iter().map(with_figures).collect(), next })
}

fn get_financials<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let period_end: Date = call.path("period_end")?;
    let found = external::get(call.db()?, &call.id()?, &period_end.to_string(), call.day()?)?;
    Answer::json(&with_figures(found))
}

fn put_financials<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let mut new: FinancialStatement = call.body()?;
    place(&mut new.customer_id, call.id()?, "customer_id")?;
    place(&mut new.period_end, call.path("period_end")?, "period_end")?;
    let (stored, change) = external::put(call.db()?, &new, &call.author())?;
    Ok(Answer::json(&with_figures(stored))?.outcome(change))
}

fn list_scores<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (items, next) = listed(call)?;
    Answer::json(&ExternalScorePage { items, next })
}

fn get_score<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (source, date): (Id, Date) = (call.path("source")?, call.path("date")?);
    let name = format!("{date}/{source}");
    let found: ExternalScore = external::get(call.db()?, &call.id()?, &name, call.day()?)?;
    Answer::json(&found)
}

fn put_score<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let mut new: ExternalScore = call.body()?;
    place(&mut new.customer_id, call.id()?, "customer_id")?;
    place(&mut new.source, call.path("source")?, "source")?;
    place(&mut new.date, call.path("date")?, "date")?;
    let (stored, change) = external::put(call.db()?, &new, &call.author())?;
    Ok(Answer::json(&stored)?.outcome(change))
}

fn list_records<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (items, next) = listed(call)?;
    Answer::json(&PublicRecordPage { items, next })
}

fn get_record<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let name: Id = call.path("record")?;
    let found: PublicRecord = external::get(call.db()?, &call.id()?, name.as_str(), call.day()?)?;
    Answer::json(&found)
}

fn put_record<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let mut new: PublicRecord = call.body()?;
    place(&mut new.customer_id, call.id()?, "customer_id")?;
    place(&mut new.id, call.path("record")?, "id")?;
    let (stored, change) = external::put(call.db()?, &new, &call.author())?;
    Ok(Answer::json(&stored)?.outcome(change))
}
