//! Why something was refused: a name from the contract, a sentence, and the field at fault.

pub use crate::contract::types::Refusal;
use std::fmt;

/// A refusal with its detail. The name is the `code` of the problem that a client sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why, for programs.
    pub code: Refusal,
    /// Why, for a person.
    pub detail: String,
    /// The field at fault, where one is.
    pub field: Option<String>,
}

/// What stands between code and detail where a refusal has to pass through an error message.
const MARK: &str = ": ";

impl Refused {
    /// A refusal that no single field is to blame for.
    pub fn new(code: Refusal, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), field: None }
    }

    /// The same refusal with the field at fault, unless one was named already.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field.get_or_insert_with(|| field.to_string());
        self
    }

    /// The same refusal of a record that stands in a field of another.
    #[must_use]
    pub fn within(mut self, record: &str) -> Self {
        self.field = Some(match self.field {
            Some(field) => format!("{record}.{field}"),
            None => record.to_string(),
        });
        self
    }

    /// `code: detail`, which [`Refused::from_coded`] reads back out of a decoder's error message.
    pub fn coded(&self) -> String {
        format!("{}{MARK}{}", self.code, self.detail)
    }

    /// Reads `code: detail`. `None` when the message is not one of ours.
    pub fn from_coded(message: &str) -> Option<Self> {
        let (code, detail) = message.split_once(MARK)?;
        let code = Refusal::ALL.iter().copied().find(|known| known.name() == code)?;
        Some(Self::new(code, detail))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.coded())
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_an_error_message() {
        let refused =
            Refused::new(Refusal::MalformedDate, "2023-02-29 is not a real day: no leap year");
        assert_eq!(Refused::from_coded(&refused.coded()), Some(refused));
        assert_eq!(Refused::from_coded("invalid type: integer `1`, expected a string"), None);
    }
}
