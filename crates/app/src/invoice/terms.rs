//! What a document is recorded with once its contract and what it names have been asked: of one document, or of a
//! slice of a file at once.

use crate::ledger::json;
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    contract::{
        ledger::PaymentTerms,
        types::{Instalment, InvoiceKind, NewInvoice},
    },
    contract_terms,
};
use dunlin_store::{
    Db, Fault,
    contract::{self, InForce},
    invoice::{self, Item, Named},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most characters that the id of an invoice with instalments has: theirs have a mark and a number more.
const MAX_ID_WITH_PARTS: usize = 60;

/// What the books have of some documents, of what they are about and of their contracts.
#[derive(Default)]
pub(crate) struct Beside {
    stored: BTreeMap<Id, (Item, Vec<Item>)>,
    named: BTreeMap<Id, Named>,
    versions: BTreeMap<(Id, Date), InForce>,
}

impl Beside {
    pub(crate) fn of<D: Db>(db: &D, documents: &[(&Id, &NewInvoice)]) -> Result<Self, Fault> {
        let own: BTreeSet<&str> = documents.iter().map(|(id, _)| id.as_str()).collect();
        let about = documents.iter().filter_map(|(_, new)| new.relates_to.as_ref());
        let ids: BTreeSet<&str> = own.iter().copied().chain(about.map(Id::as_str)).collect();
        let named = invoice::named(db, &ids.into_iter().collect::<Vec<_>>())?;
        let keys = named.iter().filter(|of| own.contains(of.0.as_str())).map(|of| of.1);
        let keys: Vec<i64> = keys.collect();
        let items = if keys.is_empty() { Vec::new() } else { invoice::items(db, &keys, i64::MAX)? };
        let mut stored: BTreeMap<i64, (Item, Vec<Item>)> = BTreeMap::new();
        // A document has a lower key than its instalments.
        for item in items {
            match item.parent_key.and_then(|parent| stored.get_mut(&parent)) {
                Some((_, parts)) => parts.push(item),
                None => drop(stored.insert(item.key, (item, Vec::new()))),
            }
        }
        let under = documents.iter().filter_map(|(_, new)| {
            new.contract_id.as_ref().map(|contract| (contract.clone(), new.issued_on))
        });
        Ok(Self {
            stored: stored.into_values().map(|of| (of.0.id.clone(), of)).collect(),
            named: named.into_iter().map(|of| (of.0.clone(), of)).collect(),
            versions: contract::in_force_all(db, &under.collect())?,
        })
    }
}

/// A document as it is recorded.
pub(crate) struct Ready {
    due_on: Date,
    pub instalments: Vec<Instalment>,
    version: Option<i64>,
    relates: Option<i64>,
    /// Whether its id is there already.
    pub is_stored: bool,
    /// Whether the instalments that are there are others.
    pub parts_differ: bool,
}

impl Ready {
    /// The document with what it inherits. What is stored already keeps what it inherited, whatever was agreed since.
    pub(crate) fn of(
        id: &Id,
        new: &NewInvoice,
        customer: i64,
        beside: &Beside,
    ) -> Result<Self, Refused> {
        let stored = beside.stored.get(id);
        let mut ready = inherited(new, customer, stored, &beside.versions)?;
        ready.check(new, id)?;
        let about = new.relates_to.as_ref();
        let about = about.map(|about| relation(beside.named.get(about), new, customer));
        ready.relates = about.transpose()?;
        if let Some((_, parts)) = stored {
            ready.is_stored = true;
            ready.parts_differ = !ready.has_parts(parts);
        }
        Ok(ready)
    }

    /// Its row in the shape of `invoice/insert_all.sql`.
    pub(crate) fn row(&self, row: u64, id: &Id, new: &NewInvoice) -> impl Serialize + use<> {
        let whole = if self.instalments.is_empty() { new.amount.minor } else { 0 };
        self.shaped(row, id.clone(), new, (self.due_on, whole), None)
    }

    fn shaped(
        &self,
        row: u64,
        id: Id,
        new: &NewInvoice,
        (due_on, minor): (Date, i64),
        parent: Option<i64>,
    ) -> impl Serialize + use<> {
        (
            row,
            id,
            new.customer_id.clone(),
            new.kind.unwrap_or(InvoiceKind::Invoice),
            new.issued_on,
            due_on,
            minor,
            new.amount.currency,
            i64::from(new.disputed.unwrap_or(false)),
            self.version,
            self.relates,
            parent,
            i64::from(new.penalty.unwrap_or(false)),
        )
    }

    fn has_parts(&self, stored: &[Item]) -> bool {
        let given = &self.instalments;
        let same = |(item, part): (&Item, &Instalment)| {
            item.due_on == part.due_on && item.amount_minor == part.minor
        };
        stored.len() == given.len() && stored.iter().zip(given).all(same)
    }

    fn check(&self, new: &NewInvoice, id: &Id) -> Result<(), Refused> {
        let refused =
            |code: Refusal, field: &str, detail: String| Err(Refused::new(code, detail).at(field));
        if self.due_on < new.issued_on {
            let code = Refusal::DueBeforeIssued;
            return refused(code, "due_on", code.about().into());
        }
        if new.penalty == Some(true) && new.kind != Some(InvoiceKind::Fee) {
            return refused(Refusal::MalformedField, "penalty", "only a fee is a penalty".into());
        }
        let (parts, field) = (&self.instalments, "instalments");
        if parts.is_empty() {
            return Ok(());
        }
        if new.kind.is_some_and(|kind| kind != InvoiceKind::Invoice) {
            let detail = "only an invoice has instalments".into();
            return refused(Refusal::MalformedField, field, detail);
        }
        if new.instalments.is_some() && new.due_on.is_some_and(|due_on| due_on != self.due_on) {
            let detail = "an invoice with instalments is due with the last of them".into();
            return refused(Refusal::MalformedField, "due_on", detail);
        }
        if !(2..=100).contains(&parts.len()) {
            let detail = "there are 2 to 100 instalments".into();
            return refused(Refusal::MalformedField, field, detail);
        }
        if id.as_str().chars().count() > MAX_ID_WITH_PARTS {
            let detail = format!(
                "the id of an invoice with instalments has at most {MAX_ID_WITH_PARTS} characters"
            );
            return refused(Refusal::MalformedId, "id", detail);
        }
        let mut before = new.issued_on;
        let mut total = 0i64;
        for part in parts {
            if part.minor < 1 {
                let detail = "an instalment is at least 1".into();
                return refused(Refusal::AmountNotPositive, field, detail);
            }
            if part.due_on < before {
                let detail =
                    "instalments are due in rising order, none before the invoice's day".into();
                return refused(Refusal::DueBeforeIssued, field, detail);
            }
            before = part.due_on;
            total = total.saturating_add(part.minor);
        }
        if total != new.amount.minor {
            let detail =
                format!("the instalments come to {total}, the invoice to {}", new.amount.minor);
            return refused(Refusal::PartsExceedAmount, field, detail);
        }
        Ok(())
    }
}

/// When it is due, in which parts, and under which version of its contract.
fn inherited(
    new: &NewInvoice,
    customer: i64,
    stored: Option<&(Item, Vec<Item>)>,
    versions: &BTreeMap<(Id, Date), InForce>,
) -> Result<Ready, Refused> {
    let given = new.instalments.clone();
    let last = given.as_ref().and_then(|parts| parts.last()).map(|part| part.due_on);
    let chosen = last.or(new.due_on);
    let ready = |due_on: Date, instalments: Vec<Instalment>, version: Option<i64>| Ready {
        due_on,
        instalments,
        version,
        relates: None,
        is_stored: false,
        parts_differ: false,
    };
    let plain = |version| {
        ready(chosen.unwrap_or(new.issued_on), given.clone().unwrap_or_default(), version)
    };
    let Some(contract) = &new.contract_id else { return Ok(plain(None)) };
    if let Some((item, parts)) = stored
        && item.contract_id.as_ref() == Some(contract)
    {
        let part = |part: &Item| Instalment { due_on: part.due_on, minor: part.amount_minor };
        return Ok(match chosen {
            None => ready(item.due_on, parts.iter().map(part).collect(), item.version_key),
            Some(_) => plain(item.version_key),
        });
    }
    let refused = |detail: &str| Refused::new(Refusal::UnknownContract, detail).at("contract_id");
    let version = versions
        .get(&(contract.clone(), new.issued_on))
        .ok_or_else(|| refused("no contract of this id is in force on the day"))?;
    if version.customer_key != customer {
        return Err(refused("the customer has no contract of this id"));
    }
    // A credit note, interest note or fee is not paid in parts, whatever the invoices are.
    let whole = new.kind.is_some_and(|kind| kind != InvoiceKind::Invoice);
    let inherits =
        |terms: &&PaymentTerms| chosen.is_none() && !(whole && terms.instalments.is_some());
    let Some(agreed) = version.terms.as_ref().filter(inherits) else {
        return Ok(plain(Some(version.key)));
    };
    let due = contract_terms::due(agreed, new.issued_on, new.amount.minor)?;
    let part = |(due_on, minor): (Date, i64)| Instalment { due_on, minor };
    Ok(ready(due.due_on, due.instalments.into_iter().map(part).collect(), Some(version.key)))
}

/// The invoice that a credit note, interest note or fee is about.
fn relation(named: Option<&Named>, new: &NewInvoice, customer: i64) -> Result<i64, Refused> {
    let refused = |code: Refusal| Refused::new(code, code.about()).at("relates_to");
    if new.kind.unwrap_or(InvoiceKind::Invoice) == InvoiceKind::Invoice {
        let detail = "an invoice is about nothing but itself";
        return Err(Refused::new(Refusal::MalformedField, detail).at("relates_to"));
    }
    let named = named.ok_or_else(|| refused(Refusal::UnknownInvoice))?;
    if named.2 != customer {
        return Err(refused(Refusal::InvoiceOfAnotherCustomer));
    }
    if named.3 == InvoiceKind::CreditNote {
        return Err(refused(Refusal::NotPayable));
    }
    if named.4 != new.amount.currency {
        return Err(refused(Refusal::CurrencyMismatch));
    }
    Ok(named.1)
}

/// What instalments are called.
pub(crate) fn part_ids(id: &Id, ready: &Ready) -> Result<Vec<Id>, Refused> {
    (1..=ready.instalments.len()).map(|number| format!("{id}#{number}").parse()).collect()
}

/// The names of instalments that other documents have already.
pub(crate) fn taken<D: Db>(db: &D, parts: &[Id]) -> Result<BTreeSet<Id>, Fault> {
    if parts.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<&str> = parts.iter().map(Id::as_str).collect();
    Ok(invoice::named(db, &ids)?.into_iter().map(|of| of.0).collect())
}

/// The refusal of instalments that cannot have their names.
pub(crate) fn name_is_taken(part: &Id) -> Refused {
    let detail = format!("an instalment would be called {part}, which is taken");
    Refused::new(Refusal::DifferentContent, detail).at("id")
}

/// A document that was made ready, with its row in the file.
pub(crate) type Made = (u64, Id, NewInvoice, Ready);

/// Adds the instalments of documents that were added.
pub(crate) fn insert_parts<D: Db>(db: &D, made: &[&Made], entry: i64) -> Result<(), Fault> {
    let made: Vec<&&Made> = made.iter().filter(|of| !of.3.instalments.is_empty()).collect();
    if made.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = made.iter().map(|of| of.1.as_str()).collect();
    let keys: BTreeMap<Id, i64> =
        invoice::named(db, &ids)?.into_iter().map(|of| (of.0, of.1)).collect();
    let mut rows = Vec::new();
    for (row, id, new, ready) in made {
        let parent = keys.get(id).copied();
        for (part, id) in ready.instalments.iter().zip(part_ids(id, ready)?) {
            rows.push(ready.shaped(*row, id, new, (part.due_on, part.minor), parent));
        }
    }
    invoice::insert_all(db, &json(&rows)?, Some(entry))?;
    Ok(())
}
