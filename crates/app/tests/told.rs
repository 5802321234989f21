//! What one read of a document or payment tells: by what rule, when it was recorded, what was corrected, which rate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use dunlin_app::{
    audit::{self, Author},
    contract, customer, interest, invoice,
    ledger::Change,
    payment, policy, verify,
};
use dunlin_domain::{
    Date, Id, Refusal,
    contract::types::{Allocation, OrderSource, ServedBy},
};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::{Value, json};

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// The first thing happens on the first day of December, the next on the next.
fn author(day: u32) -> Author {
    let at = format!("2024-12-{day:02}T12:00:00Z").parse().unwrap();
    Author { who: "admin".into(), at, salt: "salt".into() }
}

fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

struct World(NativeDb, #[allow(dead_code)] tempfile::TempDir);

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
        customer::add(&db, &read(json!({"id": "C1", "name": "C1"})), id("x"), &author(1)).unwrap();
        Self(db, folder)
    }

    fn bill(&self, new: Value, day: u32) {
        invoice::add(&self.0, &read(new), id("x"), &author(day)).unwrap();
    }

    fn pay(&self, new: Value, day: u32) {
        payment::add(&self.0, &read(new), id("x"), &author(day)).unwrap();
    }

    /// Payment or credit note, who served, the order, who said so: of each allocation of the invoice.
    fn rules(&self, of: &str, known: i64) -> Vec<(String, ServedBy, String, OrderSource)> {
        let found = invoice::get(&self.0, &id(of), day("2024-12-31"), known).unwrap();
        let told = found.allocations.into_iter().map(|of| {
            let rule = of.rule.unwrap();
            let source = of.payment_id.or(of.credit_note_id).unwrap().to_string();
            (source, rule.served_by, rule.order, rule.order_from)
        });
        let mut told: Vec<_> = told.collect();
        told.sort_by(|a, b| a.0.cmp(&b.0));
        told
    }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn an_allocation_says_by_what_rule_it_was_made() {
    let world = World::new();
    let agreed =
        json!({"customer_id": "C1", "effective_on": "2024-01-01", "order": "newest-due-first"});
    contract::put(&world.0, &id("K1"), &read(agreed), &author(1)).unwrap();
    world.bill(json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-10", "amount": eur(900),
        "instalments": [{"due_on": "2024-02-10", "minor": 400}, {"due_on": "2024-03-10", "minor": 500}]}), 1);
    let paid = |name: &str, more: Value| {
        let mut new = json!({"id": name, "customer_id": "C1", "received_on": "2024-04-01", "amount": eur(10)});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.pay(new, 2);
    };
    paid("P1", json!({"designation": [{"invoice_id": "I1", "minor": 10}]}));
    paid("P2", json!({"invoice_id": "I1"}));
    paid("P3", json!({"order": "principal-first"}));
    paid("P4", json!({"contract_id": "K1"}));
    paid("P5", json!({}));
    let credit = |name: &str, about: Value| {
        json!({"id": name, "customer_id": "C1", "kind": "credit-note", "issued_on": "2024-04-01", "amount": eur(10),
            "relates_to": about})
    };
    world.bill(credit("N1", json!("I1")), 2);
    world.bill(credit("N2", Value::Null), 2);
    let before =
        invoice::known_at(&world.0, Some("2024-12-02T23:00:00Z".parse().unwrap())).unwrap();
    policy::put(&world.0, &read(json!({"order": "interest-first"})), &author(3)).unwrap();

    let told = |order: &str, from: OrderSource| {
        let of = |name: &str, by: ServedBy, order: &str, from: OrderSource| {
            (name.to_string(), by, order.to_string(), from)
        };
        vec![
            of("N1", ServedBy::Relation, order, from),
            of("N2", ServedBy::Order, order, from),
            of("P1", ServedBy::Designation, order, from),
            of("P2", ServedBy::Designation, order, from),
            of("P3", ServedBy::Order, "principal-first", OrderSource::Payment),
            of("P4", ServedBy::Order, "newest-due-first", OrderSource::Contract),
            of("P5", ServedBy::Order, order, from),
        ]
    };
    assert_eq!(world.rules("I1", i64::MAX), told("interest-first", OrderSource::Policy));
    assert_eq!(world.rules("I1", before), told("oldest-due-first", OrderSource::Standard));
    let payment = payment::get(&world.0, &id("P4"), day("2024-12-31"), i64::MAX).unwrap();
    assert_eq!(payment.allocations[0].rule.as_ref().unwrap().order_from, OrderSource::Contract);
}

