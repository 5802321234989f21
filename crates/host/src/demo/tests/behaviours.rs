//! The behaviours show in the tables as they are named.

use super::*;

#[test]
fn behaviours_come_in_their_shares() {
    for customers in [20, 60, 200] {
        let options = Options { customers, months: 1, ..Options::new(5, today()) };
        let truth = Truth::parse(&generate(&options).truth_json).expect("a truth file");
        for (behaviour, share) in Behaviour::SHARES {
            let found = truth.customers.iter().filter(|one| one.behaviour == behaviour).count();
            let found = u32::try_from(found).expect("a small count");
            let exact = customers * share / 100;
            assert!(
                found >= 1 && found.abs_diff(exact) <= 2,
                "{behaviour:?} {found} of {customers}"
            );
        }
    }
}

#[test]
fn defaulters_stop_and_leave_invoices_unpaid() {
    for (_, read) in COMPANIES.iter() {
        for one in read.members(Behaviour::Defaulting) {
            let on = one.default_on.expect("a default date");
            assert!(one.bad && on <= today());
            let balance: i64 = read.invoices_of(&one.id).map(|one| one.minor).sum();
            let paid = read.payments.iter().filter(|payment| payment.0 == one.id);
            assert!(paid.clone().all(|payment| payment.1 < on), "{one:?}");
            assert!(paid.clone().count() > 3, "{one:?} paid before");
            assert!(paid.map(|payment| payment.2).sum::<i64>() < balance);
        }
        for one in read.members(Behaviour::BustOut) {
            let on = one.default_on.expect("a default date");
            assert_eq!(one.bad, on <= today());
            let burst = |document: &&Document| document.due_on >= on;
            let most =
                read.invoices_of(&one.id).filter(|one| !burst(one)).map(|one| one.minor).max();
            let spike: i64 = read.invoices_of(&one.id).filter(burst).map(|one| one.minor).sum();
            assert!(spike > 3 * most.unwrap_or(0), "{one:?}");
            assert!(spike > read.customers[&one.id].2, "the burst breaks the limit of {one:?}");
        }
    }
}

#[test]
fn lateness_tells_the_behaviours_apart() {
    // Days late weighted by count, in the first and in the last year, over many companies.
    let mut late: BTreeMap<(Behaviour, bool), (i64, i64)> = BTreeMap::new();
    for (_, read) in COMPANIES.iter() {
        for (customer, on, _, named) in &read.payments {
            if let Some(invoice) = read.documents.get(named) {
                let recent = days_between(*on, today()) < 365;
                let sum = late.entry((read.behaviour(customer), recent)).or_default();
                *sum = (sum.0 + days_between(invoice.due_on, *on), sum.1 + 1);
            }
        }
    }
    let mean = |behaviour, recent| late[&(behaviour, recent)].0 / late[&(behaviour, recent)].1;
    assert!((-6..=1).contains(&mean(Behaviour::Prompt, true)), "{late:?}");
    assert!((18..=32).contains(&mean(Behaviour::Slow, true)), "{late:?}");
    assert!(mean(Behaviour::Deteriorating, false) < 10, "{late:?}");
    assert!(mean(Behaviour::Deteriorating, true) > 18, "{late:?}");
    assert!((5..=20).contains(&mean(Behaviour::Seasonal, true)), "{late:?}");
    assert!((-3..=6).contains(&mean(Behaviour::BustOut, true)), "{late:?}");
}

#[test]
fn reminder_days_find_an_open_invoice() {
    for shift in 0..7 {
        let today = add_days(today(), shift);
        let options = Options::new(3, today);
        let one = generate(&options);
        let paid: BTreeSet<String> =
            rows(&one.payments_csv).into_iter().map(|row| row[5].clone()).collect();
        let invoices = rows(&one.invoices_csv);
        for days in REMINDER_DUE_DAYS {
            let due_on = add_days(today, days).to_string();
            let open = |row: &&Vec<String>| row[4] == due_on && !paid.contains(&row[0]);
            assert!(invoices.iter().any(|row| open(&row)), "nothing open due on {due_on}");
        }
    }
}

#[test]
fn limits_fit_the_usual_exposure() {
    for (_, read) in COMPANIES.iter() {
        for (id, (_, _, limit)) in &read.customers {
            let invoices: Vec<i64> = read.invoices_of(id).map(|one| one.minor).collect();
            let mut sorted = invoices.clone();
            sorted.sort_unstable();
            let median = sorted[sorted.len() / 2];
            assert!(*limit >= median / 2 && *limit <= 80 * median, "{id}: {limit} for {median}");
        }
    }
}
