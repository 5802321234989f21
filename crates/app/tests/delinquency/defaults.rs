//! Defaults: by the rule of the policy and by hand.

use super::*;
use dunlin_app::{credit_refund, statement};

#[test]
fn a_default_that_was_closed_by_mistake_is_opened_again() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-01-10", 500);
    let author = on("2024-03-01");
    let rule = json!({"default_rule": {"days": 10}});
    policy::put(&db, &read(rule), &author).unwrap();
    sweep(&db, "2024-03-01");
    let found = default_record::page(&db, "", 9, None, None, When::ALL).unwrap().pop().unwrap();
    let closing = read(json!({"state": "withdrawn", "on": "2024-03-01"}));
    default_record::close(&db, &found.id, &closing, &author).unwrap();
    let known = db.int("SELECT max(key) FROM audit", &[]).unwrap();
    let reopen = |id: &Id, replaces: &str| {
        let new = read(json!({"replaces": replaces, "reason": "of another"}));
        default_record::reopen(&db, id, &new, &author)
    };
    assert_eq!(refused(reopen(&found.id, "2024-02-29")).1, "replaces");
    assert_eq!(reopen(&found.id, "2024-03-01").unwrap(), Change::Replaced);
    assert_eq!(reopen(&found.id, "2024-03-01").unwrap(), Change::AlreadySo);
    assert_eq!(defaults(&db, None), ["C 2024-03-01 500 open - -"]);
    let then =
        default_record::then(&db, &found.id, When { day: day("2024-03-01"), known }).unwrap();
    assert_eq!(then.state, DefaultState::Withdrawn);
    // The rule goes on with it, and cures it when it holds no more.
    sweep(&db, "2024-03-02");
    assert_eq!(defaults(&db, None).len(), 1);
    pay(&db, "P", "C", "2024-03-02", 500);
    sweep(&db, "2024-03-03");
    assert_eq!(defaults(&db, None), ["C 2024-03-01 500 cured 2024-03-03 P"]);
    // What the rule found since stands alone.
    bill(&db, "J", "C", "2024-01-01", "2024-01-10", 70);
    sweep(&db, "2024-03-04");
    assert_eq!(refused(reopen(&found.id, "2024-03-03")), (Refusal::WrongState, "id".to_string()));
    let broken = verify::books(&db).unwrap();
    assert!(broken.ok, "{broken:?}");
}

