//! What a replay is given and what it gives.

use crate::decimal::Times as _;
use crate::{
    Date, Decimal, Id,
    contract::{ledger::Component, types::Difference},
    decimal,
};

/// Something that can be paid: an invoice, an instalment, an interest note or a fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The store's key.
    pub key: i64,
    /// The client's id, which settles ties: keys follow the order of arrival.
    pub id: Id,
    /// From this day on it can be paid.
    pub issued_on: Date,
    /// The last day on which payment is in time.
    pub due_on: Date,
    /// What is claimed, zero or more.
    pub amount_minor: i64,
    /// What it is for.
    pub component: Component,
    /// The claim that an interest note or fee is about, which it forms one debt with. One that is issued later is not
    /// known yet and does not count.
    pub about: Option<i64>,
    /// Whether a right of ours secures it whatever the day.
    pub secured: bool,
    /// The first and last days on which guarantees secure it and not all of the customer's debts alike.
    pub securities: Vec<(Date, Date)>,
    /// The rate of its late interest in millionths, for orders that ask for the heaviest burden.
    pub burden: i64,
    /// What early payment saves.
    pub discount: Option<Discount>,
    /// What was contested of it.
    pub contested: Vec<Contested>,
}

/// What early payment of a claim saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discount {
    /// Where all of the claim is paid early. Of a part it is so much in proportion.
    pub minor: i64,
    /// The last day for it.
    pub until: Date,
}

/// What early payment saves of each instalment, oldest due first: together what it saves of their sum, to the cent.
pub fn discounts(share: Decimal, amounts: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let (mut sum, mut saved) = (0i64, 0i64);
    let each = |amount: i64| {
        sum = sum.saturating_add(amount);
        let all = Decimal::from(sum).times(share).map(|saved| decimal::round(saved, 0));
        let all = all.and_then(|saved| i64::try_from(saved).ok()).unwrap_or(0);
        let part = all.saturating_sub(saved);
        saved = all;
        part.clamp(0, amount.max(0))
    };
    amounts.into_iter().map(each).collect()
}

/// A part of a claim that the debtor contested: money that names nothing goes to it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contested {
    /// From this day on.
    pub on: Date,
    /// The day from which it is not contested any more. Its own day, or one before: it never was.
    pub until: Option<Date>,
    /// How much.
    pub minor: i64,
}

/// A dispute of a document with instalments. How much of which of them is contested is found on its day, and how much of
/// which the debtor was right about on the day of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The store's key.
    pub key: i64,
    /// Settles ties, and is the id of the adjustment where something was upheld.
    pub id: Id,
    /// From this day on.
    pub on: Date,
    /// The day from which it is not contested any more. Its own day, or one before: it never was.
    pub until: Option<Date>,
    /// How much of all.
    pub minor: i64,
    /// The instalments, oldest due first.
    pub claims: Vec<i64>,
}

/// What of a dispute of a whole is of one of its instalments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The dispute's key.
    pub whole: i64,
    /// The instalment's key.
    pub claim: i64,
    /// How much of it is contested.
    pub minor: i64,
    /// How much the outcome took off it.
    pub upheld_minor: i64,
}

/// Where an allocation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A credit note, by the store's key. On one day credit notes count before payments.
    Credit(i64),
    /// A payment, by the store's key.
    Payment(i64),
    /// A write-off, an upheld dispute or a void, by the store's key.
    Adjustment(i64),
    /// What a payment settled without being money: the payment's key and why.
    Difference(i64, Difference),
}

/// A part of a credit for named claims: an invoice, or the instalments of one, oldest due first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The claims, in the order in which they are served.
    pub claims: Vec<i64>,
    /// How much. Absent: all of the credit.
    pub minor: Option<i64>,
}

/// Money of a payment or of a credit note that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// When. Of a mistake it does not matter.
    pub on: Date,
    /// How much.
    pub minor: i64,
    /// Settles ties.
    pub id: Id,
    /// Booked by mistake: as if so much had never come.
    pub mistake: bool,
    /// The day from which it is here again. Its own day, or one before: it never went.
    pub until: Option<Date>,
}

/// Something that can be set against claims: a payment, a credit note or an adjustment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Which document.
    pub source: Source,
    /// The client's id, which settles ties.
    pub id: Id,
    /// The day it counts from.
    pub on: Date,
    /// How much, zero or more.
    pub amount_minor: i64,
    /// The claims the payer named. They are served first, from the day they are issued.
    pub named: Vec<Named>,
    /// What the payer held back: why, from which claims, how much.
    pub deductions: Vec<(Difference, Vec<i64>, i64)>,
    /// Invoices that it settles in full: the claims of each.
    pub settles: Vec<Vec<i64>>,
    /// Money that went back.
    pub returned: Vec<Returned>,
    /// The order for what is not named: a place in the list of orders that the replay is given.
    pub order: usize,
    /// The most that is booked off when what it names is left with so little.
    pub tolerance_minor: i64,
    /// Of an adjustment: whether money that comes later for the claim takes it back, as it does with a write-off.
    pub recoverable: bool,
    /// Of an adjustment: whether it makes the claims void, all that is open of them from its day on, whatever opens it.
    pub voids: bool,
    /// Of an adjustment: the day from which it counts no more. Its own day, or one before: it never was.
    pub until: Option<Date>,
}

impl Credit {
    /// A credit of the plain kind: nothing named, nothing held back, nothing returned, in the first order.
    pub fn plain(source: Source, id: Id, on: Date, amount_minor: i64) -> Self {
        Self {
            source,
            id,
            on,
            amount_minor,
            named: Vec::new(),
            deductions: Vec::new(),
            settles: Vec::new(),
            returned: Vec::new(),
            order: 0,
            tolerance_minor: 0,
            recoverable: false,
            voids: false,
            until: None,
        }
    }
}

/// A part of a credit set against a claim, or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Allocated {
    /// From where.
    pub source: Source,
    /// The claim's key. `None`: back to the payer.
    pub claim: Option<i64>,
    /// The day it counts from.
    pub on: Date,
    /// How much. Below zero where it is taken back on a later day.
    pub amount_minor: i64,
}
