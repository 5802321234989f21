//! The facts that SQL sums over the ledger, against the definition of each fact.

use crate::{
    model::Model,
    world::{CURRENCIES, cases, day, docs, filled},
};
use dunlin_domain::{Date, facts::Behaviour};
use dunlin_store::{arrears::Range, facts};
use proptest::prelude::*;

/// What the module of facts says, word by word. `None`: nothing fell due in the twelve months that was paid, in part
/// or whole, or is overdue.
fn defined(model: &Model, customer: usize, currency: usize, on: Date) -> Option<Behaviour> {
    let (year_ago, quarter_ago) = (on.minus_months(12).unwrap(), on.minus_months(3).unwrap());
    // Due date, amount and days late of each part that was paid, or is overdue.
    let mut weights: Vec<(Date, i64, i64)> = Vec::new();
    let mut items = 0;
    for doc in model.known(customer, currency, on).filter(|doc| doc.is_claim()) {
        let due = doc.due();
        if due <= year_ago || due > on {
            continue;
        }
        let paid = model.parts.iter().filter(|part| part.claim == doc.id && part.on <= on);
        let mut of_this: Vec<_> =
            paid.map(|part| (due, part.minor, part.on.days_since(due))).collect();
        let open = model.open(doc, on);
        if open > 0 && due < on {
            of_this.push((due, open, on.days_since(due)));
        }
        items += u32::from(!of_this.is_empty());
        weights.extend(of_this);
    }
    // Whole numbers far below 2^53: floats hold them exactly.
    let sums = |counts: &dyn Fn(&&(Date, i64, i64)) -> bool| {
        let (minor, weighted) = weights
            .iter()
            .filter(counts)
            .fold((0, 0), |sum, of| (sum.0 + of.1, sum.1 + of.1 * of.2));
        (minor as f64, weighted as f64)
    };
    (!weights.is_empty()).then(|| Behaviour {
        currency: CURRENCIES[currency].parse().unwrap(),
        items,
        all: sums(&|_| true),
        recent: sums(&|of| of.0 > quarter_ago),
        before: sums(&|of| of.0 <= quarter_ago),
        late: sums(&|of| of.2 > 0).0,
        worst_days_late: weights.iter().map(|of| of.2).max().unwrap().max(0).try_into().unwrap(),
    })
}

proptest! {
    #![proptest_config(cases(32))]

    /// Also where allocations were taken back because a document came late: files are small, so that most do.
    #[test]
    fn the_sums_are_what_the_facts_mean(docs in docs(40), days in proptest::collection::vec(0i64..560, 12)) {
        let world = filled(&docs, 3);
        let model = Model::new(&docs);
        for on in days.into_iter().map(day) {
            for number in 0..4 {
                let key = i64::try_from(number).unwrap() + 1;
                let mut got = facts::of_range(&world.db, Range { after: key - 1, upto: key }, on).unwrap();
                got.sort_by_key(|(_, of)| of.currency);
                let mut expected: Vec<_> =
                    (0..2).filter_map(|currency| defined(&model, number, currency, on)).map(|of| (key, of)).collect();
                expected.sort_by_key(|(_, of)| of.currency);
                prop_assert_eq!(got, expected, "customer {} on {}", number, on);
            }
            let all = facts::of_range(&world.db, Range { after: 0, upto: i64::MAX }, on).unwrap();
            let one_by_one = (0..4).flat_map(|of| (0..2).map(move |currency| (of, currency)));
            prop_assert_eq!(all.len(), one_by_one.filter(|(of, currency)| defined(&model, *of, *currency, on).is_some()).count());
        }
    }
}
