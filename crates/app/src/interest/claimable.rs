//! Late interest that can be claimed, of the whole book or of one customer.

use super::Ground;
use dunlin_domain::{
    Currency, Date, Id, Refusal, Refused,
    contract::report::{ClaimableInterest, ClaimableInterestTotal},
    money,
};
use dunlin_store::{
    Db, Fault, When, customer,
    interest_entry::{self, Document},
    policy, read,
};
use std::collections::BTreeMap;

/// Invoices that are read at a time: with their instalments and allocations they are in memory together.
const SLICE: u32 = 500;

/// How many invoices are looked at for one page: each is worked out from the ledger.
const LOOKED_AT: u32 = 2_000;

/// A page of the list.
#[derive(Debug, Default)]
pub struct Claimable {
    pub items: Vec<ClaimableInterest>,
    /// One line a currency: the sums of the page.
    pub totals: Vec<ClaimableInterestTotal>,
    /// The key after which others may follow.
    pub next: Option<i64>,
}

/// Invoices after a key with interest that can be claimed, everybody's or one customer's, as they stood on a day and
/// were known then. What cannot be told says why, but for a preset that did not hold yet: nothing is borne by it.
pub fn claimable<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    of: Option<&Id>,
    when: When,
) -> Result<Claimable, Fault> {
    read(db, |db| {
        let of = match of.map(|id| customer::key(db, id)).transpose()? {
            Some(None) => return Ok(Claimable::default()),
            found => found.flatten(),
        };
        let by_policy = policy::known(db, when.known)?.late_interest.is_some();
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut page, mut after) = (Claimable::default(), after);
        for _ in 0..LOOKED_AT.div_ceil(SLICE) {
            let keys = interest_entry::late_after(db, after, SLICE, of, when, by_policy)?;
            let is_last = keys.len() < usize::try_from(SLICE).unwrap_or(usize::MAX);
            let documents = interest_entry::documents(db, &keys)?;
            let ground = Ground::read(db, &documents, when.known)?;
            for document in &documents {
                let Some(item) = item(&ground, document, when.day)? else { continue };
                if page.items.len() == most {
                    page.next = Some(after);
                    return page.summed();
                }
                page.items.push(item);
                after = document.key;
            }
            if is_last {
                return page.summed();
            }
            after = keys.last().copied().unwrap_or(after);
        }
        page.next = Some(after);
        page.summed()
    })
}

fn item(
    ground: &Ground,
    document: &Document,
    through: Date,
) -> Result<Option<ClaimableInterest>, Fault> {
    let mut item = ClaimableInterest {
        invoice_id: document.id.clone(),
        customer_id: document.customer_id.clone(),
        currency: document.currency,
        through,
        accrued_minor: 0,
        fixed_minor: 0,
        noted_minor: 0,
        waived_minor: 0,
        claimable_minor: 0,
        clause: None,
        missing: None,
    };
    match ground.of(document, through, through, &BTreeMap::new()) {
        Err(Fault::Refused(of)) if of.code == Refusal::UnknownPreset => Ok(None),
        Err(Fault::Refused(of))
            if matches!(of.code, Refusal::RateMissing | Refusal::AmountTooLarge) =>
        {
            item.missing = Some(of.detail);
            Ok(Some(item))
        }
        Err(other) => Err(other),
        Ok(found) => Ok(found.filter(|of| of.outstanding_minor > 0).map(|of| {
            item.accrued_minor = of.accrued.minor;
            item.fixed_minor = of.fixed_minor;
            item.noted_minor = of.noted_minor;
            item.waived_minor = of.waived_minor;
            item.claimable_minor = of.outstanding_minor;
            item.clause = Some(of.clause);
            item
        })),
    }
}

impl Claimable {
    fn summed(mut self) -> Result<Self, Fault> {
        let mut totals: BTreeMap<Currency, ClaimableInterestTotal> = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.missing.is_none()) {
            let currency = item.currency;
            let of = totals.entry(currency).or_insert(ClaimableInterestTotal {
                currency,
                invoices: 0,
                accrued_minor: 0,
                fixed_minor: 0,
                noted_minor: 0,
                waived_minor: 0,
                claimable_minor: 0,
            });
            of.invoices = of.invoices.saturating_add(1);
            for (sum, minor) in [
                (&mut of.accrued_minor, item.accrued_minor),
                (&mut of.fixed_minor, item.fixed_minor),
                (&mut of.noted_minor, item.noted_minor),
                (&mut of.waived_minor, item.waived_minor),
                (&mut of.claimable_minor, item.claimable_minor),
            ] {
                *sum = add(*sum, minor)?;
            }
        }
        self.totals = totals.into_values().collect();
        Ok(self)
    }
}

fn add(one: i64, other: i64) -> Result<i64, Refused> {
    money::sum([one, other])
}
