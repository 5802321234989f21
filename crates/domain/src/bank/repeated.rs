//! The same entry in two statements: in camt.053 and MT940, in a statement that is fetched again under another name, in
//! one of the day and one of the end of the day.
//!
//! Two entries of one statement are never the same, and an entry repeats at most one of each other statement. Entries
//! of one account of ours and one amount are the same for sure when the bank's own reference is and nothing speaks
//! against it: some banks count anew each day or year, so that another day, end-to-end reference, payer or text makes
//! it perhaps the same, and two of these another one. Where one of them has no such reference, they are the same when
//! they are of one day (booked or value) and have the same end-to-end reference, or the same references and text.
//! Entries of one day and payer are perhaps the same when nothing tells them apart; a text that is written in
//! another way tells nothing between two formats. Different references of the bank in one format are different entries.
//!
//! Statements of one format that follow each other by number and balance have no entry in common; where the one before
//! opened with what it closed with, the balances do not show that it is not the same one under another number, and equal
//! entries are perhaps the same. The bank's reference,
//! day, payer and text together make an entry perhaps that of another account of ours: its statement may spell it so that
//! nobody can tell.

use super::{Entry, gap, name};
use crate::{Currency, Date, Id, contract::bank::BankFormat};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// The characters of the bank's reference that are compared: MT940 has room for so many.
const REFERENCE: usize = 16;

/// The most entries that are compared with one: so many of one account, day, amount and text are told apart by nothing.
const MOST: usize = 1_000;

/// What an entry repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// It is this one.
    Surely(Id),
    /// It may be this one.
    Perhaps(Id),
}

/// Where an entry stands: the account of ours, its currency, the statement by any number that tells it from others, and
/// its format.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub account: &'a str,
    pub currency: Currency,
    pub statement: usize,
    pub format: BankFormat,
}

/// A statement as it stands between others: its number, and what it opens and closes with.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub place: Place<'a>,
    pub sequence: Option<&'a str>,
    pub opening_minor: i64,
    pub closing_minor: i64,
    /// Whether it has no entries.
    pub is_empty: bool,
}

/// What tells an entry from others, as hashes. `None` where it has nothing of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traits {
    bank: Option<u64>,
    end_to_end: Option<u64>,
    text: Option<u64>,
    payer: Option<u64>,
    /// The booking day and the value day.
    days: [Option<Date>; 2],
}

#[derive(Debug)]
struct Known {
    id: Id,
    account: u64,
    statement: usize,
    format: BankFormat,
    traits: Traits,
    /// The statement that has repeated it last.
    repeated_by: Option<usize>,
}

/// Entries that came before.
#[derive(Debug, Default)]
pub struct Seen {
    entries: Vec<Known>,
    /// By what they have in common with others: places in `entries`.
    by: HashMap<u64, Vec<usize>>,
    /// Of statements that follow each other which chain they stand in, by balances that show it and by any, and their
    /// numbers.
    chained: HashMap<usize, ([usize; 2], u64)>,
}

