//! JSON in which no key stands twice: of two amounts under one name nobody could say which was meant.

use crate::{Refusal, Refused};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads an event. A key that stands twice in one object is refused by its name, as `malformed-json`.
pub fn parse(text: &str) -> Result<Value, Refused> {
    serde_json::from_str::<Once>(text).map(|once| once.0).map_err(|error| {
        let at = format!("the JSON breaks at line {}, column {}", error.line(), error.column());
        let detail = match error.is_data() {
            true => format!("{at}: {error}"),
            false => at,
        };
        Refused::new(Refusal::MalformedJson, detail)
    })
}

struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Once)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Once(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, Once(value))) = map.next_entry::<String, Once>()? {
            let twice = format!("the key `{}` stands twice", crate::profile::shown(&name));
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom(twice));
            }
        }
        Ok(Value::Object(fields))
    }
}
