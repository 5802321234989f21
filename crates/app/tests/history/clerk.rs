//! A slow and obvious clerk, who keeps nothing but the list of what happened.

use crate::events::ORDERS;
use std::collections::BTreeMap;

/// A claim, a credit and an adjustment as the clerk writes them down: as they were recorded and corrected by a moment.
#[derive(Clone, Debug)]
pub struct Claim {
    pub id: String,
    pub whole: String,
    pub kind: &'static str,
    pub about: Option<String>,
    pub on: i64,
    pub due: i64,
    pub minor: i64,
}

#[derive(Clone, Debug)]
pub struct Credit {
    pub id: String,
    /// 0 for credit notes, 1 for payments, 2 for adjustments.
    pub rank: u8,
    pub on: i64,
    pub minor: i64,
    pub named: Vec<(String, Option<i64>)>,
    pub order: &'static str,
    pub settles: Option<String>,
    /// Day, minor, mistake, id.
    pub back: Vec<(i64, i64, bool, String)>,
    pub recoverable: bool,
    /// Of a write-off: from when it does not count.
    pub until: Option<i64>,
}

/// The documents as far as some of the steps had come.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub claims: Vec<Claim>,
    pub credits: Vec<Credit>,
}

/// What the clerk wrote down for a step that the ledger took.
#[derive(Clone, Debug)]
pub enum Entry {
    Claims(Vec<Claim>),
    Credit(Credit),
    Back { payment: String, on: i64, minor: i64, mistake: bool, id: String },
    Claim { id: String, on: i64, due: i64, minor: i64 },
    Money { id: String, on: i64, minor: i64 },
    End { id: String, on: i64 },
}

pub fn documents(log: &[(usize, Entry)], until: usize) -> Documents {
    let mut documents = Documents::default();
    for (_, entry) in log.iter().filter(|(step, _)| *step <= until) {
        match entry {
            Entry::Claims(claims) => documents.claims.extend(claims.iter().cloned()),
            Entry::Credit(credit) => documents.credits.push(credit.clone()),
            Entry::Back { payment, on, minor, mistake, id } => {
                let credit =
                    documents.credits.iter_mut().find(|credit| credit.id == *payment).unwrap();
                credit.back.push((*on, *minor, *mistake, id.clone()));
            }
            Entry::Claim { id, on, due, minor } => {
                if let Some(claim) = documents.claims.iter_mut().find(|claim| claim.id == *id) {
                    (claim.on, claim.due, claim.minor) = (*on, *due, *minor);
                }
                let note = documents
                    .credits
                    .iter_mut()
                    .find(|credit| credit.id == *id && credit.rank == 0);
                if let Some(note) = note {
                    (note.on, note.minor) = (*on, *minor);
                }
            }
            Entry::Money { id, on, minor } => {
                let credit = documents.credits.iter_mut().find(|credit| credit.id == *id).unwrap();
                (credit.on, credit.minor) = (*on, *minor);
            }
            Entry::End { id, on } => {
                let credit = documents.credits.iter_mut().find(|credit| credit.id == *id).unwrap();
                credit.until = Some(*on);
            }
        }
    }
    documents
}

/// Where everything stands at the end of a day.
#[derive(Debug, Default)]
pub struct Standing {
    /// Open of claims by id.
    pub open: BTreeMap<String, i64>,
    /// Not used of credits by id.
    pub free: BTreeMap<String, i64>,
}

#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub claim: usize,
    pub minor: i64,
    pub difference: bool,
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
    pub today: i64,
}

impl<'a> Clerk<'a> {
    pub fn stand(documents: &'a Documents, until: i64) -> Standing {
        let (claims, credits) = (documents.claims.len(), documents.credits.len());
        let mut clerk = Self {
            documents,
            open: vec![0; claims],
            free: vec![0; credits],
            kept: Vec::new(),
            used: vec![Vec::new(); credits],
            off: vec![Vec::new(); claims],
            gone: vec![0; credits],
            today: 0,
        };
        for today in 0..=until {
            clerk.today = today;
            clerk.pass();
        }
        let mut standing = Standing::default();
        for (claim, open) in
            documents.claims.iter().zip(&clerk.open).filter(|(claim, _)| claim.on <= until)
        {
            standing.open.insert(claim.id.clone(), *open);
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
        standing
    }

    fn credits(&self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.documents.credits.len()).collect();
        all.sort_by_key(|at| {
            let credit = &self.documents.credits[*at];
            (credit.on, credit.rank, credit.id.clone())
        });
        all
    }

