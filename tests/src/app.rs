//! The application, in this process.

use crate::http::Client;
use dunlin::{Limits, LogSink, Running, Runtime, Settings};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The admin key of every application that tests start.
pub const ADMIN_KEY: &str = "the-admin-key-of-the-tests";

/// How long a test waits for something that should happen at once; generous, for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Brings the components that ship up to date, once in this process.
pub fn components() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| dunlin::build_components(&workspace()).unwrap());
}

/// An application before it starts. By default it has the admin key, a data directory of its own and no scheduler.
pub struct Setup {
    data: Data,
    variables: BTreeMap<String, String>,
    limits: Limits,
}

enum Data {
    /// Gone with the application.
    Own(TempDir),
    /// Kept by somebody else.
    Of(PathBuf),
}

impl Data {
    fn path(&self) -> &Path {
        match self {
            Data::Own(folder) => folder.path(),
            Data::Of(folder) => folder,
        }
    }
}

impl Setup {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Setup {
        let variables = BTreeMap::from([("admin_key".to_owned(), ADMIN_KEY.to_owned())]);
        Setup {
            data: Data::Own(tempfile::tempdir().unwrap()),
            variables,
            limits: Limits::default(),
        }
    }

    /// Sets a variable of the application.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Setup {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a variable at its default, such as the admin key.
    pub fn without(mut self, name: &str) -> Setup {
        self.variables.remove(name);
        self
    }

    /// Changes bounds of the runtime.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Setup {
        change(&mut self.limits);
        self
    }

    /// Uses a directory that outlives the application.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Setup {
        self.data = Data::Of(folder.into());
        self
    }

    pub fn start(self) -> App {
        App::run(self)
    }
}

/// A running application, and a client of it with the admin key. It stops at once when dropped.
pub struct App {
    client: Client,
    running: Option<Running>,
    setup: Setup,
    log: Log,
}

impl Deref for App {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl App {
    /// A fresh application with nothing in it.
    pub fn start() -> App {
        Setup::new().start()
    }

    fn run(setup: Setup) -> App {
        components();
        let log = Log::default();
        let mut settings = Settings::new(workspace().join("spin.toml"), setup.data.path());
        settings.variables = setup.variables.clone();
        settings.limits = setup.limits.clone();
        // Compiled code is kept between tests.
        settings.cache_dir = Some(workspace().join("target/dunlin-compiled"));
        settings.log = log.sink();
        let running = Runtime::new(settings).start_blocking().unwrap();
        let client = Client::new(running.addr, ADMIN_KEY);
        App { client, running: Some(running), setup, log }
    }

    /// Lets requests finish, stops, and starts again on the same data. Its address is another one.
    pub fn restart(mut self) -> App {
        self.stop();
        let taken = std::mem::replace(&mut self.setup, Setup::new());
        App::run(taken)
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_blocking();
        }
    }

    /// Where its databases live.
    pub fn data(&self) -> &Path {
        self.setup.data.path()
    }

    /// The database file that all components share.
    pub fn database(&self) -> PathBuf {
        self.data().join("default.db")
    }

    /// What components and the runtime logged since the start.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

/// The lines of a log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn sink(&self) -> LogSink {
        let lines = self.0.clone();
        Arc::new(move |line| lines.lock().unwrap().push(line.to_owned()))
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn contains(&self, part: &str) -> bool {
        self.lines().iter().any(|line| line.contains(part))
    }
}

/// Waits until `done` says so.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
