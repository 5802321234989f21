//! A day passes: what happens on it, and in which sequence.

use super::{Active, Claim, Credit, Day, Debt, Due, Named, Replay, Source, early::Scope, place};
use crate::{
    Date,
    arrange::arrange,
    contract::{ledger::OrderKey, types::Difference},
    order::Order,
};
use std::collections::{BTreeMap, BTreeSet};

impl<'a> Replay<'a> {
    pub(super) fn new(
        claims: &'a [Claim],
        credits: &'a [Credit],
        orders: &'a [Order],
    ) -> Option<Self> {
        let mut sorted: Vec<&Claim> = claims.iter().collect();
        let age = |claim: &'a Claim| (claim.due_on, claim.issued_on, &claim.id);
        arrange(&mut sorted, |one, other| age(one).cmp(&age(other)));
        let mut by_key: BTreeMap<i64, usize> = BTreeMap::new();
        by_key.extend(sorted.iter().enumerate().map(|(at, claim)| (claim.key, at)));
        let mut debts: Vec<Debt<'a>> = sorted
            .iter()
            .enumerate()
            .map(|(at, claim)| Debt {
                claim,
                open: 0,
                contested: 0,
                due: Due::NotYet,
                secured: claim.secured,
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
                void: None,
                early: 0,
                saved: 0,
                reduced: 0,
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
        arrange(&mut ordered, |one, other| place(one).cmp(&place(other)));
        let from = |credit: &Credit| {
            let is_adjustment = matches!(credit.source, Source::Adjustment(_));
            let named = credit.named.iter().filter(|_| is_adjustment).flat_map(|of| &of.claims);
            let claims = named.filter_map(|key| sorted.get(*by_key.get(key)?));
            claims.map(|claim| claim.issued_on).fold(credit.on, Date::max)
        };
        let active = ordered
            .into_iter()
            .map(|credit| Active {
                credit,
                on: from(credit),
                free: 0,
                waiting: 0,
                used: Vec::new(),
                returned: 0,
                given: Vec::new(),
            })
            .collect();
        let today =
            claims.iter().map(|claim| claim.issued_on).chain(credits.iter().map(|c| c.on)).min()?;
        let open: Vec<BTreeMap<_, _>> = orders.iter().map(|_| BTreeMap::new()).collect();
        let frozen = open.clone();
        Some(Self {
            debts,
            by_key,
            active,
            orders,
            open,
            frozen,
            sum_open: 0,
            held: Vec::new(),
            opened_void: Vec::new(),
            pool: BTreeMap::new(),
            wholes: Vec::new(),
            done: Vec::new(),
            today,
        })
    }

    pub(super) fn calendar(&self) -> BTreeMap<Date, Day> {
        let mut days: BTreeMap<Date, Day> = BTreeMap::new();
        let asks_due = self.orders.iter().any(Order::asks_due);
        let asks_overdue = self.orders.iter().any(Order::asks_overdue);
        let asks_security = self.orders.iter().any(Order::asks_security);
        for (at, debt) in self.debts.iter().enumerate() {
            days.entry(debt.claim.issued_on).or_default().claims.push(at);
            if asks_due {
                days.entry(debt.claim.due_on.max(debt.claim.issued_on)).or_default().moved.push(at);
            }
            if asks_overdue && let Ok(late) = debt.claim.due_on.plus_days(1) {
                days.entry(late.max(debt.claim.issued_on)).or_default().moved.push(at);
            }
            for (from, to) in debt.claim.securities.iter().filter(|_| asks_security) {
                for on in [Ok(*from), to.plus_days(1)].into_iter().flatten() {
                    days.entry(on.max(debt.claim.issued_on)).or_default().moved.push(at);
                }
            }
        }
        for (at, debt) in self.debts.iter().enumerate() {
            for of in &debt.claim.contested {
                let on = of.on.max(debt.claim.issued_on);
                if of.until.is_some_and(|until| until <= on) {
                    continue;
                }
                days.entry(on).or_default().contested.push((at, of.minor));
                if let Some(until) = of.until {
                    let day = days.entry(until).or_default();
                    day.contested.push((at, of.minor.saturating_neg()));
                }
            }
        }
        self.announce_wholes(&mut days);
        for (at, active) in self.active.iter().enumerate() {
            days.entry(active.on).or_default().credits.push(at);
            let deducted = active.credit.deductions.iter().flat_map(|(_, claims, _)| claims);
            let mut about: BTreeSet<Date> = BTreeSet::new();
            about.extend(
                deducted
                    .chain(active.credit.settles.iter().flatten())
                    .filter_map(|key| self.debts.get(*self.by_key.get(key)?))
                    .map(|debt| debt.claim.issued_on.max(active.credit.on)),
            );
            for on in about {
                days.entry(on).or_default().differences.push(at);
            }
            if let Some(on) = active.credit.until.filter(|on| *on > active.on) {
                days.entry(on).or_default().ended.push(at);
            }
            for (number, back) in active.credit.returned.iter().enumerate() {
                let on = back.on.max(active.credit.on);
                if back.mistake || back.until.is_some_and(|until| until <= on) {
                    continue;
                }
                days.entry(on).or_default().returns.push((at, number));
                if let Some(until) = back.until {
                    days.entry(until).or_default().regains.push((at, number));
                }
            }
        }
        days
    }

    pub(super) fn pass(&mut self, day: Date, mut events: Day, later: &mut BTreeMap<Date, Day>) {
        self.today = day;
        for at in events.claims {
            self.reopen(at, self.debts.get(at).map_or(0, |debt| debt.claim.amount_minor));
        }
        for at in events.moved {
            self.moves(at);
        }
        for (at, minor) in events.contested {
            self.contest(at, minor);
        }
        for at in events.decided {
            self.end_dispute(at);
        }
        for at in events.ended {
            self.end(at);
        }
        for at in events.disputed {
            self.begin_dispute(at);
        }
        let is_adjustment = |replay: &Self, at: usize| {
            replay.active.get(at).is_some_and(|a| matches!(a.credit.source, Source::Adjustment(_)))
        };
        let (mut adjustments, credits): (Vec<usize>, Vec<usize>) =
            events.credits.into_iter().partition(|at| is_adjustment(self, *at));
        self.arrange_adjustments(&mut adjustments);
        arrange(&mut events.differences, Ord::cmp);
        for at in &events.differences {
            self.hold(*at);
        }
        // What was kept for a claim of this day is older than what comes today.
        let mut naming: Vec<usize> = Vec::new();
        for (at, part, kept) in events.parts {
            self.serve_part(at, part, kept);
            naming.push(at);
        }
        for (at, number) in events.regains {
            self.regain(at, number);
        }
        for at in &credits {
            self.begin(*at, later);
            naming.push(*at);
        }
        self.held.clear();
        for at in &events.differences {
            self.differences(*at);
        }
        for at in naming {
            self.tolerate(at);
        }
        for at in &adjustments {
            self.make_void(*at);
        }
        self.take_off_void();
        self.serve_pool();
        if !events.returns.is_empty() {
            let id = |(at, number): &(usize, usize)| {
                let credit = self.active.get(*at).map(|active| active.credit);
                (*at, credit.and_then(|credit| credit.returned.get(*number)).map(|back| &back.id))
            };
            arrange(&mut events.returns, |one, other| id(one).cmp(&id(other)));
            for (at, number) in events.returns {
                self.give_back(at, number);
            }
            self.take_off_void();
            self.serve_pool();
        }
        if !adjustments.is_empty() {
            for at in adjustments {
                self.adjust(at);
            }
            self.take_off_void();
            self.serve_pool();
        }
    }

    /// What adjustments that count from one day take off follows from what they say, and neither from their ids nor from the
    /// days that were said before their document was moved past them: what was never owed before what is given up, of each
    /// an instalment before the whole and the smaller amount before the larger.
    fn arrange_adjustments(&self, adjustments: &mut Vec<usize>) {
        let said = |at: &usize| {
            let credit = self.active.get(*at).map(|active| active.credit)?;
            let claims = credit.named.iter().map(|named| named.claims.len()).max();
            Some((credit.recoverable, claims, credit.amount_minor, &credit.id))
        };
        arrange(adjustments, |one, other| said(one).cmp(&said(other)));
    }

    /// A credit's first day: what it names that is issued is served, what is not is kept, the rest is free.
    pub(super) fn begin(&mut self, at: usize, later: &mut BTreeMap<Date, Day>) {
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
                _ => {
                    self.reduce_named(at, part, minor);
                    self.serve_named(at, part, minor);
                }
            }
        }
        self.pool_rest(at);
    }

