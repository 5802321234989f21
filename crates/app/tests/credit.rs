//! Credit on a real SQLite file: limits, exposure, checks, reservations, holds, and a model that agrees with them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/credit.rs"]
mod shop;

use common::{day, db, id, read};
use dunlin_app::{
    card,
    credit::{Asked, check, hold, limit, order, policy, reservation, reservation::Reserved, rule},
    customer as customers, default_record, dispute, guarantee, interest, invoice as documents,
    ledger::{Change, put_organisation},
    sweep, tier,
};
use dunlin_domain::{
    Decimal, Instant, Refusal,
    contract::{credit::*, types::Language},
    credit::reservation::Ask,
};
use dunlin_store::{Db as _, Fault, native::NativeDb};
use serde_json::{Value, json};
use shop::*;

#[test]
fn limits_are_dated_and_the_record_is_that_of_who_sets_no_dated_one() {
    let (_folder, db) = db();
    customer(&db, "H", json!({"credit_limit": eur(15_000)}));
    customer(&db, "C", json!({"credit_limit": eur(0), "parent_id": "H"}));
    customer(&db, "Alone", json!({"credit_limit": eur(70)}));
    assert_eq!(effective(&db, "C", "2024-06-30"), "15000");
    assert_eq!(effective(&db, "Alone", "2024-06-30"), "70");

    let made = set_limit(&db, "C", "L1", json!({"minor": 10_000, "from": "2024-06-01"}));
    let again = set_limit(&db, "C", "L2", json!({"minor": 10_000, "from": "2024-06-01"}));
    assert_eq!((made, again), (Change::Made, Change::AlreadySo));
    set_limit(&db, "C", "L3", json!({"minor": 20_000, "from": "2024-07-01"}));
    set_limit(&db, "C", "L4", json!({"minor": 0, "from": "2024-08-01", "mandatory": true}));
    set_limit(&db, "C", "L5", json!({"unlimited": true, "from": "2024-09-01"}));
    let season =
        json!({"minor": 500, "from": "2024-06-10", "to": "2024-06-12", "kind": "temporary"});
    set_limit(&db, "C", "L6", season);
    for (on, wanted) in [
        ("2024-06-09", "10000"),
        ("2024-06-10", "500"),
        ("2024-06-12", "500"),
        ("2024-06-13", "10000"),
        ("2024-07-01", "15000"),
        ("2024-08-01", "0"),
        ("2024-09-01", "unlimited"),
    ] {
        assert_eq!(effective(&db, "C", on), wanted, "{on}");
    }
    set_limit(&db, "H", "L7", json!({"minor": 12_000, "kind": "group", "to": "2024-07-10"}));
    assert_eq!(effective(&db, "C", "2024-07-10"), "12000");
    assert_eq!(effective(&db, "C", "2024-07-11"), "20000 expired");
    let member = limit::put(
        &db,
        &id("C"),
        &read(json!({"minor": 1, "currency": "EUR", "kind": "group"})),
        &id("L8"),
        &author(),
    );
    assert_eq!(refused(member), (Refusal::MalformedField, Some("kind".into())));
    // The same day again takes the place of the one before, and both are told.
    let replaced = set_limit(&db, "C", "L9", json!({"minor": 9_000, "from": "2024-06-01"}));
    assert_eq!(replaced, Change::Replaced);
    assert_eq!(effective(&db, "C", "2024-06-09"), "9000");
    let all =
        dunlin_store::credit_limit::list(&db, i64::MAX, 50, Some(&id("C")), None, None).unwrap();
    assert_eq!(all.len(), 6);
}

#[test]
fn an_unlimited_and_a_mandatory_zero_are_what_they_say_in_a_group() {
    let (_folder, db) = db();
    customer(&db, "H", json!({"credit_limit": eur(15_000)}));
    for (name, more, wanted) in [
        ("A", json!({"minor": 10_000}), "10000"),
        ("B", json!({"minor": 20_000}), "15000"),
        ("C", json!({"minor": 0, "mandatory": true}), "0"),
        ("D", json!({"minor": 0, "unlimited": true}), "unlimited"),
        ("E", json!({"minor": 0}), "15000"),
    ] {
        customer(&db, name, json!({"parent_id": "H"}));
        set_limit(&db, name, &format!("L{name}"), more);
        assert_eq!(effective(&db, name, "2024-06-30"), wanted, "{name}");
    }
}

#[test]
fn large_limits_wait_for_a_second_key() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    let new = json!({"currency": "EUR", "lines": [], "second_key_from": [eur(1_000)]});
    policy::publish(&db, &read(new), &author()).unwrap();
    set_limit(&db, "C", "L1", json!({"minor": 999, "from": "2024-06-01"}));
    set_limit(&db, "C", "L2", json!({"minor": 1_000, "from": "2024-06-02"}));
    set_limit(&db, "C", "L3", json!({"unlimited": true, "from": "2024-06-03"}));
    assert_eq!(effective(&db, "C", "2024-06-30"), "999");
    let decide =
        |name: &str, state, who: &str| limit::decide(&db, &id(name), state, &by(who, at(NOON)));
    let own = decide("L2", LimitState::Approved, "tester");
    assert_eq!(refused(own), (Refusal::SecondKeyNeeded, None));
    decide("L2", LimitState::Approved, "other").unwrap();
    let (_, again) = decide("L2", LimitState::Approved, "other").unwrap();
    assert_eq!(again, Change::AlreadySo);
    assert_eq!(effective(&db, "C", "2024-06-30"), "1000");
    decide("L3", LimitState::Refused, "other").unwrap();
    assert_eq!(refused(decide("L3", LimitState::Approved, "other")).0, Refusal::WrongState);
    assert_eq!(effective(&db, "C", "2024-06-30"), "1000");
}

#[test]
fn an_order_is_in_the_exposure_once_on_its_way_to_the_invoice() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let put = |more: Value| {
        let mut new = json!({"customer": "C", "amount": eur(80)});
        for (field, value) in more.as_object().unwrap() {
            new[field] = value.clone();
        }
        order::put(&db, &id("O1"), &read(new), &author())
    };
    reserve(&db, "O1", "C", 80, at(NOON), 60).unwrap();
    assert_eq!(total(&db, "C", "2024-06-30"), 80);
    let (_, made) = put(json!({"on": "2024-06-10"})).unwrap();
    assert_eq!((made, total(&db, "C", "2024-06-30")), (Change::Made, 80));
    let (_, again) = put(json!({})).unwrap();
    assert_eq!(again, Change::AlreadySo);
    put(json!({"delivered_minor": 50, "on": "2024-06-20"})).unwrap();
    assert_eq!(total(&db, "C", "2024-06-30"), 80);
    let parts = check::exposure(&db, &id("C"), None, at(NOON)).unwrap().parts;
    let part = |of: ExposureComponent| parts.iter().find(|part| part.component == of).unwrap();
    assert_eq!(part(ExposureComponent::Undelivered).minor, 30);
    assert_eq!(part(ExposureComponent::Unbilled).minor, 50);
    assert_eq!(part(ExposureComponent::Unbilled).documents[0].id, id("O1"));
    invoice(&db, "I1", "C", "2024-07-31", 50);
    put(json!({"delivered_minor": 50, "invoiced_minor": 50, "on": "2024-06-25"})).unwrap();
    assert_eq!(total(&db, "C", "2024-06-30"), 80);
    // A delivery of the order adds nothing; an order beside it does.
    assert_eq!(simulated(&db, "C", 30), "hold limit-used limit-nearly-used");
    let delivery = question("C", 30, Some("O1"));
    let of_order = check::simulate(&db, &delivery, None, Some(Language::En), at(NOON)).unwrap();
    assert_eq!((told(&of_order).as_str(), of_order.after_minor), ("pass", 80));
    // As of the days between.
    for (on, wanted) in
        [("2024-06-09", 50), ("2024-06-10", 130), ("2024-06-24", 130), ("2024-06-25", 80)]
    {
        assert_eq!(total(&db, "C", on), wanted, "{on}");
    }
    let earlier = put(json!({"delivered_minor": 60, "on": "2024-06-24"}));
    assert_eq!(refused(earlier), (Refusal::DateOutOfRange, Some("on".into())));
    put(json!({"delivered_minor": 50, "invoiced_minor": 50, "cancelled_minor": 30})).unwrap();
    assert_eq!(total(&db, "C", "2024-06-30"), 50);
    let points =
        check::utilisation(&db, &id("C"), (Some(day("2024-06-24")), None), 3, at(NOON)).unwrap();
    let points: Vec<(String, i64)> =
        points.items.iter().map(|of| (of.day.to_string(), of.total_minor)).collect();
    let wanted = [("2024-06-24", 130), ("2024-06-27", 80), ("2024-06-30", 50)];
    assert_eq!(points, wanted.map(|(day, minor)| (day.to_string(), minor)));
}

