//! Lists of an ERP beside statements of the bank: payments that may be booked, customers that changed, documents that
//! are cancelled there.

use crate::support::*;
use dunlin_app::{
    audit::Author,
    bank,
    import::{self, Begun, Options, Order, Reading, Rows, Slice},
    ledger::Change,
    payment,
};
use dunlin_domain::{
    Date, Refusal,
    contract::bank::{MatchReason, MatchState},
    contract::ingest::{ImportKind, ImportResult, ImportState, OnError, Profile, RowError},
    profile::{self, Plan},
};
use dunlin_store::{Db, native::NativeDb};
use serde_json::json;

/// Imports rows whose first one is the header.
fn bring(db: &NativeDb, name: &str, kind: ImportKind, by: &Profile, rows: &str) -> ImportResult {
    let mut lines = rows.trim().lines().map(|line| line.trim().split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let plan = Plan::new(by, kind, &header, None, |_| true).unwrap();
    let mut read = profile::Slice::default();
    for (line, row) in lines.zip(2u64..) {
        plan.row(row, line.as_slice(), &mut read);
    }
    let slice = Slice {
        customers: read.customers.take(),
        invoices: read.invoices.take(),
        payments: read.payments.take(),
    };
    let order = Order {
        id: id(name),
        kind,
        profile: by.name.clone(),
        on_error: OnError::Skip,
        create_customers: false,
    };
    let begun = import::begin(db, &order, &Options::default(), author().at).unwrap();
    let Begun::Work(work) = begun else { panic!("{name} was there") };
    let reading = Reading {
        received: read.received,
        errors: read.errors,
        bad: read.refused,
        tells_void: profile::tells_void(by),
        ..Reading::default()
    };
    let rows = Rows { staged: 0, last: &slice };
    import::apply(db, &order, work.run, rows, &reading, &author()).unwrap()
}

fn codes(result: &ImportResult) -> Vec<(u64, Refusal)> {
    result.errors.iter().map(|error| (error.row, error.code)).collect()
}

#[test]
fn a_list_of_payments_beside_statements_is_booked_once() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    for name in ["INV-1001", "INV-1002", "INV-1003"] {
        invoice(&db, name, "C1", "2026-10-01", 10_000);
    }
    assert_eq!(take(&db, "S1", &[pays(10_000, "INV-1002", "Müller", KNOWN)]).automatic, 1);
    let booked = matches(&db, None).remove(0).payment_id.unwrap();
    let generic = Profile::generic();
    let payments = |name: &str, rows: &str| bring(&db, name, ImportKind::Payments, &generic, rows);
    let plain = "id,customer_id,received_on,amount,currency
        P-1,C1,2026-11-01,100.00,EUR
        P-2,C1,2026-11-01,40.00,EUR";
    let first = payments("F1", plain);
    assert_eq!((first.accepted, first.unchanged, first.rejected), (1, 0, 1));
    assert_eq!(codes(&first), [(2, Refusal::PerhapsBooked)]);
    assert!(first.errors[0].detail.starts_with(booked.as_str()), "{:?}", first.errors);
    let said = format!(
        "id,customer_id,received_on,amount,currency,same_as,another
        P-1,C1,2026-11-01,100.00,EUR,{booked},
        P-3,C1,2026-11-01,100.00,EUR,,yes
        P-4,C1,2026-11-01,1.00,EUR,nobody,
        P-5,C1,2026-11-01,1.00,EUR,{booked},
        P-6,C1,2026-11-01,1.00,EUR,{booked},yes"
    );
    let second = payments("F2", &said);
    assert_eq!((second.accepted, second.rejected), (2, 3));
    assert_eq!(
        codes(&second),
        [
            (4, Refusal::UnknownPayment),
            (5, Refusal::DifferentContent),
            (6, Refusal::MalformedField)
        ]
    );
    let night = payments("F3", plain);
    assert_eq!((night.accepted, night.unchanged, night.rejected), (0, 2, 0));
    let other = payments("F4", &plain.replace("100.00", "90.00"));
    assert_eq!(codes(&other), [(2, Refusal::DifferentContent)]);
    let paid = dunlin_app::payment::get(&db, &id("P-1"), Date::LAST, i64::MAX).unwrap();
    assert_eq!((paid.id, paid.also), (booked, Some(vec![id("P-1")])));
    // 100.00 by the bank, 40.00 and another 100.00 by the list.
    let left = ["INV-1001", "INV-1002", "INV-1003"].map(|name| open(&db, name));
    assert_eq!(left.iter().sum::<i64>(), 6_000);
    holds(&db);
}

