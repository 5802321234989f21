//! What a field may hold: one check for each sort of value.

use crate::contract::ingest::DateForm;
use crate::contract::types::{Channel, CustomerStatus, InvoiceKind, Language};
use crate::{Currency, Date, Refusal, Refused, id};

/// The longest name of a customer, in characters.
pub const MAX_NAME: usize = 200;
/// The longest address of mail, in characters: RFC 5321 has no room for more.
pub const MAX_EMAIL: usize = 254;
/// The longest telephone number as dialled, in characters.
pub const MAX_PHONE: usize = 40;
/// The longest segment, industry or role, in characters.
pub const MAX_LABEL: usize = 100;
/// The longest address of a contact, in characters.
pub const MAX_ADDRESS: usize = 400;
/// The longest text that is tried as an amount: every amount that can be held is far shorter.
pub const MAX_AMOUNT: usize = 64;
/// The longest IANA zone name is 32 characters; names in use may grow.
pub const MAX_TIME_ZONE: usize = 64;

/// The sort of value that a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Id,
    Name,
    Country,
    Currency,
    Language,
    TimeZone,
    Email,
    Phone,
    CustomerStatus,
    Label,
    Channel,
    Address,
    Amount,
    Date,
    InvoiceKind,
    Flag,
    Instalments,
}

impl Sort {
    /// Whether a text that a profile itself gives, as a constant or as the target of a lookup, can be such a value.
    /// An amount depends on its currency and a time zone on the build: those two are left to the rows.
    pub fn check(self, text: &str, form: DateForm) -> Result<(), Refused> {
        match self {
            Self::Id => id::check(text),
            Self::Name => name(text),
            Self::Country => country(text),
            Self::Currency => text.parse::<Currency>().map(drop),
            Self::Language => text.parse::<Language>().map(drop),
            Self::TimeZone => time_zone(text, |_| true),
            Self::Email => email(text),
            Self::Phone => phone(text),
            Self::CustomerStatus => text.parse::<CustomerStatus>().map(drop),
            Self::Label => label(text),
            Self::Channel => text.parse::<Channel>().map(drop),
            Self::Address => words(text, MAX_ADDRESS),
            Self::Amount => amount_is_short(text),
            Self::Date => date(text, form).map(drop),
            Self::InvoiceKind => text.parse::<InvoiceKind>().map(drop),
            Self::Flag => flag(text).map(drop),
            Self::Instalments => {
                let detail = "instalments belong to one invoice and come from a column";
                Err(Refused::new(Refusal::MalformedField, detail))
            }
        }
    }

    /// Whether something may be put before the value: ids, names and numbers to dial are texts that have a beginning.
    pub fn takes_prefix(self) -> bool {
        matches!(self, Self::Id | Self::Name | Self::Phone)
    }
}

/// The text without the ASCII spaces and tabs around it. Other white space is left, to be refused where it matters.
pub fn trim(text: &str) -> &str {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let bytes = text.as_bytes();
    if blank(bytes.first()) || blank(bytes.last()) { text.trim_matches([' ', '\t']) } else { text }
}

/// A name of 1 to 200 characters, not all of them blank.
pub fn name(text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::new(
            Refusal::MissingField,
            "a name has at least one character that can be seen",
        ));
    }
    // No text has more characters than bytes, so that most names are not counted.
    if text.len() > MAX_NAME && text.chars().count() > MAX_NAME {
        return Err(Refused::new(
            Refusal::TextTooLong,
            format!("a name has at most {MAX_NAME} characters"),
        ));
    }
    no_controls(text)
}

/// A text of 1 to `max` characters, not all of them blank.
pub fn words(text: &str, max: usize) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::new(
            Refusal::MissingField,
            "the text has at least one character that can be seen",
        ));
    }
    if text.len() > max && text.chars().count() > max {
        return Err(Refused::new(
            Refusal::TextTooLong,
            format!("the text has at most {max} characters"),
        ));
    }
    no_controls(text)
}

/// A class of customers in words, such as a segment or an industry.
pub fn label(text: &str) -> Result<(), Refused> {
    words(text, MAX_LABEL)
}

/// Refuses NUL and other control characters.
pub fn no_controls(text: &str) -> Result<(), Refused> {
    let suspect = text
        .bytes()
        .fold(false, |found, byte| found | (byte < 0x20) | (byte == 0x7F) | (byte == 0xC2));
    match suspect.then(|| text.chars().find(|c| c.is_control())).flatten() {
        Some(control) => {
            let detail =
                format!("the text holds the control character U+{:04X}", u32::from(control));
            Err(Refused::new(Refusal::MalformedText, detail))
        }
        None => Ok(()),
    }
}