    pub(super) fn serve_part(&mut self, at: usize, part: usize, kept: i64) {
        let Some(active) = self.active.get_mut(at) else { return };
        let minor = kept.min(active.waiting);
        active.waiting = active.waiting.saturating_sub(minor);
        active.free = active.free.saturating_add(minor);
        self.reduce_named(at, part, minor);
        self.serve_named(at, part, minor);
        self.pool_rest(at);
    }

    /// A credit note says that so much of what it names was never owed: of each claim as much as it will be set against it,
    /// which is what nobody contests, what is open, what was given up, and of what is paid the oldest due first.
    fn reduce_named(&mut self, at: usize, part: usize, minor: i64) {
        let Some(credit) = self.active.get(at).map(|active| active.credit) else { return };
        let Some(named) = credit.named.get(part) else { return };
        if !matches!(credit.source, Source::Credit(_)) {
            return;
        }
        let mut left = minor;
        let places = named.claims.iter().filter_map(|key| self.by_key.get(key));
        let places: Vec<usize> = places.copied().collect();
        self.unbook(places.iter().map(|place| (*place, i64::MAX)), minor);
        let rooms: [fn(&Debt<'_>) -> i64; 4] = [
            |debt| debt.seen(Scope::Calm),
            |debt| debt.open,
            |debt| debt.open.saturating_add(debt.given_up()),
            |_| i64::MAX,
        ];
        let mut taken = vec![0i64; places.len()];
        for room in rooms {
            for (place, taken) in places.iter().zip(&mut taken) {
                let Some(debt) = self.debts.get(*place) else { continue };
                let most = room(debt).saturating_sub(*taken).min(debt.owed());
                let owed = most.min(left).max(0);
                self.save_less(*place, owed);
                self.reduce(*place, owed);
                left = left.saturating_sub(owed);
                *taken = taken.saturating_add(owed);
            }
        }
    }

    /// Sets up to `minor` of the credit's free money against what its part names: of several claims what is not contested
    /// of all before what is. What was written off of those claims it then takes the place of. Where the order looks inside a debt, what
    /// it places before the claim comes first, unless the payer said how much is for it or that it settles it.
    pub(super) fn serve_named(&mut self, at: usize, part: usize, minor: i64) {
        let Some(credit) = self.active.get(at).map(|active| active.credit) else { return };
        let Some(named) = credit.named.get(part) else { return };
        let places: Vec<usize> =
            named.claims.iter().filter_map(|key| self.by_key.get(key).copied()).collect();
        let mut left = minor;
        let mut settled = credit.settles.iter().flatten();
        if named.minor.is_none()
            && matches!(credit.source, Source::Payment(_))
            && !settled.any(|key| named.claims.contains(key))
        {
            let charges = self.charges(credit.order, &places);
            left = self.settle_all(at, &charges, left, Scope::Calm, 0);
        }
        if places.len() > 1 {
            let contested = self
                .cost_of_all(at, &places, Scope::Open)
                .saturating_sub(self.cost_of_all(at, &places, Scope::Calm));
            left = self.settle_all(at, &places, left, Scope::Calm, contested);
        }
        left = self.settle_all(at, &places, left, Scope::Open, 0);
        for place in &places {
            left = left.saturating_sub(self.recover(at, *place, left, None));
        }
    }

    /// What is about these claims and, inside their debt, comes before them in an order.
    fn charges(&self, order: usize, places: &[usize]) -> Vec<usize> {
        let inside = |order: &&Order| {
            let keys = order.debt_at().and_then(|whole| order.keys.get(whole..));
            keys.is_some_and(|keys| keys.contains(&OrderKey::Component))
        };
        let Some(order) = self.orders.get(order).filter(inside) else { return Vec::new() };
        let component = |place: &usize| {
            let debt = self.debts.get(*place);
            debt.map_or((0, 0), |debt| (order.place(debt.claim.component), debt.rank))
        };
        let named = places.iter().map(|place| component(place).0).max();
        let about = places.iter().filter_map(|place| self.debts.get(*place));
        let mut charges: Vec<usize> = about.flat_map(|debt| debt.about.iter().copied()).collect();
        charges.retain(|place| named > Some(component(place).0));
        arrange(&mut charges, |one, other| component(one).cmp(&component(other)));
        charges
    }

    /// What a payment that is used up leaves of what it names is booked off when it is little enough.
    pub(super) fn tolerate(&mut self, at: usize) {
        let Some(active) = self.active.get(at) else { return };
        let credit = active.credit;
        if active.free > 0 || credit.tolerance_minor == 0 || active.returned >= credit.amount_minor
        {
            return;
        }
        for named in &credit.named {
            self.tolerate_rest(at, named);
        }
    }

    pub(super) fn tolerate_rest(&mut self, at: usize, named: &Named) {
        let Some(most) = self.active.get(at).map(|active| active.credit.tolerance_minor) else {
            return;
        };
        let places: Vec<usize> =
            named.claims.iter().filter_map(|key| self.by_key.get(key).copied()).collect();
        let open = places.iter().filter_map(|place| self.debts.get(*place));
        let rest = open.fold(0i64, |rest, debt| rest.saturating_add(debt.open));
        if rest <= most {
            for place in places {
                self.differ(at, place, i64::MAX, Difference::Tolerance);
            }
        }
    }

    /// What a payment settles without being money.
    pub(super) fn differences(&mut self, at: usize) {
        let Some(active) = self.active.get(at) else { return };
        let credit = active.credit;
        if active.returned >= credit.amount_minor {
            return;
        }
        for (why, claims, minor) in &credit.deductions {
            let places: Vec<usize> =
                claims.iter().filter_map(|key| self.place_today(credit, *key)).collect();
            self.deduct(at, &places, *minor, *why);
        }
        for key in credit.settles.iter().flatten() {
            if let Some(place) = self.place_today(credit, *key) {
                self.differ(at, place, i64::MAX, Difference::FullSettlement);
            }
        }
    }

    /// The place of a claim, on the day on which both it and the credit are there for the first time.
    pub(super) fn place_today(&self, credit: &Credit, key: i64) -> Option<usize> {
        let place = self.by_key.get(&key).copied()?;
        let debt = self.debts.get(place)?;
        (debt.claim.issued_on.max(credit.on) == self.today).then_some(place)
    }
}
