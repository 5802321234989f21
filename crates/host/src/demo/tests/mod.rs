//! The rules of the generated tables, checked by reading the files back.

mod behaviours;

use super::bulk::{Bulk, CUSTOMERS_HEADER, INVOICES_HEADER};
use super::calendar::{add_days, days_between, is_weekday};
use super::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

fn today() -> NaiveDate {
    "2026-03-18".parse().expect("a date")
}

fn company(seed: u64) -> Company {
    generate(&Options::new(seed, today()))
}

/// Default companies of several seeds, generated and read back once for all tests.
static COMPANIES: LazyLock<Vec<(Company, Read)>> = LazyLock::new(|| {
    let pair = |one: Company| {
        let back = read(&one);
        (one, back)
    };
    (0..10).map(|seed| pair(company(seed))).collect()
});

/// The cells of a CSV text whose quoted cells hold no line breaks, without the header.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let (mut cells, mut quoted) = (vec![String::new()], false);
        for sign in line.chars() {
            match sign {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                other => cells.last_mut().expect("one cell").push(other),
            }
        }
        assert!(!quoted, "an open quote in {line}");
        cells
    };
    csv.lines().skip(1).map(cells).collect()
}

fn day(text: &str) -> NaiveDate {
    assert_eq!(text.len(), 10, "{text}");
    text.parse().expect("a real calendar date")
}

fn minor(text: &str) -> i64 {
    let (whole, rest) = text.split_once('.').expect("a decimal");
    assert_eq!(rest.len(), 2, "{text}");
    format!("{whole}{rest}").parse().expect("digits")
}

#[derive(Debug)]
struct Document {
    customer: String,
    kind: String,
    issued_on: NaiveDate,
    due_on: NaiveDate,
    minor: i64,
    paid: i64,
}

struct Read {
    /// id → (currency, language, limit).
    customers: BTreeMap<String, (String, String, i64)>,
    documents: BTreeMap<String, Document>,
    /// Customer, day, amount, invoice id.
    payments: Vec<(String, NaiveDate, i64, String)>,
    truth: Truth,
}

impl Read {
    fn behaviour(&self, id: &str) -> Behaviour {
        self.truth.customers.iter().find(|one| one.id == id).expect("a known customer").behaviour
    }

    fn invoices_of(&self, id: &str) -> impl Iterator<Item = &Document> {
        self.documents.values().filter(move |one| one.customer == id && one.kind == "invoice")
    }

    fn members(&self, behaviour: Behaviour) -> impl Iterator<Item = &CustomerTruth> {
        self.truth.customers.iter().filter(move |one| one.behaviour == behaviour)
    }
}

/// Reads a company back and refuses what an import would.
fn read(company: &Company) -> Read {
    let mut customers = BTreeMap::new();
    for row in rows(&company.customers_csv) {
        assert_eq!(row.len(), 9);
        let master = (row[3].clone(), row[4].clone(), minor(&row[8]));
        assert!(customers.insert(row[0].clone(), master).is_none(), "{} twice", row[0]);
    }
    let mut documents = BTreeMap::new();
    for row in rows(&company.invoices_csv) {
        assert_eq!(row.len(), 7);
        let (issued_on, due_on) = (day(&row[3]), day(&row[4]));
        let (currency, _, _) = customers.get(&row[1]).expect("the customer of the invoice");
        assert_eq!(currency, &row[6]);
        assert!(due_on >= issued_on && issued_on <= today() && is_weekday(issued_on), "{row:?}");
        assert!(["invoice", "credit-note"].contains(&row[2].as_str()) && minor(&row[5]) > 0);
        let (customer, kind, minor) = (row[1].clone(), row[2].clone(), minor(&row[5]));
        let document = Document { customer, kind, issued_on, due_on, minor, paid: 0 };
        assert!(documents.insert(row[0].clone(), document).is_none(), "{} twice", row[0]);
    }
    let mut payments = Vec::new();
    for row in rows(&company.payments_csv) {
        assert_eq!(row.len(), 6);
        let (received_on, amount) = (day(&row[2]), minor(&row[3]));
        let (currency, _, _) = customers.get(&row[1]).expect("the customer of the payment");
        assert_eq!(currency, &row[4]);
        assert!(received_on <= today() && is_weekday(received_on) && amount > 0, "{row:?}");
        if !row[5].is_empty() {
            let named = documents.get_mut(&row[5]).expect("the invoice of the payment");
            assert_eq!(
                (named.customer.as_str(), named.kind.as_str()),
                (row[1].as_str(), "invoice")
            );
            assert!(received_on >= named.issued_on, "{row:?}");
            named.paid += amount;
        }
        payments.push((row[1].clone(), received_on, amount, row[5].clone()));
    }
    let truth = Truth::parse(&company.truth_json).expect("a truth file");
    assert!(truth.customers.iter().map(|one| &one.id).eq(customers.keys()));
    Read { customers, documents, payments, truth }
}

#[test]
fn the_same_options_give_the_same_bytes() {
    assert_eq!(company(1), company(1));
    assert_ne!(company(1).invoices_csv, company(2).invoices_csv);
    assert_ne!(company(1).customers_csv, company(2).customers_csv);
}

/// A change here is a change of every demo, screenshot and documented figure: make it on purpose.
#[test]
fn the_default_company_is_pinned() {
    let one = company(1);
    let files =
        [one.customers_csv, one.contracts_csv, one.invoices_csv, one.payments_csv, one.truth_json];
    // FNV-1a, 64 bits.
    let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = files.concat().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    assert_eq!(format!("{sum:016x}"), "9cdd2cd4fea6787e");
}

