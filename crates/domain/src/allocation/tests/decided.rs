//! What is void, given up or upheld.

use super::*;

#[test]
fn what_is_void_stays_void_and_pays_nothing_else() {
    let named = |on: &str| naming(pay(1, on, 100), &[(1, None)]);
    // Unpaid: the whole of it, and money that comes later goes to the other.
    check(
        &two(),
        &[void(9, "2024-01-05", 1), pay(1, "2024-01-05", 70)],
        "W9 I1 2024-01-05 100
         P1 I2 2024-01-05 70",
    );
    // Paid in part by what names it on the day: what is left.
    check(
        &two(),
        &[void(9, "2024-01-05", 1), naming(pay(1, "2024-01-05", 70), &[(1, None)])],
        "P1 I1 2024-01-05 70
         W9 I1 2024-01-05 30",
    );
    // Paid, void, and the money goes back the day after, on the day, and the day before.
    for (back, void_on) in [("06", "05"), ("05", "05"), ("05", "06")] {
        let back = format!("2024-01-{back}");
        let voided = void(9, &format!("2024-01-{void_on}"), 1);
        let done =
            replay(&two(), &[returning(named("2024-01-03"), &back, 100, false), voided], &[]);
        let net = |claim: i64| {
            let of = done.iter().filter(|a| a.claim == Some(claim));
            of.map(|a| a.amount_minor).sum::<i64>()
        };
        assert_eq!((net(1), net(2)), (100, 0), "{back} {void_on}");
    }
    // What opens of it is nobody else's to pay.
    check(
        &two(),
        &[
            returning(named("2024-01-03"), "2024-01-07", 100, false),
            void(9, "2024-01-05", 1),
            pay(2, "2024-01-04", 120),
        ],
        "P1 I1 2024-01-03 100
         P2 I2 2024-01-04 100
         P1 back 2024-01-07 100
         P1 I1 2024-01-07 -100
         W9 I1 2024-01-07 100",
    );
    // One that was taken back never was.
    let never = Credit { until: Some(date("2024-01-05")), ..void(9, "2024-01-05", 1) };
    check(&two(), &[never], "");
}

#[test]
fn money_for_what_was_written_off_recovers_it() {
    let claims = &two()[..1];
    let off = write_off(7, "2024-06-01", 1, 100);
    check(
        claims,
        &[off.clone(), naming(pay(1, "2024-07-01", 30), &[(1, None)])],
        "W7 I1 2024-06-01 100\nW7 I1 2024-07-01 -30\nP1 I1 2024-07-01 30",
    );
    // Money that names nothing stays with the customer.
    check(claims, &[off.clone(), pay(1, "2024-07-01", 30)], "W7 I1 2024-06-01 100");
    // A backdated payment leaves less to write off.
    check(claims, &[off, pay(1, "2024-05-01", 60)], "P1 I1 2024-05-01 60\nW7 I1 2024-06-01 40");
}

#[test]
fn a_recovery_that_goes_back_is_written_off_again() {
    let claims = &two()[..1];
    let off = write_off(7, "2024-06-01", 1, 60);
    let named = |key, on: &str, minor| naming(pay(key, on, minor), &[(1, None)]);
    let back = returning(named(1, "2024-07-01", 90), "2024-08-01", 70, false);
    // Of the 90, 40 paid what was open and 50 recovered: the newest goes back first.
    let expected = "W7 I1 2024-06-01 60
         P1 I1 2024-07-01 40
         W7 I1 2024-07-01 -50
         P1 I1 2024-07-01 50
         P1 back 2024-08-01 70
         P1 I1 2024-08-01 -50
         W7 I1 2024-08-01 50
         P1 I1 2024-08-01 -20";
    check(claims, &[back.clone(), off.clone()], expected);
    // What comes then pays what is open, and recovers what was written off again.
    let again = format!(
        "{expected}
         P2 I1 2024-09-01 20
         W7 I1 2024-09-01 -5
         P2 I1 2024-09-01 5"
    );
    check(claims, &[named(2, "2024-09-01", 25), back, off.clone()], &again);
    // Booked by mistake, it recovered nothing.
    let mistake = returning(named(1, "2024-07-01", 90), "2024-07-01", 90, true);
    check(claims, &[mistake, off], "W7 I1 2024-06-01 60\nP1 back 2024-07-01 90");
}

#[test]
fn a_write_off_comes_after_the_money_of_its_day_and_after_what_went_back() {
    let claims = [claim(1, "2024-01-01", "2024-02-01", 100)];
    let back = returning(naming(pay(1, "2024-01-20", 100), &[(1, None)]), "2024-03-01", 70, false);
    let lines = "P1 I1 2024-01-20 100\nP1 back 2024-03-01 70\nP1 I1 2024-03-01 -70";
    check(
        &claims,
        &[back.clone(), write_off(1, "2024-03-01", 1, 70)],
        &format!("{lines}\nW1 I1 2024-03-01 70"),
    );
    check(
        &claims,
        &[back, write_off(1, "2024-03-01", 1, 70), pay(2, "2024-03-01", 30)],
        &format!("{lines}\nP2 I1 2024-03-01 30\nW1 I1 2024-03-01 40"),
    );
}

