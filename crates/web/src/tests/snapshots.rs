//! What is written from the tables: the page of errors and the OpenAPI document.

use super::{World, sample};
use crate::{Router, errors::errors_markdown, openapi};
use dunlin_store::native::NativeDb;
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn the_page_of_errors_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, errors_markdown()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap_or_default(),
        errors_markdown(),
        "run again with UPDATE=1"
    );
}

#[test]
fn the_openapi_document_has_every_route_and_resolves() {
    let world = World::new();
    let document = openapi::document(world.router().infos());
    let mut ids = BTreeSet::new();
    for info in world.router().infos() {
        let operation = &document["paths"][info.path()][info.method().as_str().to_lowercase()];
        assert_eq!(operation["operationId"], info.name());
        assert!(ids.insert(info.name()), "{} stands twice", info.name());
        assert!(operation["responses"][info.success().to_string()].is_object());
    }
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let create = &document["paths"]["/v1/things"]["post"];
    assert_eq!(create["x-scope"], "ingest-write");
    assert_eq!(
        create["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/NewCustomer"
    );
    assert_eq!(document["paths"]["/healthz"]["get"]["security"], serde_json::json!([]));
    let streams = &document["paths"]["/v1/files"]["post"]["requestBody"]["content"];
    assert!(streams["text/csv"].is_object() && streams["application/x-ndjson"].is_object());
    let about =
        &document["components"]["schemas"]["NewCustomer"]["properties"]["name"]["description"];
    assert_eq!(about, "The name as it stands in letters, 1 to 200 characters.");
}

#[test]
fn the_document_does_not_depend_on_the_order_of_routes() {
    let routes = sample::routes::<NativeDb>();
    let forward = openapi::text(routes.iter().map(|route| route.info()));
    assert_eq!(forward, openapi::text(routes.iter().rev().map(|route| route.info())));
}

#[test]
fn a_table_with_a_route_twice_is_refused() {
    let twice = || sample::routes::<NativeDb>().into_iter().chain(sample::routes()).collect();
    assert!(Router::new("sample", twice()).is_err());
}
