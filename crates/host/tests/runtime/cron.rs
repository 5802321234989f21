//! The clock, at work.

use crate::harness::{Lines, PROBE, Probe, Receiver, cache, eventually, manifest};
use dunlin::{Running, Runtime, Settings};
use std::net::SocketAddr;
use tempfile::TempDir;

const SCHEDULE: &str = r#"
    [variables]
    dunlin_url = { default = "http://127.0.0.1:3000" }
    dunlin_key = { default = "", secret = true }
    [[trigger.cron]]
    component = "clock"
    cron_expression = "* * * * * *"
    [component.clock]
    source = "CLOCK"
    allowed_outbound_hosts = ["ALLOWED"]
    [component.clock.variables]
    url = "{{ dunlin_url }}/v1/sweep"
    key = "{{ dunlin_key }}"
"#;

fn start(receiver: SocketAddr, allowed: &str) -> (Running, Lines, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let lines = Lines::default();
    let app = manifest(folder.path(), "spin.toml", PROBE);
    let schedule = manifest(folder.path(), "schedule.toml", &SCHEDULE.replace("ALLOWED", allowed));
    let mut settings = Settings::new(app, folder.path().join("data"))
        .variable("dunlin_url", format!("http://{receiver}"))
        .variable("dunlin_key", "the-key");
    settings.schedule = Some(schedule);
    settings.cache_dir = Some(cache());
    settings.log = lines.sink();
    (Runtime::new(settings).start_blocking().unwrap(), lines, folder)
}

#[test]
fn the_clock_calls_until_the_work_is_done() {
    let receiver =
        Receiver::start(&[r#"{"done": false}"#, r#"{"done":false}"#, r#"{"done": true}"#]);
    let (running, lines, _folder) = start(receiver.addr, "{{ dunlin_url }}");
    assert_eq!(running.schedule, [("* * * * * *".to_owned(), "clock".to_owned())]);
    eventually("three calls", || receiver.requests().len() >= 3);
    let first = &receiver.requests()[0];
    assert!(first.starts_with("POST /v1/sweep HTTP/1.1\r\n"), "{first}");
    assert!(first.contains("authorization: Bearer the-key\r\n"), "{first}");
    eventually("the log", || lines.contain(r#""call":3,"status":200"#));
    assert!(!lines.contain("the-key"));
    running.shutdown_blocking();
}

#[test]
fn the_clock_reaches_allowed_hosts_only() {
    let receiver = Receiver::start(&["{}"]);
    let (running, lines, _folder) = start(receiver.addr, "http://127.0.0.1:1");
    eventually("the log", || lines.contain("cron-failed") && lines.contain("HttpRequestDenied"));
    assert!(receiver.requests().is_empty());
    running.shutdown_blocking();
}

#[test]
fn without_a_schedule_nothing_ticks() {
    assert!(Probe::start().running.as_ref().unwrap().schedule.is_empty());
}
