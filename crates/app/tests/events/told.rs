//! The order of what happened.

use super::*;

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