#[test]
fn a_list_of_customers_changes_their_records_where_the_profile_says_so() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    let by: Profile = from(json!({"name": "crm", "records": [
        {"kind": "customers", "updates": true, "fields": [
            {"field": "id", "column": "id"}, {"field": "name", "column": "name"},
            {"field": "email", "column": "email"}]}]}));
    let list = |name: &str, rows: &str| bring(&db, name, ImportKind::Customers, &by, rows);
    let rows = "id,name,email
        C1,Müller AG,buch@mueller.example
        C2,Keller AG,";
    let done = list("F1", rows);
    assert_eq!((done.accepted, done.unchanged, done.rejected), (2, 0, 0));
    let again = list("F2", &rows.replace("buch@mueller.example", ""));
    assert_eq!((again.accepted, again.unchanged, again.rejected), (0, 2, 0));
    let read = dunlin_app::ledger::customer(&db, &id("C1"), Date::LAST).unwrap();
    assert_eq!(
        (read.name.as_str(), read.email.as_deref()),
        ("Müller AG", Some("buch@mueller.example"))
    );
    assert_eq!(read.bank_accounts.unwrap().len(), 1);
    holds(&db);
}

#[test]
fn a_document_that_is_cancelled_there_is_void_here_where_the_profile_says_so() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    for name in ["A-1", "A-2"] {
        invoice(&db, name, "C1", "2026-10-01", 10_000);
    }
    let by = |voids: bool| -> Profile {
        from(json!({"name": "erp", "records": [
            {"kind": "invoices", "void_where": ["State=Cancelled"], "voids": voids, "fields": [
                {"field": "id", "column": "id"}, {"field": "customer_id", "constant": "C1"},
                {"field": "issued_on", "constant": "2026-09-01"}, {"field": "amount", "constant": "100.00"},
                {"field": "due_on", "constant": "2026-10-01"}, {"field": "currency", "constant": "EUR"}]}]}))
    };
    let rows = "id,State
        A-1,Cancelled
        A-2,Open
        A-3,Cancelled";
    let list = |name: &str, voids| bring(&db, name, ImportKind::Invoices, &by(voids), rows);
    assert_eq!(codes(&list("F1", false)), [(2, Refusal::CancelledThere)]);
    let done = list("F2", true);
    assert_eq!((done.accepted, done.unchanged, done.rejected), (1, 2, 0));
    assert_eq!((open(&db, "A-1"), open(&db, "A-2")), (0, 10_000));
    let night = list("F3", true);
    assert_eq!((night.accepted, night.unchanged, night.rejected), (0, 3, 0));
    holds(&db);
}

/// A list of documents of `C1` with a column that says what became of each, and whose and how much each is.
fn states(voids: bool) -> Profile {
    from(json!({"name": "erp", "records": [
        {"kind": "invoices", "void_where": ["State=Cancelled"], "voids": voids, "fields": [
            {"field": "id", "column": "id"}, {"field": "customer_id", "column": "of"},
            {"field": "issued_on", "constant": "2026-09-01"}, {"field": "amount", "column": "sum"},
            {"field": "due_on", "constant": "2026-10-01"}, {"field": "currency", "column": "in"}]}]}))
}

