//! Events in and out on a real SQLite file: the feed reads the same each time, sources are kept once, and whatever a
//! receiver does, each event reaches it in the order of its customer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

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

fn said(events: &[Event]) -> Vec<String> {
    let line = |of: &Event| {
        let open = of.data.open_minor.map_or(String::new(), |open| format!(" open {open}"));
        format!("{} {}{open}", of.kind, of.subject.as_deref().unwrap_or("-"))
    };
    events.iter().map(line).collect()
}

#[test]
fn the_feed_says_what_happened_and_says_it_again_word_for_word() {
    let (_folder, db) = db();
    customer(&db, "C1");
    claim(&db, "I1", "C1", 1000);
    pay(&db, "P1", "C1", 400, "2024-04-01");
    pay(&db, "P2", "C1", 600, "2024-04-02");
    let first = feed(&db, 100, &[]);
    assert_eq!(
        said(&first),
        [
            "customer.created C1",
            "invoice.created I1",
            "payment.recorded P1",
            "allocation.recorded I1 open 600",
            "payment.recorded P2",
            "allocation.recorded I1 open 0",
            "invoice.settled I1 open 0",
        ]
    );
    assert!(first.iter().all(|of| of.customer_id == Some(id("C1"))));

    // What changes later is told later; what was told stays as it was.
    let correction =
        from(json!({"minor": 1500, "due_on": "2024-05-31", "reason": "typed wrongly"}));
    invoice::correct(&db, &id("I1"), &correction, &author()).unwrap();
    let back = from(json!({"id": "R1", "kind": "chargeback", "on": "2024-05-01"}));
    payment::reverse(&db, &id("P1"), &back, id("made"), &author()).unwrap();
    let correction = from(json!({"minor": 700, "reason": "misread"}));
    payment::correct(&db, &id("P2"), &correction, &author()).unwrap();
    let second = feed(&db, 100, &[]);
    assert_eq!(second[..first.len()], first[..]);
    let later = said(&second[first.len()..]);
    assert_eq!(later[0], "invoice.corrected I1");
    assert!(later.contains(&"payment.reversed P1".to_string()), "{later:?}");
    assert!(later.contains(&"payment.returned P1".to_string()), "{later:?}");
    let back = second.iter().find(|of| of.kind == "payment.reversed").unwrap();
    let data = serde_json::to_value(&back.data).unwrap();
    assert_eq!(
        (&data["payment_id"], &data["day"], &data["minor"], &data["currency"], &data["state"]),
        (&json!("P1"), &json!("2024-05-01"), &json!(400), &json!("EUR"), &json!("chargeback"))
    );
    assert!(later.contains(&"payment.corrected P2".to_string()), "{later:?}");
    // The places rise, and pages of any size are the same events.
    let places: Vec<Place> = second.iter().map(|of| of.id.parse().unwrap()).collect();
    assert!(places.is_sorted_by(|a, b| a < b));
    for limit in [1, 2, 3, 7] {
        assert_eq!(feed(&db, limit, &[]), second, "pages of {limit}");
    }
    let settled = feed(&db, 2, &["invoice.settled".to_string(), "payment.*".to_string()]);
    assert!(settled.iter().all(|of| of.kind != "invoice.created"));
    assert_eq!(settled.iter().filter(|of| of.kind == "payment.recorded").count(), 2);
}

/// What is done to things of a kind where the code chooses it.
const CHOSEN: [(&str, &[&str]); 18] = [
    ("alert", &["assign", "close", "escalate", "snooze"]),
    ("alert_rule", &["create", "replace"]),
    ("card", &["create", "replace"]),
    ("contract", &["add-version", "create"]),
    ("credit_limit", &["create", "replace"]),
    ("credit_order", &["create", "replace"]),
    ("credit_reservation", &["commit", "release"]),
    ("credit_rule", &["create", "replace"]),
    ("customer", &["create", "replace"]),
    ("customer_event", &["mandate-cancelled", "payment-failed"]),
    ("dispute", &["reopen", "resolve"]),
    ("event_source", &["create", "replace"]),
    ("external_fact", &["create", "replace"]),
    ("guarantee", &["create", "replace"]),
    ("limit_policy", &["create", "replace"]),
    ("profile", &["create", "replace"]),
    ("watch", &["create", "end", "replace"]),
    ("webhook", &["create", "discard", "redeliver", "remove", "replace"]),
];

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

#[test]
fn whatever_is_noted_can_be_asked_for_or_is_never_told() {
    let mut files = Vec::new();
    sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut noted = 0;
    for (call, at) in [("Note::made(", 0), ("Note::changed(", 1)] {
        for rest in files.iter().flat_map(|text| text.split(call).skip(1)) {
            let said: Vec<&str> = rest.split(',').take(2).map(str::trim).collect();
            let literal =
                |at: usize| said[at].strip_prefix('"').and_then(|of| of.strip_suffix('"'));
            let nouns = match (said[at], literal(at)) {
                (_, Some(noun)) => vec![noun],
                ("NOUN", _) => vec!["api_key"],
                ("noun", _) => vec!["organisation"],
                (other, _) => panic!("what is noted of {other}?"),
            };
            let actions = |noun: &str| match (at, literal(0)) {
                (0, _) => vec!["create"],
                (_, Some(action)) => vec![action],
                _ => CHOSEN.iter().find(|(of, _)| *of == noun).expect(noun).1.to_vec(),
            };
            for noun in nouns {
                for action in actions(noun) {
                    assert!(is_listed(noun, action), "{action} {noun} can not be asked for");
                    noted += 1;
                }
            }
        }
    }
    assert!(noted > 60, "only {noted} were found");
}

