//! A workbook of a spreadsheet as CSV, for `dunlin import`: a workbook can only be read from its end, which is no stream.

use anyhow::{Context as _, Result, bail};
use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use dunlin_domain::profile::MAX_COLUMNS;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Seek};

/// How the profile wants what a spreadsheet does not hold as text.
#[derive(Default)]
pub struct Forms {
    decimal_mark: Option<char>,
    /// What stands between columns, where it is no comma.
    delimiter: Option<char>,
    /// The form of dates by column, as in the contract.
    dates: BTreeMap<String, String>,
}

impl Forms {
    /// The forms of a profile document.
    pub fn of(profile: &Value) -> Forms {
        let form = |value: &Value| value.as_str().map(str::to_owned);
        let mut dates = BTreeMap::new();
        let records = profile["records"].as_array().into_iter().flatten();
        for field in records.flat_map(|record| record["fields"].as_array().into_iter().flatten()) {
            if let Some(column) = field["column"].as_str()
                && field["field"].as_str().is_some_and(|name| name.ends_with("_on"))
            {
                let form = form(&field["date"]).or_else(|| form(&profile["date"]));
                dates.insert(column.to_owned(), form.unwrap_or_else(|| "YMD".to_owned()));
            }
        }
        let mark = |name: &str| profile[name].as_str().and_then(|mark| mark.chars().next());
        Forms { decimal_mark: mark("decimal_mark"), delimiter: mark("delimiter"), dates }
    }

    fn number(&self, value: f64) -> String {
        let text = number(value);
        match self.decimal_mark {
            Some(mark) => text.replace('.', &mark.to_string()),
            None => text,
        }
    }

