//! Late interest of one claim, as a function of its whole history up to a day.
//!
//! Interest bears from the day after the due date, on what was open at the end of the day before: on the day on which
//! money comes in, what it pays bears for the last time. Days with the same balance and rate are a segment. Each
//! segment gives principal × rate × units, an exact integer over [`DayCount::year`] and the decimals of rates; the sum
//! is rounded once, half away from zero. Nothing depends on what was worked out before: asked on day 5 and on day 35,
//! the answers are those of two separate questions, and what was claimed meanwhile is taken off, not worked out again.
//! So a backdated payment simply gives another sum.
//!
//! With compounding, what has accrued by the end of an interest period, rounded, bears from the next day until the next
//! end, less what was paid and given up of it by the end of each day before.

mod clause;
#[cfg(test)]
mod tests;

pub use clause::{Base, Resolved, check, has_surroundings, rate_on, resolve};

use crate::decimal::Times as _;
use crate::{
    Currency, Date, DayCount, Decimal, Money, Refusal, Refused,
    contract::{
        ledger::{RateFixing, ReferenceRate},
        types::InterestSegment,
    },
    day_count::Ruler,
    decimal,
    rate::Tables,
};
use std::collections::BTreeSet;

/// The decimals that every rate is held with: those of a table's row times those of a multiplier.
const RATE_DECIMALS: u32 = 12;

/// Ten to the power of [`RATE_DECIMALS`].
const RATE_ONE: i128 = 1_000_000_000_000;

/// The decimals of a residue.
const RESIDUE_DECIMALS: u32 = 10;

/// The longest that a [`Watermark`] holds: it bounds its numbers, and beyond it the claim is worked out anew.
const MOST_DAYS: i64 = 3_660;

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
    /// What was paid or given up of its interest on which day, in any order.
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
    /// All interest, rounded once, within the cap.
    pub accrued_minor: i64,
    /// What rounding left out, in smallest units. A cap does not count as rounding.
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

/// A claim's interest as a line through time, in numbers that SQL can hold: up to and with a day it is
/// `base_minor + (step × (ruler.through(day) - mark) + base_rest) / denominator`, rounded half away from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// What the day is read on.
    pub ruler: Ruler,
    /// Where the running segment begins on it.
    pub mark: i64,
    /// What a unit of time adds, over `denominator`. Zero while nothing bears.
    pub step: i64,
    /// What the segments before gave in whole units,
    pub base_minor: i64,
    /// and the rest of it over `denominator`.
    pub base_rest: i64,
    /// More than zero.
    pub denominator: i64,
    /// The last day for which the line is known to hold.
    pub until: Date,
}

impl Watermark {
    /// The rounded interest up to and with a day. `None` when it cannot be held.
    pub fn at(&self, day: Date) -> Option<i64> {
        let units = self.ruler.through(day).checked_sub(self.mark)?;
        let exact = self.step.checked_mul(units)?.checked_add(self.base_rest)?;
        let rounded = exact.checked_add(self.denominator.checked_div(2)?)?;
        self.base_minor.checked_add(rounded.checked_div(self.denominator)?)
    }
}

/// What one cap stands over: all charges on a document. Its parts add theirs, oldest due first; what one of them leaves
/// of the cap is there for the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// The amount of the whole document, which a share is taken of.
    whole_minor: i64,
    /// What other documents charge for it, its fees and penalties: first under the cap.
    other_minor: i64,
    /// Fixed sums and interest of the parts so far, as if there were no cap, and what a rate as cap gives on them.
    fixed: i64,
    exact: i64,
    most: i64,
    /// What the cap leaves of both.
    fixed_within: i64,
    within: i64,
}

impl Charges {
    /// Of a document of this amount, for which other documents charge so much.
    pub fn on(whole_minor: i64, other_minor: i64) -> Self {
        Self { whole_minor, other_minor, ..Self::default() }
    }

