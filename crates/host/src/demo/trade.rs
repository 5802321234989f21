//! Two years between the company and one customer: what was invoiced, what was paid when, what
//! stayed open.

use super::behaviour::{Behaviour, Habit, Window};
use super::calendar::{
    add_days, days_between, friday_on_or_after, weekday_on_or_after, weekday_on_or_before,
    working_months,
};
use super::customer::{Customer, Remittance};
use super::money::permille;
use super::random::Random;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// How many last weekdays of a month attract its invoices.
const MONTH_END_DAYS: usize = 4;
/// The largest deliberate over-payment, in thousandths of the invoice.
pub(super) const OVER_PAYMENT_PERMILLE: i64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invoice,
    CreditNote,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) issued_on: NaiveDate,
    pub(super) due_on: NaiveDate,
    pub(super) amount_minor: i64,
    /// What the customer means to leave unpaid as of today; a ledger that allocates oldest first
    /// may show the same sum on other invoices.
    pub(super) open_minor: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Receipt {
    pub(super) received_on: NaiveDate,
    pub(super) amount_minor: i64,
    /// Position of the invoice it names among the book's items.
    pub(super) names: Option<usize>,
}

/// One customer's documents.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) items: Vec<Item>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) over_payments: u32,
    pub(super) bundled_receipts: u32,
}

pub(super) fn simulate(customer: &Customer, window: Window, random: &mut Random) -> Book {
    let mut trade =
        Trade { customer, today: window.today, book: Book::default(), runs: BTreeMap::new() };
    for (issued_on, amount_minor) in orders(customer, window, random) {
        let at = trade.invoice(issued_on, amount_minor);
        trade.settle(at, random);
    }
    trade.rebates(window, random);
    trade.close_runs();
    trade.book
}

/// Issue dates and amounts, oldest first.
fn orders(customer: &Customer, window: Window, random: &mut Random) -> Vec<(NaiveDate, i64)> {
    let mut days = Vec::new();
    for month in working_months(customer.buys_from, window.today) {
        let rate = month.last().map_or(1, |last| customer.habit.order_rate(*last));
        let count = (customer.invoices_a_month * rate + random.between(-1, 1)).max(1);
        let month_end = month.get(month.len().saturating_sub(MONTH_END_DAYS)..).unwrap_or(&month);
        for _ in 0..count {
            let from = if random.chance(45) { month_end } else { &month };
            days.push(random.pick(from));
        }
    }
    days.extend(certain_orders(customer));
    let last = customer.habit.last_order_on().unwrap_or(window.today).min(window.today);
    days.retain(|day| *day >= customer.buys_from && *day <= last);
    days.sort_unstable();
    days.into_iter().map(|day| (day, amount(customer, day, random))).collect()
}

/// The orders that make a default visible whatever the draw: one just before it, or the first two
/// of a burst.
fn certain_orders(customer: &Customer) -> Vec<NaiveDate> {
    if let Some(stops_on) = customer.habit.certain_order_before() {
        return vec![weekday_on_or_before(add_days(stops_on, -1))];
    }
    match customer.habit {
        Habit::BustOut { from } => {
            vec![weekday_on_or_after(from), weekday_on_or_after(add_days(from, 9))]
        }
        _ => Vec::new(),
    }
}

fn amount(customer: &Customer, on: NaiveDate, random: &mut Random) -> i64 {
    let usual = random.spread(customer.typical_minor, 250);
    let minor = permille(usual, customer.habit.order_permille(on));
    // Every fifth order is a round sum, as framework orders are.
    let round = 10_i64.pow(customer.currency.exponent() + 2);
    if random.chance(20) { (minor / round).max(1) * round } else { minor.max(1) }
}

struct Trade<'a> {
    customer: &'a Customer,
    today: NaiveDate,
    book: Book,
    /// Payment runs of a customer that pays on account: day to (amount, invoices covered).
    runs: BTreeMap<NaiveDate, (i64, u32)>,
}

