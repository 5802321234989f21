//! Instalments: what each bears, and what the whole document bears, rounded once.

use super::*;

/// Sixty of 17.00 that were due on one day.
fn sixty(name: &str, due: &str) -> NewInvoice {
    let parts = (0..60).map(|_| Instalment { due_on: day(due), minor: 1_700 });
    NewInvoice {
        due_on: None,
        instalments: Some(parts.collect()),
        ..bill(name, "C1", due, 60 * 1_700)
    }
}

fn kept(db: &NativeDb) -> Vec<i64> {
    lines(db).iter().map(|line| line.2).collect()
}

#[test]
fn the_interest_of_sixty_instalments_is_rounded_once() {
    // 0.4658 a day each: 27.95 together.
    let (_folder, db) = world(json!({"rate": "0.10"}));
    add(&db, &sixty("I1", "2024-03-31"));
    for (on, accrued, residue) in [
        ("2024-03-31", 0, "0"),
        ("2024-04-01", 28, "-0.0547945205"),
        ("2024-04-02", 56, "-0.1095890411"),
        ("2024-04-10", 279, "0.4520547945"),
    ] {
        let of = of(&db, "I1", on);
        assert_eq!((of.accrued.minor, of.residue.to_string()), (accrued, residue.into()), "{on}");
        assert_eq!(of.explained.iter().map(|one| one.minor).sum::<i64>(), accrued, "{on}");
        sweep(&db, day(on));
        assert_eq!(kept(&db).iter().sum::<i64>(), accrued, "{on}");
    }
    // Read alone, one has what it bears itself.
    let part = of(&db, "I1#9", "2024-04-01");
    assert_eq!((part.accrued.minor, part.residue.to_string()), (0, "0.4657534247".into()));
    // What is claimed and given up is of the whole.
    assert_eq!(claim(&db, "N1", "2024-04-01"), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-04-01"), [28, 0, 28, 0, 0]);
    assert_eq!(claim(&db, "N2", "2024-04-01"), Err(more_than_open("invoice_id")));
    assert_eq!(claim(&db, "N2", "2024-04-02"), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-04-02"), [56, 0, 56, 0, 0]);
    // 61 days are 1,704.66; 56 are claimed.
    assert_eq!(waive(&db, "W1", Some(1_650)), Err(more_than_open("minor")));
    assert_eq!(waive(&db, "W1", None), Ok(Change::Made));
    assert_eq!(sums(&db, "I1", "2024-05-31"), [1_705, 0, 56, 1_649, 0]);
    // Paid on the first day late, one day's interest is too much by all but that.
    pay(&db, "P1", "C1", "2024-04-01", 60 * 1_700, None);
    let when = dunlin_store::When { day: day("2024-05-31"), known: KNOWN };
    let (found, _) = interest::excess(&db, "", 10, None, when).unwrap();
    let found: Vec<_> = found.iter().map(|of| (of.accrued.minor, of.excess_minor)).collect();
    assert_eq!(found, [(28, 28 + 1_649)]);
}

#[test]
fn a_cap_stands_over_the_sum_of_all_instalments() {
    // Twice 4.15 percent at signing are 23.195 a day for all.
    let cap = json!({"table": "house", "fixing": "at-breach"});
    let (_folder, db) = world(json!({"rate": "0.10", "cap_rate": cap}));
    interest::put_rates(&db, &id("house"), &[rate("2020-01-01", "0.083")], &author()).unwrap();
    add(&db, &sixty("I1", "2024-03-31"));
    let of = of(&db, "I1", "2024-04-01");
    let limit = of.cap.map(|cap| cap.limit_minor);
    assert_eq!((of.accrued.minor, of.capped_minor, limit), (23, 5, Some(23)));
    sweep(&db, day("2024-04-01"));
    assert_eq!(kept(&db).iter().sum::<i64>(), 23);
    assert_eq!(claim(&db, "N1", "2024-04-01"), Ok(Change::Made));
}

#[test]
fn an_instalment_that_becomes_late_has_its_share_beside_those_that_are() {
    // 0.4658 a day each.
    let (_folder, db) = world(json!({"rate": "0.10"}));
    let parts = ["2024-03-31", "2024-04-03", "2024-04-05"];
    let parts = parts.map(|on| Instalment { due_on: day(on), minor: 1_700 });
    let amount = bill("I1", "C1", "2024-04-05", 3 * 1_700);
    add(&db, &NewInvoice { due_on: None, instalments: Some(parts.to_vec()), ..amount });
    for (on, shares) in [
        ("2024-04-01", vec![0]),
        // 0.93 and 1.40 of the first.
        ("2024-04-02", vec![1]),
        // 1.86 and 0.47 are 2.33.
        ("2024-04-04", vec![2, 0]),
        // 2.33 and 0.93 are 3.26.
        ("2024-04-05", vec![2, 1]),
        // 2.79, 1.40 and 0.47 are 3 and 1.19 and 0.47, 4.66 in all.
        ("2024-04-06", vec![3, 1, 1]),
        ("2024-04-08", vec![4, 2, 1]),
    ] {
        sweep(&db, day(on));
        assert_eq!(
            (kept(&db), sums(&db, "I1", on)[0]),
            (shares.clone(), shares.iter().sum()),
            "{on}"
        );
    }
    // What is paid of the first no longer rises, and the others have their shares beside it.
    pay(&db, "P1", "C1", "2024-04-08", 1_700, None);
    for on in ["2024-04-09", "2024-04-10", "2024-04-20", "2024-06-01"] {
        sweep(&db, day(on));
        assert_eq!(kept(&db).iter().sum::<i64>(), sums(&db, "I1", on)[0], "{on}");
    }
}
