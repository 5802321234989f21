//! What a runtime is started with.

use super::log::{LogSink, to_stderr};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How to run an application. [`Settings::new`] fills in all that is not asked for.
#[derive(Clone)]
pub struct Settings {
    /// The application: `spin.toml`.
    pub manifest: PathBuf,
    /// The scheduler: `schedule.toml`. `None` runs no cron trigger.
    pub schedule: Option<PathBuf>,
    /// Where databases and stores live; made when absent.
    pub data_dir: PathBuf,
    /// The address to serve on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Values for the variables of both manifests. The environment is not read here.
    pub variables: BTreeMap<String, String>,
    /// Where compiled components are kept between starts. `None` chooses a folder beside the build output,
    /// else in the data directory.
    pub cache_dir: Option<PathBuf>,
    pub limits: Limits,
    /// Takes every line that components and the runtime log.
    pub log: LogSink,
}

impl Settings {
    /// Serves `manifest` on a free port of this machine, without its scheduler.
    pub fn new(manifest: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> Settings {
        Settings {
            manifest: manifest.into(),
            schedule: None,
            data_dir: data_dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            variables: BTreeMap::new(),
            cache_dir: None,
            limits: Limits::default(),
            log: to_stderr(),
        }
    }

    /// Sets a variable of the application.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Settings {
        self.variables.insert(name.to_owned(), value.into());
        self
    }
}

/// Every bound of the runtime, with its reason.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests served by one instance before it is replaced; Spin's default.
    pub instance_requests: usize,
    /// Requests in one instance at the same time; Spin's default.
    pub instance_concurrent: usize,
    /// How many times as many of both where a component gathers: it answers them by a few statements.
    pub gathering: usize,
    /// How long an instance without work is kept; Spin's default.
    pub instance_idle: Duration,
    /// Linear memory of one instance: a component that wants more traps, and its neighbours live on.
    pub instance_memory: usize,
    /// Instances of one component that take requests side by side. A long statement blocks its own instance only.
    pub lanes: usize,
    /// How long a request may keep its component busy. Imports are long; an endless loop is longer.
    pub request: Duration,
    /// How long a component waits for outbound HTTP: to connect, for the first byte, between two bytes. For what it asks
    /// of the application itself it waits as long as a request may take.
    pub outbound: Duration,
    /// How long the client may take for the request head, and how long an idle connection is kept.
    pub header: Duration,
    /// How long the client may stop in the middle of the request body. Longer than the application allows itself, so
    /// that it is the one to answer.
    pub body_idle: Duration,
    /// Connections open at the same time; more wait in the listener's queue.
    pub connections: usize,
    /// How long a shutdown waits for what is in flight.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            instance_requests: 128,
            instance_concurrent: 16,
            gathering: 4,
            instance_idle: Duration::from_secs(1),
            instance_memory: 256 << 20,
            lanes: 8,
            request: Duration::from_secs(600),
            outbound: Duration::from_secs(60),
            header: Duration::from_secs(15),
            body_idle: Duration::from_secs(60),
            connections: 1024,
            shutdown: Duration::from_secs(30),
        }
    }
}
