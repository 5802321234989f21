//! What is read of a body, and what is refused of it.

use super::{ADMIN, Sent, World, get, post};

#[test]
fn json_is_read_strictly_and_the_field_at_fault_is_named() {
    let world = World::new();
    for (body, expected) in [
        (r#"{"name": "Duck"}"#, "201"),
        ("\u{FEFF}{\"name\": \"Duck\"}", "201"),
        (r#"{"name": "Duck", "credit_limit": {"minor": 1, "currency": "CNY"}}"#, "201"),
        ("", "400 empty-body"),
        (" \n", "400 empty-body"),
        ("{", "400 malformed-json"),
        (r#"{"name": "Duck"} x"#, "400 malformed-json"),
        (r#"{"name": "Duck",}"#, "400 malformed-json"),
        (r#"{'name': 'Duck'}"#, "400 malformed-json"),
        (r#"{"name": NaN}"#, "400 malformed-json"),
        (r#"{"name": "\ud800"}"#, "400 malformed-json"),
        ("[]", "400 malformed-field"),
        (r#"["a", "Duck"]"#, "400 malformed-field"),
        ("3", "400 malformed-field"),
        ("{}", "400 missing-field name"),
        (r#"{"name": null}"#, "400 malformed-field name"),
        (r#"{"name": 3}"#, "400 malformed-field name"),
        (r#"{"name": "Duck", "emial": "a@b"}"#, "400 unknown-field emial"),
        (r#"{"name": "Duck", "name": "Goose"}"#, "400 malformed-field name"),
        (r#"{"name": "Duck", "id": "a b"}"#, "400 malformed-id id"),
        (r#"{"name": "Duck", "id": ""}"#, "400 malformed-id id"),
        (r#"{"name": "Duck", "currency": "XXX"}"#, "422 unknown-currency currency"),
        (r#"{"name": "Duck", "language": "fr"}"#, "400 malformed-field language"),
        (
            r#"{"name": "Duck", "credit_limit": {"minor": 1}}"#,
            "400 missing-field credit_limit.currency",
        ),
        (
            r#"{"name": "Duck", "credit_limit": {"minor": 1.5, "currency": "CNY"}}"#,
            "400 malformed-field credit_limit.minor",
        ),
        (
            r#"{"name": "Duck", "credit_limit": {"minor": 1e9, "currency": "CNY"}}"#,
            "400 malformed-field credit_limit.minor",
        ),
        (
            r#"{"name": "Duck", "credit_limit": {"minor": 99999999999999999999, "currency": "CNY"}}"#,
            "400 malformed-field credit_limit.minor",
        ),
        (
            r#"{"name": "Duck", "credit_limit": {"minor": 1, "currency": "XAU"}}"#,
            "422 unknown-currency credit_limit.currency",
        ),
        (
            r#"{"name": "Duck", "credit_limit": {"minor": 1, "currency": "CNY", "x": 1}}"#,
            "400 unknown-field credit_limit.x",
        ),
    ] {
        assert_eq!(world.send(post("/v1/things", body)).brief(), expected, "{body}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(world.send(post("/v1/things", &deep)).status, 400);
    let invoice = r#"{"customer_id": "c", "issued_on": "2023-02-29", "amount": {"minor": 1, "currency": "CNY"}}"#;
    let put = Sent::new("PUT", "/v1/things/a/invoice")
        .key(ADMIN)
        .header("content-type", "application/json");
    assert_eq!(world.send(put.body(invoice)).brief(), "400 malformed-date issued_on");
}

#[test]
fn other_encodings_are_named() {
    let world = World::new();
    let utf16: Vec<u8> = r#"{"name": "Duck"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16_with_mark = [&[0xFF, 0xFE], utf16.as_slice()].concat();
    let gbk = [b"{\"name\": \"".as_slice(), &[0xB7, 0xA2, 0xC6, 0xB1], b"\"}"].concat();
    for (body, named) in [(utf16, "UTF-16"), (utf16_with_mark, "UTF-16"), (gbk, "GBK")] {
        let sent = Sent::new("POST", "/v1/things")
            .key(ADMIN)
            .header("content-type", "application/json")
            .body(body);
        let got = world.send(sent);
        assert_eq!(got.brief(), "400 wrong-encoding");
        assert!(got.field("detail").contains(named), "{}", got.body);
    }
}

#[test]
fn media_types_are_checked_before_anything_is_read() {
    let world = World::new();
    let body = r#"{"name": "Duck"}"#;
    for (media, coding, expected) in [
        ("application/json", "", "201"),
        ("Application/JSON; charset=UTF-8", "identity", "201"),
        ("application/json; charset=\"utf-8\"", "", "201"),
        ("application/json; charset=gbk", "", "400 wrong-encoding"),
        ("application/json", "gzip", "415 unsupported-media-type"),
        ("text/csv", "", "415 unsupported-media-type"),
        ("application/x-www-form-urlencoded", "", "415 unsupported-media-type"),
        ("", "", "415 unsupported-media-type"),
    ] {
        let mut sent = Sent::new("POST", "/v1/things").key(ADMIN).body(body);
        for (name, value) in [("content-type", media), ("content-encoding", coding)] {
            sent = if value.is_empty() { sent } else { sent.header(name, value) };
        }
        assert_eq!(world.send(sent).brief(), expected, "{media} {coding}");
    }
    let sent = Sent::new("POST", "/v1/files?kind=x")
        .key(ADMIN)
        .header("content-type", "application/x-ndjson");
    assert_eq!(world.send(sent.body("{}").body("\n{}")).field("media"), "application/x-ndjson");
}

#[test]
fn limits_hold_to_the_byte_counted_or_announced() {
    let world = World::new();
    let json = |bytes: usize| format!("{{\"name\": \"{}\"}}", "x".repeat(bytes - 12));
    for (limit, length, expected) in
        [("100", 100, "201"), ("100", 101, "413 body-too-large"), ("99", 100, "413 body-too-large")]
    {
        world.set("body_limit", limit);
        assert_eq!(
            world.send(post("/v1/things", &json(length))).brief(),
            expected,
            "{limit} {length}"
        );
    }
    let announced = |length: &str| post("/v1/things", &json(50)).header("content-length", length);
    assert_eq!(world.send(announced("50")).brief(), "201");
    assert_eq!(world.send(announced("101")).brief(), "413 body-too-large");
    assert_eq!(world.send(announced("60")).brief(), "400 body-incomplete");
    world.set("body_limit", "a lot");
    assert_eq!(world.send(post("/v1/things", &json(50))).brief(), "503 not-configured");
    world.set("import_limit", "10");
    let file =
        || Sent::new("POST", "/v1/files?kind=x").key(ADMIN).header("content-type", "text/csv");
    assert_eq!(world.send(file().body("12345").body("67890")).field("bytes"), "10");
    assert_eq!(world.send(file().body("12345").body("678901")).brief(), "413 body-too-large");
    world.variables.borrow_mut().remove("body_limit");
    assert_eq!(world.send(post("/v1/things", &json(1 << 20))).brief(), "201");
    assert_eq!(world.send(post("/v1/things", &json((1 << 20) + 1))).brief(), "413 body-too-large");
}

#[test]
fn a_body_that_breaks_off_or_stalls_is_given_up() {
    let world = World::new();
    let file = || {
        Sent::new("POST", "/v1/files?kind=x")
            .key(ADMIN)
            .header("content-type", "text/csv")
            .body("a,b")
    };
    assert_eq!(world.send(file().breaks()).brief(), "400 body-incomplete");
    assert_eq!(world.send(file().stalls()).brief(), "400 body-incomplete");
    let json = Sent::new("POST", "/v1/things")
        .key(ADMIN)
        .header("content-type", "application/json")
        .body("{\"na");
    assert_eq!(world.send(json.breaks()).brief(), "400 body-incomplete");
}

#[test]
fn a_body_that_nobody_asked_for_is_left_alone() {
    let world = World::new();
    assert_eq!(
        world.send(get("/v1/things").header("content-type", "application/json").body("{}")).status,
        200
    );
    world.set("webhook_url", "https://example.com");
    assert_eq!(world.send(Sent::new("POST", "/v1/ticks").key(ADMIN).body("whatever")).status, 200);
}

#[test]
fn a_function_that_takes_nothing_may_refuse_what_a_body_says() {
    let world = World::new();
    let send =
        |body: &'static str| world.send(Sent::new("POST", "/v1/nothings").key(ADMIN).body(body));
    for body in ["", " \n", "{}", " { } "] {
        assert_eq!(send(body).status, 200, "{body:?}");
    }
    let named = send("{\"as_of\":\"2024-02-29\"}");
    assert_eq!(named.brief(), "400 unknown-field as_of");
    assert_eq!(send("whatever").brief(), "400 malformed-json");
}
