//! What the policy must satisfy, and what holds where it says nothing.

use crate::{
    Currency, Refusal, Refused,
    contract::ledger::{Bucket, DefaultRule, LateInterest, Policy, Threshold},
    delinquency::{check_buckets, default_buckets},
    money::MAX_MINOR,
};
use std::collections::BTreeSet;

/// The most orders of its own.
const MAX_ORDERS: usize = 50;

/// The most days of grace.
const MAX_GRACE: u32 = 365;

/// The most delinquent days a default rule waits for: ten years.
const MAX_DEFAULT_DAYS: u32 = 3_650;

/// The policy of a ledger that was given none.
pub fn unwritten() -> Policy {
    Policy {
        order: None,
        orders: None,
        late_interest: None,
        grace_days: None,
        buckets: None,
        tolerances: None,
        write_off_approval: None,
        default_rule: None,
        classification: None,
    }
}

/// The buckets in force: a partition.
pub fn buckets(policy: &Policy) -> Vec<Bucket> {
    policy.buckets.clone().unwrap_or_else(default_buckets)
}

/// The days of grace in force.
pub fn grace(policy: &Policy) -> u32 {
    policy.grace_days.unwrap_or(0)
}

/// The amount that is set for a currency, if one is.
pub fn threshold(thresholds: Option<&[Threshold]>, currency: Currency) -> Option<i64> {
    let mut all = thresholds.unwrap_or_default().iter();
    all.find(|threshold| threshold.currency == currency).map(|threshold| threshold.minor)
}

/// Whether allocations may be others under the one policy than under the other.
pub fn allocates_alike(one: &Policy, other: &Policy) -> bool {
    one.order == other.order && one.orders == other.orders && one.tolerances == other.tolerances
}

/// Checks a policy that a client wrote, naming the first field at fault.
pub fn check(policy: &Policy) -> Result<(), Refused> {
    check_orders(policy)?;
    policy.late_interest.as_ref().map_or(Ok(()), check_late_interest)?;
    if grace(policy) > MAX_GRACE {
        return Err(invalid(format!("at most {MAX_GRACE} days"), "grace_days"));
    }
    policy.buckets.as_deref().map_or(Ok(()), check_buckets)?;
    check_thresholds("tolerances", policy.tolerances.as_deref())?;
    check_thresholds("write_off_approval", policy.write_off_approval.as_deref())?;
    policy.default_rule.as_ref().map_or(Ok(()), check_default_rule)?;
    policy.classification.as_ref().map_or(Ok(()), crate::classification::check)
}

fn check_orders(policy: &Policy) -> Result<(), Refused> {
    let own = policy.orders.as_deref().unwrap_or_default();
    if own.len() > MAX_ORDERS {
        return Err(invalid(format!("at most {MAX_ORDERS} orders"), "orders"));
    }
    let mut names = BTreeSet::new();
    for (at, order) in own.iter().enumerate() {
        if !names.insert(&order.name) {
            return Err(invalid("two orders have one name", &format!("orders[{at}].name")));
        }
        crate::order::check(order).map_err(|mut refused| {
            refused.field =
                refused.field.map(|field| field.replacen("orders", &format!("orders[{at}]"), 1));
            refused
        })?;
    }
    policy.order.as_ref().map_or(Ok(()), |name| crate::order::named(name, own).map(drop))
}

/// What a clause must satisfy stands with the interest.
fn check_late_interest(clause: &LateInterest) -> Result<(), Refused> {
    crate::interest::check(clause).map_err(|refused| refused.within("late_interest"))
}

fn check_default_rule(rule: &DefaultRule) -> Result<(), Refused> {
    if !(1..=MAX_DEFAULT_DAYS).contains(&rule.days) {
        return Err(invalid(format!("1 to {MAX_DEFAULT_DAYS} days"), "default_rule.days"));
    }
    check_thresholds("default_rule.at_least", rule.at_least.as_deref())
}

