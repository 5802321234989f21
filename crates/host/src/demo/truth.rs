//! The side file: what the generator knows about each customer and no import ever sees.

use super::behaviour::Behaviour;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The ground truth of a generated company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    pub seed: u64,
    #[serde(with = "date")]
    pub today: NaiveDate,
    pub customers: Vec<CustomerTruth>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerTruth {
    pub id: String,
    pub behaviour: Behaviour,
    /// The day a defaulting customer files for insolvency, some weeks after it stopped paying, or
    /// the due date of the first invoice a bust-out left unpaid. It may lie after today for a bust-out; absent for everyone else.
    #[serde(with = "optional_date")]
    pub default_on: Option<NaiveDate>,
    /// Whether a score should rank this customer among the risky ones as of today.
    pub bad: bool,
}

impl Truth {
    /// Reads a truth file back.
    ///
    /// # Errors
    /// Says where the text is not the JSON this module writes.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Pairs each customer's score with what it turned out to be, ready for [`auc`]. A customer
    /// without a score is left out. Scores rise with risk: negate a payment index.
    pub fn label(&self, score: impl Fn(&str) -> Option<f64>) -> Vec<(f64, bool)> {
        let pair = |one: &CustomerTruth| Some((score(&one.id)?, one.bad));
        self.customers.iter().filter_map(pair).collect()
    }
}

/// The area under the ROC curve: the chance that a bad customer has a higher score than a good
/// one, a tie counting half. `None` where there are no bad or no good ones. NaN ranks highest.
///
/// ```
/// use dunlin::demo::auc;
/// assert_eq!(auc(&[(0.9, true), (0.4, false), (0.4, true)]), Some(0.75));
/// ```
#[must_use]
pub fn auc(scores: &[(f64, bool)]) -> Option<f64> {
    // -0.0 + 0.0 is 0.0, so the two zeros tie under the total order as well.
    let mut sorted: Vec<(f64, bool)> = scores.iter().map(|(s, bad)| (s + 0.0, *bad)).collect();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (mut good_below, mut bad_total, mut half_wins) = (0_u64, 0_u64, 0_u64);
    for tied in sorted.chunk_by(|left, right| left.0.total_cmp(&right.0).is_eq()) {
        let bad = tied.iter().filter(|(_, bad)| *bad).count() as u64;
        let good = tied.len() as u64 - bad;
        half_wins += bad * (2 * good_below + good);
        good_below += good;
        bad_total += bad;
    }
    let pairs = bad_total * good_below;
    (pairs > 0).then(|| half_wins as f64 / (2 * pairs) as f64)
}

mod date {
    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(day: &NaiveDate, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveDate, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod optional_date {
    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        day: &Option<NaiveDate>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        day.map(|day| day.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<NaiveDate>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|day| day.parse().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::auc;

    #[test]
    fn auc_is_the_share_of_pairs_in_the_right_order() {
        for (case, bad, good, expected) in [
            ("perfect", vec![3.0, 4.0], vec![1.0, 2.0], Some(1.0)),
            ("reversed", vec![1.0], vec![2.0, 3.0], Some(0.0)),
            ("all tied", vec![5.0, 5.0], vec![5.0], Some(0.5)),
            ("one tie of four", vec![2.0, 3.0], vec![1.0, 2.0], Some(0.875)),
            ("signed zeros tie", vec![-0.0], vec![0.0], Some(0.5)),
            ("negative scores", vec![-1.0], vec![-2.0], Some(1.0)),
            ("no good", vec![1.0], vec![], None),
            ("no bad", vec![], vec![1.0], None),
            ("nobody", vec![], vec![], None),
        ] {
            let mut scores: Vec<(f64, bool)> = bad.into_iter().map(|s| (s, true)).collect();
            scores.extend(good.into_iter().map(|s| (s, false)));
            assert_eq!(auc(&scores), expected, "{case}");
            scores.reverse();
            assert_eq!(auc(&scores), expected, "{case}, in another order");
        }
    }
}
