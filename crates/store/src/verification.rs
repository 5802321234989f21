//! What must hold over the whole of the books, and the statements that say whether it does.
//!
//! A rule that needs the allocations of every document is proved first, by a statement that only counts; what breaks it
//! is looked for when the proof fails.

use crate::{Db, Fault};

/// A rule over the whole of the books.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, which clients get.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// How many rows it is about.
    count: &'static str,
    /// Gives 1 if it holds, for less than the search.
    proof: Option<&'static str>,
    /// Gives [broken, ids].
    search: &'static str,
}

/// What a rule came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many rows were looked at.
    pub checked: u64,
    /// How many broke it.
    pub broken: u64,
    /// The first ten of them.
    pub examples: Vec<String>,
}

const INVOICES: &str = "SELECT count(*) FROM invoice";
const PAYMENTS: &str = "SELECT count(*) FROM payment";
const DOCUMENTS: &str = "SELECT (SELECT count(*) FROM invoice) + (SELECT count(*) FROM payment)";

/// The rules, in the order in which they are told.
pub const RULES: [Rule; 10] = [
    Rule {
        name: "payments-conserved",
        about: "A payment is what was allocated, converted and paid back of it, and what is left.",
        count: PAYMENTS,
        proof: Some(include_str!("../sql/verification/payments_hold.sql")),
        search: include_str!("../sql/verification/payments.sql"),
    },
    Rule {
        name: "reversals-recorded",
        about: "What went back of a payment is what its reversals say.",
        count: "SELECT count(*) FROM reversal",
        proof: None,
        search: include_str!("../sql/verification/returns.sql"),
    },
    Rule {
        name: "invoices-conserved",
        about: "What is open of a document is its amount less all that was set against it, and of a credit note less \
                all that it was set against.",
        count: INVOICES,
        proof: Some(include_str!("../sql/verification/invoices_hold.sql")),
        search: include_str!("../sql/verification/invoices.sql"),
    },
    Rule {
        name: "amounts-in-range",
        about: "No part of a document or payment is below zero or above the whole.",
        count: DOCUMENTS,
        proof: None,
        search: include_str!("../sql/verification/amounts.sql"),
    },
    Rule {
        name: "instalments-whole",
        about: "A document with instalments is nothing beside them, and they are of its customer, currency and day.",
        count: "SELECT count(DISTINCT parent_key) FROM invoice WHERE parent_key IS NOT NULL",
        proof: None,
        search: include_str!("../sql/verification/instalments.sql"),
    },
    Rule {
        name: "allocations-joined",
        about: "An allocation joins documents of one customer in one currency, on a day that both have reached.",
        count: "SELECT count(*) FROM allocation",
        proof: Some(include_str!("../sql/verification/allocations_hold.sql")),
        search: include_str!("../sql/verification/allocations.sql"),
    },
    Rule {
        name: "designations-fit",
        about: "What a payer named is not above what was paid.",
        count: PAYMENTS,
        proof: None,
        search: include_str!("../sql/verification/designations.sql"),
    },
    Rule {
        name: "adjustments-fit",
        about: "A write-off or an upheld dispute takes off no more than it says.",
        count: "SELECT count(*) FROM adjustment",
        proof: None,
        search: include_str!("../sql/verification/adjustments.sql"),
    },
    Rule {
        name: "ageing-sums",
        about: "Of every customer and currency, what ageing counts is what was claimed less what was set against it.",
        count: "SELECT count(*) FROM customer",
        proof: None,
        search: include_str!("../sql/verification/ageing.sql"),
    },
    Rule {
        name: "documents-recorded",
        about: "The entry that a document or payment names is in the audit chain.",
        count: DOCUMENTS,
        proof: None,
        search: include_str!("../sql/verification/recorded.sql"),
    },
];

/// Looks whether a rule holds.
pub fn check<D: Db>(db: &D, rule: &Rule) -> Result<Found, Fault> {
    let checked = u64::try_from(db.int(rule.count, &[])?).unwrap_or(0);
    let holds = match rule.proof {
        Some(proof) => db.int(proof, &[])? == 1,
        None => false,
    };
    let (broken, examples) = if holds { (0, Vec::new()) } else { db.json(rule.search, &[])? };
    Ok(Found { checked, broken, examples })
}
