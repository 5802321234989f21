//! The HTTP edge: keys, problems, idempotency, decoding, paging, OpenAPI.
//!
//! A component is a table of [`Route`]s. The table is the router, what each function may be called by, how much it
//! reads, and the OpenAPI document. A handler extracts, calls one flow, and shapes the answer; [`serve()`] does what
//! all functions have in common, once, in one order: route, authorise, check, read, replay, run, remember, log.

pub mod accept;
pub mod answer;
pub mod auth;
pub mod body;
pub mod call;
pub mod csv;
pub mod decode;
pub mod env;
pub mod errors;
pub mod gather;
pub mod health;
pub mod json;
pub mod keys;
mod log;
pub mod media;
#[cfg(feature = "schema")]
pub mod openapi;
pub mod page;
pub mod percent;
pub mod problem;
pub mod query;
mod replay;
pub mod route;
pub mod router;
pub mod serve;
pub mod signature;
#[cfg(target_family = "wasm")]
pub mod spin;
pub mod status;
#[cfg(test)]
mod tests;
pub mod webhook;

pub use accept::Media;
pub use answer::Answer;
pub use call::Call;
pub use csv::Csv;
pub use env::Env;
pub use problem::Problem;
pub use query::{AS_OF, CURSOR, KNOWN_AT, LANGUAGE, LIMIT, Query, STOOD_ON};
pub use route::{Route, RouteInfo, Running};
pub use router::Router;
pub use serve::serve;
