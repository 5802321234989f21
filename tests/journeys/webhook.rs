//! Notices on their way to a receiver.

use base64::{Engine, engine::general_purpose::STANDARD};
use dunlin_tests::{App, Received, Receiver, Setup, Value, eventually, json};
use hmac::{Hmac, Mac};
use sha2::Sha256;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Two customers with an invoice each, due on 2024-03-31 and 2024-03-28.
fn ledger(app: &App) {
    let organisation =
        json!({"name": "Harbour Supplies", "time_zone": "Asia/Shanghai", "language": "en"});
    app.put_json("/v1/ingest/organisation", &organisation).ok();
    app.import(
        "customers",
        "id,name,language\nC1,First Street Bakery,en\nC2,苏州河贸易有限公司,zh-CN\n",
    );
    let csv = "id,customer_id,issued_on,due_on,amount,currency\n\
               I1,C1,2024-03-01,2024-03-31,100.00,USD\n\
               I2,C2,2024-03-01,2024-03-28,250.50,CNY\n";
    app.import("invoices", csv);
}

fn start(receiver: &Receiver) -> App {
    let app = Setup::new()
        .variable("webhook_url", format!("{}/hook", receiver.origin()))
        .variable("webhook_origin", receiver.origin())
        .variable("webhook_secret", SECRET)
        .start();
    ledger(&app);
    app
}

/// Checks a message as the Standard Webhooks specification tells a receiver to.
fn verify(message: &Received) -> Value {
    let secret = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let (id, timestamp) = (message.header("webhook-id"), message.header("webhook-timestamp"));
    mac.update(format!("{id}.{timestamp}.{}", message.body).as_bytes());
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert!(
        message.header("webhook-signature").split(' ').any(|signature| signature == wanted),
        "{message:?}"
    );
    let age = chrono::Utc::now().timestamp() - timestamp.parse::<i64>().unwrap();
    assert!((0..300).contains(&age), "signed {age} s ago");
    // Many receivers and gateways want to know the length before the body.
    assert_eq!(message.header("content-length"), message.body.len().to_string());
    assert_eq!(message.header("transfer-encoding"), "");
    assert_eq!(
        (message.path.as_str(), message.header("content-type")),
        ("/hook", "application/json")
    );
    serde_json::from_str(&message.body).unwrap()
}

fn notices(app: &App) -> Vec<Value> {
    app.all("/v1/remind/notices", 100)
}

/// Moves the next attempts to now, as if the time had passed.
fn let_time_pass(app: &App) {
    let database = rusqlite::Connection::open(app.database()).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    database
        .execute("UPDATE notice SET next_attempt_at = '2024-01-01T00:00:00Z' WHERE next_attempt_at IS NOT NULL", [])
        .unwrap();
}

