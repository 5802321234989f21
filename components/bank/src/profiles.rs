//! `/v1/ingest/profiles`: how the columns of a source become records.

use dunlin_app::ledger;
use dunlin_domain::{
    Refusal,
    contract::{
        ingest::{Profile, ProfilePage},
        keys::Scope,
    },
    profile::{self, GENERIC, SHIPPED, shipped},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/profiles", "list_profiles")
            .about("Lists the profiles by name: those that ship and those that were stored. `generic` is not among them.")
            .scope(Scope::IngestRead)
            .pages()
            .answers::<ProfilePage>()
            .run(list),
        Route::get("/v1/ingest/profiles/{name}", "get_profile")
            .about("Gives a profile, also one that ships, and the built-in `generic`.")
            .scope(Scope::IngestRead)
            .answers::<Profile>()
            .run(get),
        Route::put("/v1/ingest/profiles/{name}", "put_profile")
            .about("Stores a profile under its name, in place of what was there. `generic` and the profiles that ship \
                    cannot be replaced.")
            .scope(Scope::IngestWrite)
            .takes::<Profile>()
            .answers::<Profile>()
            .run(put),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let mut found = ledger::profiles(call.db()?, &after, limit.saturating_add(1))?;
    // Both lists are in the order of names and as long as the page, so that the page is right.
    let behind = SHIPPED.iter().filter(|name| **name > after.as_str());
    found.extend(behind.filter_map(|name| shipped(name)));
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1));
    let (items, next) = page::cut(found, limit, |profile| profile.name.clone())?;
    Answer::json(&ProfilePage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let name: dunlin_domain::Id = call.path("name")?;
    if name.as_str() == GENERIC {
        return Answer::json(&Profile::generic());
    }
    if let Some(profile) = shipped(name.as_str()) {
        return Answer::json(&profile);
    }
    Answer::json(&ledger::profile(call.db()?, &name)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (name, new) = (call.path::<dunlin_domain::Id>("name")?, call.body::<Profile>()?);
    let built_in = name.as_str() == GENERIC || SHIPPED.contains(&name.as_str());
    if name != new.name || built_in {
        let detail =
            "the name in the body is the name in the URL, and not that of a built-in profile";
        return Err(Problem::new(Refusal::InvalidProfile, detail).at("name"));
    }
    profile::check(&new)?;
    let change = ledger::put_profile(call.db()?, &new, &call.author())?;
    Ok(Answer::json(&new)?.outcome(change))
}
