//! Days with one balance and one rate, as a claim and its clause make them.

use super::{
    Base, Item, RATE_DECIMALS, RATE_ONE, Resolved, Watermark, clause, fixed_sum, rounded, sum,
    too_large, year,
};
use crate::{
    Date, Decimal, Refused,
    contract::ledger::{RateFixing, ReferenceRate},
    day_count::Ruler,
    rate::Tables,
};
use std::collections::{BTreeMap, BTreeSet};

/// The longest that a [`Watermark`] holds: it bounds its numbers, and beyond it the claim is worked out anew.
const MOST_DAYS: i64 = 3_660;

/// A rate of a year and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) yearly: Decimal,
    pub(super) source: String,
}

/// Days with one balance and one rate.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) principal: i64,
    /// How much of the principal is unpaid interest.
    pub(super) unpaid: i64,
    /// How much more was open and bore nothing.
    pub(super) excluded: i64,
    pub(super) rate: Rate,
    pub(super) cap: Option<Rate>,
    /// The ruler of the claim, and where the first day begins on it.
    pub(super) ruler: Ruler,
    pub(super) mark: i64,
}

impl Stretch {
    fn units(&self) -> i64 {
        self.ruler.through(self.to).saturating_sub(self.mark)
    }

    /// The days as the claim's day count counts them.
    pub(super) fn days(&self) -> i64 {
        match self.ruler {
            Ruler::Years => self.to.days_since(self.from).saturating_add(1),
            _ => self.units(),
        }
    }

    /// Principal × rate × units, over the year and the decimals of rates.
    pub(super) fn exact(&self, rate: &Rate) -> Result<i128, Refused> {
        let step = i128::from(self.principal).checked_mul(whole(rate.yearly)?);
        step.and_then(|step| step.checked_mul(self.units().into())).ok_or_else(too_large)
    }
}

/// A claim, its clause and the tables: what bears on which day.
pub(super) struct Terms<'a> {
    item: &'a Item,
    clause: &'a Resolved,
    tables: &'a Tables,
    /// The last day that bears none for the sake of grace.
    pub(super) grace_end: Date,
    /// The first day that can bear.
    pub(super) first: Date,
    /// What all days of the claim are read on, and where the first one begins. It is one for the whole claim, so that
    /// the days of its segments are those of one run, wherever it is cut.
    ruler: Ruler,
    mark: i64,
}

impl<'a> Terms<'a> {
    pub(super) fn new(item: &'a Item, clause: &'a Resolved, tables: &'a Tables) -> Self {
        // Behind the last day there is nothing bears: the grace goes to its end.
        let after = |day: Date, days: i64| day.plus_days(days).unwrap_or(Date::LAST);
        let grace_end = after(item.due_on, clause.grace_days.into());
        let before = if clause.grace_charged_later { item.due_on } else { grace_end };
        let first = after(before, 1);
        let (ruler, mark) = clause.day_count.bearing_from(first);
        Self { item, clause, tables, grace_end, first, ruler, mark }
    }

