//! What early payment saves, to the cent.

use super::*;

/// With a share saved by who pays by 11 January.
pub(super) fn early(share: &str, claim: Claim) -> Claim {
    let minor = discounts(share.parse().unwrap(), [claim.amount_minor])[0];
    Claim { discount: Some(Discount { minor, until: date("2024-01-11") }), ..claim }
}

/// An invoice in instalments, of which early payment of the whole saves a share.
fn instalments(share: &str, amounts: &[i64]) -> Vec<Claim> {
    let saved = discounts(share.parse().unwrap(), amounts.iter().copied());
    let part = |((key, minor), saved): ((i64, &i64), i64)| Claim {
        discount: Some(Discount { minor: saved, until: date("2024-01-11") }),
        ..claim(key, "2024-01-01", &format!("2024-{:02}-01", key + 1), *minor)
    };
    (1i64..).zip(amounts).zip(saved).map(part).collect()
}

/// What early payment saved, what is open, and what of the money is left.
fn settled(claims: &[Claim], credits: &[Credit], order: &str) -> (i64, i64, i64) {
    let order = order::named(&order.parse().unwrap(), &[]).unwrap();
    let done = replay(claims, credits, &[order]);
    let sum = |of: &dyn Fn(&Allocated) -> bool| -> i64 {
        done.iter().filter(|a| of(a)).map(|a| a.amount_minor).sum()
    };
    let saved =
        sum(&|a| matches!(a.source, Source::Difference(_, Difference::EarlyPaymentDiscount)));
    let claimed: i64 = claims.iter().map(|claim| claim.amount_minor).sum();
    let money = credits.iter().filter(|of| !matches!(of.source, Source::Adjustment(_)));
    let given: i64 = money.map(|credit| credit.amount_minor).sum();
    let used = sum(&|a| matches!(a.source, Source::Payment(_) | Source::Credit(_)));
    (saved, claimed - sum(&|a| a.claim.is_some()), given - used)
}

fn holding(mut credit: Credit, claims: &[i64], minor: i64) -> Credit {
    credit.deductions.push((Difference::Withholding, claims.to_vec(), minor));
    credit
}

fn whole(mut credit: Credit, claims: &[i64]) -> Credit {
    credit.named = vec![Named { claims: claims.to_vec(), minor: None }];
    credit
}

