//! Orders as they stand: written whole, each time.

use super::hold;
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, day_or_today, known_customer, missing},
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    contract::credit::{NewOrder, Order},
    credit::order::{Arrival, arrival, counting, grows},
};
use dunlin_store::{Db, Fault, credit, write};

/// Records how an order stands from a day on. What was reserved for it is the order's from now on.
pub fn put<D: Db>(
    db: &D,
    id: &Id,
    new: &NewOrder,
    author: &Author,
) -> Result<(Order, Change), Fault> {
    let counting = counting(new)?;
    write(db, |db| {
        let customer = known_customer(db, &new.customer).map_err(of_customer)?;
        let before = credit::order_then(db, id, Date::LAST)?;
        if let Some(before) = before.as_ref().filter(|before| before.customer == new.customer) {
            match arrival(before.version, new.version) {
                Arrival::Late => return Ok((before.clone(), Change::AlreadySo)),
                Arrival::Same if !as_written(before, new) => {
                    let detail = "this version of the order is stored with other content";
                    let code = Refusal::DifferentContent;
                    return Err(Refused::new(code, detail).at("version").into());
                }
                Arrival::Same | Arrival::New => {}
            }
        }
        let on = match (&before, new.on) {
            (Some(before), None) if as_written(before, new) => before.on,
            (_, on) => day_or_today(db, on, author)?,
        };
        let order = Order {
            id: id.clone(),
            customer: new.customer.clone(),
            amount: new.amount,
            delivered_minor: new.delivered_minor.unwrap_or(0),
            invoiced_minor: new.invoiced_minor.unwrap_or(0),
            cancelled_minor: new.cancelled_minor.unwrap_or(0),
            on,
            undelivered_minor: counting.undelivered,
            unbilled_minor: counting.unbilled,
            version: new.version.or(before.as_ref().and_then(|before| before.version)),
        };
        if let Some(before) = &before {
            if before.customer != new.customer {
                let detail = "the order is stored with another customer; nothing was changed";
                return Err(Refused::new(Refusal::DifferentContent, detail).at("customer").into());
            }
            if *before == order {
                return Ok((order, Change::AlreadySo));
            }
            if on < before.on {
                let detail = format!("the order was written for {} already", before.on);
                return Err(Refused::new(Refusal::DateOutOfRange, detail).at("on").into());
            }
        }
        // What was reserved for more of it is in its amount by now.
        let grows = grows(before.as_ref(), &order);
        let (action, change) = match before {
            None => ("create", Change::Made),
            Some(_) => ("replace", Change::Replaced),
        };
        let what =
            Note::changed(action, "credit_order", id.as_str(), before.as_ref(), Some(&order))?;
        let entry = note(db, author, &what)?;
        credit::put_order(db, &order, customer, entry)?;
        if grows {
            credit::commit_reservations_of(db, customer, id, author.at, entry)?;
        }
        if order.undelivered_minor == 0 {
            hold::clear_of_order(db, customer, &order, author)?;
        }
        Ok((order, change))
    })
}

/// The field of an order that names its customer.
pub(super) fn of_customer(fault: Fault) -> Fault {
    match fault {
        Fault::Refused(refused) => {
            let at = Refused { field: None, ..refused };
            Fault::Refused(at.at("customer"))
        }
        other => other,
    }
}

fn as_written(before: &Order, new: &NewOrder) -> bool {
    before.amount == new.amount
        && before.delivered_minor == new.delivered_minor.unwrap_or(0)
        && before.invoiced_minor == new.invoiced_minor.unwrap_or(0)
        && before.cancelled_minor == new.cancelled_minor.unwrap_or(0)
}

/// The order as it stood on a day.
pub fn get<D: Db>(db: &D, id: &Id, day: Option<Date>) -> Result<Order, Fault> {
    credit::order_then(db, id, day.unwrap_or(Date::LAST))?.ok_or_else(|| missing("order"))
}
