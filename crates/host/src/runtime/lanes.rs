//! The instances of one HTTP component.
//!
//! An instance runs one piece of code at a time: while it computes or waits for a statement, every request that it
//! has accepted waits too. Requests are therefore spread over lanes, each with instances of its own, and a request
//! takes the first lane that is free. Only when all are taken do requests share an instance.
//!
//! A component may say that it gathers: that it answers together what waits together. In its lanes requests wait for
//! the instance that is there, see [`super::gathering`].

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
}

struct Lane {
    handler: Handler,
    in_flight: Arc<AtomicUsize>,
}

/// What a lane does while its instance is busy.
enum Handler {
    /// It has another one take the request.
    Spreads(ProxyHandler<Factory>),
    /// It has the request wait and meet others.
    Gathers(Arc<Gathering>),
}

/// A place in a lane, given back when the response has been sent.
pub struct Place {
    in_flight: Arc<AtomicUsize>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Relaxed);
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
            let in_flight = Arc::default();
            let factory = Factory {
                engine: engine.clone(),
                service: service.clone(),
                grants: grants.clone(),
                instances: instances.clone(),
                in_flight: Arc::clone(&in_flight),
            };
            let handler = match grants.gathers {
                true => Handler::Gathers(Gathering::new(factory)),
                false => Handler::Spreads(ProxyHandler::new(factory)),
            };
            Lane { handler, in_flight }
        };
        Ok(Lanes {
            lanes: (0..limits.lanes.max(1)).map(|_| lane()).collect(),
            room: Arc::new(Semaphore::new(limits.lanes.max(1) * limits.instance_concurrent)),
        })
    }

    /// Has the component answer. The place is to be kept until the response has been sent.
    pub async fn handle(&self, request: Request) -> (wasmtime::Result<Response>, Option<Place>) {
        let Ok(room) = self.room.clone().acquire_owned().await else {
            return (Err(wasmtime::Error::msg("the component is shut down")), None);
        };
        let lane = self.enter();
        let place = Place { in_flight: lane.in_flight.clone(), _room: room };
        let answer = match &lane.handler {
            Handler::Spreads(handler) => handler.handle((), request).await,
            Handler::Gathers(gathering) => gathering.handle(request).await,
        };
        (answer, Some(place))
    }

    /// The first free lane, so that few requests stay with few warm instances; else the least busy one.
    fn enter(&self) -> &Lane {
        for lane in &self.lanes {
            if lane.in_flight.compare_exchange(0, 1, Relaxed, Relaxed).is_ok() {
                return lane;
            }
        }
        let mut least = &self.lanes[0];
        for lane in &self.lanes {
            if lane.in_flight.load(Relaxed) < least.in_flight.load(Relaxed) {
                least = lane;
            }
        }
        least.in_flight.fetch_add(1, Relaxed);
        least
    }
}

/// Makes the instances of a lane.
pub(super) struct Factory {
    engine: Engine,
    service: ServicePre<Guest>,
    pub(super) grants: Arc<Grants>,
    instances: Arc<Instances>,
    in_flight: Arc<AtomicUsize>,
}

impl HandlerState for Factory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Rules;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Rules>> {
        let alive = self.instances.enter();
        let mut store = Guest::store(&self.engine, &self.grants, &self.in_flight);
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
        if total >= self.grants.limits.instance_requests {
            ShouldAccept::Never
        } else if concurrent >= self.grants.limits.instance_concurrent {
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
