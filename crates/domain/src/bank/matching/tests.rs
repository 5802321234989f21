use super::*;
use crate::bank::{
    words,
    world::{Claim, Masks},
};
use proptest::prelude::*;

const ACCOUNT: &str = "DE02120300000000202051";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

/// Two customers: of the first the account is known, of both the names. Claims as number, customer, open.
fn world(claims: &[(&str, i64, i64)]) -> World {
    let masks = claims.iter().map(|(id, _, _)| (words::mask(&words::number(id)), true)).collect();
    let mut world = World::new(Masks::new(Some(masks)));
    for (key, id, name) in [(1, "C1", "Müller Maschinenbau GmbH"), (2, "C2", "First Street Bakery")]
    {
        let known = Customer { id: id.parse().unwrap(), names: vec![Name::new(name)] };
        world.customers.insert(key, known);
        world.name(crate::bank::name::key(name), key);
    }
    world.account(ACCOUNT.into(), 1, true);
    for ((id, customer, minor), key) in claims.iter().zip(10i64..) {
        let (whole, parts) = words::of_document(id);
        world.number(whole, key, true);
        parts.into_iter().for_each(|part| world.number(part, key, false));
        world.claim(Claim {
            key,
            document: key,
            document_id: id.parse().unwrap(),
            customer: *customer,
            currency: eur(),
            issued_on: day("2026-10-01"),
            due_on: day("2026-10-31"),
            amount_minor: *minor,
            open_minor: *minor,
            written_off_minor: 0,
            void: false,
            discount: Some((Decimal::new(2, 2), 14)),
        });
    }
    world
}

fn entry(minor: i64, text: &str, name: &str, account: &str) -> Entry {
    Entry {
        booked_on: Some(day("2026-10-20")),
        minor,
        remittance: text.into(),
        name: Some(name.to_string()).filter(|name| !name.is_empty()),
        account: Some(account.to_string()).filter(|account| !account.is_empty()),
        ..Entry::default()
    }
}

fn judged(entry: &Entry, world: &mut World, taken: &mut Taken) -> Verdict {
    let clues = words::clues(entry, |_| true);
    let sight = world.look(entry, &clues, eur());
    judge(entry, &clues, &sight, eur(), world, taken)
}

