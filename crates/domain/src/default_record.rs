//! When a default (违约) is recorded by itself, and what one that is written by hand must satisfy.
//!
//! Rule `default-rule@1`: a customer is in default in a currency when an item has as many delinquent days as the policy
//! says, and all that is overdue in that currency comes to the least amount that the policy sets for it. Contested
//! amounts are left out of both, and so are items that had as many days when somebody withdrew a default over them: what
//! was taken back is not recorded anew. The default is cured when this holds no more, not even of what is open and what was given
//! up together: giving up a debt clears nothing.

use crate::{
    Currency, Date, Refusal, Refused, attachment,
    contract::ledger::{DefaultClosing, DefaultRule, DefaultState, NewDefault},
    delinquency::{Pause, delinquent_days, first_day_with},
    money::MAX_MINOR,
    policy::threshold,
    text,
};

/// Name and version of the rule.
pub const RULE: &str = "default-rule@1";

/// Something overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The store's key of the document or instalment.
    pub key: i64,
    /// The last day on which payment was in time.
    pub due_on: Date,
    /// What is open and not contested.
    pub open_minor: i64,
    /// The pauses that hold for it.
    pub pauses: Vec<Pause>,
    /// The day on which somebody withdrew a default over it, when it was not paid since.
    pub taken_back: Option<Date>,
}

/// Why a customer is in default in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The item with the most delinquent days.
    pub item: i64,
    /// Its delinquent days.
    pub days: u32,
    /// The first day on which any item had as many as the rule asks for.
    pub since: Date,
    /// All that is overdue and not contested.
    pub overdue_minor: i64,
}

/// Whether the rule holds for what one customer owes in one currency on the day.
pub fn breach(
    rule: &DefaultRule,
    grace: u32,
    currency: Currency,
    items: &[Item],
    day: Date,
) -> Option<Breach> {
    let first = |item: &Item| first_day_with(rule.days, item.due_on, grace, &item.pauses, day);
    let taken_back = |item: &Item| {
        item.taken_back.is_some_and(|on| first(item).is_some_and(|reached| reached <= on))
    };
    let overdue = items.iter().filter(|item| item.open_minor > 0 && item.due_on < day);
    let overdue: Vec<&Item> = overdue.filter(|item| !taken_back(item)).collect();
    let overdue_minor = overdue.iter().fold(0i64, |sum, item| sum.saturating_add(item.open_minor));
    if overdue_minor < threshold(rule.at_least.as_deref(), currency).unwrap_or(0) {
        return None;
    }
    let days = |item: &Item| delinquent_days(item.due_on, day, grace, &item.pauses);
    // The oldest of equals, then the first recorded.
    let worst = overdue.iter().max_by_key(|item| {
        (days(item), std::cmp::Reverse(item.due_on), std::cmp::Reverse(item.key))
    })?;
    let since = overdue.iter().filter_map(|item| first(item)).min()?;
    Some(Breach { item: worst.key, days: days(worst), since, overdue_minor })
}

/// Checks a default that a client wrote, naming the first field at fault.
pub fn check(new: &NewDefault) -> Result<(), Refused> {
    text::check(&new.reason, 1, 2_000, "reason")?;
    attachment::check("evidence", new.evidence.as_deref())?;
    let refusal = match new.amount.map(|amount| amount.minor) {
        Some(..=0) => Some(Refusal::AmountNotPositive),
        Some(minor) if minor > MAX_MINOR => Some(Refusal::AmountTooLarge),
        _ => None,
    };
    refusal.map_or(Ok(()), |code| Err(Refused::new(code, code.about()).at("amount")))
}