#[test]
fn only_what_a_cancelled_row_says_whole_is_made_void() {
    // Whose, how much, in which currency; the field that is another one, or `void`, or `named` for one that says too little.
    for (row, wanted) in [
        ("C1,100.00,EUR", "void"),
        ("C2,100.00,EUR", "customer_id"),
        ("nobody,100.00,EUR", "customer_id"),
        ("C1,100.01,EUR", "amount"),
        ("C1,-100.00,EUR", "amount"),
        ("C1,0.00,EUR", "amount"),
        ("C1,100.00,USD", "currency"),
        (",100.00,EUR", "named"),
        ("C1,,EUR", "named"),
        ("C1,100.00,", "named"),
    ] {
        let (_folder, db) = db();
        customer(&db, "C1", "Müller GmbH", Some(KNOWN));
        customer(&db, "C2", "Keller AG", None);
        invoice(&db, "A-1", "C1", "2026-10-01", 10_000);
        let rows = format!("id,of,sum,in,State\nA-1,{row},Cancelled");
        let done = bring(&db, "F1", ImportKind::Invoices, &states(true), &rows);
        assert_eq!(open(&db, "A-1"), if wanted == "void" { 0 } else { 10_000 }, "{row}");
        if wanted == "void" {
            assert_eq!((done.accepted, done.rejected), (1, 0), "{row}");
        } else {
            assert_eq!(codes(&done), [(2, Refusal::CancelledThere)], "{row}");
            let named = done.errors[0].detail.contains(&format!("has another {wanted} here"));
            assert_eq!(named, wanted != "named", "{row}: {:?}", done.errors);
        }
        holds(&db);
    }
}

#[test]
fn what_is_void_here_and_open_again_where_it_comes_from_is_named() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", Some(KNOWN));
    for name in ["A-1", "A-2"] {
        invoice(&db, name, "C1", "2026-10-01", 10_000);
    }
    let rows = |state: &str| {
        format!("id,of,sum,in,State\nA-1,C1,100.00,EUR,{state}\nA-2,C1,100.00,EUR,Open")
    };
    let list = |name: &str, state: &str| {
        bring(&db, name, ImportKind::Invoices, &states(true), &rows(state))
    };
    assert_eq!(list("F1", "Cancelled").accepted, 1);
    let again = list("F2", "Open");
    assert_eq!((again.unchanged, codes(&again)), (1, vec![(2, Refusal::DifferentContent)]));
    assert!(again.errors[0].detail.contains("void here"), "{:?}", again.errors);
    // A list that says of none whether it is cancelled says nothing of it.
    let plain =
        "id,customer_id,issued_on,due_on,amount,currency\nA-1,C1,2026-09-01,2026-10-01,100.00,EUR";
    let plain = bring(&db, "F3", ImportKind::Invoices, &Profile::generic(), plain);
    assert_eq!((plain.unchanged, plain.rejected), (1, 0));
    let back = from(json!({"voided": false, "reason": "open again"}));
    dunlin_app::invoice::correct(&db, &id("A-1"), &back, &author()).unwrap();
    assert_eq!((list("F4", "Open").unchanged, open(&db, "A-1")), (2, 10_000));
    holds(&db);
}

#[test]
fn another_group_is_named_and_nothing_of_the_row_is_taken() {
    let (_folder, db) = db();
    for name in ["G1", "G2"] {
        customer(&db, name, "Group", None);
    }
    let new = from(json!({"id": "C1", "name": "Müller GmbH", "parent_id": "G1"}));
    dunlin_app::customer::add(&db, &new, id("made"), &author()).unwrap();
    let by: Profile = from(json!({"name": "crm", "records": [
        {"kind": "customers", "updates": true, "fields": [
            {"field": "id", "column": "id"}, {"field": "name", "column": "name"},
            {"field": "parent_id", "column": "group"}]}]}));
    let list = |name: &str, row: &str| {
        bring(&db, name, ImportKind::Customers, &by, &format!("id,name,group\n{row}"))
    };
    let refused = list("F1", "C1,Müller AG,G2");
    assert_eq!((refused.accepted, refused.rejected), (0, 1));
    let error = &refused.errors[0];
    assert_eq!(
        (error.code, error.field.as_deref()),
        (Refusal::DifferentContent, Some("parent_id"))
    );
    for (number, row) in ["C1,Müller AG,G1", "C1,Müller SE,"].iter().enumerate() {
        assert_eq!(list(&format!("F-{number}"), row).accepted, 1, "{row}");
    }
    let read = dunlin_app::ledger::customer(&db, &id("C1"), Date::LAST).unwrap();
    assert_eq!((read.name.as_str(), read.parent_id), ("Müller SE", Some(id("G1"))));
    holds(&db);
}

