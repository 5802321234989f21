//! The sweep: twice is once, a cut anywhere leaves no mark, and missed days bring no burst.

use crate::{
    dump,
    faulty::{FaultyDb, How},
    world::{self, Doc, What, World, cases, day, docs, filled, id},
};
use dunlin_app::sweep::{Step, Tick};
use dunlin_domain::{
    Date, Instant,
    contract::{sweep::Progress, types::InvoiceKind},
};
use dunlin_store::{Db, Fault};
use proptest::prelude::*;

/// Customers in a slice: the four of a ledger need two.
const SLICE: u32 = 3;

/// Steps until the tick is done or fails. Nothing is handed over: there is no receiver.
fn work<D: Db>(db: &D, tick: &mut Tick, at: Instant, most: usize) -> Result<bool, Fault> {
    for _ in 0..most {
        match tick.step(db, at)? {
            Step::More => {}
            Step::Deliver => tick.delivered(db, Default::default(), true, at)?,
            Step::Done => return Ok(true),
        }
    }
    Ok(false)
}

fn begin<D: Db>(db: &D, on: Date, at: Instant) -> Result<Tick, Fault> {
    Ok(Tick::begin(db, Some(on), id("tick"), at)?.in_slices_of(SLICE))
}

/// A whole sweep of the day.
fn sweep<D: Db>(db: &D, on: Date, at: Instant) -> Result<Progress, Fault> {
    let mut tick = begin(db, on, at)?;
    work(db, &mut tick, at, usize::MAX)?;
    tick.end(db)
}

pub fn swept(db: &impl Db, on: Date) -> Progress {
    let progress = sweep(db, on, world::now()).unwrap();
    assert!(progress.done);
    progress
}

/// A book in which every stage has something to do: prompt and late payers, something to warn of, something to
/// remind of, something that was over-paid. The first half of it is swept already.
fn busy() -> World {
    let mut docs = Vec::new();
    for number in 0..4usize {
        for month in 0..8i64 {
            let (day, place) = (month * 25, number * 20 + month as usize);
            let claim =
                What::Claim { kind: InvoiceKind::Invoice, net_days: 14, disputed: month == 7 };
            docs.push(Doc {
                id: format!("I{place:04}"),
                customer: number,
                currency: number % 2,
                day,
                minor: 1_200,
                what: claim,
            });
            let late = 10 + 15 * number as i64;
            let pays = What::Payment { named: (month % 2 == 0).then(|| format!("I{place:04}")) };
            if month < 4 + number as i64 {
                docs.push(Doc {
                    id: format!("P{place:04}"),
                    customer: number,
                    currency: number % 2,
                    day: day + late,
                    minor: 1_000,
                    what: pays,
                });
            }
        }
    }
    // One pays all at once, so that a warning closes.
    let pays = What::Payment { named: None };
    docs.push(Doc {
        id: "P9999".into(),
        customer: 3,
        currency: 1,
        day: 150,
        minor: 50_000,
        what: pays,
    });
    let world = filled(&docs, 9);
    swept(&world.db, day(140));
    world
}

/// The day that the tests sweep after the one that `busy` swept.
const NEXT_DAY: i64 = 160;

fn state(world: &World) -> Vec<String> {
    dump::by_ids(&world.db, &[])
}

#[test]
fn the_busy_book_keeps_every_stage_busy() {
    let world = busy();
    let before = dump::raw(&world.db, &["sweep"]);
    let counts = swept(&world.db, day(NEXT_DAY)).counts;
    let busy =
        [counts.aged, counts.scored, counts.alerts_opened, counts.alerts_closed, counts.notices];
    assert!(busy.iter().all(|count| *count > 0), "{counts:?}");
    assert_ne!(before, dump::raw(&world.db, &["sweep"]));
}

/// After every number of slices the tick is gone, lease and all; another goes on when the lease has run out.
#[test]
fn a_tick_that_dies_between_slices_leaves_no_mark() {
    let uncut = busy();
    swept(&uncut.db, day(NEXT_DAY));
    let expected = state(&uncut);
    let start = busy().bytes();
    for slices in 0.. {
        let mut world = World::of(&start);
        let mut tick = begin(&world.db, day(NEXT_DAY), world::now()).unwrap();
        if work(&world.db, &mut tick, world::now(), slices).unwrap() {
            assert!(slices > 12, "a slice was left out");
            break;
        }
        drop(tick);
        world.reopen();
        let refused =
            Tick::begin(&world.db, Some(day(NEXT_DAY)), id("other"), world::now()).unwrap_err();
        assert!(matches!(refused, Fault::Refused(_)), "the lease holds: {refused:?}");
        let later = world::now().plus_seconds(61);
        assert!(sweep(&world.db, day(NEXT_DAY), later).unwrap().done);
        dump::assert_same(&expected, &state(&world), &format!("cut after {slices} slices"));
    }
}

