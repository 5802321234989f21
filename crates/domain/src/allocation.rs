//! Which payment pays which invoice.
//!
//! The answer is a replay of one customer's documents in one currency by their dates, never by their arrival. So any
//! order of arrival gives the same allocations, a backdated document replays what came after it, and what is dated up
//! to a day is decided by what is dated up to that day alone.
//!
//! A day passes like this. Claims issued on it open. Credit notes, then payments, go to the claims they name; a payment
//! books the differences it brings (deductions, an early-payment discount, an agreed settlement, a rest within the
//! tolerance); a payment for a claim that was written off recovers it. Write-offs and upheld disputes take off what is
//! left to take off; an upheld dispute of what is paid already displaces the newest money. What credits have left goes to what is open, first credit first, each in its own order of debts.
//! Then money that goes back that day is taken out again: what was not used first, then the newest allocations.

use crate::{
    Date, Decimal, Id,
    contract::{
        ledger::{Component, OrderKey},
        types::Difference,
    },
    decimal,
    order::Order,
};
use std::collections::{BTreeMap, BTreeSet};

/// Something that can be paid: an invoice, an instalment, an interest note or a fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The store's key.
    pub key: i64,
    /// The client's id, which settles ties: keys follow the order of arrival.
    pub id: Id,
    /// From this day on it can be paid.
    pub issued_on: Date,
    /// The last day on which payment is in time.
    pub due_on: Date,
    /// What is claimed, zero or more.
    pub amount_minor: i64,
    /// What it is for.
    pub component: Component,
    /// The claim that an interest note or fee is about, which it forms one debt with. One that is issued later is not
    /// known yet and does not count.
    pub about: Option<i64>,
    /// Whether a right of ours secures it.
    pub secured: bool,
    /// The rate of its late interest in millionths, for orders that ask for the heaviest burden.
    pub burden: i64,
    /// The share that early payment saves, and the last day for it.
    pub discount: Option<(Decimal, Date)>,
}

/// Where an allocation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A credit note, by the store's key. On one day credit notes count before payments.
    Credit(i64),
    /// A payment, by the store's key.
    Payment(i64),
    /// A write-off or an upheld dispute, by the store's key.
    Adjustment(i64),
    /// What a payment settled without being money: the payment's key and why.
    Difference(i64, Difference),
}

/// A part of a credit for named claims: an invoice, or the instalments of one, oldest due first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The claims, in the order in which they are served.
    pub claims: Vec<i64>,
    /// How much. Absent: all of the credit.
    pub minor: Option<i64>,
}

/// Money of a payment that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// When. Of a mistake it does not matter.
    pub on: Date,
    /// How much.
    pub minor: i64,
    /// Settles ties.
    pub id: Id,
    /// Booked by mistake: as if so much had never come.
    pub mistake: bool,
}

/// Something that can be set against claims: a payment, a credit note or an adjustment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Which document.
    pub source: Source,
    /// The client's id, which settles ties.
    pub id: Id,
    /// The day it counts from.
    pub on: Date,
    /// How much, zero or more.
    pub amount_minor: i64,
    /// The claims the payer named. They are served first, from the day they are issued.
    pub named: Vec<Named>,
    /// What the payer held back: why, from which claims, how much.
    pub deductions: Vec<(Difference, Vec<i64>, i64)>,
    /// Claims that it settles in full.
    pub settles: Vec<i64>,
    /// Money that went back.
    pub returned: Vec<Returned>,
    /// The order for what is not named: a place in the list of orders that the replay is given.
    pub order: usize,
    /// The most that is booked off when what it names is left with so little.
    pub tolerance_minor: i64,
    /// Of an adjustment: whether money that comes later for the claim takes it back, as it does with a write-off.
    pub recoverable: bool,
}

impl Credit {
    /// A credit of the plain kind: nothing named, nothing held back, nothing returned, in the first order.
    pub fn plain(source: Source, id: Id, on: Date, amount_minor: i64) -> Self {
        Self {
            source,
            id,
            on,
            amount_minor,
            named: Vec::new(),
            deductions: Vec::new(),
            settles: Vec::new(),
            returned: Vec::new(),
            order: 0,
            tolerance_minor: 0,
            recoverable: false,
        }
    }
}

/// A part of a credit set against a claim, or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Allocated {
    /// From where.
    pub source: Source,
    /// The claim's key. `None`: back to the payer.
    pub claim: Option<i64>,
    /// The day it counts from.
    pub on: Date,
    /// How much. Below zero where it is taken back on a later day.
    pub amount_minor: i64,
}

/// By day, credit notes before payments before adjustments, then by id.
type CreditOrder<'a> = (Date, u8, &'a Id);

/// How far a claim is on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Overdue,
    /// On the last day on which payment is in time.
    Today,
    NotYet,
}

/// A claim while the days pass.
struct Debt<'a> {
    claim: &'a Claim,
    /// What is open. Zero before it is issued.
    open: i64,
    due: Due,
    /// Its place among all claims by due date, day of issue and id.
    rank: i64,
    /// The place of the claim it is about, or its own.
    root: usize,
    /// The places of the claims about it.
    about: Vec<usize>,
    /// What adjustments took off and nothing has recovered: adjustment and how much.
    written_off: Vec<(i64, i64)>,
}

/// A credit while the days pass.
struct Active<'a> {
    credit: &'a Credit,
    /// What can be set against anything.
    free: i64,
    /// What is kept for claims that are not issued yet.
    waiting: i64,
    /// What was set against claims, oldest first: place of the claim, how much, and the difference if it is one.
    used: Vec<(usize, i64, Option<Difference>)>,
    returned: i64,
}

/// What happens on one day.
#[derive(Default)]
struct Day {
    claims: Vec<usize>,
    due: Vec<usize>,
    credits: Vec<usize>,
    /// A named part that waited: credit, part, how much was kept.
    parts: Vec<(usize, usize, i64)>,
    returns: Vec<(usize, usize)>,
    /// Credits whose differences are about a claim of this day.
    differences: Vec<usize>,
}

struct Replay<'a> {
    debts: Vec<Debt<'a>>,
    by_key: BTreeMap<i64, usize>,
    active: Vec<Active<'a>>,
    orders: &'a [Order],
    /// For each order what is open, in that order.
    open: Vec<BTreeMap<Vec<i64>, usize>>,
    /// Credits with something free.
    pool: BTreeMap<CreditOrder<'a>, usize>,
    done: Vec<Allocated>,
    today: Date,
}

/// Replays one customer's documents in one currency. The order of the inputs does not matter. A credit whose place in
/// `orders` does not exist is served oldest due first.
pub fn replay(claims: &[Claim], credits: &[Credit], orders: &[Order]) -> Vec<Allocated> {
    let fallback = [Order::default()];
    let orders = if orders.is_empty() { &fallback } else { orders };
    let Some(mut replay) = Replay::new(claims, credits, orders) else { return Vec::new() };
    let mut days = replay.calendar();
    while let Some((day, events)) = days.pop_first() {
        replay.pass(day, events, &mut days);
    }
    replay.done
}

