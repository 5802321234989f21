//! Cards, judgements that are kept, tiers, reviews and grades that move, on a real SQLite file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{day, db, id, on, read};
use dunlin_app::{
    audit::Author, card, contract, credit, customer, default_record, event_source, external,
    guarantee, inbound_event, interest, invoice, ledger::Change, payment, review, score, sweep,
    tier, warn, write_off,
};
use dunlin_domain::{
    Refusal,
    card::{Card, shipped},
    contract::{
        credit::LimitState,
        external::{ExternalScore, FinancialStatement, PublicRecord},
        score::{
            CardPublication, FactName, MigrationCell, ScoreCard, ScoreChange, ScoreLine, WhatIf,
        },
        types::{Grade, Language},
    },
};
use dunlin_store::{Db, Fault, native::NativeDb, score::Wanted};
use serde_json::{Value, json};

fn customer(db: &NativeDb, name: &str, more: Value) {
    let mut new = json!({"id": name, "name": name});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    customer::put(db, &id(name), &read(new), &on("2024-01-01")).unwrap();
}

fn bill(db: &NativeDb, name: &str, of: &str, issued: &str, due: &str) {
    let new = json!({"id": name, "customer_id": of, "issued_on": issued, "due_on": due,
        "amount": {"minor": 1000, "currency": "EUR"}});
    invoice::add(db, &read(new), id("made"), &on(issued)).unwrap();
}

fn pay(db: &NativeDb, name: &str, of: &str, received: &str, invoice: &str) {
    let new = json!({"id": name, "customer_id": of, "received_on": received, "invoice_id": invoice,
        "amount": {"minor": 1000, "currency": "EUR"}});
    payment::add(db, &read(new), id("made"), &on(received)).unwrap();
}

/// Sweeps the business date to its end, in slices of two customers.
fn sweep(db: &NativeDb, date: &str) {
    let now = on(date).at;
    let mut tick =
        sweep::Tick::begin(db, Some(day(date)), id("tick"), now).unwrap().in_slices_of(2);
    loop {
        match tick.step(db, now).unwrap() {
            sweep::Step::More => {}
            sweep::Step::Deliver => tick.delivered(db, Default::default(), true, now).unwrap(),
            sweep::Step::Done => break,
        }
    }
    tick.end(db).unwrap();
}

/// One who pays on the day, one who pays late and then no more, and one who is new in April.
fn book() -> (tempfile::TempDir, NativeDb) {
    let (folder, db) = db();
    for name in ["prompt", "late", "new"] {
        customer(&db, name, json!({"segment": if name == "late" { "retail" } else { "trade" }}));
    }
    for month in 1..=3 {
        for of in ["prompt", "late"] {
            let name = format!("{of}{month}");
            bill(&db, &name, of, &format!("2024-0{month}-01"), &format!("2024-0{month}-20"));
        }
        let paid = format!("2024-0{month}-20");
        pay(&db, &format!("p{month}"), "prompt", &paid, &format!("prompt{month}"));
    }
    pay(&db, "l1", "late", "2024-02-10", "late1");
    (folder, db)
}

fn history(db: &NativeDb, of: &str) -> Vec<ScoreChange> {
    score::history(db, &id(of), "9999-12-31", 100, Language::En).unwrap()
}

fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Refusal, Option<String>) {
    match result.unwrap_err() {
        Fault::Refused(refused) => (refused.code, refused.field),
        other => panic!("{other:?}"),
    }
}

fn card_of(db: &NativeDb, of: &str, on: &str) -> ScoreCard {
    score::card(db, &id(of), day(on), Language::En).unwrap()
}

#[test]
fn what_changed_since_when_and_why_is_told_and_nothing_else_is_kept() {
    let (_folder, db) = book();
    for date in ["2024-03-25", "2024-03-26", "2024-04-09", "2024-04-10"] {
        sweep(&db, date);
    }
    let prompt = history(&db, "prompt");
    assert_eq!(prompt.len(), 1, "what stays the same is one judgement: {prompt:#?}");
    assert_eq!((prompt[0].as_of, prompt[0].score_before), (day("2024-03-25"), None));
    assert_eq!((prompt[0].grade, prompt[0].notch), (Some(Grade::A), Some(2)));
    let late = history(&db, "late");
    assert_eq!(late.len(), 4, "days late grow");
    let (now, before) = (&late[0], &late[1]);
    assert!(now.score < before.score && now.score_before == before.score);
    assert_eq!(now.grade_before, before.grade);
    let index = now.moved.iter().find(|of| of.name == "payment-index").unwrap();
    assert!(index.value > index.value_before && index.points < index.points_before);
    assert!(now.moved.iter().all(|of| of.points != of.points_before), "only what moved");
    assert!(now.reasons.iter().any(|of| of.code == "pays-beyond-terms"));
    let first = score::history(&db, &id("late"), "2024-04-10", 1, Language::ZhCn).unwrap();
    assert_eq!((first.len(), first[0].as_of), (1, day("2024-04-09")));
    assert_eq!(first[0].score_before, late[2].score, "also at the end of a page");
    assert_eq!(history(&db, "new"), [], "who was never asked to pay is not judged");
}

fn give_up(db: &NativeDb, invoice: &str, date: &str) {
    let new = json!({"invoice_id": invoice, "on": date, "reason": "insolvent"});
    write_off::add(db, &read(new), id(&format!("W-{invoice}")), &on(date)).unwrap();
}

