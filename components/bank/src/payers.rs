//! `/v1/ingest/payer-accounts`: accounts that are known as customers' because somebody confirmed a match.

use dunlin_app::bank;
use dunlin_domain::contract::{
    bank::{PayerAccount, PayerAccountPage},
    keys::Scope,
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/payer-accounts", "list_payer_accounts")
            .about("Lists accounts that confirmed matches showed to be customers', oldest first, all but four characters hidden.")
            .scope(Scope::IngestRead)
            .pages()
            .answers::<PayerAccountPage>()
            .run(list),
        Route::delete("/v1/ingest/payer-accounts/{id}", "remove_payer_account")
            .about("Forgets an account that was taught. What was booked because of it stays.")
            .scope(Scope::IngestWrite)
            .answers::<PayerAccount>()
            .run(remove),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found = bank::payer_accounts(call.db()?, after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(key, _)| *key)?;
    let items = items.into_iter().map(|(_, account)| account).collect();
    Answer::json(&PayerAccountPage { items, next })
}

fn remove<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&bank::forget_payer_account(call.db()?, &call.id()?, &call.author())?)
}
