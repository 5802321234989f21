//! What is stored of allocations beside what a replay of the documents gives.

use crate::replay::Replayed;
use dunlin_domain::{
    Currency, Id,
    allocation::{Allocated, Share, Source},
    contract::ledger::{ReplayDifference, ReplayPage, ReplayedPart},
    money::MAX_TOTAL_MINOR,
};
use dunlin_store::{
    Db, Fault,
    allocation::{Book, books},
    policy, read,
    verification::{balances, customers_after, owner_of},
};
use std::collections::BTreeMap;

/// Differences that one answer names.
const NAMED: usize = 100;

/// Replays the next so many customers after a key, and writes nothing: what their documents give is held against what
/// is stored. Gives where to go on, too.
pub fn replayed<D: Db>(db: &D, after: i64, limit: u32) -> Result<(ReplayPage, Option<i64>), Fault> {
    read(db, |db| {
        let mut customers = customers_after(db, after, limit.saturating_add(1))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = customers.len() > limit;
        customers.truncate(limit);
        let next = customers.last().map(|last| last.0).filter(|_| more);
        let keys: Vec<i64> = customers.iter().map(|(key, _)| *key).collect();
        let books = books(db, &keys, &policy::current(db)?)?;
        let (open, unallocated) = balances(db, &keys)?;
        let mut found = Found::default();
        for ((customer, currency), book) in &books.of {
            let customer = customers.iter().find(|(key, _)| key == customer).map(|(_, id)| id);
            let replayed = Replayed::of(book, &books.orders);
            Compared { customer, currency: *currency, book }.all(
                replayed.as_ref(),
                &open,
                &unallocated,
                &mut found,
            )?;
        }
        for part in &books.nowhere {
            found.add(|| stray(db, part))?;
        }
        let page = ReplayPage {
            ok: found.broken == 0,
            customers: u64::try_from(customers.len()).unwrap_or(0),
            checked: found.checked,
            broken: found.broken,
            items: found.items,
            next: None,
        };
        Ok((page, next))
    })
}

#[derive(Default)]
struct Found {
    checked: u64,
    broken: u64,
    items: Vec<ReplayDifference>,
}

impl Found {
    /// Counts a difference, and names it as long as there are few: to find the names takes a look through the book.
    fn add(&mut self, name: impl FnOnce() -> Result<ReplayDifference, Fault>) -> Result<(), Fault> {
        self.broken = self.broken.saturating_add(1);
        if self.items.len() < NAMED {
            self.items.push(name()?);
        }
        Ok(())
    }
}

/// A book beside its replay.
struct Compared<'a> {
    customer: Option<&'a Id>,
    currency: Currency,
    book: &'a Book,
}

