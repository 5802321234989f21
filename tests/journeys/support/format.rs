//! Reads a journey out of its text.

use std::path::{Path, PathBuf};

/// A journey: settings of the application, then requests with their answers.
#[derive(Debug, Default)]
pub struct Journey {
    pub path: PathBuf,
    /// `@set name = value` before the first step: variables of the application.
    pub settings: Vec<(String, String)>,
    pub steps: Vec<Step>,
}

/// One request and what its answer has to be.
#[derive(Debug, Default, Clone)]
pub struct Step {
    pub title: String,
    /// The line of its title, for messages.
    pub line: usize,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// `@chunked: BYTES` among the headers.
    pub chunked: Option<String>,
    /// `@until: FIELD` among the headers: asked again until this field of the answer is true.
    pub until: Option<String>,
    /// `@form: FORM` among the headers: how the body is written, such as `utf-16`.
    pub form: Option<String>,
    pub body: Vec<String>,
    pub expected: Expected,
}

/// What an answer has to be.
#[derive(Debug, Default, Clone)]
pub struct Expected {
    pub status: u16,
    pub what: What,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What stands after the status.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum What {
    /// Nothing: only the status counts.
    #[default]
    Anything,
    /// A media type, without its parameters.
    Media(String),
    /// The code of a problem, and its field and row, which are absent where they are not named.
    Refusal { code: String, field: Option<String>, row: Option<u64> },
}

impl Journey {
    pub fn load(path: &Path) -> Journey {
        let text = std::fs::read_to_string(path).unwrap();
        let mut journey = Journey::parse(&text)
            .unwrap_or_else(|(line, why)| panic!("{}:{line}: {why}", path.display()));
        journey.path = path.to_path_buf();
        journey
    }

    pub fn parse(text: &str) -> Result<Journey, (usize, String)> {
        let mut journey = Journey::default();
        let lines: Vec<&str> = text.lines().collect();
        let starts: Vec<usize> =
            (0..lines.len()).filter(|at| lines[*at].starts_with("### ")).collect();
        for (at, line) in
            lines.iter().enumerate().take(starts.first().copied().unwrap_or(lines.len()))
        {
            if let Some(setting) = line.strip_prefix("@set ") {
                let (name, value) = setting
                    .split_once(" = ")
                    .ok_or((at + 1, "write `@set name = value`".to_owned()))?;
                journey.settings.push((name.to_owned(), value.to_owned()));
            } else if !line.is_empty() && !line.starts_with("# ") {
                return Err((at + 1, format!("{line:?} stands before the first step")));
            }
        }
        for (nth, start) in starts.iter().enumerate() {
            let end = starts.get(nth + 1).copied().unwrap_or(lines.len());
            journey.steps.push(Step::parse(&lines[*start..end], start + 1)?);
        }
        if journey.steps.is_empty() { Err((1, "there is no step".to_owned())) } else { Ok(journey) }
    }
}

impl Step {
    fn parse(lines: &[&str], first: usize) -> Result<Step, (usize, String)> {
        let at = |line: usize, why: &str| (first + line, why.to_owned());
        let mut step = Step { title: lines[0][4..].to_owned(), line: first, ..Step::default() };
        let arrow = lines
            .iter()
            .position(|line| line.starts_with("=> "))
            .ok_or(at(0, "the step expects nothing"))?;
        let (request, answer) = (&lines[1..arrow], &lines[arrow..]);
        let line = request.first().ok_or(at(1, "there is no request"))?;
        let (method, path) = line.split_once(' ').ok_or(at(1, "write `METHOD /path`"))?;
        (step.method, step.path) = (method.to_owned(), path.trim().to_owned());
        let mut place = 1;
        while let Some(line) = request.get(place).filter(|line| !line.is_empty()) {
            // A path too long for a line goes on in the next.
            if let Some(more) = line.strip_prefix("    ") {
                step.path.push_str(more.trim());
                place += 1;
                continue;
            }
            let (name, value) =
                line.split_once(": ").ok_or(at(place + 1, "write `Name: value`"))?;
            match name {
                "@chunked" => step.chunked = Some(value.to_owned()),
                "@until" => step.until = Some(value.to_owned()),
                "@form" => step.form = Some(value.to_owned()),
                _ => step.headers.push((name.to_owned(), value.to_owned())),
            }
            place += 1;
        }
        step.body = request.iter().skip(place + 1).map(|line| (*line).to_owned()).collect();
        while step.body.last().is_some_and(String::is_empty) {
            step.body.pop();
        }
        step.expected = Expected::parse(answer).map_err(|why| at(arrow, &why))?;
        Ok(step)
    }
}

impl Expected {
    fn parse(lines: &[&str]) -> Result<Expected, String> {
        let mut words = lines[0][3..].split_whitespace();
        let status = words.next().and_then(|word| word.parse().ok()).ok_or("write `=> STATUS`")?;
        let mut expected = Expected { status, ..Expected::default() };
        if let Some(word) = words.next() {
            expected.what = if word.contains('/') {
                What::Media(word.to_owned())
            } else {
                refusal(word, words)?
            };
        }
        let mut rest = &lines[1..];
        while let Some((line, after)) = rest.split_first().filter(|(line, _)| !line.is_empty()) {
            let (name, value) = line
                .split_once(": ")
                .ok_or(format!("{line:?} is no header; leave a line empty"))?;
            expected.headers.push((name.to_ascii_lowercase(), value.to_owned()));
            rest = after;
        }
        let body = rest.iter().skip_while(|line| line.is_empty()).copied().collect::<Vec<_>>();
        expected.body = body.join("\n").trim_end().to_owned();
        Ok(expected)
    }
}

/// `code field=NAME row=NUMBER`, the last two where they are expected. A field may hold spaces no more than a name.
fn refusal<'a>(code: &str, words: impl Iterator<Item = &'a str>) -> Result<What, String> {
    let (mut field, mut row) = (None, None);
    for word in words {
        match word.split_once('=') {
            Some(("field", name)) => field = Some(name.to_owned()),
            Some(("row", number)) => row = Some(number.parse().map_err(|_| "a row is a number")?),
            _ => return Err(format!("{word:?} is neither `field=` nor `row=`")),
        }
    }
    Ok(What::Refusal { code: code.to_owned(), field, row })
}

