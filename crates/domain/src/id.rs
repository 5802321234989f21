//! Identifiers chosen by clients.

use crate::{Refusal, Refused, spelling};
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};

/// An identifier of 1 to 64 visible characters. Case matters; nothing is trimmed or folded.
///
/// Quotes, slashes and emoji are visible and allowed. White space, control characters and formatting that cannot be
/// seen (direction marks, zero-width spaces) are not: two ids that look alike must be alike.
///
/// ```
/// use dunlin_domain::Id;
/// assert!("INV/2024-001".parse::<Id>().is_ok());
/// assert!("INV 1".parse::<Id>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Id(String);

/// The most characters an id may have: long enough for a UUID with a prefix, short enough for an index.
pub const MAX_CHARS: usize = 64;

impl Id {
    /// An id that this crate itself spells. The caller's test holds it to the rule.
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_string())
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Joins emoji; invisible, but part of what is seen.
const ZERO_WIDTH_JOINER: char = '\u{200D}';

fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || (matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' | '\u{E000}'..='\u{F8FF}')
            && c != ZERO_WIDTH_JOINER)
}

/// Whether an id can hold this character.
pub(crate) fn holds(c: char) -> bool {
    !is_invisible(c)
}

/// Checks without allocating, for rows that are copied on as they are.
pub fn check(text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(Refused::new(Refusal::MalformedId, "an id has at least one character"));
    }
    if text.len() <= MAX_CHARS && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    if text.chars().count() > MAX_CHARS {
        return Err(Refused::new(
            Refusal::MalformedId,
            format!("an id has at most {MAX_CHARS} characters"),
        ));
    }
    if text.chars().any(is_invisible) {
        return Err(Refused::new(Refusal::MalformedId, "an id has visible characters only"));
    }
    Ok(())
}

impl FromStr for Id {
    type Err = Refused;
    fn from_str(text: &str) -> Result<Self, Refused> {
        check(text)?;
        Ok(Self(text.to_string()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        spelling::parsed(deserializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "minLength": 1, "maxLength": MAX_CHARS,
            "description": "1 to 64 visible characters."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_visible_and_bounded() {
        let long = "x".repeat(MAX_CHARS);
        for good in ["1", "INV/2024-001", "o'neil\"", "发票-01", "👩‍👩‍👧", long.as_str()]
        {
            assert!(good.parse::<Id>().is_ok(), "{good}");
        }
        let longer = "x".repeat(MAX_CHARS + 1);
        for bad in
            ["", " ", "a b", "a\0", "a\n", "a\u{202E}b", "\u{FEFF}a", "a\u{200B}", longer.as_str()]
        {
            assert_eq!(bad.parse::<Id>().unwrap_err().code, Refusal::MalformedId, "{bad:?}");
        }
    }
}
