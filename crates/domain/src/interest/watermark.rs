//! Interest as a line through time.

use crate::{Date, day_count::Ruler};

/// A claim's interest as a line through time, in numbers that SQL can hold: up to and with a day it is
/// `base_minor + (step × (ruler.through(day) - mark) + base_rest) / denominator`, rounded half away from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// What the day is read on.
    pub ruler: Ruler,
    /// Where the running segment begins on it.
    pub mark: i64,
    /// What a unit of time adds, over `denominator`. Zero while nothing bears.
    pub step: i64,
    /// What the segments before gave in whole units,
    pub base_minor: i64,
    /// and the rest of it over `denominator`.
    pub base_rest: i64,
    /// More than zero.
    pub denominator: i64,
    /// The last day for which the line is known to hold.
    pub until: Date,
}

impl Watermark {
    /// The rounded interest up to and with a day. `None` when it cannot be held.
    pub fn at(&self, day: Date) -> Option<i64> {
        let units = self.ruler.through(day).checked_sub(self.mark)?;
        let exact = self.step.checked_mul(units)?.checked_add(self.base_rest)?;
        let rounded = exact.checked_add(self.denominator.checked_div(2)?)?;
        self.base_minor.checked_add(rounded.checked_div(self.denominator)?)
    }
}
