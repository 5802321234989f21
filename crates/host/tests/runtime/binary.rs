//! The `dunlin` command itself.

use crate::harness::{Answer, PATIENCE, PROBE, cache, manifest};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn dunlin() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dunlin"));
    command.env("DUNLIN_CACHE_DIR", cache());
    command
}

fn run(arguments: &[&str]) -> Output {
    dunlin().args(arguments).output().unwrap()
}

/// `dunlin up` on a free port: the process and its address.
fn up(folder: &Path, body: &str) -> (Child, String) {
    let manifest = manifest(folder, "spin.toml", body);
    let mut child = dunlin()
        .args(["up", "--listen", "127.0.0.1:0", "--no-schedule", "--manifest"])
        .arg(&manifest)
        .arg("--data-dir")
        .arg(folder.join("data"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines
        .find_map(|line| line.unwrap().strip_prefix("listening on http://").map(str::to_owned));
    (child, address.expect("the process ended without listening"))
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn wait(child: &mut Child) -> i32 {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().expect("the process was killed");
        }
        assert!(started.elapsed() < PATIENCE, "the process does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_signal_lets_requests_finish_and_ends_with_0() {
    for name in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, address) = up(folder.path(), PROBE);
        let mut socket = TcpStream::connect(&address).unwrap();
        socket.write_all(b"GET /probe/sleep?ms=700 HTTP/1.0\r\nhost: x\r\n\r\n").unwrap();
        std::thread::sleep(Duration::from_millis(200));
        signal(&child, name);
        assert_eq!(Answer::read(&mut socket).ok(), "slept", "{name}");
        assert_eq!(wait(&mut child), 0, "{name}");
    }
}

#[test]
fn an_admin_key_is_made_once_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let body = PROBE
        .replace("greeting = {", "admin_key = { default = \"\", secret = true }\n    greeting = {")
        .replace("sentence =", "key = \"{{ admin_key }}\"\n    sentence =");
    let mut keys = Vec::new();
    for _ in 0..2 {
        let (mut child, address) = up(folder.path(), &body);
        let mut socket = TcpStream::connect(&address).unwrap();
        socket.write_all(b"GET /probe/variable?name=key HTTP/1.0\r\nhost: x\r\n\r\n").unwrap();
        keys.push(Answer::read(&mut socket).ok());
        signal(&child, "TERM");
        assert_eq!(wait(&mut child), 0);
    }
    let kept = std::fs::read_to_string(folder.path().join("data/admin-key")).unwrap();
    assert_eq!(keys[0], format!("Ok(\"{}\")", kept.trim()));
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn what_the_runtime_cannot_do_ends_with_1_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let body = PROBE.replace("[component.hidden]", "[component.hidden]\nfiles = []");
    let path = manifest(folder.path(), "spin.toml", &body);
    let ended = run(&["up", "--manifest", path.to_str().unwrap()]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("[component.hidden] uses `files`") && said.contains("spin up"), "{said}");
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    assert_eq!(run(&["up", "--listen", "nowhere"]).status.code(), Some(2));
    assert_eq!(run(&["fly"]).status.code(), Some(2));
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for command in ["up", "demo", "import", "sweep", "key", "backup", "Exit codes"] {
        assert!(text.contains(command), "{command} is not in\n{text}");
    }
}

#[test]
fn a_running_application_is_backed_up() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, address) = up(folder.path(), PROBE);
    let statements = "PRAGMA journal_mode=WAL\nCREATE TABLE t (x)\nINSERT INTO t VALUES (7)";
    let mut socket = TcpStream::connect(&address).unwrap();
    let request = format!(
        "POST /probe/sql?label=default HTTP/1.0\r\nhost: x\r\ncontent-length: {}\r\n\r\n{statements}",
        statements.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    Answer::read(&mut socket).ok();
    let (copy, data) = (folder.path().join("copy.db"), folder.path().join("data"));
    let backup = || {
        let data = data.to_str().unwrap();
        run(&["backup", copy.to_str().unwrap(), "--data-dir", data, "--json"])
    };
    let done = backup();
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let said: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(said["bytes"].as_u64() > Some(0));
    let read = rusqlite::Connection::open(&copy).unwrap();
    assert_eq!(read.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    assert_eq!(backup().status.code(), Some(1), "a backup never overwrites");
    signal(&child, "TERM");
    assert_eq!(wait(&mut child), 0);
}

#[test]
fn a_command_without_an_application_says_where_it_looked() {
    let ended = run(&["sweep", "--url", "http://127.0.0.1:1", "--key", "k"]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("cannot reach http://127.0.0.1:1") && !said.contains("Bearer"), "{said}");
}
