//! A customer's own past: samples of facts, the line through them, and how far from the usual a value is.
//!
//! Median and median distance are not moved by a few wild values, so that one bad month does not make the next look
//! usual. The median distance times 1.4826 is the standard deviation where values are normally spread.

use super::{Sample, Values};
use crate::decimal::Times as _;
use crate::{Date, Decimal, contract::score::FactName};
use std::collections::BTreeSet;

/// Days from one sample to the next.
pub const SAMPLE_DAYS: i64 = 28;

/// Samples that are kept: a year.
pub const SAMPLES: usize = 13;

/// From the median distance to a standard deviation.
const TO_DEVIATION: Decimal = Decimal::from_parts(14_826, 0, 0, false, 4);

/// Days for which a slope is given.
const SLOPE_DAYS: i64 = 30;

/// The samples with one of the day, where the last is old enough; the oldest goes when there are too many. `None`:
/// nothing is to be kept.
pub fn add_sample(
    samples: &[Sample],
    day: Date,
    facts: &Values,
    wanted: &BTreeSet<FactName>,
) -> Option<Vec<Sample>> {
    let last = samples.last().map(|last| day.days_since(last.day));
    if wanted.is_empty() || last.is_some_and(|days| days < SAMPLE_DAYS) {
        return None;
    }
    let values: Values =
        facts.iter().filter(|(name, _)| wanted.contains(name)).map(|(n, v)| (*n, *v)).collect();
    if values.is_empty() {
        return None;
    }
    let kept = samples.len().saturating_sub(SAMPLES.saturating_sub(1));
    Some(samples.iter().skip(kept).cloned().chain([Sample { day, values }]).collect())
}

/// The slope of the line of least squares through the points, for 30 days.
pub(super) fn slope(points: &[(Date, Decimal)], day: Date, least: u32) -> Option<Decimal> {
    if points.len() < usize::try_from(least).unwrap_or(usize::MAX) {
        return None;
    }
    let count = Decimal::from(points.len());
    let (mut x, mut y, mut xx, mut xy) =
        (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    for (on, value) in points {
        let at = Decimal::from(on.days_since(day));
        x = x.checked_add(at)?;
        y = y.checked_add(*value)?;
        xx = xx.checked_add(at.times(at)?)?;
        xy = xy.checked_add(at.times(*value)?)?;
    }
    let across = count.times(xx)?.checked_sub(x.times(x)?)?;
    let along = count.times(xy)?.checked_sub(x.times(y)?)?;
    along.times(Decimal::from(SLOPE_DAYS))?.checked_div(across)
}

/// The median of the values, and how many spreads above it this one is.
pub(super) fn anomaly(
    values: Vec<Decimal>,
    now: Decimal,
    least: u32,
    least_spread: Decimal,
) -> Option<(Decimal, Decimal)> {
    if values.len() < usize::try_from(least).unwrap_or(usize::MAX) {
        return None;
    }
    let distances = |median: Decimal| values.iter().map(move |of| of.saturating_sub(median).abs());
    let middle = median(values.clone())?;
    let spread = median(distances(middle).collect())?.times(TO_DEVIATION)?.max(least_spread);
    Some((middle, now.checked_sub(middle)?.checked_div(spread)?))
}

fn median(mut values: Vec<Decimal>) -> Option<Decimal> {
    values.sort();
    let upper = *values.get(values.len() >> 1)?;
    let lower = *values.get(values.len().saturating_sub(1) >> 1)?;
    upper.checked_add(lower)?.checked_div(Decimal::TWO)
}
