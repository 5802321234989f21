//! The records that stand beside the ledger against a slow and obvious clerk: random events, asked for any day and for
//! any moment of knowledge.
//!
//! The clerk keeps nothing but the list of events that were taken. To answer he takes those that had come by the
//! moment, and looks through all of them for what had begun and what had ended by the day.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{id, read};
use dunlin_app::{
    audit::Author,
    contract::{self, Wanted},
    customer, default_record, dispute, guarantee, invoice,
    ledger::{self, Change},
    pause, policy, write_off,
};
use dunlin_domain::{Date, Instant};
use dunlin_store::{Fault, When, native::NativeDb};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn day(number: i64) -> Date {
    "2024-01-01".parse::<Date>().unwrap().plus_days(number).unwrap()
}

fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

/// The last day on which anything happens. Events come in three a day from then on.
const LAST: i64 = 40;

fn moment(step: usize) -> Instant {
    let start: Instant = "2024-02-10T00:00:00Z".parse().unwrap();
    start.plus_seconds(8 * 3600 * i64::try_from(step).unwrap())
}

/// The business date on which an event came.
fn came_on(step: usize) -> i64 {
    LAST + i64::try_from(step / 3).unwrap()
}

fn author(who: &str, step: usize) -> Author {
    Author { who: who.into(), at: moment(step), salt: "salt".into() }
}

/// Something that happens. What ends something names it by its place among those of its kind.
#[derive(Clone, Debug)]
enum Event {
    Dispute { invoice: usize, on: i64 },
    Resolve { at: usize, on: i64 },
    Redecide { at: usize, on: Option<i64> },
    Pause { invoice: Option<usize>, from: i64, days: Option<i64> },
    Resume { at: usize, on: i64 },
    WriteOff { invoice: usize, on: i64, minor: i64 },
    Decide { at: usize, approve: bool },
    TakeBack { at: usize, on: i64 },
    Default { on: i64 },
    Close { at: usize, on: i64, cured: bool },
    Reopen { at: usize },
    Contract { at: usize, from: i64, days: Option<i64> },
    Guarantee { at: usize, minor: i64, from: i64, days: Option<i64> },
    Record { segment: u8, member: bool },
    Policy { grace: u32 },
}

fn event() -> impl Strategy<Value = Event> {
    let on = || 0..LAST;
    let days = || proptest::option::of(0i64..30);
    prop_oneof![
        2 => (0usize..3, on()).prop_map(|(invoice, on)| Event::Dispute { invoice, on }),
        2 => (0usize..4, on()).prop_map(|(at, on)| Event::Resolve { at, on }),
        2 => (0usize..4, proptest::option::of(on())).prop_map(|(at, on)| Event::Redecide { at, on }),
        2 => (proptest::option::of(0usize..3), on(), days())
            .prop_map(|(invoice, from, days)| Event::Pause { invoice, from, days }),
        2 => (0usize..4, on()).prop_map(|(at, on)| Event::Resume { at, on }),
        2 => (0usize..3, on(), 1i64..9)
            .prop_map(|(invoice, on, minor)| Event::WriteOff { invoice, on, minor }),
        2 => (0usize..4, any::<bool>()).prop_map(|(at, approve)| Event::Decide { at, approve }),
        2 => (0usize..4, on()).prop_map(|(at, on)| Event::TakeBack { at, on }),
        2 => on().prop_map(|on| Event::Default { on }),
        2 => (0usize..4, on(), any::<bool>())
            .prop_map(|(at, on, cured)| Event::Close { at, on, cured }),
        2 => (0usize..4).prop_map(|at| Event::Reopen { at }),
        2 => (0usize..2, on(), days()).prop_map(|(at, from, days)| Event::Contract { at, from, days }),
        2 => (0usize..2, 1i64..5, on(), days())
            .prop_map(|(at, minor, from, days)| Event::Guarantee { at, minor, from, days }),
        1 => (0u8..4, any::<bool>()).prop_map(|(segment, member)| Event::Record { segment, member }),
        1 => (0u32..9).prop_map(|grace| Event::Policy { grace }),
    ]
}

