//! The component `settlement`: what was paid, and where it went.

mod payments;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    payments::routes()
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("settlement", routes, &[], request).await
}
