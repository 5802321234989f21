//! What is paid, goes back and is put right of it.

use super::{Deed, Document, World, cost, day, id};
use crate::{
    clerk::{CURRENCIES, CUSTOMERS, Credit, Entry, Refund},
    events::{DEDUCTIONS, Side},
};
use dunlin_app::{invoice, payment};
use serde_json::json;

impl World {
    pub(super) fn refund(
        &mut self,
        number: usize,
        note: usize,
        after: i64,
        minor: i64,
    ) -> Option<Entry> {
        let name = Self::pick(&self.notes, note)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let refund = format!("R{number}");
        let mut new = json!({"id": refund, "on": day(on)});
        // Half of the time all that is left is paid out.
        if minor % 2 == 0 {
            new["minor"] = json!(minor);
        }
        if !self.send(Deed::Refund(name.clone(), new.clone())) {
            return None;
        }
        let got = invoice::get(&self.db, &id(&name), day(400), i64::MAX).unwrap();
        let stored = got.refunds.unwrap().into_iter().find(|of| of.id.as_str() == refund);
        let minor = stored.unwrap().minor;
        new["minor"] = json!(minor);
        *self.deeds.last_mut().unwrap() = Deed::Refund(name.clone(), new);
        self.refunds.push(refund.clone());
        Some(Entry::Refund(name, Refund { id: refund, on, minor, until: None }))
    }

    pub(super) fn refund_back(&mut self, refund: usize, after: i64) -> Option<Entry> {
        let name = Self::pick(&self.refunds, refund)?;
        let now = self.now();
        let mut refunds = now.credits.iter().flat_map(|credit| &credit.refunds);
        let on = refunds.find(|of| of.id == name).unwrap().on + after;
        let new = json!({"on": day(on), "reason": "it came back"});
        let done = self.send(Deed::RefundBack(name.clone(), new));
        done.then_some(Entry::RefundBack { id: name, on })
    }

