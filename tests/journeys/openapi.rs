//! The OpenAPI document is written from the tables of the components and checked in, since it is served as a file.

use crate::coverage::routes;
use dunlin_tests::{App, workspace};
use dunlin_web::openapi;

#[test]
fn the_document_is_that_of_the_routes() {
    let routes = routes();
    let written = openapi::text(&routes);
    let file = workspace().join("docs/openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &written).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == written, "docs/openapi.json is not up to date; run again with UPDATE=1");
}

#[test]
fn the_document_that_is_served_names_every_route() {
    let document = App::start().request("GET", "/openapi.json").without_key().send().ok();
    for route in routes() {
        let operation = &document["paths"][route.path()][route.method().as_str().to_lowercase()];
        assert_eq!(operation["operationId"], route.name(), "{} {}", route.method(), route.path());
    }
}