impl Seen {
    /// Whether nothing came before.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes which statements follow each other: one has the next number of the other in the same format, and opens with
    /// what the other closed with. An entry of the one is none of the other. Where the other one moved nothing, or opens as
    /// this one does, the balances say nothing.
    pub fn chain(&mut self, links: &[Link<'_>]) {
        let kind = |of: &Link<'_>| {
            (of.place.account.to_string(), of.place.currency.to_string(), of.place.format)
        };
        let mut by_number: HashMap<_, Vec<&Link<'_>>> = HashMap::new();
        let mut numbered: Vec<(u64, &Link<'_>)> =
            links.iter().filter_map(|of| Some((gap::number(of.sequence)?, of))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        for (number, link) in numbered {
            let before =
                number.checked_sub(1).and_then(|before| by_number.get(&(before, kind(link))));
            let joins = |other: &Link<'_>| other.closing_minor == link.opening_minor;
            let shows = |other: &Link<'_>| {
                joins(other) && (other.opening_minor != link.opening_minor || other.is_empty)
            };
            let statement = link.place.statement;
            let chain = |at: usize, follows: &dyn Fn(&Link<'_>) -> bool| {
                let other = before.and_then(|of| of.iter().find(|other| follows(other)));
                let chain = other.and_then(|other| self.chained.get(&other.place.statement));
                chain.and_then(|(chains, _)| chains.get(at).copied()).unwrap_or(statement)
            };
            let chains = [chain(0, &shows), chain(1, &joins)];
            self.chained.insert(statement, (chains, number));
            by_number.entry((number, kind(link))).or_default().push(link);
        }
    }

    /// Whether two statements follow each other, so that no entry stands in both: for sure (`true`), or as far as can be
    /// seen.
    fn apart(&self, one: usize, other: usize) -> Option<bool> {
        let of = |statement: usize| self.chained.get(&statement);
        let (([shown, joined], number), ([other_shown, other_joined], other_number)) =
            of(one).zip(of(other))?;
        (number != other_number && joined == other_joined).then_some(shown == other_shown)
    }

    /// Adds an entry that others may repeat.
    pub fn add(&mut self, id: Id, entry: &Entry, place: Place<'_>) {
        let traits = Traits::new(entry);
        let at = self.entries.len();
        for key in keys(entry, (place.account, place.currency), traits) {
            self.by.entry(key).or_default().push(at);
        }
        let Place { statement, format, .. } = place;
        let account = hash(place.account);
        self.entries.push(Known { id, account, statement, format, traits, repeated_by: None });
    }

    /// Says whether an entry repeats one that came before.
    pub fn find(&mut self, entry: &Entry, place: Place<'_>) -> Option<Repeats> {
        let traits = Traits::new(entry);
        let mut perhaps = None;
        for key in keys(entry, (place.account, place.currency), traits) {
            let of = self.by.get(&key).map(Vec::as_slice).unwrap_or_default();
            for at in of.iter().take(MOST) {
                let Some(known) = self.entries.get(*at) else { continue };
                let apart = self.apart(known.statement, place.statement);
                let Some(known) = self.entries.get_mut(*at) else { continue };
                if apart == Some(true)
                    || known.statement == place.statement
                    || known.repeated_by == Some(place.statement)
                {
                    continue;
                }
                if known.account != hash(place.account) {
                    perhaps = perhaps.or(Some(*at));
                    continue;
                }
                match compare(&known.traits, &traits, known.format == place.format) {
                    Some(true) if apart.is_none() => {
                        known.repeated_by = Some(place.statement);
                        return Some(Repeats::Surely(known.id.clone()));
                    }
                    Some(_) => perhaps = perhaps.or(Some(*at)),
                    None => {}
                }
            }
        }
        let known = self.entries.get_mut(perhaps?)?;
        known.repeated_by = Some(place.statement);
        Some(Repeats::Perhaps(known.id.clone()))
    }
}

/// Whether two entries of one account and amount are the same for sure (`true`), perhaps, or not. Without one reference
/// of the bank they are of one day.
fn compare(a: &Traits, b: &Traits, one_format: bool) -> Option<bool> {
    let told = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a == b);
    let bank = told(a.bank, b.bank);
    let (end_to_end, text) = (told(a.end_to_end, b.end_to_end), told(a.text, b.text));
    let payer = told(a.payer, b.payer);
    match bank {
        Some(true) => {
            let apart = [end_to_end == Some(false), payer == Some(false), !a.one_day(b)];
            let apart = apart.into_iter().filter(|apart| *apart).count();
            // Between two formats a text of its own is none where the payer or its reference is the same.
            let known = end_to_end == Some(true) || payer == Some(true);
            let reworded = text == Some(false) && (one_format || !known);
            return (apart < 2).then_some(apart == 0 && !reworded);
        }
        Some(false) if one_format => return None,
        _ => {}
    }
    if end_to_end == Some(false) || payer == Some(false) {
        return None;
    }
    let same = end_to_end == Some(true) || text == Some(true);
    if same && bank.is_none() {
        return Some(true);
    }
    let apart = text == Some(false) && one_format;
    ((same || payer == Some(true)) && !apart).then_some(false)
}

impl Traits {
    fn new(entry: &Entry) -> Self {
        let bank = entry
            .bank_reference
            .as_deref()
            .map(|text| plain(text).chars().take(REFERENCE).collect::<String>());
        let mut text: String = entry.references.iter().map(|text| plain(text)).collect();
        text.push_str(&plain(&entry.remittance));
        let payer = entry.account.clone().or_else(|| entry.name.as_deref().map(name::key));
        let of = |text: String| (!text.is_empty()).then(|| hash(&text));
        Self {
            bank: bank.and_then(of),
            end_to_end: entry.end_to_end.as_deref().map(plain).and_then(of),
            text: of(text),
            payer: payer.and_then(of),
            days: [entry.booked_on, entry.value_on],
        }
    }

    /// Whether a day of one is a day of the other.
    fn one_day(&self, other: &Self) -> bool {
        self.days.iter().flatten().any(|day| other.days.contains(&Some(*day)))
    }
}

