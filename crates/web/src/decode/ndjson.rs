//! NDJSON: one flat JSON object a line, its keys the columns of the profile.
//!
//! Numbers are read as the text that stands in the line: `12.50` never becomes a float. A line that is not JSON is a
//! bad row and no fault, because the next line end is certain.

use super::{Cell, Cells, Fault, MAX_RECORD, empty_body, encoding, refuse_long_record, shown};
use dunlin_domain::Refusal;
use dunlin_domain::profile::{MAX_FIELD, Plan, Slice};
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The most errors noted for one line: a line of another source has every key unknown.
const MAX_LINE_ERRORS: usize = 32;

#[derive(Debug)]
pub struct Ndjson {
    plan: Plan,
    /// The bytes of a line that began in an earlier chunk.
    carry: Vec<u8>,
    /// Whether the line has outgrown what is held; its bytes are dropped.
    overlong: bool,
    /// Lines so far.
    pub(super) row: u64,
    /// Whether any line was more than blank.
    pub(super) any: bool,
    line: Line,
}

impl Ndjson {
    pub fn new(plan: Plan) -> Self {
        Self { plan, carry: Vec::new(), overlong: false, row: 0, any: false, line: Line::default() }
    }

    /// Reads the chunk, or the part of it after which the slice is full. Answers how many bytes that were.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        slice: &mut Slice,
        full: impl Fn(&Slice) -> bool,
    ) -> Result<usize, Fault> {
        let mut rest = chunk;
        while let Some(length) = memchr::memchr(b'\n', rest) {
            let (line, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = tail.get(1..).unwrap_or_default();
            self.end_line(line, slice)?;
            if full(slice) {
                return Ok(chunk.len() - rest.len());
            }
        }
        self.keep(rest);
        Ok(chunk.len())
    }

    pub fn finish(&mut self, slice: &mut Slice) -> Result<(), Fault> {
        self.end_line(&[], slice)?;
        if self.any { Ok(()) } else { Err(empty_body()) }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.overlong || self.carry.len() + bytes.len() > MAX_RECORD {
            self.overlong = true;
            self.carry.clear();
        } else {
            self.carry.extend_from_slice(bytes);
        }
    }

    /// Takes a line whose last bytes are these.
    fn end_line(&mut self, last: &[u8], slice: &mut Slice) -> Result<(), Fault> {
        if self.carry.is_empty() && !self.overlong && last.len() <= MAX_RECORD {
            return self.whole_line(last, slice);
        }
        self.keep(last);
        let mut carry = std::mem::take(&mut self.carry);
        let result = self.whole_line(&carry, slice);
        carry.clear();
        self.carry = carry;
        self.overlong = false;
        result
    }

    fn whole_line(&mut self, bytes: &[u8], slice: &mut Slice) -> Result<(), Fault> {
        self.row += 1;
        let row = self.row;
        if self.overlong {
            self.any = true;
            refuse_long_record(slice, row, None);
            return Ok(());
        }
        let text =
            str::from_utf8(bytes).map_err(|_| Fault::at_row(row, encoding::refused(bytes)))?;
        let text = text.trim_ascii();
        if text.is_empty() {
            return Ok(());
        }
        self.any = true;
        self.line.clear(self.plan.columns().len());
        let read = self.line.read(text, &self.plan);
        if let Err(detail) = read {
            slice.refuse_row(row, None, Refusal::MalformedJson, detail);
        } else if self.line.errors.is_empty() {
            self.plan.row(row, &Cells { text: &self.line.text, cells: &self.line.cells }, slice);
        } else {
            for (field, code, detail) in self.line.errors.drain(..) {
                slice.error(row, Some(&field), code, detail);
            }
            slice.count_refused_row();
        }
        Ok(())
    }
}

/// The values of one line by column, copied into one text.
#[derive(Debug, Default)]
struct Line {
    text: String,
    cells: Vec<Cell>,
    /// Which columns the line has named, also with null.
    named: Vec<bool>,
    errors: Vec<(String, Refusal, String)>,
}

impl Line {
    fn clear(&mut self, columns: usize) {
        self.text.clear();
        self.cells.clear();
        self.cells.resize(columns, Cell::NONE);
        self.named.clear();
        self.named.resize(columns, false);
        self.errors.clear();
    }

    fn read(&mut self, text: &str, plan: &Plan) -> Result<(), String> {
        if !text.starts_with('{') {
            return Err("the line is not a JSON object; NDJSON has one object a line and no array around them".to_string());
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let read =
            (&mut json).deserialize_map(Object { line: self, plan }).and_then(|()| json.end());
        read.map_err(|error| {
            let said = error.to_string();
            let what = said.split_once(" at line ").map_or(said.as_str(), |(what, _)| what);
            format!("the line is not JSON: {} at byte {}", shown(what), error.column())
        })
    }

    fn error(&mut self, field: &str, code: Refusal, detail: impl Into<String>) {
        if self.errors.len() < MAX_LINE_ERRORS {
            self.errors.push((shown(field), code, detail.into()));
        }
    }

    fn value(
        &mut self,
        key: &str,
        column: usize,
        raw: &str,
        plan: &Plan,
    ) -> Result<(), serde_json::Error> {
        if self.named.get(column) == Some(&true) {
            self.error(key, Refusal::DuplicateColumn, "the line names this key twice");
            return Ok(());
        }
        if let Some(named) = self.named.get_mut(column) {
            *named = true;
        }
        let start = self.text.len();
        match raw.as_bytes() {
            [b'n', ..] => return Ok(()),
            [b'[', ..] if plan.takes_list(column) => self.text.push_str(raw),
            [b'{' | b'[', ..] => {
                self.error(
                    key,
                    Refusal::MalformedField,
                    "the value is nested; a field is a string, number, true or false",
                );
                return Ok(());
            }
            [b'"', inner @ ..] if inner.contains(&b'\\') => {
                let value: String = serde_json::from_str(raw)?;
                self.text.push_str(&value);
            }
            [b'"', ..] => self.text.push_str(raw.get(1..raw.len() - 1).unwrap_or_default()),
            _ => self.text.push_str(raw),
        }
        let cell = Cell { start, end: self.text.len() };
        if cell.len() > MAX_FIELD {
            self.error(
                key,
                Refusal::TextTooLong,
                format!("the field is longer than {MAX_FIELD} bytes"),
            );
        }
        if let Some(slot) = self.cells.get_mut(column) {
            *slot = cell;
        }
        Ok(())
    }
}

struct Object<'a> {
    line: &'a mut Line,
    plan: &'a Plan,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(Key { plan: self.plan, expected })? {
            let raw: &RawValue = map.next_value()?;
            match key {
                Found::Column(column) => {
                    expected = column + 1;
                    let name = self.plan.columns().get(column).map_or("", String::as_str);
                    self.line
                        .value(name, column, raw.get(), self.plan)
                        .map_err(A::Error::custom)?;
                }
                Found::Unknown(_) if self.plan.ignores_unknown() => {}
                Found::Unknown(key) => self.line.error(
                    &key,
                    Refusal::UnknownField,
                    "the profile does not map this key",
                ),
            }
        }
        Ok(())
    }
}

/// Finds the column of a key without keeping the key.
struct Key<'a> {
    plan: &'a Plan,
    expected: usize,
}

enum Found {
    Column(usize),
    Unknown(String),
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Found;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Found, E> {
        let column = self.plan.column(key, self.expected);
        Ok(column.map_or_else(|| Found::Unknown(shown(key)), Found::Column))
    }
}
