//! `dunlin import`.

use super::client::{Client, Refused, escape};
use super::table::{Side, Table};
use super::workbook::{self, Forms};
use super::{Format, Outcome, Target, print, progress};
use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::Method;
use http_body::{Body, Frame, SizeHint};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Bytes read from the file at a time.
const PIECE: usize = 256 * 1024;

/// Waits before a file whose connection broke is sent again: together longer than an import whose process died is kept
/// from others.
const WAIT_SECONDS: [u64; 8] = [1, 2, 4, 8, 15, 15, 15, 15];

/// How often a file that leaves rows out is tried under another name.
const MOST_NAMES: u32 = 100;

/// Bytes at the beginning of a file of statements that tell its format.
const BEGINNING: u64 = 256;

/// Row errors shown as a table; `--json` prints all that the application names.
const ERRORS_SHOWN: usize = 20;

#[derive(Args)]
#[command(
    after_help = "A file whose connection breaks goes on where it was; the same command does that later, too.\n\n\
                  Exit codes: 0 every row is in the books, 1 rows or the file were refused or the connection was lost, \
                  2 the command was not understood."
)]
pub struct Options {
    /// File to send: CSV, one JSON object a line when it ends in .ndjson or .jsonl, a workbook (.xlsx), or statements of
    /// a bank (camt.053 or MT940)
    file: PathBuf,
    /// What its rows are, or statements of a bank
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
    /// Currency of amounts that have none beside them, such as EUR
    #[arg(long)]
    currency: Option<String>,
    /// Sheet of a workbook (.xlsx) to send; the first one where none is named
    #[arg(long)]
    sheet: Option<String>,
    /// Encoding of a text that is not UTF-8, such as gb18030, big5, shift_jis, utf-16le or windows-1252
    #[arg(long)]
    encoding: Option<String>,
    /// Write all errors of rows to FILE.errors.csv
    #[arg(long)]
    errors: bool,
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
    BankStatement,
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
    bank: Option<Bank>,
}

/// What became of a file of statements.
#[derive(Deserialize)]
struct Bank {
    statements: Vec<String>,
    statements_unchanged: Vec<String>,
    matches: BTreeMap<String, u64>,
    #[serde(default)]
    gaps: Option<Vec<Value>>,
}

#[derive(Deserialize)]
pub struct RowError {
    row: u64,
    field: Option<String>,
    code: String,
    detail: String,
}

pub async fn run(options: &Options) -> Outcome {
    let client = Client::new(&options.target)?;
    let source = source(options, &client).await?;
    if let Kind::BankStatement = options.kind {
        return statements(options, &client, &source).await;
    }
    let path = path(options)?;
    let (id, before) = name(&client, &source.hash(&path)?).await?;
    let (mut answer, sent) = match before {
        Some(result) => (result, false),
        None => (send_whole(&client, &format!("{path}&id={id}"), &id, &source).await?, true),
    };
    for error in answer["errors"].as_array_mut().into_iter().flatten() {
        if let Some(row) = error["row"].as_u64() {
            error["row"] = source.row(row).into();
        }
    }
    let result: ImportResult = serde_json::from_value(answer.clone())
        .context("the application answered something that is not an import result")?;
    if !sent {
        eprintln!("this file was imported before; nothing was sent");
    }
    if options.errors && !result.errors.is_empty() {
        let table = client.text(&format!("/v1/ingest/imports/{}/errors.csv", escape(&id))).await?;
        let mut path = options.file.clone().into_os_string();
        path.push(".errors.csv");
        let table = match source.rows.is_empty() {
            true => table,
            false => source.table(&String::from_utf8_lossy(&table)).into(),
        };
        std::fs::write(&path, table).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print(&if options.format.json { answer.to_string() } else { show(&result) });
    Ok(result.rejected == 0)
}

/// Sends statements of a bank. They are known by their account and name, so that they need no name of an import: a file
/// that was cut is sent again whole.
async fn statements(options: &Options, client: &Client, source: &Source) -> Outcome {
    let path = format!("/v1/ingest/imports?kind=bank-statement&format={}", source.bank_format());
    let answer = send_whole(client, &path, "", source).await?;
    let result: ImportResult = serde_json::from_value(answer.clone())
        .context("the application answered something that is not an import result")?;
    print(&if options.format.json { answer.to_string() } else { show(&result) });
    Ok(true)
}

/// What statements are sent as, by their first letters. `None`: they are in neither of the formats.
fn media_type(begins: &[u8]) -> Option<&'static str> {
    let text = begins.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(begins).trim_ascii_start();
    // The letters of a message in the envelope of SWIFT may begin with a mark that is no letter.
    let text = text.strip_prefix(b"\x01").unwrap_or(text);
    match text {
        [b'<', ..] => Some("application/xml"),
        [b'{', b'1', b':', ..] | [b':', b'2', b'0', b':', ..] => Some("text/plain"),
        _ => None,
    }
}

