//! Invoices of which more interest was claimed and given up than they bear.

use super::of_invoice;
use dunlin_domain::{
    Id, Refusal,
    contract::{ledger::InterestExcess, types::InterestEntry},
};
use dunlin_store::{Db, Fault, When, interest_entry};

/// How many invoices are looked at for one page: each is worked out from the ledger.
const LOOKED_AT: u32 = 200;

/// Those that claim something yet: a credit note about another would free nothing.
fn claiming(notes: impl Iterator<Item = InterestEntry>) -> Vec<Id> {
    notes.filter(|note| note.minor > 0).map(|note| note.id).collect()
}

/// Those after an id, everybody's or one customer's, as they stood on a day and were known then, and the id after which
/// others may follow. What cannot be told for want of a rate is left out.
pub fn excess<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    when: When,
) -> Result<(Vec<InterestExcess>, Option<Id>), Fault> {
    let ids = interest_entry::settled_after(db, after, LOOKED_AT, customer)?;
    let all = ids.len() < usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut found, last) = (Vec::new(), ids.last().cloned());
    for id in ids {
        let interest = match of_invoice(db, &id, when.day, when.known) {
            Err(Fault::Refused(of))
                if matches!(
                    of.code,
                    Refusal::RateMissing | Refusal::AmountTooLarge | Refusal::UnknownPreset
                ) =>
            {
                None
            }
            other => other?,
        };
        let Some(of) = interest.filter(|of| of.outstanding_minor < 0) else { continue };
        let Some(document) = interest_entry::document(db, &id)? else { continue };
        if found.len() == most {
            let next = found.last().map(|of: &InterestExcess| of.invoice_id.clone());
            return Ok((found, next));
        }
        found.push(InterestExcess {
            invoice_id: id,
            customer_id: document.customer_id,
            accrued: of.accrued,
            fixed_minor: of.fixed_minor,
            noted_minor: of.noted_minor,
            waived_minor: of.waived_minor,
            excess_minor: of.outstanding_minor.saturating_neg(),
            notes: claiming(of.notes.into_iter().flatten()),
        });
    }
    Ok((found, last.filter(|_| !all)))
}
