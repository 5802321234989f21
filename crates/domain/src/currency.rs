//! Currencies of ISO 4217 and their minor units.

use crate::{Refusal, Refused, spelling};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A currency in which something can be owed. Not a fund code, a metal or a test code.
///
/// ```
/// use dunlin_domain::Currency;
/// assert_eq!("JPY".parse::<Currency>().unwrap().exponent(), 0);
/// assert!("XXX".parse::<Currency>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// ISO 4217 codes of money in use whose minor unit is not the hundredth: code and number of decimals.
/// Source: ISO 4217 list one.
const OTHER_EXPONENTS: [(&[u8; 3], u32); 24] = [
    (b"BHD", 3),
    (b"BIF", 0),
    (b"CLP", 0),
    (b"DJF", 0),
    (b"GNF", 0),
    (b"IQD", 3),
    (b"ISK", 0),
    (b"JOD", 3),
    (b"JPY", 0),
    (b"KMF", 0),
    (b"KRW", 0),
    (b"KWD", 3),
    (b"LYD", 3),
    (b"OMR", 3),
    (b"PYG", 0),
    (b"RWF", 0),
    (b"TND", 3),
    (b"UGX", 0),
    (b"UYI", 0),
    (b"VND", 0),
    (b"VUV", 0),
    (b"XAF", 0),
    (b"XOF", 0),
    (b"XPF", 0),
];

/// ISO 4217 codes of money in use whose minor unit is the hundredth (MGA and MRU, with fifths, are written so too).
const HUNDREDTHS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD \
CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF \
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR \
MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

impl Currency {
    /// The number of decimals: CNY 2, JPY 0, KWD 3.
    pub fn exponent(self) -> u32 {
        OTHER_EXPONENTS
            .iter()
            .find(|(code, _)| **code == self.0)
            .map_or(2, |(_, exponent)| *exponent)
    }

    /// The currencies whose minor unit is not the hundredth.
    pub fn of_other_units() -> impl Iterator<Item = Self> {
        OTHER_EXPONENTS.iter().map(|(code, _)| Self(**code))
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl FromStr for Currency {
    type Err = Refused;
    fn from_str(text: &str) -> Result<Self, Refused> {
        let refused = || {
            let shown: String = text.chars().take(8).collect();
            Refused::new(
                Refusal::UnknownCurrency,
                format!("`{shown}` is no ISO 4217 code of money in use"),
            )
        };
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| refused())?;
        // Most are of the long list, which is in the order of the alphabet.
        let (codes, last) = HUNDREDTHS.as_bytes().as_chunks::<4>();
        let number = |[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]);
        let found = codes.binary_search_by_key(&number(code), |[a, b, c, _]| number([*a, *b, *c]));
        let other = || OTHER_EXPONENTS.iter().any(|(known, _)| **known == code);
        let known = found.is_ok() || code == *last || other();
        known.then_some(Self(code)).ok_or_else(refused)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        spelling::parsed(deserializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CurrencyCode".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in
            [("CNY", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("TND", 3), ("CLP", 0), ("ZWG", 2)]
        {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn every_code_of_the_lists_is_read() {
        let codes: Vec<&str> = HUNDREDTHS.split(' ').collect();
        assert!(codes.is_sorted());
        let other = OTHER_EXPONENTS.iter().map(|(code, _)| std::str::from_utf8(*code).unwrap());
        for code in codes.into_iter().chain(other) {
            assert_eq!(code.parse::<Currency>().unwrap().as_str(), code);
        }
    }

    #[test]
    fn what_cannot_be_owed_is_refused() {
        for bad in ["XXX", "XTS", "XAU", "cny", "CN", "CNYY", "", "€", "AED ", "ED ", "RMB"] {
            assert_eq!(
                bad.parse::<Currency>().unwrap_err().code,
                Refusal::UnknownCurrency,
                "{bad:?}"
            );
        }
    }
}
