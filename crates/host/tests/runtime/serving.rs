//! Requests in and out: routes, headers, variables, bodies.

use crate::harness::{Answer, PROBE, Probe};
use std::io::{ErrorKind, Write};
use std::time::Duration;

#[test]
fn a_component_answers() {
    let probe = Probe::start();
    assert_eq!(probe.get("/hello").ok(), "hello");
    assert_eq!(probe.post("/echo", "there and back").ok(), "there and back");
}

#[test]
fn a_path_without_a_route_is_a_problem() {
    let probe = Probe::start();
    let mut socket = probe.connect();
    socket.write_all(b"GET /elsewhere HTTP/1.0\r\nhost: x\r\n\r\n").unwrap();
    let answer = Answer::read(&mut socket);
    assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"));
}

#[test]
fn a_request_names_one_host() {
    let probe = Probe::start();
    for request in [
        "GET /probe/hello HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET http://a/probe/hello HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n",
    ] {
        let mut socket = probe.connect();
        socket.write_all(request.as_bytes()).unwrap();
        let answer = Answer::read(&mut socket);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-request"), "{request}");
    }
}

#[test]
fn a_component_is_told_where_it_stands_and_by_the_runtime_only() {
    let probe = Probe::start();
    let lies =
        "spin-client-addr: 6.6.6.6\r\nspin-full-url: http://evil\r\nspin-path-match-x: 1\r\n";
    let headers = probe.send("GET", "/headers?a=b", lies, b"").ok();
    for line in [
        "spin-base-path: /\n",
        "spin-client-addr: 127.0.0.1:",
        "spin-component-route: /probe\n",
        "spin-full-url: http://test.example/probe/headers?a=b\n",
        "spin-matched-route: /probe/...\n",
        "spin-path-info: /headers\n",
        "spin-raw-component-route: /probe/...\n",
    ] {
        assert!(headers.contains(line), "{line} is not in\n{headers}");
    }
    for lie in ["6.6.6.6", "evil", "spin-path-match-x"] {
        assert!(!headers.contains(lie), "{lie} is in\n{headers}");
    }
}

#[test]
fn variables_are_filled_in_and_only_the_components_own_are_seen() {
    let probe = Probe::with(PROBE, |settings| settings.variable("word", "world"));
    assert_eq!(probe.get("/variable?name=sentence").ok(), r#"Ok("hello, world!")"#);
    assert_eq!(probe.get("/variable?name=word").ok(), r#"Err(Error::Undefined("word"))"#);
    assert_eq!(probe.get("/variable?name=Word").ok(), r#"Err(Error::InvalidName("Word"))"#);
}

#[test]
fn a_variable_that_no_manifest_has_is_refused() {
    let refused = Probe::try_with(PROBE, |settings| settings.variable("wrod", "x")).err().unwrap();
    assert!(refused.to_string().contains("`wrod`"), "{refused:#}");
}

#[test]
fn a_missing_required_variable_is_refused_by_name() {
    let body = PROBE.replace("[variables]", "[variables]\nneeded = { required = true }");
    let refused = Probe::try_with(&body, |settings| settings).err().unwrap();
    assert!(format!("{refused:#}").contains("SPIN_VARIABLE_NEEDED"), "{refused:#}");
}

#[test]
fn a_large_body_streams_through() {
    let probe = Probe::start();
    let body = vec![b'x'; 20 << 20];
    let counted = probe.send("POST", "/count", "", &body).ok();
    assert!(counted.starts_with(&format!("{} bytes", body.len())), "{counted}");
}

/// A component that does not read its body slows the client down: nothing piles up in the runtime.
#[test]
fn a_body_that_nobody_reads_is_not_taken_in() {
    let probe = Probe::start();
    let mut socket = probe.connect();
    socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let length = 256 << 20;
    let head = format!(
        "POST /probe/sleep?ms=3000 HTTP/1.0\r\nhost: x\r\ncontent-length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    let piece = vec![0; 64 << 10];
    let mut taken = 0;
    let stopped = loop {
        match socket.write(&piece) {
            Ok(written) => taken += written,
            Err(error) => break error,
        }
        assert!(taken < 32 << 20, "the runtime took {taken} bytes that no component asked for");
    };
    assert!(matches!(stopped.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{stopped}");
}

/// A component answers before it has read the body: who is still sending reads the answer all the same, since the rest
/// is read away.
#[test]
fn an_upload_that_is_answered_early_is_read_away_so_that_the_answer_arrives() {
    let probe = Probe::start();
    let answer = probe.send("POST", "/sleep?ms=0", "", &vec![b'x'; 32 << 20]);
    assert_eq!(answer.status, 200, "{answer:?}");
    // The next one is served as ever.
    assert_eq!(probe.get("/sleep?ms=0").status, 200);
}

/// What is read away has an end: a client that sends for ever is hung up on.
#[test]
fn an_upload_without_end_is_not_read_away_for_ever() {
    let probe = Probe::start();
    let mut socket = probe.connect();
    let head =
        "POST /probe/sleep?ms=0 HTTP/1.0\r\nhost: x\r\ncontent-length: 1099511627776\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let piece = vec![0; 64 << 10];
    let mut taken = 0;
    let stopped = loop {
        match socket.write(&piece) {
            Ok(written) => taken += written,
            Err(error) => break error,
        }
        assert!(taken < 256 << 20, "the runtime took {taken} bytes of a request that was answered");
    };
    let hung_up = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::ConnectionAborted];
    assert!(hung_up.contains(&stopped.kind()), "{stopped}");
    assert!(taken > 32 << 20, "hung up after {taken} bytes");
}

#[test]
fn what_a_component_prints_is_logged_under_its_name() {
    let probe = Probe::start();
    probe.post("/print", "plain\n{\"level\":\"info\"}").ok();
    crate::harness::eventually("the log", || {
        probe.lines.contain("[probe] plain") && probe.lines.contain("{\"level\":\"info\"}")
    });
    assert!(!probe.lines.contain("[probe] {"));
}
