//! Whether the books hold: every rule over the whole of them, and the chain of who did what.

mod replayed;

pub use replayed::replayed;

use crate::audit::{self, GENESIS};
use dunlin_domain::contract::ledger::{Check, Verification};
use dunlin_store::{
    Db, Fault,
    audit::{Entry, page},
    read,
    verification::{Counted, RULES, check, prove},
};

/// Entries of the chain that are read at once: a few megabytes.
const SLICE: u32 = 2_000;

/// Entries or rows that are named in an answer.
const EXAMPLES: usize = 10;

/// Checks everything, as the database is at this moment.
pub fn books<D: Db>(db: &D) -> Result<Verification, Fault> {
    read(db, |db| {
        let proved = prove(db)?;
        let mut counted = Counted::new();
        let mut checks = Vec::with_capacity(RULES.len());
        for rule in &RULES {
            let found = check(db, rule, &proved, &mut counted)?;
            checks.push(Check {
                name: rule.name.to_string(),
                about: rule.about.to_string(),
                checked: found.checked,
                broken: found.broken,
                examples: found.examples,
            });
        }
        let (chain, head) = chain(db)?;
        let audit_entries = chain.checked;
        checks.push(chain);
        let ok = checks.iter().all(|check| check.broken == 0);
        Ok(Verification { ok, checks, audit_entries, audit_head: head })
    })
}

/// Works out every hash of the audit chain again, and gives the last one.
fn chain<D: Db>(db: &D) -> Result<(Check, Option<String>), Fault> {
    let (mut key, mut hash) = (0, GENESIS.to_string());
    let mut chain = Check {
        name: "audit-chain".to_string(),
        about: "Every entry of the audit chain follows from the one before, without a gap, and says what it said."
            .to_string(),
        checked: 0,
        broken: 0,
        examples: Vec::new(),
    };
    loop {
        let entries = page(db, key, SLICE)?;
        for entry in &entries {
            chain.checked = chain.checked.saturating_add(1);
            if entry.key != key.saturating_add(1) || entry.previous != hash || !is_itself(entry) {
                chain.broken = chain.broken.saturating_add(1);
                if chain.examples.len() < EXAMPLES {
                    chain.examples.push(entry.key.to_string());
                }
            }
            key = entry.key;
            hash.clone_from(&entry.hash);
        }
        if entries.is_empty() {
            let head = (chain.checked > 0).then_some(hash);
            return Ok((chain, head));
        }
    }
}

/// Whether an entry's hashes are those of what it says. Personal fields may be gone, with their salt.
fn is_itself(entry: &Entry) -> bool {
    let personal = match (&entry.personal, &entry.salt, &entry.personal_hash) {
        (Some(fields), Some(salt), Some(hash)) => audit::sha256(&[salt, fields]) == *hash,
        (None, None, _) => true,
        _ => false,
    };
    personal && audit::hash_of(entry) == entry.hash
}
