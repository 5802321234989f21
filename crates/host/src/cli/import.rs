//! `dunlin import`.

use super::client::{Client, Refused, escape};
use super::table::{Side, Table};
use super::{Format, Outcome, Target, print, progress};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::Method;
use http_body::{Body, Frame, SizeHint};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::Value;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes read from the file at a time.
const PIECE: usize = 256 * 1024;

/// Row errors shown as a table; `--json` prints all that the application names.
const ERRORS_SHOWN: usize = 20;

#[derive(Args)]
pub struct Options {
    /// File to send: CSV, or one JSON object a line when it ends in .ndjson or .jsonl
    file: PathBuf,
    /// What its rows are
    #[arg(long, value_enum)]
    kind: Kind,
    /// Mapping profile that says what the columns mean
    #[arg(long, default_value = "generic")]
    profile: String,
    /// When a row is bad: store nothing, or store the good rows
    #[arg(long, value_enum, default_value_t = OnError::Reject)]
    on_error: OnError,
    /// Make records that rows refer to and nobody has sent yet
    #[arg(long, value_enum)]
    create_missing: Option<CreateMissing>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    Customers,
    Invoices,
    Payments,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnError {
    Reject,
    Skip,
}

#[derive(Clone, Copy, ValueEnum)]
enum CreateMissing {
    Customers,
}

/// What became of a file, as far as it is shown.
#[derive(Deserialize)]
pub struct ImportResult {
    pub import_id: String,
    pub received: u64,
    pub accepted: u64,
    pub unchanged: u64,
    pub rejected: u64,
    #[serde(default)]
    pub errors: Vec<RowError>,
    #[serde(default)]
    more_errors: u64,
}

#[derive(Deserialize)]
pub struct RowError {
    row: u64,
    field: Option<String>,
    code: String,
    detail: String,
}

pub async fn run(options: &Options) -> Outcome {
    let file = File::open(&options.file)
        .with_context(|| format!("cannot read {}", options.file.display()))?;
    let length = file.metadata()?.len();
    let ending = options.file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let content_type = match ending {
        "ndjson" | "jsonl" => "application/x-ndjson",
        _ => "text/csv",
    };
    let bar = progress::bytes("sending", length);
    let body = FileBody { file, left: length, bar: bar.clone() };
    let answer = Client::new(&options.target)?
        .call(Method::POST, &path(options)?, Some(content_type), body)
        .await;
    bar.finish_and_clear();
    let answer = answer.or_else(rejected)?;
    let result: ImportResult = serde_json::from_value(answer.clone())
        .context("the application answered something that is not an import result")?;
    print(&if options.format.json { answer.to_string() } else { show(&result) });
    Ok(result.rejected == 0)
}

/// A file that was rejected for its rows is a result too: the problem document carries it.
fn rejected(error: anyhow::Error) -> Result<Value> {
    match error.downcast::<Refused>() {
        Ok(refused) if refused.problem["errors"].is_array() => Ok(refused.problem),
        Ok(refused) => Err(refused.into()),
        Err(error) => Err(error),
    }
}

fn path(options: &Options) -> Result<String> {
    let word = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
        value().map(|value| value.get_name().to_owned()).context("a hidden value")
    };
    let mut path = format!(
        "/v1/ingest/imports?kind={}&profile={}&on_error={}",
        word(&|| options.kind.to_possible_value())?,
        escape(&options.profile),
        word(&|| options.on_error.to_possible_value())?
    );
    if let Some(missing) = options.create_missing {
        path.push_str(&format!("&create_missing={}", word(&|| missing.to_possible_value())?));
    }
    Ok(path)
}

fn show(result: &ImportResult) -> String {
    let ImportResult { import_id, received, accepted, unchanged, rejected, .. } = result;
    let mut text = format!(
        "import {import_id}: {received} received, {accepted} accepted, {unchanged} unchanged, {rejected} rejected"
    );
    let mut table = Table::new(&[
        ("row", Side::Right),
        ("field", Side::Left),
        ("code", Side::Left),
        ("detail", Side::Left),
    ]);
    for error in result.errors.iter().take(ERRORS_SHOWN) {
        let field = error.field.clone().unwrap_or_default();
        table.row([error.row.to_string(), field, error.code.clone(), error.detail.clone()]);
    }
    if !table.is_empty() {
        text.push_str("\n\n");
        text.push_str(table.render().trim_end());
    }
    let more = result.errors.len().saturating_sub(ERRORS_SHOWN) as u64 + result.more_errors;
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

/// A file on its way out, piece by piece; the connection asks for a piece when it has room for it.
struct FileBody {
    file: File,
    left: u64,
    bar: ProgressBar,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(self.left).unwrap_or(PIECE))];
        Poll::Ready(Some(match self.file.read(&mut piece) {
            Ok(0) => Err(std::io::Error::other("the file became shorter while it was sent")),
            Ok(read) => {
                piece.truncate(read);
                self.left -= read as u64;
                self.bar.inc(read as u64);
                Ok(Frame::data(piece.into()))
            }
            Err(error) => Err(error),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Sends rows that are in memory, for the demo.
pub async fn send(client: &Client, kind: &str, csv: String) -> Result<ImportResult> {
    let path = format!("/v1/ingest/imports?kind={kind}&profile=generic&on_error=reject");
    let body = http_body_util::Full::new(Bytes::from(csv));
    let answer = client.call(Method::POST, &path, Some("text/csv"), body).await;
    let answer = answer.or_else(rejected)?;
    let result: ImportResult = serde_json::from_value(answer)?;
    if let Some(error) = result.errors.first() {
        let field = error.field.as_deref().unwrap_or("the row");
        anyhow::bail!("{kind}, row {}: {field}: {} ({})", error.row, error.detail, error.code);
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_names_the_first_bad_rows() {
        let result: ImportResult = serde_json::from_value(serde_json::json!({
            "import_id": "i1", "state": "rejected", "received": 3, "accepted": 0, "unchanged": 0, "rejected": 3,
            "errors": [
                {"row": 2, "field": "amount", "code": "amount-malformed", "detail": "1,234.56 is not an amount"},
                {"row": 4, "field": null, "code": "row-too-short", "detail": "6 columns, not 7"}
            ],
            "more_errors": 5
        }))
        .unwrap();
        assert_eq!(
            show(&result),
            "import i1: 3 received, 0 accepted, 0 unchanged, 3 rejected\n\n  \
             row  field   code              detail\n    \
             2  amount  amount-malformed  1,234.56 is not an amount\n    \
             4          row-too-short     6 columns, not 7\n  \
             and 5 more"
        );
    }
}
