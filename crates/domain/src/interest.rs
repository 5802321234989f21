//! Late interest of one claim, as a function of its whole history up to a day.
//!
//! Interest bears from the day after the due date, on what was open at the end of the day before: on the day on which
//! money comes in, what it pays bears for the last time. Days with the same balance and rate are a segment. Its units
//! are those from where the claim begins to bear to its end, less those to the end of the day before it: months of 30
//! days cut anywhere give what one run gives. Each segment gives principal × rate × units, an exact integer over [`DayCount::year`] and the decimals of rates; the sum
//! is rounded once, half away from zero. Of a document in parts the sum of all is rounded: a part's share is what it adds
//! to the rounded sum of those before it. Nothing depends on what was worked out before: asked on day 5 and on day 35,
//! the answers are those of two separate questions, and what was claimed meanwhile is taken off, not worked out again.
//! So a backdated payment simply gives another sum.
//!
//! With compounding, what has accrued by the end of an interest period, rounded, bears from the next day until the next
//! end, less what was paid and given up of it by the end of each day before. Of a document in parts all are rounded
//! together there too: what bears of a part is its share. What is paid or given up is the fixed sum first, then interest.

mod clause;
mod stretch;
#[cfg(test)]
mod tests;
mod watermark;

pub use clause::{Base, Resolved, check, has_surroundings, rate_on, resolve};
pub use watermark::Watermark;

use stretch::{Stretch, Terms};

use crate::decimal::Times as _;
use crate::{
    Currency, Date, Decimal, Money, Refusal, Refused, contract::types::InterestSegment, decimal,
    rate::Tables,
};
use std::collections::BTreeMap;

/// The decimals that every rate is held with: those of a table's row times those of a multiplier.
const RATE_DECIMALS: u32 = 12;

/// Ten to the power of [`RATE_DECIMALS`].
const RATE_ONE: i128 = 1_000_000_000_000;

/// The decimals of a residue.
const RESIDUE_DECIMALS: u32 = 10;

/// A claim and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The date of the document.
    pub issued_on: Date,
    /// The last day on which payment is in time.
    pub due_on: Date,
    /// What is claimed.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// What was taken off on which day, in any order; below zero what came back.
    pub changes: Vec<(Date, i64)>,
    /// What does not bear for a time.
    pub exclusions: Vec<Exclusion>,
    /// What was paid or given up of its interest and its fixed sum on which day, in any order.
    pub settled: Vec<(Date, i64)>,
    /// The day on which the contract was signed. Where none is known, that of the document counts.
    pub signed_on: Option<Date>,
    /// The amount by which a fixed sum is chosen: that of the whole document. `None` where the sum is another part's.
    pub fixed_for: Option<i64>,
}

/// A part of a claim that does not bear, such as one that is contested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The first day that does not bear.
    pub from: Date,
    /// The last day that does not bear. `None` while no end is known.
    pub to: Option<Date>,
    /// How much.
    pub minor: i64,
}

/// A dispute as far as interest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contested {
    /// Its first day.
    pub on: Date,
    /// How much is contested.
    pub minor: i64,
    /// The day it was decided, and how much the debtor was right about.
    pub decided: Option<(Date, i64)>,
}

/// What disputes leave out, as they stand on a day: all that is contested while they are open; once decided, what the
/// debtor was right about, which never bore, until the day it was taken off. The rest bears for that time after all.
pub fn exclusions(disputes: &[Contested], due_on: Date, day: Date) -> Vec<Exclusion> {
    let of = |dispute: &Contested| match dispute.decided.filter(|(on, _)| *on <= day) {
        None => Exclusion { from: dispute.on, to: None, minor: dispute.minor },
        Some((on, upheld)) => Exclusion { from: due_on, to: Some(on), minor: upheld },
    };
    disputes.iter().map(of).filter(|excluded| excluded.minor > 0).collect()
}

/// What a claim bears up to and with a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accrued {
    /// The day.
    pub through: Date,
    /// All interest, rounded once, within the cap; of a part beside others its share.
    pub accrued_minor: i64,
    /// What rounding left out, in smallest units; of a share up to one. A cap does not count as rounding.
    pub residue: Decimal,
    /// Fixed sums, within the cap.
    pub fixed_minor: i64,
    /// How much a cap took off both.
    pub capped_minor: i64,
    /// How it came about. Empty while nothing bears.
    pub segments: Vec<InterestSegment>,
    /// How it goes on while nothing changes. `None` where it must be worked out anew.
    pub watermark: Option<Watermark>,
}

