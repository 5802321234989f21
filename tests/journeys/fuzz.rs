//! Files, profiles and mappings that differ from good ones by a few bytes: they are taken in or refused by name, and
//! never a fault of ours.

use crate::statements::Seeded;
use dunlin_tests::{Answer, App};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Mutations of each of the valid documents.
const MUTATIONS: usize = 120;

/// What is in a file more often than chance would put it there.
const PIECES: [&str; 22] = [
    "\"",
    "\"\"",
    "\u{feff}",
    "\0",
    "\r",
    "\n\n",
    ";",
    "\t",
    "😀",
    "１２",
    "9999999999999999999",
    "-",
    "1e400",
    "null",
    "[]",
    "{\"",
    "~",
    "/~2",
    "0x1F",
    "2024-02-30",
    "\u{202e}",
    "\\ud800",
];

const CUSTOMERS: &str = "id,name,country,currency,language,time_zone,credit_limit,email\n\
    C1,First Street Bakery,US,USD,en,America/New_York,10000.00,a@b.example\n\
    C2,\"苏州河, \"\"贸易\"\"有限公司\",CN,CNY,zh-CN,Asia/Shanghai,2000.00,\n";
const INVOICES: &str = "id,customer_id,kind,issued_on,due_on,amount,currency\n\
    I1,C1,invoice,2024-01-01,2024-01-31,1000.00,USD\nI2,C2,credit-note,2024-02-01,,10.50,CNY\n\
    I3,C1,invoice,2024-03-01,2024-03-31,99.90,USD\n";
const PAYMENTS: &str = "id,customer_id,received_on,amount,currency,invoice_id\n\
    P1,C1,2024-02-01,500.00,USD,I1\nP2,C2,2024-02-01,5.00,CNY,\n";
const LINES: &str = "{\"id\":\"I4\",\"customer_id\":\"C1\",\"issued_on\":\"2024-01-01\",\"due_on\":\"2024-01-31\",\
    \"amount\":\"10.00\",\"currency\":\"USD\",\"instalments\":[{\"due_on\":\"2024-02-01\",\"amount\":\"10.00\"}]}\n\
    {\"id\":\"I5\",\"customer_id\":\"C2\",\"issued_on\":\"2024-01-01\",\"amount\":\"7\",\"currency\":\"JPY\"}\n";
const PROFILE: &str = r#"{"name": "mine", "date": "loose", "decimal_mark": ",", "thousands_mark": ".", "ignore_unknown": true, "records": [
 {"kind": "customers", "only_new": true, "when_present": "who", "unless_values": ["-"], "fields": [
  {"field": "id", "column": "who", "from_name": true}, {"field": "name", "column": "who"}]},
 {"kind": "invoices", "when_present": "what", "when_values": ["bill", "credit"], "fields": [
  {"field": "id", "column": "no", "prefix": "N-"}, {"field": "customer_id", "column": "who", "from_name": true},
  {"field": "kind", "column": "what", "lookup": [{"from": "bill", "to": "invoice"}, {"from": "credit", "to": "credit-note"}]},
  {"field": "issued_on", "column": "on", "date": "DMY"}, {"field": "amount", "column": "sum", "unsigned": true},
  {"field": "currency", "constant": "EUR"}]}]}"#;
const OF_PROFILE: &str = "who,what,no,on,sum,other\nMüller & Söhne,bill,1,31.3.2024,\"1.234,50\",x\n-,credit,2,1.4.2024,\"-7,00\",\n";
const SOURCE: &str = r#"{"signature": {"kind": "hmac", "header": "x-signature", "prefix": "sha256="}, "secret": "a-secret-of-the-shop",
 "mapping": {"id": "/event/id", "kind": "/event/name", "amounts": "decimal", "date": "YMD", "rules": [
  {"kind": "charge", "when": "/status", "equals": "captured", "makes": "payment", "fields": [
   {"field": "id", "column": "/charge/id"}, {"field": "customer_id", "column": "/charge/payer", "prefix": "C"},
   {"field": "received_on", "column": "/charge/at"}, {"field": "amount", "column": "/charge/amount"},
   {"field": "currency", "constant": "EUR"}]},
  {"kind": "noise", "makes": "ignore"}]}}"#;
const EVENT: &str = r#"{"event": {"id": "E1", "name": "charge"}, "status": "captured",
 "charge": {"id": "ch_1", "payer": "1", "at": 1711900800, "amount": "12.50"}}"#;

