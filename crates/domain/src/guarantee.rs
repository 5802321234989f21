//! What secures a debt, and how much of it is secured.
//!
//! A guarantee bears its share of the debt that it secures, rounded down to the smallest unit, and at most its amount.
//! All guarantees of one debt together bear at most the debt. What is bound to a contract secures only what is
//! outstanding under that contract.
//!
//! After its last day a guarantee secures nothing new, but until the last day to claim what fell due while it was in
//! force.

use crate::decimal::Times as _;
use crate::{
    Decimal, Refusal, Refused,
    contract::ledger::NewGuarantee,
    contract_terms::check_share,
    money::MAX_MINOR,
    profile::value::{MAX_NAME, words},
};
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeMap;

/// A guarantee in force, in the currency of the debt that it secures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cover {
    /// The contract whose debt alone it secures.
    pub contract: Option<i64>,
    /// The most it bears.
    pub amount_minor: i64,
    /// The share of the debt that it bears.
    pub share: Decimal,
}

impl Cover {
    /// How much of a debt it bears.
    pub fn bears(&self, debt_minor: i64) -> i64 {
        let share = self.share.times(Decimal::from(debt_minor)).map(|part| part.floor());
        share.and_then(|part| part.to_i64()).unwrap_or(debt_minor).min(self.amount_minor)
    }
}

/// Checks a guarantee that a client wrote, naming the first field at fault.
pub fn check(new: &NewGuarantee) -> Result<(), Refused> {
    words(&new.party, MAX_NAME).map_err(|refused| refused.at("party"))?;
    let refusal = match new.amount.minor {
        ..=0 => Some(Refusal::AmountNotPositive),
        minor if minor > MAX_MINOR => Some(Refusal::AmountTooLarge),
        _ => None,
    };
    if let Some(code) = refusal {
        return Err(Refused::new(code, code.about()).at("amount"));
    }
    if let Some(share) = new.share {
        check_share("share", share)?;
    }
    let before = "a guarantee does not end before it is in force";
    for (field, day) in [("valid_to", new.valid_to), ("claim_by", new.claim_by)] {
        if day.is_some_and(|day| day < new.valid_from) {
            return Err(Refused::new(Refusal::MalformedField, before).at(field));
        }
    }
    Ok(())
}

/// How much of what one customer owes in one currency is secured. `under` is what of it is outstanding under each
/// contract.
pub fn secured(covers: &[Cover], outstanding_minor: i64, under: &BTreeMap<i64, i64>) -> i64 {
    let mut borne: BTreeMap<Option<i64>, i64> = BTreeMap::new();
    let debt = |contract: Option<i64>| match contract {
        Some(contract) => under.get(&contract).copied().unwrap_or(0),
        None => outstanding_minor,
    };
    for cover in covers {
        let debt = debt(cover.contract);
        let bears = cover.bears(debt);
        let sum = borne.entry(cover.contract).or_default();
        *sum = sum.saturating_add(bears).min(debt);
    }
    borne.into_values().fold(0i64, i64::saturating_add).min(outstanding_minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cover(contract: Option<i64>, amount_minor: i64, share: &str) -> Cover {
        Cover { contract, amount_minor, share: share.parse().unwrap() }
    }

    #[test]
    fn guarantees_bear_their_share_up_to_their_amount_and_together_the_debt() {
        let all = |amount, share| cover(None, amount, share);
        let of = |contract, amount, share| cover(Some(contract), amount, share);
        for (covers, outstanding, wanted) in [
            (vec![], 1000, 0),
            (vec![all(5000, "1")], 1000, 1000),
            (vec![all(300, "1")], 1000, 300),
            (vec![all(5000, "0.9")], 1000, 900),
            (vec![all(5000, "0.333")], 1000, 333),
            (vec![all(5000, "0.3335")], 1000, 333),
            (vec![all(700, "1"), all(700, "0.5")], 1000, 1000),
            (vec![all(300, "1"), all(5000, "0.5")], 1000, 800),
            // 400 of the 1000 are under contract 7, nothing under contract 8.
            (vec![of(7, 5000, "1")], 1000, 400),
            (vec![of(7, 5000, "0.5")], 1000, 200),
            (vec![of(7, 300, "1"), of(7, 300, "1")], 1000, 400),
            (vec![of(8, 5000, "1")], 1000, 0),
            (vec![of(7, 5000, "1"), all(5000, "0.5")], 1000, 900),
            (vec![of(7, 5000, "1"), all(5000, "1")], 1000, 1000),
            (vec![all(5000, "1")], 0, 0),
        ] {
            let under = BTreeMap::from([(7, outstanding.min(400))]);
            assert_eq!(secured(&covers, outstanding, &under), wanted, "{covers:?}");
        }
    }

    proptest! {
        #[test]
        fn never_more_is_secured_than_is_owed_and_one_more_guarantee_never_secures_less(
            rows in prop::collection::vec((prop::option::of(0i64..3), 1i64..5_000, 1i64..=100), 1..8),
            parts in prop::collection::vec(0i64..2_000, 3),
            rest in 0i64..2_000,
        ) {
            let covers: Vec<Cover> = rows
                .into_iter()
                .map(|(contract, amount_minor, percent)| Cover {
                    contract,
                    amount_minor,
                    share: Decimal::new(percent, 2),
                })
                .collect();
            let under: BTreeMap<i64, i64> = (0i64..).zip(parts.iter().copied()).collect();
            let outstanding = parts.iter().sum::<i64>() + rest;
            let mut before = 0;
            for count in 1..=covers.len() {
                let now = secured(&covers[..count], outstanding, &under);
                prop_assert!((before..=outstanding).contains(&now));
                before = now;
            }
        }
    }

    #[test]
    fn a_guarantee_is_checked_field_by_field() {
        for (more, wanted) in [
            (r#""share": "0.9", "valid_to": "2024-01-01", "claim_by": "2024-06-30""#, ""),
            (r#""share": "0""#, "share malformed-field"),
            (r#""share": "1.01""#, "share malformed-field"),
            (r#""valid_to": "2023-12-31""#, "valid_to malformed-field"),
            (r#""claim_by": "2023-12-31""#, "claim_by malformed-field"),
        ] {
            let text = format!(
                r#"{{"customer_id": "C", "kind": "insurance", "party": "Insurer",
                    "amount": {{"minor": 1, "currency": "EUR"}}, "valid_from": "2024-01-01", {more}}}"#
            );
            let new: NewGuarantee = serde_json::from_str(&text).unwrap();
            let found = match check(&new) {
                Ok(()) => String::new(),
                Err(refused) => format!("{} {}", refused.field.unwrap(), refused.code),
            };
            assert_eq!(found, wanted, "{more}");
            let mut nothing = new.clone();
            nothing.amount.minor = 0;
            assert_eq!(check(&nothing).unwrap_err().code, Refusal::AmountNotPositive);
            assert_eq!(
                check(&NewGuarantee { party: " ".into(), ..new }).unwrap_err().code,
                Refusal::MissingField
            );
        }
    }
}
