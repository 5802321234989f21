//! Starts the runtime with the probe and talks to it over plain sockets.

use dunlin::manifest::Manifest;
use dunlin::{LogSink, Running, Runtime, Settings, build};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

/// How long a test waits for something that should happen at once; generous, for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The probe may use `default`, and reach nothing.
pub const PROBE: &str = r#"
    [variables]
    greeting = { default = "hello" }
    word = { default = "" }
    [[trigger.http]]
    route = "/probe/..."
    component = "probe"
    [[trigger.http]]
    route = { private = true }
    component = "hidden"
    [component.probe]
    source = "PROBE"
    sqlite_databases = ["default"]
    key_value_stores = ["default"]
    [component.probe.variables]
    sentence = "{{ greeting }}, {{ word }}!"
    [component.hidden]
    source = "PROBE"
"#;

/// [`PROBE`] as it is, and with a probe that gathers: what holds for one kind of lane holds for the other.
pub fn both_kinds(test: impl Fn(&str)) {
    test(PROBE);
    test(&gathering());
}

/// [`PROBE`] with a probe that answers together what waits together.
pub fn gathering() -> String {
    format!("{PROBE}\n[component.probe.tool.dunlin]\ngathers = true\n")
}

/// A manifest file with the components beside it, where no build is asked for.
pub fn manifest(folder: &Path, name: &str, body: &str) -> PathBuf {
    let (probe, clock) = components();
    std::fs::copy(probe, folder.join("probe.wasm")).unwrap();
    std::fs::copy(clock, folder.join("clock.wasm")).unwrap();
    let body = body.replace("PROBE", "probe.wasm").replace("CLOCK", "clock.wasm");
    let path = folder.join(name);
    let head = "spin_manifest_version = 2\n[application]\nname = \"probe\"\n";
    std::fs::write(&path, format!("{head}{body}")).unwrap();
    path
}

/// The files of the probe and the clock, built once for all tests.
fn components() -> &'static (PathBuf, PathBuf) {
    static BUILT: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = workspace().join("target/wasm32-wasip2/component");
        let files = (folder.join("dunlin_probe.wasm"), folder.join("dunlin_clock.wasm"));
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"fixtures\"\n[component.probe]\nsource = {:?}\n\
             [component.clock]\nsource = {:?}\n",
            files.0, files.1
        );
        let manifest = Manifest::parse(Path::new("fixtures.toml"), &text).unwrap();
        build::build(&[&manifest], build::Output::Keep).unwrap();
        files
    })
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Compiled code is kept between tests.
pub fn cache() -> PathBuf {
    workspace().join("target/dunlin-compiled")
}

/// A running probe, its data directory, and what it logged.
pub struct Probe {
    pub running: Option<Running>,
    pub addr: SocketAddr,
    pub folder: TempDir,
    pub lines: Lines,
}

/// The lines of a log.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub fn sink(&self) -> LogSink {
        let lines = self.0.clone();
        Arc::new(move |line| lines.lock().unwrap().push(line.to_owned()))
    }

    pub fn contain(&self, part: &str) -> bool {
        self.count(part) > 0
    }

    pub fn count(&self, part: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

impl Probe {
    /// The probe as [`PROBE`] describes it.
    pub fn start() -> Probe {
        Probe::with(PROBE, |settings| settings)
    }

    /// The probe with another manifest or other settings.
    pub fn with(body: &str, change: impl FnOnce(Settings) -> Settings) -> Probe {
        Probe::try_with(body, change).unwrap()
    }

    pub fn try_with(
        body: &str,
        change: impl FnOnce(Settings) -> Settings,
    ) -> anyhow::Result<Probe> {
        let folder = tempfile::tempdir()?;
        let lines = Lines::default();
        let path = manifest(folder.path(), "spin.toml", body);
        let mut settings = Settings::new(path, folder.path().join("data"));
        settings.cache_dir = Some(cache());
        // A busy machine must not look like an idle instance.
        settings.limits.instance_idle = PATIENCE;
        settings.log = lines.sink();
        let running = Runtime::new(change(settings)).start_blocking()?;
        Ok(Probe { addr: running.addr, running: Some(running), folder, lines })
    }

    /// GET; the path is below `/probe`.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", b"")
    }

    /// POST; the path is below `/probe`.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, "", body.as_bytes())
    }

    /// Any request; `headers` are whole lines.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut socket = self.connect();
        let length = body.len();
        let head = format!(
            "{method} /probe{path} HTTP/1.0\r\nhost: test.example\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        Answer::read(&mut socket)
    }

    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.addr).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_blocking();
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A response. Requests are HTTP/1.0, so that a body ends where the connection does.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn read(socket: &mut TcpStream) -> Answer {
        let mut bytes = Vec::new();
        // A reset after the answer is the server's way to say that it will not read the rest of the request.
        let _ = socket.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The body of a successful response.
    pub fn ok(self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
    }

    /// The code of a problem document.
    pub fn problem(&self) -> String {
        assert!(self.head.contains("application/problem+json"), "{self:?}");
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["status"], self.status, "{self:?}");
        body["code"].as_str().unwrap().to_owned()
    }
}

/// A server that answers every request with the next of `answers`, the last of them for ever, and keeps the requests.
pub struct Receiver {
    pub addr: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub fn start(answers: &'static [&'static str]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        std::thread::spawn(move || {
            for (nth, socket) in listener.incoming().enumerate() {
                let answer = answers.get(nth).or(answers.last()).copied().unwrap_or_default();
                let request = serve(socket.unwrap(), answer);
                kept.lock().unwrap().push(request);
            }
        });
        Receiver { addr, requests }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut socket: TcpStream, answer: &str) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    let length = answer.len();
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{answer}"
    );
    let _ = socket.write_all(response.as_bytes());
    String::from_utf8_lossy(&request).into_owned()
}

/// Waits until `done` says so.
pub fn eventually(what: &str, done: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
