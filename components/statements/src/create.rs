//! Statements of bank accounts, read as they come and matched when they are whole.

use dunlin_app::bank::{self, File, Intake};
use dunlin_domain::{
    Refusal,
    bank::{Piece, Reader},
    contract::{
        bank::BankFormat,
        ingest::{ImportResult, OnError, RowError},
        keys::Scope,
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route, Running};

const FORMAT: Query =
    Query::one_of("format", BankFormat::NAMES, "How the bank writes it.").required();

const ON_ERROR: Query = Query::one_of(
    "on_error",
    OnError::NAMES,
    "A statement is taken in whole or not at all: `reject`.",
);

const XML: [&str; 2] = ["application/xml", "text/xml"];

const TEXT: [&str; 1] = ["text/plain"];

const MEDIA: &[&str] = &[XML[0], XML[1], TEXT[0]];

pub(crate) fn route<D: Db>() -> Route<D> {
    Route::post("/v1/ingest/statements", "create_statements")
        .about(
            "Takes in a file of bank statements and matches its entries with what is open: what `create_import` does with \
             `kind=bank-statement`.",
        )
        .scope(Scope::IngestWrite)
        .query(&[FORMAT, ON_ERROR])
        .streams(MEDIA)
        .answers::<ImportResult>()
        .run_async(|call| Box::pin(create(call)) as Running<'_>)
}

async fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let absent = || Problem::internal("a required parameter is absent");
    let format: BankFormat = call.query(&FORMAT)?.ok_or_else(absent)?;
    let wanted: &[&str] = match format {
        BankFormat::Camt053 => &XML,
        BankFormat::Mt940 => &TEXT,
    };
    if !wanted.contains(&call.media().unwrap_or_default()) {
        let detail = format!("{format} comes as {}", wanted.join(" or "));
        return Err(Problem::new(Refusal::UnsupportedMediaType, detail));
    }
    if call.query(&ON_ERROR)? == Some(OnError::Skip) {
        let detail = "a statement is taken in whole or not at all: its balances say so";
        return Err(Problem::new(Refusal::MalformedParameter, detail).at(ON_ERROR.name));
    }
    taken_in(call, format).await
}

async fn taken_in<D: Db>(call: &mut Call<'_, D>, format: BankFormat) -> Result<Answer, Problem> {
    let (db, id) = (call.db()?, call.new_id()?);
    let key = bank::start(db, &id, &call.author())?;
    let empty = File { id, key, format, intake: Intake::default(), staged: 0, last: String::new() };
    let name = empty.id.clone();
    let done = match read(call, empty).await {
        Ok(file) => {
            let author = dunlin_app::audit::Author { at: call.env().now(), ..call.author() };
            bank::apply(db, &file, &author).map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(result) => Ok(Answer::json(&result)?.rows(result.accepted)),
        Err(problem) if matches!(problem.code(), Refusal::Internal | Refusal::DatabaseBusy) => {
            bank::abandon(db, key)?;
            Err(problem)
        }
        Err(problem) => {
            let why = RowError {
                row: problem.of_row().unwrap_or_default(),
                field: problem.field().map(str::to_string),
                code: problem.code(),
                detail: problem.detail().to_string(),
            };
            let noted = bank::refuse(db, (&name, key), why, call.env().now())?;
            Err(problem.beside(&noted))
        }
    }
}

/// Reads the body to its end. Between two chunks others get their turn, and no transaction is open.
async fn read<D: Db>(call: &mut Call<'_, D>, mut file: File) -> Result<File, Problem> {
    let mut reader = Reader::new(file.format);
    let mut pieces: Vec<Piece> = Vec::new();
    let db = call.db()?;
    while let Some(chunk) = call.next().await {
        let read = reader.feed(&chunk?, &mut pieces);
        read.map_err(|refused| at_entry(refused, &reader))?;
        for piece in pieces.drain(..) {
            if let Some(full) = file.intake.take(&piece)? {
                bank::stage(db, file.key, file.staged, &full)?;
                file.staged = file.staged.saturating_add(1);
            }
        }
    }
    reader.finish(&mut pieces).map_err(|refused| at_entry(refused, &reader))?;
    for piece in pieces.drain(..) {
        // What is left at the end is less than a slice more.
        if let Some(full) = file.intake.take(&piece)? {
            bank::stage(db, file.key, file.staged, &full)?;
            file.staged = file.staged.saturating_add(1);
        }
    }
    file.last = file.intake.rest();
    Ok(file)
}

/// The problem with the entry that the reader stands at.
fn at_entry(refused: dunlin_domain::Refused, reader: &Reader) -> Problem {
    let entry = reader.entry();
    let problem = Problem::from(refused);
    if entry > 0 { problem.row(entry) } else { problem }
}
