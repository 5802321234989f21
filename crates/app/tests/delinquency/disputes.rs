//! Disputes: opened, decided, decided anew.

use super::*;

fn flags(db: &NativeDb, name: &str) -> Vec<i64> {
    row(db, &format!("SELECT disputed, disputed_minor FROM invoice WHERE id = '{name}'"))
}

#[test]
fn at_most_what_is_open_and_not_contested_is_disputed() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    pay(&db, "P", "C", "2024-01-15", 300);
    let author = on("2024-03-01");
    let open = |value: Value| dispute::open(&db, &read(value), id("made"), &author);
    for (new, code, field) in [
        (json!({"invoice_id": "X", "reason": "price"}), Refusal::UnknownInvoice, "invoice_id"),
        (
            json!({"invoice_id": "I", "reason": "price", "minor": 701}),
            Refusal::MoreThanOpen,
            "minor",
        ),
        (
            json!({"invoice_id": "I", "reason": "price", "minor": 0}),
            Refusal::AmountNotPositive,
            "minor",
        ),
        (
            json!({"invoice_id": "I", "reason": "price", "on": "2023-12-31"}),
            Refusal::MoreThanOpen,
            "minor",
        ),
        (
            json!({"invoice_id": "I", "reason": "price", "on": "2024-03-02"}),
            Refusal::DateInFuture,
            "on",
        ),
        (
            json!({"id": "whole/I", "invoice_id": "I", "reason": "price"}),
            Refusal::MalformedId,
            "id",
        ),
    ] {
        assert_eq!(refused(open(new.clone())), (code, field.to_string()), "{new}");
    }
    let first =
        json!({"id": "D1", "invoice_id": "I", "reason": "price", "minor": 500, "on": "2024-01-20"});
    assert_eq!(open(first.clone()).unwrap(), (id("D1"), Change::Made));
    assert_eq!(open(first).unwrap(), (id("D1"), Change::AlreadySo));
    let other = json!({"id": "D1", "invoice_id": "I", "reason": "quality", "minor": 500});
    assert_eq!(refused(open(other)), (Refusal::DifferentContent, "reason".to_string()));
    let more = json!({"invoice_id": "I", "reason": "price", "minor": 201});
    assert_eq!(refused(open(more)).0, Refusal::MoreThanOpen);
    open(json!({"id": "D2", "invoice_id": "I", "reason": "quantity"})).unwrap();
    assert_eq!(dispute::get(&db, &id("D2")).unwrap().amount.minor, 200);
    assert_eq!(flags(&db, "I"), [1, 700]);
    let rest = json!({"invoice_id": "I", "reason": "price"});
    assert_eq!(refused(open(rest)).0, Refusal::MoreThanOpen);
    let page = |state| dispute::page(&db, "", 10, Some(&id("C")), state, When::ALL).unwrap().len();
    assert_eq!((page(None), page(Some(DisputeState::Open))), (2, 2));
}

#[test]
fn a_dispute_is_decided_once_and_what_was_upheld_is_booked() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    let author = on("2024-03-01");
    for name in ["D1", "D2"] {
        let new = json!({"id": name, "invoice_id": "I", "reason": "price", "minor": 400, "on": "2024-02-10"});
        dispute::open(&db, &read(new), id("made"), &author).unwrap();
    }
    let resolve =
        |name: &str, value: Value| dispute::resolve(&db, &id(name), &read(value), &author);
    let early = json!({"outcome": "rejected", "on": "2024-02-09"});
    assert_eq!(refused(resolve("D1", early)), (Refusal::WrongState, "on".to_string()));
    let late = json!({"outcome": "rejected", "on": "2024-03-02"});
    assert_eq!(refused(resolve("D1", late)), (Refusal::DateInFuture, "on".to_string()));
    let partly = json!({"outcome": "partly-upheld", "upheld_minor": 150, "on": "2024-02-20"});
    assert_eq!(resolve("D1", partly.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve("D1", partly).unwrap(), Change::AlreadySo);
    let other = json!({"outcome": "partly-upheld", "upheld_minor": 151});
    assert_eq!(refused(resolve("D1", other)).0, Refusal::WrongState);
    assert_eq!(flags(&db, "I"), [1, 400]);
    resolve("D2", json!({"outcome": "withdrawn"})).unwrap();
    assert_eq!(flags(&db, "I"), [0, 0]);
    let found = dispute::get(&db, &id("D1")).unwrap();
    assert_eq!((found.state, found.upheld_minor), (DisputeState::Resolved, Some(150)));
    let booked = row(&db, "SELECT count(*), sum(minor), sum(id = 'dispute/D1') FROM adjustment");
    assert_eq!(booked, [1, 150, 1]);
    assert_eq!(refused(resolve("X", json!({"outcome": "upheld"}))).0, Refusal::NotFound);
}

