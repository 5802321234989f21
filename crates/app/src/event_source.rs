//! Sources of events: who may send them without a key, because they sign what they send.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, missing},
};
use dunlin_domain::{
    Id, Instant, Refusal, Refused,
    contract::events::{NewSource, Signature, SignatureKind, Source},
    profile::event as mapping,
};
use dunlin_store::{Db, Fault, event_source as table, event_source::Stored, write};

/// How long the secret before the last change is taken too: a day to change it at the source.
pub const OVERLAP_SECONDS: i64 = 24 * 3600;

/// How far the moment of a signature may be from now where the source says nothing: what Standard Webhooks recommends.
pub const TOLERANCE_SECONDS: u32 = 300;

/// Variables that may hold a secret begin with this, so that no other secret can be asked about.
pub const SECRET_VARIABLE: &str = "source_secret_";

/// What a delivery of a source is held against.
#[derive(Clone, Debug)]
pub struct Expected {
    pub signature: Signature,
    pub tolerance_seconds: u32,
    pub secret_variable: Option<String>,
    /// The secrets that are good now, the newest first.
    pub secrets: Vec<String>,
}

/// What deliveries of the source are held against; `None` when it is not there or takes none.
pub fn expected<D: Db>(
    db: &D,
    name: &Id,
    now: Instant,
) -> Result<Option<(Stored, Expected)>, Fault> {
    let found = table::get(db, name)?.filter(|of| of.document.disabled != Some(true));
    let Some(stored) = found else { return Ok(None) };
    let previous = stored.previous_until.filter(|until| now < *until);
    let previous = previous.and_then(|_| stored.previous_secret.clone());
    let expected = Expected {
        signature: stored.document.signature.clone(),
        tolerance_seconds: stored.document.tolerance_seconds.unwrap_or(TOLERANCE_SECONDS),
        secret_variable: stored.document.secret_variable.clone(),
        secrets: stored.secret.iter().cloned().chain(previous).collect(),
    };
    Ok(Some((stored, expected)))
}

/// Connects a source, or replaces how it is connected.
pub fn put<D: Db>(
    db: &D,
    name: &Id,
    new: &NewSource,
    author: &Author,
) -> Result<(Source, Change), Fault> {
    check(new)?;
    write(db, |db| {
        let before = table::get(db, name)?;
        let document = NewSource { secret: None, ..new.clone() };
        let mut after = Stored {
            key: 0,
            name: name.clone(),
            document,
            secret: None,
            previous_secret: None,
            previous_until: None,
        };
        let stored = before.as_ref().and_then(|before| before.secret.clone());
        after.previous_secret = before.as_ref().and_then(|of| of.previous_secret.clone());
        after.previous_until = before.as_ref().and_then(|of| of.previous_until);
        if new.secret_variable.is_none() {
            after.secret = new.secret.clone().or_else(|| stored.clone());
            let Some(secret) = &after.secret else {
                let detail = "a source needs a secret, or the variable that holds it";
                return Err(Refused::new(Refusal::MissingField, detail).at("secret").into());
            };
            secret_fits(secret, new.signature.kind)?;
        }
        // One that goes to a variable is good for the day too.
        if stored.is_some() && after.secret != stored {
            after.previous_secret = stored;
            after.previous_until = Some(author.at.plus_seconds(OVERLAP_SECONDS));
        }
        let same = before.as_ref().is_some_and(|before| {
            before.document == after.document && before.secret == after.secret
        });
        if same {
            return Ok((shown(&after)?, Change::AlreadySo));
        }
        let action = if before.is_some() { "replace" } else { "create" };
        let change = Note::changed(
            action,
            "event_source",
            name.as_str(),
            before.as_ref().map(|before| &before.document),
            Some(&after.document),
        )?;
        note(db, author, &change)?;
        table::put(db, &after)?;
        let change = if before.is_some() { Change::Replaced } else { Change::Made };
        Ok((shown(&after)?, change))
    })
}

/// Has deliveries of a source refused from now on. What it sent stays.
pub fn disable<D: Db>(db: &D, name: &Id, author: &Author) -> Result<(Source, Change), Fault> {
    let stored = table::get(db, name)?.ok_or_else(|| missing("source"))?;
    put(db, name, &NewSource { disabled: Some(true), ..stored.document }, author)
}

/// The source of this name.
pub fn get<D: Db>(db: &D, name: &Id) -> Result<Source, Fault> {
    shown(&table::get(db, name)?.ok_or_else(|| missing("source"))?)
}

/// Sources after a name.
pub fn page<D: Db>(db: &D, after: &str, limit: u32) -> Result<Vec<Source>, Fault> {
    table::page(db, after, limit)?.iter().map(shown).collect()
}

