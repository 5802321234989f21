//! Disputes of documents with instalments: what is whose part.

use super::*;

fn whole(on: &str, until: Option<&str>, minor: i64) -> Whole {
    let (id, claims) = ("D".parse().unwrap(), vec![1, 2, 3]);
    Whole { key: 9, id, on: date(on), until: until.map(date), minor, claims }
}

fn upheld(on: &str, minor: i64) -> Credit {
    let credit = Credit::plain(Source::Adjustment(7), "D".parse().unwrap(), date(on), minor);
    Credit { named: vec![Named { claims: vec![1, 2, 3], minor: None }], ..credit }
}

/// 30, 50 and 20, due at the ends of January, February and March.
fn thirds() -> Vec<Claim> {
    [(1, "2024-01-31", 30), (2, "2024-02-29", 50), (3, "2024-03-31", 20)]
        .map(|(key, due, minor)| claim(key, "2024-01-01", due, minor))
        .into()
}

#[test]
fn what_is_contested_of_a_whole_is_spread_on_its_day() {
    let day = "2024-02-10";
    let paid = |on: &str, minor| naming(pay(1, on, minor), &[(1, None)]);
    let smaller = || {
        let mut claims = thirds();
        claims[0].amount_minor = 10;
        claims
    };
    let first = || {
        let mut claims = thirds();
        claims[0] = contesting(claims[0].clone(), "2024-02-01", Some("2024-02-20"), 25);
        claims
    };
    // Claims, credits, how much is contested, and how much of each.
    for (what, claims, credits, minor, wanted) in [
        ("of the first", thirds(), vec![], 25, [25, 0, 0]),
        ("the rest of the next", thirds(), vec![], 45, [30, 15, 0]),
        ("all", thirds(), vec![], 100, [30, 50, 20]),
        ("what was paid before is not", thirds(), vec![paid("2024-02-09", 20)], 45, [10, 35, 0]),
        ("what is paid on the day is", thirds(), vec![paid(day, 20)], 45, [30, 15, 0]),
        ("what is contested already is not", first(), vec![], 45, [5, 40, 0]),
        ("more than is open", thirds(), vec![paid("2024-02-09", 20)], 90, [20, 50, 20]),
        ("more than is claimed", smaller(), vec![], 90, [20, 50, 20]),
    ] {
        let (_, shares) = replay_disputed(&claims, &credits, &[whole(day, None, minor)], &[]);
        let found: Vec<i64> = shares.iter().map(|share| share.minor).collect();
        assert_eq!(found, wanted, "{what}");
    }
}

#[test]
fn money_that_names_the_whole_pays_what_nobody_contests_first() {
    let (early, day) = ("2024-02-09", "2024-02-10");
    // Claims that the payment names, when and how much it is, and what is open of each then.
    for (what, named, on, minor, wanted) in [
        ("before the dispute", vec![1, 2, 3], early, 40, [0, 40, 20]),
        ("on its day", vec![1, 2, 3], day, 40, [30, 15, 15]),
        ("to the end of what nobody contests", vec![1, 2, 3], "2024-02-15", 55, [30, 15, 0]),
        ("and beyond", vec![1, 2, 3], "2024-02-15", 70, [15, 15, 0]),
        ("once it was decided", vec![1, 2, 3], "2024-02-20", 40, [0, 40, 20]),
        ("of an instalment", vec![1], "2024-02-15", 20, [10, 50, 20]),
    ] {
        let named = vec![Named { claims: named, minor: None }];
        let credit = Credit { named, ..pay(1, on, minor) };
        let dispute = whole(day, Some("2024-02-20"), 45);
        let (done, _) = replay_disputed(&thirds(), &[credit], &[dispute], &[]);
        let open = thirds().into_iter().map(|of| {
            let taken = done.iter().filter(|a| a.claim == Some(of.key));
            of.amount_minor - taken.map(|a| a.amount_minor).sum::<i64>()
        });
        assert_eq!(open.collect::<Vec<_>>(), wanted, "{what}");
    }
}

