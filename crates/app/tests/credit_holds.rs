//! Holds on a real SQLite file: what a release lets pass, what clears, what counts once, and what was told of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/credit.rs"]
mod shop;

use common::{db, id, read};
use dunlin_app::{
    credit::{Asked, check, hold, limit, order, reservation, reservation::Reserved, rule},
    customer as customers, erase,
    ledger::Change,
    {event, interest},
};
use dunlin_domain::{
    Id, Instant, Refusal,
    contract::{credit::*, events::Event, types::Language},
    credit::reservation::Ask,
};
use dunlin_store::{
    Db,
    credit::{self, WantedHolds},
    native::NativeDb,
};
use serde_json::{Value, json};
use shop::*;

const EN: Option<Language> = Some(Language::En);

/// Asks as the shop does: `more` says what else than the amount.
fn ask(db: &NativeDb, name: &str, minor: i64, order: &str, more: Value) -> CheckResult {
    ask_at(db, name, minor, order, more, at(NOON))
}

fn ask_at(
    db: &NativeDb,
    name: &str,
    minor: i64,
    order: &str,
    more: Value,
    when: Instant,
) -> CheckResult {
    let mut new = json!({"customer": "C", "amount": eur(minor), "order_id": order});
    for (field, value) in more.as_object().unwrap() {
        new[field] = value.clone();
    }
    check::ask(db, &read(new), &id(name), EN, &by("shop", when)).unwrap()
}

fn plain(db: &NativeDb, name: &str, minor: i64, order: &str) -> String {
    told(&ask(db, name, minor, order, json!({})))
}

fn reserve_for(db: &NativeDb, name: &str, minor: i64, order: &str) -> Reserved {
    let new = json!({"id": name, "customer": "C", "amount": eur(minor), "order_id": order});
    reservation::add(db, &read(new), &id(&format!("K-{name}")), EN, &author()).unwrap()
}

/// All that wait.
fn held() -> WantedHolds<'static> {
    WantedHolds { state: Some(HoldState::Held), ..WantedHolds::default() }
}

fn kept(found: &Reserved) -> bool {
    matches!(found, Reserved::Kept(..))
}

fn put(db: &NativeDb, name: &str, minor: i64, more: Value) {
    let mut new = json!({"customer": "C", "amount": eur(minor)});
    for (field, value) in more.as_object().unwrap() {
        new[field] = value.clone();
    }
    order::put(db, &id(name), &read(new), &author()).unwrap();
}

fn release(db: &NativeDb, name: &str, until: Option<&str>) -> Hold {
    let new = json!({"reason": "the director agreed", "until": until});
    hold::release(db, &id(name), &read(new), &author()).unwrap().0
}

fn run(db: &NativeDb) -> HoldRun {
    run_at(db, at(NOON))
}

fn run_at(db: &NativeDb, when: Instant) -> HoldRun {
    hold::run(db, &by("schedule", when)).unwrap()
}

fn state(db: &NativeDb, name: &str) -> HoldState {
    hold::get(db, &id(name)).unwrap().state
}

fn events(db: &NativeDb, kinds: &str) -> Vec<Event> {
    event::feed(db, "0".parse().unwrap(), 100, &[kinds.into()], None).unwrap().items
}

const OVER: &str = "hold limit-used limit-nearly-used";

#[test]
fn releasing_a_placed_hold_ends_it_and_waives_nothing() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let place = |name: &str, order: Option<&str>| {
        let new = json!({"customer": "C", "order_id": order, "reason": "manual stop"});
        hold::place(&db, &read(new), &id(name), &author()).unwrap();
    };
    place("H1", None);
    place("H2", Some("O1"));
    assert_eq!(plain(&db, "K1", 1, "O1"), "forced-hold placed-hold placed-hold");
    assert_eq!(release(&db, "H1", None).released_until, None);
    assert_eq!(plain(&db, "K2", 1, "O1"), "forced-hold placed-hold");
    release(&db, "H2", Some("2024-07-30T00:00:00Z"));
    assert_eq!(plain(&db, "K3", 1, "O1"), "pass");
    // The limit stands as before, for the order and for every other.
    assert_eq!(plain(&db, "K4", 101, "O1"), OVER);
    assert_eq!(plain(&db, "K5", 101, "NEW"), OVER);
    assert!(!kept(&reserve_for(&db, "R1", 101, "O9")));
    let asked = Asked { day: None, known_at: Some(at(NOON)) };
    let then = check::simulate(&db, &question("C", 101, Some("O1")), asked, EN, at(NOON)).unwrap();
    assert_eq!(told(&then), OVER);
}

#[test]
fn an_order_that_is_checked_during_a_manual_stop_clears_when_the_stop_and_its_reasons_are_gone() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    set_limit(&db, "C", "L1", json!({"minor": 1_000}));
    plain(&db, "K1", 5_000, "Before");
    plain(&db, "K2", 5_000, "Agreed");
    release(&db, "K2", None);
    let stop = json!({"customer": "C", "reason": "manual stop"});
    hold::place(&db, &read(stop), &id("Stop"), &author()).unwrap();
    for (name, order) in [("K3", "Before"), ("K4", "During"), ("K5", "Agreed")] {
        let found = ask(&db, name, 5_000, order, json!({}));
        assert_eq!(found.verdict, Verdict::ForcedHold, "{order}");
    }
    let verdict = |name: &str| hold::get(&db, &id(name)).unwrap().verdict;
    assert_eq!((verdict("K1"), verdict("K4")), (Verdict::Hold, Verdict::Hold));
    // What was released waits for the stop alone.
    assert_eq!(hold::list(&db, (i64::MAX, 9), &held(), EN).unwrap().len(), 3);
    set_limit(&db, "C", "L2", json!({"minor": 900_000}));
    assert_eq!(run(&db).cleared, 0);
    release(&db, "Stop", None);
    assert_eq!(run(&db).cleared, 2);
    assert!(plain(&db, "K6", 5_000, "During").starts_with("pass"));
    // Who is stopped for a reason of its own is forced as before.
    customer(&db, "C", json!({"status": "suspended"}));
    hold::place(&db, &read(json!({"customer": "C", "reason": "again"})), &id("Stop2"), &author())
        .unwrap();
    ask(&db, "K7", 5_000, "Own", json!({}));
    assert_eq!(verdict("K7"), Verdict::ForcedHold);
}

