//! `/v1/ingest/payments`: money received, and where it went.

use crate::outcome;
use dunlin_app::ledger;
use dunlin_domain::contract::{
    ingest::PaymentPage,
    keys::Scope,
    types::{NewPayment, Payment},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Problem, Query, Route, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose payments.").required();

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/payments", "create_payment")
            .about("Records money received and sets it against the invoice it names, then the oldest due.")
            .scope(Scope::IngestWrite)
            .takes::<NewPayment>()
            .answers::<Payment>()
            .status(201)
            .run(create),
        Route::get("/v1/ingest/payments", "list_payments")
            .about("Lists a customer's payments by day, as they stood on the day asked for.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, AS_OF])
            .pages()
            .answers::<PaymentPage>()
            .run(list),
        Route::get("/v1/ingest/payments/{id}", "get_payment")
            .about("Gives a payment as it stood on the day: what it was set against, and what is left of it.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF])
            .answers::<Payment>()
            .run(get),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewPayment = call.body()?;
    let (id, change) = ledger::add_payment(call.db()?, &new, call.new_id()?, call.now())?;
    let day = ledger::today(call.db()?, call.now())?.max(new.received_on);
    Ok(outcome(Answer::json(&ledger::payment(call.db()?, &id, day)?)?, change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let customer = call
        .query(&CUSTOMER)?
        .ok_or_else(|| Problem::internal("a required parameter is absent"))?;
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found =
        ledger::payments(call.db()?, &customer, &after, limit.saturating_add(1), call.day()?)?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&PaymentPage {
        items: items.into_iter().map(|(payment, _)| payment).collect(),
        next,
    })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&ledger::payment(call.db()?, &call.id()?, call.day()?)?)
}
