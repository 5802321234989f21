//! A database that fails at a chosen statement.

use dunlin_store::{Db, DbError, Param, Row};
use std::cell::Cell;

/// What happens at the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It fails, and the next one works: a full disk that somebody clears.
    Fails,
    /// It and all after it fail: the process is gone, and with it the connection.
    Dies,
    /// It finds the database locked, once.
    Locked,
    /// It is done, and then all after it fail: the process dies before it hears of it.
    DiesAfter,
}

pub struct FaultyDb<'a, D> {
    inner: &'a D,
    how: How,
    left: Cell<u32>,
    pub hit: Cell<bool>,
    dead: Cell<bool>,
}

impl<'a, D: Db> FaultyDb<'a, D> {
    /// The first statement has the number 0.
    pub fn at(inner: &'a D, statement: u32, how: How) -> Self {
        Self {
            inner,
            how,
            left: Cell::new(statement),
            hit: Cell::new(false),
            dead: Cell::new(false),
        }
    }
}

fn failed() -> DbError {
    DbError::Failed("injected".into())
}

impl<D: Db> Db for FaultyDb<'_, D> {
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        if self.dead.get() {
            return Err(failed());
        }
        if self.hit.get() {
            return self.inner.execute(sql, params);
        }
        if let Some(left) = self.left.get().checked_sub(1) {
            self.left.set(left);
            return self.inner.execute(sql, params);
        }
        self.hit.set(true);
        match self.how {
            How::Fails => Err(failed()),
            How::Locked if sql == "ROLLBACK" => self.inner.execute(sql, params),
            How::Locked => Err(DbError::Locked),
            How::Dies => {
                self.dead.set(true);
                Err(failed())
            }
            How::DiesAfter => {
                self.dead.set(true);
                let _ = self.inner.execute(sql, params);
                Err(failed())
            }
        }
    }
}
