//! The rules that ship, in `shipped.json`. A version that was shipped stays there as it is, because alerts name it; a
//! change is a further entry with the next version.

use crate::contract::warn::AlertRule;

/// Every version of every rule that ships.
fn all() -> Vec<AlertRule> {
    // What is in the file is read by a test.
    serde_json::from_str(include_str!("shipped.json")).unwrap_or_default()
}

/// The shipped rules by name, each in its last version.
pub fn shipped() -> Vec<AlertRule> {
    let mut rules = all();
    rules.sort_by(|one, other| (&one.name, other.version).cmp(&(&other.name, one.version)));
    rules.dedup_by(|older, kept| older.name == kept.name);
    rules
}

/// One version of a shipped rule.
pub fn shipped_version(name: &str, version: u32) -> Option<AlertRule> {
    all().into_iter().find(|rule| rule.name == name && rule.version == version)
}
