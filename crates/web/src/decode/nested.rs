//! CSV of records that nest: a column is named by the path of its field, `terms.net_days`.

use super::{
    Fault,
    csv::{other_separator, small},
    shown,
};
use crate::Problem;
use dunlin_domain::{Refusal, Refused};
use serde_json::{Map, Value};

/// The fields that are numbers or yes and no in JSON, besides those in minor units. Any other is a text, or a list or
/// object written as JSON.
const NUMBERS: [&str; 6] =
    ["net_days", "day_of_month", "discount_days", "grace_days", "months", "day"];
const FLAGS: [&str; 4] = ["end_of_month", "secured", "grace_charged_later", "withdrawn"];

/// A row that could be read as an object, or why not.
pub type Record = (u64, Result<Map<String, Value>, Problem>);

/// Reads a small file whole. An empty cell is an absent field. Rows count from the header, which is the first.
pub fn nested(bytes: &[u8]) -> Result<Vec<Record>, Problem> {
    let mut records = small(bytes).map_err(Problem::from)?.into_iter();
    let header = records.next().unwrap_or_default();
    let header: Vec<&str> = header.iter().map(|name| name.trim()).collect();
    if let Some(refused) = other_separator(&header) {
        return Err(refused.into());
    }
    for (at, name) in header.iter().enumerate() {
        if name.is_empty() || name.split('.').any(str::is_empty) {
            let detail = "a column has no name, or a path with an empty part";
            return Err(Refused::new(Refusal::UnknownField, detail).at(&shown(name)).into());
        }
        if header.iter().take(at).any(|other| other == name) {
            let refused = Refused::new(Refusal::DuplicateColumn, "the column stands there twice");
            return Err(Fault::from(refused.at(&shown(name))).into());
        }
    }
    let rows = records.zip(2u64..).map(|(cells, row)| (row, record(&header, &cells)));
    Ok(rows.collect())
}

fn record(header: &[&str], cells: &[String]) -> Result<Map<String, Value>, Problem> {
    if cells.len() != header.len() {
        let detail = format!("the row has {} fields, the header {}", cells.len(), header.len());
        return Err(Refused::new(Refusal::WrongFieldCount, detail).into());
    }
    let mut object = Map::new();
    for (path, cell) in header.iter().zip(cells) {
        let text = cell.trim();
        if text.is_empty() {
            continue;
        }
        put(&mut object, path, value(path, text)?)
            .ok_or_else(|| malformed(path, "another column says that this is no object"))?;
    }
    Ok(object)
}

fn value(path: &str, text: &str) -> Result<Value, Problem> {
    let name = path.rsplit('.').next().unwrap_or(path);
    if NUMBERS.contains(&name) || name == "minor" || name.ends_with("_minor") {
        let number = text.parse::<i64>();
        return number.map(Value::from).map_err(|_| malformed(path, "it is a whole number"));
    }
    if FLAGS.contains(&name) {
        return match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true.into()),
            "false" | "no" | "0" => Ok(false.into()),
            _ => Err(malformed(path, "it is true or false")),
        };
    }
    if text.starts_with(['[', '{']) {
        return serde_json::from_str(text).map_err(|_| malformed(path, "it is no JSON"));
    }
    Ok(text.into())
}

/// Puts a value at its path; `None` where something else stands in the way.
fn put(object: &mut Map<String, Value>, path: &str, value: Value) -> Option<()> {
    let Some((first, rest)) = path.split_once('.') else {
        return object.insert(path.to_string(), value).is_none().then_some(());
    };
    let inner = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
    put(inner.as_object_mut()?, rest, value)
}

fn malformed(path: &str, detail: &str) -> Problem {
    Refused::new(Refusal::MalformedField, detail).at(&shown(path)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_paths_and_cells_have_the_types_of_their_fields() {
        let file = "id,title,secured,terms.net_days,terms.discount_share,milestones\r\n\
            K1,4711,yes,30,0.02,\"[{\"\"name\"\":\"\"end\"\",\"\"on\"\":\"\"2024-01-01\"\"}]\"\r\nK2,,,,,\r\n";
        let found: Vec<_> = nested(file.as_bytes())
            .unwrap()
            .into_iter()
            .map(|(row, of)| (row, of.unwrap()))
            .collect();
        let first = json!({"id": "K1", "title": "4711", "secured": true,
            "terms": {"net_days": 30, "discount_share": "0.02"},
            "milestones": [{"name": "end", "on": "2024-01-01"}]});
        assert_eq!(Value::from(found[0].1.clone()), first);
        assert_eq!((found[1].0, Value::from(found[1].1.clone())), (3, json!({"id": "K2"})));
    }

    #[test]
    fn amounts_in_minor_units_are_whole_numbers_of_either_sign() {
        let file =
            "ebit_minor,amount.minor,amount.currency,withdrawn\n-150,9007199254740993,CNY,no\n";
        let (row, found) = nested(file.as_bytes()).unwrap().remove(0);
        let wanted = json!({"ebit_minor": -150, "amount": {"minor": 9_007_199_254_740_993i64,
            "currency": "CNY"}, "withdrawn": false});
        assert_eq!((row, Value::from(found.unwrap())), (2, wanted));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_column() {
        for (file, code, field) in [
            ("id,terms.net_days\nK1,thirty\n", Refusal::MalformedField, Some("terms.net_days")),
            ("id,amount.minor\nK1,1.5\n", Refusal::MalformedField, Some("amount.minor")),
            ("id,secured\nK1,perhaps\n", Refusal::MalformedField, Some("secured")),
            ("id,terms,terms.net_days\nK1,x,1\n", Refusal::MalformedField, Some("terms.net_days")),
            ("id,terms\nK1,{\n", Refusal::MalformedField, Some("terms")),
            ("id,title\nK1\n", Refusal::WrongFieldCount, None),
        ] {
            let problem = nested(file.as_bytes()).unwrap().remove(0).1.unwrap_err();
            assert_eq!((problem.code(), problem.field()), (code, field), "{file}");
        }
        for (file, code) in [
            ("id,id\nK1,K2\n", Refusal::DuplicateColumn),
            ("id,terms.\nK1,1\n", Refusal::UnknownField),
            ("", Refusal::EmptyBody),
            ("id\n\"K1\n", Refusal::BrokenQuote),
            ("id;customer_id\nK1;C1\n", Refusal::MissingColumn),
        ] {
            assert_eq!(nested(file.as_bytes()).unwrap_err().code(), code, "{file}");
        }
    }
}
