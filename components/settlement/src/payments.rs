//! `/v1/ingest/payments`: money received, and where it went.

use dunlin_app::{inbound_event::retry, ledger, payment};
use dunlin_domain::contract::{
    ingest::PaymentPage,
    keys::Scope,
    ledger::{NewReversal, PaymentCorrection},
    types::{NewPayment, Payment},
};
use dunlin_domain::{Date, Id};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, page};

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
            .about("Lists a customer's payments by day, as they stood on the day asked for and were known then.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, AS_OF, KNOWN_AT])
            .pages()
            .answers::<PaymentPage>()
            .run(list),
        Route::get("/v1/ingest/payments/{id}", "get_payment")
            .about("Gives a payment as it stood on the day: what it was set against, and what is left of it.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<Payment>()
            .run(get),
        Route::post("/v1/ingest/payments/{id}/reverse", "reverse_payment")
            .about("Records that money went back: a chargeback, a return, a refund, or a booking by mistake.")
            .scope(Scope::IngestWrite)
            .takes::<NewReversal>()
            .answers::<Payment>()
            .status(201)
            .run(reverse),
        Route::post("/v1/ingest/payments/{id}/correct", "correct_payment")
            .about("Puts right the day, the amount or the designation of a payment. What came after is replayed.")
            .scope(Scope::IngestWrite)
            .takes::<PaymentCorrection>()
            .answers::<Payment>()
            .run(correct),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewPayment = call.body()?;
    let (id, change) = payment::add(call.db()?, &new, call.new_id()?, &call.author())?;
    retry::paid(call.db()?, &id, change, &call.author());
    let day = ledger::today(call.db()?, call.now())?.max(new.received_on);
    Ok(Answer::json(&payment::get(call.db()?, &id, day, i64::MAX)?)?.outcome(change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let customer = call
        .query(&CUSTOMER)?
        .ok_or_else(|| Problem::internal("a required parameter is absent"))?;
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found =
        payment::page(call.db()?, &customer, &after, limit.saturating_add(1), call.when()?)?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&PaymentPage {
        items: items.into_iter().map(|(payment, _)| payment).collect(),
        next,
    })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&payment::get(call.db()?, &call.id()?, call.day()?, call.known()?)?)
}

fn reverse<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<NewReversal>()?);
    let change = payment::reverse(call.db()?, &id, &new, call.new_id()?, &call.author())?;
    now(call, &id, change)
}

fn correct<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<PaymentCorrection>()?);
    let change = payment::correct(call.db()?, &id, &new, &call.author())?;
    now(call, &id, change)
}

/// The payment as it stands after everything that is recorded, and whether it changed.
fn now<D: Db>(call: &Call<'_, D>, id: &Id, change: ledger::Change) -> Result<Answer, Problem> {
    let payment = payment::get(call.db()?, id, Date::LAST, i64::MAX)?;
    Ok(Answer::json(&payment)?.outcome(change))
}
