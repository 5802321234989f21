//! What one component instance sees of the host: WASI, its databases, its key-value stores, its variables.

pub mod key_value;
mod shared;
pub mod sqlite;
mod turn;
mod variables;

use crate::runtime::lanes::Inside;
use crate::runtime::log::{Lines, LogSink};
use crate::runtime::outbound::{AllowedHosts, Outbound};
use crate::runtime::settings::Limits;
use anyhow::Result;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p3::bindings::clocks::monotonic_clock::Host as _;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What every instance of one component shares: its rights and its settings.
pub struct Grants {
    pub component: Arc<str>,
    /// Whether it answers together what waits together.
    pub gathers: bool,
    pub sqlite: sqlite::Access,
    pub key_value: key_value::Access,
    pub variables: BTreeMap<String, String>,
    pub allowed_hosts: Arc<AllowedHosts>,
    /// Where the application listens.
    pub own: SocketAddr,
    pub limits: Limits,
    pub log: LogSink,
}

/// The host's state of one instance.
pub struct Guest {
    pub(crate) grants: Arc<Grants>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    memory: StoreLimits,
    /// Those in it who are going to write the file that was opened last.
    pub(crate) writers: Option<Arc<turn::Crowd>>,
    /// Those in its lane.
    in_lane: Arc<Inside>,
}

impl Guest {
    /// A store for a fresh instance: no files, no sockets, no environment, only what `grants` says.
    pub fn store(engine: &Engine, grants: &Arc<Grants>, in_lane: &Arc<Inside>) -> Store<Guest> {
        let lines = || Lines::new(grants.component.clone(), grants.log.clone());
        let guest = Guest {
            grants: grants.clone(),
            table: ResourceTable::new(),
            wasi: WasiCtx::builder().stdout(lines()).stderr(lines()).build(),
            http: WasiHttpCtx::new(),
            outbound: Outbound {
                allowed: grants.allowed_hosts.clone(),
                own: grants.own,
                deadline: grants.limits.outbound,
                own_deadline: grants.limits.request,
            },
            writers: None,
            in_lane: in_lane.clone(),
            memory: StoreLimitsBuilder::new().memory_size(grants.limits.instance_memory).build(),
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.memory);
        // At every tick a busy instance lets the others run; whoever waits for it decides when it has had enough.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

/// Everything a component may import. What is not here makes it unloadable, by the name of the import.
pub fn linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    waits(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    sqlite::add_to_linker(&mut linker)?;
    key_value::add_to_linker(&mut linker)?;
    variables::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Puts waits in place of those of WASI, which return at once when there is no time to wait. Here `wait-for` zero lets the
/// others in: a guest that gathers goes on when whoever waits has come in and asked as well, at once when nobody does. It
/// costs no timer, which would take a millisecond at least. `wait-until` zero lets them in and has a guest that gathers wait
/// besides until nobody writes: when it writes it would hold up all who are in it.
fn waits(linker: &mut Linker<Guest>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut clock = linker.instance("wasi:clocks/monotonic-clock@0.3.0")?;
    clock.func_wrap_concurrent("wait-for", |accessor, (nanoseconds,): (u64,)| {
        let is_alone = accessor.with(|mut store| store.get().in_lane.is_alone());
        Box::pin(async move {
            match nanoseconds {
                0 => let_in(is_alone).await,
                _ => tokio::time::sleep(Duration::from_nanos(nanoseconds)).await,
            }
            Ok(())
        })
    })?;
    clock.func_wrap_concurrent("wait-until", |accessor, (mark,): (u64,)| {
        let (now, in_lane, writers) = accessor.with(|mut store| {
            let guest = store.get();
            let writers = guest.writers.clone().filter(|_| mark == 0 && guest.grants.gathers);
            // At once: who is there already goes on with this one.
            let writers = writers.map(|writers| (writers.join(), writers));
            (guest.clocks().now(), guest.in_lane.clone(), writers)
        });
        Box::pin(async move {
            let now = now?;
            if mark == 0 {
                let_in(in_lane.is_alone()).await;
                if let Some((lull, writers)) = writers {
                    let _waiting = in_lane.wait();
                    writers.wait(&lull, shared::BUSY_TIMEOUT).await;
                }
            } else if mark > now {
                tokio::time::sleep(Duration::from_nanos(mark - now)).await;
            }
            Ok(())
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn let_in(is_alone: bool) {
    if !is_alone {
        tokio::task::yield_now().await;
    }
}