#[test]
fn a_thousand_customers_and_a_thousand_documents_are_changed_by_a_file() {
    let (_folder, db) = db();
    let generic = Profile::generic();
    let many = |header: &str, row: &dyn Fn(usize) -> String| {
        let rows: Vec<String> = (0..1_001).map(row).collect();
        format!("{header}\n{}", rows.join("\n"))
    };
    let customers = |name: &str| many("id,name", &|number| format!("C{number},{name}{number}"));
    bring(&db, "F1", ImportKind::Customers, &generic, &customers("A"));
    let header = "id,customer_id,issued_on,due_on,amount,currency";
    let invoices =
        many(header, &|number| format!("I{number},C{number},2026-09-01,2026-10-01,100.00,EUR"));
    assert_eq!(bring(&db, "F2", ImportKind::Invoices, &generic, &invoices).accepted, 1_001);
    let both: Profile = from(json!({"name": "crm", "records": [
        {"kind": "customers", "updates": true, "fields": [
            {"field": "id", "column": "of"}, {"field": "name", "column": "name"}]},
        {"kind": "invoices", "void_where": ["State=Cancelled"], "voids": true, "fields": [
            {"field": "id", "column": "id"}, {"field": "customer_id", "column": "of"},
            {"field": "issued_on", "constant": "2026-09-01"}, {"field": "amount", "constant": "100.00"},
            {"field": "due_on", "constant": "2026-10-01"}, {"field": "currency", "constant": "EUR"}]}]}));
    let rows =
        many("id,of,name,State", &|number| format!("I{number},C{number},B{number},Cancelled"));
    let done = bring(&db, "F3", ImportKind::Invoices, &both, &rows);
    assert_eq!((done.accepted, done.rejected), (2_000, 2));
    assert_eq!(
        codes(&done),
        [(1_002, Refusal::DifferentContent), (1_002, Refusal::CancelledThere)]
    );
    for (error, what) in done.errors.iter().zip(["customers", "documents"]) {
        let wanted = format!("at most 1000 {what}");
        assert!(error.detail.contains(&wanted), "{error:?}");
    }
    // The rest is done by the next one.
    let rest = bring(&db, "F4", ImportKind::Invoices, &both, &rows);
    assert_eq!((rest.accepted, rest.unchanged, rest.rejected), (2, 2_000, 0));
    holds(&db);
}

#[test]
fn a_file_that_was_refused_is_noted_with_why_and_nothing_of_it_stays() {
    let (_folder, db) = db();
    let name = id("F1");
    let key = bank::start(&db, &name, &author()).unwrap();
    bank::stage(&db, key, 0, "[]").unwrap();
    assert_eq!(bank::imported(&db, &name).unwrap(), None);
    let why = RowError {
        row: 7,
        field: Some("closing_minor".into()),
        code: Refusal::BalanceMismatch,
        detail: "1 is missing".into(),
    };
    let noted = bank::refuse(&db, (&name, key), why.clone(), author().at).unwrap();
    assert_eq!((noted.state, noted.accepted), (ImportState::Rejected, 0));
    assert_eq!(noted.errors, [why]);
    // The next file looks for what nobody came back to.
    let later = Author { at: author().at.plus_seconds(1_000_000), ..author() };
    bank::start(&db, &id("F2"), &later).unwrap();
    assert_eq!(bank::imported(&db, &name).unwrap(), Some(noted));
    let staged = db.execute("SELECT 1 FROM bank_slice", &[]).unwrap();
    assert_eq!(staged.len(), 0);
    assert!(bank::statements(&db, 0, 10).unwrap().is_empty());
    // One that a fault of ours ended is not.
    let key = bank::start(&db, &id("F3"), &later).unwrap();
    bank::abandon(&db, key).unwrap();
    assert_eq!(bank::imported(&db, &id("F3")).unwrap(), None);
}

