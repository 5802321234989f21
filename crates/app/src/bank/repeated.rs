//! Entries of a file that another statement had before.

use super::Intake;
use dunlin_domain::{
    Currency, Date, Id,
    bank::{
        Entry,
        repeated::{Place, Repeats, Seen},
    },
    contract::bank::{BankFormat, RepeatedEntry},
};
use dunlin_store::{Db, Fault, bank};
use std::collections::{BTreeMap, BTreeSet};

/// Entries of earlier statements that are read in one go.
const READ: u64 = 20_000;

/// The most entries that the result of an import names.
const MOST_NAMED: usize = 1_000;

/// What the entries of a file are compared with.
#[derive(Debug, Default)]
pub(super) struct Before {
    seen: Seen,
    /// Statements of the file with days that another one of it has too, by their place in it.
    shared: BTreeSet<usize>,
    pub named: Vec<RepeatedEntry>,
}

impl Before {
    /// Reads what earlier statements of the same accounts have of the same days. Mostly that is nothing.
    pub(super) fn read<D: Db>(
        db: &D,
        intake: &Intake,
        new: &BTreeSet<usize>,
        last_statement: i64,
    ) -> Result<Self, Fault> {
        let mut before = Self::default();
        let mut spans: BTreeMap<&str, Vec<(usize, Date, Date)>> = BTreeMap::new();
        for (at, ((statement, _), span)) in intake.statements.iter().zip(&intake.spans).enumerate()
        {
            if let (true, Some((first, last))) = (new.contains(&at), span) {
                spans.entry(&statement.account).or_default().push((at, *first, *last));
            }
        }
        let mut asked: Vec<(&str, Date, Date)> = Vec::new();
        for (account, spans) in &mut spans {
            spans.sort_unstable_by_key(|(at, first, _)| (*first, *at));
            let mut reach: Option<(usize, Date)> = None;
            for (at, first, last) in spans.iter().copied() {
                match reach {
                    Some((other, until)) if first <= until => {
                        before.shared.extend([other, at]);
                        if last > until {
                            reach = Some((at, last));
                        }
                    }
                    _ => reach = Some((at, last)),
                }
                asked.push((account, first, last));
            }
        }
        let (Some(first), Some(last)) = (
            asked.iter().map(|(_, first, _)| *first).min(),
            asked.iter().map(|(_, _, last)| *last).max(),
        ) else {
            return Ok(before);
        };
        let found = bank::overlapping(db, &asked, last_statement)?;
        let mut rest = found.as_slice();
        while !rest.is_empty() {
            let mut sum = 0u64;
            let count = rest.iter().take_while(|(_, _, _, _, _, entries)| {
                let fits = sum < READ;
                sum = sum.saturating_add(*entries);
                fits
            });
            let (chunk, more) = rest.split_at_checked(count.count()).unwrap_or((rest, &[]));
            rest = more;
            before.take(db, chunk, intake.statements.len(), (first, last))?;
        }
        Ok(before)
    }

    fn take<D: Db>(
        &mut self,
        db: &D,
        statements: &[bank::Overlapping],
        in_file: usize,
        days: (Date, Date),
    ) -> Result<(), Fault> {
        let keys: Vec<(i64, &Id)> =
            statements.iter().map(|(_, _, _, key, id, _)| (*key, id)).collect();
        let of: BTreeMap<i64, (&str, Currency, BankFormat)> = statements
            .iter()
            .map(|(account, currency, format, key, _, _)| {
                (*key, (account.as_str(), *currency, *format))
            })
            .collect();
        for row in bank::entries_of(db, &keys, days)? {
            let (
                key,
                id,
                booked_on,
                value_on,
                minor,
                references,
                end_to_end,
                reference,
                text,
                name,
                payer,
            ) = row;
            let Some((account, currency, format)) = of.get(&key).copied() else { continue };
            let entry = Entry {
                booked_on: Some(booked_on),
                value_on,
                minor,
                reversal: false,
                references: references.unwrap_or_default(),
                end_to_end,
                bank_reference: reference,
                remittance: text.unwrap_or_default(),
                name,
                account: payer,
            };
            // Statements of the file are counted by their places, earlier ones behind them by their keys.
            let statement = usize::try_from(key).unwrap_or(0).saturating_add(in_file);
            self.seen.add(id, &entry, Place { account, currency, statement, format });
        }
        Ok(())
    }

    /// What an entry of the file repeats. One that repeats nothing may be repeated by a later one of the file.
    pub(super) fn look(&mut self, id: &Id, entry: &Entry, place: Place<'_>) -> Option<Repeats> {
        let shared = self.shared.contains(&place.statement);
        if self.seen.is_empty() && !shared {
            return None;
        }
        let found = self.seen.find(entry, place);
        match &found {
            Some(Repeats::Surely(_)) if self.named.len() >= MOST_NAMED => {}
            Some(Repeats::Surely(first)) => {
                self.named.push(RepeatedEntry { id: id.clone(), repeats: first.clone() });
            }
            _ if shared => self.seen.add(id.clone(), entry, place),
            _ => {}
        }
        found
    }
}
