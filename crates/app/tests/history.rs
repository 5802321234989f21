//! The ledger against a slow and obvious clerk: random events in any order of arrival, asked for any day and for any
//! moment of knowledge.
//!
//! The clerk keeps nothing but the list of events. To answer he takes those that had come by the moment, walks through
//! the days up to the one asked for, and on each looks through everything there is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use dunlin_app::{
    audit::Author,
    customer, dispute, invoice,
    ledger::{self, Change},
    payment, policy, statement, verify, write_off,
};
use dunlin_domain::{Date, Id, Instant};
use dunlin_store::{Db, Fault, When, native::NativeDb};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const START: &str = "2024-01-01";

fn day(number: i64) -> Date {
    START.parse::<Date>().unwrap().plus_days(number).unwrap()
}

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

/// The moment at which an event came: one a minute, after all days on which anything happens.
fn moment(step: usize) -> Instant {
    let start: Instant = "2025-01-01T00:00:00Z".parse().unwrap();
    start.plus_seconds(60 * i64::try_from(step).unwrap())
}

fn author(step: usize) -> Author {
    Author { who: "clerk".into(), at: moment(step), salt: "salt".into() }
}

/// Something that happens. Documents are named by their place among those of their kind.
#[derive(Clone, Debug)]
enum Event {
    Invoice {
        kind: &'static str,
        on: i64,
        net: i64,
        minor: i64,
        parts: bool,
        about: usize,
    },
    CreditNote {
        on: i64,
        minor: i64,
        about: Option<usize>,
    },
    Payment {
        on: i64,
        minor: i64,
        named: Vec<(usize, i64)>,
        order: &'static str,
        settles: Option<usize>,
    },
    Reverse {
        payment: usize,
        after: i64,
        minor: i64,
        mistake: bool,
    },
    CorrectInvoice {
        invoice: usize,
        on: i64,
        net: i64,
        minor: i64,
    },
    CorrectPayment {
        payment: usize,
        on: i64,
        minor: i64,
    },
    WriteOff {
        invoice: usize,
        after: i64,
        minor: i64,
    },
    TakeBack {
        write_off: usize,
        after: i64,
    },
    Dispute {
        invoice: usize,
        after: i64,
        minor: i64,
        upheld: i64,
    },
}

const ORDERS: [&str; 6] = [
    "oldest-due-first",
    "newest-due-first",
    "interest-first",
    "principal-first",
    "prc-civil-code-560-561",
    "fee-penalty-interest-principal",
];

fn event() -> impl Strategy<Value = Event> {
    let on = 0i64..40;
    let minor = 1i64..400;
    prop_oneof![
        4 => (0usize..5, on.clone(), 0i64..20, minor.clone(), any::<bool>(), 0usize..6).prop_map(
            |(kind, on, net, minor, parts, about)| {
                let kind = ["invoice", "invoice", "interest-note", "fee", "penalty"][kind];
                Event::Invoice { kind, on, net, minor: minor + 1, parts: parts && kind == "invoice", about }
            }
        ),
        1 => (on.clone(), minor.clone(), proptest::option::of(0usize..6))
            .prop_map(|(on, minor, about)| Event::CreditNote { on, minor, about }),
        5 => (on.clone(), minor.clone(), proptest::collection::vec((0usize..6, 1i64..200), 0..3), 0usize..6,
            proptest::option::weighted(0.2, 0usize..6)).prop_map(|(on, minor, named, order, settles)| {
                Event::Payment { on, minor: minor * 2, named, order: ORDERS[order], settles }
            }),
        2 => (0usize..6, 0i64..20, minor.clone(), any::<bool>())
            .prop_map(|(payment, after, minor, mistake)| Event::Reverse { payment, after, minor, mistake }),
        1 => (0usize..6, on.clone(), 0i64..20, 0i64..400)
            .prop_map(|(invoice, on, net, minor)| Event::CorrectInvoice { invoice, on, net, minor }),
        1 => (0usize..6, on, minor.clone())
            .prop_map(|(payment, on, minor)| Event::CorrectPayment { payment, on, minor }),
        2 => (0usize..6, 0i64..30, minor.clone())
            .prop_map(|(invoice, after, minor)| Event::WriteOff { invoice, after, minor }),
        1 => (0usize..3, 0i64..15).prop_map(|(write_off, after)| Event::TakeBack { write_off, after }),
        1 => (0usize..6, 0i64..30, minor, 0i64..200)
            .prop_map(|(invoice, after, minor, upheld)| Event::Dispute { invoice, after, minor, upheld }),
    ]
}

