//! Signatures of deliveries: HMAC-SHA256 over what was sent, made and checked.
//!
//! Everything that is wrong with a delivery is one refusal without a reason, so that nobody learns from it how near a
//! guess was. Comparisons take the same time whatever differs.

use crate::Problem;
use base64::{Engine, engine::general_purpose::STANDARD};
use dunlin_app::event_source::Expected;
use dunlin_domain::{
    Instant, Refusal,
    contract::events::{SignatureEncoding, SignatureKind},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The most signatures that are looked at in one header: two secrets while one is changed, and room to spare.
const MAX_SIGNATURES: usize = 10;

/// The one refusal of a delivery.
pub fn refused() -> Problem {
    Problem::new(Refusal::SignatureRefused, Refusal::SignatureRefused.about())
}

/// `v1,` and the base64 of the HMAC over `id.timestamp.body`, as Standard Webhooks has it.
pub fn standard(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()];
    mac(secret, &parts)
        .map(|mac| format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        .unwrap_or_default()
}

/// The bytes of a secret that is written as `whsec_` and base64; `None` where it is not.
pub fn standard_secret(text: &str) -> Option<Vec<u8>> {
    let bytes = text.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok())?;
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

/// Checks a delivery, and gives the id that its signed headers say, where they say one. `header` finds a header by its
/// name; one that stands twice is none.
pub fn check<'h>(
    expected: &Expected,
    secrets: &[String],
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: Instant,
) -> Result<Option<&'h str>, Problem> {
    let signature = &expected.signature;
    let timely = |text: &str| {
        let signed_at = unix(text)?;
        let apart = now.unix().checked_sub(signed_at)?.checked_abs()?;
        (apart <= i64::from(expected.tolerance_seconds)).then_some(())
    };
    let mut id = None;
    let good = match signature.kind {
        SignatureKind::StandardWebhooks => {
            let sent = (header("webhook-id"), header("webhook-timestamp"));
            let (Some(message), Some(timestamp)) = sent else { return Err(refused()) };
            let Some(signatures) = header("webhook-signature") else { return Err(refused()) };
            id = Some(message);
            let signatures = signatures.split(' ').filter_map(|text| text.strip_prefix("v1,"));
            let signatures: Vec<Vec<u8>> =
                signatures.filter_map(|text| STANDARD.decode(text).ok()).collect();
            let parts = [message.as_bytes(), b".", timestamp.as_bytes(), b".", body];
            let keys: Vec<Vec<u8>> = secrets.iter().filter_map(|of| standard_secret(of)).collect();
            timely(timestamp).is_some() && any_fits(&keys, &parts, &signatures)
        }
        SignatureKind::Stripe => {
            let Some(text) = header("stripe-signature") else { return Err(refused()) };
            let pairs = || text.split(',').filter_map(|pair| pair.trim().split_once('='));
            let mut times = pairs().filter(|(name, _)| *name == "t").map(|(_, value)| value);
            let (Some(timestamp), None) = (times.next(), times.next()) else {
                return Err(refused());
            };
            let signatures = pairs().filter(|(name, _)| *name == "v1");
            let signatures: Vec<Vec<u8>> = signatures.filter_map(|(_, value)| hex(value)).collect();
            let parts = [timestamp.as_bytes(), b".", body];
            timely(timestamp).is_some() && any_fits(&plain(secrets), &parts, &signatures)
        }
        SignatureKind::Hmac => {
            let name = signature.header.as_deref().unwrap_or_default();
            let Some(text) = header(name) else { return Err(refused()) };
            let text = text.strip_prefix(signature.prefix.as_deref().unwrap_or_default());
            let decoded = text.and_then(|text| match signature.encoding {
                Some(SignatureEncoding::Base64) => STANDARD.decode(text).ok(),
                _ => hex(text),
            });
            let signatures: Vec<Vec<u8>> = decoded.into_iter().collect();
            let timestamp = match signature.timestamp_header.as_deref() {
                Some(name) => Some(header(name).ok_or_else(refused)?),
                None => None,
            };
            match timestamp {
                Some(timestamp) => {
                    let parts = [timestamp.as_bytes(), b".", body];
                    timely(timestamp).is_some() && any_fits(&plain(secrets), &parts, &signatures)
                }
                None => any_fits(&plain(secrets), &[body], &signatures),
            }
        }
    };
    if good { Ok(id) } else { Err(refused()) }
}

fn plain(secrets: &[String]) -> Vec<Vec<u8>> {
    secrets.iter().map(|secret| secret.clone().into_bytes()).collect()
}

/// Whether one of the signatures is that of one of the secrets. An empty secret signs nothing.
fn any_fits(secrets: &[Vec<u8>], parts: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
    let mut fits = false;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let Some(mac) = mac(secret, parts) else { continue };
        for signature in signatures.iter().take(MAX_SIGNATURES) {
            fits |= mac.clone().verify_slice(signature).is_ok();
        }
    }
    fits
}

fn mac(secret: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac)
}

