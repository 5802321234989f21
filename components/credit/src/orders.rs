//! `/v1/score/orders`: orders as they stand.

use dunlin_app::credit::order;
use dunlin_domain::contract::{
    credit::{NewOrder, Order},
    keys::Scope,
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route, STOOD_ON};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::put("/v1/score/orders/{id}", "put_order")
            .about("Records how an order stands: what was delivered, invoiced and cancelled of it so far.")
            .scope(Scope::ScoreWrite)
            .takes::<NewOrder>()
            .answers::<Order>()
            .run(put),
        Route::get("/v1/score/orders/{id}", "get_order")
            .about("Gives an order as it stood on the day, and what of it counts.")
            .scope(Scope::ScoreRead)
            .query(&[STOOD_ON])
            .answers::<Order>()
            .run(get),
    ]
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewOrder = call.body()?;
    let (order, change) = order::put(call.db()?, &call.id()?, &new, &call.author())?;
    Ok(Answer::json(&order)?.outcome(change))
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&order::get(call.db()?, &call.id()?, call.as_of()?)?)
}
