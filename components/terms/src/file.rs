//! Files of contracts: CSV with columns named by the path of the field, or NDJSON with the JSON of the single write.

use crate::contracts::ON_ERROR;
use dunlin_app::contract;
use dunlin_domain::{
    Id, Refusal, Refused,
    contract::{
        ingest::{OnError, RowError},
        ledger::NewContract,
    },
};
use dunlin_store::Db;
use dunlin_web::{
    Answer, Call, Problem,
    decode::{Lines, nested},
    json,
};
use serde_json::{Map, Value};

/// The largest file: some ten thousand versions. They are replayed by nobody, so that one transaction is short.
const MAX_BYTES: usize = 8 << 20;

pub(crate) async fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = call.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > MAX_BYTES {
            let detail = format!("a file of contracts has at most {MAX_BYTES} bytes");
            return Err(Problem::new(Refusal::BodyTooLarge, detail));
        }
    }
    let mut file = File::default();
    if call.media() == Some("text/csv") {
        for (row, record) in nested(&bytes)? {
            file.take(row, record);
        }
    } else {
        let mut lines = Lines::default();
        let mut line = |row: u64, line: Result<&[u8], Refused>| {
            file.take(row, line.map_err(Problem::from).and_then(json::decode));
        };
        lines.feed(&bytes, &mut line);
        lines.finish(&mut line);
    }
    if file.rows.is_empty() && file.bad.is_empty() {
        return Err(Problem::new(Refusal::EmptyBody, "the file has no records"));
    }
    let reject = call.query(&ON_ERROR)?.unwrap_or(OnError::Reject) == OnError::Reject;
    let result = contract::take_in(call.db()?, &file.rows, &file.bad, reject, &call.author())?;
    if reject && !result.errors.is_empty() {
        let detail = format!("errors in {} records; nothing was stored", result.received);
        return Err(Problem::new(Refusal::ImportRejected, detail).beside(&result));
    }
    Ok(Answer::json(&result)?.rows(result.accepted))
}

/// What was read.
#[derive(Default)]
struct File {
    rows: Vec<(u64, Id, NewContract)>,
    bad: Vec<RowError>,
}

impl File {
    fn take(&mut self, row: u64, record: Result<Map<String, Value>, Problem>) {
        match record.and_then(read) {
            Ok((id, new)) => self.rows.push((row, id, new)),
            Err(problem) => self.bad.push(RowError {
                row,
                field: problem.field().map(str::to_string),
                code: problem.code(),
                detail: problem.detail().to_string(),
            }),
        }
    }
}

/// The single write has the id in its path; here it stands beside the rest.
fn read(mut record: Map<String, Value>) -> Result<(Id, NewContract), Problem> {
    let at = |refused: Refused| Problem::from(refused.at("id"));
    let id = match record.remove("id") {
        Some(Value::String(text)) => text.parse::<Id>().map_err(at)?,
        Some(_) => return Err(at(Refused::new(Refusal::MalformedField, "an id is a text"))),
        None => return Err(at(Refused::new(Refusal::MissingField, "the field is missing"))),
    };
    Ok((id, json::decode_record(&record)?))
}
