//! What is decided and agreed about documents: write-offs, disputes, defaults, pauses, interest given up, guarantees, rates.

use super::{Deed, World, day, id};
use crate::{
    clerk::{CUSTOMERS, Claim, Contested, Credit, Entry, Guarantee, NEVER, Paused, Waived},
    events::Side,
};
use dunlin_app::default_record;
use serde_json::json;

impl World {
    pub(super) fn write_off(
        &mut self,
        name: &str,
        invoice: usize,
        on: i64,
        minor: i64,
    ) -> Option<Entry> {
        let of = Self::pick(&self.invoices, invoice)?;
        let new = json!({"id": name, "invoice_id": of.name, "on": day(on), "minor": minor,
            "reason": "gone"});
        if !self.send(Deed::WriteOff(new)) {
            return None;
        }
        self.write_offs.push(name.to_string());
        let named = vec![(of.name, None)];
        let credit = Self::credit(name, (of.customer, of.currency), 2, (on, minor), named);
        Some(Entry::Credits(vec![Credit { recoverable: true, ..credit }]))
    }

    pub(super) fn take_back(&mut self, write_off: usize, after: i64) -> Option<Entry> {
        let name = Self::pick(&self.write_offs, write_off)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let new = json!({"on": day(on), "reason": "by mistake"});
        let done = self.send(Deed::TakeBack(name.clone(), new));
        done.then_some(Entry::End { id: name, on })
    }

    pub(super) fn void(&mut self, invoice: usize, after: i64) -> Option<Entry> {
        let of = Self::pick(&self.invoices, invoice)?;
        let now = self.now();
        let is_of = |claim: &&Claim| claim.whole == of.name;
        let on = now.claims.iter().find(is_of).unwrap().on + after;
        if !self.send(Deed::Void(of.name.clone(), on)) {
            return None;
        }
        let (name, named) = (format!("void/{}", of.name), vec![(of.name, None)]);
        let credit = Self::credit(&name, (of.customer, of.currency), 2, (on, 1), named);
        Some(Entry::Credits(vec![Credit { voids: true, ..credit }]))
    }

    pub(super) fn dispute(
        &mut self,
        name: &str,
        invoice: usize,
        on: i64,
        minor: i64,
    ) -> Option<Entry> {
        let of = Self::pick(&self.invoices, invoice)?;
        let now = self.now();
        let plain = now.claims.iter().any(|claim| claim.id == of.name);
        // An invoice in instalments is contested as a whole, or only the first of them.
        let of_first = !plain && minor % 2 == 1;
        let claim = if of_first { format!("{}#1", of.name) } else { of.name };
        let new = json!({"id": name, "invoice_id": claim, "on": day(on), "minor": minor,
            "reason": "price"});
        let id = name.to_string();
        let contested = Contested { id, claim, on, minor, decided: NEVER, upheld: 0 };
        self.send(Deed::Dispute(new)).then_some(Entry::Dispute(contested))
    }

    pub(super) fn resolve(
        &mut self,
        dispute: usize,
        after: i64,
        upheld: i64,
        anew: bool,
    ) -> Option<Entry> {
        let now = self.now();
        let of = Self::pick(&now.contested, dispute)?;
        if (anew || upheld < 0) && of.decided == NEVER {
            return None;
        }
        let undone = upheld < 0;
        let decided = if undone { NEVER } else { of.on + after };
        let upheld = upheld.min(of.minor).max(0);
        let mut outcome = match upheld {
            _ if undone => json!({"undo": true}),
            0 => json!({"outcome": "rejected", "on": day(decided)}),
            all if all == of.minor => json!({"outcome": "upheld", "on": day(decided)}),
            part => json!({"outcome": "partly-upheld", "upheld_minor": part, "on": day(decided)}),
        };
        if anew || undone {
            outcome["replaces"] = json!(day(of.decided));
        }
        if !self.send(Deed::Resolve(of.id.clone(), outcome)) {
            return None;
        }
        let mut claims = now.claims.iter();
        let claim = claims.find(|claim| claim.id == of.claim || claim.whole == of.claim).unwrap();
        let (side, named) = ((claim.customer, claim.currency), vec![(of.claim.clone(), None)]);
        let credit = Self::credit(&of.id, side, 2, (decided, upheld), named);
        Some(Entry::Resolve(of.id, decided, (upheld > 0).then(|| Box::new(credit))))
    }

