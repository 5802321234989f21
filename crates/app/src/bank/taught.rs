//! Accounts that confirmations showed to be customers'.

use crate::{
    audit::{self, Author, Note},
    ledger::missing,
};
use dunlin_domain::{Id, contract::bank::PayerAccount};
use dunlin_store::{Db, Fault, matching, write};
use serde_json::json;

/// The characters of an account that a list shows: its owner knows it by them.
const SHOWN: usize = 4;

/// Accounts that were taught, after a key, most of each hidden.
pub fn payer_accounts<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, PayerAccount)>, Fault> {
    let found = matching::taught(db, after, limit, None)?;
    let masked = |of: PayerAccount| PayerAccount { account: masked(&of.account), ..of };
    Ok(found.into_iter().map(|(key, _, of)| (key, masked(of))).collect())
}

fn masked(account: &str) -> String {
    let hidden = account.chars().count().saturating_sub(SHOWN);
    account.chars().enumerate().map(|(at, c)| if at < hidden { '*' } else { c }).collect()
}

/// Forgets an account that was taught. What was booked because of it stays.
pub fn forget_payer_account<D: Db>(
    db: &D,
    id: &Id,
    author: &Author,
) -> Result<PayerAccount, Fault> {
    write(db, |db| {
        let found = matching::taught(db, 0, 1, Some(id))?.pop();
        let (_, customer, of) = found.ok_or_else(|| missing("payer account"))?;
        let said = json!({"customer_id": of.customer_id});
        let note = Note::changed(
            "remove",
            "payer-account",
            id.as_str(),
            Some(&said),
            None::<&PayerAccount>,
        )?;
        audit::note(db, author, &note.with_personal(&json!({"account": of.account}), customer)?)?;
        matching::unteach(db, id)?;
        Ok(PayerAccount { account: masked(&of.account), ..of })
    })
}
