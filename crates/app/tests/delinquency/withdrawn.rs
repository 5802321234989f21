//! What a withdrawal of a default is about.

use super::*;

#[test]
fn what_a_merge_withdraws_silences_nothing() {
    let (_folder, db) = db();
    rule(&db, false);
    for name in ["X", "Y", "Z", "Control"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 100);
    }
    sweep(&db, "2024-03-01");
    // Merged, and merged again.
    customer::merge(&db, &id("Y"), &id("X"), &on("2024-03-02")).unwrap();
    customer::merge(&db, &id("X"), &id("Z"), &on("2024-03-02")).unwrap();
    pay(&db, "P", "Z", "2024-03-03", 300);
    pay(&db, "P-Control", "Control", "2024-03-03", 100);
    sweep(&db, "2024-03-03");
    assert_eq!(states(&db, "Z"), ["cured", "withdrawn", "withdrawn"]);
    charge_back(&db, "P", "2024-03-04");
    charge_back(&db, "P-Control", "2024-03-04");
    sweep(&db, "2024-03-04");
    assert_eq!(states(&db, "Control"), ["cured", "open"]);
    assert_eq!(states(&db, "Z"), ["cured", "withdrawn", "withdrawn", "open"]);
    books_hold(&db);
}

#[test]
fn a_withdrawal_is_about_what_was_late_then_and_no_other_arrears() {
    let (_folder, db) = db();
    rule(&db, false);
    for name in ["C", "Other"] {
        customer(&db, name);
    }
    bill(&db, "I1", "C", "2024-01-01", "2024-01-31", 10);
    bill(&db, "I-Other", "Other", "2024-01-01", "2024-01-31", 70);
    sweep(&db, "2024-03-01");
    close_open(&db, "C", "withdrawn", "2024-03-02");
    sweep(&db, "2024-03-03");
    assert_eq!(states(&db, "C"), ["withdrawn"]);
    bill(&db, "I2", "C", "2024-02-20", "2024-03-01", 9_000);
    sweep(&db, "2024-03-30");
    assert_eq!(states(&db, "C"), ["withdrawn"], "29 days");
    sweep(&db, "2024-03-31");
    assert_eq!(
        defaults(&db, Some("C")).iter().max().unwrap(),
        "C 2024-03-31 9000 open - -",
        "what was taken back is in no amount"
    );
    // It is over when what it is about is paid.
    let new = read(json!({"id": "P2", "customer_id": "C", "received_on": "2024-04-01",
        "amount": eur(9_000), "invoice_id": "I2"}));
    payment::add(&db, &new, id("made"), &on("2024-04-01")).unwrap();
    sweep(&db, "2024-04-01");
    assert_eq!(states(&db, "C"), ["withdrawn", "cured"]);
    // Of a merge the arrears of the other are not taken back.
    customer::merge(&db, &id("C"), &id("Other"), &on("2024-04-02")).unwrap();
    sweep(&db, "2024-04-02");
    assert_eq!(states(&db, "Other"), ["withdrawn", "open", "cured"]);
    let new = read(json!({"id": "P3", "customer_id": "Other", "received_on": "2024-04-03",
        "amount": eur(70), "invoice_id": "I-Other"}));
    payment::add(&db, &new, id("made"), &on("2024-04-03")).unwrap();
    sweep(&db, "2024-04-03");
    assert_eq!(states(&db, "Other"), ["withdrawn", "cured", "cured"]);
    charge_back(&db, "P3", "2024-04-04");
    sweep(&db, "2024-04-04");
    assert_eq!(states(&db, "Other"), ["withdrawn", "cured", "cured", "open"]);
    books_hold(&db);
}

#[test]
fn a_debt_that_was_withdrawn_paid_and_charged_back_is_a_default_anew() {
    let (_folder, db) = db();
    rule(&db, false);
    for name in ["Paid", "Part", "GivenUp", "Reopened"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 100);
    }
    sweep(&db, "2024-03-01");
    for name in ["Paid", "Part", "GivenUp", "Reopened"] {
        close_open(&db, name, "withdrawn", "2024-03-02");
    }
    pay(&db, "P-Paid", "Paid", "2024-03-03", 100);
    pay(&db, "P-Part", "Part", "2024-03-03", 99);
    give_up(&db, "W", "I-GivenUp", "2024-03-03", None);
    let found = default_record::page(&db, "", 9, Some(&id("Reopened")), None, When::ALL).unwrap();
    let again = read(json!({"replaces": "2024-03-02", "reason": "It was right."}));
    default_record::reopen(&db, &found[0].id, &again, &on("2024-03-03")).unwrap();
    sweep(&db, "2024-03-04");
    charge_back(&db, "P-Paid", "2024-03-05");
    charge_back(&db, "P-Part", "2024-03-05");
    let back = read(json!({"on": "2024-03-05", "reason": "by mistake"}));
    write_off::reverse(&db, &id("W"), &back, &on("2024-03-05")).unwrap();
    for date in ["2024-03-05", "2024-03-06"] {
        sweep(&db, date);
        assert_eq!(states(&db, "Paid"), ["withdrawn", "open"]);
        assert_eq!(states(&db, "Part"), ["withdrawn"], "the same arrears all along");
        assert_eq!(states(&db, "GivenUp"), ["withdrawn"], "giving up pays nothing");
        assert_eq!(states(&db, "Reopened"), ["open"]);
    }
    books_hold(&db);
}
