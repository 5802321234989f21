//! Who did what: every change adds an entry to a chain that cannot be altered unseen.

use dunlin_domain::{Instant, contract::ledger::AuditEntry, event as kinds};
use dunlin_store::{
    Db, Fault,
    audit::{self, Entry},
    event,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Who changes something, and when.
#[derive(Clone, Debug)]
pub struct Author {
    /// The id of the key, `admin`, or `sweep`.
    pub who: String,
    /// When.
    pub at: Instant,
    /// A random text: the salt of personal fields.
    pub salt: String,
}

/// What stands in the place of the hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Longer than anything takes from its beginning to its last entry.
const LONGEST_SECONDS: i64 = 15 * 60;

/// What an entry says besides who and when.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    /// What was done, such as `create`.
    pub action: &'a str,
    /// To what kind of thing, such as `invoice`: the name of its table.
    pub noun: &'a str,
    /// To which.
    pub id: &'a str,
    /// What it was and is, without personal fields.
    pub change: String,
    /// The personal fields, and whose they are.
    pub personal: Option<(String, i64)>,
}

impl<'a> Note<'a> {
    /// A note of something new.
    pub fn made<T: Serialize>(noun: &'a str, id: &'a str, after: &T) -> Result<Self, Fault> {
        Self::changed("create", noun, id, None::<&T>, Some(after))
    }

    /// A note of something that was one thing and is another.
    pub fn changed<B: Serialize, A: Serialize>(
        action: &'a str,
        noun: &'a str,
        id: &'a str,
        before: Option<&B>,
        after: Option<&A>,
    ) -> Result<Self, Fault> {
        let change = text(&serde_json::json!({"before": before, "after": after}))?;
        Ok(Self { action, noun, id, change, personal: None })
    }

    /// The same with personal fields of a customer, kept apart so that they can be erased.
    pub fn with_personal<T: Serialize>(mut self, fields: &T, customer: i64) -> Result<Self, Fault> {
        self.personal = Some((text(fields)?, customer));
        Ok(self)
    }
}

fn text<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::Db(format!("audit entry as JSON: {e}")))
}

/// Adds an entry and gives its key, by which rows name the moment they were recorded, and takes the change up into the
/// order of events. Runs inside the transaction of the change, before it records documents, payments or allocations.
pub fn note<D: Db>(db: &D, author: &Author, note: &Note<'_>) -> Result<i64, Fault> {
    let key = add(db, author, note)?;
    event::changed(db, &[key], note.noun == "import")?;
    Ok(key)
}

/// The same of several changes that have nothing to do with each other, none of which makes customers, in their order.
pub fn note_all<'n, D: Db>(
    db: &D,
    notes: impl Iterator<Item = &'n (&'n Author, Note<'n>)>,
) -> Result<Vec<i64>, Fault> {
    let mut head = head(db)?;
    let mut entries = Vec::new();
    for (author, note) in notes {
        let entry = next(head, author, note)?;
        head = (entry.0.key, entry.0.at.parse()?, entry.0.hash.clone());
        entries.push(entry);
    }
    audit::insert_all(db, &entries)?;
    let keys: Vec<i64> = entries.iter().map(|(entry, _)| entry.key).collect();
    event::changed(db, &keys, false)?;
    Ok(keys)
}

fn add<D: Db>(db: &D, author: &Author, note: &Note<'_>) -> Result<i64, Fault> {
    let (entry, customer) = next(head(db)?, author, note)?;
    audit::insert(db, &entry, customer)?;
    Ok(entry.key)
}

/// Key, moment and hash of the last entry.
fn head<D: Db>(db: &D) -> Result<(i64, Instant, String), Fault> {
    Ok(audit::head(db)?.unwrap_or((0, Instant::EPOCH, GENESIS.to_string())))
}

/// When something is recorded that was begun at a moment: no earlier than what was recorded before it. Who waited for its
/// turn, or read a long file, began before others that were done first; of a clock that was set back by more the chain says
/// what it says.
fn recorded(begun: Instant, last: Instant) -> Instant {
    if last < begun.plus_seconds(LONGEST_SECONDS) { begun.max(last) } else { begun }
}