/// The rows that are sent.
struct Source {
    from: From,
    length: u64,
    content_type: &'static str,
    /// Of a workbook: the number that each row has in the sheet.
    rows: Vec<u64>,
}

enum From {
    File(PathBuf),
    /// A workbook that was made into CSV.
    Memory(Bytes),
}

async fn source(options: &Options, client: &Client) -> Result<Source> {
    let file = File::open(&options.file)
        .with_context(|| format!("cannot read {}", options.file.display()))?;
    let ending = options.file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let content_type = match ending {
        "ndjson" | "jsonl" => "application/x-ndjson",
        "xlsx" | "xlsm" if options.encoding.is_some() => {
            bail!("a workbook says its encoding itself: leave --encoding away")
        }
        "xlsx" | "xlsm" => {
            let profile = format!("/v1/ingest/profiles/{}", escape(&options.profile));
            // A key that may only write learns no profile; days are then written year first.
            let forms = client.get(&profile).await.map(|found| Forms::of(&found));
            let (csv, rows) = workbook::csv(
                std::io::BufReader::new(file),
                options.sheet.as_deref(),
                &forms.unwrap_or_default(),
            )?;
            let length = csv.len() as u64;
            let from = From::Memory(csv.into());
            return Ok(Source { from, length, content_type: "text/csv", rows });
        }
        _ => "text/csv",
    };
    let length = file.metadata()?.len();
    let content_type = match options.kind {
        Kind::BankStatement => {
            let others = options.currency.is_some() || options.create_missing.is_some();
            if others || matches!(options.on_error, OnError::Skip) {
                bail!(
                    "a bank statement says its currency, makes no customers and is taken in whole: leave --currency, \
                     --create-missing and --on-error away"
                );
            }
            let mut begins = Vec::new();
            File::open(&options.file)?.take(BEGINNING).read_to_end(&mut begins)?;
            media_type(&begins).with_context(|| {
                let file = options.file.display();
                format!("{file} is neither camt.053, which begins with `<`, nor MT940, which begins with `:20:` or `{{1:`")
            })?
        }
        _ => content_type,
    };
    if let Some(label) = &options.encoding {
        let text = decoded(&std::fs::read(&options.file)?, label)
            .with_context(|| format!("cannot read {}", options.file.display()))?;
        let text = if content_type == "application/xml" { declared(text) } else { text };
        let length = text.len() as u64;
        let from = From::Memory(text.into());
        return Ok(Source { from, length, content_type, rows: Vec::new() });
    }
    let from = From::File(options.file.clone());
    Ok(Source { from, length, content_type, rows: Vec::new() })
}

/// A text in another encoding as UTF-8, which is all that the application reads.
fn decoded(bytes: &[u8], label: &str) -> Result<String> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())
        .with_context(|| format!("{label} is no encoding that the WHATWG names"))?;
    let (text, used, broken) = encoding.decode(bytes);
    if broken {
        bail!("the text is not {}: some of its bytes mean nothing there", used.name());
    }
    Ok(text.into_owned())
}

/// XML that was another encoding says so: the declaration says UTF-8 from now on.
fn declared(text: String) -> String {
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    match begin.split_once("?>") {
        Some((said, rest)) if said.starts_with("<?xml ") && said.contains("encoding") => {
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{rest}")
        }
        _ => text,
    }
}

