//! What the edge takes from outside: variables, the clock, chance, and a place for the log.

use dunlin_domain::Instant;
use std::{future::Future, pin::Pin};

/// A wait, as [`Env::sleep`] gives it.
pub type Sleep = Pin<Box<dyn Future<Output = ()>>>;

/// A call that goes out: always a POST of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Where to; the host holds it to the hosts that the manifest declares.
    pub url: String,
    /// Besides the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// The status of the answer to a [`Post`], or why there was none, in words.
pub type Posted = Pin<Box<dyn Future<Output = Result<u16, String>>>>;

/// The world of a request. Spin's in components, a made-up one in tests.
pub trait Env {
    /// The value of an application variable; `None` when it is not set or empty.
    fn variable(&self, name: &str) -> Option<String>;

    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn unix_millis(&self) -> u64;

    /// Fills the slice with bytes that nobody can guess.
    fn random(&self, into: &mut [u8]);

    /// Takes one line for the log.
    fn log(&self, line: &str);

    /// Sends a call. It has no deadline of its own.
    fn post(&self, post: Post) -> Posted;

    /// Ends after so many seconds.
    fn sleep(&self, seconds: u32) -> Sleep;

    /// Ends when the other requests of this instance that were waiting have come as far as they can. By itself nobody waits.
    fn let_in(&self) -> Sleep {
        Box::pin(std::future::ready(()))
    }

    /// The same, and nobody writes as far as the host knows: whoever writes then does not have the others wait with it.
    fn lull(&self) -> Sleep {
        self.let_in()
    }

    /// The moment it is.
    fn now(&self) -> Instant {
        let seconds = i64::try_from(self.unix_millis() / 1000).unwrap_or(i64::MAX);
        // A clock beyond the year 262,000 is a clock that was never set.
        Instant::from_unix(seconds).unwrap_or(Instant::EPOCH)
    }
}
