//! The component `ingest`: files that come in, of rows and of banks.

mod bank;
mod imports;

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
    dunlin_web::spin::serve("ingest", routes, &["import_slice"], request).await
}