#[test]
fn what_was_taken_back_does_not_come_again_by_repeating_it() {
    let (_folder, db) = db();
    customer(&db, "C");
    bill(&db, "I", "C", "2024-01-01", "2024-01-10", 500);
    let author = on("2024-03-01");
    let new = json!({"id": "D", "invoice_id": "I", "on": "2024-02-01", "reason": "price"});
    dispute::open(&db, &read(new), id("made"), &author).unwrap();
    let new = json!({"id": "F", "customer_id": "C", "found_on": "2024-02-01", "kind": "refused",
        "reason": "late"});
    default_record::add(&db, &read(new), id("made"), &author).unwrap();
    let resolve = |new: serde_json::Value| dispute::resolve(&db, &id("D"), &read(new), &author);
    let close = |new: serde_json::Value| default_record::close(&db, &id("F"), &read(new), &author);
    let reopen =
        |new: serde_json::Value| default_record::reopen(&db, &id("F"), &read(new), &author);

    let first = json!({"outcome": "upheld", "on": "2024-02-10"});
    let undo = json!({"undo": true, "replaces": "2024-02-10"});
    assert_eq!(resolve(first.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(first.clone()).unwrap(), Change::AlreadySo);
    assert_eq!(resolve(undo.clone()).unwrap(), Change::Replaced);
    assert_eq!(resolve(undo.clone()).unwrap(), Change::AlreadySo);
    let other = json!({"undo": true, "replaces": "2024-02-10", "detail": "of another"});
    assert_eq!(refused(resolve(other)), (Refusal::DifferentContent, "detail".into()));
    for again in [first.clone(), json!({"outcome": "upheld"})] {
        assert_eq!(refused(resolve(again)).0, Refusal::WrongState);
    }
    // Another word or another day is another decision, and what undid the first does not undo it.
    let second = json!({"outcome": "upheld", "on": "2024-02-10", "detail": "after all"});
    assert_eq!(resolve(second).unwrap(), Change::Replaced);
    assert_eq!(refused(resolve(undo)).0, Refusal::WrongState);
    assert_eq!(refused(resolve(first)).0, Refusal::WrongState);

    let first = json!({"state": "cured", "on": "2024-02-10", "reason": "paid"});
    let undo = json!({"replaces": "2024-02-10", "reason": "of another"});
    assert_eq!(close(first.clone()).unwrap(), Change::Replaced);
    assert_eq!(close(first.clone()).unwrap(), Change::AlreadySo);
    let other = json!({"state": "cured", "on": "2024-02-10", "reason": "promised"});
    assert_eq!(refused(close(other.clone())), (Refusal::DifferentContent, "reason".into()));
    assert_eq!(reopen(undo.clone()).unwrap(), Change::Replaced);
    assert_eq!(reopen(undo.clone()).unwrap(), Change::AlreadySo);
    let why = json!({"replaces": "2024-02-10", "reason": "by mistake"});
    assert_eq!(refused(reopen(why)), (Refusal::DifferentContent, "reason".into()));
    assert_eq!(refused(close(first.clone())).0, Refusal::WrongState);
    assert_eq!(close(other).unwrap(), Change::Replaced);
    assert_eq!(refused(reopen(undo)), (Refusal::WrongState, "replaces".into()));
    let broken = verify::books(&db).unwrap();
    assert!(broken.ok, "{broken:?}");
}

#[test]
fn the_rule_opens_a_default_once_and_cures_it() {
    let (_folder, db) = db();
    for name in ["C", "Small"] {
        customer(&db, name);
    }
    bill(&db, "I1", "C", "2024-01-01", "2024-01-31", 700);
    bill(&db, "I2", "C", "2024-01-01", "2024-02-20", 300);
    bill(&db, "S1", "Small", "2024-01-01", "2024-01-01", 999);
    let rule = json!({"days": 30, "at_least": [eur(1000)]});
    policy::put(&db, &read(json!({"grace_days": 5, "default_rule": rule})), &on("2024-01-01"))
        .unwrap();
    sweep(&db, "2024-03-05");
    assert_eq!(defaults(&db, None), [""; 0], "29 delinquent days");
    sweep(&db, "2024-03-06");
    let open = ["C 2024-03-06 1000 open - -"];
    assert_eq!(defaults(&db, None), open);
    let found = default_record::page(&db, "", 1, None, None, When::ALL).unwrap().remove(0);
    assert_eq!(
        (found.by_rule, found.invoice_id, found.kind),
        (true, Some(id("I1")), DefaultKind::LatePayment)
    );
    sweep(&db, "2024-03-06");
    sweep(&db, "2024-03-07");
    assert_eq!(defaults(&db, None), open, "the same again");
    pay(&db, "P1", "C", "2024-03-08", 700);
    sweep(&db, "2024-03-09");
    assert_eq!(defaults(&db, None), ["C 2024-03-06 1000 cured 2024-03-09 P1"]);
    // Late again: a default of its own.
    bill(&db, "I3", "C", "2024-03-01", "2024-03-20", 900);
    sweep(&db, "2024-04-30");
    let all = defaults(&db, Some("C"));
    assert_eq!(all.len(), 2);
    assert!(all.contains(&"C 2024-04-30 1200 open - -".to_string()), "{all:?}");
}

#[test]
fn giving_up_a_debt_cures_no_default() {
    let (_folder, db) = db();
    let rule = json!({"days": 30, "at_least": [eur(500)]});
    policy::put(&db, &read(json!({"default_rule": rule})), &on("2024-01-01")).unwrap();
    let all = ["Gone", "Part", "Recovered", "Reversed", "Closed", "Credited", "Late"];
    for name in all {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 1000);
    }
    // Given up before it was late for long enough: nothing is opened over it.
    give_up(&db, "W-Late", "I-Late", "2024-02-20", None);
    sweep(&db, "2024-03-01");
    let state = |name: &str| {
        let found = defaults(&db, Some(name));
        found.iter().map(|of| of.split(' ').nth(3).unwrap().to_string()).collect::<Vec<_>>()
    };
    for name in &all[..6] {
        assert_eq!(state(name), ["open"], "{name}");
    }
    assert_eq!(state("Late"), [""; 0]);
    for (name, minor) in
        [("Gone", 1000), ("Part", 600), ("Recovered", 1000), ("Reversed", 1000), ("Closed", 1000)]
    {
        give_up(&db, &format!("W-{name}"), &format!("I-{name}"), "2024-03-02", Some(minor));
    }
    let credit = json!({"id": "N", "customer_id": "Credited", "kind": "credit-note",
        "issued_on": "2024-03-02", "amount": eur(1000)});
    invoice::add(&db, &read(credit), id("made"), &on("2024-03-02")).unwrap();
    // What is not given up is paid, and only half is left of the whole.
    pay(&db, "P-Part", "Part", "2024-03-02", 400);
    sweep(&db, "2024-03-02");
    for name in &all[..5] {
        assert_eq!(state(name), ["open"], "{name} is given up");
    }
    assert_eq!(state("Credited"), ["cured"]);
    assert_eq!(state("Late"), [""; 0]);
    let named = |name: &str, of: &str, when: &str, minor: i64| {
        let new = json!({"id": name, "customer_id": of, "received_on": when, "amount": eur(minor),
            "invoice_id": format!("I-{of}")});
        payment::add(&db, &read(new), id("made"), &on(when)).unwrap();
    };
    // 600 less 100 is what the rule says; 600 less 101 is not.
    named("P1", "Part", "2024-03-03", 100);
    named("P2", "Recovered", "2024-03-03", 501);
    let back = read(json!({"on": "2024-03-03", "reason": "by mistake"}));
    write_off::reverse(&db, &id("W-Reversed"), &back, &on("2024-03-03")).unwrap();
    let closed = default_record::page(&db, "", 9, Some(&id("Closed")), None, When::ALL).unwrap();
    let closing = read(json!({"state": "cured", "on": "2024-03-03", "reason": "we let go"}));
    default_record::close(&db, &closed[0].id, &closing, &on("2024-03-03")).unwrap();
    for date in ["2024-03-03", "2024-03-04"] {
        sweep(&db, date);
        for (name, wanted) in [
            ("Gone", "open"),
            ("Part", "open"),
            ("Recovered", "cured"),
            ("Reversed", "open"),
            ("Closed", "cured"),
        ] {
            assert_eq!(state(name), [wanted], "{name} on {date}");
        }
    }
    named("P3", "Part", "2024-03-05", 1);
    pay(&db, "P4", "Reversed", "2024-03-05", 1000);
    sweep(&db, "2024-03-05");
    assert_eq!((state("Part"), state("Reversed")), (vec!["cured".into()], vec!["cured".into()]));
    assert_eq!(state("Gone"), ["open"]);
}

