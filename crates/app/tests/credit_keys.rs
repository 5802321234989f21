//! Who lets more be owed: what counts when a limit is asked for or approved, followed through the real flows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/credit.rs"]
mod shop;

use common::{day, db, id, read};
use dunlin_app::{
    alert_rule,
    credit::{hold, limit, policy},
    interest,
    ledger::Change,
    sweep,
};
use dunlin_domain::{Id, Refusal, contract::credit::*};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::{Value, json};
use shop::{NOON, at, author, by, customer, effective, eur, invoice, refused, set_limit};

const TODAY: &str = "2024-06-30";

fn publish(db: &NativeDb, more: Value) {
    let mut new = json!({"currency": "EUR", "lines": []});
    for (field, value) in more.as_object().unwrap() {
        new[field] = value.clone();
    }
    policy::publish(db, &read(new), &author()).unwrap();
}

fn approve(db: &NativeDb, name: &Id, who: &str) -> Result<(Limit, Change), Fault> {
    limit::decide(db, name, LimitState::Approved, &by(who, at(NOON)))
}

fn waiting(db: &NativeDb, of: &str) -> Vec<Limit> {
    limit::standing(db, &id(of), None, None, at(NOON)).unwrap().pending
}

fn rate(db: &NativeDb, table: &str, value: &str) {
    let row =
        json!({"valid_from": "2024-01-01", "rate": value, "source": "bank", "confirmed": true});
    interest::put_rates(db, &id(table), &read::<Vec<_>>(json!([row])), &author()).unwrap();
}

#[test]
fn it_is_already_so_only_where_what_counts_says_the_same() {
    let (_folder, db) = db();
    customer(&db, "H", json!({}));
    set_limit(&db, "H", "L0", json!({"minor": 4_000_000, "from": "2024-01-01"}));
    publish(&db, json!({"second_key_from": [eur(5_000_000)]}));
    let put = |made: &str, minor: i64, wanted: Change, counts: &str, waits: usize| {
        assert_eq!(set_limit(&db, "H", made, json!({"minor": minor})), wanted, "{made}");
        assert_eq!(effective(&db, "H", TODAY), counts, "{made}");
        assert_eq!(waiting(&db, "H").len(), waits, "{made}");
    };
    put("L1", 6_000_000, Change::Made, "4000000", 1);
    // The same waits already.
    put("L2", 6_000_000, Change::AlreadySo, "4000000", 1);
    put("L3", 3_000_000, Change::Replaced, "3000000", 1);
    put("L4", 3_000_000, Change::AlreadySo, "3000000", 1);
    put("L5", 6_000_000, Change::AlreadySo, "3000000", 1);
    // What was asked for first counts last.
    approve(&db, &id("L1"), "other").unwrap();
    assert_eq!(effective(&db, "H", TODAY), "6000000");
    put("L6", 6_000_000, Change::AlreadySo, "6000000", 0);
    put("L7", 3_000_000, Change::Replaced, "3000000", 0);
    put("L8", 6_000_000, Change::Replaced, "3000000", 1);
    // Of another kind, or from another day, is another limit.
    for (made, more) in [
        ("L9", json!({"minor": 3_000_000, "from": "2024-06-29"})),
        ("L10", json!({"minor": 3_000_000, "kind": "temporary", "to": "2024-07-31"})),
    ] {
        assert_eq!(set_limit(&db, "H", made, more), Change::Made, "{made}");
    }
}

#[test]
fn what_a_review_proposed_and_was_approved_is_lowered_again() {
    let (_folder, db) = db();
    customer(&db, "C", json!({}));
    set_limit(&db, "C", "L0", json!({"minor": 100, "from": "2024-01-01"}));
    invoice(&db, "I", "C", "2024-07-31", 900);
    publish(&db, json!({"lines": [{"turnover_share": "1", "cap_minor": 800}]}));
    assert_eq!(policy::review(&db, 0, &author()).unwrap().proposed, 1);
    // What a review proposes is not what a key asks for.
    assert_eq!(set_limit(&db, "C", "L1", json!({"minor": 300})), Change::Replaced);
    approve(&db, &waiting(&db, "C")[0].id, "tester").unwrap();
    assert_eq!(effective(&db, "C", TODAY), "800");
    assert_eq!(set_limit(&db, "C", "L2", json!({"minor": 300})), Change::Replaced);
    assert_eq!(effective(&db, "C", TODAY), "300");
}

