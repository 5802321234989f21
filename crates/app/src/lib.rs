//! Flows: one function, one use case, one transaction.
pub mod idempotency;
pub mod import;
pub mod key;
pub mod ledger;
pub mod remind;
pub mod replay;
pub mod report;
pub mod score;
pub mod sweep;
