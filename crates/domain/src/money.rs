//! Amounts in minor units, and their decimal form in files.

use crate::{Currency, Money, Refusal, Refused};

/// The largest amount that one document may have, in minor units: a thousandth of what an `i64` holds, so that
/// a thousand of the largest still sum without overflow and JSON readers with 53-bit numbers stay exact.
pub const MAX_MINOR: i64 = 9_000_000_000_000_000;

/// The most that one customer's documents of one currency may come to, and as much its payments and credit notes: a
/// hundred of the largest. Sums of one customer's amounts, and twofold ones, fit an `i64` with room for interest.
pub const MAX_TOTAL_MINOR: i64 = 900_000_000_000_000_000;

/// Amounts up to this one reach no limit of a customer: it would take a thousand million of them.
pub const SMALL_MINOR: i64 = 1_000_000_000;

/// How a source writes numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberForm {
    /// Between whole and fraction.
    pub decimal: char,
    /// Between groups of three digits; `None` where none is accepted.
    pub thousands: Option<char>,
}

impl NumberForm {
    /// `1234.56`, the form of the profile `generic`.
    pub const PLAIN: Self = Self { decimal: '.', thousands: None };
}

impl Money {
    /// The amount in this currency.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// `1250.00`: the decimal form with all decimals of the currency and nothing else.
    pub fn to_decimal(self) -> String {
        format_minor(self.minor, self.currency.exponent())
    }
}

/// `125000` with two decimals is `1250.00`.
pub fn format_minor(minor: i64, exponent: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs().to_string();
    let decimals = usize::try_from(exponent).unwrap_or(0);
    if decimals == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = decimals.saturating_add(1));
    let (whole, fraction) = padded.split_at(padded.len().saturating_sub(decimals));
    format!("{sign}{whole}.{fraction}")
}

/// A sum that refuses to overflow.
pub fn sum(amounts: impl IntoIterator<Item = i64>) -> Result<i64, Refused> {
    let too_large = || Refused::new(Refusal::AmountTooLarge, "the sum of the amounts is too large");
    amounts.into_iter().try_fold(0i64, |sum, next| sum.checked_add(next)).ok_or_else(too_large)
}

/// So much of `all` as `part` is of `whole`, for amounts of zero or more, rounded half away from zero. Nothing of nothing.
pub fn portion(all: i64, part: i64, whole: i64) -> i64 {
    let [all, part, whole] = [all, part, whole].map(i128::from);
    let twice = all.saturating_mul(part).saturating_mul(2).saturating_add(whole);
    let rounded = twice.checked_div_euclid(whole.saturating_mul(2)).unwrap_or(0);
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// Reads a decimal exactly: no rounding, no exponent, no sign but a leading `-`, ASCII digits only.
pub fn parse_amount(text: &str, currency: Currency, form: NumberForm) -> Result<i64, Refused> {
    let malformed = || {
        let shown: String = text.chars().take(30).collect();
        let marks = match form.thousands {
            Some(mark) => {
                format!("`{}` before decimals and `{mark}` between thousands", form.decimal)
            }
            None => format!("`{}` before decimals and no mark between thousands", form.decimal),
        };
        Refused::new(
            Refusal::MalformedAmount,
            format!("`{shown}` is not a number written with {marks}"),
        )
    };
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) =
        unsigned.split_once(form.decimal).map_or((unsigned, None), |(w, f)| (w, Some(f)));
    if !groups_are_right(whole, form.thousands) || fraction.is_some_and(str::is_empty) {
        return Err(malformed());
    }
    let exponent = usize::try_from(currency.exponent()).unwrap_or(0);
    let fraction = fraction.unwrap_or("");
    let (kept, dropped) = fraction.split_at_checked(exponent).unwrap_or((fraction, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed());
    }
    if dropped.bytes().any(|b| b != b'0') {
        let detail = format!("`{text}` has more decimals than {currency}, which has {exponent}");
        return Err(Refused::new(Refusal::TooManyDecimals, detail));
    }
    let zeros = exponent.saturating_sub(kept.len());
    let digits = whole.bytes().chain(kept.bytes()).filter(u8::is_ascii_digit);
    let minor = digits.chain(std::iter::repeat_n(b'0', zeros)).try_fold(0i64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0')))
    });
    let minor = minor.filter(|minor| *minor <= MAX_MINOR).ok_or_else(|| {
        Refused::new(
            Refusal::AmountTooLarge,
            format!("an amount is at most {}", format_minor(MAX_MINOR, currency.exponent())),
        )
    })?;
    Ok(if negative { minor.saturating_neg() } else { minor })
}

