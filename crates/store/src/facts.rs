//! What the ledger says of a customer's behaviour: sums over documents and allocations.

use crate::{Db, Fault, Param, When, arrears::Range, when::as_known};
use dunlin_domain::arrange::{arrange, mapped};
use dunlin_domain::{
    Currency, Date, Decimal, Money,
    calendar::tolerance_minor,
    contract::{
        credit::ApprovalThreshold,
        external::{ExternalScore, FinancialStatement},
        ledger::GuaranteeKind,
        score::GroupOwed,
    },
    credit::limit::Entry,
    facts::{Buying, Known, Owing, Paying, Sums, Weighed},
    guarantee::Cover,
};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};

type PayingRow = (
    i64,
    Currency,
    [u32; 5],
    [f64; 4],
    [f64; 4],
    [u32; 5],
    [f64; 5],
    (u32, f64, f64, f64),
    [Option<i64>; 2],
    [f64; 5],
    [u32; 3],
    Vec<i64>,
    Vec<i64>,
);
type OwingRow = (i64, Currency, i64, i64, (i64, i64, i64, i64, i64, i64));
type BuyingRow = (i64, Currency, (Option<i64>, u32, f64), (u32, f64, f64, u32), (u32, f64));
type KnownRow = (i64, Option<Date>, Option<Date>, Option<Date>, [u32; 3], u32);
type CoverRow = (i64, GuaranteeKind, Option<Date>, Currency, Option<i64>, i64, Decimal);
type StandingLists = (
    Vec<(i64, u32, Option<Date>, u32, u32)>,
    Vec<(i64, u32)>,
    Vec<(i64, u32, u32)>,
    Vec<CoverRow>,
    Vec<(i64, Currency, i64, i64)>,
    Vec<(i64, Option<Date>, Option<Date>)>,
    Vec<(i64, usize, Date)>,
);
type ExternalRow = (i64, Option<FinancialStatement>, Option<ExternalScore>, Option<u32>);

/// The days that windows begin after, as the statements are given them.
struct Windows {
    day: String,
    year: String,
    /// 3, 6, 12 and 24 months, in days from the day.
    months_from_day: [i64; 4],
    thirty_days: String,
    a_year_before_those: String,
    ninety_days: String,
    /// The first day within 12 months.
    first_of_year: String,
}

impl Windows {
    fn of(day: Date) -> Result<Self, Fault> {
        // Nothing is older than the first day there is.
        let months = |day: Date, months| day.minus_months(months).unwrap_or(Date::FIRST);
        let days = |days: i64| day.plus_days(-days).unwrap_or(Date::FIRST);
        Ok(Self {
            day: day.to_string(),
            year: months(day, 12).to_string(),
            months_from_day: [3, 6, 12, 24].map(|of| months(day, of).days_since(day)),
            thirty_days: days(30).to_string(),
            a_year_before_those: months(days(30), 12).to_string(),
            ninety_days: days(90).to_string(),
            first_of_year: months(day, 12).plus_days(1)?.to_string(),
        })
    }
}

