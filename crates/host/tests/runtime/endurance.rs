//! What the runtime survives: traps, loops, long statements, stalled clients, its own end.

use crate::harness::{Answer, PROBE, Probe, both_kinds};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a request may take where a test waits for it to take too long.
const LONGEST: Duration = Duration::from_secs(5);

#[test]
fn a_trap_costs_its_instance_and_nothing_else() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |settings| settings);
        assert_eq!(probe.get("/instance").ok(), "1");
        assert_eq!(probe.get("/instance").ok(), "2");
        let answer = probe.get("/trap");
        assert_eq!((answer.status, answer.problem().as_str()), (500, "internal"));
        assert!(!answer.body.contains("wasm"), "details belong in the log: {answer:?}");
        assert!(probe.lines.contain("unreachable"));
        assert_eq!(probe.get("/instance").ok(), "1");
    });
}

#[test]
fn an_error_of_a_component_is_a_problem() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |settings| settings);
        let answer = probe.get("/error");
        assert_eq!((answer.status, answer.problem().as_str()), (500, "internal"));
    });
}

#[test]
fn an_instance_is_replaced_after_its_share_of_requests() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |mut settings| {
            settings.limits.instance_requests = 3;
            settings.limits.gathering = 1;
            settings
        });
        let served: Vec<String> = (0..7).map(|_| probe.get("/instance").ok()).collect();
        assert_eq!(served, ["1", "2", "3", "1", "2", "3", "1"]);
    });
}

#[test]
fn an_idle_instance_is_let_go() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |mut settings| {
            settings.limits.instance_idle = Duration::from_millis(50);
            settings
        });
        assert_eq!(probe.get("/instance").ok(), "1");
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(probe.get("/instance").ok(), "1");
    });
}

#[test]
fn an_endless_loop_is_ended_and_others_are_served_meanwhile() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |mut settings| {
            settings.limits.request = LONGEST;
            settings
        });
        std::thread::scope(|scope| {
            // As many loops as the machine has threads for them, and more.
            let loops: Vec<_> = (0..4).map(|_| scope.spawn(|| probe.get("/loop"))).collect();
            std::thread::sleep(Duration::from_millis(300));
            let asked = Instant::now();
            assert_eq!(probe.get("/hello").ok(), "hello");
            assert!(asked.elapsed() < LONGEST / 2, "{:?}", asked.elapsed());
            for ended in loops {
                let answer = ended.join().unwrap();
                assert_eq!((answer.status, answer.problem().as_str()), (504, "overrun"));
            }
        });
        assert_eq!(probe.get("/hello").ok(), "hello");
    });
}

#[test]
fn a_request_that_takes_too_long_is_answered_and_its_instance_takes_no_more() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |mut settings| {
            settings.limits.request = Duration::from_secs(2);
            settings
        });
        assert_eq!(probe.get("/instance").ok(), "1");
        let answer = probe.get("/sleep?ms=60000");
        assert_eq!((answer.status, answer.problem().as_str()), (504, "overrun"));
        assert_eq!(probe.get("/instance").ok(), "1");
    });
}

#[test]
fn a_statement_without_end_is_interrupted_and_others_are_served_meanwhile() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |mut settings| {
            settings.limits.request = LONGEST;
            settings
        });
        let endless = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        std::thread::scope(|scope| {
            let statements: Vec<_> =
                (0..4).map(|_| scope.spawn(|| probe.post("/sql?label=default", endless))).collect();
            std::thread::sleep(Duration::from_millis(300));
            let asked = Instant::now();
            assert_eq!(probe.get("/hello").ok(), "hello");
            assert!(asked.elapsed() < LONGEST / 2, "{:?}", asked.elapsed());
            for ended in statements {
                // The statement ends at its limit; so does the request, whichever is first.
                let answer = ended.join().unwrap();
                assert!(answer.status == 504 || answer.body.contains("interrupted"), "{answer:?}");
            }
        });
    });
}

