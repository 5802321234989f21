//! Webhooks: what arrives, and in which order.

use super::*;

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
