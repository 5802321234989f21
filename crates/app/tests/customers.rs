//! Customers, contracts and guarantees on a real SQLite file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, db, id};
use dunlin_app::{
    audit::Author,
    contract::{self, Wanted},
    customer, erase, guarantee, invoice,
    ledger::{self, Change},
    payment, report,
};
use dunlin_domain::{
    Date, Instant, Refusal,
    contract::{
        ledger::{CustomerPart, NewContract, NewGuarantee, Standing},
        score::FactName,
        types::{CustomerStatus, NewCustomer},
    },
};
use dunlin_store::{Db, Fault, When, customer as store, native::NativeDb};
use serde_json::{Value, json};

/// Before all changes.
const FIRST: (String, i64) = (String::new(), 0);

fn now() -> Instant {
    "2024-06-30T12:00:00Z".parse().unwrap()
}

fn author() -> Author {
    Author { who: "admin".into(), at: now(), salt: "salt".into() }
}

fn record(fields: Value) -> NewCustomer {
    let mut record = json!({"name": "Bakery"});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn put(db: &NativeDb, name: &str, fields: Value) -> Result<Change, Fault> {
    customer::put(db, &id(name), &record(fields), &author())
}

fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Refusal, String) {
    match result {
        Err(Fault::Refused(refused)) => (refused.code, refused.field.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

fn claimed(db: &NativeDb, name: &str, of: &str, issued: &str, due: &str, minor: i64) {
    let new = json!({"id": name, "customer_id": of, "issued_on": issued, "due_on": due,
        "amount": {"minor": minor, "currency": "EUR"}});
    invoice::add(db, &serde_json::from_value(new).unwrap(), id("x"), &author()).unwrap();
}

fn paid(db: &NativeDb, name: &str, of: &str, on: &str, minor: i64) {
    let new = json!({"id": name, "customer_id": of, "received_on": on,
        "amount": {"minor": minor, "currency": "EUR"}});
    payment::add(db, &serde_json::from_value(new).unwrap(), id("x"), &author()).unwrap();
}

/// Outstanding and unapplied.
fn owes(db: &NativeDb, name: &str, on: &str) -> (i64, i64) {
    let found = ledger::customer(db, &id(name), day(on)).unwrap().balances;
    found.first().map_or((0, 0), |of| (of.outstanding_minor, of.unapplied_minor))
}

fn audit(db: &NativeDb) -> Vec<(String, String, String, Option<String>)> {
    let sql = "SELECT action, id, change, personal FROM audit ORDER BY key";
    let rows = db.execute(sql, &[]).unwrap();
    let text = |row: &dunlin_store::Row, column| row.text(column).unwrap().to_string();
    rows.iter()
        .map(|row| {
            let personal = row.text_or_null(3).unwrap().map(str::to_string);
            (text(row, 0), text(row, 1), text(row, 2), personal)
        })
        .collect()
}

#[test]
fn a_change_that_is_known_late_has_the_day_on_which_it_came_about() {
    let (_folder, db) = db();
    put(&db, "C1", json!({"name": "One"})).unwrap();
    let moved = record(json!({"name": "One", "bank_accounts": [{"account": "DE893704"}]}));
    let put = |on: &str| customer::put_on(&db, &id("C1"), &moved, Some(day(on)), &author());
    let later = (Refusal::DateInFuture, "changed_on".to_string());
    assert_eq!(refused(put("2024-07-01")), later);
    assert_eq!(put("2024-03-04").unwrap(), Change::Replaced);
    assert_eq!(put("2024-03-05").unwrap(), Change::AlreadySo);
    let changes = customer::changes_of(&db, &id("C1"), &FIRST, 10, Date::LAST, None).unwrap();
    let seen: Vec<_> = changes.iter().map(|one| (one.on, one.part)).collect();
    assert_eq!(seen, [(day("2024-03-04"), CustomerPart::BankAccount)]);
}

#[test]
fn changes_are_listed_by_their_day_whenever_they_were_recorded() {
    let (_folder, db) = db();
    put(&db, "C1", json!({"name": "One"})).unwrap();
    for (number, on) in ["2024-03-04", "2024-05-01", "2024-03-04", "2024-02-29"].iter().enumerate()
    {
        let after = record(
            json!({"name": "One", "bank_accounts": [{"account": format!("DE89370{number}")}]}),
        );
        customer::put_on(&db, &id("C1"), &after, Some(day(on)), &author()).unwrap();
    }
    let (mut place, mut seen) = (FIRST, Vec::new());
    while let Some(one) =
        customer::changes_of(&db, &id("C1"), &place, 1, day("2024-05-01"), None).unwrap().pop()
    {
        place = (one.on.to_string(), i64::try_from(one.key).unwrap());
        seen.push(place.clone());
    }
    let of = |on: &str, key| (on.to_string(), key);
    assert_eq!(
        seen,
        [of("2024-02-29", 4), of("2024-03-04", 1), of("2024-03-04", 3), of("2024-05-01", 2)]
    );
    let until = customer::changes_of(&db, &id("C1"), &FIRST, 9, day("2024-04-30"), None).unwrap();
    assert_eq!(until.len(), 3);
}

#[test]
fn a_record_reads_from_the_day_on_which_it_changed() {
    let (_folder, db) = db();
    let hour = |number: i64| Author {
        at: format!("2024-06-30T{number:02}:00:00Z").parse().unwrap(),
        ..author()
    };
    let put = |number: i64, fields: Value, on: Option<&str>| {
        let record = record(fields);
        customer::put_on(&db, &id("C1"), &record, on.map(day), &hour(number)).unwrap()
    };
    for head in ["G", "H"] {
        customer::put(&db, &id(head), &record(json!({})), &hour(0)).unwrap();
    }
    put(1, json!({"name": "One", "parent_id": "G"}), None);
    put(2, json!({"name": "Two", "parent_id": "G"}), Some("2024-06-20"));
    put(3, json!({"name": "Three", "parent_id": "H", "status": "on-hold"}), Some("2024-05-05"));
    put(4, json!({"name": "Four", "parent_id": "H"}), None);
    let entry = |number: i64| {
        let sql = "SELECT max(key) FROM audit WHERE at <= ?1";
        db.int(sql, &[(&hour(number).at.to_string()).into()]).unwrap()
    };
    for (on, known, name) in [
        // As it is known now.
        ("2024-05-04", 4, "One"),
        ("2024-05-05", 4, "Three"),
        ("2024-06-19", 4, "Three"),
        ("2024-06-20", 4, "Three"),
        ("2024-06-29", 4, "Three"),
        ("2024-06-30", 4, "Four"),
        ("2024-05-05", 3, "Three"),
        ("2024-06-30", 3, "Three"),
        // Before the move was recorded.
        ("2024-05-05", 2, "One"),
        ("2024-06-19", 2, "One"),
        ("2024-06-20", 2, "Two"),
        ("2024-06-30", 1, "One"),
    ] {
        let when = When { day: day(on), known: entry(known) };
        let (key, found) = store::then(&db, &id("C1"), when).unwrap().unwrap();
        assert_eq!(found.name, name, "{on} as known at {known}");
        let held = name == "Three";
        assert_eq!(found.status == CustomerStatus::OnHold, held, "{on} as known at {known}");
        let of_range = dunlin_store::arrears::Range { after: key - 1, upto: key };
        let formers = store::formers_of_range(&db, of_range, when).unwrap();
        assert_eq!(formers.get(&key).map_or("Four", |of| of.name.as_str()), name, "{on} {known}");
        let head = if ["One", "Two"].contains(&name) { "G" } else { "H" };
        for other in ["G", "H"] {
            let group = store::key(&db, &id(other)).unwrap().unwrap();
            let group = store::group(&db, group, when).unwrap();
            assert_eq!(group.contains(&key), other == head, "{other} on {on} as known at {known}");
        }
    }
}

#[test]
fn what_is_overdue_names_its_customer_as_it_was_known() {
    let (_folder, db) = db();
    let known = || db.int("SELECT max(key) FROM audit", &[]).unwrap();
    put(&db, "C1", json!({"name": "One"})).unwrap();
    claimed(&db, "I1", "C1", "2024-01-01", "2024-01-31", 700);
    let first = known();
    let moved = record(json!({"name": "Two"}));
    customer::put_on(&db, &id("C1"), &moved, Some(day("2024-05-05")), &author()).unwrap();
    for (on, known, name) in [
        ("2024-06-30", known(), "Two"),
        ("2024-06-30", first, "One"),
        ("2024-05-05", known(), "Two"),
        ("2024-05-04", known(), "One"),
        ("2024-06-30", i64::MAX, "Two"),
        ("2024-05-04", i64::MAX, "One"),
    ] {
        let when = When { day: day(on), known };
        let found = report::overdue(&db, &(String::new(), 0), 9, when).unwrap();
        let names: Vec<_> = found.iter().map(|(item, _)| item.customer_name.as_str()).collect();
        assert_eq!(names, [name], "{on} as known at {known}");
    }
}

#[test]
fn a_record_is_kept_whole_and_its_signs_are_dated() {
    let (_folder, db) = db();
    let whole = json!({
        "country": "CN", "currency": "CNY", "language": "zh-CN", "time_zone": "Asia/Shanghai",
        "email": "ap@bakery.example", "phone": "1", "credit_limit": {"minor": 5, "currency": "CNY"},
        "status": "active", "segment": "key accounts", "industry": "4711", "tags": ["vip"],
        "contacts": [{"name": "Wang", "channel": "wechat", "address": "wang", "preferred": true}],
        "representatives": [{"name": "Li", "since": "2020-01-01"}],
        "bank_accounts": [{"account": "DE893704", "bank": "Bank"}],
    });
    assert_eq!(put(&db, "C1", whole.clone()).unwrap(), Change::Made);
    assert_eq!(put(&db, "C1", whole.clone()).unwrap(), Change::AlreadySo);
    let stored = serde_json::to_value(ledger::customer(&db, &id("C1"), day("2024-06-30")).unwrap());
    let stored = stored.unwrap();
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(&stored[field], value, "{field}");
    }
    assert_eq!(customer::changes_of(&db, &id("C1"), &FIRST, 10, Date::LAST, None).unwrap(), vec![]);

    // The same content in other words: nothing changed.
    let mut same = whole.clone();
    same["bank_accounts"][0]["account"] = json!("DE89 3704");
    same.as_object_mut().unwrap().remove("status");
    assert_eq!(put(&db, "C1", same.clone()).unwrap(), Change::AlreadySo);
    let new = NewCustomer { id: Some(id("C1")), ..record(same) };
    assert_eq!(customer::add(&db, &new, id("x"), &author()).unwrap().1, Change::AlreadySo);
    for (field, value) in [("segment", json!("small")), ("contacts", json!([]))] {
        let mut other = whole.clone();
        other[field] = value;
        let other = NewCustomer { id: Some(id("C1")), ..record(other) };
        let found = refused(customer::add(&db, &other, id("x"), &author()));
        assert_eq!(found, (Refusal::DifferentContent, field.to_string()));
    }

    let mut after = whole.clone();
    after["bank_accounts"] =
        json!([{"account": "GB33BUKB"}, {"account": "DE893704", "bank": "Bank"}]);
    after["representatives"] = json!([{"name": "Zhao"}]);
    after["status"] = json!("on-hold");
    after["segment"] = json!("small");
    assert_eq!(put(&db, "C1", after.clone()).unwrap(), Change::Replaced);
    assert_eq!(put(&db, "C1", after).unwrap(), Change::AlreadySo);
    let changes = customer::changes_of(&db, &id("C1"), &FIRST, 10, Date::LAST, None).unwrap();
    let seen: Vec<_> =
        changes.iter().map(|one| (one.on, one.part, one.added, one.removed)).collect();
    let today = day("2024-06-30");
    assert_eq!(
        seen,
        vec![
            (today, CustomerPart::BankAccount, 1, 0),
            (today, CustomerPart::Representative, 1, 1),
            (today, CustomerPart::Status, 1, 1),
        ]
    );
    let rest = customer::changes_of(
        &db,
        &id("C1"),
        &(changes[0].on.to_string(), i64::try_from(changes[0].key).unwrap()),
        1,
        Date::LAST,
        None,
    );
    assert_eq!(rest.unwrap(), changes[1..2]);
    assert_eq!(
        refused(customer::changes_of(&db, &id("C9"), &FIRST, 10, Date::LAST, None)).0,
        Refusal::NotFound
    );

    let entries = audit(&db);
    assert_eq!(entries.len(), 2);
    for (_, _, change, personal) in &entries {
        for name in ["Bakery", "Wang", "Li", "Zhao", "DE893704", "ap@bakery.example", "vip"] {
            assert!(!change.contains(name), "{name} in {change}");
        }
        assert!(personal.as_ref().unwrap().contains("Wang"));
    }
    assert!(entries[1].2.contains("on-hold") && entries[1].2.contains("active"));
}

#[test]
fn a_file_says_the_class_of_a_customer_or_leaves_it_alone() {
    let (_folder, db) = db();
    let row = |status: Value, segment: Value| {
        json!([[
            1, "C1", "Bakery", null, null, null, null, null, null, null, null, status, segment,
            null
        ]])
        .to_string()
    };
    let short =
        json!([[1, "C1", "Bakery", null, null, null, null, null, null, null, null]]).to_string();
    assert_eq!(store::insert_all(&db, &short, None).unwrap(), 1);
    let stored = ledger::customer(&db, &id("C1"), day("2024-06-30")).unwrap();
    assert_eq!(stored.status, CustomerStatus::Active);
    put(&db, "C1", json!({"status": "on-hold", "segment": "small", "industry": "x"})).unwrap();
    for (rows, field) in [
        (short.clone(), None),
        (row(Value::Null, Value::Null), None),
        (row(json!("on-hold"), json!("small")), None),
        (row(json!("active"), json!("small")), Some("status")),
        (row(Value::Null, json!("large")), Some("segment")),
    ] {
        assert_eq!(store::insert_all(&db, &rows, None).unwrap(), 0);
        let found = store::differing(&db, &rows).unwrap().pop().map(|(_, field)| field);
        assert_eq!(found.as_deref(), field, "{rows}");
    }
    let other = row(json!("prospect"), json!("key accounts")).replace("C1", "C2");
    assert_eq!(store::insert_all(&db, &other, None).unwrap(), 1);
    let stored = ledger::customer(&db, &id("C2"), day("2024-06-30")).unwrap();
    assert_eq!(
        (stored.status, stored.segment.as_deref()),
        (CustomerStatus::Prospect, Some("key accounts"))
    );
    customer::merge(&db, &id("C2"), &id("C1"), &author()).unwrap();
    let named = json!([[1, "I1", "C1"], [2, "I2", "C2"], [3, "I3", "C9"]]).to_string();
    assert_eq!(store::merged(&db, &named, true).unwrap(), [2]);
    assert_eq!(store::merged(&db, &named, false).unwrap(), [2]);
}

#[test]
fn groups_have_one_level() {
    let (_folder, db) = db();
    for name in ["HEAD", "OTHER"] {
        put(&db, name, json!({})).unwrap();
    }
    put(&db, "MEMBER", json!({"parent_id": "HEAD"})).unwrap();
    put(&db, "GONE", json!({})).unwrap();
    customer::merge(&db, &id("GONE"), &id("OTHER"), &author()).unwrap();
    for (name, parent, code) in [
        ("NEW", "NEW", Refusal::GroupNested),
        ("NEW", "MEMBER", Refusal::GroupNested),
        ("HEAD", "OTHER", Refusal::GroupNested),
        ("NEW", "NOBODY", Refusal::UnknownCustomer),
        ("NEW", "GONE", Refusal::CustomerMerged),
    ] {
        let found = refused(put(&db, name, json!({"parent_id": parent})));
        assert_eq!(found, (code, "parent_id".to_string()), "{name} in {parent}");
    }
    assert_eq!(put(&db, "MEMBER", json!({"parent_id": "OTHER"})).unwrap(), Change::Replaced);
    assert_eq!(put(&db, "HEAD", json!({"parent_id": "OTHER"})).unwrap(), Change::Replaced);
}

#[test]
fn a_merge_moves_all_documents_and_allocates_them_anew() {
    let (_folder, db) = db();
    for name in ["STAYS", "GOES", "THIRD"] {
        put(&db, name, json!({})).unwrap();
    }
    put(&db, "MEMBER", json!({"parent_id": "GOES"})).unwrap();
    claimed(&db, "I1", "STAYS", "2024-01-01", "2024-02-01", 1_000);
    claimed(&db, "I2", "GOES", "2024-01-02", "2024-01-15", 500);
    paid(&db, "P1", "STAYS", "2024-03-01", 1_200);
    paid(&db, "P2", "GOES", "2024-04-01", 100);
    contract::put(&db, &id("K1"), &agreed("GOES", "2024-01-01", json!({})), &author()).unwrap();
    guarantee::put(&db, &id("G1"), &secured("GOES", json!({})), &author()).unwrap();
    // The last sweep saw both.
    for (name, minor, notice) in [("STAYS", 7, "2024-05-01"), ("GOES", 5, "2024-06-01")] {
        let sql =
            "INSERT INTO arrears (customer_key, currency, as_of, outstanding_minor, overdue_minor,
            unapplied_minor, open_mark, last_notice_on)
            SELECT key, 'EUR', '2024-06-29', ?2, 0, 0, 0, ?3 FROM customer WHERE id = ?1";
        db.execute(sql, &[name.into(), i64::from(minor).into(), notice.into()]).unwrap();
    }
    let sql = "INSERT INTO arrears (customer_key, currency, as_of, outstanding_minor, overdue_minor,
        unapplied_minor, open_mark) SELECT key, 'JPY', '2024-06-29', 3, 0, 0, 0 FROM customer WHERE id = 'GOES'";
    db.execute(sql, &[]).unwrap();
    assert_eq!(
        (owes(&db, "STAYS", "2024-06-30"), owes(&db, "GOES", "2024-06-30")),
        ((0, 200), (400, 0))
    );

    let merge = |from: &str, into: &str| customer::merge(&db, &id(from), &id(into), &author());
    assert_eq!(merge("GOES", "STAYS").unwrap(), Change::Replaced);
    // P1 of 1,200 now meets I2, which was due first, and 300 stay open of I1 after P2.
    assert_eq!(owes(&db, "STAYS", "2024-06-30"), (200, 0));
    assert_eq!(owes(&db, "STAYS", "2024-03-01"), (300, 0));
    assert_eq!(owes(&db, "GOES", "2024-06-30"), (0, 0));
    let i2 = invoice::get(&db, &id("I2"), day("2024-06-30"), i64::MAX).unwrap();
    assert_eq!((i2.customer_id, i2.open.minor), (id("STAYS"), 0));
    let gone = ledger::customer(&db, &id("GOES"), day("2024-06-30")).unwrap();
    assert_eq!((gone.merged_into, gone.status), (Some(id("STAYS")), CustomerStatus::Closed));
    let member = ledger::customer(&db, &id("MEMBER"), day("2024-06-30")).unwrap();
    assert_eq!(member.parent_id, Some(id("STAYS")));
    let k1 = contract::get(&db, &id("K1"), day("2024-06-30")).unwrap();
    assert_eq!(k1.customer_id, id("STAYS"));
    assert_eq!(guarantee::get(&db, &id("G1")).unwrap().customer_id, id("STAYS"));
    let seen = db.execute(
        "SELECT json_group_array(json_array(c.id, a.currency, a.outstanding_minor, a.last_notice_on))
         FROM (SELECT * FROM arrears ORDER BY currency) AS a JOIN customer AS c ON c.key = a.customer_key",
        &[],
    );
    let seen: Value = seen.unwrap()[0].json(0).unwrap();
    assert_eq!(seen, json!([["STAYS", "EUR", 12, "2024-06-01"], ["STAYS", "JPY", 3, null]]));

    assert_eq!(merge("GOES", "STAYS").unwrap(), Change::AlreadySo);
    let merged = |field: &str| (Refusal::CustomerMerged, field.to_string());
    assert_eq!(refused(merge("STAYS", "STAYS")), merged("into"));
    assert_eq!(refused(merge("STAYS", "GOES")), merged("into"));
    assert_eq!(refused(merge("GOES", "THIRD")), merged("into"));
    assert_eq!(refused(merge("NOBODY", "STAYS")).0, Refusal::NotFound);
    assert_eq!(refused(merge("THIRD", "NOBODY")), (Refusal::UnknownCustomer, "into".to_string()));
    assert_eq!(refused(put(&db, "GOES", json!({}))), merged("id"));
    let new = json!({"id": "I3", "customer_id": "GOES", "issued_on": "2024-01-01",
        "amount": {"minor": 1, "currency": "EUR"}});
    let new = serde_json::from_value(new).unwrap();
    assert_eq!(refused(invoice::add(&db, &new, id("x"), &author())), merged("customer_id"));
    // What was taken before is repeated as it was, and it is of nobody else.
    for of in ["GOES", "STAYS", "THIRD"] {
        let part = json!({"customer_id": of, "amount": {"minor": 100, "currency": "EUR"}});
        let with = |more: Value| {
            let mut new = part.clone();
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            new
        };
        let new = from(with(json!({"id": "P2", "received_on": "2024-04-01"})));
        let paid = payment::add(&db, &new, id("x"), &author());
        let new = with(json!({"id": "I2", "issued_on": "2024-01-02", "due_on": "2024-01-15",
            "amount": {"minor": 500, "currency": "EUR"}}));
        let claimed = invoice::add(&db, &from(new), id("x"), &author());
        for found in [paid, claimed] {
            if of == "THIRD" {
                let wanted = (Refusal::DifferentContent, "customer_id".to_string());
                assert_eq!(refused(found), wanted);
            } else {
                assert_eq!(found.unwrap().1, Change::AlreadySo, "{of}");
            }
        }
    }
    let again = contract::put(&db, &id("K1"), &agreed("GOES", "2024-01-01", json!({})), &author());
    assert_eq!(again.unwrap().1, Change::AlreadySo);

    // Who was merged into a customer that is merged itself is found at the end of the chain.
    assert_eq!(merge("STAYS", "THIRD").unwrap(), Change::Replaced);
    assert_eq!(merge("GOES", "STAYS").unwrap(), Change::AlreadySo);
    let gone = ledger::customer(&db, &id("GOES"), day("2024-06-30")).unwrap();
    assert_eq!(gone.merged_into, Some(id("THIRD")));
    assert_eq!(owes(&db, "THIRD", "2024-06-30"), (200, 0));
    let member = ledger::customer(&db, &id("MEMBER"), day("2024-06-30")).unwrap();
    assert_eq!(member.parent_id, Some(id("THIRD")));
    put(&db, "LATE", json!({})).unwrap();
    assert_eq!(merge("LATE", "GOES").unwrap(), Change::Replaced);
    let late = ledger::customer(&db, &id("LATE"), day("2024-06-30")).unwrap();
    assert_eq!(late.merged_into, Some(id("THIRD")));
    // Whoever asks that the customer be forgotten asks it for its duplicates as well.
    erase::customer(&db, &id("THIRD"), &author()).unwrap();
    let names = "SELECT count(*) FROM customer WHERE name = 'erased'";
    assert_eq!(db.int(names, &[]).unwrap(), 4);
    let broken = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(db.int(broken, &[]).unwrap(), 0);
}