/// The entry after another one, with whose personal fields it has.
fn next(
    (before, last, previous): (i64, Instant, String),
    author: &Author,
    note: &Note<'_>,
) -> Result<(Entry, Option<i64>), Fault> {
    // What nobody can ask for nobody waits for. Seen by whoever tests a change of its own, and told all the same.
    if cfg!(debug_assertions) && !kinds::is_listed(note.noun, note.action) {
        let detail = format!("the feed lists no kind of event for {} {}", note.action, note.noun);
        return Err(Fault::Db(detail));
    }
    let key = before.saturating_add(1);
    let (personal, customer) = note.personal.clone().unzip();
    let salt = personal.as_ref().map(|_| format!("{}-{key}", author.salt));
    let personal_hash = personal.as_ref().zip(salt.as_ref());
    let personal_hash = personal_hash.map(|(fields, salt)| sha256(&[salt, fields]));
    let mut entry = Entry {
        key,
        at: recorded(author.at, last).to_string(),
        who: author.who.clone(),
        action: note.action.to_string(),
        noun: note.noun.to_string(),
        id: note.id.to_string(),
        change: note.change.clone(),
        personal,
        salt,
        personal_hash,
        previous,
        hash: String::new(),
    };
    entry.hash = hash_of(&entry);
    Ok((entry, customer))
}

/// Says in the last entry what came of what it noted, inside the transaction that added it. Its key stays, which rows
/// name by now.
pub fn complete<D: Db>(db: &D, author: &Author, key: i64, whole: &Note<'_>) -> Result<(), Fault> {
    audit::forget(db, key)?;
    add(db, author, whole)?;
    event::completed(db, key)
}

/// Takes the last entry back inside the transaction that added it, when nothing came of what it noted.
pub fn forget<D: Db>(db: &D, key: i64) -> Result<(), Fault> {
    audit::forget(db, key)?;
    event::forget(db, key)
}

/// The hash of what an entry says and of the entry before. Of personal fields it takes their hash alone.
pub(crate) fn hash_of(entry: &Entry) -> String {
    sha256(&[
        &entry.key.to_string(),
        &entry.at,
        &entry.who,
        &entry.action,
        &entry.noun,
        &entry.id,
        &entry.change,
        entry.personal_hash.as_deref().unwrap_or_default(),
        &entry.previous,
    ])
}

/// Entries after a key, in their order.
pub fn entries<D: Db>(db: &D, after: u64, limit: u32) -> Result<Vec<AuditEntry>, Fault> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    audit::page(db, after, limit)?.into_iter().map(told).collect()
}

/// The same of one kind of thing, or of what has an id.
pub fn entries_of<D: Db>(
    db: &D,
    after: u64,
    limit: u32,
    noun: Option<&str>,
    id: Option<&str>,
) -> Result<Vec<AuditEntry>, Fault> {
    if noun.is_none() && id.is_none() {
        return entries(db, after, limit);
    }
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    audit::page_of(db, after, limit, noun, id)?.into_iter().map(told).collect()
}

/// The entry as clients get it.
fn told(entry: Entry) -> Result<AuditEntry, Fault> {
    Ok(AuditEntry {
        key: u64::try_from(entry.key).unwrap_or(0),
        at: entry.at.parse()?,
        who: entry.who,
        action: entry.action,
        noun: entry.noun,
        id: entry.id,
        change: entry.change,
        personal: entry.personal,
        personal_hash: entry.personal_hash,
        previous: entry.previous,
        hash: entry.hash,
    })
}

/// SHA-256 of the parts, each with its length before it, so that no two lists of parts read the same.
pub fn sha256(parts: &[&str]) -> String {
    let mut sum = Sum::default();
    parts.iter().for_each(|part| sum.add(part));
    sum.hex()
}

/// The same of parts that are not in memory together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum(Sha256);

impl Sum {
    pub(crate) fn add(&mut self, part: &str) {
        self.0.update(part.len().to_string());
        self.0.update(":");
        self.0.update(part);
    }

    pub(crate) fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
