//! The instances of one HTTP component.
//!
//! An instance runs one piece of code at a time: while it computes or waits for a statement, every request that it
//! has accepted waits too. Requests are therefore spread over lanes, each with instances of its own, and a request
//! takes the first lane that is free. Only when all are taken do requests share an instance.
//!
//! A component may say that it gathers: that it answers together what waits together. In its lanes requests wait for
//! the instance that is there, see [`super::gathering`]. Who comes is sent to those who wait there to write, so that they
//! write together.

use super::gathering::Gathering;
use super::instances::{Alive, Closing, Instances};
use super::log;
use crate::guest::{Grants, Guest};
use anyhow::{Context as _, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{GuestTaskId, InstancePre};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, Request, Response, ShouldAccept,
    WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// One HTTP component, ready to answer.
pub struct Lanes {
    lanes: Vec<Lane>,
    /// As many requests as all lanes can hold; more wait outside.
    room: Arc<Semaphore>,
    /// As many as are sent to those who wait in a lane.
    crowd: usize,
}

struct Lane {
    handler: Handler,
    inside: Arc<Inside>,
}

/// Who is in a lane.
#[derive(Default)]
pub struct Inside {
    /// Requests in it, or on their way there.
    all: AtomicUsize,
    /// Those of them that wait until they may write, and have their instance do nothing meanwhile.
    waiting: AtomicUsize,
}

/// That a request waits.
pub struct Waiting(Arc<Inside>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

impl Inside {
    /// Whether no more than one request is there, or on the way.
    pub fn is_alone(&self) -> bool {
        self.all.load(Relaxed) <= 1
    }

    /// Has one of them wait for as long as that is kept.
    pub fn wait(self: &Arc<Self>) -> Waiting {
        self.waiting.fetch_add(1, Relaxed);
        Waiting(self.clone())
    }

    fn busy(&self) -> usize {
        self.all.load(Relaxed).saturating_sub(self.waiting.load(Relaxed))
    }

    /// Whether somebody waits there, few others keep the instance busy, and there is room for one more.
    fn is_crowd(&self, room: usize) -> bool {
        self.waiting.load(Relaxed) > 0 && self.busy() <= FEW && self.all.load(Relaxed) < room
    }
}

/// So many may be on their way to those who wait.
const FEW: usize = 4;

/// What a lane does while its instance is busy.
enum Handler {
    /// It has another one take the request.
    Spreads(ProxyHandler<Factory>),
    /// It has the request wait and meet others.
    Gathers(Arc<Gathering>),
}

/// A place in a lane, given back when the response has been sent.
pub struct Place {
    inside: Arc<Inside>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inside.all.fetch_sub(1, Relaxed);
    }
}

impl Lanes {
    /// Fails when the component does not answer HTTP the way of WASI 0.3.
    pub fn new(
        engine: &Engine,
        pre: InstancePre<Guest>,
        grants: &Arc<Grants>,
        instances: &Arc<Instances>,
    ) -> Result<Lanes> {
        let service = ServicePre::new(pre).map_err(anyhow::Error::from).with_context(|| {
            format!(
                "the component `{}` does not export wasi:http/handler of WASI 0.3; run the \
                 application with `spin up`",
                grants.component
            )
        })?;
        let limits = &grants.limits;
        let lane = || {
            let inside = Arc::default();
            let factory = Factory {
                engine: engine.clone(),
                service: service.clone(),
                grants: grants.clone(),
                instances: instances.clone(),
                inside: Arc::clone(&inside),
            };
            let handler = match grants.gathers {
                true => Handler::Gathers(Gathering::new(factory)),
                false => Handler::Spreads(ProxyHandler::new(factory)),
            };
            Lane { handler, inside }
        };
        Ok(Lanes {
            lanes: (0..limits.lanes.max(1)).map(|_| lane()).collect(),
            room: Arc::new(Semaphore::new(limits.lanes.max(1) * limits.instance_concurrent)),
            crowd: limits.instance_concurrent * times(grants),
        })
    }

    /// Has the component answer. The place is to be kept until the response has been sent.
    pub async fn handle(&self, request: Request) -> (wasmtime::Result<Response>, Option<Place>) {
        let Ok(room) = self.room.clone().acquire_owned().await else {
            return (Err(wasmtime::Error::msg("the component is shut down")), None);
        };
        let lane = self.enter();
        let place = Place { inside: lane.inside.clone(), _room: room };
        let answer = match &lane.handler {
            Handler::Spreads(handler) => handler.handle((), request).await,
            Handler::Gathers(gathering) => gathering.handle(request).await,
        };
        (answer, Some(place))
    }

    /// Where those are who wait to write; else the first free lane, so that few requests stay with few warm instances; else
    /// the least busy one.
    fn enter(&self) -> &Lane {
        let is_crowd = |lane: &&Lane| lane.inside.is_crowd(self.crowd);
        let takes = |lane: &&Lane| lane.inside.all.compare_exchange(0, 1, Relaxed, Relaxed).is_ok();
        let lane = match self.lanes.iter().find(is_crowd) {
            Some(crowd) => crowd,
            None => match self.lanes.iter().find(takes) {
                Some(free) => return free,
                None => self.least_busy(),
            },
        };
        lane.inside.all.fetch_add(1, Relaxed);
        lane
    }

    fn least_busy(&self) -> &Lane {
        let mut least = &self.lanes[0];
        for lane in &self.lanes[1..] {
            if lane.inside.busy() < least.inside.busy() {
                least = lane;
            }
        }
        least
    }
}

/// How many times as many requests share an instance.
fn times(grants: &Grants) -> usize {
    if grants.gathers { grants.limits.gathering.max(1) } else { 1 }
}

/// Makes the instances of a lane.
pub(super) struct Factory {
    engine: Engine,
    service: ServicePre<Guest>,
    pub(super) grants: Arc<Grants>,
    instances: Arc<Instances>,
    inside: Arc<Inside>,
}

impl HandlerState for Factory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Rules;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Rules>> {
        let alive = self.instances.enter();
        let mut store = Guest::store(&self.engine, &self.grants, &self.inside);
        let proxy = ProxyPre::P3(self.service.clone()).instantiate_async(&mut store).await?;
        let limits = &self.grants.limits;
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Expiration {
                idle: limits.instance_idle,
                busy: limits.request,
                timer: Box::pin(tokio::time::sleep(limits.instance_idle)),
                closing: self.instances.closing(),
            },
            state: Rules { grants: self.grants.clone(), _alive: alive },
        })
    }
}