#[test]
fn of_two_reservations_of_60_under_a_limit_of_100_exactly_one_succeeds() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let kept = |result: Result<Reserved, Fault>| matches!(result.unwrap(), Reserved::Kept(..));
    assert!(kept(reserve(&db, "R1", "C", 60, at(NOON), 60)));
    match reserve(&db, "R2", "C", 60, at(NOON), 60).unwrap() {
        Reserved::Held(result) => {
            assert_eq!(told(&result), "hold limit-used limit-nearly-used");
            assert_eq!(result.would_pass_if.unwrap().amount.unwrap().minor, 40);
        }
        other => panic!("{other:?}"),
    }
    // The first again is already so.
    match reserve(&db, "R1", "C", 60, at(NOON), 60).unwrap() {
        Reserved::Kept(_, Change::AlreadySo) => {}
        other => panic!("{other:?}"),
    }
    let other = reserve(&db, "R1", "C", 61, at(NOON), 60);
    assert_eq!(refused(other), (Refusal::DifferentContent, Some("amount".into())));
    // Releasing restores 100.
    reservation::ask(&db, &id("R1"), Ask::Release, &author()).unwrap();
    assert!(kept(reserve(&db, "R3", "C", 100, at(NOON), 60)));
    // A second later than its end it is free again, without anybody's doing.
    let later = at(NOON).plus_seconds(60);
    assert_eq!(reservation::get(&db, &id("R3"), later).unwrap().state, ReservationState::Expired);
    assert!(kept(reserve(&db, "R4", "C", 100, later, 60)));
    let late = reservation::ask(&db, &id("R3"), Ask::Commit, &by("tester", later));
    assert_eq!(refused(late).0, Refusal::WrongState);
    // What is committed stays when its time is over.
    reservation::ask(&db, &id("R4"), Ask::Commit, &by("tester", later)).unwrap();
    let much_later = later.plus_seconds(3_600);
    assert!(!kept(reserve(&db, "R5", "C", 1, much_later, 60)));
    assert_eq!(order::get(&db, &id("R4"), None).unwrap().undelivered_minor, 100);
    // An order is reserved once.
    let twice = reserve(&db, "R6", "C", 0, later, 60);
    assert_eq!(refused(twice), (Refusal::AmountNotPositive, Some("amount".into())));
}

/// Whoever came first may be served second: what was reserved meanwhile counts all the same.
#[test]
fn a_reservation_counts_for_requests_that_came_a_moment_before_it() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    reserve(&db, "R1", "C", 60, at(NOON).plus_seconds(1), 60).unwrap();
    assert!(matches!(reserve(&db, "R2", "C", 60, at(NOON), 60).unwrap(), Reserved::Held(_)));
}

#[test]
fn a_guarantee_stops_to_reduce_the_exposure_on_the_day_it_expires() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    invoice(&db, "I1", "C", "2024-07-31", 150);
    assert_eq!(simulated(&db, "C", 0), "hold limit-used limit-nearly-used");
    let new = json!({"customer_id": "C", "kind": "insurance", "party": "Insurer", "amount": eur(1_000),
        "share": "0.8", "valid_from": "2024-06-01", "valid_to": "2024-06-30"});
    guarantee::put(&db, &id("G1"), &read(new), &author()).unwrap();
    assert_eq!((total(&db, "C", "2024-06-30"), total(&db, "C", "2024-07-01")), (30, 150));
    assert_eq!(simulated(&db, "C", 310), "warn limit-nearly-used");
    let parts = check::exposure(&db, &id("C"), None, at(NOON)).unwrap().parts;
    let secured = parts.iter().find(|of| of.component == ExposureComponent::Secured).unwrap();
    assert_eq!((secured.minor, secured.documents[0].id.as_str()), (-120, "G1"));
}

#[test]
fn a_group_is_held_as_a_whole_and_a_lowered_limit_is_accepted() {
    let (_folder, db) = db();
    customer(&db, "H", json!({"credit_limit": eur(150)}));
    customer(&db, "A", json!({"parent_id": "H"}));
    customer(&db, "B", json!({"parent_id": "H", "credit_limit": eur(100)}));
    invoice(&db, "I1", "A", "2024-07-31", 90);
    assert_eq!(simulated(&db, "B", 45), "pass");
    assert_eq!(simulated(&db, "B", 46), "warn limit-nearly-used");
    assert_eq!(simulated(&db, "B", 61), "hold limit-used limit-nearly-used");
    set_limit(&db, "H", "L1", json!({"minor": 50, "kind": "group"}));
    assert_eq!(simulated(&db, "B", 1), "hold limit-used limit-nearly-used");
    let exposure = check::exposure(&db, &id("B"), None, at(NOON)).unwrap();
    assert_eq!((exposure.total_minor, exposure.group_minor), (0, Some(90)));
}

#[test]
fn a_held_order_waits_until_its_reasons_clear_or_somebody_releases_it() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    invoice(&db, "I1", "C", "2024-07-31", 90);
    let ask = |name: &str, order: &str, minor: i64, when: Instant| {
        let question = question("C", minor, Some(order));
        check::ask(&db, &question, &id(name), Some(Language::En), &by("shop", when)).unwrap()
    };
    let first = ask("K1", "O1", 20, at(NOON));
    assert_eq!(
        (told(&first).as_str(), first.hold_id.clone()),
        ("hold limit-used limit-nearly-used", Some(id("K1")))
    );
    let again = ask("K2", "O1", 20, at(NOON));
    assert_eq!(again.hold_id, Some(id("K1")));
    // Paid: the next check, or the sweep, lets it go.
    pay(&db, "P1", "C", "2024-06-30", 50);
    let cleared = ask("K3", "O1", 20, at(NOON));
    assert_eq!((told(&cleared).as_str(), cleared.hold_id), ("pass", None));
    assert_eq!(hold::get(&db, &id("K1")).unwrap().state, HoldState::Cleared);
    // What was judged then is judged the same now.
    let kept = check::get(&db, &id("K1"), Some(Language::En)).unwrap();
    assert_eq!((told(&kept), kept.would_pass_if.clone()), (told(&first), first.would_pass_if));
    assert_eq!(kept.total_minor, 90);

    let second = ask("K4", "O2", 90, at(NOON));
    assert_eq!(second.hold_id, Some(id("K4")));
    let new = json!({"reason": "the director agreed", "until": "2024-07-02T12:00:00Z"});
    let release = || hold::release(&db, &id("K4"), &read(new.clone()), &author()).unwrap();
    assert_eq!((release().1, release().1), (Change::Replaced, Change::AlreadySo));
    let passed = ask("K5", "O2", 90, at(NOON));
    assert_eq!((passed.verdict, passed.released_by), (Verdict::Pass, Some(id("K4"))));
    assert_eq!(ask("K6", "O2", 91, at(NOON)).verdict, Verdict::Hold);
    // A release expires.
    assert_eq!(ask("K7", "O2", 90, at("2024-07-02T12:00:00Z")).verdict, Verdict::Hold);
    let cleared = hold::release(&db, &id("K1"), &read(json!({"reason": "x"})), &author());
    assert_eq!(refused(cleared).0, Refusal::WrongState);
}

fn swept(db: &NativeDb, on: &str, when: Instant) {
    let mut tick = sweep::Tick::begin(db, Some(day(on)), id("owner"), when).unwrap();
    loop {
        match tick.step(db, when).unwrap() {
            sweep::Step::More => {}
            sweep::Step::Deliver => {
                tick.delivered(db, dunlin_app::remind::Handed::default(), true, when).unwrap();
            }
            sweep::Step::Done => break,
        }
    }
    tick.end(db).unwrap();
}

