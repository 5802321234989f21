//! What payers say of their money.

use super::{Deed, World, day, id};
use crate::{
    clerk::{Documents, Entry},
    said::Said,
};
use dunlin_app::payment;
use serde_json::{Value, json};

impl World {
    pub(super) fn said(&mut self, said: Said) -> Option<Entry> {
        match said {
            Said::Named { payment, named, whole } => self.name_anew(payment, &named, whole),
        }
    }

    fn name_anew(&mut self, payment: usize, named: &[(usize, i64)], whole: bool) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let now = self.now();
        let credit = now.credits.iter().find(|credit| credit.id == name)?;
        let of = self.of(now.owner(credit.customer), Some(credit.currency));
        let (mut left, mut parts) = (credit.minor, Vec::new());
        for (at, minor) in named {
            let minor = (*minor).min(left);
            if let Some(of) = Self::pick(&of, *at).filter(|_| minor > 0) {
                left -= minor;
                parts.push((of.name, Some(minor)));
            }
        }
        parts.truncate(if whole { 1 } else { parts.len() });
        let mut what = json!({"reason": "misread"});
        match parts.first_mut().filter(|_| whole) {
            Some((name, minor)) => {
                *minor = None;
                what["invoice_id"] = json!(name);
            }
            None => {
                let part = |(name, minor): &(String, Option<i64>)| json!({"invoice_id": name, "minor": minor});
                what["designation"] = parts.iter().map(part).collect::<Vec<_>>().into();
                if whole {
                    what["invoice_id"] = Value::Null;
                }
            }
        }
        if !self.send(Deed::CorrectPayment(name.clone(), what)) {
            return None;
        }
        if let Some(settled) = &credit.settles
            && parts.iter().all(|(name, _)| name != settled)
        {
            parts.push((settled.clone(), None));
        }
        Some(Entry::Named(name, parts))
    }

    /// A payment reads as naming what it was known to name. What it only settles is told elsewhere.
    pub(super) fn check_names(&self, documents: &Documents, on: i64, known: i64) {
        for credit in documents.credits.iter().filter(|credit| credit.rank == 1 && credit.on <= on)
        {
            let changed =
                |of: &crate::clerk::Credit| of.part_of.as_ref().is_some_and(|of| of.0 == credit.id);
            if credit.part_of.is_some() || documents.credits.iter().any(changed) {
                continue;
            }
            let got = payment::get(&self.db, &id(&credit.id), day(on), known).unwrap();
            let parts = got.designation.unwrap_or_default();
            let parts =
                parts.into_iter().map(|part| (part.invoice_id.to_string(), Some(part.minor)));
            let whole = got.invoice_id.map(|name| (name.to_string(), None));
            let settled = |(name, minor): &(String, Option<i64>)| {
                minor.is_none() && credit.settles.as_ref() == Some(name)
            };
            let read: Vec<_> = parts.chain(whole).filter(|of| !settled(of)).collect();
            let wanted: Vec<_> = credit.named.iter().filter(|of| !settled(of)).cloned().collect();
            assert_eq!(read, wanted, "what {} names on day {on} as known at {known}", credit.id);
        }
    }
}
