//! A slow and obvious clerk, who keeps nothing but the list of what happened.

mod bears;
mod day;
mod early;
mod order;

use crate::events::ORDERS;
pub use day::Clerk;
use std::collections::BTreeMap;

/// The customer, and one that is the same and may be merged into it.
pub const CUSTOMERS: [&str; 2] = ["C", "D"];

pub const CURRENCIES: [&str; 2] = ["EUR", "USD"];

/// The most that is booked off, in the first currency.
pub const TOLERANCE: i64 = 3;

/// The last day on which payment in time saves something, counted from the document's day.
pub const DISCOUNT_DAYS: i64 = 5;

/// Days after the last one to pay that bear no interest.
pub const GRACE: i64 = 3;

/// The rates of a year in hundredths that are known from the beginning, and the day from which the second one holds.
pub const RATES: (i128, i128) = (36, 73);
pub const RATE_DAY: i64 = 30;

/// The versions of the contracts that have the rate of the day on which they were signed: from which day on, and when.
pub const SIGNED: [(i64, i64); 2] = [(-365, -10), (20, 15)];

/// When the version was signed that is in force on a day.
fn signed_on(day: i64) -> Option<i64> {
    SIGNED.iter().rfind(|(from, _)| *from <= day).map(|(_, signed)| *signed)
}

/// Fixed sums for a late invoice in the first currency: below an amount the first, from it on the second.
pub const FIXED_SUMS: (i64, i64, i64) = (200, 7, 11);

/// A claim, a credit and an adjustment as the clerk writes them down: as they were recorded and corrected by a moment.
#[derive(Clone, Debug)]
pub struct Claim {
    pub id: String,
    pub whole: String,
    pub customer: &'static str,
    pub currency: &'static str,
    pub kind: &'static str,
    pub about: Option<String>,
    /// Two in a hundred for who pays within five days.
    pub discount: bool,
    /// The contract that it is under.
    pub contract: Option<String>,
    /// The day whose rate it bears, where its contract has the rate of the day on which it was signed.
    pub signed: Option<i64>,
    pub on: i64,
    pub due: i64,
    pub minor: i64,
}

#[derive(Clone, Debug)]
pub struct Credit {
    pub id: String,
    pub customer: &'static str,
    pub currency: &'static str,
    /// 0 for credit notes, 1 for payments, 2 for adjustments.
    pub rank: u8,
    pub on: i64,
    pub minor: i64,
    pub named: Vec<(String, Option<i64>)>,
    /// Empty: that of the contract on its day, else of the policy.
    pub order: &'static str,
    /// The contract that a payment is for.
    pub agreed: Option<String>,
    pub settles: Option<String>,
    /// From which invoice, how much.
    pub deductions: Vec<(String, i64)>,
    /// Of what was changed from another currency: the payment, and what it cost of that.
    pub part_of: Option<(String, i64)>,
    /// Day, minor, mistake, id.
    pub back: Vec<(i64, i64, bool, String)>,
    /// Of a credit note: what was paid out of it.
    pub refunds: Vec<Refund>,
    pub recoverable: bool,
    /// Of an adjustment: all that is open of the document, whatever opens it.
    pub voids: bool,
    /// Of a write-off: from when it does not count.
    pub until: Option<i64>,
}

/// Money that a credit note was paid out with, and the day from which it stands again.
#[derive(Clone, Debug)]
pub struct Refund {
    pub id: String,
    pub on: i64,
    pub minor: i64,
    pub until: Option<i64>,
}

/// What was contested: how much of which claim or whole invoice from when, and from its decision on how much was right.
#[derive(Clone, Debug)]
pub struct Contested {
    pub id: String,
    pub claim: String,
    pub on: i64,
    pub minor: i64,
    /// [`NEVER`] while nobody decided.
    pub decided: i64,
    pub upheld: i64,
}

/// After all days.
pub const NEVER: i64 = i64::MAX;

/// Days that do not count as delinquent, of one document or of all of a customer.
#[derive(Clone, Debug)]
pub struct Paused {
    pub id: String,
    pub customer: &'static str,
    pub whole: Option<String>,
    pub from: i64,
    /// The day on which days count again: the earlier of what was planned and what was told.
    pub to: i64,
}

/// What secures all that is owed under a contract, or all of a customer.
#[derive(Clone, Debug)]
pub struct Guarantee {
    pub id: String,
    pub customer: &'static str,
    pub currency: &'static str,
    pub contract: Option<String>,
    pub from: i64,
    pub to: Option<i64>,
    /// The last day to claim.
    pub claim: Option<i64>,
}

/// Interest of an invoice that was given up.
#[derive(Clone, Debug)]
pub struct Waived {
    pub whole: String,
    pub on: i64,
    pub minor: i64,
}