fn place(credit: &Credit) -> CreditOrder<'_> {
    let kind = match credit.source {
        Source::Credit(_) => 0,
        Source::Payment(_) | Source::Difference(..) => 1,
        Source::Adjustment(_) => 2,
    };
    (credit.on, kind, &credit.id)
}

impl<'a> Replay<'a> {
    fn new(claims: &'a [Claim], credits: &'a [Credit], orders: &'a [Order]) -> Option<Self> {
        let mut sorted: Vec<&Claim> = claims.iter().collect();
        sorted.sort_by_key(|claim| (claim.due_on, claim.issued_on, &claim.id));
        let by_key: BTreeMap<i64, usize> =
            sorted.iter().enumerate().map(|(at, claim)| (claim.key, at)).collect();
        let mut debts: Vec<Debt<'a>> = sorted
            .iter()
            .enumerate()
            .map(|(at, claim)| Debt {
                claim,
                open: 0,
                due: Due::NotYet,
                rank: i64::try_from(at).unwrap_or(i64::MAX),
                root: claim
                    .about
                    .and_then(|about| by_key.get(&about).copied())
                    .filter(|root| {
                        let root = sorted.get(*root);
                        root.is_some_and(|root| root.issued_on <= claim.issued_on)
                    })
                    .unwrap_or(at),
                about: Vec::new(),
                written_off: Vec::new(),
            })
            .collect();
        for at in 0..debts.len() {
            let root = debts.get(at).map_or(at, |debt| debt.root);
            if root != at
                && let Some(root) = debts.get_mut(root)
            {
                root.about.push(at);
            }
        }
        let mut ordered: Vec<&Credit> = credits.iter().collect();
        ordered.sort_by_key(|credit| place(credit));
        let active = ordered
            .into_iter()
            .map(|credit| Active { credit, free: 0, waiting: 0, used: Vec::new(), returned: 0 })
            .collect();
        let today =
            claims.iter().map(|claim| claim.issued_on).chain(credits.iter().map(|c| c.on)).min()?;
        let open = orders.iter().map(|_| BTreeMap::new()).collect();
        let (pool, done) = (BTreeMap::new(), Vec::new());
        Some(Self { debts, by_key, active, orders, open, pool, done, today })
    }

    fn calendar(&self) -> BTreeMap<Date, Day> {
        let mut days: BTreeMap<Date, Day> = BTreeMap::new();
        let asks_due = self.orders.iter().any(Order::asks_due);
        let asks_overdue = self.orders.iter().any(Order::asks_overdue);
        for (at, debt) in self.debts.iter().enumerate() {
            days.entry(debt.claim.issued_on).or_default().claims.push(at);
            if asks_due {
                days.entry(debt.claim.due_on.max(debt.claim.issued_on)).or_default().due.push(at);
            }
            if asks_overdue && let Ok(late) = debt.claim.due_on.plus_days(1) {
                days.entry(late.max(debt.claim.issued_on)).or_default().due.push(at);
            }
        }
        for (at, active) in self.active.iter().enumerate() {
            days.entry(active.credit.on).or_default().credits.push(at);
            let deducted = active.credit.deductions.iter().flat_map(|(_, claims, _)| claims);
            let about: BTreeSet<Date> = deducted
                .chain(&active.credit.settles)
                .filter_map(|key| self.debts.get(*self.by_key.get(key)?))
                .map(|debt| debt.claim.issued_on.max(active.credit.on))
                .collect();
            for on in about {
                days.entry(on).or_default().differences.push(at);
            }
            for (number, back) in active.credit.returned.iter().enumerate() {
                if back.mistake {
                    continue;
                }
                let on = back.on.max(active.credit.on);
                days.entry(on).or_default().returns.push((at, number));
            }
        }
        days
    }

    fn pass(&mut self, day: Date, mut events: Day, later: &mut BTreeMap<Date, Day>) {
        self.today = day;
        for at in events.claims {
            self.reopen(at, self.debts.get(at).map_or(0, |debt| debt.claim.amount_minor));
        }
        for at in events.due {
            self.becomes_due(at);
        }
        let is_adjustment = |replay: &Self, at: usize| {
            replay.active.get(at).is_some_and(|a| matches!(a.credit.source, Source::Adjustment(_)))
        };
        let (adjustments, credits): (Vec<usize>, Vec<usize>) =
            events.credits.into_iter().partition(|at| is_adjustment(self, *at));
        // What was kept for a claim of this day is older than what comes today.
        let mut naming: Vec<usize> = Vec::new();
        for (at, part, kept) in events.parts {
            self.serve_part(at, part, kept);
            naming.push(at);
        }
        for at in &credits {
            self.begin(*at, later);
            naming.push(*at);
        }
        events.differences.sort_unstable();
        for at in &events.differences {
            self.differences(*at);
        }
        for at in naming {
            self.tolerate(at);
        }
        for at in &adjustments {
            self.adjust(*at);
        }
        self.serve_pool();
        if !events.returns.is_empty() {
            events.returns.sort_by_key(|(at, number)| {
                let credit = self.active.get(*at).map(|active| active.credit);
                (*at, credit.and_then(|credit| credit.returned.get(*number)).map(|back| &back.id))
            });
            for (at, number) in events.returns {
                self.give_back(at, number);
            }
            self.serve_pool();
        }
    }

    /// A credit's first day: what it names that is issued is served, what is not is kept, the rest is free.
    fn begin(&mut self, at: usize, later: &mut BTreeMap<Date, Day>) {
        let Some(active) = self.active.get_mut(at) else { return };
        let credit = active.credit;
        let mistaken = credit.returned.iter().filter(|back| back.mistake);
        let mistaken = mistaken.fold(0i64, |sum, back| sum.saturating_add(back.minor));
        let mistaken = mistaken.min(credit.amount_minor);
        active.free = credit.amount_minor.saturating_sub(mistaken);
        active.returned = mistaken;
        if mistaken > 0 {
            self.note(credit.source, None, mistaken);
        }
        for (part, named) in credit.named.iter().enumerate() {
            let free = self.active.get(at).map_or(0, |active| active.free);
            let minor = named.minor.unwrap_or(free).min(free);
            let issued = named
                .claims
                .iter()
                .filter_map(|key| self.by_key.get(key))
                .filter_map(|place| self.debts.get(*place).map(|debt| debt.claim.issued_on));
            match issued.min() {
                Some(on) if on > self.today => {
                    if let Some(active) = self.active.get_mut(at) {
                        active.free = active.free.saturating_sub(minor);
                        active.waiting = active.waiting.saturating_add(minor);
                    }
                    later.entry(on).or_default().parts.push((at, part, minor));
                }
                _ => self.serve_named(at, part, minor),
            }
        }
        self.pool_rest(at);
    }

