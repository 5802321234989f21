//! What an order has in the exposure: each part of it once.
//!
//! What was invoiced is in the ledger. What was delivered and not invoiced is unbilled. What was cancelled, and what
//! was delivered or invoiced, is no longer undelivered: `amount − cancelled − max(delivered, invoiced)`.

use crate::{
    Date, Money, Refusal, Refused,
    contract::credit::{NewOrder, Order},
    money::MAX_MINOR,
};

/// The largest number of a state: what any reader of JSON reads exactly.
const LAST_VERSION: u64 = 9_007_199_254_740_991;

/// How a write stands to the order that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It says what holds from now on.
    New,
    /// It was overtaken by one that is recorded.
    Late,
    /// It has the number of the one that is recorded.
    Same,
}

/// Whether a write comes in its order.
pub fn arrival(known: Option<u64>, new: Option<u64>) -> Arrival {
    match known.zip(new).map(|(known, new)| new.cmp(&known)) {
        Some(std::cmp::Ordering::Less) => Arrival::Late,
        Some(std::cmp::Ordering::Equal) => Arrival::Same,
        Some(std::cmp::Ordering::Greater) | None => Arrival::New,
    }
}

/// How much of an order counts as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    pub undelivered: i64,
    pub unbilled: i64,
}

/// Checks an order and tells what of it counts.
pub fn counting(new: &NewOrder) -> Result<Counting, Refused> {
    let amount = new.amount.minor;
    if amount < 1 {
        let detail = "an order is for more than zero";
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("amount"));
    }
    if amount > MAX_MINOR {
        let code = Refusal::AmountTooLarge;
        return Err(Refused::new(code, code.about()).at("amount"));
    }
    if new.version.is_some_and(|version| version > LAST_VERSION) {
        let detail = format!("a version is at most {LAST_VERSION}");
        return Err(Refused::new(Refusal::MalformedField, detail).at("version"));
    }
    let (delivered, invoiced, cancelled) = (
        new.delivered_minor.unwrap_or(0),
        new.invoiced_minor.unwrap_or(0),
        new.cancelled_minor.unwrap_or(0),
    );
    let done = delivered.max(invoiced);
    for (field, minor, most) in [
        ("delivered_minor", delivered, amount),
        ("invoiced_minor", invoiced, amount),
        ("cancelled_minor", cancelled, amount.saturating_sub(done.clamp(0, amount))),
    ] {
        if minor < 0 {
            let code = Refusal::AmountNotPositive;
            return Err(Refused::new(code, "it is zero or more").at(field));
        }
        if minor > most {
            let detail = format!("at most {most} of the order is left for it");
            return Err(Refused::new(Refusal::PartsExceedAmount, detail).at(field));
        }
    }
    Ok(Counting {
        undelivered: amount.saturating_sub(cancelled).saturating_sub(done),
        unbilled: delivered.saturating_sub(invoiced).max(0),
    })
}

/// Whether what was reserved for more of an order is in its amount, as it is put now.
pub fn grows(before: Option<&Order>, now: &Order) -> bool {
    before.is_none_or(|before| {
        before.amount.currency == now.amount.currency && before.amount.minor < now.amount.minor
    })
}

