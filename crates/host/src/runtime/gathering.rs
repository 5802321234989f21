//! A lane whose instance lets in all who wait, so that requests meet there and can be answered together.
//!
//! `ProxyHandler` starts another instance as soon as one is busy. Here the instance that has the turn serves the line
//! by itself, and the next one starts when it gives the turn up: after its share of requests, at its end, or when
//! nobody has come in for a while.

use super::lanes::{Expiration, Factory, Rules};
use crate::guest::Guest;
use futures::channel::oneshot;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::iter;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;
use wasmtime::AsContextMut as _;
use wasmtime::component::Accessor;
use wasmtime_wasi_http::handler::{
    HandlerState as _, Instance, Prepared, Request, Response, ShouldAccept, TrapOrPanicError,
    WorkerExpiration as _, WorkerState as _, WorkerStatus,
};

/// How often to look whether the line moves. A line that stood still from one look to the next gets an instance more.
const LOOK: Duration = Duration::from_millis(500);

type Waiting = (Request, oneshot::Sender<wasmtime::Result<Response>>);

/// The requests of one lane that no instance has taken yet, and what makes instances for them.
pub struct Gathering {
    factory: Factory,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    /// Whether an instance has the turn, or is being made.
    is_served: bool,
    /// Wakes the instance that has the turn.
    bell: Option<Waker>,
    /// Whether somebody waited at the last look, and nobody came in since.
    stands_still: bool,
}

impl Gathering {
    pub fn new(factory: Factory) -> Arc<Gathering> {
        Arc::new(Gathering { factory, line: Mutex::default() })
    }

    pub async fn handle(self: &Arc<Self>, request: Request) -> wasmtime::Result<Response> {
        let (answer, answered) = oneshot::channel();
        let bell = {
            let mut line = self.line();
            line.waiting.push_back((request, answer));
            if !mem::replace(&mut line.is_served, true) {
                tokio::spawn(self.clone().serve());
            }
            line.bell.take()
        };
        if let Some(bell) = bell {
            bell.wake();
        }
        answered.await.map_err(|_| TrapOrPanicError)?
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of one instance.
    async fn serve(self: Arc<Self>) {
        let turn = Turn(self.clone());
        let mut instance = match self.factory.instantiate().await {
            Ok(instance) => instance,
            Err(error) => return turn.refuse_all(&error),
        };
        let result = run(&mut instance, turn).await;
        instance.state.drop(instance.store, result);
    }
}

/// The right to take from the line. When it is given up while somebody waits, the next instance starts.
struct Turn(Arc<Gathering>);

impl Turn {
    /// The first of the line whose client is still there; when nobody waits, whoever comes next wakes the instance.
    fn take(&self, context: &Context<'_>) -> Option<Waiting> {
        let mut line = self.0.line();
        let mut in_order = iter::from_fn(|| line.waiting.pop_front());
        let first = in_order.find(|(_, answer)| !answer.is_canceled());
        match first {
            Some(_) => line.stands_still = false,
            None => line.bell = Some(context.waker().clone()),
        }
        first
    }

    /// Whether somebody waited at the last look, and nobody came in since.
    fn stands_still(&self) -> bool {
        let mut line = self.0.line();
        let waits = !line.waiting.is_empty();
        mem::replace(&mut line.stands_still, waits)
    }

    /// Without an instance nobody in the line would ever be answered.
    fn refuse_all(&self, error: &wasmtime::Error) {
        let all = mem::take(&mut self.0.line().waiting);
        for (_, answer) in all {
            let _ = answer.send(Err(wasmtime::format_err!("instantiation error: {error:#}")));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.bell = None;
        line.stands_still = false;
        line.is_served = !line.waiting.is_empty();
        if line.is_served {
            tokio::spawn(self.0.clone().serve());
        }
    }
}

/// What an instance does now, as seen from inside of its event loop and from outside.
struct Now {
    status: WorkerStatus,
    /// Since when; while there are requests, since the last of them came in.
    since: Instant,
    /// `None` when it lets nobody in any more.
    turn: Option<Turn>,
}

impl Now {
    fn becomes(&mut self, status: WorkerStatus) {
        if self.status != status {
            (self.status, self.since) = (status, Instant::now());
        }
    }
}

/// Runs an instance to its end: of its requests, of its time, or by a trap.
async fn run(
    instance: &mut Instance<Guest, Expiration, Rules>,
    turn: Turn,
) -> wasmtime::Result<()> {
    let longest = turn.0.factory.grants.limits.request;
    let now =
        Mutex::new(Now { status: WorkerStatus::Idle, since: Instant::now(), turn: Some(turn) });
    let now = || now.lock().unwrap_or_else(PoisonError::into_inner);
    let Instance { store, proxy, view, expiration, state: rules } = instance;
    let (proxy, view, rules) = (&*proxy, *view, &*rules);

    let inside = store.run_concurrent(async |accessor: &Accessor<Guest>| {
        let let_in = |(request, answer): Waiting| {
            let prepared = accessor.with(|mut store| {
                Prepared::new(store.as_context_mut(), proxy, request, view, answer)
            });
            async move { prepared?.run(accessor, tokio::time::sleep(longest)).await }
        };
        let mut running = FuturesUnordered::new();
        let (mut next, mut total) = (None, 0);
        poll_fn(|context| {
            loop {
                if let Some(waiting) = next.take() {
                    running.push(let_in(waiting));
                    total += 1;
                    let mut now = now();
                    (now.status, now.since) = (WorkerStatus::Requests, Instant::now());
                }
                // Before anybody is let in: whose time is over ends that.
                match running.poll_next_unpin(context) {
                    Poll::Ready(Some(Ok(true))) => continue,
                    Poll::Ready(Some(Ok(false))) => {
                        now().turn = None;
                        continue;
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) | Poll::Pending => {}
                }
                let mut now = now();
                match rules.should_accept_request(running.len(), total) {
                    ShouldAccept::Yes => {
                        next = now.turn.as_ref().and_then(|turn| turn.take(context));
                    }
                    ShouldAccept::No => {}
                    ShouldAccept::Never => now.turn = None,
                }
                if next.is_some() {
                    continue;
                }
                if !running.is_empty() {
                    return Poll::Pending;
                }
                // Bodies may still be on their way.
                if accessor.poll_no_interesting_tasks(context).is_pending() {
                    now.becomes(WorkerStatus::PostReturn);
                    return Poll::Pending;
                }
                if now.turn.is_none() {
                    return Poll::Ready(Ok(()));
                }
                now.becomes(WorkerStatus::Idle);
                return Poll::Pending;
            }
        })
        .await
    });

    // While the guest computes or waits for a statement nothing inside is polled. Time is therefore kept outside too.
    // It counts from the last request that came in: nobody comes in to a guest that is stuck.
    let mut inside = pin!(inside);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    poll_fn(|context| {
        if let Poll::Ready(result) = inside.as_mut().poll(context) {
            return Poll::Ready(result.flatten());
        }
        let mut now = now();
        while look.poll_tick(context).is_ready() {
            if now.turn.as_ref().is_some_and(Turn::stands_still) {
                now.turn = None;
            }
        }
        Pin::new(&mut *expiration).poll(context, now.status, now.since).map(|()| match now.status {
            WorkerStatus::Idle => Ok(()),
            WorkerStatus::Requests | WorkerStatus::PostReturn => {
                Err(wasmtime::format_err!("guest timed out"))
            }
        })
    })
    .await
}
