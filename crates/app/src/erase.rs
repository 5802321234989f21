//! Takes what is personal about a customer away, where a law or a contract asks for it.

use crate::{
    audit::{Author, Note, note},
    ledger::Change,
};
use dunlin_domain::{Id, Refusal, contract::ledger::Erasure};
use dunlin_store::{Db, Fault, bank, customer, erasure, write};

/// Takes name, addresses, contacts, representatives, bank accounts and tags of a customer away, who gave its
/// guarantees, the personal fields of its entries in the audit chain, the texts of its notices, the bodies of events
/// that came in about it, why it was watched and its warnings put off or closed, and why its limits, rules and holds were set,
/// placed and released. Amounts stay, and the chain holds as before.
pub fn customer<D: Db>(db: &D, id: &Id, author: &Author) -> Result<(Erasure, Change), Fault> {
    let done = take_away(db, id, author)?;
    erasure::empty_log(db);
    Ok(done)
}

fn take_away<D: Db>(db: &D, id: &Id, author: &Author) -> Result<(Erasure, Change), Fault> {
    write(db, |db| {
        let unknown = || Fault::refused(Refusal::NotFound, "no customer has this id");
        let key = customer::key(db, id)?.ok_or_else(unknown)?;
        away(db, key, id, None, author)
    })
}

/// The same inside a transaction, on request or by a rule. The log is left to whoever ends it.
pub(crate) fn away<D: Db>(
    db: &D,
    key: i64,
    id: &Id,
    rule: Option<&str>,
    author: &Author,
) -> Result<(Erasure, Change), Fault> {
    let mut changed = false;
    let mut erased = Erasure {
        customer_id: id.clone(),
        audit_entries: 0,
        notices: 0,
        events: 0,
        rule: rule.map(str::to_string),
    };
    // A duplicate that was merged into the customer is the same person.
    for key in customer::with_duplicates(db, key)? {
        changed |= erasure::erase_customer(db, key)?;
        changed |= erasure::erase_guarantees(db, key)?;
        changed |= bank::erase(db, key)?;
        changed |= erasure::erase_reasons(db, key)?;
        let (entries, notices) =
            (erasure::erase_entries(db, key)?, erasure::empty_notices(db, key)?);
        erased.audit_entries = erased.audit_entries.saturating_add(entries);
        erased.notices = erased.notices.saturating_add(notices);
        erased.events = erased.events.saturating_add(erasure::empty_events(db, key)?);
    }
    if !changed && erased.audit_entries == 0 && erased.notices == 0 && erased.events == 0 {
        return Ok((erased, Change::AlreadySo));
    }
    let what = Note::changed("erase", "customer", id.as_str(), None::<&Erasure>, Some(&erased))?;
    note(db, author, &what)?;
    Ok((erased, Change::Replaced))
}
