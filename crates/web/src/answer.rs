//! What a handler gives back.

use crate::{Csv, Media, Problem};
use bytes::Bytes;
use dunlin_app::ledger::Change;
use serde::Serialize;

/// An answer to a client, before the headers that all answers have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) media: String,
    pub(crate) body: Bytes,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) rows: Option<u64>,
}

impl Answer {
    /// A body of any media type, status 200.
    pub fn of(media: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            media: media.to_string(),
            body: body.into(),
            headers: Vec::new(),
            rows: None,
        }
    }

    /// A record of the contract, status 200.
    pub fn json<T: Serialize>(value: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value)
            .map_err(|e| Problem::internal(format!("an answer has no JSON: {e}")))?;
        Ok(Self::of(Media::Json.name(), body))
    }

    /// The same record with a list, which is JSON already, in the place of its list of this name that is empty.
    #[must_use]
    pub fn with_list(mut self, name: &str, list: &str) -> Self {
        // Within a text a quote has a backslash before it, so that this is no part of one.
        let empty = format!("\"{name}\":[]");
        let found = str::from_utf8(&self.body).ok().and_then(|body| body.split_once(&empty));
        if let Some((before, after)) = found {
            self.body = format!("{before}\"{name}\":{list}{after}").into();
        }
        self
    }

    /// A record of the contract that was made just now, status 201.
    pub fn created<T: Serialize>(value: &T) -> Result<Self, Problem> {
        Ok(Self::json(value)?.status(201))
    }

    /// A table, status 200.
    pub fn csv(table: Csv) -> Self {
        Self::of(Media::Csv.content_type(), table.into_bytes())
    }

    /// Records of the contract, one a line, status 200.
    pub fn ndjson<T: Serialize>(records: &[T]) -> Result<Self, Problem> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record)
                .map_err(|e| Problem::internal(format!("an answer has no JSON: {e}")))?;
            lines.push(b'\n');
        }
        Ok(Self::of(Media::Ndjson.content_type(), lines))
    }

    /// The same answer with the cursor of the next page in the header `dunlin-next`, for formats without a place for it.
    #[must_use]
    pub fn paged(self, next: Option<String>) -> Self {
        match next {
            Some(next) => self.header("dunlin-next", next),
            None => self,
        }
    }

    /// A picture, status 200.
    pub fn svg(picture: String) -> Self {
        Self::of(Media::Svg.content_type(), picture)
    }

    /// The same answer, which says whether a write changed anything: 201 for what is new, and always the header
    /// `dunlin-outcome`.
    #[must_use]
    pub fn outcome(self, change: Change) -> Self {
        let (status, word) = match change {
            Change::Made => (201, "made"),
            Change::Replaced => (200, "replaced"),
            Change::AlreadySo => (200, "already-so"),
        };
        self.status(status).header("dunlin-outcome", word)
    }

    /// The same answer with another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same answer with the number of records it is about, for the log.
    #[must_use]
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }
}
