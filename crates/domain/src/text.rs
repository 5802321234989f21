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

/// A number with what it counts in English: `1 day`, and `2 days`.
pub fn counted(number: i64, noun: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{many}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        let told = [-1, 0, 1, 2, 11].map(|number| counted(number, "day"));
        assert_eq!(told, ["-1 days", "0 days", "1 day", "2 days", "11 days"]);
    }

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
