use super::preset::{field, standard, stripe};
use super::*;
use crate::Refusal;
use crate::contract::events::MinorUnit;
use proptest::prelude::*;
use serde_json::{Value, json};

fn paid(object: &Value) -> Value {
    let mut event = json!({"id": "evt_1", "type": "payment_intent.succeeded", "created": 1_711_900_800,
        "data": {"object": {"id": "pi_1", "customer": "cus_1", "amount_received": 1250, "currency": "eur"}}});
    if let (Some(into), Some(fields)) =
        (event["data"]["object"].as_object_mut(), object.as_object())
    {
        into.extend(fields.clone());
    }
    event
}

fn read(mapping: &EventMapping, body: &Value) -> Result<Made, Refused> {
    let kind = kind_of(mapping, body)?;
    let rule = rule_for(mapping, body, &kind).unwrap();
    made(mapping, rule, body, "Asia/Shanghai")
}

#[test]
fn a_payment_of_the_preset_is_read_to_the_cent_and_the_day() {
    // 2024-03-31T16:00:00Z is the first of April in Shanghai.
    let Made::Payment(payment) = read(&stripe(), &paid(&json!({}))).unwrap() else { panic!() };
    assert_eq!(payment.received_on.to_string(), "2024-04-01");
    assert_eq!(payment.amount, Money::new(1250, "EUR".parse().unwrap()));
    assert_eq!(payment.id.unwrap().as_str(), "pi_1");
    assert_eq!(payment.invoice_id, None);
}

#[test]
fn what_is_wrong_is_named_with_its_pointer() {
    for (object, code, field) in [
        (json!({"customer": null}), Refusal::MissingField, "/data/object/customer"),
        (json!({"customer": {"id": "x"}}), Refusal::MalformedField, "/data/object/customer"),
        (json!({"id": "a b"}), Refusal::MalformedId, "/data/object/id"),
        (
            json!({"amount_received": 12.5}),
            Refusal::MalformedAmount,
            "/data/object/amount_received",
        ),
        (json!({"amount_received": 0}), Refusal::AmountNotPositive, "/data/object/amount_received"),
        (
            json!({"amount_received": -1}),
            Refusal::AmountNotPositive,
            "/data/object/amount_received",
        ),
        (
            json!({"amount_received": u64::MAX}),
            Refusal::AmountTooLarge,
            "/data/object/amount_received",
        ),
        (json!({"currency": "xx"}), Refusal::UnknownCurrency, "/data/object/currency"),
    ] {
        let refused = read(&stripe(), &paid(&object)).unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (code, Some(field)), "{object}");
    }
}

#[test]
fn decimals_and_moments_are_read_exactly() {
    let mapping = standard(SignatureKind::Hmac);
    let body = |amount: Value, on: Value| {
        json!({"id": "1", "type": "payment.succeeded", "data":
            {"id": "P1", "customer_id": "C1", "received_on": on, "amount": amount, "currency": "CNY"}})
    };
    for (amount, on, minor, day) in [
        (json!("12.50"), json!("2024-03-31"), 1250, "2024-03-31"),
        (json!(12.5), json!("2024-03-31T15:59:59Z"), 1250, "2024-03-31"),
        (json!(12), json!("2024-03-31T23:30:00+08:00"), 1200, "2024-03-31"),
        (json!("0.01"), json!("2024-03-31T16:00:00Z"), 1, "2024-04-01"),
    ] {
        let Made::Payment(payment) = read(&mapping, &body(amount, on)).unwrap() else { panic!() };
        assert_eq!((payment.amount.minor, payment.received_on.to_string().as_str()), (minor, day));
    }
    let refused = read(&mapping, &body(json!(12.345_678_901_234_567), json!("2024-03-31")));
    assert_eq!(refused.unwrap_err().code, Refusal::MalformedField);
    assert_eq!(
        read(&mapping, &body(json!("1.005"), json!("2024-03-31"))).unwrap_err().code,
        Refusal::TooManyDecimals
    );
}

