//! Compares an answer with what was expected of it.

use super::fill::{Captured, fill};
use super::format::{Expected, What};
use dunlin_tests::{Answer, Value};

/// Whether the answer is as expected; captures what it is told to. The error says what differs.
pub fn check(expected: &Expected, answer: &Answer, captured: &mut Captured) -> Result<(), String> {
    if answer.status != expected.status {
        return Err(format!("the status is {}", answer.status));
    }
    let media = answer.header("content-type").unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default();
    match &expected.what {
        What::Anything => {}
        What::Media(wanted) if essence != wanted => {
            return Err(format!("the media type is {media:?}"));
        }
        What::Media(_) => {}
        What::Refusal { code, field, row } => {
            refusal(answer, essence, code, field.as_deref(), *row)?
        }
    }
    for (name, wanted) in &expected.headers {
        let found = answer.header(name).map_or(Value::Null, Value::from);
        let wanted = filled(wanted, captured)?.into();
        matches(&wanted, &found, captured).map_err(|why| format!("the header {name}: {why}"))?;
    }
    body(&expected.body, essence, answer, captured)
}

/// What is expected is text, whatever bytes a request may have.
fn filled(text: &str, captured: &Captured) -> Result<String, String> {
    String::from_utf8(fill(text, captured)?).map_err(|e| e.to_string())
}

/// What every problem document has to be.
fn refusal(
    answer: &Answer,
    media: &str,
    code: &str,
    field: Option<&str>,
    row: Option<u64>,
) -> Result<(), String> {
    let problem = answer.json();
    let is = |name: &str, wanted: Value| {
        let found = &problem[name];
        if *found == wanted { Ok(()) } else { Err(format!("`{name}` is {found}, not {wanted}")) }
    };
    if media != "application/problem+json" {
        return Err(format!("the media type is {media:?}"));
    }
    is("code", code.into())?;
    is("field", field.map_or(Value::Null, Value::from))?;
    is("row", row.map_or(Value::Null, Value::from))?;
    is("status", answer.status.into())?;
    is("type", format!("https://dunlin.dev/errors#{code}").into())?;
    is("request_id", answer.header("x-request-id").map_or(Value::Null, Value::from))?;
    for name in ["title", "detail"] {
        if problem[name].as_str().is_none_or(str::is_empty) {
            return Err(format!("`{name}` says nothing"));
        }
    }
    Ok(())
}

fn body(
    expected: &str,
    media: &str,
    answer: &Answer,
    captured: &mut Captured,
) -> Result<(), String> {
    if expected.is_empty() {
        return Ok(());
    }
    let expected = filled(expected, captured)?;
    if media.ends_with("json") && media != "application/x-ndjson" {
        let wanted: Value = serde_json::from_str(&expected)
            .map_err(|e| format!("what is expected is no JSON: {e}"))?;
        return matches(&wanted, &answer.json(), captured);
    }
    let text = answer.text();
    for part in expected.lines().filter_map(|line| line.strip_prefix("@contains ")) {
        if !text.contains(part) {
            return Err(format!("the text does not contain {part:?}"));
        }
    }
    let plain: Vec<&str> =
        expected.lines().filter(|line| !line.starts_with("@contains ")).collect();
    let found: Vec<&str> = text.lines().collect();
    if plain.is_empty() || plain == found {
        return Ok(());
    }
    let differs = plain.iter().zip(&found).find(|(wanted, found)| wanted != found);
    Err(format!("the text differs: {differs:?}, {} lines and not {}", found.len(), plain.len()))
}

/// Whether the JSON found has everything that is wanted. Objects may have more members, arrays may not.
pub fn matches(wanted: &Value, found: &Value, captured: &mut Captured) -> Result<(), String> {
    match (wanted, found) {
        (Value::String(text), _) if text.starts_with('@') => special(text, found, captured),
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, wanted) in wanted {
                let found = found.get(name).unwrap_or(&Value::Null);
                matches(wanted, found, captured).map_err(|why| format!("`{name}`: {why}"))?;
            }
            Ok(())
        }
        (Value::Array(wanted), Value::Array(found)) => array(wanted, found, captured),
        _ if wanted == found => Ok(()),
        _ => Err(format!("{} is not {wanted}", shown(found))),
    }
}

/// `["@some", …]` wants each of the others somewhere; any other array wants exactly its entries in their order.
fn array(wanted: &[Value], found: &[Value], captured: &mut Captured) -> Result<(), String> {
    if wanted.first() == Some(&Value::from("@some")) {
        for wanted in &wanted[1..] {
            if !found.iter().any(|found| matches(wanted, found, captured).is_ok()) {
                return Err(format!("no entry is {wanted} in {}", shown(&found.into())));
            }
        }
        return Ok(());
    }
    if wanted.len() != found.len() {
        return Err(format!(
            "{} entries, not {}: {}",
            found.len(),
            wanted.len(),
            shown(&found.into())
        ));
    }
    for (at, (wanted, found)) in wanted.iter().zip(found).enumerate() {
        matches(wanted, found, captured).map_err(|why| format!("[{at}]: {why}"))?;
    }
    Ok(())
}

fn special(text: &str, found: &Value, captured: &mut Captured) -> Result<(), String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let said = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    let good = match word {
        "@any" => !found.is_null(),
        "@absent" => found.is_null(),
        "@contains" => said.contains(rest),
        "@starts" => said.starts_with(rest),
        "@not" => said != rest,
        "@capture" if !found.is_null() => {
            captured.insert(rest.to_owned(), said);
            return Ok(());
        }
        _ => false,
    };
    if good { Ok(()) } else { Err(format!("{} is not {text}", shown(found))) }
}

/// As much as a message may repeat.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(1500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dunlin_tests::json;

    #[test]
    fn a_subset_matches_and_a_difference_is_placed() {
        let found = json!({"a": 1, "b": [{"c": "x", "d": 2}, {"c": "y"}], "e": null});
        let mut captured = Captured::new();
        for wanted in [
            json!({"a": 1}),
            json!({"b": [{"c": "x"}, {"c": "@any"}]}),
            json!({"b": ["@some", {"c": "y"}]}),
            json!({"e": "@absent", "f": "@absent", "a": "@capture one"}),
            json!({"b": [{"c": "@contains x"}, {"c": "@not x"}]}),
        ] {
            matches(&wanted, &found, &mut captured).unwrap();
        }
        assert_eq!(captured["one"], "1");
        for (wanted, place) in [
            (json!({"a": 2}), "`a`: 1 is not 2"),
            (json!({"b": [{"c": "x"}]}), "`b`: 2 entries, not 1"),
            (json!({"b": [{"c": "x"}, {"c": "z"}]}), "`b`: [1]: `c`: "),
            (json!({"b": ["@some", {"c": "z"}]}), "`b`: no entry is"),
            (json!({"a": "@absent"}), "`a`: 1 is not @absent"),
            (json!({"a": "@unheard"}), "`a`: 1 is not @unheard"),
        ] {
            let why = matches(&wanted, &found, &mut captured).unwrap_err();
            assert!(why.starts_with(place), "{why}");
        }
    }
}
