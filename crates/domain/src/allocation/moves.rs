//! Money moves: onto a claim, off it again, and back to the payer.

use super::{Active, Allocated, Named, Replay, Source, Used, early::Scope, place};
use crate::contract::types::Difference;

impl Replay<'_> {
    /// A write-off or an upheld dispute takes off what is left to take off.
    pub(super) fn adjust(&mut self, at: usize) {
        let Some(Active { credit, on, .. }) = self.active.get(at) else { return };
        let credit = *credit;
        if credit.voids || credit.until.is_some_and(|until| until <= *on) {
            return;
        }
        if !credit.recoverable {
            return self.uphold(at);
        }
        let mut left = credit.amount_minor;
        for key in credit.named.iter().flat_map(|named| &named.claims) {
            let Some(place) = self.by_key.get(key).copied() else { continue };
            let minor = left.min(self.debts.get(place).map_or(0, |debt| debt.open));
            if minor <= 0 {
                continue;
            }
            left = left.saturating_sub(minor);
            self.close(place, minor);
            self.note(credit.source, Some(place), minor);
            if let (Some(debt), Source::Adjustment(key)) =
                (self.debts.get_mut(place), credit.source)
            {
                debt.written_off.push((key, minor));
            }
        }
    }

    /// From today on the claims of a void are void: what is open of them, and what comes to be.
    pub(super) fn make_void(&mut self, at: usize) {
        let Some(Active { credit, on, .. }) = self.active.get(at) else { return };
        let Source::Adjustment(key) = credit.source else { return };
        let credit = *credit;
        if !credit.voids || credit.until.is_some_and(|until| until <= *on) {
            return;
        }
        for claim in credit.named.iter().flat_map(|named| &named.claims) {
            let Some(place) = self.by_key.get(claim).copied() else { continue };
            self.shrink_write_off(place, i64::MAX);
            if let Some(debt) = self.debts.get_mut(place) {
                debt.void.get_or_insert(key);
                self.opened_void.push(place);
            }
        }
    }

    /// What is open of void claims is taken off them.
    pub(super) fn take_off_void(&mut self) {
        while let Some(place) = self.opened_void.pop() {
            let found = self.debts.get(place).and_then(|debt| Some((debt.void?, debt.open)));
            if let Some((key, open)) = found.filter(|(_, open)| *open > 0) {
                self.close(place, open);
                self.note(Source::Adjustment(key), Some(place), open);
            }
        }
    }

    /// A write-off counts no more: what stands of it is open again. Money that had recovered some of it paid the debt
    /// and nothing else.
    pub(super) fn end(&mut self, at: usize) {
        let Some(credit) = self.active.get(at).map(|active| active.credit) else { return };
        let Source::Adjustment(key) = credit.source else { return };
        for claim in credit.named.iter().flat_map(|named| &named.claims) {
            let Some(place) = self.by_key.get(claim).copied() else { continue };
            let Some(debt) = self.debts.get_mut(place) else { continue };
            let standing = debt.written_off.iter().filter(|(of, _)| *of == key);
            let standing = standing.fold(0i64, |sum, (_, minor)| sum.saturating_add(*minor));
            debt.written_off.retain(|(of, _)| *of != key);
            if standing > 0 {
                self.note(credit.source, Some(place), standing.saturating_neg());
                self.reopen(place, standing);
            }
        }
        for used in self.active.iter_mut().flat_map(|active| &mut active.used) {
            used.recovered = used.recovered.filter(|of| *of != key);
        }
    }

    /// So much of a claim was never owed, and so it was not given up either: takes back up to so much of what stands of
    /// its write-offs, the newest first.
    pub(super) fn shrink_write_off(&mut self, place: usize, most: i64) {
        let mut left = most;
        while let Some((adjustment, part)) = self.pop_write_off(place, left) {
            left = left.saturating_sub(part);
            self.note(Source::Adjustment(adjustment), Some(place), part.saturating_neg());
            self.reopen(place, part);
        }
    }

    /// Up to so much of the newest write-off of a claim, which stands no more.
    fn pop_write_off(&mut self, place: usize, most: i64) -> Option<(i64, i64)> {
        let written_off = &mut self.debts.get_mut(place)?.written_off;
        let (adjustment, minor) = written_off.pop_if(|_| most > 0)?;
        let part = minor.min(most);
        if part < minor {
            written_off.push((adjustment, minor.saturating_sub(part)));
        }
        Some((adjustment, part))
    }

    /// Takes up to so much of money and credit notes off a claim again, the newest first: it is free for others.
    pub(super) fn displace(&mut self, place: usize, most: i64) {
        let mut left = most;
        for at in (0..self.active.len()).rev() {
            let Some(active) = self.active.get_mut(at) else { continue };
            let mut freed = 0i64;
            for used in active.used.iter_mut().rev() {
                if used.place == place && used.why.is_none() {
                    let take = left.min(used.minor).max(0);
                    used.minor = used.minor.saturating_sub(take);
                    left = left.saturating_sub(take);
                    freed = freed.saturating_add(take);
                }
            }
            if freed > 0 {
                active.used.retain(|used| used.minor > 0);
                active.free = active.free.saturating_add(freed);
                let source = active.credit.source;
                self.note(source, Some(place), freed.saturating_neg());
                self.count_early(at, place, freed.saturating_neg());
                self.reopen(place, freed);
                self.pool_rest(at);
            }
        }
    }

    /// Money for a claim that was written off, what the payer held back beside it, or a credit note about it: as much of the
    /// write-off as it covers is taken back on its day.
    pub(super) fn recover(
        &mut self,
        at: usize,
        place: usize,
        most: i64,
        why: Option<Difference>,
    ) -> i64 {
        let mut recovered = 0i64;
        while let Some((adjustment, part)) =
            self.pop_write_off(place, most.saturating_sub(recovered))
        {
            self.note(Source::Adjustment(adjustment), Some(place), part.saturating_neg());
            self.reopen(place, part);
            let settled = match why {
                None => self.settle(at, place, part, Scope::Open),
                Some(why) => self.differ(at, place, part, why),
            };
            if settled > 0
                && let Some(used) =
                    self.active.get_mut(at).and_then(|active| active.used.last_mut())
            {
                used.recovered = Some(adjustment);
            }
            recovered = recovered.saturating_add(settled);
        }
        recovered
    }

    /// Sets as much of the credit's free money against what is in view of the claim as both allow, and gives the discount
    /// it earned.
    pub(super) fn settle(&mut self, at: usize, place: usize, most: i64, scope: Scope) -> i64 {
        let (Some(active), Some(debt)) = (self.active.get(at), self.debts.get(place)) else {
            return 0;
        };
        let minor = active.free.min(debt.seen(scope)).min(most);
        if minor <= 0 {
            return 0;
        }
        let discount = self.discount(at, place, minor, scope);
        let Some(active) = self.active.get_mut(at) else { return 0 };
        active.free = active.free.saturating_sub(minor);
        active.used.push(Used { place, minor, why: None, recovered: None });
        let (source, spent) = (active.credit.source, active.free == 0);
        let credit = active.credit;
        if spent {
            self.pool.remove(&self::place(credit));
        }
        self.close(place, minor);
        self.note(source, Some(place), minor);
        self.count_early(at, place, minor);
        let saved = self.differ(at, place, discount, Difference::EarlyPaymentDiscount);
        self.count_saved(place, saved);
        minor
    }

    /// Takes up to so much off the claim for a reason that the payment brings.
    pub(super) fn differ(&mut self, at: usize, place: usize, most: i64, why: Difference) -> i64 {
        let (Some(active), Some(debt)) = (self.active.get_mut(at), self.debts.get(place)) else {
            return 0;
        };
        let minor = most.min(debt.open);
        let Source::Payment(key) = active.credit.source else { return 0 };
        if minor <= 0 {
            return 0;
        }
        active.used.push(Used { place, minor, why: Some(why), recovered: None });
        self.close(place, minor);
        self.note(Source::Difference(key, why), Some(place), minor);
        minor
    }

    /// Money goes back: what is free first, then what was allocated last, then what was kept. The early-payment discount
    /// that it earned goes back with it, and what it settled that was not paid is open again; when all of it is back, all
    /// differences go. What it had recovered is written off again.
    pub(super) fn give_back(&mut self, at: usize, number: usize) {
        let Some(active) = self.active.get_mut(at) else { return };
        let credit = active.credit;
        let (Source::Payment(key) | Source::Credit(key)) = credit.source else { return };
        let Some(back) = credit.returned.get(number) else { return };
        let mut left = back.minor.min(credit.amount_minor.saturating_sub(active.returned));
        if left <= 0 {
            return;
        }
        active.returned = active.returned.saturating_add(left);
        active.given.push((number, left));
        let all = active.returned == credit.amount_minor;
        self.note(credit.source, None, left);
        let Some(active) = self.active.get_mut(at) else { return };
        let free = active.free.min(left);
        active.free = active.free.saturating_sub(free);
        left = left.saturating_sub(free);
        if active.free == 0 {
            self.pool.remove(&place(credit));
        }
        let Some(active) = self.active.get_mut(at) else { return };
        let mut undone: Vec<Used> = Vec::new();
        for part in active.used.iter_mut().rev() {
            let take = match part.why {
                None => left.min(part.minor),
                Some(Difference::EarlyPaymentDiscount) => 0,
                Some(_) if all => part.minor,
                Some(_) => 0,
            };
            if part.why.is_none() {
                left = left.saturating_sub(take);
            }
            if take > 0 {
                undone.push(Used { minor: take, ..*part });
                part.minor = part.minor.saturating_sub(take);
            }
        }
        active.used.retain(|part| part.minor > 0);
        active.waiting = active.waiting.saturating_sub(left);
        for Used { place, minor, why, recovered } in &undone {
            let source = why.map_or(credit.source, |why| Source::Difference(key, why));
            self.note(source, Some(*place), minor.saturating_neg());
            use Difference::{Agreed, BankCharge, Withholding};
            if matches!(why, None | Some(Withholding | BankCharge | Agreed)) {
                self.count_early(at, *place, minor.saturating_neg());
            }
            match recovered {
                Some(adjustment) => self.write_off_again(*place, *adjustment, *minor),
                None => self.reopen(*place, *minor),
            }
        }
        let mut touched: Vec<usize> = undone.iter().map(|part| part.place).collect();
        touched.dedup();
        for place in &touched {
            self.unearn(at, *place);
        }
        if matches!(credit.source, Source::Payment(_)) {
            let money = undone.iter().filter(|part| part.why.is_none());
            self.unsettle(&money.map(|part| part.place).collect::<Vec<_>>());
        }
    }

    /// What payments settled that was not paid is open again where some of the money for the same invoice went back, whose
    /// ever it was: there is no full settlement any more, and the rest is little enough or is not.
    #[cold]
    fn unsettle(&mut self, touched: &[usize]) {
        let booked = |at: &usize| {
            let mut used = self.active.get(*at).into_iter().flat_map(|active| &active.used);
            used.any(|used| {
                matches!(used.why, Some(Difference::FullSettlement | Difference::Tolerance))
            })
        };
        let payments: Vec<usize> = (0..self.active.len()).filter(booked).collect();
        let mut little: Vec<(usize, &Named)> = Vec::new();
        for at in payments {
            let Some(credit) = self.active.get(at).map(|active| active.credit) else { continue };
            let settled = credit.settles.iter().map(|of| (of, Difference::FullSettlement, None));
            let named = credit.named.iter().map(|of| (&of.claims, Difference::Tolerance, Some(of)));
            for (claims, why, named) in settled.chain(named) {
                let places = claims.iter().filter_map(|key| self.by_key.get(key).copied());
                let places: Vec<usize> = places.collect();
                if places.iter().any(|place| touched.contains(place)) && self.undo(at, &places, why)
                {
                    little.extend(named.map(|named| (at, named)));
                }
            }
        }
        for (at, named) in little {
            self.tolerate_rest(at, named);
        }
    }

    /// Takes a difference that a payment booked off claims again, and says whether there was any.
    fn undo(&mut self, at: usize, places: &[usize], why: Difference) -> bool {
        let Some(active) = self.active.get_mut(at) else { return false };
        let Source::Payment(key) = active.credit.source else { return false };
        let is_it = |used: &Used| used.why == Some(why) && places.contains(&used.place);
        let undone: Vec<Used> = active.used.iter().filter(|used| is_it(used)).copied().collect();
        active.used.retain(|used| !is_it(used));
        for Used { place, minor, .. } in &undone {
            self.note(Source::Difference(key, why), Some(*place), minor.saturating_neg());
            self.reopen(*place, *minor);
        }
        !undone.is_empty()
    }

    /// What went back is here again: first for what the credit names, then for all.
    #[cold]
    pub(super) fn regain(&mut self, at: usize, number: usize) {
        let Some(active) = self.active.get_mut(at) else { return };
        let back = active.given.iter().find(|(of, _)| *of == number);
        let Some(minor) = back.map(|(_, minor)| *minor) else { return };
        active.returned = active.returned.saturating_sub(minor);
        active.free = active.free.saturating_add(minor);
        let credit = active.credit;
        self.note(credit.source, None, minor.saturating_neg());
        for part in 0..credit.named.len() {
            let free = self.active.get(at).map_or(0, |active| active.free);
            self.serve_named(at, part, minor.min(free));
        }
        self.pool_rest(at);
    }

    /// What money had recovered of a write-off before it went back. The claim was closed by it and stays so; of one that is
    /// void by now nothing is given up.
    fn write_off_again(&mut self, place: usize, adjustment: i64, minor: i64) {
        if self.debts.get(place).is_some_and(|debt| debt.void.is_some()) {
            return self.reopen(place, minor);
        }
        self.note(Source::Adjustment(adjustment), Some(place), minor);
        if let Some(debt) = self.debts.get_mut(place) {
            debt.written_off.push((adjustment, minor));
        }
    }

    pub(super) fn note(&mut self, source: Source, place: Option<usize>, amount_minor: i64) {
        let claim = match place {
            Some(place) => match self.debts.get(place) {
                Some(debt) => Some(debt.claim.key),
                None => return,
            },
            None => None,
        };
        self.done.push(Allocated { source, claim, on: self.today, amount_minor });
    }
}
