//! What happens to a customer, at random.

use proptest::prelude::*;

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
    },
    CreditNote {
        on: i64,
        minor: i64,
        about: Option<usize>,
    },
    Payment {
        on: i64,
        minor: i64,
        named: Vec<(usize, i64)>,
        order: &'static str,
        settles: Option<usize>,
    },
    Reverse {
        payment: usize,
        after: i64,
        minor: i64,
        mistake: bool,
    },
    CorrectInvoice {
        invoice: usize,
        on: i64,
        net: i64,
        minor: i64,
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
    Dispute {
        invoice: usize,
        after: i64,
        minor: i64,
        upheld: i64,
    },
}

pub const ORDERS: [&str; 6] = [
    "oldest-due-first",
    "newest-due-first",
    "interest-first",
    "principal-first",
    "prc-civil-code-560-561",
    "fee-penalty-interest-principal",
];

pub fn event() -> impl Strategy<Value = Event> {
    let on = 0i64..40;
    let minor = 1i64..400;
    prop_oneof![
        4 => (0usize..5, on.clone(), 0i64..20, minor.clone(), any::<bool>(), 0usize..6).prop_map(
            |(kind, on, net, minor, parts, about)| {
                let kind = ["invoice", "invoice", "interest-note", "fee", "penalty"][kind];
                Event::Invoice { kind, on, net, minor: minor + 1, parts: parts && kind == "invoice", about }
            }
        ),
        1 => (on.clone(), minor.clone(), proptest::option::of(0usize..6))
            .prop_map(|(on, minor, about)| Event::CreditNote { on, minor, about }),
        5 => (on.clone(), minor.clone(), proptest::collection::vec((0usize..6, 1i64..200), 0..3), 0usize..6,
            proptest::option::weighted(0.2, 0usize..6)).prop_map(|(on, minor, named, order, settles)| {
                Event::Payment { on, minor: minor * 2, named, order: ORDERS[order], settles }
            }),
        2 => (0usize..6, 0i64..20, minor.clone(), any::<bool>())
            .prop_map(|(payment, after, minor, mistake)| Event::Reverse { payment, after, minor, mistake }),
        1 => (0usize..6, on.clone(), 0i64..20, 0i64..400)
            .prop_map(|(invoice, on, net, minor)| Event::CorrectInvoice { invoice, on, net, minor }),
        1 => (0usize..6, on, minor.clone())
            .prop_map(|(payment, on, minor)| Event::CorrectPayment { payment, on, minor }),
        2 => (0usize..6, 0i64..30, minor.clone())
            .prop_map(|(invoice, after, minor)| Event::WriteOff { invoice, after, minor }),
        1 => (0usize..3, 0i64..15).prop_map(|(write_off, after)| Event::TakeBack { write_off, after }),
        1 => (0usize..6, 0i64..30, minor, 0i64..200)
            .prop_map(|(invoice, after, minor, upheld)| Event::Dispute { invoice, after, minor, upheld }),
    ]
}