#[test]
fn holds_clear_by_themselves_but_never_forced_ones() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    invoice(&db, "I1", "C", "2024-07-31", 90);
    let ask = |name: &str, order: &str| {
        let question = question("C", 20, Some(order));
        check::ask(&db, &question, &id(name), Some(Language::En), &author()).unwrap()
    };
    ask("K1", "O1");
    customer(&db, "C", json!({"credit_limit": eur(100), "status": "suspended"}));
    assert_eq!(ask("K2", "O2").verdict, Verdict::ForcedHold);
    let placed = json!({"customer": "C", "order_id": "O3", "reason": "asked by the law firm"});
    hold::place(&db, &read(placed), &id("K3"), &author()).unwrap();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let run = || hold::run(&db, &author()).unwrap();
    assert_eq!((run().judged, run().cleared), (2, 0));
    let state = |name: &str| hold::get(&db, &id(name)).unwrap().state;
    assert_eq!(state("K1"), HoldState::Held);
    pay(&db, "P1", "C", "2024-06-30", 90);
    assert_eq!((run().cleared, run().judged), (1, 1));
    assert_eq!(
        [state("K1"), state("K2"), state("K3")],
        [HoldState::Cleared, HoldState::Held, HoldState::Held]
    );
    // The forced one holds its order though nothing speaks against it any more.
    let forced = ask("K4", "O2");
    assert_eq!(
        (told(&forced).as_str(), forced.hold_id),
        ("forced-hold placed-hold", Some(id("K2")))
    );
    assert_eq!(told(&ask("K5", "O3")), "forced-hold placed-hold");
    assert_eq!(told(&ask("K6", "O4")), "pass");
    hold::release(&db, &id("K2"), &read(json!({"reason": "cleared up"})), &author()).unwrap();
    assert_eq!(told(&ask("K7", "O2")), "pass");
    assert_eq!(ask("K7b", "O2").hold_id, None);
}

#[test]
fn rules_are_found_at_the_nearest_level_and_count_from_their_write() {
    let (_folder, db) = db();
    customer(&db, "H", json!({"credit_limit": eur(1_000)}));
    customer(&db, "C", json!({"parent_id": "H"}));
    customer(&db, "D", json!({"credit_limit": eur(1_000)}));
    invoice(&db, "I1", "C", "2024-06-20", 10);
    invoice(&db, "I2", "D", "2024-06-20", 10);
    let put = |name: &str, more: Value| {
        let mut new = json!({"kind": "days-overdue"});
        for (field, value) in more.as_object().unwrap() {
            new[field] = value.clone();
        }
        rule::put(&db, &id(name), &read(new), &author()).unwrap()
    };
    let verdicts = || (simulated(&db, "C", 1), simulated(&db, "D", 1));
    let both = |c: &str, d: &str| (c.to_string(), d.to_string());
    assert_eq!(verdicts(), both("pass", "pass"));
    put("late", json!({"more_than": "5"}));
    assert_eq!(verdicts(), both("hold late", "hold late"));
    put("late-H", json!({"more_than": "5", "verdict": "warn", "group": "H"}));
    assert_eq!(verdicts(), both("warn late-H", "hold late"));
    put("not-C", json!({"customer": "C", "exclude": true}));
    assert_eq!(verdicts(), both("pass", "hold late"));
    let (rule, change) = put("late", json!({"more_than": "10"}));
    assert_eq!((rule.version, change), (2, Change::Replaced));
    assert_eq!(put("late", json!({"more_than": "10"})).1, Change::AlreadySo);
    assert_eq!(verdicts(), both("pass", "pass"));
    assert_eq!(rule::list(&db, None, 10, at(NOON)).unwrap().len(), 6 + 3);
}

#[test]
fn a_rule_that_was_put_for_somebody_else_today_ends_as_the_one_that_stood_and_says_nothing_of_both()
{
    let (_folder, db) = db();
    for who in ["X", "Y"] {
        customer(&db, who, json!({"credit_limit": eur(1_000)}));
    }
    let put = |new: Value, when: &str| {
        rule::put(&db, &id("big"), &read(new), &by("admin", at(when))).unwrap();
    };
    let big = |who: &str, reason: &str| json!({"kind": "order-amount", "amount": eur(10), "customer": who, "reason": reason});
    put(big("X", "X drinks"), "2024-06-28T12:00:00Z");
    put(big("Y", "Y gambles"), NOON);
    let (ended, _) = rule::end(&db, &id("big"), &author()).unwrap();
    let wanted: NewRule = read(big("X", "X drinks"));
    assert_eq!(ended.rule, NewRule { to: Some(day("2024-06-29")), ..wanted });
    let then = |who: &str| {
        let asked = Some(day("2024-06-29"));
        let found =
            check::simulate(&db, &question(who, 15, None), asked, Some(Language::En), at(NOON));
        told(&found.unwrap())
    };
    assert_eq!((then("X"), then("Y")), ("hold big".to_string(), "pass".to_string()));
    put(json!({"kind": "order-amount", "amount": eur(10), "reason": "for all"}), NOON);
    // What was said of one is in no entry that belongs to another, and in no text that cannot be taken away.
    let rows: Vec<(String, Option<String>, Option<i64>)> = db
        .json("SELECT json_group_array(json_array(change, personal, customer_key)) FROM audit WHERE noun = 'credit_rule'", &[])
        .unwrap();
    assert_eq!(rows.len(), 4);
    for (change, personal, customer) in rows {
        assert!(!change.contains("drinks") && !change.contains("gambles"), "{change}");
        let personal = personal.unwrap_or_default();
        assert!(!personal.contains("drinks") || customer == Some(1), "{personal}");
        assert!(!personal.contains("gambles") || customer == Some(2), "{personal}");
    }
}

#[test]
fn a_rule_is_taken_back_and_what_it_replaced_stands_again() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(10)}));
    customer(&db, "Twin", json!({}));
    let put = |name: &str, new: Value| rule::put(&db, &id(name), &read(new), &author()).unwrap();
    put("limit-used", json!({"kind": "limit-used", "more_than": "2"}));
    put("of-twin", json!({"kind": "order-amount", "amount": eur(0), "customer": "Twin"}));
    assert_eq!(simulated(&db, "C", 15), "warn limit-nearly-used");
    let end = |name: &str| rule::end(&db, &id(name), &author());
    let (ended, change) = end("limit-used").unwrap();
    assert_eq!(
        (ended.version, ended.rule.to, change),
        (2, Some(day("2024-06-29")), Change::Replaced)
    );
    assert_eq!(simulated(&db, "C", 15), "hold limit-used limit-nearly-used");
    // It was new today, and never counted.
    let then = Some(day("2024-06-29"));
    let then = || {
        let found =
            check::simulate(&db, &question("C", 15, None), then, Some(Language::En), at(NOON));
        told(&found.unwrap())
    };
    assert_eq!(then(), "hold limit-used limit-nearly-used");
    // One of before stands until yesterday, as it stood then.
    let before = by("tester", at("2024-06-20T12:00:00Z"));
    let new = |most: &str| read(json!({"kind": "limit-used", "more_than": most}));
    rule::put(&db, &id("limit-used"), &new("2"), &before).unwrap();
    assert_eq!(then(), "warn limit-nearly-used");
    for today in [Some("1.2"), None] {
        if let Some(most) = today {
            rule::put(&db, &id("limit-used"), &new(most), &author()).unwrap();
            assert_eq!(then(), "hold limit-used limit-nearly-used");
        }
        assert_eq!(end("limit-used").unwrap().0.rule.more_than, Some(Decimal::TWO));
        assert_eq!(then(), "warn limit-nearly-used");
        assert_eq!(simulated(&db, "C", 15), "hold limit-used limit-nearly-used");
    }
    assert_eq!(end("limit-used").unwrap().1, Change::AlreadySo);
    assert_eq!(refused(end("limit-missing")), (Refusal::WrongState, Some("name".into())));
    assert_eq!(refused(end("no-such")).0, Refusal::NotFound);
    customers::merge(&db, &id("Twin"), &id("C"), &author()).unwrap();
    assert_eq!(end("of-twin").unwrap().1, Change::Replaced);
}

