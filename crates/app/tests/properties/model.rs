//! The ledger as a clerk with a pencil would keep it: walk through the days, and on each set what can pay against what
//! can be paid. Slow, plain, and written without a look at the replay it is compared with.

use crate::world::{Doc, What, day};
use dunlin_domain::Date;
use std::collections::BTreeMap;

/// A part of a payment or credit note set against a claim, by ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    pub on: Date,
    pub claim: String,
    pub source: String,
    pub minor: i64,
}

/// What is outstanding, overdue and unapplied.
pub type Balance = (i64, i64, i64);

/// A book kept to the end.
pub struct Model {
    pub docs: Vec<Doc>,
    pub parts: Vec<Part>,
}

impl Model {
    pub fn new(docs: &[Doc]) -> Self {
        let mut parts = Vec::new();
        for customer in 0..4 {
            for currency in 0..2 {
                let of = |doc: &&Doc| doc.customer == customer && doc.currency == currency;
                let book: Vec<&Doc> = docs.iter().filter(of).collect();
                parts.extend(keep(&book));
            }
        }
        Self { docs: docs.to_vec(), parts }
    }

    /// What is open of a claim, or not used of a payment or credit note, at the end of the day.
    pub fn open(&self, doc: &Doc, on: Date) -> i64 {
        let parts = self
            .parts
            .iter()
            .filter(|part| part.on <= on && (part.claim == doc.id || part.source == doc.id));
        doc.minor - parts.map(|part| part.minor).sum::<i64>()
    }

    /// The documents of the customer in the currency that are dated up to the day.
    pub fn known(&self, customer: usize, currency: usize, on: Date) -> impl Iterator<Item = &Doc> {
        self.docs.iter().filter(move |doc| {
            doc.customer == customer && doc.currency == currency && doc.on() <= on
        })
    }

    pub fn balance(&self, customer: usize, currency: usize, on: Date) -> Balance {
        let mut balance = (0, 0, 0);
        for doc in self.known(customer, currency, on) {
            let open = self.open(doc, on);
            if !doc.is_claim() {
                balance.2 += open;
                continue;
            }
            balance.0 += open;
            if doc.due() < on {
                balance.1 += open;
            }
        }
        balance
    }

    /// The days on which anything can change, and the day before each: between them nothing does.
    pub fn days(&self) -> Vec<Date> {
        let events =
            self.docs.iter().flat_map(|doc| [doc.on(), doc.due(), doc.due().plus_days(1).unwrap()]);
        let mut days: Vec<Date> = events.flat_map(|on| [on.plus_days(-1).unwrap(), on]).collect();
        days.push(day(1_000));
        days.sort_unstable();
        days.dedup();
        days
    }
}

/// One customer's documents in one currency.
fn keep(book: &[&Doc]) -> Vec<Part> {
    let mut left: BTreeMap<&str, i64> =
        book.iter().map(|doc| (doc.id.as_str(), doc.minor)).collect();
    let issued = |id: &str| book.iter().find(|doc| doc.id == id).map(|doc| doc.on());
    // A payment that names an invoice of a later day waits for it.
    let begins =
        |doc: &Doc| doc.named().and_then(issued).map_or(doc.on(), |issued| issued.max(doc.on()));
    let mut claims: Vec<&Doc> = book.iter().copied().filter(|doc| doc.is_claim()).collect();
    claims.sort_by_key(|doc| (doc.due(), doc.on(), doc.id.clone()));
    // What is contested is paid last by what names nothing.
    let contested = |doc: &Doc| matches!(doc.what, What::Claim { disputed: true, .. });
    let mut in_turn = claims.clone();
    in_turn.sort_by_key(|doc| contested(doc));
    let mut credits: Vec<&Doc> = book.iter().copied().filter(|doc| !doc.is_claim()).collect();
    credits.sort_by_key(|doc| (doc.on(), doc.what != What::CreditNote, doc.id.clone()));
    let mut parts = Vec::new();
    let mut set = |on: Date, credit: &Doc, claim: &Doc, left: &mut BTreeMap<&str, i64>| {
        let minor = left[credit.id.as_str()].min(left[claim.id.as_str()]);
        *left.get_mut(credit.id.as_str()).unwrap() -= minor;
        *left.get_mut(claim.id.as_str()).unwrap() -= minor;
        if minor > 0 {
            parts.push(Part { on, claim: claim.id.clone(), source: credit.id.clone(), minor });
        }
    };
    let last = book.iter().map(|doc| doc.day).max().unwrap_or(0);
    for on in (0..=last).map(day) {
        for credit in credits.iter().filter(|doc| begins(doc) == on) {
            if let Some(claim) =
                claims.iter().find(|claim| Some(claim.id.as_str()) == credit.named())
            {
                set(on, credit, claim, &mut left);
            }
        }
        for credit in credits.iter().filter(|doc| begins(doc) <= on) {
            for claim in in_turn.iter().filter(|doc| doc.on() <= on) {
                set(on, credit, claim, &mut left);
            }
        }
    }
    parts
}