#[test]
fn a_name_of_a_payment_a_reference_and_an_application_are_told_of_their_customer() {
    let (_folder, db) = db();
    customer(&db, "C1");
    claim(&db, "I1", "C1", 1000);
    pay(&db, "P1", "C1", 1000, "2024-04-01");
    let new = from(json!({
        "id": "E1", "customer_id": "C1", "received_on": "2024-04-02", "same_as": "P1",
        "amount": {"minor": 1000, "currency": "EUR"},
    }));
    payment::add(&db, &new, id("made"), &author()).unwrap();
    let new = from(json!({
        "id": "I1", "customer_id": "C1", "issued_on": "2024-03-01", "due_on": "2024-03-31",
        "amount": {"minor": 1000, "currency": "EUR"}, "reference": "RF18539007547034",
    }));
    invoice::add(&db, &new, id("made"), &author()).unwrap();
    let asked = from(json!({
        "customer": "C1", "amount": {"minor": 500_000, "currency": "EUR"},
    }));
    dunlin_app::credit::check::onboarding(&db, &asked, &id("A1"), None, &author()).unwrap();
    let kinds = ["payment.named", "invoice.referenced", "application.created"].map(String::from);
    check_kinds(&kinds).unwrap();
    let told = feed(&db, 10, &kinds);
    assert_eq!(
        said(&told),
        ["payment.named E1", "invoice.referenced I1", "application.created A1"]
    );
    assert!(told.iter().all(|of| of.customer_id == Some(id("C1"))), "{told:?}");
    let data = serde_json::to_value(&told[0].data).unwrap();
    assert_eq!(
        (&data["payment_id"], &data["day"], &data["minor"], &data["currency"]),
        (&json!("P1"), &json!("2024-04-02"), &json!(1000), &json!("EUR"))
    );
}

#[test]
fn what_was_told_of_a_document_with_instalments_stays_as_it_was() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let new = from(json!({
        "id": "I1", "customer_id": "C1", "issued_on": "2024-03-01",
        "amount": {"minor": 100_000, "currency": "EUR"},
        "instalments": [{"due_on": "2024-04-01", "minor": 40_000}, {"due_on": "2024-05-01", "minor": 60_000}],
    }));
    invoice::add(&db, &new, id("made"), &author()).unwrap();
    let first = feed(&db, 100, &[]);
    assert_eq!(first[1].data.minor, Some(100_000));
    for (of, change) in [
        ("I1#1", json!({"minor": 35_000, "reason": "typed"})),
        ("I1#1", json!({"minor": 36_000, "reason": "again"})),
        ("I1#2", json!({"minor": 70_000, "due_on": "2024-06-01", "reason": "agreed"})),
        ("I1", json!({"issued_on": "2024-03-02", "reason": "misread"})),
    ] {
        invoice::correct(&db, &id(of), &from(change), &author()).unwrap();
        assert_eq!(feed(&db, 100, &[])[..first.len()], first[..], "{of}");
    }
}

#[test]
fn a_document_is_settled_once_however_the_replay_moves_money() {
    let (_folder, db) = db();
    customer(&db, "C1");
    claim(&db, "I1", "C1", 1000);
    claim(&db, "I2", "C1", 1000);
    pay(&db, "P1", "C1", 1000, "2024-04-02");
    // An earlier payment displaces the later one from I1 to I2: I1 stays settled, I2 becomes so.
    pay(&db, "P0", "C1", 1000, "2024-04-01");
    let turned = feed(&db, 50, &["invoice.settled".into(), "invoice.reopened".into()]);
    assert_eq!(said(&turned), ["invoice.settled I1 open 0", "invoice.settled I2 open 0"]);
}

#[test]
fn a_file_of_many_rows_is_one_row_of_the_order() {
    let (_folder, db) = db();
    let order = |kind, name: &str| Order {
        id: id(name),
        kind,
        profile: id("generic"),
        on_error: OnError::Reject,
        create_customers: true,
    };
    let rows = |from: i64, to: i64, row: &dyn Fn(i64) -> Value| {
        Value::from((from..to).map(row).collect::<Vec<Value>>()).to_string()
    };
    let bring = |order: &Order, slice: &Slice, received: u64| {
        let options = import::Options::default();
        let Begun::Work(work) = import::begin(&db, order, &options, now()).unwrap() else {
            panic!("it was there")
        };
        let rows = Rows { staged: 0, last: slice };
        let reading = Reading { received, ..Reading::default() };
        import::apply(&db, order, work.run, rows, &reading, &author()).unwrap()
    };
    let invoices = rows(0, 3_000, &|n| {
        json!([
            n,
            format!("I{n}"),
            format!("C{}", n % 7),
            "invoice",
            "2024-03-01",
            "2024-03-31",
            100,
            "EUR",
            0
        ])
    });
    let slice = Slice { customers: "[]".into(), invoices, payments: "[]".into() };
    bring(&order(ImportKind::Invoices, "F1"), &slice, 3_000);
    let payments = rows(0, 2_500, &|n| {
        json!([
            n,
            format!("P{n}"),
            format!("C{}", n % 7),
            "2024-04-01",
            100,
            "EUR",
            format!("I{n}")
        ])
    });
    let slice = Slice { customers: "[]".into(), invoices: "[]".into(), payments };
    bring(&order(ImportKind::Payments, "F2"), &slice, 2_500);
    bring(&order(ImportKind::Payments, "F3"), &slice, 2_500);
    assert_eq!(
        db.int("SELECT count(*) FROM event", &[]).unwrap(),
        2,
        "a file that brought nothing has none"
    );

    let all = feed(&db, 500, &[]);
    let count = |kind: &str| all.iter().filter(|of| of.kind == kind).count();
    assert_eq!(
        [
            "import.applied",
            "customer.created",
            "invoice.created",
            "payment.recorded",
            "allocation.recorded",
            "invoice.settled"
        ]
        .map(count),
        [2, 7, 3_000, 2_500, 2_500, 2_500]
    );
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|of| of.id.as_str()).collect();
    assert_eq!(ids.len(), all.len());
    assert_eq!(feed(&db, 333, &[]), all);
}

