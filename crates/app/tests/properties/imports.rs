//! Files: all or nothing, twice is once, a fault anywhere leaves nothing half-stored, and two writers do not meet.

use crate::{
    dump,
    faulty::{FaultyDb, How},
    world::{self, Doc, What, World, add_customers, cases, docs, filled, order},
};
use dunlin_app::import::{self, Checkpoint, Options, Reading, Rows, Slice};
use dunlin_domain::{
    Refusal,
    contract::{
        ingest::{ImportResult, ImportState, OnError},
        types::InvoiceKind,
    },
};
use dunlin_store::{Db, Fault};
use proptest::{prelude::*, sample::Index};

/// Everything but the notes of the imports themselves.
const BUT_NOTES: [&str; 1] = ["import"];

/// Imports the documents as a file of so many rows a slice, staged as large files are.
fn staged<D: Db>(
    db: &D,
    name: &str,
    docs: &[Doc],
    rows: usize,
    on_error: OnError,
) -> Result<ImportResult, Fault> {
    let order = order(name, on_error);
    let run = world::begun(db, &order)?;
    let slices: Vec<Slice> = docs.chunks(rows).map(world::slice).collect();
    for (slice, number) in slices.iter().zip(1..) {
        let checkpoint = Checkpoint { slices: number, ..Checkpoint::default() };
        import::stage(db, run, slice, &checkpoint, &[], world::now())?;
    }
    let reading = Reading { received: docs.len() as u64, ..Reading::default() };
    let last = Slice::default();
    let rows = Rows { staged: i64::try_from(slices.len()).unwrap(), last: &last };
    import::apply(db, &order, run, rows, &reading, &world::author())
}

/// A file with every kind of document, in which payments name invoices of the file.
fn file() -> Vec<Doc> {
    let claim = |place: i64| What::Claim {
        kind: InvoiceKind::Invoice,
        net_days: place % 30,
        disputed: false,
    };
    let doc = |letter: &str, place: i64, what| Doc {
        id: format!("{letter}{place}"),
        customer: usize::try_from(place % 4).unwrap(),
        currency: 0,
        day: place,
        minor: 100 + place,
        what,
    };
    let claims = (0..20).map(|place| doc("I", place, claim(place)));
    let notes = (0..4).map(|place| doc("N", place, What::CreditNote));
    let pays = |place: i64| What::Payment { named: (place % 3 == 0).then(|| format!("I{place}")) };
    claims.chain(notes).chain((0..12).map(|place| doc("P", place, pays(place)))).collect()
}

fn with_customers() -> World {
    let world = World::new();
    add_customers(&world.db);
    world
}

#[test]
fn the_same_file_twice_is_once_whatever_its_slices() {
    let world = with_customers();
    let first = staged(&world.db, "M1", &file(), 7, OnError::Reject).unwrap();
    assert_eq!((first.accepted, first.unchanged, first.rejected), (36, 0, 0));
    let before = dump::raw(&world.db, &BUT_NOTES);
    for (name, rows) in [("M2", 7), ("M3", 5), ("M4", 100)] {
        let again = staged(&world.db, name, &file(), rows, OnError::Reject).unwrap();
        assert_eq!((again.accepted, again.unchanged, again.rejected), (0, 36, 0));
        dump::assert_same(&before, &dump::raw(&world.db, &BUT_NOTES), "the file again");
    }
}

/// Ways in which the last row of a file can be bad although it reads well, and the code of each.
fn bad_rows() -> Vec<(Refusal, Doc)> {
    let good = file();
    let (invoice, payment) = (good[0].clone(), good[24].clone());
    let names = |invoice: &str| What::Payment { named: Some(invoice.into()) };
    let stranger = world::customer_id(9);
    assert!((0..4).all(|number| world::customer_id(number) != stranger));
    vec![
        (Refusal::UnknownCustomer, Doc { id: "X".into(), customer: 9, ..invoice.clone() }),
        (Refusal::UnknownCustomer, Doc { id: "X".into(), customer: 9, ..payment.clone() }),
        (Refusal::DifferentContent, Doc { minor: 1, ..invoice.clone() }),
        (Refusal::DifferentContent, Doc { minor: 1, ..payment.clone() }),
        (Refusal::UnknownInvoice, Doc { id: "X".into(), what: names("I99"), ..payment.clone() }),
        (
            Refusal::InvoiceOfAnotherCustomer,
            Doc { id: "X".into(), what: names("I1"), ..payment.clone() },
        ),
        (Refusal::NotPayable, Doc { id: "X".into(), what: names("N0"), ..payment.clone() }),
        (
            Refusal::CurrencyMismatch,
            Doc { id: "X".into(), what: names("I0"), currency: 1, ..payment },
        ),
    ]
}

