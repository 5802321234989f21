//! The same request again.

use super::{ADMIN, Sent, World, post, sample::RUNS};
use dunlin_store::Db;
use futures::{executor::block_on, join, poll};
use std::{pin::pin, task::Poll};

const DUCK: &str = r#"{"name": "Duck"}"#;

fn create(token: &str, body: &str) -> Sent {
    post("/v1/things", body).header("idempotency-key", token)
}

fn file(token: &str, body: &str) -> Sent {
    let sent = Sent::new("POST", "/v1/files?kind=x").key(ADMIN).header("content-type", "text/csv");
    sent.header("idempotency-key", token).body(body)
}

#[test]
fn the_same_request_has_the_first_answer_again() {
    let world = World::new();
    let first = world.send(create("a", DUCK));
    let again = world.send(create("a", DUCK));
    assert_eq!((first.status, again.status, RUNS.get()), (201, 201, 1));
    assert_eq!(
        (&first.body, first.header("content-type")),
        (&again.body, again.header("content-type"))
    );
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        ("", "true")
    );
    assert_eq!(world.line()["replayed"], true);
    assert_eq!(world.send(create("b", DUCK)).status, 201);
    assert_ne!(world.send(post("/v1/things", DUCK)).body, first.body);
    assert_eq!(RUNS.get(), 3);
}

