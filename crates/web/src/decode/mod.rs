//! Imports as they arrive: bytes in chunks of any size become slices of checked rows.
//!
//! A [`Decoder`] is fed what the network brings. It splits records wherever the chunks were cut, reads each with the
//! [`Plan`](dunlin_domain::profile::Plan) of the profile, and calls the sink whenever a slice is full. Memory stays
//! bounded: one record of at most [`MAX_RECORD`] bytes, one slice, and the errors that are kept.
//!
//! The bytes are hashed as they are read, so that a file which comes a second time after it was cut is known again: a
//! decoder made with [`Decoder::go_on`] reads over what was [`Reached`], compares the hash, and parses from there.
//!
//! Two kinds of trouble are kept apart. A bad row is noted in the slice and reading goes on. A [`Fault`] says that the
//! rest of the file cannot be understood: another encoding, a header that does not fit, a broken quote.

mod csv;
pub(crate) mod encoding;
mod lines;
mod ndjson;
mod nested;

pub use csv::small;
use dunlin_domain::contract::ingest::{ImportKind, Profile};
use dunlin_domain::profile::{Fields, MAX_FIELD, Plan, Slice};
use dunlin_domain::{Currency, Refusal, Refused};
pub use lines::Lines;
pub use nested::nested;
use sha2::{Digest, Sha256};
use std::fmt;

/// The longest record in bytes, all fields together. A longer one is refused and skipped without being held.
pub const MAX_RECORD: usize = 256 * 1024;

/// A slice is full at this many bytes of JSON even if it has few records, so that long names cost no memory.
pub const MAX_SLICE_BYTES: usize = 8 * 1024 * 1024;

/// How the records of a body are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `text/csv`: RFC 4180 with commas and a header.
    Csv,
    /// `application/x-ndjson`: one JSON object a line.
    Ndjson,
}

/// Why a file cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The refusal, with the column where one is at fault.
    pub refused: Refused,
    /// The row at which reading stopped, where it is known.
    pub row: Option<u64>,
}

