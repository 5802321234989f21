//! What the feed says of statements.

use super::support::*;
use dunlin_app::event;
use dunlin_domain::{contract::events::Event, event::Place};
use dunlin_store::native::NativeDb;

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
