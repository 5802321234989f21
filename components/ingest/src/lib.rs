//! The component `ingest`: what comes in, the ledger it becomes, and who may call.

mod customers;
mod imports;
mod invoices;
mod organisation;
mod payments;
mod profiles;

use dunlin_app::ledger::Change;
use dunlin_store::Db;
use dunlin_web::{Answer, Route};

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = dunlin_web::health::routes();
    routes.extend(imports::routes());
    routes.extend(customers::routes());
    routes.extend(invoices::routes());
    routes.extend(payments::routes());
    routes.extend(profiles::routes());
    routes.extend(organisation::routes());
    routes.extend(dunlin_web::keys::routes());
    routes
}

/// Says whether a write changed anything: 201 for what is new, and always the header `dunlin-outcome`.
fn outcome(answer: Answer, change: Change) -> Answer {
    let (status, word) = match change {
        Change::Made => (201, "made"),
        Change::Replaced => (200, "replaced"),
        Change::AlreadySo => (200, "already-so"),
    };
    answer.status(status).header("dunlin-outcome", word)
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("ingest", routes, &[], request).await
}
