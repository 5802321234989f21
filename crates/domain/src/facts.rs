//! From sums over the ledger to the facts of a customer's behaviour.
//!
//! What each fact means is said in the contract, by `enum fact-name`; [`plain`] says it again in Rust, from a
//! customer's history and without a thought of speed, and a test holds the statements and [`combine`] to it.
//!
//! The sums come by currency. Each becomes a ratio within its own currency, and the ratios meet weighted by how many
//! items stand behind them: amounts of two currencies are never added. Sums and ratios are floats, for they weigh
//! a score and hold no money; a ratio is rounded to four decimals before anything is decided by it.

pub mod plain;

use crate::arrange::mapped;
use crate::decimal::Times as _;
use crate::{
    Currency, Date, Decimal, Id, Money, altman, card,
    contract::{
        external::{AltmanModel, ExternalScore, FinancialStatement},
        score::{Fact, FactName, Facts, GroupOwed},
    },
    credit::rates::Rates,
    decimal,
    external::normalised,
    guarantee::{Cover, secured},
};
use rust_decimal::prelude::FromPrimitive;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Decimals of a fact.
const DECIMALS: u32 = 4;

/// Decimals to which sums of ratios can be relied on.
const EXACT_DECIMALS: u32 = 10;

/// Days late beyond which a share is taken.
pub const LATE_BEYOND: [i64; 5] = [0, 10, 30, 60, 90];

/// No fact is larger, or less.
const MOST: i64 = 1_000_000_000;
const LEAST: i64 = -1_000_000_000;

/// With fewer items a spread says nothing.
const IRREGULAR_FROM_ITEMS: u32 = 3;

/// With fewer items a line says nothing.
const SLOPE_FROM_ITEMS: u32 = 4;

/// With fewer invoices there is no usual size of an order.
pub const USUAL_FROM_ORDERS: u32 = 3;

/// The least and the most that a fact can be.
pub fn possible(fact: FactName) -> (Decimal, Decimal) {
    use FactName::{
        AltmanZ, AltmanZEmerging, AltmanZPrivate, DaysBeyondTerms3m, DaysBeyondTerms6m,
        DaysBeyondTerms9mBefore, DaysBeyondTerms12m, DaysBeyondTerms24m, DaysToPay12m,
        DisputeRate12m, ExternalScore, LastPaymentDaysLate, LastThreeDaysLate, LatestThreeDaysLate,
        TrendRecentAgainstBefore, TrendSlope, Utilisation, UtilisationPeak12m,
    };
    let most = Decimal::from(MOST);
    match fact {
        // Early is below zero, and so is what gets better.
        DaysBeyondTerms3m
        | DaysBeyondTerms6m
        | DaysBeyondTerms9mBefore
        | DaysBeyondTerms12m
        | DaysBeyondTerms24m
        | DaysToPay12m
        | LastPaymentDaysLate
        | LastThreeDaysLate
        | LatestThreeDaysLate
        | TrendRecentAgainstBefore
        | TrendSlope
        | AltmanZ
        | AltmanZPrivate
        | AltmanZEmerging => (Decimal::from(LEAST), most),
        Utilisation | UtilisationPeak12m => (Decimal::ZERO, Decimal::TEN),
        ExternalScore => (Decimal::ZERO, Decimal::ONE_HUNDRED),
        DisputeRate12m => (Decimal::ZERO, Decimal::ONE),
        share if share.name().contains("share") => (Decimal::ZERO, Decimal::ONE),
        _ => (Decimal::ZERO, most),
    }
}

/// Whether a fact counts something or is in whole days or months, so that no fraction of it can be.
pub fn is_whole(fact: FactName) -> bool {
    use FactName::{
        AccountAgeDays, BankChanges90d, BrokenPromises12m, BrokenPromisesOpen, ContactChanges90d,
        DaysSinceContractLapsed, DaysSinceExternalScore, DaysSinceFinancials,
        DaysSinceGuaranteeLapsed, DaysSinceInsuranceLapsed, DaysToContractEnd, DaysToGuaranteeEnd,
        DaysToInsuranceEnd, DaysToMilestone, DefaultsOpen, DormantDaysBeforeOrder,
        GroupDefaultsOpen, Items12m, LastPaymentDaysLate, MandateCancellations12m,
        MonthsSinceWorst, Orders12m, PaymentFailures90d, PublicRecordEvents12m, PurchasesBeforeDue,
        RepresentativeChanges90d, ReturnedPayments12m, ShortPays12m, UnauthorisedDiscounts12m,
        WorstDaysLate12m, WorstDaysLate24m, WorstDefaultDays,
    };
    matches!(
        fact,
        AccountAgeDays
            | BankChanges90d
            | BrokenPromises12m
            | BrokenPromisesOpen
            | ContactChanges90d
            | DaysSinceContractLapsed
            | DaysSinceExternalScore
            | DaysSinceFinancials
            | DaysSinceGuaranteeLapsed
            | DaysSinceInsuranceLapsed
            | DaysToContractEnd
            | DaysToGuaranteeEnd
            | DaysToInsuranceEnd
            | DaysToMilestone
            | DefaultsOpen
            | DormantDaysBeforeOrder
            | GroupDefaultsOpen
            | Items12m
            | LastPaymentDaysLate
            | MandateCancellations12m
            | MonthsSinceWorst
            | Orders12m
            | PaymentFailures90d
            | PublicRecordEvents12m
            | PurchasesBeforeDue
            | RepresentativeChanges90d
            | ReturnedPayments12m
            | ShortPays12m
            | UnauthorisedDiscounts12m
            | WorstDaysLate12m
            | WorstDaysLate24m
            | WorstDefaultDays
    )
}