/// A document with a few bytes changed, with something unlikely in it, or with letters and digits that are others: of
/// JSON only these mostly stay what they were.
fn mutated(random: &mut Seeded, document: &str) -> Vec<u8> {
    let mut bytes = document.as_bytes().to_vec();
    match random.below(4) {
        0 => random.mutated(&bytes),
        1 => {
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                let end = (at + random.below(12)).min(bytes.len());
                let piece = PIECES[random.below(PIECES.len())].repeat(1 + random.below(2));
                bytes.splice(at..end, piece.bytes());
                if bytes.is_empty() {
                    bytes.push(b' ');
                }
            }
            bytes
        }
        _ => {
            let places: Vec<usize> =
                (0..bytes.len()).filter(|at| bytes[*at].is_ascii_alphanumeric()).collect();
            for _ in 0..=random.below(2) {
                let others = b"aZ019-/. ";
                bytes[places[random.below(places.len())]] = others[random.below(others.len())];
            }
            bytes
        }
    }
}

/// Whether it was refused. It was taken in or refused by a problem with a code, and is no fault.
#[track_caller]
fn refused(answer: &Answer, what: &str, bytes: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(bytes);
    assert!((200..500).contains(&answer.status), "{what}: {answer:?}\n{shown}");
    if answer.status < 300 {
        return false;
    }
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}\n{shown}");
    assert!(answer.json()["code"].is_string(), "{what}: {answer:?}\n{shown}");
    true
}

#[test]
fn files_with_bytes_changed_at_random_are_taken_in_or_refused_by_name() {
    let app = App::start();
    app.import("customers", "id,name\nC1,One\nC2,Two\n");
    let (mut random, mut counts) = (Seeded(2_611), [0usize; 2]);
    for (kind, media, document) in [
        ("customers", "text/csv", CUSTOMERS),
        ("invoices", "text/csv", INVOICES),
        ("payments", "text/csv", PAYMENTS),
        ("invoices", "application/x-ndjson", LINES),
    ] {
        for number in 0..MUTATIONS {
            let bytes = mutated(&mut random, document);
            let on_error = ["reject", "skip"][random.below(2)];
            let path = format!("/v1/ingest/imports?kind={kind}&on_error={on_error}");
            let answer = app.request("POST", &path).body(media, bytes.clone()).send();
            let what = format!("{kind} as {media}, {on_error}, number {number}");
            counts[usize::from(refused(&answer, &what, &bytes))] += 1;
        }
    }
    println!("taken in, refused: {counts:?}");
    assert!(counts.into_iter().all(|count| count > MUTATIONS / 2), "{counts:?}");
    assert_eq!(app.get("/v1/ingest/verification").ok()["ok"], true);
}

#[test]
fn profiles_with_bytes_changed_at_random_are_stored_or_refused_and_read_files() {
    let app = App::start();
    let (mut random, mut stored) = (Seeded(77), 0);
    for number in 0..MUTATIONS {
        let bytes = mutated(&mut random, PROFILE);
        let request = app.request("PUT", "/v1/ingest/profiles/mine");
        let answer = request.body("application/json", bytes.clone()).send();
        if refused(&answer, &format!("profile {number}"), &bytes) {
            continue;
        }
        stored += 1;
        for document in [OF_PROFILE.as_bytes().to_vec(), mutated(&mut random, OF_PROFILE)] {
            let answer = app.import_with("kind=invoices&profile=mine&on_error=skip", document);
            refused(&answer, &format!("by profile {number}"), &bytes);
        }
    }
    assert!((2..MUTATIONS - 5).contains(&stored), "{stored} were stored");
    assert_eq!(app.get("/v1/ingest/verification").ok()["ok"], true);
}

#[test]
fn mappings_and_events_with_bytes_changed_at_random_are_kept_or_refused() {
    let app = App::start();
    app.import("customers", "id,name\nC1,One\n");
    let put = |bytes: Vec<u8>| {
        app.request("PUT", "/v1/ingest/sources/shop").body("application/json", bytes).send()
    };
    let deliver = |bytes: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"a-secret-of-the-shop").unwrap();
        mac.update(bytes);
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        let request = app.request("POST", "/v1/ingest/events/shop");
        request
            .body("application/json", bytes)
            .header("x-signature", format!("sha256={hex}"))
            .send()
    };
    let (mut random, mut stored, mut kept) = (Seeded(1_337), 0, 0);
    for number in 0..MUTATIONS {
        let bytes = mutated(&mut random, SOURCE);
        if refused(&put(bytes.clone()), &format!("source {number}"), &bytes) {
            continue;
        }
        stored += 1;
        let event = EVENT.replace("E1", &format!("S{number}"));
        refused(&deliver(event.as_bytes()), &format!("an event of source {number}"), &bytes);
    }
    assert!((2..MUTATIONS - 5).contains(&stored), "{stored} were stored");
    assert!(!refused(&put(SOURCE.into()), "the source", SOURCE.as_bytes()));
    for number in 0..MUTATIONS {
        let bytes = mutated(&mut random, &EVENT.replace("E1", &format!("E{number}")));
        kept += usize::from(!refused(&deliver(&bytes), &format!("event {number}"), &bytes));
    }
    assert!((5..MUTATIONS - 5).contains(&kept), "{kept} were kept");
    assert_eq!(app.get("/v1/ingest/verification").ok()["ok"], true);
}
