//! Text that people write.

use crate::{Refusal, Refused, profile::value};

/// Checks that a text has between `least` and `most` characters and no control characters but line breaks.
pub fn check(text: &str, least: usize, most: usize, field: &str) -> Result<(), Refused> {
    let refused = |code: Refusal, detail: String| Err(Refused::new(code, detail).at(field));
    let seen = text.trim().chars().count();
    if seen < least {
        return refused(Refusal::MissingField, format!("it has at least {least} characters"));
    }
    if text.chars().count() > most {
        return refused(Refusal::TextTooLong, format!("it has at most {most} characters"));
    }
    value::no_controls(&text.replace(['\n', '\r', '\t'], " ")).map_err(|refused| refused.at(field))
}

/// The same for a text that may be absent, naming the field.
pub fn check_optional(text: Option<&str>, most: usize, field: &str) -> Result<(), Refused> {
    text.map_or(Ok(()), |text| check(text, 1, most, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_seen_and_bounded() {
        let code = |text: &str| check(text, 1, 10, "reason").map_err(|refused| refused.code);
        assert_eq!(code("two\nlines"), Ok(()));
        assert_eq!(code("一二三四五六七八九十"), Ok(()));
        assert_eq!(code("  "), Err(Refusal::MissingField));
        assert_eq!(code("eleven char"), Err(Refusal::TextTooLong));
        assert_eq!(code("a\u{0}"), Err(Refusal::MalformedText));
        assert_eq!(check("", 0, 10, "reason"), Ok(()));
    }
}
