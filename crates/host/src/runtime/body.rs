//! Bodies on their way in and out.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
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
    body: Incoming,
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    stalled: Arc<Notify>,
}

impl Arriving {
    /// Notifies `stalled` when the client keeps the component waiting for longer than `patience`.
    pub fn new(body: Incoming, patience: Duration, stalled: Arc<Notify>) -> Arriving {
        let timer = Box::pin(tokio::time::sleep(patience));
        Arriving { body, patience, timer, waiting: false, stalled }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
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
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
