//! Payments: money that comes in, goes back, or was booked wrongly.

use crate::{
    audit::{self, Author, Note},
    ledger::{
        Change, ROW, amount_in_range, json, known_customer, missing, not_in_future, one, today,
        unless_differing,
    },
    replay, told,
};
use dunlin_domain::decimal::Times as _;
use dunlin_domain::{
    Currency, Date, Decimal, Id, Money, Refusal, Refused,
    contract::{
        ledger::{NewReversal, PaymentCorrection},
        types::{Difference, InvoiceKind, NewPayment, Payment, Reversal, ReversalKind},
    },
    decimal, order, text,
};
use dunlin_store::{
    Db, Fault, When, allocation,
    allocation::Owing,
    correction::{self, Fields},
    exchange,
    invoice::{self, After, Named},
    payment, policy, reversal, write,
};
use std::collections::BTreeMap;

/// The most invoices that one payment names.
const MAX_NAMES: usize = 1_000;

/// The most characters of a reason.
pub(crate) const MAX_REASON: usize = 500;

/// Records a payment and sets it against what is open.
pub fn add<D: Db>(
    db: &D,
    new: &NewPayment,
    made: Id,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    write(db, |db| record(db, &id, new, author)).map(|change| (id.clone(), change))
}

/// The same inside a transaction that does more.
pub(crate) fn record<D: Db>(
    db: &D,
    id: &Id,
    new: &NewPayment,
    author: &Author,
) -> Result<Change, Fault> {
    amount_in_range(&new.amount, 1)?;
    check(new)?;
    let customer = known_customer(db, &new.customer_id)?;
    let contract = new.contract_id.as_ref().map(|id| payment::contract(db, id, customer));
    let contract = contract.transpose()?;
    let names = Names::of(db, new, customer)?;
    let row = |names: &Names| {
        one((
            ROW,
            id,
            &new.customer_id,
            new.received_on,
            new.amount.minor,
            new.amount.currency,
            &new.invoice_id,
            contract,
            &new.order,
            names.designation(new.amount.currency),
            (!names.deductions.is_empty()).then_some(&names.deductions),
            (!names.settles.is_empty()).then_some(&names.settles),
            None::<i64>,
            names.converted,
        ))
    };
    let rows = row(&names)?;
    if payment::key(db, id)?.is_some() {
        unless_differing(payment::differing(db, &rows)?)?;
        return Ok(Change::AlreadySo);
    }
    not_in_future(new.received_on, today(db, author.at)?, "received_on")?;
    if let Some(order) = &new.order {
        order::named(order, policy::current(db)?.orders.as_deref().unwrap_or_default())?;
    }
    if let Some((_, code)) = payment::misnamed(db, &rows)?.pop() {
        return Err(Refused::new(code, code.about()).at("invoice_id").into());
    }
    let entry = audit::note(db, author, &Note::made("payment", id.as_str(), new)?)?;
    payment::insert_all(db, &rows, Some(entry))?;
    names.convert(db, id, new, contract, entry)?;
    replay::customers(db, &[customer], author.at, Some(entry))?;
    Ok(Change::Made)
}

/// What can be seen to be wrong without the ledger.
fn check(new: &NewPayment) -> Result<(), Refused> {
    let refused =
        |code: Refusal, field: &str, detail: &str| Err(Refused::new(code, detail).at(field));
    let parts = new.designation.as_deref().unwrap_or_default();
    let deductions = new.deductions.as_deref().unwrap_or_default();
    let settles = new.settles.as_deref().unwrap_or_default();
    if new.invoice_id.is_some() && new.designation.is_some() {
        let detail = "a payment names one invoice, or several with amounts, not both";
        return refused(Refusal::MalformedField, "designation", detail);
    }
    if parts.len().max(deductions.len()).max(settles.len()) > MAX_NAMES {
        let detail = format!("a payment names at most {MAX_NAMES} invoices");
        return refused(Refusal::MalformedField, "designation", &detail);
    }
    if parts.iter().any(|part| part.minor < 1) {
        return refused(Refusal::AmountNotPositive, "designation", "a part is at least 1");
    }
    for deduction in deductions {
        if deduction.minor < 1 {
            return refused(Refusal::AmountNotPositive, "deductions", "a deduction is at least 1");
        }
        let may = [Difference::Withholding, Difference::BankCharge, Difference::Agreed];
        if !may.contains(&deduction.reason) {
            let detail = "a deduction is withholding, bank-charge or agreed";
            return refused(Refusal::MalformedField, "deductions", detail);
        }
    }
    Ok(())
}

