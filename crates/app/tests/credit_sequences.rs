//! Random sequences of what happens to one customer's credit agree with a clerk with a slate: reservations and their ends,
//! orders as they are delivered, invoiced, cancelled and taken up again, checks that hold, holds that clear, are released
//! and come back, limits and payments.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/credit.rs"]
mod shop;

use common::{db, id, read};
use dunlin_app::credit::{Asked, check, hold, order, ready, reservation, reservation::Reserved};
use dunlin_domain::{
    Instant,
    contract::{credit::*, types::Language},
    credit::reservation::Ask,
};
use dunlin_store::{Db, Fault, credit::WantedHolds, native::NativeDb};
use proptest::prelude::*;
use serde_json::json;
use shop::*;

/// Something that happens. Orders are meant by number, reservations and holds by place.
#[derive(Clone, Debug)]
enum Step {
    Reserve {
        minor: i64,
        seconds: i64,
        order: Option<usize>,
    },
    Commit(usize),
    Release(usize),
    Order {
        order: usize,
        amount: i64,
        delivered: i64,
        invoiced: i64,
        cancelled: i64,
    },
    /// All of an order that is recorded is invoiced.
    Invoice(usize),
    Check {
        minor: i64,
        order: usize,
    },
    Run,
    ReleaseHold {
        hold: usize,
        seconds: i64,
    },
    Wait(i64),
    Limit(i64),
    Pay(i64),
    /// What may be answered without looking is worked out.
    Ready,
}

const ORDERS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let orders = 0..ORDERS;
    let part = || prop_oneof![2 => Just(0i64), 1 => 1i64..70];
    prop_oneof![
        6 => (1i64..70, 1i64..100, prop::option::of(orders.clone()))
            .prop_map(|(minor, seconds, order)| Step::Reserve { minor, seconds, order }),
        4 => (0usize..4).prop_map(Step::Commit),
        2 => (0usize..4).prop_map(Step::Release),
        4 => (orders.clone(), 1i64..90, part(), part(), part()).prop_map(
            |(order, amount, delivered, invoiced, cancelled)| {
                Step::Order { order, amount, delivered, invoiced, cancelled }
            }
        ),
        2 => orders.clone().prop_map(Step::Invoice),
        4 => (1i64..120, orders).prop_map(|(minor, order)| Step::Check { minor, order }),
        3 => Just(Step::Run),
        1 => (0usize..3, 1i64..90).prop_map(|(hold, seconds)| Step::ReleaseHold { hold, seconds }),
        2 => (1i64..60).prop_map(Step::Wait),
        1 => (0i64..200).prop_map(Step::Limit),
        2 => (1i64..90).prop_map(Step::Pay),
        6 => Just(Step::Ready),
    ]
}

/// Steps at random, some of them after an order that somebody let pass went out in part.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let released = (60i64..120, 1i64..70, 0..ORDERS).prop_map(|(all, minor, order)| {
        vec![
            Step::Limit(all - 1),
            Step::Check { minor: all, order },
            Step::ReleaseHold { hold: 0, seconds: 90 },
            Step::Reserve { minor, seconds: 90, order: Some(order) },
            Step::Commit(0),
            Step::Invoice(order),
        ]
    });
    let begun = (released, prop::collection::vec(step(), 1..5))
        .prop_map(|(begun, more)| begun.into_iter().chain(more).collect());
    prop_oneof![4 => prop::collection::vec(step(), 1..9), 1 => begun]
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ordered {
    amount: i64,
    delivered: i64,
    invoiced: i64,
    cancelled: i64,
}

impl Ordered {
    fn undelivered(&self) -> i64 {
        self.amount - self.cancelled - self.delivered.max(self.invoiced)
    }

    fn counts(&self) -> i64 {
        self.undelivered() + (self.delivered - self.invoiced).max(0)
    }

    fn fits(&self) -> bool {
        self.delivered <= self.amount && self.invoiced <= self.amount && self.undelivered() >= 0
    }
}

#[derive(Clone, Debug)]
struct Kept {
    minor: i64,
    order: String,
    end: Instant,
    state: ReservationState,
    /// Whether a hold cleared for it, and not a client asked.
    of_hold: bool,
}

