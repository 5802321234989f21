//! `spin:sqlite`: the synchronous `open` and `execute`, on SQLite files in the data directory.
//!
//! A parameter is bound straight from the component's memory, so a document of many megabytes is copied once.
//! Statements run through `block_in_place`: the other tasks of the thread move on while one is running.
//!
//! The log is written back by whoever finds it long, between transactions: SQLite itself would do it at the end of one,
//! while all other writers wait.

use super::Guest;
use super::turn::{Queue, Turn};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::ffi::ErrorCode;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Batch, CachedStatement, OpenFlags, Statement, ToSql};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentType, Lift, Linker, Lower, Resource, ResourceType, WasmList, WasmStr,
};

/// How long a statement waits for another connection's lock, as on Spin.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How a transaction begins that is going to write.
const BEGIN_TO_WRITE: &str = "BEGIN IMMEDIATE";

/// Pages by which the log grows before it is written back: 16 MiB.
const LOGGED: i32 = 4_000;

thread_local! {
    /// Pages in the log after a commit of this thread that nobody has looked at yet.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Prepared statements kept per connection; the application has a few hundred statements in all.
const STATEMENTS_KEPT: usize = 128;

/// Virtual machine steps between two looks at the clock: about ten milliseconds of work.
const STEPS_PER_LOOK: i32 = 1_000_000;

/// Rows beyond this are refused, as on Spin, so that one query cannot take the memory of the whole runtime.
const LARGEST_RESULT: usize = 128 << 20;

/// The databases a component may open.
pub struct Access {
    pub folder: PathBuf,
    pub labels: BTreeSet<String>,
    /// A statement that runs longer is interrupted.
    pub longest_statement: Duration,
}

/// One connection of its own for each `open`; dropping it rolls back what it had not committed.
pub struct Connection {
    db: rusqlite::Connection,
    /// Milliseconds after `epoch` at which the running statement is interrupted.
    deadline: Arc<AtomicU64>,
    epoch: Instant,
    longest_statement: Duration,
    /// Of those who write this file.
    queue: Arc<Queue>,
    /// Held while a transaction that writes is open.
    turn: RefCell<Option<Turn>>,
}

#[derive(ComponentType, Lift, Lower, Debug)]
#[component(variant)]
pub enum Error {
    #[component(name = "no-such-database")]
    NoSuchDatabase,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "invalid-connection")]
    InvalidConnection,
    #[component(name = "database-full")]
    DatabaseFull,
    #[component(name = "io")]
    Io(String),
}

/// A parameter, still in the component's memory.
#[derive(ComponentType, Lift)]
#[component(variant)]
enum Parameter {
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "real")]
    Real(f64),
    #[component(name = "text")]
    Text(WasmStr),
    #[component(name = "blob")]
    Blob(WasmList<u8>),
    #[component(name = "null")]
    Null,
}

#[derive(ComponentType, Lower, Debug, PartialEq)]
#[component(variant)]
pub enum Value {
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "real")]
    Real(f64),
    #[component(name = "text")]
    Text(String),
    #[component(name = "blob")]
    Blob(Vec<u8>),
    #[component(name = "null")]
    Null,
}

#[derive(ComponentType, Lower, Debug)]
#[component(record)]
pub struct Row {
    values: Vec<Value>,
}

#[derive(ComponentType, Lower, Debug)]
#[component(record)]
pub struct QueryResult {
    columns: Vec<String>,
    rows: Vec<Row>,
}

/// A parameter as SQLite takes it.
pub enum Bound<'a> {
    Text(Cow<'a, str>),
    Blob(&'a [u8]),
    Plain(Owned),
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Bound::Text(text) => ValueRef::Text(text.as_bytes()),
            Bound::Blob(bytes) => ValueRef::Blob(bytes),
            Bound::Plain(value) => value.into(),
        }))
    }
}

pub fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut sqlite = linker.instance("spin:sqlite/sqlite@3.0.0")?;
    sqlite.resource("connection", ResourceType::host::<Connection>(), |mut store, rep| {
        let connection = Resource::<Connection>::new_own(rep);
        let connection = store.data_mut().table.delete(connection)?;
        // Closing may roll back and write the log file back, which can take a while.
        tokio::task::block_in_place(|| drop(connection));
        Ok(())
    })?;
    sqlite.func_wrap("[static]connection.open", |mut store, (label,): (String,)| {
        Ok((open(store.data_mut(), &label),))
    })?;
    sqlite.func_wrap("[method]connection.execute", |store, (connection, sql, parameters)| {
        Ok((execute(store, connection, sql, parameters)?,))
    })
}

fn open(guest: &mut Guest, label: &str) -> Result<Resource<Connection>, Error> {
    let access = &guest.grants.sqlite;
    if !access.labels.contains(label) {
        return Err(Error::AccessDenied);
    }
    let connection = tokio::task::block_in_place(|| Connection::open(access, label))?;
    guest.table.push(connection).map_err(|error| Error::Io(error.to_string()))
}

fn execute(
    store: StoreContextMut<'_, Guest>,
    connection: Resource<Connection>,
    sql: WasmStr,
    parameters: Vec<Parameter>,
) -> wasmtime::Result<Result<QueryResult, Error>> {
    let sql = sql.to_str(&store)?;
    let mut bound = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        bound.push(match parameter {
            Parameter::Integer(number) => Bound::Plain(Owned::Integer(*number)),
            Parameter::Real(number) => Bound::Plain(Owned::Real(*number)),
            Parameter::Text(text) => Bound::Text(text.to_str(&store)?),
            Parameter::Blob(bytes) => Bound::Blob(bytes.as_le_slice(&store)),
            Parameter::Null => Bound::Plain(Owned::Null),
        });
    }
    let Ok(connection) = store.data().table.get(&connection) else {
        return Ok(Err(Error::InvalidConnection));
    };
    let executed = tokio::task::block_in_place(|| connection.execute_and_write_back(&sql, &bound));
    Ok(executed.map_err(Error::from))
}