#[test]
fn a_message_of_an_order_that_comes_late_does_not_turn_it_back() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let put = |version: Option<u64>, delivered: i64| {
        let new = json!({"customer": "C", "amount": eur(80), "delivered_minor": delivered, "version": version});
        order::put(&db, &id("O1"), &read(new), &author())
    };
    assert_eq!(put(Some(1), 0).unwrap().1, Change::Made);
    assert_eq!(put(Some(3), 50).unwrap().1, Change::Replaced);
    for (late, delivered) in [(1, 0), (2, 30), (3, 50)] {
        let (stands, change) = put(Some(late), delivered).unwrap();
        assert_eq!(
            (stands.delivered_minor, stands.version, change),
            (50, Some(3), Change::AlreadySo)
        );
    }
    let other = put(Some(3), 60);
    assert_eq!(refused(other), (Refusal::DifferentContent, Some("version".into())));
    // Who says nothing of a version means what it says now; a later one is held against the last that was told.
    assert_eq!(put(None, 60).unwrap().0.version, Some(3));
    assert_eq!(put(Some(2), 80).unwrap().1, Change::AlreadySo);
    assert_eq!(put(Some(4), 80).unwrap().0.delivered_minor, 80);
    let too_large = put(Some(1 << 60), 80);
    assert_eq!(refused(too_large), (Refusal::MalformedField, Some("version".into())));
}

#[test]
fn a_first_limit_that_waits_lets_nothing_pass_until_it_counts() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    let new = json!({"currency": "EUR", "lines": [], "second_key_from": [eur(1_000)]});
    policy::publish(&db, &read(new), &author()).unwrap();
    assert_eq!(simulated(&db, "C", 10), "warn limit-missing");
    set_limit(&db, "C", "L1", json!({"minor": 1_000}));
    assert_eq!(simulated(&db, "C", 10), "hold limit-missing");
    let asked = check::simulate(&db, &question("C", 10, None), None, Some(Language::En), at(NOON));
    let asked = asked.unwrap();
    assert_eq!(asked.reasons[0].detail, "The first credit limit waits for a second key.");
    assert_eq!(asked.would_pass_if.unwrap().limit.unwrap().minor, 10);
    limit::decide(&db, &id("L1"), LimitState::Approved, &by("other", at(NOON))).unwrap();
    assert_eq!(simulated(&db, "C", 10), "pass");
    // A raise that waits changes nothing.
    set_limit(&db, "C", "L2", json!({"minor": 5_000, "from": "2024-06-20"}));
    assert_eq!(simulated(&db, "C", 10), "pass");
}

/// The zone that was read last, and the position as it was read, save statements and never an answer.
#[test]
fn a_check_counts_days_as_the_organisation_does_now_and_is_judged_again_alike() {
    let (folder, db) = db();
    let other = NativeDb::open(&folder.path().join("test.db")).unwrap();
    customer(&db, "C", json!({"credit_limit": eur(500)}));
    // Another than the order in which they are put to be judged.
    invoice(&db, "I2", "C", "2024-07-10", 200);
    invoice(&db, "I1", "C", "2024-06-30", 100);
    let late = at("2024-06-30T18:00:00Z");
    let overdue_in = |zone: &str, made: &str| {
        let new = json!({"name": "Ours", "time_zone": zone, "language": "en"});
        put_organisation(&other, &read(new), &author()).unwrap();
        let language = Some(Language::En);
        let asked = question("C", 100, Some("O"));
        let tried = check::simulate(&db, &asked, None, language, late).unwrap();
        let kept = check::ask(&db, &asked, &id(made), language, &by("tester", late)).unwrap();
        assert_eq!(tried.exposure, kept.exposure);
        assert_eq!(check::get(&db, &id(made), language).unwrap().exposure, kept.exposure);
        let overdue = |part: &&ExposurePart| part.component == ExposureComponent::OverdueInvoices;
        kept.exposure.iter().find(overdue).unwrap().minor
    };
    assert_eq!(overdue_in("UTC", "K1"), 0);
    // Two o'clock of the day after.
    assert_eq!(overdue_in("Asia/Shanghai", "K2"), 100);
    assert_eq!(overdue_in("UTC", "K3"), 0);
    let first = check::get(&db, &id("K1"), Some(Language::En)).unwrap();
    assert_eq!(told(&first), "pass");
}

#[test]
fn a_policy_is_tried_on_the_book_and_proposes_limits_that_wait() {
    let (_folder, db) = db();
    for (name, limit) in
        [("A", json!({"credit_limit": eur(100)})), ("B", json!({})), ("C", json!({}))]
    {
        customer(&db, name, limit);
    }
    invoice(&db, "I1", "A", "2024-07-31", 1_000);
    invoice(&db, "I2", "B", "2024-07-31", 3_000);
    let new: LimitPolicy = read(json!({"currency": "EUR", "step_minor": 10,
        "lines": [{"turnover_share": "0.333", "cap_minor": 500}]}));
    let found = policy::simulate(&db, &new, None, at(NOON)).unwrap();
    assert_eq!((found.customers, found.proposed, found.raised, found.first), (3, 3, 1, 2));
    assert_eq!((found.now_minor, found.proposed_minor, found.below_outstanding), (100, 830, 2));
    assert_eq!(refused(policy::get(&db)).0, Refusal::NotFound);
    policy::publish(&db, &new, &author()).unwrap();
    let done = policy::review(&db, 0, &author()).unwrap();
    assert_eq!((done.customers, done.proposed, done.next), (3, 3, None));
    // Nobody is proposed for twice while something waits.
    assert_eq!(policy::review(&db, 0, &author()).unwrap().proposed, 0);
    assert_eq!(effective(&db, "A", "2024-06-30"), "100");
    let waiting =
        limit::standing(&db, &id("A"), None, Some(Language::En), at(NOON)).unwrap().pending;
    assert_eq!((waiting[0].minor, waiting[0].source), (330, LimitSource::Review));
    limit::decide(&db, &waiting[0].id, LimitState::Approved, &by("other", at(NOON))).unwrap();
    assert_eq!(effective(&db, "A", "2024-06-30"), "330");
}

#[test]
fn a_limit_is_proposed_from_the_turnover_that_the_facts_tell() {
    let (_folder, db) = db();
    for name in ["A", "B", "C", "D", "E", "F", "G"] {
        customer(&db, name, json!({}));
        invoice(&db, &format!("I{name}1"), name, "2024-07-31", 1_000);
        invoice(&db, &format!("I{name}2"), name, "2024-07-31", 90_000);
    }
    let today = "2024-06-30".parse().unwrap();
    documents::void(&db, &id("IB2"), today, &author()).unwrap();
    let credit = |name: &str, of: &str, to: Option<&str>, minor: i64| {
        let new = json!({"id": name, "customer_id": of, "kind": "credit-note", "issued_on": "2024-06-30",
            "amount": eur(minor), "relates_to": to});
        documents::add(&db, &read(new), id("made"), &author()).unwrap();
    };
    credit("NC", "C", Some("IC2"), 90_000);
    credit("ND", "D", Some("ID2"), 40_000);
    credit("NE", "E", None, 100_000);
    // Paid before it was credited, and the money paid out again.
    pay(&db, "PG", "G", "2024-06-29", 91_000);
    credit("NG", "G", Some("IG2"), 90_000);
    let out = read(json!({"on": "2024-06-30"}));
    dunlin_app::credit_refund::add(&db, &id("NG"), &out, id("RG"), &author()).unwrap();
    let contested =
        json!({"id": "DF", "invoice_id": "IF2", "on": "2024-06-30", "reason": "duplicate"});
    dispute::open(&db, &read(contested), id("made"), &author()).unwrap();
    let upheld = read(json!({"on": "2024-06-30", "outcome": "upheld"}));
    dispute::resolve(&db, &id("DF"), &upheld, &author()).unwrap();
    let lines = json!([{"turnover_share": "1", "cap_minor": 1_000_000}]);
    let new: LimitPolicy = read(json!({"currency": "EUR", "lines": lines}));
    policy::publish(&db, &new, &author()).unwrap();
    policy::review(&db, 0, &author()).unwrap();
    for (name, turnover) in [
        ("A", 91_000),
        ("B", 1_000),
        ("C", 1_000),
        ("D", 51_000),
        ("E", 0),
        ("F", 1_000),
        ("G", 1_000),
    ] {
        let found = limit::standing(&db, &id(name), None, Some(Language::En), at(NOON)).unwrap();
        assert_eq!(found.pending[0].minor, turnover, "{name}");
        let facts = dunlin_app::score::facts(&db, &id(name), today).unwrap();
        let told = facts.get(dunlin_domain::contract::score::FactName::Turnover12m);
        assert_eq!(told.unwrap_or_default(), Decimal::new(turnover, 2), "{name}");
    }
}

