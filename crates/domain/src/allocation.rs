//! Which payment pays which invoice.
//!
//! The answer is a replay of one customer's documents in one currency by their dates, never by their arrival. So any
//! order of arrival gives the same allocations, a backdated document replays what came after it, and what is dated up
//! to a day is decided by what is dated up to that day alone.
//!
//! A day passes like this. Claims issued on it open, and so does what stands of a write-off that ends on it. Of a
//! document with instalments what comes to be contested is spread over them. Credit
//! notes, then payments, go to the claims they name; a payment books the differences it brings (deductions, an
//! early-payment discount, an agreed settlement, a rest within the tolerance); a payment for a claim that was written
//! off recovers it, and so does a credit note, as of what was never owed nothing was given up. A void takes off what
//! that left open of its claims, what was written off of them, and whatever opens of them later, before other
//! money sees it. What credits have left goes to what is open, first credit first, each in its own order of debts: the
//! undisputed parts of all, and only then what is contested that day.
//! Then money that goes back that day is taken out again: what was not used first, then the newest allocations, and
//! what they had recovered is written off again, then what is kept for claims to come, the last first. At the end of
//! the day upheld disputes and then write-offs take off what is left open, whatever left it open, of each those of an
//! instalment before those of the whole, and less before more; an upheld dispute of what is not open any more displaces
//! what was booked off beside money, then what was written off, then the newest money, which goes to what else is open.
//! Of a document that is moved past them they count from the document's day.

mod converted;
mod days;
mod dispute;
mod early;
mod moves;
mod open;
mod pool;
#[cfg(test)]
mod tests;
mod types;

pub use converted::Converted;
pub use types::{
    Allocated, Claim, Contested, Credit, Discount, Named, Returned, Share, Source, Whole, discounts,
};

use crate::{Date, Id, arrange::arrange, contract::types::Difference, order::Order};
use std::collections::BTreeMap;

/// By day, credit notes before payments before adjustments, then by id.
type CreditOrder<'a> = (Date, u8, &'a Id);

/// How far a claim is on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Overdue,
    /// On the last day on which payment is in time.
    Today,
    NotYet,
}

/// A claim while the days pass.
struct Debt<'a> {
    claim: &'a Claim,
    /// What is open. Zero before it is issued.
    open: i64,
    /// What is contested, which may be more than is open.
    contested: i64,
    due: Due,
    /// Whether anything secures it on the day.
    secured: bool,
    /// Its place among all claims by due date, day of issue and id.
    rank: i64,
    /// The place of the claim it is about, or its own.
    root: usize,
    /// The places of the claims about it.
    about: Vec<usize>,
    /// What adjustments took off and nothing has recovered: adjustment and how much.
    written_off: Vec<(i64, i64)>,
    /// The adjustment that made it void.
    void: Option<i64>,
    /// What was paid and held back of it in time for its discount.
    early: i64,
    /// The discount that this earned.
    saved: i64,
    /// What upheld disputes and credit notes about it say was never owed.
    reduced: i64,
}

/// A part of a credit that was set against a claim.
#[derive(Clone, Copy)]
struct Used {
    /// The place of the claim.
    place: usize,
    minor: i64,
    /// The difference if it is one.
    why: Option<Difference>,
    /// The write-off that it recovered.
    recovered: Option<i64>,
}

/// A credit while the days pass.
struct Active<'a> {
    credit: &'a Credit,
    /// The day it counts from: of an adjustment not before what it adjusts is there.
    on: Date,
    /// What can be set against anything.
    free: i64,
    /// What is kept for claims that are not issued yet.
    waiting: i64,
    /// What was set against claims, oldest first.
    used: Vec<Used>,
    returned: i64,
    /// What went back with which return.
    given: Vec<(usize, i64)>,
}

