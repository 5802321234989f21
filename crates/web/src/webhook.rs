//! Notices and events as signed JSON webhooks, after the Standard Webhooks specification: headers `webhook-id`,
//! `webhook-timestamp` and `webhook-signature`, the last over `id.timestamp.body` by HMAC-SHA256.

use crate::{
    Call, Env, Problem,
    env::{Post, Posted, Sleep},
    signature,
};
use dunlin_app::{
    remind::{self, Handed},
    webhook::{self, Answered, Parcel, Sent},
};
use dunlin_domain::{
    Refusal,
    contract::{
        events::Event,
        notifier::{Notifier, Outcome},
        remind::{DeliveryResult, Notice},
    },
};
use dunlin_store::Db;
use futures::future::join_all;
use serde::Serialize;
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
        let secret = signature::standard_secret(&secret).ok_or_else(refused)?;
        Ok(Some(Self { env, url, secret }))
    }

    fn post(&self, notice: &Notice) -> Result<Post, String> {
        let now = self.env.now();
        let message =
            Message { r#type: "notice.created", timestamp: now.to_string(), data: notice };
        let body = serde_json::to_string(&message).map_err(|e| e.to_string())?;
        let (id, timestamp) = (notice.id.to_string(), now.unix().to_string());
        let signature = signature::standard(&self.secret, &id, &timestamp, &body);
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

/// The message of an event that a receiver gets.
#[derive(Serialize)]
struct Happened<'a> {
    r#type: &'a str,
    timestamp: String,
    data: &'a Event,
}

/// Takes up what has happened and sends what is due until nothing is left or the moment has come (Unix milliseconds),
/// and says whether nothing is left, with another run neither. Calls go out between transactions, never inside one. A webhook whose receiver was
/// silent is left out from then on: a batch lasts as long as its slowest.
pub async fn send_until<D: Db>(
    call: &Call<'_, D>,
    until_millis: u64,
) -> Result<(Sent, bool), Problem> {
    let (mut sum, mut silent) = (Sent::default(), Vec::new());
    loop {
        let moved = webhook::take_up(call.db()?, call.env().now())?;
        let parcels = webhook::claim(call.db()?, call.env().now(), &silent)?;
        if parcels.is_empty() && !moved {
            let elsewhere = webhook::under_way(call.db()?, call.env().now())?;
            return Ok((sum, silent.is_empty() && !elsewhere));
        }
        let answers = join_all(parcels.iter().map(|parcel| send(call.env(), parcel))).await;
        let sent = webhook::settle(call.db()?, &parcels, &answers, call.env().now())?;
        let waited = parcels.iter().zip(&answers);
        let waited = waited.filter(|(_, answer)| matches!(answer, Answered::Silent(_)));
        silent.extend(waited.map(|(parcel, _)| parcel.claimed.webhook));
        silent.sort_unstable();
        silent.dedup();
        sum.sent = sum.sent.saturating_add(sent.sent);
        sum.retried = sum.retried.saturating_add(sent.retried);
        sum.dead = sum.dead.saturating_add(sent.dead);
        if call.env().unix_millis() >= until_millis {
            return Ok((sum, false));
        }
    }
}

async fn send(env: &dyn Env, parcel: &Parcel) -> Answered {
    let post = match happened(env, parcel) {
        Ok(post) => post,
        Err(why) => return Answered::Later(why),
    };
    match in_time(env.post(post), env.sleep(DEADLINE_SECONDS)).await {
        Some(Ok(200..=299)) => Answered::Taken,
        Some(Ok(410)) => Answered::Gone,
        Some(Ok(status)) => Answered::Later(format!("the receiver answered {status}")),
        Some(Err(why)) => Answered::Later(why),
        None => Answered::Silent(format!("no answer within {DEADLINE_SECONDS} s")),
    }
}

fn happened(env: &dyn Env, parcel: &Parcel) -> Result<Post, String> {
    let event: Event = serde_json::from_str(&parcel.claimed.body).map_err(|e| e.to_string())?;
    let message = Happened { r#type: &event.kind, timestamp: event.at.to_string(), data: &event };
    let body = serde_json::to_string(&message).map_err(|e| e.to_string())?;
    let (id, timestamp) = (event.id.clone(), env.now().unix().to_string());
    let keys = parcel.secrets.iter().filter_map(|text| signature::standard_secret(text));
    let signatures: Vec<String> =
        keys.map(|key| signature::standard(&key, &id, &timestamp, &body)).collect();
    let headers = vec![
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signatures.join(" ")),
    ];
    Ok(Post { url: parcel.url.clone(), headers, body })
}
