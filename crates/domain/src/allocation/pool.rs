//! What credits have left goes to what is open: first credit first, each in its own order of debts.

use super::{Credit, Replay, early::Scope, place};
use crate::arrange::arrange;
use std::collections::BTreeMap;

/// A debt that shares with its equals: its root, what it takes in full, what settles it, and the places of its claims.
type Sharing = (usize, i64, i64, Vec<usize>);

impl Replay<'_> {
    /// While there is both free money and a claim, the first credit goes to the first claim of its order.
    pub(super) fn serve_pool(&mut self) {
        while let Some(at) = self.pool.first_key_value().map(|(_, at)| *at) {
            if !self.serve_next(at) {
                break;
            }
        }
    }

    /// Serves what stands first in the credit's order: what is not contested of all debts before what is. `false` when
    /// nothing is open.
    pub(super) fn serve_next(&mut self, at: usize) -> bool {
        let Some(order) = self.active.get(at).map(|active| self.order_of(active.credit)) else {
            return false;
        };
        let Some(rules) = self.orders.get(order) else { return false };
        let frozen = self.open.get(order).is_none_or(BTreeMap::is_empty);
        let waiting = if frozen { self.frozen.get(order) } else { self.open.get(order) };
        let Some((key, first)) = waiting.and_then(BTreeMap::first_key_value) else { return false };
        let scope = if frozen { Scope::Open } else { Scope::Calm };
        if !rules.shares() {
            let first = *first;
            if self.save_rest(at, first, scope) {
                return true;
            }
            let free = self.active.get(at).map_or(0, |active| active.free);
            let rest = self.others(&[first], scope);
            let minor = self.share_of(at, first, scope, free, rest);
            self.settle(at, first, minor, scope);
            return true;
        }
        let prefix = key.get(..rules.debt_at().unwrap_or(0)).unwrap_or_default().to_vec();
        let group: Vec<usize> = waiting
            .map(|open| {
                let same =
                    open.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
                same.map(|(_, place)| *place).collect()
            })
            .unwrap_or_default();
        let saved = group.iter().filter(|place| self.save_rest(at, **place, scope)).count();
        if saved == 0 {
            self.share(at, &group, scope);
        }
        true
    }

    /// What is open beside what is in view of these debts.
    fn others(&self, places: &[usize], scope: Scope) -> i64 {
        let these = places.iter().filter_map(|place| self.debts.get(*place));
        these.fold(self.sum_open, |sum, debt| sum.saturating_sub(debt.seen(scope)))
    }

    /// Debts that are equal share what there is in proportion to what settles them; what does not divide goes to the
    /// largest remainders, and inside a debt the order goes on.
    fn share(&mut self, at: usize, group: &[usize], scope: Scope) {
        let mut debts: Vec<Sharing> = Vec::new();
        for place in group {
            let Some(root) = self.debts.get(*place).map(|debt| debt.root) else { continue };
            let (part, least) = self.cost(at, *place, scope);
            match debts.iter_mut().find(|(of, _, _, _)| *of == root) {
                Some((_, full, net, places)) => {
                    *full = full.saturating_add(part);
                    *net = net.saturating_add(least);
                    places.push(*place);
                }
                None => debts.push((root, part, least, vec![*place])),
            }
        }
        let sum = |of: fn(&Sharing) -> i64| {
            debts.iter().fold(0i64, |sum, debt| sum.saturating_add(of(debt)))
        };
        let (full, net) = (sum(|debt| debt.1), sum(|debt| debt.2));
        let free = self.active.get(at).map_or(0, |active| active.free);
        let least = net.clamp(1.min(full), full);
        let given = free.min(free.saturating_sub(self.others(group, scope)).clamp(least, full));
        let nets = deal(given.min(net), debts.iter().map(|debt| debt.2));
        let saved = debts.iter().map(|debt| debt.1.saturating_sub(debt.2));
        let beyond = deal(given.saturating_sub(net).max(0), saved);
        for ((_, _, _, places), (net, beyond)) in debts.iter().zip(nets.iter().zip(beyond)) {
            self.settle_all(at, places, net.saturating_add(beyond), scope, 0);
        }
    }

    pub(super) fn order_of(&self, credit: &Credit) -> usize {
        if credit.order < self.orders.len() { credit.order } else { 0 }
    }

    pub(super) fn pool_rest(&mut self, at: usize) {
        if let Some(active) = self.active.get(at)
            && active.free > 0
        {
            self.pool.insert(place(active.credit), at);
        }
    }
}

/// Deals an amount out in proportion; what does not divide goes to the largest remainders, the first of equal ones.
fn deal(amount: i64, among: impl Iterator<Item = i64>) -> Vec<i64> {
    let among: Vec<i128> = among.map(i128::from).collect();
    let total: i128 = among.iter().sum();
    let mut shares: Vec<(usize, i64, i128)> = Vec::new();
    for (number, of) in among.iter().enumerate() {
        let product = i128::from(amount).saturating_mul(*of);
        let (whole, rest) =
            (product.checked_div(total).unwrap_or(0), product.checked_rem(total).unwrap_or(0));
        shares.push((number, i64::try_from(whole).unwrap_or(i64::MAX), rest));
    }
    let dealt = shares.iter().fold(0i64, |sum, (_, share, _)| sum.saturating_add(*share));
    let mut over = if total > 0 { amount.saturating_sub(dealt) } else { 0 };
    arrange(&mut shares, |one, other| other.2.cmp(&one.2));
    for (_, share, _) in &mut shares {
        if over > 0 {
            *share = share.saturating_add(1);
            over = over.saturating_sub(1);
        }
    }
    arrange(&mut shares, |one, other| one.0.cmp(&other.0));
    shares.into_iter().map(|(_, share, _)| share).collect()
}
