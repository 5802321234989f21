//! Keys: who may call what.
//!
//! A token is `dunlin_<id>_<secret>`. The id is public and finds the row; only the SHA-256 of the secret is stored.

use crate::audit::{Author, Note, note};
use dunlin_domain::{
    Id, Instant, Refusal, Refused,
    contract::keys::{IssuedKey, Key, NewKey, Scope},
};
use dunlin_store::{Db, Fault, key, write};
use sha2::{Digest, Sha256};
use std::hint::black_box;

/// Where every token starts, so that one that leaks is recognised by those who scan for secrets.
const PREFIX: &str = "dunlin_";

/// What the audit chain calls keys: the name of their table.
const NOUN: &str = "api_key";

/// The longest name a key has: a line on a screen.
const MAX_NAME: usize = 100;

/// Who called, once that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The id of the key, or [`ADMIN`].
    pub id: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// The caller that shows the variable `admin_key`. No key has this id: theirs are UUIDs.
pub const ADMIN: &str = "admin";

impl Caller {
    /// The caller that may do everything.
    pub fn admin() -> Self {
        Self { id: ADMIN.to_string(), scopes: vec![Scope::Admin] }
    }

    /// Whether one of its scopes includes the one wanted.
    pub fn may(&self, wanted: Scope) -> bool {
        self.scopes.iter().any(|held| includes(*held, wanted))
    }
}

/// `write` includes `read` of the same component, `score-admin` both of `score`, and `admin` everything.
pub fn includes(held: Scope, wanted: Scope) -> bool {
    match held {
        Scope::Admin => true,
        Scope::IngestWrite => matches!(wanted, Scope::IngestWrite | Scope::IngestRead),
        Scope::ScoreWrite => matches!(wanted, Scope::ScoreWrite | Scope::ScoreRead),
        Scope::ScoreAdmin => {
            matches!(wanted, Scope::ScoreAdmin | Scope::ScoreWrite | Scope::ScoreRead)
        }
        Scope::RemindWrite => matches!(wanted, Scope::RemindWrite | Scope::RemindRead),
        Scope::IngestRead
        | Scope::ScoreRead
        | Scope::RemindRead
        | Scope::ReportRead
        | Scope::SweepWrite => held == wanted,
    }
}

/// Whether two secrets are the same, in a time that tells nothing about where they differ.
pub fn same_secret(one: &str, other: &str) -> bool {
    same_hash(&hash(one), &hash(other))
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn same_hash(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
    one.len() == other.len() && differing == 0
}

/// Who shows this token. One answer for all that is wrong with a key, so that nobody learns which ids exist.
pub fn authenticate<D: Db>(db: &D, token: &str, now: Instant) -> Result<Caller, Fault> {
    let refused =
        || Fault::refused(Refusal::KeyRefused, "the key is not known, was revoked or has expired");
    let (id, secret) =
        token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or_else(refused)?;
    let key = key::find_secret(db, id)?.ok_or_else(refused)?;
    let live = key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at);
    if live && same_hash(&key.secret_hash, &hash(secret)) {
        Ok(Caller { id: id.to_string(), scopes: key.scopes })
    } else {
        Err(refused())
    }
}

/// Makes a key. `id` and `secret` are fresh.
pub fn create<D: Db>(
    db: &D,
    new: &NewKey,
    id: Id,
    secret: &str,
    author: &Author,
) -> Result<IssuedKey, Fault> {
    let now = author.at;
    check(new, now)?;
    let mut scopes = new.scopes.clone();
    scopes.sort();
    scopes.dedup();
    let (name, expires_at) = (new.name.clone(), new.expires_at);
    let key = Key { id, name, scopes, created_at: now, expires_at, revoked_at: None };
    write(db, |db| {
        note(db, author, &Note::made(NOUN, key.id.as_str(), &key)?)?;
        key::insert(db, &key, &hash(secret))
    })?;
    Ok(issued(key, secret))
}

fn check(new: &NewKey, now: Instant) -> Result<(), Refused> {
    if new.name.trim().is_empty() {
        return Err(Refused::new(Refusal::MissingField, "a key has a name").at("name"));
    }
    if new.name.chars().count() > MAX_NAME {
        let detail = format!("a key's name has at most {MAX_NAME} characters");
        return Err(Refused::new(Refusal::TextTooLong, detail).at("name"));
    }
    if new.name.chars().any(char::is_control) {
        return Err(
            Refused::new(Refusal::MalformedText, "a key's name has a control character").at("name")
        );
    }
    if new.scopes.is_empty() {
        return Err(
            Refused::new(Refusal::MissingField, "a key has at least one scope").at("scopes")
        );
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Refused::new(Refusal::DateOutOfRange, "the key would have expired already")
            .at("expires_at"));
    }
    Ok(())
}

fn issued(key: Key, secret: &str) -> IssuedKey {
    let token = format!("{PREFIX}{}_{secret}", key.id);
    IssuedKey {
        id: key.id,
        key: token,
        name: key.name,
        scopes: key.scopes,
        expires_at: key.expires_at,
    }
}

/// Keys in the order of their creation, each with its place in it.
pub fn list<D: Db>(db: &D, after: i64, limit: u32) -> Result<Vec<(i64, Key)>, Fault> {
    key::list(db, after, limit)
}

/// Revokes a key; one that was revoked already keeps its moment.
pub fn revoke<D: Db>(db: &D, id: &Id, author: &Author) -> Result<Key, Fault> {
    write(db, |db| {
        let before = found(db, id)?;
        if before.revoked_at.is_some() {
            return Ok(before);
        }
        key::revoke(db, id, author.at)?;
        let after = found(db, id)?;
        let what = Note::changed("revoke", NOUN, id.as_str(), Some(&before), Some(&after))?;
        note(db, author, &what)?;
        Ok(after)
    })
}

/// Gives a key another secret. The old one is refused from the next request on.
pub fn rotate<D: Db>(db: &D, id: &Id, secret: &str, author: &Author) -> Result<IssuedKey, Fault> {
    let key = write(db, |db| {
        let key = found(db, id)?;
        if key.revoked_at.is_some() {
            return Err(Refused::new(Refusal::DifferentContent, "the key was revoked")
                .at("revoked_at")
                .into());
        }
        if key.expires_at.is_some_and(|at| at <= author.at) {
            return Err(Refused::new(Refusal::DifferentContent, "the key has expired")
                .at("expires_at")
                .into());
        }
        // The chain says that the secret is another one. Neither it nor its hash is in there.
        note(db, author, &Note::changed("rotate", NOUN, id.as_str(), Some(&key), Some(&key))?)?;
        key::set_secret(db, id, &hash(secret))?;
        Ok(key)
    })?;
    Ok(issued(key, secret))
}

fn found<D: Db>(db: &D, id: &Id) -> Result<Key, Fault> {
    key::find(db, id)?
        .ok_or_else(|| Fault::refused(Refusal::NotFound, "there is no key with this id"))
}
