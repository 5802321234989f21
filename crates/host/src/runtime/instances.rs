//! The instances that are alive, so that a shutdown can end them in order.
//!
//! An instance that is simply forgotten leaves its databases open, and with them a write-ahead log that nobody has
//! written back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// How often to look whether the last instance is gone.
const LOOK: Duration = Duration::from_millis(2);

/// How long to wait for it. What is busy by then is left behind.
const PATIENCE: Duration = Duration::from_secs(5);

/// Counts the instances of all components and tells the idle ones when to go.
#[derive(Default)]
pub struct Instances {
    alive: AtomicUsize,
    closing: AtomicBool,
    bell: Arc<Notify>,
}

/// One live instance.
pub struct Alive(Arc<Instances>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, SeqCst);
    }
}

/// Resolves when the runtime shuts down.
pub struct Closing {
    instances: Arc<Instances>,
    bell: Pin<Box<OwnedNotified>>,
}

impl Instances {
    pub fn enter(self: &Arc<Instances>) -> Alive {
        self.alive.fetch_add(1, SeqCst);
        Alive(self.clone())
    }

    pub fn closing(self: &Arc<Instances>) -> Closing {
        Closing { instances: self.clone(), bell: Box::pin(self.bell.clone().notified_owned()) }
    }

    /// Sends idle instances away and waits until they are gone.
    pub async fn close(&self) {
        self.closing.store(true, SeqCst);
        self.bell.notify_waiters();
        let gone = async {
            while self.alive.load(SeqCst) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, gone).await;
    }
}

impl Closing {
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // The flag after the bell: a ring between the two would otherwise be missed.
        if self.bell.as_mut().poll(context).is_ready() || self.instances.closing.load(SeqCst) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
