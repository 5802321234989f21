//! What each fact means, in Rust: from a customer's history, one document after the other, as a clerk would count it.
//!
//! Nothing runs this but a test, which gives random ledgers to it and to the statements of the store. It shares no
//! arithmetic with them: sums are whole numbers, ratios decimals, and a payment's rows are undone one by one.

// Slow and obvious is the point; the amounts of a test are small.
#![allow(clippy::arithmetic_side_effects)]

use crate::{
    Currency, Date, Decimal, Id, Money, altman,
    calendar::tolerance_minor,
    contract::{
        events::EventAction,
        external::{
            AltmanModel, ExternalScore, FinancialStatement, PublicRecord, PublicRecordKind,
            ScaleDirection,
        },
        ledger::{CustomerPart, DefaultKind, DefaultState, GuaranteeKind},
        score::{FactName, Facts, GroupOwed},
        types::{InvoiceKind, ReversalKind},
    },
    decimal,
    external::External,
    facts::{LATE_BEYOND, USUAL_FROM_ORDERS},
};
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use std::collections::{BTreeMap, BTreeSet};

/// A document as it is recorded.
#[derive(Clone, Debug)]
pub struct Document {
    pub key: i64,
    /// The invoice that it is an instalment of.
    pub whole: Option<i64>,
    pub kind: InvoiceKind,
    pub currency: Currency,
    pub issued_on: Date,
    pub due_on: Date,
    pub minor: i64,
    /// The contract that it is under.
    pub contract: Option<i64>,
}

/// Where an allocation comes from, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Payment(i64),
    Discount,
    WriteOff,
    /// What turned out not to be owed: a credit note, an upheld dispute or a void.
    Taken,
    Other,
}

/// A row of allocation.
#[derive(Clone, Debug)]
pub struct Row {
    pub claim: i64,
    pub from: Source,
    pub on: Date,
    pub minor: i64,
}

/// A debt that was contested: so much of a document, or of the instalment that it is in on the day.
#[derive(Clone, Debug)]
pub struct Contested {
    pub document: i64,
    pub on: Date,
    pub until: Option<Date>,
    pub minor: i64,
}

/// Something that secures debts.
#[derive(Clone, Debug)]
pub struct Security {
    pub kind: GuaranteeKind,
    pub from: Date,
    pub to: Option<Date>,
    pub claim_by: Option<Date>,
    pub currency: Currency,
    pub minor: i64,
    pub share: Decimal,
    /// The contract whose debts alone it secures.
    pub contract: Option<i64>,
}

impl Security {
    /// The last day on which it holds and can be claimed.
    fn last_on(&self) -> Option<Date> {
        self.to.into_iter().chain(self.claim_by).min()
    }

    fn in_force(&self, day: Date) -> bool {
        self.from <= day && self.last_on().is_none_or(|last| day <= last)
    }
}

/// A default: from which day on, until it was closed, of which kind, and in which state it is.
pub type Default = (Date, Option<Date>, DefaultKind, DefaultState);

/// A limit of its own that was set for some days. Of the same kind from the same day the one with the highest number holds.
#[derive(Clone, Debug)]
pub struct Dated {
    pub temporary: bool,
    pub from: Date,
    pub to: Option<Date>,
    /// `None`: without end.
    pub limit: Option<Money>,
    pub number: i64,
}

/// What a customer owes and paid.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub documents: Vec<Document>,
    pub rows: Vec<Row>,
}

/// A version of a contract: from which day on, the last day, and the milestones.
pub type Version = (Date, Option<Date>, Vec<Date>);

/// All that happened with a customer.
#[derive(Clone, Debug)]
pub struct History {
    pub customer: Id,
    /// The credit limit of its record.
    pub limit: Option<Money>,
    /// What it was before, in the order in which it was replaced, and until which day.
    pub former_limits: Vec<(Date, Option<Money>)>,
    /// Limits that were set beside it.
    pub dated: Vec<Dated>,
    pub own: Ledger,
    /// Exchange rates: units of the second currency for one of the first, from a day on, in the order in which they were
    /// recorded.
    pub rates: Vec<(Currency, Currency, Date, Decimal)>,
    /// The other members of its group. `None`: it is in none.
    pub others: Option<Vec<Ledger>>,
    pub disputes: Vec<Contested>,
    pub changes: Vec<(CustomerPart, Date)>,
    /// Payment, why and when.
    pub reversals: Vec<(i64, ReversalKind, Date)>,
    /// Payments that were designated with amounts.
    pub designating: BTreeSet<i64>,
    pub defaults: Vec<Default>,
    /// Those of the other members of its group.
    pub defaults_of_others: Vec<Default>,
    /// Payments that failed and mandates that were cancelled.
    pub mishaps: Vec<(EventAction, Date)>,
    /// When sources of events told anything of it.
    pub told: Vec<Date>,
    pub securities: Vec<Security>,
    /// The versions of each contract in their order.
    pub contracts: Vec<Vec<Version>>,
    /// In the order in which they were recorded.
    pub statements: Vec<FinancialStatement>,
    pub scores: Vec<ExternalScore>,
    pub entries: Vec<PublicRecord>,
}