#[test]
fn a_tier_of_customers_has_its_own_row_of_the_policy() {
    let (_folder, db) = db();
    for (name, segment) in [("A", "retail"), ("B", "wholesale")] {
        customer(&db, name, json!({"segment": segment}));
        invoice(&db, &format!("I{name}"), name, "2024-07-31", 1_000);
    }
    let tiers = json!({"rules": [{"tier": "key", "segments": ["wholesale"]}], "otherwise": "rest"});
    tier::put(&db, &read(tiers), &author()).unwrap();
    let lines = json!([{"turnover_share": "0.1", "cap_minor": 500},
        {"tier": "key", "turnover_share": "0.4", "cap_minor": 500}]);
    let new: LimitPolicy = read(json!({"currency": "EUR", "lines": lines}));
    // Nobody is in a tier before a sweep has sorted.
    let proposed = || policy::simulate(&db, &new, None, at(NOON)).unwrap().proposed_minor;
    assert_eq!(proposed(), 200);
    swept(&db, "2024-06-30", at(NOON));
    assert_eq!(proposed(), 500);
}

#[test]
fn what_a_group_used_of_its_limit_is_used_by_each_of_its_members() {
    let (_folder, db) = db();
    customer(&db, "H", json!({}));
    customer(&db, "M", json!({"parent_id": "H"}));
    invoice(&db, "I", "M", "2024-07-31", 6_000);
    let used = |of: &str| {
        let found = check::exposure(&db, &id(of), None, at(NOON)).unwrap();
        let days = (Some(day("2024-06-30")), None);
        let series = check::utilisation(&db, &id(of), days, 1, at(NOON)).unwrap();
        let point = &series.items[0];
        assert_eq!((point.used, point.group_minor), (found.used, found.group_minor));
        (found.total_minor, found.group_minor, found.used.map(|used| used.to_string()))
    };
    let share = |used: &str| Some(used.to_string());
    set_limit(&db, "H", "L1", json!({"minor": 10_000, "kind": "group"}));
    assert_eq!(used("H"), (0, Some(6_000), share("0.6")));
    assert_eq!(used("M"), (6_000, Some(6_000), share("0.6")));
    // A lower one of its own is used by more, and by nobody else.
    set_limit(&db, "M", "L2", json!({"minor": 8_000}));
    assert_eq!((used("M").2, used("H").2), (share("0.75"), share("0.6")));
    invoice(&db, "I2", "H", "2024-07-31", 3_000);
    assert_eq!((used("M").2, used("H").2), (share("0.9"), share("0.9")));
    // The group does not bind whose own has no bound, and nothing is a share of nothing.
    set_limit(&db, "M", "L3", json!({"unlimited": true}));
    set_limit(&db, "H", "L4", json!({"minor": 0, "kind": "group"}));
    assert_eq!((used("M").2, used("H").2), (None, None));
}

#[test]
fn a_bad_alert_proposes_a_cut_at_once() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(50_000)}));
    for month in 1..=5 {
        let due = format!("2024-0{month}-15");
        let new = json!({"id": format!("I{month}"), "customer_id": "C", "issued_on": format!("2024-0{month}-01"),
            "due_on": due, "amount": eur(1_000)});
        documents::add(&db, &read(new), id("made"), &author()).unwrap();
        pay(&db, &format!("P{month}"), "C", &due, 1_000);
    }
    let new = json!({"currency": "EUR", "lines": [
        {"grade": "A", "turnover_share": "10", "cap_minor": 50_000},
        {"grade": "B", "turnover_share": "1", "cap_minor": 50_000},
        {"grade": "C", "turnover_share": "0.5", "cap_minor": 50_000},
        {"grade": "D", "turnover_share": "0.1", "cap_minor": 50_000},
        {"grade": "E", "turnover_share": "0", "cap_minor": 0}]});
    policy::publish(&db, &read(new), &author()).unwrap();
    swept(&db, "2024-06-01", at(NOON));
    let waiting = || {
        let of = LimitState::Pending;
        dunlin_store::credit_limit::list(&db, i64::MAX, 9, None, Some(of), None).unwrap()
    };
    assert_eq!(waiting().len(), 0);
    let late = json!({"id": "I9", "customer_id": "C", "issued_on": "2024-02-01", "due_on": "2024-02-15",
        "amount": eur(9_000)});
    documents::add(&db, &read(late), id("made"), &author()).unwrap();
    swept(&db, "2024-06-30", at(NOON));
    let run = || hold::run(&db, &author()).unwrap().limits_proposed;
    assert_eq!((run(), run()), (1, 0));
    let found = waiting();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].1.source, found[0].1.asked_by.as_str()), (LimitSource::Alert, "tester"));
    assert!(found[0].1.minor < 50_000);
    // Whoever approves it sees from what it comes, and when it was asked for.
    let cut = &found[0].1;
    let why = "After a serious or critical alert of 2024-06-30. Limit policy 1: grade ";
    assert!(cut.reason.as_ref().unwrap().starts_with(why), "{cut:?}");
    assert!(cut.reason.as_ref().unwrap().ends_with("EUR 140.00, guaranteed EUR 0.00."), "{cut:?}");
    assert_eq!((cut.asked_at, cut.decided_at), (at(NOON), None));
    let later = at("2024-06-30T15:00:00Z");
    limit::decide(&db, &cut.id, LimitState::Approved, &by("other", later)).unwrap();
    let decided = limit::get(&db, &cut.id).unwrap();
    assert_eq!((decided.asked_at, decided.decided_at), (at(NOON), Some(later)));
}

#[test]
fn every_change_has_an_entry_and_the_feed_tells_of_holds() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(10)}));
    let asked = question("C", 20, Some("O1"));
    check::ask(&db, &asked, &id("K1"), Some(Language::En), &author()).unwrap();
    hold::release(&db, &id("K1"), &read(json!({"reason": "agreed"})), &author()).unwrap();
    let after = "0".parse().unwrap();
    let feed =
        dunlin_app::event::feed(&db, after, 100, &["hold.*".into()], Some(&id("C"))).unwrap();
    let kinds: Vec<(&str, Option<&str>)> =
        feed.items.iter().map(|of| (of.kind.as_str(), of.subject.as_deref())).collect();
    assert_eq!(kinds, [("hold.opened", Some("K1")), ("hold.released", Some("K1"))]);
}

#[test]
fn what_is_reserved_ordered_and_held_moves_with_a_merge() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    customer(&db, "Twin", json!({"credit_limit": eur(100)}));
    let new = json!({"currency": "EUR", "lines": [], "second_key_from": [eur(1_000)]});
    policy::publish(&db, &read(new), &author()).unwrap();
    set_limit(&db, "Twin", "L1", json!({"minor": 1_000}));
    reserve(&db, "R1", "Twin", 30, at(NOON), 600).unwrap();
    let new = json!({"customer": "Twin", "amount": eur(40)});
    order::put(&db, &id("O1"), &read(new), &author()).unwrap();
    customers::merge(&db, &id("Twin"), &id("C"), &author()).unwrap();
    assert_eq!(total(&db, "C", "2024-06-30"), 70);
    // What waited for the one that is gone is turned down.
    let waited = limit::get(&db, &id("L1")).unwrap();
    assert_eq!((waited.state, waited.decided_by.as_deref()), (LimitState::Refused, Some("tester")));
    let late = limit::decide(&db, &id("L1"), LimitState::Approved, &by("other", at(NOON)));
    assert_eq!(refused(late).0, Refusal::WrongState);
    let gone = check::simulate(&db, &question("Twin", 1, None), None, Some(Language::En), at(NOON));
    assert_eq!(refused(gone), (Refusal::CustomerMerged, Some("customer".into())));
}

