//! `/v1/ingest/imports`: files, read as they come and applied when they are whole.

use crate::bank;
use dunlin_app::{
    audit::Author,
    import::{self, Order, Reading, Rows, Slice},
    ledger,
};
use dunlin_domain::{
    Id, Refusal,
    contract::{
        ingest::{ImportResult, ImportState, OnError, Profile},
        keys::Scope,
    },
    profile::{self, GENERIC},
    zone,
};
use dunlin_store::Db;
use dunlin_web::{
    Answer, Call, Problem, Query, Route, Running,
    decode::{Decoder, Format},
};

/// Records in a slice: large slices touch fewer index pages twice, and this many are four megabytes of JSON.
const SLICE: u64 = 50_000;

pub(crate) const KIND: Query =
    Query::one_of("kind", bank::KINDS, "The kind of record in the file.").required();
pub(crate) const PROFILE: Query =
    Query::id("profile", "The profile that says what the columns mean. Absent: `generic`.");
pub(crate) const ON_ERROR: Query =
    Query::one_of("on_error", OnError::NAMES, "What to do when a row is bad. Absent: `reject`.");
pub(crate) const CREATE_MISSING: Query = Query::one_of(
    "create_missing",
    &["customers"],
    "Makes customers that rows name and that are not there, with their id for a name. Absent: such rows are bad.",
);

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/imports", "create_import")
            .about(
                "Takes in a file of customers, invoices, payments or bank statements. With `on_error=reject` one bad row means that \
                 nothing is stored, and the answer is a problem with the import's result beside it.",
            )
            .scope(Scope::IngestWrite)
            .query(&[KIND, PROFILE, ON_ERROR, CREATE_MISSING, bank::FORMAT])
            .streams(bank::MEDIA)
            .answers::<ImportResult>()
            .run_async(|call| Box::pin(create(call)) as Running<'_>),
        Route::get("/v1/ingest/imports/{id}", "get_import")
            .about("Says what became of an import.")
            .scope(Scope::IngestRead)
            .answers::<ImportResult>()
            .run(get),
    ]
}

/// Slices on their way from the decoder to the database. The last one stays here until the file is whole, so that a
/// small file is never staged.
struct Stage<'a, D> {
    db: &'a D,
    key: i64,
    reject: bool,
    last: Option<Slice>,
    staged: i64,
}

impl<D: Db> Stage<'_, D> {
    /// Takes a full slice out of the decoder. Where one bad row means that nothing is stored, nothing more is kept
    /// after it.
    fn take(&mut self, full: &mut profile::Slice) -> Result<(), Problem> {
        let [customers, invoices, payments] =
            [&mut full.customers, &mut full.invoices, &mut full.payments].map(profile::Rows::take);
        let before = self.last.replace(Slice { customers, invoices, payments });
        match before {
            Some(before) if !(self.reject && full.has_errors()) => self.put(&before),
            _ => Ok(()),
        }
    }

    fn put(&mut self, slice: &Slice) -> Result<(), Problem> {
        import::stage(self.db, self.key, self.staged, slice)?;
        self.staged = self.staged.saturating_add(1);
        Ok(())
    }
}

async fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    if let Some(answer) = bank::create(call).await? {
        return Ok(answer);
    }
    let order = order(call)?;
    let profile = profile_named(call, &order.profile)?;
    let format = if call.media() == Some("text/csv") { Format::Csv } else { Format::Ndjson };
    let mut decoder = Decoder::new(format, &profile, order.kind, zone::is_known, SLICE)?;
    let db = call.db()?;
    let key = import::start(db, &order, call.now())?;
    let reject = order.on_error == OnError::Reject;
    let mut stage = Stage { db, key, reject, last: None, staged: 0 };
    if let Err(problem) = read(call, &mut decoder, &mut stage).await {
        import::abandon(db, &order, key, call.env().now())?;
        return Err(problem);
    }
    let read = decoder.into_slice();
    let reading = Reading {
        received: read.received,
        errors: read.errors,
        more_errors: read.more_errors,
        bad: read.refused,
    };
    let last = stage.last.take().unwrap_or_default();
    if stage.staged > 0 {
        stage.put(&last)?;
    }
    let rows = if stage.staged > 0 { Rows::Staged(stage.staged) } else { Rows::Here(&last) };
    let author = Author { at: call.env().now(), ..call.author() };
    answer(&import::apply(db, &order, key, rows, &reading, &author)?)
}

/// Reads the body to its end. Between two chunks others get their turn, and no transaction is open.
async fn read<D: Db>(
    call: &mut Call<'_, D>,
    decoder: &mut Decoder,
    stage: &mut Stage<'_, D>,
) -> Result<(), Problem> {
    while let Some(chunk) = call.next().await {
        decoder.feed(&chunk?, &mut |full| stage.take(full))?;
    }
    decoder.finish(&mut |full| stage.take(full))
}

fn order<D: Db>(call: &Call<'_, D>) -> Result<Order, Problem> {
    let absent = || Problem::internal("a required parameter is absent");
    Ok(Order {
        id: call.new_id()?,
        kind: call.query(&KIND)?.ok_or_else(absent)?,
        profile: call.query(&PROFILE)?.map_or_else(|| GENERIC.parse(), Ok)?,
        on_error: call.query(&ON_ERROR)?.unwrap_or(OnError::Reject),
        create_customers: call.text(&CREATE_MISSING)?.is_some(),
    })
}

fn profile_named<D: Db>(call: &Call<'_, D>, name: &Id) -> Result<Profile, Problem> {
    if name.as_str() == GENERIC {
        return Ok(Profile::generic());
    }
    ledger::profile(call.db()?, name).map_err(|_| {
        Problem::new(Refusal::UnknownProfile, "no profile has this name").at(PROFILE.name)
    })
}

/// The result; of a file that was rejected a problem that has the result's members beside its own.
fn answer(result: &ImportResult) -> Result<Answer, Problem> {
    let rows = result.accepted;
    if result.state != ImportState::Rejected {
        return Ok(Answer::json(result)?.rows(rows));
    }
    let listed = u64::try_from(result.errors.len()).unwrap_or(u64::MAX);
    let errors = listed.saturating_add(result.more_errors);
    let detail = format!("errors in {} records: {errors}; nothing was stored", result.received);
    Err(Problem::new(Refusal::ImportRejected, detail).beside(result))
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    if let Some(result) = dunlin_app::bank::imported(call.db()?, &call.id()?)? {
        return Answer::json(&result);
    }
    Answer::json(&import::get(call.db()?, &call.id()?)?)
}