/// A part of an item: how much, on which day, and whether it was paid.
#[derive(Clone, Copy, Debug)]
struct Part {
    minor: i64,
    on: Date,
    paid: bool,
}

/// An item with its parts.
struct Item<'a> {
    of: &'a Document,
    parts: Vec<Part>,
    /// What is unpaid and chased, also what was given up.
    unpaid: i64,
}

impl Item<'_> {
    fn days(&self, part: &Part) -> i64 {
        part.on.days_since(self.of.due_on)
    }

    /// How late it is.
    fn late(&self) -> Option<i64> {
        self.parts.iter().map(|part| self.days(part)).max()
    }

    fn paid(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.paid)
    }

    fn last_on(&self) -> Option<Date> {
        self.paid().map(|part| part.on).max()
    }

    /// The day whose windows it is in: when it fell due or when its last money came, whichever is later, but while it is
    /// unpaid and overdue the day asked for.
    fn place(&self, day: Date) -> Date {
        if self.unpaid > 0 && self.of.due_on < day {
            return day;
        }
        self.last_on().map_or(self.of.due_on, |on| on.max(self.of.due_on))
    }
}

impl Ledger {
    fn claims(&self, day: Date) -> impl Iterator<Item = &Document> {
        let claim = |of: &&Document| of.kind != InvoiceKind::CreditNote;
        self.documents.iter().filter(move |of| of.issued_on <= day).filter(claim)
    }

    fn items(&self, day: Date) -> impl Iterator<Item = &Document> {
        self.claims(day).filter(|of| of.kind != InvoiceKind::InterestNote && of.minor > 0)
    }

    /// What is open of a claim at the end of a day.
    fn open(&self, claim: &Document, day: Date) -> i64 {
        let off = self.rows.iter().filter(|row| row.claim == claim.key && row.on <= day);
        claim.minor - off.map(|row| row.minor).sum::<i64>()
    }

    /// What is unpaid of a claim at the end of a day: what is open, and what was written off of it.
    fn unpaid(&self, claim: &Document, day: Date) -> i64 {
        let rows = self.rows.iter().filter(|row| row.claim == claim.key && row.on <= day);
        let given_up = rows.filter(|row| row.from == Source::WriteOff);
        self.open(claim, day) + given_up.map(|row| row.minor).sum::<i64>()
    }

    /// What turned out not to be owed of a claim by the end of a day.
    fn taken(&self, claim: &Document, day: Date) -> i64 {
        let rows = self.rows.iter().filter(|row| row.claim == claim.key && row.on <= day);
        rows.filter(|row| row.from == Source::Taken).map(|row| row.minor).sum()
    }

    /// What is left of all claims at the end of a day, and what of it is overdue.
    fn all(
        &self,
        currency: Currency,
        day: Date,
        left: impl Fn(&Self, &Document, Date) -> i64,
    ) -> (i64, i64) {
        let claims = || self.claims(day).filter(|of| of.currency == currency);
        let overdue = claims().filter(|of| of.due_on < day);
        (claims().map(|of| left(self, of, day)).sum(), overdue.map(|of| left(self, of, day)).sum())
    }

    /// What is outstanding at the end of a day, and what of it is overdue.
    fn owed(&self, currency: Currency, day: Date) -> (i64, i64) {
        self.all(currency, day, Self::open)
    }

    /// What each payment added to a claim on each day, by payment: the rows of one day are one.
    fn added(&self, claim: i64, day: Date) -> BTreeMap<i64, BTreeMap<Date, i64>> {
        let mut added: BTreeMap<i64, BTreeMap<Date, i64>> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.claim == claim && row.on <= day) {
            if let Source::Payment(payment) = row.from {
                *added.entry(payment).or_default().entry(row.on).or_default() += row.minor;
            }
        }
        added
    }

    /// What payments paid of a claim and still stands: what is taken back is what came last.
    fn paid(&self, claim: i64, day: Date) -> Vec<Part> {
        let mut paid = Vec::new();
        for days in self.added(claim, day).into_values() {
            let mut stack: Vec<Part> = Vec::new();
            for (on, minor) in days {
                if minor > 0 {
                    stack.push(Part { minor, on, paid: true });
                }
                let mut back = (-minor).max(0);
                while back > 0 {
                    let Some(mut last) = stack.pop() else { break };
                    let taken = back.min(last.minor);
                    back -= taken;
                    last.minor -= taken;
                    if last.minor > 0 {
                        stack.push(last);
                    }
                }
            }
            paid.extend(stack);
        }
        paid
    }

    /// What is unpaid of a claim and somebody would be reminded of, were it not given up: not what of this claim is
    /// contested on the day, and not a rest below the tolerance of reminders.
    fn chased(&self, claim: &Document, disputes: &[Contested], day: Date) -> i64 {
        let rest = self.unpaid(claim, day) - contested(claim, disputes, day);
        if rest < tolerance_minor(claim.currency) { 0 } else { rest }
    }

    fn item<'a>(&self, of: &'a Document, disputes: &[Contested], day: Date) -> Item<'a> {
        let unpaid = self.chased(of, disputes, day);
        let mut parts = self.paid(of.key, day);
        if unpaid > 0 && of.due_on < day {
            parts.push(Part { minor: unpaid, on: day, paid: false });
        }
        Item { of, parts, unpaid }
    }
}

