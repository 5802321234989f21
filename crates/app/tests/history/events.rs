//! What happens to a customer, at random.

use crate::said::{Said, said};
use proptest::prelude::*;

/// Whose it is and in which currency.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side {
    /// The duplicate's, as long as it was not merged.
    pub duplicate: bool,
    pub dollars: bool,
}

/// Something that happens. Documents are named by their place among those of their kind.
#[derive(Clone, Debug)]
pub enum Event {
    Invoice {
        kind: &'static str,
        on: i64,
        net: i64,
        minor: i64,
        parts: bool,
        about: usize,
        /// Under a contract that gives a discount for early payment.
        discount: bool,
        side: Side,
    },
    CreditNote {
        on: i64,
        minor: i64,
        about: Option<usize>,
        side: Side,
    },
    Payment {
        on: i64,
        minor: i64,
        named: Vec<(usize, i64)>,
        order: &'static str,
        settles: Option<usize>,
        /// Invoice, how much, why.
        deductions: Vec<(usize, i64, usize)>,
        side: Side,
    },
    /// What an invoice costs early, or nearly so much, with something held back, named or not.
    Early {
        invoice: usize,
        after: i64,
        less: i64,
        held: i64,
        named: bool,
        order: &'static str,
    },
    /// A credit note is paid out.
    Refund {
        note: usize,
        after: i64,
        minor: i64,
    },
    /// What it was paid out with came back.
    RefundBack {
        refund: usize,
        after: i64,
    },
    Reverse {
        payment: usize,
        after: i64,
        minor: i64,
        kind: &'static str,
    },
    /// A reversal that was recorded on the wrong payment.
    Undo {
        reversal: usize,
    },
    CorrectInvoice {
        invoice: usize,
        on: i64,
        net: i64,
        minor: i64,
    },
    /// An invoice is under the contract with the discount, or that with the rate of its signature.
    Agree {
        invoice: usize,
        discount: bool,
    },
    /// A document is of a day before or after that of what was written off or upheld of it.
    Move {
        adjustment: usize,
        after: i64,
    },
    CorrectPayment {
        payment: usize,
        on: i64,
        minor: i64,
    },
    WriteOff {
        invoice: usize,
        after: i64,
        minor: i64,
    },
    TakeBack {
        write_off: usize,
        after: i64,
    },
    /// A document is void from a day on.
    Void {
        invoice: usize,
        after: i64,
    },
    Dispute {
        invoice: usize,
        on: i64,
        minor: i64,
    },
    Resolve {
        dispute: usize,
        after: i64,
        upheld: i64,
    },
    /// It was decided wrongly; below nothing: it was not decided.
    Redecide {
        dispute: usize,
        after: i64,
        upheld: i64,
    },
    /// A default, of a document or of all that a customer owes.
    Default {
        invoice: Option<usize>,
        on: i64,
        duplicate: bool,
    },
    Close {
        default: usize,
        after: i64,
    },
    /// It was not over.
    Reopen {
        default: usize,
    },
    /// Of one document, or of all of a customer.
    Pause {
        invoice: Option<usize>,
        from: i64,
        days: Option<i64>,
        duplicate: bool,
    },
    Resume {
        pause: usize,
        after: i64,
    },
    /// Interest is given up; what is below nothing takes it back.
    Waiver {
        invoice: usize,
        on: i64,
        minor: i64,
    },
    /// A row of the table of rates that comes late.
    Rate {
        from: i64,
        hundredths: i64,
    },
    /// A guarantee, new or in place of another, of one of two contracts or of all that is owed.
    Guarantee {
        which: usize,
        contract: usize,
        from: i64,
        days: Option<i64>,
        /// The last day to claim, before or after the last day.
        claim: Option<i64>,
        side: Side,
    },
    /// Another order for what names none.
    Policy {
        order: &'static str,
    },
    Merge,
    Said(Said),
}

pub const ORDERS: [&str; 6] = [
    "oldest-due-first",
    "newest-due-first",
    "interest-first",
    "principal-first",
    "prc-civil-code-560-561",
    "fee-penalty-interest-principal",
];

/// Why money went back.
pub const KINDS: [&str; 4] = ["chargeback", "returned", "refund", "mistake"];

pub const DEDUCTIONS: [&str; 3] = ["withholding", "bank-charge", "agreed"];

pub fn side() -> impl Strategy<Value = Side> {
    let weighted = proptest::bool::weighted;
    (weighted(0.15), weighted(0.15)).prop_map(|(duplicate, dollars)| Side { duplicate, dollars })
}