#[test]
fn a_write_off_counts_until_the_day_on_which_it_is_taken_back() {
    let claims = &two()[..1];
    let off = Credit { until: Some(date("2024-08-01")), ..write_off(7, "2024-06-01", 1, 100) };
    let booked = "W7 I1 2024-06-01 100";
    let ended = format!("{booked}\nW7 I1 2024-08-01 -100");
    check(claims, std::slice::from_ref(&off), &ended);
    // Money that waits pays what is open again.
    let waiting = pay(1, "2024-07-01", 30);
    check(claims, &[off.clone(), waiting], &format!("{ended}\nP1 I1 2024-08-01 30"));
    // What was recovered before stays paid, and goes back to the debt and not to the write-off.
    let named = naming(pay(1, "2024-07-01", 30), &[(1, None)]);
    let back = returning(named, "2024-09-01", 30, false);
    check(
        claims,
        &[off.clone(), back],
        "W7 I1 2024-06-01 100
         W7 I1 2024-07-01 -30
         P1 I1 2024-07-01 30
         W7 I1 2024-08-01 -70
         P1 back 2024-09-01 30
         P1 I1 2024-09-01 -30",
    );
    // Of its own day it never was, and leaves all to another of that day.
    let never = Credit { until: Some(off.on), ..off };
    let other = write_off(8, "2024-06-01", 1, 100);
    check(claims, &[never, other], "W8 I1 2024-06-01 100");
}

#[test]
fn what_is_taken_off_a_document_counts_from_the_day_of_the_document() {
    let claims = |issued: &str| [claim(1, issued, "2024-06-30", 100)];
    let off = |until: &str| Credit {
        until: (!until.is_empty()).then(|| date(until)),
        ..write_off(7, "2024-02-01", 1, 100)
    };
    let plain = Credit { recoverable: false, ..off("") };
    // When the document is of, what is taken off, and what comes of it.
    for (issued, credit, wanted) in [
        ("2024-01-31", off(""), "W7 I1 2024-02-01 100"),
        ("2024-02-01", off(""), "W7 I1 2024-02-01 100"),
        ("2024-02-02", off(""), "W7 I1 2024-02-02 100"),
        ("2024-03-01", plain.clone(), "W7 I1 2024-03-01 100"),
        ("2024-03-01", void(7, "2024-02-01", 1), "W7 I1 2024-03-01 100"),
        ("2024-03-01", off("2024-03-02"), "W7 I1 2024-03-01 100\nW7 I1 2024-03-02 -100"),
        ("2024-03-01", off("2024-03-01"), ""),
        ("2024-03-01", off("2024-02-10"), ""),
        ("2024-03-01", Credit { until: Some(date("2024-02-10")), ..plain }, ""),
        ("2024-03-01", Credit { until: Some(date("2024-02-10")), ..void(7, "2024-02-01", 1) }, ""),
    ] {
        check(&claims(issued), &[credit], wanted);
    }
}

/// Decisions that were said of different days and count from that of their document, which was moved past them.
#[test]
fn decisions_that_a_moved_document_brings_onto_one_day_are_decisions_of_one_day() {
    let halves =
        [claim(1, "2025-03-20", "2025-04-01", 30), claim(2, "2025-03-20", "2025-04-08", 70)];
    let of_whole = |mut credit: Credit| {
        credit.named = vec![Named { claims: vec![1, 2], minor: None }];
        credit
    };
    let upheld = |key, on: &str, claim, minor| Credit {
        recoverable: false,
        ..write_off(key, on, claim, minor)
    };
    let (early, late) = ("2025-03-05", "2025-03-06");
    for (one, other) in [(early, late), (late, early), (early, early)] {
        // All of the whole and all of its first half: what is said of the half comes first.
        let credits = [of_whole(write_off(1, one, 1, 70)), write_off(2, other, 1, 30)];
        check(&halves, &credits, "W2 I1 2025-03-20 30\nW1 I2 2025-03-20 70");
        // What was never owed comes before what is given up.
        let credits = [of_whole(write_off(1, one, 1, 80)), upheld(2, other, 1, 30)];
        check(&halves, &credits, "W2 I1 2025-03-20 30\nW1 I2 2025-03-20 70");
        // Less before more, and of equal amounts by their ids.
        let credits = [write_off(1, one, 1, 20), write_off(2, other, 1, 15)];
        check(&halves, &credits, "W2 I1 2025-03-20 15\nW1 I1 2025-03-20 15");
        let credits = [write_off(1, one, 1, 20), write_off(2, other, 1, 20)];
        check(&halves, &credits, "W1 I1 2025-03-20 20\nW2 I1 2025-03-20 10");
    }
}

#[test]
fn an_upheld_dispute_of_what_is_paid_frees_the_newest_money() {
    let mut upheld = write_off(7, "2024-02-20", 1, 30);
    upheld.recoverable = false;
    check(
        &two()[..1],
        &[pay(1, "2024-01-20", 60), pay(2, "2024-02-01", 40), upheld],
        "P1 I1 2024-01-20 60
         P2 I1 2024-02-01 40
         P2 I1 2024-02-20 -30
         W7 I1 2024-02-20 30",
    );
}