/// What of a claim is contested on a day.
fn contested(claim: &Document, disputes: &[Contested], day: Date) -> i64 {
    let held = |of: &&Contested| of.on <= day && of.until.is_none_or(|until| until > day);
    let about = disputes.iter().filter(|of| of.document == claim.key);
    about.filter(held).map(|of| of.minor).sum()
}

/// Currency, weight and value of something weighed.
type Weight = (Currency, i64, i64);

fn exact(part: i64, whole: i64) -> Option<Decimal> {
    Decimal::from(part).checked_div(Decimal::from(whole))
}

fn mean(values: &[Decimal]) -> Option<Decimal> {
    values.iter().sum::<Decimal>().checked_div(Decimal::from(values.len()))
}

fn share_of(yes: &[bool]) -> Option<Decimal> {
    mean(&yes.iter().map(|yes| Decimal::from(i64::from(*yes))).collect::<Vec<_>>())
}

/// To four decimals, after the last digits that a sum of divisions may get wrong.
fn rounded(value: Decimal) -> Decimal {
    decimal::round(decimal::round(value, 10), 4)
}

/// Each entry is one item: the weights and values of its parts. Each currency has a mean, and the means meet weighted
/// by items.
fn weighed(items: &[Vec<Weight>]) -> Option<Decimal> {
    let mut by_currency: BTreeMap<Currency, (i64, i64, i64)> = BTreeMap::new();
    for item in items {
        for (number, (currency, weight, value)) in item.iter().enumerate() {
            let sums = by_currency.entry(*currency).or_default();
            sums.0 += i64::from(number == 0);
            sums.1 += weight;
            sums.2 += weight * value;
        }
    }
    let mut means = Vec::new();
    for (items, weight, value) in by_currency.into_values() {
        let mean = exact(value, weight)?;
        means.extend((0..items).map(|_| mean));
    }
    mean(&means)
}

/// The facts of the history on a day.
pub fn facts(history: &History, day: Date) -> Facts {
    let mut facts = Facts::none(&history.customer, day);
    let own = &history.own;
    let items: Vec<Item<'_>> =
        own.items(day).map(|of| own.item(of, &history.disputes, day)).collect();
    terms(&mut facts, &items, day);
    lateness(&mut facts, &items, day);
    money(&mut facts, &items, day);
    habits(&mut facts, &items, day);
    short_pays(&mut facts, history, &items, day);
    owed(&mut facts, history, day);
    limit(&mut facts, history, day);
    group(&mut facts, history, day);
    orders(&mut facts, history, day);
    events(&mut facts, history, day);
    defaults(&mut facts, history, day);
    secured(&mut facts, history, day);
    outside(&mut facts, history, day);
    for fact in &mut facts.values {
        fact.value = rounded(fact.value).normalize();
    }
    facts
}

fn months(day: Date, months: u32) -> Date {
    day.minus_months(months).unwrap_or(Date::FIRST)
}

fn days_before(day: Date, days: i64) -> Date {
    day.plus_days(-days).unwrap_or(Date::FIRST)
}

/// Items with any part in the window after the one day and up to the other: those that fell due in it, or before it and had
/// their last money in it. What is unpaid and overdue, given up or not, counts with its age in every window that ends on
/// the day, however long it has been due, and in no other.
fn due<'a, 'b>(items: &'a [Item<'b>], (after, upto): (Date, Date), day: Date) -> Vec<&'a Item<'b>> {
    let within = |item: &&Item<'_>| item.place(day) > after && item.place(day) <= upto;
    items.iter().filter(within).filter(|item| !item.parts.is_empty()).collect()
}

/// The parts of each item with what `value` says of them.
fn parts(items: &[&Item<'_>], value: impl Fn(i64) -> i64) -> Vec<Vec<Weight>> {
    let of_item = |item: &&Item<'_>| {
        let weight = |part: &Part| (item.of.currency, part.minor, value(item.days(part)));
        item.parts.iter().map(weight).collect()
    };
    items.iter().map(of_item).collect()
}

fn terms(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    for (name, after, upto) in [
        (FactName::DaysBeyondTerms3m, months(day, 3), day),
        (FactName::DaysBeyondTerms6m, months(day, 6), day),
        (FactName::DaysBeyondTerms12m, months(day, 12), day),
        (FactName::DaysBeyondTerms24m, months(day, 24), day),
        (FactName::DaysBeyondTerms9mBefore, months(day, 12), months(day, 3)),
    ] {
        facts.set(name, weighed(&parts(&due(items, (after, upto), day), |days| days)));
    }
    let shown = |name| facts.get(name).map(rounded);
    let recent = shown(FactName::DaysBeyondTerms3m);
    let trend = recent.zip(shown(FactName::DaysBeyondTerms9mBefore));
    facts.set(FactName::TrendRecentAgainstBefore, trend.map(|(recent, before)| recent - before));
}