fn swept(db: &NativeDb) {
    let mut tick = sweep::Tick::begin(db, Some(day(TODAY)), id("owner"), at(NOON)).unwrap();
    loop {
        match tick.step(db, at(NOON)).unwrap() {
            sweep::Step::More => {}
            sweep::Step::Deliver => {
                tick.delivered(db, dunlin_app::remind::Handed::default(), true, at(NOON)).unwrap();
            }
            sweep::Step::Done => break,
        }
    }
}

/// A book in which a critical alert is raised for whoever owes.
fn alerted(db: &NativeDb) {
    let texts = json!({"en": "Late.", "zh_cn": "逾期。"});
    let late = json!({"severity": "critical", "text": texts, "advice": texts,
        "terms": [{"kind": "above", "fact": "overdue-share", "bound": "0.5"}]});
    alert_rule::put(db, "half-late", &read(late), &author()).unwrap();
    let line = |grade: &str| json!({"grade": grade, "turnover_share": "10", "cap_minor": 900_000});
    let lines = ["A", "B", "C", "D", "E"].map(line);
    publish(db, json!({"lines": lines}));
}

fn cut(db: &NativeDb, of: &str) -> Option<Limit> {
    waiting(db, of).into_iter().find(|of| of.source == LimitSource::Alert)
}

#[test]
fn a_cut_that_is_none_any_more_is_not_approved() {
    let (_folder, db) = db();
    alerted(&db);
    rate(&db, "fx-usd-eur", "0.9");
    rate(&db, "fx-eur-usd", "1.11");
    let temporary = |minor: i64| json!({"kind": "temporary", "minor": minor, "to": "2024-07-03"});
    let cases = [
        // What a key sets meanwhile; whether the cut of 1000 to 500 is approved; what counts on which days.
        ("Lower", json!({"minor": 300}), false, vec![(TODAY, "300")]),
        ("Below", json!({"minor": 499}), false, vec![(TODAY, "499")]),
        ("Equal", json!({"minor": 500}), true, vec![(TODAY, "500")]),
        ("Above", json!({"minor": 501}), true, vec![(TODAY, "500")]),
        ("Free", json!({"unlimited": true}), true, vec![(TODAY, "500")]),
        (
            "Ahead",
            json!({"minor": 100, "from": "2024-07-01"}),
            true,
            vec![(TODAY, "500"), ("2024-07-01", "100")],
        ),
        ("Season", temporary(200), true, vec![(TODAY, "200"), ("2024-07-04", "500")]),
        ("High", temporary(2_000), true, vec![(TODAY, "500"), ("2024-07-04", "500")]),
        (
            "Ended",
            json!({"minor": 1_000, "from": "2024-01-01", "to": "2024-06-29"}),
            false,
            vec![(TODAY, "none expired")],
        ),
        (
            "Ends",
            json!({"minor": 300, "to": "2024-07-03"}),
            false,
            vec![(TODAY, "300"), ("2024-07-04", "1000")],
        ),
        ("Dollars", json!({"minor": 555, "currency": "USD"}), false, vec![(TODAY, "555")]),
        ("Dearer", json!({"minor": 556, "currency": "USD"}), true, vec![(TODAY, "500")]),
        // What cannot be compared may be less.
        ("Yen", json!({"minor": 100_000, "currency": "JPY"}), false, vec![(TODAY, "100000")]),
    ];
    for (name, ..) in &cases {
        customer(&db, name, json!({}));
        invoice(&db, &format!("I-{name}"), name, "2024-06-10", 200);
        set_limit(&db, name, &format!("L-{name}"), json!({"minor": 1_000, "from": "2024-01-01"}));
    }
    swept(&db);
    hold::run(&db, &author()).unwrap();
    for (name, meanwhile, is_cut, wanted) in cases {
        set_limit(&db, name, &format!("M-{name}"), meanwhile);
        let made = cut(&db, name).unwrap();
        assert_eq!(made.minor, 500, "{name}");
        let found = approve(&db, &made.id, "other");
        match is_cut {
            true => assert!(found.is_ok(), "{name}: {found:?}"),
            false => assert_eq!(refused(found).0, Refusal::WrongState, "{name}"),
        }
        for (on, counts) in wanted {
            assert_eq!(effective(&db, name, on), counts, "{name} {on}");
        }
        // It can be turned down.
        if !is_cut {
            let author = by("tester", at(NOON));
            limit::decide(&db, &made.id, LimitState::Refused, &author).unwrap();
        }
    }
}