/// A claim, a credit and an adjustment as the clerk writes them down: as they were recorded and corrected by a moment.
#[derive(Clone, Debug)]
struct Claim {
    id: String,
    whole: String,
    kind: &'static str,
    about: Option<String>,
    on: i64,
    due: i64,
    minor: i64,
}

#[derive(Clone, Debug)]
struct Credit {
    id: String,
    /// 0 for credit notes, 1 for payments, 2 for adjustments.
    rank: u8,
    on: i64,
    minor: i64,
    named: Vec<(String, Option<i64>)>,
    order: &'static str,
    settles: Option<String>,
    /// Day, minor, mistake, id.
    back: Vec<(i64, i64, bool, String)>,
    recoverable: bool,
    /// Of a write-off: from when it does not count.
    until: Option<i64>,
}

/// The documents as far as some of the steps had come.
#[derive(Clone, Debug, Default)]
struct Documents {
    claims: Vec<Claim>,
    credits: Vec<Credit>,
}

/// What the clerk wrote down for a step that the ledger took.
#[derive(Clone, Debug)]
enum Entry {
    Claims(Vec<Claim>),
    Credit(Credit),
    Back { payment: String, on: i64, minor: i64, mistake: bool, id: String },
    Claim { id: String, on: i64, due: i64, minor: i64 },
    Money { id: String, on: i64, minor: i64 },
    End { id: String, on: i64 },
}

fn documents(log: &[(usize, Entry)], until: usize) -> Documents {
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
struct Standing {
    /// Open of claims by id.
    open: BTreeMap<String, i64>,
    /// Not used of credits by id.
    free: BTreeMap<String, i64>,
}

#[derive(Clone, Copy, Debug)]
struct Used {
    claim: usize,
    minor: i64,
    difference: bool,
    /// The write-off whose place the money took.
    recovered: Option<usize>,
}

struct Clerk<'a> {
    documents: &'a Documents,
    open: Vec<i64>,
    free: Vec<i64>,
    /// Kept for claims that are not there yet: credit, part, how much.
    kept: Vec<(usize, usize, i64)>,
    /// By credit, what it was set against.
    used: Vec<Vec<Used>>,
    /// Adjustment and how much of it stands, by claim.
    off: Vec<Vec<(usize, i64)>>,
    gone: Vec<i64>,
    today: i64,
}