/// The file is applied up to its last row before the row is found bad: all of it is taken back.
#[test]
fn a_file_whose_last_row_is_bad_stores_nothing() {
    let world = with_customers();
    let before = dump::raw(&world.db, &BUT_NOTES);
    for (number, (code, bad)) in bad_rows().into_iter().enumerate() {
        let mut docs = file();
        docs.push(bad);
        let refused = staged(&world.db, &format!("M{number}"), &docs, 8, OnError::Reject).unwrap();
        assert_eq!(
            (refused.state, refused.accepted, refused.rejected),
            (ImportState::Rejected, 0, 37)
        );
        let codes: Vec<Refusal> = refused.errors.iter().map(|error| error.code).collect();
        assert_eq!(codes, [code]);
        dump::assert_same(&before, &dump::raw(&world.db, &BUT_NOTES), code.name());
    }
}

/// With `skip` the file leaves what it leaves without its bad rows.
#[test]
fn skipping_stores_the_good_rows_and_nothing_else() {
    let expected = with_customers();
    staged(&expected.db, "M", &file(), 8, OnError::Reject).unwrap();
    let expected = dump::by_ids(&expected.db, &BUT_NOTES);
    for (code, bad) in bad_rows() {
        let world = with_customers();
        let mut docs = file();
        docs.push(bad);
        let result = staged(&world.db, "M", &docs, 8, OnError::Skip).unwrap();
        let codes: Vec<Refusal> = result.errors.iter().map(|error| error.code).collect();
        assert_eq!((result.state, result.accepted, codes), (ImportState::Applied, 36, vec![code]));
        dump::assert_same(&expected, &dump::by_ids(&world.db, &BUT_NOTES), code.name());
    }
}

/// At every statement of an import, in every way: the ledger is as it was or as it should be, never between, and the
/// same file again makes it whole.
fn cut_at_every_statement(how: How) {
    let uncut = with_customers();
    // Something is there already, so that allocations are taken back.
    let early = |doc: &Doc| doc.day % 2 == 0 && doc.named().is_none();
    let some: Vec<Doc> = file().into_iter().filter(early).collect();
    staged(&uncut.db, "M0", &some, 100, OnError::Reject).unwrap();
    let (start, before) = (uncut.bytes(), dump::by_ids(&uncut.db, &["import", "import_slice"]));
    staged(&uncut.db, "M1", &file(), 9, OnError::Reject).unwrap();
    let after = dump::by_ids(&uncut.db, &["import", "import_slice"]);
    for statement in 0.. {
        let mut world = World::of(&start);
        let cut = FaultyDb::at(&world.db, statement, how);
        let outcome = staged(&cut, "M1", &file(), 9, OnError::Reject);
        if !cut.hit.get() {
            assert!(statement > 30, "statements were left out: {statement}");
            break;
        }
        world.reopen();
        dump::assert_sound(&world.db);
        let found = dump::by_ids(&world.db, &["import", "import_slice"]);
        // A process that dies after its last word has done all; one that hears an error has done nothing.
        let done = outcome.is_ok() || (how == How::DiesAfter && found == after);
        dump::assert_same(
            if done { &after } else { &before },
            &found,
            &format!("{how:?} at statement {statement}"),
        );
        let again = staged(&world.db, "M2", &file(), 9, OnError::Reject).unwrap();
        assert_eq!(again.rejected, 0);
        let found = dump::by_ids(&world.db, &["import", "import_slice"]);
        dump::assert_same(&after, &found, &format!("again after {how:?} at statement {statement}"));
    }
}

#[test]
fn a_statement_that_fails_stores_nothing_by_half() {
    cut_at_every_statement(How::Fails);
}

#[test]
fn a_process_that_dies_before_a_statement_stores_nothing_by_half() {
    cut_at_every_statement(How::Dies);
}

