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
use dunlin_web::{
    Answer, Call, Problem, Query, Route, Running,
    decode::{Lines, nested},
    json,
};

/// Records in one transaction: few enough that nobody waits long for the lock.
const SLICE: usize = 1_000;

/// The largest CSV, which is read whole: some hundred thousand rows.
const MAX_CSV_BYTES: usize = 8 << 20;

const KIND: Query =
    Query::one_of("kind", ExternalKind::NAMES, "The kind of record in the file.").required();

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/score/imports", "create_external_import")
            .about(
                "Takes in a file of what others say of customers, one record a line, as NDJSON or as CSV with columns \
                 named by the path of the field. Lines at fault are left out and named; the rest is recorded slice by \
                 slice, so that a file may be sent again.",
            )
            .scope(Scope::ScoreWrite)
            .query(&[KIND])
            .streams(&["text/csv", "application/x-ndjson"])
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
    let (is_csv, mut csv) = (call.media() == Some("text/csv"), Vec::new());
    // Between two chunks others get their turn, and no transaction is open.
    while let Some(chunk) = call.next().await {
        if is_csv {
            csv.extend_from_slice(&chunk?);
            if csv.len() > MAX_CSV_BYTES {
                let detail = format!("a CSV of these has at most {MAX_CSV_BYTES} bytes");
                return Err(Problem::new(Refusal::BodyTooLarge, detail));
            }
            continue;
        }
        lines.feed(&chunk?, &mut |row, line| file.line(row, line));
        if file.rows.len() >= SLICE {
            file.take_in(db, &import, &call.author())?;
        }
    }
    if is_csv {
        file.csv(db, &csv, &import, &call.author())?;
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

    /// Takes in all rows of a CSV but the last slice.
    fn csv<D: Db>(
        &mut self,
        db: &D,
        bytes: &[u8],
        import: &Id,
        author: &Author,
    ) -> Result<(), Problem> {
        for (row, record) in nested(bytes)? {
            self.take(row, record.and_then(|of| json::decode_record(&of)));
            if self.rows.len() >= SLICE {
                self.take_in(db, import, author)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, row: u64, line: Result<&[u8], Refused>) {
        self.take(row, line.map_err(Problem::from).and_then(json::decode));
    }

    fn take(&mut self, row: u64, record: Result<T, Problem>) {
        self.result.received = self.result.received.saturating_add(1);
        match record {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use dunlin_store::native::NativeDb;
    use std::path::Path;

    fn id(text: &str) -> Id {
        text.parse().unwrap()
    }

    /// What came of a CSV: accepted, unchanged, and `row field code` of each error.
    fn taken<T: External>(db: &NativeDb, csv: &str) -> (u64, u64, Vec<String>) {
        let at = "2024-07-01T12:00:00Z".parse().unwrap();
        let by = Author { who: "clerk".into(), at, salt: "salt".into() };
        for name in ["C1", "C2"] {
            let new = json::decode(format!(r#"{{"id": "{name}", "name": "{name}"}}"#).as_bytes());
            dunlin_app::customer::put(db, &id(name), &new.unwrap(), &by).unwrap();
        }
        let mut file = File::<T>::new();
        file.csv(db, csv.as_bytes(), &id("F"), &by).unwrap();
        file.take_in(db, &id("F"), &by).unwrap();
        let File { result, .. } = file;
        let error = |of: RowError| {
            format!("{} {} {}", of.row, of.field.unwrap_or_default(), of.code.name())
        };
        let errors = result.errors.into_iter().map(error).collect();
        (result.accepted, result.unchanged, errors)
    }

    #[test]
    fn a_csv_of_each_kind_is_taken_in_and_its_errors_name_row_and_column() {
        let db = NativeDb::open(Path::new(":memory:")).unwrap();
        let scores = "customer_id,source,date,known_on,score,scale_from,scale_to,direction\r\n\
            C1,agency,2024-03-31,2024-04-02,250,100,600,lower-is-better\r\n\
            C2,agency,2024-03-31,2024-04-02,601,100,600,\r\n\
            C9,agency,2024-03-31,2024-04-02,250,100,600,\r\n\
            C2,agency,2024-31-03,2024-04-02,250,100,600,\r\n\
            C2,agency,2024-03-31\r\n";
        let wrong = ["4 customer_id unknown-customer", "3 score malformed-field"];
        let read = ["5 date malformed-date", "6  wrong-field-count"];
        let (accepted, unchanged, mut errors) = taken::<ExternalScore>(&db, scores);
        errors.sort();
        let mut wanted = [wrong, read].concat();
        wanted.sort_unstable();
        assert_eq!(
            (accepted, unchanged, errors),
            (1, 0, wanted.iter().map(ToString::to_string).collect())
        );
        let records = "id,customer_id,kind,date,known_on,source,amount.minor,amount.currency,withdrawn\n\
            L1,C1,lawsuit,2024-03-01,2024-03-05,\"Court, civil\",500000,CNY,\n\
            L2,C2,none-found,2024-03-01,2024-03-05,Register,,,\n\
            L3,C2,lawsuit,2024-03-01,2024-03-05,Court,5.5,CNY,\n\
            L4,C2,lawsuit,2024-03-01,2024-03-05,Court,,,perhaps\n";
        let wrong = ["4 amount.minor malformed-field", "5 withdrawn malformed-field"];
        let wrong = wrong.map(str::to_string).to_vec();
        assert_eq!(taken::<PublicRecord>(&db, records), (2, 0, wrong.clone()));
        assert_eq!(taken::<PublicRecord>(&db, records), (0, 2, wrong), "the same again");
        let statements = "customer_id,period_end,known_on,currency,ebit_minor,sales_minor,profit\n\
            C1,2023-12-31,2024-02-28,CNY,-15000,150000,\n\
            C2,2023-12-31,2024-02-28,CNY,1,-150000,\n\
            C2,2023-12-31,2024-02-28,CNY,1,1,9\n";
        let wrong = ["4 profit unknown-field", "3 sales_minor malformed-field"];
        let wrong = wrong.map(str::to_string).to_vec();
        assert_eq!(taken::<FinancialStatement>(&db, statements), (1, 0, wrong));
    }
}
