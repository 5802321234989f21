//! A slow and obvious clerk, who keeps nothing but the list of what happened.

use crate::events::ORDERS;
use std::collections::BTreeMap;

/// The customer, and one that is the same and may be merged into it.
pub const CUSTOMERS: [&str; 2] = ["C", "D"];

pub const CURRENCIES: [&str; 2] = ["EUR", "USD"];

/// The most that is booked off, in the first currency.
pub const TOLERANCE: i64 = 3;

/// The last day on which payment in time saves something, counted from the document's day.
pub const DISCOUNT_DAYS: i64 = 5;

/// Days after the last one to pay that bear no interest.
pub const GRACE: i64 = 3;

/// The rates of a year in hundredths, and the day from which the second one holds.
pub const RATES: (i128, i128) = (36, 73);
pub const RATE_DAY: i64 = 30;

/// Fixed sums for a late invoice in the first currency: below an amount the first, from it on the second.
pub const FIXED_SUMS: (i64, i64, i64) = (200, 7, 11);

/// A claim, a credit and an adjustment as the clerk writes them down: as they were recorded and corrected by a moment.
#[derive(Clone, Debug)]
pub struct Claim {
    pub id: String,
    pub whole: String,
    pub customer: &'static str,
    pub currency: &'static str,
    pub kind: &'static str,
    pub about: Option<String>,
    /// Two in a hundred for who pays within five days.
    pub discount: bool,
    pub on: i64,
    pub due: i64,
    pub minor: i64,
}

#[derive(Clone, Debug)]
pub struct Credit {
    pub id: String,
    pub customer: &'static str,
    pub currency: &'static str,
    /// 0 for credit notes, 1 for payments, 2 for adjustments.
    pub rank: u8,
    pub on: i64,
    pub minor: i64,
    pub named: Vec<(String, Option<i64>)>,
    pub order: &'static str,
    pub settles: Option<String>,
    /// From which invoice, how much.
    pub deductions: Vec<(String, i64)>,
    /// Day, minor, mistake, id.
    pub back: Vec<(i64, i64, bool, String)>,
    /// Of a credit note: what was paid out of it.
    pub refunds: Vec<Refund>,
    pub recoverable: bool,
    /// Of a write-off: from when it does not count.
    pub until: Option<i64>,
}

/// Money that a credit note was paid out with, and the day from which it stands again.
#[derive(Clone, Debug)]
pub struct Refund {
    pub id: String,
    pub on: i64,
    pub minor: i64,
    pub until: Option<i64>,
}

/// What was contested: how much of which claim from when, and from its decision on how much was right.
#[derive(Clone, Debug)]
pub struct Contested {
    pub claim: String,
    pub on: i64,
    pub minor: i64,
    pub decided: i64,
    pub upheld: i64,
}

/// The documents as far as some of the steps had come.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub contested: Vec<Contested>,
    /// Whether the duplicate was merged into the customer.
    pub merged: bool,
    pub claims: Vec<Claim>,
    pub credits: Vec<Credit>,
}

/// What the clerk wrote down for a step that the ledger took.
#[derive(Clone, Debug)]
pub enum Entry {
    Claims(Vec<Claim>),
    Credits(Vec<Credit>),
    /// With what was upheld of it.
    Dispute(Contested, Vec<Credit>),
    Merge,
    /// Payment, day, how much, whether by mistake, id.
    Back(Vec<(String, i64, i64, bool, String)>),
    /// The credit note, and what was paid out of it.
    Refund(String, Refund),
    /// A refund that counts no more from a day on.
    RefundBack {
        id: String,
        on: i64,
    },
    Claim {
        id: String,
        on: i64,
        due: i64,
        minor: i64,
    },
    Money {
        id: String,
        on: i64,
        minor: i64,
    },
    End {
        id: String,
        on: i64,
    },
}

