//! What payers say of their money.

use super::{Deed, World, day, id};
use crate::{
    clerk::{CUSTOMERS, Claim, Contested, Credit, Documents, Entry, NEVER},
    events::Side,
    said::Said,
};
use dunlin_app::{invoice, payment, write_off};
use dunlin_domain::contract::types::{Allocation, ServedBy};
use serde_json::{Value, json};

impl World {
    pub(super) fn said(&mut self, number: usize, said: Said) -> Option<Entry> {
        match said {
            Said::Agreed { on, minor, named, side } => {
                self.agreed(&format!("P{number}"), (on, minor), named, side)
            }
            Said::Beside { adjustment, later, part, minor, before } => {
                let name = format!("{}{number}", if before { "A" } else { "Z" });
                self.beside(&name, (adjustment, later, part), minor)
            }
            Said::Right { adjustment, later, part, minor, after, before } => {
                let name = format!("{}{number}", if before { "B" } else { "Y" });
                self.right(&name, (adjustment, later, part), minor, after)
            }
            Said::Version { from, order, duplicate } => self.version(from, order, duplicate),
            Said::Named { payment, named, whole } => self.name_anew(payment, &named, whole),
        }
    }

    /// The contract that says in which order a payment serves. A duplicate's stays in force after the merge.
    fn order_of(duplicate: bool) -> String {
        format!("O{}", CUSTOMERS[usize::from(duplicate)])
    }

    fn agreed(
        &mut self,
        name: &str,
        (on, minor): (i64, i64),
        named: Option<(usize, i64)>,
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        let contract = Self::order_of(side.duplicate);
        let mut new = json!({"id": name, "customer_id": customer, "received_on": day(on),
            "amount": {"minor": minor, "currency": currency}, "contract_id": contract});
        let mut parts = Vec::new();
        if let Some((at, part)) = named
            && let Some(of) = Self::pick(&self.of(customer, Some(currency)), at)
        {
            let part = part.min(minor);
            new["designation"] = json!([{"invoice_id": of.name, "minor": part}]);
            parts.push((of.name, Some(part)));
        }
        if !self.send(Deed::Payment(new)) {
            return None;
        }
        self.payments.push(name.to_string());
        let credit = Self::credit(name, (customer, currency), 1, (on, minor), parts);
        Some(Entry::Credits(vec![Credit { agreed: Some(contract), ..credit }]))
    }

    fn version(&mut self, from: i64, order: &'static str, duplicate: bool) -> Option<Entry> {
        let contract = Self::order_of(duplicate);
        let mut new = json!({"customer_id": CUSTOMERS[usize::from(duplicate)],
            "effective_on": day(from)});
        if !order.is_empty() {
            new["order"] = json!(order);
        }
        let done = self.send(Deed::Contract(contract.clone(), new));
        done.then_some(Entry::Version(contract, from, order))
    }

    /// The day of an adjustment or some days later, and its document or one of the instalments.
    fn place(
        &self,
        (adjustment, later, part): (usize, i64, usize),
    ) -> Option<(Claim, String, i64)> {
        let now = self.now();
        let all: Vec<&Credit> = now.credits.iter().filter(|of| of.rank == 2).collect();
        let of = Self::pick(&all, adjustment)?;
        let of_it = |claim: &&Claim| claim.id == of.named[0].0 || claim.whole == of.named[0].0;
        let whole = now.claims.iter().find(of_it)?.whole.clone();
        let mut claims: Vec<&Claim> = now.claims.iter().filter(|of| of.whole == whole).collect();
        claims.sort_by_key(|claim| claim.id.clone());
        let name = claims.get(part).map_or(whole, |claim| claim.id.clone());
        Some((claims[0].clone(), name, of.on + later))
    }

    fn beside(
        &mut self,
        name: &str,
        place: (usize, i64, usize),
        minor: Option<i64>,
    ) -> Option<Entry> {
        let (claim, of, on) = self.place(place)?;
        let mut new = json!({"id": name, "invoice_id": of, "on": day(on), "reason": "gone"});
        if let Some(minor) = minor {
            new["minor"] = json!(minor);
        }
        if !self.send(Deed::WriteOff(new.clone())) {
            return None;
        }
        if minor.is_none() {
            // What is given up in full leaves nothing open.
            let left = invoice::get(&self.db, &id(&of), day(on), i64::MAX).unwrap().open.minor;
            assert_eq!(left, 0, "{name} of {of} on day {on}");
        }
        let minor = write_off::get(&self.db, &id(name)).unwrap().amount.minor;
        new["minor"] = json!(minor);
        *self.deeds.last_mut().unwrap() = Deed::WriteOff(new);
        self.write_offs.push(name.to_string());
        let side = (claim.customer, claim.currency);
        let credit = Self::credit(name, side, 2, (on, minor), vec![(of, None)]);
        Some(Entry::Credits(vec![Credit { recoverable: true, ..credit }]))
    }