#[test]
fn the_sweep_tells_what_it_found() {
    let (_folder, db) = db();
    customer(&db, "C1");
    claim(&db, "I1", "C1", 100_000);
    for day in ["2024-04-15", "2024-06-30"] {
        let mut tick = sweep::Tick::begin(&db, Some(day.parse().unwrap()), id("t"), now()).unwrap();
        loop {
            match tick.step(&db, now()).unwrap() {
                sweep::Step::More => {}
                sweep::Step::Deliver => {
                    tick.delivered(&db, dunlin_app::remind::Handed::default(), true, now()).unwrap()
                }
                sweep::Step::Done => break,
            }
        }
        tick.end(&db).unwrap();
    }
    let kinds: Vec<String> = feed(&db, 100, &[]).into_iter().map(|of| of.kind).collect();
    for wanted in ["alert.opened", "notice.created", "grade.changed"] {
        assert!(kinds.contains(&wanted.to_string()), "{wanted} in {kinds:?}");
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

#[test]
fn what_a_source_sends_is_applied_once() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let source = source(&db);
    let receive = |body: &str| inbound_event::receive(&db, &source, None, body, &author());
    let object = json!({"id": "in_1", "customer": "C1", "total": 1000, "currency": "eur"});
    let (event, _) = receive(&stripe("e1", "invoice.finalized", object)).unwrap();
    assert_eq!((event.state, event.made.as_deref()), (InboundState::Applied, Some("in_1")));
    let paid = stripe(
        "e2",
        "payment_intent.succeeded",
        json!({"id": "pi_1", "customer": "C1", "amount_received": 300, "currency": "eur"}),
    );
    assert_eq!(receive(&paid).unwrap().1, Change::Made);
    assert_eq!(receive(&paid).unwrap().1, Change::AlreadySo);
    let other = paid.replace("300", "301");
    let Err(Fault::Refused(refused)) = receive(&other) else { panic!("another body") };
    assert_eq!(refused.code, Refusal::DifferentContent);
    // A charge says what has gone back altogether: 100, then 100 more, then the same again.
    for (name, total, made) in [("e3", 100, true), ("e4", 200, true), ("e5", 200, false)] {
        let object = json!({"payment_intent": "pi_1", "amount_refunded": total, "currency": "eur"});
        let (event, _) = receive(&stripe(name, "charge.refunded", object)).unwrap();
        assert_eq!((event.state, event.made.is_some()), (InboundState::Applied, made), "{name}");
    }
    let day = "2024-12-31".parse().unwrap();
    let open = || invoice::get(&db, &id("in_1"), day, i64::MAX).unwrap().open.minor;
    assert_eq!(open(), 900);
    // A void invoice: what is open is taken off, what was paid stays paid.
    let (event, _) = receive(&stripe("e6", "invoice.voided", json!({"id": "in_1"}))).unwrap();
    assert_eq!((event.made.as_deref(), open()), (Some("void/in_1"), 0));
    // Nothing is made of what no rule names.
    let (event, _) = receive(&stripe("e7", "customer.created", json!({}))).unwrap();
    assert_eq!((event.state, event.makes), (InboundState::Kept, None));
    let object = json!({"id": "pi_2", "customer": "C1", "amount": 5, "currency": "eur",
        "last_payment_error": {"code": "card_declined"}});
    let (event, _) = receive(&stripe("e8", "payment_intent.payment_failed", object)).unwrap();
    assert_eq!(event.state, InboundState::Applied);
    let kinds: Vec<String> = feed(&db, 100, &[]).into_iter().map(|of| of.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "payment.failed").count(), 1, "{kinds:?}");
    let told = dunlin_app::verify::books(&db).unwrap();
    assert!(told.ok, "{told:?}");
}

#[test]
fn a_total_of_refunds_counts_refunds_and_nothing_else_that_went_back() {
    // What went back by hand besides, and what is back after totals of 25 and 30.
    for (kind, back) in
        [(None, 30), (Some("chargeback"), 40), (Some("returned"), 40), (Some("refund"), 30)]
    {
        let (_folder, db) = db();
        customer(&db, "C1");
        pay(&db, "pi_1", "C1", 300, "2024-01-01");
        let source = source(&db);
        let refunded = |name: &str, total: i64| {
            let object =
                json!({"payment_intent": "pi_1", "amount_refunded": total, "currency": "eur"});
            let body = stripe(name, "charge.refunded", object);
            let (event, _) = inbound_event::receive(&db, &source, None, &body, &author()).unwrap();
            assert_eq!(event.state, InboundState::Applied, "{event:?}");
        };
        refunded("e1", 25);
        if let Some(kind) = kind {
            let new = from(
                json!({"id": "B1", "kind": kind, "minor": if kind == "refund" { 5 } else { 10 }}),
            );
            payment::reverse(&db, &id("pi_1"), &new, id("made"), &author()).unwrap();
        }
        // One that was taken back was none.
        let new = from(json!({"id": "B2", "kind": "refund", "minor": 7}));
        payment::reverse(&db, &id("pi_1"), &new, id("made"), &author()).unwrap();
        let undoing = from(json!({"reason": "of another"}));
        payment::undo(&db, &id("B2"), &undoing, &author()).unwrap();
        refunded("e2", 30);
        refunded("e3", 30);
        let day = "2024-12-31".parse().unwrap();
        let paid = payment::get(&db, &id("pi_1"), day, i64::MAX).unwrap();
        assert_eq!(paid.returned_minor, back, "{kind:?}");
        let told = dunlin_app::verify::books(&db).unwrap();
        assert!(told.ok, "{told:?}");
    }
}