fn shown(of: &Stored) -> Result<Source, Fault> {
    let document = &of.document;
    Ok(Source {
        name: of.name.clone(),
        signature: document.signature.clone(),
        tolerance_seconds: document.tolerance_seconds.unwrap_or(TOLERANCE_SECONDS),
        secret_variable: document.secret_variable.clone(),
        has_secret: of.secret.is_some(),
        previous_secret_until: of.previous_until,
        preset: document.preset.clone(),
        mapping: mapping::chosen(document)?,
        disabled: document.disabled == Some(true),
    })
}

/// What can be seen to be wrong without what is stored. In this order: the scheme, the tolerance, where the secret is,
/// the mapping.
fn check(new: &NewSource) -> Result<(), Refused> {
    let refused = |code: Refusal, field: &str, detail: &str| {
        Err(Refused::new(code, detail.to_string()).at(field))
    };
    let signature = &new.signature;
    let extras = [
        ("header", signature.header.as_deref()),
        ("prefix", signature.prefix.as_deref()),
        ("timestamp_header", signature.timestamp_header.as_deref()),
    ];
    for (name, value) in extras {
        let field = format!("signature.{name}");
        if signature.kind != SignatureKind::Hmac && value.is_some() {
            let detail = "only `hmac` has headers to choose";
            return refused(Refusal::MalformedField, &field, detail);
        }
        let header = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let short = |text: &str| (1..=100).contains(&text.len());
        let good = |text: &str| short(text) && (name == "prefix" || header(text));
        if value.is_some_and(|text| !good(text)) {
            let detail = "1 to 100 characters, in the name of a header letters, digits and `-`";
            return refused(Refusal::MalformedField, &field, detail);
        }
    }
    if signature.kind == SignatureKind::Hmac && signature.header.is_none() {
        let detail = "`hmac` needs the header that has the signature";
        return refused(Refusal::MissingField, "signature.header", detail);
    }
    if new.tolerance_seconds.is_some_and(|seconds| !(30..=3_600).contains(&seconds)) {
        let detail = "the tolerance is 30 to 3600 seconds";
        return refused(Refusal::MalformedField, "tolerance_seconds", detail);
    }
    match (&new.secret, &new.secret_variable) {
        (Some(_), Some(_)) => {
            let detail = "the secret is here or in a variable, not both";
            return refused(Refusal::MalformedField, "secret", detail);
        }
        (Some(secret), None) => secret_fits(secret, signature.kind)?,
        (None, Some(name)) if !is_secret_variable(name) => {
            let detail = "the variables that may hold it are source_secret_1 to source_secret_4";
            return refused(Refusal::MalformedField, "secret_variable", detail);
        }
        _ => {}
    }
    mapping::chosen(new).map(drop)
}

fn is_secret_variable(name: &str) -> bool {
    matches!(name.strip_prefix(SECRET_VARIABLE), Some("1" | "2" | "3" | "4"))
}

fn secret_fits(secret: &str, kind: SignatureKind) -> Result<(), Refused> {
    let detail = match kind {
        SignatureKind::StandardWebhooks if !is_standard(secret) => {
            "the secret is `whsec_` and base64 of 24 to 64 bytes"
        }
        _ if !(8..=200).contains(&secret.chars().count()) => "the secret has 8 to 200 characters",
        _ => return Ok(()),
    };
    Err(Refused::new(Refusal::MalformedField, detail).at("secret"))
}

/// Whether a secret can be one of Standard Webhooks: `whsec_` and base64 of 24 to 64 bytes. Nothing would ever fit another.
fn is_standard(secret: &str) -> bool {
    let Some(text) = secret.strip_prefix("whsec_") else { return false };
    let digits = text.trim_end_matches('=');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    // The last digit has bits that no byte takes: those are zero.
    let (padding, ends) = match digits.len() % 4 {
        0 => (0, true),
        2 => (2, digits.ends_with(['A', 'Q', 'g', 'w'])),
        3 => (1, digits.ends_with(|last| "AEIMQUYcgkosw048".contains(last))),
        _ => return false,
    };
    let bytes = digits.len().saturating_mul(3) / 4;
    ends && digits.bytes().all(known)
        && text.len() == digits.len().saturating_add(padding)
        && (24..=64).contains(&bytes)
}

#[cfg(test)]
mod tests {
    use super::is_standard;

    #[test]
    fn a_standard_secret_is_base64_of_24_to_64_bytes() {
        for (secret, good) in [
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true),
            ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", true),
            ("whsec_!!!!", false),
            ("whsec_YWJj", false),
            ("whsec_", false),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false),
        ] {
            assert_eq!(is_standard(secret), good, "{secret}");
        }
        let ends =
            |digits: usize, end: &str| is_standard(&format!("whsec_{}{end}", "A".repeat(digits)));
        assert_eq!([28, 32, 84, 88].map(|of| ends(of, "")), [false, true, true, false]);
        for (end, good) in [
            ("AAA=", true),
            ("AAB=", false),
            ("AAA", false),
            ("AA==", true),
            ("AB==", false),
            ("A===", false),
        ] {
            assert_eq!(ends(32, end), good, "{end}");
        }
    }
}
