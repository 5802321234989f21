//! What a document is recorded with once its contract and what it names have been asked: of one document, or of a
//! slice of a file at once.

use crate::ledger::json;
use dunlin_domain::{
    Currency, Date, Id, Refusal, Refused,
    bank::reference,
    contract::{
        ledger::PaymentTerms,
        types::{Instalment, InvoiceKind, NewInvoice},
    },
    contract_terms,
};
use dunlin_store::{
    Db, Fault,
    invoice::{self, About, Agreed, Before, Beside},
};
use serde::Serialize;

/// The most characters that the id of an invoice with instalments has: theirs have a mark and a number more.
const MAX_ID_WITH_PARTS: usize = 60;

/// A document as it is recorded.
pub(crate) struct Ready {
    due_on: Date,
    pub instalments: Vec<Instalment>,
    version: Option<i64>,
    relates: Option<i64>,
    /// The reference that is printed on it.
    pub reference: Option<String>,
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
        (_, stored, about, agreed): &Beside,
    ) -> Result<Self, Refused> {
        let mut ready = inherited(new, customer, stored.as_ref(), agreed.as_ref())?;
        ready.check(new, id)?;
        ready.reference = new.reference.as_deref().map(reference::printed).transpose()?;
        if let Some(id) = &new.relates_to {
            let kind = new.kind.unwrap_or(InvoiceKind::Invoice);
            let about = relation(id, about.as_ref(), kind, new.amount.currency, customer)?;
            ready.relates = Some(about);
        }
        if let Some((_, _, _, parts)) = stored {
            ready.is_stored = true;
            ready.parts_differ = *parts != ready.parts();
        }
        Ok(ready)
    }

    /// A document without instalments, contract or another that it is about.
    pub(crate) fn plain(due_on: Date) -> Self {
        Self {
            due_on,
            instalments: Vec::new(),
            version: None,
            relates: None,
            reference: None,
            is_stored: false,
            parts_differ: false,
        }
    }

    /// Its instalments as pairs.
    pub(crate) fn parts(&self) -> Vec<(Date, i64)> {
        self.instalments.iter().map(|part| (part.due_on, part.minor)).collect()
    }

    /// The document with what it inherited, as the audit chain keeps it.
    pub(crate) fn noted(&self, id: &Id, new: &NewInvoice) -> NewInvoice {
        let instalments = (!self.instalments.is_empty()).then(|| self.instalments.clone());
        NewInvoice { id: Some(id.clone()), due_on: Some(self.due_on), instalments, ..new.clone() }
    }

    /// Its row in the shape of `invoice/insert_all.sql`.
    pub(crate) fn row(&self, row: u64, id: &Id, new: &NewInvoice) -> impl Serialize + use<> {
        let whole = if self.instalments.is_empty() { new.amount.minor } else { 0 };
        self.shaped(row, id.clone(), new, (self.due_on, whole), None, self.reference.clone())
    }

    fn shaped(
        &self,
        row: u64,
        id: Id,
        new: &NewInvoice,
        (due_on, minor): (Date, i64),
        parent: Option<i64>,
        reference: Option<String>,
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
            reference,
        )
    }

    fn check(&self, new: &NewInvoice, id: &Id) -> Result<(), Refused> {
        let refused =
            |code: Refusal, field: &str, detail: String| Err(Refused::new(code, detail).at(field));
        if self.due_on < new.issued_on {
            let code = Refusal::DueBeforeIssued;
            return refused(code, "due_on", code.about().into());
        }
        if new.penalty == Some(true) && new.kind != Some(InvoiceKind::Fee) {
            return Err(no_penalty());
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
    stored: Option<&Before>,
    agreed: Option<&Agreed>,
) -> Result<Ready, Refused> {
    let given = new.instalments.clone();
    let last = given.as_ref().and_then(|parts| parts.last()).map(|part| part.due_on);
    let chosen = last.or(new.due_on);
    let ready = |due_on: Date, instalments: Vec<Instalment>, version: Option<i64>| Ready {
        instalments,
        version,
        ..Ready::plain(due_on)
    };
    let plain = |version| {
        ready(chosen.unwrap_or(new.issued_on), given.clone().unwrap_or_default(), version)
    };
    let part = |(due_on, minor): (Date, i64)| Instalment { due_on, minor };
    if new.contract_id.is_none() {
        return Ok(plain(None));
    }
    if let Some((due_on, contract, version, parts)) = stored
        && *contract == new.contract_id
    {
        return Ok(match chosen {
            None => ready(*due_on, parts.iter().copied().map(part).collect(), *version),
            Some(_) => plain(*version),
        });
    }
    let refused = |detail: &str| Refused::new(Refusal::UnknownContract, detail).at("contract_id");
    let (version, of_customer, terms) =
        agreed.ok_or_else(|| refused("no contract of this id is in force on the day"))?;
    if *of_customer != customer {
        return Err(refused("the customer has no contract of this id"));
    }
    // A credit note, interest note or fee is not paid in parts, whatever the invoices are.
    let whole = new.kind.is_some_and(|kind| kind != InvoiceKind::Invoice);
    let inherits =
        |terms: &&PaymentTerms| chosen.is_none() && !(whole && terms.instalments.is_some());
    let Some(terms) = terms.as_ref().filter(inherits) else {
        return Ok(plain(Some(*version)));
    };
    let due = contract_terms::due(terms, new.issued_on, new.amount.minor)?;
    Ok(ready(due.due_on, due.instalments.into_iter().map(part).collect(), Some(*version)))
}

pub(super) fn no_penalty() -> Refused {
    Refused::new(Refusal::MalformedField, "only a fee is a penalty").at("penalty")
}

/// The key of the invoice that a credit note, interest note or fee is about.
pub(super) fn relation(
    id: &Id,
    about: Option<&About>,
    kind: InvoiceKind,
    currency: Currency,
    customer: i64,
) -> Result<i64, Refused> {
    let refused = |code: Refusal, detail: &str| {
        Refused::new(code, format!("{id}: {detail}")).at("relates_to")
    };
    if kind == InvoiceKind::Invoice {
        return Err(refused(Refusal::MalformedField, "an invoice is about nothing but itself"));
    }
    let unknown = "no document that this one can be about has this id";
    let (key, of_customer, named, of) =
        about.ok_or_else(|| refused(Refusal::UnknownInvoice, unknown))?;
    if *of_customer != customer {
        return Err(refused(Refusal::InvoiceOfAnotherCustomer, "it is another customer's"));
    }
    if *named == InvoiceKind::CreditNote {
        return Err(refused(Refusal::NotPayable, "nothing is about a credit note"));
    }
    if *of != currency {
        return Err(refused(Refusal::CurrencyMismatch, &format!("it is in {of}")));
    }
    Ok(*key)
}

/// A document that was made ready, with its row in the file.
pub(crate) type Made = (u64, Id, NewInvoice, Ready);

/// The documents whose instalments cannot have their names, or that stand twice with other instalments.
pub(crate) fn unnameable<D: Db>(db: &D, made: &[Made]) -> Result<Vec<(u64, Refused)>, Fault> {
    if made.iter().all(|of| of.3.instalments.is_empty()) {
        return Ok(Vec::new());
    }
    let new = made.iter().filter(|of| !of.3.is_stored);
    let asked: Vec<_> = new.map(|(row, id, _, ready)| (row, id, ready.parts())).collect();
    let refused = |(row, part): (u64, Option<Id>)| {
        let (field, detail) = match part {
            Some(part) => ("id", format!("an instalment would be called {part}, which is taken")),
            None => ("instalments", "the id stands before with other instalments".to_string()),
        };
        (row, Refused::new(Refusal::DifferentContent, detail).at(field))
    };
    let found = invoice::unnameable(db, &json(&asked)?)?;
    Ok(found.into_iter().map(refused).collect())
}

/// Adds the instalments of documents that were added.
pub(crate) fn insert_parts<D: Db>(db: &D, made: &[Made], entry: i64) -> Result<(), Fault> {
    let new = made.iter().filter(|of| !of.3.is_stored && !of.3.instalments.is_empty());
    let new: Vec<&Made> = new.collect();
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = new.iter().map(|of| of.1.as_str()).collect();
    let keys = invoice::keys(db, &ids)?;
    let mut rows = Vec::new();
    for ((row, id, new, ready), parent) in new.into_iter().zip(keys) {
        for (part, number) in ready.parts().into_iter().zip(1u32..) {
            let id: Id = format!("{id}#{number}").parse()?;
            rows.push(ready.shaped(*row, id, new, part, parent, None));
        }
    }
    invoice::insert_all(db, &json(&rows)?, Some(entry))?;
    Ok(())
}
