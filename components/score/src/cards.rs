//! `/v1/score/cards` and `/v1/score/what-if`: how facts become scores.

use crate::{LANGUAGE, language};
use dunlin_app::card;
use dunlin_domain::contract::{
    keys::Scope,
    score::{Card, CardDocument, CardPage, CardPublication, ScoreCard, WhatIf},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route, page};

const VERSION: Query = Query::whole(
    "version",
    1,
    1_000_000,
    "Which version. Absent: the draft, or else the newest version.",
);

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/cards", "list_cards")
            .about("Lists the cards that were written: a draft and then its versions, the newest first.")
            .scope(Scope::ScoreRead)
            .pages()
            .answers::<CardPage>()
            .run(list),
        Route::get("/v1/score/cards/{name}", "get_card")
            .about("Gives a card. `card`, version 1, ships with Dunlin.")
            .scope(Scope::ScoreRead)
            .query(&[VERSION])
            .answers::<Card>()
            .run(get),
        Route::put("/v1/score/cards/{name}", "put_card")
            .about("Writes the draft of a card, which judges nobody until it is published.")
            .scope(Scope::ScoreWrite)
            .takes::<CardDocument>()
            .answers::<Card>()
            .run(put),
        Route::post("/v1/score/cards/{name}/publish", "publish_card")
            .about("Makes the draft the next version of the card, which never changes and judges from a day on.")
            .scope(Scope::ScoreWrite)
            .takes::<CardPublication>()
            .answers::<Card>()
            .run(publish),
        Route::post("/v1/score/what-if", "ask_what_if")
            .about("Gives the card that other facts or another card would make. Nothing is stored.")
            .scope(Scope::ScoreRead)
            .query(&[LANGUAGE])
            .takes::<WhatIf>()
            .answers::<ScoreCard>()
            .run(what_if),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let found = card::page(call.db()?, &after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&CardPage { items: items.into_iter().map(|(card, _)| card).collect(), next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&card::get(call.db()?, &call.path("name")?, call.whole(&VERSION)?)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let name = call.path("name")?;
    let change = card::put(call.db()?, &name, &call.body()?, &call.author())?;
    Ok(Answer::json(&card::get(call.db()?, &name, None)?)?.outcome(change))
}

fn publish<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let name = call.path("name")?;
    let change = card::publish(call.db()?, &name, &call.body()?, &call.author())?;
    Ok(Answer::json(&card::get(call.db()?, &name, None)?)?.outcome(change))
}

fn what_if<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let language = language(call)?;
    Answer::json(&card::what_if(call.db()?, &call.body()?, call.now(), language)?)
}
