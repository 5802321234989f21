//! The clause: what may stand in it, and what it says once its preset is filled in.

use crate::decimal::Times as _;
use crate::{
    Currency, Date, DayCount, Decimal, Refusal, Refused,
    contract::ledger::{Compounding, FixedSum, LateInterest, RateFixing, ReferenceRate},
    preset::{self, CONTRACT_RATE},
    rate::{self, Tables},
};
use chrono::Datelike as _;

/// The most decimals of a multiplier.
const MULTIPLIER_DECIMALS: u32 = 4;

/// The largest rate of a year and the largest multiplier.
const MOST: i64 = 10;

/// The most grace, in days.
const MOST_GRACE: u32 = 365;

/// The most tiers of fixed sums.
const MOST_SUMS: usize = 20;

/// A clause with its preset filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// What a day bears.
    pub base: Base,
    /// The least that the rate of a day may be.
    pub floor_rate: Option<ReferenceRate>,
    /// When unpaid interest begins to bear.
    pub compounding: Option<Compounding>,
    /// How days become a share of a year.
    pub day_count: DayCount,
    /// Days after the due date that bear none.
    pub grace_days: u32,
    /// Whether what is open after them bears from the due date all the same.
    pub grace_charged_later: bool,
    /// All charges at most this share of the amount.
    pub cap_share: Option<Decimal>,
    /// All charges at most what this rate gives.
    pub cap_rate: Option<ReferenceRate>,
    /// Fixed sums, in rising order.
    pub fixed_sums: Vec<FixedSum>,
    /// Their currency.
    pub fixed_currency: Option<Currency>,
}

/// Where the rate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// An agreed rate, and how it is named.
    Agreed(Decimal, String),
    /// A rate that follows a table.
    Reference(ReferenceRate),
}

impl Resolved {
    /// Whether a cap stands over the charges.
    pub fn is_capped(&self) -> bool {
        self.cap_share.is_some() || self.cap_rate.is_some()
    }

    /// The first days of interest periods after one day and up to another.
    pub(super) fn period_starts(&self, after: Date, upto: Date) -> Result<Vec<Date>, Refused> {
        let Some(of) = &self.compounding else { return Ok(Vec::new()) };
        let mut starts = Vec::new();
        let (mut year, mut month) = (after.naive().year(), after.naive().month());
        loop {
            if month.checked_rem(of.months) == Some(0) {
                let days = (1..=of.day).rev();
                let end = days.filter_map(|day| Date::from_ymd(year, month, day).ok()).next();
                let start =
                    end.map_or(Err(malformed("no such day".into())), |end| end.plus_days(1))?;
                if start > upto {
                    return Ok(starts);
                }
                if start > after {
                    starts.push(start);
                }
            }
            (year, month) = match month {
                12 => (year.saturating_add(1), 1),
                _ => (year, month.saturating_add(1)),
            };
            if year > upto.naive().year() {
                return Ok(starts);
            }
        }
    }
}

/// Whether what a claim bears has to do with more than the claim: under a cap with what else is charged for its
/// document, and with compounding with what was paid and given up of its interest.
pub fn has_surroundings(clause: &LateInterest) -> bool {
    let clause = resolve(clause, Date::LAST);
    clause.is_ok_and(|clause| clause.is_capped() || clause.compounding.is_some())
}

/// The rate of a year that a clause gives on a day of breach.
pub fn rate_on(clause: &LateInterest, tables: &Tables, day: Date) -> Result<Decimal, Refused> {
    let too_large = || Refused::new(Refusal::AmountTooLarge, "the rate is too large");
    let of_table = |reference: &ReferenceRate| {
        let rate = tables.at(&reference.table, day)?.rate;
        let rate = rate.times(reference.multiplier.unwrap_or(Decimal::ONE));
        let rate = rate.and_then(|rate| rate.checked_add(reference.margin.unwrap_or_default()));
        rate.ok_or_else(too_large)
    };
    let clause = resolve(clause, day)?;
    let rate = match &clause.base {
        Base::Agreed(rate, _) => *rate,
        Base::Reference(reference) => of_table(reference)?,
    };
    let floor = clause.floor_rate.as_ref().map(of_table).transpose()?;
    Ok(floor.map_or(rate, |floor| rate.max(floor)))
}

