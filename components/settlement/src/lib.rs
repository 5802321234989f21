//! The component `settlement`: what was paid, where it went, what secures the rest, and what was given up.

mod guarantees;
mod payments;
mod write_offs;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = payments::routes();
    routes.extend(write_offs::routes());
    routes.extend(guarantees::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("settlement", routes, &[], request).await
}