/// At every statement of a sweep, in every way: what was not committed is not there, and the resumed sweep ends where
/// the uncut one does.
fn cut_at_every_statement(how: How) {
    let uncut = busy();
    swept(&uncut.db, day(NEXT_DAY));
    let expected = state(&uncut);
    let mut world = busy();
    let start = world.bytes();
    for statement in 0.. {
        let cut = FaultyDb::at(&world.db, statement, how);
        let outcome = sweep(&cut, day(NEXT_DAY), world::now());
        if !cut.hit.get() {
            assert!(statement > 60, "statements were left out: {statement}");
            break;
        }
        assert!(
            how == How::Locked || outcome.is_err() || how == How::DiesAfter,
            "statement {statement}"
        );
        world.reopen();
        dump::assert_sound(&world.db);
        let later = world::now().plus_seconds(61);
        assert!(sweep(&world.db, day(NEXT_DAY), later).unwrap().done);
        dump::assert_same(&expected, &state(&world), &format!("{how:?} at statement {statement}"));
        world = World::of(&start);
    }
}

#[test]
fn a_statement_that_fails_leaves_no_mark() {
    cut_at_every_statement(How::Fails);
}

#[test]
fn a_process_that_dies_before_a_statement_leaves_no_mark() {
    cut_at_every_statement(How::Dies);
}

#[test]
fn a_process_that_dies_after_a_statement_leaves_no_mark() {
    cut_at_every_statement(How::DiesAfter);
}

#[test]
fn a_statement_that_finds_the_database_locked_leaves_no_mark() {
    cut_at_every_statement(How::Locked);
}

/// On one day an item is paid and another of the same amount comes, both known long before: no sum shows it, and the
/// newest item is the same. Whoever is to be told of the one that came is told.
#[test]
fn one_item_in_place_of_another_of_the_same_amount_is_seen() {
    let claim = |id: &str, on, net_days, disputed| Doc {
        id: id.into(),
        customer: 0,
        currency: 0,
        day: on,
        minor: 500,
        what: What::Claim { kind: InvoiceKind::Invoice, net_days, disputed },
    };
    let pays = What::Payment { named: Some("I2".into()) };
    let pays = Doc { id: "P1".into(), customer: 0, currency: 0, day: 10, minor: 500, what: pays };
    let docs =
        [claim("I1", 10, 10, false), claim("I2", 1, 19, true), claim("I3", 1, 19, true), pays];
    let world = filled(&docs, 1);
    let notices = |on| swept(&world.db, day(on)).counts.notices;
    assert_eq!([9, 10, 18].map(notices), [0, 0, 1]);
}

/// The days that a script of a year sweeps: most of them, with a hole here and there.
fn days() -> impl Strategy<Value = Vec<i64>> {
    let gap = prop_oneof![6 => Just(1i64), 3 => 2i64..6, 1 => 20i64..60];
    (20i64..300, proptest::collection::vec(gap, 1..14)).prop_map(|(first, gaps)| {
        gaps.into_iter().scan(first, |on, gap| Some(std::mem::replace(on, *on + gap))).collect()
    })
}

