//! Numbers of documents, as they are written and as payers write them.
//!
//! A number is compared in capitals, by its ASCII letters and digits alone, without zeros that begin a row of digits
//! after a letter or at the start: `re 2026/0012` is `RE20260012`, `INV-0012` is `INV12`. What a payer wrote is cut
//! into rows of letters and of digits, and neighbours are put together again, so that spaces and marks inside a
//! number do not matter.

use super::{Entry, name::Name, reference};
use std::borrow::Cow;

/// The most documents that one entry names: a text of 140 characters has room for about twenty.
pub const MOST_NAMED: usize = 50;

/// The fewest characters of a number that is looked for in a text: shorter ones are found in every date.
const FEWEST: usize = 4;

/// The most characters of a number that is looked for.
const MOST: usize = 40;

/// From so many digits on, a part of a number is worth something.
pub const TELLING_DIGITS: usize = 5;

/// The most numbers that are looked for in one text.
const MOST_TRIED: usize = 64;

/// Rows of letters and digits that one number has: `RE-2026-10-0012-A` has five.
const MOST_ROWS: usize = 6;

/// Letters before or in a number: longer rows are words.
const MOST_LETTERS: usize = 6;

/// The number as it is compared. Empty when it has no letters and digits.
pub fn number(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(char::is_ascii_alphanumeric) {
        push(&mut out, c.to_ascii_uppercase());
    }
    out
}

/// How a number looks: its letters, and `0` for each digit.
pub fn mask(number: &str) -> String {
    number.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// Whether one number is the other but for one digit, or for two neighbours that changed places.
pub(super) fn nearly(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let digit = |of: &[u8], at: usize| of.get(at).is_some_and(u8::is_ascii_digit);
    let differing = |at: &usize| one.get(*at) != other.get(*at);
    let mut wrong = (0..one.len()).filter(differing);
    let found = (wrong.next(), wrong.next(), wrong.next());
    if one.len() != other.len() || found.0.is_none_or(|at| !digit(one, at) || !digit(other, at)) {
        return false;
    }
    match found {
        (Some(_), None, _) => true,
        (Some(at), Some(next), None) => {
            next == at.saturating_add(1)
                && one.get(at) == other.get(next)
                && one.get(next) == other.get(at)
        }
        _ => false,
    }
}

/// What is asked about the mask of a number, which is not kept.
pub fn masked<T>(number: &str, ask: impl FnOnce(&str) -> T) -> T {
    let mut short = [0u8; MOST];
    let Some(place) = short.get_mut(..number.len()).filter(|_| number.is_ascii()) else {
        return ask(&mask(number));
    };
    for (to, from) in place.iter_mut().zip(number.bytes()) {
        *to = if from.is_ascii_digit() { b'0' } else { from };
    }
    ask(std::str::from_utf8(place).unwrap_or_default())
}

/// Adds a character to a number; a zero that begins a row of digits is left out.
fn push(out: &mut String, c: char) {
    let in_row = out.as_bytes().last().is_some_and(u8::is_ascii_digit);
    if c != '0' || in_row {
        out.push(c);
    }
}

/// What a document is found by: its whole number, and the parts of it that payers write instead.
pub fn of_document(id: &str) -> (String, Vec<String>) {
    let whole = number(id);
    let rows: Vec<&str> =
        id.split(|c: char| !c.is_ascii_digit()).filter(|row| !row.is_empty()).collect();
    let mut parts = vec![number(&rows.concat())];
    parts.extend(rows.last().map(|row| number(row)));
    parts.dedup();
    parts.retain(|part| part.len() >= FEWEST && *part != whole);
    (whole, parts)
}

/// What an entry may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clues {
    /// Numbers out of references with check digits or in fields of their own.
    pub structured: Vec<String>,
    /// Numbers that may stand in the text.
    pub numbers: Vec<String>,
    /// What QR references end with, the longest first: issuers put their bank's number and the customer's before the
    /// document's.
    pub endings: Vec<String>,
    /// Something is written like a reference with check digits, and they are wrong.
    pub wrong: bool,
    /// The payer's name.
    pub name: Option<Name>,
    /// The name of the one for whom it pays.
    pub ultimate: Option<Name>,
}

impl Clues {
    /// The names that may be the customer's.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.name.iter().chain(&self.ultimate)
    }
}

