//! The OpenAPI 3.1 document, written from the tables of routes and the contract's types.

use crate::{
    Media, RouteInfo,
    media::PROBLEM,
    query::{Kind, Query},
    route::{Takes, TypeInfo},
    status,
};
use dunlin_domain::{Id, Refusal, contract::types::Problem};
use http::Method;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The document of these routes, the same bytes for the same routes whatever their order.
pub fn document<'r>(routes: impl IntoIterator<Item = &'r RouteInfo>) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for route in routes {
        let operation = operation(route, &mut schemas);
        let method = route.method().as_str().to_lowercase();
        let path = paths.entry(route.path()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(method, operation);
        }
    }
    let problem = schemas.subschema_for::<Problem>().to_value();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Dunlin",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Credit control and collections. Writes may carry an Idempotency-Key: the same request \
                again has the first answer again for a day. Every answer carries x-request-id.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer",
                    "description": "A token made by create_key, or the variable admin_key."},
                "signature": {"type": "apiKey", "in": "header", "name": "webhook-signature",
                    "description": "An HMAC over the body, in the headers that the source's scheme has."},
            },
            "parameters": {"idempotency_key": idempotency_key(), "request_id": request_id()},
            "headers": {
                "request_id": {"description": "The request's id.", "schema": {"type": "string"}},
                "replayed": {"description": "`true` on an answer that was given before.", "schema": {"type": "string"}},
            },
            "responses": {"problem": {
                "description": "The request was refused; `code` says why.",
                "headers": {"x-request-id": {"$ref": "#/components/headers/request_id"}},
                "content": {PROBLEM: {"schema": problem}},
            }},
        },
    });
    sorted(document)
}

/// The document as it is checked in and served.
pub fn text<'r>(routes: impl IntoIterator<Item = &'r RouteInfo>) -> String {
    // A value made of JSON has JSON.
    serde_json::to_string_pretty(&document(routes)).unwrap_or_default() + "\n"
}

fn operation(route: &RouteInfo, schemas: &mut SchemaGenerator) -> Value {
    let about = route.said();
    let summary = about.split_once(". ").map_or(about.trim_end_matches('.'), |(first, _)| first);
    let mut operation = json!({
        "operationId": route.name(),
        "summary": summary,
        "description": about,
        "tags": [route.path().split('/').nth(2).unwrap_or("service")],
        "parameters": parameters(route, schemas),
        "responses": responses(route, schemas),
        "security": match (route.needs(), route.is_signed()) {
            (Some(_), _) => json!([{"key": []}]),
            (None, true) => json!([{"signature": []}]),
            (None, false) => json!([]),
        },
    });
    if let Some(fields) = operation.as_object_mut() {
        fields.extend(route.needs().map(|scope| ("x-scope".to_string(), json!(scope))));
        fields.extend(request_body(route, schemas).map(|body| ("requestBody".to_string(), body)));
    }
    operation
}

fn parameters(route: &RouteInfo, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let id = schemas.subschema_for::<Id>().to_value();
    let of_path = |name| {
        json!({"name": name, "in": "path", "required": true, "schema": id,
            "description": "Percent-encoded: a slash in an id is sent as %2F."})
    };
    let mut parameters: Vec<Value> = route.path_parameters().map(of_path).collect();
    parameters.extend(route.parameters().iter().map(of_query));
    if writes(route) {
        parameters.push(json!({"$ref": "#/components/parameters/idempotency_key"}));
    }
    parameters.push(json!({"$ref": "#/components/parameters/request_id"}));
    parameters
}

fn writes(route: &RouteInfo) -> bool {
    matches!(*route.method(), Method::POST | Method::PUT)
}

fn of_query(parameter: &Query) -> Value {
    let schema = match parameter.kind {
        Kind::Date => json!({"type": "string", "format": "date"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Id => json!({"$ref": "#/components/schemas/Id"}),
        Kind::Whole(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::OneOf(names) => json!({"type": "string", "enum": names}),
        Kind::Text(max) => json!({"type": "string", "minLength": 1, "maxLength": max}),
    };
    json!({"name": parameter.name, "in": "query", "required": parameter.required,
        "description": parameter.about, "schema": schema})
}

fn request_body(route: &RouteInfo, schemas: &mut SchemaGenerator) -> Option<Value> {
    let content = match route.takes_what() {
        Takes::Nothing => return None,
        Takes::Json(record) => json!({Media::Json.name(): {"schema": schema(record, schemas)}}),
        Takes::Stream(media) => {
            media.iter().map(|media| (media.to_string(), json!({}))).collect::<Map<_, _>>().into()
        }
    };
    Some(json!({"required": true, "content": content}))
}

fn schema(record: &TypeInfo, schemas: &mut SchemaGenerator) -> Value {
    (record.schema)(schemas).to_value()
}

fn responses(route: &RouteInfo, schemas: &mut SchemaGenerator) -> Value {
    let mut content = Map::new();
    for media in route.formats() {
        let schema = match (media, route.record()) {
            (Media::Json, Some(record)) => schema(record, schemas),
            _ => json!({"type": "string"}),
        };
        content.insert(media.name().to_string(), json!({"schema": schema}));
    }
    let mut headers = json!({"x-request-id": {"$ref": "#/components/headers/request_id"}});
    if let (Some(headers), true) = (headers.as_object_mut(), writes(route)) {
        headers.insert(
            "idempotency-replayed".into(),
            json!({"$ref": "#/components/headers/replayed"}),
        );
    }
    let success = json!({"description": status::reason(route.success()), "headers": headers, "content": content});
    let mut responses = Map::from_iter([(route.success().to_string(), success)]);
    for status in refused_with(route) {
        responses.insert(status.to_string(), json!({"$ref": "#/components/responses/problem"}));
    }
    responses.insert("default".into(), json!({"$ref": "#/components/responses/problem"}));
    responses.into()
}

/// The statuses that a function of this kind can refuse with.
fn refused_with(route: &RouteInfo) -> Vec<u16> {
    use Refusal as R;
    let mut codes = vec![R::MalformedParameter, R::Internal, R::NotConfigured];
    if route.needs().is_some() {
        codes.extend([R::KeyMissing, R::ScopeMissing]);
    }
    if route.is_signed() {
        codes.push(R::SignatureRefused);
    }
    if route.path_parameters().next().is_some() {
        codes.push(R::NotFound);
    }
    if !route.formats().is_empty() {
        codes.push(R::NotAcceptable);
    }
    if writes(route) {
        codes.extend([R::IdempotencyRunning, R::IdempotencyMismatch, R::BodyTooLarge]);
    }
    if !matches!(route.takes_what(), Takes::Nothing) {
        codes.push(R::UnsupportedMediaType);
    }
    codes.into_iter().map(status::of).collect()
}

fn idempotency_key() -> Value {
    json!({"name": "Idempotency-Key", "in": "header", "required": false,
        "description": "The same request with the same key has the first answer again for a day. An answer that holds \
            a secret is not kept: there a repetition is a new call.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255}})
}

fn request_id() -> Value {
    json!({"name": "x-request-id", "in": "header", "required": false,
        "description": "Given back on the answer and written to the log. Absent or unusual: one is made.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}})
}

/// Objects by key, so that the order does not depend on how serde_json was built.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(key, of)| (key, sorted(of))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
