//! The list of late interest that can be claimed, against what each document says by itself.

use crate::world::{World, day, id, moment};
use dunlin_app::{interest, invoice};
use dunlin_domain::{
    Id,
    contract::report::{ClaimableInterest, ClaimableInterestTotal},
};
use dunlin_store::{Db, When};
use std::collections::BTreeMap;

impl World {
    /// Every page of the list, two at a time, of everybody and of each customer.
    pub fn check_claimable(&self, on: i64, until: usize) {
        let known = match until {
            usize::MAX => i64::MAX,
            _ => invoice::known_at(&self.db, Some(moment(until.min(self.step)))).unwrap(),
        };
        let when = When { day: day(on), known };
        let roots = "SELECT json_group_array(id ORDER BY key) FROM invoice WHERE parent_key IS NULL AND kind = 'invoice'";
        let roots: Vec<Id> = self.db.json(roots, &[]).unwrap();
        let alone: Vec<ClaimableInterest> = roots
            .iter()
            .filter_map(|name| {
                let read = invoice::get(&self.db, name, day(on), known).ok()?;
                let of = read.interest.filter(|of| of.outstanding_minor > 0)?;
                Some(ClaimableInterest {
                    invoice_id: read.id,
                    customer_id: read.customer_id,
                    currency: of.accrued.currency,
                    through: of.through,
                    accrued_minor: of.accrued.minor,
                    fixed_minor: of.fixed_minor,
                    noted_minor: of.noted_minor,
                    waived_minor: of.waived_minor,
                    claimable_minor: of.outstanding_minor,
                    clause: Some(of.clause),
                    missing: None,
                })
            })
            .collect();
        for customer in [None, Some("C"), Some("D")] {
            let customer = customer.map(id);
            let wanted: Vec<&ClaimableInterest> = alone
                .iter()
                .filter(|of| customer.as_ref().is_none_or(|customer| of.customer_id == *customer))
                .collect();
            let (mut found, mut after) = (Vec::new(), 0);
            loop {
                let page =
                    interest::claimable(&self.db, after, 2, customer.as_ref(), when).unwrap();
                assert_eq!(page.totals, sums(&page.items));
                assert!(page.items.len() <= 2);
                found.extend(page.items);
                let Some(next) = page.next else { break };
                after = next;
            }
            assert_eq!(
                found.iter().collect::<Vec<_>>(),
                wanted,
                "interest of {customer:?} on day {on} as known at step {until}"
            );
            let whole = interest::claimable(&self.db, 0, 500, customer.as_ref(), when).unwrap();
            assert_eq!(
                (whole.items, whole.totals, whole.next),
                (found.clone(), sums(&found), None)
            );
        }
    }
}

/// The totals of these rows, one after the other.
fn sums(items: &[ClaimableInterest]) -> Vec<ClaimableInterestTotal> {
    let mut by_currency: BTreeMap<String, ClaimableInterestTotal> = BTreeMap::new();
    for item in items {
        let of = by_currency.entry(item.currency.to_string()).or_insert(ClaimableInterestTotal {
            currency: item.currency,
            invoices: 0,
            accrued_minor: 0,
            fixed_minor: 0,
            noted_minor: 0,
            waived_minor: 0,
            claimable_minor: 0,
        });
        of.invoices += 1;
        of.accrued_minor += item.accrued_minor;
        of.fixed_minor += item.fixed_minor;
        of.noted_minor += item.noted_minor;
        of.waived_minor += item.waived_minor;
        of.claimable_minor += item.accrued_minor + item.fixed_minor;
        of.claimable_minor -= item.noted_minor + item.waived_minor;
    }
    by_currency.into_values().collect()
}
