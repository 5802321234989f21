//! What a body is that is not UTF-8: named, and how to mend it said, because whoever exported it sees no encodings.

use dunlin_domain::{Refusal, Refused};

/// How many bytes show a byte order mark or UTF-16 without one.
pub const ENOUGH: usize = 4;

/// How many bytes of a file that is not UTF-8 are looked at.
const SAMPLE: usize = 4096;

const MEND: &str = "save it as UTF-8 (in Excel: \"CSV UTF-8\") and send it again";

/// The length of the UTF-8 byte order mark at the beginning, which is skipped. Refuses what is visibly not text.
pub fn byte_order_mark(head: &[u8]) -> Result<usize, Refused> {
    let looks = match head {
        [0xEF, 0xBB, 0xBF, ..] => return Ok(3),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => "UTF-32",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "UTF-16",
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => "UTF-16",
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => "UTF-16",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive or an Excel workbook (.xlsx)",
        [0xD0, 0xCF, 0x11, 0xE0, ..] => "an old Excel workbook (.xls)",
        [0x1F, 0x8B, ..] => "a gzip archive",
        _ => return Ok(0),
    };
    Err(wrong(looks))
}

/// The refusal for bytes that are not UTF-8.
pub fn refused(bytes: &[u8]) -> Refused {
    wrong(looks_like(bytes.get(..SAMPLE).unwrap_or(bytes)))
}

fn wrong(looks: &str) -> Refused {
    Refused::new(
        Refusal::WrongEncoding,
        format!("the text is not UTF-8; it looks like {looks}; {MEND}"),
    )
}

/// Which encoding the bytes look like. A guess for a sentence to a person; nothing is decoded by it.
fn looks_like(bytes: &[u8]) -> &'static str {
    if bytes.contains(&0) {
        return "UTF-16";
    }
    let Some(pairs) = Pairs::of(bytes) else {
        return "a single-byte encoding such as Windows-1252";
    };
    // Common characters of GBK have both bytes high; Shift_JIS begins its kana with 0x82 and 0x83; Big5 uses low
    // second bytes all the time; an accented letter before a plain one only looks like a pair.
    if pairs.kana * 2 >= pairs.all {
        "Shift_JIS"
    } else if pairs.high * 5 >= pairs.all * 4 {
        "GBK (GB18030)"
    } else if pairs.runs * 2 >= pairs.all {
        "Big5"
    } else {
        "a single-byte encoding such as Windows-1252"
    }
}

/// The two-byte characters of a text in an East Asian encoding.
#[derive(Default)]
struct Pairs {
    all: usize,
    /// Both bytes at or above 0xA1, as in GB 2312; and four-byte characters of GB18030.
    high: usize,
    /// First byte 0x82 or 0x83.
    kana: usize,
    /// Directly after another pair.
    runs: usize,
}

impl Pairs {
    /// Counts the pairs. `None` where bytes are left that pair with nothing.
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut pairs = Self::default();
        let mut rest = bytes;
        let mut after_pair = false;
        loop {
            let (length, high, first) = match rest {
                [0x81..=0xFE, 0x30..=0x39, 0x81..=0xFE, 0x30..=0x39, ..] => (4, true, 0),
                [first @ 0xA1..=0xFE, 0xA1..=0xFE, ..] => (2, true, *first),
                [first @ 0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, ..] => (2, false, *first),
                // The sample may cut the last pair.
                [0x81..=0xFE] if pairs.all > 0 => break,
                [0x80..=0xFF, ..] => return None,
                [_, tail @ ..] => {
                    rest = tail;
                    after_pair = false;
                    continue;
                }
                [] => break,
            };
            pairs.all += 1;
            pairs.high += usize::from(high);
            pairs.kana += usize::from(matches!(first, 0x82 | 0x83));
            pairs.runs += usize::from(after_pair);
            after_pair = true;
            rest = rest.get(length..).unwrap_or_default();
        }
        Some(pairs)
    }
}
