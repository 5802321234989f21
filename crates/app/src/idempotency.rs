//! Idempotency: the same request under the same token has the same answer for a day.
//!
//! Each function is a short transaction of its own, apart from the flow in between. A flow is harmless to repeat, so
//! that a run whose process died is simply run again once its time is over.

use dunlin_domain::{Instant, Refusal};
use dunlin_store::{Db, Fault, idempotency, write};
pub use idempotency::Remembered;

/// How long an answer is kept, and a token bound to its request.
pub const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// Whose token it is, and the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The id of the key that called.
    pub caller: String,
    /// The Idempotency-Key.
    pub token: String,
}

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is new, or its first run died: run it, and hand this moment to [`finish`] or [`forget`].
    Run(Instant),
    /// It was answered. The hash is there for streams, whose own is known only when they have been read.
    Answered { request_hash: Vec<u8>, answer: Remembered },
}

/// Notes that a request begins. `request_hash` is absent for a stream.
pub fn begin<D: Db>(
    db: &D,
    token: &Token,
    request_hash: Option<&[u8]>,
    now: Instant,
    run_seconds: i64,
) -> Result<Begun, Fault> {
    let place = (token.caller.as_str(), token.token.as_str());
    write(db, |db| {
        let kept = idempotency::find(db, place.0, place.1)?;
        let kept = kept.filter(|kept| now < kept.created_at.plus_seconds(KEPT_SECONDS));
        if let Some(kept) = kept {
            if let (Some(wanted), Some(known)) = (request_hash, &kept.request_hash) {
                check(known, wanted)?;
            }
            if kept.running_until.is_some_and(|until| now < until) {
                let detail = "a request with this Idempotency-Key is still running";
                return Err(Fault::refused(Refusal::IdempotencyRunning, detail));
            }
            if let (Some(request_hash), Some(answer)) = (kept.request_hash, kept.answer) {
                return Ok(Begun::Answered { request_hash, answer });
            }
        }
        idempotency::purge(db, now.plus_seconds(-KEPT_SECONDS))?;
        let until = now.plus_seconds(run_seconds);
        idempotency::start(db, place, request_hash, now, until)?;
        Ok(Begun::Run(until))
    })
}

/// Refuses a request that is not the one its token was first used with.
pub fn check(known: &[u8], wanted: &[u8]) -> Result<(), Fault> {
    let detail = "this Idempotency-Key was used before with another request";
    if known == wanted { Ok(()) } else { Err(Fault::refused(Refusal::IdempotencyMismatch, detail)) }
}

/// Keeps the answer.
pub fn finish<D: Db>(
    db: &D,
    token: &Token,
    run: Instant,
    request_hash: &[u8],
    answer: &Remembered,
) -> Result<(), Fault> {
    write(db, |db| {
        idempotency::finish(db, (&token.caller, &token.token), run, request_hash, answer)
    })
}

/// Lets the token be used again, since the run came to nothing.
pub fn forget<D: Db>(db: &D, token: &Token, run: Instant) -> Result<(), Fault> {
    write(db, |db| idempotency::forget(db, (&token.caller, &token.token), run))
}
