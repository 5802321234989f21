//! Our own account, however a statement spells it: one bank writes the IBAN in camt.053, and in MT940 the IBAN with the
//! currency behind it, the German bank and account number (`10010010/6820199`), or a number that the IBAN ends with.

use super::{account, reference};
use crate::Currency;

/// Where the account number of a German IBAN begins, and how long it is.
const GERMAN_BANK: usize = 8;
const GERMAN_NUMBER: usize = 10;

/// How long the IBANs of countries are whose banks write MT940 most.
const LENGTHS: [(&str, usize); 18] = [
    ("AT", 20),
    ("BE", 16),
    ("CH", 21),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("ES", 24),
    ("FI", 18),
    ("FR", 27),
    ("GB", 22),
    ("IE", 22),
    ("IT", 27),
    ("LU", 20),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("SE", 24),
];

/// The fewest characters of a number, without zeros in front, that an IBAN is known by.
const TELLING: usize = 5;

/// An account of ours as it is compared: of an IBAN without the currency behind it, of a German bank and account number
/// what stands in the IBAN; else letters and digits.
pub fn own(text: &str) -> Option<String> {
    let plain = account(text)?;
    if let Some((bank, number)) = text.trim().split_once('/') {
        let number = number.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let fits = (1..=GERMAN_NUMBER).contains(&number.len()) && bank.len() == GERMAN_BANK;
        if fits && digits(bank) && digits(number) {
            return Some(format!("{bank}{number:0>GERMAN_NUMBER$}"));
        }
    }
    let cut = plain.len().saturating_sub(3);
    let iban = plain.split_at_checked(cut).filter(|(head, tail)| {
        is_iban(head) && !is_whole(&plain) && is_whole(head) && tail.parse::<Currency>().is_ok()
    });
    Some(iban.map(|(head, _)| head.to_string()).unwrap_or(plain))
}

/// Whether this is written as an IBAN is: a country, check digits, and what the country's banks know the account by.
fn is_iban(text: &str) -> bool {
    let Some((head, body)) = text.split_at_checked(4) else { return false };
    let (country, check) = head.split_at_checked(2).unwrap_or_default();
    country.bytes().all(|b| b.is_ascii_uppercase())
        && check.bytes().all(|b| b.is_ascii_digit())
        && (11..=33).contains(&body.len())
}

/// Whether nothing is behind the IBAN: it has the length of its country's, or right check digits.
fn is_whole(iban: &str) -> bool {
    let known = LENGTHS.iter().find(|(country, _)| iban.starts_with(country));
    known.map_or_else(
        || {
            let (head, body) = iban.split_at_checked(4).unwrap_or_default();
            reference::remainder(&format!("{body}{head}")) == Some(1)
        },
        |(_, length)| iban.len() == *length,
    )
}

/// The one of these accounts that is this one: itself, or the only IBAN that it ends.
pub fn known<'a>(own: &'a str, accounts: impl Iterator<Item = &'a str>) -> &'a str {
    let number = own.trim_start_matches('0');
    if is_iban(own) || number.len() < TELLING {
        return own;
    }
    let ends =
        |iban: &&str| is_iban(iban) && iban.get(4..).is_some_and(|body| body.ends_with(number));
    let mut found = accounts.filter(ends);
    match (found.next(), found.next()) {
        (Some(iban), None) => iban,
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_itself_however_it_is_written() {
        const GERMAN: &str = "DE86100100100006820199";
        const DUTCH: &str = "NL50RABO0123456789";
        // As it is written, which of ours it is.
        for (text, wanted) in [
            ("DE86 1001 0010 0006 8201 99", GERMAN),
            ("DE86100100100006820199EUR", GERMAN),
            ("10010010/0006820199", GERMAN),
            ("10010010/6820199", GERMAN),
            ("10010010/6820199EUR", GERMAN),
            ("0006820199", GERMAN),
            ("6820199", GERMAN),
            ("NL50RABO0123456789 EUR", DUTCH),
            ("NL50RABO0123456789EUR", DUTCH),
            ("0123456789", DUTCH),
            ("6789", "6789"),
            ("00006789", "00006789"),
            ("10010011/6820199", "100100110006820199"),
            ("NL50RABO012345678EUR", "NL50RABO012345678EUR"),
            ("MT84MALT011000012345MTLCAST001SUSD", "MT84MALT011000012345MTLCAST001S"),
            ("820198", "820198"),
        ] {
            let own = own(text).unwrap();
            assert_eq!(known(&own, [GERMAN, DUTCH].into_iter()), wanted, "{text}");
        }
        // What two of ours end with is neither.
        let two = [GERMAN, "DE24100100200006820199"];
        assert_eq!(known("6820199", two.into_iter()), "6820199");
        assert_eq!(known("100100100006820199", two.into_iter()), GERMAN);
        assert_eq!(own("  "), None);
    }
}