#[test]
fn a_debt_that_is_given_up_was_not_paid() {
    let (_folder, db) = book();
    // Who never paid anything keeps its grade.
    customer(&db, "never", json!({}));
    bill(&db, "never1", "never", "2024-01-01", "2024-01-20");
    let shown = |of: &str, on: &str| {
        let card = card_of(&db, of, on);
        let points = |name: &str| {
            let of = card.indicators.iter().find(|of| of.name == name).unwrap();
            of.points.map_or("-".into(), |of| of.to_string())
        };
        let named = ["payment-index", "share-late", "worst-lateness", "overdue-share"].map(points);
        format!("{} {}", card.grade.map_or("-".into(), |of| of.to_string()), named.join(" "))
    };
    assert_eq!(shown("never", "2024-12-30"), "E 0.00 0.00 0.00 0.00");
    give_up(&db, "never1", "2024-12-31");
    for date in ["2024-12-31", "2025-01-19", "2025-01-20", "2027-01-20"] {
        assert_eq!(shown("never", date), "E 0.00 0.00 0.00 0.00", "{date}");
    }
    // No points come of what is given up, before and after it is a year old: five paid on the day, and one of as much
    // that was not.
    for name in ["owes", "given", "half", "back"] {
        customer(&db, name, json!({}));
        for at in 1..=5 {
            let (bill_name, paid) = (format!("{name}{at}"), format!("{name}-p{at}"));
            bill(&db, &bill_name, name, "2024-02-01", "2024-03-01");
            pay(&db, &paid, name, "2024-03-01", &bill_name);
        }
        let lost = json!({"id": format!("{name}6"), "customer_id": name, "issued_on": "2024-05-01",
            "due_on": "2024-06-12", "amount": {"minor": 5000, "currency": "EUR"}});
        invoice::add(&db, &read(lost), id("made"), &on("2024-05-01")).unwrap();
    }
    let write = |of: &str, minor: Option<i64>, date: &str| {
        let new = json!({"invoice_id": of, "on": date, "minor": minor, "reason": "insolvent"});
        write_off::add(&db, &read(new), id(&format!("W-{of}-{date}")), &on(date)).unwrap();
    };
    write("given6", None, "2024-10-10");
    write("half6", Some(2500), "2025-06-12");
    write("back6", None, "2024-10-10");
    let taken_back = read(json!({"on": "2025-03-01", "reason": "by mistake"}));
    write_off::reverse(&db, &id("W-back6-2024-10-10"), &taken_back, &on("2025-03-01")).unwrap();
    let mut date = day("2024-10-01");
    while date < day("2025-08-01") {
        let shown = ["owes", "given", "half", "back"].map(|of| {
            let card = score::card(&db, &id(of), date, Language::En).unwrap();
            (
                card.score,
                card.grade,
                card.indicators.into_iter().map(|of| of.points).collect::<Vec<_>>(),
            )
        });
        assert!(shown.iter().all(|of| *of == shown[0]), "{date}: {shown:?}");
        date = date.plus_days(1).unwrap();
    }
    assert_eq!(shown("given", "2024-10-10"), "E 14.00 7.50 0.00 0.00");
    // Money for it pays late, on its day.
    for name in ["owes", "given"] {
        pay(&db, &format!("{name}-p6"), name, "2025-08-01", &format!("{name}6"));
    }
    for date in ["2025-08-01", "2026-03-01", "2026-08-01"] {
        assert_eq!(shown("given", date), shown("owes", date), "{date}");
    }
}

#[test]
fn whoever_pays_an_old_debt_has_paid_late_for_twelve_months() {
    let (_folder, db) = db();
    customer(&db, "old", json!({}));
    bill(&db, "old0", "old", "2023-01-01", "2023-01-20");
    for month in (1..=12).map(|of| format!("2024-{of:02}")).chain(["2025-06".to_string()]) {
        let name = format!("old-{month}");
        bill(&db, &name, "old", &format!("{month}-01"), &format!("{month}-02"));
        pay(&db, &format!("p-{month}"), "old", &format!("{month}-02"), &name);
    }
    let shown = |on: &str| {
        let card = card_of(&db, "old", on);
        format!("{} {}", card.grade.unwrap(), card.score.unwrap())
    };
    let owed = shown("2024-06-09");
    pay(&db, "p0", "old", "2024-06-10", "old0");
    let paid = ["2024-06-10", "2025-06-09", "2025-06-10"].map(shown);
    assert_eq!((owed.as_str(), paid), ("D 28.3", ["C 50.5", "C 57.5", "A 92.2"].map(String::from)));
}

#[test]
fn whoever_pays_everything_is_judged_no_worse_for_it() {
    let (_folder, db) = db();
    customer(&db, "slow", json!({}));
    for month in 1..=6 {
        let name = format!("slow{month}");
        bill(&db, &name, "slow", &format!("2024-0{month}-01"), &format!("2024-0{month}-02"));
        pay(&db, &format!("p{month}"), "slow", &format!("2024-0{month}-28"), &name);
    }
    bill(&db, "open", "slow", "2024-06-30", "2024-07-30");
    let before = card_of(&db, "slow", "2024-07-01");
    pay(&db, "last", "slow", "2024-07-02", "open");
    let after = card_of(&db, "slow", "2024-07-02");
    assert_eq!((before.score, before.grade), (after.score, after.grade));
    assert_eq!(after.score, Some("60.1".parse().unwrap()));
    // Nor is it who is asked to pay again.
    bill(&db, "again", "slow", "2024-07-03", "2024-07-30");
    assert_eq!(card_of(&db, "slow", "2024-07-03").score, after.score);
}