#[test]
fn limits_exposures_and_checks_are_those_of_any_day_with_what_was_known_then() {
    let (_folder, db) = db();
    let hour = |hour: &str| at(&format!("2024-06-30T{hour}:00:00Z"));
    let known = |text: &str| Asked { day: None, known_at: Some(hour(text)) };
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let at_hour = |text: &str| by("tester", hour(text));
    let order = |more: Value, when: &str| {
        let mut new = json!({"customer": "C", "amount": eur(40)});
        for (field, value) in more.as_object().unwrap() {
            new[field] = value.clone();
        }
        order::put(&db, &id("O1"), &read(new), &at_hour(when)).unwrap();
    };
    order(json!({}), "13");
    let limit = |made: &str, minor: i64, when: &str| {
        let new = json!({"minor": minor, "currency": "EUR", "from": "2024-06-01"});
        limit::put(&db, &id("C"), &read(new), &id(made), &at_hour(when)).unwrap();
    };
    limit("L1", 60, "14");
    let new = json!({"id": "R1", "customer": "C", "amount": eur(15), "expires_at": hour("22")});
    reservation::add(&db, &read(new), &id("x"), None, &at_hour("15")).unwrap();
    let new = json!({"kind": "limit-used", "more_than": "2"});
    for name in ["limit-used", "limit-nearly-used"] {
        rule::put(&db, &id(name), &read(new.clone()), &at_hour("16")).unwrap();
    }
    reservation::ask(&db, &id("R1"), Ask::Release, &at_hour("17")).unwrap();
    order(json!({"delivered_minor": 10}), "18");
    let new = json!({"id": "I1", "customer_id": "C", "issued_on": "2024-06-10", "due_on": "2024-06-20",
        "amount": eur(9)});
    documents::add(&db, &read(new), id("made"), &at_hour("19")).unwrap();
    limit("L2", 200, "20");
    let now = hour("21");
    let told = |text: &str| {
        let asked = known(text);
        let standing = limit::standing(&db, &id("C"), asked, Some(Language::En), now).unwrap();
        let question = question("C", 30, None);
        let check =
            check::simulate(&db, &question, asked, Some(Language::En), now).unwrap().verdict;
        let most = standing.effective.and_then(|limit| limit.minor).unwrap();
        format!("{check} under {most}: {}", parts(&db, "C", asked, now))
    };
    for (moment, wanted) in [
        ("12", "pass under 100: 0 of None: "),
        ("13", "pass under 100: 40 of None: undelivered 40 [O1 40]"),
        ("14", "hold under 60: 40 of None: undelivered 40 [O1 40]"),
        ("15", "hold under 60: 55 of None: orders-reserved 15 [R1 15]; undelivered 40 [O1 40]"),
        ("16", "pass under 60: 55 of None: orders-reserved 15 [R1 15]; undelivered 40 [O1 40]"),
        ("17", "pass under 60: 40 of None: undelivered 40 [O1 40]"),
        ("18", "pass under 60: 40 of None: undelivered 30 [O1 30]; unbilled 10 [O1 10]"),
        (
            "19",
            "pass under 60: 49 of None: overdue-invoices 9 [I1 9]; undelivered 30 [O1 30]; unbilled 10 [O1 10]",
        ),
        (
            "20",
            "pass under 200: 49 of None: overdue-invoices 9 [I1 9]; undelivered 30 [O1 30]; unbilled 10 [O1 10]",
        ),
    ] {
        assert_eq!(told(moment), wanted, "{moment}");
    }
    // A day of the past, with what is known now and with what was known.
    let past = |known_at| Asked { day: Some(day("2024-06-15")), known_at };
    assert_eq!(parts(&db, "C", past(None), now), "9 of None: open-invoices 9 [I1 9]");
    assert_eq!(parts(&db, "C", past(Some(hour("18"))), now), "0 of None: ");
}

#[test]
fn now_and_any_day_are_read_alike() {
    let (_folder, db) = db();
    customer(&db, "H", json!({"credit_limit": eur(1_000)}));
    customer(&db, "C", json!({"parent_id": "H"}));
    customer(&db, "D", json!({"parent_id": "H"}));
    for (number, of, due, minor) in [
        (1, "C", "2024-06-20", 70),
        (2, "C", "2024-07-20", 40),
        (3, "D", "2024-06-10", 30),
        (4, "H", "2024-07-31", 5),
    ] {
        invoice(&db, &format!("I{number}"), of, due, minor);
    }
    pay(&db, "P1", "C", "2024-06-25", 20);
    pay(&db, "P2", "D", "2024-06-25", 50);
    let new =
        json!({"customer": "C", "amount": eur(40), "delivered_minor": 15, "invoiced_minor": 5});
    order::put(&db, &id("O1"), &read(new), &author()).unwrap();
    reserve(&db, "R1", "D", 11, at(NOON), 600).unwrap();
    let new = json!({"customer_id": "C", "kind": "insurance", "party": "Insurer", "amount": eur(1_000),
        "share": "0.8", "valid_from": "2024-06-01"});
    guarantee::put(&db, &id("G1"), &read(new), &author()).unwrap();
    for of in ["C", "D", "H"] {
        let now = parts(&db, of, Asked::default(), at(NOON));
        let known = Asked { day: None, known_at: Some(at(NOON)) };
        assert_eq!(parts(&db, of, known, at(NOON)), now);
        assert!(!now.starts_with('0'), "{now}");
    }
}

#[test]
fn a_refused_reservation_of_an_order_holds_it_until_there_is_room() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let ask = |made: &str, order: Option<&str>, minor: i64| {
        let new = json!({"customer": "C", "amount": eur(minor), "order_id": order});
        reservation::add(&db, &read(new), &id(made), Some(Language::En), &author()).unwrap()
    };
    let hold_of = |found: Reserved| match found {
        Reserved::Held(told) => told.hold_id,
        other => panic!("{other:?}"),
    };
    assert_eq!(hold_of(ask("R1", None, 101)), None);
    assert_eq!(hold_of(ask("R2", Some("O1"), 101)), Some(id("R2")));
    assert_eq!(hold_of(ask("R3", Some("O1"), 102)), Some(id("R2")));
    let found = hold::get(&db, &id("R2")).unwrap();
    assert_eq!((found.state, found.amount.unwrap().minor), (HoldState::Held, 102));
    // Released by hand it is kept in spite of its reasons.
    hold::release(&db, &id("R2"), &read(json!({"reason": "agreed"})), &author()).unwrap();
    assert!(matches!(ask("R4", Some("O1"), 102), Reserved::Kept(..)));
    assert_eq!(hold_of(ask("R5", Some("O2"), 1)), Some(id("R5")));
    reservation::ask(&db, &id("R4"), Ask::Release, &author()).unwrap();
    assert!(matches!(ask("R6", Some("O2"), 1), Reserved::Kept(..)));
    assert_eq!(hold::get(&db, &id("R5")).unwrap().state, HoldState::Cleared);
}

#[test]
fn a_debt_in_the_legal_stage_holds_orders_until_it_is_closed_and_a_broken_plan_too() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    for (name, kind) in [("legal", "legal-stage"), ("promise", "broken-promise")] {
        rule::put(&db, &id(name), &read(json!({"kind": kind})), &author()).unwrap();
    }
    let record = |name: &str, kind: &str| {
        let new = json!({"id": name, "customer_id": "C", "kind": kind, "reason": "as the court says",
            "found_on": "2024-06-20"});
        default_record::add(&db, &read(new), id("made"), &author()).unwrap();
    };
    let close = |name: &str| {
        let closing = json!({"state": "cured", "on": "2024-06-30", "reason": "settled"});
        default_record::close(&db, &id(name), &read(closing), &author()).unwrap();
    };
    record("D1", "late-payment");
    assert_eq!(simulated(&db, "C", 1), "pass");
    record("D2", "legal-action");
    assert_eq!(simulated(&db, "C", 1), "hold legal");
    record("D3", "broken-plan");
    assert_eq!(simulated(&db, "C", 1), "hold promise legal");
    close("D2");
    close("D3");
    assert_eq!(simulated(&db, "C", 1), "pass");
    // As of the days between.
    for (on, wanted) in [("2024-06-19", 0), ("2024-06-20", 2), ("2024-06-29", 2), ("2024-06-30", 0)]
    {
        let (asked, question) = (Some(day(on)), question("C", 1, None));
        let found = check::simulate(&db, &question, asked, Some(Language::En), at(NOON)).unwrap();
        assert_eq!(found.reasons.len(), wanted, "{on}");
    }
}

