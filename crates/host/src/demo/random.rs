//! Chance that is the same on every platform: ChaCha8 words turned into numbers by integer
//! arithmetic only, so neither a maths library nor a hash seed can change the company.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Uniform draws summed by [`Random::normal`]; twelve of them have a variance of exactly one.
const NORMAL_DRAWS: i64 = 12;
/// Resolution of one uniform draw inside [`Random::normal`].
const NORMAL_SCALE: i64 = 1_000;
/// Up-or-down steps of [`Random::spread`]; enough of them to look log-normal.
const SPREAD_STEPS: u32 = 8;

/// One stream of random numbers. Streams of the same seed are independent, so a change to one
/// customer's draws leaves every other customer as it was.
#[derive(Debug)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// The key is laid out here because `seed_from_u64` promises no layout across versions.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0_u8; 32];
        for (slot, byte) in key.iter_mut().zip(seed.to_le_bytes()) {
            *slot = byte;
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        Self(rng)
    }

    pub(super) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform number below `bound` (multiply-shift, biased words rejected); 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let biased = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        loop {
            let (high, low) = widen(self.word(), bound);
            if low >= biased {
                return high;
            }
        }
    }

    /// A uniform number from `low` to `high`, both included; `low` when they are reversed.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let width = high.abs_diff(low).saturating_add(1);
        low.saturating_add_unsigned(self.below(width))
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items; the default value where there are none.
    pub(super) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let at = self.below(items.len() as u64);
        usize::try_from(at).ok().and_then(|at| items.get(at)).copied().unwrap_or_default()
    }

    /// One of the values, each as likely as its weight; the default value where no weight is set.
    pub(super) fn weighted<T: Copy + Default>(&mut self, table: &[(u64, T)]) -> T {
        let mut left = self.below(table.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in table {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        T::default()
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1);
            items.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }

    /// A whole number around `mean` with about that standard deviation; it strays at most six
    /// deviations.
    pub(super) fn normal(&mut self, mean: i64, deviation: i64) -> i64 {
        let sum: i64 = (0..NORMAL_DRAWS).map(|_| self.between(0, NORMAL_SCALE)).sum();
        let centred = sum - NORMAL_DRAWS * NORMAL_SCALE / 2;
        mean.saturating_add(centred.saturating_mul(deviation) / NORMAL_SCALE)
    }

    /// A positive number around `median`, log-normal in shape: each step multiplies or divides by
    /// up to `permille` thousandths more than one.
    pub(super) fn spread(&mut self, median: i64, permille: i64) -> i64 {
        let mut value = median;
        for _ in 0..SPREAD_STEPS {
            let factor = 1_000 + self.between(0, permille);
            value = if self.chance(50) {
                value.saturating_mul(factor) / 1_000
            } else {
                value.saturating_mul(1_000) / factor
            };
        }
        value.max(1)
    }
}

/// The high and low word of a product.
fn widen(left: u64, right: u64) -> (u64, u64) {
    let product = u128::from(left) * u128::from(right);
    ((product >> 64) as u64, product as u64)
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn draws_stay_inside_their_bounds() {
        let mut random = Random::new(7, 0);
        for _ in 0..2_000 {
            assert!(random.below(7) < 7);
            assert!((-3..=4).contains(&random.between(-3, 4)));
            assert!((-50..=70).contains(&random.normal(10, 10)));
        }
        assert_eq!((random.below(0), random.below(1), random.between(5, 2)), (0, 0, 5));
        assert_eq!(random.pick::<i64>(&[]), 0);
        assert_eq!(random.weighted(&[(0, 1), (5, 2)]), 2);
    }

    #[test]
    fn streams_of_one_seed_differ() {
        assert_ne!(Random::new(7, 0).word(), Random::new(7, 1).word());
        assert_eq!(Random::new(7, 1).word(), Random::new(7, 1).word());
    }

    #[test]
    fn normal_and_spread_centre_on_what_was_asked() {
        let mut random = Random::new(7, 0);
        let mean: i64 = (0..10_000).map(|_| random.normal(20, 6)).sum::<i64>() / 10_000;
        assert!((19..=21).contains(&mean), "mean {mean}");
        let mut values: Vec<i64> = (0..10_001).map(|_| random.spread(100_000, 250)).collect();
        values.sort_unstable();
        assert!((97_000..=103_000).contains(&values[5_000]), "median {}", values[5_000]);
    }
}
