//! What the feed says of statements.

use super::support::*;
use dunlin_app::{bank, event, payment as payments};
use dunlin_domain::{
    contract::{bank::MatchState, events::Event},
    event::Place,
};
use dunlin_store::native::NativeDb;
use serde_json::json;

fn feed(db: &NativeDb) -> Vec<Event> {
    let (mut after, mut events) = (Place::FIRST, Vec::new());
    loop {
        let page = event::feed(db, after, 500, &[], None).unwrap();
        events.extend(page.items);
        after = page.next.parse().unwrap();
        if !page.more {
            return events;
        }
    }
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|of| of.kind.as_str()).collect()
}

#[test]
fn a_statement_tells_what_it_booked_and_no_customer_again() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller", Some(KNOWN));
    customer(&db, "C2", "Bakery", None);
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    let before = feed(&db).len();
    take(&db, "S1", &[pays(10_000, "INV-1001", "Müller", KNOWN)]);
    take(&db, "S2", &[pays(-99, "Kontoführung", "", "")]);
    let told = feed(&db);
    assert_eq!(
        kinds(&told[before..]),
        [
            "bank-statement.created",
            "payment.recorded",
            "allocation.recorded",
            "invoice.settled",
            "bank-statement.created",
        ]
    );
}

#[test]
fn what_somebody_decides_about_an_entry_names_the_customer() {
    let (_folder, db) = db();
    customer(&db, "C1", "First Street Bakery", None);
    invoice(&db, "INV-1001", "C1", "2026-10-01", 10_000);
    take(&db, "S1", &[pays(700, "", "Bakery", STRANGE), pays(-99, "Kontoführung", "", "")]);
    let before = feed(&db).len();
    let waiting = matches(&db, Some(MatchState::Review)).remove(0).id;
    let said = from(json!({"customer_id": "C1"}));
    bank::confirm(&db, &waiting, &said, &author()).unwrap();
    let payment = matches(&db, Some(MatchState::Confirmed)).remove(0).payment_id.unwrap();
    let back = from(json!({"id": "R1", "kind": "mistake"}));
    payments::reverse(&db, &payment, &back, id("made"), &author()).unwrap();
    let told = feed(&db);
    let of = told[before..].iter().filter(|of| of.kind.starts_with("bank-match."));
    let of: Vec<_> = of.map(|of| (of.kind.as_str(), of.customer_id.clone())).collect();
    let customer = Some(id("C1"));
    assert_eq!(of, [("bank-match.confirmed", customer.clone()), ("bank-match.reopened", customer)]);
}