#[test]
fn every_stored_judgement_can_be_made_again_from_what_it_rests_on() {
    let (_folder, db) = book();
    sweep(&db, "2024-03-25");
    let mut other = serde_json::to_value(shipped()).unwrap();
    other["notches"] = json!(2);
    other["indicators"][0]["weight"] = json!(60);
    card::put(&db, &id("strict"), &read(other), &on("2024-03-25")).unwrap();
    card::publish(&db, &id("strict"), &read(json!({})), &on("2024-03-25")).unwrap();
    for date in ["2024-03-26", "2024-04-30", "2024-07-01"] {
        sweep(&db, date);
    }
    let rows = db
        .execute("SELECT json_array(score, grade, notch, model, json(facts), json(points)) FROM score_change", &[])
        .unwrap();
    assert!(rows.len() > 6, "{}", rows.len());
    let strict = card::get(&db, &id("strict"), Some(1)).unwrap().document;
    let mut made_by_strict = 0;
    for row in &rows {
        let (score, grade, notch, model, facts, points): (Value, Value, Value, String, _, Value) =
            row.json(0).unwrap();
        let facts: std::collections::BTreeMap<FactName, _> = facts;
        let mut known = dunlin_domain::contract::score::Facts::none(&id("x"), day("2024-01-01"));
        for (name, value) in facts {
            known.set(name, Some(value));
        }
        let document = if model == "card@1" { shipped() } else { strict.clone() };
        made_by_strict += usize::from(model == "strict@1");
        let card = Card { model, document };
        let again = card.card(&known, Language::En);
        assert_eq!(
            json!([again.score, again.grade, again.notch]),
            json!([score, grade, notch]),
            "{points}"
        );
        let given: serde_json::Map<String, Value> = card
            .points(&known)
            .into_iter()
            .map(|(name, points)| (name.to_string(), json!(points)))
            .collect();
        assert_eq!(Value::from(given), points);
    }
    assert!(made_by_strict >= 2);
}

#[test]
fn a_card_judges_from_its_day_on_and_is_never_changed() {
    let (_folder, db) = book();
    let (name, mut new) = (id("retail-card"), serde_json::to_value(shipped()).unwrap());
    new["segment"] = json!("retail");
    new["decimals"] = json!(0);
    let put = |new: &Value, on_: &str| card::put(&db, &name, &read(new.clone()), &on(on_));
    assert_eq!(put(&new, "2024-03-25"), Ok(Change::Made));
    assert_eq!(put(&new, "2024-03-25"), Ok(Change::AlreadySo));
    sweep(&db, "2024-03-25");
    assert_eq!(card_of(&db, "late", "2024-03-25").model, "card@1", "a draft judges nobody");
    let publish = |from: Option<&str>| {
        let from = CardPublication { valid_from: from.map(day) };
        card::publish(&db, &name, &from, &on("2024-03-25"))
    };
    let early = (Refusal::DateAlreadySwept, Some("valid_from".to_string()));
    assert_eq!(refused(publish(Some("2024-03-25"))), early);
    assert_eq!(publish(None), Ok(Change::Replaced));
    assert_eq!(publish(None), Ok(Change::AlreadySo));
    assert_eq!(publish(Some("2024-03-26")), Ok(Change::AlreadySo));
    assert_eq!(refused(publish(Some("2024-03-27"))).0, Refusal::WrongState);
    assert_eq!(put(&new, "2024-03-25"), Ok(Change::AlreadySo), "it says what is published");
    for (of, on, model) in [
        ("late", "2024-03-25", "card@1"),
        ("late", "2024-03-26", "retail-card@1"),
        ("prompt", "2024-03-26", "card@1"),
    ] {
        assert_eq!(card_of(&db, of, on).model, model, "{of} {on}");
    }
    sweep(&db, "2024-03-26");
    let late = &history(&db, "late")[0];
    assert_eq!((late.as_of, late.model.as_str()), (day("2024-03-26"), "retail-card@1"));
    assert_eq!(late.score.unwrap().scale(), 0);
    new["decimals"] = json!(1);
    assert_eq!(put(&new, "2024-03-26"), Ok(Change::Replaced));
    assert_eq!(publish(None), Ok(Change::Replaced));
    let version = |version| card::get(&db, &name, version).unwrap();
    assert_eq!(version(None).version, Some(2));
    assert_eq!(version(Some(1)).document.decimals, Some(0));
    assert_eq!(version(Some(1)).valid_from, Some(day("2024-03-26")));
    assert_eq!(refused(card::get(&db, &name, Some(3))).0, Refusal::NotFound);
    assert_eq!(
        refused(card::publish(&db, &id("none"), &read(json!({})), &on("2024-03-26"))).0,
        Refusal::NotFound
    );
    let names: Vec<_> = card::page(&db, &Default::default(), 9).unwrap();
    let names: Vec<_> = names.iter().map(|(card, _)| card.version).collect();
    assert_eq!(names, [Some(2), Some(1)]);
    // A card that is called like the one that ships begins after it.
    let shipped_id = id("card");
    assert_eq!(card::get(&db, &shipped_id, None).unwrap().version, Some(1));
    card::put(&db, &shipped_id, &read(new), &on("2024-03-26")).unwrap();
    card::publish(&db, &shipped_id, &read(json!({})), &on("2024-03-26")).unwrap();
    assert_eq!(card::get(&db, &shipped_id, None).unwrap().version, Some(2));
    assert_eq!(card::get(&db, &shipped_id, Some(1)).unwrap().document, shipped());
}

