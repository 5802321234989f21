//! Flows: one function, one use case, one transaction.
pub mod import;
pub mod ledger;
pub mod replay;
pub mod idempotency;
pub mod key;
pub mod remind;
pub mod report;
pub mod score;
pub mod sweep;