/// Refuses a clause that cannot be used, on whatever day. Tables are looked at when a day asks for them.
pub fn check(clause: &LateInterest) -> Result<(), Refused> {
    if let Some(rate) = clause.rate {
        decimal(rate, Decimal::ZERO, rate::MAX_DECIMALS, "rate")?;
    }
    if let Some(reference) = &clause.reference {
        check_reference(reference, "reference")?;
    }
    if let Some(cap) = &clause.cap_rate {
        check_reference(cap, "cap_rate")?;
    }
    if let Some(floor) = &clause.floor_rate {
        check_reference(floor, "floor_rate")?;
    }
    if let Some(of) = &clause.compounding {
        if of.months == 0 || 12u32.checked_rem(of.months) != Some(0) {
            let detail = "a period is 1, 2, 3, 4, 6 or 12 months".into();
            return Err(malformed(detail).at("compounding.months"));
        }
        if !(1..=31).contains(&of.day) {
            return Err(malformed("a day of a month is 1 to 31".into()).at("compounding.day"));
        }
    }
    if let Some(share) = clause.cap_share {
        decimal(share, Decimal::ZERO, rate::MAX_DECIMALS, "cap_share")?;
    }
    if clause.grace_days.is_some_and(|days| days > MOST_GRACE) {
        return Err(malformed(format!("grace is at most {MOST_GRACE} days")).at("grace_days"));
    }
    check_sums(clause)?;
    filled(clause, preset_of(clause)?.as_ref().map(|preset| &preset.clause)).map(drop)
}

fn check_reference(reference: &ReferenceRate, field: &str) -> Result<(), Refused> {
    let at = |part: &str| format!("{field}.{part}");
    if let Some(times) = reference.multiplier {
        decimal(times, Decimal::ZERO, MULTIPLIER_DECIMALS, &at("multiplier"))?;
        if times.is_zero() {
            return Err(malformed("a multiplier is above 0".into()).at(&at("multiplier")));
        }
    }
    if let Some(margin) = reference.margin {
        decimal(margin, Decimal::from(-MOST), rate::MAX_DECIMALS, &at("margin"))?;
    }
    Ok(())
}

fn check_sums(clause: &LateInterest) -> Result<(), Refused> {
    let sums = clause.fixed_sums.as_deref().unwrap_or_default();
    if !sums.is_empty() && clause.fixed_currency.is_none() {
        let detail = "fixed sums have a currency";
        return Err(Refused::new(Refusal::MissingField, detail).at("fixed_currency"));
    }
    if sums.len() > MOST_SUMS {
        return Err(malformed(format!("at most {MOST_SUMS} fixed sums")).at("fixed_sums"));
    }
    let mut below = 0;
    for (place, sum) in sums.iter().enumerate() {
        let at = |part: &str| format!("fixed_sums[{place}].{part}");
        if sum.minor < 0 || sum.minor > crate::money::MAX_MINOR {
            return Err(malformed("a fixed sum is not negative".into()).at(&at("minor")));
        }
        let last = place.saturating_add(1) == sums.len();
        match sum.below_minor {
            None if last => {}
            None => {
                let detail = "only the last fixed sum is for any amount";
                return Err(malformed(detail.into()).at(&at("below_minor")));
            }
            Some(minor) if minor > below => below = minor,
            Some(_) => {
                let detail = "the amounts of fixed sums rise";
                return Err(malformed(detail.into()).at(&at("below_minor")));
            }
        }
    }
    Ok(())
}

fn decimal(value: Decimal, least: Decimal, decimals: u32, field: &str) -> Result<(), Refused> {
    if value < least || value > Decimal::from(MOST) {
        return Err(malformed(format!("from {least} to {MOST}")).at(field));
    }
    if value.normalize().scale() > decimals {
        return Err(malformed(format!("at most {decimals} decimals")).at(field));
    }
    Ok(())
}

fn malformed(detail: String) -> Refused {
    Refused::new(Refusal::MalformedField, detail)
}

fn preset_of(clause: &LateInterest) -> Result<Option<crate::contract::ledger::Preset>, Refused> {
    let Some(name) = &clause.preset else { return Ok(None) };
    let found = preset::find(name).ok_or_else(|| {
        let detail = format!("no preset is called {}", name.as_str());
        Refused::new(Refusal::UnknownPreset, detail).at("preset")
    })?;
    Ok(Some(found))
}

/// What the clause says to a debt whose first day late is this one: its own fields, else those of its preset.
pub fn resolve(clause: &LateInterest, breach_on: Date) -> Result<Resolved, Refused> {
    let preset = preset_of(clause)?;
    if let Some(early) = preset.as_ref().filter(|preset| preset.valid_from > breach_on) {
        let detail =
            format!("{} holds from {}, not on {breach_on}", early.name.as_str(), early.valid_from);
        return Err(Refused::new(Refusal::UnknownPreset, detail).at("preset"));
    }
    filled(clause, preset.as_ref().map(|preset| &preset.clause))
}