    /// The most that all charges together may come to, as far as they were added. `None` without a cap.
    pub fn limit(&self, clause: &Resolved) -> Result<Option<i64>, Refused> {
        let share = clause.cap_share.map(|share| share_of(self.whole_minor, share)).transpose()?;
        let most = clause.cap_rate.as_ref().map(|_| self.most);
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
    let terms = Terms::new(item, clause, tables)?;
    let stretches = terms.stretches(through)?;
    let before = *charges;
    let mut sums = Sums::default();
    let mut segments: Vec<InterestSegment> = Vec::with_capacity(stretches.len());
    let own_fixed = if stretches.is_empty() { 0 } else { fixed_sum(item, clause) };
    let fixed = sum(before.fixed, own_fixed)?;
    let mut accrued_minor = 0;
    for stretch in &stretches {
        let within = sums.add(stretch, clause, &before, fixed)?;
        let minor = within.saturating_sub(before.within);
        segments.push(InterestSegment {
            from: stretch.from,
            to: stretch.to,
            principal: Money::new(stretch.principal, item.currency),
            unpaid_interest_minor: Some(stretch.unpaid).filter(|minor| *minor > 0),
            rate: stretch.rate.yearly,
            rate_source: stretch.rate.source.clone(),
            days: u32::try_from(stretch.days(clause.day_count)?).unwrap_or(0),
            day_count: clause.day_count,
            minor: minor.saturating_sub(accrued_minor),
        });
        accrued_minor = minor;
    }
    let year = RATE_ONE.saturating_mul(clause.day_count.year().into());
    let exact_minor = rounded(sums.exact, year)?;
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
        charges.exact = sum(before.exact, exact_minor)?;
        charges.most = sum(before.most, rounded(sums.cap, year)?)?;
        charges.fixed_within = fixed_within;
        charges.within = sum(before.within, accrued_minor)?;
    }
    Ok(Accrued {
        through,
        accrued_minor,
        residue: residue(sums.exact, exact_minor, year)?,
        fixed_minor,
        capped_minor: i64::try_from(capped).map_err(|_| too_large())?,
        watermark: terms.watermark(&stretches, through),
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

/// A rate of a year and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rate {
    yearly: Decimal,
    source: String,
}

/// Days with one balance and one rate.
#[derive(Clone, Debug)]
struct Stretch {
    from: Date,
    to: Date,
    principal: i64,
    /// How much of the principal is unpaid interest.
    unpaid: i64,
    rate: Rate,
    cap: Option<Rate>,
}

impl Stretch {
    fn units(&self, count: DayCount) -> Result<i64, Refused> {
        let (ruler, mark) = count.bearing_from(self.from)?;
        Ok(ruler.through(self.to).saturating_sub(mark))
    }

    fn days(&self, count: DayCount) -> Result<i64, Refused> {
        match count {
            DayCount::ActActIsda => Ok(self.to.days_since(self.from).saturating_add(1)),
            _ => self.units(count),
        }
    }

    /// Principal × rate × units, over the year and the decimals of rates.
    fn exact(&self, rate: &Rate, count: DayCount) -> Result<i128, Refused> {
        let step = i128::from(self.principal).checked_mul(whole(rate.yearly)?);
        step.and_then(|step| step.checked_mul(self.units(count).ok()?.into())).ok_or_else(too_large)
    }
}

/// The sums up to a segment.
#[derive(Default)]
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
        let year = RATE_ONE.saturating_mul(clause.day_count.year().into());
        let one = stretch.exact(&stretch.rate, clause.day_count)?;
        self.exact = self.exact.checked_add(one).ok_or_else(too_large)?;
        let mut limit =
            clause.cap_share.map(|share| share_of(before.whole_minor, share)).transpose()?;
        if let Some(cap) = &stretch.cap {
            let one = stretch.exact(cap, clause.day_count)?;
            self.cap = self.cap.checked_add(one).ok_or_else(too_large)?;
            let most = sum(before.most, rounded(self.cap, year)?)?;
            limit = Some(limit.map_or(most, |limit| limit.min(most)));
        }
        self.limit = limit;
        let minor = sum(before.exact, rounded(self.exact, year)?)?;
        let room = |limit| before.room(limit).saturating_sub(fixed).max(0);
        Ok(limit.map_or(minor, |limit| minor.min(room(limit))))
    }
}

/// A claim, its clause and the tables: what bears on which day.
struct Terms<'a> {
    item: &'a Item,
    clause: &'a Resolved,
    tables: &'a Tables,
    /// The last day that bears none for the sake of grace.
    grace_end: Date,
    /// The first day that can bear.
    first: Date,
}

impl<'a> Terms<'a> {
    fn new(item: &'a Item, clause: &'a Resolved, tables: &'a Tables) -> Result<Self, Refused> {
        let grace_end = item.due_on.plus_days(clause.grace_days.into())?;
        let before = if clause.grace_charged_later { item.due_on } else { grace_end };
        Ok(Self { item, clause, tables, grace_end, first: before.plus_days(1)? })
    }

