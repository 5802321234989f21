//! `/v1/ingest/invoices`: what was claimed, and what became of it.

use crate::outcome;
use dunlin_app::ledger;
use dunlin_domain::contract::{
    ingest::InvoicePage,
    keys::Scope,
    types::{Invoice, NewInvoice},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Problem, Query, Route, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose invoices.").required();

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/invoices", "create_invoice")
            .about("Records an invoice, credit note, interest note or fee. Money that waits is set against it.")
            .scope(Scope::IngestWrite)
            .takes::<NewInvoice>()
            .answers::<Invoice>()
            .status(201)
            .run(create),
        Route::get("/v1/ingest/invoices", "list_invoices")
            .about("Lists a customer's documents by due date, as they stood on the day.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, AS_OF])
            .pages()
            .answers::<InvoicePage>()
            .run(list),
        Route::get("/v1/ingest/invoices/{id}", "get_invoice")
            .about("Gives a document as it stood on the day: what is open, how late it is, and what was set against it.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF])
            .answers::<Invoice>()
            .run(get),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewInvoice = call.body()?;
    let (id, change) = ledger::add_invoice(call.db()?, &new, call.new_id()?, call.now())?;
    let day = ledger::today(call.db()?, call.now())?.max(new.issued_on);
    Ok(outcome(Answer::json(&ledger::invoice(call.db()?, &id, day)?)?, change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let customer = call
        .query(&CUSTOMER)?
        .ok_or_else(|| Problem::internal("a required parameter is absent"))?;
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found =
        ledger::invoices(call.db()?, &customer, &after, limit.saturating_add(1), call.day()?)?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&InvoicePage {
        items: items.into_iter().map(|(invoice, _)| invoice).collect(),
        next,
    })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&ledger::invoice(call.db()?, &call.id()?, call.day()?)?)
}
