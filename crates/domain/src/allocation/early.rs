//! Early payment: what it saves, and how money is dealt out where it saves something.
//!
//! What is paid of a claim in time, and what the payer held back beside it, earns the claim's discount in proportion:
//! what all of it has earned so far, rounded once, less what it was given before. So many small payments earn what
//! their sum does. Where a payment covers what claims come to without their discounts, these are settled; what it
//! brings beyond that pays them in full, the last ones first, and then nothing is saved of them. Where an upheld dispute or
//! a credit note says later that some of a claim was never owed, no more is saved of it than of what remains.

use super::{Active, Credit, Debt, Replay, Source, Used};
use crate::{contract::types::Difference, money::portion};

/// What of a claim is in view.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All that is open.
    Open,
    /// What is open and not contested.
    Calm,
}

impl Debt<'_> {
    pub(super) fn seen(&self, scope: Scope) -> i64 {
        self.part(scope == Scope::Open)
    }

    fn is_early(&self, credit: &Credit) -> bool {
        matches!(credit.source, Source::Payment(_))
            && self.claim.discount.is_some_and(|of| of.minor > 0 && credit.on <= of.until)
    }

    /// The discount that so much paid in time earns: the net earns all of it.
    fn earned(&self, paid: i64) -> i64 {
        let all = self.claim.discount.map_or(0, |of| of.minor);
        portion(all, paid, self.claim.amount_minor.saturating_sub(all)).min(self.saves())
    }

    /// The discount of what is owed of it.
    fn saves(&self) -> i64 {
        let all = self.claim.discount.map_or(0, |of| of.minor);
        portion(all, self.owed(), self.claim.amount_minor)
    }

    /// What stands of its write-offs.
    pub(super) fn given_up(&self) -> i64 {
        self.written_off.iter().fold(0i64, |sum, of| sum.saturating_add(of.1))
    }

    /// What it claims less what was never owed of it.
    pub(super) fn owed(&self) -> i64 {
        self.claim.amount_minor.saturating_sub(self.reduced).max(0)
    }

    /// What is left to save of what is in view.
    fn to_save(&self, seen: i64) -> i64 {
        let all = self.claim.discount.map_or(0, |of| of.minor);
        let base = seen.saturating_add(self.early).saturating_add(self.saved);
        let most = portion(all, base, self.claim.amount_minor).min(self.saves());
        most.saturating_sub(self.saved).clamp(0, seen)
    }
}