#[test]
fn mappings_that_cannot_work_are_refused_with_their_place() {
    assert_eq!(check(&stripe(), SignatureKind::Stripe), Ok(()));
    assert_eq!(check(&standard(SignatureKind::Hmac), SignatureKind::Hmac), Ok(()));
    let nothing_in_header = standard(SignatureKind::StandardWebhooks);
    assert_eq!(check(&nothing_in_header, SignatureKind::StandardWebhooks), Ok(()));
    let with = |change: &dyn Fn(&mut EventMapping)| {
        let mut mapping = stripe();
        change(&mut mapping);
        check(&mapping, SignatureKind::Stripe).unwrap_err().field.unwrap()
    };
    assert_eq!(with(&|mapping| mapping.id = None), "id");
    assert_eq!(with(&|mapping| mapping.kind = "type".into()), "kind");
    assert_eq!(with(&|mapping| mapping.rules[0].equals = Some("x".into())), "rules[0].equals");
    assert_eq!(with(&|mapping| mapping.rules[0].fields = None), "rules[0].fields");
    assert_eq!(
        with(&|mapping| mapping.rules[1].fields.as_mut().unwrap()[0].column = Some("id".into())),
        "rules[1].fields[0].column"
    );
    assert_eq!(
        with(&|mapping| mapping.rules[4].fields.as_mut().unwrap().push(field("name", "/a"))),
        "rules[4].fields[2].field"
    );
}

