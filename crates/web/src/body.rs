//! The body of a request: counted, hashed, and given up when it stalls.

use crate::{Env, Problem};
use bytes::Bytes;
use dunlin_domain::Refusal;
use http_body::{Body as HttpBody, Frame};
use sha2::{Digest, Sha256};
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// A body by whatever server, its errors as text for the log.
pub(crate) type Source<'r> = Pin<Box<dyn HttpBody<Data = Bytes, Error = String> + 'r>>;

/// How long a client may stay silent in the middle of a body. Longer than any pause of a network that still works.
pub const STALL_SECONDS: u32 = 30;

/// A body of which some may have been read.
pub(crate) struct Body<'r> {
    source: Option<Source<'r>>,
    limit: u64,
    count: u64,
    announced: Option<u64>,
    hash: Option<Sha256>,
    whole: Vec<u8>,
    cut: bool,
}

impl<'r> Body<'r> {
    /// `head` is hashed first, so that the hash is that of the whole request. A body that announces itself over the
    /// limit is refused unread.
    pub fn new(
        source: Source<'r>,
        limit: u64,
        announced: Option<u64>,
        head: &str,
    ) -> Result<Self, Problem> {
        if announced.is_some_and(|announced| announced > limit) {
            return Err(too_large(limit));
        }
        let hash = Some(Sha256::new_with_prefix(head));
        Ok(Self {
            source: Some(source),
            limit,
            count: 0,
            announced,
            hash,
            whole: Vec::new(),
            cut: false,
        })
    }

    /// A body that is not there.
    pub fn none() -> Self {
        let hash = None;
        Self {
            source: None,
            limit: 0,
            count: 0,
            announced: None,
            hash,
            whole: Vec::new(),
            cut: false,
        }
    }

    /// Leaves the hash away, which nobody will ask for: it is a good part of the work for a large file.
    pub fn unhashed(&mut self) {
        self.hash = None;
    }

    /// What [`Body::read_whole`] read.
    pub fn whole(&self) -> &[u8] {
        &self.whole
    }

    /// Whether the end was seen, so that the hash is that of the whole.
    pub fn is_read(&self) -> bool {
        self.source.is_none() && !self.cut
    }

    /// The SHA-256 of method, path, query and what was read of the body.
    pub fn hash(&self) -> [u8; 32] {
        self.hash.clone().unwrap_or_default().finalize().into()
    }

    /// Reads to the end and keeps it all.
    pub async fn read_whole(&mut self, env: &dyn Env) -> Result<(), Problem> {
        while let Some(chunk) = self.next(env).await {
            let chunk = chunk?;
            match self.whole.is_empty() {
                true => self.whole = chunk.into(),
                false => self.whole.extend_from_slice(&chunk),
            }
        }
        Ok(())
    }

    /// Reads to the end for the hash alone.
    pub async fn read_away(&mut self, env: &dyn Env) -> Result<(), Problem> {
        while let Some(chunk) = self.next(env).await {
            chunk?;
        }
        Ok(())
    }

    /// The next bytes, never none of them; `None` at the end. After a problem there is nothing more.
    pub async fn next(&mut self, env: &dyn Env) -> Option<Result<Bytes, Problem>> {
        loop {
            let taken = match frame(self.source.as_mut()?, env).await {
                Some(frame) => frame.and_then(|frame| self.take(frame)),
                None => {
                    self.source = None;
                    let short = self.check_end().err();
                    self.cut = short.is_some();
                    return short.map(Err);
                }
            };
            match taken {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => {
                    // Nothing comes after what was announced: to wait for its end would be one turn of the host more.
                    if self.announced == Some(self.count) {
                        self.source = None;
                    }
                    return Some(Ok(chunk));
                }
                Err(problem) => {
                    (self.source, self.cut) = (None, true);
                    return Some(Err(problem));
                }
            }
        }
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Bytes, Problem> {
        let chunk = frame.into_data().unwrap_or_default();
        self.count = self.count.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if self.count > self.limit {
            return Err(too_large(self.limit));
        }
        if let Some(hash) = &mut self.hash {
            hash.update(&chunk);
        }
        Ok(chunk)
    }

    fn check_end(&self) -> Result<(), Problem> {
        match self.announced {
            Some(announced) if announced != self.count => {
                Err(incomplete(format!("{announced} bytes were announced and {} came", self.count)))
            }
            _ => Ok(()),
        }
    }
}

fn too_large(limit: u64) -> Problem {
    Problem::new(Refusal::BodyTooLarge, format!("this function reads at most {limit} bytes"))
}

pub(crate) fn incomplete(detail: String) -> Problem {
    Problem::new(Refusal::BodyIncomplete, format!("{detail}; nothing was stored"))
}

/// The next frame, or a problem when none comes in time. The wait is begun only when there is nothing to read.
async fn frame(source: &mut Source<'_>, env: &dyn Env) -> Option<Result<Frame<Bytes>, Problem>> {
    let mut silence = None;
    poll_fn(move |cx: &mut Context<'_>| {
        if let Poll::Ready(frame) = source.as_mut().poll_frame(cx) {
            let broken = |cause: String| incomplete(format!("the body broke off ({cause})"));
            return Poll::Ready(frame.map(|frame| frame.map_err(broken)));
        }
        let silence = silence.get_or_insert_with(|| env.sleep(STALL_SECONDS));
        match silence.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(incomplete(format!(
                "no byte came for {STALL_SECONDS} seconds"
            ))))),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