/// What a payment names, by the store's keys.
struct Names {
    /// The invoices, how much for each, and in which currency.
    parts: Vec<(i64, i64, Currency)>,
    deductions: Vec<(i64, i64, Difference)>,
    settles: Vec<i64>,
    /// How much of the payment is changed into other currencies.
    converted: i64,
}

impl Names {
    fn of<D: Db>(db: &D, new: &NewPayment, customer: i64) -> Result<Self, Fault> {
        let parts = new.designation.as_deref().unwrap_or_default();
        let deductions = new.deductions.as_deref().unwrap_or_default();
        let settles = new.settles.as_deref().unwrap_or_default();
        let mut ids: Vec<&str> = parts.iter().map(|part| part.invoice_id.as_str()).collect();
        ids.extend(deductions.iter().map(|deduction| deduction.invoice_id.as_str()));
        ids.extend(settles.iter().map(Id::as_str));
        let found = if ids.is_empty() { Vec::new() } else { invoice::named(db, &ids)? };
        let found: BTreeMap<&Id, &Named> = found.iter().map(|named| (&named.0, named)).collect();
        let payable = |id: &Id, field: &str| {
            let refused = |code: Refusal| {
                Fault::from(Refused::new(code, format!("{id}: {}", code.about())).at(field))
            };
            let named = *found.get(id).ok_or_else(|| refused(Refusal::UnknownInvoice))?;
            if named.2 != customer {
                return Err(refused(Refusal::InvoiceOfAnotherCustomer));
            }
            if named.3 == InvoiceKind::CreditNote {
                return Err(refused(Refusal::NotPayable));
            }
            Ok(named)
        };
        let same_currency = |id: &Id, field: &str| {
            let named = payable(id, field)?;
            if named.4 != new.amount.currency {
                let detail = format!("{id} is in {}", named.4);
                return Err(Fault::from(Refused::new(Refusal::CurrencyMismatch, detail).at(field)));
            }
            Ok(named.1)
        };
        let mut names =
            Self { parts: Vec::new(), deductions: Vec::new(), settles: Vec::new(), converted: 0 };
        let mut total = 0i64;
        for part in parts {
            let named = payable(&part.invoice_id, "designation")?;
            names.parts.push((named.1, part.minor, named.4));
            let minor = match named.4 == new.amount.currency {
                true => part.minor,
                false => {
                    let money = Money { minor: part.minor, currency: named.4 };
                    let minor = cost(db, money, new.amount.currency, new.received_on)?;
                    names.converted = names.converted.saturating_add(minor);
                    minor
                }
            };
            total = total.saturating_add(minor);
        }
        if total > new.amount.minor {
            let detail = format!("the parts come to {total}, the payment to {}", new.amount.minor);
            return Err(Refused::new(Refusal::PartsExceedAmount, detail).at("designation").into());
        }
        for deduction in deductions {
            let key = same_currency(&deduction.invoice_id, "deductions")?;
            let claimed = invoice::items(db, &[key], i64::MAX)?;
            let claimed = claimed.iter().fold(0i64, |sum, of| sum.saturating_add(of.amount_minor));
            if deduction.minor > claimed {
                let detail = format!("{} claims {claimed}", deduction.invoice_id);
                let refused = Refused::new(Refusal::PartsExceedAmount, detail);
                return Err(refused.at("deductions").into());
            }
            names.deductions.push((key, deduction.minor, deduction.reason));
        }
        for id in settles {
            names.settles.push(same_currency(id, "settles")?);
        }
        Ok(names)
    }

