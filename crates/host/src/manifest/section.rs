//! A TOML table that is emptied key by key; what is left over at the end is refused by name.

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

/// A table of the manifest and the name to use for it in messages.
pub struct Section {
    name: String,
    table: Table,
}

impl Section {
    /// The whole file.
    pub fn root(text: &str) -> Result<Section> {
        let table = text.parse::<Table>().context("the manifest is not valid TOML")?;
        Ok(Section { name: String::new(), table })
    }

    /// `[component.ingest]`, say, or `the manifest` for the whole file.
    pub fn name(&self) -> String {
        if self.name.is_empty() { "the manifest".to_owned() } else { format!("[{}]", self.name) }
    }

    pub fn is_string(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(Value::is_str)
    }

    pub fn is_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(Value::is_table)
    }

    pub fn string(&mut self, key: &str) -> Result<Option<String>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => bail!("{}: `{key}` must be a text", self.name()),
        }
    }

    pub fn integer(&mut self, key: &str) -> Result<Option<i64>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Integer(number)) => Ok(Some(number)),
            Some(_) => bail!("{}: `{key}` must be a whole number", self.name()),
        }
    }

    pub fn boolean(&mut self, key: &str) -> Result<Option<bool>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(flag)),
            Some(_) => bail!("{}: `{key}` must be true or false", self.name()),
        }
    }

    /// A list of texts; absent is empty.
    pub fn strings(&mut self, key: &str) -> Result<Vec<String>> {
        let name = self.name();
        let wrong = || format!("{name}: `{key}` must be a list of texts");
        match self.table.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| item.as_str().map(str::to_owned).with_context(wrong))
                .collect(),
            Some(_) => bail!(wrong()),
        }
    }

    pub fn section(&mut self, key: &str) -> Result<Option<Section>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(self.child(key, table))),
            Some(_) => bail!("{}: `{key}` must be a table", self.name()),
        }
    }

    /// An array of tables such as `[[trigger.http]]`; absent is empty.
    pub fn sections(&mut self, key: &str) -> Result<Vec<Section>> {
        let Some(value) = self.table.remove(key) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else {
            bail!("{}: `{key}` must be a list of tables", self.name());
        };
        items
            .into_iter()
            .map(|item| match item {
                Value::Table(table) => Ok(self.child(key, table)),
                _ => bail!("{}: `{key}` must be a list of tables", self.name()),
            })
            .collect()
    }

    /// Every key of this table, each of which must be a table.
    pub fn all_sections(&mut self) -> Result<Vec<(String, Section)>> {
        let table = std::mem::take(&mut self.table);
        table
            .into_iter()
            .map(|(key, value)| match value {
                Value::Table(table) => {
                    let child = self.child(&key, table);
                    Ok((key, child))
                }
                _ => bail!("{}: `{key}` must be a table", self.name()),
            })
            .collect()
    }

    /// Every key of this table, each of which must be a text.
    pub fn all_strings(&mut self) -> Result<Vec<(String, String)>> {
        let table = std::mem::take(&mut self.table);
        table
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key, text)),
                _ => bail!("{}: `{key}` must be a text", self.name()),
            })
            .collect()
    }

    /// Drops a key that means nothing to this runtime and changes nothing for a component.
    pub fn ignore(&mut self, key: &str) {
        self.table.remove(key);
    }

    /// Refuses what nobody asked for.
    pub fn finish(self) -> Result<()> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(key) => bail!(
                "{} uses `{key}`, which the local runtime does not support; run the application \
                 with `spin up`",
                self.name()
            ),
        }
    }

    fn child(&self, key: &str, table: Table) -> Section {
        let name =
            if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Section { name, table }
    }
}
