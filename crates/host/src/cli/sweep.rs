//! `dunlin sweep`.

use super::client::{Client, Refused, escape};
use super::{Format, Outcome, Target, print, progress};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Ticks after which a sweep that never ends is reported; a million customers take a few hundred.
const MOST_TICKS: u32 = 10_000;

/// The pause after a tick that could do nothing, because another one holds the lease.
const PAUSE: Duration = Duration::from_millis(500);

/// How long another tick may hold the lease before that is reported: longer than a lease lasts.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Args)]
pub struct Options {
    /// Business date, YYYY-MM-DD; today in the organisation's time zone when absent
    #[arg(long)]
    as_of: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    format: Format,
}

/// How far a sweep has come.
#[derive(Deserialize)]
pub struct Progress {
    done: bool,
    pub business_date: String,
    stage: String,
    cursor: Option<String>,
    #[serde(default)]
    pub counts: Map<String, Value>,
}

pub async fn run(options: &Options) -> Outcome {
    let client = Client::new(&options.target)?;
    let (answer, progress) = until_done(&client, options.as_of.as_deref()).await?;
    if options.format.json {
        print(&answer.to_string());
    } else {
        print(&format!("{} is done: {}", progress.business_date, counts(&progress.counts)));
    }
    Ok(true)
}

/// Calls the sweep until it says that it is done.
pub async fn until_done(client: &Client, as_of: Option<&str>) -> Result<(Value, Progress)> {
    let path = match as_of {
        Some(day) => format!("/v1/sweep?as_of={}", escape(day)),
        None => "/v1/sweep".to_owned(),
    };
    let bar = progress::spinner("sweeping");
    let (mut before, mut waited) = (None, Duration::ZERO);
    for _ in 0..MOST_TICKS {
        let answer = match client.post(&path, None).await {
            // Another tick holds the lease, for half a minute at the most if its process died.
            Err(refused) if is_running(&refused) && waited < PATIENCE => {
                waited += PAUSE;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            answer => answer?,
        };
        waited = Duration::ZERO;
        let progress: Progress = serde_json::from_value(answer.clone())
            .context("the application answered something that is not the progress of a sweep")?;
        if progress.done {
            bar.finish_and_clear();
            return Ok((answer, progress));
        }
        bar.set_message(format!("{}: {}", progress.business_date, progress.stage));
        let now = Some((progress.stage, progress.cursor));
        if now == before {
            tokio::time::sleep(PAUSE).await;
        }
        before = now;
    }
    bail!("the sweep is not done after {MOST_TICKS} calls")
}

fn is_running(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Refused>()
        .is_some_and(|refused| refused.problem["code"] == "sweep-running")
}

/// `12 scored, 3 notices`, in the order of the answer; what is zero is left out.
pub fn counts(counts: &Map<String, Value>) -> String {
    let some: Vec<String> = counts
        .iter()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(name, count)| format!("{count} {}", name.replace('_', " ")))
        .collect();
    if some.is_empty() { "nothing was left to do".to_owned() } else { some.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_a_sentence() {
        let of = |value: Value| counts(value.as_object().unwrap());
        assert_eq!(of(serde_json::json!({})), "nothing was left to do");
        assert_eq!(of(serde_json::json!({"aged": 0})), "nothing was left to do");
        assert_eq!(
            of(serde_json::json!({"aged": 60, "alerts_opened": 2, "sent": 0})),
            "60 aged, 2 alerts opened"
        );
    }
}