#[test]
fn two_kinds_of_signal_are_booked_and_one_is_not() {
    use MatchReason as R;
    const BOOK: &[(&str, i64, i64)] = &[
        ("INV-100001", 1, 10_000),
        ("INV-100002", 1, 20_000),
        ("INV-100003", 1, 40_000),
        ("INV-200001", 2, 10_000),
        ("INV-200002", 2, 33_300),
        ("INV-9001", 2, 700),
    ];
    let bakery = "First Street Bakery Ltd";
    // Amount, text, name, account; booked or not; the best candidate's documents and reasons.
    type Case = (i64, &'static str, &'static str, &'static str, bool, &'static str, &'static [R]);
    let cases: &[Case] = &[
        (20_000, "INV-100002", "", "", true, "INV-100002", &[R::InvoiceNumber, R::AmountExact]),
        (
            20_000,
            "INV-100002",
            "Somebody",
            "",
            true,
            "INV-100002",
            &[R::InvoiceNumber, R::AmountExact, R::PayerNameDiffers],
        ),
        (
            19_999,
            "INV-100002",
            "Somebody",
            "",
            false,
            "INV-100002",
            &[R::InvoiceNumber, R::PartPayment, R::PayerNameDiffers],
        ),
        (20_000, "100002", "", "", false, "INV-100002", &[R::PartialNumber, R::AmountExact]),
        (
            20_000,
            "100002",
            "",
            ACCOUNT,
            true,
            "INV-100002",
            &[R::PartialNumber, R::AmountExact, R::PayerAccount],
        ),
        (
            700,
            "9001",
            bakery,
            "",
            true,
            "INV-9001",
            &[R::ShortNumber, R::AmountExact, R::PayerName],
        ),
        (
            700,
            "9001",
            "Street Bakery Second",
            "",
            false,
            "INV-9001",
            &[R::ShortNumber, R::AmountExact, R::PayerNameSimilar],
        ),
        (20_000, "", "", ACCOUNT, true, "INV-100002", &[R::AmountExact, R::PayerAccount]),
        (33_300, "", bakery, "", true, "INV-200002", &[R::AmountExact, R::PayerName]),
        (33_300, "", "Somebody", "", false, "", &[]),
        (
            30_000,
            "INV-100001 INV-100002",
            "",
            "",
            true,
            "INV-100001 INV-100002",
            &[R::InvoiceNumber, R::AmountExact],
        ),
        (
            30_000,
            "",
            "",
            ACCOUNT,
            true,
            "INV-100001 INV-100002",
            &[R::SumOfOldest, R::PayerAccount],
        ),
        (
            50_000,
            "",
            "",
            ACCOUNT,
            false,
            "INV-100001 INV-100003",
            &[R::SumOfSeveral, R::PayerAccount, R::Ambiguous],
        ),
        (
            5_000,
            "INV-100002",
            "",
            ACCOUNT,
            true,
            "INV-100002",
            &[R::InvoiceNumber, R::PartPayment, R::PayerAccount],
        ),
        (5_000, "INV-100002", "", "", false, "INV-100002", &[R::InvoiceNumber, R::PartPayment]),
        (
            25_000,
            "INV-100002",
            "",
            ACCOUNT,
            false,
            "INV-100002",
            &[R::InvoiceNumber, R::OverPayment, R::PayerAccount],
        ),
        (
            10_000,
            "INV-200001",
            "",
            ACCOUNT,
            false,
            "INV-100001",
            &[R::AmountExact, R::PayerAccount, R::Ambiguous],
        ),
        (123, "thank you", "", ACCOUNT, true, "", &[R::OnAccount, R::PayerAccount]),
        (123, "thank you", bakery, "", false, "", &[R::OnAccount, R::PayerName]),
    ];
    for (minor, text, name, account, booked, documents, reasons) in cases {
        let mut world = world(BOOK);
        let of = entry(*minor, text, name, account);
        // The discount's days are over.
        let verdict = judged(&of, &mut world, &mut Taken::default());
        let wanted = if *booked { MatchState::Automatic } else { MatchState::Review };
        assert_eq!(verdict.state, wanted, "{minor} {text} {name} {account}: {verdict:?}");
        let best = verdict.candidates.first();
        let named: Vec<&str> = best
            .and_then(|best| best.designation.as_deref())
            .unwrap_or_default()
            .iter()
            .map(|part| part.invoice_id.as_str())
            .collect();
        assert_eq!(named.join(" "), *documents, "{minor} {text}");
        assert_eq!(best.map_or(&[][..], |best| &best.reasons), *reasons, "{minor} {text}");
    }
}

#[test]
fn a_digit_that_is_wrong_is_seen_through_when_amount_and_payer_fit() {
    let book = [("INV-123451", 1, 20_000), ("INV-123468", 1, 30_000), ("INV-123461", 2, 20_000)];
    for (minor, text, account, booked) in [
        (20_000, "INV-123457", ACCOUNT, true),
        (20_000, "INV-123415", ACCOUNT, true),
        (20_000, "Rechnung inv 123457 danke", ACCOUNT, true),
        // Another amount, another number, one that may be of a document still to come, nobody who is known.
        (19_999, "INV-123457", ACCOUNT, false),
        (20_000, "INV-123999", ACCOUNT, false),
        (20_000, "INV-123951", ACCOUNT, false),
        (20_000, "INV-123457", "", false),
        // Nearly two of them, and something else that is not there.
        (30_000, "INV-123458", ACCOUNT, false),
        (20_000, "INV-123457 INV-999999", ACCOUNT, false),
        (20_000, "INV-123457 RF19539007547034", ACCOUNT, false),
    ] {
        let mut world = world(&book);
        let verdict = judged(&entry(minor, text, "", account), &mut world, &mut Taken::default());
        let wanted = if booked { MatchState::Automatic } else { MatchState::Review };
        assert_eq!(verdict.state, wanted, "{minor} {text}: {verdict:?}");
        let similar = verdict.candidates.first().is_some_and(|best| {
            best.reasons.starts_with(&[MatchReason::SimilarNumber, MatchReason::AmountExact])
        });
        assert_eq!(similar, booked, "{minor} {text}: {verdict:?}");
    }
}

#[test]
fn a_date_in_the_text_pays_no_document() {
    use MatchReason as R;
    let name = "Müller Maschinenbau GmbH";
    // Documents of the payer, amount, text; whether it is booked, the best candidate's document and reasons.
    type Case =
        (&'static [(&'static str, i64, i64)], i64, &'static str, bool, &'static str, &'static [R]);
    let exact: &[R] = &[R::InvoiceNumber, R::AmountExact, R::PayerName];
    let amount: &[R] = &[R::AmountExact, R::PayerName];
    let cases: &[Case] = &[
        (
            &[("20261101", 1, 8_000), ("20260555", 1, 8_000)],
            8_000,
            "Rechnung 20260555 vom 2026-11-01",
            true,
            "20260555",
            exact,
        ),
        (&[("102026", 1, 85_000)], 85_000, "Miete 10/2026", true, "102026", amount),
        (
            &[("102026", 1, 10_000)],
            85_000,
            "Miete 10/2026",
            false,
            "",
            &[R::OnAccount, R::PayerName],
        ),
        (
            &[("20261010", 1, 5_000)],
            4_000,
            "Anzahlung 2026-10-10",
            false,
            "",
            &[R::OnAccount, R::PayerName],
        ),
        (
            &[("10102026", 1, 5_000)],
            4_000,
            "Akontozahlung 10.10.2026",
            false,
            "",
            &[R::OnAccount, R::PayerName],
        ),
        (
            &[("RE20261012", 1, 5_000)],
            4_000,
            "Re 2026-10-12",
            false,
            "",
            &[R::OnAccount, R::PayerName],
        ),
        (
            &[("102026", 1, 10_000), ("4711", 1, 85_000)],
            85_000,
            "Zahlung vom 01.10.2026",
            true,
            "4711",
            amount,
        ),
        // To the letter it is the document.
        (
            &[("RE-2026-10-12", 1, 5_000)],
            5_000,
            "Zahlung re-2026-10-12",
            true,
            "RE-2026-10-12",
            exact,
        ),
        (&[("RE20261012", 1, 5_000)], 5_000, "Zahlung RE20261012", true, "RE20261012", exact),
        (&[("10/2026", 1, 5_000)], 5_000, "Miete 10/2026", true, "10/2026", exact),
        (
            &[("10/26", 1, 5_000)],
            5_000,
            "Miete 10/26",
            true,
            "10/26",
            &[R::ShortNumber, R::AmountExact, R::PayerName],
        ),
    ];
    for (book, minor, text, booked, document, reasons) in cases {
        let mut world = world(book);
        let verdict = judged(&entry(*minor, text, name, ""), &mut world, &mut Taken::default());
        let best = &verdict.candidates[0];
        let of = best.designation.iter().flatten().map(|part| part.invoice_id.as_str());
        let of: Vec<&str> = of.collect();
        assert_eq!(of.concat(), *document, "{text}: {verdict:?}");
        assert_eq!(best.reasons, *reasons, "{text}: {verdict:?}");
        assert_eq!(verdict.state == MatchState::Automatic, *booked, "{text}: {verdict:?}");
    }
}