impl Trade<'_> {
    fn invoice(&mut self, issued_on: NaiveDate, amount_minor: i64) -> usize {
        let due_on = add_days(issued_on, self.customer.net_days);
        let kind = Kind::Invoice;
        self.book.items.push(Item {
            kind,
            issued_on,
            due_on,
            amount_minor,
            open_minor: amount_minor,
        });
        self.book.items.len() - 1
    }

    /// A credit note, against one invoice or standing alone; nothing after today.
    fn credit(&mut self, on: NaiveDate, amount_minor: i64, against: Option<usize>) {
        if on > self.today || amount_minor <= 0 {
            return;
        }
        if let Some(item) = against.and_then(|at| self.book.items.get_mut(at)) {
            item.open_minor = item.open_minor.saturating_sub(amount_minor);
        }
        let kind = Kind::CreditNote;
        self.book.items.push(Item { kind, issued_on: on, due_on: on, amount_minor, open_minor: 0 });
    }

    /// Pays what is asked of an invoice, unless the day is still to come or the customer keeps it.
    fn pay(&mut self, at: usize, on: NaiveDate, amount_minor: i64) -> bool {
        let Some(item) = self.book.items.get_mut(at) else { return false };
        let amount_minor = amount_minor.min(item.open_minor);
        let withheld = self.customer.habit.withholds(item.issued_on, on);
        if on > self.today || withheld || amount_minor <= 0 {
            return false;
        }
        item.open_minor -= amount_minor;
        match self.customer.remittance {
            Remittance::Named => {
                let names = Some(at);
                self.book.receipts.push(Receipt { received_on: on, amount_minor, names });
            }
            Remittance::OnAccount => {
                let run = self.runs.entry(on).or_default();
                *run = (run.0.saturating_add(amount_minor), run.1 + 1);
            }
        }
        true
    }

    fn settle(&mut self, at: usize, random: &mut Random) {
        let Some(item) = self.book.items.get(at).cloned() else { return };
        let lateness = self.customer.habit.lateness(random, item.due_on);
        let on = self.pay_day(item.issued_on, item.due_on, lateness);
        match self.customer.behaviour {
            Behaviour::Disputing if random.chance(32) => self.dispute(at, &item, on, random),
            _ if random.chance(self.customer.habit.in_parts_percent(item.due_on)) => {
                self.pay_in_parts(at, &item, on, random);
            }
            _ if random.chance(2) => self.return_goods(at, &item, on, random),
            _ => self.pay_in_full(at, &item, on, random),
        }
    }

    /// The weekday of a payment: never before the day after the issue; a run waits for its Friday.
    fn pay_day(&self, issued_on: NaiveDate, due_on: NaiveDate, lateness: i64) -> NaiveDate {
        let earliest = weekday_on_or_after(add_days(issued_on, 1));
        let wanted = add_days(due_on, lateness);
        if self.customer.remittance == Remittance::OnAccount {
            // Who means to pay in time takes the run before the due date, not the one after it.
            let lead = if lateness <= 6 { 6 } else { 0 };
            return friday_on_or_after(add_days(wanted, -lead).max(earliest));
        }
        let day =
            if lateness <= 0 { weekday_on_or_before(wanted) } else { weekday_on_or_after(wanted) };
        day.max(earliest)
    }

    /// The whole open amount; now and then a little more, by a mistyped digit.
    fn pay_in_full(&mut self, at: usize, item: &Item, on: NaiveDate, random: &mut Random) {
        let paid = self.pay(at, on, item.amount_minor);
        let named = self.customer.remittance == Remittance::Named;
        let extra = random.between(0, permille(item.amount_minor, OVER_PAYMENT_PERMILLE));
        let mistaken = random.chance(1) && paid && named && extra > 0;
        if let Some(receipt) = self.book.receipts.last_mut().filter(|_| mistaken) {
            receipt.amount_minor = receipt.amount_minor.saturating_add(extra);
            self.book.over_payments += 1;
        }
    }

    fn pay_in_parts(&mut self, at: usize, item: &Item, on: NaiveDate, random: &mut Random) {
        let first = permille(item.amount_minor, random.between(350, 700));
        self.pay(at, on, first);
        let lateness = days_between(item.due_on, on).max(0) + random.between(10, 25);
        let rest_on = self.pay_day(item.issued_on, item.due_on, lateness);
        self.pay(at, rest_on, item.amount_minor);
    }

    /// Part of the delivery goes back: a credit note before the payment, and the rest is paid.
    fn return_goods(&mut self, at: usize, item: &Item, on: NaiveDate, random: &mut Random) {
        let room = (days_between(item.issued_on, on) - 1).max(0);
        let credited_on = weekday_on_or_before(add_days(on, -random.between(0, room)));
        let part = permille(item.amount_minor, random.between(20, 120));
        if credited_on >= item.issued_on {
            self.credit(credited_on, part, Some(at));
        }
        self.pay(at, on, item.amount_minor);
    }

    /// A disputed invoice is short-paid, or held back whole; weeks later a credit note settles the
    /// rest, or the customer pays it after all.
    fn dispute(&mut self, at: usize, item: &Item, on: NaiveDate, random: &mut Random) {
        if random.chance(65) {
            self.pay(at, on, permille(item.amount_minor, random.between(550, 920)));
        }
        let weeks_later = days_between(item.due_on, on).max(0) + random.between(40, 95);
        let solved_on = self.pay_day(item.issued_on, item.due_on, weeks_later);
        let rest = self.book.items.get(at).map_or(0, |item| item.open_minor);
        let most_credited = permille(item.amount_minor, 450);
        if random.chance(70) {
            self.credit(solved_on, rest.min(most_credited), Some(at));
        }
        self.pay(at, solved_on, item.amount_minor);
    }

    /// A volume rebate, in the later half of the window, to some good customers: a credit note no invoice
    /// stands behind.
    fn rebates(&mut self, window: Window, random: &mut Random) {
        let good = matches!(self.customer.behaviour, Behaviour::Prompt | Behaviour::Seasonal);
        if !good || !random.chance(20) {
            return;
        }
        let after = days_between(window.from, window.today) / 2;
        let on = weekday_on_or_after(add_days(window.from, random.between(after, after * 2)));
        let part = permille(self.customer.typical_minor, random.between(40, 150));
        if on >= self.customer.buys_from {
            self.credit(on, part, None);
        }
    }

    fn close_runs(&mut self) {
        for (received_on, (amount_minor, covered)) in std::mem::take(&mut self.runs) {
            self.book.bundled_receipts += u32::from(covered > 1);
            self.book.receipts.push(Receipt { received_on, amount_minor, names: None });
        }
    }
}
