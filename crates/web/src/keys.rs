//! `/v1/ingest/keys`: who may call what.

use crate::{Answer, Call, Problem, Route, page};
use dunlin_app::key;
use dunlin_domain::contract::keys::{IssuedKey, Key, KeyPage, NewKey, Scope};
use dunlin_store::Db;

/// The functions of keys, for the component that serves them.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/keys", "create_key")
            .about("Makes a key. The token is shown in this answer and never again.")
            .scope(Scope::Admin)
            .takes::<NewKey>()
            .answers::<IssuedKey>()
            .status(201)
            .secret()
            .run(create),
        Route::get("/v1/ingest/keys", "list_keys")
            .about("Lists keys without their secrets, oldest first.")
            .scope(Scope::Admin)
            .pages()
            .answers::<KeyPage>()
            .run(list),
        Route::post("/v1/ingest/keys/{id}/revoke", "revoke_key")
            .about("Revokes a key. It is refused from the next request on; revoking it again changes nothing.")
            .scope(Scope::Admin)
            .answers::<Key>()
            .run(revoke),
        Route::post("/v1/ingest/keys/{id}/rotate", "rotate_key")
            .about("Gives a key another secret. The old token is refused from the next request on.")
            .scope(Scope::Admin)
            .answers::<IssuedKey>()
            .secret()
            .run(rotate),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewKey = call.body()?;
    let author = call.author();
    Answer::created(&key::create(call.db()?, &new, call.new_id()?, &call.new_secret(), &author)?)
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let limit = call.limit()?;
    let found = key::list(call.db()?, call.cursor()?.unwrap_or(0), limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(place, _)| *place)?;
    Answer::json(&KeyPage { items: items.into_iter().map(|(_, key)| key).collect(), next })
}

fn revoke<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&key::revoke(call.db()?, &call.id()?, &call.author())?)
}

fn rotate<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&key::rotate(call.db()?, &call.id()?, &call.new_secret(), &call.author())?)
}
