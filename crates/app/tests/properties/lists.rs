//! Lists in pages: a filter gives what is left of the whole list, and pages of any size put together are the list.

use crate::world::{self, World, cases, customer_id, day, docs, filled, id};
use dunlin_app::{alert as warnings, ledger, remind};
use dunlin_domain::{
    Date,
    contract::{
        remind::{Notice, NoticeState},
        types::Language,
        warn::{Alert, AlertState},
    },
};
use dunlin_store::{Db, alert, notice};
use proptest::prelude::*;

/// All notices that the filter lets through, in pages of so many.
fn notices(world: &World, filter: notice::Filter<'_>, size: u32) -> Vec<Notice> {
    let (mut all, mut before) = (Vec::new(), notice::last());
    loop {
        let page = remind::notices(&world.db, &before, size, filter).unwrap();
        let Some((_, last)) = page.last() else { return all };
        before = last.clone();
        all.extend(page.into_iter().map(|(notice, _)| notice));
    }
}

/// All alerts that the filter lets through, in pages of so many.
fn alerts(world: &World, filter: alert::Filter<'_>, size: u32) -> Vec<Alert> {
    let (mut all, mut before) = (Vec::new(), ("9999".to_string(), i64::MAX));
    loop {
        let page = warnings::alerts(&world.db, &before, size, filter, Some(Language::En)).unwrap();
        let Some((_, last)) = page.last() else { return all };
        before = last.clone();
        all.extend(page.into_iter().map(|(alert, _)| alert));
    }
}

fn check_notices(world: &World) {
    let all = notices(world, notice::Filter::default(), 1_000);
    assert!(all.is_sorted_by_key(|notice| std::cmp::Reverse(notice.day)));
    assert_eq!(notices(world, notice::Filter::default(), 2), all);
    for number in 0..4 {
        let customer = id(&customer_id(number));
        for state in [None, Some(NoticeState::Queued), Some(NoticeState::Sent)] {
            let of = |notice: &&Notice| {
                notice.customer_id == customer && state.is_none_or(|state| notice.state == state)
            };
            let expected: Vec<Notice> = all.iter().filter(of).cloned().collect();
            let filter = notice::Filter { state, customer: Some(&customer), id: None };
            assert_eq!(notices(world, filter, 3), expected);
        }
    }
    for notice in &all {
        assert_eq!(remind::notice(&world.db, &notice.id).unwrap(), *notice);
    }
    assert!(remind::notice(&world.db, &id("nothing")).is_err());
}

fn check_alerts(world: &World, on: Date) {
    let of_day = alert::Filter::on(on);
    let all = alerts(world, of_day, 1_000);
    assert!(all.is_sorted_by_key(|alert| std::cmp::Reverse(alert.opened_on)));
    assert!(
        all.iter().all(|alert| alert.opened_on <= on
            && alert.closed_on.is_none_or(|closed_on| closed_on <= on))
    );
    assert!(
        all.iter().all(|alert| (alert.state == AlertState::Closed) == alert.closed_on.is_some())
    );
    assert_eq!(alerts(world, of_day, 1), all);
    for number in 0..4 {
        let customer = id(&customer_id(number));
        for state in
            [None, Some(AlertState::Open), Some(AlertState::Behind), Some(AlertState::Closed)]
        {
            let of = |alert: &&Alert| {
                alert.customer_id == customer && state.is_none_or(|state| alert.state == state)
            };
            let expected: Vec<Alert> = all.iter().filter(of).cloned().collect();
            let filter = alert::Filter { state, customer: Some(&customer), ..of_day };
            assert_eq!(alerts(world, filter, 2), expected);
        }
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn pages_and_filters_are_parts_of_the_list(docs in docs(40), first in 20i64..200) {
        let world = filled(&docs, 10);
        for on in (0..6).map(|step| day(first + step * 9)) {
            crate::sweeps::swept(&world.db, on);
        }
        // One notice is handed over, so that there are two states.
        world.db.execute("UPDATE notice SET state = 'sent', next_attempt_at = NULL WHERE key % 3 = 0", &[]).unwrap();
        check_notices(&world);
        for on in (0..7).map(|step| day(first + step * 9 - 4)) {
            check_alerts(&world, on);
        }
    }
}

#[test]
fn customers_come_by_id_and_one_by_one() {
    let world = World::new();
    world::add_customers(&world.db);
    let all = ledger::customers(&world.db, "", 100, day(0)).unwrap();
    let ids: Vec<String> = all.iter().map(|customer| customer.id.to_string()).collect();
    assert_eq!(ids, ["C00", "C01", "C04", "C07"]);
    let after: Vec<_> = ledger::customers(&world.db, "C01", 1, day(0)).unwrap();
    assert_eq!(after, all[2..3]);
    for customer in all {
        assert_eq!(ledger::customer(&world.db, &customer.id, day(0)).unwrap(), customer);
    }
    assert!(ledger::customer(&world.db, &id("C02"), day(0)).is_err());
}