#[test]
fn what_was_never_owed_cures_a_default_though_it_was_given_up() {
    let (_folder, db) = db();
    let rule = json!({"days": 30, "at_least": [eur(500)]});
    policy::put(&db, &read(json!({"default_rule": rule})), &on("2024-01-01")).unwrap();
    let all = ["Upheld", "Noted", "Voided"];
    for name in all {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 1000);
    }
    sweep(&db, "2024-03-01");
    let author = on("2024-03-03");
    let new = read(json!({"id": "D", "invoice_id": "I-Upheld", "reason": "quality"}));
    dispute::open(&db, &new, id("made"), &on("2024-03-02")).unwrap();
    for name in all {
        give_up(&db, &format!("W-{name}"), &format!("I-{name}"), "2024-03-02", None);
    }
    let states = |wanted: &str| {
        for name in all {
            let found = defaults(&db, Some(name));
            assert_eq!(found[0].split(' ').nth(3).unwrap(), wanted, "{name}");
        }
    };
    states("open");
    let standing =
        |name: &str| write_off::get(&db, &id(&format!("W-{name}"))).unwrap().standing_minor;
    assert_eq!(all.map(standing), [1000; 3]);
    dispute::resolve(&db, &id("D"), &read(json!({"outcome": "upheld"})), &author).unwrap();
    let credit = json!({"id": "N", "customer_id": "Noted", "kind": "credit-note",
        "relates_to": "I-Noted", "issued_on": "2024-03-03", "amount": eur(1000)});
    invoice::add(&db, &read(credit), id("made"), &author).unwrap();
    invoice::void(&db, &id("I-Voided"), day("2024-03-03"), &author).unwrap();
    assert_eq!(all.map(standing), [0; 3]);
    // Who paid nothing is paid nothing, and no money is told of.
    let refund = credit_refund::add(&db, &id("N"), &read(json!({})), id("made"), &author);
    assert_eq!(refused(refund).0, Refusal::MoreThanOpen);
    for name in all {
        let told = statement::of(&db, &id(name), day("2024-03-03"), None, i64::MAX).unwrap();
        assert!(told.entries.iter().all(|of| of.kind != EntryKind::Recovery), "{told:?}");
        assert_eq!(told.entries.last().map(|of| of.balance_minor), Some(0), "{name}");
    }
    sweep(&db, "2024-03-03");
    states("cured");
    assert!(verify::books(&db).unwrap().ok);
}

