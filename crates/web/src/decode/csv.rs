//! CSV as RFC 4180 has it: commas, or what the profile names in their place, double quotes, a header.
//!
//! The scanner is our own because csv-core, which is as fast, takes every input: it reads a quote in the middle of a
//! field or text after a closing quote as data, and a file with a lost quote then loses rows without a word. Money is
//! in these files, so a quote out of place stops the reading.
//!
//! LF, CRLF and a lone CR end a row; blank lines are skipped and not counted. Spaces belong to the field, so that a
//! space before an opening quote makes the field unquoted and the quote broken.

use super::{Cell, Cells, Fault, MAX_RECORD, empty_body, encoding, refuse_long_record, shown};
use dunlin_domain::contract::ingest::{ImportKind, Profile};
use dunlin_domain::profile::{MAX_COLUMNS, MAX_FIELD, Plan, Slice};
use dunlin_domain::{Currency, Refusal, Refused};

#[derive(Debug)]
pub struct Csv {
    setup: Option<Setup>,
    plan: Option<Plan>,
    scan: Scan,
    /// The bytes of a record that began in an earlier chunk.
    carry: Vec<u8>,
    /// Whether the record has outgrown what is held; its bytes are dropped and its structure is still followed.
    overlong: bool,
    /// A record whose doubled quotes are undone, and where its fields stand.
    plain: String,
    plain_cells: Vec<Cell>,
    /// Records so far, the header included.
    pub(super) row: u64,
}

/// What the plan is made of when the header comes.
#[derive(Debug)]
struct Setup {
    profile: Profile,
    kind: ImportKind,
    currency: Option<Currency>,
    zone_is_known: fn(&str) -> bool,
}

impl Csv {
    pub fn new(
        profile: Profile,
        kind: ImportKind,
        currency: Option<Currency>,
        zone_is_known: fn(&str) -> bool,
    ) -> Self {
        let scan = Scan { delimiter: profile.delimiter(), ..Scan::default() };
        Self {
            setup: Some(Setup { profile, kind, currency, zone_is_known }),
            plan: None,
            scan,
            carry: Vec::new(),
            overlong: false,
            plain: String::new(),
            plain_cells: Vec::new(),
            row: 0,
        }
    }