    fn serve_part(&mut self, at: usize, part: usize, kept: i64) {
        let Some(active) = self.active.get_mut(at) else { return };
        let minor = kept.min(active.waiting);
        active.waiting = active.waiting.saturating_sub(minor);
        active.free = active.free.saturating_add(minor);
        self.serve_named(at, part, minor);
        self.pool_rest(at);
    }

    /// Sets up to `minor` of the credit's free money against what its part names. What was written off of those claims
    /// is recovered.
    fn serve_named(&mut self, at: usize, part: usize, minor: i64) {
        let Some(credit) = self.active.get(at).map(|active| active.credit) else { return };
        let Some(named) = credit.named.get(part) else { return };
        let places: Vec<usize> =
            named.claims.iter().filter_map(|key| self.by_key.get(key).copied()).collect();
        let mut left = minor;
        for place in &places {
            left = left.saturating_sub(self.settle(at, *place, left));
        }
        if matches!(credit.source, Source::Payment(_)) {
            for place in &places {
                left = left.saturating_sub(self.recover(at, *place, left));
            }
        }
    }

    /// What a payment that is used up leaves of what it names is booked off when it is little enough.
    fn tolerate(&mut self, at: usize) {
        let Some(active) = self.active.get(at) else { return };
        let credit = active.credit;
        if active.free > 0 || credit.tolerance_minor == 0 || active.returned >= credit.amount_minor
        {
            return;
        }
        for named in &credit.named {
            let places: Vec<usize> =
                named.claims.iter().filter_map(|key| self.by_key.get(key).copied()).collect();
            let open = places.iter().filter_map(|place| self.debts.get(*place));
            let rest = open.fold(0i64, |rest, debt| rest.saturating_add(debt.open));
            if rest <= credit.tolerance_minor {
                for place in places {
                    self.differ(at, place, i64::MAX, Difference::Tolerance);
                }
            }
        }
    }

    /// What a payment settles without being money.
    fn differences(&mut self, at: usize) {
        let Some(active) = self.active.get(at) else { return };
        let credit = active.credit;
        if active.returned >= credit.amount_minor {
            return;
        }
        for (why, claims, minor) in &credit.deductions {
            let mut left = *minor;
            for key in claims {
                if let Some(place) = self.place_today(credit, *key) {
                    left = left.saturating_sub(self.differ(at, place, left, *why));
                }
            }
        }
        for key in &credit.settles {
            if let Some(place) = self.place_today(credit, *key) {
                self.differ(at, place, i64::MAX, Difference::FullSettlement);
            }
        }
    }

    /// The place of a claim, on the day on which both it and the credit are there for the first time.
    fn place_today(&self, credit: &Credit, key: i64) -> Option<usize> {
        let place = self.by_key.get(&key).copied()?;
        let debt = self.debts.get(place)?;
        (debt.claim.issued_on.max(credit.on) == self.today).then_some(place)
    }

    /// A write-off or an upheld dispute takes off what is left to take off. What was right about a claim that is paid
    /// already displaces the newest money from it.
    fn adjust(&mut self, at: usize) {
        let Some(credit) = self.active.get(at).map(|active| active.credit) else { return };
        let mut left = credit.amount_minor;
        for key in credit.named.iter().flat_map(|named| &named.claims) {
            let Some(place) = self.by_key.get(key).copied() else { continue };
            if !credit.recoverable {
                let open = self.debts.get(place).map_or(0, |debt| debt.open);
                self.displace(place, left.saturating_sub(open));
            }
            let minor = left.min(self.debts.get(place).map_or(0, |debt| debt.open));
            if minor <= 0 {
                continue;
            }
            left = left.saturating_sub(minor);
            self.close(place, minor);
            self.note(credit.source, Some(place), minor);
            if let (Some(debt), Source::Adjustment(key)) =
                (self.debts.get_mut(place), credit.source)
                && credit.recoverable
            {
                debt.written_off.push((key, minor));
            }
        }
    }

    /// Takes up to so much of money and credit notes off a claim again, the newest first: it is free for others.
    fn displace(&mut self, place: usize, most: i64) {
        let mut left = most;
        for at in (0..self.active.len()).rev() {
            let Some(active) = self.active.get_mut(at) else { continue };
            let mut freed = 0i64;
            for (claim, minor, why) in active.used.iter_mut().rev() {
                if *claim == place && why.is_none() {
                    let take = left.min(*minor).max(0);
                    *minor = minor.saturating_sub(take);
                    left = left.saturating_sub(take);
                    freed = freed.saturating_add(take);
                }
            }
            if freed > 0 {
                active.used.retain(|(_, minor, _)| *minor > 0);
                active.free = active.free.saturating_add(freed);
                let source = active.credit.source;
                self.note(source, Some(place), freed.saturating_neg());
                self.reopen(place, freed);
                self.pool_rest(at);
            }
        }
    }

    /// Money for a claim that was written off: as much of the write-off as it covers is taken back on its day.
    fn recover(&mut self, at: usize, place: usize, most: i64) -> i64 {
        let mut recovered = 0i64;
        while recovered < most {
            let Some((adjustment, minor)) =
                self.debts.get_mut(place).and_then(|debt| debt.written_off.pop())
            else {
                break;
            };
            let part = minor.min(most.saturating_sub(recovered));
            if part < minor
                && let Some(debt) = self.debts.get_mut(place)
            {
                debt.written_off.push((adjustment, minor.saturating_sub(part)));
            }
            self.note(Source::Adjustment(adjustment), Some(place), part.saturating_neg());
            self.reopen(place, part);
            recovered = recovered.saturating_add(self.settle(at, place, part));
        }
        recovered
    }

    /// While there is both free money and a claim, the first credit goes to the first claim of its order.
    fn serve_pool(&mut self) {
        while let Some(at) = self.pool.first_key_value().map(|(_, at)| *at) {
            if !self.serve_next(at) {
                break;
            }
        }
    }

    /// Serves what stands first in the credit's order. `false` when nothing is open.
    fn serve_next(&mut self, at: usize) -> bool {
        let Some(order) = self.active.get(at).map(|active| self.order_of(active.credit)) else {
            return false;
        };
        let Some(rules) = self.orders.get(order) else { return false };
        let Some((key, first)) = self.open.get(order).and_then(BTreeMap::first_key_value) else {
            return false;
        };
        if !rules.shares() {
            let first = *first;
            self.settle(at, first, i64::MAX);
            return true;
        }
        let prefix = key.get(..rules.debt_at().unwrap_or(0)).unwrap_or_default().to_vec();
        let group: Vec<usize> = self
            .open
            .get(order)
            .map(|open| {
                let same =
                    open.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
                same.map(|(_, place)| *place).collect()
            })
            .unwrap_or_default();
        self.share(at, &group);
        true
    }

