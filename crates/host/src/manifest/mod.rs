//! `spin.toml` and `schedule.toml`: the part of Spin's manifest version 2 that Dunlin uses.
//!
//! What the local runtime cannot do it refuses by name, so that nobody finds out from a request that fails.

mod section;
mod template;
#[cfg(test)]
mod tests;
mod variables;

pub use template::Template;
pub use variables::{Resolved, from_environment};

use anyhow::{Context as _, Result, bail, ensure};
use section::Section;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One application manifest, read and checked.
#[derive(Debug)]
pub struct Manifest {
    /// Where it was read from; every relative path inside is relative to its folder.
    pub path: PathBuf,
    /// `application.name`.
    pub name: String,
    /// `[variables]`, by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]`, in the order of the file.
    pub http: Vec<HttpTrigger>,
    /// `[[trigger.cron]]`, in the order of the file.
    pub cron: Vec<CronTrigger>,
    /// `[component.<id>]`, by id.
    pub components: BTreeMap<String, Component>,
}

/// An application variable; its value comes from the command line, the environment or its default.
#[derive(Debug, Default)]
pub struct Variable {
    pub default: Option<String>,
    pub required: bool,
    /// A secret is never printed, not even its length.
    pub secret: bool,
}

/// A route and the component that answers it.
#[derive(Debug, PartialEq)]
pub struct HttpTrigger {
    /// `None` for `{ private = true }`: the component is loaded, but no request from outside reaches it.
    pub route: Option<String>,
    pub component: String,
}

/// A cron expression and the component it starts.
#[derive(Debug, PartialEq)]
pub struct CronTrigger {
    pub expression: String,
    pub component: String,
}

/// One Wasm component and what it may touch.
#[derive(Debug)]
pub struct Component {
    pub source: PathBuf,
    pub description: String,
    pub allowed_outbound_hosts: Vec<Template>,
    pub sqlite_databases: Vec<String>,
    pub key_value_stores: Vec<String>,
    pub variables: BTreeMap<String, Template>,
    /// `tool.dunlin.gathers`: answers together what waits together, so that requests may wait to meet in one instance.
    pub gathers: bool,
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    pub fn load(path: &Path) -> Result<Manifest> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}", path.display()))?;
        Manifest::parse(path, &text).with_context(|| format!("in {}", path.display()))
    }

    /// Checks the text of a manifest; `path` is only used to place relative paths.
    pub fn parse(path: &Path, text: &str) -> Result<Manifest> {
        let mut top = Section::root(text)?;
        match top.integer("spin_manifest_version")? {
            Some(2) => {}
            _ => bail!("`spin_manifest_version` must be 2"),
        }
        let name = application(&mut top)?;
        let variables = variables::parse(&mut top)?;
        let (http, cron) = triggers(&mut top)?;
        let components = components(&mut top)?;
        top.finish()?;
        let manifest =
            Manifest { path: path.to_path_buf(), name, variables, http, cron, components };
        manifest.check_references()?;
        Ok(manifest)
    }

    /// The folder of the manifest.
    pub fn root(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The Wasm file of a component.
    pub fn source(&self, component: &Component) -> PathBuf {
        self.root().join(&component.source)
    }

    fn check_references(&self) -> Result<()> {
        let http = self.http.iter().map(|t| &t.component);
        for id in http.chain(self.cron.iter().map(|t| &t.component)) {
            ensure!(
                self.components.contains_key(id),
                "a trigger names the component `{id}`, but there is no [component.{id}]"
            );
        }
        Ok(())
    }
}

fn application(top: &mut Section) -> Result<String> {
    let mut section = top.section("application")?.context("the table [application] is missing")?;
    let name = section.string("name")?.context("`application.name` is missing")?;
    for shown_elsewhere in ["version", "description"] {
        section.string(shown_elsewhere)?;
    }
    section.ignore("authors");
    section.finish()?;
    Ok(name)
}