#[test]
fn refused_events_are_tried_again_by_themselves_until_it_is_no_use() {
    let (_folder, db) = db();
    let source = source(&db);
    let at = |seconds: i64| Author { at: now().plus_seconds(seconds), ..author() };
    let paid = |name: &str, of: &str| {
        let object = json!({"id": format!("pi_{name}"), "customer": of, "amount_received": 300, "currency": "eur"});
        stripe(name, "payment_intent.succeeded", object)
    };
    let receive = |body: &str| inbound_event::receive(&db, &source, None, body, &at(0)).unwrap().0;
    let waits = receive(&paid("e1", "C1"));
    assert_eq!((waits.tries, waits.next_try_at), (1, Some(now().plus_seconds(60))));
    // What no time mends is not tried again.
    let never = receive(&paid("e2", "C1").replace("eur", "xxx"));
    assert_eq!((never.tries, never.next_try_at), (1, None));

    let due = |seconds: i64| {
        let run = retry::due(&db, &at(seconds), || true).unwrap();
        (run.done, run.applied, run.refused)
    };
    assert_eq!(due(59), (true, 0, 0));
    assert_eq!(due(60), (true, 0, 1));
    let found = inbound_event::get(&db, &source, &id("e1")).unwrap();
    assert_eq!((found.tries, found.next_try_at), (2, Some(now().plus_seconds(360))));
    customer(&db, "C1");
    // It is there now: the next run does not wait for the moment.
    assert!(!retry::due(&db, &at(61), || false).unwrap().done);
    assert_eq!(due(61), (true, 1, 0));
    assert_eq!(due(100_000), (true, 0, 0));

    // One that nobody comes for is given up after nine tries, and tried once more when it is asked for.
    receive(&paid("e3", "C3"));
    let mut seconds = 0;
    while let Some(next) = inbound_event::get(&db, &source, &id("e3")).unwrap().next_try_at {
        seconds = next.unix() - now().unix();
        assert_eq!(due(seconds).2, 1);
    }
    assert_eq!(inbound_event::get(&db, &source, &id("e3")).unwrap().tries, 9);
    let run = retry::all(&db, &id("pay"), &at(seconds + 1), || true).unwrap();
    assert_eq!((run.done, run.applied, run.refused), (true, 0, 2));
    // Its customer comes at last.
    customer(&db, "C3");
    assert_eq!(due(seconds + 1), (true, 1, 0));
}

#[test]
fn what_waits_for_a_record_is_tried_when_the_record_is_made() {
    let (_folder, db) = db();
    let source = source(&db);
    let receive = |name: &str, kind: &str, object: Value| {
        inbound_event::receive(&db, &source, None, &stripe(name, kind, object), &author())
            .unwrap()
            .0
    };
    let state = |name: &str| inbound_event::get(&db, &source, &id(name)).unwrap().state;
    // A refund waits for its payment, that for its invoice, and that for its customer.
    let refund = json!({"payment_intent": "pi_1", "amount_refunded": 100, "currency": "eur"});
    receive("refund", "charge.refunded", refund);
    let claim = json!({"id": "in_1", "customer": "C1", "total": 1000, "currency": "eur"});
    receive("claim", "invoice.finalized", claim);
    customer(&db, "C1");
    let paid = json!({"id": "pi_1", "customer": "C1", "amount_received": 300, "currency": "eur",
        "metadata": {"invoice_id": "in_1"}});
    let waits = receive("paid", "payment_intent.succeeded", paid);
    assert_eq!(waits.code, Some(Refusal::UnknownInvoice));
    assert_eq!(["refund", "claim", "paid"].map(state), [InboundState::Refused; 3]);
    // A customer that was there already brings nothing new.
    let c1 = id("C1");
    retry::made(&db, retry::Awaited::Customer(&c1), Change::AlreadySo, &author());
    assert_eq!(state("claim"), InboundState::Refused);
    retry::made(&db, retry::Awaited::Customer(&c1), Change::Made, &author());
    assert_eq!(["refund", "claim", "paid"].map(state), [InboundState::Applied; 3]);

    // An event makes what another waits for.
    let refund = json!({"payment_intent": "pi_2", "amount_refunded": 1, "currency": "eur"});
    receive("early", "charge.refunded", refund);
    let paid = json!({"id": "pi_2", "customer": "C1", "amount_received": 2, "currency": "eur"});
    receive("late", "payment_intent.succeeded", paid);
    assert_eq!(state("early"), InboundState::Applied);
    let who = db.execute("SELECT DISTINCT who FROM audit WHERE noun = 'payment'", &[]).unwrap();
    assert!(who.iter().any(|row| row.text(0).unwrap() == "source/pay"));

    // One that names what is there and does not fit is not looked at each time.
    customer(&db, "C2");
    let paid = json!({"id": "pi_3", "customer": "C2", "amount_received": 2, "currency": "eur",
        "metadata": {"invoice_id": "in_1"}});
    receive("other", "payment_intent.succeeded", paid);
    assert_eq!(retry::due(&db, &author(), || true).unwrap().refused, 0);
    let told = dunlin_app::verify::books(&db).unwrap();
    assert!(told.ok, "{told:?}");
}

