//! References with check digits, which the payee gives and the payer's bank passes on.
//!
//! A creditor reference (ISO 11649) is `RF`, two check digits and up to 21 letters and digits; it is right when the
//! number that its letters and digits stand for, with the first four moved to the end, leaves 1 over 97. A QR reference
//! (Swiss payment standards, before them the orange slip) has 27 digits, the last of which follows from the others by
//! the recursive scheme modulo 10.

use super::words;
use crate::{Refusal, Refused};

/// How many letters and digits a printed reference has: shorter ones stand in every text, longer ones in no form.
const PRINTED: std::ops::RangeInclusive<usize> = PRINTED_FEWEST..=35;
const PRINTED_FEWEST: usize = 4;

/// What a creditor reference begins with.
const MARK: &str = "RF";

/// The digits of a QR reference before the check digit.
const QR_DIGITS: usize = 26;

/// The digits of a QR reference.
pub const QR_LENGTH: usize = 27;

/// The next digit of the recursive scheme, by the one carried and the one read.
const CARRY: [u32; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];

/// The text of a creditor reference with right check digits, without `RF` and the check digits.
pub fn creditor(text: &str) -> Option<String> {
    let text = compact(text);
    let (head, body) = text.split_at_checked(4)?;
    let check = head.strip_prefix(MARK)?;
    let fits = (1..=21).contains(&body.len()) && check.bytes().all(|b| b.is_ascii_digit());
    (fits && remainder(&format!("{body}{head}"))? == 1).then(|| body.to_string())
}

/// Whether this is written as a creditor or QR reference and its check digits are wrong.
pub fn wrong(text: &str) -> bool {
    let plain = compact(text);
    let digits = plain.bytes().all(|b| b.is_ascii_digit());
    let check = plain.strip_prefix(MARK).and_then(|rest| rest.get(..2));
    let like_creditor = check.is_some_and(|check| check.bytes().all(|b| b.is_ascii_digit()));
    let like_qr = digits && plain.len() == QR_LENGTH;
    (like_creditor && creditor(text).is_none()) || (like_qr && qr(text).is_none())
}

/// The creditor reference of a text such as an invoice number. `None` when it is too long or has other characters.
pub fn build_creditor(text: &str) -> Option<String> {
    let body: String =
        compact(text).chars().filter(|c| !matches!(c, '-' | '/' | '.' | '_')).collect();
    if !(1..=21).contains(&body.len()) {
        return None;
    }
    let check = 98u32.checked_sub(remainder(&format!("{body}{MARK}00"))?)?;
    Some(format!("{MARK}{check:02}{body}"))
}

/// The digits of a QR reference with a right check digit, without leading zeros and the check digit.
pub fn qr(text: &str) -> Option<String> {
    let text = compact(text);
    let (body, check) = text.split_at_checked(QR_DIGITS)?;
    let right = check.len() == 1 && check.parse() == Ok(check_digit(body)?);
    (right && body.bytes().any(|b| b != b'0')).then(|| body.trim_start_matches('0').to_string())
}

/// The QR reference of a number. `None` when it has more than 26 digits or other characters.
pub fn build_qr(digits: &str) -> Option<String> {
    let digits = compact(digits);
    if digits.is_empty() || digits.len() > QR_DIGITS {
        return None;
    }
    let body = format!("{digits:0>QR_DIGITS$}");
    Some(format!("{body}{}", check_digit(&body)?))
}

/// A reference that is printed on a document, as it is kept: letters and digits, in capitals.
pub fn printed(text: &str) -> Result<String, Refused> {
    let kept: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let refused = |detail: &str| Err(Refused::new(Refusal::MalformedField, detail).at("reference"));
    if !PRINTED.contains(&kept.len()) || text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii())
    {
        return refused("a reference has 4 to 35 letters and digits");
    }
    if wrong(&kept) {
        return refused("the check digits of the reference are wrong");
    }
    Ok(kept)
}

/// What a printed reference is found by.
pub fn found_by(printed: &str) -> Vec<String> {
    let mut found = vec![words::number(printed)];
    found.extend(creditor(printed).map(|body| words::number(&body)));
    found.extend(qr(printed));
    found.retain(|text| text.len() >= PRINTED_FEWEST);
    found.sort_unstable();
    found.dedup();
    found
}

