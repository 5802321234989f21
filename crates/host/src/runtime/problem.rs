//! What the runtime itself answers when no component does: `application/problem+json`, as the components do.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::WasiBody;

/// A refusal of the runtime. Its details are in the log, never in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No route matches the path.
    NotFound,
    /// The request cannot be understood, for example it has no host.
    BadRequest,
    /// The client stopped sending the body.
    Stalled,
    /// The component trapped, or could not be started.
    Internal,
    /// The component used up its time.
    Overrun,
}

impl Problem {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Problem::NotFound => {
                (StatusCode::NOT_FOUND, "not-found", "No route matches this path.")
            }
            Problem::BadRequest => {
                (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be understood.")
            }
            Problem::Stalled => (
                StatusCode::REQUEST_TIMEOUT,
                "body-stalled",
                "The request body stopped before its end.",
            ),
            Problem::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The request failed inside the application.",
            ),
            Problem::Overrun => (
                StatusCode::GATEWAY_TIMEOUT,
                "overrun",
                "The application took longer than it is allowed to.",
            ),
        }
    }

    /// The answer for the client.
    pub fn response(self) -> Response<WasiBody> {
        let (status, code, title) = self.parts();
        let body = serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "code": code,
        });
        let body = Full::new(Bytes::from(body.to_string()));
        let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self == Problem::Stalled {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
