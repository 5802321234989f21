//! Ageing: which bucket an age falls into, and sums by bucket.

use crate::{Currency, Refusal, Refused, contract::report::AgeingLine, money};
use std::{fmt, str::FromStr};

/// The most edges of one ageing. Twelve give thirteen buckets: a year by months and the rest.
pub const MAX_EDGES: usize = 12;

/// The largest edge in days, ten years: what is older is written off or a typing error.
pub const MAX_EDGE_DAYS: u32 = 3650;

/// The last day of each bucket but the last, which has no end.
///
/// Buckets are a partition: with the edges 30, 60 and 90 they are 1–30, 31–60, 61–90 and above 90 days, so that
/// every age has one place and one only.
///
/// ```
/// use dunlin_domain::ageing::Edges;
/// let edges: Edges = "30,60,90".parse().unwrap();
/// assert_eq!(edges.bucket(0), None); // due today is not past due
/// assert_eq!(edges.bucket(30), Some(0));
/// assert_eq!(edges.bucket(31), Some(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges(Vec<u32>);

impl Edges {
    /// The edges, ascending.
    pub fn days(&self) -> &[u32] {
        &self.0
    }

    /// The number of buckets: one more than there are edges.
    pub fn buckets(&self) -> usize {
        self.0.len().saturating_add(1)
    }

    /// The bucket, from 0, of something so many days past its basis date. `None`: not due, which includes the day
    /// itself.
    pub fn bucket(&self, days: i64) -> Option<usize> {
        (days > 0).then(|| self.0.partition_point(|edge| i64::from(*edge) < days))
    }

    /// The first and the last day of a bucket; the last bucket has no last day. `None`: there is no such bucket.
    pub fn range(&self, bucket: usize) -> Option<(u32, Option<u32>)> {
        if bucket > self.0.len() {
            return None;
        }
        let before = bucket.checked_sub(1).and_then(|at| self.0.get(at));
        let first = before.map_or(1, |edge| edge.saturating_add(1));
        Some((first, self.0.get(bucket).copied()))
    }
}

impl Default for Edges {
    /// 30, 60 and 90 days.
    fn default() -> Self {
        Self(vec![30, 60, 90])
    }
}

impl FromStr for Edges {
    type Err = Refused;
    /// Reads `30,60,90`. Refused, in this order: more than [`MAX_EDGES`]; an edge that is not a plain whole number
    /// from 1 to [`MAX_EDGE_DAYS`]; edges that do not ascend.
    fn from_str(text: &str) -> Result<Self, Refused> {
        let refused =
            |detail: String| Err(Refused::new(Refusal::MalformedParameter, detail).at("edges"));
        if text.split(',').count() > MAX_EDGES {
            return refused(format!("there are at most {MAX_EDGES} edges"));
        }
        let edges: Option<Vec<u32>> = text.split(',').map(edge).collect();
        let Some(edges) = edges else {
            let shown: String = text.chars().take(60).collect();
            return refused(format!(
                "`{shown}` is not a list of whole days from 1 to {MAX_EDGE_DAYS}, such as 30,60,90"
            ));
        };
        if !edges.windows(2).all(|pair| pair.first() < pair.last()) {
            return refused("each edge is larger than the one before".to_string());
        }
        Ok(Self(edges))
    }
}

/// One edge in its only spelling: digits without a leading zero.
fn edge(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let days = plain.then(|| text.parse().ok()).flatten()?;
    (1..=MAX_EDGE_DAYS).contains(&days).then_some(days)
}

impl fmt::Display for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&days.join(","))
    }
}

/// What is open in one currency by age. The buckets, not-due included, always sum to the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    not_due_minor: i64,
    buckets_minor: Vec<i64>,
    total_minor: i64,
}

impl Totals {
    /// Nothing open yet.
    pub fn new(edges: &Edges) -> Self {
        Self { not_due_minor: 0, buckets_minor: vec![0; edges.buckets()], total_minor: 0 }
    }

    /// Adds an amount in a place that [`Edges::bucket`] named. A sum that cannot be held is refused as
    /// `amount-too-large` and nothing is added.
    pub fn add(&mut self, bucket: Option<usize>, minor: i64) -> Result<(), Refused> {
        let place = match bucket {
            None => &mut self.not_due_minor,
            Some(at) => self.buckets_minor.get_mut(at).ok_or_else(|| {
                Refused::new(Refusal::Internal, "a bucket that these edges do not have")
            })?,
        };
        let sum = money::sum([*place, minor])?;
        self.total_minor = money::sum([self.total_minor, minor])?;
        *place = sum;
        Ok(())
    }

