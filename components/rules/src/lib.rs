//! The component `rules`: by what warnings are raised, what that would have been on past days, and what checks look at.

mod alert_rules;
mod credit_rules;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = alert_rules::routes();
    routes.extend(credit_rules::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("rules", routes, &[], request).await
}
