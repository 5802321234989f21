//! `/v1/ingest/invoices`: what was claimed, and what became of it.

use dunlin_app::{credit_refund, invoice, ledger};
use dunlin_domain::Date;
use dunlin_domain::contract::{
    ingest::InvoicePage,
    keys::Scope,
    ledger::{CreditRefundReversal, InvoiceCorrection, NewCreditRefund},
    types::{Invoice, InvoiceKind, NewCreditNote, NewInvoice},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, page};

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
            .about("Lists a customer's documents by due date, as they stood on the day and were known then.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, AS_OF, KNOWN_AT])
            .pages()
            .answers::<InvoicePage>()
            .run(list),
        Route::get("/v1/ingest/invoices/{id}", "get_invoice")
            .about("Gives a document as it stood on the day: what is open, how late it is, and what was set against it.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<Invoice>()
            .run(get),
        Route::post("/v1/ingest/invoices/{id}/correct", "correct_invoice")
            .about("Puts right the day, the due date, the amount of a document or what it is about. What came after is replayed.")
            .scope(Scope::IngestWrite)
            .takes::<InvoiceCorrection>()
            .answers::<Invoice>()
            .run(correct),
        Route::post("/v1/ingest/credit-notes", "create_credit_note")
            .about("Records a credit note, against an invoice or standing alone.")
            .scope(Scope::IngestWrite)
            .takes::<NewCreditNote>()
            .answers::<Invoice>()
            .status(201)
            .run(create_credit_note),
        Route::post("/v1/ingest/credit-notes/{id}/refunds", "refund_credit_note")
            .about("Records that what is left of a credit note was paid out to the customer.")
            .scope(Scope::IngestWrite)
            .takes::<NewCreditRefund>()
            .answers::<Invoice>()
            .status(201)
            .run(refund),
        Route::post("/v1/ingest/credit-refunds/{id}/reverse", "reverse_credit_refund")
            .about("Records that a refund of a credit note came back or never went: the credit stands again.")
            .scope(Scope::IngestWrite)
            .takes::<CreditRefundReversal>()
            .answers::<Invoice>()
            .run(reverse_refund),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewInvoice = call.body()?;
    add(call, &new)
}

fn create_credit_note<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let note: NewCreditNote = call.body()?;
    let new = NewInvoice {
        id: note.id,
        customer_id: note.customer_id,
        kind: Some(InvoiceKind::CreditNote),
        issued_on: note.issued_on,
        due_on: None,
        amount: note.amount,
        disputed: None,
        contract_id: None,
        relates_to: note.relates_to,
        penalty: None,
        instalments: None,
        reference: None,
    };
    add(call, &new)
}

fn add<D: Db>(call: &Call<'_, D>, new: &NewInvoice) -> Result<Answer, Problem> {
    let (id, change) = invoice::add(call.db()?, new, call.new_id()?, &call.author())?;
    let day = ledger::today(call.db()?, call.now())?.max(new.issued_on);
    Ok(Answer::json(&invoice::get(call.db()?, &id, day, i64::MAX)?)?.outcome(change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let customer = call
        .query(&CUSTOMER)?
        .ok_or_else(|| Problem::internal("a required parameter is absent"))?;
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found =
        invoice::page(call.db()?, &customer, &after, limit.saturating_add(1), call.when()?)?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&InvoicePage {
        items: items.into_iter().map(|(invoice, _)| invoice).collect(),
        next,
    })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&invoice::get(call.db()?, &call.id()?, call.day()?, call.known()?)?)
}

fn correct<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<InvoiceCorrection>()?);
    let change = invoice::correct(call.db()?, &id, &new, &call.author())?;
    let day = ledger::today(call.db()?, call.now())?.max(new.issued_on.unwrap_or(Date::FIRST));
    Ok(Answer::json(&invoice::get(call.db()?, &id, day, i64::MAX)?)?.outcome(change))
}

fn refund<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<NewCreditRefund>()?);
    let change = credit_refund::add(call.db()?, &id, &new, call.new_id()?, &call.author())?;
    Ok(Answer::json(&invoice::get(call.db()?, &id, Date::LAST, i64::MAX)?)?.outcome(change))
}

fn reverse_refund<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<CreditRefundReversal>()?);
    let (note, change) = credit_refund::reverse(call.db()?, &id, &new, &call.author())?;
    Ok(Answer::json(&invoice::get(call.db()?, &note, Date::LAST, i64::MAX)?)?.outcome(change))
}
