//! For which day and with what knowledge something is read.

use crate::{Db, Fault, Param};
use dunlin_domain::Date;
use serde::de::DeserializeOwned;

/// A day, and the last entry of the audit chain that was known. A day alone is read with all that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    pub day: Date,
    /// The key of the entry; [`i64::MAX`] for all.
    pub known: i64,
}

impl When {
    /// All that is recorded, whatever its day.
    pub const ALL: Self = Self { day: Date::LAST, known: i64::MAX };

    /// Whether all that is recorded is known.
    pub fn knows_all(self) -> bool {
        self.known == i64::MAX
    }
}

impl From<Date> for When {
    fn from(day: Date) -> Self {
        Self { day, ..Self::ALL }
    }
}

impl From<(Date, i64)> for When {
    fn from((day, known): (Date, i64)) -> Self {
        Self { day, known }
    }
}

/// Runs a statement over all that is recorded, or over what was known with an entry: then after the common tables of
/// another one, which hide the tables of their names.
pub(crate) fn as_known<D: Db, T: DeserializeOwned>(
    db: &D,
    tables: &str,
    known: i64,
    statement: &str,
    params: &[Param<'_>],
) -> Result<T, Fault> {
    if known == i64::MAX {
        return db.json(statement, params);
    }
    let (Some((tables, _)), Some(statement)) = (tables.rsplit_once(')'), behind_comment(statement))
    else {
        return Err(Fault::Db("a statement of common tables ends otherwise".into()));
    };
    let mut params = params.to_vec();
    params.resize(KNOWN, Param::Null);
    params.push(known.into());
    let sql = match statement.split_at_checked("with".len()) {
        Some((with, rest)) if with.eq_ignore_ascii_case("with") => format!("{tables}),{rest}"),
        _ => format!("{tables})\n{statement}"),
    };
    db.json(&sql, &params)
}

/// A statement without what is said of it before.
fn behind_comment(statement: &str) -> Option<&str> {
    let mut rest = statement;
    while rest.starts_with("--") {
        rest = rest.split_once('\n')?.1;
    }
    Some(rest)
}

/// How many parameters stand before the last entry that was known: more than any such statement has.
const KNOWN: usize = 9;
