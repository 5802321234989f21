//! `dunlin verify`.

use super::client::Client;
use super::table::{Side, Table};
use super::{Format, Outcome, Target, print, progress};
use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    format: Format,
}

/// What the application found.
#[derive(Deserialize)]
struct Verification {
    ok: bool,
    checks: Vec<Check>,
    audit_entries: u64,
    audit_head: Option<String>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    about: String,
    checked: u64,
    broken: u64,
    examples: Vec<String>,
}

pub async fn run(options: &Options) -> Outcome {
    let bar = progress::spinner("checking the books");
    let answer = Client::new(&options.target)?.get("/v1/ingest/verification").await?;
    bar.finish_and_clear();
    let found: Verification = serde_json::from_value(answer.clone())
        .context("the application answered something that is not a verification")?;
    print(&if options.format.json { answer.to_string() } else { found.as_text() });
    Ok(found.ok)
}

impl Verification {
    /// A line for each rule, what breaks them, and the end of the audit chain.
    fn as_text(&self) -> String {
        let mut table =
            Table::new(&[("rule", Side::Left), ("checked", Side::Right), ("broken", Side::Right)]);
        for check in &self.checks {
            table.row([check.name.clone(), check.checked.to_string(), check.broken.to_string()]);
        }
        let mut text = table.render();
        for check in self.checks.iter().filter(|check| check.broken > 0) {
            text.push_str(&format!(
                "\n{} is broken, such as by {}.\n  {}\n",
                check.name,
                check.examples.join(", "),
                check.about
            ));
        }
        let verdict = if self.ok { "The books hold." } else { "The books do not hold." };
        let head = self.audit_head.as_deref().unwrap_or("none");
        text.push_str(&format!(
            "\n{verdict} Entries of the audit chain: {}; hash of the last: {head}",
            self.audit_entries
        ));
        // What was read may come from a file: it must not steer the terminal.
        text.retain(|c| c == '\n' || !c.is_control());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_named() -> anyhow::Result<()> {
        let found: Verification = serde_json::from_value(serde_json::json!({
            "ok": false,
            "checks": [
                {"name": "one", "about": "One holds.", "checked": 3, "broken": 0, "examples": []},
                {"name": "two", "about": "Two holds.", "checked": 4, "broken": 2, "examples": ["A", "B"]},
            ],
            "audit_entries": 7,
            "audit_head": "ff",
        }))?;
        let text = found.as_text();
        for part in [
            "two is broken, such as by A, B.\n  Two holds.",
            "The books do not hold. Entries of the audit chain: 7; hash of the last: ff",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains("one is broken"), "{text}");
        Ok(())
    }
}
