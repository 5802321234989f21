//! One POST through WASI 0.2's outgoing handler.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use wasip2::io::streams::StreamError;

/// How long the application may take for one slice; it promises to answer within 20 seconds.
const DEADLINE_NANOSECONDS: u64 = 45_000_000_000;

/// Answers of the functions called here are a few hundred bytes; of a longer one the rest is not read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What came back.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// Whether the function says `"done": false`: it has more to do and wants to be called again.
    pub fn wants_another_call(&self) -> bool {
        let compact: String = self.body.chars().filter(|c| !c.is_whitespace()).collect();
        compact.contains(r#""done":false"#)
    }
}

/// Sends an empty POST with the key as bearer and waits for the whole answer.
pub fn post(url: &str, key: &str) -> Result<Answer, String> {
    let request = request(url, key)?;
    let body = request.body().map_err(|()| "the request has no body")?;
    OutgoingBody::finish(body, None).map_err(|error| format!("{error:?}"))?;
    let options = RequestOptions::new();
    for set in [
        RequestOptions::set_connect_timeout,
        RequestOptions::set_first_byte_timeout,
        RequestOptions::set_between_bytes_timeout,
    ] {
        set(&options, Some(DEADLINE_NANOSECONDS)).map_err(|()| "the host has no deadlines")?;
    }
    let pending = outgoing_handler::handle(request, Some(options))
        .map_err(|error| format!("{url} cannot be called: {error:?}"))?;
    pending.subscribe().block();
    let response = pending
        .get()
        .ok_or("the answer is not there yet")?
        .map_err(|()| "the answer was taken already")?
        .map_err(|error| format!("{url} did not answer: {error:?}"))?;
    Ok(Answer { status: response.status(), body: read(&response)? })
}

fn request(url: &str, key: &str) -> Result<OutgoingRequest, String> {
    let wrong = || format!("{url:?} is not a URL such as http://127.0.0.1:3000/v1/sweep");
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(wrong()),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let headers = Fields::new();
    let authorization = format!("Bearer {key}").into_bytes();
    for (name, value) in [("authorization", authorization), ("content-length", b"0".to_vec())] {
        headers.append(name, &value).map_err(|error| format!("the key is refused: {error:?}"))?;
    }
    let request = OutgoingRequest::new(headers);
    request.set_method(&Method::Post).map_err(|()| wrong())?;
    request.set_scheme(Some(&scheme)).map_err(|()| wrong())?;
    request.set_authority(Some(authority)).map_err(|()| wrong())?;
    request.set_path_with_query(Some(path)).map_err(|()| wrong())?;
    Ok(request)
}

fn read(response: &IncomingResponse) -> Result<String, String> {
    let body: IncomingBody = response.consume().map_err(|()| "the answer has no body")?;
    let stream = body.stream().map_err(|()| "the answer has no body")?;
    let mut bytes = Vec::new();
    while bytes.len() < LONGEST_ANSWER {
        match stream.blocking_read(8 * 1024) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(format!("the answer broke off: {}", error.to_debug_string()));
            }
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