    /// The parts in one currency, by key.
    fn designation(&self, currency: Currency) -> Option<Vec<(i64, i64)>> {
        let of = self.parts.iter().filter(|part| part.2 == currency);
        let parts: Vec<(i64, i64)> = of.map(|(key, minor, _)| (*key, *minor)).collect();
        (!parts.is_empty()).then_some(parts)
    }

    /// Records what was changed into other currencies as payments in these, parts of the one that came.
    fn convert<D: Db>(
        &self,
        db: &D,
        id: &Id,
        new: &NewPayment,
        contract: Option<i64>,
        entry: i64,
    ) -> Result<(), Fault> {
        let mut totals: BTreeMap<Currency, i64> = BTreeMap::new();
        for (_, minor, currency) in self.parts.iter().filter(|part| part.2 != new.amount.currency) {
            let total = totals.entry(*currency).or_default();
            *total = total.saturating_add(*minor);
        }
        let origin = payment::key(db, id)?.map(|(key, _)| key);
        for (currency, minor) in totals {
            amount_in_range(&Money { minor, currency }, 1)
                .map_err(|refused| Refused { field: Some("designation".into()), ..refused })?;
            let part: Id = format!("{id}/{currency}").parse()?;
            if payment::key(db, &part)?.is_some() {
                let detail =
                    format!("the part in {currency} would be called {part}, which is taken");
                return Err(Refused::new(Refusal::DifferentContent, detail).at("id").into());
            }
            let rows = one((
                ROW,
                &part,
                &new.customer_id,
                new.received_on,
                minor,
                currency,
                None::<Id>,
                contract,
                &new.order,
                self.designation(currency),
                None::<i64>,
                None::<i64>,
                origin,
                None::<i64>,
            ))?;
            payment::insert_all(db, &rows, Some(entry))?;
        }
        Ok(())
    }
}

/// What an amount costs in another currency on a day, rounded half away from zero.
fn cost<D: Db>(db: &D, money: Money, currency: Currency, day: Date) -> Result<i64, Fault> {
    let rate = exchange::on(db, money.currency, currency, day)?;
    let too_large =
        || Refused::new(Refusal::AmountTooLarge, Refusal::AmountTooLarge.about()).at("designation");
    let value = Decimal::from_i128_with_scale(i128::from(money.minor), money.currency.exponent());
    let units = 10i64.checked_pow(currency.exponent()).map(Decimal::from);
    let minor = value.times(rate).zip(units).and_then(|(value, units)| value.times(units));
    let minor = minor.map(|minor| decimal::round(minor, 0));
    let minor = minor.and_then(|minor| i64::try_from(minor).ok());
    let minor = minor.ok_or_else(too_large)?;
    if minor < 1 {
        let detail = format!(
            "{} {} costs less than the smallest amount of {currency}",
            money.to_decimal(),
            money.currency
        );
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("designation").into());
    }
    Ok(minor)
}

/// Money goes back: all or some of a payment, from a day on, or as if it had never come.
pub fn reverse<D: Db>(
    db: &D,
    id: &Id,
    new: &NewReversal,
    made: Id,
    author: &Author,
) -> Result<Change, Fault> {
    let reversal_id = new.id.clone().unwrap_or(made);
    write(db, |db| go_back(db, id, &reversal_id, new, author))
}

