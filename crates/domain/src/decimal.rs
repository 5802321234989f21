//! Shares, rates and points as decimals.

use crate::Decimal;
use rust_decimal::RoundingStrategy;

/// `part / whole` at four decimals, half away from zero; `None` when the whole is zero.
pub fn share(part: i64, whole: i64) -> Option<Decimal> {
    ratio(Decimal::from(part), Decimal::from(whole), 4)
}

/// `part / whole` rounded half away from zero; `None` when the whole is zero or the quotient cannot be held.
pub fn ratio(part: Decimal, whole: Decimal, decimals: u32) -> Option<Decimal> {
    if whole.is_zero() {
        return None;
    }
    part.checked_div(whole).map(|quotient| round(quotient, decimals).normalize())
}

/// Products of decimals.
pub trait Times: Sized {
    /// The product; `None` when it cannot be held.
    fn times(self, other: Self) -> Option<Self>;
}

impl Times for Decimal {
    // The product is two kilobytes of code, which would otherwise stand wherever it is asked for.
    #[inline(never)]
    fn times(self, other: Self) -> Option<Self> {
        self.checked_mul(other)
    }
}

/// Rounds half away from zero, the way people do.
pub fn round(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// Rounds half away from zero and keeps exactly so many decimals when written: `80.0`, not `80`.
pub fn fixed(value: Decimal, decimals: u32) -> Decimal {
    let mut rounded = round(value, decimals);
    rounded.rescale(decimals);
    rounded
}

/// How a decimal stands in JSON, for the JSON Schema alone.
#[cfg(feature = "schema")]
pub struct Written;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Written {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
            "description": "A decimal number as a string, such as `0.0435`."})
    }
}
