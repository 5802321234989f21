//! JSON bodies: read strictly, and refused with the field at fault.
//!
//! A reader that follows the path would be compiled once for each record, which made a third of a component. The reader
//! says where in the text it stopped, and the path follows from that.

use crate::{Problem, decode::encoding};
use dunlin_domain::{Refusal, Refused};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

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
    serde_json::from_str(text).map_err(|error| refusal(text, &error))
}

/// Decodes what was read of a row, as [`decode`] does a body.
pub fn decode_record<T: DeserializeOwned>(record: &Map<String, Value>) -> Result<T, Problem> {
    let text = serde_json::to_vec(record).map_err(|error| Problem::internal(error.to_string()))?;
    decode(&text)
}

/// A byte order mark is left out, as RFC 8259 §8.1 allows; any other encoding is named.
fn utf8(body: &[u8]) -> Result<&str, Problem> {
    let text = body.get(encoding::byte_order_mark(body)?..).unwrap_or_default();
    std::str::from_utf8(text).map_err(|_| encoding::refused(text).into())
}

fn refusal(text: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return malformed(error);
    }
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(said, _)| said);
    let path = path_at(text, error.line(), error.column());
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

/// A step of a path.
enum Step {
    /// Inside an object: the key that was read last, until its value and the comma after it are read.
    Object(Option<String>),
    /// Inside a list: the place.
    List(usize),
}

/// The path to what stands before a line and column of valid JSON, such as `credit_limit.currency` or `parts[1].minor`.
fn path_at(text: &str, line: usize, column: usize) -> String {
    let before =
        text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let end = before.saturating_add(column).min(text.len());
    let mut steps: Vec<Step> = Vec::new();
    let mut bytes = text.bytes().enumerate().take(end).peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' => steps.push(Step::Object(None)),
            b'[' => steps.push(Step::List(0)),
            b'}' | b']' => drop(steps.pop()),
            b',' => match steps.last_mut() {
                Some(Step::Object(key)) => *key = None,
                Some(Step::List(place)) => *place = place.saturating_add(1),
                None => {}
            },
            b'"' => {
                let mut last = at.saturating_add(1);
                while let Some((place, byte)) = bytes.next() {
                    last = place.saturating_add(1);
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
                if let Some(Step::Object(key @ None)) = steps.last_mut() {
                    *key = serde_json::from_str(text.get(at..last).unwrap_or_default()).ok();
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Object(Some(key)) if path.is_empty() => path = key,
            Step::Object(Some(key)) => path = format!("{path}.{key}"),
            Step::List(place) => path = format!("{path}[{place}]"),
            Step::Object(None) => {}
        }
    }
    path
}