/// Items and a sum of their amounts, plain and weighted by days.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weighed {
    pub items: u32,
    pub minor: f64,
    pub by_days: f64,
}

/// How one customer paid in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Paying {
    pub currency: Currency,
    /// The parts of items due in 3, 6, 12 and 24 months by days late.
    pub due: [Weighed; 4],
    /// Items due in 3 months of which parts are in the 9 before.
    pub begun: u32,
    /// Items due in 12 months that were later than each of [`LATE_BEYOND`].
    pub late_items: [u32; 5],
    /// The amounts of their parts that were.
    pub late_minor: [f64; 5],
    /// The money of 12 months by days from issue.
    pub received: Weighed,
    /// What of it came before the due date.
    pub early_minor: f64,
    /// How late the latest items due in 12 and 24 months were. `None` without items.
    pub worst: [Option<i64>; 2],
    /// The day behind the second of them.
    pub worst_on: Option<Date>,
    /// Over items due in 12 months: the sums of x, y, x², xy and y², where x is the due date in days before the day
    /// asked for, below zero, and y how late the item was.
    pub line: [f64; 5],
    /// Items with their first money in 12 months; those short paid; and those short by a discount that was not due.
    pub first: [u32; 3],
}

/// What one customer owes in one currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Owing {
    pub currency: Currency,
    pub outstanding_minor: i64,
    /// Of that, what is past due and somebody is reminded of.
    pub overdue_minor: i64,
    /// What is outstanding and what stands of write-offs.
    pub unpaid_minor: i64,
    /// Of that, what is contested.
    pub contested_minor: i64,
    /// Of that, 1 to 30, 31 to 60, 61 to 90 and more than 90 days overdue, were somebody reminded of all of it.
    pub late_minor: [i64; 4],
}

/// What one customer bought in one currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buying {
    pub currency: Currency,
    /// The largest invoice of the last 30 days.
    pub largest_minor: Option<i64>,
    /// The invoices of the 12 months before those: how many, and their sum.
    pub before: (u32, f64),
    /// The items issued in 12 months by days from issue to due date.
    pub terms: Weighed,
    /// How many of them were contested.
    pub contested: u32,
    /// The invoices issued in 12 months: how many, and their sum.
    pub orders: (u32, f64),
}

/// What is known of one customer beside amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// When the first item was issued.
    pub first_on: Option<Date>,
    /// The last day with an invoice, and the one before it.
    pub orders_on: [Option<Date>; 2],
    /// From the last day with an unusually large invoice to the nearest due date.
    pub large_before_due: Option<i64>,
    /// Changes of contacts, bank accounts and representatives in 90 days.
    pub changes: [u32; 3],
    /// Payments that came back in 12 months.
    pub returned: u32,
    /// What was outstanding in each currency at the end of days of the last 12 months, among them the one with the most.
    pub levels: Vec<BTreeMap<Currency, i64>>,
    /// Open defaults, the day on which the oldest was found, and plans and promises broken in 12 months. `None`: it never
    /// had a default.
    pub defaults: Option<(u32, Option<Date>, u32)>,
    /// Broken plans and promises that are open.
    pub broken_open: u32,
    /// Open defaults of the whole group, its own included. `None` outside a group.
    pub group_defaults: Option<u32>,
    /// Payments that failed in 90 days and mandates cancelled in 12 months. `None`: nobody told anything.
    pub told: Option<[u32; 2]>,
    /// The nearest last days of guarantees, of insurance and of contracts in force, and their nearest milestone.
    pub nearest_on: [Option<Date>; 4],
    /// The last days of the guarantee, the insurance and the contract that ended last in 12 months, where none of the sort
    /// that began later is in force.
    pub lapsed_on: [Option<Date>; 3],
    /// What secures its debts in each currency.
    pub covers: Vec<(Currency, Cover)>,
    /// What is outstanding under each contract that a guarantee is bound to.
    pub under: Vec<(Currency, i64, i64)>,
    /// The newest statement of accounts and the newest score.
    pub statement: Option<FinancialStatement>,
    pub score: Option<ExternalScore>,
    /// Entries in public registers in 12 months. `None`: nobody looked.
    pub entries: Option<u32>,
}

/// All that is summed of one customer on a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    pub paying: Vec<Paying>,
    /// Days late of the items settled last, the latest first: three at most.
    pub settled: Vec<i64>,
    /// Days overdue of the items that are open, those due last first: three at most.
    pub overdue: Vec<i64>,
    pub owing: Vec<Owing>,
    pub buying: Vec<Buying>,
    /// What the group owes, in the order of currencies. Empty outside a group.
    pub group: Vec<GroupOwed>,
    /// What is unpaid by the group in each currency, owed or given up: what is past due of it, and all of it.
    pub group_unpaid: Vec<(i64, i64)>,
    /// The group has nothing unpaid, and any of it was ever asked to pay.
    pub group_settled: bool,
    pub known: Known,
}