/// What this entry may name. Of the numbers that its text may be read as, those that a document may have.
pub fn clues(entry: &Entry, fits: impl Fn(&str) -> bool) -> Clues {
    let mut structured = Vec::new();
    for text in &entry.references {
        structured.extend(reference::creditor(text).map(|body| number(&body)));
        structured.extend(reference::qr(text));
        structured.push(number(text));
    }
    let text = match &entry.end_to_end {
        Some(id) => Cow::Owned([entry.remittance.as_str(), " ; ", id].concat()),
        None => Cow::Borrowed(entry.remittance.as_str()),
    };
    let rows = rows(&text);
    structured.extend(creditor_in(&rows));
    structured.extend(qr_in(&rows));
    structured.retain(|text| text.len() >= FEWEST);
    structured.sort_unstable();
    structured.dedup();
    let of_qr = entry.references.iter().filter_map(|text| reference::qr(text)).chain(qr_in(&rows));
    let mut endings: Vec<String> = of_qr.flat_map(|body| endings(&body)).collect();
    endings.retain(|text| fits(text));
    let wrong = entry.references.iter().any(|text| reference::wrong(text)) || wrong_in(&rows);
    let named = |name: &Option<String>| {
        name.as_deref().map(Name::new).filter(|name| !name.key().is_empty())
    };
    let (name, ultimate) = (named(&entry.name), named(&entry.ultimate));
    Clues { structured, numbers: numbers(&rows, fits), endings, wrong, name, ultimate }
}

/// The ends of a row of digits that may be a number, the longest first. A short one counts where zeros fill its field.
fn endings(body: &str) -> Vec<String> {
    let ends = (1..body.len()).filter_map(|from| body.get(from..));
    let told = |end: &&str| {
        let least = if end.starts_with('0') { FEWEST } else { TELLING_DIGITS };
        end.trim_start_matches('0').len() >= least
    };
    let mut found: Vec<String> = ends.filter(told).map(number).collect();
    found.dedup();
    found
}

/// Letters or digits in a row, and whether white space or a mark stands before them.
struct Row<'a> {
    text: &'a str,
    digits: bool,
    apart: bool,
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut apart = true;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let class = |b: u8| (b.is_ascii_digit(), b.is_ascii_alphabetic());
        // Bytes of other letters are neither, the first of them like the last.
        let of = rest.bytes().next().map(class);
        let length = rest.bytes().position(|b| Some(class(b)) != of).unwrap_or(rest.len());
        let (row, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if first.is_ascii_alphanumeric() {
            rows.push(Row { text: row, digits: first.is_ascii_digit(), apart });
            apart = false;
        } else {
            // Marks inside a number bind: `2026/12`, `INV-7`, `INV_7`.
            apart = !(row.chars().count() == 1 && row.contains(['-', '/', '.', '_']));
        }
        rest = after;
    }
    rows
}