fn triggers(top: &mut Section) -> Result<(Vec<HttpTrigger>, Vec<CronTrigger>)> {
    let mut http = Vec::new();
    let mut cron = Vec::new();
    if let Some(mut triggers) = top.section("trigger")? {
        for mut trigger in triggers.sections("http")? {
            trigger.ignore("id");
            http.push(HttpTrigger {
                route: route(&mut trigger)?,
                component: target(&mut trigger)?,
            });
            trigger.finish()?;
        }
        for mut trigger in triggers.sections("cron")? {
            trigger.ignore("id");
            let expression = trigger
                .string("cron_expression")?
                .context("a [[trigger.cron]] has no `cron_expression`")?;
            cron.push(CronTrigger { expression, component: target(&mut trigger)? });
            trigger.finish()?;
        }
        triggers.finish()?;
    }
    Ok((http, cron))
}

fn route(trigger: &mut Section) -> Result<Option<String>> {
    if trigger.is_string("route") {
        return trigger.string("route");
    }
    let mut table = trigger.section("route")?.context("a [[trigger.http]] has no `route`")?;
    ensure!(
        table.boolean("private")? == Some(true),
        "a route is a pattern such as \"/v1/...\" or `{{ private = true }}`"
    );
    table.finish()?;
    Ok(None)
}

fn target(trigger: &mut Section) -> Result<String> {
    if trigger.is_table("component") {
        bail!(
            "{} describes its component in place; name a [component.<id>] instead, or run the \
             application with `spin up`",
            trigger.name()
        );
    }
    trigger.string("component")?.with_context(|| format!("{} has no `component`", trigger.name()))
}

fn components(top: &mut Section) -> Result<BTreeMap<String, Component>> {
    let mut components = BTreeMap::new();
    if let Some(mut table) = top.section("component")? {
        for (id, mut section) in table.all_sections()? {
            let component = component(&mut section)?;
            section.finish()?;
            components.insert(id, component);
        }
    }
    Ok(components)
}

fn component(section: &mut Section) -> Result<Component> {
    if section.is_table("source") {
        bail!(
            "{} takes its source from a URL or a registry, which the local runtime does not; run \
             the application with `spin up`",
            section.name()
        );
    }
    let source =
        section.string("source")?.with_context(|| format!("{} has no `source`", section.name()))?;
    if let Some(mut build) = section.section("build")? {
        // The runtime builds the whole workspace in one go, see `crate::build`; these serve `spin build`.
        for key in ["command", "workdir", "watch", "environment"] {
            build.ignore(key);
        }
        build.finish()?;
    }
    let gathers = gathers(section)?;
    let mut variables = BTreeMap::new();
    if let Some(mut table) = section.section("variables")? {
        for (name, value) in table.all_strings()? {
            variables.insert(name, Template::parse(&value)?);
        }
    }
    let allowed_outbound_hosts = section
        .strings("allowed_outbound_hosts")?
        .iter()
        .map(|host| Template::parse(host))
        .collect::<Result<_>>()?;
    Ok(Component {
        source: source.into(),
        description: section.string("description")?.unwrap_or_default(),
        allowed_outbound_hosts,
        sqlite_databases: labels(section, "sqlite_databases")?,
        key_value_stores: labels(section, "key_value_stores")?,
        variables,
        gathers,
    })
}

/// What other tools are told is theirs; what this runtime is told is read as strictly as the rest.
fn gathers(section: &mut Section) -> Result<bool> {
    let Some(mut tools) = section.section("tool")? else { return Ok(false) };
    let Some(mut own) = tools.section("dunlin")? else { return Ok(false) };
    let gathers = own.boolean("gathers")?.unwrap_or(false);
    own.finish()?;
    Ok(gathers)
}

/// A label becomes a file name in the data directory, so only plain words are allowed.
fn labels(section: &mut Section, key: &str) -> Result<Vec<String>> {
    let labels = section.strings(key)?;
    for label in &labels {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        ensure!(
            !label.is_empty() && label.len() <= 64 && label.chars().all(plain),
            "{}: the label {label:?} in `{key}` must be 1 to 64 letters, digits, `-` or `_`",
            section.name()
        );
    }
    Ok(labels)
}
