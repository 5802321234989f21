//! The company as files: numbers its documents in the order an office would and writes the tables.

use super::behaviour::Window;
use super::money::{Csv, Currency, decimal};
use super::trade::{Item, Kind, Receipt};
use super::{Account, Company, Summary, Truth};

const CUSTOMERS: &str = "id,name,country,currency,language,time_zone,email,phone,credit_limit";
const CONTRACTS: &str = "id,customer_id,signed_on,net_days,currency,description";
const INVOICES: &str = "id,customer_id,kind,issued_on,due_on,amount,currency";
const PAYMENTS: &str = "id,customer_id,received_on,amount,currency,invoice_id";

pub(super) fn write(seed: u64, window: Window, accounts: &[Account]) -> Company {
    let (invoices_csv, ids) = invoices(accounts);
    let customers = accounts.iter().map(|account| account.truth(window.today)).collect();
    let truth = Truth { seed, today: window.today, customers };
    // Plain text, numbers and flags always have a JSON form, so the default is never taken.
    let mut truth_json = serde_json::to_string_pretty(&truth).unwrap_or_default();
    truth_json.push('\n');
    Company {
        customers_csv: customers_table(accounts),
        contracts_csv: contracts(accounts),
        invoices_csv,
        payments_csv: payments(accounts, &ids),
        truth_json,
        summary: summarise(window, accounts, &truth),
    }
}

fn customers_table(accounts: &[Account]) -> String {
    let mut csv = Csv::new(CUSTOMERS);
    for Account { customer, .. } in accounts {
        let who = &customer.identity;
        csv.row([
            &customer.id(),
            &who.name,
            &who.country,
            &customer.currency.code(),
            &who.language,
            &who.time_zone,
            &who.email,
            &who.phone,
            &decimal(customer.limit_minor, customer.currency.exponent()),
        ]);
    }
    csv.finish()
}

fn contracts(accounts: &[Account]) -> String {
    let mut csv = Csv::new(CONTRACTS);
    for Account { customer, .. } in accounts {
        let net = customer.net_days;
        let description = match customer.identity.language {
            "zh-CN" => format!("框架供货合同，月结{net}天"),
            _ => format!("Framework supply agreement, net {net} days"),
        };
        csv.row([
            &format!("CTR-{:04}", customer.number),
            &customer.id(),
            &customer.signed_on,
            &net,
            &customer.currency.code(),
            &description,
        ]);
    }
    csv.finish()
}

/// The table of invoices and credit notes in the order of issue, and the ids, account by account
/// in the order of the book.
fn invoices(accounts: &[Account]) -> (String, Vec<Vec<String>>) {
    let mut all: Vec<(usize, usize, &Account, &Item)> = Vec::new();
    for (owner, account) in accounts.iter().enumerate() {
        all.extend(
            account.book.items.iter().enumerate().map(|(at, item)| (owner, at, account, item)),
        );
    }
    all.sort_by_key(|(owner, at, _, item)| (item.issued_on, *owner, *at));

    let blank = |account: &Account| vec![String::new(); account.book.items.len()];
    let mut ids: Vec<Vec<String>> = accounts.iter().map(blank).collect();
    let (mut invoices, mut credit_notes) = (0_u32, 0_u32);
    let mut csv = Csv::new(INVOICES);
    for (owner, at, Account { customer, .. }, item) in all {
        let (kind, prefix, number) = match item.kind {
            Kind::Invoice => ("invoice", "INV", &mut invoices),
            Kind::CreditNote => ("credit-note", "CRN", &mut credit_notes),
        };
        *number += 1;
        let id = format!("{prefix}-{number:06}");
        csv.row([
            &id,
            &customer.id(),
            &kind,
            &item.issued_on,
            &item.due_on,
            &decimal(item.amount_minor, customer.currency.exponent()),
            &customer.currency.code(),
        ]);
        if let Some(slot) = ids.get_mut(owner).and_then(|book| book.get_mut(at)) {
            *slot = id;
        }
    }
    (csv.finish(), ids)
}

fn payments(accounts: &[Account], ids: &[Vec<String>]) -> String {
    let mut all: Vec<(&Account, &Receipt, &str)> = Vec::new();
    for (account, ids) in accounts.iter().zip(ids) {
        let name = |at: usize| ids.get(at).map_or("", String::as_str);
        all.extend(
            account.book.receipts.iter().map(|one| (account, one, one.names.map_or("", name))),
        );
    }
    // A stable sort: payments of one day stay in the order of the customers and their books.
    all.sort_by_key(|(account, receipt, _)| (receipt.received_on, account.customer.number));
    let mut csv = Csv::new(PAYMENTS);
    for (number, (Account { customer, .. }, receipt, invoice)) in (1_u32..).zip(all) {
        csv.row([
            &format!("PAY-{number:06}"),
            &customer.id(),
            &receipt.received_on,
            &decimal(receipt.amount_minor, customer.currency.exponent()),
            &customer.currency.code(),
            &invoice,
        ]);
    }
    csv.finish()
}

fn summarise(window: Window, accounts: &[Account], truth: &Truth) -> Summary {
    let mut sum = Summary { from: window.from, ..Summary::default() };
    sum.balances =
        Currency::ALL.map(|currency| (currency.code(), balance(accounts, currency))).into();
    sum.bad_customers = truth.customers.iter().map(|one| u32::from(one.bad)).sum();
    for Account { book, .. } in accounts {
        sum.customers += 1;
        sum.contracts += 1;
        sum.over_payments += book.over_payments;
        sum.payments_for_several += book.bundled_receipts;
        for receipt in &book.receipts {
            sum.payments += 1;
            sum.payments_on_account += u32::from(receipt.names.is_none());
        }
        for item in &book.items {
            let open = item.open_minor > 0;
            sum.invoices += u32::from(item.kind == Kind::Invoice);
            sum.credit_notes += u32::from(item.kind == Kind::CreditNote);
            sum.open_invoices += u32::from(open);
            sum.overdue_invoices += u32::from(open && item.due_on < window.today);
            sum.part_paid_invoices += u32::from(open && item.open_minor < item.amount_minor);
        }
    }
    sum
}

fn balance(accounts: &[Account], currency: Currency) -> i64 {
    let mut total = 0_i64;
    for Account { book, .. } in accounts.iter().filter(|one| one.customer.currency == currency) {
        for item in &book.items {
            total = match item.kind {
                Kind::Invoice => total.saturating_add(item.amount_minor),
                Kind::CreditNote => total.saturating_sub(item.amount_minor),
            };
        }
        for receipt in &book.receipts {
            total = total.saturating_sub(receipt.amount_minor);
        }
    }
    total
}