#[test]
fn a_process_that_dies_after_a_statement_stores_nothing_by_half() {
    cut_at_every_statement(How::DiesAfter);
}

#[test]
fn a_statement_that_finds_the_database_locked_stores_nothing_by_half() {
    cut_at_every_statement(How::Locked);
}

/// What a dead sender staged goes when the next import comes a day later; one of this hour may still be at work.
#[test]
fn slices_of_a_dead_sender_go_after_a_day() {
    let world = with_customers();
    let dead = order("M1", OnError::Reject);
    let run = world::begun(&world.db, &dead).unwrap();
    let checkpoint = Checkpoint { slices: 1, ..Checkpoint::default() };
    let slice = world::slice(&file());
    import::stage(&world.db, run, &slice, &checkpoint, &[], world::now()).unwrap();
    for (name, seconds, left) in [("M2", 3_600, 1), ("M3", 25 * 3_600, 0)] {
        let (order, at) = (order(name, OnError::Reject), world::now().plus_seconds(seconds));
        import::begin(&world.db, &order, &Options::default(), at).unwrap();
        assert_eq!(world.db.int("SELECT count(*) FROM import_slice", &[]).unwrap(), left);
    }
}

/// Two connections send two halves of a file, or twice the same, at the same time.
fn two_at_once(one: &[Doc], other: &[Doc]) -> (World, [ImportResult; 2]) {
    let world = with_customers();
    let path = world.path();
    let send = |name: &str, docs: &[Doc]| {
        staged(&world::open(&path), name, docs, 3, OnError::Reject).unwrap()
    };
    let results = std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(|| send("M1", one)), scope.spawn(|| send("M2", other)));
        [one.join().unwrap(), other.join().unwrap()]
    });
    (world, results)
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn two_equal_files_at_once_are_one(docs in docs(30)) {
        let (world, results) = two_at_once(&docs, &docs);
        dump::assert_sound(&world.db);
        let accepted: u64 = results.iter().map(|of| of.accepted).sum();
        let unchanged: u64 = results.iter().map(|of| of.unchanged).sum();
        prop_assert_eq!((accepted, unchanged), (docs.len() as u64, docs.len() as u64));
        let expected = dump::by_ids(&filled(&docs, 1).db, &BUT_NOTES);
        dump::assert_same(&expected, &dump::by_ids(&world.db, &BUT_NOTES), "two equal files");
    }

    #[test]
    fn two_files_at_once_are_both_there(docs in docs(40), place in any::<Index>()) {
        // What a payment names stands before it: a file of claims and one of what pays.
        let (first, second): (Vec<Doc>, Vec<Doc>) =
            docs.iter().cloned().partition(|doc| doc.is_claim() || doc.named().is_some());
        let mut second = second;
        let turn = place.index(second.len().max(1));
        second.rotate_left(turn);
        let (world, _) = two_at_once(&first, &second);
        dump::assert_sound(&world.db);
        let expected = dump::by_ids(&filled(&docs, 1).db, &BUT_NOTES);
        dump::assert_same(&expected, &dump::by_ids(&world.db, &BUT_NOTES), "two files");
    }

    /// Within a file the order of rows and their repetition do not matter, nor where it is cut into slices.
    #[test]
    fn the_order_and_repetition_of_rows_do_not_matter(
        docs in docs(30),
        again in proptest::collection::vec(any::<Index>(), 0..6),
        place in any::<Index>(),
        reverse in any::<bool>(),
        rows in 1usize..12,
    ) {
        let mut file = docs.clone();
        file.extend(again.iter().map(|at| docs[at.index(docs.len())].clone()));
        let turn = place.index(file.len());
        file.rotate_left(turn);
        if reverse {
            file.reverse();
        }
        let world = with_customers();
        let result = staged(&world.db, "M", &file, rows, OnError::Reject).unwrap();
        prop_assert_eq!((result.accepted, result.unchanged, result.rejected), (docs.len() as u64, again.len() as u64, 0));
        dump::assert_sound(&world.db);
        let expected = dump::by_ids(&filled(&docs, 1).db, &BUT_NOTES);
        dump::assert_same(&expected, &dump::by_ids(&world.db, &BUT_NOTES), "rows in another order");
    }
}
