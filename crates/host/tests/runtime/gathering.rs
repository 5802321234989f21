//! Lanes whose instance lets in all who wait.

use crate::harness::{Answer, Probe, eventually, gathering};
use dunlin::Settings;
use std::io::Write;
use std::time::Duration;

/// A probe that gathers, with one lane.
fn start(change: impl FnOnce(&mut Settings)) -> Probe {
    Probe::with(&gathering(), |mut settings| {
        settings.limits.lanes = 1;
        change(&mut settings);
        settings
    })
}

/// Asks for `busy`, which keeps the instance computing, and meanwhile eight times for `path`.
fn ask_while(probe: &Probe, busy: &str, path: &str) -> (Answer, Vec<Answer>) {
    std::thread::scope(|scope| {
        let first = scope.spawn(|| probe.get(busy));
        eventually("the computing", || probe.lines.contain("busy"));
        let others: Vec<_> = (0..8).map(|_| scope.spawn(|| probe.get(path))).collect();
        let others = others.into_iter().map(|other| other.join().unwrap()).collect();
        (first.join().unwrap(), others)
    })
}

#[test]
fn requests_that_come_while_the_instance_is_busy_meet() {
    let probe = start(|_| {});
    let (first, others) = ask_while(&probe, "/gather?busy=400", "/gather");
    assert_eq!(first.ok(), "1");
    let most = others.into_iter().map(|other| other.ok().parse::<usize>().unwrap()).max();
    assert!(most >= Some(2), "each of eight was answered alone");
}

#[test]
fn who_goes_away_from_the_line_is_passed_over() {
    let probe = start(|settings| settings.limits.request = Duration::from_secs(10));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| probe.get("/gather?busy=400"));
        eventually("the computing", || probe.lines.contain("busy"));
        for _ in 0..8 {
            let mut gone = probe.connect();
            gone.write_all(b"GET /probe/instance HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        }
        first.join().unwrap().ok();
    });
    // The one that computed, and this one.
    assert_eq!(probe.get("/instance").ok(), "2");
}

#[test]
fn a_trap_is_none_of_those_in_the_line() {
    let probe = start(|_| {});
    let (first, others) = ask_while(&probe, "/trap?busy=400", "/hello");
    assert_eq!((first.status, first.problem().as_str()), (500, "internal"));
    assert!(others.into_iter().all(|other| other.ok() == "hello"));
    assert!(probe.lines.contain("instance-failed"));
}

#[test]
fn a_line_that_stands_still_gets_another_instance() {
    let probe = start(|settings| settings.limits.request = Duration::from_secs(10));
    std::thread::scope(|scope| {
        let stuck = scope.spawn(|| probe.get("/trap?busy=60000"));
        eventually("the computing", || probe.lines.contain("busy"));
        assert_eq!(probe.get("/hello").ok(), "hello");
        assert!(!stuck.is_finished());
        // Ended at its time, not by itself.
        let ended = stuck.join().unwrap();
        assert_eq!((ended.status, ended.problem().as_str()), (504, "overrun"));
    });
}

#[test]
fn whoever_is_going_to_write_holds_up_nobody_while_others_write() {
    let probe = start(|settings| settings.limits.instance_idle = Duration::from_secs(60));
    probe.post("/sql-kept?label=default", "BEGIN IMMEDIATE").ok();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| probe.get("/lull"));
        eventually("the waiting", || probe.lines.contain("waits"));
        // Answered by the very instance in which it waits.
        assert_eq!(probe.get("/instance").ok(), "3");
        assert!(!writer.is_finished());
        probe.post("/sql-kept?label=default", "SELECT 1").ok();
        writer.join().unwrap().ok();
    });
    assert_eq!(probe.post("/sql?label=default", "SELECT count(*) FROM lull").ok(), "0");
}

#[test]
fn who_is_going_to_write_comes_to_those_who_wait_for_that() {
    let probe = start(|settings| settings.limits.instance_idle = Duration::from_secs(60));
    probe.post("/sql-kept?label=default", "BEGIN IMMEDIATE").ok();
    std::thread::scope(|scope| {
        let mut writers = Vec::new();
        for waiting in 1..=3 {
            writers.push(scope.spawn(|| probe.get("/lull")));
            eventually("the waiting", || probe.lines.count("waits") == waiting);
            // It says so before it waits.
            std::thread::sleep(Duration::from_millis(20));
        }
        // The one that began, those who wait, and this one, though seven lanes are free.
        assert_eq!(probe.get("/instance").ok(), "5");
        probe.post("/sql-kept?label=default", "SELECT 1").ok();
        writers.into_iter().for_each(|writer| drop(writer.join().unwrap().ok()));
    });
}

#[test]
fn bodies_arrive_whole_while_instances_are_replaced() {
    let probe = start(|settings| {
        settings.limits.instance_requests = 5;
        settings.limits.instance_concurrent = 4;
        settings.limits.gathering = 1;
    });
    std::thread::scope(|scope| {
        for client in 0..8 {
            let probe = &probe;
            scope.spawn(move || {
                for nth in 0..40 {
                    let body = format!("{client} {nth}; ").repeat(10_000);
                    assert!(probe.post("/echo", &body).ok() == body, "{client} {nth}");
                }
            });
        }
    });
}

#[test]
fn whoever_reads_slowly_holds_nobody_up() {
    let probe = start(|settings| {
        settings.limits.instance_requests = 1;
        settings.limits.gathering = 1;
    });
    let statement = "SELECT hex(zeroblob(8000000))";
    let mut slow = probe.connect();
    let length = statement.len();
    let head = format!(
        "POST /probe/sql?label=default HTTP/1.0\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{statement}"
    );
    slow.write_all(head.as_bytes()).unwrap();
    for _ in 0..3 {
        assert_eq!(probe.get("/instance").ok(), "1");
    }
    assert_eq!(Answer::read(&mut slow).ok().len(), 16_000_000);
}