fn check_thresholds(field: &str, thresholds: Option<&[Threshold]>) -> Result<(), Refused> {
    let mut currencies = BTreeSet::new();
    for (at, threshold) in thresholds.unwrap_or_default().iter().enumerate() {
        let field = |part: &str| format!("{field}[{at}].{part}");
        if !currencies.insert(threshold.currency.as_str()) {
            return Err(invalid("a currency has one amount", &field("currency")));
        }
        let refusal = match threshold.minor {
            ..0 => Some(Refusal::AmountNotPositive),
            minor if minor > MAX_MINOR => Some(Refusal::AmountTooLarge),
            _ => None,
        };
        if let Some(code) = refusal {
            return Err(Refused::new(code, code.about()).at(&field("minor")));
        }
    }
    Ok(())
}

fn invalid(detail: impl Into<String>, field: &str) -> Refused {
    Refused::new(Refusal::InvalidPolicy, detail).at(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Policy {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_policy_that_says_nothing_is_good() {
        assert_eq!(read("{}"), unwritten());
        check(&unwritten()).unwrap();
        assert_eq!((grace(&unwritten()), buckets(&unwritten())), (0, default_buckets()));
    }

    #[test]
    fn a_policy_is_refused_by_the_field_at_fault() {
        use Refusal::{
            AmountNotPositive, AmountTooLarge, InvalidPolicy, MalformedField, NotAPartition,
            UnknownOrder,
        };
        for (text, code, field) in [
            (r#"{"grace_days": 366}"#, InvalidPolicy, "grace_days"),
            (r#"{"buckets": []}"#, NotAPartition, "buckets"),
            (
                r#"{"buckets": [{"name": "a", "from": 0, "to": 5}, {"name": "b", "from": 7}]}"#,
                NotAPartition,
                "buckets[1].from",
            ),
            (
                r#"{"tolerances": [{"minor": 1, "currency": "EUR"}, {"minor": 2, "currency": "EUR"}]}"#,
                InvalidPolicy,
                "tolerances[1].currency",
            ),
            (
                r#"{"tolerances": [{"minor": -1, "currency": "EUR"}]}"#,
                AmountNotPositive,
                "tolerances[0].minor",
            ),
            (
                r#"{"write_off_approval": [{"minor": 9223372036854775807, "currency": "EUR"}]}"#,
                AmountTooLarge,
                "write_off_approval[0].minor",
            ),
            (r#"{"default_rule": {"days": 0}}"#, InvalidPolicy, "default_rule.days"),
            (r#"{"default_rule": {"days": 3651}}"#, InvalidPolicy, "default_rule.days"),
            (
                r#"{"default_rule": {"days": 9, "at_least": [{"minor": -5, "currency": "EUR"}]}}"#,
                AmountNotPositive,
                "default_rule.at_least[0].minor",
            ),
            (r#"{"classification": {}}"#, InvalidPolicy, "classification"),
            (
                r#"{"orders": [{"name": "a", "keys": ["oldest-due"]}, {"name": "a", "keys": ["newest-due"]}]}"#,
                InvalidPolicy,
                "orders[1].name",
            ),
            (
                r#"{"orders": [{"name": "a", "keys": ["oldest-due"]}, {"name": "b", "keys": []}]}"#,
                InvalidPolicy,
                "orders[1].keys",
            ),
            (r#"{"order": "a"}"#, UnknownOrder, "order"),
            (
                r#"{"late_interest": {"rate": "0.1", "grace_days": 400}}"#,
                MalformedField,
                "late_interest.grace_days",
            ),
        ] {
            let refused = check(&read(text)).unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), (code, Some(field)), "{text}");
        }
    }

    #[test]
    fn what_decides_allocations_is_told_from_what_does_not() {
        let plain = unwritten();
        for (text, alike) in [
            (r#"{"grace_days": 5}"#, true),
            (r#"{"order": "newest-due-first"}"#, false),
            (r#"{"tolerances": [{"minor": 1, "currency": "EUR"}]}"#, false),
            (r#"{"orders": [{"name": "a", "keys": ["oldest-due"]}]}"#, false),
        ] {
            assert_eq!(allocates_alike(&plain, &read(text)), alike, "{text}");
        }
    }
}