/// Ends an instance that has had no work for a while, or has been busy for far too long.
pub(super) struct Expiration {
    idle: Duration,
    busy: Duration,
    timer: Pin<Box<tokio::time::Sleep>>,
    closing: Closing,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        if status == WorkerStatus::Idle && self.closing.poll(context).is_ready() {
            return Poll::Ready(());
        }
        let allowed = match status {
            WorkerStatus::Idle => self.idle,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.busy,
        };
        let deadline = (since + allowed).into();
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(context)
    }
}

/// How an instance is shared and how its end is reported.
pub(super) struct Rules {
    grants: Arc<Grants>,
    /// Dropped after the store.
    _alive: Alive,
}

impl WorkerState for Rules {
    type StoreData = Guest;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        let (limits, times) = (&self.grants.limits, times(&self.grants));
        if total >= limits.instance_requests * times {
            ShouldAccept::Never
        } else if concurrent >= limits.instance_concurrent * times {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Guest>,
        _: (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(tokio::time::sleep(self.grants.limits.request))
    }

    fn drop(&self, store: Store<Guest>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result {
            let grants = &self.grants;
            log::event(
                &grants.log,
                "error",
                &grants.component,
                "instance-failed",
                &format!("{error:#}"),
            );
        }
        // Closing the instance's connections may roll a large transaction back.
        tokio::task::block_in_place(|| drop(store));
    }
}
