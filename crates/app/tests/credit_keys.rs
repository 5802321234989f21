//! Who lets more be owed: what counts when a limit is asked for or approved, followed through the real flows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/credit.rs"]
mod shop;

use common::{db, id, read};
use dunlin_app::{
    credit::{limit, policy},
    ledger::Change,
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
