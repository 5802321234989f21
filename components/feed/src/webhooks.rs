//! `/v1/ingest/webhooks`: whoever follows along is told what happens.

use dunlin_app::{inbound_event, webhook as flows};
use dunlin_domain::{
    Refusal,
    contract::{
        events::{
            DeadLetterPage, NewWebhook, Redelivered, Redelivery, Webhook, WebhookPage, WebhookRun,
        },
        keys::Scope,
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route, Running, page, signature, webhook};

/// How long one run lasts: below the time that schedulers and edge hosts give a request.
const BUDGET_MILLIS: u64 = 15_000;

/// The variables with the origins that may be called.
pub(crate) const ORIGINS: [&str; 3] = ["webhook_origin", "webhook_origin_2", "webhook_origin_3"];

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/webhooks", "list_webhooks")
            .about("Lists webhooks by name, without their secrets.")
            .scope(Scope::IngestRead)
            .pages()
            .answers::<WebhookPage>()
            .run(list),
        Route::get("/v1/ingest/webhooks/{name}", "get_webhook")
            .about("Gives a webhook, how far it has come, and how many events wait.")
            .scope(Scope::IngestRead)
            .answers::<Webhook>()
            .run(get),
        Route::put("/v1/ingest/webhooks/{name}", "put_webhook")
            .about("Has events sent to a URL, or replaces how. A new webhook begins with what happens next, unless it says where.")
            .scope(Scope::Admin)
            .takes::<NewWebhook>()
            .answers::<Webhook>()
            .run(put),
        Route::delete("/v1/ingest/webhooks/{name}", "remove_webhook")
            .about("Sends nothing more, and forgets what was on its way.")
            .scope(Scope::Admin)
            .answers::<Webhook>()
            .run(remove),
        Route::get("/v1/ingest/webhooks/{name}/dead-letters", "list_dead_letters")
            .about("Lists events that the receiver did not take in nine tries, oldest first, and how many wait behind each.")
            .scope(Scope::IngestRead)
            .pages()
            .answers::<DeadLetterPage>()
            .run(dead_letters),
        Route::post("/v1/ingest/webhooks/{name}/redeliver", "redeliver_dead_letters")
            .about("Has dead letters tried again from the beginning, or gives them up so that what waits behind them goes on.")
            .scope(Scope::IngestWrite)
            .takes::<Redelivery>()
            .answers::<Redelivered>()
            .run(redeliver),
        Route::post("/v1/ingest/webhooks/deliver", "run_webhooks")
            .about("Sends events that are due, for at most 15 seconds. Call again until `done`.")
            .scope(Scope::IngestWrite)
            .answers::<WebhookRun>()
            .run_async(|call| Box::pin(deliver(call)) as Running<'_>),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let found = flows::page(call.db()?, &after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |of| of.name.clone())?;
    Answer::json(&WebhookPage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&flows::get(call.db()?, &call.path("name")?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewWebhook = call.body()?;
    let name: dunlin_domain::Id = call.path("name")?;
    let refused = |field: &str, detail: &str| {
        Err(Problem::new(Refusal::MalformedField, detail.to_string()).at(field))
    };
    if name.as_str() == "deliver" {
        return refused("name", "`deliver` is a function; choose another name");
    }
    if !may_be_called(call, &new.url) {
        let detail = "a URL begins with the value of webhook_origin, webhook_origin_2 or webhook_origin_3, which is \
                      https, or http on this machine";
        return refused("url", detail);
    }
    let usable = |secret: &String| signature::standard_secret(secret).is_some();
    if !new.secret.as_ref().is_none_or(usable) {
        return refused("secret", "the secret is `whsec_` and base64 of 24 to 64 bytes");
    }
    let (webhook, change) = flows::put(call.db()?, &name, &new, &call.author())?;
    Ok(Answer::json(&webhook)?.outcome(change))
}

/// Whether the URL lies below one of the origins that the manifest grants.
fn may_be_called<D: Db>(call: &Call<'_, D>, url: &str) -> bool {
    let safe = url.starts_with("https://")
        || ["http://127.0.0.1", "http://localhost", "http://[::1]"]
            .iter()
            .filter_map(|local| url.strip_prefix(local))
            .any(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    let visible = url.len() <= 500 && url.bytes().all(|byte| byte.is_ascii_graphic());
    let origins = ORIGINS.iter().filter_map(|name| call.variable(name));
    let below = |origin: String| {
        let origin = origin.trim_end_matches('/');
        !origin.is_empty()
            && url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    safe && visible && origins.into_iter().any(below)
}

fn remove<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&flows::remove(call.db()?, &call.path("name")?, &call.author())?)
}

fn dead_letters<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<i64>()?.unwrap_or_default());
    let name = call.path("name")?;
    let found = flows::dead_letters(call.db()?, &name, after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(_, place)| *place)?;
    let items = items.into_iter().map(|(letter, _)| letter).collect();
    Answer::json(&DeadLetterPage { items, next })
}

fn redeliver<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let asked: Redelivery = call.body()?;
    let events = flows::redeliver(call.db()?, &call.path("name")?, &asked, &call.author())?;
    Answer::json(&Redelivered { events })
}

async fn deliver<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let until = call.env().unix_millis().saturating_add(BUDGET_MILLIS);
    inbound_event::forget_old_bodies(call.db()?, call.now())?;
    let (sent, done) = webhook::send_until(call, until).await?;
    let (retried, dead) = (sent.retried, sent.dead);
    Answer::json(&WebhookRun { done, sent: sent.sent, retried, dead })
}
