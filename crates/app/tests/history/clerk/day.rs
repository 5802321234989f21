//! One day after another: what is served, taken back and booked off.

use super::{CURRENCIES, CUSTOMERS, Contested, Documents, Standing, TOLERANCE};
use std::collections::BTreeMap;

/// What a claim was settled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Money,
    /// Saved by paying early.
    Early,
    Held,
    Agreed,
    Little,
}

#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub claim: usize,
    pub minor: i64,
    pub why: Why,
    /// The write-off whose place the money took.
    pub recovered: Option<usize>,
}

pub struct Clerk<'a> {
    pub documents: &'a Documents,
    pub open: Vec<i64>,
    pub free: Vec<i64>,
    /// Kept for claims that are not there yet: credit, part, how much.
    pub kept: Vec<(usize, usize, i64)>,
    /// What payments of today will hold back: credit, claim.
    pub held: BTreeMap<(usize, usize), i64>,
    /// By credit, what it was set against.
    pub used: Vec<Vec<Used>>,
    /// Adjustment and how much of it stands, by claim.
    pub off: Vec<Vec<(usize, i64)>>,
    pub gone: Vec<i64>,
    /// How much went with which refund.
    pub refunded: BTreeMap<String, i64>,
    pub today: i64,
    /// What was contested of claims, that of whole invoices in instalments from its day on.
    pub contested: Vec<Contested>,
    /// By claim what upheld disputes and credit notes say was never owed.
    pub reduced: Vec<i64>,
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
        let mut contested = documents.contested.clone();
        contested.retain(|of| documents.claims.iter().any(|claim| claim.id == of.claim));
        let mut clerk = Clerk {
            documents,
            open: vec![0; claims],
            free: vec![0; credits],
            kept: Vec::new(),
            held: BTreeMap::new(),
            used: vec![Vec::new(); credits],
            off: vec![Vec::new(); claims],
            gone: vec![0; credits],
            refunded: BTreeMap::new(),
            today: 0,
            contested,
            reduced: vec![0; claims],
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
                let given_up = clerk.off[at].iter().map(|off| off.1).sum();
                standing.given_up.insert(claim.id.clone(), given_up);
                standing.interest.insert(claim.id.clone(), clerk.interest(&[at], until));
                let together = clerk.interest(&clerk.meant(&claim.whole), until);
                standing.interest.insert(claim.whole.clone(), together);
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

    /// The day a credit counts from: an adjustment not before what it adjusts is there.
    fn from(&self, at: usize) -> i64 {
        let credit = &self.documents.credits[at];
        let claims = if credit.rank == 2 { self.meant(&credit.named[0].0) } else { Vec::new() };
        let issued = claims.into_iter().map(|claim| self.documents.claims[claim].on);
        issued.fold(credit.on, i64::max)
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
            if credit.until == Some(self.today) && self.from(*at) < self.today {
                self.end(*at);
            }
        }
        self.contest();
        self.hold();
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
            self.reduce_name(of, part, minor);
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
                    self.reduce_name(*at, part, minor);
                    self.serve_name(*at, part, minor);
                }
            }
        }
        self.held.clear();
        for at in &order {
            let credit = &self.documents.credits[*at];
            if credit.on <= self.today && credit.rank == 1 && self.gone[*at] < credit.minor {
                for (name, most) in &credit.deductions {
                    self.deduct(*at, name, *most);
                }
                if let Some(name) = &credit.settles {
                    for claim in self.begins(*at, name) {
                        self.differ(*at, claim, i64::MAX, Why::Agreed);
                    }
                }
            }
        }
        for at in naming {
            self.tolerate(at);
        }
        self.strike();
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
        self.strike();
        self.serve_all();
        // What was never owed before what is given up, what is said of a part before what is said of all, less before more.
        let mut order = order;
        order.sort_by_key(|at| {
            let credit = &self.documents.credits[*at];
            let claims = credit.named.first().map_or(0, |(name, _)| self.meant(name).len());
            (credit.recoverable, claims, credit.minor, credit.id.clone())
        });
        for at in &order {
            let credit = &self.documents.credits[*at];
            let never = credit.until.is_some_and(|until| until <= self.from(*at));
            if self.from(*at) == self.today && credit.rank == 2 && !never {
                let mut left = credit.minor;
                let claims = self.meant(&credit.named[0].0);
                if credit.voids {
                    continue;
                }
                if !credit.recoverable {
                    self.uphold(&credit.id, &claims, left);
                    continue;
                }
                for claim in claims {
                    let minor = left.min(self.open[claim]);
                    left -= minor;
                    self.open[claim] -= minor;
                    if minor > 0 {
                        self.off[claim].push((*at, minor));
                    }
                }
            }
        }
        self.strike();
        self.serve_all();
    }

    /// Of what is void by now nothing is open, and nothing was given up.
    fn strike(&mut self) {
        for at in 0..self.documents.credits.len() {
            let credit = &self.documents.credits[at];
            if credit.voids && self.from(at) <= self.today {
                for claim in self.meant(&credit.named[0].0) {
                    self.open[claim] = 0;
                    self.off[claim].clear();
                }
            }
        }
    }

    /// What is contested of whole invoices from today on is spread over their instalments: over what is open and nobody
    /// contests, then over what was ever claimed, and the rest counts for the first.
    fn contest(&mut self) {
        let mut begins = self.documents.contested.clone();
        begins.retain(|of| !self.documents.claims.iter().any(|claim| claim.id == of.claim));
        begins.sort_by_key(|of| (of.minor, of.id.clone()));
        for of in begins {
            let claims = self.meant(&of.claim);
            let issued = claims.iter().map(|at| self.documents.claims[*at].on).max().unwrap();
            if of.on.max(issued) != self.today {
                continue;
            }
            let (mut left, mut minors) = (of.minor, vec![0; claims.len()]);
            for calm in [true, false] {
                for (at, minor) in claims.iter().zip(&mut minors) {
                    let claimed = self.documents.claims[*at].minor - self.open[*at];
                    let room = self.part(*at, true) + if calm { 0 } else { claimed };
                    let more = left.min(room - *minor).max(0);
                    *minor += more;
                    left -= more;
                }
            }
            minors[0] += left;
            for (at, minor) in claims.into_iter().zip(minors) {
                let claim = self.documents.claims[at].id.clone();
                self.contested.push(Contested { claim, minor, upheld: 0, ..of.clone() });
            }
        }
    }

    /// Takes off what was upheld: of each instalment first what was contested of it, then whatever it can give.
    fn uphold(&mut self, dispute: &str, claims: &[usize], minor: i64) {
        let mut left = minor;
        let contested = |claim: &usize| {
            let id = &self.documents.claims[*claim].id;
            self.contested.iter().find(|of| of.id == dispute && of.claim == *id)
        };
        let whole = claims.len() > 1;
        let first = claims.iter().filter(|_| whole).map(|of| (*of, contested(of).unwrap().minor));
        let parts: Vec<_> = first.chain(claims.iter().map(|of| (*of, i64::MAX))).collect();
        let settling = self.unbook(&parts, minor);
        // What is contested of each, without touching what was paid; what of any was given up; then whatever there is.
        for (all, paid) in [(false, false), (true, false), (false, true), (true, true)] {
            for claim in claims {
                let id = &self.documents.claims[*claim].id;
                let of = self.contested.iter().position(|of| of.id == dispute && of.claim == *id);
                let of = of.filter(|_| whole);
                let contested = of
                    .filter(|_| !all)
                    .map_or(i64::MAX, |of| self.contested[of].minor - self.contested[of].upheld);
                let open = if all && !paid { 0 } else { self.open[*claim] };
                let off: i64 = self.off[*claim].iter().map(|off| off.1).sum();
                let most = left.min(contested).min(if paid { i64::MAX } else { open + off });
                let beyond = self.open[*claim] - open;
                self.save_less(*claim, most);
                self.give_up_less(*claim, most - (self.open[*claim] - beyond));
                self.displace(*claim, most - self.open[*claim]);
                let minor = most.min(self.open[*claim]).max(0);
                self.open[*claim] -= minor;
                self.reduced[*claim] += minor;
                left -= minor;
                if let Some(of) = of {
                    self.contested[of].upheld += minor;
                }
            }
        }
        for at in settling {
            self.pay_all(at, claims, i64::MAX, false, 0);
        }
    }

    /// What was never owed of a claim was not given up either, the newest first.
    fn give_up_less(&mut self, claim: usize, most: i64) {
        let mut left = most;
        for off in self.off[claim].iter_mut().rev() {
            let take = left.min(off.1).max(0);
            off.1 -= take;
            self.open[claim] += take;
            left -= take;
        }
        self.off[claim].retain(|off| off.1 > 0);
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
                self.serve_name(at, part, minor.min(self.free[at]));
            }
        }
    }

    /// Of what a credit note names so much was never owed.
    fn reduce_name(&mut self, at: usize, part: usize, minor: i64) {
        let note = &self.documents.credits[at];
        let mut left = if note.rank == 0 { minor } else { 0 };
        let claims = self.meant(&note.named[part].0);
        self.unbook(&claims.iter().map(|of| (*of, i64::MAX)).collect::<Vec<_>>(), left);
        // Where it will be set against the claims: what is calm, what is open, what was given up, and then whatever.
        let before = self.reduced.clone();
        for pass in 0..4 {
            for claim in &claims {
                let off: i64 = self.off[*claim].iter().map(|off| off.1).sum();
                let room = match pass {
                    0 => self.seen(*claim, true),
                    1 => self.open[*claim],
                    2 => self.open[*claim] + off,
                    _ => i64::MAX,
                };
                let room = room - (self.reduced[*claim] - before[*claim]);
                let owed = self.documents.claims[*claim].minor - self.reduced[*claim];
                let minor = left.min(room).min(owed).max(0);
                self.save_less(*claim, minor);
                self.reduced[*claim] += minor;
                left -= minor;
            }
        }
    }

    fn serve_name(&mut self, at: usize, part: usize, minor: i64) {
        let name = self.documents.credits[at].named[part].0.clone();
        let (claims, mut left) = (self.meant(&name), minor);
        let charges = self.charges(at, part, &claims);
        left = self.pay_all(at, &charges, left, true, 0);
        if claims.len() > 1 {
            let contested = self.prices(at, &claims, false) - self.prices(at, &claims, true);
            left = self.pay_all(at, &claims, left, true, contested);
        }
        left = self.pay_all(at, &claims, left, false, 0);
        for claim in self.meant(&name) {
            left = self.recover(at, claim, left, Why::Money);
        }
    }

    /// What was given up of a claim comes in after all, as money or beside it; gives what is left of that.
    pub(super) fn recover(&mut self, at: usize, claim: usize, most: i64, why: Why) -> i64 {
        let mut left = most;
        while left > 0 && !self.off[claim].is_empty() {
            let (from, off) = self.off[claim].pop().unwrap();
            let take = off.min(left);
            if take < off {
                self.off[claim].push((from, off - take));
            }
            self.open[claim] += take;
            left -= match why {
                Why::Money => self.pay(at, claim, take, false),
                _ => self.differ(at, claim, take, why),
            };
            self.used[at].last_mut().unwrap().recovered = Some(from);
        }
        left
    }

    pub(super) fn pay(&mut self, at: usize, claim: usize, most: i64, calm: bool) -> i64 {
        let minor = self.free[at].min(self.seen(claim, calm)).min(most).max(0);
        if minor > 0 {
            let saved = self.discount(at, claim, minor, calm);
            self.free[at] -= minor;
            self.open[claim] -= minor;
            self.used[at].push(Used { claim, minor, why: Why::Money, recovered: None });
            self.differ(at, claim, saved, Why::Early);
        }
        minor
    }

    /// Takes up to so much off a claim because of a payment, without money.
    pub(super) fn differ(&mut self, at: usize, claim: usize, most: i64, why: Why) -> i64 {
        let minor = most.min(self.open[claim]).max(0);
        if minor > 0 {
            self.open[claim] -= minor;
            self.used[at].push(Used { claim, minor, why, recovered: None });
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
            self.tolerate_rest(at, name, little);
        }
    }

    fn tolerate_rest(&mut self, at: usize, name: &str, little: i64) {
        let claims = self.meant(name);
        if claims.iter().map(|claim| self.open[*claim]).sum::<i64>() <= little {
            for claim in claims {
                self.differ(at, claim, i64::MAX, Why::Little);
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
                let Used { claim: of, minor, why, .. } = self.used[at][used];
                if of == claim && why == Why::Money && left > 0 {
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
        let (mut taken, mut money): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for used in used.iter_mut().rev() {
            let take = match (used.why, all) {
                (Why::Money, _) => left.min(used.minor),
                (Why::Early, _) | (_, false) => 0,
                (_, true) => used.minor,
            };
            left -= if used.why == Why::Money { take } else { 0 };
            used.minor -= take;
            if take > 0 && !taken.contains(&used.claim) {
                taken.push(used.claim);
            }
            if take > 0 && used.why == Why::Money && credit.rank == 1 {
                money.push(used.claim);
            }
            match used.recovered {
                Some(from) if take > 0 => self.off[used.claim].push((from, take)),
                Some(_) => {}
                None => self.open[used.claim] += take,
            }
        }
        used.retain(|used| used.minor > 0);
        self.used[at] = used;
        for claim in &taken {
            self.unearn(at, *claim);
        }
        self.unsettle(&money);
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

    /// Some of the money for an invoice went back: nothing of it is settled by agreement any more, by whatever payment, and
    /// what is left of it is little or is not.
    fn unsettle(&mut self, taken: &[usize]) {
        let hit = |clerk: &Self, name: &str| clerk.meant(name).iter().any(|of| taken.contains(of));
        let mut again: Vec<(usize, String)> = Vec::new();
        for at in self.credits() {
            let credit = &self.documents.credits[at];
            if let Some(name) = credit.settles.as_ref().filter(|name| hit(self, name)) {
                self.undo(at, name, Why::Agreed);
            }
            for (name, _) in &credit.named {
                if hit(self, name) && self.undo(at, name, Why::Little) {
                    again.push((at, name.clone()));
                }
            }
        }
        for (at, name) in again {
            let euro = self.documents.credits[at].currency == CURRENCIES[0];
            self.tolerate_rest(at, &name, if euro { TOLERANCE } else { 0 });
        }
    }

    fn undo(&mut self, at: usize, name: &str, why: Why) -> bool {
        let claims = self.meant(name);
        let is_it = |used: &Used| used.why == why && claims.contains(&used.claim);
        let undone: Vec<Used> = self.used[at].iter().filter(|used| is_it(used)).copied().collect();
        self.used[at].retain(|used| !is_it(used));
        for used in &undone {
            self.open[used.claim] += used.minor;
        }
        !undone.is_empty()
    }
}