impl Facts {
    /// Nothing known.
    pub fn none(customer: &Id, day: Date) -> Self {
        Self { customer_id: customer.clone(), as_of: day, values: Vec::new(), group: None }
    }

    /// The fact of this name. `None` when it is not known.
    pub fn get(&self, name: FactName) -> Option<Decimal> {
        let at = self.values.binary_search_by_key(&name, |fact| fact.name).ok()?;
        self.values.get(at).map(|fact| fact.value)
    }

    /// Puts a fact in its place, or takes it away where it is not known.
    pub fn set(&mut self, name: FactName, value: Option<Decimal>) {
        let place = self.values.partition_point(|fact| fact.name < name);
        if self.values.get(place).is_some_and(|fact| fact.name == name) {
            self.values.remove(place);
        }
        if let Some(value) = value {
            self.values.insert(place, Fact { name, value: value.normalize() });
        }
    }
}

/// The currencies of what was owed that are converted to be held against a limit.
pub fn converted(of: &Sums, limit: Currency) -> impl Iterator<Item = Currency> {
    let owing = of.owing.iter().map(|of| of.currency);
    let levels = of.known.levels.iter().flat_map(|of| of.keys().copied());
    owing.chain(levels).filter(move |currency| *currency != limit)
}

/// The facts of one customer on a day, with the rates of the day.
pub fn combine(id: &Id, day: Date, sums: &Sums, limit: Option<Money>, rates: &Rates) -> Facts {
    let mut facts = Facts::none(id, day);
    paying(&mut facts, &sums.paying, &sums.settled);
    let latest: Vec<i64> = sums.overdue.iter().chain(&sums.settled).copied().take(3).collect();
    facts.set(FactName::LatestThreeDaysLate, mean_of_three(&latest));
    owing(&mut facts, sums);
    buying(&mut facts, &sums.buying);
    known(&mut facts, &sums.known);
    if let Some(limit) = limit {
        used(&mut facts, sums, limit, rates);
    }
    let orders = sums.buying.iter().fold(0u32, |sum, of| sum.saturating_add(of.orders.0));
    facts.set(FactName::Orders12m, sums.known.first_on.map(|_| orders.into()));
    cover(&mut facts, &sums.known, &sums.owing);
    told(&mut facts, &sums.known);
    facts
}

fn paying(facts: &mut Facts, of: &[Paying], settled: &[i64]) {
    let [due_3, due_6, due_12, due_24] = [0, 1, 2, 3]
        .map(|window| move |of: &Paying| of.due.get(window).copied().unwrap_or_default());
    let before = |of: &Paying| {
        let before = due_12(of).less(due_3(of));
        Weighed { items: before.items.saturating_add(of.begun), ..before }
    };
    let items = of.iter().fold(0u32, |sum, of| sum.saturating_add(due_12(of).items));
    facts.set(FactName::Items12m, Some(items.into()));
    facts.set(FactName::DaysBeyondTerms3m, days(of, due_3));
    facts.set(FactName::DaysBeyondTerms6m, days(of, due_6));
    facts.set(FactName::DaysBeyondTerms12m, days(of, due_12));
    facts.set(FactName::DaysBeyondTerms24m, days(of, due_24));
    facts.set(FactName::DaysBeyondTerms9mBefore, days(of, before));
    facts.set(FactName::DaysToPay12m, days(of, |of| of.received));
    let received = |of: &Paying| of.received;
    facts.set(FactName::EarlyShare12m, part(of, received, |of| of.early_minor));
    for (at, (count, amount)) in SHARES_LATE.into_iter().enumerate() {
        let late = of.iter().filter_map(|of| of.late_items.get(at));
        let late = late.fold(0u32, |sum, late| sum.saturating_add(*late));
        facts.set(count, decimal::share(late.into(), items.into()));
        let late = |of: &Paying| of.late_minor.get(at).copied().unwrap_or_default();
        facts.set(amount, part(of, due_12, late));
    }
    worst(facts, of);
    facts.set(FactName::LastPaymentDaysLate, settled.first().map(|days| (*days).into()));
    facts.set(FactName::LastThreeDaysLate, mean_of_three(settled));
    let pair =
        facts.get(FactName::DaysBeyondTerms3m).zip(facts.get(FactName::DaysBeyondTerms9mBefore));
    let trend = pair.and_then(|(recent, before)| recent.checked_sub(before));
    facts.set(FactName::TrendRecentAgainstBefore, trend);
    let line = of.iter().fold([0.0; 5], |sum: [f64; 5], of| {
        let mut pairs = sum.into_iter().zip(of.line);
        [(); 5].map(|()| pairs.next().map_or(0.0, |(sum, more)| sum + more))
    });
    facts.set(FactName::TrendSlope, slope(items, line));
    facts.set(FactName::Irregularity, deviation(items, line));
    let first = |at: usize| {
        let counts = of.iter().filter_map(|of| of.first.get(at));
        counts.fold(0u32, |sum, count| sum.saturating_add(*count))
    };
    let with_first = |at| (first(0) > 0).then(|| Decimal::from(first(at)));
    facts.set(FactName::ShortPays12m, with_first(1));
    facts.set(FactName::UnauthorisedDiscounts12m, with_first(2));
}

