//! A customer's ledger line by line: what was claimed, what came in, and what is owed after each.

use crate::{invoice::Reading, ledger::missing};
use dunlin_domain::{
    Currency, Date, Id, Instant,
    arrange::set,
    contract::{
        ledger::{CustomerLedger, EntryKind, LedgerEntry},
        types::{Difference, InvoiceKind, ReversalKind},
    },
};
use dunlin_store::{Db, Fault, adjustment, allocation::Part, customer, invoice, payment, reversal};
use std::collections::BTreeMap;

/// The customer's ledger as it stood on the day, as known with an audit entry. All of it: the edge cuts pages.
pub fn of<D: Db>(
    db: &D,
    id: &Id,
    day: Date,
    known_at: Option<Instant>,
    known: i64,
) -> Result<CustomerLedger, Fault> {
    let key = customer::known_key(db, id, known)?.ok_or_else(|| missing("customer"))?;
    let mut lines = Vec::new();
    claims(db, key, day, known, &mut lines)?;
    money(db, id, day, known, &mut lines)?;
    // On one day claims come first, and what a payment brings with it stands after it.
    lines.sort_by(|a, b| (a.on, a.kind, &a.id, a.minor).cmp(&(b.on, b.kind, &b.id, b.minor)));
    let mut balances: BTreeMap<Currency, i64> = BTreeMap::new();
    for line in &mut lines {
        let balance = balances.entry(line.currency).or_default();
        *balance = balance.saturating_add(line.minor);
        line.balance_minor = *balance;
    }
    Ok(CustomerLedger { customer_id: id.clone(), as_of: day, known_at, entries: lines, next: None })
}

fn line(on: Date, kind: EntryKind, id: &Id, minor: i64, currency: Currency) -> LedgerEntry {
    LedgerEntry { on, kind, id: id.to_string(), minor, currency, balance_minor: 0 }
}

fn claims<D: Db>(
    db: &D,
    customer: i64,
    day: Date,
    known: i64,
    lines: &mut Vec<LedgerEntry>,
) -> Result<(), Fault> {
    let reading = Reading::of(db, &invoice::keys_of(db, customer)?, day, known)?;
    for item in reading.documents().filter(|item| item.issued_on <= day) {
        let amount = reading.amount(item);
        let (kind, minor) = match item.kind {
            InvoiceKind::Invoice => (EntryKind::Invoice, amount),
            InvoiceKind::InterestNote => (EntryKind::InterestNote, amount),
            InvoiceKind::Fee => (EntryKind::Fee, amount),
            InvoiceKind::CreditNote => (EntryKind::CreditNote, amount.saturating_neg()),
        };
        lines.push(line(item.issued_on, kind, &item.id, minor, item.currency));
        for refund in reading.refunds(item) {
            let (id, minor) = (&refund.id, refund.minor);
            let on = refund.on.max(item.issued_on);
            lines.push(line(on, EntryKind::Reversal, id, minor, item.currency));
            if let Some(back) = refund.reversed_on {
                let minor = minor.saturating_neg();
                lines.push(line(back.max(on), EntryKind::Reversal, id, minor, item.currency));
            }
        }
    }
    let ended = adjustment::ended(db, customer)?;
    let came = |(_, part): &(_, &Part)| part.payment_id.is_some() && part.minor > 0;
    let came = reading.allocated().filter(came).map(|(item, part)| (item.key, part.on));
    let came = set(came);
    for (item, part) in reading.allocated() {
        let Some(difference) = part.difference else { continue };
        let ended = part.adjustment_id.as_ref().and_then(|id| ended.get(id));
        // What turned out never to have been owed takes a write-off back as well, and no money came.
        let recovered = difference == Difference::WriteOff
            && part.minor < 0
            && ended != Some(&part.on)
            && came.contains(&(item.key, part.on));
        let kind = if recovered { EntryKind::Recovery } else { EntryKind::Adjustment };
        let id = part.adjustment_id.as_ref().or(part.payment_id.as_ref()).unwrap_or(&item.id);
        lines.push(line(part.on, kind, id, part.minor.saturating_neg(), item.currency));
    }
    Ok(())
}

fn money<D: Db>(
    db: &D,
    customer: &Id,
    day: Date,
    known: i64,
    lines: &mut Vec<LedgerEntry>,
) -> Result<(), Fault> {
    let first = (String::new(), 0);
    let payments = payment::page(db, customer, &first, u32::MAX, day, known)?;
    let keys: Vec<i64> = payments.iter().map(|payment| payment.key).collect();
    let mut reversals = reversal::of_payments(db, &keys, known)?;
    for payment in payments {
        let minor = payment.converted_minor.saturating_sub(payment.amount_minor);
        lines.push(line(
            payment.received_on,
            EntryKind::Payment,
            &payment.id,
            minor,
            payment.currency,
        ));
        for back in reversals.remove(&payment.key).unwrap_or_default() {
            let mistake = back.kind == ReversalKind::Mistake;
            let on = if mistake { payment.received_on } else { back.on.max(payment.received_on) };
            let minor = back.minor.saturating_sub(back.converted_minor.unwrap_or(0));
            if on <= day && minor > 0 {
                lines.push(line(on, EntryKind::Reversal, &back.id, minor, payment.currency));
            }
        }
    }
    Ok(())
}