/// What it is, claims, credits, and what they come to.
type Case = (&'static str, Vec<Claim>, Vec<Credit>, (i64, i64, i64));

#[test]
fn the_discount_is_right_to_the_cent_however_it_is_paid() {
    let one = || vec![early("0.02", claim(1, "2024-01-01", "2024-02-01", 10_000))];
    let two = || {
        let second = claim(2, "2024-01-01", "2024-02-01", 10_000);
        vec![one()[0].clone(), early("0.02", second)]
    };
    let mixed = || vec![one()[0].clone(), claim(2, "2024-01-01", "2024-02-01", 10_000)];
    let parts = || instalments("0.02", &[3_000, 7_000]);
    let thirds = || instalments("0.02", &[3_333, 3_333, 3_334]);
    let day = "2024-01-10";
    let contested = || {
        let one = one()[0].clone();
        vec![contesting(one, "2024-01-02", None, 4_000)]
    };
    let small = || vec![early("0.02", claim(1, "2024-01-01", "2024-02-01", 990))];
    let tens = || (1..98).map(|key| pay(key, day, 10)).collect::<Vec<_>>();
    let on_days = |key: i64, minor| pay(key, &format!("2024-01-{key:02}"), minor);
    let cases: Vec<Case> = vec![
        (
            "98 of 100 in instalments",
            parts(),
            vec![whole(pay(1, day, 9_800), &[1, 2])],
            (200, 0, 0),
        ),
        ("unnamed", parts(), vec![pay(1, day, 9_800)], (200, 0, 0)),
        (
            "99 of 100 in instalments",
            parts(),
            vec![whole(pay(1, day, 9_900), &[1, 2])],
            (100, 0, 0),
        ),
        ("paid in full", parts(), vec![whole(pay(1, day, 10_000), &[1, 2])], (0, 0, 0)),
        ("and more", parts(), vec![whole(pay(1, day, 10_500), &[1, 2])], (0, 0, 500)),
        ("half of it", parts(), vec![whole(pay(1, day, 4_900), &[1, 2])], (100, 5_000, 0)),
        ("by instalment", parts(), vec![on_days(2, 3_000), on_days(3, 6_800)], (200, 0, 0)),
        ("net of the first", parts(), vec![on_days(2, 2_940), on_days(3, 6_860)], (200, 0, 0)),
        ("instalments that round", thirds(), vec![pay(1, day, 9_800)], (200, 0, 0)),
        ("late", parts(), vec![whole(pay(1, "2024-01-12", 9_800), &[1, 2])], (0, 200, 0)),
        (
            "88 and 10 withheld",
            one(),
            vec![holding(naming(pay(1, day, 8_800), &[(1, None)]), &[1], 1_000)],
            (200, 0, 0),
        ),
        ("the same unnamed", one(), vec![holding(pay(1, day, 8_800), &[1], 1_000)], (200, 0, 0)),
        (
            "of instalments",
            parts(),
            vec![holding(whole(pay(1, day, 8_800), &[1, 2]), &[1, 2], 1_000)],
            (200, 0, 0),
        ),
        (
            "97 and a charge of 1",
            one(),
            vec![holding(naming(pay(1, day, 9_700), &[(1, None)]), &[1], 100)],
            (200, 0, 0),
        ),
        (
            "98 and a charge of 1",
            one(),
            vec![holding(naming(pay(1, day, 9_800), &[(1, None)]), &[1], 100)],
            (100, 0, 0),
        ),
        (
            "99 and a charge of 1",
            one(),
            vec![holding(naming(pay(1, day, 9_900), &[(1, None)]), &[1], 100)],
            (0, 0, 0),
        ),
        ("196 for two", two(), vec![pay(1, day, 19_600)], (400, 0, 0)),
        ("198 for two", two(), vec![pay(1, day, 19_800)], (200, 0, 0)),
        ("200 for two", two(), vec![pay(1, day, 20_000)], (0, 0, 0)),
        ("201 for two", two(), vec![pay(1, day, 20_100)], (0, 0, 100)),
        (
            "98 for one and 98 for the other",
            two(),
            vec![naming(pay(1, day, 19_600), &[(2, Some(9_800)), (1, Some(9_800))])],
            (400, 0, 0),
        ),
        (
            "98 for one, 100 for the other",
            two(),
            vec![naming(pay(1, day, 19_800), &[(2, Some(9_800)), (1, Some(10_000))])],
            (200, 0, 0),
        ),
        ("one of two gives a discount", mixed(), vec![pay(1, day, 19_800)], (200, 0, 0)),
        ("97 times 0.10", small(), tens(), (20, 0, 0)),
        ("and 0.10 more", small(), [tens(), vec![pay(99, day, 10)]].concat(), (20, 0, 10)),
        ("what is not contested", contested(), vec![pay(1, day, 5_880)], (120, 4_000, 0)),
        (
            "beside a credit note",
            one(),
            vec![
                Credit {
                    named: vec![Named { claims: vec![1], minor: None }],
                    ..Credit::plain(
                        Source::Credit(9),
                        "Z".parse().unwrap(),
                        date("2024-01-05"),
                        2_000,
                    )
                },
                pay(1, day, 7_840),
            ],
            (160, 0, 0),
        ),
    ];
    for (what, claims, credits, wanted) in cases {
        for order in ["oldest-due-first", order::PRC, "interest-first"] {
            assert_eq!(settled(&claims, &credits, order), wanted, "{what}, {order}");
        }
    }
}

/// A payment settles what it names but for a rest, by agreement or within the tolerance; some of it goes back.
#[test]
fn what_was_settled_without_money_is_open_again_when_some_of_the_money_goes_back() {
    let claims = [
        claim(1, "2024-01-01", "2024-02-01", 30),
        claim(2, "2024-01-01", "2024-03-01", 70),
        claim(3, "2024-01-01", "2024-04-01", 50),
    ];
    let tolerant = || Credit { tolerance_minor: 3, ..whole(pay(1, "2024-01-10", 98), &[1, 2]) };
    let agreed =
        |settles: Vec<Vec<i64>>| Credit { settles, ..whole(pay(1, "2024-01-10", 90), &[1, 2]) };
    let over = || Credit { tolerance_minor: 3, ..naming(pay(1, "2024-01-10", 49), &[(3, None)]) };
    for (what, credit, back, wanted) in [
        ("within the tolerance", tolerant(), vec![], [0, 0, 50]),
        ("a little less", tolerant(), vec![1], [0, 0, 50]),
        ("too little", tolerant(), vec![2], [0, 4, 50]),
        ("much less", tolerant(), vec![80], [12, 70, 50]),
        ("in two steps", tolerant(), vec![40, 40], [12, 70, 50]),
        ("all of it", tolerant(), vec![98], [30, 70, 50]),
        ("agreed", agreed(vec![vec![1, 2]]), vec![], [0, 0, 50]),
        ("and 1 back", agreed(vec![vec![1, 2]]), vec![1], [0, 11, 50]),
        ("of both", agreed(vec![vec![1, 2], vec![3]]), vec![1], [0, 11, 0]),
        ("of the only one", over(), vec![], [30, 70, 0]),
        ("and 2 of it back", over(), vec![2], [30, 70, 0]),
        ("and 3 of it back", over(), vec![3], [30, 70, 4]),
    ] {
        let credit = back
            .iter()
            .fold(credit, |credit, minor| returning(credit, "2024-01-20", *minor, false));
        let done = replay(&claims, &[credit], &[]);
        let open = [1, 2, 3].map(|key| {
            let off = done.iter().filter(|a| a.claim == Some(key));
            claims[usize::try_from(key - 1).unwrap()].amount_minor
                - off.map(|a| a.amount_minor).sum::<i64>()
        });
        assert_eq!(open, wanted, "{what}: {done:?}");
    }
}

/// Many small payments of which most go back: what is left of the discount is what the rest earns.
#[test]
fn what_stays_keeps_the_discount_that_it_earns() {
    let claims = [early("0.02", claim(1, "2024-01-01", "2024-02-01", 990))];
    let credits: Vec<Credit> = (1..98)
        .map(|key| {
            let credit = pay(key, "2024-01-10", 10);
            if key % 2 == 0 { returning(credit, "2024-01-20", 10, false) } else { credit }
        })
        .collect();
    let done = replay(&claims, &credits, &[]);
    let saved = done.iter().filter(|a| matches!(a.source, Source::Difference(..)));
    assert_eq!(saved.map(|a| a.amount_minor).sum::<i64>(), 10);
}

/// Cuts of the net of a whole into payments, in the order in which they come.
fn cuts() -> impl Strategy<Value = (Vec<i64>, i64, Vec<i64>)> {
    let amounts = proptest::collection::vec(1i64..20_000, 1..5);
    (amounts, 0i64..12, proptest::collection::vec(1i64..9_000, 0..6))
}

proptest! {
    #[test]
    fn however_the_net_is_cut_it_earns_the_discount_of_the_whole((amounts, share, cuts) in cuts(), named in any::<bool>(),
        held in 0i64..500, turned in any::<bool>()) {
        let claims = instalments(&Decimal::new(share, 2).to_string(), &amounts);
        let keys: Vec<i64> = claims.iter().map(|claim| claim.key).collect();
        let all: i64 = amounts.iter().sum();
        let saved = discounts(Decimal::new(share, 2), [all])[0];
        // What is held back comes with the last payment.
        let mut left = all - saved;
        let held = held.min(left - 1).max(0);
        left -= held;
        let mut credits: Vec<Credit> = Vec::new();
        for (key, cut) in (1i64..).zip(cuts.into_iter().chain([i64::MAX])) {
            let minor = cut.min(left);
            left -= minor;
            if minor > 0 {
                let credit = pay(key, &format!("2024-01-{:02}", key + 1), minor);
                credits.push(if named { whole(credit, &keys) } else { credit });
            }
        }
        if held > 0 && let Some(last) = credits.pop() {
            credits.push(holding(last, &keys, held));
        }
        if turned {
            credits.reverse();
        }
        prop_assert_eq!(settled(&claims, &credits, "oldest-due-first"), (saved, 0, 0));
    }
}

/// 100 with 2 % in ten days, paid on the fifth; then some of it turns out not to have been owed.
#[test]
fn what_remains_of_a_paid_claim_keeps_its_discount_and_no_more() {
    let claim = || early("0.02", claim(1, "2024-01-01", "2024-02-01", 10_000));
    let half = || Claim { amount_minor: 5_000, ..claim() };
    let corrected = || early("0.02", half());
    let paid = |minor| naming(pay(1, "2024-01-05", minor), &[(1, None)]);
    let upheld = |on: &str, minor| {
        let id = "D".parse().unwrap();
        naming(Credit::plain(Source::Adjustment(7), id, date(on), minor), &[(1, None)])
    };
    let note = |on: &str, minor| {
        let id = "N".parse().unwrap();
        naming(Credit::plain(Source::Credit(8), id, date(on), minor), &[(1, None)])
    };
    let (before, after, later) = ("2024-01-03", "2024-01-20", "2024-01-25");
    // Claim, credits; the discount, what is left of the payment, what is left of the credit note.
    for (what, claim, credits, wanted) in [
        ("nothing", claim(), vec![paid(9_800)], [200, 0, 0]),
        ("half", claim(), vec![paid(9_800), upheld(after, 5_000)], [100, 4_900, 0]),
        ("all", claim(), vec![paid(9_800), upheld(after, 10_000)], [0, 9_800, 0]),
        (
            "in two steps",
            claim(),
            vec![paid(9_800), upheld(after, 5_000), note(later, 2_500)],
            [50, 4_900, 2_450],
        ),
        ("half by a credit note", claim(), vec![paid(9_800), note(after, 5_000)], [100, 0, 4_900]),
        ("all by a credit note", claim(), vec![paid(9_800), note(after, 10_000)], [0, 0, 9_800]),
        ("half was paid", claim(), vec![paid(4_900), upheld(after, 5_000)], [100, 0, 0]),
        ("the same by a credit note", claim(), vec![paid(4_900), note(after, 5_000)], [100, 0, 0]),
        ("a fifth was paid", claim(), vec![paid(1_960), upheld(after, 9_000)], [20, 980, 0]),
        (
            "the net of what remained",
            claim(),
            vec![upheld(before, 5_000), paid(4_900)],
            [100, 0, 0],
        ),
        ("after a credit note", claim(), vec![note(before, 5_000), paid(4_900)], [100, 0, 0]),
        ("after a correction", corrected(), vec![paid(4_900)], [100, 0, 0]),
        // Who pays more than all of what is owed on the day pays it in full.
        ("more than that", claim(), vec![upheld(before, 5_000), paid(9_800)], [0, 4_800, 0]),
        (
            "the same after a credit note",
            claim(),
            vec![note(before, 5_000), paid(9_800)],
            [0, 4_800, 0],
        ),
        ("and after a correction", corrected(), vec![paid(9_800)], [0, 4_800, 0]),
        (
            "paid in full and half upheld",
            claim(),
            vec![paid(10_000), upheld(after, 5_000)],
            [0, 5_000, 0],
        ),
    ] {
        let mut turned = credits.clone();
        turned.reverse();
        let done = replay(std::slice::from_ref(&claim), &credits, &[]);
        assert_eq!(done, replay(&[claim], &turned, &[]), "{what}");
        let used = |is_it: &dyn Fn(&Source) -> bool| -> i64 {
            done.iter().filter(|a| is_it(&a.source)).map(|a| a.amount_minor).sum()
        };
        let left = |is_it: &dyn Fn(&Source) -> bool| -> i64 {
            let given = credits.iter().filter(|of| is_it(&of.source)).map(|of| of.amount_minor);
            given.sum::<i64>() - used(is_it)
        };
        let found = [
            used(&|of| matches!(of, Source::Difference(..))),
            left(&|of| matches!(of, Source::Payment(_))),
            left(&|of| matches!(of, Source::Credit(_))),
        ];
        assert_eq!(found, wanted, "{what}");
    }
}

/// 100 of which a payment settles what it does not pay, by agreement or within the tolerance of 3; then some of it turns out
/// not to have been owed: what was booked off was no debt then, before money was too much.
#[test]
fn what_was_never_owed_was_not_booked_off_either() {
    let whole = claim(1, "2024-01-01", "2024-02-01", 10_000);
    let named = |minor| naming(pay(1, "2024-01-05", minor), &[(1, None)]);
    let agreed = |minor| Credit { settles: vec![vec![1]], ..named(minor) };
    let little = |minor| Credit { tolerance_minor: 300, ..named(minor) };
    let upheld = |on: &str, minor| {
        let id = "D".parse().unwrap();
        naming(Credit::plain(Source::Adjustment(7), id, date(on), minor), &[(1, None)])
    };
    let note = |on: &str, minor| {
        let id = "N".parse().unwrap();
        naming(Credit::plain(Source::Credit(8), id, date(on), minor), &[(1, None)])
    };
    let another = || naming(pay(2, "2024-01-03", 1_000), &[(1, None)]);
    let back = || returning(another(), "2024-01-10", 1_000, false);
    let (before, after, later) = ("2024-01-03", "2024-01-20", "2024-01-25");
    // Credits; what is booked off, what is open, what is left of the first payment and of the credit note.
    for (what, credits, wanted) in [
        ("7,000 settle it", vec![agreed(7_000)], [3_000, 0, 0, 0]),
        ("8,000 remain", vec![agreed(7_000), upheld(after, 2_000)], [1_000, 0, 0, 0]),
        ("8,000 remained", vec![upheld(before, 2_000), agreed(7_000)], [1_000, 0, 0, 0]),
        ("7,000 remain", vec![agreed(7_000), upheld(after, 3_000)], [0, 0, 0, 0]),
        ("a cent less", vec![agreed(7_000), upheld(after, 3_001)], [0, 0, 1, 0]),
        ("nothing remains", vec![agreed(7_000), upheld(after, 10_000)], [0, 0, 7_000, 0]),
        ("a credit note", vec![agreed(7_000), note(after, 2_000)], [1_000, 0, 0, 0]),
        ("a larger one", vec![agreed(7_000), note(after, 4_000)], [0, 0, 0, 1_000]),
        ("both", vec![agreed(7_000), upheld(after, 2_000), note(later, 2_000)], [0, 0, 0, 1_000]),
        // Whose ever money goes back, a settlement is over, and what is left of it is little or is not.
        ("others' money", vec![agreed(6_000), another()], [3_000, 0, 0, 0]),
        ("went back", vec![agreed(6_000), back()], [0, 4_000, 0, 0]),
        ("and 8,000 remain", vec![agreed(6_000), back(), upheld(after, 2_000)], [0, 2_000, 0, 0]),
        (
            "and before they did",
            vec![agreed(6_000), returning(another(), "2024-01-04", 1, false)],
            [3_001, 0, 0, 0],
        ),
        (
            "both went back",
            vec![returning(agreed(6_000), "2024-01-11", 1, false), back()],
            [0, 4_001, 0, 0],
        ),
        ("others' and little", vec![little(8_800), another()], [200, 0, 0, 0]),
        ("little and went back", vec![little(8_800), back()], [0, 1_200, 0, 0]),
        (
            "a little went back",
            vec![little(8_800), returning(another(), "2024-01-10", 100, false)],
            [300, 0, 0, 0],
        ),
        ("within the tolerance", vec![little(9_800)], [200, 0, 0, 0]),
        ("a cent of it", vec![little(9_800), upheld(after, 1)], [199, 0, 0, 0]),
        ("all of it", vec![little(9_800), upheld(after, 200)], [0, 0, 0, 0]),
        ("more than it", vec![little(9_800), upheld(after, 2_000)], [0, 0, 1_800, 0]),
        ("by a credit note", vec![little(9_800), note(after, 150)], [50, 0, 0, 0]),
    ] {
        let mut turned = credits.clone();
        turned.reverse();
        let done = replay(std::slice::from_ref(&whole), &credits, &[]);
        assert_eq!(done, replay(std::slice::from_ref(&whole), &turned, &[]), "{what}");
        let sum = |is_it: &dyn Fn(&Allocated) -> bool| -> i64 {
            done.iter().filter(|a| is_it(a)).map(|a| a.amount_minor).sum()
        };
        let left = |source: Source| {
            let credit = credits.iter().find(|of| of.source == source);
            credit.map_or(0, |of| of.amount_minor) - sum(&|a| a.source == source)
        };
        let found = [
            sum(&|a| matches!(a.source, Source::Difference(..))),
            10_000 - sum(&|a| a.claim.is_some()),
            left(Source::Payment(1)),
            left(Source::Credit(8)),
        ];
        assert_eq!(found, wanted, "{what}: {done:?}");
    }
}

/// 2 % of an invoice of 30 and 70, of one of 100 and of two, of which a part is contested from the day after.
#[test]
fn what_is_contested_is_settled_for_its_net_before_what_is_not_is_paid_in_full() {
    let (on, day) = ("2024-01-02", "2024-01-08");
    let parts = |of: usize| {
        let mut parts = instalments("0.02", &[3_000, 7_000]);
        parts[of] = contesting(parts[of].clone(), on, Some("2024-02-10"), 2_000);
        parts
    };
    let one = |key| early("0.02", claim(key, "2024-01-01", "2024-02-01", 10_000));
    let single = || vec![contesting(one(1), on, Some("2024-02-10"), 2_000)];
    let two = || vec![single()[0].clone(), one(2)];
    let named = |minor| whole(pay(1, day, minor), &[1, 2]);
    let upheld = |credit| {
        let right = Credit { recoverable: false, ..write_off(9, "2024-02-10", 1, 2_000) };
        vec![credit, right]
    };
    let cases: Vec<Case> = vec![
        ("of the first, net", parts(0), vec![named(9_800)], (200, 0, 0)),
        ("of the second, net", parts(1), vec![named(9_800)], (200, 0, 0)),
        ("in full", parts(0), vec![named(10_000)], (0, 0, 0)),
        ("and more", parts(0), vec![named(10_300)], (0, 0, 300)),
        ("the net of what is not", parts(0), vec![named(7_840)], (160, 2_000, 0)),
        ("all of what is not", parts(0), vec![named(8_000)], (163, 1_837, 0)),
        ("upheld then", parts(0), upheld(named(9_800)), (160, 0, 1_960)),
        ("paid in full, and upheld", parts(0), upheld(named(10_000)), (0, 0, 2_000)),
        ("unnamed", parts(0), vec![pay(1, day, 9_800)], (200, 0, 0)),
        ("without instalments", single(), vec![pay(1, day, 9_800)], (200, 0, 0)),
        ("named", single(), vec![naming(pay(1, day, 9_800), &[(1, None)])], (200, 0, 0)),
        ("of one of two", two(), vec![pay(1, day, 19_600)], (400, 0, 0)),
        ("both in full", two(), vec![pay(1, day, 20_000)], (0, 0, 0)),
        ("the net of what is not of two", two(), vec![pay(1, day, 17_640)], (360, 2_000, 0)),
    ];
    for (what, claims, credits, expected) in cases {
        for order in [order::DEFAULT, order::PRC] {
            assert_eq!(settled(&claims, &credits, order), expected, "{what} by {order}");
        }
    }
}

/// 2 % of an invoice of 30 and 70, of which a credit note says that 20 were never owed: it is of the part that it is set against.
#[test]
fn a_credit_note_takes_the_discount_of_what_it_is_set_against() {
    let parts = || instalments("0.02", &[3_000, 7_000]);
    let note = |on: &str| {
        let id = "N".parse().unwrap();
        whole(Credit::plain(Source::Credit(8), id, date(on), 2_000), &[1, 2])
    };
    let first = || naming(pay(1, "2024-01-03", 2_940), &[(1, None)]);
    let second = |minor| naming(pay(2, "2024-01-08", minor), &[(2, None)]);
    let (before, day, after) = ("2024-01-02", "2024-01-05", "2024-01-20");
    let contested = || {
        let mut parts = parts();
        parts[0] = contesting(parts[0].clone(), before, None, 2_000);
        parts
    };
    let given_up = vec![first(), write_off(9, "2024-01-04", 2, 7_000), note(day)];
    let cases: Vec<Case> = vec![
        ("the first is paid", parts(), vec![first(), note(day)], (60, 5_000, 0)),
        ("and late", parts(), vec![first(), note(after)], (60, 5_000, 0)),
        ("then the second", parts(), vec![first(), note(day), second(4_900)], (160, 0, 0)),
        ("both are", parts(), vec![first(), second(6_860), note(after)], (160, 0, 1_960)),
        ("neither is", parts(), vec![note(day), whole(pay(1, day, 7_840), &[1, 2])], (160, 0, 0)),
        ("the second is given up", parts(), given_up, (60, 0, 0)),
        ("the first is contested", contested(), vec![note(day), second(5_880)], (120, 2_000, 0)),
    ];
    for (what, claims, credits, expected) in cases {
        assert_eq!(settled(&claims, &credits, order::DEFAULT), expected, "{what}");
    }
}

/// A credit note of 20 about an invoice of 100 with 2 %, whose money was paid out: what is open again was not owed after all,
/// and early payment saves nothing of it.
#[test]
fn what_was_paid_out_of_a_credit_note_saves_nothing() {
    let claims = [early("0.02", claim(1, "2024-01-01", "2024-02-01", 10_000))];
    let note = naming(
        Credit::plain(Source::Credit(8), "N".parse().unwrap(), date("2024-01-02"), 2_000),
        &[(1, None)],
    );
    let note = returning(note, "2024-01-03", 2_000, false);
    for (paid, wanted) in [
        (9_799, (160, 41, 0)),
        (9_839, (160, 1, 0)),
        (9_840, (160, 0, 0)),
        (9_841, (159, 0, 0)),
        (10_000, (0, 0, 0)),
    ] {
        let credits = [note.clone(), naming(pay(1, "2024-01-05", paid), &[(1, None)])];
        assert_eq!(settled(&claims, &credits, order::DEFAULT), wanted, "{paid}");
    }
}