    /// Debts that are equal share what there is in proportion to what is open; what does not divide goes to the
    /// largest remainders, and inside a debt the order goes on.
    fn share(&mut self, at: usize, group: &[usize]) {
        let mut debts: Vec<(usize, i64, Vec<usize>)> = Vec::new();
        for place in group {
            let Some(debt) = self.debts.get(*place) else { continue };
            match debts.iter_mut().find(|(root, _, _)| *root == debt.root) {
                Some((_, open, places)) => {
                    *open = open.saturating_add(debt.open);
                    places.push(*place);
                }
                None => debts.push((debt.root, debt.open, vec![*place])),
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
        shares.sort_by_key(|(number, _, rest)| (std::cmp::Reverse(*rest), *number));
        for (_, share, _) in &mut shares {
            if over > 0 {
                *share = share.saturating_add(1);
                over = over.saturating_sub(1);
            }
        }
        shares.sort_by_key(|(number, _, _)| *number);
        for ((_, _, places), (_, share, _)) in debts.iter().zip(&shares) {
            let mut left = *share;
            for place in places {
                left = left.saturating_sub(self.settle(at, *place, left));
            }
        }
    }

    fn order_of(&self, credit: &Credit) -> usize {
        if credit.order < self.orders.len() { credit.order } else { 0 }
    }

    /// Sets as much of the credit's free money against the claim as both allow, and gives the discount it earned.
    fn settle(&mut self, at: usize, place: usize, most: i64) -> i64 {
        let (Some(active), Some(debt)) = (self.active.get_mut(at), self.debts.get(place)) else {
            return 0;
        };
        let minor = active.free.min(debt.open).min(most);
        if minor <= 0 {
            return 0;
        }
        let discount = match (active.credit.source, debt.claim.discount) {
            (Source::Payment(_), Some((share, until))) if active.credit.on <= until => {
                discount(share, minor, debt.open)
            }
            _ => 0,
        };
        active.free = active.free.saturating_sub(minor);
        active.used.push((place, minor, None));
        let (source, spent) = (active.credit.source, active.free == 0);
        let credit = active.credit;
        if spent {
            self.pool.remove(&self::place(credit));
        }
        self.close(place, minor);
        self.note(source, Some(place), minor);
        self.differ(at, place, discount, Difference::EarlyPaymentDiscount);
        minor
    }

    /// Takes up to so much off the claim for a reason that the payment brings.
    fn differ(&mut self, at: usize, place: usize, most: i64, why: Difference) -> i64 {
        let (Some(active), Some(debt)) = (self.active.get_mut(at), self.debts.get(place)) else {
            return 0;
        };
        let minor = most.min(debt.open);
        let Source::Payment(key) = active.credit.source else { return 0 };
        if minor <= 0 {
            return 0;
        }
        active.used.push((place, minor, Some(why)));
        self.close(place, minor);
        self.note(Source::Difference(key, why), Some(place), minor);
        minor
    }

    /// Money goes back: what is free first, then what was allocated last, then what was kept. When all of it is back,
    /// the differences it earned are taken back too.
    fn give_back(&mut self, at: usize, number: usize) {
        let Some(active) = self.active.get_mut(at) else { return };
        let credit = active.credit;
        let Source::Payment(key) = credit.source else { return };
        let Some(back) = credit.returned.get(number) else { return };
        let mut left = back.minor.min(credit.amount_minor.saturating_sub(active.returned));
        if left <= 0 {
            return;
        }
        active.returned = active.returned.saturating_add(left);
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
        let mut used = std::mem::take(&mut active.used);
        let mut undone: Vec<(usize, i64, Option<Difference>)> = Vec::new();
        for (place, minor, why) in used.iter_mut().rev() {
            let take = match why {
                None => left.min(*minor),
                Some(_) if all => *minor,
                Some(_) => 0,
            };
            if why.is_none() {
                left = left.saturating_sub(take);
            }
            if take > 0 {
                undone.push((*place, take, *why));
                *minor = minor.saturating_sub(take);
            }
        }
        used.retain(|(_, minor, _)| *minor > 0);
        active.used = used;
        active.waiting = active.waiting.saturating_sub(left);
        for (place, minor, why) in undone {
            let source = why.map_or(credit.source, |why| Source::Difference(key, why));
            self.note(source, Some(place), minor.saturating_neg());
            self.reopen(place, minor);
        }
    }

    fn note(&mut self, source: Source, place: Option<usize>, amount_minor: i64) {
        let claim = match place {
            Some(place) => match self.debts.get(place) {
                Some(debt) => Some(debt.claim.key),
                None => return,
            },
            None => None,
        };
        self.done.push(Allocated { source, claim, on: self.today, amount_minor });
    }

    fn pool_rest(&mut self, at: usize) {
        if let Some(active) = self.active.get(at)
            && active.free > 0
        {
            self.pool.insert(place(active.credit), at);
        }
    }

    fn reopen(&mut self, place: usize, minor: i64) {
        let Some(debt) = self.debts.get_mut(place) else { return };
        let before = debt.open;
        debt.open = debt.open.saturating_add(minor);
        if before == 0 && debt.open > 0 {
            for (order, rules) in self.orders.iter().enumerate() {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, place, rules), self.open.get_mut(order))
                {
                    open.insert(key, place);
                }
            }
        }
    }

    fn close(&mut self, place: usize, minor: i64) {
        let Some(debt) = self.debts.get_mut(place) else { return };
        debt.open = debt.open.saturating_sub(minor);
        if debt.open == 0 {
            for (order, rules) in self.orders.iter().enumerate() {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, place, rules), self.open.get_mut(order))
                {
                    open.remove(&key);
                }
            }
        }
    }

    /// Where an order asks for it, a debt that becomes due or overdue moves, with all that is about it.
    fn becomes_due(&mut self, at: usize) {
        let about = self.debts.get(at).map(|debt| debt.about.clone()).unwrap_or_default();
        let moved: Vec<usize> = about
            .into_iter()
            .chain([at])
            .filter(|place| self.debts.get(*place).is_some_and(|debt| debt.open > 0))
            .collect();
        for (order, rules) in self.orders.iter().enumerate() {
            for place in &moved {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, *place, rules), self.open.get_mut(order))
                {
                    open.remove(&key);
                }
            }
        }
        if let Some(debt) = self.debts.get_mut(at) {
            debt.due = if debt.claim.due_on < self.today { Due::Overdue } else { Due::Today };
        }
        for (order, rules) in self.orders.iter().enumerate() {
            for place in &moved {
                if let (Some(key), Some(open)) =
                    (key(&self.debts, *place, rules), self.open.get_mut(order))
                {
                    open.insert(key, *place);
                }
            }
        }
    }
}