/// What the clerk wrote down for an event that the ledger took.
#[derive(Clone, Debug)]
enum Fact {
    /// Something of a kind began on a day: what is said of it while it stands.
    Begins {
        kind: &'static str,
        id: String,
        on: i64,
        says: String,
    },
    /// It ended on a day, or from the beginning when there is none: what is said of it then.
    Ends {
        kind: &'static str,
        id: String,
        on: Option<i64>,
        says: String,
    },
    /// It did not end as was said so far.
    Stands {
        kind: &'static str,
        id: String,
    },
    /// A version of a contract.
    Version {
        id: String,
        number: u32,
        from: i64,
        to: Option<i64>,
    },
    /// How a guarantee reads from now on.
    Reads {
        id: String,
        minor: i64,
        from: i64,
        to: Option<i64>,
    },
    /// How the customer's record reads from the day on which it came.
    Record {
        segment: String,
        member: bool,
    },
    Policy(u32),
}

struct World {
    _folder: tempfile::TempDir,
    db: NativeDb,
    log: Vec<(usize, Fact)>,
    begun: BTreeMap<&'static str, Vec<String>>,
}

const KINDS: [&str; 4] = ["default", "dispute", "pause", "write-off"];

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
        let clerk = author("clerk", 0);
        for name in ["HEAD", "C"] {
            let new = read(json!({"id": name, "name": name}));
            customer::add(&db, &new, id("made"), &clerk).unwrap();
        }
        for number in 0..3 {
            let new = read(json!({"id": format!("I{number}"), "customer_id": "C",
                "issued_on": day(0), "due_on": day(9), "amount": eur(100_000)}));
            invoice::add(&db, &new, id("made"), &clerk).unwrap();
        }
        let rule = json!({"write_off_approval": [{"currency": "EUR", "minor": 5}]});
        policy::put(&db, &read(rule), &clerk).unwrap();
        let log =
            vec![(0, Fact::Record { segment: String::new(), member: false }), (0, Fact::Policy(0))];
        Self { _folder: folder, db, log, begun: BTreeMap::new() }
    }

    fn pick(&self, kind: &str, at: usize) -> Option<String> {
        let of = self.begun.get(kind)?;
        of.get(at % of.len()).cloned()
    }

    fn begins(
        &mut self,
        kind: &'static str,
        id: String,
        on: i64,
        says: String,
        done: Result<Change, Fault>,
    ) -> Option<Fact> {
        taken(done).then(|| {
            self.begun.entry(kind).or_default().push(id.clone());
            Fact::Begins { kind, id, on, says }
        })
    }

    /// Tells the ledger, and notes what it took. What it refuses did not happen.
    fn tell(&mut self, step: usize, event: &Event) {
        let clerk = author("clerk", step);
        let made = id("made");
        let fact = match event {
            Event::Dispute { invoice, on } => {
                let name = format!("D{step:02}");
                let new = json!({"id": name, "invoice_id": format!("I{invoice}"), "on": day(*on),
                    "minor": 7, "reason": "price"});
                let done = dispute::open(&self.db, &read(new), made, &clerk);
                self.begins("dispute", name, *on, "open".into(), done.map(|done| done.1))
            }
            Event::Resolve { at, on } => self.pick("dispute", *at).and_then(|name| {
                let new = json!({"on": day(*on), "outcome": "withdrawn"});
                let done = dispute::resolve(&self.db, &id(&name), &read(new), &clerk);
                let says = format!("resolved {}", day(*on));
                taken(done).then_some(Fact::Ends { kind: "dispute", id: name, on: Some(*on), says })
            }),
            Event::Redecide { at, on } => self.pick("dispute", *at).and_then(|name| {
                let replaces = dispute::get(&self.db, &id(&name)).unwrap().resolved_on?;
                let new = match on {
                    Some(on) => {
                        json!({"on": day(*on), "outcome": "rejected", "replaces": replaces})
                    }
                    None => json!({"undo": true, "replaces": replaces}),
                };
                if !taken(dispute::resolve(&self.db, &id(&name), &read(new), &clerk)) {
                    return None;
                }
                self.log.push((step, Fact::Stands { kind: "dispute", id: name.clone() }));
                let says = on.map(|on| format!("resolved {}", day(on)))?;
                Some(Fact::Ends { kind: "dispute", id: name, on: *on, says })
            }),
            Event::Pause { invoice, from, days } => {
                let name = format!("P{step:02}");
                let mut new = json!({"id": name, "from": day(*from), "to": days.map(|days| day(from + days))});
                match invoice {
                    Some(invoice) => new["invoice_id"] = json!(format!("I{invoice}")),
                    None => new["customer_id"] = json!("C"),
                }
                let done = pause::add(&self.db, &read(new), made, &clerk);
                self.begins("pause", name, *from, "paused".into(), done.map(|done| done.1))
            }
            Event::Resume { at, on } => self.pick("pause", *at).and_then(|name| {
                let new = json!({"on": day(*on)});
                let done = pause::resume(&self.db, &id(&name), &read(new), &clerk);
                let says = format!("resumed {}", day(*on));
                taken(done).then_some(Fact::Ends { kind: "pause", id: name, on: Some(*on), says })
            }),
            Event::WriteOff { invoice, on, minor } => {
                let name = format!("W{step:02}");
                let new = json!({"id": name, "invoice_id": format!("I{invoice}"), "on": day(*on),
                    "minor": minor, "reason": "gone"});
                let done = write_off::add(&self.db, &read(new), made, &clerk).unwrap();
                let standing = if done.0.state.name() == "booked" { *minor } else { 0 };
                let says = format!("{} {standing}", done.0.state);
                self.begins("write-off", name, *on, says, Ok(done.1))
            }
            Event::Decide { at, approve } => self.pick("write-off", *at).and_then(|name| {
                let state = read(json!(if *approve { "booked" } else { "refused" }));
                let done = write_off::decide(&self.db, &id(&name), state, &author("other", step));
                let says = done.as_ref().map_or(String::new(), |done| {
                    format!("{state} {}", if *approve { done.0.amount.minor } else { 0 })
                });
                let taken = taken(done.map(|done| done.1));
                taken.then_some(Fact::Ends { kind: "write-off", id: name, on: None, says })
            }),
            Event::TakeBack { at, on } => self.pick("write-off", *at).and_then(|name| {
                let new = json!({"on": day(*on), "reason": "by mistake"});
                let done = write_off::reverse(&self.db, &id(&name), &read(new), &clerk);
                let taken = taken(done.map(|done| done.1));
                let (kind, says) = ("write-off", "reversed 0".to_string());
                taken.then_some(Fact::Ends { kind, id: name, on: Some(*on), says })
            }),
            Event::Default { on } => {
                let name = format!("F{step:02}");
                let new = json!({"id": name, "customer_id": "C", "found_on": day(*on),
                    "kind": "late-payment", "reason": "late"});
                let done = default_record::add(&self.db, &read(new), made, &clerk);
                self.begins("default", name, *on, "open".into(), done.map(|done| done.1))
            }
            Event::Close { at, on, cured } => self.pick("default", *at).and_then(|name| {
                let state = if *cured { "cured" } else { "withdrawn" };
                let new = json!({"on": day(*on), "state": state});
                let done = default_record::close(&self.db, &id(&name), &read(new), &clerk);
                let says = format!("{state} {}", day(*on));
                taken(done).then_some(Fact::Ends { kind: "default", id: name, on: Some(*on), says })
            }),
            Event::Reopen { at } => self.pick("default", *at).and_then(|name| {
                let replaces = default_record::get(&self.db, &id(&name)).unwrap().closed_on?;
                let new = json!({"replaces": replaces, "reason": "not over"});
                let done = default_record::reopen(&self.db, &id(&name), &read(new), &clerk);
                taken(done).then_some(Fact::Stands { kind: "default", id: name })
            }),
            Event::Contract { at, from, days } => {
                let name = format!("K{at}");
                let to = days.map(|days| from + days);
                let new = json!({"customer_id": "C", "effective_on": day(*from),
                    "ends_on": to.map(day), "title": format!("{from}")});
                let done = contract::put(&self.db, &id(&name), &read(new), &clerk);
                let number = done.as_ref().map_or(0, |done| done.0.version);
                taken(done.map(|done| done.1)).then_some(Fact::Version {
                    id: name,
                    number,
                    from: *from,
                    to,
                })
            }
            Event::Guarantee { at, minor, from, days } => {
                let name = format!("G{at}");
                let to = days.map(|days| from + days);
                let new = json!({"customer_id": "C", "kind": "guarantor", "party": "P",
                    "amount": eur(*minor), "valid_from": day(*from), "valid_to": to.map(day)});
                let done = guarantee::put(&self.db, &id(&name), &read(new), &clerk);
                let fact = Fact::Reads { id: name, minor: *minor, from: *from, to };
                taken(done.map(|done| done.1)).then_some(fact)
            }
            Event::Record { segment, member } => {
                let segment = format!("s{segment}");
                let parent = member.then_some("HEAD");
                let new = json!({"name": "C", "segment": segment, "parent_id": parent});
                let done = customer::put(&self.db, &id("C"), &read(new), &clerk);
                taken(done).then_some(Fact::Record { segment, member: *member })
            }
            Event::Policy { grace } => {
                let rule = json!({"write_off_approval": [{"currency": "EUR", "minor": 5}],
                    "grace_days": grace});
                taken(policy::put(&self.db, &read(rule), &clerk)).then_some(Fact::Policy(*grace))
            }
        };
        self.log.extend(fact.map(|fact| (step, fact)));
    }

    fn known(&self, until: usize) -> Vec<(usize, Fact)> {
        self.log.iter().filter(|(step, _)| *step <= until).cloned().collect()
    }

    /// What the ledger answers for a day and a moment is what the clerk finds.
    fn check(&self, on: i64, until: usize) {
        let known = invoice::known_at(&self.db, Some(moment(until))).unwrap();
        let when = When { day: day(on), known };
        for kind in KINDS {
            let wanted = found(&self.known(until), kind, on);
            assert_eq!(self.listed(kind, when), wanted, "{kind} on day {on} known at {until}");
            for name in self.begun.get(kind).into_iter().flatten() {
                let listed = wanted.iter().find(|(of, _)| of == name).map(|(_, says)| says.clone());
                let one = self.one(kind, name, when);
                assert_eq!(one, listed, "{name} on day {on} known at {until}");
            }
        }
        self.check_agreed(on, until, when);
        self.check_record(on, until, when);
    }

    fn one(&self, kind: &str, name: &str, when: When) -> Option<String> {
        let (db, id) = (&self.db, id(name));
        match kind {
            "dispute" => dispute::then(db, &id, when).ok().map(|of| {
                of.resolved_on.map_or("open".into(), |day| format!("{} {day}", of.state))
            }),
            "default" => default_record::then(db, &id, when)
                .ok()
                .map(|of| of.closed_on.map_or("open".into(), |day| format!("{} {day}", of.state))),
            "write-off" => write_off::then(db, &id, when)
                .ok()
                .map(|of| format!("{} {}", of.state, of.standing_minor)),
            _ => self.listed(kind, when).into_iter().find(|(of, _)| of == name).map(|of| of.1),
        }
    }

    /// The whole list, two at a time.
    fn listed(&self, kind: &str, when: When) -> Vec<(String, String)> {
        let (db, of) = (&self.db, id("C"));
        let (mut all, mut after): (Vec<(String, String)>, String) = (Vec::new(), String::new());
        loop {
            let page: Vec<(String, String)> = match kind {
                "dispute" => dispute::page(db, &after, 2, Some(&of), None, when)
                    .unwrap()
                    .into_iter()
                    .map(|of| {
                        let says = of.resolved_on.map(|day| format!("{} {day}", of.state));
                        (of.id.to_string(), says.unwrap_or("open".into()))
                    })
                    .collect(),
                "default" => default_record::page(db, &after, 2, Some(&of), None, when)
                    .unwrap()
                    .into_iter()
                    .map(|of| {
                        let says = of.closed_on.map(|day| format!("{} {day}", of.state));
                        (of.id.to_string(), says.unwrap_or("open".into()))
                    })
                    .collect(),
                "write-off" => write_off::page(db, &after, 2, Some(&of), when)
                    .unwrap()
                    .into_iter()
                    .map(|of| (of.id.to_string(), format!("{} {}", of.state, of.standing_minor)))
                    .collect(),
                _ => pause::page(db, &after, 2, None, when)
                    .unwrap()
                    .into_iter()
                    .map(|of| {
                        let says = of.resumed_on.map(|day| format!("resumed {day}"));
                        (of.id.to_string(), says.unwrap_or("paused".into()))
                    })
                    .collect(),
            };
            let Some((last, _)) = page.last() else { return all };
            after.clone_from(last);
            all.extend(page);
        }
    }

    /// Contracts in the version in force, and guarantees in force.
    fn check_agreed(&self, on: i64, until: usize, when: When) {
        let (mut contracts, mut guarantees) = (BTreeMap::new(), BTreeMap::new());
        for (_, fact) in self.known(until) {
            match fact {
                Fact::Version { id, number, from, to } if from <= on => {
                    let stands = contracts.entry(id).or_insert((from, number, to));
                    if (from, number) >= (stands.0, stands.1) {
                        *stands = (from, number, to);
                    }
                }
                Fact::Reads { id, minor, from, to } => _ = guarantees.insert(id, (minor, from, to)),
                _ => {}
            }
        }
        contracts.retain(|_, (_, _, to)| to.is_none_or(|to| to >= on));
        guarantees.retain(|_, (_, from, to)| *from <= on && to.is_none_or(|to| to >= on));
        let wanted: BTreeSet<(String, u32)> =
            contracts.into_iter().map(|(id, (_, number, _))| (id, number)).collect();
        let got = contract::list(&self.db, &Wanted::default(), "", 9, when).unwrap();
        let got: BTreeSet<_> = got.into_iter().map(|of| (of.id.to_string(), of.version)).collect();
        assert_eq!(got, wanted, "contracts on day {on} known at {until}");
        for name in ["K0", "K1"] {
            let one = contract::get(&self.db, &id(name), when).ok().map(|of| of.version);
            assert_eq!(one, wanted.iter().find(|(id, _)| id == name).map(|of| of.1));
        }
        let wanted: BTreeSet<_> = guarantees.iter().map(|(id, of)| (id.clone(), of.0)).collect();
        let day = Some(when.day);
        let got = guarantee::list(&self.db, Some(&id("C")), day, "", 9, when.known).unwrap();
        let got: BTreeSet<_> =
            got.into_iter().map(|of| (of.id.to_string(), of.amount.minor)).collect();
        assert_eq!(got, wanted, "guarantees on day {on} known at {until}");
        let owed = customer::standing(&self.db, &id("C"), when).unwrap().own;
        let secured: i64 = wanted.iter().map(|of| of.1).sum();
        assert_eq!(owed[0].secured_minor, secured, "what is secured on day {on} known at {until}");
    }

    /// The customer's record, the group it makes, and the policy.
    fn check_record(&self, on: i64, until: usize, when: When) {
        let known = self.known(until);
        let records = || {
            known.iter().filter_map(|(step, fact)| match fact {
                Fact::Record { segment, member } => Some((*step, segment.clone(), *member)),
                _ => None,
            })
        };
        // Before the first record there is none that it could have read as.
        let by_day = records().rfind(|(step, _, _)| came_on(*step) <= on);
        let (_, segment, member) = by_day.or_else(|| records().next()).unwrap();
        let got = ledger::customer(&self.db, &id("C"), when).unwrap();
        assert_eq!(got.segment.unwrap_or_default(), segment, "day {on} known at {until}");
        let head = customer::standing(&self.db, &id("HEAD"), when).unwrap();
        assert_eq!(head.group_id.is_some(), member, "day {on} known at {until}");
        assert_eq!(head.group.is_empty(), !member);
        let own = customer::standing(&self.db, &id("C"), when).unwrap();
        assert_eq!(own.group_id, member.then(|| id("HEAD")));
        let grace = known.iter().rev().find_map(|(_, fact)| match fact {
            Fact::Policy(grace) => Some(*grace),
            _ => None,
        });
        let policy = policy::known(&self.db, when.known).unwrap();
        assert_eq!(Some(policy.grace_days.unwrap_or(0)), grace);
    }
}

