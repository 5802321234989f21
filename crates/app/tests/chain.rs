//! What the audit chain says of changes that are not documents: imports, settings and keys; and what needs two keys.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{db, id};
use dunlin_app::{
    audit::{self, Author},
    import::{self, Begun, Checkpoint, Options, Order, Reading, Rows, Run, Slice},
    invoice, key,
    ledger::{self, Change},
    policy, verify, write_off,
};
use dunlin_domain::{
    Instant,
    contract::{
        ingest::{ImportKind, ImportResult, OnError, Profile},
        keys::{NewKey, Scope},
        ledger::{AuditEntry, WriteOffState},
    },
};
use dunlin_store::native::NativeDb;
use serde_json::{Value, json};

fn now() -> Instant {
    "2024-12-31T12:00:00Z".parse().unwrap()
}

fn author(who: &str) -> Author {
    Author { who: who.into(), at: now(), salt: "salt".into() }
}

/// The chain, which holds.
fn chain(db: &NativeDb) -> Vec<AuditEntry> {
    let found = verify::books(db).unwrap();
    assert!(found.ok, "{found:#?}");
    audit::entries(db, 0, 100).unwrap()
}

fn after(entry: &AuditEntry) -> Value {
    serde_json::from_str::<Value>(&entry.change).unwrap()["after"].clone()
}

