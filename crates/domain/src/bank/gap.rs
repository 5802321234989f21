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
    /// The number of the statement, without that of its page.
    fn number(&self) -> Option<u64> {
        self.sequence.as_deref()?.split('/').next()?.trim().parse().ok()
    }

    /// How many statements are missing between another one and this by their numbers.
    fn missing_after(&self, before: &Link) -> Option<u64> {
        let of = |link: &Link| link.number().filter(|_| before.format == self.format);
        let missing = of(self)?.checked_sub(of(before)?)?.checked_sub(1)?;
        (missing > 0).then_some(missing)
    }
}

/// What is missing before each of these statements of one account, which come in the order of their last days.
pub fn gaps(links: &[Link]) -> Vec<Option<StatementGap>> {
    links.iter().enumerate().map(|(at, link)| gap(links, at, link)).collect()
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
