//! Fills in what a journey leaves open.

use chrono::{Days, Utc};
use std::collections::BTreeMap;

/// Values that earlier answers gave.
pub type Captured = BTreeMap<String, String>;

/// Fills in what stands in double braces: a captured value, `today` and days around it, `TEXT * TIMES`,
/// `PREFIX 1..LAST` as a comma-separated list, or bytes as `hex 00FF`.
pub fn fill(text: &str, captured: &Captured) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, tail) =
            after.split_once("}}").ok_or_else(|| format!("{text:?} has an open brace"))?;
        out.extend(before.as_bytes());
        out.extend(value(inside, captured).ok_or_else(|| format!("`{inside}` is not known here"))?);
        rest = tail;
    }
    out.extend(rest.as_bytes());
    Ok(out)
}

fn value(inside: &str, captured: &Captured) -> Option<Vec<u8>> {
    if let Some(value) = captured.get(inside) {
        return Some(value.clone().into_bytes());
    }
    if let Some(days) = inside.strip_prefix("today") {
        let today = Utc::now().date_naive();
        let day = match days.split_at_checked(1) {
            Some(("+", days)) => today.checked_add_days(Days::new(days.parse().ok()?)),
            Some(("-", days)) => today.checked_sub_days(Days::new(days.parse().ok()?)),
            _ => Some(today),
        };
        return Some(day?.to_string().into_bytes());
    }
    if let Some(hex) = inside.strip_prefix("hex ") {
        return (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
            .collect();
    }
    if let Some((text, times)) = inside.rsplit_once(" * ") {
        return Some(text.repeat(times.parse().ok()?).into_bytes());
    }
    let (prefix, last) = inside.rsplit_once(" 1..")?;
    let names: Vec<String> =
        (1..=last.parse::<u32>().ok()?).map(|n| format!("{prefix}{n}")).collect();
    Some(names.join(",").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_braces_is_filled_in() {
        let captured = Captured::from([("id".to_owned(), "C 1".to_owned())]);
        for (text, filled) in [
            ("a{{id}}b", "aC 1b"),
            ("{{xy * 3}}", "xyxyxy"),
            ("{{c 1..3}}", "c1,c2,c3"),
            ("{{hex 4142}}", "AB"),
            ("{\"a\": {\"b\": {{id}}}}", "{\"a\": {\"b\": C 1}}"),
        ] {
            assert_eq!(fill(text, &captured).unwrap(), filled.as_bytes(), "{text}");
        }
        assert!(fill("{{nobody}}", &captured).is_err());
    }
}