#[test]
fn a_question_changes_facts_or_the_card_and_nothing_else() {
    let (_folder, db) = book();
    sweep(&db, "2024-03-25");
    let count = |table: &str| db.int(&format!("SELECT count(*) FROM {table}"), &[]).unwrap();
    let counts = || ["card", "score", "score_change", "audit", "event"].map(count);
    let before = counts();
    let now = on("2024-03-25").at;
    let ask = |asked: Value| card::what_if(&db, &read::<WhatIf>(asked), now, Language::En);
    let as_it_is = ask(json!({"customer_id": "late"})).unwrap();
    assert_eq!(as_it_is, card_of(&db, "late", "2024-03-25"));
    let paid = json!({"customer_id": "late", "unknown": ["overdue-share"],
        "facts": [{"fact": 1}]});
    assert!(serde_json::from_value::<WhatIf>(paid).is_err());
    let paid = ask(json!({"customer_id": "late", "unknown": ["overdue-share"],
        "facts": [{"name": "days-beyond-terms-12m", "value": "0"}]}))
    .unwrap();
    assert!(paid.score > as_it_is.score);
    let nobody = ask(json!({"facts": [{"name": "days-beyond-terms-12m", "value": "30"}]})).unwrap();
    assert_eq!((nobody.customer_id, nobody.score), (id("what-if"), Some("50.0".parse().unwrap())));
    let mut document = serde_json::to_value(shipped()).unwrap();
    document["grades"][0]["at_least"] = json!("50");
    assert_eq!(
        refused(ask(json!({"document": document}))),
        (Refusal::NotAPartition, Some("document.grades[1].at_least".into()))
    );
    document["grades"][0]["at_least"] = json!("99");
    let harder = ask(json!({"customer_id": "prompt", "document": document})).unwrap();
    assert_eq!((harder.grade, harder.model.as_str()), (Some(Grade::B), "what-if"));
    let both = json!({"document": document, "card": "card@1"});
    assert_eq!(refused(ask(both)), (Refusal::InvalidCard, Some("card".into())));
    assert_eq!(ask(json!({"customer_id": "late", "card": "card@1"})).unwrap(), as_it_is);
    assert_eq!(refused(ask(json!({"card": "card@2"}))).0, Refusal::InvalidCard);
    assert_eq!(
        refused(ask(json!({"facts": [{"name": "items-12m", "value": "1000000001"}]}))),
        (Refusal::MalformedField, Some("facts[0].value".into()))
    );
    // There is no half of what is counted, however it is written; of days on average there is.
    for (name, value, fits) in [
        ("items-12m", "2.5", false),
        ("items-12m", "2.0", true),
        ("worst-days-late-12m", "2.5", false),
        ("contact-changes-90d", "0.0001", false),
        ("last-three-days-late", "2.5", true),
        ("turnover-12m", "2.5", true),
        ("utilisation", "0.5", true),
    ] {
        let asked = ask(json!({"facts": [{"name": name, "value": value}]}));
        assert_eq!(asked.is_ok(), fits, "{name} {value}");
        if !fits {
            let at_fault = (Refusal::MalformedField, Some("facts[0].value".into()));
            assert_eq!(refused(asked), at_fault);
        }
    }
    // A trend and what it is the difference of are asked about together.
    let [recent, earlier, trend] =
        ["days-beyond-terms-3m", "days-beyond-terms-9m-before", "trend-recent-against-before"];
    for (facts, unknown, seen, points) in [
        (vec![(trend, "15")], None, ["15", "0", "15"], "2.50"),
        (vec![(trend, "-5")], None, ["-5", "0", "-5"], "5.00"),
        (vec![(recent, "40"), (earlier, "10")], None, ["40", "10", "30"], "0.00"),
        (vec![(recent, "20"), (trend, "15")], None, ["20", "5", "15"], "2.50"),
        (vec![(earlier, "20"), (trend, "15")], None, ["35", "20", "15"], "2.50"),
        (vec![(recent, "20")], None, ["20", "-", "-"], "-"),
        (vec![(recent, "20")], Some(trend), ["20", "-", "-"], "-"),
        (vec![(recent, "20"), (earlier, "9")], Some(trend), ["20", "9", "-"], "3.17"),
    ] {
        let given: Vec<Value> =
            facts.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let card = ask(json!({"facts": given, "unknown": unknown.map(|of| [of])})).unwrap();
        let shown = |value: Option<dunlin_domain::Decimal>| {
            value.map_or("-".to_string(), |value| value.to_string())
        };
        let values =
            [recent, earlier, trend].map(|name| shown(card.facts.get(name.parse().unwrap())));
        assert_eq!(values, seen.map(String::from), "{facts:?}");
        let of = card.indicators.iter().find(|of| of.name == "trend").unwrap();
        assert_eq!(shown(of.points), points, "{facts:?}");
    }
    assert_eq!(refused(ask(json!({"customer_id": "nobody"}))).0, Refusal::NotFound);
    assert_eq!(counts(), before);
}

