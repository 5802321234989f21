//! `/v1/score/alerts`: warnings.

use crate::LANGUAGE;
use dunlin_app::score;
use dunlin_domain::{
    Id,
    contract::{
        keys::Scope,
        score::{AlertPage, AlertState},
    },
};
use dunlin_store::{Db, alert};
use dunlin_web::{AS_OF, Answer, Call, Problem, Query, Route, page};

const STATE: Query =
    Query::one_of("state", AlertState::NAMES, "Only alerts in this state on the day. Absent: all.");
const CUSTOMER: Query = Query::id("customer_id", "Only this customer's. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/alerts", "list_alerts")
            .about("Lists warnings, newest first, as they stood on the day: what, why, and what to do.")
            .scope(Scope::ScoreRead)
            .query(&[STATE, CUSTOMER, AS_OF, LANGUAGE])
            .pages()
            .answers::<AlertPage>()
            .run(list),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let customer: Option<Id> = call.query(&CUSTOMER)?;
    let filter =
        alert::Filter { state: call.query(&STATE)?, customer: customer.as_ref(), day: call.day()? };
    let (limit, before) =
        (call.limit()?, call.cursor()?.unwrap_or_else(dunlin_store::notice::last));
    let found = score::alerts(
        call.db()?,
        &before,
        limit.saturating_add(1),
        filter,
        call.query(&LANGUAGE)?,
    )?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&AlertPage { items: items.into_iter().map(|(alert, _)| alert).collect(), next })
}
