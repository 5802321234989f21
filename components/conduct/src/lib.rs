//! The component `conduct`: by which rules the ledger is kept, what holds claims up, how doubtful they are, who did what,
//! what is given up, and what became of files.

mod audit;
mod defaults;
mod delinquency;
mod disputes;
mod erasure;
mod imports;
mod pauses;
mod policy;
mod retention;
mod write_offs;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = policy::routes();
    routes.extend(pauses::routes());
    routes.extend(disputes::routes());
    routes.extend(delinquency::routes());
    routes.extend(defaults::routes());
    routes.extend(audit::routes());
    routes.extend(erasure::routes());
    routes.extend(retention::routes());
    routes.extend(imports::routes());
    routes.extend(write_offs::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("conduct", routes, &[], request).await
}