    /// The claims a name stands for: itself, or the instalments of an invoice.
    fn meant(&self, name: &str) -> Vec<usize> {
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
        for (of, part, minor) in due {
            self.kept.retain(|kept| *kept != (of, part, minor));
            self.free[of] += minor;
            self.serve_name(of, part, minor);
        }
        for at in &order {
            let credit = &self.documents.credits[*at];
            if credit.on != self.today || credit.rank == 2 {
                continue;
            }
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
                let settled =
                    credit.settles.as_ref().map(|name| self.meant(name)).unwrap_or_default();
                for claim in settled {
                    if self.documents.claims[claim].on.max(credit.on) != self.today {
                        continue;
                    }
                    let minor = self.open[claim];
                    if minor > 0 {
                        self.open[claim] = 0;
                        let used = Used { claim, minor, difference: true, recovered: None };
                        self.used[*at].push(used);
                    }
                }
            }
        }
        self.serve_all();
        let mut back: Vec<(usize, i64, String)> = Vec::new();
        for at in &order {
            for (on, minor, mistake, id) in &self.documents.credits[*at].back {
                if !mistake && (*on).max(self.documents.credits[*at].on) == self.today {
                    back.push((*at, *minor, id.clone()));
                }
            }
        }
        let place = |at: &usize| order.iter().position(|of| of == at);
        back.sort_by_key(|(at, _, id)| (place(at), id.clone()));
        for (at, minor, _) in back {
            self.give_back(at, minor);
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

    fn pay(&mut self, at: usize, claim: usize, most: i64) -> i64 {
        let minor = self.free[at].min(self.open[claim]).min(most).max(0);
        if minor > 0 {
            self.free[at] -= minor;
            self.open[claim] -= minor;
            self.used[at].push(Used { claim, minor, difference: false, recovered: None });
        }
        minor
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

    /// The claim that a debt is about: the invoice, or the first of its instalments, if it was issued by then.
    fn root(&self, claim: usize) -> usize {
        let of = &self.documents.claims[claim];
        let meant = of.about.as_ref().map(|about| self.meant(about)).unwrap_or_default();
        let root = meant.first().copied();
        root.filter(|root| self.documents.claims[*root].on <= of.on).unwrap_or(claim)
    }

    fn place(&self, claim: usize) -> (i64, i64, String) {
        let claim = &self.documents.claims[claim];
        (claim.due, claim.on, claim.id.clone())
    }

    fn component(&self, claim: usize, order: &str) -> i64 {
        let kind = match self.documents.claims[claim].kind {
            "penalty" if order != ORDERS[5] => "fee",
            kind => kind,
        };
        let places: &[&str] = match order {
            "interest-first" => &["interest-note", "fee", "invoice"],
            "principal-first" => &["invoice", "interest-note", "fee"],
            _ => &["fee", "penalty", "interest-note", "invoice"],
        };
        i64::try_from(places.iter().position(|place| *place == kind).unwrap()).unwrap()
    }

    /// Everything that is open, in an order.
    fn queue(&self, order: &str) -> Vec<usize> {
        let mut open: Vec<usize> =
            (0..self.open.len()).filter(|claim| self.open[*claim] > 0).collect();
        open.sort_by_key(|claim| {
            let due = self.documents.claims[*claim].due;
            let root = self.root(*claim);
            let rank = match order {
                "oldest-due-first" => (0, due, (0, 0, String::new()), 0),
                "newest-due-first" => (0, -due, (0, 0, String::new()), 0),
                "interest-first" | "principal-first" => {
                    (self.component(*claim, order), due, (0, 0, String::new()), 0)
                }
                "fee-penalty-interest-principal" => {
                    let component = 10 * self.due_state(*claim) + self.component(*claim, order);
                    (component, due, (0, 0, String::new()), 0)
                }
                _ => (
                    self.not_due(root),
                    self.documents.claims[root].due,
                    self.place(root),
                    self.component(*claim, order),
                ),
            };
            (rank, self.place(*claim))
        });
        open
    }

    fn not_due(&self, claim: usize) -> i64 {
        let of = &self.documents.claims[claim];
        i64::from(of.due.max(of.on) > self.today)
    }

    /// 0 for overdue, 1 for the last day to pay, 2 for before.
    fn due_state(&self, claim: usize) -> i64 {
        let due = self.documents.claims[claim].due;
        1 + (due - self.today).signum()
    }

    fn serve_all(&mut self) {
        for at in self.credits() {
            let credit = &self.documents.credits[at];
            while self.free[at] > 0 && credit.rank < 2 {
                let queue = self.queue(credit.order);
                let Some(first) = queue.first().copied() else { return };
                if credit.order != ORDERS[4] {
                    self.pay(at, first, i64::MAX);
                    continue;
                }
                let alike = |claim: &usize| {
                    let (one, other) = (self.root(*claim), self.root(first));
                    (self.not_due(one), self.documents.claims[one].due)
                        == (self.not_due(other), self.documents.claims[other].due)
                };
                let group: Vec<usize> = queue.iter().copied().filter(alike).collect();
                self.share(at, &group);
            }
        }
    }

    fn share(&mut self, at: usize, group: &[usize]) {
        let mut roots: Vec<usize> = Vec::new();
        for claim in group {
            if !roots.contains(&self.root(*claim)) {
                roots.push(self.root(*claim));
            }
        }
        let groups: Vec<Vec<usize>> = roots
            .iter()
            .map(|root| group.iter().copied().filter(|claim| self.root(*claim) == *root).collect())
            .collect();
        let sums: Vec<i64> =
            groups.iter().map(|group| group.iter().map(|claim| self.open[*claim]).sum()).collect();
        let total: i64 = sums.iter().sum();
        let given = self.free[at].min(total);
        let mut shares: Vec<i64> = sums.iter().map(|sum| given * sum / total).collect();
        let mut rests: Vec<usize> = (0..roots.len()).collect();
        rests.sort_by_key(|at| (-(given * sums[*at] % total), *at));
        let over = usize::try_from(given - shares.iter().sum::<i64>()).unwrap();
        for at in rests.into_iter().take(over) {
            shares[at] += 1;
        }
        for (claims, mut left) in groups.into_iter().zip(shares) {
            for claim in claims {
                left -= self.pay(at, claim, left);
            }
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
        for used in used.iter_mut().rev() {
            let take = match (used.difference, all) {
                (true, true) => used.minor,
                (true, false) => 0,
                (false, _) => left.min(used.minor),
            };
            left -= if used.difference { 0 } else { take };
            used.minor -= take;
            match used.recovered {
                Some(from) if take > 0 => self.off[used.claim].push((from, take)),
                Some(_) => {}
                None => self.open[used.claim] += take,
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
