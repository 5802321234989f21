//! What is open, for each order in that order.

use super::{Debt, Due, Replay};
use crate::{contract::ledger::OrderKey, order::Order};

impl Replay<'_> {
    pub(super) fn reopen(&mut self, place: usize, minor: i64) {
        let Some(debt) = self.debts.get_mut(place) else { return };
        let before = debt.open;
        debt.open = debt.open.saturating_add(minor);
        if before == 0 && debt.open > 0 {
            for (order, rules) in self.orders.iter().enumerate() {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, place, rules), self.open.get_mut(order))
                {
                    open.insert(key, place);
                }
            }
        }
    }

    pub(super) fn close(&mut self, place: usize, minor: i64) {
        let Some(debt) = self.debts.get_mut(place) else { return };
        debt.open = debt.open.saturating_sub(minor);
        if debt.open == 0 {
            for (order, rules) in self.orders.iter().enumerate() {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, place, rules), self.open.get_mut(order))
                {
                    open.remove(&key);
                }
            }
        }
    }

    /// Where an order asks for it, a debt that becomes due or overdue moves, with all that is about it.
    pub(super) fn becomes_due(&mut self, at: usize) {
        let about = self.debts.get(at).map(|debt| debt.about.clone()).unwrap_or_default();
        let moved: Vec<usize> = about
            .into_iter()
            .chain([at])
            .filter(|place| self.debts.get(*place).is_some_and(|debt| debt.open > 0))
            .collect();
        for (order, rules) in self.orders.iter().enumerate() {
            for place in &moved {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, *place, rules), self.open.get_mut(order))
                {
                    open.remove(&key);
                }
            }
        }
        if let Some(debt) = self.debts.get_mut(at) {
            debt.due = if debt.claim.due_on < self.today { Due::Overdue } else { Due::Today };
        }
        for (order, rules) in self.orders.iter().enumerate() {
            for place in &moved {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, *place, rules), self.open.get_mut(order))
                {
                    open.insert(key, *place);
                }
            }
        }
    }
}

/// Where a claim stands in an order: smaller is served first. What stands before the place of the debt looks at the
/// debt's root, the rest at the claim.
fn key(debts: &[Debt<'_>], place: usize, order: &Order) -> Option<Vec<i64>> {
    let this = debts.get(place)?;
    let root = debts.get(this.root)?;
    let whole = order.debt_at();
    let mut key = Vec::with_capacity(order.keys.len().saturating_add(2));
    for (at, rule) in order.keys.iter().enumerate() {
        let seen = if whole.is_some_and(|whole| at < whole) { root } else { this };
        let due = i64::from(seen.claim.due_on.naive().to_epoch_days());
        key.push(match rule {
            OrderKey::DueFirst => i64::from(seen.due == Due::NotYet),
            OrderKey::DueState => match seen.due {
                Due::Overdue => 0,
                Due::Today => 1,
                Due::NotYet => 2,
            },
            OrderKey::OldestDue => due,
            OrderKey::NewestDue => due.saturating_neg(),
            OrderKey::LeastSecured => i64::from(seen.claim.secured),
            OrderKey::HeaviestBurden => seen.claim.burden.saturating_neg(),
            OrderKey::Component => order.place(this.claim.component),
            OrderKey::ByDebt | OrderKey::ProRata => root.rank,
        });
    }
    key.push(this.rank);
    Some(key)
}
