//! Any order of arrival of the same events gives the same state.

use crate::{
    events::{Event, event},
    world::{World, state},
};
use proptest::prelude::*;

/// Events that depend on no state: whatever their order of arrival, they are taken.
fn free_events() -> impl Strategy<Value = Vec<Event>> {
    let is_free = |event: &Event| {
        matches!(
            event,
            Event::Invoice { .. } | Event::CreditNote { about: None, .. } | Event::Payment { .. }
        )
    };
    proptest::collection::vec(event().prop_filter("depends on no state", is_free), 2..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(events in free_events(), turn in any::<prop::sample::Index>()) {
        let mut worlds = Vec::new();
        let mut numbered: Vec<(usize, Event)> = events.into_iter().enumerate().map(|(number, mut event)| {
            // What a payment names must be there when it comes.
            if let Event::Payment { named, settles, .. } = &mut event {
                named.clear();
                *settles = None;
            }
            if let Event::Invoice { kind, .. } = &mut event {
                *kind = "invoice";
            }
            (number, event)
        }).collect();
        for _ in 0..2 {
            let mut world = World::new();
            for (number, event) in &numbered {
                world.tell(*number, event);
            }
            worlds.push(state(&world.db));
            let at = turn.index(numbered.len());
            numbered.rotate_left(at);
            numbered.reverse();
        }
        prop_assert_eq!(&worlds[0], &worlds[1]);
    }
}
