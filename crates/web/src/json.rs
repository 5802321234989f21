//! JSON bodies: read strictly, and refused with the field at fault.

use crate::{Problem, decode::encoding};
use dunlin_domain::{Refusal, Refused};
use serde::de::DeserializeOwned;
use serde_path_to_error::Path;

/// Decodes a body. Unknown and repeated fields are refused, and so is anything after the value.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = utf8(body)?;
    if text.trim().is_empty() {
        return Err(Problem::new(Refusal::EmptyBody, "a JSON body is needed"));
    }
    // A list would be taken for the fields in their order.
    if text.trim_start().starts_with('[') {
        return Err(Problem::new(Refusal::MalformedField, "an object is wanted, not a list"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value =
        serde_path_to_error::deserialize(&mut reader).map_err(|e| refusal(e.path(), e.inner()))?;
    reader.end().map_err(|e| malformed(&e))?;
    Ok(value)
}

/// A byte order mark is left out, as RFC 8259 §8.1 allows; any other encoding is named.
fn utf8(body: &[u8]) -> Result<&str, Problem> {
    let text = body.get(encoding::byte_order_mark(body)?..).unwrap_or_default();
    std::str::from_utf8(text).map_err(|_| encoding::refused(text).into())
}

fn refusal(path: &Path, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return malformed(error);
    }
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(said, _)| said);
    let path = Some(path.to_string()).filter(|path| path != ".").unwrap_or_default();
    if let Some(refused) = Refused::from_coded(message) {
        return named(refused, &path);
    }
    let (code, last) = match message.split_once(" field `") {
        Some(("missing", rest)) => (Refusal::MissingField, quoted(rest)),
        Some(("unknown", rest)) => (Refusal::UnknownField, quoted(rest)),
        Some(("duplicate", rest)) => (Refusal::MalformedField, quoted(rest)),
        _ => (Refusal::MalformedField, ""),
    };
    // The path of some of these ends at the record, of others at the field itself.
    let ends_there = last.is_empty() || path == last || path.ends_with(&format!(".{last}"));
    let path = match (ends_there, path.is_empty()) {
        (true, _) => path,
        (false, true) => last.to_string(),
        (false, false) => format!("{path}.{last}"),
    };
    named(Refused::new(code, message), &path)
}

fn named(refused: Refused, path: &str) -> Problem {
    let problem = Problem::from(refused);
    if path.is_empty() { problem } else { problem.at(path) }
}

fn quoted(rest: &str) -> &str {
    rest.split_once('`').map_or(rest, |(name, _)| name)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = format!("the JSON breaks at line {}, column {}", error.line(), error.column());
    Problem::new(Refusal::MalformedJson, detail)
}