fn lateness(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    let year = due(items, (months(day, 12), day), day);
    let two_years = due(items, (months(day, 24), day), day);
    facts.set(FactName::Items12m, Some(year.len().into()));
    let names = [
        (FactName::ShareLate0Count, FactName::ShareLate0Amount),
        (FactName::ShareLate10Count, FactName::ShareLate10Amount),
        (FactName::ShareLate30Count, FactName::ShareLate30Amount),
        (FactName::ShareLate60Count, FactName::ShareLate60Amount),
        (FactName::ShareLate90Count, FactName::ShareLate90Amount),
    ];
    for (beyond, (count, amount)) in LATE_BEYOND.into_iter().zip(names) {
        let late: Vec<bool> = year.iter().map(|item| item.late() > Some(beyond)).collect();
        facts.set(count, share_of(&late));
        facts.set(amount, weighed(&parts(&year, |days| i64::from(days > beyond))));
    }
    let worst = |items: &[&Item<'_>]| items.iter().filter_map(|item| item.late()).max();
    for (name, items) in
        [(FactName::WorstDaysLate12m, &year), (FactName::WorstDaysLate24m, &two_years)]
    {
        facts.set(name, worst(items).map(|days| days.max(0).into()));
    }
    let behind = |item: &&&Item<'_>| item.late() > Some(0) && item.late() == worst(&two_years);
    let on = |item: &&Item<'_>| if item.unpaid > 0 { Some(day) } else { item.last_on() };
    let since = two_years.iter().filter(behind).filter_map(on).max();
    let fits = |since: Date| (0..3_000u32).take_while(|of| months(day, *of) >= since).last();
    facts.set(FactName::MonthsSinceWorst, since.and_then(fits).map(Decimal::from));
}

fn money(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    let year = months(day, 12);
    let received = |value: &dyn Fn(&Item<'_>, &Part) -> i64| {
        let of_item = |item: &Item<'_>| {
            let within = item.paid().filter(|part| part.on > year);
            let weight = |part: &Part| (item.of.currency, part.minor, value(item, part));
            within.map(weight).collect::<Vec<_>>()
        };
        weighed(&items.iter().map(of_item).collect::<Vec<_>>())
    };
    let since_issue = |item: &Item<'_>, part: &Part| part.on.days_since(item.of.issued_on);
    facts.set(FactName::DaysToPay12m, received(&since_issue));
    let early = |item: &Item<'_>, part: &Part| i64::from(part.on < item.of.due_on);
    facts.set(FactName::EarlyShare12m, received(&early));
    let mut settled: Vec<(Date, Date, i64)> = Vec::new();
    for item in items.iter().filter(|item| item.unpaid == 0) {
        if let Some(on) = item.last_on().filter(|on| *on > months(day, 24)) {
            settled.push((on, item.of.due_on, on.days_since(item.of.due_on)));
        }
    }
    settled.sort();
    let last: Vec<Decimal> = settled.iter().rev().take(3).map(|of| of.2.into()).collect();
    facts.set(FactName::LastPaymentDaysLate, last.first().copied());
    facts.set(FactName::LastThreeDaysLate, mean(&last).filter(|_| last.len() == 3));
    let overdue = items.iter().filter(|item| item.unpaid > 0 && item.of.due_on < day);
    let mut overdue: Vec<i64> = overdue.map(|item| day.days_since(item.of.due_on)).collect();
    overdue.sort_unstable();
    let latest = overdue.into_iter().map(Decimal::from).chain(last);
    let latest: Vec<Decimal> = latest.take(3).collect();
    facts.set(FactName::LatestThreeDaysLate, mean(&latest).filter(|_| latest.len() == 3));
}