#[test]
fn what_is_new_or_forced_since_a_release_stands() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    assert_eq!(plain(&db, "K1", 150, "O1"), OVER);
    release(&db, "K1", None);
    let passed = ask(&db, "K2", 150, "O1", json!({}));
    assert_eq!((passed.verdict, passed.released_by), (Verdict::Pass, Some(id("K1"))));
    assert_eq!(plain(&db, "K3", 151, "O1"), OVER);
    assert_eq!(plain(&db, "K4", 150, "O2"), OVER);
    // A reason that nobody saw when it was released.
    invoice(&db, "I1", "C", "2024-06-01", 1);
    rule::put(&db, &id("late"), &read(json!({"kind": "days-overdue"})), &author()).unwrap();
    let held = ask(&db, "K5", 150, "O1", json!({}));
    assert_eq!(told(&held), "hold late limit-used limit-nearly-used");
    customer(&db, "C", json!({"credit_limit": eur(100), "status": "closed"}));
    assert_eq!(ask(&db, "K6", 150, "O1", json!({})).verdict, Verdict::ForcedHold);
    // Who releases a forced hold of a check releases what it says.
    let stands = hold::get(&db, &held.hold_id.unwrap()).unwrap();
    let names: Vec<&str> = stands.rules.iter().map(|rule| rule.as_str()).collect();
    assert_eq!(names, ["account-stopped", "late", "limit-used"]);
    release(&db, stands.id.as_str(), None);
    assert_eq!(ask(&db, "K7", 150, "O1", json!({})).verdict, Verdict::Pass);
    assert_eq!(ask(&db, "K8", 1, "O3", json!({})).verdict, Verdict::ForcedHold);
}

#[test]
fn committing_onto_a_known_order_adds_to_it_and_the_limit_is_never_exceeded() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let commit = |name: &str| reservation::ask(&db, &id(name), Ask::Commit, &author());
    assert!(kept(&reserve_for(&db, "R1", 60, "O1")));
    commit("R1").unwrap();
    invoice(&db, "I1", "C", "2024-07-31", 60);
    put(&db, "O1", 60, json!({"invoiced_minor": 60}));
    assert!(kept(&reserve_for(&db, "R2", 40, "O1")));
    assert_eq!(total(&db, "C", "2024-06-30"), 100);
    commit("R2").unwrap();
    let found = order::get(&db, &id("O1"), None).unwrap();
    assert_eq!((found.amount.minor, found.undelivered_minor), (100, 40));
    assert_eq!(total(&db, "C", "2024-06-30"), 100);
    assert_eq!(commit("R2").unwrap().1, Change::AlreadySo);
    assert_eq!(total(&db, "C", "2024-06-30"), 100);
    put(&db, "O1", 100, json!({"invoiced_minor": 60, "cancelled_minor": 40}));
    assert_eq!(total(&db, "C", "2024-06-30"), 60);
    // What was cancelled and is taken up again counts again, and what is too much of it is refused, in a check too.
    assert_eq!(plain(&db, "K1", 141, "O1"), OVER);
    let delivery = ask(&db, "K2", 100, "O1", json!({"purpose": "delivery"}));
    assert_eq!(delivery.after_minor, 60);
    assert!(!kept(&reserve_for(&db, "R3", 41, "O1")));
    assert!(kept(&reserve_for(&db, "R4", 40, "O1")));
    commit("R4").unwrap();
    assert_eq!(total(&db, "C", "2024-06-30"), 100);
    assert!(!kept(&reserve_for(&db, "R5", 1, "O9")));
}

#[test]
fn a_reservation_that_cannot_become_part_of_its_order_stays_a_reservation() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    customer(&db, "D", json!({"credit_limit": eur(100)}));
    assert!(kept(&reserve_for(&db, "R1", 60, "O1")));
    let new = json!({"customer": "D", "amount": eur(1)});
    order::put(&db, &id("O1"), &read(new), &author()).unwrap();
    let commit = || reservation::ask(&db, &id("R1"), Ask::Commit, &author());
    assert_eq!(refused(commit()), (Refusal::WrongState, Some("order_id".into())));
    let found = reservation::get(&db, &id("R1"), at(NOON)).unwrap();
    assert_eq!(found.state, ReservationState::Held);
    assert_eq!(total(&db, "C", "2024-06-30"), 60);
    // Nor where the order is in another currency by now, whatever its amount.
    for (number, minor) in [10, 11].into_iter().enumerate() {
        let (order, name) = (format!("O2-{number}"), format!("R3-{number}"));
        assert!(kept(&reserve_for(&db, &format!("R2-{number}"), 10, &order)));
        put(&db, &order, 10, json!({}));
        put(&db, &order, 10, json!({"cancelled_minor": 10}));
        assert!(kept(&reserve_for(&db, &name, 10, &order)));
        let dollars = json!({"customer": "C", "amount": {"minor": minor, "currency": "USD"},
            "cancelled_minor": minor});
        order::put(&db, &id(&order), &read(dollars), &author()).unwrap();
        let commit = reservation::ask(&db, &id(&name), Ask::Commit, &author());
        assert_eq!(refused(commit), (Refusal::WrongState, Some("order_id".into())));
    }
}

#[test]
fn a_write_that_raises_an_order_takes_over_what_is_reserved_for_it() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(200)}));
    put(&db, "O1", 60, json!({"cancelled_minor": 60}));
    assert!(kept(&reserve_for(&db, "R1", 40, "O1")));
    put(&db, "O1", 60, json!({"cancelled_minor": 59}));
    assert_eq!(total(&db, "C", "2024-06-30"), 41);
    put(&db, "O1", 100, json!({"cancelled_minor": 60}));
    assert_eq!(total(&db, "C", "2024-06-30"), 40);
    let (_, again) = reservation::ask(&db, &id("R1"), Ask::Commit, &author()).unwrap();
    assert_eq!(again, Change::AlreadySo);
    assert_eq!(total(&db, "C", "2024-06-30"), 40);
}

