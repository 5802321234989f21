//! Any order of arrival of the same events gives the same state.
//!
//! The events are those that a ledger took, as they were sent: nothing of them depends on what it held. Another ledger
//! is sent them in a random order. What it refuses, because what it names has not come or because it takes more than
//! there is so far, is sent again until it is taken, as a client would. Some things come in the order in which they were
//! decided, because the order is what they mean: corrections of one document, decisions of one dispute or default, rates
//! of one day and policies, of which the last one holds.

use crate::{
    clerk::CUSTOMERS,
    events::{Event, event, given_up, lawful},
    world::{Deed, World, author, cases, day, id},
};
use dunlin_app::{invoice, verify, write_off};
use dunlin_store::{Db, Fault, native::NativeDb};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use std::cell::Cell;

/// The most events of a list.
const EVENTS: usize = 24;

/// Orders of arrival for each list of events.
const ORDERS: usize = 4;

/// Days on which interest and lateness are compared.
const DAYS: [i64; 3] = [25, 45, 70];

/// What stands in the ledger, by ids: what must not depend on the order of arrival. Parts of payments, credits and
/// adjustments are by day, so that what was open on any day is among it.
pub fn state(db: &NativeDb) -> Vec<String> {
    let sql = "SELECT 'open ' || id || ' ' || open_minor FROM invoice
        UNION ALL
        SELECT 'default ' || d.id || ' ' || c.id || ' ' || coalesce(i.id, '-') || ' ' || d.found_on || ' ' || d.state
            || ' ' || coalesce(d.closed_on, '-')
        FROM default_record AS d JOIN customer AS c ON c.key = d.customer_key LEFT JOIN invoice AS i ON i.key = d.invoice_key
        UNION ALL
        SELECT 'dispute ' || id || ' ' || minor || ' ' || coalesce(outcome, '-') || ' ' || coalesce(upheld_minor, '-')
        FROM dispute
        UNION ALL SELECT 'left ' || id || ' ' || unallocated_minor || ' ' || converted_minor FROM payment
        UNION ALL SELECT 'set ' || c.id || ' ' || coalesce(i.id, 'back') || ' ' || coalesce(p.id, n.id, x.id) || ' '
            || coalesce(a.difference, '-') || ' ' || allocated_on || ' ' || sum(a.amount_minor)
        FROM allocation AS a JOIN customer AS c ON c.key = a.customer_key
        LEFT JOIN invoice AS i ON i.key = a.invoice_key
        LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
        LEFT JOIN invoice AS n ON n.key = a.credit_key LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
        GROUP BY a.customer_key, a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key,
            a.difference, allocated_on
        HAVING sum(a.amount_minor) <> 0";
    let text = |sql: &str| -> Vec<String> {
        let rows = db.execute(sql, &[]).unwrap();
        rows.iter().map(|row| row.text(0).unwrap().to_string()).collect()
    };
    let mut lines = text(sql);
    for name in text("SELECT id FROM write_off") {
        let of = write_off::get(db, &id(&name)).unwrap();
        lines
            .push(format!("write-off {name} {} {:?} {}", of.on, of.reversed_on, of.standing_minor));
    }
    for name in text("SELECT id FROM invoice") {
        for on in DAYS {
            let Ok(of) = invoice::get(db, &id(&name), day(on), i64::MAX) else { continue };
            let late = (of.delinquent_days, of.disputed_minor);
            let interest = of.interest.map(|of| (of.accrued.minor, of.outstanding_minor));
            lines.push(format!("on {on} {name} {late:?} {interest:?}"));
        }
    }
    lines.sort();
    lines
}

/// Whether one event may not come before another, whatever the ledger would take.
fn must_wait(later: &Deed, earlier: &Deed) -> bool {
    match (later, earlier) {
        (Deed::CorrectInvoice(one, _), Deed::CorrectInvoice(other, _))
        | (Deed::CorrectPayment(one, _), Deed::CorrectPayment(other, _))
        // Of what was decided about one dispute the last holds.
        | (Deed::Resolve(one, _), Deed::Resolve(other, _)) => one == other,
        (
            Deed::Close(one, _) | Deed::Reopen(one, _),
            Deed::Close(other, _) | Deed::Reopen(other, _),
        ) => one == other,
        // It takes the place of the one before.
        (Deed::Guarantee(one, _), Deed::Guarantee(other, _)) => one == other,
        // Of two rows of one day the later one holds.
        (Deed::Rate(one), Deed::Rate(other)) => one["valid_from"] == other["valid_from"],
        // Of versions of a contract from one day on too.
        (Deed::Contract(one, new), Deed::Contract(other, old)) => {
            one == other && new["effective_on"] == old["effective_on"]
        }
        // Of policies the last one holds.
        (Deed::Policy(_), Deed::Policy(_)) => true,
        // Nothing is recorded for a customer that was merged into another.
        (
            Deed::Merge,
            Deed::Invoice(new)
            | Deed::Payment(new)
            | Deed::Pause(new)
            | Deed::Default(new)
            | Deed::Guarantee(_, new),
        ) => new["customer_id"] == CUSTOMERS[1],
        _ => false,
    }
}

/// A ledger that is sent all of this in an order, what it refuses again and again. `None` if it never takes all of it.
pub fn sent(deeds: &[Deed], order: &[u32]) -> Option<World> {
    let mut world = World::new();
    let mut waiting: Vec<usize> = (0..deeds.len()).collect();
    waiting.sort_by_key(|at| order[*at]);
    while !waiting.is_empty() {
        world.step += 1;
        let next = waiting.iter().position(|at| {
            let first = |of: &usize| of < at && must_wait(&deeds[*at], &deeds[*of]);
            !waiting.iter().any(first) && is_taken(&deeds[*at], &world)
        });
        waiting.remove(next?);
    }
    Some(world)
}

fn is_taken(deed: &Deed, world: &World) -> bool {
    match deed.send(&world.db, &author(world.step)) {
        Ok(_) => true,
        Err(Fault::Refused(_)) => false,
        Err(fault) => panic!("{fault:?}"),
    }
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    come_in_any_order(vec(event(), 2..EVENTS), 60);
}

/// Guarantees and rates that come late serve as if they had been there.
#[test]
fn what_the_law_asks_of_a_debt_may_be_recorded_whenever_it_is_known() {
    come_in_any_order(lawful(), 60);
}

#[test]
fn what_was_never_owed_takes_what_was_given_up_in_any_order_of_arrival() {
    come_in_any_order(given_up(), 60);
}

fn come_in_any_order(events: impl Strategy<Value = Vec<Event>>, usual: u32) {
    // Of a dispute come its beginning and its end.
    let orders = vec(vec(any::<u32>(), 2 * EVENTS), ORDERS);
    let (whole, never) = (Cell::new(0), Cell::new(0));
    let done = TestRunner::new(cases(usual)).run(&(events, orders), |(events, orders)| {
        let mut world = World::new();
        for (number, event) in events.iter().enumerate() {
            world.tell(number, event);
        }
        world.check(50, usize::MAX);
        let expected = state(&world.db);
        for order in &orders {
            let Some(other) = sent(&world.deeds, order) else {
                never.set(never.get() + 1);
                continue;
            };
            whole.set(whole.get() + 1);
            prop_assert_eq!(&state(&other.db), &expected);
            prop_assert!(verify::books(&other.db).unwrap().ok);
        }
        Ok(())
    });
    done.unwrap_or_else(|failed| panic!("{failed}"));
    let (whole, never) = (whole.get(), never.get());
    println!("{whole} orders were taken, {never} were not");
    assert!(whole > 2 * never, "{whole} orders were taken, {never} were not");
}