/// Without white space, in capitals.
fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
}

/// The number that letters and digits stand for (`A` is 10, `Z` is 35), modulo 97.
pub(super) fn remainder(text: &str) -> Option<u32> {
    text.chars().try_fold(0u32, |rest, c| {
        let value = c.is_ascii_alphanumeric().then(|| c.to_digit(36)).flatten()?;
        let shift = if value < 10 { 10 } else { 100 };
        rest.checked_mul(shift)?.checked_add(value)?.checked_rem(97)
    })
}

fn check_digit(body: &str) -> Option<u32> {
    let carried = body.chars().try_fold(0u32, |carry, c| {
        let at = carry.checked_add(c.to_digit(10)?)?.checked_rem(10)?;
        CARRY.get(usize::try_from(at).ok()?).copied()
    })?;
    10u32.checked_sub(carried)?.checked_rem(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_references_are_right() {
        for (text, body) in [
            ("RF18 5390 0754 7034", Some("539007547034")),
            ("RF18539007547034", Some("539007547034")),
            ("RF471234567890", Some("1234567890")),
            ("RF45G72UUR", Some("G72UUR")),
            ("rf45g72uur", Some("G72UUR")),
            ("RF19539007547034", None),
            ("RF18539007547043", None),
            ("RF18", None),
            ("RG18539007547034", None),
            ("RF18539007547034539007547034", None),
            ("", None),
        ] {
            assert_eq!(creditor(text).as_deref(), body, "{text}");
        }
        for (text, body) in [
            ("21 00000 00003 13947 14300 09017", Some("21000000000313947143000901")),
            ("210000000003139471430009017", Some("21000000000313947143000901")),
            ("00 00000 00000 00000 00000 00000", None),
            ("210000000003139471430009018", None),
            ("120000000003139471430009017", None),
            ("21000000000313947143000901", None),
            ("21000000000313947143000901X", None),
        ] {
            assert_eq!(qr(text).as_deref(), body, "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_kept_without_marks_and_with_right_check_digits() {
        for (text, wanted) in [
            ("RF18 5390 0754 7034", Ok("RF18539007547034")),
            ("21 00000 00003 13947 14300 09017", Ok("210000000003139471430009017")),
            ("+++090/9337/55493+++", Ok("090933755493")),
            ("kid 12-34", Ok("KID1234")),
            ("RF19 5390 0754 7034", Err(Refusal::MalformedField)),
            ("210000000003139471430009018", Err(Refusal::MalformedField)),
            ("123", Err(Refusal::MalformedField)),
            ("Ümlaut1", Err(Refusal::MalformedField)),
            ("123456789012345678901234567890123456", Err(Refusal::MalformedField)),
        ] {
            let found = printed(text).map_err(|refused| refused.code);
            assert_eq!(found, wanted.map(str::to_string), "{text}");
        }
        assert_eq!(found_by("RF18539007547034"), ["539007547034", "RF18539007547034"]);
    }

    #[test]
    fn references_are_built_as_published() {
        assert_eq!(build_creditor("539007547034").as_deref(), Some("RF18539007547034"));
        assert_eq!(build_creditor("INV-1001").as_deref(), build_creditor("inv1001").as_deref());
        assert_eq!(build_creditor("Überweisung"), None);
        assert_eq!(build_creditor(""), None);
        let built = build_qr("21000000000313947143000901");
        assert_eq!(built.as_deref(), Some("210000000003139471430009017"));
        assert_eq!(build_qr("12a"), None);
    }

    proptest! {
        #[test]
        fn what_is_built_is_right_and_one_wrong_digit_is_seen(body in "[A-Z0-9]{1,21}", digits in "[1-9][0-9]{0,25}", at in 0usize..27, by in 1u8..10) {
            prop_assert_eq!(creditor(&build_creditor(&body).unwrap()), Some(body));
            let built = build_qr(&digits).unwrap();
            prop_assert_eq!(qr(&built), Some(digits));
            let mut wrong = built.into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            prop_assert_eq!(qr(&String::from_utf8(wrong).unwrap()), None);
        }

        #[test]
        fn any_text_is_read_without_a_fault(text in "\\PC{0,40}") {
            let _ = (creditor(&text), qr(&text), build_creditor(&text), build_qr(&text));
        }
    }
}
