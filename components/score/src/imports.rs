//! `/v1/score/imports`: files of what others say, taken in slice by slice.

use dunlin_app::{
    audit::Author,
    external::{Taken, take_in},
    import::MAX_LISTED,
};
use dunlin_domain::{
    Id, Refusal, Refused,
    contract::{
        external::{
            ExternalImportResult, ExternalKind, ExternalScore, FinancialStatement, PublicRecord,
        },
        ingest::RowError,
        keys::Scope,
    },
    external::External,
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route, Running, decode::Lines, json};

/// Records in one transaction: few enough that nobody waits long for the lock.
const SLICE: usize = 1_000;

const KIND: Query =
    Query::one_of("kind", ExternalKind::NAMES, "The kind of record in the file.").required();

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/score/imports", "create_external_import")
            .about(
                "Takes in a file of what others say of customers, one record a line. Lines at fault are left out and \
                 named; the rest is recorded slice by slice, so that a file may be sent again.",
            )
            .scope(Scope::ScoreWrite)
            .query(&[KIND])
            .streams(&["application/x-ndjson"])
            .answers::<ExternalImportResult>()
            .run_async(|call| Box::pin(create(call)) as Running<'_>),
    ]
}

async fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let absent = || Problem::internal("a required parameter is absent");
    let result = match call.query(&KIND)?.ok_or_else(absent)? {
        ExternalKind::Financials => receive::<_, FinancialStatement>(call).await?,
        ExternalKind::ExternalScores => receive::<_, ExternalScore>(call).await?,
        ExternalKind::PublicRecords => receive::<_, PublicRecord>(call).await?,
    };
    Ok(Answer::json(&result)?.rows(result.accepted))
}

async fn receive<D: Db, T: External>(
    call: &mut Call<'_, D>,
) -> Result<ExternalImportResult, Problem> {
    let (db, import) = (call.db()?, call.new_id()?);
    let (mut lines, mut file) = (Lines::default(), File::<T>::new());
    // Between two chunks others get their turn, and no transaction is open.
    while let Some(chunk) = call.next().await {
        lines.feed(&chunk?, &mut |row, line| file.line(row, line));
        if file.rows.len() >= SLICE {
            file.take_in(db, &import, &call.author())?;
        }
    }
    lines.finish(&mut |row, line| file.line(row, line));
    file.take_in(db, &import, &call.author())?;
    if file.result.received == 0 {
        return Err(Problem::new(Refusal::EmptyBody, "the file has no records"));
    }
    file.result.errors.sort_by_key(|error| error.row);
    Ok(file.result)
}

/// What was read and not yet recorded, and what came of the rest.
struct File<T> {
    rows: Vec<(u64, T)>,
    result: ExternalImportResult,
}

impl<T: External> File<T> {
    fn new() -> Self {
        let result = ExternalImportResult {
            received: 0,
            accepted: 0,
            unchanged: 0,
            rejected: 0,
            errors: Vec::new(),
        };
        Self { rows: Vec::new(), result }
    }

    fn line(&mut self, row: u64, line: Result<&[u8], Refused>) {
        self.result.received = self.result.received.saturating_add(1);
        match line.map_err(Problem::from).and_then(json::decode) {
            Ok(record) => self.rows.push((row, record)),
            Err(problem) => self.refuse(RowError {
                row,
                field: problem.field().map(str::to_string),
                code: problem.code(),
                detail: problem.detail().to_string(),
            }),
        }
    }

    fn take_in<D: Db>(&mut self, db: &D, import: &Id, author: &Author) -> Result<(), Problem> {
        let rows = std::mem::take(&mut self.rows);
        let Taken { accepted, unchanged, errors } = take_in(db, import, &rows, author)?;
        self.result.accepted = self.result.accepted.saturating_add(accepted);
        self.result.unchanged = self.result.unchanged.saturating_add(unchanged);
        errors.into_iter().for_each(|error| self.refuse(error));
        Ok(())
    }

    fn refuse(&mut self, error: RowError) {
        self.result.rejected = self.result.rejected.saturating_add(1);
        if self.result.errors.len() < MAX_LISTED {
            self.result.errors.push(error);
        }
    }
}