impl Replay<'_> {
    /// What the credit will hold back of claims that are there today for the first time.
    pub(super) fn hold(&mut self, at: usize) {
        let Some(credit) = self.active.get(at).map(|active| active.credit) else { return };
        for (_, claims, minor) in &credit.deductions {
            let mut left = *minor;
            for key in claims {
                let Some(place) = self.place_today(credit, *key) else { continue };
                let held = self.held(at, place);
                let net = self.debts.get(place).map_or(0, |debt| match debt.is_early(credit) {
                    true => debt.open.saturating_sub(debt.to_save(debt.open)),
                    false => debt.open,
                });
                let part = left.min(net.saturating_sub(held)).max(0);
                self.held.push((at, place, part));
                left = left.saturating_sub(part);
            }
        }
    }

    fn held(&self, at: usize, place: usize) -> i64 {
        let of = self.held.iter().filter(|of| (of.0, of.1) == (at, place));
        of.fold(0i64, |sum, of| sum.saturating_add(of.2))
    }

    /// What a claim takes of a credit that leaves it nothing to save, and what it takes at least to be settled.
    pub(super) fn cost(&self, at: usize, place: usize, scope: Scope) -> (i64, i64) {
        let (Some(active), Some(debt)) = (self.active.get(at), self.debts.get(place)) else {
            return (0, 0);
        };
        let seen = debt.seen(scope);
        if !debt.is_early(active.credit) {
            return (seen, seen);
        }
        let full = seen.saturating_sub(self.held(at, place)).max(0);
        (full, full.saturating_sub(debt.to_save(seen)).max(0))
    }

    /// How much of `most` goes to a claim when `rest` is what others in view take after it.
    pub(super) fn share_of(
        &self,
        at: usize,
        place: usize,
        scope: Scope,
        most: i64,
        rest: i64,
    ) -> i64 {
        let (full, net) = self.cost(at, place, scope);
        if full == net {
            return most;
        }
        let seen = self.debts.get(place).map_or(0, |debt| debt.seen(scope));
        most.min(most.saturating_sub(rest).clamp(net, seen))
    }

    /// What claims take of a credit together that leaves nothing to save of them.
    pub(super) fn cost_of_all(&self, at: usize, places: &[usize], scope: Scope) -> i64 {
        let cost = |sum: i64, place: &usize| sum.saturating_add(self.cost(at, *place, scope).0);
        places.iter().fold(0i64, cost)
    }

    /// Sets up to so much of a credit against claims one after the other, and gives what is left of it. What is beyond
    /// them is settled for its net before these are paid in full.
    pub(super) fn settle_all(
        &mut self,
        at: usize,
        places: &[usize],
        most: i64,
        scope: Scope,
        beyond: i64,
    ) -> i64 {
        let mut rest = self.cost_of_all(at, places, scope).saturating_add(beyond);
        let mut left = most;
        for place in places {
            rest = rest.saturating_sub(self.cost(at, *place, scope).0);
            let minor = self.share_of(at, *place, scope, left, rest);
            left = left.saturating_sub(self.settle(at, *place, minor, scope));
        }
        left
    }

    /// The discount that `minor` of the credit earns of a claim.
    pub(super) fn discount(&self, at: usize, place: usize, minor: i64, scope: Scope) -> i64 {
        let (Some(active), Some(debt)) = (self.active.get(at), self.debts.get(place)) else {
            return 0;
        };
        if !debt.is_early(active.credit) {
            return 0;
        }
        let (full, net) = self.cost(at, place, scope);
        let rest = full.saturating_sub(minor).max(0);
        if minor >= net {
            return rest;
        }
        let paid = debt.early.saturating_add(self.held(at, place)).saturating_add(minor);
        debt.earned(paid).saturating_sub(debt.saved).clamp(0, rest)
    }

    /// Counts what was paid or held back in time, and below zero what is so no more.
    pub(super) fn count_early(&mut self, at: usize, place: usize, minor: i64) {
        if let (Some(active), Some(debt)) = (self.active.get(at), self.debts.get_mut(place))
            && debt.is_early(active.credit)
        {
            debt.early = debt.early.saturating_add(minor).max(0);
        }
    }

    pub(super) fn count_saved(&mut self, place: usize, minor: i64) {
        if let Some(debt) = self.debts.get_mut(place) {
            debt.saved = debt.saved.saturating_add(minor).max(0);
        }
    }

    /// Sets what the payer held back against claims one after the other, before the money that is still free.
    pub(super) fn deduct(&mut self, at: usize, places: &[usize], minor: i64, why: Difference) {
        let open =
            |replay: &Self, place: usize| replay.debts.get(place).map_or(0, |debt| debt.open);
        let mut rest =
            places.iter().fold(0i64, |sum, place| sum.saturating_add(open(self, *place)));
        let mut left = minor;
        for place in places {
            rest = rest.saturating_sub(open(self, *place));
            let free = self.active.get(at).map_or(0, |active| active.free);
            let most = left.saturating_add(free);
            let share = self.share_of(at, *place, Scope::Open, most, rest);
            let taken = self.differ(at, *place, left.min(share), why);
            left = left.saturating_sub(taken);
            self.count_early(at, *place, taken);
            self.save_rest(at, *place, Scope::Open);
        }
        // What was given up is recovered by it as by money.
        for place in places {
            let taken = self.recover(at, *place, left, Some(why));
            left = left.saturating_sub(taken);
            self.count_early(at, *place, taken);
        }
    }

    /// Gives the discount of a claim that leaves nothing to pay, and says whether that is so.
    pub(super) fn save_rest(&mut self, at: usize, place: usize, scope: Scope) -> bool {
        let (full, net) = self.cost(at, place, scope);
        if net > 0 || full == 0 {
            return false;
        }
        let saved = self.differ(at, place, full, Difference::EarlyPaymentDiscount);
        self.count_saved(place, saved);
        saved > 0
    }

    /// So much of a claim was never owed.
    pub(super) fn reduce(&mut self, place: usize, minor: i64) {
        if let Some(debt) = self.debts.get_mut(place) {
            debt.reduced = debt.reduced.saturating_add(minor);
        }
    }

    /// Takes back the discount that is more than that of what remains owed of a claim without so much, of the newest first.
    pub(super) fn save_less(&mut self, place: usize, minor: i64) {
        let Some(debt) = self.debts.get(place) else { return };
        let all = debt.claim.discount.map_or(0, |of| of.minor);
        let remains = debt.owed().saturating_sub(minor).max(0);
        let mut left = debt.saved.saturating_sub(portion(all, remains, debt.claim.amount_minor));
        for of in (0..self.active.len()).rev() {
            if left <= 0 {
                return;
            }
            left = left.saturating_sub(self.take_discount(of, place, left));
        }
    }

    /// So much of a document was never owed, and so was what was booked off of it beside money: takes that back, of claims
    /// up to so much each and of the newest first. Gives the payments that had booked it off.
    pub(super) fn unbook(
        &mut self,
        parts: impl IntoIterator<Item = (usize, i64)>,
        minor: i64,
    ) -> Vec<usize> {
        let (mut left, mut of) = (minor, Vec::new());
        for (place, most) in parts {
            let mut part = left.min(most);
            left = left.saturating_sub(part);
            for at in (0..self.active.len()).rev() {
                for why in [Difference::FullSettlement, Difference::Tolerance] {
                    let taken = self.take_saved(at, place, part, why);
                    part = part.saturating_sub(taken);
                    of.extend((taken > 0).then_some(at));
                }
            }
            left = left.saturating_add(part);
        }
        of
    }

    /// Takes back the discount that what is left of a claim's money has not earned: that of the credit which went back
    /// first, then of the newest.
    #[cold]
    pub(super) fn unearn(&mut self, at: usize, place: usize) {
        let Some(debt) = self.debts.get(place) else { return };
        let mut left = debt.saved.saturating_sub(debt.earned(debt.early));
        let newest = (0..self.active.len()).rev().filter(|of| *of != at);
        let credits = [at].into_iter().chain(newest);
        let credits: Vec<usize> = if left > 0 { credits.collect() } else { Vec::new() };
        for of in credits {
            left = left.saturating_sub(self.take_discount(of, place, left));
            if left <= 0 {
                break;
            }
        }
        // What others earned by small payments and this one was given is given to the newest of them.
        let is_gone = |active: &Active| active.returned == active.credit.amount_minor;
        if self.active.get(at).is_some_and(is_gone) {
            let moved = self.take_discount(at, place, i64::MAX);
            let pays = |of: &usize| {
                let used = self.active.get(*of).map(|active| &active.used);
                used.is_some_and(|used| used.iter().any(|u| u.place == place && u.why.is_none()))
                    && self
                        .debts
                        .get(place)
                        .zip(self.active.get(*of))
                        .is_some_and(|(debt, active)| debt.is_early(active.credit))
            };
            if moved > 0
                && let Some(of) = (0..self.active.len()).rev().find(pays)
            {
                let saved = self.differ(of, place, moved, Difference::EarlyPaymentDiscount);
                self.count_saved(place, saved);
            }
        }
    }

    fn take_discount(&mut self, at: usize, place: usize, most: i64) -> i64 {
        self.take_saved(at, place, most, Difference::EarlyPaymentDiscount)
    }

    /// Takes up to so much of a difference that a credit was given of a claim back.
    fn take_saved(&mut self, at: usize, place: usize, most: i64, why: Difference) -> i64 {
        let Some(active) = self.active.get_mut(at) else { return 0 };
        let Source::Payment(key) = active.credit.source else { return 0 };
        let mut taken = 0i64;
        let is_it = |used: &&mut Used| used.place == place && used.why == Some(why);
        for used in active.used.iter_mut().rev().filter(is_it) {
            let take = most.saturating_sub(taken).min(used.minor).max(0);
            used.minor = used.minor.saturating_sub(take);
            taken = taken.saturating_add(take);
        }
        if taken > 0 {
            active.used.retain(|used| used.minor > 0);
            if why == Difference::EarlyPaymentDiscount {
                self.count_saved(place, taken.saturating_neg());
            }
            self.note(Source::Difference(key, why), Some(place), taken.saturating_neg());
            self.reopen(place, taken);
        }
        taken
    }
}
