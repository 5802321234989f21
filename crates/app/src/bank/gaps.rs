//! What is missing between the statements of an account.

use dunlin_domain::{
    Currency, Date,
    bank::gap::{self, LOOKED_AT, Link},
    contract::bank::{StatementGap, StatementWithGap},
};
use dunlin_store::{Db, Fault, bank};
use std::collections::BTreeMap;

/// A statement by its key, and the gap that was noted before it.
type Known = (i64, Link, Option<StatementGap>);

/// Looks at the accounts of new statements, each from the first new day on, and gives the gaps before statements after
/// this key.
pub(super) fn look<D: Db>(
    db: &D,
    accounts: &BTreeMap<(&str, Currency), Date>,
    after: i64,
) -> Result<Vec<StatementWithGap>, Fault> {
    let of: Vec<(&str, Currency, Date)> =
        accounts.iter().map(|((account, currency), day)| (*account, *currency, *day)).collect();
    let mut by_account: BTreeMap<(String, Currency), Vec<Known>> = BTreeMap::new();
    for row in bank::chain(db, &of, LOOKED_AT)? {
        let (account, currency, key, id, format, to, opening_minor, closing_minor, sequence, gap) =
            row;
        let link = Link { id, format, to, opening_minor, closing_minor, sequence };
        by_account.entry((account, currency)).or_default().push((key, link, gap));
    }
    let (mut changed, mut found) = (Vec::new(), Vec::new());
    for ((account, currency), links) in by_account {
        let since = accounts.get(&(account.as_str(), currency)).copied();
        let gaps = gap::gaps(&links.iter().map(|(_, link, _)| link.clone()).collect::<Vec<_>>());
        for ((key, link, before), gap) in links.into_iter().zip(gaps) {
            // Those before the first new day stay as they are.
            if since.is_some_and(|since| link.to < since) {
                continue;
            }
            if let (true, Some(gap)) = (key > after, &gap) {
                found.push(StatementWithGap { statement_id: link.id, gap: gap.clone() });
            }
            if gap != before {
                changed.push((key, gap));
            }
        }
    }
    if !changed.is_empty() {
        bank::note_gaps(db, &changed)?;
    }
    Ok(found)
}