fn guarantee() -> impl Strategy<Value = Event> {
    let option = |days| proptest::option::of(days);
    let days = (-10i64..40, option(0i64..25), option(-10i64..25));
    (0usize..3, 0usize..4, days, side()).prop_map(|(which, contract, (from, days, claim), side)| {
        Event::Guarantee { which, contract, from, days, claim, side }
    })
}

/// What decides which debt the law's order serves first, and less money than is owed, under that order from the beginning.
pub fn lawful() -> impl Strategy<Value = Vec<Event>> {
    let side = Side::default();
    let invoice = (0i64..20, 0i64..6, 100i64..400, any::<bool>(), any::<bool>());
    let invoice = invoice.prop_map(move |(on, net, minor, parts, discount)| {
        let kind = "invoice";
        Event::Invoice { kind, on, net, minor, parts, about: 0, discount, side }
    });
    let payment = (10i64..45, 1i64..120).prop_map(move |(on, minor)| {
        let (named, order, settles, deductions) = (Vec::new(), "", None, Vec::new());
        Event::Payment { on, minor, named, order, settles, deductions, side }
    });
    let agree = (0usize..6, any::<bool>())
        .prop_map(|(invoice, discount)| Event::Agree { invoice, discount });
    let rate =
        (0i64..30, 20i64..90).prop_map(|(from, hundredths)| Event::Rate { from, hundredths });
    let event = prop_oneof![6 => invoice, 6 => payment, 1 => agree, 1 => rate, 4 => guarantee()];
    let events = proptest::collection::vec(event, 6..20);
    events.prop_map(|events| [vec![Event::Policy { order: ORDERS[4] }], events].concat())
}

/// What is given up of a few documents, and what of them turns out never to have been owed.
pub fn given_up() -> impl Strategy<Value = Vec<Event>> {
    let side = Side::default();
    let kind = "invoice";
    let invoice = (0i64..10, 0i64..20, 100i64..400, any::<bool>(), any::<bool>());
    let invoice = invoice.prop_map(move |(on, net, minor, parts, discount)| Event::Invoice {
        kind,
        on,
        net,
        minor,
        parts,
        about: 0,
        discount,
        side,
    });
    let named = proptest::collection::vec((0usize..3, 1i64..200), 0..2);
    let settles = proptest::option::weighted(0.2, 0usize..3);
    let payment = (0i64..45, 1i64..250, named, 0usize..5, settles);
    let payment = payment.prop_map(move |(on, minor, named, order, settles)| {
        let (order, deductions) = (ORDERS[order], Vec::new());
        Event::Payment { on, minor, named, order, settles, deductions, side }
    });
    let note = (15i64..45, 1i64..300, 0usize..3).prop_map(move |(on, minor, about)| {
        Event::CreditNote { on, minor, about: Some(about), side }
    });
    let one = || 0usize..3;
    let event = prop_oneof![
        3 => invoice.clone(),
        6 => payment,
        6 => (one(), 0i64..25, 1i64..400)
            .prop_map(|(invoice, after, minor)| Event::WriteOff { invoice, after, minor }),
        3 => (one(), 0i64..20).prop_map(|(write_off, after)| Event::TakeBack { write_off, after }),
        6 => (one(), 0i64..25, 1i64..400)
            .prop_map(|(invoice, on, minor)| Event::Dispute { invoice, on, minor }),
        6 => (one(), 0i64..25, 1i64..400)
            .prop_map(|(dispute, after, upheld)| Event::Resolve { dispute, after, upheld }),
        4 => note,
        2 => (one(), 0i64..20, 1i64..300)
            .prop_map(|(note, after, minor)| Event::Refund { note, after, minor }),
        1 => (one(), 0i64..15).prop_map(|(refund, after)| Event::RefundBack { refund, after }),
        1 => (one(), 5i64..40).prop_map(|(invoice, after)| Event::Void { invoice, after }),
        2 => (one(), 0i64..20, 1i64..250, 0usize..4).prop_map(|(payment, after, minor, kind)| {
            Event::Reverse { payment, after, minor, kind: KINDS[kind] }
        }),
    ];
    let events = proptest::collection::vec(event, 4..22);
    (invoice, events).prop_map(|(first, events)| [vec![first], events].concat())
}

