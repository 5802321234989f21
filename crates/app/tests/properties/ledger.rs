//! What the ledger answers for any day, against the clerk's book.

use crate::{
    dump,
    model::{Model, Part},
    world::{self, Doc, World, cases, customer_id, day, docs, filled, id, other_order},
};
use dunlin_app::{
    invoice, ledger, payment,
    report::{self, Question},
};
use dunlin_domain::{
    Date,
    ageing::Edges,
    contract::{
        report::{AgeingBasis, AgeingLine},
        types::Allocation,
    },
};
use proptest::{prelude::*, sample::Index};

/// The allocations of an answer as parts by ids.
fn parts(allocations: &[Allocation]) -> Vec<Part> {
    let part = |of: &Allocation| Part {
        on: of.allocated_on,
        claim: of.invoice_id.to_string(),
        source: of.payment_id.as_ref().or(of.credit_note_id.as_ref()).unwrap().to_string(),
        minor: of.amount.minor,
    };
    let mut parts: Vec<Part> = allocations.iter().map(part).collect();
    parts.sort();
    parts
}

/// What is open and allocated of each document at the end of the day.
fn check_documents(world: &World, model: &Model, on: Date) {
    for number in 0..4 {
        let customer = id(&customer_id(number));
        let first = (String::new(), 0);
        let known = |doc: &&Doc| doc.customer == number && doc.on() <= on;
        let expected = |of: &dyn Fn(&Doc) -> bool| {
            let known = model.docs.iter().filter(known).filter(|doc| of(doc));
            let mut known: Vec<(String, i64, Vec<Part>)> = known
                .map(|doc| {
                    let of_this = |part: &&Part| {
                        part.on <= on && (part.claim == doc.id || part.source == doc.id)
                    };
                    let mut parts: Vec<Part> =
                        model.parts.iter().filter(of_this).cloned().collect();
                    parts.sort();
                    (doc.id.clone(), model.open(doc, on), parts)
                })
                .collect();
            known.sort();
            known
        };
        let invoices = invoice::page(&world.db, &customer, &first, 100, on).unwrap();
        let mut got: Vec<_> = invoices
            .into_iter()
            .map(|(of, _)| (of.id.to_string(), of.open.minor, parts(&of.allocations)))
            .collect();
        got.sort();
        assert_eq!(got, expected(&|doc| !doc.is_payment()), "invoices of {customer} on {on}");
        let payments = payment::page(&world.db, &customer, &first, 100, on).unwrap();
        let mut got: Vec<_> = payments
            .into_iter()
            .map(|(of, _)| (of.id.to_string(), of.unallocated.minor, parts(&of.allocations)))
            .collect();
        got.sort();
        assert_eq!(got, expected(&Doc::is_payment), "payments of {customer} on {on}");
    }
}

fn question(as_of: Date, basis: AgeingBasis) -> Question {
    Question { as_of, known: i64::MAX, aged_as_of: as_of, basis, edges: Edges::default() }
}

/// The ageing line of each currency, summed by hand.
fn expected_lines(model: &Model, on: Date, basis: AgeingBasis) -> Vec<AgeingLine> {
    let edges = Edges::default();
    let mut lines = Vec::new();
    for (currency, code) in world::CURRENCIES.iter().enumerate() {
        let mut line = AgeingLine {
            currency: code.parse().unwrap(),
            not_due_minor: 0,
            buckets_minor: vec![0; edges.buckets()],
            total_minor: 0,
            unapplied_minor: 0,
        };
        for doc in (0..4).flat_map(|customer| model.known(customer, currency, on)) {
            let open = model.open(doc, on);
            if !doc.is_claim() {
                line.unapplied_minor += open;
                continue;
            }
            line.total_minor += open;
            let from = if basis == AgeingBasis::Due { doc.due() } else { doc.on() };
            match on.days_since(from) {
                ..=0 => line.not_due_minor += open,
                1..=30 => line.buckets_minor[0] += open,
                31..=60 => line.buckets_minor[1] += open,
                61..=90 => line.buckets_minor[2] += open,
                91.. => line.buckets_minor[3] += open,
            }
        }
        if line.total_minor != 0 || line.unapplied_minor != 0 {
            lines.push(line);
        }
    }
    lines.sort_by_key(|line| line.currency);
    lines
}

