//! What of a duplicate's credit goes along when it is merged: limits, so that nobody of either group is bound by less, rules
//! where none of their kind decides for the one that stays, and one of two holds of an order.

use super::{hold, rates_of};
use crate::{audit::Author, score::made_id};
use dunlin_domain::{
    Date,
    contract::credit::{LimitSource, LimitState},
    credit::{approval, merge},
};
use dunlin_store::{Db, Fault, credit, credit_limit, score};

/// Runs before the rows of the one that goes move. Keys are those of whom goes, whom stays, and the head of its group or
/// itself.
pub(crate) fn follow<D: Db>(
    db: &D,
    whose: (i64, i64, i64),
    day: Date,
    (author, entry): (&Author, i64),
) -> Result<(), Fault> {
    let (from, to, _) = whose;
    for twice in credit::held_twice(db, from, to)? {
        hold::clear(db, &twice, None, author)?;
    }
    credit::move_rules(db, whose, day, entry)?;
    let mut all = credit_limit::parties(db, from, to)?;
    let thresholds = credit_limit::policy(db)?.and_then(|(_, policy)| policy.second_key_from);
    let thresholds = thresholds.unwrap_or_default();
    let currencies = all.iter().flat_map(|of| {
        let dated = of.ledger.iter().map(|entry| entry.currency);
        dated.chain(of.record.map(|record| record.currency))
    });
    let rates = rates_of(db, approval::pairs(&thresholds, currencies), day.into())?;
    for of in &mut all {
        // Of a record counts what needs no second key.
        of.record = of.record.map(|record| approval::of_record(&thresholds, record, &rates));
    }
    let mut rows = Vec::new();
    for (key, limit) in merge::rows(&all, whose, day, &rates)? {
        let since = limit.from.map(|from| from.to_string()).unwrap_or_default();
        let kind = limit.kind.map(|kind| kind.name()).unwrap_or_default();
        let (from, whose) = (from.to_string(), key.to_string());
        rows.push((made_id("L", &[&from, &whose, kind, &since])?, key, limit));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let counts = (LimitState::Approved, LimitSource::Key);
    credit_limit::insert(db, &rows, counts, &author.who, entry)?;
    let bound: Vec<i64> = rows.iter().map(|(_, key, _)| *key).collect();
    score::outdate(db, &bound)
}