#[test]
fn a_proposal_that_lets_more_be_owed_by_now_needs_the_second_key() {
    for (proposed, is_enough) in [(399, true), (400, false), (500, false)] {
        let (_folder, db) = db();
        customer(&db, "C", json!({}));
        invoice(&db, "I", "C", "2024-07-31", 900);
        set_limit(&db, "C", "L0", json!({"minor": 1_000, "from": "2024-01-01"}));
        let lines = json!([{"turnover_share": "1", "cap_minor": proposed}]);
        publish(&db, json!({"lines": lines, "second_key_from": [eur(400)]}));
        // A cut when it is proposed, and a raise when it is approved.
        assert_eq!(policy::review(&db, 0, &author()).unwrap().proposed, 1);
        set_limit(&db, "C", "L1", json!({"minor": 300}));
        let made = waiting(&db, "C").remove(0).id;
        let own = approve(&db, &made, "tester");
        if is_enough {
            assert!(own.is_ok(), "{own:?}");
        } else {
            assert_eq!(refused(own).0, Refusal::SecondKeyNeeded, "{proposed}");
            assert_eq!(effective(&db, "C", TODAY), "300");
            approve(&db, &made, "other").unwrap();
        }
        assert_eq!(effective(&db, "C", TODAY), proposed.to_string());
    }
}

#[test]
fn who_is_held_because_its_own_limit_ended_gets_another_with_a_second_key() {
    let (_folder, db) = db();
    for (head, group) in [
        ("Bound", json!({"minor": 90_000})),
        ("Free", json!({"unlimited": true})),
        ("Low", json!({"minor": 49_999})),
    ] {
        customer(&db, head, json!({}));
        let mut new = json!({"kind": "group", "from": "2024-01-01"});
        for (field, value) in group.as_object().unwrap() {
            new[field] = value.clone();
        }
        set_limit(&db, head, &format!("L-{head}"), new);
    }
    let ended = json!({"minor": 10_000, "from": "2024-05-31", "to": "2024-06-29"});
    let cases = [
        ("Bound", json!({"minor": 60_000}), true),
        ("Bound", json!({"minor": 50_000}), true),
        ("Bound", json!({"minor": 49_999}), false),
        ("Bound", json!({"minor": 0}), true),
        ("Bound", json!({"minor": 0, "mandatory": true}), false),
        ("Bound", json!({"minor": 60_000, "kind": "temporary", "to": "2024-07-01"}), true),
        // It ended before and it has ended after.
        ("Bound", json!({"minor": 20_000, "from": "2024-05-31", "to": "2024-06-28"}), false),
        ("Free", json!({"minor": 0}), true),
        ("Free", json!({"minor": 49_999}), false),
        ("Low", json!({"minor": 0}), false),
    ];
    for (number, (head, ..)) in cases.iter().enumerate() {
        let name = format!("M{number}");
        customer(&db, &name, json!({"parent_id": head}));
        set_limit(&db, &name, &format!("L-{name}"), ended.clone());
    }
    publish(&db, json!({"second_key_from": [eur(50_000)]}));
    for (number, (head, new, waits)) in cases.into_iter().enumerate() {
        let name = format!("M{number}");
        set_limit(&db, &name, &format!("N-{name}"), new.clone());
        assert_eq!(waiting(&db, &name).len(), usize::from(waits), "{head} {new}");
        let is_held = effective(&db, &name, TODAY).ends_with("expired");
        assert_eq!(is_held, waits || new["from"].is_string(), "{head} {new}");
    }
}

