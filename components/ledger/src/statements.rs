//! `/v1/ingest/customers/{id}/ledger`: everything of a customer, line by line.

use dunlin_app::statement;
use dunlin_domain::contract::{keys::Scope, ledger::CustomerLedger};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/customers/{id}/ledger", "get_customer_ledger")
            .about("Gives a customer's ledger line by line, with what is owed after each.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .pages()
            .answers::<CustomerLedger>()
            .run(get),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, skip) = (call.limit()?, call.cursor::<u32>()?.unwrap_or(0));
    let (day, at) = (call.day()?, call.query(&KNOWN_AT)?);
    let mut ledger = statement::of(call.db()?, &call.id()?, day, at, call.known()?)?;
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let end = skip.saturating_add(limit);
    let more = ledger.entries.len() > size(end);
    ledger.entries = ledger.entries.into_iter().skip(size(skip)).take(size(limit)).collect();
    ledger.next = more.then(|| dunlin_web::page::encode(&end)).transpose()?;
    Answer::json(&ledger)
}