pub fn event() -> impl Strategy<Value = Event> {
    let on = 0i64..40;
    let minor = 1i64..400;
    let invoice = (0usize..5, on.clone(), 0i64..20, minor.clone(), any::<bool>(), 0usize..6);
    let deductions = proptest::collection::vec((0usize..6, 1i64..60, 0usize..3), 0..2);
    let payment = (
        on.clone(),
        minor.clone(),
        proptest::collection::vec((0usize..6, 1i64..200), 0..3),
        0usize..9,
        proptest::option::weighted(0.2, 0usize..6),
        deductions,
    );
    prop_oneof![
        20 => (invoice, any::<bool>(), side()).prop_map(|((kind, on, net, minor, parts, about), discount, side)| {
            let kind = ["invoice", "invoice", "interest-note", "fee", "penalty"][kind];
            let (parts, discount) = (parts && kind == "invoice", discount && kind == "invoice");
            Event::Invoice { kind, on, net, minor: minor + 1, parts, about, discount, side }
        }),
        5 => (on.clone(), minor.clone(), proptest::option::of(0usize..6), side())
            .prop_map(|(on, minor, about, side)| Event::CreditNote { on, minor, about, side }),
        25 => (payment, side()).prop_map(|((on, minor, named, order, settles, deductions), side)| {
            let order = ORDERS.get(order).copied().unwrap_or_default();
            Event::Payment { on, minor: minor * 2, named, order, settles, deductions, side }
        }),
        12 => (0usize..6, 0i64..8, -3i64..150, 0i64..40, any::<bool>(), 0usize..6).prop_map(
            |(invoice, after, less, held, named, order)| {
                let (less, held) = (if less > 100 { 0 } else { less }, (held - 20).max(0));
                Event::Early { invoice, after, less, held, named, order: ORDERS[order] }
            }
        ),
        5 => (0usize..3, 0i64..20, minor.clone())
            .prop_map(|(note, after, minor)| Event::Refund { note, after, minor }),
        3 => (0usize..3, 0i64..15).prop_map(|(refund, after)| Event::RefundBack { refund, after }),
        10 => (0usize..6, 0i64..20, minor.clone(), 0usize..6).prop_map(|(payment, after, minor, kind)| {
            Event::Reverse { payment, after, minor, kind: KINDS[kind.min(3)] }
        }),
        4 => (0usize..4).prop_map(|reversal| Event::Undo { reversal }),
        5 => (0usize..6, on.clone(), 0i64..20, 0i64..400)
            .prop_map(|(invoice, on, net, minor)| Event::CorrectInvoice { invoice, on, net, minor }),
        5 => (0usize..6, any::<bool>()).prop_map(|(invoice, discount)| Event::Agree { invoice, discount }),
        6 => (0usize..3, -1i64..9).prop_map(|(adjustment, after)| Event::Move { adjustment, after }),
        5 => (0usize..6, on, minor.clone())
            .prop_map(|(payment, on, minor)| Event::CorrectPayment { payment, on, minor }),
        10 => (0usize..6, 0i64..30, minor.clone())
            .prop_map(|(invoice, after, minor)| Event::WriteOff { invoice, after, minor }),
        5 => (0usize..3, 0i64..15).prop_map(|(write_off, after)| Event::TakeBack { write_off, after }),
        2 => (0usize..6, 0i64..30).prop_map(|(invoice, after)| Event::Void { invoice, after }),
        6 => (0usize..6, 0i64..35, minor).prop_map(|(invoice, on, minor)| Event::Dispute { invoice, on, minor }),
        4 => (0usize..3, 0i64..15, 0i64..200)
            .prop_map(|(dispute, after, upheld)| Event::Resolve { dispute, after, upheld }),
        3 => (0usize..3, 0i64..15, -60i64..200)
            .prop_map(|(dispute, after, upheld)| Event::Redecide { dispute, after, upheld }),
        4 => (proptest::option::of(0usize..6), 0i64..50, proptest::option::of(0i64..20), proptest::bool::weighted(0.15))
            .prop_map(|(invoice, from, days, duplicate)| Event::Pause { invoice, from, days, duplicate }),
        2 => (0usize..3, 0i64..25).prop_map(|(pause, after)| Event::Resume { pause, after }),
        2 => (proptest::option::of(0usize..6), 0i64..50, proptest::bool::weighted(0.15))
            .prop_map(|(invoice, on, duplicate)| Event::Default { invoice, on, duplicate }),
        2 => (0usize..3, 0i64..15).prop_map(|(default, after)| Event::Close { default, after }),
        2 => (0usize..3).prop_map(|default| Event::Reopen { default }),
        4 => (0usize..6, 15i64..60, -5i64..10)
            .prop_map(|(invoice, on, minor)| Event::Waiver { invoice, on, minor }),
        2 => (0i64..50, 20i64..90).prop_map(|(from, hundredths)| Event::Rate { from, hundredths }),
        6 => guarantee(),
        // The law's order, which asks most of a debt, as often as the others together.
        4 => (0usize..10).prop_map(|order| Event::Policy { order: ORDERS.get(order).copied().unwrap_or(ORDERS[4]) }),
        1 => Just(Event::Merge),
        10 => said().prop_map(Event::Said),
    ]
}