impl Compared<'_> {
    fn all(
        &self,
        replayed: Option<&Replayed>,
        open: &BTreeMap<i64, i64>,
        unallocated: &BTreeMap<i64, i64>,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let Some(replayed) = replayed else {
            let claims = self.book.claims.iter().map(|of| of.amount_minor);
            let credits = self.book.credits.iter().map(|of| of.amount_minor);
            let claimed = claims.fold(0, i64::saturating_add);
            let stored = claimed.max(credits.fold(0, i64::saturating_add));
            return found.add(|| Ok(self.of(ReplayedPart::Total, stored, MAX_TOTAL_MINOR)));
        };
        for row in &replayed.corrections {
            found.add(|| Ok(self.allocation(row)))?;
        }
        // What is left of each claim and each credit.
        let mut met: BTreeMap<i64, i64> = BTreeMap::new();
        let mut used: BTreeMap<i64, i64> = BTreeMap::new();
        for part in &replayed.wanted {
            let (of, key) = match part.source {
                Source::Payment(key) => (&mut used, Some(key)),
                Source::Credit(key) => (&mut met, Some(key)),
                Source::Adjustment(_) | Source::Difference(..) => (&mut met, None),
            };
            if let Some(key) = key {
                add(of, key, part.amount_minor);
            }
            if let Some(claim) = part.claim {
                add(&mut met, claim, part.amount_minor);
            }
        }
        let rest = |of: &BTreeMap<i64, i64>, key: i64, amount: i64| {
            amount.saturating_sub(of.get(&key).copied().unwrap_or(0))
        };
        for claim in &self.book.claims {
            let (left, id) = (rest(&met, claim.key, claim.amount_minor), &claim.id);
            self.balance(found, ReplayedPart::Open, open.get(&claim.key), left, |of| {
                of.invoice_id = Some(id.to_string());
            })?;
        }
        for credit in &self.book.credits {
            let id = &credit.id;
            match credit.source {
                Source::Credit(key) => {
                    let left = rest(&met, key, credit.amount_minor);
                    self.balance(found, ReplayedPart::Open, open.get(&key), left, |of| {
                        of.credit_note_id = Some(id.clone());
                    })?;
                }
                Source::Payment(key) => {
                    let left = rest(&used, key, credit.amount_minor);
                    let stored = unallocated.get(&key);
                    self.balance(found, ReplayedPart::Unallocated, stored, left, |of| {
                        of.payment_id = Some(id.clone());
                    })?;
                }
                Source::Adjustment(_) | Source::Difference(..) => {}
            }
        }
        self.shares(replayed, found)
    }

    fn balance(
        &self,
        found: &mut Found,
        what: ReplayedPart,
        stored: Option<&i64>,
        replayed: i64,
        name: impl FnOnce(&mut ReplayDifference),
    ) -> Result<(), Fault> {
        found.checked = found.checked.saturating_add(1);
        let stored = stored.copied().unwrap_or(0);
        if stored == replayed {
            return Ok(());
        }
        found.add(|| {
            let mut of = self.of(what, stored, replayed);
            name(&mut of);
            Ok(of)
        })
    }

    /// Of disputes of documents with instalments, what is of which.
    fn shares(&self, replayed: &Replayed, found: &mut Found) -> Result<(), Fault> {
        for share in &replayed.shares {
            let same = |of: &&Share| of.whole == share.whole && of.claim == share.claim;
            let stored = self.book.shares.iter().find(same);
            let stored = stored.map_or((0, 0), |of| (of.minor, of.upheld_minor));
            for (what, stored, replayed) in [
                (ReplayedPart::Contested, stored.0, share.minor),
                (ReplayedPart::Upheld, stored.1, share.upheld_minor),
            ] {
                if stored != replayed {
                    let whole = self.book.wholes.iter().find(|of| of.key == share.whole);
                    found.add(|| {
                        let mut of = self.of(what, stored, replayed);
                        of.dispute_id = whole.map(|of| of.id.clone());
                        of.invoice_id = self.claim_id(share.claim);
                        Ok(of)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// A part that is to be added, as one that is stored with another amount.
    fn allocation(&self, row: &Allocated) -> ReplayDifference {
        let same =
            |of: &&Allocated| (of.claim, of.on, of.source) == (row.claim, row.on, row.source);
        let stored = self.book.recorded.iter().filter(same);
        let stored = stored.fold(0i64, |sum, of| sum.saturating_add(of.amount_minor));
        let replayed = stored.saturating_add(row.amount_minor);
        let mut of = self.of(ReplayedPart::Allocation, stored, replayed);
        of.invoice_id = row.claim.and_then(|key| self.claim_id(key));
        of.on = Some(row.on);
        let credit_id = |source: Source| {
            self.book.credits.iter().find(|of| of.source == source).map(|of| of.id.clone())
        };
        match row.source {
            Source::Payment(_) => of.payment_id = credit_id(row.source),
            Source::Credit(_) => of.credit_note_id = credit_id(row.source),
            Source::Adjustment(_) => of.adjustment_id = credit_id(row.source),
            Source::Difference(key, why) => {
                (of.payment_id, of.difference) = (credit_id(Source::Payment(key)), Some(why));
            }
        }
        of
    }

    fn claim_id(&self, key: i64) -> Option<String> {
        self.book.claims.iter().find(|of| of.key == key).map(|of| of.id.to_string())
    }

    fn of(&self, what: ReplayedPart, stored_minor: i64, replayed_minor: i64) -> ReplayDifference {
        let (customer, currency) = (self.customer.cloned(), Some(self.currency));
        difference(customer, currency, what, stored_minor, replayed_minor)
    }
}

fn add(sums: &mut BTreeMap<i64, i64>, key: i64, minor: i64) {
    let sum = sums.entry(key).or_default();
    *sum = sum.saturating_add(minor);
}

/// A part that is recorded for a customer and joins documents that it does not have.
fn stray<D: Db>(db: &D, part: &Allocated) -> Result<ReplayDifference, Fault> {
    let mut of = difference(None, None, ReplayedPart::Allocation, part.amount_minor, 0);
    of.on = Some(part.on);
    if let Source::Payment(key) = part.source
        && let Some((customer, id)) = owner_of(db, true, key)?
    {
        (of.customer_id, of.payment_id) = (Some(customer), Some(id));
    }
    if let Some(key) = part.claim
        && let Some((customer, id)) = owner_of(db, false, key)?
    {
        (of.customer_id, of.invoice_id) = (Some(customer), Some(id.to_string()));
    }
    Ok(of)
}

fn difference(
    customer_id: Option<Id>,
    currency: Option<Currency>,
    what: ReplayedPart,
    stored_minor: i64,
    replayed_minor: i64,
) -> ReplayDifference {
    ReplayDifference {
        customer_id,
        currency,
        what,
        invoice_id: None,
        payment_id: None,
        credit_note_id: None,
        adjustment_id: None,
        dispute_id: None,
        difference: None,
        on: None,
        stored_minor,
        replayed_minor,
    }
}
