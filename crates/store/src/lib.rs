//! Tables, statements and migrations: the only place that names a table or a column.
//!
//! One noun, one file: `invoice.rs` has what is asked of table `invoice`, with its longer statements in
//! `sql/invoice/`. Everything is synchronous and goes through [`Db`], so that no `.await` can stand between BEGIN and
//! COMMIT. Bulk writes are one JSON parameter, or one parameter a value where rows are wide and many; wide reads are one
//! JSON column.

/// A statement by its path below `sql/`. A component has it without comments: see `build/`.
macro_rules! sql {
    ($path:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/sql/", $path))
    };
}

/// A migration by its name in `schema/`, as [`sql!`] does.
macro_rules! schema {
    ($path:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/schema/", $path))
    };
}

pub mod accrual;
pub mod adjustment;
pub mod ageing;
pub mod alert;
pub mod alert_rule;
pub mod allocation;
pub mod arrears;
pub mod audit;
pub mod bank;
pub mod card;
pub mod clause;
pub mod contract;
pub mod correction;
pub mod credit;
pub mod credit_limit;
pub mod credit_ready;
pub mod credit_refund;
pub mod customer;
pub mod db;
pub mod default_record;
pub mod delinquency;
pub mod dispute;
pub mod erasure;
pub mod event;
pub mod event_source;
pub mod exchange;
pub mod external;
pub mod facts;
pub mod guarantee;
pub mod idempotency;
pub mod import;
pub mod inbound_event;
pub mod interest_entry;
pub mod invoice;
pub mod key;
pub mod matching;
pub mod migrate;
#[cfg(feature = "native")]
pub mod native;
pub mod notice;
pub mod organisation;
pub mod pause;
pub mod payment;
pub mod policy;
pub mod profile;
pub mod rate;
pub mod retention;
pub mod reversal;
pub mod review;
pub mod score;
#[cfg(target_family = "wasm")]
pub mod spin;
pub mod sweep;
pub mod tier;
pub mod told;
pub mod verification;
pub mod watch;
pub mod webhook;
pub mod when;
pub mod write_off;

pub use db::{Db, DbError, End, Fault, Param, Row, Value, read, write, write_alone, write_if};
pub use when::When;

/// Rows or keys as one JSON parameter.
fn array<T: serde::Serialize + ?Sized>(rows: &T) -> Result<String, Fault> {
    serde_json::to_string(rows).map_err(|e| Fault::Db(format!("rows as JSON: {e}")))
}

/// What a statement gave as JSON.
fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::Db(format!("stored JSON: {e}")))
}

/// Rows that are added by one statement, most first: few enough that its parameters stay within what SQLite takes.
const ROWS_AT_ONCE: [usize; 3] = [64, 8, 1];

/// Adds rows, one parameter a value: `one` is the statement for one of them. For wide rows of texts it is half the work
/// of cutting them out of a JSON parameter.
fn insert_values<D: Db>(db: &D, one: &str, values: &[Param<'_>]) -> Result<(), Fault> {
    let (head, rest) = one.split_once(" VALUES ").unwrap_or((one, ""));
    let (row, tail) = rest.split_once(')').unwrap_or((rest, ""));
    let (row, width) = (format!("{row})"), row.matches('?').count());
    let mut rest = values;
    for rows in ROWS_AT_ONCE {
        let mut sql = String::new();
        while let Some((now, later)) = rest.split_at_checked(rows.saturating_mul(width)) {
            if now.is_empty() {
                break;
            }
            if sql.is_empty() {
                sql = format!("{head} VALUES {}{tail}", vec![row.as_str(); rows].join(", "));
            }
            db.execute(&sql, now)?;
            rest = later;
        }
    }
    Ok(())
}

/// How many rows a statement added, by the last key before and after: the write lock keeps others out, nothing is
/// ever deleted, and unlike `changes()` this also holds on libSQL.
fn added(before: i64, after: i64) -> u64 {
    u64::try_from(after.saturating_sub(before)).unwrap_or(0)
}
