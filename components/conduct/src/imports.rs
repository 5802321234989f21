//! `/v1/ingest/imports/{id}`: what became of a file.

use dunlin_app::{bank, import};
use dunlin_domain::contract::{ingest::ImportResult, keys::Scope};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Csv, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/imports/{id}", "get_import")
            .about("Says what became of an import, or how far it has come.")
            .scope(Scope::IngestRead)
            .answers::<ImportResult>()
            .run(get),
        Route::get("/v1/ingest/imports/{id}/errors.csv", "list_import_errors")
            .about("Lists what was wrong with the rows of an import, as a table: the first 100,000 errors.")
            .scope(Scope::IngestRead)
            .csv()
            .run(errors),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    if let Some(result) = bank::imported(call.db()?, &call.id()?)? {
        return Answer::json(&result);
    }
    Answer::json(&import::get(call.db()?, &call.id()?)?)
}

fn errors<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let mut csv = Csv::new(&["row", "field", "code", "detail"]);
    let id = call.id()?;
    let errors = match bank::imported(call.db()?, &id)? {
        Some(result) => result.errors,
        None => import::errors(call.db()?, &id)?,
    };
    for error in errors {
        csv.plain(error.row).text(error.field.as_deref().unwrap_or_default());
        csv.plain(error.code).text(&error.detail).end();
    }
    let rows = csv.rows();
    Ok(Answer::csv(csv).rows(rows))
}