#[test]
fn of_two_group_customers_the_survivor_heads_the_group() {
    let (_folder, db) = db();
    put(&db, "HEAD", json!({})).unwrap();
    for name in ["M1", "M2"] {
        put(&db, name, json!({"parent_id": "HEAD"})).unwrap();
    }
    customer::merge(&db, &id("HEAD"), &id("M1"), &author()).unwrap();
    let parent =
        |name: &str| ledger::customer(&db, &id(name), day("2024-06-30")).unwrap().parent_id;
    assert_eq!((parent("HEAD"), parent("M1"), parent("M2")), (None, None, Some(id("M1"))));
    // A head that is merged into the member of another group: its members join that group.
    put(&db, "OTHER", json!({})).unwrap();
    put(&db, "N1", json!({"parent_id": "OTHER"})).unwrap();
    customer::merge(&db, &id("M1"), &id("N1"), &author()).unwrap();
    assert_eq!((parent("N1"), parent("M2")), (Some(id("OTHER")), Some(id("OTHER"))));
}

fn agreed(customer: &str, effective_on: &str, fields: Value) -> NewContract {
    let mut new = json!({"customer_id": customer, "effective_on": effective_on});
    new.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(new).unwrap()
}

fn secured(customer: &str, fields: Value) -> NewGuarantee {
    let mut new = json!({"customer_id": customer, "kind": "insurance", "party": "Insurer",
        "amount": {"minor": 100_000, "currency": "EUR"}, "valid_from": "2024-01-01"});
    new.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(new).unwrap()
}