/// The documents as far as some of the steps had come.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub contested: Vec<Contested>,
    pub paused: Vec<Paused>,
    pub waived: Vec<Waived>,
    pub guarantees: Vec<Guarantee>,
    /// From which day on which rate, in hundredths, as they came.
    pub rates: Vec<(i64, i128)>,
    /// Whether the duplicate was merged into the customer.
    pub merged: bool,
    pub claims: Vec<Claim>,
    pub credits: Vec<Credit>,
    /// What went back: whether not by mistake, day, id, payment, how much of it in its currency.
    pub returned: Vec<(bool, i64, String, String, i64)>,
}

/// What the clerk wrote down for a step that the ledger took.
#[derive(Clone, Debug)]
pub enum Entry {
    Claims(Vec<Claim>),
    Credits(Vec<Credit>),
    Dispute(Contested),
    /// Which, when, and what was upheld. It takes the place of what was decided before.
    Resolve(String, i64, Option<Box<Credit>>),
    Pause(Paused),
    Resume(String, i64),
    Waiver(Waived),
    /// In place of the one of the same id.
    Guarantee(Guarantee),
    Rate(i64, i128),
    /// The order of what names none.
    Policy(&'static str),
    Merge,
    /// Whether not by mistake, day, id, payment, how much.
    Back((bool, i64, String, String, i64)),
    /// A reversal that was none.
    Undone(String),
    /// The credit note, and what was paid out of it.
    Refund(String, Refund),
    /// A refund that counts no more from a day on.
    RefundBack {
        id: String,
        on: i64,
    },
    Claim {
        id: String,
        on: i64,
        due: i64,
        minor: i64,
    },
    /// An invoice is under another contract: that with the discount, or that with the rate of its signature.
    Agreed {
        whole: String,
        contract: String,
        discount: bool,
    },
    Money {
        id: String,
        on: i64,
        minor: i64,
    },
    End {
        id: String,
        on: i64,
    },
    /// What a payment names, in place of what it named.
    Named(String, Vec<(String, Option<i64>)>),
    /// The order that a contract has from a day on, empty for none.
    Version(String, i64, &'static str),
}

pub fn documents(log: &[(usize, Entry)], until: usize) -> Documents {
    let rates = vec![(-365, RATES.0), (RATE_DAY, RATES.1)];
    let mut documents = Documents { rates, ..Documents::default() };
    let (mut policy, mut versions) = (ORDERS[0], Vec::new());
    for (_, entry) in log.iter().filter(|(step, _)| *step <= until) {
        match entry {
            Entry::Claims(claims) => documents.claims.extend(claims.iter().cloned()),
            Entry::Credits(credits) => documents.credits.extend(credits.iter().cloned()),
            Entry::Dispute(contested) => documents.contested.push(contested.clone()),
            Entry::Resolve(id, on, upheld) => {
                let contested = documents.contested.iter_mut().find(|of| of.id == *id).unwrap();
                documents.credits.retain(|of| of.rank < 2 || of.recoverable || of.id != *id);
                contested.decided = *on;
                contested.upheld = upheld.as_ref().map_or(0, |credit| credit.minor);
                documents.credits.extend(upheld.as_deref().cloned());
            }
            Entry::Pause(paused) => documents.paused.push(paused.clone()),
            Entry::Resume(id, on) => {
                let paused = documents.paused.iter_mut().find(|of| of.id == *id).unwrap();
                paused.to = paused.to.min(*on);
            }
            Entry::Waiver(waived) => documents.waived.push(waived.clone()),
            Entry::Guarantee(guarantee) => {
                documents.guarantees.retain(|of| of.id != guarantee.id);
                documents.guarantees.push(guarantee.clone());
            }
            Entry::Rate(from, rate) => documents.rates.push((*from, *rate)),
            Entry::Policy(order) => policy = order,
            Entry::Merge => documents.merged = true,
            Entry::Back(back) => documents.returned.push(back.clone()),
            Entry::Undone(id) => documents.returned.retain(|back| back.2 != *id),
            Entry::Refund(note, refund) => {
                let credit = documents.credits.iter_mut().find(|of| of.id == *note);
                credit.unwrap().refunds.push(refund.clone());
            }
            Entry::RefundBack { id, on } => {
                let mut refunds = documents.credits.iter_mut().flat_map(|of| &mut of.refunds);
                refunds.find(|of| of.id == *id).unwrap().until = Some(*on);
            }
            Entry::Claim { id, on, due, minor } => {
                if let Some(claim) = documents.claims.iter_mut().find(|claim| claim.id == *id) {
                    (claim.on, claim.due, claim.minor) = (*on, *due, *minor);
                    // The version of its contract is that of its day.
                    claim.signed = claim.signed.and_then(|_| signed_on(*on));
                }
                let note = documents
                    .credits
                    .iter_mut()
                    .find(|credit| credit.id == *id && credit.rank == 0);
                if let Some(note) = note {
                    (note.on, note.minor) = (*on, *minor);
                }
            }
            Entry::Agreed { whole, contract, discount } => {
                for claim in documents.claims.iter_mut().filter(|claim| claim.whole == *whole) {
                    claim.contract = Some(contract.clone());
                    claim.signed = signed_on(claim.on).filter(|_| !discount);
                    claim.discount = *discount;
                }
            }
            Entry::Money { id, on, minor } => {
                let credit = documents.credits.iter_mut().find(|credit| credit.id == *id).unwrap();
                (credit.on, credit.minor) = (*on, *minor);
            }
            Entry::Version(contract, from, order) => versions.push((contract, *from, *order)),
            Entry::Named(id, named) => {
                let credit = documents.credits.iter_mut().find(|credit| credit.id == *id).unwrap();
                credit.named.clone_from(named);
            }
            Entry::End { id, on } => {
                let credit = documents.credits.iter_mut().find(|credit| credit.id == *id).unwrap();
                credit.until = Some(*on);
            }
        }
    }
    documents.give_back();
    for credit in documents.credits.iter_mut().filter(|credit| credit.order.is_empty()) {
        let of = versions.iter().filter(|(contract, from, _)| {
            credit.agreed.as_ref() == Some(*contract) && *from <= credit.on
        });
        // Of one day the later version holds.
        let agreed = of.max_by_key(|(_, from, _)| *from).map_or("", |(_, _, order)| *order);
        credit.order = if agreed.is_empty() { policy } else { agreed };
    }
    documents
}

impl Documents {
    /// What goes back, cent by cent: of what stayed of the payment, then of what became of the rest.
    fn give_back(&mut self) {
        self.returned.sort();
        let mut gone: BTreeMap<String, i64> = BTreeMap::new();
        for (dated, on, id, payment, minor) in &self.returned {
            let mut of: Vec<usize> = (0..self.credits.len()).collect();
            of.retain(|at| {
                let credit = &self.credits[*at];
                let whole = credit.part_of.as_ref().map(|(whole, _)| whole);
                credit.rank == 1 && whole.unwrap_or(&credit.id) == payment
            });
            of.sort_by_key(|at| self.credits[*at].id.clone());
            for _ in 0..*minor {
                let price = |at: usize| {
                    let credit = &self.credits[at];
                    credit.part_of.as_ref().map_or(credit.minor, |(_, cost)| *cost)
                };
                let left = |at: &usize| gone.get(&self.credits[*at].id).unwrap_or(&0) < &price(*at);
                let at = of.iter().copied().find(left).unwrap();
                let price = price(at);
                let credit = &mut self.credits[at];
                let gone = gone.entry(credit.id.clone()).or_default();
                let worth = |cents: i64| (2 * cents * credit.minor + price) / (2 * price);
                let cents = worth(*gone + 1) - worth(*gone);
                *gone += 1;
                match credit.back.iter_mut().find(|back| back.3 == *id) {
                    Some(back) => back.1 += cents,
                    None => credit.back.push((*on, cents, !dated, id.clone())),
                }
            }
        }
    }

    /// Whose a document is that was recorded for this customer.
    pub fn owner(&self, customer: &'static str) -> &'static str {
        if self.merged { CUSTOMERS[0] } else { customer }
    }

    /// The rate of a day: that of the latest row by then, and of several of one day that which came last.
    fn rate(&self, day: i64) -> i128 {
        let rows = self.rates.iter().filter(|(from, _)| *from <= day);
        rows.max_by_key(|(from, _)| *from).unwrap().1
    }

    /// The documents of one customer in one currency.
    fn book(&self, customer: &str, currency: &str) -> Self {
        let mut book = self.clone();
        book.claims.retain(|of| self.owner(of.customer) == customer && of.currency == currency);
        book.credits.retain(|of| self.owner(of.customer) == customer && of.currency == currency);
        let claims = &book.claims;
        let is_of = |name: &String| claims.iter().any(|of| of.id == *name || of.whole == *name);
        book.contested.retain(|of| is_of(&of.claim));
        book
    }
}

/// Where everything stands at the end of a day.
#[derive(Debug, Default)]
pub struct Standing {
    /// Open of claims by id.
    pub open: BTreeMap<String, i64>,
    /// What stands of the write-offs of claims by id.
    pub given_up: BTreeMap<String, i64>,
    /// Not used of credits by id.
    pub free: BTreeMap<String, i64>,
    /// Interest of claims by id, and of whole invoices.
    pub interest: BTreeMap<String, i64>,
    /// The fixed sums of late invoices, by the id of the whole.
    pub fixed: BTreeMap<String, i64>,
    /// What was claimed and what was given up of the interest, by the id of the whole.
    pub settled: BTreeMap<String, (i64, i64)>,
    /// How late what is open is, less the days that were paused, and how much of it is contested, by the id of the whole.
    pub late: BTreeMap<String, (i64, i64, i64)>,
}
