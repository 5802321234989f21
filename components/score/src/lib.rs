//! The component `score`: how each customer stands, why, and what to watch.

mod cards;
mod customers;
mod external;
mod imports;
mod reviews;
mod tiers;
mod watchlist;

use dunlin_app::remind;
use dunlin_domain::contract::types::Language;
use dunlin_store::Db;
use dunlin_web::{Call, LANGUAGE, Problem, Route};

/// The language that was asked for, or the organisation's.
fn language<D: Db>(call: &Call<'_, D>) -> Result<Language, Problem> {
    call.query(&LANGUAGE)?.map_or_else(|| Ok(remind::language(call.db()?)?), Ok)
}

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    let mut routes = customers::routes();
    routes.extend(cards::routes());
    routes.extend(tiers::routes());
    routes.extend(reviews::routes());
    routes.extend(external::routes());
    routes.extend(imports::routes());
    routes.extend(watchlist::routes());
    routes
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    dunlin_web::spin::serve("score", routes, &[], request).await
}