    /// Reads the chunk, or the part of it after which the slice is full. Answers how many bytes that were.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        slice: &mut Slice,
        full: impl Fn(&Slice) -> bool,
    ) -> Result<usize, Fault> {
        let mut rest = chunk;
        loop {
            if self.scan.is_fresh() {
                rest = without_line_ends(rest);
            }
            if rest.is_empty() {
                return Ok(chunk.len());
            }
            match self.scan.run(rest) {
                Found::More => {
                    self.keep(rest)?;
                    return Ok(chunk.len());
                }
                Found::Record(used) => {
                    let (record, tail) = rest.split_at_checked(used).unwrap_or((rest, &[]));
                    rest = tail;
                    self.record(record, slice)?;
                    if full(slice) {
                        return Ok(chunk.len() - rest.len());
                    }
                }
                Found::Broken(used, why) => {
                    self.keep(rest.get(..used).unwrap_or(rest))?;
                    return Err(self.broken(why));
                }
            }
        }
    }

    /// Whether the header was read.
    pub fn has_header(&self) -> bool {
        self.plan.is_some()
    }

    pub fn finish(&mut self, slice: &mut Slice) -> Result<(), Fault> {
        if !self.scan.is_fresh() {
            if !self.scan.end_of_text() {
                return Err(self.broken("the quote of this row is never closed"));
            }
            self.record(&[], slice)?;
        }
        if self.plan.is_some() { Ok(()) } else { Err(empty_body()) }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.overlong || self.carry.len() + bytes.len() > MAX_RECORD {
            self.overlong = true;
            self.carry.clear();
            if self.plan.is_none() {
                return Err(Fault::at_row(1, self.long_header()));
            }
        } else {
            self.carry.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Takes a record whose last bytes are these.
    fn record(&mut self, last: &[u8], slice: &mut Slice) -> Result<(), Fault> {
        let result = if self.carry.is_empty() && !self.overlong && last.len() <= MAX_RECORD {
            self.whole_record(last, slice)
        } else {
            self.keep(last)?;
            let mut carry = std::mem::take(&mut self.carry);
            let result = self.whole_record(&carry, slice);
            carry.clear();
            self.carry = carry;
            self.overlong = false;
            result
        };
        self.scan.next_record();
        result
    }

    fn whole_record(&mut self, bytes: &[u8], slice: &mut Slice) -> Result<(), Fault> {
        self.row += 1;
        let row = self.row;
        let Some(plan) = &self.plan else { return self.header(bytes) };
        if self.overlong {
            refuse_long_record(slice, row, long_field(&self.scan.cells, plan).as_deref());
            return Ok(());
        }
        let text =
            str::from_utf8(bytes).map_err(|_| Fault::at_row(row, encoding::refused(bytes)))?;
        if self.scan.columns != plan.columns().len() {
            let (has, columns) = (self.scan.columns, plan.columns().len());
            let detail = format!(
                "the row has {has} fields and the header {columns}; a field that has what stands between fields is in double quotes"
            );
            slice.refuse_row(row, None, Refusal::WrongFieldCount, detail);
            return Ok(());
        }
        if bytes.len() > MAX_FIELD
            && let Some(field) = long_field(&self.scan.cells, plan)
        {
            refuse_long_record(slice, row, Some(&field));
            return Ok(());
        }
        if self.scan.doubled {
            undouble(text, &self.scan.cells, &mut self.plain, &mut self.plain_cells);
            plan.row(row, &Cells { text: &self.plain, cells: &self.plain_cells }, slice);
        } else {
            plan.row(row, &Cells { text, cells: &self.scan.cells }, slice);
        }
        Ok(())
    }

    fn header(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let at_header = |refused| Fault::at_row(1, refused);
        let text = match str::from_utf8(bytes) {
            Ok(text) if !bytes.contains(&0) => text,
            _ => return Err(at_header(encoding::refused(bytes))),
        };
        if self.scan.columns > MAX_COLUMNS {
            return Err(at_header(self.long_header()));
        }
        undouble(text, &self.scan.cells, &mut self.plain, &mut self.plain_cells);
        let cells = self.plain_cells.iter();
        let names: Vec<&str> =
            cells.filter_map(|cell| self.plain.get(cell.start..cell.end)).collect();
        if names.iter().any(|name| name.len() > MAX_FIELD) {
            return Err(at_header(self.long_header()));
        }
        let Some(setup) = self.setup.take() else { return Err(empty_body()) };
        let plan =
            Plan::new(&setup.profile, setup.kind, &names, setup.currency, setup.zone_is_known);
        self.plan =
            Some(plan.map_err(|refused| at_header(other_separator(&names).unwrap_or(refused)))?);
        Ok(())
    }

    fn long_header(&self) -> Refused {
        if self.scan.columns > MAX_COLUMNS {
            let detail = format!("the header has more than {MAX_COLUMNS} columns");
            return Refused::new(Refusal::TooManyColumns, detail);
        }
        Refused::new(
            Refusal::TextTooLong,
            format!("a name in the header is longer than {MAX_FIELD} bytes"),
        )
    }

    /// The fault for a quote out of place, unless the text is no UTF-8: then bytes only look like quotes.
    fn broken(&self, why: &str) -> Fault {
        let row = self.row + 1;
        if str::from_utf8(&self.carry).is_err_and(|error| error.error_len().is_some()) {
            return Fault::at_row(row, encoding::refused(&self.carry));
        }
        let refused = Refused::new(
            Refusal::BrokenQuote,
            format!("{why}; a quote in a quoted field is doubled"),
        );
        match self.plan.as_ref().and_then(|plan| plan.columns().get(self.scan.cells.len())) {
            Some(column) => Fault::at_row(row, refused.at(&shown(column))),
            None => Fault::at_row(row, refused),
        }
    }
}

/// Reads a small file whole: its records with the header first. A quote out of place or another encoding stops it.
pub fn small(bytes: &[u8]) -> Result<Vec<Vec<String>>, Fault> {
    let bytes = bytes.get(encoding::byte_order_mark(bytes)?..).unwrap_or_default();
    if str::from_utf8(bytes).is_err() || bytes.contains(&0) {
        return Err(encoding::refused(bytes).into());
    }
    let (mut records, mut rest) = (Vec::new(), bytes);
    let (mut plain, mut cells) = (String::new(), Vec::new());
    loop {
        rest = without_line_ends(rest);
        if rest.is_empty() {
            return if records.is_empty() { Err(empty_body()) } else { Ok(records) };
        }
        let row = records.len() as u64 + 1;
        let broken = |why: &str| Fault::at_row(row, Refused::new(Refusal::BrokenQuote, why));
        let mut scan = Scan::default();
        let used = match scan.run(rest) {
            Found::Record(used) => used,
            Found::More if scan.end_of_text() => rest.len(),
            Found::More => return Err(broken("the quote of this row is never closed")),
            Found::Broken(_, why) => return Err(broken(why)),
        };
        let (record, tail) = rest.split_at_checked(used).unwrap_or((rest, &[]));
        undouble(str::from_utf8(record).unwrap_or_default(), &scan.cells, &mut plain, &mut cells);
        let field = |cell: &Cell| plain.get(cell.start..cell.end).unwrap_or_default().to_string();
        records.push(cells.iter().map(field).collect());
        rest = tail;
    }
}

/// A header of one name with another separator in it: the file is sound, and not comma-separated.
pub(super) fn other_separator(names: &[&str]) -> Option<Refused> {
    let [name] = names else { return None };
    let (_, called) = [(';', "`;`"), ('\t', "a tab"), ('|', "`|`")]
        .into_iter()
        .find(|(c, _)| name.contains(*c))?;
    let detail = format!(
        "the header has no comma but {called}; save it with commas, or read it by a profile with `delimiter`"
    );
    Some(Refused::new(Refusal::MissingColumn, detail))
}

fn long_field(cells: &[Cell], plan: &Plan) -> Option<String> {
    let long = cells.iter().position(|cell| cell.len() > MAX_FIELD)?;
    Some(
        plan.columns().get(long).map_or_else(|| format!("column {}", long + 1), |name| shown(name)),
    )
}

/// Writes the fields one after the other with doubled quotes undone.
fn undouble(text: &str, cells: &[Cell], plain: &mut String, plain_cells: &mut Vec<Cell>) {
    plain.clear();
    plain_cells.clear();
    for cell in cells {
        let start = plain.len();
        let raw = text.get(cell.start..cell.end).unwrap_or_default();
        let mut pieces = raw.split("\"\"");
        plain.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            plain.push('"');
            plain.push_str(piece);
        }
        plain_cells.push(Cell { start, end: plain.len() });
    }
}

