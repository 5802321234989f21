//! Events that come in signed by the clock, and events on their way to receivers that fail, break off and are silent,
//! from a process that is killed.

use base64::{Engine, engine::general_purpose::STANDARD};
use dunlin_tests::{
    Answer, App, BREAKS_OFF, Client, Process, Receiver, SILENT, Setup, Value, json,
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn mac(secret: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn standard(secret: &str, text: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    format!("v1,{}", STANDARD.encode(mac(&key, text)))
}

fn payment(id: &str) -> String {
    let data = json!({"id": id, "customer_id": "C1", "received_on": "2024-03-20", "amount": "1.00", "currency": "EUR"});
    json!({"id": id, "type": "payment.succeeded", "data": data}).to_string()
}

/// A delivery as Standard Webhooks has it, signed so many seconds ago.
fn deliver(app: &Client, source: &str, id: &str, body: &str, ago: i64) -> Answer {
    let at = (chrono::Utc::now().timestamp() - ago).to_string();
    let signature = standard(SECRET, &format!("{id}.{at}.{body}"));
    let request = app.request("POST", &format!("/v1/ingest/events/{source}"));
    let request = request.body("application/json", body).header("webhook-id", id);
    request.header("webhook-timestamp", &at).header("webhook-signature", &signature).send()
}

#[test]
fn deliveries_are_taken_within_their_window_and_once() {
    let app = Setup::new().variable("source_secret_2", SECRET).start();
    app.import("customers", "id,name\nC1,First Street Bakery\n");
    let source = json!({"signature": {"kind": "standard-webhooks"}, "secret_variable": "source_secret_2",
        "preset": "standard"});
    assert_eq!(app.put_json("/v1/ingest/sources/shop", &source).status, 201);
    for (id, ago, status) in
        [("P1", 0, 200), ("P2", 290, 200), ("P3", 320, 401), ("P4", -290, 200), ("P5", -320, 401)]
    {
        let answer = deliver(&app, "shop", id, &payment(id), ago);
        assert_eq!(answer.status, status, "{id} signed {ago} s ago");
    }
    let again = deliver(&app, "shop", "P1", &payment("P1"), 1);
    assert_eq!((again.status, again.header("dunlin-outcome")), (200, Some("already-so")));
    // The id in the header is the event's: the same id with another payment is another event under its name.
    deliver(&app, "shop", "P1", &payment("P9"), 0).refused("different-content");
    let payments = app.all("/v1/ingest/payments?customer_id=C1", 100);
    assert_eq!(payments.len(), 3, "{payments:?}");

    // The scheme of Stripe, with its own secret and the mapping that ships.
    let source =
        json!({"signature": {"kind": "stripe"}, "secret": "whsec_of-stripe", "preset": "stripe"});
    assert_eq!(app.put_json("/v1/ingest/sources/stripe", &source).status, 201);
    let body = json!({"id": "evt_1", "type": "payment_intent.succeeded", "created": 1_711_900_800,
        "data": {"object": {"id": "pi_1", "customer": "C1", "amount_received": 1250, "currency": "eur"}}});
    let send = |secret: &str, at: i64, body: &str| {
        let signature = mac(secret.as_bytes(), &format!("{at}.{body}"));
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        let request = app.request("POST", "/v1/ingest/events/stripe");
        let request = request.body("application/json; charset=utf-8", body);
        request.header("stripe-signature", format!("t={at},v1={hex}")).send()
    };
    let (now, body) = (chrono::Utc::now().timestamp(), body.to_string());
    assert_eq!(send("whsec_of-stripe", now, &body).ok()["made"], "pi_1");
    // It names a means of payment and no customer: it is kept, and nothing is made of it.
    let mandate = json!({"id": "evt_2", "type": "mandate.updated", "created": 1_711_900_800, "data": {"object":
        {"id": "mandate_1", "object": "mandate", "payment_method": "pm_1", "status": "inactive"}}});
    let kept = send("whsec_of-stripe", now, &mandate.to_string());
    assert_eq!((kept.status, &kept.json()["state"]), (202, &json!("kept")));
    assert_eq!(kept.json()["makes"], Value::Null);
    send("whsec_of-stripe", now - 400, &body).refused("signature-refused");
    send("whsec_of-others", now, &body).refused("signature-refused");
}

/// Moves the next tries to now, as if the time had passed.
fn let_time_pass(data: &Path) {
    let database = rusqlite::Connection::open(data.join("default.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    database
        .execute("UPDATE webhook_event SET next_attempt_at = '2024-01-01T00:00:00Z'", [])
        .unwrap();
}

fn webhook(app: &Client, receiver: &Receiver) {
    let new = json!({"url": format!("{}/in", receiver.origin()), "secret": SECRET, "after": "0"});
    assert_eq!(app.put_json("/v1/ingest/webhooks/erp", &new).status, 201);
}

/// Receives every way there is to fail, again and again.
const TROUBLE: &[u16] = &[
    200, 500, BREAKS_OFF, 200, 503, 200, 200, SILENT, 429, 200, 302, 200, BREAKS_OFF, 500, 200,
    200, 404, 200, 200, 500, 200, BREAKS_OFF, 200, 200, 200, 503, 200, 200, 200, 500, 200, 204,
];

#[test]
fn every_event_arrives_in_order_at_a_receiver_that_fails_from_a_process_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(TROUBLE);
    let up = || Process::up_with(folder.path(), &[("webhook_origin", &receiver.origin())]);
    let app = up();
    app.import("customers", "id,name\nC1,x\nC2,y\nC3,z\n");
    webhook(&app, &receiver);
    let pays = |app: &Client, from: usize| {
        for n in from..from + 4 {
            let body = json!({"id": format!("P{n}"), "customer_id": format!("C{}", 1 + n % 3),
                "received_on": "2024-03-20", "amount": {"minor": 100, "currency": "EUR"}});
            assert_eq!(app.post_json("/v1/ingest/payments", &body).status, 201);
        }
    };
    pays(&app, 0);
    // Killed in the middle of a run: as soon as the receiver has something new.
    let mut app = Some(app);
    for round in 1..4 {
        let running = app.take().unwrap();
        let client: Client = (*running).clone();
        let before = receiver.received().len();
        let run = std::thread::spawn(move || {
            client.request("POST", "/v1/ingest/webhooks/deliver").begin()
        });
        dunlin_tests::eventually("a message", || receiver.received().len() > before);
        running.kill();
        drop(run.join().unwrap());
        let again = up();
        pays(&again, 4 * round);
        let_time_pass(folder.path());
        app = Some(again);
    }
    let app = app.unwrap();
    loop {
        let_time_pass(folder.path());
        let all = json!({"all": true});
        app.post_json("/v1/ingest/webhooks/erp/redeliver", &all).ok();
        app.post("/v1/ingest/webhooks/deliver").ok();
        if app.get("/v1/ingest/webhooks/erp").ok()["waiting"] == 0 {
            break;
        }
    }
    // What the receiver has, each event once by its id, in the order in which it came first.
    let (mut known, mut received) = (BTreeSet::new(), BTreeMap::<String, Vec<Value>>::new());
    for message in receiver.received() {
        let at = message.header("webhook-timestamp");
        let signed = format!("{}.{at}.{}", message.header("webhook-id"), message.body);
        assert_eq!(message.header("webhook-signature"), standard(SECRET, &signed));
        let body: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(body["type"], body["data"]["kind"]);
        assert_eq!(body["data"]["id"], message.header("webhook-id"));
        if known.insert(message.header("webhook-id").to_owned()) {
            let of = body["data"]["customer_id"].to_string();
            received.entry(of).or_default().push(body["data"].clone());
        }
    }
    let feed = app.get("/v1/ingest/events?limit=500").ok();
    assert_eq!(feed["more"], false);
    let mut happened = BTreeMap::<String, Vec<Value>>::new();
    for event in feed["items"].as_array().unwrap() {
        happened.entry(event["customer_id"].to_string()).or_default().push(event.clone());
    }
    assert_eq!(received, happened);
}

#[test]
fn a_receiver_that_is_gone_is_left_alone_and_begins_again_when_told() {
    let receiver = Receiver::start(&[410, 204]);
    let app: App = Setup::new().variable("webhook_origin", receiver.origin()).start();
    app.import("customers", "id,name\nC1,x\n");
    webhook(&app, &receiver);
    // Two events of nobody in common are sent at once; the first answer is that nobody is there any more.
    assert_eq!(app.post("/v1/ingest/webhooks/deliver").ok()["retried"], 1);
    let paused = app.get("/v1/ingest/webhooks/erp").ok();
    assert_eq!((&paused["paused"], &paused["waiting"]), (&json!(true), &json!(1)), "{paused}");
    let_time_pass(app.data());
    assert_eq!(app.post("/v1/ingest/webhooks/deliver").ok()["sent"], 0);
    let url = format!("{}/in", receiver.origin());
    app.put_json("/v1/ingest/webhooks/erp", &json!({"url": url})).ok();
    assert_eq!(app.post("/v1/ingest/webhooks/deliver").ok()["sent"], 1);
    assert_eq!(app.get("/v1/ingest/webhooks/erp").ok()["waiting"], 0);
}

#[test]
fn a_receiver_that_never_answers_holds_up_nobody_else() {
    let (silent, good) = (Receiver::start(&[SILENT]), Receiver::start(&[204]));
    let app: App = Setup::new()
        .variable("webhook_origin", silent.origin())
        .variable("webhook_origin_2", good.origin())
        .start();
    let rows: String = (0..200).map(|n| format!("C{n},x\n")).collect();
    app.import("customers", format!("id,name\n{rows}"));
    for (name, receiver) in [("a-silent", &silent), ("b-good", &good)] {
        let url = format!("{}/in", receiver.origin());
        let new =
            json!({"url": url, "secret": SECRET, "after": "0", "kinds": ["customer.created"]});
        assert_eq!(app.put_json(&format!("/v1/ingest/webhooks/{name}"), &new).status, 201);
    }
    let run = app.post("/v1/ingest/webhooks/deliver").ok();
    assert_eq!((&run["sent"], &run["done"]), (&json!(200), &json!(false)), "{run}");
    assert_eq!(app.get("/v1/ingest/webhooks/b-good").ok()["waiting"], 0);
    assert_eq!(app.get("/v1/ingest/webhooks/a-silent").ok()["waiting"], 200);
}
