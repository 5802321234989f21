//! `[variables]`: what the application can be told from outside.

use super::{Manifest, Template, Variable, section::Section};
use anyhow::{Result, bail, ensure};
use std::collections::BTreeMap;

/// Spin's prefix, kept so that one environment serves both.
const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// The value of every variable of one manifest.
pub struct Resolved(BTreeMap<String, String>);

/// Values are often secrets, so a debug print shows the names only.
impl std::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Resolved {
    /// Takes each variable of `manifest` from `given`, else from its default.
    /// A required variable without either is refused.
    pub fn new(manifest: &Manifest, given: &BTreeMap<String, String>) -> Result<Resolved> {
        let mut values = BTreeMap::new();
        for (name, variable) in &manifest.variables {
            let value = match (given.get(name), &variable.default) {
                (Some(value), _) | (None, Some(value)) => value.clone(),
                (None, None) if variable.required => bail!(
                    "the variable `{name}` is required: pass `--variable {name}=…` or set {}{}",
                    ENVIRONMENT_PREFIX,
                    name.to_ascii_uppercase()
                ),
                (None, None) => String::new(),
            };
            values.insert(name.clone(), value);
        }
        Ok(Resolved(values))
    }

    /// The value of a variable of the application.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A template of this manifest with its placeholders filled.
    pub fn fill(&self, template: &Template) -> Result<String> {
        template.fill(|name| self.get(name))
    }
}

/// The variables given in the environment as `SPIN_VARIABLE_<NAME>`, by lower-case name.
pub fn from_environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter_map(|(key, value)| {
            Some((key.strip_prefix(ENVIRONMENT_PREFIX)?.to_ascii_lowercase(), value))
        })
        .collect()
}

pub(super) fn parse(top: &mut Section) -> Result<BTreeMap<String, Variable>> {
    let mut variables = BTreeMap::new();
    let Some(mut table) = top.section("variables")? else { return Ok(variables) };
    for (name, mut section) in table.all_sections()? {
        let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        ensure!(
            name.chars().all(snake),
            "the variable `{name}` must be named with a-z, 0-9 and `_`"
        );
        let variable = Variable {
            default: section.string("default")?,
            required: section.boolean("required")?.unwrap_or(false),
            secret: section.boolean("secret")?.unwrap_or(false),
        };
        section.ignore("description");
        section.finish()?;
        variables.insert(name, variable);
    }
    Ok(variables)
}