    /// The days up to and with one, in stretches, without those on which nothing bears.
    fn stretches(&self, through: Date) -> Result<Vec<Stretch>, Refused> {
        let mut stretches: Vec<Stretch> = Vec::new();
        if through <= self.grace_end {
            return Ok(stretches);
        }
        let mut begins: BTreeSet<Date> = self.breaks(through)?;
        begins.insert(self.first);
        let mut begins = begins.into_iter().peekable();
        let periods = self.clause.period_starts(self.first, through)?;
        let mut accrued = 0;
        while let Some(from) = begins.next() {
            let to = begins.peek().map_or(Ok(through), |next| next.plus_days(-1))?;
            if periods.contains(&from) {
                accrued = self.accrued(&stretches)?;
            }
            let unpaid = self.unpaid(accrued, from)?;
            let principal = sum(self.principal(from)?, unpaid)?;
            if principal == 0 {
                continue;
            }
            let (rate, cap) = (self.rate(from)?, self.cap(from)?);
            match stretches.last_mut() {
                Some(last)
                    if (last.principal, last.unpaid) == (principal, unpaid)
                        && last.rate == rate
                        && last.cap == cap
                        && last.to.plus_days(1) == Ok(from) =>
                {
                    last.to = to;
                }
                _ => stretches.push(Stretch { from, to, principal, unpaid, rate, cap }),
            }
        }
        Ok(stretches)
    }

    /// What all stretches up to the end of a period bear together.
    fn accrued(&self, stretches: &[Stretch]) -> Result<i64, Refused> {
        let mut exact = 0i128;
        for stretch in stretches {
            let one = stretch.exact(&stretch.rate, self.clause.day_count)?;
            exact = exact.checked_add(one).ok_or_else(too_large)?;
        }
        rounded(exact, RATE_ONE.saturating_mul(self.clause.day_count.year().into()))
    }

    /// What is left on a day of interest that has accrued: nothing was paid of it and nothing given up by the end of
    /// the day before.
    fn unpaid(&self, accrued: i64, day: Date) -> Result<i64, Refused> {
        if accrued == 0 {
            return Ok(0);
        }
        let settled = self.item.settled.iter().filter(|(on, _)| *on < day);
        let settled = settled.fold(0i64, |sum, (_, minor)| sum.saturating_add(*minor));
        Ok(accrued.saturating_sub(settled).clamp(0, accrued))
    }

    /// The days after the first and up to one on which the balance or the rate may be another than the day before.
    fn breaks(&self, upto: Date) -> Result<BTreeSet<Date>, Refused> {
        let mut days = BTreeSet::new();
        for (day, _) in &self.item.changes {
            days.extend(day.plus_days(1).ok());
        }
        for exclusion in &self.item.exclusions {
            days.insert(exclusion.from);
            days.extend(exclusion.to.and_then(|to| to.plus_days(1).ok()));
        }
        days.extend(self.grace_end.plus_days(1).ok());
        if self.clause.compounding.is_some() {
            days.extend(self.clause.period_starts(self.first, upto)?);
            days.extend(self.item.settled.iter().filter_map(|(day, _)| day.plus_days(1).ok()));
        }
        for reference in self.references() {
            match reference.fixing {
                RateFixing::Floating => {
                    days.extend(self.tables.changes(&reference.table, self.first, upto));
                }
                RateFixing::HalfYear => {
                    let mut day = upto;
                    while clause::half_year(day) > self.first {
                        days.insert(clause::half_year(day));
                        day = clause::half_year(day).plus_days(-1)?;
                    }
                }
                RateFixing::AtBreach | RateFixing::AtSigning | RateFixing::HalfYearBefore => {}
            }
        }
        days.retain(|day| *day > self.first && *day <= upto);
        Ok(days)
    }

