//! The component `ingest`: files that come in and how they are read, whose receivables they are, and who may call.

mod bank;
mod imports;
mod organisation;
mod profiles;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = dunlin_web::health::routes();
    routes.extend(imports::routes());
    routes.extend(profiles::routes());
    routes.extend(organisation::routes());
    routes.extend(dunlin_web::keys::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("ingest", routes, &[], request).await
}