/// All journeys of a folder, in the order of their names.
pub fn folder(path: &Path) -> Vec<Journey> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "http")).collect();
    paths.sort();
    paths.iter().map(|path| Journey::load(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journey_is_read() {
        let text = "# About.\n@set body_limit = 10\n\n### one\nPOST /a\n    ?b=c\nX: y\n@chunked: 5\n\nline\n\nline\n\n\
                    => 422 unknown-id field=id row=2\nretry-after: 2\n\n{\"a\": 1}\n\n### two\nGET /b\n\n=> 200 text/csv\n\na,b\n";
        let journey = Journey::parse(text).unwrap();
        assert_eq!(journey.settings, [("body_limit".to_owned(), "10".to_owned())]);
        let [one, two] = &journey.steps[..] else { panic!("{journey:?}") };
        assert_eq!((one.title.as_str(), one.line, one.path.as_str()), ("one", 4, "/a?b=c"));
        assert_eq!(
            (one.chunked.as_deref(), &one.body[..]),
            (Some("5"), &["line".to_owned(), String::new(), "line".to_owned()][..])
        );
        let refused =
            What::Refusal { code: "unknown-id".into(), field: Some("id".into()), row: Some(2) };
        assert_eq!((one.expected.status, &one.expected.what), (422, &refused));
        assert_eq!((one.expected.headers.len(), one.expected.body.as_str()), (1, "{\"a\": 1}"));
        assert_eq!(
            (&two.expected.what, two.expected.body.as_str()),
            (&What::Media("text/csv".into()), "a,b")
        );
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line) in [
            ("", 1),
            ("x\n### a\nGET /\n\n=> 200", 1),
            ("### a\nGET /\n", 1),
            ("### a\nGET /\n\n=> x", 4),
        ] {
            assert_eq!(Journey::parse(text).unwrap_err().0, line, "{text:?}");
        }
    }
}