#[test]
fn whose_only_invoice_is_gone_is_judged_no_more() {
    let (_folder, db) = book();
    customer(&db, "void", json!({}));
    for of in ["new", "void"] {
        bill(&db, &format!("{of}1"), of, "2024-02-01", "2024-03-01");
    }
    sweep(&db, "2024-03-26");
    let listed = || {
        let lines = score::lines(&db, Wanted::default(), Default::default(), 10).unwrap();
        let name = |line: &ScoreLine| format!("{} {}", line.customer_id, line.score.is_some());
        lines.iter().map(|(line, _)| name(line)).collect::<Vec<_>>()
    };
    let due = |of: &str| {
        let due = review::page(&db, &Default::default(), 10, day("2030-01-01")).unwrap();
        due.iter().any(|(task, _)| task.customer_id.as_str() == of)
    };
    assert_eq!(listed(), ["new true", "void true", "late true", "prompt true"]);
    assert!(due("new") && due("void"));
    let nothing = read(json!({"minor": 0, "reason": "never delivered"}));
    invoice::correct(&db, &id("new1"), &nothing, &on("2024-03-26")).unwrap();
    invoice::void(&db, &id("void1"), day("2024-03-26"), &on("2024-03-26")).unwrap();
    let was = history(&db, "new")[0].grade;
    for date in ["2024-03-27", "2024-03-28"] {
        sweep(&db, date);
        assert_eq!(listed(), ["late true", "prompt true", "void false"]);
        for of in ["new", "void"] {
            let told = history(&db, of);
            let now = (told[0].as_of, told[0].score, told[0].grade, told[0].grade_before);
            assert_eq!(now, (day("2024-03-27"), None, None, was), "{of}");
            assert!(told.len() == 2 && !due(of), "{of}");
        }
    }
    let cells = score::migration(&db, day("2024-03-26"), day("2024-03-28")).unwrap().cells;
    let gone = cells.iter().filter(|of| of.now.is_none());
    assert_eq!(gone.map(|of| (of.before, of.customers)).collect::<Vec<_>>(), [(was, 2)]);
    // Who is asked to pay again is judged again.
    bill(&db, "new2", "new", "2024-03-01", "2024-03-10");
    sweep(&db, "2024-03-29");
    assert_eq!(listed().len(), 4);
    assert!(history(&db, "new")[0].grade.is_some() && due("new"));
}

#[test]
fn grades_that_move_are_counted_with_what_is_owed() {
    let (_folder, db) = book();
    sweep(&db, "2024-02-15");
    bill(&db, "n1", "new", "2024-04-01", "2024-04-10");
    sweep(&db, "2024-07-01");
    let migration = score::migration(&db, day("2024-02-15"), day("2024-07-01")).unwrap();
    let told: Vec<_> = migration
        .cells
        .iter()
        .map(|cell| {
            let owed = cell.outstanding.iter().map(|of| (of.before_minor, of.minor));
            (cell.before, cell.now, cell.customers, owed.collect::<Vec<_>>())
        })
        .collect();
    let models = |of: &dunlin_domain::contract::score::Migration| {
        of.cells.iter().map(|cell| cell.model_changed).sum::<u32>()
    };
    assert_eq!(models(&migration), 0);
    let late = |on: &str| card_of(&db, "late", on).grade;
    assert_eq!(
        told,
        [
            (Some(Grade::A), Some(Grade::A), 1, vec![(1000, 0)]),
            (late("2024-02-15"), late("2024-07-01"), 1, vec![(1000, 2000)]),
            (None, Some(Grade::E), 1, vec![(0, 1000)]),
        ]
    );
    // Who was judged by another card is counted: its bounds may be others.
    card::put(
        &db,
        &id("other"),
        &read(serde_json::to_value(shipped()).unwrap()),
        &on("2024-07-02"),
    )
    .unwrap();
    card::publish(&db, &id("other"), &read(json!({})), &on("2024-07-02")).unwrap();
    sweep(&db, "2024-07-03");
    let moved = score::migration(&db, day("2024-07-01"), day("2024-07-03")).unwrap();
    assert_eq!(models(&moved), 3, "{moved:?}");
    customer::merge(&db, &id("late"), &id("prompt"), &on("2024-07-01")).unwrap();
    let merged = score::migration(&db, day("2024-02-15"), day("2024-07-01")).unwrap();
    assert!(merged.cells.iter().any(|cell| cell.now.is_none() && cell.customers == 1), "gone");
    let same = score::migration(&db, day("2024-07-01"), day("2024-07-01")).unwrap();
    assert!(same.cells.iter().all(|cell| cell.now.is_none() || cell.before == cell.now));
    let backward = score::migration(&db, day("2024-07-02"), day("2024-07-01"));
    assert_eq!(refused(backward), (Refusal::MalformedParameter, Some("to".into())));
}

#[test]
fn a_review_is_due_by_the_grade_and_counted_from_the_last() {
    let (_folder, db) = book();
    sweep(&db, "2024-03-25");
    let due = |by: &str| -> Vec<(String, String)> {
        let tasks = review::page(&db, &Default::default(), 9, day(by)).unwrap();
        let told = |task: &dunlin_domain::contract::score::ReviewTask| {
            (task.customer_id.to_string(), task.due_on.to_string())
        };
        tasks.iter().map(|(task, _)| told(task)).collect()
    };
    let grade = card_of(&db, "late", "2024-03-25").grade.unwrap();
    assert_eq!(grade, Grade::D, "a review each two months");
    let pair = |of: &str, on: &str| (of.to_string(), on.to_string());
    assert_eq!(due("2024-05-24"), []);
    assert_eq!(due("2024-05-25"), [pair("late", "2024-05-25")]);
    assert_eq!(due("2025-03-25"), [pair("late", "2024-05-25"), pair("prompt", "2025-03-25")]);
    let add = |of: &str, when: &str, on_: &str| {
        review::add(&db, &id(of), &read(json!({"on": when})), &on(on_))
    };
    let (done, change) = add("late", "2024-05-31", "2024-06-01").unwrap();
    assert_eq!((done.due_on, change), (Some(day("2024-07-31")), Change::Made));
    let (again, change) = add("late", "2024-05-31", "2024-06-01").unwrap();
    assert_eq!((again, change), (done, Change::AlreadySo));
    assert_eq!(refused(add("late", "2024-06-02", "2024-06-01")).0, Refusal::DateInFuture);
    assert_eq!(refused(add("nobody", "2024-05-31", "2024-06-01")).0, Refusal::NotFound);
    // It falls to E, which is looked at each month, counted from the last review.
    sweep(&db, "2024-12-01");
    assert_eq!(card_of(&db, "late", "2024-12-01").grade, Some(Grade::E));
    assert_eq!(due("2024-12-31"), [pair("late", "2024-06-30")]);
    let (done, _) = add("new", "2024-12-01", "2024-12-01").unwrap();
    assert_eq!(done.due_on, None, "nobody knows how it pays");
    let page = review::page(&db, &("2024-06-30".into(), i64::MAX), 9, day("2026-01-01")).unwrap();
    assert_eq!(page.len(), 1, "the next page");
}

