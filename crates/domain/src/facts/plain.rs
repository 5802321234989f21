//! What each fact means, in Rust: from a customer's history, one document after the other, as a clerk would count it.
//!
//! Nothing runs this but a test, which gives random ledgers to it and to the statements of the store. It shares no
//! arithmetic with them: sums are whole numbers, ratios decimals, and a payment's rows are undone one by one.

// Slow and obvious is the point; the amounts of a test are small.
#![allow(clippy::arithmetic_side_effects)]

mod buying;
mod outside;
mod owing;
mod paying;
mod standing;

use crate::{
    Currency, Date, Decimal, Id, Money,
    calendar::tolerance_minor,
    contract::{
        events::EventAction,
        external::{ExternalScore, FinancialStatement, PublicRecord},
        ledger::{CustomerPart, DefaultKind, DefaultState, GuaranteeKind},
        score::Facts,
        types::{InvoiceKind, ReversalKind},
    },
    decimal,
};
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
    /// What was booked off as settled in full, with money that came on this day.
    Agreed(Date),
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
    /// What was paid out of credit notes about documents: which, when and how much.
    pub paid_out: Vec<(i64, Date, i64)>,
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

    /// The day whose windows a part is in: when it fell due, or when it came, whichever is later; what is unpaid and overdue
    /// has the day asked for.
    fn place_of(&self, part: &Part) -> Date {
        part.on.max(self.of.due_on)
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

    /// What is unpaid of a claim at the end of a day: what is open, and what was given up of it, written off or settled
    /// when it was overdue. What was settled by the due date is what the price came to.
    fn unpaid(&self, claim: &Document, day: Date) -> i64 {
        let rows = self.rows.iter().filter(|row| row.claim == claim.key && row.on <= day);
        let given_up = rows.filter(|row| match row.from {
            Source::WriteOff => true,
            Source::Agreed(came) => came > claim.due_on,
            _ => false,
        });
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
fn weighed(items: &[(bool, Vec<Weight>)]) -> Option<Decimal> {
    let mut by_currency: BTreeMap<Currency, (i64, i64, i64)> = BTreeMap::new();
    for (counts, item) in items {
        for (number, (currency, weight, value)) in item.iter().enumerate() {
            let sums = by_currency.entry(*currency).or_default();
            sums.0 += i64::from(*counts && number == 0);
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
    paying::terms(&mut facts, &items, day);
    paying::lateness(&mut facts, &items, day);
    paying::money(&mut facts, &items, day);
    paying::habits(&mut facts, &items, day);
    paying::short_pays(&mut facts, history, &items, day);
    owing::owed(&mut facts, history, day);
    owing::limit(&mut facts, history, day);
    owing::group(&mut facts, history, day);
    buying::orders(&mut facts, history, day);
    standing::events(&mut facts, history, day);
    standing::defaults(&mut facts, history, day);
    standing::secured(&mut facts, history, day);
    outside::outside(&mut facts, history, day);
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

fn currencies(ledger: &Ledger) -> BTreeSet<Currency> {
    ledger.documents.iter().map(|of| of.currency).collect()
}
