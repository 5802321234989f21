//! Defaults of groups.

use super::*;

#[test]
fn one_member_of_a_group_takes_the_others_along() {
    let (_folder, db) = db();
    for name in ["Branch", "Head", "Sister", "Alone"] {
        customer(&db, name);
    }
    db.execute(
        "UPDATE customer SET parent_key = (SELECT key FROM customer WHERE id = 'Head')
         WHERE id IN ('Branch', 'Sister')",
        &[],
    )
    .unwrap();
    bill(&db, "H", "Head", "2024-01-01", "2024-12-31", 50);
    bill(&db, "S", "Sister", "2024-01-01", "2024-01-01", 100);
    bill(&db, "A", "Alone", "2024-01-01", "2024-12-31", 70);
    policy::put(
        &db,
        &read(json!({"default_rule": {"days": 30, "cross_default": true}})),
        &on("2024-01-15"),
    )
    .unwrap();
    sweep(&db, "2024-01-31");
    let sorted = || {
        let mut all = defaults(&db, None);
        all.sort();
        all
    };
    assert_eq!(sorted(), ["Head 2024-01-31 50 open - -", "Sister 2024-01-31 100 open - -"]);
    bill(&db, "B", "Branch", "2024-01-30", "2024-12-31", 30);
    sweep(&db, "2024-02-01");
    assert_eq!(sorted().len(), 3, "who owes later comes later");
    pay(&db, "P", "Sister", "2024-02-02", 100);
    sweep(&db, "2024-02-02");
    assert_eq!(
        sorted(),
        [
            "Branch 2024-02-01 30 cured 2024-02-02 -",
            "Head 2024-01-31 50 cured 2024-02-02 -",
            "Sister 2024-01-31 100 cured 2024-02-02 P"
        ]
    );
}

fn join(db: &NativeDb, name: &str, head: Option<&str>, when: &str) {
    let new = read(json!({"name": name, "parent_id": head}));
    customer::put(db, &id(name), &new, &on(when)).unwrap();
}

/// A group of a head in default by itself and of members that are so with it.
fn group(db: &NativeDb, members: &[&str]) {
    rule(db, true);
    customer(db, "H");
    bill(db, "I-H", "H", "2024-01-01", "2024-01-31", 100);
    for name in members {
        customer(db, name);
        join(db, name, Some("H"), "2024-01-01");
        bill(db, &format!("I-{name}"), name, "2024-01-01", "2024-12-31", 50);
    }
    sweep(db, "2024-03-01");
    assert_eq!(states(db, "H"), ["open"]);
    members.iter().for_each(|name| assert_eq!(states(db, name), ["open"]));
}

#[test]
fn a_cross_default_goes_with_the_default_that_it_rests_on() {
    let (_folder, db) = db();
    group(&db, &["M"]);
    close_open(&db, "H", "withdrawn", "2024-03-02");
    customer(&db, "N");
    join(&db, "N", Some("H"), "2024-03-02");
    bill(&db, "I-N", "N", "2024-01-01", "2024-12-31", 50);
    for date in ["2024-03-02", "2024-03-03"] {
        sweep(&db, date);
        assert_eq!(states(&db, "H"), ["withdrawn"]);
        assert_eq!(defaults(&db, Some("M")), ["M 2024-03-01 50 withdrawn 2024-03-02 -"]);
        assert_eq!(states(&db, "N"), [""; 0], "nothing opens on it");
    }
    books_hold(&db);
    let told = |action: &str| {
        let sql = format!(
            "SELECT change FROM audit WHERE noun = 'default_record' AND action = '{action}'
             ORDER BY key DESC LIMIT 1"
        );
        let row = db.first(&sql, &[]).unwrap().unwrap();
        serde_json::from_str::<Value>(row.text(0).unwrap()).unwrap()["after"].clone()
    };
    let judged = told("judge");
    assert_eq!(judged["cured"], json!([]));
    let of = |name: &str| {
        default_record::page(&db, "", 9, Some(&id(name)), None, When::ALL).unwrap().remove(0).id
    };
    assert_eq!(judged["withdrawn"], json!([of("M")]));
    assert_eq!(judged["withdrawn_with"], json!([of("H")]));
    // Paid and charged back, the head is in default anew, and all with it.
    pay(&db, "P", "H", "2024-03-04", 100);
    sweep(&db, "2024-03-04");
    charge_back(&db, "P", "2024-03-05");
    sweep(&db, "2024-03-05");
    for (name, wanted) in [("H", 2), ("M", 2), ("N", 1)] {
        assert_eq!(states(&db, name).len(), wanted, "{name}");
        assert_eq!(states(&db, name).last().unwrap(), "open", "{name}");
    }
    // What it rests on is cured by its money; by whose money the others are is not theirs to say.
    pay(&db, "Q", "H", "2024-03-06", 100);
    sweep(&db, "2024-03-06");
    assert_eq!(defaults(&db, Some("N")), ["N 2024-03-05 50 cured 2024-03-06 -"]);
    books_hold(&db);
}

