//! Entries of a file that another statement had before.

use super::File;
use dunlin_domain::{
    Currency, Date, Id,
    bank::{
        Entry,
        repeated::{Link, Place, Repeats, Seen},
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
        file: &File,
        (own, ours): (&[String], &BTreeSet<String>),
        new: &BTreeSet<usize>,
        last_statement: i64,
    ) -> Result<Self, Fault> {
        let (mut before, intake) = (Self::default(), &file.intake);
        let mut spans: BTreeMap<&str, Vec<(usize, Date, Date)>> = BTreeMap::new();
        for (at, (_, span)) in intake.statements.iter().zip(&intake.spans).enumerate() {
            let (true, Some((first, last)), Some(own)) = (new.contains(&at), span, own.get(at))
            else {
                continue;
            };
            spans.entry(own).or_default().push((at, *first, *last));
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
        // What stands under another account of ours may be the same all the same.
        let others = ours.iter().filter(|of| !spans.contains_key(of.as_str()));
        asked.extend(others.map(|of| (of.as_str(), first, last)));
        let found = bank::overlapping(db, &asked, last_statement)?;
        before.chain(file, own, &found);
        let mut rest = found.as_slice();
        while !rest.is_empty() {
            let mut sum = 0u64;
            let count = rest.iter().take_while(|of| {
                let fits = sum < READ;
                sum = sum.saturating_add(of.5);
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
        let keys: Vec<(i64, &Id)> = statements.iter().map(|of| (of.3, &of.4)).collect();
        let place = |of: &bank::Overlapping| (of.3, (of.0.clone(), of.1, of.2));
        let of: BTreeMap<i64, (String, Currency, BankFormat)> =
            statements.iter().map(place).collect();
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
            let Some((account, currency, format)) = of.get(&key) else { continue };
            let (currency, format) = (*currency, *format);
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
                ..Entry::default()
            };
            let statement = behind(key, in_file);
            self.seen.add(id, &entry, Place { account, currency, statement, format });
        }
        Ok(())
    }

    /// Notes which statements follow each other: of the file by their places, earlier ones behind them by their keys.
    fn chain(&mut self, file: &File, own: &[String], found: &[bank::Overlapping]) {
        let statements = &file.intake.statements;
        let of_file = statements.iter().zip(own).enumerate().map(|(at, ((of, _), own))| Link {
            place: Place {
                account: own,
                currency: of.currency,
                statement: at,
                format: file.format,
            },
            sequence: of.sequence.as_deref(),
            opening_minor: of.opening_minor,
            closing_minor: of.closing_minor,
            is_empty: of.entries == 0,
        });
        let earlier = found.iter().map(|of| Link {
            place: Place {
                account: &of.0,
                currency: of.1,
                statement: behind(of.3, statements.len()),
                format: of.2,
            },
            sequence: of.6.as_deref(),
            opening_minor: of.7,
            closing_minor: of.8,
            is_empty: of.5 == 0,
        });
        let links: Vec<Link<'_>> = of_file.chain(earlier).collect();
        self.seen.chain(&links);
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

/// Statements of the file are counted by their places, earlier ones behind them by their keys.
fn behind(key: i64, in_file: usize) -> usize {
    usize::try_from(key).unwrap_or(0).saturating_add(in_file)
}
