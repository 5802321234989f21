//! Disputes of documents with instalments: what is contested of which, and what the outcome takes off which.

use super::{Day, Replay, Share, Source, Spread, Whole, early::Scope};
use crate::{Date, arrange::arrange, dispute::spread};
use std::collections::BTreeMap;

/// What of a claim gives what was never owed of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// What is open, and what was given up beyond that.
    Owed,
    /// What was given up.
    GivenUp,
    /// What was paid as well.
    Paid,
}

impl<'a> Replay<'a> {
    /// Takes disputes in. Of one day the smaller amount is spread before the larger, and of equal ones by their ids.
    pub(super) fn dispute(&mut self, wholes: &'a [Whole]) {
        let mut sorted: Vec<&Whole> = wholes.iter().collect();
        arrange(&mut sorted, |one, other| (one.minor, &one.id).cmp(&(other.minor, &other.id)));
        let spread = |whole: &'a Whole| {
            let places = whole.claims.iter().filter_map(|key| self.by_key.get(key).copied());
            Spread { whole, places: places.collect(), minor: Vec::new(), upheld: Vec::new() }
        };
        self.wholes = sorted.into_iter().map(spread).collect();
    }

    /// The days on which disputes begin and are decided.
    pub(super) fn announce_wholes(&self, days: &mut BTreeMap<Date, Day>) {
        for (at, Spread { whole, places, .. }) in self.wholes.iter().enumerate() {
            let issued = places.iter().filter_map(|place| self.debts.get(*place));
            let issued = issued.map(|debt| debt.claim.issued_on).max();
            let on = issued.map_or(whole.on, |issued| issued.max(whole.on));
            days.entry(on).or_default().disputed.push(at);
            if let Some(until) = whole.until.filter(|until| *until > on) {
                days.entry(until).or_default().decided.push(at);
            }
        }
    }

    /// Spreads what is contested over what is open and not contested as the day begins, oldest due first. Where that is
    /// less, what else was claimed of them is contested in the same order, and what is beyond that counts for the first.
    pub(super) fn begin_dispute(&mut self, at: usize) {
        let Some(Spread { whole, places, .. }) = self.wholes.get(at) else { return };
        let (whole, places) = (*whole, places.clone());
        let debts = || places.iter().filter_map(|place| self.debts.get(*place));
        let mut minor = spread(whole.minor, debts().map(|debt| debt.part(false)));
        let left = |minor: &[i64]| {
            minor.iter().fold(whole.minor, |left, minor| left.saturating_sub(*minor))
        };
        let claimed = debts().map(|debt| debt.claim.amount_minor.saturating_sub(debt.contested));
        let beyond = claimed.zip(&minor).map(|(claimed, minor)| claimed.saturating_sub(*minor));
        let beyond = spread(left(&minor), beyond);
        for (minor, beyond) in minor.iter_mut().zip(beyond) {
            *minor = minor.saturating_add(beyond);
        }
        let rest = left(&minor);
        if let Some(first) = minor.first_mut() {
            *first = first.saturating_add(rest);
        }
        if whole.until.is_none_or(|until| until > self.today) {
            for (place, minor) in places.iter().zip(&minor) {
                self.contest(*place, *minor);
            }
        }
        if let Some(spread) = self.wholes.get_mut(at) {
            spread.upheld = vec![0; minor.len()];
            spread.minor = minor;
        }
    }

    pub(super) fn end_dispute(&mut self, at: usize) {
        let Some(Spread { places, minor, .. }) = self.wholes.get(at) else { return };
        for (place, minor) in places.clone().into_iter().zip(minor.clone()) {
            self.contest(place, minor.saturating_neg());
        }
    }

    /// What was upheld is taken off what was contested of each claim, oldest due first: what is open of it, then what was
    /// given up of it and of the others, and only then what was paid. What one cannot give of that the others give.
    pub(super) fn uphold(&mut self, at: usize) {
        let Some(credit) = self.active.get(at).map(|active| active.credit) else { return };
        let whole = self.wholes.iter().position(|of| of.whole.id == credit.id);
        let keys = credit.named.iter().flat_map(|named| &named.claims);
        let places: Vec<usize> = keys.filter_map(|key| self.by_key.get(key).copied()).collect();
        let most = |number: usize| {
            let minor = whole.and_then(|of| self.wholes.get(of)?.minor.get(number).copied());
            minor.unwrap_or(i64::MAX)
        };
        let most: Vec<i64> = (0..places.len()).map(most).collect();
        let mut left = credit.amount_minor;
        let first = places.iter().copied().zip(most.iter().copied());
        let settling = self.unbook(first.chain(places.iter().map(|of| (*of, i64::MAX))), left);
        let mut taken = vec![0i64; places.len()];
        let passes = [
            (Gives::Owed, true),
            (Gives::GivenUp, false),
            (Gives::Paid, true),
            (Gives::Paid, false),
        ];
        for (from, is_contested) in passes {
            for ((place, most), taken) in places.iter().zip(&most).zip(&mut taken) {
                let most = if is_contested { most.saturating_sub(*taken) } else { i64::MAX };
                let minor = self.take_off(credit.source, *place, left.min(most), from);
                left = left.saturating_sub(minor);
                *taken = taken.saturating_add(minor);
            }
        }
        if let Some(whole) = whole.and_then(|whole| self.wholes.get_mut(whole)) {
            whole.upheld = taken;
        }
        // What settled the document pays what is owed of it by now.
        for at in settling {
            self.settle_all(at, &places, i64::MAX, Scope::Open, 0);
        }
    }

    /// Takes up to so much off a claim. Where less is open it displaces the discount of that, then what was given up of it,
    /// and only then the newest money.
    fn take_off(&mut self, source: Source, place: usize, most: i64, from: Gives) -> i64 {
        let Some(debt) = self.debts.get(place) else { return 0 };
        let given_up = debt.given_up();
        let most = match from {
            Gives::Owed => most.min(debt.open.saturating_add(given_up)),
            Gives::GivenUp => most.min(given_up),
            Gives::Paid => most,
        };
        let open = |replay: &Self| replay.debts.get(place).map_or(0, |debt| debt.open);
        let kept = if from == Gives::GivenUp { debt.open } else { 0 };
        self.save_less(place, most);
        self.shrink_write_off(place, most.saturating_add(kept).saturating_sub(open(self)));
        self.displace(place, most.saturating_sub(open(self)));
        let minor = most.min(open(self));
        if minor <= 0 {
            return 0;
        }
        self.close(place, minor);
        self.reduce(place, minor);
        self.note(source, Some(place), minor);
        minor
    }

    /// What is of which claim in the end.
    pub(super) fn shares(&self) -> Vec<Share> {
        let mut shares = Vec::new();
        for Spread { whole, places, minor, upheld } in &self.wholes {
            for ((place, minor), upheld) in places.iter().zip(minor).zip(upheld) {
                let Some(debt) = self.debts.get(*place) else { continue };
                let (whole, claim) = (whole.key, debt.claim.key);
                shares.push(Share { whole, claim, minor: *minor, upheld_minor: *upheld });
            }
        }
        shares
    }
}