#[test]
fn a_contract_whose_row_is_refused_leaves_nothing_and_can_be_recorded_later() {
    let (_folder, db) = db();
    put(&db, "C1", json!({})).unwrap();
    let row =
        |number, name: &str, fields: Value| (number, id(name), agreed("C1", "2024-01-01", fields));
    let rows = [row(1, "K1", json!({"order": "no-such-order"})), row(2, "K2", json!({}))];
    let result = contract::take_in(&db, &rows, &[], false, &author()).unwrap();
    assert_eq!((result.accepted, result.rejected), (1, 1));
    assert_eq!(result.errors[0].code, Refusal::UnknownOrder);
    assert_eq!(db.int("SELECT count(*) FROM contract", &[]).unwrap(), 1);
    // What a file left that way before has no version, and gets one.
    let left = "INSERT INTO contract (id, customer_key) SELECT 'K3', key FROM customer";
    db.execute(left, &[]).unwrap();
    for name in ["K1", "K3"] {
        let new = agreed("C1", "2024-01-01", json!({}));
        let (stored, change) = contract::put(&db, &id(name), &new, &author()).unwrap();
        assert_eq!((stored.version, change), (1, Change::Made), "{name}");
    }
    assert_eq!(db.int("SELECT count(*) FROM contract", &[]).unwrap(), 3);
}