fn try_limit(db: &NativeDb, of: &str, made: &str, new: &Value) -> Result<Change, Fault> {
    limit::put(db, &id(of), &read(new.clone()), &id(made), &author())
}

#[test]
fn a_limit_that_could_not_be_compared_is_refused_and_nothing_is_written() {
    let (_folder, db) = db();
    customer(&db, "H", json!({}));
    set_limit(&db, "H", "LH", json!({"kind": "group", "minor": 1_000, "from": "2024-01-01"}));
    let francs = |minor: i64, more: Value| {
        let mut new = json!({"minor": minor, "currency": "CHF"});
        for (field, value) in more.as_object().unwrap() {
            new[field] = value.clone();
        }
        new
    };
    for (name, new, wanted) in [
        ("Own", francs(500, json!({})), None),
        ("Ahead", francs(500, json!({"from": "2024-07-01"})), None),
        ("Season", francs(500, json!({"kind": "temporary", "to": "2024-07-01"})), None),
        ("Nothing", francs(0, json!({"mandatory": true})), None),
        ("Zero", francs(0, json!({})), Some("1000")),
        ("Free", francs(0, json!({"unlimited": true})), Some("unlimited")),
        (
            "Over",
            francs(5, json!({"from": "2024-06-01", "to": "2024-06-29"})),
            Some("1000 expired"),
        ),
    ] {
        customer(&db, name, json!({"parent_id": "H"}));
        let made = format!("L-{name}");
        let found = try_limit(&db, name, &made, &new);
        match wanted {
            Some(wanted) => assert_eq!(effective(&db, name, TODAY), wanted, "{name}"),
            None => {
                let wanted = (Refusal::RateMissing, Some("currency".into()));
                assert_eq!(refused(found), wanted, "{name}");
                assert_eq!(effective(&db, name, TODAY), "1000", "{name}");
                assert!(limit::get(&db, &id(&made)).is_err(), "{name}");
            }
        }
    }
    // What waits counts nothing yet: it is compared when it is approved.
    customer(&db, "Waits", json!({"parent_id": "H"}));
    publish(&db, json!({"second_key_from": [eur(100)]}));
    let new = francs(500, json!({}));
    assert_eq!(try_limit(&db, "Waits", "LW", &new).unwrap(), Change::Made);
    assert_eq!(refused(approve(&db, &id("LW"), "other")).0, Refusal::RateMissing);
    assert_eq!((effective(&db, "Waits", TODAY), waiting(&db, "Waits").len()), ("1000".into(), 1));
    rate(&db, "fx-eur-chf", "0.95");
    approve(&db, &id("LW"), "other").unwrap();
    assert_eq!(effective(&db, "Waits", TODAY), "500");
}

