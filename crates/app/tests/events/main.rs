//! Events in and out on a real SQLite file: the feed reads the same each time, sources are kept once, and whatever a
//! receiver does, each event reaches it in the order of its customer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod sent;
mod told;
mod webhooks;

use common::{db, id, read as from};
use dunlin_app::{
    audit::Author,
    customer as customers, erase, event, event_source,
    import::{self, Begun, Order, Reading, Rows, Slice},
    inbound_event::{self, Said, retry},
    invoice,
    ledger::Change,
    payment, sweep,
    webhook::{self, Answered},
};
use dunlin_domain::{
    Id, Instant, Refusal,
    contract::{
        events::{Event, InboundState, NewSource, NewWebhook, Redelivery},
        ingest::{ImportKind, OnError},
    },
    event::{KINDS, Place, check_kinds, is_listed},
};
use dunlin_store::{Db, Fault, native::NativeDb};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn now() -> Instant {
    "2024-12-31T12:00:00Z".parse().unwrap()
}

fn author() -> Author {
    Author { who: "tester".into(), at: now(), salt: "salt".into() }
}

fn customer(db: &NativeDb, name: &str) {
    let new = from(json!({"id": name, "name": format!("{name} Ltd")}));
    customers::add(db, &new, id("made"), &author()).unwrap();
}

fn claim(db: &NativeDb, name: &str, of: &str, minor: i64) {
    let new = from(
        json!({"id": name, "customer_id": of, "issued_on": "2024-03-01", "due_on": "2024-03-31",
        "amount": {"minor": minor, "currency": "EUR"}}),
    );
    invoice::add(db, &new, id("made"), &author()).unwrap();
}

fn pay(db: &NativeDb, name: &str, of: &str, minor: i64, on: &str) {
    let new = from(json!({"id": name, "customer_id": of, "received_on": on,
        "amount": {"minor": minor, "currency": "EUR"}}));
    payment::add(db, &new, id("made"), &author()).unwrap();
}

/// The whole feed in pages of so many.
fn feed(db: &NativeDb, limit: usize, kinds: &[String]) -> Vec<Event> {
    let (mut after, mut events) = (Place::FIRST, Vec::new());
    loop {
        let page = event::feed(db, after, limit, kinds, None).unwrap();
        assert!(page.items.len() <= limit);
        for event in &page.items {
            assert!(KINDS.contains(&event.kind.as_str()), "{} is not listed", event.kind);
        }
        events.extend(page.items);
        after = page.next.parse().unwrap();
        if !page.more {
            return events;
        }
    }
}

/// The code of the flows, file by file.
fn sources(folder: &std::path::Path, of: &mut Vec<String>) {
    for found in std::fs::read_dir(folder).unwrap() {
        let path = found.unwrap().path();
        match path.is_dir() {
            true => sources(&path, of),
            false => of.push(std::fs::read_to_string(path).unwrap()),
        }
    }
}

fn source(db: &NativeDb) -> dunlin_store::event_source::Stored {
    let new: NewSource = from(
        json!({"signature": {"kind": "stripe"}, "secret": "a-long-secret", "preset": "stripe"}),
    );
    event_source::put(db, &id("pay"), &new, &author()).unwrap();
    inbound_event::source(db, &id("pay")).unwrap()
}

fn stripe(name: &str, kind: &str, object: Value) -> String {
    json!({"id": name, "type": kind, "created": 1_711_900_800, "data": {"object": object}})
        .to_string()
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(db: &NativeDb) {
    let new: NewWebhook =
        from(json!({"url": "https://erp.example/in", "secret": SECRET, "after": "0"}));
    webhook::put(db, &id("erp"), &new, &author()).unwrap();
}

/// What a receiver or somebody at a desk does next.
#[derive(Clone, Debug)]
enum Step {
    /// Something happens to a customer.
    Pay(usize),
    /// A tick, in which the nth event of a batch is answered by the nth of these.
    Tick(Vec<Answer>),
    /// A tick that dies after its receiver took some, before it could say so.
    Crash(Vec<Answer>),
    Redeliver,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Takes,
    Fails,
    /// Takes it and says that it failed.
    TakesAndFails,
}
