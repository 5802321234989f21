//! `/v1/ingest/matches`: what the entries of bank statements were taken for, and what waits for somebody.

use dunlin_app::{bank, ledger::Change};
use dunlin_domain::contract::{
    bank::{BankMatch, Confirmation, MatchPage, MatchState, Rejection},
    keys::Scope,
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route, page};

const STATE: Query =
    Query::one_of("state", MatchState::NAMES, "Only matches in this state. Absent: all.");

const UNBOOKED: Query = Query::flag(
    "unbooked",
    "Whether to give booked credits alone of which some was a mistake, or corrected away, since.",
);

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/matches", "list_matches")
            .about("Lists entries of bank statements with what they were taken for, oldest first.")
            .scope(Scope::IngestRead)
            .query(&[STATE, UNBOOKED])
            .pages()
            .answers::<MatchPage>()
            .run(list),
        Route::get("/v1/ingest/matches/{id}", "get_match")
            .about("Gives an entry of a bank statement, its candidates, and why each was thought of.")
            .scope(Scope::IngestRead)
            .answers::<BankMatch>()
            .run(get),
        Route::post("/v1/ingest/matches/{id}/confirm", "confirm_match")
            .about("Says what an entry is. Its payment is booked, and the payer's account is known from then on.")
            .scope(Scope::IngestWrite)
            .takes::<Confirmation>()
            .answers::<BankMatch>()
            .run(confirm),
        Route::post("/v1/ingest/matches/{id}/reject", "reject_match")
            .about("Says that an entry is none of its candidates. It stays and can be confirmed later.")
            .scope(Scope::IngestWrite)
            .takes::<Rejection>()
            .answers::<BankMatch>()
            .run(reject),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let of = (call.query(&STATE)?, call.flag(&UNBOOKED)?);
    let found = bank::matches(call.db()?, after, limit.saturating_add(1), of)?;
    let (items, next) = page::cut(found, limit, |(key, _)| *key)?;
    Answer::json(&MatchPage { items: items.into_iter().map(|(_, of)| of).collect(), next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&bank::get(call.db()?, &call.id()?)?)
}

fn confirm<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: Confirmation = call.body()?;
    let change = bank::confirm(call.db()?, &call.id()?, &new, &call.author())?;
    now(call, change)
}

fn reject<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: Rejection = call.body()?;
    let change = bank::reject(call.db()?, &call.id()?, &new, &call.author())?;
    now(call, change)
}

/// The match as it is now, and whether it changed.
fn now<D: Db>(call: &Call<'_, D>, change: Change) -> Result<Answer, Problem> {
    Ok(Answer::json(&bank::get(call.db()?, &call.id()?)?)?.outcome(change))
}
