//! Calls a function of the application at the times of `schedule.toml`.
//!
//! The component knows nothing of the application but a URL and a key, its two variables. It is a cron component in
//! the form that the cron plugin of Spin 4.1 runs: an asynchronous export, HTTP through WASI 0.2.

mod call;

// The generated code is not ours to lint.
#[allow(clippy::all, clippy::restriction, unsafe_code)]
mod wit {
    wit_bindgen::generate!({ world: "clock", path: "wit", generate_all });
    export!(Clock);
    use super::Clock;
}

use wit::spin::variables::variables;
use wit::{Error, Guest, Metadata};

/// A sweep does its work in slices and asks to be called again. This bounds one tick should it never say it is done;
/// the next tick goes on where this one stopped.
const MOST_CALLS: u32 = 30;

struct Clock;

impl Guest for Clock {
    async fn handle_cron_event(due: Metadata) -> Result<(), Error> {
        let url = variable("url").await?;
        let key = variable("key").await?;
        for call in 1..=MOST_CALLS {
            let answer = call::post(&url, &key).map_err(Error::Other)?;
            println!(
                r#"{{"level":"info","event":"tick","due":{},"call":{call},"status":{}}}"#,
                due.timestamp, answer.status
            );
            if !(200..300).contains(&answer.status) {
                return Err(Error::Other(format!("{url} answered {}", answer.status)));
            }
            if !answer.wants_another_call() {
                break;
            }
        }
        Ok(())
    }
}

async fn variable(name: &str) -> Result<String, Error> {
    variables::get(name.to_owned())
        .await
        .map_err(|error| Error::Other(format!("the variable `{name}` has no value: {error:?}")))
}
