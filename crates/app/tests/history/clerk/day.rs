//! One day after another: what is served, taken back and booked off.

use super::{CURRENCIES, CUSTOMERS, DISCOUNT_DAYS, Documents, Standing, TOLERANCE};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub claim: usize,
    pub minor: i64,
    pub difference: bool,
    /// A difference that was earned by paying early.
    pub early: bool,
    /// The write-off whose place the money took.
    pub recovered: Option<usize>,
}

pub struct Clerk<'a> {
    pub documents: &'a Documents,
    pub open: Vec<i64>,
    pub free: Vec<i64>,
    /// Kept for claims that are not there yet: credit, part, how much.
    pub kept: Vec<(usize, usize, i64)>,
    /// By credit, what it was set against.
    pub used: Vec<Vec<Used>>,
    /// Adjustment and how much of it stands, by claim.
    pub off: Vec<Vec<(usize, i64)>>,
    pub gone: Vec<i64>,
    /// How much went with which refund.
    pub refunded: BTreeMap<String, i64>,
    pub today: i64,
    /// By claim what was open at the end of every day.
    pub days: Vec<Vec<i64>>,
}

impl<'a> Clerk<'a> {
    pub fn stand(documents: &Documents, until: i64) -> Standing {
        let mut standing = Standing::default();
        for customer in CUSTOMERS {
            for currency in CURRENCIES {
                Clerk::walk(&documents.book(customer, currency), until, &mut standing);
            }
        }
        standing
    }

    fn walk(documents: &Documents, until: i64, standing: &mut Standing) {
        let (claims, credits) = (documents.claims.len(), documents.credits.len());
        let mut clerk = Clerk {
            documents,
            open: vec![0; claims],
            free: vec![0; credits],
            kept: Vec::new(),
            used: vec![Vec::new(); credits],
            off: vec![Vec::new(); claims],
            gone: vec![0; credits],
            refunded: BTreeMap::new(),
            today: 0,
            days: vec![Vec::new(); claims],
        };
        for today in 0..=until {
            clerk.today = today;
            clerk.pass();
            for (days, open) in clerk.days.iter_mut().zip(&clerk.open) {
                days.push(*open);
            }
        }
        for (at, claim) in documents.claims.iter().enumerate() {
            if claim.on <= until {
                standing.open.insert(claim.id.clone(), clerk.open[at]);
                standing.interest.insert(claim.id.clone(), clerk.interest(at, until));
                standing.fixed.insert(claim.whole.clone(), clerk.fixed(&claim.whole, until));
                standing.settled.insert(claim.whole.clone(), clerk.settled(&claim.whole, until));
                standing.late.insert(claim.whole.clone(), clerk.late_by(&claim.whole, until));
            }
        }
        for (at, credit) in documents.credits.iter().enumerate() {
            if credit.rank < 2 && credit.on <= until {
                let kept: i64 = clerk
                    .kept
                    .iter()
                    .filter(|(of, _, _)| *of == at)
                    .map(|(_, _, minor)| minor)
                    .sum();
                standing.free.insert(credit.id.clone(), clerk.free[at] + kept);
            }
        }
    }