#[test]
fn another_request_under_the_same_token_is_refused() {
    let world = World::new();
    world.send(create("a", DUCK));
    assert_eq!(world.send(create("a", r#"{"name": "Goose"}"#)).brief(), "422 idempotency-mismatch");
    assert_eq!(world.send(file("a", DUCK)).brief(), "422 idempotency-mismatch");
    let elsewhere = post("/v1/refusals/not-found", DUCK).header("idempotency-key", "a");
    assert_eq!(world.send(elsewhere).brief(), "422 idempotency-mismatch");
    assert_eq!(world.send(create("a", DUCK)).header("idempotency-replayed"), "true");
}

#[test]
fn a_token_belongs_to_the_key_that_used_it() {
    let world = World::new();
    let made =
        world.send(post("/v1/ingest/keys", r#"{"name": "till", "scopes": ["ingest-write"]}"#));
    world.send(create("a", DUCK));
    let other = Sent::new("POST", "/v1/things")
        .key(&made.field("key"))
        .header("content-type", "application/json");
    let got = world.send(other.header("idempotency-key", "a").body(r#"{"name": "Goose"}"#));
    assert_eq!((got.status, got.header("idempotency-replayed")), (201, ""));
}

#[test]
fn a_refusal_is_remembered_unless_it_passes() {
    let world = World::new();
    let refuse = |code: &str| {
        let sent = post(&format!("/v1/refusals/{code}"), "")
            .header("idempotency-key", format!("token-{code}"));
        RUNS.set(0);
        (
            world.send(sent.clone()).status,
            world.send(sent).header("idempotency-replayed") == "true",
            RUNS.get(),
        )
    };
    assert_eq!(refuse("unknown-customer"), (422, true, 1));
    assert_eq!(refuse("different-content"), (409, true, 1));
    assert_eq!(refuse("internal"), (500, false, 2));
    assert_eq!(refuse("database-busy"), (503, false, 2));
    assert_eq!(refuse("sweep-running"), (409, false, 2));
}

#[test]
fn a_stream_is_read_before_its_first_answer_is_given_again() {
    let world = World::new();
    let first = world.send(file("s", "a,b\n1,2\n"));
    let again = world.send(file("s", "a,b\n").body("1,2\n"));
    assert_eq!(
        (first.body, again.header("idempotency-replayed"), RUNS.get()),
        (again.body.clone(), "true", 1)
    );
    assert_eq!(world.send(file("s", "a,b\n1,3\n")).brief(), "422 idempotency-mismatch");
    assert_eq!(world.send(file("s", "a,b\n").breaks()).brief(), "400 body-incomplete");
    assert_eq!(world.send(file("s", "a,b\n1,2\n")).header("idempotency-replayed"), "true");
}

#[test]
fn a_stream_that_was_refused_or_cut_short_may_be_sent_again() {
    let world = World::new();
    for bad in [file("s", "a,b\n").breaks(), file("s", "!").body("more")] {
        assert_eq!(world.send(bad).status, 400);
        assert_eq!(world.send(file("s", "a,b\n")).status, 200);
        world.pass(25 * 60 * 60);
    }
}

#[test]
fn a_second_request_is_told_that_the_first_still_runs() {
    let world = World::new();
    world.patient.set(true);
    let (first, second) = block_on(async {
        join!(world.sending(file("s", "a").stalls()), world.sending(file("s", "a")))
    });
    assert_eq!((first.status, second.brief().as_str()), (200, "409 idempotency-running"));
    assert_eq!(second.header("retry-after"), "2");
    assert_eq!((world.send(file("s", "a")).body, RUNS.get()), (first.body, 1));
}

#[test]
fn a_run_that_died_is_taken_over_once_its_time_is_over() {
    let world = World::new();
    world.patient.set(true);
    block_on(async {
        let mut dies = pin!(world.sending(file("s", "a").stalls()));
        assert!(poll!(&mut dies).is_pending());
    });
    world.pass(15 * 60 - 1);
    assert_eq!(world.send(file("s", "a")).brief(), "409 idempotency-running");
    world.pass(1);
    assert_eq!(world.send(file("s", "a")).status, 200);
    assert_eq!(world.send(file("s", "a")).header("idempotency-replayed"), "true");
}

#[test]
fn a_run_that_was_taken_over_does_not_overwrite_the_answer() {
    let world = World::new();
    world.patient.set(true);
    let late = block_on(async {
        let mut slow = pin!(world.sending(file("s", "late").stalls()));
        assert!(poll!(&mut slow).is_pending());
        world.pass(16 * 60);
        assert_eq!(world.sending(file("s", "a")).await.status, 200);
        slow.await
    });
    assert_eq!(late.status, 200);
    assert_eq!(world.send(file("s", "a")).field("bytes"), "1");
}

#[test]
fn a_token_is_kept_for_a_day_and_then_purged() {
    let world = World::new();
    for token in 0..30 {
        world.send(create(&token.to_string(), DUCK));
    }
    world.pass(24 * 60 * 60 - 1);
    assert_eq!(world.send(create("0", r#"{"name": "Goose"}"#)).brief(), "422 idempotency-mismatch");
    world.pass(1);
    assert_eq!(world.send(create("0", r#"{"name": "Goose"}"#)).status, 201);
    world.pass(1);
    let count = || world.db().int("SELECT COUNT(*) FROM idempotency", &[]).unwrap();
    assert_eq!(count(), 30);
    world.send(create("x", DUCK));
    assert_eq!(count(), 11);
    world.send(create("y", DUCK));
    assert_eq!(count(), 3);
}

#[test]
fn a_token_is_visible_ascii_and_stands_once() {
    let world = World::new();
    let long = "x".repeat(256);
    for bad in ["", "a b", "é", long.as_str()] {
        assert_eq!(
            world.send(create(bad, DUCK)).brief(),
            "400 malformed-parameter Idempotency-Key",
            "{bad}"
        );
    }
    let twice = create("a", DUCK).header("idempotency-key", "a");
    assert_eq!(world.send(twice).brief(), "400 malformed-parameter Idempotency-Key");
    assert_eq!(world.send(create(&"x".repeat(255), DUCK)).status, 201);
}

#[test]
fn an_answer_with_a_secret_is_never_kept() {
    let world = World::new();
    let make = || {
        post("/v1/ingest/keys", r#"{"name": "till", "scopes": ["admin"]}"#)
            .header("idempotency-key", "k")
    };
    let (first, second) = (world.send(make()), world.send(make()));
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.field("key"), second.field("key"));
    assert_eq!(world.db().int("SELECT COUNT(*) FROM idempotency", &[]).unwrap(), 0);
}

#[test]
fn who_waited_to_write_while_another_found_the_database_locked_has_waited_as_well() {
    let world = World::new();
    world.crowded.set(true);
    let found_locked =
        || assert_eq!(world.send(post("/v1/refusals/database-busy", "")).status, 503);
    let [plain, kept] = [post("/v1/nothings", ""), create("a", DUCK)];
    let reads = Sent::new("GET", "/v1/things").key(ADMIN);
    for (sent, brief) in [(plain, "503 database-busy"), (kept, "503 database-busy"), (reads, "200")]
    {
        let mut waiting = pin!(world.sending(sent.clone()));
        let first = block_on(async { poll!(waiting.as_mut()) });
        found_locked();
        let got = match first {
            Poll::Ready(got) => got,
            Poll::Pending => block_on(waiting),
        };
        assert_eq!(got.brief(), brief);
        assert!((200..300).contains(&world.send(sent).status));
    }

    // Nor does its Idempotency-Key wait to be let go: it is when the run's time is over.
    let meet = post("/v1/meetings", "").header("idempotency-key", "m");
    let mut waiting = pin!(world.sending(meet.clone()));
    // It waits to begin, then in its handler.
    for _ in 0..2 {
        assert!(block_on(async { poll!(waiting.as_mut()) }).is_pending());
    }
    found_locked();
    assert_eq!(block_on(waiting).brief(), "503 database-busy");
    assert_eq!(world.line()["level"], "error");
    assert_eq!(world.send(meet.clone()).brief(), "409 idempotency-running");
    world.pass(61);
    assert_eq!(world.send(meet).status, 200);
}