/// Document, day, how much, by what, how much of it was named: of a payment as it is read, and of its documents alike.
fn shares(world: &World, name: &str) -> Vec<String> {
    let line = |of: &Allocation| {
        let rule = of.rule.as_ref().unwrap();
        let named = rule.named_minor.map(|minor| format!(" {minor}")).unwrap_or_default();
        format!(
            "{} {} {} {}{named}",
            of.invoice_id, of.allocated_on, of.amount.minor, rule.served_by
        )
    };
    let mut told =
        payment::get(&world.0, &id(name), day("2024-12-31"), i64::MAX).unwrap().allocations;
    told.retain(|of| of.difference.is_none());
    for of in &told {
        let whole = of.invoice_id.split('#').next().unwrap();
        for read in [of.invoice_id.as_str(), whole] {
            let read = invoice::get(&world.0, &id(read), day("2024-12-31"), i64::MAX).unwrap();
            let read: Vec<String> = read
                .allocations
                .iter()
                .filter(|of| of.payment_id == Some(id(name)) && of.difference.is_none())
                .map(line)
                .collect();
            assert!(read.contains(&line(of)), "{} {read:?}", line(of));
        }
    }
    told.iter().map(line).collect()
}

#[test]
fn an_allocation_says_how_much_of_it_the_payer_named() {
    let world = World::new();
    let bill = |name: &str, due: &str, amount: Value| {
        world.bill(json!({"id": name, "customer_id": "C1", "issued_on": "2024-01-10", "due_on": due, "amount": amount}), 1);
    };
    let part = |name: &str, minor: i64| json!({"invoice_id": name, "minor": minor});
    bill("A1", "2024-02-01", eur(7_000));
    bill("A2", "2024-03-01", eur(7_000));
    let pay = |name: &str, minor: i64, named: Value| {
        world.pay(json!({"id": name, "customer_id": "C1", "received_on": "2024-04-01", "amount": eur(minor),
            "designation": named}), 2);
    };
    pay("P1", 10_000, json!([part("A1", 3_000)]));
    assert_eq!(
        shares(&world, "P1"),
        ["A1 2024-04-01 7000 designation 3000", "A2 2024-04-01 3000 order"]
    );
    // What came by the order goes back first.
    for (name, on, minor) in [("R1", "2024-04-02", 5_000), ("R2", "2024-04-03", 4_000)] {
        let back = json!({"id": name, "kind": "chargeback", "on": on, "minor": minor});
        payment::reverse(&world.0, &id("P1"), &read(back), id("x"), &author(3)).unwrap();
    }
    assert_eq!(
        shares(&world, "P1"),
        [
            "A1 2024-04-01 7000 designation 3000",
            "A2 2024-04-01 3000 order",
            "A1 2024-04-02 -2000 order",
            "A2 2024-04-02 -3000 order",
            "A1 2024-04-03 -4000 designation -2000",
        ]
    );

    // Of instalments the first ones have what was named, each read by itself too; and it is named as a whole, in two parts.
    let world = World::new();
    world.bill(json!({"id": "I", "customer_id": "C1", "issued_on": "2024-01-10", "amount": eur(900),
        "instalments": [{"due_on": "2024-02-10", "minor": 400}, {"due_on": "2024-03-10", "minor": 500}]}), 1);
    world.pay(
        json!({"id": "P", "customer_id": "C1", "received_on": "2024-04-01", "amount": eur(600),
        "designation": [part("I", 250), part("I", 200)]}),
        2,
    );
    assert_eq!(
        shares(&world, "P"),
        ["I#1 2024-04-01 400 designation", "I#2 2024-04-01 200 designation 50"]
    );

    // In another currency, and an invoice that has nothing left to be paid by name.
    let world = World::new();
    let row = json!([{"valid_from": "2024-01-01", "rate": "0.5", "source": "the bank", "confirmed": true}]);
    interest::put_rates(&world.0, &id("fx-usd-eur"), &read::<Vec<_>>(row), &author(1)).unwrap();
    for (name, minor) in [("U1", 7_000), ("U2", 1_000)] {
        world.bill(
            json!({"id": name, "customer_id": "C1", "issued_on": "2024-01-10",
            "amount": {"minor": minor, "currency": "USD"}}),
            1,
        );
    }
    world.pay(
        json!({"id": "P", "customer_id": "C1", "received_on": "2024-04-01", "amount": eur(5_000),
        "designation": [part("U1", 3_000), part("U2", 2_366)]}),
        2,
    );
    assert_eq!(
        shares(&world, "P/USD"),
        ["U1 2024-04-01 4366 designation 3000", "U2 2024-04-01 1000 designation"]
    );
}