#[test]
fn the_sweep_sorts_into_tiers_and_remembers_when_one_changed() {
    let (_folder, db) = book();
    sweep(&db, "2024-03-25");
    assert!(
        score::lines(&db, Wanted::default(), (-1, 0), 9)
            .unwrap()
            .iter()
            .all(|(line, _)| line.tier.is_none())
    );
    let tiers = read(json!({"rules": [
        {"tier": "watch", "segments": ["retail"], "facts": [{"fact": "overdue-share", "at_least": "0.5"}]},
        {"tier": "regular", "facts": [{"fact": "items-12m", "at_least": "3"}]}], "otherwise": "rest"}));
    assert_eq!(tier::put(&db, &tiers, &on("2024-03-25")), Ok(Change::Replaced));
    assert_eq!(tier::put(&db, &tiers, &on("2024-03-25")), Ok(Change::AlreadySo));
    let now = tier::get(&db, None).unwrap();
    assert_eq!((now.version, now.rules), (Some(1), tiers.rules));
    assert_eq!(refused(tier::get(&db, Some(2))).0, Refusal::NotFound);
    sweep(&db, "2024-03-26");
    let lines = score::lines(&db, Wanted::default(), (-1, 0), 9).unwrap();
    let tiers: Vec<_> =
        lines.iter().map(|(of, _)| (of.customer_id.as_str(), of.tier.as_deref())).collect();
    assert_eq!(tiers, [("late", Some("watch")), ("prompt", Some("regular"))]);
    let prompt = history(&db, "prompt");
    assert_eq!(prompt.len(), 2);
    assert_eq!((prompt[0].tier.as_deref(), prompt[0].moved.len()), (Some("regular"), 0));
    let bad = read(json!({"rules": [{"tier": "x"}]}));
    assert_eq!(
        refused(tier::put(&db, &bad, &on("2024-03-26"))),
        (Refusal::InvalidCard, Some("rules[0].tier".into()))
    );
}

#[test]
fn a_judgement_of_a_past_day_is_made_again_from_what_was_kept_and_nothing_changes_it() {
    let (_folder, db) = book();
    let tiers = read(json!({"rules": [], "otherwise": "rest"}));
    let days = ["2024-03-25", "2024-03-26", "2024-04-02", "2024-04-10"];
    for date in days {
        if date == "2024-03-26" {
            tier::put(&db, &tiers, &on(date)).unwrap();
            let mut other = shipped();
            other.indicators.truncate(3);
            card::put(&db, &id("own"), &other, &on(date)).unwrap();
            let from = CardPublication { valid_from: Some(day("2024-04-01")) };
            card::publish(&db, &id("own"), &from, &on(date)).unwrap();
        }
        sweep(&db, date);
    }
    let judgement = |of: &str, on: &str| score::judgement(&db, &id(of), day(on), Language::En);
    let mut kept = Vec::new();
    for of in ["prompt", "late"] {
        for date in days {
            let found = judgement(of, date).unwrap();
            assert_eq!(found.judged_at, Some(on(&found.as_of.to_string()).at));
            let card = match found.model.as_str() {
                "card@1" => Card::default(),
                model => Card {
                    model: model.into(),
                    document: card::get(&db, &id("own"), Some(1)).unwrap().document,
                },
            };
            let again = card.card(&found.facts, Language::En);
            assert_eq!(
                (again.score, again.grade, again.notch),
                (found.score, found.grade, found.notch)
            );
            assert_eq!((&again.indicators, &again.reasons), (&found.indicators, &found.reasons));
            kept.push((of, date, found));
        }
    }
    let models: Vec<_> = kept.iter().map(|(.., of)| (of.model.as_str(), of.tier_version)).collect();
    let (before, after) = (("card@1", Some(1)), ("own@1", Some(1)));
    assert_eq!(models[4..], [("card@1", None), before, after, after]);
    // What comes later of earlier days, and a merge, change nothing of it.
    pay(&db, "l2", "late", "2024-03-01", "late2");
    let matrix =
        |of: &NativeDb| score::migration(of, day("2024-03-25"), day("2024-04-10")).unwrap();
    let grades = |of: &NativeDb| {
        let cells = matrix(of).cells.into_iter();
        cells.map(|of| (of.before, of.now, of.customers)).collect::<Vec<_>>()
    };
    let before = grades(&db);
    customer::merge(&db, &id("late"), &id("prompt"), &on("2024-04-11")).unwrap();
    for (of, date, found) in &kept {
        assert_eq!(judgement(of, date).as_ref(), Ok(found), "{of} {date}");
    }
    assert_eq!(grades(&db), before, "the duplicate stood for itself then");
    let gone = refused(judgement("late", "2024-03-24"));
    assert_eq!(gone.0, Refusal::NotFound);
}

