//! What paying early saves: two in a hundred of the whole invoice, found from what stands in the list of what was used.

use super::{Clerk, DISCOUNT_DAYS, day::Why};

impl Clerk<'_> {
    /// What all of a claim saves: its invoice's discount up to it, less that up to the instalment before.
    fn saves(&self, claim: usize) -> i64 {
        let whole = &self.documents.claims[claim].whole;
        let (mut sum, mut before) = (0, 0);
        for of in self.meant(whole) {
            sum += self.documents.claims[of].minor;
            let all = (sum * 2 + 50) / 100;
            if of == claim {
                return all - before;
            }
            before = all;
        }
        0
    }

    fn in_time(&self, at: usize, claim: usize) -> bool {
        let (credit, of) = (&self.documents.credits[at], &self.documents.claims[claim]);
        let until = of.on + DISCOUNT_DAYS;
        credit.rank == 1 && of.discount && credit.on <= until && self.saves(claim) > 0
    }

    /// What was paid and held back of a claim in time, and what that saved so far.
    fn so_far(&self, claim: usize) -> (i64, i64) {
        let (mut paid, mut saved) = (0, 0);
        for at in 0..self.used.len() {
            for used in self.used[at].iter().filter(|used| used.claim == claim) {
                match used.why {
                    Why::Money | Why::Held if self.in_time(at, claim) => paid += used.minor,
                    Why::Early => saved += used.minor,
                    _ => {}
                }
            }
        }
        (paid, saved)
    }

    fn share(all: i64, part: i64, whole: i64) -> i64 {
        if whole == 0 { 0 } else { (2 * all * part + whole) / (2 * whole) }
    }

    /// What so much paid in time saves.
    fn earns(&self, claim: usize, paid: i64) -> i64 {
        let all = self.saves(claim);
        Self::share(all, paid, self.documents.claims[claim].minor - all).min(self.owed(claim))
    }

    /// What is saved of what was owed.
    fn owed(&self, claim: usize) -> i64 {
        let all = self.documents.claims[claim].minor;
        Self::share(self.saves(claim), all - self.reduced[claim], all)
    }

    fn to_save(&self, claim: usize, seen: i64) -> i64 {
        let (paid, saved) = self.so_far(claim);
        let all = self.documents.claims[claim].minor;
        let most = Self::share(self.saves(claim), seen + paid + saved, all);
        (most.min(self.owed(claim)) - saved).clamp(0, seen)
    }

    /// What of a claim can be paid: all that is open, or what nobody contests.
    pub(super) fn seen(&self, claim: usize, calm: bool) -> i64 {
        if calm { self.part(claim, true).max(0) } else { self.open[claim] }
    }

    /// What it costs to pay a claim in full, and with all that can be saved.
    pub(super) fn price(&self, at: usize, claim: usize, calm: bool) -> (i64, i64) {
        let seen = self.seen(claim, calm);
        if !self.in_time(at, claim) {
            return (seen, seen);
        }
        let held = self.held.get(&(at, claim)).copied().unwrap_or(0);
        let full = (seen - held).max(0);
        (full, (full - self.to_save(claim, seen)).max(0))
    }

    /// So much of the money that others need no more, and no less than settles the claim.
    pub(super) fn worth(
        &self,
        at: usize,
        claim: usize,
        calm: bool,
        money: i64,
        others: i64,
    ) -> i64 {
        let (full, net) = self.price(at, claim, calm);
        match full == net {
            true => money,
            false => money.min((money - others).max(net).min(self.seen(claim, calm))),
        }
    }

    /// What it costs to pay claims in full.
    pub(super) fn prices(&self, at: usize, claims: &[usize], calm: bool) -> i64 {
        claims.iter().map(|of| self.price(at, *of, calm).0).sum()
    }

    /// Pays one claim after the other, and says what is left. What comes after them costs so much in full.
    pub(super) fn pay_all(
        &mut self,
        at: usize,
        claims: &[usize],
        money: i64,
        calm: bool,
        after: i64,
    ) -> i64 {
        let prices: Vec<i64> = claims.iter().map(|of| self.price(at, *of, calm).0).collect();
        let mut left = money;
        for (number, claim) in claims.iter().enumerate() {
            let others = prices[number + 1..].iter().sum::<i64>() + after;
            let minor = self.worth(at, *claim, calm, left, others);
            left -= self.pay(at, *claim, minor, calm);
        }
        left
    }

    pub(super) fn discount(&self, at: usize, claim: usize, minor: i64, calm: bool) -> i64 {
        if !self.in_time(at, claim) {
            return 0;
        }
        let (full, net) = self.price(at, claim, calm);
        let rest = (full - minor).max(0);
        if minor >= net {
            return rest;
        }
        let held = self.held.get(&(at, claim)).copied().unwrap_or(0);
        let (paid, saved) = self.so_far(claim);
        (self.earns(claim, paid + held + minor) - saved).clamp(0, rest)
    }

    /// What the payments of today will hold back, known before they pay.
    pub(super) fn hold(&mut self) {
        self.held.clear();
        for at in 0..self.documents.credits.len() {
            for (name, most) in self.documents.credits[at].deductions.clone() {
                let mut left = most;
                for claim in self.begins(at, &name) {
                    let open = self.open[claim];
                    let net = match self.in_time(at, claim) {
                        true => open - self.to_save(claim, open),
                        false => open,
                    };
                    let before = self.held.get(&(at, claim)).copied().unwrap_or(0);
                    let part = left.min(net - before).max(0);
                    self.held.insert((at, claim), before + part);
                    left -= part;
                }
            }
        }
    }

    /// What a name means for a credit when both are there for the first time today.
    pub(super) fn begins(&self, at: usize, name: &str) -> Vec<usize> {
        let on = self.documents.credits[at].on;
        let mut meant = self.meant(name);
        meant.retain(|claim| self.documents.claims[*claim].on.max(on) == self.today);
        meant
    }

    pub(super) fn deduct(&mut self, at: usize, name: &str, most: i64) {
        let claims = self.begins(at, name);
        let opens: Vec<i64> = claims.iter().map(|of| self.open[*of]).collect();
        let mut left = most;
        for (number, claim) in claims.iter().copied().enumerate() {
            let others = opens[number + 1..].iter().sum();
            let share = self.worth(at, claim, false, left + self.free[at], others);
            left -= self.differ(at, claim, left.min(share), Why::Held);
            self.save_rest(at, claim, false);
        }
        for claim in claims {
            left = self.recover(at, claim, left, Why::Held);
        }
    }

    /// A claim that is paid but for what it saves is settled.
    pub(super) fn save_rest(&mut self, at: usize, claim: usize, calm: bool) -> bool {
        let (full, net) = self.price(at, claim, calm);
        net == 0 && self.differ(at, claim, full, Why::Early) > 0
    }

    /// What the money that stays has not saved goes: of the payment that went back, then of the newest. What a payment
    /// that is gone was given for others is theirs.
    pub(super) fn unearn(&mut self, at: usize, claim: usize) {
        let (paid, saved) = self.so_far(claim);
        let mut most = saved - self.earns(claim, paid);
        let newest: Vec<usize> = self.credits().into_iter().rev().collect();
        for of in [at].into_iter().chain(newest.iter().copied().filter(|of| *of != at)) {
            most -= self.take_saved(of, claim, most, Why::Early);
        }
        if self.gone[at] == self.documents.credits[at].minor {
            let moved = self.take_saved(at, claim, i64::MAX, Why::Early);
            let pays = |of: &&usize| {
                let money = |used: &super::day::Used| used.claim == claim && used.why == Why::Money;
                self.in_time(**of, claim) && self.used[**of].iter().any(money)
            };
            if let Some(of) = newest.iter().find(pays).copied() {
                self.differ(of, claim, moved, Why::Early);
            }
        }
    }

    /// What paying early saved is at most the share of what is owed without so much: what is more goes, the newest first.
    pub(super) fn save_less(&mut self, claim: usize, minor: i64) {
        let all = self.documents.claims[claim].minor;
        let remains = (all - self.reduced[claim] - minor).max(0);
        let mut more = self.so_far(claim).1 - Self::share(self.saves(claim), remains, all);
        for of in self.credits().into_iter().rev() {
            more -= self.take_saved(of, claim, more, Why::Early);
        }
    }

    /// What was never owed was not booked off either: of each claim up to so much, of all up to a sum, the newest first.
    pub(super) fn unbook(&mut self, claims: &[(usize, i64)], minor: i64) -> Vec<usize> {
        let (mut left, mut settling) = (minor, Vec::new());
        for (claim, most) in claims {
            let mut most = *most;
            for of in self.credits().into_iter().rev() {
                for why in [Why::Agreed, Why::Little] {
                    let taken = self.take_saved(of, *claim, left.min(most), why);
                    (left, most) = (left - taken, most - taken);
                    if taken > 0 {
                        settling.push(of);
                    }
                }
            }
        }
        settling
    }

    fn take_saved(&mut self, at: usize, claim: usize, most: i64, why: Why) -> i64 {
        let mut taken = 0;
        for used in self.used[at].iter_mut().rev() {
            if used.claim == claim && used.why == why {
                let take = (most - taken).min(used.minor).max(0);
                used.minor -= take;
                taken += take;
            }
        }
        self.used[at].retain(|used| used.minor > 0);
        self.open[claim] += taken;
        taken
    }
}
