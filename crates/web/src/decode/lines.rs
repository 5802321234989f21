//! NDJSON of records that are read as they are, without a profile: lines out of chunks of any size.

use super::MAX_RECORD;
use dunlin_domain::{Refusal, Refused};

/// Splits what the network brings into lines. One that is too long is skipped without being held.
#[derive(Debug, Default)]
pub struct Lines {
    /// The bytes of a line that began in an earlier chunk.
    carry: Vec<u8>,
    overlong: bool,
    /// Lines so far.
    row: u64,
}

impl Lines {
    /// Gives each line that ends in the chunk to the sink, with its number; blank ones are left out.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut impl FnMut(u64, Result<&[u8], Refused>)) {
        let mut rest = chunk;
        while let Some(length) = memchr::memchr(b'\n', rest) {
            let (line, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = tail.get(1..).unwrap_or_default();
            self.end(line, sink);
        }
        self.keep(rest);
    }

    /// Gives the last line to the sink, which may have no end.
    pub fn finish(mut self, sink: &mut impl FnMut(u64, Result<&[u8], Refused>)) {
        self.end(&[], sink);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.overlong |= self.carry.len().saturating_add(bytes.len()) > MAX_RECORD;
        if self.overlong {
            self.carry.clear();
        } else {
            self.carry.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, last: &[u8], sink: &mut impl FnMut(u64, Result<&[u8], Refused>)) {
        self.row = self.row.saturating_add(1);
        self.keep(last);
        if self.overlong {
            let detail = format!("a record has at most {MAX_RECORD} bytes");
            sink(self.row, Err(Refused::new(Refusal::TextTooLong, detail)));
        } else if !self.carry.trim_ascii().is_empty() {
            sink(self.row, Ok(&self.carry));
        }
        self.carry.clear();
        self.overlong = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, chunk: usize) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut sink = |row: u64, line: Result<&[u8], Refused>| {
            let line = line.map(|line| String::from_utf8_lossy(line).trim().to_string());
            found
                .push(format!("{row} {}", line.unwrap_or_else(|refused| refused.code.to_string())));
        };
        for chunk in text.as_bytes().chunks(chunk) {
            lines.feed(chunk, &mut sink);
        }
        lines.finish(&mut sink);
        found
    }

    #[test]
    fn lines_are_the_same_wherever_the_chunks_were_cut() {
        let long = "x".repeat(MAX_RECORD + 1);
        let text = format!("one\r\n\n  \ntwo\n{long}\nthree");
        for chunk in [1, 2, 3, 7, 64, MAX_RECORD, usize::MAX] {
            assert_eq!(
                lines(&text, chunk),
                ["1 one", "4 two", "5 text-too-long", "6 three"],
                "{chunk}"
            );
        }
        assert_eq!(lines("", 1), [""; 0]);
        assert_eq!(lines("one\n", 1), ["1 one"]);
    }
}
