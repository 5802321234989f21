//! What a component may touch, and what its databases promise.

use crate::harness::{PROBE, Probe, Receiver};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn only_the_labels_of_the_manifest_open() {
    let probe = Probe::start();
    for label in ["other", "../default", ""] {
        let sql = probe.post(&format!("/sql?label={label}"), "SELECT 1").ok();
        assert_eq!(sql, "Error::AccessDenied", "{label:?}");
        let kv = probe.get(&format!("/kv?label={label}&do=keys")).ok();
        assert_eq!(kv, "Err(Error::AccessDenied)", "{label:?}");
    }
    assert_eq!(probe.post("/sql?label=default", "SELECT 1").ok(), "1");
}

#[test]
fn a_database_is_one_file_and_no_other() {
    let probe = Probe::start();
    let elsewhere = probe.folder.path().join("elsewhere.db");
    for statement in
        ["ATTACH DATABASE 'FILE' AS other", "VACUUM INTO 'FILE'", "PRAGMA soft_heap_limit = 1"]
    {
        let statement = statement.replace("FILE", &elsewhere.display().to_string());
        let refused = probe.post("/sql?label=default", &statement).ok();
        assert!(refused.contains("authoriz"), "{statement}: {refused}");
    }
    assert!(!elsewhere.exists());
    assert_eq!(probe.post("/sql?label=default", "VACUUM").ok(), "");
}

#[test]
fn values_go_in_and_out_unchanged() {
    let probe = Probe::start();
    let size = 8 << 20;
    assert_eq!(
        probe.get(&format!("/bind?label=default&bytes={size}")).ok(),
        format!("{size}|070707|-5|0.5|null")
    );
    let statement = "SELECT 'ünï', x'00ff', 9223372036854775807, 1e300, NULL";
    let shown = probe.post("/sql?label=default", statement).ok();
    assert!(shown.starts_with("ünï|[0, 255]|9223372036854775807|1000"), "{shown}");
}

#[test]
fn only_the_first_statement_of_a_text_runs() {
    let probe = Probe::start();
    let text =
        "CREATE TABLE a (x); CREATE TABLE b (x)\nSELECT group_concat(name) FROM sqlite_schema";
    assert_eq!(probe.post("/sql?label=default", text).ok(), "a");
    // What follows is not even looked at.
    let text = "SELECT 1; this is not SQL";
    assert_eq!(probe.post("/sql?label=default", text).ok(), "1");
    let text = "this is not SQL";
    assert!(probe.post("/sql?label=default", text).ok().contains("syntax error"));
}

#[test]
fn a_dropped_connection_rolls_back() {
    let probe = Probe::start();
    probe.post("/sql?label=default", "CREATE TABLE t (x)").ok();
    probe.post("/sql?label=default", "BEGIN IMMEDIATE\nINSERT INTO t VALUES (1)").ok();
    assert_eq!(probe.post("/sql?label=default", "SELECT count(*) FROM t").ok(), "0");
}

#[test]
fn foreign_keys_are_kept() {
    let probe = Probe::start();
    let text = "CREATE TABLE p (id INTEGER PRIMARY KEY)\n\
                CREATE TABLE c (p INTEGER REFERENCES p (id))\nINSERT INTO c VALUES (1)";
    let refused = probe.post("/sql?label=default", text).ok();
    assert!(refused.contains("FOREIGN KEY constraint failed"), "{refused}");
}

#[test]
fn a_store_keeps_what_it_is_given() {
    let mut probe = Probe::start();
    let of = |probe: &Probe, what: &str| probe.get(&format!("/kv?label=default&{what}")).ok();
    assert_eq!(of(&probe, "do=get&key=a"), r#"Ok("absent")"#);
    assert_eq!(of(&probe, "do=set:1&key=b"), r#"Ok("set")"#);
    assert_eq!(of(&probe, "do=set:2&key=a"), r#"Ok("set")"#);
    assert_eq!(of(&probe, "do=set:3&key=a"), r#"Ok("set")"#);
    assert_eq!(of(&probe, "do=get&key=a"), r#"Ok("3")"#);
    assert_eq!(of(&probe, "do=exists&key=a"), r#"Ok("true")"#);
    assert_eq!(of(&probe, "do=keys"), r#"Ok("a,b")"#);
    assert_eq!(of(&probe, "do=delete&key=a"), r#"Ok("deleted")"#);
    assert_eq!(of(&probe, "do=delete&key=a"), r#"Ok("deleted")"#);
    assert_eq!(of(&probe, "do=exists&key=a"), r#"Ok("false")"#);
    probe.stop();
    assert!(probe.folder.path().join("data/key-value.db").is_file());
}

#[test]
fn requests_leave_for_allowed_hosts_only() {
    let (allowed, other) = (Receiver::start(&["yes"]), Receiver::start(&["no"]));
    let rights =
        format!("allowed_outbound_hosts = [\"http://{}\"]\nsqlite_databases", allowed.addr);
    let probe = Probe::with(&PROBE.replace("sqlite_databases", &rights), |settings| settings);
    let fetch = |addr| probe.get(&format!("/fetch?url=http://{addr}/x")).ok();
    assert_eq!(fetch(allowed.addr), "200 yes");
    assert_eq!(fetch(other.addr), "ErrorCode::HttpRequestDenied");
    assert_eq!(allowed.requests().len(), 1);
    assert!(other.requests().is_empty());
}

#[test]
fn a_host_from_an_empty_variable_allows_nothing() {
    let receiver = Receiver::start(&["no"]);
    let rights = "allowed_outbound_hosts = [\"{{ word }}\"]\nsqlite_databases";
    let probe = Probe::with(&PROBE.replace("sqlite_databases", rights), |settings| settings);
    let answer = probe.get(&format!("/fetch?url=http://{}/x", receiver.addr)).ok();
    assert_eq!(answer, "ErrorCode::HttpRequestDenied");
    assert!(receiver.requests().is_empty());
}

#[test]
fn a_receiver_that_never_answers_is_given_up() {
    // It takes the connection, in the listener's queue, and that is all.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = silent.local_addr().unwrap();
    let rights = format!("allowed_outbound_hosts = [\"http://{addr}\"]\nsqlite_databases");
    let probe = Probe::with(&PROBE.replace("sqlite_databases", &rights), |mut settings| {
        settings.limits.outbound = Duration::from_millis(300);
        settings
    });
    let started = Instant::now();
    let answer = probe.get(&format!("/fetch?url=http://{addr}/x")).ok();
    assert!(answer.contains("Timeout"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(10));
}
