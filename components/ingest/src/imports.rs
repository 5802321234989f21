//! `/v1/ingest/imports`: files, read as they come and applied when they are whole.

use crate::statement;
use dunlin_app::{
    audit::Author,
    import::{self, Begun, Checkpoint, Options, Order, Reading, Rows, Run, Slice, Work},
    ledger::{self, Change},
};
use dunlin_domain::{
    Currency, Id, Instant, Refusal,
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
    decode::{Decoder, FileHash, Format, Reached},
};

/// Records in a slice where the variable `import_slice` says nothing: large slices touch fewer index pages twice, and
/// this many are four megabytes of JSON.
const SLICE: u64 = 50_000;

/// After so many seconds without a full slice an import says that it still works: a third of its lease.
const RENEW_SECONDS: i64 = 20;

const KIND: Query =
    Query::one_of("kind", statement::KINDS, "The kind of record in the file.").required();
const PROFILE: Query =
    Query::id("profile", "The profile that says what the columns mean. Absent: `generic`.");
const ON_ERROR: Query =
    Query::one_of("on_error", OnError::NAMES, "What to do when a row is bad. Absent: `reject`.");
const CREATE_MISSING: Query = Query::one_of(
    "create_missing",
    &["customers"],
    "Makes customers that rows name and that are not there, with their id for a name. Absent: such rows are bad.",
);

const ID: Query = Query::id(
    "id",
    "Names the import, so that the same file sent again goes on where this one was cut. Absent: made by Dunlin.",
);
const CURRENCY: Query = Query::text(
    "currency",
    3,
    "The currency of amounts that have none beside them, such as `EUR`. Absent: every row has to say it.",
);

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/imports", "create_import")
            .about(
                "Takes in a file of customers, invoices, payments or bank statements. With `on_error=reject` one bad row means that \
                 nothing is stored, and the answer is a problem with the import's result beside it.",
            )
            .scope(Scope::IngestWrite)
            .query(&[KIND, PROFILE, ON_ERROR, CREATE_MISSING, CURRENCY, ID, statement::FORMAT])
            .streams(statement::MEDIA)
            .answers::<ImportResult>()
            .run_async(|call| Box::pin(create(call)) as Running<'_>),
    ]
}

/// Slices on their way from the decoder to the database. What is left when the file is whole stays here, so that a
/// small file is never staged.
struct Stage<'a, D> {
    db: &'a D,
    run: Run,
    reject: bool,
    /// Whether the client can come back to the import when it is cut.
    named: bool,
    now: &'a dyn Fn() -> Instant,
    /// When the lease was taken or renewed.
    held: Instant,
    checkpoint: Checkpoint,
}

impl<D: Db> Stage<'_, D> {
    /// Takes a full slice out of the decoder. Where one bad row means that nothing is stored, no row is kept after it;
    /// what was found of it is.
    fn put(&mut self, full: &mut profile::Slice, reached: &Reached) -> Result<(), Problem> {
        let lost = self.reject && full.has_errors();
        let slice = taken(full);
        if lost && !self.named {
            return Ok(());
        }
        let slice = if lost { Slice::default() } else { slice };
        let before = self.checkpoint.errors;
        self.checkpoint = Checkpoint {
            slices: self.checkpoint.slices.saturating_add(1),
            bytes: reached.bytes,
            rows: reached.rows,
            hash: reached.hash.hex(),
            received: full.received,
            refused: full.refused,
            errors: full.errors.len(),
            more_errors: full.more_errors,
        };
        self.held = (self.now)();
        let errors = full.errors.get(before..).unwrap_or_default();
        Ok(import::stage(self.db, self.run, &slice, &self.checkpoint, errors, self.held)?)
    }

    /// Says that the import still works, when it is time to.
    fn renew(&mut self) -> Result<(), Problem> {
        let now = (self.now)();
        if now >= self.held.plus_seconds(RENEW_SECONDS) {
            self.held = now;
            import::renew(self.db, self.run, now)?;
        }
        Ok(())
    }
}

fn taken(full: &mut profile::Slice) -> Slice {
    let [customers, invoices, payments] =
        [&mut full.customers, &mut full.invoices, &mut full.payments].map(profile::Rows::take);
    Slice { customers, invoices, payments }
}

async fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    if call.text(&statement::FORMAT)?.is_some() {
        let detail = "a format is for bank statements; the Content-Type says how rows are written";
        return Err(Problem::new(Refusal::UnknownParameter, detail).at(statement::FORMAT.name));
    }
    let format = match call.media().unwrap_or_default() {
        "text/csv" => Format::Csv,
        "application/x-ndjson" => Format::Ndjson,
        _ => {
            let detail = "rows come as text/csv or application/x-ndjson";
            return Err(Problem::new(Refusal::UnsupportedMediaType, detail));
        }
    };
    let order = order(call)?;
    let named = call.text(&ID)?.is_some();
    let profile = profile_named(call, &order.profile)?;
    let currency = call.query::<Currency>(&CURRENCY)?;
    let decoder = Decoder::with_currency(
        format,
        &profile,
        order.kind,
        currency,
        zone::is_known,
        slice_records(call)?,
    )?;
    let options = options(call, &profile)?;
    let work = match import::begin(call.db()?, &order, &options, call.now())? {
        Begun::Work(work) => *work,
        Begun::Applied(result, file_hash) => {
            return again(call, &result, file_hash.as_deref()).await;
        }
    };
    let run = work.run;
    let tells_void = profile::tells_void(&profile);
    let done = receive(call, &order, decoder, work, (named, tells_void)).await;
    if let Err(problem) = &done {
        let (db, at) = (call.db()?, call.env().now());
        if named && may_go_on(problem.code()) {
            import::suspend(db, run, at)?;
        } else if problem.code() != Refusal::ImportRejected {
            import::abandon(db, &order, run, at)?;
        }
    }
    done
}

