//! Runs an application: its HTTP components and, if asked, its scheduler.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let settings = dunlin::Settings::new("spin.toml", "/tmp/data").variable("admin_key", "secret");
//! let running = dunlin::Runtime::new(settings).start().await?;
//! println!("listening on {}", running.url());
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod body;
mod compiled;
mod cron;
mod engine;
mod gathering;
mod instances;
pub(crate) mod lanes;
pub(crate) mod log;
pub(crate) mod memory;
pub(crate) mod outbound;
mod problem;
mod routes;
mod server;
pub(crate) mod settings;

pub use log::{LogSink, to_stderr};
pub use routes::Router;
pub use settings::{Limits, Settings};

use crate::guest::{Grants, key_value, sqlite};
use crate::manifest::{HttpTrigger, Manifest, Resolved};
use anyhow::{Context as _, Result};
use engine::Loader;
use instances::Instances;
use lanes::Lanes;
use outbound::AllowedHosts;
use server::App;
use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The two variables of `schedule.toml` that default to this runtime's own address and key.
const SCHEDULE_URL: &str = "dunlin_url";
const SCHEDULE_KEY: &str = "dunlin_key";

/// The application's variable with the first key; the scheduler uses it unless it is given one of its own.
pub const ADMIN_KEY: &str = "admin_key";

/// An application that has not been started yet.
pub struct Runtime {
    settings: Settings,
}

/// A running application. Dropping it stops it at once; [`Running::shutdown`] lets requests finish.
pub struct Running {
    /// The address it serves on, with the real port.
    pub addr: SocketAddr,
    /// Pattern and component of every public route, in the order of the manifest.
    pub routes: Vec<(String, String)>,
    /// Cron expression and component of every cron trigger.
    pub schedule: Vec<(String, String)>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// Threads of its own, so that neither the caller's runtime nor its flavour matters. Taken when it stops.
    threads: Option<tokio::runtime::Runtime>,
}

impl Runtime {
    pub fn new(settings: Settings) -> Runtime {
        Runtime { settings }
    }

    /// Loads the components and begins to serve. Does not build them, see [`crate::build`].
    pub async fn start(self) -> Result<Running> {
        // Compiling takes seconds the first time, and the caller may have one thread only.
        let (send, receive) = tokio::sync::oneshot::channel();
        std::thread::Builder::new().name("dunlin-start".to_owned()).spawn(move || {
            let _ = send.send(self.start_blocking());
        })?;
        receive.await.context("the runtime panicked while starting")?
    }

    /// As [`Runtime::start`], for callers that are not asynchronous.
    pub fn start_blocking(self) -> Result<Running> {
        memory::limit_heaps();
        let threads = tokio::runtime::Builder::new_multi_thread()
            .thread_name("dunlin")
            .enable_all()
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let started = threads.block_on(start(&self.settings, stopped));
        match started {
            Ok(started) => Ok(Running {
                addr: started.addr,
                routes: started.routes,
                schedule: started.schedule,
                stop,
                tasks: started.tasks,
                threads: Some(threads),
            }),
            Err(error) => {
                threads.shutdown_background();
                Err(error)
            }
        }
    }
}

