//! `/v1/ingest/interest-presets`, `/v1/ingest/interest-notes`, `/v1/ingest/interest-excess` and `/v1/ingest/waivers`: late
//! interest.

use dunlin_app::{interest, invoice, ledger};
use dunlin_domain::{
    contract::{
        keys::Scope,
        ledger::{InterestExcessPage, NewInterestNote, NewWaiver, PresetList, Waiver},
        types::Invoice,
    },
    preset,
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose invoices. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/interest-presets", "list_interest_presets")
            .about("Lists the clauses that ship: where and from when each holds, and what it says.")
            .scope(Scope::IngestRead)
            .answers::<PresetList>()
            .run(|_| Answer::json(&PresetList { items: preset::all() })),
        Route::post("/v1/ingest/interest-notes", "create_interest_note")
            .about(
                "Claims the interest of an invoice that was not claimed or given up yet, up to and with a day, as a \
                 document of its own.",
            )
            .scope(Scope::IngestWrite)
            .takes::<NewInterestNote>()
            .answers::<Invoice>()
            .status(201)
            .run(claim),
        Route::get("/v1/ingest/interest-excess", "list_interest_excess")
            .about("Lists invoices of which more interest was claimed and given up than they bear.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, AS_OF, KNOWN_AT])
            .pages()
            .answers::<InterestExcessPage>()
            .run(excess),
        Route::post("/v1/ingest/waivers", "create_waiver")
            .about("Gives up interest of an invoice, or takes back that it was given up.")
            .scope(Scope::IngestWrite)
            .takes::<NewWaiver>()
            .answers::<Waiver>()
            .status(201)
            .run(waive),
    ]
}

fn claim<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewInterestNote = call.body()?;
    let today = ledger::today(call.db()?, call.now())?;
    let (id, change) = interest::add_note(call.db()?, &new, call.new_id()?, today, &call.author())?;
    Ok(Answer::json(&invoice::get(call.db()?, &id, today, i64::MAX)?)?.outcome(change))
}

fn excess<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let customer = call.query(&CUSTOMER)?;
    let (items, next) =
        interest::excess(call.db()?, &after, limit, customer.as_ref(), call.when()?)?;
    let next = next.map(|last| page::encode(&last)).transpose()?;
    Answer::json(&InterestExcessPage { items, next })
}

fn waive<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewWaiver = call.body()?;
    let today = ledger::today(call.db()?, call.now())?;
    let (waiver, change) =
        interest::add_waiver(call.db()?, &new, call.new_id()?, today, &call.author())?;
    Ok(Answer::json(&waiver)?.outcome(change))
}
