//! What tests of flows begin with: a database of their own, and words that become types.

// Each test program uses a part of it.
#![allow(dead_code, clippy::unwrap_used)]

use dunlin_app::audit::Author;
use dunlin_domain::{Date, Id};
use dunlin_store::native::NativeDb;
use serde_json::Value;

/// A database in a folder that goes with the test.
pub fn db() -> (tempfile::TempDir, NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    (folder, db)
}

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Who writes at noon of a day.
pub fn on(text: &str) -> Author {
    let at = format!("{text}T12:00:00Z").parse().unwrap();
    Author { who: "admin".into(), at, salt: "salt".into() }
}

/// A record of the contract, as a client would write it.
pub fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