    #[allow(clippy::type_complexity)]
    pub(super) fn payment(
        &mut self,
        name: &str,
        (on, minor, order): (i64, i64, &'static str),
        (named, settles, deductions): (&[(usize, i64)], Option<usize>, &[(usize, i64, usize)]),
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        let (any, own) = (self.of(customer, None), self.of(customer, Some(currency)));
        let (mut own_parts, mut other_parts) = (Vec::new(), Vec::new());
        let (mut left, mut converted, mut designation) = (minor, 0, Vec::new());
        for (at, minor) in named {
            let Some(of) = Self::pick(&any, *at) else { continue };
            let (minor, parts) = match of.currency == currency {
                true => (*minor.min(&left), &mut own_parts),
                false => (*minor.min(&(left / 2)), &mut other_parts),
            };
            if minor < 1 {
                continue;
            }
            if of.currency == currency {
                left -= minor;
            } else {
                left -= cost(minor, of.currency, on);
                converted += cost(minor, of.currency, on);
            }
            designation.push(json!({"invoice_id": of.name, "minor": minor}));
            parts.push((of.name, Some(minor)));
        }
        // Half of what names one invoice says no more of it.
        let mut invoice_id = None;
        if let ([(name, most)], true) = (&mut own_parts[..], other_parts.is_empty())
            && minor % 2 == 1
        {
            (invoice_id, *most) = (Some(name.clone()), None);
            designation.clear();
        }
        let settles = settles.and_then(|at| Self::pick(&own, at)).map(|of| of.name);
        let deductions: Vec<(String, i64, usize)> = deductions
            .iter()
            .filter_map(|(at, minor, why)| Some((Self::pick(&own, *at)?, minor, *why)))
            .filter(|(of, _, _)| of.minor > 0)
            .map(|(of, minor, why)| (of.name, *minor.min(&of.minor), why))
            .collect();
        let mut new = json!({"id": name, "customer_id": customer, "received_on": day(on),
            "amount": {"minor": minor, "currency": currency}});
        if let Some(name) = invoice_id {
            new["invoice_id"] = json!(name);
        }
        if !order.is_empty() {
            new["order"] = json!(order);
        }
        if !designation.is_empty() {
            new["designation"] = designation.into();
        }
        if let Some(settles) = &settles {
            new["settles"] = json!([settles]);
        }
        if !deductions.is_empty() {
            let of = |(name, minor, why): &(String, i64, usize)| json!({"invoice_id": name, "minor": minor, "reason": DEDUCTIONS[*why]});
            new["deductions"] = deductions.iter().map(of).collect::<Vec<_>>().into();
        }
        // A correction may have left less to hold back than the clerk remembers.
        if !self.send(Deed::Payment(new)) {
            return None;
        }
        self.payments.push(name.to_string());
        if let Some(settles) =
            settles.clone().filter(|of| own_parts.iter().all(|(name, _)| name != of))
        {
            own_parts.push((settles, None));
        }
        let deductions = deductions.into_iter().map(|(name, minor, _)| (name, minor)).collect();
        let money = (on, minor - converted);
        let own = Self::credit(name, (customer, currency), 1, money, own_parts);
        let mut credits = vec![Credit { order, settles, deductions, ..own }];
        let other = CURRENCIES[usize::from(!side.dollars)];
        let total: i64 = other_parts.iter().filter_map(|(_, minor)| *minor).sum();
        if total > 0 {
            let part = format!("{name}/{other}");
            let part = Self::credit(&part, (customer, other), 1, (on, total), other_parts);
            credits.push(Credit { order, part_of: Some((name.to_string(), converted)), ..part });
        }
        Some(Entry::Credits(credits))
    }

    /// An invoice is paid early but for what that saves, or for a little more or less.
    pub(super) fn early(
        &mut self,
        name: &str,
        invoice: usize,
        (after, less, held): (i64, i64, i64),
        named: bool,
        order: &'static str,
    ) -> Option<Entry> {
        let of = Self::pick(&self.invoices, invoice)?;
        let now = self.now();
        let on = now.claims.iter().find(|claim| claim.whole == of.name)?.on + after;
        let held = held.min(of.minor / 2);
        let minor = (of.minor - (of.minor * 2 + 50) / 100 - held - less).max(1);
        let customer = now.owner(of.customer);
        let place = |list: Vec<Document>| list.iter().position(|other| other.name == of.name);
        let any = place(self.of(customer, None))?;
        let own = place(self.of(customer, Some(of.currency)))?;
        let parts: Vec<(usize, i64)> = Some((any, minor)).filter(|_| named).into_iter().collect();
        let deductions: Vec<(usize, i64, usize)> =
            Some((own, held, 0)).filter(|_| held > 0).into_iter().collect();
        let side =
            Side { duplicate: customer == CUSTOMERS[1], dollars: of.currency == CURRENCIES[1] };
        self.payment(name, (on, minor, order), (&parts, None, &deductions), side)
    }

    pub(super) fn reverse(
        &mut self,
        number: usize,
        payment: usize,
        after: i64,
        minor: i64,
        kind: &str,
    ) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let (back, mistake) = (format!("B{number}"), kind == "mistake");
        let mut new = json!({"id": back, "kind": kind});
        if !mistake {
            new["on"] = json!(day(on));
        }
        // Half of the time all of it goes back.
        if minor % 2 == 0 {
            new["minor"] = json!(minor);
        }
        if !self.send(Deed::Reverse(name.clone(), new.clone())) {
            return None;
        }
        let got = payment::get(&self.db, &id(&name), day(400), i64::MAX).unwrap();
        let stored = got.reversals.unwrap().into_iter().find(|of| of.id.as_str() == back);
        let minor = stored.unwrap().minor;
        new["minor"] = json!(minor);
        *self.deeds.last_mut().unwrap() = Deed::Reverse(name.clone(), new);
        self.reversals.push(back.clone());
        Some(Entry::Back((!mistake, on, back, name, minor)))
    }

    pub(super) fn undo(&mut self, reversal: usize) -> Option<Entry> {
        let back = Self::pick(&self.reversals, reversal)?;
        self.send(Deed::Undo(back.clone())).then_some(Entry::Undone(back))
    }

    pub(super) fn correct_payment(&mut self, payment: usize, on: i64, minor: i64) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let new = json!({"received_on": day(on), "minor": minor, "reason": "typed wrongly"});
        let done = self.send(Deed::CorrectPayment(name.clone(), new));
        done.then_some(Entry::Money { id: name, on, minor })
    }
}
