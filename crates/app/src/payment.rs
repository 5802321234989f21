//! Payments: money that comes in, goes back, or was booked wrongly.

pub(crate) mod names;

use crate::{
    audit::{self, Author, Note},
    ledger::{
        Change, ROW, amount_in_range, customer_of, json, known_customer, missing, not_in_future,
        one, today, unless_differing,
    },
    replay, told,
};
use dunlin_domain::arrange::mapped;
use dunlin_domain::decimal::Times as _;
use dunlin_domain::{
    Currency, Date, Decimal, Id, Money, Refusal, Refused,
    contract::{
        ledger::{NewReversal, PaymentCorrection, ReversalUndoing},
        types::{
            ConvertedPart, Difference, InvoiceKind, NewPayment, Payment, Reversal, ReversalKind,
        },
    },
    decimal,
    money::portion,
    order, text,
};
use dunlin_store::{
    Db, Fault, When, allocation,
    allocation::Owing,
    correction::{self, Fields},
    exchange,
    invoice::{self, After},
    payment, policy, reversal, write,
};
use names::{Naming, known_otherwise, perhaps};
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
    if let Some(same_as) = &new.same_as {
        return name(db, id, same_as, new, author);
    }
    let is_stored = || Ok(payment::key(db, id)?.is_some());
    let customer = customer_of(db, &new.customer_id, is_stored)?;
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
            names.deductions(new.amount.currency),
            names.settles(new.amount.currency),
            None::<i64>,
            names.converted(),
        ))
    };
    let rows = row(&names)?;
    let otherwise = known_otherwise(db, &rows)?;
    let is = |code: Refusal| move |of: &&(u64, Refused)| of.1.code == code;
    if let Some((_, refused)) = otherwise.refused.iter().find(is(Refusal::DifferentContent)) {
        return Err(refused.clone().into());
    }
    if otherwise.refused.is_empty() && payment::key(db, id)?.is_some() {
        unless_differing(payment::differing(db, &rows)?)?;
        for (_, rows) in names.parts(id, new, contract, None)? {
            unless_differing(payment::differing(db, &rows)?)?;
        }
        return Ok(Change::AlreadySo);
    }
    not_in_future(new.received_on, today(db, author.at)?, "received_on")?;
    if let Some(order) = &new.order {
        order::named(order, policy::current(db)?.orders.as_deref().unwrap_or_default())?;
    }
    if let Some((_, code)) = payment::misnamed(db, &rows)?.pop() {
        return Err(Refused::new(code, code.about()).at("invoice_id").into());
    }
    if let (Some((_, refused)), false) = (otherwise.refused.first(), new.another == Some(true)) {
        return Err(refused.clone().into());
    }
    let entry = audit::note(db, author, &Note::made("payment", id.as_str(), new)?)?;
    payment::insert_all(db, &rows, Some(entry))?;
    if !otherwise.refused.is_empty() {
        payment::unname(db, &rows, entry)?;
    }
    names.convert(db, id, new, contract, entry)?;
    replay::customers(db, &[customer], author.at, Some(entry))?;
    Ok(Change::Made)
}

/// Gives a payment that is there another name: nothing is booked.
fn name<D: Db>(
    db: &D,
    id: &Id,
    same_as: &Id,
    new: &NewPayment,
    author: &Author,
) -> Result<Change, Fault> {
    let (on, Money { minor, currency }) = (new.received_on, new.amount);
    let naming = Naming::of(db, &[(ROW, id, same_as, &new.customer_id, on, minor, currency)])?;
    if let Some((_, refused)) = naming.refused.first() {
        return Err(refused.clone().into());
    }
    if naming.is_empty() {
        return Ok(Change::AlreadySo);
    }
    let note = Note::made("payment-name", id.as_str(), new)?;
    naming.keep(db, audit::note(db, author, &note)?)?;
    Ok(Change::Made)
}

