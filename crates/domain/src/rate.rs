//! Tables of dated rates: what holds on a day is the last row that began by then.
//!
//! Some tables ship with Dunlin. Rows that a client stores under a name of theirs extend them, and take the place of a
//! row of the same day. A row that nobody checked against an official text says so wherever it is used.

use crate::arrange::mapped;
use crate::{
    Date, Decimal, Id, Refusal, Refused,
    contract::ledger::{RateRow, RateTable},
};
use std::collections::BTreeMap;

/// The most decimals of a rate: `0.05` percent a day is four, and exact sums stay within 128 bits.
pub const MAX_DECIMALS: u32 = 8;

/// The largest rate of a table: a thousand percent, or ten million for one unit of a currency.
const MAX_RATE: i64 = 10_000_000;

/// The tables that ship, one row a line: name, valid_from, rate, confirmed, source.
const SHIPPED: &str = include_str!("rates.csv");

/// Tables whose last row that ships holds for a known time: by law for a half-year.
const HOLDS_UNTIL: [(&str, &str); 1] = [("de-base-rate", "2025-12-31")];

/// All rates of a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    rows: BTreeMap<String, BTreeMap<Date, RateRow>>,
    /// The last day for which a shipped table is known to be right: that of its last row, or what that row holds for.
    known_through: BTreeMap<String, Date>,
}

impl Tables {
    /// The tables that ship.
    pub fn shipped() -> Self {
        let mut tables = Self::default();
        for line in SHIPPED.lines().skip(1) {
            let mut fields = line.splitn(5, ',');
            let mut next = || fields.next().unwrap_or_default();
            let (name, day, rate, confirmed, source) = (next(), next(), next(), next(), next());
            if let (Ok(valid_from), Ok(rate)) = (day.parse(), rate.parse()) {
                let source = source.to_string();
                tables
                    .put(name, RateRow { valid_from, rate, source, confirmed: confirmed == "yes" });
            }
        }
        let last = |(name, rows): (&String, &BTreeMap<Date, RateRow>)| {
            let held = HOLDS_UNTIL.iter().find(|(table, _)| table == name);
            let held = held.and_then(|(_, day)| day.parse().ok());
            Some((name.clone(), held.or(rows.keys().next_back().copied())?))
        };
        tables.known_through = mapped(tables.rows.iter().filter_map(last));
        tables
    }

    /// Adds a row, in place of one of the same table and day. One that is newer than all that ship shows that the table
    /// is kept by its user.
    pub fn put(&mut self, name: &str, row: RateRow) {
        let rows = self.rows.entry(name.to_string()).or_default();
        if rows.keys().next_back().is_some_and(|last| row.valid_from > *last) {
            self.known_through.remove(name);
        }
        rows.insert(row.valid_from, row);
    }

    /// The last day for which a shipped table is known to be right. `None` for a table that its user keeps.
    pub fn known_through(&self, name: &Id) -> Option<Date> {
        self.known_through.get(name.as_str()).copied()
    }

    /// The names, in their order.
    pub fn names(&self) -> Vec<Id> {
        self.rows.keys().filter_map(|name| name.parse().ok()).collect()
    }

    /// A table whole.
    pub fn table(&self, name: &Id) -> Option<RateTable> {
        let rows = self.rows.get(name.as_str())?.values().cloned().collect();
        Some(RateTable { name: name.clone(), rows, known_through: self.known_through(name) })
    }

    /// The row that holds on a day.
    pub fn at(&self, name: &Id, day: Date) -> Result<&RateRow, Refused> {
        let row = self.rows.get(name.as_str()).and_then(|rows| rows.range(..=day).next_back());
        row.map(|(_, row)| row).ok_or_else(|| {
            let detail = format!("the table {} has no rate for {day}", name.as_str());
            Refused::new(Refusal::RateMissing, detail)
        })
    }

    /// The days on which another row begins to hold, after one day and up to another.
    pub fn changes(&self, name: &Id, after: Date, upto: Date) -> Vec<Date> {
        let rows = self.rows.get(name.as_str()).filter(|_| after < upto);
        let later = |rows: &BTreeMap<Date, RateRow>| {
            rows.range(after..=upto).map(|(day, _)| *day).filter(|day| *day > after).collect()
        };
        rows.map(later).unwrap_or_default()
    }
}