/// Digits only, or with marks exactly between groups of three.
fn groups_are_right(whole: &str, thousands: Option<char>) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let Some(mark) = thousands.filter(|mark| whole.contains(*mark)) else { return digits(whole) };
    let mut groups = whole.split(mark);
    let first = groups.next().unwrap_or("");
    digits(first) && first.len() <= 3 && groups.all(|group| digits(group) && group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(
        text: &str,
        code: &str,
        decimal: char,
        thousands: Option<char>,
    ) -> Result<i64, Refusal> {
        parse_amount(text, code.parse().unwrap(), NumberForm { decimal, thousands })
            .map_err(|r| r.code)
    }

    #[test]
    fn a_portion_is_rounded_half_away_from_zero() {
        for (all, part, whole, wanted) in [
            (2, 49, 98, 1),
            (2, 24, 98, 0),
            (2, 25, 98, 1),
            (1, 1, 2, 1),
            (1, 0, 2, 0),
            (1, 1, 0, 0),
            (i64::MAX, 1, 1, i64::MAX),
        ] {
            assert_eq!(portion(all, part, whole), wanted, "{part} of {whole} in {all}");
        }
    }

    #[test]
    fn plain_amounts_are_read_exactly() {
        for (text, code, minor) in [
            ("0", "CNY", 0),
            ("1", "CNY", 100),
            ("1.5", "CNY", 150),
            ("1.50", "CNY", 150),
            ("1.500", "CNY", 150),
            ("-2.05", "CNY", -205),
            ("100", "JPY", 100),
            ("100.0", "JPY", 100),
            ("1.234", "KWD", 1234),
            ("0.01", "EUR", 1),
            ("90000000000000.00", "EUR", MAX_MINOR),
            ("007", "EUR", 700),
        ] {
            assert_eq!(read(text, code, '.', None), Ok(minor), "{text} {code}");
        }
    }

    #[test]
    fn other_forms_are_refused_by_name() {
        use Refusal::{AmountTooLarge, MalformedAmount, TooManyDecimals};
        for (text, refusal) in [
            ("1,234.56", MalformedAmount),
            ("1.234,56", MalformedAmount),
            ("１２３", MalformedAmount),
            ("NaN", MalformedAmount),
            ("1e9", MalformedAmount),
            ("", MalformedAmount),
            (".5", MalformedAmount),
            ("5.", MalformedAmount),
            ("+5", MalformedAmount),
            ("--5", MalformedAmount),
            (" 5", MalformedAmount),
            ("1.2.3", MalformedAmount),
            ("0x10", MalformedAmount),
            ("1.001", TooManyDecimals),
            ("90000000000000.01", AmountTooLarge),
            ("99999999999999999999999", AmountTooLarge),
        ] {
            assert_eq!(read(text, "CNY", '.', None), Err(refusal), "{text}");
        }
        assert_eq!(read("100.5", "JPY", '.', None), Err(TooManyDecimals));
    }

    #[test]
    fn marks_follow_the_profile() {
        assert_eq!(read("1.234.567,89", "EUR", ',', Some('.')), Ok(123_456_789));
        assert_eq!(read("1,234.56", "EUR", '.', Some(',')), Ok(123_456));
        assert_eq!(read("1234.56", "EUR", '.', Some(',')), Ok(123_456));
        for bad in ["12,34.56", "1,2345.00", ",123.00", "1,,234.00", "1,234,56"] {
            assert_eq!(read(bad, "EUR", '.', Some(',')), Err(Refusal::MalformedAmount), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in -MAX_MINOR..=MAX_MINOR, which in 0usize..3) {
            let currency: Currency = ["JPY", "CNY", "KWD"][which].parse().unwrap();
            let text = Money::new(minor, currency).to_decimal();
            prop_assert_eq!(parse_amount(&text, currency, NumberForm::PLAIN).unwrap(), minor);
        }
    }
}