    fn references(&self) -> impl Iterator<Item = &'a ReferenceRate> {
        let base = match &self.clause.base {
            Base::Reference(reference) => Some(reference),
            Base::Agreed(..) => None,
        };
        base.into_iter().chain(&self.clause.floor_rate).chain(&self.clause.cap_rate)
    }

    /// What bears on a day: what was open at the end of the day before, and at the end of the grace, less what is
    /// excluded.
    fn principal(&self, day: Date) -> Result<i64, Refused> {
        let seen = day.plus_days(-1)?.max(self.grace_end);
        let mut left = i128::from(self.item.amount_minor);
        for (_, minor) in self.item.changes.iter().filter(|(on, _)| *on <= seen) {
            left = left.saturating_sub((*minor).into());
        }
        for excluded in &self.item.exclusions {
            // What was seen to be taken off on its last day is not left out once more.
            if excluded.from <= day && excluded.to.is_none_or(|to| seen < to) {
                left = left.saturating_sub(excluded.minor.into());
            }
        }
        i64::try_from(left.max(0)).map_err(|_| too_large())
    }

    fn rate(&self, day: Date) -> Result<Rate, Refused> {
        let rate = match &self.clause.base {
            Base::Agreed(yearly, source) => Rate { yearly: *yearly, source: source.clone() },
            Base::Reference(reference) => self.of_table(reference, day)?,
        };
        let Some(floor) = &self.clause.floor_rate else { return Ok(rate) };
        let floor = self.of_table(floor, day)?;
        if rate.yearly >= floor.yearly {
            return Ok(rate);
        }
        let source = format!("at least {}, where {} is less", floor.source, rate.source);
        Ok(Rate { source, ..floor })
    }

    fn cap(&self, day: Date) -> Result<Option<Rate>, Refused> {
        self.clause.cap_rate.as_ref().map(|cap| self.of_table(cap, day)).transpose()
    }

    fn of_table(&self, reference: &ReferenceRate, day: Date) -> Result<Rate, Refused> {
        let first_late = self.item.due_on.plus_days(1)?;
        let signed_on = self.item.signed_on.unwrap_or(self.item.issued_on);
        let on = clause::fixing_day(reference.fixing, day, first_late, signed_on)?;
        let row = self.tables.at(&reference.table, on)?;
        let unconfirmed = if row.confirmed { "" } else { ", unconfirmed" };
        let known = self.tables.known_through(&reference.table).filter(|known| on > *known);
        let after = known.map(|known| format!("; last row, unconfirmed after {known}"));
        let after = after.unwrap_or_default();
        let source = format!(
            "{} {} of {}{} ({}{unconfirmed}{after})",
            reference.table.as_str(),
            row.rate.normalize(),
            row.valid_from,
            clause::applied(reference),
            row.source,
        );
        Ok(Rate { yearly: clause::apply(row.rate, reference)?, source })
    }

    /// The line from the last stretch on. A cap or compounding bends it, and numbers that are too large for SQL have
    /// none.
    fn watermark(&self, stretches: &[Stretch], through: Date) -> Option<Watermark> {
        if self.clause.is_capped() || self.clause.compounding.is_some() {
            return None;
        }
        // Within the grace nothing bears, whatever is paid.
        let until = if through <= self.grace_end { self.grace_end } else { self.until(through)? };
        let (running, before) = match stretches.split_last() {
            Some((last, before)) if last.to == through => (Some(last), before),
            _ => (None, stretches),
        };
        let count = self.clause.day_count;
        let mut base = 0i128;
        for stretch in before {
            base = base.checked_add(stretch.exact(&stretch.rate, count).ok()?)?;
        }
        let step = match running {
            Some(last) => i128::from(last.principal).checked_mul(whole(last.rate.yearly).ok()?)?,
            None => 0,
        };
        let from = running.map_or(through, |last| last.from);
        let (ruler, mark) = count.bearing_from(from).ok()?;
        let mut one = RATE_ONE;
        let (mut base, mut step) = (base, step);
        while one > 1 && base.checked_rem(10)? == 0 && step.checked_rem(10)? == 0 {
            (base, step, one) =
                (base.checked_div(10)?, step.checked_div(10)?, one.checked_div(10)?);
        }
        let year = one.checked_mul(count.year().into())?;
        let watermark = Watermark {
            ruler,
            mark,
            step: i64::try_from(step).ok()?,
            base_minor: i64::try_from(base.checked_div(year)?).ok()?,
            base_rest: i64::try_from(base.checked_rem(year)?).ok()?,
            denominator: i64::try_from(year).ok()?,
            until,
        };
        watermark.at(until).map(|_| watermark)
    }

    /// The last day from one on for which balance and rate are known to stay as they are.
    fn until(&self, through: Date) -> Option<Date> {
        let furthest = through.plus_days(MOST_DAYS).ok()?;
        let first = self.breaks(furthest).ok()?.into_iter().find(|day| *day > through);
        first.map_or(Some(furthest), |day| day.plus_days(-1).ok())
    }
}

/// A rate in units of [`RATE_ONE`].
fn whole(rate: Decimal) -> Result<i128, Refused> {
    let rate = rate.normalize();
    let up = RATE_DECIMALS.checked_sub(rate.scale()).and_then(|zeros| 10i128.checked_pow(zeros));
    up.and_then(|up| rate.mantissa().checked_mul(up)).ok_or_else(too_large)
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
