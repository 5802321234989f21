//! `/v1/ingest/contracts`: what was agreed, in versions.

use crate::file;
use dunlin_app::contract::{self, Wanted};
use dunlin_domain::contract::{
    ingest::OnError,
    keys::Scope,
    ledger::{Contract, ContractImportResult, ContractPage, NewContract},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, Running, page};

pub(crate) const ON_ERROR: Query =
    Query::one_of("on_error", OnError::NAMES, "What to do when a row is bad. Absent: `reject`.");
const CUSTOMER: Query = Query::id("customer_id", "Whose contracts. Absent: everybody's.");
const ENDING: Query = Query::date("ending_before", "Only contracts whose last day is before this.");
const FROM: Query =
    Query::date("milestone_from", "Only contracts with a milestone on this day or later.");
const TO: Query =
    Query::date("milestone_to", "Only contracts with a milestone on this day or earlier.");
const BEGUN: Query =
    Query::date("as_of", "Only versions that begin on this day or earlier. Absent: all.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/contracts", "create_contract_import")
            .about(
                "Takes in a file of contracts, a row a version, in the order of the rows and in one transaction. With \
                 `on_error=reject` one bad row means that nothing is stored.",
            )
            .scope(Scope::IngestWrite)
            .query(&[ON_ERROR])
            .streams(&["text/csv", "application/x-ndjson"])
            .answers::<ContractImportResult>()
            .run_async(|call| Box::pin(file::create(call)) as Running<'_>),
        Route::get("/v1/ingest/contracts", "list_contracts")
            .about("Lists the contracts in force on the day by id, each in the version in force.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, ENDING, FROM, TO, AS_OF, KNOWN_AT])
            .pages()
            .answers::<ContractPage>()
            .run(list),
        Route::get("/v1/ingest/contracts/{id}", "get_contract")
            .about("Gives the version of a contract in force on the day.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<Contract>()
            .run(get),
        Route::put("/v1/ingest/contracts/{id}", "put_contract")
            .about("Records a contract, or a new version of it. The content of the newest version changes nothing.")
            .scope(Scope::IngestWrite)
            .takes::<NewContract>()
            .answers::<Contract>()
            .run(put),
        Route::get("/v1/ingest/contracts/{id}/versions", "list_contract_versions")
            .about("Lists the versions of a contract in the order in which they were recorded.")
            .scope(Scope::IngestRead)
            .query(&[BEGUN, KNOWN_AT])
            .pages()
            .answers::<ContractPage>()
            .run(versions),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let wanted = Wanted {
        customer_id: call.query(&CUSTOMER)?,
        ending_before: call.query(&ENDING)?,
        milestone_from: call.query(&FROM)?,
        milestone_to: call.query(&TO)?,
    };
    let found = contract::list(call.db()?, &wanted, &after, limit.saturating_add(1), call.when()?)?;
    let (items, next) = page::cut(found, limit, |contract| contract.id.clone())?;
    Answer::json(&ContractPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&contract::get(call.db()?, &call.id()?, call.when()?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<NewContract>()?);
    let (stored, change) = contract::put(call.db()?, &id, &new, &call.author())?;
    Ok(Answer::json(&stored)?.outcome(change))
}

fn versions<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<u32>()?.unwrap_or_default());
    let found =
        contract::versions(call.db()?, &call.id()?, after, limit.saturating_add(1), call.stood()?)?;
    let (items, next) = page::cut(found, limit, |contract| contract.version)?;
    Answer::json(&ContractPage { items, next })
}