#[test]
fn a_contract_has_versions_and_the_day_says_which_one_governs() {
    let (_folder, db) = db();
    for name in ["C1", "C2"] {
        put(&db, name, json!({})).unwrap();
    }
    let put = |name: &str, new: NewContract| contract::put(&db, &id(name), &new, &author());
    let versions = [
        agreed(
            "C1",
            "2024-01-01",
            json!({"title": "one", "secured": true, "order": "oldest-due-first",
            "terms": {"net_days": 30, "discount_share": "0.02", "discount_days": 10}}),
        ),
        agreed(
            "C1",
            "2024-06-01",
            json!({"title": "two", "ends_on": "2024-12-31",
            "milestones": [{"name": "notice", "on": "2024-09-30"}]}),
        ),
        agreed("C1", "2024-03-01", json!({"title": "three"})),
        agreed(
            "C1",
            "2024-06-01",
            json!({"title": "four", "ends_on": "2024-12-31",
            "milestones": [{"name": "notice", "on": "2024-09-30"}]}),
        ),
    ];
    for (number, new) in (1..).zip(&versions) {
        let made = if number == 1 { Change::Made } else { Change::Replaced };
        for change in [made, Change::AlreadySo] {
            let (stored, found) = put("K1", new.clone()).unwrap();
            assert_eq!((stored.version, found), (number, change));
            assert_eq!((stored.title, stored.id), (new.title.clone(), id("K1")));
            assert_eq!(stored.recorded_at, now());
        }
    }
    for (on, title) in [
        ("2023-12-31", None),
        ("2024-01-01", Some("one")),
        ("2024-02-29", Some("one")),
        ("2024-03-01", Some("three")),
        ("2024-05-31", Some("three")),
        ("2024-06-01", Some("four")),
        ("2024-12-31", Some("four")),
        // What ended is over; an earlier version that had no end does not come back.
        ("2025-01-01", None),
    ] {
        let found = contract::get(&db, &id("K1"), day(on)).ok().and_then(|version| version.title);
        assert_eq!(found.as_deref(), title, "{on}");
    }
    let first = dunlin_store::contract::in_force(&db, &id("K1"), day("2024-01-01")).unwrap();
    let first = first.unwrap().contract;
    assert_eq!((first.terms, first.secured), (versions[0].terms.clone(), true));
    let columns: Value = db
        .json(
            "SELECT json_array(discount_share, discount_days, allocation_order, secured, entry_key)
             FROM contract_version WHERE version = 1",
            &[],
        )
        .unwrap();
    assert_eq!(columns, json!(["0.02", 10, "oldest-due-first", 1, 3]));
    let titles: Vec<_> = contract::versions(&db, &id("K1"), 1, 2, When::ALL).unwrap();
    let titles: Vec<_> = titles.into_iter().map(|version| version.title.unwrap()).collect();
    assert_eq!(titles, ["two", "three"]);
    assert_eq!(refused(contract::versions(&db, &id("K9"), 0, 9, When::ALL)).0, Refusal::NotFound);

    put("K2", agreed("C2", "2024-01-01", json!({"ends_on": "2024-08-31"}))).unwrap();
    put("K3", agreed("C2", "2024-01-01", json!({}))).unwrap();
    let list = |wanted: Wanted, on: &str| -> Vec<String> {
        let found = contract::list(&db, &wanted, "", 10, day(on)).unwrap();
        found.into_iter().map(|one| one.id.to_string()).collect()
    };
    let ending = |on: &str| Wanted { ending_before: Some(day(on)), ..Wanted::default() };
    let between = |from: Option<&str>, to: Option<&str>| Wanted {
        milestone_from: from.map(day),
        milestone_to: to.map(day),
        ..Wanted::default()
    };
    let of = |name: &str| Wanted { customer_id: Some(id(name)), ..Wanted::default() };
    for (wanted, on, ids) in [
        (Wanted::default(), "2024-07-01", vec!["K1", "K2", "K3"]),
        (Wanted::default(), "2024-09-01", vec!["K1", "K3"]),
        (of("C2"), "2024-07-01", vec!["K2", "K3"]),
        (of("C9"), "2024-07-01", vec![]),
        (ending("2024-08-31"), "2024-07-01", vec![]),
        (ending("2024-09-01"), "2024-07-01", vec!["K2"]),
        (ending("2025-01-01"), "2024-07-01", vec!["K1", "K2"]),
        (between(Some("2024-09-30"), Some("2024-09-30")), "2024-07-01", vec!["K1"]),
        (between(Some("2024-10-01"), None), "2024-07-01", vec![]),
        (between(None, Some("2024-09-30")), "2024-07-01", vec!["K1"]),
        (between(None, Some("2024-09-29")), "2024-07-01", vec![]),
    ] {
        assert_eq!(list(wanted.clone(), on), ids, "{wanted:?} on {on}");
    }

    let (code, field) = refused(put("K1", agreed("C2", "2024-01-01", json!({}))));
    assert_eq!((code, field.as_str()), (Refusal::DifferentContent, "customer_id"));
    let (code, field) = refused(put("K4", agreed("C1", "2024-01-01", json!({"order": "none"}))));
    assert_eq!((code, field.as_str()), (Refusal::UnknownOrder, "order"));
    let (code, field) = refused(put("K4", agreed("C9", "2024-01-01", json!({}))));
    assert_eq!((code, field.as_str()), (Refusal::UnknownCustomer, "customer_id"));
}