/// By what an entry is looked up.
fn keys(entry: &Entry, account: (&str, Currency), traits: Traits) -> Vec<u64> {
    let mut days: Vec<Option<Date>> = vec![entry.booked_on];
    if entry.value_on.is_some() && entry.value_on != entry.booked_on {
        days.push(entry.value_on);
    }
    let mut keys: Vec<u64> =
        traits.bank.iter().map(|bank| hash(&(account, entry.minor, 'b', bank))).collect();
    // The bank's reference, day, amount, payer and text together say it under any account of ours.
    if let (Some(bank), Some(payer), Some(text)) = (traits.bank, traits.payer, traits.text) {
        let of = (account.1, entry.minor, entry.booked_on);
        keys.push(hash(&(of, 'a', bank, payer, text)));
    }
    for day in days {
        let kinds = [('e', traits.end_to_end), ('t', traits.text), ('p', traits.payer)];
        for (kind, of) in kinds.into_iter().filter_map(|(kind, of)| Some((kind, of?))) {
            keys.push(hash(&(account, entry.minor, day, kind, of)));
        }
    }
    keys
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn hash<T: Hash + ?Sized>(of: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Currency {
        "EUR".parse().unwrap()
    }

    /// Bank's reference, end-to-end reference, text, payer; `-` is nothing.
    fn entry(text: &str) -> Entry {
        let mut words =
            text.split_whitespace().map(|word| Some(word.to_string()).filter(|w| w != "-"));
        let mut next = || words.next().flatten();
        Entry {
            booked_on: "2026-10-31".parse().ok(),
            minor: 1_000,
            bank_reference: next(),
            end_to_end: next(),
            remittance: next().unwrap_or_default(),
            account: next(),
            ..Entry::default()
        }
    }

    #[test]
    fn entries_are_the_same_by_what_the_bank_and_the_payer_say() {
        use BankFormat::{Camt053 as C, Mt940 as M};
        // What came before, what comes, its format; `=` the same for sure, `?` perhaps, `|` another one.
        for (before, now, format, wanted) in [
            ("B1 E1 Rent P1", "B1 E1 Rent P1", C, '='),
            ("B1 E1 Rent P1", "B2 E1 Rent P1", C, '|'),
            ("B1 - - -", "B1 E9 Other P9", M, '='),
            ("B1 E1 Rent P1", "B1 E1 Other P1", C, '?'),
            ("B1 E1 Rent P1", "B1 E1 Other P1", M, '='),
            ("B1 - Rent -", "B1 - Other -", M, '?'),
            ("B1 E1 Rent P1", "B1 E2 Rent P1", C, '?'),
            ("B1 E1 Rent P1", "B1 E1 Rent P2", M, '?'),
            ("B1 E1 Rent P1", "B1 E2 Other P2", C, '|'),
            ("B123456789012345-9 - - -", "B123456789012345 - - -", M, '='),
            ("- E1 Rent P1", "- E1 Other P1", C, '='),
            ("B1 E1 Rent P1", "- E1 - -", M, '='),
            ("B1 - Rent P1", "- - RENT P1", M, '='),
            ("B1 E1 Rent P1", "X9 E1 Rent P1", M, '?'),
            ("B1 - Rent P1", "- - Miete P1", M, '?'),
            ("- - Rent P1", "- - Miete P1", C, '|'),
            ("- - - P1", "- - - P1", C, '?'),
            ("- E1 - P1", "- E2 - P1", M, '|'),
            ("- E1 - P1", "- E1 - P2", M, '|'),
            ("- - Rent -", "- - Rent P2", M, '='),
            ("- - - -", "- - - -", M, '|'),
        ] {
            let mut seen = Seen::default();
            let id: Id = "first".parse().unwrap();
            let place =
                |statement, format| Place { account: "A", currency: eur(), statement, format };
            seen.add(id.clone(), &entry(before), place(1, C));
            let elsewhere = Place { account: "B", ..place(2, format) };
            // Reference of the bank, text and payer: what is the same under another account stands below.
            let telling = |text: &str| -> Vec<String> {
                let words = text.split(' ').map(str::to_uppercase).enumerate();
                words.filter(|(at, _)| *at != 1).map(|(_, word)| word).collect()
            };
            if telling(before) != telling(now) {
                assert_eq!(seen.find(&entry(now), elsewhere), None, "another account: {now}");
            }
            assert_eq!(seen.find(&entry(now), place(1, C)), None, "the same statement: {now}");
            let dollars = Place { currency: "USD".parse().unwrap(), ..place(2, format) };
            assert_eq!(seen.find(&entry(now), dollars), None, "another currency: {now}");
            let more = Entry { minor: 1_001, ..entry(now) };
            assert_eq!(seen.find(&more, place(2, format)), None, "another amount: {now}");
            let wanted = match wanted {
                '=' => Some(Repeats::Surely(id)),
                '?' => Some(Repeats::Perhaps(id)),
                _ => None,
            };
            assert_eq!(seen.find(&entry(now), place(2, format)), wanted, "{before} / {now}");
            // Once in each statement: the next one like it is another payment.
            assert_eq!(seen.find(&entry(now), place(2, format)), None, "again: {now}");
            assert_eq!(seen.find(&entry(now), place(3, format)), wanted, "a third: {now}");
        }
    }

    #[test]
    fn under_another_account_what_is_the_same_in_all_is_perhaps_the_same() {
        for (now, found) in [
            ("B1 E1 Rent P1", true),
            ("B1 - RENT P1", true),
            ("B1 E1 Rent P2", false),
            ("B1 E1 Other P1", false),
            ("- E1 Rent P1", false),
            ("B1 E1 Rent -", false),
        ] {
            let mut seen = Seen::default();
            let format = BankFormat::Camt053;
            let place = |account, statement| Place { account, currency: eur(), statement, format };
            let id: Id = "first".parse().unwrap();
            seen.add(id.clone(), &entry("B1 E1 Rent P1"), place("A", 1));
            let wanted = found.then_some(Repeats::Perhaps(id));
            assert_eq!(seen.find(&entry(now), place("B", 2)), wanted, "{now}");
        }
    }

    #[test]
    fn statements_that_follow_each_other_have_no_entry_in_common() {
        // Number, opening and closing balance of the statement before and of the one after; whether they are apart, `|` for
        // sure and `?` as far as can be seen.
        for (before, now, apart) in [
            ("210 1000 1500", "211 1500 2000", '|'),
            ("00210/001 1000 1500", "00211/001 1500 2000", '|'),
            ("210 1000 1500", "211 1000 1500", '='),
            ("210 1000 1500", "212 1500 2000", '='),
            ("210 1000 1500", "211 1400 2000", '='),
            ("210 1000 1500", "- 1500 2000", '='),
            ("210 1000 1000", "211 1000 1500", '?'),
            ("210 1000 1000", "211 1000 1000", '?'),
            ("210 1000 1000", "210 1000 1000", '='),
            ("211 1000 1500", "210 1000 1000", '?'),
            ("210 1000 1000", "212 1000 1500", '='),
            ("211 1500 2000", "210 1000 1500", '|'),
        ] {
            let link = |statement, text: &'static str| {
                let words: Vec<&str> = text.split(' ').collect();
                Link {
                    place: Place {
                        account: "A",
                        currency: eur(),
                        statement,
                        format: BankFormat::Mt940,
                    },
                    sequence: Some(words[0]).filter(|word| *word != "-"),
                    opening_minor: words[1].parse().unwrap(),
                    closing_minor: words[2].parse().unwrap(),
                    is_empty: false,
                }
            };
            let mut seen = Seen::default();
            let links = [link(1, before), link(2, now)];
            seen.chain(&links);
            let id: Id = "first".parse().unwrap();
            seen.add(id.clone(), &entry("- - Rent P1"), links[0].place);
            let wanted = match apart {
                '=' => Some(Repeats::Surely(id)),
                '?' => Some(Repeats::Perhaps(id)),
                _ => None,
            };
            assert_eq!(
                seen.find(&entry("- - Rent P1"), links[1].place),
                wanted,
                "{before} / {now}"
            );
        }
    }

    #[test]
    fn the_day_may_be_the_booking_day_or_the_value_day() {
        let camt = Entry { value_on: "2026-11-02".parse().ok(), ..entry("B1 E1 - -") };
        for (day, found) in [("2026-10-31", true), ("2026-11-02", true), ("2026-11-01", false)] {
            let mut seen = Seen::default();
            let place =
                |statement, format| Place { account: "A", currency: eur(), statement, format };
            seen.add("first".parse().unwrap(), &camt, place(1, BankFormat::Camt053));
            let day: Option<Date> = day.parse().ok();
            let now = Entry { booked_on: day, value_on: day, ..entry("- E1 - -") };
            assert_eq!(seen.find(&now, place(2, BankFormat::Mt940)).is_some(), found, "{day:?}");
        }
    }

    #[test]
    fn a_reference_that_the_bank_counts_anew_is_no_proof() {
        let find = |before: &str, now: &str, day: &str| {
            let mut seen = Seen::default();
            let place = |statement| Place {
                account: "A",
                currency: eur(),
                statement,
                format: BankFormat::Mt940,
            };
            seen.add("first".parse().unwrap(), &entry(before), place(1));
            let now = Entry { booked_on: day.parse().ok(), ..entry(now) };
            seen.find(&now, place(2))
        };
        let first = || "first".parse().unwrap();
        assert_eq!(
            find("B1 E1 Rent P1", "B1 E1 Rent P1", "2026-10-31"),
            Some(Repeats::Surely(first()))
        );
        assert_eq!(
            find("B1 E1 Rent P1", "B1 E1 Rent P1", "2026-11-01"),
            Some(Repeats::Perhaps(first()))
        );
        assert_eq!(find("B1 E1 Rent P1", "B1 E2 Rent P1", "2026-11-01"), None);
    }
}
