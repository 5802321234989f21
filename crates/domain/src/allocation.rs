//! Which payment pays which invoice: oldest due first.
//!
//! The answer is a replay of one customer's documents in one currency by their dates, never by their arrival. So any
//! order of arrival gives the same allocations, a backdated document replays what came after it, and what is dated up
//! to a day is decided by what is dated up to that day alone.

use crate::{Date, Id};
use std::collections::BTreeMap;

/// Something that can be paid: an invoice, an interest note or a fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The store's key.
    pub key: i64,
    /// The client's id, which settles ties: keys follow the order of arrival.
    pub id: Id,
    /// From this day on it can be paid.
    pub issued_on: Date,
    /// The oldest due is paid first.
    pub due_on: Date,
    /// What is claimed, zero or more.
    pub amount_minor: i64,
}

/// Where an allocation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A credit note, by the store's key. On one day credit notes count before payments.
    Credit(i64),
    /// A payment, by the store's key.
    Payment(i64),
}

/// Something that can be set against claims: a payment or a credit note.
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
    /// The claim the payer named. It is served first, from the day it is issued.
    pub named: Option<i64>,
}

/// A part of a credit set against a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Allocated {
    /// From where.
    pub source: Source,
    /// The claim's key.
    pub claim: i64,
    /// The day it counts from.
    pub on: Date,
    /// How much, more than zero.
    pub amount_minor: i64,
}

/// Oldest due first, then oldest issued, then by id.
type ClaimOrder<'a> = (Date, Date, &'a Id);

/// By day, credit notes before payments, then by id.
type CreditOrder<'a> = (Date, bool, &'a Id);

/// What is still open while the replay walks through the days.
struct Replay<'a> {
    open: BTreeMap<ClaimOrder<'a>, (i64, i64)>,
    unused: BTreeMap<CreditOrder<'a>, (&'a Credit, i64)>,
    done: Vec<Allocated>,
}

/// Replays one customer's documents in one currency. The order of the inputs does not matter.
pub fn replay(claims: &[Claim], credits: &[Credit]) -> Vec<Allocated> {
    let by_key: BTreeMap<i64, &Claim> = claims.iter().map(|claim| (claim.key, claim)).collect();
    // A credit for a claim that is issued later waits for it.
    let starts = |credit: &Credit| {
        let named = credit.named.and_then(|key| by_key.get(&key));
        named.map_or(credit.on, |claim| claim.issued_on.max(credit.on))
    };
    let mut days: BTreeMap<Date, (Vec<&Claim>, Vec<&Credit>)> = BTreeMap::new();
    for claim in claims {
        days.entry(claim.issued_on).or_default().0.push(claim);
    }
    for credit in credits {
        days.entry(starts(credit)).or_default().1.push(credit);
    }
    let mut replay = Replay { open: BTreeMap::new(), unused: BTreeMap::new(), done: Vec::new() };
    for (day, (claims, mut credits)) in days {
        for claim in claims.iter().filter(|claim| claim.amount_minor > 0) {
            replay.open.insert(
                (claim.due_on, claim.issued_on, &claim.id),
                (claim.key, claim.amount_minor),
            );
        }
        credits.sort_by_key(|credit| order(credit));
        for credit in credits {
            replay.unused.insert(order(credit), (credit, credit.amount_minor));
            if let Some(claim) = credit.named.and_then(|key| by_key.get(&key)) {
                replay.settle(day, order(credit), (claim.due_on, claim.issued_on, &claim.id));
            }
        }
        replay.oldest_due_first(day);
    }
    replay.done
}

fn order(credit: &Credit) -> CreditOrder<'_> {
    (credit.on, matches!(credit.source, Source::Payment(_)), &credit.id)
}

impl<'a> Replay<'a> {
    /// While there is both a credit and a claim, the first credit goes to the oldest claim.
    fn oldest_due_first(&mut self, day: Date) {
        while let (Some((&credit, _)), Some((&claim, _))) =
            (self.unused.first_key_value(), self.open.first_key_value())
        {
            self.settle(day, credit, claim);
        }
    }

