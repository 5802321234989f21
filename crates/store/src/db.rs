//! The one door to SQLite, and the transaction that every writing flow is.

use dunlin_domain::{Refusal, Refused};
use serde::de::DeserializeOwned;

/// A value for a `?` of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// One row of an answer, read by column number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The integer of a column that is never null.
    pub fn int(&self, column: usize) -> Result<i64, Fault> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            other => Err(Fault::shape(column, "an integer", other)),
        }
    }

    /// The text of a column that is never null.
    pub fn text(&self, column: usize) -> Result<&str, Fault> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            other => Err(Fault::shape(column, "text", other)),
        }
    }

    /// The text of a column that may be null.
    pub fn text_or_null(&self, column: usize) -> Result<Option<&str>, Fault> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// A text column read as one of our own types.
    pub fn parse<T: std::str::FromStr<Err = Refused>>(&self, column: usize) -> Result<T, Fault> {
        self.text(column)?
            .parse()
            .map_err(|refused: Refused| Fault::Db(format!("stored value: {refused}")))
    }

    /// A text column read as JSON.
    pub fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, Fault> {
        crate::read_json(self.text(column)?)
    }
}

/// What the database said when it did not do as told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DbError {
    /// Another connection holds the lock; the same call may work later.
    Locked,
    /// Anything else. The text is for the log, never for a client.
    Failed(String),
}

impl DbError {
    /// Tells a lock from a fault. The host gives text only, and this is the one message that must be told apart.
    pub fn from_message(message: String) -> Self {
        let busy =
            message.contains("database is locked") || message.contains("database table is locked");
        if busy { Self::Locked } else { Self::Failed(message) }
    }
}

/// Why a flow ended without its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The input or the state of the world does not allow it. Nothing was stored.
    Refused(Refused),
    /// The database stayed locked through all retries.
    Locked,
    /// The database failed, or holds what it cannot hold. For the log.
    Db(String),
}

impl Fault {
    fn shape(column: usize, wanted: &str, got: Option<&Value>) -> Self {
        Self::Db(format!("column {column}: wanted {wanted}, got {got:?}"))
    }

    /// A refusal without a field.
    pub fn refused(code: Refusal, detail: impl Into<String>) -> Self {
        Self::Refused(Refused::new(code, detail))
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Locked => Self::Locked,
            DbError::Failed(message) => Self::Db(message),
        }
    }
}

/// A connection to the database. Synchronous on purpose.
pub trait Db {
    /// Runs one statement and gives all its rows.
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError>;

    /// Runs a statement for the first row of its answer.
    fn first(&self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, DbError> {
        Ok(self.execute(sql, params)?.into_iter().next())
    }

    /// Whether the database answers at all.
    fn ping(&self) -> Result<(), Fault> {
        self.int("SELECT 1", &[]).map(drop)
    }

    /// Runs a statement that gives one row with one JSON column, and decodes it.
    fn json<T: DeserializeOwned>(&self, sql: &str, params: &[Param<'_>]) -> Result<T, Fault> {
        let row = self
            .first(sql, params)?
            .ok_or_else(|| Fault::Db("a JSON statement gave no row".into()))?;
        row.json(0)
    }

    /// Runs a statement that gives one row with one integer.
    fn int(&self, sql: &str, params: &[Param<'_>]) -> Result<i64, Fault> {
        self.first(sql, params)?
            .ok_or_else(|| Fault::Db("a counting statement gave no row".into()))?
            .int(0)
    }
}

/// How often a transaction is begun again when the database is locked. Each try waits for the connection's busy
/// timeout of five seconds, so that a request waits a little over fifteen seconds at the most.
pub const TRIES: u32 = 3;

/// What becomes of the transaction of a flow that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What it stored stays.
    Commit,
    /// What it stored is taken back; its result is what it learned.
    RollBack,
}

/// Runs `flow` in one `BEGIN IMMEDIATE … COMMIT`. On any error everything is rolled back; a locked database is tried
/// again [`TRIES`] times, with `flow` run from its start.
pub fn write<D: Db, T>(db: &D, flow: impl Fn(&D) -> Result<T, Fault>) -> Result<T, Fault> {
    write_if(db, |db| Ok((flow(db)?, End::Commit)))
}

/// The same for a flow that says itself whether what it stored is to stay.
pub fn write_if<D: Db, T>(
    db: &D,
    flow: impl Fn(&D) -> Result<(T, End), Fault>,
) -> Result<T, Fault> {
    let mut result = attempt(db, &flow);
    for _ in 1..TRIES {
        match result {
            Err(Fault::Locked) => result = attempt(db, &flow),
            other => return other,
        }
    }
    result
}

/// Runs a flow of one statement, which is a transaction by itself. A locked database is tried again as often.
pub fn write_alone<D: Db, T>(db: &D, flow: impl Fn(&D) -> Result<T, Fault>) -> Result<T, Fault> {
    let mut result = flow(db);
    for _ in 1..TRIES {
        match result {
            Err(Fault::Locked) => result = flow(db),
            other => return other,
        }
    }
    result
}

/// Runs `flow` on the database as it is at its beginning: what others write meanwhile is not seen, and nobody waits.
pub fn read<D: Db, T>(db: &D, flow: impl Fn(&D) -> Result<T, Fault>) -> Result<T, Fault> {
    db.execute("BEGIN", &[])?;
    let done = flow(db);
    // Nothing was written, so that there is nothing to take back; a connection that is lost has ended it by itself.
    let _ = db.execute("ROLLBACK", &[]);
    done
}

fn attempt<D: Db, T>(db: &D, flow: &impl Fn(&D) -> Result<(T, End), Fault>) -> Result<T, Fault> {
    db.execute("BEGIN IMMEDIATE", &[])?;
    let done = flow(db).and_then(|(value, end)| {
        let end = match end {
            End::Commit => "COMMIT",
            End::RollBack => "ROLLBACK",
        };
        db.execute(end, &[])?;
        Ok(value)
    });
    if done.is_err() {
        // The statement may have rolled back already; a second rollback is refused and changes nothing.
        let _ = db.execute("ROLLBACK", &[]);
    }
    done
}
