//! The component `statements`: statements of bank accounts that come in, and which came.

mod create;
mod read;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = vec![create::route()];
    routes.extend(read::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("statements", routes, &[], request).await
}
