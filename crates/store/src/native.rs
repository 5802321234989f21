//! The adapter over rusqlite: the same schema and statements without Wasm, for tests, benches and tools.

use crate::{Db, DbError, Param, Row, Value};
use rusqlite::{Connection, types::ToSqlOutput, types::ValueRef};
use std::{path::Path, time::Duration};

/// A connection to a database file, set as the host sets its own.
pub struct NativeDb(Connection);

impl NativeDb {
    /// Opens the file, sets the connection as the components do, and brings the schema up to date.
    pub fn open(path: &Path) -> Result<Self, crate::Fault> {
        let failed = |e: rusqlite::Error| DbError::from_message(e.to_string());
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(128);
        let db = Self(connection);
        db.execute("PRAGMA foreign_keys = ON", &[])?;
        crate::migrate::prepare(&db)?;
        Ok(db)
    }

    /// The connection, for what only tools do, such as EXPLAIN and backup.
    pub fn connection(&self) -> &Connection {
        &self.0
    }
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

impl Db for NativeDb {
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let run = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.0.prepare_cached(sql)?;
            let columns = statement.column_count();
            let rows = statement.query_map(rusqlite::params_from_iter(params), |row| {
                (0..columns)
                    .map(|column| Ok(value(row.get_ref(column)?)))
                    .collect::<rusqlite::Result<_>>()
                    .map(Row)
            })?;
            rows.collect()
        };
        run().map_err(|e| DbError::from_message(e.to_string()))
    }
}

fn value(of: ValueRef<'_>) -> Value {
    match of {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Blob(value) => Value::Blob(value.to_vec()),
    }
}