#[test]
fn a_cross_default_that_was_withdrawn_opens_on_no_default_that_was_there_then() {
    let (_folder, db) = db();
    group(&db, &["M", "N"]);
    close_open(&db, "M", "withdrawn", "2024-03-02");
    bill(&db, "I-N2", "N", "2024-01-01", "2024-02-02", 50);
    sweep(&db, "2024-03-02");
    assert_eq!(
        (states(&db, "M"), states(&db, "N")),
        (vec!["withdrawn".into()], vec!["open".into()])
    );
    // The member is in default by itself too; what rested on the head goes with the head's, and what holds is said.
    sweep(&db, "2024-03-03");
    close_open(&db, "H", "withdrawn", "2024-03-04");
    sweep(&db, "2024-03-04");
    assert_eq!(states(&db, "N"), ["withdrawn", "open"]);
    let all = default_record::page(&db, "", 9, Some(&id("N")), None, When::ALL).unwrap();
    let own = all.iter().find(|of| of.state == DefaultState::Open).unwrap();
    assert_eq!(own.invoice_id, Some(id("I-N2")));
    for name in ["H", "M"] {
        assert_eq!(
            states(&db, name),
            ["withdrawn", "open"],
            "{name} with N, whose default is another"
        );
    }
    books_hold(&db);
}

#[test]
fn a_cross_default_follows_the_group() {
    let (_folder, db) = db();
    group(&db, &["M", "Leaves"]);
    for name in ["G", "New"] {
        customer(&db, name);
        bill(&db, &format!("I-{name}"), name, "2024-01-01", "2024-01-31", 70);
    }
    sweep(&db, "2024-03-02");
    // One leaves, and one is in another group whose head is in default as well.
    join(&db, "Leaves", None, "2024-03-03");
    join(&db, "M", Some("G"), "2024-03-03");
    sweep(&db, "2024-03-03");
    assert_eq!(
        (states(&db, "Leaves"), states(&db, "M")),
        (vec!["cured".into()], vec!["open".into()])
    );
    // What the old head was withdrawn for is nothing to it now.
    close_open(&db, "H", "withdrawn", "2024-03-04");
    sweep(&db, "2024-03-04");
    assert_eq!(states(&db, "M"), ["open"]);
    // The head is merged: what it rested on is withdrawn by that, and the survivor's stays.
    customer::merge(&db, &id("G"), &id("New"), &on("2024-03-05")).unwrap();
    sweep(&db, "2024-03-05");
    assert_eq!(
        (states(&db, "New"), states(&db, "M")),
        (vec!["open".into(), "withdrawn".into()], vec!["open".into()])
    );
    close_open(&db, "New", "withdrawn", "2024-03-06");
    sweep(&db, "2024-03-06");
    assert_eq!(states(&db, "M"), ["withdrawn"]);
    books_hold(&db);
}

/// Of the head's own default and the cross-default of the member it is merged into the own one is kept, with what it says,
/// and what rested on it goes on to do so, swept in between or not.
#[test]
fn a_cross_default_follows_a_head_that_is_merged_into_a_member() {
    for swept in [true, false] {
        let (_folder, db) = db();
        group(&db, &["M", "N"]);
        customer::merge(&db, &id("H"), &id("M"), &on("2024-03-02")).unwrap();
        if swept {
            sweep(&db, "2024-03-02");
        }
        let open = default_record::page(&db, "", 9, Some(&id("M")), None, When::ALL).unwrap();
        let open: Vec<_> = open.iter().filter(|of| of.state == DefaultState::Open).collect();
        assert_eq!(open.len(), 1);
        assert_eq!(
            (open[0].amount.unwrap().minor, open[0].invoice_id.clone()),
            (100, Some(id("I-H")))
        );
        assert!(open[0].reason.contains("I-H is 30 days delinquent"), "{:?}", open[0].reason);
        assert_eq!(states(&db, "M"), ["open", "withdrawn"]);
        assert_eq!(states(&db, "N"), ["open"], "{swept}");
        close_open(&db, "M", "withdrawn", "2024-03-03");
        sweep(&db, "2024-03-03");
        assert_eq!(states(&db, "M"), ["withdrawn", "withdrawn"], "{swept}");
        assert_eq!(states(&db, "N"), ["withdrawn"], "{swept}");
        books_hold(&db);
    }
}

/// Of two one of the customer's own is kept before a cross-default, and of two alike the survivor's.
#[test]
fn a_merge_keeps_the_default_that_stands_by_itself() {
    for (from, to, late, kept) in [
        ("H", "M", false, "H"),
        ("M", "H", false, "H"),
        ("N", "M", false, "M"),
        ("M", "N", false, "N"),
        ("M", "H", true, "H"),
        ("H", "M", true, "M"),
        ("M", "N", true, "M"),
    ] {
        let (_folder, db) = db();
        customer(&db, "M");
        if late {
            bill(&db, "I-late", "M", "2024-01-01", "2024-01-31", 7);
        }
        group(&db, &["M", "N"]);
        let open = |of: &str| {
            let of = id(of);
            default_record::page(&db, "", 9, Some(&of), Some(DefaultState::Open), When::ALL)
                .unwrap()
        };
        let wanted = open(kept).remove(0).id;
        customer::merge(&db, &id(from), &id(to), &on("2024-03-02")).unwrap();
        sweep(&db, "2024-03-02");
        let found: Vec<_> = open(to).into_iter().map(|of| of.id).collect();
        assert_eq!(found, [wanted], "{from} into {to}");
        books_hold(&db);
    }
}

#[test]
fn a_cross_default_is_cured_by_money_that_leaves_nothing_owed() {
    let (_folder, db) = db();
    group(&db, &["M", "N"]);
    pay(&db, "P-M", "M", "2024-03-02", 50);
    pay(&db, "P-N", "N", "2024-03-02", 20);
    sweep(&db, "2024-03-02");
    assert_eq!(defaults(&db, Some("M")), ["M 2024-03-01 50 cured 2024-03-02 P-M"]);
    pay(&db, "P-H", "H", "2024-03-03", 100);
    sweep(&db, "2024-03-03");
    assert_eq!(defaults(&db, Some("N")), ["N 2024-03-01 50 cured 2024-03-03 -"]);
}
