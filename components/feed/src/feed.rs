//! `/v1/ingest/events`: everything that happened, in one order.

use dunlin_app::event;
use dunlin_domain::{
    Refused,
    contract::{events::EventFeed, keys::Scope},
    event::{Place, check_kinds},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, LIMIT, Problem, Query, Route};

const AFTER: Query = Query::text(
    "after",
    80,
    "The id of the last event you have, or `next`. Absent: from the beginning.",
);
const KINDS: Query = Query::text(
    "kinds",
    1000,
    "Only these, with commas between: kinds such as `invoice.created`, or a noun with a star such as `invoice.*`. Absent: all.",
);
const CUSTOMER: Query = Query::id("customer_id", "Only this customer's. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/events", "list_events")
            .about("Lists what happened, oldest first, each with the same id and content every time. Give `next` as `after` to go on.")
            .scope(Scope::IngestRead)
            .query(&[AFTER, LIMIT, KINDS, CUSTOMER])
            .answers::<EventFeed>()
            .run(list),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let after: Place = call.query(&AFTER)?.unwrap_or(Place::FIRST);
    let kinds = call.text(&KINDS)?.unwrap_or_default().split(',').map(str::trim);
    let kinds: Vec<String> = kinds.filter(|kind| !kind.is_empty()).map(str::to_string).collect();
    check_kinds(&kinds).map_err(|refused: Refused| {
        Problem::new(dunlin_domain::Refusal::MalformedParameter, refused.detail).at("kinds")
    })?;
    let limit = usize::try_from(call.limit()?).unwrap_or(usize::MAX);
    let customer = call.query(&CUSTOMER)?;
    Answer::json(&event::feed(call.db()?, after, limit, &kinds, customer.as_ref())?)
}
