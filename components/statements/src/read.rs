//! `/v1/ingest/statements`: which statements came in.

use dunlin_app::bank;
use dunlin_domain::contract::{
    bank::{BankStatement, StatementPage},
    keys::Scope,
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/statements", "list_statements")
            .about("Lists the bank statements that came in, oldest first.")
            .scope(Scope::IngestRead)
            .pages()
            .answers::<StatementPage>()
            .run(list),
        Route::get("/v1/ingest/statements/{id}", "get_statement")
            .about("Gives a bank statement with its balances.")
            .scope(Scope::IngestRead)
            .answers::<BankStatement>()
            .run(get),
        Route::post("/v1/ingest/statements/{id}/match", "match_statement")
            .about(
                "Lists the candidates of a statement's credits that wait by what is there now. Nothing is booked.",
            )
            .scope(Scope::IngestWrite)
            .answers::<BankStatement>()
            .run(match_anew),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found = bank::statements(call.db()?, after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(key, _)| *key)?;
    let items = items.into_iter().map(|(_, statement)| statement).collect();
    Answer::json(&StatementPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&bank::statement(call.db()?, &call.id()?)?)
}

fn match_anew<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (statement, change) = bank::match_anew(call.db()?, &call.id()?, &call.author())?;
    Ok(Answer::json(&statement)?.outcome(change))
}
