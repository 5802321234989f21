//! Pauses.

use super::*;

fn spans(db: &NativeDb, name: &str, as_of: &str) -> Vec<String> {
    let history = delinquency::buckets(db, &id(name), day(as_of)).unwrap();
    history
        .spans
        .iter()
        .map(|span| {
            let to = span.to.map_or("…".to_string(), |to| to.to_string());
            format!("{}..{to} {} {}", span.from, span.bucket, span.delinquent_days)
        })
        .collect()
}

#[test]
fn a_pause_is_recorded_once_and_ended_once() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2023-09-01", "2023-10-01", 250);
    let new: NewPause =
        read(json!({"id": "P", "invoice_id": "I", "from": "2023-10-15", "to": "2023-10-30"}));
    let author = on("2023-11-01");
    let add = |new: &NewPause| pause::add(&db, new, id("made"), &author);
    assert_eq!(add(&new).unwrap(), (id("P"), Change::Made));
    assert_eq!(add(&new).unwrap(), (id("P"), Change::AlreadySo));
    for (other, code, field) in [
        (
            json!({"id": "P", "invoice_id": "I", "from": "2023-10-16", "to": "2023-10-30"}),
            Refusal::DifferentContent,
            "from",
        ),
        (
            json!({"id": "P", "customer_id": "C", "from": "2023-10-15", "to": "2023-10-30"}),
            Refusal::DifferentContent,
            "customer_id",
        ),
        (json!({"from": "2023-10-15"}), Refusal::MissingField, "customer_id"),
        (
            json!({"from": "2023-10-15", "customer_id": "C", "invoice_id": "I"}),
            Refusal::MalformedField,
            "invoice_id",
        ),
        (
            json!({"from": "2023-10-15", "customer_id": "X"}),
            Refusal::UnknownCustomer,
            "customer_id",
        ),
        (json!({"from": "2023-10-15", "invoice_id": "X"}), Refusal::UnknownInvoice, "invoice_id"),
        (
            json!({"from": "2023-10-15", "to": "2023-10-14", "invoice_id": "I"}),
            Refusal::MalformedField,
            "to",
        ),
    ] {
        assert_eq!(refused(add(&read(other.clone()))), (code, field.to_string()), "{other}");
    }
    let resume =
        |on: Option<&str>| pause::resume(&db, &id("P"), &read(json!({ "on": on })), &author);
    assert_eq!(refused(resume(Some("2023-10-14"))).0, Refusal::WrongState);
    assert_eq!(refused(resume(None)).0, Refusal::WrongState, "it ended by itself before today");
    assert_eq!(resume(Some("2023-10-25")).unwrap(), Change::Replaced);
    assert_eq!(resume(Some("2023-10-25")).unwrap(), Change::AlreadySo);
    assert_eq!(resume(None).unwrap(), Change::AlreadySo);
    assert_eq!(refused(resume(Some("2023-10-26"))).0, Refusal::WrongState);
    assert_eq!(pause::page(&db, "", 10, Some(&id("C")), When::ALL).unwrap().len(), 1);
    let nobody = pause::resume(&db, &id("X"), &read(json!({})), &author);
    assert_eq!(refused(nobody).0, Refusal::NotFound);
    // The worked case with grace 3: paused from the 15th, resumed on the 25th.
    policy::put(&db, &read(json!({"grace_days": 3})), &author).unwrap();
    assert_eq!(
        spans(&db, "I", "2023-11-30"),
        [
            "2023-09-01..2023-10-04 current 0",
            "2023-10-05..2023-11-13 1-30 1",
            "2023-11-14..… 31-60 31"
        ]
    );
}

#[test]
fn what_is_paused_is_not_reminded_until_it_is_over() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 50_000);
    let pause = json!({"id": "P", "invoice_id": "I", "from": "2024-02-03", "to": "2024-02-10"});
    pause::add(&db, &read(pause), id("made"), &on("2024-02-03")).unwrap();
    let notices = || row(&db, "SELECT count(*) FROM notice")[0];
    for date in ["2024-02-04", "2024-02-07", "2024-02-08", "2024-02-09"] {
        sweep(&db, date);
        assert_eq!(notices(), 0, "{date}");
    }
    sweep(&db, "2024-02-10");
    assert_eq!(notices(), 1);
    // Without an end, it is looked at once it is resumed.
    let pause = json!({"id": "Q", "customer_id": "C", "from": "2024-02-11"});
    pause::add(&db, &read(pause), id("made"), &on("2024-02-11")).unwrap();
    sweep(&db, "2024-02-20");
    assert_eq!(notices(), 1);
    pause::resume(&db, &id("Q"), &read(json!({})), &on("2024-02-21")).unwrap();
    sweep(&db, "2024-02-21");
    assert_eq!(notices(), 2);
}