fn habits(facts: &mut Facts, items: &[Item<'_>], day: Date) {
    let mut points: Vec<(Decimal, Decimal)> = Vec::new();
    for item in due(items, (months(day, 12), day), day) {
        let on = item.of.due_on.days_since(Date::FIRST).into();
        points.extend(item.late().map(|late| (on, Decimal::from(late))));
    }
    let (x, y): (Vec<Decimal>, Vec<Decimal>) = points.iter().copied().unzip();
    let (Some(mean_x), Some(mean_y)) = (mean(&x), mean(&y)) else { return };
    let along: Decimal = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let across: Decimal = x.iter().map(|x| (x - mean_x) * (x - mean_x)).sum();
    if points.len() >= 4 && x.iter().min() < x.iter().max() {
        facts.set(FactName::TrendSlope, (along * Decimal::from(30)).checked_div(across));
    }
    let squares: Vec<Decimal> = y.iter().map(|y| (y - mean_y) * (y - mean_y)).collect();
    let deviation = mean(&squares).and_then(|of| of.to_f64()).map(f64::sqrt);
    let deviation = deviation.and_then(Decimal::from_f64);
    facts.set(FactName::Irregularity, deviation.filter(|_| points.len() >= 3));
}

fn short_pays(facts: &mut Facts, history: &History, items: &[Item<'_>], day: Date) {
    let own = &history.own;
    let (mut first_paid, mut short, mut unauthorised) = (0, 0, 0);
    for item in items.iter().filter(|item| item.of.whole.is_none()) {
        let first = item.paid().map(|part| part.on).min();
        let Some(first) = first.filter(|first| *first > months(day, 12)) else { continue };
        first_paid += 1;
        let added = own.added(item.of.key, day);
        let paying = |payment: &i64| {
            added.get(payment).and_then(|days| days.get(&first)).is_some_and(|minor| *minor > 0)
        };
        let rest = own.unpaid(item.of, first);
        if rest <= 0 || history.designating.iter().any(paying) {
            continue;
        }
        short += 1;
        let discounts = own.rows.iter().filter(|row| {
            row.claim == item.of.key && row.from == Source::Discount && row.on <= first
        });
        let earned: i64 = discounts.map(|row| row.minor).sum();
        unauthorised += u32::from(earned <= 0 && rest * 20 <= item.of.minor);
    }
    if first_paid > 0 {
        facts.set(FactName::ShortPays12m, Some(short.into()));
        facts.set(FactName::UnauthorisedDiscounts12m, Some(unauthorised.into()));
    }
}

fn currencies(ledger: &Ledger) -> BTreeSet<Currency> {
    ledger.documents.iter().map(|of| of.currency).collect()
}

fn owed(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let share = |part: &dyn Fn(&Document) -> i64| {
        let of = |currency| {
            let claims = own.claims(day).filter(|of| of.currency == currency);
            exact(claims.map(part).sum(), own.all(currency, day, Ledger::unpaid).0)
        };
        mean(&currencies(own).into_iter().filter_map(of).collect::<Vec<_>>())
    };
    // Who has nothing unpaid has nothing overdue.
    let asked = own.items(day).next().map(|_| Decimal::ZERO);
    for (name, least, most) in [
        (FactName::OverdueShare, 1, i64::MAX),
        (FactName::OverdueShare130, 1, 30),
        (FactName::OverdueShare3160, 31, 60),
        (FactName::OverdueShare6190, 61, 90),
        (FactName::OverdueShareOver90, 91, i64::MAX),
        (FactName::OverdueShareOver30, 31, i64::MAX),
    ] {
        let late = |of: &Document| match (least..=most).contains(&day.days_since(of.due_on)) {
            true => own.chased(of, &history.disputes, day),
            false => 0,
        };
        facts.set(name, share(&late).or(asked));
    }
    let contested = |of: &Document| own.unpaid(of, day).min(contested(of, &history.disputes, day));
    facts.set(FactName::OpenDisputeShare, share(&contested).or(asked));
}

/// The temporary limit of the day, else the other of the day, else the record's where no other had begun by then.
fn limit_in_force(history: &History, day: Date) -> Option<Money> {
    let begun = || history.dated.iter().filter(|of| of.from <= day);
    let of_the_day = |temporary: bool| {
        let rewritten = |of: &&Dated| {
            begun().any(|other| {
                (other.temporary, other.from) == (of.temporary, of.from) && other.number > of.number
            })
        };
        let standing = begun().filter(|of| of.temporary == temporary).filter(|of| !rewritten(of));
        standing.filter(|of| of.to.is_none_or(|to| day <= to)).max_by_key(|of| of.from)
    };
    match of_the_day(true).or_else(|| of_the_day(false)) {
        Some(of) => of.limit,
        None => {
            let former = history.former_limits.iter().find(|of| of.0 > day).map(|of| of.1);
            former.unwrap_or(history.limit).filter(|_| begun().all(|of| of.temporary))
        }
    }
}

fn limit(facts: &mut Facts, history: &History, day: Date) {
    let Some(limit) = limit_in_force(history, day) else { return };
    let own = &history.own;
    let first = months(day, 12).plus_days(1).unwrap_or(day);
    let mut days: BTreeSet<Date> = own.documents.iter().map(|of| of.issued_on).collect();
    days.extend(own.rows.iter().map(|row| row.on));
    days.insert(first);
    let within = days.range(first..=day);
    // All of it in the limit's currency, each currency rounded up; nothing is known where a rate is missing.
    let owed = |of: Date| -> Option<i64> {
        let each = currencies(own).into_iter().map(|currency| {
            let minor = own.owed(currency, of).0;
            match currency == limit.currency || minor == 0 {
                true => Some(minor),
                false => in_currency(minor, currency, limit.currency, history, day),
            }
        });
        each.sum()
    };
    let levels: Option<Vec<i64>> = within.map(|of| owed(*of)).collect();
    let peak = levels.map(|of| of.into_iter().max().unwrap_or_default());
    for (name, owed) in [(FactName::Utilisation, owed(day)), (FactName::UtilisationPeak12m, peak)] {
        let Some(owed) = owed else { continue };
        let used = match (owed, limit.minor) {
            (..=0, _) => Some(Decimal::ZERO),
            (_, 0) => Some(Decimal::TEN),
            (owed, limit) => exact(owed, limit),
        };
        facts.set(name, used.map(|used| used.min(Decimal::TEN)));
    }
}

/// An amount by the rate of the day between two currencies, else by that of the opposite pair, rounded up.
fn in_currency(
    minor: i64,
    from: Currency,
    to: Currency,
    history: &History,
    day: Date,
) -> Option<i64> {
    let rate = |from: Currency, to: Currency| {
        let of = history.rates.iter().filter(|of| of.0 == from && of.1 == to && of.2 <= day);
        of.max_by_key(|of| of.2).map(|of| of.3)
    };
    let opposite = || rate(to, from).map(|rate| Decimal::ONE / rate);
    let rate = rate(from, to).or_else(opposite)?;
    let units = Decimal::from(minor) / Decimal::from(10i64.pow(from.exponent()));
    (units * rate * Decimal::from(10i64.pow(to.exponent()))).ceil().to_i64()
}

fn group(facts: &mut Facts, history: &History, day: Date) {
    let Some(others) = &history.others else { return };
    let own = &history.own;
    let members = || others.iter().chain([own]);
    let (mut shares, mut overdue) = (Vec::new(), Vec::new());
    for currency in members().flat_map(currencies).collect::<BTreeSet<_>>() {
        let all: i64 = members().map(|of| of.owed(currency, day).0).sum();
        let past_due = members().map(|of| of.owed(currency, day).1).sum();
        shares.extend(exact(own.owed(currency, day).0, all));
        let unpaid = members().map(|of| of.all(currency, day, Ledger::unpaid));
        let (unpaid, late) = unpaid.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        overdue.extend(exact(late, unpaid));
        if all > 0 {
            let owed = GroupOwed { currency, outstanding_minor: all, overdue_minor: past_due };
            facts.group.get_or_insert_default().push(owed);
        }
    }
    facts.set(FactName::GroupOutstandingShare, mean(&shares));
    let asked = || members().any(|of| of.items(day).next().is_some());
    let settled = || asked().then_some(Decimal::ZERO);
    facts.set(FactName::GroupOverdueShare, mean(&overdue).or_else(settled));
}

fn orders(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let mut wholes: BTreeMap<i64, (Currency, Date, i64)> = BTreeMap::new();
    for item in own.items(day).filter(|of| of.kind == InvoiceKind::Invoice) {
        let whole = item.whole.unwrap_or(item.key);
        let left = item.minor - own.taken(item, day);
        wholes.entry(whole).or_insert((item.currency, item.issued_on, 0)).2 += left;
    }
    // What was taken back whole was never an order.
    wholes.retain(|_, of| of.2 > 0);
    let of = |currency: Currency, after: Date, upto: Date| -> Vec<(Date, i64)> {
        let within = wholes.values().filter(|of| of.0 == currency && of.1 > after && of.1 <= upto);
        within.map(|of| (of.1, of.2)).collect()
    };
    // How many times the mean of some orders an amount is.
    let times = |minor: i64, orders: &[(Date, i64)]| {
        let count = i64::try_from(orders.len()).unwrap_or(i64::MAX);
        let times = exact(minor * count, orders.iter().map(|of| of.1).sum());
        times.filter(|_| count >= USUAL_FROM_ORDERS.into())
    };
    let month = days_before(day, 30);
    let (mut spikes, mut large) = (Vec::new(), Vec::new());
    for currency in currencies(own) {
        let largest = of(currency, month, day).into_iter().map(|of| of.1).max();
        let before = of(currency, months(month, 12), month);
        spikes.extend(largest.and_then(|largest| times(largest, &before)));
        let year = of(currency, months(day, 12), day);
        let unusual = |of: &&(Date, i64)| times(of.1, &year) >= Some(Decimal::TWO);
        large.extend(year.iter().filter(unusual).map(|of| of.0));
    }
    facts.set(FactName::OrderSizeSpike, spikes.into_iter().max());
    let year = |currency| of(currency, months(day, 12), day);
    let orders: usize = currencies(own).into_iter().map(|currency| year(currency).len()).sum();
    let asked = own.items(day).next().is_some();
    facts.set(FactName::Orders12m, asked.then(|| orders.into()));
    // The currencies are in the order of their codes.
    let mut usual: Option<(Currency, usize)> = None;
    for currency in currencies(own) {
        let orders = year(currency).len();
        if orders > usual.map_or(0, |(_, most)| most) {
            usual = Some((currency, orders));
        }
    }
    let turnover = usual.and_then(|(currency, _)| {
        let minor: i64 = year(currency).iter().map(|of| of.1).sum();
        exact(minor, 10i64.checked_pow(currency.exponent())?)
    });
    facts.set(FactName::Turnover12m, turnover);
    if let Some(large) = large.into_iter().max() {
        let before = own.items(day).filter(|of| of.issued_on < large && of.due_on >= large);
        let open = before.filter(|of| own.unpaid(of, large) > 0);
        let nearest = open.map(|of| of.due_on.days_since(large)).min();
        facts.set(FactName::PurchasesBeforeDue, nearest.map(Decimal::from));
    }
    let days: BTreeSet<Date> = wholes.values().map(|of| of.1).collect();
    let mut last = days.into_iter().rev();
    if let (Some(last), Some(before)) = (last.next().filter(|of| *of > month), last.next()) {
        facts.set(FactName::DormantDaysBeforeOrder, Some(last.days_since(before).into()));
    }
}

fn events(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let first = own.items(day).map(|of| of.issued_on).min();
    facts.set(FactName::AccountAgeDays, first.map(|on| day.days_since(on).into()));
    let year = months(day, 12);
    let issued: Vec<&Document> = own.items(day).filter(|of| of.issued_on > year).collect();
    let agreed = |of: &&Document| vec![(of.currency, of.minor, of.due_on.days_since(of.issued_on))];
    facts.set(FactName::TermsDays12m, weighed(&issued.iter().map(agreed).collect::<Vec<_>>()));
    let contested = |item: &&Document| {
        let about = |of: &Contested| of.document == item.key && of.minor > 0;
        history.disputes.iter().any(|of| about(of) && of.on <= day)
    };
    facts
        .set(FactName::DisputeRate12m, share_of(&issued.iter().map(contested).collect::<Vec<_>>()));
    let changes = |part| {
        let within = |on: Date| on > days_before(day, 90) && on <= day;
        history.changes.iter().filter(|of| of.0 == part && within(of.1)).count()
    };
    let returned: BTreeSet<i64> = history
        .reversals
        .iter()
        .filter(|of| matches!(of.1, ReversalKind::Chargeback | ReversalKind::Returned))
        .filter(|of| of.2 > year && of.2 <= day)
        .map(|of| of.0)
        .collect();
    for (name, count) in [
        (FactName::ContactChanges90d, changes(CustomerPart::Contact)),
        (FactName::BankChanges90d, changes(CustomerPart::BankAccount)),
        (FactName::RepresentativeChanges90d, changes(CustomerPart::Representative)),
        (FactName::ReturnedPayments12m, returned.len()),
    ] {
        facts.set(name, (count > 0 || first.is_some()).then(|| count.into()));
    }
}

/// Those that are open on the day, by when they were found.
fn open(defaults: &[Default], day: Date) -> Vec<Date> {
    let open = |of: &&Default| of.0 <= day && of.1.is_none_or(|closed| closed > day);
    defaults.iter().filter(open).map(|of| of.0).collect()
}

fn defaults(facts: &mut Facts, history: &History, day: Date) {
    let own = open(&history.defaults, day);
    let asked = history.own.items(day).next().is_some();
    let had = history.defaults.iter().any(|of| of.0 <= day);
    let broken = history.defaults.iter().filter(|of| of.0 > months(day, 12) && of.0 <= day);
    let stands = |of: &&Default| of.3 != DefaultState::Withdrawn || of.1.is_none_or(|on| on > day);
    let broken = broken.filter(|of| of.2 == DefaultKind::BrokenPlan).filter(stands).count();
    facts.set(FactName::BrokenPromises12m, (asked || had).then(|| broken.into()));
    let plans = |of: &&Default| of.2 == DefaultKind::BrokenPlan;
    let plans: Vec<Default> = history.defaults.iter().filter(plans).copied().collect();
    let broken = open(&plans, day).len();
    facts.set(FactName::BrokenPromisesOpen, (asked || had).then(|| broken.into()));
    facts.set(FactName::DefaultsOpen, (asked || had).then(|| own.len().into()));
    let oldest = own.iter().min();
    facts.set(FactName::WorstDefaultDays, oldest.map(|on| day.days_since(*on).into()));
    let others = open(&history.defaults_of_others, day).len();
    facts.set(FactName::GroupDefaultsOpen, history.others.as_ref().map(|_| others.into()));
}

fn secured(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let in_force: Vec<&Security> =
        history.securities.iter().filter(|of| of.in_force(day)).collect();
    let mut shares = Vec::new();
    for currency in currencies(own) {
        let debt = own.owed(currency, day).0;
        let mut borne: BTreeMap<Option<i64>, Decimal> = BTreeMap::new();
        for of in in_force.iter().filter(|of| of.currency == currency) {
            let under = own.claims(day).filter(|claim| {
                claim.currency == currency
                    && (of.contract.is_none() || claim.contract == of.contract)
            });
            let debt = Decimal::from(under.map(|claim| own.open(claim, day)).sum::<i64>());
            let bears = (debt * of.share).floor().min(of.minor.into());
            let sum = borne.entry(of.contract).or_default();
            *sum = (*sum + bears).min(debt);
        }
        let borne: Decimal = borne.into_values().sum();
        shares.extend(borne.min(debt.into()).checked_div(debt.into()));
    }
    facts.set(FactName::InsuredShare, mean(&shares));
    let nearest = |insurance: bool| {
        let kind = |of: &&&Security| (of.kind == GuaranteeKind::Insurance) == insurance;
        in_force.iter().filter(kind).filter_map(|of| of.last_on()).min()
    };
    // Of each the last of those that began last.
    let begun = history
        .contracts
        .iter()
        .filter_map(|versions| versions.iter().filter(|of| of.0 <= day).max_by_key(|of| of.0));
    let agreed: Vec<_> = begun.filter(|of| of.1.is_none_or(|last| last >= day)).collect();
    let year = months(day, 12);
    let lapsed = |insurance: bool| {
        let sort = |of: &&Security| (of.kind == GuaranteeKind::Insurance) == insurance;
        let follows = |from: Date| in_force.iter().any(|of| sort(of) && of.from > from);
        let of_sort = history.securities.iter().filter(sort).filter(|of| !follows(of.from));
        of_sort.filter_map(Security::last_on).filter(|on| *on < day && *on > year).max()
    };
    let begun = history
        .contracts
        .iter()
        .filter_map(|versions| versions.iter().filter(|of| of.0 <= day).max_by_key(|of| of.0));
    let unfollowed = begun.filter(|of| agreed.iter().all(|other| other.0 <= of.0));
    let ended = unfollowed.filter_map(|of| of.1).filter(|on| *on < day && *on > year).max();
    for (name, last) in [
        (FactName::DaysSinceGuaranteeLapsed, lapsed(false)),
        (FactName::DaysSinceInsuranceLapsed, lapsed(true)),
        (FactName::DaysSinceContractLapsed, ended),
    ] {
        facts.set(name, last.map(|last| day.days_since(last).into()));
    }
    let milestones = agreed.iter().flat_map(|of| &of.2).copied();
    for (name, last) in [
        (FactName::DaysToGuaranteeEnd, nearest(false)),
        (FactName::DaysToInsuranceEnd, nearest(true)),
        (FactName::DaysToContractEnd, agreed.iter().filter_map(|of| of.1).min()),
        (FactName::DaysToMilestone, milestones.filter(|on| *on >= day).min()),
    ] {
        facts.set(name, last.map(|last| last.days_since(day).into()));
    }
}

/// The last reading of each name that was known by the day, in the order in which they were recorded.
fn readings<T: External>(recorded: &[T], day: Date) -> Vec<&T> {
    let known = |of: &&T| of.known_on().is_some_and(|on| on <= day);
    let later = |of: &T, other: &T| of.name() == other.name() && of.known_on() < other.known_on();
    let known: Vec<&T> = recorded.iter().filter(known).collect();
    known.iter().copied().filter(|of| !known.iter().any(|other| later(of, other))).collect()
}

fn outside(facts: &mut Facts, history: &History, day: Date) {
    let (year, quarter) = (months(day, 12), days_before(day, 90));
    let count = |kind, after: Date| {
        history.mishaps.iter().filter(|of| of.0 == kind && of.1 > after && of.1 <= day).count()
    };
    let mut told = history.told.iter().chain(history.mishaps.iter().map(|of| &of.1));
    let told = told.any(|on| *on <= day);
    for (name, count) in [
        (FactName::PaymentFailures90d, count(EventAction::PaymentFailed, quarter)),
        (FactName::MandateCancellations12m, count(EventAction::MandateCancelled, year)),
    ] {
        facts.set(name, told.then(|| count.into()));
    }
    let statements = readings(&history.statements, day);
    let newest = statements.into_iter().max_by_key(|of| of.period_end);
    let figures = newest.map(altman::figures).unwrap_or_default();
    for figure in figures {
        let name = match figure.model {
            AltmanModel::Z => FactName::AltmanZ,
            AltmanModel::ZPrivate => FactName::AltmanZPrivate,
            AltmanModel::ZEmerging => FactName::AltmanZEmerging,
        };
        facts.set(name, Some(figure.value));
    }
    let since = |on: Option<Date>| on.map(|on| day.days_since(on).into());
    facts.set(FactName::DaysSinceFinancials, since(newest.and_then(|of| of.period_end)));
    let newest = readings(&history.scores, day).into_iter().max_by_key(|of| of.date);
    let normal = |of: &ExternalScore| {
        let part =
            (of.score - of.scale_from) / (of.scale_to - of.scale_from) * Decimal::ONE_HUNDRED;
        let lower = of.direction == Some(ScaleDirection::LowerIsBetter);
        if lower { Decimal::ONE_HUNDRED - part } else { part }
    };
    facts.set(FactName::ExternalScore, newest.map(normal));
    facts.set(FactName::DaysSinceExternalScore, since(newest.and_then(|of| of.date)));
    let entries = readings(&history.entries, day);
    let counts = entries.iter().filter(|of| {
        of.kind != PublicRecordKind::NoneFound && of.withdrawn != Some(true) && of.date > year
    });
    let counts = counts.count();
    facts.set(FactName::PublicRecordEvents12m, (!entries.is_empty()).then(|| counts.into()));
}