/// What 3,000 of 10 February that are for a contract leave of two debts, the contract oldest due first from the beginning and
/// with another version recorded before or after the money.
#[test]
fn a_version_of_a_contract_serves_what_came_since_its_first_day_whenever_it_was_recorded() {
    let (oldest, newest) = ((2_000, 5_000), (5_000, 2_000));
    let last = (newest, OrderSource::Contract);
    for (from, order, own, (left, source)) in [
        ("2023-06-01", Some("newest-due-first"), None, last),
        ("2024-02-10", Some("newest-due-first"), None, last),
        ("2024-02-11", Some("newest-due-first"), None, (oldest, OrderSource::Contract)),
        // Without an order of its own that of the policy.
        ("2024-02-10", None, None, (newest, OrderSource::Policy)),
        ("2024-02-11", None, None, (oldest, OrderSource::Contract)),
        (
            "2023-06-01",
            Some("newest-due-first"),
            Some("oldest-due-first"),
            (oldest, OrderSource::Payment),
        ),
    ] {
        for late in [false, true] {
            let world = World::new();
            policy::put(&world.0, &read(json!({"order": "newest-due-first"})), &author(1)).unwrap();
            let version = |from: &str, order: Option<&str>, on: u32| {
                let new = json!({"customer_id": "C1", "effective_on": from, "order": order});
                contract::put(&world.0, &id("K"), &read(new), &author(on)).unwrap();
            };
            version("2023-01-01", Some("oldest-due-first"), 1);
            for (name, due) in [("A", "2024-02-01"), ("B", "2024-03-01")] {
                world.bill(json!({"id": name, "customer_id": "C1", "issued_on": "2024-01-01", "due_on": due,
                    "amount": eur(5_000)}), 2);
            }
            if !late {
                version(from, order, 3);
            }
            world.pay(json!({"id": "P", "customer_id": "C1", "received_on": "2024-02-10", "amount": eur(3_000),
                "contract_id": "K", "order": own}), 4);
            if late {
                version(from, order, 5);
            }
            let open = |known: i64| {
                let of = |name: &str| invoice::get(&world.0, &id(name), day("2024-12-31"), known);
                let of = |name: &str| of(name).unwrap().open.minor;
                (of("A"), of("B"))
            };
            let case = format!("{from} {order:?} {own:?} {late}");
            assert_eq!(open(i64::MAX), left, "{case}");
            let paid = payment::get(&world.0, &id("P"), day("2024-12-31"), i64::MAX).unwrap();
            assert_eq!(paid.allocations.len(), 1, "{case}");
            assert_eq!(paid.allocations[0].rule.as_ref().unwrap().order_from, source, "{case}");
            if late {
                let before = invoice::known_at(&world.0, Some(author(4).at)).unwrap();
                assert_eq!(open(before), oldest, "{case}");
            }
            assert!(verify::books(&world.0).unwrap().ok, "{case}");
        }
    }
}