#[test]
fn a_greedy_instance_is_ended() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |mut settings| {
            settings.limits.instance_memory = 32 << 20;
            settings
        });
        assert_eq!(probe.get("/memory?mib=8").ok(), (8 << 20).to_string());
        assert_eq!(probe.get("/memory?mib=64").status, 500);
        assert_eq!(probe.get("/hello").ok(), "hello");
    });
}

#[test]
fn a_stalled_body_is_answered_with_408() {
    let probe = Probe::with(PROBE, |mut settings| {
        settings.limits.body_idle = Duration::from_millis(300);
        settings
    });
    let mut socket = probe.connect();
    let head = "POST /probe/count HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
    socket.write_all(head.as_bytes()).unwrap();
    let answer = Answer::read(&mut socket);
    assert_eq!((answer.status, answer.problem().as_str()), (408, "body-stalled"));
    // A slow component is not a stalled client.
    let body = vec![b'x'; 1 << 20];
    let counted = probe.send("POST", "/count?pause=400", "", &body).ok();
    assert!(counted.starts_with("1048576 bytes"), "{counted}");
}

#[test]
fn a_stalled_head_is_hung_up_on() {
    let probe = Probe::with(PROBE, |mut settings| {
        settings.limits.header = Duration::from_millis(300);
        settings
    });
    let mut socket = probe.connect();
    socket.write_all(b"GET /probe/hello HTTP/1.1\r\nhost:").unwrap();
    let started = Instant::now();
    Answer::read(&mut socket);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_client_that_hangs_up_does_no_harm() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |settings| settings);
        for _ in 0..20 {
            let mut socket = probe.connect();
            let head = "POST /probe/count HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf";
            socket.write_all(head.as_bytes()).unwrap();
        }
        assert_eq!(probe.get("/hello").ok(), "hello");
    });
}

#[test]
fn more_requests_than_places_wait_their_turn() {
    both_kinds(|manifest| {
        let probe = Probe::with(manifest, |mut settings| {
            settings.limits.lanes = 2;
            settings.limits.instance_concurrent = 2;
            settings.limits.gathering = 1;
            settings
        });
        std::thread::scope(|scope| {
            let requests: Vec<_> =
                (0..40).map(|_| scope.spawn(|| probe.get("/sleep?ms=20").ok())).collect();
            assert!(requests.into_iter().all(|request| request.join().unwrap() == "slept"));
        });
    });
}

#[test]
fn a_shutdown_lets_requests_finish_and_takes_no_more() {
    both_kinds(|manifest| {
        let mut probe = Probe::with(manifest, |settings| settings);
        let running = probe.running.take().unwrap();
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| probe.get("/sleep?ms=800"));
            std::thread::sleep(Duration::from_millis(200));
            running.shutdown_blocking();
            assert_eq!(slow.join().unwrap().ok(), "slept");
        });
        assert!(TcpStream::connect(probe.addr).is_err());
    });
}

#[test]
fn a_shutdown_leaves_no_log_behind() {
    both_kinds(|manifest| {
        let mut probe = Probe::with(manifest, |settings| settings);
        let text = "PRAGMA journal_mode=WAL\nCREATE TABLE t (x)\nINSERT INTO t VALUES (1)";
        probe.post("/sql-kept?label=default", text).ok();
        let log = probe.folder.path().join("data/default.db-wal");
        assert!(log.exists());
        let stopped = Instant::now();
        probe.stop();
        assert!(!log.exists());
        assert!(
            stopped.elapsed() < Duration::from_secs(4),
            "an idle instance goes when it is told"
        );
    });
}

#[test]
fn a_shutdown_waits_no_longer_than_allowed() {
    both_kinds(|manifest| {
        let mut probe = Probe::with(manifest, |mut settings| {
            settings.limits.shutdown = Duration::from_millis(200);
            settings
        });
        let running = probe.running.take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| probe.get("/sleep?ms=20000"));
            std::thread::sleep(Duration::from_millis(200));
            let started = Instant::now();
            running.shutdown_blocking();
            assert!(started.elapsed() < Duration::from_secs(10));
        });
    });
}
