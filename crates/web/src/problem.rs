//! The one maker of errors.

use crate::status;
use dunlin_domain::{Refusal, Refused, contract::types::Problem as Body};
use dunlin_store::Fault;

/// An error on its way to a client: a refusal, and what only the log may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    refused: Refused,
    more: Box<More>,
}

/// What few problems have; apart, so that every `Result` of a request stays small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    row: Option<u64>,
    cause: Option<String>,
    allow: Option<String>,
    beside: serde_json::Map<String, serde_json::Value>,
}

/// What a client is told of a fault on our side.
const INTERNAL: &str = "something failed on our side; the log has the reason under the request id";

impl Problem {
    /// A problem that no single field is to blame for.
    pub fn new(code: Refusal, detail: impl Into<String>) -> Self {
        Refused::new(code, detail).into()
    }

    /// A fault on our side. The cause goes to the log and never to the client.
    pub fn internal(cause: impl Into<String>) -> Self {
        let mut problem = Self::new(Refusal::Internal, INTERNAL);
        problem.more.cause = Some(cause.into());
        problem
    }

    /// The same problem with the field, column or parameter at fault, unless one was named already.
    #[must_use]
    pub fn at(self, field: &str) -> Self {
        Self { refused: self.refused.at(field), ..self }
    }

    /// The same problem with the row at fault.
    #[must_use]
    pub fn row(mut self, row: u64) -> Self {
        self.more.row = Some(row);
        self
    }

    /// The row at fault, where one is.
    pub fn of_row(&self) -> Option<u64> {
        self.more.row
    }

    /// The same problem with the methods that would be right.
    #[must_use]
    pub fn allow(mut self, methods: String) -> Self {
        self.more.allow = Some(methods);
        self
    }

    /// The same problem with the members of a record beside its own, as RFC 9457 lets a problem be extended.
    #[must_use]
    pub fn beside<T: serde::Serialize>(mut self, record: &T) -> Self {
        if let Ok(serde_json::Value::Object(members)) = serde_json::to_value(record) {
            self.more.beside = members;
        }
        self
    }

    /// The members beside its own.
    pub fn members(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.more.beside
    }

    /// Why, for programs.
    pub fn code(&self) -> Refusal {
        self.refused.code
    }

    /// Why, for a person.
    pub fn detail(&self) -> &str {
        &self.refused.detail
    }

    /// The field, column or parameter at fault.
    pub fn field(&self) -> Option<&str> {
        self.refused.field.as_deref()
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        status::of(self.code())
    }

    /// What the log is told beyond the code.
    pub fn cause(&self) -> Option<&str> {
        self.more.cause.as_deref()
    }

    /// Headers that belong to this problem and to no other.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        headers.extend(
            status::retry_after(self.code()).map(|seconds| ("retry-after", seconds.to_string())),
        );
        headers.extend(self.more.allow.clone().map(|methods| ("allow", methods)));
        if self.status() == 401 {
            headers.push(("www-authenticate", "Bearer realm=\"dunlin\"".to_string()));
        }
        headers
    }

    /// The problem as the contract has it.
    pub fn body(&self, request_id: Option<&str>) -> Body {
        let code = self.code();
        Body {
            r#type: format!("https://dunlin.dev/errors#{code}"),
            title: title(code),
            status: self.status(),
            code,
            detail: self.refused.detail.clone(),
            field: self.refused.field.clone(),
            row: self.more.row,
            request_id: request_id.map(str::to_string),
        }
    }
}

/// `body-too-large` as `Body too large`.
pub fn title(code: Refusal) -> String {
    let mut letters = code.name().chars().map(|c| if c == '-' { ' ' } else { c });
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self { refused, more: Box::default() }
    }
}

impl From<crate::decode::Fault> for Problem {
    fn from(fault: crate::decode::Fault) -> Self {
        let mut problem = Self::from(fault.refused);
        problem.more.row = fault.row;
        problem
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refused) => refused.into(),
            Fault::Locked => {
                Self::new(Refusal::DatabaseBusy, "the database is locked by other work")
            }
            Fault::Db(cause) => Self::internal(cause),
        }
    }
}
