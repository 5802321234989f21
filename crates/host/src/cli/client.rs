//! Calls a running application over HTTP or HTTPS.

use super::Target;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use std::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, default_send_request};

/// How long to wait for the application to take the connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long to wait for an answer: an import of a million rows is answered when it is done.
const ANSWER: Duration = Duration::from_secs(3600);

/// An application and a key to it.
pub struct Client {
    base: Uri,
    authorization: String,
    language: String,
}

/// An answer that is a refusal: the application's problem document.
#[derive(Debug)]
pub struct Refused {
    status: u16,
    pub problem: Value,
}

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |name| self.problem[name].as_str();
        let code = word("code").unwrap_or_default();
        let reason = word("detail").or(word("title")).unwrap_or("no reason was given");
        write!(f, "the application refused with {} {code}: {reason}", self.status)
    }
}

/// Runs a command that waits for the network; one thread is enough for it.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

impl Client {
    pub fn new(target: &Target) -> Result<Client> {
        Client::at(&target.url, &target.key)
    }

    pub fn at(url: &str, key: &str) -> Result<Client> {
        let base: Uri = url
            .trim_end_matches('/')
            .parse()
            .ok()
            .filter(|uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")))
            .with_context(|| format!("{url:?} is not an address such as http://127.0.0.1:3000"))?;
        Ok(Client { base, authorization: format!("Bearer {key}"), language: "en".to_owned() })
    }

    /// Asks for texts in this language.
    pub fn with_language(self, language: &str) -> Client {
        Client { language: language.to_owned(), ..self }
    }

    /// The JSON answer to a GET.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None, Full::default()).await
    }

    /// The JSON answer to a POST of `body`.
    pub async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value> {
        let (kind, bytes) = match body {
            Some(value) => (Some("application/json"), Bytes::from(value.to_string())),
            None => (None, Bytes::new()),
        };
        self.call(Method::POST, path, kind, Full::new(bytes)).await
    }

    /// The JSON answer to a PUT of `body`.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        let bytes = Bytes::from(body.to_string());
        self.call(Method::PUT, path, Some("application/json"), Full::new(bytes)).await
    }

    /// The JSON answer to a request. An answer that is a refusal becomes the error [`Refused`].
    pub async fn call<B>(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: B,
    ) -> Result<Value>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::fmt::Display,
    {
        let (status, body) = self.send(method, path, content_type, body).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(answer);
        }
        Err(Refused { status: status.as_u16(), problem: answer }.into())
    }

    /// The body of the answer to a GET, whatever its format.
    pub async fn text(&self, path: &str) -> Result<Bytes> {
        let (status, body) = self.send(Method::GET, path, None, Full::<Bytes>::default()).await?;
        if status.is_success() {
            return Ok(body);
        }
        let problem = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Err(Refused { status: status.as_u16(), problem }.into())
    }

    async fn send<B>(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: B,
    ) -> Result<(http::StatusCode, Bytes)>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::fmt::Display,
    {
        let uri: Uri = format!("{}{path}", self.base.to_string().trim_end_matches('/')).parse()?;
        let host = uri.authority().context("the address names no host")?.to_string();
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::HOST, host)
            .header(header::ACCEPT, "application/json, text/csv;q=0.5")
            .header(header::ACCEPT_LANGUAGE, &self.language)
            .header(header::AUTHORIZATION, &self.authorization);
        if let Some(kind) = content_type {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let body = body.map_err(|error| Error::InternalError(Some(error.to_string())));
        send(request.body(body)?)
            .await
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| format!("cannot reach {}; is `dunlin up` running?", self.base))
    }
}

async fn send(
    request: Request<impl Body<Data = Bytes, Error = Error> + Send + 'static>,
) -> Result<(http::StatusCode, Bytes), Error> {
    let options = RequestOptions {
        connect_timeout: Some(CONNECT),
        first_byte_timeout: Some(ANSWER),
        between_bytes_timeout: Some(ANSWER),
    };
    let (response, io) = default_send_request(request, Some(options)).await?;
    let (parts, body) = response.into_parts();
    let (body, _) = tokio::join!(body.collect(), io);
    Ok((parts.status, body?.to_bytes()))
}

/// A text as part of a path or a query.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_escaped() {
        assert_eq!(escape("a-B_9.~"), "a-B_9.~");
        assert_eq!(escape("a/b c&ü"), "a%2Fb%20c%26%C3%BC");
    }

    #[test]
    fn an_address_needs_a_scheme() {
        for (url, good) in [
            ("http://127.0.0.1:3000", true),
            ("https://dunlin.example/", true),
            ("127.0.0.1:3000", false),
            ("ftp://x", false),
            ("", false),
        ] {
            assert_eq!(Client::at(url, "k").is_ok(), good, "{url}");
        }
    }
}