/// What can be seen to be wrong without the ledger.
fn check(new: &NewPayment) -> Result<(), Refused> {
    let refused =
        |code: Refusal, field: &str, detail: &str| Err(Refused::new(code, detail).at(field));
    if new.same_as.is_some() && new.another == Some(true) {
        let detail = "it is a payment that is there, or another one, not both";
        return refused(Refusal::MalformedField, "another", detail);
    }
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
    /// Each with the currency of its invoice, and so the invoices that are settled.
    deductions: Vec<((i64, i64, Difference), Currency)>,
    settles: Vec<(i64, Currency)>,
    /// How much of the payment is changed into which other currencies.
    costs: BTreeMap<Currency, i64>,
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
        let found = mapped(found.iter().map(|named| (&named.0, named)));
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
        let mut names = Self {
            parts: Vec::new(),
            deductions: Vec::new(),
            settles: Vec::new(),
            costs: BTreeMap::new(),
        };
        let mut total = 0i64;
        for part in parts {
            let named = payable(&part.invoice_id, "designation")?;
            names.parts.push((named.1, part.minor, named.4));
            let minor = match named.4 == new.amount.currency {
                true => part.minor,
                false => {
                    let money = Money { minor: part.minor, currency: named.4 };
                    let minor = cost(db, money, new.amount.currency, new.received_on)?;
                    let cost = names.costs.entry(named.4).or_default();
                    *cost = cost.saturating_add(minor);
                    minor
                }
            };
            total = total.saturating_add(minor);
        }
        if total > new.amount.minor {
            let detail = format!("the parts come to {total}, the payment to {}", new.amount.minor);
            return Err(Refused::new(Refusal::PartsExceedAmount, detail).at("designation").into());
        }
        // What is in another currency is about the part that is changed into it.
        let same_currency = |id: &Id, field: &str| {
            let (_, key, _, _, currency, ..) = payable(id, field)?;
            if *currency != new.amount.currency && !names.costs.contains_key(currency) {
                let detail = format!("{id} is in {currency}, and nothing is designated in that");
                return Err(Fault::from(Refused::new(Refusal::CurrencyMismatch, detail).at(field)));
            }
            Ok((*key, *currency))
        };
        let (mut held, mut settled) = (Vec::new(), Vec::new());
        for deduction in deductions {
            let (key, currency) = same_currency(&deduction.invoice_id, "deductions")?;
            let claimed = invoice::items(db, &[key], i64::MAX)?;
            let claimed = claimed.iter().fold(0i64, |sum, of| sum.saturating_add(of.amount_minor));
            if deduction.minor > claimed {
                let detail = format!("{} claims {claimed}", deduction.invoice_id);
                let refused = Refused::new(Refusal::PartsExceedAmount, detail);
                return Err(refused.at("deductions").into());
            }
            held.push(((key, deduction.minor, deduction.reason), currency));
        }
        for id in settles {
            settled.push(same_currency(id, "settles")?);
        }
        Ok(Self { deductions: held, settles: settled, ..names })
    }

    /// The parts in one currency, by key.
    fn designation(&self, currency: Currency) -> Option<Vec<(i64, i64)>> {
        let of = self.parts.iter().filter(|part| part.2 == currency);
        let parts: Vec<(i64, i64)> = of.map(|(key, minor, _)| (*key, *minor)).collect();
        (!parts.is_empty()).then_some(parts)
    }

    fn deductions(&self, currency: Currency) -> Option<Vec<(i64, i64, Difference)>> {
        some(self.deductions.iter().filter(|of| of.1 == currency).map(|of| of.0).collect())
    }

    fn settles(&self, currency: Currency) -> Option<Vec<i64>> {
        some(self.settles.iter().filter(|of| of.1 == currency).map(|of| of.0).collect())
    }

    /// How much of the payment is changed into other currencies.
    fn converted(&self) -> i64 {
        self.costs.values().fold(0i64, |sum, cost| sum.saturating_add(*cost))
    }

    /// What is changed into other currencies, as rows of payments in these, parts of the one that came.
    fn parts(
        &self,
        id: &Id,
        new: &NewPayment,
        contract: Option<i64>,
        origin: Option<i64>,
    ) -> Result<Vec<(Id, String)>, Fault> {
        let mut parts = Vec::new();
        for (currency, cost) in &self.costs {
            let named = self.parts.iter().filter(|part| part.2 == *currency);
            let minor = named.fold(0i64, |sum, part| sum.saturating_add(part.1));
            amount_in_range(&Money { minor, currency: *currency }, 1)
                .map_err(|refused| Refused { field: Some("designation".into()), ..refused })?;
            let part: Id = format!("{id}/{currency}").parse()?;
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
                self.designation(*currency),
                self.deductions(*currency),
                self.settles(*currency),
                origin,
                None::<i64>,
                cost,
            ))?;
            parts.push((part, rows));
        }
        Ok(parts)
    }

    /// Records the parts in other currencies.
    fn convert<D: Db>(
        &self,
        db: &D,
        id: &Id,
        new: &NewPayment,
        contract: Option<i64>,
        entry: i64,
    ) -> Result<(), Fault> {
        let origin = payment::key(db, id)?.map(|(key, _)| key);
        for (part, rows) in self.parts(id, new, contract, origin)? {
            if payment::key(db, &part)?.is_some() {
                let detail = format!("a part would be called {part}, which is taken");
                return Err(Refused::new(Refusal::DifferentContent, detail).at("id").into());
            }
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
    let of = Known::under(db, id)?;
    let minor = new.minor.map(|minor| of.costs(minor));
    back_of(db, &of, reversal_id, &NewReversal { minor, ..new.clone() }, author)
}

/// A payment as it is known under an id: by its own, or by another name of it. One that says a part in another currency is
/// of the payment that was changed.
pub(crate) struct Known {
    pub item: payment::Item,
    pub name: Option<Id>,
    /// What the part comes to, and what that cost of the payment.
    price: Option<(i64, i64)>,
}

impl Known {
    pub fn under<D: Db>(db: &D, id: &Id) -> Result<Self, Fault> {
        let item = stored(db, id)?;
        let name = (*id != item.id).then(|| id.clone());
        match (&name, &item.converted_from, item.cost_minor) {
            (Some(_), Some(of), Some(cost)) => {
                let price = Some((item.amount_minor, cost));
                Ok(Self { item: stored(db, of)?, name, price })
            }
            _ => Ok(Self { item, name, price: None }),
        }
    }

    /// What so much of what is known under the id is of the payment.
    pub fn costs(&self, minor: i64) -> i64 {
        match self.price {
            Some((all, cost)) if minor > 0 => portion(cost, minor, all).max(1),
            _ => minor,
        }
    }
}

/// So much of a payment goes back as is known under an id of it, in the currency of the payment that came.
pub(crate) fn back_of<D: Db>(
    db: &D,
    Known { item, name, .. }: &Known,
    reversal_id: &Id,
    new: &NewReversal,
    author: &Author,
) -> Result<Change, Fault> {
    let (id, name) = (&item.id, name.as_ref());
    let share = name.map(|name| payment::share(db, name)).transpose()?.flatten();
    let fee = share.map_or(0, |share| share.fee);
    // What was said to be a debit that is booked elsewhere by now is asked again.
    let lapsed = reversal::lapsed(db, reversal_id)?;
    if let (Some(before), false) = (reversal::get(db, reversal_id)?, lapsed) {
        return same(&before, item, new, fee);
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
    let back = back(db, item.key)?;
    let all = item.amount_minor.saturating_sub(sum(&back));
    if new.same_as.is_some() && (mistake || new.another == Some(true)) {
        let detail = "it is one that is there, a mistake, or another one";
        return Err(Refused::new(Refusal::MalformedField, detail).at("same_as").into());
    }
    // Under another name of the payment goes back what is known under it.
    let most = share.map_or(all, |share| share.left.clamp(0, all));
    if !mistake && new.another != Some(true) {
        let whole = share.map_or(item.amount_minor, |share| share.minor);
        let asked = new.minor.unwrap_or(if most > 0 { most } else { whole });
        let booked = reversal::booked(db, item.key, asked, on, new.same_as.as_ref(), fee)?;
        match (booked, &new.same_as) {
            (Some(of), None) => return Err(perhaps(&of).into()),
            (None, Some(of)) => {
                let detail =
                    format!("no debit of a bank statement took {asked} of {id} back as {of}");
                return Err(Refused::new(Refusal::DifferentContent, detail).at("same_as").into());
            }
            (Some(of), Some(_)) => {
                let back = reversal::New {
                    id: reversal_id.as_str(),
                    customer_key: known_customer(db, &item.customer_id)?,
                    payment_key: item.key,
                    on,
                    kind: new.kind,
                    minor: asked,
                    reason: Some(of.as_str()),
                    payment_name: name.map(Id::as_str),
                };
                let said = serde_json::json!({
                    "payment_id": id, "on": on, "kind": new.kind, "minor": asked, "reason": of, "name": name,
                });
                let note = Note::made("reversal-name", reversal_id.as_str(), &said)?;
                let entry = audit::note(db, author, &note)?;
                if lapsed {
                    reversal::forget(db, reversal_id)?;
                }
                reversal::insert(db, &back, entry)?;
                reversal::undo(db, reversal_id, of.as_str(), entry)?;
                return Ok(Change::Made);
            }
            (None, None) => {}
        }
    }
    // Whoever knows the payment as before the bank's fee gives that back with all that is left of it.
    let whole = |minor: &i64| {
        *minor > all
            && minor.saturating_sub(all) <= fee
            && share.is_some_and(|of| *minor <= of.left)
    };
    let minor = new.minor.map_or(most, |minor| if whole(&minor) { all } else { minor });
    if minor > most || minor == 0 {
        let detail = match name {
            Some(name) if most < all => format!("at most {most} can go back of {id} as {name}"),
            _ => format!("at most {most} can go back"),
        };
        return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
    }
    let nothing_left = mistake && minor == all;
    if let (true, Some(of)) = (nothing_left, back.iter().find(|of| !is_mistake(of))) {
        crate::bank::unless_of_entry(db, id, &of.id)?;
    }
    let made = NewReversal {
        id: Some(reversal_id.clone()),
        on: Some(on),
        minor: Some(minor),
        ..new.clone()
    };
    let mut said =
        serde_json::to_value(&made).map_err(|error| Fault::Db(format!("a reversal: {error}")))?;
    if let (Some(name), Some(said)) = (name, said.as_object_mut()) {
        said.insert("name".into(), name.as_str().into());
    }
    let note = Note::changed("reverse", "payment", id.as_str(), None::<()>.as_ref(), Some(&said))?;
    let entry = audit::note(db, author, &note)?;
    let customer = known_customer(db, &item.customer_id)?;
    let back = reversal::New {
        id: reversal_id.as_str(),
        customer_key: customer,
        payment_key: item.key,
        on,
        kind: new.kind,
        minor,
        reason: new.reason.as_deref(),
        payment_name: name.map(Id::as_str),
    };
    if lapsed {
        reversal::forget(db, reversal_id)?;
    }
    reversal::insert(db, &back, entry)?;
    replay::customers(db, &[customer], author.at, Some(entry))?;
    if nothing_left {
        crate::bank::reopen(db, id, reversal_id, author)?;
    }
    Ok(Change::Made)
}

/// What did not go back of a payment.
pub(crate) fn left<D: Db>(db: &D, key: i64) -> Result<i64, Fault> {
    Ok(payment::amount(db, key)?.saturating_sub(gone(db, key)?))
}

/// What went back of a payment, with its parts in other currencies.
pub(crate) fn gone<D: Db>(db: &D, key: i64) -> Result<i64, Fault> {
    Ok(sum(&back(db, key)?))
}

fn back<D: Db>(db: &D, key: i64) -> Result<Vec<Reversal>, Fault> {
    Ok(reversal::of_payments(db, &[key], i64::MAX)?.remove(&key).unwrap_or_default())
}

fn is_mistake(back: &Reversal) -> bool {
    back.kind == ReversalKind::Mistake
}

fn sum(back: &[Reversal]) -> i64 {
    back.iter().fold(0i64, |sum, back| sum.saturating_add(back.minor))
}

/// Takes back a reversal that was recorded by mistake or on the wrong payment, with what of it fell on the payment's parts
/// in other currencies, as if it had never been. Gives the payment's id.
pub fn undo<D: Db>(
    db: &D,
    id: &Id,
    new: &ReversalUndoing,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let Some((key, back)) = reversal::get(db, id)? else {
            return Err(unless_of_part(db, id)?);
        };
        let (payment, _) = payment::id(db, key)?;
        if let Some(undone) = &back.undone {
            let differs = (*undone != new.reason).then(|| (ROW, "reason".into()));
            unless_differing(differs.into_iter().collect())?;
            return Ok((payment, Change::AlreadySo));
        }
        crate::bank::unless_put_back(db, &payment)?;
        let item = stored(db, &payment)?;
        let customer = known_customer(db, &item.customer_id)?;
        // Of money that had not come a statement may have had the payment since.
        if is_mistake(&back) && new.another != Some(true) && left(db, key)? == 0 {
            let named = payment::designation(db, key)?;
            let is = (item.received_on, item.amount_minor, item.invoice_id.as_ref(), &*named);
            unless_booked(db, &item, None, is)?;
        }
        let said = serde_json::json!({
            "id": id, "on": back.on, "kind": back.kind, "minor": back.minor, "reason": new.reason,
        });
        let note =
            Note::changed("reinstate", "payment", payment.as_str(), None::<&()>, Some(&said))?;
        let entry = audit::note(db, author, &note)?;
        reversal::undo(db, id, &new.reason, entry)?;
        replay::customers(db, &[customer], author.at, Some(entry))?;
        crate::bank::reopen_debit(db, &payment, id, author)?;
        Ok((payment, Change::Replaced))
    })
}

