//! What payers say of their money, and what is put right of it.

use crate::events::{ORDERS, Side, side};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub enum Said {
    /// A payment names one document without an amount, or some with amounts, or none, in place of all that it named.
    Named { payment: usize, named: Vec<(usize, i64)>, whole: bool },
    /// A payment is for a contract that says in which order it serves.
    Agreed { on: i64, minor: i64, named: Option<(usize, i64)>, side: Side },
    /// The contract says another order from a day on, or none.
    Version { from: i64, order: &'static str, duplicate: bool },
}

pub fn said() -> impl Strategy<Value = Said> {
    let named = proptest::collection::vec((0usize..6, 1i64..200), 0..3);
    let agreed = (0i64..40, 1i64..400, proptest::option::of((0usize..6, 1i64..200)), side());
    let version = (0i64..40, 0usize..8, proptest::bool::weighted(0.15));
    prop_oneof![
        3 => (0usize..6, named, any::<bool>())
            .prop_map(|(payment, named, whole)| Said::Named { payment, named, whole }),
        3 => agreed.prop_map(|(on, minor, named, side)| Said::Agreed { on, minor, named, side }),
        3 => version.prop_map(|(from, order, duplicate)| {
            Said::Version { from, order: ORDERS.get(order).copied().unwrap_or_default(), duplicate }
        }),
    ]
}
