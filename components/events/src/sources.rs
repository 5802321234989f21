//! `/v1/ingest/sources`: who may send events, and what they sent.

use dunlin_app::{
    event_source,
    inbound_event::{self, Said, retry as retries},
};
use dunlin_domain::{
    Id,
    contract::{
        events::{
            InboundEvent, InboundPage, InboundState, NewSource, RetryRun, Source, SourcePage,
        },
        keys::Scope,
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route, page};

/// How long one run lasts: below the time that schedulers and edge hosts give a request.
const BUDGET_MILLIS: u64 = 15_000;

const ANOTHER: Query = Query::one_of(
    "another",
    &["true"],
    "Of a payment that was refused as `perhaps-booked`: it is another one.",
);
const SAME_AS: Query = Query::id(
    "same_as",
    "Of such a payment: the one that it is. The event's id of it is another name.",
);
const STATE: Query = Query::one_of("state", InboundState::NAMES, "Absent: in any state.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/sources", "list_sources")
            .about("Lists the sources of events by name, without their secrets.")
            .scope(Scope::IngestRead)
            .pages()
            .answers::<SourcePage>()
            .run(list),
        Route::get("/v1/ingest/sources/{source}", "get_source")
            .about("Gives a source with the mapping in use, without its secret.")
            .scope(Scope::IngestRead)
            .answers::<Source>()
            .run(get),
        Route::put("/v1/ingest/sources/{source}", "put_source")
            .about("Connects a source of events, or replaces how it is connected. A new secret leaves the one before valid for a day.")
            .scope(Scope::Admin)
            .takes::<NewSource>()
            .answers::<Source>()
            .run(put),
        Route::delete("/v1/ingest/sources/{source}", "disable_source")
            .about("Has deliveries of a source refused from now on. What it sent stays.")
            .scope(Scope::Admin)
            .answers::<Source>()
            .run(disable),
        Route::get("/v1/ingest/sources/{source}/events", "list_source_events")
            .about("Lists what a source sent in the order it came, without bodies.")
            .scope(Scope::IngestRead)
            .query(&[STATE])
            .pages()
            .answers::<InboundPage>()
            .run(events),
        Route::get("/v1/ingest/sources/{source}/events/{id}", "get_source_event")
            .about("Gives an event that a source sent, with its body as it came.")
            .scope(Scope::IngestRead)
            .answers::<InboundEvent>()
            .run(event),
        Route::post("/v1/ingest/sources/{source}/events/{id}/retry", "retry_source_event")
            .about("Applies an event that was refused or kept, by the mapping that the source has now.")
            .scope(Scope::IngestWrite)
            .query(&[ANOTHER, SAME_AS])
            .answers::<InboundEvent>()
            .run(retry),
        Route::post("/v1/ingest/sources/{source}/retry", "retry_source_events")
            .about("Tries all refused events of a source once more, the longest untried first, for at most 15 seconds. Call again until `done`.")
            .scope(Scope::IngestWrite)
            .answers::<RetryRun>()
            .run(retry_all),
        Route::post("/v1/ingest/sources/retry", "run_retries")
            .about("Tries refused events whose time has come, for at most 15 seconds. Call again until `done`.")
            .scope(Scope::IngestWrite)
            .answers::<RetryRun>()
            .run(retry_due),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let found = event_source::page(call.db()?, &after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |source| source.name.clone())?;
    Answer::json(&SourcePage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&event_source::get(call.db()?, &call.path("source")?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (name, new) = (call.path::<Id>("source")?, call.body::<NewSource>()?);
    let (source, change) = event_source::put(call.db()?, &name, &new, &call.author())?;
    Ok(Answer::json(&source)?.outcome(change))
}

fn disable<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (source, change) =
        event_source::disable(call.db()?, &call.path("source")?, &call.author())?;
    Ok(Answer::json(&source)?.outcome(change))
}

fn events<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let source = inbound_event::source(call.db()?, &call.path("source")?)?;
    let (limit, after) = (call.limit()?, call.cursor::<i64>()?.unwrap_or_default());
    let more = limit.saturating_add(1);
    let found = inbound_event::page(call.db()?, &source, after, more, call.query(&STATE)?)?;
    let (items, next) = page::cut(found, limit, |(_, place)| *place)?;
    Answer::json(&InboundPage { items: items.into_iter().map(|(event, _)| event).collect(), next })
}

fn event<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let source = inbound_event::source(call.db()?, &call.path("source")?)?;
    Answer::json(&inbound_event::get(call.db()?, &source, &call.id()?)?)
}

fn retry<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let source = inbound_event::source(call.db()?, &call.path("source")?)?;
    let said = Said { another: call.text(&ANOTHER)?.is_some(), same_as: call.query(&SAME_AS)? };
    let (event, change) =
        inbound_event::retry(call.db()?, &source, &call.id()?, &said, &call.author())?;
    Ok(Answer::json(&event)?.outcome(change))
}

fn retry_all<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let goes_on = goes_on(call);
    let name: Id = call.path("source")?;
    Answer::json(&retries::all(call.db()?, &name, &call.author(), goes_on)?)
}

fn retry_due<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let goes_on = goes_on(call);
    Answer::json(&retries::due(call.db()?, &call.author(), goes_on)?)
}

/// Whether there is time left for another event.
fn goes_on<'r, D: Db>(call: &Call<'r, D>) -> impl Fn() -> bool + use<'r, D> {
    let env = call.clock();
    let until = env.unix_millis().saturating_add(BUDGET_MILLIS);
    move || env.unix_millis() < until
}