    /// Sets as much of the credit against the claim as both allow, and takes out what is used up.
    fn settle(&mut self, day: Date, credit: CreditOrder<'a>, claim: ClaimOrder<'a>) {
        let (Some((from, left)), Some((key, open))) =
            (self.unused.get_mut(&credit), self.open.get_mut(&claim))
        else {
            return;
        };
        let amount_minor = (*left).min(*open);
        *left = left.saturating_sub(amount_minor);
        *open = open.saturating_sub(amount_minor);
        if amount_minor > 0 {
            self.done.push(Allocated { source: from.source, claim: *key, on: day, amount_minor });
        }
        if *left == 0 {
            self.unused.remove(&credit);
        }
        if self.open.get(&claim).is_some_and(|(_, open)| *open == 0) {
            self.open.remove(&claim);
        }
    }
}

/// The rows to add so that what is recorded becomes what is wanted: new parts, and what is no longer so with its
/// amount taken back on its own day. Nothing is changed or removed.
pub fn corrections(recorded: &[Allocated], wanted: &[Allocated]) -> Vec<Allocated> {
    let mut net: BTreeMap<(Source, i64, Date), i64> = BTreeMap::new();
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
        }
    }

    fn pay(key: i64, on: &str, amount_minor: i64, named: Option<i64>) -> Credit {
        Credit {
            source: Source::Payment(key),
            id: format!("P{key}").parse().unwrap(),
            on: date(on),
            amount_minor,
            named,
        }
    }

    fn check(claims: &[Claim], credits: &[Credit], expected: &str) {
        let lines: Vec<String> = replay(claims, credits)
            .iter()
            .map(|a| {
                let from = match a.source {
                    Source::Payment(key) => format!("P{key}"),
                    Source::Credit(key) => format!("C{key}"),
                };
                format!("{from} I{} {} {}", a.claim, a.on, a.amount_minor)
            })
            .collect();
        let expected: Vec<&str> =
            expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_oldest_due_is_paid_first() {
        let claims =
            [claim(1, "2024-01-01", "2024-03-01", 100), claim(2, "2024-01-02", "2024-02-01", 100)];
        check(
            &claims,
            &[pay(1, "2024-01-10", 150, None)],
            "P1 I2 2024-01-10 100\nP1 I1 2024-01-10 50",
        );
    }

    #[test]
    fn a_named_invoice_comes_first_and_the_rest_goes_on() {
        let claims =
            [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-01-02", "2024-03-01", 100)];
        check(
            &claims,
            &[pay(1, "2024-01-10", 150, Some(2))],
            "P1 I2 2024-01-10 100\nP1 I1 2024-01-10 50",
        );
    }

    #[test]
    fn an_over_payment_waits_for_the_next_invoice() {
        let claims =
            [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-02-10", "2024-03-10", 80)];
        check(
            &claims,
            &[pay(1, "2024-01-20", 150, None)],
            "P1 I1 2024-01-20 100\nP1 I2 2024-02-10 50",
        );
    }

    #[test]
    fn a_payment_for_an_invoice_of_a_later_day_waits_for_it() {
        let claims =
            [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-02-10", "2024-03-10", 80)];
        check(
            &claims,
            &[pay(1, "2024-01-20", 100, Some(2))],
            "P1 I2 2024-02-10 80\nP1 I1 2024-02-10 20",
        );
    }

    #[test]
    fn credit_notes_count_before_payments_of_the_same_day() {
        let credit = Credit {
            source: Source::Credit(9),
            id: "Z".parse().unwrap(),
            on: date("2024-01-20"),
            amount_minor: 30,
            named: None,
        };
        let claims = [claim(1, "2024-01-01", "2024-02-01", 100)];
        check(
            &claims,
            &[pay(1, "2024-01-20", 100, None), credit],
            "C9 I1 2024-01-20 30\nP1 I1 2024-01-20 70",
        );
    }

    #[test]
    fn what_is_no_longer_so_is_taken_back_on_its_own_day() {
        let claims =
            [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-01-02", "2024-01-31", 100)];
        let before = replay(&claims[..1], &[pay(1, "2024-01-10", 100, None)]);
        let after = replay(&claims, &[pay(1, "2024-01-10", 100, None)]);
        let source = Source::Payment(1);
        let on = date("2024-01-10");
        assert_eq!(
            corrections(&before, &after),
            [
                Allocated { source, claim: 1, on, amount_minor: -100 },
                Allocated { source, claim: 2, on, amount_minor: 100 },
            ]
        );
        assert_eq!(corrections(&after, &after), []);
    }

    fn book() -> impl Strategy<Value = (Vec<Claim>, Vec<Credit>)> {
        let day = 0i64..60;
        let claims = proptest::collection::vec((day.clone(), 0i64..40, 0i64..500), 0..12);
        let credits = proptest::collection::vec(
            (day, 1i64..700, proptest::option::of(0usize..12), any::<bool>()),
            0..12,
        );
        (claims, credits).prop_map(|(claims, credits)| {
            let start = date("2024-01-01");
            let claims: Vec<Claim> = claims
                .iter()
                .zip(0i64..)
                .map(|((issued, net, amount), key)| Claim {
                    key,
                    id: format!("I{key}").parse().unwrap(),
                    issued_on: start.plus_days(*issued).unwrap(),
                    due_on: start.plus_days(issued + net).unwrap(),
                    amount_minor: *amount,
                })
                .collect();
            let credits = credits
                .iter()
                .zip(100i64..)
                .map(|((on, amount, named, note), key)| Credit {
                    source: if *note { Source::Credit(key) } else { Source::Payment(key) },
                    id: format!("S{key}").parse().unwrap(),
                    on: start.plus_days(*on).unwrap(),
                    amount_minor: *amount,
                    named: named.and_then(|at| claims.get(at)).map(|claim| claim.key),
                })
                .collect();
            (claims, credits)
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_paid_twice((claims, credits) in book()) {
            let done = replay(&claims, &credits);
            for a in &done {
                let claim = claims.iter().find(|c| c.key == a.claim).unwrap();
                let credit = credits.iter().find(|c| c.source == a.source).unwrap();
                prop_assert!(a.amount_minor > 0 && a.on >= claim.issued_on && a.on >= credit.on);
            }
            for claim in &claims {
                let paid: i64 = done.iter().filter(|a| a.claim == claim.key).map(|a| a.amount_minor).sum();
                prop_assert!(paid <= claim.amount_minor);
            }
            for credit in &credits {
                let used: i64 = done.iter().filter(|a| a.source == credit.source).map(|a| a.amount_minor).sum();
                prop_assert!(used <= credit.amount_minor);
            }
            let (claimed, paid): (i64, i64) =
                (claims.iter().map(|c| c.amount_minor).sum(), done.iter().map(|a| a.amount_minor).sum());
            let given: i64 = credits.iter().map(|c| c.amount_minor).sum();
            prop_assert_eq!(paid, claimed.min(given), "either everything is paid or everything is used");
        }

        #[test]
        fn the_order_of_arrival_does_not_matter((claims, credits) in book(), seed in any::<u64>()) {
            let mut turned = (claims.clone(), credits.clone());
            let at = |len: usize| usize::try_from(seed % 97).unwrap() % len.max(1);
            turned.0.rotate_left(at(claims.len()));
            turned.1.rotate_left(at(credits.len()));
            turned.1.reverse();
            prop_assert_eq!(replay(&claims, &credits), replay(&turned.0, &turned.1));
        }

        #[test]
        fn a_day_is_decided_by_what_is_dated_up_to_it((claims, credits) in book(), day in 0i64..60) {
            let until = date("2024-01-01").plus_days(day).unwrap();
            let then: Vec<_> = replay(&claims, &credits).into_iter().filter(|a| a.on <= until).collect();
            let known: Vec<_> = claims.iter().filter(|c| c.issued_on <= until).cloned().collect();
            // A credit that waits for a later invoice does not exist yet for the others.
            let credits: Vec<_> = credits
                .into_iter()
                .filter(|c| c.on <= until && c.named.is_none_or(|key| known.iter().any(|claim| claim.key == key)))
                .collect();
            prop_assert_eq!(then, replay(&known, &credits));
        }

        #[test]
        fn corrections_lead_from_any_state_to_the_wanted_one((claims, credits) in book(), cut in 0usize..12) {
            let recorded = replay(&claims, &credits[..cut.min(credits.len())]);
            let wanted = replay(&claims, &credits);
            let mut all = recorded.clone();
            all.extend(corrections(&recorded, &wanted));
            prop_assert_eq!(corrections(&all, &wanted), vec![]);
        }
    }
}