#[derive(Clone, Debug)]
struct Waits {
    order: String,
    minor: i64,
    /// What of the order was done when more of it was asked for.
    base: i64,
    state: HoldState,
    until: Option<Instant>,
    followed: bool,
}

/// What a clerk with a slate knows of one customer.
struct Slate {
    now: Instant,
    limit: i64,
    owed: i64,
    orders: std::collections::BTreeMap<String, Ordered>,
    kept: Vec<Kept>,
    holds: Vec<Waits>,
    /// Orders that the director let pass, up to which size and until when.
    agreed: Vec<(String, i64, Instant)>,
}

impl Slate {
    fn live(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter().filter(|of| of.state == ReservationState::Held && of.end > self.now)
    }

    fn reserved(&self, order: &str) -> i64 {
        self.live().filter(|of| of.order == order).map(|of| of.minor).sum()
    }

    fn used(&self) -> i64 {
        let ordered: i64 = self.orders.values().map(Ordered::counts).sum();
        self.owed + ordered + self.live().map(|of| of.minor).sum::<i64>()
    }

    /// What was invoiced or cancelled of an order.
    fn done(&self, order: &str) -> i64 {
        self.orders.get(order).map_or(0, |of| of.invoiced + of.cancelled)
    }

    /// What is added by an amount of an order, of which so much was done that is not asked for again.
    fn added(&self, order: &str, minor: i64, done: i64) -> i64 {
        let counts = self.orders.get(order).map_or(0, Ordered::counts);
        (minor - (counts + self.reserved(order) + done)).max(0)
    }

    /// How large the order would be, with all that was ever done of it.
    fn size(&self, order: &str, minor: i64, done: i64) -> i64 {
        minor + self.done(order) - done
    }

    fn passes(&self, order: &str, minor: i64, done: i64) -> bool {
        let size = self.size(order, minor, done);
        let agreed = self
            .agreed
            .iter()
            .any(|(of, most, until)| of == order && size <= *most && *until > self.now);
        agreed || self.used() + self.added(order, minor, done) <= self.limit
    }

    fn waiting(&self, order: &str) -> bool {
        self.reserved(order) > 0 || self.orders.get(order).is_some_and(|of| of.undelivered() > 0)
    }

    /// What a check does to the hold of its order.
    fn settle(&mut self, order: &str, minor: i64, base: i64, passes: bool) {
        let standing = |of: &&mut Waits| of.order == order && of.state == HoldState::Held;
        match (self.holds.iter_mut().find(standing), passes) {
            (Some(hold), true) if minor + base >= hold.minor + hold.base => {
                hold.state = HoldState::Cleared;
            }
            (_, true) => {}
            (Some(hold), false) => (hold.minor, hold.base) = (minor, base),
            (None, false) => self.holds.push(Waits {
                order: order.into(),
                minor,
                base,
                state: HoldState::Held,
                until: None,
                followed: false,
            }),
        }
    }

    fn run(&mut self) {
        for at in 0..self.holds.len() {
            let Waits { order, minor, base, state, .. } = self.holds[at].clone();
            if state != HoldState::Held {
                continue;
            }
            let done = self.done(&order) - base;
            let added = self.added(&order, minor, done);
            let over = self.orders.contains_key(&order) && !self.waiting(&order) && added == 0;
            if !over && !self.passes(&order, minor, done) {
                continue;
            }
            self.holds[at].state = HoldState::Cleared;
            if added > 0 {
                let end = self.now.plus_seconds(15 * 60);
                let state = ReservationState::Held;
                self.kept.push(Kept { minor: added, order, end, state, of_hold: true });
            }
        }
        let over = |of: &Waits| of.until.is_some_and(|until| until <= self.now) && !of.followed;
        let mut run_out: Vec<usize> =
            (0..self.holds.len()).filter(|at| over(&self.holds[*at])).collect();
        run_out.sort_by_key(|at| (self.holds[*at].until, *at));
        for at in run_out {
            self.holds[at].followed = true;
            let Waits { order, minor, base, .. } = self.holds[at].clone();
            let done = self.done(&order) - base;
            if self.waiting(&order) && !self.passes(&order, minor, done) {
                self.settle(&order, minor, base, false);
            }
        }
    }
}

