//! Routes, parameters, formats, statuses and the log.

use super::{ADMIN, Sent, World, get, post};
use crate::status;
use dunlin_domain::Refusal;

#[test]
fn a_request_finds_its_function_or_is_told_why_not() {
    let world = World::new();
    for (method, path, expected) in [
        ("GET", "/v1/things", "200"),
        ("HEAD", "/v1/things", "200"),
        ("OPTIONS", "/v1/things", "204"),
        ("DELETE", "/v1/things", "405 method-not-allowed"),
        ("PUT", "/v1/things/a", "405 method-not-allowed"),
        ("GET", "/v1/things/", "404 not-found"),
        ("GET", "/v1/things/a/", "404 not-found"),
        ("GET", "/v1/things/a/b", "404 not-found"),
        ("GET", "/V1/things", "404 not-found"),
        ("GET", "//v1/things", "404 not-found"),
        ("GET", "/v1/../v1/things", "404 not-found"),
        ("GET", "/", "404 not-found"),
    ] {
        assert_eq!(
            world.send(Sent::new(method, path).key(ADMIN)).brief(),
            expected,
            "{method} {path}"
        );
    }
    assert_eq!(
        world.send(Sent::new("DELETE", "/v1/things")).header("allow"),
        "GET, POST, HEAD, OPTIONS"
    );
    assert_eq!(
        world.send(Sent::new("OPTIONS", "/v1/things")).header("allow"),
        "GET, POST, HEAD, OPTIONS"
    );
    assert_eq!(world.send(Sent::new("HEAD", "/v1/things").key(ADMIN)).body, "");
}

#[test]
fn ids_in_the_path_are_percent_decoded_and_checked() {
    let world = World::new();
    for (sent, id) in [
        ("INV%2F2024-001", "INV/2024-001"),
        ("o'neil%22", "o'neil\""),
        ("%F0%9F%A6%86", "🦆"),
        ("%E5%8F%91%E7%A5%A8", "发票"),
        ("a+b", "a+b"),
        ("100%25", "100%"),
    ] {
        assert_eq!(world.send(get(&format!("/v1/things/{sent}"))).field("id"), id, "{sent}");
    }
    for bad in
        ["%00", "a%00b", "a%20b", "%0A", "%", "%4", "%zz", "%FF", "%E2%80%AE", &"x".repeat(65)]
    {
        assert_eq!(
            world.send(get(&format!("/v1/things/{bad}"))).brief(),
            "400 malformed-id id",
            "{bad}"
        );
    }
}

#[test]
fn parameters_are_known_single_and_well_formed() {
    let world = World::new();
    for (query, expected) in [
        ("", "200"),
        ("?", "200"),
        ("?as_of=2024-02-29&basis=issued&dry_run=true&months=24", "200"),
        ("?as_of=2024%2D02-29", "200"),
        ("?owner=a%2Fb", "200"),
        ("?as_of=2023-02-29", "400 malformed-parameter as_of"),
        ("?as_of=", "400 malformed-parameter as_of"),
        ("?as_of", "400 malformed-parameter as_of"),
        ("?as_of=0001-01-01", "400 malformed-parameter as_of"),
        ("?as_of=2024-01-01&as_of=2024-01-01", "400 malformed-parameter as_of"),
        ("?basis=paid", "400 malformed-parameter basis"),
        ("?dry_run=1", "400 malformed-parameter dry_run"),
        ("?months=0", "400 malformed-parameter months"),
        ("?months=25", "400 malformed-parameter months"),
        ("?months=+3", "400 malformed-parameter months"),
        ("?months=99999999999", "400 malformed-parameter months"),
        ("?owner=a%00", "400 malformed-parameter owner"),
        ("?owner=%FF", "400 malformed-parameter owner"),
        ("?colour=red", "400 unknown-parameter colour"),
        ("?AS_OF=2024-01-01", "400 unknown-parameter AS_OF"),
        ("?limit=3", "400 unknown-parameter limit"),
    ] {
        assert_eq!(world.send(get(&format!("/v1/things/a{query}"))).brief(), expected, "{query}");
    }
    let missing = Sent::new("POST", "/v1/files").key(ADMIN).header("content-type", "text/csv");
    assert_eq!(world.send(missing).brief(), "400 missing-parameter kind");
}