#[test]
fn a_review_that_comes_due_proposes_a_limit_once() {
    let (_folder, db) = db();
    for name in ["A", "B", "Cooling"] {
        customer(&db, name, json!({}));
        invoice(&db, &format!("I-{name}"), name, "2024-07-31", 1_000);
    }
    set_limit(&db, "Cooling", "L1", json!({"minor": 1, "from": "2024-06-20"}));
    let new = json!({"currency": "EUR", "cooling_days": 30,
        "lines": [{"turnover_share": "0.5", "cap_minor": 5_000}]});
    let run = |day: &str| {
        let when = at(&format!("{day}T12:00:00Z"));
        hold::run(&db, &by("tester", when)).unwrap().reviews_proposed
    };
    let due = |name: &str, on: &str| {
        let place = dunlin_store::customer::key(&db, &id(name)).unwrap().unwrap();
        let row = (place, day("2024-01-01"), None, Some(day(on)));
        dunlin_store::review::put_all(&db, &[row]).unwrap();
    };
    due("A", "2024-06-30");
    due("B", "2024-07-01");
    due("Cooling", "2024-06-30");
    assert_eq!(run("2024-06-30"), 0);
    policy::publish(&db, &read(new), &author()).unwrap();
    assert_eq!([run("2024-06-29"), run("2024-06-30"), run("2024-06-30")], [0, 1, 0]);
    assert_eq!([run("2024-07-01"), run("2024-07-02")], [1, 0]);
    let waiting = limit::standing(&db, &id("A"), None, None, at(NOON)).unwrap().pending;
    assert_eq!((waiting[0].minor, waiting[0].source), (500, LimitSource::Review));
}

#[test]
fn foreign_documents_are_compared_at_the_rate_of_the_day() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let new = json!({"id": "I1", "customer_id": "C", "issued_on": "2024-05-01", "due_on": "2024-07-31",
        "amount": {"minor": 100, "currency": "USD"}});
    documents::add(&db, &read(new), id("made"), &author()).unwrap();
    let ask = |on: &str| {
        let question = question("C", 0, None);
        check::simulate(&db, &question, Some(day(on)), Some(Language::En), at(NOON))
    };
    assert_eq!(refused(ask("2024-06-30")), (Refusal::RateMissing, Some("amount".into())));
    let row = |from: &str, rate: &str| json!({"valid_from": from, "rate": rate, "source": "bank", "confirmed": true});
    let rates: Vec<_> = read(json!([row("2024-06-01", "0.9"), row("2024-06-30", "1.01")]));
    interest::put_rates(&db, &id("fx-usd-eur"), &rates, &author()).unwrap();
    assert_eq!(refused(ask("2024-05-31")).0, Refusal::RateMissing);
    let told = |on: &str| (told(&ask(on).unwrap()), ask(on).unwrap().total_minor);
    assert_eq!(told("2024-06-29"), ("pass".into(), 90));
    assert_eq!(told("2024-06-30"), ("hold limit-used limit-nearly-used".into(), 101));
}

#[test]
fn a_seasonal_limit_holds_in_its_days_and_the_usage_follows_it() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    invoice(&db, "I1", "C", "2024-07-31", 90);
    set_limit(&db, "C", "L1", json!({"minor": 100, "from": "2024-05-01"}));
    let season =
        json!({"minor": 300, "from": "2024-06-10", "to": "2024-06-20", "kind": "temporary"});
    set_limit(&db, "C", "L2", season);
    let days = (Some(day("2024-06-09")), Some(day("2024-06-21")));
    let found = check::utilisation(&db, &id("C"), days, 1, at(NOON)).unwrap();
    let told = |of: &UtilisationPoint| format!("{:?} {}", of.limit_minor, of.used.unwrap());
    let told: Vec<String> = found.items.iter().map(told).collect();
    assert_eq!(told.len(), 13);
    for (at, text) in told.iter().enumerate() {
        let wanted = if (1..12).contains(&at) { "Some(300) 0.3" } else { "Some(100) 0.9" };
        assert_eq!(text, wanted, "{at}");
    }
    let turned = (Some(day("2024-06-21")), Some(day("2024-06-20")));
    let turned = check::utilisation(&db, &id("C"), turned, 1, at(NOON));
    assert_eq!(refused(turned), (Refusal::MalformedParameter, Some("from".into())));
}

#[test]
fn a_fall_of_the_grade_holds_until_a_sweep_changes_it_again_however_it_is_read() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(50_000)}));
    for month in 1..=5 {
        let due = format!("2024-0{month}-15");
        let new = json!({"id": format!("I{month}"), "customer_id": "C", "issued_on": format!("2024-0{month}-01"),
            "due_on": due, "amount": eur(1_000)});
        documents::add(&db, &read(new), id("made"), &author()).unwrap();
        pay(&db, &format!("P{month}"), "C", &due, 1_000);
    }
    swept(&db, "2024-06-27", at(NOON));
    let late = json!({"id": "I9", "customer_id": "C", "issued_on": "2024-02-01", "due_on": "2024-02-15",
        "amount": eur(9_000)});
    documents::add(&db, &read(late), id("made"), &author()).unwrap();
    let seen = |known_at: Option<Instant>| {
        let asked = Asked { day: None, known_at };
        let question = question("C", 1, None);
        told(&check::simulate(&db, &question, asked, Some(Language::En), at(NOON)).unwrap())
    };
    let now = Some(at(NOON));
    // Of all customers, of a customer and of a group.
    for (name, more) in
        [("all", json!({})), ("own", json!({"customer": "C"})), ("group", json!({"group": "C"}))]
    {
        let mut new = json!({"kind": "score-drop"});
        for (field, value) in more.as_object().unwrap() {
            new[field] = value.clone();
        }
        rule::put(&db, &id(name), &read(new), &author()).unwrap();
        if name == "all" {
            assert_eq!((seen(None), seen(now)), ("pass".into(), "pass".into()));
            swept(&db, "2024-06-28", at(NOON));
            let question = question("C", 1, Some("O1"));
            let held =
                check::ask(&db, &question, &id("K1"), Some(Language::En), &author()).unwrap();
            assert_eq!(told(&held), "hold all");
        }
        // A sweep that finds the same grade changes nothing.
        let day = if name == "all" { "2024-06-29" } else { "2024-06-30" };
        swept(&db, day, at(NOON));
        assert_eq!((seen(None), seen(now)), (format!("hold {name}"), format!("hold {name}")));
        assert_eq!(hold::run(&db, &author()).unwrap().cleared, 0);
        rule::end(&db, &id(name), &author()).unwrap();
    }
    assert_eq!(hold::run(&db, &author()).unwrap().cleared, 1);
}