#[test]
fn only_an_invoice_takes_instalments_from_its_contract() {
    let (_folder, db) = db();
    put(&db, "C1", json!({})).unwrap();
    let parts = json!({"terms": {"instalments": [{"share": "0.3", "days": 0}, {"share": "0.7", "days": 60}]}});
    contract::put(&db, &id("K1"), &agreed("C1", "2024-01-01", parts), &author()).unwrap();
    let net = json!({"terms": {"net_days": 30}});
    contract::put(&db, &id("K2"), &agreed("C1", "2024-01-01", net), &author()).unwrap();
    for (number, (contract, kind, due_on, parts)) in (1..).zip([
        ("K1", "invoice", "2024-03-31", 2),
        ("K1", "credit-note", "2024-01-31", 0),
        ("K1", "fee", "2024-01-31", 0),
        ("K2", "invoice", "2024-03-01", 0),
        ("K2", "fee", "2024-03-01", 0),
    ]) {
        let name = format!("I{number}");
        let new = json!({"id": name, "customer_id": "C1", "contract_id": contract, "kind": kind,
            "issued_on": "2024-01-31", "amount": {"minor": 100, "currency": "EUR"}});
        let new = serde_json::from_value(new).unwrap();
        for change in [Change::Made, Change::AlreadySo] {
            assert_eq!(invoice::add(&db, &new, id("x"), &author()).unwrap().1, change, "{name}");
        }
        let stored = invoice::get(&db, &id(&name), day("2024-06-30"), i64::MAX).unwrap();
        assert_eq!(
            (stored.due_on, stored.instalments.map_or(0, |parts| parts.len())),
            (day(due_on), parts),
            "{name}"
        );
    }
}

