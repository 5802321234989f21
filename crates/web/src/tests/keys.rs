//! Who may call what.

use super::{ADMIN, Sent, World, get, post, world::Got};
use dunlin_domain::contract::keys::Scope;

fn issue(world: &World, scopes: &str, more: &str) -> Got {
    let got = world.send(post(
        "/v1/ingest/keys",
        &format!(r#"{{"name": "till", "scopes": [{scopes}]{more}}}"#),
    ));
    assert_eq!(got.status, 201, "{}", got.body);
    got
}

fn call(world: &World, token: &str) -> String {
    world.send(Sent::new("GET", "/v1/things/a").key(token)).brief()
}

#[test]
fn without_an_admin_key_only_health_answers() {
    let world = World::new();
    for (key, hint) in [(None, "set the variable"), (Some("short"), "fewer than 8")] {
        world.variables.borrow_mut().remove("admin_key");
        key.into_iter().for_each(|key| world.set("admin_key", key));
        for path in ["/v1/things", "/v1/ingest/keys", "/v1/things/a"] {
            let got = world.send(get(path));
            assert_eq!(got.brief(), "503 not-configured", "{path}");
            assert!(got.field("detail").contains(hint), "{}", got.body);
        }
        let health = world.send(Sent::new("GET", "/healthz"));
        assert_eq!((health.status, health.field("status")), (503, "not-configured".to_string()));
        assert_eq!(world.send(Sent::new("GET", "/openapi.json")).status, 200);
    }
    world.set("admin_key", ADMIN);
    let health = world.send(Sent::new("GET", "/healthz"));
    assert_eq!((health.status, health.field("status")), (200, "ok".to_string()));
}

#[test]
fn a_request_without_a_good_key_is_refused() {
    let world = World::new();
    for (header, expected) in [
        ("", "401 key-missing"),
        ("Basic YTpi", "401 key-missing"),
        ("Bearer", "401 key-missing"),
        ("Bearer nonsense", "401 key-refused"),
        ("Bearer dunlin_", "401 key-refused"),
        ("Bearer dunlin_x_y", "401 key-refused"),
        ("Bearer dunlin_admin_correct-horse-battery", "401 key-refused"),
        ("bearer correct-horse-battery", "200"),
        ("Bearer correct-horse-batter", "401 key-refused"),
        ("Bearer correct-horse-battery1", "401 key-refused"),
    ] {
        let sent = Sent::new("GET", "/v1/things");
        let sent = if header.is_empty() { sent } else { sent.header("authorization", header) };
        assert_eq!(world.send(sent).brief(), expected, "{header}");
    }
    assert_eq!(world.send(get("/v1/things").key("other")).brief(), "401 key-refused");
    let trusting = Sent::new("GET", "/v1/things")
        .header("spin-client-addr", "127.0.0.1")
        .header("spin-full-url", "http://localhost/healthz")
        .header("x-forwarded-for", "127.0.0.1");
    assert_eq!(world.send(trusting).brief(), "401 key-missing");
}

/// Which scopes each route of the sample lets in.
#[test]
fn a_scope_opens_its_own_functions_and_no_others() {
    let world = World::new();
    world.set("webhook_url", "https://example.com");
    let opened = |scope: Scope| {
        let token = issue(&world, &format!("\"{scope}\""), "").field("key");
        let send = |method: &str, path: &str| {
            world.send(Sent::new(method, path).key(&token)).status != 403
        };
        [
            send("GET", "/v1/things"),
            send("POST", "/v1/things"),
            send("GET", "/v1/things/a"),
            send("POST", "/v1/ticks"),
            send("GET", "/v1/ingest/keys"),
        ]
        .map(|open| if open { 'x' } else { '.' })
        .iter()
        .collect::<String>()
    };
    for (scope, expected) in [
        (Scope::Admin, "xxxxx"),
        (Scope::IngestRead, "x...."),
        (Scope::IngestWrite, "xx..."),
        (Scope::ScoreRead, "....."),
        (Scope::ScoreWrite, "....."),
        (Scope::ScoreAdmin, "....."),
        (Scope::RemindRead, "....."),
        (Scope::RemindWrite, "....."),
        (Scope::ReportRead, "..x.."),
        (Scope::SweepWrite, "...x."),
    ] {
        assert_eq!(opened(scope), expected, "{scope}");
    }
    let token = issue(&world, "\"ingest-read\"", "").field("key");
    let got = world.send(Sent::new("GET", "/v1/things/a").key(&token));
    assert_eq!(got.brief(), "403 scope-missing");
    assert!(got.field("detail").contains("report-read"), "{}", got.body);
}

#[test]
fn a_key_lives_until_it_is_revoked() {
    let world = World::new();
    let made = issue(&world, "\"report-read\"", "");
    let (id, token) = (made.field("id"), made.field("key"));
    assert!(token.starts_with(&format!("dunlin_{id}_")), "{token}");
    assert_eq!(call(&world, &token), "200");
    assert_eq!(world.line()["key_id"], id.as_str());
    assert_eq!(call(&world, &format!("{token}x")), "401 key-refused");
    let revoke = || world.send(post(&format!("/v1/ingest/keys/{id}/revoke"), ""));
    let revoked = revoke();
    assert_eq!(
        (revoked.status, revoked.field("revoked_at")),
        (200, "2024-03-31T08:00:00Z".to_string())
    );
    assert_eq!(call(&world, &token), "401 key-refused");
    world.pass(60);
    assert_eq!(revoke().body, revoked.body);
    assert_eq!(
        world.send(post(&format!("/v1/ingest/keys/{id}/rotate"), "")).brief(),
        "409 different-content revoked_at"
    );
    assert_eq!(world.send(post("/v1/ingest/keys/nobody/revoke", "")).brief(), "404 not-found");
}

#[test]
fn rotating_gives_a_new_secret_and_refuses_the_old_one() {
    let world = World::new();
    let made = issue(&world, "\"report-read\", \"report-read\"", "");
    let rotated = world.send(post(&format!("/v1/ingest/keys/{}/rotate", made.field("id")), ""));
    assert_eq!((rotated.status, rotated.field("id")), (200, made.field("id")));
    assert_eq!(rotated.json()["scopes"], serde_json::json!(["report-read"]));
    assert_eq!(call(&world, &made.field("key")), "401 key-refused");
    assert_eq!(call(&world, &rotated.field("key")), "200");
}

#[test]
fn a_key_expires_at_its_moment() {
    let world = World::new();
    let token =
        issue(&world, "\"report-read\"", r#", "expires_at": "2024-03-31T08:01:00Z""#).field("key");
    world.pass(59);
    assert_eq!(call(&world, &token), "200");
    world.pass(1);
    assert_eq!(call(&world, &token), "401 key-refused");
}

#[test]
fn a_key_has_a_name_a_scope_and_a_future() {
    let world = World::new();
    let long = "x".repeat(101);
    for (body, expected) in [
        (r#"{"name": " ", "scopes": ["admin"]}"#.to_string(), "400 missing-field name"),
        (format!(r#"{{"name": "{long}", "scopes": ["admin"]}}"#), "422 text-too-long name"),
        (r#"{"name": "a\u0000", "scopes": ["admin"]}"#.to_string(), "400 malformed-text name"),
        (r#"{"name": "a", "scopes": []}"#.to_string(), "400 missing-field scopes"),
        (r#"{"name": "a", "scopes": ["root"]}"#.to_string(), "400 malformed-field scopes[0]"),
        (
            r#"{"name": "a", "scopes": ["admin"], "expires_at": "2024-03-31T08:00:00Z"}"#
                .to_string(),
            "422 date-out-of-range expires_at",
        ),
        (
            r#"{"name": "a", "scopes": ["admin"], "expires_at": "soon"}"#.to_string(),
            "400 malformed-date expires_at",
        ),
    ] {
        assert_eq!(world.send(post("/v1/ingest/keys", &body)).brief(), expected, "{body}");
    }
}

#[test]
fn keys_are_listed_oldest_first_and_never_with_a_secret() {
    let world = World::new();
    let made: Vec<Got> = (0..3).map(|_| issue(&world, "\"admin\"", "")).collect();
    let first = world.send(get("/v1/ingest/keys?limit=2"));
    let next = first.field("next");
    let second = world.send(get(&format!("/v1/ingest/keys?limit=2&cursor={next}")));
    let ids = |got: &Got| -> Vec<String> {
        let items = got.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_string()).collect()
    };
    let wanted: Vec<String> = made.iter().map(|got| got.field("id")).collect();
    assert_eq!([ids(&first), ids(&second)].concat(), wanted);
    assert_eq!(second.field("next"), "");
    let file = std::fs::read(world.file()).unwrap();
    let wal = std::fs::read(world.file().with_extension("db-wal")).unwrap_or_default();
    for got in made {
        let token = got.field("key");
        let secret = token.rsplit('_').next().unwrap();
        assert!(!first.body.contains(secret) && !second.body.contains(secret));
        for stored in [&file, &wal] {
            assert!(!stored.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
}