/// 100 owed from the start of January, of which what is open is written off on the first of July, and 50 of the second.
#[test]
fn what_was_never_owed_takes_what_was_given_up_before_money() {
    let claims =
        [claim(1, "2024-01-01", "2024-06-01", 100), claim(2, "2024-07-02", "2024-08-01", 50)];
    let paid = |minor| naming(pay(1, "2024-06-02", minor), &[(1, None)]);
    let late = |on, minor| naming(pay(2, on, minor), &[(1, None)]);
    let off = write_off(7, "2024-07-01", 1, 100);
    let reversed = Credit { until: Some(date("2024-09-01")), ..off.clone() };
    let upheld = |on, minor| Credit { recoverable: false, ..write_off(8, on, 1, minor) };
    let note = |minor| {
        let note =
            Credit::plain(Source::Credit(9), "N".parse().unwrap(), date("2024-08-01"), minor);
        naming(note, &[(1, None)])
    };
    let voided = || void(8, "2024-08-01", 1);
    let on = "2024-08-01";
    // Credits; what is open of the first, what of the second, what stands of the write-off, and what is free.
    for (what, credits, wanted) in [
        ("upheld", vec![paid(40), off.clone(), upheld(on, 60)], [0, 50, 0, 0]),
        ("and reversed later", vec![paid(40), reversed.clone(), upheld(on, 60)], [0, 50, 0, 0]),
        ("partly", vec![paid(40), off.clone(), upheld(on, 10)], [0, 50, 50, 0]),
        ("partly, and reversed", vec![paid(40), reversed.clone(), upheld(on, 10)], [50, 50, 0, 0]),
        ("more than is given up", vec![paid(40), off.clone(), upheld(on, 70)], [0, 40, 0, 0]),
        ("nothing paid", vec![off.clone(), upheld(on, 100)], [0, 50, 0, 0]),
        ("on the day", vec![off.clone(), upheld("2024-07-01", 100)], [0, 50, 0, 0]),
        (
            "what is open first",
            vec![write_off(7, "2024-07-01", 1, 70), upheld(on, 50)],
            [0, 50, 50, 0],
        ),
        (
            "after a recovery",
            vec![off.clone(), late("2024-07-20", 30), upheld(on, 70)],
            [0, 50, 0, 0],
        ),
        (
            "before a recovery",
            vec![off.clone(), upheld(on, 70), late("2024-08-20", 80)],
            [0, 0, 0, 0],
        ),
        (
            "of two the newest",
            vec![write_off(6, "2024-06-20", 1, 60), off.clone(), upheld(on, 50)],
            [0, 50, 50, 0],
        ),
        ("a credit note", vec![off.clone(), note(100)], [0, 50, 0, 0]),
        ("and reversed", vec![reversed.clone(), note(100)], [0, 50, 0, 0]),
        ("of a part", vec![off.clone(), note(30)], [0, 50, 70, 0]),
        ("of a part, reversed", vec![reversed.clone(), note(30)], [70, 50, 0, 0]),
        (
            "what is open first of that",
            vec![write_off(7, "2024-07-01", 1, 60), note(100)],
            [0, 50, 0, 0],
        ),
        ("beside money", vec![paid(40), off.clone(), note(80)], [0, 30, 0, 0]),
        (
            "paid out",
            vec![off.clone(), returning(note(100), "2024-08-20", 100, false)],
            [0, 50, 100, 0],
        ),
        ("a void", vec![off.clone(), voided()], [0, 50, 0, 0]),
        ("and reversed", vec![reversed.clone(), voided()], [0, 50, 0, 0]),
        ("and paid", vec![off.clone(), voided(), late("2024-08-20", 60)], [0, 0, 0, 10]),
        ("paid in part", vec![paid(40), off.clone(), voided()], [0, 50, 0, 0]),
        (
            "paid in part, reversed, paid",
            vec![paid(40), reversed, voided(), late("2024-09-20", 60)],
            [0, 0, 0, 10],
        ),
        (
            "recovered, and gone back",
            vec![off, returning(late("2024-07-20", 60), "2024-08-20", 60, false), voided()],
            [0, 50, 0, 0],
        ),
    ] {
        let done = replay(&claims, &credits, &[]);
        let sum = |is_it: &dyn Fn(&Allocated) -> bool| -> i64 {
            done.iter().filter(|a| is_it(a)).map(|a| a.amount_minor).sum()
        };
        let is_money = |source| matches!(source, Source::Payment(_) | Source::Credit(_));
        let money = credits.iter().filter(|of| is_money(of.source)).map(|of| of.amount_minor);
        let found = [
            100 - sum(&|a| a.claim == Some(1)),
            50 - sum(&|a| a.claim == Some(2)),
            sum(&|a| matches!(a.source, Source::Adjustment(6 | 7))),
            money.sum::<i64>() - sum(&|a| is_money(a.source)),
        ];
        assert_eq!(found, wanted, "{what}: {:#?}", lines(&done));
    }
}
