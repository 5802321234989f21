//! `dunlin key`.

use super::client::{Client, escape};
use super::table::{Side, Table};
use super::{Format, Outcome, Target, print};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key; it is shown this once
    Create(Create),
    /// List the keys, without their secrets
    List(Common),
    /// Switch a key off, from the next request on
    Revoke(One),
    /// Replace a key by a new one with the same rights; it is shown this once
    Rotate(One),
}

#[derive(Args)]
struct Common {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
struct Create {
    /// Name for people, such as the program that will use the key
    #[arg(long)]
    name: String,
    /// Right to carry, such as ingest-write or report-read; may be given several times or with commas
    #[arg(long = "scope", required = true, value_delimiter = ',')]
    scopes: Vec<String>,
    /// Moment from which the key is refused, such as 2027-01-01T00:00:00Z
    #[arg(long)]
    expires_at: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct One {
    /// Id of the key
    id: String,
    #[command(flatten)]
    common: Common,
}

pub async fn run(options: &Options) -> Outcome {
    match &options.action {
        Action::Create(create) => {
            let mut body = json!({ "name": create.name, "scopes": create.scopes });
            if let Some(moment) = &create.expires_at {
                body["expires_at"] = moment.as_str().into();
            }
            let client = Client::new(&create.common.target)?;
            let answer = client.post("/v1/ingest/keys", Some(&body)).await?;
            report(&create.common, &answer, issued)
        }
        Action::List(common) => {
            let answer = all(&Client::new(&common.target)?).await?;
            report(common, &answer, list)
        }
        Action::Revoke(one) => {
            act(one, "revoke", |answer| {
                Ok(format!("the key {} is switched off", text(answer, "id")))
            })
            .await
        }
        Action::Rotate(one) => act(one, "rotate", issued).await,
    }
}

async fn act(one: &One, verb: &str, show: impl Fn(&Value) -> Result<String>) -> Outcome {
    let client = Client::new(&one.common.target)?;
    let path = format!("/v1/ingest/keys/{}/{verb}", escape(&one.id));
    let answer = client.post(&path, None).await?;
    report(&one.common, &answer, show)
}

/// Every page of keys, as one list.
async fn all(client: &Client) -> Result<Value> {
    let mut items = Vec::new();
    let mut path = "/v1/ingest/keys".to_owned();
    loop {
        let page = client.get(&path).await?;
        items.extend(page["items"].as_array().context("the answer is not a list")?.iter().cloned());
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/ingest/keys?cursor={}", escape(next)),
            None => return Ok(json!({ "items": items })),
        }
    }
}

fn report(common: &Common, answer: &Value, show: impl Fn(&Value) -> Result<String>) -> Outcome {
    print(&if common.format.json { answer.to_string() } else { show(answer)? });
    Ok(true)
}

fn issued(answer: &Value) -> Result<String> {
    let key = answer["key"].as_str().context("the answer has no key")?;
    Ok(format!(
        "{key}\n\nThis is the key {}. Keep it: it cannot be shown again.",
        text(answer, "id")
    ))
}

fn list(answer: &Value) -> Result<String> {
    let mut table = Table::new(&[
        ("id", Side::Left),
        ("name", Side::Left),
        ("scopes", Side::Left),
        ("expires", Side::Left),
        ("state", Side::Left),
    ]);
    for key in answer["items"].as_array().into_iter().flatten() {
        let scopes: Vec<&str> =
            key["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let state = if key["revoked_at"].is_string() { "revoked" } else { "active" };
        table.row([
            text(key, "id"),
            text(key, "name"),
            scopes.join(" "),
            text(key, "expires_at"),
            state.to_owned(),
        ]);
    }
    if table.is_empty() {
        return Ok("there are no keys yet, only the admin key".to_owned());
    }
    Ok(table.render().trim_end().to_owned())
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_listed_without_secrets() {
        let answer = json!({ "items": [
            {"id": "k1", "name": "erp", "scopes": ["ingest-write", "report-read"], "expires_at": null, "revoked_at": null},
            {"id": "k2", "name": "old", "scopes": ["admin"], "expires_at": "2026-01-01T00:00:00Z",
             "revoked_at": "2025-01-01T00:00:00Z"},
        ]});
        let shown = list(&answer).unwrap();
        assert_eq!(shown.lines().count(), 3);
        assert!(shown.contains("ingest-write report-read") && shown.contains("revoked"));
        assert!(list(&json!({"items": []})).unwrap().contains("no keys"));
    }

    #[test]
    fn a_new_key_stands_alone_on_its_line() {
        let shown = issued(&json!({"id": "k1", "key": "k1.secret"})).unwrap();
        assert_eq!(shown.lines().next(), Some("k1.secret"));
        assert!(issued(&json!({"id": "k1"})).is_err());
    }
}