/// What of a kind had begun by the day, and what is said of it.
fn found(log: &[(usize, Fact)], kind: &str, day: i64) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (_, fact) in log {
        let Fact::Begins { kind: of, id, on, says } = fact else { continue };
        if *of != kind || *on > day {
            continue;
        }
        // What was decided may be taken back: the last word counts, and nothing of before what was said to be wrong.
        let wrong = |fact: &Fact| matches!(fact, Fact::Stands { kind: of, id: not } if *of == kind && not == id);
        let said = log.iter().rev().take_while(|(_, fact)| !wrong(fact));
        let end = said.into_iter().find_map(|(_, fact)| match fact {
            Fact::Ends { kind: of, id: ended, on, says }
                if *of == kind && ended == id && on.is_none_or(|on| on <= day) =>
            {
                Some(says.clone())
            }
            _ => None,
        });
        found.push((id.clone(), end.unwrap_or(says.clone())));
    }
    found.sort();
    found
}

/// Whether the ledger took it. What cannot be is refused; a fault is none of that.
fn taken(done: Result<Change, Fault>) -> bool {
    match done {
        Ok(change) => change != Change::AlreadySo,
        Err(Fault::Refused(_)) => false,
        Err(fault) => panic!("{fault:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_record_stands_as_the_clerk_finds_it(
        events in proptest::collection::vec(event(), 1..40),
        questions in proptest::collection::vec((0i64..70, 0usize..41), 6),
    ) {
        let mut world = World::new();
        for (number, event) in events.iter().enumerate() {
            world.tell(number + 1, event);
        }
        world.check(70, 41);
        for (on, until) in questions {
            world.check(on, until);
            world.check(on, 41);
        }
    }
}

/// What was recorded after a moment is not there at it, by its own name or in a list.
#[test]
fn what_was_not_known_is_not_found() {
    let mut world = World::new();
    world.tell(1, &Event::Dispute { invoice: 0, on: 3 });
    world.tell(2, &Event::Guarantee { at: 0, minor: 5, from: 1, days: None });
    let before = invoice::known_at(&world.db, Some(moment(0))).unwrap();
    let after = invoice::known_at(&world.db, Some(moment(2))).unwrap();
    for (on, known, there) in [(2, after, false), (3, after, true), (3, before, false)] {
        let when = When { day: day(on), known };
        assert_eq!(dispute::then(&world.db, &id("D01"), when).is_ok(), there, "{when:?}");
    }
    for (known, there) in [(before, false), (after, true)] {
        assert_eq!(guarantee::then(&world.db, &id("G0"), None, known).is_ok(), there);
        let page = contract::versions(&world.db, &id("K0"), 0, 9, When { day: day(3), known });
        assert!(page.is_err());
    }
}