/// Why there is no reversal of this id: there is none, or it is what of one fell on a part in another currency.
fn unless_of_part<D: Db>(db: &D, id: &Id) -> Result<Fault, Fault> {
    let Some((whole, currency)) = id.as_str().rsplit_once('/') else {
        return Ok(missing("reversal"));
    };
    let Some((payment, _)) = reversal::get(db, &whole.parse()?)? else {
        return Ok(missing("reversal"));
    };
    let parts = payment::parts(db, &[payment])?;
    if !parts.iter().any(|(_, part)| part.currency.as_str() == currency) {
        return Ok(missing("reversal"));
    }
    let detail = "it came with that of the payment that was changed: take that back";
    Ok(Fault::refused(Refusal::WrongState, detail))
}

/// Whether a reversal that is there already is the one asked for.
fn same(
    (payment, before): &(i64, Reversal),
    item: &payment::Item,
    new: &NewReversal,
    fee: i64,
) -> Result<Change, Fault> {
    let with_fee = |asked: i64| (0..=fee).contains(&asked.saturating_sub(before.minor));
    let differs = [
        ("id", *payment != item.key),
        ("kind", before.kind != new.kind),
        ("minor", new.minor.is_some_and(|asked| !with_fee(asked))),
        ("on", new.on.is_some_and(|on| on != before.on)),
        // What was kept as another one has that in its place.
        ("reason", before.reason != new.reason && before.reason != before.undone),
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
        let share = if *id == item.id { None } else { payment::share(db, id)? };
        if share.is_some_and(|share| share.minor != item.amount_minor) {
            let detail = format!("{id} is a part of {}: correct that", item.id);
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let id = &item.id;
        crate::bank::unless_put_back(db, id)?;
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
            invoice_id: new.invoice_id.clone().flatten(),
            designation: new.designation.clone(),
            order: None,
            contract_id: None,
            deductions: None,
            settles: None,
            same_as: None,
            another: None,
        };
        amount_in_range(&wanted.amount, 1)
            .map_err(|refused| Refused { field: Some("minor".into()), ..refused })?;
        check(&wanted)?;
        let customer = known_customer(db, &item.customer_id)?;
        let before = payment::designation(db, item.key)?;
        // What is named takes the place of all that was, with amounts or without.
        let kept = new.designation.is_none() && wanted.invoice_id.is_none();
        if kept {
            wanted.designation = (!item.designation.is_empty()).then(|| item.designation.clone());
        }
        if new.invoice_id.is_none() && kept {
            wanted.invoice_id.clone_from(&item.invoice_id);
        }
        if wanted.received_on != item.received_on {
            not_in_future(wanted.received_on, today(db, author.at)?, "received_on")?;
        }
        let names = Names::of(db, &wanted, customer)?;
        if names.converted() > 0 {
            let detail = "a payment in several currencies is reversed and recorded again";
            return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("designation").into());
        }
        let back = back(db, item.key)?;
        let returned = sum(&back);
        if wanted.amount.minor < returned {
            let detail = format!("{returned} of it went back already");
            return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
        }
        let (of, on, minor) = (&item.customer_id, wanted.received_on, wanted.amount.minor);
        let rows = one((ROW, id, of, on, minor, item.currency, &wanted.invoice_id))?;
        if let Some((_, code)) = payment::misnamed(db, &rows)?.pop() {
            return Err(Refused::new(code, code.about()).at("invoice_id").into());
        }
        let designation = match kept {
            true => before.clone(),
            false => json(&names.designation(item.currency).unwrap_or_default())?,
        };
        let (was, is) = changes(&item, &wanted, before, designation.clone());
        if was == is {
            return Ok(Change::AlreadySo);
        }
        // What had not come has nothing to put right: a larger amount would bring the difference alone.
        if let (true, Some(of)) =
            (returned == item.amount_minor, back.iter().find(|of| is_mistake(of)))
        {
            let detail = format!("{} says that it was a mistake: take that back first", of.id);
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        // What is settled or held back was said of what it named.
        if (is.invoice_id.is_some() || is.designation.is_some())
            && !(item.settles.is_empty() && item.deductions.is_empty())
        {
            let detail = "it has `settles` or `deductions`: reverse it as a mistake and record it again under another id";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        if new.another != Some(true) {
            let named =
                (item.invoice_id.as_ref(), was.designation.as_ref().unwrap_or(&designation));
            let names = (wanted.invoice_id.as_ref(), &designation);
            let before = (item.received_on, item.amount_minor, named.0, named.1.as_str());
            let after = (wanted.received_on, wanted.amount.minor, names.0, names.1.as_str());
            unless_booked(db, &item, Some(before), after)?;
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
            wanted.invoice_id.as_ref(),
            &designation,
        )?;
        let owing = Owing { payments: [(item.key, owing)].into(), ..Owing::default() };
        replay::corrected(db, &[customer], &owing, author.at, Some(entry))?;
        Ok(Change::Replaced)
    })
}