    /// A day in the form of its column; in a column that is no date of the profile, with the time where it has one.
    fn moment(&self, column: Option<&String>, at: &ExcelDateTime) -> String {
        if !at.is_datetime() {
            return self.number(at.as_f64());
        }
        let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
        match column.and_then(|column| self.dates.get(column)).map(String::as_str) {
            Some("DMY") => format!("{day:02}/{month:02}/{year:04}"),
            Some("MDY") => format!("{month:02}/{day:02}/{year:04}"),
            Some("compact") => format!("{year:04}{month:02}{day:02}"),
            None if (hour, minute, second) != (0, 0, 0) => {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
            _ => format!("{year:04}-{month:02}-{day:02}"),
        }
    }
}

/// A number as a spreadsheet shows it: of its binary number fifteen digits are meant, and what is beyond is noise.
fn number(value: f64) -> String {
    let meant: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    format!("{meant}")
}

/// The sheet of this name, or the first one, as CSV, and the number that each of its rows has in the sheet. Rows without a
/// value are left out.
pub fn csv<R: Read + Seek>(
    workbook: R,
    sheet: Option<&str>,
    forms: &Forms,
) -> Result<(Vec<u8>, Vec<u64>)> {
    let mut workbook = Xlsx::new(workbook).context("this is no workbook (.xlsx)")?;
    let names = workbook.sheet_names();
    let sheet = match sheet {
        Some(name) if names.iter().any(|known| known == name) => name.to_owned(),
        Some(name) => bail!("there is no sheet {name:?}; there are {}", names.join(", ")),
        None => names.first().cloned().context("the workbook has no sheet")?,
    };
    let mut cells = workbook.worksheet_cells_reader(&sheet)?;
    let (header, row, out, numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut table = Table { forms, header, row, out, numbers, at: 0 };
    let mut at = None;
    while let Some(cell) = cells.next_cell()? {
        let (row, column) = cell.get_position();
        if at != Some(row) {
            table.end_row();
            at = Some(row);
            table.at = u64::from(row) + 1;
        }
        table.cell(column as usize, cell.get_value()).with_context(|| {
            format!("row {}, column {} of the sheet {sheet:?}", row + 1, column + 1)
        })?;
    }
    table.end_row();
    Ok((table.out, table.numbers))
}

struct Table<'a> {
    forms: &'a Forms,
    header: Vec<String>,
    row: Vec<String>,
    out: Vec<u8>,
    /// The numbers of the rows in the sheet, and that of this one.
    numbers: Vec<u64>,
    at: u64,
}

impl Table<'_> {
    fn cell(&mut self, column: usize, value: &DataRef<'_>) -> Result<()> {
        let text = match value {
            DataRef::Empty => return Ok(()),
            DataRef::Int(value) => value.to_string(),
            DataRef::Float(value) => self.forms.number(*value),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                text.clone()
            }
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Bool(value) => value.to_string(),
            DataRef::DateTime(at) => self.forms.moment(self.header.get(column), at),
            DataRef::Error(error) => bail!("the cell holds the error {error}"),
        };
        if column >= MAX_COLUMNS {
            bail!("a table has at most {MAX_COLUMNS} columns");
        }
        if self.row.len() <= column {
            self.row.resize(column + 1, String::new());
        }
        self.row[column] = text;
        Ok(())
    }

    fn end_row(&mut self) {
        let mut row = std::mem::take(&mut self.row);
        if row.iter().all(|text| text.trim().is_empty()) {
            return;
        }
        if self.header.is_empty() {
            self.header = row.iter().map(|name| name.trim().to_owned()).collect();
        } else if row.len() < self.header.len() {
            row.resize(self.header.len(), String::new());
        }
        self.numbers.push(self.at);
        let delimiter = self.forms.delimiter.unwrap_or(',');
        for (number, text) in row.iter().enumerate() {
            if number > 0 {
                self.out.extend_from_slice(delimiter.to_string().as_bytes());
            }
            if text.contains(['"', delimiter, '\n', '\r']) {
                self.out.extend_from_slice(format!("\"{}\"", text.replace('"', "\"\"")).as_bytes());
            } else {
                self.out.extend_from_slice(text.as_bytes());
            }
        }
        self.out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_xlsxwriter::{ExcelDateTime as Day, Format, Workbook};
    use serde_json::json;
    use std::io::Cursor;

    fn written() -> Vec<u8> {
        let mut workbook = Workbook::new();
        let day = Format::new().set_num_format("yyyy-mm-dd");
        let sheet = workbook.add_worksheet();
        for (column, name) in ["id", "issued_on", "amount", "note"].iter().enumerate() {
            sheet.write_string(0, column as u16, *name).unwrap();
        }
        let amounts = [1234.56, 0.1 + 0.2, 1e15 - 1.0, 70.0];
        for (row, amount) in (1..).zip(amounts) {
            sheet.write_string(row, 0, format!("I{row}")).unwrap();
            let on = Day::from_ymd(2024, 2, 28 + (row % 2) as u8).unwrap();
            sheet.write_datetime_with_format(row, 1, &on, &day).unwrap();
            sheet.write_number(row, 2, amount).unwrap();
        }
        sheet.write_string(1, 3, "says \"yes\", twice").unwrap();
        sheet.write_number(7, 0, 42).unwrap();
        let other = workbook.add_worksheet().set_name("Other").unwrap();
        other.write_string(0, 0, "alone").unwrap();
        other.write_boolean(1, 0, true).unwrap();
        workbook.save_to_buffer().unwrap()
    }

    fn read(sheet: Option<&str>, profile: &Value) -> Result<String> {
        let (csv, _) = csv(Cursor::new(written()), sheet, &Forms::of(profile))?;
        Ok(String::from_utf8(csv).unwrap())
    }

    #[test]
    fn amounts_and_days_come_out_as_they_are_shown() {
        assert_eq!(
            read(None, &json!({})).unwrap(),
            "id,issued_on,amount,note\n\
             I1,2024-02-29,1234.56,\"says \"\"yes\"\", twice\"\n\
             I2,2024-02-28,0.3,\n\
             I3,2024-02-29,999999999999999,\n\
             I4,2024-02-28,70,\n\
             42,,,\n"
        );
    }

    #[test]
    fn rows_keep_the_number_that_the_sheet_shows() {
        let (_, rows) = csv(Cursor::new(written()), None, &Forms::default()).unwrap();
        assert_eq!(rows, [1, 2, 3, 4, 5, 8]);
    }

    #[test]
    fn columns_are_cut_as_the_profile_says() {
        let text = read(None, &json!({"delimiter": ";"})).unwrap();
        assert_eq!(text.lines().nth(1), Some("I1;2024-02-29;1234.56;\"says \"\"yes\"\", twice\""));
    }

    #[test]
    fn days_and_decimals_are_written_in_the_form_of_the_profile() {
        let profile = json!({"date": "DMY", "decimal_mark": ",", "records": [{"fields": [
            {"field": "issued_on", "column": "issued_on"}]}]});
        let text = read(None, &profile).unwrap();
        assert_eq!(text.lines().nth(2), Some("I2,28/02/2024,\"0,3\","), "{text}");
    }

    /// Whatever becomes of a workbook on its way, it is read or refused.
    #[test]
    fn a_workbook_that_was_damaged_is_read_or_refused() {
        let whole = written();
        let mut state = 1u64;
        let mut below = |bound: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % bound
        };
        for _ in 0..2_000 {
            let mut bytes = whole.clone();
            for _ in 0..=below(4) {
                let at = below(bytes.len());
                match below(3) {
                    0 => bytes[at] = u8::try_from(below(256)).unwrap(),
                    1 => bytes.truncate(at.max(1)),
                    _ => drop(bytes.splice(at..at, [0u8; 3])),
                }
            }
            let _ = csv(Cursor::new(bytes), None, &Forms::default());
        }
    }

    #[test]
    fn a_sheet_is_found_by_its_name() {
        assert_eq!(read(Some("Other"), &json!({})).unwrap(), "alone\ntrue\n");
        let error = read(Some("None"), &json!({})).unwrap_err().to_string();
        assert_eq!(error, "there is no sheet \"None\"; there are Sheet1, Other");
        assert!(csv(Cursor::new(b"no workbook".to_vec()), None, &Forms::default()).is_err());
    }
}
