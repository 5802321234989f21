//! The adapter over Spin's SQLite: one connection for each component instance, opened when first needed.

use crate::{Db, DbError, Fault, Param, Row, Value, migrate};
use std::cell::{Cell, RefCell};

#[allow(
    unsafe_code,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
mod bindings {
    wit_bindgen::generate!({ world: "store", path: "wit", generate_all });
}
use bindings::spin::sqlite::sqlite as host;

/// The label of the database in the manifest.
const LABEL: &str = "default";

thread_local! {
    static CONNECTION: RefCell<Option<host::Connection>> = const { RefCell::new(None) };
    static IN_TRANSACTION: Cell<bool> = const { Cell::new(false) };
}

/// The database of the host. All values of this type share the instance's one connection.
#[derive(Clone, Copy, Debug)]
pub struct SpinDb(());

impl SpinDb {
    /// The database, opened, set and migrated if this instance has not done so yet.
    pub fn open() -> Result<Self, Fault> {
        let db = Self(());
        if CONNECTION.with_borrow(Option::is_none) {
            let connection = host::Connection::open(LABEL).map_err(error)?;
            CONNECTION.set(Some(connection));
            let ready = migrate::prepare(&db);
            if ready.is_err() {
                CONNECTION.set(None);
            }
            ready?;
        }
        Ok(db)
    }
}

impl Db for SpinDb {
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let params: Vec<host::Value> = params.iter().map(to_host).collect();
        let answer = CONNECTION.with_borrow(|connection| match connection {
            Some(connection) => connection.execute(sql, &params).map_err(error),
            None => Err(DbError::Failed(
                "the connection was closed after an error; the next request opens it".into(),
            )),
        });
        settle(sql, answer.as_ref().err());
        Ok(answer?
            .rows
            .into_iter()
            .map(|row| Row(row.values.into_iter().map(from_host).collect()))
            .collect())
    }
}

/// Keeps track of transactions, and gives up a connection that failed outside of one: the next request opens another.
/// Inside one the flow still has to roll back on this connection.
fn settle(sql: &str, failed: Option<&DbError>) {
    match (sql, failed) {
        ("BEGIN" | "BEGIN IMMEDIATE", None) => IN_TRANSACTION.set(true),
        ("COMMIT", None) => IN_TRANSACTION.set(false),
        ("ROLLBACK", _) => IN_TRANSACTION.set(false),
        (_, Some(DbError::Failed(_))) if !IN_TRANSACTION.get() => CONNECTION.set(None),
        _ => {}
    }
}

fn error(error: host::Error) -> DbError {
    match error {
        host::Error::Io(message) => DbError::from_message(message),
        other => DbError::Failed(format!("{other:?}")),
    }
}

fn to_host(param: &Param<'_>) -> host::Value {
    match param {
        Param::Null => host::Value::Null,
        Param::Int(value) => host::Value::Integer(*value),
        Param::Text(value) => host::Value::Text((*value).to_string()),
        Param::Blob(value) => host::Value::Blob(value.to_vec()),
    }
}

fn from_host(value: host::Value) -> Value {
    match value {
        host::Value::Null => Value::Null,
        host::Value::Integer(value) => Value::Int(value),
        host::Value::Real(value) => Value::Real(value),
        host::Value::Text(value) => Value::Text(value),
        host::Value::Blob(value) => Value::Blob(value),
    }
}
