//! A payment that was partly changed into other currencies: where what goes back of it falls.

use crate::money::portion;

/// What goes back of a payment goes back of what stayed in its own currency first, then of its parts in other currencies
/// in the order in which they were made, each at the price at which it was changed. What the price of a part was not
/// noted for is in proportion to all that was changed.
///
/// It follows from how much went back before, mistakes before all and then by day: reversals are kept whole and fall
/// where they do whenever they came, and one that is taken back leaves no trace.
#[derive(Clone, Debug)]
pub struct Converted {
    /// What stayed in its own currency, and what was changed.
    own: i64,
    minor: i64,
    /// Of each part: how much was changed before it, what it cost, how much it is.
    parts: Vec<(i64, i64, i64)>,
}

impl Converted {
    /// A payment of which `own` stayed and `minor` was changed into parts: how much each is and what it cost.
    pub fn new(own: i64, minor: i64, parts: impl IntoIterator<Item = (i64, Option<i64>)>) -> Self {
        let mut before = 0i64;
        let place = |(amount, cost): (i64, Option<i64>)| {
            let Some(cost) = cost else { return (0, minor, amount) };
            let start = before;
            before = before.saturating_add(cost);
            (start, cost, amount)
        };
        let parts = parts.into_iter().map(place).collect();
        Self { own, minor, parts }
    }

    /// Where the amount from `before` to `after` of all that went back falls: how much of it on what was changed, and on
    /// each part, in its currency and as it cost.
    pub fn fall(&self, before: i64, after: i64) -> (i64, Vec<(i64, i64)>) {
        let changed = |gone: i64| gone.saturating_sub(self.own).clamp(0, self.minor.max(0));
        let (from, to) = (changed(before), changed(after));
        let part = |(start, cost, minor): &(i64, i64, i64)| {
            let gone = |changed: i64| changed.saturating_sub(*start).clamp(0, (*cost).max(0));
            let (from, to) = (gone(from), gone(to));
            let of = |gone: i64| portion(*minor, gone, *cost);
            (of(to).saturating_sub(of(from)), to.saturating_sub(from))
        };
        (to.saturating_sub(from), self.parts.iter().map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Converted;
    use proptest::{collection::vec, option, prelude::*};

    #[test]
    fn the_own_money_goes_back_first_and_then_part_by_part() {
        // Of 200, 120 became 96 at 1.25, and 30 became 4_500 at 1 for 150.
        let of = Converted::new(50, 150, [(96, Some(120)), (4_500, Some(30))]);
        for (before, after, changed, parts) in [
            (0, 50, 0, [(0, 0), (0, 0)]),
            (0, 60, 10, [(8, 10), (0, 0)]),
            // Rounded once over all that went: 0.8, 1.6, 2.4 are 1, 2, 2.
            (50, 51, 1, [(1, 1), (0, 0)]),
            (51, 52, 1, [(1, 1), (0, 0)]),
            (52, 53, 1, [(0, 1), (0, 0)]),
            (60, 180, 120, [(88, 110), (1_500, 10)]),
            (0, 200, 150, [(96, 120), (4_500, 30)]),
            (200, 250, 0, [(0, 0), (0, 0)]),
        ] {
            assert_eq!(of.fall(before, after), (changed, parts.to_vec()), "{before} to {after}");
        }
    }

    #[test]
    fn parts_without_a_price_go_back_in_the_same_proportion() {
        let of = Converted::new(10, 40, [(100, None), (8, None)]);
        assert_eq!(of.fall(0, 30), (20, vec![(50, 20), (4, 20)]));
        assert_eq!(of.fall(30, 50), (20, vec![(50, 20), (4, 20)]));
    }

    proptest! {
        #[test]
        fn what_goes_back_is_all_there_is_however_it_is_cut(
            own in 0i64..500,
            costs in vec((1i64..400, 1i64..40_000), 1..4),
            priced in option::of(Just(())),
            cuts in vec(0i64..1_500, 0..6),
        ) {
            let minor = costs.iter().map(|of| of.0).sum();
            let price = |cost| priced.map(|()| cost);
            let of = Converted::new(own, minor, costs.iter().map(|of| (of.1, price(of.0))));
            let all = own + minor;
            let mut cuts: Vec<i64> = cuts.into_iter().filter(|at| *at < all).collect();
            cuts.extend([0, all]);
            cuts.sort_unstable();
            let falls: Vec<_> = cuts.windows(2).map(|cut| of.fall(cut[0], cut[1])).collect();
            prop_assert_eq!(falls.iter().map(|fall| fall.0).sum::<i64>(), minor);
            for (at, (cost, minor)) in costs.iter().enumerate() {
                prop_assert_eq!(falls.iter().map(|fall| fall.1[at].0).sum::<i64>(), *minor);
                prop_assert!(falls.iter().all(|fall| fall.1[at].0 >= 0));
                if priced.is_some() {
                    prop_assert_eq!(falls.iter().map(|fall| fall.1[at].1).sum::<i64>(), *cost);
                }
            }
        }
    }
}
