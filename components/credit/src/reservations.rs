//! `/v1/score/reservations`: amounts that are kept free.

use crate::LANGUAGE;
use dunlin_app::credit::reservation::{self, Reserved};
use dunlin_domain::{
    Refusal,
    contract::{
        credit::{NewReservation, Reservation},
        keys::Scope,
    },
    credit::reservation::Ask,
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/score/reservations", "create_reservation")
            .about("Keeps an amount of the limit free until it is committed, released or runs out.")
            .scope(Scope::ScoreWrite)
            .query(&[LANGUAGE])
            .takes::<NewReservation>()
            .answers::<Reservation>()
            .status(201)
            .run(create),
        Route::get("/v1/score/reservations/{id}", "get_reservation")
            .about("Gives a reservation as it stands now.")
            .scope(Scope::ScoreRead)
            .answers::<Reservation>()
            .run(get),
        Route::post("/v1/score/reservations/{id}/commit", "commit_reservation")
            .about("Makes a reservation an order: its amount counts as undelivered from now on.")
            .scope(Scope::ScoreWrite)
            .answers::<Reservation>()
            .run(|call| ask(call, Ask::Commit)),
        Route::post("/v1/score/reservations/{id}/release", "release_reservation")
            .about("Gives a reservation up: its amount is free again.")
            .scope(Scope::ScoreWrite)
            .answers::<Reservation>()
            .run(|call| ask(call, Ask::Release)),
    ]
}

fn create<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (new, language): (NewReservation, _) = (call.body()?, call.query(&LANGUAGE)?);
    match reservation::add(call.db()?, &new, &call.new_id()?, language, &call.author())? {
        Reserved::Kept(kept, change) => Ok(Answer::json(&kept)?.outcome(change)),
        Reserved::Held(told) => {
            Err(Problem::new(Refusal::CreditHeld, Refusal::CreditHeld.about()).beside(&told))
        }
    }
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&reservation::get(call.db()?, &call.id()?, call.now())?)
}

fn ask<D: Db>(call: &mut Call<'_, D>, ask: Ask) -> Result<Answer, Problem> {
    let (kept, change) = reservation::ask(call.db()?, &call.id()?, ask, &call.author())?;
    Ok(Answer::json(&kept)?.outcome(change))
}