/// Whether an import that ended so may be gone on with: what was staged of it is sound.
fn may_go_on(code: Refusal) -> bool {
    use Refusal::{BodyIncomplete, DatabaseBusy, DifferentContent, ImportRunning, Internal};
    matches!(code, BodyIncomplete | DatabaseBusy | DifferentContent | ImportRunning | Internal)
}

/// Reads the file to its end and applies it.
async fn receive<D: Db>(
    call: &mut Call<'_, D>,
    order: &Order,
    decoder: Decoder,
    work: Work,
    (named, tells_void): (bool, bool),
) -> Result<Answer, Problem> {
    let db = call.db()?;
    let Work { run, checkpoint, errors } = work;
    let mut found = profile::Slice::default();
    found.latest = Some(ledger::today(db, call.now())?);
    found.errors = errors;
    found.more_errors = checkpoint.more_errors;
    found.received = checkpoint.received;
    found.refused = checkpoint.refused;
    let mut decoder = decoder.go_on(checkpoint.bytes, checkpoint.rows, &checkpoint.hash, found);
    let reject = order.on_error == OnError::Reject;
    let env = call.clock();
    let now = move || env.now();
    let mut stage = Stage { db, run, reject, named, now: &now, held: call.now(), checkpoint };
    // Between two chunks others get their turn, and no transaction is open.
    while let Some(chunk) = call.next().await {
        stage.renew()?;
        decoder.feed(&chunk?, &mut |full, reached| stage.put(full, reached))?;
    }
    let mut last = Slice::default();
    decoder.finish(&mut |full, _: &Reached| {
        last = taken(full);
        Ok::<(), Problem>(())
    })?;
    let file_hash = Some(decoder.reached().hash.hex());
    let read = decoder.into_slice();
    let reading = Reading {
        received: read.received,
        errors: read.errors,
        more_errors: read.more_errors,
        bad: read.refused,
        file_hash,
        tells_void,
    };
    let rows = Rows { staged: stage.checkpoint.slices, last: &last };
    let author = Author { at: call.env().now(), ..call.author() };
    answer(&import::apply(db, order, run, rows, &reading, &author)?)
}

/// The result of an import that was applied before, if this is its file.
async fn again<D: Db>(
    call: &mut Call<'_, D>,
    result: &ImportResult,
    file_hash: Option<&str>,
) -> Result<Answer, Problem> {
    let mut file = FileHash::default();
    while let Some(chunk) = call.next().await {
        file.update(&chunk?);
    }
    import::same_file(file_hash, &file.hex())?;
    Ok(answer(result)?.outcome(Change::AlreadySo))
}

/// What decides how the rows of the file are taken, by name.
fn options<D: Db>(call: &Call<'_, D>, profile: &Profile) -> Result<Options, Problem> {
    let mut options = Options::new();
    for parameter in [&KIND, &PROFILE, &ON_ERROR, &CREATE_MISSING, &CURRENCY] {
        if let Some(value) = call.text(parameter)? {
            options.insert(parameter.name.to_string(), value.to_string());
        }
    }
    options.insert("content-type".to_string(), call.media().unwrap_or_default().to_string());
    if profile.name.as_str() != GENERIC {
        let mut hash = FileHash::default();
        let document = serde_json::to_vec(profile);
        hash.update(&document.map_err(|e| Problem::internal(format!("a profile: {e}")))?);
        options.insert("profile".to_string(), format!("{} {}", profile.name, hash.hex()));
    }
    Ok(options)
}

/// How many records are in a slice.
fn slice_records<D: Db>(call: &Call<'_, D>) -> Result<u64, Problem> {
    let Some(text) = call.variable("import_slice") else { return Ok(SLICE) };
    let refused = |_| {
        let detail = "the variable import_slice is not a number of records";
        Problem::new(Refusal::NotConfigured, detail)
    };
    text.trim().parse().map_err(refused)
}

fn order<D: Db>(call: &Call<'_, D>) -> Result<Order, Problem> {
    let absent = || Problem::internal("a required parameter is absent");
    Ok(Order {
        id: call.query(&ID)?.map_or_else(|| call.new_id(), Ok)?,
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
    if let Some(shipped) = profile::shipped(name.as_str()) {
        return Ok(shipped);
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
