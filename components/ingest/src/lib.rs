//! The component `ingest`: files of rows that come in. Those of banks it hands on to the component `statements`.

mod imports;
mod statement;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = dunlin_web::health::routes();
    routes.extend(imports::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    match statement::handed_on(request.method(), request.uri()) {
        Some(to) => dunlin_web::spin::hand_on("ingest", request, &to).await,
        None => dunlin_web::spin::serve("ingest", routes, &["import_slice"], request).await,
    }
}