#[test]
fn what_is_paused_contested_or_withdrawn_is_no_default() {
    let (_folder, db) = db();
    for name in ["Paused", "Contested", "Withdrawn"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-01", 100);
    }
    let author = on("2024-01-15");
    policy::put(&db, &read(json!({"default_rule": {"days": 30}})), &author).unwrap();
    let paused = json!({"customer_id": "Paused", "from": "2024-01-10", "to": "2024-01-20"});
    pause::add(&db, &read(paused), id("pause"), &author).unwrap();
    let contested = json!({"id": "D", "invoice_id": "I-Contested", "reason": "quality"});
    dispute::open(&db, &read(contested), id("made"), &author).unwrap();
    sweep(&db, "2024-02-05");
    assert_eq!(defaults(&db, None), ["Withdrawn 2024-02-05 100 open - -"]);
    let found = default_record::page(&db, "", 1, None, None, When::ALL).unwrap().remove(0);
    let closing = read(json!({"state": "withdrawn"}));
    default_record::close(&db, &found.id, &closing, &on("2024-02-06")).unwrap();
    sweep(&db, "2024-02-09");
    assert_eq!(defaults(&db, None), ["Withdrawn 2024-02-05 100 withdrawn 2024-02-06 -"]);
    sweep(&db, "2024-02-10");
    let mut all = defaults(&db, None);
    all.sort();
    assert_eq!(
        all,
        ["Paused 2024-02-10 100 open - -", "Withdrawn 2024-02-05 100 withdrawn 2024-02-06 -"]
    );
    let rejected = read(json!({"outcome": "rejected"}));
    dispute::resolve(&db, &id("D"), &rejected, &on("2024-02-10")).unwrap();
    sweep(&db, "2024-02-11");
    assert_eq!(defaults(&db, Some("Contested")), ["Contested 2024-02-11 100 open - -"]);
}

