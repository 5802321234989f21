mod back;
mod decided;
mod disputed;
mod early;
mod random;

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

fn void(key: i64, on: &str, claim: i64) -> Credit {
    let id = format!("W{key}").parse().unwrap();
    let credit = Credit::plain(Source::Adjustment(key), id, date(on), 1);
    naming(Credit { voids: true, ..credit }, &[(claim, None)])
}

fn write_off(key: i64, on: &str, claim: i64, minor: i64) -> Credit {
    let id = format!("W{key}").parse().unwrap();
    let mut credit = Credit::plain(Source::Adjustment(key), id, date(on), minor);
    credit.recoverable = true;
    naming(credit, &[(claim, None)])
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
