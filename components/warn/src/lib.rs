//! The component `warn`: what to watch, why, and what was done about it.

mod alerts;

use dunlin_store::Db;
use dunlin_web::{LANGUAGE, Route};

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    alerts::routes()
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("warn", routes, &[], request).await
}
