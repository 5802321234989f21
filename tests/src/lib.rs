//! The harness of all tests of the whole: the shipped components in the local runtime, and a client that can be rude.
//!
//! ```no_run
//! use dunlin_tests::App;
//! let app = App::start();
//! app.import("customers", "id,name\nC1,First Street Bakery\n");
//! assert_eq!(app.get("/v1/ingest/customers/C1").ok()["name"], "First Street Bakery");
//! let app = app.restart();
//! app.sweep("2026-03-31");
//! ```

mod app;
mod http;
mod process;
mod receiver;
mod sample;

pub use app::{ADMIN_KEY, App, Log, Setup, components, eventually, workspace};
pub use http::{Answer, Client, Request};
pub use process::{Frozen, Process, dunlin};
pub use receiver::{BREAKS_OFF, Received, Receiver, SILENT};
pub use sample::sample;

/// Decimal amounts, dates and ids are compared as JSON.
pub use serde_json::{Value, json};
