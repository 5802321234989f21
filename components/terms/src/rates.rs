//! `/v1/ingest/rates`: tables of dated rates.

use dunlin_app::interest;
use dunlin_domain::{
    Date, Decimal, Id, Refusal,
    contract::{
        keys::Scope,
        ledger::{RateRow, RateTable, RateTableList},
    },
    rate,
};
use dunlin_store::{Db, When};
use dunlin_web::{Answer, Call, KNOWN_AT, Problem, Query, Route, Running, decode};

/// The most bytes of a table: a rate for every day of fifty years.
const MAX_BYTES: usize = 1024 * 1024;

/// Where a row comes from whose file does not say.
const OWN: &str = "own";

/// The columns of a file.
const COLUMNS: [&str; 4] = ["valid_from", "rate", "source", "confirmed"];

const BEGUN: Query =
    Query::date("as_of", "Only rates that are valid from this day or earlier. Absent: all.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::put("/v1/ingest/rates/{name}", "put_rates")
            .about(
                "Adds rows to a table of rates from a CSV file with the columns `valid_from`, `rate` and, if wanted, \
                 `source` and `confirmed`. A row of a day that has one takes its place. One bad row refuses the file.",
            )
            .scope(Scope::IngestWrite)
            .streams(&["text/csv"])
            .answers::<RateTable>()
            .run_async(|call| Box::pin(put(call)) as Running<'_>),
        Route::get("/v1/ingest/rates/{name}", "get_rates")
            .about("Gives a table of rates, those that ship included.")
            .scope(Scope::IngestRead)
            .query(&[BEGUN, KNOWN_AT])
            .answers::<RateTable>()
            .run(get),
        Route::get("/v1/ingest/rates", "list_rates")
            .about("Lists the names of all tables of rates.")
            .scope(Scope::IngestRead)
            .query(&[KNOWN_AT])
            .answers::<RateTableList>()
            .run(list),
    ]
}

async fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let name: Id = call.path("name")?;
    let mut bytes = Vec::new();
    while let Some(chunk) = call.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > MAX_BYTES {
            let detail = format!("a table of rates has at most {MAX_BYTES} bytes");
            return Err(Problem::new(Refusal::BodyTooLarge, detail));
        }
    }
    let rows = rows(&bytes)?;
    let change = interest::put_rates(call.db()?, &name, &rows, &call.author())?;
    Ok(Answer::json(&interest::rate_table(call.db()?, &name, When::ALL)?)?.outcome(change))
}

fn rows(bytes: &[u8]) -> Result<Vec<RateRow>, Problem> {
    let mut records = decode::small(bytes)?.into_iter();
    let header = records.next().unwrap_or_default();
    let columns = columns(&header)?;
    let mut rows = Vec::new();
    for (record, number) in records.zip(2u64..) {
        rows.push(row(&record, &header, columns).map_err(|problem| problem.row(number))?);
    }
    Ok(rows)
}

/// Where each of [`COLUMNS`] stands.
fn columns(header: &[String]) -> Result<[Option<usize>; 4], Problem> {
    let refused = |code: Refusal, name: &str| Problem::new(code, code.about()).at(name).row(1);
    for (place, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name.as_str()) {
            return Err(refused(Refusal::UnknownColumn, name));
        }
        if header.iter().take(place).any(|other| other == name) {
            return Err(refused(Refusal::DuplicateColumn, name));
        }
    }
    let found = COLUMNS.map(|name| header.iter().position(|column| column == name));
    let [valid_from, rate, ..] = found;
    match (valid_from, rate) {
        (None, _) => Err(refused(Refusal::MissingColumn, "valid_from")),
        (_, None) => Err(refused(Refusal::MissingColumn, "rate")),
        _ => Ok(found),
    }
}

fn row(
    record: &[String],
    header: &[String],
    columns: [Option<usize>; 4],
) -> Result<RateRow, Problem> {
    if record.len() != header.len() {
        let detail = format!("the row has {} fields and the header {}", record.len(), header.len());
        return Err(Problem::new(Refusal::WrongFieldCount, detail));
    }
    let [valid_from, rate, source, confirmed] =
        columns.map(|column| column.and_then(|place| record.get(place)).map_or("", String::as_str));
    let row = RateRow {
        valid_from: valid_from.parse::<Date>().map_err(|refused| refused.at("valid_from"))?,
        rate: number(rate)?,
        source: if source.is_empty() { OWN } else { source }.to_string(),
        confirmed: match confirmed {
            "yes" => true,
            "no" | "" => false,
            _ => {
                let detail = "`confirmed` is `yes` or `no`";
                return Err(Problem::new(Refusal::MalformedField, detail).at("confirmed"));
            }
        },
    };
    rate::check(&row)?;
    Ok(row)
}

/// A plain decimal: a percent sign or a comma would change what it means by a hundred.
fn number(text: &str) -> Result<Decimal, Problem> {
    let plain = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    let number = Some(text).filter(|text| text.chars().all(plain)).map(str::parse);
    match number {
        Some(Ok(rate)) => Ok(rate),
        _ => {
            let shown: String = text.chars().take(30).collect();
            let detail = format!("`{shown}` is not a decimal such as 0.0345");
            Err(Problem::new(Refusal::MalformedField, detail).at("rate"))
        }
    }
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&interest::rate_table(call.db()?, &call.path("name")?, call.stood()?)?)
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&RateTableList { names: interest::rate_names(call.db()?, call.known()?)? })
}
