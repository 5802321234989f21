//! What credits have left goes to what is open: first credit first, each in its own order of debts.

use super::{Credit, Replay, place};
use crate::arrange::arrange;
use std::collections::BTreeMap;

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
        if !rules.shares() {
            let first = *first;
            let most = self.debts.get(first).map_or(0, |debt| debt.part(frozen));
            self.settle(at, first, most);
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
        self.share(at, &group, frozen);
        true
    }

    /// Debts that are equal share what there is in proportion to what is open of them; what does not divide goes to the
    /// largest remainders, and inside a debt the order goes on.
    pub(super) fn share(&mut self, at: usize, group: &[usize], frozen: bool) {
        let mut debts: Vec<(usize, i64, Vec<usize>)> = Vec::new();
        for place in group {
            let Some(debt) = self.debts.get(*place) else { continue };
            let part = debt.part(frozen);
            match debts.iter_mut().find(|(root, _, _)| *root == debt.root) {
                Some((_, open, places)) => {
                    *open = open.saturating_add(part);
                    places.push(*place);
                }
                None => debts.push((debt.root, part, vec![*place])),
            }
        }
        let total: i128 = debts.iter().map(|(_, open, _)| i128::from(*open)).sum();
        let free = self.active.get(at).map_or(0, |active| active.free);
        let given = i128::from(free).min(total);
        if total <= 0 {
            return;
        }
        let mut shares: Vec<(usize, i64, i128)> = Vec::new();
        for (number, (_, open, _)) in debts.iter().enumerate() {
            let product = given.saturating_mul(i128::from(*open));
            let (whole, rest) =
                (product.checked_div(total).unwrap_or(0), product.checked_rem(total).unwrap_or(0));
            shares.push((number, i64::try_from(whole).unwrap_or(i64::MAX), rest));
        }
        let dealt: i128 = shares.iter().map(|(_, share, _)| i128::from(*share)).sum();
        let mut over = given.saturating_sub(dealt);
        arrange(&mut shares, |one, other| other.2.cmp(&one.2));
        for (_, share, _) in &mut shares {
            if over > 0 {
                *share = share.saturating_add(1);
                over = over.saturating_sub(1);
            }
        }
        arrange(&mut shares, |one, other| one.0.cmp(&other.0));
        for ((_, _, places), (_, share, _)) in debts.iter().zip(&shares) {
            let mut left = *share;
            for place in places {
                let part = self.debts.get(*place).map_or(0, |debt| debt.part(frozen));
                left = left.saturating_sub(self.settle(at, *place, left.min(part)));
            }
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