impl Source {
    /// The number that a row of what was sent has in the file: a workbook may have empty rows between.
    fn row(&self, row: u64) -> u64 {
        let place = row.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.rows.get(place).copied()).unwrap_or(row)
    }

    /// A table of errors with the rows of the file.
    fn table(&self, table: &str) -> String {
        let line = |line: &str| match line.split_once(',') {
            Some((row, rest)) => match row.parse() {
                Ok(row) => format!("{},{rest}\n", self.row(row)),
                Err(_) => format!("{line}\n"),
            },
            None => format!("{line}\n"),
        };
        table.lines().map(line).collect()
    }

    /// The name of the format of statements of this type.
    fn bank_format(&self) -> &'static str {
        if self.content_type == "text/plain" { "mt940" } else { "camt053" }
    }

    fn open(&self) -> Result<Box<dyn Read + Send>> {
        Ok(match &self.from {
            From::File(path) => Box::new(File::open(path)?),
            From::Memory(bytes) => Box::new(std::io::Cursor::new(bytes.clone())),
        })
    }

    /// A name that this file has whenever it is sent in this way.
    fn hash(&self, path: &str) -> Result<String> {
        let mut hash = Sha256::new_with_prefix(path);
        let mut reader = self.open()?;
        let mut piece = vec![0; PIECE];
        loop {
            match reader.read(&mut piece)? {
                0 => break,
                read => hash.update(&piece[..read]),
            }
        }
        Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The id of the import: made of the file, so that a file that was cut goes on. Where an import of it has ended with
/// every row in the books its result is all there is to say; where it left rows out, they are tried again under the
/// next id.
async fn name(client: &Client, hash: &str) -> Result<(String, Option<Value>)> {
    for number in 1..=MOST_NAMES {
        let id = match number {
            1 => format!("file-{hash}"),
            _ => format!("file-{hash}-{number}"),
        };
        match client.get(&format!("/v1/ingest/imports/{id}")).await {
            Ok(found) if found["state"] == "applied" => {
                if found["rejected"] == 0 {
                    return Ok((id, Some(found)));
                }
            }
            // A key that may only write cannot ask; sending tells what there is.
            Ok(_) | Err(_) => return Ok((id, None)),
        }
    }
    anyhow::bail!("this file left rows out {MOST_NAMES} times; mend them and send the mended file")
}

/// Sends the file until it is whole. A connection that breaks is taken up again, and the application goes on where it
/// was.
async fn send_whole(client: &Client, path: &str, id: &str, source: &Source) -> Result<Value> {
    let bar = progress::bytes("sending", source.length);
    let mut moved = false;
    let mut waits = WAIT_SECONDS.iter();
    loop {
        bar.set_position(0);
        let body = FileBody { file: source.open()?, left: source.length, bar: bar.clone() };
        let answer = client.call(Method::POST, path, Some(source.content_type), body).await;
        moved |= bar.position() > 0;
        let error = match answer.or_else(rejected) {
            Ok(answer) => {
                bar.finish_and_clear();
                return Ok(answer);
            }
            Err(error) => error,
        };
        let wait = waits.next().filter(|_| moved && passes(&error));
        let Some(wait) = wait else {
            bar.finish_and_clear();
            let hint = "the same command again goes on where it was cut";
            return Err(if passes(&error) { error.context(hint) } else { error });
        };
        tokio::time::sleep(Duration::from_secs(*wait)).await;
        if let Ok(found) = client.get(&format!("/v1/ingest/imports/{id}")).await {
            let staged = found["staged_bytes"].as_u64().unwrap_or_default();
            bar.set_message(format!("sending again, {staged} bytes are there"));
        }
    }
}

/// Whether the same file sent again may fare better.
fn passes(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_none_or(|refused| {
        let code = refused.problem["code"].as_str().unwrap_or_default();
        matches!(code, "body-incomplete" | "import-running" | "database-busy" | "internal" | "")
    })
}

/// A file that was rejected for its rows is a result too: the problem document carries it.
fn rejected(error: anyhow::Error) -> Result<Value> {
    match error.downcast::<Refused>() {
        Ok(refused) if refused.problem["code"] == "import-rejected" => Ok(refused.problem),
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
    if let Some(currency) = &options.currency {
        path.push_str(&format!("&currency={}", escape(currency)));
    }
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
    if let Some(bank) = &result.bank {
        let of = |state: &str| bank.matches.get(state).copied().unwrap_or_default();
        text.push_str(&format!(
            "\nstatements: {} new, {} there before; entries: {} booked, {} to be looked at, {} going out, {} seen before",
            bank.statements.len(),
            bank.statements_unchanged.len(),
            of("automatic"),
            of("review"),
            of("unmatched"),
            of("already_booked")
        ));
        let gaps = bank.gaps.as_ref().map_or(0, Vec::len);
        if gaps > 0 {
            text.push_str(&format!("\nstatements that do not join the one before: {gaps}"));
        }
    }
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
    file: Box<dyn Read + Send>,
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
    fn a_text_in_another_encoding_is_read_or_refused() {
        let bytes = b"id,name\nC1,\xD6\xD0\xB9\xFA\xD2\xF8\xD0\xD0\n";
        assert_eq!(decoded(bytes, "GB18030").unwrap(), "id,name\nC1,中国银行\n");
        assert_eq!(decoded(b"\xFF\xFEi\0d\0", "utf-16le").unwrap(), "id");
        assert_eq!(decoded(b"M\xFCller", "windows-1252").unwrap(), "Müller");
        let refused = |bytes: &[u8], label: &str| decoded(bytes, label).unwrap_err().to_string();
        assert!(refused(b"M\xFC", "gb18030").contains("gb18030"));
        assert!(refused(b"x", "klingon").contains("klingon"));
    }

    #[test]
    fn xml_of_another_encoding_says_that_it_is_utf_8_by_now() {
        let now = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document>M\u{fc}ller</Document>";
        let before = b"<?xml version='1.0' encoding='ISO-8859-1'?>\n<Document>M\xFCller</Document>";
        assert_eq!(declared(decoded(before, "iso-8859-1").unwrap()), now);
        for same in ["<Document/>", "<?xml version=\"1.0\"?><Document/>", ":20:STARTUMS"] {
            assert_eq!(declared(same.to_string()), same);
        }
    }

    #[test]
    fn errors_name_the_rows_of_the_sheet() {
        let from = From::Memory(Bytes::new());
        let source = Source { from, length: 0, content_type: "text/csv", rows: vec![1, 2, 5] };
        assert_eq!([1, 3, 4].map(|row| source.row(row)), [1, 5, 4]);
        let table = "row,field,code,detail\n3,id,missing-field,\"a, b\"\n";
        assert_eq!(source.table(table), "row,field,code,detail\n5,id,missing-field,\"a, b\"\n");
    }

    #[test]
    fn a_statement_is_known_by_its_first_letters() {
        for (begins, sent_as) in [
            ("<?xml version=\"1.0\"?>", Some("application/xml")),
            ("\u{feff}\n <Document", Some("application/xml")),
            (":20:STARTUMS", Some("text/plain")),
            ("\r\n{1:F01INGBNL2A", Some("text/plain")),
            ("\u{1}{1:F01INGBNL2A", Some("text/plain")),
            ("id,name", None),
            ("", None),
        ] {
            assert_eq!(media_type(begins.as_bytes()), sent_as, "{begins}");
        }
    }

    #[test]
    fn a_result_of_statements_says_what_became_of_the_entries() {
        let result: ImportResult = serde_json::from_value(serde_json::json!({
            "import_id": "i1", "state": "applied", "received": 9, "accepted": 8, "unchanged": 1, "rejected": 0,
            "bank": {"statements": ["a"], "statements_unchanged": ["b"],
                "matches": {"automatic": 4, "review": 2, "unmatched": 1, "already_booked": 1}, "gaps": [{}]}
        }))
        .unwrap();
        assert_eq!(
            show(&result),
            "import i1: 9 received, 8 accepted, 1 unchanged, 0 rejected\n\
             statements: 1 new, 1 there before; entries: 4 booked, 2 to be looked at, 1 going out, 1 seen before\n\
             statements that do not join the one before: 1"
        );
    }

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