impl<'a> Clerk<'a> {
    fn stand(documents: &'a Documents, until: i64) -> Standing {
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

/// A ledger with one customer, and what the clerk wrote down of what it took.
struct World {
    _folder: tempfile::TempDir,
    db: NativeDb,
    log: Vec<(usize, Entry)>,
    invoices: Vec<String>,
    payments: Vec<String>,
    write_offs: Vec<String>,
    step: usize,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
        customer::add(&db, &read(json!({"id": "C", "name": "C"})), id("made"), &author(0)).unwrap();
        Self {
            _folder: folder,
            db,
            log: Vec::new(),
            invoices: Vec::new(),
            payments: Vec::new(),
            write_offs: Vec::new(),
            step: 0,
        }
    }

    fn pick(of: &[String], at: usize) -> Option<String> {
        (!of.is_empty()).then(|| of[at % of.len()].clone())
    }

    fn now(&self) -> Documents {
        documents(&self.log, usize::MAX)
    }

    /// Tells the ledger, and notes what it took. What it refuses did not happen.
    fn tell(&mut self, number: usize, event: &Event) {
        self.step = number + 1;
        let author = author(self.step);
        let entry = match event {
            Event::Invoice { kind, on, net, minor, parts, about } => self.invoice(
                &format!("I{number}"),
                kind,
                (*on, *net, *minor),
                *parts,
                *about,
                &author,
            ),
            Event::CreditNote { on, minor, about } => {
                let name = format!("N{number}");
                let about = about.and_then(|at| Self::pick(&self.invoices, at));
                let new = read(
                    json!({"id": name, "customer_id": "C", "kind": "credit-note", "issued_on": day(*on),
                    "amount": eur(*minor), "relates_to": about}),
                );
                invoice::add(&self.db, &new, id("made"), &author).unwrap();
                let named = about.map(|about| (about, None)).into_iter().collect();
                Some(Entry::Credit(Self::credit(&name, 0, *on, *minor, named)))
            }
            Event::Payment { on, minor, named, order, settles } => {
                self.payment(&format!("P{number}"), *on, *minor, named, order, *settles, &author)
            }
            Event::Reverse { payment, after, minor, mistake } => {
                self.reverse(number, *payment, *after, *minor, *mistake, &author)
            }
            Event::CorrectInvoice { invoice, on, net, minor } => {
                self.correct_invoice(*invoice, (*on, *net, *minor), &author)
            }
            Event::CorrectPayment { payment, on, minor } => Self::pick(&self.payments, *payment)
                .and_then(|name| {
                    let new = read(
                        json!({"received_on": day(*on), "minor": minor, "reason": "typed wrongly"}),
                    );
                    let done = payment::correct(&self.db, &id(&name), &new, &author);
                    taken(done).then_some(Entry::Money { id: name, on: *on, minor: *minor })
                }),
            Event::WriteOff { invoice, after, minor } => Self::pick(&self.invoices, *invoice)
                .and_then(|name| {
                    let on = after + 5;
                    let new =
                        read(json!({"id": format!("W{number}"), "invoice_id": name, "on": day(on),
                        "minor": minor, "reason": "gone"}));
                    let done =
                        write_off::add(&self.db, &new, id("made"), &author).map(|done| done.1);
                    let credit =
                        Self::credit(&format!("W{number}"), 2, on, *minor, vec![(name, None)]);
                    if !taken(done) {
                        return None;
                    }
                    self.write_offs.push(format!("W{number}"));
                    Some(Entry::Credit(Credit { recoverable: true, ..credit }))
                }),
            Event::TakeBack { write_off, after } => Self::pick(&self.write_offs, *write_off)
                .and_then(|name| {
                    let known = self.now();
                    let of = known.credits.iter().find(|credit| credit.id == name).unwrap();
                    let on = of.on + after;
                    let new = read(json!({"on": day(on), "reason": "by mistake"}));
                    let done = write_off::reverse(&self.db, &id(&name), &new, &author);
                    taken(done.map(|done| done.1)).then_some(Entry::End { id: name, on })
                }),
            Event::Dispute { invoice, after, minor, upheld } => {
                self.dispute(number, *invoice, *after, *minor, *upheld, &author)
            }
        };
        if let Some(entry) = entry {
            self.log.push((self.step, entry));
        }
    }

    fn credit(
        name: &str,
        rank: u8,
        on: i64,
        minor: i64,
        named: Vec<(String, Option<i64>)>,
    ) -> Credit {
        Credit {
            id: name.to_string(),
            rank,
            on,
            minor,
            named,
            order: ORDERS[0],
            settles: None,
            back: Vec::new(),
            recoverable: false,
            until: None,
        }
    }

    fn invoice(
        &mut self,
        name: &str,
        kind: &'static str,
        (on, net, minor): (i64, i64, i64),
        parts: bool,
        about: usize,
        author: &Author,
    ) -> Option<Entry> {
        let claims: Vec<String> = self
            .now()
            .claims
            .iter()
            .filter(|claim| claim.kind == "invoice")
            .map(|c| c.whole.clone())
            .collect();
        let about = Self::pick(&claims, about).filter(|_| kind != "invoice");
        let halves = [(on + net, minor / 2), (on + net + 7, minor - minor / 2)];
        let parts = parts && minor > 1;
        let instalments: Vec<Value> = halves
            .iter()
            .map(|(due, minor)| json!({"due_on": day(*due), "minor": minor}))
            .collect();
        let written = if kind == "penalty" { "fee" } else { kind };
        let mut new = json!({"id": name, "customer_id": "C", "kind": written, "issued_on": day(on),
            "amount": eur(minor), "relates_to": about});
        if kind == "penalty" {
            new["penalty"] = json!(true);
        }
        if parts {
            new["instalments"] = instalments.into();
        } else {
            new["due_on"] = json!(day(on + net));
        }
        invoice::add(&self.db, &read(new), id("made"), author).unwrap();
        self.invoices.push(name.to_string());
        let whole = name.to_string();
        let claim = |id: String, due: i64, minor: i64| Claim {
            id,
            whole: whole.clone(),
            kind,
            about: about.clone(),
            on,
            due,
            minor,
        };
        Some(Entry::Claims(if parts {
            (1..)
                .zip(halves)
                .map(|(number, (due, minor))| claim(format!("{name}#{number}"), due, minor))
                .collect()
        } else {
            vec![claim(name.to_string(), on + net, minor)]
        }))
    }

    #[allow(clippy::too_many_arguments)]
    fn payment(
        &mut self,
        name: &str,
        on: i64,
        minor: i64,
        named: &[(usize, i64)],
        order: &'static str,
        settles: Option<usize>,
        author: &Author,
    ) -> Option<Entry> {
        let mut parts: Vec<(String, i64)> = Vec::new();
        let mut left = minor;
        for (at, minor) in named {
            if let Some(invoice) = Self::pick(&self.invoices, *at) {
                let minor = *minor.min(&left);
                if minor > 0 {
                    left -= minor;
                    parts.push((invoice, minor));
                }
            }
        }
        let settles = settles.and_then(|at| Self::pick(&self.invoices, at));
        let designation: Vec<Value> = parts
            .iter()
            .map(|(invoice, minor)| json!({"invoice_id": invoice, "minor": minor}))
            .collect();
        let mut new = json!({"id": name, "customer_id": "C", "received_on": day(on), "amount": eur(minor),
            "order": order});
        if !designation.is_empty() {
            new["designation"] = designation.into();
        }
        if let Some(settles) = &settles {
            new["settles"] = json!([settles]);
        }
        payment::add(&self.db, &read(new), id("made"), author).unwrap();
        self.payments.push(name.to_string());
        let named = parts.into_iter().map(|(invoice, minor)| (invoice, Some(minor))).collect();
        Some(Entry::Credit(Credit { order, settles, ..Self::credit(name, 1, on, minor, named) }))
    }

    fn reverse(
        &mut self,
        number: usize,
        payment: usize,
        after: i64,
        minor: i64,
        mistake: bool,
        author: &Author,
    ) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let back = format!("B{number}");
        let mut new = json!({"id": back, "kind": if mistake { "mistake" } else { "chargeback" }});
        if !mistake {
            new["on"] = json!(day(on));
        }
        // Half of the time all of it goes back.
        if minor % 2 == 0 {
            new["minor"] = json!(minor);
        }
        if !taken(payment::reverse(&self.db, &id(&name), &read(new), id("made"), author)) {
            return None;
        }
        let answer = payment::get(&self.db, &id(&name), day(400), i64::MAX).unwrap();
        let stored = answer.reversals.unwrap().into_iter().find(|of| of.id == id(&back)).unwrap();
        Some(Entry::Back { payment: name, on, minor: stored.minor, mistake, id: back })
    }

