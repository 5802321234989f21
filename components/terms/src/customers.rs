//! `/v1/ingest/customers`: who owes.

use dunlin_app::{customer, ledger};
use dunlin_domain::{
    Id,
    contract::{
        ingest::CustomerPage,
        keys::Scope,
        ledger::{CustomerChangePage, Merge, Standing},
        types::{Customer, NewCustomer},
    },
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, STOOD_ON, page};

const CHANGED_ON: Query = Query::date(
    "changed_on",
    "The day on which contacts, bank accounts, representatives or status changed, where it is known late. Not in the future. Absent: today.",
);

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
            .query(&[AS_OF, KNOWN_AT])
            .pages()
            .answers::<CustomerPage>()
            .run(list),
        Route::get("/v1/ingest/customers/{id}", "get_customer")
            .about("Gives a customer, with what it owes on the day.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<Customer>()
            .run(get),
        Route::put("/v1/ingest/customers/{id}", "put_customer")
            .about("Replaces a customer, or records it when it is new.")
            .scope(Scope::IngestWrite)
            .query(&[CHANGED_ON])
            .takes::<NewCustomer>()
            .answers::<Customer>()
            .run(put),
        Route::post("/v1/ingest/customers/{id}/merge", "merge_customer")
            .about("Merges a duplicate into the customer that stays. Its documents move there and are allocated anew.")
            .scope(Scope::IngestWrite)
            .takes::<Merge>()
            .answers::<Customer>()
            .run(merge),
        Route::get("/v1/ingest/customers/{id}/changes", "list_customer_changes")
            .about("Lists the dated changes of a customer's contacts, bank accounts, representatives and status.")
            .scope(Scope::IngestRead)
            .query(&[STOOD_ON, KNOWN_AT])
            .pages()
            .answers::<CustomerChangePage>()
            .run(changes),
        Route::get("/v1/ingest/customers/{id}/exposure", "get_exposure")
            .about("Gives what a customer and its group owe on the day, and what of it is secured.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<Standing>()
            .run(exposure),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewCustomer = call.body()?;
    let (id, change) = customer::add(call.db()?, &new, call.new_id()?, &call.author())?;
    Ok(as_of_today(call, &id)?.outcome(change))
}

/// The customer after a write, as of today.
fn as_of_today<D: Db>(call: &Call<'_, D>, id: &Id) -> Result<Answer, Problem> {
    let today = ledger::today(call.db()?, call.now())?;
    Answer::json(&ledger::customer(call.db()?, id, today)?)
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let found = ledger::customers(call.db()?, &after, limit.saturating_add(1), call.when()?)?;
    let (items, next) = page::cut(found, limit, |customer| customer.id.clone())?;
    Answer::json(&CustomerPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&ledger::customer(call.db()?, &call.id()?, call.when()?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<NewCustomer>()?);
    let day = call.query(&CHANGED_ON)?;
    let change = customer::put_on(call.db()?, &id, &new, day, &call.author())?;
    Ok(as_of_today(call, &id)?.outcome(change))
}

fn merge<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, merge) = (call.id()?, call.body::<Merge>()?);
    let change = customer::merge(call.db()?, &id, &merge.into, &call.author())?;
    Ok(as_of_today(call, &id)?.outcome(change))
}

fn changes<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found = customer::changes_of(
        call.db()?,
        &call.id()?,
        &after,
        limit.saturating_add(1),
        call.stood()?.day,
        call.query(&KNOWN_AT)?,
    )?;
    let (items, next) = page::cut(found, limit, |change| (change.on.to_string(), change.key))?;
    Answer::json(&CustomerChangePage { items, next })
}

fn exposure<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&customer::standing(call.db()?, &call.id()?, call.when()?)?)
}