/// The same inside a transaction that does more.
pub(crate) fn go_back<D: Db>(
    db: &D,
    id: &Id,
    reversal_id: &Id,
    new: &NewReversal,
    author: &Author,
) -> Result<Change, Fault> {
    check_reason(new.reason.as_deref())?;
    if new.minor.is_some_and(|minor| minor < 1) {
        let detail = "what goes back is at least 1";
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("minor").into());
    }
    let item = stored(db, id)?;
    let done = reversal::of_payments(db, &[item.key], i64::MAX)?.remove(&item.key);
    let done = done.unwrap_or_default();
    let parts: Vec<payment::Item> = payment::parts(db, item.key)?
        .iter()
        .map(|part| stored(db, part))
        .collect::<Result<_, _>>()?;
    let part_id = |part: &payment::Item| format!("{reversal_id}/{}", part.currency);
    let mut with_parts_before = false;
    let mut left_of_parts = 0i64;
    for part in &parts {
        let back = reversal::of_payments(db, &[part.key], i64::MAX)?.remove(&part.key);
        let back = back.unwrap_or_default();
        with_parts_before |= back.iter().any(|back| back.id.as_str() == part_id(part));
        let gone = back.iter().fold(0i64, |sum, back| sum.saturating_add(back.minor));
        left_of_parts = left_of_parts.saturating_add(part.amount_minor.saturating_sub(gone).max(0));
    }
    let before = reversal::get(db, reversal_id)?;
    if before.is_some() || with_parts_before {
        return same(&before, with_parts_before, &item, new);
    }
    if let Some(origin) = &item.converted_from {
        let detail =
            format!("this is a part of {origin}, changed into {}: reverse that", item.currency);
        return Err(Fault::refused(Refusal::WrongState, detail));
    }
    let mistake = new.kind == ReversalKind::Mistake;
    let latest = today(db, author.at)?;
    let on = match new.on {
        Some(on) if mistake && on != item.received_on => {
            let detail = "a mistake counts from the day of the payment: leave the day away";
            return Err(Refused::new(Refusal::MalformedField, detail).at("on").into());
        }
        Some(on) => {
            not_in_future(on, latest, "on")?;
            on
        }
        None if mistake => item.received_on,
        None => latest,
    };
    if on < item.received_on {
        let detail = format!("the payment came in on {}", item.received_on);
        return Err(Refused::new(Refusal::DateOutOfRange, detail).at("on").into());
    }
    let gone = done.iter().fold(0i64, |sum, back| sum.saturating_add(back.minor));
    let own = item.amount_minor.saturating_sub(item.converted_minor).saturating_sub(gone);
    let converted = if left_of_parts > 0 { item.converted_minor } else { 0 };
    let all = own.saturating_add(converted);
    let minor = new.minor.unwrap_or(all);
    let with_parts = converted > 0 && minor == all;
    if minor > own && !with_parts || minor == 0 {
        let detail = format!("at most {own} can go back, or all {all} at once");
        return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
    }
    let made = NewReversal {
        id: Some(reversal_id.clone()),
        on: Some(on),
        minor: Some(minor),
        ..new.clone()
    };
    let note = Note::changed("reverse", "payment", id.as_str(), None::<()>.as_ref(), Some(&made))?;
    let entry = audit::note(db, author, &note)?;
    let customer = known_customer(db, &item.customer_id)?;
    let back = reversal::New {
        id: reversal_id.as_str(),
        customer_key: customer,
        payment_key: item.key,
        on,
        kind: new.kind,
        minor: if with_parts { own } else { minor },
        reason: new.reason.as_deref(),
    };
    if back.minor > 0 {
        reversal::insert(db, &back, entry)?;
    }
    for part in parts.iter().filter(|_| with_parts) {
        let id = part_id(part);
        let (payment_key, minor) = (part.key, part.amount_minor);
        reversal::insert(
            db,
            &reversal::New { id: &id, payment_key, minor, ..back.clone() },
            entry,
        )?;
    }
    replay::customers(db, &[customer], author.at, Some(entry))?;
    if mistake && minor == all {
        crate::bank::reopen(db, id, reversal_id, author)?;
    }
    Ok(Change::Made)
}