#[test]
fn what_cured_a_default_is_money_that_came_to_what_was_overdue() {
    let (_folder, db) = db();
    rule(&db, false);
    let pays = |name: &str, of: &str, when: &str, invoice: Option<&str>, minor: i64| {
        let new = json!({"id": name, "customer_id": of, "received_on": when, "amount": eur(minor),
            "invoice_id": invoice});
        payment::add(&db, &read(new), id("made"), &on("2024-03-02")).unwrap();
    };
    let credit = |of: &str, invoice: &str, issued: &str| {
        let new = json!({"id": format!("N-{of}"), "customer_id": of, "kind": "credit-note",
            "relates_to": invoice, "issued_on": issued, "amount": eur(1000)});
        invoice::add(&db, &read(new), id("made"), &on("2024-03-02")).unwrap();
    };
    for name in ["Credit", "Moved", "Ahead", "Late", "Back"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 1000);
        bill(&db, &format!("J-{name}"), name, "2024-01-02", "2024-03-20", 1000);
    }
    bill(&db, "K-Moved", "Moved", "2024-01-02", "2024-02-29", 400);
    pay(&db, "P-Credit", "Credit", "2024-02-05", 400);
    pay(&db, "P-Moved", "Moved", "2024-02-05", 400);
    sweep(&db, "2024-03-01");
    // The credit is older than the money, which moves on to what is not due, or is due as well.
    credit("Credit", "I-Credit", "2024-02-01");
    credit("Moved", "I-Moved", "2024-02-01");
    // Money for what is not due yet cures nothing either; money that was recorded late does.
    credit("Ahead", "I-Ahead", "2024-03-02");
    pays("P-Ahead", "Ahead", "2024-03-02", Some("J-Ahead"), 300);
    pays("P-Late", "Late", "2024-01-30", None, 1000);
    pays("P-Back", "Back", "2024-03-02", Some("I-Back"), 1000);
    charge_back(&db, "P-Back", "2024-03-02");
    credit("Back", "I-Back", "2024-03-02");
    sweep(&db, "2024-03-02");
    for (name, cured_by) in
        [("Credit", "-"), ("Moved", "-"), ("Ahead", "-"), ("Late", "P-Late"), ("Back", "-")]
    {
        let found = defaults(&db, Some(name)).remove(0);
        assert!(found.ends_with(&format!("cured 2024-03-02 {cured_by}")), "{found}");
    }
}

#[test]
fn a_default_is_written_by_hand_and_closed_once() {
    let (_folder, db) = db();
    customer(&db, "C");
    customer(&db, "Other");
    bill(&db, "I", "C", "2024-01-01", "2024-01-31", 700);
    pay(&db, "P", "C", "2024-02-20", 700);
    pay(&db, "Q", "Other", "2024-02-20", 1);
    let author = on("2024-03-01");
    let add = |value: Value| default_record::add(&db, &read(value), id("made"), &author);
    let with = |field: &str, value: Value| {
        let mut new = json!({"id": "D", "customer_id": "C", "kind": "refused", "reason": "Says no.",
            "found_on": "2024-02-01", "invoice_id": "I", "amount": eur(700)});
        new[field] = value;
        new
    };
    assert_eq!(add(with("id", "D".into())).unwrap().1, Change::Made);
    assert_eq!(add(with("id", "D".into())).unwrap().1, Change::AlreadySo);
    for (field, value, code) in [
        ("kind", json!("broken-plan"), Refusal::DifferentContent),
        ("customer_id", json!("Other"), Refusal::DifferentContent),
        ("reason", json!(""), Refusal::MissingField),
        ("amount", eur(0), Refusal::AmountNotPositive),
    ] {
        assert_eq!(refused(add(with(field, value))), (code, field.to_string()));
    }
    for (field, value, code) in [
        ("customer_id", json!("X"), Refusal::UnknownCustomer),
        ("contract_id", json!("X"), Refusal::UnknownContract),
        ("invoice_id", json!("X"), Refusal::UnknownInvoice),
        ("found_on", json!("2024-03-02"), Refusal::DateInFuture),
    ] {
        let mut new = with(field, value);
        new["id"] = json!("new");
        assert_eq!(refused(add(new)), (code, field.to_string()));
    }
    // What is named says in which currency and from when.
    for (field, value, code) in [
        ("amount", json!({"minor": 5, "currency": "JPY"}), Refusal::CurrencyMismatch),
        ("amount", eur(100_000), Refusal::MoreThanOpen),
        ("found_on", json!("2023-12-31"), Refusal::DateOutOfRange),
    ] {
        let mut new = with(field, value);
        new["id"] = json!("new");
        assert_eq!(refused(add(new)), (code, field.to_string()));
    }
    let mut of_another = with("customer_id", json!("Other"));
    of_another["id"] = json!("new");
    assert_eq!(refused(add(of_another)).0, Refusal::InvoiceOfAnotherCustomer);
    let close = |value: Value| default_record::close(&db, &id("D"), &read(value), &author);
    let stranger = json!({"state": "cured", "payment_id": "Q"});
    assert_eq!(refused(close(stranger)), (Refusal::UnknownPayment, "payment_id".to_string()));
    let early = json!({"state": "cured", "on": "2024-01-31"});
    assert_eq!(refused(close(early)), (Refusal::WrongState, "on".to_string()));
    let before = json!({"state": "cured", "on": "2024-02-19", "payment_id": "P"});
    assert_eq!(refused(close(before)), (Refusal::DateOutOfRange, "on".to_string()));
    let cured = json!({"state": "cured", "on": "2024-02-20", "payment_id": "P"});
    assert_eq!(close(cured.clone()).unwrap(), Change::Replaced);
    assert_eq!(close(cured).unwrap(), Change::AlreadySo);
    assert_eq!(refused(close(json!({"state": "withdrawn"}))).0, Refusal::WrongState);
    assert_eq!(defaults(&db, None), ["C 2024-02-01 700 cured 2024-02-20 P"]);
    // Nothing by hand is touched by the rule.
    policy::put(&db, &read(json!({"default_rule": {"days": 1}})), &author).unwrap();
    sweep(&db, "2024-03-01");
    assert_eq!(defaults(&db, None).len(), 1);
}