/// Unix seconds: digits alone, so that there is one way to write a moment.
fn unix(text: &str) -> Option<i64> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 128 || !text.is_ascii() {
        return None;
    }
    let byte = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).ok()?;
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u8::from_str_radix(digits, 16).ok()
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dunlin_domain::contract::events::Signature;
    use proptest::prelude::*;

    const BODY: &[u8] = br#"{"id":"evt_1","type":"payment.succeeded"}"#;
    const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn expected(kind: SignatureKind) -> Expected {
        let hmac = kind == SignatureKind::Hmac;
        let signature = Signature {
            kind,
            header: hmac.then(|| "x-signature".into()),
            encoding: None,
            prefix: hmac.then(|| "sha256=".into()),
            timestamp_header: hmac.then(|| "x-timestamp".into()),
        };
        Expected { signature, tolerance_seconds: 300, secret_variable: None, secrets: Vec::new() }
    }

    fn digits(secret: &[u8], parts: &[&[u8]]) -> String {
        let bytes = mac(secret, parts).unwrap().finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn now() -> Instant {
        Instant::from_unix(1_700_000_000).unwrap()
    }

    type Headers = Vec<(&'static str, String)>;

    fn signed(kind: SignatureKind, secret: &str, at: &str, body: &[u8]) -> Headers {
        let text = std::str::from_utf8(body).unwrap();
        match kind {
            SignatureKind::StandardWebhooks => vec![
                ("webhook-id", "msg_1".into()),
                ("webhook-timestamp", at.into()),
                (
                    "webhook-signature",
                    standard(&standard_secret(secret).unwrap(), "msg_1", at, text),
                ),
            ],
            SignatureKind::Stripe => {
                let v1 = digits(secret.as_bytes(), &[at.as_bytes(), b".", body]);
                vec![("stripe-signature", format!("t={at},v1={v1},v0=abc"))]
            }
            SignatureKind::Hmac => {
                let of = digits(secret.as_bytes(), &[at.as_bytes(), b".", body]);
                vec![("x-signature", format!("sha256={of}")), ("x-timestamp", at.into())]
            }
        }
    }

    fn takes(kind: SignatureKind, secrets: &[&str], headers: &Headers, body: &[u8]) -> bool {
        let secrets: Vec<String> = secrets.iter().map(ToString::to_string).collect();
        let header = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
        };
        check(&expected(kind), &secrets, header, body, now()).is_ok()
    }

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of the Standard Webhooks specification's reference libraries.
        let secret = standard_secret(WHSEC).unwrap();
        assert_eq!(
            standard(
                &secret,
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "1614265330",
                r#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn what_was_signed_in_time_with_a_known_secret_is_taken() {
        for kind in SignatureKind::ALL {
            let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            let good = signed(*kind, WHSEC, "1700000000", BODY);
            assert!(takes(*kind, &[WHSEC], &good, BODY), "{kind}");
            assert!(takes(*kind, &[other, WHSEC], &good, BODY), "{kind} while secrets change");
            assert!(!takes(*kind, &[other], &good, BODY), "{kind} by another secret");
            assert!(!takes(*kind, &[], &good, BODY), "{kind} without a secret");
            assert!(!takes(*kind, &[WHSEC], &good, b"{}"), "{kind} of another body");
            assert!(!takes(*kind, &[WHSEC], &Vec::new(), BODY), "{kind} unsigned");
            for (at, taken) in [
                ("1699999700", true),
                ("1699999699", false),
                ("1700000300", true),
                ("1700000301", false),
                ("-1700000000", false),
                ("+1700000000", false),
                ("1700000000000", false),
                ("", false),
            ] {
                let headers = signed(*kind, WHSEC, at, BODY);
                assert_eq!(takes(*kind, &[WHSEC], &headers, BODY), taken, "{kind} at {at:?}");
            }
        }
    }

    #[test]
    fn a_signature_of_another_moment_or_id_is_refused() {
        let mut headers = signed(SignatureKind::StandardWebhooks, WHSEC, "1700000000", BODY);
        headers[0].1 = "msg_2".into();
        assert!(!takes(SignatureKind::StandardWebhooks, &[WHSEC], &headers, BODY));
        let mut headers = signed(SignatureKind::Hmac, WHSEC, "1700000000", BODY);
        headers[1].1 = "1700000001".into();
        assert!(!takes(SignatureKind::Hmac, &[WHSEC], &headers, BODY));
        let headers = signed(SignatureKind::Stripe, WHSEC, "1700000000", BODY);
        let twice = vec![("stripe-signature", format!("t=1700000001,{}", headers[0].1))];
        assert!(!takes(SignatureKind::Stripe, &[WHSEC], &twice, BODY));
    }

    proptest! {
        /// Whatever stands in the headers, it is refused and never a trap.
        #[test]
        fn any_header_is_refused(text in ".{0,80}", at in "[0-9]{0,14}", body in proptest::collection::vec(any::<u8>(), 0..50)) {
            for kind in SignatureKind::ALL {
                for value in [text.clone(), format!("t={at},v1={text}"), format!("v1,{text}"), format!("sha256={text}")] {
                    let headers = vec![
                        ("webhook-id", text.clone()), ("webhook-timestamp", at.clone()), ("x-timestamp", at.clone()),
                        ("webhook-signature", value.clone()), ("stripe-signature", value.clone()), ("x-signature", value),
                    ];
                    prop_assert!(!takes(*kind, &[WHSEC], &headers, &body));
                }
            }
        }

        /// One bit of the body or of the signature changed, and it is refused.
        #[test]
        fn any_change_is_refused(place in 0usize..40, bit in 0u32..7, which in 0usize..3) {
            let kind = SignatureKind::ALL[which];
            let headers = signed(kind, WHSEC, "1700000000", BODY);
            let mut body = BODY.to_vec();
            body[place] ^= 1 << bit;
            prop_assert!(!takes(kind, &[WHSEC], &headers, &body));
        }
    }
}