    fn right(
        &mut self,
        name: &str,
        place: (usize, i64, usize),
        minor: i64,
        after: i64,
    ) -> Option<Entry> {
        let (claim, of, decided) = self.place(place)?;
        let on = (decided - after).max(claim.on);
        let new = json!({"id": name, "invoice_id": of, "on": day(on), "minor": minor,
            "reason": "price"});
        if !self.send(Deed::Dispute(new)) {
            return None;
        }
        let id = name.to_string();
        let contested = Contested { id, claim: of.clone(), on, minor, decided: NEVER, upheld: 0 };
        self.log.push((self.step, Entry::Dispute(contested)));
        let outcome = json!({"outcome": "upheld", "on": day(decided)});
        if !self.send(Deed::Resolve(name.to_string(), outcome)) {
            return None;
        }
        let side = (claim.customer, claim.currency);
        let credit = Self::credit(name, side, 2, (decided, minor), vec![(of, None)]);
        Some(Entry::Resolve(name.to_string(), decided, Some(Box::new(credit))))
    }

    fn name_anew(&mut self, payment: usize, named: &[(usize, i64)], whole: bool) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let now = self.now();
        let credit = now.credits.iter().find(|credit| credit.id == name)?;
        let of = self.of(now.owner(credit.customer), Some(credit.currency));
        let (mut left, mut parts) = (credit.minor, Vec::new());
        for (at, minor) in named {
            let minor = (*minor).min(left);
            if let Some(of) = Self::pick(&of, *at).filter(|_| minor > 0) {
                left -= minor;
                parts.push((of.name, Some(minor)));
            }
        }
        parts.truncate(if whole { 1 } else { parts.len() });
        let mut what = json!({"reason": "misread"});
        match parts.first_mut().filter(|_| whole) {
            Some((name, minor)) => {
                *minor = None;
                what["invoice_id"] = json!(name);
            }
            None => {
                let part = |(name, minor): &(String, Option<i64>)| json!({"invoice_id": name, "minor": minor});
                what["designation"] = parts.iter().map(part).collect::<Vec<_>>().into();
                if whole {
                    what["invoice_id"] = Value::Null;
                }
            }
        }
        if !self.send(Deed::CorrectPayment(name.clone(), what)) {
            return None;
        }
        // What it settles or holds back was said of what it named.
        assert!(credit.settles.is_none() && credit.deductions.is_empty(), "{name}");
        Some(Entry::Named(name, parts))
    }

    /// What a document was named with, and no more, is told to be by name, of a payment and of what it was set against alike.
    pub(super) fn check_shares(&self, documents: &Documents, on: i64, known: i64) {
        for credit in documents.credits.iter().filter(|credit| credit.rank == 1 && credit.on <= on)
        {
            let rows = payment::get(&self.db, &id(&credit.id), day(on), known).unwrap().allocations;
            let rows: Vec<_> = rows.into_iter().filter(|of| of.difference.is_none()).collect();
            for name in credit.named.iter().map(|(name, _)| name) {
                let named = credit.named.iter().filter(|of| of.0 == *name);
                let most: Option<i64> = named.map(|of| of.1).sum();
                let is_of = |of: &&Allocation| of.invoice_id.split('#').next() == Some(name);
                let (mut came, mut by_name) = (0, 0);
                for row in rows.iter().filter(is_of) {
                    let rule = row.rule.as_ref().unwrap();
                    let by = rule.served_by == ServedBy::Designation;
                    came += row.amount.minor;
                    by_name += rule.named_minor.unwrap_or(if by { row.amount.minor } else { 0 });
                    let read =
                        invoice::get(&self.db, &id(&row.invoice_id), day(on), known).unwrap();
                    assert!(read.allocations.contains(row), "{row:?} {:?}", read.allocations);
                }
                let wanted = most.map_or(came, |most| came.min(most));
                assert_eq!(
                    by_name, wanted,
                    "{} for {name} on day {on} as known at {known}",
                    credit.id
                );
            }
        }
    }

    /// A payment reads as naming what it was known to name. What it only settles is told elsewhere.
    pub(super) fn check_names(&self, documents: &Documents, on: i64, known: i64) {
        for credit in documents.credits.iter().filter(|credit| credit.rank == 1 && credit.on <= on)
        {
            let changed = |of: &Credit| of.part_of.as_ref().is_some_and(|of| of.0 == credit.id);
            if credit.part_of.is_some() || documents.credits.iter().any(changed) {
                continue;
            }
            let got = payment::get(&self.db, &id(&credit.id), day(on), known).unwrap();
            let parts = got.designation.unwrap_or_default();
            let parts =
                parts.into_iter().map(|part| (part.invoice_id.to_string(), Some(part.minor)));
            let whole = got.invoice_id.map(|name| (name.to_string(), None));
            let settled = |(name, minor): &(String, Option<i64>)| {
                minor.is_none() && credit.settles.as_ref() == Some(name)
            };
            let read: Vec<_> = parts.chain(whole).filter(|of| !settled(of)).collect();
            let wanted: Vec<_> = credit.named.iter().filter(|of| !settled(of)).cloned().collect();
            assert_eq!(read, wanted, "what {} names on day {on} as known at {known}", credit.id);
        }
    }
}
