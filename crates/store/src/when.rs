//! For which day and with what knowledge something is read.

use dunlin_domain::Date;

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
