//! The statements that a piece of work runs, noted once and run again alone: the floor of work that is mostly SQL.

use dunlin_store::{Db, DbError, Param, Row, Value, native::NativeDb};
use std::cell::RefCell;

/// A statement that was run, with what stood for its parameters.
pub type Ran = (String, Vec<Value>);

/// Notes what is run through it.
pub struct Noting<'a> {
    db: &'a NativeDb,
    ran: RefCell<Vec<Ran>>,
}

impl<'a> Noting<'a> {
    pub fn new(db: &'a NativeDb) -> Noting<'a> {
        Noting { db, ran: RefCell::default() }
    }

    /// What was run.
    pub fn ran(self) -> Vec<Ran> {
        self.ran.into_inner()
    }
}

impl Db for Noting<'_> {
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let value = |param: &Param<'_>| match param {
            Param::Null => Value::Null,
            Param::Int(value) => Value::Int(*value),
            Param::Text(text) => Value::Text((*text).to_owned()),
            Param::Blob(bytes) => Value::Blob(bytes.to_vec()),
        };
        self.ran.borrow_mut().push((sql.to_owned(), params.iter().map(value).collect()));
        self.db.execute(sql, params)
    }
}

fn param(value: &Value) -> Param<'_> {
    match value {
        Value::Int(value) => Param::Int(*value),
        Value::Text(text) => Param::Text(text),
        Value::Blob(bytes) => Param::Blob(bytes),
        Value::Null | Value::Real(_) => Param::Null,
    }
}

/// Runs a statement again and nothing else.
pub fn run(db: &NativeDb, (sql, values): &Ran) -> Result<(), DbError> {
    let params: Vec<Param<'_>> = values.iter().map(param).collect();
    db.execute(sql, &params).map(drop)
}
