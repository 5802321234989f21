//! Enum values are spelled once, in `wit/`: here is what reads and writes that spelling.

/// Reading and writing of a contract enum by its WIT spelling.
macro_rules! spelled {
    ($ty:ident) => {
        impl std::fmt::Display for $ty {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
        impl std::str::FromStr for $ty {
            type Err = crate::Refused;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|case| case.name() == text);
                found.ok_or_else(|| crate::spelling::not_one_of(text, Self::NAMES))
            }
        }
        impl<'de> serde::Deserialize<'de> for $ty {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::spelling::parsed(deserializer)
            }
        }
    };
}
pub(crate) use spelled;

use crate::{Refusal, Refused};
use serde::{
    Deserializer,
    de::{Error, Visitor},
};
use std::{fmt, marker::PhantomData, str::FromStr};

pub(crate) fn not_one_of(text: &str, names: &[&str]) -> Refused {
    let shown: String = text.chars().take(40).collect();
    Refused::new(Refusal::MalformedField, format!("`{shown}` is not one of {}", names.join(", ")))
}

/// What a field says that is there at all, for fields that tell null from absent.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    <Option<T> as serde::Deserialize>::deserialize(deserializer).map(Some)
}

/// Deserialises a string type by its `FromStr`, keeping the refusal's code in the message for the edge to read. The
/// refusal is said while the text is read, so that a reader of JSON knows where it stands.
pub(crate) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = Refused>,
{
    deserializer.deserialize_str(Text(PhantomData))
}

struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = Refused>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|refused: Refused| E::custom(refused.coded()))
    }
}