fn mean_of_three(days: &[i64]) -> Option<Decimal> {
    let sum = days.iter().fold(0i64, |sum, days| sum.saturating_add(*days));
    (days.len() == 3).then(|| decimal::share(sum, 3)).flatten()
}

/// The names of the shares late beyond each of [`LATE_BEYOND`], by count and by amount.
const SHARES_LATE: [(FactName, FactName); 5] = [
    (FactName::ShareLate0Count, FactName::ShareLate0Amount),
    (FactName::ShareLate10Count, FactName::ShareLate10Amount),
    (FactName::ShareLate30Count, FactName::ShareLate30Amount),
    (FactName::ShareLate60Count, FactName::ShareLate60Amount),
    (FactName::ShareLate90Count, FactName::ShareLate90Amount),
];

fn worst(facts: &mut Facts, of: &[Paying]) {
    let most = |at: usize| of.iter().filter_map(|of| *of.worst.get(at)?).max();
    let late = |days: i64| Decimal::from(days.max(0));
    facts.set(FactName::WorstDaysLate12m, most(0).map(late));
    facts.set(FactName::WorstDaysLate24m, most(1).map(late));
    let Some(worst) = most(1).filter(|worst| *worst > 0) else { return };
    let days = of.iter().filter(|of| of.worst.last() == Some(&Some(worst)));
    let on = days.filter_map(|of| of.worst_on).max();
    facts.set(FactName::MonthsSinceWorst, on.map(|on| whole_months(on, facts.as_of).into()));
}

/// The most whole months that fit between two days: a month later is the same day, or the last of a shorter month.
fn whole_months(from: Date, to: Date) -> i64 {
    let (mut least, mut most) = (0u32, 3_600u32);
    while least < most {
        let middle = least.saturating_add(most).saturating_add(1) >> 1;
        match to.minus_months(middle) {
            Ok(then) if then >= from => least = middle,
            _ => most = middle.saturating_sub(1),
        }
    }
    least.into()
}

/// What is late is held against no less than one part of so many of what fell due in 12 months.
const WORTH_A_LOOK: Decimal = Decimal::from_parts(20, 0, 0, false, 0);

fn owing(facts: &mut Facts, sums: &Sums) {
    let Sums { owing: of, group, group_unpaid, group_settled, known, .. } = sums;
    // Who was asked to pay and has nothing unpaid has nothing overdue.
    let settled =
        |share: Option<Decimal>, settled: bool| share.or_else(|| settled.then_some(Decimal::ZERO));
    let asked = known.first_on.is_some();
    let share = |least: &dyn Fn(&Owing) -> Decimal, minor: &dyn Fn(&Owing) -> i64| {
        let parts = of.iter().filter(|of| of.unpaid_minor > 0).filter_map(|of| {
            let whole = Decimal::from(of.unpaid_minor).max(least(of));
            Decimal::from(minor(of)).checked_div(whole)
        });
        settled(mean_of(parts), asked)
    };
    // What is late is held against what is unpaid, and against no less than a part of what fell due in a year: a rest of
    // two coins, open or given up, says nothing of somebody who pays thousands.
    let late = |minor: &dyn Fn(&Owing) -> i64| {
        share(
            &|of| {
                let of = sums.paying.iter().find(|paying| paying.currency == of.currency);
                let due = of.and_then(|of| of.due.get(2)).map_or(0.0, |year| year.minor);
                Decimal::from_f64(due)
                    .and_then(|due| due.checked_div(WORTH_A_LOOK))
                    .unwrap_or_default()
            },
            minor,
        )
    };
    let mean = |minor: &dyn Fn(&Owing) -> i64| share(&|_| Decimal::ZERO, minor);
    let sum =
        |late: &mut dyn Iterator<Item = &i64>| late.fold(0i64, |sum, of| sum.saturating_add(*of));
    facts.set(FactName::OverdueShare, late(&|of| sum(&mut of.late_minor.iter())));
    let buckets = [
        FactName::OverdueShare130,
        FactName::OverdueShare3160,
        FactName::OverdueShare6190,
        FactName::OverdueShareOver90,
    ];
    for (at, name) in buckets.into_iter().enumerate() {
        let bucket = |of: &Owing| of.late_minor.get(at).copied().unwrap_or_default();
        facts.set(name, late(&bucket));
    }
    facts.set(FactName::OverdueShareOver30, late(&|of| sum(&mut of.late_minor.iter().skip(1))));
    facts.set(FactName::OpenDisputeShare, mean(&|of| of.contested_minor));
    let own = |currency| {
        let own = of.iter().find(|of| of.currency == currency);
        own.map_or(0, |of| of.outstanding_minor)
    };
    let shares = group.iter().map(|of| (own(of.currency), of.outstanding_minor));
    facts.set(FactName::GroupOutstandingShare, mean_share(shares));
    let overdue = mean_share(group_unpaid.iter().copied());
    facts.set(FactName::GroupOverdueShare, settled(overdue, *group_settled));
    facts.group = (!group.is_empty()).then(|| group.clone());
}

