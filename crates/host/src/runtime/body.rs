//! Bodies on their way in and out.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// A request body that must not stop in the middle.
///
/// It is read only when the component asks for more, so a slow component slows the client down and nothing piles up
/// here. The clock runs only while the component waits for the client.
pub struct Arriving {
    /// `None` once there is nothing more to be had of it.
    body: Option<Incoming>,
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    stalled: Arc<Notify>,
}

impl Arriving {
    /// Notifies `stalled` when the client keeps the component waiting for longer than `patience`.
    pub fn new(body: Incoming, patience: Duration, stalled: Arc<Notify>) -> Arriving {
        let timer = Box::pin(tokio::time::sleep(patience));
        Arriving { body: Some(body), patience, timer, waiting: false, stalled }
    }
}

/// The longest announced body that is taken in before a component is asked: one read of a connection. The component then
/// finds all of it ready, and a slow client keeps no place in an instance.
const TAKEN_IN: u64 = 16 << 10;

impl Arriving {
    /// The body as a component gets it: whole when it is small, else as it comes.
    pub async fn taken_in(self) -> WasiBody {
        if self.size_hint().exact().is_none_or(|length| length > TAKEN_IN) {
            return self.boxed_unsync();
        }
        match self.collect().await {
            Ok(whole) => Full::new(whole.to_bytes()).map_err(|never| match never {}).boxed_unsync(),
            Err(error) => Broken(Some(error)).boxed_unsync(),
        }
    }
}

/// A body that broke off before a component was asked.
struct Broken(Option<Error>);

impl Body for Broken {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}

/// The most of a body that is read away after it was answered, and for how long: who still sends reads the answer only
/// then, and a connection that is closed with bytes unread loses it.
const DRAINED_BYTES: usize = 64 << 20;
const DRAINED_FOR: Duration = Duration::from_secs(10);

impl Drop for Arriving {
    /// A component that answers before the body is whole gives it up here.
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(DRAINED_FOR, drain(body)));
        }
    }
}

async fn drain(mut body: Incoming) {
    let mut left = DRAINED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            self.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        if !self.waiting {
            self.waiting = true;
            let deadline = Instant::now() + self.patience;
            self.timer.as_mut().reset(deadline);
        }
        if self.timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.stalled.notify_one();
        self.body = None;
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// A response body that holds on to something until it has been sent, or given up.
pub struct Leaving<G> {
    body: WasiBody,
    _until_sent: G,
}

impl<G> Leaving<G> {
    pub fn new(body: WasiBody, until_sent: G) -> Leaving<G> {
        Leaving { body, _until_sent: until_sent }
    }
}

impl<G: Unpin> Body for Leaving<G> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
