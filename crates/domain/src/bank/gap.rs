//! Whether the statements of an account join: what one closes with, the next one opens with, and their numbers follow.
//!
//! A statement joins when another one that ends no later closed with its opening balance, or opened with it: the same
//! days in another format. Else it is held against the one before it in the order of the days. The banks' numbers are
//! compared within one format; a number that is not larger begins a new count, as each year does.

use crate::{
    Date, Id,
    contract::bank::{BankFormat, StatementGap},
};

/// The statements before one that are looked at.
pub const LOOKED_AT: usize = 60;

/// What is known of a statement of an account in one currency.
#[derive(Clone, Debug)]
pub struct Link {
    pub id: Id,
    pub format: BankFormat,
    pub to: Date,
    pub opening_minor: i64,
    pub closing_minor: i64,
    pub sequence: Option<String>,
}

impl Link {
    fn number(&self) -> Option<u64> {
        number(self.sequence.as_deref())
    }

    /// How many statements are missing between another one and this by their numbers.
    fn missing_after(&self, before: &Link) -> Option<u64> {
        let of = |link: &Link| link.number().filter(|_| before.format == self.format);
        let missing = of(self)?.checked_sub(of(before)?)?.checked_sub(1)?;
        (missing > 0).then_some(missing)
    }
}

/// The number of a statement, without that of its page.
pub(super) fn number(sequence: Option<&str>) -> Option<u64> {
    sequence?.split('/').next()?.trim().parse().ok()
}

/// What is missing before each of these statements of one account, which come in the order of their last days. Those of
/// one day are put in theirs.
pub fn gaps(links: &[Link]) -> Vec<Option<StatementGap>> {
    let places = in_order(links);
    let sorted: Vec<Link> = places.iter().filter_map(|at| links.get(*at).cloned()).collect();
    let mut found = vec![None; links.len()];
    for (index, (at, link)) in places.iter().zip(&sorted).enumerate() {
        if let Some(slot) = found.get_mut(*at) {
            *slot = gap(&sorted, index, link);
        }
    }
    found
}

/// The places of statements in the order in which they follow each other: by day, within one by what joins, the first
/// being the one that opens as none of the others of its format closed, and then by number and arrival.
fn in_order(links: &[Link]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(links.len());
    let all: Vec<(usize, &Link)> = links.iter().enumerate().collect();
    for day in all.chunk_by(|(_, one), (_, other)| one.to == other.to) {
        if day.len() > LOOKED_AT {
            order.extend(day.iter().map(|(at, _)| *at));
            continue;
        }
        let mut left: Vec<(usize, &Link)> = day.to_vec();
        left.sort_by_key(|(at, link)| (link.number(), *at));
        let mut last: Option<&Link> = None;
        while !left.is_empty() {
            let joins = |link: &Link| {
                last.is_some_and(|last| {
                    last.format == link.format && last.closing_minor == link.opening_minor
                })
            };
            let begins = |of: &(usize, &Link)| {
                let after = |other: &(usize, &Link)| {
                    other.0 != of.0
                        && other.1.format == of.1.format
                        && other.1.closing_minor == of.1.opening_minor
                };
                !left.iter().any(after)
            };
            let next = left.iter().position(|(_, link)| joins(link));
            let next = next.or_else(|| left.iter().position(begins)).unwrap_or(0);
            let (at, link) = left.remove(next);
            order.push(at);
            last = Some(link);
        }
    }
    order
}

fn gap(links: &[Link], at: usize, link: &Link) -> Option<StatementGap> {
    let before = links.get(at.saturating_sub(LOOKED_AT)..at).unwrap_or_default();
    let same_day = links.get(at.saturating_add(1)..).unwrap_or_default().iter();
    let same_day = same_day.take(LOOKED_AT).take_while(|other| other.to == link.to);
    let previous = before.last()?;
    let others = || before.iter().rev().chain(same_day.clone());
    let mut joins = others().filter(|other| other.closing_minor == link.opening_minor);
    let joined = joins.clone().find(|other| other.format == link.format).or_else(|| joins.next());
    let (after, minor) = match joined {
        Some(joined) => (joined, None),
        None if others().any(|other| other.opening_minor == link.opening_minor) => return None,
        None => (previous, Some(link.opening_minor.saturating_sub(previous.closing_minor))),
    };
    let statements = link.missing_after(after);
    (minor.is_some() || statements.is_some()).then(|| StatementGap {
        after: after.id.clone(),
        missing_minor: minor,
        missing_statements: statements,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_join_by_balance_and_number() {
        // Format, day, opening, closing, number; what is missing before it.
        type Missing = Option<(Option<i64>, Option<u64>)>;
        let links: Vec<(Link, Missing)> = [
            ("c 01 100 150 1", None),
            ("c 02 150 150 2", None),
            ("m 02 150 150 00007/001", None),
            ("c 03 150 170 4", Some((None, Some(1)))),
            ("c 05 200 250 7", Some((Some(30), Some(2)))),
            ("c 06 250 260 -", None),
            ("c 07 260 200 1", None),
            ("m 07 260 200 00009/001", None),
            // Two pages, the second of which came in first.
            ("c 08 210 230 2", None),
            ("c 08 200 210 2", None),
            // Nothing before the day closed with what the first of it opens with.
            ("c 09 300 500 4", None),
            ("c 09 265 300 3", Some((Some(35), None))),
        ]
        .into_iter()
        .zip(0..)
        .map(|((text, gap), place)| {
            let words: Vec<&str> = text.split(' ').collect();
            let link = Link {
                id: format!("S{place}").parse().unwrap(),
                format: if words[0] == "c" { BankFormat::Camt053 } else { BankFormat::Mt940 },
                to: format!("2026-10-{}", words[1]).parse().unwrap(),
                opening_minor: words[2].parse().unwrap(),
                closing_minor: words[3].parse().unwrap(),
                sequence: Some(words[4].to_string()).filter(|number| number != "-"),
            };
            (link, gap)
        })
        .collect();
        let found = gaps(&links.iter().map(|(link, _)| link.clone()).collect::<Vec<_>>());
        for ((link, wanted), gap) in links.iter().zip(found) {
            let gap = gap.map(|gap| (gap.missing_minor, gap.missing_statements));
            assert_eq!(gap, *wanted, "{link:?}");
        }
    }
}
