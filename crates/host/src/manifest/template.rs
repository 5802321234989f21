//! `{{ name }}` in the manifest, filled in from the application's variables.

use anyhow::{Context as _, Result, bail};

/// A text with placeholders, in the order they stand in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Name(String),
}

impl Template {
    /// Splits `text` at its placeholders. An opening `{{` without its `}}` is refused.
    pub fn parse(text: &str) -> Result<Template> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, tail)) = after.split_once("}}") else {
                bail!("{text:?} opens a placeholder with `{{{{` and never closes it");
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Name(name.trim().to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Template(parts))
    }

    /// The text with every placeholder replaced by what `value_of` says.
    pub fn fill<'v>(&self, value_of: impl Fn(&str) -> Option<&'v str>) -> Result<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Name(name) => text.push_str(value_of(name).with_context(|| {
                    format!("`{{{{ {name} }}}}` names a variable that is not in [variables]")
                })?),
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_where_they_stand() {
        let value_of = |name: &str| match name {
            "a" => Some("1"),
            "b" => Some("{{ a }}"),
            _ => None,
        };
        for (template, filled) in [
            ("", Some("")),
            ("plain", Some("plain")),
            ("{{ a }}", Some("1")),
            ("http://x/{{a}}/{{  a  }}!", Some("http://x/1/1!")),
            // A value is data: what looks like a placeholder inside it stays as it is.
            ("{{ b }}", Some("{{ a }}")),
            ("{{ c }}", None),
        ] {
            let got = Template::parse(template).unwrap().fill(value_of).ok();
            assert_eq!(got.as_deref(), filled, "{template}");
        }
    }

    #[test]
    fn an_unclosed_placeholder_is_refused() {
        assert!(Template::parse("{{ a").is_err());
    }
}