#[test]
fn of_two_held_orders_of_60_under_a_limit_of_100_only_the_older_clears() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    invoice(&db, "I1", "C", "2024-07-31", 90);
    assert_eq!(plain(&db, "OLD", 60, "OS1"), OVER);
    assert_eq!(plain(&db, "NEW", 60, "OS2"), OVER);
    pay(&db, "P1", "C", "2024-06-30", 90);
    let done = run(&db);
    assert_eq!((done.judged, done.cleared), (2, 1));
    assert_eq!((state(&db, "OLD"), state(&db, "NEW")), (HoldState::Cleared, HoldState::Held));
    assert_eq!(total(&db, "C", "2024-06-30"), 60);
    // The next run finds it taken too.
    assert_eq!(run(&db).cleared, 0);
    let cleared = &events(&db, "hold.cleared")[0].data;
    let free = reservation::get(&db, cleared.reservation_id.as_ref().unwrap(), at(NOON)).unwrap();
    assert_eq!((free.amount.minor, free.hold_id), (60, Some(id("OLD"))));
    assert_eq!(free.expires_at, at("2024-06-30T12:15:00Z"));
    // The shop goes on with the order: its own reservation takes the place, also with a check before it.
    assert_eq!(plain(&db, "K3", 60, "OS1"), "pass");
    assert!(kept(&reserve_for(&db, "R1", 60, "OS1")));
    assert_eq!(total(&db, "C", "2024-06-30"), 60);
    let ended = reservation::get(&db, &free.id, at(NOON)).unwrap();
    assert_eq!(ended.state, ReservationState::Released);
    let twice = json!({"customer": "C", "amount": eur(1), "order_id": "OS1"});
    let twice = reservation::add(&db, &read(twice), &id("R2"), EN, &author());
    assert_eq!(refused(twice), (Refusal::WrongState, Some("order_id".into())));
    reservation::ask(&db, &id("R1"), Ask::Release, &author()).unwrap();
    assert_eq!(run(&db).cleared, 1);
    // Nobody goes on with the other: it is free again after a while.
    assert_eq!(total(&db, "C", "2024-06-30"), 60);
    let later = at("2024-06-30T12:15:00Z");
    assert_eq!(check::exposure(&db, &id("C"), None, later).unwrap().total_minor, 0);
}

#[test]
fn a_hold_ends_with_its_order_and_an_invoiced_part_counts_once() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    put(&db, "OB1", 80, json!({}));
    invoice(&db, "I1", "C", "2024-07-31", 50);
    put(&db, "OB1", 80, json!({"invoiced_minor": 50}));
    let delivery = |name: &str, minor: i64, order: &str| {
        ask(&db, name, minor, order, json!({"purpose": "delivery"}))
    };
    let found = delivery("K1", 80, "OB1");
    assert_eq!((told(&found).as_str(), found.after_minor), ("pass", 80));
    // As of then it is the same.
    let asked = Asked { day: None, known_at: Some(at(NOON)) };
    let then = check::simulate(&db, &question("C", 80, Some("OB1")), asked, EN, at(NOON)).unwrap();
    assert_eq!(then.after_minor, 80);
    invoice(&db, "I2", "C", "2024-07-31", 30);
    put(&db, "OB1", 80, json!({"invoiced_minor": 80}));
    assert_eq!(delivery("K2", 80, "OB1").after_minor, 80);
    assert_eq!(delivery("K3", 81, "OB1").after_minor, 81);
    // Held, and delivered and invoiced all the same, or cancelled: nothing of it waits any more.
    for (name, done) in [
        ("OHO", json!({"delivered_minor": 150, "invoiced_minor": 150})),
        ("OHC", json!({"cancelled_minor": 150})),
        ("OHD", json!({"delivered_minor": 100, "cancelled_minor": 50})),
    ] {
        assert_eq!(ask(&db, name, 150, name, json!({})).verdict, Verdict::Hold, "{name}");
        put(&db, name, 150, json!({}));
        assert_eq!((run(&db).cleared, state(&db, name)), (0, HoldState::Held), "{name}");
        put(&db, name, 150, done);
        assert_eq!(state(&db, name), HoldState::Cleared, "{name}");
    }
    // A part of what waits is not all of it.
    put(&db, "OHP", 60, json!({"delivered_minor": 60, "invoiced_minor": 60}));
    assert_eq!(ask(&db, "OHP", 250, "OHP", json!({})).verdict, Verdict::Hold);
    put(&db, "OHP", 60, json!({"delivered_minor": 60, "invoiced_minor": 60, "on": "2024-06-30"}));
    assert_eq!((run(&db).cleared, state(&db, "OHP")), (0, HoldState::Held));
}

#[test]
fn a_hold_keeps_its_whole_question_and_only_all_of_it_clears_it() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(1_000)}));
    invoice(&db, "I1", "C", "2024-05-31", 1);
    pay(&db, "P1", "C", "2024-05-31", 1);
    let put = |name: &str, new: Value| rule::put(&db, &id(name), &read(new), &author()).unwrap();
    put("terms", json!({"kind": "worsened-terms"}));
    put("large", json!({"kind": "order-amount", "amount": eur(400), "purposes": ["order"]}));
    let long = json!({"terms_days": 90});
    assert_eq!(told(&ask(&db, "H1", 10, "OE1", long.clone())), "hold terms");
    assert_eq!(told(&ask(&db, "H2", 500, "OK1", json!({}))), "hold large");
    // Nothing has changed: nothing clears.
    let done = run(&db);
    assert_eq!((done.judged, done.cleared), (2, 0));
    for (name, minor, order, more, hold) in [
        ("K1", 10, "OE1", json!({}), "H1"),
        ("K2", 10, "OE1", json!({"terms_days": 30}), "H1"),
        ("K3", 500, "OK1", json!({"purpose": "invoice"}), "H2"),
        ("K4", 1, "OK1", json!({}), "H2"),
    ] {
        let found = ask(&db, name, minor, order, more);
        assert_eq!((told(&found).as_str(), found.hold_id), ("pass", Some(id(hold))), "{name}");
        assert_eq!(state(&db, hold), HoldState::Held, "{name}");
    }
    put("terms", json!({"kind": "worsened-terms", "more_than": "60"}));
    put("large", json!({"kind": "order-amount", "amount": eur(500)}));
    assert_eq!(ask(&db, "K5", 10, "OE1", long).hold_id, None);
    assert_eq!(run(&db).cleared, 1);
    assert_eq!((state(&db, "H1"), state(&db, "H2")), (HoldState::Cleared, HoldState::Cleared));
    // A reservation is asked the same.
    let more = json!({"id": "R1", "customer": "C", "amount": eur(10), "order_id": "OR1", "terms_days": 91,
        "purpose": "delivery"});
    let found = reservation::add(&db, &read(more), &id("H3"), EN, &author()).unwrap();
    assert!(matches!(&found, Reserved::Held(held) if told(held) == "hold terms"));
    let kept = hold::get(&db, &id("H3")).unwrap();
    assert_eq!((kept.terms_days, kept.purpose), (Some(91), Some(CheckPurpose::Delivery)));
    assert_eq!(run(&db).cleared, 0);
}