fn filled(own: &LateInterest, preset: Option<&LateInterest>) -> Result<Resolved, Refused> {
    let nothing = preset::nothing();
    let preset = preset.unwrap_or(&nothing);
    // The currency belongs to the sums: those of one's own do not take on the preset's.
    let sums = if own.fixed_sums.is_some() { own } else { preset };
    let resolved = Resolved {
        base: base(own, preset)?,
        floor_rate: own.floor_rate.clone().or_else(|| preset.floor_rate.clone()),
        compounding: own.compounding.clone().or_else(|| preset.compounding.clone()),
        day_count: own.day_count.or(preset.day_count).unwrap_or(DayCount::Act365F),
        grace_days: own.grace_days.or(preset.grace_days).unwrap_or(0),
        grace_charged_later: own
            .grace_charged_later
            .or(preset.grace_charged_later)
            .unwrap_or(false),
        cap_share: own.cap_share.or(preset.cap_share),
        cap_rate: own.cap_rate.clone().or_else(|| preset.cap_rate.clone()),
        fixed_sums: sums.fixed_sums.clone().unwrap_or_default(),
        fixed_currency: sums.fixed_currency,
    };
    // What the cap takes off is not owed, and may not bear.
    if resolved.compounding.is_some() && resolved.is_capped() {
        let detail = "compound interest under a cap is not worked out";
        return Err(malformed(detail.into()).at("compounding"));
    }
    Ok(resolved)
}

fn base(own: &LateInterest, preset: &LateInterest) -> Result<Base, Refused> {
    let of_contract = |reference: &&ReferenceRate| reference.table.as_str() == CONTRACT_RATE;
    let reference = own.reference.as_ref().or_else(|| {
        // A rate of one's own takes the place of a preset's reference, unless that is a multiple of just this rate.
        let preset = preset.reference.as_ref();
        preset.filter(|reference| own.rate.is_none() || of_contract(reference))
    });
    let rate = own.rate.or(preset.rate.filter(|_| reference.is_none()));
    match (rate, reference) {
        (None, None) => {
            let detail = "a clause has a rate, a reference rate, or a preset that has one";
            Err(Refused::new(Refusal::MissingField, detail).at("rate"))
        }
        (Some(rate), None) => Ok(Base::Agreed(rate, format!("agreed {}", rate.normalize()))),
        (Some(rate), Some(reference)) if of_contract(&reference) => {
            let named = format!("agreed {}{}", rate.normalize(), applied(reference));
            Ok(Base::Agreed(apply(rate, reference)?, named))
        }
        (Some(_), Some(_)) => {
            Err(malformed("either a rate or a reference rate".into()).at("reference"))
        }
        (None, Some(reference)) if of_contract(&reference) => {
            let detail = "the contract's own rate is given as `rate`";
            Err(Refused::new(Refusal::MissingField, detail).at("rate"))
        }
        (None, Some(reference)) => Ok(Base::Reference(reference.clone())),
    }
}

/// The rate times the multiplier plus the margin, never below zero.
pub(super) fn apply(rate: Decimal, reference: &ReferenceRate) -> Result<Decimal, Refused> {
    let times = reference.multiplier.unwrap_or(Decimal::ONE);
    let margin = reference.margin.unwrap_or(Decimal::ZERO);
    let applied = rate.times(times).and_then(|rate| rate.checked_add(margin));
    let applied =
        applied.ok_or_else(|| Refused::new(Refusal::AmountTooLarge, "the rate is too large"));
    Ok(applied?.max(Decimal::ZERO).normalize())
}

/// ` × 1.5 + 0.08`: what was done to the rate, for people.
pub(super) fn applied(reference: &ReferenceRate) -> String {
    let times = reference.multiplier.filter(|times| *times != Decimal::ONE);
    let times = times.map(|times| format!(" × {}", times.normalize())).unwrap_or_default();
    let margin = match reference.margin.filter(|margin| !margin.is_zero()) {
        None => String::new(),
        Some(margin) if margin.is_sign_negative() => format!(" - {}", margin.abs().normalize()),
        Some(margin) => format!(" + {}", margin.normalize()),
    };
    times + &margin
}

/// The day whose rate counts for a day that bears interest. What is fixed once gives the same for every day.
pub(super) fn fixing_day(
    fixing: RateFixing,
    day: Date,
    first_late: Date,
    signed_on: Date,
) -> Result<Date, Refused> {
    match fixing {
        RateFixing::Floating => Ok(day),
        RateFixing::AtBreach => Ok(first_late),
        RateFixing::AtSigning => Ok(signed_on),
        RateFixing::HalfYear => Ok(half_year(day)),
        RateFixing::HalfYearBefore => half_year(first_late).plus_days(-1),
    }
}

/// The first day of the half-year.
pub(super) fn half_year(day: Date) -> Date {
    let naive = day.naive();
    Date::known(naive.year(), if naive.month() < 7 { 1 } else { 7 }, 1)
}
