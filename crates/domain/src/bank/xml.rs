//! The XML that bank statements are written in, read in one pass from bytes that come in pieces.
//!
//! It is a small part of XML 1.0, and the rest is refused by name: UTF-8 alone, no document type, no entities but the
//! five predefined ones and characters by number. Depth, attributes and the length of a text are bounded, so that a
//! file of any size is read in the same memory. Prefixes of names are left out; whoever listens looks at the name
//! space of the root.

use super::{MAX_TEXT, malformed};
use crate::{Refusal, Refused};
use std::borrow::Cow;

/// The deepest element: those of a statement end below sixteen.
const MAX_DEPTH: usize = 32;

/// The most attributes of an element: those of a statement have one, the root a few name spaces.
const MAX_ATTRIBUTES: usize = 16;

/// The longest name.
const MAX_NAME: usize = 128;

/// Where an element stands: its path, which is the names from the root with slashes between, as a number (FNV-1a of 64
/// bits). Comparing the paths themselves took a tenth of the time of a statement. Whoever makes up a name that gives the
/// number of another writes no more than whoever uses the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u64);

impl Place {
    /// The place of a path.
    pub const fn of(path: &str) -> Self {
        Self(0xCBF2_9CE4_8422_2325).then(path)
    }

    /// The place whose path goes on so.
    pub const fn then(self, text: &str) -> Self {
        let (mut sum, mut rest) = (self.0, text.as_bytes());
        while let [byte, after @ ..] = rest {
            sum = (sum ^ *byte as u64).wrapping_mul(0x0100_0000_01B3);
            rest = after;
        }
        Self(sum)
    }
}

/// Who listens.
pub trait Listener {
    /// An element begins.
    fn open(&mut self, place: Place) -> Result<(), Refused>;
    /// An attribute of the element that has just begun, by its name as it is written.
    fn attribute(&mut self, place: Place, name: &str, value: &str) -> Result<(), Refused>;
    /// An element ends. The text is what stood in it after the last element inside it.
    fn close(&mut self, place: Place, text: &str) -> Result<(), Refused>;
}

/// An element that has begun.
#[derive(Debug)]
struct Begun {
    place: Place,
    /// Where its name begins among the names.
    name: usize,
}

/// The reader's place in the file.
#[derive(Debug, Default)]
pub struct Reader {
    /// Bytes of a text or markup whose end has not come.
    pending: Vec<u8>,
    /// The open elements, and their names as they are written, one after the other: an element ends as it began.
    open: Vec<Begun>,
    names: String,
    text: String,
    begun: bool,
    ended: bool,
    line: u64,
}

