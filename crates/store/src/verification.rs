//! What must hold over the whole of the books, and the statements that say whether it does.
//!
//! Most rules hold in most books. Three statements prove at once what several rules say, each with one pass over the
//! tables in their order; what breaks a rule is looked for when a proof that it follows from fails. A proof may fail
//! where nothing is wrong, and never holds where something is: the search decides.

use crate::{Db, Fault};
use dunlin_domain::Id;
use std::collections::BTreeMap;

/// A rule over the whole of the books.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, which clients get.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// How many rows it is about.
    count: &'static str,
    /// It holds where all of these do. Empty: the search costs little.
    follows_from: &'static [Proof],
    /// Gives [broken, ids].
    search: &'static str,
}

/// A statement that gives 1 if all that it is about is right, for less than a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// Every payment by itself, and beside what was allocated of it.
    Payments,
    /// Every document by itself, and beside what was set against it.
    Invoices,
    /// What an allocation's documents and source have to do with each other.
    Allocations,
}

impl Proof {
    const ALL: [Self; 3] = [Self::Payments, Self::Invoices, Self::Allocations];

    fn sql(self) -> &'static str {
        match self {
            Self::Payments => sql!("verification/payments_hold.sql"),
            Self::Invoices => sql!("verification/invoices_hold.sql"),
            Self::Allocations => sql!("verification/allocations_hold.sql"),
        }
    }
}

/// What was proved of the books as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved(Vec<Proof>);

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
pub const RULES: [Rule; 15] = [
    Rule {
        name: "payments-conserved",
        about: "A payment is what was allocated, converted and paid back of it, and what is left.",
        count: PAYMENTS,
        follows_from: &[Proof::Payments],
        search: sql!("verification/payments.sql"),
    },
    Rule {
        name: "reversals-recorded",
        about: "What went back of a payment is what its reversals say, and of a credit note what its refunds do.",
        count: "SELECT (SELECT count(*) FROM reversal) + (SELECT count(*) FROM credit_refund)",
        follows_from: &[],
        search: sql!("verification/returns.sql"),
    },
    Rule {
        name: "invoices-conserved",
        about: "What is open of a document is its amount less all that was set against it, and of a credit note less \
                all that it was set against.",
        count: INVOICES,
        follows_from: &[Proof::Invoices],
        search: sql!("verification/invoices.sql"),
    },
    Rule {
        name: "amounts-in-range",
        about: "No part of a document or payment is below zero or above the whole.",
        count: DOCUMENTS,
        follows_from: &[Proof::Payments, Proof::Invoices],
        search: sql!("verification/amounts.sql"),
    },
    Rule {
        name: "instalments-whole",
        about: "A document with instalments is nothing beside them, and they are of its customer, currency and day.",
        count: "SELECT count(DISTINCT parent_key) FROM invoice WHERE parent_key IS NOT NULL",
        follows_from: &[],
        search: sql!("verification/instalments.sql"),
    },
    Rule {
        name: "allocations-joined",
        about: "An allocation joins documents of one customer in one currency, on a day that both have reached.",
        count: "SELECT count(*) FROM allocation",
        follows_from: &[Proof::Payments, Proof::Invoices, Proof::Allocations],
        search: sql!("verification/allocations.sql"),
    },
    Rule {
        name: "designations-fit",
        about: "What a payer named is not above what was paid.",
        count: PAYMENTS,
        follows_from: &[Proof::Payments],
        search: sql!("verification/designations.sql"),
    },
    Rule {
        name: "adjustments-fit",
        about: "A write-off or an upheld dispute takes off no more than it says.",
        count: "SELECT count(*) FROM adjustment",
        follows_from: &[],
        search: sql!("verification/adjustments.sql"),
    },
    Rule {
        name: "ageing-sums",
        about: "Of every customer and currency, what ageing counts is what was claimed less what was set against it.",
        count: "SELECT count(*) FROM customer",
        follows_from: &[Proof::Invoices],
        search: sql!("verification/ageing.sql"),
    },
    Rule {
        name: "documents-recorded",
        about: "The entry that a document or payment names is in the audit chain.",
        count: DOCUMENTS,
        follows_from: &[Proof::Payments, Proof::Invoices],
        search: sql!("verification/recorded.sql"),
    },
    Rule {
        name: "documents-noted",
        about: "A document or payment is what its entry says: whose, of which day, how much. A file recorded as many, \
                of such amounts, and which customers, as its entry says.",
        count: DOCUMENTS,
        follows_from: &[],
        search: sql!("verification/documents_noted.sql"),
    },
    Rule {
        name: "corrections-noted",
        about: "A document or payment reads as its last correction left it, and every correction is as its entry says.",
        count: "SELECT count(*) FROM correction",
        follows_from: &[],
        search: sql!("verification/corrections_noted.sql"),
    },
    Rule {
        name: "decisions-noted",
        about: "Reversals, write-offs, disputes, interest claimed or waived, pauses, guarantees, contracts, rates and \
                policies name an entry that is about them and says the same amount, and no entry is without them.",
        count: "SELECT (SELECT count(*) FROM reversal) + (SELECT count(*) FROM write_off)
                    + (SELECT count(*) FROM dispute) + (SELECT count(*) FROM interest_entry)
                    + (SELECT count(*) FROM pause) + (SELECT count(*) FROM guarantee)
                    + (SELECT count(*) FROM contract_version) + (SELECT count(*) FROM rate)
                    + (SELECT count(*) FROM policy)",
        follows_from: &[],
        search: sql!("verification/decisions_noted.sql"),
    },
    Rule {
        name: "fields-noted",
        about: "What was agreed, decided or recorded beside documents reads, field by field, as its entry says, and no \
                entry is without it.",
        count: sql!("verification/fields_counted.sql"),
        follows_from: &[],
        search: sql!("verification/fields_noted.sql"),
    },
    Rule {
        name: "adjustments-decided",
        about: "A booked write-off or an upheld dispute is in the ledger as it was decided, a void is of the day that its \
                entry says, nothing else is, and a write-off or void that was taken back takes off nothing.",
        count: "SELECT count(*) FROM adjustment",
        follows_from: &[],
        search: sql!("verification/adjustments_decided.sql"),
    },
];

