//! Files that belong to something and are kept elsewhere: what a reference to one must satisfy.

use crate::{
    Refusal, Refused,
    contract::ledger::Attachment,
    profile::value::{MAX_NAME, words},
};

/// The most files that one thing may have: a folder, not an archive.
pub const MAX_ATTACHMENTS: usize = 50;
/// The longest reference, in characters.
pub const MAX_URI: usize = 500;
/// SHA-256 in hexadecimal.
const DIGITS: usize = 64;

/// Checks the files of one thing, naming the first field at fault under `field`.
pub fn check(field: &str, attachments: Option<&[Attachment]>) -> Result<(), Refused> {
    let attachments = attachments.unwrap_or_default();
    if attachments.len() > MAX_ATTACHMENTS {
        let detail = format!("at most {MAX_ATTACHMENTS} files are referred to");
        return Err(Refused::new(Refusal::TextTooLong, detail).at(field));
    }
    for (index, attachment) in attachments.iter().enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        words(&attachment.name, MAX_NAME).map_err(|refused| refused.at(&at("name")))?;
        words(&attachment.uri, MAX_URI).map_err(|refused| refused.at(&at("uri")))?;
        if attachment.sha256.as_deref().is_some_and(|hash| !is_sha256(hash)) {
            let detail = format!("a SHA-256 has {DIGITS} hexadecimal digits");
            return Err(Refused::new(Refusal::MalformedField, detail).at(&at("sha256")));
        }
    }
    Ok(())
}

fn is_sha256(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_name_a_place_and_perhaps_a_hash() {
        let hash = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
        let longer = format!("{hash}0");
        for (name, uri, sha256, field) in [
            ("Contract", "https://files.example/1", None, ""),
            ("Contract", "file:1", Some(hash), ""),
            ("", "file:1", None, "evidence[1].name"),
            ("Contract", "", None, "evidence[1].uri"),
            ("Contract", &"x".repeat(501), None, "evidence[1].uri"),
            ("Contract", "file:1", Some(&hash[1..]), "evidence[1].sha256"),
            ("Contract", "file:1", Some(longer.as_str()), "evidence[1].sha256"),
            ("Contract", "file:1", Some(&hash.replace('0', "g")), "evidence[1].sha256"),
        ] {
            let good = Attachment { name: "x".into(), uri: "y".into(), sha256: None };
            let tried = Attachment {
                name: name.into(),
                uri: uri.into(),
                sha256: sha256.map(str::to_string),
            };
            let refused = check("evidence", Some(&[good, tried])).err();
            let at = refused.and_then(|refused| refused.field).unwrap_or_default();
            assert_eq!(at, field, "{name} {uri} {sha256:?}");
        }
        let many = vec![Attachment { name: "x".into(), uri: "y".into(), sha256: None }; 51];
        assert_eq!(check("evidence", Some(&many)).unwrap_err().code, Refusal::TextTooLong);
        assert_eq!(check("evidence", Some(&many[1..])), Ok(()));
    }
}