/// ISO 3166-1 alpha-2 by its form: two capital letters.
pub fn country(text: &str) -> Result<(), Refused> {
    match text.as_bytes() {
        [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(()),
        _ => Err(malformed(text, "a country as two capital letters, such as CN")),
    }
}

/// An IANA name by its form, then by whether this build carries it.
pub fn time_zone(text: &str, known: impl FnOnce(&str) -> bool) -> Result<(), Refused> {
    let formed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
    if text.len() <= MAX_TIME_ZONE && text.bytes().all(formed) && known(text) {
        return Ok(());
    }
    let detail = format!(
        "`{}` is no IANA time zone that this build carries, such as Asia/Shanghai",
        super::shown(text)
    );
    Err(Refused::new(Refusal::UnknownTimeZone, detail))
}

/// An address with one `@` and something on both sides. Whether mail arrives is not for a form to say.
pub fn email(text: &str) -> Result<(), Refused> {
    if text.len() > MAX_EMAIL && text.chars().count() > MAX_EMAIL {
        return Err(Refused::new(
            Refusal::TextTooLong,
            format!("an email has at most {MAX_EMAIL} characters"),
        ));
    }
    let blank = |c: char| c.is_whitespace() || c.is_control();
    match text.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !text.contains(blank) =>
        {
            Ok(())
        }
        _ => Err(malformed(text, "an email address with one `@` and no spaces")),
    }
}

/// A number as dialled: digits, spaces and `+-().`, at least one digit.
pub fn phone(text: &str) -> Result<(), Refused> {
    if text.chars().count() > MAX_PHONE {
        return Err(Refused::new(
            Refusal::TextTooLong,
            format!("a phone number has at most {MAX_PHONE} characters"),
        ));
    }
    let dialled =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'+' | b'-' | b'(' | b')' | b'.');
    if text.bytes().all(dialled) && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(malformed(text, "a phone number of digits, spaces and +-()."))
}

/// Yes or no, as exports write it.
pub fn flag(text: &str) -> Result<bool, Refused> {
    match text {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(malformed(text, "one of true, false, yes, no, 1, 0")),
    }
}

/// Whether the text is short enough to be read as an amount at all.
pub fn amount_is_short(text: &str) -> Result<(), Refused> {
    if text.len() > MAX_AMOUNT {
        let detail = format!("an amount is written with at most {MAX_AMOUNT} characters");
        return Err(Refused::new(Refusal::MalformedAmount, detail));
    }
    Ok(())
}

/// A day in the form that the profile states.
pub fn date(text: &str, form: DateForm) -> Result<Date, Refused> {
    let read = match form {
        DateForm::Ymd => return text.parse(),
        DateForm::Dmy => parts(text, &['/', '.', '-']).map(|(day, month, year)| (year, month, day)),
        DateForm::Mdy => parts(text, &['/']).map(|(month, day, year)| (year, month, day)),
        DateForm::Compact => compact(text),
        DateForm::Loose => loose(text),
    };
    let Some((year, month, day)) = read else {
        let form = match form {
            DateForm::Ymd => "2024-03-31",
            DateForm::Dmy => "31/03/2024, 31.3.2024 or 31-03-2024",
            DateForm::Mdy => "3/31/2024",
            DateForm::Compact => "20240331",
            DateForm::Loose => "2024-03-31, 2024/3/31, 2024.3.31 or 2024年3月31日",
        };
        let detail = format!("`{}` is not a date written as {form}", super::shown(text));
        return Err(Refused::new(Refusal::MalformedDate, detail));
    };
    Date::from_ymd(i32::try_from(year).unwrap_or(0), month, day)
}

/// Three numbers with the same separator twice, the first two of one or two digits, the last of four.
fn parts(text: &str, separators: &[char]) -> Option<(u32, u32, u32)> {
    let separator = *separators.iter().find(|separator| text.contains(**separator))?;
    let mut split = text.split(separator);
    let (first, second, third) = (split.next()?, split.next()?, split.next()?);
    let short = |part: &str| if part.len() <= 2 { digits(part) } else { None };
    let year = if third.len() == 4 { digits(third)? } else { return None };
    if split.next().is_some() { None } else { Some((short(first)?, short(second)?, year)) }
}

/// Year first, with any of the usual separators; a time of day behind it is left out.
fn loose(text: &str) -> Option<(u32, u32, u32)> {
    let day = text.split([' ', 'T', '日']).next()?;
    let mut parts = day.split(['-', '/', '.', '年', '月']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| if part.len() <= 2 { digits(part) } else { None };
    let year = if year.len() == 4 { digits(year)? } else { return None };
    if parts.next().is_some() { None } else { Some((year, short(month)?, short(day)?)) }
}

/// An id made of a name: what an id cannot hold becomes `-`, once for each run. The end of a name that is too long
/// becomes a number made from the whole of it, so that two long names with one beginning stay two ids.
pub fn id_of(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    for c in name.chars() {
        if id::holds(c) {
            made.push(c);
        } else if !made.ends_with('-') {
            made.push('-');
        }
    }
    if made.chars().count() <= id::MAX_CHARS {
        return made;
    }
    // FNV-1a: stable for ever, and the names are not out to collide.
    let hash = made.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let kept: String = made.chars().take(id::MAX_CHARS.saturating_sub(17)).collect();
    format!("{kept}-{hash:016x}")
}

fn compact(text: &str) -> Option<(u32, u32, u32)> {
    if text.len() != 8 {
        return None;
    }
    Some((digits(text.get(..4)?)?, digits(text.get(4..6)?)?, digits(text.get(6..)?)?))
}

/// One to four ASCII digits.
fn digits(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    text.bytes().try_fold(0u32, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte.wrapping_sub(b'0')))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// What a field that is written otherwise is refused with.
pub(super) fn malformed(text: &str, wanted: &str) -> Refused {
    Refused::new(Refusal::MalformedField, format!("`{}` is not {wanted}", super::shown(text)))
}
