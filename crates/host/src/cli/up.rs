//! `dunlin up`.

use super::{Outcome, key_file, print, progress};
use crate::manifest::{Manifest, from_environment};
use crate::{ADMIN_KEY, Limits, LogSink, Running, Runtime, Settings, build, to_stderr};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Where data lives when nothing else is said.
pub const DATA_DIR: &str = ".dunlin";

/// The application when nothing else is said.
pub const MANIFEST: &str = "spin.toml";

#[derive(Args)]
pub struct Options {
    /// Address to serve on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Directory for the databases; made when absent
    #[arg(long, default_value = DATA_DIR)]
    data_dir: PathBuf,
    #[command(flatten)]
    app: App,
    /// Do not run the scheduler
    #[arg(long)]
    no_schedule: bool,
    /// Print address, routes and key file as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Which application to run, and what it is told.
#[derive(Args)]
pub struct App {
    /// Application manifest
    #[arg(long, default_value = MANIFEST)]
    pub manifest: PathBuf,
    /// Scheduler manifest; schedule.toml beside the application's when it is there
    #[arg(long)]
    pub schedule: Option<PathBuf>,
    /// Value of an application variable, as NAME=VALUE; SPIN_VARIABLE_NAME in the environment does the same
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub variables: Vec<(String, String)>,
    /// Directory for compiled components, so that the next start is fast
    #[arg(long, env = "DUNLIN_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// A started application and the key to it.
pub struct Started {
    pub running: Running,
    /// Absent when the application has no variable for it.
    pub key: Option<String>,
    /// Where the key is kept, when it was not given; and whether it was made just now.
    key_file: Option<(PathBuf, bool)>,
}

pub fn run(options: &Options) -> Outcome {
    let schedule = if options.no_schedule { Schedule::Off } else { Schedule::On };
    let mut stop = Stop::new()?;
    let started = start(&options.app, schedule, &options.data_dir, options.listen, to_stderr())?;
    print(&if options.json { started.as_json() } else { started.as_text() });
    stop.wait();
    eprintln!("stopping: letting requests finish; once more to stop at once");
    stop.finish(started.running);
    Ok(true)
}

#[derive(Clone, Copy, PartialEq)]
pub enum Schedule {
    On,
    Off,
}

/// Builds what is stale and starts to serve.
pub fn start(
    app: &App,
    schedule: Schedule,
    data_dir: &Path,
    listen: SocketAddr,
    log: LogSink,
) -> Result<Started> {
    let path = find(&app.manifest)?;
    let manifest = Manifest::load(&path)?;
    let schedule = match (schedule, &app.schedule) {
        (Schedule::Off, _) => None,
        (Schedule::On, Some(path)) => Some(path.clone()),
        (Schedule::On, None) => Some(manifest.root().join("schedule.toml")).filter(|p| p.is_file()),
    };
    let scheduler = schedule.as_deref().map(Manifest::load).transpose()?;
    let manifests: Vec<&Manifest> = [&manifest].into_iter().chain(&scheduler).collect();
    build::build(&manifests, build::Output::Show)?;

    let mut variables = variables(app, &manifest, scheduler.as_ref());
    let mut key_file = None;
    let given = variables.get(ADMIN_KEY).is_some_and(|key| !key.is_empty());
    if manifest.variables.contains_key(ADMIN_KEY) && !given {
        let made = key_file::admin_key(data_dir)?;
        variables.insert(ADMIN_KEY.to_owned(), made.key);
        key_file = Some((made.path, made.is_new));
    }
    let key = variables.get(ADMIN_KEY).cloned();
    let settings = Settings {
        manifest: path,
        schedule,
        data_dir: data_dir.to_path_buf(),
        listen,
        variables,
        cache_dir: app.cache_dir.clone(),
        limits: Limits::default(),
        log,
    };
    let bar = progress::spinner("starting; the first time the components are compiled");
    let running = Runtime::new(settings).start_blocking()?;
    bar.finish_and_clear();
    Ok(Started { running, key, key_file })
}

/// The manifest, here or in a folder above, so that the command works anywhere in a checkout.
pub fn find(manifest: &Path) -> Result<PathBuf> {
    if manifest.is_file() {
        return Ok(manifest.to_path_buf());
    }
    let here = std::env::current_dir()?;
    if manifest.components().count() == 1 {
        let mut above = here.ancestors().skip(1).map(|folder| folder.join(manifest));
        if let Some(found) = above.find(|path| path.is_file()) {
            return Ok(found);
        }
    }
    bail!("there is no {} in {}; name one with --manifest", manifest.display(), here.display())
}

/// What was given on the command line, else in the environment. A name in the environment may belong to another
/// application; one on the command line may not.
fn variables(
    app: &App,
    manifest: &Manifest,
    scheduler: Option<&Manifest>,
) -> BTreeMap<String, String> {
    let mut variables = from_environment();
    variables.retain(|name, _| {
        manifest.variables.contains_key(name)
            || scheduler.is_some_and(|scheduler| scheduler.variables.contains_key(name))
    });
    variables.extend(app.variables.iter().cloned());
    variables
}

impl Started {
    fn as_text(&self) -> String {
        let mut lines = Vec::new();
        let width = self.running.routes.iter().map(|(route, _)| route.len()).max().unwrap_or(0);
        for (route, component) in &self.running.routes {
            lines.push(format!("  {route:width$}  {component}"));
        }
        for (times, component) in &self.running.schedule {
            lines.push(format!("  at {times}: {component}"));
        }
        match (&self.key_file, &self.key) {
            (Some((path, true)), Some(key)) => lines.push(format!(
                "admin key: {key}\n  made just now and kept in {}; it is not printed again",
                path.display()
            )),
            (Some((path, _)), _) => lines.push(format!("admin key: in {}", path.display())),
            (None, _) => {}
        }
        lines.push(format!("listening on {}", self.running.url()));
        lines.join("\n")
    }

    fn as_json(&self) -> String {
        let pair = |(left, right): &(String, String)| serde_json::json!([left, right]);
        serde_json::json!({
            "url": self.running.url(),
            "routes": self.running.routes.iter().map(pair).collect::<Vec<_>>(),
            "schedule": self.running.schedule.iter().map(pair).collect::<Vec<_>>(),
            "admin_key_file": self.key_file.as_ref().map(|(path, _)| path.display().to_string()),
        })
        .to_string()
    }
}

/// SIGINT and SIGTERM, caught from the moment this is made.
pub struct Stop {
    waiter: tokio::runtime::Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub fn new() -> Result<Stop> {
        let waiter = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot wait for signals")?;
        let _inside = waiter.enter();
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        drop(_inside);
        Ok(Stop { waiter, interrupt, terminate })
    }

    /// Waits until somebody wants the process to end.
    pub fn wait(&mut self) {
        let Stop { waiter, interrupt, terminate } = self;
        waiter.block_on(either(interrupt, terminate));
    }

    /// What `work` comes to, or `None` when somebody wants the process to end before that.
    pub fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let Stop { waiter, interrupt, terminate } = self;
        waiter.block_on(async {
            tokio::select! {
                done = work => Some(done),
                () = either(interrupt, terminate) => None,
            }
        })
    }

    /// Lets requests finish, unless there is a second signal.
    pub fn finish(&mut self, running: Running) {
        let Stop { waiter, interrupt, terminate } = self;
        waiter.block_on(async {
            tokio::select! {
                () = running.shutdown() => {}
                () = either(interrupt, terminate) => {}
            }
        });
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
