//! One sort for all types. A sort that is written out for a type takes some kilobytes of every component that has it;
//! here only the numbers of places are sorted, and the comparison is asked through a pointer.
//!
//! `collect` sorts what becomes a map or a set, by such a sort for every type; here it is put in one by one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Sorts the items; equal ones stay in their order.
pub fn arrange<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort(&mut places, &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    let mut taken: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(places.into_iter().filter_map(|place| taken.get_mut(place)?.take()));
}

/// A map of the pairs; of equal keys the last holds.
pub fn mapped<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}

/// A set of the items.
pub fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for item in items {
        set.insert(item);
    }
    set
}

#[inline(never)]
fn sort(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|one, other| compare(*one, *other));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_a_stable_sort_does(items: Vec<(u8, u16)>) {
            let (mut arranged, mut sorted) = (items.clone(), items);
            arrange(&mut arranged, |one, other| one.0.cmp(&other.0));
            sorted.sort_by_key(|item| item.0);
            prop_assert_eq!(arranged, sorted);
        }
    }
}