pub fn documents(log: &[(usize, Entry)], until: usize) -> Documents {
    let mut documents = Documents::default();
    for (_, entry) in log.iter().filter(|(step, _)| *step <= until) {
        match entry {
            Entry::Claims(claims) => documents.claims.extend(claims.iter().cloned()),
            Entry::Credits(credits) => documents.credits.extend(credits.iter().cloned()),
            Entry::Dispute(contested, upheld) => {
                documents.contested.push(contested.clone());
                documents.credits.extend(upheld.iter().cloned());
            }
            Entry::Merge => documents.merged = true,
            Entry::Back(back) => {
                for (payment, on, minor, mistake, id) in back {
                    let credit = documents.credits.iter_mut().find(|of| of.id == *payment);
                    credit.unwrap().back.push((*on, *minor, *mistake, id.clone()));
                }
            }
            Entry::Refund(note, refund) => {
                let credit = documents.credits.iter_mut().find(|of| of.id == *note);
                credit.unwrap().refunds.push(refund.clone());
            }
            Entry::RefundBack { id, on } => {
                let mut refunds = documents.credits.iter_mut().flat_map(|of| &mut of.refunds);
                refunds.find(|of| of.id == *id).unwrap().until = Some(*on);
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

impl Documents {
    /// Whose a document is that was recorded for this customer.
    pub fn owner(&self, customer: &'static str) -> &'static str {
        if self.merged { CUSTOMERS[0] } else { customer }
    }

    /// The documents of one customer in one currency.
    fn book(&self, customer: &str, currency: &str) -> Self {
        let mut book = self.clone();
        book.claims.retain(|of| self.owner(of.customer) == customer && of.currency == currency);
        book.credits.retain(|of| self.owner(of.customer) == customer && of.currency == currency);
        book
    }
}

/// Where everything stands at the end of a day.
#[derive(Debug, Default)]
pub struct Standing {
    /// Open of claims by id.
    pub open: BTreeMap<String, i64>,
    /// Not used of credits by id.
    pub free: BTreeMap<String, i64>,
    /// Interest of claims by id.
    pub interest: BTreeMap<String, i64>,
    /// The fixed sums of late invoices, by the id of the whole.
    pub fixed: BTreeMap<String, i64>,
}

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

    /// What bears on a day late: what was open the evening before, without what is contested.
    fn bears(&self, at: usize, today: i64, through: i64) -> i64 {
        let claim = &self.documents.claims[at];
        let mut bears = self.days[at][usize::try_from(today - 1).unwrap()];
        for of in self.documents.contested.iter().filter(|of| of.claim == claim.id) {
            let decided = of.decided <= through;
            if decided && of.upheld > 0 && claim.due <= today && today <= of.decided {
                bears -= of.upheld;
            }
            if !decided && of.on <= today {
                bears -= of.minor;
            }
        }
        bears.max(0)
    }

    fn late(&self, at: usize, through: i64) -> std::ops::RangeInclusive<i64> {
        self.documents.claims[at].due + GRACE + 1..=through
    }

    fn interest(&self, at: usize, through: i64) -> i64 {
        let mut sum = 0i128;
        for today in self.late(at, through) {
            let rate = if today < RATE_DAY { RATES.0 } else { RATES.1 };
            sum += i128::from(self.bears(at, today, through)) * rate;
        }
        i64::try_from((sum * 2 + 365 * 100) / (2 * 365 * 100)).unwrap()
    }

    /// One sum for an invoice of which anything was ever late, by all that it claims.
    fn fixed(&self, whole: &str, through: i64) -> i64 {
        let parts = self.meant(whole);
        let is_late =
            |at: &usize| self.late(*at, through).any(|today| self.bears(*at, today, through) > 0);
        let euros = parts.iter().all(|at| self.documents.claims[*at].currency == CURRENCIES[0]);
        if !euros || !parts.iter().any(is_late) {
            return 0;
        }
        let (below, small, large) = FIXED_SUMS;
        let amount: i64 = parts.iter().map(|at| self.documents.claims[*at].minor).sum();
        if amount < below { small } else { large }
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

    fn pay(&mut self, at: usize, claim: usize, most: i64) -> i64 {
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

    /// What is open of a claim; if asked so, without what is contested today.
    fn part(&self, claim: usize, calm: bool) -> i64 {
        let id = &self.documents.claims[claim].id;
        let contested =
            self.documents.contested.iter().filter(|of| {
                calm && of.claim == *id && of.on <= self.today && self.today < of.decided
            });
        self.open[claim] - contested.map(|of| of.minor).sum::<i64>()
    }

    /// Everything that is open, or open and not contested, in an order.
    fn queue(&self, order: &str, calm: bool) -> Vec<usize> {
        let mut open: Vec<usize> =
            (0..self.open.len()).filter(|claim| self.part(*claim, calm) > 0).collect();
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
                    2 * self.not_due(root) + self.burden(root),
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

    /// 0 for a debt that bears by the second rate, which is the heavier, from its first day late on.
    fn burden(&self, claim: usize) -> i64 {
        i64::from(self.documents.claims[claim].due + 1 < RATE_DAY)
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
                // What nobody contests is served first.
                let calm = !self.queue(credit.order, true).is_empty();
                let queue = self.queue(credit.order, calm);
                let Some(first) = queue.first().copied() else { return };
                if credit.order != ORDERS[4] {
                    self.pay(at, first, self.part(first, calm));
                    continue;
                }
                let alike = |claim: &usize| {
                    let (one, other) = (self.root(*claim), self.root(first));
                    (self.not_due(one), self.documents.claims[one].due)
                        == (self.not_due(other), self.documents.claims[other].due)
                };
                let group: Vec<usize> = queue.iter().copied().filter(alike).collect();
                self.share(at, &group, calm);
            }
        }
    }

    fn share(&mut self, at: usize, group: &[usize], calm: bool) {
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
            groups.iter().map(|of| of.iter().map(|claim| self.part(*claim, calm)).sum()).collect();
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
                left -= self.pay(at, claim, left.min(self.part(claim, calm)));
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