#[test]
fn a_limit_of_a_group_that_could_not_be_compared_with_those_of_its_members_is_refused() {
    let (_folder, db) = db();
    rate(&db, "fx-usd-eur", "0.9");
    let group = |minor: i64, code: &str| json!({"kind": "group", "minor": minor, "currency": code});
    for (name, own, record, code, wanted) in [
        ("None", None, json!({}), "CHF", true),
        ("Own", Some(json!({"minor": 5})), json!({}), "CHF", false),
        ("Recorded", None, json!({"credit_limit": eur(5)}), "CHF", false),
        ("Ahead", Some(json!({"minor": 5, "from": "2024-07-01"})), json!({}), "CHF", false),
        ("Zero", Some(json!({"minor": 0})), json!({}), "CHF", true),
        ("Rated", Some(json!({"minor": 5})), json!({}), "USD", true),
        (
            "Season",
            Some(json!({"minor": 5, "kind": "temporary", "to": "2024-07-01"})),
            json!({}),
            "CHF",
            false,
        ),
    ] {
        let head = format!("Head{name}");
        customer(&db, &head, json!({}));
        let mut place = record;
        place["parent_id"] = json!(head);
        customer(&db, name, place);
        if let Some(own) = own {
            set_limit(&db, name, &format!("O-{name}"), own);
        }
        let before = effective(&db, name, TODAY);
        let made = format!("L-{name}");
        let found = try_limit(&db, &head, &made, &group(1_000, code));
        if wanted {
            assert!(found.is_ok(), "{name}: {found:?}");
        } else {
            let wanted = (Refusal::RateMissing, Some("currency".into()));
            assert_eq!(refused(found), wanted, "{name}");
            assert_eq!(effective(&db, name, TODAY), before, "{name}");
        }
    }
}

#[test]
fn what_cannot_be_compared_already_is_mended_and_nothing_is_set_beside_it() {
    let (_folder, db) = db();
    customer(&db, "H", json!({}));
    set_limit(&db, "H", "LH", json!({"kind": "group", "minor": 1_000, "from": "2024-01-01"}));
    customer(&db, "C", json!({}));
    let francs = |from: &str| json!({"minor": 500, "currency": "CHF", "from": from});
    try_limit(&db, "C", "L1", &francs("2024-01-01")).unwrap();
    // Into a group whose limit is in another currency.
    customer(&db, "C", json!({"parent_id": "H"}));
    let group = json!({"kind": "group", "minor": 900, "currency": "EUR"});
    assert_eq!(try_limit(&db, "H", "LG", &group).unwrap(), Change::Made);
    for new in [json!({"minor": 5, "currency": "EUR", "from": "2024-07-10"}), francs(TODAY)] {
        assert_eq!(refused(try_limit(&db, "C", "L2", &new)).0, Refusal::RateMissing, "{new}");
    }
    assert!(limit::get(&db, &id("L2")).is_err());
    set_limit(&db, "C", "L3", json!({"minor": 400}));
    assert_eq!(effective(&db, "C", TODAY), "400");
}

#[test]
fn a_cut_after_an_alert_leaves_a_share_of_the_limit_that_decides() {
    let (_folder, db) = db();
    alerted(&db);
    rate(&db, "fx-usd-eur", "0.9");
    rate(&db, "fx-eur-usd", "1.11");
    for (head, group) in [("H", json!({"minor": 1_000})), ("Open", json!({"unlimited": true}))] {
        customer(&db, head, json!({}));
        let mut new = json!({"kind": "group", "from": "2024-01-01"});
        for (field, value) in group.as_object().unwrap() {
            new[field] = value.clone();
        }
        set_limit(&db, head, &format!("L-{head}"), new);
    }
    let always = |minor: i64| json!({"minor": minor, "from": "2024-01-01"});
    let temporary = |minor: i64| json!({"kind": "temporary", "minor": minor, "from": "2024-06-01", "to": "2024-07-10"});
    let cases = [
        // What it has of its own in which group; what is proposed until when; what counts on the eleventh of July.
        ("Above", "H", Some(always(4_000)), "500", "500"),
        ("Equal", "H", Some(always(1_000)), "500", "500"),
        ("Below", "H", Some(always(999)), "499", "499"),
        ("None", "H", None, "500", "500"),
        ("Zero", "H", Some(always(0)), "500", "500"),
        ("TemporaryAbove", "H", Some(temporary(3_000)), "500", "500"),
        ("TemporaryBelow", "H", Some(temporary(300)), "150", "150"),
        (
            "Ends",
            "H",
            Some(json!({"minor": 4_000, "from": "2024-01-01", "to": "2024-07-10"})),
            "500 until 2024-07-10",
            "1000 expired",
        ),
        (
            "Dollars",
            "H",
            Some(json!({"minor": 4_000, "currency": "USD", "from": "2024-01-01"})),
            "500",
            "500",
        ),
        ("Open", "Open", None, "2000", "2000"),
        ("InOpen", "Open", Some(always(1_000)), "500", "500"),
        // Nothing may be owed: there is nothing to cut.
        (
            "Over",
            "H",
            Some(json!({"minor": 4_000, "from": "2024-01-01", "to": "2024-06-29"})),
            "none",
            "1000 expired",
        ),
    ];
    for (name, head, own, ..) in &cases {
        if name != head {
            customer(&db, name, json!({"parent_id": head}));
        }
        invoice(&db, &format!("I-{name}"), name, "2024-06-10", 200);
        if let Some(own) = own {
            set_limit(&db, name, &format!("O-{name}"), own.clone());
        }
    }
    customer(&db, "Other", json!({"parent_id": "Open"}));
    swept(&db);
    hold::run(&db, &author()).unwrap();
    for (name, _, _, proposed, counts) in cases {
        let found = cut(&db, name);
        let told = found.as_ref().map_or("none".into(), |of| match of.to {
            Some(to) => format!("{} until {to}", of.minor),
            None => of.minor.to_string(),
        });
        assert_eq!(told, proposed, "{name}");
        if let Some(found) = found {
            approve(&db, &found.id, "other").unwrap();
            assert_eq!(effective(&db, name, TODAY), found.minor.to_string(), "{name}");
        }
        assert_eq!(effective(&db, name, "2024-07-11"), counts, "{name}");
    }
}