/// One sequence of a customer of its own.
struct Sequence<'a> {
    db: &'a NativeDb,
    name: String,
    slate: Slate,
    step: usize,
    /// Ids of the reservations that a client asked for, with their places on the slate.
    asked: Vec<(String, usize)>,
    /// How many questions were answered by what was ready.
    told: &'a std::cell::Cell<u32>,
}

impl Sequence<'_> {
    fn made(&self, letter: &str) -> String {
        format!("{}-{letter}{}", self.name, self.step)
    }

    fn order(&self, number: usize) -> String {
        format!("{}-O{number}", self.name)
    }

    fn reserve(&mut self, minor: i64, seconds: i64, number: Option<usize>) {
        let (made, now) = (self.made("R"), self.slate.now);
        let named = number.map(|number| self.order(number));
        let order = named.clone().unwrap_or_else(|| made.clone());
        let end = now.plus_seconds(seconds);
        let new = json!({"id": made, "customer": self.name, "amount": eur(minor), "expires_at": end,
            "order_id": named});
        let check = id(&self.made("K"));
        let found =
            reservation::add(self.db, &read(new), &check, Some(Language::En), &by("shop", now));
        let of_hold = self.slate.live().all(|of| of.order != order || of.of_hold);
        let counts = self.slate.orders.get(&order).map_or(0, Ordered::counts);
        if counts > 0 || !of_hold {
            assert!(matches!(found, Err(Fault::Refused(_))), "{found:?}");
            return;
        }
        let base = self.slate.done(&order);
        let passes = self.slate.passes(&order, minor, 0);
        assert_eq!(matches!(found.unwrap(), Reserved::Kept(..)), passes);
        if named.is_some() {
            self.slate.settle(&order, minor, base, passes);
        }
        if passes {
            let live = |of: &&mut Kept| of.order == order && of.state == ReservationState::Held;
            for taken in self.slate.kept.iter_mut().filter(live).filter(|of| of.end > now) {
                taken.state = ReservationState::Released;
            }
            self.asked.push((made, self.slate.kept.len()));
            let state = ReservationState::Held;
            self.slate.kept.push(Kept { minor, order, end, state, of_hold: false });
        }
    }

    fn end(&mut self, at: usize, ask: Ask) {
        let Some((name, place)) = self.asked.get(at).cloned() else { return };
        let author = by("shop", self.slate.now);
        let found = reservation::ask(self.db, &id(&name), ask, &author);
        let kept = self.slate.kept[place].clone();
        let is_live = kept.state == ReservationState::Held && kept.end > self.slate.now;
        let changed = found.as_ref().is_ok_and(|(_, change)| format!("{change:?}") == "Replaced");
        assert_eq!(changed, is_live, "{found:?}");
        if is_live {
            let commits = ask == Ask::Commit;
            self.slate.kept[place].state =
                if commits { ReservationState::Committed } else { ReservationState::Released };
            if commits {
                self.slate.orders.entry(kept.order).or_default().amount += kept.minor;
            }
        }
    }

    fn put(&mut self, number: usize, ordered: Ordered) {
        let (order, now) = (self.order(number), self.slate.now);
        let new = json!({"customer": self.name, "amount": eur(ordered.amount), "delivered_minor": ordered.delivered,
            "invoiced_minor": ordered.invoiced, "cancelled_minor": ordered.cancelled});
        let found = order::put(self.db, &id(&order), &read(new), &by("erp", now));
        assert_eq!(found.is_ok(), ordered.fits(), "{found:?}");
        if !ordered.fits() {
            return;
        }
        let before = self.slate.orders.insert(order.clone(), ordered);
        if before == Some(ordered) {
            return;
        }
        let invoiced = ordered.invoiced - before.map_or(0, |of| of.invoiced);
        if invoiced > 0 {
            invoice(self.db, &self.made("I"), &self.name, "2024-07-31", invoiced);
            self.slate.owed += invoiced;
        }
        if before.is_none_or(|before| before.amount < ordered.amount) {
            let of = |of: &&mut Kept| of.order == order && of.state == ReservationState::Held;
            for kept in self.slate.kept.iter_mut().filter(of).filter(|of| of.end > now) {
                kept.state = ReservationState::Committed;
            }
        }
        if ordered.undelivered() == 0 {
            let done = ordered.delivered.max(ordered.invoiced) + ordered.cancelled;
            let of = |of: &&mut Waits| of.order == order && of.state == HoldState::Held;
            for hold in self.slate.holds.iter_mut().filter(of) {
                if done - hold.base >= hold.minor {
                    hold.state = HoldState::Cleared;
                }
            }
        }
    }

    fn check(&mut self, minor: i64, number: usize) {
        let order = self.order(number);
        let asked = question(&self.name, minor, Some(&order));
        let (made, author) = (id(&self.made("K")), by("shop", self.slate.now));
        let found = check::ask(self.db, &asked, &made, Some(Language::En), &author).unwrap();
        // What is kept says the same.
        assert_eq!(check::get(self.db, &made, Some(Language::En)).unwrap(), found);
        // To order again what was cancelled is to ask for it anew.
        let invoiced = self.slate.orders.get(&order).map_or(0, |of| of.invoiced);
        let passes = self.slate.passes(&order, minor, invoiced);
        assert_eq!(found.verdict < Verdict::Hold, passes);
        let base = self.slate.done(&order) - invoiced;
        self.slate.settle(&order, minor, base, passes);
    }

    fn release_hold(&mut self, place: usize, seconds: i64) {
        let Some(waits) = self.slate.holds.get(place).cloned() else { return };
        if waits.state != HoldState::Held {
            return;
        }
        let (now, until) = (self.slate.now, self.slate.now.plus_seconds(seconds));
        let found = self.held();
        let (hold, _) = found.iter().find(|(_, order)| *order == waits.order).unwrap();
        let new = json!({"reason": "agreed", "until": until});
        hold::release(self.db, hold, &read(new), &by("director", now)).unwrap();
        self.slate.agreed.push((waits.order.clone(), waits.base + waits.minor, until));
        let (state, until) = (HoldState::Released, Some(until));
        self.slate.holds[place] = Waits { state, until, ..waits };
    }

    /// Holds that stand, with their orders.
    fn held(&self) -> Vec<(dunlin_domain::Id, String)> {
        let customer = id(&self.name);
        let state = Some(HoldState::Held);
        let wanted = WantedHolds { customer: Some(&customer), state, ..WantedHolds::default() };
        let found = hold::list(self.db, (i64::MAX, 50), &wanted, None).unwrap();
        found.into_iter().map(|(_, of)| (of.id, of.order_id.unwrap().to_string())).collect()
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Reserve { minor, seconds, order } => self.reserve(minor, seconds, order),
            Step::Commit(at) => self.end(at, Ask::Commit),
            Step::Release(at) => self.end(at, Ask::Release),
            Step::Order { order, amount, delivered, invoiced, cancelled } => {
                self.put(order, Ordered { amount, delivered, invoiced, cancelled });
            }
            Step::Invoice(order) => {
                if let Some(of) = self.slate.orders.get(&self.order(order)).copied() {
                    let invoiced = of.amount - of.cancelled;
                    self.put(order, Ordered { delivered: invoiced, invoiced, ..of });
                }
            }
            Step::Check { minor, order } => self.check(minor, order),
            Step::Run => {
                hold::run(self.db, &by("schedule", self.slate.now)).unwrap();
                self.slate.run();
            }
            Step::ReleaseHold { hold, seconds } => self.release_hold(hold, seconds),
            Step::Wait(seconds) => self.slate.now = self.slate.now.plus_seconds(seconds),
            Step::Limit(minor) => {
                self.slate.limit = minor;
                set_limit(self.db, &self.name, &self.made("L"), json!({"minor": minor}));
            }
            Step::Pay(minor) => {
                self.slate.owed -= minor;
                pay(self.db, &self.made("P"), &self.name, "2024-06-30", minor);
            }
            Step::Ready => drop(ready::run(self.db, &by("schedule", self.slate.now)).unwrap()),
        }
        self.step += 1;
    }

    /// What is used is what the slate says.
    fn agrees(&self) {
        let (asked, now) = (question(&self.name, 0, None), self.slate.now);
        let found = check::simulate(self.db, &asked, None, Some(Language::En), now).unwrap();
        assert_eq!(found.total_minor, self.slate.used());
        self.is_told_as_it_is_found();
    }

    /// What is ready is what a look finds, word for word, also at the last amount that it is ready for.
    fn is_told_as_it_is_found(&self) {
        let now = self.slate.now;
        let limit = self.slate.limit * 9 / 10 - self.slate.used();
        for (minor, order) in [(0, None), (1, Some(0)), (limit, Some(1)), (limit + 1, Some(2))] {
            let order = order.map(|number| self.order(number));
            let asked = question(&self.name, minor.max(0), order.as_deref());
            let ask = || check::simulate_told(self.db, &asked, None, Some(Language::En), now);
            let told = ask().unwrap();
            self.told.set(self.told.get() + u32::from(told.exposure.is_some()));
            let kept = "DELETE FROM credit_ready WHERE customer_key = (SELECT key FROM customer WHERE id = ?1)";
            self.db.execute("SAVEPOINT looks", &[]).unwrap();
            self.db.execute(kept, &[self.name.as_str().into()]).unwrap();
            let found = ask().unwrap();
            self.db.execute("ROLLBACK TO looks", &[]).unwrap();
            self.db.execute("RELEASE looks", &[]).unwrap();
            assert!(found.exposure.is_none());
            assert_eq!(told.whole().unwrap(), found.whole().unwrap());
        }
    }

    /// What waits at the end, and for how much, is what the slate says, and what was known is read as it stands.
    fn ends(&self) {
        let customer = id(&self.name);
        let state = Some(HoldState::Held);
        let wanted = WantedHolds { customer: Some(&customer), state, ..WantedHolds::default() };
        let found = hold::list(self.db, (i64::MAX, 50), &wanted, None).unwrap();
        let text = |of: Hold| format!("{} {}", of.order_id.unwrap(), of.amount.unwrap().minor);
        let mut held: Vec<String> = found.into_iter().map(|(_, of)| text(of)).collect();
        let stands = self.slate.holds.iter().filter(|of| of.state == HoldState::Held);
        let mut wanted: Vec<String> =
            stands.map(|of| format!("{} {}", of.order, of.minor)).collect();
        held.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(held, wanted);
        let known = Asked { day: None, known_at: Some(self.slate.now) };
        let then = parts(self.db, &self.name, known, self.slate.now);
        assert_eq!(then, parts(self.db, &self.name, Asked::default(), self.slate.now));
        // The next one's runs judge its own.
        for table in ["credit_hold_former", "credit_hold"] {
            self.db.execute(&format!("DELETE FROM {table}"), &[]).unwrap();
        }
    }
}