/// Runs a statement of facts over all that is recorded, or over what was known with an entry.
fn summed<D: Db, T: DeserializeOwned>(
    db: &D,
    known: i64,
    statement: &str,
    params: &[Param<'_>],
) -> Result<T, Fault> {
    as_known(db, sql!("facts/as_known.sql"), known, statement, params)
}

/// What says which limit a customer has: the records of the range, its dated limits, and from where on a second key is
/// needed.
pub type Limits = (Vec<(i64, Money)>, Vec<(i64, Entry)>, Option<Vec<ApprovalThreshold>>);

/// What the limits of the range rest on.
pub fn limits<D: Db>(db: &D, range: Range, when: impl Into<When>) -> Result<Limits, Fault> {
    type Found = (Vec<(i64, i64, Currency)>, Vec<(i64, Entry)>, Option<Vec<ApprovalThreshold>>);
    let When { day, known } = when.into();
    let day = day.to_string();
    let params = [range.after.into(), range.upto.into(), (&day).into()];
    let (records, dated, thresholds): Found = summed(db, known, sql!("facts/limits.sql"), &params)?;
    let record = |(customer, minor, currency)| (customer, Money { minor, currency });
    Ok((records.into_iter().map(record).collect(), dated, thresholds))
}

/// The tolerances of reminders by currency, where they are not the usual hundred.
pub(crate) fn tolerances() -> Result<String, Fault> {
    let all = Currency::of_other_units().map(|of| (of.to_string(), tolerance_minor(of)));
    crate::array(&mapped(all.filter(|(_, minor)| *minor != USUAL_TOLERANCE)))
}

/// What statements take as the tolerance of a currency that [`tolerances`] does not name.
const USUAL_TOLERANCE: i64 = 100;

/// All that is summed of the customers of the range on the day, as it was known. Customers of whom nothing is known are
/// not there. The limits are those of the day.
pub fn of_range<D: Db>(
    db: &D,
    range: Range,
    when: impl Into<When>,
    limits: &BTreeMap<i64, Money>,
) -> Result<HashMap<i64, Sums>, Fault> {
    let When { day: of, known } = when.into();
    let windows = Windows::of(of)?;
    let (after, upto, day) = (range.after.into(), range.upto.into(), (&windows.day).into());
    let year = &windows.year;
    let mut found: HashMap<i64, Sums> = HashMap::new();
    let [three, six, twelve, two_years] = windows.months_from_day.map(Param::from);
    let tolerances = tolerances()?;
    let params: [Param<'_>; 9] =
        [after, upto, day, year.into(), three, six, twelve, two_years, (&tolerances).into()];
    let rows: Vec<PayingRow> = summed(db, known, sql!("facts/paying.sql"), &params)?;
    for row in rows {
        let sums = found.entry(row.0).or_default();
        // As they come, the day and the due date in one number; in their order below.
        sums.settled.extend(&row.11);
        sums.overdue.extend(row.12.iter().map(|due| due.saturating_neg()));
        sums.paying.push(paying(&row, of)?);
    }
    for sums in found.values_mut() {
        arrange(&mut sums.settled, |one, other| other.cmp(one));
        sums.settled.truncate(3);
        for settled in &mut sums.settled {
            let (on, due_on) = apart(*settled);
            *settled = on.saturating_sub(due_on);
        }
        arrange(&mut sums.overdue, Ord::cmp);
        sums.overdue.truncate(3);
    }
    let rows: Vec<OwingRow> =
        summed(db, known, sql!("facts/owing.sql"), &[after, upto, day, (&tolerances).into()])?;
    for (customer, currency, outstanding_minor, overdue_minor, unpaid) in rows {
        let (unpaid_minor, contested_minor, upto_30, upto_60, upto_90, over_90) = unpaid;
        found.entry(customer).or_default().owing.push(Owing {
            currency,
            outstanding_minor,
            overdue_minor,
            unpaid_minor,
            contested_minor,
            late_minor: [upto_30, upto_60, upto_90, over_90],
        });
    }
    let (month, before) = (&windows.thirty_days, &windows.a_year_before_those);
    let params = [after, upto, day, year.into(), month.into(), before.into()];
    let (rows, large): (Vec<BuyingRow>, Vec<(i64, i64)>) =
        summed(db, known, sql!("facts/buying.sql"), &params)?;
    for row in rows {
        found.entry(row.0).or_default().buying.push(buying(row));
    }
    let rows: Vec<(i64, Option<Currency>, i64, i64, i64, i64)> =
        summed(db, known, sql!("facts/group.sql"), &[after, upto, day])?;
    for (customer, currency, outstanding_minor, overdue_minor, unpaid, late) in rows {
        let sums = found.entry(customer).or_default();
        sums.group_settled = currency.is_none();
        sums.group_unpaid.push((late, unpaid));
        let owed = currency.filter(|_| outstanding_minor > 0);
        sums.group.extend(owed.map(|currency| GroupOwed {
            currency,
            outstanding_minor,
            overdue_minor,
        }));
    }
    for sums in found.values_mut() {
        arrange(&mut sums.group, |one, other| one.currency.cmp(&other.currency));
    }
    let quarter = &windows.ninety_days;
    let params = [after, upto, day, year.into(), month.into(), quarter.into()];
    let rows: Vec<KnownRow> = summed(db, known, sql!("facts/known.sql"), &params)?;
    for (customer, first_on, last, before, changes, returned) in rows {
        let orders_on = [last, before];
        let known = Known { first_on, orders_on, changes, returned, ..Known::default() };
        found.entry(customer).or_default().known = known;
    }
    for (customer, days) in large {
        found.entry(customer).or_default().known.large_before_due = Some(days);
    }
    if !limits.is_empty() {
        let of = crate::array(&limits.keys().collect::<Vec<_>>())?;
        let params = [(&of).into(), day, (&windows.first_of_year).into()];
        let rows: Vec<(i64, Date, Currency, i64)> =
            summed(db, known, sql!("facts/peak.sql"), &params)?;
        let mut last = None;
        for (customer, day, currency, minor) in rows {
            let levels = &mut found.entry(customer).or_default().known.levels;
            if last.replace((customer, day)) != Some((customer, day)) {
                levels.push(levels.last().cloned().unwrap_or_default());
            }
            if let Some(sum) = levels.last_mut().map(|of| of.entry(currency).or_default()) {
                *sum = sum.saturating_add(minor);
            }
        }
    }
    let params = [after, upto, day, year.into(), quarter.into()];
    standing(&mut found, summed(db, known, sql!("facts/standing.sql"), &params)?);
    let rows: Vec<ExternalRow> =
        summed(db, known, sql!("facts/external.sql"), &[after, upto, day, year.into()])?;
    for (customer, statement, score, entries) in rows {
        let known = &mut found.entry(customer).or_default().known;
        (known.statement, known.score, known.entries) = (statement, score, entries);
    }
    Ok(found)
}

/// Takes up defaults, what sources told, what secures debts, and the days of contracts.
fn standing(found: &mut HashMap<i64, Sums>, lists: StandingLists) {
    let (defaults, groups, told, covers, under, agreed, lapsed) = lists;
    for (customer, open, oldest_on, broken, broken_open) in defaults {
        known(found, customer).defaults = Some((open, oldest_on, broken));
        known(found, customer).broken_open = broken_open;
    }
    for (customer, open) in groups {
        known(found, customer).group_defaults = Some(open);
    }
    for (customer, failed, cancelled) in told {
        known(found, customer).told = Some([failed, cancelled]);
    }
    for (customer, kind, last_on, currency, contract, amount_minor, share) in covers {
        let known = known(found, customer);
        known.covers.push((currency, Cover { contract, amount_minor, share }));
        let [guarantee, insurance, ..] = &mut known.nearest_on;
        let nearest = if kind == GuaranteeKind::Insurance { insurance } else { guarantee };
        *nearest = nearest.iter().copied().chain(last_on).min();
    }
    for (customer, currency, contract, minor) in under {
        known(found, customer).under.push((currency, contract, minor));
    }
    for (customer, last_on, milestone_on) in agreed {
        let [.., contract, milestone] = &mut known(found, customer).nearest_on;
        (*contract, *milestone) = (last_on, milestone_on);
    }
    for (customer, sort, last_on) in lapsed {
        if let Some(of) = known(found, customer).lapsed_on.get_mut(sort) {
            *of = Some(last_on);
        }
    }
}

fn known(found: &mut HashMap<i64, Sums>, customer: i64) -> &mut Known {
    &mut found.entry(customer).or_default().known
}

/// What two numbers that come as one are multiplied by.
const MILLION: i64 = 1_000_000;

/// The two numbers that came as one: the second is less than half a million on either side of zero.
fn apart(both: i64) -> (i64, i64) {
    let half = MILLION.saturating_div(2);
    let second = both.saturating_add(half).rem_euclid(MILLION).saturating_sub(half);
    (both.saturating_sub(second).saturating_div(MILLION), second)
}

fn paying(row: &PayingRow, day: Date) -> Result<Paying, Fault> {
    let (
        _,
        currency,
        items,
        minor,
        by_days,
        late_items,
        late_minor,
        received,
        worst,
        line,
        first,
        ..,
    ) = row;
    let [.., begun] = *items;
    let mut due = [Weighed::default(); 4];
    for (of, ((items, minor), by_days)) in due.iter_mut().zip(items.iter().zip(minor).zip(by_days))
    {
        *of = Weighed { items: *items, minor: *minor, by_days: *by_days };
    }
    let (items, minor, by_days, early_minor) = *received;
    let [worst_12, worst_24] = *worst;
    let worst_24 = worst_24.map(apart);
    let [.., due_12, due_24] = due;
    // Of items that were not late the statement says nothing.
    let in_time = |of: Weighed| (of.items > 0).then_some(0);
    Ok(Paying {
        currency: *currency,
        due,
        begun,
        late_items: *late_items,
        late_minor: *late_minor,
        received: Weighed { items, minor, by_days },
        early_minor,
        worst: [worst_12.or(in_time(due_12)), worst_24.map(|(days, _)| days).or(in_time(due_24))],
        worst_on: worst_24.map(|(_, on)| day.plus_days(on)).transpose()?,
        line: *line,
        first: *first,
    })
}

fn buying(row: BuyingRow) -> Buying {
    let (_, currency, (largest_minor, before, before_minor), terms, orders) = row;
    let (items, minor, by_days, contested) = terms;
    Buying {
        currency,
        largest_minor,
        before: (before, before_minor),
        terms: Weighed { items, minor, by_days },
        contested,
        orders,
    }
}