    fn correct_invoice(
        &mut self,
        invoice: usize,
        (on, net, minor): (i64, i64, i64),
        author: &Author,
    ) -> Option<Entry> {
        let name = Self::pick(&self.invoices, invoice)?;
        let known = self.now();
        let plain = known.claims.iter().any(|claim| claim.id == name);
        let name = if plain { name } else { format!("{name}#1") };
        let before = known.claims.iter().find(|claim| claim.id == name).unwrap().on;
        let on = if plain { on } else { before };
        let mut new = json!({"due_on": day(on + net), "minor": minor, "reason": "typed wrongly"});
        if plain {
            new["issued_on"] = json!(day(on));
        }
        let done = invoice::correct(&self.db, &id(&name), &read(new), author);
        taken(done).then_some(Entry::Claim { id: name, on, due: on + net, minor })
    }

    fn dispute(
        &mut self,
        number: usize,
        invoice: usize,
        after: i64,
        minor: i64,
        upheld: i64,
        author: &Author,
    ) -> Option<Entry> {
        let name = Self::pick(&self.invoices, invoice)?;
        let dispute = format!("D{number}");
        let new = read(
            json!({"id": dispute, "invoice_id": name, "on": day(after), "minor": minor, "reason": "price"}),
        );
        let done = dispute::open(&self.db, &new, id("made"), author).map(|done| done.1);
        if !taken(done) {
            return None;
        }
        let upheld = upheld.min(minor);
        let outcome = match upheld {
            0 => json!({"outcome": "rejected", "on": day(after + 3)}),
            all if all == minor => json!({"outcome": "upheld", "on": day(after + 3)}),
            part => json!({"outcome": "partly-upheld", "upheld_minor": part, "on": day(after + 3)}),
        };
        dispute::resolve(&self.db, &id(&dispute), &read(outcome), author).unwrap();
        let named = vec![(name, None)];
        (upheld > 0).then(|| Entry::Credit(Self::credit(&dispute, 2, after + 3, upheld, named)))
    }

