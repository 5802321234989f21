//! `spin:sqlite`: the synchronous `open` and `execute`, on SQLite files in the data directory.
//!
//! A parameter is bound straight from the component's memory, so a document of many megabytes is copied once.
//! Statements run through `block_in_place`: the other tasks of the thread move on while one is running.
//!
//! The log is written back beside all that, on a thread of its own, as soon as somebody finds it long: SQLite itself would
//! do it at the end of a transaction, while its component and all other writers wait.
//!
//! A connection gives up the pages that it keeps whenever another one has written. So all transactions that write a file
//! run on one connection, which every other borrows for as long as its transaction lasts, and reads as well while others
//! write. A component does not see that: what it set is set there too, and what the functions about its last change say
//! goes with it. Who makes something of its own in a connection, a temporary table for one, keeps to its own.
//!
//! The connection of a component that went away is left to the next one that opens the file: an instance lives for a
//! hundred requests, and reading the schema, preparing statements and reading pages anew is a good part of each of them.

use super::Guest;
use super::shared::{self, BUSY_TIMEOUT, Link, Wait};
use super::turn::{Crowd, Queue, Turn};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::ffi::ErrorCode;
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Batch, CachedStatement, Statement, ToSql};
use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentType, Lift, Linker, Lower, Resource, ResourceType, WasmList, WasmStr,
};

/// How a transaction begins that is going to write.
const BEGIN_TO_WRITE: &str = "BEGIN IMMEDIATE";

/// Pages by which the log grows before it is written back: 64 MiB. A page that was written often by then is written back
/// once.
const LOGGED: i32 = 16_000;

/// Rows beyond this are refused, as on Spin, so that one query cannot take the memory of the whole runtime.
const LARGEST_RESULT: usize = 128 << 20;

/// The databases a component may open.
pub struct Access {
    pub folder: PathBuf,
    pub labels: BTreeSet<String>,
    /// A statement that runs longer is interrupted.
    pub longest_statement: Duration,
}

/// What a component opened: a connection of its own, and what it has of the shared one. Dropping it rolls back what it had
/// not committed.
pub struct Connection {
    /// There until it is dropped.
    own: RefCell<Option<Link>>,
    /// What is set on the own connection by the one that left it, and was not said by this one yet.
    left: RefCell<VecDeque<String>>,
    /// Whether a statement failed: such a connection is left to nobody.
    failed: Cell<bool>,
    /// Those who write this file.
    queue: Arc<Queue>,
    /// Those in the same instance who are going to.
    crowd: Arc<Crowd>,
    /// Held while a transaction that writes is open. Dropped before the turn is given back.
    borrowed: RefCell<Option<Borrowed>>,
    longest_statement: Duration,
    /// What was set, statement by statement.
    settings: RefCell<Vec<String>>,
    /// Whether it has something of its own that the shared connection has not.
    keeps_to_itself: Cell<bool>,
    /// How often the file had been written through the shared connection when this one last read.
    seen: Cell<u64>,
    /// The same when it last looked.
    noticed: Cell<u64>,
    path: PathBuf,
}

/// The turn to write, with the connection to write through where it is not the own one.
struct Borrowed {
    link: Option<Link>,
    queue: Arc<Queue>,
    _turn: Turn,
}

impl Drop for Borrowed {
    /// Takes back what was not committed: the next one must find the connection free.
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            let is_free = link.db.is_autocommit() || link.db.execute_batch("ROLLBACK").is_ok();
            self.queue.shared.give_back(is_free.then_some(link), true);
        }
    }
}

