//! `/v1/ingest/imports?kind=bank-statement`: statements of bank accounts, read as they come and matched when they are
//! whole.

use crate::imports::{CREATE_MISSING, CURRENCY, ID, KIND, ON_ERROR, PROFILE};
use dunlin_app::bank::{self, File, Intake};
use dunlin_domain::{
    Refusal,
    bank::{Piece, Reader},
    contract::{bank::BankFormat, ingest::OnError},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query};

/// The kind beside those of [`dunlin_domain::contract::ingest::ImportKind`]: a statement is no file of rows.
const STATEMENT: &str = "bank-statement";

/// Every kind of file.
pub(crate) const KINDS: &[&str] = &["customers", "invoices", "payments", STATEMENT];

/// Every media type of a file.
pub(crate) const MEDIA: &[&str] =
    &["text/csv", "application/x-ndjson", "application/xml", "text/xml", "text/plain"];

pub(crate) const FORMAT: Query = Query::one_of(
    "format",
    BankFormat::NAMES,
    "How the bank writes it: needed with `kind=bank-statement`, and with no other kind.",
);

/// The answer to a file of statements; `None` to any other file.
pub(crate) async fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Option<Answer>, Problem> {
    let format: Option<BankFormat> = call.query(&FORMAT)?;
    let media = call.media().unwrap_or_default();
    let rows = matches!(media, "text/csv" | "application/x-ndjson");
    if call.text(&KIND)? != Some(STATEMENT) {
        if format.is_some() {
            let detail =
                "a format is for bank statements; the Content-Type says how rows are written";
            return Err(Problem::new(Refusal::UnknownParameter, detail).at(FORMAT.name));
        }
        if !rows {
            let detail = "rows come as text/csv or application/x-ndjson";
            return Err(Problem::new(Refusal::UnsupportedMediaType, detail));
        }
        return Ok(None);
    }
    let Some(format) = format else {
        let detail = "bank statements come in a format: camt053 or mt940";
        return Err(Problem::new(Refusal::MissingParameter, detail).at(FORMAT.name));
    };
    let wanted: &[&str] = match format {
        BankFormat::Camt053 => &["application/xml", "text/xml"],
        BankFormat::Mt940 => &["text/plain"],
    };
    if !wanted.contains(&media) {
        let detail = format!("{format} comes as {}", wanted.join(" or "));
        return Err(Problem::new(Refusal::UnsupportedMediaType, detail));
    }
    for rows_only in [&PROFILE, &CREATE_MISSING, &CURRENCY, &ID] {
        if call.text(rows_only)?.is_some() {
            let detail = "a bank statement has no columns, makes no customers, says its currency and is known by its number";
            return Err(Problem::new(Refusal::UnknownParameter, detail).at(rows_only.name));
        }
    }
    if call.query(&ON_ERROR)? == Some(OnError::Skip) {
        let detail = "a statement is taken in whole or not at all: its balances say so";
        return Err(Problem::new(Refusal::MalformedParameter, detail).at(ON_ERROR.name));
    }
    taken_in(call, format).await.map(Some)
}

async fn taken_in<D: Db>(call: &mut Call<'_, D>, format: BankFormat) -> Result<Answer, Problem> {
    let (db, id) = (call.db()?, call.new_id()?);
    let key = bank::start(db, &id, &call.author())?;
    let empty = File { id, key, format, intake: Intake::default(), staged: 0, last: String::new() };
    let done = match read(call, empty).await {
        Ok(file) => {
            let author = dunlin_app::audit::Author { at: call.env().now(), ..call.author() };
            bank::apply(db, &file, &author).map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(result) => Ok(Answer::json(&result)?.rows(result.accepted)),
        Err(problem) => {
            bank::abandon(db, key)?;
            Err(problem)
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

#[cfg(test)]
mod tests {
    use super::*;
    use dunlin_domain::contract::ingest::ImportKind;

    #[test]
    fn the_kinds_are_those_of_rows_and_statements() {
        assert_eq!(KINDS.split_last(), Some((&STATEMENT, ImportKind::NAMES)));
    }
}