impl Connection {
    fn open(access: &Access, label: &str) -> Result<Connection, Error> {
        let path = access.folder.join(format!("{label}.db"));
        // Only this thread ever holds the connection, so SQLite's own mutex is not needed; no URI file names.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = rusqlite::Connection::open_with_flags(&path, flags)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        db.authorizer(Some(only_this_file));
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let epoch = Instant::now();
        db.progress_handler(
            STEPS_PER_LOOK,
            Some({
                let deadline = deadline.clone();
                move || epoch.elapsed().as_millis() as u64 > deadline.load(Relaxed)
            }),
        );
        db.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        let (queue, turn) = (Queue::of(&path), RefCell::default());
        let longest_statement = access.longest_statement;
        Ok(Connection { db, deadline, epoch, longest_statement, queue, turn })
    }

    /// Runs a statement, and writes the log back when it ended a transaction and the log is long.
    fn execute_and_write_back(
        &self,
        sql: &str,
        parameters: &[Bound<'_>],
    ) -> rusqlite::Result<QueryResult> {
        let result = self.execute(sql, parameters);
        let pages = PAGES.take();
        if pages > 0 && self.queue.is_long(pages, LOGGED) && self.db.is_autocommit() {
            self.write_back(pages);
        }
        result
    }

    fn write_back(&self, pages: i32) {
        self.queue.write_back(pages, BUSY_TIMEOUT, || {
            // What is not written back now is at the next time.
            let _ = self.run_first("PRAGMA wal_checkpoint(PASSIVE)", &[]);
        });
    }

    /// Runs the first statement of `sql`; what follows it is ignored, as on Spin. A transaction that is going to write
    /// waits for its turn.
    fn execute(&self, sql: &str, parameters: &[Bound<'_>]) -> rusqlite::Result<QueryResult> {
        if sql == BEGIN_TO_WRITE && self.db.is_autocommit() {
            let turn = self.queue.wait(BUSY_TIMEOUT).ok_or_else(locked)?;
            self.turn.replace(Some(turn));
        }
        let result = self.run_first(sql, parameters);
        if self.db.is_autocommit() {
            self.turn.take();
        }
        result
    }

    fn run_first(&self, sql: &str, parameters: &[Bound<'_>]) -> rusqlite::Result<QueryResult> {
        let deadline = self.epoch.elapsed() + self.longest_statement;
        self.deadline.store(deadline.as_millis() as u64, Relaxed);
        match self.db.prepare_cached(sql) {
            Ok(mut statement) => run_cached(&mut statement, parameters),
            Err(refused) => match Batch::new(&self.db, sql).next() {
                Ok(Some(mut first)) => run(&mut first, parameters),
                Ok(None) | Err(_) => Err(refused),
            },
        }
    }
}

/// What SQLite says when a connection waited too long.
fn locked() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(code, Some("database is locked".to_owned()))
}

fn run_cached(
    statement: &mut CachedStatement<'_>,
    parameters: &[Bound<'_>],
) -> rusqlite::Result<QueryResult> {
    let result = run(statement, parameters);
    // A bound document of many megabytes must not live as long as the cached statement.
    statement.clear_bindings();
    result
}

fn run(statement: &mut Statement<'_>, parameters: &[Bound<'_>]) -> rusqlite::Result<QueryResult> {
    let expected = statement.parameter_count();
    if expected != parameters.len() {
        return Err(rusqlite::Error::InvalidParameterCount(parameters.len(), expected));
    }
    for (index, parameter) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, parameter)?;
    }
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut size = 0;
    let mut cursor = statement.raw_query();
    while let Some(row) = cursor.next()? {
        let mut values = Vec::with_capacity(columns.len());
        for index in 0..columns.len() {
            let value = Value::from(row.get_ref(index)?);
            size += value.size();
            values.push(value);
        }
        if size > LARGEST_RESULT {
            return Err(rusqlite::Error::ToSqlConversionFailure(
                format!("the result is larger than {LARGEST_RESULT} bytes").into(),
            ));
        }
        rows.push(Row { values });
    }
    Ok(QueryResult { columns, rows })
}

/// A component is given one file. `VACUUM` attaches a nameless one of its own, which is allowed.
fn only_this_file(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !filename.is_empty() => Authorization::Deny,
        // These are of the process, and its neighbours live there too.
        AuthAction::Pragma { pragma_name: "soft_heap_limit" | "hard_heap_limit", .. } => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

impl Value {
    fn size(&self) -> usize {
        size_of::<Value>()
            + match self {
                Value::Text(text) => text.len(),
                Value::Blob(bytes) => bytes.len(),
                Value::Integer(_) | Value::Real(_) | Value::Null => 0,
            }
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Value {
        match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            // Checked as a whole first: looking for what is wrong goes byte by byte, and nearly always nothing is.
            ValueRef::Text(bytes) => Value::Text(match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => String::from_utf8_lossy(bytes).into_owned(),
            }),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::DatabaseFull,
            _ => Error::Io(error.to_string()),
        }
    }
}
