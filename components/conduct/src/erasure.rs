//! `/v1/ingest/customers/{id}/erase`: what is personal about a customer goes, what it owed stays.

use dunlin_app::erase;
use dunlin_domain::contract::{keys::Scope, ledger::Erasure};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/customers/{id}/erase", "erase_customer")
            .about("Takes name, addresses, contacts, representatives, bank accounts and tags of a customer away, also \
                    out of the audit chain, and the texts of its notices. Amounts stay.")
            .scope(Scope::Admin)
            .answers::<Erasure>()
            .run(erase),
    ]
}

fn erase<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (erased, change) = erase::customer(call.db()?, &call.id()?, &call.author())?;
    Ok(Answer::json(&erased)?.outcome(change))
}
