//! The component `score`: how each customer stands, why, and what to watch.

mod alerts;
mod customers;
mod external;
mod imports;

use dunlin_store::Db;
use dunlin_web::{Query, Route};

/// The language of texts.
const LANGUAGE: Query = Query::one_of(
    "language",
    dunlin_domain::contract::types::Language::NAMES,
    "The language of the texts. Absent: the organisation's.",
);

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = customers::routes();
    routes.extend(alerts::routes());
    routes.extend(external::routes());
    routes.extend(imports::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("score", routes, &[], request).await
}
