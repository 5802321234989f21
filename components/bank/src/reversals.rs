//! `/v1/ingest/payment-reversals`: what went back and came again.

use dunlin_app::payment;
use dunlin_domain::{
    Date,
    contract::{keys::Scope, ledger::ReversalUndoing, types::Payment},
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/ingest/payment-reversals/{id}/reverse", "undo_payment_reversal")
            .about("Takes a reversal of a payment back, as if it had never been: the payment counts again from its day.")
            .scope(Scope::IngestWrite)
            .takes::<ReversalUndoing>()
            .answers::<Payment>()
            .run(undo),
    ]
}

fn undo<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (id, new) = (call.id()?, call.body::<ReversalUndoing>()?);
    let (payment, change) = payment::undo(call.db()?, &id, &new, &call.author())?;
    // As it stands after everything that is recorded.
    let payment = payment::get(call.db()?, &payment, Date::LAST, i64::MAX)?;
    Ok(Answer::json(&payment)?.outcome(change))
}
