//! The mappings that ship.

use super::specs;
use crate::contract::events::{
    AmountForm, EventAction, EventMapping, EventRule, MinorUnit, SignatureKind,
};
use crate::contract::ingest::FieldMapping;

/// A mapping that ships.
pub fn preset(name: &str, signature: SignatureKind) -> Option<EventMapping> {
    match name {
        "stripe" => Some(stripe()),
        "standard" => Some(standard(signature)),
        _ => None,
    }
}

pub(super) fn field(name: &str, pointer: &str) -> FieldMapping {
    FieldMapping {
        field: name.into(),
        column: Some(pointer.into()),
        constant: None,
        prefix: None,
        date: None,
        lookup: None,
        from_name: None,
        unsigned: None,
    }
}

fn rule(kind: &str, makes: EventAction, fields: &[(&str, &str)]) -> EventRule {
    let fields = fields.iter().map(|(name, pointer)| field(name, pointer)).collect();
    EventRule { kind: kind.into(), when: None, equals: None, makes, fields: Some(fields) }
}

fn unit((code, decimals): (&str, u8)) -> Option<MinorUnit> {
    Some(MinorUnit { currency: code.parse().ok()?, decimals })
}

/// The kinds of event of Stripe that concern a ledger, as its API describes them. That a mandate ended is not among
/// them: the event names no customer, only a means of payment, so that it is kept and nothing is made of it.
pub(super) fn stripe() -> EventMapping {
    let (customer, currency) =
        (("customer_id", "/data/object/customer"), ("currency", "/data/object/currency"));
    let (id, on) = (("id", "/data/object/id"), ("on", "/created"));
    let paid = [
        id,
        customer,
        ("received_on", "/created"),
        ("amount", "/data/object/amount_received"),
        currency,
        ("invoice_id", "/data/object/metadata/invoice_id"),
    ];
    // A charge counts what has gone back altogether, so that each event says more than the one before.
    let refunded = [
        ("id", "/id"),
        ("payment_id", "/data/object/payment_intent"),
        on,
        ("total", "/data/object/amount_refunded"),
        currency,
    ];
    let failed = [
        id,
        customer,
        on,
        ("amount", "/data/object/amount"),
        currency,
        ("reason", "/data/object/last_payment_error/code"),
    ];
    let claimed = [
        id,
        customer,
        ("issued_on", "/created"),
        ("due_on", "/data/object/due_date"),
        ("amount", "/data/object/total"),
        currency,
    ];
    EventMapping {
        id: Some("/id".into()),
        kind: "/type".into(),
        amounts: None,
        // What Stripe counts otherwise: currencies without decimals that it writes with two, and one with two that it
        // writes without.
        minor_units: Some(
            [("ISK", 2), ("UGX", 2), ("MGA", 0)].into_iter().filter_map(unit).collect(),
        ),
        date: None,
        rules: vec![
            rule("payment_intent.succeeded", EventAction::Payment, &paid),
            rule("charge.refunded", EventAction::Refund, &refunded),
            rule("payment_intent.payment_failed", EventAction::PaymentFailed, &failed),
            rule("invoice.finalized", EventAction::Invoice, &claimed),
            rule(
                "invoice.voided",
                EventAction::InvoiceVoided,
                &[("invoice_id", "/data/object/id"), on],
            ),
        ],
    }
}

/// Events whose `data` has the fields under their own names, with amounts as decimals.
pub(super) fn standard(signature: SignatureKind) -> EventMapping {
    let named = |action: EventAction, kind: &str| {
        let fields =
            specs(action).iter().map(|spec| field(spec.name, &format!("/data/{}", spec.name)));
        EventRule {
            kind: kind.into(),
            when: None,
            equals: None,
            makes: action,
            fields: Some(fields.collect()),
        }
    };
    let in_header = signature == SignatureKind::StandardWebhooks;
    EventMapping {
        id: (!in_header).then(|| "/id".into()),
        kind: "/type".into(),
        amounts: Some(AmountForm::Decimal),
        minor_units: None,
        date: None,
        rules: vec![
            named(EventAction::Payment, "payment.succeeded"),
            named(EventAction::PaymentFailed, "payment.failed"),
            named(EventAction::Refund, "payment.refunded"),
            named(EventAction::Invoice, "invoice.created"),
            named(EventAction::InvoiceVoided, "invoice.voided"),
            named(EventAction::MandateCancelled, "mandate.cancelled"),
        ],
    }
}