impl Reader {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8], listener: &mut impl Listener) -> Result<(), Refused> {
        let mut held = std::mem::take(&mut self.pending);
        let all: &[u8] = if held.is_empty() {
            bytes
        } else {
            held.extend_from_slice(bytes);
            &held
        };
        let rest = self.read(all, listener)?;
        self.bounded(rest)?;
        self.pending = rest.to_vec();
        Ok(())
    }

    /// Refuses what is longer than any text or tag of a statement, whether its end has come or not.
    fn bounded(&self, piece: &[u8]) -> Result<(), Refused> {
        if piece.len() <= MAX_TEXT {
            return Ok(());
        }
        let line = self.line.saturating_add(1);
        let detail = format!("a text or tag in line {line} is longer than {MAX_TEXT} bytes");
        Err(Refused::new(Refusal::TextTooLong, detail))
    }

    /// Says that there is nothing more.
    pub fn finish(&self) -> Result<(), Refused> {
        if !self.begun && self.pending.iter().all(u8::is_ascii_whitespace) {
            return Err(Refused::new(Refusal::EmptyBody, "the file is empty"));
        }
        if !self.ended || !self.pending.iter().all(u8::is_ascii_whitespace) {
            return Err(self.fault("the file ends before the statement does"));
        }
        Ok(())
    }

    fn fault(&self, detail: &str) -> Refused {
        malformed(format!("line {}: {detail}", self.line.saturating_add(1)))
    }

    /// Reads what is whole and gives what is not.
    fn read<'a>(
        &mut self,
        all: &'a [u8],
        listener: &mut impl Listener,
    ) -> Result<&'a [u8], Refused> {
        let mut rest = all;
        if !self.begun {
            if [&b"\xFE\xFF"[..], b"\xFF\xFE", b"<\0", b"\0<"].iter().any(|b| rest.starts_with(b)) {
                return Err(Refused::new(Refusal::WrongEncoding, "the file is UTF-16, not UTF-8"));
            }
            rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
        }
        // Whole pieces are nearly always well below the end of what is UTF-8: one look serves them all.
        let valid = std::str::from_utf8(rest).unwrap_or_else(|_| {
            rest.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default()
        });
        let mut at = 0usize;
        loop {
            let after = rest.get(at..).unwrap_or_default();
            let markup = after.first() == Some(&b'<');
            let end = if markup { self.markup_end(after)? } else { find(after, b"<") };
            let Some((piece, _)) = end.and_then(|end| after.split_at_checked(end)) else {
                return Ok(after);
            };
            self.bounded(piece)?;
            let next = at.saturating_add(piece.len());
            let text = valid.get(at..next).ok_or_else(|| {
                let detail = format!("line {} is not UTF-8", self.line.saturating_add(1));
                Refused::new(Refusal::WrongEncoding, detail)
            })?;
            let lines = self.lines(piece)?;
            if markup {
                self.markup(text, listener)?
            } else {
                self.words(text, false)?
            }
            self.line = self.line.saturating_add(lines);
            at = next;
        }
    }

    /// How many lines end in a piece. One with control characters is refused.
    fn lines(&self, piece: &[u8]) -> Result<u64, Refused> {
        if !piece.iter().fold(false, |any, byte| any | (*byte < b' ')) {
            return Ok(0);
        }
        let mut lines = 0u64;
        for byte in piece.iter().filter(|b| **b < b' ') {
            match byte {
                b'\n' => lines = lines.saturating_add(1),
                b'\t' | b'\r' => {}
                _ => {
                    let line = self.line.saturating_add(1);
                    let detail = format!("line {line} has a control character");
                    return Err(Refused::new(Refusal::MalformedText, detail));
                }
            }
        }
        Ok(lines)
    }

    /// Where markup ends that begins here. `None`: not in these bytes.
    fn markup_end(&self, rest: &[u8]) -> Result<Option<usize>, Refused> {
        let after = |end: &[u8]| find(rest, end).map(|at| at.saturating_add(end.len()));
        if rest.starts_with(b"<?") {
            return Ok(after(b"?>"));
        }
        if rest.starts_with(b"<!") {
            for (begin, end) in [(&b"<!--"[..], &b"-->"[..]), (b"<![CDATA[", b"]]>")] {
                if rest.starts_with(begin) {
                    // `<!-->` is not a comment: the end is looked for after the beginning.
                    let inner = rest.get(begin.len()..).unwrap_or_default();
                    let at = find(inner, end).map(|at| at.saturating_add(begin.len()));
                    return Ok(at.map(|at| at.saturating_add(end.len())));
                }
                if begin.starts_with(rest) {
                    return Ok(None);
                }
            }
            let detail = "a document type, or another declaration that no statement has";
            return Err(Refused::new(Refusal::ForbiddenMarkup, detail));
        }
        let mut bytes = rest.iter();
        bytes.next();
        while let Some(byte) = bytes.find(|b| matches!(b, b'>' | b'<' | b'"' | b'\'')) {
            match byte {
                b'>' => return Ok(rest.len().checked_sub(bytes.len())),
                b'<' => return Err(self.fault("a tag has no end")),
                quote => {
                    if !bytes.any(|b| b == quote) {
                        break;
                    }
                }
            }
        }
        Ok(None)
    }

    /// Text between markup. What stands around elements is white space.
    fn words(&mut self, text: &str, literal: bool) -> Result<(), Refused> {
        if self.open.is_empty() {
            let nothing = text.chars().all(|c| c.is_ascii_whitespace());
            return if nothing { Ok(()) } else { Err(self.fault("text outside of the document")) };
        }
        if self.text.len().saturating_add(text.len()) > MAX_TEXT {
            let detail = format!("a text in line {} is longer than {MAX_TEXT} bytes", self.line);
            return Err(Refused::new(Refusal::TextTooLong, detail));
        }
        let text = if literal { Cow::Borrowed(text) } else { self.unescape(text)? };
        self.text.push_str(&text);
        Ok(())
    }

    fn markup(&mut self, tag: &str, listener: &mut impl Listener) -> Result<(), Refused> {
        // It ends with `>`, or as what it is has to.
        let end = tag.len().saturating_sub(1);
        match tag.as_bytes() {
            [_, b'/', ..] => {
                let name = tag.get(2..end).unwrap_or_default();
                let bare = name.bytes().next_back().is_some_and(|b| b.is_ascii_alphanumeric());
                self.close(if bare { name } else { name.trim_end() }, listener)
            }
            [_, b'?', ..] => match tag.get(2..end).and_then(|inner| inner.strip_suffix('?')) {
                Some(instruction) => self.instruction(instruction),
                None => Err(self.fault("an instruction has no name")),
            },
            [_, b'!', ..] => match tag.strip_prefix("<![CDATA[") {
                Some(text) => self.words(text.strip_suffix("]]>").unwrap_or_default(), true),
                None => Ok(()),
            },
            bytes => {
                let empty = matches!(bytes, [.., b'/', b'>']);
                let end = end.saturating_sub(usize::from(empty));
                let inner = tag.get(1..end).unwrap_or_default();
                let name = match inner.bytes().position(|b| b.is_ascii_whitespace()) {
                    Some(end) => inner.get(..end).unwrap_or_default(),
                    None => inner,
                };
                self.open(name, listener)?;
                if name.len() < inner.len() {
                    self.attributes(inner.get(name.len()..).unwrap_or_default(), listener)?;
                }
                if empty { self.close(name, listener) } else { Ok(()) }
            }
        }
    }

    fn instruction(&self, text: &str) -> Result<(), Refused> {
        let Some(declared) = text.strip_prefix("xml ") else { return Ok(()) };
        let Some((_, encoding)) = declared.split_once("encoding") else { return Ok(()) };
        let encoding = encoding.trim_start_matches(['=', ' ', '"', '\'']);
        let name = encoding.split(['"', '\'']).next().unwrap_or_default();
        if ["utf-8", "utf8", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        let shown: String = name.chars().take(40).collect();
        Err(Refused::new(Refusal::WrongEncoding, format!("the file is {shown}, not UTF-8")))
    }

    fn open(&mut self, name: &str, listener: &mut impl Listener) -> Result<(), Refused> {
        let local = self.name(name)?;
        if self.ended {
            return Err(self.fault("a second document"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fault("elements are nested too deep"));
        }
        self.begun = true;
        let place = match self.open.last() {
            Some(around) => around.place.then("/").then(local),
            None => Place::of(local),
        };
        self.open.push(Begun { place, name: self.names.len() });
        self.names.push_str(name);
        self.text.clear();
        listener.open(place)
    }

    fn attributes(&mut self, text: &str, listener: &mut impl Listener) -> Result<(), Refused> {
        let Some(place) = self.open.last().map(|begun| begun.place) else { return Ok(()) };
        let mut rest = text.trim();
        let mut names: Vec<&str> = Vec::new();
        while !rest.is_empty() {
            let fault = || self.fault("an attribute is not written `name=\"value\"`");
            let (name, after) = rest.split_once('=').ok_or_else(fault)?;
            let after = after.trim_start();
            let quote =
                after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or_else(fault)?;
            let inner = after.get(1..).unwrap_or_default();
            let (value, after) = inner.split_once(quote).ok_or_else(fault)?;
            if names.len() >= MAX_ATTRIBUTES {
                return Err(self.fault("an element has too many attributes"));
            }
            let name = name.trim();
            if name.is_empty() || name.len() > MAX_NAME || value.contains('<') {
                return Err(fault());
            }
            if names.contains(&name) {
                return Err(self.fault("an element has an attribute twice"));
            }
            names.push(name);
            listener.attribute(place, name, &self.unescape(value)?)?;
            rest = after.trim_start();
        }
        Ok(())
    }

    fn close(&mut self, name: &str, listener: &mut impl Listener) -> Result<(), Refused> {
        let written = self.open.last().and_then(|begun| self.names.get(begun.name..));
        if written != Some(name) {
            self.name(name)?;
            return Err(self.fault("an element ends that was not begun"));
        }
        let Some(begun) = self.open.pop() else { return Ok(()) };
        listener.close(begun.place, &self.text)?;
        self.names.truncate(begun.name);
        self.text.clear();
        self.ended = self.open.is_empty();
        Ok(())
    }

    /// A name without its prefix.
    fn name<'a>(&self, name: &'a str) -> Result<&'a str, Refused> {
        // Nearly all names are letters of ASCII alone.
        if !name.is_empty()
            && name.len() <= MAX_NAME
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return Ok(name);
        }
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
            return Err(self.fault("a tag has no name that XML allows"));
        }
        Ok(name.rsplit(':').next().unwrap_or(name))
    }

    /// Characters that are written by a name or number.
    fn unescape<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, Refused> {
        if !text.contains('&') {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let (name, after) =
                after.split_once(';').ok_or_else(|| self.fault("an `&` stands by itself"))?;
            out.push(self.character(name)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(Cow::Owned(out))
    }

    fn character(&self, name: &str) -> Result<char, Refused> {
        let number = name.strip_prefix('#').map(|number| match number.strip_prefix('x') {
            Some(number) => u32::from_str_radix(number, 16).ok(),
            None => number.parse().ok(),
        });
        match (name, number) {
            ("lt", _) => Ok('<'),
            ("gt", _) => Ok('>'),
            ("amp", _) => Ok('&'),
            ("quot", _) => Ok('"'),
            ("apos", _) => Ok('\''),
            (_, Some(number)) => number
                .and_then(char::from_u32)
                .filter(|c| !c.is_control() || matches!(c, '\n' | '\t' | '\r'))
                .ok_or_else(|| self.fault("a character by a number that XML does not allow")),
            _ if !name.chars().all(char::is_alphanumeric) => {
                Err(self.fault("an `&` stands by itself"))
            }
            _ => {
                let shown: String = name.chars().take(40).collect();
                let detail = format!("the entity `{shown}` is not one of the five of XML");
                Err(Refused::new(Refusal::ForbiddenMarkup, detail))
            }
        }
    }
}

fn find(all: &[u8], what: &[u8]) -> Option<usize> {
    match what {
        [one] => all.iter().position(|b| b == one),
        _ => all.windows(what.len()).position(|window| window == what),
    }
}
