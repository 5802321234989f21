//! What the feed says of statements.

use super::support::*;
use dunlin_app::{bank, event, payment as payments};
use dunlin_domain::{
    Date,
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

#[test]
fn a_name_that_goes_on_or_ends_is_told_and_stays_known_as_it_was() {
    for (end, kind) in [("C1", "payment.named"), ("C2", "payment.named"), ("", "payment.unnamed")] {
        let (_folder, db) = db();
        customer(&db, "C1", "First Street Bakery", None);
        customer(&db, "C2", "Second Street Bakery", None);
        take(&db, "S1", &[pays(700, "", "Somebody", STRANGE)]);
        let of = matches(&db, None).remove(0).id;
        let confirm = |of_whom: &str| {
            bank::confirm(&db, &of, &from(json!({"customer_id": of_whom})), &author()).unwrap();
            bank::get(&db, &of).unwrap().payment_id.unwrap()
        };
        let known = || dunlin_store::audit::head(&db).unwrap().unwrap().0;
        let first = confirm("C1");
        let before_name = known();
        for (name, minor) in [("X", 400), ("Y", 300)] {
            let new = from(json!({
                "id": name, "customer_id": "C1", "received_on": "2026-10-31", "same_as": first,
                "amount": {"minor": minor, "currency": "EUR"},
            }));
            payments::add(&db, &new, id("made"), &author()).unwrap();
        }
        let named = known();
        let back = from(json!({"id": "R1", "kind": "mistake"}));
        payments::reverse(&db, &first, &back, id("made"), &author()).unwrap();
        let before = feed(&db).len();
        let mistaken = known();
        let now = match end {
            "" => {
                bank::reject(&db, &of, &from(json!({})), &author()).unwrap();
                None
            }
            end => Some(confirm(end)),
        };
        let told = feed(&db);
        let of_names = told[before..].iter().filter(|of| of.kind.contains("named"));
        let of_names: Vec<_> = of_names
            .map(|of| {
                let mut data = serde_json::to_value(&of.data).unwrap();
                data.as_object_mut().unwrap().remove("entry");
                (of.kind.as_str(), of.subject.clone(), of.customer_id.clone(), data)
            })
            .collect();
        let customer = Some(id(if end == "C2" { "C2" } else { "C1" }));
        let payment = now.as_ref().unwrap_or(&first);
        let data = |minor: i64| json!({"payment_id": payment, "day": "2026-10-31", "minor": minor, "currency": "EUR"});
        let wanted = [("X", 400), ("Y", 300)]
            .map(|(name, minor)| (kind, Some(name.to_string()), customer.clone(), data(minor)));
        assert_eq!(of_names, wanted, "{end}");
        // As it was known: no name, then one of the first payment, then of the one that took its place or of none.
        let read = |name: &str, known: i64| payments::get(&db, &id(name), Date::LAST, known);
        assert_eq!(code(read("X", before_name)), dunlin_domain::Refusal::NotFound);
        assert_eq!(read(first.as_str(), before_name).unwrap().also, None);
        for then in [named, mistaken] {
            let was = read("X", then).unwrap();
            assert_eq!((&was.id, was.also), (&first, Some(vec![id("X"), id("Y")])), "{end}");
        }
        for then in [known(), i64::MAX] {
            let is = read("X", then).ok().map(|of| of.id);
            assert_eq!(is, now, "{end}");
            assert_eq!(read(first.as_str(), then).unwrap().also, None, "{end}");
        }
        // What becomes a payment of its own had been a name.
        if now.is_none() {
            let new = from(json!({
                "id": "X", "customer_id": "C1", "received_on": "2026-10-31",
                "amount": {"minor": 400, "currency": "EUR"},
            }));
            payments::add(&db, &new, id("made"), &author()).unwrap();
            assert_eq!(read("X", i64::MAX).unwrap().id, id("X"));
            assert_eq!(read("X", named).unwrap().id, first);
        }
        holds(&db);
    }
}