    /// A default changes nothing that the clerk is asked for.
    pub(super) fn default(&mut self, name: &str, invoice: Option<usize>, on: i64, duplicate: bool) {
        let customer = self.now().owner(CUSTOMERS[usize::from(duplicate)]);
        let of = invoice.and_then(|at| Self::pick(&self.of(customer, None), at));
        let mut new = json!({"id": name, "customer_id": customer, "found_on": day(on),
            "kind": "refused", "reason": "They will not pay."});
        if let Some(of) = of {
            new["invoice_id"] = json!(of.name);
        }
        if self.send(Deed::Default(new)) {
            self.defaults.push(name.to_string());
        }
    }

    pub(super) fn close(&mut self, default: usize, after: i64) {
        let Some(name) = Self::pick(&self.defaults, default) else { return };
        let found = default_record::get(&self.db, &id(&name)).unwrap().found_on;
        let on = found.plus_days(after).unwrap();
        let state = if after % 2 == 0 { "cured" } else { "withdrawn" };
        self.send(Deed::Close(name, json!({"state": state, "on": on})));
    }

    pub(super) fn open_again(&mut self, default: usize, why: &str) {
        let Some(name) = Self::pick(&self.defaults, default) else { return };
        let closed = default_record::get(&self.db, &id(&name)).unwrap().closed_on;
        if let Some(on) = closed {
            self.send(Deed::Reopen(name, json!({"replaces": on, "reason": why})));
        }
    }

    pub(super) fn pause(
        &mut self,
        name: &str,
        invoice: Option<usize>,
        (from, days): (i64, Option<i64>),
        duplicate: bool,
    ) -> Option<Entry> {
        let customer = self.now().owner(CUSTOMERS[usize::from(duplicate)]);
        let whole = match invoice {
            Some(at) => Some(Self::pick(&self.invoices, at)?.name),
            None => None,
        };
        let to = days.map(|days| from + days);
        let mut new = json!({"id": name, "from": day(from), "to": to.map(day)});
        match &whole {
            Some(whole) => new["invoice_id"] = json!(whole),
            None => new["customer_id"] = json!(customer),
        }
        assert!(self.send(Deed::Pause(new)));
        self.pauses.push(name.to_string());
        let (id, to) = (name.to_string(), to.unwrap_or(NEVER));
        Some(Entry::Pause(Paused { id, customer, whole, from, to }))
    }

    pub(super) fn resume(&mut self, pause: usize, after: i64) -> Option<Entry> {
        let name = Self::pick(&self.pauses, pause)?;
        let on = self.now().paused.iter().find(|of| of.id == name).unwrap().from + after;
        let done = self.send(Deed::Resume(name.clone(), json!({"on": day(on)})));
        done.then_some(Entry::Resume(name, on))
    }

    pub(super) fn waiver(
        &mut self,
        name: &str,
        invoice: usize,
        on: i64,
        minor: i64,
    ) -> Option<Entry> {
        let whole = Self::pick(&self.invoices, invoice)?.name;
        let new = json!({"id": name, "invoice_id": whole, "on": day(on), "minor": minor,
            "reason": "an old customer"});
        self.send(Deed::Waiver(new)).then_some(Entry::Waiver(Waived { whole, on, minor }))
    }

    pub(super) fn guarantee(
        &mut self,
        name: &str,
        contract: usize,
        (from, days, claim): (i64, Option<i64>, Option<i64>),
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        // A duplicate's contract stays in force after the merge.
        let own = CUSTOMERS[usize::from(side.duplicate)];
        let contract = ["K", "K", "L"].get(contract).map(|letter| format!("{letter}{own}"));
        let to = days.map(|days| from + days);
        let claim = claim.map(|after| (to.unwrap_or(from + 20) + after).max(from));
        let new = json!({"customer_id": customer, "contract_id": contract, "kind": "pledge",
            "party": "A house", "amount": {"minor": 500, "currency": currency},
            "valid_from": day(from), "valid_to": to.map(day), "claim_by": claim.map(day)});
        let id = name.to_string();
        let guarantee = Guarantee { id, customer, currency, contract, from, to, claim };
        let deed = Deed::Guarantee(name.to_string(), new);
        self.send(deed).then_some(Entry::Guarantee(guarantee))
    }

    pub(super) fn rate(&mut self, from: i64, hundredths: i64) -> Option<Entry> {
        let row = json!({"valid_from": day(from), "rate": format!("0.{hundredths:02}"),
            "source": "ours", "confirmed": true});
        self.send(Deed::Rate(row)).then_some(Entry::Rate(from, hundredths.into()))
    }
}
