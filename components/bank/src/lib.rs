//! The component `bank`: what the entries of bank statements were taken for, and what of it came back; how files are
//! read, whose receivables they are, and who may call.

mod matches;
mod organisation;
mod payers;
mod profiles;
mod reversals;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = matches::routes();
    routes.extend(payers::routes());
    routes.extend(reversals::routes());
    routes.extend(profiles::routes());
    routes.extend(organisation::routes());
    routes.extend(dunlin_web::keys::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("bank", routes, &[], request).await
}
