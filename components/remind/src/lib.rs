//! The component `remind`: notices, and handing them over.

mod deliveries;
mod notices;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = notices::routes();
    routes.extend(deliveries::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    use dunlin_web::webhook::{SECRET, URL};
    dunlin_web::spin::serve_calling("remind", routes, &[URL, SECRET], request).await
}
