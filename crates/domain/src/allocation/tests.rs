mod disputed;
mod early;

use super::*;
use crate::{Decimal, contract::ledger::Component, order};
use early::early;
use proptest::prelude::*;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn claim(key: i64, issued: &str, due: &str, amount_minor: i64) -> Claim {
    Claim {
        key,
        id: format!("I{key}").parse().unwrap(),
        issued_on: date(issued),
        due_on: date(due),
        amount_minor,
        component: Component::Principal,
        about: None,
        secured: false,
        securities: Vec::new(),
        burden: 0,
        discount: None,
        contested: Vec::new(),
    }
}

fn contesting(mut claim: Claim, on: &str, until: Option<&str>, minor: i64) -> Claim {
    claim.contested.push(Contested { on: date(on), until: until.map(date), minor });
    claim
}

fn pay(key: i64, on: &str, amount_minor: i64) -> Credit {
    let id = format!("P{key}").parse().unwrap();
    Credit::plain(Source::Payment(key), id, date(on), amount_minor)
}

fn naming(mut credit: Credit, parts: &[(i64, Option<i64>)]) -> Credit {
    credit.named =
        parts.iter().map(|(claim, minor)| Named { claims: vec![*claim], minor: *minor }).collect();
    credit
}

fn returning(mut credit: Credit, on: &str, minor: i64, mistake: bool) -> Credit {
    let id = format!("R{}", credit.returned.len()).parse().unwrap();
    credit.returned.push(Returned { on: date(on), minor, id, mistake, until: None });
    credit
}

fn write_off(key: i64, on: &str, claim: i64, minor: i64) -> Credit {
    let id = format!("W{key}").parse().unwrap();
    let mut credit = Credit::plain(Source::Adjustment(key), id, date(on), minor);
    credit.recoverable = true;
    naming(credit, &[(claim, None)])
}

fn void(key: i64, on: &str, claim: i64) -> Credit {
    let id = format!("W{key}").parse().unwrap();
    let credit = Credit::plain(Source::Adjustment(key), id, date(on), 1);
    naming(Credit { voids: true, ..credit }, &[(claim, None)])
}

fn lines(done: &[Allocated]) -> Vec<String> {
    let from = |source| match source {
        Source::Payment(key) => format!("P{key}"),
        Source::Credit(key) => format!("C{key}"),
        Source::Adjustment(key) => format!("W{key}"),
        Source::Difference(key, why) => format!("P{key} {why}"),
    };
    let line = |a: &Allocated| {
        let to = a.claim.map_or("back".into(), |key| format!("I{key}"));
        format!("{} {to} {} {}", from(a.source), a.on, a.amount_minor)
    };
    done.iter().map(line).collect()
}

fn check_in(order: &str, claims: &[Claim], credits: &[Credit], expected: &str) {
    let orders = [order::find(&order.parse().unwrap(), &[]).unwrap()];
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines(&replay(claims, credits, &orders)), expected);
}

fn check(claims: &[Claim], credits: &[Credit], expected: &str) {
    check_in(order::DEFAULT, claims, credits, expected);
}

