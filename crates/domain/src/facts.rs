//! From sums over the ledger to the facts of a customer's behaviour.
//!
//! The sums come by currency. Each becomes a ratio within its own currency, and the ratios meet weighted by how many
//! items stand behind them: amounts of two currencies are never added. Sums and ratios are floats, for they weigh
//! a score and hold no money; a ratio is rounded to four decimals before anything is decided by it.

use crate::{
    Currency, Date, Decimal, Id, Money, card,
    contract::{
        score::{Fact, FactName, Facts},
        types::Balance,
    },
    decimal,
};
use rust_decimal::prelude::FromPrimitive;

/// The sums over one customer's documents in one currency. A pair is a sum of amounts, and the same weighted by days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Behaviour {
    pub currency: Currency,
    /// Items that fell due in twelve months and were paid, in part or whole, or are overdue.
    pub items: u32,
    pub all: (f64, f64),
    /// Of what fell due in the last three months.
    pub recent: (f64, f64),
    /// Of what fell due in the nine months before those.
    pub before: (f64, f64),
    /// The part of `all` that was late or is overdue.
    pub late: f64,
    pub worst_days_late: u32,
}

impl Facts {
    /// Nothing known.
    pub fn none(customer: &Id, day: Date) -> Self {
        Self { customer_id: customer.clone(), as_of: day, values: Vec::new() }
    }

    /// The fact of this name. `None` when it is not known.
    pub fn get(&self, name: FactName) -> Option<Decimal> {
        let at = self.values.binary_search_by_key(&name, |fact| fact.name).ok()?;
        self.values.get(at).map(|fact| fact.value)
    }

    /// Puts a fact in its place, or takes it away where it is not known.
    pub fn set(&mut self, name: FactName, value: Option<Decimal>) {
        let place = self.values.partition_point(|fact| fact.name < name);
        self.values.retain(|fact| fact.name != name);
        if let Some(value) = value {
            self.values.insert(place, Fact { name, value: value.normalize() });
        }
    }
}

/// The facts of one customer on a day.
pub fn combine(
    id: &Id,
    day: Date,
    behaviours: &[Behaviour],
    balances: &[Balance],
    limit: Option<Money>,
) -> Facts {
    let items = behaviours.iter().fold(0u32, |sum, of| sum.saturating_add(of.items));
    let worst = behaviours.iter().map(|of| of.worst_days_late).max();
    let mut facts = Facts::none(id, day);
    let known = [
        (FactName::Items12m, Some(Decimal::from(items))),
        (FactName::DaysBeyondTerms3m, mean(behaviours, |of| ratio(of.recent.1, of.recent.0))),
        (FactName::DaysBeyondTerms12m, mean(behaviours, |of| ratio(of.all.1, of.all.0))),
        (FactName::DaysBeyondTerms9mBefore, mean(behaviours, |of| ratio(of.before.1, of.before.0))),
        (FactName::ShareLate0Amount, mean(behaviours, |of| ratio(of.late, of.all.0))),
        (FactName::WorstDaysLate12m, worst.map(Decimal::from)),
        (FactName::OverdueShare, overdue_share(balances)),
        (FactName::Utilisation, limit.map(|limit| utilisation(balances, limit))),
    ];
    for (name, value) in known {
        facts.set(name, value);
    }
    facts
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The mean of what each currency says, weighted by its items, to four decimals.
fn mean(behaviours: &[Behaviour], of: impl Fn(&Behaviour) -> Option<f64>) -> Option<Decimal> {
    let known =
        || behaviours.iter().filter_map(|one| of(one).map(|value| (value, f64::from(one.items))));
    let weight: f64 = known().map(|(_, weight)| weight).sum();
    let sum: f64 = known().map(|(value, weight)| value * weight).sum();
    Decimal::from_f64(ratio(sum, weight)?).map(|mean| decimal::round(mean, 4))
}

/// The overdue share of each currency, averaged over the currencies in which anything is outstanding.
fn overdue_share(balances: &[Balance]) -> Option<Decimal> {
    let shares: Vec<Decimal> = balances
        .iter()
        .filter_map(|of| decimal::share(of.overdue_minor, of.outstanding_minor))
        .collect();
    let sum: Decimal = shares.iter().copied().fold(Decimal::ZERO, Decimal::saturating_add);
    decimal::ratio(sum, Decimal::from(shares.len()), 4)
}

fn utilisation(balances: &[Balance], limit: Money) -> Decimal {
    let owed = balances
        .iter()
        .find(|of| of.currency == limit.currency)
        .map_or(0, |of| of.outstanding_minor);
    card::utilisation(owed, limit.minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(code: &str, items: u32, all: (f64, f64), late: f64, worst: u32) -> Behaviour {
        let currency = code.parse().unwrap();
        Behaviour {
            currency,
            items,
            all,
            recent: all,
            before: (0.0, 0.0),
            late,
            worst_days_late: worst,
        }
    }

    fn facts(behaviours: &[Behaviour], balances: &[Balance], limit: Option<Money>) -> Facts {
        combine(&"C".parse().unwrap(), "2024-06-30".parse().unwrap(), behaviours, balances, limit)
    }

    #[test]
    fn currencies_meet_as_ratios_weighted_by_items() {
        let facts = facts(
            &[
                behaviour("CNY", 3, (100.0, 1000.0), 50.0, 40),
                behaviour("JPY", 1, (1e6, -2e6), 0.0, 0),
            ],
            &[],
            None,
        );
        assert_eq!(
            facts.get(FactName::DaysBeyondTerms12m),
            Some(Decimal::from(7)),
            "3 × 10 days and 1 × −2 days over 4"
        );
        assert_eq!(facts.get(FactName::ShareLate0Amount), Some(Decimal::new(375, 3)));
        assert_eq!(facts.get(FactName::Items12m), Some(4.into()));
        assert_eq!(facts.get(FactName::WorstDaysLate12m), Some(40.into()));
        assert_eq!(
            facts.get(FactName::DaysBeyondTerms9mBefore),
            None,
            "nothing fell due then: unknown, not zero"
        );
    }

    #[test]
    fn nothing_known_is_absent_and_never_zero() {
        let facts = facts(&[], &[], None);
        assert_eq!(facts.values, [Fact { name: FactName::Items12m, value: Decimal::ZERO }]);
    }

    #[test]
    fn a_limit_is_used_by_what_is_owed_in_its_own_currency() {
        let cny: Currency = "CNY".parse().unwrap();
        let eur: Currency = "EUR".parse().unwrap();
        let balance = |currency, outstanding_minor, overdue_minor| Balance {
            currency,
            outstanding_minor,
            overdue_minor,
            unapplied_minor: 0,
        };
        let facts = facts(
            &[],
            &[balance(cny, 80, 20), balance(eur, 1_000, 1_000)],
            Some(Money::new(100, cny)),
        );
        assert_eq!(facts.get(FactName::Utilisation), Some(Decimal::new(8, 1)));
        let share = facts.get(FactName::OverdueShare);
        assert_eq!(share, Some(Decimal::new(625, 3)), "a quarter and all, averaged");
    }
}
