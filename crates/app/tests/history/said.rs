//! What payers say of their money, and what is put right of it.

use proptest::prelude::*;

#[derive(Clone, Debug)]
pub enum Said {
    /// A payment names one document without an amount, or some with amounts, or none, in place of all that it named.
    Named { payment: usize, named: Vec<(usize, i64)>, whole: bool },
}

pub fn said() -> impl Strategy<Value = Said> {
    let named = proptest::collection::vec((0usize..6, 1i64..200), 0..3);
    (0usize..6, named, any::<bool>()).prop_map(|(payment, named, whole)| Said::Named {
        payment,
        named,
        whole,
    })
}