#[test]
fn what_is_owed_under_a_contract_is_read_as_it_was_known() {
    let (_folder, db) = db();
    put(&db, "C1", json!({})).unwrap();
    for name in ["K1", "K2"] {
        contract::put(&db, &id(name), &agreed("C1", "2024-01-01", json!({})), &author()).unwrap();
    }
    claimed(&db, "I1", "C1", "2024-01-10", "2024-02-02", 1_000);
    let insurance = secured("C1", json!({"contract_id": "K1", "share": "0.9"}));
    guarantee::put(&db, &id("G1"), &insurance, &author()).unwrap();
    let mut moments = Vec::new();
    let mut note = |secured: i64| {
        moments.push((db.int("SELECT max(key) FROM audit", &[]).unwrap(), secured));
    };
    note(0);
    for (name, secured) in [("K1", 900), ("K2", 0)] {
        let new = json!({"contract_id": name, "reason": "another contract"});
        let new = serde_json::from_value(new).unwrap();
        invoice::correct(&db, &id("I1"), &new, &author()).unwrap();
        note(secured);
    }
    moments.push((i64::MAX, 0));
    for (known, secured) in moments {
        let when = (day("2024-03-01"), known);
        let found = customer::standing(&db, &id("C1"), when).unwrap().own;
        assert_eq!(found[0].secured_minor, secured, "as known with {known}");
        let range = dunlin_store::arrears::Range { after: 0, upto: i64::MAX };
        let mut sums = dunlin_app::facts::of_range(&db, range, when).unwrap();
        let key = db.int("SELECT key FROM customer WHERE id = 'C1'", &[]).unwrap();
        let of_customer = sums.take(key).unwrap_or_default();
        let facts = sums.facts((key, &id("C1")), &of_customer);
        let share = facts.values.iter().find(|of| of.name == FactName::InsuredShare);
        let covered = share.map(|of| of.value * dunlin_domain::Decimal::from(1_000));
        assert_eq!(covered, Some(secured.into()), "as known with {known}");
    }
}

