//! `/v1/ingest/customers`: who owes.

use crate::outcome;
use dunlin_app::ledger;
use dunlin_domain::contract::{
    ingest::CustomerPage,
    keys::Scope,
    types::{Customer, NewCustomer},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/customers", "create_customer")
            .about("Records a customer. The same again changes nothing; other content under the same id is refused.")
            .scope(Scope::IngestWrite)
            .takes::<NewCustomer>()
            .answers::<Customer>()
            .status(201)
            .run(create),
        Route::get("/v1/ingest/customers", "list_customers")
            .about("Lists customers by id, with what they owe on the day.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF])
            .pages()
            .answers::<CustomerPage>()
            .run(list),
        Route::get("/v1/ingest/customers/{id}", "get_customer")
            .about("Gives a customer, with what it owes on the day.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF])
            .answers::<Customer>()
            .run(get),
        Route::put("/v1/ingest/customers/{id}", "put_customer")
            .about("Replaces a customer, or records it when it is new.")
            .scope(Scope::IngestWrite)
            .takes::<NewCustomer>()
            .answers::<Customer>()
            .run(put),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewCustomer = call.body()?;
    let (id, change) = ledger::add_customer(call.db()?, &new, call.new_id()?)?;
    Ok(outcome(
        Answer::json(&ledger::customer(call.db()?, &id, ledger::today(call.db()?, call.now())?)?)?,
        change,
    ))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let found = ledger::customers(call.db()?, &after, limit.saturating_add(1), call.day()?)?;
    let (items, next) = page::cut(found, limit, |customer| customer.id.clone())?;
    Answer::json(&CustomerPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&ledger::customer(call.db()?, &call.id()?, call.day()?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<NewCustomer>()?);
    let change = ledger::put_customer(call.db()?, &id, &new)?;
    Ok(outcome(
        Answer::json(&ledger::customer(call.db()?, &id, ledger::today(call.db()?, call.now())?)?)?,
        change,
    ))
}