/// Day, amount, the invoice that is named, and those that are with amounts.
type Is<'a> = (Date, i64, Option<&'a Id>, &'a str);

/// Refuses what would make of a payment that came another way what an entry of a statement was booked as, unless it was like
/// that entry before, with the same amount.
fn unless_booked<D: Db>(
    db: &D,
    item: &payment::Item,
    before: Option<Is<'_>>,
    after: Is<'_>,
) -> Result<(), Fault> {
    let same = before.filter(|before| before.1 == after.1);
    let row = |number: u64, (on, minor, invoice, names): Is<'_>| {
        // As one that is not there yet.
        let names = serde_json::from_str::<serde_json::Value>(names).ok();
        let (of, none) = (item.customer_id.clone(), None::<i64>);
        (number, "", of, on, minor, item.currency, invoice.cloned(), none, none, names)
    };
    let rows: Vec<_> = same.map(|is| row(1, is)).into_iter().chain([row(2, after)]).collect();
    let found = known_otherwise(db, &json(&rows)?)?.refused;
    let is = |number: u64| found.iter().find(|(of, _)| *of == number);
    match is(2) {
        Some((_, refused))
            if is(1).is_none_or(|(_, before)| before.detail != refused.detail)
                && dunlin_store::bank::of_payment(db, &item.id)?.is_none() =>
        {
            let of = refused.detail.split(',').next().unwrap_or_default();
            let detail = format!(
                "{of}, which a statement of the bank brought, may be this money: leave it, or reverse it as a mistake, or say `another`"
            );
            Err(Refused::new(refused.code, detail).at("another").into())
        }
        _ => Ok(()),
    }
}

