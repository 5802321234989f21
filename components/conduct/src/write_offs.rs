//! `/v1/ingest/write-offs`: debts given up.

use dunlin_app::write_off;
use dunlin_domain::contract::{
    keys::Scope,
    ledger::{NewWriteOff, WriteOff, WriteOffPage, WriteOffReversal, WriteOffState},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, KNOWN_AT, Problem, Query, Route, STOOD_ON, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose write-offs. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/write-offs", "create_write_off")
            .about("Gives up a debt. From the policy's threshold on it waits for a second key.")
            .scope(Scope::IngestWrite)
            .takes::<NewWriteOff>()
            .answers::<WriteOff>()
            .status(201)
            .run(create),
        Route::get("/v1/ingest/write-offs", "list_write_offs")
            .about("Lists write-offs by id.")
            .scope(Scope::IngestRead)
            .query(&[CUSTOMER, STOOD_ON, KNOWN_AT])
            .pages()
            .answers::<WriteOffPage>()
            .run(list),
        Route::get("/v1/ingest/write-offs/{id}", "get_write_off")
            .about("Gives a write-off, and how much of it stands.")
            .scope(Scope::IngestRead)
            .query(&[STOOD_ON, KNOWN_AT])
            .answers::<WriteOff>()
            .run(get),
        Route::post("/v1/ingest/write-offs/{id}/approve", "approve_write_off")
            .about("Approves a write-off that waits, by another key than asked for it.")
            .scope(Scope::IngestWrite)
            .answers::<WriteOff>()
            .run(|call| decide(call, WriteOffState::Booked)),
        Route::post("/v1/ingest/write-offs/{id}/refuse", "refuse_write_off")
            .about("Turns a write-off down that waits, by another key than asked for it.")
            .scope(Scope::IngestWrite)
            .answers::<WriteOff>()
            .run(|call| decide(call, WriteOffState::Refused)),
        Route::post("/v1/ingest/write-offs/{id}/reverse", "reverse_write_off")
            .about("Takes back a write-off that was booked by mistake: what stands of it is owed again.")
            .scope(Scope::IngestWrite)
            .takes::<WriteOffReversal>()
            .answers::<WriteOff>()
            .run(reverse),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewWriteOff = call.body()?;
    let (made, change) = write_off::add(call.db()?, &new, call.new_id()?, &call.author())?;
    Ok(Answer::json(&made)?.outcome(change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let customer = call.query(&CUSTOMER)?;
    let found = write_off::page(
        call.db()?,
        &after,
        limit.saturating_add(1),
        customer.as_ref(),
        call.stood()?,
    )?;
    let (items, next) = page::cut(found, limit, |write_off| write_off.id.clone())?;
    Answer::json(&WriteOffPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&write_off::then(call.db()?, &call.id()?, call.stood()?)?)
}

fn decide<D: Db>(call: &mut Call<'_, D>, state: WriteOffState) -> Result<Answer, Problem> {
    let (decided, change) = write_off::decide(call.db()?, &call.id()?, state, &call.author())?;
    Ok(Answer::json(&decided)?.outcome(change))
}

fn reverse<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<WriteOffReversal>()?);
    let (reversed, change) = write_off::reverse(call.db()?, &id, &new, &call.author())?;
    Ok(Answer::json(&reversed)?.outcome(change))
}
