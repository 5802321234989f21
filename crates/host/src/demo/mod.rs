//! A company that does not exist, with two years of receivables and a known truth.
//!
//! The same [`Options`] give the same bytes on every platform: the tables go through the ordinary
//! import of profile `generic`, and the truth stays in a side file, so that a test can ask whether
//! the score finds the customers that were made to fail.

mod behaviour;
pub mod bulk;
mod calendar;
mod customer;
mod documents;
mod money;
mod names;
mod random;
#[cfg(test)]
mod tests;
mod trade;
mod truth;

pub use behaviour::{ALL_BEHAVIOURS_FROM, Behaviour, DETERIORATED_DAYS};
pub use truth::{CustomerTruth, Truth, auc};

use behaviour::{Habit, Window};
use calendar::{add_days, is_weekday};
use chrono::{Months, NaiveDate};
use customer::Customer;
use random::Random;
use std::collections::BTreeSet;
use trade::{Book, Item, Kind};

/// Due dates, in days from today, at which the default reminder calendar must find an invoice
/// that is open in full.
const REMINDER_DUE_DAYS: [i64; 4] = [3, 0, -3, -7];
/// Out of a hundred customers, how many are Chinese.
const CHINESE_PERCENT: usize = 60;
/// Stream of the draws that concern the company as a whole; customer n draws from stream n.
const COMPANY_STREAM: u64 = 0;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub seed: u64,
    pub customers: u32,
    /// Months of history up to today; at least one.
    pub months: u32,
    /// The last day of the history. Nothing in the tables happens later, save due dates.
    pub today: NaiveDate,
}

impl Options {
    /// The company of `dunlin demo`: 60 customers, 24 months.
    #[must_use]
    pub fn new(seed: u64, today: NaiveDate) -> Self {
        Self { seed, customers: 60, months: 24, today }
    }
}

/// The generated tables, as CSV with a header line and `\n` line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// `id,name,country,currency,language,time_zone,email,phone,credit_limit`
    pub customers_csv: String,
    /// `id,customer_id,signed_on,net_days,currency,description`: a side file, nothing imports it.
    pub contracts_csv: String,
    /// `id,customer_id,kind,issued_on,due_on,amount,currency`; a credit note's amount is positive.
    pub invoices_csv: String,
    /// `id,customer_id,received_on,amount,currency,invoice_id`; no invoice id on account.
    pub payments_csv: String,
    /// A [`Truth`] as JSON.
    pub truth_json: String,
    pub summary: Summary,
}

/// Counts for a person, and for tests that compare them with what an import answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The first day of the history.
    pub from: NaiveDate,
    pub customers: u32,
    pub contracts: u32,
    /// Without the credit notes.
    pub invoices: u32,
    pub credit_notes: u32,
    pub payments: u32,
    /// Payments without an invoice id.
    pub payments_on_account: u32,
    /// Payments on account that were made for several invoices.
    pub payments_for_several: u32,
    /// Deliberate over-payments of a named invoice; each is at most one percent of it.
    pub over_payments: u32,
    /// Invoices the customers have not settled as of today, by their own intention.
    pub open_invoices: u32,
    /// Open invoices whose due date is before today.
    pub overdue_invoices: u32,
    /// Open invoices that were settled in part.
    pub part_paid_invoices: u32,
    /// Customers the truth file calls bad.
    pub bad_customers: u32,
    /// Per currency code: invoices less credit notes less payments, in minor units.
    pub balances: Vec<(&'static str, i64)>,
}

/// Generates the company. Takes milliseconds for the default size.
#[must_use]
pub fn generate(options: &Options) -> Company {
    let today = options.today;
    let months = Months::new(options.months.max(1));
    let window = Window { from: today.checked_sub_months(months).unwrap_or(today), today };
    let mut company = Random::new(options.seed, COMPANY_STREAM);
    let behaviours = behaviour::assign(options.customers, &mut company);
    let mut chinese: Vec<bool> =
        (0..behaviours.len()).map(|at| at * 100 < behaviours.len() * CHINESE_PERCENT).collect();
    company.shuffle(&mut chinese);

    let mut taken = BTreeSet::new();
    let mut accounts = Vec::new();
    for ((number, behaviour), chinese) in (1_u32..).zip(behaviours).zip(chinese) {
        let mut random = Random::new(options.seed, u64::from(number));
        let customer = Customer::draw(number, chinese, behaviour, window, &mut taken, &mut random);
        let book = trade::simulate(&customer, window, &mut random);
        accounts.push(Account { customer, book });
    }
    for days in REMINDER_DUE_DAYS {
        ensure_open_item(&mut accounts, add_days(today, days), today);
    }
    documents::write(options.seed, window, &accounts)
}

/// A customer and its documents.
struct Account {
    customer: Customer,
    book: Book,
}

impl Account {
    /// When this customer failed, or will: see [`CustomerTruth::default_on`].
    fn default_on(&self) -> Option<NaiveDate> {
        match self.customer.habit {
            Habit::Defaulting { on, .. } => Some(on),
            Habit::BustOut { from } => {
                let unpaid = self.book.items.iter().filter(|item| item.issued_on >= from);
                unpaid.map(|item| item.due_on).min()
            }
            _ => None,
        }
    }

    fn truth(&self, today: NaiveDate) -> CustomerTruth {
        let default_on = self.default_on();
        CustomerTruth {
            id: self.customer.id(),
            behaviour: self.customer.behaviour,
            default_on,
            bad: self.customer.habit.is_bad(default_on, today),
        }
    }
}

/// Sees to an invoice due that day and open in full. A small company on an unlucky day may have no
/// customer whose terms put the issue on a weekday; then the day stays empty.
fn ensure_open_item(accounts: &mut [Account], due_on: NaiveDate, today: NaiveDate) {
    let open = |item: &Item| {
        item.kind == Kind::Invoice && item.due_on == due_on && item.open_minor == item.amount_minor
    };
    if accounts.iter().any(|account| account.book.items.iter().any(open)) {
        return;
    }
    // Who is late by weeks can owe an overdue invoice, and who pays in time one not yet due,
    // without acting out of character.
    let wanted = if due_on < today { Behaviour::Slow } else { Behaviour::Prompt };
    let suits = |account: &&mut Account| {
        let issued_on = add_days(due_on, -account.customer.net_days);
        let trading = issued_on >= account.customer.buys_from && issued_on <= today;
        account.customer.behaviour == wanted && trading && is_weekday(issued_on)
    };
    if let Some(Account { customer, book }) = accounts.iter_mut().find(suits) {
        let issued_on = add_days(due_on, -customer.net_days);
        let (kind, amount_minor) = (Kind::Invoice, customer.typical_minor);
        book.items.push(Item { kind, issued_on, due_on, amount_minor, open_minor: amount_minor });
    }
}