fn row(line: u32, name: &str, minor: i64) -> String {
    format!(r#"[{line},"{name}","C1","invoice","2024-01-01","2024-02-01",{minor},"EUR",0]"#)
}

/// Begins an import that nobody has begun.
fn begun(db: &NativeDb, order: &Order) -> Run {
    match import::begin(db, order, &Options::default(), now()).unwrap() {
        Begun::Work(work) => work.run,
        Begun::Applied(..) => panic!("it was there"),
    }
}

/// Brings slices of invoices in, all but the last one staged.
fn bring(db: &NativeDb, name: &str, slices: &[&[String]]) -> ImportResult {
    let order = Order {
        id: id(name),
        kind: ImportKind::Invoices,
        profile: id("generic"),
        on_error: OnError::Skip,
        create_customers: true,
    };
    let run = begun(db, &order);
    let slice =
        |rows: &&[String]| Slice { invoices: format!("[{}]", rows.join(",")), ..Slice::default() };
    let slices: Vec<Slice> = slices.iter().map(slice).collect();
    let received = 3;
    let reading = Reading { received, ..Reading::default() };
    let Some((last, staged)) = slices.split_last() else { panic!("a file has a slice") };
    for (number, slice) in (1..).zip(staged) {
        let checkpoint = Checkpoint { slices: number, ..Checkpoint::default() };
        import::stage(db, run, slice, &checkpoint, &[], now()).unwrap();
    }
    let rows = Rows { staged: staged.len().try_into().unwrap(), last };
    import::apply(db, &order, run, rows, &reading, &author("admin")).unwrap()
}

#[test]
fn an_import_commits_to_the_rows_that_it_brought() {
    let rows = [row(2, "I1", 100), row(3, "I2", 200), row(4, "I3", 300)];
    let said = |slices: &[&[String]]| {
        let (_folder, db) = db();
        let result = bring(&db, "M1", slices);
        let chain = chain(&db);
        assert_eq!((result.accepted, chain.len()), (3, 1));
        assert_eq!((chain[0].key, chain[0].action.as_str()), (1, "create"));
        after(&chain[0])
    };
    let whole = said(&[&rows]);
    let text = format!("[{}]", rows.join(","));
    assert_eq!(
        whole,
        json!({"kind": "invoices", "profile": "generic", "on_error": "skip", "received": 3, "accepted": 3,
            "unchanged": 0, "rejected": 0, "customers_made": 1,
            "rows": audit::sha256(&["invoices", &text]),
            // Between which keys how many, and the sum of 100 times 2, 200 times 3 and 300 times 4; the same with
            // 19754 for the due day since 1970 and 7 for the letters of the kind; and with 1 for the customer's key.
            // Of the customer that it made twice what its id comes to, less 1 for no limit.
            "recorded": "[[0,3,3,2000,179849,179858],[0,0,0,0,0,0],[0,1,1,2216]]"})
    );
    let cut = said(&[&rows[..2], &rows[2..]]);
    let texts = [&rows[..2], &rows[2..]].map(|part| format!("[{}]", part.join(",")));
    let parts = ["invoices", texts[0].as_str(), "invoices", texts[1].as_str()];
    assert_eq!(cut["rows"], audit::sha256(&parts));
    let mut other = rows.clone();
    other[2] = row(4, "I3", 301);
    assert_ne!(said(&[&other])["rows"], whole["rows"], "another amount is another file");
}

#[test]
fn an_import_says_what_became_of_its_rows_and_nothing_when_all_were_there() {
    let (_folder, db) = db();
    let (one, two, three) = (row(2, "I1", 100), row(3, "I2", 200), row(4, "I3", 300));
    bring(&db, "M1", &[&[one.clone(), two.clone()]]);
    bring(&db, "M2", &[&[one.clone(), two]]);
    assert_eq!(chain(&db).len(), 1, "nothing new is no entry");
    bring(&db, "M3", &[&[one], &[row(3, "I2", 201), three]]);
    let chain = chain(&db);
    let said = after(&chain[1]);
    assert_eq!((chain.len(), chain[1].id.as_str()), (2, "M3"));
    assert_eq!(
        (&said["accepted"], &said["unchanged"], &said["rejected"]),
        (&json!(1), &json!(1), &json!(1))
    );
}

fn done(entry: &AuditEntry) -> (&str, &str, &str, &str) {
    (&entry.who, &entry.action, &entry.noun, &entry.id)
}

#[test]
fn settings_are_in_the_chain_and_a_repetition_is_not() {
    let (_folder, db) = db();
    let mut organisation = ledger::organisation(&db).unwrap();
    organisation.name = "Example Trading".into();
    let profile = Profile { name: id("erp"), ..Profile::generic() };
    for expected in [Change::Replaced, Change::AlreadySo] {
        let change = ledger::put_organisation(&db, &organisation, &author("admin")).unwrap();
        assert_eq!(change, expected);
    }
    for expected in [Change::Made, Change::AlreadySo] {
        assert_eq!(ledger::put_profile(&db, &profile, &author("K1")).unwrap(), expected);
    }
    let other = Profile { description: Some("of the ERP".into()), ..profile };
    assert_eq!(ledger::put_profile(&db, &other, &author("K1")).unwrap(), Change::Replaced);
    let chain = chain(&db);
    assert_eq!(
        chain.iter().map(done).collect::<Vec<_>>(),
        [
            ("admin", "replace", "organisation", "organisation"),
            ("K1", "create", "profile", "erp"),
            ("K1", "replace", "profile", "erp"),
        ]
    );
    assert_eq!(after(&chain[0])["name"], "Example Trading");
    assert_eq!(after(&chain[2])["description"], "of the ERP");
}

#[test]
fn who_began_before_others_that_were_done_first_is_recorded_after_them() {
    let (_folder, db) = db();
    let begins = [0, 30, 0, -869, -870, -869];
    let recorded = [0, 30, 30, 30, -870, -869];
    let ats = |seconds: [i64; 6]| seconds.map(|seconds| now().plus_seconds(seconds));
    for (nth, at) in ats(begins).into_iter().enumerate() {
        let profile = Profile { name: id(&format!("erp-{nth}")), ..Profile::generic() };
        ledger::put_profile(&db, &profile, &Author { at, ..author("K1") }).unwrap();
    }
    let found: Vec<Instant> = chain(&db).iter().map(|entry| entry.at).collect();
    assert_eq!(found, ats(recorded));
}

#[test]
fn keys_are_in_the_chain_without_their_secrets() {
    let (_folder, db) = db();
    let (admin, name) = (author("admin"), id("11111111-1111-7111-8111-111111111111"));
    let new = NewKey { name: "ERP".into(), scopes: vec![Scope::IngestWrite], expires_at: None };
    key::create(&db, &new, name.clone(), "first-secret", &admin).unwrap();
    let issued = key::rotate(&db, &name, "second-secret", &admin).unwrap();
    assert!(key::authenticate(&db, &issued.key, now()).is_ok());
    let revoked = key::revoke(&db, &name, &admin).unwrap();
    let later = Author { at: now().plus_seconds(60), ..author("admin") };
    assert_eq!(key::revoke(&db, &name, &later).unwrap(), revoked, "it keeps its moment");
    assert!(key::rotate(&db, &name, "third-secret", &admin).is_err());
    let chain = chain(&db);
    let actions: Vec<_> = chain.iter().map(done).collect();
    let of = |action| ("admin", action, "api_key", name.as_str());
    assert_eq!(actions, [of("create"), of("rotate"), of("revoke")]);
    assert_eq!(after(&chain[0])["scopes"], json!(["ingest-write"]));
    assert_eq!(after(&chain[2])["revoked_at"], json!(now()));
    for entry in &chain {
        let fields = after(entry);
        let told: Vec<_> = fields.as_object().unwrap().keys().collect();
        let public = ["created_at", "expires_at", "id", "name", "revoked_at", "scopes"];
        assert!(told.iter().all(|field| public.contains(&field.as_str())), "{told:?}");
        assert!(!entry.change.contains("secret"), "{}", entry.change);
    }
}

#[test]
fn a_write_off_cut_into_small_ones_waits_for_a_second_key_too() {
    let (_folder, db) = db();
    let limits = json!({"write_off_approval": [{"minor": 50, "currency": "EUR"}]});
    policy::put(&db, &serde_json::from_value(limits).unwrap(), &author("admin")).unwrap();
    bring(&db, "M1", &[&[row(2, "I1", 100), row(3, "I2", 100)]]);
    let parts = json!({"id": "I3", "customer_id": "C1", "issued_on": "2024-01-01",
        "amount": {"minor": 100, "currency": "EUR"},
        "instalments": [{"due_on": "2024-02-01", "minor": 50}, {"due_on": "2024-03-01", "minor": 50}]});
    let parts = serde_json::from_value(parts).unwrap();
    invoice::add(&db, &parts, id("made"), &author("K1")).unwrap();
    let asked = |name: &str, of: &str, minor: i64| {
        let new = json!({"id": name, "invoice_id": of, "on": "2024-06-01", "minor": minor, "reason": "gone"});
        let new = serde_json::from_value(new).unwrap();
        write_off::add(&db, &new, id("made"), &author("K1")).unwrap().0.state
    };
    let decided = |name: &str, state| {
        write_off::decide(&db, &id(name), state, &author("K2")).unwrap();
    };
    use WriteOffState::{Booked, Pending, Refused};
    assert_eq!(asked("W1", "I1", 30), Booked);
    assert_eq!(asked("W2", "I1", 19), Booked);
    assert_eq!(asked("W3", "I1", 1), Pending, "50 together");
    assert_eq!(asked("W4", "I1", 1), Pending, "what waits counts");
    assert_eq!(asked("W5", "I2", 49), Booked, "another document begins at nothing");
    // What was turned down does not count.
    decided("W3", Refused);
    decided("W4", Booked);
    assert_eq!(asked("W6", "I3#1", 30), Booked);
    assert_eq!(asked("W7", "I3#2", 20), Pending, "instalments are one document");
    decided("W7", Refused);
    assert_eq!(asked("W8", "I3#2", 19), Booked);
    assert_eq!(chain(&db).last().unwrap().id, "W8");
}