/// Sequences in one run.
const SEQUENCES: u32 = 10_000;

/// Each sequence is of a customer of its own in one database.
#[test]
fn random_sequences_agree_with_a_clerk_with_a_slate() {
    let (_folder, db) = db();
    // What a sequence needs is that writers wait for each other, not that the disk does.
    db.execute("PRAGMA synchronous = OFF", &[]).unwrap();
    let (number, told) = (std::cell::Cell::new(0u32), std::cell::Cell::new(0u32));
    let config = ProptestConfig { cases: SEQUENCES, max_shrink_iters: 200, ..Default::default() };
    let sequence = steps();
    proptest!(config, |(steps in sequence)| {
        number.set(number.get() + 1);
        let name = format!("C{}", number.get());
        customer(&db, &name, json!({"credit_limit": eur(100)}));
        let slate = Slate {
            now: at(NOON),
            limit: 100,
            owed: 0,
            orders: std::collections::BTreeMap::new(),
            kept: Vec::new(),
            holds: Vec::new(),
            agreed: Vec::new(),
        };
        let mut sequence =
            Sequence { db: &db, name, slate, step: 0, asked: Vec::new(), told: &told };
        for step in steps {
            sequence.take(step);
            sequence.agrees();
        }
        sequence.ends();
        // The next one begins at the same moment, which is no overlap of two requests but a clock that was set back.
        let later = "UPDATE audit SET at = '2099-01-01T00:00:00Z' WHERE key = (SELECT max(key) FROM audit)";
        db.execute(later, &[]).unwrap();
    });
    assert!(told.get() > SEQUENCES, "{} questions were answered by what was ready", told.get());
}