    /// Open and not past the basis date.
    pub fn not_due_minor(&self) -> i64 {
        self.not_due_minor
    }

    /// Open by age.
    pub fn buckets_minor(&self) -> &[i64] {
        &self.buckets_minor
    }

    /// All that is open.
    pub fn total_minor(&self) -> i64 {
        self.total_minor
    }

    /// The line of the report. What is unapplied stands beside the total, never in it.
    pub fn into_line(self, currency: Currency, unapplied_minor: i64) -> AgeingLine {
        AgeingLine {
            currency,
            not_due_minor: self.not_due_minor,
            buckets_minor: self.buckets_minor,
            total_minor: self.total_minor,
            unapplied_minor,
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edges() -> impl Strategy<Value = Edges> {
        let days = proptest::collection::btree_set(1..=MAX_EDGE_DAYS, 1..=MAX_EDGES);
        days.prop_map(|days| Edges(days.into_iter().collect()))
    }

    #[test]
    fn every_age_stands_in_its_bucket() {
        let table = "
            -400  not due
            -1    not due
            0     not due
            1     1-30
            30    1-30
            31    31-60
            60    31-60
            61    61-90
            90    61-90
            91    91-
            4000  91-";
        let edges = Edges::default();
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let (days, place) = line.trim().split_once(' ').unwrap();
            let got = edges.bucket(days.parse().unwrap()).map_or("not due".to_string(), |bucket| {
                let (first, last) = edges.range(bucket).unwrap();
                format!("{first}-{}", last.map_or(String::new(), |last| last.to_string()))
            });
            assert_eq!(got, place.trim(), "{line}");
        }
        assert_eq!((edges.buckets(), edges.range(4)), (4, None));
    }

    #[test]
    fn only_ascending_whole_days_are_edges() {
        let thirteen = "1,2,3,4,5,6,7,8,9,10,11,12,13";
        for good in ["30,60,90", "1", "3650", "7,14", &thirteen[..thirteen.len() - 3]] {
            assert_eq!(good.parse::<Edges>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "0",
            "-1",
            "30,",
            ",30",
            "30,30",
            "60,30",
            "30, 60",
            "3651",
            "030",
            "+30",
            "1.5",
            "30;60",
            "99999999999",
            "３０",
            thirteen,
        ] {
            let refused = bad.parse::<Edges>().unwrap_err();
            assert_eq!(refused.code, Refusal::MalformedParameter, "{bad:?}");
            assert_eq!(refused.field.as_deref(), Some("edges"));
        }
    }

    #[test]
    fn a_sum_that_cannot_be_held_is_refused_and_not_added() {
        let mut totals = Totals::new(&Edges::default());
        totals.add(None, i64::MAX).unwrap();
        let before = totals.clone();
        assert_eq!(totals.add(Some(0), 1).unwrap_err().code, Refusal::AmountTooLarge);
        assert_eq!(totals, before);
        assert_eq!(totals.add(Some(9), 1).unwrap_err().code, Refusal::Internal);
    }

    proptest! {
        #[test]
        fn the_buckets_are_a_partition(edges in edges(), days in -5000i64..5000) {
            let places = (0..edges.buckets()).filter(|bucket| {
                let (first, last) = edges.range(*bucket).unwrap();
                days >= i64::from(first) && last.is_none_or(|last| days <= i64::from(last))
            });
            let places: Vec<usize> = places.collect();
            prop_assert_eq!(places, edges.bucket(days).into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn the_buckets_sum_to_the_total(
            edges in edges(),
            items in proptest::collection::vec((-5000i64..5000, -money::MAX_MINOR..money::MAX_MINOR), 0..100),
        ) {
            let mut totals = Totals::new(&edges);
            for (days, minor) in &items {
                totals.add(edges.bucket(*days), *minor).unwrap();
            }
            let line = totals.into_line("CNY".parse().unwrap(), 7);
            let sum = line.not_due_minor + line.buckets_minor.iter().sum::<i64>();
            prop_assert_eq!(sum, line.total_minor);
            prop_assert_eq!(sum, items.iter().map(|(_, minor)| minor).sum::<i64>());
        }
    }
}
