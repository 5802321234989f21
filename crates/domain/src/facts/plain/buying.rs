//! What somebody bought.

use super::{History, currencies, days_before, exact, months};
use crate::{
    Currency, Date, Decimal,
    contract::{
        score::{FactName, Facts},
        types::InvoiceKind,
    },
    facts::USUAL_FROM_ORDERS,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn orders(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let mut wholes: BTreeMap<i64, (Currency, Date, i64)> = BTreeMap::new();
    for item in own.items(day).filter(|of| of.kind == InvoiceKind::Invoice) {
        let whole = item.whole.unwrap_or(item.key);
        let left = item.minor - own.taken(item, day);
        wholes.entry(whole).or_insert((item.currency, item.issued_on, 0)).2 += left;
    }
    for (about, _, minor) in own.paid_out.iter().filter(|of| of.1 <= day) {
        let whole = own.documents.iter().find(|of| of.key == *about).and_then(|of| of.whole);
        if let Some(of) = wholes.get_mut(&whole.unwrap_or(*about)) {
            of.2 -= minor;
        }
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