#[test]
fn every_reference_and_date_holds() {
    for (one, read) in COMPANIES.iter() {
        for row in rows(&one.contracts_csv) {
            let net: i64 = row[3].parse().expect("days");
            assert!([14, 30, 45, 60].contains(&net) && read.customers.contains_key(&row[1]));
            for invoice in read.invoices_of(&row[1]) {
                assert!(day(&row[2]) < invoice.issued_on, "{row:?}");
                assert_eq!(days_between(invoice.issued_on, invoice.due_on), net);
            }
        }
    }
}

#[test]
fn named_payments_exceed_an_invoice_only_on_purpose() {
    for (one, read) in COMPANIES.iter() {
        let over: Vec<&Document> =
            read.documents.values().filter(|document| document.paid > document.minor).collect();
        assert_eq!(over.len(), one.summary.over_payments as usize);
        assert!(over.iter().all(|one| (one.paid - one.minor) * 100 <= one.minor), "{over:?}");
    }
}

#[test]
fn the_summary_counts_what_the_files_hold() {
    let (one, read) = &COMPANIES[1];
    let sum = &one.summary;
    let credit_notes = read.documents.values().filter(|one| one.kind == "credit-note").count();
    let count = |number: usize| u32::try_from(number).expect("a small count");
    assert_eq!(sum.customers, 60);
    assert_eq!(sum.contracts, count(rows(&one.contracts_csv).len()));
    assert_eq!(sum.credit_notes, count(credit_notes));
    assert_eq!(sum.invoices, count(read.documents.len() - credit_notes));
    assert_eq!(sum.payments, count(read.payments.len()));
    assert_eq!(sum.bad_customers, count(read.truth.customers.iter().filter(|one| one.bad).count()));
    for (currency, balance) in &sum.balances {
        let billed = |id: &str| read.customers[id].0 == *currency;
        let documents = read.documents.values().filter(|one| billed(&one.customer));
        let charged: i64 =
            documents.map(|one| if one.kind == "invoice" { one.minor } else { -one.minor }).sum();
        let paid: i64 = read.payments.iter().filter(|one| billed(&one.0)).map(|one| one.2).sum();
        assert_eq!(charged - paid, *balance, "{currency}");
    }
    for (what, number) in [
        ("credit notes", sum.credit_notes),
        ("on account", sum.payments_on_account),
        ("for several", sum.payments_for_several),
        ("over-payments", sum.over_payments),
        ("part paid", sum.part_paid_invoices),
        ("overdue", sum.overdue_invoices),
    ] {
        assert!(number > 0, "no {what}");
    }
}

#[test]
fn both_currencies_and_both_languages_are_present() {
    for (one, read) in COMPANIES.iter() {
        let has = |test: &dyn Fn(&(String, String, i64)) -> bool| {
            read.customers.values().filter(|one| test(one)).count()
        };
        assert_eq!(has(&|one| one.1 == "zh-CN"), 36);
        assert_eq!(has(&|one| one.1 == "en"), 24);
        assert!(has(&|one| one.0 == "CNY") >= 20 && has(&|one| one.0 == "EUR") >= 12);
        let people = rows(&one.customers_csv);
        let names: BTreeSet<&String> = people.iter().map(|row| &row[1]).collect();
        assert_eq!(names.len(), people.len());
        assert!(people.iter().all(|row| row[6].is_ascii() && row[6].ends_with(".example")));
    }
}

#[test]
fn small_and_strange_companies_are_generated_too() {
    for customers in [0, 1, 3, 19] {
        for months in [0, 1, 2] {
            let one = generate(&Options { customers, months, ..Options::new(9, today()) });
            assert_eq!(read(&one).customers.len(), customers as usize);
        }
    }
    for today in [NaiveDate::MIN, NaiveDate::MAX] {
        let one = generate(&Options::new(9, today));
        assert_eq!(one.summary.customers, 60);
    }
}

#[test]
fn bulk_writes_exactly_the_rows_asked_for() {
    let bulk = Bulk { seed: 1, customers: 500, invoices: 20_000, today: today() };
    let (mut customers, mut invoices) = (Vec::new(), Vec::new());
    assert_eq!(bulk.write_customers(&mut customers).expect("memory"), 500);
    assert_eq!(bulk.write_invoices(&mut invoices).expect("memory"), 20_000);
    let customers = String::from_utf8(customers).expect("UTF-8");
    let invoices = String::from_utf8(invoices).expect("UTF-8");
    assert!(customers.starts_with(CUSTOMERS_HEADER) && invoices.starts_with(INVOICES_HEADER));
    let master: BTreeMap<String, String> =
        rows(&customers).into_iter().map(|row| (row[0].clone(), row[3].clone())).collect();
    let table = rows(&invoices);
    assert_eq!((master.len(), table.len()), (500, 20_000));
    assert_eq!((table[0][0].as_str(), table[19_999][0].as_str()), ("I00000001", "I00020000"));
    for (row, one) in table.iter().zip(bulk.invoices()) {
        assert_eq!(master.get(&row[1]), Some(&row[6]));
        assert_eq!(day(&row[3]), add_days(today(), -(one.age_days as i64)));
        assert_eq!(days_between(day(&row[3]), day(&row[4])), one.net_days as i64);
        assert_eq!(minor(&row[5]), one.amount_minor as i64);
    }
    let mut again = Vec::new();
    bulk.write_invoices(&mut again).expect("memory");
    assert_eq!(again, invoices.into_bytes());
}