fn buying(facts: &mut Facts, of: &[Buying]) {
    let spikes = of.iter().filter_map(|of| {
        let (orders, sum) = of.before;
        #[allow(clippy::cast_precision_loss)]
        let largest = of.largest_minor.filter(|_| orders >= USUAL_FROM_ORDERS)? as f64;
        ratio(largest * f64::from(orders), sum).and_then(rounded)
    });
    facts.set(FactName::OrderSizeSpike, spikes.max());
    let count = |count: &dyn Fn(&Buying) -> u32| {
        of.iter().fold(0u32, |sum, of| sum.saturating_add(count(of)))
    };
    let (contested, items) = (count(&|of| of.contested), count(&|of| of.terms.items));
    facts.set(FactName::DisputeRate12m, decimal::share(contested.into(), items.into()));
    facts.set(FactName::TermsDays12m, days(of, |of| of.terms));
    let most = of.iter().filter(|of| of.orders.0 > 0);
    let most = most.max_by_key(|of| (of.orders.0, Reverse(of.currency)));
    let turnover = most.and_then(|of| {
        let units = Decimal::new(1, of.currency.exponent());
        Decimal::from_f64(of.orders.1)?.times(units)
    });
    facts.set(FactName::Turnover12m, turnover);
}

fn known(facts: &mut Facts, of: &Known) {
    let day = facts.as_of;
    facts.set(FactName::AccountAgeDays, of.first_on.map(|on| day.days_since(on).into()));
    let dormant =
        of.orders_on.first().copied().flatten().zip(of.orders_on.last().copied().flatten());
    let dormant = dormant.map(|(last, before)| last.days_since(before).into());
    facts.set(FactName::DormantDaysBeforeOrder, dormant);
    facts.set(FactName::PurchasesBeforeDue, of.large_before_due.map(Decimal::from));
    let counts = [
        FactName::ContactChanges90d,
        FactName::BankChanges90d,
        FactName::RepresentativeChanges90d,
        FactName::ReturnedPayments12m,
    ];
    for (name, count) in counts.into_iter().zip(of.changes.into_iter().chain([of.returned])) {
        let seen = count > 0 || of.first_on.is_some();
        facts.set(name, seen.then(|| count.into()));
    }
    let broken = of.defaults.map(|(_, _, broken)| broken).or(of.first_on.map(|_| 0));
    facts.set(FactName::BrokenPromises12m, broken.map(Decimal::from));
    let broken_open = broken.map(|_| of.broken_open.into());
    facts.set(FactName::BrokenPromisesOpen, broken_open);
    let open = of.defaults.map(|(open, _, _)| open).or(of.first_on.map(|_| 0));
    facts.set(FactName::DefaultsOpen, open.map(Decimal::from));
    let oldest_on = of.defaults.and_then(|(_, oldest_on, _)| oldest_on);
    facts.set(FactName::WorstDefaultDays, oldest_on.map(|on| day.days_since(on).into()));
    let others = of.group_defaults.map(|all| all.saturating_sub(open.unwrap_or(0)));
    facts.set(FactName::GroupDefaultsOpen, others.map(Decimal::from));
}

/// What is owed in all currencies, against the limit. Not known where a rate is missing: nothing owed is left out.
fn used(facts: &mut Facts, of: &Sums, limit: Money, rates: &Rates) {
    let more = |sum: i64, (currency, minor): (Currency, i64)| {
        Some(sum.saturating_add(rates.up(minor, currency, limit.currency).ok()?))
    };
    let mut owing = of.owing.iter().map(|of| (of.currency, of.outstanding_minor));
    let mut levels = of.known.levels.iter();
    let level = |most: i64, of: &BTreeMap<Currency, i64>| {
        let mut of = of.iter().map(|(currency, minor)| (*currency, *minor));
        Some(of.try_fold(0, more)?.max(most))
    };
    let share = |owed: i64| card::utilisation(owed, limit.minor);
    facts.set(FactName::Utilisation, owing.try_fold(0, more).map(share));
    facts.set(FactName::UtilisationPeak12m, levels.try_fold(0, level).map(share));
}

fn cover(facts: &mut Facts, of: &Known, owing: &[Owing]) {
    let borne = owing.iter().map(|owing| {
        let covers = of.covers.iter().filter(|(currency, _)| *currency == owing.currency);
        let covers: Vec<Cover> = covers.map(|(_, cover)| *cover).collect();
        let under = of.under.iter().filter(|(currency, _, _)| *currency == owing.currency);
        let under = mapped(under.map(|(_, contract, minor)| (*contract, *minor)));
        (secured(&covers, owing.outstanding_minor, &under), owing.outstanding_minor)
    });
    facts.set(FactName::InsuredShare, mean_share(borne));
    let names = [
        FactName::DaysToGuaranteeEnd,
        FactName::DaysToInsuranceEnd,
        FactName::DaysToContractEnd,
        FactName::DaysToMilestone,
    ];
    for (name, nearest_on) in names.into_iter().zip(of.nearest_on) {
        facts.set(name, nearest_on.map(|on| on.days_since(facts.as_of).into()));
    }
    let names = [
        FactName::DaysSinceGuaranteeLapsed,
        FactName::DaysSinceInsuranceLapsed,
        FactName::DaysSinceContractLapsed,
    ];
    for (name, lapsed_on) in names.into_iter().zip(of.lapsed_on) {
        facts.set(name, lapsed_on.map(|on| facts.as_of.days_since(on).into()));
    }
}