/// What was recorded after this document, this payment and this customer, as the audit chain keeps it of a file: of
/// documents and of payments, as a JSON text, the key before the first, that of the last, how many, and three control sums: of
/// their amounts; of these, their days and what they name; and of all that and whose they are. The sums weigh by key, so
/// that two that changed places are told apart, and stay within 64 bits for any file. Of customers one sum of what neither
/// a merge nor an erasure changes: id, country, currency, language, time zone, limit, segment and industry.
pub fn recorded_since<D: Db>(
    db: &D,
    invoice: i64,
    payment: i64,
    customer: i64,
) -> Result<String, Fault> {
    let sql = sql!("verification/recorded_since.sql");
    let row = db.first(sql, &[invoice.into(), payment.into(), customer.into()])?;
    row.map_or_else(|| Ok(String::new()), |row| row.text(0).map(str::to_string))
}

/// Runs the proofs.
pub fn prove<D: Db>(db: &D) -> Result<Proved, Fault> {
    // They go through tables in order and sort between. What is sorted in pieces that stay near the processor takes a
    // tenth less time than what is sorted as a whole, and no memory to speak of.
    db.execute("PRAGMA cache_size = -4096", &[])?;
    let mut proved = Vec::with_capacity(Proof::ALL.len());
    let done = Proof::ALL.into_iter().try_for_each(|proof| {
        if db.int(proof.sql(), &[])? == 1 {
            proved.push(proof);
        }
        Ok(())
    });
    db.execute("PRAGMA cache_size = -32768", &[])?;
    done.map(|()| Proved(proved))
}

/// How many rows were counted, by the statement that counts them: several rules are about the same.
pub type Counted = BTreeMap<&'static str, u64>;

/// Looks whether a rule holds.
pub fn check<D: Db>(
    db: &D,
    rule: &Rule,
    proved: &Proved,
    counted: &mut Counted,
) -> Result<Found, Fault> {
    let checked = match counted.get(rule.count) {
        Some(counted) => *counted,
        None => u64::try_from(db.int(rule.count, &[])?).unwrap_or(0),
    };
    counted.insert(rule.count, checked);
    let needed = rule.follows_from;
    let holds = !needed.is_empty() && needed.iter().all(|proof| proved.0.contains(proof));
    let (broken, examples) = if holds { (0, Vec::new()) } else { db.json(rule.search, &[])? };
    Ok(Found { checked, broken, examples })
}

/// So many customers after a key, with their ids.
pub fn customers_after<D: Db>(db: &D, after: i64, limit: u32) -> Result<Vec<(i64, Id)>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(key, id) ORDER BY key)
         FROM (SELECT key, id FROM customer WHERE key > ?1 ORDER BY key LIMIT ?2)",
        &[after.into(), i64::from(limit).into()],
    )
}

/// Amounts by key.
pub type Balances = BTreeMap<i64, i64>;

/// What is stored as open of the documents of these customers, and as not allocated of their payments.
pub fn balances<D: Db>(db: &D, customers: &[i64]) -> Result<(Balances, Balances), Fault> {
    let keys = crate::array(customers)?;
    let open: Vec<(i64, i64)> = db.json(
        "SELECT json_group_array(json_array(i.key, i.open_minor))
         FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.customer_key = j.value",
        &[(&keys).into()],
    )?;
    let free: Vec<(i64, i64)> = db.json(
        "SELECT json_group_array(json_array(p.key, p.unallocated_minor))
         FROM json_each(?1) AS j CROSS JOIN payment AS p ON p.customer_key = j.value",
        &[(&keys).into()],
    )?;
    Ok((open.into_iter().collect(), free.into_iter().collect()))
}

/// Whose a document or payment is, with its id, wherever it is.
pub fn owner_of<D: Db>(db: &D, payment: bool, key: i64) -> Result<Option<(Id, Id)>, Fault> {
    let sql = match payment {
        true => {
            "SELECT json_array(c.id, p.id) FROM payment AS p CROSS JOIN customer AS c ON c.key = p.customer_key
             WHERE p.key = ?1"
        }
        false => {
            "SELECT json_array(c.id, i.id) FROM invoice AS i CROSS JOIN customer AS c ON c.key = i.customer_key
             WHERE i.key = ?1"
        }
    };
    db.first(sql, &[key.into()])?.map(|row| row.json(0)).transpose()
}