#[test]
fn guarantees_in_force_lower_the_exposure_of_a_customer_and_its_group() {
    let (_folder, db) = db();
    put(&db, "HEAD", json!({"credit_limit": {"minor": 9_000, "currency": "EUR"}})).unwrap();
    put(&db, "C1", json!({"parent_id": "HEAD"})).unwrap();
    put(&db, "ALONE", json!({})).unwrap();
    contract::put(&db, &id("K1"), &agreed("C1", "2024-01-01", json!({})), &author()).unwrap();
    let under = json!({"id": "I1", "customer_id": "C1", "issued_on": "2024-01-10", "contract_id": "K1",
        "amount": {"minor": 1_000, "currency": "EUR"},
        "instalments": [{"due_on": "2024-01-31", "minor": 400}, {"due_on": "2024-02-01", "minor": 600}]});
    let under = serde_json::from_value(under).unwrap();
    invoice::add(&db, &under, id("x"), &author()).unwrap();
    claimed(&db, "I2", "C1", "2024-01-10", "2024-02-02", 500);
    claimed(&db, "I3", "HEAD", "2024-01-10", "2024-02-01", 2_000);
    paid(&db, "P1", "C1", "2024-03-01", 200);
    let put = |name: &str, new: NewGuarantee| guarantee::put(&db, &id(name), &new, &author());
    let insurance =
        secured("C1", json!({"contract_id": "K1", "share": "0.9", "valid_to": "2024-06-30"}));
    assert_eq!(put("G1", insurance.clone()).unwrap().1, Change::Made);
    assert_eq!(put("G1", insurance.clone()).unwrap().1, Change::AlreadySo);
    let deposit =
        json!({"kind": "deposit", "party": "C1", "amount": {"minor": 100, "currency": "EUR"}});
    put("G2", secured("C1", deposit)).unwrap();
    let yen = json!({"kind": "deposit", "amount": {"minor": 100, "currency": "JPY"}});
    put("G3", secured("C1", yen)).unwrap();

    let standing = |name: &str, on: &str| customer::standing(&db, &id(name), day(on)).unwrap();
    let of = |list: &[dunlin_domain::contract::ledger::Exposure]| -> Vec<(i64, i64, i64)> {
        list.iter().map(|e| (e.outstanding_minor, e.secured_minor, e.exposure_minor)).collect()
    };
    for (on, own, group) in [
        ("2024-01-09", vec![], vec![]),
        // 0.9 of the 1,000 under the contract, and the deposit.
        ("2024-02-28", vec![(1_500, 1_000, 500)], vec![(3_500, 1_000, 2_500)]),
        ("2024-03-01", vec![(1_300, 820, 480)], vec![(3_300, 820, 2_480)]),
        ("2024-06-30", vec![(1_300, 820, 480)], vec![(3_300, 820, 2_480)]),
        // The insurance has ended.
        ("2024-07-01", vec![(1_300, 100, 1_200)], vec![(3_300, 100, 3_200)]),
    ] {
        let found = standing("C1", on);
        assert_eq!((of(&found.own), of(&found.group)), (own, group.clone()), "{on}");
        assert_eq!(of(&standing("HEAD", on).group), group, "{on}");
    }
    let Standing { group_id, group_limit, .. } = standing("C1", "2024-03-01");
    assert_eq!((group_id, group_limit.map(|limit| limit.minor)), (Some(id("HEAD")), Some(9_000)));
    let alone = standing("ALONE", "2024-03-01");
    assert_eq!((alone.group_id, alone.own, alone.group), (None, vec![], vec![]));

    // Until it can be claimed no more, it bears what fell due while it was in force.
    let claimable = NewGuarantee { claim_by: Some(day("2024-09-30")), ..insurance.clone() };
    assert_eq!(put("G1", claimable).unwrap().1, Change::Replaced);
    let later = json!({"id": "I4", "customer_id": "C1", "issued_on": "2024-06-30",
        "contract_id": "K1", "due_on": "2024-07-15", "amount": {"minor": 1_000, "currency": "EUR"}});
    invoice::add(&db, &serde_json::from_value(later).unwrap(), id("x"), &author()).unwrap();
    for (on, own) in [
        ("2024-06-30", (2_300, 1_720, 580)),
        ("2024-07-01", (2_300, 820, 1_480)),
        ("2024-09-30", (2_300, 820, 1_480)),
        ("2024-10-01", (2_300, 100, 2_200)),
    ] {
        assert_eq!(of(&standing("C1", on).own), [own], "{on}");
    }

    let ids = |on: Option<&str>| -> Vec<String> {
        let found = guarantee::list(&db, Some(&id("C1")), on.map(day), "", 10, i64::MAX).unwrap();
        found.into_iter().map(|one| one.id.to_string()).collect()
    };
    assert_eq!(ids(None), ["G1", "G2", "G3"]);
    assert_eq!(ids(Some("2024-07-01")), ["G2", "G3"]);
    // A replaced guarantee keeps its past in the chain, and who gives it apart.
    let longer = NewGuarantee { valid_to: None, party: "Other Insurer".into(), ..insurance };
    assert_eq!(put("G1", longer).unwrap().1, Change::Replaced);
    let (action, of, change, personal) = audit(&db).pop().unwrap();
    assert_eq!((action.as_str(), of.as_str()), ("replace", "G1"));
    assert!(change.contains("2024-06-30") && !change.contains("Insurer"));
    assert!(personal.unwrap().contains("Other Insurer"));

    for (fields, code, field) in [
        (json!({"customer_id": "C9"}), Refusal::UnknownCustomer, "customer_id"),
        (json!({"contract_id": "K9"}), Refusal::UnknownContract, "contract_id"),
        (
            json!({"customer_id": "HEAD", "contract_id": "K1"}),
            Refusal::UnknownContract,
            "contract_id",
        ),
        (json!({"share": "0"}), Refusal::MalformedField, "share"),
    ] {
        let found = refused(put("G9", secured("C1", fields)));
        assert_eq!(found, (code, field.to_string()));
    }
    assert_eq!(refused(guarantee::get(&db, &id("G9"))).0, Refusal::NotFound);
}

