//! Whatever the documents are.

use super::*;

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