fn told(facts: &mut Facts, of: &Known) {
    let day = facts.as_of;
    facts.set(FactName::PaymentFailures90d, of.told.map(|[failed, _]| failed.into()));
    facts.set(FactName::MandateCancellations12m, of.told.map(|[_, cancelled]| cancelled.into()));
    let figures = of.statement.as_ref().map(altman::figures).unwrap_or_default();
    for (name, model) in [
        (FactName::AltmanZ, AltmanModel::Z),
        (FactName::AltmanZPrivate, AltmanModel::ZPrivate),
        (FactName::AltmanZEmerging, AltmanModel::ZEmerging),
    ] {
        let figure = figures.iter().find(|figure| figure.model == model);
        facts.set(name, figure.map(|figure| figure.value));
    }
    let since = |on: Option<Date>| on.map(|on| day.days_since(on).into());
    let ended_on = of.statement.as_ref().and_then(|of| of.period_end);
    facts.set(FactName::DaysSinceFinancials, since(ended_on));
    facts.set(FactName::ExternalScore, of.score.as_ref().and_then(normalised));
    let scored_on = of.score.as_ref().and_then(|of| of.date);
    facts.set(FactName::DaysSinceExternalScore, since(scored_on));
    facts.set(FactName::PublicRecordEvents12m, of.entries.map(Decimal::from));
}

/// Brings the trend and the two facts that it is the difference of into line where somebody changed some of them: the trend
/// follows the two; of a changed trend the recent days follow, or those before where the recent ones were changed too.
pub fn with_its_trend(facts: &mut Facts, changed: &BTreeSet<FactName>) {
    let [recent, before, trend] = [
        FactName::DaysBeyondTerms3m,
        FactName::DaysBeyondTerms9mBefore,
        FactName::TrendRecentAgainstBefore,
    ];
    let [recently, formerly, growth] = [recent, before, trend].map(|name| facts.get(name));
    if changed.contains(&trend) && growth.is_none() {
        return;
    }
    match [recent, before, trend].map(|name| changed.contains(&name)) {
        [false, false, true] => {
            if let Some(growth) = growth {
                let formerly = formerly.unwrap_or_default();
                facts.set(before, Some(formerly));
                facts.set(recent, formerly.checked_add(growth));
            }
        }
        [false, true, true] => {
            let both = formerly.zip(growth);
            facts.set(recent, both.and_then(|(of, more)| of.checked_add(more)));
        }
        [true, false, true] => {
            let both = recently.zip(growth);
            facts.set(before, both.and_then(|(of, more)| of.checked_sub(more)));
        }
        [false, false, false] | [true, true, true] => {}
        [_, _, false] => {
            let both = recently.zip(formerly);
            facts.set(trend, both.and_then(|(of, less)| of.checked_sub(less)));
        }
    }
}