fn without_line_ends(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b'\n' | b'\r', tail @ ..] = rest {
        rest = tail;
    }
    rest
}

/// Follows the structure of one record through any number of chunks. Positions count from the record's first byte.
#[derive(Debug)]
struct Scan {
    mode: Mode,
    /// What stands between fields.
    delimiter: u8,
    /// Bytes of the record that earlier chunks had.
    before: usize,
    /// Where the field began, and for a quoted one where its last quote stands.
    start: usize,
    end: usize,
    /// The fields that have ended; no more than one over the limit are kept.
    cells: Vec<Cell>,
    /// How many fields have ended.
    columns: usize,
    /// Whether any field of the record has doubled quotes.
    doubled: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    FieldStart,
    Unquoted,
    Quoted,
    /// After a quote in a quoted field: the end of the field, or the first of two.
    QuoteSeen,
}

/// What a run through some bytes came to.
enum Found {
    /// The record goes on after these bytes.
    More,
    /// The record ends with this many bytes, the first byte of the line end included.
    Record(usize),
    /// A quote out of place after this many bytes.
    Broken(usize, &'static str),
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            mode: Mode::FieldStart,
            delimiter: b',',
            before: 0,
            start: 0,
            end: 0,
            cells: Vec::new(),
            columns: 0,
            doubled: false,
        }
    }
}

impl Scan {
    fn is_fresh(&self) -> bool {
        self.before == 0
    }

    fn next_record(&mut self) {
        self.mode = Mode::FieldStart;
        self.before = 0;
        self.cells.clear();
        self.columns = 0;
        self.doubled = false;
    }

    fn run(&mut self, bytes: &[u8]) -> Found {
        let mut rest = bytes;
        loop {
            let at = bytes.len() - rest.len();
            match self.mode {
                Mode::FieldStart => {
                    self.start = self.before + at;
                    match rest {
                        [] => break,
                        [b'"', tail @ ..] => {
                            self.start += 1;
                            self.mode = Mode::Quoted;
                            rest = tail;
                        }
                        _ => self.mode = Mode::Unquoted,
                    }
                }
                Mode::Unquoted => {
                    let Some(length) =
                        rest.iter().position(|byte| ends_unquoted(*byte, self.delimiter))
                    else {
                        break;
                    };
                    let Some((byte, tail)) =
                        rest.get(length..).and_then(|found| found.split_first())
                    else {
                        break;
                    };
                    rest = tail;
                    if *byte == b'"' {
                        return Found::Broken(
                            at + length + 1,
                            "a quote stands inside a field that does not begin with one",
                        );
                    }
                    self.end_field(self.before + at + length);
                    if *byte != self.delimiter {
                        return Found::Record(at + length + 1);
                    }
                }
                Mode::Quoted => {
                    let Some(length) = memchr::memchr(b'"', rest) else { break };
                    self.end = self.before + at + length;
                    self.mode = Mode::QuoteSeen;
                    rest = rest.get(length + 1..).unwrap_or_default();
                }
                Mode::QuoteSeen => match rest {
                    [] => break,
                    [b'"', tail @ ..] => {
                        self.doubled = true;
                        self.mode = Mode::Quoted;
                        rest = tail;
                    }
                    [byte, tail @ ..] if *byte == self.delimiter => {
                        self.end_field(self.end);
                        rest = tail;
                    }
                    [b'\n' | b'\r', ..] => {
                        self.end_field(self.end);
                        return Found::Record(at + 1);
                    }
                    _ => return Found::Broken(at + 1, "text follows a closing quote"),
                },
            }
        }
        self.before += bytes.len();
        Found::More
    }

    /// Ends the record where the text ends. False inside quotes.
    fn end_of_text(&mut self) -> bool {
        match self.mode {
            Mode::Quoted => return false,
            Mode::QuoteSeen => self.end_field(self.end),
            Mode::FieldStart => self.end_field(self.start),
            Mode::Unquoted => self.end_field(self.before),
        }
        true
    }

    #[inline]
    fn end_field(&mut self, end: usize) {
        if self.columns <= MAX_COLUMNS {
            self.cells.push(Cell { start: self.start, end });
        }
        self.columns += 1;
        self.mode = Mode::FieldStart;
    }
}

#[inline]
fn ends_unquoted(byte: u8, delimiter: u8) -> bool {
    // Letters, digits, dots and hyphens are all above the comma: one comparison passes most bytes.
    byte <= delimiter.max(b'"') && (byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r'))
}