#[test]
fn of_two_documents_that_are_named_and_have_the_amount_somebody_chooses() {
    let text = "EQ-5502, not EQ-5501";
    let mut both = world(&[("EQ-5501", 1, 8_000), ("EQ-5502", 1, 8_000)]);
    let verdict = judged(&entry(8_000, text, "", ACCOUNT), &mut both, &mut Taken::default());
    assert_eq!(verdict.state, MatchState::Review);
    let listed = |verdict: &Verdict| -> Vec<String> {
        let parts = verdict.candidates.iter().flat_map(|of| of.designation.iter().flatten());
        parts.map(|part| part.invoice_id.to_string()).collect()
    };
    assert_eq!(listed(&verdict), ["EQ-5501", "EQ-5502"]);
    assert!(verdict.candidates[0].reasons.contains(&MatchReason::Ambiguous), "{verdict:?}");
    // A document that the amount pays as a whole is before one of which it is an instalment.
    let mut parted = world(&[("EQ-5501", 1, 8_000), ("EQ-5502", 1, 8_000)]);
    let claim = parted.first(10).unwrap().clone();
    parted.claim(Claim { key: 99, due_on: day("2026-11-30"), ..claim });
    parted.sort();
    let verdict = judged(&entry(8_000, text, "", ACCOUNT), &mut parted, &mut Taken::default());
    assert_eq!(verdict.state, MatchState::Automatic);
    assert_eq!(listed(&verdict), ["EQ-5502"]);
}