#[test]
fn what_is_cancelled_at_its_source_and_open_here_is_named() {
    let (_folder, db) = db();
    for name in ["open", "paid", "void", "credit"] {
        customer(&db, &format!("C-{name}"));
        claim(&db, name, &format!("C-{name}"), 1000);
    }
    pay(&db, "P1", "C-paid", 1000, "2024-04-01");
    invoice::void(&db, &id("void"), "2024-04-01".parse().unwrap(), &author()).unwrap();
    let note = from(json!({"id": "note", "customer_id": "C-credit", "kind": "credit-note",
        "issued_on": "2024-03-02", "amount": {"minor": 1000, "currency": "EUR"}}));
    invoice::add(&db, &note, id("made"), &author()).unwrap();
    let names = ["open", "paid", "void", "note", "never-here", "open"];
    let mut rows = dunlin_domain::profile::Slice::default();
    let profile = from(
        json!({"name": "erp", "records": [{"kind": "invoices", "void_where": ["Status=Cancelled"],
        "fields": [{"field": "id", "column": "No"}, {"field": "customer_id", "column": "No"},
            {"field": "issued_on", "column": "No"}, {"field": "amount", "column": "No"},
            {"field": "currency", "constant": "EUR"}]}]}),
    );
    let plan = dunlin_domain::profile::Plan::new(
        &profile,
        ImportKind::Invoices,
        &["No", "Status"],
        None,
        |_| true,
    )
    .unwrap();
    for (name, row) in names.iter().zip(2u64..) {
        plan.row(row, [*name, "Cancelled"].as_slice(), &mut rows);
    }
    let slice =
        Slice { customers: "[]".into(), invoices: rows.invoices.take(), payments: "[]".into() };
    let order = Order {
        id: id("F1"),
        kind: ImportKind::Invoices,
        profile: id("erp"),
        on_error: OnError::Skip,
        create_customers: true,
    };
    let Begun::Work(work) = import::begin(&db, &order, &import::Options::default(), now()).unwrap()
    else {
        panic!("it was there")
    };
    let reading = Reading { received: 6, ..Reading::default() };
    let rows = Rows { staged: 0, last: &slice };
    let result = import::apply(&db, &order, work.run, rows, &reading, &author()).unwrap();
    assert_eq!((result.accepted, result.unchanged, result.rejected), (0, 3, 3));
    let named: Vec<(u64, Refusal)> = result.errors.iter().map(|e| (e.row, e.code)).collect();
    assert_eq!(named, [2, 5, 7].map(|row| (row, Refusal::CancelledThere)));
    let customers = db.int("SELECT count(*) FROM customer", &[]).unwrap();
    assert_eq!(customers, 4, "a row that says no more names nobody");
}

#[test]
fn a_void_is_taken_back_and_comes_again() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let source = source(&db);
    claim(&db, "I1", "C1", 1000);
    let void = |name: &str| {
        let body = stripe(name, "invoice.voided", json!({"id": "I1"}));
        inbound_event::receive(&db, &source, None, &body, &author()).unwrap().0
    };
    assert_eq!(void("e1").made.as_deref(), Some("void/I1"));
    let open = || {
        let day = "2024-12-31".parse().unwrap();
        invoice::get(&db, &id("I1"), day, i64::MAX).unwrap().open.minor
    };
    // The same event again changes nothing, and another finds it void.
    assert_eq!((void("e1").made.as_deref(), void("e2").made, open()), (Some("void/I1"), None, 0));
    let mistaken = from(json!({"voided": false, "reason": "voided by mistake"}));
    assert_eq!(invoice::correct(&db, &id("I1"), &mistaken, &author()).unwrap(), Change::Replaced);
    assert_eq!(invoice::correct(&db, &id("I1"), &mistaken, &author()).unwrap(), Change::AlreadySo);
    assert_eq!(open(), 1000);
    let told = dunlin_app::verify::books(&db).unwrap();
    assert!(told.ok, "{told:?}");
    assert_eq!((void("e3").made.as_deref(), open()), (Some("void/I1"), 0));
    // It claims more by now, and that is void as well.
    let more = from(json!({"minor": 1500, "reason": "typed wrongly"}));
    invoice::correct(&db, &id("I1"), &more, &author()).unwrap();
    assert_eq!(open(), 0);
    let kinds: Vec<String> = feed(&db, 100, &[]).into_iter().map(|of| of.kind).collect();
    let voids = ["invoice.voided", "invoice.reinstated", "invoice.voided"];
    let told: Vec<&String> = kinds.iter().filter(|kind| voids.contains(&kind.as_str())).collect();
    assert_eq!(told, voids);
    let told = dunlin_app::verify::books(&db).unwrap();
    assert!(told.ok, "{told:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A paid order is cancelled: void and refund come in any order, of one day or of others, before or after each other,
    /// beside another open claim and money that waits.
    #[test]
    fn the_order_of_void_and_refund_does_not_matter(
        (void_on, refund_on) in (11i64..14, 11i64..14),
        order in Just(["invoice", "payment", "void", "refund", "other"]).prop_shuffle(),
        (other, named, extra) in (any::<bool>(), any::<bool>(), 0i64..200),
    ) {
        let (_folder, db) = db();
        customer(&db, "C1");
        let new: NewSource = from(json!({"signature": {"kind": "stripe"}, "secret": "a-long-secret",
            "preset": "standard"}));
        event_source::put(&db, &id("shop"), &new, &author()).unwrap();
        let source = inbound_event::source(&db, &id("shop")).unwrap();
        let say = |name: &str, kind: &str, data: Value| {
            let body = json!({"id": name, "type": kind, "data": data}).to_string();
            let (event, _) = inbound_event::receive(&db, &source, None, &body, &author()).unwrap();
            retry::due(&db, &author(), || true).unwrap();
            event
        };
        let day = |on: i64| format!("2024-05-{on}");
        if extra > 0 {
            // Paid too much before, and nothing but the order was open.
            pay(&db, "P0", "C1", extra, "2024-05-10");
        }
        for what in order {
            match what {
                "invoice" => say("e1", "invoice.created", json!({"id": "V", "customer_id": "C1",
                    "issued_on": "2024-05-09", "due_on": "2024-06-09", "amount": "5.00", "currency": "EUR"})),
                "payment" => say("e2", "payment.succeeded", json!({"id": "P1", "customer_id": "C1",
                    "received_on": "2024-05-09", "amount": "5.00", "currency": "EUR",
                    "invoice_id": named.then_some("V")})),
                "void" => say("e3", "invoice.voided", json!({"invoice_id": "V", "on": day(void_on)})),
                "refund" => say("e4", "payment.refunded", json!({"id": "R1", "payment_id": "P1",
                    "on": day(refund_on)})),
                _ if other => say("e5", "invoice.created", json!({"id": "O", "customer_id": "C1",
                    "issued_on": "2024-05-10", "due_on": "2024-06-10", "amount": "9.00", "currency": "EUR"})),
                _ => continue,
            };
        }
        let last = "2024-12-31".parse().unwrap();
        let open = |name: &str| invoice::get(&db, &id(name), last, i64::MAX).unwrap().open.minor;
        prop_assert_eq!(open("V"), 0);
        if other {
            prop_assert_eq!(open("O"), 900 - extra);
        }
        let told = dunlin_app::verify::books(&db).unwrap();
        prop_assert!(told.ok, "{:?}", told);
    }
}

