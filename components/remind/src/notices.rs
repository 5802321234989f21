//! `/v1/remind/notices`: what debtors were written, and how far it came.

use dunlin_app::remind;
use dunlin_domain::{
    Id,
    contract::{
        keys::Scope,
        remind::{Notice, NoticePage, NoticeState},
    },
};
use dunlin_store::{Db, notice};
use dunlin_web::{Answer, Call, Problem, Query, Route, page};

const STATE: Query =
    Query::one_of("state", NoticeState::NAMES, "Only notices in this state. Absent: all.");
const CUSTOMER: Query = Query::id("customer_id", "Only this customer's. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/remind/notices", "list_notices")
            .about("Lists notices, newest day first, with their texts and items.")
            .scope(Scope::RemindRead)
            .query(&[STATE, CUSTOMER])
            .pages()
            .answers::<NoticePage>()
            .run(list),
        Route::get("/v1/remind/notices/{id}", "get_notice")
            .about("Gives a notice with its text, its items, and the rule that led to it.")
            .scope(Scope::RemindRead)
            .answers::<Notice>()
            .run(get),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let customer: Option<Id> = call.query(&CUSTOMER)?;
    let filter =
        notice::Filter { state: call.query(&STATE)?, customer: customer.as_ref(), id: None };
    let (limit, before) = (call.limit()?, call.cursor()?.unwrap_or_else(notice::last));
    let found = remind::notices(call.db()?, &before, limit.saturating_add(1), filter)?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&NoticePage { items: items.into_iter().map(|(notice, _)| notice).collect(), next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&remind::notice(call.db()?, &call.id()?)?)
}
