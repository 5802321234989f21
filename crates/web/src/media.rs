//! Media types: of the bodies that come in, and of problems that go out.

use crate::{Answer, Problem, route::Takes};
use dunlin_domain::Refusal;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName},
};

/// The media type of an error, RFC 9457.
pub const PROBLEM: &str = "application/problem+json";

/// A problem as an answer.
pub(crate) fn problem(problem: &Problem, request_id: &str) -> Answer {
    let own = serde_json::to_value(problem.body(Some(request_id))).unwrap_or_default();
    let mut members = problem.members().clone();
    members.extend(own.as_object().cloned().unwrap_or_default());
    let body = serde_json::to_vec(&members).unwrap_or_default();
    let answer = Answer::of(PROBLEM, body).status(problem.status());
    problem.headers().into_iter().fold(answer, |answer, (name, value)| answer.header(name, value))
}

/// Checks that the body is in a form that the function reads, and gives the media type of a stream.
pub(crate) fn check(takes: &Takes, headers: &HeaderMap) -> Result<Option<&'static str>, Problem> {
    let offered: &'static [&'static str] = match takes {
        Takes::Nothing => return Ok(None),
        Takes::Json(_) => &["application/json"],
        Takes::Stream(media) => media,
    };
    let refused = |detail: String| Problem::new(Refusal::UnsupportedMediaType, detail);
    if text(headers, CONTENT_ENCODING)
        .is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"))
    {
        return Err(refused("a body that is compressed is not read; send it as it is".into()));
    }
    let sent = text(headers, CONTENT_TYPE).unwrap_or_default();
    let mut parts = sent.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = offered.iter().copied().find(|media| media.eq_ignore_ascii_case(essence));
    let media = known
        .ok_or_else(|| refused(format!("the Content-Type is one of {}", offered.join(", "))))?;
    for part in parts {
        if let Some((name, value)) = part.split_once('=') {
            charset(name.trim(), value.trim().trim_matches('"'))?;
        }
    }
    Ok(Some(media))
}

/// US-ASCII is a part of UTF-8; anything else would be read wrongly.
fn charset(name: &str, value: &str) -> Result<(), Problem> {
    let utf8 = ["utf-8", "utf8", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(value));
    if utf8 || !name.eq_ignore_ascii_case("charset") {
        return Ok(());
    }
    let shown: String = value.chars().take(40).collect();
    Err(Problem::new(
        Refusal::WrongEncoding,
        format!("the body is read as UTF-8, and the Content-Type says {shown}"),
    ))
}

/// The text of a header; what is not ASCII counts as absent.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
