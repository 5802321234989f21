//! How long personal fields of closed customers are kept.

use crate::{Date, Refusal, Refused, contract::ledger::RetentionPolicy};

/// The name of the rule, which stands with its version in what it did.
pub const RULE: &str = "retention";

/// The most months: fifty years.
const MAX_MONTHS: u32 = 600;

/// What holds before anything was said: nothing is erased.
pub fn unwritten() -> RetentionPolicy {
    RetentionPolicy { months: None }
}

/// Whether the document can be used.
pub fn check(policy: &RetentionPolicy) -> Result<(), Refused> {
    match policy.months {
        Some(months) if !(1..=MAX_MONTHS).contains(&months) => {
            let detail = format!("1 to {MAX_MONTHS} months");
            Err(Refused::new(Refusal::InvalidPolicy, detail).at("months"))
        }
        _ => Ok(()),
    }
}

/// The last day on which anything may have been recorded of whom the months are over for on a day. `None` where there is
/// no such day.
pub fn last_day(months: u32, on: Date) -> Option<Date> {
    on.minus_months(months).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_from_a_month_to_fifty_years_or_none() {
        for (months, is_good) in
            [(None, true), (Some(0), false), (Some(1), true), (Some(600), true), (Some(601), false)]
        {
            let checked = check(&RetentionPolicy { months });
            assert_eq!(checked.is_ok(), is_good, "{months:?}");
            if let Err(refused) = checked {
                assert_eq!(
                    (refused.code, refused.field.as_deref()),
                    (Refusal::InvalidPolicy, Some("months"))
                );
            }
        }
        assert!(check(&unwritten()).is_ok());
    }

    #[test]
    fn the_months_are_over_on_the_same_day_of_a_later_month_and_never_before() {
        for (months, on, last) in [
            (6, "2024-07-30", Some("2024-01-30")),
            (6, "2024-07-31", Some("2024-01-31")),
            (6, "2025-02-28", Some("2024-08-28")),
            (6, "2025-03-01", Some("2024-09-01")),
            (12, "2025-02-28", Some("2024-02-28")),
            (600, "1940-01-01", None),
        ] {
            let last = last.map(|day| day.parse::<Date>().unwrap());
            assert_eq!(last_day(months, on.parse().unwrap()), last, "{months} months before {on}");
        }
    }
}