#[test]
fn what_waits_is_looked_at_anew_by_what_came_since() {
    // What came since the statement, whether the rule would be certain now, the best candidate's reasons, and what it names.
    use MatchReason as R;
    type Came = fn(&NativeDb);
    let number = &[R::InvoiceNumber, R::AmountExact, R::PayerName][..];
    let cases: &[(Came, &[MatchReason], &[&str])] = &[
        (|_| {}, &[], &[]),
        (|db| customer(db, "C1", "Später Kunde GmbH", None), &[R::OnAccount, R::PayerName], &[]),
        (|db| late(db, 7_700), number, &["LATE-90001"]),
        (
            |db| {
                late(db, 7_700);
                paid(db, "2026-10-30", "C1", 7_700);
            },
            &[R::InvoiceNumber, R::AlreadyPaid, R::PayerName, R::PerhapsBooked],
            &[],
        ),
    ];
    for (number, (came, reasons, names)) in cases.iter().enumerate() {
        let (_folder, db) = db();
        let lines = [
            pays(7_700, "LATE-90001", "Später Kunde GmbH", STRANGE),
            pays(-890, "LATE-90001", "Bank", ""),
            pays(1, "LATE-90001", "Später Kunde GmbH", ""),
        ];
        assert_eq!(take(&db, "S1", &lines).automatic, 0);
        let before = matches(&db, None);
        assert!(before.iter().all(|of| of.candidates.is_empty()));
        bank::reject(&db, &before[2].id, &from(json!({})), &author()).unwrap();
        came(&db);
        let anew = || bank::match_anew(&db, &before[0].statement_id, &author()).unwrap();
        let change = if reasons.is_empty() { Change::AlreadySo } else { Change::Replaced };
        assert_eq!(anew(), (bank::statement(&db, &before[0].statement_id).unwrap(), change));
        assert_eq!(anew().1, Change::AlreadySo);
        let now = matches(&db, None);
        // Nothing else is another, and nothing is booked.
        assert_eq!(now[1..], matches(&db, None)[1..]);
        assert!(now[1].candidates.is_empty() && now[2].candidates.is_empty());
        assert_eq!((now[0].state, &now[0].payment_id), (MatchState::Review, &None));
        let best = now[0].candidates.first();
        let found = best.map(|of| of.reasons.clone()).unwrap_or_default();
        assert_eq!(found, *reasons, "{number}");
        let named = best.and_then(|of| of.designation.clone()).unwrap_or_default();
        let named: Vec<_> = named.iter().map(|of| of.invoice_id.as_str()).collect();
        assert_eq!(named, *names, "{number}");
        if !names.is_empty() {
            bank::confirm(&db, &now[0].id, &from(json!({"candidate": 1})), &author()).unwrap();
            assert_eq!(open(&db, "LATE-90001"), 0);
            assert_eq!(anew().1, Change::AlreadySo);
        }
        holds(&db);
    }
}

fn late(db: &NativeDb, minor: i64) {
    customer(db, "C1", "Später Kunde GmbH", None);
    invoice(db, "LATE-90001", "C1", "2026-10-01", minor);
}

fn paid(db: &NativeDb, on: &str, of: &str, minor: i64) {
    let new = from(json!({"id": "P", "customer_id": of, "received_on": on,
        "amount": {"minor": minor, "currency": "EUR"}}));
    payment::add(db, &new, id("P"), &author()).unwrap();
}

#[test]
fn an_account_that_was_taught_by_one_entry_is_known_for_the_others_of_its_statement() {
    let (_folder, db) = db();
    customer(&db, "C1", "Müller GmbH", None);
    invoice(&db, "INV-1001", "C1", "2026-10-01", 11_000);
    invoice(&db, "INV-1002", "C1", "2026-10-02", 12_000);
    let lines = [11_000, 12_000].map(|minor| pays(minor, "", "Holding X", STRANGE));
    take(&db, "S1", &lines);
    let of = matches(&db, None);
    let said = from(json!({"customer_id": "C1", "teach": true}));
    bank::confirm(&db, &of[0].id, &said, &author()).unwrap();
    assert!(matches(&db, None)[1].candidates.is_empty());
    bank::match_anew(&db, &of[0].statement_id, &author()).unwrap();
    let best = matches(&db, None)[1].candidates.remove(0);
    assert_eq!(best.customer_id, id("C1"));
    for reason in [MatchReason::PayerAccount, MatchReason::AmountExact] {
        assert!(best.reasons.contains(&reason), "{best:?}");
    }
    let nobody = bank::match_anew(&db, &id("nobody"), &author());
    assert_eq!(code(nobody), Refusal::NotFound);
    holds(&db);
}