/// Every number that the rows may be read as.
fn numbers(rows: &[Row<'_>], fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut tried, mut text) = (0usize, String::new());
    for start in 0..rows.len() {
        text.clear();
        let (mut gaps, mut digits) = (0u32, false);
        for (at, row) in rows.iter().enumerate().skip(start).take(MOST_ROWS) {
            gaps = gaps.saturating_add(u32::from(at > start && row.apart));
            let word = !row.digits && row.text.len() > MOST_LETTERS;
            // Letters that stand apart after digits begin something else, but for one: `INV 1001 A`.
            let other = digits && !row.digits && row.apart && row.text.len() > 1;
            if gaps > 2 || word || other || text.len().saturating_add(row.text.len()) > MOST {
                break;
            }
            row.text.bytes().for_each(|b| push(&mut text, b.to_ascii_uppercase().into()));
            digits |= row.digits;
            if digits && text.len() >= FEWEST {
                tried = tried.saturating_add(1);
                if fits(&text) {
                    found.push(text.clone());
                }
            }
        }
        if tried >= MOST_TRIED {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Creditor references in the text, with or without spaces.
fn creditor_in(rows: &[Row<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for start in 0..rows.len() {
        if !rows.get(start).is_some_and(|row| row.text.eq_ignore_ascii_case("RF")) {
            continue;
        }
        let mut text = String::new();
        let mut best = None;
        for row in rows.iter().skip(start) {
            text.push_str(row.text);
            if text.len() > 25 {
                break;
            }
            best = reference::creditor(&text).or(best);
        }
        found.extend(best.map(|body| number(&body)));
    }
    found
}

/// Whether a creditor or QR reference stands in the text, written as one, of which the check digits are wrong.
fn wrong_in(rows: &[Row<'_>]) -> bool {
    let creditor = |at: usize| {
        let mark = rows.get(at).is_some_and(|row| row.text.eq_ignore_ascii_case("RF"));
        let digits = rows.get(at.saturating_add(1)).filter(|row| row.digits && !row.apart);
        mark && digits.is_some_and(|row| row.text.len() == 2 || row.text.len() >= FEWEST + 2)
    };
    let marks = (0..rows.len()).filter(|at| creditor(*at)).count();
    let like_qr = |row: &&Row<'_>| row.digits && row.text.len() == reference::QR_LENGTH;
    marks > 0 && marks > creditor_in(rows).len()
        || rows.iter().filter(like_qr).any(|row| reference::wrong(row.text))
}

/// QR references in the text, with or without spaces.
fn qr_in(rows: &[Row<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for start in 0..rows.len() {
        let mut text = String::new();
        for row in rows.iter().skip(start).take_while(|row| row.digits) {
            text.push_str(row.text);
            if text.len() >= reference::QR_LENGTH {
                break;
            }
        }
        if text.len() == reference::QR_LENGTH {
            found.extend(reference::qr(&text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_compared_without_marks_case_and_leading_zeros() {
        for (text, wanted) in [
            ("INV-0012", "INV12"),
            ("inv 0012", "INV12"),
            ("RE 2026/0012", "RE20260012"),
            ("re-2026-0012", "RE20260012"),
            ("000123", "123"),
            ("发票-100", "100"),
            ("--", ""),
        ] {
            assert_eq!(number(text), wanted, "{text}");
        }
        assert_eq!(of_document("INV-2026-004711").1, ["2026004711", "4711"]);
        assert_eq!(of_document("4711"), ("4711".into(), vec![]));
    }

    #[test]
    fn a_digit_that_is_wrong_is_near_and_two_are_not() {
        for (one, other, wanted) in [
            ("INV1234", "INV1235", true),
            ("INV1234", "INV1243", true),
            ("INV1234", "INV2134", true),
            ("INV1234", "INV1234", false),
            ("INV1234", "INV1432", false),
            ("INV1234", "INV1255", false),
            ("INV1234", "INW1234", false),
            ("INV1234", "INV12345", false),
            ("", "", false),
        ] {
            assert_eq!(nearly(one, other), wanted, "{one} {other}");
        }
    }

    #[test]
    fn numbers_are_found_as_payers_write_them() {
        for (id, text) in [
            ("INV-1001", "Rechnung INV-1001 vom 12.10.2026"),
            ("INV-1001", "rg.nr. inv 1001"),
            ("INV-1001", "RECHNUNG/INV1001/DANKE"),
            ("INV-1001", "发票INV-1001货款"),
            ("RE-2026-0012", "RE 2026 0012, RE 2026 0013"),
            ("RE-2026-0013", "RE 2026 0012, RE 2026 0013"),
            ("2026/00815", "Betaling factuur 2026-00815"),
            ("100234", "Kd 77 Rg 00100234"),
            ("INV-100234A", "INV 100234 A"),
        ] {
            let entry = Entry { remittance: text.into(), ..Entry::default() };
            assert!(clues(&entry, |_| true).numbers.contains(&number(id)), "{id} in {text}");
        }
    }

    #[test]
    fn references_are_found_in_a_text() {
        let text = "Zahlung RF18 5390 0754 7034 vielen Dank, 21 00000 00003 13947 14300 09017";
        let entry = Entry { remittance: text.into(), ..Entry::default() };
        let found = clues(&entry, |_| true).structured;
        assert!(found.contains(&"539007547034".into()), "{found:?}");
        assert!(found.contains(&"21000000000313947143000901".into()), "{found:?}");
    }

    proptest! {
        #[test]
        fn a_number_is_found_whatever_stands_around_it(before in "[A-Z]{7,12}", id in "[A-Z]{2,4}-[1-9][0-9]{3,8}", after in "[a-z]{7,9}") {
            let remittance = format!("{before} {id}, {after}");
            let entry = Entry { remittance, ..Entry::default() };
            prop_assert!(clues(&entry, |_| true).numbers.contains(&number(&id)));
        }

        #[test]
        fn any_text_is_read_in_bounds(text in "\\PC{0,400}") {
            let entry = Entry { remittance: text, ..Entry::default() };
            prop_assert!(clues(&entry, |_| true).numbers.len() <= MOST_TRIED + MOST_ROWS);
        }
    }
}