/// An order to which more is added, from a day on.
pub fn grown(before: &Order, more: &Money, on: Date) -> Result<Order, Refused> {
    if before.amount.currency != more.currency {
        let detail = format!("the order is recorded in {}", before.amount.currency);
        return Err(Refused::new(Refusal::WrongState, detail).at("order_id"));
    }
    let minor = before.amount.minor.saturating_add(more.minor);
    let whole = NewOrder {
        customer: before.customer.clone(),
        amount: Money { minor, ..before.amount },
        delivered_minor: Some(before.delivered_minor),
        invoiced_minor: Some(before.invoiced_minor),
        cancelled_minor: Some(before.cancelled_minor),
        on: None,
        version: None,
    };
    let counting = counting(&whole)?;
    Ok(Order {
        amount: whole.amount,
        on: before.on.max(on),
        undelivered_minor: counting.undelivered,
        unbilled_minor: counting.unbilled,
        ..before.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(amount: i64, delivered: i64, invoiced: i64, cancelled: i64) -> NewOrder {
        NewOrder {
            customer: "C".parse().unwrap(),
            amount: crate::Money::new(amount, "EUR".parse().unwrap()),
            delivered_minor: Some(delivered),
            invoiced_minor: Some(invoiced),
            cancelled_minor: Some(cancelled),
            on: None,
            version: None,
        }
    }

    #[test]
    fn an_order_and_its_delivery_are_never_counted_twice() {
        for ((amount, delivered, invoiced, cancelled), wanted) in [
            ((100, 0, 0, 0), (100, 0)),
            ((100, 60, 0, 0), (40, 60)),
            ((100, 60, 60, 0), (40, 0)),
            ((100, 100, 60, 0), (0, 40)),
            ((100, 100, 100, 0), (0, 0)),
            ((100, 60, 0, 40), (0, 60)),
            ((100, 0, 0, 100), (0, 0)),
            // Invoiced before it was delivered.
            ((100, 0, 70, 0), (30, 0)),
            ((100, 50, 70, 0), (30, 0)),
        ] {
            let found = counting(&order(amount, delivered, invoiced, cancelled)).unwrap();
            assert_eq!((found.undelivered, found.unbilled), wanted, "{amount} {delivered}");
        }
    }

    #[test]
    fn parts_are_within_the_order() {
        for ((amount, delivered, invoiced, cancelled), field, code) in [
            ((0, 0, 0, 0), "amount", Refusal::AmountNotPositive),
            ((MAX_MINOR + 1, 0, 0, 0), "amount", Refusal::AmountTooLarge),
            ((100, 101, 0, 0), "delivered_minor", Refusal::PartsExceedAmount),
            ((100, 0, 101, 0), "invoiced_minor", Refusal::PartsExceedAmount),
            ((100, 60, 0, 41), "cancelled_minor", Refusal::PartsExceedAmount),
            ((100, -1, 0, 0), "delivered_minor", Refusal::AmountNotPositive),
        ] {
            let refused = counting(&order(amount, delivered, invoiced, cancelled)).unwrap_err();
            assert_eq!((refused.field.as_deref(), refused.code), (Some(field), code));
        }
    }

    #[test]
    fn what_is_added_to_an_order_is_undelivered_whatever_was_done_of_it() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let eur = |minor| Money::new(minor, "EUR".parse().unwrap());
        for ((amount, delivered, invoiced, cancelled), more, wanted) in [
            ((60, 60, 60, 0), 40, Ok((100, 40, 0))),
            ((60, 60, 0, 0), 40, Ok((100, 40, 60))),
            ((60, 0, 0, 60), 60, Ok((120, 60, 0))),
            ((60, 20, 10, 5), 1, Ok((61, 36, 10))),
            ((60, 0, 0, 0), MAX_MINOR, Err(Refusal::AmountTooLarge)),
        ] {
            let of = order(amount, delivered, invoiced, cancelled);
            let found = counting(&of).unwrap();
            let before = Order {
                id: "O".parse().unwrap(),
                customer: of.customer,
                amount: of.amount,
                delivered_minor: delivered,
                invoiced_minor: invoiced,
                cancelled_minor: cancelled,
                on: day("2024-06-10"),
                undelivered_minor: found.undelivered,
                unbilled_minor: found.unbilled,
                version: None,
            };
            let added = grown(&before, &eur(more), day("2024-06-30"));
            let counts = |of: Order| (of.amount.minor, of.undelivered_minor, of.unbilled_minor);
            assert_eq!(added.map(counts).map_err(|refused| refused.code), wanted, "{amount}");
            // Never before the day from which it stands so.
            if let Ok(order) = grown(&before, &eur(1), day("2024-06-01")) {
                assert_eq!(order.on, before.on);
            }
            let dollars = Money::new(1, "USD".parse().unwrap());
            let refused = grown(&before, &dollars, day("2024-06-30")).unwrap_err();
            assert_eq!(refused.code, Refusal::WrongState);
        }
    }

    proptest! {
        #[test]
        fn every_part_of_an_order_is_somewhere_once(
            amount in 1i64..1_000, delivered in 0i64..1_000, invoiced in 0i64..1_000, cancelled in 0i64..1_000,
        ) {
            if let Ok(found) = counting(&order(amount, delivered, invoiced, cancelled)) {
                let all = found.undelivered + found.unbilled + invoiced + cancelled;
                prop_assert_eq!(all, amount, "{:?}", found);
            }
        }
    }
}