#[test]
fn a_hold_is_of_the_currency_of_its_amount() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(20)}));
    let row = |rate: &str| json!([{"valid_from": "2024-06-01", "rate": rate, "source": "bank", "confirmed": true}]);
    for (table, rate) in [("fx-usd-eur", "1"), ("fx-eur-usd", "1")] {
        interest::put_rates(&db, &id(table), &read::<Vec<_>>(row(rate)), &author()).unwrap();
    }
    assert_eq!(plain(&db, "H1", 70, "OF1"), OVER);
    let dollars = json!({"amount": {"minor": 30, "currency": "USD"}});
    assert_eq!(ask(&db, "K2", 0, "OF1", dollars.clone()).verdict, Verdict::Hold);
    let amount = serde_json::to_value(hold::get(&db, &id("H1")).unwrap().amount).unwrap();
    assert_eq!(amount, dollars["amount"]);
    // The same number of another currency is another amount.
    assert_eq!(plain(&db, "K3", 30, "OF1"), OVER);
    let amount = hold::get(&db, &id("H1")).unwrap().amount.unwrap();
    assert_eq!(amount.currency.as_str(), "EUR");
    assert_eq!(ask(&db, "K4", 0, "OF1", dollars.clone()).verdict, Verdict::Hold);
    release(&db, "H1", None);
    assert_eq!(ask(&db, "K5", 0, "OF1", dollars).released_by, Some(id("H1")));
    assert_eq!(plain(&db, "K6", 30, "OF1"), OVER);
}

#[test]
fn a_hold_reads_then_as_it_read_then() {
    let (_folder, db) = db();
    let hour = |hour: &str| at(&format!("2024-06-30T{hour}:00:00Z"));
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    invoice(&db, "I1", "C", "2024-07-31", 40);
    ask_at(&db, "H1", 70, "OQ1", json!({}), hour("13"));
    customer(&db, "C", json!({"credit_limit": eur(100), "status": "suspended"}));
    ask_at(&db, "K2", 70, "OQ1", json!({}), hour("15"));
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    assert_eq!(hold::get(&db, &id("H1")).unwrap().verdict, Verdict::ForcedHold);
    let then = |text: &str| {
        let asked = Asked { day: None, known_at: Some(hour(text)) };
        let found =
            check::simulate(&db, &question("C", 70, Some("OQ1")), asked, EN, hour("20")).unwrap();
        let names: Vec<&str> = found.reasons.iter().map(|of| of.rule.as_str()).collect();
        format!("{} {}", found.verdict, names.join(" "))
    };
    assert_eq!(then("12"), OVER);
    assert_eq!(then("13"), OVER);
    assert_eq!(then("14"), OVER);
    assert_eq!(then("15"), "forced-hold placed-hold limit-used limit-nearly-used");
    let rows = "SELECT count(*) FROM credit_hold_former";
    assert_eq!(db.int(rows, &[]).unwrap(), 1);
}

#[test]
fn a_reservation_that_ended_is_not_kept_by_asking_again() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let again = |name: &str, when: Instant| {
        let new = json!({"id": name, "customer": "C", "amount": eur(60)});
        reservation::add(&db, &read(new), &id(&format!("K-{name}")), EN, &by("shop", when))
    };
    for (name, end) in [("R1", Some(Ask::Release)), ("R2", Some(Ask::Commit)), ("R3", None)] {
        if name == "R3" {
            put(&db, "R2", 60, json!({"cancelled_minor": 60}));
        }
        assert!(matches!(again(name, at(NOON)).unwrap(), Reserved::Kept(_, Change::Made)));
        assert!(matches!(again(name, at(NOON)).unwrap(), Reserved::Kept(_, Change::AlreadySo)));
        if let Some(end) = end {
            reservation::ask(&db, &id(name), end, &author()).unwrap();
        }
    }
    let late = at("2024-06-30T12:15:00Z");
    assert_eq!(refused(again("R1", at(NOON))).0, Refusal::WrongState);
    assert!(matches!(again("R2", late).unwrap(), Reserved::Kept(_, Change::AlreadySo)));
    assert_eq!(refused(again("R3", late)).0, Refusal::WrongState);
}

#[test]
fn the_check_of_a_reservation_is_kept_and_named() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let kept = |name: &str, minor: i64| {
        let new = json!({"id": name, "customer": "C", "amount": eur(minor)});
        reservation::add(&db, &read(new), &id(&format!("K-{name}")), EN, &author()).unwrap()
    };
    let Reserved::Kept(found, _) = kept("R1", 95) else { panic!("held") };
    assert_eq!((found.check_id, found.verdict), (Some(id("K-R1")), Some(Verdict::Warn)));
    let judged = check::get(&db, &id("K-R1"), EN).unwrap();
    assert_eq!((told(&judged).as_str(), judged.after_minor), ("warn limit-nearly-used", 95));
    let Reserved::Held(refused) = kept("R2", 6) else { panic!("kept") };
    assert_eq!((refused.id.clone(), refused.hold_id.clone()), (Some(id("K-R2")), None));
    assert_eq!(check::get(&db, &id("K-R2"), EN).unwrap(), *refused);
    let stored = reservation::get(&db, &id("R1"), at(NOON)).unwrap();
    assert_eq!((stored.check_id, stored.verdict), (Some(id("K-R1")), Some(Verdict::Warn)));
}

#[test]
fn an_order_waits_again_when_its_release_runs_out_and_something_of_it_has_not_left() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    invoice(&db, "I1", "C", "2024-07-31", 100);
    let (until, later) = ("2024-06-30T13:00:00Z", at("2024-06-30T13:00:00Z"));
    for (name, order) in [("H1", "X1"), ("H2", "X2"), ("H3", "X3")] {
        plain(&db, name, 20, order);
        release(&db, name, Some(until));
    }
    let long = json!({"id": "R1", "customer": "C", "amount": eur(20), "order_id": "X1",
        "expires_at": "2024-07-01T00:00:00Z"});
    assert!(kept(&reservation::add(&db, &read(long), &id("KR"), EN, &author()).unwrap()));
    put(&db, "X2", 20, json!({"delivered_minor": 20}));
    assert_eq!(run_at(&db, at("2024-06-30T12:59:59Z")).reopened, 0);
    // X1 is reserved, X2 is delivered, of X3 nobody heard again.
    assert_eq!(run_at(&db, later).reopened, 1);
    assert_eq!(run_at(&db, later).reopened, 0);
    let opened = events(&db, "hold.opened");
    let last = &opened.last().unwrap().data;
    assert_eq!((opened.len(), last.order_id.clone()), (4, Some(id("X1"))));
    assert_eq!((last.minor, last.verdict.as_deref()), (Some(20), Some("hold")));
    // The old one reads as it ended.
    assert_eq!(state(&db, "H1"), HoldState::Released);
}

