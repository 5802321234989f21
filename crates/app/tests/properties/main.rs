//! Properties of the flows on real SQLite files: random ledgers against a slow and obvious model, random cuts against
//! runs that were never cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agreement;
mod dump;
mod faulty;
mod imports;
mod ledger;
mod lists;
mod model;
mod sweeps;
mod world;