    /// What the ledger answers for a day and a moment is what the clerk finds.
    fn check(&self, on: i64, until: usize) {
        let documents = documents(&self.log, until);
        let standing = Clerk::stand(&documents, on);
        let known = invoice::known_at(&self.db, Some(moment(until.min(self.step)))).unwrap();
        let mut balance = 0;
        for claim in &documents.claims {
            let got = invoice::get(&self.db, &id(&claim.id), day(on), known)
                .map(|got| got.open.minor)
                .ok();
            let wanted = standing.open.get(&claim.id).copied();
            assert_eq!(got, wanted, "open of {} on day {on} as known at step {until}", claim.id);
            balance += wanted.unwrap_or(0);
        }
        for credit in documents.credits.iter().filter(|credit| credit.rank < 2) {
            let name = id(&credit.id);
            let got = match credit.rank {
                0 => invoice::get(&self.db, &name, day(on), known).map(|got| got.open.minor),
                _ => payment::get(&self.db, &name, day(on), known).map(|got| got.unallocated.minor),
            };
            let wanted = standing.free.get(&credit.id).copied();
            assert_eq!(
                got.ok(),
                wanted,
                "left of {} on day {on} as known at step {until}",
                credit.id
            );
            balance -= wanted.unwrap_or(0);
        }
        let when = When { day: day(on), known };
        let owed = ledger::customer(&self.db, &id("C"), when).unwrap().balances;
        let sums = owed.first().map_or((0, 0), |of| (of.outstanding_minor, of.unapplied_minor));
        let outstanding: i64 = standing.open.values().sum();
        let left: i64 = standing.free.values().sum();
        assert_eq!(sums, (outstanding, left), "the sums on day {on} as known at step {until}");
        let exposed = customer::standing(&self.db, &id("C"), when).unwrap().own;
        assert_eq!(exposed.first().map_or(0, |of| of.exposure_minor), outstanding);
        self.check_lists(&documents, &standing, when);
        let lines = statement::of(&self.db, &id("C"), day(on), None, known).unwrap();
        let last = lines.entries.last().map_or(0, |entry| entry.balance_minor);
        assert_eq!(last, balance, "the balance on day {on} as known at step {until}");
    }
}

