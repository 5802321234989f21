//! The cron triggers of `schedule.toml`: each starts a fresh instance of its component when its time comes.

use super::log;
use crate::guest::{Grants, Guest};
use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use cron::Schedule;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use wasmtime::Engine;
use wasmtime::component::{ComponentType, InstancePre, Lift, Lower};

/// The function that the cron trigger of Spin calls.
const EXPORT: &str = "handle-cron-event";

#[derive(ComponentType, Lower)]
#[component(record)]
struct Metadata {
    timestamp: u64,
}

#[derive(ComponentType, Lift, Debug)]
#[component(variant)]
enum Error {
    #[component(name = "other")]
    Other(String),
}

/// One `[[trigger.cron]]`.
pub struct Cron {
    pub engine: Engine,
    pub pre: InstancePre<Guest>,
    pub grants: Arc<Grants>,
    pub schedule: Schedule,
}

/// Reads a cron expression of 6 or 7 fields, the first of which is seconds, or of 5, as in a crontab.
pub fn parse(expression: &str) -> Result<Schedule> {
    let fields = expression.split_whitespace().count();
    let full = if fields == 5 { format!("0 {expression}") } else { expression.to_owned() };
    Schedule::from_str(&full)
        .with_context(|| format!("{expression:?} is not a cron expression of 5, 6 or 7 fields"))
}

impl Cron {
    /// Runs the component at each of its times until `stop` turns true. A time that passes while the component is
    /// still running is skipped: the sweep is safe to run late and useless to run twice.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while let Some(next) = self.schedule.upcoming(Utc).next() {
            let wait = (next - Utc::now()).to_std().unwrap_or_default();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stopped| *stopped) => return,
            }
            self.tick(next).await;
        }
    }

    async fn tick(&self, at: DateTime<Utc>) {
        let limit = self.grants.limits.request;
        let outcome = match tokio::time::timeout(limit, self.call(at)).await {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(Error::Other(refusal)))) => refusal,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("the component did not end within {} s", limit.as_secs()),
        };
        let grants = &self.grants;
        log::event(&grants.log, "error", &grants.component, "cron-failed", &outcome);
        // A component that fails at once must not be started again within the same second.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    async fn call(&self, at: DateTime<Utc>) -> wasmtime::Result<Result<(), Error>> {
        let mut store = Guest::store(&self.engine, &self.grants, &Arc::default());
        let instance = self.pre.instantiate_async(&mut store).await?;
        let handle =
            instance.get_typed_func::<(Metadata,), (Result<(), Error>,)>(&mut store, EXPORT)?;
        let metadata = Metadata { timestamp: at.timestamp().unsigned_abs() };
        let (result,) = store
            .run_concurrent(async |accessor| handle.call_concurrent(accessor, (metadata,)).await)
            .await??;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_five_to_seven_fields() {
        for good in ["0 */10 * * * *", "*/3 * * * * *", "0 0 4 * * * 2030", "*/10 * * * *"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["", "* * *", "0 61 * * * *", "every minute"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