fn check_reports(world: &World, model: &Model, on: Date) {
    for basis in [AgeingBasis::Due, AgeingBasis::Issued] {
        let lines = report::totals(&world.db, &question(on, basis)).unwrap();
        assert_eq!(lines, expected_lines(model, on, basis), "ageing by {basis} on {on}");
        for line in &lines {
            assert_eq!(
                line.not_due_minor + line.buckets_minor.iter().sum::<i64>(),
                line.total_minor
            );
        }
    }
    let mut expected: Vec<(Date, String, i64)> = model
        .docs
        .iter()
        .filter(|doc| doc.is_claim() && doc.on() <= on && doc.due() < on && model.open(doc, on) > 0)
        .map(|doc| (doc.due(), doc.id.clone(), model.open(doc, on)))
        .collect();
    expected.sort();
    // In pages of three: what one page ends with the next begins after.
    let (mut got, mut after) = (Vec::new(), (String::new(), 0));
    loop {
        let page = report::overdue(&world.db, &after, 3, on).unwrap();
        let Some((_, last)) = page.last() else { break };
        after = last.clone();
        got.extend(
            page.into_iter()
                .map(|(item, _)| (item.due_on, item.invoice_id.to_string(), item.open.minor)),
        );
    }
    assert!(got.is_sorted_by_key(|(due_on, _, _)| *due_on), "{got:?}");
    got.sort();
    assert_eq!(got, expected, "overdue on {on}");
}

fn check_balances(world: &World, model: &Model, on: Date) {
    for number in 0..4 {
        let found = ledger::customer(&world.db, &id(&customer_id(number)), on).unwrap();
        let mut got: Vec<_> = found
            .balances
            .iter()
            .map(|of| {
                (
                    of.currency.to_string(),
                    (of.outstanding_minor, of.overdue_minor, of.unapplied_minor),
                )
            })
            .collect();
        got.sort();
        let of = |currency: usize| {
            (world::CURRENCIES[currency].to_string(), model.balance(number, currency, on))
        };
        let mut expected: Vec<_> = (0..2)
            .map(of)
            .filter(|(_, (owed, _, unapplied))| (*owed, *unapplied) != (0, 0))
            .collect();
        expected.sort();
        assert_eq!(got, expected, "balances of {} on {on}", customer_id(number));
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// Documents come in any order and in files of any size: for every day what is open, what was set against what,
    /// the balances, the ageing and the overdue list are what the clerk has.
    #[test]
    fn every_day_is_as_the_clerk_has_it(docs in docs(36), at_once in prop_oneof![Just(1usize), 2usize..12]) {
        let world = filled(&docs, at_once);
        dump::assert_sound(&world.db);
        let model = Model::new(&docs);
        for on in model.days() {
            check_documents(&world, &model, on);
            check_balances(&world, &model, on);
            check_reports(&world, &model, on);
        }
    }

    /// Any order of arrival ends in the same ledger.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        docs in docs(36),
        place in any::<Index>(),
        reverse in any::<bool>(),
        at_once in 1usize..8,
    ) {
        let (one, other) = (filled(&docs, 1), filled(&other_order(&docs, &place, reverse), at_once));
        dump::assert_sound(&other.db);
        dump::assert_same(&dump::by_ids(&one.db, &["import"]), &dump::by_ids(&other.db, &["import"]), "in another order");
    }

    /// A document that is sent again, alone or in a file, changes nothing.
    #[test]
    fn the_same_again_changes_nothing(docs in docs(30), place in any::<Index>()) {
        let world = filled(&docs, 5);
        let before = dump::raw(&world.db, &[]);
        let doc = &docs[place.index(docs.len())];
        prop_assert_eq!(world::add(&world.db, doc).unwrap(), ledger::Change::AlreadySo);
        dump::assert_same(&before, &dump::raw(&world.db, &[]), "one document again");
        let result = world::import_all(&world.db, "again", &docs).unwrap();
        prop_assert_eq!((result.accepted, result.unchanged, result.rejected), (0, docs.len() as u64, 0));
        let but_notes = |db| dump::raw(db, &["import"]);
        let noted = |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with("import:")).collect::<Vec<_>>();
        dump::assert_same(&noted(before), &but_notes(&world.db), "the file again");
    }
}

/// The slow model is itself checked by one book that can be checked by eye.
#[test]
fn the_clerk_can_count() {
    let claim = |id: &str, day, net_days, minor| Doc {
        id: id.into(),
        customer: 0,
        currency: 1,
        day,
        minor,
        what: world::What::Claim {
            kind: dunlin_domain::contract::types::InvoiceKind::Invoice,
            net_days,
            disputed: false,
        },
    };
    let pays = |id: &str, day, minor, named: Option<&str>| Doc {
        id: id.into(),
        customer: 0,
        currency: 1,
        day,
        minor,
        what: world::What::Payment { named: named.map(str::to_string) },
    };
    let docs = [
        claim("I1", 0, 30, 100),
        claim("I2", 5, 10, 100),
        pays("P1", 10, 120, None),
        pays("P2", 1, 50, Some("I2")),
    ];
    let model = Model::new(&docs);
    let part = |on, claim: &str, source: &str, minor| Part {
        on: day(on),
        claim: claim.into(),
        source: source.into(),
        minor,
    };
    let expected = [part(5, "I2", "P2", 50), part(10, "I2", "P1", 50), part(10, "I1", "P1", 70)];
    assert_eq!(model.parts, expected);
    assert_eq!(model.balance(0, 1, day(9)), (150, 0, 0));
    assert_eq!(model.balance(0, 1, day(31)), (30, 30, 0));
}
