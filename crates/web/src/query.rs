//! Query parameters: declared with the route, checked before the handler runs.

use crate::{
    Problem, page,
    percent::{decode_query, encode},
};
use dunlin_domain::{Date, Id, Refusal, Refused, contract::types::Language};

/// What values a parameter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `YYYY-MM-DD`.
    Date,
    /// `true` or `false`.
    Flag,
    /// An identifier.
    Id,
    /// A whole number in a range, both ends included.
    Whole(u32, u32),
    /// One of the spellings of a contract enum.
    OneOf(&'static [&'static str]),
    /// Text of at most so many characters without control characters.
    Text(usize),
}

/// A query parameter that a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// As it stands in the URL.
    pub name: &'static str,
    /// What it means and what happens without it.
    pub about: &'static str,
    /// What values it can have.
    pub kind: Kind,
    /// Whether the function refuses to run without it.
    pub required: bool,
}

/// The day a reading is made for.
pub const AS_OF: Query =
    Query::date("as_of", "The day to answer for. Absent: today in the organisation's zone.");
/// The day a list of records is made for that have days of their own.
pub const STOOD_ON: Query = Query::date(
    "as_of",
    "The day to answer for: what began later is left out, and what ended later goes on. Absent: all that is recorded.",
);
/// The language of texts.
pub const LANGUAGE: Query = Query::one_of(
    "language",
    Language::NAMES,
    "The language of the texts. Absent: the organisation's.",
);
/// The moment of knowledge a reading is made with.
pub const KNOWN_AT: Query = Query::text(
    "known_at",
    40,
    "The moment of knowledge, such as `2024-03-31T08:00:00Z`: what was recorded later is left out. Absent: now.",
);
/// Entries on a page.
pub const LIMIT: Query = Query::whole(
    "limit",
    1,
    page::MAX_LIMIT,
    "How many entries to answer with at the most. Absent: 100.",
);
/// Where a page starts.
pub const CURSOR: Query =
    Query::text("cursor", 1024, "The `next` of the page before. Absent: the first page.");

impl Query {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, about, kind, required: false }
    }

    /// A calendar day.
    pub const fn date(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Date, about)
    }

    /// A yes or no. Absent is no.
    pub const fn flag(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Flag, about)
    }

    /// An identifier.
    pub const fn id(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Id, about)
    }

    /// A whole number from `min` to `max`.
    pub const fn whole(name: &'static str, min: u32, max: u32, about: &'static str) -> Self {
        Self::new(name, Kind::Whole(min, max), about)
    }

    /// One of a contract enum's `NAMES`.
    pub const fn one_of(
        name: &'static str,
        names: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self::new(name, Kind::OneOf(names), about)
    }

    /// Text of at most `max` characters, such as a list of numbers that the handler reads.
    pub const fn text(name: &'static str, max: usize, about: &'static str) -> Self {
        Self::new(name, Kind::Text(max), about)
    }

    /// The same parameter, which must be there.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    fn check(&self, value: &str) -> Result<(), Refused> {
        let refused = |detail: String| Err(Refused::new(Refusal::MalformedParameter, detail));
        match self.kind {
            Kind::Date => value.parse::<Date>().map(drop),
            Kind::Id => value.parse::<Id>().map(drop),
            Kind::Flag if matches!(value, "true" | "false") => Ok(()),
            Kind::Flag => refused("a flag is true or false".into()),
            Kind::Whole(min, max) => match whole(value) {
                Some(number) if (min..=max).contains(&number) => Ok(()),
                _ => refused(format!("a whole number from {min} to {max} is wanted")),
            },
            Kind::OneOf(names) if names.contains(&value) => Ok(()),
            Kind::OneOf(names) => refused(format!("one of {} is wanted", names.join(", "))),
            Kind::Text(_) if value.is_empty() => refused("the value is empty".into()),
            Kind::Text(max) if value.chars().count() > max => {
                refused(format!("at most {max} characters are read"))
            }
            Kind::Text(_) if value.chars().any(char::is_control) => {
                refused("a control character".into())
            }
            Kind::Text(_) => Ok(()),
        }
    }
}

/// Digits only: no sign, no spaces.
fn whole(value: &str) -> Option<u32> {
    Some(value)
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
}

/// A refusal of a value, as the refusal of the parameter that had it.
pub(crate) fn malformed(name: &str, refused: &Refused) -> Problem {
    Problem::new(Refusal::MalformedParameter, format!("{name}: {}", refused.detail)).at(name)
}

/// Reads and checks a query string: unknown, repeated, missing and malformed parameters are refused by name.
pub(crate) fn read(
    query: Option<&str>,
    known: &[Query],
) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut values: Vec<(&'static str, String)> = Vec::new();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode_query(name).unwrap_or_else(|| encode(name));
        let parameter =
            known.iter().find(|known| known.name == name).ok_or_else(|| unknown(&name, known))?;
        let refused = |detail: &str| {
            Problem::new(Refusal::MalformedParameter, format!("{name}: {detail}")).at(&name)
        };
        let value = decode_query(value).ok_or_else(|| refused("not percent-encoded UTF-8"))?;
        if values.iter().any(|(seen, _)| *seen == parameter.name) {
            return Err(refused("the parameter stands twice"));
        }
        parameter.check(&value).map_err(|refused| malformed(&name, &refused))?;
        values.push((parameter.name, value));
    }
    for parameter in known.iter().filter(|parameter| parameter.required) {
        if !values.iter().any(|(name, _)| *name == parameter.name) {
            let detail = format!("the parameter {} is needed", parameter.name);
            return Err(Problem::new(Refusal::MissingParameter, detail).at(parameter.name));
        }
    }
    Ok(values)
}

fn unknown(name: &str, known: &[Query]) -> Problem {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
    let takes = if names.is_empty() { "no parameters".to_string() } else { names.join(", ") };
    Problem::new(
        Refusal::UnknownParameter,
        format!("`{shown}` is not known here; this function takes {takes}"),
    )
    .at(&shown)
}