/// The same document on few days and with few amounts, so that one often makes up for another.
fn crowded(doc: &Doc) -> Doc {
    let what = match &doc.what {
        What::Claim { kind, net_days, disputed } => {
            What::Claim { kind: *kind, net_days: net_days % 12, disputed: *disputed }
        }
        other => other.clone(),
    };
    Doc {
        customer: doc.customer % 2,
        currency: 0,
        day: doc.day % 45,
        minor: 500 + doc.minor % 2 * 500,
        what,
        ..doc.clone()
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn twice_is_once(docs in docs(40), days in days()) {
        let world = filled(&docs, 6);
        for on in days.into_iter().map(day) {
            let first = swept(&world.db, on);
            let before = dump::raw(&world.db, &[]);
            prop_assert_eq!(swept(&world.db, on), first);
            dump::assert_same(&before, &dump::raw(&world.db, &[]), "the same day again");
        }
    }

    /// However many days were missed, a customer gets one notice a currency and day, and never one within the least
    /// interval of the one before.
    #[test]
    fn missed_days_bring_no_burst(docs in docs(40), days in days()) {
        let world = filled(&docs, 8);
        for on in days.into_iter().map(day) {
            let counts = swept(&world.db, on).counts;
            let sql = "SELECT count(*), count(DISTINCT customer_key || currency) FROM notice WHERE day = ?1";
            let on = on.to_string();
            let row = world.db.first(sql, &[(&on).into()]).unwrap().unwrap();
            prop_assert_eq!(row.int(0).unwrap(), row.int(1).unwrap());
            prop_assert_eq!(row.int(0).unwrap(), i64::try_from(counts.notices).unwrap());
        }
        let close = "SELECT count(*) FROM notice AS a JOIN notice AS b ON b.customer_key = a.customer_key
            AND b.currency = a.currency AND b.day > a.day AND julianday(b.day) - julianday(a.day) < 2";
        prop_assert_eq!(world.db.int(close, &[]).unwrap(), 0);
        let twice = "SELECT count(*) FROM (SELECT x.invoice_key, n.level FROM notice AS n JOIN notice_item AS x
            ON x.notice_key = n.key GROUP BY 1, 2 HAVING count(*) > 1 AND n.level IN ('upcoming', 'due'))";
        prop_assert_eq!(world.db.int(twice, &[]).unwrap(), 0, "a courtesy is given once");
    }

    /// The sweep looks only at whom the next action date names. Looking at everybody every time gives the same
    /// notices, whatever came in between two sweeps: no change goes unseen.
    #[test]
    fn whom_the_sweep_does_not_look_at_has_nothing_to_be_told(
        docs in docs(60),
        come in proptest::collection::vec(0usize..30, 60),
        missed in proptest::collection::vec(0usize..5, 30),
    ) {
        let docs: Vec<Doc> = docs.iter().map(crowded).collect();
        let (lazy, thorough) = (World::new(), World::new());
        world::add_customers(&lazy.db);
        world::add_customers(&thorough.db);
        // Each document comes before some sweep, which may be long before or after its own day.
        let mut waiting: Vec<&Doc> = Vec::new();
        for (number, missed) in missed.iter().enumerate() {
            waiting.extend(docs.iter().zip(&come).filter(|(_, before)| **before == number).map(|(doc, _)| doc));
            let mut still = Vec::new();
            for doc in waiting {
                let named = doc.named().map(id);
                let there = named.is_none_or(|named| dunlin_app::invoice::get(&lazy.db, &named, day(1_000), i64::MAX).is_ok());
                if !there {
                    still.push(doc);
                    continue;
                }
                world::add(&lazy.db, doc).unwrap();
                world::add(&thorough.db, doc).unwrap();
            }
            waiting = still;
            if *missed == 0 {
                continue;
            }
            let all = "UPDATE arrears SET next_action_on = as_of WHERE outstanding_minor > 0";
            thorough.db.execute(all, &[]).unwrap();
            let on = day(10 + i64::try_from(number).unwrap());
            swept(&lazy.db, on);
            swept(&thorough.db, on);
            dump::assert_same(&dump::by_ids(&thorough.db, &[]), &dump::by_ids(&lazy.db, &[]), &format!("after {on}"));
        }
    }

    /// Random ledgers cut at random statements, in slices of one customer.
    #[test]
    fn a_cut_anywhere_leaves_no_mark(docs in docs(30), days in days(), cuts in proptest::collection::vec(0u32..400, 14)) {
        let (cut, uncut) = (filled(&docs, 6), filled(&docs, 6));
        for (on, statement) in days.into_iter().map(day).zip(cuts) {
            let faulty = FaultyDb::at(&cut.db, statement, How::Fails);
            let _ = Tick::begin(&faulty, Some(on), id("tick"), world::now())
                .and_then(|tick| work(&faulty, &mut tick.in_slices_of(1), world::now(), usize::MAX));
            let later = world::now().plus_seconds(61);
            prop_assert!(sweep(&cut.db, on, later).unwrap().done);
            swept(&uncut.db, on);
            dump::assert_same(&state(&uncut), &state(&cut), "cut");
        }
    }
}
