//! What is open, for each order in that order.

use super::{Debt, Due, Replay};
use crate::{Date, contract::ledger::OrderKey, order::Order};
use std::cmp::Ordering;

/// Where a debt waits to be served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// Nothing of it is open.
    Not,
    /// Some of it is open and not contested.
    Open,
    /// All that is open is contested.
    Frozen,
}

impl Debt<'_> {
    fn waits(&self) -> Waits {
        match self.open {
            0 => Waits::Not,
            open if open > self.contested => Waits::Open,
            _ => Waits::Frozen,
        }
    }

    /// How much of it money that names nothing may take: all, or what is not contested.
    pub(super) fn part(&self, frozen: bool) -> i64 {
        if frozen { self.open } else { self.open.saturating_sub(self.contested).max(0) }
    }
}

impl Replay<'_> {
    pub(super) fn reopen(&mut self, place: usize, minor: i64) {
        if self.debts.get(place).is_some_and(|debt| debt.void.is_some()) {
            self.opened_void.push(place);
        }
        self.change(place, |debt| debt.open = debt.open.saturating_add(minor));
    }

    pub(super) fn close(&mut self, place: usize, minor: i64) {
        self.change(place, |debt| debt.open = debt.open.saturating_sub(minor));
    }

    /// So much more of a debt is contested, or below zero so much less.
    pub(super) fn contest(&mut self, place: usize, minor: i64) {
        self.change(place, |debt| debt.contested = debt.contested.saturating_add(minor));
    }

    fn change(&mut self, place: usize, change: impl FnOnce(&mut Debt<'_>)) {
        let Some(debt) = self.debts.get_mut(place) else { return };
        let (before, open) = (debt.waits(), debt.open);
        change(debt);
        let after = debt.waits();
        self.sum_open = self.sum_open.saturating_add(debt.open).saturating_sub(open);
        if before != after {
            self.leave(place, before);
            self.enter(place, after);
        }
    }

    fn enter(&mut self, place: usize, waits: Waits) {
        let among = match waits {
            Waits::Not => return,
            Waits::Open => &mut self.open,
            Waits::Frozen => &mut self.frozen,
        };
        for (rules, open) in self.orders.iter().zip(among) {
            if let Some(key) = key(&self.debts, place, rules) {
                open.insert(key, place);
            }
        }
    }

    fn leave(&mut self, place: usize, waits: Waits) {
        let among = match waits {
            Waits::Not => return,
            Waits::Open => &mut self.open,
            Waits::Frozen => &mut self.frozen,
        };
        for (rules, open) in self.orders.iter().zip(among) {
            if let Some(key) = key(&self.debts, place, rules) {
                open.remove(&key);
            }
        }
    }

    /// Where an order asks for it, a debt that becomes due, overdue, secured or unsecured moves, with all that is about it.
    pub(super) fn moves(&mut self, at: usize) {
        let about = self.debts.get(at).map(|debt| debt.about.clone()).unwrap_or_default();
        let waits = |place: usize| Some((place, self.debts.get(place)?.waits()));
        let moved: Vec<(usize, Waits)> = about.into_iter().chain([at]).filter_map(waits).collect();
        for (place, waits) in &moved {
            self.leave(*place, *waits);
        }
        if let Some(debt) = self.debts.get_mut(at) {
            debt.due = match debt.claim.due_on.cmp(&self.today) {
                Ordering::Less => Due::Overdue,
                Ordering::Equal => Due::Today,
                Ordering::Greater => Due::NotYet,
            };
            let stands = |(from, to): &(Date, Date)| (*from..=*to).contains(&self.today);
            debt.secured = debt.claim.secured || debt.claim.securities.iter().any(stands);
        }
        for (place, waits) in moved {
            self.enter(place, waits);
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
            OrderKey::LeastSecured => i64::from(seen.secured),
            OrderKey::HeaviestBurden => seen.claim.burden.saturating_neg(),
            OrderKey::Component => order.place(this.claim.component),
            OrderKey::ByDebt | OrderKey::ProRata => root.rank,
        });
    }
    key.push(this.rank);
    Some(key)
}
