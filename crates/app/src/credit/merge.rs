//! What of a duplicate's credit goes along when it is merged: limits and rules where the customer that stays has none, so
//! that nobody is bound by less afterwards, and one of two holds of an order.

use super::{hold, rates_of};
use crate::{audit::Author, score::made_id};
use dunlin_domain::{
    Date, Money,
    contract::credit::{LimitSource, LimitState},
    credit::approval,
};
use dunlin_store::{Db, Fault, credit};

/// Runs before the rows of the one that goes move. Keys are those of whom goes, whom stays, and the head of its group or
/// itself.
pub(crate) fn follow<D: Db>(
    db: &D,
    (from, to, head): (i64, i64, i64),
    day: Date,
    (author, entry): (&Author, i64),
) -> Result<(), Fault> {
    for twice in credit::held_twice(db, from, to)? {
        hold::clear(db, &twice, None, author)?;
    }
    credit::move_rules(db, (from, to, head), day, entry)?;
    let found = credit::limits_of_merged(db, (from, to, head), day)?;
    if found.is_empty() {
        return Ok(());
    }
    let thresholds = credit::policy(db)?.and_then(|(_, policy)| policy.second_key_from);
    let thresholds = thresholds.unwrap_or_default();
    let currencies = found.iter().map(|(_, _, limit)| limit.currency);
    let rates = rates_of(db, approval::pairs(&thresholds, currencies), day.into())?;
    let mut rows = Vec::new();
    for (id, key, mut limit) in found {
        let (from, whose) = (from.to_string(), key.to_string());
        let name = match &id {
            Some(id) => id.as_str(),
            None => {
                // Of a record counts what needs no second key.
                let record = Money::new(limit.minor.unwrap_or(0), limit.currency);
                limit.minor = Some(approval::of_record(&thresholds, record, &rates).minor);
                from.as_str()
            }
        };
        let kind = limit.kind.map(|kind| kind.name()).unwrap_or_default();
        rows.push((made_id("L", &[name, &whose, kind])?, key, limit));
    }
    let counts = (LimitState::Approved, LimitSource::Key);
    credit::insert_limits(db, &rows, counts, &author.who, entry)?;
    Ok(())
}