/// The fields that a correction changes, before and after.
fn changes(
    item: &payment::Item,
    wanted: &NewPayment,
    before: String,
    after: String,
) -> (Fields, Fields) {
    let (mut was, mut is) = (Fields::default(), Fields::default());
    if item.received_on != wanted.received_on {
        (was.received_on, is.received_on) = (Some(item.received_on), Some(wanted.received_on));
    }
    if item.amount_minor != wanted.amount.minor {
        (was.amount_minor, is.amount_minor) = (Some(item.amount_minor), Some(wanted.amount.minor));
    }
    if item.invoice_id != wanted.invoice_id {
        let text = |id: &Option<Id>| Some(id.as_ref().map(Id::to_string).unwrap_or_default());
        (was.invoice_id, is.invoice_id) = (text(&item.invoice_id), text(&wanted.invoice_id));
    }
    if before != after {
        (was.designation, is.designation) = (Some(before), Some(after));
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
    payment.also = some(payment::names(db, key, known)?);
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
    let mut reversals = reversal::told_of_payments(db, &keys, known)?;
    let changed = items.iter().filter(|item| item.converted_minor > 0).map(|item| item.key);
    let converted = payment::parts(db, &changed.collect::<Vec<_>>())?;
    let payment = |mut item: payment::Item| {
        let received_on = item.received_on;
        // What went back counts from the day of the payment where that was corrected to a later one.
        let mut back_of = |key: i64| {
            let mut back = reversals.remove(&key).unwrap_or_default();
            for back in &mut back {
                back.on = if is_mistake(back) { received_on } else { back.on.max(received_on) };
            }
            back.retain(|back| back.on <= day);
            back
        };
        let mut converted_to = Vec::new();
        for (_, part) in converted.iter().filter(|(of, _)| *of == item.key) {
            item.designation.extend_from_slice(&part.designation);
            item.deductions.extend_from_slice(&part.deductions);
            item.settles.extend_from_slice(&part.settles);
            converted_to.push(ConvertedPart {
                payment_id: part.id.clone(),
                minor: part.amount_minor,
                cost_minor: part.cost_minor,
                returned_minor: sum(&back_of(part.key)),
            });
        }
        let of_this = || parts.iter().filter(|part| part.payment_key == Some(item.key));
        let money = of_this().filter(|part| part.difference.is_none());
        let (mut used, mut returned) = (0i64, 0i64);
        for part in money {
            let sum = if part.invoice_key.is_some() { &mut used } else { &mut returned };
            *sum = sum.saturating_add(part.minor);
        }
        let left = item.amount_minor.saturating_sub(item.converted_minor);
        let left = left.saturating_sub(used).saturating_sub(returned);
        let back = back_of(item.key);
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
            converted_to: some(converted_to),
            returned_minor: returned,
            reversals: some(back),
            unallocated: Money { minor: left, currency: item.currency },
            also: None,
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