#[test]
fn a_document_says_when_it_was_recorded_and_corrected_as_far_as_was_known() {
    let world = World::new();
    world.bill(json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-10", "due_on": "2024-02-01", "amount": eur(900)}), 1);
    world.pay(
        json!({"id": "P1", "customer_id": "C1", "received_on": "2024-04-01", "amount": eur(10)}),
        2,
    );
    let fix = json!({"due_on": "2024-02-03", "minor": 800, "reason": "typed wrongly"});
    invoice::correct(&world.0, &id("I1"), &read(fix), &author(4)).unwrap();
    let named = json!({"designation": [{"invoice_id": "I1", "minor": 5}], "reason": "misread"});
    payment::correct(&world.0, &id("P1"), &read(named), &author(5)).unwrap();

    let moment = |day: u32| invoice::known_at(&world.0, Some(author(day).at)).unwrap();
    let bill = |known: i64| invoice::get(&world.0, &id("I1"), day("2024-12-31"), known).unwrap();
    assert_eq!(bill(moment(3)).corrections, None);
    let told = bill(moment(4));
    assert_eq!(told.recorded_at, Some(author(1).at));
    let fields: Vec<Value> = told.corrections.unwrap().iter().map(|of| json!(of)).collect();
    let field = |name: &str, before: &str, after: &str| {
        json!({"id": "I1", "field": name, "before": before, "after": after, "recorded_at": "2024-12-04T12:00:00Z",
            "reason": "typed wrongly"})
    };
    assert_eq!(fields, [field("due_on", "2024-02-01", "2024-02-03"), field("minor", "900", "800")]);

    let paid = payment::get(&world.0, &id("P1"), day("2024-12-31"), i64::MAX).unwrap();
    assert_eq!(paid.recorded_at, Some(author(2).at));
    let told = paid.corrections.unwrap().remove(0);
    let after = r#"[{"invoice_id":"I1","minor":5}]"#;
    assert_eq!(
        (told.field.as_str(), told.before.as_deref(), told.after.as_deref()),
        ("designation", Some("[]"), Some(after))
    );
}

#[test]
fn a_converted_part_shows_the_row_that_was_known_when_it_was_recorded() {
    let world = World::new();
    let row = |from: &str, rate: &str| {
        read::<Vec<_>>(
            json!([{"valid_from": from, "rate": rate, "source": "the bank", "confirmed": true}]),
        )
    };
    interest::put_rates(&world.0, &id("fx-usd-eur"), &row("2024-01-01", "0.5"), &author(1))
        .unwrap();
    world.bill(json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-10", "amount": {"minor": 90, "currency": "USD"}}), 1);
    world.pay(
        json!({"id": "P1", "customer_id": "C1", "received_on": "2024-04-01", "amount": eur(100),
        "designation": [{"invoice_id": "I1", "minor": 40}]}),
        2,
    );
    interest::put_rates(&world.0, &id("fx-usd-eur"), &row("2024-02-01", "0.6"), &author(3))
        .unwrap();
    let part = payment::get(&world.0, &id("P1/USD"), day("2024-12-31"), i64::MAX).unwrap();
    let used = json!({"table": "fx-usd-eur", "rate": "0.5", "valid_from": "2024-01-01", "source": "the bank", "confirmed": true});
    assert_eq!(json!(part.conversion.unwrap()), used);
    let whole = payment::get(&world.0, &id("P1"), day("2024-12-31"), i64::MAX).unwrap();
    assert_eq!(whole.conversion, None);
}

#[test]
fn entries_are_found_by_what_they_are_about() {
    let world = World::new();
    let bill = |name: &str| json!({"id": name, "customer_id": "C1", "issued_on": "2024-01-10", "amount": eur(9)});
    world.bill(bill("I1"), 1);
    world.bill(bill("C1"), 1);
    let keys = |after: u64, noun: Option<&str>, id: Option<&str>| {
        let found = audit::entries_of(&world.0, after, 10, noun, id).unwrap();
        found.into_iter().map(|entry| entry.key).collect::<Vec<u64>>()
    };
    assert_eq!(keys(0, None, None), [1, 2, 3]);
    assert_eq!(keys(0, Some("invoice"), None), [2, 3]);
    assert_eq!(keys(2, Some("invoice"), None), [3]);
    assert_eq!(keys(0, None, Some("C1")), [1, 3]);
    assert_eq!(keys(0, Some("customer"), Some("C1")), [1]);
    assert!(keys(0, Some("payment"), None).is_empty());
}

#[test]
fn an_order_that_is_named_stays_as_it_is() {
    let world = World::new();
    let orders = |keys: Value| json!({"orders": [{"name": "ours", "keys": keys}, {"name": "spare", "keys": ["newest-due"]}]});
    let put = |new: Value| policy::put(&world.0, &read(new), &author(2));
    put(orders(json!(["newest-due"]))).unwrap();
    let new = json!({"id": "P1", "customer_id": "C1", "received_on": "2024-04-01", "amount": eur(10), "order": "ours"});
    world.pay(new.clone(), 2);
    let refused = |other: Value, by: &str| {
        let Err(Fault::Refused(refused)) = put(other) else { panic!("it was taken") };
        assert_eq!((refused.code, refused.field.as_deref()), (Refusal::WrongState, Some("orders")));
        assert!(refused.detail.contains(by), "{refused:?}");
    };
    refused(orders(json!(["oldest-due"])), "ours is named by payment P1");
    // What nobody names may go, and what is added hurts nobody.
    put(json!({"orders": [{"name": "ours", "keys": ["newest-due"]}], "grace_days": 3})).unwrap();

    // Left out, it serves what named it as before, and nobody names it any more or means something else by it.
    world.bill(
        json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-10", "amount": eur(10)}),
        2,
    );
    world.bill(
        json!({"id": "I2", "customer_id": "C1", "issued_on": "2024-01-11", "amount": eur(10)}),
        2,
    );
    let served = |wanted: [i64; 2]| {
        let open = ["I1", "I2"].map(|name| {
            invoice::get(&world.0, &id(name), day("2024-12-31"), i64::MAX).unwrap().open.minor
        });
        assert_eq!(open, wanted);
        assert!(verify::replayed(&world.0, 0, 9).unwrap().0.ok);
    };
    served([10, 0]);
    put(json!({})).unwrap();
    served([10, 0]);
    world.bill(
        json!({"id": "I0", "customer_id": "C1", "issued_on": "2024-01-09", "amount": eur(10)}),
        3,
    );
    served([10, 0]);
    refused(orders(json!(["oldest-due"])), "ours is named by payment P1");
    let again = payment::add(&world.0, &read(new.clone()), id("x"), &author(3)).unwrap();
    assert_eq!(again.1, Change::AlreadySo);
    let mut other = new;
    other["id"] = json!("P2");
    let Err(Fault::Refused(refused)) = payment::add(&world.0, &read(other), id("x"), &author(3))
    else {
        panic!("it was taken")
    };
    assert_eq!(refused.code, Refusal::UnknownOrder);
    put(orders(json!(["newest-due"]))).unwrap();
    served([10, 0]);
}

/// An order may go that only versions of contracts name which are over; payments of their days are served by it all the same.
#[test]
fn an_order_goes_when_no_contract_in_force_now_or_later_names_it() {
    let ours = json!({"orders": [{"name": "ours", "keys": ["newest-due"]}]});
    let version = |from: &str, order: Option<&str>, ends: Option<&str>| json!({"customer_id": "C1", "effective_on": from, "order": order, "ends_on": ends});
    // Versions of a contract, and whether the order may go on the fourth of December.
    for (versions, may_go) in [
        (vec![version("2023-01-01", Some("ours"), None)], false),
        (vec![version("2023-01-01", Some("ours"), Some("2024-12-03"))], true),
        (vec![version("2023-01-01", Some("ours"), Some("2024-12-04"))], false),
        (vec![version("2025-06-01", Some("ours"), None)], false),
        (vec![version("2023-01-01", Some("ours"), None), version("2024-12-04", None, None)], true),
        (vec![version("2023-01-01", Some("ours"), None), version("2024-12-05", None, None)], false),
        (vec![version("2025-06-01", Some("ours"), None), version("2025-06-01", None, None)], true),
    ] {
        let world = World::new();
        let put = |new: &Value| policy::put(&world.0, &read(new.clone()), &author(4));
        put(&ours).unwrap();
        for new in &versions {
            contract::put(&world.0, &id("K1"), &read(new.clone()), &author(4)).unwrap();
        }
        let done = put(&json!({}));
        if !may_go {
            let Err(Fault::Refused(refused)) = done else { panic!("{versions:?}") };
            assert_eq!(refused.code, Refusal::WrongState);
            assert!(refused.detail.contains("ours is named by contract K1"), "{refused:?}");
            continue;
        }
        done.unwrap();
        for (name, issued) in [("I1", "2023-05-01"), ("I2", "2023-05-02")] {
            world.bill(
                json!({"id": name, "customer_id": "C1", "issued_on": issued, "amount": eur(10)}),
                5,
            );
        }
        if versions[0]["effective_on"] == "2023-01-01" {
            world.pay(
                json!({"id": "P", "customer_id": "C1", "received_on": "2023-06-01",
                "amount": eur(10), "contract_id": "K1"}),
                6,
            );
            let found = payment::get(&world.0, &id("P"), day("2024-12-31"), i64::MAX).unwrap();
            let [part] = found.allocations.as_slice() else { panic!("{found:?}") };
            assert_eq!(part.invoice_id, "I2", "{versions:?}");
            let rule = part.rule.as_ref().unwrap();
            assert_eq!(rule.order, "ours");
        }
    }
}