impl Weighed {
    fn less(self, other: Self) -> Self {
        Self {
            items: self.items.saturating_sub(other.items),
            minor: self.minor - other.minor,
            by_days: self.by_days - other.by_days,
        }
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// To four decimals, half away from zero. What is a half but for the last digits of a float or of a division is one.
fn four_decimals(value: Decimal) -> Decimal {
    decimal::round(decimal::round(value, EXACT_DECIMALS), DECIMALS)
}

fn rounded(value: f64) -> Option<Decimal> {
    Decimal::from_f64(value).map(four_decimals)
}

/// The mean of what each currency says, weighted by its items.
fn mean(ratios: impl Iterator<Item = (Option<f64>, u32)>) -> Option<Decimal> {
    let known = ratios.filter_map(|(ratio, items)| ratio.map(|ratio| (ratio, f64::from(items))));
    let (sum, weight) = known
        .fold((0.0, 0.0), |(sum, weight), (ratio, items)| (sum + ratio * items, weight + items));
    ratio(sum, weight).and_then(rounded)
}

/// Days weighted by amount.
fn days<T>(of: &[T], weighed: impl Fn(&T) -> Weighed) -> Option<Decimal> {
    mean(of.iter().map(|of| {
        let weighed = weighed(of);
        (ratio(weighed.by_days, weighed.minor), weighed.items)
    }))
}

/// A part of what was weighed.
fn part<T>(of: &[T], weighed: impl Fn(&T) -> Weighed, part: impl Fn(&T) -> f64) -> Option<Decimal> {
    mean(of.iter().map(|of| (ratio(part(of), weighed(of).minor), weighed(of).items)))
}

/// The shares of each currency, averaged over the currencies in which there is anything to have a share of.
fn mean_share(parts: impl Iterator<Item = (i64, i64)>) -> Option<Decimal> {
    mean_of(parts.filter_map(|(part, whole)| Decimal::from(part).checked_div(Decimal::from(whole))))
}

fn mean_of(shares: impl Iterator<Item = Decimal>) -> Option<Decimal> {
    let shares: Vec<Decimal> = shares.collect();
    let sum: Decimal = shares.iter().copied().fold(Decimal::ZERO, Decimal::saturating_add);
    sum.checked_div(Decimal::from(shares.len())).map(four_decimals)
}

/// The slope of the line of least squares, for 30 days.
fn slope(items: u32, [x, y, xx, xy, _]: [f64; 5]) -> Option<Decimal> {
    let count = f64::from(items);
    let spread = count * xx - x * x;
    let slope = ratio((count * xy - x * y) * 30.0, spread)?;
    rounded(slope).filter(|_| items >= SLOPE_FROM_ITEMS)
}

/// The standard deviation over all items.
fn deviation(items: u32, [_, y, _, _, yy]: [f64; 5]) -> Option<Decimal> {
    let count = f64::from(items);
    let squares = (count * yy - y * y).max(0.0);
    let deviation = ratio(squares.sqrt(), count)?;
    rounded(deviation).filter(|_| items >= IRREGULAR_FROM_ITEMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(code: &str, items: u32, minor: f64, by_days: f64, late: f64, worst: i64) -> Paying {
        let due = Weighed { items, minor, by_days };
        Paying {
            currency: code.parse().unwrap(),
            due: [due; 4],
            begun: 0,
            late_items: [items, 0, 0, 0, 0],
            late_minor: [late, 0.0, 0.0, 0.0, 0.0],
            received: Weighed::default(),
            early_minor: 0.0,
            worst: [Some(worst); 2],
            worst_on: Some("2024-05-01".parse().unwrap()),
            line: [0.0; 5],
            first: [0; 3],
        }
    }

    fn owed(code: &str, outstanding_minor: i64, overdue: i64) -> Owing {
        Owing {
            currency: code.parse().unwrap(),
            outstanding_minor,
            overdue_minor: overdue,
            unpaid_minor: outstanding_minor,
            contested_minor: 0,
            late_minor: [overdue, 0, 0, 0],
        }
    }

    fn facts(sums: &Sums, limit: Option<Money>) -> Facts {
        let mut rates = Rates::default();
        let usd = "USD".parse().unwrap();
        rates.put(usd, "CNY".parse().unwrap(), "7.25".parse().unwrap());
        combine(&"C".parse().unwrap(), "2024-06-30".parse().unwrap(), sums, limit, &rates)
    }

    fn shown(facts: &Facts, name: FactName) -> String {
        facts.get(name).map_or("-".into(), |value| value.to_string())
    }

    #[test]
    fn currencies_meet_as_ratios_weighted_by_items() {
        let paying =
            vec![paid("CNY", 3, 100.0, 1000.0, 50.0, 40), paid("JPY", 1, 1e6, -2e6, 0.0, 0)];
        let facts = facts(&Sums { paying, ..Sums::default() }, None);
        let shown = |name| shown(&facts, name);
        // 3 times 10 days and once 2 days early, over 4.
        assert_eq!(shown(FactName::DaysBeyondTerms12m), "7");
        assert_eq!(shown(FactName::ShareLate0Amount), "0.375");
        assert_eq!(shown(FactName::Items12m), "4");
        assert_eq!(shown(FactName::WorstDaysLate12m), "40");
        assert_eq!(shown(FactName::MonthsSinceWorst), "1");
        assert_eq!(shown(FactName::DaysBeyondTerms9mBefore), "-", "unknown, not zero");
    }

    #[test]
    fn nothing_known_is_absent_and_never_zero() {
        let facts = facts(&Sums::default(), None);
        assert_eq!(facts.values, [Fact { name: FactName::Items12m, value: Decimal::ZERO }]);
    }

    #[test]
    fn who_was_asked_to_pay_and_owes_nothing_has_nothing_overdue() {
        let known = Known { first_on: "2024-01-01".parse().ok(), ..Known::default() };
        let sums = |known: &Known, owing: Vec<Owing>, group_settled| Sums {
            owing,
            group_settled,
            known: known.clone(),
            ..Sums::default()
        };
        for (sums, own, of_group) in [
            (sums(&known, vec![], false), "0", "-"),
            (sums(&known, vec![], true), "0", "0"),
            (sums(&known, vec![owed("CNY", 80, 20)], false), "0.25", "-"),
            (sums(&Known::default(), vec![], false), "-", "-"),
            (sums(&Known::default(), vec![], true), "-", "0"),
        ] {
            let facts = facts(&sums, None);
            for (name, share) in [
                (FactName::OverdueShare, own),
                (FactName::OverdueShare130, own),
                (FactName::GroupOverdueShare, of_group),
                (FactName::GroupOutstandingShare, "-"),
            ] {
                assert_eq!(shown(&facts, name), share, "{name} of {sums:?}");
            }
            let nothing = if own == "-" { "-" } else { "0" };
            for name in [
                FactName::OverdueShare3160,
                FactName::OverdueShare6190,
                FactName::OverdueShareOver90,
                FactName::OverdueShareOver30,
                FactName::OpenDisputeShare,
            ] {
                assert_eq!(shown(&facts, name), nothing, "{name} of {sums:?}");
            }
        }
    }

    #[test]
    fn what_was_given_up_is_overdue_and_uses_no_limit() {
        let given_up = Owing {
            currency: "CNY".parse().unwrap(),
            outstanding_minor: 0,
            overdue_minor: 0,
            unpaid_minor: 80,
            contested_minor: 0,
            late_minor: [0, 20, 0, 60],
        };
        let known = Known { first_on: "2022-01-01".parse().ok(), ..Known::default() };
        let sums = Sums { owing: vec![given_up], known, ..Sums::default() };
        let facts = facts(&sums, Some(Money::new(100, "CNY".parse().unwrap())));
        for (name, value) in [
            (FactName::OverdueShare, "1"),
            (FactName::OverdueShare130, "0"),
            (FactName::OverdueShare3160, "0.25"),
            (FactName::OverdueShareOver30, "1"),
            (FactName::OverdueShareOver90, "0.75"),
            (FactName::OpenDisputeShare, "0"),
            (FactName::Utilisation, "0"),
            (FactName::InsuredShare, "-"),
        ] {
            assert_eq!(shown(&facts, name), value, "{name}");
        }
    }

    #[test]
    fn a_limit_is_used_by_what_is_owed_in_any_currency() {
        let level = |of: &[(&str, i64)]| {
            of.iter().map(|(code, minor)| (code.parse().unwrap(), *minor)).collect()
        };
        let (cny, usd) = (owed("CNY", 80, 20), owed("USD", 1, 1));
        for (owing, levels, used, peak) in [
            (vec![], vec![], "0", "0"),
            (vec![cny], vec![level(&[("CNY", 90)])], "0.8", "0.9"),
            // 7.25 is rounded up.
            (
                vec![cny, usd],
                vec![level(&[("USD", 1)]), level(&[("USD", 2), ("CNY", 5)])],
                "0.88",
                "0.2",
            ),
            // What is not owed needs no rate, and what is owed without one is not nothing.
            (vec![cny], vec![level(&[("EUR", 0), ("CNY", 90)])], "0.8", "0.9"),
            (vec![cny, owed("EUR", 1, 0)], vec![level(&[("CNY", 90)])], "-", "0.9"),
            (vec![cny], vec![level(&[("EUR", 1)]), level(&[("CNY", 80)])], "0.8", "-"),
        ] {
            let known = Known { levels, ..Known::default() };
            let sums = Sums { owing, known, ..Sums::default() };
            let facts = facts(&sums, Some(Money::new(100, "CNY".parse().unwrap())));
            assert_eq!(shown(&facts, FactName::Utilisation), used, "{sums:?}");
            assert_eq!(shown(&facts, FactName::UtilisationPeak12m), peak, "{sums:?}");
        }
        let sums = Sums { owing: vec![cny, owed("EUR", 1_000, 1_000)], ..Sums::default() };
        let share = shown(&facts(&sums, None), FactName::OverdueShare);
        assert_eq!(share, "0.625", "a quarter and all, averaged");
    }

    #[test]
    fn turnover_is_of_the_currency_in_which_most_is_bought() {
        let bought = |code: &str, orders: u32, sum: f64| Buying {
            currency: code.parse().unwrap(),
            largest_minor: None,
            before: (0, 0.0),
            terms: Weighed::default(),
            contested: 0,
            orders: (orders, sum),
        };
        for (buying, turnover) in [
            (vec![bought("EUR", 2, 12_345.0), bought("JPY", 3, 70_000.0)], "70000"),
            (vec![bought("EUR", 3, 12_345.0), bought("JPY", 3, 70_000.0)], "123.45"),
            (vec![bought("EUR", 0, 0.0)], "-"),
            (vec![], "-"),
        ] {
            let facts = facts(&Sums { buying, ..Sums::default() }, None);
            assert_eq!(shown(&facts, FactName::Turnover12m), turnover);
        }
    }

    #[test]
    fn a_guarantee_bears_what_is_owed_in_its_own_currency() {
        let cover = |contract, amount_minor, share: &str| Cover {
            contract,
            amount_minor,
            share: share.parse().unwrap(),
        };
        let eur = "EUR".parse().unwrap();
        let known = Known {
            covers: vec![(eur, cover(None, 1_000, "0.5")), (eur, cover(Some(7), 30, "1"))],
            under: vec![(eur, 7, 20)],
            ..Known::default()
        };
        let owing = vec![owed("CNY", 80, 20), owed("EUR", 100, 0)];
        let sums = Sums { owing, known, ..Sums::default() };
        // 50 and 20 of 100, and nothing of the other: the mean of 0.7 and 0.
        assert_eq!(shown(&facts(&sums, None), FactName::InsuredShare), "0.35");
    }

    #[test]
    fn a_month_later_is_the_same_day_or_the_last_of_a_shorter_month() {
        for (from, to, months) in [
            ("2024-01-31", "2024-02-29", 0),
            ("2024-01-29", "2024-02-29", 1),
            ("2024-02-29", "2024-03-31", 1),
            ("2024-03-30", "2024-03-31", 0),
            ("2024-03-31", "2024-03-31", 0),
            ("2022-03-31", "2024-03-30", 23),
            ("2022-03-31", "2024-03-31", 24),
        ] {
            assert_eq!(
                whole_months(from.parse().unwrap(), to.parse().unwrap()),
                months,
                "{from} {to}"
            );
        }
    }

    #[test]
    fn a_fact_is_found_by_its_name_wherever_it_was_put() {
        let mut facts = Facts::none(&"C".parse().unwrap(), "2024-06-30".parse().unwrap());
        for name in FactName::ALL.iter().rev() {
            facts.set(*name, Some(Decimal::ONE));
            facts.set(*name, Some(Decimal::TWO));
        }
        let names: Vec<FactName> = facts.values.iter().map(|fact| fact.name).collect();
        assert_eq!(names, FactName::ALL);
        facts.set(FactName::Irregularity, None);
        let known = |name: &&FactName| facts.get(**name) == Some(Decimal::TWO);
        assert_eq!(FactName::ALL.iter().filter(known).count(), FactName::ALL.len() - 1);
        assert_eq!(facts.get(FactName::Irregularity), None);
    }
}
