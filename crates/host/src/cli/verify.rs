//! `dunlin verify`.

use super::client::Client;
use super::table::{Side, Table};
use super::{Format, Outcome, Target, print, progress};
use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Also work out all allocations again, and name what is stored otherwise; takes longer
    #[arg(long)]
    replay: bool,
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

/// What a replay of some customers found.
#[derive(Deserialize)]
struct Page {
    customers: u64,
    checked: u64,
    broken: u64,
    items: Vec<Value>,
    next: Option<String>,
}

/// What a replay of all of them found.
#[derive(Default)]
struct Replay {
    customers: u64,
    checked: u64,
    broken: u64,
    items: Vec<Value>,
}

/// Differences that are shown; all are counted.
const SHOWN: usize = 100;

pub async fn run(options: &Options) -> Outcome {
    let bar = progress::spinner("checking the books");
    let client = Client::new(&options.target)?;
    let mut answer = client.get("/v1/ingest/verification").await?;
    let mut found: Verification = serde_json::from_value(answer.clone())
        .context("the application answered something that is not a verification")?;
    let replay = match options.replay {
        true => Some(Replay::of(&client, &bar).await?),
        false => None,
    };
    bar.finish_and_clear();
    if let Some(replay) = replay {
        found.ok &= replay.broken == 0;
        answer["ok"] = json!(found.ok);
        answer["replay"] = json!({
            "ok": replay.broken == 0, "customers": replay.customers, "checked": replay.checked,
            "broken": replay.broken, "items": replay.items,
        });
        found.checks.push(replay.check());
    }
    print(&if options.format.json { answer.to_string() } else { found.as_text() });
    Ok(found.ok)
}

impl Replay {
    /// Replays all customers, page after page.
    async fn of(client: &Client, bar: &indicatif::ProgressBar) -> anyhow::Result<Self> {
        let (mut replay, mut cursor) = (Self::default(), None::<String>);
        loop {
            let from = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let path = format!("/v1/ingest/verification/replay?limit=500{from}");
            let page: Page = serde_json::from_value(client.get(&path).await?)
                .context("the application answered something that is not a replay")?;
            replay.add(page.customers, page.checked, page.broken, page.items);
            bar.set_message(format!("replayed {} customers", replay.customers));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(replay);
            }
        }
    }

    fn add(&mut self, customers: u64, checked: u64, broken: u64, items: Vec<Value>) {
        self.customers = self.customers.saturating_add(customers);
        self.checked = self.checked.saturating_add(checked);
        self.broken = self.broken.saturating_add(broken);
        self.items.extend(items);
        self.items.truncate(SHOWN);
    }

    /// As one more rule.
    fn check(self) -> Check {
        let word = |of: &Value, name: &str| of[name].as_str().map(str::to_owned);
        let example = |of: &Value| {
            let names =
                ["invoice_id", "credit_note_id", "adjustment_id", "dispute_id", "payment_id"];
            let mut parts = vec![word(of, "customer_id").unwrap_or_else(|| "nobody".to_owned())];
            parts.extend(names.iter().filter_map(|name| word(of, name)));
            let what = word(of, "what").unwrap_or_default();
            let on = word(of, "on").map(|on| format!(" on {on}")).unwrap_or_default();
            let currency = word(of, "currency").map(|of| format!(" {of}")).unwrap_or_default();
            let (stored, replayed) = (&of["stored_minor"], &of["replayed_minor"]);
            let parts = parts.join(" ");
            format!("\n  {parts}: {what}{on}{currency}: stored {stored}, replayed {replayed}")
        };
        Check {
            name: "replay-agrees".to_owned(),
            about: "What is stored of allocations is what a replay of the documents gives."
                .to_owned(),
            checked: self.checked,
            broken: self.broken,
            examples: self.items.iter().map(example).collect(),
        }
    }
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

    #[test]
    fn what_a_replay_finds_is_named_by_customer_document_and_payment() {
        let mut replay = Replay::default();
        let item = serde_json::json!({
            "customer_id": "C1", "currency": "EUR", "what": "allocation", "invoice_id": "I1",
            "payment_id": "P1", "on": "2024-02-01", "stored_minor": 0, "replayed_minor": 20,
        });
        replay.add(500, 900, 1, vec![item.clone()]);
        replay.add(3, 7, 150, vec![item; 100]);
        assert_eq!((replay.customers, replay.items.len()), (503, SHOWN));
        let check = replay.check();
        assert_eq!((check.checked, check.broken), (907, 151));
        assert_eq!(
            check.examples.first().map(String::as_str),
            Some("\n  C1 I1 P1: allocation on 2024-02-01 EUR: stored 0, replayed 20")
        );
    }
}