fn two() -> [Claim; 2] {
    [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-01-02", "2024-03-01", 100)]
}

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
fn what_is_contested_is_paid_last_by_money_that_names_nothing() {
    let one = || claim(1, "2024-01-01", "2024-01-31", 10_000);
    let two = || claim(2, "2024-01-01", "2024-02-28", 10_000);
    let whole = || contesting(one(), "2024-02-01", None, 10_000);
    let part = || contesting(one(), "2024-02-01", None, 4_000);
    let ended = || contesting(one(), "2024-02-01", Some("2024-03-01"), 10_000);
    let money = |on: &str, minor: i64| pay(1, on, minor);
    let (first, second) = (|minor| format!("I1 {minor}"), |minor| format!("I2 {minor}"));
    for (what, claim, credit, wanted) in [
        ("all", whole(), money("2024-02-01", 10_000), vec![second(10_000)]),
        ("before", whole(), money("2024-01-31", 10_000), vec![first(10_000)]),
        ("more", whole(), money("2024-02-01", 15_000), vec![second(10_000), first(5_000)]),
        ("a part", part(), money("2024-02-01", 10_000), vec![first(6_000), second(4_000)]),
        (
            "all of it",
            part(),
            money("2024-02-01", 20_000),
            vec![first(6_000), second(10_000), first(4_000)],
        ),
        ("open still", ended(), money("2024-02-29", 10_000), vec![second(10_000)]),
        ("ended", ended(), money("2024-03-01", 10_000), vec![first(10_000)]),
        ("named", whole(), naming(money("2024-02-01", 10_000), &[(1, None)]), vec![first(10_000)]),
    ] {
        let done = replay(&[claim, two()], &[credit], &[]);
        let told = |a: &Allocated| format!("I{} {}", a.claim.unwrap(), a.amount_minor);
        assert_eq!(done.iter().map(told).collect::<Vec<_>>(), wanted, "{what}");
    }
    // In proportion: of what is due, 6000 are not contested here and 10000 there.
    let prc = order::named(&order::PRC.parse().unwrap(), &[]).unwrap();
    let mut other = two();
    other.due_on = date("2024-01-31");
    let done = replay(&[part(), other], &[money("2024-02-01", 8_000)], &[prc]);
    assert_eq!(lines(&done), ["P1 I1 2024-02-01 3000", "P1 I2 2024-02-01 5000"]);
}

#[test]
fn the_oldest_due_is_paid_first() {
    let claims =
        [claim(1, "2024-01-01", "2024-03-01", 100), claim(2, "2024-01-02", "2024-02-01", 100)];
    check(&claims, &[pay(1, "2024-01-10", 150)], "P1 I2 2024-01-10 100\nP1 I1 2024-01-10 50");
}

#[test]
fn a_named_invoice_comes_first_and_the_rest_goes_on() {
    let credit = naming(pay(1, "2024-01-10", 150), &[(2, None)]);
    check(&two(), &[credit], "P1 I2 2024-01-10 100\nP1 I1 2024-01-10 50");
}

#[test]
fn one_payment_goes_over_the_invoices_it_names_with_so_much_for_each() {
    let credit = naming(pay(1, "2024-01-10", 150), &[(2, Some(70)), (1, Some(30))]);
    check(&two(), &[credit], "P1 I2 2024-01-10 70\nP1 I1 2024-01-10 30\nP1 I1 2024-01-10 50");
}

#[test]
fn an_over_payment_waits_for_the_next_invoice() {
    let claims =
        [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-02-10", "2024-03-10", 80)];
    check(&claims, &[pay(1, "2024-01-20", 150)], "P1 I1 2024-01-20 100\nP1 I2 2024-02-10 50");
}

#[test]
fn a_payment_for_an_invoice_of_a_later_day_waits_for_it() {
    let claims =
        [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-02-10", "2024-03-10", 80)];
    let credit = naming(pay(1, "2024-01-20", 100), &[(2, None)]);
    check(&claims, &[credit], "P1 I2 2024-02-10 80\nP1 I1 2024-02-10 20");
    let part = naming(pay(1, "2024-01-20", 100), &[(2, Some(60))]);
    check(&claims, &[part], "P1 I1 2024-01-20 40\nP1 I2 2024-02-10 60");
}

#[test]
fn credit_notes_count_before_payments_of_the_same_day() {
    let credit = Credit::plain(Source::Credit(9), "Z".parse().unwrap(), date("2024-01-20"), 30);
    let claims = [claim(1, "2024-01-01", "2024-02-01", 100)];
    check(
        &claims,
        &[pay(1, "2024-01-20", 100), credit],
        "C9 I1 2024-01-20 30\nP1 I1 2024-01-20 70",
    );
}

#[test]
fn costs_before_interest_before_principal_inside_one_debt() {
    let principal = claim(1, "2024-01-01", "2024-02-01", 100_000);
    let about = |key, component, amount| Claim {
        component,
        about: Some(1),
        ..claim(key, "2024-03-01", "2024-03-01", amount)
    };
    let claims =
        [principal, about(2, Component::Interest, 12_000), about(3, Component::Costs, 3_000)];
    check_in(
        order::PRC,
        &claims,
        &[pay(1, "2024-04-01", 20_000)],
        "P1 I3 2024-04-01 3000\nP1 I2 2024-04-01 12000\nP1 I1 2024-04-01 5000",
    );
}

#[test]
fn money_that_names_the_principal_pays_the_costs_and_interest_of_its_debt_first() {
    let principal = claim(1, "2024-01-01", "2024-02-01", 100_000);
    let about = |key, component, amount| Claim {
        component,
        about: Some(1),
        ..claim(key, "2024-03-01", "2024-03-01", amount)
    };
    let note = about(2, Component::Interest, 12_000);
    let contested = contesting(about(3, Component::Costs, 3_000), "2024-03-05", None, 1_000);
    let plain = [principal.clone(), note.clone(), about(3, Component::Costs, 3_000)];
    let part = [principal.clone(), note.clone(), contested];
    let other = Claim { about: Some(9), ..note.clone() };
    let others = [principal, other, claim(9, "2024-01-01", "2024-01-15", 500)];
    let named = |key, minor| naming(pay(1, "2024-04-01", 20_000), &[(key, minor)]);
    let settling = Credit { settles: vec![vec![1]], ..named(1, None) };
    let all = "P1 I3 2024-04-01 3000\nP1 I2 2024-04-01 12000\nP1 I1 2024-04-01 5000";
    let at_once = "P1 I1 2024-04-01 20000";
    for (order, claims, credit, wanted) in [
        (order::PRC, &plain, named(1, None), all),
        // The payer said how much is for it, that it settles it, or named the note.
        (order::PRC, &plain, named(1, Some(20_000)), at_once),
        (order::PRC, &plain, settling, "P1 I1 2024-04-01 20000\nP1 full-settlement"),
        (order::PRC, &plain, named(2, None), "P1 I2 2024-04-01 12000"),
        // What is contested of the costs is not named; what is about another debt is not of this one.
        (order::PRC, &part, named(1, None), "P1 I3 2024-04-01 2000\nP1 I2 2024-04-01 12000"),
        (order::PRC, &others, named(1, None), at_once),
        ("interest-first", &plain, named(1, None), at_once),
        ("principal-first", &plain, named(1, None), at_once),
        ("fee-penalty-interest-principal", &plain, named(1, None), at_once),
        (order::DEFAULT, &plain, named(1, None), at_once),
    ] {
        let orders = [order::find(&order.parse().unwrap(), &[]).unwrap()];
        let done = lines(&replay(claims, &[credit], &orders)).join("\n");
        let done = done.replace("P1 full-settlement I1 2024-04-01 80000", "P1 full-settlement");
        assert!(done.starts_with(wanted), "{order}: {done}, not {wanted}");
    }
    // What came before the costs were there pays the principal.
    check_in(
        order::PRC,
        &plain,
        &[naming(pay(1, "2024-02-20", 20_000), &[(1, None)])],
        "P1 I1 2024-02-20 20000",
    );
    // A credit note about the principal says that so much of it was never owed.
    let note = Credit::plain(Source::Credit(7), "N".parse().unwrap(), date("2024-04-01"), 20_000);
    check_in(order::PRC, &plain, &[naming(note, &[(1, None)])], "C7 I1 2024-04-01 20000");
}

#[test]
fn interest_first_pays_the_note_before_the_oldest_invoices() {
    let note = Claim { component: Component::Interest, ..claim(9, "2024-03-05", "2024-03-05", 7) };
    let claims = [
        claim(1, "2024-01-01", "2024-02-01", 100),
        claim(2, "2024-01-01", "2024-02-02", 250),
        claim(3, "2024-01-01", "2024-02-03", 500),
        note,
    ];
    check_in(
        "interest-first",
        &claims,
        &[pay(1, "2024-04-01", 700)],
        "P1 I9 2024-04-01 7\nP1 I1 2024-04-01 100\nP1 I2 2024-04-01 250\nP1 I3 2024-04-01 343",
    );
}

#[test]
fn each_preset_chooses_its_debt() {
    let interest = Claim {
        component: Component::Interest,
        about: Some(1),
        ..claim(3, "2024-01-03", "2024-02-15", 10)
    };
    let claims = [two()[0].clone(), two()[1].clone(), interest];
    for (order, first) in [
        ("oldest-due-first", "P1 I1 2024-02-20 5"),
        ("newest-due-first", "P1 I2 2024-02-20 5"),
        ("interest-first", "P1 I3 2024-02-20 5"),
        ("principal-first", "P1 I1 2024-02-20 5"),
        (order::PRC, "P1 I3 2024-02-20 5"),
    ] {
        check_in(order, &claims, &[pay(1, "2024-02-20", 5)], first);
    }
}

#[test]
fn due_debts_first_then_least_secured_then_heaviest_burden() {
    let [due, later] = two();
    let secured = Claim { secured: true, ..claim(3, "2024-01-01", "2024-01-31", 100) };
    let heavy = Claim { burden: 182_500, ..claim(4, "2024-01-01", "2024-02-05", 100) };
    let claims = [due, later, secured, heavy];
    check_in(
        order::PRC,
        &claims,
        &[pay(1, "2024-02-05", 350)],
        "P1 I4 2024-02-05 100\nP1 I1 2024-02-05 100\nP1 I3 2024-02-05 100\nP1 I2 2024-02-05 50",
    );
    // The day before, the heavy one is not due yet.
    check_in(order::PRC, &claims, &[pay(1, "2024-02-04", 5)], "P1 I1 2024-02-04 5");
}

#[test]
fn a_guarantee_puts_a_debt_behind_the_others_from_its_first_day_to_its_last() {
    let from_to = |from: &str, to: &str| (date(from), date(to));
    let mut first = claim(1, "2024-01-01", "2024-01-31", 100);
    first.securities =
        vec![from_to("2024-02-10", "2024-02-12"), from_to("2024-02-12", "2024-02-14")];
    // Of a fee that is about it the invoice decides.
    let fee = Claim {
        component: Component::Costs,
        about: Some(1),
        ..claim(3, "2024-01-02", "2024-01-30", 10)
    };
    let claims = [first, claim(2, "2024-01-01", "2024-02-01", 100), fee];
    for (on, served) in [
        ("2024-02-09", "P1 I3 2024-02-09 5"),
        ("2024-02-10", "P1 I2 2024-02-10 5"),
        ("2024-02-13", "P1 I2 2024-02-13 5"),
        ("2024-02-14", "P1 I2 2024-02-14 5"),
        ("2024-02-15", "P1 I3 2024-02-15 5"),
    ] {
        check_in(order::PRC, &claims, &[pay(1, on, 5)], served);
        check_in("oldest-due-first", &claims, &[pay(1, on, 5)], &format!("P1 I3 {on} 5"));
    }
    // Secured before it is issued, and on the last day there is.
    let mut early = claim(4, "2024-02-20", "2024-02-20", 100);
    early.securities = vec![(date("2024-01-01"), Date::LAST)];
    let claims = [early, claim(5, "2024-02-20", "2024-02-20", 100)];
    check_in(order::PRC, &claims, &[pay(1, "2024-02-20", 5)], "P1 I5 2024-02-20 5");
}

#[test]
fn fee_penalty_interest_principal_per_due_state() {
    let of = |key, component, due: &str| Claim { component, ..claim(key, "2024-01-01", due, 10) };
    // Overdue, due and not yet due on 10 February; inside each the components against the order of due dates.
    let claims = [
        of(1, Component::Principal, "2024-02-01"),
        of(2, Component::Interest, "2024-02-05"),
        of(3, Component::Penalty, "2024-02-09"),
        of(4, Component::Costs, "2024-02-09"),
        of(5, Component::Principal, "2024-02-08"),
        of(6, Component::Principal, "2024-02-10"),
        of(7, Component::Costs, "2024-02-10"),
        of(8, Component::Interest, "2024-02-11"),
        of(9, Component::Penalty, "2024-03-01"),
    ];
    let order: [(&str, &[i64]); 4] = [
        ("2024-02-10", &[4, 3, 2, 1, 5, 7, 6, 9, 8]),
        // The day before, what is due on the 9th is due, and what is due on the 10th is not.
        ("2024-02-09", &[2, 1, 5, 4, 3, 7, 9, 8, 6]),
        // The day after, the 10th is overdue and the 11th due.
        ("2024-02-11", &[4, 7, 3, 2, 1, 5, 6, 8, 9]),
        ("2024-04-01", &[4, 7, 3, 9, 2, 8, 1, 5, 6]),
    ];
    for (on, wanted) in order {
        let lines: Vec<String> = wanted.iter().map(|key| format!("P1 I{key} {on} 10")).collect();
        check_in(order::BY_DUE_STATE, &claims, &[pay(1, on, 90)], &lines.join("\n"));
    }
}

#[test]
fn equal_debts_share_in_proportion_and_no_cent_is_lost() {
    let claims = [
        claim(1, "2024-01-01", "2024-02-01", 100),
        claim(2, "2024-01-01", "2024-02-01", 200),
        claim(3, "2024-01-01", "2024-02-01", 400),
    ];
    check_in(
        order::PRC,
        &claims,
        &[pay(1, "2024-03-01", 100)],
        "P1 I1 2024-03-01 14\nP1 I2 2024-03-01 29\nP1 I3 2024-03-01 57",
    );
}

#[test]
fn instalments_are_closed_one_after_the_other() {
    let claims = [
        claim(1, "2024-01-01", "2024-02-01", 30),
        claim(2, "2024-01-01", "2024-03-01", 50),
        claim(3, "2024-01-01", "2024-04-01", 20),
    ];
    check(&claims, &[pay(1, "2024-01-15", 40)], "P1 I1 2024-01-15 30\nP1 I2 2024-01-15 10");
}

#[test]
fn early_payment_earns_the_discount() {
    let until = |share: &str| [early(share, claim(1, "2024-01-01", "2024-02-01", 100))];
    let earned = "early-payment-discount";
    for (on, paid, expected) in [
        ("2024-01-11", 49, format!("P1 I1 2024-01-11 49\nP1 {earned} I1 2024-01-11 1")),
        ("2024-01-11", 98, format!("P1 I1 2024-01-11 98\nP1 {earned} I1 2024-01-11 2")),
        ("2024-01-11", 99, format!("P1 I1 2024-01-11 99\nP1 {earned} I1 2024-01-11 1")),
        ("2024-01-11", 100, "P1 I1 2024-01-11 100".into()),
        ("2024-01-12", 98, "P1 I1 2024-01-12 98".into()),
    ] {
        check(&until("0.02"), &[pay(1, on, paid)], &expected);
    }
}

#[test]
fn what_is_held_back_settles_and_is_no_money() {
    let mut credit = naming(pay(1, "2024-02-01", 90), &[(1, None)]);
    credit.deductions = vec![(Difference::Withholding, vec![1], 6)];
    let mut agreed = credit.clone();
    agreed.settles = vec![vec![1]];
    let expected = "P1 I1 2024-02-01 90\nP1 withholding I1 2024-02-01 6";
    check(&two()[..1], &[credit], expected);
    let settled = format!("{expected}\nP1 full-settlement I1 2024-02-01 4");
    check(&two()[..1], &[agreed], &settled);
}

#[test]
fn a_small_rest_is_within_the_tolerance_and_a_larger_one_is_not() {
    for (paid, expected) in
        [(97, "P1 I1 2024-02-01 97"), (98, "P1 I1 2024-02-01 98\nP1 tolerance I1 2024-02-01 2")]
    {
        let mut credit = naming(pay(1, "2024-02-01", paid), &[(1, None)]);
        credit.tolerance_minor = 2;
        check(&two()[..1], &[credit], expected);
    }
    let mut unnamed = pay(1, "2024-02-01", 98);
    unnamed.tolerance_minor = 2;
    check(&two()[..1], &[unnamed], "P1 I1 2024-02-01 98");
}

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

#[test]
fn what_is_held_back_comes_before_the_tolerance_and_waits_for_its_invoice() {
    let mut credit = naming(pay(1, "2024-02-01", 95), &[(1, None)]);
    credit.deductions = vec![(Difference::BankCharge, vec![1], 5)];
    credit.tolerance_minor = 5;
    let expected = "P1 I1 2024-02-01 95\nP1 bank-charge I1 2024-02-01 5";
    check(&two()[..1], &[credit.clone()], expected);
    let later = [claim(1, "2024-03-01", "2024-03-31", 100)];
    let expected = "P1 I1 2024-03-01 95\nP1 bank-charge I1 2024-03-01 5";
    check(&later, &[credit], expected);
}

#[test]
fn what_is_no_longer_so_is_taken_back_on_its_own_day() {
    let claims =
        [claim(1, "2024-01-01", "2024-02-01", 100), claim(2, "2024-01-02", "2024-01-31", 100)];
    let before = replay(&claims[..1], &[pay(1, "2024-01-10", 100)], &[]);
    let after = replay(&claims, &[pay(1, "2024-01-10", 100)], &[]);
    assert_eq!(
        lines(&corrections(&before, &after)),
        ["P1 I1 2024-01-10 -100", "P1 I2 2024-01-10 100"]
    );
    assert_eq!(corrections(&after, &after), []);
}

#[derive(Clone, Debug)]
struct Book {
    claims: Vec<Claim>,
    credits: Vec<Credit>,
    orders: Vec<Order>,
}

/// A part of a payment: the claim it names, and how much for it.
type Part = (usize, Option<i64>);

prop_compose! {
    fn some_claim()(issued in 0i64..60, net in 0i64..40, amount in 0i64..500, component in 0usize..4,
        about in proptest::option::of(0i64..12), secured in any::<bool>(), burden in 0i64..3,
        securities in proptest::collection::vec((0i64..60, 0i64..40), 0..3),
        discount in proptest::option::of((1i64..10, 0i64..20))) -> (i64, i64, Claim) {
        let start = date("2024-01-01");
        let day = |at| start.plus_days(at).unwrap();
        let claim = Claim {
            amount_minor: amount,
            component: Component::ALL[component],
            about,
            secured,
            securities: securities.iter().map(|(from, days)| (day(*from), day(from + days))).collect(),
            burden,
            discount: discount.map(|(share, days)| Discount {
                minor: discounts(Decimal::new(share, 2), [amount])[0],
                until: day(issued + days),
            }),
            ..claim(0, "2024-01-01", "2024-01-01", 0)
        };
        (issued, net, claim)
    }
}

prop_compose! {
    fn some_credit()(kind in 0u8..5, on in 0i64..60, amount in 1i64..700,
        parts in proptest::collection::vec((0usize..12, proptest::option::of(1i64..300)), 0..3),
        deduction in proptest::option::of((0usize..12, 1i64..50)),
        settles in proptest::option::of(0usize..12),
        returned in proptest::collection::vec((0i64..60, 1i64..700, 0u8..4), 0..3),
        order in 0usize..6, tolerance in 0i64..5)
        -> (u8, i64, i64, Vec<Part>, Option<(usize, i64)>, Option<usize>, Vec<(i64, i64, u8)>, usize, i64) {
        (kind, on, amount, parts, deduction, settles, returned, order, tolerance)
    }
}

prop_compose! {
    fn book()(claims in proptest::collection::vec(some_claim(), 0..12),
        credits in proptest::collection::vec(some_credit(), 0..12)) -> Book {
        let start = date("2024-01-01");
        let claims: Vec<Claim> = claims.into_iter().zip(0i64..).map(|((issued, net, claim), key)| Claim {
            key,
            id: format!("I{key}").parse().unwrap(),
            issued_on: start.plus_days(issued).unwrap(),
            due_on: start.plus_days(issued + net).unwrap(),
            ..claim
        }).collect();
        let known = |at: usize| claims.get(at).map(|claim| claim.key);
        let credits = credits.into_iter().zip(100i64..).map(
            |((kind, on, amount, parts, deduction, settles, returned, order, tolerance), key)| {
            let day = start.plus_days(on).unwrap();
            let id: Id = format!("S{key}").parse().unwrap();
            let named = |parts: Vec<Part>| parts.into_iter().filter_map(|(at, minor)| {
                Some(Named { claims: vec![known(at)?], minor })
            }).collect::<Vec<_>>();
            match kind {
                0 => Credit {
                    named: named(parts),
                    returned: returned.iter().zip(0..).map(|((days, minor, until), number)| Returned {
                        on: day.plus_days(*days).unwrap(),
                        minor: *minor,
                        id: format!("R{key}-{number}").parse().unwrap(),
                        mistake: false,
                        until: (*until < 2).then(|| day.plus_days(*days + i64::from(*until) * 9).unwrap()),
                    }).collect(),
                    ..Credit::plain(Source::Credit(key), id, day, amount)
                },
                1 => Credit {
                    named: named(parts.into_iter().take(1).map(|(at, _)| (at, None)).collect()),
                    recoverable: amount % 2 == 0,
                    voids: amount % 3 == 0 && amount % 2 != 0,
                    until: settles.filter(|_| amount % 2 == 0).map(|days| day.plus_days(i64::try_from(days).unwrap()).unwrap()),
                    ..Credit::plain(Source::Adjustment(key), id, day, amount)
                },
                _ => Credit {
                    named: named(parts),
                    deductions: deduction.and_then(|(at, minor)| Some((Difference::Withholding, vec![known(at)?], minor))).into_iter().collect(),
                    settles: settles.and_then(known).map(|key| vec![key]).into_iter().collect(),
                    returned: returned.iter().zip(0..).map(|((days, minor, mistake), number)| Returned {
                        on: day.plus_days(*days).unwrap(),
                        minor: *minor,
                        id: format!("R{key}-{number}").parse().unwrap(),
                        mistake: *mistake == 0,
                        until: None,
                    }).collect(),
                    order,
                    tolerance_minor: tolerance,
                    ..Credit::plain(Source::Payment(key), id, day, amount)
                },
            }
        }).collect();
        let orders = order::PRESETS.iter().map(|(name, _, _)| order::find(&name.parse().unwrap(), &[]).unwrap()).collect();
        Book { claims, credits, orders }
    }
}

fn run(book: &Book) -> Vec<Allocated> {
    replay(&book.claims, &book.credits, &book.orders)
}

fn sorted(mut done: Vec<Allocated>) -> Vec<Allocated> {
    done.sort();
    done
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_paid_twice(book in book()) {
        let done = run(&book);
        let mut days: Vec<Date> = done.iter().map(|a| a.on).collect();
        days.dedup();
        for day in days {
            let then = || done.iter().filter(|a| a.on <= day);
            for claim in &book.claims {
                let off: i64 = then().filter(|a| a.claim == Some(claim.key)).map(|a| a.amount_minor).sum();
                prop_assert!(0 <= off && off <= claim.amount_minor, "claim {} on {day}: {off}", claim.key);
            }
            for credit in &book.credits {
                let used: i64 = then().filter(|a| a.source == credit.source).map(|a| a.amount_minor).sum();
                prop_assert!(0 <= used && (credit.voids || used <= credit.amount_minor), "{:?} on {day}: {used}", credit.source);
            }
        }
        for a in &done {
            if let Some(key) = a.claim {
                prop_assert!(a.on >= book.claims.iter().find(|c| c.key == key).unwrap().issued_on);
            }
        }
    }

    #[test]
    fn what_is_void_is_closed_at_the_end_of_each_day(book in book()) {
        let done = run(&book);
        for void in book.credits.iter().filter(|credit| credit.voids) {
            for claim in book.claims.iter().filter(|c| void.named.iter().any(|n| n.claims.contains(&c.key))) {
                let days = done.iter().map(|a| a.on).filter(|on| *on >= void.on.max(claim.issued_on));
                for day in days.chain([void.on.max(claim.issued_on)]) {
                    let off = done.iter().filter(|a| a.claim == Some(claim.key) && a.on <= day);
                    prop_assert_eq!(off.map(|a| a.amount_minor).sum::<i64>(), claim.amount_minor, "{}", day);
                }
            }
        }
    }

    #[test]
    fn either_everything_is_paid_or_all_money_is_used(book in book()) {
        let done = run(&book);
        let open = book.claims.iter().any(|claim| {
            let off: i64 = done.iter().filter(|a| a.claim == Some(claim.key)).map(|a| a.amount_minor).sum();
            off < claim.amount_minor
        });
        let free = book.credits.iter().filter(|c| !matches!(c.source, Source::Adjustment(_))).any(|credit| {
            let used: i64 = done.iter().filter(|a| a.source == credit.source).map(|a| a.amount_minor).sum();
            used < credit.amount_minor
        });
        prop_assert!(!(open && free));
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(book in book(), seed in any::<u64>()) {
        let mut turned = book.clone();
        let at = |len: usize| usize::try_from(seed % 97).unwrap() % len.max(1);
        turned.claims.rotate_left(at(book.claims.len()));
        turned.credits.rotate_left(at(book.credits.len()));
        turned.credits.reverse();
        prop_assert_eq!(run(&book), run(&turned));
    }

    #[test]
    fn a_day_is_decided_by_what_is_dated_up_to_it(book in book(), day in 0i64..60) {
        let until = date("2024-01-01").plus_days(day).unwrap();
        let then: Vec<_> = run(&book).into_iter().filter(|a| a.on <= until).collect();
        let claims: Vec<_> = book.claims.iter().filter(|c| c.issued_on <= until).cloned().collect();
        let known = |key: &i64| claims.iter().any(|claim| claim.key == *key);
        let credits: Vec<_> = book.credits.iter().filter(|c| c.on <= until).map(|credit| {
            let mut credit = credit.clone();
            credit.returned.retain(|back| back.mistake || back.on <= until);
            for back in &mut credit.returned {
                back.until = back.until.filter(|on| *on <= until);
            }
            credit.until = credit.until.filter(|on| *on <= until);
            credit
        }).filter(|credit| credit.named.iter().all(|part| part.claims.iter().all(known))).collect();
        // Money kept for an invoice of a later day is used by others on no day before.
        prop_assume!(book.credits.iter().filter(|c| c.on <= until).count() == credits.len());
        let early = Book { claims: claims.clone(), credits, orders: book.orders.clone() };
        prop_assert_eq!(sorted(then), sorted(run(&early)));
    }

    #[test]
    fn corrections_lead_from_any_state_to_the_wanted_one(book in book(), cut in 0usize..12) {
        let mut early = book.clone();
        early.credits.truncate(cut);
        let recorded = run(&early);
        let wanted = run(&book);
        let mut all = recorded.clone();
        all.extend(corrections(&recorded, &wanted));
        prop_assert_eq!(corrections(&all, &wanted), vec![]);
    }
}