#[test]
fn events_of_holds_say_what_waits() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    plain(&db, "H1", 120, "O1");
    plain(&db, "K2", 130, "O1");
    release(&db, "H1", None);
    plain(&db, "H2", 110, "O2");
    set_limit(&db, "C", "L1", json!({"minor": 200}));
    plain(&db, "K4", 110, "O2");
    let new = json!({"customer": "C", "reason": "a law firm asked"});
    hold::place(&db, &read(new), &id("H3"), &author()).unwrap();
    let told: Vec<String> = events(&db, "hold.*")
        .into_iter()
        .map(|of| {
            let data = of.data;
            let rules: Vec<String> =
                data.rules.unwrap().iter().map(|rule| rule.to_string()).collect();
            let order = data.order_id.map(|order| order.to_string()).unwrap_or_default();
            let currency = data.currency.map(|of| of.to_string()).unwrap_or_default();
            format!(
                "{} {order} {}{currency} {} {} {}",
                of.kind,
                data.minor.unwrap_or(0),
                data.state.unwrap(),
                data.verdict.unwrap(),
                rules.join(" "),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "hold.opened O1 120EUR held hold limit-used",
            "hold.changed O1 130EUR held hold limit-used",
            "hold.released O1 130EUR released hold limit-used",
            "hold.opened O2 110EUR held hold limit-used",
            "hold.cleared O2 110EUR cleared hold limit-used",
            "hold.opened  0 held forced-hold ",
        ]
    );
}

#[test]
fn a_hold_says_in_plain_words_why() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    plain(&db, "H1", 120, "O1");
    let detail = |language| {
        let found = hold::told_in(&db, &id("H1"), Some(language)).unwrap();
        found.reasons.iter().map(|of| format!("{} {}", of.level, of.detail)).collect::<Vec<_>>()
    };
    assert_eq!(detail(Language::En), ["all The exposure would be EUR 1.20; EUR 1.00 is allowed."]);
    assert_eq!(detail(Language::ZhCn), ["all 信用占用将达 1.20 欧元，允许 1.00 欧元。"]);
    let new = json!({"customer": "C", "order_id": "O2", "reason": "a law firm asked"});
    hold::place(&db, &read(new), &id("H2"), &author()).unwrap();
    let found = ask(&db, "K2", 1, "O2", json!({}));
    assert_eq!(found.reasons[0].detail, "Somebody placed a hold: a law firm asked");
    assert_eq!(check::get(&db, &id("K2"), EN).unwrap().reasons, found.reasons);
    // A forced hold of a check was not placed by anybody.
    customer(&db, "C", json!({"credit_limit": eur(100), "status": "suspended"}));
    plain(&db, "H3", 1, "O3");
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    let found = ask(&db, "K3", 1, "O3", json!({}));
    let wanted = "It waits until somebody releases it, because of account-stopped.";
    assert_eq!(found.reasons[0].detail, wanted);
}

#[test]
fn a_hold_says_what_the_last_run_found() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    invoice(&db, "I", "C", "2024-07-31", 80);
    plain(&db, "H1", 90, "O1");
    type Case<'a> = (&'a str, fn(&NativeDb), &'a [&'a str], usize);
    let changes: [Case<'_>; 6] = [
        ("less is owed", |db| pay(db, "P", "C", "2024-06-30", 50), &["limit-used"], 0),
        (
            "another limit",
            |db| {
                set_limit(db, "C", "L", json!({"minor": 10}));
            },
            &["limit-used"],
            0,
        ),
        (
            "another rule",
            |db| {
                let new = read(json!({"kind": "order-amount", "amount": eur(50)}));
                rule::put(db, &id("large"), &new, &author()).unwrap();
            },
            &["limit-used", "large"],
            1,
        ),
        (
            "another reason",
            |db| {
                rule::end(db, &id("large"), &author()).unwrap();
                set_limit(db, "C", "L2", json!({"minor": 100_000}));
                customer(db, "C", json!({"credit_limit": eur(100), "status": "on-hold"}));
            },
            &["account-on-hold"],
            2,
        ),
        ("nothing", |_| (), &["account-on-hold"], 2),
        (
            "a stop",
            |db| customer(db, "C", json!({"credit_limit": eur(100), "status": "suspended"})),
            &["account-stopped"],
            3,
        ),
    ];
    for (name, change, wanted, changed) in changes {
        change(&db);
        assert_eq!(run(&db).cleared, 0, "{name}");
        let listed = hold::told_in(&db, &id("H1"), EN).unwrap();
        let mut rules: Vec<&str> = listed.rules.iter().map(Id::as_str).collect();
        rules.sort_unstable();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(rules, wanted, "{name}");
        let asked = read(json!({"customer": "C", "amount": eur(90), "order_id": "O9"}));
        let found = check::simulate(&db, &asked, None, EN, at(NOON)).unwrap();
        let held = found.reasons.iter().filter(|of| of.verdict >= Verdict::Hold);
        assert_eq!(listed.reasons, held.cloned().collect::<Vec<_>>(), "{name}");
        assert_eq!(listed.verdict, Verdict::Hold, "{name}");
        assert_eq!(events(&db, "hold.changed").len(), changed, "{name}");
    }
    // A stop that nobody asked under forces nothing, and one that somebody did waits for somebody.
    let place = read(json!({"customer": "C", "order_id": "O1", "reason": "a look at the papers"}));
    hold::place(&db, &place, &id("P1"), &author()).unwrap();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    assert_eq!(run(&db).cleared, 0);
    let listed = hold::get(&db, &id("H1")).unwrap();
    assert_eq!((listed.rules.len(), listed.reasons.len(), listed.state), (0, 0, HoldState::Held));
    release(&db, "P1", None);
    customer(&db, "C", json!({"credit_limit": eur(100), "status": "suspended"}));
    plain(&db, "H2", 90, "O2");
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    assert_eq!(run(&db).cleared, 1);
    assert_eq!((state(&db, "H1"), state(&db, "H2")), (HoldState::Cleared, HoldState::Held));
    let rules = || hold::get(&db, &id("H2")).unwrap().rules;
    assert_eq!(rules(), [id("account-stopped")]);
    rule::put(
        &db,
        &id("large"),
        &read(json!({"kind": "order-amount", "amount": eur(50)})),
        &author(),
    )
    .unwrap();
    assert_eq!((run(&db).cleared, rules()), (0, vec![id("large")]));
    assert_eq!(hold::get(&db, &id("H2")).unwrap().verdict, Verdict::ForcedHold);
    // A release waives what the hold says by now, and no stop that comes again.
    release(&db, "H2", None);
    assert_eq!(plain(&db, "H3", 90, "O2"), "pass large");
    customer(&db, "C", json!({"credit_limit": eur(100), "status": "suspended"}));
    assert_eq!(plain(&db, "H4", 90, "O2"), "forced-hold account-stopped large");
}

