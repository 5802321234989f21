//! Runs journeys.

use super::expect;
use super::fill::{Captured, fill};
use super::format::{Journey, Step};
use dunlin_tests::{Answer, App, Request, Setup};

/// How often an answer may say that it is not done.
const ROUNDS: u32 = 200;

/// Runs each journey against a fresh application and reports all that differ.
pub fn run(journeys: &[Journey]) {
    let failures: Vec<String> =
        journeys.iter().filter_map(|journey| run_one(journey).err()).collect();
    assert!(failures.is_empty(), "\n\n{}\n", failures.join("\n\n"));
}

fn run_one(journey: &Journey) -> Result<(), String> {
    let mut setup = Setup::new();
    for (name, value) in &journey.settings {
        setup = if value == "none" { setup.without(name) } else { setup.variable(name, value) };
    }
    let app = setup.start();
    let mut captured = Captured::new();
    let name = journey.path.file_name().unwrap_or_default().to_string_lossy();
    let folder = journey.path.parent().and_then(|folder| folder.file_name()).unwrap_or_default();
    let name = format!("{}/{name}", folder.to_string_lossy());
    for step in &journey.steps {
        walk(step, &app, &mut captured)
            .map_err(|why| format!("{name}:{}: {}\n{why}", step.line, step.title))?;
    }
    books_hold(&app).map_err(|why| format!("{name}: at its end\n{why}"))
}

/// Whatever a journey did, the books hold at its end.
fn books_hold(app: &App) -> Result<(), String> {
    let answer = app.get("/v1/ingest/verification");
    // Without an admin key nothing can be asked, and nothing was written.
    let holds = answer.status == 503 || (answer.status == 200 && answer.json()["ok"] == true);
    if holds { Ok(()) } else { Err(format!("the books do not hold: {answer:?}")) }
}

fn walk(step: &Step, app: &App, captured: &mut Captured) -> Result<(), String> {
    let request = request(step, app, captured)?;
    let mut answer = request.send();
    if let Some(field) = &step.until {
        for _ in 0..ROUNDS {
            if answer.status != step.expected.status || answer.json()[field] == true {
                break;
            }
            answer = request.send();
        }
    }
    let differs = |why: String| format!("{why}\nthe answer was {answer:?}");
    expect::check(&step.expected, &answer, captured).map_err(differs)?;
    every_answer(&answer).map_err(differs)
}

/// What holds for all answers of the components.
fn every_answer(answer: &Answer) -> Result<(), String> {
    for (name, wanted) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
        if answer.header(name) != Some(wanted) {
            return Err(format!("the header {name} is {:?}", answer.header(name)));
        }
    }
    if answer.header("x-request-id").is_none() {
        Err("there is no x-request-id".into())
    } else {
        Ok(())
    }
}

fn request(step: &Step, app: &App, captured: &Captured) -> Result<Request, String> {
    let fill = |text: &str| fill(text, captured);
    let text = |text: &str| Ok::<_, String>(String::from_utf8_lossy(&fill(text)?).into_owned());
    let mut request = app.request(&step.method, &text(&step.path)?);
    for (name, value) in &step.headers {
        let value = text(value)?;
        if name.eq_ignore_ascii_case("authorization") {
            request = request.without_key();
        }
        if value != "none" {
            request = request.header(name, value);
        }
    }
    let mut body = Vec::new();
    for line in &step.body {
        match line.strip_prefix("@repeat ").and_then(|rest| rest.split_once(' ')) {
            Some((times, line)) => {
                let times: u64 = times.parse().map_err(|_| "write `@repeat TIMES LINE`")?;
                for n in 1..=times {
                    body.extend(fill(&line.replace("{{n}}", &n.to_string()))?);
                    body.push(b'\n');
                }
            }
            None => {
                body.extend(fill(line)?);
                body.push(b'\n');
            }
        }
    }
    let named = step.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !body.is_empty() && !named {
        request = request.header("content-type", "application/json");
    }
    if let Some(chunk) = &step.chunked {
        request = request.chunked(chunk.parse().map_err(|_| "write `@chunked: BYTES`")?);
    }
    Ok(request.bytes(formed(body, step.form.as_deref())?))
}

/// The body in the form that `@form` names.
fn formed(body: Vec<u8>, form: Option<&str>) -> Result<Vec<u8>, String> {
    let text = || String::from_utf8(body.clone()).map_err(|e| e.to_string());
    Ok(match form {
        None => body,
        Some("crlf") => text()?.replace('\n', "\r\n").into_bytes(),
        Some("bom") => [b"\xEF\xBB\xBF", &body[..]].concat(),
        Some("no-last-line-end") => text()?.trim_end().to_owned().into_bytes(),
        Some("utf-16") => {
            let units = "\u{FEFF}".encode_utf16().chain(text()?.encode_utf16().collect::<Vec<_>>());
            units.flat_map(u16::to_le_bytes).collect()
        }
        Some(other) => return Err(format!("`{other}` is no form of a body")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_written_in_its_form() {
        assert_eq!(formed(b"a\nb\n".to_vec(), Some("crlf")).unwrap(), b"a\r\nb\r\n");
        assert_eq!(formed(b"a".to_vec(), Some("utf-16")).unwrap(), b"\xFF\xFEa\0");
        assert_eq!(formed(b"a".to_vec(), Some("bom")).unwrap(), b"\xEF\xBB\xBFa");
        assert!(formed(Vec::new(), Some("morse")).is_err());
    }
}
