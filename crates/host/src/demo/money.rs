//! Amounts in minor units and the CSV cells they become.

use std::fmt::Write as _;

/// The currencies of the demo company. It keeps its own small table because the generator must
/// not change when the application's currency table grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Currency {
    Cny,
    Eur,
}

impl Currency {
    pub(super) const ALL: [Self; 2] = [Self::Cny, Self::Eur];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
            Self::Eur => "EUR",
        }
    }

    pub(super) fn exponent(self) -> u32 {
        match self {
            Self::Cny | Self::Eur => 2,
        }
    }

    /// A middling invoice, in minor units.
    pub(super) fn typical_invoice(self) -> i64 {
        match self {
            Self::Cny => 4_800_000,
            Self::Eur => 620_000,
        }
    }
}

/// `amount` × `permille` / 1000, rounded towards zero and held inside the range of an amount.
pub(super) fn permille(amount: i64, permille: i64) -> i64 {
    scale(amount, permille, 1_000)
}

/// `amount` × `numerator` / `denominator`, rounded towards zero; 0 for a denominator of 0.
pub(super) fn scale(amount: i64, numerator: i64, denominator: i64) -> i64 {
    let product = i128::from(amount) * i128::from(numerator);
    let scaled = product.checked_div(i128::from(denominator)).unwrap_or(0);
    i64::try_from(scaled).unwrap_or(if scaled < 0 { i64::MIN } else { i64::MAX })
}

/// The amount rounded up to two leading digits, as a credit committee would set a limit.
pub(super) fn round_limit(minor: i64) -> i64 {
    let mut step = 1_i64;
    while minor / step >= 100 {
        step = step.saturating_mul(10);
    }
    minor.saturating_add(step - 1) / step * step
}

/// The decimal of an amount with exactly the digits of the currency: `decimal(5, 2)` is `0.05`.
pub(super) fn decimal(minor: i64, exponent: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let unit = 10_u64.saturating_pow(exponent);
    let (whole, rest) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    if exponent == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{rest:0width$}", width = exponent as usize)
}

/// A CSV document that grows line by line, ended by `\n`, quoted where RFC 4180 asks for it.
#[derive(Debug)]
pub(super) struct Csv(String);

impl Csv {
    pub(super) fn new(header: &str) -> Self {
        Self(format!("{header}\n"))
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [&dyn std::fmt::Display; N]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            let text = cell.to_string();
            if text.contains(['"', ',', '\n', '\r']) {
                // Writing to a String cannot fail.
                let _ = write!(self.0, "\"{}\"", text.replace('"', "\"\""));
            } else {
                self.0.push_str(&text);
            }
        }
        self.0.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_carry_the_digits_of_the_currency() {
        for (minor, exponent, text) in [
            (125_000, 2, "1250.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (120, 0, "120"),
            (1_234, 3, "1.234"),
            (i64::MIN, 2, "-92233720368547758.08"),
        ] {
            assert_eq!(decimal(minor, exponent), text);
        }
    }

    #[test]
    fn limits_round_up_to_two_digits() {
        for (minor, limit) in [(1, 1), (99, 99), (101, 110), (4_812_300, 4_900_000), (0, 0)] {
            assert_eq!(round_limit(minor), limit);
        }
    }

    #[test]
    fn scaling_saturates() {
        assert_eq!(scale(i64::MAX, 3, 2), i64::MAX);
        assert_eq!((scale(10, 1, 0), permille(2_000, 1_500)), (0, 3_000));
    }

    #[test]
    fn cells_are_quoted_only_where_needed() {
        let mut csv = Csv::new("a,b");
        csv.row([&"plain", &"Whimbrel Foods, \"North\""]);
        assert_eq!(csv.finish(), "a,b\nplain,\"Whimbrel Foods, \"\"North\"\"\"\n");
    }
}