    /// The days up to and with one, in stretches, without those on which nothing bears. `by_period` is what the parts of
    /// the document so far have borne by the end of each interest period, to which it adds its own.
    pub(super) fn stretches(
        &self,
        through: Date,
        by_period: &mut BTreeMap<Date, i128>,
    ) -> Result<Vec<Stretch>, Refused> {
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
                accrued = self.accrued(&stretches, by_period.entry(from).or_default())?;
            }
            let unpaid = self.unpaid(accrued, from)?;
            let (bearing, excluded) = self.principal(from)?;
            let principal = sum(bearing, unpaid)?;
            if principal == 0 {
                continue;
            }
            let (rate, cap) = (self.rate(from)?, self.cap(from)?);
            match stretches.last_mut() {
                Some(last)
                    if (last.principal, last.unpaid, last.excluded)
                        == (principal, unpaid, excluded)
                        && last.rate == rate
                        && last.cap == cap
                        && last.to.plus_days(1) == Ok(from) =>
                {
                    last.to = to;
                }
                _ => {
                    let (ruler, mark) = (self.ruler, self.mark(from)?);
                    let one =
                        Stretch { from, to, principal, unpaid, excluded, rate, cap, ruler, mark };
                    stretches.push(one);
                }
            }
        }
        Ok(stretches)
    }

    /// Where a day that bears begins on the claim's ruler: where the day before ends.
    pub(super) fn mark(&self, day: Date) -> Result<i64, Refused> {
        match day > self.first {
            true => Ok(self.ruler.through(day.plus_days(-1)?)),
            false => Ok(self.mark),
        }
    }

    /// What all stretches up to the end of a period bear together: what they add to the rounded sum of the parts so far.
    fn accrued(&self, stretches: &[Stretch], parts: &mut i128) -> Result<i64, Refused> {
        let year = year(self.clause);
        let before = rounded(*parts, year)?;
        for stretch in stretches {
            let one = stretch.exact(&stretch.rate)?;
            *parts = parts.checked_add(one).ok_or_else(too_large)?;
        }
        Ok(rounded(*parts, year)?.saturating_sub(before))
    }

    /// What is left on a day of interest that has accrued: nothing was paid of it and nothing given up by the end of
    /// the day before. A fixed sum is a cost and comes before the interest: what settles it settles none.
    fn unpaid(&self, accrued: i64, day: Date) -> Result<i64, Refused> {
        if accrued == 0 {
            return Ok(0);
        }
        let settled = self.item.settled.iter().filter(|(on, _)| *on < day);
        let settled = settled.fold(0i64, |sum, (_, minor)| sum.saturating_add(*minor));
        let of_interest = settled.saturating_sub(fixed_sum(self.item, self.clause)).max(0);
        Ok(accrued.saturating_sub(of_interest).clamp(0, accrued))
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
    /// excluded; and how much that is.
    pub(super) fn principal(&self, day: Date) -> Result<(i64, i64), Refused> {
        let seen = day.plus_days(-1)?.max(self.grace_end);
        let mut left = i128::from(self.item.amount_minor);
        for (_, minor) in self.item.changes.iter().filter(|(on, _)| *on <= seen) {
            left = left.saturating_sub((*minor).into());
        }
        let open = left.max(0);
        for excluded in &self.item.exclusions {
            // What was seen to be taken off on its last day is not left out once more.
            if excluded.from <= day && excluded.to.is_none_or(|to| seen < to) {
                left = left.saturating_sub(excluded.minor.into());
            }
        }
        let excluded = open.saturating_sub(left.max(0));
        let minor = |minor: i128| i64::try_from(minor).map_err(|_| too_large());
        Ok((minor(left.max(0))?, minor(excluded)?))
    }

    pub(super) fn rate(&self, day: Date) -> Result<Rate, Refused> {
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
    pub(super) fn watermark(&self, stretches: &[Stretch], through: Date) -> Option<Watermark> {
        if self.clause.is_capped() || self.clause.compounding.is_some() {
            return None;
        }
        // Within the grace nothing bears, whatever is paid.
        let until = if through <= self.grace_end { self.grace_end } else { self.until(through)? };
        let (running, before) = match stretches.split_last() {
            Some((last, before)) if last.to == through => (Some(last), before),
            _ => (None, stretches),
        };
        let mut base = 0i128;
        for stretch in before {
            base = base.checked_add(stretch.exact(&stretch.rate).ok()?)?;
        }
        let step = match running {
            Some(last) => i128::from(last.principal).checked_mul(whole(last.rate.yearly).ok()?)?,
            None => 0,
        };
        let mark = running.map_or(self.mark, |last| last.mark);
        let mut one = RATE_ONE;
        let (mut base, mut step) = (base, step);
        while one > 1 && base.checked_rem(10)? == 0 && step.checked_rem(10)? == 0 {
            (base, step, one) =
                (base.checked_div(10)?, step.checked_div(10)?, one.checked_div(10)?);
        }
        let year = one.checked_mul(self.clause.day_count.year().into())?;
        let watermark = Watermark {
            ruler: self.ruler,
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