#[test]
fn money_of_a_day_that_has_not_come_waits_for_it() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let source = source(&db);
    let object = json!({"id": "pi_1", "customer": "C1", "amount_received": 300, "currency": "eur"});
    let body = stripe("e1", "payment_intent.succeeded", object).replace("1711900800", "1735732800");
    let (event, _) = inbound_event::receive(&db, &source, None, &body, &author()).unwrap();
    assert_eq!((event.state, event.code), (InboundState::Refused, Some(Refusal::DateInFuture)));
    let later = Author { at: now().plus_seconds(86_400), ..author() };
    assert_eq!(retry::due(&db, &later, || true).unwrap().applied, 1);
}

#[test]
fn a_place_behind_the_end_is_refused_and_a_webhook_keeps_its_place() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let end = event::end(&db).unwrap();
    assert!(event::feed(&db, end, 10, &[], None).unwrap().items.is_empty());
    let behind = Place::of(end.event + 1);
    let code = |fault: Fault| match fault {
        Fault::Refused(refused) => (refused.code, refused.field),
        fault => panic!("{fault:?}"),
    };
    let after = Some("after".to_string());
    let refused = event::feed(&db, behind, 10, &[], None).unwrap_err();
    assert_eq!(code(refused), (Refusal::CursorUnknown, after.clone()));
    let put = |after: Option<String>| {
        let new: NewWebhook = from(json!({"url": "https://erp.example/in", "after": after,
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}));
        webhook::put(&db, &id("erp"), &new, &author()).map(|(_, change)| change).map_err(code)
    };
    assert_eq!(put(Some(behind.to_string())), Err((Refusal::CursorUnknown, after.clone())));
    assert_eq!(put(Some("0".into())), Ok(Change::Made));
    assert_eq!(put(Some("0".into())), Ok(Change::AlreadySo));
    assert_eq!(put(None), Ok(Change::AlreadySo));
    webhook::take_up(&db, now()).unwrap();
    assert_eq!(put(Some("0".into())), Err((Refusal::WrongState, after)));
    assert_eq!(put(None), Ok(Change::AlreadySo));
}

#[test]
fn what_the_ledger_refuses_is_kept_and_applied_when_it_can_be() {
    let (_folder, db) = db();
    let source = source(&db);
    let paid = stripe(
        "e1",
        "payment_intent.succeeded",
        json!({"id": "pi_1", "customer": "C1", "amount_received": 300, "currency": "eur"}),
    );
    let (event, change) = inbound_event::receive(&db, &source, None, &paid, &author()).unwrap();
    assert_eq!(
        (event.state, event.code, change),
        (InboundState::Refused, Some(Refusal::UnknownCustomer), Change::Made)
    );
    let retry =
        || inbound_event::retry(&db, &source, &id("e1"), &Said::default(), &author()).unwrap();
    assert_eq!(retry().0.state, InboundState::Refused);
    customer(&db, "C1");
    assert_eq!((retry().0.state, retry().1), (InboundState::Applied, Change::AlreadySo));
    // The body names the customer's payment: an erasure takes it away.
    let erased = erase::customer(&db, &id("C1"), &author()).unwrap().0;
    assert_eq!(erased.events, 1);
    assert_eq!(inbound_event::get(&db, &source, &id("e1")).unwrap().body, None);
}