#[test]
fn pages_join_without_gap_or_overlap() {
    let world = World::new();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let got = world.send(get(&format!("/v1/things?limit=300{cursor}"))).json();
        seen.extend(got["items"].as_array().unwrap().iter().map(|item| item.as_u64().unwrap()));
        match got["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=1000).collect::<Vec<u64>>());
    assert_eq!(world.send(get("/v1/things")).json()["items"].as_array().unwrap().len(), 100);
    for bad in [
        "limit=0",
        "limit=501",
        "cursor=",
        "cursor=x",
        "cursor=W10",
        "cursor=WyJhIl0",
        "cursor=%21",
    ] {
        let got = world.send(get(&format!("/v1/things?{bad}")));
        assert_eq!((got.status, got.field("code")), (400, "malformed-parameter".into()), "{bad}");
    }
}

#[test]
fn the_client_gets_the_format_it_likes_best() {
    let world = World::new();
    for (accept, expected) in [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        ("TEXT/CSV", "text/csv; charset=utf-8; header=present"),
        ("text/*", "text/csv; charset=utf-8; header=present"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8; header=present"),
        ("application/json, text/csv;q=0.9", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("image/png", "application/problem+json"),
        ("application/json;q=0, text/csv;q=0.000", "application/problem+json"),
    ] {
        let got = world.send(get("/v1/things/a").header("accept", accept));
        assert_eq!(got.header("content-type"), expected, "{accept}");
    }
    assert_eq!(
        world.send(get("/v1/things/a").header("accept", "image/png")).brief(),
        "406 not-acceptable"
    );
    assert_eq!(world.send(get("/v1/things.svg")).header("content-type"), "image/svg+xml");
    assert_eq!(
        world.send(get("/v1/things/%3D1%2B1").header("accept", "text/csv")).body,
        "id,months\r\n'=1+1,1\r\n"
    );
}

#[test]
fn every_refusal_is_a_problem_with_its_status() {
    let world = World::new();
    for code in Refusal::ALL {
        let got = world
            .send(post(&format!("/v1/refusals/{code}"), "").header("x-request-id", "req.1-a_B"));
        assert_eq!((got.status, got.field("code")), (status::of(*code), code.to_string()));
        assert_eq!(got.header("content-type"), "application/problem+json");
        assert_eq!(got.field("type"), format!("https://dunlin.dev/errors#{code}"));
        assert_eq!(
            (got.field("status"), got.field("request_id")),
            (got.status.to_string(), "req.1-a_B".into())
        );
        assert_ne!(status::reason(got.status), "", "{code}");
        assert_eq!(got.headers.contains_key("www-authenticate"), got.status == 401);
        assert_eq!(got.headers.contains_key("retry-after"), status::retry_after(*code).is_some());
    }
}

#[test]
fn what_failed_on_our_side_is_logged_and_not_told() {
    let world = World::new();
    let got = world.send(post("/v1/refusals/internal", ""));
    assert_eq!(got.status, 500);
    assert!(!got.body.contains("fire"), "{}", got.body);
    let line = world.line();
    assert_eq!(
        (line["cause"].as_str(), line["level"].as_str()),
        (Some("disk on fire at row 7"), Some("error"))
    );
    assert_eq!(line["request_id"], got.header("x-request-id"));
}

#[test]
fn every_answer_has_its_id_and_is_kept_by_no_cache() {
    let world = World::new();
    for path in ["/v1/things", "/nowhere", "/healthz"] {
        let got = world.send(get(path).header("x-request-id", "abc"));
        let headers = ["x-request-id", "x-content-type-options", "cache-control"]
            .map(|name| got.header(name));
        assert_eq!(headers, ["abc", "nosniff", "no-store"], "{path}");
    }
    for bad in ["", "a b", "a\"b", "<x>", &"x".repeat(65)] {
        let id = world
            .send(get("/v1/things").header("x-request-id", bad))
            .header("x-request-id")
            .to_string();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'), "{bad}");
    }
}

#[test]
fn the_log_has_one_line_a_request_without_personal_data() {
    let world = World::new();
    world.send(get("/v1/things/secret-customer?as_of=2024-01-31&owner=secret-owner"));
    world.send(post("/v1/things", r#"{"name": "Secret Name", "emial": "secret@example.com"}"#));
    world.send(get("/v1/things/secret-customer/secret-path?secret=1"));
    let lines = world.lines.borrow().join("\n");
    assert!(!lines.to_lowercase().contains("secret"), "{lines}");
    assert!(!lines.contains(ADMIN), "{lines}");
    assert_eq!(world.lines.borrow().len(), 3);
    let first: serde_json::Value = serde_json::from_str(&world.lines.borrow()[0]).unwrap();
    let names: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["at", "component", "key_id", "level", "ms", "operation", "request_id", "rows", "status"]
    );
    assert_eq!(
        (first["operation"].as_str(), first["key_id"].as_str()),
        (Some("get_thing"), Some("admin"))
    );
}
