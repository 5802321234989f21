//! Pages of a list: an opaque cursor names the last entry of the page before.

use crate::Problem;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dunlin_domain::Refusal;
use serde::{Serialize, de::DeserializeOwned};

/// Entries on a page when the client does not say.
pub const DEFAULT_LIMIT: u32 = 100;
/// The most entries on a page: an answer of half a megabyte at the most.
pub const MAX_LIMIT: u32 = 500;

/// The longest cursor that is looked at: two ids and a date encoded come to less than half of it.
const MAX_CURSOR: usize = 1024;

/// What names an entry, as text that a client passes back and does not read.
pub fn encode<T: Serialize>(place: &T) -> Result<String, Problem> {
    let json = serde_json::to_vec(place)
        .map_err(|e| Problem::internal(format!("a cursor has no JSON: {e}")))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// Reads a cursor back. One that was made up or tampered with is refused as a parameter.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
    let refused =
        || Problem::new(Refusal::MalformedParameter, "this cursor was not made here").at("cursor");
    let text = Some(cursor).filter(|text| text.len() <= MAX_CURSOR).ok_or_else(refused)?;
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    serde_json::from_slice(&json).map_err(|_| refused())
}

/// Cuts a list that was asked for with one entry too many, and names the last entry kept if there was more.
pub fn cut<T, P: Serialize>(
    mut items: Vec<T>,
    limit: u32,
    place: impl Fn(&T) -> P,
) -> Result<(Vec<T>, Option<String>), Problem> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if items.len() <= limit {
        return Ok((items, None));
    }
    items.truncate(limit);
    let next = items.last().map(|last| encode(&place(last))).transpose()?;
    Ok((items, next))
}