/// What happens on one day.
#[derive(Default)]
struct Day {
    claims: Vec<usize>,
    /// Claims whose place in an order may be another from this day on.
    moved: Vec<usize>,
    /// What comes to be contested, and below zero what is so no more.
    contested: Vec<(usize, i64)>,
    /// Disputes of wholes that begin, and those that were decided.
    disputed: Vec<usize>,
    decided: Vec<usize>,
    credits: Vec<usize>,
    /// A named part that waited: credit, part, how much was kept.
    parts: Vec<(usize, usize, i64)>,
    returns: Vec<(usize, usize)>,
    /// What is here again of what went back.
    regains: Vec<(usize, usize)>,
    /// Adjustments that count no more.
    ended: Vec<usize>,
    /// Credits whose differences are about a claim of this day.
    differences: Vec<usize>,
}

/// A dispute of a whole while the days pass.
struct Spread<'a> {
    whole: &'a Whole,
    /// The places of its instalments.
    places: Vec<usize>,
    /// What is contested of each, once it began.
    minor: Vec<i64>,
    /// What was upheld of each, once it was decided.
    upheld: Vec<i64>,
}

struct Replay<'a> {
    debts: Vec<Debt<'a>>,
    by_key: BTreeMap<i64, usize>,
    active: Vec<Active<'a>>,
    orders: &'a [Order],
    /// For each order what is open and not contested as a whole, in that order.
    open: Vec<BTreeMap<Vec<i64>, usize>>,
    /// For each order what is open and contested as a whole.
    frozen: Vec<BTreeMap<Vec<i64>, usize>>,
    /// What is open of all debts.
    sum_open: i64,
    /// What credits of today will hold back of claims: credit, claim, how much.
    held: Vec<(usize, usize, i64)>,
    /// Payments that booked something off by agreement or within the tolerance, some of them more than once.
    booked: Vec<usize>,
    /// Void claims of which something was opened.
    opened_void: Vec<usize>,
    /// Credits with something free.
    pool: BTreeMap<CreditOrder<'a>, usize>,
    wholes: Vec<Spread<'a>>,
    done: Vec<Allocated>,
    today: Date,
}

/// Replays one customer's documents in one currency. The order of the inputs does not matter. A credit whose place in
/// `orders` does not exist is served oldest due first.
pub fn replay(claims: &[Claim], credits: &[Credit], orders: &[Order]) -> Vec<Allocated> {
    replay_disputed(claims, credits, &[], orders).0
}

/// The same with disputes of documents in instalments, and what is of which instalment.
pub fn replay_disputed(
    claims: &[Claim],
    credits: &[Credit],
    wholes: &[Whole],
    orders: &[Order],
) -> (Vec<Allocated>, Vec<Share>) {
    let fallback = [Order::default()];
    let orders = if orders.is_empty() { &fallback } else { orders };
    let Some(mut replay) = Replay::new(claims, credits, orders) else { return Default::default() };
    replay.dispute(wholes);
    let mut days = replay.calendar();
    while let Some((day, events)) = days.pop_first() {
        replay.pass(day, events, &mut days);
    }
    (std::mem::take(&mut replay.done), replay.shares())
}

fn place(credit: &Credit) -> CreditOrder<'_> {
    let kind = match credit.source {
        Source::Credit(_) => 0,
        Source::Payment(_) | Source::Difference(..) => 1,
        Source::Adjustment(_) => 2,
    };
    (credit.on, kind, &credit.id)
}

/// The rows to add so that what is recorded becomes what is wanted: new parts, and what is no longer so with its
/// amount taken back on its own day. Nothing is changed or removed.
pub fn corrections(recorded: &[Allocated], wanted: &[Allocated]) -> Vec<Allocated> {
    let undone =
        |row: &Allocated| Allocated { amount_minor: row.amount_minor.saturating_neg(), ..*row };
    let mut net: Vec<Allocated> = recorded.iter().map(undone).collect();
    net.extend_from_slice(wanted);
    // What is recorded comes in the order of its index and what is wanted in that of days: the old debts first, both
    // of them. A sort that looks for what is in order already has next to nothing left to do.
    let what = |row: &Allocated| (row.claim, row.on, row.source);
    arrange(&mut net, |one, other| what(one).cmp(&what(other)));
    net.dedup_by(|row, sum| {
        let same = what(row) == what(sum);
        if same {
            sum.amount_minor = sum.amount_minor.saturating_add(row.amount_minor);
        }
        same
    });
    net.retain(|row| row.amount_minor != 0);
    net
}
