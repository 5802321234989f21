//! Dated exchange rates of one judgement.

use crate::{Currency, Decimal, Refusal, Refused};
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Units of one currency for one unit of another, by `EUR-USD`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates(BTreeMap<String, Decimal>);

impl Rates {
    /// Adds a rate.
    pub fn put(&mut self, from: Currency, to: Currency, rate: Decimal) {
        self.0.insert(format!("{from}-{to}"), rate);
    }

    /// What an amount is in another currency, rounded up: what is owed is never made less by a rate.
    pub fn up(&self, minor: i64, from: Currency, to: Currency) -> Result<i64, Refused> {
        self.convert(minor, from, to, Decimal::ceil)
    }

    /// The same rounded down: a bound is never made larger by a rate.
    pub fn down(&self, minor: i64, from: Currency, to: Currency) -> Result<i64, Refused> {
        self.convert(minor, from, to, Decimal::floor)
    }

    fn convert(
        &self,
        minor: i64,
        from: Currency,
        to: Currency,
        whole: fn(&Decimal) -> Decimal,
    ) -> Result<i64, Refused> {
        if from == to || minor == 0 {
            return Ok(minor);
        }
        let rate = self.0.get(&format!("{from}-{to}")).copied();
        let rate = rate.ok_or_else(|| {
            let pair = format!("fx-{from}-{to}").to_lowercase();
            Refused::new(Refusal::RateMissing, format!("no table {pair} has a rate for the day"))
        })?;
        let value = Decimal::from_i128_with_scale(i128::from(minor), from.exponent());
        let units = 10i64.checked_pow(to.exponent()).map(Decimal::from);
        let exact = value.checked_mul(rate).zip(units);
        let exact = exact.and_then(|(value, units)| value.checked_mul(units));
        exact
            .and_then(|exact| whole(&exact).to_i64())
            .ok_or_else(|| Refused::new(Refusal::AmountTooLarge, Refusal::AmountTooLarge.about()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_never_compared_in_another_currency_without_a_rate() {
        let currency = |code: &str| code.parse::<Currency>().unwrap();
        let (eur, jpy, kwd) = (currency("EUR"), currency("JPY"), currency("KWD"));
        let mut rates = Rates::default();
        assert_eq!(rates.up(100, eur, jpy).unwrap_err().code, Refusal::RateMissing);
        assert_eq!((rates.up(100, eur, eur), rates.up(0, eur, jpy)), (Ok(100), Ok(0)));
        rates.put(eur, jpy, "160.55".parse().unwrap());
        rates.put(eur, kwd, "0.3333".parse().unwrap());
        // 1.01 euro are 162.1555 yen and 0.336633 dinars of a thousand fils.
        assert_eq!((rates.up(101, eur, jpy), rates.down(101, eur, jpy)), (Ok(163), Ok(162)));
        assert_eq!((rates.up(101, eur, kwd), rates.down(101, eur, kwd)), (Ok(337), Ok(336)));
        // Below zero, up is towards zero: a credit is not made larger.
        assert_eq!(rates.up(-101, eur, jpy), Ok(-162));
    }
}