#[test]
fn a_discount_counts_up_to_its_last_day() {
    for (on, state) in [("2026-10-15", MatchState::Automatic), ("2026-10-16", MatchState::Review)] {
        let mut world = world(&[("INV-100001", 1, 10_000)]);
        let of = Entry { booked_on: Some(day(on)), ..entry(9_800, "INV-100001", "", "") };
        assert_eq!(judged(&of, &mut world, &mut Taken::default()).state, state, "{on}");
    }
}

#[test]
fn parts_that_close_a_document_are_booked_without_knowing_the_payer() {
    let mut world = world(&[("INV-100001", 1, 10_000)]);
    let parts = [entry(4_000, "INV-100001", "", ""), entry(6_000, "INV-100001", "", "")];
    let sights: Vec<Sight> =
        parts.iter().map(|of| world.look(of, &words::clues(of, |_| true), eur())).collect();
    world.sum_up(parts.iter().zip(&sights));
    let mut taken = Taken::default();
    let first = judged(&parts[0], &mut world, &mut taken);
    assert_eq!(first.candidates[0].reasons, [MatchReason::InvoiceNumber, MatchReason::PartsClose]);
    assert_eq!(judged(&parts[1], &mut world, &mut taken).state, MatchState::Automatic);
    // And a third time nothing is open.
    let third = judged(&parts[1], &mut world, &mut taken);
    assert_eq!(third.state, MatchState::Review);
    assert!(third.candidates[0].reasons.contains(&MatchReason::AlreadyPaid));
}

#[test]
fn two_customers_of_one_name_wait() {
    let mut world = world(&[("INV-100001", 1, 10_000), ("INV-200001", 2, 10_000)]);
    world.customers.insert(
        2,
        Customer { id: "C2".parse().unwrap(), names: vec![Name::new("Müller Maschinenbau")] },
    );
    world.name(crate::bank::name::key("Müller Maschinenbau"), 2);
    let of = entry(10_000, "", "Müller Maschinenbau", "");
    let verdict = judged(&of, &mut world, &mut Taken::default());
    assert_eq!((verdict.state, verdict.candidates.len() > 1), (MatchState::Review, true));
}

proptest! {
    /// What is booked is never more than was paid, and no claim is used beyond what is open.
    #[test]
    fn what_is_booked_is_covered(
        open in prop::collection::vec(1i64..500, 1..8),
        paid in prop::collection::vec((1i64..900, 0usize..9, any::<bool>()), 1..12),
    ) {
        let names: Vec<String> = (0..open.len()).map(|n| format!("INV-10000{n}")).collect();
        let claims: Vec<(&str, i64, i64)> =
            names.iter().zip(&open).map(|(name, minor)| (name.as_str(), 1, *minor)).collect();
        let (mut world, mut taken) = (world(&claims), Taken::default());
        for (minor, named, known) in paid {
            let text = names.get(named).map(String::as_str).unwrap_or("hello");
            let of = entry(minor, text, "", if known { ACCOUNT } else { "" });
            let verdict = judged(&of, &mut world, &mut taken);
            let booked = verdict.booked.map(|(_, parts)| parts).unwrap_or_default();
            prop_assert!(booked.iter().map(|(_, part)| part).sum::<i64>() <= minor);
            prop_assert!(booked.iter().all(|(_, part)| *part > 0));
        }
        for (claim, minor) in (10i64..).zip(&open) {
            prop_assert!(taken.left(claim, *minor) >= 0);
            prop_assert!(taken.0.get(&claim).copied().unwrap_or(0) <= *minor);
        }
    }
}