#[test]
fn a_sweep_hands_notices_over_once_and_signed() {
    let receiver = Receiver::start(&[204]);
    let app = start(&receiver);
    let swept = app.sweep("2024-03-31");
    assert_eq!(
        (&swept["counts"]["notices"], &swept["counts"]["sent"]),
        (&json!(2), &json!(2)),
        "{swept}"
    );
    let messages = receiver.received();
    assert_eq!(messages.len(), 2);
    let mut bodies: Vec<Value> = messages.iter().map(verify).collect();
    bodies.sort_by_key(|body| body["data"]["customer_id"].to_string());
    assert_eq!(bodies[0]["type"], "notice.created");
    assert_eq!(
        (&bodies[0]["data"]["level"], &bodies[0]["data"]["language"]),
        (&json!("due"), &json!("en"))
    );
    assert_eq!(bodies[0]["data"]["total"], json!({"minor": 10000, "currency": "USD"}));
    assert_eq!(
        (&bodies[1]["data"]["level"], &bodies[1]["data"]["language"]),
        (&json!("first"), &json!("zh-CN"))
    );
    assert_eq!(bodies[1]["data"]["items"][0]["days_past_due"], 3);
    for (message, notice) in messages.iter().zip(messages.iter().map(verify)) {
        assert_eq!(
            message.header("webhook-id"),
            notice["data"]["id"],
            "the message is named like its notice"
        );
    }
    for notice in notices(&app) {
        assert_eq!(
            (&notice["state"], &notice["attempts"]),
            (&json!("sent"), &json!(1)),
            "{notice}"
        );
        assert_eq!(notice["next_attempt_at"], Value::Null);
    }
    // Nothing is sent twice, whoever asks.
    app.sweep("2024-03-31");
    assert_eq!(
        app.post("/v1/remind/deliveries").ok(),
        json!({"done": true, "sent": 0, "retried": 0, "failed": 0})
    );
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn a_receiver_that_fails_is_tried_again_later_and_later() {
    let receiver = Receiver::start(&[500]);
    let app = start(&receiver);
    let swept = app.sweep("2024-03-31");
    assert_eq!(
        (&swept["counts"]["sent"], &swept["counts"]["undelivered"]),
        (&json!(0), &json!(2)),
        "{swept}"
    );
    assert_eq!(receiver.received().len(), 2);
    // Not now: nothing is due.
    assert_eq!(app.post("/v1/remind/deliveries").ok()["retried"], 0);
    assert_eq!(receiver.received().len(), 2);

    let mut waits = Vec::new();
    for attempt in 1..9 {
        let notice = notices(&app).remove(0);
        assert_eq!(
            (&notice["state"], &notice["attempts"]),
            (&json!("queued"), &json!(attempt)),
            "{notice}"
        );
        let next = notice["next_attempt_at"]
            .as_str()
            .unwrap()
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap();
        waits.push((next - chrono::Utc::now()).num_seconds());
        let_time_pass(&app);
        let ran = app.post("/v1/remind/deliveries").ok();
        let tried = ran["retried"].as_u64().unwrap() + ran["failed"].as_u64().unwrap();
        assert_eq!(tried, 2, "attempt {attempt}: {ran}");
    }
    assert!(waits.is_sorted() && waits[0] > 30 && waits[7] > 12 * 3600, "{waits:?}");
    // The ninth failure was the last.
    for notice in notices(&app) {
        assert_eq!(
            (&notice["state"], &notice["attempts"]),
            (&json!("failed"), &json!(9)),
            "{notice}"
        );
        assert_eq!(notice["next_attempt_at"], Value::Null);
    }
    let_time_pass(&app);
    assert_eq!(
        app.post("/v1/remind/deliveries").ok(),
        json!({"done": true, "sent": 0, "retried": 0, "failed": 0})
    );
    assert_eq!(receiver.received().len(), 18);
    let ids: std::collections::BTreeSet<String> =
        receiver.received().iter().map(|message| message.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 2, "a message keeps its id");
}

#[test]
fn a_receiver_that_recovers_gets_everything() {
    let receiver = Receiver::start(&[503, 429, 200]);
    let app = start(&receiver);
    app.sweep("2024-03-31");
    let_time_pass(&app);
    let ran = app.post("/v1/remind/deliveries").ok();
    assert_eq!(ran, json!({"done": true, "sent": 2, "retried": 0, "failed": 0}));
    assert!(
        notices(&app).iter().all(|notice| notice["state"] == "sent" && notice["attempts"] == 2)
    );
}

#[test]
fn a_receiver_that_is_gone_is_not_tried_again() {
    let receiver = Receiver::start(&[410]);
    let app = start(&receiver);
    app.sweep("2024-03-31");
    assert!(
        notices(&app).iter().all(|notice| notice["state"] == "failed" && notice["attempts"] == 1)
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let receiver = Receiver::start(&[302]);
    let app = start(&receiver);
    app.sweep("2024-03-31");
    assert!(notices(&app).iter().all(|notice| notice["state"] == "queued"));
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn a_host_that_is_not_allowed_is_never_called() {
    let receiver = Receiver::start(&[200]);
    let app = Setup::new()
        .variable("webhook_url", format!("{}/hook", receiver.origin()))
        .variable("webhook_origin", "http://127.0.0.1:1")
        .variable("webhook_secret", SECRET)
        .start();
    ledger(&app);
    let swept = app.sweep("2024-03-31");
    assert_eq!(
        (&swept["counts"]["sent"], &swept["counts"]["undelivered"]),
        (&json!(0), &json!(2)),
        "{swept}"
    );
    assert_eq!(receiver.received().len(), 0);
    assert!(
        notices(&app).iter().all(|notice| notice["state"] == "queued" && notice["attempts"] == 1)
    );
}

#[test]
fn without_a_receiver_notices_stay_queued() {
    let app = App::start();
    ledger(&app);
    let swept = app.sweep("2024-03-31");
    assert_eq!(
        (&swept["counts"]["notices"], &swept["counts"]["sent"]),
        (&json!(2), &json!(0)),
        "{swept}"
    );
    for notice in notices(&app) {
        assert_eq!(
            (&notice["state"], &notice["attempts"]),
            (&json!("queued"), &json!(0)),
            "{notice}"
        );
    }
}

#[test]
fn a_slow_receiver_does_not_hold_the_database() {
    // Listens and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", silent.local_addr().unwrap());
    let app = Setup::new()
        .variable("webhook_url", &*format!("{origin}/hook"))
        .variable("webhook_origin", origin)
        .variable("webhook_secret", SECRET)
        .start();
    ledger(&app);
    let sweeping = app.request("POST", "/v1/sweep?as_of=2024-03-31").begin();
    let connected = silent.accept().unwrap();
    // While it waits for the receiver others write.
    assert_eq!(
        app.post_json("/v1/ingest/customers", &json!({"id": "C3", "name": "x"})).status,
        201
    );
    drop(connected);
    drop(sweeping);
    eventually("the notice counts as tried", || {
        notices(&app).iter().any(|notice| notice["attempts"] == 1)
    });
}
