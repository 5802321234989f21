//! Money that goes back.

use super::*;

#[test]
fn a_chargeback_reopens_the_arrears_on_its_day() {
    let credit = returning(pay(1, "2024-01-20", 150), "2024-02-10", 150, false);
    check(
        &two(),
        &[credit, pay(2, "2024-02-20", 120)],
        "P1 I1 2024-01-20 100
         P1 I2 2024-01-20 50
         P1 back 2024-02-10 150
         P1 I2 2024-02-10 -50
         P1 I1 2024-02-10 -100
         P2 I1 2024-02-20 100
         P2 I2 2024-02-20 20",
    );
}

#[test]
fn a_refund_takes_what_is_not_used_then_the_newest_allocation() {
    let credit = returning(pay(1, "2024-01-20", 230), "2024-02-10", 60, false);
    check(
        &two(),
        &[credit],
        "P1 I1 2024-01-20 100
         P1 I2 2024-01-20 100
         P1 back 2024-02-10 60
         P1 I2 2024-02-10 -30",
    );
}

#[test]
fn a_chargeback_takes_back_the_discount_it_earned() {
    let claims = [early("0.02", claim(1, "2024-01-01", "2024-02-01", 100))];
    check(
        &claims,
        &[returning(pay(1, "2024-01-10", 98), "2024-01-15", 98, false)],
        "P1 I1 2024-01-10 98
         P1 early-payment-discount I1 2024-01-10 2
         P1 back 2024-01-15 98
         P1 I1 2024-01-15 -98
         P1 early-payment-discount I1 2024-01-15 -2",
    );
}

#[test]
fn what_goes_back_takes_the_discount_that_it_earned_with_it() {
    let claims = [early("0.02", claim(1, "2024-01-01", "2024-02-01", 10_000))];
    let settled = |paid: i64, back: &[i64]| {
        let credit = back.iter().fold(pay(1, "2024-01-10", paid), |credit, minor| {
            returning(credit, "2024-01-15", *minor, false)
        });
        let done = replay(&claims, &[credit], &[]);
        let sum = |of: fn(&Allocated) -> bool| -> i64 {
            done.iter().filter(|a| a.claim.is_some() && of(a)).map(|a| a.amount_minor).sum()
        };
        (
            sum(|a| matches!(a.source, Source::Payment(_))),
            sum(|a| matches!(a.source, Source::Difference(..))),
        )
    };
    for (paid, back, expected) in [
        (9_800, vec![], (9_800, 200)),
        // Half of it stays and keeps half of the discount, as if no more had come.
        (9_800, vec![4_900], (4_900, 100)),
        (4_900, vec![], (4_900, 100)),
        (4_900, vec![2_450], (2_450, 50)),
        // In two steps or in one.
        (9_800, vec![2_450, 2_450], (4_900, 100)),
        (9_800, vec![1], (9_799, 200)),
        (9_800, vec![25], (9_775, 199)),
        (9_800, vec![9_799], (1, 0)),
        (9_800, vec![9_800], (0, 0)),
        // What was not used goes back first and had earned nothing.
        (9_900, vec![], (9_900, 100)),
        (10_500, vec![500], (10_000, 0)),
    ] {
        assert_eq!(settled(paid, &back), expected, "{paid} less {back:?}");
    }
}

#[test]
fn a_credit_that_was_paid_out_can_stand_again() {
    let credit = |until: Option<&str>| {
        let credit =
            Credit::plain(Source::Credit(9), "Z".parse().unwrap(), date("2024-01-20"), 130);
        let mut credit = returning(naming(credit, &[(1, None)]), "2024-02-01", 30, false);
        credit.returned[0].until = until.map(date);
        [credit]
    };
    let later = [two()[0].clone(), claim(2, "2024-02-10", "2024-03-01", 100)];
    let paid = "C9 I1 2024-01-20 100\nC9 back 2024-02-01 30";
    check(&later, &credit(None), paid);
    check(
        &later,
        &credit(Some("2024-02-20")),
        &format!("{paid}\nC9 back 2024-02-20 -30\nC9 I2 2024-02-20 30"),
    );
    // On its own day: it never went.
    let never = "C9 I1 2024-01-20 100\nC9 I2 2024-02-10 30";
    check(&later, &credit(Some("2024-02-01")), never);
    // A claim that comes late takes the credit first, and the refund takes it out again.
    check(
        &two(),
        &credit(None),
        "C9 I1 2024-01-20 100
         C9 I2 2024-01-20 30
         C9 back 2024-02-01 30
         C9 I2 2024-02-01 -30",
    );
}

#[test]
fn a_mistake_never_was() {
    let credit = returning(pay(1, "2024-01-20", 150), "2024-01-20", 150, true);
    check(
        &two(),
        &[credit, pay(2, "2024-01-21", 30)],
        "P1 back 2024-01-20 150\nP2 I1 2024-01-21 30",
    );
}