#[test]
fn the_secret_before_the_last_is_taken_for_a_day() {
    let (_folder, db) = db();
    source(&db);
    let put = |secret: &str| {
        let new: NewSource =
            from(json!({"signature": {"kind": "stripe"}, "secret": secret, "preset": "stripe"}));
        event_source::put(&db, &id("pay"), &new, &author()).unwrap().1
    };
    assert_eq!(put("a-long-secret"), Change::AlreadySo);
    assert_eq!(put("another-secret"), Change::Replaced);
    let secrets = |later: i64| {
        event_source::expected(&db, &id("pay"), now().plus_seconds(later))
            .unwrap()
            .unwrap()
            .1
            .secrets
    };
    assert_eq!(secrets(86_399), ["another-secret", "a-long-secret"]);
    assert_eq!(secrets(86_400), ["another-secret"]);
    // Also where the new one is in a variable.
    let new: NewSource =
        from(json!({"signature": {"kind": "stripe"}, "secret_variable": "source_secret_1",
        "preset": "stripe"}));
    event_source::put(&db, &id("pay"), &new, &author()).unwrap();
    assert_eq!(secrets(86_399), ["another-secret"]);
    assert!(secrets(86_400).is_empty());
    event_source::disable(&db, &id("pay"), &author()).unwrap();
    assert!(event_source::expected(&db, &id("pay"), now()).unwrap().is_none());
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer = prop_oneof![
        2 => Just(Answer::Takes),
        3 => Just(Answer::Fails),
        1 => Just(Answer::TakesAndFails),
    ];
    let answers = proptest::collection::vec(answer, 1..6);
    let step = prop_oneof![
        3 => (0usize..3).prop_map(Step::Pay),
        5 => answers.clone().prop_map(Step::Tick),
        1 => answers.prop_map(Step::Crash),
        1 => Just(Step::Redeliver),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever receivers do, in the end they have every event, and each customer's in its order.
    #[test]
    fn every_event_arrives_in_the_order_of_its_customer(steps in steps()) {
        let (_folder, db) = db();
        (0..3).for_each(|n| customer(&db, &format!("C{n}")));
        webhook(&db);
        let mut taken: Vec<Event> = Vec::new();
        let mut clock = now();
        let mut paid = 0;
        let mut tick = |answers: &[Answer], dies: bool, clock: Instant| {
            webhook::take_up(&db, clock).unwrap();
            let parcels = webhook::claim(&db, clock, &[]).unwrap();
            // Nobody else gets what one has.
            assert!(webhook::claim(&db, clock, &[]).unwrap().is_empty());
            let mut of = Vec::new();
            for (place, parcel) in parcels.iter().enumerate() {
                let answer = answers[place % answers.len()];
                if !matches!(answer, Answer::Fails) {
                    let event: Event = serde_json::from_str(&parcel.claimed.body).unwrap();
                    // Whoever has it already knows it by its id.
                    if !taken.iter().any(|known| known.id == event.id) {
                        taken.push(event);
                    }
                }
                of.push(if matches!(answer, Answer::Takes) { Answered::Taken } else { Answered::Later("500".into()) });
            }
            if !dies {
                webhook::settle(&db, &parcels, &of, clock).unwrap();
            }
            parcels.len()
        };
        for step in &steps {
            clock = clock.plus_seconds(90_000);
            match step {
                Step::Pay(of) => {
                    paid += 1;
                    pay(&db, &format!("P{paid}"), &format!("C{of}"), 100, "2024-04-01");
                }
                Step::Tick(answers) => drop(tick(answers, false, clock)),
                Step::Crash(answers) => drop(tick(answers, true, clock)),
                Step::Redeliver => {
                    let all: Redelivery = from(json!({"all": true}));
                    webhook::redeliver(&db, &id("erp"), &all, &author()).unwrap();
                }
            }
        }
        // The receiver recovers.
        let all: Redelivery = from(json!({"all": true}));
        webhook::redeliver(&db, &id("erp"), &all, &author()).unwrap();
        loop {
            clock = clock.plus_seconds(90_000);
            let left = webhook::get(&db, &id("erp")).unwrap().waiting;
            if tick(&[Answer::Takes], false, clock) == 0 && left == 0 {
                break;
            }
        }
        let happened = feed(&db, 500, &[]);
        prop_assert_eq!(taken.len(), happened.len());
        let by_customer = |events: &[Event]| {
            let mut of: BTreeMap<Option<Id>, Vec<Event>> = BTreeMap::new();
            for event in events {
                of.entry(event.customer_id.clone()).or_default().push(event.clone());
            }
            of
        };
        prop_assert_eq!(by_customer(&taken), by_customer(&happened));
    }
}

#[test]
fn a_dead_letter_holds_up_its_customer_alone_until_it_is_given_up() {
    let (_folder, db) = db();
    customer(&db, "C1");
    customer(&db, "C2");
    webhook(&db);
    pay(&db, "P1", "C1", 100, "2024-04-01");
    let mut clock = now();
    let mut got = Vec::new();
    for _ in 0..20 {
        clock = clock.plus_seconds(90_000);
        webhook::take_up(&db, clock).unwrap();
        let parcels = webhook::claim(&db, clock, &[]).unwrap();
        let answers = parcels.iter().map(|parcel| {
            let event: Event = serde_json::from_str(&parcel.claimed.body).unwrap();
            if event.customer_id == Some(id("C1")) {
                return Answered::Later("500".into());
            }
            got.push(event.subject.unwrap());
            Answered::Taken
        });
        let answers: Vec<Answered> = answers.collect();
        webhook::settle(&db, &parcels, &answers, clock).unwrap();
    }
    assert_eq!(got, ["C2"]);
    let dead = webhook::dead_letters(&db, &id("erp"), 0, 10).unwrap();
    assert_eq!((dead.len(), dead[0].0.attempts, dead[0].0.waiting), (1, 9, 1));
    assert_eq!(dead[0].0.event.kind, "customer.created");
    let give_up: Redelivery = from(json!({"events": [dead[0].0.event.id], "discard": true}));
    assert_eq!(webhook::redeliver(&db, &id("erp"), &give_up, &author()).unwrap(), 1);
    let parcels = webhook::claim(&db, clock, &[]).unwrap();
    assert_eq!(parcels.len(), 1);
    assert!(parcels[0].claimed.body.contains("payment.recorded"), "{}", parcels[0].claimed.body);
    // A receiver that is gone is left alone, and what waits stays.
    webhook::settle(&db, &parcels, &[Answered::Gone], clock).unwrap();
    let paused = webhook::get(&db, &id("erp")).unwrap();
    assert!(paused.paused && paused.paused_because.is_some() && paused.waiting == 1, "{paused:?}");
    assert!(webhook::claim(&db, clock.plus_seconds(1_000_000), &[]).unwrap().is_empty());
}

#[test]
fn what_another_run_sends_is_under_way_until_it_is_settled() {
    let (_folder, db) = db();
    customer(&db, "C1");
    claim(&db, "I1", "C1", 100);
    webhook(&db);
    webhook::take_up(&db, now()).unwrap();
    let under_way = |at: Instant| webhook::under_way(&db, at).unwrap();
    assert!(!under_way(now()), "taken up, and nobody sends it");
    // Of the customer's two events the first is sent, and the other waits behind it.
    let first = webhook::claim(&db, now(), &[]).unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(webhook::claim(&db, now(), &[]).unwrap().len(), 0);
    assert!(under_way(now()));
    // Whoever took it may have died: then it is taken again.
    assert!(under_way(now().plus_seconds(119)));
    assert!(!under_way(now().plus_seconds(120)));
    // What failed waits for its time and for nobody.
    webhook::settle(&db, &first, &[Answered::Later("503".into())], now()).unwrap();
    assert!(!under_way(now()));
    let later = now().plus_seconds(60);
    let again = webhook::claim(&db, later, &[]).unwrap();
    assert_eq!(again.len(), 1);
    assert!(under_way(later), "a second try is under way as the first was");
    webhook::settle(&db, &again, &[Answered::Taken], later).unwrap();
    assert!(!under_way(later));
    assert_eq!(webhook::claim(&db, later, &[]).unwrap().len(), 1);
}

#[test]
fn webhooks_take_turns_and_one_that_is_left_out_keeps_what_waits() {
    let (_folder, db) = db();
    (0..60).for_each(|n| customer(&db, &format!("C{n}")));
    webhook(&db);
    let new: NewWebhook =
        from(json!({"url": "https://crm.example/in", "secret": SECRET, "after": "0"}));
    webhook::put(&db, &id("later"), &new, &author()).unwrap();
    webhook::take_up(&db, now()).unwrap();
    let batch = |left_out: &[i64]| {
        let mut of: BTreeMap<i64, usize> = BTreeMap::new();
        for parcel in webhook::claim(&db, now(), left_out).unwrap() {
            *of.entry(parcel.claimed.webhook).or_default() += 1;
        }
        of
    };
    let first = batch(&[]);
    assert_eq!(first.values().collect::<Vec<_>>(), [&25, &25], "half of the batch each");
    let silent = *first.keys().next().unwrap();
    let rest = batch(&[silent]);
    assert_eq!((rest.len(), rest.get(&silent)), (1, None), "{rest:?}");
    assert_eq!(batch(&[silent]), BTreeMap::new());
    assert_eq!(batch(&[]), BTreeMap::from([(silent, 35)]));
}

#[test]
fn what_is_on_its_way_stays_in_order_over_a_merge() {
    let (_folder, db) = db();
    customer(&db, "C1");
    customer(&db, "C2");
    webhook(&db);
    pay(&db, "P1", "C1", 100, "2024-04-01");
    webhook::take_up(&db, now()).unwrap();
    customers::merge(&db, &id("C1"), &id("C2"), &author()).unwrap();
    pay(&db, "P2", "C2", 100, "2024-04-02");
    webhook::take_up(&db, now()).unwrap();
    let mut told = Vec::new();
    loop {
        let parcels = webhook::claim(&db, now(), &[]).unwrap();
        let Some(parcel) = parcels.first() else { break };
        assert_eq!(parcels.len(), 1, "all of it is the one customer's");
        let event: Event = serde_json::from_str(&parcel.claimed.body).unwrap();
        told.push(format!("{} {}", event.kind, event.subject.unwrap()));
        webhook::settle(&db, &parcels, &[Answered::Taken], now()).unwrap();
    }
    assert_eq!(
        told,
        [
            "customer.created C1",
            "customer.created C2",
            "payment.recorded P1",
            "customer.merged C1",
            "payment.recorded P2",
        ]
    );
    // Whoever reads from the beginning now finds all of them with the one that stayed.
    assert!(feed(&db, 100, &[]).iter().all(|of| of.customer_id == Some(id("C2"))));
}

#[test]
fn what_did_not_come_is_told_with_what_it_was() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let source = source(&db);
    let failed = |name: &str, code: &str| {
        let object = json!({"id": format!("pi_{name}"), "customer": "C1", "amount": 1250, "currency": "eur",
            "last_payment_error": {"code": code}});
        let body = stripe(name, "payment_intent.payment_failed", object);
        inbound_event::receive(&db, &source, None, &body, &author()).unwrap();
    };
    failed("e1", "card_declined");
    failed("e2", "Anna Weber has no money");
    let told = feed(&db, 100, &["payment.failed".into()]);
    let data = &told[0].data;
    assert_eq!(told[0].customer_id, Some(id("C1")));
    assert_eq!(data.payment_id, Some(id("pi_e1")));
    assert_eq!(
        (data.minor, data.currency.map(|of| of.to_string())),
        (Some(1250), Some("EUR".into()))
    );
    assert!(data.day.is_some() && data.entry.is_some());
    assert_eq!(data.reason.as_deref(), Some("card_declined"));
    // What is no code may be about somebody.
    assert_eq!((&told[1].data.payment_id, &told[1].data.reason), (&Some(id("pi_e2")), &None));
}
