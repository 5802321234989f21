//! What is owed: invoices, credit notes about them, and what is put right of them.

use super::{Deed, Document, World, day};
use crate::{
    clerk::{CUSTOMERS, Claim, Credit, Entry},
    events::Side,
};
use serde_json::{Value, json};

impl World {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn invoice(
        &mut self,
        name: &str,
        kind: &'static str,
        (on, net, minor): (i64, i64, i64),
        parts: bool,
        about: usize,
        discount: bool,
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        let mut claims = self.of(customer, Some(currency));
        claims.retain(|claim| claim.kind == "invoice");
        let about = Self::pick(&claims, about).filter(|_| kind != "invoice").map(|of| of.name);
        let halves = [(on + net, minor / 2), (on + net + 7, minor - minor / 2)];
        let parts = parts && minor > 1;
        let instalments: Vec<Value> = halves
            .iter()
            .map(|(due, minor)| json!({"due_on": day(*due), "minor": minor}))
            .collect();
        let written = if kind == "penalty" { "fee" } else { kind };
        let mut new = json!({"id": name, "customer_id": customer, "kind": written,
            "issued_on": day(on), "amount": {"minor": minor, "currency": currency},
            "relates_to": about});
        if kind == "penalty" {
            new["penalty"] = json!(true);
        }
        // A duplicate's contract stays in force after the merge.
        let contract = format!("K{}", CUSTOMERS[usize::from(side.duplicate)]);
        let contract = discount.then_some(contract);
        if let Some(contract) = &contract {
            new["contract_id"] = json!(contract);
        }
        if parts {
            new["instalments"] = instalments.into();
        } else {
            new["due_on"] = json!(day(on + net));
        }
        assert!(self.send(Deed::Invoice(new)));
        let whole = name.to_string();
        self.invoices.push(Document { name: whole.clone(), customer, currency, kind, minor });
        let claim = |id: String, due: i64, minor: i64| Claim {
            id,
            whole: whole.clone(),
            customer,
            currency,
            kind,
            about: about.clone(),
            discount,
            contract: contract.clone(),
            signed: None,
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

    pub(super) fn credit_note(
        &mut self,
        name: &str,
        on: i64,
        minor: i64,
        about: Option<usize>,
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        let about = about.and_then(|at| Self::pick(&self.of(customer, Some(currency)), at));
        let about = about.map(|of| of.name);
        let new = json!({"id": name, "customer_id": customer, "kind": "credit-note",
            "issued_on": day(on), "amount": {"minor": minor, "currency": currency},
            "relates_to": about});
        assert!(self.send(Deed::Invoice(new)));
        self.notes.push(name.to_string());
        let named = about.map(|about| (about, None)).into_iter().collect();
        Some(Entry::Credits(vec![Self::credit(name, (customer, currency), 0, (on, minor), named)]))
    }

    pub(super) fn correct_invoice(
        &mut self,
        invoice: usize,
        (on, net, minor): (i64, i64, i64),
    ) -> Option<Entry> {
        let name = Self::pick(&self.invoices, invoice)?.name;
        let known = self.now();
        let plain = known.claims.iter().any(|claim| claim.id == name);
        let name = if plain { name } else { format!("{name}#1") };
        let before = known.claims.iter().find(|claim| claim.id == name).unwrap().on;
        let on = if plain { on } else { before };
        let mut new = json!({"due_on": day(on + net), "minor": minor, "reason": "typed wrongly"});
        if plain {
            new["issued_on"] = json!(day(on));
        }
        let done = self.send(Deed::CorrectInvoice(name.clone(), new));
        done.then_some(Entry::Claim { id: name, on, due: on + net, minor })
    }

    pub(super) fn agree(&mut self, invoice: usize, discount: bool) -> Option<Entry> {
        let mut invoices = self.invoices.clone();
        invoices.retain(|of| of.kind == "invoice");
        let of = Self::pick(&invoices, invoice)?;
        let contract = format!("{}{}", if discount { "K" } else { "L" }, of.customer);
        let new = json!({"contract_id": contract, "reason": "under another contract"});
        let done = self.send(Deed::CorrectInvoice(of.name.clone(), new));
        done.then_some(Entry::Agreed { whole: of.name, contract, discount })
    }

    pub(super) fn move_past(&mut self, adjustment: usize, after: i64) -> Option<Entry> {
        let now = self.now();
        let adjustments: Vec<&Credit> = now.credits.iter().filter(|of| of.rank == 2).collect();
        let of = Self::pick(&adjustments, adjustment)?;
        let is_it = |claim: &&Claim| claim.id == of.named[0].0 || claim.whole == of.named[0].0;
        let whole = now.claims.iter().find(is_it)?.whole.clone();
        let claims: Vec<&Claim> = now.claims.iter().filter(|claim| claim.whole == whole).collect();
        let plain = claims[0].id == whole;
        let first_due = claims.iter().map(|claim| claim.due).min()?;
        // An invoice in instalments is of their first day at the latest.
        let on = if plain { of.on + after } else { (of.on + after).min(first_due) };
        let mut new = json!({"issued_on": day(on), "reason": "typed wrongly"});
        if plain {
            new["due_on"] = json!(day(first_due.max(on)));
        }
        if !self.send(Deed::CorrectInvoice(whole, new)) {
            return None;
        }
        let moved = claims.into_iter().map(|claim| {
            let due = if plain { claim.due.max(on) } else { claim.due };
            (self.step, Entry::Claim { id: claim.id.clone(), on, due, minor: claim.minor })
        });
        self.log.extend(moved);
        None
    }
}