impl Drop for Connection {
    /// Leaves the own connection to the next one, unless something of this one is in it.
    fn drop(&mut self) {
        let is_alike = !self.keeps_to_itself.get() && !self.failed.get();
        if !is_alike || !self.left.get_mut().is_empty() {
            return;
        }
        if let Some(own) = self.own.get_mut().take_if(|own| own.db.is_autocommit()) {
            self.queue.shared.leave(own, std::mem::take(self.settings.get_mut()));
        }
    }
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
    guest.writers = Some(connection.crowd.clone());
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
        let queue = Queue::of(&path);
        let (own, left) = match queue.shared.left() {
            Some(found) => found,
            None => (Link::open(&path)?, Vec::new()),
        };
        let written = queue.shared.written();
        Ok(Connection {
            own: RefCell::new(Some(own)),
            left: RefCell::new(left.into()),
            failed: Cell::new(false),
            crowd: Arc::new(Crowd::new(queue.clone())),
            queue,
            borrowed: RefCell::default(),
            longest_statement: access.longest_statement,
            settings: RefCell::default(),
            keeps_to_itself: Cell::new(false),
            seen: Cell::new(written),
            noticed: Cell::new(written),
            path,
        })
    }

    /// Runs a statement, and writes the log back when it ended a transaction and the log is long.
    fn execute_and_write_back(
        &self,
        sql: &str,
        parameters: &[Bound<'_>],
    ) -> rusqlite::Result<QueryResult> {
        let result = self.execute(sql, parameters);
        let pages = shared::pages_written();
        if pages > 0 && self.queue.is_long(pages, LOGGED) && self.borrowed.borrow().is_none() {
            self.write_back(pages);
        }
        result
    }

    /// On a thread and a connection of its own, so that who found the log long goes on.
    fn write_back(&self, pages: i32) {
        let Some(right) = self.queue.to_write_back(pages) else { return };
        let path = self.path.clone();
        // What is not written back now is at the next time.
        let _ = std::thread::Builder::new().name("dunlin-log".to_owned()).spawn(move || {
            let Ok(link) = Link::open(&path) else { return };
            right.run(BUSY_TIMEOUT, || {
                let _ = link.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            });
        });
    }

    /// Runs the first statement of `sql`; what follows it is ignored, as on Spin. A transaction that is going to write, or
    /// a statement that is one by itself, waits for its turn, and runs on the shared connection.
    fn execute(&self, sql: &str, parameters: &[Bound<'_>]) -> rusqlite::Result<QueryResult> {
        if self.borrowed.borrow().is_some() {
            return self.go_on(sql, parameters);
        }
        self.say_again(sql)?;
        let own = self.own()?;
        if !own.db.is_autocommit() {
            if shared::sets(sql) {
                self.keeps_to_itself.set(true);
            }
            return self.run_own(&own, sql, parameters);
        }
        if sql == BEGIN_TO_WRITE || shared::writes(sql) {
            let turn = self.queue.wait(BUSY_TIMEOUT).ok_or_else(locked)?;
            self.crowd.comes();
            let link = self.lend(&own, Wait::ToWrite);
            drop(own);
            let queue = self.queue.clone();
            self.borrowed.replace(Some(Borrowed { link, queue, _turn: turn }));
            return self.go_on(sql, parameters);
        }
        if shared::may_only_read(sql)
            && let Some(read) = self.read_shared(&own, sql, parameters)
        {
            return read;
        }
        if shared::sets(sql) {
            self.settings.borrow_mut().push(sql.to_owned());
        }
        self.run_own(&own, sql, parameters)
    }

    fn own(&self) -> rusqlite::Result<Ref<'_, Link>> {
        Ref::filter_map(self.own.borrow(), Option::as_ref).map_err(|_| locked())
    }

    /// A connection that was left by another one is set as that one wanted it. It is kept when this one begins with the
    /// same, statement by statement, and says nothing in between that it could be noticed by.
    fn say_again(&self, sql: &str) -> rusqlite::Result<()> {
        let mut left = self.left.borrow_mut();
        if left.is_empty() || shared::is_of_the_file(sql) {
            return Ok(());
        }
        if left.front().is_some_and(|said| said == sql) {
            left.pop_front();
            return Ok(());
        }
        left.clear();
        let fresh = Link::open(&self.path)?;
        fresh.set(&self.settings.borrow())?;
        self.own.replace(Some(fresh));
        Ok(())
    }

    /// Reads through the shared connection while others write, since the own one would have to read its pages anew. It is
    /// waited for as long as they go on; after that the own one keeps its pages again.
    fn read_shared(
        &self,
        own: &Link,
        sql: &str,
        parameters: &[Bound<'_>],
    ) -> Option<rusqlite::Result<QueryResult>> {
        let written = self.queue.shared.written();
        if self.seen.get() == written {
            return None;
        }
        let goes_on = self.noticed.replace(written) != written;
        let found = self.lend(own, if goes_on { Wait::Soon } else { Wait::Never });
        let read = found.and_then(|link| {
            let reads = shared::only_reads(&link, sql);
            let read = reads.then(|| self.run_shared(&link, sql, parameters));
            self.queue.shared.give_back(Some(link), false);
            read
        });
        if read.is_none() {
            self.seen.set(written);
        }
        read
    }

    /// The shared connection, where it can be had soon and is set as this one is.
    fn lend(&self, own: &Link, wait: Wait) -> Option<Link> {
        if self.keeps_to_itself.get() {
            return None;
        }
        let settings = self.settings.borrow();
        let link = self.queue.shared.lend(&self.path, &settings, wait)?;
        link.numbers.take_from(&own.numbers);
        Some(link)
    }

    /// Goes on with a transaction that writes, and gives the turn back when it ended.
    fn go_on(&self, sql: &str, parameters: &[Bound<'_>]) -> rusqlite::Result<QueryResult> {
        let mut borrowed = self.borrowed.borrow_mut();
        let Some(Borrowed { link, .. }) = borrowed.as_mut() else { return Err(locked()) };
        let Some(of_all) = link else {
            let own = self.own()?;
            let result = self.run_own(&own, sql, parameters);
            if own.db.is_autocommit() {
                *borrowed = None;
            }
            return result;
        };
        let result = self.run_shared(of_all, sql, parameters);
        if shared::made_its_own() || shared::sets(sql) {
            // From here on the shared connection is this component's, and others get another one.
            self.keeps_to_itself.set(true);
            if let Some(taken) = link.take() {
                self.own.replace(Some(taken));
            }
            self.queue.shared.give_back(None, true);
        }
        let is_over = match link {
            Some(of_all) => of_all.db.is_autocommit(),
            None => self.own()?.db.is_autocommit(),
        };
        if is_over {
            *borrowed = None;
        }
        result
    }

    fn run_shared(
        &self,
        link: &Link,
        sql: &str,
        parameters: &[Bound<'_>],
    ) -> rusqlite::Result<QueryResult> {
        let result = self.run_first(link, sql, parameters);
        self.own()?.numbers.take_from(&link.numbers);
        result
    }

    fn run_own(
        &self,
        own: &Link,
        sql: &str,
        parameters: &[Bound<'_>],
    ) -> rusqlite::Result<QueryResult> {
        let result = self.run_first(own, sql, parameters);
        if shared::made_its_own() {
            self.keeps_to_itself.set(true);
        }
        result
    }

    fn run_first(
        &self,
        link: &Link,
        sql: &str,
        parameters: &[Bound<'_>],
    ) -> rusqlite::Result<QueryResult> {
        link.interrupt_after(self.longest_statement);
        let before = link.changed();
        let result = match link.db.prepare_cached(sql) {
            Ok(mut statement) => run_cached(&mut statement, parameters),
            Err(refused) => match Batch::new(&link.db, sql).next() {
                Ok(Some(mut first)) => run(&mut first, parameters),
                Ok(None) | Err(_) => Err(refused),
            },
        };
        link.count(before, sql);
        if result.is_err() {
            self.failed.set(true);
        }
        result
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn one_more(folder: &Path) -> Connection {
        let access = Access {
            folder: folder.to_path_buf(),
            labels: BTreeSet::new(),
            longest_statement: Duration::from_secs(60),
        };
        Connection::open(&access, "default").unwrap()
    }

    /// Connections to one file, as instances open them.
    fn opened<const N: usize>(folder: &Path) -> [Connection; N] {
        let all = [(); N].map(|()| one_more(folder));
        all[0].run("PRAGMA journal_mode = WAL");
        all[0].run("CREATE TABLE t (key INTEGER PRIMARY KEY, name TEXT)");
        for one in &all {
            one.run("PRAGMA cache_size = -1000");
        }
        all
    }

    impl Connection {
        fn run(&self, sql: &str) -> Vec<Vec<Value>> {
            let found = self.execute_and_write_back(sql, &[]).unwrap();
            found.rows.into_iter().map(|row| row.values).collect()
        }

        fn number(&self, sql: &str) -> i64 {
            match self.run(sql)[0][0] {
                Value::Integer(number) => number,
                ref other => panic!("{other:?}"),
            }
        }

        fn add(&self, rows: usize) {
            self.run("BEGIN IMMEDIATE");
            for _ in 0..rows {
                self.run("INSERT INTO t (name) VALUES ('x')");
            }
            self.run("COMMIT");
        }

        fn borrows(&self) -> bool {
            self.borrowed.borrow().as_ref().is_some_and(|of| of.link.is_some())
        }
    }

    const COUNT: &str = "SELECT count(*) FROM t";

    #[test]
    fn each_is_told_of_its_own_last_change() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = opened(folder.path());
        one.add(2);
        two.add(3);
        two.run("UPDATE t SET name = 'y' WHERE key < 3");
        one.run("BEGIN IMMEDIATE");
        assert!(one.borrows());
        assert_eq!(one.number("SELECT last_insert_rowid()"), 2);
        one.run("DELETE FROM t WHERE key > 3");
        assert_eq!(one.number("SELECT changes()"), 2);
        one.run("COMMIT");
        let told = |of: &Connection| {
            ["last_insert_rowid", "changes", "total_changes"]
                .map(|name| of.number(&format!("SELECT {name}()")))
        };
        assert_eq!((told(&one), told(&two)), ([2, 2, 4], [5, 2, 5]));
    }

    #[test]
    fn a_statement_that_writes_by_itself_has_a_turn_and_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = opened(folder.path());
        for writer in [&one, &two] {
            writer.run("INSERT INTO t (name) VALUES ('x')");
            assert!(writer.execute("INSERT INTO t (key) VALUES (1)", &[]).is_err());
        }
        assert_eq!(one.queue.shared.written(), 4);
        assert_eq!((one.number(COUNT), two.number(COUNT)), (2, 2));
        assert_eq!(two.number("SELECT last_insert_rowid()"), 2);
    }

    #[test]
    fn what_is_not_committed_is_seen_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = opened(folder.path());
        two.add(1);
        one.run("BEGIN IMMEDIATE");
        one.run("INSERT INTO t (name) VALUES ('x')");
        assert_eq!((one.number(COUNT), two.number(COUNT)), (2, 1));
        one.run("COMMIT");
        assert_eq!((one.number(COUNT), two.number(COUNT)), (2, 2));
    }

    #[test]
    fn who_goes_away_in_a_transaction_leaves_nothing_and_the_next_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = opened(folder.path());
        one.run("BEGIN IMMEDIATE");
        one.run("INSERT INTO t (name) VALUES ('x')");
        drop(one);
        assert_eq!(two.number(COUNT), 0);
        two.add(1);
        two.run("BEGIN IMMEDIATE");
        assert!(two.borrows());
        two.run("ROLLBACK");
    }

    #[test]
    fn a_temporary_table_is_of_who_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = opened(folder.path());
        two.add(1);
        one.run("BEGIN IMMEDIATE");
        one.run("CREATE TEMP TABLE own AS SELECT key FROM t");
        one.run("COMMIT");
        assert_eq!(one.number("SELECT count(*) FROM own"), 1);
        two.run("BEGIN IMMEDIATE");
        assert!(two.execute("SELECT count(*) FROM own", &[]).is_err());
        two.run("COMMIT");
        one.run("BEGIN IMMEDIATE");
        assert!(!one.borrows());
        assert_eq!(one.number("SELECT count(*) FROM own"), 1);
        one.run("COMMIT");
        two.add(1);
        assert_eq!((one.number(COUNT), two.number(COUNT)), (2, 2));
    }

    #[test]
    fn what_is_set_holds_for_who_set_it() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = opened(folder.path());
        one.add(1);
        two.run("PRAGMA cache_size = -2000");
        for (of, size) in [(&one, -1000), (&two, -2000)] {
            of.run("BEGIN IMMEDIATE");
            assert_eq!(of.number("PRAGMA cache_size"), size);
            of.run("COMMIT");
            assert_eq!(of.number("PRAGMA cache_size"), size);
        }
    }

    #[test]
    fn a_connection_that_was_left_is_taken_up_by_who_begins_alike() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = opened(folder.path());
        one.run("INSERT INTO t (name) VALUES ('x')");
        one.run("PRAGMA temp_store = MEMORY");
        drop(one);
        let again = one_more(folder.path());
        for said in
            ["PRAGMA user_version", "PRAGMA cache_size = -1000", "PRAGMA temp_store = MEMORY"]
        {
            again.run(said);
        }
        assert!(again.left.borrow().is_empty());
        assert_eq!(again.number("SELECT last_insert_rowid() + changes() + total_changes()"), 0);
        assert_eq!((again.number(COUNT), other.number(COUNT)), (1, 1));
    }

    #[test]
    fn who_begins_otherwise_has_a_connection_as_if_nobody_had_been_there() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = opened(folder.path());
        let usual = other.number("PRAGMA temp_store");
        for first in ["SELECT 1", "PRAGMA temp_store", "BEGIN", "PRAGMA cache_size = -2000"] {
            let left = one_more(folder.path());
            left.run("PRAGMA cache_size = -1000");
            left.run("PRAGMA temp_store = MEMORY");
            drop(left);
            let next = one_more(folder.path());
            assert_eq!(next.left.borrow().len(), 2);
            next.run(first);
            assert_eq!(next.number("PRAGMA temp_store"), usual, "{first}");
            assert_ne!(next.number("PRAGMA cache_size"), -1000, "{first}");
            // It has an end of its own, so that nobody comes after it.
            next.keeps_to_itself.set(true);
        }
        assert_eq!(one.number(COUNT), 0);
    }

    #[test]
    fn what_failed_or_was_not_finished_is_left_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let [one] = opened(folder.path());
        for last in ["BEGIN", "SELECT * FROM nowhere", "CREATE TEMP TABLE own (a)"] {
            let other = one_more(folder.path());
            let _ = other.execute(last, &[]);
            drop(other);
            assert!(one.queue.shared.left().is_none(), "{last}");
        }
    }

    #[test]
    fn a_long_log_is_written_back_beside_the_work_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let [one] = opened(folder.path());
        for _ in 0..192 {
            one.run("INSERT INTO t (name) VALUES (zeroblob(1 << 20))");
        }
        assert_eq!(one.number(COUNT), 192);
        let log = std::fs::metadata(folder.path().join("default.db-wal")).unwrap().len();
        assert!(log < 160 << 20, "{log} bytes");
    }

    #[test]
    fn many_write_by_turns_and_read_between() {
        let folder = tempfile::tempdir().unwrap();
        let all: [Connection; 4] = opened(folder.path());
        let threads = all.map(|one| {
            std::thread::spawn(move || {
                for done in 0..50 {
                    one.add(1);
                    assert!(one.number(COUNT) > done);
                }
                one
            })
        });
        let all = threads.map(|thread| thread.join().unwrap());
        assert_eq!(all[0].number(COUNT), 200);
    }
}