#[test]
fn until_a_sweep_has_judged_both_a_merged_customer_has_the_worse_grade_of_the_two() {
    let (_folder, db) = db();
    for name in ["Goes", "Stays", "Prompt", "New"] {
        customer(&db, name, json!({"credit_limit": eur(90_000)}));
    }
    let bought = |name: &str, of: &str, month: i64, minor: i64| {
        let due = format!("2024-0{month}-15");
        let new = json!({"id": name, "customer_id": of, "issued_on": format!("2024-0{month}-01"),
            "due_on": due, "amount": eur(minor)});
        documents::add(&db, &read(new), id("made"), &author()).unwrap();
        due
    };
    for (of, minor) in [("Goes", 1_000), ("Stays", 30_000), ("Prompt", 1_000)] {
        for month in 1..=5 {
            let due = bought(&format!("I-{of}-{month}"), of, month, minor);
            pay(&db, &format!("P-{of}-{month}"), of, &due, minor);
        }
    }
    let sorted = json!({"rules": [{"tier": "key", "segments": ["key"]}], "otherwise": "rest"});
    tier::put(&db, &read(sorted), &author()).unwrap();
    swept(&db, "2024-06-27", at(NOON));
    bought("Late", "Goes", 2, 9_000);
    swept(&db, "2024-06-28", at(NOON));
    rule::put(&db, &id("drop"), &read(json!({"kind": "score-drop"})), &author()).unwrap();
    let seen = |of: &str, on: Option<&str>, when: &str| {
        let asked = Asked { day: on.map(day), known_at: None };
        let found =
            check::simulate(&db, &question(of, 1, None), asked, Some(Language::En), at(when));
        told(&found.unwrap())
    };
    let both = |of: &str, when: &str| {
        let known = Asked { day: None, known_at: Some(at(when)) };
        let question = question(of, 1, None);
        let found = check::simulate(&db, &question, known, Some(Language::En), at(when)).unwrap();
        let now = seen(of, None, when);
        assert_eq!(told(&found), now);
        now
    };
    let order = question("Goes", 1, Some("O1"));
    let held = check::ask(&db, &order, &id("K1"), Some(Language::En), &author()).unwrap();
    assert_eq!(told(&held), "hold drop");
    assert_eq!((both("Stays", NOON), both("New", NOON)), ("pass".into(), "pass".into()));
    // A limit policy that trusts the best grade alone.
    let line = |grade: &str, share: &str| json!({"grade": grade, "turnover_share": share, "cap_minor": 900_000});
    let trusting = json!({"currency": "EUR", "step_minor": 1, "lines": [line("A", "5"), line("B", "0.1"),
        line("C", "0.1"), line("D", "0.1"), line("E", "0.1")]});
    // And one that trusts everybody of a tier.
    let mut by_tier = trusting.clone();
    let rest = json!({"tier": "rest", "turnover_share": "10", "cap_minor": 900_000});
    by_tier["lines"].as_array_mut().unwrap().push(rest);
    let falls_by = |new: &Value, of: &str| {
        let found = policy::simulate(&db, &read(new.clone()), None, at(NOON)).unwrap();
        found.falls.iter().any(|step| step.customer == id(of))
    };
    let falls = |of: &str| falls_by(&trusting, of);
    assert_eq!(["Goes", "Stays"].map(falls), [true, false]);
    assert_eq!(["Goes", "Stays"].map(|of| falls_by(&by_tier, of)), [false, false]);
    let run = |when: &str| hold::run(&db, &by("tester", at(when))).unwrap().cleared;
    let merge = |from: &str, into: &str| {
        customers::merge(&db, &id(from), &id(into), &author()).unwrap();
    };
    // Who never fell brings nothing along.
    merge("Prompt", "Stays");
    assert_eq!(both("Stays", NOON), "pass");
    merge("Goes", "Stays");
    assert_eq!((both("Stays", NOON), run(NOON)), ("hold drop".into(), 0));
    assert!(falls_by(&by_tier, "Stays"), "it was sorted by a grade that is trusted no more");
    let order = question("Stays", 1, Some("O1"));
    let asked = check::ask(&db, &order, &id("K2"), Some(Language::En), &author()).unwrap();
    assert_eq!((told(&asked).as_str(), &asked.hold_id), ("hold drop", &Some(id("K1"))));
    assert!(asked.reasons[0].detail.contains("fell from"), "{:?}", asked.reasons);
    assert_ne!(held.advice, [TermsAdvice::LargerLimit]);
    assert_eq!((asked.advice.clone(), falls("Stays")), (held.advice, true));
    // A kept check is judged again alike, and the day before the merge is as it was.
    let again = check::get(&db, &id("K2"), Some(Language::En)).unwrap();
    assert_eq!((told(&again), again.reasons), (told(&asked), asked.reasons));
    assert_eq!(seen("Stays", Some("2024-06-29"), NOON), "pass");
    // One on the day of the merge may have come before it.
    swept(&db, "2024-06-30", at(NOON));
    assert_eq!((both("Stays", NOON), run(NOON)), ("hold drop".into(), 0));
    let later = "2024-07-01T12:00:00Z";
    pay(&db, "P-Late", "Stays", "2024-06-30", 9_000);
    assert_eq!((both("Stays", later), run(later)), ("hold drop".into(), 0));
    swept(&db, "2024-07-01", at(later));
    assert_eq!((both("Stays", later), run(later)), ("pass".into(), 1));
}

#[test]
fn another_card_holds_nobody_whose_score_is_as_it_was() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(50_000)}));
    rule::put(&db, &id("drop"), &read(json!({"kind": "score-drop"})), &author()).unwrap();
    for month in 1..=5 {
        let due = format!("2024-0{month}-15");
        let new = json!({"id": format!("I{month}"), "customer_id": "C", "issued_on": format!("2024-0{month}-01"),
            "due_on": due, "amount": eur(1_000)});
        documents::add(&db, &read(new), id("made"), &author()).unwrap();
        pay(&db, &format!("P{month}"), "C", &due, 1_000);
    }
    swept(&db, "2024-06-26", at(NOON));
    let of_yesterday = by("owner", at("2024-06-27T08:00:00Z"));
    let mut stricter = serde_json::to_value(dunlin_domain::card::shipped()).unwrap();
    stricter["grades"][0]["at_least"] = json!("99.99");
    let name = id("stricter");
    card::put(&db, &name, &read(stricter), &of_yesterday).unwrap();
    card::publish(&db, &name, &read(json!({})), &of_yesterday).unwrap();
    let seen = |known_at: Option<Instant>| {
        let asked = Asked { day: None, known_at };
        let question = question("C", 1, None);
        told(&check::simulate(&db, &question, asked, Some(Language::En), at(NOON)).unwrap())
    };
    let both = || (seen(None), seen(Some(at(NOON))));
    swept(&db, "2024-06-27", at(NOON));
    assert_eq!(both(), ("pass".into(), "pass".into()));
    // What the customer does itself under the same card is seen.
    let late = json!({"id": "I9", "customer_id": "C", "issued_on": "2024-02-01", "due_on": "2024-02-15",
        "amount": eur(9_000)});
    documents::add(&db, &read(late), id("made"), &author()).unwrap();
    swept(&db, "2024-06-28", at(NOON));
    assert_eq!(both(), ("hold drop".into(), "hold drop".into()));
}

#[test]
fn usual_terms_are_those_of_the_latest_invoice_that_is_issued_and_not_void() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(50_000)}));
    let issued = |name: &str, on: &str, due: &str| {
        let new = json!({"id": name, "customer_id": "C", "issued_on": on, "due_on": due, "amount": eur(100)});
        documents::add(&db, &read(new), id("made"), &author()).unwrap();
    };
    rule::put(&db, &id("longer"), &read(json!({"kind": "worsened-terms"})), &author()).unwrap();
    // Whether 31 days are longer than the terms of the latest, read now and as of now.
    let is_longer = || {
        let new = json!({"customer": "C", "amount": eur(1), "terms_days": 31});
        let seen = |known_at: Option<Instant>| {
            let asked = Asked { day: None, known_at };
            let found =
                check::simulate(&db, &read(new.clone()), asked, Some(Language::En), at(NOON));
            told(&found.unwrap()) == "hold longer"
        };
        let found = (seen(None), seen(Some(at(NOON))));
        assert_eq!(found.0, found.1);
        found.0
    };
    assert!(!is_longer());
    issued("I1", "2024-05-01", "2024-05-31");
    assert!(is_longer());
    // Dated ahead.
    issued("I2", "2024-07-01", "2024-09-30");
    assert!(is_longer());
    // On the day itself.
    issued("I3", "2024-06-30", "2024-09-30");
    assert!(!is_longer());
    let to_nothing = json!({"minor": 0, "reason": "made twice"});
    documents::correct(&db, &id("I3"), &read(to_nothing), &author()).unwrap();
    assert!(is_longer());
    issued("I4", "2024-06-29", "2024-09-30");
    assert!(!is_longer());
    documents::void(&db, &id("I4"), day("2024-06-30"), &author()).unwrap();
    assert!(is_longer());
    let back = json!({"voided": false, "reason": "it holds"});
    documents::correct(&db, &id("I4"), &read(back), &author()).unwrap();
    assert!(!is_longer());
}
