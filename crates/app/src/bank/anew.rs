//! What waits is looked at anew: customers, documents and accounts that came since the statement may be what it names.

use super::{SLICE, book::Row, statement, world::Known};
use crate::{
    audit::Author,
    ledger::{Change, json, today},
};
use dunlin_domain::{
    Id,
    bank::{matching, world::Taken},
    contract::bank::BankStatement,
};
use dunlin_store::{Db, Fault, bank, payment, write};

/// Lists the candidates of a statement's credits that wait in `review` by what is there now. Nothing is booked: what the rule
/// is certain of by now is for whoever looks.
pub fn match_anew<D: Db>(
    db: &D,
    id: &Id,
    author: &Author,
) -> Result<(BankStatement, Change), Fault> {
    let of = statement(db, id)?;
    let changed = write(db, |db| {
        let known = Known::catch_up(db, payment::last_key(db)?)?;
        let today = today(db, author.at)?;
        let (mut after, mut changed, mut taken) = (0, 0usize, Taken::default());
        loop {
            let waiting = bank::waiting(db, id, after, SLICE)?;
            let Some(last) = waiting.last() else { return Ok(changed) };
            after = last.key;
            let mut rows: Vec<Row> = waiting.iter().map(|of| Row::waiting(of, &known)).collect();
            let mut world = known.world(db, &mut rows, &taken, today)?;
            let mut found: Vec<(i64, String)> = Vec::new();
            for (row, before) in rows.iter().zip(&waiting) {
                let Row { entry, clues, sight, currency, .. } = row;
                let verdict =
                    matching::judge(entry, clues, sight, *currency, &mut world, &mut taken);
                let candidates = json(&verdict.candidates)?;
                if candidates != before.candidates {
                    found.push((before.key, candidates));
                }
            }
            changed = changed.saturating_add(found.len());
            bank::suggest(db, &found)?;
        }
    })?;
    Ok((of, if changed > 0 { Change::Replaced } else { Change::AlreadySo }))
}