/// What the names of tables of exchange rates begin with: `fx-<from>-<to>`.
pub const EXCHANGE: &str = "fx-";

/// Refuses rows that the table of this name may not hold. Exchange rates are looked up in lower case, so that a table
/// with other letters would never be read; and nothing is had for nothing.
pub fn check_table(name: &Id, rows: &[RateRow]) -> Result<(), Refused> {
    rows.iter().try_for_each(check)?;
    let mut days: BTreeMap<Date, &RateRow> = BTreeMap::new();
    for row in rows {
        if days.insert(row.valid_from, row).is_some_and(|other| other != row) {
            let detail = format!("two rows of {} say different things", row.valid_from);
            return Err(Refused::new(Refusal::DifferentContent, detail).at("valid_from"));
        }
    }
    let lower = name.as_str().to_ascii_lowercase();
    if !lower.starts_with(EXCHANGE) {
        return Ok(());
    }
    if lower != name.as_str() {
        let detail = format!("tables of exchange rates are named in lower case: {lower}");
        return Err(Refused::new(Refusal::MalformedField, detail).at("name"));
    }
    if rows.iter().any(|row| row.rate <= Decimal::ZERO) {
        let detail = "an exchange rate is above 0";
        return Err(Refused::new(Refusal::MalformedField, detail).at("rate"));
    }
    Ok(())
}