impl World {
    /// The lists, page by page, have what was there and known, in their order.
    fn check_lists(&self, documents: &Documents, standing: &Standing, when: When) {
        let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
        for claim in &documents.claims {
            if let Some(open) = standing.open.get(&claim.id) {
                *wanted.entry(claim.whole.clone()).or_default() += open;
            }
        }
        let (mut notes, mut money) = (BTreeMap::new(), BTreeMap::new());
        for credit in &documents.credits {
            if let Some(free) = standing.free.get(&credit.id) {
                let into = if credit.rank == 0 { &mut notes } else { &mut money };
                into.insert(credit.id.clone(), *free);
            }
        }
        wanted.append(&mut notes);
        let (mut got, mut after, mut dues) = (BTreeMap::new(), (String::new(), 0), Vec::new());
        loop {
            let page = invoice::page(&self.db, &id("C"), &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            for (invoice, _) in page {
                dues.push(invoice.due_on);
                assert_eq!(got.insert(invoice.id.to_string(), invoice.open.minor), None);
            }
        }
        assert_eq!(got, wanted, "the list of invoices {when:?}");
        assert!(dues.is_sorted(), "{dues:?}");
        let (mut got, mut after) = (BTreeMap::new(), (String::new(), 0));
        loop {
            let page = payment::page(&self.db, &id("C"), &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            for (payment, _) in page {
                got.insert(payment.id.to_string(), payment.unallocated.minor);
            }
        }
        assert_eq!(got, money, "the list of payments {when:?}");
    }
}

/// Whether the ledger took it. What cannot be is refused; a fault is none of that.
fn taken(done: Result<Change, Fault>) -> bool {
    match done {
        Ok(change) => change != Change::AlreadySo,
        Err(Fault::Refused(_)) => false,
        Err(fault) => panic!("{fault:?}"),
    }
}

/// What stands in the ledger, by ids: what must not depend on the order of arrival.
fn state(db: &NativeDb) -> Vec<String> {
    let sql = "SELECT 'open ' || id || ' ' || open_minor FROM invoice
        UNION ALL SELECT 'left ' || id || ' ' || unallocated_minor FROM payment
        UNION ALL SELECT 'set ' || coalesce(i.id, 'back') || ' ' || coalesce(p.id, n.id, x.id) || ' '
            || coalesce(a.difference, '-') || ' ' || allocated_on || ' ' || sum(a.amount_minor)
        FROM allocation AS a LEFT JOIN invoice AS i ON i.key = a.invoice_key
        LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
        LEFT JOIN invoice AS n ON n.key = a.credit_key LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
        GROUP BY a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.difference, allocated_on
        HAVING sum(a.amount_minor) <> 0";
    let rows = db.execute(sql, &[]).unwrap();
    let mut lines: Vec<String> = rows.iter().map(|row| row.text(0).unwrap().to_string()).collect();
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, max_shrink_iters: 600, ..ProptestConfig::default() })]

    #[test]
    fn every_day_and_every_moment_is_as_the_clerk_finds_it(
        events in proptest::collection::vec(event(), 1..28),
        questions in proptest::collection::vec((0i64..70, 0usize..30), 4),
    ) {
        let mut world = World::new();
        for (number, event) in events.iter().enumerate() {
            world.tell(number, event);
        }
        world.check(70, usize::MAX);
        for (on, until) in questions {
            world.check(on, usize::MAX);
            world.check(on, until);
        }
        let verification = verify::books(&world.db).unwrap();
        let broken: Vec<_> = verification.checks.iter().filter(|check| check.broken > 0).collect();
        prop_assert!(verification.ok, "{broken:?}");
    }
}