/// What is rounded once and stands under one cap: all charges on a document. Its parts add theirs, oldest due first;
/// what one of them leaves of the cap is there for the next. All parts have one clause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// The amount of the whole document, which a share is taken of.
    whole_minor: i64,
    /// What other documents charge for it, its fees and penalties: first under the cap.
    other_minor: i64,
    /// Fixed sums of the parts so far, as if there were no cap,
    fixed: i64,
    /// their interest and what a rate as cap gives on them, as whole numbers over this one,
    exact: i128,
    most: i128,
    year: i128,
    /// and what the cap leaves of both.
    fixed_within: i64,
    within: i64,
    /// With compounding their interest by the end of each period, by the first day of the next.
    by_period: BTreeMap<Date, i128>,
}

impl Charges {
    /// Of a document of this amount, for which other documents charge so much.
    pub fn on(whole_minor: i64, other_minor: i64) -> Self {
        Self { whole_minor, other_minor, ..Self::default() }
    }

    /// What rounding left out of the interest of all parts together.
    pub fn residue(&self) -> Result<Decimal, Refused> {
        match self.exact {
            0 => Ok(Decimal::ZERO),
            exact => residue(exact, rounded(exact, self.year)?, self.year),
        }
    }

    /// The most that all charges together may come to, as far as they were added. `None` without a cap.
    pub fn limit(&self, clause: &Resolved) -> Result<Option<i64>, Refused> {
        let share = clause.cap_share.map(|share| share_of(self.whole_minor, share)).transpose()?;
        let most = clause.cap_rate.as_ref().map(|_| rounded(self.most, year(clause)));
        let most = most.transpose()?;
        Ok(share.into_iter().chain(most).min())
    }

    /// What is left under a limit once other documents have charged.
    fn room(&self, limit: i64) -> i64 {
        limit.saturating_sub(self.other_minor).max(0)
    }
}

/// Works out what the claim bears up to and with a day, as the only part of its document.
pub fn accrue(
    item: &Item,
    clause: &Resolved,
    tables: &Tables,
    through: Date,
) -> Result<Accrued, Refused> {
    charge(item, clause, tables, through, &mut Charges::on(item.amount_minor, 0))
}

/// Works out what a part bears up to and with a day beside the other charges on its document, and adds it to them.
pub fn charge(
    item: &Item,
    clause: &Resolved,
    tables: &Tables,
    through: Date,
    charges: &mut Charges,
) -> Result<Accrued, Refused> {
    let terms = Terms::new(item, clause, tables);
    let stretches = terms.stretches(through, &mut charges.by_period)?;
    let (before, year) = (charges.clone(), year(clause));
    let mut sums = Sums { exact: before.exact, cap: before.most, limit: None };
    let mut segments: Vec<InterestSegment> = Vec::with_capacity(stretches.len());
    let own_fixed = if stretches.is_empty() { 0 } else { fixed_sum(item, clause) };
    let fixed = sum(before.fixed, own_fixed)?;
    let mut accrued_minor = 0;
    for stretch in &stretches {
        let within = sums.add(stretch, clause, &before, fixed)?;
        let minor = within.saturating_sub(before.within);
        segments.push(InterestSegment {
            invoice_id: None,
            from: stretch.from,
            to: stretch.to,
            principal: Money::new(stretch.principal, item.currency),
            unpaid_interest_minor: Some(stretch.unpaid).filter(|minor| *minor > 0),
            contested_minor: Some(stretch.excluded).filter(|minor| *minor > 0),
            rate: stretch.rate.yearly,
            rate_source: stretch.rate.source.clone(),
            days: u32::try_from(stretch.days()).unwrap_or(0),
            day_count: clause.day_count,
            minor: minor.saturating_sub(accrued_minor),
        });
        accrued_minor = minor;
    }
    let exact_minor = rounded(sums.exact, year)?.saturating_sub(rounded(before.exact, year)?);
    // A part that is not late adds nothing to what is charged, and knows no limit.
    let fixed_within = match stretches.is_empty() {
        true => before.fixed_within,
        false => sums.limit.map_or(fixed, |limit| fixed.min(before.room(limit))),
    };
    let fixed_minor = fixed_within.saturating_sub(before.fixed_within);
    let charged = i128::from(accrued_minor).saturating_add(fixed_minor.into());
    let capped = i128::from(exact_minor).saturating_add(own_fixed.into()).saturating_sub(charged);
    if !stretches.is_empty() {
        charges.fixed = fixed;
        (charges.exact, charges.most, charges.year) = (sums.exact, sums.cap, year);
        charges.fixed_within = fixed_within;
        charges.within = sum(before.within, accrued_minor)?;
    }
    Ok(Accrued {
        through,
        accrued_minor,
        residue: residue(sums.exact.saturating_sub(before.exact), exact_minor, year)?,
        fixed_minor,
        capped_minor: i64::try_from(capped).map_err(|_| too_large())?,
        // A share beside others is a difference of two rounded sums, which is no line.
        watermark: match before.exact {
            0 => terms.watermark(&stretches, through),
            _ => None,
        },
        segments,
    })
}