impl Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Takes no more requests, lets those in flight finish within the time allowed, and ends.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        for task in self.tasks.drain(..) {
            let _ = task.await;
        }
    }

    /// As [`Running::shutdown`], for callers that are not asynchronous.
    pub fn shutdown_blocking(mut self) {
        let _ = self.stop.send(true);
        if let Some(threads) = self.threads.take() {
            let tasks = std::mem::take(&mut self.tasks);
            threads.block_on(async {
                for task in tasks {
                    let _ = task.await;
                }
            });
            threads.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

struct Started {
    addr: SocketAddr,
    routes: Vec<(String, String)>,
    schedule: Vec<(String, String)>,
    tasks: Vec<JoinHandle<()>>,
}

async fn start(settings: &Settings, stop: watch::Receiver<bool>) -> Result<Started> {
    let manifest = Manifest::load(&settings.manifest)?;
    let schedule = settings.schedule.as_deref().map(Manifest::load).transpose()?;
    refuse_unknown_variables(settings, &manifest, schedule.as_ref())?;
    std::fs::create_dir_all(&settings.data_dir).with_context(|| {
        format!("cannot create the data directory {}", settings.data_dir.display())
    })?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    let addr = listener.local_addr()?;
    let mut host = Host {
        settings,
        loader: Loader::new(&cache_dir(settings, &manifest))?,
        key_value: Arc::new(key_value::Database::open(&settings.data_dir)?),
        own: addr,
    };

    let app = Arc::new(host.app(&manifest)?);
    let public = |trigger: &HttpTrigger| Some((trigger.route.clone()?, trigger.component.clone()));
    let routes = manifest.http.iter().filter_map(public).collect();
    let crons = match &schedule {
        Some(schedule) => host.crons(schedule)?,
        None => Vec::new(),
    };
    let times = crons
        .iter()
        .map(|cron| (cron.schedule.source().to_owned(), cron.grants.component.to_string()))
        .collect();
    let mut tasks = vec![tokio::spawn(server::serve(app, listener, stop.clone()))];
    tasks.extend(crons.into_iter().map(|cron| tokio::spawn(cron.run(stop.clone()))));
    Ok(Started { addr, routes, schedule: times, tasks })
}

/// What all components of one start have in common.
struct Host<'s> {
    settings: &'s Settings,
    loader: Loader,
    key_value: Arc<key_value::Database>,
    /// Where it listens.
    own: SocketAddr,
}

impl Host<'_> {
    fn app(&mut self, manifest: &Manifest) -> Result<App> {
        let router = Router::new(manifest)?;
        let variables = Resolved::new(manifest, &self.settings.variables)?;
        let instances = Arc::new(Instances::default());
        let mut components = HashMap::new();
        for trigger in &manifest.http {
            if !components.contains_key(&trigger.component) {
                let (pre, grants) = self.load(manifest, &variables, &trigger.component)?;
                let lanes = Lanes::new(self.loader.engine(), pre, &grants, &instances)?;
                components.insert(trigger.component.clone(), lanes);
            }
        }
        let settings = self.settings;
        Ok(App {
            router,
            components,
            instances,
            limits: settings.limits.clone(),
            log: settings.log.clone(),
        })
    }

    fn crons(&mut self, schedule: &Manifest) -> Result<Vec<cron::Cron>> {
        let mut given = self.settings.variables.clone();
        given.entry(SCHEDULE_URL.to_owned()).or_insert_with(|| format!("http://{}", self.own));
        if let Some(key) = self.settings.variables.get(ADMIN_KEY) {
            given.entry(SCHEDULE_KEY.to_owned()).or_insert_with(|| key.clone());
        }
        let variables = Resolved::new(schedule, &given)?;
        let mut crons = Vec::new();
        for trigger in &schedule.cron {
            let (pre, grants) = self.load(schedule, &variables, &trigger.component)?;
            crons.push(cron::Cron {
                engine: self.loader.engine().clone(),
                pre,
                grants,
                schedule: cron::parse(&trigger.expression)?,
            });
        }
        Ok(crons)
    }

    fn load(
        &mut self,
        manifest: &Manifest,
        variables: &Resolved,
        id: &str,
    ) -> Result<(wasmtime::component::InstancePre<crate::guest::Guest>, Arc<Grants>)> {
        let component =
            manifest.components.get(id).with_context(|| format!("there is no [component.{id}]"))?;
        let own = |(name, template): (&String, _)| Ok((name.clone(), variables.fill(template)?));
        let settings = self.settings;
        let grants = Arc::new(Grants {
            component: id.into(),
            gathers: component.gathers,
            sqlite: sqlite::Access {
                folder: settings.data_dir.clone(),
                labels: component.sqlite_databases.iter().cloned().collect(),
                longest_statement: settings.limits.request,
            },
            key_value: key_value::Access {
                database: self.key_value.clone(),
                labels: component.key_value_stores.iter().cloned().collect(),
            },
            variables: component.variables.iter().map(own).collect::<Result<BTreeMap<_, _>>>()?,
            allowed_hosts: Arc::new(
                AllowedHosts::new(component, variables)
                    .with_context(|| format!("in [component.{id}]"))?,
            ),
            own: match self.own {
                own if own.ip().is_unspecified() => {
                    SocketAddr::from((Ipv4Addr::LOCALHOST, own.port()))
                }
                own => own,
            },
            limits: settings.limits.clone(),
            log: settings.log.clone(),
        });
        Ok((self.loader.load(id, &manifest.source(component))?, grants))
    }
}

/// A misspelt variable would otherwise leave its default in place without a word.
fn refuse_unknown_variables(
    settings: &Settings,
    manifest: &Manifest,
    schedule: Option<&Manifest>,
) -> Result<()> {
    for name in settings.variables.keys() {
        let known = manifest.variables.contains_key(name)
            || schedule.is_some_and(|schedule| schedule.variables.contains_key(name));
        anyhow::ensure!(known, "there is no variable `{name}` in {}", settings.manifest.display());
    }
    Ok(())
}

fn cache_dir(settings: &Settings, manifest: &Manifest) -> PathBuf {
    let beside_build: &Path = &manifest.root().join("target");
    match &settings.cache_dir {
        Some(folder) => folder.clone(),
        None if beside_build.is_dir() => beside_build.join("dunlin-compiled"),
        None => settings.data_dir.join("compiled"),
    }
}
