//! What of a duplicate's credit goes along when it is merged: limits on the days on which the customer that stays has none,
//! rules where none of their kind decides for it, and one of two holds of an order.

use super::{hold, rates_of};
use crate::{audit::Author, score::made_id};
use dunlin_domain::{
    Date,
    contract::credit::{LimitKind, LimitSource, LimitState},
    credit::{
        approval,
        limit::{self, Bounds},
    },
};
use dunlin_store::{
    Db, Fault,
    credit::{self, Bound},
};

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
    let found = credit::limits_of_merged(db, (from, to, head))?;
    let [mut gone, mut gone_head, mut stays, mut stays_head] = match <[Bound; 4]>::try_from(found) {
        Ok(found) => found,
        Err(_) => return Err(Fault::Db("who is merged is not there".into())),
    };
    let thresholds = credit::policy(db)?.and_then(|(_, policy)| policy.second_key_from);
    let thresholds = thresholds.unwrap_or_default();
    let mut all = [&mut gone, &mut gone_head, &mut stays, &mut stays_head];
    let currencies = all.iter().flat_map(|(_, record, _, ledger)| {
        let dated = ledger.iter().map(|entry| entry.currency);
        dated.chain(record.map(|record| record.currency))
    });
    let rates = rates_of(db, approval::pairs(&thresholds, currencies), day.into())?;
    for (_, record, ..) in &mut all {
        // Of a record counts what needs no second key.
        *record = record.map(|record| approval::of_record(&thresholds, record, &rates));
    }
    // Whoever heads a group takes it along.
    let leaves = gone.0 != gone_head.0 && gone_head.0 != stays_head.0;
    let (of_gone, of_stays) = (bounds(&gone, &gone_head), bounds(&stays, &stays_head));
    let mut rows = Vec::new();
    for (is_group, key) in [(false, to), (true, head)] {
        if is_group && gone.0 != gone_head.0 {
            continue;
        }
        let both = match is_group {
            false => (of_gone.clone(), of_stays.clone()),
            true => (group(&gone, gone.2 == 1), group(&stays_head, true)),
        };
        let (old, own) = (&both.0, &both.1);
        for limit in limit::inherited((old, own), (is_group, leaves), day, &rates) {
            let since = limit.from.map(|from| from.to_string()).unwrap_or_default();
            let kind = limit.kind.map(|kind| kind.name()).unwrap_or_default();
            let (from, whose) = (from.to_string(), key.to_string());
            rows.push((made_id("L", &[&from, &whose, kind, &since])?, key, limit));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let counts = (LimitState::Approved, LimitSource::Key);
    credit::insert_limits(db, &rows, counts, &author.who, entry)?;
    Ok(())
}

/// What bounds a customer under its head.
fn bounds(own: &Bound, head: &Bound) -> Bounds {
    let own_ledger = own.3.iter().filter(|of| of.kind != LimitKind::Group);
    let of_group = head.3.iter().filter(|of| of.kind == LimitKind::Group);
    let in_group = own.0 != head.0 || head.2 == 1;
    Bounds {
        ledger: own_ledger.chain(of_group).cloned().collect(),
        record: own.1,
        head: in_group.then_some(head.1),
    }
}

/// What bounds the group of a head: its record where there is a group, or will be.
fn group(head: &Bound, in_group: bool) -> Bounds {
    let ledger = head.3.iter().filter(|of| of.kind == LimitKind::Group);
    Bounds {
        ledger: ledger.cloned().collect(),
        record: None,
        head: Some(head.1.filter(|_| in_group)),
    }
}