#[test]
fn erasure_takes_the_free_texts_of_credit() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(10)}));
    let secret = "Ms Miller is ill";
    let new = json!({"customer": "C", "reason": secret, "order_id": "O1"});
    hold::place(&db, &read(new), &id("H1"), &author()).unwrap();
    ask(&db, "K1", 1, "O1", json!({}));
    hold::release(&db, &id("H1"), &read(json!({"reason": secret})), &author()).unwrap();
    set_limit(&db, "C", "L1", json!({"minor": 5, "reason": secret}));
    let own = json!({"kind": "days-overdue", "customer": "C", "reason": secret});
    rule::put(&db, &id("own"), &read(own), &author()).unwrap();
    ask(&db, "K2", 1, "O2", json!({}));
    let count = |table: &str, text: &str| {
        let columns = match table {
            "audit" => "coalesce(change, '') || coalesce(personal, '')",
            "credit_hold" => "coalesce(reason, '') || coalesce(release_reason, '')",
            "credit_limit" => "coalesce(reason, '')",
            "credit_rule" => "document",
            _ => "inputs",
        };
        let sql = format!("SELECT count(*) FROM {table} WHERE instr({columns}, '{text}') > 0");
        db.int(&sql, &[]).unwrap()
    };
    let tables = ["audit", "credit_hold", "credit_limit", "credit_rule", "credit_check"];
    assert_eq!(tables.map(|table| count(table, secret)), [4, 1, 1, 1, 0]);
    erase::customer(&db, &id("C"), &author()).unwrap();
    assert_eq!(tables.map(|table| count(table, secret)), [0, 0, 0, 0, 0]);
    let found = hold::get(&db, &id("H1")).unwrap();
    assert_eq!(found.reason.as_deref(), Some("erased"));
    assert_eq!(found.release_reason.as_deref(), Some("erased"));
    let asked = check::get(&db, &id("K1"), EN).unwrap();
    assert_eq!(asked.reasons[0].detail, "Somebody placed a hold: erased");
    let standing = limit::standing(&db, &id("C"), None, EN, at(NOON)).unwrap();
    assert_eq!(standing.effective.unwrap().minor, Some(5));
    assert_eq!(erase::customer(&db, &id("C"), &author()).unwrap().1, Change::AlreadySo);
}

#[test]
fn a_release_lets_its_order_pass_once_and_not_each_part_of_it_anew() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(600)}));
    invoice(&db, "I0", "C", "2024-07-31", 500);
    assert!(plain(&db, "K1", 300, "O1").starts_with("hold"));
    release(&db, "K1", None);
    let all_done = |done: i64| put(&db, "O1", done, json!({"invoiced_minor": done}));
    assert!(kept(&reserve_for(&db, "R1", 300, "O1")));
    all_done(300);
    invoice(&db, "I1", "C", "2024-07-31", 300);
    // More of the order is more than was released, and so is all of it.
    assert!(!kept(&reserve_for(&db, "R2", 300, "O1")));
    assert!(plain(&db, "K3", 600, "O1").starts_with("hold"));
    // That is released: on top of what was invoiced, the order as a whole, and its delivery.
    let waits = hold::list(&db, (i64::MAX, 9), &held(), None).unwrap();
    release(&db, waits[0].1.id.as_str(), None);
    assert!(plain(&db, "K4", 600, "O1").starts_with("pass"));
    let delivery = ask(&db, "K5", 600, "O1", json!({"purpose": "delivery"}));
    assert_eq!(delivery.verdict, Verdict::Pass);
    assert!(plain(&db, "K6", 601, "O1").starts_with("hold"));
    assert!(kept(&reserve_for(&db, "R3", 300, "O1")));
    all_done(600);
    invoice(&db, "I2", "C", "2024-07-31", 300);
    assert!(!kept(&reserve_for(&db, "R4", 1, "O1")));
    let again = check::get(&db, &id("K4"), Some(Language::En)).unwrap();
    assert_eq!((again.verdict, again.released_by), (Verdict::Pass, Some(waits[0].1.id.clone())));
}

#[test]
fn what_was_cancelled_and_ordered_anew_is_released_as_it_was_asked() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(600)}));
    invoice(&db, "I0", "C", "2024-07-31", 500);
    put(&db, "O1", 300, json!({"cancelled_minor": 300}));
    assert!(plain(&db, "K1", 300, "O1").starts_with("hold"));
    release(&db, "K1", None);
    assert!(plain(&db, "K2", 300, "O1").starts_with("pass"));
    assert!(kept(&reserve_for(&db, "R1", 300, "O1")));
    put(&db, "O1", 600, json!({"cancelled_minor": 300, "invoiced_minor": 300}));
    invoice(&db, "I1", "C", "2024-07-31", 300);
    assert!(!kept(&reserve_for(&db, "R2", 300, "O1")));
}

#[test]
fn of_an_order_that_waits_twice_one_hold_stays_after_a_merge() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    customer(&db, "Twin", json!({"credit_limit": eur(100)}));
    let held = |name: &str, of: &str, order: &str| {
        check::ask(&db, &question(of, 200, Some(order)), &id(name), EN, &author()).unwrap();
    };
    held("H1", "C", "SO");
    held("H2", "Twin", "SO");
    held("H3", "C", "Forced");
    customer(&db, "Twin", json!({"credit_limit": eur(100), "status": "suspended"}));
    held("H4", "Twin", "Forced");
    held("H5", "Twin", "Own");
    reserve(&db, "R1", "Twin", 1, at(NOON), 600).unwrap();
    customers::merge(&db, &id("Twin"), &id("C"), &author()).unwrap();
    let found = ["H1", "H2", "H3", "H4", "H5"].map(|name| {
        let hold = hold::get(&db, &id(name)).unwrap();
        format!("{} {}", hold.customer, hold.state)
    });
    assert_eq!(found, ["C held", "C cleared", "C cleared", "C held", "C held"]);
    let cleared: Vec<_> = events(&db, "hold.cleared").into_iter().map(|of| of.data).collect();
    assert_eq!(cleared.len(), 2);
    release(&db, "H4", None);
    assert_eq!(run(&db).judged, 2);
}

