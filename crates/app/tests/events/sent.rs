//! What sources of events send.

use super::*;

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

    // So does a payment that is recorded, and of one that was there already nothing is tried.
    let refund = json!({"payment_intent": "pi_4", "amount_refunded": 1, "currency": "eur"});
    receive("first", "charge.refunded", refund);
    pay(&db, "pi_4", "C1", 2, "2024-03-31");
    retry::paid(&db, &id("pi_4"), Change::AlreadySo, &author());
    assert_eq!(state("first"), InboundState::Refused);
    retry::paid(&db, &id("pi_4"), Change::Made, &author());
    assert_eq!(state("first"), InboundState::Applied);
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
fn an_event_that_cannot_be_read_is_kept_with_the_place_of_what_is_wrong() {
    let (_folder, db) = db();
    customer(&db, "C1");
    let field = |name: &str, date: Option<&str>| json!({"field": name, "column": format!("/{name}"), "date": date});
    let fields = json!([
        field("id", None),
        field("customer_id", None),
        field("issued_on", Some("DMY")),
        field("due_on", Some("DMY")),
        field("amount", None),
        field("currency", None),
        field("instalments", None)
    ]);
    let new: NewSource = from(json!({"signature": {"kind": "hmac", "header": "x-signature"},
        "secret": "a-long-secret", "mapping": {"id": "/event", "kind": "/type", "amounts": "decimal",
            "rules": [{"kind": "billed", "makes": "invoice", "fields": fields}]}}));
    event_source::put(&db, &id("shop"), &new, &author()).unwrap();
    let source = inbound_event::source(&db, &id("shop")).unwrap();
    for (number, (what, value, code)) in [
        (
            "instalments",
            json!([{"due_on": "30.06.2024", "amount": "5.00"}]),
            Refusal::MalformedDate,
        ),
        ("due_on", json!("2024-06-30"), Refusal::MalformedDate),
        ("amount", json!("5,00"), Refusal::MalformedAmount),
        ("currency", json!(null), Refusal::MissingField),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = json!({"event": format!("e{number}"), "type": "billed", "id": "I1",
            "customer_id": "C1", "issued_on": "01.06.2024", "due_on": "30.06.2024", "amount": "5.00",
            "currency": "EUR"});
        body[what] = value;
        let (event, _) =
            inbound_event::receive(&db, &source, None, &body.to_string(), &author()).unwrap();
        let detail = event.detail.unwrap();
        assert_eq!(event.code, Some(code), "{what}: {detail}");
        assert!(detail.starts_with(&format!("/{what}: ")), "{detail}");
        // It reads so afterwards too.
        let kept = inbound_event::get(&db, &source, &event.id).unwrap();
        assert_eq!((kept.code, kept.detail), (Some(code), Some(detail)));
    }
}