/// Events that depend on no state: whatever their order of arrival, they are taken.
fn free_events() -> impl Strategy<Value = Vec<Event>> {
    let is_free = |event: &Event| {
        matches!(
            event,
            Event::Invoice { .. } | Event::CreditNote { about: None, .. } | Event::Payment { .. }
        )
    };
    proptest::collection::vec(event().prop_filter("depends on no state", is_free), 2..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(events in free_events(), turn in any::<prop::sample::Index>()) {
        let mut worlds = Vec::new();
        let mut numbered: Vec<(usize, Event)> = events.into_iter().enumerate().map(|(number, mut event)| {
            // What a payment names must be there when it comes.
            if let Event::Payment { named, settles, .. } = &mut event {
                named.clear();
                *settles = None;
            }
            if let Event::Invoice { kind, .. } = &mut event {
                *kind = "invoice";
            }
            (number, event)
        }).collect();
        for _ in 0..2 {
            let mut world = World::new();
            for (number, event) in &numbered {
                world.tell(*number, event);
            }
            worlds.push(state(&world.db));
            let at = turn.index(numbered.len());
            numbered.rotate_left(at);
            numbered.reverse();
        }
        prop_assert_eq!(&worlds[0], &worlds[1]);
    }
}

/// What was written off, recovered by money that went back, and is taken back from a day on, in whatever order it came.
#[test]
fn a_write_off_stands_until_it_is_taken_back_in_any_order_of_arrival() {
    let invoice =
        Event::Invoice { kind: "invoice", on: 0, net: 3, minor: 100, parts: false, about: 0 };
    let write_off = Event::WriteOff { invoice: 0, after: 5, minor: 60 };
    let (named, order) = (vec![(0, 90)], ORDERS[0]);
    let payment = Event::Payment { on: 20, minor: 90, named, order, settles: None };
    let back = Event::Reverse { payment: 0, after: 5, minor: 70, mistake: false };
    // On its own day, before the recovery, on its day, before, on and after the day on which the money goes back.
    for after in [0, 5, 10, 12, 15, 20] {
        let take_back = Event::TakeBack { write_off: 0, after };
        let events = [&invoice, &write_off, &payment, &back, &take_back];
        let orders = [[0, 1, 2, 3, 4], [0, 2, 3, 1, 4], [0, 1, 4, 2, 3], [0, 2, 1, 4, 3]];
        let worlds = orders.map(|order| {
            let mut world = World::new();
            for (step, number) in order.into_iter().enumerate() {
                world.tell(number, events[number]);
                assert_eq!(world.log.len(), step + 1, "{number} was refused");
            }
            for on in [9, 10, 14, 15, 19, 20, 22, 24, 25, 29, 30] {
                world.check(on, usize::MAX);
            }
            assert!(verify::books(&world.db).unwrap().ok);
            state(&world.db)
        });
        assert!(worlds.iter().all(|state| *state == worlds[0]), "{after}: {worlds:#?}");
        // Whenever it ends, the debt less the money that stayed is open then.
        assert!(worlds[0].contains(&"open I0 80".to_string()), "{after}: {:#?}", worlds[0]);
    }
}

#[test]
fn a_policy_is_a_document_like_any_other() {
    // The clerk's orders are presets: the policy that names one by default changes what unnamed payments serve.
    let mut world = World::new();
    for (number, on) in [(0, 0), (1, 5)] {
        world.tell(
            number,
            &Event::Invoice { kind: "invoice", on, net: 3, minor: 100, parts: false, about: 0 },
        );
    }
    let new =
        read(json!({"id": "P", "customer_id": "C", "received_on": day(10), "amount": eur(100)}));
    payment::add(&world.db, &new, id("made"), &author(3)).unwrap();
    let open =
        |name: &str| invoice::get(&world.db, &id(name), day(20), i64::MAX).unwrap().open.minor;
    assert_eq!((open("I0"), open("I1")), (0, 100));
    policy::put(&world.db, &read(json!({"order": "newest-due-first"})), &author(4)).unwrap();
    assert_eq!((open("I0"), open("I1")), (100, 0));
    let before = invoice::known_at(&world.db, Some(moment(3))).unwrap();
    assert_eq!(invoice::get(&world.db, &id("I0"), day(20), before).unwrap().open.minor, 0);
}