#[test]
fn a_reservation_of_a_customer_that_was_merged_since_may_be_repeated() {
    let (_folder, db) = db();
    for name in ["C", "Twin", "Other"] {
        customer(&db, name, json!({"credit_limit": eur(100)}));
    }
    reserve(&db, "R1", "Twin", 30, at(NOON), 600).unwrap();
    customers::merge(&db, &id("Twin"), &id("C"), &author()).unwrap();
    for (of, wanted) in [("Twin", true), ("C", true), ("Other", false)] {
        let again = reserve(&db, "R1", of, 30, at(NOON), 600);
        assert_eq!(again.as_ref().is_ok_and(kept), wanted, "{of} {again:?}");
    }
}

#[test]
fn a_kept_check_says_why_a_hold_stood_then() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100), "status": "suspended"}));
    ask(&db, "K1", 10, "O1", json!({}));
    let hours = |hour: &str| at(&format!("2024-06-30T{hour}:00:00Z"));
    let second = ask_at(&db, "K2", 10, "O1", json!({}), hours("13"));
    let new = json!({"kind": "order-amount", "amount": eur(5)});
    rule::put(&db, &id("small"), &read(new), &by("owner", hours("14"))).unwrap();
    ask_at(&db, "K3", 10, "O1", json!({}), hours("15"));
    let placed = |told: &CheckResult| {
        let of = told.reasons.iter().find(|of| of.kind == RuleKind::PlacedHold).unwrap();
        of.detail.clone()
    };
    let why = "It waits until somebody releases it, because of account-stopped.";
    assert_eq!(placed(&second), why);
    assert_eq!(placed(&check::get(&db, &id("K2"), EN).unwrap()), why);
    let asked = Asked { day: None, known_at: Some(hours("13")) };
    let question = question("C", 10, Some("O1"));
    let then = check::simulate(&db, &question, asked, EN, hours("16")).unwrap();
    assert_eq!(placed(&then), why);
    let now = check::simulate(&db, &question, Asked::default(), EN, hours("16")).unwrap();
    assert_eq!(placed(&now), why.replace("stopped.", "stopped, small."));
}

#[test]
fn a_hold_is_not_released_otherwise_by_releasing_it_again() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    plain(&db, "K1", 200, "O1");
    let again = |name: &str, new: Value, when: Instant| {
        hold::release(&db, &id(name), &read(new), &by("director", when)).map(|(_, change)| change)
    };
    let until = "2024-07-02T12:00:00Z";
    let first = json!({"reason": "agreed", "until": until});
    assert_eq!(again("K1", first.clone(), at(NOON)).unwrap(), Change::Replaced);
    // The same again is harmless, also when it has run out.
    for when in [NOON, "2024-07-03T12:00:00Z"] {
        assert_eq!(again("K1", first.clone(), at(when)).unwrap(), Change::AlreadySo);
        let plain = again("K1", json!({"reason": "agreed"}), at(when));
        assert_eq!(plain.unwrap(), Change::AlreadySo);
        for other in [
            json!({"reason": "agreed", "until": "2024-07-05T12:00:00Z"}),
            json!({"reason": "agreed by telephone", "until": until}),
        ] {
            assert_eq!(refused(again("K1", other, at(when))).0, Refusal::DifferentContent);
        }
    }
    let late = json!({"reason": "agreed", "until": NOON});
    plain(&db, "K2", 200, "O2");
    assert_eq!(refused(again("K2", late, at(NOON))).0, Refusal::DateOutOfRange);
    let placed = json!({"customer": "C", "reason": "asked by the law firm"});
    hold::place(&db, &read(placed), &id("K3"), &author()).unwrap();
    for change in [Change::Replaced, Change::AlreadySo] {
        assert_eq!(again("K3", first.clone(), at(NOON)).unwrap(), change);
    }
}

#[test]
fn checks_are_listed_newest_first_by_customer_and_verdict() {
    let (_folder, db) = db();
    customer(&db, "C", json!({"credit_limit": eur(100)}));
    customer(&db, "D", json!({}));
    let new = |of: &str, minor: i64| json!({"customer": of, "amount": eur(minor)});
    let keep = |name: &str, new: Value| {
        check::ask(&db, &read(new), &id(name), EN, &author()).unwrap();
    };
    keep("K1", new("C", 60));
    ask(&db, "K2", 101, "O2", json!({"purpose": "delivery"}));
    keep("K3", new("D", 5));
    reserve(&db, "R4", "C", 20, at(NOON), 60).unwrap();
    ask(&db, "K5", 20, "O2", json!({}));
    assert!(!kept(&reserve_for(&db, "R6", 300, "O6")));
    let seen = |of: Option<&str>, verdict: Option<Verdict>, page: (i64, u32)| {
        let of = of.map(id);
        let found = credit::checks(&db, page.0, page.1, of.as_ref(), verdict).unwrap();
        let told = |(key, of): (i64, KeptCheck)| {
            let whole = check::get(&db, &of.id, EN).unwrap();
            let same = (whole.customer, whole.at, whole.amount, whole.purpose);
            assert_eq!(same, (of.customer, of.at, of.amount, of.purpose), "{key}");
            assert_eq!((whole.order_id, whole.hold_id), (of.order_id, of.hold_id), "{key}");
            format!("{key} {}", of.verdict)
        };
        found.into_iter().map(told).collect::<Vec<_>>().join(", ")
    };
    let all = (i64::MAX, 9);
    let every = "6 hold, 5 pass, 4 pass, 3 warn, 2 hold, 1 pass";
    assert_eq!(seen(None, None, all), every);
    let cases = [
        (Some("C"), None, all, "6 hold, 5 pass, 4 pass, 2 hold, 1 pass"),
        (Some("D"), None, all, "3 warn"),
        (Some("E"), None, all, ""),
        (None, Some(Verdict::Pass), all, "5 pass, 4 pass, 1 pass"),
        (None, Some(Verdict::Hold), all, "6 hold, 2 hold"),
        (None, Some(Verdict::ForcedHold), all, ""),
        (Some("D"), Some(Verdict::Warn), all, "3 warn"),
        (Some("D"), Some(Verdict::Pass), all, ""),
        (Some("C"), Some(Verdict::Hold), all, "6 hold, 2 hold"),
        (None, None, (5, 2), "4 pass, 3 warn"),
        (Some("C"), None, (5, 2), "4 pass, 2 hold"),
        (None, Some(Verdict::Hold), (6, 2), "2 hold"),
        (None, Some(Verdict::Pass), (5, 1), "4 pass"),
    ];
    // However many of them were filed under their customers.
    for more in [true, true, false, false] {
        for (of, verdict, page, wanted) in cases {
            assert_eq!(seen(of, verdict, page), wanted, "{of:?} {verdict:?} {page:?}");
        }
        assert_eq!(credit::file_checks(&db, 2).unwrap(), more);
    }
    // What was asked of whom is merged stays with it.
    customers::merge(&db, &id("D"), &id("C"), &author()).unwrap();
    assert_eq!(seen(Some("D"), None, all), "3 warn");
}