/// The fixed sum of a document that is late: the first whose bound is above its amount, in its currency alone.
fn fixed_sum(item: &Item, clause: &Resolved) -> i64 {
    let Some(amount) = item.fixed_for.filter(|_| clause.fixed_currency == Some(item.currency))
    else {
        return 0;
    };
    let sums = clause.fixed_sums.iter();
    let mut fitting = sums.filter(|sum| sum.below_minor.is_none_or(|below| amount < below));
    fitting.next().map_or(0, |sum| sum.minor)
}

/// A year in the units of a clause's day count, at the decimals of rates.
fn year(clause: &Resolved) -> i128 {
    RATE_ONE.saturating_mul(clause.day_count.year().into())
}

/// The sums of a document up to a segment.
struct Sums {
    exact: i128,
    cap: i128,
    limit: Option<i64>,
}

impl Sums {
    /// Adds a segment and gives the rounded interest of the document up to its end, within the cap.
    fn add(
        &mut self,
        stretch: &Stretch,
        clause: &Resolved,
        before: &Charges,
        fixed: i64,
    ) -> Result<i64, Refused> {
        let one = stretch.exact(&stretch.rate)?;
        self.exact = self.exact.checked_add(one).ok_or_else(too_large)?;
        let mut limit =
            clause.cap_share.map(|share| share_of(before.whole_minor, share)).transpose()?;
        if let Some(cap) = &stretch.cap {
            let one = stretch.exact(cap)?;
            self.cap = self.cap.checked_add(one).ok_or_else(too_large)?;
            let most = rounded(self.cap, year(clause))?;
            limit = Some(limit.map_or(most, |limit| limit.min(most)));
        }
        self.limit = limit;
        let minor = rounded(self.exact, year(clause))?;
        let room = |limit| before.room(limit).saturating_sub(fixed).max(0);
        Ok(limit.map_or(minor, |limit| minor.min(room(limit))))
    }
}

/// A quotient of two numbers that are not negative, rounded half away from zero.
fn rounded(exact: i128, over: i128) -> Result<i64, Refused> {
    let (whole, rest) =
        exact.checked_div(over).zip(exact.checked_rem(over)).ok_or_else(too_large)?;
    let up = i128::from(rest >= over.saturating_sub(rest));
    i64::try_from(whole.saturating_add(up)).map_err(|_| too_large())
}

/// What rounding left out, at ten decimals.
fn residue(exact: i128, minor: i64, over: i128) -> Result<Decimal, Refused> {
    let rest = over.checked_mul(minor.into()).and_then(|taken| exact.checked_sub(taken));
    let rest = rest.and_then(|rest| Decimal::try_from_i128_with_scale(rest, 0).ok());
    let over = Decimal::try_from_i128_with_scale(over, 0).ok();
    let share = rest.zip(over).and_then(|(rest, over)| rest.checked_div(over));
    share.map(|share| decimal::round(share, RESIDUE_DECIMALS).normalize()).ok_or_else(too_large)
}

/// A share of an amount, rounded down: a cap is never exceeded.
fn share_of(minor: i64, share: Decimal) -> Result<i64, Refused> {
    let share = Decimal::from(minor).times(share).map(|most| most.floor());
    share.and_then(|most| i64::try_from(most).ok()).ok_or_else(too_large)
}

fn sum(one: i64, other: i64) -> Result<i64, Refused> {
    one.checked_add(other).ok_or_else(too_large)
}

fn too_large() -> Refused {
    Refused::new(Refusal::AmountTooLarge, "the interest is too large")
}
