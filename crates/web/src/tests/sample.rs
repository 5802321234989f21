//! A small table of routes of every kind.

use crate::{AS_OF, Answer, Call, Csv, Media, Problem, Query, Route, Running, health, keys, page};
use dunlin_domain::{
    Refusal,
    contract::{
        keys::{Key, Scope},
        report::AgeingBasis,
        types::{NewCustomer, NewInvoice},
    },
};
use dunlin_store::Db;
use std::cell::Cell;

thread_local! {
    /// How often a writing handler ran in this test.
    pub static RUNS: Cell<u32> = const { Cell::new(0) };
}

const BASIS: Query = Query::one_of("basis", AgeingBasis::NAMES, "What the age is counted from.");
const DRY: Query = Query::flag("dry_run", "Whether nothing is stored.");
const MONTHS: Query = Query::whole("months", 1, 24, "How many months.");
const KIND: Query = Query::text("kind", 10, "What the file holds.").required();
const OWNER: Query = Query::id("owner", "Whose.");

pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = vec![
        Route::get("/v1/things/{id}", "get_thing")
            .about("Gives a thing. It is echoed.")
            .scope(Scope::ReportRead)
            .query(&[AS_OF, BASIS, DRY, MONTHS, OWNER])
            .answers::<Key>()
            .csv()
            .run(thing),
        Route::get("/v1/things.svg", "draw_things")
            .about("Draws things.")
            .scope(Scope::ReportRead)
            .svg()
            .run(draw),
        Route::get("/v1/things", "list_things")
            .about("Lists.")
            .scope(Scope::IngestRead)
            .pages()
            .run(list),
        Route::post("/v1/things", "create_thing")
            .about("Makes a thing.")
            .scope(Scope::IngestWrite)
            .takes::<NewCustomer>()
            .answers::<NewCustomer>()
            .status(201)
            .run(create),
        Route::put("/v1/things/{id}/invoice", "put_invoice")
            .scope(Scope::IngestWrite)
            .takes::<NewInvoice>()
            .answers::<NewInvoice>()
            .run(invoice),
        Route::post("/v1/files", "create_file")
            .scope(Scope::IngestWrite)
            .query(&[KIND])
            .streams(&["text/csv", "application/x-ndjson"])
            .run_async(file),
        Route::post("/v1/refusals/{id}", "refuse").scope(Scope::Admin).run(refuse),
        Route::post("/v1/ticks", "tick").scope(Scope::SweepWrite).run_async(tick),
        Route::post("/v1/nothings", "do_nothing").scope(Scope::SweepWrite).run(nothing),
        Route::post("/v1/meetings", "meet").scope(Scope::SweepWrite).run_async(meet),
    ];
    routes.extend(keys::routes());
    routes.extend(health::routes());
    routes.extend(health::document());
    routes
}

fn thing<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, as_of) = (call.id()?, call.as_of()?);
    if call.wants() == Media::Csv {
        let mut csv = Csv::new(&["id", "months"]);
        csv.text(id.as_str()).plain(call.whole(&MONTHS)?.unwrap_or(1)).end();
        return Ok(Answer::csv(csv));
    }
    let basis: Option<AgeingBasis> = call.query(&BASIS)?;
    let body =
        serde_json::json!({"id": id, "as_of": as_of, "basis": basis, "dry_run": call.flag(&DRY)?});
    Ok(Answer::json(&body)?.rows(1))
}

fn draw<D: Db>(_: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Ok(Answer::svg("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".into()))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, (after,)) = (call.limit()?, call.cursor::<(u32,)>()?.unwrap_or((0,)));
    let found: Vec<u32> = (after + 1..=1000).take(limit as usize + 1).collect();
    let (items, next) = page::cut(found, limit, |last| (*last,))?;
    Answer::json(&serde_json::json!({"items": items, "next": next}))
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewCustomer = call.body()?;
    RUNS.set(RUNS.get() + 1);
    let id = new.id.clone().map_or_else(|| call.new_id(), Ok)?;
    Answer::created(&NewCustomer { id: Some(id), ..new })
}

fn invoice<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&call.body::<NewInvoice>()?)
}

fn file<'a, D: Db>(call: &'a mut Call<'_, D>) -> Running<'a> {
    Box::pin(async move {
        let mut bytes = 0;
        while let Some(chunk) = call.next().await {
            let chunk = chunk?;
            if chunk.contains(&b'!') {
                return Err(Problem::new(Refusal::BrokenQuote, "an exclamation").row(7));
            }
            bytes += chunk.len();
        }
        RUNS.set(RUNS.get() + 1);
        Ok(Answer::json(&serde_json::json!({"media": call.media(), "bytes": bytes}))?.rows(3))
    })
}

fn refuse<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    RUNS.set(RUNS.get() + 1);
    match call.path("id")? {
        Refusal::Internal => Err(Problem::internal("disk on fire at row 7")),
        code => Err(Problem::new(code, "as told").at("it")),
    }
}

fn nothing<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    call.no_body()?;
    Answer::json(&())
}

fn tick<'a, D: Db>(call: &'a mut Call<'_, D>) -> Running<'a> {
    Box::pin(async move { Answer::json(&call.needed_variable("webhook_url")?) })
}

fn meet<'a, D: Db>(call: &'a mut Call<'_, D>) -> Running<'a> {
    Box::pin(async move {
        call.env().lull().await;
        call.db_after_others()?;
        Answer::json(&())
    })
}