#[test]
fn a_key_that_stands_twice_is_refused_by_its_name() {
    for (text, said) in [
        (r#"{"id":"1","id":"2"}"#, Some("`id`")),
        (r#"{"id":"1","data":{"object":{"amount":1,"amount":2}}}"#, Some("`amount`")),
        (r#"{"data":[{"a":1},{"a":2}]}"#, None),
        (r#"{"a":{"b":1},"b":1}"#, None),
        (r#"{"id":"#, Some("line 1")),
        (r#"{} {}"#, Some("line 1")),
    ] {
        let refused = parse(text).err().map(|refused| refused.detail);
        assert_eq!(refused.is_some(), said.is_some(), "{text}");
        assert!(refused.unwrap_or_default().contains(said.unwrap_or_default()), "{text}");
    }
}

#[test]
fn an_invoice_names_its_contract_and_what_it_is_about() {
    let data = json!({"id": "F1", "customer_id": "C1", "kind": "fee", "issued_on": "2024-03-31", "amount": "40.00",
        "currency": "EUR", "relates_to": "I1", "contract_id": "K1", "penalty": true});
    let body = json!({"id": "1", "type": "invoice.created", "data": data});
    let Made::Invoice(fee) = read(&standard(SignatureKind::Hmac), &body).unwrap() else { panic!() };
    let named = (fee.relates_to.unwrap().to_string(), fee.contract_id.unwrap().to_string());
    assert_eq!(named, ("I1".to_string(), "K1".to_string()));
    assert_eq!(fee.penalty, Some(true));
}

#[test]
fn an_invoice_has_the_reference_and_the_instalments_that_the_event_names() {
    let invoice = |more: Value| {
        let mut data = json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-03-31", "amount": "40.00",
            "currency": "EUR", "reference": "RF18 5390 0754 7034"});
        if let (Some(into), Some(fields)) = (data.as_object_mut(), more.as_object()) {
            into.extend(fields.clone());
        }
        let body = json!({"id": "1", "type": "invoice.created", "data": data});
        match read(&standard(SignatureKind::Hmac), &body) {
            Ok(Made::Invoice(invoice)) => Ok(invoice),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => Err((refused.code, refused.field.unwrap_or_default())),
        }
    };
    let plain = invoice(json!({})).unwrap();
    assert_eq!(plain.reference.as_deref(), Some("RF18 5390 0754 7034"));
    assert_eq!(plain.instalments, None);
    for parts in [
        json!([{"due_on": "2024-04-30", "amount": "15.00"}, {"due_on": "2024-05-31", "amount": 25}]),
        json!("2024-04-30:15.00;2024-05-31:25.00"),
    ] {
        let read = invoice(json!({"instalments": parts})).unwrap().instalments.unwrap();
        let read: Vec<(String, i64)> =
            read.into_iter().map(|part| (part.due_on.to_string(), part.minor)).collect();
        assert_eq!(read, [("2024-04-30".to_string(), 1_500), ("2024-05-31".to_string(), 2_500)]);
    }
    for (parts, code) in [
        (json!([{"due_on": "2024-04-30", "minor": 1_500}]), Refusal::MalformedField),
        (json!({"due_on": "2024-04-30", "amount": "15.00"}), Refusal::MalformedField),
        (json!([{"due_on": "2024-04-31", "amount": "15.00"}]), Refusal::MalformedDate),
        (json!([{"due_on": "2024-04-30", "amount": "15.001"}]), Refusal::TooManyDecimals),
        (json!("in two parts"), Refusal::MalformedField),
    ] {
        let wanted = Err((code, "/data/instalments".to_string()));
        assert_eq!(invoice(json!({"instalments": parts})), wanted, "{parts}");
    }
    // In smallest units where the mapping has these, and without the field none.
    let rule = json!({"kind": "billed", "makes": "invoice", "fields": [
        {"field": "id", "column": "/no"}, {"field": "customer_id", "column": "/who"},
        {"field": "issued_on", "column": "/on"}, {"field": "amount", "column": "/sum"},
        {"field": "currency", "constant": "EUR"}, {"field": "reference", "column": "/ref"},
        {"field": "instalments", "column": "/parts"}]});
    let mapping: EventMapping =
        serde_json::from_value(json!({"id": "/id", "kind": "/kind", "rules": [rule]})).unwrap();
    check(&mapping, SignatureKind::Hmac).unwrap();
    let body = json!({"id": "1", "kind": "billed", "no": "I1", "who": "C1", "on": "2024-03-31", "sum": 4_000,
        "ref": "RF18539007547034", "parts": [{"due_on": "2024-04-30", "amount": 4_000}]});
    let Made::Invoice(own) = read(&mapping, &body).unwrap() else { panic!() };
    assert_eq!(own.reference.as_deref(), Some("RF18539007547034"));
    assert_eq!(own.instalments.unwrap()[0].minor, 4_000);
}

#[test]
fn the_first_rule_that_fits_decides() {
    let mut mapping = stripe();
    let mut inactive = mapping.rules[4].clone();
    (inactive.when, inactive.equals) =
        (Some("/data/object/status".into()), Some("inactive".into()));
    mapping.rules.insert(0, inactive.clone());
    let invoice = |status: &str| json!({"data": {"object": {"status": status}}});
    assert_eq!(rule_for(&mapping, &invoice("inactive"), "invoice.voided"), Some(&inactive));
    assert_ne!(rule_for(&mapping, &invoice("active"), "invoice.voided"), Some(&inactive));
    assert!(rule_for(&mapping, &json!({}), "customer.created").is_none());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let names =
            prop_oneof![Just("data"), Just("object"), Just("id"), Just("type"), Just("customer")];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(names, inner, 0..4).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, of)| (name.to_string(), of)).collect())
            }),
        ]
    })
}