#[test]
fn what_one_part_cannot_give_the_others_give() {
    let (day, end) = ("2024-02-10", "2024-02-20");
    let off = |claim, minor| write_off(5, "2024-02-15", claim, minor);
    let paid = |on: &str, claim, minor| naming(pay(1, on, minor), &[(claim, None)]);
    // Credits, how much is contested, how much upheld, and how much of each.
    for (what, credits, minor, right, wanted) in [
        ("all", vec![], 45, 45, [30, 15, 0]),
        ("the first first", vec![], 45, 31, [30, 1, 0]),
        ("money makes room", vec![paid("2024-02-12", 1, 30)], 45, 45, [30, 15, 0]),
        ("what is written off too", vec![off(1, 20)], 45, 45, [30, 15, 0]),
        ("all that is written off", vec![off(2, 50)], 45, 45, [30, 15, 0]),
        (
            "what is written off of others before money",
            vec![paid("2024-02-12", 1, 30), off(3, 20)],
            45,
            45,
            [10, 15, 20],
        ),
    ] {
        let credits: Vec<Credit> = credits.into_iter().chain([upheld(end, right)]).collect();
        let dispute = whole(day, Some(end), minor);
        let (done, shares) = replay_disputed(&thirds(), &credits, &[dispute], &[]);
        let found: Vec<i64> = shares.iter().map(|share| share.upheld_minor).collect();
        assert_eq!(found, wanted, "{what}");
        for share in shares {
            let of =
                |a: &&Allocated| a.claim == Some(share.claim) && a.source == Source::Adjustment(7);
            let taken: i64 = done.iter().filter(of).map(|a| a.amount_minor).sum();
            assert_eq!(taken, share.upheld_minor, "{what}");
        }
    }
    // What nobody can give is not taken: all that is there is another's.
    let voided = Credit { named: upheld(end, 0).named, ..void(5, "2024-02-15", 1) };
    let credits = [voided, upheld(end, 45)];
    let (_, shares) = replay_disputed(&thirds(), &credits, &[whole(day, Some(end), 45)], &[]);
    assert_eq!(shares.iter().map(|share| share.upheld_minor).collect::<Vec<_>>(), [0, 0, 0]);
}

/// 30, 50 and 20, contested from before the payment on that settles them in full for what it is.
#[test]
fn what_settles_a_document_in_full_pays_what_of_it_is_owed() {
    let (day, end) = ("2024-02-01", "2024-02-20");
    let settles = |minor| {
        let claims = vec![1, 2, 3];
        let named = vec![Named { claims: claims.clone(), minor: None }];
        Credit { named, settles: vec![claims], ..pay(1, "2024-02-10", minor) }
    };
    let note = |minor| {
        let credit = Credit::plain(Source::Credit(8), "N".parse().unwrap(), date(end), minor);
        Credit { named: vec![Named { claims: vec![1, 2, 3], minor: None }], ..credit }
    };
    let again = || pay(2, "2024-02-11", 10);
    // Credits, how much is contested; what is booked off, what is open, and what is left of the first payment and the note.
    for (what, credits, minor, wanted) in [
        ("nothing upheld", vec![settles(70)], 50, [30, 0, 0, 0]),
        ("a part", vec![settles(70), upheld(end, 20)], 50, [10, 0, 0, 0]),
        ("all that is not paid", vec![settles(70), upheld(end, 30)], 50, [0, 0, 0, 0]),
        ("more than that", vec![settles(70), upheld(end, 50)], 50, [0, 0, 20, 0]),
        ("of the first", vec![settles(60), upheld(end, 30)], 30, [10, 0, 0, 0]),
        ("of what was paid", vec![settles(95), upheld(end, 30)], 30, [0, 0, 25, 0]),
        ("a credit note", vec![settles(70), note(20)], 50, [10, 0, 0, 0]),
        ("a larger one", vec![settles(70), note(50)], 50, [0, 0, 0, 20]),
        ("both", vec![settles(70), upheld(end, 20), note(20)], 50, [0, 0, 0, 10]),
        ("beside other money", vec![settles(70), again(), upheld(end, 30)], 50, [0, 0, 0, 0]),
    ] {
        let dispute = whole(day, Some(end), minor);
        let (done, _) = replay_disputed(&thirds(), &credits, &[dispute], &[]);
        let sum = |is_it: &dyn Fn(&Allocated) -> bool| -> i64 {
            done.iter().filter(|a| is_it(a)).map(|a| a.amount_minor).sum()
        };
        let left = |source: Source| {
            let credit = credits.iter().find(|of| of.source == source);
            credit.map_or(0, |of| of.amount_minor) - sum(&|a| a.source == source)
        };
        let found = [
            sum(&|a| matches!(a.source, Source::Difference(..))),
            100 - sum(&|a| a.claim.is_some()),
            left(Source::Payment(1)),
            left(Source::Credit(8)),
        ];
        assert_eq!(found, wanted, "{what}: {done:?}");
    }
}