/// Whether a reversal that is there already is the one asked for: of the payment itself, of its parts in other
/// currencies, or of both.
fn same(
    before: &Option<(i64, Reversal)>,
    with_parts: bool,
    item: &payment::Item,
    new: &NewReversal,
) -> Result<Change, Fault> {
    let own = before.as_ref().map(|(_, before)| before);
    let converted = if with_parts { item.converted_minor } else { 0 };
    let minor = own.map_or(0, |before| before.minor).saturating_add(converted);
    let differs = [
        ("id", before.as_ref().is_some_and(|(payment, _)| *payment != item.key)),
        ("kind", own.is_some_and(|before| before.kind != new.kind)),
        ("minor", new.minor.is_some_and(|asked| asked != minor)),
        ("on", own.is_some_and(|before| new.on.is_some_and(|on| on != before.on))),
        ("reason", own.is_some_and(|before| before.reason != new.reason)),
    ];
    unless_differing(
        differs
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(field, _)| (ROW, field.into()))
            .collect(),
    )?;
    Ok(Change::AlreadySo)
}

/// Puts right what was booked wrongly: the ledger replays from the earlier of the two days.
pub fn correct<D: Db>(
    db: &D,
    id: &Id,
    new: &PaymentCorrection,
    author: &Author,
) -> Result<Change, Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let item = stored(db, id)?;
        if item.converted_minor > 0 || item.converted_from.is_some() {
            let detail = "a payment in several currencies is reversed and recorded again";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let mut wanted = NewPayment {
            id: Some(item.id.clone()),
            customer_id: item.customer_id.clone(),
            received_on: new.received_on.unwrap_or(item.received_on),
            amount: Money {
                minor: new.minor.unwrap_or(item.amount_minor),
                currency: item.currency,
            },
            invoice_id: None,
            designation: new.designation.clone(),
            order: None,
            contract_id: None,
            deductions: None,
            settles: None,
        };
        amount_in_range(&wanted.amount, 1)
            .map_err(|refused| Refused { field: Some("minor".into()), ..refused })?;
        check(&wanted)?;
        let customer = known_customer(db, &item.customer_id)?;
        let before = payment::designation(db, item.key)?;
        let kept = wanted.designation.is_none();
        if kept {
            wanted.designation = (!item.designation.is_empty()).then(|| item.designation.clone());
        }
        if wanted.received_on != item.received_on {
            not_in_future(wanted.received_on, today(db, author.at)?, "received_on")?;
        }
        let names = Names::of(db, &wanted, customer)?;
        if names.converted > 0 {
            let detail = "a payment in several currencies is reversed and recorded again";
            return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("designation").into());
        }
        let returned = reversal::of_payments(db, &[item.key], i64::MAX)?.remove(&item.key);
        let returned = returned
            .unwrap_or_default()
            .iter()
            .fold(0i64, |sum, back| sum.saturating_add(back.minor));
        if wanted.amount.minor < returned {
            let detail = format!("{returned} of it went back already");
            return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
        }
        let designation = (!kept)
            .then(|| json(&names.designation(item.currency).unwrap_or_default()))
            .transpose()?;
        let (was, is) = changes(&item, &wanted, before, designation.clone());
        if was == is {
            return Ok(Change::AlreadySo);
        }
        let note = Note::changed(
            "correct",
            "payment",
            id.as_str(),
            Some(&was),
            Some(&(&is, &new.reason)),
        )?;
        let entry = audit::note(db, author, &note)?;
        correction::insert(db, None, Some(item.key), &was, &is, &new.reason, entry)?;
        let owing = payment::correct(
            db,
            item.key,
            wanted.received_on,
            wanted.amount.minor,
            designation.as_deref(),
        )?;
        let owing = Owing { payments: [(item.key, owing)].into(), ..Owing::default() };
        replay::corrected(db, &[customer], &owing, author.at, Some(entry))?;
        Ok(Change::Replaced)
    })
}

