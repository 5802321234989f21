//! The component `terms`: who the customers are, and what was agreed with them and secures it.

mod contracts;
mod customers;
mod file;
mod guarantees;
mod rates;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = customers::routes();
    routes.extend(contracts::routes());
    routes.extend(rates::routes());
    routes.extend(guarantees::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("terms", routes, &[], request).await
}