#[test]
fn a_simulation_compares_what_counts_before_and_after() {
    let (_folder, db) = db();
    let group = |minor: i64| json!({"minor": minor});
    for (head, group) in [
        ("H", group(90_000)),
        ("Low", group(5_000)),
        ("Open", json!({"unlimited": true})),
        ("Yen", json!({"minor": 100, "currency": "JPY"})),
    ] {
        customer(&db, head, json!({}));
        let mut new = json!({"kind": "group", "from": "2024-01-01"});
        for (field, value) in group.as_object().unwrap() {
            new[field] = value.clone();
        }
        set_limit(&db, head, &format!("L-{head}"), new);
    }
    for (name, head, own) in [
        ("Zero", "H", Some(json!({"minor": 0}))),
        ("None", "H", None),
        ("Nothing", "H", Some(json!({"minor": 0, "mandatory": true}))),
        ("Over", "H", Some(json!({"minor": 7, "from": "2024-01-01", "to": "2024-06-29"}))),
        ("Above", "Low", Some(json!({"minor": 400_000}))),
        ("Free", "Open", None),
        ("First", "", None),
        ("Incomparable", "", Some(json!({"minor": 7}))),
    ] {
        let place = if head.is_empty() { json!({}) } else { json!({"parent_id": head}) };
        customer(&db, name, place);
        invoice(&db, &format!("I-{name}"), name, "2024-07-31", 9_000);
        if let Some(own) = own {
            set_limit(&db, name, &format!("O-{name}"), own);
        }
    }
    customer(&db, "Incomparable", json!({"parent_id": "Yen"}));
    let new = json!({"currency": "EUR", "lines": [{"turnover_share": "1", "cap_minor": 50_000}]});
    let found = policy::simulate(&db, &read(new), None, at(NOON)).unwrap();
    // The heads are proposed nothing, which gives way to the limit of the group.
    assert_eq!((found.customers, found.proposed), (12, 10));
    assert_eq!((found.raised, found.lowered, found.first), (1, 3, 2));
    assert_eq!((found.now_minor, found.proposed_minor), (280_000, 154_000));
    let falls: Vec<_> = found
        .falls
        .iter()
        .map(|of| (of.customer.as_str(), of.now_minor, of.proposed_minor))
        .collect();
    let wanted =
        [("Free", None, 9_000), ("None", Some(90_000), 9_000), ("Zero", Some(90_000), 9_000)];
    assert_eq!(falls, wanted);
}