/// The fields that a correction changes, before and after.
fn changes(
    item: &payment::Item,
    wanted: &NewPayment,
    before: Option<String>,
    after: Option<String>,
) -> (Fields, Fields) {
    let (mut was, mut is) = (Fields::default(), Fields::default());
    if item.received_on != wanted.received_on {
        (was.received_on, is.received_on) = (Some(item.received_on), Some(wanted.received_on));
    }
    if item.amount_minor != wanted.amount.minor {
        (was.amount_minor, is.amount_minor) = (Some(item.amount_minor), Some(wanted.amount.minor));
    }
    if after.is_some() && before != after {
        (was.designation, is.designation) = (Some(before.unwrap_or_else(|| "[]".into())), after);
    }
    (was, is)
}

fn check_reason(reason: Option<&str>) -> Result<(), Refused> {
    reason.map_or(Ok(()), |reason| text::check(reason, 1, MAX_REASON, "reason"))
}

fn stored<D: Db>(db: &D, id: &Id) -> Result<payment::Item, Fault> {
    payment::get(db, id, Date::LAST, i64::MAX)?.ok_or_else(|| missing("payment"))
}

/// The payment as it stood on the day, as known with an audit entry.
pub fn get<D: Db>(db: &D, id: &Id, day: Date, known: i64) -> Result<Payment, Fault> {
    let item = payment::get(db, id, day, known)?;
    let item = item.ok_or_else(|| missing("payment of that day or before"))?;
    let key = item.key;
    let payment = complete(db, vec![item], day, known)?.pop();
    let mut payment = payment.ok_or_else(|| missing("payment"))?;
    told::payment(db, &mut payment, key, known)?;
    Ok(payment)
}

/// A customer's payments by day, as they stood on the day.
pub fn page<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    when: impl Into<When>,
) -> Result<Vec<(Payment, After)>, Fault> {
    let When { day, known } = when.into();
    let items = payment::page(db, customer, after, limit, day, known)?;
    let places: Vec<After> =
        items.iter().map(|item| (item.received_on.to_string(), item.key)).collect();
    Ok(complete(db, items, day, known)?.into_iter().zip(places).collect())
}

fn complete<D: Db>(
    db: &D,
    items: Vec<payment::Item>,
    day: Date,
    known: i64,
) -> Result<Vec<Payment>, Fault> {
    let keys: Vec<i64> = items.iter().map(|item| item.key).collect();
    let parts = allocation::of_credits(db, &keys, &[], day, known)?;
    let mut reversals = reversal::of_payments(db, &keys, known)?;
    let payment = |item: payment::Item| {
        let of_this = || parts.iter().filter(|part| part.payment_key == Some(item.key));
        let money = of_this().filter(|part| part.difference.is_none());
        let (mut used, mut returned) = (0i64, 0i64);
        for part in money {
            let sum = if part.invoice_key.is_some() { &mut used } else { &mut returned };
            *sum = sum.saturating_add(part.minor);
        }
        let left = item.amount_minor.saturating_sub(item.converted_minor);
        let left = left.saturating_sub(used).saturating_sub(returned);
        let mut back = reversals.remove(&item.key).unwrap_or_default();
        back.retain(|back| back.on <= day);
        Payment {
            allocations: of_this().filter_map(|part| part.allocation(item.currency)).collect(),
            id: item.id,
            customer_id: item.customer_id,
            received_on: item.received_on,
            amount: Money { minor: item.amount_minor, currency: item.currency },
            invoice_id: item.invoice_id,
            designation: some(item.designation),
            order: item.order,
            contract_id: item.contract_id,
            deductions: some(item.deductions),
            settles: some(item.settles),
            converted_from: item.converted_from,
            converted_minor: item.converted_minor,
            returned_minor: returned,
            reversals: some(back),
            unallocated: Money { minor: left, currency: item.currency },
            recorded_at: None,
            corrections: None,
            conversion: None,
        }
    };
    Ok(items.into_iter().map(payment).collect())
}

pub(crate) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
