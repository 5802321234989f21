//! The application as a process of its own, which can be killed.

use crate::app::{ADMIN_KEY, components, workspace};
use crate::http::Client;
use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// `dunlin up`, and a client of it with the admin key. Killed when dropped.
pub struct Process {
    client: Client,
    child: Child,
}

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Process {
    /// `dunlin up` on a free port with this data directory, the admin key, and no scheduler.
    pub fn up(data: &Path) -> Process {
        Process::up_with(data, &[])
    }

    /// The same with variables of the application.
    pub fn up_with(data: &Path, variables: &[(&str, &str)]) -> Process {
        components();
        Process::run(&workspace().join("spin.toml"), data, variables)
    }

    /// The same of a copy of the application that was made with [`Frozen::new`]: nothing is built when it starts.
    pub fn up_frozen(app: &Frozen, data: &Path) -> Process {
        Process::up_frozen_with(app, data, &[])
    }

    /// The same with variables of the application.
    pub fn up_frozen_with(app: &Frozen, data: &Path, variables: &[(&str, &str)]) -> Process {
        Process::run(&app.0.path().join("spin.toml"), data, variables)
    }

    fn run(manifest: &Path, data: &Path, variables: &[(&str, &str)]) -> Process {
        let mut command = dunlin();
        command.args(["up", "--no-schedule", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
        command.arg("--manifest").arg(manifest);
        command.env("SPIN_VARIABLE_ADMIN_KEY", ADMIN_KEY);
        for (name, value) in variables {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let errors = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || std::io::read_to_string(errors));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|line| line.unwrap().strip_prefix("listening on http://").map(str::to_owned));
        let Some(address) = address else {
            panic!("`dunlin up` ended without listening: {:?}", errors.join().unwrap());
        };
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Process { client: Client::new(address.parse().unwrap(), ADMIN_KEY), child }
    }

    /// SIGKILL: nothing is finished, nothing is flushed.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended: requests in flight are finished.
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where it was killed or told to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The application as it was at one moment, with its components beside its manifest: for tests that start it often.
pub struct Frozen(TempDir);

impl Frozen {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Frozen {
        components();
        let folder = tempfile::tempdir().unwrap();
        let manifest = std::fs::read_to_string(workspace().join("spin.toml")).unwrap();
        let built = "source = \"target/wasm32-wasip2/";
        let mut parts = manifest.split(built);
        let mut frozen = parts.next().unwrap().to_owned();
        for part in parts {
            let (path, rest) = part.split_once('"').unwrap();
            let (_profile, name) = path.split_once('/').unwrap();
            let built = workspace().join("target/wasm32-wasip2").join(path);
            std::fs::copy(built, folder.path().join(name)).unwrap();
            frozen += &format!("source = \"{name}\"{rest}");
        }
        std::fs::write(folder.path().join("spin.toml"), frozen).unwrap();
        Frozen(folder)
    }
}

/// The command, which cargo builds beside the test executables of this package.
pub fn dunlin() -> Command {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap();
    let program: PathBuf = folder.join(format!("dunlin-for-tests{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "cargo has not built {}", program.display());
    let mut command = Command::new(program);
    command
        .current_dir(workspace())
        .env("DUNLIN_CACHE_DIR", workspace().join("target/dunlin-compiled"));
    command
}
