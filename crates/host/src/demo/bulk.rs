//! Big, plain data for benches: CSV rows written as they are drawn, so a million invoices take no
//! more memory than one buffer. Ids are sequential; the customer of each invoice is random.

use super::calendar::add_days;
use super::names::{chinese, english};
use super::random::Random;
use chrono::NaiveDate;
use std::io::{self, Write};

/// Rows are gathered up to this many bytes before they go to the writer.
const BUFFER_BYTES: usize = 64 * 1024;
/// Invoices are issued over this many days up to today, so every ageing bucket is filled.
const ISSUE_DAYS: u64 = 180;
/// Every fourth customer is billed in euros.
const EURO_EVERY: u64 = 4;
const NET_DAYS: [u64; 4] = [14, 30, 45, 60];
const LONGEST_NET: u64 = 60;

pub const CUSTOMERS_HEADER: &str =
    "id,name,country,currency,language,time_zone,email,phone,credit_limit\n";
pub const INVOICES_HEADER: &str = "id,customer_id,kind,issued_on,due_on,amount,currency\n";

/// How much data, and from which draw.
#[derive(Debug, Clone, Copy)]
pub struct Bulk {
    pub seed: u64,
    /// Customers `C0000001` to this number; at least one is assumed when invoices are drawn.
    pub customers: u64,
    /// Open invoices `I00000001` to this number.
    pub invoices: u64,
    pub today: NaiveDate,
}

/// One open invoice before it becomes a row, for benches that insert the same data natively.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invoice {
    /// 1, 2, 3…; the id is `I` and eight digits.
    pub number: u64,
    /// The id is `C` and seven digits.
    pub customer: u64,
    /// Days from the issue until today.
    pub age_days: u64,
    pub net_days: u64,
    /// Both currencies have two decimals.
    pub amount_minor: u64,
    pub currency: &'static str,
}

impl Bulk {
    /// The invoices in the order of their numbers; the same ones at every call.
    pub fn invoices(&self) -> impl Iterator<Item = Invoice> + use<> {
        let mut random = Random::new(self.seed, 1);
        let customers = self.customers.max(1);
        (1..=self.invoices).map(move |number| {
            // Two words serve the whole row: benches should wait for the importer, not for us.
            let word = random.word();
            let customer = 1 + random.below(customers);
            let net = (word & 3) as usize;
            Invoice {
                number,
                customer,
                age_days: (((word >> 2) & 0xFFFF) * (ISSUE_DAYS + 1)) >> 16,
                net_days: NET_DAYS.get(net).copied().unwrap_or(LONGEST_NET),
                amount_minor: 1_000 + ((word >> 18) & 0xFF_FFFF),
                currency: currency_of(customer),
            }
        })
    }

    /// Writes the invoices as CSV of profile `generic`; answers how many rows follow the header.
    ///
    /// # Errors
    /// Whatever the writer refuses.
    pub fn write_invoices(&self, out: &mut impl Write) -> io::Result<u64> {
        // Day 0 is the oldest issue date, so that every offset is a plain index.
        let first = add_days(self.today, -(ISSUE_DAYS as i64));
        let text = |day: u64| add_days(first, day as i64).to_string().into_bytes();
        let dates: Vec<Vec<u8>> = (0..=ISSUE_DAYS + LONGEST_NET).map(text).collect();
        let date = |day: u64| usize::try_from(day).ok().and_then(|day| dates.get(day));
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + 256);
        buffer.extend_from_slice(INVOICES_HEADER.as_bytes());
        let mut rows = 0;
        for one in self.invoices() {
            let issued = ISSUE_DAYS.saturating_sub(one.age_days);
            buffer.push(b'I');
            push_digits(&mut buffer, one.number, 8);
            buffer.extend_from_slice(b",C");
            push_digits(&mut buffer, one.customer, 7);
            buffer.extend_from_slice(b",invoice,");
            buffer.extend(date(issued).into_iter().flatten());
            buffer.push(b',');
            buffer.extend(date(issued + one.net_days).into_iter().flatten());
            buffer.push(b',');
            push_digits(&mut buffer, one.amount_minor / 100, 1);
            buffer.push(b'.');
            push_digits(&mut buffer, one.amount_minor % 100, 2);
            buffer.push(b',');
            buffer.extend_from_slice(one.currency.as_bytes());
            buffer.push(b'\n');
            rows += 1;
            flush_when_full(&mut buffer, out)?;
        }
        out.write_all(&buffer)?;
        Ok(rows)
    }

    /// Writes the customers as CSV of profile `generic`; answers how many rows follow the header.
    ///
    /// # Errors
    /// Whatever the writer refuses.
    pub fn write_customers(&self, out: &mut impl Write) -> io::Result<u64> {
        let mut random = Random::new(self.seed, 2);
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + 1_024);
        buffer.extend_from_slice(CUSTOMERS_HEADER.as_bytes());
        for number in 1..=self.customers {
            let small = u32::try_from(number).unwrap_or(u32::MAX);
            let who = match currency_of(number) {
                "EUR" => english(&mut random, small),
                _ => chinese(&mut random, small),
            };
            buffer.push(b'C');
            push_digits(&mut buffer, number, 7);
            writeln!(
                buffer,
                ",\"{}\",{},{},{},{},{},{},{}.00",
                who.name,
                who.country,
                currency_of(number),
                who.language,
                who.time_zone,
                who.email,
                who.phone,
                1_000 * (50 + random.below(4_950)),
            )?;
            flush_when_full(&mut buffer, out)?;
        }
        out.write_all(&buffer)?;
        Ok(self.customers)
    }
}

/// A customer has one currency, so that its invoices add up.
fn currency_of(customer: u64) -> &'static str {
    if customer.is_multiple_of(EURO_EVERY) { "EUR" } else { "CNY" }
}

fn flush_when_full(buffer: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    if buffer.len() >= BUFFER_BYTES {
        out.write_all(buffer)?;
        buffer.clear();
    }
    Ok(())
}

/// The number in decimal, padded with zeros to at least `width` digits (20 at most).
fn push_digits(buffer: &mut Vec<u8>, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let (mut left, mut used) = (number, 0);
    for slot in digits.iter_mut().rev() {
        if left == 0 && used >= width {
            break;
        }
        *slot = b'0' + (left % 10) as u8;
        left /= 10;
        used += 1;
    }
    buffer.extend(digits.get(digits.len() - used..).into_iter().flatten());
}
