//! From sums over the ledger to the facts of a customer's behaviour.
//!
//! The sums come by currency. Each becomes a ratio within its own currency, and the ratios meet weighted by how many
//! invoices stand behind them: amounts of two currencies are never added. Sums and ratios are floats, for they weigh
//! a score and hold no money; a ratio is rounded to four decimals before anything is decided by it.

use crate::{
    Currency, Date, Decimal, Id, Money, card,
    contract::{score::Facts, types::Balance},
    decimal,
};
use rust_decimal::prelude::FromPrimitive;

/// The sums over one customer's documents in one currency. A pair is a sum of amounts, and the same weighted by days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Behaviour {
    pub currency: Currency,
    /// Items that fell due in twelve months and were paid, in part or whole, or are overdue.
    pub invoices: u32,
    pub all: (f64, f64),
    /// Of what fell due in the last three months.
    pub recent: (f64, f64),
    /// Of what fell due in the nine months before those.
    pub before: (f64, f64),
    /// The part of `all` that was late or is overdue.
    pub late: f64,
    pub worst_days_late: u32,
}

/// The facts of one customer on a day.
pub fn combine(
    id: &Id,
    day: Date,
    behaviours: &[Behaviour],
    balances: &[Balance],
    limit: Option<Money>,
) -> Facts {
    let worst = behaviours.iter().map(|of| of.worst_days_late).max();
    Facts {
        customer_id: id.clone(),
        as_of: day,
        invoices: behaviours.iter().fold(0u32, |sum, of| sum.saturating_add(of.invoices)),
        days_beyond_terms: mean(behaviours, |of| ratio(of.all.1, of.all.0)),
        days_beyond_terms_recent: mean(behaviours, |of| ratio(of.recent.1, of.recent.0)),
        days_beyond_terms_before: mean(behaviours, |of| ratio(of.before.1, of.before.0)),
        share_late: mean(behaviours, |of| ratio(of.late, of.all.0)),
        worst_days_late: worst,
        overdue_share: overdue_share(balances),
        utilisation: limit.map(|limit| utilisation(balances, limit)),
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The mean of what each currency says, weighted by its invoices, to four decimals.
fn mean(behaviours: &[Behaviour], of: impl Fn(&Behaviour) -> Option<f64>) -> Option<Decimal> {
    let known = || {
        behaviours.iter().filter_map(|one| of(one).map(|value| (value, f64::from(one.invoices))))
    };
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

    fn behaviour(code: &str, invoices: u32, all: (f64, f64), late: f64, worst: u32) -> Behaviour {
        let currency = code.parse().unwrap();
        Behaviour {
            currency,
            invoices,
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
    fn currencies_meet_as_ratios_weighted_by_invoices() {
        let facts = facts(
            &[
                behaviour("CNY", 3, (100.0, 1000.0), 50.0, 40),
                behaviour("JPY", 1, (1e6, -2e6), 0.0, 0),
            ],
            &[],
            None,
        );
        assert_eq!(
            facts.days_beyond_terms,
            Some(Decimal::from(7)),
            "3 × 10 days and 1 × −2 days over 4"
        );
        assert_eq!(facts.share_late, Some(Decimal::new(375, 3)));
        assert_eq!((facts.invoices, facts.worst_days_late), (4, Some(40)));
        assert_eq!(
            facts.days_beyond_terms_before, None,
            "nothing fell due then: unknown, not zero"
        );
    }

    #[test]
    fn nothing_known_is_absent_and_never_zero() {
        let facts = facts(&[], &[], None);
        assert_eq!(facts.invoices, 0);
        assert!(
            facts.days_beyond_terms.is_none()
                && facts.share_late.is_none()
                && facts.worst_days_late.is_none()
        );
        assert!(facts.overdue_share.is_none() && facts.utilisation.is_none());
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
        assert_eq!(facts.utilisation, Some(Decimal::new(8, 1)));
        assert_eq!(facts.overdue_share, Some(Decimal::new(625, 3)), "a quarter and all, averaged");
    }
}
