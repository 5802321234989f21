//! The component `report`: who owes how much for how long.

mod ageing;
mod dso;
mod interest;
mod overdue;
mod picture;
mod snapshots;

use dunlin_domain::{Currency, money::format_minor};
use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = dunlin_web::health::document();
    routes.extend(ageing::routes());
    routes.extend(overdue::routes());
    routes.extend(interest::routes());
    routes.extend(dso::routes());
    routes.extend(snapshots::routes());
    routes
}

/// An amount as tables show it.
fn decimal(minor: i64, currency: Currency) -> String {
    format_minor(minor, currency.exponent())
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("report", routes, &[], request).await
}
