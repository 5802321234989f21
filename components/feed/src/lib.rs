//! The component `feed`: everything that happened, in one order, and webhooks to whoever follows along.

mod feed;
mod webhooks;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = feed::routes();
    routes.extend(webhooks::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve_calling("feed", routes, &webhooks::ORIGINS, request).await
}