/// Refuses a row that no table may hold.
pub fn check(row: &RateRow) -> Result<(), Refused> {
    let refused = |detail: String| Refused::new(Refusal::MalformedField, detail);
    let rate = row.rate.normalize();
    if rate.scale() > MAX_DECIMALS {
        return Err(refused(format!("a rate has at most {MAX_DECIMALS} decimals")).at("rate"));
    }
    if rate <= Decimal::NEGATIVE_ONE || rate > Decimal::from(MAX_RATE) {
        return Err(refused(format!("a rate is above -1 and at most {MAX_RATE}")).at("rate"));
    }
    if row.source.trim().is_empty() || row.source.chars().count() > 200 {
        return Err(refused("a source has 1 to 200 characters".into()).at("source"));
    }
    if row.source.chars().any(char::is_control) {
        return Err(Refused::new(Refusal::MalformedText, "a source is one line").at("source"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn id(text: &str) -> Id {
        text.parse().unwrap()
    }

    #[test]
    fn every_shipped_line_is_a_row_in_order() {
        let tables = Tables::shipped();
        let rows: usize =
            tables.names().iter().map(|name| tables.table(name).unwrap().rows.len()).sum();
        assert_eq!(rows, SHIPPED.lines().count() - 1);
        let names: Vec<String> = tables.names().iter().map(|name| name.as_str().into()).collect();
        assert_eq!(names, ["boe-bank-rate", "de-base-rate", "ecb-main", "lpr-1y"]);
        for name in tables.names() {
            for row in tables.table(&name).unwrap().rows {
                assert_eq!(check(&row), Ok(()), "{name:?} {row:?}");
                assert_eq!(row.confirmed, name == id("lpr-1y"), "{name:?}");
            }
        }
    }

    #[test]
    fn a_day_has_one_row_however_often_it_is_said() {
        let row = |day: &str, rate: &str| RateRow {
            valid_from: date(day),
            rate: rate.parse().unwrap(),
            source: "ours".into(),
            confirmed: true,
        };
        let refused = |rows: &[RateRow]| check_table(&id("house"), rows).err().map(|of| of.code);
        let (one, same) = (row("2024-01-01", "0.05"), row("2024-01-01", "0.050"));
        assert_eq!(refused(&[one.clone(), row("2024-01-02", "0.06"), same]), None);
        let other = row("2024-01-01", "0.06");
        assert_eq!(refused(&[one, other]), Some(Refusal::DifferentContent));
    }

    #[test]
    fn a_shipped_table_says_how_far_it_goes_until_a_newer_row_comes() {
        let mut tables = Tables::shipped();
        let row = |day: &str| RateRow {
            valid_from: date(day),
            rate: Decimal::ONE,
            source: "ours".into(),
            confirmed: true,
        };
        for (name, through) in [
            ("lpr-1y", "2025-05-20"),
            ("boe-bank-rate", "2025-08-07"),
            ("ecb-main", "2025-06-11"),
            ("de-base-rate", "2025-12-31"),
        ] {
            assert_eq!(tables.known_through(&id(name)), Some(date(through)), "{name}");
            assert_eq!(tables.table(&id(name)).unwrap().known_through, Some(date(through)));
        }
        // An older row of the user's own says nothing of what came since.
        tables.put("lpr-1y", row("2020-01-01"));
        assert_eq!(tables.known_through(&id("lpr-1y")), Some(date("2025-05-20")));
        tables.put("lpr-1y", row("2025-06-20"));
        tables.put("house", row("2020-01-01"));
        assert_eq!(tables.known_through(&id("lpr-1y")), None);
        assert_eq!(tables.known_through(&id("house")), None);
    }

    #[test]
    fn the_one_year_lpr_holds_from_its_day() {
        let table = [
            ("2019-08-20", "0.0425"),
            ("2019-09-19", "0.0425"),
            ("2019-09-20", "0.0420"),
            ("2019-11-20", "0.0415"),
            ("2020-02-20", "0.0405"),
            ("2020-04-20", "0.0385"),
            ("2021-12-19", "0.0385"),
            ("2021-12-20", "0.0380"),
            ("2022-01-20", "0.0370"),
            ("2022-08-22", "0.0365"),
            ("2023-06-20", "0.0355"),
            ("2023-08-20", "0.0355"),
            ("2023-08-21", "0.0345"),
            ("2024-06-01", "0.0345"),
            ("2024-07-22", "0.0335"),
            ("2024-10-21", "0.0310"),
            ("2025-05-20", "0.0300"),
        ];
        let tables = Tables::shipped();
        for (day, rate) in table {
            let found = tables.at(&id("lpr-1y"), date(day)).unwrap();
            assert_eq!(found.rate, rate.parse().unwrap(), "{day}");
        }
        let refused = tables.at(&id("lpr-1y"), date("2019-08-19")).unwrap_err();
        assert_eq!(refused.code, Refusal::RateMissing);
        assert_eq!(refused.detail, "the table lpr-1y has no rate for 2019-08-19");
        assert_eq!(
            tables.at(&id("none"), date("2024-01-01")).unwrap_err().code,
            Refusal::RateMissing
        );
    }

    #[test]
    fn a_row_of_ones_own_takes_the_place_of_its_day() {
        let mut tables = Tables::shipped();
        let own = |day: &str, rate: &str| RateRow {
            valid_from: date(day),
            rate: rate.parse().unwrap(),
            source: "own".into(),
            confirmed: false,
        };
        tables.put("lpr-1y", own("2025-05-20", "0.0301"));
        tables.put("lpr-1y", own("2026-01-20", "0.029"));
        let at = |day: &str| tables.at(&id("lpr-1y"), date(day)).unwrap().rate.to_string();
        assert_eq!(
            [at("2025-05-19"), at("2025-05-20"), at("2026-02-01")],
            ["0.031", "0.0301", "0.029"]
        );
        assert_eq!(
            tables.changes(&id("lpr-1y"), date("2025-05-20"), date("2026-01-20")),
            [date("2026-01-20")]
        );
    }

    #[test]
    fn what_no_table_may_hold_is_refused() {
        for (rate, source, field) in [
            ("-1", "x", Some("rate")),
            ("-0.99", "x", None),
            ("0.123456789", "x", Some("rate")),
            ("0.1234567800", "x", None),
            ("10000001", "x", Some("rate")),
            ("0.01", " ", Some("source")),
            ("0.01", "a\nb", Some("source")),
        ] {
            let row = RateRow {
                valid_from: date("2024-01-01"),
                rate: rate.parse().unwrap(),
                source: source.into(),
                confirmed: false,
            };
            assert_eq!(
                check(&row).err().and_then(|r| r.field).as_deref(),
                field,
                "{rate} {source:?}"
            );
        }
    }
}
