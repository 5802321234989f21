//! What is told of one document or payment beside what it is: by what rule it was set against what, when it was recorded,
//! and what was corrected of it.

use dunlin_domain::arrange::mapped;
use dunlin_domain::{
    Date, Id,
    contract::{
        ledger::Policy,
        types::{
            Allocation, AllocationRule, CorrectedField, Invoice, OrderSource, Payment, RateUsed,
            ServedBy,
        },
    },
    order,
};
use dunlin_store::{
    Db, Fault, allocation, policy,
    told::{self, Corrected, Paid},
};
use std::collections::BTreeMap;

/// Completes a document as it was known with an audit entry.
pub(crate) fn document<D: Db>(
    db: &D,
    invoice: &mut Invoice,
    key: i64,
    known: i64,
) -> Result<(), Fault> {
    // What an instalment has of what the payer named depends on what the others have.
    let alone = invoice.id.as_str().contains('#');
    rules(db, &mut invoice.allocations, known, alone)?;
    invoice.recorded_at = told::document_recorded(db, key)?;
    invoice.corrections = corrected(told::corrections(db, Some(key), None, known)?);
    Ok(())
}

/// Completes a payment as it was known with an audit entry.
pub(crate) fn payment<D: Db>(
    db: &D,
    payment: &mut Payment,
    key: i64,
    known: i64,
) -> Result<(), Fault> {
    rules(db, &mut payment.allocations, known, false)?;
    payment.recorded_at = told::payment_recorded(db, key)?;
    payment.corrections = corrected(told::corrections(db, None, Some(key), known)?);
    if payment.converted_from.is_some() {
        let used = |(table, rate, valid_from, source, confirmed): told::Row| RateUsed {
            table,
            rate,
            valid_from,
            source,
            confirmed: confirmed != 0,
        };
        payment.conversion = told::conversion(db, key)?.map(used);
    }
    Ok(())
}

fn corrected(found: Vec<Corrected>) -> Option<Vec<CorrectedField>> {
    let of = |(id, field, before, after, recorded_at, reason): Corrected| CorrectedField {
        id,
        field,
        before,
        after,
        recorded_at,
        reason,
    };
    crate::payment::some(found.into_iter().map(of).collect())
}

/// Says of each allocation of money or of a credit note by what rule it was made. Differences and adjustments say
/// themselves why they are there.
fn rules<D: Db>(
    db: &D,
    allocations: &mut [Allocation],
    known: i64,
    alone: bool,
) -> Result<(), Fault> {
    let served = |of: &&Allocation| of.difference.is_none();
    let payments: Vec<&Id> =
        allocations.iter().filter(served).filter_map(|of| of.payment_id.as_ref()).collect();
    let notes: Vec<&Id> =
        allocations.iter().filter(served).filter_map(|of| of.credit_note_id.as_ref()).collect();
    if payments.is_empty() && notes.is_empty() {
        return Ok(());
    }
    let policy = policy::known(db, known)?;
    let paid = told::payments(db, &payments, known)?;
    let paid = mapped(paid.into_iter().map(|of| (of.0.clone(), of)));
    let shares = if alone {
        let keys: Vec<i64> = paid.values().map(|paid| paid.1).collect();
        let parts = allocation::of_credits(db, &keys, &[], Date::LAST, known)?;
        let parts = parts.iter().filter(|part| part.difference.is_none());
        shares(
            &paid,
            parts.filter_map(|part| {
                Some((&part.payment_id, part.invoice_id.as_ref()?.as_str(), part.on, part.minor))
            }),
        )
    } else {
        let parts = allocations.iter().filter(|of| of.difference.is_none());
        shares(
            &paid,
            parts.map(|of| {
                (&of.payment_id, of.invoice_id.as_str(), of.allocated_on, of.amount.minor)
            }),
        )
    };
    let about = mapped(told::credit_notes(db, &notes, known)?);
    for of in allocations.iter_mut().filter(|of| of.difference.is_none()) {
        let mut named_minor = None;
        let rule = if let Some((id, _, named, own, agreed)) =
            of.payment_id.as_ref().and_then(|id| paid.get(id))
        {
            let share = shares.get(&(id.clone(), of.invoice_id.clone(), of.allocated_on));
            named_minor = share.copied().filter(|share| *share != of.amount.minor && *share != 0);
            let by_name = named.iter().any(|(id, _)| is_of(id, &of.invoice_id));
            let by =
                if by_name && share != Some(&0) { ServedBy::Designation } else { ServedBy::Order };
            (by, in_force(&policy, own.as_ref(), agreed.as_ref()))
        } else if let Some(about) = of.credit_note_id.as_ref().and_then(|id| about.get(id)) {
            let related = about.as_ref().is_some_and(|id| is_of(id, &of.invoice_id));
            let by = if related { ServedBy::Relation } else { ServedBy::Order };
            (by, in_force(&policy, None, None))
        } else {
            continue;
        };
        let (served_by, (order, order_from)) = rule;
        of.rule = Some(AllocationRule { served_by, named_minor, order, order_from });
    }
    Ok(())
}

/// How much of the parts of payments, by payment, document and day, the payer named, where that was with amounts: of what came
/// to a document first so much as it was named with, and the rest was taken back first.
fn shares<'a>(
    paid: &'a BTreeMap<Id, Paid>,
    parts: impl Iterator<Item = (&'a Option<Id>, &'a str, Date, i64)>,
) -> BTreeMap<(Id, String, Date), i64> {
    let (mut sums, mut shares) = (BTreeMap::new(), BTreeMap::new());
    for (payment, of, on, minor) in parts {
        let Some((id, _, named, ..)) = payment.as_ref().and_then(|id| paid.get(id)) else {
            continue;
        };
        // What is settled besides is named once more, without an amount.
        let most = named.iter().filter(|(document, _)| is_of(document, of));
        let Some((document, Some(most))) = most.max_by_key(|(_, minor)| *minor) else { continue };
        let sum: &mut i64 = sums.entry((id, document)).or_default();
        let before = *sum;
        *sum = before.saturating_add(minor);
        let share = (*sum).min(*most).saturating_sub(before.min(*most));
        shares.insert((id.clone(), of.to_string(), on), share);
    }
    shares
}

/// Whether this is the document, or one of its instalments.
fn is_of(document: &Id, id: &str) -> bool {
    id.strip_prefix(document.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}

/// The order in force, and who said it.
fn in_force(policy: &Policy, own: Option<&Id>, agreed: Option<&Id>) -> (String, OrderSource) {
    let said = match (own, agreed) {
        (Some(own), _) => Some((own, OrderSource::Payment)),
        (None, Some(agreed)) => Some((agreed, OrderSource::Contract)),
        (None, None) => None,
    };
    let said = said.or(policy.order.as_ref().map(|name| (name, OrderSource::Policy)));
    match said {
        Some((name, from)) => (name.to_string(), from),
        None => (order::DEFAULT.to_string(), OrderSource::Standard),
    }
}
