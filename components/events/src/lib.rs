//! The component `events`: what payment platforms send, and who they are.

mod inbound;
mod sources;

use dunlin_store::Db;
use dunlin_web::Route;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = sources::routes();
    routes.extend(inbound::routes());
    routes
}

/// The variables that may hold the secret of a source.
#[cfg(target_family = "wasm")]
const SECRETS: [&str; 4] =
    ["source_secret_1", "source_secret_2", "source_secret_3", "source_secret_4"];

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("events", routes, &SECRETS, request).await
}
