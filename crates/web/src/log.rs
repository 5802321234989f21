//! One line for each request. No query, no body, no name and no id of a customer ever stands in it.

use crate::Problem;
use dunlin_domain::Instant;
use serde::Serialize;

/// What the log keeps of a request.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    pub at: Instant,
    pub level: &'static str,
    pub request_id: &'a str,
    pub component: &'static str,
    /// The operation id; absent where no function was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    pub status: u16,
    pub ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<&'a str>,
    /// How many records the answer is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// The code of the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What went wrong on our side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'a str>,
}

impl Line<'_> {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `error` asks for somebody's attention, `warn` for the caller's.
pub(crate) fn level(status: u16, problem: Option<&Problem>) -> &'static str {
    match status {
        500.. if problem.is_none_or(|problem| problem.cause().is_some()) => "error",
        400.. => "warn",
        _ => "info",
    }
}