proptest! {
    /// Whatever JSON comes, it is read or refused, never a trap.
    #[test]
    fn any_json_is_read_or_refused(body in any_json(), object in any_json(), place in 0usize..5) {
        let mapping = stripe();
        let _ = (id_of(&mapping, &body), kind_of(&mapping, &body));
        let whole = json!({"id": body, "created": object, "data": {"object": object}});
        let _ = made(&mapping, &mapping.rules[place], &whole, "UTC");
    }

    /// What is read is what was written, and whatever text comes, nothing traps.
    #[test]
    fn json_without_a_key_twice_is_read_as_it_is(body in any_json()) {
        prop_assert_eq!(parse(&body.to_string()).unwrap(), serde_json::from_str::<Value>(&body.to_string()).unwrap());
    }

    #[test]
    fn any_text_is_json_or_refused(text in "[{}\\[\\]\":,a0 -]{0,40}") {
        if let Err(refused) = parse(&text) {
            prop_assert_eq!(refused.code, Refusal::MalformedJson);
        }
    }

    /// Whatever mapping comes, it is taken or refused with a place.
    #[test]
    fn any_pointer_is_taken_or_refused(pointer in ".{0,30}", kind in ".{0,30}") {
        let mut mapping = stripe();
        mapping.kind = pointer.clone();
        mapping.rules[0].kind = kind;
        if let Err(refused) = check(&mapping, SignatureKind::Stripe) {
            prop_assert!(refused.field.is_some());
        }
    }
}

#[test]
fn amounts_are_in_the_units_of_their_source() {
    for (currency, theirs, ours) in [
        ("isk", 100_000, Ok(1_000)),
        ("ugx", 100_000, Ok(1_000)),
        ("mga", 5_000, Ok(500_000)),
        ("jpy", 500, Ok(500)),
        ("kwd", 1_500, Ok(1_500)),
        ("eur", 1_250, Ok(1_250)),
        ("isk", 100_050, Err(Refusal::MalformedAmount)),
    ] {
        let body = paid(&json!({"amount_received": theirs, "currency": currency}));
        let found = read(&stripe(), &body).map(|made| {
            let Made::Payment(payment) = made else { panic!() };
            payment.amount.minor
        });
        assert_eq!(found.map_err(|refused| refused.code), ours, "{currency} {theirs}");
    }
    let unit = MinorUnit { currency: "EUR".parse().unwrap(), decimals: 5 };
    let mapping = EventMapping { minor_units: Some(vec![unit]), ..stripe() };
    let refused = check(&mapping, SignatureKind::Stripe).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("minor_units[0]"));
}

#[test]
fn several_events_in_one_delivery_are_refused() {
    let mapping =
        EventMapping { id: Some("/events/0/id".into()), kind: "/events/0/type".into(), ..stripe() };
    let body = |events: &[&str]| {
        let events: Vec<Value> = events.iter().map(|id| json!({"id": id, "type": "a"})).collect();
        json!({ "events": events })
    };
    assert_eq!(one_event(&mapping, &body(&["EV1"])), Ok(()));
    let refused = one_event(&mapping, &body(&["EV1", "EV2"])).unwrap_err();
    let said = (refused.code, refused.field.as_deref());
    assert_eq!(said, (Refusal::MalformedField, Some("/events/0/id")));
    // A list elsewhere in the event is its own.
    assert_eq!(one_event(&stripe(), &json!({"id": "1", "type": "a", "items": [1, 2]})), Ok(()));
}

#[test]
fn a_refund_of_the_standard_mapping_is_an_amount_or_a_total_or_all() {
    let mapping = standard(SignatureKind::Hmac);
    let money = |minor: i64| Money { minor, currency: "EUR".parse().unwrap() };
    for (more, back) in [
        (json!({}), Ok(Back::All)),
        (json!({"amount": "25.00"}), Ok(Back::Part(money(2_500)))),
        (json!({"total": "25.00"}), Ok(Back::UpTo(money(2_500)))),
        (json!({"amount": null, "total": 25}), Ok(Back::UpTo(money(2_500)))),
        (json!({"amount": "25.00", "total": "25.00"}), Err(Refusal::MalformedField)),
    ] {
        let mut data =
            json!({"id": "R1", "payment_id": "P1", "on": "2024-03-31", "currency": "EUR"});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({"id": "1", "type": "payment.refunded", "data": data});
        let read = read(&mapping, &body).map(|made| match made {
            Made::Refund(refund) => refund.back,
            other => panic!("{other:?}"),
        });
        assert_eq!(read.map_err(|refused| refused.code), back, "{more}");
    }
}
