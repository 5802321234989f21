//! Notices as signed JSON webhooks, after the Standard Webhooks specification: headers `webhook-id`,
//! `webhook-timestamp` and `webhook-signature`, the last over `id.timestamp.body` by HMAC-SHA256.

use crate::{
    Call, Env, Problem,
    env::{Post, Posted, Sleep},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use dunlin_app::remind::{self, Handed};
use dunlin_domain::{
    Refusal,
    contract::{
        notifier::{Notifier, Outcome},
        remind::{DeliveryResult, Notice},
    },
};
use dunlin_store::Db;
use futures::future::join_all;
use hmac::{Hmac, Mac};
use serde::Serialize;
use sha2::Sha256;
use std::{future::poll_fn, task::Poll};

/// The variable with the receiver's URL. Without it notices stay queued.
pub const URL: &str = "webhook_url";
/// The variable with the secret, as `whsec_` and base64.
pub const SECRET: &str = "webhook_secret";

/// How long a receiver may take. A receiver that works takes the message and answers at once, and a tick that begins
/// its last batch at the end of its fifteen seconds still ends within twenty.
const DEADLINE_SECONDS: u32 = 5;

/// The message that a receiver gets.
#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    timestamp: String,
    data: &'a Notice,
}

/// The channel to one receiver.
pub struct Webhook<'a> {
    env: &'a dyn Env,
    url: String,
    secret: Vec<u8>,
}

impl<'a> Webhook<'a> {
    /// The channel that the variables describe; `None` when no URL is set. A secret that cannot be used is refused
    /// before anything is sent.
    pub fn new(env: &'a dyn Env) -> Result<Option<Self>, Problem> {
        let Some(url) = env.variable(URL) else { return Ok(None) };
        let refused = || {
            Problem::new(
                Refusal::NotConfigured,
                format!("set {SECRET} to `whsec_` and base64 of 24 to 64 bytes"),
            )
        };
        let secret = env.variable(SECRET).ok_or_else(refused)?;
        let secret = secret
            .strip_prefix("whsec_")
            .and_then(|text| STANDARD.decode(text).ok())
            .ok_or_else(refused)?;
        if !(24..=64).contains(&secret.len()) {
            return Err(refused());
        }
        Ok(Some(Self { env, url, secret }))
    }

    fn post(&self, notice: &Notice) -> Result<Post, String> {
        let now = self.env.now();
        let message =
            Message { r#type: "notice.created", timestamp: now.to_string(), data: notice };
        let body = serde_json::to_string(&message).map_err(|e| e.to_string())?;
        let (id, timestamp) = (notice.id.to_string(), now.unix().to_string());
        let signature = signature(&self.secret, &id, &timestamp, &body);
        let headers = vec![
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ];
        Ok(Post { url: self.url.clone(), headers, body })
    }

    async fn send(&self, notice: &Notice) -> Outcome {
        let post = match self.post(notice) {
            Ok(post) => post,
            Err(why) => return Outcome::Never(why),
        };
        match in_time(self.env.post(post), self.env.sleep(DEADLINE_SECONDS)).await {
            Some(Ok(200..=299)) => Outcome::Sent,
            Some(Ok(410)) => Outcome::Never("the receiver answered 410 Gone".into()),
            Some(Ok(status)) => Outcome::Later(format!("the receiver answered {status}")),
            Some(Err(why)) => Outcome::Later(why.chars().take(200).collect()),
            None => Outcome::Later(format!("no answer within {DEADLINE_SECONDS} s")),
        }
    }
}

impl Notifier for Webhook<'_> {
    /// All at once: a batch holds one notice of each customer, so that no order is lost, and lasts no longer than its
    /// slowest.
    async fn deliver(&self, batch: &[Notice]) -> Vec<Outcome> {
        join_all(batch.iter().map(|notice| self.send(notice))).await
    }
}

/// `v1,` and the base64 of the HMAC.
fn signature(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The answer, or nothing when the time is over first.
async fn in_time(mut posted: Posted, mut sleep: Sleep) -> Option<Result<u16, String>> {
    poll_fn(|context| match posted.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Hands over what is due until nothing is left or the moment has come (Unix milliseconds), and says whether
/// something is left. Calls go out between transactions, never inside one.
pub async fn deliver_until<D: Db>(
    call: &Call<'_, D>,
    until_millis: u64,
) -> Result<(Handed, bool), Problem> {
    let mut sum = Handed::default();
    let Some(webhook) = Webhook::new(call.env())? else { return Ok((sum, true)) };
    loop {
        let claimed = remind::claim(call.db()?, call.env().now())?;
        if claimed.is_empty() {
            return Ok((sum, true));
        }
        let notices: Vec<Notice> = claimed.iter().map(|of| of.notice.clone()).collect();
        let outcomes = webhook.deliver(&notices).await;
        let handed = remind::settle(call.db()?, &claimed, &outcomes, call.env().now())?;
        sum.sent = sum.sent.saturating_add(handed.sent);
        sum.retried = sum.retried.saturating_add(handed.retried);
        sum.failed = sum.failed.saturating_add(handed.failed);
        if call.env().unix_millis() >= until_millis {
            return Ok((sum, false));
        }
    }
}

/// The answer of a delivery run.
pub fn result(handed: Handed, done: bool) -> DeliveryResult {
    DeliveryResult { done, sent: handed.sent, retried: handed.retried, failed: handed.failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of the Standard Webhooks specification's reference libraries.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