#[test]
fn who_gave_the_guarantees_of_an_erased_customer_is_forgotten() {
    let (_folder, db) = db();
    for name in ["C1", "C2"] {
        put(&db, name, json!({})).unwrap();
    }
    for (name, of) in [("G1", "C1"), ("G2", "C1"), ("G3", "C2")] {
        let surety = secured(of, json!({"kind": "guarantor", "party": "Ann Example"}));
        guarantee::put(&db, &id(name), &surety, &author()).unwrap();
    }
    let erased = || erase::customer(&db, &id("C1"), &author()).unwrap().1;
    assert_eq!(erased(), Change::Replaced);
    let found = guarantee::list(&db, None, None, "", 10, i64::MAX).unwrap();
    let parties: Vec<&str> = found.iter().map(|one| one.party.as_str()).collect();
    assert_eq!(parties, ["erased", "erased", "Ann Example"]);
    let named = |entry: &(String, String, String, Option<String>)| {
        entry.3.as_ref().is_some_and(|fields| fields.contains("Ann Example"))
    };
    let left: Vec<String> = audit(&db).into_iter().filter(named).map(|entry| entry.1).collect();
    assert_eq!(left, ["G3"], "nor does the chain name them");
    assert_eq!(erased(), Change::AlreadySo);
    // One that is given afterwards is new, and is taken away again when that is asked for.
    let surety = secured("C1", json!({"kind": "guarantor", "party": "Ann Example"}));
    guarantee::put(&db, &id("G1"), &surety, &author()).unwrap();
    assert_eq!(erased(), Change::Replaced);
}
