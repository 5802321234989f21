//! The component `ledger`: what was claimed, and what a customer's account shows.

mod claimable;
mod interest;
mod invoices;
mod statements;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = invoices::routes();
    routes.extend(statements::routes());
    routes.extend(interest::routes());
    routes.extend(claimable::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("ledger", routes, &[], request).await
}