/// Where a claim stands in an order: smaller is served first. What stands before the place of the debt looks at the
/// debt's root, the rest at the claim.
fn key(debts: &[Debt<'_>], place: usize, order: &Order) -> Option<Vec<i64>> {
    let this = debts.get(place)?;
    let root = debts.get(this.root)?;
    let whole = order.debt_at();
    let mut key = Vec::with_capacity(order.keys.len().saturating_add(2));
    for (at, rule) in order.keys.iter().enumerate() {
        let seen = if whole.is_some_and(|whole| at < whole) { root } else { this };
        let due = i64::from(seen.claim.due_on.naive().to_epoch_days());
        key.push(match rule {
            OrderKey::DueFirst => i64::from(seen.due == Due::NotYet),
            OrderKey::DueState => match seen.due {
                Due::Overdue => 0,
                Due::Today => 1,
                Due::NotYet => 2,
            },
            OrderKey::OldestDue => due,
            OrderKey::NewestDue => due.saturating_neg(),
            OrderKey::LeastSecured => i64::from(seen.claim.secured),
            OrderKey::HeaviestBurden => seen.claim.burden.saturating_neg(),
            OrderKey::Component => order.place(this.claim.component),
            OrderKey::ByDebt | OrderKey::ProRata => root.rank,
        });
    }
    key.push(this.rank);
    Some(key)
}

/// What paying `minor` of `open` early earns: the rest when it pays all that the discount leaves, else in proportion.
fn discount(share: Decimal, minor: i64, open: i64) -> i64 {
    let whole = |value: Option<Decimal>| {
        value
            .map(|value| decimal::round(value, 0))
            .and_then(|value| i64::try_from(value).ok())
            .unwrap_or(0)
    };
    let most = whole(Decimal::from(open).checked_mul(share));
    if minor >= open.saturating_sub(most) {
        return open.saturating_sub(minor);
    }
    let rest = Decimal::ONE.checked_sub(share).filter(|rest| !rest.is_zero());
    let earned = rest.and_then(|rest| Decimal::from(minor).checked_mul(share)?.checked_div(rest));
    whole(earned).min(open.saturating_sub(minor)).max(0)
}

/// The rows to add so that what is recorded becomes what is wanted: new parts, and what is no longer so with its
/// amount taken back on its own day. Nothing is changed or removed.
pub fn corrections(recorded: &[Allocated], wanted: &[Allocated]) -> Vec<Allocated> {
    let mut net: BTreeMap<(Source, Option<i64>, Date), i64> = BTreeMap::new();
    for (rows, sign) in [(wanted, 1i64), (recorded, -1)] {
        for row in rows {
            let sum = net.entry((row.source, row.claim, row.on)).or_default();
            *sum = sum.saturating_add(row.amount_minor.saturating_mul(sign));
        }
    }
    net.retain(|_, amount| *amount != 0);
    net.into_iter()
        .map(|((source, claim, on), amount_minor)| Allocated { source, claim, on, amount_minor })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn claim(key: i64, issued: &str, due: &str, amount_minor: i64) -> Claim {
        Claim {
            key,
            id: format!("I{key}").parse().unwrap(),
            issued_on: date(issued),
            due_on: date(due),
            amount_minor,
            component: Component::Principal,
            about: None,
            secured: false,
            burden: 0,
            discount: None,
        }
    }

    fn pay(key: i64, on: &str, amount_minor: i64) -> Credit {
        let id = format!("P{key}").parse().unwrap();
        Credit::plain(Source::Payment(key), id, date(on), amount_minor)
    }

    fn naming(mut credit: Credit, parts: &[(i64, Option<i64>)]) -> Credit {
        credit.named = parts
            .iter()
            .map(|(claim, minor)| Named { claims: vec![*claim], minor: *minor })
            .collect();
        credit
    }

    fn returning(mut credit: Credit, on: &str, minor: i64, mistake: bool) -> Credit {
        let id = format!("R{}", credit.returned.len()).parse().unwrap();
        credit.returned.push(Returned { on: date(on), minor, id, mistake });
        credit
    }

    fn write_off(key: i64, on: &str, claim: i64, minor: i64) -> Credit {
        let id = format!("W{key}").parse().unwrap();
        let mut credit = Credit::plain(Source::Adjustment(key), id, date(on), minor);
        credit.recoverable = true;
        naming(credit, &[(claim, None)])
    }

    fn lines(done: &[Allocated]) -> Vec<String> {
        let from = |source| match source {
            Source::Payment(key) => format!("P{key}"),
            Source::Credit(key) => format!("C{key}"),
            Source::Adjustment(key) => format!("W{key}"),
            Source::Difference(key, why) => format!("P{key} {why}"),
        };
        let line = |a: &Allocated| {
            let to = a.claim.map_or("back".into(), |key| format!("I{key}"));
            format!("{} {to} {} {}", from(a.source), a.on, a.amount_minor)
        };
        done.iter().map(line).collect()
    }

    fn check_in(order: &str, claims: &[Claim], credits: &[Credit], expected: &str) {
        let orders = [order::find(&order.parse().unwrap(), &[]).unwrap()];
        let expected: Vec<&str> =
            expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines(&replay(claims, credits, &orders)), expected);
    }

    fn check(claims: &[Claim], credits: &[Credit], expected: &str) {
        check_in(order::DEFAULT, claims, credits, expected);
    }

    fn two() -> [Claim; 2] {
        [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-01-02", "2024-03-01", 100)]
    }

    #[test]
    fn the_oldest_due_is_paid_first() {
        let claims =
            [claim(1, "2024-01-01", "2024-03-01", 100), claim(2, "2024-01-02", "2024-02-01", 100)];
        check(&claims, &[pay(1, "2024-01-10", 150)], "P1 I2 2024-01-10 100\nP1 I1 2024-01-10 50");
    }

    #[test]
    fn a_named_invoice_comes_first_and_the_rest_goes_on() {
        let credit = naming(pay(1, "2024-01-10", 150), &[(2, None)]);
        check(&two(), &[credit], "P1 I2 2024-01-10 100\nP1 I1 2024-01-10 50");
    }

    #[test]
    fn one_payment_goes_over_the_invoices_it_names_with_so_much_for_each() {
        let credit = naming(pay(1, "2024-01-10", 150), &[(2, Some(70)), (1, Some(30))]);
        check(&two(), &[credit], "P1 I2 2024-01-10 70\nP1 I1 2024-01-10 30\nP1 I1 2024-01-10 50");
    }

    #[test]
    fn an_over_payment_waits_for_the_next_invoice() {
        let claims =
            [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-02-10", "2024-03-10", 80)];
        check(&claims, &[pay(1, "2024-01-20", 150)], "P1 I1 2024-01-20 100\nP1 I2 2024-02-10 50");
    }

    #[test]
    fn a_payment_for_an_invoice_of_a_later_day_waits_for_it() {
        let claims =
            [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-02-10", "2024-03-10", 80)];
        let credit = naming(pay(1, "2024-01-20", 100), &[(2, None)]);
        check(&claims, &[credit], "P1 I2 2024-02-10 80\nP1 I1 2024-02-10 20");
        let part = naming(pay(1, "2024-01-20", 100), &[(2, Some(60))]);
        check(&claims, &[part], "P1 I1 2024-01-20 40\nP1 I2 2024-02-10 60");
    }

    #[test]
    fn credit_notes_count_before_payments_of_the_same_day() {
        let credit = Credit::plain(Source::Credit(9), "Z".parse().unwrap(), date("2024-01-20"), 30);
        let claims = [claim(1, "2024-01-01", "2024-02-01", 100)];
        check(
            &claims,
            &[pay(1, "2024-01-20", 100), credit],
            "C9 I1 2024-01-20 30\nP1 I1 2024-01-20 70",
        );
    }

    #[test]
    fn costs_before_interest_before_principal_inside_one_debt() {
        let principal = claim(1, "2024-01-01", "2024-02-01", 100_000);
        let about = |key, component, amount| Claim {
            component,
            about: Some(1),
            ..claim(key, "2024-03-01", "2024-03-01", amount)
        };
        let claims =
            [principal, about(2, Component::Interest, 12_000), about(3, Component::Costs, 3_000)];
        check_in(
            order::PRC,
            &claims,
            &[pay(1, "2024-04-01", 20_000)],
            "P1 I3 2024-04-01 3000\nP1 I2 2024-04-01 12000\nP1 I1 2024-04-01 5000",
        );
    }

    #[test]
    fn interest_first_pays_the_note_before_the_oldest_invoices() {
        let note =
            Claim { component: Component::Interest, ..claim(9, "2024-03-05", "2024-03-05", 7) };
        let claims = [
            claim(1, "2024-01-01", "2024-02-01", 100),
            claim(2, "2024-01-01", "2024-02-02", 250),
            claim(3, "2024-01-01", "2024-02-03", 500),
            note,
        ];
        check_in(
            "interest-first",
            &claims,
            &[pay(1, "2024-04-01", 700)],
            "P1 I9 2024-04-01 7\nP1 I1 2024-04-01 100\nP1 I2 2024-04-01 250\nP1 I3 2024-04-01 343",
        );
    }

    #[test]
    fn each_preset_chooses_its_debt() {
        let interest = Claim {
            component: Component::Interest,
            about: Some(1),
            ..claim(3, "2024-01-03", "2024-02-15", 10)
        };
        let claims = [two()[0].clone(), two()[1].clone(), interest];
        for (order, first) in [
            ("oldest-due-first", "P1 I1 2024-02-20 5"),
            ("newest-due-first", "P1 I2 2024-02-20 5"),
            ("interest-first", "P1 I3 2024-02-20 5"),
            ("principal-first", "P1 I1 2024-02-20 5"),
            (order::PRC, "P1 I3 2024-02-20 5"),
        ] {
            check_in(order, &claims, &[pay(1, "2024-02-20", 5)], first);
        }
    }

    #[test]
    fn due_debts_first_then_least_secured_then_heaviest_burden() {
        let [due, later] = two();
        let secured = Claim { secured: true, ..claim(3, "2024-01-01", "2024-01-31", 100) };
        let heavy = Claim { burden: 182_500, ..claim(4, "2024-01-01", "2024-02-05", 100) };
        let claims = [due, later, secured, heavy];
        check_in(
            order::PRC,
            &claims,
            &[pay(1, "2024-02-05", 350)],
            "P1 I4 2024-02-05 100\nP1 I1 2024-02-05 100\nP1 I3 2024-02-05 100\nP1 I2 2024-02-05 50",
        );
        // The day before, the heavy one is not due yet.
        check_in(order::PRC, &claims, &[pay(1, "2024-02-04", 5)], "P1 I1 2024-02-04 5");
    }

    #[test]
    fn fee_penalty_interest_principal_per_due_state() {
        let of =
            |key, component, due: &str| Claim { component, ..claim(key, "2024-01-01", due, 10) };
        // Overdue, due and not yet due on 10 February; inside each the components against the order of due dates.
        let claims = [
            of(1, Component::Principal, "2024-02-01"),
            of(2, Component::Interest, "2024-02-05"),
            of(3, Component::Penalty, "2024-02-09"),
            of(4, Component::Costs, "2024-02-09"),
            of(5, Component::Principal, "2024-02-08"),
            of(6, Component::Principal, "2024-02-10"),
            of(7, Component::Costs, "2024-02-10"),
            of(8, Component::Interest, "2024-02-11"),
            of(9, Component::Penalty, "2024-03-01"),
        ];
        let order: [(&str, &[i64]); 4] = [
            ("2024-02-10", &[4, 3, 2, 1, 5, 7, 6, 9, 8]),
            // The day before, what is due on the 9th is due, and what is due on the 10th is not.
            ("2024-02-09", &[2, 1, 5, 4, 3, 7, 9, 8, 6]),
            // The day after, the 10th is overdue and the 11th due.
            ("2024-02-11", &[4, 7, 3, 2, 1, 5, 6, 8, 9]),
            ("2024-04-01", &[4, 7, 3, 9, 2, 8, 1, 5, 6]),
        ];
        for (on, wanted) in order {
            let lines: Vec<String> =
                wanted.iter().map(|key| format!("P1 I{key} {on} 10")).collect();
            check_in(order::BY_DUE_STATE, &claims, &[pay(1, on, 90)], &lines.join("\n"));
        }
    }

    #[test]
    fn equal_debts_share_in_proportion_and_no_cent_is_lost() {
        let claims = [
            claim(1, "2024-01-01", "2024-02-01", 100),
            claim(2, "2024-01-01", "2024-02-01", 200),
            claim(3, "2024-01-01", "2024-02-01", 400),
        ];
        check_in(
            order::PRC,
            &claims,
            &[pay(1, "2024-03-01", 100)],
            "P1 I1 2024-03-01 14\nP1 I2 2024-03-01 29\nP1 I3 2024-03-01 57",
        );
    }

    #[test]
    fn instalments_are_closed_one_after_the_other() {
        let claims = [
            claim(1, "2024-01-01", "2024-02-01", 30),
            claim(2, "2024-01-01", "2024-03-01", 50),
            claim(3, "2024-01-01", "2024-04-01", 20),
        ];
        check(&claims, &[pay(1, "2024-01-15", 40)], "P1 I1 2024-01-15 30\nP1 I2 2024-01-15 10");
    }

    #[test]
    fn early_payment_earns_the_discount() {
        let until = |share: &str| {
            let discount = Some((share.parse().unwrap(), date("2024-01-11")));
            [Claim { discount, ..claim(1, "2024-01-01", "2024-02-01", 100) }]
        };
        let earned = "early-payment-discount";
        for (on, paid, expected) in [
            ("2024-01-11", 49, format!("P1 I1 2024-01-11 49\nP1 {earned} I1 2024-01-11 1")),
            ("2024-01-11", 98, format!("P1 I1 2024-01-11 98\nP1 {earned} I1 2024-01-11 2")),
            ("2024-01-11", 99, format!("P1 I1 2024-01-11 99\nP1 {earned} I1 2024-01-11 1")),
            ("2024-01-11", 100, "P1 I1 2024-01-11 100".into()),
            ("2024-01-12", 98, "P1 I1 2024-01-12 98".into()),
        ] {
            check(&until("0.02"), &[pay(1, on, paid)], &expected);
        }
    }

    #[test]
    fn what_is_held_back_settles_and_is_no_money() {
        let mut credit = naming(pay(1, "2024-02-01", 90), &[(1, None)]);
        credit.deductions = vec![(Difference::Withholding, vec![1], 6)];
        let mut agreed = credit.clone();
        agreed.settles = vec![1];
        let expected = "P1 I1 2024-02-01 90\nP1 withholding I1 2024-02-01 6";
        check(&two()[..1], &[credit], expected);
        let settled = format!("{expected}\nP1 full-settlement I1 2024-02-01 4");
        check(&two()[..1], &[agreed], &settled);
    }

    #[test]
    fn a_small_rest_is_within_the_tolerance_and_a_larger_one_is_not() {
        for (paid, expected) in
            [(97, "P1 I1 2024-02-01 97"), (98, "P1 I1 2024-02-01 98\nP1 tolerance I1 2024-02-01 2")]
        {
            let mut credit = naming(pay(1, "2024-02-01", paid), &[(1, None)]);
            credit.tolerance_minor = 2;
            check(&two()[..1], &[credit], expected);
        }
        let mut unnamed = pay(1, "2024-02-01", 98);
        unnamed.tolerance_minor = 2;
        check(&two()[..1], &[unnamed], "P1 I1 2024-02-01 98");
    }

    #[test]
    fn a_chargeback_reopens_the_arrears_on_its_day() {
        let credit = returning(pay(1, "2024-01-20", 150), "2024-02-10", 150, false);
        check(
            &two(),
            &[credit, pay(2, "2024-02-20", 120)],
            "P1 I1 2024-01-20 100
             P1 I2 2024-01-20 50
             P1 back 2024-02-10 150
             P1 I2 2024-02-10 -50
             P1 I1 2024-02-10 -100
             P2 I1 2024-02-20 100
             P2 I2 2024-02-20 20",
        );
    }

    #[test]
    fn a_refund_takes_what_is_not_used_then_the_newest_allocation() {
        let credit = returning(pay(1, "2024-01-20", 230), "2024-02-10", 60, false);
        check(
            &two(),
            &[credit],
            "P1 I1 2024-01-20 100
             P1 I2 2024-01-20 100
             P1 back 2024-02-10 60
             P1 I2 2024-02-10 -30",
        );
    }

    #[test]
    fn a_chargeback_takes_back_the_discount_it_earned() {
        let discount = Some(("0.02".parse().unwrap(), date("2024-01-11")));
        let claims = [Claim { discount, ..claim(1, "2024-01-01", "2024-02-01", 100) }];
        check(
            &claims,
            &[returning(pay(1, "2024-01-10", 98), "2024-01-15", 98, false)],
            "P1 I1 2024-01-10 98
             P1 early-payment-discount I1 2024-01-10 2
             P1 back 2024-01-15 98
             P1 early-payment-discount I1 2024-01-15 -2
             P1 I1 2024-01-15 -98",
        );
    }

    #[test]
    fn a_mistake_never_was() {
        let credit = returning(pay(1, "2024-01-20", 150), "2024-01-20", 150, true);
        check(
            &two(),
            &[credit, pay(2, "2024-01-21", 30)],
            "P1 back 2024-01-20 150\nP2 I1 2024-01-21 30",
        );
    }

    #[test]
    fn money_for_what_was_written_off_recovers_it() {
        let claims = &two()[..1];
        let off = write_off(7, "2024-06-01", 1, 100);
        check(
            claims,
            &[off.clone(), naming(pay(1, "2024-07-01", 30), &[(1, None)])],
            "W7 I1 2024-06-01 100\nW7 I1 2024-07-01 -30\nP1 I1 2024-07-01 30",
        );
        // Money that names nothing stays with the customer.
        check(claims, &[off.clone(), pay(1, "2024-07-01", 30)], "W7 I1 2024-06-01 100");
        // A backdated payment leaves less to write off.
        check(claims, &[off, pay(1, "2024-05-01", 60)], "P1 I1 2024-05-01 60\nW7 I1 2024-06-01 40");
    }

    #[test]
    fn an_upheld_dispute_of_what_is_paid_frees_the_newest_money() {
        let mut upheld = write_off(7, "2024-02-20", 1, 30);
        upheld.recoverable = false;
        check(
            &two()[..1],
            &[pay(1, "2024-01-20", 60), pay(2, "2024-02-01", 40), upheld],
            "P1 I1 2024-01-20 60
             P2 I1 2024-02-01 40
             P2 I1 2024-02-20 -30
             W7 I1 2024-02-20 30",
        );
    }

    #[test]
    fn what_is_held_back_comes_before_the_tolerance_and_waits_for_its_invoice() {
        let mut credit = naming(pay(1, "2024-02-01", 95), &[(1, None)]);
        credit.deductions = vec![(Difference::BankCharge, vec![1], 5)];
        credit.tolerance_minor = 5;
        let expected = "P1 I1 2024-02-01 95\nP1 bank-charge I1 2024-02-01 5";
        check(&two()[..1], &[credit.clone()], expected);
        let later = [claim(1, "2024-03-01", "2024-03-31", 100)];
        let expected = "P1 I1 2024-03-01 95\nP1 bank-charge I1 2024-03-01 5";
        check(&later, &[credit], expected);
    }

    #[test]
    fn what_is_no_longer_so_is_taken_back_on_its_own_day() {
        let claims =
            [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-01-02", "2024-01-31", 100)];
        let before = replay(&claims[..1], &[pay(1, "2024-01-10", 100)], &[]);
        let after = replay(&claims, &[pay(1, "2024-01-10", 100)], &[]);
        assert_eq!(
            lines(&corrections(&before, &after)),
            ["P1 I1 2024-01-10 -100", "P1 I2 2024-01-10 100"]
        );
        assert_eq!(corrections(&after, &after), []);
    }

    #[derive(Clone, Debug)]
    struct Book {
        claims: Vec<Claim>,
        credits: Vec<Credit>,
        orders: Vec<Order>,
    }

    /// A part of a payment: the claim it names, and how much for it.
    type Part = (usize, Option<i64>);

    prop_compose! {
        fn some_claim()(issued in 0i64..60, net in 0i64..40, amount in 0i64..500, component in 0usize..4,
            about in proptest::option::of(0i64..12), secured in any::<bool>(), burden in 0i64..3,
            discount in proptest::option::of((1i64..10, 0i64..20))) -> (i64, i64, Claim) {
            let start = date("2024-01-01");
            let day = |at| start.plus_days(at).unwrap();
            let claim = Claim {
                amount_minor: amount,
                component: Component::ALL[component],
                about,
                secured,
                burden,
                discount: discount.map(|(share, days)| (Decimal::new(share, 2), day(issued + days))),
                ..claim(0, "2024-01-01", "2024-01-01", 0)
            };
            (issued, net, claim)
        }
    }

    prop_compose! {
        fn some_credit()(kind in 0u8..5, on in 0i64..60, amount in 1i64..700,
            parts in proptest::collection::vec((0usize..12, proptest::option::of(1i64..300)), 0..3),
            deduction in proptest::option::of((0usize..12, 1i64..50)),
            settles in proptest::option::of(0usize..12),
            returned in proptest::collection::vec((0i64..60, 1i64..700, 0u8..4), 0..3),
            order in 0usize..6, tolerance in 0i64..5)
            -> (u8, i64, i64, Vec<Part>, Option<(usize, i64)>, Option<usize>, Vec<(i64, i64, u8)>, usize, i64) {
            (kind, on, amount, parts, deduction, settles, returned, order, tolerance)
        }
    }

    prop_compose! {
        fn book()(claims in proptest::collection::vec(some_claim(), 0..12),
            credits in proptest::collection::vec(some_credit(), 0..12)) -> Book {
            let start = date("2024-01-01");
            let claims: Vec<Claim> = claims.into_iter().zip(0i64..).map(|((issued, net, claim), key)| Claim {
                key,
                id: format!("I{key}").parse().unwrap(),
                issued_on: start.plus_days(issued).unwrap(),
                due_on: start.plus_days(issued + net).unwrap(),
                ..claim
            }).collect();
            let known = |at: usize| claims.get(at).map(|claim| claim.key);
            let credits = credits.into_iter().zip(100i64..).map(
                |((kind, on, amount, parts, deduction, settles, returned, order, tolerance), key)| {
                let day = start.plus_days(on).unwrap();
                let id: Id = format!("S{key}").parse().unwrap();
                let named = |parts: Vec<Part>| parts.into_iter().filter_map(|(at, minor)| {
                    Some(Named { claims: vec![known(at)?], minor })
                }).collect::<Vec<_>>();
                match kind {
                    0 => Credit { named: named(parts), ..Credit::plain(Source::Credit(key), id, day, amount) },
                    1 => Credit {
                        named: named(parts.into_iter().take(1).map(|(at, _)| (at, None)).collect()),
                        recoverable: amount % 2 == 0,
                        ..Credit::plain(Source::Adjustment(key), id, day, amount)
                    },
                    _ => Credit {
                        named: named(parts),
                        deductions: deduction.and_then(|(at, minor)| Some((Difference::Withholding, vec![known(at)?], minor))).into_iter().collect(),
                        settles: settles.and_then(known).into_iter().collect(),
                        returned: returned.iter().zip(0..).map(|((days, minor, mistake), number)| Returned {
                            on: day.plus_days(*days).unwrap(),
                            minor: *minor,
                            id: format!("R{key}-{number}").parse().unwrap(),
                            mistake: *mistake == 0,
                        }).collect(),
                        order,
                        tolerance_minor: tolerance,
                        ..Credit::plain(Source::Payment(key), id, day, amount)
                    },
                }
            }).collect();
            let orders = order::PRESETS.iter().map(|(name, _, _)| order::find(&name.parse().unwrap(), &[]).unwrap()).collect();
            Book { claims, credits, orders }
        }
    }

    fn run(book: &Book) -> Vec<Allocated> {
        replay(&book.claims, &book.credits, &book.orders)
    }

    fn sorted(mut done: Vec<Allocated>) -> Vec<Allocated> {
        done.sort();
        done
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_paid_twice(book in book()) {
            let done = run(&book);
            let mut days: Vec<Date> = done.iter().map(|a| a.on).collect();
            days.dedup();
            for day in days {
                let then = || done.iter().filter(|a| a.on <= day);
                for claim in &book.claims {
                    let off: i64 = then().filter(|a| a.claim == Some(claim.key)).map(|a| a.amount_minor).sum();
                    prop_assert!(0 <= off && off <= claim.amount_minor, "claim {} on {day}: {off}", claim.key);
                }
                for credit in &book.credits {
                    let used: i64 = then().filter(|a| a.source == credit.source).map(|a| a.amount_minor).sum();
                    prop_assert!(0 <= used && used <= credit.amount_minor, "{:?} on {day}: {used}", credit.source);
                }
            }
            for a in &done {
                if let Some(key) = a.claim {
                    prop_assert!(a.on >= book.claims.iter().find(|c| c.key == key).unwrap().issued_on);
                }
            }
        }

        #[test]
        fn either_everything_is_paid_or_all_money_is_used(book in book()) {
            let done = run(&book);
            let open = book.claims.iter().any(|claim| {
                let off: i64 = done.iter().filter(|a| a.claim == Some(claim.key)).map(|a| a.amount_minor).sum();
                off < claim.amount_minor
            });
            let free = book.credits.iter().filter(|c| !matches!(c.source, Source::Adjustment(_))).any(|credit| {
                let used: i64 = done.iter().filter(|a| a.source == credit.source).map(|a| a.amount_minor).sum();
                used < credit.amount_minor
            });
            prop_assert!(!(open && free));
        }

        #[test]
        fn the_order_of_arrival_does_not_matter(book in book(), seed in any::<u64>()) {
            let mut turned = book.clone();
            let at = |len: usize| usize::try_from(seed % 97).unwrap() % len.max(1);
            turned.claims.rotate_left(at(book.claims.len()));
            turned.credits.rotate_left(at(book.credits.len()));
            turned.credits.reverse();
            prop_assert_eq!(run(&book), run(&turned));
        }

        #[test]
        fn a_day_is_decided_by_what_is_dated_up_to_it(book in book(), day in 0i64..60) {
            let until = date("2024-01-01").plus_days(day).unwrap();
            let then: Vec<_> = run(&book).into_iter().filter(|a| a.on <= until).collect();
            let claims: Vec<_> = book.claims.iter().filter(|c| c.issued_on <= until).cloned().collect();
            let known = |key: &i64| claims.iter().any(|claim| claim.key == *key);
            let credits: Vec<_> = book.credits.iter().filter(|c| c.on <= until).map(|credit| {
                let mut credit = credit.clone();
                credit.returned.retain(|back| back.mistake || back.on <= until);
                credit
            }).filter(|credit| credit.named.iter().all(|part| part.claims.iter().all(known))).collect();
            // Money kept for an invoice of a later day is used by others on no day before.
            prop_assume!(book.credits.iter().filter(|c| c.on <= until).count() == credits.len());
            let early = Book { claims: claims.clone(), credits, orders: book.orders.clone() };
            prop_assert_eq!(sorted(then), sorted(run(&early)));
        }

        #[test]
        fn corrections_lead_from_any_state_to_the_wanted_one(book in book(), cut in 0usize..12) {
            let mut early = book.clone();
            early.credits.truncate(cut);
            let recorded = run(&early);
            let wanted = run(&book);
            let mut all = recorded.clone();
            all.extend(corrections(&recorded, &wanted));
            prop_assert_eq!(corrections(&all, &wanted), vec![]);
        }
    }
}