#[test]
fn whatever_facts_rest_on_outdates_what_the_sweep_found() {
    let (_folder, db) = book();
    let new =
        json!({"signature": {"kind": "stripe"}, "secret": "a-long-secret", "preset": "stripe"});
    event_source::put(&db, &id("pay"), &read(new.clone()), &on("2024-03-31")).unwrap();
    let source = inbound_event::source(&db, &id("pay")).unwrap();
    let failed = json!({"id": "e1", "type": "payment_intent.payment_failed", "created": 1_711_900_800,
        "data": {"object": {"id": "pi_1", "customer": "prompt"}}});
    let secured = |of: &str| {
        json!({"customer_id": of, "kind": "insurance", "party": "Insurer", "valid_from": "2024-01-01",
            "amount": {"minor": 100_000, "currency": "EUR"}})
    };
    let (first, moved) = (secured("prompt"), secured("late"));
    type Write<'a> = &'a dyn Fn(&NativeDb, &Author);
    let writes: [(&str, Write<'_>); 14] = [
        ("a contract", &|db, by| {
            let new = json!({"customer_id": "prompt", "effective_on": "2024-01-01"});
            contract::put(db, &id("K"), &read(new), by).unwrap();
        }),
        ("another version", &|db, by| {
            let new = json!({"customer_id": "prompt", "effective_on": "2024-04-01",
                "ends_on": "2024-12-31"});
            contract::put(db, &id("K"), &read(new), by).unwrap();
        }),
        ("a guarantee", &|db, by| {
            guarantee::put(db, &id("G"), &read(first.clone()), by).unwrap();
        }),
        ("a guarantee that goes to another", &|db, by| {
            guarantee::put(db, &id("G"), &read(moved.clone()), by).unwrap();
        }),
        ("a default", &|db, by| {
            let new = json!({"customer_id": "prompt", "kind": "refused", "reason": "says no"});
            default_record::add(db, &read(new), id("D"), by).unwrap();
        }),
        ("its cure", &|db, by| {
            default_record::close(db, &id("D"), &read(json!({"state": "cured"})), by).unwrap();
        }),
        ("accounts", &|db, by| {
            let new = json!({"customer_id": "prompt", "period_end": "2023-12-31", "currency": "EUR",
                "sales_minor": 1_000_000});
            external::put(db, &read::<FinancialStatement>(new), by).unwrap();
        }),
        ("a score of an agency", &|db, by| {
            let new = json!({"customer_id": "prompt", "source": "agency", "date": "2024-03-31",
                "score": "5", "scale_from": "0", "scale_to": "10"});
            external::put(db, &read::<ExternalScore>(new), by).unwrap();
        }),
        ("a slice of public records", &|db, by| {
            let new = json!({"id": "L1", "customer_id": "prompt", "kind": "lawsuit",
                "date": "2024-04-01", "source": "court"});
            let rows = [(1, read::<PublicRecord>(new))];
            assert_eq!(external::take_in(db, &id("F"), &rows, by).unwrap().accepted, 1);
        }),
        ("a limit that waits for a second key", &|db, by| {
            let new = json!({"currency": "EUR", "lines": [],
                "second_key_from": [{"minor": 1_000, "currency": "EUR"}]});
            credit::policy::publish(db, &read(new), by).unwrap();
        }),
        ("a limit", &|db, by| {
            let new = read(json!({"currency": "EUR", "minor": 900}));
            credit::limit::put(db, &id("prompt"), &new, &id("L1"), by).unwrap();
        }),
        ("a limit that is approved", &|db, by| {
            let new = read(json!({"currency": "EUR", "minor": 9_000, "kind": "temporary",
                "to": "2024-12-31"}));
            credit::limit::put(db, &id("prompt"), &new, &id("L2"), by).unwrap();
            let other = Author { who: "other".into(), ..by.clone() };
            credit::limit::decide(db, &id("L2"), LimitState::Approved, &other).unwrap();
        }),
        ("an exchange rate", &|db, by| {
            let rows = [read(json!({"valid_from": "2024-01-01", "rate": "0.9",
                "source": "bank", "confirmed": true}))];
            interest::put_rates(db, &id("fx-usd-eur"), &rows, by).unwrap();
        }),
        ("an event", &|db, by| {
            inbound_event::receive(db, &source, None, &failed.to_string(), by).unwrap();
        }),
    ];
    let fresh = |db: &NativeDb, date: &str| {
        let found = dunlin_store::score::fresh(db, &id("prompt"), day(date), "card@1");
        found.unwrap().is_some()
    };
    for (nth, (what, write)) in writes.iter().enumerate() {
        let date = format!("2024-04-{:02}", nth + 1);
        sweep(&db, &date);
        assert!(fresh(&db, &date), "before {what}");
        write(&db, &on(&date));
        assert!(!fresh(&db, &date), "{what}");
    }
    // The same of what the run between sweeps found.
    let (_folder, db) = book();
    event_source::put(&db, &id("pay"), &read(new), &on("2024-03-31")).unwrap();
    for (nth, (what, write)) in writes.iter().enumerate() {
        let date = format!("2024-04-{:02}", nth + 1);
        sweep(&db, &date);
        bill(&db, &format!("more{nth}"), "prompt", &date, &date);
        assert!(!fresh(&db, &date), "before the run and {what}");
        warn::run(&db, on(&date).at).unwrap();
        assert!(fresh(&db, &date), "before {what}");
        write(&db, &on(&date));
        assert!(!fresh(&db, &date), "{what} after a run");
    }
}

#[test]
fn a_list_has_the_grades_tiers_and_scores_that_are_asked_for() {
    let (_folder, db) = book();
    bill(&db, "new1", "new", "2024-03-01", "2024-04-20");
    let tiers =
        read(json!({"rules": [{"tier": "watch", "segments": ["retail"]}], "otherwise": "rest"}));
    tier::put(&db, &tiers, &on("2024-03-25")).unwrap();
    sweep(&db, "2024-03-25");
    let scores = [("late", Some("35.8")), ("prompt", Some("91.8")), ("new", None)];
    let all = score::lines(&db, Wanted::default(), (-1, 0), 9).unwrap();
    let found: Vec<_> = all
        .iter()
        .map(|(of, _)| (of.customer_id.as_str(), of.score.map(|of| of.to_string())))
        .collect();
    let wanted = scores.map(|(name, score)| (name, score.map(str::to_string)));
    assert_eq!(found, wanted);
    let any = Wanted::default();
    for (wanted, names) in [
        (Wanted { grade: Some(Grade::B), ..any }, ""),
        (Wanted { grade: Some(Grade::A), ..any }, "prompt"),
        (Wanted { grade: Some(Grade::D), ..any }, "late"),
        (Wanted { tier: Some("watch"), ..any }, "late"),
        (Wanted { tier: Some("rest"), ..any }, "prompt new"),
        (Wanted { tier: Some("other"), ..any }, ""),
        (Wanted { least: Some(0), ..any }, "late prompt"),
        (Wanted { least: Some(35), ..any }, "late prompt"),
        (Wanted { least: Some(36), ..any }, "prompt"),
        (Wanted { most: Some(91), ..any }, "late"),
        (Wanted { most: Some(92), ..any }, "late prompt"),
        (Wanted { most: Some(100), ..any }, "late prompt"),
        (Wanted { most: Some(35), ..any }, ""),
        (Wanted { least: Some(36), most: Some(91), ..any }, ""),
        (Wanted { grade: Some(Grade::D), tier: Some("rest"), ..any }, ""),
    ] {
        // Page by page, one on each.
        let (mut after, mut found) = ((-1, 0), Vec::new());
        while let Some((line, place)) = score::lines(&db, wanted, after, 1).unwrap().pop() {
            found.push(line.customer_id.to_string());
            after = place;
        }
        assert_eq!(found.join(" "), names, "{wanted:?}");
    }
    let wrong = score::lines(&db, Wanted { least: Some(50), most: Some(49), ..any }, (-1, 0), 9);
    assert_eq!(refused(wrong), (Refusal::MalformedParameter, Some("max_score".into())));
}

/// Grades move by sweeps: what is found between two of them is for whoever asks about the customer, and for warnings.
#[test]
fn what_is_recorded_between_sweeps_is_read_from_the_minutes_run_as_the_next_sweep_finds_it() {
    let (_folder, db) = book();
    sweep(&db, "2024-03-25");
    let lines = || -> Vec<ScoreLine> {
        let found = score::lines(&db, Wanted::default(), (-1, 0), 9).unwrap();
        found.into_iter().map(|(line, _)| line).collect()
    };
    let fresh = |date: &str| {
        dunlin_store::score::fresh(&db, &id("late"), day(date), "card@1").unwrap().is_some()
    };
    let told = || {
        let sql = "SELECT count(*) FROM event WHERE kind = 'grade.changed'";
        db.int(sql, &[]).unwrap()
    };
    let (swept, listed, before) =
        (card_of(&db, "late", "2024-03-25"), lines(), history(&db, "late"));
    let grades = || {
        let found = score::migration(&db, day("2024-03-25"), day("2024-03-26")).unwrap();
        let cell = |of: &MigrationCell| (of.before, of.now, of.customers);
        found.cells.iter().map(cell).collect::<Vec<_>>()
    };
    let moved = grades();
    // The customer pays everything, first on the day of the sweep and then on the day after it.
    for (payment, date) in [("l2", "2024-03-25"), ("l3", "2024-03-26")] {
        pay(&db, payment, "late", date, &payment.replace('l', "late"));
        assert!(!fresh(date), "{date}: recorded and not looked at");
        let worked_out = card_of(&db, "late", date);
        warn::run(&db, on(date).at).unwrap();
        assert!(fresh(date), "{date}: looked at");
        assert_eq!(card_of(&db, "late", date), worked_out);
    }
    assert!(!fresh("2024-03-25"), "of the day before nothing is kept");
    let between = card_of(&db, "late", "2024-03-26");
    assert_ne!((between.score, between.grade), (swept.score, swept.grade));
    assert_eq!(lines(), listed, "the list is the sweep's");
    assert_eq!(history(&db, "late"), before, "and so are judgements");
    assert_eq!(grades(), moved, "as are grades that move");
    let all = dunlin_store::When { day: day("2024-03-26"), known: i64::MAX };
    let then =
        dunlin_store::When { known: db.int("SELECT max(key) FROM audit", &[]).unwrap(), ..all };
    assert_eq!(
        score::card(&db, &id("late"), then, Language::En).unwrap(),
        between,
        "as known then"
    );
    let changes = told();
    sweep(&db, "2024-03-26");
    assert_eq!(card_of(&db, "late", "2024-03-26"), between, "the sweep finds the same");
    let after = history(&db, "late");
    assert_eq!((after.len(), after[0].as_of), (before.len() + 1, day("2024-03-26")));
    assert_eq!((after[0].score, after[0].score_before), (between.score, swept.score));
    assert_eq!(after[0].grade_before, swept.grade, "one move, from sweep to sweep");
    assert_eq!(told() - changes, i64::from(swept.grade != between.grade), "told once");
}
