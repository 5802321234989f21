//! The component `credit`: how much a customer may owe, what is used of it, and the orders and holds that this is for.

mod holds;
mod limits;
mod orders;
mod policy;

use dunlin_app::credit::Asked;
use dunlin_store::Db;
use dunlin_web::{Call, KNOWN_AT, LANGUAGE, Problem, Route};

/// The day and the moment of knowledge that a call asks for.
fn asked<D: Db>(call: &Call<'_, D>) -> Result<Asked, Problem> {
    Ok(Asked { day: call.as_of()?, known_at: call.query(&KNOWN_AT)? })
}

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = orders::routes();
    routes.extend(limits::routes());
    routes.extend(policy::routes());
    routes.extend(holds::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("credit", routes, &[], request).await
}
