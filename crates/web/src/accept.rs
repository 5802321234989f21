//! Which of a function's formats a client gets.

use crate::Problem;
use dunlin_domain::Refusal;

/// A format that a function can answer in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Records of the contract.
    Json,
    /// A table for spreadsheets.
    Csv,
    /// Records of the contract, one a line.
    Ndjson,
    /// A picture.
    Svg,
}

impl Media {
    /// The media type without parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
            Self::Svg => "image/svg+xml",
        }
    }

    /// The media type as the answer states it.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// The format the client likes best among those on offer; the first on offer where it has no liking.
///
/// Of the ranges that fit a format the most specific gives its weight, as RFC 9110 §12.5.1 has it.
pub fn negotiate(accept: Option<&str>, offered: &[Media]) -> Result<Media, Problem> {
    let first = offered.first().copied().unwrap_or(Media::Json);
    let Some(accept) = accept.filter(|text| !text.trim().is_empty() && !offered.is_empty()) else {
        return Ok(first);
    };
    let mut best: Option<(u16, Media)> = None;
    for media in offered.iter().copied() {
        let weight = weight(accept, media.name());
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, media));
        }
    }
    let names: Vec<&str> = offered.iter().map(|media| media.name()).collect();
    let refused = || {
        Problem::new(
            Refusal::NotAcceptable,
            format!("this function answers in {}", names.join(", ")),
        )
    };
    best.map(|(_, media)| media).ok_or_else(refused)
}

/// The weight in thousandths that an Accept header gives to a media type.
fn weight(accept: &str, name: &str) -> u16 {
    let (mut found, mut specific) = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let rank = rank(parts.next().unwrap_or_default(), name);
        if rank > specific {
            specific = rank;
            found = parts
                .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .map_or(1000, q);
        }
    }
    found
}

/// How closely a range fits a media type: 0 not at all, 3 exactly.
fn rank(range: &str, name: &str) -> u8 {
    let of_type =
        |range: &str| range.strip_suffix("/*").is_some_and(|of| name.split('/').next() == Some(of));
    match range.to_ascii_lowercase() {
        range if range == name => 3,
        range if range == "*/*" => 1,
        range if of_type(&range) => 2,
        _ => 0,
    }
}

/// A quality value in thousandths; what cannot be read counts as 1.
fn q(text: &str) -> u16 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u16>()) {
        ("0", Ok(thousandths)) => thousandths,
        _ => 1000,
    }
}
