//! `/v1/ingest/events/{source}`: deliveries, which are signed and need no key.

use dunlin_app::{audit::Author, event_source, inbound_event, ledger::Change};
use dunlin_domain::{
    Id, Refusal,
    contract::events::{InboundEvent, InboundState},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route, signature};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/events/{source}", "receive_event")
            .about("Takes an event of a source. Its signature takes the place of a key. 200 says that it was applied, 202 that it is kept: nothing is made of its kind, or the ledger refused what would be.")
            .signed()
            .takes::<serde_json::Value>()
            .answers::<InboundEvent>()
            .run(receive),
    ]
}

fn receive<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    // A name that cannot be one is answered like one that is not known.
    let name: Id = call.path("source").map_err(|_| signature::refused())?;
    let found = event_source::expected(call.db()?, &name, call.now())?;
    let (source, expected) = found.ok_or_else(signature::refused)?;
    let variable = expected.secret_variable.as_ref().and_then(|name| call.variable(name));
    let secrets: Vec<String> = expected.secrets.iter().cloned().chain(variable).collect();
    let header_id =
        signature::check(&expected, &secrets, |name| call.header(name), call.bytes(), call.now())?;
    let body = std::str::from_utf8(call.bytes())
        .map_err(|_| Problem::new(Refusal::WrongEncoding, "the body is not UTF-8"))?;
    let author = Author { who: format!("source/{name}"), ..call.author() };
    let (event, change) = inbound_event::receive(call.db()?, &source, header_id, body, &author)?;
    let status = match (change, event.state) {
        (Change::AlreadySo, _) | (_, InboundState::Applied) => 200,
        _ => 202,
    };
    Ok(Answer::json(&event)?.outcome(change).status(status))
}