#[test]
fn a_dispute_that_was_decided_wrongly_is_decided_anew_or_opened_again() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    let author = on("2024-03-01");
    let new =
        json!({"id": "D", "invoice_id": "I", "reason": "price", "minor": 400, "on": "2024-02-10"});
    dispute::open(&db, &read(new), id("made"), &author).unwrap();
    let resolve = |value: Value| dispute::resolve(&db, &id("D"), &read(value), &author);
    let open = |on: &str| invoice::get(&db, &id("I"), day(on), i64::MAX).unwrap().open.minor;
    let last = || db.int("SELECT max(key) FROM audit", &[]).unwrap();
    let early = json!({"outcome": "rejected", "replaces": "2024-02-20"});
    assert_eq!(refused(resolve(early)), (Refusal::WrongState, "replaces".to_string()));
    resolve(json!({"outcome": "upheld", "on": "2024-02-20"})).unwrap();
    let first = last();
    assert_eq!((open("2024-02-19"), open("2024-02-20"), open("2024-02-25")), (1000, 600, 600));

    let anew = json!({"outcome": "partly-upheld", "upheld_minor": 150, "on": "2024-02-25", "replaces": "2024-02-20"});
    assert_eq!(
        refused(resolve(json!({"outcome": "rejected", "replaces": "2024-02-19"}))).1,
        "replaces"
    );
    assert_eq!(resolve(anew.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(anew).unwrap(), Change::AlreadySo);
    assert_eq!((open("2024-02-20"), open("2024-02-25")), (1000, 850));
    let known = |known: i64| {
        let when = When { day: day("2024-03-01"), known };
        dispute::then(&db, &id("D"), when).unwrap().upheld_minor
    };
    let second = last();
    assert_eq!((known(first), known(second)), (Some(400), Some(150)));

    let undo = json!({"undo": true, "replaces": "2024-02-25"});
    assert_eq!(resolve(undo.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(undo).unwrap(), Change::AlreadySo);
    assert_eq!((open("2024-02-25"), flags(&db, "I")), (1000, vec![1, 400]));
    let found = dispute::get(&db, &id("D")).unwrap();
    assert_eq!((found.state, found.outcome, found.resolved_on), (DisputeState::Open, None, None));
    assert_eq!((known(first), known(second), known(last())), (Some(400), Some(150), None));
    let before = invoice::get(&db, &id("I"), day("2024-03-01"), first).unwrap();
    assert_eq!((before.open.minor, before.disputed_minor), (600, 0));

    resolve(json!({"outcome": "upheld", "on": "2024-02-28"})).unwrap();
    assert_eq!((open("2024-02-27"), open("2024-02-28")), (1000, 600));
    let broken = verify::books(&db).unwrap();
    assert!(broken.ok, "{broken:?}");
}

#[test]
fn what_is_recorded_as_contested_is_contested_as_a_whole() {
    let (_folder, db) = db();
    customer(&db, "C");
    let long = "x".repeat(64);
    let invoices = [("I1", true), ("I2", false), (long.as_str(), true)];
    for (name, disputed) in invoices {
        let new = read(json!({
            "id": name, "customer_id": "C", "issued_on": "2024-01-01", "amount": eur(100), "disputed": disputed,
        }));
        let add = || invoice::add(&db, &new, id("made"), &on("2024-01-01")).unwrap().1;
        assert_eq!((add(), add()), (Change::Made, Change::AlreadySo));
    }
    let found = dispute::page(&db, "", 10, None, None, When::ALL).unwrap();
    let ids: Vec<(&str, &str)> =
        found.iter().map(|of| (of.id.as_str(), of.invoice_id.as_str())).collect();
    let key = format!("whole/{:058}", 3);
    assert_eq!(ids, [(key.as_str(), long.as_str()), ("whole/I1", "I1")]);
    assert_eq!((flags(&db, "I1"), flags(&db, "I2")), (vec![1, 100], vec![0, 0]));
    let resolution = read(json!({"outcome": "rejected"}));
    dispute::resolve(&db, &id("whole/I1"), &resolution, &on("2024-01-05")).unwrap();
    assert_eq!(flags(&db, "I1"), [0, 0]);
}

#[test]
fn a_document_with_instalments_is_contested_from_the_first_of_them_on() {
    let (_folder, db) = db();
    customer(&db, "C");
    let author = on("2024-06-01");
    let part = |due: &str, minor: i64| json!({"due_on": due, "minor": minor});
    let invoice = |name: &str, disputed: bool| {
        let parts =
            json!([part("2024-02-01", 300), part("2024-03-01", 500), part("2024-04-01", 200)]);
        let new = json!({"id": name, "customer_id": "C", "issued_on": "2024-01-01", "amount": eur(1000),
            "instalments": parts, "disputed": disputed});
        invoice::add(&db, &read(new), id("made"), &author).unwrap();
    };
    invoice("I", false);
    invoice("Y", true);
    let contest = |new: Value| dispute::open(&db, &read(new), id("made"), &author);
    let resolve = |name: &str, end: Value| dispute::resolve(&db, &id(name), &read(end), &author);
    let held = |name: &str| -> Vec<i64> {
        (1..4).map(|part| flags(&db, &format!("{name}#{part}"))[1]).collect()
    };
    let parts = |name: &str| -> Vec<(String, i64, Option<i64>)> {
        let found = dispute::get(&db, &id(name)).unwrap().parts.unwrap();
        found.into_iter().map(|of| (of.invoice_id, of.minor, of.upheld_minor)).collect()
    };
    let of = |part: &str, minor, upheld| (part.to_string(), minor, upheld);
    // What is paid is nobody's to contest.
    pay(&db, "P", "C", "2024-01-15", 100);
    contest(json!({"id": "D0", "invoice_id": "I#2", "reason": "price", "minor": 450})).unwrap();
    contest(
        json!({"id": "D1", "invoice_id": "I", "reason": "price", "minor": 240, "on": "2024-05-01"}),
    )
    .unwrap();
    assert_eq!((held("I"), flags(&db, "I")), (vec![200, 490, 0], vec![1, 0]));
    assert_eq!(parts("D1"), [of("I#1", 200, None), of("I#2", 40, None)]);
    let then = |day: &str| invoice::get(&db, &id("I"), day.parse().unwrap(), i64::MAX).unwrap();
    assert_eq!((then("2024-05-01").disputed_minor, then("2024-06-01").disputed_minor), (240, 690));
    assert!(!then("2024-04-30").disputed);
    // The same again, more than is left, and names that are taken.
    let again = json!({"id": "D1", "invoice_id": "I", "reason": "price", "minor": 240});
    assert_eq!(contest(again).unwrap().1, Change::AlreadySo);
    let more = json!({"invoice_id": "I", "reason": "price", "minor": 211});
    assert_eq!(refused(contest(more)).0, Refusal::MoreThanOpen);
    contest(json!({"id": "D2#3", "invoice_id": "I#3", "reason": "price", "minor": 1})).unwrap();
    let taken = json!({"id": "D2", "invoice_id": "I", "reason": "price"});
    assert_eq!(refused(contest(taken)), (Refusal::DifferentContent, "id".to_string()));
    // A part is not resolved by itself.
    assert_eq!(dispute::get(&db, &id("D1#2")).unwrap().part_of, Some(id("D1")));
    assert_eq!(refused(resolve("D1#2", json!({"outcome": "rejected"}))).0, Refusal::WrongState);
    // The debtor was right about the first, and about a little of the second.
    resolve("D1", json!({"outcome": "partly-upheld", "upheld_minor": 210, "on": "2024-05-10"}))
        .unwrap();
    assert_eq!(parts("D1"), [of("I#1", 200, Some(200)), of("I#2", 40, Some(10))]);
    let open = |of: &dunlin_domain::contract::types::Invoice| -> Vec<i64> {
        of.instalments.iter().flatten().map(|part| part.open_minor).collect()
    };
    assert_eq!(open(&then("2024-05-09")), [200, 500, 200]);
    assert_eq!(open(&then("2024-05-10")), [0, 490, 200]);
    assert_eq!(held("I"), [0, 450, 1]);
    let listed = dispute::page(&db, "", 10, None, None, When::ALL).unwrap();
    let ids: Vec<&str> = listed.iter().map(|of| of.id.as_str()).collect();
    assert_eq!(ids, ["D0", "D1", "D2#3", "whole/Y"]);
    // One that was recorded as contested is one dispute too.
    assert_eq!(listed[3].amount.minor, 1000);
    assert_eq!(
        parts("whole/Y"),
        [of("Y#1", 300, None), of("Y#2", 500, None), of("Y#3", 200, None)]
    );
    assert_eq!(held("Y"), [300, 500, 200]);
    resolve("whole/Y", json!({"outcome": "rejected"})).unwrap();
    assert_eq!((held("Y"), flags(&db, "Y")), (vec![0, 0, 0], vec![0, 0]));
    let books = dunlin_app::verify::books(&db).unwrap();
    assert!(books.ok, "{books:?}");
}

#[test]
fn what_was_upheld_comes_off_on_its_day_and_the_rest_goes_on() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-02-01", 1000);
    let author = on("2024-03-01");
    let new =
        json!({"id": "D", "invoice_id": "I", "reason": "price", "minor": 400, "on": "2024-02-10"});
    dispute::open(&db, &read(new), id("made"), &author).unwrap();
    let end = json!({"outcome": "partly-upheld", "upheld_minor": 150, "on": "2024-02-20"});
    dispute::resolve(&db, &id("D"), &read(end), &author).unwrap();
    assert_eq!((open_on(&db, "I", "2024-02-19"), open_on(&db, "I", "2024-02-20")), (1000, 850));
    let found = invoice::get(&db, &id("I"), day("2024-03-01"), i64::MAX).unwrap();
    let set: Vec<_> = found
        .allocations
        .iter()
        .map(|part| (part.adjustment_id.clone(), part.difference, part.amount.minor))
        .collect();
    assert_eq!(set, [(Some(id("D")), Some(Difference::DisputeUpheld), 150)]);
    pay(&db, "P", "C", "2024-03-01", 900);
    assert_eq!(open_on(&db, "I", "2024-03-01"), 0);
    let paid = payment::get(&db, &id("P"), day("2024-03-01"), i64::MAX).unwrap();
    assert_eq!(paid.unallocated.minor, 50);
}