/// Checks how a default is closed, naming the first field at fault.
pub fn check_closing(closing: &DefaultClosing) -> Result<(), Refused> {
    let refused =
        |detail: &str, field: &str| Err(Refused::new(Refusal::MalformedField, detail).at(field));
    text::check_optional(closing.reason.as_deref(), 500, "reason")?;
    match closing.state {
        DefaultState::Open => refused("a default is closed as cured or withdrawn", "state"),
        DefaultState::Withdrawn if closing.payment_id.is_some() => {
            refused("a payment cures; it does not withdraw", "payment_id")
        }
        DefaultState::Cured | DefaultState::Withdrawn => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ledger::Threshold;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn item(key: i64, due: &str, open_minor: i64) -> Item {
        Item { key, due_on: date(due), open_minor, pauses: Vec::new(), taken_back: None }
    }

    fn on(items: &[Item], at_least: Option<i64>, day: &str) -> Option<(i64, u32, String, i64)> {
        let currency: Currency = "EUR".parse().unwrap();
        let at_least = at_least.map(|minor| vec![Threshold { minor, currency }]);
        let rule = DefaultRule { days: 30, at_least, cross_default: None };
        breach(&rule, 3, currency, items, date(day)).map(|breach| {
            (breach.item, breach.days, breach.since.to_string(), breach.overdue_minor)
        })
    }

    #[test]
    fn the_day_before_is_no_default_and_the_day_is() {
        let items = [item(1, "2024-01-01", 70), item(2, "2024-01-20", 30)];
        assert_eq!(on(&items, None, "2024-02-02"), None);
        assert_eq!(on(&items, None, "2024-02-03"), Some((1, 30, "2024-02-03".into(), 100)));
        assert_eq!(on(&items, None, "2024-02-10"), Some((1, 37, "2024-02-03".into(), 100)));
    }

    #[test]
    fn all_that_is_overdue_counts_for_the_amount() {
        let items =
            [item(1, "2024-01-01", 70), item(2, "2024-02-09", 30), item(3, "2024-02-10", 500)];
        assert!(on(&items, Some(100), "2024-02-10").is_some());
        assert_eq!(on(&items, Some(101), "2024-02-10"), None, "due on the day is not overdue");
        assert!(on(&items, Some(101), "2024-02-11").is_some());
    }

    #[test]
    fn what_is_paused_or_contested_is_no_default() {
        let pause = Pause { from: date("2024-01-10"), to: Some(date("2024-01-15")) };
        let paused = [Item { pauses: vec![pause], ..item(1, "2024-01-01", 70) }];
        assert_eq!(on(&paused, None, "2024-02-07"), None);
        assert_eq!(on(&paused, None, "2024-02-08"), Some((1, 30, "2024-02-08".into(), 70)));
        assert_eq!(on(&[item(1, "2024-01-01", 0)], None, "2024-12-31"), None);
        assert_eq!(on(&[], None, "2024-12-31"), None);
    }

    #[test]
    fn what_was_late_enough_when_it_was_taken_back_is_left_out() {
        let taken = |on: &str, of: Item| Item { taken_back: Some(date(on)), ..of };
        let first = || item(1, "2024-01-01", 70);
        assert!(
            on(&[taken("2024-02-02", first())], None, "2024-02-10").is_some(),
            "the day before"
        );
        assert_eq!(on(&[taken("2024-02-03", first())], None, "2024-02-10"), None);
        let items = [taken("2024-02-04", first()), item(2, "2024-01-20", 30)];
        assert_eq!(on(&items, None, "2024-02-21"), None);
        assert_eq!(on(&items, None, "2024-02-22"), Some((2, 30, "2024-02-22".into(), 30)));
        assert_eq!(on(&items, Some(31), "2024-02-22"), None, "nor does it count for the amount");
    }

    #[test]
    fn a_closing_says_how() {
        let closing = |state, payment: Option<&str>| DefaultClosing {
            state,
            on: None,
            payment_id: payment.map(|id| id.parse().unwrap()),
            reason: None,
        };
        let field = |closing: DefaultClosing| check_closing(&closing).unwrap_err().field;
        assert_eq!(field(closing(DefaultState::Open, None)).as_deref(), Some("state"));
        let withdrawn = closing(DefaultState::Withdrawn, Some("P"));
        assert_eq!(field(withdrawn).as_deref(), Some("payment_id"));
        assert_eq!(check_closing(&closing(DefaultState::Cured, Some("P"))), Ok(()));
    }
}
