//! `/v1/ingest/audit` and `/v1/ingest/verification`: who did what, and whether the books hold.

use dunlin_app::{audit, verify};
use dunlin_domain::contract::{
    keys::Scope,
    ledger::{AuditPage, ReplayPage, Verification},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Media, Problem, Query, Route, page};

const AFTER: Query = Query::whole(
    "after",
    0,
    u32::MAX,
    "The key of the last entry you have, for exports that go on. Absent: from the first entry, or from the cursor.",
);

const NOUN: Query = Query::text(
    "noun",
    40,
    "Only entries about this kind of thing, such as `invoice`. Absent: about all.",
);
const SUBJECT: Query =
    Query::text("id", 200, "Only entries about what has this id. Absent: about all.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/audit", "list_audit_entries")
            .about("Lists who did what, oldest first. Each entry has the hash of the one before.")
            .scope(Scope::Admin)
            .query(&[AFTER, NOUN, SUBJECT])
            .pages()
            .answers::<AuditPage>()
            .ndjson()
            .run(list),
        Route::get("/v1/ingest/verification", "get_verification")
            .about(
                "Checks the whole of the books and works out every hash of the audit chain again.",
            )
            .scope(Scope::Admin)
            .answers::<Verification>()
            .run(verification),
        Route::get("/v1/ingest/verification/replay", "get_replay")
            .about(
                "Works out the allocations of the next customers again, and lists what is stored otherwise. Writes \
                 nothing.",
            )
            .scope(Scope::Admin)
            .pages()
            .answers::<ReplayPage>()
            .run(replay),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.whole(&AFTER)?.map(u64::from));
    let after = call.cursor()?.or(after).unwrap_or_default();
    let noun = call.text(&NOUN)?.map(str::to_string);
    let id = call.text(&SUBJECT)?.map(str::to_string);
    let more = limit.saturating_add(1);
    let found = audit::entries_of(call.db()?, after, more, noun.as_deref(), id.as_deref())?;
    let (items, next) = page::cut(found, limit, |entry| entry.key)?;
    if call.wants() == Media::Ndjson {
        return Ok(Answer::ndjson(&items)?.paged(next));
    }
    Answer::json(&AuditPage { items, next })
}

fn verification<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&verify::books(call.db()?)?)
}

fn replay<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or_default());
    let (page, next) = verify::replayed(call.db()?, after, limit)?;
    let next = next.map(|last| page::encode(&last)).transpose()?;
    Answer::json(&ReplayPage { next, ..page })
}