/// Each list is all reservations, one by one as they are read alone, of which the others are left out.
#[test]
fn reservations_are_listed_in_the_state_that_they_are_in_now() {
    let (_folder, db) = db();
    for name in ["C", "D"] {
        customer(&db, name, json!({"credit_limit": eur(10_000)}));
    }
    // Two are given up, two become orders, and of those that are left one ends at each moment that is looked at.
    let orders = [None, Some("O1"), None, Some("O2"), None, None, Some("O3"), None];
    for (at_all, order) in orders.iter().enumerate() {
        let until = at(NOON).plus_seconds(60 * (1 + i64::try_from(at_all).unwrap() / 2));
        let new = json!({"id": format!("R{at_all}"), "customer": if at_all % 3 == 0 { "D" } else { "C" },
            "amount": eur(10), "order_id": order, "expires_at": until.to_string()});
        let made = id(&format!("K{at_all}"));
        assert!(kept(&reservation::add(&db, &read(new), &made, EN, &author()).unwrap()));
    }
    for (name, ask) in
        [("R1", Ask::Release), ("R2", Ask::Commit), ("R6", Ask::Commit), ("R7", Ask::Release)]
    {
        reservation::ask(&db, &id(name), ask, &author()).unwrap();
    }
    let again = json!({"id": "R8", "customer": "C", "amount": eur(10), "order_id": "O1"});
    assert!(kept(&reservation::add(&db, &read(again), &id("K8"), EN, &author()).unwrap()));
    let states = ReservationState::ALL.iter().copied().map(Some).chain([None]);
    let mut found_any = 0;
    for (seconds, state) in [-1, 0, 59, 60, 61, 120, 180, 240, 900]
        .into_iter()
        .flat_map(|seconds| states.clone().map(move |state| (seconds, state)))
    {
        let now = at(NOON).plus_seconds(seconds);
        let one = |number: i64| reservation::get(&db, &id(&format!("R{number}")), now).unwrap();
        let all: Vec<(i64, Reservation)> =
            (0..9i64).rev().map(|number| (number + 1, one(number))).collect();
        for of in [None, Some("C"), Some("D"), Some("E")] {
            for order in
                [None, Some("O1"), Some("O2"), Some("O3"), Some("R0"), Some("R1"), Some("R4")]
            {
                for (before, limit) in [(i64::MAX, 9), (8, 2)] {
                    let (of, order) = (of.map(id), order.map(id));
                    let wanted: Vec<(i64, Reservation)> = all
                        .iter()
                        .filter(|(key, one)| {
                            *key < before
                                && of.as_ref().is_none_or(|of| one.customer == *of)
                                && state.is_none_or(|state| one.state == state)
                                && order.as_ref().is_none_or(|order| {
                                    one.order_id.as_ref().unwrap_or(&one.id) == order
                                })
                        })
                        .take(limit)
                        .cloned()
                        .collect();
                    let page = (before, u32::try_from(limit).unwrap());
                    let which = (of.as_ref(), state, order.as_ref());
                    let found = reservation::list(&db, page, which, now).unwrap();
                    assert_eq!(found, wanted, "{which:?} {page:?} {seconds}");
                    found_any += found.len();
                }
            }
        }
    }
    assert!(found_any > 500, "{found_any}");
}

#[test]
fn a_release_that_ran_out_and_cannot_be_judged_is_looked_at_until_it_can() {
    let (_folder, db) = db();
    let later = at("2024-06-30T13:00:00Z");
    // More than are looked at in one transaction, and one behind them.
    let holds: Vec<(String, &str)> = (0..=100)
        .map(|number| (format!("H{number}"), "C"))
        .chain([("HD".to_string(), "D")])
        .collect();
    for of in ["C", "D"] {
        customer(&db, of, json!({"credit_limit": eur(100)}));
        invoice(&db, &format!("I-{of}"), of, "2024-07-31", 100);
    }
    for (name, of) in &holds {
        ask(&db, name, 20, &format!("X-{name}"), json!({"customer": of}));
        release(&db, name, Some("2024-06-30T13:00:00Z"));
    }
    for (name, of) in [("H7", "C"), ("HD", "D")] {
        let long = json!({"id": format!("R-{name}"), "customer": of, "amount": eur(20),
            "order_id": format!("X-{name}"), "expires_at": "2024-07-01T00:00:00Z"});
        let made = id(&format!("K-{name}"));
        assert!(kept(&reservation::add(&db, &read(long), &made, EN, &author()).unwrap()));
    }
    let francs = json!({"id": "IF", "customer_id": "C", "issued_on": "2024-05-01", "due_on": "2024-07-31",
        "amount": {"minor": 1, "currency": "CHF"}});
    dunlin_app::invoice::add(&db, &read(francs), id("made"), &author()).unwrap();
    assert_eq!((run_at(&db, later).reopened, run_at(&db, later).reopened), (1, 0));
    let row =
        json!([{"valid_from": "2024-01-01", "rate": "1", "source": "bank", "confirmed": true}]);
    interest::put_rates(&db, &id("fx-chf-eur"), &read::<Vec<_>>(row), &author()).unwrap();
    assert_eq!((run_at(&db, later).reopened, run_at(&db, later).reopened), (1, 0));
    let held = hold::list(&db, (i64::MAX, 10), &held(), EN).unwrap().into_iter();
    let orders: Vec<_> = held.map(|(_, of)| of.order_id).collect();
    assert_eq!(orders, [Some(id("X-H7")), Some(id("X-HD"))]);
}
