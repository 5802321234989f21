//! A made-up world: settings, clock and chance in the test's hands, and a database file of its own.

use super::sample;
use crate::{
    Env, Router,
    env::{Post, Posted, Sleep},
    serve,
};
use bytes::Bytes;
use dunlin_store::native::NativeDb;
use futures::{FutureExt as _, executor::block_on, stream};
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::{pending, poll_fn, ready},
    mem::replace,
    path::PathBuf,
    task::Poll,
};
use tempfile::TempDir;

/// The admin key of every test.
pub const ADMIN: &str = "correct-horse-battery";

/// 2024-03-31T08:00:00Z.
const START: u64 = 1_711_872_000_000;

pub struct World {
    pub variables: RefCell<BTreeMap<String, String>>,
    pub millis: Cell<u64>,
    pub lines: RefCell<Vec<String>>,
    pub patient: Cell<bool>,
    /// Whether somebody else writes, so that who is going to lets the others in.
    pub crowded: Cell<bool>,
    random: Cell<u8>,
    dir: TempDir,
    router: Router<NativeDb>,
}

impl Env for World {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.borrow().get(name).cloned()
    }
    fn unix_millis(&self) -> u64 {
        self.millis.get()
    }
    fn random(&self, into: &mut [u8]) {
        for byte in into {
            self.random.set(self.random.get().wrapping_add(37));
            *byte = self.random.get();
        }
    }
    fn log(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_string());
    }
    fn post(&self, _: Post) -> Posted {
        Box::pin(ready(Err("nobody is reached from here".to_string())))
    }
    fn sleep(&self, _: u32) -> Sleep {
        if self.patient.get() { Box::pin(pending()) } else { Box::pin(ready(())) }
    }
    fn lull(&self) -> Sleep {
        if self.crowded.get() { Box::pin(turn()) } else { Box::pin(ready(())) }
    }
}

impl World {
    pub fn new() -> Self {
        let variables =
            RefCell::new(BTreeMap::from([("admin_key".to_string(), ADMIN.to_string())]));
        let router = Router::new("sample", sample::routes()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (millis, lines) = (Cell::new(START), RefCell::default());
        Self {
            variables,
            millis,
            lines,
            patient: Cell::new(false),
            crowded: Cell::new(false),
            random: Cell::new(0),
            dir,
            router,
        }
    }

    pub fn set(&self, name: &str, value: &str) {
        self.variables.borrow_mut().insert(name.to_string(), value.to_string());
    }

    pub fn pass(&self, seconds: u64) {
        self.millis.set(self.millis.get() + seconds * 1000);
    }

    pub fn file(&self) -> PathBuf {
        self.dir.path().join("sample.db")
    }

    pub fn db(&self) -> NativeDb {
        NativeDb::open(&self.file()).unwrap()
    }

    pub fn router(&self) -> &Router<NativeDb> {
        &self.router
    }

    pub fn send(&self, sent: Sent) -> Got {
        block_on(self.sending(sent))
    }

    pub async fn sending(&self, sent: Sent) -> Got {
        let mut request = Request::builder().method(sent.method.as_str()).uri(&sent.path);
        for (name, value) in &sent.headers {
            request = request.header(name, value.as_slice());
        }
        let chunks = stream::iter(sent.chunks.into_iter().map(|chunk| chunk.map(Frame::data)));
        let rest = stream::once(async move {
            if sent.stalls {
                turn().await;
            }
            Ok(Frame::data(Bytes::new()))
        });
        let body = StreamBody::new(futures::StreamExt::chain(chunks, rest));
        let request = request.body(body).unwrap();
        let response = serve(&self.router, self, || NativeDb::open(&self.file()), request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_string())
        };
        Got {
            status: parts.status.as_u16(),
            headers: parts.headers.iter().map(header).collect(),
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// The last line of the log.
    pub fn line(&self) -> Value {
        serde_json::from_str(self.lines.borrow().last().unwrap()).unwrap()
    }
}

/// Gives the others a turn.
async fn turn() {
    let mut given = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if replace(&mut given, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A request to send.
#[derive(Clone, Default)]
pub struct Sent {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    chunks: Vec<Result<Bytes, String>>,
    stalls: bool,
}

impl Sent {
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), ..Self::default() }
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    pub fn key(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.chunks.push(Ok(Bytes::copy_from_slice(body.as_ref())));
        self
    }

    pub fn breaks(mut self) -> Self {
        self.chunks.push(Err("connection reset".into()));
        self
    }

    pub fn stalls(mut self) -> Self {
        self.stalls = true;
        self
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Got {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A field of the body as text; empty when it is not there.
    pub fn field(&self, name: &str) -> String {
        self.json()
            .get(name)
            .map(|v| v.as_str().map_or(v.to_string(), str::to_string))
            .unwrap_or_default()
    }

    /// Status, code and field at once, as the tables write them.
    pub fn brief(&self) -> String {
        [self.status.to_string(), self.field("code"), self.field("field")]
            .join(" ")
            .trim_end()
            .to_string()
    }
}