    pub(super) fn credits(&self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.documents.credits.len()).collect();
        all.sort_by_key(|at| {
            let credit = &self.documents.credits[*at];
            (credit.on, credit.rank, credit.id.clone())
        });
        all
    }

    /// The claims a name stands for: itself, or the instalments of an invoice.
    pub(super) fn meant(&self, name: &str) -> Vec<usize> {
        let mut meant: Vec<usize> = (0..self.documents.claims.len())
            .filter(|at| {
                let claim = &self.documents.claims[*at];
                claim.id == name || claim.whole == name
            })
            .collect();
        meant.sort_by_key(|at| self.documents.claims[*at].due);
        meant
    }

    fn pass(&mut self) {
        for (at, claim) in self.documents.claims.iter().enumerate() {
            if claim.on == self.today {
                self.open[at] = claim.minor;
            }
        }
        let order = self.credits();
        for at in &order {
            let credit = &self.documents.credits[*at];
            if credit.until == Some(self.today) && credit.on < self.today {
                self.end(*at);
            }
        }
        // What was kept for a claim of today comes before what comes today.
        let due: Vec<(usize, usize, i64)> = {
            let mut due = Vec::new();
            for at in &order {
                for (of, part, minor) in self.kept.clone() {
                    let name =
                        &self.documents.credits[of].named.get(part).map(|named| named.0.clone());
                    let first = name.as_ref().and_then(|name| {
                        self.meant(name).iter().map(|c| self.documents.claims[*c].on).min()
                    });
                    if of == *at && first == Some(self.today) {
                        due.push((of, part, minor));
                    }
                }
            }
            due
        };
        let mut naming: Vec<usize> = Vec::new();
        for (of, part, minor) in due {
            self.kept.retain(|kept| *kept != (of, part, minor));
            self.free[of] += minor;
            self.serve_name(of, part, minor);
            naming.push(of);
        }
        for at in &order {
            self.regain(*at);
        }
        for at in &order {
            let credit = &self.documents.credits[*at];
            if credit.on != self.today || credit.rank == 2 {
                continue;
            }
            naming.push(*at);
            let mistaken: i64 = credit.back.iter().filter(|back| back.2).map(|back| back.1).sum();
            self.gone[*at] = mistaken.min(credit.minor);
            self.free[*at] = credit.minor - self.gone[*at];
            for (part, (name, most)) in credit.named.iter().enumerate() {
                let minor = most.unwrap_or(self.free[*at]).min(self.free[*at]);
                let first = self.meant(name).iter().map(|c| self.documents.claims[*c].on).min();
                if first.is_some_and(|first| first > self.today) {
                    self.free[*at] -= minor;
                    self.kept.push((*at, part, minor));
                } else {
                    self.serve_name(*at, part, minor);
                }
            }
        }
        for at in &order {
            let credit = &self.documents.credits[*at];
            if credit.on <= self.today && credit.rank == 1 && self.gone[*at] < credit.minor {
                for (name, most) in &credit.deductions {
                    let mut left = *most;
                    for claim in self.meant(name) {
                        if self.documents.claims[claim].on.max(credit.on) == self.today {
                            left -= self.differ(*at, claim, left);
                        }
                    }
                }
                let settled = credit.settles.as_ref().map(|name| self.meant(name));
                for claim in settled.unwrap_or_default() {
                    if self.documents.claims[claim].on.max(credit.on) == self.today {
                        self.differ(*at, claim, i64::MAX);
                    }
                }
            }
        }
        for at in naming {
            self.tolerate(at);
        }
        self.serve_all();
        let mut back: Vec<(usize, i64, String)> = Vec::new();
        for at in &order {
            for (on, minor, mistake, id) in &self.documents.credits[*at].back {
                if !mistake && (*on).max(self.documents.credits[*at].on) == self.today {
                    back.push((*at, *minor, id.clone()));
                }
            }
            let note = &self.documents.credits[*at];
            for refund in &note.refunds {
                let on = refund.on.max(note.on);
                if on == self.today && refund.until.is_none_or(|until| until > on) {
                    back.push((*at, refund.minor, refund.id.clone()));
                }
            }
        }
        let place = |at: &usize| order.iter().position(|of| of == at);
        back.sort_by_key(|(at, _, id)| (place(at), id.clone()));
        for (at, minor, id) in back {
            let before = self.gone[at];
            self.give_back(at, minor);
            self.refunded.insert(id, self.gone[at] - before);
        }
        self.serve_all();
        for at in &order {
            let credit = &self.documents.credits[*at];
            let never = credit.until.is_some_and(|until| until <= credit.on);
            if credit.on == self.today && credit.rank == 2 && !never {
                let mut left = credit.minor;
                for claim in self.meant(&credit.named[0].0) {
                    if !credit.recoverable {
                        self.displace(claim, left - self.open[claim]);
                    }
                    let minor = left.min(self.open[claim]);
                    left -= minor;
                    self.open[claim] -= minor;
                    if minor > 0 && credit.recoverable {
                        self.off[claim].push((*at, minor));
                    }
                }
            }
        }
        self.serve_all();
    }

    /// What was paid out of a credit note and stands again from today on: for what it names first.
    fn regain(&mut self, at: usize) {
        let note = &self.documents.credits[at];
        for refund in &note.refunds {
            let went = refund.on.max(note.on);
            if refund.until != Some(self.today) || went >= self.today {
                continue;
            }
            let minor = self.refunded[&refund.id];
            self.gone[at] -= minor;
            self.free[at] += minor;
            for part in 0..note.named.len() {
                self.serve_name(at, part, minor);
            }
        }
    }

    fn serve_name(&mut self, at: usize, part: usize, minor: i64) {
        let name = self.documents.credits[at].named[part].0.clone();
        let mut left = minor;
        for claim in self.meant(&name) {
            left -= self.pay(at, claim, left);
        }
        if self.documents.credits[at].rank == 1 {
            for claim in self.meant(&name) {
                while left > 0 && !self.off[claim].is_empty() {
                    let (from, off) = self.off[claim].pop().unwrap();
                    let take = off.min(left);
                    if take < off {
                        self.off[claim].push((from, off - take));
                    }
                    self.open[claim] += take;
                    left -= self.pay(at, claim, take);
                    self.used[at].last_mut().unwrap().recovered = Some(from);
                }
            }
        }
    }

    pub(super) fn pay(&mut self, at: usize, claim: usize, most: i64) -> i64 {
        let minor = self.free[at].min(self.open[claim]).min(most).max(0);
        if minor > 0 {
            let saved = self.discount(at, claim, minor);
            self.free[at] -= minor;
            self.open[claim] -= minor;
            self.used[at].push(Used {
                claim,
                minor,
                difference: false,
                early: false,
                recovered: None,
            });
            if self.differ(at, claim, saved) > 0 {
                self.used[at].last_mut().unwrap().early = true;
            }
        }
        minor
    }

    /// What so much money saves if it comes in time: all that is left once 98 in a hundred are paid, else two more for
    /// each 98.
    fn discount(&self, at: usize, claim: usize, minor: i64) -> i64 {
        let (credit, of) = (&self.documents.credits[at], &self.documents.claims[claim]);
        if credit.rank != 1 || !of.discount || credit.on > of.on + DISCOUNT_DAYS {
            return 0;
        }
        let open = self.open[claim];
        let most = (open * 2 + 50) / 100;
        if minor >= open - most {
            return open - minor;
        }
        ((minor * 2 + 49) / 98).min(open - minor)
    }

    /// Takes up to so much off a claim because of a payment, without money.
    fn differ(&mut self, at: usize, claim: usize, most: i64) -> i64 {
        let minor = most.min(self.open[claim]).max(0);
        if minor > 0 {
            self.open[claim] -= minor;
            self.used[at].push(Used {
                claim,
                minor,
                difference: true,
                early: false,
                recovered: None,
            });
        }
        minor
    }

    /// What is left of what a payment names is booked off if it is little and the payment used up.
    fn tolerate(&mut self, at: usize) {
        let credit = &self.documents.credits[at];
        let little = if credit.currency == CURRENCIES[0] { TOLERANCE } else { 0 };
        if credit.rank != 1 || self.free[at] > 0 || self.gone[at] >= credit.minor {
            return;
        }
        for (name, _) in &credit.named {
            let claims = self.meant(name);
            if claims.iter().map(|claim| self.open[*claim]).sum::<i64>() <= little {
                for claim in claims {
                    self.differ(at, claim, i64::MAX);
                }
            }
        }
    }

    /// What a write-off still takes off is open again, and money that recovered some of it paid the debt.
    fn end(&mut self, at: usize) {
        for claim in 0..self.off.len() {
            for (_, minor) in self.off[claim].iter().filter(|(from, _)| *from == at) {
                self.open[claim] += minor;
            }
            self.off[claim].retain(|(from, _)| *from != at);
        }
        for used in self.used.iter_mut().flatten() {
            if used.recovered == Some(at) {
                used.recovered = None;
            }
        }
    }

    /// What a claim was paid by last is free again.
    fn displace(&mut self, claim: usize, most: i64) {
        let mut left = most;
        for at in self.credits().into_iter().rev() {
            for used in (0..self.used[at].len()).rev() {
                let Used { claim: of, minor, difference, .. } = self.used[at][used];
                if of == claim && !difference && left > 0 {
                    let take = left.min(minor);
                    left -= take;
                    self.used[at][used].minor -= take;
                    self.free[at] += take;
                    self.open[claim] += take;
                }
            }
            self.used[at].retain(|used| used.minor > 0);
        }
    }

    fn give_back(&mut self, at: usize, minor: i64) {
        let credit = &self.documents.credits[at];
        let mut left = minor.min(credit.minor - self.gone[at]);
        if left <= 0 {
            return;
        }
        self.gone[at] += left;
        let all = self.gone[at] == credit.minor;
        let free = self.free[at].min(left);
        self.free[at] -= free;
        left -= free;
        let mut used = std::mem::take(&mut self.used[at]);
        let mut taken: Vec<usize> = Vec::new();
        for used in used.iter_mut().rev() {
            let take = match (used.difference, all) {
                (true, true) => used.minor,
                (true, false) => 0,
                (false, _) => left.min(used.minor),
            };
            left -= if used.difference { 0 } else { take };
            used.minor -= take;
            if take > 0 && !used.difference {
                taken.push(used.claim);
            }
            match used.recovered {
                Some(from) if take > 0 => self.off[used.claim].push((from, take)),
                Some(_) => {}
                None => self.open[used.claim] += take,
            }
        }
        // What stays earns two for each 98; the rest of the discount goes with the money.
        for claim in 0..self.open.len() {
            let at_claim = |used: &&mut Used| used.claim == claim;
            let stays: i64 = used
                .iter()
                .filter(|used| used.claim == claim && !used.difference)
                .map(|used| used.minor)
                .sum();
            let early: i64 = used
                .iter()
                .filter(|used| used.claim == claim && used.early)
                .map(|used| used.minor)
                .sum();
            let mut unearned = early - (stays * 2 + 49) / 98;
            if taken.contains(&claim) {
                for used in used.iter_mut().rev().filter(at_claim).filter(|used| used.early) {
                    let take = unearned.min(used.minor).max(0);
                    unearned -= take;
                    used.minor -= take;
                    self.open[claim] += take;
                }
            }
        }
        used.retain(|used| used.minor > 0);
        self.used[at] = used;
        // What is kept for the claim that comes last goes back first.
        let first = |part: usize| {
            let (name, _) = &credit.named[part];
            self.meant(name).iter().map(|claim| self.documents.claims[*claim].on).min()
        };
        let mut kept: Vec<_> =
            self.kept.iter().enumerate().filter(|(_, kept)| kept.0 == at).collect();
        kept.sort_by_key(|(_, (_, part, _))| std::cmp::Reverse((first(*part), *part)));
        let places: Vec<usize> = kept.into_iter().map(|(place, _)| place).collect();
        for place in places {
            let take = left.min(self.kept[place].2);
            self.kept[place].2 -= take;
            left -= take;
        }
    }
}