impl Fault {
    fn at_row(row: u64, refused: Refused) -> Self {
        Self { refused, row: Some(row) }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self { refused, row: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(row) => write!(f, "row {row}: {}", self.refused),
            None => self.refused.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

/// The SHA-256 of a file that comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct FileHash(Sha256);

impl FileHash {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of the bytes so far, in hex.
    pub fn hex(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How far into a file its records were read: always the end of a record.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows as they are counted in errors.
    pub rows: u64,
    /// The hash of those bytes.
    pub hash: FileHash,
}

/// What was reached of a file when it was cut.
#[derive(Clone, Debug)]
struct Before {
    bytes: u64,
    rows: u64,
    hash: String,
}

/// Reads one body.
///
/// The sink takes the rows out of the slice with [`Rows::take`](dunlin_domain::profile::Rows::take); the errors stay
/// where they are until the end, when [`Decoder::slice`] has those of the whole file. After a fault, or an error of
/// the sink, the decoder is of no further use, and the rows of the unfinished slice are not handed over.
#[derive(Debug)]
pub struct Decoder {
    reader: Reader,
    head: Head,
    slice: Slice,
    most: u64,
    reached: Reached,
    before: Option<Before>,
}

#[derive(Debug)]
enum Reader {
    Csv(csv::Csv),
    Ndjson(ndjson::Ndjson),
}

/// The first bytes, held back until there are enough to see the encoding.
#[derive(Debug, Default)]
struct Head {
    bytes: Vec<u8>,
    seen: bool,
}

impl Decoder {
    /// A decoder that hands over slices of about `records_per_slice` records. Refused are a profile that cannot be
    /// used and a kind that it does not make; what is wrong with the header shows when it was fed.
    pub fn new(
        format: Format,
        profile: &Profile,
        kind: ImportKind,
        zone_is_known: fn(&str) -> bool,
        records_per_slice: u64,
    ) -> Result<Self, Refused> {
        Self::with_currency(format, profile, kind, None, zone_is_known, records_per_slice)
    }

    /// The same with a currency for amounts that have none beside them.
    pub fn with_currency(
        format: Format,
        profile: &Profile,
        kind: ImportKind,
        currency: Option<Currency>,
        zone_is_known: fn(&str) -> bool,
        records_per_slice: u64,
    ) -> Result<Self, Refused> {
        let plan = Plan::for_objects(profile, kind, currency, zone_is_known)?;
        let reader = match format {
            Format::Csv => {
                Reader::Csv(csv::Csv::new(profile.clone(), kind, currency, zone_is_known))
            }
            Format::Ndjson => Reader::Ndjson(ndjson::Ndjson::new(plan)),
        };
        Ok(Self {
            reader,
            head: Head::default(),
            slice: Slice::default(),
            most: records_per_slice.max(1),
            reached: Reached::default(),
            before: None,
        })
    }

    /// The same decoder for a file that was read before to this byte and row, with what was found up to there.
    #[must_use]
    pub fn go_on(mut self, bytes: u64, rows: u64, hash: &str, found: Slice) -> Self {
        self.slice = found;
        self.before = (bytes > 0).then(|| Before { bytes, rows, hash: hash.to_string() });
        self
    }

    /// Takes the next bytes. The sink is called each time the slice is full, which may be never or more than once.
    pub fn feed<E: From<Fault>>(
        &mut self,
        chunk: &[u8],
        sink: &mut impl FnMut(&mut Slice, &Reached) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.head.seen {
            return self.read(chunk, sink);
        }
        self.head.bytes.extend_from_slice(chunk);
        if self.head.bytes.len() < encoding::ENOUGH {
            return Ok(());
        }
        self.read_head(sink)
    }

    /// Says that the body is whole. The sink is called a last time if rows are left in the slice.
    pub fn finish<E: From<Fault>>(
        &mut self,
        sink: &mut impl FnMut(&mut Slice, &Reached) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.head.seen {
            self.read_head(sink)?;
        }
        if self.before.is_some() {
            return Err(Fault::from(changed("the file ends before that")).into());
        }
        match &mut self.reader {
            Reader::Csv(csv) => csv.finish(&mut self.slice)?,
            Reader::Ndjson(ndjson) => ndjson.finish(&mut self.slice)?,
        }
        self.reached.rows = self.reader.rows();
        if self.slice.records() > 0 { sink(&mut self.slice, &self.reached) } else { Ok(()) }
    }

    /// How far the file is read, which is its end once it is finished.
    pub fn reached(&self) -> &Reached {
        &self.reached
    }

    /// The errors and counts so far, and the rows that were not handed over yet.
    pub fn slice(&self) -> &Slice {
        &self.slice
    }

    /// The same, to keep.
    pub fn into_slice(self) -> Slice {
        self.slice
    }

    fn read_head<E: From<Fault>>(
        &mut self,
        sink: &mut impl FnMut(&mut Slice, &Reached) -> Result<(), E>,
    ) -> Result<(), E> {
        self.head.seen = true;
        let bytes = std::mem::take(&mut self.head.bytes);
        let again = self.before.is_some();
        let mark = encoding::byte_order_mark(&bytes)
            .map_err(|refused| if again { changed("it begins otherwise now") } else { refused })
            .map_err(Fault::from)?;
        self.took(bytes.get(..mark).unwrap_or_default());
        self.read(bytes.get(mark..).unwrap_or_default(), sink)
    }

    fn read<E: From<Fault>>(
        &mut self,
        chunk: &[u8],
        sink: &mut impl FnMut(&mut Slice, &Reached) -> Result<(), E>,
    ) -> Result<(), E> {
        let most = self.most;
        let full = |slice: &Slice| slice.records() >= most || slice.bytes() >= MAX_SLICE_BYTES;
        let mut rest = self.read_over(chunk)?;
        while !rest.is_empty() {
            let used = match &mut self.reader {
                Reader::Csv(csv) => csv.feed(rest, &mut self.slice, full)?,
                Reader::Ndjson(ndjson) => ndjson.feed(rest, &mut self.slice, full)?,
            };
            let (taken, tail) = rest.split_at_checked(used).unwrap_or((rest, &[]));
            self.took(taken);
            rest = tail;
            if full(&self.slice) {
                self.reached.rows = self.reader.rows();
                sink(&mut self.slice, &self.reached)?;
            }
        }
        Ok(())
    }

    fn took(&mut self, bytes: &[u8]) {
        self.reached.hash.update(bytes);
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.reached.bytes = self.reached.bytes.saturating_add(count);
    }

    /// Takes what was read before, but for the header without looking at it, and gives what is new.
    fn read_over<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8], Fault> {
        let Some(before) = self.before.clone() else { return Ok(chunk) };
        let mut rest = chunk;
        while !rest.is_empty() && self.reached.bytes < before.bytes {
            let left = before.bytes.saturating_sub(self.reached.bytes);
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            let old = rest.get(..length).unwrap_or(rest);
            let used = match &mut self.reader {
                Reader::Csv(csv) if !csv.has_header() => {
                    let header = csv.feed(old, &mut self.slice, |_| true);
                    header.map_err(|_| changed("its header is another now"))?
                }
                _ => old.len(),
            };
            let (taken, left) = rest.split_at_checked(used).unwrap_or((rest, &[]));
            self.took(taken);
            rest = left;
        }
        if self.reached.bytes < before.bytes {
            return Ok(rest);
        }
        if self.reached.hash.hex() != before.hash {
            return Err(changed("those bytes are others now").into());
        }
        self.reader.go_on(before.rows);
        self.before = None;
        Ok(rest)
    }
}

impl Reader {
    /// Records so far, the header of a CSV included.
    fn rows(&self) -> u64 {
        match self {
            Self::Csv(csv) => csv.row,
            Self::Ndjson(ndjson) => ndjson.row,
        }
    }

    fn go_on(&mut self, rows: u64) {
        match self {
            Self::Csv(csv) => csv.row = rows,
            Self::Ndjson(ndjson) => (ndjson.row, ndjson.any) = (rows, true),
        }
    }
}

/// The refusal of a file that is not the one which was begun.
fn changed(why: &str) -> Refused {
    let detail = format!("a part of this import was received before, and {why}; nothing was lost");
    Refused::new(Refusal::DifferentContent, detail).at("id")
}

/// A row as ranges of one text.
struct Cells<'a> {
    text: &'a str,
    cells: &'a [Cell],
}

/// Where a field stands. An end before the start is a field that is not there.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: usize,
    end: usize,
}

impl Cell {
    const NONE: Self = Self { start: 1, end: 0 };

    fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

impl Fields for Cells<'_> {
    #[inline]
    fn get(&self, column: usize) -> Option<&str> {
        let cell = self.cells.get(column)?;
        self.text.get(cell.start..cell.end)
    }
}

/// Notes the rows that are longer than what is held.
fn refuse_long_record(slice: &mut Slice, row: u64, field: Option<&str>) {
    let detail = match field {
        Some(_) => format!("the field is longer than {MAX_FIELD} bytes"),
        None => format!("the row is longer than {MAX_RECORD} bytes"),
    };
    slice.refuse_row(row, field, Refusal::TextTooLong, detail);
}

/// As much of a text from outside as an error may repeat.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

fn empty_body() -> Fault {
    Refused::new(Refusal::EmptyBody, "the body is empty").into()
}

#[cfg(test)]
mod tests;