/// Something that happens to one of three customers: what, to whom, on which day of the year, and how much.
type Event = (u8, usize, i64, i64);

/// Records the event. What the state of the books does not allow is left out.
fn happen(db: &NativeDb, number: usize, (what, whose, on_day, much): Event) {
    let (of, on_day) = (format!("C{whose}"), at(on_day));
    let name = format!("{number}");
    let author = on("2024-12-31");
    match what {
        0 | 1 => bill(db, &format!("I{name}"), &of, &on_day, &on_day, much),
        2 => pay(db, &format!("P{name}"), &of, &on_day, much),
        3 => {
            let to = day(&on_day).plus_days(much % 60).unwrap();
            let new = json!({"id": name, "customer_id": of, "from": on_day, "to": to});
            pause::add(db, &read(new), id("made"), &author).unwrap();
        }
        _ => {
            let invoice = format!("I{}", number.saturating_sub(1));
            let new = json!({"id": name, "invoice_id": invoice, "on": on_day, "reason": "price"});
            let _ = dispute::open(db, &read(new), id("made"), &author);
        }
    }
}

/// Whether the rule holds on the day, by how each document reads.
fn in_default(db: &NativeDb, of: &str, date: &str, days: u32, at_least: i64) -> bool {
    let all = invoice::page(db, &id(of), &(String::new(), 0), 100, day(date)).unwrap();
    let overdue: Vec<(u32, i64)> = all
        .iter()
        .map(|(found, _)| found)
        .filter(|found| found.due_on < day(date))
        .map(|found| (found.delinquent_days, found.open.minor - found.disputed_minor))
        .filter(|(_, minor)| *minor > 0)
        .collect();
    overdue.iter().map(|(_, minor)| minor).sum::<i64>() >= at_least
        && overdue.iter().any(|(delinquent, _)| *delinquent >= days)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn who_is_in_default_is_who_reads_so(
        events in proptest::collection::vec((0u8..5, 0usize..3, 0i64..90, 1i64..400), 1..14),
        days in 1u32..40,
        at_least in 0i64..300,
        swept in proptest::collection::btree_set(1i64..130, 1..4),
    ) {
        let (_folder, db) = db();
        (0..3).for_each(|of| customer(&db, &format!("C{of}")));
        let rule = json!({"days": days, "at_least": [eur(at_least)]});
        let new = json!({"grace_days": 2, "default_rule": rule});
        policy::put(&db, &read(new), &on("2024-01-01")).unwrap();
        events.iter().enumerate().for_each(|(number, event)| happen(&db, number, *event));
        for date in swept.into_iter().map(at) {
            sweep(&db, &date);
            for of in ["C0", "C1", "C2"] {
                let state = Some(DefaultState::Open);
                let open = default_record::page(&db, "", 9, Some(&id(of)), state, When::ALL).unwrap();
                let so = in_default(&db, of, &date, days, at_least);
                prop_assert_eq!(open.len(), usize::from(so), "{} on {}", of, date);
            }
        }
    }
}
